/** What the watcher's API says about mass exits and the mandates for them (docs/spec.md section 6.4). */
import { z } from 'zod'
import {
  addressSchema,
  amountSchema,
  blockNumberSchema,
  hashSchema,
  hexSchema,
  positionSchema,
  secondsSchema,
} from '../api/values.ts'
import { mandateSchema } from './apiSchemas.ts'

export const MANDATES_AT_ONCE = 100

export const signedMandateSchema = z.object({ mandate: mandateSchema, signature: hexSchema })
export const mandatesBodySchema = z.object({ mandates: z.array(signedMandateSchema).min(1).max(MANDATES_AT_ONCE) })

const errorSchema = z.object({ code: z.string(), message: z.string(), got: z.unknown(), want: z.unknown() })

/** `known`: it was here already. */
export const mandateResultSchema = z.union([
  z.object({ state: z.enum(['added', 'known']) }),
  z.object({ error: errorSchema }),
])

export const mandatesAnswerSchema = z.object({
  results: z.array(mandateResultSchema),
  /** Whom mandates have to name as delegate, unless they name nobody; left out by a watcher without a key, which starts no mass exits. */
  delegate: addressSchema.optional(),
})

export const mandatesOfOwnerSchema = z.object({
  mandates: z.array(signedMandateSchema.extend({ revoked: z.boolean() })),
  /** Why this watcher takes no mandates, and acts by none of those; left out where it does. */
  refused: errorSchema.optional(),
  delegate: addressSchema.optional(),
})

/** As L1 has it; what is on its way there is among the drafts of the plan. */
export const massExitStateSchema = z.enum(['started', 'locked', 'dissolved', 'closed'])

export const massExitSchema = z.object({
  batchId: hashSchema,
  state: massExitStateSchema,
  coordinator: addressSchema,
  /** This watcher is its coordinator. */
  own: z.boolean(),
  token: addressSchema,
  entries: z.int(),
  total: amountSchema,
  bond: amountSchema,
  startedAt: secondsSchema,
  /** L1 seconds, inclusive: for demands, for their answers, for the lock. */
  deadlines: z.object({ demand: secondsSchema, answer: secondsSchema, lock: secondsSchema }),
  demands: z.object({ open: z.int(), answered: z.int() }),
  /** From the lock on: strikes until `strike`; its turn and its claims when L1 time is past `payable`. */
  locked: z
    .object({ lockedAt: secondsSchema, strike: secondsSchema, payable: secondsSchema, turned: z.boolean() })
    .optional(),
  strikes: z.int(),
  shares: z.object({ claimed: z.int(), placed: z.int(), released: z.int(), open: z.int() }),
})

export const massExitsPageSchema = z.object({ massExits: z.array(massExitSchema), nextCursor: hashSchema.optional() })

export const plannedBatchSchema = z.object({
  token: addressSchema,
  kind: z.enum(['old', 'young', 'dust']),
  entries: z.array(z.object({ position: positionSchema, amount: amountSchema })),
  count: z.int(),
  owners: z.int(),
  total: amountSchema,
  gas: amountSchema,
  bond: amountSchema,
  /** At 3/2 of the base fee of the moment, in wei. */
  cost: amountSchema,
  payableAt: secondsSchema,
})

export const massExitPlanSchema = z.object({
  /** False: nothing is published now; the rest says what would be. */
  due: z.boolean(),
  /** L1 seconds: batches that start by then come before every output of the block in question. */
  lastStart: z.int().optional(),
  verified: blockNumberSchema,
  mandates: z.int(),
  delegate: addressSchema.optional(),
  batches: z.array(plannedBatchSchema),
  /** Decided on, on their way to L1. */
  drafts: z.array(
    z.object({
      /** Root of its entries: `/v1/explain/exit/{root}` says what is done about it. */
      root: hashSchema,
      token: addressSchema,
      count: z.int(),
      madeAt: secondsSchema,
      until: secondsSchema,
    }),
  ),
  /** Cheaper, or in time only, one by one. */
  singles: z.int(),
  refused: z.record(z.string(), z.int()).describe('How many outputs for which reason'),
})

/** What the watcher's API says beyond what it shares with the operator's (api/schemas.ts). */
import { z } from 'zod'
import { statusSchema } from '../api/schemas.ts'
import {
  addressSchema,
  amountSchema,
  blockNumberSchema,
  cursorSchema,
  hashSchema,
  hexSchema,
  l1BlockSchema,
  positionSchema,
  secondsSchema,
} from '../api/values.ts'
import { ALERT_CODES } from './alerts.ts'

const faultSchema = z.looseObject({ rule: z.string(), code: z.string(), index: z.int() })

export const safetySchema = z.object({
  status: z.enum(['safe', 'suspect', 'unsafe']),
  reason: z.string(),
  /** First block that is withheld or invalid. */
  block: blockNumberSchema.optional(),
  since: secondsSchema.optional(),
  /** L1 seconds by which an exit has to be on L1 to come before every output of that block. */
  lastSafeMoment: z.int().optional(),
  observedSeconds: z.int().optional(),
  fault: faultSchema.optional(),
  /** Where the vault is short: the exit that can't be stopped, and what it takes. */
  outputId: hashSchema.optional(),
  missing: amountSchema.optional(),
})

export const watcherStatusSchema = statusSchema.extend({
  /** Newest block verified together with all before it. */
  verified: blockNumberSchema,
  /** Blocks on L1 that are not verified. */
  lag: z.int().min(0),
  safety: safetySchema,
  l1: z.object({
    block: l1BlockSchema,
    timestamp: secondsSchema,
    finalised: l1BlockSchema,
    source: z.string(),
    caughtUp: z.boolean(),
    fresh: z.boolean(),
  }),
  peers: z.array(
    z.object({
      name: z.string(),
      served: z.int(),
      failures: z.int(),
      garbage: z.int(),
      lastError: z.string().optional(),
      /** Local clock, ms. */
      lastServedAt: z.int().optional(),
    }),
  ),
  exits: z.object({
    queued: z.int(),
    ticket: z.int(),
    settled: z.int(),
    removed: z.int(),
    cancelled: z.int(),
    'cancelled-ticket': z.int(),
  }),
  disputes: z.object({ running: z.int(), canonical: z.int(), 'not-canonical': z.int() }),
  /** Standing alerts that nobody acknowledged. */
  alerts: z.object({ info: z.int(), warning: z.int(), critical: z.int() }),
})

/** `cancelled`, and `cancelled-ticket` after its turn: a canonical verdict passed the value on. */
export const exitStateSchema = z.enum(['queued', 'ticket', 'settled', 'removed', 'cancelled', 'cancelled-ticket'])
export const disputeStateSchema = z.enum(['running', 'canonical', 'not-canonical'])

export const exitSchema = z.object({
  outputId: hashSchema,
  /** What the exit is as old as: its output, or of an exit through a dispute the dispute's `agePosition`. */
  position: positionSchema,
  /** Where the output stands; left out while no verified block holds the disputed transaction. */
  place: positionSchema.optional(),
  owner: addressSchema,
  token: addressSchema,
  amount: amountSchema,
  state: exitStateSchema,
  /** The transaction whose verdict decides about the exit; zero for none. */
  disputed: hashSchema,
  paid: amountSchema,
  young: z.boolean(),
  startedAt: secondsSchema,
  exitableAt: secondsSchema,
  lockedAt: l1BlockSchema,
  payer: addressSchema,
  /** What the verified blocks say of the output. */
  output: z.enum(['unspent', 'spent', 'unverified', 'mismatch']),
  /** Position of the transaction that spent it, if one did. */
  spend: positionSchema.optional(),
  /** Positions of the evidence standing on L1. */
  evidence: z.array(positionSchema),
  /** What this watcher's court means to do; left out by a watcher without one. */
  plan: z.unknown().optional(),
})

export const exitsPageSchema = z.object({ exits: z.array(exitSchema), nextCursor: hashSchema.optional() })

export const disputeSchema = z.object({
  txHash: hashSchema,
  state: disputeStateSchema,
  starter: addressSchema,
  bond: amountSchema,
  startedAt: secondsSchema,
  /** Decided when L1 time is past this. */
  exitableAt: secondsSchema,
  /** Least lock of the inputs: an answer is anchored before it. */
  lockedAt: l1BlockSchema,
  /** The youngest input: what exits of the outputs are as old as. */
  agePosition: positionSchema,
  memo: hashSchema,
  inputs: z.array(
    z.object({
      outputId: hashSchema,
      position: positionSchema,
      /** The transaction that made it; zero for a deposit. */
      madeBy: hashSchema,
      owner: addressSchema,
      token: addressSchema,
      amount: amountSchema,
      lockedAt: l1BlockSchema,
      /** Its exits wait for the verdict. */
      suspended: z.boolean(),
      /** State of its exit, if it has one. */
      exit: exitStateSchema.optional(),
      /** Position of another transaction of a verified block that spends it: a competitor. */
      spend: positionSchema.optional(),
    }),
  ),
  outputs: z.array(
    z.object({
      outputId: hashSchema,
      owner: addressSchema,
      token: addressSchema,
      amount: amountSchema,
      exit: exitStateSchema.optional(),
      /** Position of the transaction of a verified block that spent it. */
      spend: positionSchema.optional(),
    }),
  ),
  /** Where a verified block holds the disputed transaction. */
  made: positionSchema.optional(),
  /** As shown on L1; `position` 0: not included. */
  competitors: z.array(z.object({ txHash: hashSchema, position: positionSchema, input: z.int().min(0) })),
  answers: z.array(positionSchema),
  /** What this watcher's court means to do; left out by a watcher without one. */
  plan: z.unknown().optional(),
})

export const disputesPageSchema = z.object({ disputes: z.array(disputeSchema), nextCursor: hashSchema.optional() })

export const alertSchema = z.object({
  id: cursorSchema,
  code: z.enum(ALERT_CODES as readonly [string, ...string[]]),
  severity: z.enum(['info', 'warning', 'critical']),
  dedupe: z.string(),
  /** Local clock, ms. */
  raisedAt: z.int(),
  meaning: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()),
  repeats: z.int(),
  acknowledgedAt: z.int().optional(),
  acknowledgedBy: z.string().optional(),
  /** When its cause was gone. */
  clearedAt: z.int().optional(),
})

export const alertsPageSchema = z.object({ alerts: z.array(alertSchema), nextCursor: cursorSchema.optional() })

export const mandateSchema = z.object({
  owner: addressSchema,
  delegate: addressSchema,
  validFrom: secondsSchema,
  validUntil: secondsSchema,
  position: positionSchema,
  minAmount: amountSchema,
  maxFee: amountSchema,
  epoch: z.int().min(0),
})

/** Also an entry of the file of protected accounts. */
export const protectionSchema = z.object({ owner: addressSchema, mandate: mandateSchema, signature: hexSchema })

export const protectedAccountSchema = protectionSchema.extend({ addedAt: z.int() })
export const protectedAccountsSchema = z.object({
  accounts: z.array(protectedAccountSchema),
  /** Whom mandates have to name as delegate, unless they name nobody; left out by a watcher without a key. */
  sender: addressSchema.optional(),
})

/** For people: what is known, what follows from it. */
export const explanationSchema = z.looseObject({ subject: z.string(), summary: z.array(z.string()) })

/** What a coordinator is given (docs/guide-wallet.md, "Mass exits"): outputs to take out, with their owners' mandates, as a file or from a watcher. */
import { z } from 'zod'
import { addressSchema, amountSchema, positionSchema } from '../api/values.ts'
import type { SignedMandate } from '../l1/rootCalls.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { listedMandateSchema } from './mandate.ts'

/** `token`, `amount`, `owner`: as its proof says where left out. */
export type WantedOutput = Readonly<{ position: number; token?: Address; amount?: bigint; owner?: Address }>
export type MassExitWish = Readonly<{ outputs: readonly WantedOutput[]; mandates: readonly SignedMandate[] }>

const outputSchema = z.strictObject({
  position: positionSchema,
  amount: amountSchema,
  token: addressSchema.default(ZERO_ADDRESS),
  owner: addressSchema.optional(),
})

const fileSchema = z.strictObject({
  lifeboatMassExit: z.literal(1),
  outputs: z.array(outputSchema),
  mandates: z.array(listedMandateSchema).default([]),
})

/** A watcher's plan: only what is checked again is read. */
export const watcherPlanSchema = z.looseObject({
  batches: z.array(
    z.looseObject({
      token: addressSchema,
      entries: z.array(z.looseObject({ position: positionSchema, amount: amountSchema })),
      /** Of all its entries: a watcher may tell fewer. */
      count: z.int().optional(),
    }),
  ),
})

/** Strict. Throws MASS_EXIT_FILE_INVALID. */
export function parseMassExitFile(text: string): MassExitWish {
  const parsed = fileSchema.safeParse(parseJson(text))
  if (parsed.success) {
    const outputs = parsed.data.outputs.map(({ owner, ...output }) => ({ ...output, ...(owner ? { owner } : {}) }))
    const mandates = parsed.data.mandates.map(({ mandate, signature }) => ({ mandate, signature }) as SignedMandate)
    return { outputs, mandates }
  }
  throw invalid('MASS_EXIT_FILE_INVALID', 'not a file of outputs for a mass exit', {
    got: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`).join('; '),
    want: '{"lifeboatMassExit": 1, "outputs": [{"position", "amount", "token"?, "owner"?}], "mandates"?: [{"mandate", "signature"}]}',
  })
}

/** Outputs of a watcher's plan, and how many it keeps to itself. */
export function wishOfPlan(plan: z.output<typeof watcherPlanSchema>): Readonly<{ wish: MassExitWish; untold: number }> {
  const outputs = plan.batches.flatMap(({ token, entries }) =>
    entries.map(({ position, amount }) => ({ position, amount, token })),
  )
  const untold = plan.batches.reduce((sum, { count, entries }) => sum + Math.max(0, (count ?? 0) - entries.length), 0)
  return { wish: { outputs, mandates: [] }, untold }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

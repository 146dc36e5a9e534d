/**
 * What this operator refuses although it would be valid (docs/spec.md section 4, last paragraph): its own choice, never consensus.
 * Faults of validity are another type, in protocol/validity.ts.
 */
import type { Address } from '../protocol/bytes.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import type { ExistingOutput } from '../protocol/validity.ts'

/** The least fee in one token, paid by one output to the fee address. */
export type Fee = Readonly<{ token: Address; minimum: bigint }>

export type Policy = Readonly<{
  feeAddress: Address
  /** Any one of them suffices; none listed: payments are free. A minimum of 0 accepts every payment. */
  fees: readonly Fee[]
  /** 1 to 16. */
  maxInputs: number
  /** 1 to 16, fee output included. */
  maxOutputs: number
}>

export type RefusalCode =
  | 'FEE_TOO_LOW'
  | 'TOO_MANY_INPUTS'
  | 'TOO_MANY_OUTPUTS'
  | 'INPUT_EXITING'
  | 'DEPOSIT_PENDING'
  | 'RATE_LIMITED'

/** Refusals that end by themselves. */
export const PASSING: readonly RefusalCode[] = ['DEPOSIT_PENDING', 'RATE_LIMITED']

/** Why this operator does not take a transaction. */
export type Refusal = Readonly<{ code: RefusalCode; message: string; got: unknown; want: unknown }>

/** What the transaction alone shows. */
export function findRefusal({ transaction }: SignedTransaction, policy: Policy): Refusal | undefined {
  const { inputs, outputs } = transaction
  if (inputs.length > policy.maxInputs) {
    return refusal(
      'TOO_MANY_INPUTS',
      'more inputs than this operator takes',
      inputs.length,
      `at most ${policy.maxInputs}`,
    )
  }
  if (outputs.length > policy.maxOutputs) {
    return refusal(
      'TOO_MANY_OUTPUTS',
      'more outputs than this operator takes',
      outputs.length,
      `at most ${policy.maxOutputs}`,
    )
  }
  if (policy.fees.length === 0) return undefined
  const paid = outputs.filter(({ owner }) => owner === policy.feeAddress)
  const suffices = ({ token, minimum }: Fee) =>
    minimum === 0n || paid.some((output) => output.token === token && output.amount >= minimum)
  if (policy.fees.some(suffices)) return undefined
  return refusal(
    'FEE_TOO_LOW',
    'no output pays the fee',
    paid.map(({ token, amount }) => ({ token, amount })),
    { owner: policy.feeAddress, oneOf: policy.fees },
  )
}

/**
 * An exit on L1 locks its output although the anchor has not reached it: a spend would be valid, and would be evidence against an
 * exit that was honest when it started.
 */
export function findExiting(
  inputs: readonly number[],
  find: (position: number) => ExistingOutput | undefined,
): Refusal | undefined {
  const position = inputs.find((input) => find(input)?.lockedAt !== undefined)
  if (position === undefined) return undefined
  return refusal('INPUT_EXITING', 'an exit of this output has started on L1', position, 'an output that is not leaving')
}

/** A deposit that V2 does not let in yet, where a person would read "missing". */
export function findPendingDeposit(
  inputs: readonly number[],
  anchor: number,
  find: (position: number) => ExistingOutput | undefined,
): Refusal | undefined {
  for (const position of inputs) {
    const depositedAt = find(position)?.depositedAt
    if (depositedAt !== undefined && depositedAt > anchor) {
      const got = { position, l1Block: depositedAt }
      return refusal(
        'DEPOSIT_PENDING',
        'a deposit is not deep enough on L1 yet; try again',
        got,
        `L1 block ${anchor} or older`,
      )
    }
  }
  return undefined
}

export function refusal(code: RefusalCode, message: string, got: unknown, want: unknown): Refusal {
  return { code, message, got, want }
}

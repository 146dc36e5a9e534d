/**
 * Block validity (docs/spec.md section 4): V1..V6, the only consensus rules, as one pure function per transaction and one per
 * block. What an operator merely refuses is policy and lives with the operator. A fault is a value: it says which rule, where,
 * what was got and what was wanted, and is enough to look for the fraud proof.
 */
import type { Address } from './bytes.ts'
import {
  decodePosition,
  encodePosition,
  INDEX_LIMIT,
  isDepositPosition,
  OUTPUT_LIMIT,
  transactionPosition,
} from './position.ts'
import { findFormFault, type SignedTransaction } from './transaction.ts'

export type Rule = 'V1' | 'V2' | 'V3' | 'V4' | 'V5' | 'V6'

export type Fault = Readonly<{
  rule: Rule
  /** Stable, UPPER_SNAKE. */
  code: string
  /** Index of the offending input in the transaction, where the rule is about one. */
  input?: number
  got: unknown
  want: unknown
}>

/** An output that exists, as the state knows it. */
export type ExistingOutput = Readonly<{
  owner: Address
  token: Address
  amount: bigint
  /** Position of the transaction that spent it (output 0), if one did. */
  spentBy?: number | undefined
  /** For deposits: the L1 block that holds it. */
  depositedAt?: number | undefined
  /** The L1 block of the first exit action that names it, if one did; never changes once set. */
  lockedAt?: number | undefined
}>

/** All that validity asks of the world. */
export type StateView = Readonly<{ find(position: number): ExistingOutput | undefined }>

export type Context = Readonly<{
  block: number
  index: number
  /** L1 block number of the child block's anchor. */
  anchor: number
  /** Per input: who signed; undefined where the signature recovers to nobody. */
  signers: readonly (Address | undefined)[]
}>

/** The first rule that the transaction breaks at this place, V1 first; undefined when it is valid. */
export function findFault(signed: SignedTransaction, context: Context, state: StateView): Fault | undefined {
  const form = findFormFault(signed)
  if (form) return { rule: 'V1', ...form }
  const spent: ExistingOutput[] = []
  for (let input = 0; input < signed.transaction.inputs.length; input++) {
    const found = findInput(signed.transaction.inputs[input] as number, context, state)
    if (!found)
      return {
        rule: 'V2',
        code: 'INPUT_MISSING',
        input,
        got: signed.transaction.inputs[input],
        want: 'an output that exists at this place',
      }
    spent.push(found)
  }
  return findSpent(spent) ?? findForged(spent, context) ?? findImbalance(signed, spent) ?? findLocked(spent, context)
}

/** V2: the output at `position` if a transaction at this place may refer to it. */
function findInput(position: number, { block, index, anchor }: Context, state: StateView): ExistingOutput | undefined {
  const ownPlace = encodePosition({ block, index, output: 0 })
  if (!isDepositPosition(position) && transactionPosition(position) >= ownPlace) return undefined
  const output = state.find(position)
  if (!output || !isDepositPosition(position)) return output
  return output.depositedAt !== undefined && output.depositedAt <= anchor ? output : undefined
}

function findSpent(spent: readonly ExistingOutput[]): Fault | undefined {
  const input = spent.findIndex((output) => output.spentBy !== undefined)
  if (input < 0) return undefined
  return {
    rule: 'V3',
    code: 'INPUT_SPENT',
    input,
    got: spent[input]?.spentBy,
    want: 'an output that no earlier transaction spent',
  }
}

function findForged(spent: readonly ExistingOutput[], { signers }: Context): Fault | undefined {
  const input = spent.findIndex((output, i) => signers[i] !== output.owner)
  if (input < 0) return undefined
  return { rule: 'V4', code: 'WITNESS_FORGED', input, got: signers[input] ?? 'no signer', want: spent[input]?.owner }
}

function findImbalance({ transaction }: SignedTransaction, spent: readonly ExistingOutput[]): Fault | undefined {
  for (const token of tokensOf(spent, transaction.outputs)) {
    const rest = sumOf(spent, token) - sumOf(transaction.outputs, token)
    if (rest !== 0n) {
      return {
        rule: 'V5',
        code: 'VALUE_UNBALANCED',
        got: { token, inputsMinusOutputs: rest },
        want: '0 for every token',
      }
    }
  }
  return undefined
}

type Value = Readonly<{ token: Address; amount: bigint }>

/** In order of first mention. Nearly always there is only one, so that arrays do. */
function tokensOf(...sides: readonly (readonly Value[])[]): Address[] {
  const tokens: Address[] = []
  for (const side of sides) for (const { token } of side) if (!tokens.includes(token)) tokens.push(token)
  return tokens
}

function sumOf(values: readonly Value[], wanted: Address): bigint {
  let sum = 0n
  for (const { token, amount } of values) if (token === wanted) sum += amount
  return sum
}

function findLocked(spent: readonly ExistingOutput[], { anchor }: Context): Fault | undefined {
  const input = spent.findIndex((output) => output.lockedAt !== undefined && output.lockedAt <= anchor)
  if (input < 0) return undefined
  return {
    rule: 'V6',
    code: 'INPUT_LOCKED',
    input,
    got: `locked in L1 block ${spent[input]?.lockedAt}`,
    want: `no lock up to the anchor, L1 block ${anchor}`,
  }
}

/** A state that a block can be folded over: reads, and the two effects of a transaction. */
export type State = StateView &
  Readonly<{
    /** `by`: position of the spending transaction, output 0. */
    spend(position: number, by: number): void
    create(position: number, output: ExistingOutput): void
  }>

/** The effects of a valid transaction. The caller has checked it with `findFault` at the same place. */
export function applyTransaction(
  signed: SignedTransaction,
  { block, index }: Pick<Context, 'block' | 'index'>,
  state: State,
): void {
  const place = encodePosition({ block, index, output: 0 })
  for (const input of signed.transaction.inputs) state.spend(input, place)
  signed.transaction.outputs.forEach(({ owner, token, amount }, output) => {
    state.create(place + output, { owner, token, amount })
  })
}

export type BlockFault = Fault & Readonly<{ index: number }>

/**
 * Folds the transactions of one block over the state, and stops at the first fault. The state is then dirty with the block's
 * valid beginning: the caller works in a transaction of its store and rolls back.
 */
export function applyBlock(
  transactions: readonly (SignedTransaction & Readonly<{ signers: Context['signers'] }>)[],
  { block, anchor }: Pick<Context, 'block' | 'anchor'>,
  state: State,
): BlockFault | undefined {
  for (let index = 0; index < transactions.length; index++) {
    const signed = transactions[index] as (typeof transactions)[number]
    const fault = findFault(signed, { block, index, anchor, signers: signed.signers }, state)
    if (fault) return { ...fault, index }
    applyTransaction(signed, { block, index }, state)
  }
  return undefined
}

/** For tests and for people: where a transaction position stands. */
export function describePlace(position: number): string {
  const { block, index, output } = decodePosition(position)
  return `block ${block}, index ${index}, output ${output} (${position} = (${block} * ${INDEX_LIMIT} + ${index}) * ${OUTPUT_LIMIT} + ${output})`
}

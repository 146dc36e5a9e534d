/**
 * From a fault to its proof (docs/spec.md section 8.5): what L1 has to be shown, and no more, so that it sees what `findFault` saw. One
 * proof for each of V1..V6; contracts/FraudProofs.sol checks them. Pure: what the proof is made of is asked of a source.
 */
import type { Header, InclusionProof } from './block.ts'
import type { Address } from './bytes.ts'
import { bug } from './errors.ts'
import type { Exit } from './exit.ts'
import type { Batch, PlacedEntry } from './massExit.ts'
import type { MerkleTree } from './merkle.ts'
import { decodePosition, encodePosition, isDepositPosition, transactionPosition } from './position.ts'
import type { SignedTransaction } from './transaction.ts'
import type { BlockFault, Rule } from './validity.ts'

/** A transaction where it stands. `position`: that of its output 0. */
export type PlacedTransaction = Readonly<{
  position: number
  signed: SignedTransaction
  header: Header
  proof: InclusionProof
}>

/** What proofs are made of: bodies that match their commitments, and what L1 said. */
export type FraudSource = Readonly<{
  /** What stands at this place of its block; undefined beyond the block's end. */
  transactionAt(position: number): PlacedTransaction | undefined
  header(block: number): Header | undefined
  deposit(position: number): Readonly<{ owner: Address; token: Address; amount: bigint }> | undefined
  /** Position of the transaction that spent the output earlier. */
  spentBy(position: number): number | undefined
  /** The newest exit of the output on L1, if it ever had one. */
  exitOf(position: number): Exit | undefined
  /** The entry of a mass exit that names the output, and was locked in this L1 block or before. */
  lockingEntry?(position: number, anchor: number): LockingEntry | undefined
}>

/** An entry that locks an output, and the tree of its batch's entries. */
export type LockingEntry = Readonly<{ batch: Batch; entry: PlacedEntry; tree: MerkleTree }>

/** What shows an input, or that there is none: nothing, where its position says it all. */
export type InputShown =
  | Readonly<{ kind: 'nothing' }>
  | Readonly<{ kind: 'deposit'; deposit: Readonly<{ owner: Address; token: Address; amount: bigint }> }>
  | Readonly<{ kind: 'transaction'; at: PlacedTransaction }>
  | Readonly<{ kind: 'beyond'; header: Header }>

type Accused = Readonly<{ offence: PlacedTransaction }>

export type FraudProof = Accused &
  (
    | Readonly<{ rule: 'V1' }>
    | Readonly<{ rule: 'V2' | 'V4'; input: number; shown: InputShown }>
    | Readonly<{
        rule: 'V3'
        input: number
        shown: InputShown
        earlier: PlacedTransaction
        /** Index of the input in the earlier transaction. */
        earlierInput: number
      }>
    | Readonly<{ rule: 'V5'; shown: readonly InputShown[] }>
    | Readonly<{ rule: 'V6'; input: number; shown: InputShown; exit: Exit | undefined; locking?: LockingEntry }>
  )

/** The smallest proof of this fault of a block. Throws FRAUD_UNPROVABLE (bug) where the source lacks what the fault was found with. */
export function buildFraudProof(block: number, fault: BlockFault, source: FraudSource): FraudProof {
  const position = encodePosition({ block, index: fault.index, output: 0 })
  const offence = need(source.transactionAt(position), fault.rule, position)
  const { inputs } = offence.signed.transaction
  if (fault.rule === 'V1') return { rule: 'V1', offence }
  if (fault.rule === 'V5') {
    return { rule: 'V5', offence, shown: inputs.map((input) => showInput(input, fault.rule, source)) }
  }
  const input = need(fault.input, fault.rule, position)
  const spent = need(inputs[input], fault.rule, position)
  if (fault.rule === 'V2') return { rule: 'V2', offence, input, shown: showMissing(spent, position, source) }
  const shown = showInput(spent, fault.rule, source)
  if (fault.rule === 'V4') return { rule: 'V4', offence, input, shown }
  if (fault.rule === 'V6') {
    const exit = source.exitOf(spent)
    const { anchor } = offence.header
    // A mass exit's lock is not in the output's own record.
    const locking = exit && exit.lockedAt <= anchor ? undefined : source.lockingEntry?.(spent, anchor)
    return { rule: 'V6', offence, input, shown, exit, ...(locking && { locking }) }
  }
  const earlier = need(source.transactionAt(need(source.spentBy(spent), 'V3', spent)), 'V3', spent)
  const earlierInput = earlier.signed.transaction.inputs.indexOf(spent)
  return { rule: 'V3', offence, input, shown, earlier, earlierInput }
}

function showMissing(input: number, offender: number, source: FraudSource): InputShown {
  const isPlainlyMissing =
    isDepositPosition(input) || transactionPosition(input) >= offender || decodePosition(input).block === 0
  if (isPlainlyMissing) return { kind: 'nothing' }
  const at = source.transactionAt(transactionPosition(input))
  return at
    ? { kind: 'transaction', at }
    : { kind: 'beyond', header: need(source.header(decodePosition(input).block), 'V2', input) }
}

function showInput(input: number, rule: Rule, source: FraudSource): InputShown {
  if (isDepositPosition(input)) return { kind: 'deposit', deposit: need(source.deposit(input), rule, input) }
  return { kind: 'transaction', at: need(source.transactionAt(transactionPosition(input)), rule, input) }
}

function need<T>(value: T | undefined, rule: Rule, position: number): T {
  if (value !== undefined) return value
  throw bug('FRAUD_UNPROVABLE', `what a proof of ${rule} is made of is not there`, {
    got: position,
    want: 'what stands there',
  })
}

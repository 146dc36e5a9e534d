/**
 * What the disputes on L1 say about exits and outputs (docs/spec.md section 6.3): who waits for a verdict, whose value passed on, and
 * which transactions count as never included. Built anew from the disputes' records; nothing here is a memory.
 */
import { type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { outputIdAt } from '../../protocol/position.ts'
import type { Transaction } from '../../protocol/transaction.ts'
import type { DisputeFacts, DisputeRecord, DisputeState } from '../facts.ts'
import type { Shown } from './types.ts'

/** A disputed transaction that spends an output. `suspends`: exits of the output wait while the dispute runs. */
export type Spending = Readonly<{ record: DisputeRecord; suspends: boolean }>

export type Docket = Readonly<{
  byTransaction: ReadonlyMap<Hash, DisputeRecord>
  /** By the id of the output that the disputed transaction spends. */
  spending: ReadonlyMap<Hash, readonly Spending[]>
  /** By the id of the output that the disputed transaction makes. */
  making: ReadonlyMap<Hash, DisputeRecord>
  /** Transactions that were judged not canonical, by where verified blocks hold them all the same. */
  refuted: ReadonlyMap<number, Shown>
}>

/**
 * `records`: every dispute that L1 knows, decided ones too: a verdict holds for ever. `found`: of those whose transaction may be evidence
 * on file, what the verified blocks hold.
 */
export function createDocket(records: readonly DisputeRecord[], found: readonly DisputeFacts[] = []): Docket {
  const spending = new Map<Hash, Spending[]>()
  const making = new Map<Hash, DisputeRecord>()
  for (const record of records) {
    record.inputs.forEach(({ outputId }, i) => {
      const suspends = (record.dispute.suspends & (1 << i)) !== 0
      spending.set(outputId, [...(spending.get(outputId) ?? []), { record, suspends }])
    })
    record.signed.transaction.outputs.forEach((_output, i) => {
      making.set(outputIdAt(i, record.dispute.txHash), record)
    })
  }
  const refuted = new Map<number, Shown>()
  for (const { state, made, dispute } of found) {
    if (state !== 'not-canonical' || !made) continue
    refuted.set(made.position, { txHash: dispute.txHash, header: made.header, proof: made.proof })
  }
  const byTransaction = new Map(records.map((record) => [record.dispute.txHash, record]))
  return { byTransaction, spending, making, refuted }
}

export const EMPTY_DOCKET: Docket = createDocket([])

/** How the dispute stands that an exit is bound to; undefined for an ordinary exit. One that L1 forgot in a reorg counts as running. */
export function makerOf({ disputed }: Exit, docket: Docket): DisputeState | undefined {
  if (disputed === ZERO_HASH) return undefined
  return docket.byTransaction.get(disputed)?.state ?? 'running'
}

/** L1 neither pays the exit nor lets evidence remove it: a dispute runs about what makes the output, or about what spends it. */
export function isSuspended(exit: Exit, docket: Docket): boolean {
  return makerOf(exit, docket) === 'running' || isSpendSuspended(exit.outputId, docket)
}

/** The second of the two: a disputed transaction that spends the output is not judged yet. */
export function isSpendSuspended(outputId: Hash, docket: Docket): boolean {
  return spendingOf(outputId, docket).some(({ record, suspends }) => suspends && record.state === 'running')
}

/** A dispute about a spend of the output was judged not canonical: evidence against its exit must be of another transaction. */
export function isContested(outputId: Hash, docket: Docket): boolean {
  return spendingOf(outputId, docket).some(({ record }) => record.state === 'not-canonical')
}

/** A canonical verdict passed the output's value on: it never leaves. */
export function isPassedOn(outputId: Hash, docket: Docket): boolean {
  return spendingOf(outputId, docket).some(({ record }) => record.state === 'canonical')
}

/** The transaction is one that was judged not canonical: wherever it stands, on L1 it never spent the output. */
export function refutedBy(outputId: Hash, spender: Transaction, docket: Docket): DisputeRecord | undefined {
  return spendingOf(outputId, docket).find(
    ({ record }) => record.state === 'not-canonical' && isSameTransaction(record.signed.transaction, spender),
  )?.record
}

/** The transaction's own dispute runs and holds the output's exit: the verdict cancels the exit or clears it, evidence does neither. */
export function isOnTrial(outputId: Hash, spender: Transaction, docket: Docket): boolean {
  return spendingOf(outputId, docket).some(
    ({ record, suspends }) =>
      suspends && record.state === 'running' && isSameTransaction(record.signed.transaction, spender),
  )
}

/** The exit goes through a dispute, or another transaction than its spender is disputed over its output. */
export function hangsOnVerdict({ disputed, outputId }: Exit, spender: Transaction, docket: Docket): boolean {
  if (disputed !== ZERO_HASH) return true
  return spendingOf(outputId, docket).some(
    ({ record }) => record.state === 'running' && !isSameTransaction(record.signed.transaction, spender),
  )
}

export function spendingOf(outputId: Hash, docket: Docket): readonly Spending[] {
  return docket.spending.get(outputId) ?? []
}

/** The same body, whoever signed it. */
export function isSameTransaction(a: Transaction, b: Transaction): boolean {
  return (
    a.memo === b.memo &&
    a.inputs.length === b.inputs.length &&
    a.outputs.length === b.outputs.length &&
    a.inputs.every((position, i) => position === b.inputs[i]) &&
    a.outputs.every(({ owner, token, amount, condition }, i) => {
      const other = b.outputs[i]
      return owner === other?.owner && token === other.token && amount === other.amount && condition === other.condition
    })
  )
}

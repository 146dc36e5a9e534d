/** What the parts of the outbox share within one run, and what one look at L1 showed (docs/spec.md, "The outbox"). */
import type { Abi } from 'viem'
import type { Address, Hex } from '../protocol/bytes.ts'
import type { LifeboatError } from '../protocol/errors.ts'
import type { Database } from '../service/database.ts'
import { isPastDeadline, type L1Moment, type Urgency, urgencyOf } from './outboxFees.ts'
import { type ChangeCode, isClosed, type OutboxChange, type OutboxRow, type StoredIntent } from './outboxIntent.ts'
import type { OutboxBlock, OutboxRpc } from './outboxRpc.ts'
import { type Attempt, attemptsOf, liveRows, type RowPatch, saveRow } from './outboxStore.ts'
import type { Fees } from './reads.ts'

/** What is signed: EIP-1559, and no `to` for a creation. */
export type OutboxTransaction = Readonly<{
  type: 'eip1559'
  chainId: number
  nonce: number
  to?: Address
  data: Hex
  value: bigint
  gas: bigint
  maxFeePerGas: bigint
  maxPriorityFeePerGas: bigint
}>

/** A viem LocalAccount is one. */
export type OutboxSigner = Readonly<{ address: Hex; signTransaction(transaction: OutboxTransaction): Promise<Hex> }>

export type OutboxPolicy = Readonly<{
  /** Blocks, the transaction's own included, until it counts. */
  confirmations: number
  /** Blocks until it is not even looked at again after a reorg. At least `confirmations`. */
  finalDepth: number
  /** Blocks without inclusion before the fees are raised; 1 when urgent. */
  bumpBlocks: number
  /** Calls that wait for inclusion at once; urgent ones are not counted. */
  maxInFlight: number
  /** Replace a pending call that has become pointless by a transfer to ourselves when that is cheaper. */
  cancelPointless: boolean
  /** Wei per gas: most of the endpoint's suggested tip that is believed. */
  maxTipPerGas: bigint
  /** First pause after a failure; doubled up to a minute. */
  retryMs: number
  /** A used nonce without a receipt of ours is somebody else's only after this long, since receipts may come late. */
  lostNonceMs: number
}>

export const DEFAULT_POLICY: OutboxPolicy = {
  confirmations: 6,
  finalDepth: 64,
  bumpBlocks: 3,
  maxInFlight: 12,
  cancelPointless: true,
  maxTipPerGas: 50_000_000_000n,
  retryMs: 1_000,
  lostNonceMs: 15_000,
}

export type OutboxContext = Readonly<{
  db: Database
  rpc: OutboxRpc
  signer: OutboxSigner
  sender: Address
  chainId: number
  policy: OutboxPolicy
  errorsAbi: Abi
  isDone: ((intent: StoredIntent) => Promise<boolean>) | undefined
  onStatus: (row: OutboxRow, change: OutboxChange) => void
  onTrouble: (error: LifeboatError) => void
  /** Lost in a crash without harm. */
  memory: {
    /** By row: when to try again. */
    retries: Map<number, { at: number; tries: number }>
    /** By row: since when its nonce is used without a receipt of ours. */
    lostSince: Map<number, number>
    /** Rows whose price the node refused: raise it at once. */
    raise: Set<number>
    /** A nonce below pending ones of ours that nothing of ours fills, and since which block. */
    gap: { nonce: number; sinceBlock: number } | undefined
    /** The key is being given up: no further row is touched. */
    isStopping: boolean
  }
}>

export type L1View = Readonly<{
  head: OutboxBlock
  /** The head differs from the last look's. */
  isNewHead: boolean
  /** The last look's head is not in the chain any more, or there was none. */
  isReorged: boolean
  /** L1 time now: the head's, plus what passed since it was first seen. */
  moment: L1Moment
  /** Nonces used in blocks, and those plus the pool's. */
  minedCount: number
  pendingCount: number
  nowMs: number
  fees(): Promise<Fees>
  balance(): Promise<bigint>
}>

/** A row whose newest transaction waits for inclusion. */
export type InFlight = Readonly<{ row: OutboxRow; nonce: number; newest: Attempt }>

/** In the order of their nonces. */
export function inFlight({ db, sender }: OutboxContext, { minedCount }: L1View): InFlight[] {
  return liveRows(db, sender)
    .flatMap((row) => {
      if (row.nonce === null || row.nonce < minedCount || isClosed(row.status)) return []
      const newest = attemptsOf(db, row.id, row.nonce).at(-1)
      return newest ? [{ row, nonce: row.nonce, newest }] : []
    })
    .sort((a, b) => a.nonce - b.nonce)
}

/** Stores a change and then tells it. */
export function change(
  context: OutboxContext,
  row: OutboxRow,
  code: ChangeCode,
  what: Readonly<{ words: string; patch?: RowPatch; details?: Readonly<Record<string, unknown>> }>,
): OutboxRow {
  const { words, patch = {}, details = {} } = what
  const next = saveRow(context.db, row.id, { ...patch, code, words })
  context.onStatus(next, { code, from: row.status, to: next.status, words, details })
  return next
}

/** The same, unless it was the last change already: what is tried again and again is told once. */
export function changeOnce(
  context: OutboxContext,
  row: OutboxRow,
  code: ChangeCode,
  what: Parameters<typeof change>[3],
): OutboxRow {
  const isRepeated = row.code === code && row.status === (what.patch?.status ?? row.status)
  const isSameReason = code !== 'reverting' || row.words === what.words
  return isRepeated && isSameReason ? row : change(context, row, code, what)
}

export function urgencyNow({ intent, openedAt }: OutboxRow, { moment }: L1View): Urgency {
  return urgencyOf(intent, openedAt ?? moment, moment)
}

export function isLate({ intent }: OutboxRow, { head }: L1View): boolean {
  return isPastDeadline(intent.deadline, { timestamp: head.timestamp, block: head.number })
}

/** Leaves the row alone for a while that doubles with every call. */
export function postpone(context: OutboxContext, row: OutboxRow, view: L1View): void {
  putOff(context, row, view, (context.memory.retries.get(row.id)?.tries ?? 0) + 1)
}

/** Twice as long with every try. */
export function putOff({ memory, policy }: OutboxContext, row: OutboxRow, view: L1View, tries: number): void {
  const most = urgencyNow(row, view) === 'urgent' ? 5_000 : 60_000
  memory.retries.set(row.id, { at: view.nowMs + Math.min(most, policy.retryMs * 2 ** (tries - 1)), tries })
}

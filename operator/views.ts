/** What the API reads from the operator's store (docs/spec.md section 11), in the shapes of api/schemas.ts. Never writes. */

import type {
  Activity,
  BlockSummary,
  ExitData,
  HistoryPage,
  OutputsPage,
  OwnedOutput,
  Stage,
  TransactionStatus,
} from '../api/schemas.ts'
import { DEFAULT_PAGE } from '../api/schemas.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { decodeTransaction, joinBody } from '../protocol/codec.ts'
import { retryable } from '../protocol/errors.ts'
import { keccak256Hex } from '../protocol/keccak.ts'
import { decodePosition, isDepositPosition, outputIdAt, transactionPosition } from '../protocol/position.ts'
import { createOutput, type Output } from '../protocol/transaction.ts'
import type { Database } from '../service/database.ts'
import { readPath } from './blockLog.ts'
import { toAddress, toAmount, toBlob, toHash, toRoot } from './columns.ts'
import { ACTIVITY_KINDS, type ActivityKind, type Journal } from './journal.ts'
import type { L1View } from './l1View.ts'
import type { Ledger } from './ledger.ts'
import type { Pending } from './pending.ts'
import type { TransactionLog } from './transactionLog.ts'

/** Rows looked at for one page, so that dust of other tokens cannot make a page expensive; a page may come out short. */
const MAX_SCAN = 10_000

export type PageOf = Readonly<{ cursor?: number | undefined; limit?: number | undefined }>

export type Views = Readonly<{
  transaction(txHash: Hash): TransactionStatus | undefined
  block(number: number): BlockSummary | undefined
  latestBlock(): BlockSummary | undefined
  /** Undefined unless the block is sealed. */
  body(number: number): Uint8Array | undefined
  outputs(owner: Address, page: PageOf & Readonly<{ token?: Address | undefined }>): OutputsPage
  history(owner: Address, page: PageOf): HistoryPage
  /** Account events after `cursor`, oldest first, at most `limit`. */
  activityAfter(owner: Address, cursor: number, limit: number): Activity[]
  blockEventsAfter(cursor: number, limit: number): { cursor: number; event: BlockSummary }[]
  activity(owner: Address, entry: ActivityRow): Activity
  /** Undefined when there is no such output. Throws NOT_COMMITTED (retryable). */
  exitData(position: number): ExitData | undefined
}>

export type ActivityRow = Readonly<{ seq: number; kind: ActivityKind; position: number }>

export type ViewSources = Readonly<{
  db: Database
  transactions: TransactionLog
  pending: Pending
  journal: Journal
  ledger: Ledger
  view: L1View
  openAnchor: () => number
}>
type Reader = ViewSources & Readonly<{ rows: ReturnType<typeof prepareStatements> }>

export function createViews(options: ViewSources): Views {
  const reader: Reader = { ...options, rows: prepareStatements(options.db) }
  const { rows } = reader
  const summarise = (row: BlockRow | undefined) => row && toSummary(row, reader)
  return {
    transaction: (txHash) => readTransaction(reader, txHash),
    block: (number) => summarise(rows.block.get(number)),
    latestBlock: () => summarise(rows.latest.get()),
    body: (number) => readBody(reader, number),
    outputs: (owner, page) => readOutputs(reader, owner, page),
    history: (owner, page) => readHistory(reader, owner, page),
    activity: (owner, entry) => toActivity(reader, owner, entry),
    activityAfter: (owner, cursor, limit) => {
      const stored = rows.activityAfter.all(toBlob(owner), cursor, limit).map(toEntry)
      const unfolded = reader.journal.unfoldedOf(owner).filter(({ seq }) => seq > cursor)
      return [...stored, ...unfolded].slice(0, limit).map((entry) => toActivity(reader, owner, entry))
    },
    blockEventsAfter: (cursor, limit) =>
      rows.blockEventsAfter.all(cursor, limit).flatMap(({ seq, number, stage }) => {
        const summary = summarise(rows.block.get(number))
        return summary ? [{ cursor: seq, event: atStage(summary, stage) }] : []
      }),
    exitData: (position) => readExitData(reader, position),
  }
}

/** A block event as it was: what came later is not in it. */
export function atStage({ submission, ...rest }: BlockSummary, stage: Stage): BlockSummary {
  return submission && (stage === 'committed' || stage === 'final')
    ? { ...rest, stage, submission }
    : { ...rest, stage }
}

type BlockRow = {
  number: number
  anchor: number
  anchor_hash: Uint8Array
  tx_count: number
  root: Uint8Array | null
  l1_block: number | null
  l1_hash: Uint8Array | null
  timestamp_seconds: number | null
}
type OutputRow = {
  position: number
  token: Uint8Array
  amount: Uint8Array
  deposited_at: number | null
  locked: number
}

function prepareStatements(db: Database) {
  const block = `SELECT number, anchor, anchor_hash, tx_count, root, l1_block, l1_hash, timestamp_seconds FROM blocks
    WHERE sealed_at IS NOT NULL`
  return {
    block: db.prepare<[number], BlockRow>(`${block} AND number = ?`),
    latest: db.prepare<[], BlockRow>(`${block} ORDER BY number DESC LIMIT 1`),
    outputs: db.prepare<[Uint8Array, number, number], OutputRow>(
      `SELECT position, token, amount, deposited_at, EXISTS (SELECT 1 FROM locks WHERE locks.position = outputs.position) OR EXISTS (SELECT 1 FROM batch_locks
         WHERE batch_locks.position = outputs.position AND batch_locks.token = outputs.token AND batch_locks.amount = outputs.amount
           AND coalesce(outputs.deposited_at < batch_locks.locked_at, TRUE)) AS locked
       FROM outputs WHERE owner = ? AND spent_by IS NULL AND position > ? ORDER BY position LIMIT ?`,
    ),
    activityBefore: db.prepare<[Uint8Array, number, number], { seq: number; kind: number; position: number }>(
      'SELECT seq, kind, position FROM activity WHERE owner = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
    ),
    activityAfter: db.prepare<[Uint8Array, number, number], { seq: number; kind: number; position: number }>(
      'SELECT seq, kind, position FROM activity WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?',
    ),
    blockEventsAfter: db.prepare<[number, number], { seq: number; number: number; stage: Stage }>(
      'SELECT seq, number, stage FROM block_events WHERE seq > ? ORDER BY seq LIMIT ?',
    ),
  }
}

function toSummary(row: BlockRow, { view }: Reader): BlockSummary {
  const isCommitted = row.l1_block !== null
  const stage = !isCommitted ? 'sealed' : (row.l1_block as number) <= view.finalNumber() ? 'final' : 'committed'
  return {
    number: row.number,
    stage,
    root: toRoot(row.root),
    txCount: row.tx_count,
    anchor: row.anchor,
    anchorHash: toHash(row.anchor_hash),
    ...(row.l1_block !== null && row.l1_hash && row.timestamp_seconds !== null
      ? { submission: { l1Block: row.l1_block, l1BlockHash: toHash(row.l1_hash), timestamp: row.timestamp_seconds } }
      : {}),
  }
}

function readTransaction(reader: Reader, txHash: Hash): TransactionStatus | undefined {
  const position = reader.pending.positionOf(toBlob(txHash))
  const row = position === undefined ? undefined : reader.transactions.at(position)
  if (!row) return undefined
  const block = reader.rows.block.get(decodePosition(row.position).block)
  const stage = block ? toSummary(block, reader).stage : 'accepted'
  return { txHash, position: row.position, stage, ...decodeTransaction(row.body) }
}

function readBody({ rows, transactions }: Reader, number: number): Uint8Array | undefined {
  const block = rows.block.get(number)
  if (!block) return undefined
  return joinBody({ block: number, anchor: block.anchor, transactions: transactions.bodiesOf(number) })
}

function readOutputs(
  reader: Reader,
  owner: Address,
  { token, cursor = -1, limit = DEFAULT_PAGE }: PageOf & Readonly<{ token?: Address | undefined }>,
): OutputsPage {
  const outputs: OwnedOutput[] = []
  let scanned = 0
  let last = cursor
  for (const row of reader.rows.outputs.iterate(toBlob(owner), cursor, MAX_SCAN)) {
    if (outputs.length === limit) return { outputs, nextCursor: last }
    scanned++
    last = row.position
    if (reader.ledger.isSpentSinceFold(row.position)) continue
    const found = toAddress(row.token)
    const isPending = row.deposited_at !== null && row.deposited_at > reader.openAnchor()
    const state = row.locked ? 'exiting' : isPending ? 'pending' : 'unspent'
    const { position } = row
    if (token === undefined || found === token)
      outputs.push(toOwned({ position, token: found, amount: toAmount(row.amount), state }, reader))
  }
  if (scanned === MAX_SCAN) return { outputs, nextCursor: last }
  // Younger than everything in the table, which is level with the log whenever a deposit is added.
  for (const output of reader.ledger.unfoldedOf(owner)) {
    if (output.position <= cursor || (token !== undefined && output.token !== token)) continue
    if (outputs.length === limit) return { outputs, nextCursor: last }
    last = output.position
    outputs.push(toOwned({ ...output, state: 'unspent' }, reader))
  }
  return { outputs }
}

function toOwned(output: Omit<OwnedOutput, 'outputId'>, reader: Reader): OwnedOutput {
  return { ...output, outputId: outputIdOfPosition(output.position, reader) }
}

function outputIdOfPosition(position: number, { transactions }: Reader): Hash {
  const hash = isDepositPosition(position) ? undefined : transactions.at(transactionPosition(position))?.txHash
  return outputIdAt(position, hash ? toHash(hash) : '0x')
}

function readHistory(reader: Reader, owner: Address, { cursor, limit = DEFAULT_PAGE }: PageOf): HistoryPage {
  const before = cursor ?? Number.MAX_SAFE_INTEGER
  const unfolded = reader.journal.unfoldedOf(owner).filter(({ seq }) => seq < before)
  const stored = reader.rows.activityBefore.all(toBlob(owner), before, limit + 1).map(toEntry)
  const found: ActivityRow[] = [...unfolded.toReversed(), ...stored]
  const rows = found.slice(0, limit)
  const entries = rows.map((row) => toActivity(reader, owner, row))
  return found.length > limit ? { entries, nextCursor: (rows.at(-1) as { seq: number }).seq } : { entries }
}

function toEntry({ seq, kind, position }: { seq: number; kind: number; position: number }): ActivityRow {
  return { seq, kind: ACTIVITY_KINDS[kind] as ActivityKind, position }
}

function toActivity(reader: Reader, owner: Address, { seq, kind, position }: ActivityRow): Activity {
  if (kind === 'payment') return toPayment(reader, owner, { seq, kind, position })
  const output = reader.ledger.find(position)
  const isGain = kind === 'deposit' || kind === 'exit-dropped'
  const change = output && { token: output.token, change: isGain ? output.amount : -output.amount }
  return { cursor: seq, kind, position, changes: change ? [change] : [], parties: [] }
}

function toPayment({ transactions, ledger }: Reader, owner: Address, { seq, kind, position }: ActivityRow): Activity {
  const row = transactions.at(position)
  if (!row) return { cursor: seq, kind, position, changes: [], parties: [] }
  const { transaction } = decodeTransaction(row.body)
  const changes = new Map<Address, bigint>()
  const parties = new Set<Address>()
  const count = ({ owner: party, token, amount }: Pick<Output, 'owner' | 'token' | 'amount'>, sign: bigint) => {
    if (party === owner) changes.set(token, (changes.get(token) ?? 0n) + sign * amount)
    else parties.add(party)
  }
  for (const input of transaction.inputs) {
    const spent = ledger.find(input)
    if (spent) count(spent, -1n)
  }
  for (const output of transaction.outputs) count(output, 1n)
  return {
    cursor: seq,
    kind,
    position,
    txHash: toHash(row.txHash),
    memo: transaction.memo,
    changes: [...changes].map(([token, change]) => ({ token, change })),
    parties: [...parties],
  }
}

function readExitData(reader: Reader, position: number): ExitData | undefined {
  const output = reader.ledger.find(position)
  if (!output) return undefined
  const { owner, token, amount, depositedAt } = output
  const shared = { position, output: createOutput(owner, token, amount) }
  if (isDepositPosition(position)) {
    return { kind: 'deposit', ...shared, outputId: outputIdAt(position, '0x'), l1Block: depositedAt ?? 0 }
  }
  const row = reader.transactions.at(transactionPosition(position))
  const { block: number, index } = decodePosition(position)
  const block = reader.rows.block.get(number)
  if (!row || !block || block.timestamp_seconds === null) throw notCommitted(position, number)
  const { transaction, witnesses } = decodeTransaction(row.body)
  return {
    kind: 'transaction',
    ...shared,
    outputId: outputIdAt(position, toHash(row.txHash)),
    txHash: toHash(row.txHash),
    transaction,
    header: {
      root: toRoot(block.root),
      timestamp: block.timestamp_seconds,
      txCount: block.tx_count,
      anchor: block.anchor,
    },
    proof: {
      witnessesHash: keccak256Hex(witnesses),
      path: readPath(reader.db, number, block.tx_count, index).map(bytesToHex),
    },
  }
}

function notCommitted(position: number, block: number) {
  return retryable('NOT_COMMITTED', 'the block of this output is not on L1 yet; try again', {
    got: { position, block },
    want: 'a block on L1',
  })
}

/**
 * The outbox's rows in the caller's own database (docs/spec.md, "The outbox"): an act is enqueued in the same transaction as the
 * state that asks for it. Every signed transaction is stored before it is sent, and none is ever forgotten while its row is open.
 */
import { type Address, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { keccak256Hex } from '../protocol/keccak.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { Offer } from './outboxFees.ts'
import {
  CLOSED_STATUSES,
  type Ending,
  type Intent,
  isClosed,
  type OutboxRow,
  parseIntent,
  type RowStatus,
  type Settlement,
  type StoredIntent,
} from './outboxIntent.ts'

/** One signed transaction. `cancel` transfers 0 to ourselves, so that the nonce is used up without the act. */
export type Attempt = Offer &
  Readonly<{
    hash: Hash
    rowId: number
    nonce: number
    kind: 'act' | 'cancel'
    /** 0x once the row is final. */
    raw: Hex
    gas: bigint
    valueWei: bigint
    /** L1 block after which it was sent. */
    sentBlock: number
  }>

export type RowPatch = Partial<Omit<OutboxRow, 'id' | 'intent'>>

/** A migration of service/database.ts. May run again. */
export function migrateOutbox(db: Database): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS outbox_chain (id INTEGER PRIMARY KEY CHECK (id = 1), chain_id INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS outbox_rows (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT NOT NULL UNIQUE,
      payload_hash TEXT NOT NULL,
      intent TEXT NOT NULL,
      status TEXT NOT NULL DEFAULT 'queued',
      code TEXT NOT NULL DEFAULT 'queued',
      words TEXT NOT NULL DEFAULT '',
      final INTEGER NOT NULL DEFAULT 0,
      sender TEXT,
      nonce INTEGER,
      ending TEXT,
      opened_at TEXT,
      spent_wei TEXT NOT NULL DEFAULT '0',
      reverts INTEGER NOT NULL DEFAULT 0,
      since_block INTEGER,
      settled TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS outbox_rows_live ON outbox_rows (id) WHERE final = 0;
    CREATE TABLE IF NOT EXISTS outbox_attempts (
      hash TEXT PRIMARY KEY,
      row_id INTEGER NOT NULL REFERENCES outbox_rows (id),
      seq INTEGER NOT NULL,
      nonce INTEGER NOT NULL,
      kind TEXT NOT NULL,
      raw TEXT NOT NULL,
      gas TEXT NOT NULL,
      max_fee TEXT NOT NULL,
      priority_fee TEXT NOT NULL,
      value_wei TEXT NOT NULL,
      sent_block INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS outbox_attempts_row ON outbox_attempts (row_id, seq);
  `)
}

export type Enqueued = Readonly<{ inserted: boolean; row: OutboxRow }>

/**
 * Asks for an act, inside the caller's transaction if there is one. The same key again with the same payload (to, data, value) is no
 * second act: it renews the terms (deadline, budget, ...) of an open row, and opens an expired or failed one again when its deadline
 * is later than before. Throws INTENT_INVALID; OUTBOX_KEY_REUSED when the payload differs.
 */
export function enqueue(db: Database, intent: Intent): Enqueued {
  return put(db, intent, 'refuse')
}

/**
 * Like `enqueue`, but the payload of a row that is not done may change too. What was sent already keeps its nonce and is replaced by the
 * new payload under that same nonce, so that only one of the two takes effect.
 */
export function amend(db: Database, intent: Intent): Enqueued {
  return put(db, intent, 'replace')
}

/**
 * Opens a closed act again that is not confirmed, for a caller who knows better: somebody else's success was not one. Returns whether it
 * is open now. It still expires at its deadline.
 */
export function reopen(db: Database, key: string): boolean {
  return inTransaction(db, () => {
    const row = readRow(db, key)
    if (!row || row.status === 'confirmed') return false
    if (isClosed(row.status)) openAgain(db, row)
    return true
  })
}

function openAgain(db: Database, row: OutboxRow): void {
  patchRow(db, row.id, {
    status: 'queued',
    code: 'reopened',
    final: false,
    openedAt: null,
    sinceBlock: null,
    ending: null,
  })
}

function put(db: Database, given: Intent, onDifference: 'refuse' | 'replace'): Enqueued {
  const intent = parseIntent(given)
  return inTransaction(db, () => {
    const known = readRow(db, intent.key)
    if (!known) {
      const insert = db.prepare('INSERT INTO outbox_rows (key, payload_hash, intent) VALUES (?, ?, ?)')
      insert.run(intent.key, payloadHash(intent), intentToJson(intent))
      return { inserted: true, row: readRow(db, intent.key) as OutboxRow }
    }
    if (onDifference === 'refuse') assertSamePayload(known.intent, intent)
    renew(db, known, intent)
    return { inserted: false, row: readRow(db, intent.key) as OutboxRow }
  })
}

function assertSamePayload(known: StoredIntent, intent: StoredIntent): void {
  if (payloadHash(known) === payloadHash(intent)) return
  const shown = ({ to, data, valueWei }: StoredIntent) => ({ to, valueWei, data: excerpt(data) })
  throw invalid('OUTBOX_KEY_REUSED', `outbox key ${intent.key} already stands for another act`, {
    key: intent.key,
    got: shown(intent),
    want: shown(known),
  })
}

function renew(db: Database, row: OutboxRow, intent: StoredIntent): void {
  const json = intentToJson(intent)
  if (row.status === 'confirmed' || row.status === 'done-by-other' || json === intentToJson(row.intent)) return
  const isLater = endOf(intent) > endOf(row.intent)
  if (isClosed(row.status) && !isLater) return
  const set = db.prepare('UPDATE outbox_rows SET intent = ?, payload_hash = ? WHERE id = ?')
  set.run(json, payloadHash(intent), row.id)
  if (isClosed(row.status)) openAgain(db, row)
  else if (row.ending === 'expired' && isLater) patchRow(db, row.id, { ending: 'queued' })
}

function endOf({ deadline }: StoredIntent): number {
  return 'timestamp' in deadline ? deadline.timestamp : deadline.block
}

export function readRow(db: Database, key: string): OutboxRow | undefined {
  const found = db.prepare('SELECT * FROM outbox_rows WHERE key = ?').get(key) as RawRow | undefined
  return found && parseRow(found)
}

/** Oldest first. `open`: without the closed ones. */
export function listRows(db: Database, which: 'all' | 'open' = 'all'): OutboxRow[] {
  const closed = CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')
  const where = which === 'open' ? `WHERE status NOT IN (${closed})` : ''
  return (db.prepare(`SELECT * FROM outbox_rows ${where} ORDER BY id`).all() as RawRow[]).map(parseRow)
}

/** Open rows whose keys begin so, of which nothing was sent yet. */
export function unsentRows(db: Database, prefix: string): OutboxRow[] {
  const closed = CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')
  const found = db.prepare(
    `SELECT * FROM outbox_rows WHERE nonce IS NULL AND status NOT IN (${closed}) AND substr(key, 1, ?) = ? ORDER BY id`,
  )
  return (found.all(prefix.length, prefix) as RawRow[]).map(parseRow)
}

/** Rows that still need looking after, oldest first: nobody's yet, or this sender's. */
export function liveRows(db: Database, sender: Address): OutboxRow[] {
  const live = db.prepare('SELECT * FROM outbox_rows WHERE final = 0 AND (sender IS NULL OR sender = ?) ORDER BY id')
  return (live.all(sender) as RawRow[]).map(parseRow)
}

/** Of the present nonce, oldest first; all of them with `nonce` undefined. */
export function attemptsOf(db: Database, rowId: number, nonce?: number): Attempt[] {
  const all = db.prepare('SELECT * FROM outbox_attempts WHERE row_id = ? ORDER BY seq').all(rowId) as RawAttempt[]
  return all.map(parseAttempt).filter((attempt) => nonce === undefined || attempt.nonce === nonce)
}

export function saveRow(db: Database, rowId: number, patch: RowPatch): OutboxRow {
  return inTransaction(db, () => {
    patchRow(db, rowId, patch)
    if (patch.final) db.prepare("UPDATE outbox_attempts SET raw = '0x' WHERE row_id = ?").run(rowId)
    return parseRow(db.prepare('SELECT * FROM outbox_rows WHERE id = ?').get(rowId) as RawRow)
  })
}

/**
 * The signed transaction and the row's new state, both or neither. To be called before it is sent. After a reorg the very same transaction may
 * be signed again, for its row, or to give up a nonce that another row had before: it is the newest attempt of whoever sends it now.
 */
export function saveAttempt(db: Database, attempt: Attempt, patch: RowPatch): OutboxRow {
  return inTransaction(db, () => {
    const { hash, rowId, nonce, kind, raw, gas, maxFeePerGas, priorityFeePerGas, valueWei, sentBlock } = attempt
    db.prepare(
      `INSERT INTO outbox_attempts (hash, row_id, seq, nonce, kind, raw, gas, max_fee, priority_fee, value_wei, sent_block)
       VALUES (?, ?, (SELECT count(*) FROM outbox_attempts WHERE row_id = ?), ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET row_id = excluded.row_id, seq = excluded.seq, raw = excluded.raw, sent_block = excluded.sent_block`,
    ).run(
      hash,
      rowId,
      rowId,
      nonce,
      kind,
      raw,
      ...[gas, maxFeePerGas, priorityFeePerGas, valueWei].map(String),
      sentBlock,
    )
    return saveRow(db, rowId, patch)
  })
}

/** Ties the rows to a chain. Throws OUTBOX_CHAIN_CHANGED when they belong to another one. */
export function claimChain(db: Database, chainId: number): void {
  const known = db.prepare('SELECT chain_id AS chainId FROM outbox_chain').get() as { chainId: number } | undefined
  if (!known) {
    inTransaction(db, () => db.prepare('INSERT INTO outbox_chain (id, chain_id) VALUES (1, ?)').run(chainId))
  } else if (known.chainId !== chainId) {
    throw invalid('OUTBOX_CHAIN_CHANGED', `the outbox in ${db.name} belongs to another chain`, {
      got: chainId,
      want: known.chainId,
    })
  }
}

const COLUMN_OF = {
  status: 'status',
  code: 'code',
  words: 'words',
  final: 'final',
  sender: 'sender',
  nonce: 'nonce',
  ending: 'ending',
  openedAt: 'opened_at',
  spentWei: 'spent_wei',
  reverts: 'reverts',
  sinceBlock: 'since_block',
  settled: 'settled',
} as const

function patchRow(db: Database, rowId: number, patch: RowPatch): void {
  const fields = Object.keys(patch) as (keyof RowPatch)[]
  if (fields.length === 0) return
  const assignments = fields.map((field) => `${COLUMN_OF[field]} = ?`).join(', ')
  db.prepare(`UPDATE outbox_rows SET ${assignments} WHERE id = ?`).run(
    ...fields.map((field) => toColumn(patch[field])),
    rowId,
  )
}

function toColumn(value: RowPatch[keyof RowPatch]): string | number | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object')
    return JSON.stringify('feeWei' in value ? { ...value, feeWei: value.feeWei.toString() } : value)
  return value
}

type RawRow = Readonly<{
  id: number
  intent: string
  status: string
  code: string
  words: string
  final: number
  sender: string | null
  nonce: number | null
  ending: string | null
  opened_at: string | null
  spent_wei: string
  reverts: number
  since_block: number | null
  settled: string | null
}>

function parseRow(raw: RawRow): OutboxRow {
  const settled = raw.settled === null ? null : (JSON.parse(raw.settled) as Settlement & { feeWei: string })
  return {
    id: raw.id,
    intent: intentOfJson(raw.intent),
    status: raw.status as RowStatus,
    code: raw.code,
    words: raw.words,
    final: raw.final === 1,
    sender: raw.sender as Address | null,
    nonce: raw.nonce,
    ending: raw.ending as Ending | null,
    openedAt: raw.opened_at === null ? null : (JSON.parse(raw.opened_at) as { timestamp: number; block: number }),
    spentWei: BigInt(raw.spent_wei),
    reverts: raw.reverts,
    sinceBlock: raw.since_block,
    settled: settled && { ...settled, feeWei: BigInt(settled.feeWei) },
  }
}

type RawAttempt = Readonly<{
  hash: string
  row_id: number
  nonce: number
  kind: string
  raw: string
  gas: string
  max_fee: string
  priority_fee: string
  value_wei: string
  sent_block: number
}>

function parseAttempt(stored: RawAttempt): Attempt {
  return {
    hash: stored.hash as Hash,
    rowId: stored.row_id,
    nonce: stored.nonce,
    kind: stored.kind as Attempt['kind'],
    raw: stored.raw as Hex,
    gas: BigInt(stored.gas),
    maxFeePerGas: BigInt(stored.max_fee),
    priorityFeePerGas: BigInt(stored.priority_fee),
    valueWei: BigInt(stored.value_wei),
    sentBlock: stored.sent_block,
  }
}

/** One text for one intent: fields in fixed order, amounts as decimal strings. */
function intentToJson(intent: StoredIntent): string {
  return JSON.stringify({
    key: intent.key,
    to: intent.to,
    data: intent.data,
    valueWei: intent.valueWei.toString(),
    gasLimit: intent.gasLimit?.toString(),
    deadline: intent.deadline,
    notBefore: intent.notBefore,
    budgetWei: intent.budgetWei.toString(),
    urgency: intent.urgency,
    purpose: intent.purpose,
    doneErrors: intent.doneErrors,
    doneWhen: intent.doneWhen,
    onRevert: intent.onRevert,
  })
}

function intentOfJson(text: string): StoredIntent {
  const { valueWei, budgetWei, gasLimit, ...rest } = JSON.parse(text)
  const amounts = { valueWei: BigInt(valueWei), budgetWei: BigInt(budgetWei) }
  return { ...rest, ...amounts, ...(gasLimit !== undefined && { gasLimit: BigInt(gasLimit) }) }
}

function payloadHash({ to, data, valueWei }: StoredIntent): Hash {
  return keccak256Hex(new TextEncoder().encode(`${to ?? 'create'}:${valueWei}:${keccak256Hex(hexToBytes(data))}`))
}

function excerpt(data: Hex): string {
  return data.length > 80 ? `${data.slice(0, 80)}... (${(data.length - 2) / 2} bytes)` : data
}

/**
 * Mass exits on L1 as they concern the operator (docs/spec.md sections 4.2 and 6.4). From a batch's lock on every output that its entries name
 * is locked; an entry names what stands at its position only if token and amount agree and a deposit was there before the lock, which is
 * asked of each output when it is read. The lock's event does not repeat the entries: they are kept from the start.
 */
import type { BatchEventBody } from '../l1/massExitContract.ts'
import type { Hash } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { decodeEntries, type EntryFormat, encodeEntries } from '../protocol/massExit.ts'
import type { Database } from '../service/database.ts'
import { toAddress, toAmountBlob, toBlob } from './columns.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'

export type Batches = Readonly<{
  /** Keeps the entries; inside the caller's store transaction, as the next two. */
  started(event: Extract<BatchEventBody, { type: 'BatchStarted' }>, l1Block: number): void
  /** Locks what the entries name. Returns how many outputs that are known here. */
  locked(event: Extract<BatchEventBody, { type: 'BatchLocked' }>, l1Block: number): number
  /** An L1 reorg took back what came after this block. The caller forgets what the ledger remembers. */
  takeBack(ancestor: number): void
}>

/** How they are kept: every one has room. */
const FORMAT: EntryFormat = { base: 0, positionBytes: 7, amountBytes: 16 }

export function createBatches({
  db,
  ledger,
  journal,
}: Readonly<{ db: Database; ledger: Ledger; journal: Journal }>): Batches {
  const insert = db.prepare('INSERT OR REPLACE INTO batches (batch_id, token, entries, l1_block) VALUES (?, ?, ?, ?)')
  const select = db.prepare<[Uint8Array], { token: Uint8Array; entries: Uint8Array }>(
    'SELECT token, entries FROM batches WHERE batch_id = ?',
  )
  const insertLock = db.prepare(
    'INSERT OR IGNORE INTO batch_locks (position, batch_id, token, amount, locked_at, l1_block) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const dropLocks = db.prepare<[number], { position: number; token: Uint8Array; amount: Uint8Array }>(
    'DELETE FROM batch_locks WHERE l1_block > ? RETURNING position, token, amount',
  )
  const drop = db.prepare('DELETE FROM batches WHERE l1_block > ?')

  function rowOf(batchId: Hash) {
    const row = select.get(toBlob(batchId))
    // The root contract tells of the start before the lock.
    if (!row) throw bug('BATCH_MISSING', 'a mass exit is locked that never started', { got: batchId })
    return row
  }

  return {
    started: ({ batchId, batch, entries }, l1Block) => {
      insert.run(toBlob(batchId), toBlob(batch.token), encodeEntries(entries, FORMAT), l1Block)
    },
    locked: ({ batchId, item }, l1Block) => {
      const { token, entries } = rowOf(batchId)
      let named = 0
      for (const { position, amount } of decodeEntries(entries, FORMAT)) {
        insertLock.run(position, toBlob(batchId), token, toAmountBlob(amount), item.lockedAt, l1Block)
        ledger.forget(position)
        const output = ledger.find(position)
        if (!output || output.amount !== amount || output.token !== toAddress(token)) continue
        named++
        journal.account(output.owner, 'exit-started', position)
      }
      return named
    },
    takeBack: (ancestor) => {
      for (const { position, token, amount } of dropLocks.all(ancestor)) {
        const output = ledger.find(position)
        if (!output || output.token !== toAddress(token) || !toAmountBlob(output.amount).equals(amount)) continue
        journal.account(output.owner, 'exit-dropped', position)
      }
      drop.run(ancestor)
    },
  }
}

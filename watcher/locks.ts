/**
 * Locks by position (docs/spec.md section 4.2), as the exits, disputes and locked mass exits that stand on L1 say. L1 keys them by output; here a lock is
 * worked out anew from the rows whenever one of them changes or an output appears, so that events and blocks may come in any order and an
 * L1 reorg takes back exactly what it dropped. The same output never gets two different locks: L1 keeps the first.
 */
import type { Hash } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import type { Ledger } from './ledger.ts'

type Range = [from: number, to: number, from: number, to: number, from: number, to: number]

/**
 * Batches, their entries, and the outputs that these name: an entry names what agrees with it in position, token and amount. Of deposits only
 * those that were there when the batch was locked.
 */
export const NAMED = `
  FROM batch_entries JOIN batches ON batches.id = batch_entries.batch
    JOIN outputs ON outputs.position = batch_entries.position AND outputs.amount = batch_entries.amount
      AND coalesce(outputs.deposited_at < batches.locked_at, TRUE)
    JOIN addresses ON addresses.id = outputs.token AND addresses.address = batches.token`

export type Locks = ReturnType<typeof createLocks>

export function createLocks(db: Database, ledger: Ledger) {
  const selectAt = db.prepare<[number, number, number], { locked_at: number | null }>(`
    SELECT min(locked_at) AS locked_at FROM (
      SELECT locked_at FROM exits WHERE position = ?
      UNION ALL SELECT locked_at FROM dispute_inputs WHERE position = ?
      UNION ALL SELECT batches.locked_at ${NAMED} WHERE batch_entries.position = ? AND batches.locked_at IS NOT NULL)`)
  const selectKept = db.prepare<[string, string], { locked_at: number | null }>(`
    SELECT min(locked_at) AS locked_at FROM (
      SELECT locked_at FROM exits WHERE output_id = ?
      UNION ALL SELECT locked_at FROM dispute_inputs WHERE output_id = ?)`)
  const selectRange = db.prepare<Range, { position: number; locked_at: number }>(`
    SELECT position, min(locked_at) AS locked_at FROM (
      SELECT position, locked_at FROM exits WHERE position >= ? AND position < ?
      UNION ALL SELECT position, locked_at FROM dispute_inputs WHERE position >= ? AND position < ?
      UNION ALL SELECT batch_entries.position, batches.locked_at ${NAMED}
        WHERE batch_entries.position >= ? AND batch_entries.position < ? AND batches.locked_at IS NOT NULL)
    GROUP BY position`)

  return {
    /** After a row of this position came, changed or went. */
    settle(position: number): void {
      ledger.lock(position, selectAt.get(position, position, position)?.locked_at ?? undefined)
    },

    /**
     * The L1 block of the lock that L1 keeps with the output itself: by an exit or a dispute, wherever that says the output stands. What a mass
     * exit locks L1 finds out from its entries.
     */
    keptAt(outputId: Hash): number | undefined {
      return selectKept.get(outputId, outputId)?.locked_at ?? undefined
    },

    /** After these outputs appeared: what L1 locked before. */
    apply(from: number, to: number): void {
      for (const { position, locked_at } of selectRange.all(from, to, from, to, from, to))
        ledger.lock(position, locked_at)
    },
  }
}

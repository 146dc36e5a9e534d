/**
 * Attempts at one act (docs/honest-watcher.md, "How it decides"): one that failed, or that somebody undid, is tried again under a key of its
 * own. Whether it was done at all is asked of all of them.
 */
import { isClosed } from '../l1/outboxIntent.ts'
import { readRow } from '../l1/outboxStore.ts'
import type { Database } from '../service/database.ts'

/** Of the outbox's row. The first attempt is 1. */
export function attemptKey(key: string, attempt: number): string {
  return attempt === 1 ? key : `${key}#${attempt}`
}

/** The act took effect, by us or another, and no L1 reorg takes it back. The outbox's tables are there. */
export function isDoneForGood(db: Database, key: string): boolean {
  for (let attempt = 1; ; attempt++) {
    const row = readRow(db, attemptKey(key, attempt))
    if (!row || !isClosed(row.status)) return false
    if (row.status === 'confirmed' || row.status === 'done-by-other') return row.final
  }
}

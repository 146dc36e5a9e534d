/**
 * The operator's one writer (docs/architecture.md, "Stores"): everything that changes the store runs in `append` or `write`, one
 * transaction each. An acceptance needs the log on disk and no more; anything else stands on tables that are level with the log. What
 * is kept in memory is read again from disk when a transaction fails, so that memory never runs ahead of the disk; what happened is
 * published only after the commit.
 */
import { type Database, inTransaction } from '../service/database.ts'
import type { Journal, JournalEvents } from './journal.ts'
import type { Pending } from './pending.ts'
import type { TransactionLog } from './transactionLog.ts'

export type Store = Readonly<{
  db: Database
  /**
   * For admission: what `work` takes is in the log, synced to disk, when it returns; its effects on the other tables may be in memory
   * still. Throws what `work` and the disk throw, nothing written.
   */
  append<T>(work: () => T): T
  /** For everything else: all tables are level with the log when `work` begins and when it returns, synced to disk. Throws like `append`. */
  write<T>(work: () => T): T
}>

export type StoreOptions = Readonly<{
  db: Database
  log: TransactionLog
  pending: Pending
  journal: Journal
  /** Transactions in the log from which `append` folds them into the tables first. */
  foldSize: number
  /** Reads everything kept in memory again. */
  restore(): void
  publish(events: JournalEvents): void
}>

export function createStore({ db, log, pending, journal, foldSize, restore, publish }: StoreOptions): Store {
  /** Memory may say something else than the disk: nothing is judged by it before it has been read again. */
  let isStale = false

  function readAgain(): void {
    isStale = true
    restore()
    isStale = false
  }

  function commit<T>(work: () => T): T {
    if (isStale) readAgain()
    let result: T
    try {
      result = inTransaction(db, work)
    } catch (error) {
      readAgain()
      throw error
    }
    publish(journal.drain())
    return result
  }

  return {
    db,
    append: (work) =>
      commit(() => {
        if (pending.count() >= foldSize) pending.fold()
        const result = work()
        log.flush()
        return result
      }),
    write: (work) =>
      commit(() => {
        pending.fold()
        const result = work()
        log.flush()
        pending.fold()
        return result
      }),
  }
}

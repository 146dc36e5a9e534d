/**
 * The operator's one writer (docs/architecture.md, "Operator"): everything that changes the store runs in `write`, one transaction
 * each. What is kept in memory is read again from disk when a transaction fails, so that memory never runs ahead of the disk; what
 * happened is published only after the commit.
 */
import { type Database, inTransaction } from '../service/database.ts'
import type { Journal, JournalEvents } from './journal.ts'

export type Store = Readonly<{
  db: Database
  /** Runs `work` in one transaction, synced to disk when it returns. Throws what `work` and the disk throw, nothing written. */
  write<T>(work: () => T): T
}>

export type StoreOptions = Readonly<{
  db: Database
  journal: Journal
  /** Reads everything kept in memory again. */
  restore(): void
  publish(events: JournalEvents): void
}>

export function createStore({ db, journal, restore, publish }: StoreOptions): Store {
  return {
    db,
    write: (work) => {
      let result: ReturnType<typeof work>
      try {
        result = inTransaction(db, () => {
          const done = work()
          journal.save()
          return done
        })
      } catch (error) {
        restore()
        throw error
      }
      publish(journal.drain())
      return result
    },
  }
}

/**
 * Folding everything again from what was recorded: L1 events and bodies (docs/architecture.md, "Stores"). The answer to doubts about
 * the derived tables, and the proof in tests that nothing in them is a fact of its own. Blocks are verified again from the stored
 * bodies by the ticks that follow.
 */
import { type Database, inTransaction } from '../service/database.ts'
import { createBatchBook } from './batchBook.ts'
import { createBlockStore } from './blockStore.ts'
import { createDataBook } from './dataBook.ts'
import { createDisputeBook } from './disputeBook.ts'
import { createExitBook } from './exitBook.ts'
import { createJournal } from './journal.ts'
import { createLedger } from './ledger.ts'
import { createLocks } from './locks.ts'
import { createRootLog } from './rootLog.ts'
import { DERIVED_TABLES } from './schema.ts'

/** All or nothing. No core may be running on the database. */
export function rebuild(db: Database, separator: Uint8Array): void {
  inTransaction(db, () => {
    for (const table of DERIVED_TABLES) db.exec(`DELETE FROM ${table}`)
    const journal = createJournal(db)
    const ledger = createLedger(db)
    const blocks = createBlockStore(db, separator, journal)
    const locks = createLocks(db, ledger)
    const disputes = createDisputeBook({ db, ledger, blocks, locks, journal })
    const exits = createExitBook({ db, locks, journal, disputes })
    const batches = createBatchBook({ db, locks, journal })
    const data = createDataBook(db, separator)
    createRootLog({ db, ledger, blocks, exits, disputes, data, batches }).foldAgain()
  })
}

/**
 * One nonce owner for each key (docs/spec.md, "The outbox"): within the process by a registry, between processes that share a
 * database by a file lock, which the system frees when a process dies however it dies.
 */
import Sqlite from 'better-sqlite3'
import type { Address } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import type { Database } from '../service/database.ts'

const owned = new Set<string>()
const ownedDatabases = new WeakSet<Database>()

/** Takes the key and the database until the returned release is called. Throws OUTBOX_KEY_OWNED, OUTBOX_DATABASE_OWNED. */
export function ownKey(db: Database, chainId: number, sender: Address): () => void {
  const name = `${chainId}:${sender}`
  if (owned.has(name)) {
    throw configError('OUTBOX_KEY_OWNED', 'another outbox of this process sends for this key', {
      got: `a second outbox for ${sender} on chain ${chainId}`,
      want: 'one outbox for each key, shared by all who send with it',
    })
  }
  if (ownedDatabases.has(db)) throw databaseOwned(db, 'an outbox of this process')
  const releaseFile = lockFile(db)
  owned.add(name)
  ownedDatabases.add(db)
  let held = true
  return () => {
    if (!held) return
    held = false
    owned.delete(name)
    ownedDatabases.delete(db)
    releaseFile()
  }
}

function lockFile(db: Database): () => void {
  if (db.memory) return () => undefined
  const lock = new Sqlite(`${db.name}.outbox.lock`, { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if ((cause as { code?: unknown }).code === 'SQLITE_BUSY') throw databaseOwned(db, 'another outbox or process')
    throw cause
  }
  return () => {
    lock.close()
  }
}

function databaseOwned(db: Database, got: string) {
  return configError('OUTBOX_DATABASE_OWNED', `${got} is sending from ${db.name}`, {
    got: `a held lock on ${db.name}.outbox.lock`,
    want: 'the other one stopped, or another data directory',
  })
}

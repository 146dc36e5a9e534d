/**
 * A chain in one SQLite file (docs/spec.md, "L1", the embedded L1): blocks as records, state nodes by hash. A block and the
 * nodes it needs are committed together before anybody hears of the block, so a crash at any point leaves a whole chain.
 */
import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { configError, type LifeboatError, retryable } from '../../protocol/errors.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import type { NodeSource } from './nodeDb.ts'
import type { BlockRecord } from './records.ts'
import { type BlockStore, emittedLogs } from './store.ts'

/** "LBL1": tells our files from other SQLite files. */
const APPLICATION_ID = 0x4c424c31
const FORMAT_VERSION = 1
/** Decoded blocks kept at hand. */
const RECORD_CACHE = 2048

const SCHEMA = `
  CREATE TABLE block (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, logs INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX block_logs ON block (number) WHERE logs > 0;
  CREATE TABLE located (hash TEXT PRIMARY KEY, number INTEGER NOT NULL, place INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX located_number ON located (number);
  CREATE TABLE node (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

/**
 * Opens or creates the file. Throws config errors L1_DATA_UNREADABLE, L1_DATA_CORRUPT, L1_DATA_FOREIGN and L1_DATA_NEWER, each
 * naming the file and what to do. `switchTo` throws the retryable L1_DATA_WRITE_FAILED when the disk refuses.
 */
export function openFileStore(file: string): BlockStore & NodeSource {
  const database = openDatabase(file)
  const statements = prepare(database)
  const cache = new Map<number, BlockRecord>()

  function at(number: number): BlockRecord | undefined {
    const cached = cache.get(number)
    if (cached !== undefined) return cached
    const row = statements.at.get(number) as { record: string } | undefined
    if (row === undefined) return undefined
    const record = JSON.parse(row.record) as BlockRecord
    cache.set(number, record)
    for (const oldest of cache.keys()) {
      if (cache.size <= RECORD_CACHE) break
      cache.delete(oldest)
    }
    return record
  }

  const switchTo = database.transaction(
    (ancestor: number, added: readonly BlockRecord[], nodes: ReadonlyMap<string, Uint8Array>) => {
      statements.dropLocated.run(ancestor)
      statements.dropBlocks.run(ancestor)
      for (const [key, value] of nodes) statements.putNode.run(key, value)
      for (const record of added) {
        statements.putBlock.run(record.number, record.hash, emittedLogs(record) ? 1 : 0, JSON.stringify(record))
        record.transactions.forEach(({ rpc }, index) => {
          statements.putLocated.run(rpc.hash, record.number, index)
        })
      }
    },
  )

  return {
    head: () => (statements.head.get() as { head: number | null }).head ?? -1,
    at,
    numberOf: (hash) => (statements.numberOf.get(hash) as { number: number } | undefined)?.number,
    locate(hash) {
      const row = statements.locate.get(hash) as { number: number; place: number } | undefined
      return row === undefined ? undefined : { blockNumber: row.number, index: row.place }
    },
    withLogs: (from, to) => (statements.withLogs.all(from, to) as { number: number }[]).map((row) => row.number),
    switchTo(ancestor, added, nodes) {
      guardWrite(file, () => switchTo.immediate(ancestor, added, nodes))
      for (const number of [...cache.keys()]) if (number > ancestor) cache.delete(number)
    },
    setting: (name) => (statements.setting.get(name) as { value: string } | undefined)?.value,
    setSetting(name, value) {
      guardWrite(file, () => statements.setSetting.run(name, value))
    },
    node(key) {
      const row = statements.node.get(key) as { value: Buffer } | undefined
      if (row === undefined) return undefined
      const value = new Uint8Array(row.value)
      // Keys are hashes (code has a one-byte prefix before its hash), so a flipped bit on the disk can't become state.
      if (bytesToHex(keccak256(value)).slice(2) !== key.slice(-64))
        throw corruptFile(file, `state node ${key} is damaged`)
      return value
    },
    close() {
      database.close()
    },
  }
}

/**
 * Checks that the blocks from height `from` to the head are there, hash to their own hash (`hashOf` recomputes it) and link.
 * Throws L1_DATA_CORRUPT naming the height.
 */
export function checkLinks(file: string, store: BlockStore, hashOf: (record: BlockRecord) => Hash, from: number): void {
  const head = store.head()
  let parent: BlockRecord | undefined
  for (let number = from; number <= head; number++) {
    const record = readRecord(file, store, number)
    const linked = parent === undefined || record.header.parentHash === parent.hash
    if (record.number !== number || !linked || hashOf(record) !== record.hash) {
      throw corruptFile(file, `block ${number} does not link to its parent or does not hash to its own hash`)
    }
    parent = record
  }
}

function readRecord(file: string, store: BlockStore, number: number): BlockRecord {
  try {
    const record = store.at(number)
    if (record !== undefined) return record
  } catch (cause) {
    throw corruptFile(file, `block ${number} can't be read`, cause)
  }
  throw corruptFile(file, `block ${number} is missing`)
}

function openDatabase(file: string): Database.Database {
  const isNew = !existsSync(file)
  let database: Database.Database | undefined
  try {
    database = new Database(file, { timeout: 1000 })
    // Two nodes on one file would interleave two chains.
    database.pragma('locking_mode = EXCLUSIVE')
    if (isNew || isEmpty(database)) initialise(database)
    checkHeader(database, file)
    const verdict = database.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw corruptFile(file, String(verdict))
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    return database
  } catch (error) {
    database?.close()
    throw describeOpenFailure(file, error)
  }
}

function isEmpty(database: Database.Database): boolean {
  return (
    database.pragma('application_id', { simple: true }) === 0 && database.pragma('page_count', { simple: true }) === 0
  )
}

function initialise(database: Database.Database): void {
  database.transaction(() => {
    database.exec(SCHEMA)
    database.pragma(`application_id = ${APPLICATION_ID}`)
    database.pragma(`user_version = ${FORMAT_VERSION}`)
  })()
}

function checkHeader(database: Database.Database, file: string): void {
  const application = database.pragma('application_id', { simple: true })
  if (application !== APPLICATION_ID) {
    throw configError('L1_DATA_FOREIGN', `${file} is not a data file of the embedded L1; name another file`, {
      got: `application id ${String(application)}`,
      want: APPLICATION_ID,
    })
  }
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > FORMAT_VERSION) {
    throw configError(
      'L1_DATA_NEWER',
      `${file} was written by a newer version; run that version or name another file`,
      {
        got: version,
        want: `at most ${FORMAT_VERSION}`,
      },
    )
  }
}

function prepare(database: Database.Database) {
  return {
    head: database.prepare('SELECT max(number) AS head FROM block'),
    at: database.prepare('SELECT record FROM block WHERE number = ?'),
    numberOf: database.prepare('SELECT number FROM block WHERE hash = ?'),
    locate: database.prepare('SELECT number, place FROM located WHERE hash = ?'),
    withLogs: database.prepare('SELECT number FROM block WHERE logs > 0 AND number BETWEEN ? AND ? ORDER BY number'),
    dropLocated: database.prepare('DELETE FROM located WHERE number > ?'),
    dropBlocks: database.prepare('DELETE FROM block WHERE number > ?'),
    putBlock: database.prepare('INSERT INTO block (number, hash, logs, record) VALUES (?, ?, ?, ?)'),
    putLocated: database.prepare('INSERT INTO located (hash, number, place) VALUES (?, ?, ?)'),
    putNode: database.prepare('INSERT OR IGNORE INTO node (key, value) VALUES (?, ?)'),
    node: database.prepare('SELECT value FROM node WHERE key = ?'),
    setting: database.prepare('SELECT value FROM setting WHERE name = ?'),
    setSetting: database.prepare(
      'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
  }
}

/** The file can't be trusted; says what to do. */
export function corruptFile(file: string, what: string, cause?: unknown): LifeboatError {
  return configError(
    'L1_DATA_CORRUPT',
    `${file} is damaged (${what}); restore a copy, or remove it to start a new chain`,
    { file },
    cause,
  )
}

function describeOpenFailure(file: string, error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === undefined) return error
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return corruptFile(file, code, error)
  return configError(
    'L1_DATA_UNREADABLE',
    `can't open ${file}; check the folder, permissions, free space and that no other node uses it`,
    { got: code },
    error,
  )
}

function guardWrite(file: string, write: () => unknown): void {
  try {
    write()
  } catch (error) {
    const code = sqliteCode(error)
    if (code === undefined) throw error
    throw retryable(
      'L1_DATA_WRITE_FAILED',
      `can't write to ${file}; nothing was changed, free some space and try again`,
      { got: code },
      error,
    )
  }
}

function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Database.SqliteError)) {
    // A missing folder is reported as a TypeError without a code.
    return error instanceof TypeError && /directory/.test(error.message) ? 'SQLITE_CANTOPEN' : undefined
  }
  return error.code
}

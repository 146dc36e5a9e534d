/**
 * One SQLite file per program (docs/architecture.md, "Stores"). What a transaction wrote is on disk when it returns: write-ahead
 * log with synchronous FULL, so that an acknowledgement is never given for something a power cut can take back.
 *
 * A file names its program (application_id) and its schema (user_version = number of migrations applied). Anything unexpected is
 * refused on opening, in words, and the file is left as it was.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { configError, isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'

export type Database = Sqlite.Database

/** SQL text, or code for what SQL can't say. Runs once, in its own transaction; never edited after a release. */
export type Migration = string | ((db: Database) => void)

export type DatabaseOptions = Readonly<{
  /** Path; missing directories are made. ':memory:' for tests. */
  file: string
  /** 1 to 2^31 - 1, one number per program. */
  applicationId: number
  /** In order, oldest first. */
  migrations: readonly Migration[]
  /** Refuse to open while another process (or another handle) that asked for the lock has the file open. Readers without it may. */
  lockProcess?: boolean
  /** Read every page on opening and refuse a damaged file; default true. About a second per gigabyte. */
  checkPages?: boolean
  /** How long a write waits for another connection's; default 5000. */
  busyTimeoutMs?: number
  /** For crash tests: called before each outermost transaction commits, migrations too. What it throws rolls back. */
  onWrite?: () => void
}>

/** Kept aside, so that a database stays a plain better-sqlite3 one. */
const hookOf = new WeakMap<Database, () => void>()

/**
 * Opens and migrates. Throws config errors DATABASE_UNWRITABLE, DATABASE_CORRUPT, DATABASE_FOREIGN, DATABASE_NEWER, DATABASE_LOCKED;
 * retryable DISK_FULL, DISK_FAILED, DATABASE_BUSY.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { file } = options
  const release = options.lockProcess === true && file !== ':memory:' ? lockFile(file) : () => undefined
  let db: Database | undefined
  try {
    db = connect(file, options.busyTimeoutMs ?? 5_000)
    if (options.onWrite) hookOf.set(db, options.onWrite)
    assertOurs(db, options)
    if (options.checkPages !== false) assertSound(db, file)
    configure(db)
    migrate(db, options)
    return closeTogether(db, release)
  } catch (error) {
    db?.close()
    release()
    throw explain(error, file)
  }
}

/**
 * Runs `write` in one transaction that takes the write lock at once, and returns what it returns. All or nothing; nested calls are
 * savepoints of the outermost. `write` is synchronous. Errors of the disk come out as DISK_FULL, DISK_FAILED, DATABASE_BUSY (retryable).
 */
export function inTransaction<T>(db: Database, write: () => T): T {
  const outermost = !db.inTransaction
  const body = () => {
    const result = write()
    if (outermost) hookOf.get(db)?.()
    return result
  }
  try {
    return db.transaction(body).immediate()
  } catch (error) {
    throw explain(error, db.name)
  }
}

function connect(file: string, busyTimeoutMs: number): Database {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  return new Sqlite(file, { timeout: busyTimeoutMs })
}

/** Only reads: another program's file must not change because someone named it by mistake. */
function assertOurs(db: Database, { file, applicationId, migrations }: DatabaseOptions): void {
  const found = Number(db.pragma('application_id', { simple: true }))
  const version = Number(db.pragma('user_version', { simple: true }))
  if (found !== applicationId && !(found === 0 && version === 0 && isEmpty(db))) {
    throw configError('DATABASE_FOREIGN', `${file} belongs to another program`, {
      got: `application id ${found}`,
      want: `application id ${applicationId}, or a new file`,
    })
  }
  if (version > migrations.length) {
    throw configError('DATABASE_NEWER', `${file} was written by a newer version of this program`, {
      got: `schema ${version}`,
      want: `schema ${migrations.length} or older; install the newer version again`,
    })
  }
}

function isEmpty(db: Database): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
}

function assertSound(db: Database, file: string): void {
  const verdict = db.pragma('quick_check(1)', { simple: true })
  if (verdict !== 'ok') throw corrupt(file, verdict)
}

function configure(db: Database): void {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('trusted_schema = OFF')
}

function migrate(db: Database, { applicationId, migrations }: DatabaseOptions): void {
  const done = Number(db.pragma('user_version', { simple: true }))
  migrations.slice(done).forEach((migration, i) => {
    inTransaction(db, () => {
      if (typeof migration === 'string') db.exec(migration)
      else migration(db)
      db.pragma(`application_id = ${applicationId}`)
      db.pragma(`user_version = ${done + i + 1}`)
    })
  })
}

/**
 * Holds `<file>.lock` through SQLite's own file locks, which the system frees when a process dies however it dies. The data file
 * itself stays open to readers. Returns the release.
 */
function lockFile(file: string): () => void {
  let lock: Database | undefined
  try {
    lock = connect(`${file}.lock`, 0)
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    if (sqliteCode(error).startsWith('SQLITE_BUSY')) {
      throw configError('DATABASE_LOCKED', `another process is using ${file}`, {
        got: `a held lock on ${file}.lock`,
        want: 'the other process stopped, or another data directory',
      })
    }
    throw explain(error, file)
  }
  const held = lock
  return () => held.close()
}

function closeTogether(db: Database, release: () => void): Database {
  const close = db.close.bind(db)
  db.close = () => {
    close()
    release()
    return db
  }
  return db
}

/** The project's error for SQLite's and the file system's; any other error as it is. */
function explain(error: unknown, file: string): unknown {
  if (isLifeboatError(error)) return error
  const code = sqliteCode(error)
  const is = (...codes: readonly string[]) => codes.some((prefix) => code.startsWith(prefix))
  const got = error instanceof Error ? `${code}: ${error.message}` : code
  if (is('SQLITE_FULL', 'ENOSPC', 'EDQUOT')) {
    return retryable('DISK_FULL', `no room to write ${file}`, { got, want: 'free disk space' }, error)
  }
  if (is('SQLITE_NOTADB', 'SQLITE_CORRUPT')) return corrupt(file, got, error)
  if (is('SQLITE_BUSY', 'SQLITE_LOCKED')) {
    return retryable(
      'DATABASE_BUSY',
      `another connection is writing ${file}`,
      { got, want: 'a free write lock' },
      error,
    )
  }
  if (
    is('SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST', 'ENOENT')
  ) {
    return configError(
      'DATABASE_UNWRITABLE',
      `can't write ${file}`,
      { got, want: 'a directory and file we may write' },
      error,
    )
  }
  if (is('SQLITE_IOERR', 'EIO')) {
    return retryable('DISK_FAILED', `the disk failed under ${file}`, { got, want: 'a working disk' }, error)
  }
  return error
}

function corrupt(file: string, got: unknown, cause?: unknown): LifeboatError {
  return configError(
    'DATABASE_CORRUPT',
    `${file} is damaged or not a database`,
    { got, want: 'a sound file: restore a copy, or move it away and start again from L1 and peers' },
    cause,
  )
}

function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

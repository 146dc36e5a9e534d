import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError, type LifeboatError } from '../../protocol/errors.ts'
import { type DatabaseOptions, inTransaction, openDatabase } from '../../service/database.ts'

const database = suite<{ directory: string; options: DatabaseOptions }>('database')

const CREATE = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT'
const INSERT = 'INSERT INTO notes (text) VALUES (?)'

database.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'lifeboat-database-'))
  context.options = { file: join(context.directory, 'deep', 'store.db'), applicationId: 77, migrations: [CREATE] }
})
database.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }))

function failure(run: () => unknown): LifeboatError {
  try {
    run()
  } catch (error) {
    assert.ok(isLifeboatError(error), String(error))
    return error
  }
  throw new Error('nothing was thrown')
}

database('what a transaction wrote is there after opening again', ({ options }) => {
  const first = openDatabase(options)
  assert.is(first.pragma('synchronous', { simple: true }), 2)
  assert.is(first.pragma('journal_mode', { simple: true }), 'wal')
  assert.is(first.pragma('foreign_keys', { simple: true }), 1)
  inTransaction(first, () => first.prepare(INSERT).run('kept'))
  first.close()
  const second = openDatabase(options)
  assert.is(second.prepare('SELECT text FROM notes').pluck().get(), 'kept')
  second.close()
})

database('a new version migrates an old file, step by step', ({ options }) => {
  const old = openDatabase(options)
  old.prepare(INSERT).run('from version 1')
  old.close()
  const migrations = [CREATE, "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'unknown'"]
  const db = openDatabase({ ...options, migrations: [...migrations, (db) => void db.prepare(INSERT).run('from code')] })
  assert.is(db.pragma('user_version', { simple: true }), 3)
  assert.equal(db.prepare('SELECT author FROM notes').pluck().all(), ['unknown', 'unknown'])
  db.close()
})

database('a migration that fails leaves the file at the step before', ({ options }) => {
  openDatabase(options).close()
  assert.throws(
    () => openDatabase({ ...options, migrations: [CREATE, 'CREATE TABLE half (a); NONSENSE'] }),
    /syntax error/,
  )
  const db = openDatabase(options)
  assert.equal(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all(), ['notes'])
  db.close()
})

database('refuses a file written by a newer version', ({ options }) => {
  openDatabase({ ...options, migrations: [CREATE, 'CREATE TABLE later (a)'] }).close()
  const error = failure(() => openDatabase(options))
  assert.is(error.code, 'DATABASE_NEWER')
  assert.is(error.details.got, 'schema 2')
})

database("refuses another program's file and does not touch it", ({ options }) => {
  const other = openDatabase(options)
  other.pragma('wal_checkpoint(TRUNCATE)')
  other.close()
  const before = readFileSync(options.file)
  const error = failure(() => openDatabase({ ...options, applicationId: 78 }))
  assert.is(error.code, 'DATABASE_FOREIGN')
  assert.equal(readFileSync(options.file), before)
})

database('refuses a SQLite file that no program of ours made', ({ options }) => {
  const stranger = openDatabase(options)
  stranger.pragma('application_id = 0')
  stranger.pragma('user_version = 0')
  stranger.close()
  assert.is(failure(() => openDatabase(options)).code, 'DATABASE_FOREIGN')
})

database('refuses a file that is not a database', ({ options, directory }) => {
  const file = join(directory, 'notes.txt')
  writeFileSync(file, 'shopping list, not a database. '.repeat(100))
  const error = failure(() => openDatabase({ ...options, file }))
  assert.is(error.code, 'DATABASE_CORRUPT')
  assert.is(error.family, 'config')
})

database('refuses a file with damaged pages', ({ options }) => {
  const db = openDatabase(options)
  inTransaction(db, () => {
    for (let i = 0; i < 2_000; i++) db.prepare(INSERT).run(`row ${i} ${'x'.repeat(50)}`)
  })
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  const bytes = readFileSync(options.file)
  bytes.fill(0xff, 4096 * 5, 4096 * 6)
  writeFileSync(options.file, bytes)
  assert.is(failure(() => openDatabase(options)).code, 'DATABASE_CORRUPT')
})

database('a place that cannot be written is named', ({ options, directory }) => {
  const plainFile = join(directory, 'plain')
  writeFileSync(plainFile, '')
  for (const file of ['/proc/store.db', join(plainFile, 'store.db'), directory]) {
    const error = failure(() => openDatabase({ ...options, file }))
    assert.is(error.code, 'DATABASE_UNWRITABLE', file)
    assert.match(error.message, file)
  }
})

database('a full disk is retryable and loses only the transaction that hit it', ({ options }) => {
  const db = openDatabase(options)
  inTransaction(db, () => db.prepare(INSERT).run('before'))
  db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true }))}`)
  const error = failure(() => inTransaction(db, () => db.prepare(INSERT).run('y'.repeat(100_000))))
  assert.is(error.code, 'DISK_FULL')
  assert.is(error.family, 'retryable')
  assert.is(db.inTransaction, false)
  db.pragma('max_page_count = 1000000')
  inTransaction(db, () => db.prepare(INSERT).run('after'))
  assert.equal(db.prepare('SELECT text FROM notes').pluck().all(), ['before', 'after'])
  db.close()
})

database('a second process is refused while the first holds the file, readers are not', ({ options }) => {
  const first = openDatabase({ ...options, lockProcess: true })
  const error = failure(() => openDatabase({ ...options, lockProcess: true }))
  assert.is(error.code, 'DATABASE_LOCKED')
  const reader = openDatabase(options)
  assert.is(reader.prepare('SELECT count(*) FROM notes').pluck().get(), 0)
  reader.close()
  first.close()
  openDatabase({ ...options, lockProcess: true }).close()
})

database('a failed opening gives the lock back', ({ options }) => {
  openDatabase({ ...options, migrations: [CREATE, 'CREATE TABLE later (a)'] }).close()
  assert.is(failure(() => openDatabase({ ...options, lockProcess: true })).code, 'DATABASE_NEWER')
  openDatabase({ ...options, lockProcess: true, migrations: [CREATE, ''] }).close()
})

database('a write lock held by another connection is retryable', ({ options }) => {
  const first = openDatabase(options)
  const second = openDatabase({ ...options, busyTimeoutMs: 1 })
  first.exec('BEGIN IMMEDIATE')
  assert.is(failure(() => inTransaction(second, () => undefined)).code, 'DATABASE_BUSY')
  first.close()
  second.close()
})

database('a crash before the commit leaves nothing, wherever it strikes', ({ options }) => {
  const db = openDatabase(options)
  db.close()
  let writes = 0
  const crashing = openDatabase({
    ...options,
    onWrite: () => {
      if (++writes === 2) throw new Error('power cut')
    },
  })
  inTransaction(crashing, () => crashing.prepare(INSERT).run('one'))
  assert.throws(() => inTransaction(crashing, () => crashing.prepare(INSERT).run('two')), 'power cut')
  assert.equal(crashing.prepare('SELECT text FROM notes').pluck().all(), ['one'])
  crashing.close()
})

database('the crash hook sees one write for nested transactions, and each migration', ({ options }) => {
  let writes = 0
  const db = openDatabase({ ...options, onWrite: () => void writes++ })
  assert.is(writes, 1)
  inTransaction(db, () => inTransaction(db, () => db.prepare(INSERT).run('inner')))
  assert.is(writes, 2)
  db.close()
})

database('an inner failure that the caller survives undoes only the inner part', ({ options }) => {
  const db = openDatabase(options)
  inTransaction(db, () => {
    db.prepare(INSERT).run('outer')
    assert.throws(() =>
      inTransaction(db, () => {
        db.prepare(INSERT).run('inner')
        throw new Error('no')
      }),
    )
  })
  assert.equal(db.prepare('SELECT text FROM notes').pluck().all(), ['outer'])
  db.close()
})

database('an asynchronous body is refused instead of committed half-done', ({ options }) => {
  const db = openDatabase(options)
  assert.throws(() => inTransaction(db, async () => void db.prepare(INSERT).run('early')), /promise/)
  assert.is(db.prepare('SELECT count(*) FROM notes').pluck().get(), 0)
  db.close()
})

database.run()

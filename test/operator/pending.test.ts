/** What is acknowledged but not folded: on disk, seen by readers, and the same after a crash at any time. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createAdmission } from '../../operator/admission.ts'
import { createJournal, type JournalEvents } from '../../operator/journal.ts'
import { createLedger } from '../../operator/ledger.ts'
import { createMeta } from '../../operator/meta.ts'
import { createPending } from '../../operator/pending.ts'
import { OPERATOR_APPLICATION_ID, OPERATOR_MIGRATIONS } from '../../operator/schema.ts'
import { createTransactionLog, type Logged } from '../../operator/transactionLog.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import { encodePosition, POSITION_LIMIT } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { openDatabase } from '../../service/database.ts'
import { createSignaturePool } from '../../signatures/pool.ts'
import { type Actor, alice, bob, carol, codeOf, createWorld, DOMAIN, hashOf, logs, pay, type World } from './fixture.ts'

const test = suite('operator log and fold')
const ACTORS = [alice, bob, carol]

function count(world: World, table: string): number {
  return (world.core.store.db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
}

/** All that readers can ask, of everybody. */
function look({ core }: World, transactions: readonly SignedTransaction[]): unknown {
  return {
    outputs: ACTORS.map(({ address }) => core.views.outputs(address, { limit: 500 })),
    pages: ACTORS.map(({ address }) => pagesOf((cursor) => core.views.outputs(address, { limit: 2, cursor }))),
    history: ACTORS.map(({ address }) => core.views.history(address, {})),
    historyPages: ACTORS.map(({ address }) => pagesOf((cursor) => core.views.history(address, { limit: 2, cursor }))),
    since: ACTORS.map(({ address }) => core.views.activityAfter(address, 2, 3)),
    transactions: transactions.map((signed) => core.views.transaction(bytesToHex(hashOf(signed)))),
    newest: core.journal.newest(),
    open: core.blockLog.open(),
  }
}

function pagesOf<T extends { nextCursor?: number | undefined }>(read: (cursor: number | undefined) => T): T[] {
  const pages = [read(undefined)]
  for (let page = pages[0]; page?.nextCursor !== undefined; page = pages.at(-1)) pages.push(read(page.nextCursor))
  return pages
}

/** Ten payments, some of which spend what earlier ones made. */
function tell(world: World): SignedTransaction[] {
  const told: SignedTransaction[] = []
  const give = (from: Actor, to: Actor, input: number, amount: bigint): number => {
    const outputs =
      amount > 1n
        ? ([
            [to, 1n],
            [from, amount - 1n],
          ] as const)
        : ([[to, 1n]] as const)
    told.push(pay({ inputs: [input], outputs, signers: [from] }))
    return world.accept(told.at(-1)!)
  }
  let rest = world.deposit(alice, 9n) - 1
  for (let amount = 9n; amount > 0n; amount--) rest = give(alice, amount % 2n === 0n ? bob : carol, rest + 1, amount)
  give(carol, bob, rest, 1n)
  return told
}

test('shows readers the same whether it has been folded or not, and after a restart', () => {
  const [folded, waiting] = [0, 1_000].map((foldSize) => createWorld({ foldSize, maxBlockTxs: 64 }))
  const told = tell(folded!)
  tell(waiting!)
  folded!.core.store.write(() => undefined)
  assert.is(count(folded!, 'hashes'), 10)
  assert.is(count(waiting!, 'hashes'), 0, 'folded too early to test anything')
  assert.is(count(waiting!, 'outputs'), 1)
  const want = look(folded!, told)
  assert.equal(look(waiting!, told), want)
  for (const world of [folded!, waiting!]) {
    world.restart()
    assert.equal(look(world, told), want)
  }
  assert.is(count(waiting!, 'hashes'), 0)
  for (const world of [folded!, waiting!]) world.close()
})

test('gives an event that was told and not folded the same number after a crash', () => {
  const told: JournalEvents[] = []
  const world = createWorld({ maxBlockTxs: 64, publish: (events) => told.push(events) })
  tell(world)
  const payments = told.flatMap(({ accounts }) => accounts).filter(({ kind }) => kind === 'payment')
  assert.ok(payments.length >= 20)
  world.restart()
  world.see(
    world.l1.mine(1, [logs.deposited(encodePosition({ block: 0, index: 2 ** 20 + 9, output: 0 }), bob.address, 4n)]),
  )
  for (const { owner, seq, position } of payments) {
    assert.is(world.core.views.activityAfter(owner, seq - 1, 1)[0]?.position, position)
  }
  const numbers = told.flatMap(({ accounts }) => accounts.map(({ seq }) => seq))
  assert.equal(
    numbers,
    numbers.map((_, i) => i + 1),
    'a number was used twice',
  )
  world.close()
})

test('has on disk what it acknowledges, at the moment that it does', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-operator-copy-'))
  const world = createWorld({ maxBlockTxs: 64 })
  assert.is(world.core.store.db.pragma('synchronous', { simple: true }), 2)
  const pool = createSignaturePool({ threads: 1 })
  const admission = createAdmission({
    ...{ pool, threads: 1, separator: domainSeparator(DOMAIN), queueLimit: 1_000 },
    ...{ store: world.core.store, admit: world.core.admit, problems: world.core.problems, log: world.memory.log },
    onCommit: () => undefined,
  })
  const inputs = Array.from({ length: 5 }, () => world.deposit(alice, 1n))
  for (const [i, input] of inputs.entries()) {
    const signed = pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] })
    const [result] = await admission.submit([encodeTransaction(signed)])
    // The files as they are now, as after a power cut.
    const copy = join(directory, `copy${i}.db`)
    for (const end of ['', '-wal']) if (existsSync(world.file + end)) copyFileSync(world.file + end, copy + end)
    const found = openDatabase({ file: copy, applicationId: OPERATOR_APPLICATION_ID, migrations: OPERATOR_MIGRATIONS })
    const logged = createTransactionLog(found).at(result?.status === 'accepted' ? result.position : -1)
    found.close()
    assert.is(logged && bytesToHex(logged.txHash), bytesToHex(hashOf(signed)), `payment ${i} is not on disk`)
  }
  await admission.close()
  await pool.close()
  world.close()
  rmSync(directory, { recursive: true })
})

test('answers with the same place in the same commit, and refuses another spend there', () => {
  const world = createWorld({ maxBlockTxs: 64 })
  const input = world.deposit(alice, 2n)
  const first = pay({ inputs: [input], outputs: [[bob, 2n]], signers: [alice] })
  const other = pay({ inputs: [input], outputs: [[carol, 2n]], signers: [alice] })
  const [taken, again, refused] = world.admit(first, first, other)
  assert.is(taken?.status, 'accepted')
  assert.equal(again, { ...taken, isReplay: true })
  assert.is(codeOf(refused), 'INPUT_SPENT')
  assert.is(world.core.blockLog.open()?.txCount, 1)
  world.close()
})

test('refuses what it could not keep, instead of promising on tables that contradict the log', () => {
  const world = createWorld({ foldSize: 1, maxBlockTxs: 64 })
  const [one, two] = [world.deposit(alice, 1n), world.deposit(alice, 1n)]
  world.accept(pay({ inputs: [one], outputs: [[bob, 1n]], signers: [alice] }))
  const spoiler = new Sqlite(world.file)
  spoiler.exec(`DELETE FROM outputs WHERE position = ${one}`)
  const pass = () => world.accept(pay({ inputs: [two], outputs: [[bob, 1n]], signers: [alice] }))
  const isContradiction = (error: unknown) => isLifeboatError(error) && error.code === 'LOG_CONTRADICTED'
  // Again and again, not only until what was in memory is forgotten.
  for (let i = 0; i < 2; i++) assert.throws(pass, isContradiction)
  assert.throws(() => world.restart(), isContradiction)
  assert.is((spoiler.prepare('SELECT count(*) AS n FROM transactions').get() as { n: number }).n, 1)
  spoiler.close()
  world.close()
})

function openStore() {
  return openDatabase({ file: ':memory:', applicationId: OPERATOR_APPLICATION_ID, migrations: OPERATOR_MIGRATIONS })
}

test('finds a transaction by its hash among others whose hashes begin alike', () => {
  const db = openStore()
  const [journal, ledger, meta, log] = [createJournal(db), createLedger(db), createMeta(db), createTransactionLog(db)]
  const pending = createPending({ db, log, ledger, journal, meta })
  ledger.deposit(5, { owner: alice.address, token: `0x${'00'.repeat(20)}`, amount: 1n }, 1)
  let input = 5
  const hashes = Array.from({ length: 6 }, (_, i) => {
    const txHash = new Uint8Array(32).fill(7)
    txHash[31] = i
    const signed = pay({ inputs: [input], outputs: [[alice, 1n]], signers: [alice] })
    const position = encodePosition({ block: 1, index: i, output: 0 })
    input = position
    log.append({ position, txHash, body: encodeTransaction(signed) })
    log.flush()
    pending.take(signed, txHash, position)
    if (i === 2) pending.fold()
    return [txHash, position] as const
  })
  for (const [txHash, position] of hashes) assert.is(pending.positionOf(txHash), position)
  assert.is(pending.positionOf(new Uint8Array(32).fill(7)), undefined)
  pending.fold()
  for (const [txHash, position] of hashes) assert.is(pending.positionOf(txHash), position)
  db.close()
})

const body = encodeTransaction(pay({ inputs: [1], outputs: [[alice, 1n]], signers: [alice] }))
const wide = encodeTransaction(
  pay({
    inputs: [1, 2],
    outputs: [
      [alice, 1n],
      [bob, 1n],
    ],
    signers: [alice, bob],
    memo: `0x${'09'.repeat(32)}`,
  }),
)

test('reads the log back as it was written, however it was cut into commits and blocks', () => {
  const step = fc.record({ size: fc.integer({ min: 0, max: 150 }), nextBlock: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), fc.nat(400), fc.nat(400), (steps, a, b) => {
      const db = openStore()
      const log = createTransactionLog(db)
      const want: Logged[] = []
      let [block, index] = [1, 0]
      for (const { size, nextBlock } of steps) {
        for (let i = 0; i < size; i++) {
          const position = encodePosition({ block, index: index++, output: 0 })
          const entry = {
            position,
            txHash: keccak256(Uint8Array.of(want.length >> 8, want.length)),
            body: i % 3 ? body : wide,
          }
          log.append(entry)
          want.push(entry)
          assert.equal(log.at(position), entry)
        }
        log.flush()
        if (nextBlock) [block, index] = [block + 1, 0]
      }
      const plain = (entries: Iterable<Logged>) =>
        Array.from(entries, (one) => [one.position, bytesToHex(one.txHash), bytesToHex(one.body)])
      assert.equal(plain(log.range(0, POSITION_LIMIT)), plain(want))
      const [from, to] = [want[a]?.position ?? 0, want[b]?.position ?? POSITION_LIMIT]
      assert.equal(plain(log.range(from, to)), plain(want.filter(({ position }) => position >= from && position < to)))
      for (const { position } of want) assert.is(log.at(position + 1), undefined)
      for (const entry of want) assert.equal(plain([log.at(entry.position)!]), plain([entry]))
      for (let n = 1; n <= block; n++) {
        const mine = want.filter(({ position }) => Math.floor(position / 2 ** 25) === n)
        assert.equal(
          log.bodiesOf(n).map(bytesToHex),
          mine.map((one) => bytesToHex(one.body)),
        )
      }
      db.close()
    }),
    { numRuns: 25 },
  )
})

test.run()

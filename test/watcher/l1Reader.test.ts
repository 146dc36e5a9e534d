/** Reading L1 for the watcher: endpoints that lie, fail, lag or stand in the future, and failures of our own in the middle. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { invalid, retryable } from '../../protocol/errors.ts'
import { openDatabase } from '../../service/database.ts'
import { WATCHER_MIGRATIONS } from '../../watcher/schema.ts'
import { alice, createFakePeer, deposited, depositPosition } from './support/chain.ts'
import { APPLICATION_ID, createTestCore, dump } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: reading L1')
const D0 = depositPosition(0, 0)

test('an endpoint that lied is told, and the next one goes on from the same rows', async () => {
  const [liar, honest] = [createFakeL1(), createFakeL1()]
  liar.fail(invalid('ENDPOINT_LIED_RECEIPTS', 'it lied'))
  honest.mine([deposited(D0, alice, 1n)])
  const core = createTestCore({
    l1: liar,
    peers: [],
    overrides: { sources: [liar.source('liar'), honest.source('honest')] },
  })
  await core.tick()
  await core.tick()
  assert.equal(core.codes(), ['L1_ENDPOINT_LIED'])
  assert.is(core.reader.status().source, 'honest')
  assert.is(core.ledger.find(D0)?.amount, 1n)
})

test('an endpoint that is down is left after a few failures, without an alert of a lie', async () => {
  const [down, up] = [createFakeL1(), createFakeL1()]
  down.fail(retryable('ENDPOINT_TIMEOUT', 'slow'))
  const core = createTestCore({ l1: down, peers: [], overrides: { sources: [down.source('down'), up.source('up')] } })
  for (let i = 0; i < 6; i++) await core.tick()
  assert.is(core.reader.status().source, 'up')
  assert.equal(core.codes(), [])
})

test('a broken finality is told, and nothing final is undone', async () => {
  const l1 = createFakeL1()
  l1.mine([deposited(D0, alice, 1n)])
  const core = createTestCore({ l1, peers: [] })
  await core.tick()
  l1.fail(invalid('FINALITY_BROKEN', 'another chain'))
  await core.tick()
  assert.equal(core.codes(), ['L1_FINALITY_BROKEN'])
  assert.is(core.ledger.find(D0)?.amount, 1n)
})

test('an old head is told and taken back when it is fresh again', async () => {
  const l1 = createFakeL1({ start: 1_000_000 })
  const clock = { now: 1_000_010_000 }
  const core = createTestCore({ l1, peers: [createFakePeer('p').peer], clock, overrides: { maxHeadAgeSeconds: 180 } })
  await core.tick()
  assert.is(core.reader.isFresh(), true)
  clock.now += 300_000
  await core.tick()
  assert.is(core.reader.isFresh(), false)
  assert.ok(core.alarm.stands('L1_ENDPOINT_LAGS', 'fake'))
  l1.mine([], 300)
  await core.tick()
  assert.is(core.reader.isFresh(), true)
  assert.not.ok(core.alarm.stands('L1_ENDPOINT_LAGS', 'fake'))
})

test('a local clock far behind L1 is told', async () => {
  const l1 = createFakeL1({ start: 1_000_000 })
  const core = createTestCore({ l1, peers: [], clock: { now: 900_000_000 }, overrides: { maxHeadAgeSeconds: 180 } })
  await core.tick()
  assert.equal(core.codes(), ['CLOCK_WRONG'])
  assert.is(core.reader.isFresh(), false)
})

test('a disk that fails between two L1 blocks of one poll loses and doubles nothing', async () => {
  const l1 = createFakeL1()
  for (let i = 0; i < 6; i++) l1.mine([deposited(depositPosition(0, i), alice, 1n)])
  let commits = 0
  let failing = false
  const db = openDatabase({
    file: ':memory:',
    applicationId: APPLICATION_ID,
    migrations: WATCHER_MIGRATIONS,
    onWrite: () => {
      commits++
      if (failing && commits % 4 === 0) throw retryable('DISK_FULL', 'full')
    },
  })
  failing = true
  const core = createTestCore({ l1, peers: [], db })
  for (let i = 0; i < 8; i++) await core.tick().catch(() => undefined)
  failing = false
  await core.tick()
  const whole = createTestCore({ l1, peers: [] })
  await whole.tick()
  assert.equal(dump(db), dump(whole.db))
  assert.ok(core.codes().includes('DATABASE_PROBLEM'))
})

test.run()

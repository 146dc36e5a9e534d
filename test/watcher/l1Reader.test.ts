/** Reading L1 for the watcher: endpoints that lie, fail, lag or stand in the future, and failures of our own in the middle. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { invalid, retryable } from '../../protocol/errors.ts'
import { openDatabase } from '../../service/database.ts'
import type { L1Source } from '../../watcher/l1Reader.ts'
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

test('an endpoint that is down is left after a few failures, and said to lag, not to lie', async () => {
  const [down, up] = [createFakeL1(), createFakeL1()]
  down.fail(retryable('ENDPOINT_TIMEOUT', 'slow'))
  const core = createTestCore({ l1: down, peers: [], overrides: { sources: [down.source('down'), up.source('up')] } })
  for (let i = 0; i < 6; i++) await core.tick()
  assert.is(core.reader.status().source, 'up')
  assert.equal(core.codes(), ['L1_ENDPOINT_LAGS'])
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

/** Two endpoints on the same chain; the first gets what is mined on it, and no more. */
function standingStill() {
  const [still, ahead] = [createFakeL1(), createFakeL1()]
  const clock = { now: 1_000_020_000 }
  const preferred: number[] = []
  const core = createTestCore({
    l1: still,
    peers: [createFakePeer('p').peer],
    clock,
    overrides: {
      maxHeadAgeSeconds: 180,
      sources: [still.source('still'), ahead.source('ahead')],
      onL1Source: (place) => void preferred.push(place),
    },
  })
  return { still, ahead, clock, core, preferred }
}

test('an endpoint that stands still is left for one that shows newer blocks, from the same rows', async () => {
  const { still, ahead, clock, core, preferred } = standingStill()
  for (const l1 of [still, ahead]) l1.mine([deposited(D0, alice, 1n)])
  await core.tick()
  assert.is(core.reader.status().source, 'still')
  ahead.mine([deposited(depositPosition(0, 1), alice, 2n)], 300)
  clock.now += 300_000
  await core.tick()
  assert.equal(core.codes(), ['L1_ENDPOINT_LAGS'])
  assert.match(JSON.stringify(core.alarm.page(0, 1)[0]?.details), '"readsFrom":"ahead"')
  assert.equal(preferred, [1])
  await core.tick()
  assert.is(core.reader.status().source, 'ahead')
  assert.is(core.reader.isFresh(), true)
  assert.is(core.ledger.find(depositPosition(0, 1))?.amount, 2n)
  assert.equal(core.codes(), ['L1_ENDPOINT_LAGS'])
})

test('a block that only the endpoint left behind knew is undone, as in any reorg', async () => {
  const { still, ahead, clock, core } = standingStill()
  still.mine([deposited(D0, alice, 1n)])
  await core.tick()
  assert.is(core.ledger.find(D0)?.amount, 1n)
  ahead.mine([], 24)
  ahead.mine([deposited(D0, alice, 7n)], 290)
  clock.now += 300_000
  for (let i = 0; i < 2; i++) await core.tick()
  const straight = createTestCore({ l1: ahead, peers: [] })
  await straight.tick()
  assert.equal(dump(core.db), dump(straight.db))
})

test('an endpoint that shows nothing newer, nothing credible or nothing at all is not gone to', async () => {
  for (const other of ['as old', 'future', 'dead'] as const) {
    const { ahead, clock, core } = standingStill()
    if (other === 'future') ahead.mine([], 400_000)
    if (other === 'dead') ahead.fail(retryable('ENDPOINT_UNREACHABLE', 'no answer'))
    await core.tick()
    clock.now += 300_000
    for (let i = 0; i < 3; i++) await core.tick()
    assert.is(core.reader.status().source, 'still', other)
    assert.ok(core.alarm.stands('L1_ENDPOINT_LAGS', 'still'))
    assert.is(core.reader.isFresh(), false)
  }
})

test('the first endpoint is read again when it is well again, not before it has caught up', async () => {
  const { still, ahead, clock, core } = standingStill()
  await core.tick()
  for (let i = 0; i < 3; i++) ahead.mine([], 100)
  clock.now += 300_000
  for (let i = 0; i < 2; i++) await core.tick()
  assert.is(core.reader.status().source, 'ahead')
  still.mine([], 310)
  clock.now += 70_000
  await core.tick()
  assert.is(core.reader.status().source, 'ahead', 'a block lower')
  still.mine([], 20)
  still.mine([], 20)
  clock.now += 30_000
  await core.tick()
  assert.is(core.reader.status().source, 'ahead', 'asked a moment ago')
  clock.now += 31_000
  for (let i = 0; i < 2; i++) await core.tick()
  assert.is(core.reader.status().source, 'still')
  assert.not.ok(core.alarm.stands('L1_ENDPOINT_LAGS', 'still'))
  assert.is(core.reader.isFresh(), true)
})

test('an endpoint that cannot confirm final blocks is told, and stops nothing', async () => {
  const l1 = createFakeL1({ start: 1_000_000 })
  const core = createTestCore({
    l1,
    peers: [createFakePeer('p').peer],
    overrides: { sources: [unconfirmed(l1.source('first')), createFakeL1().source('second')] },
  })
  await core.tick()
  for (let i = 0; i < 8; i++) {
    l1.mine([deposited(depositPosition(0, i), alice, 1n)])
    await core.tick()
    assert.is(core.rootLog.now().block, l1.tip().number)
    assert.is(core.reader.isFresh(), true)
  }
  assert.is(core.reader.status().source, 'first')
  assert.equal(core.codes(), ['L1_ENDPOINT_LAGS'])
  assert.ok(core.alarm.stands('L1_ENDPOINT_LAGS', 'second'))
})

/** As l1/follower.ts does it: events first, then the refusal; without events the refusal at once. */
function unconfirmed(source: L1Source): L1Source {
  return {
    ...source,
    follow: (from) => {
      const follower = source.follow(from)
      const behind = retryable('SECOND_ENDPOINT_BEHIND', 'not yet', { secondEndpoint: 'second', block: 1 })
      let isLate = false
      return {
        ...follower,
        poll: async () => {
          if (isLate) {
            isLate = false
            throw behind
          }
          const events = await follower.poll()
          if (events.length === 0) throw behind
          isLate = true
          return events
        },
      }
    },
  }
}

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

/** What is kept in memory is bounded by its weight. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { courtOf } from '../../watcher/driver.ts'
import { createKept } from '../../watcher/kept.ts'
import { policyOf, readingsOf } from './court/world.ts'
import { batchOf, lockOf } from './support/batches.ts'
import { carol, createFakePeer, deposited, depositPosition, mallory } from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: what is kept in memory')
const keysOf = (kept: ReturnType<typeof createKept<string, number>>, keys: string) =>
  [...keys].filter((key) => kept.get(key) !== undefined).join('')

test('many light ones stay, and a heavy one drives out no more than it must', () => {
  const kept = createKept<string, number>(10)
  for (const key of 'abcdefghij') kept.set(key, 1, 1)
  assert.is(keysOf(kept, 'abcdefghij'), 'abcdefghij')
  kept.set('k', 1, 3)
  assert.is(keysOf(kept, 'abcdefghijk'), 'defghijk')
})

test('one that is set again, deleted or cleared weighs nothing any more', () => {
  const kept = createKept<string, number>(10)
  for (let i = 0; i < 20; i++) kept.set('a', i, 5)
  kept.set('b', 1, 5)
  assert.is(keysOf(kept, 'ab'), 'ab')
  kept.delete('a')
  kept.delete('a')
  kept.set('c', 1, 5)
  assert.is(keysOf(kept, 'bc'), 'bc')
  kept.clear()
  for (const key of 'de') kept.set(key, 1, 5)
  assert.is(keysOf(kept, 'bcde'), 'de')
})

test('one that alone weighs more is kept alone', () => {
  const kept = createKept<string, number>(10)
  kept.set('a', 1, 5)
  kept.set('b', 1, 50)
  assert.is(keysOf(kept, 'ab'), 'b')
  kept.set('c', 1, 5)
  assert.is(keysOf(kept, 'bc'), 'c')
})

test('mass exits that stand are not read again in every L1 block, however many strangers start', async () => {
  const l1 = createFakeL1()
  const core = createTestCore({
    l1,
    peers: [createFakePeer('operator').peer],
    overrides: {
      sender: carol.address,
      createCourt: courtOf({
        policy: policyOf({ sender: carol.address }),
        rootContract: `0x${'cc'.repeat(20)}`,
        readL1: async () => readingsOf(),
      }),
    },
  })
  const entry = { position: depositPosition(0, 0), amount: 1n }
  l1.mine([deposited(entry.position, mallory, 1n)])
  const batches = Array.from({ length: 200 }, (_, i) => batchOf(l1, [entry], { madeAt: i + 1 }))
  l1.mine(batches)
  l1.mine(batches.slice(100).map((batch, i) => lockOf(l1, batch, i)))
  await core.tick()
  l1.mine()
  const read = new Set<string>()
  const parse = JSON.parse
  JSON.parse = (text, ...more) => {
    const found = parse(text, ...more)
    if (found?.type === 'BatchStarted') read.add(found.batchId)
    return found
  }
  try {
    await core.tick()
  } finally {
    JSON.parse = parse
  }
  assert.is(read.size, 0)
  core.log.assertNoErrors()
})

test.run()

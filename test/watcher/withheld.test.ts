/** A block that nobody serves: what is counted, what survives a restart, what happens when it comes after all. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Peer } from '../../watcher/peers.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  makeBlock,
  pay,
  submitted,
} from './support/chain.ts'
import { createFolder, createTestCore, openStore, PARAMETERS } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

/** A time limit that is over as soon as nothing else is left to do. */
const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

const test = suite('watcher: withheld blocks')
const D0 = depositPosition(0, 0)
const LIMITS = { ...defaultLimits(PARAMETERS), graceSeconds: 600, suspectSeconds: 20, minimumObservedSeconds: 60 }

function createScene(clock = { now: 5_000_000 }, db = openStore()) {
  const l1 = createFakeL1()
  const [operator, friend] = [createFakePeer('operator'), createFakePeer('friend')]
  l1.mine([deposited(D0, alice, 100n)])
  l1.mine()
  const blocks = [
    makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])]),
    makeBlock(2, 2, [pay(bob, at(1, 0), [[carol, 100n]])]),
    makeBlock(3, 2, [pay(carol, at(2, 0), [[alice, 100n]])]),
  ]
  l1.mine([submitted(blocks, l1.now() + 12)])
  operator.serve(blocks[0]!, blocks[2]!)
  friend.serve(blocks[0]!)
  const start = () =>
    createTestCore({ l1, peers: [operator.peer, friend.peer], clock, db, overrides: { limits: LIMITS } })
  const core = start()
  const wait = async (seconds: number, watcher = core) => {
    for (let t = 0; t < seconds; t += 10) {
      clock.now += 10_000
      await watcher.tick()
    }
  }
  return { l1, operator, friend, blocks, core, clock, wait, start }
}

test('a withheld block goes from nothing to suspect to unsafe, and is told twice', async () => {
  const { core, wait } = createScene()
  await core.tick()
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'catching-up' })
  assert.is(core.facts.blockState(2), 'missing')
  await wait(30)
  assert.is(core.facts.safety().status, 'suspect')
  assert.is(core.facts.blockState(3), 'unverifiable')
  await wait(600)
  const safety = core.facts.safety()
  assert.is(safety.status, 'unsafe')
  assert.is('block' in safety && safety.block, 2)
  assert.equal(core.codes(), ['BLOCK_SUSPECT', 'BLOCK_WITHHELD'])
})

test('keeps the bodies behind the gap, and verifies them at once when the gap closes', async () => {
  const { core, operator, blocks, wait } = createScene()
  await wait(40)
  assert.is(core.blocks.find(3)?.hasBody, true)
  operator.withhold(3)
  operator.serve(blocks[1]!)
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 3)
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
  assert.equal(core.codes(), ['BLOCK_SUSPECT', 'BLOCK_SERVED_LATE'])
})

test('asks only for the missing block while it waits', async () => {
  const { core, operator, wait } = createScene()
  await wait(40)
  operator.requests.length = 0
  await core.tick()
  assert.equal(
    operator.requests.map(({ from, to }) => [from, to]),
    [[2, 2]],
  )
})

test('a restart keeps what was counted, adds nothing for the time it was down, and decides nothing by itself', async () => {
  const folder = createFolder()
  try {
    const db = openStore(folder.file)
    const scene = createScene({ now: 5_000_000 }, db)
    await scene.wait(500)
    db.close()
    scene.clock.now += 7 * 86_400_000
    const again = openStore(folder.file)
    const core = createTestCore({
      l1: scene.l1,
      peers: [scene.operator.peer, scene.friend.peer],
      clock: scene.clock,
      db: again,
      overrides: { limits: LIMITS },
    })
    assert.is(core.facts.safety().status, 'suspect')
    await core.tick()
    assert.is(core.facts.safety().status, 'suspect')
    const observed = core.blocks.find(2)?.observedSeconds ?? 0
    assert.ok(observed >= 480 && observed <= 500, `${observed}`)
    await scene.wait(130, core)
    assert.is(core.facts.safety().status, 'unsafe')
    again.close()
  } finally {
    folder.remove()
  }
})

test('peers that fail for half a minute after a restart trigger nothing', async () => {
  const { core, operator, friend, blocks, wait } = createScene()
  operator.serve(blocks[1]!)
  operator.state.mode = 'refusing'
  friend.state.mode = 'refusing'
  await wait(10)
  operator.state.mode = 'honest'
  await wait(10)
  assert.is(core.facts.verifiedBlock(), 3)
  assert.equal(core.codes(), [])
})

test('our own blindness is no silence: nothing counts while L1 does not answer', async () => {
  const { core, l1, wait } = createScene()
  await core.tick()
  l1.fail(new Error('down'))
  await wait(3_600)
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'catching-up' })
  assert.ok(core.codes().includes('L1_ENDPOINT_LAGS'))
  l1.fail(undefined)
  await wait(10)
  assert.is(core.blocks.find(2)?.observedSeconds, 0)
})

test('a watcher without peers never takes a block for withheld', async () => {
  const { l1, clock } = createScene()
  const core = createTestCore({ l1, peers: [], clock, overrides: { limits: LIMITS } })
  for (let t = 0; t < 1_000; t += 10) {
    clock.now += 10_000
    await core.tick()
  }
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'catching-up' })
})

test('a friend who has the block is enough', async () => {
  const { core, friend, blocks, wait } = createScene()
  friend.serve(blocks[1]!)
  await wait(10)
  assert.is(core.facts.verifiedBlock(), 3)
})

test('a peer that cuts its answers short is asked again, not blamed', async () => {
  const { core, operator, blocks } = createScene()
  operator.serve(...blocks)
  operator.state.atOnce = 1
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 3)
  assert.equal(core.codes(), [])
})

/** Answers when told to. */
function createSlowPeer(name: string) {
  const waiting: ((bodies: readonly Uint8Array[]) => void)[] = []
  const peer: Peer = { name, fetch: () => new Promise((resolve) => waiting.push(resolve)) }
  return { peer, waiting }
}

test('a peer that never answers cannot keep a withheld block from being found out', async () => {
  const { l1, operator, clock } = createScene()
  const staller = createSlowPeer('staller')
  const core = createTestCore({
    l1,
    peers: [staller.peer, operator.peer],
    clock,
    overrides: { limits: LIMITS, pause },
  })
  for (let i = 0; i < 80; i++) {
    clock.now += 10_000
    await core.tick()
  }
  assert.is(core.facts.safety().status, 'unsafe')
  assert.ok(staller.waiting.length <= 4, 'a handful of requests, not one for every tick')
})

test('the body that a slow peer brings between two rounds is taken', async () => {
  const { l1, blocks, clock } = createScene()
  const slow = createSlowPeer('slow')
  const core = createTestCore({
    l1,
    peers: [slow.peer],
    clock,
    overrides: { limits: LIMITS, pause },
  })
  const round = async () => {
    clock.now += 10_000
    await core.tick()
  }
  await round()
  for (const resolve of slow.waiting.splice(0)) resolve([])
  await round()
  await round()
  assert.is(core.facts.verifiedBlock(), 0)
  for (const resolve of slow.waiting.splice(0)) resolve([blocks[0]!.body])
  await round()
  assert.ok(core.facts.verifiedBlock() >= 1)
})

test('the count belongs to the commitment: after an L1 reorg another root starts from nothing', async () => {
  const { core, l1, wait } = createScene()
  await wait(300)
  assert.is(core.facts.safety().status, 'suspect')
  l1.reorg(1)
  const others = [
    makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])]),
    makeBlock(2, 2, [pay(bob, at(1, 0), [[alice, 100n]])]),
  ]
  l1.mine([submitted(others, l1.now() + 12)])
  l1.mine()
  await wait(10)
  assert.is(core.blocks.find(2)?.observedSeconds, 0)
  assert.is(core.facts.verifiedBlock(), 1)
  assert.ok(core.codes().includes('BLOCK_ROOT_CHANGED'))
})

test.run()

/** Disputes in the watcher's books: rows, locks, ages; blocks and events in any order, reorgs, rebuilds. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { rebuild } from '../../watcher/rebuild.ts'
import { alice, at, bob, carol, deposited, depositPosition, exitOf, pay, SEPARATOR } from './support/chain.ts'
import { createFolder, createTestCore, dump, fresh, openStore } from './support/core.ts'
import { createScene } from './support/disputeScene.ts'
import { decided, disputeOf, exitThrough, started } from './support/disputes.ts'

const test = suite('watcher: disputes')

test('a dispute locks its inputs in its own L1 block, and is told as L1 told it', async () => {
  const scene = await createScene()
  const { core, l1, txHash, inFlight } = scene
  const { dispute, inputs } = scene.start()
  l1.mine([
    {
      type: 'CompetitorShown',
      txHash,
      competitor: ZERO_HASH,
      position: 0,
      input: 0,
      challenger: carol.address,
      reward: 0n,
    },
    { type: 'DisputeAnswered', txHash, position: at(9, 0) },
  ])
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), 3)
  const [record] = core.facts.disputes(0)
  assert.equal(record?.dispute, dispute)
  assert.equal(record?.inputs, inputs)
  assert.equal(record?.signed, inFlight)
  assert.is(record?.state, 'running')
  assert.equal(record?.competitors, [{ txHash: ZERO_HASH, position: 0, input: 0 }])
  assert.equal(record?.answers, [at(9, 0)])
  assert.equal(
    record?.events.map(({ type }) => type),
    ['DisputeStarted', 'CompetitorShown', 'DisputeAnswered'],
  )
})

test('an input that was locked before keeps that lock', async () => {
  const scene = await createScene()
  const { core, l1, payment } = scene
  const exit = exitOf({ position: at(1, 0), owner: bob, amount: 100n, signed: payment, lockedAt: 3, startedAt: 1 })
  l1.mine([started(exit)])
  l1.mine([disputeOf(l1, scene.inFlight, [{ owner: bob, amount: 100n, made: payment, lockedAt: 3 }], carol)])
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), 3)
  assert.is(core.facts.disputeFacts(scene.txHash)?.dispute.lockedAt, 3)
})

for (const [anchor, verified] of [
  [2, 2],
  [3, 1],
] as const) {
  test(`a block that spends a disputed input and is anchored ${anchor === 2 ? 'before' : 'at'} the lock is ${verified === 2 ? 'valid' : 'invalid by V6'}`, async () => {
    const scene = await createScene()
    scene.start()
    scene.submit(2, anchor, [scene.inFlight])
    await scene.core.tick()
    assert.is(scene.core.facts.verifiedBlock(), verified)
    assert.is(scene.core.blocks.find(2)?.fault?.rule, verified === 2 ? undefined : 'V6')
  })
}

test('a dispute that L1 dropped locks nothing any more; in another block it locks from there', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  scene.start()
  await core.tick()
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), undefined)
  assert.equal(core.facts.disputes(0), [])
  assert.is(core.facts.disputeFacts(scene.txHash), undefined)
  scene.start()
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), 5)
  assert.equal(dump(core.db), await fresh(scene))
})

test('an input that loses its exit to a reorg stays locked by the dispute, and the other way round', async () => {
  const scene = await createScene()
  const { core, l1, payment } = scene
  scene.start()
  l1.mine([
    started(exitOf({ position: at(1, 0), owner: bob, amount: 100n, signed: payment, lockedAt: 3, startedAt: 1 })),
  ])
  await core.tick()
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), 3)
  assert.is(core.facts.openExits().length, 0)
  assert.equal(dump(core.db), await fresh(scene))
})

test('a dispute about deposits alone has no block to be young in', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  const position = depositPosition(1, 0)
  l1.mine([deposited(position, alice, 5n)])
  const signed = pay(alice, position, [[carol, 5n]])
  const dispute = disputeOf(l1, signed, [{ owner: alice, amount: 5n }], carol)
  const exit = exitThrough(l1, dispute, { output: 0 })
  assert.is(exit.young, false)
  l1.mine([dispute, started(exit)])
  await core.tick()
  assert.is(scene.lockOf(position), 4)
  assert.is(core.facts.exitFacts(exit.outputId)?.output.kind, 'unspent')
  scene.submit(2, 3, [signed])
  await core.tick()
  assert.is(core.exits.placeOf(exit), at(2, 0))
})

test('a hash of a disputed transaction is no output id', async () => {
  const { core, start, txHash } = await createScene()
  start()
  await core.tick()
  assert.is(core.facts.exitFacts(txHash), undefined)
  assert.is(core.exits.record(txHash), undefined)
})

/** A dispute with all that can hang on it. */
async function createRichScene() {
  const scene = await createScene()
  const { l1, txHash } = scene
  scene.submit(2, 2, [scene.inFlight])
  const dispute = scene.start()
  const input = exitOf({
    position: at(1, 0),
    owner: bob,
    amount: 100n,
    signed: scene.payment,
    lockedAt: 4,
    startedAt: 1,
  })
  const [left, right] = [exitThrough(l1, dispute, { output: 0 }), exitThrough(l1, dispute, { output: 1, seq: 1 })]
  l1.mine([started(left), started(right), started(input)])
  l1.mine([{ type: 'DisputeAnswered', txHash, position: at(2, 0) }, decided(txHash, 'canonical')])
  scene.submit(3, 3, [pay(carol, at(2, 0, 0), [[alice, 60n]])])
  return scene
}

test('folded again from events and bodies, disputes do not differ', async () => {
  const scene = await createRichScene()
  const { core, operator, l1 } = scene
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 3)
  const before = dump(core.db)
  rebuild(core.db, SEPARATOR)
  operator.state.mode = 'refusing'
  const again = createTestCore({ l1, peers: [operator.peer], db: core.db })
  await again.tick()
  assert.equal(dump(again.db), before)
  operator.state.mode = 'honest'
  assert.equal(before, await fresh(scene))
})

test('a watcher that slept through a reorg of a dispute ends where one that starts now does', async () => {
  const folder = createFolder()
  try {
    const scene = await createRichScene()
    const { l1, operator } = scene
    const db = openStore(folder.file)
    await createTestCore({ l1, peers: [operator.peer], db }).tick()
    db.close()
    l1.reorg(4)
    for (let i = 0; i < 3; i++) l1.mine()
    scene.start()
    l1.mine()
    const again = openStore(folder.file)
    const core = createTestCore({ l1, peers: [operator.peer], db: again })
    await core.tick()
    assert.equal(core.facts.disputes(0).length, 1)
    assert.equal(core.facts.openExits(), [])
    assert.equal(dump(again), await fresh(scene))
    again.close()
  } finally {
    folder.remove()
  }
})

test.run()

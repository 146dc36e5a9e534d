/** Exits through a dispute in the watcher's books: where they stand, what they lock, how they are judged. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  alice,
  at,
  bob,
  carol,
  deposited,
  depositPosition,
  exitOf,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { dump, fresh } from './support/core.ts'
import { createScene } from './support/disputeScene.ts'
import { disputeOf, exitThrough, started } from './support/disputes.ts'

const test = suite('watcher: exits through disputes')

test('an exit through a dispute locks its output when the block comes after the exit', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  const exit = exitThrough(l1, scene.event(), { output: 0 })
  l1.mine([scene.event(), started(exit)])
  await core.tick()
  assert.is(core.exits.placeOf(exit), undefined)
  scene.submit(2, 2, [scene.inFlight])
  await core.tick()
  assert.is(core.exits.placeOf(exit), at(2, 0, 0))
  assert.is(scene.lockOf(at(2, 0, 0)), 3)
  assert.is(scene.lockOf(at(2, 0, 1)), undefined)
  scene.submit(3, 4, [pay(carol, at(2, 0, 0), [[alice, 60n]])])
  await core.tick()
  assert.is(core.blocks.find(3)?.fault?.rule, 'V6')
  assert.equal(dump(core.db), await fresh(scene))
})

test('an exit through a dispute locks its output when the block came before the exit', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  scene.submit(2, 2, [scene.inFlight])
  await core.tick()
  const dispute = scene.start()
  l1.mine([started(exitThrough(l1, dispute, { output: 1 }))])
  await core.tick()
  assert.is(scene.lockOf(at(2, 0, 1)), 5)
  scene.submit(3, 4, [pay(bob, at(2, 0, 1), [[alice, 40n]])])
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 3)
  assert.equal(dump(core.db), await fresh(scene))
})

test('exits through a dispute follow the disputed transaction from block to block', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  const exit = exitThrough(l1, scene.event(), { output: 0 })
  l1.mine([scene.event(), started(exit)])
  const other = deposited(depositPosition(1, 0), alice, 5n)
  scene.submit(2, 2, [scene.inFlight])
  await core.tick()
  assert.is(core.disputes.madeAt(scene.txHash), at(2, 0))
  l1.reorg(1)
  l1.mine([other])
  await core.tick()
  l1.mine()
  await core.tick()
  assert.is(core.disputes.madeAt(scene.txHash), undefined)
  assert.is(core.exits.placeOf(exit), undefined)
  assert.is(core.facts.exitFacts(exit.outputId)?.output.kind, 'unspent')
  scene.submit(2, 2, [])
  scene.submit(3, 2, [scene.inFlight])
  await core.tick()
  assert.is(core.exits.placeOf(exit), at(3, 0, 0))
  assert.is(scene.lockOf(at(3, 0, 0)), 3)
  assert.equal(dump(core.db), await fresh(scene))
})

test('an exit through a dispute is not taken for an exit of the output whose age it has', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  const dispute = scene.event()
  const exit = exitThrough(l1, dispute, { output: 0 })
  assert.is(exit.position, at(1, 0))
  l1.mine([dispute, started(exit)])
  await core.tick()
  const [output] = core.facts.protectedOutputs(bob.address)
  assert.is(output?.position, at(1, 0))
  assert.is(output?.exit, undefined)
  assert.is(core.facts.exitFacts(exit.outputId)?.header, undefined)
  assert.equal(core.facts.queueFrom({ oldHead: 0, youngFirst: 1, limit: 9 })[0]?.exit, exit)
  l1.reorg(1)
  l1.mine()
  l1.mine([scene.event()])
  await core.tick()
  assert.is(scene.lockOf(at(1, 0)), 4)
  assert.equal(core.facts.openExits(), [])
})

test('an output that leaves through a dispute is judged where the disputed transaction is included', async () => {
  const scene = await createScene()
  const { core, l1, txHash } = scene
  const exit = exitThrough(l1, scene.event(), { output: 0 })
  l1.mine([scene.event(), started(exit)])
  await core.tick()
  const before = core.facts.exitFacts(exit.outputId)
  assert.is(before?.output.kind, 'unspent')
  assert.equal(before?.dispute, { state: 'running' })
  const spend = pay(carol, at(2, 0, 0), [[alice, 60n]])
  scene.submit(2, 2, [scene.inFlight])
  scene.submit(3, 2, [spend])
  await core.tick()
  const facts = core.facts.exitFacts(exit.outputId)
  assert.is(facts?.dispute?.made?.position, at(2, 0))
  assert.equal(facts?.header, core.facts.header(2))
  assert.is(facts?.output.kind, 'spent')
  if (facts?.output.kind !== 'spent') return
  assert.is(facts.output.evidence.spend, at(3, 0))
  assert.equal(facts.output.evidence.signed, spend)
  const dispute = core.facts.disputeFacts(txHash)
  assert.is(dispute?.made?.position, at(2, 0))
  assert.equal(
    dispute?.outputs.map(({ output, amount, exit: leaving, spentBy }) => [output, amount, leaving?.state, spentBy]),
    [
      [0, 60n, 'queued', at(3, 0)],
      [1, 40n, undefined, undefined],
    ],
  )
})

test('nothing is said of an exit through a dispute whose age is in a block that we lack', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  const hidden = pay(bob, at(1, 0), [[bob, 100n]])
  const block = makeBlock(2, 2, [hidden])
  const { timestamp } = l1.mine([submitted([block], l1.now() + 12)])
  const spent = { owner: bob, amount: 100n, made: hidden, blockTime: timestamp }
  const dispute = disputeOf(l1, pay(bob, at(2, 0), [[carol, 100n]]), [spent], carol)
  const exit = exitThrough(l1, dispute, { output: 0 })
  l1.mine([dispute, started(exit)])
  await core.tick()
  const output = core.facts.exitFacts(exit.outputId)?.output
  assert.is(output?.kind, 'unverified')
  assert.is(output?.kind === 'unverified' && output.block, 2)
})

test('an exit that claims another amount than the disputed transaction gives it is a mismatch', async () => {
  const { core, l1, event } = await createScene()
  const exit = { ...exitThrough(l1, event(), { output: 0 }), amount: 61n }
  l1.mine([event(), started(exit)])
  await core.tick()
  assert.is(core.facts.exitFacts(exit.outputId)?.output.kind, 'mismatch')
})

test('an exit by inclusion that waits for the verdict stays at its own position', async () => {
  const scene = await createScene()
  const { core, l1, inFlight, txHash } = scene
  scene.submit(2, 2, [inFlight])
  scene.start()
  const own = exitOf({ position: at(2, 0, 0), owner: carol, amount: 60n, signed: inFlight, lockedAt: 5, startedAt: 1 })
  l1.mine([started({ ...own, disputed: txHash })])
  await core.tick()
  assert.is(core.exits.placeOf({ ...own, disputed: txHash }), at(2, 0, 0))
  assert.is(scene.lockOf(at(2, 0, 0)), 5)
  const facts = core.facts.exitFacts(own.outputId)
  assert.is(facts?.output.kind, 'unspent')
  assert.is(facts?.dispute?.made?.position, at(2, 0))
  assert.equal(
    core.facts.protectedOutputs(carol.address).map(({ exit }) => exit),
    ['queued'],
  )
})

test('a rival in a verified block is a competitor, shown with everything', async () => {
  const scene = await createScene()
  const { core } = scene
  const rival = pay(bob, at(1, 0), [[mallory, 100n]])
  scene.start()
  scene.submit(2, 2, [rival])
  await core.tick()
  const facts = core.facts.disputeFacts(scene.txHash)
  assert.is(facts?.made, undefined)
  assert.is(facts?.spends[0]?.spend, at(2, 0))
  assert.is(facts?.spends[0]?.input, 0)
  assert.equal(facts?.spends[0]?.signed, rival)
  assert.equal(facts?.inputExits, [undefined])
})

test('evidence against an exit that hangs on a verdict goes by spend and place', async () => {
  const { core, l1, event } = await createScene()
  const exit = exitThrough(l1, event(), { output: 0 })
  const { outputId } = exit
  const shown = (spend: number, place: number) =>
    ({ type: 'EvidenceShown', outputId, spend, place, challenger: carol.address, reward: 0n }) as const
  l1.mine([event(), started(exit), shown(at(8, 0), at(6, 0)), shown(at(8, 0), at(7, 0))])
  l1.mine([{ type: 'EvidenceDropped', outputId, spend: at(8, 0), place: at(6, 0) }])
  await core.tick()
  const facts = core.facts.exitFacts(outputId)
  assert.equal(facts?.evidence, [at(8, 0)])
  const places = facts?.events.flatMap((one) => (one.type === 'EvidenceShown' ? [one.place] : []))
  assert.equal(places, [at(6, 0), at(7, 0)])
  l1.mine([{ type: 'EvidenceDropped', outputId, spend: at(8, 0), place: at(7, 0) }])
  await core.tick()
  assert.equal(core.facts.exitFacts(outputId)?.evidence, [])
})

test.run()

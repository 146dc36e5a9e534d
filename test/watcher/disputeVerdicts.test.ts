/** Verdicts in the watcher's books: exits they cancel, outputs that never leave, tickets that inherit. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { at, bob, carol, exitOf } from './support/chain.ts'
import { dump, fresh } from './support/core.ts'
import { createScene } from './support/disputeScene.ts'
import { decided, disputeOf, exitThrough, started } from './support/disputes.ts'

const test = suite('watcher: verdicts')

test('a canonical verdict cancels the exit of an input: in the queue, and as a ticket', async () => {
  for (const [before, state] of [
    [[], 'cancelled'],
    [[{ type: 'ExitPostponed', from: 0n, due: 100n }], 'cancelled-ticket'],
  ] as const) {
    const scene = await createScene()
    const { core, l1, txHash } = scene
    const exit = exitOf({
      position: at(1, 0),
      owner: bob,
      amount: 100n,
      signed: scene.payment,
      lockedAt: 3,
      startedAt: 1,
    })
    const { outputId } = exit
    l1.mine([started(exit)])
    l1.mine([disputeOf(l1, scene.inFlight, [{ owner: bob, amount: 100n, made: scene.payment, lockedAt: 3 }], carol)])
    l1.mine(before.map((event) => ({ ...event, outputId })))
    await core.tick()
    assert.is(core.facts.openExits().length, 1)
    l1.mine([decided(txHash, 'canonical')])
    await core.tick()
    assert.is(core.facts.exitFacts(outputId)?.state, state)
    assert.is(core.facts.exitFacts(outputId)?.passedOn, txHash)
    assert.equal(core.facts.openExits(), [])
    assert.is(core.exits.counts()[state], 1)
    assert.is(core.facts.disputeFacts(txHash)?.inputExits[0]?.state, state)
    assert.is(core.facts.queueFrom({ oldHead: 0, youngFirst: 0, limit: 9 }).length, 1)
    const decidedAt = l1.tip().number
    l1.mine([{ type: 'ExitRemoved', outputId, reason: 'spent' }])
    await core.tick()
    assert.is(core.facts.exitFacts(outputId)?.state, 'removed')
    assert.is(core.facts.disputes(decidedAt).length, 1)
    assert.is(core.facts.disputes(decidedAt + 1).length, 0)
    assert.equal(core.codes(), [])
    l1.reorg(2)
    for (let i = 0; i < 3; i++) l1.mine()
    await core.tick()
    assert.is(core.facts.exitFacts(outputId)?.state, state === 'cancelled' ? 'queued' : 'ticket')
    assert.is(core.facts.disputeFacts(txHash)?.state, 'running')
    assert.equal(dump(core.db), await fresh(scene))
  }
})

test('what a canonical verdict passed on can never exit, with or without an exit before', async () => {
  const scene = await createScene()
  const { core, l1 } = scene
  scene.start()
  await core.tick()
  assert.is(core.facts.protectedOutputs(bob.address)[0]?.exit, undefined)
  l1.mine([decided(scene.txHash, 'canonical')])
  await core.tick()
  assert.is(core.facts.protectedOutputs(bob.address)[0]?.exit, 'cancelled')
  assert.is(scene.lockOf(at(1, 0)), 3)
})

test('after a verdict against it a transaction is no spend of its inputs, and its outputs never leave', async () => {
  const scene = await createScene()
  const { core, l1, payment } = scene
  scene.submit(2, 2, [scene.inFlight])
  const exit = exitOf({ position: at(1, 0), owner: bob, amount: 100n, signed: payment, lockedAt: 4, startedAt: 1 })
  l1.mine([scene.event(), started(exit)])
  await core.tick()
  assert.is(core.facts.exitFacts(exit.outputId)?.output.kind, 'spent')
  assert.is(core.facts.spentBy(at(1, 0)), at(2, 0))
  l1.mine([decided(scene.txHash, 'not-canonical')])
  await core.tick()
  const facts = core.facts.exitFacts(exit.outputId)
  assert.is(facts?.output.kind, 'unspent')
  assert.is(facts?.state, 'queued')
  assert.is(facts?.contested, true)
  assert.is(core.facts.spentBy(at(1, 0)), undefined)
  assert.is(core.facts.protectedOutputs(carol.address)[0]?.exit, 'removed')
})

test('an exit that was removed as void may start again: the newest start is the exit', async () => {
  const { core, l1, event } = await createScene()
  const first = exitThrough(l1, event(), { output: 0 })
  const { outputId } = first
  l1.mine([event(), started(first)])
  l1.mine([
    { type: 'EvidenceShown', outputId, spend: at(7, 0), place: at(6, 0), challenger: carol.address, reward: 0n },
    { type: 'ExitRemoved', outputId, reason: 'void' },
  ])
  await core.tick()
  assert.is(core.exits.stateOf(outputId), undefined)
  assert.is(core.facts.exitFacts(outputId)?.state, 'removed')
  const second = {
    ...first,
    position: at(9, 0),
    lockedAt: first.lockedAt,
    startedAt: l1.now() + 12,
    seq: 5,
    disputed: ZERO_HASH,
  }
  l1.mine([started(second)])
  await core.tick()
  const facts = core.facts.exitFacts(outputId)
  assert.equal(facts?.exit, second)
  assert.is(facts?.state, 'queued')
  assert.equal(facts?.evidence, [])
  assert.equal(
    facts?.events.map(({ type }) => type),
    ['ExitStarted'],
  )
  assert.is(core.exits.stateOf(outputId), 'queued')
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.equal(core.facts.exitFacts(outputId)?.exit, first)
})

for (const reason of ['spent', 'not-canonical'] as const) {
  test(`an exit that was removed as ${reason} has left for good`, async () => {
    const { core, l1, event } = await createScene()
    const exit = exitThrough(l1, event(), { output: 0 })
    l1.mine([event(), started(exit), { type: 'ExitRemoved', outputId: exit.outputId, reason }])
    await core.tick()
    assert.is(core.exits.stateOf(exit.outputId), 'removed')
  })
}

test('a ticket that inherits everything it is owed stays a ticket until it is settled', async () => {
  const { core, l1, event } = await createScene()
  const exit = exitThrough(l1, event(), { output: 0 })
  const { outputId } = exit
  const stateNow = async () => {
    await core.tick()
    return [core.facts.exitFacts(outputId)?.state, core.facts.exitFacts(outputId)?.paid]
  }
  const inherit = (amount: bigint) =>
    [
      { type: 'ExitInherited', outputId, fromOutputId: ZERO_HASH, amount },
      { type: 'ExitPaid', outputId, amount },
    ] as const
  l1.mine([event(), started(exit), { type: 'ExitPostponed', outputId, from: 10n, due: 60n }])
  l1.mine(inherit(20n))
  assert.equal(await stateNow(), ['ticket', 20n])
  l1.mine(inherit(40n))
  assert.equal(await stateNow(), ['ticket', 60n])
  l1.mine([{ type: 'ExitPaid', outputId, amount: 0n }])
  assert.equal(await stateNow(), ['settled', 60n])
})

test('an inherited part and the rest paid settle a ticket', async () => {
  const { core, l1, event } = await createScene()
  const exit = exitThrough(l1, event(), { output: 0 })
  const { outputId } = exit
  l1.mine([event(), started(exit), { type: 'ExitPostponed', outputId, from: 10n, due: 60n }])
  l1.mine([
    { type: 'ExitInherited', outputId, fromOutputId: ZERO_HASH, amount: 20n },
    { type: 'ExitPaid', outputId, amount: 20n },
    { type: 'ExitPaid', outputId, amount: 40n },
    { type: 'ShareReleased', fromOutputId: ZERO_HASH, toOutputId: outputId, amount: 5n },
  ])
  await core.tick()
  assert.is(core.facts.exitFacts(outputId)?.state, 'settled')
})

test.run()

/** Disputes and exits through them as the watcher keeps them: rows, locks, states, facts; blocks and events in any order, reorgs, rebuilds. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { rebuild } from '../../watcher/rebuild.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  hashOf,
  makeBlock,
  mallory,
  pay,
  SEPARATOR,
  submitted,
} from './support/chain.ts'
import { createFolder, createTestCore, dump, openStore } from './support/core.ts'
import { type DisputeStarted, decided, disputeOf, exitThrough, started } from './support/disputes.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: disputes')
const D0 = depositPosition(0, 0)

/** Alice's deposit was paid to Bob in block 1; Bob signed `inFlight`, which pays Carol 60 and Bob 40, and nobody knows where it is. */
async function createScene() {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const core = createTestCore({ l1, peers: [operator.peer] })
  const submit = (number: number, anchor: number, transactions: readonly SignedTransaction[]) => {
    const block = makeBlock(number, anchor, transactions)
    operator.serve(block)
    return l1.mine([submitted([block], l1.now() + 12)])
  }
  l1.mine([deposited(D0, alice, 100n)])
  const payment = pay(alice, D0, [[bob, 100n]])
  const blockTime = submit(1, 1, [payment]).timestamp
  await core.tick()
  const inFlight = pay(bob, at(1, 0), [
    [carol, 60n],
    [bob, 40n],
  ])
  const spent = { owner: bob, amount: 100n, made: payment, blockTime }
  const event = (starter = bob) => disputeOf(l1, inFlight, [spent], starter)
  const start = (): DisputeStarted => {
    const dispute = event()
    l1.mine([dispute])
    return dispute
  }
  const lockOf = (position: number) => core.ledger.find(position)?.lockedAt
  return { l1, operator, core, submit, payment, inFlight, txHash: hashOf(inFlight), event, start, lockOf }
}

/** What a watcher that starts now knows. */
async function fresh({ l1, operator }: Pick<Awaited<ReturnType<typeof createScene>>, 'l1' | 'operator'>) {
  const core = createTestCore({ l1, peers: [operator.peer] })
  await core.tick()
  await core.tick()
  return dump(core.db)
}

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

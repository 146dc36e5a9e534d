/** The items of mass exits in the queue, and what becomes of their entries: places, shares of exits, claims, demands and strikes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import type { Exit } from '../../protocol/exit.ts'
import { openedExit } from '../../protocol/massExit.ts'
import { depositIdOf } from '../../protocol/position.ts'
import { ticketOf } from '../../watcher/court/exitRecord.ts'
import { buildTurns, dueTurns } from '../../watcher/court/turns.ts'
import { explainExit } from '../../watcher/explain.ts'
import { worldAt } from './court/world.ts'
import { batchOf, lockOf } from './support/batches.ts'
import { assertStable, createLocked, createScene, D0, D1, exitOfD0, spendIn } from './support/batchScene.ts'
import { alice, at, bob, carol, exitOf, hashOf, pay } from './support/chain.ts'
import { PARAMETERS } from './support/core.ts'
import { decided, disputeOf } from './support/disputes.ts'

const test = suite('watcher: items of mass exits')
const MEP = PARAMETERS.minExitPeriod
/** Right after the lock. */
const EARLY = { openedAt: 0, minExitPeriod: MEP }

const postponed = (outputId: Exit['outputId'], from: bigint, due: bigint): RootEventBody => ({
  type: 'ExitPostponed',
  outputId,
  from,
  due,
})

test('the item has its turn among the exits, and is none for anything else', async () => {
  const { l1, core, item, batchId, entries } = createLocked()
  const exit = exitOf({
    position: at(1, 0),
    owner: carol,
    amount: 1n,
    lockedAt: l1.tip().number + 1,
    startedAt: l1.now() + 12,
    seq: 1,
  })
  const opened = openedExit({
    batchId,
    item,
    entry: entries[0]!,
    outputId: depositIdOf(D0),
    owner: alice.address,
    ...EARLY,
  })
  l1.mine([
    { type: 'ExitStarted', exit },
    { type: 'ExitStarted', exit: opened },
  ])
  await core.tick()
  const records = core.facts.queueFrom({ oldHead: 0, youngFirst: 0, limit: 9 })
  assert.equal(
    records.map((record) => record.exit.outputId),
    [batchId, exit.outputId],
  )
  const world = { ...worldAt(0), parameters: PARAMETERS, now: { ...worldAt(0).now, timestamp: exit.exitableAt + 1 } }
  const queue = {
    records: [...core.facts.openExits(), ...records.filter((record) => record.exit.outputId === batchId)],
    cursor: { oldHead: 0, oldTail: 2, youngFirst: 0, youngCursor: 0 },
    headers: new Map(),
  }
  assert.is(dueTurns(queue, world).length, 2, 'an opened entry is no gap')
  assert.equal(
    buildTurns(queue, 2, world).old.map(({ outputId }) => outputId),
    [batchId, exit.outputId],
  )
  assert.equal(
    core.facts.openExits().map((record) => record.exit.outputId),
    [exit.outputId, opened.outputId].sort((a, b) => (a === opened.outputId ? -1 : b === opened.outputId ? 1 : 0)),
  )
  assert.is(core.facts.exitFacts(batchId), undefined)
  assert.is(core.exits.counts().queued, 2)
  assert.not(core.codes().includes('EXIT_OUTCOME_UNKNOWN'))
  assert.not(core.codes().includes('EXIT_AUTHORISED_BY_UNKNOWN'), 'its batch is its payer')
})

test('after its turn the item waits for ever, and its entries have their shares', async () => {
  const scene = createLocked()
  const { l1, core, batchId } = scene
  await core.tick()
  l1.mine([postponed(batchId, 30n, 150n)], MEP + 12)
  await core.tick()
  assert.equal(core.facts.batch(batchId)?.ticket, { from: 30n, due: 150n })
  assert.equal(core.facts.openExits(), [])
  await assertStable(scene)
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.facts.batch(batchId)?.ticket, undefined)
})

test('an opened entry waits without a turn and gets its place later', async () => {
  const scene = createLocked()
  const { l1, core, batchId, item, entries } = scene
  const outputId = depositIdOf(D1)
  const opened = openedExit({ batchId, item, entry: entries[1]!, outputId, owner: bob.address, ...EARLY })
  l1.mine([{ type: 'ExitStarted', exit: opened }])
  await core.tick()
  assert.is(core.facts.exitFacts(outputId)?.state, 'queued')
  assert.equal(
    core.facts.openedEntries().map((record) => record.exit),
    [opened],
  )
  l1.mine([postponed(batchId, 0n, 150n)], MEP + 12)
  l1.mine([{ type: 'EntryPlaced', batchId, index: 1, outputId, paid: 0n }, postponed(outputId, 100n, 50n)])
  await core.tick()
  const placed = core.facts.exitFacts(outputId)!
  assert.is(placed.state, 'ticket')
  assert.equal(ticketOf(placed.events), { from: 100n, due: 50n, inherited: 0n })
  assert.equal(core.facts.openedEntries(), [])
  assert.is(core.facts.batch(batchId)?.uses.get(1)?.kind, 'placed')
  l1.mine([{ type: 'ExitPaid', outputId, amount: 50n }])
  await core.tick()
  assert.is(core.exits.record(outputId)?.state, 'settled')
  await assertStable(scene)
})

test('a cancelled exit takes the share before its turn, which then only passes by', async () => {
  const scene = createLocked()
  const { l1, core, batchId } = scene
  const exit = exitOfD0(l1)
  const { outputId } = exit
  const signed = pay(alice, D0, [[bob, 100n]])
  l1.mine([
    { type: 'ExitStarted', exit },
    disputeOf(l1, signed, [{ owner: alice, amount: 100n, lockedAt: exit.lockedAt }], bob),
  ])
  l1.mine([postponed(batchId, 0n, 150n), decided(hashOf(signed), 'canonical')], MEP + 12)
  l1.mine([{ type: 'EntryPlaced', batchId, index: 0, outputId, paid: 0n }, postponed(outputId, 0n, 100n)])
  await core.tick()
  assert.is(core.facts.exitFacts(outputId)?.state, 'cancelled-ticket')
  assert.equal(
    core.facts.queueFrom({ oldHead: 1, youngFirst: 0, limit: 9 }).map((record) => record.exit.outputId),
    [outputId],
    'its turn is still ahead, and the queue needs it',
  )
  await assertStable(scene)
})

test('a ticket that is paid out of a share stays one until its own place is settled', async () => {
  const scene = createLocked()
  const { l1, core, batchId } = scene
  const exit = exitOfD0(l1)
  const { outputId } = exit
  l1.mine([{ type: 'ExitStarted', exit }])
  l1.mine([postponed(batchId, 0n, 150n), postponed(outputId, 150n, 100n)], MEP + 12)
  l1.mine([
    { type: 'EntryPlaced', batchId, index: 0, outputId, paid: 100n },
    { type: 'ExitPaid', outputId, amount: 100n },
  ])
  await core.tick()
  const record = core.facts.exitFacts(outputId)!
  assert.is(record.state, 'ticket')
  assert.equal(ticketOf(record.events), { from: 150n, due: 100n, inherited: 100n })
  l1.mine([{ type: 'ExitPaid', outputId, amount: 0n }])
  await core.tick()
  assert.is(core.exits.record(outputId)?.state, 'settled')
  await assertStable(scene)
})

test('an entry whose value a verdict passed on is placed for whoever inherits it', async () => {
  const scene = createLocked()
  const { l1, core, batchId, item, entries } = scene
  const signed = pay(alice, D0, [[bob, 100n]])
  const dispute = disputeOf(l1, signed, [{ owner: alice, amount: 100n, lockedAt: item.lockedAt }], bob)
  l1.mine([dispute])
  l1.mine([postponed(batchId, 0n, 150n), decided(hashOf(signed), 'canonical')], MEP + 12)
  const outputId = depositIdOf(D0)
  const exit = openedExit({ batchId, item, entry: entries[0]!, outputId, owner: alice.address, ...EARLY })
  l1.mine([
    { type: 'ExitStarted', exit },
    { type: 'EntryPlaced', batchId, index: 0, outputId, paid: 0n },
    postponed(outputId, 0n, 100n),
  ])
  await core.tick()
  assert.is(core.facts.exitFacts(outputId)?.state, 'cancelled-ticket')
  await assertStable(scene)
})

test('a claimed output is settled: no exit of it can start', async () => {
  const scene = createLocked()
  const { l1, core, batchId } = scene
  const outputId = depositIdOf(D0)
  l1.mine([postponed(batchId, 0n, 150n)], MEP + 12)
  await core.tick()
  assert.is(core.facts.protectedOutputs(alice.address)[0]?.exit, undefined)
  const claimed = [{ index: 0, outputId, owner: alice.address }]
  l1.mine([
    { type: 'EntriesClaimed', batchId, claimed },
    { type: 'EntryReleased', batchId, index: 1, position: D1, amount: 50n },
  ])
  await core.tick()
  assert.is(core.facts.protectedOutputs(alice.address)[0]?.exit, 'settled')
  assert.is(core.facts.batch(batchId)?.uses.get(0)?.kind, 'claimed')
  assert.is(core.facts.batch(batchId)?.uses.get(1)?.kind, 'released')
  assert.match(explainExit(core, outputId)?.summary.join('; ') ?? '', /paid to its owner as entry 0/)
  assert.match(explainExit(core, batchId)?.summary.join('; ') ?? '', /entries claimed: 1,.*released: 1/)
  await assertStable(scene)
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.facts.protectedOutputs(alice.address)[0]?.exit, undefined)
  assert.is(core.facts.batch(batchId)?.uses.size, 0)
})

test('demands and strikes come and go as L1 says, also one by one', async () => {
  const scene = createScene()
  const { l1, core } = scene
  const start = batchOf(l1, [
    { position: D0, amount: 100n },
    { position: D1, amount: 50n },
  ])
  const { batchId } = start
  l1.mine([start])
  const demand = (index: number, position: number): RootEventBody => ({
    type: 'EntryDemanded',
    batchId,
    index,
    position,
    demander: carol.address,
    bond: 9n,
  })
  l1.mine([demand(0, D0), demand(1, D1)])
  await core.tick()
  assert.is(core.facts.batch(batchId)?.openDemands, 2)
  l1.mine([{ type: 'DemandAnswered', batchId, index: 0, outputId: depositIdOf(D0), reward: 1n }])
  await core.tick()
  assert.is(core.facts.batch(batchId)?.openDemands, 1)
  assert.is(core.facts.exitFacts(depositIdOf(D0)), undefined, 'an answer is no event of an exit')
  l1.mine([{ type: 'DemandAnswered', batchId, index: 1, outputId: depositIdOf(D1), reward: 1n }])
  l1.mine([lockOf(l1, start)])
  const strike = { batchId, position: D1, spend: at(1, 0), signer: bob.address }
  l1.mine([{ type: 'EntryStruck', ...strike, challenger: carol.address }])
  await core.tick()
  assert.is(core.facts.batch(batchId)?.strikes.size, 1)
  l1.mine([{ type: 'StrikeDropped', ...strike }])
  await core.tick()
  assert.is(core.facts.batch(batchId)?.strikes.size, 0)
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.facts.batch(batchId)?.strikes.size, 1, 'a reorg brings the strike back')
  await assertStable(scene)
})

test('the vault is short when a spent output was claimed, or may be since nobody showed the spend in time', async () => {
  const { l1, operator, core, batchId, item } = createLocked()
  const block = spendIn(l1, 1, item.lockedAt - 1, D0)
  await core.tick()
  const until = item.exitableAt - Math.floor(MEP / 4)
  l1.mine([], until - l1.now())
  operator.serve(block)
  await core.tick()
  assert.is(core.facts.safety().status, 'safe')
  l1.mine()
  await core.tick()
  assert.equal(core.facts.safety(), { ...core.facts.safety(), reason: 'short', outputId: batchId, missing: 100n })
  l1.reorg(1)
  const strike = { type: 'EntryStruck', batchId, position: D0, spend: at(1, 0), signer: alice.address } as const
  l1.mine([{ ...strike, challenger: carol.address }])
  l1.mine()
  await core.tick()
  assert.is(core.facts.safety().status, 'safe', 'the owner’s own spend is on file')
})

test.run()

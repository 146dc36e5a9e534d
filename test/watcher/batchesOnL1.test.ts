/** A whole watcher on the real root contract: mass exits lock, have their turn, and give their places, and its books say what L1 says. */
import * as assert from 'uvu/assert'
import { encodeSettle } from '../../l1/rootCalls.ts'
import { ticketOf } from '../../watcher/court/exitRecord.ts'
import { refuses, rootSuite } from '../contracts/rootSuite.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  placeEntry,
  startBatch,
  type TestBatch,
  turnBatch,
} from '../support/batchMoves.ts'
import {
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  signMandate,
  startDepositExit,
  stateOf,
  submit,
} from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, erin } = actors
const { test, world } = rootSuite('watcher: mass exits on L1')

/** Deposits of these owners, one ether each, in one batch that is locked. */
async function lockedBatch(
  owners: readonly (typeof alice)[],
  from = actors.watcher,
): Promise<TestBatch & { positions: number[] }> {
  const { chain } = world
  const positions: number[] = []
  for (const owner of owners) positions.push(await deposit(chain, owner))
  const batch = await startBatch(
    chain,
    positions.map((position) => ({ position, amount: ETHER })),
    { from },
  )
  await lockBatch(chain, batch)
  return Object.assign(batch, { positions })
}

test('a block that spends a locked entry is proven invalid with the entry, and the chain ends', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const { positions } = await lockedBatch([alice, bob])
  await chain.client.mine({ blocks: 1 })
  watcher.serve(await submit(chain, [await chain.pay(bob, positions[1]!, [[carol, ETHER]])]))
  assert.equal(await watcher.act(), { done: ['prove'], refused: [] })
  assert.is(watcher.facts.halt().voidFrom, 1)
})

test('the turn of a stranger’s batch is given with that of the exit behind it', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const { mandate, signature } = await signMandate(chain, erin, {})
  watcher.protection.add({ owner: erin.address, mandate, signature }, 0)
  const batch = await lockedBatch([alice, bob], carol)
  const exit = await startDepositExit(chain, erin, await deposit(chain, erin))
  // Before its turn an entry is opened: it has no turn of its own.
  const opened = await openEntry(chain, batch, 1, depositAt(bob, ETHER))
  await passTo(chain, exit.exitableAt + 1)
  assert.equal(await watcher.act(), { done: ['process'], refused: [] })
  assert.is(await stateOf(chain, exit), 'settled')
  assert.equal(watcher.facts.batch(batch.id)?.ticket, { from: 0n, due: 2n * ETHER })
  assert.is(watcher.facts.exitFacts(opened.outputId)?.state, await stateOf(chain, opened))
  await placeEntry(chain, batch, 1, opened)
  await claim(chain, batch, [[0, depositAt(alice, ETHER)]])
  await watcher.look()
  const placed = watcher.facts.exitFacts(opened.outputId)
  assert.is(placed?.state, 'ticket')
  assert.equal(ticketOf(placed!.events), { from: ETHER, due: ETHER, inherited: 0n })
  assert.equal(
    watcher.facts.protectedOutputs(alice.address).map((output) => output.exit),
    ['settled'],
  )
  await chain.send(carol.account, encodeSettle([opened]))
  await watcher.look()
  assert.is(watcher.exits.record(opened.outputId)?.state, 'settled')
  assert.is(await stateOf(chain, opened), 'settled')
  watcher.log.assertNoErrors()
})

test('a coordinator that is gone is not missed where one of its owners gave a mandate: her batch has its turn, and she her money', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const batch = await lockedBatch([alice, bob], erin)
  await watcher.look()
  watcher.coordinator.mandates.add(await signMandate(chain, alice, {}), 0)
  await passTo(chain, batch.item!.exitableAt + 1)
  assert.equal(await watcher.act(), { done: ['process'], refused: [] })
  assert.equal(watcher.facts.batch(batch.id)?.ticket, { from: 0n, due: 2n * ETHER })
  await passTime(chain, 60)
  assert.equal(await watcher.act(), { done: ['claim'], refused: [] })
  assert.equal(
    watcher.facts.protectedOutputs(alice.address).map((output) => output.exit),
    ['settled'],
  )
})

test('an exit of a named output keeps its own turn, whatever its entry does, and the queue goes on', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const { mandate, signature } = await signMandate(chain, erin, {})
  watcher.protection.add({ owner: erin.address, mandate, signature }, 0)
  const batch = await lockedBatch([alice])
  await passTime(chain, 60)
  const own = await startDepositExit(chain, alice, batch.positions[0]!)
  const last = await startDepositExit(chain, erin, await deposit(chain, erin))
  await turnBatch(chain, batch, {})
  await refuses('StateUnexpected', () => adoptExit(chain, batch, [0, depositAt(alice, ETHER), own]))
  await passTo(chain, last.exitableAt + 1)
  const { done, refused } = await watcher.act()
  assert.equal(refused, [])
  assert.ok(done.includes('process'))
  for (const exit of [own, last]) {
    assert.is(watcher.exits.record(exit.outputId)?.state, await stateOf(chain, exit))
  }
  watcher.log.assertNoErrors()
})

test('a second exit that was payable already is paid out of the share, and its own place is freed', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const batch = await lockedBatch([alice])
  const own = await startDepositExit(chain, alice, batch.positions[0]!)
  // Nothing else is there: the line is full after the batch, and the exit waits behind it.
  await passTo(chain, own.exitableAt + 1)
  await turnBatch(chain, batch, { exits: [own] })
  await watcher.look()
  assert.is(watcher.exits.record(own.outputId)?.state, 'ticket')
  await adoptExit(chain, batch, [0, depositAt(alice, ETHER), own])
  await watcher.look()
  const record = watcher.exits.record(own.outputId)!
  assert.is(record.paid, ETHER)
  assert.is(record.state, await stateOf(chain, own))
  watcher.log.assertNoErrors()
})

test('another mass exit that locked an output before, and whose turn comes later, keeps nobody from a claim', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const [of, other] = [await deposit(chain, alice), await deposit(chain, carol)]
  await chain.client.mine({ blocks: 1 })
  const block = await submit(chain, [await chain.pay(carol, other, [[carol, ETHER]])])
  watcher.serve(block)
  const entry = { position: of, amount: ETHER }
  const hostile = await startBatch(chain, [entry, { position: place(block, 0), amount: ETHER }], {
    from: carol,
    lastBlock: block,
  })
  const honest = await startBatch(chain, [entry])
  await lockBatch(chain, hostile)
  await lockBatch(chain, honest)
  assert.ok(hostile.item!.lockedAt < honest.item!.lockedAt)
  assert.ok(hostile.item!.exitableAt > honest.item!.exitableAt)
  await watcher.look()
  watcher.coordinator.mandates.add(await signMandate(chain, alice, {}), 0)
  await passTo(chain, honest.item!.exitableAt + 1)
  assert.equal(await watcher.act(), { done: ['process'], refused: [] })
  await passTime(chain, 60)
  assert.equal(await watcher.act(), { done: ['claim'], refused: [] })
})

test.run()

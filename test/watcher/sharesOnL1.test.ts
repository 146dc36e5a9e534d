/** A whole watcher on the real root contract: what L1 takes, and an owner needs, the watcher sends, although it names outputs by where they stand and L1 by what made them. */
import * as assert from 'uvu/assert'
import { rootSuite } from '../contracts/rootSuite.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  spendAt,
  startBatch,
  strike,
} from '../support/batchMoves.ts'
import { decide, deposited, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { createBait, haltAt, submitBad } from '../support/haltMoves.ts'
import {
  balance,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, mallory } = actors
const { test, world, mep } = rootSuite('watcher: shares on L1')

test('a spent output that a thief opened in the younger of two batches is released although the line is far from it: it holds the older share', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(bob)
  const spent = await deposit(chain, mallory)
  const mine = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  watcher.serve(block)
  const poisoned = [{ position: spent, amount: ETHER }]
  const older = await startBatch(chain, poisoned, { from: mallory })
  const between = await startBatch(
    chain,
    [
      { position: mine, amount: ETHER },
      { position: place(block), amount: ETHER },
    ],
    { lastBlock: block },
  )
  await lockBatch(chain, older)
  await lockBatch(chain, between)
  await passTo(chain, block.header.timestamp + mep())
  const younger = await startBatch(chain, poisoned, { from: mallory })
  await lockBatch(chain, younger)
  await openEntry(chain, younger, 0, depositAt(mallory, ETHER))
  assert.equal((await watcher.act()).refused, [])
  await passTo(chain, younger.item!.exitableAt + 1)
  const before = await balance(chain, bob)
  await passTime(chain, 2 * mep())
  await watcher.actAll()
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

test('a stranger’s output that left by an exit of its own does not keep its share from who is behind', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(bob)
  const [theirs, his] = [await deposit(chain, mallory), await deposit(chain, bob)]
  const own = await startDepositExit(chain, mallory, theirs)
  const batch = await startBatch(
    chain,
    [theirs, his].map((position) => ({ position, amount: ETHER })),
    { from: carol },
  )
  await lockBatch(chain, batch)
  await passTo(chain, batch.item!.exitableAt + 1)
  await process(chain, turnsOf([own, batch.item!]))
  assert.is(await stateOf(chain, own), 'settled')
  const before = await balance(chain, bob)
  await watcher.actAll()
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

test('nor does one that another mass exit paid', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(bob)
  const [theirs, his] = [await deposit(chain, mallory), await deposit(chain, bob)]
  const first = await startBatch(chain, [{ position: theirs, amount: ETHER }], { from: mallory })
  const batch = await startBatch(
    chain,
    [theirs, his].map((position) => ({ position, amount: ETHER })),
    { from: carol },
  )
  await lockBatch(chain, first)
  await lockBatch(chain, batch)
  await passTo(chain, batch.item!.exitableAt + 1)
  await process(chain, turnsOf([first.item!, batch.item!]))
  await claim(chain, first, [[0, depositAt(mallory, ETHER)]])
  const before = await balance(chain, bob)
  await watcher.actAll()
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

/** Two mass exits of Mallory's name her deposit, and then comes one with Bob's: less is there than what is reserved up to his share. */
async function behindTwo() {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(bob)
  const [theirs, his] = [await deposit(chain, mallory), await deposit(chain, bob)]
  const doubled = [{ position: theirs, amount: ETHER }]
  const batches = [
    await startBatch(chain, doubled, { from: mallory }),
    await startBatch(chain, doubled, { from: carol }),
    await startBatch(chain, [{ position: his, amount: ETHER }], { from: carol }),
  ]
  for (const batch of batches) await lockBatch(chain, batch)
  return { chain, watcher, theirs, batches }
}

test('nor does one that two mass exits name and that nobody claims', async () => {
  const { chain, watcher, batches } = await behindTwo()
  await passTo(chain, batches[2]!.item!.exitableAt + 1)
  await process(chain, turnsOf(batches.map(({ item }) => item!)))
  const before = await balance(chain, bob)
  await watcher.actAll()
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

test('nor does one whose own exit waits behind', async () => {
  const { chain, watcher, theirs, batches } = await behindTwo()
  const own = await startDepositExit(chain, mallory, theirs)
  await passTo(chain, own.exitableAt + 1)
  await process(chain, turnsOf([...batches.map(({ item }) => item!), own]))
  assert.is(await stateOf(chain, own), 'ticket')
  const before = await balance(chain, bob)
  await watcher.actAll()
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

test('nor does one that a verdict made undone', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(bob)
  const source = await deposit(chain, mallory)
  const payment = await chain.pay(mallory, source, [[carol, ETHER]])
  const block = await submit(chain, [payment])
  watcher.serve(block)
  const his = await deposit(chain, bob)
  // Nobody answers, so it counts as never included, and its input leaves.
  const dispute = await startDispute(chain, payment, [deposited(mallory)], { from: mallory })
  await showCompetitor(chain, dispute, await chain.pay(mallory, source, [[mallory, ETHER]]))
  const own = await startDepositExit(chain, mallory, source)
  const entries = [place(block), his].map((position) => ({ position, amount: ETHER }))
  const batch = await startBatch(chain, entries, { from: carol, lastBlock: block })
  await lockBatch(chain, batch)
  await passTo(chain, Math.max(dispute.dispute.exitableAt, batch.item!.exitableAt) + 1)
  assert.is((await decide(chain, dispute)).verdict, 'not-canonical')
  await process(chain, turnsOf([own, batch.item!], [block]))
  assert.is(await stateOf(chain, own), 'settled')
  // The chain goes on: after a halt nobody is a stranger.
  watcher.serve(await submit(chain, [await chain.pay(carol, await deposit(chain, carol, 5n), [[carol, 5n]])]))
  const before = await balance(chain, bob)
  assert.ok(!(await watcher.actAll()).includes('halt-abandoned'))
  assert.is(await balance(chain, bob), before + ETHER)
  watcher.log.assertNoErrors()
})

test('an opened entry that a stranger put into the younger share is paid out of its own, the older one', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(alice)
  const hers = await deposit(chain, alice)
  const entries = [{ position: hers, amount: ETHER }]
  const older = await startBatch(chain, entries)
  const younger = await startBatch(chain, entries, { from: mallory })
  await lockBatch(chain, older)
  await lockBatch(chain, younger)
  const shown = depositAt(alice, ETHER)
  const exit = await openEntry(chain, older, 0, shown)
  await passTo(chain, younger.item!.exitableAt + 1)
  await process(chain, turnsOf([older.item!, younger.item!]))
  await adoptExit(chain, younger, [0, shown, exit])
  await passTo(chain, exit.exitableAt + 1)
  const before = await balance(chain, alice)
  await watcher.actAll()
  assert.is(await balance(chain, alice), before + ETHER)
  watcher.log.assertNoErrors()
})

test('an exit by a copy that did not stand locked the output where it stands too: another exit of it is paid', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(alice)
  const bait = await createBait(chain)
  const payment = await chain.pay(bob, await deposit(chain, bob), [[alice, ETHER]])
  const block = await submit(chain, [payment])
  watcher.serve(block)
  const copy = await submitBad(chain, bait, [payment])
  const exit = await startExit(chain, alice, [copy, 0, 0])
  await haltAt(chain, copy)
  const batch = await startBatch(chain, [{ position: place(block), amount: ETHER }], { from: carol, lastBlock: block })
  await lockBatch(chain, batch)
  assert.ok(exit.lockedAt < batch.item!.lockedAt)
  await passTo(chain, Math.max(exit.exitableAt, batch.item!.exitableAt) + 1)
  await process(chain, turnsOf([exit, batch.item!], [block, copy]))
  assert.is(await stateOf(chain, exit), 'locked')
  const before = await balance(chain, alice)
  await watcher.actAll()
  await passTime(chain, mep())
  await watcher.actAll()
  assert.is(await balance(chain, alice), before + ETHER)
  watcher.log.assertNoErrors()
})

test('an entry that was struck with what a verdict made undone is opened, cleared of it, and paid', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(alice)
  const hers = await deposit(chain, alice)
  const payment = await chain.pay(alice, hers, [[bob, ETHER]])
  const block = await submit(chain, [payment])
  watcher.serve(block)
  const batch = await startBatch(chain, [{ position: hers, amount: ETHER }], { from: carol })
  await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, block, 0, hers)])
  // Nobody answers, so it counts as never included.
  const dispute = await startDispute(chain, payment, [deposited(alice)], { from: mallory })
  await showCompetitor(chain, dispute, await chain.pay(alice, hers, [[mallory, ETHER]]))
  await passTo(chain, dispute.dispute.exitableAt + 1)
  assert.is((await decide(chain, dispute)).verdict, 'not-canonical')
  await process(chain, turnsOf([batch.item!]))
  const before = await balance(chain, alice)
  await watcher.actAll()
  await passTime(chain, mep())
  await watcher.actAll()
  assert.is(await balance(chain, alice), before + ETHER)
  watcher.log.assertNoErrors()
})

test('an output whose exit by an inclusion did not stand leaves through the dispute', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const bait = await createBait(chain)
  const payment = await chain.pay(bob, await deposit(chain, bob), [[alice, ETHER]])
  const bad = await submitBad(chain, bait, [payment])
  const exit = await startExit(chain, alice, [bad, 0, 0])
  const dispute = await startDispute(chain, payment, [deposited(bob)], { from: mallory })
  await haltAt(chain, bad)
  await passTo(chain, Math.max(exit.exitableAt, dispute.dispute.exitableAt) + mep())
  await process(chain, turnsOf([exit], [bad]))
  assert.is(await stateOf(chain, exit), 'locked')
  await watcher.protect(alice)
  const done = await watcher.actAll()
  assert.ok(done.includes('start-disputed'), done.join(' '))
})

test.run()

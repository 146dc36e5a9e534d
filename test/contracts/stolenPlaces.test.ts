/** Places that a stranger, or a payer, takes from whoever is owed (docs/adr/0019-one-output-many-places.md): none can be taken. */
import * as assert from 'uvu/assert'
import { encodeFreePlace } from '../../l1/rootCalls.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import {
  answer,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import { createBait, haltAt, memoOf, release, submitBad } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  nextAt,
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
import { actors, ETH, eventOf } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, dave, erin, mallory } = actors
const { test, world, mep, balanceOf } = rootSuite('root contract: places that are taken')
const totals = () => world.chain.read<readonly [bigint, bigint]>('totals', [ETH])

test('an entry that nothing has to be decided about is opened before its turn by the owner only: an exit of hers may be older', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const dust = await deposit(chain, mallory, 5n)
  const first = await submit(chain, [await chain.pay(bob, source, [[alice, ETHER]])])
  await passTime(chain, mep() + 10)
  // One forged leaf that nobody was shown.
  const m = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const after = await submit(chain, [await chain.pay(mallory, dust, [[mallory, 5n]])])
  await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const entries = [
    { position: place(first), amount: ETHER },
    { position: place(after), amount: 5n },
  ]
  const batch = await startBatch(chain, entries, { lastBlock: after, from: mallory })
  const item = await lockBatch(chain, batch)
  await refuses('NotOwner', () => openEntry(chain, batch, 0, outputAt(chain, first), mallory))
  await nextAt(chain, m.header.timestamp + mep() - 20)
  const own = await startExit(chain, alice, [first, 0, 0])
  const forged = await startExit(chain, mallory, [m, 0, 0])
  await passTo(chain, Math.max(item.exitableAt, forged.exitableAt) + 1)
  await process(chain, turnsOf([ofErin, own, forged, item], [first, m, after]))
  assert.is(await stateOf(chain, own), 'settled')
  assert.is(await stateOf(chain, forged), 'ticket', 'what was forged comes after her')
})

test('before the turn the owner may open her entry, and anybody one that was struck, once an exit of its owner’s would be younger', async () => {
  const { chain } = world
  const source = await deposit(chain, bob)
  const hers = await deposit(chain, alice)
  const first = await submit(chain, [await chain.pay(bob, source, [[mallory, ETHER]])])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  await passTime(chain, mep() + 10)
  const entries = [
    { position: hers, amount: ETHER },
    { position: place(first), amount: ETHER },
  ].sort((a, b) => a.position - b.position)
  const batch = await startBatch(chain, entries, { lastBlock: first })
  const item = await lockBatch(chain, batch)
  const [index, other] = entries[0]!.position === hers ? [0, 1] : [1, 0]
  const own = await openEntry(chain, batch, index, depositAt(alice, ETHER), alice)
  assert.is(await stateOf(chain, own), 'queued')
  const shown = outputAt(chain, first)
  await refuses('NotOwner', () => openEntry(chain, batch, other, shown, dave))
  await strike(chain, batch, [spendAt(chain, spend, 0, place(first))])
  await passTo(chain, item.exitableAt - mep() - 30)
  await nextAt(chain, item.exitableAt - mep())
  await refuses('NotOwner', () => openEntry(chain, batch, other, shown, dave))
  await nextAt(chain, item.exitableAt - mep() + 1)
  assert.is(await stateOf(chain, await openEntry(chain, batch, other, shown, dave)), 'queued')
})

test('nobody puts off a claim by opening the entry in a younger batch', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const hers = await deposit(chain, alice)
  await haltAt(chain, await submitBad(chain, bait))
  const entries = [{ position: hers, amount: ETHER }]
  const shown = depositAt(alice, ETHER)
  const older = await startBatch(chain, entries)
  const item = await lockBatch(chain, older)
  await passTo(chain, item.exitableAt - mep() / 4 - 10)
  const younger = await startBatch(chain, entries, { from: mallory })
  await lockBatch(chain, younger)
  await refuses('NotOwner', () => openEntry(chain, younger, 0, shown, mallory))
  await turnBatch(chain, older)
  const before = await balanceOf(alice)
  await claim(chain, older, [[0, shown]])
  assert.is((await balanceOf(alice)) - before, ETHER)
})

test('what a verdict passed on is inherited out of the older of two shares, whoever opens first', async () => {
  const { chain } = world
  const hers = await deposit(chain, mallory)
  await deposit(chain, bob)
  const payment = await chain.pay(mallory, hers, [[dave, ETHER]])
  const entries = [{ position: hers, amount: ETHER }]
  const forgedBlock = await submit(chain, [await chain.pay(mallory, 0, [[mallory, 2n * ETHER]])])
  await passTime(chain, mep() / 2)
  const older = await startBatch(chain, entries)
  const items = [await lockBatch(chain, older)]
  const younger = await startBatch(chain, entries, { from: mallory })
  const started = await startDispute(chain, payment, [deposited(mallory)], { from: dave })
  const heir = await startDisputedExit(chain, dave, started)
  items.push(await lockBatch(chain, younger))
  const forged = await startExit(chain, mallory, [forgedBlock, 0, 0])
  const ends = [...items, heir, forged].map(({ exitableAt }) => exitableAt)
  await passTo(chain, Math.max(...ends) + 1)
  await process(chain, turnsOf([...items, forged, heir], [forgedBlock]))
  assert.is((await decide(chain, started)).verdict, 'canonical')
  // Mallory asks for the verdict and opens it in her batch in the same second.
  const shown = depositAt(mallory, ETHER)
  const x = await openEntry(chain, younger, 0, shown, mallory)
  const adopted = await adoptExit(chain, older, [0, shown, x])
  await refuses('EntryUsed', () => adoptExit(chain, older, [0, shown, x]))
  const before = await balanceOf(dave)
  await inherit(chain, started, heir)
  const got = (await balanceOf(dave)) - before
  assert.ok(got >= ETHER && got < 2n * ETHER, 'the ether, and his own bond')
  // The place in the younger batch is nobody's any more. It is freed once; then the exit itself can go.
  const leftPlace = eventOf(adopted.events, 'PlaceLeft')
  const free = () => chain.send(bob.account, encodeFreePlace(leftPlace.token, leftPlace.from))
  const [funded] = await totals()
  await free()
  assert.is((await totals())[0], funded + ETHER)
  await refuses('NothingToDo', free)
  eventOf((await release(chain, x)).events, 'ExitRemoved')
  await refuses('StateUnexpected', () => release(chain, x))
})

test('a payer spoils no older place of her payee by an exit of her own', async () => {
  const { chain } = world
  const hers = await deposit(chain, mallory)
  const forgedBlock = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const payment = await chain.pay(mallory, hers, [[dave, ETHER]])
  const batch = await startBatch(chain, [{ position: hers, amount: ETHER }])
  const item = await lockBatch(chain, batch)
  await passTo(chain, forgedBlock.header.timestamp + mep() + 1)
  const forged = await startExit(chain, mallory, [forgedBlock, 0, 0])
  const own = await startDepositExit(chain, mallory, hers)
  const started = await startDispute(chain, payment, [deposited(mallory)], { from: dave, exits: [own] })
  const heir = await startDisputedExit(chain, dave, started)
  await passTo(chain, heir.exitableAt + 1)
  await process(chain, turnsOf([item, forged, own, heir], [forgedBlock]))
  assert.is((await decide(chain, started)).verdict, 'canonical')
  // In the very second of the verdict she takes her bond, and the exit is gone.
  eventOf((await release(chain, own)).events, 'ExitRemoved')
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, depositAt(mallory, ETHER)))
  await adoptExit(chain, batch, [0, depositAt(mallory, ETHER), own])
  await refuses('StateUnexpected', () => release(chain, own))
  const before = await balanceOf(dave)
  await inherit(chain, started, heir)
  assert.is((await balanceOf(dave)) - before, ETHER)
  await refuses('ShareMissing', () => inherit(chain, started, heir))
})

test('heirs have the older place of an exit through a dispute too, and nobody frees it', async () => {
  const { chain } = world
  const hers = await deposit(chain, mallory)
  const payment = await chain.pay(mallory, hers, [[mallory, ETHER]])
  const first = await submit(chain, [payment])
  const batch = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const item = await lockBatch(chain, batch)
  // As old as the deposit, so without this its turn would be the first.
  await passTo(chain, item.exitableAt - mep() / 2)
  const ofMaker = await startDispute(chain, payment, [deposited(mallory)], { from: mallory })
  const own = await startDisputedExit(chain, mallory, ofMaker)
  const toDave = await chain.pay(mallory, place(first), [[dave, ETHER]])
  const started = await startDispute(chain, toDave, [madeIn(chain, first)], { from: dave, exits: [own] })
  const heir = await startDisputedExit(chain, dave, started)
  await passTo(chain, Math.max(item.exitableAt, own.exitableAt, heir.exitableAt, started.dispute.exitableAt) + 1)
  await process(chain, turnsOf([item, own, heir], [first]))
  for (const one of [ofMaker, started]) assert.is((await decide(chain, one)).verdict, 'canonical')
  await release(chain, own)
  const shown = outputAt(chain, first)
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, shown))
  await adoptExit(chain, batch, [0, shown, own])
  const before = await balanceOf(dave)
  await inherit(chain, started, heir)
  assert.is((await balanceOf(dave)) - before, ETHER)
})

test('an answer that was weighed before its block became void is none at the verdict', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  await submit(chain, [])
  const anchor = Number(await chain.client.getBlockNumber())
  const started = await startDispute(chain, signed, [deposited(alice)])
  // Anchored before the lock, submitted after it: they can be voided until after E.
  await nextAt(chain, started.startedAt + 12)
  const blocks = [
    await submitBad(chain, bait, [signed], anchor),
    await submit(chain, [signed], anchor),
    await submit(chain, [signed], anchor),
  ] as const
  await showCompetitor(chain, started, await chain.pay(alice, position, [[alice, ETHER]]))
  for (const block of blocks) await answer(chain, started, includedIn(chain, block))
  await nextAt(chain, started.dispute.exitableAt + 1)
  assert.is((await decide(chain, started, { answers: [place(blocks[1])] })).verdict, 'running')
  const { lastMove } = await haltAt(chain, blocks[0])
  assert.ok(lastMove > started.dispute.exitableAt)
  await passTo(chain, lastMove + mep() + 1)
  const { verdict } = await decide(chain, started, { answers: [place(blocks[2])] })
  assert.is(verdict, 'not-canonical', 'all three answers are void')
})

test('after a verdict that was put off as long as can be, payees have a period to come for the place', async () => {
  const { chain } = world
  const source = await deposit(chain, mallory)
  const made = await submit(chain, [await chain.pay(mallory, source, [[mallory, ETHER]])])
  await passTo(chain, made.header.timestamp + 2 * mep())
  const hers = await deposit(chain, alice)
  const input = await startDepositExit(chain, alice, hers)
  const inputs = [place(made), hers].sort((a, b) => a - b)
  const outputs = [{ owner: bob.address, token: ETH, amount: 2n * ETHER, condition: memoOf('') }]
  const joint = await chain.sign({ inputs, outputs, memo: memoOf('') }, [mallory, alice])
  const started = await startDispute(chain, joint, [madeIn(chain, made), deposited(alice)], { exits: [input] })
  const { exitableAt } = started.dispute
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  await passTo(chain, exitableAt - 5)
  await startDispute(chain, made.transactions[0]!, [deposited(mallory)], { from: mallory })
  await passTo(chain, exitableAt + 2 * mep() + 1)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  const index = inputs.indexOf(hers)
  await refuses('StateUnexpected', () => inherit(chain, started, input, [index, 0]))
  await passTo(chain, exitableAt + 3 * mep() + 1)
  // Nobody came: the place is free.
  await inherit(chain, started, input, [index, 0])
})

test.run()

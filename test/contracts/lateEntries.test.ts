/** Entries of mass exits that are opened late, or by strangers: what can still be shown against them, and what they cost an owner. */
import * as assert from 'uvu/assert'
import { bytesToHex } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { hashTransaction } from '../../protocol/transaction.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
} from '../support/batchMoves.ts'
import {
  challengeByPlace,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
} from '../support/disputeMoves.ts'
import { createBait, freePlaces, GARBAGE, haltAt, memoOf, release, settle, submitBad } from '../support/haltMoves.ts'
import {
  challenge,
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
import { actors, attempt, ETH } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, erin, mallory } = actors
const { test, world, mep, balanceOf } = rootSuite('root contract: entries that are opened late')

for (const isOpened of [false, true])
  test(`a struck share pays no entry of a copy of what was spent, opened ${isOpened ? 'before' : 'after'} the turn`, async () => {
    const { chain } = world
    const source = await deposit(chain, bob)
    const hers = await deposit(chain, alice)
    const made = await chain.pay(bob, source, [[mallory, ETHER]])
    const first = await submit(chain, [made])
    const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
    await passTime(chain, mep() + 10)
    const older = await startBatch(chain, [{ position: place(first), amount: ETHER }], {
      lastBlock: first,
      from: mallory,
    })
    const copy = await submit(chain, [{ transaction: made.transaction, witnesses: GARBAGE }])
    const byCopy = outputAt(chain, copy)
    const item = await lockBatch(chain, older)
    await strike(chain, older, [spendAt(chain, spend, 0, place(first))])
    const younger = await startBatch(chain, [{ position: place(copy), amount: ETHER }], {
      lastBlock: copy,
      from: carol,
    })
    const other = await lockBatch(chain, younger)
    // Everybody honest is in time.
    await nextAt(chain, copy.header.timestamp + mep() - 50)
    const exits = [await startDepositExit(chain, alice, hers), await startExit(chain, dave, [spend, 0, 0])]
    for (const exit of exits) assert.ok(exit.startedAt <= copy.header.timestamp + mep(), 'in time')
    await refuses('NotOwner', () => openEntry(chain, younger, 0, byCopy, dave))
    let x: Exit | undefined
    if (isOpened) {
      await passTo(chain, other.exitableAt - mep() / 4 + 1)
      x = await openEntry(chain, younger, 0, byCopy, mallory)
    }
    await passTo(chain, Math.max(other.exitableAt, ...exits.map(({ exitableAt }) => exitableAt)) + 1)
    await process(chain, turnsOf([item, other, ...exits], [first, spend, copy]))
    const shown = outputAt(chain, first)
    await refuses(isOpened ? 'NothingToDo' : 'EntryStruckBy', () => claim(chain, older, [[0, shown]]))
    const opened = x ?? (await openEntry(chain, younger, 0, byCopy, mallory))
    if (isOpened) await placeEntry(chain, younger, 0, opened)
    // Whoever opens a copy shows what it is a copy of.
    await refuses('StateUnexpected', () => adoptExit(chain, older, [0, shown, opened]))
    const madeBy = bytesToHex(hashTransaction(made.transaction, chain.separator))
    await challengeByPlace(chain, opened, includedIn(chain, first), [spend, 0, 0], { madeBy })
    await passTo(chain, opened.exitableAt + 1)
    await refuses('StateUnexpected', () => adoptExit(chain, older, [0, shown, opened]))
    await release(chain, opened, spend, 0, place(first))
    await releaseEntry(chain, older, 0, shown)
    await freePlaces(chain)
    for (const exit of exits) await attempt(() => settle(chain, [exit]))
    for (const exit of exits) assert.is(await stateOf(chain, exit), 'settled')
  })

test('nor does an entry of a copy inherit a place of what was spent', async () => {
  const { chain } = world
  const source = await deposit(chain, mallory)
  const payment = await chain.pay(mallory, source, [[mallory, ETHER]])
  const first = await submit(chain, [payment])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  await passTime(chain, mep() + 10)
  const hers = await startDepositExit(chain, mallory, source)
  await challenge(chain, hers, [first, 0])
  const started = await startDispute(chain, payment, [deposited(mallory)], { from: mallory, exits: [hers] })
  const copy = await submit(chain, [{ transaction: payment.transaction, witnesses: GARBAGE }])
  const batch = await startBatch(chain, [{ position: place(copy), amount: ETHER }], { lastBlock: copy, from: mallory })
  const item = await lockBatch(chain, batch)
  const ofDave = await startExit(chain, dave, [spend, 0, 0])
  assert.ok(ofDave.startedAt <= copy.header.timestamp + mep(), 'in time')
  const byCopy = outputAt(chain, copy)
  await refuses('NotOwner', () => openEntry(chain, batch, 0, byCopy, dave))
  await passTo(chain, item.exitableAt + 1)
  await process(chain, turnsOf([hers, ofDave, item], [first, spend, copy]))
  assert.is((await decide(chain, started)).verdict, 'canonical')
  const x = await openEntry(chain, batch, 0, byCopy, mallory)
  const madeBy = bytesToHex(hashTransaction(payment.transaction, chain.separator))
  await refuses('StateUnexpected', () => inherit(chain, started, x))
  await challengeByPlace(chain, x, includedIn(chain, first), [spend, 0, 0], { madeBy })
  await passTo(chain, x.exitableAt + 1)
  await refuses('StateUnexpected', () => inherit(chain, started, x))
  await release(chain, x, spend, 0, place(first))
  await freePlaces(chain)
  // The cancelled place is owed to nobody now.
  await inherit(chain, started, x)
  await attempt(() => settle(chain, [ofDave]))
  assert.is(await stateOf(chain, ofDave), 'settled')
})

test('a half-signed transaction lets no stranger open an entry before its turn: the owner’s exit is older', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const dust = await deposit(chain, mallory, 5n)
  const other = await deposit(chain, mallory, 7n)
  const first = await submit(chain, [await chain.pay(bob, source, [[alice, ETHER]])])
  // Alice signed it; Mallory never sent it.
  const inputs = [place(first), other].sort((a, b) => a - b)
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER + 7n, condition: memoOf('') }]
  const signers = inputs[0] === other ? [mallory, alice] : [alice, mallory]
  const joint = await chain.sign({ inputs, outputs, memo: memoOf('') }, signers)
  await passTime(chain, mep() + 10)
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
  const shownInputs = inputs.map((position) => (position === other ? deposited(mallory, 7n) : madeIn(chain, first)))
  const started = await startDispute(chain, joint, shownInputs, { from: mallory })
  await refuses('NotOwner', () => openEntry(chain, batch, 0, outputAt(chain, first), mallory))
  const rival = await chain.pay(mallory, other, [[mallory, 7n]])
  await showCompetitor(chain, started, rival, { from: mallory })
  await nextAt(chain, m.header.timestamp + mep() - 20)
  const own = await startExit(chain, alice, [first, 0, 0])
  const forged = await startExit(chain, mallory, [m, 0, 0])
  await passTo(chain, Math.max(item.exitableAt, own.exitableAt, forged.exitableAt, started.dispute.exitableAt) + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  const before = await balanceOf(alice)
  await process(chain, turnsOf([ofErin, own, forged, item], [first, m, after]))
  await attempt(() => settle(chain, [own]))
  assert.ok((await balanceOf(alice)) - before >= ETHER)
  assert.is(await stateOf(chain, forged), 'ticket')
})

test('what is covered in part is paid to the owner who opens her older share, and no stranger opens the younger', async () => {
  const { chain } = world
  const hers = await deposit(chain, alice)
  const his = await deposit(chain, bob)
  const m = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER / 10n]])])
  await passTo(chain, m.header.timestamp + mep() + 1)
  const forged = await startExit(chain, mallory, [m, 0, 0])
  const ofBob = await startDepositExit(chain, bob, his)
  const entries = [{ position: hers, amount: ETHER }]
  const older = await startBatch(chain, entries)
  const items = [await lockBatch(chain, older)]
  const younger = await startBatch(chain, entries, { from: mallory })
  items.push(await lockBatch(chain, younger))
  await passTo(chain, items[1]!.exitableAt + 1)
  await process(chain, turnsOf([forged, ofBob, ...items], [m]))
  const shown = depositAt(alice, ETHER)
  await refuses('NotOwner', () => openEntry(chain, younger, 0, shown, mallory))
  const own = await openEntry(chain, older, 0, shown, alice)
  await refuses('NothingToDo', () => settle(chain, [own]))
  await passTo(chain, own.exitableAt + 1)
  const before = await balanceOf(alice)
  await settle(chain, [own])
  assert.is((await balanceOf(alice)) - before, (ETHER * 9n) / 10n)
})

test.run()

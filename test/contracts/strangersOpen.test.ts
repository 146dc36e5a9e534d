/** Entries of mass exits that strangers open: by a spend that does not stand, or one copy after the other. They cost the owner nothing. */
import * as assert from 'uvu/assert'
import { encodeDropEvidence, encodeFraudProof } from '../../l1/rootCalls.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { adoptExit, lockBatch, openEntry, outputAt, spendAt, startBatch, strike } from '../support/batchMoves.ts'
import { decide, deposited, madeIn, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { createBait, forgeryProof, GARBAGE, haltAt, memoOf, release, settle, submitBad } from '../support/haltMoves.ts'
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
import { actors, attempt, type ChildBlock, ETH } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, erin, mallory, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('mass exits: entries that strangers open')

/** What both sign: Alice's output of `first` and a deposit of Mallory's, to Alice. `half`: Mallory's witness is garbage. */
async function jointOf(first: ChildBlock, other: number, half: boolean): Promise<SignedTransaction> {
  const { chain } = world
  const inputs = [place(first), other].sort((a, b) => a - b)
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER + 7n, condition: memoOf('') }]
  const signers = inputs[0] === other ? [mallory, alice] : [alice, mallory]
  const signed = await chain.sign({ inputs, outputs, memo: memoOf('') }, signers)
  if (half) signed.witnesses.set(GARBAGE, 64 * inputs.indexOf(other))
  return signed
}

test('a strike removes nothing before its own batch’s end, in the share of an older batch either', async () => {
  const { chain } = world
  const source = await deposit(chain, bob)
  const other = await deposit(chain, mallory, 7n)
  const first = await submit(chain, [await chain.pay(bob, source, [[alice, ETHER]])])
  const half = await jointOf(first, other, true)
  // A leaf that nobody asked for.
  const hidden = await submit(chain, [half])
  await passTime(chain, mep() + 10)
  const entries = [{ position: place(first), amount: ETHER }]
  const older = await startBatch(chain, entries, { lastBlock: first })
  const items = [await lockBatch(chain, older)]
  await passTo(chain, older.batch.startedAt + mep() / 2)
  const younger = await startBatch(chain, entries, { lastBlock: first, from: mallory })
  items.push(await lockBatch(chain, younger))
  await passTo(chain, items[0]!.exitableAt + 1)
  await process(chain, turnsOf([items[0]!], [first]))
  // In the L1 block of the turn, before anybody has claimed.
  await strike(chain, younger, [spendAt(chain, hidden, 0, place(first))], mallory)
  const shown = outputAt(chain, first)
  const own = await openEntry(chain, younger, 0, shown, mallory)
  await adoptExit(chain, older, [0, shown, own])
  assert.is(await stateOf(chain, own), 'ticket')
  await refuses('EvidenceNotFinal', () => release(chain, own, hidden))
  // Everybody sees now what is wrong with it.
  const input = half.transaction.inputs.indexOf(other)
  await passTo(chain, items[1]!.exitableAt - 5)
  await chain.send(watcher.account, encodeFraudProof(forgeryProof(chain, hidden, 0, [mallory, 7n, input])))
  await chain.send(watcher.account, encodeDropEvidence(own.outputId, place(hidden)))
  await passTo(chain, own.exitableAt + 1)
  const before = await balanceOf(alice)
  await settle(chain, [own])
  assert.is((await balanceOf(alice)) - before, ETHER)
})

test('a spend that does not stand lets no stranger open an entry while an exit of the owner’s own would be older', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const other = await deposit(chain, mallory, 7n)
  const first = await submit(chain, [await chain.pay(bob, source, [[alice, ETHER]])])
  await passTime(chain, mep() + 10)
  const m = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const after = await submit(chain, [await jointOf(first, other, true)])
  await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const entries = [
    { position: place(first), amount: ETHER },
    { position: place(after), amount: 7n },
  ]
  const batch = await startBatch(chain, entries, { lastBlock: after, from: mallory })
  const item = await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, after, 0, place(first))], mallory)
  const shown = outputAt(chain, first)
  await refuses('NotOwner', () => openEntry(chain, batch, 0, shown, mallory))
  await nextAt(chain, m.header.timestamp + mep() - 20)
  const own = await startExit(chain, alice, [first, 0, 0])
  const forged = await startExit(chain, mallory, [m, 0, 0])
  await passTo(chain, Math.max(item.exitableAt, own.exitableAt, forged.exitableAt) + 1)
  const before = await balanceOf(alice)
  await process(chain, turnsOf([ofErin, own, forged, item], [first, m, after]))
  await attempt(() => settle(chain, [own]))
  assert.ok((await balanceOf(alice)) - before >= ETHER)
  assert.is(await stateOf(chain, forged), 'ticket')
})

test('a stranger who opens one copy after the other does not put the owner off for a period each', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const other = await deposit(chain, mallory, 7n)
  const made = await chain.pay(bob, source, [[alice, ETHER]])
  const first = await submit(chain, [made])
  const joint = await jointOf(first, other, false)
  await passTime(chain, mep() + 10)
  const copies = [7, 8].map((byte) => ({
    transaction: made.transaction,
    witnesses: new Uint8Array(64).fill(byte),
  }))
  const copy = await submit(chain, copies)
  await passTime(chain, mep() + 10)
  await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const both = [0, 1].map((index) => ({ position: place(copy, index), amount: ETHER }))
  const theirs = await startBatch(chain, both, { lastBlock: copy, from: mallory })
  const honest = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const items = [
    await lockBatch(chain, theirs, theirs.batch.startedAt + mep() / 4 + 1, mallory),
    await lockBatch(chain, honest, honest.batch.startedAt + mep() / 4 + 3),
  ]
  // What locks her output before the turn.
  const shownInputs = joint.transaction.inputs.map((position) =>
    position === other ? deposited(mallory, 7n) : madeIn(chain, first),
  )
  const started = await startDispute(chain, joint, shownInputs, { from: mallory })
  await showCompetitor(chain, started, await chain.pay(mallory, other, [[mallory, 7n]]), { from: mallory })
  await passTo(chain, Math.max(...items.map(({ exitableAt }) => exitableAt), started.dispute.exitableAt) + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  await process(chain, turnsOf([ofErin, ...items], [first, copy]))
  const x = await openEntry(chain, theirs, 0, outputAt(chain, copy, 0), mallory)
  const next = outputAt(chain, copy, 1)
  await passTo(chain, x.exitableAt - 30)
  await nextAt(chain, x.exitableAt - 5)
  await refuses('StateUnexpected', () => adoptExit(chain, honest, [0, outputAt(chain, first), x]))
  // Nobody else knows its witness. In the same L1 block she would open the next.
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
  await release(chain, x)
  await refuses('NotOwner', () => openEntry(chain, theirs, 1, next, mallory))
  const own = await openEntry(chain, honest, 0, outputAt(chain, first), alice)
  await passTo(chain, own.exitableAt + 1)
  const before = await balanceOf(alice)
  // The share of the other copy is older, and hers.
  await adoptExit(chain, theirs, [1, next, own])
  assert.is((await balanceOf(alice)) - before, ETHER)
})

test.run()

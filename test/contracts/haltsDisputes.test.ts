/** What a halt does to disputes, to the exits that wait for them, and to payments in void blocks (docs/halt.md; docs/spec.md 6, 8.4). */
import * as assert from 'uvu/assert'
import { encodeDropEvidence } from '../../l1/rootCalls.ts'
import type { StartedDispute } from '../../l1/rootEvents.ts'
import { bytesToHex, ZERO_HASH } from '../../protocol/bytes.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import {
  answer,
  challengeByPlace,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
  bondLessBounty,
  createBait,
  haltAt,
  memoOf,
  paidFor,
  release,
  settle,
  submitBad,
} from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  nextAt,
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
import { creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('halts: disputes')
const hashOf = ({ transaction }: SignedTransaction) => bytesToHex(hashTransaction(transaction, world.chain.separator))
const afterE = ({ dispute }: StartedDispute, lastMove = 0) =>
  passTo(world.chain, Math.max(dispute.exitableAt, lastMove && lastMove + mep()) + 1)

/** A bait, Alice's deposit, and her payment of it to Bob. `anchor`: an L1 block before whatever locks the deposit. */
async function payment() {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const anchor = Number(await chain.client.getBlockNumber())
  return { bait, position, signed, anchor, inputs: [deposited(alice)] }
}

/** The payment's dispute, started by Dave. `rival`: Alice's other spend of the deposit. */
async function disputed() {
  const paid = await payment()
  const started = await startDispute(world.chain, paid.signed, paid.inputs, { from: dave })
  const rival = await world.chain.pay(alice, paid.position, [[carol, ETHER]])
  return { ...paid, started, rival }
}

test('a running dispute goes on after a halt with all its windows, counted from the move, and its starter has the bond back', async () => {
  const { chain } = world
  const { bait, started, rival } = await disputed()
  const exit = await startDisputedExit(chain, bob, started)
  await passTo(chain, started.dispute.exitableAt - 30)
  const block = await submit(chain, [])
  const bad = await submitBad(chain, bait)
  assert.is(bad.number, block.number + 1)
  const { lastMove } = await haltAt(chain, bad, { at: started.dispute.exitableAt })
  await passTo(chain, lastMove + mep() / 2 - 10)
  await nextAt(chain, lastMove + mep() / 2 + 1)
  await refuses('DisputeTooLate', () => showCompetitor(chain, started, rival))
  await passTo(chain, lastMove + mep() - 10)
  await nextAt(chain, lastMove + mep())
  await refuses('DisputeUndecidable', () => decide(chain, started))
  await nextAt(chain, lastMove + mep() + 1)
  const before = await balanceOf(dave)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  assert.is((await balanceOf(dave)) - before, started.dispute.bond)
  assert.is(paidFor((await process(chain, turnsOf([exit]))).events, exit), ETHER)
})

test('after a move competitors are taken until half a period before the new end, answers until a quarter', async () => {
  const { chain } = world
  const { bait, started, signed, rival, anchor } = await disputed()
  const block = await submit(chain, [signed], anchor)
  await passTo(chain, started.dispute.exitableAt - 30)
  const bad = await submitBad(chain, bait)
  await refuses('DisputeTooLate', () => showCompetitor(chain, started, rival))
  const { lastMove } = await haltAt(chain, bad)
  await passTo(chain, lastMove + mep() / 2 - 10)
  await nextAt(chain, lastMove + mep() / 2)
  await showCompetitor(chain, started, rival)
  const last = lastMove + mep() - mep() / 4
  await passTo(chain, last - 10)
  await nextAt(chain, last + 1)
  await refuses('DisputeTooLate', () => answer(chain, started, includedIn(chain, block)))
  await nextAt(chain, last)
  await answer(chain, started, includedIn(chain, block))
  await afterE(started, lastMove)
  assert.is((await decide(chain, started)).verdict, 'canonical')
})

test('one input from a void block makes a dispute not canonical: the bond returns, and the owner of the other input leaves', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const made = await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])
  const bad = await submitBad(chain, bait, [made])
  const outputs = [createOutput(carol.address, ETH, 2n * ETHER)]
  const both = await chain.sign({ inputs: [position, place(bad)], outputs, memo: ZERO_HASH }, [alice, bob])
  const inputs = [deposited(alice), madeIn(chain, bad)]
  const started = await startDispute(chain, both, inputs, { from: dave })
  const leaving = await startDisputedExit(chain, carol, started)
  const own = await startDepositExit(chain, alice, position)
  const { lastMove } = await haltAt(chain, bad)
  await refuses('BlockVoid', () => startDisputedExit(chain, carol, started))
  await afterE(started, lastMove)
  await process(chain, turnsOf([own, leaving], [bad]))
  assert.equal(await Promise.all([own, leaving].map((exit) => stateOf(chain, exit))), ['ticket', 'locked'])
  assert.is(await creditOf(chain, ETH, carol.address), bondLessBounty(leaving))
  const before = await balanceOf(dave)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  assert.is((await balanceOf(dave)) - before, started.dispute.bond)
  assert.is(paidFor((await settle(chain, [own])).events, own), ETHER)
})

test('when the halt moves further down, a dispute with an input in between is not canonical, and every other waits again', async () => {
  const { chain } = world
  const { bait, started } = await disputed()
  const lower = await submitBad(chain, bait)
  const between = await submit(chain, [await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])])
  const upper = await submitBad(chain, bait)
  const signed = await chain.pay(bob, place(between), [[carol, ETHER]])
  const doomed = await startDispute(chain, signed, [madeIn(chain, between)], { from: dave })
  await haltAt(chain, upper)
  await passTo(chain, lower.header.timestamp + mep() - 10)
  const { lastMove } = await haltAt(chain, lower, { at: lower.header.timestamp + mep() })
  await passTo(chain, lastMove + mep() - 10)
  await nextAt(chain, lastMove + mep())
  await refuses('DisputeUndecidable', () => decide(chain, started))
  await nextAt(chain, lastMove + mep() + 1)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  await afterE(doomed, lastMove)
  const before = await balanceOf(dave)
  assert.is((await decide(chain, doomed)).verdict, 'not-canonical')
  assert.is((await balanceOf(dave)) - before, doomed.dispute.bond)
})

test('a verdict by an answer stands when the block of the answer becomes void after it', async () => {
  const { chain } = world
  const { bait, position, started, signed, rival, anchor } = await disputed()
  await showCompetitor(chain, started, rival)
  const exit = await startDisputedExit(chain, bob, started)
  await nextAt(chain, started.startedAt + 15)
  const bad = await submitBad(chain, bait, [signed], anchor)
  await answer(chain, started, includedIn(chain, bad))
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  const { lastMove } = await haltAt(chain, bad, { at: bad.header.timestamp + mep() })
  await refuses('VerdictUnexpected', () => decide(chain, started))
  await refuses('AlreadyExiting', () => startDepositExit(chain, alice, position))
  await process(chain, turnsOf([exit]))
  await passTo(chain, lastMove + mep() + 1)
  assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
})

test('a verdict by a competitor stands when its block becomes void after it: the input leaves, the outputs never', async () => {
  const { chain } = world
  const { bait, started, signed, rival, anchor } = await disputed()
  const leaving = await startDisputedExit(chain, bob, started)
  await nextAt(chain, started.startedAt + 15)
  const bad = await submitBad(chain, bait, [rival, signed], anchor)
  await showCompetitor(chain, started, rival, { included: includedIn(chain, bad) })
  const own = await startDepositExit(chain, alice, started.inputs[0]!.position)
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  const { lastMove } = await haltAt(chain, bad, { at: bad.header.timestamp + mep() })
  await refuses('VerdictUnexpected', () => startDisputedExit(chain, bob, started))
  await refuses('BlockVoid', () => startExit(chain, bob, [bad, 1, 0]))
  await passTo(chain, Math.max(own.exitableAt, lastMove + mep()) + 1)
  const { events } = await process(chain, turnsOf([own, leaving]))
  assert.equal([paidFor(events, own), paidFor(events, leaving)], [ETHER, 0n])
  assert.is(await stateOf(chain, leaving), 'removed')
})

test('an answer from a block that became void before the verdict is none, a competitor from it is still one', async () => {
  const { chain } = world
  const { bait, started, signed, rival, anchor } = await disputed()
  const id = await chain.client.snapshot()
  for (const piece of ['answer', 'competitor'] as const) {
    const bad = await submitBad(chain, bait, [piece === 'answer' ? signed : rival], anchor)
    const included = includedIn(chain, bad)
    await showCompetitor(chain, started, rival, piece === 'competitor' ? { included } : {})
    if (piece === 'answer') await answer(chain, started, included)
    const { lastMove } = await haltAt(chain, bad)
    await refuses('BlockVoid', () => answer(chain, started, included))
    await refuses('BlockVoid', () => showCompetitor(chain, started, rival, { included }))
    await afterE(started, lastMove)
    assert.is((await decide(chain, started)).verdict, 'not-canonical', piece)
    await chain.client.revert({ id })
  }
})

test('exits of inputs and of outputs that wait for a verdict when the halt comes have its fate, after the move', async () => {
  const { chain } = world
  const { bait, started } = await disputed()
  const own = await startDepositExit(chain, alice, started.inputs[0]!.position)
  const leaving = await startDisputedExit(chain, bob, started)
  await passTo(chain, leaving.exitableAt - 25)
  const { lastMove } = await haltAt(chain, await submitBad(chain, bait))
  await passTo(chain, leaving.exitableAt + 1)
  await process(chain, turnsOf([own, leaving]))
  assert.equal(await Promise.all([own, leaving].map((exit) => stateOf(chain, exit))), ['ticket', 'ticket'])
  await refuses('DisputeUndecidable', () => decide(chain, started))
  await afterE(started, lastMove)
  await refuses('NothingToDo', () => settle(chain, [own, leaving]))
  await decide(chain, started)
  assert.is(paidFor((await inherit(chain, started, leaving)).events, leaving), ETHER)
  await release(chain, own)
  assert.equal(await Promise.all([own, leaving].map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
  assert.is(await creditOf(chain, ETH, alice.address), bondLessBounty(own))
})

test('a place that outputs inherited before the halt is theirs after it, a whole period after the move', async () => {
  const { chain } = world
  const { bait, started } = await disputed()
  const own = await startDepositExit(chain, alice, started.inputs[0]!.position)
  await passTo(chain, own.exitableAt + 1)
  await process(chain, turnsOf([own]))
  await decide(chain, started)
  assert.is(await stateOf(chain, own), 'cancelled-ticket')
  const leaving = await startDisputedExit(chain, bob, started)
  await passTo(chain, leaving.exitableAt - 25)
  const { lastMove } = await haltAt(chain, await submitBad(chain, bait))
  await passTo(chain, leaving.exitableAt + 1)
  await process(chain, turnsOf([leaving]))
  await passTo(chain, lastMove + mep() - 10)
  await nextAt(chain, lastMove + mep())
  await refuses('StateUnexpected', () => inherit(chain, started, leaving))
  await nextAt(chain, lastMove + mep() + 1)
  assert.is(paidFor((await inherit(chain, started, leaving)).events, leaving), ETHER)
})

/** The payment in a block that is void, and the payer's own exit of what it spent. */
async function voidPayment() {
  const { chain } = world
  const paid = await payment()
  const bad = await submitBad(chain, paid.bait, [paid.signed])
  const { lastMove } = await haltAt(chain, bad)
  const back = await startDepositExit(chain, alice, paid.position)
  return { ...paid, bad, lastMove, back }
}

test('a payment that only void blocks hold is carried out through its dispute, and the payer does not get it back', async () => {
  const { chain } = world
  const { signed, inputs, back } = await voidPayment()
  const options = { from: bob, exits: [back], outputs: [0] }
  const { leaving, ...started } = await startDispute(chain, signed, inputs, options)
  await passTo(chain, leaving[0]!.exitableAt + 1)
  await decide(chain, started)
  const { events } = await process(chain, turnsOf([back, ...leaving]))
  assert.equal([paidFor(events, back), paidFor(events, leaving[0]!)], [0n, ETHER])
  assert.is(await stateOf(chain, back), 'cancelled')
})

test("who was paid in a void block only has until E - MEP/4 of the payer's exit: a later dispute holds nothing up", async () => {
  const { chain } = world
  const { signed, inputs, back } = await voidPayment()
  const last = back.exitableAt - mep() / 4
  await passTo(chain, last - 10)
  const id = await chain.client.snapshot()
  await nextAt(chain, last)
  await startDispute(chain, signed, inputs, { from: bob, exits: [back] })
  await passTo(chain, back.exitableAt + 1)
  await process(chain, turnsOf([back]))
  assert.is(await stateOf(chain, back), 'ticket')
  await chain.client.revert({ id })
  await nextAt(chain, last + 1)
  const started = await startDispute(chain, signed, inputs, { from: bob, exits: [back] })
  await passTo(chain, back.exitableAt + 1)
  assert.is(paidFor((await process(chain, turnsOf([back]))).events, back), ETHER)
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
})

test('a payer who signed twice takes back a payment that only void blocks hold: it was not final yet', async () => {
  const { chain } = world
  const { signed, inputs, position, back } = await voidPayment()
  const rival = await chain.pay(alice, position, [[alice, ETHER]], memoOf('rival'))
  const started = await startDispute(chain, signed, inputs, { from: bob, exits: [back] })
  const before = await balanceOf(bob)
  await showCompetitor(chain, started, rival)
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  assert.is((await balanceOf(bob)) - before, started.dispute.bond, 'the bond is all that comes back')
  assert.is(paidFor((await process(chain, turnsOf([back]))).events, back), ETHER)
})

test('a payment that rests on a void payment can not be disputed: its input is void', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const made = await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])
  const bad = await submitBad(chain, bait, [made])
  const signed = await chain.pay(bob, place(bad), [[carol, ETHER]])
  await haltAt(chain, bad)
  await refuses('BlockVoid', () => startDispute(chain, signed, [madeIn(chain, bad)]))
})

test("a starter's bond that fell to a public competitor does not come back when the competitor's block becomes void", async () => {
  const { chain } = world
  const { bait, position, signed, inputs } = await payment()
  const rival = await chain.pay(alice, position, [[carol, ETHER]], memoOf('rival'))
  const bad = await submitBad(chain, bait, [rival])
  await passTo(chain, bad.header.timestamp + mep() / 2)
  const started = await startDispute(chain, signed, inputs, { from: dave })
  const shown = await showCompetitor(chain, started, rival, { from: watcher, included: includedIn(chain, bad) })
  assert.ok(eventOf(shown.events, 'CompetitorShown').reward > 0n)
  const { lastMove } = await haltAt(chain, bad)
  await afterE(started, lastMove)
  const before = await balanceOf(dave)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  assert.is(await balanceOf(dave), before)
})

test('an exit by an inclusion that became void leaves at its turn, and its output then leaves through the dispute', async () => {
  const { chain } = world
  const { bait, started, signed, anchor } = await disputed()
  const bad = await submitBad(chain, bait, [signed], anchor)
  const bound = await startExit(chain, bob, [bad, 0, 0])
  assert.equal([bound.disputed, bound.position], [hashOf(signed), place(bad)])
  const { lastMove } = await haltAt(chain, bad)
  await refuses('AlreadyExiting', () => startDisputedExit(chain, bob, started))
  await afterE(started, lastMove)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  await passTo(chain, bound.exitableAt + 1)
  await process(chain, turnsOf([bound], [bad]))
  assert.is(await stateOf(chain, bound), 'locked')
  const again = await startDisputedExit(chain, bob, started)
  await passTo(chain, again.exitableAt + 1)
  assert.is(paidFor((await process(chain, turnsOf([again]))).events, again), ETHER)
})

test('evidence against an exit through a dispute falls with the void block that holds the spend', async () => {
  const { chain } = world
  const { bait, signed, inputs } = await payment()
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, inputs)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDisputedExit(chain, bob, started)
  const bad = await submitBad(chain, bait, [await chain.pay(bob, place(block), [[carol, ETHER]])], anchor)
  await challengeByPlace(chain, exit, includedIn(chain, block), [bad, 0, 0])
  const dropIt = () => chain.send(carol.account, encodeDropEvidence(exit.outputId, place(bad), place(block)))
  await refuses('EvidenceStands', dropIt)
  const { lastMove } = await haltAt(chain, bad)
  await dropIt()
  await refuses('EvidenceUnknown', dropIt)
  await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) + 1)
  await decide(chain, started)
  assert.is(paidFor((await process(chain, turnsOf([exit]))).events, exit), ETHER)
})

test.run()

/** What a halt does to deposits, outputs and standard exits on the real contract (docs/halt.md; docs/spec.md 5, 8.4). */
import * as assert from 'uvu/assert'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import {
  encodeCloseChain,
  encodeFraudProof,
  encodeHaltAbandoned,
  encodeRevokeMandates,
  encodeSubmitBlocks,
  encodeWithdraw,
} from '../../l1/rootContract.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { decodePosition } from '../../protocol/position.ts'
import { createOutput } from '../../protocol/transaction.ts'
import {
  bondLessBounty,
  createBait,
  drop,
  forgeryProof,
  haltAt,
  headOf,
  paidFor,
  release,
  settle,
  submitBad,
} from '../support/haltMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTo,
  process,
  signMandate,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { type Actor, actors, ETH, eventOf } from '../support/rootChain.ts'
import { callOf, creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, erin, mallory, operator, watcher } = actors
const { test, world } = rootSuite('halts: deposits, outputs, standard exits')
const mep = () => world.chain.parameters.minExitPeriod
const balanceOf = (actor: Actor) => world.chain.client.getBalance({ address: actor.address })
const ticketOf = (exit: Exit) => world.chain.read<readonly [bigint, bigint]>('ticket', [exit.outputId])
const close = () => world.chain.send(operator.account, encodeCloseChain())

/** An exit in each stream, of outputs that no halt here voids: Bob's in B, due at block time + 2 MEP, and Carol's in A, due shortly before. */
async function bothStreams() {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[bob, ETHER]])])
  const madeAt = block.header.timestamp
  const young = await startExit(chain, bob, [block, 0, 0])
  const position = await deposit(chain, carol)
  await passTo(chain, madeAt + mep() - 20)
  const old = await startDepositExit(chain, carol, position)
  assert.equal([young.young, old.young, old.exitableAt < young.exitableAt], [true, false, true])
  return { block, young, old, turns: turnsOf([young, old], [block]) }
}

test('a deposit made while a void block was the newest still leaves, though its position lies in that block', async () => {
  const { chain } = world
  const bad = await submitBad(chain, await createBait(chain))
  const position = await deposit(chain, alice)
  assert.is(decodePosition(position).block, bad.number)
  const early = await startDepositExit(chain, alice, position)
  const other = await deposit(chain, bob)
  const { lastMove } = await haltAt(chain, bad)
  const late = await startDepositExit(chain, bob, other)
  await passTo(chain, Math.max(late.exitableAt, lastMove + mep()) + 1)
  const { events } = await process(chain, turnsOf([early, late]))
  assert.equal([paidFor(events, early), paidFor(events, late)], [ETHER, ETHER])
})

test('a deposit that only void blocks spent leaves as if nobody had spent it', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const bad = await submitBad(chain, bait, [await chain.pay(alice, position, [[bob, ETHER]])])
  const { lastMove } = await haltAt(chain, bad)
  const exit = await startDepositExit(chain, alice, position)
  await refuses('BlockVoid', () => challenge(chain, exit, [bad, 0]))
  await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) + 1)
  assert.is(paidFor((await process(chain, turnsOf([exit]))).events, exit), ETHER)
})

test('a chain that never had a block is abandoned like any other, and every deposit leaves', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const { timestamp } = await chain.client.getBlock()
  await passTo(chain, Number(timestamp) + chain.parameters.abandonPeriod + 1)
  await chain.send(carol.account, encodeHaltAbandoned())
  assert.equal(await headOf(chain), [1, 0, 0])
  const exit = await startDepositExit(chain, alice, position)
  await passTo(chain, exit.exitableAt + 1)
  assert.is(paidFor((await process(chain, turnsOf([exit]))).events, exit), ETHER)
})

test('the exit of an output that stands starts after a halt with the periods of any exit', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const block = await submit(chain, [
    await chain.pay(alice, await deposit(chain, alice), [
      [bob, ETHER / 4n],
      [carol, (ETHER * 3n) / 4n],
    ]),
  ])
  const bad = await submitBad(chain, bait)
  await haltAt(chain, bad)
  const first = await startExit(chain, bob, [block, 0, 0])
  assert.equal([first.young, first.exitableAt], [true, block.header.timestamp + 2 * mep()])
  await passTo(chain, block.header.timestamp + 3 * mep())
  const late = await startExit(chain, carol, [block, 0, 1])
  assert.equal([late.young, late.exitableAt], [false, late.startedAt + mep()])
  await passTo(chain, late.exitableAt + 1)
  const { events } = await process(chain, turnsOf([first, late], [block]))
  assert.equal([paidFor(events, first), paidFor(events, late)], [ETHER / 4n, (ETHER * 3n) / 4n])
})

test('a move postpones queued exits of both streams to a whole period after it, in their places, to the second', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const { young, old, turns } = await bothStreams()
  const lastMove = old.exitableAt - 5
  await passTo(chain, lastMove - 30)
  await haltAt(chain, await submitBad(chain, bait), { at: lastMove })
  await passTo(chain, young.exitableAt + 1)
  assert.is(paidFor((await process(chain, turns)).events, old), 0n)
  assert.equal(await Promise.all([old, young].map(ticketOf)), [
    [0n, ETHER],
    [ETHER, ETHER],
  ])
  await passTo(chain, lastMove + mep() - 10)
  await nextAt(chain, lastMove + mep())
  await refuses('NothingToDo', () => settle(chain, [old, young]))
  await nextAt(chain, lastMove + mep() + 1)
  const { events } = await settle(chain, [young, old])
  assert.equal([paidFor(events, old), paidFor(events, young)], [ETHER, ETHER])
})

for (const kind of ['close', 'abandonment'] as const) {
  test(`a halt by ${kind} postpones no exit and voids none`, async () => {
    const { chain } = world
    const { block, young, old, turns } = await bothStreams()
    if (kind === 'close') await close()
    else await passTo(chain, block.header.timestamp + chain.parameters.abandonPeriod + 1)
    if (kind === 'abandonment') await chain.send(dave.account, encodeHaltAbandoned())
    assert.equal(await headOf(chain), [block.number + 1, block.number, 0])
    await passTo(chain, young.exitableAt + 1)
    const { events } = await process(chain, turns)
    assert.equal([paidFor(events, old), paidFor(events, young)], [ETHER, ETHER])
  })
}

test('exits of void outputs leave at their turn unpaid, with the bond less the bounty, and hold up nobody', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const good = await submit(chain, [await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])])
  const paid = await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])
  const bad = await submitBad(chain, bait, [paid])
  const exits = [
    await startExit(chain, bob, [good, 0, 0]),
    await startExit(chain, alice, [bad, 0, 0]),
    await startExit(chain, mallory, [bad, 1, 0]),
  ] as const
  await haltAt(chain, bad)
  await refuses('BlockVoid', () => startExit(chain, alice, [bad, 0, 0]))
  await passTo(chain, exits[1].exitableAt + mep())
  const { events } = await process(chain, turnsOf(exits, [good, bad]))
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'locked', 'locked'])
  assert.is(paidFor(events, exits[0]), ETHER)
  assert.is(await creditOf(chain, ETH, alice.address), bondLessBounty(exits[1]))
  assert.is(await creditOf(chain, ETH, mallory.address), bondLessBounty(exits[2]))
  const [funded, line] = await chain.read<readonly [bigint, bigint]>('totals', [ETH])
  assert.equal([funded, line], [3n * ETHER, ETHER], 'what is void reserves nothing')
})

test('no exit of a block has its turn while the block can still be voided: no ticket is ever void', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const bad = await submitBad(chain, bait, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const exit = await startExit(chain, alice, [bad, 0, 0])
  const last = bad.header.timestamp + mep()
  assert.ok(exit.exitableAt >= last + mep())
  await passTo(chain, last - 10)
  await nextAt(chain, last + 1)
  await chain.send(watcher.account, encodeFraudProof(forgeryProof(chain, bad, 1)))
  assert.equal(await headOf(chain), [0, bad.number, 0], 'the chain goes on')
  await passTo(chain, exit.exitableAt + 1)
  assert.is(paidFor((await process(chain, turnsOf([exit], [bad]))).events, exit), ETHER)
})

test('evidence from a block that stands removes the exit after a halt as before', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const theft = await startDepositExit(chain, alice, position)
  const heir = await startExit(chain, bob, [block, 0, 0])
  await challenge(chain, theft, [block, 0])
  const { lastMove } = await haltAt(chain, await submitBad(chain, bait))
  await refuses('EvidenceStands', () => drop(chain, theft, block))
  await passTo(chain, Math.max(heir.exitableAt, lastMove + mep()) + 1)
  const { events } = await process(chain, turnsOf([theft, heir], [block], [block]))
  assert.is(await stateOf(chain, theft), 'removed')
  assert.is(paidFor(events, heir), ETHER)
})

for (const when of ['before its turn', 'after its turn'] as const) {
  test(`evidence from a block that became void is dropped ${when}, and the exit goes on in its place`, async () => {
    const { chain } = world
    const bait = await createBait(chain)
    const position = await deposit(chain, alice)
    const anchor = Number(await chain.client.getBlockNumber())
    const exit = await startDepositExit(chain, alice, position)
    const behind = await startDepositExit(chain, dave, await deposit(chain, dave))
    const bad = await submitBad(chain, bait, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
    await challenge(chain, exit, [bad, 0])
    await refuses('EvidenceStands', () => drop(chain, exit, bad))
    const { lastMove } = await haltAt(chain, bad)
    if (when === 'before its turn') await drop(chain, exit, bad)
    await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) - 10)
    await nextAt(chain, Math.max(exit.exitableAt, lastMove + mep()) + 5)
    const { events } = await process(chain, turnsOf([exit, behind], [], [bad]))
    if (when === 'after its turn') {
      assert.equal(await ticketOf(exit), [0n, ETHER])
      await refuses('EvidenceNotFinal', () => release(chain, exit, bad))
      await refuses('NothingToDo', () => settle(chain, [exit]))
      await drop(chain, exit, bad)
      assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
    } else {
      assert.is(paidFor(events, exit), ETHER)
    }
    assert.is(paidFor(events, behind), ETHER)
    await refuses('EvidenceUnknown', () => drop(chain, exit, bad))
  })
}

test('a bond that a challenger earned by evidence out of a block that became void does not come back', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, position)
  const bad = await submitBad(chain, bait, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
  const shown = await challenge(chain, exit, [bad, 0])
  assert.ok(eventOf(shown.events, 'EvidenceShown').reward > 0n)
  const { lastMove } = await haltAt(chain, bad)
  await drop(chain, exit, bad)
  await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) + 1)
  const before = await balanceOf(alice)
  await process(chain, turnsOf([exit]))
  assert.is((await balanceOf(alice)) - before, ETHER, 'the amount, and nothing of the bond')
  assert.is(await creditOf(chain, ETH, alice.address), 0n)
})

test('a move gives the time for evidence again, also against an exit that is past its turn', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const theft = await startDepositExit(chain, alice, position)
  await passTo(chain, theft.exitableAt - 25)
  const bad = await submitBad(chain, bait)
  await refuses('EvidenceTooLate', () => challenge(chain, theft, [block, 0]))
  const { lastMove } = await haltAt(chain, bad, { at: theft.exitableAt })
  await passTo(chain, theft.exitableAt + 1)
  await process(chain, turnsOf([theft]))
  assert.is(await stateOf(chain, theft), 'ticket')
  const deadline = evidenceDeadline(theft.exitableAt, mep(), lastMove)
  assert.is(deadline, lastMove + mep() - mep() / 4)
  await passTo(chain, deadline - 10)
  await nextAt(chain, deadline + 1)
  await refuses('EvidenceTooLate', () => challenge(chain, theft, [block, 0]))
  await nextAt(chain, deadline)
  await challenge(chain, theft, [block, 0])
  await passTo(chain, lastMove + mep() + 1)
  await refuses('NothingToDo', () => settle(chain, [theft]))
  await release(chain, theft, block)
  assert.is(await stateOf(chain, theft), 'removed')
})

test('a move that comes when an exit is past its time but unpaid postpones it too, queued or as a ticket', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const held = await startDepositExit(chain, alice, position)
  const lie = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
  await challenge(chain, held, [lie, 0])
  const queued = await startDepositExit(chain, bob, await deposit(chain, bob))
  await passTo(chain, queued.exitableAt - 25)
  const bad = await submitBad(chain, bait)
  await passTo(chain, queued.exitableAt + 1)
  await process(chain, turnsOf([held]))
  assert.is(await stateOf(chain, held), 'ticket')
  const { lastMove } = await haltAt(chain, bad)
  await process(chain, turnsOf([queued]))
  assert.equal(await ticketOf(queued), [ETHER, ETHER], 'its turn is over, its place is kept')
  await passTo(chain, lastMove + mep() - 10)
  await nextAt(chain, lastMove + mep())
  await refuses('NothingToDo', () => settle(chain, [held, queued]))
  await nextAt(chain, lastMove + mep() + 1)
  const { events } = await settle(chain, [held, queued])
  assert.equal([paidFor(events, held), paidFor(events, queued)], [0n, ETHER], 'standing evidence still holds')
})

test('a ticket whose transaction was disproved too late for a halt leaves the line, and what it reserved is free', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const bad = await submitBad(chain, bait)
  const owner = await startDepositExit(chain, erin, bait.position)
  const theft = await startExit(chain, mallory, [bad, 0, 0])
  await close()
  await passTo(chain, theft.exitableAt + 1)
  const { events } = await process(chain, turnsOf([owner, theft], [bad]))
  assert.is(paidFor(events, owner), ETHER, 'who left in time comes first')
  assert.equal(await ticketOf(theft), [ETHER, ETHER])
  await refuses('EvidenceNotFinal', () => release(chain, theft))
  await chain.send(watcher.account, encodeFraudProof(forgeryProof(chain, bad, 0)))
  assert.equal(await headOf(chain), [bad.number + 1, bad.number, 0], 'too late to move the halt')
  await release(chain, theft)
  assert.is(await stateOf(chain, theft), 'locked')
  assert.equal(await chain.read('totals', [ETH]), [2n * ETHER, 2n * ETHER])
  await refuses('TransactionInvalid', () => startExit(chain, mallory, [bad, 0, 0]))
})

test("a delegate's exit outlives a halt: the owner is paid, the delegate has the bond; of a void output only the bond comes back", async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const mandate = await signMandate(chain, alice, {})
  const good = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const paid = await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])
  const bad = await submitBad(chain, bait, [paid])
  const options = { from: watcher, mandate }
  const standing = await startExit(chain, alice, [good, 0, 0], options)
  const void_ = await startExit(chain, alice, [bad, 0, 0], options)
  const { lastMove } = await haltAt(chain, bad)
  const before = await balanceOf(alice)
  await passTo(chain, Math.max(void_.exitableAt, lastMove + mep()) + 1)
  await process(chain, turnsOf([standing, void_], [good, bad]))
  assert.is((await balanceOf(alice)) - before, ETHER)
  assert.is(await creditOf(chain, ETH, watcher.address), bondLessBounty(standing) + bondLessBounty(void_))
})

test('mandates are given, used and revoked after a halt as before', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const [first, second] = [await deposit(chain, alice), await deposit(chain, alice)]
  await haltAt(chain, await submitBad(chain, bait))
  const mandate = await signMandate(chain, alice, {})
  const exit = await startDepositExit(chain, alice, first, ETHER, { from: watcher, mandate })
  await chain.send(alice.account, encodeRevokeMandates(0))
  const options = { from: watcher, mandate }
  await refuses('MandateRefused', () => startDepositExit(chain, alice, second, ETHER, options))
  await passTo(chain, exit.exitableAt + 1)
  assert.is(paidFor((await process(chain, turnsOf([exit]))).events, exit), ETHER)
})

test('when the halt moves further down, blocks in between become void too and everything else waits again, at most to the oldest void block + 2 MEP', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const good = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  await passTo(chain, good.header.timestamp + 20)
  const lower = await submitBad(chain, bait, [await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])])
  const between = await submit(chain, [
    await chain.pay(carol, await deposit(chain, carol), [
      [carol, ETHER / 2n],
      [dave, ETHER / 2n],
    ]),
  ])
  const upper = await submitBad(chain, bait)
  const kept = await startExit(chain, alice, [good, 0, 0])
  const early = await startExit(chain, carol, [between, 0, 0])
  const first = await haltAt(chain, upper)
  assert.equal(await headOf(chain), [upper.number, upper.number, first.lastMove])
  const late = await startExit(chain, dave, [between, 0, 1])
  const last = lower.header.timestamp + mep()
  await passTo(chain, last - 10)
  const second = await haltAt(chain, lower, { at: last })
  assert.equal(await headOf(chain), [lower.number, upper.number, last])
  await refuses('NothingToDo', () => haltAt(chain, upper))
  await refuses('BlockVoid', () => startExit(chain, bob, [lower, 0, 0]))
  await passTo(chain, last + mep() - 10)
  await nextAt(chain, second.lastMove + mep())
  await process(chain, turnsOf([kept], [good]))
  assert.is(await stateOf(chain, kept), 'ticket', 'by the second move, whatever the first one said')
  await nextAt(chain, lower.header.timestamp + 2 * mep() + 1)
  assert.is(paidFor((await settle(chain, [kept])).events, kept), ETHER)
  await passTo(chain, between.header.timestamp + 2 * mep() + 1)
  await process(chain, turnsOf([early, late], [between]))
  assert.equal(await Promise.all([early, late].map((exit) => stateOf(chain, exit))), ['locked', 'locked'])
  assert.is(await creditOf(chain, ETH, dave.address), bondLessBounty(late))
})

test('evidence from a block between the old and the new halt falls with the second move, and the exit waits from that', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, position)
  const lower = await submitBad(chain, bait, [], anchor)
  const between = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
  const upper = await submitBad(chain, bait, [], anchor)
  await haltAt(chain, upper)
  await challenge(chain, exit, [between, 0])
  await refuses('EvidenceStands', () => drop(chain, exit, between))
  await passTo(chain, lower.header.timestamp + mep() - 10)
  const { lastMove } = await haltAt(chain, lower, { at: lower.header.timestamp + mep() })
  await drop(chain, exit, between)
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await passTo(chain, lastMove + mep() + 1)
  assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
})

test("after a close the last second for a move is the block's time + MEP, and an abandoned chain is past it", async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const bad = await submitBad(chain, bait)
  const last = bad.header.timestamp + mep()
  await close()
  const id = await chain.client.snapshot()
  await passTo(chain, last - 10)
  await haltAt(chain, bad, { at: last })
  assert.equal(await headOf(chain), [bad.number, bad.number, last])
  await chain.client.revert({ id })
  await passTo(chain, last - 10)
  await nextAt(chain, last + 1)
  await chain.send(watcher.account, encodeFraudProof(forgeryProof(chain, bad, 0)))
  assert.equal(await headOf(chain), [bad.number + 1, bad.number, 0])
  assert.ok(chain.parameters.abandonPeriod >= mep(), 'no move can follow an abandonment')
})

test('credits are withdrawn after a halt as before', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const mandate = await signMandate(chain, alice, {})
  const exit = await startDepositExit(chain, alice, await deposit(chain, alice), ETHER, { from: watcher, mandate })
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await haltAt(chain, await submitBad(chain, bait))
  const owed = await creditOf(chain, ETH, watcher.address)
  assert.is(owed, bondLessBounty(exit))
  const before = await balanceOf(watcher)
  await chain.send(carol.account, encodeWithdraw(ETH, watcher.address))
  assert.is((await balanceOf(watcher)) - before, owed)
})

test("the operator's key still changes hands after a halt, and no key undoes it", async () => {
  const { chain } = world
  const bad = await submitBad(chain, await createBait(chain))
  await haltAt(chain, bad)
  const head = await headOf(chain)
  await chain.send(operator.account, callOf(iLifeboatAbi, 'nominateOperator', [dave.address]))
  await chain.send(dave.account, callOf(iLifeboatAbi, 'acceptOperator', []))
  assert.is((await chain.read<string>('operator')).toLowerCase(), dave.address)
  assert.equal(await headOf(chain), head)
  for (const key of [operator, dave]) {
    await refuses('ChainHalted', () => chain.send(key.account, encodeCloseChain()))
    await refuses('ChainHalted', () => chain.send(key.account, encodeSubmitBlocks(bad.number + 1, [], ZERO_HASH)))
  }
  await refuses('ChainHalted', () => chain.send(carol.account, encodeHaltAbandoned()))
  assert.equal(await headOf(chain), head)
})

/** A half-signed swap in an old hidden block, an exit of the signer, and a move of the halt five seconds before that is due. */
async function lieStory() {
  const { chain } = world
  const bait = await createBait(chain)
  const a = await deposit(chain, alice)
  const b = await deposit(chain, bob)
  // Half-signed swap: Alice signed, Bob did not (Mallory's signature stands for his). Hidden by the operator: nobody could prove it in time.
  const lie = await chain.sign(
    { inputs: [a, b], outputs: [createOutput(mallory.address, ETH, 2n * ETHER)], memo: ZERO_HASH },
    [alice, mallory],
  )
  const hidden = await submit(chain, [lie])
  await passTo(chain, hidden.header.timestamp + mep() / 2)
  const exit = await startDepositExit(chain, alice, a)
  await passTo(chain, hidden.header.timestamp + mep() + 5)
  const bad = await submitBad(chain, bait)
  const { lastMove } = await haltAt(chain, bad, { at: exit.exitableAt - 5 })
  const disprove = () => chain.send(bob.account, encodeFraudProof(forgeryProof(chain, hidden, 0, [bob, ETHER, 1])))
  return { hidden, exit, lastMove, disprove }
}

test('evidence shown after a move removes no exit before its new end, so that a lie can still be disproved (K6)', async () => {
  const { chain } = world
  const { hidden, exit, lastMove, disprove } = await lieStory()
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'ticket')
  await challenge(chain, exit, [hidden, 0], { from: mallory })
  await refuses('EvidenceNotFinal', () => release(chain, exit, hidden))
  await disprove()
  await drop(chain, exit, hidden)
  await passTo(chain, lastMove + mep() + 1)
  await settle(chain, [exit])
  assert.is(await stateOf(chain, exit), 'settled')
})

test('evidence shown after a move removes no exit at its turn, if that comes before its new end', async () => {
  const { chain } = world
  const { hidden, exit, lastMove, disprove } = await lieStory()
  await challenge(chain, exit, [hidden, 0], { from: mallory })
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [], [hidden]))
  assert.is(await stateOf(chain, exit), 'ticket', 'at its turn')
  await disprove()
  await drop(chain, exit, hidden)
  await passTo(chain, lastMove + mep() + 1)
  await settle(chain, [exit])
  assert.is(await stateOf(chain, exit), 'settled')
})

test.run()

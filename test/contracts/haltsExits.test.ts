/** What a halt does to standard exits, queued and as tickets, on the real contract (docs/halt.md; docs/spec.md 5, 8.4). */
import * as assert from 'uvu/assert'
import { encodeCloseChain, encodeFraudProof, encodeHaltAbandoned } from '../../l1/rootCalls.ts'
import {
  bondLessBounty,
  createBait,
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
import { actors, ETH } from '../support/rootChain.ts'
import { creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, operator, watcher, carol, dave, erin } = actors
const { test, world, mep, balanceOf, ticketOf } = rootSuite('halts: standard exits')
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

test.run()

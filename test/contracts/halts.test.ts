/** What a halt does to deposits, outputs, mandates, credits and the operator on the real contract (docs/halt.md; docs/spec.md 5, 8.4). */
import * as assert from 'uvu/assert'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import {
  encodeCloseChain,
  encodeFraudProof,
  encodeHaltAbandoned,
  encodeRevokeMandates,
  encodeSubmitBlocks,
  encodeWithdraw,
} from '../../l1/rootCalls.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { decodePosition } from '../../protocol/position.ts'
import { bondLessBounty, createBait, forgeryProof, haltAt, headOf, paidFor, submitBad } from '../support/haltMoves.ts'
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
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, ETH } from '../support/rootChain.ts'
import { callOf, creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, operator, watcher, carol, dave } = actors
const { test, world, mep, balanceOf } = rootSuite('halts: deposits, outputs')
const close = () => world.chain.send(operator.account, encodeCloseChain())

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

test.run()

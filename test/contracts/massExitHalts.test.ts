/** A halt in every phase of a mass exit (docs/spec.md 6.4.7, 8.4; stories K1, K4, P4 to P6): a locked batch keeps its place, another goes on. */
import * as assert from 'uvu/assert'
import { encodeDropStrike } from '../../l1/massExitContract.ts'
import { encodeCloseChain, encodeSettle } from '../../l1/rootCalls.ts'
import {
  answer,
  claim,
  demand,
  depositAt,
  dissolve,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import { createBait, haltAt, submitBad } from '../support/haltMoves.ts'
import { deposit, ETHER, nextAt, passTo, place, signMandate, stateOf, submit } from '../support/moves.ts'
import { actors, ETH } from '../support/rootChain.ts'
import { isPaid, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, mallory, operator } = actors
const { test, world } = rootSuite('mass exits: halts')

const PHASES = ['demanded', 'answered', 'locked', 'due', 'turned'] as const

for (const phase of PHASES) {
  test(`a halt just after a batch was ${phase} costs no entry its place, and no mandate is asked for from then on`, async () => {
    const { chain } = world
    const mep = chain.parameters.minExitPeriod
    const bait = await createBait(chain)
    const mine = await deposit(chain, alice)
    const batch = await startBatch(chain, [{ position: mine, amount: ETHER }])
    const { startedAt } = batch.batch
    await demand(chain, batch, 0)
    const first = phase === 'demanded'
    const bad = await submitBad(chain, bait)
    let lastMove = 0
    if (first) lastMove = (await haltAt(chain, bad)).lastMove
    const mandate = await signMandate(chain, alice, {})
    await answer(chain, batch, first ? [0, depositAt(alice, ETHER)] : [0, depositAt(alice, ETHER), mandate])
    if (phase === 'answered') lastMove = (await haltAt(chain, bad)).lastMove
    const item = await lockBatch(chain, batch, startedAt + mep / 4 + 1)
    assert.is(item.exitableAt, startedAt + mep / 4 + 1 + mep)
    if (phase === 'locked') lastMove = (await haltAt(chain, bad)).lastMove
    let late = bad
    if (phase === 'due' || phase === 'turned') {
      await passTo(chain, item.exitableAt - 30)
      late = await submitBad(chain, bait)
      await passTo(chain, item.exitableAt + 1)
    }
    if (phase === 'due') lastMove = (await haltAt(chain, late)).lastMove
    await turnBatch(chain, batch)
    if (phase === 'turned') lastMove = (await haltAt(chain, late)).lastMove
    const payable = Math.max(item.exitableAt, lastMove + mep)
    const now = Number((await chain.client.getBlock()).timestamp)
    if (payable > now + 1) {
      await nextAt(chain, payable)
      await refuses('TooEarly', () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
      await nextAt(chain, payable + 1)
    }
    await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  })
}

test('a demand that nobody could answer on a live chain is answered without a mandate after the halt, by its last second', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const mine = await deposit(chain, alice)
  const batch = await startBatch(chain, [{ position: mine, amount: ETHER }], { from: mallory })
  const bad = await submitBad(chain, bait)
  await demand(chain, batch, 0)
  await refuses('NotOwner', () => answer(chain, batch, [0, depositAt(alice, ETHER)]))
  await haltAt(chain, bad)
  await nextAt(chain, batch.batch.startedAt + chain.parameters.minExitPeriod / 4)
  await answer(chain, batch, [0, depositAt(alice, ETHER)])
  await lockBatch(chain, batch)
})

test('what names nothing dissolves a batch after a halt as before it', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const mine = await deposit(chain, alice)
  const bad = await submitBad(chain, bait)
  await haltAt(chain, bad)
  const batch = await startBatch(chain, [{ position: mine, amount: ETHER - 1n }], { from: mallory })
  await demand(chain, batch, 0)
  await refuses('EntryEmpty', () => answer(chain, batch, [0, depositAt(alice, ETHER)]))
  await passTo(chain, batch.batch.startedAt + chain.parameters.minExitPeriod / 4 + 1)
  await dissolve(chain, batch, 0)
})

test('entries of a void block are dead and their shares free; those below it are paid, and what they were spent on too', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const bait = await createBait(chain)
  const mine = await deposit(chain, alice)
  const paid = await chain.pay(alice, mine, [[bob, ETHER]])
  const bad = await submitBad(chain, bait, [paid])
  const other = await deposit(chain, dave)
  const batch = await startBatch(
    chain,
    [
      { position: mine, amount: ETHER },
      { position: place(bad), amount: ETHER },
      { position: other, amount: ETHER },
    ],
    { lastBlock: bad },
  )
  const item = await lockBatch(chain, batch)
  const dead = await openEntry(chain, batch, 1, outputAt(chain, bad))
  await strike(chain, batch, [spendAt(chain, bad, 0, mine)])
  const { lastMove } = await haltAt(chain, bad)
  assert.is(item.exitableAt, bad.header.timestamp + 2 * mep)
  assert.ok(lastMove + mep <= item.exitableAt, 'a move comes a period before the turn of what it voids')
  const id = await chain.client.snapshot()
  await turnBatch(chain, batch, { blocks: [bad] })
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await chain.client.revert({ id })
  await chain.send(carol.account, encodeDropStrike(batch.batch, mine, alice.address))
  await turnBatch(chain, batch, { blocks: [bad] })
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await refuses('TransactionInvalid', () => claim(chain, batch, [[1, outputAt(chain, bad)]]))
  await placeEntry(chain, batch, 1, dead)
  assert.is(await stateOf(chain, dead), 'locked')
  await releaseEntry(chain, batch, 1, outputAt(chain, bad))
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 1, outputAt(chain, bad)))
  await isPaid(chain, dave, () => claim(chain, batch, [[2, depositAt(dave, ETHER)]]))
})

test('N moved down a second time: the line waits again for whoever was not paid yet, in the same place', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const bait = await createBait(chain)
  const positions = [await deposit(chain, alice), await deposit(chain, bob)]
  const batch = await startBatch(
    chain,
    positions.map((position) => ({ position, amount: ETHER })),
  )
  const item = await lockBatch(chain, batch)
  await passTo(chain, item.exitableAt - 60)
  const lower = await submitBad(chain, bait)
  const upper = await submitBad(chain, bait)
  const { lastMove } = await haltAt(chain, upper)
  await turnBatch(chain, batch)
  await refuses('TooEarly', () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await nextAt(chain, lower.header.timestamp + mep)
  const again = await haltAt(chain, lower, { at: lower.header.timestamp + mep })
  assert.ok(again.lastMove > lastMove)
  await nextAt(chain, lastMove + mep + 1)
  await refuses('TooEarly', () => claim(chain, batch, [[1, depositAt(bob, ETHER)]]))
  await nextAt(chain, again.lastMove + mep + 1)
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await isPaid(chain, bob, () => claim(chain, batch, [[1, depositAt(bob, ETHER)]]))
})

test('an operator that closes the chain just before the lock, or just before the turn, delays nobody (K1, P5)', async () => {
  const { chain } = world
  for (const isLocked of [false, true]) {
    const id = await chain.client.snapshot()
    const mine = await deposit(chain, alice)
    const block = await submit(chain, [await chain.pay(alice, mine, [[bob, ETHER]])])
    const batch = await startBatch(chain, [{ position: place(block), amount: ETHER }], { lastBlock: block })
    if (!isLocked) await chain.send(operator.account, encodeCloseChain())
    const item = await lockBatch(chain, batch)
    if (isLocked) await chain.send(operator.account, encodeCloseChain())
    assert.is(item.exitableAt, block.header.timestamp + 2 * chain.parameters.minExitPeriod)
    await turnBatch(chain, batch, { blocks: [block] })
    await isPaid(chain, bob, () => claim(chain, batch, [[0, outputAt(chain, block)]]))
    await chain.client.revert({ id })
  }
})

test('a batch of a halted chain has a place and a period like any other: nothing forged is paid at once (K4, K11)', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  await deposit(chain, alice)
  const bad = await submitBad(chain, bait)
  await chain.send(operator.account, encodeCloseChain())
  const batch = await startBatch(chain, [{ position: place(bad), amount: ETHER }], { from: mallory, lastBlock: bad })
  const item = await lockBatch(chain, batch)
  assert.is(item.exitableAt, bad.header.timestamp + 2 * chain.parameters.minExitPeriod)
  const exit = await openEntry(chain, batch, 0, outputAt(chain, bad))
  const { events } = await haltAt(chain, bad)
  assert.ok(events.length > 0)
  await turnBatch(chain, batch, { blocks: [bad] })
  await placeEntry(chain, batch, 0, exit)
  await refuses('NothingToDo', () => chain.send(mallory.account, encodeSettle([exit])))
  const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
  await releaseEntry(chain, batch, 0, outputAt(chain, bad))
  assert.is((await chain.read<readonly bigint[]>('totals', [ETH]))[0], funded! + ETHER)
  assert.is(line, ETHER)
})

test.run()

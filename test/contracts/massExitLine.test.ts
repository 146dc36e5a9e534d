/** Places on the line that nobody could end (docs/adr/0017-ended-by-somebody.md): the thief leaves them there for nothing, and an innocent owner stands behind. */
import * as assert from 'uvu/assert'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  outputAt,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { createBait, haltAt, memoOf, settle, submitBad } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, ETH } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, mallory } = actors
const { test, world, balanceOf } = rootSuite('root contract: places that somebody has to end')

test('a share in a void block is freed without a word about what stands there: nobody serves such a block', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const hers = await deposit(chain, alice)
  const dust = await deposit(chain, mallory, 1n)
  const bad = await submitBad(chain, bait)
  const hidden = await submit(chain, [await chain.pay(mallory, dust, [[bob, 2n * ETHER]])])
  await haltAt(chain, bad)
  const [funded = 0n] = await chain.read<readonly bigint[]>('totals', [ETH])
  const entries = [{ position: place(hidden), amount: funded }]
  const batch = await startBatch(chain, entries, { from: mallory, lastBlock: hidden })
  const item = await lockBatch(chain, batch)
  await passTime(chain, chain.parameters.minExitPeriod)
  const exit = await startDepositExit(chain, alice, hers)
  await passTo(chain, Math.max(exit.exitableAt, item.exitableAt) + 1)
  await turnBatch(chain, batch, { exits: [exit], blocks: [hidden] })
  await refuses('NothingToDo', () => settle(chain, [exit]))
  const before = await balanceOf(alice)
  await releaseEntry(chain, batch, 0, { kind: 'nothing' })
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 0, { kind: 'nothing' }))
  await settle(chain, [exit])
  assert.ok((await balanceOf(alice)) >= before + ETHER)
})

test('a share below the void blocks is not freed without being shown, and not while somebody is owed it', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, mallory)
  const good = await submit(chain, [await chain.pay(mallory, source, [[alice, ETHER]])])
  const batch = await startBatch(chain, [{ position: place(good), amount: ETHER }], { lastBlock: good })
  await lockBatch(chain, batch)
  const bad = await submitBad(chain, bait)
  await haltAt(chain, bad)
  await turnBatch(chain, batch, { blocks: [good] })
  await refuses('NotIncluded', () => releaseEntry(chain, batch, 0, { kind: 'beyond', header: good.header }))
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, outputAt(chain, good)))
})

test('a share and the exit through a dispute of the same output do not wait for each other', async () => {
  const { chain } = world
  const spent = await deposit(chain, mallory, 2n * ETHER)
  const hers = await deposit(chain, alice)
  const payment = await chain.pay(mallory, spent, [[mallory, 2n * ETHER]])
  const block = await submit(chain, [payment])
  const entries = [{ position: place(block), amount: 2n * ETHER }]
  const batch = await startBatch(chain, entries, { lastBlock: block, from: mallory })
  const item = await lockBatch(chain, batch)
  // So late that its place comes behind the batch’s, and that nobody can claim in between.
  await passTo(chain, item.exitableAt - 60)
  const dispute = await startDispute(chain, payment, [deposited(mallory, 2n * ETHER)], { from: mallory })
  const exit = await startDisputedExit(chain, mallory, dispute, 0, { from: mallory })
  await passTime(chain, chain.parameters.minExitPeriod / 4)
  const ofAlice = await startDepositExit(chain, alice, hers)
  await passTo(chain, Math.max(exit.exitableAt, item.exitableAt, ofAlice.exitableAt) + 1)
  await process(chain, turnsOf([exit, item, ofAlice], [block]), { maxCount: 1 })
  await refuses('EntryMismatch', () => adoptExit(chain, batch, [0, outputAt(chain, block), exit]))
  await process(chain, turnsOf([exit, ofAlice], [block]))
  assert.is((await decide(chain, dispute)).verdict, 'canonical')
  assert.is(await stateOf(chain, exit), 'ticket')
  await refuses('NothingToDo', () => settle(chain, [ofAlice]))
  const before = await balanceOf(mallory)
  await adoptExit(chain, batch, [0, outputAt(chain, block), exit])
  assert.ok((await balanceOf(mallory)) >= before + 2n * ETHER)
  await settle(chain, [ofAlice])
  assert.is(await stateOf(chain, exit), 'settled')
  assert.is(await stateOf(chain, ofAlice), 'settled')
})

test('a strike that fell makes room for another, one that stands does not', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const spent = await deposit(chain, mallory)
  const first = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  const batch = await startBatch(chain, [{ position: spent, amount: ETHER }], { from: mallory })
  const anchor = Number(await chain.client.getBlockNumber())
  await lockBatch(chain, batch)
  const twice = await chain.pay(mallory, spent, [[carol, ETHER]], memoOf('again'))
  const again = await submitBad(chain, bait, [twice], anchor)
  await strike(chain, batch, [spendAt(chain, again, 0, spent)], mallory)
  await refuses('NothingToDo', () => strike(chain, batch, [spendAt(chain, first, 0, spent)]))
  await haltAt(chain, again)
  await strike(chain, batch, [spendAt(chain, first, 0, spent)])
  await refuses('NothingToDo', () => strike(chain, batch, [spendAt(chain, first, 0, spent)]))
  await turnBatch(chain, batch)
  await passTime(chain, 2 * chain.parameters.minExitPeriod)
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, depositAt(mallory, ETHER)]]))
})

test.run()

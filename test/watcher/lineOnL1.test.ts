/** A whole watcher on the real root contract: what it does about places on the line that keep others from their money (docs/spec.md 5.5, 6.4). */
import * as assert from 'uvu/assert'
import { CLAIM_ENTRY_GAS } from '../../watcher/court/batchShares.ts'
import { CALL_GAS, TURN_RESERVE_GAS } from '../../watcher/court/policy.ts'
import { refuses, rootSuite } from '../contracts/rootSuite.ts'
import {
  claim,
  depositAt,
  lockBatch,
  openEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import { deposited, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { createBait, haltAt, memoOf, submitBad } from '../support/haltMoves.ts'
import {
  balance,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  startDepositExit,
  startExit,
  stateOf,
  submit,
} from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, mallory } = actors
const { test, world } = rootSuite('watcher: the line on L1')

test('a thief who strikes its own entry with a spend that is void soon does not keep the true spend from being shown', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const spent = await deposit(chain, mallory)
  const first = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  watcher.serve(first)
  const batch = await startBatch(chain, [{ position: spent, amount: ETHER }], { from: mallory })
  await watcher.look()
  const anchor = Number(await chain.client.getBlockNumber())
  await lockBatch(chain, batch)
  // The operator spends the same output again, and the thief is the first to strike.
  const again = await submit(chain, [await chain.pay(mallory, spent, [[carol, ETHER]], memoOf('again'))], anchor)
  await strike(chain, batch, [spendAt(chain, again, 0, spent)], mallory)
  watcher.serve(again)
  const done: string[] = []
  for (let round = 0; round < 4; round++) {
    const acted = await watcher.act()
    assert.equal(acted.refused, [])
    done.push(...acted.done)
    await passTime(chain, 1)
  }
  assert.equal(done, ['prove', 'strike'])
  await turnBatch(chain, batch)
  await passTime(chain, 2 * chain.parameters.minExitPeriod)
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, depositAt(mallory, ETHER)]]))
  watcher.log.assertNoErrors()
})

test('shares of entries in a void block, which nobody ever verified, do not keep who leaves late after a halt from her money', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const bait = await createBait(chain)
  const hers = await deposit(chain, alice)
  const dust = await deposit(chain, mallory, 1n)
  const forged = await chain.pay(mallory, dust, [[mallory, 2n * ETHER]])
  const bad = await submitBad(chain, bait, [forged])
  watcher.serve(bad)
  assert.equal(await watcher.act(), { done: ['prove'], refused: [] })
  const batch = await startBatch(chain, [{ position: place(bad), amount: 2n * ETHER }], {
    from: mallory,
    lastBlock: bad,
  })
  await lockBatch(chain, batch)
  await watcher.look()
  await passTime(chain, chain.parameters.minExitPeriod)
  const exit = await startDepositExit(chain, alice, hers)
  await watcher.protect(alice)
  await passTo(chain, Math.max(exit.exitableAt, batch.item!.exitableAt) + 1)
  await turnBatch(chain, batch, { exits: [exit], blocks: [bad] })
  assert.is(await stateOf(chain, exit), 'ticket')
  await watcher.actAll()
  assert.is(await stateOf(chain, exit), 'settled')
  watcher.log.assertNoErrors()
})

test('a mass exit full of dust, or of what is void, does not keep a protected owner in it from being paid', async () => {
  const { chain } = world
  const callGasCap = TURN_RESERVE_GAS + CALL_GAS + CLAIM_ENTRY_GAS
  const watcher = await createSuretyWatcher(world, { policy: { callGasCap } })
  const bait = await createBait(chain)
  const dust: number[] = []
  for (let i = 0; i < 6; i++) dust.push(await deposit(chain, carol, 1n))
  const bad = await submitBad(chain, bait)
  watcher.serve(bad)
  // Her deposit was made while the bad block was the newest: its position comes behind what stands in that block.
  const hers = await deposit(chain, alice)
  await haltAt(chain, bad)
  const ofVoid = Array.from({ length: 6 }, (_, i) => ({ position: place(bad, 0, i), amount: 1n }))
  const entries = [...dust.map((position) => ({ position, amount: 1n })), ...ofVoid, { position: hers, amount: ETHER }]
  const batch = await startBatch(chain, entries, { from: mallory, lastBlock: bad })
  await lockBatch(chain, batch)
  await watcher.protect(alice)
  await turnBatch(chain, batch, { blocks: [bad] })
  await passTime(chain, chain.parameters.minExitPeriod)
  const before = await balance(chain, alice)
  await watcher.actAll()
  assert.is(await balance(chain, alice), before + ETHER)
  watcher.log.assertNoErrors()
})

test('an exit by inclusion that started while its payment was disputed is paid out of the older share of the same output', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const watcher = await createSuretyWatcher(world)
  const source = await deposit(chain, mallory)
  const payment = await chain.pay(mallory, source, [[alice, ETHER]])
  const block = await submit(chain, [payment])
  watcher.serve(block)
  await watcher.protect(alice)
  const batch = await startBatch(chain, [{ position: place(block), amount: ETHER }], { lastBlock: block, from: carol })
  const item = await lockBatch(chain, batch)
  await passTo(chain, item.exitableAt - 60)
  const dispute = await startDispute(chain, payment, [deposited(mallory)], { from: mallory })
  const exit = await startExit(chain, alice, [block, 0, 0])
  assert.is(exit.disputed, dispute.dispute.txHash)
  await passTo(chain, Math.max(exit.exitableAt, item.exitableAt, dispute.dispute.exitableAt) + 1)
  await watcher.actAll()
  await passTime(chain, mep)
  await watcher.actAll()
  assert.is(await stateOf(chain, exit), 'settled')
  watcher.log.assertNoErrors()
})

test('of two mass exits that name an output whose value a verdict passed on, the share that nobody inherits is freed for those behind', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const watcher = await createSuretyWatcher(world)
  const source = await deposit(chain, mallory)
  const hers = await deposit(chain, alice)
  await watcher.protect(alice)
  const entries = [{ position: source, amount: ETHER }]
  const older = await startBatch(chain, entries, { from: carol })
  const younger = await startBatch(chain, entries, { from: mallory })
  await lockBatch(chain, older)
  await lockBatch(chain, younger, older.batch.startedAt + 62)
  const payment = await chain.pay(mallory, source, [[bob, ETHER]])
  const dispute = await startDispute(chain, payment, [deposited(mallory)], { from: bob })
  const ofBob = await startDisputedExit(chain, bob, dispute)
  await openEntry(chain, older, 0, depositAt(mallory, ETHER))
  await passTime(chain, 60)
  const exit = await startDepositExit(chain, alice, hers)
  await passTo(
    chain,
    Math.max(exit.exitableAt, ofBob.exitableAt, younger.item!.exitableAt, dispute.dispute.exitableAt) + 1,
  )
  await watcher.actAll()
  await passTime(chain, 3 * mep)
  await watcher.actAll()
  assert.is(await stateOf(chain, ofBob), 'settled')
  assert.is(await stateOf(chain, exit), 'settled')
  watcher.log.assertNoErrors()
})

test.run()

/**
 * For a period after an exit of an output fell only its owner opens an entry of it, then anybody (docs/spec.md 6.4.9, ADR 0023). Shares that
 * nobody else could open, claim or free would keep whoever stands behind them waiting for ever.
 */
import * as assert from 'uvu/assert'
import type { Exit } from '../../protocol/exit.ts'
import {
  adoptExit,
  claim,
  lockBatch,
  openEntry,
  outputAt,
  releaseEntry,
  startBatch,
  type TestBatch,
} from '../support/batchMoves.ts'
import { createBait, freePlaces, GARBAGE, haltAt, settle, submitBad } from '../support/haltMoves.ts'
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
import { actors, attempt, type ChildBlock } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, erin, mallory, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('mass exits: shares of an output whose exit fell')

/** Mallory's ether of a valid block; a bad block has a copy of the payment, by which an exit of hers falls. */
async function createScene() {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const hers = await deposit(chain, alice)
  const made = await chain.pay(bob, source, [[mallory, ETHER]])
  const first = await submit(chain, [made])
  await passTime(chain, mep() + 10)
  const copy = () => submitBad(chain, bait, [{ transaction: made.transaction, witnesses: GARBAGE }])
  return { bait, hers, first, copy }
}

/** What anybody but Mallory can do, for some periods. */
async function helpOthers(batches: readonly TestBatch[], first: ChildBlock, exits: readonly Exit[]): Promise<void> {
  const { chain } = world
  const shown = outputAt(chain, first)
  const opened: Exit[] = []
  for (let period = 0; period < 4; period++) {
    await passTime(chain, mep() + 10)
    for (const batch of batches) {
      await attempt(() => claim(chain, batch, [[0, shown]], watcher))
      await attempt(async () => {
        opened.push(await openEntry(chain, batch, 0, shown, watcher))
      })
      for (const exit of opened) await attempt(() => adoptExit(chain, batch, [0, shown, exit]))
      await attempt(() => releaseEntry(chain, batch, 0, shown))
    }
    await freePlaces(chain)
    for (const exit of [...opened, ...exits]) await attempt(() => settle(chain, [exit]))
  }
}

test('on a halted chain an owner who leaves later is paid, whatever one whose exit fell leaves undone', async () => {
  const { chain } = world
  const { bait, hers, first, copy } = await createScene()
  const bad = await copy()
  const fake = await startExit(chain, mallory, [bad, 0, 0])
  await haltAt(chain, bad)
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const entries = [{ position: place(first), amount: ETHER }]
  const batches = [
    await startBatch(chain, entries, { lastBlock: first, from: carol }),
    await startBatch(chain, entries, { lastBlock: first, from: mallory }),
  ]
  const items = []
  for (const batch of batches) items.push(await lockBatch(chain, batch, undefined, mallory))
  // After a halt nobody whose output stands has a deadline (8.4.4).
  const ofAlice = await startDepositExit(chain, alice, hers)
  await passTo(chain, Math.max(fake.exitableAt, ofAlice.exitableAt, ...items.map((item) => item.exitableAt)) + 1)
  await process(chain, turnsOf([fake, ofErin, ...items, ofAlice], [bad, first]))
  const before = await balanceOf(mallory)
  await helpOthers(batches, first, [ofAlice])
  assert.is(await stateOf(chain, ofAlice), 'settled')
  assert.is((await balanceOf(mallory)) - before, ETHER, 'hers, once')
})

test('nor does it hurt who leaves at once when the chain halts', async () => {
  const { chain } = world
  const { bait, hers, first, copy } = await createScene()
  // On the live chain, with mandates of her own: there is nothing to demand.
  const entries = [{ position: place(first), amount: ETHER }]
  const batches = [
    await startBatch(chain, entries, { lastBlock: first, from: mallory }),
    await startBatch(chain, entries, { lastBlock: first, from: carol }),
  ]
  await passTo(chain, batches[1]!.batch.startedAt + mep() / 4 - 5)
  const bad = await copy()
  const fake = await startExit(chain, mallory, [bad, 0, 0])
  await passTo(chain, batches[1]!.batch.startedAt + mep() / 4 + 1)
  const items = []
  for (const batch of batches) items.push(await lockBatch(chain, batch, undefined, mallory))
  const { lastMove } = await haltAt(chain, bad)
  const exits = [await startDepositExit(chain, alice, hers), await startDepositExit(chain, erin, bait.position)]
  const due = [...exits, ...items].map(({ exitableAt }) => exitableAt)
  await passTo(chain, Math.max(fake.exitableAt, lastMove + mep(), ...due) + 1)
  await process(chain, turnsOf([fake, ...exits, ...items], [bad, first]))
  await helpOthers(batches, first, exits)
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
})

test('others come a period after the fall, to the second; the owner at any time', async () => {
  const { chain } = world
  const { first, copy } = await createScene()
  const bad = await copy()
  const fake = await startExit(chain, mallory, [bad, 0, 0])
  await haltAt(chain, bad)
  const batch = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const item = await lockBatch(chain, batch)
  await passTo(chain, Math.max(item.exitableAt, fake.exitableAt) + 1)
  const { timestamp: fellAt } = await process(chain, turnsOf([fake, item], [bad, first]))
  const shown = outputAt(chain, first)
  const id = await chain.client.snapshot()
  await openEntry(chain, batch, 0, shown, mallory)
  await chain.client.revert({ id })
  await passTo(chain, fellAt + mep() - 30)
  await nextAt(chain, fellAt + mep())
  await refuses('NotOwner', () => openEntry(chain, batch, 0, shown, watcher))
  await nextAt(chain, fellAt + mep() + 1)
  const opened = await openEntry(chain, batch, 0, shown, watcher)
  assert.is(opened.lockedAt, fake.lockedAt, 'the lock is as old as it was')
})

test.run()

/**
 * Two mass exits that name the same output, beside exits, strikes and disputes (docs/spec.md 6.4.10, 6.4.12): whatever became of it, anybody
 * who tries everything ends every place on the line, the money goes once to whom it is owed, and who waits behind is paid.
 */
import * as assert from 'uvu/assert'
import type { Exit } from '../../protocol/exit.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  type TestBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, inherit, showCompetitor, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { freePlaces, memoOf, release, settle } from '../support/haltMoves.ts'
import {
  balance,
  challenge,
  deposit,
  ETHER,
  passTime,
  passTo,
  process,
  startDepositExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt, type ChildBlock, ETH, type RootChain } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, watcher } = actors
const { test, world } = rootSuite('mass exits: two that overlap')

/** How Alice's output leaves the batches, if it does: opened in one of them, or by an exit of its own. */
const WAYS = [
  'unopened',
  'opened in the older',
  'opened in the younger',
  'opened in the older after its turn',
  'opened in the younger after its turn',
  'exits before both',
  'exits behind both',
] as const
const FATES = ['unspent', 'spent', 'passed on by a verdict', 'given back by a verdict'] as const

type Way = (typeof WAYS)[number]
type Fate = (typeof FATES)[number]
type Dispute = Awaited<ReturnType<typeof startDispute>>
type Scene = {
  exits: Exit[]
  batches: readonly [TestBatch, TestBatch]
  /** Where a block spends Alice's output. */
  spend?: ChildBlock
  dispute?: Dispute
  heir?: Exit
}

const shown = depositAt(alice, ETHER)

/** `order`: which batch is tried first. */
async function tryEverything(chain: RootChain, scene: Scene, order: readonly (0 | 1)[]): Promise<void> {
  const { exits, batches, spend, dispute, heir } = scene
  for (let pass = 0; pass < 3; pass++) {
    for (const i of order) {
      const batch = batches[i]
      for (const exit of exits) {
        await attempt(() => placeEntry(chain, batch, 0, exit))
        await attempt(() => adoptExit(chain, batch, [0, shown, exit]))
      }
      await attempt(() => claim(chain, batch, [[0, shown]]))
      await attempt(() => releaseEntry(chain, batch, 0, shown))
    }
    for (const exit of heir ? [...exits, heir] : exits) {
      await attempt(() => settle(chain, [exit]))
      await attempt(() => release(chain, exit, spend))
      await attempt(() => release(chain, exit))
    }
    await freePlaces(chain)
    if (dispute && heir) await attempt(() => inherit(chain, dispute, heir))
    if (pass > 0) continue
    for (const i of order) await attempt(async () => exits.push(await openEntry(chain, batches[i], 0, shown)))
  }
}

async function play(chain: RootChain, way: Way, fate: Fate, order: readonly (0 | 1)[]): Promise<void> {
  const mep = chain.parameters.minExitPeriod
  const hers = await deposit(chain, alice)
  const behind = await deposit(chain, bob)
  const payment = await chain.pay(alice, hers, [[dave, ETHER]])
  const spend = fate === 'spent' ? await submit(chain, [payment]) : undefined
  const exits: Exit[] = []
  if (way === 'exits before both') exits.push(await startDepositExit(chain, alice, hers))
  const entries = [{ position: hers, amount: ETHER }]
  const older = await startBatch(chain, entries)
  const younger = await startBatch(chain, entries, { from: carol })
  const items = [await lockBatch(chain, older), await lockBatch(chain, younger, younger.batch.startedAt + mep / 4 + 2)]
  if (way === 'opened in the older') exits.push(await openEntry(chain, older, 0, shown))
  if (way === 'opened in the younger') exits.push(await openEntry(chain, younger, 0, shown))
  if (way === 'exits behind both') exits.push(await startDepositExit(chain, alice, hers))
  const turns = [...exits.filter(({ bond }) => bond > 0n), ...items]

  const scene: Scene = { exits, batches: [older, younger], ...(spend && { spend }) }
  if (spend) {
    for (const exit of exits) await challenge(chain, exit, [spend, 0])
    // What is opened by now is challenged; an entry that is not is struck, each batch by itself.
    const opened = [older, younger].filter(
      (_, i) => way !== (i === 0 ? 'opened in the older' : 'opened in the younger'),
    )
    for (const batch of opened) await strike(chain, batch, [spendAt(chain, spend, 0, hers)])
  }
  if (fate.endsWith('verdict')) {
    scene.dispute = await startDispute(chain, payment, [deposited(alice)], { exits })
    if (fate === 'given back by a verdict') {
      await showCompetitor(chain, scene.dispute, await chain.pay(alice, hers, [[watcher, ETHER]], memoOf('other')))
    }
    scene.heir = await startDisputedExit(chain, dave, scene.dispute)
    turns.push(scene.heir)
  }
  await passTime(chain, 5)
  const last = await startDepositExit(chain, bob, behind)
  turns.push(last)

  const [ofAlice, ofDave] = [await balance(chain, alice), await balance(chain, dave)]
  await passTo(chain, Math.max(...items.map(({ exitableAt }) => exitableAt)) + 1)
  await process(chain, turnsOf(turns))
  if (way === 'opened in the older after its turn') exits.push(await openEntry(chain, older, 0, shown))
  if (way === 'opened in the younger after its turn') exits.push(await openEntry(chain, younger, 0, shown))
  await passTo(chain, last.exitableAt + 1)
  await attempt(() => process(chain, turnsOf(turns)))
  if (scene.dispute) {
    const { verdict } = await decide(chain, scene.dispute)
    assert.is(verdict, fate === 'passed on by a verdict' ? 'canonical' : 'not-canonical')
  }
  await passTime(chain, 3 * mep)

  await tryEverything(chain, scene, order)
  await attempt(() => settle(chain, [last]))
  const owed = {
    alice: fate === 'unspent' || fate.startsWith('given') ? 1n : 0n,
    dave: fate.startsWith('passed') ? 1n : 0n,
  }
  assert.is(await stateOf(chain, last), 'settled', 'Bob, who is behind all of it, is paid')
  const bonds = ETHER / 2n
  assert.is(((await balance(chain, alice)) - ofAlice + bonds) / ETHER, owed.alice, 'Alice')
  assert.is(((await balance(chain, dave)) - ofDave + bonds) / ETHER, owed.dave, 'Dave')
  // Every place is over: what is left of the line is what was never taken out.
  const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
  assert.is(funded! - line!, fate === 'spent' ? ETHER : 0n)
}

for (const fate of FATES) {
  for (const way of WAYS) {
    test(`every place of an output in two mass exits comes to an end: ${fate}, ${way}`, async () => {
      const { chain } = world
      for (const order of [
        [0, 1],
        [1, 0],
      ] as const) {
        const id = await chain.client.snapshot()
        await play(chain, way, fate, order)
        await chain.client.revert({ id })
      }
    })
  }
}

test.run()

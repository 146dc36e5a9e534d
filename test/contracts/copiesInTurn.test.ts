/**
 * A known limit: copies of one output that its owner lets fall one after the other keep those behind their shares waiting. What would end that is
 * docs/adr/0022-one-fall-is-enough.md.
 */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import { lockBatch, openEntry, outputAt, releaseEntry, startBatch } from '../support/batchMoves.ts'
import { createBait, forgeryProof, freePlaces, haltAt, release, settle, submitBad } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  nextAt,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, erin, mallory } = actors
const { test, world, mep } = rootSuite('mass exits: copies that fall one after the other')
const COPIES = 12
const PERIODS = 4

test('who leaves late after a halt waits a period for each copy of an output that stands in an older mass exit', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const hers: number[] = []
  for (let i = 0; i < COPIES - 2; i++) hers.push(await deposit(chain, alice))
  const made = await chain.pay(bob, source, [[mallory, ETHER]])
  await submit(chain, [made])
  await passTime(chain, mep() + 10)
  const copies = Array.from({ length: COPIES }, (_, i) => ({
    transaction: made.transaction,
    witnesses: new Uint8Array(64).fill(i + 1),
  }))
  const copy = await submit(chain, copies)
  await passTime(chain, mep() + 10)
  await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const entries = copies.map((_, index) => ({ position: place(copy, index), amount: ETHER }))
  const batch = await startBatch(chain, entries, { lastBlock: copy, from: mallory })
  const item = await lockBatch(chain, batch, undefined, mallory)
  // Nobody has a deadline after a halt (spec 8.4.4): Alice comes a little later.
  const exits: Exit[] = []
  for (const position of hers) exits.push(await startDepositExit(chain, alice, position))
  await passTo(chain, Math.max(item.exitableAt, ...exits.map(({ exitableAt }) => exitableAt)) + 1)
  await process(chain, turnsOf([ofErin, item, ...exits], [copy]))
  let x = await openEntry(chain, batch, 0, outputAt(chain, copy, 0), mallory)
  for (let next = 1; next <= PERIODS; next++) {
    await passTo(chain, x.exitableAt - 30)
    await nextAt(chain, x.exitableAt - 5)
    // One L1 block of Mallory's.
    await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, next - 1, [bob, ETHER, 0])))
    await release(chain, x)
    const opened = await attempt(async () => {
      x = await openEntry(chain, batch, next, outputAt(chain, copy, next), mallory)
    })
    // Whatever anybody else can do.
    for (let index = 0; index < COPIES; index++)
      await attempt(() => releaseEntry(chain, batch, index, outputAt(chain, copy, index)))
    await freePlaces(chain)
    await attempt(() => settle(chain, exits))
    if (!opened) break
  }
  const states = await Promise.all(exits.map((exit) => stateOf(chain, exit)))
  // One a period: with ADR 0022 all are settled.
  assert.is(states.filter((state) => state === 'settled').length, PERIODS - 1, `${states}`)
})

test.run()

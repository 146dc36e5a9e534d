/**
 * A block that nobody serves is demanded on L1 by the watcher itself (docs/spec.md 8.6). Whatever the operator then shows, or does not, the
 * chain goes on with a block that everybody has, or ends before it; every honest owner has all of its money, offline ones too.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile, type Hostile } from '../../drill/faults/operator.ts'
import { encodeStartStandardExit } from '../../l1/rootCalls.ts'
import { coverBlock, dataChallengeBond, MAX_CHALLENGE_LEVELS } from '../../protocol/dataChallenge.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { bondOf, exitOf, send, untilAlert } from './acts.ts'
import { settleOwners } from './owners.ts'
import { bondLeft, demand, FAST, leastBond, ROOMY, untilDemanded } from './surety.ts'
import { ETHER, inWorld, until, type WatcherOptions, type World } from './world.ts'

const test = suite('story: hidden')

const { dataChallengePeriod: DC, dataResponsePeriod: DR } = ROOMY
/** Most leaves of one demand. */
const WIDTH = 2 ** MAX_CHALLENGE_LEVELS
/** Three demands; the last is of two leaves. */
const LEAVES = 2 * WIDTH + 2
/** In the second. */
const FORGED = WIDTH + 6

test(
  'a block that nobody has is demanded by the watcher and ends the chain: its thief gets nothing, and all owners leave in full',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { watcher, paid, leave, assertPaid } = await settleOwners(world, hostile)
    const mallory = world.accountOf('mallory')
    const bond = await bondLeft(world)
    await hostile.takeOver()
    const hidden = await hostile.commit([hostile.sign([mallory], [paid], [[mallory, ETHER]])])
    const shown = hostile.shownOf(hidden)
    const position = hostile.positionOf(hidden)
    const theft = encodeStartStandardExit({ position, shown, bondWei: bondOf(500_000n) })
    const stolen = exitOf(await send(world, mallory, theft))

    await world.passTo(hidden.timestamp + DC / 4)
    const [record] = await untilDemanded(watcher, hidden.number, 1)
    assert.is(record?.challenge.challenger, watcher.account.address)
    await untilAlert(watcher, 'DATA_CHALLENGED')
    assert.not(watcher.codes().includes('PROTECTED_EXIT_STARTED'), 'a demand is no flight')
    await world.passTo(record!.challenge.startedAt + DR)
    await untilAlert(watcher, 'DATA_UNANSWERED')
    await untilAlert(watcher, 'CHAIN_HALTED')
    assert.is(watcher.watcher.core.facts.halt().voidFrom, hidden.number)
    assert.is(await bondLeft(world), bond - bond / 2n, 'slashed')
    await assertPaid(await leave(), stolen)
  }),
)

/** Mallory moves her own ether through a block of three ranges of leaves, and takes Bob's with one leaf of the second. */
async function hideForgery(world: World, options: WatcherOptions = {}) {
  const hostile = await createHostile(world)
  const own = await world.fund('mallory', ETHER)
  const owners = await settleOwners(world, hostile, options)
  await hostile.takeOver()
  const number = owners.watcher.watcher.core.facts.newestBlock() + 1
  const forged = await hostile.commit(forgeBlock(world, hostile, { own, stolen: owners.paid, number }))
  return { hostile, forged, ...owners }
}

function forgeBlock(
  world: World,
  hostile: Hostile,
  { own, stolen, number }: Readonly<{ own: number; stolen: number; number: number }>,
): SignedTransaction[] {
  const mallory = world.accountOf('mallory')
  const placed = { number, l1Block: 0, timestamp: 0, transactions: [], header: undefined as never }
  let last = own
  return Array.from({ length: LEAVES }, (_, index) => {
    const signed = hostile.sign([mallory], [index === FORGED ? stolen : last], [[mallory, ETHER]])
    if (index !== FORGED) last = hostile.positionOf(placed, index)
    return signed
  })
}

const holdsForgery = ({ challenge: { first } }: Readonly<{ challenge: { first: number } }>) =>
  first <= FORGED && FORGED < first + WIDTH

test(
  'a forged leaf is hidden in one of three ranges, and the operator answers the other two: the chain ends all the same',
  inWorld(FAST, async (world) => {
    // Enough for two of the three ranges: half of what is left is the most for one block.
    const least = await leastBond(world, { blockNumber: 1, first: 0, levels: 0 })
    const fee = least / dataChallengeBond(0, 1, 1n)
    const dataChallengeBudgetWei = 5n * dataChallengeBond(MAX_CHALLENGE_LEVELS, 2, (fee * 5n) / 4n)
    const scene = await hideForgery(world, { policy: { dataChallengeBudgetWei } })
    const { hostile, forged, watcher, leave, assertPaid } = scene

    await world.passTo(forged.timestamp + DC / 2)
    const demanded = await untilDemanded(watcher, forged.number, 2)
    await untilAlert(watcher, 'DATA_UNCHALLENGED')
    const left = coverBlock(forged.number, LEAVES).filter((range) =>
      demanded.every(({ challenge }) => challenge.first !== range.first),
    )
    assert.is(left.length, 1, 'its budget is used up')
    await demand(world, world.accountOf('carol'), left[0]!, forged.header)
    const all = await untilDemanded(watcher, forged.number, 3)
    for (const one of all) {
      if (!holdsForgery(one))
        await send(world, world.operatorAccount, hostile.answerOf(forged, [one.challenge]), 'surety')
    }
    const { facts, data } = watcher.watcher.core
    await until('the answers are seen', () => data.open().length === 1)
    assert.is(facts.verifiedBlock(), forged.number - 1)
    const [hit] = data.open()
    assert.ok(hit && holdsForgery(hit))

    await world.passTo(hit.challenge.startedAt + DR)
    await untilAlert(watcher, 'CHAIN_HALTED')
    assert.is(facts.halt().voidFrom, forged.number)
    await assertPaid(await leave())
  }),
)

test(
  'a forged leaf is revealed on L1 while the rest of its block stays hidden: the watcher proves it, and all owners leave in full',
  inWorld(FAST, async (world) => {
    const { hostile, forged, watcher, leave, assertPaid } = await hideForgery(world)
    const { facts, data } = watcher.watcher.core
    const bond = await bondLeft(world)
    await world.passTo(forged.timestamp + DC / 2)
    const all = await untilDemanded(watcher, forged.number, 3)
    const hit = all.find(holdsForgery)
    await send(world, world.operatorAccount, hostile.answerOf(forged, [hit!.challenge]), 'surety')
    await untilAlert(watcher, 'INVALID_BLOCK')
    await untilAlert(watcher, 'FAULT_PROVEN')
    await untilAlert(watcher, 'CHAIN_HALTED')
    assert.is(facts.halt().voidFrom, forged.number)
    assert.is(data.revealedLeaves(forged.number).size, WIDTH, 'no more than the one range')
    assert.is(await bondLeft(world), bond - bond / 2n, 'slashed')
    await until('the bonds of the demands that nobody has to answer any more are back', () => data.open().length === 0)
    await assertPaid(await leave())
  }),
)

test.run()

/** L1 takes back what watchers do against a stranger's mass exits: demands, their end, and strikes (docs/spec.md 6.4.4, 6.4.8, 12.1.3). */
import { encodeCloseBatch } from '../../l1/massExitContract.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { batchDeadlines, hashBatch } from '../../protocol/massExit.ts'
import type { BatchRecord } from '../../watcher/court/batchTypes.ts'
import { isRefused, send } from '../acts.ts'
import { overDeclared } from '../faults/coordinator.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt, reorgByHand } from '../faults/reorg.ts'
import { leaveAll, payOut, runningWatcher } from '../leave.ts'
import { batchesOf, claimEntry, giveTurnsOf, lockBatch, openEntry, startBatch, untilBatches } from '../massExitPlays.ts'
import { assertLive, prepareGround } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import type { Settled } from '../settle.ts'
import type { World } from '../world.ts'

export const reorgStrike: Scenario = {
  name: 'reorg-strike',
  title: 'L1 takes demands and strikes back',
  story:
    'Mallory starts mass exits, one of twice what is hers and one of what she has spent; L1 replaces 1 to 64 blocks as the first is demanded of and dissolved and as the second is struck; she loses her bonds, and nobody is paid less.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  // No block is made while the mass exits run their course: that alone is not to end the chain.
  parameters: { ...REORG_PARAMETERS, abandonPeriod: 9_600 },
  run: (world, settled) => playReorgStrike(world, planBySeed(world), settled),
}

export async function playReorgStrike(world: World, plan: ReorgPlan, settled: Settled): Promise<void> {
  const { thief, helper, owners, parameters } = world
  const { own, spent } = await prepareGround(world)
  const answerOf = ({ batch }: BatchRecord) => batchDeadlines(batch.startedAt, parameters.minExitPeriod).answer
  const isOf = (wanted: RootEvent['type']) => (event: RootEvent) => event.type === wanted
  world.fault(thief.name, 'starts a mass exit of twice what is hers')
  const lie = () => startBatch(world, thief, overDeclared(world, { own, spent }))
  await reorgByHand(world, { what: 'an entry is demanded', taken: isOf('EntryDemanded'), act: lie }, plan())
  // Found anew: a batch's name holds the time of its start. She may have started it twice, where the first was not taken back.
  const liars = batchesOf(runningWatcher(world), thief)
  await untilBatches(world, liars, 'demanded of', ({ openDemands }) => openDemands > 0)
  const end = () => world.passTo(Math.max(...liars.map(answerOf)))
  await reorgAt(world, { what: 'a mass exit is dissolved', taken: isOf('BatchDissolved'), act: end }, plan())
  await untilBatches(world, liars, 'dissolved', ({ state }) => state === 'dissolved')

  world.fault(thief.name, 'starts a mass exit of what she has spent')
  const batch = await startBatch(world, thief, [own, spent])
  await world.passTo(batchDeadlines(batch.batch.startedAt, parameters.minExitPeriod).answer)
  const lock = () => isRefused(lockBatch(world, thief, batch))
  await reorgByHand(world, { what: 'an entry is struck', taken: isOf('EntryStruck'), act: lock }, plan())
  await untilBatches(world, [batch], 'struck', ({ strikes }) => strikes.size > 0)

  const index = (position: number) => batch.placed.findIndex((entry) => entry.position === position)
  await giveTurnsOf(world, [{ batchId: hashBatch(batch.batch) }])
  // The reward of a strike waits for this.
  await openEntry(world, helper, batch, index(spent.position))
  await claimEntry(world, thief, batch, index(own.position))
  assertLive(world)
  await leaveAll(world, settled, { who: owners.filter(({ care }) => care !== 'watcher') })
  await payOut(world, settled.token)
  await send(world, thief, encodeCloseBatch(batch.batch))
}

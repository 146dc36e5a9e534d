/** L1 takes back a demand of data and its answer (docs/spec.md 8.6). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import { send } from '../acts.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt, reorgByHand } from '../faults/reorg.ts'
import { assertLive, commitFault, prepareGround, takeOver, untilDemanded } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

export const reorgData: Scenario = {
  name: 'reorg-data',
  title: 'L1 takes demands and answers back',
  story:
    'The operator hides a good block; L1 replaces 1 to 64 blocks as the watchers demand it and as it is revealed; the block is read from L1, and nothing ends.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  // As in every preset, the time to demand is far longer than the deepest reorg: what comes back may still be in time.
  parameters: { ...REORG_PARAMETERS, minExitPeriod: 3_840, dataChallengePeriod: 360 },
  run: (world) => playReorgData(world, planBySeed(world)),
}

export async function playReorgData(world: World, plan: ReorgPlan): Promise<void> {
  const { hostile, thief, watchers, operatorPerson } = world
  const { own } = await prepareGround(world)
  await takeOver(world)
  const move = hostile.sign([thief.account], [own.position], [[thief, own.amount]])
  const hidden = await commitFault(world, [move], 'commits a good block, and serves it to nobody')
  // Buried as deep as a reorg may go: the demand is to be taken back, not what it is about.
  await world.mine(world.parameters.finalityBlocks)
  const demand = {
    what: 'the block is demanded',
    taken: ({ type }: RootEvent) => type === 'DataChallenged',
    act: async () => undefined,
  }
  await reorgAt(world, demand, plan())
  const answer = async () => {
    const [first] = await untilDemanded(world, hidden)
    if (first) await send(world, operatorPerson, hostile.answerOf(hidden, [first.challenge]), 'surety')
  }
  const reveal = { what: 'the block is revealed', taken: ({ type }: RootEvent) => type === 'DataRevealed', act: answer }
  await reorgByHand(world, reveal, plan())
  for (const watcher of watchers) await watcher.untilVerified()
  await world.passTime(world.parameters.dataResponsePeriod)
  const { data } = watchers[0].watcher().core
  await until('every demand to be answered', () =>
    data.ofBlock(hidden.number).every(({ state }) => state === 'answered'),
  )
  assertLive(world)
}

/** A good block is hidden until its demands are nearly over, and then shown on L1 (docs/spec.md 8.6): nothing may come of it. */
import { send } from '../acts.ts'
import { allTell, assertLive, commitFault, prepareGround, takeOver, untilDemanded } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

/** Seconds before the end of an answer's time. */
const LAST_MOMENT = 20

export const revealLate: Scenario = {
  name: 'reveal-late',
  title: 'Shown at the last moment',
  story:
    'The operator hides a good block until the demands are nearly over and answers then; the watchers put it together from L1, nothing ends, and nobody lost anything.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { hostile, parameters, thief, watchers } = world
    const { dataChallengePeriod, dataResponsePeriod } = parameters
    const { own } = await prepareGround(world)
    await takeOver(world)
    const move = hostile.sign([thief.account], [own.position], [[thief, own.amount]])
    const late = await commitFault(world, [move], 'commits a good block, and serves it to nobody')
    await allTell(world, 'BLOCK_SUSPECT')
    await world.passTo(late.timestamp + dataChallengePeriod / 4)
    const [demand] = await untilDemanded(world, late)
    if (!demand) return
    // A jump ends with a burst of blocks, each a second.
    await world.passTo(demand.challenge.startedAt + dataResponsePeriod - LAST_MOMENT - parameters.anchorAgeBlocks)
    await send(world, world.operatorPerson, hostile.answerOf(late, [demand.challenge]), 'surety')
    for (const watcher of watchers) await watcher.untilVerified()
    await world.passTime(dataResponsePeriod)
    const fled = watchers.some((one) => one.codes().includes('PROTECTED_EXIT_STARTED'))
    world.find('WATCH-4', !fled, fled ? 'a watcher took people out' : 'nobody was taken out in haste')
    assertLive(world)
  },
}

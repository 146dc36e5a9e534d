/** L1 fees rise a hundredfold as soon as a theft has started: its bond was sized for the old ones (docs/honest-watcher.md, "Time and budget"). */
import { evidenceDeadline } from '../../protocol/exit.ts'
import { createFeeSpike } from '../faults/fees.ts'
import { assertChallenged, endTheft, steal } from '../faults/theft.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

const FACTOR = 100n

export const feeSpike: Scenario = {
  name: 'fee-spike',
  title: 'L1 fees rise a hundredfold',
  story:
    'A theft starts when L1 is cheap and fees rise a hundredfold at once; the watchers challenge it all the same, in time.',
  needs: ['time-travel', 'fees'],
  owners: OWNERS,
  run: async (world) => {
    const { parameters } = world
    const exit = await steal(world)
    const spike = await createFeeSpike(world, FACTOR)
    world.fault('L1', `a base fee of ${spike.baseFeeWei} wei, ${FACTOR} times what it was`)
    // From the last quarter of the window on nothing is too dear.
    const deadline = evidenceDeadline(exit.exitableAt, parameters.minExitPeriod)
    await world.passTo(deadline - Math.floor((deadline - exit.startedAt) / 4) - parameters.anchorAgeBlocks)
    await assertChallenged(world, exit)
    spike.end()
    await endTheft(world, exit)
  },
}

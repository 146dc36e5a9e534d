/** The operator stops for ever: nobody commits a block any more (docs/spec.md 8.4). */
import { encodeHaltAbandoned } from '../../l1/rootCalls.ts'
import { isRefused, send } from '../acts.ts'
import { allTell, everybodyLeaves } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const vanish: Scenario = {
  name: 'vanish',
  title: 'The operator stops for ever',
  story:
    'The operator goes silent; after its time anyone ends the chain, nothing is void, and everybody leaves in full.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world, settled) => {
    const { operator, helper, parameters } = world
    world.fault('operator', 'stops, and never comes back')
    await operator.stop()
    await world.passTime(parameters.abandonPeriod + 1)
    // Refused where a watcher was faster.
    await isRefused(send(world, helper, encodeHaltAbandoned()))
    await allTell(world, 'CHAIN_HALTED')
    await everybodyLeaves(world, settled)
  },
}

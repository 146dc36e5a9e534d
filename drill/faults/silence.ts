/** The operator goes silent for good, and the chain ends by it (docs/spec.md 8.4). */
import { encodeHaltAbandoned } from '../../l1/rootCalls.ts'
import { isRefused, send } from '../acts.ts'
import type { World } from '../world.ts'

/** The fault. Halted when it resolves, by whoever was first. */
export async function stopForEver(world: World): Promise<void> {
  const { operator, helper, parameters } = world
  world.fault('operator', 'stops, and never comes back')
  await operator.stop()
  await world.passTime(parameters.abandonPeriod + 1)
  // Refused where a watcher was faster.
  await isRefused(send(world, helper, encodeHaltAbandoned()))
}

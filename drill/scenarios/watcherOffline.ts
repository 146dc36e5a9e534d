/** Both watchers are off when a theft starts, and one comes back in the last quarter of its window (docs/invariants.md, EXIT-1). */
import { evidenceDeadline } from '../../protocol/exit.ts'
import { assertChallenged, endTheft, steal } from '../faults/theft.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const watcherOffline: Scenario = {
  name: 'watcher-offline',
  title: 'Watchers are off for most of the window',
  story:
    'A theft starts while no watcher runs; one comes back in the last quarter of its window, and challenges it in time.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { watchers, parameters } = world
    const exit = await steal(world, async () => {
      for (const watcher of watchers) await watcher.stop()
      world.note('everybody', 'no watcher runs')
    })
    const deadline = evidenceDeadline(exit.exitableAt, parameters.minExitPeriod)
    const quarter = Math.floor((deadline - exit.startedAt) / 4)
    await world.passTo(deadline - quarter)
    await watchers[1].start()
    world.note(watchers[1].name, 'is back, in the last quarter')
    await assertChallenged(world, exit)
    await watchers[0].start()
    await endTheft(world, exit)
  },
}

/** The clocks of both watchers are wrong, one ahead and one behind (docs/spec.md section 11: silence is counted by what was attended). */
import { assertChallenged, endTheft, steal } from '../faults/theft.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

const HOURS = 3_600_000

export const wrongClock: Scenario = {
  name: 'wrong-clock',
  title: 'Watchers with wrong clocks',
  story:
    'The clock of one watcher is a day ahead and that of the other a day behind; nobody is taken out in haste, and a theft is challenged in time.',
  needs: [],
  owners: OWNERS,
  run: async (world) => {
    const { watchers } = world
    const offsets = [24 * HOURS, -24 * HOURS]
    world.fault('everybody', 'the clock of one watcher is a day ahead, that of the other a day behind')
    for (const [i, watcher] of watchers.entries()) {
      await watcher.stop()
      await watcher.start({ now: () => Date.now() + (offsets[i] ?? 0) })
    }
    const exit = await steal(world)
    await assertChallenged(world, exit)
    const fled = watchers.some((one) => one.codes().includes('PROTECTED_EXIT_STARTED'))
    world.find('WATCH-4', !fled, fled ? 'a watcher took people out' : 'nobody was taken out in haste')
    await endTheft(world, exit)
  },
}

/** A stranger copies a mass exit, before the coordinator or after her (docs/spec.md 6.4.10; docs/threat-model.md C2). */
import { batchDeadlines } from '../../protocol/massExit.ts'
import { isRefused } from '../acts.ts'
import { everybodysEther } from '../faults/coordinator.ts'
import { stopForEver } from '../faults/silence.ts'
import { assertAllPaid, lockBatch, startBatch, untilAllPaid, untilLocked, untilTogether } from '../massExitPlays.ts'
import { allTell } from '../plays.ts'
import type { Scenario } from '../scenario.ts'

export const copiedMassExit: Scenario = {
  name: 'copied-mass-exit',
  title: 'A mass exit that was copied',
  story:
    'After the end of the chain Mallory names the same outputs as the honest coordinator, before or after it as the seed chooses; her copy holds nobody up, and everybody is paid once.',
  needs: ['time-travel'],
  owners: { default: 4, min: 4, max: 40 },
  coordinators: 1,
  cares: ['unmandated', 'watcher', 'unmandated', 'anyone'],
  run: async (world) => {
    const { thief, watchers, parameters } = world
    const isFirst = world.random.pick([true, false])
    const [coordinator] = watchers
    const entries = everybodysEther(world)
    if (isFirst) await coordinator.stop()
    await stopForEver(world)
    if (!isFirst) await untilTogether(world, { coordinator })
    world.fault(thief.name, `names the same outputs ${isFirst ? 'before' : 'after'} the coordinator`)
    const copy = await startBatch(world, thief, entries)
    if (isFirst) await coordinator.start()
    await allTell(world, 'CHAIN_HALTED')
    const together = await untilTogether(world, {})
    await world.passTo(batchDeadlines(copy.batch.startedAt, parameters.minExitPeriod).answer)
    // Refused where a watcher locked it, for the owners in it.
    await isRefused(lockBatch(world, thief, copy))
    await untilLocked(world, together)
    await untilAllPaid(world, together)
    await assertAllPaid(world)
  },
}

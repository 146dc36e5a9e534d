/** The coordinator dies for good in the middle of a mass exit (docs/spec.md 6.4.5, 6.4.7: anyone may lock, anyone may claim). */
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { stopForEver } from '../faults/silence.ts'
import { assertAllPaid, claimRest, untilLocked, untilPaidOut, untilTogether, untilTurned } from '../massExitPlays.ts'
import { allTell } from '../plays.ts'
import type { Scenario } from '../scenario.ts'

export const deadCoordinator: Scenario = {
  name: 'dead-coordinator',
  title: 'The coordinator dies in the middle',
  story:
    'The watcher that started a mass exit dies for good, before the lock or after it as the seed chooses; the other one takes it to its turn and claims the ether, a stranger the tokens, and every owner is paid.',
  needs: ['time-travel'],
  owners: { default: 4, min: 4, max: 40 },
  coordinators: 1,
  cares: ['unmandated', 'watcher', 'unmandated', 'anyone'],
  run: async (world) => {
    const [coordinator] = world.watchers
    const isLocked = world.random.pick([true, false])
    await stopForEver(world)
    await allTell(world, 'CHAIN_HALTED')
    const together = await untilTogether(world, { coordinator })
    if (isLocked) await untilLocked(world, together)
    world.fault(coordinator.name, `dies for good, ${isLocked ? 'after' : 'before'} the lock of its mass exits`)
    await coordinator.stop()
    await untilLocked(world, together)
    await untilPaidOut(
      world,
      together.filter(({ batch }) => batch.token === ZERO_ADDRESS),
    )
    // What a token is worth nobody told the other watcher: it pays strangers' gas only for what it knows to be worth it.
    await untilTurned(world, together)
    for (const batch of together) await claimRest(world, world.helper, batch)
    await untilPaidOut(world, together)
    await assertAllPaid(world)
  },
}

/** L1 takes back the start of mass exits, their locks, turns and claims (docs/spec.md 6.4, 12.1.3). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import { batchDeadlines } from '../../protocol/massExit.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt } from '../faults/reorg.ts'
import { stopForEver } from '../faults/silence.ts'
import {
  assertAllPaid,
  assertNamedOnce,
  passTurns,
  untilClosed,
  untilLocked,
  untilPaidOut,
  untilTogether,
  untilTurned,
} from '../massExitPlays.ts'
import { allTell } from '../plays.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

/** L1 seconds, and blocks, before something falls due. */
const LEAD_SECONDS = 20

export const reorgMassExit: Scenario = {
  name: 'reorg-mass-exit',
  title: 'L1 takes mass exits back',
  story:
    'The chain ends, and one watcher takes everybody out together; L1 replaces 1 to 64 blocks as a mass exit starts, is locked, has its turn and pays; everybody is in one of them, once, and is paid.',
  needs: ['time-travel', 'reorgs'],
  owners: { default: 4, min: 4, max: 40 },
  coordinators: 1,
  cares: ['unmandated', 'watcher', 'unmandated', 'anyone'],
  parameters: REORG_PARAMETERS,
  run: (world) => playReorgMassExit(world, planBySeed(world)),
}

export async function playReorgMassExit(world: World, plan: ReorgPlan): Promise<void> {
  const [coordinator] = world.watchers
  // It comes when the end of the chain is final: its start is to be taken back, not what it starts for.
  await coordinator.stop()
  await stopForEver(world)
  await allTell(world, 'CHAIN_HALTED')
  await world.mine(world.parameters.finalityBlocks)
  await reorgAt(
    world,
    stepOf('a mass exit starts', 'BatchStarted', () => coordinator.start()),
    plan(),
  )
  // Found anew: a batch's name holds the time of its start, and after the reorg that may be another.
  const together = await untilTogether(world, { coordinator })
  assertNamedOnce(world)

  const ends = together.map(({ batch }) => batchDeadlines(batch.startedAt, world.parameters.minExitPeriod).answer)
  // Nearly there by a jump, the rest block by block: a jump may bury what it brings deeper than anything can be taken back.
  await world.passTo(Math.max(...ends) - LEAD_SECONDS)
  await reorgAt(world, stepOf('a mass exit is locked', 'BatchLocked'), plan())
  await untilLocked(world, together)

  const isTurn = (event: RootEvent) =>
    event.type === 'ExitPostponed' && together.some(({ batchId }) => batchId === event.outputId)
  await passTurns(world, together, -LEAD_SECONDS)
  await reorgAt(world, { what: 'a mass exit has its turn', taken: isTurn, act: async () => undefined }, plan())
  await untilTurned(world, together)
  await reorgAt(world, stepOf('entries are claimed', 'EntriesClaimed'), plan())
  await untilPaidOut(world, together)
  await assertAllPaid(world)
  await untilClosed(world, together)
}

/** `act` left out: somebody does it when its time has come. */
function stepOf(what: string, wanted: RootEvent['type'], act: () => Promise<unknown> = async () => undefined) {
  return { what, taken: ({ type }: RootEvent) => type === wanted, act }
}

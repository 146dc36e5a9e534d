/** The chain ends, nobody comes, and one watcher takes everybody out together (docs/spec.md 6.4). */
import { forgedSignature } from '../faults/forgeries.ts'
import { stopForEver } from '../faults/silence.ts'
import { assertAllPaid, untilClosed, untilLocked, untilPaidOut, untilTogether } from '../massExitPlays.ts'
import { allTell, commitFault, nextBlock, prepareGround, takeOver, untilUnanswered } from '../plays.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

export const massExit: Scenario = {
  name: 'mass-exit',
  title: 'Everybody leaves in one transaction',
  story:
    'The operator stops for ever, hides a block or forges one, the seed chooses; no owner comes, most left no word, and one watcher takes them all out together: all are paid.',
  needs: ['time-travel'],
  owners: { default: 6, min: 4, max: 40 },
  coordinators: 1,
  cares: ['unmandated', 'watcher', 'unmandated', 'anyone'],
  run: async (world) => {
    const [coordinator] = world.watchers
    await world.random.pick([stopForEver, hide, forge])(world)
    await allTell(world, 'CHAIN_HALTED')
    const together = await untilTogether(world, { coordinator })
    await untilLocked(world, together)
    await untilPaidOut(world, together)
    await assertAllPaid(world)
    await untilClosed(world, together)
  },
}

/** Nobody gets it, nobody answers for it, and the chain ends before it. */
async function hide(world: World): Promise<void> {
  const ground = await prepareGround(world)
  await takeOver(world)
  const theft = forgedSignature.forge({ ...ground, block: nextBlock(world) })
  const hidden = await commitFault(world, [theft], 'commits a block that steals, and serves it to nobody')
  await untilUnanswered(world, hidden)
}

/** The chain ends by a proof; whoever the watcher cares for may have left before it. */
async function forge(world: World): Promise<void> {
  const ground = await prepareGround(world)
  await takeOver(world)
  const theft = forgedSignature.forge({ ...ground, block: nextBlock(world) })
  const forged = await commitFault(world, [theft], 'commits a block that steals')
  world.hostile.serve(forged.number)
}

/** The operator commits a block that steals, and shows it to nobody (docs/spec.md 8.6). */
import { forgedSignature } from '../faults/forgeries.ts'
import {
  assertHalted,
  commitFault,
  everybodyLeaves,
  exitForged,
  nextBlock,
  prepareGround,
  takeOver,
  untilUnanswered,
} from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const withholdBlock: Scenario = {
  name: 'withhold-block',
  title: 'A block that nobody gets',
  story:
    'The operator commits a block that steals and serves it to nobody; the watchers demand it on L1, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const ground = await prepareGround(world)
    await takeOver(world)
    const theft = forgedSignature.forge({ ...ground, block: nextBlock(world) })
    const hidden = await commitFault(world, [theft], 'commits a block that steals, and serves it to nobody')
    await exitForged(world, hidden)
    await untilUnanswered(world, hidden)
    await assertHalted(world, hidden, 'HALT-5')
    await everybodyLeaves(world, settled)
  },
}

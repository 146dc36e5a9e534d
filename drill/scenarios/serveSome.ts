/** A block is served to one watcher only; the other has it from there. Then a bad one is served to the other only. */
import { forgedSignature } from '../faults/forgeries.ts'
import { assertHalted, commitFault, everybodyLeaves, nextBlock, prepareGround, takeOver } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const serveSome: Scenario = {
  name: 'serve-some',
  title: 'A block for some only',
  story:
    'The operator serves a good block to one watcher, who passes it on, and then a bad one to the other, who proves it alone; everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, doors, thief, watchers } = world
    const ground = await prepareGround(world)
    const { own } = ground
    await takeOver(world)
    const move = hostile.sign([thief.account], [own.position], [[thief, own.amount]])
    const good = await commitFault(world, [move], 'commits a good block, and serves it to one watcher only')
    hostile.serve(good.number, [doors[0]])
    for (const watcher of watchers) await watcher.untilVerified()
    const alarmed = watchers.some((one) => one.codes().includes('BLOCK_WITHHELD'))
    world.find('WATCH-4', !alarmed, 'a block that one watcher has is withheld from nobody')
    const theft = forgedSignature.forge({ ...ground, block: nextBlock(world) })
    const bad = await hostile.commit([theft])
    world.note('operator', 'commits a block that steals, and serves it to the other only')
    hostile.serve(bad.number, [doors[1]])
    await watchers[1].untilAlert('INVALID_BLOCK')
    await assertHalted(world, bad, 'HALT-2')
    await everybodyLeaves(world, settled)
  },
}

/** Several faults at once, chosen by the seed: of the operator, of a user, of L1 or of the watchers; and how everybody leaves. */
import {
  doubleSpend,
  type Forgery,
  forgedSignature,
  futureInput,
  mintedMoney,
  swappedToken,
} from '../faults/forgeries.ts'
import { THEFTS } from '../faults/thefts.ts'
import { TROUBLES } from '../faults/troubles.ts'
import { payOut } from '../leave.ts'
import { assertAllPaid, untilAllPaid, untilClosed, untilLocked, untilTogether } from '../massExitPlays.ts'
import {
  allTell,
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
import type { Settled } from '../settle.ts'
import type { World } from '../world.ts'

const FORGERIES: Readonly<Record<string, Forgery>> = {
  'a double spend': doubleSpend,
  'a forged signature': forgedSignature,
  'an input of the future': futureInput,
  'money out of nothing': mintedMoney,
  'ether turned into tokens': swappedToken,
}

const HIDING = ['served to all', 'served to one', 'hidden'] as const

const LEAVING: Readonly<Record<string, (world: World, settled: Settled) => Promise<void>>> = {
  'one by one': everybodyLeaves,
  together: leaveTogether,
}

export const combined: Scenario = {
  name: 'combined',
  title: 'Several faults at once, by seed',
  story:
    'A thief exits or disputes what she has spent while the operator commits a bad block, shown to all, to one or to nobody, and L1, an endpoint, a clock or a watcher fails; people leave one by one or together; the seed chooses, and every honest owner is paid.',
  needs: ['time-travel', 'fees', 'reorgs'],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, random, doors, watchers } = world
    const pick = <T>(from: Readonly<Record<string, T>>): readonly [string, T] => random.pick(Object.entries(from))
    const [[what, { forge }], hiding] = [pick(FORGERIES), random.pick(HIDING)]
    const [[trouble, begin], [theft, steal], [leaving, leave]] = [pick(TROUBLES), pick(THEFTS), pick(LEAVING)]
    const ground = await prepareGround(world)
    await takeOver(world)
    world.note('drill', `${what}, ${hiding}; ${trouble}; a thief ${theft}; all leave ${leaving}`)
    const endTrouble = await begin(world)
    const { caught, over } = await steal(world, ground)
    const block = await commitFault(
      world,
      [forge({ ...ground, block: nextBlock(world) })],
      `commits ${what}, ${hiding}`,
    )
    await exitForged(world, block)
    if (hiding === 'hidden') await untilUnanswered(world, block)
    else {
      hostile.serve(block.number, hiding === 'served to one' ? [doors[0]] : doors)
      await watchers[0].untilAlert('INVALID_BLOCK')
    }
    await allTell(world, 'CHAIN_HALTED')
    await assertHalted(world, block, hiding === 'hidden' ? 'HALT-5' : 'HALT-2')
    await endTrouble()
    await caught()
    await leave(world, settled)
    await over()
  },
}

/** The first watcher is given the means to take everybody out. Whoever it cares for may have left before. */
async function leaveTogether(world: World, settled: Settled): Promise<void> {
  const [coordinator] = world.watchers
  await coordinator.stop()
  await coordinator.start({ policy: { priceWei: world.priceWei } })
  const together = await untilTogether(world, { coordinator, least: 0 })
  await untilLocked(world, together)
  // Shares of those who had left by themselves may stay: nobody waits behind them.
  await untilAllPaid(world, together)
  await payOut(world, settled.token)
  await assertAllPaid(world)
  await untilClosed(world, together)
}

/** L1 takes back the block of each step of an exit, of a theft, of its challenge and of the payment (docs/spec.md 12.1.3). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Address } from '../../protocol/bytes.ts'
import { startExit } from '../../wallet/exit.ts'
import { processAll } from '../../wallet/process.ts'
import type { Person } from '../actors.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt, standing } from '../faults/reorg.ts'
import { assertChallenged, endTheft } from '../faults/theft.ts'
import { openExits, runningWatcher, unspentOf } from '../leave.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { fund, payTo } from '../settle.ts'
import type { World } from '../world.ts'

export const reorgExit: Scenario = {
  name: 'reorg-exit',
  title: 'L1 takes exits and challenges back',
  story:
    'L1 replaces 1 to 64 blocks as an exit starts, a theft starts, is challenged, and the exit is paid; everybody ends in the same state, as if it had not.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  parameters: REORG_PARAMETERS,
  run: (world) => playReorgExit(world, planBySeed(world)),
}

export async function playReorgExit(world: World, plan: ReorgPlan): Promise<void> {
  const { owners, thief } = world
  const [owner] = owners
  const output = owner && unspentOf(runningWatcher(world), owner)[0]
  if (!output) return
  const wallet = await world.reconnect(owner)
  const start = {
    what: 'an exit starts',
    taken: startedBy(owner.address),
    act: () => startExit(wallet, { position: output.position }),
  }
  await reorgAt(world, start, plan())
  const { outputId } = standing(world, owner)

  await playTheft(world, thief, 'a theft starts', startedBy(thief.address), plan)
  const other = await world.invite('trudy', 'thief', false)
  await playTheft(world, other, 'a theft is challenged', ({ type }) => type === 'EvidenceShown', plan)
  await assertChallenged(world, standing(world, thief))

  await world.passTo(standing(world, owner).exitableAt)
  const helping = await world.wallet(world.helper)
  const pay = {
    what: 'an exit is paid',
    taken: (event: RootEvent) => event.type === 'ExitPaid' && event.outputId === outputId,
    act: () => processAll(helping, `payout ${Date.now()}`),
  }
  await reorgAt(world, pay, plan())
  for (const one of [thief, other]) await endTheft(world, standing(world, one))
  const open = await openExits(world)
  world.find('EXIT-2', open.length === 0, `${open.length} exits of honest owners were left unpaid`)
}

const startedBy = (owner: Address) => (event: RootEvent) => event.type === 'ExitStarted' && event.exit.owner === owner

/** A thief exits what she has spent, and the watchers challenge it, whatever L1 takes back. */
async function playTheft(
  world: World,
  thief: Person,
  what: string,
  taken: (event: RootEvent) => boolean,
  plan: ReorgPlan,
): Promise<void> {
  const [victim = thief] = world.owners
  const position = await fund(world, thief, world.unit)
  await payTo(world, thief, victim, world.unit)
  const wallet = await world.wallet(thief)
  const act = () => startExit(wallet, { position, unsafeMaybeSpent: true })
  await reorgAt(world, { what, taken, act }, plan())
  await assertChallenged(world, standing(world, thief))
}

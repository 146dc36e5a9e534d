/** A stranger starts mass exits of what is not hers, or is not there (docs/spec.md 6.4.3, 6.4.4, 6.4.8). */
import { encodeCloseBatch } from '../../l1/massExitContract.ts'
import { batchDeadlines, hashBatch } from '../../protocol/massExit.ts'
import { isRefused, send } from '../acts.ts'
import { type BadEntries, forged, offByOne, overDeclared, uninvited } from '../faults/coordinator.ts'
import { leaveAll, payOut } from '../leave.ts'
import {
  claimEntry,
  giveTurnsOf,
  type KnownBatch,
  lockBatch,
  openEntry,
  startBatch,
  untilBatches,
} from '../massExitPlays.ts'
import { assertLive, prepareGround } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

const BAD: Readonly<Record<string, BadEntries>> = {
  'an owner who asked for nothing': uninvited,
  'a transaction that no block has': forged,
  'amounts that are one wei off': offByOne,
  'twice what is hers': overDeclared,
}

export const hostileCoordinator: Scenario = {
  name: 'hostile-coordinator',
  title: 'A stranger takes out what is not hers',
  story:
    'Mallory starts mass exits of uninvited, forged, over-declared and spent outputs, some twice: watchers demand and strike, she loses her bonds, and no owner is moved or paid less.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world, settled) => {
    const { thief, helper, parameters, owners } = world
    const { own, spent } = await prepareGround(world)
    const bad: KnownBatch[] = []
    for (const [what, make] of Object.entries(BAD)) {
      world.fault(thief.name, `starts a mass exit that names ${what}`)
      bad.push(await startBatch(world, thief, make(world, { own, spent })))
    }
    const twice: KnownBatch[] = []
    for (const _ of ['one', 'two']) twice.push(await startBatch(world, thief, [own, spent]))
    await untilBatches(world, bad, 'demanded of', ({ openDemands }) => openDemands > 0)
    const last = twice.at(-1)?.batch.startedAt ?? 0
    await world.passTo(batchDeadlines(last, parameters.minExitPeriod).answer)
    for (const one of bad) await isRefused(lockBatch(world, thief, one))
    await untilBatches(world, bad, 'dissolved', ({ state }) => state === 'dissolved')
    for (const one of twice) await lockBatch(world, thief, one)
    await untilBatches(world, twice, 'struck', ({ strikes }) => strikes.size > 0)

    const [first, second] = twice as [KnownBatch, KnownBatch]
    const index = (position: number) => first.placed.findIndex((entry) => entry.position === position)
    await giveTurnsOf(
      world,
      twice.map(({ batch }) => ({ batchId: hashBatch(batch) })),
    )
    // The reward of a strike waits for this.
    await openEntry(world, helper, first, index(spent.position))
    await claimEntry(world, thief, first, index(own.position))
    for (const position of [own.position, spent.position])
      if (!(await isRefused(claimEntry(world, thief, second, index(position)))))
        world.find('MASS-1', false, `L1 took a second claim of output ${position}`)
    assertLive(world)
    await leaveAll(world, settled, { who: owners.filter(({ care }) => care !== 'watcher') })
    await payOut(world, settled.token)
    for (const { batch } of twice) await send(world, thief, encodeCloseBatch(batch))
  },
}

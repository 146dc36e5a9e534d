/** An honest coordinator's mass exit with an entry that was spent in secret (docs/spec.md 6.4.8; docs/threat-model.md C1). */
import { giveMandate } from '../../wallet/mandate.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import { isRefused, send } from '../acts.ts'
import {
  assertAllPaid,
  claimEntry,
  demandEntry,
  knownTo,
  openEntry,
  untilBatches,
  untilClosed,
  untilLocked,
  untilPaidOut,
  untilTogether,
} from '../massExitPlays.ts'
import { assertLive, commitFault, prepareGround, takeOver, untilDemanded } from '../plays.ts'
import type { Scenario } from '../scenario.ts'

/** Seconds of silence after which the coordinator leaves: it must, before the block is shown. */
const GRACE_SECONDS = 6

export const poisonedMassExit: Scenario = {
  name: 'poisoned-mass-exit',
  title: 'A mass exit with a poisoned entry',
  story:
    'Mallory gives the coordinator a mandate and spends the output in a block that the operator hides until the mass exit has started: her entry is struck and not paid, all others are paid in full.',
  needs: ['time-travel'],
  owners: { default: 4, min: 4, max: 40 },
  coordinators: 1,
  cares: ['watcher'],
  run: async (world) => {
    const { hostile, thief, helper, watchers, parameters } = world
    const [coordinator] = watchers
    const { own } = await prepareGround(world)
    const word = await giveMandate(await world.wallet(thief), { delegate: coordinator.address })
    // All of one age, so that they leave in one mass exit.
    await world.passTime(parameters.minExitPeriod)
    coordinator.watcher().core.coordinator.mandates.add(word, Date.now())
    await takeOver(world)
    await coordinator.stop()
    await coordinator.start({ limits: { ...defaultLimits(parameters), graceSeconds: GRACE_SECONDS } })
    const spend = hostile.sign([thief.account], [own.position], [[helper, own.amount]])
    const hidden = await commitFault(world, [spend], 'commits a good block in which Mallory spends, and hides it')
    const together = await untilTogether(world, { coordinator, owners: [...world.owners, thief] })
    const poisoned = together.filter(({ batchId }) => knownTo(world, batchId).placed.some(isPoison))
    const [batch] = poisoned.map(({ batchId }) => knownTo(world, batchId))
    if (!batch) throw new RangeError('got no mass exit with the poisoned output')

    await demandEntry(world, thief, batch, 0)
    await world.passTo(hidden.timestamp + parameters.dataChallengePeriod / 4)
    const [asked] = await untilDemanded(world, hidden)
    if (asked) await send(world, world.operatorPerson, hostile.answerOf(hidden, [asked.challenge]), 'surety')
    for (const watcher of watchers) await watcher.untilVerified()
    assertLive(world)
    await untilBatches(world, [batch], 'answered for', ({ openDemands }) => openDemands === 0)
    await untilLocked(world, together)
    await untilBatches(world, [batch], 'struck', ({ strikes }) => strikes.size > 0)
    const index = batch.placed.findIndex(isPoison)
    await untilPaidOut(world, together, 1)
    const stays = await isRefused(claimEntry(world, thief, batch, index))
    world.find('MASS-2', stays, stays ? 'L1 refused the claim of the poisoned entry' : 'the poisoned entry was claimed')
    // She makes the coordinator pay for the strike: no more than the bond's part for one entry.
    await openEntry(world, thief, batch, index)
    await assertAllPaid(world)
    await untilClosed(world, together)

    function isPoison({ position }: Readonly<{ position: number }>): boolean {
      return position === own.position
    }
  },
}

/** A double spend that stands in no block is disputed (docs/spec.md section 6.3). */
import { encodeDecide, encodeStartDispute, type InputShown } from '../../l1/disputeCalls.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { send } from '../acts.ts'
import { disputeBondOf } from '../faults/dispute.ts'
import { runningWatcher } from '../leave.ts'
import { allTell, assertLive, prepareGround } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { until } from '../until.ts'

export const forgedFlight: Scenario = {
  name: 'forged-flight',
  title: 'A payment in flight that is none',
  story:
    'A thief who has paid disputes a second spend of the same deposit as if it were on its way; a watcher shows the payment, the verdict is against her, and who was paid keeps it.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { hostile, thief, unit } = world
    const { spent } = await prepareGround(world)
    const rival = hostile.sign([thief.account], [spent.position], [[thief, unit]])
    world.fault('mallory', 'starts a dispute of a payment that spends again what she has spent')
    const inputs: readonly InputShown[] = [{ deposit: { owner: thief.address, token: ZERO_ADDRESS, amount: unit } }]
    const events = await send(
      world,
      thief,
      encodeStartDispute({ signed: rival, inputs, exits: [], bondWei: await disputeBondOf(world, 1) }),
    )
    const started = events.find((event) => event.type === 'DisputeStarted')
    if (started?.type !== 'DisputeStarted') return
    await allTell(world, 'DISPUTE_NOT_CANONICAL')
    const { facts } = runningWatcher(world).watcher().core
    const { txHash, exitableAt } = started.dispute
    await until(
      'the competitor on L1',
      () => (facts.disputeFacts(txHash)?.competitors.length ?? 0) > 0,
      world.timeoutMs,
    )
    await world.passTo(exitableAt)
    await send(world, thief, encodeDecide(started))
    const verdict = await until(
      'the verdict',
      () => {
        const state = facts.disputeFacts(txHash)?.state
        return state !== 'running' && state
      },
      world.timeoutMs,
    )
    world.find('DISPUTE-2', verdict === 'not-canonical', `the verdict about the second spend: ${verdict}`)
    assertLive(world)
  },
}

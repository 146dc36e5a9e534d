/** L1 takes back a dispute, what is shown against it, and its verdict (docs/spec.md 6.3). */
import { encodeDecide, encodeStartDispute, type InputShown } from '../../l1/disputeCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { isRefused, send } from '../acts.ts'
import { disputeBondOf } from '../faults/dispute.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgByHand } from '../faults/reorg.ts'
import { runningWatcher } from '../leave.ts'
import { assertLive, prepareGround } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

export const reorgDispute: Scenario = {
  name: 'reorg-dispute',
  title: 'L1 takes a dispute back',
  story:
    'A thief disputes a second spend; L1 replaces 1 to 64 blocks as a watcher shows the first and as the verdict falls; it is against her, and who was paid keeps it.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  parameters: REORG_PARAMETERS,
  run: (world) => playReorgDispute(world, planBySeed(world)),
}

export async function playReorgDispute(world: World, plan: ReorgPlan): Promise<void> {
  const { hostile, thief, unit, recorder } = world
  const { spent } = await prepareGround(world)
  const rival = hostile.sign([thief.account], [spent.position], [[thief, unit]])
  const inputs: readonly InputShown[] = [{ deposit: { owner: thief.address, token: ZERO_ADDRESS, amount: unit } }]
  const bondWei = await disputeBondOf(world, 1)
  // Refused where it still stands, because the reorg did not go as deep.
  const start = () => isRefused(send(world, thief, encodeStartDispute({ signed: rival, inputs, exits: [], bondWei })))
  // Taken when the watchers have answered: what is replaced may hold the dispute and its answer, in the other order then.
  const shown = ({ type }: RootEvent) => type === 'CompetitorShown'
  await reorgByHand(world, { what: 'a dispute is answered', taken: shown, act: start }, plan())
  await recorder.pull()
  const started = recorder.events().findLast(({ type }) => type === 'DisputeStarted')
  if (started?.type !== 'DisputeStarted') return
  const { txHash, exitableAt } = started.dispute
  const { facts } = runningWatcher(world).watcher().core
  await until(
    'the competitor to be seen',
    () => (facts.disputeFacts(txHash)?.competitors.length ?? 0) > 0,
    world.timeoutMs,
  )
  await world.passTo(exitableAt)
  const decide = {
    what: 'the verdict falls',
    taken: ({ type }: RootEvent) => type === 'DisputeDecided',
    // Anyone may, and a watcher may have been faster.
    act: () => isRefused(send(world, thief, encodeDecide(started))),
  }
  await reorgByHand(world, decide, plan())
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
}

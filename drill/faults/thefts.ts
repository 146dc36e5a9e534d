/** Ways in which a thief who has spent an output goes for its money all the same, by name. */
import { encodeDecide, encodeStartDispute, type InputShown } from '../../l1/disputeCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { payableAfter } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { isRefused, send } from '../acts.ts'
import { runningWatcher } from '../leave.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'
import { insist } from './congestion.ts'
import { disputeBondOf } from './dispute.ts'
import type { Ground } from './forgeries.ts'
import { reorgAt, standing } from './reorg.ts'
import { assertChallenged } from './theft.ts'

/** `caught`: before its time is over, watchers have shown what is wrong. `over`: after it, she has got nothing. */
export type Theft = Readonly<{ caught(): Promise<void>; over(): Promise<void> }>

/** Resolves when it is on L1. */
export type Steal = (world: World, ground: Pick<Ground, 'spent'>) => Promise<Theft>

export const THEFTS: Readonly<Record<string, Steal>> = {
  'exits what she has spent': async (world, ground) => {
    await exitSpent(world, ground)
    return challenged(world, ground)
  },
  'exits what she has spent, and L1 takes the start back': async (world, ground) => {
    const { thief, parameters, random } = world
    // What is under it is final: nobody's program is there to send a block again.
    await world.mine(parameters.finalityBlocks)
    const taken = (event: RootEvent) => event.type === 'ExitStarted' && event.exit.owner === thief.address
    const start = { what: 'a theft starts', taken, act: () => exitSpent(world, ground) }
    const branch = random.pick(['returned', 'forgotten', 'reversed'] as const)
    await reorgAt(world, start, { depth: 1 + random.below(parameters.finalityBlocks), branch })
    return challenged(world, ground)
  },
  'disputes a second spend': disputeSecond,
}

async function exitSpent(world: World, { spent }: Pick<Ground, 'spent'>): Promise<void> {
  world.fault(world.thief.name, 'exits an output that she has spent')
  const stealing = await world.wallet(world.thief)
  await insist(() => startExit(stealing, { position: spent.position, unsafeMaybeSpent: true }))
}

/** Verdict and books tell whether she was paid. */
function challenged(world: World, { spent }: Pick<Ground, 'spent'>): Theft {
  return {
    caught: async () => {
      await world.recorder.pull()
      await assertChallenged(world, standing(world, world.thief, spent.position))
    },
    over: async () => undefined,
  }
}

async function disputeSecond(world: World, { spent }: Pick<Ground, 'spent'>): Promise<Theft> {
  const { hostile, thief, unit, timeoutMs, parameters } = world
  const rival = hostile.sign([thief.account], [spent.position], [[thief, unit]])
  world.fault(thief.name, 'starts a dispute of a payment that spends again what she has spent')
  const inputs: readonly InputShown[] = [{ deposit: { owner: thief.address, token: ZERO_ADDRESS, amount: unit } }]
  const events = await insist(async () => {
    const bondWei = await disputeBondOf(world, 1)
    return send(world, thief, encodeStartDispute({ signed: rival, inputs, exits: [], bondWei }))
  })
  const started = events.find((event) => event.type === 'DisputeStarted')
  if (started?.type !== 'DisputeStarted') throw new RangeError('got no dispute, want one that was started')
  const { txHash, exitableAt } = started.dispute
  const factsOf = () => runningWatcher(world).watcher().core.facts.disputeFacts(txHash)
  return {
    caught: async () => {
      await until('the competitor on L1', () => (factsOf()?.competitors.length ?? 0) > 0, timeoutMs)
    },
    over: async () => {
      const { lastMove } = await (await world.wallet(world.helper)).root.head()
      await world.passTo(payableAfter(exitableAt, parameters.minExitPeriod, lastMove))
      // Refused where a watcher was faster.
      await isRefused(send(world, thief, encodeDecide(started)))
      const verdict = await until('the verdict', () => {
        const state = factsOf()?.state
        return state !== 'running' && state
      })
      world.find('DISPUTE-2', verdict === 'not-canonical', `the verdict about the second spend: ${verdict}`)
    },
  }
}

/** L1 takes back the block of a deposit and of a child block's commitment (docs/spec.md 11.5, 12.1.3). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { deposit, waitForCredit } from '../../wallet/deposit.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt } from '../faults/reorg.ts'
import { runningWatcher, unspentOf } from '../leave.ts'
import { assertLive } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { payTo } from '../settle.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

export const reorgChain: Scenario = {
  name: 'reorg-chain',
  title: 'L1 takes deposits and blocks back',
  story:
    'L1 replaces 1 to 64 blocks as a deposit is made and as a child block is committed; the deposit is credited once, and the payment stands.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  parameters: REORG_PARAMETERS,
  run: (world) => playReorgChain(world, planBySeed(world)),
}

export async function playReorgChain(world: World, plan: ReorgPlan): Promise<void> {
  const { recorder, parameters, unit } = world
  const payer = await world.invite('olga', 'bystander', true)
  const [payee] = world.owners
  if (!payee) return
  const wallet = await world.wallet(payer)
  const made = (event: RootEvent) => event.type === 'Deposited' && event.owner === payer.address
  const act = () => deposit(wallet, { token: ZERO_ADDRESS, amount: unit, key: 'reorg' })
  await reorgAt(world, { what: 'a deposit is made', taken: made, act }, plan())
  const deposits = recorder.events().filter(made)
  world.find('FUNDS-1', deposits.length === 1, `the deposit stands ${deposits.length} times on L1`)
  await world.mine(parameters.finalityBlocks)
  const [first] = deposits
  if (first?.type === 'Deposited') await waitForCredit(wallet, first.position, world.timeoutMs)

  const has = () =>
    unspentOf(runningWatcher(world), payee).reduce(
      (sum, { token, amount }) => sum + (token === ZERO_ADDRESS ? amount : 0n),
      0n,
    )
  const before = has()
  const pay = {
    what: 'a block is committed',
    taken: ({ type }: RootEvent) => type === 'BlocksSubmitted',
    act: () => payTo(world, payer, payee, unit),
  }
  await reorgAt(world, pay, plan())
  for (const watcher of world.watchers) await watcher.untilVerified()
  await until('the payment to stand', () => has() === before + unit)
  assertLive(world)
}

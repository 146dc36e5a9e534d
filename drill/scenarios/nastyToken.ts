/** A token takes a fee at the deposit, then stops and refuses one owner, while everybody takes it out (FUNDS-3, EXIT-5). */
import { startExit } from '../../wallet/exit.ts'
import { deployNastyToken } from '../faults/token.ts'
import { payOut, runningWatcher, unspentOf } from '../leave.ts'
import { assertLive } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { fund } from '../settle.ts'
import { until } from '../until.ts'

const AMOUNT = 1_000n
const FEE_PERCENT = 2n

export const nastyToken: Scenario = {
  name: 'nasty-token',
  title: 'A token that takes fees, stops, and refuses people',
  story:
    'A token takes a fee when it is deposited, then stops altogether and refuses one owner; exits of ETH go on, who was refused keeps a credit, and all is paid when the token allows it.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { owners, recorder } = world
    const [owner] = owners
    if (!owner) return
    const token = await deployNastyToken(world, 'NASTY')
    await token.setFee(FEE_PERCENT)
    await token.mint(owner.address, AMOUNT)
    await fund(world, owner, AMOUNT, token.address)
    const watcher = runningWatcher(world)
    const output = await until('the deposit to be seen', () =>
      unspentOf(watcher, owner).find((one) => one.token === token.address),
    )
    const arrived = AMOUNT - (AMOUNT * FEE_PERCENT) / 100n
    world.find('FUNDS-3', output.amount === arrived, `the deposit is worth ${output.amount}, and ${arrived} arrived`)
    world.fault('mallory', `the token stops, and refuses ${owner.name}`)
    await token.setFee(0n)
    await token.setPaused(true)
    const wallet = await world.reconnect(owner)
    const [ether] = unspentOf(watcher, owner).filter((one) => one.token !== token.address)
    const leaving = [output, ...(ether ? [ether] : [])]
    for (const { position } of leaving) await startExit(wallet, { position })
    await payOut(world, settled.token)
    const { root } = await world.wallet(world.helper)
    const credit = await root.credit(token.address, owner.address)
    world.find('EXIT-5', credit === arrived, `${owner.name} has a credit of ${credit} while the token stands still`)
    await token.setPaused(false)
    await payOut(world, token.address)
    const fetched = recorder.events().some((event) => event.type === 'Withdrawn' && event.token === token.address)
    world.find(
      'FUNDS-2',
      fetched,
      fetched ? 'the credit was fetched when the token went on' : 'the credit is still there',
    )
    assertLive(world)
  },
}

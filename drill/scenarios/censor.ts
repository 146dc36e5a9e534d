/** The operator takes payments of everybody but one: the one leaves, while the chain goes on (docs/spec.md section 5). */
import { leaveAll, payOut } from '../leave.ts'
import { assertLive, prepareGround, takeOver } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

const BLOCKS = 3

export const censor: Scenario = {
  name: 'censor',
  title: 'One user is censored',
  story:
    'The operator goes on without ever taking a payment of one owner; she leaves with all she has, while the chain lives on.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, owners, thief } = world
    const { own } = await prepareGround(world)
    const [victim] = owners
    if (!victim) return
    await takeOver(world)
    world.fault('operator', `commits blocks, and never a payment of ${victim.name}`)
    let last = own.position
    for (let i = 0; i < BLOCKS; i++) {
      const block = await hostile.commit([hostile.sign([thief.account], [last], [[thief, own.amount]])])
      hostile.serve(block.number)
      last = hostile.positionOf(block)
    }
    await leaveAll(world, settled, { who: [victim] })
    await payOut(world, settled.token)
    assertLive(world)
  },
}

/** Owners that are contracts and revert, burn all gas or return a bomb when they are paid, in front of everybody else (EXIT-5). */
import { encodeDepositEth, encodeStartDepositExit } from '../../l1/rootCalls.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { exitOf, send } from '../acts.ts'
import { deployReceiver, MOODS, type Receiver } from '../faults/receiver.ts'
import { bondNow, payOut, runningWatcher, unspentOf } from '../leave.ts'
import { assertLive } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const nastyReceivers: Scenario = {
  name: 'nasty-receivers',
  title: 'Receivers that refuse, burn gas or return bombs',
  story:
    'Contracts that revert, burn all gas or return a bomb when they are paid exit in front of an owner; the line goes on, they have credits, and the owner is paid.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { thief, owners, unit, recorder } = world
    const receivers: Receiver[] = []
    for (const mood of MOODS) if (mood !== 'accept') receivers.push(await deployReceiver(world, mood))
    const positions: number[] = []
    for (const { address } of receivers) {
      const [made] = (await send(world, thief, encodeDepositEth(address, unit))).filter(
        ({ type }) => type === 'Deposited',
      )
      if (made?.type === 'Deposited') positions.push(made.position)
    }
    world.fault('mallory', `exits to ${receivers.map(({ mood }) => mood).join(', ')}`)
    const nasty: Exit[] = []
    for (const [i, receiver] of receivers.entries()) {
      const start = { position: positions[i] ?? 0, token: ZERO_ADDRESS, amount: unit, bondWei: await bondNow(world) }
      nasty.push(exitOf(await receiver.execute(encodeStartDepositExit(start))))
    }
    const [owner] = owners
    if (!owner) return
    const [output] = unspentOf(runningWatcher(world), owner)
    if (output) await startExit(await world.reconnect(owner), { position: output.position })
    await payOut(world, settled.token)
    const over = new Set(recorder.events().flatMap((event) => (event.type === 'ExitPaid' ? [event.outputId] : [])))
    const all = nasty.every(({ outputId }) => over.has(outputId))
    world.find(
      'EXIT-5',
      all,
      all ? 'the exits of the nasty receivers ended too, as credits' : 'an exit of a nasty receiver hangs',
    )
    const { root } = await world.wallet(world.helper)
    for (const { address, mood } of receivers) {
      const credit = await root.credit(ZERO_ADDRESS, address)
      world.find('EXIT-5', credit >= unit, `${mood}: a credit of ${credit} wei waits for it`)
    }
    assertLive(world)
  },
}

/** The thief's story with one watcher down, and with the only one dying between sending its challenge and seeing it mined. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startExit } from '../../wallet/exit.ts'
import { assertCovered, assertPunished } from './theft.ts'
import { ETHER, inWorld, until } from './world.ts'

const test = suite('story: thief, one watcher')

test(
  'a thief who waits until one watcher is down is challenged by the other',
  inWorld({}, async (world) => {
    const first = await world.startWatcher('first')
    const second = await world.startWatcher('second')
    const position = await world.fund('mallory', ETHER)
    await world.pay('mallory', 'bob', ETHER)
    await first.stop()
    const before = await world.etherOf(second.account)
    const { exit } = await startExit(await world.wallet('mallory'), { position, unsafeMaybeSpent: true })
    await assertPunished(world, exit, [second])
    await assertCovered(world, second, before)
  }),
)

test(
  'a watcher that dies between sending its challenge and seeing it mined challenges once',
  inWorld({}, async (world) => {
    const first = await world.startWatcher('first', { policy: { staggerSeconds: 0 } })
    const position = await world.fund('mallory', ETHER)
    await world.pay('mallory', 'bob', ETHER)
    const { exit } = await startExit(await world.wallet('mallory'), { position, unsafeMaybeSpent: true })
    // From here on L1 stands still, unless the challenge made it into the block before.
    await world.request('evm_setIntervalMining', [0])
    await until('the challenge is sent', async () => {
      const nonce = await world.request('eth_getTransactionCount', [first.account.address, 'pending'])
      return Number(nonce) > 0
    })
    await first.stop()
    const again = await first.restart()
    await world.request('evm_setIntervalMining', [1])
    await assertPunished(world, exit, [again])
    const nonce = await world.request('eth_getTransactionCount', [first.account.address, 'latest'])
    assert.is(Number(nonce), 1, 'one transaction in all')
  }),
)

test.run()

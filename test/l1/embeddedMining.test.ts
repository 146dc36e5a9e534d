/** Switching how blocks are made, in process. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'

const test = suite('embedded L1: mining')

test('switched to a part of a second it mines by itself, switched to manual it does not', async () => {
  const timers: { callback: () => void; delayMs: number; cancelled: boolean }[] = []
  const l1 = await createEmbeddedL1({
    mining: 'manual',
    schedule: (callback, delayMs) => {
      const timer = { callback, delayMs, cancelled: false }
      timers.push(timer)
      return () => {
        timer.cancelled = true
      }
    },
  })
  try {
    assert.equal(timers, [])
    l1.setMining({ intervalSeconds: 0.25 })
    assert.equal(
      timers.map(({ delayMs }) => delayMs),
      [250],
    )
    timers[0]?.callback()
    // One queue holds all that moves the chain: what was asked for later is done later.
    await l1.request('anvil_mine', ['0x1'])
    assert.is(await l1.request('eth_blockNumber'), '0x2')
    l1.setMining('manual')
    assert.ok(timers.every(({ cancelled }) => cancelled))
    assert.is(await l1.request('anvil_getAutomine'), false)
  } finally {
    await l1.close()
  }
})

test.run()

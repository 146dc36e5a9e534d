/** An L1 endpoint that falls silent, hides events, lives in another time or swallows transactions: told, and outlived. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createL1Proxy } from '../../drill/faults/l1Proxy.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { untilAlert, untilVerified } from './acts.ts'
import { steal } from './theft.ts'
import { ETHER, inWorld, until } from './world.ts'

const test = suite('story: alerts about L1 endpoints')

test(
  'a silent endpoint, one that hides a deposit, a clock that is wrong, one that swallows a challenge: each is told',
  inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
    const [liar, censor] = [await createL1Proxy(world), await createL1Proxy(world)]
    const first = await world.startWatcher('first', {
      endpoints: [liar.endpoint, world.endpoint],
      maxL1SilenceSeconds: 1,
      policy: { staggerSeconds: 0 },
    })
    const { facts } = first.watcher.core
    await world.fund('alice', ETHER)
    await world.pay('alice', 'bob', ETHER)
    await untilVerified(first)
    assert.equal(first.codes(), [])

    liar.turn('silent')
    await untilAlert(first, 'L1_ENDPOINT_LAGS')
    liar.turn('hide-logs')
    const position = await world.fund('alice', ETHER)
    await untilAlert(first, 'L1_ENDPOINT_LIED')
    const owner = world.accountOf('alice').address
    await until('the next endpoint shows the deposit', () =>
      facts.protectedOutputs(owner).some((output) => output.position === position),
    )
    await first.stop()

    // Transactions go nowhere, and at last L1 is minutes ahead of the clock.
    const second = await world.startWatcher('second', {
      endpoints: [censor.endpoint],
      maxHeadAgeSeconds: 3_600,
      policy: { staggerSeconds: 0 },
    })
    censor.turn('censor')
    const exit = await steal(world)
    await untilAlert(second, 'INVALID_EXIT')
    assert.not.ok(second.codes().includes('OUTBOX_STUCK'), 'there is time yet')
    const { minExitPeriod, reaction, anchorAgeBlocks } = world.parameters
    // Not past it: a jump ends with a burst of blocks.
    await world.passTo(evidenceDeadline(exit.exitableAt, minExitPeriod) - reaction - anchorAgeBlocks)
    await untilAlert(second, 'CLOCK_WRONG')
    await untilAlert(second, 'OUTBOX_STUCK')
    assert.is((await (await world.wallet('carol')).root.exitRecord(exit.outputId)).evidence, 0, 'nothing came to L1')
  }),
)

test.run()

/**
 * The operator vanishes. Owners leave with what a watcher shows them: an output whose block is on L1, and the input of a payment that was
 * accepted and never committed.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startExit } from '../../wallet/exit.ts'
import { pay } from '../../wallet/pay.ts'
import { processDue } from '../../wallet/process.ts'
import { ETH, ETHER, inWorld, until } from './world.ts'

const test = suite('story: vanished operator')

test(
  'owners leave with a watcher’s exit data when the operator is gone, with nothing saved',
  inWorld({ operator: { blockIntervalSeconds: 1 } }, async (world) => {
    const first = await world.startWatcher('first')
    await world.fund('alice', 2n * ETHER)
    const paid = await world.pay('alice', 'bob', ETHER)
    const deposited = await world.fund('mallory', ETHER)
    const { facts } = first.watcher.core
    await until('the watcher has verified the payment', () => facts.spentBy(paid.transaction.inputs[0]!))

    // Mallory's payment is accepted in the operator's last moment, and its block never comes to L1.
    await world.request('evm_setIntervalMining', [0])
    await pay(await world.wallet('mallory'), { to: world.accountOf('carol').address, token: ETH, amount: ETHER })
    await world.operator.stop()
    await world.request('anvil_dropAllTransactions')
    await world.request('evm_setIntervalMining', [1])

    const bob = await world.reconnect('bob')
    const left = await startExit(bob, { position: paid.position })
    assert.match(left.provenBy, /^watcher http/)
    const mallory = await world.wallet('mallory')
    const taken = await startExit(mallory, { position: deposited, unsafeMaybeSpent: true })
    const carol = await world.wallet('carol')
    const before = await Promise.all([bob, mallory].map(({ account }) => world.etherOf(account)))
    await world.passTo(Math.max(left.outlook.payableAfter, taken.outlook.payableAfter))
    await processDue(carol, 'vanished')
    const after = await Promise.all([bob, mallory].map(({ account }) => world.etherOf(account)))
    for (const [i, { exit }] of [left, taken].entries()) {
      assert.is((await carol.root.exitRecord(exit.outputId)).state, 'settled')
      assert.ok((after[i] ?? 0n) - (before[i] ?? 0n) >= ETHER)
    }
    await until('the watcher sees both payouts', () =>
      [left, taken].every(({ exit }) => facts.exitFacts(exit.outputId)?.state === 'settled'),
    )
    assert.equal(first.codes(), [], 'a quiet operator is no alarm: nothing was committed and withheld')
  }),
)

test.run()

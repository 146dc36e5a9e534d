/** The chain ends without a lie: by its operator's word, or by the operator's silence. Nothing is void, and all owners leave in full. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeCloseChain, encodeDepositEth, encodeHaltAbandoned } from '../../l1/rootCalls.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { splitBond } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import { isRefused, send, untilAlert, untilVerified } from './acts.ts'
import { takeOut } from './rescue.ts'
import { ETHER, inWorld, until, type World } from './world.ts'

const test = suite('story: halted')

const ENDINGS: readonly Readonly<{ how: string; end(world: World): Promise<void> }>[] = [
  {
    how: 'closed by its operator',
    end: async (world) => {
      assert.ok(await isRefused(send(world, world.accountOf('carol'), encodeCloseChain())), 'only the operator may')
      await send(world, world.operatorAccount, encodeCloseChain())
    },
  },
  {
    how: 'abandoned',
    end: async (world) => {
      const carol = world.accountOf('carol')
      assert.ok(await isRefused(send(world, carol, encodeHaltAbandoned())), 'not before its time')
      await world.passTime(world.parameters.abandonPeriod)
      // Refused where a watcher was faster.
      await isRefused(send(world, carol, encodeHaltAbandoned()))
    },
  },
]

for (const { how, end } of ENDINGS)
  test(
    `a chain that is ${how} takes no deposits and voids nothing: all owners leave in full, offline ones too`,
    inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
      const [alice, bob, carol] = [world.accountOf('alice'), world.accountOf('bob'), world.accountOf('carol')]
      const watcher = await world.startWatcher('first')
      const { facts } = watcher.watcher.core
      await world.fund('alice', 3n * ETHER)
      const { position: paid } = await world.pay('alice', 'bob', ETHER)
      const mandate = await giveMandate(await world.wallet('bob'), { delegate: ZERO_ADDRESS })
      await untilVerified(watcher)
      await world.operator.stop()
      const newest = facts.newestBlock()
      await end(world)
      await untilAlert(watcher, 'CHAIN_HALTED')
      assert.is(facts.halt().voidFrom, newest + 1)
      assert.ok(await isRefused(send(world, carol, encodeDepositEth(carol.address, ETHER))), 'no more deposits')

      const { exit: own, outlook } = await startExit(await world.wallet('alice'), { position: paid + 1 })
      const rescue = await takeOut(world, carol, { position: paid, mandate, watcher })
      const before = await Promise.all([alice, bob].map(world.etherOf))
      await world.passTo(Math.max(outlook.payableAfter, rescue.exitableAt))
      await processDue(await world.wallet('carol'), 'all leave')
      const after = await Promise.all([alice, bob].map(world.etherOf))
      // The bond goes back to who paid it: Alice herself, and Carol for Bob.
      const returned = own.bond - splitBond(own.bond).bounty
      assert.equal(
        after.map((wei, i) => wei - before[i]!),
        [2n * ETHER + returned, ETHER],
      )
      await until('the watcher sees both payouts', () =>
        [own, rescue].every(({ outputId }) => facts.exitFacts(outputId)?.state === 'settled'),
      )
    }),
  )

test.run()

/**
 * The operator commits an invalid block and serves it. The watchers name the rule that it breaks, call the chain unsafe at once, and the
 * protected owner's exit comes before everything that the forged block made.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile, type Hostile } from '../../drill/faults/operator.ts'
import { encodeStartStandardExit } from '../../l1/rootCalls.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { Rule } from '../../protocol/validity.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { exitOf, isRefused, send } from './acts.ts'
import { ETHER, inWorld, until, type World } from './world.ts'

const test = suite('story: forged block')

/** What Mallory has the operator put into its block; `paid`: Bob's output, `spent`: the one that paid it. */
const FORGERIES: readonly Readonly<{
  rule: Rule
  forge(world: World, hostile: Hostile, at: Readonly<{ paid: number; spent: number }>): SignedTransaction
}>[] = [
  {
    rule: 'V3',
    forge: ({ accountOf }, { sign }, { spent }) =>
      sign([accountOf('alice')], [spent], [[accountOf('mallory'), 3n * ETHER]]),
  },
  {
    rule: 'V4',
    forge: ({ accountOf }, { sign }, { paid }) => sign([accountOf('mallory')], [paid], [[accountOf('mallory'), ETHER]]),
  },
  {
    rule: 'V5',
    forge: ({ accountOf }, { sign }, { paid }) =>
      sign([accountOf('bob')], [paid], [[accountOf('mallory'), 3n * ETHER]]),
  },
]

for (const { rule, forge } of FORGERIES)
  test(
    `a forged block that breaks ${rule} is named, and protected accounts leave before what it made`,
    inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
      const hostile = await createHostile(world)
      await world.fund('alice', 3n * ETHER)
      const { position: paid, transaction } = await world.pay('alice', 'bob', ETHER)
      const alice = world.accountOf('alice')
      const signed = await giveMandate(await world.wallet('alice'), { delegate: world.accountOf('first').address })
      const peers = [hostile.peer, world.peerOf(world.operator.url)]
      const first = await world.startWatcher('first', {
        peers,
        protectedAccounts: [{ owner: alice.address, ...signed }],
      })
      const { facts } = first.watcher.core
      await until('the payment is verified', () => facts.spentBy(transaction.inputs[0]!))

      await hostile.takeOver()
      const block = await hostile.commit([forge(world, hostile, { paid, spent: transaction.inputs[0]! })])
      hostile.serve(block.number)
      await until('the forgery is told', () => first.codes().includes('INVALID_BLOCK'))
      const [told] = first.alertsOf('INVALID_BLOCK')
      assert.is((told?.['fault'] as { rule?: string } | undefined)?.rule, rule)
      assert.is(told?.['block'], block.number)
      assert.is(facts.safety().status, 'unsafe')
      await until('Alice leaves', () => first.codes().includes('PROTECTED_EXIT_STARTED'))

      // Until somebody proves the block invalid, what it made can be exited. It comes later.
      const [mallory, { root }] = [world.accountOf('mallory'), await world.wallet('carol')]
      const position = hostile.positionOf(block)
      const bondWei = 2n * (await root.exitBond())
      const call = encodeStartStandardExit({ position, shown: hostile.shownOf(block), bondWei })
      const theft = send(world, mallory, call)
      const stolen = (await isRefused(theft)) ? undefined : exitOf(await theft)
      const [own] = facts.openExits()
      assert.is(own?.exit.owner, alice.address, 'the first turn is hers')
      assert.ok(!stolen || (own?.exit.exitableAt ?? 0) < stolen.exitableAt)
      const before = await world.etherOf(alice)
      await world.passTo(own!.exit.exitableAt + 15)
      await until('Alice is paid', () => first.codes().includes('PROTECTED_EXIT_PAID'))
      assert.is((await world.etherOf(alice)) - before, 2n * ETHER)
      assert.ok(!stolen || (await root.exitRecord(stolen.outputId)).state !== 'settled', 'nobody hastened the thief')
    }),
  )

test.run()

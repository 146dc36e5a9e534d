/** The main job: deposit, pay, two watchers verify, the owner exits and is paid, the books agree. On both kinds of L1. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { splitBond } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { processDue } from '../../wallet/process.ts'
import { ETHER, inWorld, l1Kinds, until, type World } from './world.ts'

const test = suite('story: honest')

async function story(world: World): Promise<void> {
  const first = await world.startWatcher('first')
  const second = await world.startWatcher('second')
  await world.fund('alice', 3n * ETHER)
  const paid = await world.pay('alice', 'bob', ETHER)
  const block = await until('both watchers verify the payment', () => {
    const heights = [first, second].map(({ watcher }) => watcher.core.facts.verifiedBlock())
    return heights.every((height) => height > 0) && heights[0]
  })
  assert.ok(block >= 1)
  assert.equal(
    [first, second].map(({ watcher }) => watcher.core.facts.safety().status),
    ['safe', 'safe'],
  )

  const bob = await world.wallet('bob')
  const { exit, outlook } = await startExit(bob, { position: paid.position })
  await until('both watchers see the exit and hold it valid', () =>
    [first, second].every(({ watcher }) => watcher.core.facts.exitFacts(exit.outputId)?.output.kind === 'unspent'),
  )
  await world.passTo(outlook.payableAfter)
  const before = await world.etherOf(bob.account)
  const processed = await processDue(await world.wallet('carol'), 'honest')
  assert.is(processed.processed, 1)
  assert.is((await world.etherOf(bob.account)) - before, ETHER + exit.bond - splitBond(exit.bond).bounty)
  await until('both watchers see the payout', () =>
    [first, second].every(({ watcher }) => watcher.core.facts.exitFacts(exit.outputId)?.state === 'settled'),
  )
  assert.equal([...first.codes(), ...second.codes()], [], 'an honest day raises no alert')
  await world.assertBalanced([world.operator.url, first.watcher.url, second.watcher.url])
}

for (const l1 of l1Kinds())
  test(`an owner deposits, pays, exits and is paid to the wei (${l1})`, inWorld({ l1 }, story))

test.run()

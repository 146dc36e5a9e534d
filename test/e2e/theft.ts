/** The parts of the thief's stories: the theft, and what has to come of it. */
import * as assert from 'uvu/assert'
import { type Exit, evidenceDeadline } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { processDue } from '../../wallet/process.ts'
import { ETHER, type RunningWatcher, until, type World } from './world.ts'

/** Mallory pays her deposit to Bob, then exits the deposit. */
export async function steal(world: World): Promise<Exit> {
  const position = await world.fund('mallory', ETHER)
  await world.pay('mallory', 'bob', ETHER)
  const { exit } = await startExit(await world.wallet('mallory'), { position, unsafeMaybeSpent: true })
  return exit
}

/** The evidence that stands in L1’s history against the exit. */
export async function challenges(world: World, { outputId }: Exit) {
  const { root } = await world.wallet('carol')
  return (await root.events({ types: ['EvidenceShown'], outputId })).flatMap((event) =>
    event.type === 'EvidenceShown' ? [event] : [],
  )
}

/** Challenged in time by one of the watchers; Bob, who was paid, leaves with his money, Mallory with none. */
export async function assertPunished(world: World, exit: Exit, watchers: readonly RunningWatcher[]): Promise<void> {
  const [shown] = await until('evidence on L1', async () => {
    const found = await challenges(world, exit)
    return found.length > 0 && found
  })
  assert.ok(shown)
  assert.ok(shown.at.l1Timestamp <= evidenceDeadline(exit.exitableAt, world.parameters.minExitPeriod))
  const challenger = watchers.find(({ account }) => account.address === shown.challenger)
  assert.ok(challenger, 'one of our watchers did it')
  await until('all watchers see the exit answered', () =>
    watchers.every(({ watcher }) => watcher.core.facts.exitFacts(exit.outputId)?.evidence.length === 1),
  )

  const bob = await world.wallet('bob')
  const [output] = (await bob.child.outputs(bob.account.address)).outputs
  assert.is(output?.amount, ETHER)
  const honest = await startExit(bob, { position: output!.position })
  const [mallory, carol] = [await world.wallet('mallory'), await world.wallet('carol')]
  const before = { mallory: await world.etherOf(mallory.account), bob: await world.etherOf(bob.account) }
  await world.passTo(Math.max(exit.exitableAt, honest.outlook.payableAfter))
  await processDue(carol, 'thief')
  const stateOf = async ({ outputId }: Exit) => (await carol.root.exitRecord(outputId)).state
  assert.is(await stateOf(honest.exit), 'settled')
  assert.ok((await world.etherOf(bob.account)) > before.bob + ETHER)
  assert.ok(['removed', 'ticket'].includes(await stateOf(exit)), await stateOf(exit))
  assert.is(await world.etherOf(mallory.account), before.mallory)
  await until('the watchers see how it ended', () =>
    watchers.every(({ watcher }) => watcher.core.facts.exitFacts(honest.exit.outputId)?.state === 'settled'),
  )
  assert.ok(challenger?.codes().includes('EXIT_CHALLENGED_BY_US'))
  for (const other of watchers) {
    assert.ok(other.codes().includes('INVALID_EXIT'))
    assert.not.ok(other.codes().includes('INVALID_EXIT_PAID'))
    if (other !== challenger) assert.ok(other.codes().includes('EXIT_CHALLENGED_BY_OTHER'))
  }
  await world.assertBalanced([world.operator.url, ...watchers.map(({ watcher }) => watcher.url)])
}

/** Since `before`, the watcher's key lost nothing. */
export async function assertCovered(world: World, watcher: RunningWatcher, before: bigint): Promise<void> {
  const gained = (await world.etherOf(watcher.account)) - before
  assert.ok(gained >= 0n, `the challenger's costs are covered: got ${gained} wei`)
}

/**
 * The operator commits blocks that nobody serves. A short silence and a restart trigger nothing; after the grace the chain is unsafe, and
 * the watcher takes its protected owner out, who is offline, before the last safe moment. The owner is paid.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile } from '../../drill/faults/operator.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import { ETHER, inWorld, until, type World } from './world.ts'

const test = suite('story: withheld')

async function exitsOf(world: World) {
  const { root } = await world.wallet('carol')
  const started = await root.events({ types: ['ExitStarted'] })
  return started.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
}

test(
  'a withheld block: no exits for a short silence or a restart, all protected outputs before the last safe moment',
  inWorld({}, async (world) => {
    const hostile = await createHostile(world)
    const limits = { ...defaultLimits(world.parameters), graceSeconds: 6 }
    await world.fund('alice', 3n * ETHER)
    const paid = await world.pay('alice', 'bob', ETHER)
    await world.fund('alice', ETHER)
    const alice = world.accountOf('alice')
    const signed = await giveMandate(await world.wallet('alice'), { delegate: world.accountOf('first').address })
    const protectedAccounts = [{ owner: alice.address, ...signed }]
    const first = await world.startWatcher('first', {
      limits,
      protectedAccounts,
      peers: [hostile.peer, world.peerOf(world.operator.url)],
    })
    const second = await world.startWatcher('second', {
      limits,
      peers: [hostile.peer, world.peerOf(world.operator.url)],
    })
    await until('the honest blocks are verified', () =>
      [first, second].every(
        ({ watcher: { core } }) =>
          core.facts.verifiedBlock() > 0 && core.facts.verifiedBlock() === core.facts.newestBlock(),
      ),
    )

    // A silence of a few seconds, and then the block comes.
    await hostile.takeOver()
    const [mallory, bob] = [world.accountOf('mallory'), world.accountOf('bob')]
    const late = await hostile.commit([hostile.sign([bob], [paid.position], [[bob, ETHER]])])
    for (const { codes } of [first, second])
      await until('the silence is suspected', () => codes().includes('BLOCK_SUSPECT'))
    hostile.serve(late.number)
    for (const { watcher, codes } of [first, second]) {
      await until('the late block is verified', () => watcher.core.facts.verifiedBlock() === late.number)
      assert.ok(codes().includes('BLOCK_SERVED_LATE'))
      assert.is(watcher.core.facts.safety().status, 'safe')
    }

    // This one never comes. The first watcher sleeps through most of the room there is.
    const hidden = await hostile.commit([hostile.sign([mallory], [paid.position], [[mallory, ETHER]])])
    const suspicions = () => first.codes().filter((code) => code === 'BLOCK_SUSPECT').length
    await until('the second silence is suspected', () => suspicions() === 2)
    await first.stop()
    await world.passTime(100)
    assert.equal(await exitsOf(world), [], 'nobody left')
    const again = await first.restart()
    const { status } = again.watcher.core.facts.safety()
    assert.is.not(status, 'unsafe', 'what happened while it was off decides nothing')
    assert.equal(await exitsOf(world), [])

    for (const { codes } of [again, second]) await until('the grace is over', () => codes().includes('BLOCK_WITHHELD'))
    const safety = again.watcher.core.facts.safety()
    if (safety.status !== 'unsafe' || safety.reason !== 'withheld')
      throw new Error(`want a withheld block, got ${JSON.stringify(safety)}`)
    assert.is(safety.block, hidden.number)
    const exits = await until('both outputs of Alice exit', async () => {
      const found = await exitsOf(world)
      return found.length === 2 && found
    })
    assert.equal(
      exits.map(({ owner, payer }) => [owner, payer]),
      exits.map(() => [alice.address, first.account.address]),
    )
    assert.ok(exits.every(({ startedAt }) => startedAt <= safety.lastSafeMoment))
    assert.ok(exits.every(({ exitableAt }) => exitableAt < hidden.timestamp + 2 * world.parameters.minExitPeriod))
    await until('it is told', () => again.codes().filter((code) => code === 'PROTECTED_EXIT_STARTED').length === 2)

    // Nobody helps: the watcher gives its owner's exits their turn.
    const before = await world.etherOf(alice)
    await world.passTo(Math.max(...exits.map(({ exitableAt }) => exitableAt)) + 15)
    await until('Alice is paid', () => again.codes().filter((code) => code === 'PROTECTED_EXIT_PAID').length === 2)
    assert.is((await world.etherOf(alice)) - before, 3n * ETHER)
    assert.is((await exitsOf(world)).length, 2, 'nobody without a mandate was taken out')
  }),
)

test.run()

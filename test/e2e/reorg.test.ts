/**
 * L1 reorganises, from 1 to 5 blocks, while deposits, submissions, exits and challenges are under way. Everybody ends in the same state,
 * and the books agree to the wei.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PRESETS } from '../../protocol/parameters.ts'
import { deposit } from '../../wallet/deposit.ts'
import { startExit } from '../../wallet/exit.ts'
import { processDue } from '../../wallet/process.ts'
import { ETH, ETHER, inWorld, type RunningWatcher, until, type World } from './world.ts'

const test = suite('story: L1 reorg')
/** Deep enough that reorgs of 5 blocks stay above what is final. */
const parameters = { ...PRESETS.devnet, finalityBlocks: 6 }

/** Buries what was just mined as deep as the reorg goes, takes it out, and waits until operator and watchers have seen that. */
async function reorg(world: World, watchers: readonly RunningWatcher[], depth: number, requeue = true): Promise<void> {
  await world.request('anvil_mine', [`0x${(depth - 1).toString(16)}`])
  await world.request('anvil_reorg', [depth, [], { requeue }])
  await world.request('anvil_mine', ['0x1'])
  const { number } = await world.l1Now()
  await until('all have come to the new head', () =>
    [world.operator.status().l1Block, ...watchers.map(({ watcher }) => watcher.core.facts.l1Now().block)].every(
      (l1Block) => l1Block >= number,
    ),
  )
}

async function assertSettled(world: World, watchers: readonly RunningWatcher[]): Promise<void> {
  await until('operator and watchers stand at the same child block, and all is verified', async () => {
    const { committed, sealed } = world.operator.status()
    return (
      committed === sealed &&
      watchers.every(
        ({ watcher: { core } }) => core.facts.verifiedBlock() === committed && core.facts.newestBlock() === committed,
      )
    )
  })
  assert.ok(watchers.every(({ watcher }) => watcher.core.facts.safety().status === 'safe'))
}

for (const depth of [1, 5])
  test(
    `a reorg of ${depth} blocks during deposit, submission, exit and challenge changes no outcome`,
    inWorld({ parameters }, async (world) => {
      const watchers = [await world.startWatcher('first'), await world.startWatcher('second')]
      const [alice, mallory] = [await world.wallet('alice'), await world.wallet('mallory')]

      // Deposits: one comes back by itself; the other is gone from the pool too, and the wallet's outbox sends it again.
      await deposit(alice, { token: ETH, amount: 2n * ETHER, key: 'kept' })
      await reorg(world, watchers, depth)
      await deposit(mallory, { token: ETH, amount: 5n * ETHER, key: 'sent again' })
      await reorg(world, watchers, depth, false)

      await until('both deposits are mined again', async () => {
        await world.request('anvil_mine', ['0x1'])
        const all = await Promise.all([alice, mallory].map(({ child, account }) => child.outputs(account.address)))
        return all.every(({ outputs }) => outputs.length === 1 && outputs[0]?.state === 'unspent')
      })

      // The submission of a block.
      const stolen = await world.fund('mallory', ETHER)
      await world.pay('mallory', 'bob', ETHER)
      const paid = await world.pay('alice', 'bob', ETHER)
      await reorg(world, watchers, depth)
      await assertSettled(world, watchers)

      // An honest exit and a theft, and the challenge of it.
      const bob = await world.wallet('bob')
      await startExit(bob, { position: paid.position })
      await startExit(mallory, { position: stolen, unsafeMaybeSpent: true })
      await reorg(world, watchers, depth)
      const [first] = watchers
      const theft = await until('the theft is answered', () =>
        first?.watcher.core.facts.openExits().find((exit) => exit.exit.position === stolen && exit.evidence.length > 0),
      )
      await reorg(world, watchers, depth)
      const exits = await until('both watchers see both exits, and the theft answered', () => {
        const seen = watchers.map(({ watcher }) => watcher.core.facts.openExits())
        const isSame = seen.every((list) => list.length === 2 && list.some(({ evidence }) => evidence.length > 0))
        return isSame && seen[0]
      })

      const before = await world.etherOf(mallory.account)
      await world.passTo(Math.max(...exits.map(({ exit }) => exit.exitableAt)))
      await processDue(await world.wallet('carol'), 'reorg')
      await reorg(world, watchers, depth)
      const ends = await until('both exits have ended on L1', async () => {
        const records = await Promise.all(exits.map(({ exit }) => bob.root.exitRecord(exit.outputId)))
        const states = records.map(({ state }) => state)
        return !states.includes('queued') && states
      })
      assert.equal([...ends].sort(), ['removed', 'settled'])
      await until('both watchers see the end', () =>
        watchers.every(({ watcher: { core } }) =>
          exits.every(({ exit }, i) => core.facts.exitFacts(exit.outputId)?.state === ends[i]),
        ),
      )
      assert.is(await world.etherOf(mallory.account), before)
      assert.is(theft.exit.owner, mallory.account.address)
      for (const { codes } of watchers) {
        assert.not.ok(codes().includes('L1_FINALITY_BROKEN'))
        assert.not.ok(codes().includes('EXIT_OUTCOME_UNKNOWN'))
        assert.not.ok(codes().includes('INVALID_EXIT_PAID'))
      }
      await assertSettled(world, watchers)
      await world.assertBalanced([world.operator.url, ...watchers.map(({ watcher }) => watcher.url)])
    }),
  )

test.run()

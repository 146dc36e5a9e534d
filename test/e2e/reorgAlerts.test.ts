/** L1 takes back what it showed: many blocks at once, a block that a watcher held final, a child block that comes back as another. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile } from '../../drill/faults/operator.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { untilAlert, untilVerified } from './acts.ts'
import { ETHER, inWorld, until } from './world.ts'

const test = suite('story: alerts about L1 reorgs')
/** Of the chain, and of a watcher that trusts L1 too soon. */
const parameters = { ...PRESETS.devnet, finalityBlocks: 6 }
const HASTY_FINALITY = 2

test(
  'a deep reorg is told, by a watcher that waits as a new root, by one that trusted too soon as broken finality',
  inWorld({ parameters }, async (world) => {
    const hostile = await createHostile(world)
    const peers = [hostile.peer, world.peerOf(world.operator.url)]
    const first = await world.startWatcher('first', { peers })
    const second = await world.startWatcher('second', { peers, finalityBlocks: HASTY_FINALITY })
    await world.fund('alice', ETHER)
    const { position } = await world.pay('alice', 'bob', ETHER)
    await Promise.all([first, second].map(untilVerified))
    await hostile.takeOver()
    const [bob, carol] = [world.accountOf('bob'), world.accountOf('carol')]
    const before = await hostile.commit([hostile.sign([bob], [position], [[carol, ETHER]])])
    hostile.serve(before.number)
    const depth = HASTY_FINALITY + 2
    await world.request('evm_setIntervalMining', [0])
    const { number } = await world.l1Now()
    await world.request('anvil_mine', [`0x${(depth - 1).toString(16)}`])
    await until('both have seen the block and what stands on it', () =>
      [first, second].every(({ watcher: { core } }) => {
        return core.facts.newestBlock() === before.number && core.facts.l1Now().block >= number + depth - 1
      }),
    )
    assert.equal([...first.codes(), ...second.codes()], [])

    const { number: head } = await world.l1Now()
    await world.request('anvil_reorg', [head - before.l1Block + 1, [], { requeue: false }])
    await world.request('anvil_mine', ['0x1'])
    await untilAlert(first, 'L1_REORG_DEEP')
    await untilAlert(second, 'L1_FINALITY_BROKEN')
    assert.not.ok(first.codes().includes('L1_FINALITY_BROKEN'))
    await world.request('evm_setIntervalMining', [1])
    const after = await hostile.commit([hostile.sign([bob], [position], [[bob, ETHER]])])
    hostile.serve(after.number)
    assert.is(after.number, before.number)
    await untilAlert(first, 'BLOCK_ROOT_CHANGED')
    await untilVerified(first)
  }),
)

test.run()

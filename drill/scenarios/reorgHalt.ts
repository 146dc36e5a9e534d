/** L1 takes back a block for a bad one, then the proof against that, then an exit of the flight (docs/spec.md 8.3, 8.5). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import { bug } from '../../protocol/errors.ts'
import { startExit } from '../../wallet/exit.ts'
import { mintedMoney } from '../faults/forgeries.ts'
import type { Committed } from '../faults/operator.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt, reorgByHand } from '../faults/reorg.ts'
import { runningWatcher, unspentOf } from '../leave.ts'
import { assertHalted, everybodyLeaves, nextBlock, prepareGround, takeOver } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import type { Settled } from '../settle.ts'
import type { World } from '../world.ts'

export const reorgHalt: Scenario = {
  name: 'reorg-halt',
  title: 'L1 takes the halt back',
  story:
    'L1 forgets a block, and another of its number is bad; L1 replaces 1 to 64 blocks as that is proven and as people leave; the chain is halted all the same, and everybody leaves in full.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  parameters: REORG_PARAMETERS,
  run: (world, settled) => playReorgHalt(world, planBySeed(world), settled),
}

export async function playReorgHalt(world: World, plan: ReorgPlan, settled: Settled): Promise<void> {
  const { hostile, thief } = world
  const ground = await prepareGround(world)
  await takeOver(world)
  const block = nextBlock(world)
  const good = hostile.sign([thief.account], [ground.own.position], [[thief, ground.own.amount]])
  const blocks = [good, mintedMoney.forge({ ...ground, block })]
  let forged: Committed | undefined
  world.fault('operator', 'commits a good block, and one that makes money out of nothing when L1 has forgotten it')
  const commit = {
    what: 'a good block is committed',
    taken: ({ type }: RootEvent) => type === 'BlocksSubmitted',
    act: async () => {
      const next = blocks.shift()
      forged = await hostile.commit(next ? [next] : [])
    },
  }
  // Its anchor is the newest L1 block, and goes with it: put back, it would be refused.
  await reorgByHand(world, commit, { ...plan(), branch: 'forgotten' })
  if (!forged) throw bug('BLOCK_MISSING', 'the bad block was not committed', { got: blocks.length, want: 0 })
  const { number } = forged
  await world.watchers[0].untilAlert('BLOCK_ROOT_CHANGED')
  const prove = {
    what: 'the block is proven bad',
    taken: ({ type }: RootEvent) => type === 'HaltMoved',
    act: async () => hostile.serve(number),
  }
  // Buried as deep as a reorg may go: the proof is to be taken back, not what it is about.
  await world.mine(world.parameters.finalityBlocks)
  await reorgAt(world, prove, plan())
  await assertHalted(world, { number }, 'HALT-2')
  const [owner] = world.owners
  const output = owner && unspentOf(runningWatcher(world), owner).find(({ exit }) => exit === undefined)
  if (output) {
    const wallet = await world.reconnect(owner)
    const leave = {
      what: 'an owner leaves',
      taken: (event: RootEvent) => event.type === 'ExitStarted' && event.exit.owner === owner.address,
      act: () => startExit(wallet, { position: output.position }),
    }
    await reorgAt(world, leave, plan())
  }
  await everybodyLeaves(world, settled)
}

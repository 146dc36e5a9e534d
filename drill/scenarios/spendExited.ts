/** The thief exits an output and then spends it too, under an anchor at which the exit is known (docs/spec.md section 4, V6). */
import { startExit } from '../../wallet/exit.ts'
import { allTell, assertHalted, commitFault, everybodyLeaves, exitForged, prepareGround, takeOver } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const spendExited: Scenario = {
  name: 'spend-exited',
  title: 'An exited output is spent',
  story:
    'The operator lets the thief spend what she is taking out; the watchers prove it, the chain ends before it, and she is paid once.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, thief } = world
    const { own } = await prepareGround(world)
    await startExit(await world.wallet(thief), { position: own.position })
    await takeOver(world)
    await world.mine(1)
    const spend = hostile.sign([thief.account], [own.position], [[thief, own.amount]])
    const forged = await commitFault(world, [spend], 'commits a payment of an output that is exiting')
    await exitForged(world, forged)
    hostile.serve(forged.number)
    await allTell(world, 'INVALID_BLOCK')
    await assertHalted(world, forged, 'HALT-2')
    await everybodyLeaves(world, settled)
  },
}

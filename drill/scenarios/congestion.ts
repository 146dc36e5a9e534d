/** L1 is full of somebody's dearer transactions while an exit has to start and a theft to be challenged (docs/honest-watcher.md, "Time and budget"). */
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Exit } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { createCongestion, insist, tipOf } from '../faults/congestion.ts'
import { standing } from '../faults/reorg.ts'
import { assertChallenged, endTheft } from '../faults/theft.ts'
import { payOut, runningWatcher, unspentOf } from '../leave.ts'
import { prepareGround } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import type { Settled } from '../settle.ts'
import type { World } from '../world.ts'

/** Long enough for an outbox in no hurry to raise its fees from a gwei to more than the spammer's. */
const BLOCKS = 400
const TIP_WEI = 5n * 10n ** 9n

export const congestion: Scenario = {
  name: 'congestion',
  title: 'L1 is full',
  story:
    'L1 blocks are full of transactions that pay well; an owner starts an exit and a watcher challenges a theft all the same, in time, by raising what they pay.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: playCongestion,
}

async function playCongestion(world: World, settled: Settled): Promise<void> {
  const { owners, thief } = world
  const [owner] = owners
  const { spent } = await prepareGround(world)
  const output = owner && unspentOf(runningWatcher(world), owner)[0]
  if (!output) return
  const [leaving, stealing] = [await world.reconnect(owner), await world.wallet(thief)]
  const { left } = await createCongestion(world, { blocks: BLOCKS, tipWei: TIP_WEI })
  world.fault('L1', `${BLOCKS} blocks are full at a tip of ${TIP_WEI} wei; the thief exits what she has spent`)
  const [theft, exit] = await Promise.all([
    insist(async () => (await startExit(stealing, { position: spent.position, unsafeMaybeSpent: true })).exit),
    insist(async () => (await startExit(leaving, { position: output.position })).exit),
  ])
  await world.recorder.pull()
  await assertChallenged(world, standing(world, thief))
  const waiting = await left()
  world.find('DRILL', waiting > 0, `${waiting} calls of the spammer still waited when all was done`)
  await tellPrices(world, theft, exit)
  await endTheft(world, standing(world, thief))
  await payOut(world, settled.token)
}

/** What it took to get in beside the spammer. */
async function tellPrices(world: World, theft: Exit, exit: Exit): Promise<void> {
  const { recorder } = world
  await recorder.pull()
  const isOurs = (event: RootEvent) =>
    (event.type === 'EvidenceShown' && event.outputId === theft.outputId) ||
    (event.type === 'ExitStarted' && event.exit.outputId === exit.outputId)
  for (const { type, at } of recorder.events().filter(isOurs)) {
    const tip = await tipOf(world, at.txHash)
    world.find('EXIT-2', tip >= TIP_WEI, `${type} got in with a tip of ${tip} wei, the spammer's is ${TIP_WEI}`)
  }
}

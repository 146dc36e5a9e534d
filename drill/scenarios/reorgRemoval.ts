/** L1 takes back what ends a theft: its removal at its turn, and the release of the place that it got without one (docs/spec.md 5.2.6, 5.5.5). */
import { encodeProcessExits } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { type Hash, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { collectTurns, processAll } from '../../wallet/process.ts'
import type { Person } from '../actors.ts'
import { isRefused, send } from '../acts.ts'
import { planBySeed, REORG_PARAMETERS, type ReorgPlan, reorgAt, reorgByHand, standing } from '../faults/reorg.ts'
import { assertChallenged } from '../faults/theft.ts'
import { payOut, runningWatcher, unspentOf } from '../leave.ts'
import { assertLive } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { fund, payTo, type Settled } from '../settle.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

export const reorgRemoval: Scenario = {
  name: 'reorg-removal',
  title: 'L1 takes the end of thefts back',
  story:
    'Two thieves are challenged; L1 replaces 1 to 64 blocks as one theft is removed at its turn, as the other gets a place from somebody who does not show the evidence, and as that place is freed; the owner behind them is paid.',
  needs: ['time-travel', 'reorgs'],
  owners: OWNERS,
  parameters: REORG_PARAMETERS,
  run: (world, settled) => playReorgRemoval(world, planBySeed(world), settled),
}

export async function playReorgRemoval(world: World, plan: ReorgPlan, settled: Settled): Promise<void> {
  const { thief, helper, watchers, owners, parameters } = world
  const other = await world.invite('trudy', 'thief', false)
  world.fault('everybody', 'two thieves exit what they have spent')
  const removed = await steal(world, thief)
  // Far behind: the turn of the first is not to give the second its own.
  await world.passTime(parameters.minExitPeriod / 2)
  const placed = await steal(world, other)
  // Somebody whom a watcher protects: for strangers it would free no place.
  const owner = owners.find(({ care }) => care === 'watcher')
  const output = owner && unspentOf(runningWatcher(world), owner).find(({ token }) => token === ZERO_ADDRESS)
  if (output) await startExit(await world.reconnect(owner), { position: output.position })

  const helping = await world.wallet(helper)
  await world.passTo(removed.exitableAt)
  const give = () => processAll(helping, `turns ${Date.now()}`)
  await reorgAt(world, { what: 'a theft is removed at its turn', taken: endOf(removed.outputId), act: give }, plan())

  // Watchers would show the evidence.
  for (const watcher of watchers) await watcher.stop()
  await world.passTo(placed.exitableAt)
  const giveBlindly = async () => {
    const { turns } = await collectTurns(helping.root)
    return isRefused(send(world, helper, encodeProcessExits(1, { ...turns, evidenceBlocks: [] })))
  }
  const isPlaced = (event: RootEvent) => event.type === 'ExitPostponed' && event.outputId === placed.outputId
  await reorgByHand(world, { what: 'a theft gets a place', taken: isPlaced, act: giveBlindly }, plan())
  const watch = async () => {
    for (const watcher of watchers) await watcher.start()
  }
  await reorgAt(world, { what: 'its place is freed', taken: endOf(placed.outputId), act: watch }, plan())
  for (const one of [removed, placed]) await assertRemoved(world, one)
  await payOut(world, settled.token)
  assertLive(world)
}

const endOf = (outputId: Hash) => (event: RootEvent) => event.type === 'ExitRemoved' && event.outputId === outputId

/** She exits what she has spent, and is challenged. */
async function steal(world: World, thief: Person): Promise<Exit> {
  const [victim = thief] = world.owners
  const position = await fund(world, thief, world.unit)
  await payTo(world, thief, victim, world.unit)
  await startExit(await world.wallet(thief), { position, unsafeMaybeSpent: true })
  await world.recorder.pull()
  const exit = standing(world, thief)
  await assertChallenged(world, exit)
  return exit
}

async function assertRemoved(world: World, { outputId }: Exit): Promise<void> {
  const { exits } = runningWatcher(world).watcher().core
  const { root } = await world.wallet(world.helper)
  const state = await until('the watchers to have the theft as L1 has it', async () => {
    const onL1 = (await root.exitRecord(outputId)).state
    return exits.record(outputId)?.state === onL1 && onL1
  })
  world.find('EXIT-1', state === 'removed', `the theft ended as ${state}`)
}

/** A user's theft: the exit of a spent output, and what has to come of it. */
import { type Exit, evidenceDeadline } from '../../protocol/exit.ts'
import { startExit } from '../../wallet/exit.ts'
import { processAll } from '../../wallet/process.ts'
import { assertLive, prepareGround } from '../plays.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

/** The thief has paid, and exits what she paid with. The fault. `before`: what she waits for. */
export async function steal(world: World, before: () => Promise<void> = async () => undefined): Promise<Exit> {
  const { spent } = await prepareGround(world)
  await before()
  world.fault('mallory', 'exits an output that she has spent')
  const wallet = await world.wallet(world.thief)
  return (await startExit(wallet, { position: spent.position, unsafeMaybeSpent: true })).exit
}

/** Evidence stands on L1, in time, by one of the watchers. */
export async function assertChallenged(world: World, { outputId, exitableAt }: Exit): Promise<void> {
  const { recorder, parameters, watchers } = world
  const shown = await until(
    'evidence on L1',
    async () => {
      await recorder.pull()
      return recorder.events().find((event) => event.type === 'EvidenceShown' && event.outputId === outputId)
    },
    world.timeoutMs,
  )
  if (shown.type !== 'EvidenceShown') return
  const by = watchers.find(({ address }) => address === shown.challenger)
  const late = shown.at.l1Timestamp - evidenceDeadline(exitableAt, parameters.minExitPeriod)
  world.find(
    'EXIT-1',
    by !== undefined && late <= 0,
    by
      ? `${by.name} challenged the theft, ${-late} s before it would have been too late`
      : 'somebody else challenged it',
  )
}

/** Past its time the exit is not paid, and the chain lives on. */
export async function endTheft(world: World, exit: Exit): Promise<void> {
  await world.passTo(exit.exitableAt)
  await processAll(await world.wallet(world.helper), `theft ${Date.now()}`)
  const { root } = await world.wallet(world.helper)
  const { state } = await root.exitRecord(exit.outputId)
  world.find('EXIT-1', state !== 'settled' && state !== 'queued', `the theft ended as ${state}`)
  assertLive(world)
}

/** What several scenarios share: taking the chain over, what a thief brings along, and how it all ends. */
import { encodeStartStandardExit } from '../l1/rootCalls.ts'
import { ZERO_ADDRESS } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import type { AlertCode } from '../watcher/alerts.ts'
import type { DataRecord } from '../watcher/court/dataTypes.ts'
import { exitOf, isRefused, send } from './acts.ts'
import type { Forgery, Ground } from './faults/forgeries.ts'
import type { Committed } from './faults/operator.ts'
import { bondNow, leaveAll, payOut, runningWatcher, unspentOf } from './leave.ts'
import { depositFor, fund, payTo, type Settled } from './settle.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

/** The honest operator's program stops, with nothing half done; what its key does from here on is hostile. */
export async function takeOver(world: World): Promise<void> {
  await until(
    'everybody to have every block of the operator',
    () => {
      const { committed, sealed } = world.operator.status()
      const running = world.watchers.filter((one) => one.isRunning())
      return committed === sealed && running.every((one) => one.watcher().core.facts.verifiedBlock() === sealed)
    },
    world.timeoutMs,
  )
  await world.hostile.takeOver()
  world.turnHostile(world.operatorPerson)
}

/** The thief has an output, and one that she spent; a victim has some. Before the chain is taken over. */
export async function prepareGround(world: World): Promise<Omit<Ground, 'block'>> {
  const { hostile, thief, owners, unit } = world
  const [victim] = owners
  if (!victim) throw bug('VICTIM_MISSING', 'nobody to steal from', { want: 'an owner' })
  const spent = { position: await fund(world, thief, unit), amount: unit }
  const [own] = await Promise.all([depositFor(world, thief, unit), payTo(world, thief, victim, unit)])
  const watcher = runningWatcher(world)
  await watcher.untilVerified()
  const victims = await until('an output of the victim', () =>
    unspentOf(watcher, victim).find(({ token, shown }) => token === ZERO_ADDRESS && shown),
  )
  const other = await until('tokens of the victim', () =>
    unspentOf(watcher, victim).find(({ token }) => token !== ZERO_ADDRESS),
  )
  return { hostile, thief, own: { position: own, amount: unit }, spent, victims, other }
}

/** Commits a block; the first one is the fault. */
export async function commitFault(
  world: World,
  transactions: readonly SignedTransaction[],
  what: string,
): Promise<Committed> {
  world.fault('operator', what)
  return world.hostile.commit(transactions)
}

/** The number of the next block. */
export function nextBlock(world: World): number {
  return runningWatcher(world).watcher().core.facts.newestBlock() + 1
}

/** The thief tries to leave with what a block pays her; undefined where L1 refuses it. */
export async function exitForged(world: World, block: Committed, index = 0): Promise<Exit | undefined> {
  const { hostile, thief } = world
  const call = encodeStartStandardExit({
    position: hostile.positionOf(block, index),
    shown: hostile.shownOf(block, index),
    bondWei: await bondNow(world),
  })
  const sent = send(world, thief, call)
  return (await isRefused(sent)) ? undefined : exitOf(await sent)
}

/** Every running watcher tells one of these. */
export async function allTell(world: World, ...codes: readonly AlertCode[]): Promise<void> {
  await Promise.all(world.watchers.filter((one) => one.isRunning()).map((one) => one.untilAlert(...codes)))
}

/** Until all running watchers see the chain halted at the block; tells the finding. */
export async function assertHalted(world: World, { number }: Pick<Committed, 'number'>, invariant: string) {
  await allTell(world, 'CHAIN_HALTED')
  const { voidFrom } = runningWatcher(world).watcher().core.facts.halt()
  world.find(invariant, voidFrom === number, `the chain was halted at block ${voidFrom}; block ${number} was at fault`)
}

/** Nothing was halted. */
export function assertLive(world: World): void {
  const { voidFrom } = runningWatcher(world).watcher().core.facts.halt()
  world.find(
    'HALT-1',
    voidFrom === 0,
    voidFrom === 0 ? 'the chain was not halted' : `the chain was halted at ${voidFrom}`,
  )
}

/** Whoever is honest leaves and is paid. */
export async function everybodyLeaves(world: World, settled: Settled): Promise<void> {
  await leaveAll(world, settled)
  await payOut(world, settled.token)
}

/** A block that breaks a rule, served to everybody: proven, halted, and nobody who is honest loses. */
export async function playForged(
  world: World,
  settled: Settled,
  { rule, forge }: Forgery,
  what: string,
): Promise<void> {
  const ground = await prepareGround(world)
  await takeOver(world)
  const block = nextBlock(world)
  const forged = await commitFault(world, [forge({ ...ground, block })], what)
  await exitForged(world, forged)
  world.hostile.serve(forged.number)
  await allTell(world, 'INVALID_BLOCK')
  const told = runningWatcher(world)
    .alertsOf('INVALID_BLOCK')
    .map(({ fault }) => (fault as { rule?: string }).rule)
  world.find('WATCH-3', told.includes(rule), `the watchers say that the block breaks ${told.join()}; it breaks ${rule}`)
  await assertHalted(world, forged, 'HALT-2')
  await everybodyLeaves(world, settled)
}

/** Demands of leaves of the block, as one watcher sees them, when there are so many; in their order. */
export function untilDemanded(world: World, { number }: Pick<Committed, 'number'>, count = 1): Promise<DataRecord[]> {
  const { data } = runningWatcher(world).watcher().core
  return until(
    () => `${count} demands of leaves of block ${number}; there are ${data.ofBlock(number).length}`,
    () => {
      const seen = data.ofBlock(number)
      return seen.length >= count && [...seen].sort((a, b) => a.challenge.first - b.challenge.first)
    },
    world.timeoutMs,
  )
}

/** A block that nobody can get is suspected, its leaves are demanded, and nobody answers in time. */
export async function untilUnanswered(world: World, block: Pick<Committed, 'number' | 'timestamp'>): Promise<void> {
  const { dataChallengePeriod, dataResponsePeriod } = world.parameters
  await allTell(world, 'BLOCK_SUSPECT')
  await world.passTo(block.timestamp + dataChallengePeriod / 4)
  const [demand] = await untilDemanded(world, block)
  await world.passTo((demand?.challenge.startedAt ?? 0) + dataResponsePeriod)
}

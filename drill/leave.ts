/** After the fault: whoever is honest leaves, each in the way that is left to them, and is paid. */
import { createClient } from '../api/client.ts'
import { encodeStartDepositExit, encodeStartStandardExit } from '../l1/rootCalls.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { type Exit, payableAfter } from '../protocol/exit.ts'
import { isDepositPosition } from '../protocol/position.ts'
import { startExit } from '../wallet/exit.ts'
import { processAll } from '../wallet/process.ts'
import { withdraw } from '../wallet/withdraw.ts'
import type { ProtectedOutput } from '../watcher/facts.ts'
import type { Owner, Person } from './actors.ts'
import { exitOf, send } from './acts.ts'
import type { Settled } from './settle.ts'
import { until } from './until.ts'
import type { DrillWatcher } from './watchers.ts'
import type { World } from './world.ts'

/** Twice what an exit's bond takes now: the base fee may rise. */
const BOND_FACTOR = 2n

export type Leaving = Readonly<{
  /** Who shows the exit data; the first that runs when left out. */
  shownBy?: DrillWatcher
  /** Who leaves; every honest owner when left out. */
  who?: readonly Owner[]
}>

/**
 * Every output of everybody: owners who are online start their exits, a helper starts those that anyone may start, and a watcher those of
 * whom it cares for, which is only waited for. Returns all their exits.
 */
export async function leaveAll(
  world: World,
  { mandates }: Pick<Settled, 'mandates'>,
  { shownBy = runningWatcher(world), who = world.owners }: Leaving = {},
): Promise<readonly Exit[]> {
  const exits: Exit[] = []
  for (const owner of who) {
    if (owner.care === 'watcher') continue
    const wallet = owner.online ? await world.reconnect(owner) : undefined
    for (const output of unspentOf(shownBy, owner)) {
      if (output.exit) continue
      if (wallet) exits.push((await startExit(wallet, { position: output.position })).exit)
      else {
        const mandate = mandates.get(owner)
        if (!mandate) continue
        const bondWei = await bondNow(world)
        const { position, token, amount } = output
        const call = isDepositPosition(position)
          ? encodeStartDepositExit({ position, token, amount, bondWei, mandate })
          : encodeStartStandardExit({ position, shown: await shownOf(shownBy, position), bondWei, mandate })
        exits.push(exitOf(await send(world, world.helper, call)))
      }
    }
  }
  for (const owner of who.filter(({ care }) => care === 'watcher')) {
    const waiting = () => unspentOf(shownBy, owner).filter(({ exit }) => exit === undefined)
    await until(
      () => `the watcher to take ${owner.name} out; ${waiting().length} outputs are left`,
      () => waiting().length === 0,
      world.timeoutMs,
    )
  }
  await world.recorder.pull()
  return exits
}

/** As the watcher has them, deposits too. */
export function unspentOf(watcher: DrillWatcher, { address }: Pick<Person, 'address'>): readonly ProtectedOutput[] {
  return watcher.watcher().core.facts.protectedOutputs(address)
}

export function runningWatcher({ watchers }: Pick<World, 'watchers'>): DrillWatcher {
  const found = watchers.find((one) => one.isRunning())
  if (!found) throw bug('WATCHER_MISSING', 'no watcher runs', { want: 'one' })
  return found
}

async function shownOf(watcher: DrillWatcher, position: number) {
  const data = await createClient({ url: watcher.watcher().url }).exitData(position)
  if (data?.kind !== 'transaction')
    throw bug('EXIT_DATA_MISSING', 'the watcher shows no exit data', { got: position, want: 'an output of a block' })
  return data
}

/** Wei of a bond for an exit that is started now. */
export async function bondNow(world: World): Promise<bigint> {
  const { root } = await world.wallet(world.helper)
  return BOND_FACTOR * (await root.exitBond())
}

/** Exits of honest owners that are neither over nor void, by the events so far. */
export async function openExits(world: World): Promise<readonly Exit[]> {
  await world.recorder.pull()
  const events = world.recorder.events()
  const over = new Set(
    events.flatMap((event) => (event.type === 'ExitPaid' || event.type === 'ExitRemoved' ? [event.outputId] : [])),
  )
  const owners = new Set(world.owners.map(({ address }) => address))
  return events.flatMap((event) =>
    event.type === 'ExitStarted' && owners.has(event.exit.owner) && !over.has(event.exit.outputId) ? [event.exit] : [],
  )
}

/** Past the end of every exit of somebody honest; the helper gives the turns and sends credits on. Resolves when all are paid. */
export async function payOut(world: World, token?: Address): Promise<void> {
  const { helper, parameters } = world
  const wallet = await world.wallet(helper)
  for (let round = 0; ; round++) {
    const exits = await openExits(world)
    if (exits.length === 0) break
    if (round > 5) throw bug('EXITS_UNPAID', 'exits are not paid after their time', { got: exits.length, want: 0 })
    const { lastMove } = await wallet.root.head()
    await world.passTo(
      Math.max(...exits.map(({ exitableAt }) => payableAfter(exitableAt, parameters.minExitPeriod, lastMove))),
    )
    await processAll(wallet, `pay out ${Date.now()}`)
  }
  for (const owner of world.owners)
    for (const at of [ZERO_ADDRESS, ...(token ? [token] : [])])
      if ((await wallet.root.credit(at, owner.address)) > 0n)
        await withdraw(wallet, { token: at, account: owner.address, key: `${owner.name} ${at} ${Date.now()}` })
  await world.recorder.pull()
}

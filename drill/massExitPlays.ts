/** What drills of mass exits share: waiting for what coordinators do, what strangers do with batches, and that everybody was paid. */
import { createClient } from '../api/client.ts'
import {
  type EntryOutput,
  encodeClaimEntries,
  encodeDemandEntry,
  encodeLockBatch,
  encodeOpenEntry,
  encodeStartBatch,
} from '../l1/massExitContract.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import {
  type Batch,
  batchBond,
  batchDeadlines,
  demandBond,
  type Entry,
  entryTree,
  hashBatch,
  type PlacedEntry,
  placeEntries,
} from '../protocol/massExit.ts'
import type { MerkleTree } from '../protocol/merkle.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { processAll } from '../wallet/process.ts'
import type { BatchRecord } from '../watcher/court/batchTypes.ts'
import type { Person } from './actors.ts'
import { send } from './acts.ts'
import { bookBatches } from './batches.ts'
import { booksInput } from './books.ts'
import { runningWatcher, unspentOf } from './leave.ts'
import { drawBooks } from './ledger.ts'
import { until } from './until.ts'
import type { DrillWatcher } from './watchers.ts'
import type { World } from './world.ts'

/** Room for a base fee that rises: wei for each unit of gas that a bond is sized by. */
const FEE_GWEI = 20n

/** A batch with what calls about it need. */
export type KnownBatch = Readonly<{ batch: Batch; placed: readonly PlacedEntry[]; tree: MerkleTree }>

/** What a watcher knows of the mass exits of one coordinator. */
export function batchesOf(watcher: DrillWatcher, coordinator: Pick<Person, 'address'>): readonly BatchRecord[] {
  const { batches } = watcher.watcher().core
  return batches.page('', 100).filter(({ batch }) => batch.coordinator === coordinator.address)
}

/**
 * Until every unspent output of these owners is named by a mass exit that stands, the coordinator's or anybody's, or exits; these mass exits.
 * Throws where there are fewer than `least`: everybody left, but the drill was about leaving together.
 */
export async function untilTogether(
  world: World,
  {
    coordinator,
    owners = world.owners,
    least = 1,
  }: Readonly<{ coordinator?: Person; owners?: readonly Pick<Person, 'address' | 'name'>[]; least?: number }>,
): Promise<readonly BatchRecord[]> {
  const watcher = runningWatcher(world)
  const { batches } = watcher.watcher().core
  const isTheirs = ({ batch, state }: BatchRecord) =>
    state !== 'dissolved' && (coordinator === undefined || batch.coordinator === coordinator.address)
  const left = () =>
    owners.flatMap((owner) =>
      unspentOf(watcher, owner).filter(({ position, exit }) => {
        const naming = batches.naming(position).flatMap(({ batchId }) => batches.record(batchId) ?? [])
        return exit === undefined && !naming.some(isTheirs)
      }),
    )
  await until(
    () => `everybody to be taken out together; ${left().length} outputs are left`,
    () => left().length === 0,
    world.timeoutMs,
  )
  const theirs = batches.page('', 100).filter(isTheirs)
  if (theirs.length < least) {
    throw bug('MASS_EXIT_MISSING', 'everybody left, nobody together', { got: theirs.length, want: `${least} or more` })
  }
  return theirs.filter(({ state }) => state === 'started')
}

/** Past the time for answers, until all of them are locked by whomever. */
export async function untilLocked(world: World, records: readonly BatchRecord[]): Promise<void> {
  const ends = records.map(({ batch }) => batchDeadlines(batch.startedAt, world.parameters.minExitPeriod).answer)
  await world.passTo(Math.max(...ends))
  await untilEach(world, records, 'locked', ({ item }) => item !== undefined)
}

/**
 * Past their turns, until the share of every entry is claimed, placed or freed, but for so many. A share whose output left alone is freed only
 * where it keeps somebody waiting.
 */
export async function untilPaidOut(world: World, records: readonly BatchRecord[], left = 0): Promise<void> {
  await passTurns(world, records)
  const { batches, exits, facts } = runningWatcher(world).watcher().core
  await untilEach(world, records, 'paid out', ({ batchId, uses }) => {
    const waiting = batches.entries(batchId).filter((entry) => {
      const fact = uses.has(entry.index) ? undefined : facts.entryFact(batchId, entry)
      return fact && !(fact.kind === 'named' && exits.stateOf(fact.outputId) === 'settled')
    })
    return waiting.length <= left
  })
}

/** Until somebody gave each of them its turn. */
export async function untilTurned(world: World, records: readonly BatchRecord[]): Promise<void> {
  await passTurns(world, records)
  await untilEach(world, records, 'given their turns', ({ ticket }) => ticket !== undefined)
}

/** Until the coordinator has what is left of the bonds. */
export async function untilClosed(world: World, records: readonly BatchRecord[]): Promise<void> {
  const items = records.map(({ batchId }) => recordOf(world, batchId)?.item?.exitableAt ?? 0)
  await world.passTo(Math.max(...items) + world.parameters.minExitPeriod)
  await untilEach(world, records, 'closed', ({ state }) => state === 'closed')
}

async function untilEach(
  world: World,
  records: readonly Pick<BatchRecord, 'batchId'>[],
  what: string,
  is: (record: BatchRecord) => boolean,
): Promise<void> {
  const left = () =>
    records.filter(({ batchId }) => {
      const record = recordOf(world, batchId)
      return !record || !is(record)
    })
  const tell = () => `mass exits to be ${what}; ${left().length} of ${records.length} are not`
  await until(tell, () => left().length === 0, world.timeoutMs)
  await world.recorder.pull()
}

/** Until the watchers see so of each of them. */
export function untilBatches(
  world: World,
  known: readonly Pick<KnownBatch, 'batch'>[],
  what: string,
  is: (record: BatchRecord) => boolean,
): Promise<void> {
  return untilEach(
    world,
    known.map(({ batch }) => ({ batchId: hashBatch(batch) })),
    what,
    is,
  )
}

export function recordOf(world: World, batchId: BatchRecord['batchId']): BatchRecord | undefined {
  return runningWatcher(world).watcher().core.batches.record(batchId)
}

/** Somebody's mass exit, in the order of positions. Throws DRILL_CALL_REFUSED. */
export async function startBatch(
  world: World,
  by: Person,
  entries: readonly Entry[],
  token: Address = ZERO_ADDRESS,
): Promise<KnownBatch> {
  const sorted = [...entries].sort((a, b) => a.position - b.position)
  const { block } = decodePosition(sorted.at(-1)?.position ?? 0)
  const lastBlock = block === 0 ? undefined : runningWatcher(world).watcher().core.facts.header(block)
  const bondWei = batchBond(sorted.length, FEE_GWEI)
  const events = await send(
    world,
    by,
    encodeStartBatch({ token, entries: sorted, bondWei, ...(lastBlock && { lastBlock }) }),
  )
  const started = events.find((event) => event.type === 'BatchStarted')
  if (started?.type !== 'BatchStarted') throw bug('BATCH_MISSING', 'no mass exit was started', { got: events.length })
  const placed = placeEntries(sorted)
  return { batch: started.batch, placed, tree: entryTree(placed) }
}

/** As the watchers know it. Throws BATCH_MISSING. */
export function knownTo(world: World, batchId: BatchRecord['batchId']): KnownBatch {
  const { batches } = runningWatcher(world).watcher().core
  const [record, tree] = [batches.record(batchId), batches.tree(batchId)]
  if (!record || !tree) throw bug('BATCH_MISSING', 'the watchers know no such mass exit', { got: batchId })
  return { batch: record.batch, placed: batches.entries(batchId), tree }
}

export function demandEntry(world: World, by: Person, { batch, placed, tree }: KnownBatch, index: number) {
  const entry = placed[index] as PlacedEntry
  return send(world, by, encodeDemandEntry(batch, { entry, tree }, demandBond(0, FEE_GWEI)))
}

export const lockBatch = (world: World, by: Person, { batch }: KnownBatch) => send(world, by, encodeLockBatch(batch))

/** What stands at the entry's position, as the watchers serve it. */
export async function shownAt(world: World, position: number): Promise<EntryOutput> {
  const watcher = runningWatcher(world).watcher()
  if (isDepositPosition(position)) {
    const found = watcher.core.ledger.find(position)
    if (!found) throw bug('DEPOSIT_MISSING', 'no such deposit', { got: position })
    const { owner, token, amount } = found
    return { kind: 'deposit', owner, token, amount }
  }
  const data = await createClient({ url: watcher.url }).exitData(position)
  if (data?.kind !== 'transaction') throw bug('EXIT_DATA_MISSING', 'no exit data', { got: position })
  return { kind: 'output', transaction: data.transaction, header: data.header, proof: data.proof }
}

/** One entry's claim, by anyone. */
export async function claimEntry(
  world: World,
  by: Person,
  { batch, placed, tree }: KnownBatch,
  index: number,
): Promise<RootEvent[]> {
  const entry = placed[index] as PlacedEntry
  const shown = await shownAt(world, entry.position)
  return send(world, by, encodeClaimEntries(batch, [{ at: { entry, tree }, shown }]))
}

/** All that is not paid of it, entry by entry, by a stranger: anyone may, and it costs nothing but gas. */
export async function claimRest(world: World, by: Person, { batchId }: Pick<BatchRecord, 'batchId'>): Promise<void> {
  const known = knownTo(world, batchId)
  for (const { index } of known.placed)
    if (!recordOf(world, batchId)?.uses.has(index)) await claimEntry(world, by, known, index)
}

/** It becomes an exit of its own. */
export async function openEntry(
  world: World,
  by: Person,
  { batch, placed, tree }: KnownBatch,
  index: number,
): Promise<RootEvent[]> {
  const entry = placed[index] as PlacedEntry
  return send(world, by, encodeOpenEntry(batch, { entry, tree }, await shownAt(world, entry.position)))
}

/** Past their turns, which the helper gives: for the bounties anyone may. */
export async function giveTurnsOf(world: World, records: readonly Pick<BatchRecord, 'batchId'>[]): Promise<void> {
  await passTurns(world, records)
  const wanted = new Set(records.map(({ batchId }) => batchId))
  // An exit that starts in the block of the call takes the queue out from under it: then it is given again.
  await until(
    'mass exits to have their turns',
    async () => {
      await giveTurns(world)
      for (const event of world.recorder.events()) if (event.type === 'ExitPostponed') wanted.delete(event.outputId)
      return wanted.size === 0
    },
    world.timeoutMs,
  )
}

/** Until L1 is past the turn of each of them, and so many seconds further. */
export function passTurns(world: World, records: readonly Pick<BatchRecord, 'batchId'>[], further = 0): Promise<void> {
  const turns = records.map(({ batchId }) => recordOf(world, batchId)?.item?.exitableAt ?? 0)
  return world.passTo(Math.max(...turns) + further)
}

/** Whatever is due in the queue, by the helper. */
async function giveTurns(world: World): Promise<void> {
  await processAll(await world.wallet(world.helper), `turns ${Date.now()}`)
  await world.recorder.pull()
}

/** Outputs of honest owners, and those of them that are not paid in full. */
async function booksOfOwners(world: World) {
  await world.recorder.pull()
  const books = drawBooks(booksInput(world))
  const names = new Map(world.owners.map(({ address, name }) => [address, name]))
  const mine = [...books.outputs.values()].filter(({ owner, spent }) => names.has(owner) && !spent)
  return { names, mine, left: mine.filter(({ outputId, amount }) => books.paid.get(outputId) !== amount) }
}

/** Past the turns, until every honest owner is paid, out of whichever mass exit came first: shares of the others stay, where nobody waits behind. */
export async function untilAllPaid(world: World, records: readonly BatchRecord[]): Promise<void> {
  await passTurns(world, records)
  await until('every output of honest owners to be paid', async () => (await booksOfOwners(world)).left.length === 0)
}

/** Nothing of an honest owner is left to be paid, and each output was paid once. */
export async function assertAllPaid(world: World): Promise<void> {
  const { names, mine, left } = await booksOfOwners(world)
  const claimed = [...bookBatches(world.recorder.events()).values()].reduce(
    (sum, { uses }) => sum + [...uses.values()].filter(([first]) => first?.kind === 'claimed').length,
    0,
  )
  const detail =
    left.length === 0
      ? `all ${mine.length} outputs of honest owners are paid, ${claimed} entries of mass exits by claims`
      : `not paid: ${left.map(({ owner, position }) => `output ${position} of ${names.get(owner)}`).join(', ')}`
  world.find('EXIT-2', left.length === 0 && mine.length > 0, detail)
}

/** No output is named by two mass exits of one coordinator that stand: each of them is a bond. */
export function assertNamedOnce(world: World): void {
  const standing = runningWatcher(world)
    .watcher()
    .core.batches.page('', 100)
    .filter(({ state }) => state !== 'dissolved')
  const named = standing.flatMap(({ batchId, batch }) =>
    knownTo(world, batchId).placed.map(({ position }) => `${batch.coordinator} ${position}`),
  )
  const twice = named.length - new Set(named).size
  world.find(
    'MASS-4',
    twice === 0,
    `${twice} of ${named.length} entries name what a mass exit of the same coordinator names`,
  )
}

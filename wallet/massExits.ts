/**
 * Mass exits as L1 has them (docs/spec.md section 6.4): found by their events, believed by what the root contract keeps of them. An entry
 * is part of what the batch's id is the hash of, so that no endpoint can invent one.
 */
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { type Exit, payableAfter } from '../protocol/exit.ts'
import {
  type Batch,
  batchDeadlines,
  type Entry,
  entryTree,
  hashBatch,
  type PlacedEntry,
  placeEntries,
} from '../protocol/massExit.ts'
import type { MerkleTree } from '../protocol/merkle.ts'
import type { WalletContext } from './context.ts'
import { isConfirmed } from './exits.ts'
import type { BatchRecord, EventFilter, Head, RootReads, Ticket } from './ports.ts'
import type { ProvenExitData } from './proofs.ts'

/**
 * started: may still be demanded proof of. demanded: and is, without an answer. locked: its outputs are locked, its place is in the queue.
 * turned: its entries' shares are on the line. dissolved: nothing was locked.
 */
export type BatchStage = 'started' | 'demanded' | 'locked' | 'turned' | 'dissolved'

export type KnownBatch = Readonly<{
  id: Hash
  batch: Batch
  stage: BatchStage
  record: BatchRecord
  entries: readonly PlacedEntry[]
  /** From the lock on: the batch in the queue. */
  item?: Exit
  /** From its turn on. */
  ticket?: Ticket
}>

/** L1 blocks that are read again each time: no reorg goes deeper. */
const REREAD_BLOCKS = 128

/** `depositedAt`: L1 block; a deposit of the lock's block or later is not what a mass exit named. */
export type NamedOutput = Readonly<{ position: number; token: Address; amount: bigint; depositedAt?: number }>

/** Confirmed by L1's records, oldest first. `filter`: `batchId` for one, `fromL1Block` by its start. */
export async function findBatches(
  root: RootReads,
  filter: Pick<EventFilter, 'batchId' | 'fromL1Block'> = {},
): Promise<KnownBatch[]> {
  const events = await root.events({ ...filter, types: ['BatchStarted'] })
  if (events.length === 0) return []
  const items = await findItems(root, filter.batchId === undefined ? {} : { batchId: filter.batchId })
  const batches = new Map<Hash, KnownBatch>()
  for (const event of events) {
    if (event.type !== 'BatchStarted' || batches.has(event.batchId)) continue
    const { batchId: id, batch } = event
    const entries = placeEntries(event.entries)
    const record = await root.batchRecord(id)
    if (record.state === 'none' || !isGenuine(id, batch, entries)) continue
    batches.set(id, { id, batch, entries, record, ...(await standingOf(root, id, record, items.get(id))) })
  }
  return [...batches.values()]
}

/** The id is the hash of the batch, and the batch's root that of its entries. */
function isGenuine(id: Hash, batch: Batch, entries: readonly PlacedEntry[]): boolean {
  return hashBatch(batch) === id && batch.count === entries.length && bytesToHex(entryTree(entries).root) === batch.root
}

async function standingOf(
  root: RootReads,
  id: Hash,
  { state, demands }: BatchRecord,
  item: Exit | undefined,
): Promise<Pick<KnownBatch, 'stage' | 'item' | 'ticket'>> {
  if (state === 'dissolved') return { stage: 'dissolved' }
  if (state === 'started') return { stage: demands > 0 ? 'demanded' : 'started' }
  const shown = item ? { item } : {}
  const ticket = await root.ticket(id)
  return ticket.due === 0n ? { stage: 'locked', ...shown } : { stage: 'turned', ticket, ...shown }
}

/** Items of the queue that are mass exits, each confirmed by the contract's hash, by batch. */
export async function findItems(
  root: RootReads,
  filter: Pick<EventFilter, 'batchId'> = {},
): Promise<ReadonlyMap<Hash, Exit>> {
  const items = new Map<Hash, Exit>()
  for (const event of await root.events({ ...filter, types: ['BatchLocked'] })) {
    if (event.type !== 'BatchLocked') continue
    if (isConfirmed(event.item, await root.exitRecord(event.batchId))) items.set(event.batchId, event.item)
  }
  return items
}

/** The output as entries name it. */
export function namedOf({ data, output }: ProvenExitData): NamedOutput {
  const { position, token, amount } = output
  return { position, token, amount, ...(data.kind === 'deposit' ? { depositedAt: data.l1Block } : {}) }
}

export type NamedBy = Readonly<{ known: KnownBatch; entry: PlacedEntry }>

/** The entries that name the output: position, token and amount are its own. Those of dissolved batches name nothing any more. */
export function findEntries(batches: readonly KnownBatch[], output: NamedOutput): NamedBy[] {
  return batches.flatMap((known) => {
    if (known.stage === 'dissolved' || known.batch.token !== output.token) return []
    if (known.item && (output.depositedAt ?? 0) >= known.item.lockedAt) return []
    const entry = findEntryAt(known, output.position)
    return entry && entry.amount === output.amount ? [{ known, entry }] : []
  })
}

/** Positions grow. */
export function findEntryAt({ entries }: Pick<KnownBatch, 'entries'>, position: number): PlacedEntry | undefined {
  let [low, high] = [0, entries.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const entry = entries[middle] as PlacedEntry
    if (entry.position === position) return entry
    if (entry.position < position) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

const trees = new WeakMap<readonly Entry[], MerkleTree>()

/** From which an entry's path is taken; built once for each batch. */
export function treeOf({ entries }: KnownBatch): MerkleTree {
  const tree = trees.get(entries) ?? entryTree(entries)
  trees.set(entries, tree)
  return tree
}

/** L1 seconds. `payable`: later than this entries are paid, if nobody speaks against them; until the lock the earliest. */
export type BatchTimes = Readonly<{
  demandUntil: number
  answerUntil: number
  lockUntil: number
  payable: number
  /** Later than this the coordinator gets the rest of the bond. */
  closable: number
}>

export function timesOf({ batch, item }: Pick<KnownBatch, 'batch' | 'item'>, root: RootReads, head: Head): BatchTimes {
  const { minExitPeriod } = root.parameters
  const { demand, answer, lock } = batchDeadlines(batch.startedAt, minExitPeriod)
  const byBlock = batch.madeAt === 0 ? 0 : batch.madeAt + 2 * minExitPeriod
  const exitableAt = item?.exitableAt ?? Math.max(answer + 1 + minExitPeriod, byBlock)
  const payable = payableAfter(exitableAt, minExitPeriod, head.lastMove)
  const times = { demandUntil: demand, answerUntil: answer, lockUntil: lock, payable }
  return { ...times, closable: payable + minExitPeriod }
}

/** It will never lock anything, dissolved or not: nobody answered in time, or nobody locked it. `timestamp`: L1 seconds. */
export function isLost({ batch, stage }: KnownBatch, timestamp: number, minExitPeriod: number): boolean {
  const { answer, lock } = batchDeadlines(batch.startedAt, minExitPeriod)
  if (stage === 'dissolved') return true
  return (stage === 'demanded' && timestamp > answer) || (stage === 'started' && timestamp > lock)
}

/**
 * Notes in the wallet's file which mass exits were locked since it last looked, so that what they name is not spent and is shown as leaving.
 * Best effort: while L1 does not answer, what was noted before counts, and the operator refuses the rest.
 */
export async function noteMassExits(wallet: Pick<WalletContext, 'root' | 'store' | 'report'>): Promise<void> {
  const { root, store, report } = wallet
  try {
    const mark = store.batchMark()
    const from = mark === undefined ? 0 : Math.max(0, mark - REREAD_BLOCKS)
    const { l1Block } = await root.now()
    const events = await root.events({ types: ['BatchLocked'], ...(mark === undefined ? {} : { fromL1Block: from }) })
    const locked: Parameters<typeof store.saveLockedBatches>[0][number][] = []
    for (const event of events) {
      if (event.type !== 'BatchLocked') continue
      const [known] = await findBatches(root, { batchId: event.batchId })
      if (known?.record.state !== 'locked') continue
      const entries = known.entries.map(({ position, amount }) => ({ position, amount }))
      locked.push({ batchId: known.id, l1Block: event.at.l1Block, token: known.batch.token, entries })
    }
    store.saveLockedBatches(locked, { from, mark: l1Block })
  } catch (error) {
    if (!isLifeboatError(error) || error.family !== 'retryable') throw error
    report(`L1 does not say which outputs mass exits have locked (${error.message})`)
  }
}

/**
 * What the court knows of mass exits (docs/spec.md section 6.4): a batch's life on L1 as a fold over its events, in L1's order. Its entries
 * are not part of it, since a batch may have 32,768: watcher/facts.ts gives them where they are wanted.
 *
 *     BatchStarted --> started --BatchLocked--> locked --ExitPostponed of its item--> locked, with a ticket --BatchClosed--> closed
 *                          `--BatchDissolved--> dissolved
 *
 * Demands, strikes and uses of entries never change the state. A closed batch has no bond left; its entries are claimed and released as before.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import { bug } from '../../protocol/errors.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Batch, PlacedEntry } from '../../protocol/massExit.ts'
import type { At } from '../facts.ts'

export type BatchStage = 'started' | 'locked' | 'dissolved' | 'closed'

/** `answered`: undefined while the demand is open. `bond` in wei. */
export type BatchDemand = Readonly<{
  index: number
  position: number
  demander: Address
  bond: bigint
  at: At
  answered?: Readonly<{ outputId: Hash; at: At }>
}>

/** A spend that was shown against a position of the batch: evidence against the entry where `signer` owns the output. */
export type BatchStrike = Readonly<{ position: number; spend: number; signer: Address; challenger: Address; at: At }>

/** What became of an entry's share: nothing can happen to it a second time. `placed`: the output's exit has it, `paid` of it at once. */
export type EntryUse = Readonly<{ index: number; at: At }> &
  (
    | Readonly<{ kind: 'claimed'; outputId: Hash; owner: Address }>
    | Readonly<{ kind: 'placed'; outputId: Hash; paid: bigint }>
    | Readonly<{ kind: 'released'; amount: bigint }>
  )

export type BatchRecord = Readonly<{
  batchId: Hash
  batch: Batch
  state: BatchStage
  started: At
  /** By index of the entry: open ones and answered ones. */
  demands: ReadonlyMap<number, BatchDemand>
  openDemands: number
  /** From the lock on: the batch in the queue. Its `lockedAt` is the L1 block of the lock. */
  item?: Exit
  locked?: At
  /** Once the item had its turn: for ever, nothing settles or releases it. */
  ticket?: Readonly<{ from: bigint; due: bigint }>
  turned?: At
  /** `demanded`: the entry of the demand that nobody answered, null where nobody locked it in time. */
  dissolved?: Readonly<{ demanded: number | null; at: At }>
  /** By `strikeKey`: the first piece for each position and signer that stands. */
  strikes: ReadonlyMap<string, BatchStrike>
  /** By index of the entry: shares that were claimed, placed or released. */
  uses: ReadonlyMap<number, EntryUse>
  /** Wei that were paid for strikes out of the bond. */
  strikesPaid: bigint
  closed?: Readonly<{ returned: bigint; at: At }>
}>

/** An output that an entry names by position, token and amount. `index`, `before`: of the entry. */
export type NamedEntry = Readonly<{ batchId: Hash; entry: PlacedEntry }>

/** What the fold reads: the root contract's events, those of the item's turn too (l1/massExitContract.ts says what each means). */
export type BatchEvent = Readonly<{ at: At }> &
  (
    | Readonly<{ type: 'BatchStarted'; batchId: Hash; batch: Batch }>
    | Readonly<{ type: 'EntryDemanded'; index: number; position: number; demander: Address; bond: bigint }>
    | Readonly<{ type: 'DemandAnswered'; index: number; outputId: Hash }>
    | Readonly<{ type: 'BatchDissolved'; demanded: number | null }>
    | Readonly<{ type: 'BatchLocked'; item: Exit }>
    | Readonly<{ type: 'ExitPostponed'; from: bigint; due: bigint }>
    | Readonly<{ type: 'BatchClosed'; returned: bigint }>
    | Readonly<{
        type: 'EntriesClaimed'
        claimed: readonly Readonly<{ index: number; outputId: Hash; owner: Address }>[]
      }>
    | Readonly<{ type: 'FeeTaken' }>
    | Readonly<{ type: 'EntryStruck'; position: number; spend: number; signer: Address; challenger: Address }>
    | Readonly<{ type: 'StrikeDropped'; position: number; signer: Address }>
    | Readonly<{ type: 'StrikePaid'; reward: bigint }>
    | Readonly<{ type: 'EntryPlaced'; index: number; outputId: Hash; paid: bigint }>
    | Readonly<{ type: 'EntryReleased'; index: number; amount: bigint }>
  )

export function strikeKey(position: number, signer: Address): string {
  return `${position} ${signer}`
}

export function strikeOf(record: BatchRecord, position: number, signer: Address): BatchStrike | undefined {
  return record.strikes.get(strikeKey(position, signer))
}

/** Open demands, in the order of their entries. */
export function openDemandsOf({ demands }: BatchRecord): readonly BatchDemand[] {
  return [...demands.values()].filter(({ answered }) => !answered).sort((a, b) => a.index - b.index)
}

export type BatchFold = ReturnType<typeof createBatchFold>

/**
 * One batch, event by event, each in constant time however many there were: a batch may be struck 32,768 times. Throws a bug for a first
 * event that is no start.
 */
export function createBatchFold(first: BatchEvent) {
  if (first.type !== 'BatchStarted') {
    const details = { got: first.type, want: 'BatchStarted' }
    throw bug('BATCH_WITHOUT_START', 'events of a batch that never started', details)
  }
  const { batchId, batch, at: started } = first
  const demands = new Map<number, BatchDemand>()
  const strikes = new Map<string, BatchStrike>()
  const uses = new Map<number, EntryUse>()
  let record: BatchRecord = {
    batchId,
    batch,
    state: 'started',
    started,
    demands,
    openDemands: 0,
    strikes,
    uses,
    strikesPaid: 0n,
  }

  return {
    apply(event: BatchEvent): void {
      const { at } = event
      switch (event.type) {
        case 'EntryDemanded': {
          const { index, position, demander, bond } = event
          demands.set(index, { index, position, demander, bond, at })
          record = { ...record, openDemands: record.openDemands + 1 }
          return
        }
        case 'DemandAnswered': {
          const demand = demands.get(event.index)
          if (demand) demands.set(event.index, { ...demand, answered: { outputId: event.outputId, at } })
          record = { ...record, openDemands: record.openDemands - 1 }
          return
        }
        case 'BatchDissolved':
          record = { ...record, state: 'dissolved', dissolved: { demanded: event.demanded, at } }
          return
        case 'BatchLocked':
          record = { ...record, state: 'locked', item: event.item, locked: at }
          return
        case 'ExitPostponed':
          record = { ...record, ticket: { from: event.from, due: event.due }, turned: at }
          return
        case 'BatchClosed':
          record = { ...record, state: 'closed', closed: { returned: event.returned, at } }
          return
        case 'EntriesClaimed':
          for (const { index, outputId, owner } of event.claimed)
            uses.set(index, { kind: 'claimed', index, outputId, owner, at })
          return
        case 'EntryStruck': {
          const { position, spend, signer, challenger } = event
          strikes.set(strikeKey(position, signer), { position, spend, signer, challenger, at })
          return
        }
        case 'StrikeDropped':
          strikes.delete(strikeKey(event.position, event.signer))
          return
        case 'StrikePaid':
          record = { ...record, strikesPaid: record.strikesPaid + event.reward }
          return
        case 'EntryPlaced': {
          const { index, outputId, paid } = event
          uses.set(index, { kind: 'placed', index, outputId, paid, at })
          return
        }
        case 'EntryReleased':
          uses.set(event.index, { kind: 'released', index: event.index, amount: event.amount, at })
          return
        case 'BatchStarted':
        case 'FeeTaken':
          return
      }
    },

    /** As of the last event. Its maps go on with the fold. */
    record: (): BatchRecord => record,
  }
}

/** The whole life at once, of events in L1's order. Throws a bug when the first is no start. */
export function foldBatch([first, ...others]: readonly BatchEvent[]): BatchRecord | undefined {
  if (!first) return undefined
  const fold = createBatchFold(first)
  for (const event of others) fold.apply(event)
  return fold.record()
}

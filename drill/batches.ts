/**
 * Mass exits as a drill's books have them (docs/spec.md 6.4): every batch's life, what became of each entry, and where each wei of the bonds
 * went. Pure, from L1's events, and apart from how watchers, wallets and contracts reckon.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { splitBond } from '../protocol/exit.ts'
import { type Batch, type Entry, itemBond } from '../protocol/massExit.ts'

/** What became of an entry's share, and of its output by it. */
type ShareUse = Readonly<{
  kind: 'claimed' | 'placed' | 'released'
  outputId?: Hash
  owner?: Address
  txHash: Hash
}>

type BookedDemand = Readonly<{ demander: Address; wei: bigint }>

type BookedStrike = Readonly<{ position: number; signer: Address; spend: number }>

/** Wei in all cases. */
export type BookedBatch = Readonly<{
  id: Hash
  batch: Batch
  entries: readonly Entry[]
  /** Void from then on when it was locked; 0 for a live chain. */
  voidFromAtLock?: number
  lockedAt?: Readonly<{ l1Block: number; l1Timestamp: number }>
  exitableAt?: number
  /** The whole of its place: the sum that its turn reserved. */
  reserved?: bigint
  /** `demanded`: the entry whose demand nobody answered, null where nobody locked it. */
  dissolved?: Readonly<{ demanded: number | null }>
  /** By entry: those that nobody answered so far. */
  open: ReadonlyMap<number, BookedDemand>
  /** By entry, in order: more than one is a share used twice. */
  uses: ReadonlyMap<number, readonly ShareUse[]>
  /** Of a position by a signer, those that stand. */
  strikes: readonly BookedStrike[]
  /** Paid out of the bond for removing entries. */
  removals: bigint
  /** What the coordinator got back. */
  returned?: bigint
  /** What is still owed to somebody out of the bond. */
  bondLeft: bigint
}>

type Draft = {
  -readonly [K in keyof BookedBatch]: BookedBatch[K]
} & {
  open: Map<number, BookedDemand>
  uses: Map<number, ShareUse[]>
  strikes: BookedStrike[]
}

/** Gas at the reward's fee that freeing a share is paid (docs/spec.md 6.4.8). */
const RELEASE_GAS = 30_000n
const GWEI = 10n ** 9n

/** Base fee of an L1 block, wei: freeing a share is paid by it, and no event tells how much. */
export type BaseFeeOf = (l1Block: number) => bigint

/** By id, in the order of their starts. */
export function bookBatches(
  events: readonly RootEvent[],
  baseFeeOf: BaseFeeOf = () => 0n,
): ReadonlyMap<Hash, BookedBatch> {
  const books = new Map<Hash, Draft>()
  let voidFrom = 0
  for (const event of events) {
    if (event.type === 'HaltMoved') voidFrom = event.voidFrom
    else if (event.type === 'BatchStarted') {
      const { batchId: id, batch, entries } = event
      const fresh = { open: new Map(), uses: new Map(), strikes: [], removals: 0n, bondLeft: batch.bond }
      books.set(id, { id, batch, entries, ...fresh })
    } else if (event.type === 'ExitPostponed') {
      const book = books.get(event.outputId)
      if (book) turn(book, event.due)
    } else if ('batchId' in event) {
      const book = books.get(event.batchId)
      if (book) apply(book, event, { voidFrom, baseFeeOf })
    }
  }
  return books
}

type BatchEvent = Extract<RootEvent, { batchId: Hash }>

function apply(
  book: Draft,
  event: BatchEvent,
  { voidFrom, baseFeeOf }: Readonly<{ voidFrom: number; baseFeeOf: BaseFeeOf }>,
): void {
  const { at } = event
  const use = (index: number, one: Omit<ShareUse, 'txHash'>) =>
    book.uses.set(index, [...(book.uses.get(index) ?? []), { ...one, txHash: at.txHash }])
  switch (event.type) {
    case 'EntryDemanded':
      book.open.set(event.index, { demander: event.demander, wei: event.bond })
      return
    case 'DemandAnswered':
      book.open.delete(event.index)
      return
    case 'BatchDissolved':
      book.dissolved = { demanded: event.demanded }
      if (event.demanded !== null) book.open.delete(event.demanded)
      book.bondLeft = 0n
      return
    case 'BatchLocked':
      book.lockedAt = { l1Block: at.l1Block, l1Timestamp: at.l1Timestamp }
      book.exitableAt = event.item.exitableAt
      book.voidFromAtLock = voidFrom
      // The fund is kept in whole gwei.
      book.bondLeft -= fundOf(book) % GWEI
      return
    case 'BatchClosed':
      book.returned = event.returned
      book.bondLeft -= event.returned
      return
    case 'EntriesClaimed':
      for (const { index, outputId, owner } of event.claimed) use(index, { kind: 'claimed', outputId, owner })
      return
    case 'EntryPlaced':
      use(event.index, { kind: 'placed', outputId: event.outputId })
      return
    case 'EntryReleased': {
      use(event.index, { kind: 'released' })
      const fee = baseFeeOf(at.l1Block)
      const reward = RELEASE_GAS * (fee > GWEI ? fee : GWEI)
      pay(book, reward - (reward % GWEI))
      return
    }
    case 'EntryStruck':
      dropStrike(book, event)
      book.strikes.push({ position: event.position, signer: event.signer, spend: event.spend })
      return
    case 'StrikeDropped':
      dropStrike(book, event)
      return
    case 'StrikePaid':
      pay(book, event.reward)
      return
    case 'BatchStarted':
    case 'FeeTaken':
      return
  }
}

function dropStrike(book: Draft, { position, signer }: Pick<BookedStrike, 'position' | 'signer'>): void {
  book.strikes = book.strikes.filter((strike) => strike.position !== position || strike.signer !== signer)
}

/** The bounty of the item's turn goes to whoever gave it. */
function turn(book: Draft, due: bigint): void {
  book.reserved = due
  book.bondLeft -= bountyOf(book)
}

/** Out of the fund, as far as it goes; once closed it is empty. */
function pay(book: Draft, wanted: bigint): void {
  const whole = fundOf(book)
  const fund = whole - (whole % GWEI) - book.removals
  const wei = book.returned !== undefined ? 0n : wanted < fund ? wanted : fund
  book.removals += wei
  book.bondLeft -= wei
}

/** The part of the bond that removals are paid from. */
function fundOf({ batch }: Pick<BookedBatch, 'batch'>): bigint {
  return batch.bond - itemBond(batch.bond, batch.count)
}

/** Wei. */
export function bountyOf({ batch }: Pick<BookedBatch, 'batch'>): bigint {
  return splitBond(itemBond(batch.bond, batch.count)).bounty
}

/** The output's payments by claims: amount as the batch has it, out of it the coordinator's fee. */
export type Claimed = Readonly<{ outputId: Hash; owner: Address; token: Address; amount: bigint; fee: bigint }>

/** In L1's order. */
export function claimsOf(events: readonly RootEvent[]): readonly Claimed[] {
  const started = new Map(
    events.flatMap((event) => (event.type === 'BatchStarted' ? [[event.batchId, event] as const] : [])),
  )
  const fees = new Map(
    events.flatMap((event) => (event.type === 'FeeTaken' ? [[`${event.batchId}${event.outputId}`, event.fee]] : [])),
  )
  return events.flatMap((event) => {
    if (event.type !== 'EntriesClaimed') return []
    const start = started.get(event.batchId)
    return event.claimed.map(({ index, outputId, owner }) => ({
      outputId,
      owner,
      token: start?.batch.token ?? ZERO_ADDRESS,
      amount: start?.entries[index]?.amount ?? 0n,
      fee: fees.get(`${event.batchId}${outputId}`) ?? 0n,
    }))
  })
}

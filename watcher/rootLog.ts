/**
 * What L1 said, folded (docs/spec.md section 11): blocks, events of the root contract, and everything that follows from them alone.
 * One L1 block is one transaction of the database, a reorg too. A child block's verdict rests on L1 facts up to its anchor only, and
 * the anchor lies below the submission: so a reorg takes back exactly the child blocks submitted above the common ancestor.
 */
import type { Cursor } from '../l1/cursor.ts'
import type { BlockRef, L1Block } from '../l1/header.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { MAX_ANCHOR_AGE_BLOCKS } from '../protocol/parameters.ts'
import { encodePosition } from '../protocol/position.ts'
import { type Database, inTransaction } from '../service/database.ts'
import { type BatchBook, batchOfEvent, batchSubject } from './batchBook.ts'
import type { BlockStore } from './blockStore.ts'
import { type DataBook, leavesSubject, rangeOfEvent, rangeSubject } from './dataBook.ts'
import { type DisputeBook, disputeSubject } from './disputeBook.ts'
import type { ExitBook } from './exitBook.ts'
import type { Halt, L1Now } from './facts.ts'
import { fromJson, toJson } from './json.ts'
import type { Ledger } from './ledger.ts'

export type RootLogParts = Readonly<{
  db: Database
  ledger: Ledger
  blocks: BlockStore
  exits: ExitBook
  disputes: DisputeBook
  data: DataBook
  batches: BatchBook
}>

/** What folding one event told that a person should hear of. */
export type FoldNotice = Readonly<{ type: 'rootChanged'; block: number; before: Hash; after: Hash }>

export type RootLog = ReturnType<typeof createRootLog>

const REFOLD_PAGE = 1_000
/** Subject of all moves of the halt. */
const HALT = 'halt'

type EventRow = Readonly<{ data: string }>

export function createRootLog({ db, ledger, blocks, exits, disputes, data, batches }: RootLogParts) {
  const insertBlock = db.prepare('INSERT INTO l1_blocks (number, hash, timestamp) VALUES (?, ?, ?)')
  const selectTip = db.prepare<[], { number: number; hash: Hash; timestamp: number }>(
    'SELECT * FROM l1_blocks ORDER BY number DESC LIMIT 1',
  )
  const selectCursor = db.prepare<[number], BlockRef>(
    'SELECT number, hash FROM l1_blocks WHERE number >= ? ORDER BY number',
  )
  const deleteAbove = db.prepare('DELETE FROM l1_blocks WHERE number > ?')
  const deleteBelow = db.prepare('DELETE FROM l1_blocks WHERE number < ?')
  const insertEvent = db.prepare(
    'INSERT INTO root_events (l1_block, log_index, type, subject, data) VALUES (?, ?, ?, ?, ?)',
  )
  const selectAbove = db.prepare<[number], EventRow>(
    'SELECT data FROM root_events WHERE l1_block > ? ORDER BY l1_block DESC, log_index DESC',
  )
  const selectPage = db.prepare<[number, number, number], EventRow>(
    'SELECT data FROM root_events WHERE (l1_block, log_index) > (?, ?) ORDER BY l1_block, log_index LIMIT ?',
  )
  const selectOfSubject = db.prepare<[string], EventRow>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block, log_index',
  )
  // By the owner and the series: whoever revokes many must not make each question dear.
  const selectRevoked = db.prepare<[string, number], EventRow>(
    `SELECT data FROM root_events WHERE type = 'MandatesRevoked' AND subject = ? AND json_extract(data, '$.epoch') = ?
    ORDER BY l1_block, log_index LIMIT 1`,
  )
  // Subjects of transactions: the character after the blank ends the range.
  const selectDisproved = db.prepare<[], EventRow>(
    "SELECT data FROM root_events WHERE subject >= 'transaction ' AND subject < 'transaction!'",
  )
  const deleteEvents = db.prepare('DELETE FROM root_events WHERE l1_block > ?')
  const readMeta = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?')
  const writeMeta = db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)')

  /** Folds one event into what is derived. The event's own row is written by then. */
  function fold(event: RootEvent): FoldNotice[] {
    switch (event.type) {
      case 'BlocksSubmitted':
        return event.commitments.flatMap((commitment, i) => {
          const number = event.firstBlock + i
          const before = blocks.add(number, { ...commitment, timestamp: event.timestamp }, event.at)
          return before === undefined ? [] : [{ type: 'rootChanged', block: number, before, after: commitment.root }]
        })
      case 'Deposited': {
        const { position, owner, token, amount } = event
        ledger.addDeposit(position, { owner, token, amount, depositedAt: event.at.l1Block })
        return []
      }
      case 'DisputeDecided':
        refresh([event.txHash], [])
        return []
      case 'HaltMoved':
        unverifyFrom(event.voidFrom)
        return []
      default: {
        // Of the turn of a mass exit's item too.
        if ('batchId' in event || event.type === 'ExitPostponed') batches.fold(event)
        for (const outputId of exitsOfBatchEvent(event)) exits.refresh(outputId)
        const range = rangeOfEvent(event)
        if (range) data.refresh(range)
        const txHash = txHashOfEvent(event)
        if (txHash) disputes.refresh(txHash)
        const outputId = outputIdOfEvent(event)
        if (outputId) exits.refresh(outputId)
        return []
      }
    }
  }

  /** Disputes first: exits of their inputs and outputs are folded with what they say. */
  function refresh(txHashes: Iterable<Hash>, outputIds: Iterable<Hash>): void {
    const touched = new Set(outputIds)
    for (const txHash of txHashes) for (const outputId of disputes.refresh(txHash)) touched.add(outputId)
    for (const outputId of touched) exits.refresh(outputId)
  }

  function append(block: L1Block, events: readonly RootEvent[]): FoldNotice[] {
    const tip = selectTip.get()
    if (!tip && block.number > 0) insertBlock.run(block.number - 1, block.parentHash, 0)
    if (tip && (tip.number !== block.number - 1 || tip.hash !== block.parentHash)) {
      throw bug('L1_BLOCK_MISFIT', 'an L1 block does not stand on the last one stored', {
        got: { number: block.number, parentHash: block.parentHash },
        want: tip,
      })
    }
    insertBlock.run(block.number, block.hash, block.timestamp)
    return events.flatMap((event) => {
      insertEvent.run(event.at.l1Block, event.at.logIndex, event.type, subjectOf(event), toJson(event))
      return fold(event)
    })
  }

  /** Takes a child block's effects back, from the newest down. */
  function undoAbove(l1Block: number): void {
    for (const block of blocks.submittedAbove(l1Block)) {
      if (block.verified) unverify(block.number)
      blocks.drop(block)
    }
  }

  /** What is void never was: what it made is not there, what it spent is unspent. A reorg that takes the halt back lets it be verified again. */
  function unverifyFrom(voidFrom: number): void {
    for (let number = blocks.verifiedBlock(); number >= voidFrom; number--) unverify(number)
  }

  function unverify(number: number): void {
    ledger.undo(number, blocks.unverify(number))
    exits.displace(firstPosition(number), firstPosition(number + 1))
  }

  function rollback(commonAncestor: BlockRef): void {
    undoAbove(commonAncestor.number)
    const dropped = selectAbove.all(commonAncestor.number).map(({ data }) => fromJson<RootEvent>(data))
    deleteEvents.run(commonAncestor.number)
    deleteAbove.run(commonAncestor.number)
    for (const event of dropped) {
      if (event.type === 'Deposited') ledger.removeDeposit(event.position)
      const range = rangeOfEvent(event)
      if (range) data.refresh(range)
    }
    const turned = dropped.flatMap((event) => (event.type === 'ExitPostponed' ? [event.outputId] : []))
    for (const batchId of new Set([
      ...dropped.flatMap((event) => batchOfEvent(event) ?? []),
      ...turned.filter(batches.isKnown),
    ]))
      batches.refold(batchId)
    refresh(
      new Set(dropped.flatMap((event) => txHashOfEvent(event) ?? [])),
      dropped.flatMap((event) => outputIdOfEvent(event) ?? []).concat(dropped.flatMap(exitsOfBatchEvent)),
    )
  }

  function finalise(block: BlockRef): void {
    // Anchors of coming blocks are looked up here, and they are as old as this at most.
    deleteBelow.run(block.number - MAX_ANCHOR_AGE_BLOCKS)
    writeMeta.run('finalised', String(block.number))
  }

  /** One transaction, the caller's if there is one; if it fails, what was cached on the way is forgotten. */
  function guarded<T>(write: () => T): T {
    try {
      return inTransaction(db, write)
    } catch (error) {
      ledger.forget()
      blocks.forget()
      batches.forget()
      throw error
    }
  }

  function finalised(): number {
    return Number(readMeta.get('finalised')?.value ?? 0)
  }

  function now(): L1Now {
    const tip = selectTip.get()
    return {
      block: tip?.number ?? 0,
      hash: tip?.hash ?? ZERO_HASH,
      timestamp: tip?.timestamp ?? 0,
      finalised: finalised(),
    }
  }

  return {
    /** One L1 block on top of the last: all or nothing, with what `tell` writes about it. */
    append: (block: L1Block, events: readonly RootEvent[], tell?: (notice: FoldNotice) => void): void =>
      guarded(() => {
        for (const notice of append(block, events)) tell?.(notice)
      }),
    /** Everything above the common ancestor never was; `tell` writes in the same commit. */
    rollback: (commonAncestor: BlockRef, tell?: () => void): void =>
      guarded(() => {
        rollback(commonAncestor)
        tell?.()
      }),
    finalise: (block: BlockRef) => guarded(() => finalise(block)),
    /** What the follower goes on from. */
    cursor: (): Cursor => selectCursor.all(finalised()),
    now,

    /** Folds all events again, for a rebuild; the derived tables are empty. */
    foldAgain(): void {
      let after: Readonly<{ l1Block: number; logIndex: number }> = { l1Block: -1, logIndex: -1 }
      for (;;) {
        const page = selectPage.all(after.l1Block, after.logIndex, REFOLD_PAGE)
        const events = page.map(({ data }) => fromJson<RootEvent>(data))
        for (const event of events) fold(event)
        const last = events.at(-1)
        if (!last) return
        after = last.at
      }
    },

    halt(): Halt {
      let [voidFrom, lastMove] = [0, 0]
      for (const { data } of selectOfSubject.all(HALT)) {
        const event = fromJson<RootEvent>(data)
        if (event.type !== 'HaltMoved') continue
        voidFrom = event.voidFrom
        if (event.isMove) lastMove = event.at.l1Timestamp
      }
      return { voidFrom, lastMove }
    },

    /** Positions of transactions that were proven invalid. */
    disproved(): ReadonlySet<number> {
      const events = selectDisproved.all().map(({ data }) => fromJson<RootEvent>(data))
      return new Set(events.flatMap((event) => (event.type === 'TransactionDisproved' ? [event.position] : [])))
    },

    /** L1 seconds of a revocation. One row is read, however many there are. */
    revokedAt(owner: Address, epoch: number): number | undefined {
      const row = selectRevoked.get(owner, epoch)
      return row && fromJson<RootEvent>(row.data).at.l1Timestamp
    },

    /** Amount that an account can withdraw, by token. */
    creditsOf(account: Address): ReadonlyMap<Address, bigint> {
      const credits = new Map<Address, bigint>()
      for (const { data } of selectOfSubject.all(account)) {
        const event = fromJson<RootEvent>(data)
        if (event.type !== 'Credited' && event.type !== 'Withdrawn') continue
        const change = event.type === 'Credited' ? event.amount : -event.amount
        credits.set(event.token, (credits.get(event.token) ?? 0n) + change)
      }
      return credits
    },
  }
}

/** Whose records in the book of exits the event of a mass exit is part of. */
function exitsOfBatchEvent(event: RootEvent): Hash[] {
  if (event.type === 'BatchLocked') return [event.batchId]
  return event.type === 'EntryPlaced' ? [event.outputId] : []
}

/** Of an event about an exit alone. */
function outputIdOfEvent(event: RootEvent): Hash | undefined {
  if (batchOfEvent(event)) return undefined
  if (event.type === 'ExitStarted') return event.exit.outputId
  return 'outputId' in event ? event.outputId : undefined
}

/** The disputed transaction that the event is about. */
function txHashOfEvent(event: RootEvent): Hash | undefined {
  if (event.type === 'DisputeStarted') return event.dispute.txHash
  if (event.type === 'ReceiptBroken') return undefined
  return 'txHash' in event ? event.txHash : undefined
}

/** Under which the breaking of a receipt for this place is found. */
export function receiptSubject({ blockNumber, index }: Readonly<{ blockNumber: number; index: number }>): string {
  return `receipt ${blockNumber} ${index}`
}

function firstPosition(block: number): number {
  return encodePosition({ block, index: 0, output: 0 })
}

/** What the event is about, for looking it up: an output id, a disputed transaction, a position, an account, or nothing in particular. */
function subjectOf(event: RootEvent): string {
  const batchId = batchOfEvent(event)
  // The item's life in the queue begins with the lock.
  if (batchId) return event.type === 'BatchLocked' ? batchId : batchSubject(batchId)
  switch (event.type) {
    case 'BlocksSubmitted':
      return `block ${event.firstBlock}`
    case 'Deposited':
      return `deposit ${event.position}`
    case 'Credited':
    case 'Withdrawn':
      return event.account
    case 'MandatesRevoked':
      return event.owner
    case 'PlaceLeft':
    case 'PlaceFreed':
      return `place ${event.token} ${event.from}`
    case 'OperatorNominated':
    case 'OperatorRotated':
      return 'operator'
    case 'HaltMoved':
      return HALT
    case 'TransactionDisproved':
      return `transaction ${event.position}`
    case 'DataChallenged':
      return rangeSubject(event.challenge)
    case 'DataRevealed':
    case 'DataChallengeEnded':
      return rangeSubject(event)
    case 'LeavesRevealed':
      return leavesSubject(event.blockNumber)
    case 'ReceiptBroken':
      return receiptSubject(event)
    default: {
      const txHash = txHashOfEvent(event)
      return txHash ? disputeSubject(txHash) : (outputIdOfEvent(event) ?? '')
    }
  }
}

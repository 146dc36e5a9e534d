/**
 * Standard exits as L1 tells their life (docs/spec.md sections 5 and 6): a row per exit for the questions asked often, and the life itself
 * folded from its events whenever it is wanted, so that an L1 reorg needs no undo of its own. A row's `position` is where the exiting
 * output stands. An exit through a dispute has none until a verified block holds the disputed transaction, whatever `exit.position` says.
 * A mass exit's item has a turn in the queue like an exit, and a row for that; it names no output, so it is no exit for anything else.
 */

import type { BatchEventBody } from '../l1/massExitContract.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { ZERO_ADDRESS, ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { isBatchItem, isEntryOf, OPENED_SEQ } from '../protocol/massExit.ts'
import { decodePosition, OUTPUT_LIMIT } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import { type DecidedEvent, type DisputeBook, disputedOutputOf } from './disputeBook.ts'
import type { ExitEvent, ExitRecord, ExitState, Facts, LeftPlace } from './facts.ts'
import type { Journal } from './journal.ts'
import { fromJson } from './json.ts'
import type { Locks } from './locks.ts'

export type ExitRootEvent =
  | Exclude<Extract<RootEvent, { outputId: Hash } | { type: 'ExitStarted' }>, BatchEventBody>
  | Extract<RootEvent, { type: 'EntryPlaced' | 'BatchLocked' }>

export type ExitBookParts = Readonly<{ db: Database; locks: Locks; journal: Journal; disputes: DisputeBook }>

export type ExitBook = ReturnType<typeof createExitBook>

export function createExitBook({ db, locks, journal, disputes }: ExitBookParts) {
  const selectEvents = db.prepare<[string, string], { data: string }>(`
    SELECT l1_block, log_index, data FROM root_events WHERE subject = ?
    UNION ALL SELECT l1_block, log_index, data FROM batch_outputs JOIN root_events USING (l1_block, log_index)
      WHERE output_id = ? AND kind = 'placed'
    ORDER BY l1_block, log_index`)
  const upsert = db.prepare(`
    INSERT OR REPLACE INTO exits
      (output_id, position, disputed, output, owner, state, exitable_at, young, block, seq, locked_at, last_l1, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`)
  const remove = db.prepare('DELETE FROM exits WHERE output_id = ?')
  const selectPlace = db.prepare<[string], { position: number | null }>(
    'SELECT position FROM exits WHERE output_id = ?',
  )
  const setPlace = db.prepare('UPDATE exits SET position = ? + output, changed = 1 WHERE disputed = ?')
  const selectOpen = db.prepare<[], { output_id: Hash }>(`
    SELECT output_id FROM exits WHERE state IN ('queued', 'ticket') AND owner <> '${ZERO_ADDRESS}'
    ORDER BY exitable_at, young, block, seq`)
  const selectClosed = db.prepare<[number], { output_id: Hash }>(
    `SELECT output_id FROM exits WHERE state IN ('settled', 'removed') AND last_l1 >= ? ORDER BY last_l1`,
  )
  const selectTurns = db.prepare<[number, number, number, number], { output_id: Hash }>(
    // An opened entry of a mass exit has no turn of its own.
    `SELECT output_id FROM exits WHERE young = ? AND block >= ? AND seq >= ? AND seq < ${OPENED_SEQ} ORDER BY block, seq LIMIT ?`,
  )
  const selectPage = db.prepare<[string, number], { output_id: Hash }>(
    `SELECT output_id FROM exits WHERE output_id > ? AND owner <> '${ZERO_ADDRESS}' ORDER BY output_id LIMIT ?`,
  )
  const selectByOwner = db.prepare<[string], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE owner = ? ORDER BY position',
  )
  const selectState = db.prepare<[string], { state: ExitState }>('SELECT state FROM exits WHERE output_id = ?')
  const selectAt = db.prepare<[number], { output_id: Hash; seq: number }>(
    'SELECT output_id, seq FROM exits WHERE position = ? LIMIT 1',
  )
  const selectClaimed = db.prepare<[string], { entry: number }>(
    "SELECT entry FROM batch_outputs WHERE output_id = ? AND kind = 'claimed'",
  )
  const selectOpened = db.prepare<[], { output_id: Hash }>(
    `SELECT output_id FROM exits WHERE seq >= ${OPENED_SEQ} AND state IN ('queued', 'cancelled') ORDER BY seq`,
  )
  const selectChanged = db.prepare<[number], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE changed = 1 LIMIT ?',
  )
  const selectLeft = db.prepare<[], { data: string }>(`
    SELECT data FROM root_events WHERE type IN ('PlaceLeft', 'PlaceFreed')
    GROUP BY subject HAVING count(*) = 1 ORDER BY l1_block, log_index`)
  const markSeen = db.prepare('UPDATE exits SET changed = 0 WHERE output_id = ?')
  const countStates = db.prepare<[], { state: ExitState; count: number }>(
    `SELECT state, count(*) AS count FROM exits WHERE owner <> '${ZERO_ADDRESS}' GROUP BY state`,
  )

  function record(outputId: Hash): ExitRecord | undefined {
    const rows = selectEvents.all(outputId, outputId)
    if (rows.length === 0) return undefined
    return foldExit(
      rows.map(({ data }) => fromJson<ExitRootEvent>(data)),
      disputes.verdictsOn(outputId),
    )
  }

  function records(rows: readonly Readonly<{ output_id: Hash }>[]): ExitRecord[] {
    return rows.flatMap(({ output_id }) => record(output_id) ?? [])
  }

  /** Where the output stands that the exit names; undefined while no verified block holds the disputed transaction, and for a mass exit. */
  function placeOf(exit: Exit): number | undefined {
    // Its marker is the position of a deposit, which it says nothing about.
    if (isBatchItem(exit)) return undefined
    if (!disputes.isThrough(exit)) return exit.position
    const made = disputes.madeAt(exit.disputed)
    return made === undefined ? undefined : made + disputedOutputOf(exit)
  }

  function write({ exit, state, events }: ExitRecord, place: number | undefined): void {
    const { outputId, position, owner, exitableAt, young, seq, lockedAt } = exit
    const isThrough = disputes.isThrough(exit)
    const output = isThrough ? disputedOutputOf(exit) : position % OUTPUT_LIMIT
    // Of the queue, which goes by the position that the exit is as old as.
    const block = young ? decodePosition(position).block : 0
    const last = events.at(-1)?.at.l1Block ?? 0
    const turn = [exitableAt, young ? 1 : 0, block, seq] as const
    upsert.run(outputId, place ?? null, isThrough ? exit.disputed : null, output, owner, state, ...turn, lockedAt, last)
  }

  return {
    record,
    placeOf,

    /** Folds the exit again after its events changed; a row without events goes, and with it the lock. */
    refresh(outputId: Hash): void {
      const folded = record(outputId)
      const before = selectPlace.get(outputId)
      if (!folded && !before) return
      const place = folded && placeOf(folded.exit)
      if (folded) write(folded, place)
      else remove.run(outputId)
      for (const position of new Set([before?.position, place]))
        if (typeof position === 'number') locks.settle(position)
      const position = place ?? before?.position
      journal.append('exits', {
        outputId,
        ...(typeof position === 'number' && { position }),
        ...(folded && { owner: folded.exit.owner }),
        ...(folded && folded.exit.disputed !== ZERO_HASH && { disputed: folded.exit.disputed }),
        state: folded?.state ?? 'dropped',
      })
    },

    /**
     * For a block just verified, whose outputs are these: places what it holds of disputed transactions, and locks what L1 had locked
     * before we knew the outputs.
     */
    relock(from: number, to: number): void {
      for (const [txHash, made] of disputes.place(decodePosition(from).block)) setPlace.run(made, txHash)
      locks.apply(from, to)
    },

    /** The block whose outputs these were is not verified any more. */
    displace(from: number, to: number): void {
      for (const txHash of disputes.displace(from, to)) setPlace.run(null, txHash)
    },

    /** Oldest turn first. */
    open(): ExitRecord[] {
      return records(selectOpen.all())
    },

    closedSince(l1Block: number): ExitRecord[] {
      return records(selectClosed.all(l1Block))
    },

    /** Both streams from their heads on, whatever the states. */
    queueFrom({ oldHead, youngFirst, limit }: Parameters<Facts['queueFrom']>[0]): ExitRecord[] {
      const old = selectTurns.all(0, 0, oldHead, limit)
      return records(youngFirst === 0 ? old : [...old, ...selectTurns.all(1, youngFirst, 0, limit)])
    },

    /** By output id, after `cursor` (empty text for the start). */
    page(cursor: string, limit: number): ExitRecord[] {
      return records(selectPage.all(cursor, limit))
    },

    ofOwner(owner: Address): ExitRecord[] {
      return records(selectByOwner.all(owner))
    },

    /**
     * What became of an output's exit, or of its value without one: `cancelled` once a canonical verdict passed it on. Undefined where an
     * exit may start, also after one that was removed because its inclusion did not stand.
     */
    stateOf(outputId: Hash): ExitState | undefined {
      // Paid as an entry of a mass exit, without an exit of its own.
      if (selectClaimed.get(outputId)) return 'settled'
      const state = selectState.get(outputId)?.state
      if (state === 'removed' && mayStartAgain(record(outputId))) return undefined
      if (state !== undefined) return state
      return disputes.verdictsOn(outputId).some(({ verdict }) => verdict === 'canonical') ? 'cancelled' : undefined
    },

    /** An exit names the output at this position, whatever became of it. */
    isLeaving(position: number): boolean {
      return selectAt.get(position) !== undefined
    },

    /** The output at this position became an exit as this entry of a mass exit, whatever became of that. */
    isOpened(position: number, batchId: Hash, index: number): boolean {
      const row = selectAt.get(position)
      const exit = row?.seq === OPENED_SEQ + index ? record(row.output_id)?.exit : undefined
      return exit !== undefined && isEntryOf(exit, batchId, index)
    },

    /** Places on the line that exits gave up before it got there, and that nobody freed yet. */
    leftPlaces(): LeftPlace[] {
      return selectLeft.all().map(({ data }) => {
        const { token, from, due } = fromJson<LeftPlace>(data)
        return { token, from, due }
      })
    },

    /** Opened entries of mass exits that have no place yet. */
    opened(): ExitRecord[] {
      return records(selectOpened.all())
    },

    changed(limit: number): Hash[] {
      return selectChanged.all(limit).map(({ output_id }) => output_id)
    },

    seen(outputId: Hash): void {
      markSeen.run(outputId)
    },

    counts(): Readonly<Record<ExitState, number>> {
      const counts = { queued: 0, ticket: 0, settled: 0, removed: 0, cancelled: 0, 'cancelled-ticket': 0 }
      for (const { state, count } of countStates.all()) counts[state] = count
      return counts
    },
  }
}

/**
 * The life of one exit, in the order of L1. The first event is a start: the root contract says nothing of an exit before. An output whose
 * exit was removed may have started again: the newest start is the exit. `verdicts`: on transactions that spend the output.
 */
export function foldExit(all: readonly ExitRootEvent[], verdicts: readonly DecidedEvent[] = []): ExitRecord {
  const at = all.findLastIndex(isStart)
  const events = all.slice(at)
  // An exit whose inclusion did not stand may have been paid in part: that much is not owed again.
  const paidBefore = all.slice(0, Math.max(at, 0)).reduce((sum, event) => sum + paymentOf(event), 0n)
  const first = events[0]
  if (!first || !isStart(first)) {
    throw bug('EXIT_WITHOUT_START', 'events of an exit that never started', { got: first?.type, want: 'ExitStarted' })
  }
  const exit = first.type === 'ExitStarted' ? first.exit : first.item
  let state: ExitState = 'queued'
  let owed = exit.amount - paidBefore
  let paid = 0n
  let hadPlace = false
  let isInherited = false
  let passedOn: Hash | undefined
  let evidence: readonly Piece[] = []
  for (const event of [...events, ...verdicts].sort(inOrder)) {
    if (event.type === 'EvidenceShown') evidence = [...evidence, event]
    else if (event.type === 'EvidenceDropped') evidence = evidence.filter((piece) => !isSamePiece(piece, event, exit))
    else if (event.type === 'ExitPostponed') {
      // An entry of a mass exit may be placed, or get the older place of another one, after a verdict passed its value on.
      if (state !== 'removed' || !hadPlace) state = passedOn ? 'cancelled-ticket' : 'ticket'
      hadPlace = true
      owed = event.due - paidBefore
      isInherited = false
    } else if (event.type === 'ExitInherited' || event.type === 'EntryPlaced') isInherited = true
    else if (event.type === 'ExitPaid') {
      paid += event.amount
      // Not postponed: paid whole at its turn. A ticket may be paid in parts, and what it inherits leaves it a ticket until it is settled.
      if (!isInherited && (state === 'queued' || paid >= owed)) state = 'settled'
      isInherited = false
    } else if (event.type === 'ExitRemoved') state = 'removed'
    else if (
      event.type === 'DisputeDecided' &&
      event.verdict === 'canonical' &&
      (state === 'queued' || state === 'ticket')
    ) {
      state = state === 'queued' ? 'cancelled' : 'cancelled-ticket'
      passedOn = event.txHash
    }
  }
  return {
    exit,
    state,
    evidence: [...new Set(evidence.map(({ spend }) => spend))],
    paid,
    events: events.map((event) =>
      event === first && paidBefore > 0n ? { ...toExitEvent(first), paidBefore } : toExitEvent(event),
    ),
    ...(passedOn && { passedOn }),
    ...(verdicts.some(({ verdict }) => verdict === 'not-canonical') && { contested: true }),
  }
}

function isStart(event: ExitRootEvent): event is Extract<ExitRootEvent, { type: 'ExitStarted' | 'BatchLocked' }> {
  return event.type === 'ExitStarted' || event.type === 'BatchLocked'
}

type Piece = Readonly<{ spend: number; place: number }>

/** Evidence goes by its spend and by what that names: the place, or what the exit says where L1 tells none. */
function isSamePiece(a: Piece, b: Piece, { position }: Exit): boolean {
  return a.spend === b.spend && (a.place || position) === (b.place || position)
}

function inOrder(a: Pick<RootEvent, 'at'>, b: Pick<RootEvent, 'at'>): number {
  return a.at.l1Block - b.at.l1Block || a.at.logIndex - b.at.logIndex
}

function paymentOf(event: ExitRootEvent): bigint {
  return event.type === 'ExitPaid' ? event.amount : 0n
}

/** The exit was removed because its inclusion did not stand; another of the same output may leave. */
export function mayStartAgain(record: ExitRecord | undefined): boolean {
  const last = record?.events.at(-1)
  return last?.type === 'ExitRemoved' && (last.reason === 'void' || last.reason === 'invalid')
}

/** Of the output, by this exit and by those before it that fell. Smallest units. */
export function paidSoFar({ paid, events: [started] }: ExitRecord): bigint {
  return paid + (started?.type === 'ExitStarted' ? (started.paidBefore ?? 0n) : 0n)
}

function toExitEvent(event: ExitRootEvent): ExitEvent {
  const { l1Block, l1Timestamp, logIndex, txHash } = event.at
  const at = { l1Block, l1Timestamp, logIndex, txHash }
  switch (event.type) {
    case 'ExitStarted':
    case 'BatchLocked':
      return { at, type: 'ExitStarted' }
    case 'EntryPlaced': {
      const { type, batchId, index, paid } = event
      return { at, type, batchId, index, paid }
    }
    case 'EvidenceShown': {
      const { type, spend, place, challenger, reward } = event
      return { at, type, spend, place, challenger, reward }
    }
    case 'EvidenceDropped':
      return { at, type: event.type, spend: event.spend, place: event.place }
    case 'ExitPaid':
      return { at, type: event.type, amount: event.amount }
    case 'ExitInherited':
      return { at, type: event.type, amount: event.amount }
    case 'ExitPostponed':
      return { at, type: event.type, from: event.from, due: event.due }
    case 'ExitRemoved':
      return { at, type: event.type, reason: event.reason }
  }
}

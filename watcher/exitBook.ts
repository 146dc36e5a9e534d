/**
 * Standard exits as L1 tells their life (docs/spec.md sections 5 and 6): a row per exit for the questions asked often, and the life itself
 * folded from its events whenever it is wanted, so that an L1 reorg needs no undo of its own. A row's `position` is where the exiting
 * output stands. An exit through a dispute has none until a verified block holds the disputed transaction, whatever `exit.position` says.
 */

import type { RootEvent } from '../l1/rootContract.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { decodePosition, OUTPUT_LIMIT } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import { type DecidedEvent, type DisputeBook, disputedOutputOf } from './disputeBook.ts'
import type { ExitEvent, ExitRecord, ExitState, Facts } from './facts.ts'
import type { Journal } from './journal.ts'
import { fromJson } from './json.ts'
import type { Locks } from './locks.ts'

export type ExitRootEvent = Extract<RootEvent, { outputId: Hash } | { type: 'ExitStarted' }>

export type ExitBookParts = Readonly<{ db: Database; locks: Locks; journal: Journal; disputes: DisputeBook }>

export type ExitBook = ReturnType<typeof createExitBook>

export function createExitBook({ db, locks, journal, disputes }: ExitBookParts) {
  const selectEvents = db.prepare<[string], { data: string }>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block, log_index',
  )
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
    SELECT output_id FROM exits WHERE state IN ('queued', 'ticket')
    ORDER BY exitable_at, young, block, seq`)
  const selectClosed = db.prepare<[number], { output_id: Hash }>(
    "SELECT output_id FROM exits WHERE state IN ('settled', 'removed') AND last_l1 >= ? ORDER BY last_l1",
  )
  const selectTurns = db.prepare<[number, number, number, number], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE young = ? AND block >= ? AND seq >= ? ORDER BY block, seq LIMIT ?',
  )
  const selectPage = db.prepare<[string, number], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE output_id > ? ORDER BY output_id LIMIT ?',
  )
  const selectByOwner = db.prepare<[string], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE owner = ? ORDER BY position',
  )
  const selectState = db.prepare<[string], { state: ExitState }>('SELECT state FROM exits WHERE output_id = ?')
  const selectChanged = db.prepare<[number], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE changed = 1 LIMIT ?',
  )
  const markSeen = db.prepare('UPDATE exits SET changed = 0 WHERE output_id = ?')
  const countStates = db.prepare<[], { state: ExitState; count: number }>(
    'SELECT state, count(*) AS count FROM exits GROUP BY state',
  )

  function record(outputId: Hash): ExitRecord | undefined {
    const rows = selectEvents.all(outputId)
    if (rows.length === 0) return undefined
    return foldExit(
      rows.map(({ data }) => fromJson<ExitRootEvent>(data)),
      disputes.verdictsOn(outputId),
    )
  }

  function records(rows: readonly Readonly<{ output_id: Hash }>[]): ExitRecord[] {
    return rows.flatMap(({ output_id }) => record(output_id) ?? [])
  }

  /** Where the output stands that the exit names; undefined while no verified block holds the disputed transaction. */
  function placeOf(exit: Exit): number | undefined {
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
      const state = selectState.get(outputId)?.state
      if (state === 'removed' && mayStartAgain(record(outputId))) return undefined
      if (state !== undefined) return state
      return disputes.verdictsOn(outputId).some(({ verdict }) => verdict === 'canonical') ? 'cancelled' : undefined
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
  const events = all.slice(all.findLastIndex(({ type }) => type === 'ExitStarted'))
  const first = events[0]
  if (first?.type !== 'ExitStarted') {
    throw bug('EXIT_WITHOUT_START', 'events of an exit that never started', { got: first?.type, want: 'ExitStarted' })
  }
  const { exit } = first
  let state: ExitState = 'queued'
  let owed = exit.amount
  let paid = 0n
  let isInherited = false
  let passedOn: Hash | undefined
  let evidence: readonly Piece[] = []
  for (const event of [...events, ...verdicts].sort(inOrder)) {
    if (event.type === 'EvidenceShown') evidence = [...evidence, event]
    else if (event.type === 'EvidenceDropped') evidence = evidence.filter((piece) => !isSamePiece(piece, event, exit))
    else if (event.type === 'ExitPostponed') {
      state = 'ticket'
      owed = event.due
    } else if (event.type === 'ExitInherited') isInherited = true
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
    events: events.map(toExitEvent),
    ...(passedOn && { passedOn }),
    ...(verdicts.some(({ verdict }) => verdict === 'not-canonical') && { contested: true }),
  }
}

type Piece = Readonly<{ spend: number; place: number }>

/** Evidence against an exit that hangs on a verdict goes by spend and place, any other by spend alone. */
function isSamePiece(a: Piece, b: Piece, { disputed }: Exit): boolean {
  return a.spend === b.spend && (disputed === ZERO_HASH || a.place === b.place)
}

function inOrder(a: Pick<RootEvent, 'at'>, b: Pick<RootEvent, 'at'>): number {
  return a.at.l1Block - b.at.l1Block || a.at.logIndex - b.at.logIndex
}

function mayStartAgain(record: ExitRecord | undefined): boolean {
  const last = record?.events.at(-1)
  return last?.type === 'ExitRemoved' && (last.reason === 'void' || last.reason === 'invalid')
}

function toExitEvent(event: ExitRootEvent): ExitEvent {
  const { l1Block, l1Timestamp, logIndex, txHash } = event.at
  const at = { l1Block, l1Timestamp, logIndex, txHash }
  switch (event.type) {
    case 'ExitStarted':
      return { at, type: 'ExitStarted' }
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

/**
 * Standard exits as L1 tells their life (docs/spec.md section 5): a row per exit for the questions asked often, and the life itself
 * folded from its events whenever it is wanted, so that an L1 reorg needs no undo of its own.
 */

import type { RootEvent } from '../l1/rootContract.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { decodePosition } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import type { ExitEvent, ExitRecord, ExitState, Facts } from './facts.ts'
import type { Journal } from './journal.ts'
import { fromJson } from './json.ts'
import type { Ledger } from './ledger.ts'

export type ExitRootEvent = Extract<RootEvent, { outputId: Hash } | { type: 'ExitStarted' }>

export type ExitBook = ReturnType<typeof createExitBook>

export function createExitBook(db: Database, ledger: Ledger, journal: Journal) {
  const selectEvents = db.prepare<[string], { data: string }>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block, log_index',
  )
  const upsert = db.prepare(`
    INSERT OR REPLACE INTO exits
      (output_id, position, owner, state, exitable_at, young, block, seq, locked_at, last_l1, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`)
  const remove = db.prepare<[string], { position: number }>('DELETE FROM exits WHERE output_id = ? RETURNING position')
  const selectInRange = db.prepare<[number, number], { position: number; locked_at: number }>(
    'SELECT position, locked_at FROM exits WHERE position >= ? AND position < ?',
  )
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
  const selectByPosition = db.prepare<[number], { output_id: Hash; state: ExitState }>(
    'SELECT output_id, state FROM exits WHERE position = ?',
  )
  const selectChanged = db.prepare<[number], { output_id: Hash }>(
    'SELECT output_id FROM exits WHERE changed = 1 LIMIT ?',
  )
  const markSeen = db.prepare('UPDATE exits SET changed = 0 WHERE output_id = ?')
  const countStates = db.prepare<[], { state: ExitState; count: number }>(
    'SELECT state, count(*) AS count FROM exits GROUP BY state',
  )

  function record(outputId: Hash): ExitRecord | undefined {
    const rows = selectEvents.all(outputId)
    return rows.length === 0 ? undefined : foldExit(rows.map(({ data }) => fromJson<ExitRootEvent>(data)))
  }

  function records(rows: readonly Readonly<{ output_id: Hash }>[]): ExitRecord[] {
    return rows.flatMap(({ output_id }) => record(output_id) ?? [])
  }

  return {
    record,

    /** Folds the exit again after its events changed; a row without events goes, and with it the lock. */
    refresh(outputId: Hash): void {
      const folded = record(outputId)
      if (!folded) {
        const gone = remove.get(outputId)
        if (!gone) return
        ledger.lock(gone.position, undefined)
        journal.append('exits', { outputId, position: gone.position, state: 'dropped' })
        return
      }
      const { exit, state, events } = folded
      const { position, owner, exitableAt, young, seq, lockedAt } = exit
      const block = young ? decodePosition(position).block : 0
      const last = events.at(-1)?.at.l1Block ?? 0
      upsert.run(outputId, position, owner, state, exitableAt, young ? 1 : 0, block, seq, lockedAt, last)
      ledger.lock(exit.position, exit.lockedAt)
      journal.append('exits', { outputId, position: exit.position, owner: exit.owner, state })
    },

    /** Locks that came before the outputs did: exits of a block's outputs that L1 saw before we verified it. */
    relock(from: number, to: number): void {
      for (const { position, locked_at } of selectInRange.all(from, to)) ledger.lock(position, locked_at)
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

    atPosition(position: number): Readonly<{ outputId: Hash; state: ExitState }> | undefined {
      const row = selectByPosition.get(position)
      return row && { outputId: row.output_id, state: row.state }
    },

    changed(limit: number): Hash[] {
      return selectChanged.all(limit).map(({ output_id }) => output_id)
    },

    seen(outputId: Hash): void {
      markSeen.run(outputId)
    },

    counts(): Readonly<Record<ExitState, number>> {
      const counts = { queued: 0, ticket: 0, settled: 0, removed: 0 }
      for (const { state, count } of countStates.all()) counts[state] = count
      return counts
    },
  }
}

/** The life of one exit, in the order of L1. The first event is its start: the root contract says nothing of an exit before. */
export function foldExit(events: readonly ExitRootEvent[]): ExitRecord {
  const first = events[0]
  if (first?.type !== 'ExitStarted') {
    throw bug('EXIT_WITHOUT_START', 'events of an exit that never started', { got: first?.type, want: 'ExitStarted' })
  }
  let state: ExitState = 'queued'
  let owed = first.exit.amount
  let paid = 0n
  const evidence: number[] = []
  for (const event of events) {
    if (event.type === 'EvidenceShown') evidence.push(event.spend)
    else if (event.type === 'EvidenceDropped') evidence.splice(0, evidence.length, ...without(evidence, event.spend))
    else if (event.type === 'ExitPostponed') {
      state = 'ticket'
      owed = event.due
    } else if (event.type === 'ExitPaid') {
      paid += event.amount
      // Not postponed: paid whole at its turn. A ticket may be paid in parts.
      if (state === 'queued' || paid >= owed) state = 'settled'
    } else if (event.type === 'ExitRemoved') state = 'removed'
  }
  return { exit: first.exit, state, evidence, paid, events: events.map(toExitEvent) }
}

function without(list: readonly number[], item: number): number[] {
  return list.filter((other) => other !== item)
}

function toExitEvent(event: ExitRootEvent): ExitEvent {
  const { l1Block, l1Timestamp, logIndex, txHash } = event.at
  const at = { l1Block, l1Timestamp, logIndex, txHash }
  switch (event.type) {
    case 'ExitStarted':
      return { at, type: 'ExitStarted' }
    case 'EvidenceShown': {
      const { type, spend, challenger, reward } = event
      return { at, type, spend, challenger, reward }
    }
    case 'EvidenceDropped':
      return { at, type: event.type, spend: event.spend }
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

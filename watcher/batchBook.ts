/**
 * Mass exits as L1 tells them (docs/spec.md section 6.4): a row per batch, entry and open demand for the questions asked often, a row for each
 * output that an entry paid or gave its place to, and the life itself folded from its events. Events are taken one by one as they come, since a batch
 * may have many; after an L1 reorg the batches concerned are folded again from their first event.
 */
import type { BatchEventBody } from '../l1/massExitContract.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { LockingEntry } from '../protocol/fraud.ts'
import { entryTree, type PlacedEntry, placeEntries } from '../protocol/massExit.ts'
import type { MerkleTree } from '../protocol/merkle.ts'
import { OUTPUT_LIMIT } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import {
  type BatchEvent,
  type BatchFold,
  type BatchRecord,
  type BatchStage,
  createBatchFold,
  type EntryUse,
  type NamedEntry,
} from './court/batchTypes.ts'
import type { Journal } from './journal.ts'
import { fromJson } from './json.ts'
import { createKept } from './kept.ts'
import { toAmount, toAmountBlob } from './ledger.ts'
import { type Locks, NAMED } from './locks.ts'

export type BatchRootEvent = Extract<RootEvent, BatchEventBody>
type TurnEvent = Extract<RootEvent, { type: 'ExitPostponed' }>

export type BatchBookParts = Readonly<{ db: Database; locks: Locks; journal: Journal }>

/** An output that an entry names by position, token and amount. */
export type NamedOutput = NamedEntry & Readonly<{ state: BatchStage; lockedAt: number | undefined }>

export type BatchBook = ReturnType<typeof createBatchBook>

/**
 * Entries of the batches whose folds, entries and trees are kept in memory: of each some 100 bytes an entry. Every batch that stands is looked
 * at in every L1 block, and many small ones must not drive one another out.
 */
const MOST_KEPT = 500_000
/** What a batch weighs beside its entries. */
const BATCH_WEIGHT = 20

type Row = Readonly<{ id: number; batch_id: Hash }>
type EntryRow = Readonly<{ position: number; entry: number; amount: Uint8Array; before: Uint8Array }>
type NamedRow = EntryRow & Readonly<{ batch_id: Hash; state: BatchStage; locked_at: number | null }>

export function createBatchBook({ db, locks, journal }: BatchBookParts) {
  const selectEvents = db.prepare<[string, string], { data: string }>(
    'SELECT data FROM root_events WHERE subject IN (?, ?) ORDER BY l1_block, log_index',
  )
  const select = db.prepare<[string], Row>('SELECT id, batch_id FROM batches WHERE batch_id = ?')
  const insert = db.prepare(`
    INSERT INTO batches (batch_id, token, coordinator, state, started_l1, started_log) VALUES (?, ?, ?, 'started', ?, ?)`)
  const insertEntry = db.prepare(
    'INSERT INTO batch_entries (position, batch, entry, amount, before) VALUES (?, ?, ?, ?, ?)',
  )
  const setState = db.prepare('UPDATE batches SET state = ? WHERE id = ?')
  const setLock = db.prepare("UPDATE batches SET state = 'locked', locked_at = ? WHERE id = ?")
  const insertOutput = db.prepare(
    'INSERT OR REPLACE INTO batch_outputs (output_id, l1_block, log_index, batch, entry, kind) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertDemand = db.prepare('INSERT INTO batch_demands (batch, entry, demander) VALUES (?, ?, ?)')
  const removeDemand = db.prepare('DELETE FROM batch_demands WHERE batch = ? AND entry = ?')
  const removeDemands = db.prepare('DELETE FROM batch_demands WHERE batch = ?')
  const remove = db.prepare('DELETE FROM batches WHERE id = ?')
  const removeEntries = db.prepare('DELETE FROM batch_entries WHERE batch = ?')
  const removeOutputs = db.prepare('DELETE FROM batch_outputs WHERE batch = ?')
  const selectEntries = db.prepare<[string], EntryRow>(
    'SELECT position, entry, amount, before FROM batch_entries WHERE batch = (SELECT id FROM batches WHERE batch_id = ?) ORDER BY entry',
  )
  const selectLocked = db.prepare<[number], { position: number }>(
    'SELECT position FROM batch_entries JOIN batches ON id = batch WHERE batch = ? AND locked_at IS NOT NULL',
  )
  const selectNaming = db.prepare<[number], NamedRow>(`
    SELECT batch_id, state, batches.locked_at AS locked_at, batch_entries.position AS position, entry, batch_entries.amount AS amount, before
    ${NAMED} WHERE batch_entries.position = ? AND state <> 'dissolved' ORDER BY started_l1, started_log`)
  const selectSpent = db.prepare<[string], EntryRow>(`
    SELECT batch_entries.position AS position, entry, batch_entries.amount AS amount, before
    ${NAMED} WHERE batch_id = ? AND spent_by IS NOT NULL ORDER BY entry`)
  const selectGone = db.prepare<[string], { entry: number }>(`
    SELECT mine.entry AS entry FROM batches JOIN batch_entries AS mine ON mine.batch = batches.id
    WHERE batch_id = ? AND (
      EXISTS (SELECT 1 FROM exits WHERE exits.position = mine.position AND state IN ('settled', 'removed'))
      OR EXISTS (
        SELECT 1 FROM batch_entries AS other JOIN batch_outputs AS paid ON paid.batch = other.batch AND paid.entry = other.entry
        WHERE other.position = mine.position AND other.batch <> mine.batch AND paid.kind = 'claimed')
      OR EXISTS (
        SELECT 1 FROM disputes WHERE made = mine.position - mine.position % ${OUTPUT_LIMIT} AND disputes.state = 'not-canonical'))
    ORDER BY mine.entry`)
  const selectDoubled = db.prepare<[string], { entry: number }>(`
    SELECT mine.entry AS entry FROM batches JOIN batch_entries AS mine ON mine.batch = batches.id
    WHERE batch_id = ? AND (
      EXISTS (SELECT 1 FROM exits WHERE exits.position = mine.position AND state = 'ticket')
      OR EXISTS (
        SELECT 1 FROM batch_entries AS other JOIN batches AS others ON others.id = other.batch
        WHERE other.position = mine.position AND other.batch <> mine.batch AND others.locked_at IS NOT NULL))
    ORDER BY mine.entry`)
  const selectProtected = db.prepare<[string], EntryRow & Readonly<{ owner: Address }>>(`
    SELECT batch_entries.position AS position, entry, batch_entries.amount AS amount, before, owners.address AS owner
    ${NAMED} JOIN addresses AS owners ON owners.id = outputs.owner
    WHERE batch_id = ? AND owners.address IN (SELECT owner FROM protected_accounts) ORDER BY entry`)
  const selectCurrent = db.prepare<[], Row>(
    "SELECT id, batch_id FROM batches WHERE state IN ('started', 'locked') ORDER BY started_l1, started_log",
  )
  const selectLockedBatches = db.prepare<[], Row>(
    "SELECT id, batch_id FROM batches WHERE state IN ('locked', 'closed') ORDER BY started_l1, started_log",
  )
  const selectDissolvedOf = db.prepare<[string, number], Row>(`
    SELECT id, batch_id FROM batches WHERE coordinator = ? AND state = 'dissolved' ORDER BY started_l1 DESC, started_log DESC LIMIT ?`)
  const selectDemandsLeft = db.prepare<[string], { batch_id: Hash; entry: number }>(`
    SELECT batch_id, entry FROM batch_demands JOIN batches ON id = batch WHERE demander = ? AND state = 'dissolved'
    ORDER BY started_l1, started_log, entry`)
  const selectPage = db.prepare<[string, number], Row>(
    'SELECT id, batch_id FROM batches WHERE batch_id > ? ORDER BY batch_id LIMIT ?',
  )
  const selectClaim = db.prepare<[string], { batch_id: Hash; entry: number }>(
    "SELECT batch_id, entry FROM batch_outputs JOIN batches ON id = batch WHERE output_id = ? AND kind = 'claimed'",
  )
  const selectClaimedSince = db.prepare<[number], EntryRow & Readonly<{ output_id: Hash }>>(`
    SELECT output_id, batch_entries.position AS position, batch_entries.entry AS entry, amount, before FROM batch_outputs
    JOIN batch_entries USING (batch, entry) WHERE l1_block >= ? AND kind = 'claimed' ORDER BY l1_block, log_index`)
  const countStates = db.prepare<[], { state: BatchStage; count: number }>(
    'SELECT state, count(*) AS count FROM batches GROUP BY state',
  )
  const folds = createKept<Hash, BatchFold>(MOST_KEPT)
  const entries = createKept<Hash, readonly PlacedEntry[]>(MOST_KEPT)
  const trees = createKept<Hash, MerkleTree>(MOST_KEPT)

  function foldOf(batchId: Hash): BatchFold | undefined {
    const known = folds.get(batchId)
    if (known) return known
    const [first, ...others] = eventsOf(batchId)
    if (first?.type !== 'BatchStarted') return undefined
    const fold = createBatchFold(first)
    for (const event of others) fold.apply(event)
    folds.set(batchId, fold, BATCH_WEIGHT + first.batch.count)
    return fold
  }

  function eventsOf(batchId: Hash): (BatchRootEvent | TurnEvent)[] {
    return selectEvents.all(batchSubject(batchId), batchId).map(({ data }) => fromJson(data))
  }

  function records(rows: readonly Row[]): BatchRecord[] {
    return rows.flatMap(({ batch_id }) => foldOf(batch_id)?.record() ?? [])
  }

  function idOf(batchId: Hash): number {
    const row = select.get(batchId)
    // The root contract tells of the start before anything else.
    if (!row) throw bug('BATCH_MISSING', 'an event is about a mass exit that never started', { got: batchId })
    return row.id
  }

  function entriesOf(batchId: Hash): readonly PlacedEntry[] {
    const known = entries.get(batchId)
    if (known) return known
    const found = selectEntries.all(batchId).map(toEntry)
    if (found.length > 0) entries.set(batchId, found, BATCH_WEIGHT + found.length)
    return found
  }

  function treeOf(batchId: Hash): MerkleTree | undefined {
    const known = trees.get(batchId)
    if (known) return known
    const all = entriesOf(batchId)
    if (all.length === 0) return undefined
    const tree = entryTree(all)
    trees.set(batchId, tree, BATCH_WEIGHT + all.length)
    return tree
  }

  function naming(position: number): NamedOutput[] {
    return selectNaming.all(position).map((row) => {
      return { batchId: row.batch_id, state: row.state, lockedAt: row.locked_at ?? undefined, entry: toEntry(row) }
    })
  }

  function writeStart(event: Extract<BatchRootEvent, { type: 'BatchStarted' }>): void {
    const { batchId, batch, at } = event
    const { token, coordinator } = batch
    const id = Number(insert.run(batchId, token, coordinator, at.l1Block, at.logIndex).lastInsertRowid)
    for (const { position, index, amount, before } of placeEntries(event.entries)) {
      // The buffer that amounts are written to is one.
      insertEntry.run(position, id, index, toAmountBlob(amount).slice(), toAmountBlob(before).slice())
    }
  }

  function writeOutput(event: BatchRootEvent, use: Pick<EntryUse, 'index' | 'kind'> & Readonly<{ outputId: Hash }>) {
    const { l1Block, logIndex } = event.at
    insertOutput.run(use.outputId, l1Block, logIndex, idOf(event.batchId), use.index, use.kind)
  }

  /** Into the rows; the locks are the caller's. */
  function write(event: BatchRootEvent): void {
    switch (event.type) {
      case 'BatchStarted':
        writeStart(event)
        return
      case 'BatchLocked':
        setLock.run(event.item.lockedAt, idOf(event.batchId))
        return
      case 'EntryDemanded':
        insertDemand.run(idOf(event.batchId), event.index, event.demander)
        return
      case 'DemandAnswered':
        removeDemand.run(idOf(event.batchId), event.index)
        return
      case 'BatchDissolved':
        setState.run('dissolved', idOf(event.batchId))
        // Its bond came back with the half of the batch's.
        if (event.demanded !== null) removeDemand.run(idOf(event.batchId), event.demanded)
        return
      case 'BatchClosed':
        setState.run('closed', idOf(event.batchId))
        return
      case 'EntriesClaimed':
        for (const { index, outputId } of event.claimed) writeOutput(event, { kind: 'claimed', index, outputId })
        return
      case 'EntryPlaced':
        writeOutput(event, { kind: 'placed', index: event.index, outputId: event.outputId })
        return
      default:
        return
    }
  }

  function lockedPositions(batchId: Hash): number[] {
    const row = select.get(batchId)
    return row ? selectLocked.all(row.id).map(({ position }) => position) : []
  }

  function tell(batchId: Hash, event: string): void {
    journal.append('batches', { batchId, event, state: foldOf(batchId)?.record().state ?? 'dropped' })
  }

  return {
    /** Takes one event, whose own row is written by then. Also that of the item's turn; false for an exit's. */
    fold(event: BatchRootEvent | TurnEvent): boolean {
      const batchId = event.type === 'ExitPostponed' ? event.outputId : event.batchId
      if (event.type === 'ExitPostponed') {
        if (!select.get(batchId)) return false
      } else write(event)
      folds.get(batchId)?.apply(event as BatchEvent)
      if (event.type === 'BatchLocked') for (const position of lockedPositions(batchId)) locks.settle(position)
      tell(batchId, event.type)
      return true
    },

    /** Folds the batch again from what is left of its events after an L1 reorg; without any it goes, and with it its locks. */
    refold(batchId: Hash): void {
      folds.delete(batchId)
      const before = lockedPositions(batchId)
      const row = select.get(batchId)
      if (row) {
        removeOutputs.run(row.id)
        removeEntries.run(row.id)
        removeDemands.run(row.id)
        remove.run(row.id)
      }
      const events = eventsOf(batchId)
      // A turn alone is that of an exit.
      if (events[0]?.type === 'BatchStarted')
        for (const event of events) if (event.type !== 'ExitPostponed') write(event)
      for (const position of new Set([...before, ...lockedPositions(batchId)])) locks.settle(position)
      trees.delete(batchId)
      entries.delete(batchId)
      tell(batchId, 'refolded')
    },

    /** After a failed transaction the folds may hold what was never written. */
    forget(): void {
      folds.clear()
      trees.clear()
      entries.clear()
    },

    /** Undefined for a batch that L1 does not know (any more). */
    record: (batchId: Hash): BatchRecord | undefined => foldOf(batchId)?.record(),

    /** Started and locked ones that are not closed, oldest first. */
    current: (): BatchRecord[] => records(selectCurrent.all()),

    /** Locked ones, closed or not, oldest first: their entries are claimed for ever. */
    locked: (): BatchRecord[] => records(selectLockedBatches.all()),

    /** Of this coordinator, newest first. */
    dissolvedOf: (coordinator: Address, limit: number): BatchRecord[] =>
      records(selectDissolvedOf.all(coordinator, limit)),

    /**
     * Open demands of dissolved batches, oldest batch first: whose bond did not come back with the dissolution. That it was fetched since is in
     * no event.
     */
    demandsLeft: (demander: Address): Readonly<{ batchId: Hash; index: number }>[] =>
      selectDemandsLeft.all(demander).map(({ batch_id, entry }) => ({ batchId: batch_id, index: entry })),

    /** By id, after `cursor` (empty text for the start). */
    page: (cursor: string, limit: number): BatchRecord[] => records(selectPage.all(cursor, limit)),

    /** In their order; none for a batch that L1 does not know. */
    entries: entriesOf,

    /** For paths of entries. Undefined for a batch that L1 does not know. */
    tree: treeOf,

    /** Entries of batches, oldest batch first, that name the output at this position; dissolved ones left out. */
    naming,

    /** Entries whose output verified blocks spent. */
    spentEntries: (batchId: Hash): PlacedEntry[] => selectSpent.all(batchId).map(toEntry),

    /** Indexes of entries whose output left otherwise, by an exit of its own or as another batch's, or that a verdict made undone. */
    goneEntries: (batchId: Hash): number[] => selectGone.all(batchId).map(({ entry }) => entry),

    /** Indexes of entries whose output has another place too: an exit of its own on the line, or an entry of another locked batch. */
    doubledEntries: (batchId: Hash): number[] => selectDoubled.all(batchId).map(({ entry }) => entry),

    /** Entries that name outputs of protected accounts, as far as verified blocks know. */
    protectedEntries: (batchId: Hash) =>
      selectProtected.all(batchId).map((row) => ({ ...toEntry(row), owner: row.owner })),

    /** The entry by which an output was paid. */
    claimOf(outputId: Hash): Readonly<{ batchId: Hash; index: number }> | undefined {
      const row = selectClaim.get(outputId)
      return row && { batchId: row.batch_id, index: row.entry }
    },

    /** Entries that were claimed in this L1 block or later. */
    claimedSince: (l1Block: number) =>
      selectClaimedSince.all(l1Block).map((row) => ({ outputId: row.output_id, entry: toEntry(row) })),

    counts(): Readonly<Record<BatchStage, number>> {
      const counts = { started: 0, locked: 0, dissolved: 0, closed: 0 }
      for (const { state, count } of countStates.all()) counts[state] = count
      return counts
    },

    /** The oldest that locked the output at this position in this L1 block or before. */
    lockingEntry(position: number, l1Block: number): LockingEntry | undefined {
      const found = naming(position).find(({ lockedAt }) => lockedAt !== undefined && lockedAt <= l1Block)
      const batch = found && foldOf(found.batchId)?.record().batch
      const tree = found && treeOf(found.batchId)
      return found && batch && tree && { batch, entry: found.entry, tree }
    },

    isKnown: (batchId: Hash): boolean => select.get(batchId) !== undefined,
  }
}

/** Under which a batch's events are found, but for those of its item's life in the queue: these are found under its id, like an exit's. */
export function batchSubject(batchId: Hash): string {
  return `batch ${batchId}`
}

/** The batch that an event is about; undefined for what is no event of a mass exit. */
export function batchOfEvent(event: RootEvent): Hash | undefined {
  return 'batchId' in event ? event.batchId : undefined
}

function toEntry({ position, entry, amount, before }: EntryRow): PlacedEntry {
  return { position, index: entry, amount: toAmount(amount), before: toAmount(before) }
}

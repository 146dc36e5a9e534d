/**
 * Disputes as L1 tells their life (docs/spec.md section 6.3): a row per dispute and per disputed input for the questions asked often, the
 * life itself folded from its events whenever it is wanted, so that an L1 reorg needs no undo of its own. The rows also know where the
 * disputed transaction stands in a verified block (`made`): its outputs have no position before.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Hash, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { OUTPUT_LIMIT, outputIdOf } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import type { BlockStore } from './blockStore.ts'
import type { DisputeEvent, DisputeRecord, DisputeState } from './facts.ts'
import type { Journal } from './journal.ts'
import { fromJson } from './json.ts'
import type { Ledger } from './ledger.ts'
import type { Locks } from './locks.ts'

export type DisputeRootEvent = Extract<
  RootEvent,
  { type: 'DisputeStarted' | 'CompetitorShown' | 'DisputeAnswered' | 'DisputeDecided' }
>
export type DecidedEvent = Extract<RootEvent, { type: 'DisputeDecided' }>

export type DisputeBookParts = Readonly<{
  db: Database
  ledger: Pick<Ledger, 'find'>
  blocks: Pick<BlockStore, 'txHashAt'>
  locks: Locks
  journal: Journal
}>

/**
 * A dispute about a transaction that spends a given output. `made`: where that transaction stands in a verified block. `suspends`: exits of
 * the output wait for the verdict.
 */
export type Spender = Readonly<{ txHash: Hash; state: DisputeState; made: number | undefined; suspends: boolean }>

export type DisputeBook = ReturnType<typeof createDisputeBook>

type Row = Readonly<{ tx_hash: Hash; state: DisputeState; age_position: number; made: number | null }>
type InputRow = Readonly<{ output_id: Hash; position: number }>

export function createDisputeBook({ db, ledger, blocks, locks, journal }: DisputeBookParts) {
  const selectEvents = db.prepare<[string], { data: string }>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block, log_index',
  )
  const select = db.prepare<[string], Row>('SELECT * FROM disputes WHERE tx_hash = ?')
  const upsert = db.prepare(`
    INSERT OR REPLACE INTO disputes
      (tx_hash, state, age_position, locked_at, started_l1, started_log, decided_l1, made, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`)
  const remove = db.prepare('DELETE FROM disputes WHERE tx_hash = ?')
  const selectInputs = db.prepare<[string], InputRow>(
    'SELECT output_id, position FROM dispute_inputs WHERE tx_hash = ?',
  )
  const insertInput = db.prepare(
    'INSERT INTO dispute_inputs (tx_hash, input, output_id, position, locked_at, suspended) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const deleteInputs = db.prepare('DELETE FROM dispute_inputs WHERE tx_hash = ?')
  const selectSpenders = db.prepare<[number], Row & Readonly<{ suspended: number }>>(
    'SELECT disputes.*, suspended FROM dispute_inputs JOIN disputes USING (tx_hash) WHERE position = ? ORDER BY tx_hash',
  )
  const selectVerdicts = db.prepare<[string], { data: string }>(`
    SELECT data FROM dispute_inputs JOIN root_events ON subject = 'dispute ' || tx_hash AND type = 'DisputeDecided'
    WHERE output_id = ? ORDER BY l1_block, log_index`)
  const selectUnplaced = db.prepare<[number], { tx_hash: Hash }>(
    'SELECT tx_hash FROM disputes WHERE made IS NULL AND locked_at > (SELECT anchor FROM child_blocks WHERE number = ?)',
  )
  const selectFirstInput = db.prepare<[string], { position: number }>(
    'SELECT position FROM dispute_inputs WHERE tx_hash = ? AND input = 0',
  )
  const setMade = db.prepare('UPDATE disputes SET made = ?, changed = 1 WHERE tx_hash = ?')
  const selectMade = db.prepare<[number, number], { tx_hash: Hash }>(
    'SELECT tx_hash FROM disputes WHERE made >= ? AND made < ?',
  )
  const selectCurrent = db.prepare<[number], { tx_hash: Hash }>(`
    SELECT tx_hash FROM disputes WHERE state = 'running' OR decided_l1 >= ? ORDER BY started_l1, started_log`)
  const selectPage = db.prepare<[string, number], { tx_hash: Hash }>(
    'SELECT tx_hash FROM disputes WHERE tx_hash > ? ORDER BY tx_hash LIMIT ?',
  )
  const selectChanged = db.prepare<[number], { tx_hash: Hash }>(
    'SELECT tx_hash FROM disputes WHERE changed = 1 LIMIT ?',
  )
  const markSeen = db.prepare('UPDATE disputes SET changed = 0 WHERE tx_hash = ?')
  const countStates = db.prepare<[], { state: DisputeState; count: number }>(
    'SELECT state, count(*) AS count FROM disputes GROUP BY state',
  )

  function record(txHash: Hash): DisputeRecord | undefined {
    const rows = selectEvents.all(disputeSubject(txHash))
    return rows.length === 0 ? undefined : foldDispute(rows.map(({ data }) => fromJson<DisputeRootEvent>(data)))
  }

  function records(rows: readonly Readonly<{ tx_hash: Hash }>[]): DisputeRecord[] {
    return rows.flatMap(({ tx_hash }) => record(tx_hash) ?? [])
  }

  /** A verified block spends each output once: the disputed transaction stands where its first input was spent, or nowhere. */
  function findPlace(txHash: Hash, firstInput: number | undefined): number | undefined {
    const spentBy = firstInput === undefined ? undefined : ledger.find(firstInput)?.spentBy
    return spentBy !== undefined && blocks.txHashAt(spentBy) === txHash ? spentBy : undefined
  }

  function write({ dispute, inputs, state, events }: DisputeRecord): void {
    const { txHash, agePosition, lockedAt } = dispute
    const started = events[0]?.at
    const decided = state === 'running' ? null : events.findLast(({ type }) => type === 'DisputeDecided')?.at.l1Block
    const made = findPlace(txHash, inputs[0]?.position) ?? null
    upsert.run(txHash, state, agePosition, lockedAt, started?.l1Block, started?.logIndex, decided, made)
    inputs.forEach(({ outputId, position, lockedAt: at }, i) => {
      insertInput.run(txHash, i, outputId, position, at, (dispute.suspends >> i) & 1)
    })
  }

  function rowOf(txHash: Hash): Row {
    const row = select.get(txHash)
    // The root contract tells the dispute before anything that goes through it.
    if (!row) throw bug('DISPUTE_MISSING', 'an exit goes through a dispute that never started', { got: txHash })
    return row
  }

  return {
    record,

    /** Folds the dispute again after its events changed; a row without events goes, and with it the locks. Returns the disputed inputs. */
    refresh(txHash: Hash): ReadonlySet<Hash> {
      const before = selectInputs.all(txHash)
      deleteInputs.run(txHash)
      const folded = record(txHash)
      if (folded) write(folded)
      else remove.run(txHash)
      const after = folded?.inputs.map(({ outputId, position }) => ({ output_id: outputId, position })) ?? []
      for (const { position } of [...before, ...after]) locks.settle(position)
      journal.append('disputes', { txHash, state: folded?.state ?? 'dropped' })
      return new Set([...before, ...after].map(({ output_id }) => output_id))
    },

    /** Disputed transactions that this block, just verified, turned out to hold, with their positions. */
    place(block: number): (readonly [txHash: Hash, made: number])[] {
      return selectUnplaced.all(block).flatMap(({ tx_hash }) => {
        const made = findPlace(tx_hash, selectFirstInput.get(tx_hash)?.position)
        if (made === undefined) return []
        setMade.run(made, tx_hash)
        return [[tx_hash, made] as const]
      })
    },

    /** The block at these positions is not verified any more. Returns the disputed transactions that it held. */
    displace(from: number, to: number): Hash[] {
      const gone = selectMade.all(from, to).map(({ tx_hash }) => tx_hash)
      for (const txHash of gone) setMade.run(null, txHash)
      return gone
    },

    /** Where the disputed transaction stands in a verified block. Throws a bug for a dispute that L1 does not know. */
    madeAt(txHash: Hash): number | undefined {
      return rowOf(txHash).made ?? undefined
    },

    /** Undefined for a transaction that is not disputed. */
    stateOf(txHash: Hash): DisputeState | undefined {
      return select.get(txHash)?.state
    },

    /** True for an exit that the dispute stands for: its position is the dispute's age. False for any exit by inclusion. */
    isThrough({ disputed, position }: Exit): boolean {
      return disputed !== ZERO_HASH && rowOf(disputed).age_position === position
    },

    /** Disputes about transactions that spend the output at this position. */
    spendersOf(position: number): Spender[] {
      return selectSpenders.all(position).map(({ tx_hash, state, made, suspended }) => {
        return { txHash: tx_hash, state, made: made ?? undefined, suspends: suspended === 1 }
      })
    },

    /** Verdicts on transactions that spend this output, in the order of L1. */
    verdictsOn(outputId: Hash): DecidedEvent[] {
      return selectVerdicts.all(outputId).map(({ data }) => fromJson<DecidedEvent>(data))
    },

    /** Running ones, and those decided in this L1 block or a later one; oldest first. */
    current(decidedSinceL1Block: number): DisputeRecord[] {
      return records(selectCurrent.all(decidedSinceL1Block))
    },

    /** By transaction hash, after `cursor` (empty text for the start). */
    page(cursor: string, limit: number): DisputeRecord[] {
      return records(selectPage.all(cursor, limit))
    },

    changed(limit: number): Hash[] {
      return selectChanged.all(limit).map(({ tx_hash }) => tx_hash)
    },

    seen(txHash: Hash): void {
      markSeen.run(txHash)
    },

    counts(): Readonly<Record<DisputeState, number>> {
      const counts = { running: 0, canonical: 0, 'not-canonical': 0 }
      for (const { state, count } of countStates.all()) counts[state] = count
      return counts
    },
  }
}

/** Under which a dispute's events are found. Its hash alone could be asked for as an output id. */
export function disputeSubject(txHash: Hash): string {
  return `dispute ${txHash}`
}

/** Which output of the disputed transaction the exit names. Throws a bug when none. */
export function disputedOutputOf({ disputed, outputId }: Exit): number {
  const txHash = hexToBytes(disputed)
  for (let output = 0; output < OUTPUT_LIMIT; output++) if (outputIdOf(txHash, output) === outputId) return output
  throw bug('OUTPUT_MISSING', 'an exit names no output of its disputed transaction', { got: outputId, want: disputed })
}

/** The life of one dispute, in the order of L1. The first event is its start: the root contract says nothing of a dispute before. */
export function foldDispute(events: readonly DisputeRootEvent[]): DisputeRecord {
  const first = events[0]
  if (first?.type !== 'DisputeStarted') {
    const details = { got: first?.type, want: 'DisputeStarted' }
    throw bug('DISPUTE_WITHOUT_START', 'events of a dispute that never started', details)
  }
  const { dispute, inputs, signed } = first
  return {
    dispute,
    inputs,
    signed,
    state: events.findLast((event) => event.type === 'DisputeDecided')?.verdict ?? 'running',
    competitors: events.flatMap((event) => {
      if (event.type !== 'CompetitorShown') return []
      const { competitor, position, input } = event
      return [{ txHash: competitor, position, input }]
    }),
    answers: events.flatMap((event) => (event.type === 'DisputeAnswered' ? [event.position] : [])),
    events: events.map(toDisputeEvent),
  }
}

function toDisputeEvent(event: DisputeRootEvent): DisputeEvent {
  const { l1Block, l1Timestamp, logIndex, txHash } = event.at
  const at = { l1Block, l1Timestamp, logIndex, txHash }
  switch (event.type) {
    case 'DisputeStarted':
      return { at, type: event.type }
    case 'CompetitorShown': {
      const { type, competitor, position, input, challenger, reward } = event
      return { at, type, competitor, position, input, challenger, reward }
    }
    case 'DisputeAnswered':
      return { at, type: event.type, position: event.position }
    case 'DisputeDecided':
      return { at, type: event.type, verdict: event.verdict }
  }
}

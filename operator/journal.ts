/**
 * What happened, numbered, for history pages and feeds (docs/spec.md section 11). Events of accounts wait in memory for the next fold
 * (operator/pending.ts), which gives them the same numbers after a crash; events of blocks are written at once. Both are handed to
 * live readers once the caller's store transaction has committed. Numbers grow; a number is never used for two things.
 */
import type { Stage } from '../api/schemas.ts'
import type { Address } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import { toBlob } from './columns.ts'

/** Stored by number. */
export const ACTIVITY_KINDS = ['payment', 'deposit', 'deposit-dropped', 'exit-started', 'exit-dropped'] as const
export type ActivityKind = (typeof ACTIVITY_KINDS)[number]

export type AccountEvent = Readonly<{ owner: Address; seq: number; kind: ActivityKind; position: number }>
export type BlockEvent = Readonly<{ seq: number; number: number; stage: Stage }>
export type JournalEvents = Readonly<{ accounts: readonly AccountEvent[]; blocks: readonly BlockEvent[] }>

export type Journal = Readonly<{
  account(owner: Address, kind: ActivityKind, position: number): void
  block(number: number, stage: Stage): void
  /** Writes the events of accounts since the last fold, and the counter. */
  fold(): void
  /** An account's events since the last fold, oldest first. */
  unfoldedOf(owner: Address): readonly AccountEvent[]
  /** Events since the last drain or restore; for after the commit. */
  drain(): JournalEvents
  /** Reads the counter again: at the start, and after a rollback. */
  restore(): void
  /** The number of the newest account event. */
  newest(): number
  newestBlockEvent(): number
}>

export function createJournal(db: Database): Journal {
  const insertActivity = db.prepare('INSERT INTO activity (owner, seq, kind, position) VALUES (?, ?, ?, ?)')
  const insertBlock = db.prepare('INSERT INTO block_events (seq, number, stage) VALUES (?, ?, ?)')
  const saveCounter = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('activitySeq', ?)")
  const readCounter = db.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'activitySeq'")
  const readBlockSeq = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM block_events')
  let accounts: AccountEvent[] = []
  let blocks: BlockEvent[] = []
  const unfolded = new Map<Address, AccountEvent[]>()
  let seq = 0
  let blockSeq = 0

  const journal: Journal = {
    account: (owner, kind, position) => {
      seq++
      const event = { owner, seq, kind, position }
      accounts.push(event)
      const events = unfolded.get(owner)
      if (events) events.push(event)
      else unfolded.set(owner, [event])
    },
    block: (number, stage) => {
      blockSeq++
      insertBlock.run(blockSeq, number, stage)
      blocks.push({ seq: blockSeq, number, stage })
    },
    fold: () => {
      if (unfolded.size === 0) return
      // In the order of the table, so that each page is visited once.
      for (const owner of [...unfolded.keys()].sort()) {
        const blob = toBlob(owner)
        for (const event of unfolded.get(owner) ?? []) {
          insertActivity.run(blob, event.seq, ACTIVITY_KINDS.indexOf(event.kind), event.position)
        }
      }
      saveCounter.run(String(seq))
      unfolded.clear()
    },
    unfoldedOf: (owner) => unfolded.get(owner) ?? [],
    drain: () => {
      const events = { accounts, blocks }
      accounts = []
      blocks = []
      return events
    },
    restore: () => {
      accounts = []
      blocks = []
      unfolded.clear()
      seq = Number(readCounter.get()?.value ?? 0)
      blockSeq = readBlockSeq.get()?.seq ?? 0
    },
    newest: () => seq,
    newestBlockEvent: () => blockSeq,
  }
  journal.restore()
  return journal
}

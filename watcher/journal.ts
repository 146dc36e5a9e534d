/** What happened, for live feeds (docs/spec.md section 11): one growing list of short notes, written in the transaction of what they tell. */
import type { Database } from '../service/database.ts'
import { fromJson, toJson } from './json.ts'

export const JOURNAL_TOPICS = ['blocks', 'exits', 'disputes', 'batches'] as const
export type JournalTopic = (typeof JOURNAL_TOPICS)[number]

/** Notes kept; a reader further behind starts from the API. */
const KEPT = 200_000
const PRUNE_EVERY = 10_000

export type Journal = ReturnType<typeof createJournal>

export function createJournal(db: Database) {
  const insert = db.prepare('INSERT INTO journal (topic, data) VALUES (?, ?)')
  const prune = db.prepare('DELETE FROM journal WHERE cursor <= ?')
  const selectSince = db.prepare<[string, number, number], { cursor: number; data: string }>(
    'SELECT cursor, data FROM journal WHERE topic = ? AND cursor > ? ORDER BY cursor LIMIT ?',
  )
  const selectNewest = db.prepare<[string], { cursor: number | null }>(
    'SELECT max(cursor) AS cursor FROM journal WHERE topic = ?',
  )

  return {
    append(topic: JournalTopic, note: Readonly<Record<string, unknown>>): void {
      const cursor = Number(insert.run(topic, toJson(note)).lastInsertRowid)
      if (cursor % PRUNE_EVERY === 0) prune.run(cursor - KEPT)
    },

    newest(topic: JournalTopic): number {
      return selectNewest.get(topic)?.cursor ?? 0
    },

    /** Oldest first, after `cursor`. */
    readSince(topic: JournalTopic, cursor: number, limit: number) {
      return selectSince
        .all(topic, cursor, limit)
        .map((row) => ({ cursor: row.cursor, data: fromJson<Record<string, unknown>>(row.data) }))
    },
  }
}

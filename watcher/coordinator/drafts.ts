/**
 * Batches that were decided on and are not final on L1 yet (docs/spec.md section 6.4). Kept, so that the crowd that is on its way to L1 is the same
 * at the next tick and after a restart: another one would name the same outputs again, for another bond.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { type Entry, entryTree, placeEntries } from '../../protocol/massExit.ts'
import type { Database } from '../../service/database.ts'
import { fromJson, toJson } from '../json.ts'
import type { PlannedBatch } from './plan.ts'

export type Draft = Readonly<{
  key: string
  root: Hash
  token: Address
  entries: readonly Entry[]
  isMandated: boolean
  /** L1 seconds: decided, and worth sending until. */
  madeAt: number
  until: number
}>

export type Drafts = ReturnType<typeof createDrafts>

type Row = Readonly<{ key: string; draft: string }>

export function createDrafts(db: Database) {
  db.exec('CREATE TABLE IF NOT EXISTS batch_drafts (key TEXT PRIMARY KEY, draft TEXT NOT NULL) STRICT, WITHOUT ROWID')
  const insert = db.prepare('INSERT OR REPLACE INTO batch_drafts (key, draft) VALUES (?, ?)')
  const selectAll = db.prepare<[], Row>('SELECT key, draft FROM batch_drafts ORDER BY key')
  const remove = db.prepare('DELETE FROM batch_drafts WHERE key = ?')
  let known: readonly Draft[] | undefined

  function all(): readonly Draft[] {
    known ??= selectAll.all().map(({ draft }) => fromJson<Draft>(draft))
    return known
  }

  return {
    all,

    add(batch: PlannedBatch, madeAt: number, until: number): Draft {
      const { token, entries } = batch
      const root = bytesToHex(entryTree(placeEntries(entries)).root)
      const isMandated = batch.isMandated
      const draft = { key: `${madeAt}:${root}`, root, token, entries, isMandated, madeAt, until }
      insert.run(draft.key, toJson(draft))
      known = undefined
      return draft
    },

    /** Final on L1, or too late. */
    end({ key }: Draft): void {
      remove.run(key)
      known = undefined
    },
  }
}

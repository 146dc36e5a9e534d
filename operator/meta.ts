/** Single values of the operator's store by name. Writes belong into the caller's store transaction. */
import type { Database } from '../service/database.ts'

export type MetaKey =
  | 'activitySeq'
  | 'chainId'
  | 'finalBlock'
  | 'folded'
  | 'l1Tip'
  | 'rootContract'
  | 'rootTime'
  | 'submission'

export type Meta = Readonly<{ get(key: MetaKey): string | undefined; set(key: MetaKey, value: string): void }>

export function createMeta(db: Database): Meta {
  const select = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?')
  const replace = db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)')
  return {
    get: (key) => select.get(key)?.value,
    set: (key, value) => {
      replace.run(key, value)
    },
  }
}

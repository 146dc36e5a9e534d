/** A bounded map that keeps what was set lately. The older half goes at once, so that no single oldest entry has to be looked for. */

export type RecentMap<K, V> = Readonly<{
  get(key: K): V | undefined
  set(key: K, value: V): void
  delete(key: K): void
  clear(): void
}>

/** Holds at least the last `half` entries set, and at most twice as many. */
export function createRecentMap<K, V>(half: number): RecentMap<K, V> {
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set: (key, value) => {
      if (young.size >= half) {
        old = young
        young = new Map()
      }
      // In one half only, or a deletion would leave the other's.
      old.delete(key)
      young.set(key, value)
    },
    delete: (key) => {
      if (!young.delete(key)) old.delete(key)
    },
    clear: () => {
      young = new Map()
      old = new Map()
    },
  }
}

/** What is kept in memory because it is dear to make again: bounded by what it weighs, not by how many there are. */

export type Kept<K, V> = ReturnType<typeof createKept<K, V>>

/** The oldest go first where all together weigh more than `most`. One that alone weighs more is kept alone. */
export function createKept<K, V>(most: number) {
  const all = new Map<K, Readonly<{ value: V; weight: number }>>()
  let total = 0

  function remove(key: K): void {
    total -= all.get(key)?.weight ?? 0
    all.delete(key)
  }

  return {
    get: (key: K): V | undefined => all.get(key)?.value,

    set(key: K, value: V, weight: number): void {
      remove(key)
      for (const oldest of all.keys()) {
        if (total + weight <= most) break
        remove(oldest)
      }
      all.set(key, { value, weight })
      total += weight
    },

    delete: remove,

    clear(): void {
      all.clear()
      total = 0
    },
  }
}

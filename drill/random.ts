/** Choices of a drill, all from one seed: the same seed makes the same drill. */

export type Random = Readonly<{
  /** From 0 to below `limit`. */
  below(limit: number): number
  pick<T>(from: readonly T[]): T
}>

/** `seed`: any integer. Deterministic (xorshift over 32 bits); good for choices, not for keys. */
export function createRandom(seed: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) >>> 0 || 1
  const next = () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
  for (let i = 0; i < 8; i++) next()
  const below = (limit: number) => next() % limit
  return { below, pick: (from) => from[below(from.length)] as (typeof from)[number] }
}

/** Chance by seed: the same seed throws the same. */

export type Dice = ReturnType<typeof createDice>

export function createDice(seed: number, ...subjects: readonly string[]) {
  let state = hashOf(`${seed} ${subjects.join(' ')}`)
  /** mulberry32, 0 to 2^32 - 1. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => next() % limit
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('got an empty list to draw from')
      return list[below(list.length)] as T
    },
  }
}

function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  return hash >>> 0
}

/** Events as L1 holds them: in L1's order, each once, however often and in whatever order they were told. */
import type { At } from '../facts.ts'

export function inOrder<E extends Readonly<{ at: At }>>(learnt: readonly E[]): readonly E[] {
  const sorted = [...learnt].sort((a, b) => compareAt(a.at, b.at))
  return sorted.filter((event, i) => {
    const previous = sorted[i - 1]
    return previous === undefined || compareAt(previous.at, event.at) !== 0
  })
}

/** Negative when `a` happened first. */
export function compareAt(a: At, b: At): number {
  return a.l1Block - b.l1Block || a.logIndex - b.logIndex
}

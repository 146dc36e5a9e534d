/**
 * Which L1 endpoint shows more (docs/spec.md, "Reading L1"): asked only while the one that is read is late, or to learn whether one that was
 * left is well again. A head is a claim; what is read from then on is verified by the follower as ever.
 */
import type { L1Source, SeenHead } from './l1Reader.ts'

/** An endpoint that is slower than this shows nothing: the watch over L1 does not wait for it. */
const HEAD_PATIENCE_MS = 3_000

export type HeadOf = Readonly<{ at: number; head: SeenHead }>

/** The newest heads of the sources at these places, asked at the same time; those that fail, are slow or know none are left out. */
export async function readHeads(sources: readonly L1Source[], places: readonly number[]): Promise<HeadOf[]> {
  const heads = await Promise.all(places.map((at) => inTime((sources[at] as L1Source).head())))
  return heads.flatMap((head, i) => (head ? [{ at: places[i] as number, head }] : []))
}

/** Of several the newest, and of equals the first; heads from after `latest` (seconds) are no news but a wrong clock or a lie. */
export function newestOf(heads: readonly HeadOf[], latest: number): HeadOf | undefined {
  let best: HeadOf | undefined
  for (const one of heads) {
    if (one.head.timestamp <= latest && (!best || one.head.timestamp > best.head.timestamp)) best = one
  }
  return best
}

async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HEAD_PATIENCE_MS)
  })
  try {
    return await Promise.race([answer.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

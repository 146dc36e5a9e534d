/** Positions on a drawing: linear scales, round ticks of time, marks that would cover each other. Pure. */

export type Scale = (value: number) => number

/** From [from, to] to [left, right], what is outside put on its end. All of an empty domain is at the left. */
export function createScale([from, to]: readonly [number, number], [left, right]: readonly [number, number]): Scale {
  return (value) => {
    if (to <= from) return left
    const share = (value - from) / (to - from)
    return left + Math.min(Math.max(share, 0), 1) * (right - left)
  }
}

const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 4, 7, 14, 28].map((n) => n * DAY),
]

/** Round offsets in seconds from `from` to `to`, zero among them where it lies within; `most` of them or fewer (at least two's step). */
export function timeTicks(from: number, to: number, most: number): number[] {
  const want = (to - from) / Math.max(most, 1)
  const largest = STEPS.at(-1) as number
  const step = STEPS.find((one) => one >= want) ?? Math.ceil(want / largest) * largest
  const ticks: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at === 0 ? 0 : at)
  return ticks
}

export type Cluster<T> = Readonly<{ x: number; members: readonly T[] }>

/** From left to right, each where its first member is; what is closer than `gap` to that joins it, so none are closer to each other. */
export function clusterBy<T>(items: readonly T[], xOf: (item: T) => number, gap: number): Cluster<T>[] {
  const clusters: { x: number; members: T[] }[] = []
  for (const item of [...items].sort((a, b) => xOf(a) - xOf(b))) {
    const x = xOf(item)
    const current = clusters.at(-1)
    if (current && x - current.x < gap) current.members.push(item)
    else clusters.push({ x, members: [item] })
  }
  return clusters
}

/** The lowest row in which a label from `left` to `right` touches none that came before it. */
export function createRows(): (left: number, right: number) => number {
  const rows: [left: number, right: number][][] = []
  return (left, right) => {
    const free = rows.findIndex((row) => row.every(([from, to]) => right <= from || left >= to))
    const at = free === -1 ? rows.length : free
    rows[at] = [...(rows[at] ?? []), [left, right]]
    return at
  }
}

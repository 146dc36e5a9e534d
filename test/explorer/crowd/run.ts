/** Many walks, one seed after the other; the first that breaks something is made short. */
import { openWalkChain, type WalkChain } from './l1.ts'
import { type Options, play, type Result, STEPS, type Walk } from './walk.ts'
import { type Crowd, coinAt, strikeKey } from './world.ts'

export type Tally = {
  walks: number
  /** Moves that the contract accepted, duties and the end among them. */
  accepted: number
  refused: number
  readonly seen: Map<string, number>
  readonly broken: { seed: number; broken: string; story: readonly string[] }[]
}

export type Run = Readonly<{ first: number; walks: number; minutes?: number; options?: Options }>

/** Walks with the seeds from `first` on, until enough were walked or the time is over. */
export async function runWalks({
  first,
  walks,
  minutes = Number.POSITIVE_INFINITY,
  options = {},
}: Run): Promise<Tally> {
  const l1 = await openWalkChain()
  const tally: Tally = { walks: 0, accepted: 0, refused: 0, seen: new Map(), broken: [] }
  const end = Date.now() + minutes * 60_000
  try {
    for (let seed = first; seed < first + walks && Date.now() < end; seed++) {
      const result = await play(l1, seed, options)
      count(tally, result)
      if (result.broken === null) continue
      const short = await shorten(l1, seed, { options, end })
      tally.broken.push({ seed, broken: short.broken ?? result.broken, story: short.walk.log })
    }
  } finally {
    l1.stop()
  }
  return tally
}

function count(tally: Tally, { walk }: Result): void {
  tally.walks++
  tally.refused += walk.refused
  for (const mark of marksOf(walk)) tally.seen.set(mark, (tally.seen.get(mark) ?? 0) + 1)
  for (const [kind, times] of walk.seen) {
    tally.accepted += times
    tally.seen.set(kind, (tally.seen.get(kind) ?? 0) + times)
  }
}

/** What a walk came by: how often the questions that are asked most were put at all. */
function marksOf({ facts, log }: Walk): string[] {
  const marks: string[] = []
  const locked = facts.crowds.filter(({ test }) => test.item)
  for (const { payment, verdict } of facts.disputes) {
    for (const coin of payment.inputs) {
      const both = locked.filter(({ names }) => names.includes(coin))
      if (both.length < 2) continue
      marks.push(`(in two batches, ${verdict})`)
      const isStruck = ({ strikes, test }: Crowd) =>
        test.placed.some(
          ({ position }) => strikes.has(strikeKey(position, coin.owner.address)) && coinAt(facts, position) === coin,
        )
      const struck = both.filter(isStruck).length
      if (struck > 0 && struck < both.length) marks.push(`(in two batches, struck in one, ${verdict})`)
    }
  }
  const secondOf = (line: string) => line.split(' ')[0]
  const strikes = new Set(log.filter((line) => line.includes('[duty] watcher strikes')).map(secondOf))
  const last = log.filter((line) => line.includes('[open]') && strikes.has(secondOf(line)))
  for (const _ of last)
    marks.push(facts.lastMove > 0 ? '(opened and struck in one second, halted)' : '(opened and struck in one second)')
  return marks
}

type Shortening = Readonly<{ options: Options; end: number }>

/** Leaves out every step without which the walk breaks something all the same, from the last to the first. */
async function shorten(l1: WalkChain, seed: number, { options, end }: Shortening): Promise<Result> {
  let skip = new Set<number>()
  let shortest = await play(l1, seed, options)
  for (let size = STEPS / 4; size >= 1; size = Math.floor(size / 2)) {
    for (let from = STEPS - size; from >= 0 && Date.now() < end; from -= size) {
      const more = new Set([...skip, ...Array.from({ length: size }, (_, i) => from + i)])
      if (more.size === skip.size) continue
      const result = await play(l1, seed, { ...options, skip: more })
      if (result.broken === null) continue
      skip = more
      shortest = result
    }
  }
  return shortest
}

/** A tally in one line. */
export function tellTally({ walks, accepted, refused, seen }: Tally): string {
  const kinds = [...seen].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${kind} ${times}`)
  return `${walks} walks, ${accepted} moves accepted, ${refused} refused (${kinds.join(', ')})`
}

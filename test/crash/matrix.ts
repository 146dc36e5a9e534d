/**
 * The crash matrix: a story is told once without a crash, to count the commits and sends of operator and watcher; then again for each point,
 * with a program that dies there, rises from its disk on the same L1, and goes on. Every end must be the first one. A point may be
 * survived twice: `+again` kills the risen program once more, before its first write.
 *
 * `npm test -- crash/` takes every send, before and after, the commits beside sends, and a sample of the others, chosen by a seed
 * (`CRASH_SEED=7`).
 * `CRASH_FULL=1 npm test -- crash/` takes every point, each also twice, which takes an hour; `CRASH_FULL=3/8` the third of eight parts of them.
 * `CRASH_POINT=watcher:send:17:after npm test -- crash/theft` takes
 * one; a point that fails says so in that form.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Parameters } from '../../protocol/parameters.ts'
import { type Fuse, type Point, parsePoint, printPoint, type Who } from './fuse.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { createStage, type Run, type RunOptions, type Stage } from './world.ts'

export type Story = Readonly<{
  /** Name of the test file, for the line that reproduces a failure. */
  file: string
  options?: Omit<RunOptions, 'point'>
  parameters?: Partial<Parameters>
  /** Commits of each program to die at in a short run, beside all sends. */
  sample: number
  /** The least that a telling must hold, so that a story which lost its plot is noticed. */
  least: Readonly<Record<Who, Readonly<{ write: number; send: number }>>>
  tell(run: Run): Promise<void>
}>

type Told = Readonly<{ outcome: Outcome; fuse: Fuse }>

export function runMatrix(story: Story): void {
  const test = suite(`crash matrix: ${story.file}`)
  let stage: Stage
  test.before(async () => {
    stage = await createStage(story.parameters)
  })
  test.after(() => stage.close())

  test('ends the same wherever operator or watcher die', async () => {
    const calm = await tell(stage, story)
    assertSane(story, calm)
    const { points, note } = choose(story, calm.fuse)
    if (process.env['CRASH_TRACE']) console.log(calm.fuse.trace.join('\n'))
    const failures: string[] = []
    for (const point of points) {
      const problem = await survive(stage, story, point, calm.outcome)
      if (problem === undefined) continue
      failures.push(problem)
      console.log(problem)
      if (failures.length >= 5) break
    }
    if (failures.length > 0) throw new Error(`${failures.length} of ${points.length} points fail (${note})`)
    console.log(`${story.file}: ${points.length} points, ${note}; ${JSON.stringify(calm.fuse.counts)}`)
  })
  test.run()
}

async function tell(stage: Stage, story: Story, point?: Point): Promise<Told> {
  const run = await stage.run({ ...story.options, ...(point && { point }) })
  try {
    await run.open()
    await story.tell(run)
    await run.rest()
    return { outcome: await outcomeOf(run), fuse: run.fuse }
  } finally {
    await run.close()
  }
}

/** What the calm end must be for any other to be measured by it. */
function assertSane({ least }: Story, { outcome, fuse }: Told): void {
  assert.equal(outcome.errors, [])
  assert.equal(outcome.pending, [])
  assert.equal(outcome.brokenReceipts, [])
  for (const who of ['operator', 'watcher'] as const)
    for (const what of ['write', 'send'] as const) {
      const count = fuse.counts[who][what]
      assert.ok(count >= least[who][what], `got ${count} of ${who}:${what}, want at least ${least[who][what]}`)
    }
}

/** Undefined, or what to say. */
async function survive(stage: Stage, story: Story, point: Point, calm: Outcome): Promise<string | undefined> {
  const again = `CRASH_POINT=${printPoint(point)} npm test -- crash/${story.file}`
  try {
    const { outcome, fuse } = await tell(stage, story, point)
    if (fuse.blown() === 0) return `${again}\n  the point was never reached`
    const differences = differencesOf(calm, outcome)
    return differences.length === 0 ? undefined : `${again}\n  ${differences.join('\n  ')}`
  } catch (error) {
    return `${again}\n  ${error instanceof Error ? error.stack : String(error)}`
  }
}

function differencesOf(calm: Outcome, other: Outcome): string[] {
  return (Object.keys(calm) as (keyof Outcome)[]).flatMap((part) => {
    const [want, got] = [print(calm[part]), print(other[part])]
    if (want === got) return []
    const [wanted, found] = [want.split('\n'), got.split('\n')]
    return [
      ...wanted.filter((line) => !found.includes(line)).map((line) => `${part}: lost ${line.trim()}`),
      ...found.filter((line) => !wanted.includes(line)).map((line) => `${part}: new  ${line.trim()}`),
    ]
  })
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part} wei` : part), 2)
}

function choose(story: Story, fuse: Fuse): Readonly<{ points: Point[]; note: string }> {
  const { CRASH_POINT: only, CRASH_FULL: full, CRASH_SEED: own, FUZZ_SEED: common } = process.env
  if (only) return { points: [parsePoint(only)], note: 'the one asked for' }
  const sends: Point[] = []
  const writes: Point[] = []
  for (const who of ['operator', 'watcher'] as const) {
    for (let at = 1; at <= fuse.counts[who].send; at++)
      for (const when of ['before', 'after'] as const) sends.push({ who, what: 'send', at, when, again: false })
    // After one commit is before the next, but for what others were told in between: by the operator, that a payment is accepted.
    const whens = who === 'operator' ? (['before', 'after'] as const) : (['before'] as const)
    for (let at = 1; at <= fuse.counts[who].write; at++)
      for (const when of whens) writes.push({ who, what: 'write', at, when, again: false })
  }
  if (full) {
    const once = [...sends, ...writes]
    const all = [...once, ...once.map((point) => ({ ...point, again: true }))]
    const [part, parts] = full.split('/').map(Number) as [number, number?]
    const isOurs = (_: Point, i: number) => parts === undefined || i % parts === part - 1
    return { points: all.filter(isOurs), note: `of all ${all.length} there are` }
  }
  const seed = Number(own ?? common ?? Date.now()) % 100_000
  const random = createRandom(seed)
  const critical = writes.filter((point) => point.when === 'before' && fuse.isBesideSend(point))
  const sampled = (['operator', 'watcher'] as const).flatMap((who) =>
    shuffled(
      writes.filter((point) => point.who === who),
      random,
    ).slice(0, story.sample),
  )
  const twice = shuffled([...sends, ...writes], random)
    .slice(0, 2)
    .map((point) => ({ ...point, again: true }))
  return { points: [...sends, ...critical, ...sampled, ...twice], note: `CRASH_SEED=${seed}` }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}

/** mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * The exhaustive search: every order and every moment of the hostile side's moves up to the horizon, level by level in the number of moves, so that the
 * first counterexample is a shortest one. A move makes one more fact, so paths that meet have made equally many, and equal states are merged.
 */
import { grabAll, outlast, playOut, type Step } from './finale.ts'
import { duties } from './honest.ts'
import { hostileActs } from './hostile.ts'
import { brokenAtEnd, brokenNow } from './ledger.ts'
import { type Act, apply, inPeriods, tell } from './moves.ts'
import type { Game, World } from './world.ts'

interface Node {
  readonly world: World
  readonly parent: Node | null
  readonly act: Act | null
  paths: number
}

/** What a search found. `paths` counts every order of moves, merged states included. */
export interface Result {
  readonly states: number
  readonly paths: number
  readonly seconds: number
  /** The shortest way to break a promise, or null. */
  readonly found: Counterexample | null
  /** Whether the limits let the search end. */
  readonly complete: boolean
}

export interface Counterexample {
  readonly broken: string
  readonly moves: readonly Act[]
  /** One line a move: time in MEP, actor, what happens; the fixed end after a line of its own. */
  readonly story: readonly string[]
}

export interface Limits {
  /** The most moves (time apart) of a path. */
  readonly depth: number
  readonly states: number
}

/** Explores a scenario. Stops at the first level that holds a counterexample. */
export function explore(game: Game, limits: Limits): Result {
  const begun = performance.now()
  let level = new Map<string, Node>([['', { world: game.start, parent: null, act: null, paths: 1 }]])
  const ends = new Map<string, string | null>()
  let states = 0
  let paths = 0
  const result = (found: Counterexample | null, complete: boolean): Result => ({
    states,
    paths,
    seconds: (performance.now() - begun) / 1000,
    found,
    complete,
  })
  for (let depth = 0; level.size > 0; depth++) {
    const next = new Map<string, Node>()
    let ticking = [...level.values()].sort((a, b) => a.world.now - b.world.now)
    let now = ticking[0]?.world.now ?? 0
    let later = new Map<string, Node>()
    let waiting = ticking
    while (waiting.length > 0 || later.size > 0) {
      ticking = []
      const here = new Map<string, Node>(later)
      later = new Map()
      const rest: Node[] = []
      for (const node of waiting) {
        if (node.world.now !== now) rest.push(node)
        else join(here, keyOf(node.world), node.world, node.parent, node.act, node.paths)
      }
      waiting = rest
      for (const node of here.values()) {
        states++
        const broken = brokenNow(game, node.world)
        if (broken !== null) return result(counterexample(game, node, broken, false), true)
        if (states > limits.states) return result(null, false)
        if (node.world.now >= game.horizon) {
          paths += node.paths
          const calm = grabAll(game, node.world)
          const key = keyOf(calm)
          const known = ends.get(key)
          const end = known === undefined ? brokenAtEnd(game, outlast(game, calm)) : known
          ends.set(key, end)
          if (end !== null) return result(counterexample(game, node, end, true), true)
        }
        expand(game, node, depth < limits.depth ? next : null, later)
      }
      now++
    }
    level = next
  }
  return result(null, true)
}

function expand(game: Game, node: Node, next: Map<string, Node> | null, later: Map<string, Node>): void {
  const { world } = node
  const owed = duties(game, world, game.pace === 'last')
  const honest = owed.filter(({ since, due }) => (game.pace === 'any' ? since : due) <= world.now)
  for (const act of [...honest, ...hostileActs(game, world)]) {
    const after = apply(game, world, act.move)
    if (typeof after === 'string') continue
    // Past the depth only duties go on: a path may run out of hostile moves, never of honest ones.
    if (next !== null) join(next, keyOf(after), after, node, act, node.paths)
  }
  const overdue = owed.some(({ due }) => due <= world.now)
  if (!overdue && world.now < game.horizon) {
    const after = { ...world, now: world.now + 1 }
    join(later, keyOf(after), after, node, null, node.paths)
  }
}

function join(
  into: Map<string, Node>,
  key: string,
  world: World,
  parent: Node | null,
  act: Act | null,
  paths: number,
): void {
  const known = into.get(key)
  if (known === undefined) into.set(key, { world, parent, act, paths })
  else known.paths += paths
}

/** Texts of the parts of states: moves replace what they change, so most parts are shared by many states. */
const texts = new WeakMap<object, string>()

/** The identity of a state. */
export function keyOf(world: World): string {
  return Object.values(world).map(textOf).join('|')
}

function textOf(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part)
  const known = texts.get(part)
  if (known !== undefined) return known
  const text = Array.isArray(part) ? `[${part.map(textOf).join()}]` : JSON.stringify(part)
  texts.set(part, text)
  return text
}

function counterexample(game: Game, node: Node, broken: string, withEnd: boolean): Counterexample {
  const steps: Step[] = []
  for (let n: Node | null = node; n?.parent != null; n = n.parent) {
    if (n.act !== null) steps.unshift({ act: n.act, world: n.parent.world })
  }
  const moves = steps.map(({ act }) => act)
  const story = tellAll(game, steps)
  if (withEnd) {
    const end: Step[] = []
    playOut(game, node.world, end)
    story.push('  then everything runs its course:', ...tellAll(game, end))
  }
  return { broken, moves, story: [...story, `  ${broken}`] }
}

function tellAll(game: Game, steps: readonly Step[]): string[] {
  return steps.map(({ act, world }) => {
    const after = apply(game, world, act.move)
    const text = typeof after === 'string' ? after : tell(game, world, act.move, after)
    return `  ${inPeriods(game, world.now).padStart(6)}  ${act.actor.padEnd(8)} ${text}`
  })
}

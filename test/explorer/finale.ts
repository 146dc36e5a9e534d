/**
 * The end of every path: the hostile side exits whatever it can name, small blocks come into the open at the last moment, honest people do their
 * duties at once, everything due is processed; then the honest owners leave, last. All of it is fixed, so a path has one end.
 */
import { breachAt } from './chain.ts'
import { payableAfter } from './exits.ts'
import { duties, leavingActs } from './honest.ts'
import { anybodysActs, waysOut } from './hostile.ts'
import { type Act, apply } from './moves.ts'
import { at, blockAt, blockNumberOf, type Game, NONE, positions, type World } from './world.ts'

/** One move of the end, and the world before it. */
export interface Step {
  readonly act: Act
  readonly world: World
}

/** Plays a path to its end. `steps`, if given, receives every move but the passing of time. */
export function playOut(game: Game, from: World, steps: Step[] | null = null): World {
  return outlast(game, grabAll(game, from, steps), steps)
}

/** First half of the end: the hostile side exits all it can, and what is due or owed now is done. */
export function grabAll(game: Game, from: World, steps: Step[] | null = null): World {
  const hostile = game.outputs.flatMap((spec, output) => (game.honest.includes(spec.owner) ? [] : [output]))
  let world = from
  for (;;) {
    const after = takeFirst(game, world, grabs(game, world, hostile), steps)
    if (after === null) return settleDown(game, world, false, steps)
    world = after
  }
}

/** Second half: time runs until nothing is open; then the honest owners leave. */
export function outlast(game: Game, from: World, steps: Step[] | null = null): World {
  let world = from
  for (const leaving of [false, true]) {
    for (;;) {
      world = settleDown(game, world, leaving, steps)
      const now = nextEvent(game, world)
      if (now === null) break
      world = { ...world, now }
    }
  }
  return world
}

function settleDown(game: Game, from: World, leaving: boolean, steps: Step[] | null): World {
  let world = from
  for (;;) {
    const after =
      takeFirst(game, world, reveals(game, world), steps) ??
      takeFirst(game, world, duties(game, world), steps) ??
      takeFirst(game, world, anybodysActs(game, world), steps) ??
      (leaving
        ? takeFirst(
            game,
            world,
            game.honest.flatMap((owner) => leavingActs(game, world, owner)),
            steps,
          )
        : null)
    if (after === null) return world
    world = after
  }
}

function takeFirst(game: Game, world: World, acts: readonly Act[], steps: Step[] | null): World | null {
  for (const act of acts) {
    const after = apply(game, world, act.move)
    if (typeof after === 'string') continue
    steps?.push({ act, world })
    return after
  }
  return null
}

function grabs(game: Game, world: World, hostile: readonly number[]): Act[] {
  return hostile.flatMap((output) =>
    waysOut(game, world, output).map((via): Act => ({ actor: 'Mallory', move: { type: 'startExit', output, via } })),
  )
}

/** What the operator shows in the last moment: small blocks, and leaves that were asked for, but the ones that would break it. */
function reveals(game: Game, world: World): Act[] {
  const answers = positions(world).flatMap((position): Act[] => {
    const asked = at(blockAt(world, blockNumberOf(position)).asked, position % 16)
    if (asked < 0 || world.now !== asked + game.rules.dr || breachAt(game, world, position, true) !== null) return []
    return [{ actor: 'Mallory', move: { type: 'answerData', position } }]
  })
  const whole = world.blocks.flatMap((block, i): Act[] =>
    block.openness === 'small' && block.shownAt === NONE && world.now === block.time + game.rules.dc + game.rules.dr
      ? [{ actor: 'Mallory', move: { type: 'reveal', block: i + 1 } }]
      : [],
  )
  return [...whole, ...answers]
}

/** The next tick at which something becomes possible by itself, or null when nothing does any more. */
function nextEvent(game: Game, world: World): number | null {
  const { mep, dc, dr, reaction } = game.rules
  const ticks = [world.lastMove + mep + 1]
  for (const exit of world.exits)
    if (exit !== null) ticks.push(exit.exitableAt + 1, payableAfter(game, world, exit) + reaction + 1)
  for (const dispute of world.disputes) if (dispute !== null) ticks.push(dispute.end + 1)
  for (const { asked } of world.blocks) for (const tick of asked) if (tick >= 0) ticks.push(tick + dr, tick + dr + 1)
  for (const block of world.blocks) ticks.push(block.time + dc + dr, block.time + dc + dr + 1, block.time + mep + 1)
  const later = ticks.filter((tick) => tick > world.now)
  return later.length === 0 ? null : Math.min(...later)
}

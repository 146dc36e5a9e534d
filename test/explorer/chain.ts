/** Child blocks in the explorer: void, known, valid (`docs/spec.md` 4, 5.1, 8.4, 8.5). */
import { on } from './rules.ts'
import {
  ANSWERED,
  at,
  blockAt,
  blockNumberOf,
  type Game,
  inclusions,
  type Leaf,
  leafAt,
  NONE,
  positionOf,
  positions,
  put,
  type World,
} from './world.ts'

/** Whether the block is void. */
export function isVoid(world: World, number: number): boolean {
  return number >= world.voidFrom
}

/** Whether the transaction at a position counts for nothing on L1: its block is void, or it was proven invalid. */
export function hasFallen(world: World, position: number): boolean {
  return isVoid(world, blockNumberOf(position)) || world.invalid.includes(position)
}

/** When the leaf became public, or NONE. */
export function knownSince(world: World, position: number): number {
  const block = blockAt(world, blockNumberOf(position))
  const leaf = at(block.leafShownAt, position % 16)
  if (block.shownAt === NONE) return leaf
  return leaf === NONE ? block.shownAt : Math.min(leaf, block.shownAt)
}

/** The world in which one leaf has been shown on L1. */
export function showLeaf(world: World, position: number): World {
  const number = blockNumberOf(position)
  const block = blockAt(world, number)
  const index = position % 16
  if (block.shownAt !== NONE || at(block.leafShownAt, index) !== NONE) return world
  const leafShownAt = block.leafShownAt.map((tick, i) => (i === index ? world.now : tick))
  return { ...world, blocks: world.blocks.map((b, i) => (i === number - 1 ? { ...block, leafShownAt } : b)) }
}

/** Whether the leaf holds the witness of the owner of an input. */
export function isWitnessed(game: Game, leaf: Leaf, input: number): boolean {
  return game.honest.includes(at(game.outputs, input).owner) ? !leaf.forged : !leaf.half
}

/** A breach of the rules, and since when it could be proven with what the prover knows. */
export interface Breach {
  readonly rule: 'V2' | 'V3' | 'V4' | 'V5' | 'V6'
  readonly since: number
}

/**
 * The first rule that the transaction at a position breaks, as far as the prover can show it; null when none. `everything` is the operator's knowledge, otherwise
 * only what is public counts.
 */
export function breachAt(game: Game, world: World, position: number, everything: boolean): Breach | null {
  const since = (p: number) => (everything ? 0 : knownSince(world, p))
  const known = since(position)
  if (known === NONE) return null
  const block = blockAt(world, blockNumberOf(position))
  const leaf = leafAt(world, position)
  const tx = at(game.txs, leaf.tx)
  if (!tx.inputs.every((input) => isWitnessed(game, leaf, input))) return { rule: 'V4', since: known }
  if (tx.fault === 'leaf') return { rule: 'V5', since: known }
  if (tx.fault === 'hidden' && (everything || block.shownAt !== NONE))
    return { rule: 'V2', since: Math.max(known, block.shownAt) }
  for (const input of tx.inputs) {
    const maker = at(game.outputs, input).madeBy
    if (maker !== NONE && !inclusions(world, maker).some((q) => q < position)) return { rule: 'V2', since: known }
    for (const q of positions(world)) {
      if (q >= position || since(q) === NONE || !at(game.txs, leafAt(world, q).tx).inputs.includes(input)) continue
      // A forged spend must not disprove a true one.
      if (on(game.rules, 'V3') && !isWitnessed(game, leafAt(world, q), input)) continue
      return { rule: 'V3', since: Math.max(known, since(q)) }
    }
    const lock = at(world.lock, input)
    const late = on(game.rules, 'C1') ? lock !== NONE && lock <= block.anchor : block.paidBefore.includes(input)
    if (late) return { rule: 'V6', since: known }
  }
  return null
}

/** The world after the halt moved down to a block: unpaid and undecided things get a fresh period. */
export function haltAt(world: World, number: number): World {
  if (number >= world.voidFrom) return world
  return { ...world, halted: true, voidFrom: number, lastMove: world.now }
}

/** The anchors worth telling apart for a block submitted now: the youngest, and the last before each lock. */
export function anchorChoices(game: Game, world: World): number[] {
  const oldest = Math.max(world.now - game.rules.anchorAge, world.blocks.at(-1)?.anchor ?? Number.MIN_SAFE_INTEGER)
  if (game.powers.anchors === 'youngest') return [world.now - 1]
  const wanted = [world.now - 1, ...world.lock.filter((lock) => lock !== NONE).map((lock) => lock - 1)]
  return [...new Set(wanted)].filter((anchor) => anchor >= oldest && anchor < world.now).sort((a, b) => a - b)
}

/** Submits block `spec` under an anchor. */
export function submit(game: Game, world: World, spec: number, anchor: number): World | string {
  const { leaves, openness, from, until } = at(game.blocks, spec)
  if (world.halted) return 'the chain is halted'
  if (world.submitted.includes(spec) || world.now < from || world.now > until) return 'this block does not come again'
  if (anchor >= world.now || world.now - anchor > game.rules.anchorAge) return 'the anchor is too young or too old'
  if (anchor < (world.blocks.at(-1)?.anchor ?? anchor)) return 'anchors never decrease'
  const paidBefore = world.exits.flatMap((exit, output) =>
    exit !== null && exit.paid > 0 && !on(game.rules, 'C1') ? [output] : [],
  )
  const block = {
    leaves,
    openness,
    anchor,
    time: world.now,
    shownAt: openness === 'open' ? world.now : NONE,
    leafShownAt: leaves.map(() => NONE),
    asked: leaves.map(() => NONE),
    paidBefore,
  }
  return { ...world, blocks: [...world.blocks, block], submitted: insertSpec(world.submitted, spec) }
}

/** Publishes a block's body. A small block can't be shown after its data challenge ran out. */
export function reveal(game: Game, world: World, number: number): World | string {
  const block = blockAt(world, number)
  if (block.shownAt !== NONE || block.openness === 'shut') return 'it is public, or never will be'
  if (block.openness === 'small' && world.now > block.time + game.rules.dc + game.rules.dr)
    return 'the time to answer is over'
  return { ...world, blocks: world.blocks.map((b, i) => (i === number - 1 ? { ...b, shownAt: world.now } : b)) }
}

/** Demands that a leaf be revealed, within DC of its block; each once. */
export function ask(game: Game, world: World, position: number): World | string {
  const block = blockAt(world, blockNumberOf(position))
  if (isVoid(world, blockNumberOf(position))) return 'void already'
  if (world.now > block.time + game.rules.dc) return 'the time for data challenges is over'
  if (at(block.asked, position % 16) !== NONE) return 'asked already'
  return withAsked(world, position, world.now)
}

/** Reveals a leaf that was asked for, within DR. */
export function answerData(game: Game, world: World, position: number): World | string {
  const asked = at(blockAt(world, blockNumberOf(position)).asked, position % 16)
  if (asked === NONE || asked === ANSWERED) return 'nobody asks for it'
  if (world.now > asked + game.rules.dr) return 'the time to answer is over'
  return showLeaf(withAsked(world, position, ANSWERED), position)
}

function withAsked(world: World, position: number, tick: number): World {
  const number = blockNumberOf(position)
  const block = blockAt(world, number)
  return { ...world, blocks: put(world.blocks, number - 1, { ...block, asked: put(block.asked, position % 16, tick) }) }
}

/** Since when a block could be halted for a data challenge that nobody answered, or NONE. */
export function overdueSince(game: Game, world: World, number: number): number {
  const block = blockAt(world, number)
  const { dc, dr } = game.rules
  const ends = block.asked.flatMap((tick) => (tick === NONE || tick === ANSWERED ? [] : [tick + dr]))
  if (block.openness === 'small' && block.shownAt === NONE) ends.push(block.time + dc + dr)
  const end = Math.min(...ends)
  return world.now > end ? end : NONE
}

/** Halts at a block whose data challenge nobody answered. */
export function haltUnanswered(game: Game, world: World, number: number): World | string {
  if (overdueSince(game, world, number) === NONE) return 'nothing is overdue'
  const isLate = on(game.rules, 'H1') && world.now > blockAt(world, number).time + game.rules.mep
  if (isLate || isVoid(world, number)) return 'too late, or void already'
  return haltAt(world, number)
}

/** Proves the transaction at a position invalid: recorded always, a halt only within MEP of its block. */
export function prove(game: Game, world: World, position: number, everything: boolean): World | string {
  if (hasFallen(world, position)) return 'it has fallen already'
  if (breachAt(game, world, position, everything) === null) return 'no rule is broken that could be shown'
  const number = blockNumberOf(position)
  const inTime = world.now <= blockAt(world, number).time + game.rules.mep
  if (!inTime && !on(game.rules, 'R17')) return 'too late to halt'
  const shown = showLeaf({ ...world, invalid: [...world.invalid, position].sort((a, b) => a - b) }, position)
  return inTime || !on(game.rules, 'H1') ? haltAt(shown, number) : shown
}

/** Every leaf of a block, as positions. */
export function positionsIn(world: World, number: number): number[] {
  return blockAt(world, number).leaves.map((_, index) => positionOf(number, index))
}

function insertSpec(list: readonly number[], spec: number): readonly number[] {
  return [...list, spec].sort((a, b) => a - b)
}

/**
 * The honest policy: what the watcher and honest owners do, from what they can know, and by when it is on L1 (`docs/spec.md` 11.6, 5.4.6).
 * A duty is a move that L1 takes now; it comes at the latest REACTION after it could be known, exits by the withheld block's time + MEP.
 */
import { breachAt, hasFallen, isVoid, knownSince, overdueSince, positionsIn } from './chain.ts'
import { stands } from './exits.ts'
import { waysOut } from './hostile.ts'
import { type Act, apply, type Move } from './moves.ts'
import { on } from './rules.ts'
import {
  at,
  type Block,
  blockAt,
  blockNumberOf,
  type Game,
  inclusions,
  leafAt,
  NONE,
  positionOf,
  positions,
  type World,
} from './world.ts'

/** An honest move, since when it is due in principle, and the last tick for it. */
export interface Duty extends Act {
  readonly since: number
  readonly due: number
}

/** Everything that honest people should do, `now` or by some later tick; with `urgent` what is due later may be left out. */
export function duties(game: Game, world: World, urgent = false): Duty[] {
  return [...watcherDuties(game, world), ...exitDuties(game, world, urgent)].filter(
    ({ move }) => typeof apply(game, world, move) !== 'string',
  )
}

/** The watcher's: prove, halt, show. */
export function watcherDuties(game: Game, world: World): Duty[] {
  const found: Duty[] = []
  const prompt = (move: Move, since: number) =>
    found.push({ actor: 'Watcher', move, since, due: since + game.rules.reaction })
  // A move opens windows again that were over.
  const add = (move: Move, known: number) => prompt(move, Math.max(known, world.lastMove))
  const valid: number[] = []
  for (const position of positions(world)) {
    if (hasFallen(world, position) || knownSince(world, position) === NONE) continue
    const breach = breachAt(game, world, position, false)
    if (breach === null) valid.push(position)
    else prompt({ type: 'prove', position, everything: false }, breach.since)
  }
  for (const [i, block] of world.blocks.entries()) {
    if (isVoid(world, i + 1)) continue
    const overdue = overdueSince(game, world, i + 1)
    // Also when the body has come since the time to answer was over: what it spends may be in exits that can't be challenged any more.
    if (overdue !== NONE && !isForgiven(game, world, i + 1)) prompt({ type: 'haltUnanswered', block: i + 1 }, overdue)
    for (const position of positionsIn(world, i + 1)) {
      const asked = at(block.asked, position % 16)
      const known = knownSince(world, position)
      if (asked >= 0 && known !== NONE) prompt({ type: 'answerData', position }, Math.max(asked, known))
      if (asked === NONE && known === NONE && block.openness === 'asked')
        found.push({
          actor: 'Watcher',
          move: { type: 'ask', position },
          since: block.time,
          due: block.time + game.rules.dc,
        })
    }
  }
  world.exits.forEach((exit, output) => {
    if (exit === null || (exit.state !== 'queued' && exit.state !== 'ticket')) return
    const spends = valid.filter((p) => at(game.txs, leafAt(world, p).tx).inputs.includes(output))
    if (exit.evidence.some((p) => spends.includes(p) && stands(game, world, output, p))) return
    for (const piece of spends) add({ type: 'evidence', output, piece }, Math.max(exit.start, knownSince(world, piece)))
  })
  world.disputes.forEach((dispute, tx) => {
    if (dispute === null || !dispute.verdicts.includes('open')) return
    const included = valid.filter((p) => leafAt(world, p).tx === tx)
    const shared = (p: number) =>
      at(game.txs, leafAt(world, p).tx).inputs.some((o) => at(game.txs, tx).inputs.includes(o))
    const rivals = valid.filter((p) => leafAt(world, p).tx !== tx && shared(p))
    if (!dispute.competitors.some((p) => rivals.includes(p))) {
      for (const piece of rivals)
        add({ type: 'competitor', tx, piece }, Math.max(dispute.start, knownSince(world, piece)))
    }
    if (!dispute.answers.some((p) => included.includes(p))) {
      for (const piece of included)
        add({ type: 'answer', tx, piece }, Math.max(dispute.start, knownSince(world, piece)))
    }
  })
  return found
}

/** Whether every leaf of a block that somebody demands was public already, so that the demand itself is the attack (without F11: is public by now). */
function isForgiven(game: Game, world: World, number: number): boolean {
  const { asked, openness } = blockAt(world, number)
  if (openness === 'small') return false
  if (!on(game.rules, 'F11') && positionsIn(world, number).every((p) => knownSince(world, p) !== NONE)) return true
  return asked.every((tick, index) => {
    const known = knownSince(world, positionOf(number, index))
    return tick < 0 || (known !== NONE && known <= tick)
  })
}

/**
 * The first block that nobody can see and nobody can force open; who owns something leaves by its time + MEP. One that is shown later than any data
 * challenge allows stays withheld: what it spends may have exits that can't be challenged any more.
 */
export function withheldBlock(game: Game, world: World): number | null {
  const { dc, dr } = game.rules
  const isLate = (b: Block) =>
    (b.openness === 'big' || b.openness === 'thin' || b.openness === 'shut') &&
    (b.shownAt === NONE || b.shownAt > b.time + dc + dr)
  const index = world.blocks.findIndex((b, i) => isLate(b) && !isVoid(world, i + 1))
  return index < 0 ? null : index + 1
}

/** Honest exits while a block is withheld. */
function exitDuties(game: Game, world: World, urgent: boolean): Duty[] {
  const block = withheldBlock(game, world)
  if (block === null) return []
  const { time } = blockAt(world, block)
  const { mep, reaction } = game.rules
  if (urgent && world.now < time + mep - reaction) return []
  return game.honest
    .filter((owner) => !game.away.includes(owner))
    .flatMap((owner) => leavingActs(game, world, owner))
    .map(({ since, ...act }) => {
      const last = needsAnswer(game, act.move) ? time + mep - reaction : time + mep
      return { ...act, since: Math.max(time, since), due: Math.max(last, since + reaction) }
    })
}

/**
 * Whether a second call may have to follow, which must be in time as well: a dispute, then the exits of its outputs; or the exit of what a half-signed
 * offer spends, which the other side may put into a dispute a moment before.
 */
function needsAnswer(game: Game, move: Move): boolean {
  if (move.type === 'startDispute') return true
  return move.type === 'startExit' && game.txs.some((tx) => tx.half && tx.inputs.includes(move.output))
}

/**
 * How an owner leaves. What is in no readable block yet leaves through a dispute, with the age of its inputs; an input leaves by its own exit only if
 * somebody else could still make the payment fail. What a readable block holds leaves by inclusion.
 */
export function leavingActs(game: Game, world: World, owner: string): (Act & { since: number })[] {
  const withheld = withheldBlock(game, world) ?? Number.POSITIVE_INFINITY
  const solid = positions(world).filter((p) => isSolid(game, world, p, withheld))
  const solidTxs = solid.map((p) => leafAt(world, p).tx)
  const gone = solidTxs.flatMap((tx) => at(game.txs, tx).inputs)
  const acts: (Act & { since: number })[] = []
  const inFlight = game.txs.flatMap((spec, tx) => {
    const mine = [...spec.inputs, ...spec.outputs].some((o) => at(game.outputs, o).owner === owner)
    if (!mine || spec.fault !== 'none' || spec.inputs.some((o) => gone.includes(o))) return []
    const makers = spec.inputs.map((o) => at(game.outputs, o).madeBy)
    return makers.every((maker) => maker === NONE || solidTxs.includes(maker)) ? [tx] : []
  })
  for (const tx of inFlight) {
    const since = completeSince(game, world, tx)
    if (since !== null) acts.push({ actor: owner, move: { type: 'startDispute', tx, honest: true }, since })
  }
  for (const [output, spec] of game.outputs.entries()) {
    if (spec.owner !== owner || gone.includes(output)) continue
    if (inFlight.some((tx) => at(game.txs, tx).inputs.includes(output) && leavesByDispute(game, world, tx, owner)))
      continue
    for (const via of waysOut(game, world, output)) {
      const dispute = via === 'dispute' ? at(world.disputes, spec.madeBy) : null
      const proper = via === 'dispute' ? !solidTxs.includes(spec.madeBy) : via === 'deposit' || solid.includes(via)
      if (proper) acts.push({ actor: owner, move: { type: 'startExit', output, via }, since: dispute?.start ?? 0 })
    }
  }
  return acts
}

/** Since when honest people hold every signature of a transaction: always, or since a leaf with all of them was shown; null: they don't. */
function completeSince(game: Game, world: World, tx: number): number | null {
  if (!at(game.txs, tx).half) return 0
  const shown = inclusions(world, tx).filter((p) => !leafAt(world, p).half && knownSince(world, p) !== NONE)
  return shown.length === 0 ? null : Math.min(...shown.map((p) => knownSince(world, p)))
}

/** Whether an owner trusts a payment of his to leave through its dispute, and needs no exit of what it spends: he alone signed it, and it didn't fail. */
function leavesByDispute(game: Game, world: World, tx: number, owner: string): boolean {
  const { inputs, half } = at(game.txs, tx)
  if (half || at(world.disputes, tx)?.verdicts.includes('not')) return false
  return inputs.every((o) => at(game.outputs, o).owner === owner)
}

/** Whether honest people may build on the leaf: readable, standing, without a breach that they could see, before any withheld block. */
export function isSolid(game: Game, world: World, position: number, withheld: number): boolean {
  if (blockNumberOf(position) >= withheld || hasFallen(world, position) || knownSince(world, position) === NONE)
    return false
  return breachAt(game, world, position, false) === null
}

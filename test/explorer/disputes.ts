/** Disputes in the explorer: start, competitor, answer, verdict (`docs/spec.md` 6.1 and 6.3). */
import { hasFallen, isWitnessed, knownSince, showLeaf } from './chain.ts'
import { fate, payableAfter } from './exits.ts'
import { on } from './rules.ts'
import {
  at,
  blockAt,
  blockNumberOf,
  type Dispute,
  type Game,
  inclusions,
  insert,
  leafAt,
  NONE,
  put,
  type Verdict,
  type World,
} from './world.ts'

/** The dispute's E: a move of the halt restarts the ladder while a verdict is open. */
export function endOf(game: Game, world: World, dispute: Dispute): number {
  return world.lastMove === NONE ? dispute.end : Math.max(dispute.end, world.lastMove + game.rules.mep)
}

/** Where the inputs were made, as the transaction names them: the oldest inclusion, NONE for a deposit; null if an input stands nowhere. */
function citations(game: Game, world: World, tx: number): number[] | null {
  const cited: number[] = []
  for (const input of at(game.txs, tx).inputs) {
    const { madeBy } = at(game.outputs, input)
    const position = madeBy === NONE ? NONE : inclusions(world, madeBy)[0]
    if (position === undefined || (position !== NONE && on(game.rules, 'C2') && hasFallen(world, position))) return null
    cited.push(position)
  }
  return cited
}

/** Starts the dispute about a transaction that is completely signed. */
export function startDispute(game: Game, world: World, tx: number, honest = false): World | string {
  const spec = at(game.txs, tx)
  if (at(world.disputes, tx) !== null) return 'one dispute a transaction'
  const cites = citations(game, world, tx)
  if (spec.fault === 'leaf') return 'the transaction breaks V5'
  if (cites === null) return 'an input is void, invalid or in no block'
  for (const input of spec.inputs) {
    const exit = at(world.exits, input)
    if (world.passedOn.includes(input)) return 'an input was passed on'
    if (exit !== null && exit.paid > 0) return 'an input was paid'
    if (exit?.state === 'removed' && fate(game, world, input) === 'spent') return 'an input was spent'
    if (makerVerdicts(game, world, input).includes('not')) return 'an input was judged not canonical'
  }
  const shown = cites.reduce((w, position) => (position === NONE ? w : showLeaf(w, position)), world)
  const dispute: Dispute = {
    start: world.now,
    ...ageOf(game, tx, world, cites),
    cites,
    holds: spec.inputs.filter((input) => suspends(game, world, input)),
    competitors: [],
    answers: [],
    verdicts: Array.from({ length: game.tokens }, () => 'open' as const),
    honest,
  }
  const lock = world.lock.map((l, output) => (l === NONE && spec.inputs.includes(output) ? world.now : l))
  const exits = world.exits.map((exit, output) => {
    const cancelled = !on(game.rules, 'K3') && exit?.state === 'queued' && spec.inputs.includes(output)
    return cancelled ? { ...exit, state: 'removed' as const } : exit
  })
  return { ...shown, lock, exits, disputes: put(world.disputes, tx, dispute) }
}

/** The verdicts about the transaction that makes an output. */
function makerVerdicts(game: Game, world: World, output: number): readonly Verdict[] {
  const { madeBy } = at(game.outputs, output)
  return madeBy === NONE ? [] : (at(world.disputes, madeBy)?.verdicts ?? [])
}

/** The block whose age a dispute has, and its E. */
function ageOf(game: Game, tx: number, world: World, cites: readonly number[]): { age: number; end: number } {
  const { mep } = game.rules
  let age = Math.max(0, ...cites.map((position) => (position === NONE ? 0 : blockNumberOf(position))))
  if (!on(game.rules, 'C6')) {
    const fresh = at(game.txs, tx).inputs.map((o) =>
      at(game.outputs, o).madeBy === NONE ? at(game.outputs, o).afterBlock : NONE,
    )
    if (Math.max(...fresh) >= age) age = 0
  }
  const soonest = world.now + mep
  return { age, end: age === 0 ? soonest : Math.max(soonest, blockAt(world, age).time + 2 * mep) }
}

/** Shows a rival: included at a position, or below zero the transaction -1 - piece. */
export function showCompetitor(game: Game, world: World, tx: number, piece: number): World | string {
  const dispute = at(world.disputes, tx)
  if (dispute === null || !dispute.verdicts.includes('open')) return 'no open dispute'
  if (world.now > endOf(game, world, dispute) - game.rules.mep / 2) return 'the window is over'
  if (dispute.competitors.includes(piece)) return 'shown already'
  const rival = piece < 0 ? -1 - piece : leafAt(world, piece).tx
  const shared = at(game.txs, rival).inputs.filter((input) => at(game.txs, tx).inputs.includes(input))
  if (rival === tx || shared.length === 0) return 'no rival'
  if (piece >= 0) {
    if (hasFallen(world, piece)) return 'it has fallen'
    const witnessed = shared.filter((input) => isWitnessed(game, leafAt(world, piece), input))
    if (witnessed.length === 0) return 'its owner did not sign it'
    if (!witnessed.some((input) => mayDecide(game, world, piece, at(world.lock, input))))
      return 'its block may not spend the output'
  }
  const shown = piece < 0 ? world : showLeaf(world, piece)
  const lost = dispute.honest && piece >= 0 && wasHiddenPrize(game, world, dispute, piece)
  return {
    ...shown,
    startersLost: lost ? insert(world.startersLost, tx) : world.startersLost,
    disputes: put(world.disputes, tx, { ...dispute, competitors: insert(dispute.competitors, piece) }),
  }
}

/** Whether the starter's bond falls to a competitor, by the age of its block, that nobody could see when the dispute started. */
function wasHiddenPrize(game: Game, world: World, dispute: Dispute, piece: number): boolean {
  const { dc, dr } = game.rules
  const known = knownSince(world, piece)
  const counts = blockAt(world, blockNumberOf(piece)).time <= dispute.start - (dc + dr)
  return counts && (known === NONE || known > dispute.start)
}

/** Shows that the disputed transaction is included. */
export function showAnswer(game: Game, world: World, tx: number, piece: number): World | string {
  const dispute = at(world.disputes, tx)
  if (dispute === null || !dispute.verdicts.includes('open')) return 'no open dispute'
  const over = world.now > endOf(game, world, dispute) - game.rules.mep / 4
  if (over && on(game.rules, 'C7')) return 'the window is over'
  if (dispute.answers.includes(piece)) return 'shown already'
  if (leafAt(world, piece).tx !== tx || hasFallen(world, piece)) return 'another transaction, or it has fallen'
  const least = Math.min(...at(game.txs, tx).inputs.map((input) => at(world.lock, input)))
  if (!mayDecide(game, world, piece, least)) return 'its block may not spend the inputs'
  const shown = showLeaf(world, piece)
  return { ...shown, disputes: put(world.disputes, tx, { ...dispute, answers: insert(dispute.answers, piece) }) }
}

/** Gives the verdict: for all tokens at once, or without C7 for one. */
export function decide(game: Game, world: World, tx: number, token: number): World | string {
  const dispute = at(world.disputes, tx)
  if (dispute === null || at(dispute.verdicts, token) !== 'open') return 'no open dispute'
  if (world.now <= endOf(game, world, dispute)) return 'too early'
  const queued = world.exits.some((exit) => exit?.state === 'queued' && exit.exitableAt <= dispute.end)
  if (queued && !on(game.rules, 'P9b')) return 'the queue has not come so far'
  const verdict = judge(game, world, tx, dispute)
  const waits = verdict === 'canonical' && world.now <= endOf(game, world, dispute) + 2 * game.rules.mep
  if (waits && at(game.txs, tx).inputs.some((o) => makerVerdicts(game, world, o).includes('open')))
    return 'an input is disputed itself'
  const verdicts = dispute.verdicts.map((old, t) => (on(game.rules, 'C7') || t === token ? verdict : old))
  const passed = at(game.txs, tx).inputs.filter(
    (input) => on(game.rules, 'C7') || at(game.outputs, input).token === token,
  )
  const passedOn =
    verdict === 'canonical' ? [...new Set([...world.passedOn, ...passed])].sort((a, b) => a - b) : world.passedOn
  return { ...world, passedOn, disputes: put(world.disputes, tx, { ...dispute, verdicts }) }
}

function judge(game: Game, world: World, tx: number, dispute: Dispute): Verdict {
  for (const [i, input] of at(game.txs, tx).inputs.entries()) {
    const cited = at(dispute.cites, i)
    if (cited !== NONE && on(game.rules, 'C2') && hasFallen(world, cited)) return 'not'
    if (makerVerdicts(game, world, input).includes('not')) return 'not'
    // Without C7, what the dispute itself let go in another token doesn't count.
    const own = at(dispute.verdicts, at(game.outputs, input).token) !== 'open'
    if (!own && ((at(world.exits, input)?.paid ?? 0) > 0 || world.passedOn.includes(input))) return 'not'
  }
  if (dispute.competitors.length === 0) return 'canonical'
  const standing = (piece: number) => piece >= 0 && (!on(game.rules, 'C3') || !hasFallen(world, piece))
  const oldest = Math.min(...dispute.competitors.filter(standing), Number.POSITIVE_INFINITY)
  return dispute.answers.some((piece) => standing(piece) && piece < oldest) ? 'canonical' : 'not'
}

function suspends(game: Game, world: World, input: number): boolean {
  const exit = at(world.exits, input)
  if (exit === null || exit.state === 'removed') return true
  if (exit.state === 'paid') return false
  return world.now <= payableAfter(game, world, exit) - game.rules.mep / 4
}

function mayDecide(game: Game, world: World, piece: number, lock: number): boolean {
  if (!on(game.rules, 'H4') || !on(game.rules, 'C1')) return true
  return lock === NONE || blockAt(world, blockNumberOf(piece)).anchor < lock
}

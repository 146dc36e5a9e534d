/** Standard exits in the explorer: start, evidence, turn, ticket, settlement, release (`docs/spec.md` 5 and 6.3.5). */
import { hasFallen, isVoid, isWitnessed, showLeaf } from './chain.ts'
import { on } from './rules.ts'
import {
  at,
  blockAt,
  blockNumberOf,
  type Exit,
  type Game,
  inclusions,
  insert,
  leafAt,
  NONE,
  put,
  shareOf,
  type Verdict,
  type Via,
  type World,
} from './world.ts'

/** When an exit is payable: moves of the halt give everything unpaid a fresh period. (The draft without K2 moved the exits of disputes only.) */
export function payableAfter(game: Game, world: World, exit: Exit): number {
  if (!on(game.rules, 'K2') && exit.via !== 'dispute') return exit.exitableAt
  return world.lastMove === NONE ? exit.exitableAt : Math.max(exit.exitableAt, world.lastMove + game.rules.mep)
}

/** The verdict, for the token of `output`, of the dispute about the transaction that makes it. */
export function verdictFor(game: Game, world: World, output: number): Verdict | null {
  const { madeBy, token } = at(game.outputs, output)
  const dispute = madeBy === NONE ? null : at(world.disputes, madeBy)
  return dispute === null ? null : at(dispute.verdicts, token)
}

/** Whether a dispute makes the exit wait. */
export function isHeld(game: Game, world: World, output: number): boolean {
  const { token } = at(game.outputs, output)
  const waitsFor = (verdict: Verdict) => verdict === 'open' || (verdict === 'not' && !on(game.rules, 'K7'))
  if (world.disputes.some((d) => d?.holds.includes(output) && waitsFor(at(d.verdicts, token)))) return true
  return isBound(game, world, output) && verdictFor(game, world, output) === 'open'
}

/** Whether an exit stands and falls with the verdict about what makes it: one through the dispute, or by inclusion but begun while the dispute ran. */
function isBound(game: Game, world: World, output: number): boolean {
  const exit = at(world.exits, output)
  const { madeBy } = at(game.outputs, output)
  if (exit === null || madeBy === NONE) return false
  return exit.via === 'dispute' || (on(game.rules, 'F4') && exit.boundByStart)
}

/** Whether a shown piece still counts against the exit of `output`. */
export function stands(game: Game, world: World, output: number, piece: number): boolean {
  // Without H-C a later piece takes the place of an earlier one.
  if (
    !on(game.rules, 'H-C') &&
    at(world.exits, output)?.evidence.includes(piece) &&
    at(world.exits, output)?.evidence.at(-1) !== piece
  )
    return false
  if (!on(game.rules, 'C3') || piece < 0) return true
  if (isVoid(world, blockNumberOf(piece))) return false
  if (on(game.rules, 'K6') && world.invalid.includes(piece)) return false
  if (isOverruled(game, world, output, leafAt(world, piece).tx)) return false
  const exit = at(world.exits, output)
  if (exit?.via !== 'dispute') return true
  return inclusions(world, at(game.outputs, output).madeBy).some((p) => p < piece && !hasFallen(world, p))
}

/** Whether the exit game has decided already that a transaction did not happen: by its verdict, or by paying another of its inputs. */
function isOverruled(game: Game, world: World, output: number, tx: number): boolean {
  const { token } = at(game.outputs, output)
  if (on(game.rules, 'F4') && at(world.disputes, tx)?.verdicts[token] === 'not') return true
  if (!on(game.rules, 'F8')) return false
  return at(game.txs, tx).inputs.some((input) => input !== output && (at(world.exits, input)?.paid ?? 0) > 0)
}

/** Whether a standing piece ends the exit for good: its block can't be voided any more. */
function isFinal(game: Game, world: World, piece: number): boolean {
  return piece < 0 || world.now > blockAt(world, blockNumberOf(piece)).time + game.rules.mep || !on(game.rules, 'C3')
}

/** Why nobody will ever be owed this exit; null while somebody may. */
export function fate(
  game: Game,
  world: World,
  output: number,
): 'void' | 'passed on' | 'not canonical' | 'spent' | null {
  const exit = at(world.exits, output)
  if (exit === null) return null
  if (typeof exit.via === 'number' && hasFallen(world, exit.via)) return 'void'
  const restsOnFallen = exit.via === 'dispute' && exit.block > 0 && hasFallen(world, agePosition(game, world, output))
  if (restsOnFallen && on(game.rules, 'C2')) return 'void'
  if (isBound(game, world, output) && verdictFor(game, world, output) === 'not') return 'not canonical'
  if (world.passedOn.includes(output)) return 'passed on'
  if (on(game.rules, 'F4') && isHeld(game, world, output)) return null
  if (on(game.rules, 'D1') && on(game.rules, 'P4') && world.now <= payableAfter(game, world, exit)) return null
  if (
    on(game.rules, 'F9') &&
    on(game.rules, 'P4') &&
    world.now <= payableAfter(game, world, exit) + game.rules.reaction
  )
    return null
  return exit.evidence.some((p) => stands(game, world, output, p) && isFinal(game, world, p)) ? 'spent' : null
}

/** Where the youngest input stands that the dispute about the output's transaction was started with. */
function agePosition(game: Game, world: World, output: number): number {
  return Math.max(...(at(world.disputes, at(game.outputs, output).madeBy)?.cites ?? []))
}

/** Whether an exit that was removed leaves its output free to start again. */
function mayRestart(game: Game, world: World, output: number, exit: Exit): boolean {
  if (exit.state !== 'removed') return false
  const why = fate(game, world, output)
  if (why === 'void') return true
  if (!on(game.rules, 'P4') && exit.evidence.length > 0)
    return !exit.evidence.some((p) => stands(game, world, output, p))
  return !on(game.rules, 'K3') && why === null && !isHeld(game, world, output)
}

/** Starts a standard exit of an output. */
export function startExit(game: Game, world: World, output: number, via: Via): World | string {
  const { rules } = game
  const before = at(world.exits, output)
  const spec = at(game.outputs, output)
  if (before !== null && !mayRestart(game, world, output, before)) return 'an output exits once'
  if (world.passedOn.includes(output)) return 'its value was passed on'
  if (!on(rules, 'K3') && isHeld(game, world, output)) return 'a running dispute spends it'
  if (spec.amount > at(world.funded, spec.token)) return 'more than ever came in'
  let block = 0
  let shown = world
  let soonest = world.now + rules.mep
  if (via === 'deposit') {
    if (spec.madeBy !== NONE) return 'not a deposit'
  } else if (via === 'dispute') {
    const dispute = spec.madeBy === NONE ? null : at(world.disputes, spec.madeBy)
    const verdict = verdictFor(game, world, output)
    if (dispute === null || verdict === 'not') return 'no dispute stands for it'
    if (verdict === 'open' && !on(rules, 'P2')) return 'only after the verdict'
    if (verdict === 'canonical' && !on(rules, 'K5')) return 'only before the verdict'
    block = dispute.age
    if (verdict === 'open' && !on(rules, 'H-A')) soonest = dispute.end
  } else {
    if (leafAt(world, via).tx !== spec.madeBy) return 'another transaction'
    if (hasFallen(world, via)) return 'void or invalid'
    if (on(rules, 'F4') && verdictFor(game, world, output) === 'not') return 'judged not canonical'
    block = blockNumberOf(via)
    shown = showLeaf(world, via)
  }
  if (block > 0 && isVoid(world, block) && (via !== 'dispute' || on(rules, 'C2'))) return 'void'
  const second = block > 0 ? blockAt(world, block).time + 2 * rules.mep : NONE
  const exit: Exit = {
    start: world.now,
    exitableAt: Math.max(soonest, second),
    young: block > 0 && second >= soonest,
    block,
    arrival: world.arrivals,
    via,
    boundByStart: via !== 'dispute' && verdictFor(game, world, output) === 'open',
    state: 'queued',
    evidence: [],
    from: 0,
    due: 0,
    paid: 0,
    inherited: 0,
  }
  const lock = at(world.lock, output) === NONE ? put(world.lock, output, world.now) : world.lock
  return { ...shown, lock, arrivals: world.arrivals + 1, exits: put(world.exits, output, exit) }
}

/** Shows a spend: a position, or below zero the transaction -1 - piece that is in no block. */
export function showEvidence(game: Game, world: World, output: number, piece: number): World | string {
  const { rules } = game
  const exit = at(world.exits, output)
  if (exit === null || (exit.state !== 'queued' && exit.state !== 'ticket')) return 'no exit that could be challenged'
  if (world.passedOn.includes(output)) return 'its value was passed on'
  // The draft without C1 took evidence until the payout.
  if (on(rules, 'C1') && world.now > payableAfter(game, world, exit) - rules.mep / 4) return 'the window is over'
  const top = exit.evidence.at(-1)
  // Without H-C a piece that was replaced may come again when the one on top fell.
  const again = !on(rules, 'H-C') && top !== undefined && top !== piece && !stands(game, world, output, top)
  if (exit.evidence.includes(piece) && !again) return 'shown already'
  const tx = piece < 0 ? -1 - piece : leafAt(world, piece).tx
  if (!at(game.txs, tx).inputs.includes(output)) return 'it spends something else'
  if (piece >= 0 && !isWitnessed(game, leafAt(world, piece), output)) return 'its owner did not sign it'
  if (piece < 0 && on(rules, 'C4')) return 'it is in no block'
  if (piece >= 0 && (hasFallen(world, piece) || (!again && !stands(game, world, output, piece)))) return 'it has fallen'
  const allowed = piece < 0 || blockAt(world, blockNumberOf(piece)).anchor < at(world.lock, output)
  if (!allowed && on(rules, 'H4') && on(rules, 'C1')) return 'its block may not spend the output'
  const evidence = on(rules, 'H-C') ? insert(exit.evidence, piece) : [...exit.evidence, piece]
  const lost = !allowed && on(rules, 'C1') && game.honest.includes(at(game.outputs, output).owner)
  const next: Exit = { ...exit, evidence, state: on(rules, 'P4') ? exit.state : 'removed' }
  const shown = piece < 0 ? world : showLeaf(world, piece)
  const bondsLost = lost ? insert(world.bondsLost, output) : world.bondsLost
  return { ...shown, bondsLost, exits: put(world.exits, output, next) }
}

/** When an exit has its turn. */
function turnAfter(game: Game, world: World, exit: Exit): number {
  return on(game.rules, 'K2') ? exit.exitableAt : payableAfter(game, world, exit)
}

/** The exit whose turn is next: two streams merged, the old one first on a tie. */
export function headOfQueue(game: Game, world: World): number | null {
  let best: number | null = null
  const key = (exit: Exit) => [
    turnAfter(game, world, exit),
    exit.young ? 1 : 0,
    exit.young ? exit.block : 0,
    exit.arrival,
  ]
  world.exits.forEach((exit, output) => {
    if (exit?.state !== 'queued') return
    const other = best === null ? null : at(world.exits, best)
    if (other === null || isLess(key(exit), key(other))) best = output
  })
  return best
}

/** Gives the head of the queue its turn: it is removed, or reserves and is paid or becomes a ticket. */
export function takeTurn(game: Game, world: World): World | string {
  const output = headOfQueue(game, world)
  const exit = output === null ? null : at(world.exits, output)
  if (output === null || exit === null || world.now <= turnAfter(game, world, exit)) return 'nobody is due'
  if (fate(game, world, output) !== null)
    return { ...world, exits: put(world.exits, output, { ...exit, state: 'removed' }) }
  const { token, amount } = at(game.outputs, output)
  const from = at(world.line, token)
  const waits = mustWait(game, world, output, exit)
  const payable = !waits && from + amount <= at(world.funded, token)
  if (!payable && !on(game.rules, 'P9b')) return 'the queue waits for its head'
  const next: Exit = { ...exit, from, due: amount, state: payable ? 'paid' : 'ticket', paid: payable ? amount : 0 }
  return { ...world, line: put(world.line, token, from + amount), exits: put(world.exits, output, next) }
}

/** Pays a ticket as far as the line's money reaches into it. */
export function settle(game: Game, world: World, output: number): World | string {
  const exit = at(world.exits, output)
  if (exit?.state !== 'ticket') return 'no ticket'
  if (fate(game, world, output) !== null || mustWait(game, world, output, exit)) return 'not payable'
  const { token } = at(game.outputs, output)
  const covered = at(world.funded, token) - exit.from - (exit.paid - exit.inherited)
  const owed = exit.due - exit.paid
  if (covered < 0 || (covered === 0 && owed > 0)) return 'not covered'
  const paid = exit.paid + Math.min(covered, owed)
  const isWhole = paid === exit.due
  // What it inherited it does not need of its own place.
  const funded = isWhole ? put(world.funded, token, at(world.funded, token) + exit.inherited) : world.funded
  const next: Exit = { ...exit, paid, state: isWhole ? 'paid' : 'ticket' }
  return { ...world, funded, exits: put(world.exits, output, next) }
}

/** Gives the reservation of a ticket that nobody will be owed to those behind it. */
export function release(game: Game, world: World, output: number): World | string {
  const exit = at(world.exits, output)
  if (exit?.state !== 'ticket' || exit.paid > 0) return 'no untouched ticket'
  const why = fate(game, world, output)
  if (why === null) return 'somebody may be owed it'
  if (why === 'passed on' && on(game.rules, 'F1')) return 'its place is for the outputs'
  const { token } = at(game.outputs, output)
  if (at(world.funded, token) < exit.from) return 'the line has not reached it'
  const funded = put(world.funded, token, at(world.funded, token) + exit.due)
  return { ...world, funded, exits: put(world.exits, output, { ...exit, state: 'removed' }) }
}

/** Pays an output out of the place of an input's cancelled ticket: its part of it, pro rata; frees the part of an output that needs it no more. */
export function inherit(game: Game, world: World, input: number, output: number): World | string {
  const { madeBy, token } = at(game.outputs, output)
  const ticket = at(world.exits, input)
  if (!on(game.rules, 'F1') || madeBy === NONE || verdictFor(game, world, output) !== 'canonical')
    return 'nothing to inherit'
  const { inputs, outputs } = at(game.txs, madeBy)
  const isCancelled = ticket?.state === 'ticket' && world.passedOn.includes(input) && inputs.includes(input)
  if (!isCancelled || at(game.outputs, input).token !== token) return 'no cancelled ticket'
  if (world.shares.includes(shareOf(input, output))) return 'its share is gone'
  const amounts = outputs.map((o) => (at(game.outputs, o).token === token ? at(game.outputs, o).amount : 0))
  const sum = amounts.reduce((a, b) => a + b, 0)
  const index = outputs.indexOf(output)
  const before = amounts.slice(0, index).reduce((a, b) => a + b, 0)
  const low = Math.floor((ticket.due * before) / sum)
  const share = Math.floor((ticket.due * (before + at(amounts, index))) / sum) - low
  const funded = at(world.funded, token)
  const taken = { ...world, shares: insert(world.shares, shareOf(input, output)) }
  const exit = at(world.exits, output)
  const isOver = exit?.state === 'paid' || exit?.state === 'removed'
  if (isOver || (world.passedOn.includes(output) && exit?.state !== 'queued')) {
    if (isOver && exit.state === 'removed' && fate(game, world, output) === 'void') return 'it may start again'
    if (funded < ticket.from + low) return 'not covered'
    return { ...taken, funded: put(world.funded, token, funded + share) }
  }
  if (exit?.state !== 'ticket' || fate(game, world, output) !== null || mustWait(game, world, output, exit))
    return 'not payable'
  if (funded < ticket.from + low + share) return 'not covered'
  const amount = Math.min(share, exit.due - exit.paid)
  const next: Exit = { ...exit, paid: exit.paid + amount, inherited: exit.inherited + amount }
  const after = {
    ...taken,
    funded: put(world.funded, token, funded + share - amount),
    exits: put(world.exits, output, next),
  }
  const settled = settle(game, after, output)
  return typeof settled === 'string' ? after : settled
}

function mustWait(game: Game, world: World, output: number, exit: Exit): boolean {
  if (world.now <= payableAfter(game, world, exit) || isHeld(game, world, output)) return true
  return exit.evidence.some((piece) => stands(game, world, output, piece))
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((value, k) => value !== b[k])
  return i >= 0 && at(a, i) < at(b, i)
}

/** Every move of the hostile side, and every move that anybody may make, in a state of the explorer. */
import { anchorChoices, breachAt, hasFallen, isVoid } from './chain.ts'
import type { Act, Move } from './moves.ts'
import { at, type Game, inclusions, leafAt, NONE, positionOf, positions, type Via, type World } from './world.ts'

/** The candidates; some are refused when they are applied. */
export function hostileActs(game: Game, world: World): Act[] {
  const { powers } = game
  const moves: Move[] = []
  if (!world.halted) {
    for (const [spec, { from, until }] of game.blocks.entries()) {
      if (world.submitted.includes(spec) || world.now < from || world.now > until) continue
      if (powers.inOrder && spec > world.submitted.length) continue
      for (const anchor of anchorChoices(game, world)) moves.push({ type: 'submit', spec, anchor })
    }
    if (powers.close) moves.push({ type: 'close' })
  }
  for (const [i, block] of world.blocks.entries()) {
    if (block.shownAt === NONE && !isVoid(world, i + 1)) moves.push({ type: 'reveal', block: i + 1 })
  }
  for (const [i, block] of world.blocks.entries()) {
    if (block.asked.some((asked) => asked >= 0)) moves.push({ type: 'haltUnanswered', block: i + 1 })
    for (const [index, asked] of block.asked.entries()) {
      const position = positionOf(i + 1, index)
      const mayHit = block.openness === 'open' || block.openness === 'thin'
      if (asked === NONE && powers.asks && mayHit) moves.push({ type: 'ask', position })
      if (asked >= 0 && block.openness !== 'open') moves.push({ type: 'answerData', position })
    }
  }
  for (const output of powers.exits) {
    for (const via of waysOut(game, world, output)) moves.push({ type: 'startExit', output, via })
  }
  for (const tx of powers.disputes) moves.push({ type: 'startDispute', tx })
  for (const [tx, dispute] of world.disputes.entries()) {
    if (dispute === null) continue
    for (const rival of powers.rivals) {
      moves.push({ type: 'competitor', tx, piece: -1 - rival })
      for (const piece of inclusions(world, rival)) moves.push({ type: 'competitor', tx, piece })
    }
    if (powers.answers) for (const piece of inclusions(world, tx)) moves.push({ type: 'answer', tx, piece })
  }
  for (const output of powers.accused) moves.push(...accusations(game, world, output))
  if (powers.proofs) {
    for (const position of positions(world)) {
      if (!hasFallen(world, position) && breachAt(game, world, position, true) !== null)
        moves.push({ type: 'prove', position, everything: true })
    }
  }
  const acts = moves.map((move) => ({ actor: 'Mallory', move }))
  return powers.processing ? [...acts, ...anybodysActs(game, world)] : acts
}

/** How an output could start its exit: by every inclusion, as a deposit, through its dispute. */
export function waysOut(game: Game, world: World, output: number): Via[] {
  const { madeBy } = at(game.outputs, output)
  if (madeBy === NONE) return ['deposit']
  return at(world.disputes, madeBy) === null ? inclusions(world, madeBy) : [...inclusions(world, madeBy), 'dispute']
}

/** Spends of an output that could be shown against its exit. */
function accusations(game: Game, world: World, output: number): Move[] {
  const exit = at(world.exits, output)
  if (exit === null) return []
  const spends = (tx: number) => at(game.txs, tx).inputs.includes(output)
  const included = positions(world).filter((position) => spends(leafAt(world, position).tx))
  const loose = game.rules.off.has('C4') ? game.txs.flatMap((_, tx) => (spends(tx) ? [-1 - tx] : [])) : []
  return [...included, ...loose].map((piece) => ({ type: 'evidence', output, piece }))
}

/** Who could inherit the place of an input: the outputs of whatever spends it. */
export function heirs(game: Game, input: number): Move[] {
  const spends = game.txs.filter(({ inputs }) => inputs.includes(input))
  return spends.flatMap(({ outputs }) => outputs.map((output): Move => ({ type: 'inherit', input, output })))
}

/** Turns, verdicts, settlements and releases: open to anybody, so it is the hostile side that picks the moment. */
export function anybodysActs(game: Game, world: World): Act[] {
  const moves: Move[] = [{ type: 'turn' }]
  world.disputes.forEach((dispute, tx) => {
    const tokens = game.rules.off.has('C7') ? game.tokens : 1
    if (dispute !== null) for (let token = 0; token < tokens; token++) moves.push({ type: 'decide', tx, token })
  })
  world.exits.forEach((exit, output) => {
    if (exit?.state === 'ticket') moves.push({ type: 'settle', output }, { type: 'release', output })
  })
  for (const [input, exit] of world.exits.entries()) {
    if (exit?.state === 'ticket' && world.passedOn.includes(input)) moves.push(...heirs(game, input))
  }
  return moves.map((move) => ({ actor: 'anybody', move }))
}

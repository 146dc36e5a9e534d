/**
 * What must hold (`docs/invariants.md`): in every state that no more was paid than came in and nothing twice; at the end that every honest owner got at
 * least what some honest reading of history owes (FUNDS-1, EXIT-1 to EXIT-4).
 */
import { breachAt, isVoid, isWitnessed, knownSince, positionsIn } from './chain.ts'
import { isSolid, withheldBlock } from './honest.ts'
import { NOT_IN_CONTRACTS, on } from './rules.ts'
import { at, blockAt, blockNumberOf, type Game, leafAt, NONE, positionOf, positions, type World } from './world.ts'

/** What is broken already in this state, or null. */
export function brokenNow(game: Game, world: World): string | null {
  for (let token = 0; token < game.tokens; token++) {
    const paid = sum(game.outputs.map((spec, o) => (spec.token === token ? (at(world.exits, o)?.paid ?? 0) : 0)))
    const held = sum(game.outputs.map((o) => (o.madeBy === NONE && o.token === token ? o.amount : 0)))
    if (paid > held) return `FUNDS-1: ${paid} paid of token ${token}, ${held} came in`
  }
  for (const [o, spec] of game.outputs.entries()) {
    if ((at(world.exits, o)?.paid ?? 0) > spec.amount) return `EXIT-3: ${spec.name} was paid twice`
  }
  const lost = world.bondsLost[0]
  if (lost !== undefined) return `EXIT-7: the bond of ${at(game.outputs, lost).name} fell to a spend that V6 forbids`
  const starter = world.startersLost[0]
  if (starter !== undefined && game.watchBonds)
    return `8.3.7: the bond of the dispute about ${at(game.txs, starter).name} fell to a competitor that nobody could see`
  return brokenHalt(game, world) ?? (isWhole(game) ? brokenOrder(game, world) : null)
}

/** Whether all rules of the contracts are on: then also what only follows from all of them is looked at. */
function isWhole(game: Game): boolean {
  return [...game.rules.off].every((amendment) => NOT_IN_CONTRACTS.includes(amendment))
}

/** HALT-1 to HALT-3 and HALT-5. */
function brokenHalt(game: Game, world: World): string | null {
  const { mep, reaction } = game.rules
  if (world.voidFrom <= world.blocks.length && !isAtFault(game, world, world.voidFrom))
    return `HALT-1: block ${world.voidFrom} is valid and could be had, and the chain was halted at it`
  for (const [o, exit] of world.exits.entries()) {
    if (exit !== null && exit.paid > 0 && exit.block > 0 && isVoid(world, exit.block))
      return `HALT-3: ${at(game.outputs, o).name} was paid, and its block is void`
  }
  for (const [i, block] of world.blocks.entries()) {
    if (isVoid(world, i + 1) || world.now <= block.time + mep) continue
    const proofs = positionsIn(world, i + 1).flatMap((p) => breachAt(game, world, p, false)?.since ?? [])
    const unanswered = block.asked.flatMap((tick, index) => {
      const known = knownSince(world, positionOf(i + 1, index))
      const isHidden = known === NONE || known > tick
      return tick >= 0 && isHidden ? [tick + game.rules.dr] : []
    })
    const since = Math.min(...proofs, ...unanswered)
    if (on(game.rules, 'F11') && since + reaction <= block.time + mep)
      return `HALT-2: block ${i + 1} stands, and could have been halted in time`
  }
  return null
}

/** Whether a block breaks a rule, or a leaf of it was demanded and nobody could have shown it in time. */
function isAtFault(game: Game, world: World, number: number): boolean {
  const block = at(world.blocks, number - 1)
  if (block.openness === 'small' && block.shownAt === NONE) return true
  return block.leaves.some((_, index) => {
    const position = positionOf(number, index)
    const asked = at(block.asked, index)
    const known = knownSince(world, position)
    const isKept = asked >= 0 && (known === NONE || known > asked)
    return isKept || !isValid(game, world, position)
  })
}

/** Section 4 once more, told by walking through the chain: what exists, what is spent, what is locked. */
function isValid(game: Game, world: World, position: number): boolean {
  const exists = new Set(game.outputs.flatMap(({ madeBy }, o) => (madeBy === NONE ? [o] : [])))
  const spent = new Set<number>()
  for (const earlier of positions(world).filter((p) => p < position)) {
    const leaf = leafAt(world, earlier)
    const spec = at(game.txs, leaf.tx)
    for (const o of spec.outputs) exists.add(o)
    for (const o of spec.inputs) if (isWitnessed(game, leaf, o)) spent.add(o)
  }
  const leaf = leafAt(world, position)
  const { anchor } = blockAt(world, blockNumberOf(position))
  const { inputs, fault } = at(game.txs, leaf.tx)
  const isFree = (o: number) => at(world.lock, o) === NONE || at(world.lock, o) > anchor
  return (
    fault === 'none' && inputs.every((o) => exists.has(o) && !spent.has(o) && isWitnessed(game, leaf, o) && isFree(o))
  )
}

/** EXIT-4: no exit of block M or later has its turn before one of something older that started by the time of M + MEP. */
function brokenOrder(game: Game, world: World): string | null {
  for (const [o, late] of world.exits.entries()) {
    if (late === null || late.state === 'queued' || late.block === 0) continue
    const until = at(world.blocks, late.block - 1).time + game.rules.mep
    const early = world.exits.findIndex(
      (exit) => exit?.state === 'queued' && exit.block < late.block && exit.start <= until,
    )
    if (early >= 0) return `EXIT-4: ${at(game.outputs, o).name} had its turn before ${at(game.outputs, early).name}`
  }
  return null
}

/**
 * What is broken at the end, when everybody left, or null. Somebody honest is short if there is no history that contains every payment of readable, valid
 * blocks, and any of the other completely signed ones, under which each honest owner got at least the unspent outputs he owns.
 */
export function brokenAtEnd(game: Game, world: World): string | null {
  const withheld = withheldBlock(game, world) ?? Number.POSITIVE_INFINITY
  const must = new Set(
    positions(world)
      .filter((p) => isSolid(game, world, p, withheld))
      .map((p) => leafAt(world, p).tx),
  )
  const may = game.txs.flatMap((spec, tx) => (!must.has(tx) && spec.fault === 'none' ? [tx] : []))
  let best: string | null = null
  for (let choice = 0; choice < 2 ** may.length; choice++) {
    const history = [...must, ...may.filter((_, i) => Math.floor(choice / 2 ** i) % 2 === 1)]
    const unspent = settleHistory(game, history)
    if (unspent === null) continue
    const short = shortOwner(game, world, unspent)
    if (short === null) return null
    best ??= short
  }
  return best ?? 'EXIT-1: no history fits the readable blocks'
}

/** The unspent outputs after the transactions, or null if they don't fit together. */
function settleHistory(game: Game, history: readonly number[]): number[] | null {
  const spent = history.flatMap((tx) => at(game.txs, tx).inputs)
  if (new Set(spent).size < spent.length) return null
  const exists = (o: number) => at(game.outputs, o).madeBy === NONE || history.includes(at(game.outputs, o).madeBy)
  if (!spent.every(exists)) return null
  return game.outputs.flatMap((_, o) => (exists(o) && !spent.includes(o) ? [o] : []))
}

function shortOwner(game: Game, world: World, unspent: readonly number[]): string | null {
  for (const owner of game.honest) {
    for (let token = 0; token < game.tokens; token++) {
      const mine = (o: number) => at(game.outputs, o).owner === owner && at(game.outputs, o).token === token
      const owed = sum(unspent.filter(mine).map((o) => at(game.outputs, o).amount))
      const got = sum(game.outputs.map((_, o) => (mine(o) ? (at(world.exits, o)?.paid ?? 0) : 0)))
      if (got < owed) return `FUNDS-1: ${owner} got ${got} of token ${token} and is owed ${owed}`
    }
  }
  return null
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

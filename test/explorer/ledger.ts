/**
 * What must hold (`docs/invariants.md`): in every state that no more was paid than came in and nothing twice; at the end that every honest owner got at
 * least what some honest reading of history owes (FUNDS-1, EXIT-1 to EXIT-4).
 */
import { isSolid, withheldBlock } from './honest.ts'
import { at, type Game, leafAt, NONE, positions, type World } from './world.ts'

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

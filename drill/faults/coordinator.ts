/** What a hostile coordinator puts into a mass exit (docs/spec.md 6.4): each kind of entry that names nothing, or nothing of hers, by name. */
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { bug } from '../../protocol/errors.ts'
import type { Entry } from '../../protocol/massExit.ts'
import { encodePosition } from '../../protocol/position.ts'
import type { Owner } from '../actors.ts'
import { runningWatcher, unspentOf } from '../leave.ts'
import type { World } from '../world.ts'

/** What she has and what she had. */
export type Purse = Readonly<{ own: Entry; spent: Entry }>

export type BadEntries = (world: World, purse: Purse) => readonly Entry[]

/** Of an owner whom a watcher protects, and who asked for nothing. */
export const uninvited: BadEntries = (world) =>
  etherOf(
    world,
    world.owners.find(({ care }) => care === 'watcher'),
  )

/** A transaction that no block has. */
export const forged: BadEntries = (world, { own }) => {
  const block = runningWatcher(world).watcher().core.facts.newestBlock()
  return [{ position: encodePosition({ block, index: 500, output: 0 }), amount: own.amount }]
}

/** One wei too much, and one too little. */
export const offByOne: BadEntries = (world) =>
  etherOf(world, world.owners[0]).map(({ position, amount }, i) => ({
    position,
    amount: i % 2 === 0 ? amount + 1n : amount - 1n,
  }))

/** Her own, for twice what it is worth. */
export const overDeclared: BadEntries = (_world, { own }) => [{ ...own, amount: 2n * own.amount }]

/** All ETH of an owner. */
export function etherOf(world: World, owner: Owner | undefined): readonly Entry[] {
  if (!owner) throw bug('VICTIM_MISSING', 'no such owner in this drill', { want: 'one whom a watcher protects' })
  return unspentOf(runningWatcher(world), owner)
    .filter(({ token, exit }) => token === ZERO_ADDRESS && !exit)
    .map(({ position, amount }) => ({ position, amount }))
}

/** All unspent ETH that the watchers know of, as a coordinator would list it. */
export function everybodysEther(world: World): readonly Entry[] {
  return runningWatcher(world)
    .watcher()
    .core.ledger.unspent(-1, 1_000)
    .filter(({ token, lockedAt }) => token === ZERO_ADDRESS && lockedAt === undefined)
    .map(({ position, amount }) => ({ position, amount }))
}

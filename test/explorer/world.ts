/**
 * The explorer's world: a fixed cast (users, outputs, transactions, blocks that may come) and the state that moves change. Everything is plain data and
 * every list has a fixed order, so that equal states have equal JSON (`docs/spec.md` 1 to 5).
 */
import type { Rules } from './rules.ts'

/** Of a leaf that was demanded: it was revealed. */
export const ANSWERED = -2
/** "Never", for ticks; "no deposit or block", for places. */
export const NONE = -1
/** A halt above every block: nothing is void. */
export const NOTHING_VOID = 999

export interface OutputSpec {
  readonly name: string
  readonly owner: string
  readonly token: number
  readonly amount: number
  /** The transaction that makes it, or NONE for a deposit. */
  readonly madeBy: number
  /** Of a deposit: the newest child block when it was made. */
  readonly afterBlock: number
}

export interface TransactionSpec {
  readonly name: string
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** The hostile side holds a signature that honest people don't have, so only it can use the transaction. */
  readonly half: boolean
  /** Never valid: `leaf` is seen from the transaction itself, `hidden` only by who has the whole block. */
  readonly fault: 'none' | 'leaf' | 'hidden'
}

/** A leaf of a block: a transaction, complete, or with witnesses missing: the hostile side's own (half), or those of honest owners (forged). */
export interface Leaf {
  readonly tx: number
  readonly half: boolean
  readonly forged: boolean
}

/**
 * How much a block shows: all; nothing until it is forced out (one leaf, told in short: shown by its time + DC + DR, or it halts); the same with every
 * challenge and answer a move of its own (asked); nothing until the operator likes (thousands of leaves); the same, and any leaf of it may be hit by a data
 * challenge (thin); nothing ever but the leaves that are used on L1.
 */
export type Openness = 'open' | 'small' | 'asked' | 'big' | 'thin' | 'shut'

export interface BlockSpec {
  readonly leaves: readonly Leaf[]
  readonly openness: Openness
  /** The first and the last tick at which it may be submitted. */
  readonly from: number
  readonly until: number
}

/** One scenario, resolved: numbers instead of names. Users that are not honest play together with the operator. */
export interface Game {
  readonly name: string
  readonly rules: Rules
  readonly outputs: readonly OutputSpec[]
  readonly txs: readonly TransactionSpec[]
  readonly blocks: readonly BlockSpec[]
  readonly honest: readonly string[]
  /** Honest owners who do nothing until everything else is over. */
  readonly away: readonly string[]
  readonly powers: Powers
  readonly horizon: number
  /** When honest people act between knowing and the end of their time: at any moment of it, or at the last. */
  readonly pace: 'any' | 'last'
  readonly tokens: number
  /** Bonds of disputes are looked at too (8.3.7). */
  readonly watchBonds: boolean
  readonly start: World
}

/** What the hostile side may do in a scenario, by number of output or transaction. */
export interface Powers {
  readonly exits: readonly number[]
  readonly disputes: readonly number[]
  readonly accused: readonly number[]
  /** Transactions that may be shown as competitors. */
  readonly rivals: readonly number[]
  readonly answers: boolean
  /** Data challenges, of every leaf that may be asked for. */
  readonly asks: boolean
  /** Blocks come in the order of the list. */
  readonly inOrder: boolean
  /** Under which anchors blocks come: all that differ, or the youngest (for blocks that spend nothing that leaves). */
  readonly anchors: 'all' | 'youngest'
  readonly proofs: boolean
  readonly close: boolean
  readonly processing: boolean
}

export interface Block {
  readonly leaves: readonly Leaf[]
  readonly openness: Openness
  readonly anchor: number
  readonly time: number
  /** When its body became public, or NONE. */
  readonly shownAt: number
  /** When each leaf was shown on L1 by itself, or NONE. */
  readonly leafShownAt: readonly number[]
  /** When each leaf was demanded by a data challenge: ANSWERED, or NONE if never. */
  readonly asked: readonly number[]
  /** Outputs that had been paid when it was submitted (used only without C1). */
  readonly paidBefore: readonly number[]
}

/** What an exit's output was shown by: a position, a deposit, or a dispute about the transaction that makes it. */
export type Via = 'deposit' | 'dispute' | number

export interface Exit {
  readonly start: number
  readonly exitableAt: number
  readonly young: boolean
  /** The block whose age it has; 0 for deposits. */
  readonly block: number
  readonly arrival: number
  readonly via: Via
  /** Begun by inclusion while a dispute about its transaction ran. */
  readonly boundByStart: boolean
  readonly state: 'queued' | 'ticket' | 'paid' | 'removed'
  /** Positions of spends; below zero: a transaction in no block (only without C4). In order, none twice. */
  readonly evidence: readonly number[]
  readonly from: number
  readonly due: number
  readonly paid: number
  /** Of `paid`: what came out of the places of cancelled tickets. */
  readonly inherited: number
}

export type Verdict = 'open' | 'canonical' | 'not'

export interface Dispute {
  readonly start: number
  readonly end: number
  /** The block whose age it has, or 0. */
  readonly age: number
  /** Where each input was made; NONE for deposits. */
  readonly cites: readonly number[]
  /** Inputs whose exits wait for the verdict. */
  readonly holds: readonly number[]
  /** Competitors: position, or below zero a transaction that is in no block. */
  readonly competitors: readonly number[]
  readonly answers: readonly number[]
  /** By token; all the same with C7. */
  readonly verdicts: readonly Verdict[]
  /** Somebody honest posted its bond. */
  readonly honest: boolean
}

export interface World {
  readonly now: number
  readonly blocks: readonly Block[]
  readonly submitted: readonly number[]
  readonly halted: boolean
  readonly voidFrom: number
  readonly lastMove: number
  readonly invalid: readonly number[]
  readonly lock: readonly number[]
  readonly exits: readonly (Exit | null)[]
  readonly passedOn: readonly number[]
  /** Shares of cancelled tickets that were used, each as shareOf. */
  readonly shares: readonly number[]
  readonly disputes: readonly (Dispute | null)[]
  readonly funded: readonly number[]
  readonly line: readonly number[]
  readonly arrivals: number
  /** Honest exits whose bond fell to a spend that V6 forbids. */
  readonly bondsLost: readonly number[]
  /** Transactions whose dispute cost somebody honest the bond, by a competitor that nobody could see when it started. */
  readonly startersLost: readonly number[]
}

/** The position of leaf `index` in block `number` (blocks number from 1). */
export function positionOf(number: number, index: number): number {
  return number * 16 + index
}

/** The share of an input's cancelled ticket that belongs to an output, as one number. */
export function shareOf(input: number, output: number): number {
  return input * 64 + output
}

/** The block of a position. */
export function blockNumberOf(position: number): number {
  return Math.floor(position / 16)
}

/** The block at a position or of a number that exists; a bug otherwise. */
export function blockAt(world: World, number: number): Block {
  const block = world.blocks[number - 1]
  if (block === undefined) throw new RangeError(`got block ${number}, want one of ${world.blocks.length}`)
  return block
}

/** An element that exists; a bug otherwise. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new RangeError(`got index ${index}, want below ${list.length}`)
  return item
}

/** The list with one element replaced. */
export function put<T>(list: readonly T[], index: number, item: T): readonly T[] {
  const copy = list.slice()
  copy[index] = item
  return copy
}

/** The sorted list with one more number. */
export function insert(list: readonly number[], item: number): readonly number[] {
  return list.includes(item) ? list : [...list, item].sort((a, b) => a - b)
}

/** The leaf at a position. */
export function leafAt(world: World, position: number): Leaf {
  return at(blockAt(world, blockNumberOf(position)).leaves, position % 16)
}

/** All positions of the chain, in order. */
export function positions(world: World): number[] {
  const found: number[] = []
  for (const [i, block] of world.blocks.entries()) {
    for (let index = 0; index < block.leaves.length; index++) found.push(positionOf(i + 1, index))
  }
  return found
}

/** Where a transaction is included. */
export function inclusions(world: World, tx: number): number[] {
  return positions(world).filter((position) => leafAt(world, position).tx === tx)
}

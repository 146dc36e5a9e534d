/** What a hostile operator can put into a block, each breaking one rule of validity: one short function by name. */
import type { Address } from '../../protocol/bytes.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { Rule } from '../../protocol/validity.ts'
import type { Person } from '../actors.ts'
import type { Hostile } from './operator.ts'

export type Ground = Readonly<{
  hostile: Hostile
  thief: Person
  /** Somebody honest has it, unspent; ETH. */
  victims: Readonly<{ position: number; amount: bigint; token: Address }>
  /** What an output of another token is worth, and which. */
  other: Readonly<{ amount: bigint; token: Address }>
  /** The thief has it, unspent; ETH. */
  own: Readonly<{ position: number; amount: bigint }>
  /** The thief had it, and spent it; ETH. */
  spent: Readonly<{ position: number; amount: bigint }>
  /** The number of the block that will hold it. */
  block: number
}>

export type Forge = (ground: Ground) => SignedTransaction
export type Forgery = Readonly<{ rule: Rule; forge: Forge }>

/** The thief signs for the victim. */
export const forgedSignature: Forgery = {
  rule: 'V4',
  forge: ({ hostile, thief, victims }) =>
    hostile.sign([thief.account], [victims.position], [[thief, victims.amount, victims.token]]),
}

/** The thief spends again what she has spent. */
export const doubleSpend: Forgery = {
  rule: 'V3',
  forge: ({ hostile, thief, spent }) => hostile.sign([thief.account], [spent.position], [[thief, spent.amount]]),
}

/** A million times what goes in comes out. */
export const mintedMoney: Forgery = {
  rule: 'V5',
  forge: ({ hostile, thief, own }) => hostile.sign([thief.account], [own.position], [[thief, own.amount * 1_000_000n]]),
}

/** Another token comes out than goes in. */
export const swappedToken: Forgery = {
  rule: 'V5',
  forge: ({ hostile, thief, own, other }) =>
    hostile.sign([thief.account], [own.position], [[thief, other.amount, other.token]]),
}

/** It spends an output of a later transaction of its own block. */
export const futureInput: Forgery = {
  rule: 'V2',
  forge: ({ hostile, thief, own, block }) =>
    hostile.sign([thief.account], [hostile.positionOf({ number: block }, 7)], [[thief, own.amount]]),
}

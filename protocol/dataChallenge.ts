/**
 * Data challenges (docs/spec.md section 8.6): which ranges of a block can be demanded, what reveals one, and what it costs.
 * contracts/DataChallenges.sol says the same.
 */
import { type Address, bytesToHex, type Hash } from './bytes.ts'
import { invalid } from './errors.ts'
import type { MerkleTree } from './merkle.ts'
import type { Transaction } from './transaction.ts'

/** Most levels of a range that is demanded: 32 leaves, whose answer fits into a transaction that nodes pass on, whatever they hold. */
export const MAX_CHALLENGE_LEVELS = 5
/** Most levels that one answer reveals: it may serve several challenges. */
export const MAX_REVEALED_LEVELS = 6

/** Beyond so many distinct groups of 64 leaves an answer is paid half its cost, and the bond is half. */
export const HALVED_AFTER = 16

/** 2^levels leaves of a block from `first` on. */
export type LeafRange = Readonly<{ blockNumber: number; first: number; levels: number }>

/** A challenge as its event tells it. Seconds; bond in wei. */
export type DataChallenge = LeafRange &
  Readonly<{
    /** An answer is paid half its cost. */
    halved: boolean
    startedAt: number
    blockTime: number
    txCount: number
    root: Hash
    challenger: Address
    bond: bigint
  }>

/** What is wrong with a range of a block of so many transactions; undefined for a range that can be challenged. */
export function findRangeProblem(
  { first, levels }: Omit<LeafRange, 'blockNumber'>,
  txCount: number,
  maxLevels = MAX_CHALLENGE_LEVELS,
): string | undefined {
  if (!Number.isInteger(levels) || levels < 0 || levels > maxLevels) {
    return `levels: got ${levels}, want 0 to ${maxLevels}`
  }
  if (!Number.isInteger(first) || first < 0 || first >= txCount) return `first: got ${first}, want 0 to ${txCount - 1}`
  if (first % 2 ** levels !== 0) return `first: got ${first}, want a multiple of ${2 ** levels}`
  if (levels > 0 && 2 ** (levels - 1) >= txCount) return `levels: got ${levels}, want no more than the tree's height`
  return undefined
}

/** The ranges of most levels that cover a block, in order. Empty for an empty block. */
export function coverBlock(blockNumber: number, txCount: number): LeafRange[] {
  let levels = 0
  while (levels < MAX_CHALLENGE_LEVELS && 2 ** levels < txCount) levels++
  const count = Math.ceil(txCount / 2 ** levels)
  return Array.from({ length: count }, (_, i) => ({ blockNumber, first: i * 2 ** levels, levels }))
}

/** How many leaves of the range the block has. */
export function leavesOf({ first, levels }: Omit<LeafRange, 'blockNumber'>, txCount: number): number {
  return Math.min(2 ** levels, txCount - first)
}

/** True if and only if the second range lies in the first. */
export function coversRange(whole: LeafRange, part: LeafRange): boolean {
  return (
    whole.blockNumber === part.blockNumber &&
    part.first >= whole.first &&
    part.first + 2 ** part.levels <= whole.first + 2 ** whole.levels
  )
}

/** Siblings of the range's subtree from its own level up, padding left out; also of a range too wide to be demanded. Throws RANGE_MALFORMED. */
export function proveRange(tree: MerkleTree, range: Omit<LeafRange, 'blockNumber'>): Hash[] {
  const problem = findRangeProblem(range, tree.levels[0]?.length ?? 0, MAX_REVEALED_LEVELS)
  if (problem) throw invalid('RANGE_MALFORMED', 'no such range of leaves', { got: range, want: problem })
  const path: Hash[] = []
  let place = range.first / 2 ** range.levels
  for (const level of tree.levels.slice(range.levels, -1)) {
    const sibling = level[place ^ 1]
    if (sibling) path.push(bytesToHex(sibling))
    place >>= 1
  }
  return path
}

const BOND_BASE_GAS = 90_000n
const BOND_LEAF_GAS = 30_000n
const ANSWER_BASE_GAS = 62_000
const SIBLING_GAS = 700
const LEAF_GAS = 5_000
const INPUT_GAS = 3_200
const OUTPUT_GAS = 3_200

/** The least bond in wei. `groups`: distinct groups of 64 leaves of the block that are challenged, this one's included; `fee`: F of 8.2 in wei. */
export function dataChallengeBond(levels: number, groups: number, fee: bigint): bigint {
  const bond = ((BOND_BASE_GAS + BOND_LEAF_GAS * 2n ** BigInt(levels)) * fee * (64n + BigInt(groups))) / 64n
  return groups > HALVED_AFTER ? bond / 2n : bond
}

/** Gas that an answer is paid for, by the shape of what it reveals. */
export function answerGas(transactions: readonly Pick<Transaction, 'inputs' | 'outputs'>[], siblings: number): number {
  return transactions.reduce(
    (sum, { inputs, outputs }) => sum + LEAF_GAS + INPUT_GAS * inputs.length + OUTPUT_GAS * outputs.length,
    ANSWER_BASE_GAS + SIBLING_GAS * siblings,
  )
}

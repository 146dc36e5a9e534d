/**
 * The block tree (docs/spec.md section 3): exactly ceil(log2 txCount) levels, nodes keccak256(left || right). A subtree that lies
 * wholly at index >= txCount is the zero subtree of its level, known to the verifier and never taken from a proof, so a root over
 * garbage padding has no proof for its last leaf. A proof lists the other siblings only, from the leaf up: one proof, one encoding.
 */
import { equalBytes } from './bytes.ts'
import { invalid } from './errors.ts'
import { keccak256 } from './keccak.ts'

export const EMPTY_ROOT: Uint8Array = new Uint8Array(32)

/** Largest tree: 2^16 leaves, the size that fits the evidence records on L1. */
export const MAX_LEAVES = 2 ** 16

const ZERO_SUBTREES: readonly Uint8Array[] = zeroSubtrees(16)

/** All levels, leaves first. For an empty block there is one level with nothing in it. */
export type MerkleTree = Readonly<{ levels: readonly (readonly Uint8Array[])[]; root: Uint8Array }>

/** Throws TREE_TOO_LARGE above 2^16 leaves. */
export function createTree(leaves: readonly Uint8Array[]): MerkleTree {
  if (leaves.length > MAX_LEAVES) {
    throw invalid('TREE_TOO_LARGE', 'too many leaves', { got: leaves.length, want: `at most ${MAX_LEAVES}` })
  }
  const levels: (readonly Uint8Array[])[] = [leaves]
  let level = leaves
  while (level.length > 1) {
    level = parentsOf(level, levels.length - 1)
    levels.push(level)
  }
  return { levels, root: level[0] ?? EMPTY_ROOT }
}

/** The siblings from the leaf up, zero subtrees left out. Throws LEAF_MISSING for an index outside the tree. */
export function proveLeaf(tree: MerkleTree, index: number): Uint8Array[] {
  const count = tree.levels[0]?.length ?? 0
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw invalid('LEAF_MISSING', 'no such leaf', { got: index, want: `0 to ${count - 1}` })
  }
  const path: Uint8Array[] = []
  let place = index
  for (const level of tree.levels.slice(0, -1)) {
    const sibling = level[place ^ 1]
    if (sibling) path.push(sibling)
    place >>= 1
  }
  return path
}

/** True if and only if the leaf stands at `index` of a tree of `txCount` leaves with this root, shown by exactly this path. */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  { root, txCount, path }: Readonly<{ root: Uint8Array; txCount: number; path: readonly Uint8Array[] }>,
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= txCount || txCount > MAX_LEAVES) return false
  let node = leaf
  let place = index
  let last = txCount - 1
  let used = 0
  for (let level = 0; last > 0; level++) {
    const isPadding = (place ^ 1) > last
    const sibling = isPadding ? ZERO_SUBTREES[level] : path[used++]
    if (sibling?.length !== 32) return false
    node = place % 2 === 0 ? hashPair(node, sibling) : hashPair(sibling, node)
    place >>= 1
    last >>= 1
  }
  return used === path.length && equalBytes(node, root)
}

function parentsOf(level: readonly Uint8Array[], height: number): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1] ?? (ZERO_SUBTREES[height] as Uint8Array)
    parents.push(hashPair(level[i] as Uint8Array, right))
  }
  return parents
}

function zeroSubtrees(count: number): Uint8Array[] {
  const zeros: Uint8Array[] = [new Uint8Array(32)]
  while (zeros.length < count) {
    const below = zeros[zeros.length - 1] as Uint8Array
    zeros.push(hashPair(below, below))
  }
  return zeros
}

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(64)
  preimage.set(left, 0)
  preimage.set(right, 32)
  return keccak256(preimage)
}

/** Vectors of block trees and proofs, good and bad (docs/spec.md section 3). Leaf i is keccak-256 of the text "leaf i". */
import { bytesToHex } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { createTree, isIncluded, proveLeaf } from '../../protocol/merkle.ts'

type Shown = Readonly<{
  leaf: Uint8Array
  index: number
  txCount: number
  root: Uint8Array
  path: readonly Uint8Array[]
}>

const leafAt = (index: number) => keccak256Text(`leaf ${index}`)
const leaves = (count: number) => Array.from({ length: count }, (_, index) => leafAt(index))

export function treeVectors() {
  const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 100, 257]
  const trees = sizes.map((txCount) => ({ txCount, root: bytesToHex(createTree(leaves(txCount)).root) }))
  const proofs = sizes.flatMap((txCount) =>
    [...new Set([0, txCount >> 1, txCount - 1])]
      .filter((index) => index >= 0 && index < txCount)
      .map((index) => toVector(`leaf ${index} of ${txCount}`, shown(txCount, index), true)),
  )
  return { trees, proofs: [...proofs, ...refusedProofs()] }
}

function shown(txCount: number, index: number): Shown {
  const tree = createTree(leaves(txCount))
  return { leaf: leafAt(index), index, txCount, root: tree.root, path: proveLeaf(tree, index) }
}

function refusedProofs() {
  const five = shown(5, 4)
  const eight = shown(8, 3)
  const padded = createTree([...leaves(3), leafAt(99)])
  const inner = createTree(leaves(8)).levels
  const zero = new Uint8Array(32)
  const cases: readonly (readonly [name: string, proof: Shown])[] = [
    ['another leaf', { ...eight, leaf: leafAt(2) }],
    ['another index', { ...eight, index: 2 }],
    ['an index one tree further', { ...eight, index: 11 }],
    ['an index at txCount', { ...eight, index: 8 }],
    ['another root', { ...eight, root: leafAt(0) }],
    ['a path too short', { ...eight, path: eight.path.slice(0, -1) }],
    ['a path too long', { ...eight, path: [...eight.path, zero] }],
    ['no path', { ...eight, path: [] }],
    ['a path in the other order', { ...eight, path: [...eight.path].reverse() }],
    ['a zero subtree spelled out', { ...five, path: [zero, ...five.path] }],
    ['a padded tree with a missing sibling', { ...five, path: [] }],
    ['an inner node as a leaf', { ...eight, leaf: at(inner, 1, 1), index: 1, path: eight.path.slice(1) }],
    ['the root as a leaf of eight', { ...eight, leaf: eight.root, index: 0, path: [] }],
    [
      'the last leaf over garbage padding',
      { leaf: leafAt(2), index: 2, txCount: 3, root: padded.root, path: proveLeaf(padded, 2) },
    ],
    [
      'the last leaf over garbage padding, its sibling left out',
      { leaf: leafAt(2), index: 2, txCount: 3, root: padded.root, path: proveLeaf(padded, 2).slice(1) },
    ],
    ['the garbage itself', { leaf: leafAt(99), index: 3, txCount: 3, root: padded.root, path: proveLeaf(padded, 3) }],
    ['anything in an empty block', { leaf: zero, index: 0, txCount: 0, root: zero, path: [] }],
  ]
  return cases.map(([name, proof]) => toVector(name, proof, false))
}

function at(levels: ReturnType<typeof createTree>['levels'], level: number, index: number): Uint8Array {
  const node = levels[level]?.[index]
  if (!node) throw new Error(`no node ${index} at level ${level}`)
  return node
}

function toVector(name: string, { leaf, index, txCount, root, path }: Shown, included: boolean) {
  const got = isIncluded(leaf, index, { root, txCount, path })
  if (got !== included) throw new Error(`tree vector "${name}": got ${got}, want ${included}`)
  return { name, leaf: bytesToHex(leaf), index, txCount, root: bytesToHex(root), path: path.map(bytesToHex), included }
}

/** The block tree (docs/spec.md section 3), against a naive tree that is padded to the next power of two. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockTree, hashWitnesses, proveTransaction } from '../../protocol/block.ts'
import { bytesToHex, concatBytes, hexToBytes } from '../../protocol/bytes.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import { createTree, EMPTY_ROOT, isIncluded, MAX_LEAVES, proveLeaf } from '../../protocol/merkle.ts'
import { leafOf } from '../../protocol/transaction.ts'
import { refusal } from './faults.ts'
import { bytes, checkProperty, printSeed } from './random.ts'

const test = suite('merkle')
test.before(() => printSeed('merkle'))

const leaf = (i: number) => keccak256(Uint8Array.of(i >> 16, (i >> 8) & 255, i & 255))
const leaves = (count: number) => Array.from({ length: count }, (_, i) => leaf(i))
const pair = (left: Uint8Array, right: Uint8Array) => keccak256(concatBytes(left, right))

/** Pads with zero leaves to the next power of two and folds: the definition, without any cleverness. */
function naiveRoot(list: readonly Uint8Array[]): Uint8Array {
  let level = [...list]
  while (level.length > 1 && (level.length & (level.length - 1)) !== 0) level.push(new Uint8Array(32))
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => pair(level[2 * i]!, level[2 * i + 1]!))
  }
  return level[0] ?? EMPTY_ROOT
}

function assertAllProven(count: number): void {
  const list = leaves(count)
  const tree = createTree(list)
  assert.equal(tree.root, naiveRoot(list), `root of ${count}`)
  const indices = count <= 70 ? list.keys() : [0, 1, count >> 1, count - 2, count - 1]
  for (const index of indices) {
    const path = proveLeaf(tree, index)
    assert.ok(isIncluded(list[index]!, index, { root: tree.root, txCount: count, path }), `${index} of ${count}`)
    assert.ok(path.length <= Math.ceil(Math.log2(count)))
  }
}

test('every leaf of every tree of 0 to 70 leaves has its proof', () => {
  for (let count = 0; count <= 70; count++) assertAllProven(count)
})

test('trees around every power of two, up to the largest', () => {
  for (let height = 7; height <= 16; height++) {
    for (const count of [2 ** height - 1, 2 ** height, 2 ** height + 1]) if (count <= MAX_LEAVES) assertAllProven(count)
  }
})

test('an empty block has the empty root, and nothing is in it', () => {
  assert.equal(createTree([]).root, EMPTY_ROOT)
  assert.not.ok(isIncluded(leaf(0), 0, { root: EMPTY_ROOT, txCount: 0, path: [] }))
  assert.is(refusal(() => proveLeaf(createTree([]), 0)).code, 'LEAF_MISSING')
})

test('a tree of one leaf is that leaf, with an empty proof', () => {
  const tree = createTree([leaf(1)])
  assert.equal(tree.root, leaf(1))
  assert.equal(proveLeaf(tree, 0), [])
})

test('refuses a tree above 2^16 leaves and a proof for a leaf that is not there', () => {
  assert.is(refusal(() => createTree(new Array(MAX_LEAVES + 1).fill(leaf(0)))).code, 'TREE_TOO_LARGE')
  const tree = createTree(leaves(5))
  for (const index of [-1, 5, 1.5, Number.NaN]) assert.is(refusal(() => proveLeaf(tree, index)).code, 'LEAF_MISSING')
})

test('a leaf stands at one index only', () => {
  for (const count of [1, 2, 3, 5, 8, 13]) {
    const list = leaves(count)
    const tree = createTree(list)
    for (let index = 0; index < count; index++) {
      const path = proveLeaf(tree, index)
      for (const other of [-1, 0.5, ...Array(2 * count + 2).keys()]) {
        const proof = { root: tree.root, txCount: count, path }
        assert.is(isIncluded(list[index]!, other, proof), other === index, `${index} shown at ${other} of ${count}`)
      }
    }
  }
})

test('another leaf, root, or a path that is shorter, longer or changed proves nothing', () => {
  const shape = fc
    .integer({ min: 2, max: 40 })
    .chain((count) => fc.tuple(fc.constant(count), fc.nat({ max: count - 1 })))
  checkProperty(fc.tuple(shape, bytes(32), fc.nat()), ([[count, index], junk, at]) => {
    const list = leaves(count)
    const { root } = createTree(list)
    const path = proveLeaf(createTree(list), index)
    const own = list[index]!
    const check = (leaf_: Uint8Array, changes: object) =>
      isIncluded(leaf_, index, { root, txCount: count, path, ...changes })
    assert.ok(check(own, {}))
    assert.not.ok(check(junk, {}))
    assert.not.ok(check(own, { root: junk }))
    assert.not.ok(check(own, { path: path.slice(0, -1) }))
    assert.not.ok(check(own, { path: path.slice(1) }))
    assert.not.ok(check(own, { path: [...path, junk] }))
    assert.not.ok(check(own, { path: [junk, ...path] }))
    assert.not.ok(check(own, { path: path.map((node, i) => (i === at % path.length ? junk : node)) }))
    assert.not.ok(check(own, { path: path.map((node, i) => (i === at % path.length ? node.slice(1) : node)) }))
  })
})

test('an inner node passes for no leaf', () => {
  const list = leaves(8)
  const { root, levels } = createTree(list)
  const inner = levels[1]![1]!
  const above = [levels[1]![0]!, levels[2]![1]!]
  assert.not.ok(isIncluded(inner, 1, { root, txCount: 8, path: above }))
  assert.ok(isIncluded(inner, 1, { root, txCount: 4, path: above }), 'so the header must say how many leaves there are')
  assert.not.ok(isIncluded(root, 0, { root, txCount: 8, path: [] }))
})

test('the same leaf at two places has two proofs, neither good for the other place', () => {
  const list = [leaf(0), leaf(7), leaf(2), leaf(7)]
  const tree = createTree(list)
  for (const [own, other] of [
    [1, 3],
    [3, 1],
  ] as const) {
    const proof = { root: tree.root, txCount: 4, path: proveLeaf(tree, own) }
    assert.ok(isIncluded(leaf(7), own, proof))
    assert.not.ok(isIncluded(leaf(7), other, proof))
  }
})

test('a root over garbage padding has no proof for its last leaf (H2)', () => {
  const padded = [...leaves(3), leaf(99)]
  const { root } = createTree(padded)
  const path = proveLeaf(createTree(padded), 2)
  assert.ok(isIncluded(leaf(2), 2, { root, txCount: 4, path }))
  assert.not.ok(isIncluded(leaf(2), 2, { root, txCount: 3, path }))
  assert.not.ok(isIncluded(leaf(2), 2, { root, txCount: 3, path: path.slice(1) }))
  assert.not.ok(isIncluded(leaf(99), 3, { root, txCount: 3, path: proveLeaf(createTree(padded), 3) }))
})

test('a path that names the zero subtree itself is a second encoding, and refused', () => {
  const list = leaves(3)
  const { root } = createTree(list)
  const path = proveLeaf(createTree(list), 2)
  assert.is(path.length, 1)
  assert.not.ok(isIncluded(leaf(2), 2, { root, txCount: 3, path: [new Uint8Array(32), ...path] }))
})

test('a block of more than 2^16 transactions includes nothing', () => {
  assert.not.ok(isIncluded(leaf(0), 0, { root: leaf(0), txCount: MAX_LEAVES + 1, path: [] }))
})

test('a transaction is proven by its leaf and the hash of its witnesses', () => {
  const hashes = [0, 1, 2].map((i) => ({ txHash: leaf(i), witnessesHash: hashWitnesses(leaf(i + 10)) }))
  const { root } = blockTree(hashes)
  const { witnessesHash, path } = proveTransaction(hashes, 2)
  assert.is(witnessesHash, bytesToHex(hashes[2]!.witnessesHash))
  const shown = leafOf(leaf(2), hexToBytes(witnessesHash))
  assert.ok(isIncluded(shown, 2, { root, txCount: 3, path: path.map(hexToBytes) }))
  assert.is(refusal(() => proveTransaction(hashes, 3)).code, 'LEAF_MISSING')
})

test.run()

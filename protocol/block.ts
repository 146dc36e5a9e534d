/** Child blocks as the root contract knows them (docs/spec.md section 3). */
import { bytesToHex, type Hash, hexToBytes } from './bytes.ts'
import { hashWords } from './eip712.ts'
import { keccak256 } from './keccak.ts'
import { createTree, type MerkleTree, proveLeaf } from './merkle.ts'
import { leafOf } from './transaction.ts'

/** What the operator commits for one block. */
export type Commitment = Readonly<{
  root: Hash
  /** Number of transactions; 0 if and only if the root is zero (a heartbeat). */
  txCount: number
  /** Number of the L1 block whose state the block was built on. */
  anchor: number
}>

/** A commitment once it is on L1. `timestamp`: seconds, of the L1 block that holds the submission. */
export type Header = Commitment & Readonly<{ timestamp: number }>

/** The proof that a transaction stands at `index` of a block: with the transaction, what an exit or a challenge shows. */
export type InclusionProof = Readonly<{ witnessesHash: Hash; path: readonly Hash[] }>

/** What the root contract keeps of a header: the first 25 bytes of this hash (200 bits, spec section 9). */
export function hashHeader({ root, timestamp, txCount, anchor }: Header): Hash {
  return bytesToHex(hashWords([hexToBytes(root), timestamp, txCount, anchor]))
}

export type HashedTransaction = Readonly<{ txHash: Uint8Array; witnessesHash: Uint8Array }>

export function blockTree(transactions: readonly HashedTransaction[]): MerkleTree {
  return createTree(transactions.map(({ txHash, witnessesHash }) => leafOf(txHash, witnessesHash)))
}

export function hashWitnesses(witnesses: Uint8Array): Uint8Array {
  return keccak256(witnesses)
}

/** Throws LEAF_MISSING for an index outside the block. */
export function proveTransaction(transactions: readonly HashedTransaction[], index: number): InclusionProof {
  const path = proveLeaf(blockTree(transactions), index).map(bytesToHex)
  return { witnessesHash: bytesToHex((transactions[index] as HashedTransaction).witnessesHash), path }
}

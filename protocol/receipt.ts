/**
 * Receipts (docs/spec.md section 8.8): the operator's signed promise that a transaction will stand at a place of a block with a certain
 * anchor. Many are given under one signature, over the root of their tree. contracts/Receipts.sol says the same.
 */
import { bytesToHex, type Hash, type Hex, hexToBytes } from './bytes.ts'
import { hashWords, typedDigest } from './eip712.ts'
import { keccak256Text } from './keccak.ts'
import { createTree, isIncluded, proveLeaf } from './merkle.ts'
import { BLOCK_LIMIT } from './position.ts'

export type Receipt = Readonly<{
  txHash: Hash
  blockNumber: number
  /** Of the transaction in its block. */
  index: number
  /** The block's anchor: an L1 block's number and hash. */
  anchor: number
  anchorHash: Hash
}>

/** A receipt as it is given. It binds while its anchor is canonical on L1. */
export type SignedReceipt = Readonly<{
  receipt: Receipt
  /** Of the batch's tree, and how many receipts that has. */
  root: Hash
  count: number
  /** This one's among them. */
  place: number
  /** Siblings from the leaf up, padding left out. */
  path: readonly Hash[]
  /** 64 bytes, EIP-2098. */
  signature: Hex
}>

export const RECEIPT_BATCH_TYPES = {
  ReceiptBatch: [
    { name: 'root', type: 'bytes32' },
    { name: 'count', type: 'uint32' },
  ],
} as const

const RECEIPT_TAG = keccak256Text('Lifeboat receipt')
const BATCH_TYPE = keccak256Text('ReceiptBatch(bytes32 root,uint32 count)')

/** The leaf that stands for a receipt. 32 bytes. */
export function hashReceipt({ txHash, blockNumber, index, anchor, anchorHash }: Receipt): Uint8Array {
  return hashWords([RECEIPT_TAG, hexToBytes(txHash), blockNumber, index, anchor, hexToBytes(anchorHash)])
}

/** The digest that the operator signs for a batch. 32 bytes. */
export function hashReceiptBatch(root: Hash, count: number, separator: Uint8Array): Uint8Array {
  return typedDigest(separator, hashWords([BATCH_TYPE, hexToBytes(root), count]))
}

export type ReceiptBatch = Readonly<{
  root: Hash
  count: number
  /** The receipt at this place, signed. */
  give(place: number, signature: Hex): SignedReceipt
}>

/** One to 2^16 receipts to be signed together. Throws TREE_TOO_LARGE; LEAF_MISSING from `give`. */
export function batchReceipts(receipts: readonly Receipt[]): ReceiptBatch {
  const tree = createTree(receipts.map(hashReceipt))
  const root = bytesToHex(tree.root)
  return {
    root,
    count: receipts.length,
    give: (place, signature) => {
      const path = proveLeaf(tree, place).map(bytesToHex)
      return { receipt: receipts[place] as Receipt, root, count: receipts.length, place, path, signature }
    },
  }
}

/** True if and only if the receipt is one of the batch whose root was signed. The signature is the caller's to check. */
export function isInBatch({ receipt, root, count, place, path }: SignedReceipt): boolean {
  return isIncluded(hashReceipt(receipt), place, { root: hexToBytes(root), txCount: count, path: path.map(hexToBytes) })
}

/** What L1 says about a receipt's place. */
export type ReceiptFacts = Readonly<{
  /** Hash of the L1 block with the receipt's anchor as its number; undefined if L1 no longer tells or has none yet. */
  canonicalAnchor: Hash | undefined
  /** Newest L1 block. */
  l1Block: number
  /** First void child block, 0 while live. */
  voidFrom: number
  newest: number
  anchorAgeBlocks: number
  /** Of the receipt's block, where it is committed. */
  header: Readonly<{ anchor: number; txCount: number }> | undefined
  /** What stands at the receipt's place; undefined if the block's body is not known. */
  standing: Hash | undefined
}>

export type ReceiptVerdict =
  /** The transaction stands where it was promised. */
  | 'kept'
  /** Nothing contradicts it yet. */
  | 'open'
  /** Provable on L1 now, by the header alone or by nothing at all. */
  | 'broken'
  /** Provable on L1 now, by what stands at its place. */
  | 'displaced'
  /** Its anchor is not canonical: it promises nothing. */
  | 'void-anchor'
  /** The block is committed and its body unknown, or L1 no longer knows the anchor. */
  | 'unknown'

/** The same judgement as `breakReceipt` on L1. */
export function judgeReceipt(receipt: Receipt, facts: ReceiptFacts): ReceiptVerdict {
  const { canonicalAnchor, voidFrom, newest, header, standing } = facts
  if (canonicalAnchor === undefined) return standing === receipt.txHash ? 'kept' : 'unknown'
  if (canonicalAnchor !== receipt.anchorHash) return 'void-anchor'
  const { blockNumber, index, anchor } = receipt
  if (blockNumber < 1 || blockNumber >= BLOCK_LIMIT || (voidFrom !== 0 && blockNumber >= voidFrom)) return 'broken'
  if (blockNumber > newest) return facts.l1Block > anchor + facts.anchorAgeBlocks ? 'broken' : 'open'
  if (!header) return 'unknown'
  if (header.anchor !== anchor || index >= header.txCount) return 'broken'
  if (standing === undefined) return 'unknown'
  return standing === receipt.txHash ? 'kept' : 'displaced'
}

/** Two receipts that cannot both be kept, whatever L1 says. */
export function isContradiction(a: Receipt, b: Receipt): boolean {
  const samePlace = a.blockNumber === b.blockNumber && a.index === b.index && a.anchorHash === b.anchorHash
  return samePlace && a.txHash !== b.txHash
}

/** Full blocks of 65,536 leaves for the gas bench: a proof has 16 levels, the worst there is. */
import { encodeSubmitBlocks } from '../l1/rootCalls.ts'
import { type Header, hashWitnesses } from '../protocol/block.ts'
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import { createTree, type MerkleTree, proveLeaf } from '../protocol/merkle.ts'
import { hashTransaction, leafOf, type SignedTransaction } from '../protocol/transaction.ts'
import { actors, type RootChain } from '../test/support/rootChain.ts'

export const LEAVES = 2 ** 16
const { operator } = actors

/** Gas by key. */
export type Gas = Record<string, number>

export type FullBlock = Readonly<{
  header: Header
  number: number
  tree: MerkleTree
  transactions: readonly SignedTransaction[]
}>

/** A block of 65,536 leaves (or `txCount`) whose first ones are the given transactions, spread by `stride`; the rest are arbitrary. */
export async function submitFull(
  chain: RootChain,
  transactions: readonly SignedTransaction[],
  stride: number,
  txCount = LEAVES,
): Promise<FullBlock & { gas: number }> {
  const leaves = Array.from({ length: txCount }, (_, i) => keccak256Text(`leaf ${i}`))
  transactions.forEach((signed, i) => {
    leaves[i * stride] = leafOf(hashTransaction(signed.transaction, chain.separator), hashWitnesses(signed.witnesses))
  })
  const tree = createTree(leaves)
  const { number: anchor, hash } = await chain.client.getBlock()
  const [, newest] = await chain.read<readonly number[]>('head')
  const commitment = { root: bytesToHex(tree.root), txCount, anchor: Number(anchor) }
  const sent = await chain.send(operator.account, encodeSubmitBlocks(Number(newest) + 1, [commitment], hash as Hash))
  const header = { ...commitment, timestamp: sent.timestamp }
  return { header, number: Number(newest) + 1, tree, transactions, gas: Number(sent.receipt.gasUsed) }
}

export function proofAt(block: FullBlock, index: number, signed: SignedTransaction) {
  return {
    witnessesHash: bytesToHex(hashWitnesses(signed.witnesses)),
    path: proveLeaf(block.tree, index).map(bytesToHex),
  }
}

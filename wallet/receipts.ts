/**
 * Receipts (docs/spec.md section 8.8): the operator's signed promise of a payment's place. One that is about another payment or place, or
 * that another key signed, is worth nothing and is not kept. Whether its anchor is canonical and the promise is kept, a watcher looks at.
 */
import { type Hash, hexToBytes } from '../protocol/bytes.ts'
import { decodePosition } from '../protocol/position.ts'
import { hashReceiptBatch, isInBatch, type SignedReceipt } from '../protocol/receipt.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { WalletContext } from './context.ts'

/** A payment where its acknowledgement says that it will stand. */
export type Promised = Readonly<{ txHash: Hash; position: number }>

/** What is wrong with a receipt, in words; undefined where it binds the operator. Throws what L1 reads throw. */
export async function findReceiptProblem(
  { root, separator }: Pick<WalletContext, 'root' | 'separator'>,
  signed: SignedReceipt,
  { txHash, position }: Promised,
): Promise<string | undefined> {
  const { receipt } = signed
  const { block, index } = decodePosition(position)
  if (receipt.txHash !== txHash) return `it is about payment ${receipt.txHash}`
  if (receipt.blockNumber !== block || receipt.index !== index) {
    return `it promises block ${receipt.blockNumber}, index ${receipt.index}; the answer said ${block}, ${index}`
  }
  if (!isInBatch(signed)) return 'it is not of the batch that was signed'
  const signer = recoverAddress(hashReceiptBatch(signed.root, signed.count, separator), hexToBytes(signed.signature))
  const operator = await root.operator()
  return signer === operator ? undefined : `${signer ?? 'nobody'} signed it, not the operator ${operator}`
}

/** Keeps a receipt that came with an acknowledgement; a worthless one is told, and the payment is what it was without. */
export async function keepReceipt(wallet: WalletContext, signed: SignedReceipt, promised: Promised): Promise<boolean> {
  const problem = await findReceiptProblem(wallet, signed, promised)
  if (problem === undefined) wallet.store.saveReceipt(promised.txHash, signed)
  else wallet.report(`the operator's receipt is worth nothing: ${problem}`)
  return problem === undefined
}

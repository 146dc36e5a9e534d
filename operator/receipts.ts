/**
 * Receipts (docs/spec.md section 8.8): the operator's signed promise of a place. A transaction's place, its block's anchor and the order
 * are on disk before a receipt is given, and the anchor of a block that holds something changes only when L1 no longer takes it: so a
 * receipt can be given again at any time, and says the same. All that are asked for in one turn of the loop share a signature.
 */
import { bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { decodePosition } from '../protocol/position.ts'
import { batchReceipts, hashReceiptBatch, type Receipt, type SignedReceipt } from '../protocol/receipt.ts'
import type { Log } from '../service/log.ts'
import type { Anchor } from './blockLog.ts'

/** The operator's signature over a digest: 64 bytes, EIP-2098. */
export type SignDigest = (digest: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** A transaction where it was promised. */
export type Promised = Readonly<{ txHash: Hash; position: number }>

export type ReceiptDesk = Readonly<{
  /** One for each, in order. Rejects with what the signer throws. */
  give(promised: readonly Promised[]): Promise<SignedReceipt[]>
  /** Logs a failure that the caller goes on after. */
  tell(error: unknown): void
}>

export type ReceiptDeskOptions = Readonly<{
  /** 32 bytes, of the root contract's domain. */
  separator: Uint8Array
  sign: SignDigest
  /** The anchor of a block that holds something. Throws for one that does not exist. */
  anchorOf(block: number): Anchor
  log: Log
}>

type Asked = Readonly<{
  drafts: readonly Receipt[]
  answer(given: SignedReceipt[]): void
  refuse(error: unknown): void
}>

export function createReceiptDesk({ separator, sign, anchorOf, log }: ReceiptDeskOptions): ReceiptDesk {
  let waiting: Asked[] = []

  function draft({ txHash, position }: Promised): Receipt {
    const { block, index } = decodePosition(position)
    const { number, hash } = anchorOf(block)
    return { txHash, blockNumber: block, index, anchor: number, anchorHash: hash }
  }

  async function signWaiting(): Promise<void> {
    const asked = waiting
    waiting = []
    try {
      const batch = batchReceipts(asked.flatMap(({ drafts }) => drafts))
      const digest = hashReceiptBatch(batch.root, batch.count, separator)
      const signature: Hex = bytesToHex(await sign(digest))
      let place = 0
      for (const { drafts, answer } of asked) {
        answer(drafts.map(() => batch.give(place++, signature)))
      }
    } catch (error) {
      for (const { refuse } of asked) refuse(error)
    }
  }

  return {
    tell: (error) => log.error('receipts.failed', { error }),
    give: (promised) => {
      if (promised.length === 0) return Promise.resolve([])
      return new Promise((answer, refuse) => {
        // In the next turn, so that what was committed together is signed together.
        if (waiting.length === 0) setImmediate(() => void signWaiting())
        waiting.push({ drafts: promised.map(draft), answer, refuse })
      })
    },
  }
}

/** r, s and v of a wallet's signature as 64 bytes. */
export function toCompact(signature: Hex): Uint8Array {
  const bytes = hexToBytes(signature.toLowerCase())
  const compact = bytes.slice(0, 64)
  const v = bytes[64]
  if (v === 28 || v === 1) compact[32] = (compact[32] as number) | 0x80
  return compact
}

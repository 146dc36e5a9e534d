/** What the signature workers do: pure work on bytes, the same in a worker and in a test. */
import type { Address } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { type ErrorDetails, isLifeboatError } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { hashTransaction, leafOf, witnessOf } from '../protocol/transaction.ts'
import { recoverAddress } from './recover.ts'

/** Encoded transactions back to back; `ends[i]` is where the i-th ends. */
export type TransactionBatch = Readonly<{ bytes: Uint8Array; ends: Uint32Array; separator: Uint8Array }>

/** All that validity needs beyond the transaction itself. */
export type Prepared = Readonly<{
  txHash: Uint8Array
  witnessesHash: Uint8Array
  leaf: Uint8Array
  /** Per input; undefined where the signature recovers to nobody. */
  signers: readonly (Address | undefined)[]
}>

export type PrepareFailure = Readonly<{ code: string; message: string; details: ErrorDetails }>
export type PrepareResult = Prepared | PrepareFailure

/** Decodes, hashes and recovers each transaction; a malformed one gives a failure in its place. */
export function prepareBatch({ bytes, ends, separator }: TransactionBatch): PrepareResult[] {
  let start = 0
  return Array.from(ends, (end) => {
    const one = bytes.subarray(start, end)
    start = end
    return prepareOne(one, separator)
  })
}

function prepareOne(bytes: Uint8Array, separator: Uint8Array): PrepareResult {
  try {
    const { transaction, witnesses } = decodeTransaction(bytes)
    const txHash = hashTransaction(transaction, separator)
    const witnessesHash = keccak256(witnesses)
    const signers = transaction.inputs.map((_, i) => recoverAddress(txHash, witnessOf(witnesses, i)))
    return { txHash, witnessesHash, leaf: leafOf(txHash, witnessesHash), signers }
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    return { code: error.code, message: error.message, details: error.details }
  }
}

/** Digests 32 bytes each, signatures 64 bytes each, back to back. */
export type RecoverBatch = Readonly<{ digests: Uint8Array; signatures: Uint8Array }>

export function recoverBatch({ digests, signatures }: RecoverBatch): (Address | undefined)[] {
  return Array.from({ length: digests.length / 32 }, (_, i) =>
    recoverAddress(digests.subarray(i * 32, i * 32 + 32), signatures.subarray(i * 64, i * 64 + 64)),
  )
}

export type Job =
  | Readonly<{ kind: 'prepare'; batch: TransactionBatch }>
  | Readonly<{ kind: 'recover'; batch: RecoverBatch }>

export function isPrepared(result: PrepareResult): result is Prepared {
  return 'txHash' in result
}

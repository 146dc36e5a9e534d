/** What the signature workers do: pure work on bytes, the same in a worker and in a test. */
import type { Address } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { bug, isLifeboatError } from '../protocol/errors.ts'
import { WITNESS_SIZE } from '../protocol/transaction.ts'
import {
  ADDRESS_SIZE,
  HASH_SIZE,
  type PackedPrepared,
  type PrepareFailure,
  type PrepareResult,
  unpackPrepared,
} from './packing.ts'
import { recoverAddress, recoverAddressBytes } from './recover.ts'
import { hashWire, inputCountAt, isCanonical, witnessesAt } from './wire.ts'

/** Encoded transactions back to back; `ends[i]` is where the i-th ends. */
export type TransactionBatch = Readonly<{ bytes: Uint8Array; ends: Uint32Array; separator: Uint8Array }>

/** Checks the form of each transaction, hashes and recovers it; a malformed one gives a failure in its place. */
export function prepareBatch(batch: TransactionBatch): PrepareResult[] {
  return unpackPrepared(preparePacked(batch))
}

/** The same, packed to change threads. */
export function preparePacked({ bytes, ends, separator }: TransactionBatch): PackedPrepared {
  const txHashes = new Uint8Array(ends.length * HASH_SIZE)
  const leaves = new Uint8Array(ends.length * HASH_SIZE)
  const counts = new Uint8Array(ends.length)
  const failures: PrepareFailure[] = []
  let signerCount = 0
  let start = 0
  ends.forEach((end, i) => {
    if (isCanonical(bytes, start, end)) {
      const inputs = inputCountAt(bytes, start)
      counts[i] = inputs
      signerCount += inputs
      hashWire({ bytes, start, end }, separator, { txHashes, leaves, at: i * HASH_SIZE })
    } else failures.push(failureOf(bytes.subarray(start, end)))
    start = end
  })
  const signers = new Uint8Array(signerCount * ADDRESS_SIZE)
  let next = 0
  start = 0
  ends.forEach((end, i) => {
    const count = counts[i] as number
    const txHash = txHashes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE)
    const witnesses = witnessesAt(bytes, start)
    for (let input = 0; input < count; input++, next++) {
      const from = witnesses + input * WITNESS_SIZE
      const signer = recoverAddressBytes(txHash, bytes.subarray(from, from + WITNESS_SIZE))
      if (signer) signers.set(signer, next * ADDRESS_SIZE)
    }
    start = end
  })
  return { signers, txHashes, leaves, counts, failures }
}

/** The decoder's words for what is wrong. */
function failureOf(bytes: Uint8Array): PrepareFailure {
  try {
    decodeTransaction(bytes)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    return { code: error.code, message: error.message, details: error.details }
  }
  throw bug('WIRE_FORM', 'the decoder takes a transaction that the hasher refuses', { got: bytes })
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

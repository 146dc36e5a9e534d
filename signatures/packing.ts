/**
 * Results of the signature workers as a few flat buffers. They change threads by being handed over, not copied, and the main thread, which
 * is the scarce one, reads them with a few views instead of receiving four objects for every transaction.
 */
import { type Address, concatBytes, hexToBytes, ZERO_ADDRESS } from '../protocol/bytes.ts'
import type { ErrorDetails } from '../protocol/errors.ts'
import { addressAt } from './wire.ts'

export const ADDRESS_SIZE = 20
export const HASH_SIZE = 32

/** All that validity and the block tree need beyond the transaction itself. */
export type Prepared = Readonly<{
  txHash: Uint8Array
  leaf: Uint8Array
  /** Per input; undefined where the signature recovers to nobody. */
  signers: readonly (Address | undefined)[]
}>

export type PrepareFailure = Readonly<{ code: string; message: string; details: ErrorDetails }>
export type PrepareResult = Prepared | PrepareFailure

export function isPrepared(result: PrepareResult): result is Prepared {
  return 'txHash' in result
}

/** Addresses of 20 bytes; all zero for nobody, which no signature recovers to. */
export type PackedSigners = Readonly<{ signers: Uint8Array }>

export type PackedPrepared = PackedSigners &
  Readonly<{
    /** Per transaction, 32 bytes each; zero for a failure. */
    txHashes: Uint8Array
    leaves: Uint8Array
    /** Per transaction: its number of signers, 0 for a failure. */
    counts: Uint8Array
    /** In order, one for each count of 0. */
    failures: readonly PrepareFailure[]
  }>

export type Packed = PackedSigners | PackedPrepared

export function packSigners(addresses: readonly (Address | undefined)[]): PackedSigners {
  const signers = new Uint8Array(addresses.length * ADDRESS_SIZE)
  addresses.forEach((address, i) => {
    if (address !== undefined) signers.set(hexToBytes(address), i * ADDRESS_SIZE)
  })
  return { signers }
}

export function unpackSigners({ signers }: PackedSigners): (Address | undefined)[] {
  return readSigners(bufferOf(signers), 0, signers.length / ADDRESS_SIZE)
}

/** The hashes are views of one buffer that lives as long as any of them. */
export function unpackPrepared({ signers, txHashes, leaves, counts, failures }: PackedPrepared): PrepareResult[] {
  const addresses = bufferOf(signers)
  let nextSigner = 0
  let nextFailure = 0
  return Array.from(counts, (count, i) => {
    if (count === 0) return failures[nextFailure++] as PrepareFailure
    const at = i * HASH_SIZE
    const from = nextSigner
    nextSigner += count
    return {
      txHash: txHashes.subarray(at, at + HASH_SIZE),
      leaf: leaves.subarray(at, at + HASH_SIZE),
      signers: readSigners(addresses, from, count),
    }
  })
}

/** Several parts as one, in order. */
export function joinPrepared(parts: readonly PackedPrepared[]): PackedPrepared {
  const [only] = parts
  if (only && parts.length === 1) return only
  return {
    signers: concatBytes(...parts.map(({ signers }) => signers)),
    txHashes: concatBytes(...parts.map(({ txHashes }) => txHashes)),
    leaves: concatBytes(...parts.map(({ leaves }) => leaves)),
    counts: concatBytes(...parts.map(({ counts }) => counts)),
    failures: parts.flatMap(({ failures }) => failures),
  }
}

/** Hashes that stand back to back, as views. */
export function cutHashes(packed: Uint8Array): Uint8Array[] {
  return Array.from({ length: packed.length / HASH_SIZE }, (_, i) =>
    packed.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE),
  )
}

/** `count` signers from the one at `first` on. */
export function readSigners(signers: Buffer, first: number, count: number): (Address | undefined)[] {
  const read: (Address | undefined)[] = []
  for (let i = first; i < first + count; i++) {
    const address = addressAt(signers, i * ADDRESS_SIZE)
    read.push(address === ZERO_ADDRESS ? undefined : address)
  }
  return read
}

/** The same memory, with a Buffer's methods. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** For `postMessage`: what is handed over. */
export function buffersOf(packed: Packed): ArrayBuffer[] {
  const { signers } = packed
  const arrays = 'counts' in packed ? [signers, packed.txHashes, packed.leaves, packed.counts] : [signers]
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}

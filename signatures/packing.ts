/**
 * Results of the signature workers as a few flat buffers. They change threads by being handed over, not copied, and the main thread, which
 * is the scarce one, reads them with a few views instead of receiving four objects for every transaction.
 */
import { type Address, bytesToHex, hexToBytes } from '../protocol/bytes.ts'
import { isPrepared, type PrepareFailure, type PrepareResult } from './jobs.ts'

const ADDRESS_SIZE = 20
const HASHES_SIZE = 96

/** Addresses of 20 bytes; all zero for nobody, which no signature recovers to. */
export type PackedSigners = Readonly<{ signers: Uint8Array }>

export type PackedPrepared = PackedSigners &
  Readonly<{
    /** Per transaction: txHash, witnessesHash, leaf. */
    hashes: Uint8Array
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
  return Array.from({ length: signers.length / ADDRESS_SIZE }, (_, i) => readSigner(signers, i))
}

export function packPrepared(results: readonly PrepareResult[]): PackedPrepared {
  const hashes = new Uint8Array(results.length * HASHES_SIZE)
  const counts = new Uint8Array(results.length)
  results.forEach((result, i) => {
    if (!isPrepared(result)) return
    counts[i] = result.signers.length
    hashes.set(result.txHash, i * HASHES_SIZE)
    hashes.set(result.witnessesHash, i * HASHES_SIZE + 32)
    hashes.set(result.leaf, i * HASHES_SIZE + 64)
  })
  const { signers } = packSigners(results.flatMap((result) => (isPrepared(result) ? result.signers : [])))
  return { signers, hashes, counts, failures: results.flatMap((result) => (isPrepared(result) ? [] : [result])) }
}

/** The hashes are views of one buffer that lives as long as any of them. */
export function unpackPrepared({ signers, hashes, counts, failures }: PackedPrepared): PrepareResult[] {
  let nextSigner = 0
  let nextFailure = 0
  return Array.from(counts, (count, i) => {
    if (count === 0) return failures[nextFailure++] as PrepareFailure
    const at = i * HASHES_SIZE
    const from = nextSigner
    nextSigner += count
    return {
      txHash: hashes.subarray(at, at + 32),
      witnessesHash: hashes.subarray(at + 32, at + 64),
      leaf: hashes.subarray(at + 64, at + 96),
      signers: Array.from({ length: count }, (_, input) => readSigner(signers, from + input)),
    }
  })
}

/** For `postMessage`: what is handed over. */
export function buffersOf(packed: Packed): ArrayBuffer[] {
  const arrays = 'hashes' in packed ? [packed.signers, packed.hashes, packed.counts] : [packed.signers]
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}

function readSigner(signers: Uint8Array, index: number): Address | undefined {
  const bytes = signers.subarray(index * ADDRESS_SIZE, (index + 1) * ADDRESS_SIZE)
  return bytes.every((byte) => byte === 0) ? undefined : bytesToHex(bytes)
}

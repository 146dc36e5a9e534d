/** Addresses and hashes between their text (everywhere) and their blobs (in the store). */
import { type Address, type Hash, type Hex, ZERO_HASH } from '../protocol/bytes.ts'

/** The caller guarantees lower-case hexadecimal: everything in the protocol's types is. */
export function toBlob(hex: Hex): Buffer {
  return Buffer.from(hex.slice(2), 'hex')
}

export function toAddress(blob: Uint8Array): Address {
  return toHex(blob)
}

export function toHash(blob: Uint8Array): Hash {
  return toHex(blob)
}

/** An empty block's root is not stored. */
export function toRoot(blob: Uint8Array | null): Hash {
  return blob ? toHex(blob) : ZERO_HASH
}

function toHex(blob: Uint8Array): Hex {
  return `0x${Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).toString('hex')}`
}

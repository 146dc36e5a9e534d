/** Addresses, hashes and amounts between what they are everywhere and their blobs in the store. */
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

/** 16 bytes, big-endian: amounts are below 2^128. */
export function toAmountBlob(amount: bigint): Buffer {
  const blob = Buffer.allocUnsafe(16)
  blob.writeBigUInt64BE(amount >> 64n, 0)
  blob.writeBigUInt64BE(BigInt.asUintN(64, amount), 8)
  return blob
}

export function toAmount(blob: Uint8Array): bigint {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8)
}

function toHex(blob: Uint8Array): Hex {
  return `0x${Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).toString('hex')}`
}

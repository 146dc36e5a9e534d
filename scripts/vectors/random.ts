/** A stream of numbers that is the same on every machine: keccak-256 of a label and a counter. */
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'

export type Random = Readonly<{
  bytes(size: number): Uint8Array
  hash(): Hash
  address(): Address
  /** From 0 to limit - 1. */
  below(limit: number): number
  /** Below 2^bits. */
  uint(bits: number): bigint
}>

export function createRandom(label: string): Random {
  let counter = 0
  const word = () => keccak256Text(`Lifeboat vectors ${label} ${counter++}`)
  const uint = (bits: number) => BigInt(bytesToHex(word())) & ((1n << BigInt(bits)) - 1n)
  return {
    bytes: (size) => {
      const out = new Uint8Array(size)
      for (let at = 0; at < size; at += 32) out.set(word().subarray(0, Math.min(32, size - at)), at)
      return out
    },
    hash: () => bytesToHex(word()),
    address: () => bytesToHex(word().subarray(12)),
    below: (limit) => Number(uint(64) % BigInt(limit)),
    uint,
  }
}

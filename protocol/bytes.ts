/** Bytes and their hexadecimal text. The only alphabet is lower case with a 0x prefix; anything else is refused. */
import { invalid } from './errors.ts'

export type Hex = `0x${string}`
/** 20 bytes, lower-case hexadecimal: one text for one address. */
export type Address = Hex
/** 32 bytes, lower-case hexadecimal. */
export type Hash = Hex

export const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000'
export const ZERO_HASH: Hash = '0x0000000000000000000000000000000000000000000000000000000000000000'

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Value of one lower-case hexadecimal digit by character code, -1 for anything else. */
const DIGIT_OF_CODE = new Int8Array(128).fill(-1)
for (let digit = 0; digit < 16; digit++) DIGIT_OF_CODE[digit.toString(16).charCodeAt(0)] = digit

export function bytesToHex(bytes: Uint8Array): Hex {
  let text = '0x'
  for (let i = 0; i < bytes.length; i++) text += HEX_OF_BYTE[bytes[i] as number]
  return text as Hex
}

/** Strict: 0x, an even number of lower-case digits. Throws HEX_INVALID. */
export function hexToBytes(hex: string): Uint8Array {
  if (!hex.startsWith('0x') || hex.length % 2 !== 0) throw hexError(hex)
  const bytes = new Uint8Array((hex.length - 2) / 2)
  writeHex(bytes, 0, hex, bytes.length)
  return bytes
}

/** Writes `size` bytes of hexadecimal text at `offset`. Throws HEX_INVALID when the text is not exactly that long. */
export function writeHex(target: Uint8Array, offset: number, hex: string, size: number): void {
  if (hex.length !== 2 + size * 2) throw hexError(hex, `0x and ${size * 2} digits`)
  for (let i = 0; i < size; i++) {
    const high = DIGIT_OF_CODE[hex.charCodeAt(2 + i * 2)] ?? -1
    const low = DIGIT_OF_CODE[hex.charCodeAt(3 + i * 2)] ?? -1
    if (high < 0 || low < 0) throw hexError(hex)
    target[offset + i] = high * 16 + low
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Takes any casing from people and wallets, returns the one text we use. Throws ADDRESS_INVALID. */
export function parseAddress(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw invalid('ADDRESS_INVALID', 'not an address', { got: text, want: '0x and 40 hexadecimal digits' })
  }
  return text.toLowerCase() as Address
}

/** A 32-byte hash in any casing, returned in lower case. Throws HASH_INVALID. */
export function parseHash(text: string): Hash {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) {
    throw invalid('HASH_INVALID', 'not a 32-byte hash', { got: text, want: '0x and 64 hexadecimal digits' })
  }
  return text.toLowerCase() as Hash
}

/** Big-endian bytes of an unsigned integer at `offset`. The caller guarantees that it fits; `size` is a multiple of 8. */
export function writeUint(target: Uint8Array, offset: number, value: bigint, size: number): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  let rest = value
  for (let at = offset + size - 8; at >= offset; at -= 8) {
    view.setBigUint64(at, BigInt.asUintN(64, rest))
    rest >>= 64n
  }
}

function hexError(hex: string, want = '0x and an even number of lower-case hexadecimal digits') {
  return invalid('HEX_INVALID', 'not canonical hexadecimal', {
    got: hex.length > 80 ? `${hex.slice(0, 80)}...` : hex,
    want,
  })
}

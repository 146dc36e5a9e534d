/**
 * JSON with exact integers and bytes, for rows of the watcher's own tables: a bigint is written as its digits and an `n`, bytes as
 * hexadecimal after `bytes `.
 */
import { bytesToHex, hexToBytes } from '../protocol/bytes.ts'

const BIGINT = /^-?[0-9]+n$/
const BYTES = /^bytes (0x(?:[0-9a-f]{2})*)$/

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return part instanceof Uint8Array ? `bytes ${bytesToHex(part)}` : part
  })
}

/** The inverse for what `toJson` wrote. The rows are our own, so their shape is the caller's claim. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part !== 'string') return part
    if (BIGINT.test(part)) return BigInt(part.slice(0, -1))
    const hex = BYTES.exec(part)?.[1]
    return hex === undefined ? part : hexToBytes(hex)
  }) as T
}

/** For people and the API: bigints as plain decimal text, bytes as hexadecimal. */
export function toPlain(value: unknown): unknown {
  const plain = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return part.toString()
    return part instanceof Uint8Array ? bytesToHex(part) : part
  })
  return JSON.parse(plain)
}

/**
 * Binary forms of several things in one message (docs/spec.md section 11): block bodies are each preceded by their length (u32,
 * big-endian); transactions stand back to back, since each encoding says its own length.
 */
import { concatBytes } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'

export const BINARY_TYPE = 'application/octet-stream'

export function joinBodies(bodies: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...bodies.flatMap((body) => [lengthOf(body), body]))
}

/** Throws RANGE_MALFORMED unless the lengths add up to exactly these bytes. The parts are views, not copies. */
export function splitBodies(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bodies: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.length) {
    const rest = bytes.length - offset - 4
    const size = rest >= 0 ? view.getUint32(offset) : 0
    if (rest < size) {
      throw invalid('RANGE_MALFORMED', 'a range of blocks ends in the middle of one', {
        got: `${bytes.length - offset} bytes`,
        want: `${size + 4} bytes`,
      })
    }
    bodies.push(bytes.subarray(offset + 4, offset + 4 + size))
    offset += 4 + size
  }
  return bodies
}

const INPUT_SIZE = 7 + 64
const OUTPUT_SIZE = 56

/**
 * Cuts transactions that stand back to back, without looking inside them. Bytes that are no whole transaction are left as the last
 * part, for the decoder to refuse by name.
 */
export function splitTransactions(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.length) {
    const counts = bytes[offset] as number
    const memo = bytes[offset + 1] === 1 ? 32 : 0
    const size = 2 + ((counts >> 4) + 1) * INPUT_SIZE + ((counts & 15) + 1) * OUTPUT_SIZE + memo
    parts.push(bytes.subarray(offset, Math.min(offset + size, bytes.length)))
    offset += size
  }
  return parts
}

function lengthOf(body: Uint8Array): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, body.length)
  return length
}

/**
 * Reading transactions that break V1 (docs/spec.md section 4). The strict decoder rejects them, rightly; but before a peer is blamed
 * for serving such bytes we ask whether they are what L1 committed. If they are, the operator built an invalid block, and this is the
 * proof of it. The layout is protocol/codec.ts's; faults that it cannot express (a condition, amounts from 2^128 on, positions from
 * 2^53 on) leave a block that nobody can serve, which is a withheld one.
 */
import { type Address, bytesToHex, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { createOutput, findFormFault, type Output, type SignedTransaction } from '../protocol/transaction.ts'

const INPUT_SIZE = 7
const OUTPUT_SIZE = 56

/**
 * The transaction in these bytes (as `splitBody` cut them) that breaks V1. Undefined when it breaks nothing, so that the bytes are
 * just not canonical, and when a field does not survive the reading.
 */
export function readMalformed(bytes: Uint8Array): SignedTransaction | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const counts = view.getUint8(0)
  const inputs: number[] = []
  let offset = 2
  for (let i = 0; i <= counts >> 4; i++, offset += INPUT_SIZE) {
    const input = (view.getUint8(offset) * 2 ** 16 + view.getUint16(offset + 1)) * 2 ** 32 + view.getUint32(offset + 3)
    if (!Number.isSafeInteger(input)) return undefined
    inputs.push(input)
  }
  const outputs: Output[] = []
  for (let i = 0; i <= (counts & 15); i++, offset += OUTPUT_SIZE) {
    const amount = (view.getBigUint64(offset + 40) << 64n) | view.getBigUint64(offset + 48)
    outputs.push(createOutput(addressAt(bytes, offset), addressAt(bytes, offset + 20), amount))
  }
  let memo: Hash = ZERO_HASH
  if (view.getUint8(1) === 1) {
    memo = bytesToHex(bytes.subarray(offset, offset + 32))
    offset += 32
    if (memo === ZERO_HASH) return undefined
  }
  const signed = { transaction: { inputs, outputs, memo }, witnesses: bytes.slice(offset) }
  return findFormFault(signed) && signed
}

function addressAt(bytes: Uint8Array, offset: number): Address {
  return bytesToHex(bytes.subarray(offset, offset + 20))
}

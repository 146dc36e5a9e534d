/**
 * The wire and disk encoding of transactions and block bodies (docs/spec.md section 2.4). One canonical encoding: decoding
 * accepts exactly what encoding produces (CODEC-1), and what it returns satisfies V1. A fixed layout, big-endian:
 *
 *     transaction   counts u8 = (inputs - 1) * 16 + (outputs - 1) · flags u8 (bit 0: memo follows)
 *                   inputs 7 bytes each · outputs: owner 20, token 20, amount 16 · [memo 32] · witnesses 64 per input
 *     block body    magic "LBB1" · block u32 · anchor u32 · txCount u32 · transactions
 */
import { type Address, bytesToHex, concatBytes, type Hash, writeHex, writeUint, ZERO_HASH } from './bytes.ts'
import { invalid } from './errors.ts'
import { BLOCK_LIMIT } from './position.ts'
import { findFormFault, type Output, type SignedTransaction, WITNESS_SIZE } from './transaction.ts'

const INPUT_SIZE = 7
const OUTPUT_SIZE = 56
const MEMO_FLAG = 1
const BODY_MAGIC = 0x4c424231
const BODY_HEADER_SIZE = 16

/** The largest encoded transaction: 16 inputs, 16 outputs, a memo. */
export const MAX_TRANSACTION_SIZE = 2 + 16 * INPUT_SIZE + 16 * OUTPUT_SIZE + 32 + 16 * WITNESS_SIZE
/** The smallest: one input, one output. */
export const MIN_TRANSACTION_SIZE = 2 + INPUT_SIZE + OUTPUT_SIZE + WITNESS_SIZE

/** What an operator serves for one child block; the root contract knows number, anchor, txCount and root. */
export type BlockBody = Readonly<{ block: number; anchor: number; transactions: readonly SignedTransaction[] }>

/** The same, its transactions still encoded: for workers that decode in parallel. */
export type EncodedBody = Readonly<{ block: number; anchor: number; transactions: readonly Uint8Array[] }>

/** Throws TRANSACTION_MALFORMED for a transaction that breaks V1: such a thing has no encoding. */
export function encodeTransaction(signed: SignedTransaction): Uint8Array {
  const fault = findFormFault(signed)
  if (fault) throw malformed(fault.code, fault.got, fault.want)
  const { inputs, outputs, memo } = signed.transaction
  const hasMemo = memo !== ZERO_HASH
  const bytes = new Uint8Array(sizeOf(inputs.length, outputs.length, hasMemo))
  bytes[0] = (inputs.length - 1) * 16 + outputs.length - 1
  bytes[1] = hasMemo ? MEMO_FLAG : 0
  let offset = 2
  for (const input of inputs) {
    writeUint56(bytes, offset, input)
    offset += INPUT_SIZE
  }
  for (const output of outputs) {
    writeHex(bytes, offset, output.owner, 20)
    writeHex(bytes, offset + 20, output.token, 20)
    writeUint(bytes, offset + 40, output.amount, 16)
    offset += OUTPUT_SIZE
  }
  if (hasMemo) {
    writeHex(bytes, offset, memo, 32)
    offset += 32
  }
  bytes.set(signed.witnesses, offset)
  return bytes
}

/** Throws TRANSACTION_MALFORMED with the fault's code unless the bytes are exactly one canonical transaction. */
export function decodeTransaction(bytes: Uint8Array): SignedTransaction {
  const size = transactionSizeAt(bytes, 0)
  if (size !== bytes.length) throw malformed('TRAILING_BYTES', bytes.length, `${size} bytes`)
  const counts = bytes[0] as number
  const inputCount = (counts >> 4) + 1
  const outputCount = (counts & 15) + 1
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const inputs: number[] = []
  let offset = 2
  for (let i = 0; i < inputCount; i++, offset += INPUT_SIZE) inputs.push(readUint56(view, offset))
  const outputs: Output[] = []
  for (let i = 0; i < outputCount; i++, offset += OUTPUT_SIZE) outputs.push(readOutput(bytes, view, offset))
  let memo: Hash = ZERO_HASH
  if (bytes[1] === MEMO_FLAG) {
    memo = bytesToHex(bytes.subarray(offset, offset + 32))
    if (memo === ZERO_HASH) throw malformed('MEMO_EMPTY', memo, 'no memo flag for an empty memo')
    offset += 32
  }
  const signed = { transaction: { inputs, outputs, memo }, witnesses: bytes.slice(offset) }
  const fault = findFormFault(signed)
  if (fault) throw malformed(fault.code, fault.got, fault.want)
  return signed
}

export function encodeBody(body: BlockBody): Uint8Array {
  return joinBody({ ...body, transactions: body.transactions.map(encodeTransaction) })
}

/** Joins transactions that are already encoded. Throws BODY_MALFORMED when a number is out of range. */
export function joinBody({ block, anchor, transactions }: EncodedBody): Uint8Array {
  if (!isUint32(block) || block >= BLOCK_LIMIT || !isUint32(anchor)) {
    throw bodyMalformed('NUMBERS', { block, anchor }, 'block below 2^28, anchor below 2^32')
  }
  const header = new Uint8Array(BODY_HEADER_SIZE)
  const view = new DataView(header.buffer)
  view.setUint32(0, BODY_MAGIC)
  view.setUint32(4, block)
  view.setUint32(8, anchor)
  view.setUint32(12, transactions.length)
  return concatBytes(header, ...transactions)
}

export function decodeBody(bytes: Uint8Array): BlockBody {
  const body = splitBody(bytes)
  return { ...body, transactions: body.transactions.map(decodeTransaction) }
}

/**
 * Cuts a body into its transactions without looking inside them: cheap, and enough to spread the rest over workers.
 * Throws BODY_MALFORMED for a wrong magic, a length that does not add up, or bytes left over.
 */
export function splitBody(bytes: Uint8Array): EncodedBody {
  if (bytes.length < BODY_HEADER_SIZE)
    throw bodyMalformed('TRUNCATED', bytes.length, `${BODY_HEADER_SIZE} bytes or more`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== BODY_MAGIC) {
    throw bodyMalformed('MAGIC', bytesToHex(bytes.subarray(0, 4)), '0x4c424231 ("LBB1")')
  }
  const block = view.getUint32(4)
  if (block >= BLOCK_LIMIT) throw bodyMalformed('NUMBERS', block, 'block below 2^28')
  const txCount = view.getUint32(12)
  const transactions: Uint8Array[] = []
  let offset = BODY_HEADER_SIZE
  while (offset < bytes.length && transactions.length < txCount) {
    const size = transactionSizeAt(bytes, offset)
    transactions.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  if (transactions.length !== txCount) throw bodyMalformed('TX_COUNT', transactions.length, `${txCount} transactions`)
  if (offset !== bytes.length) throw bodyMalformed('TRAILING_BYTES', bytes.length, `${offset} bytes`)
  return { block, anchor: view.getUint32(8), transactions }
}

function transactionSizeAt(bytes: Uint8Array, offset: number): number {
  const counts = bytes[offset]
  const flags = bytes[offset + 1]
  if (counts === undefined || flags === undefined)
    throw malformed('TRUNCATED', bytes.length - offset, '2 bytes or more')
  if (flags > MEMO_FLAG) throw malformed('FLAGS', flags, '0 or 1')
  const size = sizeOf((counts >> 4) + 1, (counts & 15) + 1, flags === MEMO_FLAG)
  if (offset + size > bytes.length) throw malformed('TRUNCATED', bytes.length - offset, `${size} bytes`)
  return size
}

function sizeOf(inputs: number, outputs: number, hasMemo: boolean): number {
  return 2 + inputs * (INPUT_SIZE + WITNESS_SIZE) + outputs * OUTPUT_SIZE + (hasMemo ? 32 : 0)
}

function readOutput(bytes: Uint8Array, view: DataView, offset: number): Output {
  return {
    owner: readAddress(bytes, offset),
    token: readAddress(bytes, offset + 20),
    amount: (view.getBigUint64(offset + 40) << 64n) | view.getBigUint64(offset + 48),
    condition: ZERO_HASH,
  }
}

function readAddress(bytes: Uint8Array, offset: number): Address {
  return bytesToHex(bytes.subarray(offset, offset + 20))
}

function writeUint56(bytes: Uint8Array, offset: number, value: number): void {
  let rest = value
  for (let i = INPUT_SIZE - 1; i >= 0; i--) {
    bytes[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** Values from 2^53 on lose precision here and are then refused by V1 (not a safe integer). */
function readUint56(view: DataView, offset: number): number {
  return (view.getUint8(offset) * 2 ** 16 + view.getUint16(offset + 1)) * 2 ** 32 + view.getUint32(offset + 3)
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32
}

function malformed(fault: string, got: unknown, want: string) {
  return invalid('TRANSACTION_MALFORMED', `malformed transaction (${fault})`, { fault, got, want })
}

function bodyMalformed(fault: string, got: unknown, want: string) {
  return invalid('BODY_MALFORMED', `malformed block body (${fault})`, { fault, got, want })
}

/**
 * Transactions straight from their encoding (docs/spec.md sections 2.2 and 2.4): checked and hashed without decoding them into objects,
 * and decoded without checking them twice. What is canonical is exactly what `decodeTransaction` of protocol/codec.ts takes, and the
 * hashes are those of protocol/transaction.ts; the tests hold them together. One thread, one call at a time: the working memory is shared.
 */
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { keccak256, keccak256Text } from '../protocol/keccak.ts'
import {
  LEAF_TAG,
  type Output,
  type SignedTransaction,
  TRANSACTION_TYPES,
  WITNESS_SIZE,
} from '../protocol/transaction.ts'

const INPUT_SIZE = 7
const ADDRESS_SIZE = 20
const AMOUNT_SIZE = 16
const OUTPUT_SIZE = 2 * ADDRESS_SIZE + AMOUNT_SIZE
const MEMO_SIZE = 32
const WORD = 32
/** First byte of 7 from which a position is 2^53 or more. */
const INPUT_TOP = 0x20

const REMEMBERED_ADDRESSES = 50_000
const addresses = new Map<string, Address>()

const OUTPUT_TYPE_TEXT = typeText('Output')
const inputWords = new Uint8Array(16 * WORD)
const outputHashes = new Uint8Array(16 * WORD)
const outputWords = new Uint8Array(5 * WORD)
outputWords.set(keccak256Text(OUTPUT_TYPE_TEXT), 0)
const structWords = new Uint8Array(4 * WORD)
structWords.set(keccak256Text(typeText('Transaction') + OUTPUT_TYPE_TEXT), 0)
const digestBytes = Uint8Array.of(0x19, 0x01, ...new Uint8Array(2 * WORD))
const leafWords = new Uint8Array(3 * WORD)
leafWords.set(LEAF_TAG, 0)

function typeText(name: keyof typeof TRANSACTION_TYPES): string {
  return `${name}(${TRANSACTION_TYPES[name].map((field) => `${field.type} ${field.name}`).join(',')})`
}

export function inputCountAt(bytes: Uint8Array, start: number): number {
  return ((bytes[start] ?? 0) >> 4) + 1
}

/** Where the witnesses begin. Only for canonical bytes. */
export function witnessesAt(bytes: Uint8Array, start: number): number {
  return start + sizeBeforeWitnesses(bytes, start)
}

/** True if and only if bytes `start` to `end` are one canonical transaction that satisfies V1. */
export function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || (bytes[start + 1] as number) > 1) return false
  const inputs = inputCountAt(bytes, start)
  if (end - start !== sizeBeforeWitnesses(bytes, start) + inputs * WITNESS_SIZE) return false
  return areInputsOrdered(bytes, start + 2, inputs) && areOutputsSound(bytes, start)
}

/** Writes txHash and leaf of the canonical transaction at `start` to `end` at byte `at`. `separator`: of the EIP-712 domain. */
export function hashWire(
  { bytes, start, end }: Readonly<{ bytes: Uint8Array; start: number; end: number }>,
  separator: Uint8Array,
  { txHashes, leaves, at }: Readonly<{ txHashes: Uint8Array; leaves: Uint8Array; at: number }>,
): void {
  digestBytes.set(separator, 2)
  digestBytes.set(hashStruct(bytes, start), 2 + WORD)
  const txHash = keccak256(digestBytes)
  txHashes.set(txHash, at)
  leafWords.set(txHash, WORD)
  leafWords.set(keccak256(bytes.subarray(witnessesAt(bytes, start), end)), 2 * WORD)
  leaves.set(keccak256(leafWords), at)
}

/**
 * Reads transactions from bytes that hold them: each from a start to an end, known to be canonical by `isCanonical` or by a worker's
 * word. Witnesses are views of the bytes. The same owner or token is the same string, which compares by identity and whose hash is known.
 */
export function createReader(bytes: Uint8Array): (start: number, end: number) => SignedTransaction {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (start, end) => {
    const inputs: number[] = []
    let at = start + 2
    for (let i = inputCountAt(bytes, start); i > 0; i--, at += INPUT_SIZE) {
      inputs.push((view.getUint8(at) * 2 ** 16 + view.getUint16(at + 1)) * 2 ** 32 + view.getUint32(at + 3))
    }
    const outputs: Output[] = []
    for (let i = outputCountAt(bytes, start); i > 0; i--, at += OUTPUT_SIZE) {
      outputs.push({
        owner: addressAt(buffer, at),
        token: addressAt(buffer, at + ADDRESS_SIZE),
        amount: amountAt(view, at + 2 * ADDRESS_SIZE),
        condition: ZERO_HASH,
      })
    }
    let memo: Hash = ZERO_HASH
    if (bytes[start + 1] === 1) {
      memo = `0x${buffer.toString('hex', at, at + MEMO_SIZE)}`
      at += MEMO_SIZE
    }
    return { transaction: { inputs, outputs, memo }, witnesses: bytes.subarray(at, end) }
  }
}

/** 20 bytes as an address; the same string for the same bytes, while it is remembered. */
export function addressAt(bytes: Buffer, at: number): Address {
  const key = bytes.toString('latin1', at, at + ADDRESS_SIZE)
  const known = addresses.get(key)
  if (known) return known
  if (addresses.size >= REMEMBERED_ADDRESSES) addresses.clear()
  const address: Address = `0x${bytes.toString('hex', at, at + ADDRESS_SIZE)}`
  addresses.set(key, address)
  return address
}

function amountAt(view: DataView, at: number): bigint {
  const high = view.getBigUint64(at)
  const low = view.getBigUint64(at + 8)
  return high === 0n ? low : (high << 64n) | low
}

function hashStruct(bytes: Uint8Array, start: number): Uint8Array {
  const inputs = inputCountAt(bytes, start)
  const outputs = outputCountAt(bytes, start)
  let from = start + 2
  for (let i = 0; i < inputs; i++, from += INPUT_SIZE)
    copy(bytes, from, INPUT_SIZE, inputWords, (i + 1) * WORD - INPUT_SIZE)
  structWords.set(keccak256(inputWords.subarray(0, inputs * WORD)), WORD)
  for (let i = 0; i < outputs; i++, from += OUTPUT_SIZE) {
    copy(bytes, from, ADDRESS_SIZE, outputWords, 2 * WORD - ADDRESS_SIZE)
    copy(bytes, from + ADDRESS_SIZE, ADDRESS_SIZE, outputWords, 3 * WORD - ADDRESS_SIZE)
    copy(bytes, from + 2 * ADDRESS_SIZE, AMOUNT_SIZE, outputWords, 4 * WORD - AMOUNT_SIZE)
    outputHashes.set(keccak256(outputWords), i * WORD)
  }
  structWords.set(keccak256(outputHashes.subarray(0, outputs * WORD)), 2 * WORD)
  if (bytes[start + 1] === 1) copy(bytes, from, MEMO_SIZE, structWords, 3 * WORD)
  else structWords.fill(0, 3 * WORD)
  return keccak256(structWords)
}

function areInputsOrdered(bytes: Uint8Array, start: number, count: number): boolean {
  for (let i = 0, at = start; i < count; i++, at += INPUT_SIZE) {
    if ((bytes[at] as number) >= INPUT_TOP) return false
    if (i > 0 && compare(bytes, at - INPUT_SIZE, at) >= 0) return false
  }
  return true
}

/** Big-endian numbers of one length compare like their bytes. */
function compare(bytes: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < INPUT_SIZE; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** Owners and amounts are not zero, nor is a memo that is there. */
function areOutputsSound(bytes: Uint8Array, start: number): boolean {
  const end = start + 2 + inputCountAt(bytes, start) * INPUT_SIZE + outputCountAt(bytes, start) * OUTPUT_SIZE
  for (let at = end - outputCountAt(bytes, start) * OUTPUT_SIZE; at < end; at += OUTPUT_SIZE) {
    if (isZero(bytes, at, ADDRESS_SIZE) || isZero(bytes, at + 2 * ADDRESS_SIZE, AMOUNT_SIZE)) return false
  }
  return bytes[start + 1] === 0 || !isZero(bytes, end, MEMO_SIZE)
}

function isZero(bytes: Uint8Array, start: number, size: number): boolean {
  for (let i = start; i < start + size; i++) if (bytes[i] !== 0) return false
  return true
}

function outputCountAt(bytes: Uint8Array, start: number): number {
  return ((bytes[start] ?? 0) & 15) + 1
}

function sizeBeforeWitnesses(bytes: Uint8Array, start: number): number {
  const memo = bytes[start + 1] === 1 ? MEMO_SIZE : 0
  return 2 + inputCountAt(bytes, start) * INPUT_SIZE + outputCountAt(bytes, start) * OUTPUT_SIZE + memo
}

/** For the few bytes of a field, a loop is quicker than a view. */
function copy(source: Uint8Array, from: number, size: number, target: Uint8Array, at: number): void {
  for (let i = 0; i < size; i++) target[at + i] = source[from + i] as number
}

/**
 * Positions (docs/spec.md section 1): every output, deposits included, has one integer below 2^53, ordered by age.
 *
 *     position = (block * 2^21 + index) * 2^4 + output
 *
 * `index` below 2^20 is a transaction's place in its block; from 2^20 on it is the (index - 2^20)-th deposit made while `block`
 * was the newest child block. Plain arithmetic, because shifts in JavaScript stop at 32 bits.
 */
import { bytesToHex, concatBytes, type Hash, hexToBytes, writeUint } from './bytes.ts'
import { invalid } from './errors.ts'
import { keccak256, keccak256Text } from './keccak.ts'

/** Largest block number plus one. */
export const BLOCK_LIMIT = 2 ** 28
/** Indices from here on are deposits. */
export const DEPOSIT_INDEX = 2 ** 20
export const INDEX_LIMIT = 2 ** 21
export const OUTPUT_LIMIT = 2 ** 4
/** Every position is below this: exactly the integers JavaScript holds without loss. */
export const POSITION_LIMIT = 2 ** 53

/** Keeps deposit ids and transaction output ids apart. */
export const DEPOSIT_TAG: Uint8Array = keccak256Text('Lifeboat deposit')

export type Place = Readonly<{ block: number; index: number; output: number }>

/** Throws POSITION_INVALID when a part is out of its range. */
export function encodePosition({ block, index, output }: Place): number {
  if (!isBelow(block, BLOCK_LIMIT) || !isBelow(index, INDEX_LIMIT) || !isBelow(output, OUTPUT_LIMIT)) {
    throw invalid('POSITION_INVALID', 'a part of the position is out of range', {
      got: { block, index, output },
      want: { blockBelow: BLOCK_LIMIT, indexBelow: INDEX_LIMIT, outputBelow: OUTPUT_LIMIT },
    })
  }
  return (block * INDEX_LIMIT + index) * OUTPUT_LIMIT + output
}

/** Total over integers below 2^53; whether such an output exists is a question for V2. */
export function decodePosition(position: number): Place {
  const transaction = Math.floor(position / OUTPUT_LIMIT)
  return {
    block: Math.floor(transaction / INDEX_LIMIT),
    index: transaction % INDEX_LIMIT,
    output: position % OUTPUT_LIMIT,
  }
}

export function isPosition(value: unknown): value is number {
  return typeof value === 'number' && isBelow(value, POSITION_LIMIT)
}

/** Takes decimal text or a number from outside. Throws POSITION_INVALID. */
export function parsePosition(value: string | number): number {
  const position = typeof value === 'string' && /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : value
  if (isPosition(position)) return position
  throw invalid('POSITION_INVALID', 'not a position', { got: value, want: 'an integer from 0 to 2^53 - 1' })
}

export function isDepositPosition(position: number): boolean {
  return Math.floor(position / OUTPUT_LIMIT) % INDEX_LIMIT >= DEPOSIT_INDEX
}

/** The position of the transaction's output 0: the same number for all outputs of one transaction. */
export function transactionPosition(position: number): number {
  return position - (position % OUTPUT_LIMIT)
}

/** Identity of a transaction's output in every exit game, block and batch (spec section 1). */
export function outputIdOf(txHash: Uint8Array, output: number): Hash {
  return bytesToHex(keccak256(concatBytes(txHash, uint256(output))))
}

export function depositIdOf(position: number): Hash {
  return bytesToHex(keccak256(concatBytes(DEPOSIT_TAG, uint256(position))))
}

/** The output id of any position, given the hash of its transaction (ignored for deposits). */
export function outputIdAt(position: number, txHash: Hash): Hash {
  return isDepositPosition(position) ? depositIdOf(position) : outputIdOf(hexToBytes(txHash), position % OUTPUT_LIMIT)
}

function uint256(value: number): Uint8Array {
  const bytes = new Uint8Array(32)
  writeUint(bytes, 0, BigInt(value), 32)
  return bytes
}

function isBelow(value: number, limit: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < limit
}

/**
 * Transactions (docs/spec.md section 2): the EIP-712 struct that a wallet shows and signs, that Solidity takes as calldata, and
 * that is typed here. Names and order of the fields are consensus.
 */
import { type Address, type Hash, writeHex, writeUint, ZERO_ADDRESS, ZERO_HASH } from './bytes.ts'
import { typedDigest, writeWord } from './eip712.ts'
import { keccak256, keccak256Text } from './keccak.ts'
import { POSITION_LIMIT } from './position.ts'

export const MAX_INPUTS = 16
export const MAX_OUTPUTS = 16
/** Amounts are below this (V1), so that sums of 16 and every ledger fit their words. */
export const AMOUNT_LIMIT = 2n ** 128n
/** Bytes of one witness: an EIP-2098 compact secp256k1 signature. */
export const WITNESS_SIZE = 64

export type Output = Readonly<{
  owner: Address
  /** ERC-20 contract, or the zero address for ETH. */
  token: Address
  /** In the token's smallest unit. */
  amount: bigint
  /** Reserved for spending conditions; zero. */
  condition: Hash
}>

export type Transaction = Readonly<{
  /** Positions of the outputs spent, strictly increasing. */
  inputs: readonly number[]
  outputs: readonly Output[]
  memo: Hash
}>

export type SignedTransaction = Readonly<{
  transaction: Transaction
  /** One 64-byte signature per input, in the order of the inputs, concatenated. */
  witnesses: Uint8Array
}>

/** The EIP-712 types as wallets take them. */
export const TRANSACTION_TYPES = {
  Transaction: [
    { name: 'inputs', type: 'uint64[]' },
    { name: 'outputs', type: 'Output[]' },
    { name: 'memo', type: 'bytes32' },
  ],
  Output: [
    { name: 'owner', type: 'address' },
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
    { name: 'condition', type: 'bytes32' },
  ],
} as const

const OUTPUT_TYPE_TEXT = 'Output(address owner,address token,uint256 amount,bytes32 condition)'
const OUTPUT_TYPE = keccak256Text(OUTPUT_TYPE_TEXT)
const TRANSACTION_TYPE = keccak256Text(`Transaction(uint64[] inputs,Output[] outputs,bytes32 memo)${OUTPUT_TYPE_TEXT}`)

export const LEAF_TAG: Uint8Array = keccak256Text('Lifeboat leaf')

/** The EIP-712 digest: what owners sign, and the transaction's name. 32 bytes. Defined for malformed transactions too. */
export function hashTransaction(transaction: Transaction, separator: Uint8Array): Uint8Array {
  return typedDigest(separator, hashTransactionStruct(transaction))
}

export function hashTransactionStruct({ inputs, outputs, memo }: Transaction): Uint8Array {
  const words = new Uint8Array(128)
  words.set(TRANSACTION_TYPE, 0)
  words.set(hashInputs(inputs), 32)
  words.set(hashOutputs(outputs), 64)
  writeHex(words, 96, memo, 32)
  return keccak256(words)
}

/** leaf = keccak256(LEAF_TAG, txHash, keccak256(witnesses)): the block root commits to the signatures (spec section 3). */
export function leafOf(txHash: Uint8Array, witnessesHash: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(96)
  preimage.set(LEAF_TAG, 0)
  preimage.set(txHash, 32)
  preimage.set(witnessesHash, 64)
  return keccak256(preimage)
}

export function witnessOf(witnesses: Uint8Array, input: number): Uint8Array {
  return witnesses.subarray(input * WITNESS_SIZE, (input + 1) * WITNESS_SIZE)
}

/** An output with the reserved condition empty. */
export function createOutput(owner: Address, token: Address, amount: bigint): Output {
  return { owner, token, amount, condition: ZERO_HASH }
}

export type FormFault = Readonly<{ code: string; got: unknown; want: string }>

/** V1: undefined when the transaction is well formed. A value, not an exception: hot path of admission and verification. */
export function findFormFault({ transaction, witnesses }: SignedTransaction): FormFault | undefined {
  const { inputs, outputs } = transaction
  if (inputs.length < 1 || inputs.length > MAX_INPUTS) return fault('INPUT_COUNT', inputs.length, '1 to 16 inputs')
  if (outputs.length < 1 || outputs.length > MAX_OUTPUTS)
    return fault('OUTPUT_COUNT', outputs.length, '1 to 16 outputs')
  let previous = -1
  for (const input of inputs) {
    if (!Number.isSafeInteger(input) || input >= POSITION_LIMIT || input <= previous) {
      return fault('INPUT_ORDER', input, `a position below 2^53 and above ${previous}`)
    }
    previous = input
  }
  for (const output of outputs) {
    if (output.amount <= 0n || output.amount >= AMOUNT_LIMIT)
      return fault('AMOUNT_RANGE', output.amount, '1 to 2^128 - 1')
    if (output.owner === ZERO_ADDRESS) return fault('OWNER_ZERO', output.owner, 'an owner other than the zero address')
    if (output.condition !== ZERO_HASH)
      return fault('CONDITION_RESERVED', output.condition, 'zero, conditions are reserved')
  }
  if (witnesses.length !== inputs.length * WITNESS_SIZE) {
    return fault('WITNESS_SIZE', witnesses.length, `${inputs.length * WITNESS_SIZE} bytes, 64 for each input`)
  }
  return undefined
}

function hashInputs(inputs: readonly number[]): Uint8Array {
  const words = new Uint8Array(inputs.length * 32)
  const view = new DataView(words.buffer)
  inputs.forEach((input, i) => {
    view.setUint32(i * 32 + 24, Math.floor(input / 2 ** 32))
    view.setUint32(i * 32 + 28, input % 2 ** 32)
  })
  return keccak256(words)
}

function hashOutputs(outputs: readonly Output[]): Uint8Array {
  const hashes = new Uint8Array(outputs.length * 32)
  const words = new Uint8Array(160)
  words.set(OUTPUT_TYPE, 0)
  outputs.forEach((output, i) => {
    writeWord(words, 32, output.owner)
    writeWord(words, 64, output.token)
    writeUint(words, 96, output.amount, 32)
    writeHex(words, 128, output.condition, 32)
    hashes.set(keccak256(words), i * 32)
  })
  return keccak256(hashes)
}

function fault(code: string, got: unknown, want: string): FormFault {
  return { code, got, want }
}

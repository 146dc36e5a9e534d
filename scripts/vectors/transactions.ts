/** Vectors of transactions with their digests and leaves, and of signatures, good and bad (docs/spec.md section 2). */
import { hashWitnesses } from '../../protocol/block.ts'
import { type Address, bytesToHex, concatBytes, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import {
  createOutput,
  hashTransaction,
  hashTransactionStruct,
  leafOf,
  type SignedTransaction,
  type Transaction,
} from '../../protocol/transaction.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'
import { createRandom } from './random.ts'

export const DOMAIN = { chainId: 31_337, rootContract: '0x00112233445566778899aabbccddeeff00112233' as Address }
export const SEPARATOR = domainSeparator(DOMAIN)
export const KEYS: readonly Uint8Array[] = ['alice', 'bob', 'carol', 'dave'].map((name) =>
  keccak256Text(`Lifeboat vectors key ${name}`),
)

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

export type NamedTransaction = Readonly<{ name: string; signed: SignedTransaction; signers: readonly Address[] }>

/** Transactions that are well formed and signed; whether their inputs exist is not said. */
export function namedTransactions(): NamedTransaction[] {
  const random = createRandom('transactions')
  const output = (amount: bigint, token: Address = ZERO_ADDRESS) => createOutput(random.address(), token, amount)
  const deposit = encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 })
  const shapes: readonly (readonly [name: string, Transaction])[] = [
    ['one input, one output of 1 wei', { inputs: [deposit], outputs: [output(1n)], memo: ZERO_HASH }],
    ['input at position 0', { inputs: [0], outputs: [output(10n ** 18n)], memo: ZERO_HASH }],
    ['the largest input and amount', { inputs: [2 ** 53 - 1], outputs: [output(2n ** 128n - 1n)], memo: ZERO_HASH }],
    ['a memo', { inputs: [deposit], outputs: [output(5n), output(6n)], memo: random.hash() }],
    ['inputs around 2^32', { inputs: [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1], outputs: [output(7n)], memo: ZERO_HASH }],
    ['two tokens', { inputs: [16, 32], outputs: [output(8n), output(9n, random.address())], memo: ZERO_HASH }],
    [
      'sixteen inputs and outputs with a memo',
      {
        inputs: Array.from({ length: 16 }, (_, i) => i * 2 ** 49 + random.below(2 ** 49)),
        outputs: Array.from({ length: 16 }, () => output(1n + random.uint(100), random.address())),
        memo: random.hash(),
      },
    ],
  ]
  return shapes.map(([name, transaction]) => {
    const digest = hashTransaction(transaction, SEPARATOR)
    const keys = transaction.inputs.map((_, i) => KEYS[i % KEYS.length] as Uint8Array)
    const witnesses = concatBytes(...keys.map((key) => signDigest(digest, key)))
    return { name, signed: { transaction, witnesses }, signers: keys.map(addressOfKey) }
  })
}

export function transactionVectors() {
  const cases = namedTransactions().map(({ name, signed, signers }) => {
    const txHash = hashTransaction(signed.transaction, SEPARATOR)
    const witnessesHash = hashWitnesses(signed.witnesses)
    return {
      name,
      transaction: signed.transaction,
      witnesses: bytesToHex(signed.witnesses),
      signers,
      structHash: bytesToHex(hashTransactionStruct(signed.transaction)),
      txHash: bytesToHex(txHash),
      witnessesHash: bytesToHex(witnessesHash),
      leaf: bytesToHex(leafOf(txHash, witnessesHash)),
      encoded: bytesToHex(encodeTransaction(signed)),
    }
  })
  return { domain: DOMAIN, separator: bytesToHex(SEPARATOR), cases }
}

/** `signer` null: the signature recovers to nobody. */
export function signatureVectors() {
  const random = createRandom('signatures')
  const digest = random.bytes(32)
  const key = KEYS[0] as Uint8Array
  const good = signDigest(digest, key)
  const [r, vs] = [good.slice(0, 32), good.slice(32)]
  const word = (value: bigint) => hexToBytes(`0x${value.toString(16).padStart(64, '0')}`)
  const positive = [0, 1, 2, 3].flatMap((i) =>
    KEYS.map((each) => {
      const digest_ = i === 0 ? digest : random.bytes(32)
      return {
        digest: bytesToHex(digest_),
        signature: bytesToHex(signDigest(digest_, each)),
        signer: addressOfKey(each),
      }
    }),
  )
  const negative: readonly (readonly [string, Uint8Array])[] = [
    ['s is the largest that 255 bits hold', concatBytes(r, word(2n ** 255n - 1n))],
    ['s is the half order plus one', concatBytes(r, word((ORDER + 1n) / 2n))],
    ['s is zero', concatBytes(r, word(0n))],
    ['s is zero with parity', concatBytes(r, word(2n ** 255n))],
    ['r is zero', concatBytes(word(0n), vs)],
    ['r is the order', concatBytes(word(ORDER), vs)],
    ['r is above the order', concatBytes(word(2n ** 256n - 1n), vs)],
    ['r is on no point', concatBytes(word(5n), vs)],
    ['63 bytes', good.slice(0, 63)],
    ['65 bytes', concatBytes(good, Uint8Array.of(27))],
    ['no bytes', new Uint8Array(0)],
  ]
  const refused = negative.map(([name, signature]) => ({
    name,
    digest: bytesToHex(digest),
    signature: bytesToHex(signature),
    signer: null,
  }))
  return [...positive, ...refused]
}

/** EIP-712 hashes against viem's, leaves, and V1 (docs/spec.md sections 2 to 4). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concat, hashDomain, hashStruct, hashTypedData, keccak256, toHex } from 'viem'
import { hashHeader, hashWitnesses } from '../../protocol/block.ts'
import { type Address, bytesToHex, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { domainSeparator, hashToWord } from '../../protocol/eip712.ts'
import { hashMandate, hashRevocation, MANDATE_TYPES, REVOCATION_TYPES } from '../../protocol/mandate.ts'
import { POSITION_LIMIT } from '../../protocol/position.ts'
import {
  AMOUNT_LIMIT,
  createOutput,
  findFormFault,
  hashTransaction,
  hashTransactionStruct,
  leafOf,
  type SignedTransaction,
  TRANSACTION_TYPES,
  type Transaction,
  witnessOf,
} from '../../protocol/transaction.ts'
import { refusal } from './faults.ts'
import { address, bytes, checkProperty, hash, mandate, printSeed, signedTransaction, transaction } from './random.ts'

const test = suite('transactions and typed data')
test.before(() => printSeed('transactions'))

const domain = fc.record({ chainId: fc.nat(), rootContract: address })

function viemDomain({ chainId, rootContract }: { chainId: number; rootContract: Address }) {
  return { name: 'Lifeboat', version: '1', chainId, verifyingContract: rootContract } as const
}

function viemTransaction({ inputs, outputs, memo }: Transaction) {
  return { inputs: inputs.map(BigInt), outputs, memo }
}

test("the transaction's digest is the one that a wallet signs", () => {
  checkProperty(fc.tuple(transaction, domain), ([value, at]) => {
    const want = hashTypedData({
      domain: viemDomain(at),
      types: TRANSACTION_TYPES,
      primaryType: 'Transaction',
      message: viemTransaction(value),
    })
    assert.is(bytesToHex(hashTransaction(value, domainSeparator(at))), want)
  })
})

test("the struct's hash does not depend on the domain", () => {
  checkProperty(transaction, (value) => {
    const want = hashStruct({ data: viemTransaction(value), types: TRANSACTION_TYPES, primaryType: 'Transaction' })
    assert.is(bytesToHex(hashTransactionStruct(value)), want)
  })
})

test('a malformed transaction has a digest too: empty lists, amounts up to a full word', () => {
  const value: Transaction = { inputs: [], outputs: [], memo: ZERO_HASH }
  const huge: Transaction = { ...value, outputs: [createOutput(ZERO_ADDRESS, ZERO_ADDRESS, 2n ** 256n - 1n)] }
  const at = { chainId: 1, rootContract: `0x${'11'.repeat(20)}` as const }
  for (const each of [value, huge]) {
    const message = viemTransaction(each)
    assert.is(
      bytesToHex(hashTransaction(each, domainSeparator(at))),
      hashTypedData({ domain: viemDomain(at), types: TRANSACTION_TYPES, primaryType: 'Transaction', message }),
    )
  }
})

test('another chain or another root contract is another signature', () => {
  const value: Transaction = { inputs: [1], outputs: [], memo: ZERO_HASH }
  const digests = [
    { chainId: 1, rootContract: `0x${'11'.repeat(20)}` as const },
    { chainId: 2, rootContract: `0x${'11'.repeat(20)}` as const },
    { chainId: 1, rootContract: `0x${'12'.repeat(20)}` as const },
  ].map((at) => bytesToHex(hashTransaction(value, domainSeparator(at))))
  assert.is(new Set(digests).size, 3)
})

test('the domain separator is the one of EIP-712, and wants a lower-case address', () => {
  checkProperty(domain, (at) => {
    const types = {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
    } as const
    assert.is(
      bytesToHex(domainSeparator(at)),
      hashDomain({ domain: { ...viemDomain(at), chainId: BigInt(at.chainId) }, types }),
    )
  })
  const shouting = { chainId: 1, rootContract: `0x${'AB'.repeat(20)}` as const }
  assert.is(refusal(() => domainSeparator(shouting)).code, 'HEX_INVALID')
  assert.equal(hashToWord(ZERO_HASH), new Uint8Array(32))
})

test('mandates and revocations are hashed as a wallet hashes them', () => {
  checkProperty(fc.tuple(mandate, domain), ([value, at]) => {
    const { owner, validFrom, validUntil, position, epoch } = value
    const message = {
      ...value,
      validFrom: BigInt(validFrom),
      validUntil: BigInt(validUntil),
      position: BigInt(position),
      epoch: BigInt(epoch),
    }
    const separator = domainSeparator(at)
    assert.is(
      bytesToHex(hashMandate(value, separator)),
      hashTypedData({ domain: viemDomain(at), types: MANDATE_TYPES, primaryType: 'Mandate', message }),
    )
    assert.is(
      bytesToHex(hashRevocation(owner, epoch, separator)),
      hashTypedData({
        domain: viemDomain(at),
        types: REVOCATION_TYPES,
        primaryType: 'Revocation',
        message: { owner, epoch: BigInt(epoch) },
      }),
    )
  })
})

test('a leaf is keccak of tag, transaction hash and witnesses hash; a header of its four words', () => {
  checkProperty(fc.tuple(hash, hash), ([txHash, witnessesHash]) => {
    const want = keccak256(concat([keccak256(toHex('Lifeboat leaf')), txHash, witnessesHash]))
    assert.is(bytesToHex(leafOf(hexToBytes(txHash), hexToBytes(witnessesHash))), want)
  })
  const header = { root: `0x${'ab'.repeat(32)}` as const, timestamp: 5, txCount: 6, anchor: 7 }
  const word = (value: number) => toHex(value, { size: 32 })
  assert.is(hashHeader(header), keccak256(concat([header.root, word(5), word(6), word(7)])))
})

test("an input's witness is its 64 bytes", () => {
  const witnesses = Uint8Array.from({ length: 192 }, (_, i) => i)
  assert.equal(witnessOf(witnesses, 1), witnesses.slice(64, 128))
  assert.is(bytesToHex(hashWitnesses(witnesses)), keccak256(witnesses))
})

const OWNER = `0x${'22'.repeat(20)}` as const
const good: SignedTransaction = {
  transaction: {
    inputs: [3, 9],
    outputs: [createOutput(OWNER, ZERO_ADDRESS, 1n), createOutput(OWNER, OWNER, AMOUNT_LIMIT - 1n)],
    memo: ZERO_HASH,
  },
  witnesses: new Uint8Array(128),
}

function withOutput(change: object): SignedTransaction {
  const [first, second] = good.transaction.outputs
  return { ...good, transaction: { ...good.transaction, outputs: [first!, { ...second!, ...change }] } }
}

function withInputs(inputs: readonly number[]): SignedTransaction {
  return { transaction: { ...good.transaction, inputs }, witnesses: new Uint8Array(inputs.length * 64) }
}

test('every well-formed transaction passes V1', () => {
  assert.is(findFormFault(good), undefined)
  checkProperty(signedTransaction, (value) => assert.is(findFormFault(value), undefined))
})

test('V1 names each way to be malformed', () => {
  const many = Array.from({ length: 17 }, (_, i) => i)
  const cases: readonly (readonly [code: string, value: SignedTransaction])[] = [
    ['INPUT_COUNT', withInputs([])],
    ['INPUT_COUNT', withInputs(many)],
    ['INPUT_ORDER', withInputs([3, 3])],
    ['INPUT_ORDER', withInputs([9, 3])],
    ['INPUT_ORDER', withInputs([-1])],
    ['INPUT_ORDER', withInputs([1.5])],
    ['INPUT_ORDER', withInputs([POSITION_LIMIT])],
    ['OUTPUT_COUNT', { ...good, transaction: { ...good.transaction, outputs: [] } }],
    [
      'OUTPUT_COUNT',
      { ...good, transaction: { ...good.transaction, outputs: many.map(() => createOutput(OWNER, OWNER, 1n)) } },
    ],
    ['AMOUNT_RANGE', withOutput({ amount: 0n })],
    ['AMOUNT_RANGE', withOutput({ amount: -1n })],
    ['AMOUNT_RANGE', withOutput({ amount: AMOUNT_LIMIT })],
    ['OWNER_ZERO', withOutput({ owner: ZERO_ADDRESS })],
    ['CONDITION_RESERVED', withOutput({ condition: `0x${'00'.repeat(31)}01` })],
    ['WITNESS_SIZE', { ...good, witnesses: new Uint8Array(127) }],
    ['WITNESS_SIZE', { ...good, witnesses: new Uint8Array(129) }],
    ['WITNESS_SIZE', { ...good, witnesses: new Uint8Array(64) }],
  ]
  for (const [code, value] of cases) assert.is(findFormFault(value)?.code, code)
})

test('any change of a field changes the digest', () => {
  const separator = domainSeparator({ chainId: 1, rootContract: OWNER })
  const digest = (value: SignedTransaction) => bytesToHex(hashTransaction(value.transaction, separator))
  const changed = [
    good,
    withInputs([3, 10]),
    withInputs([3]),
    withOutput({ amount: 2n }),
    withOutput({ owner: `0x${'23'.repeat(20)}` }),
    withOutput({ token: ZERO_ADDRESS }),
    withOutput({ condition: `0x${'00'.repeat(31)}01` }),
    { ...good, transaction: { ...good.transaction, memo: `0x${'01'.repeat(32)}` as const } },
  ]
  assert.is(new Set(changed.map(digest)).size, changed.length)
  checkProperty(bytes(32), (witnesses) => assert.is(digest({ ...good, witnesses }), digest(good)), 5)
})

test.run()

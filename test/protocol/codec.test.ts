/** The wire encoding (docs/spec.md section 2.4): one canonical encoding, and nothing else decodes (CODEC-1). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, concatBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import {
  decodeBody,
  decodeTransaction,
  encodeBody,
  encodeTransaction,
  joinBody,
  MAX_TRANSACTION_SIZE,
  MIN_TRANSACTION_SIZE,
  splitBody,
} from '../../protocol/codec.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { BLOCK_LIMIT } from '../../protocol/position.ts'
import { createOutput, findFormFault, type SignedTransaction } from '../../protocol/transaction.ts'
import { faultOf, refusal } from './faults.ts'
import { bytes, checkProperty, hash, printSeed, signedTransaction } from './random.ts'

const test = suite('codec')
test.before(() => printSeed('codec'))

const OWNER = `0x${'22'.repeat(20)}` as const
const MEMO = `0x${'33'.repeat(32)}` as const

function sample(inputs = 1, outputs = 1, memo: `0x${string}` = ZERO_HASH): SignedTransaction {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
  return {
    transaction: {
      inputs: numbers(inputs).map((i) => i * 2 ** 47),
      outputs: numbers(outputs).map((i) => createOutput(OWNER, OWNER, BigInt(i) * 2n ** 100n)),
      memo,
    },
    witnesses: Uint8Array.from({ length: inputs * 64 }, (_, i) => i % 251),
  }
}

function changed(encoded: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = encoded.slice()
  copy[offset] = value
  return copy
}

/** Decodes to something whose encoding is these very bytes, or refuses with a typed error; anything else is a second encoding. */
function assertCanonical(encoded: Uint8Array): void {
  let decoded: SignedTransaction
  try {
    decoded = decodeTransaction(encoded)
  } catch (error) {
    assert.ok(isLifeboatError(error), String(error))
    assert.is(error.code, 'TRANSACTION_MALFORMED')
    return
  }
  assert.is(findFormFault(decoded), undefined)
  assert.equal(encodeTransaction(decoded), encoded)
}

test('a transaction survives the way onto the wire and back', () => {
  checkProperty(signedTransaction, (value) => assert.equal(decodeTransaction(encodeTransaction(value)), value))
})

test('a transaction decodes from the middle of a larger buffer', () => {
  const encoded = encodeTransaction(sample(2, 2, MEMO))
  const buffer = concatBytes(new Uint8Array(13), encoded, new Uint8Array(7))
  assert.equal(decodeTransaction(buffer.subarray(13, 13 + encoded.length)), sample(2, 2, MEMO))
})

test('what was decoded does not change when the buffer it came from is used again', () => {
  const encoded = encodeTransaction(sample())
  const decoded = decodeTransaction(encoded)
  encoded.fill(0)
  assert.equal(decoded, sample())
})

test('every change of any byte decodes to its own canonical bytes or is refused', () => {
  for (const value of [sample(), sample(1, 1, MEMO), sample(2, 2)]) {
    const encoded = encodeTransaction(value)
    for (let offset = 0; offset < encoded.length; offset++) {
      const steps = offset < 12 ? Array.from({ length: 255 }, (_, i) => i + 1) : [1, 0x80, 0xff, encoded[offset]!]
      for (const step of steps) {
        if (step !== 0) assertCanonical(changed(encoded, offset, encoded[offset]! ^ step))
      }
    }
  }
})

test('random mutations of random transactions never find a second encoding', () => {
  const mutation = fc.tuple(signedTransaction, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
  checkProperty(mutation, ([value, edits]) => {
    const encoded = encodeTransaction(value)
    for (const [offset, byte] of edits) encoded[offset % encoded.length] = byte
    assertCanonical(encoded)
  })
})

test('random bytes never decode to something that encodes otherwise', () => {
  checkProperty(fc.uint8Array({ minLength: 0, maxLength: 300 }), assertCanonical)
})

test('two transactions that differ have encodings that differ', () => {
  checkProperty(fc.tuple(signedTransaction, signedTransaction), ([a, b]) => {
    const same = bytesToHex(encodeTransaction(a)) === bytesToHex(encodeTransaction(b))
    if (same) assert.equal(a, b)
  })
})

test('sizes are what the layout says, and a cut or longer text is refused', () => {
  assert.is(encodeTransaction(sample()).length, MIN_TRANSACTION_SIZE)
  assert.is(encodeTransaction(sample(16, 16, MEMO)).length, MAX_TRANSACTION_SIZE)
  const encoded = encodeTransaction(sample(2, 1, MEMO))
  for (let size = 0; size < encoded.length; size++) {
    assert.is(
      faultOf(() => decodeTransaction(encoded.subarray(0, size))),
      'TRUNCATED',
    )
  }
  assert.is(
    faultOf(() => decodeTransaction(concatBytes(encoded, Uint8Array.of(0)))),
    'TRAILING_BYTES',
  )
})

test('refuses flags that mean nothing, and a memo flag over an empty memo', () => {
  const plain = encodeTransaction(sample())
  for (const flags of [2, 3, 0x80, 0xff])
    assert.is(
      faultOf(() => decodeTransaction(changed(plain, 1, flags))),
      'FLAGS',
    )
  const withMemo = encodeTransaction(sample(1, 1, MEMO))
  const emptied = withMemo.slice()
  emptied.fill(0, 2 + 7 + 56, 2 + 7 + 56 + 32)
  assert.is(
    faultOf(() => decodeTransaction(emptied)),
    'MEMO_EMPTY',
  )
})

test('refuses bytes that carry a transaction which breaks V1', () => {
  const encoded = encodeTransaction(sample())
  const outputAt = 2 + 7
  const zeroOwner = encoded.slice()
  zeroOwner.fill(0, outputAt, outputAt + 20)
  const zeroAmount = encoded.slice()
  zeroAmount.fill(0, outputAt + 40, outputAt + 56)
  const farInput = encoded.slice()
  farInput.fill(0xff, 2, 9)
  const twice = encodeTransaction(sample(2, 1))
  twice.copyWithin(9, 2, 9)
  assert.is(
    faultOf(() => decodeTransaction(zeroOwner)),
    'OWNER_ZERO',
  )
  assert.is(
    faultOf(() => decodeTransaction(zeroAmount)),
    'AMOUNT_RANGE',
  )
  assert.is(
    faultOf(() => decodeTransaction(farInput)),
    'INPUT_ORDER',
  )
  assert.is(
    faultOf(() => decodeTransaction(changed(encoded, 2, 0x20))),
    'INPUT_ORDER',
    '2^53 and above',
  )
  assert.is(
    faultOf(() => decodeTransaction(twice)),
    'INPUT_ORDER',
  )
})

test('a transaction that breaks V1 has no encoding', () => {
  const error = refusal(() => encodeTransaction({ ...sample(), witnesses: new Uint8Array(3) }))
  assert.is(error.code, 'TRANSACTION_MALFORMED')
  assert.is(error.details['fault'], 'WITNESS_SIZE')
})

const body = fc.tuple(
  fc.nat({ max: BLOCK_LIMIT - 1 }),
  fc.nat({ max: 2 ** 32 - 1 }),
  fc.array(signedTransaction, { maxLength: 5 }),
)

test('a block body survives the way onto the wire and back', () => {
  checkProperty(
    body,
    ([block, anchor, transactions]) => {
      const value = { block, anchor, transactions }
      const encoded = encodeBody(value)
      assert.equal(decodeBody(encoded), value)
      const split = splitBody(encoded)
      assert.equal(joinBody(split), encoded)
      assert.equal(split.transactions.map(decodeTransaction), transactions)
    },
    50,
  )
})

test('a changed body decodes to its own bytes or is refused', () => {
  const encoded = encodeBody({ block: 5, anchor: 77, transactions: [sample(), sample(1, 2, MEMO)] })
  for (let offset = 0; offset < encoded.length; offset++) {
    for (const step of [1, 0x10, 0xff]) {
      const mutated = changed(encoded, offset, encoded[offset]! ^ step)
      try {
        assert.equal(encodeBody(decodeBody(mutated)), mutated)
      } catch (error) {
        if (!isLifeboatError(error)) throw error
        assert.ok(['BODY_MALFORMED', 'TRANSACTION_MALFORMED'].includes(error.code))
      }
    }
  }
})

test('refuses a body with another magic, wrong counts, a cut end or bytes left over', () => {
  const encoded = encodeBody({ block: 5, anchor: 77, transactions: [sample(), sample()] })
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['TRUNCATED', encoded.subarray(0, 15)],
    ['TRUNCATED', encoded.subarray(0, encoded.length - 1)],
    ['MAGIC', changed(encoded, 0, 0x4d)],
    ['NUMBERS', changed(encoded, 4, 0x10)],
    ['TX_COUNT', changed(encoded, 15, 3)],
    ['TX_COUNT', changed(encoded, 12, 0xff)],
    ['TRAILING_BYTES', changed(encoded, 15, 1)],
    ['TRAILING_BYTES', concatBytes(encoded, Uint8Array.of(0))],
  ]
  for (const [want, value] of cases)
    assert.is(
      faultOf(() => splitBody(value)),
      want,
    )
})

test('refuses to make a body with numbers that do not fit', () => {
  const wrong = [
    { block: BLOCK_LIMIT, anchor: 1 },
    { block: -1, anchor: 1 },
    { block: 1.5, anchor: 1 },
    { block: 1, anchor: 2 ** 32 },
    { block: 1, anchor: -1 },
  ]
  for (const numbers of wrong)
    assert.is(refusal(() => joinBody({ ...numbers, transactions: [] })).code, 'BODY_MALFORMED')
})

test('an announced count of four thousand million transactions costs nothing', () => {
  const encoded = encodeBody({ block: 1, anchor: 1, transactions: [] })
  for (const offset of [12, 13, 14, 15]) encoded[offset] = 0xff
  assert.is(
    faultOf(() => splitBody(encoded)),
    'TX_COUNT',
  )
})

test('a memo of any hash but zero is kept', () => {
  checkProperty(fc.tuple(hash, bytes(64)), ([memo, witnesses]) => {
    const value = { ...sample(1, 1, memo), witnesses }
    assert.equal(decodeTransaction(encodeTransaction(value)), value)
  })
})

test.run()

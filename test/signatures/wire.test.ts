/** Hashing from the wire and decoding agree: on what is a transaction, and on what it is called. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashWitnesses } from '../../protocol/block.ts'
import { bytesToHex, ZERO_HASH } from '../../protocol/bytes.ts'
import { decodeTransaction, encodeTransaction } from '../../protocol/codec.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createOutput, hashTransaction, leafOf, type SignedTransaction } from '../../protocol/transaction.ts'
import { prepareBatch } from '../../signatures/jobs.ts'
import { isPrepared } from '../../signatures/packing.ts'
import { createReader, isCanonical } from '../../signatures/wire.ts'

const test = suite('wire hashing')
const separator = domainSeparator({ chainId: 7, rootContract: `0x${'ab'.repeat(20)}` })

const bytesOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const address = bytesOf(20).map((bytes) => {
  bytes[3] = (bytes[3] as number) | 1
  return bytesToHex(bytes)
})
const output = fc
  .tuple(address, fc.oneof(address, fc.constant(bytesToHex(new Uint8Array(20)))), fc.bigInt(1n, 2n ** 128n - 1n))
  .map(([owner, token, amount]) => createOutput(owner, token, amount))
const signed: fc.Arbitrary<SignedTransaction> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 16 }),
    fc.array(output, { minLength: 1, maxLength: 16 }),
    fc.oneof(fc.constant(ZERO_HASH), bytesOf(32).map(bytesToHex)),
    bytesOf(16 * 64),
  )
  .map(([inputs, outputs, memo, witnesses]) => ({
    transaction: { inputs: inputs.sort((a, b) => a - b), outputs, memo },
    witnesses: witnesses.slice(0, inputs.length * 64),
  }))

function decodes(bytes: Uint8Array): boolean {
  try {
    decodeTransaction(bytes)
    return true
  } catch (error) {
    if (isLifeboatError(error) && error.code === 'TRANSACTION_MALFORMED') return false
    throw error
  }
}

test('names random transactions as the specification does, wherever in a batch they stand', () => {
  fc.assert(
    fc.property(fc.array(signed, { minLength: 1, maxLength: 3 }), (all) => {
      const encoded = all.map(encodeTransaction)
      const bytes = Buffer.concat(encoded)
      let end = 0
      const ends = Uint32Array.from(encoded, ({ length }) => {
        end += length
        return end
      })
      const results = prepareBatch({ bytes, ends, separator })
      for (const [i, { transaction, witnesses }] of all.entries()) {
        const result = results[i]!
        assert.ok(isPrepared(result))
        const txHash = hashTransaction(transaction, separator)
        assert.is(bytesToHex(result.txHash), bytesToHex(txHash))
        assert.is(bytesToHex(result.leaf), bytesToHex(leafOf(txHash, hashWitnesses(witnesses))))
        assert.is(result.signers.length, transaction.inputs.length)
        const read = createReader(bytes)(ends[i - 1] ?? 0, ends[i]!)
        assert.equal(read.transaction, transaction)
        assert.equal(bytesToHex(read.witnesses), bytesToHex(witnesses))
      }
    }),
    { numRuns: 100 },
  )
})

/** Changes that come near the rules: single bytes, fields of zeros, equal and swapped inputs, missing and further bytes. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(2_000), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('head' as const), at: fc.nat(3), value: fc.constantFrom(0, 1, 2, 0x1f, 0x20, 0xff) }),
  fc.record({ kind: fc.constant('zero' as const), at: fc.nat(1_200), value: fc.constantFrom(7, 16, 20, 32, 56) }),
  fc.record({ kind: fc.constant('same' as const), at: fc.nat(15), value: fc.constantFrom(0, 7) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(300), value: fc.constant(0) }),
  fc.record({ kind: fc.constant('grow' as const), at: fc.nat(64), value: fc.constant(0) }),
)

function mutate(bytes: Uint8Array, { kind, at, value }: { kind: string; at: number; value: number }): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const place = at % bytes.length
  if (kind === 'set' || kind === 'head') changed[place] = value
  if (kind === 'zero') changed.fill(0, place, place + value)
  // The input after this one becomes it (0), or takes its place and the other way round (7).
  if (kind === 'same') {
    const from = 2 + (at % 16) * 7
    const [first, second] = [bytes.slice(from, from + 7), bytes.slice(from + 7, from + 14)]
    if (from + 14 > bytes.length) return changed
    changed.set(first, from + 7)
    if (value === 7) changed.set(second, from)
  }
  if (kind === 'cut') return changed.slice(0, Math.max(0, bytes.length - at))
  return kind === 'grow' ? Uint8Array.from([...changed, ...new Uint8Array(at)]) : changed
}

test('takes exactly the bytes that decode, whatever was done to them', () => {
  let [taken, refused] = [0, 0]
  fc.assert(
    fc.property(signed, fc.array(change, { minLength: 1, maxLength: 2 }), (one, changes) => {
      const bytes = changes.reduce(mutate, encodeTransaction(one))
      const isTaken = isCanonical(bytes, 0, bytes.length)
      assert.is(isTaken, decodes(bytes))
      if (isTaken) taken++
      else refused++
      const [result] = prepareBatch({ bytes, ends: Uint32Array.of(bytes.length), separator })
      assert.is(isPrepared(result!), isTaken)
    }),
    { numRuns: 1_500 },
  )
  assert.ok(taken > 100 && refused > 100, `${taken} taken, ${refused} refused`)
})

test('refuses random bytes as the decoder does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.is(isCanonical(bytes, 0, bytes.length), decodes(bytes))
    }),
    { numRuns: 500 },
  )
})

for (const [name, spoil] of [
  ['a position of 2^53', (bytes: Uint8Array) => bytes.set([0x20, 0, 0, 0, 0, 0, 0], 2)],
  ['an owner of zero', (bytes: Uint8Array) => bytes.fill(0, 9, 29)],
  ['an amount of zero', (bytes: Uint8Array) => bytes.fill(0, 49, 65)],
  ['an empty memo', (bytes: Uint8Array) => bytes.fill(0, 65, 97)],
  ['an unknown flag', (bytes: Uint8Array) => bytes.set([2], 1)],
] as const) {
  test(`refuses ${name}`, () => {
    const transaction = {
      inputs: [5],
      outputs: [createOutput(`0x${'01'.repeat(20)}`, `0x${'02'.repeat(20)}`, 9n)],
      memo: `0x${'03'.repeat(32)}` as const,
    }
    const bytes = encodeTransaction({ transaction, witnesses: new Uint8Array(64) })
    assert.ok(isCanonical(bytes, 0, bytes.length))
    spoil(bytes)
    assert.not.ok(isCanonical(bytes, 0, bytes.length))
    assert.not.ok(decodes(bytes))
  })
}

test.run()

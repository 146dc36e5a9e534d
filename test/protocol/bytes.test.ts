/** Bytes, hexadecimal text, hashes and errors: the floor everything stands on. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keccak256 as viemKeccak } from 'viem'
import {
  bytesToHex,
  concatBytes,
  equalBytes,
  hexToBytes,
  parseAddress,
  parseHash,
  writeHex,
  writeUint,
} from '../../protocol/bytes.ts'
import {
  assertNever,
  bug,
  configError,
  invalid,
  isLifeboatError,
  LifeboatError,
  retryable,
} from '../../protocol/errors.ts'
import { keccak256, keccak256Hex, keccak256Text } from '../../protocol/keccak.ts'
import { refusal } from './faults.ts'
import { checkProperty, printSeed } from './random.ts'

const test = suite('bytes, hashes, errors')
test.before(() => printSeed('bytes'))

test('bytes survive the way into hexadecimal and back', () => {
  checkProperty(fc.uint8Array(), (value) => {
    assert.equal(hexToBytes(bytesToHex(value)), value)
    assert.is(bytesToHex(value), `0x${Buffer.from(value).toString('hex')}`)
  })
})

test('refuses hexadecimal text that is not canonical', () => {
  for (const text of ['', '0', 'ab', '0xA0', '0xa', '0xg0', '0x0g', '0x é', 'x0ab', '0x0\u0130']) {
    assert.is(refusal(() => hexToBytes(text)).code, 'HEX_INVALID', text)
  }
})

test('shows only the start of a long wrong text', () => {
  const { message } = refusal(() => hexToBytes(`0x${'G'.repeat(500)}`))
  assert.ok(message.length < 250, message)
})

test('refuses text of another size than asked for', () => {
  const target = new Uint8Array(4)
  assert.is(refusal(() => writeHex(target, 0, '0xabcd', 3)).code, 'HEX_INVALID')
  writeHex(target, 1, '0xabcd', 2)
  assert.equal(target, Uint8Array.of(0, 0xab, 0xcd, 0))
})

test('unsigned integers are written big-endian', () => {
  checkProperty(fc.bigInt(0n, 2n ** 128n - 1n), (value) => {
    const target = new Uint8Array(18)
    writeUint(target, 1, value, 16)
    assert.is(BigInt(bytesToHex(target.subarray(1, 17))), value)
    assert.is(target[0], 0)
    assert.is(target[17], 0)
  })
})

test('concatenates and compares', () => {
  checkProperty(fc.tuple(fc.uint8Array(), fc.uint8Array()), ([a, b]) => {
    const joined = concatBytes(a, b)
    assert.ok(equalBytes(joined.subarray(0, a.length), a))
    assert.ok(equalBytes(joined.subarray(a.length), b))
    assert.is(equalBytes(a, b), Buffer.compare(a, b) === 0)
  })
})

test('an address or hash comes out in lower case from any casing', () => {
  const text = 'AbCdEf0123'
  assert.is(parseAddress(`0x${text.repeat(4)}`), `0x${text.repeat(4).toLowerCase()}`)
  assert.is(parseHash(`0x${'Ab'.repeat(32)}`), `0x${'ab'.repeat(32)}`)
})

test('refuses what is not an address or a hash', () => {
  for (const text of ['', '0x', `0x${'a'.repeat(39)}`, `0x${'a'.repeat(41)}`, `0X${'a'.repeat(40)}`, 'a'.repeat(42)]) {
    assert.is(refusal(() => parseAddress(text)).code, 'ADDRESS_INVALID', text)
  }
  for (const text of ['', `0x${'a'.repeat(63)}`, `0x${'g'.repeat(64)}`]) {
    assert.is(refusal(() => parseHash(text)).code, 'HASH_INVALID', text)
  }
})

test('keccak-256 is the one of Ethereum, call after call', () => {
  checkProperty(fc.uint8Array({ maxLength: 500 }), (value) => {
    assert.is(keccak256Hex(value), viemKeccak(value))
    assert.is(bytesToHex(keccak256(value)), viemKeccak(value))
  })
  assert.is(bytesToHex(keccak256Text('abc')), viemKeccak(Uint8Array.of(97, 98, 99)))
})

test('an error says its family and code, and what was got and wanted', () => {
  const makers = { invalid, retryable, config: configError, bug }
  for (const [family, make] of Object.entries(makers)) {
    const cause = new Error('below')
    const error = make('SOME_CODE', 'it broke', { got: 5n, want: { at: [6n] } }, cause)
    assert.is(error.family, family)
    assert.is(error.code, 'SOME_CODE')
    assert.is(error.message, 'it broke, got 5, want {"at":["6"]}')
    assert.is(error.cause, cause)
    assert.is(error.name, 'LifeboatError')
    assert.ok(isLifeboatError(error))
  }
})

test('an error without details or cause has neither', () => {
  const error = invalid('CODE', 'plain')
  assert.is(error.message, 'plain')
  assert.equal(error.details, {})
  assert.not.ok('cause' in error)
  assert.not.ok(isLifeboatError(new Error('CODE')))
})

test('an error prints values that JSON has no words for', () => {
  assert.is(new LifeboatError('bug', 'C', 's', { got: undefined, want: 'text' }).message, 's, got undefined, want text')
})

test('a case that the types exclude is a bug at run time', () => {
  const error = refusal(() => assertNever('surprise' as never))
  assert.is(error.family, 'bug')
  assert.is(error.code, 'UNREACHABLE')
})

test.run()

/** Positions and output ids (docs/spec.md section 1). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concat, keccak256, padHex, toHex } from 'viem'
import { bytesToHex, hexToBytes } from '../../protocol/bytes.ts'
import {
  BLOCK_LIMIT,
  DEPOSIT_INDEX,
  decodePosition,
  depositIdOf,
  encodePosition,
  INDEX_LIMIT,
  isDepositPosition,
  isPosition,
  outputIdAt,
  outputIdOf,
  POSITION_LIMIT,
  parsePosition,
  transactionPosition,
} from '../../protocol/position.ts'
import { refusal } from './faults.ts'
import { checkProperty, hash, position, printSeed } from './random.ts'

const test = suite('positions')
test.before(() => printSeed('positions'))

const place = fc
  .tuple(fc.nat({ max: BLOCK_LIMIT - 1 }), fc.nat({ max: INDEX_LIMIT - 1 }), fc.nat({ max: 15 }))
  .map(([block, index, output]) => ({ block, index, output }))

test('a place survives the way into a position and back', () => {
  checkProperty(place, (value) => assert.equal(decodePosition(encodePosition(value)), value))
})

test('every integer below 2^53 is the position of exactly one place', () => {
  checkProperty(position, (value) => assert.is(encodePosition(decodePosition(value)), value))
})

test('positions are ordered by block, then index, then output', () => {
  checkProperty(fc.tuple(place, place), ([a, b]) => {
    const byPlace = a.block - b.block || a.index - b.index || a.output - b.output
    assert.is(Math.sign(encodePosition(a) - encodePosition(b)), Math.sign(byPlace))
  })
})

test('the largest position is 2^53 - 1', () => {
  const last = encodePosition({ block: BLOCK_LIMIT - 1, index: INDEX_LIMIT - 1, output: 15 })
  assert.is(last, POSITION_LIMIT - 1)
  assert.is(last, Number.MAX_SAFE_INTEGER)
})

test('refuses a place with a part out of range', () => {
  const good = { block: 1, index: 2, output: 3 }
  const wrong = [
    { block: BLOCK_LIMIT },
    { block: -1 },
    { block: 1.5 },
    { index: INDEX_LIMIT },
    { index: -1 },
    { output: 16 },
    { output: -1 },
    { output: Number.NaN },
  ]
  for (const part of wrong) assert.is(refusal(() => encodePosition({ ...good, ...part })).code, 'POSITION_INVALID')
})

test('takes a position as a number or as its one decimal text', () => {
  checkProperty(position, (value) => {
    assert.is(parsePosition(value), value)
    assert.is(parsePosition(String(value)), value)
  })
})

test('refuses anything else as a position', () => {
  const wrong = [-1, 1.5, POSITION_LIMIT, Number.NaN, '', '01', '+1', '1e3', ' 1', '0x10', '-1', String(2 ** 53)]
  for (const value of wrong) assert.is(refusal(() => parsePosition(value)).code, 'POSITION_INVALID', String(value))
  assert.not.ok(isPosition('1'))
  assert.not.ok(isPosition(undefined))
})

test('an index from 2^20 on is a deposit', () => {
  const at = (index: number) => encodePosition({ block: 7, index, output: 3 })
  assert.not.ok(isDepositPosition(at(DEPOSIT_INDEX - 1)))
  assert.ok(isDepositPosition(at(DEPOSIT_INDEX)))
  assert.ok(isDepositPosition(at(INDEX_LIMIT - 1)))
})

test('all outputs of one transaction share its position', () => {
  checkProperty(place, (value) => {
    const want = encodePosition({ ...value, output: 0 })
    assert.is(transactionPosition(encodePosition(value)), want)
  })
})

test("an output id is keccak of the transaction's hash and the output's number", () => {
  checkProperty(fc.tuple(hash, fc.nat({ max: 15 })), ([txHash, output]) => {
    assert.is(outputIdOf(hexToBytes(txHash), output), keccak256(concat([txHash, padHex(toHex(output), { size: 32 })])))
  })
})

test("a deposit's id is keccak of the tag and its position, whatever hash is given", () => {
  const tag = keccak256(toHex('Lifeboat deposit'))
  checkProperty(fc.tuple(place, hash), ([value, txHash]) => {
    const at = encodePosition({ ...value, index: DEPOSIT_INDEX + (value.index % DEPOSIT_INDEX), output: 0 })
    const want = keccak256(concat([tag, padHex(toHex(at), { size: 32 })]))
    assert.is(depositIdOf(at), want)
    assert.is(outputIdAt(at, txHash), want)
  })
})

test("a transaction output's id follows its output number", () => {
  const txHash = bytesToHex(new Uint8Array(32).fill(9))
  const at = encodePosition({ block: 3, index: 4, output: 5 })
  assert.is(outputIdAt(at, txHash), outputIdOf(hexToBytes(txHash), 5))
})

test.run()

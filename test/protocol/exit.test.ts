/** Exit timing, order, fees and bonds (docs/spec.md sections 5, 6 and 8). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeAbiParameters, keccak256 } from 'viem'
import {
  BOND_GAS,
  BOUNTY_GAS,
  BURN_GAS,
  bondFeeGwei,
  CHALLENGE_GAS,
  compareTurns,
  decaySlowFee,
  evidenceDeadline,
  hashExit,
  maturityOf,
  nextSlowFee,
  payableAfter,
  type QueuePlace,
  splitBond,
  standardExitBond,
  voidableUntil,
} from '../../protocol/exit.ts'
import { checkProperty, exit, printSeed } from './random.ts'

const test = suite('exits')
test.before(() => printSeed('exits'))

const DAY = 86_400n
const GWEI = 10n ** 9n
const fee32 = fc.bigInt(0n, 2n ** 32n - 1n)
const seconds = fc.bigInt(0n, 70n * DAY)
const baseFee = fc.bigInt(0n, 10_000n * GWEI)

test("an exit's hash is that of its ABI encoding", () => {
  checkProperty(exit, (value) => {
    const {
      outputId,
      position,
      owner,
      token,
      amount,
      young,
      seq,
      startedAt,
      exitableAt,
      lockedAt,
      payer,
      bond,
      disputed,
    } = value
    const types = [
      'bytes32',
      'uint64',
      'address',
      'address',
      'uint128',
      'bool',
      'uint40',
      'uint40',
      'uint40',
      'uint40',
      'address',
      'uint128',
      'bytes32',
    ]
    const want = keccak256(
      encodeAbiParameters(
        types.map((type) => ({ type })),
        [
          outputId,
          BigInt(position),
          owner,
          token,
          amount,
          young,
          seq,
          startedAt,
          exitableAt,
          lockedAt,
          payer,
          bond,
          disputed,
        ],
      ),
    )
    assert.is(hashExit(value), want)
  })
})

test('an old output leaves one period after the start, a young one two after its block, a tie counts as young', () => {
  const mep = 1_000
  assert.equal(maturityOf(5_000, mep), { exitableAt: 6_000, young: false })
  assert.equal(maturityOf(5_000, mep, 3_999), { exitableAt: 6_000, young: false })
  assert.equal(maturityOf(5_000, mep, 4_000), { exitableAt: 6_000, young: true })
  assert.equal(maturityOf(5_000, mep, 4_500), { exitableAt: 6_500, young: true })
})

test('an exit never matures before one period from its start nor two from its block', () => {
  const times = fc.tuple(fc.nat({ max: 2 ** 34 }), fc.nat({ max: 2 ** 20 }), fc.nat({ max: 2 ** 34 }))
  checkProperty(times, ([now, mep, made]) => {
    const { exitableAt } = maturityOf(now, mep, made)
    assert.is(exitableAt, Math.max(now + mep, made + 2 * mep))
  })
})

test('evidence ends a quarter of the period before payment; a move of the halt starts the period again', () => {
  assert.is(evidenceDeadline(10_000, 1_003), 10_000 - 250)
  assert.is(payableAfter(10_000, 1_000), 10_000)
  assert.is(payableAfter(10_000, 1_000, 9_500), 10_500)
  assert.is(payableAfter(10_000, 1_000, 8_000), 10_000, 'a move long before changes nothing')
  assert.is(evidenceDeadline(10_000, 1_000, 9_500), 10_250)
  assert.is(voidableUntil(7_000, 1_000), 8_000)
})

const queuePlace = fc.record({
  exitableAt: fc.nat({ max: 3 }),
  young: fc.boolean(),
  block: fc.nat({ max: 2 }),
  seq: fc.nat({ max: 3 }),
})

test('turns are ordered by time, then stream A, then block, then arrival', () => {
  const at = (exitableAt: number, young: boolean, block: number, seq: number): QueuePlace => ({
    exitableAt,
    young,
    block,
    seq,
  })
  const inOrder = [
    at(5, true, 9, 0),
    at(6, false, 9, 1),
    at(6, false, 0, 2),
    at(6, true, 3, 0),
    at(6, true, 3, 1),
    at(6, true, 4, 0),
    at(7, false, 0, 3),
  ]
  assert.equal([...inOrder].reverse().sort(compareTurns), inOrder)
})

test('the order of turns is total: antisymmetric and transitive', () => {
  checkProperty(fc.tuple(queuePlace, queuePlace, queuePlace), ([a, b, c]) => {
    assert.is(Math.sign(compareTurns(a, b)) + Math.sign(compareTurns(b, a)), 0)
    if (compareTurns(a, b) <= 0 && compareTurns(b, c) <= 0) assert.ok(compareTurns(a, c) <= 0)
  })
})

test('the slow fee halves every day, in straight lines, and never grows by itself', () => {
  assert.is(decaySlowFee(1_000n, 0n), 1_000n)
  assert.is(decaySlowFee(1_000n, DAY / 2n), 750n)
  assert.is(decaySlowFee(1_000n, DAY), 500n)
  assert.is(decaySlowFee(1_000n, 2n * DAY), 250n)
  assert.is(decaySlowFee(2n ** 32n - 1n, 64n * DAY), 0n)
  checkProperty(fc.tuple(fee32, seconds, seconds), ([fee, first, more]) => {
    const earlier = decaySlowFee(fee, first)
    const later = decaySlowFee(fee, first + more)
    assert.ok(later <= earlier, `${later} after ${earlier}`)
    assert.ok(earlier >= 0n && earlier <= fee)
  })
})

test('a submission never lets the slow fee fall below the base fee nor the decayed one, within 32 bits', () => {
  checkProperty(fc.tuple(fee32, seconds, fc.bigInt(0n, 2n ** 80n)), ([fee, elapsed, base]) => {
    const next = nextSlowFee(fee, elapsed, base)
    const most = 2n ** 32n - 1n
    const want = [decaySlowFee(fee, elapsed), (base + GWEI - 1n) / GWEI].reduce((a, b) => (a > b ? a : b))
    assert.is(next, want > most ? most : want)
  })
})

test('the bond fee is at least the base fee and one gwei, and at most sixteen base fees or one gwei', () => {
  checkProperty(fc.tuple(fee32, seconds, baseFee), ([fee, elapsed, base]) => {
    const reference = bondFeeGwei(fee, elapsed, base)
    const gwei = (base + GWEI - 1n) / GWEI
    assert.ok(reference >= gwei && reference >= 1n)
    assert.ok(reference <= (16n * gwei > 1n ? 16n * gwei : 1n))
    assert.is(standardExitBond(fee, elapsed, base), BOND_GAS * reference * GWEI)
  })
})

test('the bond fee remembers a past peak, halved, and forgets it', () => {
  assert.is(bondFeeGwei(100n, 0n, 10n * GWEI), 50n)
  assert.is(bondFeeGwei(1_000n, 0n, 10n * GWEI), 160n, 'capped at 16 base fees')
  assert.is(bondFeeGwei(100n, 10n * DAY, 10n * GWEI), 10n)
  assert.is(bondFeeGwei(0n, 0n, 0n), 1n)
  assert.is(bondFeeGwei(0n, 0n, 1n), 1n, 'rounded up')
})

test('the parts of a fallen bond sum to the bond', () => {
  checkProperty(fc.bigInt(0n, 2n ** 128n - 1n), (bond) => {
    const { challenger, bounty, burnt } = splitBond(bond)
    assert.is(challenger + bounty + burnt, bond)
    assert.ok(challenger >= 0n && bounty >= 0n && burnt >= 0n)
  })
  const { challenger, bounty, burnt } = splitBond(BOND_GAS * 7n)
  assert.equal([challenger, bounty, burnt], [CHALLENGE_GAS * 7n, BOUNTY_GAS * 7n, BURN_GAS * 7n])
})

test.run()

/** Ranges and their price (spec 8.6): what can be demanded, and what forcing a block into the open costs each side. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerGas,
  coverBlock,
  coversRange,
  dataChallengeBond,
  findRangeProblem,
  HALVED_AFTER,
  leavesOf,
  proveRange,
} from '../../protocol/dataChallenge.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { createTree } from '../../protocol/merkle.ts'
import { refusal } from './faults.ts'

const test = suite('data challenges')
const GWEI = 10n ** 9n
const payment = { inputs: [1], outputs: [{}, {}] as never[] }

test('the ranges that cover a block hold each leaf once, and each can be challenged', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5_000 }), (txCount) => {
      const ranges = coverBlock(7, txCount)
      assert.is(
        ranges.reduce((sum, range) => sum + leavesOf(range, txCount), 0),
        txCount,
      )
      for (const range of ranges) assert.is(findRangeProblem(range, txCount), undefined)
      for (const [i, range] of ranges.entries()) assert.is(range.first, i === 0 ? 0 : ranges[i - 1]!.first + 32)
    }),
  )
})

test('a range covers itself and what lies inside, in its own block only', () => {
  const whole = { blockNumber: 3, first: 64, levels: 6 }
  assert.ok(coversRange(whole, whole))
  assert.ok(coversRange(whole, { blockNumber: 3, first: 127, levels: 0 }))
  assert.not.ok(coversRange(whole, { blockNumber: 3, first: 128, levels: 0 }))
  assert.not.ok(coversRange(whole, { blockNumber: 3, first: 63, levels: 0 }))
  assert.not.ok(coversRange(whole, { blockNumber: 4, first: 64, levels: 0 }))
  assert.not.ok(coversRange({ ...whole, levels: 5 }, whole))
})

test('a range that a block has not is refused with what was wrong', () => {
  const tree = createTree(Array.from({ length: 5 }, (_, i) => keccak256Text(`${i}`)))
  for (const [first, levels] of [
    [5, 0],
    [-1, 0],
    [0.5, 0],
    [1, 1],
    [0, 4],
    [0, 7],
    [0, -1],
  ] as const) {
    assert.is(refusal(() => proveRange(tree, { first, levels })).code, 'RANGE_MALFORMED')
  }
  assert.equal(proveRange(tree, { first: 0, levels: 3 }), [])
})

test('forcing a leaf, a range and a whole block into the open costs what the specification says', () => {
  const bondOf = (fee: bigint) => {
    const groups = coverBlock(1, 4_096)
    return groups.reduce((sum, { levels, first }) => sum + dataChallengeBond(levels, (first >> 6) + 1, fee), 0n)
  }
  assert.is(dataChallengeBond(0, 1, GWEI) / GWEI, 121_875n)
  assert.is(dataChallengeBond(5, 1, GWEI) / GWEI, 1_066_406n)
  const [atOne, atTwenty, atFiveHundred] = [1n, 20n, 500n].map((fee) => Number(bondOf(fee * GWEI) / 10n ** 13n) / 1e5)
  assert.equal([atOne, atTwenty, atFiveHundred], [0.12035, 2.40712, 60.17812])
})

test('who answers a whole block alone is paid for some of it, and loses less than the challengers', () => {
  /** Gas of revealing 64 usual payments, by `npm run gas`. */
  const measured = 64 * 16_105
  const formula = answerGas(Array.from({ length: 64 }, () => payment) as never, 6)
  assert.ok(formula * 1.1 >= measured, 'an answer is paid at least its cost where it is not halved')
  const paid = (groups: number) => formula * (groups > HALVED_AFTER ? 0.55 : 1.1)
  const loss = Array.from({ length: 64 }, (_, i) => measured - paid(i + 1)).reduce((sum, one) => sum + one, 0)
  assert.ok(loss > 21e6 && loss < 22e6, `got ${loss}`)
  const bonds = coverBlock(1, 4_096).reduce(
    (sum, { levels, first }) => sum + dataChallengeBond(levels, (first >> 6) + 1, 1n),
    0n,
  )
  assert.ok(Number(bonds) > 5 * loss)
})

test.run()

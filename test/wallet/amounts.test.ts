/** Amounts: exact text both ways, for every number of decimals. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import { AMOUNT_LIMIT } from '../../protocol/transaction.ts'
import { formatAmount, parseAmount } from '../../wallet/amounts.ts'

const amounts = suite('amounts')

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

amounts('text and units are one thing for every token', () => {
  const property = fc.property(
    fc.bigInt({ min: 0n, max: AMOUNT_LIMIT - 1n }),
    fc.integer({ min: 0, max: 36 }),
    (units, decimals) => {
      const text = formatAmount(units, decimals)
      assert.is(parseAmount(text, decimals), units)
      assert.not.match(text, /e|\.$|\.\d*0$/)
    },
  )
  fc.assert(property, { numRuns: 500 })
})

amounts('keeps the last wei of a large balance', () => {
  assert.is(parseAmount('123456789.000000000000000001', 18), 123456789000000000000000001n)
  assert.is(formatAmount(123456789000000000000000001n, 18), '123456789.000000000000000001')
  assert.is(formatAmount(-1500000n, 6), '-1.5')
})

amounts('accepts trailing zeroes within the decimals', () => {
  assert.is(parseAmount('1.50', 2), 150n)
  assert.is(parseAmount('0', 0), 0n)
})

amounts('refuses what is not plain decimal text', () => {
  for (const text of ['', '.5', '1.', '-1', '+1', '1e18', '01', '1,5', ' 1', '1 ', '0x10', '１', 'NaN', '1_000']) {
    assert.is(
      codeOf(() => parseAmount(text, 18)),
      'AMOUNT_INVALID',
      text,
    )
  }
})

amounts('refuses a unit smaller than the token has, instead of rounding', () => {
  assert.is(
    codeOf(() => parseAmount('1.0000001', 6)),
    'AMOUNT_TOO_PRECISE',
  )
  assert.is(
    codeOf(() => parseAmount('1.0', 0)),
    'AMOUNT_TOO_PRECISE',
  )
})

amounts('refuses 2^128 units, and takes one less', () => {
  assert.is(
    codeOf(() => parseAmount(AMOUNT_LIMIT.toString(), 0)),
    'AMOUNT_TOO_LARGE',
  )
  assert.is(parseAmount((AMOUNT_LIMIT - 1n).toString(), 0), AMOUNT_LIMIT - 1n)
  assert.is(
    codeOf(() => parseAmount('9'.repeat(500), 18)),
    'AMOUNT_TOO_LARGE',
  )
})

amounts.run()

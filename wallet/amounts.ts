/** Amounts as people write them (docs/guide-wallet.md, "Amounts"): exact decimal text to and from a token's smallest unit. No floats. */
import { invalid } from '../protocol/errors.ts'
import { AMOUNT_LIMIT } from '../protocol/transaction.ts'

export const MAX_DECIMALS = 36

const AMOUNT_TEXT = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/**
 * "1.5" with 18 decimals is 1500000000000000000n. Plain decimal text only: no sign, exponent, separators, leading zeroes or spaces.
 * Throws AMOUNT_INVALID; AMOUNT_TOO_PRECISE when the token has no such small unit; AMOUNT_TOO_LARGE from 2^128 units on.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const match = AMOUNT_TEXT.exec(text)
  if (!match) {
    throw invalid('AMOUNT_INVALID', 'not an amount', { got: shorten(text), want: 'decimal digits, such as 1.5' })
  }
  const whole = match[1] as string
  const fraction = match[2] ?? ''
  if (fraction.length > decimals) {
    throw invalid('AMOUNT_TOO_PRECISE', 'the token has no such small unit', {
      got: shorten(text),
      want: `at most ${decimals} decimals`,
    })
  }
  if (whole.length > 39) throw tooLarge(text, decimals)
  const units = BigInt(whole + fraction.padEnd(decimals, '0'))
  if (units >= AMOUNT_LIMIT) throw tooLarge(text, decimals)
  return units
}

/** The shortest exact text: no trailing zeroes, no exponent. Negative amounts (differences) keep their sign. */
export function formatAmount(units: bigint, decimals: number): string {
  if (units < 0n) return `-${formatAmount(-units, decimals)}`
  const digits = units.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function tooLarge(text: string, decimals: number) {
  return invalid('AMOUNT_TOO_LARGE', 'the amount does not fit', {
    got: shorten(text),
    want: `less than ${formatAmount(AMOUNT_LIMIT, decimals)}`,
  })
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

/** Numbers of a drill as people read them: amounts exact or short, times, blocks. Pure. */
import { ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { formatAmount } from '../wallet/amounts.ts'
import type { Moment } from './record.ts'

const ETH_DECIMALS = 18
const SHORT_DIGITS = 4
/** Below a unit of this decimal place an amount is tiny. */
const TINY_DIGITS = 7

/** "1,234,567": of an integer's decimal text. */
export function groupDigits(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Throws RECORD_INVALID for what is not a decimal integer. */
export function unitsOf(text: string): bigint {
  if (!/^-?[0-9]+$/.test(text)) {
    throw invalid('RECORD_INVALID', 'not an amount', {
      got: String(text).slice(0, 60),
      want: 'a decimal integer as text',
    })
  }
  return BigInt(text)
}

/** The record says decimals of no token: ETH has its 18, of every other token these are its smallest units. */
export type Unit = Readonly<{ symbol: string; decimals: number; smallest: string }>

export const ETH: Unit = { symbol: 'ETH', decimals: ETH_DECIMALS, smallest: 'wei' }

export function unitOf({ token, symbol }: Readonly<{ token: string; symbol: string }>): Unit {
  return token === ZERO_ADDRESS ? ETH : { symbol, decimals: 0, smallest: `units of ${symbol}` }
}

/** To the last digit: "1.500000000000000001 ETH", "1,500 units of DEMO". */
export function exactAmount(amount: bigint, { symbol, decimals, smallest }: Unit): string {
  return decimals === 0 ? `${groupDigits(amount)} ${smallest}` : `${formatAmount(amount, decimals)} ${symbol}`
}

/** Every digit, in the smallest unit: "1,500,000,000,000,000,001 wei". */
export function smallestAmount(amount: bigint, { smallest }: Unit): string {
  return `${groupDigits(amount)} ${smallest}`
}

/** For plots: four significant digits, "≈" where that is not exact, never rounded up; what is tiny in its smallest unit: "1 wei". */
export function shortAmount(amount: bigint, unit: Unit): string {
  if (amount < 0n) return `−${shortAmount(-amount, unit)}`
  const { symbol, decimals } = unit
  if (decimals === 0) return `${shortCount(amount)} units`
  if (amount > 0n && amount < 10n ** BigInt(Math.max(decimals - TINY_DIGITS, 0))) return smallestAmount(amount, unit)
  const digits = amount.toString()
  const isLarge = digits.length - decimals > SHORT_DIGITS
  // Digits before the point are never cut off.
  const shown = isLarge
    ? amount - (amount % 10n ** BigInt(decimals))
    : BigInt(digits.slice(0, SHORT_DIGITS).padEnd(digits.length, '0'))
  return `${shown === amount ? '' : '≈ '}${groupWhole(formatAmount(shown, decimals))} ${symbol}`
}

function groupWhole(text: string): string {
  const [whole = '0', fraction] = text.split('.')
  return fraction === undefined ? groupDigits(BigInt(whole)) : `${groupDigits(BigInt(whole))}.${fraction}`
}

/** "412,345", "12.3 M", "5 × 10^18". */
export function shortCount(value: bigint | number): string {
  const exact = BigInt(value)
  if (exact < 1_000_000n) return groupDigits(exact)
  if (exact < 1_000_000_000n) return `${trimmed(Number(exact) / 1e6)} M`
  if (exact < 1_000_000_000_000n) return `${trimmed(Number(exact) / 1e9)} G`
  const text = exact.toString()
  const lead = `${text[0]}.${text.slice(1, 3)}`.replace(/\.?0+$/, '')
  return `${lead} × 10^${text.length - 1}`
}

const trimmed = (value: number) => value.toFixed(2).replace(/\.?0+$/, '')

const SPANS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** The two largest units that say something: "1 d 4 h", "4 min 12 s", "0 s". */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return `−${formatDuration(-seconds)}`
  let left = Math.round(seconds)
  const first = SPANS.findIndex(([span]) => left >= span)
  if (first === -1) return '0 s'
  const parts: string[] = []
  for (const [span, name] of SPANS.slice(first, first + 2)) {
    const count = Math.floor(left / span)
    left -= count * span
    if (count > 0) parts.push(`${count} ${name}`)
  }
  return parts.join(' ')
}

export const formatBlocks = (blocks: number) => `${groupDigits(blocks)} block${blocks === 1 ? '' : 's'}`

/** "12 blocks, 2 min 24 s". */
export function formatSpan(from: Moment, to: Moment): string {
  return `${formatBlocks(Math.abs(to.block - from.block))}, ${formatDuration(Math.abs(to.time - from.time))}`
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${groupDigits(count)} ${count === 1 ? one : many}`

/**
 * Gas that the crowd simulation reckons with (docs/spec.md 11.1): one table, by the keys of `npm run gas`, and what it says when a fresh
 * measurement has moved away from it. OMG's figures are of its own contracts, measured in the same way: full blocks, one input, two outputs.
 */
import type { Gas } from './gasBlocks.ts'

export const CROWD_GAS = {
  massExit_live_each_250: 1_105,
  massExit_live_each_1000: 901,
  massExit_live_each_10000: 842,
  lockBatch: 91_321,
  claimMany_each: 64_170,
  claim_eth: 109_453,
  strike: 87_514,
  strikeMany_each: 46_805,
  openEntry_afterTurn: 155_165,
  releaseEntry: 111_651,
  startStandardExit_1in2out_65536: 85_512,
  processExits_eth_50of1000_each: 32_572,
} as const satisfies Gas

export type GasKey = keyof typeof CROWD_GAS

/** OMG's start alone (no payout in it), and its part of a `processExits` of 50 among 1,000. */
export const OMG_GAS = { startStandardExit: 383_370, processExitsEach: 123_875 } as const

/** What a coordinator's bond pays for an entry (docs/spec.md 6.4.8): gas at the fee. */
export const STRUCK_GAS = 95_000
export const RELEASED_GAS = 30_000

/** EIP-7825: one transaction. */
export const TRANSACTION_GAS_CAP = 16_777_216

/** What nodes pass on of one transaction without blobs (geth's and others' pools): bytes. */
export const POOL_BYTES_CAP = 128 * 1024

/** Further off than this the table is stale; below it nothing in the document would read differently. */
export const TOLERANCE = 0.01

const MEASURED: readonly (readonly [entries: number, gas: number])[] = [
  [250, 250 * CROWD_GAS.massExit_live_each_250],
  [1_000, 1_000 * CROWD_GAS.massExit_live_each_1000],
  [10_000, 10_000 * CROWD_GAS.massExit_live_each_10000],
]

/** Gas of one `startBatch` of so many entries: straight lines through the measured sizes, and on beyond them. */
export function startBatchGas(entries: number): number {
  if (!Number.isSafeInteger(entries) || entries < 1) throw new RangeError(`entries: got ${entries}, want 1 or more`)
  const upper = entries <= 1_000 ? 1 : 2
  const [x0, y0] = MEASURED[upper - 1] as (typeof MEASURED)[number]
  const [x1, y1] = MEASURED[upper] as (typeof MEASURED)[number]
  return Math.ceil(y0 + ((entries - x0) * (y1 - y0)) / (x1 - x0))
}

/** The most entries, up to `most`, whose start takes at most `gas`; 0 if none does. */
export function entriesWithin(gas: number, most: number): number {
  let low = 0
  let high = most
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (startBatchGas(middle) <= gas) low = middle
    else high = middle - 1
  }
  return low
}

export type StaleGas = Readonly<{ key: GasKey; got: number; want: number }>

/** Keys of a measurement that the table has otherwise; keys that are not measured are not looked at. */
export function findStaleGas(measured: Gas): StaleGas[] {
  return (Object.keys(CROWD_GAS) as GasKey[]).flatMap((key) => {
    const want = measured[key]
    const got = CROWD_GAS[key]
    return want === undefined || Math.abs(want - got) <= TOLERANCE * want ? [] : [{ key, got, want }]
  })
}

/** The table of docs/spec.md 11.1, by key. A row has several keys, or several measurements of one: then the greatest counts. */
export function readSpecGas(spec: string): Gas {
  const gas: Gas = {}
  const section = spec.split('\n### 11.1')[1]?.split('\n### ')[0] ?? ''
  for (const row of section.matchAll(/^\| (\w[^|]*)\|[^|]*\| ([\d,]+(?: \/ [\d,]+)*) \|$/gm)) {
    const [, names = '', figures = ''] = row
    const values = figures.split(' / ').map((figure) => Number(figure.replaceAll(',', '')))
    const keys = names.split(' / ').map((name) => /^\w+/.exec(name.trim())?.[0] ?? '')
    if (names.includes(', old / young')) values.splice(0, values.length, Math.max(...values))
    for (const [i, key] of keys.entries()) {
      const value = values[i]
      if (value !== undefined) gas[key] ??= value
    }
  }
  return gas
}

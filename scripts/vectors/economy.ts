/** Vectors of fees, bonds and deployment parameters (docs/spec.md sections 8 and 10). */
import { bondFeeGwei, decaySlowFee, nextSlowFee, splitBond, standardExitBond } from '../../protocol/exit.ts'
import { findParameterProblems, type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { createRandom } from './random.ts'

const GWEI = 10n ** 9n
const DAY = 86_400n

export function feeVectors() {
  const random = createRandom('fees')
  const edges: readonly (readonly [slowFeeGwei: bigint, elapsedSeconds: bigint, baseFeeWei: bigint])[] = [
    [0n, 0n, 0n],
    [0n, 0n, 1n],
    [0n, 0n, GWEI],
    [0n, 0n, GWEI + 1n],
    [100n, 0n, 10n * GWEI],
    [1_000n, 0n, 10n * GWEI],
    [1_000n, DAY / 2n, 10n * GWEI],
    [1_000n, DAY, 10n * GWEI],
    [1_000n, DAY - 1n, 100n * GWEI],
    [2n ** 32n - 1n, 31n * DAY + 1n, GWEI],
    [2n ** 32n - 1n, 64n * DAY, GWEI],
    [5n, 0n, 2n ** 32n * GWEI],
  ]
  const some = Array.from({ length: 12 }, () => [random.uint(20), random.uint(20), random.uint(40)] as const)
  const fees = [...edges, ...some].map(([slowFeeGwei, elapsedSeconds, baseFeeWei]) => ({
    slowFeeGwei,
    elapsedSeconds,
    baseFeeWei,
    decayedGwei: decaySlowFee(slowFeeGwei, elapsedSeconds),
    nextSlowFeeGwei: nextSlowFee(slowFeeGwei, elapsedSeconds, baseFeeWei),
    bondFeeGwei: bondFeeGwei(slowFeeGwei, elapsedSeconds, baseFeeWei),
    bondWei: standardExitBond(slowFeeGwei, elapsedSeconds, baseFeeWei),
  }))
  const bonds = [0n, 1n, 6n, 7n, 399_999n, 400_000n, 400_000n * GWEI, 2n ** 128n - 1n, random.uint(70), random.uint(70)]
  return { fees, splits: bonds.map((bond) => ({ bond, ...splitBond(bond) })) }
}

/** `rules`: those that TypeScript names; the contract refuses if and only if there is one. */
export function parameterVectors() {
  const { mainnet, devnet } = PRESETS
  const mep = mainnet.minExitPeriod
  const broken: readonly (readonly [rule: string, Parameters])[] = [
    ['DC + DR <= MEP / 4', { ...mainnet, dataChallengePeriod: mep / 8 + 1, dataResponsePeriod: mep / 8 }],
    ['REACTION <= DC, DR', { ...mainnet, reaction: mep / 8 + 1 }],
    ['REACTION <= DC, DR', { ...mainnet, dataResponsePeriod: mep / 8 - 1 }],
    ['REACTION <= DC, DR', { ...mainnet, dataChallengePeriod: mep / 8 - 1 }],
    ['ANCHOR_AGE * slot * 4/3 <= MEP / 8', { ...mainnet, anchorAgeBlocks: 4_726 }],
    ['ANCHOR_AGE <= 6000', { ...mainnet, anchorAgeBlocks: 6_001, slot: 8 }],
    ['ANCHOR_AGE * slot >= finality + block interval + submission margin', { ...devnet, submissionMargin: 17 }],
    ['periods < 2^32', { ...mainnet, abandonPeriod: 2 ** 32 }],
    ['periods < 2^32', { ...mainnet, minExitPeriod: 2 ** 40 - 1, abandonPeriod: 2 ** 40 - 1 }],
    ['ABANDON_PERIOD >= MEP', { ...mainnet, abandonPeriod: mep - 1 }],
    ['MAX_BLOCK_TXS <= 2^16', { ...mainnet, maxBlockTxs: 2 ** 16 + 1 }],
  ]
  const zeroes = Object.keys(devnet).map((key) => ({ ...devnet, [key]: 0 }))
  return [
    ...Object.values(PRESETS).map((parameters) => ({ parameters, rules: [] })),
    ...broken.map(([rule, parameters]) => ({ parameters, rules: expectRules(parameters, [rule]) })),
    ...zeroes.map((parameters) => ({ parameters, rules: findParameterProblems(parameters).map(({ rule }) => rule) })),
  ]
}

function expectRules(parameters: Parameters, want: readonly string[]): readonly string[] {
  const got = findParameterProblems(parameters).map(({ rule }) => rule)
  if (got.join() !== want.join()) throw new Error(`parameter vector: got ${got.join()}, want ${want.join()}`)
  return want
}

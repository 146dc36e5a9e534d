/**
 * The periods of a deployment (docs/spec.md section 10) and the arithmetic that the root contract's constructor repeats. They are
 * fixed for ever at deployment. Seconds, unless the name says L1 blocks.
 */
import { configError } from './errors.ts'

export type Parameters = Readonly<{
  /** MEP: the minimum exit period. */
  minExitPeriod: number
  /** DC: how long after a block a range of its leaves can be challenged. */
  dataChallengePeriod: number
  /** DR: how long an answer to a data challenge may take. */
  dataResponsePeriod: number
  /** Time an honest watcher may need between seeing and acting. */
  reaction: number
  /** A block's anchor is at most this many L1 blocks old when it is submitted. */
  anchorAgeBlocks: number
  /** L1 slot time. */
  slot: number
  /** L1 blocks after which the operator builds on an L1 block. */
  finalityBlocks: number
  /** Longest time the operator means to let pass between two child blocks. */
  blockInterval: number
  /** Room for getting a submission mined. */
  submissionMargin: number
  /** No block for this long: anyone may close the chain. */
  abandonPeriod: number
  /** Most transactions in a block; a power of two is natural, the limit is 2^16. */
  maxBlockTxs: number
  /** The operator's bond, without which the chain takes no blocks. Gwei, below 2^48. */
  operatorBondGwei: number
}>

export type PresetName = 'mainnet' | 'testnet' | 'devnet'

const HOUR = 3600
const DAY = 24 * HOUR

export const PRESETS: Readonly<Record<PresetName, Parameters>> = {
  mainnet: {
    minExitPeriod: 7 * DAY,
    dataChallengePeriod: 21 * HOUR,
    dataResponsePeriod: 21 * HOUR,
    reaction: 21 * HOUR,
    anchorAgeBlocks: 4_500,
    slot: 12,
    finalityBlocks: 64,
    blockInterval: HOUR,
    submissionMargin: 6 * HOUR,
    abandonPeriod: 14 * DAY,
    maxBlockTxs: 2 ** 12,
    operatorBondGwei: 32 * 10 ** 9,
  },
  testnet: {
    minExitPeriod: 4 * HOUR,
    dataChallengePeriod: HOUR / 2,
    dataResponsePeriod: HOUR / 2,
    reaction: HOUR / 2,
    anchorAgeBlocks: 110,
    slot: 12,
    finalityBlocks: 32,
    blockInterval: 60,
    submissionMargin: 600,
    abandonPeriod: 8 * HOUR,
    maxBlockTxs: 2 ** 12,
    operatorBondGwei: 10 ** 8,
  },
  devnet: {
    minExitPeriod: 240,
    dataChallengePeriod: 30,
    dataResponsePeriod: 30,
    reaction: 30,
    anchorAgeBlocks: 22,
    slot: 1,
    finalityBlocks: 2,
    blockInterval: 4,
    submissionMargin: 8,
    abandonPeriod: 480,
    maxBlockTxs: 2 ** 12,
    operatorBondGwei: 10 ** 9,
  },
}

/** Times on L1 have 40 bits: a longer period would wrap there, and an exit be payable at once. */
const PERIOD_LIMIT = 2 ** 32

const OPERATOR_BOND_LIMIT = 2 ** 48

export const MAX_ANCHOR_AGE_BLOCKS = 6_000
export const MAX_BLOCK_TXS = 2 ** 16

export type ParameterProblem = Readonly<{ rule: string; got: string; want: string }>

/** Every window rule that the parameters break; none means that the constructor accepts them. */
export function findParameterProblems(p: Parameters): ParameterProblem[] {
  const mep = p.minExitPeriod
  const rules: readonly (readonly [rule: string, holds: boolean, got: string, want: string])[] = [
    [
      'positive',
      Object.values(p).every((value) => Number.isSafeInteger(value) && value > 0),
      JSON.stringify(p),
      'positive integers',
    ],
    [
      'periods < 2^32',
      mep < PERIOD_LIMIT && p.abandonPeriod < PERIOD_LIMIT,
      `MEP ${mep} s, abandon period ${p.abandonPeriod} s`,
      `less than ${PERIOD_LIMIT} s each`,
    ],
    [
      'DC + DR <= MEP / 4',
      4 * (p.dataChallengePeriod + p.dataResponsePeriod) <= mep,
      `${p.dataChallengePeriod + p.dataResponsePeriod} s`,
      `at most ${mep / 4} s`,
    ],
    [
      'REACTION <= DC, DR',
      p.reaction <= p.dataChallengePeriod && p.reaction <= p.dataResponsePeriod,
      `${p.reaction} s`,
      `at most ${Math.min(p.dataChallengePeriod, p.dataResponsePeriod)} s`,
    ],
    [
      'ANCHOR_AGE * slot * 4/3 <= MEP / 8',
      32 * p.anchorAgeBlocks * p.slot <= 3 * mep,
      `${(p.anchorAgeBlocks * p.slot * 4) / 3} s`,
      `at most ${mep / 8} s`,
    ],
    [
      'ANCHOR_AGE <= 6000',
      p.anchorAgeBlocks <= MAX_ANCHOR_AGE_BLOCKS,
      `${p.anchorAgeBlocks} blocks`,
      `at most ${MAX_ANCHOR_AGE_BLOCKS}`,
    ],
    [
      'ANCHOR_AGE * slot >= finality + block interval + submission margin',
      p.anchorAgeBlocks * p.slot >= p.finalityBlocks * p.slot + p.blockInterval + p.submissionMargin,
      `${p.anchorAgeBlocks * p.slot} s`,
      `at least ${p.finalityBlocks * p.slot + p.blockInterval + p.submissionMargin} s`,
    ],
    ['ABANDON_PERIOD >= MEP', p.abandonPeriod >= mep, `${p.abandonPeriod} s`, `at least ${mep} s`],
    ['MAX_BLOCK_TXS <= 2^16', p.maxBlockTxs <= MAX_BLOCK_TXS, `${p.maxBlockTxs}`, `at most ${MAX_BLOCK_TXS}`],
    [
      'operator bond < 2^48 gwei',
      p.operatorBondGwei < OPERATOR_BOND_LIMIT,
      `${p.operatorBondGwei} gwei`,
      `less than ${OPERATOR_BOND_LIMIT}`,
    ],
  ]
  return rules.filter(([, holds]) => !holds).map(([rule, , got, want]) => ({ rule, got, want }))
}

/** Throws PARAMETERS_IMPOSSIBLE with all problems at once. */
export function assertParameters(parameters: Parameters): void {
  const problems = findParameterProblems(parameters)
  if (problems.length === 0) return
  throw configError('PARAMETERS_IMPOSSIBLE', 'the periods do not add up', {
    got: problems.map(({ rule, got }) => `${rule}: ${got}`).join('; '),
    want: problems.map(({ want }) => want).join('; '),
  })
}

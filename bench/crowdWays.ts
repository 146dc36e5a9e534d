/**
 * Three ways out for a crowd (docs/spec.md 5.3, 6.4): our mass exit, our standard exits one by one, and the OMG network's standard exits. For
 * each: when the last owner has its place, when the last is paid, and what that costs.
 */

import { BOND_GAS } from '../protocol/exit.ts'
import { batchBond, MAX_ENTRIES } from '../protocol/massExit.ts'
import { PRESETS } from '../protocol/parameters.ts'
import { BLOCK_GAS, type Rest, SLOT_SECONDS } from './crowdFee.ts'
import { CROWD_GAS, entriesWithin, OMG_GAS, startBatchGas, TRANSACTION_GAS_CAP } from './crowdGas.ts'
import { type Load, type Stage, type StageResult, simulate, type Way, type World } from './crowdModel.ts'

export const BATCH_ENTRIES = 10_000
/** Nobody bids more than this, in gwei. */
export const CEILING_GWEI = 500
/** Turns and claims wait until the base fee is at most so many times the usual one. */
export const PATIENCE = 2

const PERIOD = PRESETS.mainnet.minExitPeriod
/** The exit period in L1 blocks. */
export const PERIOD_BLOCKS = PERIOD / SLOT_SECONDS
/** A place that counts is taken by time(M) + MEP; that leaves a mass exit three quarters of it to start. */
export const START_LIMIT_BLOCKS = (PERIOD_BLOCKS * 3) / 4

export const WAYS = ['mass exit', 'one by one', 'OMG'] as const
export type WayName = (typeof WAYS)[number]

export type Case = Readonly<{ way: WayName; owners: number; share: number; startFeeGwei: number; rest: Rest }>

export type Outcome = Case &
  Readonly<{
    /** Block that holds the last owner's part of the crowd's first call. */
    startedBlock: number
    /** Block at which the last owner has its place: exit started, or batch locked. */
    securedBlock: number
    paidBlock: number
    /** Inside the exit period, counted from the first block that the crowd bids for. */
    inTime: boolean
    securedGasEach: number
    securedWeiEach: bigint
    /** Everything until the money is there. */
    paidGasEach: number
    paidWeiEach: bigint
    /** 0 for OMG: not compared. */
    bondWeiEach: bigint
    highestFeeWei: bigint
    stages: readonly StageResult[]
  }>

export function run(of: Case): Outcome {
  if (!Number.isSafeInteger(of.owners) || of.owners < 1)
    throw new RangeError(`owners: got ${of.owners}, want 1 or more`)
  if (!(of.share > 0 && of.share <= 1)) throw new RangeError(`share: got ${of.share}, want above 0 and at most 1`)
  const stages = simulate(wayOf(of), worldOf(of))
  const securing = stages.slice(0, of.way === 'mass exit' ? 2 : 1)
  const secured = securing[securing.length - 1] as StageResult
  const sum = (some: readonly StageResult[], of_: (stage: StageResult) => bigint) =>
    some.reduce((total, stage) => total + of_(stage), 0n)
  const each = (total: bigint) => total / BigInt(of.owners)
  const gasEach = (some: readonly StageResult[]) => Number(sum(some, ({ gas }) => BigInt(gas))) / of.owners
  return {
    ...of,
    startedBlock: (stages[0] as StageResult).lastBlock,
    securedBlock: secured.lastBlock,
    paidBlock: (stages[stages.length - 1] as StageResult).lastBlock,
    inTime: secured.lastBlock <= PERIOD_BLOCKS,
    securedGasEach: gasEach(securing),
    securedWeiEach: each(sum(securing, ({ costWei }) => costWei)),
    paidGasEach: gasEach(stages),
    paidWeiEach: each(sum(stages, ({ costWei }) => costWei)),
    bondWeiEach: each(sum(stages, ({ bondWei }) => bondWei)),
    highestFeeWei: securing.reduce((most, { highestFeeWei }) => (highestFeeWei > most ? highestFeeWei : most), 0n),
    stages,
  }
}

/** Entries of a full batch: what a transaction and the crowd's share of one block can hold, at most 10,000. */
export function batchEntries(share: number): number {
  const most = Math.min(BATCH_ENTRIES, MAX_ENTRIES)
  return entriesWithin(Math.min(TRANSACTION_GAS_CAP, Math.floor(share * BLOCK_GAS)), most)
}

export function wayOf({ way, owners, share }: Pick<Case, 'way' | 'owners' | 'share'>): Way {
  if (way === 'mass exit') return { first: batches(owners, batchEntries(share)), stages: MASS_STAGES }
  const [start, turn] =
    way === 'OMG'
      ? [OMG_GAS.startStandardExit, OMG_GAS.processExitsEach]
      : [CROWD_GAS.startStandardExit_1in2out_65536, CROWD_GAS.processExits_eth_50of1000_each]
  const stages: Stage[] = [
    { ...START, ...(way === 'OMG' ? {} : { bondGas: () => BOND_GAS }) },
    { name: 'turn', delayBlocks: PERIOD_BLOCKS + 1, urgent: false, follow: (before) => ({ ...before, gasEach: turn }) },
  ]
  return { first: [{ count: owners, gasEach: start, ownersEach: 1 }], stages }
}

const START: Stage = { name: 'start', delayBlocks: 0, urgent: true, follow: (before) => before }

const MASS_STAGES: readonly Stage[] = [
  { ...START, bondGas: (entries) => batchBond(entries, 1n) / 10n ** 9n },
  {
    name: 'lock',
    delayBlocks: PERIOD_BLOCKS / 4 + 1,
    urgent: true,
    follow: (before) => ({ ...before, gasEach: CROWD_GAS.lockBatch }),
  },
  {
    name: 'turn',
    delayBlocks: PERIOD_BLOCKS + 1,
    urgent: false,
    follow: (before) => ({ ...before, gasEach: CROWD_GAS.processExits_eth_50of1000_each }),
  },
  {
    name: 'claim',
    delayBlocks: 1,
    urgent: false,
    follow: ({ count, ownersEach }) => ({
      count: count * ownersEach,
      gasEach: CROWD_GAS.claimMany_each,
      ownersEach: 1,
    }),
  },
]

function batches(owners: number, size: number): Load[] {
  if (size === 0) throw new RangeError('share: got one that no batch fits into, want more of the block')
  const full = Math.floor(owners / size)
  const rest = owners - full * size
  return [
    { count: full, gasEach: startBatchGas(size), ownersEach: size },
    ...(rest > 0 ? [{ count: 1, gasEach: startBatchGas(rest), ownersEach: rest }] : []),
  ].filter(({ count }) => count > 0)
}

function worldOf({ share, startFeeGwei, rest }: Case): World {
  const startFeeWei = BigInt(startFeeGwei) * 10n ** 9n
  return {
    share,
    startFeeWei,
    rest,
    ceilingWei: BigInt(CEILING_GWEI) * 10n ** 9n,
    patientWei: startFeeWei * BigInt(PATIENCE),
    rushBlocks: PERIOD_BLOCKS,
  }
}

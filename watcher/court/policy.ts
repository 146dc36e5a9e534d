/**
 * What an operator of a watcher may choose, and the arithmetic of patience and money (docs/honest-watcher.md, "Time and budget").
 * A budget starts at what the act returns and doubles with every quarter of its window; in the last quarter nothing is too dear.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import { coverBlock, dataChallengeBond } from '../../protocol/dataChallenge.ts'
import { BOND_GAS } from '../../protocol/exit.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import type { L1Readings } from './types.ts'

/** More than all ETH there is: the outbox then stops at what the key holds. */
export const UNLIMITED_WEI: bigint = 2n ** 96n

/** Gas of our own calls, worst shape, rounded up (the gas table of docs/spec.md section 11.1). */
export const START_GAS = 140_000n
export const TURN_GAS = 60_000n
/** What a turn costs as a rule; decides what the bounties pay for. */
export const TURN_COST_GAS = 40_000n
export const CALL_GAS = 60_000n
/** Pieces that one call for a verdict is told; each takes two storage slots. */
export const PIECES_PER_CALL = 250
/** Percent of the least bond of a data challenge sent along: F may rise until the call is mined. What is too much is burnt with the rest. */
export const DATA_BOND_PERCENT = 125n
/** The contract stops before a turn with less than this left. */
export const TURN_RESERVE_GAS = 150_000n

export type CourtPolicy = Readonly<{
  /** The address our transactions come from: challenger, delegate, payer of bonds. */
  sender: Address
  /** Spreads watchers that see the same thing at the same time; different for every watcher, the same after a restart. */
  seed: Hash
  /** Longest random delay before an act that others may do as well. Seconds. */
  staggerSeconds: number
  /** First budget of a challenge, when the bond pays less or nothing. */
  challengeFloorWei: bigint
  /** First budget of proving an invalid block. Generous: such a block threatens the whole vault, and a reporter is paid from the operator's bond. */
  proofFloorWei: bigint
  /** First budget of a protected exit's start. */
  exitFloorWei: bigint
  /** Most in bonds of data challenges that are open or were answered in the last MEP; half of what is left of it for one block. */
  dataChallengeBudgetWei: bigint
  /** Most in bonds of demands that are open, or were answered for batches that still stand. */
  demandBudgetWei: bigint
  /** Most in bonds of our own mass exits that stand; the key's ETH beyond the reserve bounds it too. 0: it starts none, and takes no mandates for them. */
  batchBondBudgetWei: bigint
  /** Kept back from bonds of protected exits, for challenges. */
  challengeReserveWei: bigint
  /** Percent of `exitBond()` sent along, so that a rising base fee does not refuse the start. */
  bondHeadroomPercent: bigint
  /** Wei per 10^18 of a token's smallest units, for order and for what is worth its gas. A token without a price comes last. */
  priceWei: ReadonlyMap<Address, bigint>
  /** Give turns to strangers' exits when the bounty pays for it, and release what nobody is owed. */
  publicService: boolean
  /** Most gas of one call. */
  callGasCap: bigint
  /** Sends protected accounts what is credited to them. */
  withdrawCredits: boolean
  /** Most to spend on one act for the queue: processing, settling, releasing, dropping, withdrawing. */
  keeperBudgetWei: bigint
}>

const ETH: Address = '0x0000000000000000000000000000000000000000'
const GWEI = 10n ** 9n

/** `sender` and `seed` have no default. */
export function defaultPolicy(own: Pick<CourtPolicy, 'sender' | 'seed'>, parameters: Parameters): CourtPolicy {
  return {
    ...own,
    staggerSeconds: defaultStagger(parameters),
    challengeFloorWei: 300_000n * 20n * GWEI,
    proofFloorWei: 1_000_000n * 100n * GWEI,
    exitFloorWei: 300_000n * 20n * GWEI,
    dataChallengeBudgetWei: defaultDataBudget(parameters),
    demandBudgetWei: 8n * 250_000n * 50n * GWEI,
    batchBondBudgetWei: UNLIMITED_WEI,
    challengeReserveWei: 300_000n * 100n * GWEI,
    bondHeadroomPercent: 150n,
    priceWei: new Map([[ETH, 10n ** 18n]]),
    publicService: false,
    callGasCap: 6_000_000n,
    withdrawCredits: false,
    keeperBudgetWei: 300_000n * 20n * GWEI,
  }
}

/** Twice the bonds of all ranges of the largest block at an F of 5 gwei, with headroom: the whole cover of one block is then within its half. */
export function defaultDataBudget({ maxBlockTxs }: Parameters): bigint {
  const cover = coverBlock(1, maxBlockTxs)
  const bonds = cover.map(({ levels, first }) => dataChallengeBond(levels, (first >> 6) + 1, 5n * GWEI))
  return (2n * bonds.reduce((sum, bond) => sum + bond, 0n) * DATA_BOND_PERCENT) / 100n + 2n * BigInt(cover.length)
}

/** Longest random delay, seconds. */
export function defaultStagger({ minExitPeriod }: Parameters): number {
  return Math.min(600, Math.floor(minExitPeriod / 24))
}

/** L1 seconds, both ends inclusive. */
export type Window = Readonly<{ from: number; until: number }>

/** From here on nothing is too dear: the last quarter of the window. */
export function urgentFrom({ from, until }: Window): number {
  return until - Math.floor(Math.max(0, until - from) / 4)
}

/** Never falls as time passes; unlimited in the last quarter and after it. */
export function budgetAt(floorWei: bigint, window: Window, now: number): bigint {
  if (now >= urgentFrom(window)) return UNLIMITED_WEI
  const length = Math.max(1, window.until - window.from)
  const quarter = Math.max(0, Math.floor((4 * (now - window.from)) / length))
  return floorWei * 2n ** BigInt(quarter)
}

/** Seconds from 0 to `staggerSeconds`, by watcher and subject: no state, and the same after a restart. */
export function staggerOf(policy: CourtPolicy, subject: Hash): number {
  const draw = Number.parseInt(policy.seed.slice(2, 10), 16) ^ Number.parseInt(subject.slice(2, 10), 16)
  return (draw >>> 0) % (policy.staggerSeconds + 1)
}

/** The same for what can't wait: the longest delay is a tenth, enough for the first to be mined before the second sends. */
export function urgentStaggerOf(policy: CourtPolicy, subject: Hash): number {
  return staggerOf({ ...policy, staggerSeconds: Math.floor(policy.staggerSeconds / 10) }, subject)
}

/** F in whole gwei, as the bond of an exit tells it (docs/spec.md section 8.3). */
export function feeGweiOf({ exitBondWei }: Pick<L1Readings, 'exitBondWei'>): bigint {
  return exitBondWei / BOND_GAS / GWEI
}

/** What an amount is worth in wei; undefined without a price. */
export function worthOf(policy: CourtPolicy, token: Address, amount: bigint): bigint | undefined {
  const price = policy.priceWei.get(token)
  return price === undefined ? undefined : (amount * price) / 10n ** 18n
}

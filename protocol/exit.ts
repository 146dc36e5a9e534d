/**
 * Exit timing, order, state and bonds (docs/spec.md sections 5, 6 and 8) as pure arithmetic; Solidity repeats it and the vectors hold both to it.
 * Times are L1 seconds; ends are inclusive: an action is allowed while now <= end, an exit is payable when now > exitableAt.
 */
import { type Address, bytesToHex, type Hash, hexToBytes } from './bytes.ts'
import { hashWords } from './eip712.ts'

/** An exit as it was when it started: never changes, so L1 keeps a hash of it and events carry it. */
export type Exit = Readonly<{
  outputId: Hash
  /** The output's; of an exit through a dispute the dispute's `agePosition`. */
  position: number
  owner: Address
  token: Address
  amount: bigint
  /** True in stream B (grouped by child block), false in stream A (in order of arrival). */
  young: boolean
  /** Place in stream A, or among the young exits of its block. From 0. */
  seq: number
  startedAt: number
  exitableAt: number
  /** L1 block number of the first exit action that named the output. */
  lockedAt: number
  /** Who posted the bond and gets it back. */
  payer: Address
  bond: bigint
  /** The disputed transaction whose dispute stands for the inclusion proof; zero for none. */
  disputed: Hash
}>

/** What the root contract keeps of an exit: the first 25 bytes of this hash (200 bits). */
export function hashExit(exit: Exit): Hash {
  return bytesToHex(
    hashWords([
      hexToBytes(exit.outputId),
      exit.position,
      exit.owner,
      exit.token,
      exit.amount,
      exit.young ? 1 : 0,
      exit.seq,
      exit.startedAt,
      exit.exitableAt,
      exit.lockedAt,
      exit.payer,
      exit.bond,
      hexToBytes(exit.disputed),
    ]),
  )
}

export type Maturity = Readonly<{ exitableAt: number; young: boolean }>

/** exitableAt = max(now + MEP, blockTimestamp + 2 * MEP); deposits (no block timestamp): now + MEP. Equal terms count as young. */
export function maturityOf(now: number, minExitPeriod: number, blockTimestamp?: number): Maturity {
  const byStart = now + minExitPeriod
  if (blockTimestamp === undefined) return { exitableAt: byStart, young: false }
  const byBlock = blockTimestamp + 2 * minExitPeriod
  return byStart > byBlock ? { exitableAt: byStart, young: false } : { exitableAt: byBlock, young: true }
}

/** Last second at which evidence of a spend is accepted. `lastMove`: time of the last move of the halt, 0 for none. */
export function evidenceDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return payableAfter(exitableAt, minExitPeriod, lastMove) - Math.floor(minExitPeriod / 4)
}

/** An exit pays when now is greater than this. */
export function payableAfter(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return lastMove === 0 ? exitableAt : Math.max(exitableAt, lastMove + minExitPeriod)
}

/** Time until which a block can still be voided by a proof or an unanswered data challenge. */
export function voidableUntil(blockTimestamp: number, minExitPeriod: number): number {
  return blockTimestamp + minExitPeriod
}

/** A turn in the merged queue: which stream, and its place there. */
export type QueuePlace = Readonly<{ exitableAt: number; young: boolean; block: number; seq: number }>

/** Negative when `a` has its turn first. Stream A goes before stream B on a tie; inside one block by arrival. */
export function compareTurns(a: QueuePlace, b: QueuePlace): number {
  if (a.exitableAt !== b.exitableAt) return a.exitableAt - b.exitableAt
  if (a.young !== b.young) return a.young ? 1 : -1
  if (a.young && a.block !== b.block) return a.block - b.block
  return a.seq - b.seq
}

const GWEI = 10n ** 9n
const DAY = 86_400n

/** Gas that bonds are sized by (spec section 8): worst shape of a challenge, twice; a turn; what is burnt. */
export const CHALLENGE_GAS = 280_000n
export const BOUNTY_GAS = 60_000n
export const BURN_GAS = 60_000n
export const BOND_GAS = CHALLENGE_GAS + BOUNTY_GAS + BURN_GAS

/** The slow fee after `elapsed` seconds: halves every day, straight lines between. */
export function decaySlowFee(slowFeeGwei: bigint, elapsedSeconds: bigint): bigint {
  const days = elapsedSeconds / DAY
  if (days >= 64n) return 0n
  const atDay = slowFeeGwei >> days
  return atDay - (atDay * (elapsedSeconds % DAY)) / (2n * DAY)
}

/** slowFee after a submission: the greater of the base fee (rounded up to gwei) and the decayed slow fee; 32 bits. */
export function nextSlowFee(slowFeeGwei: bigint, elapsedSeconds: bigint, baseFeeWei: bigint): bigint {
  const decayed = decaySlowFee(slowFeeGwei, elapsedSeconds)
  const base = toGwei(baseFeeWei)
  const next = base > decayed ? base : decayed
  return next > 0xffffffffn ? 0xffffffffn : next
}

/** F = max(base fee, 1 gwei, min(slowFee / 2, 16 * base fee)), in whole gwei. */
export function bondFeeGwei(slowFeeGwei: bigint, elapsedSeconds: bigint, baseFeeWei: bigint): bigint {
  const base = toGwei(baseFeeWei)
  const slow = decaySlowFee(slowFeeGwei, elapsedSeconds) / 2n
  const capped = slow < 16n * base ? slow : 16n * base
  const fee = base > capped ? base : capped
  return fee > 1n ? fee : 1n
}

/** The bond of a standard exit in wei. */
export function standardExitBond(slowFeeGwei: bigint, elapsedSeconds: bigint, baseFeeWei: bigint): bigint {
  return BOND_GAS * bondFeeGwei(slowFeeGwei, elapsedSeconds, baseFeeWei) * GWEI
}

export type BondShares = Readonly<{ challenger: bigint; bounty: bigint; burnt: bigint }>

/** How a bond falls: bounty to whoever processes the turn, the challenger's part, the rest burnt. Sums to the bond. */
export function splitBond(bond: bigint): BondShares {
  const challenger = (bond * CHALLENGE_GAS) / BOND_GAS
  const bounty = (bond * BOUNTY_GAS) / BOND_GAS
  return { challenger, bounty, burnt: bond - challenger - bounty }
}

function toGwei(wei: bigint): bigint {
  return (wei + GWEI - 1n) / GWEI
}

/**
 * What the outbox offers for being mined (docs/spec.md, "The outbox"): one owner of all fees. Pure. Every amount is wei per gas
 * unless it says wei. A cap in wei bounds gas x maxFeePerGas, so that a budget holds even in the worst block.
 */
import type { StoredIntent } from './outboxIntent.ts'
import type { Fees } from './reads.ts'

export type Offer = Readonly<{ maxFeePerGas: bigint; priorityFeePerGas: bigint }>

export type Urgency = 'calm' | 'soon' | 'urgent'

/** Where the chain stands; the timestamp may be an estimate between blocks. */
export type L1Moment = Readonly<{ timestamp: number; block: number }>

/** Nodes replace a transaction for 10 % more on both fees; the rest is for rounding and stricter nodes. */
const BUMP_PERCENT = 1125n
/** Percent of the base fee that a first offer stands: five, five and eight full blocks of growth. */
const BASE_HEADROOM = { calm: 200n, soon: 200n, urgent: 300n } as const
const TIP_PERCENT = { calm: 100n, soon: 150n, urgent: 200n } as const

/** By quarters of the window from the row's first sight (or `notBefore`, if later) to its deadline. */
export function urgencyOf(
  intent: Pick<StoredIntent, 'deadline' | 'notBefore' | 'urgency'>,
  openedAt: L1Moment,
  now: L1Moment,
): Urgency {
  if (intent.urgency === 'high') return 'urgent'
  const byTime = 'timestamp' in intent.deadline
  const start = byTime ? Math.max(openedAt.timestamp, intent.notBefore) : openedAt.block
  const end = 'timestamp' in intent.deadline ? intent.deadline.timestamp : intent.deadline.block
  const passed = (byTime ? now.timestamp : now.block) - start
  const length = end - start
  if (passed * 4 >= length * 3) return 'urgent'
  return passed * 2 >= length ? 'soon' : 'calm'
}

/** True when the next block is after the deadline: `head` is the newest block. */
export function isPastDeadline(deadline: StoredIntent['deadline'], head: L1Moment): boolean {
  return 'timestamp' in deadline ? head.timestamp >= deadline.timestamp : head.block >= deadline.block
}

/** Wei that may be at stake now: half of what is left of the budget, all of it when urgent. */
export function capOf(budgetWei: bigint, spentWei: bigint, urgency: Urgency): bigint {
  const left = budgetWei > spentWei ? budgetWei - spentWei : 0n
  return urgency === 'urgent' ? left : left / 2n
}

/** `maxTip` bounds what is taken from the endpoint's suggestion, which may be a lie: unlike the base fee, a tip is paid in full. */
export function wantedOffer(fees: Fees, urgency: Urgency, maxTip: bigint): Offer {
  const suggested = fees.priorityFeePerGas < maxTip ? fees.priorityFeePerGas : maxTip
  const priorityFeePerGas = (suggested * TIP_PERCENT[urgency]) / 100n
  return { maxFeePerGas: (fees.baseFeePerGas * BASE_HEADROOM[urgency]) / 100n + priorityFeePerGas, priorityFeePerGas }
}

/** The least offer that a node takes in the place of `previous`. */
export function leastBump(previous: Offer): Offer {
  return { maxFeePerGas: raise(previous.maxFeePerGas), priorityFeePerGas: raise(previous.priorityFeePerGas) }
}

export type FeeQuestion = Readonly<{
  fees: Fees
  urgency: Urgency
  gas: bigint
  capWei: bigint
  maxTip: bigint
  /** No bump goes above this tip while the offer that it replaces can be mined as it is. */
  tipCeiling: bigint
  /** The offer to replace; none for a first one. */
  previous?: Offer
}>

/** An offer under the cap, what being mined would cost at least, or word that the offer made is high enough. */
export type FeeAnswer =
  | Readonly<{ offer: Offer }>
  | Readonly<{ offer?: never; leastWei: bigint }>
  | Readonly<{ offer?: never; isEnough: true }>

/**
 * The wanted offer, cut to the cap; refused when the cap does not reach the base fee or the least bump. An offer that the next block could
 * take is not raised for ever: an endpoint or a builder that holds it back would be paid the whole key as its tip.
 */
export function chooseOffer({ fees, urgency, gas, capWei, maxTip, tipCeiling, previous }: FeeQuestion): FeeAnswer {
  const bump = previous ? leastBump(previous) : { maxFeePerGas: 1n, priorityFeePerGas: 0n }
  if (previous && bump.priorityFeePerGas > tipCeiling && previous.maxFeePerGas > fees.baseFeePerGas) {
    return { isEnough: true }
  }
  const leastMax = max(bump.maxFeePerGas, fees.baseFeePerGas + max(bump.priorityFeePerGas, 1n))
  const affordable = capWei / gas
  if (affordable < leastMax) return { leastWei: leastMax * gas }
  const wanted = wantedOffer(fees, urgency, maxTip)
  const maxFeePerGas = min(affordable, max(wanted.maxFeePerGas, leastMax))
  const room = maxFeePerGas - fees.baseFeePerGas
  return {
    offer: { maxFeePerGas, priorityFeePerGas: min(room, max(wanted.priorityFeePerGas, bump.priorityFeePerGas)) },
  }
}

/**
 * True when a self-transfer in the place of a pending call costs less than the call would at the very least if it were mined and
 * reverted (EIP-7623: 21,000 gas and 10 or 40 for each byte of calldata).
 */
export function cancelSaves(data: string, previous: Offer, offer: Offer): boolean {
  let floor = 21_000n
  for (let i = 2; i < data.length; i += 2) floor += data.startsWith('00', i) ? 10n : 40n
  return CANCEL_GAS * offer.maxFeePerGas < floor * previous.maxFeePerGas
}

/** The tip of an act stays within what an urgent first offer may be; a cancelling transfer must be able to replace that. */
export function tipCeilingOf(kind: 'act' | 'cancel', maxTip: bigint): bigint {
  return kind === 'act' ? 2n * maxTip : 4n * maxTip
}

/** Gas of a transfer to oneself. */
export const CANCEL_GAS = 21_000n

function raise(fee: bigint): bigint {
  return max(fee + 1n, (fee * BUMP_PERCENT + 999n) / 1000n)
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

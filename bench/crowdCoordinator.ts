/**
 * What coordinating costs (docs/spec.md 6.4.2, 6.4.8): a batch by its size, and what an honest coordinator loses when some of its entries are
 * poisoned: spent, or naming nothing.
 */
import { BOND_GAS, BOUNTY_GAS } from '../protocol/exit.ts'
import { batchBond, ENTRY_GAS } from '../protocol/massExit.ts'
import { CROWD_GAS, POOL_BYTES_CAP, RELEASED_GAS, STRUCK_GAS, startBatchGas } from './crowdGas.ts'

const GWEI = 10n ** 9n
/** The distance to the position before has 4 bytes up to 127 child blocks; an amount of ether below 4,722 ETH at most 9. */
export const ENTRY_BYTES = 4 + 9
/** Selector, token, sizes, offsets, header, and what signs and wraps the call: a round number above it. */
export const CALL_BYTES = 700

/** Entries that a public transaction pool still passes on in one call. */
export const POOL_ENTRIES = Math.floor((POOL_BYTES_CAP - CALL_BYTES) / ENTRY_BYTES)

export type BatchCost = Readonly<{ entries: number; gas: number; bytes: number; bondWei: bigint }>

export function costOfBatch(entries: number, feeGwei: bigint): BatchCost {
  const bytes = entries * ENTRY_BYTES + CALL_BYTES
  return { entries, gas: startBatchGas(entries), bytes, bondWei: batchBond(entries, feeGwei) }
}

export type Poisoned = Readonly<{
  entries: number
  poisoned: number
  /** F at the start. */
  feeGwei: bigint
  /** Base fee when entries are opened or freed; F if it is not told. */
  laterFeeGwei?: bigint
}>

export type CoordinatorLoss = Readonly<{
  bondWei: bigint
  /** Start and lock, by the coordinator's own hand. */
  callsWei: bigint
  /** To whoever makes the batch's turn. */
  bountyWei: bigint
  /** If every poisoned entry was spent, and struck and opened. */
  struckWei: bigint
  /** If every poisoned entry names nothing, and its share was freed. */
  releasedWei: bigint
  /** Whatever happens, entries take no more than this. */
  fundWei: bigint
  /** Calls, bounty, and the dearer of the two. */
  mostWei: bigint
}>

export function coordinatorLoss({ entries, poisoned, feeGwei, laterFeeGwei = feeGwei }: Poisoned): CoordinatorLoss {
  if (poisoned > entries) throw new RangeError(`poisoned: got ${poisoned}, want at most ${entries}`)
  const fundWei = ENTRY_GAS * BigInt(entries) * feeGwei * GWEI
  const capped = (wei: bigint) => (wei < fundWei ? wei : fundWei)
  const struckWei = capped(BigInt(poisoned * STRUCK_GAS) * laterFeeGwei * GWEI)
  const releasedWei = capped(BigInt(poisoned * RELEASED_GAS) * laterFeeGwei * GWEI)
  const callsWei = BigInt(startBatchGas(entries) + CROWD_GAS.lockBatch) * feeGwei * GWEI
  const bountyWei = BOUNTY_GAS * feeGwei * GWEI
  return {
    bondWei: BOND_GAS * feeGwei * GWEI + fundWei,
    callsWei,
    bountyWei,
    struckWei,
    releasedWei,
    fundWei,
    mostWei: callsWei + bountyWei + struckWei,
  }
}

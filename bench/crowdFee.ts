/** L1's blocks and base fee (EIP-1559) under a crowd: what a block holds, how the fee follows, and what the rest of L1 does meanwhile. */

export const BLOCK_GAS = 60_000_000
export const TARGET_GAS = BLOCK_GAS / 2
export const SLOT_SECONDS = 12
/** The fee moves at most by one eighth a block. */
const CHANGE_DENOMINATOR = 8n

/**
 * `yields`: the rest spends as much ETH a block as before, so a dearer block holds less of it. `bids`: it fills every block that the crowd
 * leaves room in, up to the crowd's own ceiling, for a whole exit period; then it is as before.
 */
export type Rest = 'yields' | 'bids'

/** The base fee of the next block, in wei, exactly as EIP-1559 computes it. */
export function nextBaseFee(feeWei: bigint, usedGas: number): bigint {
  const delta = (feeWei * BigInt(Math.abs(usedGas - TARGET_GAS))) / BigInt(TARGET_GAS) / CHANGE_DENOMINATOR
  if (usedGas > TARGET_GAS) return feeWei + (delta > 1n ? delta : 1n)
  return feeWei - delta
}

/** What the rest of L1 would buy of a block at a fee, when it spends what it always did. */
export function usualGas(feeWei: bigint, usualFeeWei: bigint): number {
  return Number((BigInt(TARGET_GAS) * usualFeeWei) / feeWei)
}

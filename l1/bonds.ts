/**
 * The least bonds of what is mined next (docs/spec.md 8.2, 8.3), reckoned here: nodes run `eth_call` at a base fee of 0 unless the caller
 * offers a price, so the contract's own views would answer for fees that nobody asks.
 */
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Address } from '../protocol/bytes.ts'
import { disputeBond } from '../protocol/dispute.ts'
import { standardExitBond } from '../protocol/exit.ts'
import { readHeaderByHash } from './blocks.ts'
import type { Endpoint } from './endpoint.ts'
import type { BlockRef } from './header.ts'
import { type Fees, readContract, readFees } from './reads.ts'

/** Wei, for the block after `at`. Throws what pinned reads throw. */
export async function readExitBond(
  endpoint: Endpoint,
  rootContract: Address,
  at: BlockRef,
  fees?: Pick<Fees, 'baseFeePerGas'>,
): Promise<bigint> {
  const { slowFeeGwei, elapsedSeconds, baseFeeWei } = await readBondFees(endpoint, rootContract, at, fees)
  return standardExitBond(slowFeeGwei, elapsedSeconds, baseFeeWei)
}

/** Wei, of a transaction with so many inputs, for the block after `at`. */
export async function readDisputeBond(
  endpoint: Endpoint,
  rootContract: Address,
  at: BlockRef,
  inputs: number,
): Promise<bigint> {
  return disputeBond(inputs, await readBondFees(endpoint, rootContract, at))
}

async function readBondFees(
  endpoint: Endpoint,
  rootContract: Address,
  at: BlockRef,
  fees?: Pick<Fees, 'baseFeePerGas'>,
) {
  const [head, header, { baseFeePerGas }] = await Promise.all([
    readContract(endpoint, { address: rootContract, abi: iLifeboatAbi, functionName: 'head' }, at),
    readHeaderByHash(endpoint, at.hash),
    fees ?? readFees(endpoint),
  ])
  const [, , newestTime, , , slowFeeGwei] = head
  // Of a block that a reorg took since, the fee that did not fall yet: too much comes back, too little is refused.
  const elapsed = Math.max(0, (header?.timestamp ?? newestTime) - newestTime)
  return { slowFeeGwei: BigInt(slowFeeGwei), elapsedSeconds: BigInt(elapsed), baseFeeWei: baseFeePerGas }
}

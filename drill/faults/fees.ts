/** L1 fees that do not fall back by themselves, however empty the blocks. */
import { assertMayHarm } from '../permission.ts'
import type { World } from '../world.ts'

const PRESS_MS = 60
const LEAST_FEE_WEI = 10n ** 9n

export type FeeSpike = Readonly<{ baseFeeWei: bigint; end(): void }>

/** From the next block on, until it is ended: the base fee as it is, at least a gwei, times the factor. Throws what `assertMayHarm` throws. */
export async function createFeeSpike({ l1, deployment, atEnd }: World, factor: bigint): Promise<FeeSpike> {
  assertMayHarm(deployment)
  const block = (await l1.request('eth_getBlockByNumber', ['latest', false])) as { baseFeePerGas: string }
  const now = BigInt(block.baseFeePerGas)
  const baseFeeWei = (now > LEAST_FEE_WEI ? now : LEAST_FEE_WEI) * factor
  const press = () => l1.request('anvil_setNextBlockBaseFeePerGas', [`0x${baseFeeWei.toString(16)}`])
  await press()
  const timer = setInterval(() => void press().catch(() => undefined), PRESS_MS)
  const end = () => clearInterval(timer)
  atEnd(end)
  return { baseFeeWei, end }
}

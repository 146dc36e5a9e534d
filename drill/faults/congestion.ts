/** L1 blocks that are full of somebody's transactions, at a better price than is usual. */
import { privateKeyToAccount } from 'viem/accounts'
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { bug, isLifeboatError } from '../../protocol/errors.ts'
import { clientOf } from '../l1.ts'
import { assertMayHarm } from '../permission.ts'
import type { World } from '../world.ts'
import { isBlockGone } from './reorg.ts'

/** Deploys one INVALID: a call of it takes all the gas that it is given, and costs a node nothing. */
const BURNER_CODE = '0x60fe60005360016000f3'
/** What is left of a block: nothing that a drill sends but a transfer fits in. */
const LEFT_GAS = 60_000n
const PURSE_WEI = 10n ** 25n
const MAX_FEE_WEI = 10n ** 13n
const TRIES = 5

export type Congestion = Readonly<{
  /** Calls of the spammer that wait for a block, each of them a whole one. */
  left(): Promise<number>
}>

export type CongestionOptions = Readonly<{
  /** Blocks to fill. */
  blocks: number
  /** What the spammer offers beyond the base fee, wei per gas. */
  tipWei: bigint
}>

/** All calls are on their way when it resolves. Throws what `assertMayHarm` throws. */
export async function createCongestion(world: World, { blocks, tipWei }: CongestionOptions): Promise<Congestion> {
  assertMayHarm(world.deployment)
  const { l1 } = world
  // Nobody of the drill: it would fill the record too.
  const spammer = l1.keyOf('spammer')
  await l1.fund(new Map([[spammer.address, PURSE_WEI]]))
  const client = clientOf(l1.url, l1.chainId, spammer)
  const burner = await deployBurner(client, world.timeoutMs)
  const account = privateKeyToAccount(bytesToHex(spammer.privateKey))
  const mined = () => client.getTransactionCount({ address: spammer.address, blockTag: 'latest' })
  const first = await mined()
  const { gasLimit } = await client.getBlock()
  for (let i = 0; i < blocks; i++) {
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: l1.chainId,
      nonce: first + i,
      to: burner,
      gas: gasLimit - LEFT_GAS,
      maxFeePerGas: MAX_FEE_WEI,
      maxPriorityFeePerGas: tipWei,
    })
    await l1.request('eth_sendRawTransaction', [raw])
  }
  return { left: async () => first + blocks - (await mined()) }
}

async function deployBurner(client: ReturnType<typeof clientOf>, timeout: number): Promise<Address> {
  const hash = await client.sendTransaction({ data: BURNER_CODE, gas: 100_000n })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash, timeout })
  if (!contractAddress) throw bug('BURNER_MISSING', 'what burns gas was deployed nowhere', { got: hash })
  return contractAddress.toLowerCase() as Address
}

/** What a mined transaction paid beyond the base fee of its block, wei per gas. */
export async function tipOf({ l1 }: Pick<World, 'l1'>, txHash: Hash): Promise<bigint> {
  type Rpc = Readonly<Record<string, string>>
  const receipt = (await l1.request('eth_getTransactionReceipt', [txHash])) as Rpc
  const block = (await l1.request('eth_getBlockByHash', [receipt['blockHash'], false])) as Rpc
  return BigInt(receipt['effectiveGasPrice'] ?? 0) - BigInt(block['baseFeePerGas'] ?? 0)
}

/** Fees rise while it waits: it may take long, and a bond that was enough when it was sent be refused. Then whoever acts tries again, as people do. */
export async function insist<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await act()
    } catch (error) {
      const isOpen = isLifeboatError(error) && error.code === 'L1_ACT_OPEN'
      if (!isLifeboatError(error) || (isBlockGone(error) && !isOpen) || tries === TRIES) throw error
    }
}

/** Owners that are contracts, and do something nasty when ETH comes (contracts/DrillReceiver.sol). */
import { encodeDeployData, encodeFunctionData, type Hex } from 'viem'
import { drillReceiverAbi, drillReceiverBytecode } from '../../contracts/artifacts.generated.ts'
import type { RootCall } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Address } from '../../protocol/bytes.ts'
import { bug } from '../../protocol/errors.ts'
import { send } from '../acts.ts'
import { clientOf } from '../l1.ts'
import { assertMayHarm } from '../permission.ts'
import type { World } from '../world.ts'

/** In the order of the contract. */
export const MOODS = ['accept', 'revert', 'burn-gas', 'return-bomb'] as const
export type Mood = (typeof MOODS)[number]

export type Receiver = Readonly<{
  address: Address
  mood: Mood
  /** A call to the root contract in its name, with what it needs of ETH. */
  execute(call: RootCall): Promise<RootEvent[]>
}>

/** Throws what `assertMayHarm` throws. */
export async function deployReceiver(world: World, mood: Mood): Promise<Receiver> {
  assertMayHarm(world.deployment)
  const { thief, l1, deployment } = world
  const client = clientOf(l1.url, l1.chainId, thief.account)
  const hash = await client.sendTransaction({
    data: encodeDeployData({
      abi: drillReceiverAbi,
      bytecode: drillReceiverBytecode as Hex,
      args: [MOODS.indexOf(mood)],
    }),
  })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash, timeout: world.timeoutMs })
  if (!contractAddress) throw bug('RECEIVER_MISSING', 'the receiver was deployed nowhere', { got: hash })
  const address = contractAddress.toLowerCase() as Address
  const root = deployment.contracts['root']?.address as Address
  return {
    address,
    mood,
    execute: ({ data, valueWei }) => {
      const call = encodeFunctionData({ abi: drillReceiverAbi, functionName: 'execute', args: [root, data] })
      return send(world, thief, { data: call, valueWei }, address)
    },
  }
}

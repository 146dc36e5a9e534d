/** A token that turns nasty (contracts/DrillToken.sol): takes fees, stops, refuses accounts. */
import { encodeDeployData, encodeFunctionData, type Hex } from 'viem'
import { drillTokenAbi, drillTokenBytecode } from '../../contracts/artifacts.generated.ts'
import type { Address } from '../../protocol/bytes.ts'
import { bug } from '../../protocol/errors.ts'
import { send } from '../acts.ts'
import { clientOf } from '../l1.ts'
import { assertMayHarm } from '../permission.ts'
import type { World } from '../world.ts'

export type NastyToken = Readonly<{
  address: Address
  symbol: string
  mint(to: Address, amount: bigint): Promise<unknown>
  setFee(percent: bigint): Promise<unknown>
  setPaused(paused: boolean): Promise<unknown>
  setBlocked(account: Address, blocked: boolean): Promise<unknown>
}>

/** Its books are drawn too. Throws what `assertMayHarm` throws. */
export async function deployNastyToken(world: World, symbol: string): Promise<NastyToken> {
  assertMayHarm(world.deployment)
  const { thief, l1 } = world
  const client = clientOf(l1.url, l1.chainId, thief.account)
  const hash = await client.sendTransaction({
    data: encodeDeployData({ abi: drillTokenAbi, bytecode: drillTokenBytecode as Hex, args: [symbol] }),
  })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash, timeout: world.timeoutMs })
  if (!contractAddress) throw bug('TOKEN_MISSING', 'the token was deployed nowhere', { got: hash })
  const address = contractAddress.toLowerCase() as Address
  world.addToken({ address, symbol })
  const act = (data: Hex) => send(world, thief, { data, valueWei: 0n }, address)
  const abi = drillTokenAbi
  return {
    address,
    symbol,
    mint: (to, amount) => act(encodeFunctionData({ abi, functionName: 'mint', args: [to, amount] })),
    setFee: (percent) => act(encodeFunctionData({ abi, functionName: 'setFee', args: [percent] })),
    setPaused: (paused) => act(encodeFunctionData({ abi, functionName: 'setPaused', args: [paused] })),
    setBlocked: (account, blocked) =>
      act(encodeFunctionData({ abi, functionName: 'setBlocked', args: [account, blocked] })),
  }
}

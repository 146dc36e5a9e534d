/** The token that the owners of a drill hold: an ordinary one. */
import { encodeDeployData, type Hex } from 'viem'
import { demoTokenAbi, demoTokenBytecode } from '../contracts/artifacts.generated.ts'
import type { Address } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Person } from './actors.ts'
import { clientOf, type DrillL1 } from './l1.ts'

export type DemoTokenOptions = Readonly<{
  l1: Pick<DrillL1, 'url' | 'chainId'>
  by: Pick<Person, 'account'>
  timeoutMs: number
}>

/** Mined; where it stands. Nobody holds any of it yet. */
export async function deployDemoToken({ l1, by, timeoutMs }: DemoTokenOptions): Promise<Address> {
  const client = clientOf(l1.url, l1.chainId, by.account)
  const hash = await client.sendTransaction({
    data: encodeDeployData({ abi: demoTokenAbi, bytecode: demoTokenBytecode as Hex }),
  })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash, timeout: timeoutMs })
  if (!contractAddress) throw bug('TOKEN_MISSING', 'the token was deployed nowhere', { got: hash })
  return contractAddress.toLowerCase() as Address
}

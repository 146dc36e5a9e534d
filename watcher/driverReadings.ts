/**
 * What the court has to ask L1 for beyond events (docs/spec.md section 11): fees, the key's ETH, where the queue stands, how far
 * tokens are covered. Views at the very L1 block that the facts were folded at, so that both speak of one state.
 */
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { readExitBond } from '../l1/bonds.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import type { BlockRef } from '../l1/header.ts'
import { getBalance, readContract, readFees } from '../l1/reads.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import type { Credit, L1Readings } from './court/types.ts'

export type Wanted = Readonly<{
  at: BlockRef
  /** Tokens in which a ticket or a share of a mass exit waits. */
  tickets: readonly Address[]
  /** Pull balances to look at: for each account ETH and its tokens. */
  credits: readonly Readonly<{ account: Address; tokens: readonly Address[] }>[]
}>

export type ReadL1 = (wanted: Wanted) => Promise<L1Readings>

/** Throws what pinned reads throw; nothing is sent on half of the readings. */
export function createReadL1(
  endpoint: Endpoint,
  { rootContract, sender }: Readonly<{ rootContract: Address; sender: Address }>,
): ReadL1 {
  const root = { address: rootContract, abi: iLifeboatAbi } as const
  return async ({ at, tickets, credits }) => {
    const fees = await readFees(endpoint)
    const [exitBondWei, balanceWei, domainSeparator, queue] = await Promise.all([
      readExitBond(endpoint, rootContract, at, fees),
      getBalance(endpoint, sender, at),
      readContract(endpoint, { ...root, functionName: 'domainSeparator' }, at),
      readContract(endpoint, { ...root, functionName: 'queue' }, at),
    ])
    const [oldHead, oldTail, youngFirst, , youngCursor] = queue
    const funded = await Promise.all(
      tickets.map(async (token) => {
        const [to] = await readContract(endpoint, { ...root, functionName: 'totals', args: [token] }, at)
        return [token, to] as const
      }),
    )
    return {
      baseFeeWei: fees.baseFeePerGas,
      exitBondWei,
      domainSeparator,
      balanceWei,
      queue: { oldHead, oldTail, youngFirst, youngCursor },
      funded: new Map(funded),
      credits: (await Promise.all(credits.map((owed) => readCredits(owed)))).flat(),
    }

    async function readCredits({ account, tokens }: Wanted['credits'][number]): Promise<readonly Credit[]> {
      const all = await Promise.all(
        [...new Set([ZERO_ADDRESS, ...tokens])].map(async (token) => {
          const read = { ...root, functionName: 'credit', args: [token, account] } as const
          return { token, account, amount: await readContract(endpoint, read, at) }
        }),
      )
      return all.filter(({ amount }) => amount > 0n)
    }
  }
}

/**
 * Fetching credits (docs/spec.md section 5.5): exits of tokens, bonds and bounties that were not pushed wait on L1 under their owner's
 * name. Anyone may send them on; they only ever go to that owner.
 */
import { encodeWithdraw } from '../l1/rootCalls.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import type { WalletContext } from './context.ts'

export type Withdrawn = Readonly<{ token: Address; account: Address; amount: bigint; txHash?: Hash }>

/** Throws NOTHING_TO_WITHDRAW. */
export async function withdraw(
  wallet: WalletContext,
  { token, account = wallet.account.address, key }: Readonly<{ token: Address; account?: Address; key: string }>,
): Promise<Withdrawn> {
  const amount = await wallet.root.credit(token, account)
  if (amount === 0n) {
    throw invalid('NOTHING_TO_WITHDRAW', 'nothing is credited', {
      got: 0n,
      want: 'a credit; exits are credited when they are processed (`lifeboat process`)',
      token,
      account,
    })
  }
  wallet.report('withdrawing on L1')
  const done = await wallet.send({
    key: `withdraw:${key}`,
    purpose: `withdraw ${token} of ${account}`,
    call: encodeWithdraw(token, account),
    doneErrors: ['NothingToDo'],
  })
  const event = done.events.find((one) => one.type === 'Withdrawn')
  const got = event?.type === 'Withdrawn' ? event.amount : amount
  return { token, account, amount: got, ...(done.txHash ? { txHash: done.txHash } : {}) }
}

/** Credits of an account in every token given, zero ones left out. */
export async function listCredits(
  { root }: Pick<WalletContext, 'root'>,
  account: Address,
  tokens: readonly Address[],
): Promise<readonly Readonly<{ token: Address; amount: bigint }>[]> {
  const credits = []
  for (const token of tokens) credits.push({ token, amount: await root.credit(token, account) })
  return credits.filter(({ amount }) => amount > 0n)
}

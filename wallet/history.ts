/** What happened to an account, newest first: the operator's record, or the wallet's own when nobody answers. */
import type { Activity } from '../api/schemas.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { WalletContext } from './context.ts'

export type HistoryEntry = Omit<Activity, 'cursor'> & Readonly<{ cursor?: number }>

export type History = Readonly<{
  entries: readonly HistoryEntry[]
  nextCursor?: number
  /** wallet: only what this wallet sent itself. */
  source: 'operator' | 'wallet'
}>

export async function readHistory(
  wallet: WalletContext,
  page: Readonly<{ cursor?: number; limit?: number }> = {},
): Promise<History> {
  try {
    const { entries, nextCursor } = await wallet.child.history(wallet.account.address, page)
    return { entries, source: 'operator', ...(nextCursor === undefined ? {} : { nextCursor }) }
  } catch (error) {
    if (!isLifeboatError(error) || error.family !== 'retryable') throw error
    wallet.report(`the operator does not answer (${error.message}); showing what this wallet sent`)
    return { entries: ownPayments(wallet), source: 'wallet' }
  }
}

function ownPayments({ store, account }: WalletContext): HistoryEntry[] {
  return store
    .payments(account.address, 'accepted')
    .reverse()
    .map(({ txHash, position, signed }) => ({
      kind: 'payment',
      position: position ?? 0,
      txHash: txHash as Hash,
      memo: signed.transaction.memo,
      changes: paidTo(signed.transaction.outputs, account.address),
      parties: [...new Set(signed.transaction.outputs.map(({ owner }) => owner))].filter(
        (owner) => owner !== account.address,
      ),
    }))
}

function paidTo(outputs: readonly Readonly<{ owner: Address; token: Address; amount: bigint }>[], self: Address) {
  const paid = new Map<Address, bigint>()
  for (const { owner, token, amount } of outputs) if (owner !== self) paid.set(token, (paid.get(token) ?? 0n) - amount)
  return [...paid].map(([token, change]) => ({ token, change }))
}

/**
 * What happened to an account, newest first: the operator's record, with how each payment stands by L1 and not by its word, and the payments
 * that the wallet keeps and the operator leaves out; all of them when it does not answer.
 */
import type { Activity } from '../api/schemas.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { WalletContext } from './context.ts'
import type { PaymentStanding } from './standing.ts'
import { standingOf } from './standings.ts'
import type { StoredFlight } from './store.ts'

export type HistoryEntry = Omit<Activity, 'cursor' | 'position'> &
  Readonly<{
    cursor?: number
    /** Left out of a payment of which nobody said where it stands. */
    position?: number
    /** Who tells of it. */
    from: 'operator' | 'wallet'
    /** Of payments. */
    payment?: PaymentStanding
  }>

export type History = Readonly<{
  entries: readonly HistoryEntry[]
  nextCursor?: number
  /** wallet: the operator did not answer. */
  source: 'operator' | 'wallet'
}>

/** Throws what L1 reads throw. */
export async function readHistory(
  wallet: WalletContext,
  page: Readonly<{ cursor?: number; limit?: number }> = {},
): Promise<History> {
  try {
    const { entries, nextCursor } = await wallet.child.history(wallet.account.address, page)
    const told: HistoryEntry[] = entries.map((entry) => ({ ...entry, from: 'operator' }))
    const end = nextCursor === undefined ? undefined : entries.at(-1)?.position
    const leftOut = page.cursor === undefined ? keptEntries(wallet, told, end) : []
    return {
      entries: await withStandings(wallet, [...leftOut, ...told]),
      source: 'operator',
      ...(nextCursor === undefined ? {} : { nextCursor }),
    }
  } catch (error) {
    if (!isLifeboatError(error) || error.family !== 'retryable') throw error
    wallet.report(`the operator does not answer (${error.message}); showing what this wallet keeps`)
    const entries = keptEntries(wallet, []).slice(0, page.limit ?? Number.POSITIVE_INFINITY)
    return { entries: await withStandings(wallet, entries), source: 'wallet' }
  }
}

async function withStandings(wallet: WalletContext, entries: readonly HistoryEntry[]): Promise<HistoryEntry[]> {
  const judged: HistoryEntry[] = []
  for (const entry of entries) {
    const { kind, txHash, position } = entry
    const isPayment = kind === 'payment' && txHash !== undefined
    const options = position === undefined ? {} : { hint: position }
    judged.push(isPayment ? { ...entry, payment: await standingOf(wallet, txHash, options) } : entry)
  }
  return judged
}

/** Payments kept here that are not among these entries, newest first; those older than where the entries end may be on a later page. */
function keptEntries(wallet: WalletContext, told: readonly HistoryEntry[], end = -1): HistoryEntry[] {
  const { store, account } = wallet
  const known = new Set(told.map(({ txHash }) => txHash))
  return store
    .flights(account.address)
    .filter(({ txHash, position }) => !known.has(txHash) && (position === undefined || position > end))
    .map((flight) => entryOf(wallet, flight))
}

function entryOf(wallet: WalletContext, { txHash, position, signed: { transaction } }: StoredFlight): HistoryEntry {
  const self = wallet.account.address
  return {
    kind: 'payment',
    from: 'wallet',
    ...(position === undefined ? {} : { position }),
    txHash,
    ...(transaction.memo === ZERO_HASH ? {} : { memo: transaction.memo }),
    changes: changesOf(wallet, txHash, transaction),
    parties: [...new Set(transaction.outputs.map(({ owner }) => owner))].filter((owner) => owner !== self),
  }
}

type Outputs = Pick<StoredFlight['signed']['transaction'], 'inputs' | 'outputs'>

/** By the proofs of the inputs; where one is missing, an own payment takes what it gives others, another one brings what it makes. */
function changesOf({ store, account }: WalletContext, txHash: Hash, { inputs, outputs }: Outputs) {
  const self = account.address
  const changes = new Map<Address, bigint>()
  const add = (token: Address, amount: bigint) => changes.set(token, (changes.get(token) ?? 0n) + amount)
  const spent = inputs.map((input) => store.proof(input)?.output)
  const isOwn = store.payment(txHash)?.owner === self
  if (isOwn && spent.includes(undefined)) {
    for (const { owner, token, amount } of outputs) if (owner !== self) add(token, -amount)
  } else {
    for (const output of spent) if (output?.owner === self) add(output.token, -output.amount)
    for (const { owner, token, amount } of outputs) if (owner === self) add(token, amount)
  }
  return [...changes].filter(([, change]) => change !== 0n).map(([token, change]) => ({ token, change }))
}

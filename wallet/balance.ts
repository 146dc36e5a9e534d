/** What an account owns on the child chain, and which of it may be spent: the operator's list, less what this wallet holds back. */
import type { OwnedOutput } from '../api/schemas.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { isDepositPosition } from '../protocol/position.ts'
import type { Coin, CoinHold } from './coins.ts'
import type { WalletContext } from './context.ts'

const PAGE = 500

/** An output as the operator lists it, with why it is held back, if it is. `pending` deposits are not spendable yet. */
export type OwnedCoin = Coin & Readonly<{ outputId: Hash; state: OwnedOutput['state'] }>

export type Balance = Readonly<{
  token: Address
  /** Spendable now. */
  free: bigint
  /** Deposits that the operator has not credited yet. */
  pending: bigint
  /** In running exits. */
  exiting: bigint
  /** In places that mass exits hold on L1. */
  leaving: bigint
  /** In open swap offers and payments without an answer. */
  held: bigint
  /** Number of spendable outputs. */
  coins: number
}>

/** All outputs that the operator lists, oldest first. Retryable errors when it cannot be reached. */
export async function listCoins(
  { child, store, account }: Pick<WalletContext, 'child' | 'store' | 'account'>,
  token?: Address,
): Promise<OwnedCoin[]> {
  const holds = holdsOf(store, account.address)
  const leaving = leavingOf(store)
  const coins: OwnedCoin[] = []
  let cursor: number | undefined
  do {
    const page = await child.outputs(account.address, {
      limit: PAGE,
      ...(token === undefined ? {} : { token }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const output of page.outputs) {
      coins.push(coinOf(output, holds.get(output.position) ?? (leaving(output) ? 'leaving' : undefined)))
    }
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return coins.sort((a, b) => a.position - b.position)
}

/** Coins that a payment may choose from: credited, and held by nothing. */
export function spendableCoins(coins: readonly OwnedCoin[]): OwnedCoin[] {
  return coins.filter(({ state, held }) => state === 'unspent' && held === undefined)
}

/** Without what L1 has paid: the operator lists what left for ever, since it only knows the lock. */
export async function unpaidCoins(
  { root }: Pick<WalletContext, 'root'>,
  coins: readonly OwnedCoin[],
): Promise<OwnedCoin[]> {
  const isPaid = async ({ held, outputId }: OwnedCoin) =>
    (held === 'exiting' || held === 'leaving') && (await root.exitRecord(outputId)).state === 'settled'
  const paid = await Promise.all(coins.map(isPaid))
  return coins.filter((_, i) => !paid[i])
}

/** One entry per token, ETH first, then by address. */
export function sumBalances(coins: readonly OwnedCoin[]): Balance[] {
  const balances = new Map<Address, { -readonly [K in keyof Balance]: Balance[K] }>()
  for (const { token, amount, state, held } of coins) {
    const balance = balances.get(token) ?? {
      token,
      free: 0n,
      pending: 0n,
      exiting: 0n,
      leaving: 0n,
      held: 0n,
      coins: 0,
    }
    balances.set(token, balance)
    if (state === 'pending') balance.pending += amount
    else if (held === 'exiting') balance.exiting += amount
    else if (held === 'leaving') balance.leaving += amount
    else if (held !== undefined) balance.held += amount
    else {
      balance.free += amount
      balance.coins++
    }
  }
  return [...balances.values()].sort((a, b) => (a.token < b.token ? -1 : 1))
}

function coinOf({ position, outputId, token, amount, state }: OwnedOutput, hold: CoinHold | undefined): OwnedCoin {
  // The operator's word for any lock; what the wallet itself saw on L1 says which.
  const held = hold === 'leaving' || state !== 'exiting' ? hold : 'exiting'
  return { position, outputId, token, amount, state, ...(held ? { held } : {}) }
}

/** What this wallet itself must not spend: started exits (perhaps not seen by the operator yet), offers, unanswered payments. */
function holdsOf(store: WalletContext['store'], owner: Address): ReadonlyMap<number, CoinHold> {
  const holds = new Map<number, CoinHold>()
  for (const { signed } of store.payments(owner, 'sent')) {
    for (const input of signed.transaction.inputs) holds.set(input, 'sent')
  }
  for (const { inputs } of store.openSwaps(owner)) for (const input of inputs) holds.set(input, 'offered')
  for (const { position } of store.exits(owner)) holds.set(position, 'exiting')
  return holds
}

/**
 * Whether a mass exit that the wallet saw locked on L1 names an output (`noteMassExits` of massExits.ts). Not a deposit that came with the lock
 * or later: whoever guesses where it will be locks nothing.
 */
export function leavingOf(
  store: WalletContext['store'],
): (output: Readonly<{ position: number; token: Address; amount: bigint }>) => boolean {
  const lockedAt = new Map<string, number>()
  for (const { token, entries, l1Block } of store.lockedBatches())
    for (const entry of entries) lockedAt.set(keyOf({ ...entry, token }), l1Block)
  return (output) => {
    const lock = lockedAt.get(keyOf(output))
    if (lock === undefined) return false
    const proof = isDepositPosition(output.position) ? store.proof(output.position) : undefined
    return proof?.kind !== 'deposit' || proof.l1Block < lock
  }
}

function keyOf({ position, token, amount }: Readonly<{ position: number; token: Address; amount: bigint }>): string {
  return `${position} ${token} ${amount}`
}

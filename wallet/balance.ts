/** What an account owns on the child chain, and which of it may be spent: the operator's list, less what this wallet holds back. */
import type { OwnedOutput } from '../api/schemas.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
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
  const coins: OwnedCoin[] = []
  let cursor: number | undefined
  do {
    const page = await child.outputs(account.address, {
      limit: PAGE,
      ...(token === undefined ? {} : { token }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const output of page.outputs) coins.push(coinOf(output, holds.get(output.position)))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return coins.sort((a, b) => a.position - b.position)
}

/** Coins that a payment may choose from: credited, and held by nothing. */
export function spendableCoins(coins: readonly OwnedCoin[]): OwnedCoin[] {
  return coins.filter(({ state, held }) => state === 'unspent' && held === undefined)
}

/** One entry per token, ETH first, then by address. */
export function sumBalances(coins: readonly OwnedCoin[]): Balance[] {
  const balances = new Map<Address, { -readonly [K in keyof Balance]: Balance[K] }>()
  for (const { token, amount, state, held } of coins) {
    const balance = balances.get(token) ?? { token, free: 0n, pending: 0n, exiting: 0n, held: 0n, coins: 0 }
    balances.set(token, balance)
    if (state === 'pending') balance.pending += amount
    else if (held === 'exiting') balance.exiting += amount
    else if (held !== undefined) balance.held += amount
    else {
      balance.free += amount
      balance.coins++
    }
  }
  return [...balances.values()].sort((a, b) => (a.token < b.token ? -1 : 1))
}

function coinOf({ position, outputId, token, amount, state }: OwnedOutput, hold: CoinHold | undefined): OwnedCoin {
  const held = state === 'exiting' ? 'exiting' : hold
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

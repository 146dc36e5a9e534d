/**
 * Which outputs to spend (docs/guide-wallet.md, "Coin selection"). Pure and deterministic: the same coins and the same wish give the
 * same choice. Few inputs and little change first; a fragmented wallet sweeps its smallest coins along, because an exit costs the
 * same gas whatever its amount.
 */
import type { Address } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { MAX_INPUTS } from '../protocol/transaction.ts'

/** An unspent output of ours. Not a coin to spend: one that an exit, a swap or an unanswered payment holds (`held`). */
export type Coin = Readonly<{
  position: number
  token: Address
  amount: bigint
  /** Why it must not be spent now; left out when it may. */
  held?: CoinHold
}>

/** leaving: a mass exit holds its place. */
export type CoinHold = 'exiting' | 'leaving' | 'offered' | 'sent'

/** Per token, what a transaction must take in: amounts and fee together. */
export type Wish = ReadonlyMap<Address, bigint>

export type Selection = Readonly<{
  /** Strictly increasing positions, 1 to 16. */
  coins: readonly Coin[]
  /** Per token of the coins, what is left over for change; no entry where nothing is. */
  change: ReadonlyMap<Address, bigint>
}>

export type SelectionOptions = Readonly<{
  /** Coins that must be among the inputs, even held ones: a replacement spends an input of what it replaces. Never exiting ones. */
  include?: readonly Coin[]
  /** From this many spendable coins of a token on, its smallest ones are swept along. */
  sweepFrom?: number
}>

export const SWEEP_FROM = 24

/**
 * Coins that cover the wish, at most 16, none of them held. Throws BALANCE_TOO_LOW, or COINS_FRAGMENTED when the balance would do
 * but 16 coins do not: then merge first (`chooseMerge`).
 */
export function selectCoins(coins: readonly Coin[], wish: Wish, options: SelectionOptions = {}): Selection {
  const { include = [], sweepFrom = SWEEP_FROM } = options
  const exiting = include.find(({ held }) => held === 'exiting' || held === 'leaving')
  if (exiting)
    throw invalid('COIN_EXITING', 'an exit of this output is running', {
      got: exiting.position,
      want: 'another output',
    })
  const chosen = new Map<number, Coin>(include.map((coin) => [coin.position, coin]))
  for (const [token, amount] of wish) {
    const free = spendable(coins, token).filter(({ position }) => !chosen.has(position))
    const missing = amount - sumOf([...chosen.values()], token)
    if (missing <= 0n) continue
    for (const coin of cover(free, missing, { token, amount })) chosen.set(coin.position, coin)
  }
  if (chosen.size > MAX_INPUTS || chosen.size === 0) throw fragmented(chosen.size)
  for (const token of wish.keys()) sweep(chosen, spendable(coins, token), sweepFrom)
  const inOrder = [...chosen.values()].sort(byPosition)
  return { coins: inOrder, change: changeOf(inOrder, wish) }
}

/** The coins to merge into one when a token is fragmented: its largest 16. Undefined below two. */
export function chooseMerge(coins: readonly Coin[], token: Address): readonly Coin[] | undefined {
  const largest = spendable(coins, token).slice(0, MAX_INPUTS)
  return largest.length < 2 ? undefined : largest.sort(byPosition)
}

export function sumOf(coins: readonly Coin[], token: Address): bigint {
  return coins.reduce((sum, coin) => (coin.token === token ? sum + coin.amount : sum), 0n)
}

/** Coins of the token that may be spent, largest first; equal amounts oldest first. */
function spendable(coins: readonly Coin[], token: Address): Coin[] {
  return coins.filter((coin) => coin.token === token && coin.held === undefined).sort(byAmountThenAge)
}

/** The fewest coins that reach `missing`, then each exchanged for the smallest that still does. `free`: largest first. */
function cover(
  free: readonly Coin[],
  missing: bigint,
  wish: Readonly<{ token: Address; amount: bigint }>,
): readonly Coin[] {
  const taken: Coin[] = []
  let sum = 0n
  for (const coin of free) {
    if (sum >= missing) break
    taken.push(coin)
    sum += coin.amount
  }
  if (sum < missing) {
    throw invalid('BALANCE_TOO_LOW', 'not enough to spend, in the smallest unit of the token', {
      token: wish.token,
      got: wish.amount - missing + sum,
      want: wish.amount,
    })
  }
  return reduceChange(taken, free, sum - missing)
}

/** Exchanges taken coins for smaller unused ones while the sum still suffices: same count, less change. */
function reduceChange(taken: readonly Coin[], free: readonly Coin[], excess: bigint): readonly Coin[] {
  const kept = [...taken]
  let spare = excess
  for (let i = kept.length - 1; i >= 0; i--) {
    const coin = kept[i] as Coin
    const smaller = [...free].reverse().find((other) => !kept.includes(other) && other.amount >= coin.amount - spare)
    if (!smaller || smaller.amount >= coin.amount) continue
    spare -= coin.amount - smaller.amount
    kept[i] = smaller
  }
  return kept
}

/** Adds a token's smallest coins up to 16 inputs, when it has many: each transaction leaves fewer outputs behind. */
function sweep(chosen: Map<number, Coin>, free: readonly Coin[], sweepFrom: number): void {
  if (free.length < sweepFrom) return
  for (const coin of [...free].reverse()) {
    if (chosen.size >= MAX_INPUTS) return
    chosen.set(coin.position, coin)
  }
}

function changeOf(coins: readonly Coin[], wish: Wish): Map<Address, bigint> {
  const change = new Map<Address, bigint>()
  for (const { token, amount } of coins) change.set(token, (change.get(token) ?? 0n) + amount)
  for (const [token, amount] of wish) change.set(token, (change.get(token) ?? 0n) - amount)
  for (const [token, rest] of change) if (rest === 0n) change.delete(token)
  return change
}

function fragmented(count: number) {
  return invalid('COINS_FRAGMENTED', 'the amount lies in too many small outputs', {
    got: `${count} inputs`,
    want: `1 to ${MAX_INPUTS} inputs; merge outputs first`,
  })
}

function byPosition(a: Coin, b: Coin): number {
  return a.position - b.position
}

function byAmountThenAge(a: Coin, b: Coin): number {
  if (a.amount === b.amount) return a.position - b.position
  return a.amount > b.amount ? -1 : 1
}

/** Thousands of payments between the accounts of the story: a little model of who owns which coin, and batches sent to the operator. */
import type { Client } from '../api/client.ts'
import { type Address, ZERO_HASH } from '../protocol/bytes.ts'
import { bug, retryable } from '../protocol/errors.ts'
import { createOutput, type SignedTransaction, type Transaction } from '../protocol/transaction.ts'
import type { Account } from '../wallet/account.ts'
import { signTransaction } from '../wallet/payment.ts'

export type StoryCoin = Readonly<{ position: number; owner: Account; token: Address; amount: bigint }>
export type SpentCoin = StoryCoin & Readonly<{ spentBy: number }>

export type Payments = Readonly<{
  /** Coins that are unspent after all payments. */
  coins: readonly StoryCoin[]
  /** Coins that payments spent, newest last. */
  spent: readonly SpentCoin[]
  count: number
}>

export type PaymentOptions = Readonly<{
  client: Client
  separator: Uint8Array
  accounts: readonly Account[]
  coins: readonly StoryCoin[]
  count: number
  /** A number from 0 up to 1; the story passes a seeded one, so that every run is the same. */
  random(): number
  report(done: number): void
}>

/** Payments in one request; none of them spends what another of the same request makes. */
const BATCH = 200

/** Sends the payments and follows who owns what. Throws STORY_PAYMENT_REFUSED: none of them should be. */
export async function makePayments(options: PaymentOptions): Promise<Payments> {
  let coins = [...options.coins]
  const spent: SpentCoin[] = []
  let count = 0
  while (count < options.count) {
    const payers = shuffle(coins, options.random)
      .filter(({ amount }) => amount > 1_000n)
      .slice(0, Math.min(BATCH, options.count - count))
    const payments = payers.map((coin) => planPayment(coin, options))
    const results = await options.client.submit(payments.map(({ signed }) => signed))
    const used = new Set(payers)
    coins = coins.filter((coin) => !used.has(coin))
    for (const [i, result] of results.entries()) {
      const payment = payments[i]
      if (!payment)
        throw bug('STORY_RESULTS', 'more results than payments', { got: results.length, want: payments.length })
      if (result.status !== 'accepted') {
        throw retryable('STORY_PAYMENT_REFUSED', 'the operator refused a payment', {
          got: result.error,
          want: 'accepted',
        })
      }
      spent.push({ ...payment.coin, spentBy: result.position })
      coins.push(...payment.makes.map((made, output) => ({ ...made, position: result.position + output })))
    }
    count += results.length
    options.report(count)
  }
  return { coins, spent, count }
}

type Planned = Readonly<{ coin: StoryCoin; signed: SignedTransaction; makes: readonly Omit<StoryCoin, 'position'>[] }>

/** A random part of the coin to a random other account, the rest back. */
function planPayment(coin: StoryCoin, { accounts, random, separator }: PaymentOptions): Planned {
  const others = accounts.filter((account) => account !== coin.owner)
  const payee = others[Math.floor(random() * others.length)] as Account
  const part = (coin.amount * BigInt(1 + Math.floor(random() * 98))) / 100n
  const makes = [
    { owner: payee, token: coin.token, amount: part },
    { owner: coin.owner, token: coin.token, amount: coin.amount - part },
  ]
  const transaction: Transaction = {
    inputs: [coin.position],
    outputs: makes.map(({ owner, token, amount }) => createOutput(owner.address, token, amount)),
    memo: ZERO_HASH,
  }
  return { coin, signed: signTransaction(transaction, coin.owner, separator), makes }
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T]
  }
  return mixed
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

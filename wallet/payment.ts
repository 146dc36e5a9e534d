/** Building payments (docs/spec.md section 2): pure. Value is preserved to the unit, change goes back to the payer, the fee is an output. */
import type { Fees } from '../api/schemas.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import {
  createOutput,
  hashTransaction,
  type SignedTransaction,
  type Transaction,
  WITNESS_SIZE,
} from '../protocol/transaction.ts'
import type { Account } from './account.ts'
import { type Coin, chooseMerge, type Selection, selectCoins, sumOf, type Wish } from './coins.ts'

export type Fee = Readonly<{ to: Address; token: Address; amount: bigint }>

export type PaymentOrder = Readonly<{
  to: Address
  token: Address
  amount: bigint
  memo?: Hash
  /** Coins that must be spent: those of the payment that this one replaces. */
  include?: readonly Coin[]
}>

/**
 * The fee that the operator asks for: in the wanted token, else in the payment's own, else in the first token that we have enough of.
 * Undefined when it asks for none. Throws FEE_TOKEN_REFUSED, or BALANCE_TOO_LOW when no listed token will do.
 */
export function chooseFee(
  { feeAddress, fees }: Fees,
  coins: readonly Coin[],
  { token, wanted }: Readonly<{ token: Address; wanted?: Address }>,
): Fee | undefined {
  if (fees.length === 0) return undefined
  const listed = (of: Address) => fees.find((fee) => fee.token === of)
  const chosen = wanted === undefined ? listed(token) : listed(wanted)
  if (wanted !== undefined && !chosen) {
    const want = fees.map((fee) => fee.token)
    throw invalid('FEE_TOKEN_REFUSED', 'the operator takes no fee in this token', { got: wanted, want })
  }
  const free = coins.filter(({ held }) => held === undefined)
  const fee = chosen ?? fees.find((one) => sumOf(free, one.token) >= one.minimum)
  if (!fee) {
    throw invalid('BALANCE_TOO_LOW', 'not enough for the fee', {
      got: fees.map((one) => ({ token: one.token, have: sumOf(free, one.token) })),
      want: fees.map((one) => ({ token: one.token, atLeast: one.minimum })),
    })
  }
  return fee.minimum === 0n ? undefined : { to: feeAddress, token: fee.token, amount: fee.minimum }
}

/** What the payment must take in, per token. */
export function wishOf(spends: readonly Readonly<{ token: Address; amount: bigint }>[]): Wish {
  const wish = new Map<Address, bigint>()
  for (const { token, amount } of spends) wish.set(token, (wish.get(token) ?? 0n) + amount)
  return wish
}

/** Outputs: the recipient's, our change by token, the fee. Throws what selectCoins throws, AMOUNT_ZERO, OWNER_ZERO. */
export function planPayment(
  coins: readonly Coin[],
  owner: Address,
  order: PaymentOrder,
  fee: Fee | undefined,
): Transaction {
  const { to, token, amount, memo = ZERO_HASH, include = [] } = order
  if (amount <= 0n) throw invalid('AMOUNT_ZERO', 'nothing to pay', { got: amount, want: 'an amount above zero' })
  if (/^0x0{40}$/.test(to)) throw invalid('OWNER_ZERO', 'the zero address cannot own outputs', { got: to })
  const selection = selectCoins(coins, wishOf([{ token, amount }, ...(fee ? [fee] : [])]), { include })
  return transactionOf(selection, owner, [createOutput(to, token, amount)], { fee, memo })
}

/** Merges the largest 16 coins of a token into one; with a fee in another token, 15 and a coin for that. */
export function planMerge(coins: readonly Coin[], owner: Address, token: Address, fee: Fee | undefined): Transaction {
  const foreign =
    fee && fee.token !== token ? selectCoins(coins, wishOf([fee]), { sweepFrom: Number.POSITIVE_INFINITY }).coins : []
  const largest = chooseMerge(coins, token)?.slice() ?? []
  if (largest.length < 2) {
    throw invalid('NOTHING_TO_MERGE', 'there is nothing to merge', { got: largest.length, want: '2 outputs or more' })
  }
  const smallestFirst = largest.sort((a, b) => (a.amount < b.amount ? -1 : 1))
  const include = [...smallestFirst.slice(Math.max(0, largest.length + foreign.length - 16)), ...foreign]
  return planReturn(coins, owner, include, fee)
}

/** Spends these coins back to their owner, less the fee: merges them, and takes back whatever was signed about them. */
export function planReturn(
  coins: readonly Coin[],
  owner: Address,
  include: readonly Coin[],
  fee: Fee | undefined,
): Transaction {
  const selection = selectCoins(coins, wishOf(fee ? [fee] : []), { include, sweepFrom: Number.POSITIVE_INFINITY })
  return transactionOf(selection, owner, [], { fee, memo: ZERO_HASH })
}

/** Signs every input with the one account that owns them all. */
export function signTransaction(transaction: Transaction, account: Account, separator: Uint8Array): SignedTransaction {
  const witness = account.sign(hashTransaction(transaction, separator))
  const witnesses = new Uint8Array(transaction.inputs.length * WITNESS_SIZE)
  transaction.inputs.forEach((_, i) => {
    witnesses.set(witness, i * WITNESS_SIZE)
  })
  return { transaction, witnesses }
}

function transactionOf(
  { coins, change }: Selection,
  owner: Address,
  paid: Transaction['outputs'],
  { fee, memo }: Readonly<{ fee: Fee | undefined; memo: Hash }>,
): Transaction {
  const rest = [...change].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    inputs: coins.map(({ position }) => position),
    outputs: [
      ...paid,
      ...rest.map(([token, amount]) => createOutput(owner, token, amount)),
      ...(fee ? [createOutput(fee.to, fee.token, fee.amount)] : []),
    ],
    memo,
  }
}

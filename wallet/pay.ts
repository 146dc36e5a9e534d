/**
 * Paying (docs/guide-wallet.md, "Payments"): choose coins, sign, hand in, remember. A payment is written down before it is sent, so
 * that an answer that never came is asked for again and its coins are not spent twice meanwhile.
 */
import { type ErrorBody, resultToError } from '../api/errors.ts'
import type { Stage, SubmitResult, TransactionStatus } from '../api/schemas.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'
import { decodePosition } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction, type Transaction } from '../protocol/transaction.ts'
import { listCoins, type OwnedCoin, spendableCoins } from './balance.ts'
import type { WalletContext } from './context.ts'
import { noteSoft } from './keep.ts'
import { noteMassExits } from './massExits.ts'
import { chooseFee, type Fee, type PaymentOrder, planMerge, planPayment, signTransaction } from './payment.ts'
import { keepProofs } from './proofs.ts'
import { keepReceipt } from './receipts.ts'
import type { StoredPayment } from './store.ts'

const SUBMIT_ATTEMPTS = 3
const POLL_MS = 400

export type PayOptions = Readonly<{
  to: Address
  token: Address
  amount: bigint
  memo?: Hash
  /** Token to pay the fee in; chosen by the wallet when left out. */
  feeToken?: Address
  /** A payment of ours without an answer, or refused: the new one spends one of its inputs, so at most one of them can count. */
  replaces?: Hash
}>

type Settled = Readonly<{ txHash: Hash; position: number }>

/** Accepted by the operator, at an exact place. Final once its block is on L1. */
export type Paid = Readonly<{ txHash: Hash; position: number; transaction: Transaction; fee?: Fee; merges: number }>

/**
 * Pays, merging small outputs first where needed. Throws BALANCE_TOO_LOW, FEE_TOKEN_REFUSED, PAYMENT_REJECTED (with the operator's
 * reason), and retryable PAYMENT_UNANSWERED: the payment may still count; `resumePayments` finds out. Throws the operator's own code
 * (retryable, such as L1_STALE) where it refused only for now.
 */
export async function pay(wallet: WalletContext, options: PayOptions): Promise<Paid> {
  await resumePayments(wallet, options.replaces)
  await noteMassExits(wallet)
  const fees = await wallet.child.fees()
  for (let merges = 0; ; merges++) {
    const listed = await listCoins(wallet, undefined)
    const include = includedCoins(wallet, listed, options.replaces)
    const coins = [...spendableCoins(listed), ...include.filter(({ held }) => held === 'sent')]
    const fee = chooseFee(fees, coins, {
      token: options.token,
      ...(options.feeToken ? { wanted: options.feeToken } : {}),
    })
    try {
      const order: PaymentOrder = { ...options, include }
      const transaction = planPayment(coins, wallet.account.address, order, fee)
      const accepted = await submitOwn(wallet, transaction)
      if (options.replaces) markReplaced(wallet, options.replaces)
      return { ...accepted, transaction, merges, ...(fee ? { fee } : {}) }
    } catch (error) {
      if (!isLifeboatError(error) || error.code !== 'COINS_FRAGMENTED') throw error
      wallet.report(`merging small outputs (${merges + 1})`)
      await submitOwn(
        wallet,
        planMerge(coins, wallet.account.address, mostFragmented(coins, [options.token, fee?.token]), fee),
      )
    }
  }
}

/** Signs a transaction of only our inputs, writes it down, hands it in. */
export async function submitOwn(wallet: WalletContext, transaction: Transaction) {
  return submitSigned(wallet, signTransaction(transaction, wallet.account, wallet.separator))
}

/**
 * Hands in a completely signed transaction. Throws PAYMENT_REJECTED, PAYMENT_UNANSWERED (retryable), and (retryable) whatever code the operator
 * gives where it takes no payments now: it has refused this one, and the same may be handed in later.
 */
export async function submitSigned(wallet: WalletContext, signed: SignedTransaction): Promise<Settled> {
  const txHash = bytesToHex(hashTransaction(signed.transaction, wallet.separator))
  const owner = wallet.account.address
  const payment: StoredPayment = { txHash, owner, signed, state: 'sent', createdAt: wallet.waiting.now() }
  wallet.store.savePayment(payment)
  const accepted = await settlePayment(wallet, payment, { attempts: SUBMIT_ATTEMPTS, leave: 'rejected' })
  await noteSoft(wallet, txHash, accepted.position)
  // While everybody answers: to leave in flight its inputs have to be shown too.
  await keepProofs(wallet, signed.transaction.inputs, 'any')
  return accepted
}

/**
 * Asks again about every payment without an answer, and hands it in again where the operator does not know it. One that stays without
 * an answer is left for later. `except`: one that is about to be replaced and so must not be pressed.
 */
export async function resumePayments(wallet: WalletContext, except?: Hash): Promise<void> {
  for (const payment of wallet.store.payments(wallet.account.address, 'sent')) {
    if (payment.txHash === except) continue
    wallet.report(`asking again about payment ${payment.txHash}`)
    await settlePayment(wallet, payment, { attempts: 1, leave: 'sent' }).catch((error: unknown) => {
      if (!isLifeboatError(error)) throw error
    })
  }
}

/** Waits until the payment has reached the stage. Throws retryable WAIT_TIMEOUT; PAYMENT_FORGOTTEN when the operator drops it. */
export async function waitForStage(
  wallet: WalletContext,
  txHash: Hash,
  stage: Extract<Stage, 'committed' | 'final'>,
  timeoutMs: number,
): Promise<TransactionStatus> {
  const end = wallet.waiting.now() + timeoutMs
  let shown = ''
  for (;;) {
    const status = await wallet.child.transaction(txHash)
    if (!status) {
      throw invalid('PAYMENT_FORGOTTEN', 'the operator accepted this payment and now does not know it', {
        got: txHash,
        want: 'a known transaction; keep the receipt, and watch the chain',
      })
    }
    if (status.stage === 'final' || status.stage === stage) return status
    if (status.stage !== shown) wallet.report(`payment ${status.stage}, block ${decodePosition(status.position).block}`)
    shown = status.stage
    if (wallet.waiting.now() >= end) {
      throw retryable('WAIT_TIMEOUT', `the payment is not ${stage} yet`, { got: status.stage, want: stage, txHash })
    }
    await wallet.waiting.sleep(POLL_MS)
  }
}

/** After its block is on L1: proves and keeps our own outputs of it, so that we can leave with them later. */
export async function keepOwnOutputs(
  wallet: WalletContext,
  { position, transaction }: Pick<Paid, 'position' | 'transaction'>,
) {
  const own = transaction.outputs.flatMap(({ owner }, i) => (owner === wallet.account.address ? [position + i] : []))
  return keepProofs(wallet, own)
}

/** `leave`: the state of one that the operator refuses only for now, after the last attempt. */
async function settlePayment(
  wallet: WalletContext,
  payment: StoredPayment,
  { attempts, leave }: Readonly<{ attempts: number; leave: 'sent' | 'rejected' }>,
): Promise<Settled> {
  const { txHash, signed } = payment
  for (let attempt = 1; ; attempt++) {
    let refusal: ErrorBody | undefined
    try {
      const [result] = await wallet.child.submit([signed])
      const settled = await settleResult(wallet, payment, result)
      if (!('refusal' in settled)) return settled
      refusal = settled.refusal
    } catch (error) {
      if (!isLifeboatError(error) || error.family !== 'retryable') throw error
      if (attempt === attempts) throw unanswered(error, txHash)
    }
    if (refusal && attempt === attempts) {
      const reason = `${refusal.code}: ${refusal.message}`
      if (leave === 'rejected') wallet.store.savePayment({ ...payment, state: leave, reason })
      throw resultToError(refusal, { txHash })
    }
    await wallet.waiting.sleep(POLL_MS * attempt)
  }
}

function unanswered(error: LifeboatError, txHash: Hash): LifeboatError {
  return retryable(
    'PAYMENT_UNANSWERED',
    'the operator gave no answer; the payment may still count',
    { got: error.message, want: 'run the command again later: it asks first and never pays twice', txHash },
    error,
  )
}

async function settleResult(
  wallet: WalletContext,
  payment: StoredPayment,
  result: SubmitResult | undefined,
): Promise<Settled | Readonly<{ refusal: ErrorBody }>> {
  const { txHash } = payment
  if (result?.status === 'accepted') {
    const paid = accept(wallet, payment, result.txHash, result.position)
    if (result.receipt) await keepReceipt(wallet, result.receipt, paid)
    return paid
  }
  // A second hand-in of an accepted payment finds its inputs spent, by itself.
  const known = await wallet.child.transaction(txHash)
  if (known) return accept(wallet, payment, known.txHash, known.position)
  if (result?.error.retryable) return { refusal: result.error }
  const reason = result ? `${result.error.code}: ${result.error.message}` : 'no result'
  wallet.store.savePayment({ ...payment, state: 'rejected', reason })
  throw invalid('PAYMENT_REJECTED', `the operator refused the payment (${reason})`, {
    got: result?.error.got,
    want: result?.error.want,
    reason: result?.error.code,
    txHash,
  })
}

function accept(wallet: WalletContext, payment: StoredPayment, txHash: Hash, position: number) {
  if (txHash !== payment.txHash) {
    throw invalid('OPERATOR_ANSWERED_WRONG', 'the operator answered about another transaction', {
      got: txHash,
      want: payment.txHash,
    })
  }
  wallet.store.savePayment({ ...payment, state: 'accepted', position })
  return { txHash, position }
}

/** The coins of the payment to replace that are still there: one of them must be spent. Throws REPLACES_NOTHING. */
function includedCoins(wallet: WalletContext, listed: readonly OwnedCoin[], replaces: Hash | undefined): OwnedCoin[] {
  if (replaces === undefined) return []
  const old = wallet.store.payment(replaces)
  const inputs = old?.signed.transaction.inputs ?? []
  const left = listed.find(({ position, state }) => state === 'unspent' && inputs.includes(position))
  if (!old || old.state === 'accepted' || !left) {
    throw invalid('REPLACES_NOTHING', 'this payment cannot be replaced', {
      got: old
        ? `a payment that is ${old.state}${left ? '' : ', with no input left to spend'}`
        : 'a payment unknown here',
      want: 'a payment of this wallet that was sent without an answer or refused',
    })
  }
  return [left]
}

function markReplaced(wallet: WalletContext, txHash: Hash): void {
  const old = wallet.store.payment(txHash)
  if (old) wallet.store.savePayment({ ...old, state: 'replaced' })
}

function mostFragmented(coins: readonly OwnedCoin[], tokens: readonly (Address | undefined)[]): Address {
  const count = (token: Address | undefined) => coins.filter((coin) => coin.token === token).length
  const [first, second] = tokens
  return (second !== undefined && count(second) > count(first) ? second : first) as Address
}

/**
 * Signing and sending (docs/spec.md, "The outbox"). The signed transaction is on disk before the node sees it, so a crash at any point
 * leads to the same bytes or to a replacement under the same nonce, never to a second effect.
 */
import { type Hex, hexToBytes } from '../protocol/bytes.ts'
import { retryable } from '../protocol/errors.ts'
import { keccak256Hex } from '../protocol/keccak.ts'
import { gasFor, judge } from './outboxCheck.ts'
import {
  change,
  changeOnce,
  type InFlight,
  inFlight,
  type L1View,
  type OutboxContext,
  type OutboxTransaction,
  postpone,
  urgencyNow,
} from './outboxContext.ts'
import { CANCEL_GAS, capOf, chooseOffer, type Offer, tipCeilingOf } from './outboxFees.ts'
import type { ChangeCode, OutboxRow, RowStatus } from './outboxIntent.ts'
import { findMined, markDone } from './outboxSettle.ts'
import { type Attempt, attemptsOf, liveRows, saveAttempt, saveRow } from './outboxStore.ts'

/** Tries to send a row that has no nonce. Ends with it sent, closed, or put off with the reason stored. */
export async function sendRow(context: OutboxContext, view: L1View, row: OutboxRow): Promise<void> {
  if (await adoptMined(context, row)) return
  const flight = inFlight(context, view)
  const verdict = await judge(context, row, flight.length > 0)
  if (verdict.kind === 'done') return markDone(context, view, row, verdict.words)
  if (verdict.kind === 'reverts') {
    // Nodes simulate a value that we do not have as a failure of the call.
    if ((await view.balance()) >= row.intent.valueWei) return refuse(context, view, row, verdict.words)
    await offerFor(context, view, { row, kind: 'act', gas: row.intent.gasLimit ?? CANCEL_GAS })
    return postpone(context, row, view)
  }
  const { gas, ...estimate } = await gasFor(context, row, verdict.tag)
  if (gas === undefined) return refuse(context, view, row, 'words' in estimate ? estimate.words : '')
  const offer = await offerFor(context, view, { row, kind: 'act', gas })
  if (!offer) return postpone(context, row, view)
  context.memory.retries.delete(row.id)
  await signAndSend(context, view, { row, nonce: pickNonce(context, view), kind: 'act', gas, offer, code: 'sent' })
}

/** Transactions of nonces given up long ago: a deep reorg or a lying count may have brought one in after all. */
async function adoptMined(context: OutboxContext, row: OutboxRow): Promise<boolean> {
  const found = await findMined(context, row)
  if (found?.attempt.kind !== 'act' || !found.receipt.succeeded) return false
  saveRow(context.db, row.id, { nonce: found.attempt.nonce, sender: context.sender, status: 'sent', ending: null })
  return true
}

function refuse(context: OutboxContext, view: L1View, row: OutboxRow, words: string): void {
  const details = { got: words, want: row.intent.purpose }
  if (row.intent.onRevert === 'give-up') {
    change(context, row, 'failed', { words, patch: { status: 'failed', final: true }, details })
    return
  }
  changeOnce(context, row, 'reverting', { words, patch: { status: 'reverting' }, details })
  postpone(context, row, view)
}

export type OfferQuestion = Readonly<{
  row: OutboxRow
  kind: Attempt['kind']
  gas: bigint
  previous?: Offer
  /** Somebody else's wei to pay for giving this nonce up; the row's own budget otherwise. */
  capWei?: bigint
}>

/** An offer within budget and balance; undefined with the reason stored. */
export async function offerFor(
  context: OutboxContext,
  view: L1View,
  question: OfferQuestion,
): Promise<Offer | undefined> {
  const { row, kind, gas, previous } = question
  const flight = inFlight(context, view)
  const others = flight.filter((entry) => entry.row.id !== row.id)
  const valueWei = kind === 'act' ? row.intent.valueWei : 0n
  const heldWei = others.reduce((sum, { newest }) => sum + costOf(newest), 0n)
  const freeWei = (await view.balance()) - heldWei - valueWei
  const budgetWei = question.capWei ?? budgetOf(view, row, kind)
  const capWei = freeWei < budgetWei ? freeWei : budgetWei
  const fees = await view.fees()
  const { policy } = context
  const terms = {
    fees,
    urgency: urgencyNow(row, view),
    gas,
    maxTip: policy.maxTipPerGas,
    tipCeiling: tipCeilingOf(kind, policy.maxTipPerGas),
    ...(previous && { previous }),
  }
  const answer = chooseOffer({ ...terms, capWei: capWei > 0n ? capWei : 0n })
  if (answer.offer) return answer.offer
  if ('isEnough' in answer || question.capWei !== undefined) return undefined
  const isBudget = answer.leastWei > budgetWei
  const got = isBudget ? budgetWei : freeWei + valueWei
  const want = isBudget ? answer.leastWei : answer.leastWei + valueWei
  const words = isBudget
    ? `fees of ${want} wei are over the budget of ${got} wei for now`
    : `${context.sender} can spend ${got > 0n ? got : 0n} wei, needs ${want} wei`
  const code = isBudget ? 'over-budget' : 'unfunded'
  const status: RowStatus = row.ending ? 'cancelling' : code
  changeOnce(context, row, code, { words, patch: { status }, details: { got, want, baseFeeWei: fees.baseFeePerGas } })
  return undefined
}

/** A self-transfer may cost the whole budget: the nonce has to go. */
function budgetOf(view: L1View, row: OutboxRow, kind: Attempt['kind']): bigint {
  return capOf(row.intent.budgetWei, row.spentWei, kind === 'cancel' ? 'urgent' : urgencyNow(row, view))
}

/** Most wei that being mined can take. */
export function costOf({ gas, maxFeePerGas, valueWei }: Attempt): bigint {
  return gas * maxFeePerGas + valueWei
}

/**
 * The first nonce that neither a block nor a row of ours has. Pending transactions that are not ours are left alone, unless nothing has
 * come of them while ours wait behind.
 */
function pickNonce(context: OutboxContext, view: L1View): number {
  const taken = new Set(liveRows(context.db, context.sender).map(({ nonce }) => nonce))
  const { gap } = context.memory
  const isForeign = (nonce: number) =>
    !taken.has(nonce) && nonce < view.pendingCount && !(gap?.nonce === nonce && isStale(context, view, gap))
  let nonce = view.minedCount
  let foreign: number | undefined
  for (; taken.has(nonce) || isForeign(nonce); nonce++) if (isForeign(nonce)) foreign = nonce
  if (foreign !== undefined) {
    const about = { got: `a pending transaction with nonce ${foreign}`, want: 'one user of the key' }
    context.onTrouble(retryable('OUTBOX_KEY_SHARED', `someone else sends with the key of ${context.sender}`, about))
  }
  return nonce
}

export function isStale({ policy }: OutboxContext, { head }: L1View, gap: Readonly<{ sinceBlock: number }>): boolean {
  return head.number - gap.sinceBlock >= 2 * policy.bumpBlocks
}

export type Signing = Readonly<{
  row: OutboxRow
  nonce: number
  kind: Attempt['kind']
  gas: bigint
  offer: Offer
  code: ChangeCode
}>

/** Throws (retryable) SIGNER_FAILED with nothing stored, and what `OutboxRpc.send` throws with everything stored. */
export async function signAndSend(context: OutboxContext, view: L1View, signing: Signing): Promise<void> {
  const { row, nonce, kind, gas, offer, code } = signing
  const transaction = transactionOf(context, signing)
  const raw = await sign(context, row, transaction)
  const hash = keccak256Hex(hexToBytes(raw))
  const attempt: Attempt = {
    ...offer,
    hash,
    rowId: row.id,
    nonce,
    kind,
    raw,
    gas,
    valueWei: transaction.value,
    sentBlock: view.head.number,
  }
  const status: RowStatus = kind === 'act' ? 'sent' : 'cancelling'
  const words =
    kind === 'act' ? `sent with nonce ${nonce}: ${hash}` : `replaced by a self-transfer of nonce ${nonce}: ${hash}`
  const ending = kind === 'act' ? null : row.ending
  const patch = { nonce, sender: context.sender, status, code, words, ending, settled: null, sinceBlock: null }
  const next = saveAttempt(context.db, attempt, patch)
  context.memory.raise.delete(row.id)
  const details = { nonce, hash, gas, ...offer }
  context.onStatus(next, { code, from: row.status, to: next.status, words, details })
  await broadcast(context, next, attempt)
}

function transactionOf(
  { chainId, sender }: OutboxContext,
  { row, nonce, kind, gas, offer }: Signing,
): OutboxTransaction {
  const fees = { maxFeePerGas: offer.maxFeePerGas, maxPriorityFeePerGas: offer.priorityFeePerGas }
  const base = { type: 'eip1559', chainId, nonce, ...fees } as const
  if (kind === 'cancel') return { ...base, to: sender, data: '0x', value: 0n, gas: CANCEL_GAS }
  const { to, data, valueWei } = row.intent
  return { ...base, ...(to !== null && { to }), data, value: valueWei, gas }
}

async function sign(
  { signer, sender }: OutboxContext,
  { intent }: OutboxRow,
  transaction: OutboxTransaction,
): Promise<Hex> {
  try {
    return (await signer.signTransaction(transaction)).toLowerCase() as Hex
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause)
    throw retryable('SIGNER_FAILED', `no signature by ${sender} for ${intent.key}`, { got, want: 'a signature' }, cause)
  }
}

/** Gives the node what is stored. Again is harmless. */
export async function broadcast(context: OutboxContext, row: OutboxRow, attempt: Attempt): Promise<void> {
  const { result, words } = await context.rpc.send(attempt.raw)
  const details = { hash: attempt.hash, got: words }
  switch (result) {
    case 'taken': {
      if (row.status !== 'refused' && row.status !== 'unfunded') return
      const status: RowStatus = attempt.kind === 'act' ? 'sent' : 'cancelling'
      change(context, row, 'sent', {
        words: `sent at last: ${attempt.hash}`,
        patch: { status },
        details: { hash: attempt.hash },
      })
      return
    }
    case 'consumed':
      return
    case 'underpriced':
      context.memory.raise.add(row.id)
      return
    case 'unfunded':
    case 'refused': {
      const status: RowStatus = row.ending ? 'cancelling' : result
      changeOnce(context, row, result, { words: `the node refused it: ${words}`, patch: { status }, details })
      return
    }
  }
}

/** Nonces of ours that wait while a lower one is neither ours nor used: heals it by a self-transfer enqueued as a row of its own. */
export function firstGap(
  context: OutboxContext,
  view: L1View,
): Readonly<{ nonce: number; behind: InFlight }> | undefined {
  const flight = inFlight(context, view)
  const taken = new Set(liveRows(context.db, context.sender).map(({ nonce }) => nonce))
  let nonce = view.minedCount
  while (taken.has(nonce)) nonce++
  const behind = flight.find((entry) => entry.nonce > nonce)
  return behind && { nonce, behind }
}

/** All hashes under which a row was sent, oldest first. */
export function hashesOf({ db }: Pick<OutboxContext, 'db'>, row: OutboxRow): Hex[] {
  return attemptsOf(db, row.id).map(({ hash }) => hash)
}

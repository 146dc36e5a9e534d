/**
 * Looking after what waits for inclusion (docs/spec.md, "The outbox"): resend what the node forgot, raise fees within the budget, give
 * up what has become pointless, clear the way for what is urgent.
 */
import { gasFor, judge, type Verdict } from './outboxCheck.ts'
import {
  change,
  changeOnce,
  type InFlight,
  inFlight,
  isLate,
  type L1View,
  type OutboxContext,
  urgencyNow,
} from './outboxContext.ts'
import { CANCEL_GAS, cancelSaves, leastBump } from './outboxFees.ts'
import type { Ending, Intent, OutboxRow } from './outboxIntent.ts'
import { broadcast, costOf, firstGap, isStale, offerFor, signAndSend } from './outboxSend.ts'
import { enqueue, saveRow } from './outboxStore.ts'

/** One row whose newest transaction is in no block: at every new head, and at once after the node refused its price. */
export async function tendRow(context: OutboxContext, view: L1View, entry: InFlight): Promise<void> {
  const { row, newest } = entry
  if (!row.ending && isLate(row, view)) {
    const words = 'deadline passed while it waited; cancelling'
    return cancel(context, view, { ...entry, row: end(context, row, 'expired', words) })
  }
  if (row.ending) {
    const isUrged = row.ending !== 'done-by-other' || newest.kind === 'cancel'
    return isUrged || isDue(context, view, entry) || saves(context, entry) ? cancel(context, view, entry) : undefined
  }
  const hasEarlier = inFlight(context, view).some(({ nonce }) => nonce < entry.nonce)
  const verdict = await judge(context, row, hasEarlier)
  if (verdict.kind === 'done') return yieldTo(context, view, entry, verdict.words)
  // With one of ours in front this may only look so; alone, nothing is spent on raising what would revert.
  if (verdict.kind === 'reverts' && !hasEarlier) {
    changeOnce(context, row, 'reverting', { words: verdict.words, patch: { status: 'reverting' } })
    await clearTheWay(context, view, entry)
    return
  }
  await bump(context, view, entry, verdict)
}

function end(context: OutboxContext, row: OutboxRow, ending: Ending, words: string): OutboxRow {
  const details = { got: words, want: row.intent.purpose }
  return change(context, row, 'cancelling', { words, patch: { ending, status: 'cancelling' }, details })
}

/** Somebody else did it, unless it was our own transaction, mined since we looked. */
async function yieldTo(context: OutboxContext, view: L1View, entry: InFlight, words: string): Promise<void> {
  if ((await context.rpc.transactionCount(context.sender, 'latest')) > entry.nonce) return
  const row = end(context, entry.row, 'done-by-other', words)
  if (saves(context, entry) || isDue(context, view, entry)) await cancel(context, view, { ...entry, row })
}

function saves({ policy }: OutboxContext, { row, newest }: InFlight): boolean {
  return policy.cancelPointless && cancelSaves(row.intent.data, newest, leastBump(newest))
}

function isDue(context: OutboxContext, view: L1View, { row, newest }: InFlight): boolean {
  const interval = urgencyNow(row, view) === 'urgent' ? 1 : context.policy.bumpBlocks
  return context.memory.raise.has(row.id) || view.head.number - newest.sentBlock >= interval
}

function isForgotten({ pendingCount }: L1View, { nonce }: InFlight): boolean {
  return pendingCount <= nonce
}

async function bump(context: OutboxContext, view: L1View, entry: InFlight, verdict: Verdict): Promise<void> {
  const { nonce, newest } = entry
  const row = verdict.kind === 'go' && entry.row.status === 'reverting' ? revive(context, entry.row) : entry.row
  if (isDue(context, view, entry)) {
    const gas = (await freshGas(context, row, verdict)) ?? newest.gas
    const offer = await offerFor(context, view, { row, kind: 'act', gas, previous: newest })
    if (offer) return signAndSend(context, view, { row, nonce, kind: 'act', gas, offer, code: 'bumped' })
    if (await clearTheWay(context, view, entry)) return
  }
  if (isForgotten(view, entry)) await broadcast(context, row, newest)
}

function revive(context: OutboxContext, row: OutboxRow): OutboxRow {
  return change(context, row, 'sent', { words: 'it would not revert any more', patch: { status: 'sent' } })
}

async function freshGas(context: OutboxContext, row: OutboxRow, verdict: Verdict): Promise<bigint | undefined> {
  if (verdict.kind !== 'go') return undefined
  const estimate = await gasFor(context, row, verdict.tag)
  return 'gas' in estimate ? estimate.gas : undefined
}

/** Sends or raises the self-transfer that ends this row's claim on its nonce. Never sends the act again. */
async function cancel(context: OutboxContext, view: L1View, entry: InFlight): Promise<void> {
  const { row, nonce, newest } = entry
  if (newest.kind === 'cancel' && !isDue(context, view, entry)) {
    if (isForgotten(view, entry)) await broadcast(context, row, newest)
    return
  }
  const terms = { row, kind: 'cancel', gas: CANCEL_GAS, previous: newest } as const
  const offer = await offerFor(context, view, terms)
  if (offer)
    return signAndSend(context, view, { row, nonce, kind: 'cancel', gas: CANCEL_GAS, offer, code: 'cancelling' })
  if (await clearTheWay(context, view, entry)) return
  if (newest.kind === 'cancel' && isForgotten(view, entry)) await broadcast(context, row, newest)
}

/**
 * A row that can't be mined at its price holds up every later nonce. One that waits behind it and offers enough then pays for a
 * self-transfer in its place, within its own budget; the row in front goes back into the queue.
 */
async function clearTheWay(context: OutboxContext, view: L1View, entry: InFlight): Promise<boolean> {
  const { row, nonce, newest } = entry
  const { baseFeePerGas } = await view.fees()
  if (newest.maxFeePerGas > baseFeePerGas && !isForgotten(view, entry)) return false
  const behind = inFlight(context, view).find(
    (other) => other.nonce > nonce && !other.row.ending && other.newest.maxFeePerGas > baseFeePerGas,
  )
  if (!behind) return false
  const { intent, spentWei } = behind.row
  const lentWei = newest.kind === 'cancel' && row.ending === 'vacated' ? costOf(newest) : 0n
  const capWei = intent.budgetWei - spentWei - (costOf(behind.newest) - behind.newest.valueWei) + lentWei
  const offer = await offerFor(context, view, { row, kind: 'cancel', gas: CANCEL_GAS, previous: newest, capWei })
  if (!offer) return false
  saveRow(context.db, behind.row.id, { spentWei: spentWei + CANCEL_GAS * offer.maxFeePerGas - lentWei })
  const words = `gives its nonce ${nonce} up for ${intent.key}`
  const patch = { ending: row.ending ?? 'vacated', status: 'cancelling' } as const
  const vacated = change(context, row, 'vacated', { words, patch, details: { for: intent.key } })
  await signAndSend(context, view, { row: vacated, nonce, kind: 'cancel', gas: CANCEL_GAS, offer, code: 'cancelling' })
  return true
}

/** Fills a nonce that nothing of ours has while ours wait behind it: left by a reorg, or by somebody else's use of the key. */
export function healGap(context: OutboxContext, view: L1View): void {
  const { memory, sender } = context
  const found = firstGap(context, view)
  if (!found) {
    memory.gap = undefined
    return
  }
  if (memory.gap?.nonce !== found.nonce) memory.gap = { nonce: found.nonce, sinceBlock: view.head.number }
  // What seems to be missing may be a transaction of someone else that only waits for cheaper blocks: no haste to replace it.
  const isMissing = view.pendingCount <= found.nonce && urgencyNow(found.behind.row, view) === 'urgent'
  if (!isMissing && !isStale(context, view, memory.gap)) return
  const { deadline, budgetWei, key } = found.behind.row.intent
  const filler: Intent = {
    key: `fill:${context.chainId}:${sender}:${found.nonce}:${found.behind.newest.hash}`,
    to: sender,
    data: '0x',
    gasLimit: CANCEL_GAS,
    deadline,
    budgetWei,
    urgency: 'high',
    purpose: `fill nonce ${found.nonce}, which ${key} waits for`,
  }
  enqueue(context.db, filler)
}

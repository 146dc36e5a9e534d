/**
 * One tick of the outbox (docs/spec.md, "The outbox"): what was mined, what is late, what waits for inclusion, what may be sent now, in
 * that order. Endpoint trouble ends the tick and delays the next; one row's trouble delays that row.
 */
import { configError, isLifeboatError, retryable } from '../protocol/errors.ts'
import {
  change,
  type InFlight,
  inFlight,
  isLate,
  type L1View,
  type OutboxContext,
  postpone,
  urgencyNow,
} from './outboxContext.ts'
import { isClosed, type OutboxRow } from './outboxIntent.ts'
import type { OutboxBlock, OutboxRpc } from './outboxRpc.ts'
import { sendRow } from './outboxSend.ts'
import { settleDone, settleRow } from './outboxSettle.ts'
import { liveRows, saveRow } from './outboxStore.ts'
import { healGap, tendRow } from './outboxTend.ts'

const MAX_BACKOFF_MS = 30_000

/** So many rows in a row that fail are the endpoint's trouble, not theirs. */
const FAILURES_OF_ENDPOINT = 3

/** What is remembered from one tick to the next. */
export type Looks = { head?: OutboxBlock; seenAtMs: number; backoff: { until: number; failures: number } }

/** One look at L1 and everything that follows from it. Trouble is told and backed off from; a bug is thrown. */
export async function tickOnce(context: OutboxContext, looks: Looks, nowMs: number): Promise<void> {
  const { backoff } = looks
  if (nowMs < backoff.until || liveRows(context.db, context.sender).length === 0) return
  try {
    await work(context, await look(context, looks, nowMs))
    backoff.failures = 0
  } catch (error) {
    // The next look must not take this head for one that was dealt with.
    delete looks.head
    if (!isLifeboatError(error) || error.family === 'bug') throw error
    backoff.until = nowMs + Math.min(MAX_BACKOFF_MS, context.policy.retryMs * 2 ** backoff.failures)
    backoff.failures++
    context.onTrouble(error)
  }
}

/** Throws (config) WRONG_CHAIN. */
export async function assertChain({ rpc, chainId }: OutboxContext): Promise<void> {
  const got = await rpc.chainId()
  if (got !== chainId) {
    throw configError('WRONG_CHAIN', 'the L1 endpoint of the outbox is on another chain', { got, want: chainId })
  }
}

async function look(context: OutboxContext, looks: Looks, nowMs: number): Promise<L1View> {
  const { rpc, sender } = context
  await assertChain(context)
  const head = await rpc.block('latest')
  if (!head) throw retryable('HEAD_MISSING', 'the L1 endpoint has no latest block', { got: null, want: 'a block' })
  const isNewHead = head.hash !== looks.head?.hash
  const isReorged = isNewHead && !(await extendsLast(rpc, looks.head, head))
  if (isNewHead) looks.seenAtMs = nowMs
  looks.head = head
  const passed = Math.max(0, Math.floor((nowMs - looks.seenAtMs) / 1000))
  return {
    head,
    isNewHead,
    isReorged,
    moment: { timestamp: head.timestamp + passed, block: head.number },
    minedCount: await rpc.transactionCount(sender, 'latest'),
    pendingCount: await rpc.transactionCount(sender, 'pending'),
    nowMs,
    fees: once(() => rpc.fees()),
    balance: once(() => rpc.balance(sender)),
  }
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined
  return () => {
    reading ??= read()
    return reading
  }
}

async function extendsLast(rpc: OutboxRpc, last: OutboxBlock | undefined, head: OutboxBlock): Promise<boolean> {
  if (!last || head.number <= last.number) return false
  if (head.number === last.number + 1) return head.parentHash === last.hash
  return (await rpc.block(last.number))?.hash === last.hash
}

async function work(context: OutboxContext, view: L1View): Promise<void> {
  const apart = createPartition(context, view)
  const live = () => liveRows(context.db, context.sender)
  for (const row of live()) {
    const { nonce } = row
    if (nonce !== null) await apart(row, () => settleRow(context, view, { ...row, nonce }))
    else if (row.status === 'done-by-other') await apart(row, () => settleDone(context, view, row))
  }
  for (const row of live()) openOrExpire(context, view, row)
  for (const entry of inFlight(context, view)) {
    if (!isDueForLook(context, view, entry)) continue
    context.memory.retries.delete(entry.row.id)
    await apart(entry.row, () => tendRow(context, view, entry))
  }
  for (const row of byUrgency(live().filter(isQueued), view)) {
    const mayGo = inFlight(context, view).length < context.policy.maxInFlight || urgencyNow(row, view) === 'urgent'
    if (mayGo && isReady(context, view, row)) await apart(row, () => sendRow(context, view, row))
  }
  healGap(context, view)
}

/** Keeps the trouble of one row from the others: an act whose very simulation fails must not hold up a challenge. */
function createPartition(context: OutboxContext, view: L1View) {
  let failuresInARow = 0
  return async (row: OutboxRow, act: () => Promise<void>): Promise<void> => {
    if (context.memory.isStopping) return
    try {
      await act()
      failuresInARow = 0
    } catch (error) {
      if (!isLifeboatError(error) || error.family === 'bug') throw error
      postpone(context, row, view)
      if (++failuresInARow >= FAILURES_OF_ENDPOINT) throw error
      context.onTrouble(error)
    }
  }
}

function isDueForLook({ memory }: OutboxContext, { isNewHead, nowMs }: L1View, { row }: InFlight): boolean {
  const retry = memory.retries.get(row.id)
  return isNewHead || memory.raise.has(row.id) || (retry !== undefined && nowMs >= retry.at)
}

function openOrExpire(context: OutboxContext, view: L1View, row: OutboxRow): void {
  const { head } = view
  const opened = row.openedAt
    ? row
    : saveRow(context.db, row.id, { openedAt: { timestamp: head.timestamp, block: head.number } })
  if (!isQueued(opened) || !isLate(opened, view)) return
  const words = `deadline passed, not done: ${opened.intent.purpose}${opened.words ? ` (${opened.words})` : ''}`
  const details = { got: { timestamp: head.timestamp, block: head.number }, want: opened.intent.deadline }
  change(context, opened, 'expired', { words, patch: { status: 'expired', final: true, ending: null }, details })
}

function isQueued(row: OutboxRow): boolean {
  return row.nonce === null && !isClosed(row.status)
}

function isReady({ memory }: OutboxContext, { moment, nowMs }: L1View, row: OutboxRow): boolean {
  return (
    moment.timestamp >= row.intent.notBefore && nowMs >= (memory.retries.get(row.id)?.at ?? Number.NEGATIVE_INFINITY)
  )
}

/** The urgent first; otherwise first come, first served, since callers rely on it (an approval before its deposit). */
function byUrgency(rows: readonly OutboxRow[], view: L1View): OutboxRow[] {
  const rank = { urgent: 0, soon: 1, calm: 2 } as const
  return [...rows].sort((a, b) => rank[urgencyNow(a, view)] - rank[urgencyNow(b, view)] || a.id - b.id)
}

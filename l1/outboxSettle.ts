/**
 * What became of what was sent (docs/spec.md, "The outbox"). A nonce is one vote: of all transactions that were ever signed with it one
 * at most is mined, so a row gets another nonce only once its own is used up, by whatever, as deep as a confirmation.
 */

import { judge } from './outboxCheck.ts'
import { change, type L1View, type OutboxContext, putOff } from './outboxContext.ts'
import type { OutboxRow, Settlement } from './outboxIntent.ts'
import type { OutboxReceipt } from './outboxRpc.ts'
import { type Attempt, attemptsOf, saveRow } from './outboxStore.ts'

export type MinedAttempt = Readonly<{ attempt: Attempt; receipt: OutboxReceipt }>

/** For a row with a nonce that is not final. */
export async function settleRow(
  context: OutboxContext,
  view: L1View,
  row: OutboxRow & { nonce: number },
): Promise<void> {
  if (view.minedCount <= row.nonce) return unsettle(context, row)
  if (row.settled && row.status !== 'confirmed' && !view.isNewHead) return
  if (row.status === 'confirmed' && !view.isReorged && depthOf(row.settled, view) < context.policy.finalDepth) return
  const found = await findMined(context, row, row.nonce)
  if (!found) return awaitLostNonce(context, view, row)
  context.memory.lostSince.delete(row.id)
  const settled = settlementOf(found)
  if (depthOf(settled, view) < context.policy.confirmations) return noteMined(context, row, found)
  const isEffective = found.attempt.kind === 'act' && found.receipt.succeeded
  if (isEffective) confirm(context, view, row, settled)
  else endTry(context, view, row, found)
}

/** The mined one of a row's attempts, with this nonce or with any; newest first, as that is the likeliest. */
export async function findMined(
  context: OutboxContext,
  row: OutboxRow,
  nonce?: number,
): Promise<MinedAttempt | undefined> {
  for (const attempt of attemptsOf(context.db, row.id, nonce).reverse()) {
    const receipt = await context.rpc.receipt(attempt.hash)
    if (receipt) return { attempt, receipt }
  }
  return undefined
}

/** Looks again at somebody else's success: after a reorg, and once more when it is as deep as a confirmation. */
export async function settleDone(context: OutboxContext, view: L1View, row: OutboxRow): Promise<void> {
  const isDeep = view.head.number - (row.sinceBlock ?? 0) >= context.policy.confirmations - 1
  if (!isDeep && !view.isReorged) return
  const verdict = await judge(context, row, false)
  if (verdict.kind === 'go') {
    const words = 'what another had done was undone by a reorg'
    change(context, row, 'reopened', { words, patch: { status: 'queued', sinceBlock: null, ending: null } })
  } else if (isDeep) saveRow(context.db, row.id, { final: true })
}

/** A state in which the row is done by another, or looks so. */
export function markDone(context: OutboxContext, view: L1View, row: OutboxRow, words: string): void {
  change(context, row, 'done-by-other', {
    words,
    patch: {
      status: 'done-by-other',
      sinceBlock: view.head.number,
      nonce: null,
      sender: null,
      ending: null,
      settled: null,
    },
  })
}

function unsettle(context: OutboxContext, row: OutboxRow): void {
  context.memory.lostSince.delete(row.id)
  if (!row.settled) return
  change(context, row, 'reorged', {
    words: `a reorg took ${row.settled.hash} out of block ${row.settled.l1Block}`,
    patch: { status: row.ending ? 'cancelling' : 'sent', settled: null },
  })
}

function noteMined(context: OutboxContext, row: OutboxRow, { attempt, receipt }: MinedAttempt): void {
  if (row.settled?.l1BlockHash === receipt.l1BlockHash && row.settled.hash === attempt.hash) return
  const verb = attempt.kind === 'cancel' ? 'self-transfer mined' : receipt.succeeded ? 'mined' : 'reverted'
  change(context, row, 'mined', {
    words: `${verb} in block ${receipt.l1Block}: ${attempt.hash}`,
    patch: { status: attempt.kind === 'cancel' ? 'cancelling' : 'mined', settled: settlementOf({ attempt, receipt }) },
  })
}

function confirm(context: OutboxContext, view: L1View, row: OutboxRow, settled: Settlement): void {
  const final = depthOf(settled, view) >= context.policy.finalDepth
  if (row.status === 'confirmed' && row.settled?.l1BlockHash === settled.l1BlockHash) {
    if (final) saveRow(context.db, row.id, { final })
    return
  }
  const words = `confirmed in block ${settled.l1Block}: ${settled.hash}`
  change(context, row, 'confirmed', { words, patch: { status: 'confirmed', settled, ending: null, final } })
}

/** The nonce is used up without the act: by its revert, or by our self-transfer. */
function endTry(context: OutboxContext, view: L1View, row: OutboxRow, { attempt, receipt }: MinedAttempt): void {
  const spentWei = row.spentWei + (row.ending === 'vacated' && attempt.kind === 'cancel' ? 0n : receipt.feeWei)
  const free = { nonce: null, sender: null, settled: null, spentWei }
  context.memory.retries.delete(row.id)
  if (attempt.kind === 'act') {
    // Nodes simulate at a base fee of 0: what fails for the real one alone would be sent, and paid for, with every block.
    putOff(context, row, view, row.reverts + 1)
    const words = `reverted on chain in block ${receipt.l1Block}: ${attempt.hash}`
    const patch = { ...free, status: 'queued', reverts: row.reverts + 1 } as const
    releaseAs(
      context,
      view,
      change(context, row, 'reverted-on-chain', { words, patch, details: { feeWei: receipt.feeWei } }),
    )
  } else releaseAs(context, view, saveRow(context.db, row.id, { ...free, status: 'queued' }))
}

/** After a nonce is gone: what the row had been meant to become. */
function releaseAs(context: OutboxContext, view: L1View, row: OutboxRow): void {
  if (row.ending === 'done-by-other') markDone(context, view, row, row.words)
  else if (row.ending === 'expired') {
    const words = `deadline passed; it was cancelled: ${row.intent.purpose}`
    const details = { got: row.words, want: row.intent.deadline }
    change(context, row, 'expired', { words, patch: { status: 'expired', final: true, ending: null }, details })
  } else if (row.ending) {
    change(context, row, 'reopened', {
      words: 'its nonce was given up; it waits again',
      patch: { status: 'queued', ending: null },
    })
  }
}

/** The nonce is used, and none of our receipts shows by what. A lagging node looks the same, so this waits. */
async function awaitLostNonce(context: OutboxContext, view: L1View, row: OutboxRow & { nonce: number }): Promise<void> {
  const { memory, policy, rpc, sender } = context
  if (row.settled) unsettle(context, row)
  const since = memory.lostSince.get(row.id) ?? view.nowMs
  memory.lostSince.set(row.id, since)
  if (view.nowMs - since < policy.lostNonceMs) return
  const deep = Math.max(0, view.head.number - policy.confirmations + 1)
  if ((await rpc.transactionCount(sender, deep)) <= row.nonce) return
  memory.lostSince.delete(row.id)
  const ours = attemptsOf(context.db, row.id, row.nonce).map(({ hash }) => hash)
  const next = change(context, row, 'nonce-taken', {
    words: `nonce ${row.nonce} was used by a transaction that is not ours: someone else sends with this key`,
    patch: { nonce: null, sender: null, status: 'queued' },
    details: { nonce: row.nonce, got: 'an unknown transaction', want: ours },
  })
  releaseAs(context, view, next)
}

function settlementOf({ attempt, receipt }: MinedAttempt): Settlement {
  const { l1Block, l1BlockHash, feeWei, contractAddress } = receipt
  return { hash: attempt.hash, l1Block, l1BlockHash, feeWei, contractAddress }
}

function depthOf(settled: Settlement | null, { head }: L1View): number {
  return settled ? head.number - settled.l1Block + 1 : 0
}

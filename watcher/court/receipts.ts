/**
 * Breaking receipts that L1 contradicts (docs/spec.md section 8.8; docs/honest-watcher.md "Receipts"). What a receipt is worth is
 * protocol/receipt.ts's judgement; here only when, and for how much, it goes to L1.
 */
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { hashReceipt } from '../../protocol/receipt.ts'
import { ANCHOR_MEMORY_BLOCKS } from './dataRules.ts'
import type { BreakReceipt, BrokenReceipt } from './dataTypes.ts'
import { budgetAt, staggerOf } from './policy.ts'
import { judge } from './rules.ts'
import type { Effect, World } from './types.ts'

/** Each place is slashed for once, and each slash halves the bond: more at a time only makes a queue. */
const BREAKS_AT_ONCE = 8

export function planReceipts({
  broken,
  world,
}: Readonly<{ broken: readonly BrokenReceipt[]; world: World }>): readonly Effect[] {
  const places = new Map<string, BrokenReceipt>()
  for (const one of broken) {
    const { blockNumber, index } = one.signed.receipt
    const place = `${blockNumber} ${index}`
    if (!places.has(place)) places.set(place, one)
  }
  const actions = [...places.values()].map((one) => breakOf(one, world)).sort((a, b) => a.deadline - b.deadline)
  return actions.slice(0, BREAKS_AT_ONCE).flatMap((action) => judge(action, world))
}

/** L1 counts blocks of its memory, we count seconds: a missed slot only gives more time. */
function breakOf(broken: BrokenReceipt, world: World): BreakReceipt {
  const { now, parameters, policy } = world
  const { signed, since, how } = broken
  const { blockNumber, index, anchor } = signed.receipt
  const left =
    how.kind === 'contradiction' ? ANCHOR_MEMORY_BLOCKS : Math.max(0, anchor + ANCHOR_MEMORY_BLOCKS - now.block)
  const name: Hash = bytesToHex(hashReceipt(signed.receipt))
  const window = { from: since, until: now.timestamp + left * parameters.slot }
  return {
    type: 'break-receipt',
    // L1 slashes for a place once, whichever receipt it is shown.
    key: `break-receipt:${blockNumber}:${index}`,
    purpose: `show L1 that a receipt for block ${blockNumber}, index ${index} is broken`,
    notBefore: since + staggerOf(policy, name),
    deadline: window.until,
    budgetWei: budgetAt(policy.challengeFloorWei, window, now.timestamp),
    broken,
  }
}

/**
 * When blocks are opened, given an anchor, and cut (docs/spec.md section 4). Size is admission's business, because a full block is
 * cut before the next acceptance; here it is time, the anchor's age, and silence.
 */
import type { Anchor, BlockLog, OpenBlock } from './blockLog.ts'
import type { L1View } from './l1View.ts'

export type BuilderOptions = Readonly<{
  blockLog: BlockLog
  view: L1View
  /** Longest that a transaction waits for its block to be cut. */
  blockIntervalMs: number
  /** Longest time without a block; an empty one is cut then. */
  maxSilenceMs: number
  /** L1 blocks: a block with transactions is cut before its anchor is older. */
  maxOpenAnchorAge: number
  now: () => number
  /** When the last block was cut, or when we started. */
  lastSealedAt: () => number
}>

export type CutReason = 'interval' | 'anchor' | 'silence'

/** Why the open block is due now; undefined when it is not. */
export function findCutReason(open: OpenBlock, options: BuilderOptions): CutReason | undefined {
  const { view, now, blockIntervalMs, maxSilenceMs, maxOpenAnchorAge } = options
  if (open.txCount > 0) {
    if (now() - (open.firstAcceptedAt ?? now()) >= blockIntervalMs) return 'interval'
    const age = (view.tip()?.number ?? 0) - open.anchor.number
    return age > maxOpenAnchorAge ? 'anchor' : undefined
  }
  // While L1 does not take our blocks, further empty ones would say nothing.
  const isQuiet = options.blockLog.sealed() === view.committed()
  return isQuiet && now() - options.lastSealedAt() >= maxSilenceMs ? 'silence' : undefined
}

/** What is to be done about the open block; nothing, or one step. Reads only, so that an idle operator writes nothing. */
export function findBuilderStep(options: BuilderOptions): (() => void) | undefined {
  const { blockLog, view, now } = options
  const open = blockLog.open()
  const best = view.bestAnchor()
  if (!open) return best && (() => blockLog.openNext(best))
  if (open.txCount === 0 && best && isBetter(best, open.anchor)) return () => blockLog.setAnchor(best)
  return findCutReason(open, options) && (() => blockLog.seal(now()))
}

/** An empty block follows L1, also off a branch that is gone, but never to a lower number: anchors never decrease. */
function isBetter(best: Anchor, current: Anchor): boolean {
  return best.number > current.number || (best.number === current.number && best.hash !== current.hash)
}

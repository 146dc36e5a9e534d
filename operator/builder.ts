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
  /** Longest time without a block on L1, on L1's own clock, which judges us by it; an empty one is cut then. */
  maxSilenceSeconds: number
  /** L1 blocks: a block with transactions is cut before its anchor is older. */
  maxOpenAnchorAge: number
  now: () => number
}>

export type CutReason = 'interval' | 'anchor' | 'silence'

/** Why the open block is due now; undefined when it is not. */
export function findCutReason(open: OpenBlock, options: BuilderOptions): CutReason | undefined {
  const { view, now, blockIntervalMs, maxSilenceSeconds, maxOpenAnchorAge } = options
  if (open.txCount > 0) {
    if (now() - (open.firstAcceptedAt ?? now()) >= blockIntervalMs) return 'interval'
    const age = (view.tip()?.number ?? 0) - open.anchor.number
    return age > maxOpenAnchorAge ? 'anchor' : undefined
  }
  // While L1 does not take our blocks, further empty ones would say nothing.
  const isQuiet = options.blockLog.sealed() === view.committed()
  return isQuiet && view.silence() >= maxSilenceSeconds ? 'silence' : undefined
}

/** What is to be done about the open block; nothing, or one step. Reads only, so that an idle operator writes nothing. */
export function findBuilderStep(options: BuilderOptions): (() => void) | undefined {
  const { blockLog, now } = options
  const follow = findAnchorStep(options)
  if (follow) return follow
  const open = blockLog.open()
  return open && findCutReason(open, options) && (() => blockLog.seal(now()))
}

/**
 * Opens the first block, and lets an empty one follow L1. Belongs into the store transaction of what was learned of L1: a payment that is
 * taken right after it would else be promised on an anchor that is known to be too old.
 */
export function findAnchorStep({
  blockLog,
  view,
}: Pick<BuilderOptions, 'blockLog' | 'view'>): (() => void) | undefined {
  const open = blockLog.open()
  const best = view.bestAnchor()
  if (!best) return undefined
  if (!open) return () => blockLog.openNext(best)
  return open.txCount === 0 && isBetter(best, open.anchor) ? () => blockLog.setAnchor(best) : undefined
}

/** An empty block follows L1, also off a branch that is gone, but never to a lower number: anchors never decrease. */
function isBetter(best: Anchor, current: Anchor): boolean {
  return best.number > current.number || (best.number === current.number && best.hash !== current.hash)
}

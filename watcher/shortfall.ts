/**
 * Is the vault short (docs/honest-watcher.md, "An unsafe chain")? An exit of a spent output that can't be challenged any more takes what is
 * others': so it comes when a block was hidden until the time for evidence was over, or when no watcher acted. Nothing on L1 heals it.
 */

import type { Hash } from '../protocol/bytes.ts'
import { ZERO_HASH } from '../protocol/bytes.ts'
import { evidenceDeadline } from '../protocol/exit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { DisputeBook } from './disputeBook.ts'
import type { ExitBook } from './exitBook.ts'
import type { ExitRecord, Halt, L1Now } from './facts.ts'

/** `missing`: of the first exit found, in units of its token. `since`: L1 seconds of the end of the time for evidence against it. */
export type Shortfall = Readonly<{ outputId: Hash; since: number; missing: bigint }>

export type ShortfallParts = Readonly<{
  exits: ExitBook
  disputes: DisputeBook
  parameters: Parameters
  l1Now(): L1Now
  halt(): Halt
  verifiedBlock(): number
  /** Position of the verified transaction that spent the output, unless it was judged not canonical. */
  spentBy(position: number): number | undefined
}>

/** Looked at anew when L1 or the verified blocks have moved: asked often, and changing seldom. */
export function createShortfall(parts: ShortfallParts) {
  const { exits, disputes, parameters, l1Now, halt, verifiedBlock, spentBy } = parts
  let known: Readonly<{ at: string; found: Shortfall | undefined }> | undefined

  function isSpent({ exit }: ExitRecord): boolean {
    const place = exits.placeOf(exit)
    return place !== undefined && spentBy(place) !== undefined
  }

  /** A verdict still decides about it, or has taken it away. */
  function isBeforeVerdict({ exit }: ExitRecord): boolean {
    const maker = exit.disputed === ZERO_HASH ? undefined : disputes.stateOf(exit.disputed)
    if (maker === 'running' || maker === 'not-canonical') return true
    return disputes.spendersOf(exit.position).some(({ state, suspends }) => state === 'running' && suspends)
  }

  function look(): Shortfall | undefined {
    const { minExitPeriod, slot } = parameters
    const { block, timestamp } = l1Now()
    const { lastMove } = halt()
    const lately = Math.max(0, block - Math.ceil((2 * minExitPeriod) / slot))
    const paid = exits.closedSince(lately).filter(({ state }) => state === 'settled')
    const open = exits.open().filter((record) => {
      const until = evidenceDeadline(record.exit.exitableAt, minExitPeriod, lastMove)
      return timestamp > until && record.evidence.length === 0 && !isBeforeVerdict(record)
    })
    const lost = [...open, ...paid].find(isSpent)
    if (!lost) return undefined
    const { outputId, exitableAt, amount } = lost.exit
    return { outputId, since: evidenceDeadline(exitableAt, minExitPeriod, lastMove), missing: amount }
  }

  return function shortfall(): Shortfall | undefined {
    const at = `${l1Now().hash} ${verifiedBlock()}`
    if (known?.at !== at) known = { at, found: look() }
    return known.found
  }
}

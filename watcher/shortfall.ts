/**
 * Is the vault short (docs/honest-watcher.md, "An unsafe chain")? An exit of a spent output that can't be challenged any more takes what is
 * others': so it comes when a block was hidden until the time for evidence was over, or when no watcher acted. Nothing on L1 heals it.
 */

import type { Address, Hash } from '../protocol/bytes.ts'
import { ZERO_HASH } from '../protocol/bytes.ts'
import { type Exit, evidenceDeadline } from '../protocol/exit.ts'
import type { PlacedEntry } from '../protocol/massExit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import type { BatchBook } from './batchBook.ts'
import { type BatchRecord, strikeOf } from './court/batchTypes.ts'
import { isVoidBlock } from './court/exitTime.ts'
import type { DisputeBook } from './disputeBook.ts'
import type { ExitBook } from './exitBook.ts'
import type { ExitRecord, Halt, L1Now } from './facts.ts'

/** `outputId`: of a mass exit's entry that nobody opened the batch's id. `missing`: of the first exit found, in units of its token. `since`: L1 seconds of the end of the time for evidence against it. */
export type Shortfall = Readonly<{ outputId: Hash; since: number; missing: bigint }>

export type ShortfallParts = Readonly<{
  exits: ExitBook
  batches: BatchBook
  disputes: DisputeBook
  parameters: Parameters
  l1Now(): L1Now
  halt(): Halt
  verifiedBlock(): number
  /** Position of the verified transaction that spent the output, unless it was judged not canonical. */
  spentBy(position: number): number | undefined
  ownerOf(position: number): Address | undefined
  /** Where else, in a verified block, the output stands that the exit names. */
  twinOf(exit: Exit): number | undefined
}>

/** Looked at anew when L1 or the verified blocks have moved: asked often, and changing seldom. */
export function createShortfall(parts: ShortfallParts) {
  const { exits, batches, disputes, parameters, l1Now, halt, verifiedBlock, spentBy, ownerOf, twinOf } = parts
  let known: Readonly<{ at: string; found: Shortfall | undefined }> | undefined

  function isSpent({ exit }: ExitRecord): boolean {
    const place = exits.placeOf(exit)
    return [place, place !== undefined && isUnread(place) ? twinOf(exit) : undefined].some((position) => {
      return position !== undefined && spentBy(position) !== undefined
    })
  }

  /** In a block that is not verified, for whatever reason, and that counts. */
  function isUnread(position: number): boolean {
    const { block } = decodePosition(position)
    return !isDepositPosition(position) && block > verifiedBlock() && !isVoidBlock(block, halt().voidFrom)
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
    if (!lost) return lookAtEntries(lately)
    const { outputId, exitableAt, amount } = lost.exit
    return { outputId, since: evidenceDeadline(exitableAt, minExitPeriod, lastMove), missing: amount }
  }

  /** Entries need no exit to be paid: those that were claimed, and those that may be, since nobody showed the spend in time. */
  function lookAtEntries(lately: number): Shortfall | undefined {
    const { timestamp } = l1Now()
    const claimed = batches.claimedSince(lately).find(({ entry }) => spentBy(entry.position) !== undefined)
    if (claimed) return { outputId: claimed.outputId, since: timestamp, missing: claimed.entry.amount }
    for (const record of batches.locked()) {
      if (!record.item || record.uses.size === record.batch.count) continue
      const since = evidenceDeadline(record.item.exitableAt, parameters.minExitPeriod, halt().lastMove)
      const lost = timestamp > since && batches.spentEntries(record.batchId).find((entry) => isClaimable(record, entry))
      if (lost) return { outputId: record.batchId, since, missing: lost.amount }
    }
    return undefined
  }

  /** Of one that was opened or whose output leaves otherwise the exit tells. */
  function isClaimable(record: BatchRecord, { position, index }: PlacedEntry): boolean {
    if (record.uses.has(index) || spentBy(position) === undefined || exits.isLeaving(position)) return false
    const owner = ownerOf(position)
    if (owner && strikeOf(record, position, owner)) return false
    return !disputes.spendersOf(position).some(({ state, suspends }) => state === 'running' && suspends)
  }

  return function shortfall(): Shortfall | undefined {
    const at = `${l1Now().hash} ${verifiedBlock()}`
    if (known?.at !== at) known = { at, found: look() }
    return known.found
  }
}

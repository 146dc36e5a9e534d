/** What is true of an entry of a locked mass exit, as L1 will find it (docs/spec.md sections 6.4.7 to 6.4.10). */
import { shareOf } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { ExitRecord } from '../facts.ts'
import type { EntryView } from './batchActions.ts'
import { type BatchRecord, type BatchStrike, strikeOf } from './batchTypes.ts'
import { isPassedOn, isSpendSuspended, refutedBy } from './docket.ts'
import { ticketOf } from './exitRecord.ts'
import { isFallen, isOpen, lastDrop, maturesAt } from './exitTime.ts'
import type { World } from './types.ts'

/** A spend that L1 takes as a strike, and that is none of somebody else's doing (docs/spec.md section 5.2.2). */
export function isCountingSpend({ spend, outputId, kind }: EntryView, { item }: BatchRecord, world: World): boolean {
  return (
    kind === 'named' &&
    spend !== undefined &&
    outputId !== undefined &&
    item !== undefined &&
    decodePosition(spend.spend).block <= world.verifiedBlock &&
    spend.header.anchor < item.lockedAt &&
    !isFallen(spend.spend, world) &&
    refutedBy(outputId, spend.signed.transaction, world.docket) === undefined
  )
}

/** The strike against a position by a signer's spend that L1 keeps; one that fell makes room for another. */
export function standingStrike(
  record: BatchRecord,
  { position, signer }: Pick<BatchStrike, 'position' | 'signer'>,
  world: World,
): BatchStrike | undefined {
  const strike = strikeOf(record, position, signer)
  return strike && !isFallen(strike.spend, world) ? strike : undefined
}

/** The strike that L1 does not let go of any more: it stands, or it fell when it was too late to drop it. */
function keptStrike({ entry, owner }: EntryView, record: BatchRecord, world: World): BatchStrike | undefined {
  const { item } = record
  if (owner === undefined || item === undefined) return undefined
  if (world.now.timestamp > lastDrop(item, world)) return strikeOf(record, entry.position, owner)
  return standingStrike(record, { position: entry.position, signer: owner }, world)
}

/** The spend counts, and the entry is struck: nobody is owed the share, but only an exit of the entry can be removed. */
export function isStruckForGood(fact: EntryView, record: BatchRecord, world: World): boolean {
  return keptStrike(fact, record, world) !== undefined && isCountingSpend(fact, record, world)
}

/** The strike that L1 keeps shows what a verdict made undone, or fell late. It is not dropped, so the entry is opened: evidence can be. */
export function isClearedStrike(fact: EntryView, record: BatchRecord, world: World): boolean {
  const strike = keptStrike(fact, record, world)
  return strike !== undefined && (fact.isCleared === true || isFallen(strike.spend, world))
}

/**
 * A dispute that runs, an older lock, or a part that was paid: the entry is opened, not claimed. For a period after an exit of the output fell
 * only the owner may, or whoever has the other copies would open one after the other.
 */
export function isLockedElsewhere(
  { outputId, fellAt, isLockedBefore, isPaidInPart, spend }: EntryView,
  { docket, now, parameters }: World,
): boolean {
  if (outputId === undefined) return false
  if (fellAt !== undefined && now.timestamp <= fellAt + parameters.minExitPeriod) return false
  const isLocked = isLockedBefore === true || isPaidInPart === true
  return (isLocked && spend === undefined) || isSpendSuspended(outputId, docket)
}

/** As `claimEntries` will find it. */
export function isClaimable(fact: EntryView, record: BatchRecord, fundedTo: bigint, world: World): boolean {
  const { entry, kind, owner, outputId, exit } = fact
  const { ticket, item } = record
  if (!ticket || !item || kind !== 'named' || !owner || !outputId || record.uses.has(entry.index)) return false
  const share = shareOf(ticket, entry)
  const { docket, now } = world
  const maker = docket.making.get(outputId)?.state
  return (
    exit === undefined &&
    !fact.isClaimed &&
    !fact.isLockedBefore &&
    !fact.isPaidInPart &&
    maker !== 'running' &&
    maker !== 'not-canonical' &&
    now.timestamp > maturesAt(item, world) &&
    !isFallen(entry.position, world) &&
    !isSpendSuspended(outputId, docket) &&
    !isPassedOn(outputId, docket) &&
    strikeOf(record, entry.position, owner) === undefined &&
    share.due === entry.amount &&
    fundedTo >= share.from + share.due
  )
}

/** A verdict passed its value on, and with it the place that it had or will have, whether or not somebody fetched the exit's bond since. */
export function isCancelled(exit: ExitRecord, { docket }: World): boolean {
  if (exit.state === 'cancelled' || exit.state === 'cancelled-ticket') return true
  return exit.state === 'removed' && (exit.passedOn !== undefined || isPassedOn(exit.exit.outputId, docket))
}

/** A verdict passed its value on before its turn: whoever inherits it has the shares of mass exits only. */
function hasNoPlace(exit: ExitRecord, world: World): boolean {
  return isCancelled(exit, world) && ticketOf(exit.events) === undefined
}

/** Nobody will ever be owed its share. */
export function isDeadEntry(
  { entry, kind, outputId, exit, isClaimed }: EntryView,
  record: BatchRecord,
  world: World,
): boolean {
  if (!record.ticket || record.uses.has(entry.index) || kind === 'unverified') return false
  if (kind === 'other' || isClaimed || isFallen(entry.position, world)) return true
  if (outputId && world.docket.making.get(outputId)?.state === 'not-canonical') return true
  if (!exit || isOpen(exit.state) || hasNoPlace(exit, world)) return false
  return exit.state === 'removed' || exit.state === 'settled'
}

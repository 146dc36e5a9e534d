/** When the moments of an exit and of a dispute come in the world as it is (docs/spec.md sections 5 and 6.1), and what has fallen. */
import type { Header } from '../../protocol/block.ts'
import { answerDeadline, competitorDeadline, type Dispute } from '../../protocol/dispute.ts'
import { type Exit, evidenceDeadline, payableAfter } from '../../protocol/exit.ts'
import { dropDeadline, isOfBatch, isOpenedEntry } from '../../protocol/massExit.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../../protocol/position.ts'
import type { ExitRecord, ExitState } from '../facts.ts'
import type { Window } from './policy.ts'
import type { QueueCursor, World } from './types.ts'

/** Evidence is taken from the start to exitableAt - MEP/4; after a move of the halt, to that move + MEP - MEP/4. */
export function evidenceWindow(exit: Exit, { parameters, lastMove }: World): Window {
  return { from: exit.startedAt, until: evidenceDeadline(exit.exitableAt, parameters.minExitPeriod, lastMove) }
}

/** Last moment at which a strike that fell is dropped, and the entry can be claimed again. */
export function lastDrop({ exitableAt }: Pick<Exit, 'exitableAt'>, { parameters, lastMove }: World): number {
  return dropDeadline(exitableAt, parameters.minExitPeriod, lastMove)
}

/** Competitors are taken from the dispute's start to E - MEP/2. */
export function competitorWindow({ startedAt, exitableAt }: Dispute, { parameters, lastMove }: World): Window {
  return { from: startedAt, until: competitorDeadline(exitableAt, parameters.minExitPeriod, lastMove) }
}

/** Answers are taken until E - MEP/4. The last quarter of this window, at least 3/16 MEP, is left after any competitor: those end at E - MEP/2. */
export function answerWindow({ startedAt, exitableAt }: Dispute, { parameters, lastMove }: World): Window {
  return { from: startedAt, until: answerDeadline(exitableAt, parameters.minExitPeriod, lastMove) }
}

/** The exit pays, or the dispute can be decided, when L1 time is greater than this. */
export function maturesAt(exit: Pick<Exit, 'exitableAt'>, { parameters, lastMove }: World): number {
  return payableAfter(exit.exitableAt, parameters.minExitPeriod, lastMove)
}

/**
 * Evidence on file is judged when L1 time is greater than this: when nobody can disprove it any more. The strike that an entry of a mass exit
 * was opened with was shown, and could be disproved, before the batch's turn; not so where the share of another batch became its place before.
 */
export function judgedAfter(
  { exit, events }: Pick<ExitRecord, 'exit' | 'events'>,
  spend: number,
  world: World,
): number {
  const [started] = events
  const [shown, ...others] = events.filter(({ type }) => type === 'EvidenceShown')
  const isStrike =
    isOpenedEntry(exit) &&
    shown?.type === 'EvidenceShown' &&
    others.length === 0 &&
    shown.spend === spend &&
    shown.place === 0 &&
    shown.at.txHash === started?.at.txHash &&
    !hasOthersShare(exit, events)
  return maturesAt(isStrike ? { exitableAt: 0 } : exit, world)
}

function hasOthersShare(exit: Exit, events: ExitRecord['events']): boolean {
  const placed = events.find(({ type }) => type === 'EntryPlaced')
  return placed?.type === 'EntryPlaced' && !isOfBatch(exit, placed.batchId)
}

/** While voiding this block can still halt the chain (spec section 8.4.2). */
export function haltWindow(
  { timestamp }: Pick<Header, 'timestamp'>,
  { parameters }: Pick<World, 'parameters'>,
): Window {
  return { from: timestamp, until: timestamp + parameters.minExitPeriod }
}

export function isOpen(state: ExitState): boolean {
  return state === 'queued' || state === 'ticket'
}

/** The block is void, or the transaction was proven invalid; deposits never are (spec section 5.1). */
export function isFallen(position: number, { voidFrom, disproved }: Pick<World, 'voidFrom' | 'disproved'>): boolean {
  if (isDepositPosition(position)) return false
  return isVoidBlock(decodePosition(position).block, voidFrom) || disproved.has(transactionPosition(position))
}

export function isVoidBlock(block: number, voidFrom: number): boolean {
  return voidFrom !== 0 && block >= voidFrom
}

/**
 * No block that L1 may still take can hold a spend older than the lock, and all that it took are verified: what is unspent now
 * stays valid for ever (spec section 4, V6).
 */
export function isBeyondSpending(exit: Exit, world: World): boolean {
  if (world.verifiedAnchor >= exit.lockedAt) return true
  // A halted chain takes no block any more, and what is void spends nothing.
  if (world.voidFrom !== 0 && world.verifiedBlock >= world.voidFrom - 1) return true
  const newestAnchorable = world.now.block - world.parameters.anchorAgeBlocks
  return world.verifiedBlock === world.newestBlock && newestAnchorable > exit.lockedAt
}

/** The exit's turn has passed for the queue that stands at `cursor`. */
export function isPastTurn(exit: Exit, cursor: QueueCursor): boolean {
  if (!exit.young) return exit.seq < cursor.oldHead
  const { block } = decodePosition(exit.position)
  if (cursor.youngFirst === 0 || block < cursor.youngFirst) return true
  return block === cursor.youngFirst && exit.seq < cursor.youngCursor
}

/** The first of `from + MEP`, `from + 2 MEP`, ... that is not past: for acts that stay worth doing. */
export function rollingDeadline(from: number, minExitPeriod: number, now: number): number {
  const periods = Math.max(1, Math.ceil((now - from) / minExitPeriod))
  return from + periods * minExitPeriod
}

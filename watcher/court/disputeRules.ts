/** The rules about pieces of a dispute, its verdict, and what the outputs inherit by it (docs/honest-watcher.md, "Rules"). */
import { makerDeadline } from '../../protocol/dispute.ts'
import { decodePosition, isDepositPosition, outputIdAt, transactionPosition } from '../../protocol/position.ts'
import type { DisputeFacts, PlaceFact } from '../facts.ts'
import { standingCompetitors } from './disputeRecord.ts'
import { isPassedOn, isSameTransaction, isSuspended, makerOf } from './docket.ts'
import { ticketOf } from './exitRecord.ts'
import { answerWindow, competitorWindow, isFallen, maturesAt } from './exitTime.ts'
import type { Rule } from './rule.ts'
import type { AnswerDispute, DecideDispute, Inherit, ShowCompetitor, World } from './types.ts'

export const COMPETITOR_RULES: readonly Rule<ShowCompetitor>[] = [
  {
    id: 'COMPETITOR-WHILE-IT-RUNS',
    rationale: 'After the verdict L1 takes no piece.',
    refusal: 'quiet',
    holds: ({ record }) => record.state === 'running',
  },
  {
    id: 'COMPETITOR-SPENDS-AN-INPUT',
    rationale: 'WATCH-1: only another transaction that spends one of its inputs says anything about the disputed one.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, input, evidence: { spend, signed, input: spends, made } }) =>
      isShared(record.inputs[input], signed.transaction.inputs[spends], made) &&
      spend === transactionPosition(spend) &&
      !isDepositPosition(spend) &&
      !isSameTransaction(signed.transaction, record.signed.transaction),
  },
  {
    id: 'COMPETITOR-IS-VERIFIED',
    rationale:
      'WATCH-1: a spend in a block that we lack or hold invalid, or in none at all, may never have happened; a half-signed offer must cancel nothing by our hand.',
    refusal: 'quiet',
    holds: ({ evidence: { spend, made } }, { verifiedBlock }) =>
      decodePosition(spend).block <= verifiedBlock &&
      (made === undefined || decodePosition(made.position).block <= verifiedBlock),
  },
  {
    id: 'COMPETITOR-BEFORE-LOCK',
    rationale: 'V6: a block anchored at or after the lock may not spend the input; L1 refuses such a piece.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, input, evidence }) => evidence.header.anchor < (record.inputs[input]?.lockedAt ?? 0),
  },
  {
    id: 'COMPETITOR-NOT-VOID',
    rationale: 'A void block never was, and what it spent was never spent.',
    refusal: 'quiet',
    holds: ({ evidence: { spend, made } }, world) =>
      !isFallen(spend, world) && (made === undefined || !isFallen(made.position, world)),
  },
  {
    id: 'COMPETITOR-NOT-AGAINST-THE-INCLUDED',
    rationale:
      'WATCH-1: a transaction that our verified blocks hold is canonical; blocks that hold it and a double spend are not valid.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record }) => record.made === undefined,
  },
  {
    id: 'COMPETITOR-IS-NEW',
    rationale: 'The same piece twice is refused. Another’s other piece does not count: it may fall (S6).',
    refusal: 'quiet',
    holds: ({ record, evidence }) => record.competitors.every(({ position }) => position !== evidence.spend),
  },
  {
    id: 'COMPETITOR-IN-TIME',
    rationale: 'S5: competitors are taken until E - MEP/2, so that a quarter of the period is left for answers.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      world.now.timestamp <= deadline && deadline <= competitorWindow(record.dispute, world).until,
  },
]

export const ANSWER_RULES: readonly Rule<AnswerDispute>[] = [
  {
    id: 'ANSWER-WHILE-IT-RUNS',
    rationale: 'After the verdict L1 takes no piece.',
    refusal: 'quiet',
    holds: ({ record }) => record.state === 'running',
  },
  {
    id: 'ANSWER-IS-WANTED',
    rationale: 'A dispute without a competitor is canonical by itself; an answer earns nothing.',
    refusal: 'quiet',
    holds: ({ record }) => record.competitors.length > 0,
  },
  {
    id: 'ANSWER-IS-VERIFIED',
    rationale: 'WATCH-1: we vouch for an inclusion only in a block that we have checked.',
    refusal: 'quiet',
    holds: ({ place }, { verifiedBlock }) => decodePosition(place.position).block <= verifiedBlock,
  },
  {
    id: 'ANSWER-BEFORE-LOCK',
    rationale:
      'V6: a block anchored at or after the least lock may not hold the transaction; L1 refuses such an answer.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, place }) => place.header.anchor < record.dispute.lockedAt,
  },
  {
    id: 'ANSWER-NOT-VOID',
    rationale: 'A void block never was.',
    refusal: 'quiet',
    holds: ({ place }, world) => !isFallen(place.position, world),
  },
  {
    id: 'ANSWER-IS-NEW',
    rationale: 'The same answer twice is refused. Another’s other answer does not count: it may fall.',
    refusal: 'quiet',
    holds: ({ record, place }) => !record.answers.includes(place.position),
  },
  {
    id: 'ANSWER-BEFORE-EVERY-COMPETITOR',
    rationale: 'Only an answer older than every included competitor that stands changes the verdict.',
    refusal: 'quiet',
    holds: ({ record, place }, world) =>
      standingCompetitors(record, world).every((position) => place.position < position),
  },
  {
    id: 'ANSWER-IN-TIME',
    rationale: 'S5: answers are taken until E - MEP/4; what comes later is refused.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      world.now.timestamp <= deadline && deadline <= answerWindow(record.dispute, world).until,
  },
]

export const DECIDE_RULES: readonly Rule<DecideDispute>[] = [
  {
    id: 'VERDICT-IS-DUE',
    rationale: 'Before E, or twice, the contract refuses to judge.',
    refusal: 'quiet',
    holds: ({ record }, world) => record.state === 'running' && world.now.timestamp > maturesAt(record.dispute, world),
  },
  {
    id: 'MAKERS-ARE-JUDGED',
    rationale:
      'While the transaction that made an input is on trial itself, a canonical verdict waits for that one, until E + 2 MEP.',
    refusal: 'quiet',
    holds: ({ record, byPieces }, { docket, now, parameters, lastMove }) =>
      byPieces === 'not-canonical' ||
      now.timestamp > makerDeadline(record.dispute.exitableAt, parameters.minExitPeriod, lastMove) ||
      record.inputs.every(({ madeBy }) => docket.byTransaction.get(madeBy)?.state !== 'running'),
  },
  {
    id: 'NO-HASTE-TO-A-FALSE-VERDICT',
    rationale:
      'A verdict is final. Where the pieces on L1 contradict the verified blocks, somebody else may ask for it; we tell people.',
    refusal: 'quiet',
    holds: ({ truth, byPieces }) => truth === undefined || truth === byPieces,
  },
  {
    id: 'VERDICT-WITH-INTEREST',
    rationale:
      'A verdict earns nothing: it is asked for where something of ours or of a protected owner waits for it, be it behind a place on the line that the dispute holds, or an exit that we hold invalid, and by a watcher in public service.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const INHERIT_RULES: readonly Rule<Inherit>[] = [
  {
    id: 'INHERIT-AFTER-THE-VERDICT',
    rationale: 'Only a canonical verdict passes a place on the line on.',
    refusal: 'quiet',
    holds: ({ record, input }, { docket }) => {
      const outputId = record.inputs[input]?.outputId
      return record.state === 'canonical' && outputId !== undefined && isPassedOn(outputId, docket)
    },
  },
  {
    id: 'INHERIT-ONLY-PAYABLE',
    rationale:
      'A share is paid with the output’s own exit: mature, on the line, free of evidence, not waiting, and covered as far as something is owed. It is freed where that exit is over, or nobody came by 3 MEP after the dispute’s E; L1 refuses the rest.',
    refusal: 'quiet',
    holds: ({ record, exit, share, fundedTo }, world) => {
      if (!exit || isDeserted({ exit }))
        return world.now.timestamp > forfeitedAt(record, world) && fundedTo >= share.from
      const { state, evidence, events } = exit
      if (state === 'settled') return fundedTo >= share.from
      if (state === 'removed') {
        const reason = events.find((event) => event.type === 'ExitRemoved')?.reason
        return reason === 'spent' && fundedTo >= share.from
      }
      const isFree =
        evidence.length === 0 && !isSuspended(exit.exit, world.docket) && !isFallen(exit.exit.position, world)
      const isDue = world.now.timestamp > maturesAt(exit.exit, world)
      const maker = makerOf(exit.exit, world.docket)
      if (state !== 'ticket' || !isFree || !isDue || maker === 'not-canonical') return false
      const ticket = ticketOf(events)
      const owed = ticket ? ticket.due - ticket.inherited : share.due
      return fundedTo >= share.from + (share.due < owed ? share.due : owed)
    },
  },
  {
    id: 'INHERIT-WITH-INTEREST',
    rationale: 'It earns nothing: it is done for protected owners, or in public service.',
    refusal: 'quiet',
    holds: ({ helpsProtected }, { policy }) => helpsProtected || policy.publicService,
  },
]

/** The same position, or the same output where else what made it is included. */
function isShared(
  input: DisputeFacts['inputs'][number] | undefined,
  place: number | undefined,
  made: PlaceFact | undefined,
): boolean {
  if (!input || place === undefined) return false
  if (!made) return place === input.position
  return made.position === transactionPosition(place) && outputIdAt(place, input.madeBy) === input.outputId
}

/** No exit of the output waits: it never left, or a verdict passed its value on too. */
export function isDeserted({ exit }: Pick<Inherit, 'exit'>): boolean {
  return exit === undefined || exit.state === 'cancelled' || exit.state === 'cancelled-ticket'
}

/** From then on the share of what nobody came for is anybody's to free. L1 seconds. */
export function forfeitedAt({ dispute }: Pick<DisputeFacts, 'dispute'>, { parameters, lastMove }: World): number {
  return makerDeadline(dispute.exitableAt, parameters.minExitPeriod, lastMove) + parameters.minExitPeriod
}

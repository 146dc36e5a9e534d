/** The rules about pieces of a dispute, its verdict, and what the outputs inherit by it (docs/honest-watcher.md, "Rules"). */
import { decodePosition, isDepositPosition, transactionPosition } from '../../protocol/position.ts'
import { standingCompetitors } from './disputeRecord.ts'
import { isPassedOn, isSameTransaction, isSuspended, makerOf } from './docket.ts'
import { answerWindow, competitorWindow, isFallen, maturesAt } from './exitTime.ts'
import type { Rule } from './rule.ts'
import type { AnswerDispute, DecideDispute, Inherit, ShowCompetitor } from './types.ts'

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
    holds: ({ record, input, evidence: { spend, signed, input: spends } }) =>
      record.inputs[input] !== undefined &&
      signed.transaction.inputs[spends] === record.inputs[input].position &&
      spend === transactionPosition(spend) &&
      !isDepositPosition(spend) &&
      !isSameTransaction(signed.transaction, record.signed.transaction),
  },
  {
    id: 'COMPETITOR-IS-VERIFIED',
    rationale:
      'WATCH-1: a spend in a block that we lack or hold invalid, or in none at all, may never have happened; a half-signed offer must cancel nothing by our hand.',
    refusal: 'quiet',
    holds: ({ evidence }, { verifiedBlock }) => decodePosition(evidence.spend).block <= verifiedBlock,
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
    holds: ({ evidence }, world) => !isFallen(evidence.spend, world),
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
    rationale: 'While the transaction that made an input is on trial itself, the verdict waits for that one.',
    refusal: 'quiet',
    holds: ({ record }, { docket }) =>
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
      'A verdict earns nothing: it is asked for where something of ours or of a protected owner waits, or an exit that we hold invalid, and by a watcher in public service.',
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
      'A share is paid with the output’s own exit: mature, on the line, free of evidence, not waiting, and covered. It is freed where that exit is over; L1 refuses the rest.',
    refusal: 'quiet',
    holds: ({ exit, share, fundedTo }, world) => {
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
      return state === 'ticket' && isFree && isDue && maker !== 'not-canonical' && fundedTo >= share.from + share.due
    },
  },
  {
    id: 'INHERIT-WITH-INTEREST',
    rationale: 'It earns nothing: it is done for protected owners, or in public service.',
    refusal: 'quiet',
    holds: ({ helpsProtected }, { policy }) => helpsProtected || policy.publicService,
  },
]

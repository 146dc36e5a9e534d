/**
 * The named rules of the honest watcher (docs/honest-watcher.md, "Rules"). The machines propose, the rules decide: no action reaches the
 * outbox that breaks one, whatever a machine thought. Each rule says why it exists, and the docs' table is rendered from here.
 */
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { voidableUntil } from '../../protocol/exit.ts'
import { decodePosition, isDepositPosition, outputIdAt, transactionPosition } from '../../protocol/position.ts'
import {
  ADOPT_RULES,
  ANSWER_DEMAND_RULES,
  CLAIM_RULES,
  CLOSE_RULES,
  DEMAND_RULES,
  DISSOLVE_RULES,
  DROP_STRIKE_RULES,
  LOCK_RULES,
  OPEN_RULES,
  PLACE_RULES,
  RECLAIM_RULES,
  RELEASE_ENTRY_RULES,
  START_BATCH_RULES,
  STRIKE_RULES,
} from './batchRules.ts'
import { BREAK_RECEIPT_RULES, CHALLENGE_DATA_RULES, END_DATA_RULES, REVEAL_DATA_RULES } from './dataRules.ts'
import { ANSWER_RULES, COMPETITOR_RULES, DECIDE_RULES, INHERIT_RULES } from './disputeRules.ts'
import { isContested, isOnTrial, isSuspended, makerOf, refutedBy } from './docket.ts'
import { piecesOf, placeNamed } from './exitRecord.ts'
import { evidenceWindow, isFallen, isOpen, judgedAfter, maturesAt } from './exitTime.ts'
import { ABANDON_RULES, PROOF_RULES } from './faultRules.ts'
import { TURN_GAS, TURN_RESERVE_GAS } from './policy.ts'
import type { Rule } from './rule.ts'
import { START_DISPUTED_RULES, START_RULES } from './startRules.ts'
import type {
  Action,
  Challenge,
  DropEvidence,
  Effect,
  FreePlace,
  ProcessExits,
  Release,
  Settle,
  Withdraw,
  World,
} from './types.ts'

export const CHALLENGE_RULES: readonly Rule<Challenge>[] = [
  {
    id: 'SPEND-NAMES-THE-OUTPUT',
    rationale: 'WATCH-1: only a transaction whose input is the exiting output says anything about it.',
    refusal: 'INTERNAL_FAULT',
    holds: (action) => {
      const { spend, signed, input } = action.evidence
      const place = signed.transaction.inputs[input]
      return isNamed(action, place) && spend === transactionPosition(spend) && !isDepositPosition(spend)
    },
  },
  {
    id: 'SPEND-IS-VERIFIED',
    rationale:
      'WATCH-1: a spend in a block that we lack or hold invalid may never have happened; the owner keeps the output then.',
    refusal: 'quiet',
    holds: ({ evidence, made }, { verifiedBlock }) =>
      decodePosition(evidence.spend).block <= verifiedBlock &&
      (made === undefined || decodePosition(made.position).block <= verifiedBlock),
  },
  {
    id: 'SPEND-BEFORE-LOCK',
    rationale:
      'V6: a block anchored at or after the lock may not spend the output. Such a spend is the block’s fault, and the exit is valid.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, evidence }) => evidence.header.anchor < record.exit.lockedAt,
  },
  {
    id: 'SPEND-NOT-VOID',
    rationale: 'A void block never was, and what it spent was never spent.',
    refusal: 'quiet',
    holds: ({ evidence, made }, world) =>
      !isFallen(evidence.spend, world) && (made === undefined || !isFallen(made.position, world)),
  },
  {
    id: 'SPEND-NOT-REFUTED',
    rationale:
      'WATCH-1: a transaction that was judged not canonical spent nothing, and what it made was never there, whatever block holds it (6.3.10).',
    refusal: 'quiet',
    holds: ({ record: { exit }, evidence }, { docket }) =>
      refutedBy(exit.outputId, evidence.signed.transaction, docket) === undefined &&
      makerOf(exit, docket) !== 'not-canonical',
  },
  {
    id: 'SPEND-NOT-ON-TRIAL',
    rationale:
      'While the spend’s own dispute holds the exit, the verdict cancels the exit or clears it of this very spend: evidence would change nothing and could cost an honest owner the bond.',
    refusal: 'quiet',
    holds: ({ record: { exit }, evidence }, { docket }) =>
      !isOnTrial(exit.outputId, evidence.signed.transaction, docket),
  },
  {
    id: 'EXIT-IS-OPEN',
    rationale: 'A paid or removed exit takes no evidence; sending it would only burn gas.',
    refusal: 'quiet',
    holds: ({ record }) => isOpen(record.state),
  },
  {
    id: 'EVIDENCE-IS-NEW',
    rationale:
      'The same piece twice is refused by the contract. Another’s other piece does not count: it may fall (S6).',
    refusal: 'quiet',
    holds: ({ record, evidence: { spend, signed, input } }) =>
      piecesOf(record).every(
        (piece) => piece.spend !== spend || placeNamed(piece, record.exit) !== signed.transaction.inputs[input],
      ),
  },
  {
    id: 'EVIDENCE-IN-TIME',
    rationale: 'S5: evidence is taken until exitableAt - MEP/4; what comes later is refused and pays for nothing.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      world.now.timestamp <= deadline && deadline <= evidenceWindow(record.exit, world).until,
  },
]

export const DROP_RULES: readonly Rule<DropEvidence>[] = [
  {
    id: 'DROP-ONLY-FALLEN',
    rationale:
      'Evidence that stands protects everybody; the contract refuses to drop it, and so do we. It fell with its block, with the block that holds what it spends, or with its transaction, judged not canonical.',
    refusal: 'quiet',
    holds: ({ record, spend, place, refuted }, world) =>
      record.evidence.includes(spend) &&
      (isFallen(spend, world) ||
        ((record.exit.disputed !== ZERO_HASH || place !== record.exit.position) && isFallen(place, world)) ||
        (refuted !== undefined && world.docket.byTransaction.get(refuted.txHash)?.state === 'not-canonical')),
  },
  {
    id: 'DROP-ONLY-FOR-VALID',
    rationale: 'Nobody is helped by clearing the way for an exit that we hold invalid or cannot judge.',
    refusal: 'quiet',
    holds: ({ record, holdsValid }) => holdsValid && isOpen(record.state),
  },
  {
    id: 'DROP-WITH-INTEREST',
    rationale:
      'Dropping earns nothing: it is done for protected owners, and for all by a watcher in public service. What a verdict refuted is dropped for every owner: only who has the block can.',
    refusal: 'quiet',
    holds: ({ record, refuted }, { protectedOwners, policy }) =>
      policy.publicService || protectedOwners.has(record.exit.owner) || refuted !== undefined,
  },
]

export const PROCESS_RULES: readonly Rule<ProcessExits>[] = [
  {
    id: 'TURN-IS-DUE',
    rationale: 'Processing before the first turn reverts; after it, anyone may.',
    refusal: 'quiet',
    holds: ({ count, firstTurnAt }, { now }) => count > 0 && now.timestamp > firstTurnAt,
  },
  {
    id: 'NO-TURN-FOR-A-THIEF',
    rationale:
      'An exit that we hold invalid or can’t vouch for is not hastened: until its turn it may still fall (R17).',
    refusal: 'INTERNAL_FAULT',
    holds: ({ helpsDoubted }) => !helpsDoubted,
  },
  {
    id: 'WORTH-THE-TURN',
    rationale:
      'Turns are given for protected owners at our cost, and for strangers only if asked to and the bounties pay.',
    refusal: 'quiet',
    holds: ({ helpsProtected, bountyWei, costWei }, { policy }) =>
      helpsProtected || (policy.publicService && bountyWei >= costWei),
  },
  {
    id: 'UNDER-THE-GAS-CAP',
    rationale: 'A call that L1 cannot hold is never mined.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ count }, { policy }) => TURN_RESERVE_GAS + BigInt(count) * TURN_GAS <= policy.callGasCap,
  },
]

export const SETTLE_RULES: readonly Rule<Settle>[] = [
  {
    id: 'SETTLE-ONLY-PAYABLE',
    rationale:
      'Before its time, under evidence, waiting for a verdict, void or not covered a ticket is skipped by the contract and the call reverts.',
    refusal: 'quiet',
    holds: ({ record, ticket, fundedTo }, world) =>
      record.state === 'ticket' &&
      record.evidence.length === 0 &&
      !isFallen(record.exit.position, world) &&
      !isSuspended(record.exit, world.docket) &&
      makerOf(record.exit, world.docket) !== 'not-canonical' &&
      world.now.timestamp > maturesAt(record.exit, world) &&
      // What it inherited in full is over once the line has reached its own place.
      (fundedTo > ticket.from || (fundedTo === ticket.from && ticket.due === ticket.inherited)),
  },
  {
    id: 'SETTLE-WITH-INTEREST',
    rationale:
      'Settling earns nothing: it is done for protected owners, where it brings our bond back, and where a protected owner’s place is short: a further share of the same output can be freed only then.',
    refusal: 'quiet',
    holds: ({ record: { exit }, helpsProtected }, { protectedOwners, policy }) =>
      protectedOwners.has(exit.owner) || exit.payer === policy.sender || helpsProtected,
  },
]

export const RELEASE_RULES: readonly Rule<Release>[] = [
  {
    id: 'RELEASE-OWED-TO-NOBODY',
    rationale:
      'WATCH-1: a release ends an exit for ever. It needs a void output, a verdict against it, or standing evidence in a verified block that can’t be voided any more; that of a transaction which is not refuted, and never while a dispute runs.',
    refusal: 'quiet',
    holds: (release, world) => {
      const { state, exit } = release.record
      if (state === 'cancelled-ticket') return true
      if (state !== 'ticket') return false
      return (
        isFallen(exit.position, world) || makerOf(exit, world.docket) === 'not-canonical' || isProven(release, world)
      )
    },
  },
  {
    id: 'RELEASE-COVERED-OR-BARRING',
    rationale:
      'A place that the line has not reached is left by a release, and freed by a call more. So it waits for the line, but where the line may wait for it: where its output has an older share of a mass exit, or stands elsewhere too, which nothing frees or takes out before it is gone.',
    refusal: 'quiet',
    holds: ({ record, ticket, fundedTo, bars }) =>
      record.state === 'cancelled-ticket' || fundedTo >= ticket.from || bars,
  },
  {
    id: 'RELEASE-WITH-INTEREST',
    rationale:
      'A release earns nothing: it is done where a protected owner waits behind, where it brings our bond back, or in public service; of a place that a verdict passed on, or that the line has not reached, also where a protected owner’s place is short: a mass exit’s share of the same output can be freed only then.',
    refusal: 'quiet',
    holds: ({ helpsProtected }, { policy }) => helpsProtected || policy.publicService,
  },
]

export const FREE_PLACE_RULES: readonly Rule<FreePlace>[] = [
  {
    id: 'FREE-ONLY-COVERED',
    rationale: 'As with a release: what the line has not reached can’t be freed; L1 refuses it.',
    refusal: 'quiet',
    holds: ({ from, fundedTo }) => fundedTo >= from,
  },
  {
    id: 'FREE-WITH-INTEREST',
    rationale: 'It earns nothing: it is done where a protected owner waits behind, or in public service.',
    refusal: 'quiet',
    holds: ({ helpsProtected }, { policy }) => helpsProtected || policy.publicService,
  },
]

export const WITHDRAW_RULES: readonly Rule<Withdraw>[] = [
  {
    id: 'WITHDRAW-FOR-PROTECTED',
    rationale:
      'A withdrawal moves a user’s money to the user at our cost: only for protected accounts, and only if asked to.',
    refusal: 'quiet',
    holds: ({ account, amount }, { protectedOwners, policy }) =>
      policy.withdrawCredits && protectedOwners.has(account) && amount > 0n,
  },
]

const RULES_OF: Readonly<Record<Action['type'], readonly Rule<Action>[]>> = {
  challenge: CHALLENGE_RULES,
  'drop-evidence': DROP_RULES,
  'show-competitor': COMPETITOR_RULES,
  'answer-dispute': ANSWER_RULES,
  'decide-dispute': DECIDE_RULES,
  'start-exit': START_RULES,
  'start-disputed-exits': START_DISPUTED_RULES,
  'process-exits': PROCESS_RULES,
  settle: SETTLE_RULES,
  release: RELEASE_RULES,
  inherit: INHERIT_RULES,
  'free-place': FREE_PLACE_RULES,
  withdraw: WITHDRAW_RULES,
  'prove-fault': PROOF_RULES,
  'halt-abandoned': ABANDON_RULES,
  'challenge-data': CHALLENGE_DATA_RULES,
  'reveal-data': REVEAL_DATA_RULES,
  'end-data-challenge': END_DATA_RULES,
  'break-receipt': BREAK_RECEIPT_RULES,
  'start-batch': START_BATCH_RULES,
  'demand-entry': DEMAND_RULES,
  'answer-demand': ANSWER_DEMAND_RULES,
  'lock-batch': LOCK_RULES,
  'dissolve-batch': DISSOLVE_RULES,
  'reclaim-demand': RECLAIM_RULES,
  'strike-entries': STRIKE_RULES,
  'drop-strike': DROP_STRIKE_RULES,
  'open-entry': OPEN_RULES,
  'place-entry': PLACE_RULES,
  'adopt-exit': ADOPT_RULES,
  'claim-entries': CLAIM_RULES,
  'release-entry': RELEASE_ENTRY_RULES,
  'close-batch': CLOSE_RULES,
}

export const RULES: readonly Rule<Action>[] = Object.values(RULES_OF).flat()

/** The first rule that the action breaks; undefined when it may be done. */
export function findBrokenRule(action: Action, world: World): Rule<Action> | undefined {
  return RULES_OF[action.type].find((rule) => !rule.holds(action, world))
}

/** The action if every rule allows it, else what people are to be told about it. */
export function judge(action: Action, world: World): readonly Effect[] {
  const broken = findBrokenRule(action, world)
  if (!broken) return [action]
  if (broken.refusal === 'quiet') return []
  const details = { action: action.type, subject: action.purpose, rule: broken.id, reason: broken.rationale }
  return [{ type: 'alert', code: broken.refusal, key: `${broken.id} ${action.key}`, details }]
}

/** The table of docs/honest-watcher.md, Markdown. */
export function renderRuleTable(): string {
  const rows = Object.entries(RULES_OF).flatMap(([type, rules]) =>
    rules.map(({ id, rationale }) => `| \`${id}\` | ${type} | ${rationale} |`),
  )
  return ['| rule | checked on | why |', '|---|---|---|', ...rows, ''].join('\n')
}

/** The spend's input is the exiting output: at its own position, or where else what made it is included. An exit that hangs on a dispute goes by place. */
function isNamed({ record: { exit }, made }: Challenge, place: number | undefined): boolean {
  if (place === undefined) return false
  if (!made) return exit.disputed === ZERO_HASH && place === exit.position
  if (exit.disputed === ZERO_HASH && place === exit.position) return false
  return made.position === transactionPosition(place) && outputIdAt(place, made.txHash) === exit.outputId
}

/** Evidence that removes the exit whatever comes. */
function isProven({ record, spend, place, header, shown }: Release, world: World): boolean {
  const { exit, evidence } = record
  return (
    evidence.includes(spend) &&
    decodePosition(spend).block <= world.verifiedBlock &&
    !isFallen(spend, world) &&
    !isFallen(place, world) &&
    world.now.timestamp > voidableUntil(header.timestamp, world.parameters.minExitPeriod) &&
    world.now.timestamp > judgedAfter(record, spend, world) &&
    !isSuspended(exit, world.docket) &&
    (!isContested(exit.outputId, world.docket) ||
      (shown !== undefined && world.docket.byTransaction.get(shown.txHash)?.state !== 'not-canonical'))
  )
}

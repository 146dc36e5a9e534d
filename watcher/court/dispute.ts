/**
 * The case of one dispute (docs/spec.md section 6.3, docs/honest-watcher.md "Disputes"). Every dispute on the chain has one, protected or
 * not: a wrong canonical verdict takes everybody's money, and so does a wrong one that is not canonical.
 *
 *               +--> running       nothing speaks against it; it is in no verified block
 *               +--> rivalled      a competitor was shown; nobody who has the verified blocks can say
 *               +--> included      a verified block holds the transaction, and nobody says otherwise
 *               +--> attacked      the same, and a competitor was shown: our answer is due
 *     started --+       |--> defended     that answer stands, older than every competitor that stands
 *               |       `--> undefended   too late for it, or it would not help
 *               +--> contradicted  a verified block spends an input otherwise: our competitor is due
 *               |       |--> overruled    that competitor stands on L1
 *               |       `--> missed       too late for it
 *               `--> spoiled       an input was paid, passed on, or never was: not canonical, whatever is shown
 *     any of them, once decided:
 *         closed-canonical, closed-not-canonical     closed-unknown   the verified blocks say otherwise: loud
 *
 * The phase is a function of the facts alone, so every arrow also runs backwards, as for exits (standardExit.ts).
 */

import { disputeBondGas, hashDispute, wasPublic } from '../../protocol/dispute.ts'
import { assertNever } from '../../protocol/errors.ts'
import type { AlertCode } from '../alerts.ts'
import type { DisputeFacts, SpendFact } from '../facts.ts'
import {
  furtherPieces,
  hasFallenBond,
  inputStates,
  type KnownSpend,
  oldestSpend,
  refoldDispute,
  standingCompetitors,
  truthOf,
  verdictByPieces,
} from './disputeRecord.ts'
import { answerWindow, competitorWindow, maturesAt, rollingDeadline } from './exitTime.ts'
import { budgetAt, PIECES_PER_CALL, staggerOf, urgentFrom } from './policy.ts'
import { judge } from './rules.ts'
import type { Alert, AnswerDispute, DecideDispute, Effect, ShowCompetitor, Step, World } from './types.ts'

export type DisputePhase =
  | 'running'
  | 'rivalled'
  | 'included'
  | 'attacked'
  | 'defended'
  | 'undefended'
  | 'contradicted'
  | 'overruled'
  | 'missed'
  | 'spoiled'
  | 'closed-canonical'
  | 'closed-not-canonical'
  | 'closed-unknown'

/** Where a case begins; the facts say at once where it is. */
export const NEW_DISPUTE: DisputePhase = 'running'

export type DisputeInput = Readonly<{
  facts: DisputeFacts
  /** Somebody whom we act for has something to win by the verdict (disputeStake.ts). */
  isAtStake: boolean
  world: World
}>

/** Total and deterministic; phase and effects depend on the input alone. Alerts are levels: repeated while their cause stands. */
export function stepDispute(_before: DisputePhase, { facts, isAtStake, world }: DisputeInput): Step<DisputePhase> {
  const folded = refoldDispute(facts)
  const next = phaseOf(folded, world)
  const effects = [...actionsOf(folded, isAtStake, world), ...alertsOf(next, folded, world)]
  return { next, effects }
}

function phaseOf(facts: DisputeFacts, world: World): DisputePhase {
  if (facts.state !== 'running') return closedPhaseOf(facts, world)
  if (isSpoiled(facts, world)) return 'spoiled'
  const now = world.now.timestamp
  const spend = oldestSpend(facts)
  if (spend) {
    if (facts.competitors.some(({ position }) => position === spend.evidence.spend)) return 'overruled'
    if (now <= competitorWindow(facts.dispute, world).until) return 'contradicted'
    return verdictByPieces(facts, world) === 'canonical' ? 'missed' : 'overruled'
  }
  const isRivalled = facts.competitors.length > 0
  if (!facts.made) return isRivalled ? 'rivalled' : 'running'
  if (!isRivalled) return 'included'
  const { position } = facts.made
  const isNew = !facts.answers.includes(position)
  const helps = standingCompetitors(facts, world).every((competitor) => position < competitor)
  if (isNew && helps && now <= answerWindow(facts.dispute, world).until) return 'attacked'
  return verdictByPieces(facts, world) === 'canonical' ? 'defended' : 'undefended'
}

/** A verdict that is not canonical needs a reason that we can see, where the transaction is in a verified block. */
function closedPhaseOf(facts: DisputeFacts, world: World): DisputePhase {
  const truth = truthOf(facts)
  if (facts.state === 'canonical') return truth === 'not-canonical' ? 'closed-unknown' : 'closed-canonical'
  return truth === 'canonical' && !isSpoiled(facts, world) ? 'closed-unknown' : 'closed-not-canonical'
}

function isSpoiled(facts: DisputeFacts, world: World): boolean {
  return inputStates(facts, world).some((state) => state !== 'free')
}

function actionsOf(facts: DisputeFacts, isAtStake: boolean, world: World): readonly Effect[] {
  if (facts.state !== 'running') return []
  const spend = oldestSpend(facts)
  return [
    ...(spend && !isSpoiled(facts, world) ? judge(competitorOf(facts, spend, world), world) : []),
    ...(facts.made && !isSpoiled(facts, world) ? judge(answerOf(facts, facts.made, world), world) : []),
    ...verdictsOf(facts, isAtStake, world).flatMap((action) => judge(action, world)),
  ]
}

/** Proposed as long as the dispute runs; whether it is needed, allowed and in time is for the rules. */
function competitorOf(record: DisputeFacts, { input, evidence }: KnownSpend, world: World): ShowCompetitor {
  const { dispute } = record
  const window = competitorWindow(dispute, world)
  const reward = rewardOf(record, evidence, world)
  const { challengeFloorWei } = world.policy
  return {
    type: 'show-competitor',
    key: `competitor:${hashDispute(dispute)}:${evidence.spend}`,
    purpose: `show that transaction ${evidence.spend} spends an input of the disputed ${dispute.txHash}`,
    notBefore: dispute.startedAt + staggerOf(world.policy, dispute.txHash),
    deadline: window.until,
    budgetWei: budgetAt(reward > challengeFloorWei ? reward : challengeFloorWei, window, world.now.timestamp),
    record,
    input,
    evidence,
  }
}

/** The most that the bond pays for it: nothing for what was not public before the start, nor for the second. */
function rewardOf(record: DisputeFacts, { header }: SpendFact, { parameters }: World): bigint {
  const { startedAt, bond } = record.dispute
  const reveal = parameters.dataChallengePeriod + parameters.dataResponsePeriod
  if (hasFallenBond(record) || !wasPublic(header.timestamp, startedAt, reveal)) return 0n
  const { challenger, burnt } = disputeBondGas(record.inputs.length)
  return (bond * challenger) / (challenger + burnt)
}

function answerOf(record: DisputeFacts, place: NonNullable<DisputeFacts['made']>, world: World): AnswerDispute {
  const { dispute } = record
  const window = answerWindow(dispute, world)
  const rivalledAt = record.events.find(({ type }) => type === 'CompetitorShown')?.at.l1Timestamp
  return {
    type: 'answer-dispute',
    key: `answer:${hashDispute(dispute)}:${place.position}`,
    purpose: `answer that the disputed ${dispute.txHash} is included at ${place.position}`,
    notBefore: (rivalledAt ?? dispute.startedAt) + staggerOf(world.policy, dispute.txHash),
    deadline: window.until,
    budgetWei: budgetAt(world.policy.challengeFloorWei, window, world.now.timestamp),
    record,
    place,
  }
}

/** One call as a rule; so many pieces that they don't fit one take several, in any order: the last that L1 sees gives the verdict. */
function verdictsOf(record: DisputeFacts, helpsOurs: boolean, world: World): readonly DecideDispute[] {
  const { dispute } = record
  const { competitors, answers } = furtherPieces(record)
  const pieces = [
    ...competitors.map((position) => ({ position, isAnswer: false })),
    ...answers.map((position) => ({ position, isAnswer: true })),
  ]
  const calls = Math.max(1, Math.ceil(pieces.length / PIECES_PER_CALL))
  const from = maturesAt(dispute, world)
  const { reaction, minExitPeriod } = world.parameters
  const { policy } = world
  const bondBack = dispute.starter === policy.sender ? dispute.bond : 0n
  return Array.from({ length: calls }, (_, i) => {
    const taken = pieces.slice(i * PIECES_PER_CALL, (i + 1) * PIECES_PER_CALL)
    return {
      type: 'decide-dispute',
      key: `decide:${hashDispute(dispute)}:${pieces.length}${i === 0 ? '' : `:${i}`}`,
      purpose: `ask for the verdict about ${dispute.txHash}`,
      // Whoever has something at stake goes first.
      notBefore: from + (helpsOurs ? 0 : reaction) + staggerOf(policy, dispute.txHash),
      deadline: rollingDeadline(from, minExitPeriod, world.now.timestamp),
      budgetWei: policy.keeperBudgetWei + bondBack,
      record,
      competitors: taken.filter(({ isAnswer }) => !isAnswer).map(({ position }) => position),
      answers: taken.filter(({ isAnswer }) => isAnswer).map(({ position }) => position),
      truth: isSpoiled(record, world) ? 'not-canonical' : truthOf(record),
      byPieces: verdictByPieces(record, world),
      helpsOurs,
    }
  })
}

/** What the audit (watcher/audit.ts) does not tell already, and what both tell with the same subject, so that it is one alert. */
function alertsOf(phase: DisputePhase, facts: DisputeFacts, world: World): readonly Alert[] {
  const { txHash, startedAt, exitableAt, starter } = facts.dispute
  const details = {
    txHash,
    starter,
    startedAt,
    verdictAfter: maturesAt({ exitableAt }, world),
    phase,
    competitorsUntil: competitorWindow(facts.dispute, world).until,
    answersUntil: answerWindow(facts.dispute, world).until,
  }
  const told = tellOf(phase, facts, world).map(
    ([code, reason]): Alert => ({ type: 'alert', code, key: txHash, details: { ...details, reason } }),
  )
  const held = strandedInputs(facts, world).map(
    ({ outputId, owner, position }): Alert => ({
      type: 'alert',
      code: 'DISPUTE_EXIT_AVAILABLE',
      key: outputId,
      details: { ...details, outputId, owner, position, reason: 'the verdict gave the input back to its owner' },
    }),
  )
  return [...told, ...held]
}

function tellOf(
  phase: DisputePhase,
  facts: DisputeFacts,
  world: World,
): readonly (readonly [code: AlertCode, reason: string])[] {
  const now = world.now.timestamp
  const contradicted = ['DISPUTE_NOT_CANONICAL', 'a verified block spends an input otherwise'] as const
  const isIncluded = ['COMPETITOR_FALSE', 'a verified block holds the disputed transaction'] as const
  switch (phase) {
    case 'contradicted':
      if (now < urgentFrom(competitorWindow(facts.dispute, world))) return [contradicted]
      return [contradicted, ['DISPUTE_UNCHALLENGED', 'our competitor is not on L1 in the last quarter of its time']]
    case 'missed':
      return [contradicted, ['DISPUTE_UNCHALLENGED', 'no competitor of ours by the deadline']]
    case 'overruled':
      return [['DISPUTE_NOT_CANONICAL', 'an included competitor stands on L1']]
    case 'rivalled':
      return [['DISPUTE_NOT_CANONICAL', 'a competitor was shown, and no verified block holds the disputed transaction']]
    case 'spoiled':
      return [['DISPUTE_NOT_CANONICAL', `its inputs are ${inputStates(facts, world).join(', ')}`]]
    case 'attacked':
      if (now < urgentFrom(answerWindow(facts.dispute, world))) return [isIncluded]
      return [isIncluded, ['COMPETITOR_UNANSWERED', 'our answer is not on L1 in the last quarter of its time']]
    case 'undefended':
      return [isIncluded, ['COMPETITOR_UNANSWERED', 'too late for an answer, or an older competitor stands']]
    case 'closed-unknown':
      return [['DISPUTE_OUTCOME_UNKNOWN', `${facts.state}, and the verified blocks say otherwise`]]
    case 'running':
    case 'included':
    case 'defended':
    case 'closed-canonical':
    case 'closed-not-canonical':
      return []
    default:
      return assertNever(phase)
  }
}

/**
 * Inputs of protected owners that a verdict gave back although a verified block spends them: L1 lets them leave, and our books, in which
 * they are spent, prove nothing for them any more.
 */
function strandedInputs(facts: DisputeFacts, { protectedOwners }: World) {
  if (facts.state !== 'not-canonical' || !facts.made) return []
  return facts.inputs.filter(({ owner }, i) => protectedOwners.has(owner) && facts.inputExits[i] === undefined)
}

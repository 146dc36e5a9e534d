/**
 * The case of one standard exit (docs/spec.md sections 5 and 6.3, docs/honest-watcher.md "Exits of others"). Every exit on the chain has
 * one, protected or not: an invalid one takes everybody's money.
 *
 *                      +--> cleared         no block can spend it any more: valid for good
 *     watching --------+--> suspect         its block is missing or invalid: nobody can say
 *     valid so far     +--> disputed        valid, and yet evidence stands against it
 *                      +--> waiting         a dispute about the transaction that makes it runs
 *                      +--> fallen          its block is void, or its transaction was proven invalid: it leaves unpaid
 *                      +--> refuted         that transaction was judged not canonical: it leaves unpaid
 *                      +--> on-trial        spent by a transaction whose dispute runs: the verdict cancels or clears it
 *                      +--> passed-on       such a transaction was judged canonical: it leaves unpaid
 *                      +--> accused         spent in a verified block: our evidence is due
 *                              |--> answered    that evidence stands on L1, whoever showed it
 *                              `--> missed      too late for evidence
 *     any of them, once paid or removed:
 *         closed-paid        valid and paid                  closed-by-us        invalid, removed, we showed evidence
 *         closed-void        its block is void or invalid    closed-by-another   invalid, removed, others did
 *         closed-by-verdict  a dispute's verdict ended it
 *         closed-unknown     paid though invalid, removed though valid, or nobody can say: loud
 *
 * The phase is a function of the facts alone, so every arrow also runs backwards: after an L1 reorg, a late block or a restart the
 * same facts give the same phase, and nothing needs to be stored.
 */
import { assertNever } from '../../protocol/errors.ts'
import { hashExit, splitBond } from '../../protocol/exit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { AlertCode } from '../alerts.ts'
import type { ExitFacts, OutputFact } from '../facts.ts'
import { hangsOnVerdict, isOnTrial, isPassedOn, makerOf, refutedBy } from './docket.ts'
import { isRewarded, type Piece, piecesOf, placeNamed, refold, wasShownBy } from './exitRecord.ts'
import { evidenceWindow, isBeyondSpending, isFallen, isOpen, maturesAt } from './exitTime.ts'
import { budgetAt, staggerOf, urgentFrom } from './policy.ts'
import { judge } from './rules.ts'
import type { Alert, Challenge, DropEvidence, Effect, Step, World } from './types.ts'

export type ExitPhase =
  | 'watching'
  | 'cleared'
  | 'suspect'
  | 'disputed'
  | 'waiting'
  | 'fallen'
  | 'refuted'
  | 'on-trial'
  | 'passed-on'
  | 'accused'
  | 'answered'
  | 'missed'
  | 'closed-paid'
  | 'closed-void'
  | 'closed-by-us'
  | 'closed-by-another'
  | 'closed-by-verdict'
  | 'closed-unknown'

type SpentFact = Extract<OutputFact, { kind: 'spent' }>

export type ExitVerdict = 'valid' | 'invalid' | 'suspect' | 'unknown'

/** Where a case begins; the facts say at once where it is. */
export const NEW_CASE: ExitPhase = 'watching'

export type ExitInput = Readonly<{ facts: ExitFacts; world: World }>

/** Total and deterministic; phase and effects depend on the input alone. Alerts are levels: repeated while their cause stands. */
export function stepExit(_before: ExitPhase, { facts, world }: ExitInput): Step<ExitPhase> {
  const folded = { ...refold(facts, world.docket), output: outputOf(facts, world) }
  const next = phaseOf(folded, world)
  return { next, effects: [...actionsOf(folded, world), ...alertsOf(next, folded, world)] }
}

/** `unknown`: closed in a way that contradicts what we know. */
export function verdictOf(phase: ExitPhase): ExitVerdict {
  switch (phase) {
    case 'watching':
    case 'cleared':
    case 'disputed':
    case 'waiting':
    case 'closed-paid':
      return 'valid'
    case 'fallen':
    case 'refuted':
    case 'on-trial':
    case 'passed-on':
    case 'closed-by-verdict':
    case 'accused':
    case 'answered':
    case 'missed':
    case 'closed-by-us':
    case 'closed-by-another':
      return 'invalid'
    case 'suspect':
    case 'closed-void':
      return 'suspect'
    case 'closed-unknown':
      return 'unknown'
    default:
      return assertNever(phase)
  }
}

export function isClosed(phase: ExitPhase): boolean {
  return phase.startsWith('closed-')
}

/** A spend by a transaction that was judged not canonical never was, whatever block holds it. */
function outputOf({ exit, output }: ExitFacts, { docket }: World): OutputFact {
  if (output.kind !== 'spent' || !refutedBy(exit.outputId, output.evidence.signed.transaction, docket)) return output
  return { kind: 'unspent', asOf: output.asOf }
}

function phaseOf(facts: ExitFacts, world: World): ExitPhase {
  const { exit, output, state } = facts
  // What is not checked yet is not judged yet, open or closed: a watcher that starts late first catches up.
  if (output.kind === 'unverified' && output.blockState === 'pending' && !isFallen(exit.position, world))
    return 'watching'
  if (state === 'cancelled' || state === 'cancelled-ticket') return 'passed-on'
  if (!isOpen(state)) return closedPhaseOf(facts, world)
  const maker = makerOf(exit, world.docket)
  if (maker === 'not-canonical') return 'refuted'
  if (isFallen(exit.position, world)) return 'fallen'
  if (output.kind === 'unverified' || output.kind === 'mismatch') return 'suspect'
  if (output.kind === 'unspent') {
    if (facts.evidence.some((spend) => isJudged(spend, world))) return 'disputed'
    if (maker === 'running') return 'waiting'
    return isBeyondSpending(exit, world) ? 'cleared' : 'watching'
  }
  if (isOnTrial(exit.outputId, output.evidence.signed.transaction, world.docket)) return 'on-trial'
  if (facts.evidence.includes(output.evidence.spend)) return 'answered'
  return world.now.timestamp <= evidenceWindow(exit, world).until ? 'accused' : 'missed'
}

function closedPhaseOf(facts: ExitFacts, world: World): ExitPhase {
  const { exit, output, state, events } = facts
  const removal = events.find((event) => event.type === 'ExitRemoved')
  const isRefuted = makerOf(exit, world.docket) === 'not-canonical'
  if (output.kind === 'mismatch') return 'closed-unknown'
  if (state === 'settled') return output.kind === 'unspent' && !isRefuted ? 'closed-paid' : 'closed-unknown'
  if (removal?.reason === 'not-canonical') return isRefuted ? 'closed-by-verdict' : 'closed-unknown'
  if (removal?.reason === 'spent' && isPassedOn(exit.outputId, world.docket)) return 'closed-by-verdict'
  if (output.kind === 'unspent') {
    const shown = events.filter((event) => event.type === 'EvidenceShown')
    const isEarly = shown.length > 0 && shown.every(({ spend }) => !isJudged(spend, world))
    return isEarly ? 'watching' : 'closed-unknown'
  }
  if (output.kind === 'unverified') return removal?.reason === 'spent' ? 'closed-by-another' : 'closed-void'
  return wasShownBy(events, world.policy.sender) ? 'closed-by-us' : 'closed-by-another'
}

/** A spend in a block that we have not come to says nothing yet, as long as the blocks keep coming. */
function isJudged(spend: number, { verifiedBlock, safety }: World): boolean {
  return decodePosition(spend).block <= verifiedBlock || safety.status !== 'safe'
}

function actionsOf(facts: ExitFacts, world: World): readonly Effect[] {
  if (facts.output.kind === 'spent' && isOpen(facts.state)) {
    return judge(challengeOf(facts, facts.output, world), world)
  }
  return piecesOf(facts).flatMap((piece) => judge(dropOf(facts, piece, world), world))
}

/** Proposed as long as the exit is open and spent; whether it is still needed, allowed and in time is for the rules. */
function challengeOf(record: ExitFacts, output: SpentFact, world: World): Challenge {
  const { exit, dispute } = record
  const { evidence } = output
  const made = output.made ?? (dispute?.made && { ...dispute.made, txHash: exit.disputed })
  const window = evidenceWindow(exit, world)
  const { challenger } = splitBond(exit.bond)
  const reward = isRewarded(record.events) ? 0n : challenger
  const { challengeFloorWei } = world.policy
  return {
    type: 'challenge',
    key: `challenge:${hashExit(exit)}:${evidence.spend}`,
    purpose: `challenge the exit of output ${exit.position}, spent by transaction ${evidence.spend}`,
    notBefore: exit.startedAt + staggerOf(world.policy, exit.outputId),
    deadline: window.until,
    budgetWei: budgetAt(reward > challengeFloorWei ? reward : challengeFloorWei, window, world.now.timestamp),
    record,
    evidence,
    ...(made && { made }),
  }
}

function dropOf(record: ExitFacts, { spend, place }: Piece, world: World): DropEvidence {
  const refuted = world.docket.refuted.get(spend)
  return {
    type: 'drop-evidence',
    key: `drop:${hashExit(record.exit)}:${spend}${place === 0 ? '' : `:${place}`}`,
    purpose: `drop the fallen evidence ${spend} against the exit of output ${record.exit.position}`,
    notBefore: staggerOf(world.policy, record.exit.outputId) + world.lastMove,
    deadline: maturesAt(record.exit, world) + world.parameters.minExitPeriod,
    budgetWei: world.policy.keeperBudgetWei,
    record,
    spend,
    place: placeNamed({ place }, record.exit),
    holdsValid: record.output.kind === 'unspent' && makerOf(record.exit, world.docket) !== 'not-canonical',
    ...(refuted && { refuted }),
  }
}

/** What the audit of exits (watcher/audit.ts) does not tell already, and what both tell with the same subject, so that it is one alert. */
function alertsOf(phase: ExitPhase, facts: ExitFacts, world: World): readonly Alert[] {
  const { outputId, position, owner, token, amount, exitableAt } = facts.exit
  const { until } = evidenceWindow(facts.exit, world)
  const details = { outputId, position, owner, token, amount, exitableAt, phase, evidenceUntil: until }
  return tellOf(phase, facts, world).map(([code, reason]) => ({
    type: 'alert',
    code,
    key: outputId,
    details: { ...details, reason },
  }))
}

function tellOf(
  phase: ExitPhase,
  facts: ExitFacts,
  world: World,
): readonly (readonly [code: AlertCode, reason: string])[] {
  const { output, exit } = facts
  const isUrgent = world.now.timestamp >= urgentFrom(evidenceWindow(exit, world))
  switch (phase) {
    case 'watching':
      if (!isUrgent || output.kind !== 'unverified' || !isOpen(facts.state)) return []
      return [['EXIT_UNVERIFIABLE', 'its block is not verified yet, and the time for evidence is running out']]
    case 'suspect':
      if (output.kind === 'mismatch') return [['EXIT_OUTCOME_UNKNOWN', `got ${output.got}, want ${output.want}`]]
      return [['EXIT_UNVERIFIABLE', 'its block is missing, invalid, or stands on such a one']]
    case 'disputed':
      if (!world.protectedOwners.has(exit.owner)) return []
      return [['PROTECTED_EXIT_BLOCKED', `evidence that we hold false stands: ${facts.evidence.join(', ')}`]]
    case 'accused': {
      const hangs = output.kind === 'spent' && hangsOnVerdict(exit, output.evidence.signed.transaction, world.docket)
      const known = [hangs ? 'DISPUTED_EXIT_INVALID' : 'INVALID_EXIT', 'its output was spent'] as const
      if (!isUrgent) return [known]
      const code = hangs ? 'DISPUTED_EXIT_UNCHALLENGED' : 'EXIT_UNCHALLENGED'
      return [known, [code, 'our evidence is not on L1 in the last quarter of its time']]
    }
    case 'missed':
      return [['CHALLENGE_FAILED', 'no evidence of ours by the deadline']]
    case 'closed-unknown':
      if (facts.state === 'settled' && output.kind === 'spent') return [['INVALID_EXIT_PAID', 'nobody challenged it']]
      return [['EXIT_OUTCOME_UNKNOWN', `${facts.state}, though its output is ${output.kind}`]]
    case 'fallen':
      if (!world.protectedOwners.has(exit.owner)) return []
      return [
        [
          'PROTECTED_EXIT_BLOCKED',
          'its block is void or its transaction invalid: it leaves unpaid, the bond comes back',
        ],
      ]
    case 'cleared':
    case 'waiting':
    case 'refuted':
    case 'on-trial':
    case 'passed-on':
    case 'closed-by-verdict':
    case 'answered':
    case 'closed-paid':
    case 'closed-void':
    case 'closed-by-us':
    case 'closed-by-another':
      return []
    default:
      return assertNever(phase)
  }
}

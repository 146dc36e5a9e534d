/**
 * Can this watcher be in time (docs/spec.md section 10)? Arithmetic over the periods and our own delays, refused at start-up
 * when impossible: a watcher that can't answer within the shortest window protects nobody and must say so before it is needed.
 */
import { configError } from '../../protocol/errors.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import { orderDeadline, type SafetyLimits } from '../safety.ts'
import { answerDelaySeconds, challengeDelaySeconds, challengesIn, probesUntil } from './dataTime.ts'
import { urgentFrom } from './policy.ts'

/** What a watcher needs between a fact appearing on L1 and its answer standing there. Seconds, L1 blocks where said. */
export type Delays = Readonly<{
  /** L1 blocks that are waited for before an L1 event is believed. */
  confirmations: number
  /** Longest time between two looks at L1 and at the operator. */
  pollSeconds: number
  /** From the first sending to the highest fee: the number of bumps times the pause between them. */
  bumpSeconds: number
}>

export type Margins = Readonly<{
  parameters: Parameters
  delays: Delays
  /** Longest random delay of the court's policy. */
  staggerSeconds: number
  limits: SafetyLimits
}>

export type MarginProblem = Readonly<{ rule: string; got: string; want: string }>

/** Urgent acts are raised every block; so many raises by a quarter are a fee of six times the first. */
const FEE_BUMPS = 8

/** Of a watcher that polls every `pollMs` and whose outbox waits for `confirmations` L1 blocks. */
export function delaysOf({ slot }: Parameters, own: Readonly<{ confirmations: number; pollMs: number }>): Delays {
  const { confirmations, pollMs } = own
  return { confirmations, pollSeconds: Math.ceil(pollMs / 1000), bumpSeconds: FEE_BUMPS * slot }
}

/** A missed L1 slot now and then is normal: the contract counts blocks, people count seconds. */
const SLOT_SLACK = 4 / 3

/** Seconds from seeing to standing: believe, look, send, bump, be mined and confirmed. */
export function answerSeconds(parameters: Parameters, delays: Delays): number {
  return 2 * Math.ceil(delays.confirmations * parameters.slot * SLOT_SLACK) + delays.pollSeconds + delays.bumpSeconds
}

/**
 * The shortest time in which a spend can be answered: from the last moment at which it may come into the open (lock + ANCHOR_AGE + DC +
 * DR) to the end of evidence, E - MEP/4, for an exit that matures after one MEP.
 */
export function shortestChallengeWindow(parameters: Parameters): number {
  const { minExitPeriod } = parameters
  return minExitPeriod - Math.floor(minExitPeriod / 4) - longestHidden(parameters)
}

/**
 * The shortest time in which a competitor can be shown: from the same moment to E - MEP/2, in a dispute that starts now; at least a quarter
 * of a window is without a limit on the budget.
 */
export function shortestCompetitorWindow(parameters: Parameters): number {
  const half = parameters.minExitPeriod - Math.floor(parameters.minExitPeriod / 2)
  return Math.min(half - longestHidden(parameters), Math.floor(half / 4))
}

/** From the last competitor to the last answer. */
export function answerWindowSeconds({ minExitPeriod }: Parameters): number {
  return Math.floor(minExitPeriod / 2) - Math.floor(minExitPeriod / 4)
}

/** What is left to send a challenge of hidden data in: from the moment at which every range is demanded, random delay included, to DC. */
export function dataChallengeSeconds(parameters: Parameters, staggerSeconds: number): number {
  const block = { timestamp: 0 }
  const from = probesUntil(block, { parameters }) + challengeDelaySeconds(parameters, staggerSeconds)
  return challengesIn(block, { parameters }).until - from
}

/** The same for an answer: from the longest random delay after half of DR to DR. */
export function dataAnswerSeconds({ dataResponsePeriod }: Parameters): number {
  return dataResponsePeriod - Math.floor(dataResponsePeriod / 2) - answerDelaySeconds({ dataResponsePeriod })
}

/** From a lock to the last moment at which a spend older than it may come into the open. */
function longestHidden({ anchorAgeBlocks, slot, dataChallengePeriod, dataResponsePeriod }: Parameters): number {
  return Math.ceil(anchorAgeBlocks * slot * SLOT_SLACK) + dataChallengePeriod + dataResponsePeriod
}

/** The part of every challenge window in which the budget has no limit. */
export function urgentSeconds({ minExitPeriod }: Parameters): number {
  const window = { from: 0, until: minExitPeriod - Math.floor(minExitPeriod / 4) }
  return window.until - urgentFrom(window)
}

/** Every rule that can't hold, none when the watcher can be in time. For `check` and for start-up. */
export function findMarginProblems({ parameters, delays, staggerSeconds, limits }: Margins): MarginProblem[] {
  const answer = answerSeconds(parameters, delays)
  const shortest = shortestChallengeWindow(parameters)
  const urgent = urgentSeconds(parameters)
  const competitor = shortestCompetitorWindow(parameters)
  const reply = answerWindowSeconds(parameters)
  const exitRoom = orderDeadline(0, parameters) - limits.graceSeconds
  const values = [...Object.values(delays), staggerSeconds]
  // Data calls only have to be mined: what an L1 reorg takes back is sent again.
  const mined = delays.pollSeconds + delays.bumpSeconds
  const demand = dataChallengeSeconds(parameters, staggerSeconds)
  const reveal = dataAnswerSeconds(parameters)
  const rules: readonly (readonly [rule: string, holds: boolean, got: string, want: string])[] = [
    [
      'delays are whole numbers',
      values.every((value) => Number.isSafeInteger(value) && value >= 0),
      JSON.stringify({ ...delays, staggerSeconds }),
      'integers from 0 on',
    ],
    [
      'finality + poll + bump < shortest challenge window',
      answer + staggerSeconds < shortest,
      `${answer} s and up to ${staggerSeconds} s of random delay`,
      `less than ${shortest} s`,
    ],
    [
      'finality + poll + bump <= last quarter of a challenge window',
      answer <= urgent,
      `${answer} s`,
      `at most ${urgent} s, in which the budget has no limit`,
    ],
    [
      'finality + poll + bump <= shortest competitor window',
      answer <= competitor,
      `${answer} s`,
      `at most ${competitor} s, from the last moment of hiding to E - MEP/2`,
    ],
    [
      'finality + poll + bump < time for an answer',
      answer + staggerSeconds < reply,
      `${answer} s and up to ${staggerSeconds} s of random delay`,
      `less than ${reply} s, from E - MEP/2 to E - MEP/4`,
    ],
    [
      'poll + bump <= time to demand hidden data',
      mined <= demand,
      `${mined} s`,
      `at most ${demand} s, from DC/2 and the random delay to DC`,
    ],
    [
      'poll + bump <= time to reveal data',
      mined <= reveal,
      `${mined} s`,
      `at most ${reveal} s, from DR/2 and the random delay to DR`,
    ],
    [
      'finality + poll + bump <= REACTION',
      answer <= parameters.reaction,
      `${answer} s`,
      `at most ${parameters.reaction} s, which the periods of the contract reckon with`,
    ],
    [
      'grace + finality + poll + bump < MEP',
      answer < exitRoom,
      `${answer} s after a grace of ${limits.graceSeconds} s`,
      `less than ${parameters.minExitPeriod} s together, or protected exits lose their place`,
    ],
  ]
  return rules.filter(([, holds]) => !holds).map(([rule, , got, want]) => ({ rule, got, want }))
}

/** Throws MARGINS_IMPOSSIBLE with all problems at once. */
export function assertMargins(margins: Margins): void {
  const problems = findMarginProblems(margins)
  if (problems.length === 0) return
  throw configError('MARGINS_IMPOSSIBLE', 'this watcher cannot answer in time', {
    got: problems.map(({ rule, got }) => `${rule}: ${got}`).join('; '),
    want: problems.map(({ want }) => want).join('; '),
  })
}

/**
 * Is the chain safe (docs/spec.md section 11)? Pure arithmetic over what was observed. Two rules hold it together: silence that
 * nobody listened to does not count, so neither a restart nor a short outage triggers an exit; and whatever the grace, the verdict
 * falls before the last moment at which exits still come before the outputs of the block in question.
 */
import type { Parameters } from '../protocol/parameters.ts'
import type { BlockFault } from '../protocol/validity.ts'
import type { ChainSafety } from './facts.ts'

export type SafetyLimits = Readonly<{
  /** Observed silence after which a block counts as withheld. Seconds. */
  graceSeconds: number
  /** Silence below this is a hiccup: no suspicion, no alert. Seconds. */
  suspectSeconds: number
  /** Least observed silence, for a watcher that starts to look shortly before the last safe moment. Seconds. */
  minimumObservedSeconds: number
  /** Time that our own L1 transactions may need, fee bumps included. Seconds. */
  confirmationMarginSeconds: number
  /** Observations further apart than this don't add up: the watcher slept, or was cut off. Seconds. */
  maximumGapSeconds: number
}>

/** Half the room before the last safe moment at most, so that there is time left to act in order. */
export function defaultLimits(parameters: Parameters): SafetyLimits {
  return {
    graceSeconds: Math.floor(parameters.minExitPeriod / 4),
    suspectSeconds: Math.min(60, Math.max(1, Math.floor(parameters.reaction / 16))),
    minimumObservedSeconds: Math.max(1, Math.floor(parameters.reaction / 16)),
    confirmationMarginSeconds: (parameters.finalityBlocks + 8) * parameters.slot,
    maximumGapSeconds: Math.max(30, 5 * parameters.slot),
  }
}

/**
 * L1 seconds: exits of older outputs mined by then come before every output of a block committed at `blockTimestamp`. An exit
 * started at s matures at s + MEP, an output of the block not before blockTimestamp + 2 MEP, and the older one wins a tie.
 */
export function orderDeadline(blockTimestamp: number, parameters: Parameters): number {
  return blockTimestamp + parameters.minExitPeriod
}

/** The same less what we need to react and to confirm: by then the decision has to be made. */
export function lastSafeMoment(blockTimestamp: number, parameters: Parameters, limits: SafetyLimits): number {
  return orderDeadline(blockTimestamp, parameters) - parameters.reaction - limits.confirmationMarginSeconds
}

/** One round of asking for the first missing block. Persisted as seconds; the instants live and die with the process. */
export type Silence = Readonly<{
  block: number
  /** Seconds of attended silence, over all runs of the watcher. */
  observedSeconds: number
  /** Complete rounds in this run; a verdict needs at least one, however much silence earlier runs have seen. */
  roundsThisRun: number
  /** Local clock, ms, of the last complete round in this run. */
  lastRoundAt?: number
}>

export type Round = Readonly<{
  /** Local clock, ms, when the round ended. */
  at: number
  /** Every configured peer was asked and refused, failed or sent garbage, and there is at least one. */
  askedEveryone: boolean
  /** The L1 head is fresh: without it the silence may be our own. */
  l1Fresh: boolean
}>

export function startSilence(block: number, observedSeconds = 0): Silence {
  return { block, observedSeconds, roundsThisRun: 0 }
}

/** Adds the time since the last complete round if both rounds count and lie close together; otherwise starts a new stretch. */
export function observeRound(silence: Silence, round: Round, limits: SafetyLimits): Silence {
  if (!round.askedEveryone || !round.l1Fresh) {
    return { block: silence.block, observedSeconds: silence.observedSeconds, roundsThisRun: 0 }
  }
  const gap = silence.lastRoundAt === undefined ? 0 : (round.at - silence.lastRoundAt) / 1000
  // A clock set back must not take silence away, one set forward must not add any.
  const counted = gap > 0 && gap <= limits.maximumGapSeconds ? gap : 0
  return {
    block: silence.block,
    observedSeconds: silence.observedSeconds + counted,
    roundsThisRun: silence.roundsThisRun + 1,
    lastRoundAt: round.at,
  }
}

export type MissingBlock = Readonly<{ block: number; timestamp: number; silence: Silence }>

/** `l1Seconds`: timestamp of the newest L1 block. */
export function judgeMissing(
  { block, timestamp, silence }: MissingBlock,
  l1Seconds: number,
  parameters: Parameters,
  limits: SafetyLimits,
): ChainSafety {
  const last = lastSafeMoment(timestamp, parameters, limits)
  const facts = {
    reason: 'withheld' as const,
    block,
    since: timestamp,
    lastSafeMoment: last,
    observedSeconds: Math.floor(silence.observedSeconds),
  }
  if (silence.observedSeconds < limits.suspectSeconds) return { status: 'safe', reason: 'catching-up' }
  if (silence.roundsThisRun === 0) return { status: 'suspect', ...facts }
  // Once the order can't be kept any more, haste gains nothing: only the whole grace counts then.
  const pressing = l1Seconds >= last && l1Seconds <= orderDeadline(timestamp, parameters)
  const enough = pressing ? Math.min(limits.minimumObservedSeconds, limits.graceSeconds) : limits.graceSeconds
  return { status: silence.observedSeconds >= enough ? 'unsafe' : 'suspect', ...facts }
}

export type InvalidBlock = Readonly<{ block: number; timestamp: number; fault: BlockFault }>

export function judgeInvalid(
  { block, timestamp, fault }: InvalidBlock,
  parameters: Parameters,
  limits: SafetyLimits,
): ChainSafety {
  const last = lastSafeMoment(timestamp, parameters, limits)
  return {
    status: 'unsafe',
    reason: 'invalid',
    block,
    since: timestamp,
    lastSafeMoment: last,
    observedSeconds: 0,
    fault,
  }
}

/** What it means and what to do, for people; undefined while all is well. */
export function describeSafety(safety: ChainSafety): string | undefined {
  if (safety.status === 'safe') return undefined
  const { status, reason, block } = safety
  switch (reason) {
    case 'withheld':
    case 'invalid': {
      const what = `the chain is ${status}: block ${block} is ${reason}`
      const advice =
        status === 'suspect'
          ? 'accept no payment of it or after it; nothing else yet'
          : `accept no payments; start exits of all outputs of earlier blocks, best by ${safety.lastSafeMoment}, at the latest by the block's time + MEP`
      return `${what}; ${advice}`
    }
    case 'halted':
      return `the chain has ended: blocks from ${block} on are void or never come; outputs of earlier blocks and deposits leave at any time, there is no hurry`
    case 'short':
      return `the vault is short of ${safety.missing} units by the exit ${safety.outputId}; accept no payments, and leave now: whoever is earlier is served`
  }
}

/** Impossible settings as problems in words: the verdict must be able to fall before the last safe moment. */
export function findLimitProblems(parameters: Parameters, limits: SafetyLimits): string[] {
  const room = lastSafeMoment(0, parameters, limits)
  const problems: string[] = []
  if (limits.suspectSeconds > Math.min(limits.graceSeconds, limits.minimumObservedSeconds)) {
    problems.push(
      `suspicion: got ${limits.suspectSeconds} s, want at most the grace and the minimum observation, ${limits.graceSeconds} and ${limits.minimumObservedSeconds} s`,
    )
  }
  if (limits.graceSeconds < 1) problems.push(`grace: got ${limits.graceSeconds} s, want at least 1 s`)
  if (room <= 0) {
    problems.push(
      `margins: reaction ${parameters.reaction} s and confirmation ${limits.confirmationMarginSeconds} s, want less than MEP, ${parameters.minExitPeriod} s`,
    )
  } else if (limits.graceSeconds >= room) {
    problems.push(
      `grace: got ${limits.graceSeconds} s, want less than the ${room} s from a block to its last safe moment`,
    )
  }
  if (limits.minimumObservedSeconds > parameters.reaction / 4) {
    problems.push(
      `minimum observation: got ${limits.minimumObservedSeconds} s, want at most a quarter of the reaction time, ${parameters.reaction / 4} s`,
    )
  }
  return problems
}

/** When data is challenged, answered and given up, and who goes first (docs/spec.md section 8.6; docs/honest-watcher.md "Hidden data"). */
import type { Header } from '../../protocol/block.ts'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { coversRange, type LeafRange } from '../../protocol/dataChallenge.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import type { DataRecord } from './dataTypes.ts'
import type { CourtPolicy, Window } from './policy.ts'

type Periods = Readonly<{ parameters: Parameters }>

/** Challenges of a block that does not come: a quarter of DC is left to slow peers. */
export function challengesIn({ timestamp }: Pick<Header, 'timestamp'>, { parameters }: Periods): Window {
  const { dataChallengePeriod } = parameters
  return { from: timestamp + Math.floor(dataChallengePeriod / 4), until: timestamp + dataChallengePeriod }
}

/** Until then one range is challenged, to see whether the operator is there at all; afterwards every one. */
export function probesUntil({ timestamp }: Pick<Header, 'timestamp'>, { parameters }: Periods): number {
  return timestamp + Math.floor(parameters.dataChallengePeriod / 2)
}

/** Answers of watchers: the first half of DR is the operator's. */
export function answersIn({ challenge }: Pick<DataRecord, 'challenge'>, { parameters }: Periods): Window {
  const { dataResponsePeriod } = parameters
  return {
    from: challenge.startedAt + Math.floor(dataResponsePeriod / 2),
    until: challenge.startedAt + dataResponsePeriod,
  }
}

/** Longest random delay of an answer: in the last 7/16 of DR everyone who can answer does. Seconds. */
export function answerDelaySeconds({ dataResponsePeriod }: Pick<Parameters, 'dataResponsePeriod'>): number {
  return Math.floor(dataResponsePeriod / 16)
}

/** Longest random delay of a challenge. Seconds. */
export function challengeDelaySeconds({ dataChallengePeriod }: Parameters, staggerSeconds: number): number {
  return Math.min(staggerSeconds, Math.floor(dataChallengePeriod / 16))
}

/** The range's leaves, all of them, were demanded already. Not so a part of them. */
export function isTaken(range: LeafRange, records: readonly DataRecord[]): boolean {
  return records.some(({ challenge }) => coversRange(challenge, range))
}

/** This watcher's own order over ranges: another one's is another, and the same after a restart. */
export function drawOf({ seed }: Pick<CourtPolicy, 'seed'>, what: string, range: LeafRange): Hash {
  const { blockNumber, first, levels } = range
  return bytesToHex(keccak256Text(`${seed} ${what} ${blockNumber} ${first} ${levels}`))
}

/** Seconds from 0 to `longest`, by the same draw. */
export function delayOf(policy: Pick<CourtPolicy, 'seed'>, what: string, range: LeafRange, longest: number): number {
  return Number.parseInt(drawOf(policy, what, range).slice(2, 10), 16) % (longest + 1)
}

/**
 * Forcing hidden data into the open, and keeping what is not hidden alive (docs/spec.md section 8.6; docs/honest-watcher.md "Hidden data").
 *
 *     hidden --own share of ranges, challengeData--> open --revealData, anyone--> answered: what it shows is ours
 *                                                     '--DR over, endChallenge--> the chain is halted at the block
 *
 * There is no memory: what is open, and by whom, is on L1, and each tick looks at all of it anew.
 */
import {
  answerGas,
  coverBlock,
  dataChallengeBond,
  type LeafRange,
  leavesOf,
  MAX_CHALLENGE_LEVELS,
} from '../../protocol/dataChallenge.ts'
import { BOND_GAS } from '../../protocol/exit.ts'
import {
  answerDelaySeconds,
  answersIn,
  challengeDelaySeconds,
  challengesIn,
  delayOf,
  drawOf,
  isTaken,
  probesUntil,
} from './dataTime.ts'
import type {
  ChallengeData,
  DataFacts,
  DataRecord,
  EndDataChallenge,
  HeldRange,
  HiddenBlock,
  RevealData,
  Silence,
} from './dataTypes.ts'
import { haltWindow, isVoidBlock, rollingDeadline } from './exitTime.ts'
import { budgetAt, CALL_GAS, DATA_BOND_PERCENT } from './policy.ts'
import { judge } from './rules.ts'
import type { Effect, L1Readings, World } from './types.ts'

/** Acts of one kind proposed in one tick: after each L1 block the others' are seen first. */
export const ACTS_AT_ONCE = 8
/** Hidden blocks looked at, oldest first: what stands on them falls with them. */
const HIDDEN_AT_ONCE = 16
const CHALLENGE_DATA_GAS = 160_000n
const GWEI = 10n ** 9n

export type DataInput = Readonly<{
  facts: DataFacts
  /** Absent while L1 can't be read: then nothing is challenged, and the rest goes on. */
  readings: L1Readings | undefined
  world: World
}>

/** Total and deterministic. Most urgent first: halting, then answers, then challenges. */
export function planData(input: DataInput): readonly Effect[] {
  const { world } = input
  return [
    ...planEnds(input).flatMap((action) => judge(action, world)),
    ...planReveals(input).flatMap((action) => judge(action, world)),
    ...planChallenges(input),
  ]
}

/** Once a block is halted at, all that was open on it falls with it: one call is enough. */
function planEnds({ facts, readings, world }: DataInput): readonly EndDataChallenge[] {
  const { now, policy, voidFrom, verifiedBlock } = world
  const halting = new Map<number, DataRecord>()
  const refunds: DataRecord[] = []
  for (const record of facts.open) {
    const { challenge } = record
    const isOurs = challenge.challenger === policy.sender
    const isFallen = isVoidBlock(challenge.blockNumber, voidFrom)
    if (!isFallen && now.timestamp <= answersIn(record, world).until) continue
    if (isFallen || now.timestamp > haltWindow({ timestamp: challenge.blockTime }, world).until) {
      if (isOurs) refunds.push(record)
      continue
    }
    if (challenge.blockNumber <= verifiedBlock && !cameLate(record, facts, world)) continue
    const other = halting.get(challenge.blockNumber)
    if (!other || rankOf(record, world) < rankOf(other, world)) halting.set(challenge.blockNumber, record)
  }
  const means = { costWei: CALL_GAS * (readings?.baseFeeWei ?? 0n), silence: silenceOf(facts) }
  const [lowest] = [...halting.values()].sort((a, b) => a.challenge.blockNumber - b.challenge.blockNumber)
  return [
    ...(lowest ? [endOf(lowest, 'halt', { ...means, ...lateness(lowest, facts, world) }, world)] : []),
    ...refunds.slice(0, ACTS_AT_ONCE).map((record) => endOf(record, 'refund', means, world)),
  ]
}

/**
 * A body that came after the time for an answer does not call the halt off: every window of the exit games reckons with what a block holds
 * being known by its time + DC + DR. Had we had it in time, we would have answered.
 */
function cameLate(record: DataRecord, facts: DataFacts, world: World) {
  const seen = facts.seen(record.challenge.blockNumber)
  if (!seen || seen.arrivedL1 <= answersIn(record, world).until) return undefined
  return { observedSeconds: seen.observedSeconds }
}

function lateness(record: DataRecord, facts: DataFacts, world: World): Pick<EndDataChallenge, 'cameLate'> {
  const late = cameLate(record, facts, world)
  return late ? { cameLate: late } : {}
}

function silenceOf({ hidden: [first] }: DataFacts): Silence {
  return first ? { block: first.number, seconds: first.observedSeconds } : { block: 0, seconds: 0 }
}

/** Our own first: its bond comes back with the halt. */
function rankOf({ challenge }: DataRecord, { policy }: World): string {
  return `${challenge.challenger === policy.sender ? 0 : 1} ${drawOf(policy, 'end', challenge)}`
}

function endOf(
  record: DataRecord,
  aim: EndDataChallenge['aim'],
  means: Pick<EndDataChallenge, 'costWei' | 'silence' | 'cameLate'>,
  world: World,
): EndDataChallenge {
  const { policy, parameters, now } = world
  const { challenge } = record
  const over = answersIn(record, world).until
  const isOurs = challenge.challenger === policy.sender
  const base = { record, aim, ...means }
  const name = `${challenge.blockNumber}:${challenge.first}:${challenge.levels}:${challenge.startedAt}`
  if (aim === 'refund') {
    return {
      type: 'end-data-challenge',
      key: `refund-data:${name}`,
      purpose: `fetch the bond of the challenge of block ${challenge.blockNumber}, leaves from ${challenge.first} on`,
      notBefore: 0,
      deadline: rollingDeadline(over, parameters.minExitPeriod, now.timestamp),
      budgetWei: policy.keeperBudgetWei < challenge.bond ? policy.keeperBudgetWei : challenge.bond,
      ...base,
    }
  }
  return {
    type: 'end-data-challenge',
    key: `end-data:${name}`,
    purpose: `halt the chain at block ${challenge.blockNumber}: its leaves from ${challenge.first} on were not revealed`,
    notBefore: over + 1 + (isOurs ? 0 : delayOf(policy, 'end', challenge, policy.staggerSeconds)),
    deadline: haltWindow({ timestamp: challenge.blockTime }, world).until,
    // Every minute of a chain that is about to end is one in which people pay each other with nothing.
    budgetWei: budgetAt(policy.proofFloorWei, { from: over, until: over + parameters.reaction }, now.timestamp),
    ...base,
  }
}

/** The widest open range of each, with all that is open inside it. */
function planReveals({ facts, readings, world }: DataInput): readonly RevealData[] {
  const { now, verifiedBlock, voidFrom, policy, parameters } = world
  const answerable = facts.open.filter((record) => {
    const { blockNumber } = record.challenge
    const isOver = now.timestamp > answersIn(record, world).until
    return blockNumber <= verifiedBlock && !isVoidBlock(blockNumber, voidFrom) && !isOver
  })
  const batches = nest(answerable)
    .map((records) => ({ records, window: windowOf(records, world) }))
    .filter(({ records, window }) => now.timestamp >= window.from + delayIn(records, world))
    .sort((a, b) => a.window.until - b.window.until)
  return batches.slice(0, ACTS_AT_ONCE).flatMap(({ records, window }): RevealData[] => {
    const whole = (records[0] as DataRecord).challenge
    const held = facts.hold(whole)
    if (!held) return []
    const rewardWei = readings ? rewardOf(records, held, readings.baseFeeWei) : 0n
    const floor = rewardWei > policy.challengeFloorWei ? rewardWei : policy.challengeFloorWei
    return [
      {
        type: 'reveal-data',
        key: `reveal-data:${whole.blockNumber}:${whole.first}:${whole.levels}:${whole.startedAt}`,
        purpose: `reveal ${leavesOf(whole, whole.txCount)} leaves of block ${whole.blockNumber} from ${whole.first} on`,
        notBefore: window.from + delayIn(records, world),
        deadline: window.until,
        budgetWei: budgetAt(floor, window, now.timestamp),
        records,
        held,
        rewardWei,
      },
    ]
  })

  function delayIn(records: readonly DataRecord[], { policy: { seed } }: World): number {
    const whole = (records[0] as DataRecord).challenge
    return policy.staggerSeconds === 0 ? 0 : delayOf({ seed }, 'reveal', whole, answerDelaySeconds(parameters))
  }
}

/** The widest ranges, each with what lies inside. Ranges are aligned: two of them are nested or apart. */
function nest(records: readonly DataRecord[]): readonly (readonly [DataRecord, ...DataRecord[]])[] {
  const byRange = new Map(records.map((record) => [nameOf(record.challenge), record]))
  const widest = (record: DataRecord): DataRecord => {
    const { challenge } = record
    for (let levels = MAX_CHALLENGE_LEVELS; levels > challenge.levels; levels--) {
      const first = challenge.first - (challenge.first % 2 ** levels)
      const found = byRange.get(nameOf({ ...challenge, first, levels }))
      if (found) return found
    }
    return record
  }
  const nests = new Map<DataRecord, [DataRecord, ...DataRecord[]]>()
  for (const record of records) {
    const whole = widest(record)
    const nested = nests.get(whole) ?? [whole]
    if (record !== whole) nested.push(record)
    nests.set(whole, nested)
  }
  return [...nests.values()]
}

function nameOf({ blockNumber, first, levels }: LeafRange): string {
  return `${blockNumber} ${first} ${levels}`
}

/** One call answers all of them, so the first that would be too late says when. */
function windowOf(records: readonly DataRecord[], world: World) {
  const windows = records.map((record) => answersIn(record, world))
  return { from: Math.min(...windows.map(({ from }) => from)), until: Math.min(...windows.map(({ until }) => until)) }
}

/** What `revealData` pays for this call: 1.1 times the cost by formula, out of the bonds in their order, half of it where that is so. */
export function rewardOf(records: readonly DataRecord[], held: HeldRange, baseFeeWei: bigint): bigint {
  const transactions = held.transactions.map(({ transaction }) => transaction)
  const cost = BigInt(answerGas(transactions, held.path.length))
  let left = (cost * (baseFeeWei > GWEI ? baseFeeWei : GWEI) * 11n) / 10n
  let paid = 0n
  for (const { challenge } of records) {
    const share = left < challenge.bond ? left : challenge.bond
    left -= share
    paid += challenge.halved ? share / 2n : share
  }
  return paid
}

function planChallenges({ facts, readings, world }: DataInput): readonly Effect[] {
  const { policy } = world
  const silence = silenceOf(facts)
  if (!readings) return []
  let available = readings.balanceWei - policy.challengeReserveWei
  const effects: Effect[] = []
  for (const hidden of facts.hidden.slice(0, HIDDEN_AT_ONCE)) {
    const wanted = shareOf(hidden, world).slice(0, ACTS_AT_ONCE)
    let allowance = allowanceOf(hidden, facts.own, world)
    const groups = new Set(hidden.records.map(({ challenge }) => challenge.first >> 6))
    for (const range of wanted) {
      groups.add(range.first >> 6)
      const means = { readings, silence, groups: groups.size, allowanceWei: allowance, availableWei: available }
      const action = challengeOf(range, hidden, means, world)
      const judged = judge(action, world)
      effects.push(...judged)
      if (judged[0] !== action) break
      allowance -= action.bondWei
      available -= action.bondWei + action.costWei
    }
  }
  return effects
}

/**
 * Ranges of the cover that nobody has demanded, in this watcher's own order: one until half of DC, then all. Of a block behind the first
 * hidden one only then: it falls with that one, unless that one is revealed at the last moment.
 */
export function shareOf({ number, header, records }: HiddenBlock, world: World): readonly LeafRange[] {
  const { now, policy, parameters, verifiedBlock } = world
  const window = challengesIn(header, world)
  const longest = challengeDelaySeconds(parameters, policy.staggerSeconds)
  const cover = coverBlock(number, header.txCount)
  const delay = delayOf(policy, 'challenge', { blockNumber: number, first: 0, levels: 0 }, longest)
  const isFirst = number === verifiedBlock + 1
  const everything = probesUntil(header, world) + delay
  if (now.timestamp > window.until) return []
  if (now.timestamp < everything && (!isFirst || records.length > 0 || now.timestamp < window.from + delay)) return []
  const free = cover.filter((range) => !isTaken(range, records))
  const order = new Map(free.map((range) => [range, drawOf(policy, 'challenge', range)]))
  free.sort((a, b) => ((order.get(a) as string) < (order.get(b) as string) ? -1 : 1))
  return now.timestamp < everything ? free.slice(0, 1) : free
}

/** Bonds that are open, or were answered in the last MEP: what the budget counts. Wei. */
export function boundInChallenges(own: readonly DataRecord[]): bigint {
  return own.filter(({ state }) => state !== 'ended').reduce((sum, { challenge }) => sum + challenge.bond, 0n)
}

/** Half of what the other blocks leave of the budget, less what is on this one already. */
export function allowanceOf({ number }: HiddenBlock, own: readonly DataRecord[], { policy }: World): bigint {
  const here = boundInChallenges(own.filter(({ challenge }) => challenge.blockNumber === number))
  const elsewhere = boundInChallenges(own) - here
  return (policy.dataChallengeBudgetWei - elsewhere) / 2n - here
}

type Means = Readonly<{
  readings: L1Readings
  silence: ChallengeData['silence']
  groups: number
  allowanceWei: bigint
  availableWei: bigint
}>

function challengeOf(range: LeafRange, hidden: HiddenBlock, means: Means, world: World): ChallengeData {
  const { readings, ...rest } = means
  const { header, records } = hidden
  const { policy, now } = world
  const window = challengesIn(header, world)
  const leastBondWei = dataChallengeBond(range.levels, means.groups, readings.exitBondWei / BOND_GAS)
  return {
    type: 'challenge-data',
    key: `challenge-data:${range.blockNumber}:${header.timestamp}:${range.first}:${range.levels}`,
    purpose: `demand leaves of block ${range.blockNumber} from ${range.first} on, which nobody serves`,
    notBefore: window.from,
    deadline: window.until,
    budgetWei: budgetAt(policy.challengeFloorWei, window, now.timestamp),
    range,
    header,
    leastBondWei,
    bondWei: (leastBondWei * DATA_BOND_PERCENT + 99n) / 100n,
    costWei: (CHALLENGE_DATA_GAS * readings.baseFeeWei * 3n) / 2n,
    baseFeeWei: readings.baseFeeWei,
    known: records,
    ...rest,
  }
}

/**
 * Which outputs leave together (docs/spec.md section 6.4; docs/honest-watcher.md "Mass exits"). Pure: candidates and the state of the world in,
 * batches out. A batch waits for its youngest entry, is lost as a whole when one entry can't be defended, and costs its bond for each:
 * so it holds one token, outputs of one age and one worth, and nothing that L1 could refuse.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import { batchBond, batchDeadlines, type Entry, formatOf, MAX_ENTRIES_SIZE } from '../../protocol/massExit.ts'
import { decodePosition, isDepositPosition } from '../../protocol/position.ts'
import { isFallen } from '../court/exitTime.ts'
import { worthOf } from '../court/policy.ts'
import type { World } from '../court/types.ts'

/** Gas of `startBatch`: once, and for each entry (bench/gas*.ts). */
const BATCH_GAS = 280_000n
const ENTRY_START_GAS = 850n
/** What a claim costs among many. */
export const CLAIM_GAS = 70_000n
/** What an exit of its own costs: its start and its turn. */
const SINGLE_GAS = 115_000n
const BATCH_GAS_CAP = 15_000_000n
export const ENTRIES_PER_BATCH = 10_000
/** Percent of the least bond sent along: F may rise until the call is mined. The rest comes back with the bond. */
const BATCH_BOND_PERCENT = 125n
/** From this many on, together is cheaper than one by one. */
export const FEWEST_TOGETHER = Number(BATCH_GAS / (SINGLE_GAS - CLAIM_GAS - ENTRY_START_GAS)) + 1

/** An unspent output as the books have it. */
export type Candidate = Readonly<{
  position: number
  owner: Address
  token: Address
  amount: bigint
  /** L1 seconds of the block that its position names, a deposit's too: what a batch waits for; 0 for block 0. */
  madeAt: number
  /** It can be shown on L1, and L1's word on it is final. */
  isProvable: boolean
  isFinal: boolean
  /** An exit, a dispute or another batch's lock has named it, or a dispute runs about what made it. */
  isTaken: boolean
  /** A started batch that names it and may still be locked. */
  inBatch?: Readonly<{ batchId: Hash; startedAt: number; isOurs: boolean }>
  /** The digest of a mandate that covers it until the last moment at which the batch may start; undefined without one. */
  mandate?: Hash
}>

export type Refusal =
  | 'not-older-than-the-fault'
  | 'spent-in-fault'
  | 'fallen'
  | 'not-provable'
  | 'not-final'
  | 'taken'
  | 'in-batch'
  | 'no-mandate'
  | 'not-worth-it'
  | 'over-budget'

export type Means = Readonly<{
  baseFeeWei: bigint
  /** F, in whole gwei. */
  feeGwei: bigint
  /** Most in bonds of the batches that are planned now. */
  bondWei: bigint
}>

/** What the outputs of a batch have in common. `dust`: worth less than claiming one apart would cost. */
export type Kind = 'old' | 'young' | 'dust'

export type PlannedBatch = Readonly<{
  token: Address
  kind: Kind
  /** Positions strictly increasing. */
  entries: readonly Entry[]
  owners: number
  total: bigint
  /** Of the mandates that answer demands. */
  mandates: readonly Hash[]
  /** None of its entries is without. */
  isMandated: boolean
  gas: bigint
  leastBondWei: bigint
  bondWei: bigint
  /** At 3/2 of the base fee of the moment. */
  costWei: bigint
  /** L1 seconds: when its entries become payable, if it starts now and is locked as soon as it may be. */
  payableAt: number
}>

export type MassExitPlan = Readonly<{
  /** False: nothing is published now; the rest says what would be. */
  isDue: boolean
  /** L1 seconds: a batch that starts by then comes before every output of the block in question; undefined where there is no hurry. */
  lastStart: number | undefined
  batches: readonly PlannedBatch[]
  /** Cheaper, or in time only, one by one. */
  singles: readonly Candidate[]
  refused: readonly Readonly<{ position: number; owner: Address; reason: Refusal }>[]
}>

export type PlanInput = Readonly<{ candidates: readonly Candidate[]; means: Means; world: World }>

/** Total and deterministic: every candidate is in exactly one batch, single or refused. */
export function planBatches({ candidates, means, world }: PlanInput): MassExitPlan {
  const refused: { position: number; owner: Address; reason: Refusal }[] = []
  const refuse = ({ position, owner }: Candidate, reason: Refusal) => refused.push({ position, owner, reason })
  const fit: Candidate[] = []
  for (const candidate of new Map(candidates.map((one) => [one.position, one])).values()) {
    const reason = refusalOf(candidate, world)
    if (reason) refuse(candidate, reason)
    else fit.push(candidate)
  }
  const isDue = world.safety.status === 'unsafe'
  const lastStart = lastStartOf(world)
  const singles: Candidate[] = []
  const groups = groupsOf(fit, means, world)
  const isOnlyInTimeAlone = isDue && !isBatchInTime(world)
  const batches: PlannedBatch[] = []
  let left = means.bondWei
  for (const { kind, members } of groups) {
    const alone = members.filter(({ mandate }) => mandate !== undefined)
    if (kind !== 'dust' && (isOnlyInTimeAlone || members.length < FEWEST_TOGETHER) && alone.length === members.length) {
      singles.push(...members)
      continue
    }
    // Strangers' few, in a token of their own or little in it, must not cost us a whole call each.
    if (members.length < FEWEST_TOGETHER && alone.length < members.length && !isWorthIt(members, means, world)) {
      singles.push(...(kind === 'dust' ? [] : alone))
      for (const member of members) if (kind === 'dust' || member.mandate === undefined) refuse(member, 'not-worth-it')
      continue
    }
    for (const chunk of chunksOf(members)) {
      const affordable = affordableOf(chunk.length, left, means)
      const taken = [...chunk].sort((a, b) => compareBig(b.amount, a.amount)).slice(0, affordable)
      const isIn = new Set(taken)
      for (const member of chunk) if (!isIn.has(member)) refuse(member, 'over-budget')
      if (taken.length === 0) continue
      if (kind === 'dust' && !isWorthIt(taken, means, world)) {
        for (const member of taken) refuse(member, 'not-worth-it')
        continue
      }
      const batch = toBatch(kind, taken, means, world)
      left -= batch.bondWei
      batches.push(batch)
    }
  }
  return { isDue, lastStart, batches, singles, refused }
}

/** The rest of these decisions is the rules' (startRules.ts): the same outputs may leave, together or alone. */
function refusalOf(candidate: Candidate, world: World): Refusal | undefined {
  const { safety, spentInFault, now } = world
  const { position, mandate, inBatch } = candidate
  const { block } = decodePosition(position)
  if (isFallen(position, world)) return 'fallen'
  if (safety.status !== 'safe' && !isDepositPosition(position) && block >= safety.block)
    return 'not-older-than-the-fault'
  if (isSpentInFault()) return 'spent-in-fault'
  if (candidate.isTaken) return 'taken'
  if (inBatch && (inBatch.isOurs || isWorthWaitingFor(inBatch.startedAt, world))) return 'in-batch'
  if (!candidate.isProvable) return 'not-provable'
  if (!candidate.isFinal) return 'not-final'
  return mandate === undefined && world.voidFrom === 0 ? 'no-mandate' : undefined

  /** As AFTER-THE-PROOF: until the block is void what it spends is evidence, and costs the bond. */
  function isSpentInFault(): boolean {
    if (safety.status !== 'unsafe' || safety.reason !== 'invalid' || !spentInFault.has(position)) return false
    return now.timestamp < safety.lastSafeMoment
  }
}

/**
 * A stranger's batch is trusted only as long as it can be locked, and our own can still be in time once it fails: whoever posts batches to lose
 * must not delay us.
 */
function isWorthWaitingFor(startedAt: number, world: World): boolean {
  const { answer, lock } = batchDeadlines(startedAt, world.parameters.minExitPeriod)
  if (world.now.timestamp > lock) return false
  const last = lastStartOf(world)
  return last === undefined || answer + world.parameters.reaction <= last
}

/**
 * A batch has its place from its lock on, which comes MEP/4 after its start at the earliest: the last moment for single exits, less that and
 * the time that a lock takes. Undefined where there is no hurry or no last moment.
 */
export function lastStartOf({ safety, parameters }: World): number | undefined {
  if (safety.status === 'safe' || safety.reason === 'halted' || safety.reason === 'short') return undefined
  return safety.lastSafeMoment - Math.floor(parameters.minExitPeriod / 4) - parameters.reaction
}

/** Late is worse than alone, and better than never: past the last safe moment too, batches go on. */
function isBatchInTime(world: World): boolean {
  const { safety, now } = world
  const last = lastStartOf(world)
  if (last === undefined || now.timestamp <= last) return true
  return 'lastSafeMoment' in safety && now.timestamp > safety.lastSafeMoment
}

type Group = Readonly<{ kind: Kind; members: readonly Candidate[] }>

/** By token, then age, then worth; the most valuable first, as far as that is known. */
function groupsOf(candidates: readonly Candidate[], means: Means, world: World): readonly Group[] {
  const groups = new Map<string, { kind: Kind; members: Candidate[] }>()
  for (const candidate of candidates) {
    const age = ageOf(candidate, world)
    const isDust = isDustOf(candidate, means, world)
    const key = `${candidate.token} ${age} ${isDust}`
    const group = groups.get(key) ?? { kind: isDust ? 'dust' : age === 0 ? 'old' : 'young', members: [] }
    groups.set(key, group)
    group.members.push(candidate)
  }
  const worth = ({ kind, members }: Group) =>
    kind === 'dust'
      ? -1n
      : members.reduce((sum, { token, amount }) => sum + (worthOf(world.policy, token, amount) ?? 0n), 0n)
  return [...groups.values()].sort((a, b) => compareBig(worth(b), worth(a)) || firstOf(a) - firstOf(b))
}

/** 0: of no influence on when the batch pays. Young ones wait at most MEP/8 for each other. */
function ageOf({ madeAt }: Candidate, { now, parameters }: World): number {
  const { minExitPeriod } = parameters
  const oldUntil = now.timestamp + Math.floor(minExitPeriod / 4) - minExitPeriod
  if (madeAt <= oldUntil) return 0
  return 1 + Math.floor((madeAt - oldUntil) / Math.max(1, Math.floor(minExitPeriod / 8)))
}

/** A token without a price may be worth anything. */
function isDustOf({ token, amount }: Candidate, { baseFeeWei }: Means, { policy }: World): boolean {
  const worth = worthOf(policy, token, amount)
  return worth !== undefined && worth < CLAIM_GAS * baseFeeWei
}

/** Together they must be worth what their places cost; whether each is worth its claim is decided when they are claimed. */
function isWorthIt(members: readonly Candidate[], means: Means, { policy }: World): boolean {
  const worth = members.reduce((sum, { token, amount }) => sum + (worthOf(policy, token, amount) ?? 0n), 0n)
  return worth > gasOf(members.length) * means.baseFeeWei
}

function chunksOf(members: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const sorted = [...members].sort((a, b) => a.position - b.position)
  const byGas = Number((BATCH_GAS_CAP - BATCH_GAS) / ENTRY_START_GAS)
  const byBytes = Math.floor(MAX_ENTRIES_SIZE / mostBytesPerEntry(sorted))
  const most = Math.max(1, Math.min(ENTRIES_PER_BATCH, byGas, byBytes))
  return Array.from({ length: Math.ceil(sorted.length / most) }, (_, i) => sorted.slice(i * most, (i + 1) * most))
}

/** Of any part of them: what is left out in between makes the others farther apart. */
function mostBytesPerEntry(sorted: readonly Candidate[]): number {
  const ends = [sorted[0], sorted.at(-1)].flatMap((one) => one ?? [])
  const { positionBytes } = formatOf(ends)
  const { amountBytes } = formatOf(sorted)
  return positionBytes + amountBytes
}

/** How many entries' bond is left. */
function affordableOf(wanted: number, left: bigint, { feeGwei }: Means): number {
  const each = bondFor(2, feeGwei) - bondFor(1, feeGwei)
  const first = bondFor(1, feeGwei)
  if (left < first) return 0
  return Math.min(wanted, 1 + Number((left - first) / each))
}

function toBatch(kind: Kind, members: readonly Candidate[], means: Means, world: World): PlannedBatch {
  const { now, parameters } = world
  const sorted = [...members].sort((a, b) => a.position - b.position)
  const { minExitPeriod } = parameters
  const lock = batchDeadlines(now.timestamp, minExitPeriod).answer
  const youngest = Math.max(...sorted.slice(-1).map(({ madeAt }) => madeAt))
  const gas = gasOf(sorted.length)
  return {
    token: (sorted[0] as Candidate).token,
    kind,
    entries: sorted.map(({ position, amount }) => ({ position, amount })),
    owners: new Set(sorted.map(({ owner }) => owner)).size,
    total: sorted.reduce((sum, { amount }) => sum + amount, 0n),
    mandates: [...new Set(sorted.flatMap(({ mandate }) => mandate ?? []))],
    isMandated: sorted.every(({ mandate }) => mandate !== undefined),
    gas,
    leastBondWei: batchBond(sorted.length, means.feeGwei),
    bondWei: bondFor(sorted.length, means.feeGwei),
    costWei: (gas * means.baseFeeWei * 3n) / 2n,
    payableAt: Math.max(lock + minExitPeriod, youngest === 0 ? 0 : youngest + 2 * minExitPeriod),
  }
}

/** Wei that are sent along: more than the least. */
export function bondFor(count: number, feeGwei: bigint): bigint {
  return (batchBond(count, feeGwei) * BATCH_BOND_PERCENT) / 100n
}

/** Of `startBatch`. */
export function gasOf(count: number): bigint {
  return BATCH_GAS + ENTRY_START_GAS * BigInt(count)
}

function firstOf({ members: [first] }: Group): number {
  return first?.position ?? 0
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b)
}

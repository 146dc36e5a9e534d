/**
 * All machines over one consistent set of facts (docs/spec.md section 11). This is the whole decision of a watcher: pure, total, and
 * taken anew at every tick, so that a message missed, a restart or an L1 reorg costs a tick and nothing else.
 */
import type { Header } from '../../protocol/block.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { DisputeFacts, ExitFacts, ExitRecord, LeftPlace } from '../facts.ts'
import type { BatchRecord } from './batchTypes.ts'
import { type DisputePhase, NEW_DISPUTE, stepDispute } from './dispute.ts'
import { disputesAtStake } from './disputeStake.ts'
import { isSuspended } from './docket.ts'
import { refold } from './exitRecord.ts'
import { isOpen } from './exitTime.ts'
import { type FaultCase, planChain } from './faults.ts'
import { planInheritance } from './inheritance.ts'
import { planProtected, type Ward } from './protectedExit.ts'
import { planQueue } from './queueKeeper.ts'
import { type ExitPhase, NEW_CASE, stepExit, verdictOf } from './standardExit.ts'
import type { Action, Effect, L1Readings, World } from './types.ts'

export type CourtInput = Readonly<{
  /** The chain's own fault, while L1 does not know of it. */
  fault?: FaultCase | undefined
  /** The phases of the step before, by output id. Forgetting them changes nothing. */
  cases: ReadonlyMap<Hash, ExitPhase>
  /** The same by transaction hash. */
  disputeCases: ReadonlyMap<Hash, DisputePhase>
  /** Open exits, and those that closed lately. */
  exits: readonly ExitFacts[]
  /** On the line, given up and not freed. */
  leftPlaces?: readonly LeftPlace[]
  /** Output ids of tickets whose output has an older share of a mass exit, used by nobody yet. */
  withOlderShare?: ReadonlySet<Hash>
  /** Disputes that run, that were decided lately, and canonical ones by which something may still leave. */
  disputes: readonly DisputeFacts[]
  wards: readonly Ward[]
  /** Exits whose turn may be ahead, removed ones too. */
  records: readonly ExitRecord[]
  headers: ReadonlyMap<number, Header>
  /** Locked mass exits with outputs of protected owners. */
  ourBatches?: readonly BatchRecord[]
  /** Absent while L1 can't be read: evidence is then still decided on, nothing else. */
  readings: L1Readings | undefined
  world: World
}>

export type CourtStep = Readonly<{
  cases: ReadonlyMap<Hash, ExitPhase>
  disputeCases: ReadonlyMap<Hash, DisputePhase>
  effects: readonly Effect[]
}>

/** Most urgent first: the chain itself, evidence and pieces of disputes, then our own exits, then the queue. */
export function stepCourt(input: CourtInput): CourtStep {
  const { disputes, wards, headers, readings, world } = input
  const exits = input.exits.map((facts) => refold(facts, world.docket))
  const cases = new Map<Hash, ExitPhase>()
  const disputeCases = new Map<Hash, DisputePhase>()
  const ofCases: Effect[] = []
  for (const facts of exits) {
    const { outputId } = facts.exit
    const { next, effects } = stepExit(input.cases.get(outputId) ?? NEW_CASE, { facts, world })
    cases.set(outputId, next)
    ofCases.push(...effects)
  }
  const invalid = exits.filter(({ exit }) => verdictOf(cases.get(exit.outputId) ?? NEW_CASE) === 'invalid')
  const openExits = exits.filter(({ state }) => isOpen(state))
  const invalidExits = new Set(invalid.map(({ exit }) => exit.outputId))
  const atStake = disputesAtStake({
    disputes,
    invalidExits,
    openExits,
    ourBatches: input.ourBatches,
    funded: readings?.funded,
    world,
  })
  for (const facts of disputes) {
    const { txHash } = facts.dispute
    const before = input.disputeCases.get(txHash) ?? NEW_DISPUTE
    const { next, effects } = stepDispute(before, { facts, isAtStake: atStake.has(txHash), world })
    disputeCases.set(txHash, next)
    ofCases.push(...effects)
  }
  ofCases.sort((a, b) => urgencyOf(a) - urgencyOf(b))
  // What concerns the whole chain comes before all that concerns one exit. Data challenges join here.
  ofCases.unshift(...planChain({ fault: input.fault, exits, disputes, world }))
  if (!readings) return { cases, disputeCases, effects: ofCases }
  const records = input.records.map((record) => refold(record, world.docket))
  const doubted = new Set(exits.filter((facts) => isDoubted(facts, cases, world)).map(({ exit }) => exit.outputId))
  const cancelled = cancelledOf([...exits, ...disputes.flatMap(inputExitsOf)], world)
  const effects = [
    ...ofCases,
    ...planProtected({ wards, disputes, openExits, readings: afterProof(readings, ofCases, world), world }),
    ...planQueue({
      ...{ records, openExits, cancelled, headers, doubted, readings, world },
      leftPlaces: input.leftPlaces,
      withOlderShare: input.withOlderShare,
      ourBatches: input.ourBatches,
    }),
    ...planInheritance({ disputes, openExits, readings, world, ourBatches: input.ourBatches }),
  ]
  return { cases, disputeCases, effects }
}

/** Bonds must not take what the proof of an invalid block may need; of a small key they may take all but a quarter. */
function afterProof(readings: L1Readings, effects: readonly Effect[], { policy }: World): L1Readings {
  if (!effects.some(({ type }) => type === 'prove-fault')) return readings
  const { balanceWei } = readings
  const most = balanceWei / 4n
  return { ...readings, balanceWei: balanceWei - (policy.proofFloorWei < most ? policy.proofFloorWei : most) }
}

export function isAction(effect: Effect): effect is Action {
  return effect.type !== 'alert'
}

function urgencyOf(effect: Effect): number {
  return isAction(effect) ? effect.deadline : 0
}

/** One that a dispute holds can't be paid at its turn, it only takes its place; one that a verdict ended leaves unpaid. */
function isDoubted({ exit, evidence, output }: ExitFacts, cases: CourtStep['cases'], { docket }: World): boolean {
  const phase = cases.get(exit.outputId) ?? NEW_CASE
  if (evidence.length > 0 || isSuspended(exit, docket) || phase === 'passed-on' || phase === 'refuted') return false
  if (phase === 'fallen') return false
  return verdictOf(phase) !== 'valid' || output.kind === 'unverified'
}

function inputExitsOf({ inputExits }: DisputeFacts): readonly ExitRecord[] {
  return inputExits.flatMap((record) => record ?? [])
}

/** Each once, whichever way it was learnt. */
function cancelledOf(records: readonly ExitRecord[], { docket }: World): readonly ExitRecord[] {
  const tickets = records.map((record) => refold(record, docket)).filter(({ state }) => state === 'cancelled-ticket')
  return [...new Map(tickets.map((record) => [record.exit.outputId, record])).values()]
}

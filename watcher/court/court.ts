/**
 * All machines over one consistent set of facts (docs/spec.md section 11). This is the whole decision of a watcher: pure, total, and
 * taken anew at every tick, so that a message missed, a restart or an L1 reorg costs a tick and nothing else.
 */
import type { Header } from '../../protocol/block.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { ExitFacts, ExitRecord } from '../facts.ts'
import { isOpen } from './exitTime.ts'
import { planProtected, type Ward } from './protectedExit.ts'
import { planQueue } from './queueKeeper.ts'
import { type ExitPhase, NEW_CASE, stepExit, verdictOf } from './standardExit.ts'
import type { Action, Effect, L1Readings, World } from './types.ts'

export type CourtInput = Readonly<{
  /** The phases of the step before, by output id. Forgetting them changes nothing. */
  cases: ReadonlyMap<Hash, ExitPhase>
  /** Open exits, and those that closed lately. */
  exits: readonly ExitFacts[]
  wards: readonly Ward[]
  /** Exits whose turn may be ahead, removed ones too. */
  records: readonly ExitRecord[]
  headers: ReadonlyMap<number, Header>
  /** Absent while L1 can't be read: evidence is then still decided on, nothing else. */
  readings: L1Readings | undefined
  world: World
}>

export type CourtStep = Readonly<{ cases: ReadonlyMap<Hash, ExitPhase>; effects: readonly Effect[] }>

/** Most urgent first: evidence, then our own exits, then the queue. */
export function stepCourt(input: CourtInput): CourtStep {
  const { exits, wards, records, headers, readings, world } = input
  const cases = new Map<Hash, ExitPhase>()
  const ofExits: Effect[] = []
  for (const facts of exits) {
    const { outputId } = facts.exit
    const { next, effects } = stepExit(input.cases.get(outputId) ?? NEW_CASE, { facts, world })
    cases.set(outputId, next)
    ofExits.push(...effects)
  }
  ofExits.sort((a, b) => urgencyOf(a) - urgencyOf(b))
  if (!readings) return { cases, effects: ofExits }
  const openExits = exits.filter(({ state }) => isOpen(state))
  const doubted = new Set(exits.filter((facts) => isDoubted(facts, cases)).map(({ exit }) => exit.outputId))
  const ofWards = planProtected({ wards, openExits, readings, world })
  const ofQueue = planQueue({ records, openExits, headers, doubted, readings, world })
  return { cases, effects: [...ofExits, ...ofWards, ...ofQueue] }
}

export function isAction(effect: Effect): effect is Action {
  return effect.type !== 'alert'
}

function urgencyOf(effect: Effect): number {
  return isAction(effect) ? effect.deadline : 0
}

function isDoubted({ exit, evidence, output }: ExitFacts, cases: ReadonlyMap<Hash, ExitPhase>): boolean {
  if (evidence.length > 0) return false
  const phase = cases.get(exit.outputId) ?? NEW_CASE
  return verdictOf(phase) !== 'valid' || output.kind === 'unverified'
}

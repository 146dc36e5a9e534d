/** Cases of one dispute: what is true of it, what it looks like, and what the honest watcher does. */
import * as assert from 'uvu/assert'
import type { Hash } from '../../../protocol/bytes.ts'
import { NEW_DISPUTE, stepDispute } from '../../../watcher/court/dispute.ts'
import { disputesAtStake } from '../../../watcher/court/disputeStake.ts'
import type { Effect, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts } from '../../../watcher/facts.ts'
import { type Dispute0, ETHER, exitOf, MEP, paid, placeAt, positionOf, recordOf, rivalSpend, worldAt } from './world.ts'

export const SPEND = positionOf(20)
/** In a block that we do not have: only the cheater knows it. */
export const OLDER = positionOf(5)
export const YOUNGER = positionOf(45)
export const included: Dispute0 = { made: placeAt() }
export const contradicted: Dispute0 = { spends: [rivalSpend()] }
export const paidInput: Dispute0 = { inputExits: [recordOf(exitOf(), paid(ETHER))] }
export const due = worldAt(MEP + 1)

/** One look at a dispute that was never looked at before. */
export function look(facts: DisputeFacts, world: World = worldAt(10), isAtStake = stakeOf(facts, world)) {
  const { next, effects } = stepDispute(NEW_DISPUTE, { facts, isAtStake, world })
  const actions = effects.filter((effect) => effect.type !== 'alert')
  return { phase: next, effects, actions, alerts: codesOf(effects) }
}

/** Whether it is ours or of somebody protected, by itself. */
export function stakeOf(facts: DisputeFacts, world: World, invalidExits: ReadonlySet<Hash> = new Set()): boolean {
  const stakes = { disputes: [facts], invalidExits, openExits: [], funded: undefined, world }
  return disputesAtStake(stakes).has(facts.dispute.txHash)
}

function codesOf(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : []))
}

/** The one action of this type that a look asks for. */
export function only<A extends Effect['type']>(
  facts: DisputeFacts,
  type: A,
  world?: World,
): Extract<Effect, { type: A }> {
  const found = look(facts, world).actions.filter((action) => action.type === type)
  assert.is(found.length, 1)
  return found[0] as Extract<Effect, { type: A }>
}

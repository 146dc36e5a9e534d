/**
 * What a dispute means for the exits of the outputs around it. Two ways for an output of a disputed transaction to leave, where a verified block holds the transaction (docs/spec.md sections 5.4 and
 * 6.3.8): by that inclusion, or through the dispute, whose age is the transaction's youngest input. The earlier place is the better one.
 */

import type { Hash } from '../../protocol/bytes.ts'
import { compareTurns, maturityOf, type QueuePlace } from '../../protocol/exit.ts'
import { OPENED_SEQ } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { DisputeRecord, ProtectedOutput } from '../facts.ts'
import { spendingOf } from './docket.ts'
import type { World } from './types.ts'

/** The dispute that calls for taking an input of it out although the chain is not unsafe. */
export function callingDispute(
  outputId: Hash,
  { docket, safety }: Pick<World, 'docket' | 'safety'>,
): DisputeRecord | undefined {
  const records = spendingOf(outputId, docket).map(({ record }) => record)
  return records.find(
    ({ state, competitors }) =>
      state === 'not-canonical' || (state === 'running' && (safety.status !== 'safe' || competitors.length > 0)),
  )
}

/** An exit started now has its turn earlier through the dispute than by an inclusion in `block`. Equal places: by inclusion. */
export function isEarlierByDispute(
  { dispute }: DisputeRecord,
  block: Readonly<{ number: number; timestamp: number }>,
  world: World,
): boolean {
  const age = decodePosition(dispute.agePosition).block
  const byDispute = placeAt(age, dispute.ageTime === 0 ? undefined : dispute.ageTime, world)
  return compareTurns(byDispute, placeAt(block.number, block.timestamp, world)) < 0
}

/**
 * A locked mass exit holds a place for the output that is not later than what an exit started now would get: starting one would gain nothing,
 * but where only the owner can have something of it.
 */
export function isSecured(
  { position, shown, entries = [] }: Pick<ProtectedOutput, 'position' | 'shown' | 'entries'>,
  world: World,
): boolean {
  // Behind everything that waits already.
  const own = { ...placeAt(decodePosition(position).block, shown?.header.timestamp, world), seq: OPENED_SEQ }
  return entries.some(({ item, isShut }) => {
    if (!item || isShut) return false
    const { exitableAt, young, seq } = item
    return compareTurns({ exitableAt, young, block: decodePosition(item.position).block, seq }, own) <= 0
  })
}

function placeAt(block: number, timestamp: number | undefined, { now, parameters }: World): QueuePlace {
  return { ...maturityOf(now.timestamp, parameters.minExitPeriod, timestamp), block, seq: 0 }
}

/** A watcher's word for an exit in L1's words, for tests that compare the two. */
import { ticketOf } from '../../watcher/court/exitRecord.ts'
import type { ExitRecord } from '../../watcher/facts.ts'

/**
 * What the contract calls settled because its value passed on is to a watcher removed: nobody was paid by it. Without a place the contract
 * calls it cancelled still.
 */
export function heldState({ state, passedOn, events }: ExitRecord): string {
  if (state !== 'removed' || !passedOn) return state
  return ticketOf(events) ? 'settled' : 'cancelled'
}

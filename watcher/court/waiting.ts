/** What of ours waits on the line (docs/spec.md sections 5.5 and 6.2): places that `funded` has not reached whole. */
import type { Address, Hash } from '../../protocol/bytes.ts'
import type { ExitRecord } from '../facts.ts'
import type { BatchRecord } from './batchTypes.ts'
import { ticketOf } from './exitRecord.ts'
import type { Ticket, World } from './types.ts'

export type Ours = Readonly<{
  /** Queued exits and tickets. */
  openExits: readonly ExitRecord[]
  /** Locked mass exits with outputs of protected owners. */
  ourBatches?: readonly BatchRecord[] | undefined
  world: World
}>

export type Stretch = Readonly<{
  token: Address
  /** Where it begins: places before it don't count. */
  from?: bigint
  /** How far the line is covered. */
  fundedTo: bigint
  /** An output whose own ticket does not count. */
  except?: Hash
}>

/** A protected owner's ticket, or the place of a mass exit of ours, lies on that stretch of the line and is not covered whole. */
export function isOursShort(
  { token, from = 0n, fundedTo, except }: Stretch,
  { openExits, ourBatches = [], world }: Ours,
): boolean {
  const isShort = (place: Pick<Ticket, 'from' | 'due'> | undefined) =>
    place !== undefined && place.from >= from && place.from + place.due > fundedTo
  return (
    ourBatches.some(({ batch, ticket }) => batch.token === token && isShort(ticket)) ||
    openExits.some(({ exit, state, events }) => {
      if (exit.token !== token || state !== 'ticket' || !world.protectedOwners.has(exit.owner)) return false
      return exit.outputId !== except && isShort(ticketOf(events))
    })
  )
}

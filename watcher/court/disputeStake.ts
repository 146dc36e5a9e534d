/**
 * Whom a verdict matters to (docs/honest-watcher.md "Disputes"). It earns nothing, so it is asked for by whoever has something at stake: in
 * the disputed transaction, on the line behind a place that the dispute holds, or in another dispute that waits for this one.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import type { DisputeFacts, ExitRecord } from '../facts.ts'
import { refoldDispute } from './disputeRecord.ts'
import { refold, ticketOf } from './exitRecord.ts'
import { isOursShort, type Ours } from './waiting.ts'

export type Stakes = Ours &
  Readonly<{
    disputes: readonly DisputeFacts[]
    /** Exits that we hold invalid. */
    invalidExits: ReadonlySet<Hash>
    /** By token, how far the line is covered; absent while L1 can't be read. */
    funded: ReadonlyMap<Address, bigint> | undefined
  }>

/** Transaction hashes of the disputes that run and whose verdict we want. */
export function disputesAtStake(stakes: Stakes): ReadonlySet<Hash> {
  const running = stakes.disputes.map(refoldDispute).filter(({ state }) => state === 'running')
  const byHash = new Map(running.map((record) => [record.dispute.txHash, record]))
  const wanted = new Set<Hash>()
  const open = running.filter((record) => concernsUs(record, stakes) || holdsUsUp(record, stakes))
  // A verdict waits for those about what made its inputs.
  for (let record = open.pop(); record; record = open.pop()) {
    if (wanted.has(record.dispute.txHash)) continue
    wanted.add(record.dispute.txHash)
    open.push(...record.inputs.flatMap(({ madeBy }) => byHash.get(madeBy) ?? []))
  }
  return wanted
}

/** Its bond or an exit's is ours, an owner on either side is protected, or an exit that we hold invalid waits for it. */
function concernsUs(facts: DisputeFacts, { invalidExits, world: { policy, protectedOwners } }: Stakes): boolean {
  const isOurs = (owner: Address) => protectedOwners.has(owner)
  if (facts.dispute.starter === policy.sender) return true
  if (facts.inputs.some(({ owner }) => isOurs(owner)) || facts.outputs.some(({ owner }) => isOurs(owner))) return true
  return exitsOf(facts).some(({ exit: { payer, outputId } }) => payer === policy.sender || invalidExits.has(outputId))
}

/** A place on the line that nobody can free before the verdict, and one of ours behind it that is short. */
function holdsUsUp(facts: DisputeFacts, stakes: Stakes): boolean {
  return exitsOf(facts).some((record) => {
    const { exit, state, events } = refold(record, stakes.world.docket)
    const ticket = state === 'ticket' ? ticketOf(events) : undefined
    const fundedTo = stakes.funded?.get(exit.token)
    if (!ticket || fundedTo === undefined) return false
    return isOursShort({ token: exit.token, from: ticket.from + ticket.due, fundedTo }, stakes)
  })
}

function exitsOf({ inputExits, outputs }: DisputeFacts): readonly ExitRecord[] {
  return [...inputExits, ...outputs.map(({ exit }) => exit)].flatMap((record) => record ?? [])
}

/**
 * Disputes as the court wants them (docs/spec.md section 6.3): all records, for what verdicts say about exits, and of those that still
 * matter what the verified blocks hold. Building a proof hashes a whole block, so what was found is kept while nothing it rests on moved.
 */
import type { Address, Hash } from '../protocol/bytes.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { decidedAt, refoldDispute } from './court/disputeRecord.ts'
import { createDocket, type Docket } from './court/docket.ts'
import type { Alert } from './court/types.ts'
import type { CourtContext } from './courtPort.ts'
import type { DisputeFacts, DisputeRecord, ExitRecord } from './facts.ts'

export type Looking = Readonly<{
  exits: readonly ExitRecord[]
  protectedOwners: ReadonlySet<Address>
  /** Disputes that were decided in this L1 block or a later one are shown once more: every case gets its end. */
  sinceL1Block: number
}>

export type FoundDisputes = Readonly<{
  records: readonly DisputeRecord[]
  docket: Docket
  found: readonly DisputeFacts[]
  /** Of disputes whose facts can't be told. */
  faults: readonly Alert[]
}>

type Known = Readonly<{ restsOn: string; found: DisputeFacts }>

export function createDisputeMemo({ facts, log }: Pick<CourtContext, 'facts' | 'log'>) {
  let known = new Map<Hash, Known>()

  function look({ exits, protectedOwners, sinceL1Block }: Looking): FoundDisputes {
    const records = facts.disputes(0).map(refoldDispute)
    const exitOf = new Map(exits.map((record) => [record.exit.outputId, record]))
    const next = new Map<Hash, Known>()
    const faults: Alert[] = []
    for (const record of records) {
      const { txHash } = record.dispute
      if (!matters(record)) continue
      try {
        const entry = find(record, exitOf)
        if (entry) next.set(txHash, entry)
      } catch (error) {
        // One dispute whose facts can't be told must not keep the others from being judged.
        log.error('court.dispute_unreadable', { txHash, error })
        faults.push({ type: 'alert', code: 'INTERNAL_FAULT', key: txHash, details: { txHash, reason: String(error) } })
      }
    }
    known = next
    const found = [...next.values()].map((entry) => entry.found)
    return { records, docket: createDocket(records, found), found, faults }

    function matters(record: DisputeRecord): boolean {
      const { inputs, signed, state } = record
      if (state === 'running' || (decidedAt(record)?.l1Block ?? 0) >= sinceL1Block) return true
      if (inputs.some(({ owner }) => protectedOwners.has(owner))) return true
      if (state === 'not-canonical') return inputs.some(({ outputId }) => exitOf.has(outputId))
      // An output may leave late, and a place on the line be inherited later still.
      return (
        signed.transaction.outputs.some(({ owner }) => protectedOwners.has(owner)) ||
        inputs.some(({ token }) => hasWaiting(token))
      )
    }

    function hasWaiting(token: Address): boolean {
      const isShared = facts
        .lockedBatches()
        .some(({ batch, ticket, uses }) => batch.token === token && ticket && uses.size < batch.count)
      if (isShared) return true
      return exits.some(({ exit, state }) => {
        return exit.token === token && state === 'ticket' && protectedOwners.has(exit.owner)
      })
    }
  }

  function find(record: DisputeRecord, exitOf: ReadonlyMap<Hash, ExitRecord>): Known | undefined {
    const { txHash } = record.dispute
    const memo = known.get(txHash)
    if (memo && memo.restsOn === restsOn(memo.found, record, exitOf)) return memo
    const found = facts.disputeFacts(txHash)
    return found && { found, restsOn: restsOn(found, record, exitOf) }
  }

  /** All that may change what was found, as text; none of it needs a proof. */
  function restsOn(found: DisputeFacts, record: DisputeRecord, exitOf: ReadonlyMap<Hash, ExitRecord>): string {
    const { dispute, inputs, state, events } = record
    const { made, outputs } = found
    const exits = [...inputs, ...outputs].map(({ outputId }) => exitOf.get(outputId))
    const spenders = [
      ...inputs.map(({ position }) => facts.spentBy(position)),
      ...(made ? outputs.map(({ output }) => facts.spentBy(made.position + output)) : []),
    ]
    // What stands in no verified block may have been spent where another one holds it.
    const elsewhere = inputs.map(({ position }, i) => {
      const { block } = decodePosition(position)
      if (isDepositPosition(position) || block <= facts.verifiedBlock()) return false
      const spend = found.spends[i]
      const place = spend?.made && spend.signed.transaction.inputs[spend.input]
      if (!spend || place === undefined) return facts.verifiedBlock()
      return [facts.spentBy(place), rootAt(place), rootAt(spend.spend)]
    })
    return JSON.stringify([
      [dispute.startedAt, dispute.lockedAt, state, events.length, events.at(-1)?.at],
      exits.map((exit) => exit && [exit.state, exit.events.length, exit.events.at(-1)?.at]),
      spenders.map((spend) => spend !== undefined && [spend, rootAt(spend)]),
      elsewhere,
      made && [made.position, rootAt(made.position)],
      // What a refuted transaction spends counts as unspent: only its block tells that it was included.
      state === 'not-canonical' && !made && facts.verifiedBlock(),
    ])
  }

  function rootAt(position: number): Hash | undefined {
    return isDepositPosition(position) ? undefined : facts.header(decodePosition(position).block)?.root
  }

  return { look }
}

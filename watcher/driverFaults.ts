/**
 * The chain's fault as the court wants it (docs/spec.md section 8.5): with its proof, as long as L1 still has to be told. Building one
 * hashes up to three whole blocks, so it is kept while L1 stands still.
 */
import type { FraudProof } from '../protocol/fraud.ts'
import { type FaultCase, isFaultSettled } from './court/faults.ts'
import type { Alert, World } from './court/types.ts'
import type { CourtContext } from './courtPort.ts'
import type { FaultFact } from './facts.ts'

export type FoundFault = Readonly<{ fault?: FaultCase; alerts: readonly Alert[] }>

export function createFaultMemo({ facts, log }: Pick<CourtContext, 'facts' | 'log'>) {
  let known: Readonly<{ at: string; proof: FraudProof | undefined; alerts: readonly Alert[] }> | undefined

  /** A proof that can't be built must not keep the court from all else. */
  function build(fault: FaultFact): Readonly<{ proof: FraudProof | undefined; alerts: readonly Alert[] }> {
    const { block } = fault
    try {
      return { proof: facts.fraudProof(fault), alerts: [] }
    } catch (error) {
      log.error('court.fault_unprovable', { block, error })
      const details = { block, reason: String(error) }
      return { proof: undefined, alerts: [{ type: 'alert', code: 'INTERNAL_FAULT', key: `fault ${block}`, details }] }
    }
  }

  return {
    look(world: Pick<World, 'voidFrom' | 'disproved'>): FoundFault {
      const fault = facts.fault()
      if (!fault) return { alerts: [] }
      if (isFaultSettled(fault, world)) return { fault: { fault }, alerts: [] }
      // Headers and exits in a proof are L1's: nothing moves them but a new L1 block.
      const at = `${facts.l1Now().hash} ${fault.position} ${fault.header.root}`
      if (known?.at !== at) known = { at, ...build(fault) }
      const { proof, alerts } = known
      return { fault: { fault, ...(proof && { proof }) }, alerts }
    },
  }
}

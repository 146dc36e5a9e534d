/**
 * Including what L1 disputes (docs/spec.md section 6.3): a completely signed transaction that is still valid under the open block's anchor
 * belongs into the block, whatever this operator's policy says. Its inputs are locked by then, so no other way would take it.
 */
import type { Log } from '../service/log.ts'
import { prepareBatch } from '../signatures/jobs.ts'
import { isPrepared } from '../signatures/packing.ts'
import type { Admit } from './admit.ts'
import type { BlockLog } from './blockLog.ts'
import { toHash } from './columns.ts'
import type { Disputes } from './disputes.ts'
import type { Problems } from './problems.ts'

export type InclusionOptions = Readonly<{
  disputes: Disputes
  blockLog: BlockLog
  admit: Admit
  problems: Problems
  log: Log
  separator: Uint8Array
}>

/** What is to be done now, in the caller's store transaction; undefined when nothing is. */
export function findInclusion(options: InclusionOptions): (() => void) | undefined {
  const { disputes, blockLog, problems } = options
  const open = blockLog.open()
  if (!open || problems.blocking()) return undefined
  const waiting = disputes.includable(open.anchor.number)
  return waiting.length === 0 ? undefined : () => include(options, waiting)
}

function include(
  { disputes, admit, log, separator }: InclusionOptions,
  waiting: ReturnType<Disputes['includable']>,
): void {
  for (const { txHash, body } of waiting) {
    const [prepared] = prepareBatch({ bytes: body, ends: Uint32Array.of(body.length), separator })
    // L1 checked V1 and V4 already.
    if (!prepared || !isPrepared(prepared)) continue
    const [outcome] = admit([{ body, prepared }], { disputed: true })
    if (outcome?.status === 'accepted') {
      disputes.included(txHash, outcome.position)
      log.info('dispute.included', { txHash: toHash(txHash), position: outcome.position })
    } else if (outcome?.error.code !== 'DEPOSIT_PENDING') {
      disputes.giveUp(txHash)
      log.info('dispute.not_includable', { txHash: toHash(txHash), error: outcome?.error })
    }
  }
}

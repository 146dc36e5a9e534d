/** By when to leave, and what hurries (docs/spec.md sections 5.4.6, 6.3.7 and 8.4.4; docs/guide-wallet.md, "By when"). */
import type { Hash } from '../protocol/bytes.ts'
import { suspensionDeadline } from '../protocol/dispute.ts'
import { voidableUntil } from '../protocol/exit.ts'
import { findExit, findHeaders } from './exits.ts'
import type { RootReads } from './ports.ts'

export type LeaveBy = Readonly<{
  block: number
  /** L1 seconds. Whatever is older than the block and in the queue by then has its turn before anything that the block forged. */
  lastMoment: number
  /** The same for whoever starts a dispute, so that others can still join it. */
  startBy: number
}>

/** For a block that is withheld or invalid; undefined where L1 has no such block. */
export async function leaveBy(root: RootReads, block: number): Promise<LeaveBy | undefined> {
  const header = (await findHeaders(root, new Set([block]))).get(block)
  if (!header) return undefined
  const { minExitPeriod, reaction } = root.parameters
  const lastMoment = voidableUntil(header.timestamp, minExitPeriod)
  return { block, lastMoment, startBy: lastMoment - reaction }
}

/**
 * L1 seconds until which a dispute about a payment that spends these outputs still stops the exits that they have on L1: the least of
 * them. Undefined where none has an exit that runs unstopped; then it is MEP * 3/4 or more after the first that starts.
 */
export async function disputeBy(root: RootReads, outputIds: readonly Hash[]): Promise<number | undefined> {
  const { lastMove } = await root.head()
  const times: number[] = []
  for (const outputId of outputIds) {
    const known = await findExit(root, outputId)
    const isOpen = known?.record.state === 'queued' || known?.record.state === 'ticket'
    if (!known || !isOpen || known.record.running > 0) continue
    times.push(suspensionDeadline(known.exit.exitableAt, root.parameters.minExitPeriod, lastMove))
  }
  return times.length === 0 ? undefined : Math.min(...times)
}

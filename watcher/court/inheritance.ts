/**
 * A reservation follows the value (docs/spec.md section 6.2): the place on the line that an input's exit took while the dispute ran belongs,
 * once the verdict is canonical, to the outputs of the same token, pro rata.
 *
 *     a share --the output's exit is a payable ticket, and the share is covered, inherit--> paid
 *             |--the output was paid or spent already, inherit--> freed, for whoever waits behind
 *             `--nobody came for it by 3 MEP after the dispute's E, inherit--> freed
 *
 * Each share is used once, and no event names the ones that were freed: asking again is refused and means that it is done.
 */
import { hashDispute } from '../../protocol/dispute.ts'
import type { Output } from '../../protocol/transaction.ts'
import type { DisputeFacts, ExitRecord } from '../facts.ts'
import type { BatchRecord } from './batchTypes.ts'
import { refoldDispute } from './disputeRecord.ts'
import { forfeitedAt, isDeserted } from './disputeRules.ts'
import { isPassedOn } from './docket.ts'
import { refold, ticketOf } from './exitRecord.ts'
import { isOpen, maturesAt, rollingDeadline } from './exitTime.ts'
import { staggerOf } from './policy.ts'
import { judge } from './rules.ts'
import type { Effect, Inherit, L1Readings, Ticket, World } from './types.ts'
import { isOursShort } from './waiting.ts'

export type InheritanceInput = Readonly<{
  disputes: readonly DisputeFacts[]
  /** Queued exits and tickets. */
  openExits: readonly ExitRecord[]
  readings: L1Readings
  world: World
  /** Locked mass exits with outputs of protected owners. */
  ourBatches?: readonly BatchRecord[] | undefined
}>

/** Total and deterministic. */
export function planInheritance(input: InheritanceInput): readonly Effect[] {
  return input.disputes
    .map(refoldDispute)
    .filter(({ state }) => state === 'canonical')
    .flatMap((record) => sharesOf(record, input).flatMap((action) => judge(action, input.world)))
}

/** Part of `due` that lies on the line for output `output`, of all outputs of its token: cut at cumulative sums, as L1 cuts it. */
export function shareOf(ticket: Pick<Ticket, 'from' | 'due'>, outputs: readonly Output[], output: number) {
  const token = outputs[output]?.token
  const upTo = (end: number) =>
    outputs.slice(0, end).reduce((sum, other) => (other.token === token ? sum + other.amount : sum), 0n)
  const sum = upTo(outputs.length)
  const low = (ticket.due * upTo(output)) / sum
  const high = (ticket.due * upTo(output + 1)) / sum
  return { from: ticket.from + low, due: high - low }
}

function sharesOf(record: DisputeFacts, input: InheritanceInput): readonly Inherit[] {
  const { world } = input
  return record.inputs.flatMap(({ token }, i) => {
    const ticket = cancelledTicket(record.inputExits[i], world)
    if (!ticket) return []
    return record.outputs.flatMap((output) => {
      const exit = output.exit && refold(output.exit, world.docket)
      if (output.token !== token) return []
      const share = shareOf(ticket, record.signed.transaction.outputs, output.output)
      return share.due === 0n ? [] : [inheritOf(record, { input: i, output, share, ...(exit && { exit }) }, input)]
    })
  })
}

/** The place that outlived its exit, whether or not somebody fetched the exit's bond since. */
function cancelledTicket(exit: ExitRecord | undefined, { docket }: World): Ticket | undefined {
  if (!exit || !isPassedOn(exit.exit.outputId, docket)) return undefined
  const { state, events } = refold(exit, docket)
  return state === 'cancelled-ticket' || state === 'removed' ? ticketOf(events) : undefined
}

type ShareItem = Pick<Inherit, 'input' | 'output' | 'exit' | 'share'>

function inheritOf(record: DisputeFacts, item: ShareItem, plan: InheritanceInput): Inherit {
  const { readings, world } = plan
  const { dispute } = record
  const { input, output, exit } = item
  const { policy, parameters, now } = world
  const from = exit && !isDeserted(item) ? maturesAt(exit.exit, world) : forfeitedAt(record, world)
  const isOurs = exit !== undefined && isOpen(exit.state) && world.protectedOwners.has(output.owner)
  return {
    type: 'inherit',
    key: `inherit:${hashDispute(dispute)}:${input}:${output.output}`,
    purpose: `pay output ${output.output} of ${dispute.txHash} out of the place of its input ${input}`,
    notBefore: from + staggerOf(policy, output.outputId),
    deadline: rollingDeadline(from, parameters.minExitPeriod, now.timestamp),
    budgetWei: policy.keeperBudgetWei,
    record,
    ...item,
    fundedTo: readings.funded.get(output.token) ?? 0n,
    helpsProtected: isOurs || isOursBehind(item, plan),
  }
}

/** A ticket of a protected owner, or a mass exit's share, lies behind the share; and is short, where somebody may still come for the share. */
function isOursBehind(item: ShareItem, plan: InheritanceInput): boolean {
  const { output, share } = item
  const { token, outputId } = output
  const fundedTo = isDeserted(item) ? (plan.readings.funded.get(token) ?? 0n) : 0n
  return isOursShort({ token, from: share.from + share.due, fundedTo, except: outputId }, plan)
}

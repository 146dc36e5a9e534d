/**
 * Ending a chain that is broken or left alone (docs/spec.md sections 8.4 and 8.5; docs/honest-watcher.md "Ending the chain"). There is
 * one fault at a time: that of the first block after the verified ones; whatever is on top of it falls with it.
 *
 *     due --proof mined by block time + MEP--> void       the chain is halted at the block or below it
 *      | time passes
 *     late --proof mined--> recorded                      the transaction is invalid on L1, the chain goes on
 *      `--- nothing on L1 rests on the transaction ---> idle
 *     unprovable: its bytes have no proof (8.5.3), or ours lack a part: left to the data challenge, and told
 *
 * The phase is a function of the facts alone: an L1 reorg that takes a proof back makes the fault due again.
 */
import { hashHeader } from '../../protocol/block.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { FraudProof } from '../../protocol/fraud.ts'
import { transactionPosition } from '../../protocol/position.ts'
import type { DisputeRecord, ExitRecord, FaultFact } from '../facts.ts'
import { piecesOf } from './exitRecord.ts'
import { haltWindow, isOpen, isVoidBlock, maturesAt, rollingDeadline } from './exitTime.ts'
import { budgetAt, staggerOf, urgentFrom, urgentStaggerOf, type Window } from './policy.ts'
import { judge } from './rules.ts'
import type { Alert, Effect, HaltAbandoned, ProveFault, World } from './types.ts'

export type FaultPhase = 'due' | 'late' | 'idle' | 'recorded' | 'void' | 'unprovable'

/** `proof` absent: none can be built. */
export type FaultCase = Readonly<{ fault: FaultFact; proof?: FraudProof }>

/** Something on L1 that falls with the transaction. `until`: L1 seconds at which it would take effect. */
export type Resting = Readonly<{ what: string; from: number; until: number }>

export type ChainInput = Readonly<{
  fault: FaultCase | undefined
  /** Open exits at least. */
  exits: readonly ExitRecord[]
  /** Running disputes at least. */
  disputes: readonly DisputeRecord[]
  world: World
}>

/** What is to be done about the chain itself. Total and deterministic; needs no readings. */
export function planChain(input: ChainInput): readonly Effect[] {
  return [...(input.fault ? planFault(input.fault, input) : []), ...planAbandoned(input.world)]
}

/** Whether L1 has all that a proof could tell it: then none needs to be built. */
export function isFaultSettled(
  { block, position }: FaultFact,
  { voidFrom, disproved }: Pick<World, 'voidFrom' | 'disproved'>,
): boolean {
  return isVoidBlock(block, voidFrom) || disproved.has(position)
}

export function faultPhase({ fault, proof }: FaultCase, resting: readonly Resting[], world: World): FaultPhase {
  if (isVoidBlock(fault.block, world.voidFrom)) return 'void'
  if (world.disproved.has(fault.position)) return 'recorded'
  const isLate = world.now.timestamp > haltWindow(fault.header, world).until
  if (isLate && resting.length === 0) return 'idle'
  if (!proof) return 'unprovable'
  return isLate ? 'late' : 'due'
}

/**
 * What on L1 rests on the transaction: open exits of its outputs, or as old as one of them; evidence that it is or that names its output;
 * competitors and answers that it is, and inputs that it made, of disputes that run.
 */
export function restingOn(
  { position }: FaultFact,
  { exits, disputes, world }: Omit<ChainInput, 'fault'>,
): readonly Resting[] {
  const isOurs = (other: number) => transactionPosition(other) === position
  const ofExits = exits.flatMap((record) => {
    const { exit, state } = record
    if (!isOpen(state)) return []
    const terms = { from: exit.startedAt, until: maturesAt(exit, world) }
    return [
      ...(isOurs(exit.position) ? [{ what: `the exit ${exit.outputId}`, ...terms }] : []),
      ...(piecesOf(record).some(({ spend, place }) => isOurs(spend) || (place !== 0 && isOurs(place)))
        ? [{ what: `evidence against the exit ${exit.outputId}`, ...terms }]
        : []),
    ]
  })
  const ofDisputes = disputes.flatMap(({ dispute, state, competitors, answers, inputs }) => {
    if (state !== 'running') return []
    const terms = { from: dispute.startedAt, until: maturesAt(dispute, world) }
    const told = (isSo: boolean, what: string) =>
      isSo ? [{ what: `${what} of the dispute ${dispute.txHash}`, ...terms }] : []
    return [
      ...told(
        competitors.some((one) => one.position !== 0 && isOurs(one.position)),
        'a competitor',
      ),
      ...told(answers.some(isOurs), 'an answer'),
      ...told(
        inputs.some((one) => isOurs(one.position)),
        'an input',
      ),
    ]
  })
  return [...ofExits, ...ofDisputes].sort((a, b) => a.until - b.until)
}

function planFault(known: FaultCase, input: ChainInput): readonly Effect[] {
  const { fault, proof } = known
  const { world } = input
  const resting = restingOn(fault, input)
  const phase = faultPhase(known, resting, world)
  const window = phase === 'due' ? haltWindow(fault.header, world) : lateWindow(fault, resting, world)
  switch (phase) {
    case 'void':
    case 'recorded':
    case 'idle':
      return []
    case 'unprovable':
      return [tell(fault, window, phase, 'no proof of it can be built from what is here')]
    case 'due':
    case 'late': {
      const acts = proof ? judge(proveFault({ fault, proof }, resting, window, world), world) : []
      const isUrgent = world.now.timestamp >= urgentFrom(window)
      const reason = 'the proof is not on L1 in the last quarter of its time'
      return isUrgent ? [...acts, tell(fault, window, phase, reason)] : acts
    }
  }
}

function proveFault(
  { fault, proof }: Required<FaultCase>,
  resting: readonly Resting[],
  window: Window,
  world: World,
): ProveFault {
  const { policy, now } = world
  const name = hashHeader(fault.header)
  return {
    type: 'prove-fault',
    // A reorg may bring another block under the number, and the same one at another time.
    key: `prove:${fault.block}:${name}:${fault.fault.index}`,
    purpose: `prove that block ${fault.block} breaks ${fault.fault.rule} at index ${fault.fault.index}`,
    notBefore: window.from + urgentStaggerOf(policy, name),
    deadline: window.until,
    budgetWei: budgetAt(policy.proofFloorWei, window, now.timestamp),
    fault,
    proof,
    restsOn: resting.map(({ what }) => what),
  }
}

/** Until the first thing that rests on it takes effect; what is past that may still be undone, as a ticket or at its turn. */
function lateWindow(fault: FaultFact, resting: readonly Resting[], world: World): Window {
  const { until } = haltWindow(fault.header, world)
  const next = resting.find((one) => one.until >= world.now.timestamp)
  if (next) return { from: Math.max(next.from, until), until: next.until }
  const period = world.parameters.minExitPeriod
  const deadline = rollingDeadline(until, period, world.now.timestamp)
  return { from: deadline - period, until: deadline }
}

/** Anyone may end it once the operator was silent for ABANDON_PERIOD: no deposit goes astray any more, and no block comes. */
function planAbandoned(world: World): readonly Effect[] {
  const { now, newestTime, newestBlock, parameters, policy } = world
  const from = newestTime + parameters.abandonPeriod
  if (newestBlock === 0 || now.timestamp <= from) return []
  const action: HaltAbandoned = {
    type: 'halt-abandoned',
    key: `halt-abandoned:${newestBlock}:${newestTime}`,
    purpose: `end the chain, which had no block since ${newestTime}`,
    notBefore: from + staggerOf(policy, ZERO_HASH),
    deadline: rollingDeadline(from, parameters.minExitPeriod, now.timestamp),
    budgetWei: policy.keeperBudgetWei,
    silentSince: newestTime,
  }
  return judge(action, world)
}

function tell({ block, header, fault, position }: FaultFact, window: Window, phase: FaultPhase, reason: string): Alert {
  const { rule, code, index } = fault
  const details = { block, root: header.root, rule, code, index, position, phase, deadline: window.until, reason }
  return { type: 'alert', code: 'FAULT_UNPROVEN', key: String(block), details }
}

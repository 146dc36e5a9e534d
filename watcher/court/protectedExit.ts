/**
 * Taking protected accounts out (docs/spec.md sections 5.3, 6.3, 7 and 11; docs/honest-watcher.md "Exits of ours"). One case for each
 * output of a protected owner, planned together, the most valuable first, since the key's ETH pays one bond for each.
 *
 *     resting --chain unsafe, output older than the fault; or a dispute puts the output at risk--> leaving --ExitStarted, by anyone--> left
 *        |--a locked mass exit names it, and its place is as good--> left
 *        ^  `---the same, and a rule forbids it--> blocked
 *        `---- neither: always, from everywhere but `left`
 *
 * An input of a running dispute is left alone while the chain is safe and nobody shows a competitor: its exit would wait for the verdict in any
 * case, and be cancelled by the one that is to be expected. It is started at once when either changes, since it waits in its place.
 */
import type { Hash } from '../../protocol/bytes.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { DisputedOutput, DisputeFacts, ExitRecord, ProtectedAccount, ProtectedOutput } from '../facts.ts'
import { mergeStarts, stepDisputedOutput } from './disputedOutput.ts'
import { refoldDispute } from './disputeRecord.ts'
import { callingDispute, isSecured } from './place.ts'
import { worthOf } from './policy.ts'
import { judge } from './rules.ts'
import { type StartMeans, startTerms } from './startTerms.ts'
import type { Effect, L1Readings, StartDisputedExits, StartExit, Step, World } from './types.ts'

export type ProtectedPhase = 'resting' | 'leaving' | 'blocked' | 'left'

export type ProtectedInput = StartMeans & Readonly<{ output: ProtectedOutput; world: World }>

/** Total and deterministic; the phase depends on the input alone. */
export function stepProtected(
  _phase: ProtectedPhase,
  { output, world, ...means }: ProtectedInput,
): Step<ProtectedPhase> {
  if (output.exit !== undefined || isSecured(output, world)) return { next: 'left', effects: [] }
  const start: StartExit = {
    type: 'start-exit',
    key: `start:${output.outputId}`,
    purpose: `take output ${output.position} of ${output.owner} out`,
    ...startTerms(output, calledAt(output.outputId, world), means, world),
    output,
  }
  const effects = judge(start, world)
  if (effects.length === 0) return { next: 'resting', effects }
  return { next: effects.includes(start) ? 'leaving' : 'blocked', effects }
}

/** An owner under our protection: their word, and what they could take out. */
export type Ward = Readonly<{ account: ProtectedAccount; revoked: boolean; outputs: readonly ProtectedOutput[] }>

export type ProtectedPlan = Readonly<{
  wards: readonly Ward[]
  /** Whose transactions may make outputs of the wards. */
  disputes: readonly DisputeFacts[]
  openExits: readonly ExitRecord[]
  readings: L1Readings
  world: World
}>

/** One output, whichever way it may leave. */
type Candidate = Readonly<{
  /** The same for every mandate of its owner. */
  id: string
  token: ProtectedOutput['token']
  amount: bigint
  /** Age: of an output of a dispute, the dispute's. */
  position: number
  propose(means: Pick<StartMeans, 'youngHint' | 'availableWei' | 'readings'>): readonly Effect[]
}>

/** All starts that the key can pay for, the most valuable outputs first; those without a price last, the larger amount first. */
export function planProtected({ wards, disputes, openExits, readings, world }: ProtectedPlan): readonly Effect[] {
  const queue = eachOnce(
    [...wards]
      .sort((a, b) => standingOf(b, world) - standingOf(a, world))
      .flatMap((ward) => [...plainCandidates(ward, world), ...disputedCandidates(ward, disputes, world)]),
  )
  queue.sort((a, b) => compareWorth(a, b, world))
  const youngBlocks = youngBlocksOf(openExits)
  let availableWei = readings.balanceWei - world.policy.challengeReserveWei
  const effects: Effect[] = []
  for (const { position, propose } of queue) {
    const { block } = decodePosition(position)
    const youngHint = youngBlocks.findLast((young) => young < block) ?? 0
    for (const effect of propose({ youngHint, availableWei, readings })) {
      if (effect.type === 'start-exit' || effect.type === 'start-disputed-exits') {
        availableWei -= effect.bondWei + effect.costWei
      }
      effects.push(effect)
    }
  }
  return inOneCall(effects)
}

/** Until when a mandate lasts, in L1 seconds; nothing for one that can't be used now. */
function standingOf({ account: { mandate }, revoked }: Ward, { now }: World): number {
  const isUsable = !revoked && mandate.validFrom <= now.timestamp && now.timestamp <= mandate.validUntil
  return isUsable ? mandate.validUntil : 0
}

/** An owner may have given several mandates: the first that covers the output takes it out, and none of the others is told of as missing. */
function eachOnce(all: readonly Candidate[]): Candidate[] {
  const byId = new Map<string, Candidate[]>()
  for (const one of all) byId.set(one.id, [...(byId.get(one.id) ?? []), one])
  return [...byId.values()].flatMap(([first, ...others]): Candidate[] => {
    if (!first || others.length === 0) return first ? [first] : []
    const propose: Candidate['propose'] = (means) => {
      const found = [first, ...others].map((one) => one.propose(means))
      return found.find((effects) => effects.some(isStart)) ?? found[0] ?? []
    }
    return [{ ...first, propose }]
  })
}

function isStart({ type }: Effect): boolean {
  return type === 'start-exit' || type === 'start-disputed-exits'
}

function plainCandidates({ outputs, account, revoked }: Ward, world: World): readonly Candidate[] {
  return outputs.map((output) => ({
    ...output,
    id: `plain ${output.outputId}`,
    propose: (means) => stepProtected('resting', { ...means, output, account, revoked, world }).effects,
  }))
}

function disputedCandidates(
  { account, revoked }: Ward,
  disputes: readonly DisputeFacts[],
  world: World,
): readonly Candidate[] {
  const isTheirs = ({ owner }: DisputedOutput) => owner === account.owner
  return disputes.map(refoldDispute).flatMap((record) =>
    record.outputs.filter(isTheirs).map((output) => ({
      id: `disputed ${output.outputId}`,
      token: output.token,
      amount: output.amount,
      position: record.dispute.agePosition,
      propose: (means) => stepDisputedOutput('resting', { ...means, record, output, account, revoked, world }).effects,
    })),
  )
}

/** Outputs that one owner takes out through one dispute share a call. */
function inOneCall(effects: readonly Effect[]): readonly Effect[] {
  const callOf = ({ record, account }: StartDisputedExits) => `${record.dispute.txHash} ${account.owner}`
  const calls = new Map<string, StartDisputedExits[]>()
  for (const effect of effects) {
    if (effect.type !== 'start-disputed-exits') continue
    calls.set(callOf(effect), [...(calls.get(callOf(effect)) ?? []), effect])
  }
  return effects.flatMap((effect): readonly Effect[] => {
    if (effect.type !== 'start-disputed-exits') return [effect]
    const [first, ...others] = calls.get(callOf(effect)) ?? []
    return first === effect ? [mergeStarts(first, others)] : []
  })
}

function calledAt(outputId: Hash, world: World): number {
  return callingDispute(outputId, world)?.dispute.startedAt ?? world.now.timestamp
}

function compareWorth(a: Candidate, b: Candidate, { policy }: World): number {
  const [worthA = -1n, worthB = -1n] = [a, b].map(({ token, amount }) => worthOf(policy, token, amount))
  return compareBig(worthB, worthA) || compareBig(b.amount, a.amount) || a.position - b.position
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b)
}

function youngBlocksOf(openExits: readonly ExitRecord[]): readonly number[] {
  const young = openExits.filter(({ exit, state }) => exit.young && state === 'queued')
  return [...new Set(young.map(({ exit }) => decodePosition(exit.position).block))].sort((a, b) => a - b)
}

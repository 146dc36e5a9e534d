/**
 * Taking protected accounts out of an unsafe chain (docs/spec.md sections 5.3, 7 and 11; docs/honest-watcher.md "Exits of ours"). One
 * case for each output of a protected owner, planned together, the most valuable first, since the key's ETH pays one bond for each.
 *
 *     resting --chain unsafe, output older than the fault--> leaving --ExitStarted, by anyone--> left
 *        ^  `---chain unsafe, a rule forbids it-----------> blocked
 *        `---- chain safe or only suspect: always, from everywhere but `left`
 */
import { decodePosition } from '../../protocol/position.ts'
import type { ExitRecord, ProtectedAccount, ProtectedOutput } from '../facts.ts'
import { orderDeadline } from '../safety.ts'
import { rollingDeadline } from './exitTime.ts'
import { budgetAt, START_GAS, UNLIMITED_WEI, worthOf } from './policy.ts'
import { judge } from './rules.ts'
import type { Effect, L1Readings, StartExit, Step, World } from './types.ts'

export type ProtectedPhase = 'resting' | 'leaving' | 'blocked' | 'left'

export type ProtectedInput = Readonly<{
  output: ProtectedOutput
  account: ProtectedAccount
  revoked: boolean
  /** Greatest child block below the output's that has young exits; 0 for none. */
  youngHint: number
  /** Of the key's ETH, what is left for this output. */
  availableWei: bigint
  readings: L1Readings
  world: World
}>

/** Total and deterministic; the phase depends on the input alone. */
export function stepProtected(_phase: ProtectedPhase, input: ProtectedInput): Step<ProtectedPhase> {
  if (input.output.exit !== undefined) return { next: 'left', effects: [] }
  const effects = judge(startOf(input), input.world)
  if (effects.length === 0) return { next: 'resting', effects }
  return { next: effects.some(({ type }) => type === 'start-exit') ? 'leaving' : 'blocked', effects }
}

/** An owner under our protection: their word, and what they could take out. */
export type Ward = Readonly<{ account: ProtectedAccount; revoked: boolean; outputs: readonly ProtectedOutput[] }>

export type ProtectedPlan = Readonly<{
  wards: readonly Ward[]
  openExits: readonly ExitRecord[]
  readings: L1Readings
  world: World
}>

/** All starts that the key can pay for, the most valuable outputs first; those without a price last, the larger amount first. */
export function planProtected({ wards, openExits, readings, world }: ProtectedPlan): readonly Effect[] {
  const queue = wards.flatMap(({ outputs, ...ward }) => outputs.map((output) => ({ ...ward, output })))
  queue.sort((a, b) => compareWorth(a.output, b.output, world))
  const youngBlocks = youngBlocksOf(openExits)
  let availableWei = readings.balanceWei - world.policy.challengeReserveWei
  const effects: Effect[] = []
  for (const item of queue) {
    const { block } = decodePosition(item.output.position)
    const youngHint = youngBlocks.findLast((young) => young < block) ?? 0
    const step = stepProtected('resting', { ...item, youngHint, availableWei, readings, world })
    for (const effect of step.effects) {
      if (effect.type === 'start-exit') availableWei -= effect.bondWei + effect.costWei
      effects.push(effect)
    }
  }
  return effects
}

function startOf(input: ProtectedInput): StartExit {
  const { output, account, readings, world } = input
  const { policy, now, parameters } = world
  const valueWei = worthOf(policy, output.token, output.amount)
  const budgetWei = startBudget(world)
  const since = world.safety.status === 'safe' ? now.timestamp : world.safety.since
  return {
    type: 'start-exit',
    key: `start:${output.outputId}`,
    purpose: `take output ${output.position} of ${output.owner} out`,
    notBefore: since,
    // Late is worse than in time and better than never: after the order is lost the money may still be there.
    deadline: rollingDeadline(since, parameters.minExitPeriod, now.timestamp),
    budgetWei: valueWei !== undefined && valueWei < budgetWei ? valueWei : budgetWei,
    output,
    account,
    revoked: input.revoked,
    leastBondWei: readings.exitBondWei,
    bondWei: (readings.exitBondWei * policy.bondHeadroomPercent) / 100n,
    youngHint: input.youngHint,
    valueWei,
    costWei: (START_GAS * readings.baseFeeWei * 3n) / 2n,
    baseFeeWei: readings.baseFeeWei,
    availableWei: input.availableWei,
  }
}

/** Doubles by quarters until the order is lost; nothing is too dear from the last safe moment on. */
function startBudget({ safety, now, policy, parameters }: World): bigint {
  if (safety.status === 'safe') return 0n
  if (now.timestamp >= safety.lastSafeMoment) return UNLIMITED_WEI
  const window = { from: safety.since, until: orderDeadline(safety.since, parameters) }
  return budgetAt(policy.exitFloorWei, window, now.timestamp)
}

function compareWorth(a: ProtectedOutput, b: ProtectedOutput, { policy }: World): number {
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

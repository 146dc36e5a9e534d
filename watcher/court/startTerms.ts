/** When, for how much and with what bond a protected owner's exit is started (docs/honest-watcher.md "Exits of ours"), whichever way it goes. */
import type { Address } from '../../protocol/bytes.ts'
import type { ProtectedAccount } from '../facts.ts'
import { orderDeadline } from '../safety.ts'
import { rollingDeadline } from './exitTime.ts'
import { budgetAt, START_GAS, UNLIMITED_WEI, type Window, worthOf } from './policy.ts'
import type { L1Readings, StartTerms, World } from './types.ts'

/** An owner's word, and the means that are left for one start. */
export type StartMeans = Readonly<{
  account: ProtectedAccount
  revoked: boolean
  /** Greatest child block below the exit's that has young exits; 0 for none. */
  youngHint: number
  /** Of the key's ETH, what is left for this output. */
  availableWei: bigint
  readings: L1Readings
}>

export type Worth = Readonly<{ token: Address; amount: bigint }>

/** `calledAt`: L1 seconds of the dispute that calls for it, where the chain is not unsafe. */
export function startTerms(
  { token, amount }: Worth,
  calledAt: number,
  { readings, ...means }: StartMeans,
  world: World,
): StartTerms & Readonly<{ notBefore: number; deadline: number; budgetWei: bigint }> {
  const { policy, now, parameters, safety } = world
  const valueWei = worthOf(policy, token, amount)
  const since = safety.status === 'unsafe' ? safety.since : calledAt
  // Late is worse than in time and better than never: after the order is lost the money may still be there.
  const deadline = rollingDeadline(since, parameters.minExitPeriod, now.timestamp)
  const budgetWei = startBudget({ from: deadline - parameters.minExitPeriod, until: deadline }, world)
  return {
    ...means,
    notBefore: since,
    deadline,
    budgetWei: valueWei !== undefined && valueWei < budgetWei ? valueWei : budgetWei,
    leastBondWei: readings.exitBondWei,
    bondWei: (readings.exitBondWei * policy.bondHeadroomPercent) / 100n,
    valueWei,
    costWei: (START_GAS * readings.baseFeeWei * 3n) / 2n,
    baseFeeWei: readings.baseFeeWei,
  }
}

/** Doubles by quarters until the order is lost; nothing is too dear from the last safe moment on. */
function startBudget(window: Window, { safety, now, policy, parameters }: World): bigint {
  if (safety.status !== 'unsafe') return budgetAt(policy.exitFloorWei, window, now.timestamp)
  // A halted chain leaves time to wait for low fees; a vault that is short serves whoever is earlier.
  if (safety.reason === 'halted') return policy.exitFloorWei
  if (safety.reason === 'short' || now.timestamp >= safety.lastSafeMoment) return UNLIMITED_WEI
  const order = { from: safety.since, until: orderDeadline(safety.since, parameters) }
  return budgetAt(policy.exitFloorWei, order, now.timestamp)
}

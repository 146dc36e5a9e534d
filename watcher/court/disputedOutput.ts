/**
 * Taking protected accounts' outputs out through the dispute of the transaction that makes them (docs/spec.md section 6.3.8;
 * docs/honest-watcher.md "Exits through disputes"). For an owner whose payment is in flight this is the only way out; where a verified block
 * holds the transaction it is taken only from an unsafe chain, and only if it comes earlier than the plain exit.
 *
 *     resting --no verified block holds it, or the chain is unsafe and this way is earlier--> leaving --ExitStarted, by anyone--> left
 *        ^  `---the same, and a rule forbids it: the owner can still do it--> available
 *        `---- a verified block holds it and the chain is safe; a competitor is known; not canonical
 */
import { hashDispute } from '../../protocol/dispute.ts'
import { isDepositPosition } from '../../protocol/position.ts'
import type { DisputedOutput, DisputeFacts } from '../facts.ts'
import { judge } from './rules.ts'
import { type StartMeans, startTerms } from './startTerms.ts'
import type { StartDisputedExits, Step, World } from './types.ts'

export type DisputedOutputPhase = 'resting' | 'leaving' | 'available' | 'left'

export type DisputedOutputInput = StartMeans & Readonly<{ record: DisputeFacts; output: DisputedOutput; world: World }>

/** Total and deterministic; the phase depends on the input alone. */
export function stepDisputedOutput(
  _phase: DisputedOutputPhase,
  { record, output, world, ...means }: DisputedOutputInput,
): Step<DisputedOutputPhase> {
  if (output.exit !== undefined) return { next: 'left', effects: [] }
  const youngHint = isDepositPosition(record.dispute.agePosition) ? 0 : means.youngHint
  const start: StartDisputedExits = {
    type: 'start-disputed-exits',
    ...wordsOf(record, [output]),
    ...startTerms(output, record.dispute.startedAt, { ...means, youngHint }, world),
    record,
    outputs: [output],
  }
  const effects = judge(start, world)
  if (effects.length === 0) return { next: 'resting', effects }
  return { next: effects.includes(start) ? 'leaving' : 'available', effects }
}

/** Starts of one owner's outputs, each allowed by itself, as one call; in the order in which the key's ETH was shared out. */
export function mergeStarts(first: StartDisputedExits, others: readonly StartDisputedExits[]): StartDisputedExits {
  if (others.length === 0) return first
  const all = [first, ...others]
  const outputs = all.flatMap((start) => start.outputs).sort((a, b) => a.output - b.output)
  const hasPrice = all.every(({ valueWei }) => valueWei !== undefined)
  return {
    ...first,
    ...wordsOf(first.record, outputs),
    outputs,
    budgetWei: sum(all.map(({ budgetWei }) => budgetWei)),
    bondWei: sum(all.map(({ bondWei }) => bondWei)),
    leastBondWei: sum(all.map(({ leastBondWei }) => leastBondWei)),
    costWei: sum(all.map(({ costWei }) => costWei)),
    valueWei: hasPrice ? sum(all.map(({ valueWei }) => valueWei ?? 0n)) : undefined,
  }
}

function wordsOf({ dispute }: DisputeFacts, outputs: readonly DisputedOutput[]) {
  const list = outputs.map(({ output }) => output).join(',')
  const owner = outputs[0]?.owner
  return {
    key: `start-disputed:${hashDispute(dispute)}:${owner}:${list}`,
    purpose: `take outputs ${list} of ${owner} out through the dispute of ${dispute.txHash}`,
  }
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}

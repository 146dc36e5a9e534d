/**
 * Random blocks, most of them one change away from valid, judged by three: the naive model, protocol/validity.ts, and the proofs on the
 * contract. They must agree on which rule is broken first and where, and no proof may succeed against what comes before.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { buildFraudProof } from '../../protocol/fraud.ts'
import { createFraudWorld, type Dice, drawCandidate, everyProof, type FraudWorld } from './fraudWorld.ts'
import { submit } from './moves.ts'
import type { RootChain } from './rootChain.ts'

/** Numbers drawn from a seed, so that a run can be repeated. */
function diceOf(numbers: readonly number[]): Dice {
  let next = 0
  return (below) => (numbers[next++ % numbers.length] as number) % below
}

export type FuzzOptions = Readonly<{ seed: number; blocks: number }>

/** How many blocks broke which rule first; `valid` counts the others. Throws at the first disagreement. */
export async function fuzzFraud(
  { chain, url }: Readonly<{ chain: RootChain; url: string }>,
  { seed, blocks }: FuzzOptions,
): Promise<Map<string, number>> {
  const fraud = await createFraudWorld(chain, url)
  const seen = new Map<string, number>()
  for (const numbers of fc.sample(fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), { seed, numRuns: blocks })) {
    const id = await chain.client.snapshot()
    const rule = await judgeOne(fraud, diceOf(numbers))
    seen.set(rule, (seen.get(rule) ?? 0) + 1)
    await chain.client.revert({ id })
  }
  return seen
}

async function judgeOne(fraud: FraudWorld, dice: Dice): Promise<string> {
  const { transactions, change } = drawCandidate(fraud, dice)
  const { fault, state } = fraud.opinion(transactions)
  const naive = fraud.naiveOpinion(transactions)
  const real = fault && { index: fault.index, rule: Number(fault.rule.slice(1)) }
  assert.equal(naive, real, `${change}: naive and real opinion`)
  const block = await submit(fraud.chain, transactions, fraud.anchor)
  if (fault) {
    const proof = buildFraudProof(block.number, fault, fraud.sourceOf(block, state))
    assert.is((await fraud.accepted([proof])).length, 1, `${change}: the proof of ${fault.rule} is refused`)
  }
  const innocent = transactions.slice(0, fault?.index ?? transactions.length)
  const lies = innocent.flatMap((_, index) => everyProof(fraud, block, index))
  const believed = await fraud.accepted(lies)
  assert.is(believed.length, 0, `${change}: a valid transaction is proven invalid by ${believed[0]?.rule}`)
  return fault?.rule ?? 'valid'
}

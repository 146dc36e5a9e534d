/** Why things are as they are, for people (`lifeboat explain`): the facts behind an exit, a dispute, a transaction or a block, in order. */
import { type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { answerDeadline, competitorDeadline } from '../protocol/dispute.ts'
import { decodePosition, encodePosition } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import type { Core } from './core.ts'
import type { DisputeFacts, ExitFacts } from './facts.ts'

export type Explanation = Readonly<{ subject: string; summary: string[]; [field: string]: unknown }>

/** Undefined when L1 knows no such exit. */
export function explainExit(
  { facts, court, exits }: Pick<Core, 'facts' | 'court' | 'exits'>,
  outputId: Hash,
): Explanation | undefined {
  const found = facts.exitFacts(outputId)
  if (!found) return undefined
  const { exit, state, paid, evidence, events } = found
  const plan = court?.explain(outputId)
  return {
    subject: `exit ${outputId}`,
    summary: [
      `names ${describeNamed(found, exits.placeOf(exit))}, ${exit.amount} of ${exit.token}, owner ${exit.owner}`,
      `started at ${exit.startedAt} in L1 block ${events[0]?.at.l1Block} by ${exit.payer}, payable after ${exit.exitableAt}`,
      ...describeVerdict(found),
      describeOutput(found),
      evidence.length === 0 ? 'nobody has shown evidence that stands' : `evidence stands: ${evidence.join(', ')}`,
      `state ${state}, paid ${paid}`,
    ],
    exit,
    events,
    output: found.output,
    ...(plan === undefined ? {} : { plan }),
  }
}

/** Undefined when L1 knows no such dispute. */
export function explainDispute({ facts, court }: Pick<Core, 'facts' | 'court'>, txHash: Hash): Explanation | undefined {
  const found = facts.disputeFacts(txHash)
  if (!found) return undefined
  const { dispute, inputs, signed, state, competitors, answers, events } = found
  const { minExitPeriod } = facts.parameters
  const { startedAt, starter, exitableAt } = dispute
  const plan = court?.explain(txHash)
  return {
    subject: `dispute ${txHash}`,
    summary: [
      `about a transaction that spends ${signed.transaction.inputs.join(', ')} and has ${found.outputs.length} outputs`,
      `started at ${startedAt} in L1 block ${events[0]?.at.l1Block} by ${starter}, as old as ${describePlace(dispute.agePosition)}`,
      `competitors are taken until ${competitorDeadline(exitableAt, minExitPeriod)}, answers until ${answerDeadline(exitableAt, minExitPeriod)}, the verdict can be had after ${exitableAt}`,
      found.made
        ? `stands at ${describePlace(found.made.position)}, anchored before the lock: that is an answer`
        : `no verified block up to ${facts.verifiedBlock()} holds it as an answer`,
      ...found.spends.flatMap((spend, i) =>
        spend ? [`input ${i} was spent by ${describePlace(spend.spend)} instead: that is a competitor`] : [],
      ),
      competitors.length === 0
        ? 'nobody has shown a competitor'
        : `competitors shown: ${competitors.map(({ txHash: rival, position }) => (position === 0 ? `${rival}, in no block` : describePlace(position))).join('; ')}`,
      answers.length === 0 ? 'nobody has answered' : `answered with ${answers.map(describePlace).join('; ')}`,
      ...found.inputExits.flatMap((exit, i) => (exit ? [`the exit of input ${i} is ${exit.state}`] : [])),
      ...found.outputs.flatMap(describeDisputedOutput),
      `state ${state}`,
    ],
    dispute,
    inputs,
    transaction: signed.transaction,
    events,
    ...(plan === undefined ? {} : { plan }),
  }
}

/** Undefined when no verified block holds it. */
export function explainTransaction(
  { blocks, ledger }: Pick<Core, 'blocks' | 'ledger'>,
  txHash: Hash,
): Explanation | undefined {
  const position = blocks.positionOf(txHash)
  const signed = position === undefined ? undefined : blocks.signedAt(position)
  if (position === undefined || !signed) return undefined
  const outputs = signed.transaction.outputs.map((output, i) => {
    const stored = ledger.find(position + i)
    return { position: position + i, owner: output.owner, token: output.token, amount: output.amount, ...stored }
  })
  const fates = outputs.map(({ position: at, spentBy, lockedAt }) => {
    if (spentBy !== undefined) return `output ${at} was spent by ${describePlace(spentBy)}`
    return lockedAt === undefined
      ? `output ${at} is unspent`
      : `output ${at} was locked by an exit in L1 block ${lockedAt}`
  })
  return {
    subject: `transaction ${txHash}`,
    summary: [`stands at ${describePlace(position)}`, `spends ${signed.transaction.inputs.join(', ')}`, ...fates],
    transaction: signed.transaction,
    outputs,
  }
}

/** Undefined for a number that L1 does not know. */
export function explainBlock(
  { blocks, facts }: Pick<Core, 'blocks' | 'facts'>,
  number: number,
): Explanation | undefined {
  const block = blocks.find(number)
  if (!block) return undefined
  const state = facts.blockState(number)
  const { header, l1Block, fault, observedSeconds, hasBody } = block
  const placed = fault && describePlace(encodePosition({ block: number, index: fault.index, output: 0 }))
  return {
    subject: `block ${number}`,
    summary: [
      `committed in L1 block ${l1Block} at ${header.timestamp}, ${header.txCount} transactions, root ${header.root}, anchor ${header.anchor}`,
      hasBody
        ? 'its body is here and matches the root'
        : `its body is not here; attended silence ${Math.floor(observedSeconds)} s`,
      `state ${state}`,
      ...(fault ? [`breaks ${fault.rule} (${fault.code}) at ${placed}`] : []),
      ...(state === 'unverifiable' ? ['stands on a block that is missing or invalid'] : []),
      ...(state === 'void' ? [`void: the chain was halted at block ${facts.halt().voidFrom}`] : []),
    ],
    header,
    state,
    safety: facts.safety(),
    ...(fault ? { fault } : {}),
  }
}

function describeDisputedOutput({ output, exit, spentBy }: DisputeFacts['outputs'][number]): string[] {
  return [
    ...(exit ? [`the exit of output ${output} is ${exit.state}`] : []),
    ...(spentBy === undefined ? [] : [`output ${output} was spent by ${describePlace(spentBy)}`]),
  ]
}

function describeNamed({ exit }: ExitFacts, place: number | undefined): string {
  if (place === exit.position) return `the output at ${describePlace(place)}`
  const where = place === undefined ? 'in no verified block' : `at ${describePlace(place)}`
  return `an output of the disputed transaction ${exit.disputed}, ${where}, with the age of ${describePlace(exit.position)}`
}

function describeVerdict({ exit, dispute, passedOn, contested }: ExitFacts): string[] {
  return [
    ...(exit.disputed === ZERO_HASH ? [] : [`hangs on the verdict about ${exit.disputed}: ${dispute?.state}`]),
    ...(passedOn ? [`the verdict passed its value on to the outputs of ${passedOn}`] : []),
    ...(contested ? ['a transaction that spends the output was judged not canonical: it is no evidence'] : []),
  ]
}

function describeOutput({ output, exit, dispute }: ExitFacts): string {
  switch (output.kind) {
    case 'unspent':
      if (dispute && !dispute.made)
        return `no verified block, up to ${output.asOf}, holds the disputed transaction: nothing can have spent its outputs`
      return `unspent in all verified blocks, up to ${output.asOf}: the exit is valid so far`
    case 'spent':
      return `spent by ${describePlace(output.evidence.spend)}, input ${output.evidence.input}: the exit is invalid`
    case 'unverified':
      return `its block ${decodePosition(exit.position).block} is ${output.blockState}: nothing can be said`
    case 'mismatch':
      return `verified blocks hold something else there: got ${output.got}, want ${output.want}`
  }
}

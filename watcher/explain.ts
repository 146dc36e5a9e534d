/** Why things are as they are, for people (`lifeboat explain`): the facts behind an exit, a transaction or a block, in order. */
import type { Hash } from '../protocol/bytes.ts'
import { decodePosition, encodePosition } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import type { Core } from './core.ts'
import type { ExitFacts } from './facts.ts'

export type Explanation = Readonly<{ subject: string; summary: string[]; [field: string]: unknown }>

/** Undefined when L1 knows no such exit. */
export function explainExit({ facts, court }: Pick<Core, 'facts' | 'court'>, outputId: Hash): Explanation | undefined {
  const found = facts.exitFacts(outputId)
  if (!found) return undefined
  const { exit, state, paid, evidence, events } = found
  const plan = court?.explain(outputId)
  return {
    subject: `exit ${outputId}`,
    summary: [
      `names the output at ${describePlace(exit.position)}, ${exit.amount} of ${exit.token}, owner ${exit.owner}`,
      `started at ${exit.startedAt} in L1 block ${exit.lockedAt} by ${exit.payer}, payable after ${exit.exitableAt}`,
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
    ],
    header,
    state,
    safety: facts.safety(),
    ...(fault ? { fault } : {}),
  }
}

function describeOutput({ output, exit }: ExitFacts): string {
  switch (output.kind) {
    case 'unspent':
      return `unspent in all verified blocks, up to ${output.asOf}: the exit is valid so far`
    case 'spent':
      return `spent by ${describePlace(output.evidence.spend)}, input ${output.evidence.input}: the exit is invalid`
    case 'unverified':
      return `its block ${decodePosition(exit.position).block} is ${output.blockState}: nothing can be said`
    case 'mismatch':
      return `verified blocks hold something else there: got ${output.got}, want ${output.want}`
  }
}

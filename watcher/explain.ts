/** Why things are as they are, for people (`lifeboat explain`): the facts behind an exit, a dispute, a transaction or a block, in order. */
import { formatUnits } from 'viem'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../protocol/bytes.ts'
import { answerDeadline, competitorDeadline } from '../protocol/dispute.ts'
import { batchDeadlines, isOpenedEntry, OPENED_SEQ } from '../protocol/massExit.ts'
import { decodePosition, encodePosition } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import { formatUtc } from '../service/utc.ts'
import type { Core } from './core.ts'
import type { EntryUse } from './court/batchTypes.ts'
import type { DisputeFacts, ExitFacts } from './facts.ts'

export type Explanation = Readonly<{ subject: string; summary: string[]; [field: string]: unknown }>

/** Also of an output that was paid as an entry of a mass exit, and of a mass exit itself. Undefined when L1 knows no such exit. */
export function explainExit(
  core: Pick<Core, 'facts' | 'court' | 'exits' | 'batches' | 'coordinator'>,
  outputId: Hash,
): Explanation | undefined {
  const { facts, court, exits } = core
  const found = facts.exitFacts(outputId)
  if (!found) return explainBatch(core, outputId) ?? explainClaim(core, outputId)
  const { exit, state, paid, evidence, events } = found
  const plan = court?.explain(outputId)
  return {
    subject: `exit ${outputId}`,
    summary: [
      `names ${describeNamed(found, exits.placeOf(exit))}, ${inTokens(exit.amount, exit.token)}, owner ${exit.owner}`,
      isOpenedEntry(exit)
        ? `opened in L1 block ${events[0]?.at.l1Block} as entry ${exit.seq - OPENED_SEQ} of a mass exit that was locked at ${formatUtc(exit.startedAt)}, payable after ${formatUtc(exit.exitableAt)}`
        : `started at ${formatUtc(exit.startedAt)} in L1 block ${events[0]?.at.l1Block} by ${exit.payer}, payable after ${formatUtc(exit.exitableAt)}`,
      ...describeShare(found),
      ...describeVerdict(found),
      describeOutput(found),
      evidence.length === 0 ? 'nobody has shown evidence that stands' : `evidence stands: ${evidence.join(', ')}`,
      `state ${state}, paid ${inTokens(paid, exit.token)}`,
    ],
    exit,
    events,
    output: found.output,
    ...(plan === undefined ? {} : { plan }),
  }
}

type Plan = Readonly<{
  actions: readonly Readonly<{ type: string; purpose: string; deadline: number; outbox: unknown }>[]
}>

/** Undefined when L1 knows no such mass exit, and none with entries of this root is on its way there. */
export function explainBatch(
  { facts, court, coordinator }: Pick<Core, 'facts' | 'court' | 'coordinator'>,
  batchId: Hash,
): Explanation | undefined {
  const found = facts.batch(batchId)
  const plan = court?.explain(batchId) as Plan | undefined
  if (!found) return explainDraft(coordinator, batchId, plan)
  const { batch, state, started, item, ticket, dissolved, strikes, openDemands } = found
  const { minExitPeriod } = facts.parameters
  const { demand, answer, lock } = batchDeadlines(batch.startedAt, minExitPeriod)
  const uses = [...found.uses.values()]
  const count = (wanted: EntryUse['kind']) => uses.filter(({ kind }) => kind === wanted).length
  return {
    subject: `mass exit ${batchId}`,
    summary: [
      `${entriesOf(batch.count)}, ${inTokens(batch.total, batch.token)} in all, up to ${describePlace(batch.last)}`,
      `started at ${formatUtc(batch.startedAt)} in L1 block ${started.l1Block} by its coordinator ${batch.coordinator}`,
      ...(state === 'started'
        ? [
            `proof of entries can be demanded until ${formatUtc(demand)} and given until ${formatUtc(answer)}; it can be locked after that, until ${formatUtc(lock)}`,
            `open demands: ${openDemands}`,
          ]
        : []),
      ...(dissolved
        ? [
            dissolved.demanded === null
              ? 'dissolved: nobody locked it in time'
              : `dissolved: nobody showed entry ${dissolved.demanded}`,
          ]
        : []),
      ...(item
        ? [
            `locked what its entries name in L1 block ${item.lockedAt}; its turn comes after ${formatUtc(item.exitableAt)}`,
          ]
        : []),
      ...(ticket ? [`its shares are [${ticket.from}, ${ticket.from + ticket.due}) of the line, in units`] : []),
      `entries claimed: ${count('claimed')}, exits of their own: ${count('placed')}, released: ${count('released')}; strikes that stand: ${strikes.size}`,
      `state ${state}`,
      ...(plan ? describeActs(plan) : []),
    ],
    batch,
    ...(item && { item }),
    ...(ticket && { ticket }),
    strikes: [...strikes.values()],
    ...(plan && { plan }),
  }
}

/** A mass exit that was decided on and is not on L1 yet. */
function explainDraft(
  { drafts }: Pick<Core['coordinator'], 'drafts'>,
  root: Hash,
  plan: Plan | undefined,
): Explanation | undefined {
  const draft = drafts().find((one) => one.root === root)
  if (!draft) return undefined
  const { token, entries, madeAt, until } = draft
  return {
    subject: `mass exit on its way to L1, entries ${root}`,
    summary: [
      `${entriesOf(entries.length)}, ${inTokens(
        entries.reduce((sum, { amount }) => sum + amount, 0n),
        token,
      )} in all, decided at ${formatUtc(madeAt)}`,
      `has to start by ${formatUtc(until)}; after that it is decided anew`,
      ...(plan ? describeActs(plan) : []),
    ],
    entries,
    ...(plan && { plan }),
  }
}

function describeActs({ actions }: Plan): string[] {
  if (actions.length === 0) return ['this watcher means to do nothing about it now']
  return actions.map(({ type, purpose, deadline, outbox }) => {
    return `this watcher means to ${type} by ${formatUtc(deadline)}: ${purpose} (${outbox === undefined ? 'not sent' : String(outbox)})`
  })
}

function explainClaim({ facts, batches }: Pick<Core, 'facts' | 'batches'>, outputId: Hash): Explanation | undefined {
  const claim = batches.claimOf(outputId)
  const entry = claim && facts.batchEntries(claim.batchId)[claim.index]
  if (!claim || !entry) return undefined
  return {
    subject: `exit ${outputId}`,
    summary: [
      `paid to its owner as entry ${claim.index} of the mass exit ${claim.batchId}, ${inTokens(entry.amount, facts.batch(claim.batchId)?.batch.token)} for ${describePlace(entry.position)}`,
      'no exit of it can start any more',
    ],
    ...claim,
    entry,
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
      `started at ${formatUtc(startedAt)} in L1 block ${events[0]?.at.l1Block} by ${starter}, as old as ${describePlace(dispute.agePosition)}`,
      `competitors are taken until ${formatUtc(competitorDeadline(exitableAt, minExitPeriod))}, answers until ${formatUtc(answerDeadline(exitableAt, minExitPeriod))}, the verdict can be had after ${formatUtc(exitableAt)}`,
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
      `committed in L1 block ${l1Block} at ${formatUtc(header.timestamp)}, ${header.txCount} ${header.txCount === 1 ? 'transaction' : 'transactions'}, root ${header.root}, anchor ${header.anchor}`,
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

/** What mass exits gave it. */
function describeShare({ exit, events }: ExitFacts): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'EntryPlaced') return []
    const share = `the share of entry ${event.index} of the mass exit ${event.batchId}`
    return [
      event.paid === 0n ? `has ${share} as its place` : `was paid ${inTokens(event.paid, exit.token)} out of ${share}`,
    ]
  })
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
      return `${output.made ? `stands in block ${decodePosition(output.made.position).block} too, and there it was ` : ''}spent by ${describePlace(output.evidence.spend)}, input ${output.evidence.input}: the exit is invalid`
    case 'unverified':
      return `its block ${decodePosition(exit.position).block} is ${output.blockState}: nothing can be said`
    case 'mismatch':
      return `verified blocks hold something else there: got ${output.got}, want ${output.want}`
  }
}

const ETH_DECIMALS = 18

/** What a token is called, and how it is divided, is known to whoever asks: ether is ether, all else is units. */
function inTokens(units: bigint, token: Address | undefined): string {
  if (token === ZERO_ADDRESS) return `${formatUnits(units, ETH_DECIMALS)} ETH`
  return token === undefined ? `${units} units` : `${units} units of ${token}`
}

function entriesOf(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

/**
 * Keeping the queue moving where we have an interest (docs/spec.md sections 5.4, 5.5 and 6.3; docs/honest-watcher.md "The queue"): turns
 * that are due, tickets that became payable or that nobody is owed, credits of protected accounts. None of this is needed for safety.
 *
 *     queued --its turn, processExits--> paid, removed, or ticket
 *     ticket --payable and covered, settle--> paid     ticket --void, refuted, or evidence final, release--> removed
 *     a place that was given up before the line got there --freePlace, once it does--> free
 *     cancelled-ticket --release--> removed: its bond comes back, its place is inherited (inheritance.ts)
 *
 * There is no memory: what is due is read off the queue, and an act done by another is not due any more.
 */
import type { Header } from '../../protocol/block.ts'
import { bytesToHex, type Hash, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { hashExit, splitBond, voidableUntil } from '../../protocol/exit.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { isOpenedEntry } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import { hashTransaction } from '../../protocol/transaction.ts'
import type { ExitFacts, ExitRecord, LeftPlace } from '../facts.ts'
import type { BatchRecord } from './batchTypes.ts'
import { isSuspended, makerOf } from './docket.ts'
import { piecesOf, placeNamed, ticketOf } from './exitRecord.ts'
import { isFallen, judgedAfter, maturesAt, rollingDeadline } from './exitTime.ts'
import { CALL_GAS, staggerOf, TURN_COST_GAS, TURN_GAS, TURN_RESERVE_GAS } from './policy.ts'
import { judge } from './rules.ts'
import { buildTurns, dueTurns, type QueueFacts } from './turns.ts'
import type { Effect, FreePlace, L1Readings, ProcessExits, Release, Settle, Ticket, Withdraw, World } from './types.ts'
import { isOursShort } from './waiting.ts'

export type KeeperInput = Readonly<{
  /** Exits whose turn may be ahead, removed ones too. */
  records: readonly ExitRecord[]
  /** Queued exits and tickets. */
  openExits: readonly OpenExit[]
  /** Tickets whose value a verdict passed on. */
  cancelled: readonly ExitRecord[]
  headers: ReadonlyMap<number, Header>
  /** Output ids of exits that we hold invalid or cannot vouch for, and against which no evidence stands. */
  doubted: ReadonlySet<Hash>
  readings: L1Readings
  world: World
  /** Locked mass exits with outputs of protected owners. */
  ourBatches?: readonly BatchRecord[] | undefined
  /** On the line, given up and not freed. */
  leftPlaces?: readonly LeftPlace[] | undefined
  /** Output ids of tickets whose output has an older share of a mass exit, used by nobody yet. */
  withOlderShare?: ReadonlySet<Hash> | undefined
}>

/** What spends its output in the verified blocks says which transaction a piece of evidence is. */
export type OpenExit = ExitRecord & Readonly<{ output?: ExitFacts['output'] }>

/** Total and deterministic. */
export function planQueue(input: KeeperInput): readonly Effect[] {
  const { openExits, readings, world } = input
  const tickets = ticketsOf(openExits)
  return [
    ...turnsOf(input).flatMap((action) => judge(action, world)),
    ...tickets.flatMap((item) => judge(settleOf(item, input), world)),
    ...[...tickets, ...ticketsOf(input.cancelled)].flatMap((item) => judge(releaseOf(item, input), world)),
    ...(input.leftPlaces ?? []).flatMap((left) => judge(freeingOf(left, input), world)),
    ...readings.credits.flatMap((credit) => judge(withdrawOf(credit, world), world)),
  ]
}

function ticketsOf(records: readonly OpenExit[]): readonly TicketItem[] {
  return records.flatMap((record) => {
    const ticket = record.state === 'queued' ? undefined : ticketOf(record.events)
    return ticket ? [{ record, ticket }] : []
  })
}

function turnsOf({
  records,
  headers,
  doubted,
  readings,
  world,
  openExits,
  ourBatches = [],
}: KeeperInput): readonly ProcessExits[] {
  const { policy, protectedOwners } = world
  const queue: QueueFacts = { records, headers, cursor: readings.queue }
  const most = Number((policy.callGasCap - TURN_RESERVE_GAS) / TURN_GAS)
  const possible = dueTurns(queue, world).slice(0, Math.max(0, most))
  // A doubtful exit is not hastened: until its turn it may still fall. Whoever wants it paid will give it its turn.
  const doubtedAt = possible.findIndex(({ exit }) => doubted.has(exit.outputId))
  const due = doubtedAt < 0 ? possible : possible.slice(0, doubtedAt)
  const ours = new Set(ourBatches.map(({ batchId }) => batchId))
  const isOurs = ({ exit: { owner, outputId, payer } }: ExitRecord) =>
    protectedOwners.has(owner) || payer === policy.sender || ours.has(outputId)
  const lastOurs = due.findLastIndex(isOurs)
  // More turns than one call gives, or than one look sees, may come before it.
  const hasOursBehind = doubtedAt < 0 && lastOurs < 0 && [...queue.records, ...openExits].some(isOwed)
  // Strangers' turns before ours are given because ours comes after them; those behind it are public service.
  const taken = policy.publicService || hasOursBehind ? due : due.slice(0, lastOurs + 1)
  const first = taken[0]?.exit
  if (!first) return []
  const bountyWei = taken.reduce((sum, { exit }) => sum + splitBond(exit.bond).bounty, 0n)
  const helpsProtected = lastOurs >= 0 || hasOursBehind
  return [
    {
      type: 'process-exits',
      key: `process:${hashExit(first)}`,
      purpose: `give ${taken.length} exits their turn, from output ${first.position} on`,
      notBefore: first.exitableAt + staggerOf(policy, first.outputId),
      deadline: rollingDeadline(first.exitableAt, world.parameters.minExitPeriod, world.now.timestamp),
      budgetWei: helpsProtected ? bountyWei + policy.keeperBudgetWei : bountyWei,
      count: taken.length,
      turns: buildTurns(queue, taken.length, world),
      firstTurnAt: first.exitableAt,
      helpsProtected,
      helpsDoubted: taken.some(({ exit }) => doubted.has(exit.outputId)),
      bountyWei,
      costWei: (CALL_GAS + BigInt(taken.length) * TURN_COST_GAS) * readings.baseFeeWei,
    },
  ]

  /** Ours, still queued, and its time has come. */
  function isOwed(record: ExitRecord): boolean {
    const { exit, state } = record
    return isOurs(record) && state === 'queued' && !isOpenedEntry(exit) && world.now.timestamp > exit.exitableAt
  }
}

type TicketItem = Readonly<{ record: OpenExit; ticket: Ticket }>

function settleOf({ record, ticket }: TicketItem, input: KeeperInput): Settle {
  return {
    type: 'settle',
    key: `settle:${hashExit(record.exit)}:${ticket.from}`,
    purpose: `settle the ticket of output ${record.exit.position}`,
    ...keeperTerms(record, input),
    record,
    ticket,
    fundedTo: fundedTo(record, input),
    helpsProtected: isOursShort({ token: record.exit.token, fundedTo: fundedTo(record, input) }, input),
  }
}

function releaseOf({ record, ticket }: TicketItem, input: KeeperInput): Release {
  const isCancelled = record.state === 'cancelled-ticket'
  const { spend, place, header, shown } = isCancelled ? NO_EVIDENCE : finalEvidence(record, input)
  const { exit } = record
  const isOurs = { token: exit.token, fundedTo: fundedTo(record, input) }
  const isVain = isFallen(exit.position, input.world)
  const bars = isVain || (input.withOlderShare?.has(exit.outputId) ?? false)
  const isFar = bars && isOurs.fundedTo < ticket.from
  return {
    type: 'release',
    key: `release:${hashExit(record.exit)}:${spend}`,
    purpose: `release what is reserved for output ${record.exit.position}`,
    ...keeperTerms(record, input, spend === 0 ? undefined : judgedAfter(record, spend, input.world)),
    record,
    ticket,
    fundedTo: fundedTo(record, input),
    spend,
    place,
    header,
    ...(shown && { shown }),
    bars,
    // What a verdict passed on keeps its place for the outputs: what comes of it is the bond, and that a share of the same output can be freed.
    helpsProtected: isCancelled
      ? isOurBond(record, input) || isOursShort(isOurs, input)
      : isOursBehind({ token: exit.token, ...ticket }, input) ||
        (isFar && isOursShort(isOurs, input)) ||
        (isVain && input.world.protectedOwners.has(exit.owner)),
  }
}

function freeingOf(left: LeftPlace, { readings, world, ...input }: KeeperInput): FreePlace {
  const { token, from } = left
  return {
    type: 'free-place',
    ...left,
    key: `free:${token}:${from}`,
    purpose: `free the place on the line from ${from} on, which an exit gave up`,
    notBefore: staggerOf(world.policy, bytesToHex(keccak256Text(`${token} ${from}`))),
    deadline: rollingDeadline(0, world.parameters.minExitPeriod, world.now.timestamp),
    budgetWei: world.policy.keeperBudgetWei,
    fundedTo: readings.funded.get(token) ?? 0n,
    helpsProtected: isOursBehind(left, { ...input, world }),
  }
}

function withdrawOf(credit: L1Readings['credits'][number], world: World): Withdraw {
  const { now, policy, parameters } = world
  return {
    type: 'withdraw',
    ...credit,
    key: `withdraw:${credit.token}:${credit.account}:${credit.amount}`,
    purpose: `send ${credit.account} its credit`,
    notBefore: 0,
    deadline: rollingDeadline(0, parameters.minExitPeriod, now.timestamp),
    budgetWei: policy.keeperBudgetWei,
  }
}

function keeperTerms({ exit }: ExitRecord, { world }: KeeperInput, since?: number) {
  const from = since ?? maturesAt(exit, world)
  return {
    notBefore: from + staggerOf(world.policy, exit.outputId),
    deadline: rollingDeadline(from, world.parameters.minExitPeriod, world.now.timestamp),
    budgetWei: world.policy.keeperBudgetWei,
  }
}

function fundedTo({ exit }: ExitRecord, { readings }: KeeperInput): bigint {
  return readings.funded.get(exit.token) ?? 0n
}

const NO_HEADER: Header = { root: ZERO_HASH, timestamp: 0, txCount: 0, anchor: 0 }

type FinalEvidence = Pick<Release, 'spend' | 'place' | 'header' | 'shown'>

const NO_EVIDENCE: FinalEvidence = { spend: 0, place: 0, header: NO_HEADER }

/** A standing piece in a verified block that nothing can void any more, none where a verdict is all that is needed or has to come first. */
function finalEvidence(record: OpenExit, { headers, readings, world }: KeeperInput): FinalEvidence {
  const { exit, output } = record
  const { docket, verifiedBlock, now, parameters } = world
  if (makerOf(exit, docket) === 'not-canonical' || isSuspended(exit, docket)) return NO_EVIDENCE
  const spender = output?.kind === 'spent' ? output.evidence : undefined
  for (const { spend, place } of piecesOf(record)) {
    const { block } = decodePosition(spend)
    const header = headers.get(block)
    if (
      !header ||
      now.timestamp <= judgedAfter(record, spend, world) ||
      docket.refuted.has(spend) ||
      block > verifiedBlock ||
      isFallen(spend, world) ||
      isFallen(place, world)
    )
      continue
    if (now.timestamp <= voidableUntil(header.timestamp, parameters.minExitPeriod)) continue
    const found = { spend, place: placeNamed({ place }, exit), header }
    if (spender?.spend !== spend) return found
    const separator = hexToBytes(readings.domainSeparator)
    const txHash = bytesToHex(hashTransaction(spender.signed.transaction, separator))
    return { ...found, shown: { txHash, header, proof: spender.proof } }
  }
  return NO_EVIDENCE
}

function isOurBond({ exit }: ExitRecord, { world }: KeeperInput): boolean {
  return exit.payer === world.policy.sender || world.protectedOwners.has(exit.payer)
}

/** Something of a protected owner in this token waits behind the place, or may come to; in the same mass exit too. */
function isOursBehind(
  { token, from, due }: LeftPlace,
  { openExits, world, ourBatches = [] }: Pick<KeeperInput, 'openExits' | 'world' | 'ourBatches'>,
): boolean {
  const end = from + due
  const isBatchBehind = ourBatches.some(
    ({ batch, ticket: share }) => batch.token === token && (!share || share.from + share.due > end),
  )
  return (
    isBatchBehind ||
    openExits.some(({ exit, state, events }) => {
      if (exit.token !== token || !world.protectedOwners.has(exit.owner)) return false
      return state === 'queued' || (ticketOf(events)?.from ?? 0n) >= end
    })
  )
}

/**
 * Giving exits their turn (docs/spec.md sections 5.4 and 5.5): anyone may, and the bounties are theirs. The contract keeps hashes, so
 * the caller brings the exits of both streams in their order, and the headers of the blocks that the turns rest on.
 */
import { encodeProcessExits, encodeSettle, type Turns } from '../l1/rootCalls.ts'
import { type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { compareTurns, type Exit, payableAfter } from '../protocol/exit.ts'
import { isOpenedEntry } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { blockOf, findHeaders, isConfirmed, type KnownExit } from './exits.ts'
import { collectFreed, type FollowUp, followDisputes, turnsComeFirst } from './followUp.ts'
import { findItems } from './massExits.ts'
import type { ExitRecord, L1Done, QueueHeads, RootReads } from './ports.ts'

/** Exits per call: 50 turns stay far below the gas limit of one L1 transaction. */
export const TURNS_PER_CALL = 50

/** Gas that a call needs to go on to its end: what the contract wants left before a turn, and the worst turn with its calldata. */
const GAS_BASE = 250_000n
const GAS_PER_TURN = 100_000n

export type DueTurns = Readonly<{ turns: Turns; due: number }>

export type Processed = Readonly<{ processed: number; settled: number; transactions: readonly Hash[] }>

export type ProcessedAll = Processed & FollowUp & Readonly<{ inherited: number; released: number }>

/**
 * What is due for everybody, and whatever follows from the disputes that the account has a part in. Verdicts first, since exits wait for
 * them, unless an input's exit has a place to leave to the outputs.
 */
export async function processAll(wallet: WalletContext, key: string): Promise<ProcessedAll> {
  const none = { processed: 0, transactions: [] }
  const before = (await turnsComeFirst(wallet)) ? await processTurns(wallet, `${key}:before`) : none
  const followed = await followDisputes(wallet, key)
  const turns = await processTurns(wallet, key)
  // Before settling: a share of an older place pays what the exit's own place would make wait.
  const freed = await collectFreed(wallet, key)
  const settled = await settleDue(wallet, key)
  return {
    ...followed,
    ...freed,
    processed: before.processed + turns.processed,
    settled: settled.count,
    transactions: [...before.transactions, ...turns.transactions, ...settled.transactions],
  }
}

/** Processes everything that is due, in calls of at most 50, then settles what became payable after its turn. */
export async function processDue(wallet: WalletContext, key: string): Promise<Processed> {
  const { processed, transactions } = await processTurns(wallet, key)
  const settled = await settleDue(wallet, key)
  return { processed, settled: settled.count, transactions: [...transactions, ...settled.transactions] }
}

/** Everything whose turn has come, mass exits among it. `key` names this run. */
export async function processTurns(wallet: WalletContext, key: string): Promise<Omit<Processed, 'settled'>> {
  const transactions: Hash[] = []
  let processed = 0
  for (let round = 0; ; round++) {
    const { turns, due } = await collectTurns(wallet.root)
    if (due === 0) break
    wallet.report(`processing ${due} exit${due === 1 ? '' : 's'}`)
    const call = encodeProcessExits(TURNS_PER_CALL, turns)
    const done = await wallet.send({
      key: `process:${key}:${round}`,
      purpose: `process ${due} exits`,
      call,
      doneErrors: ['NothingToDo'],
      gasLimit: gasFor(due),
    })
    if (done.txHash === undefined) break
    transactions.push(done.txHash)
    processed += turnsIn(done)
  }
  return { processed, transactions }
}

/** The exits whose turn has come, at most 50, and what the contract needs to see that no other comes first. */
export async function collectTurns(root: RootReads): Promise<DueTurns> {
  const [queue, now, { lastMove }] = [await root.queue(), await root.now(), await root.head()]
  const waiting = await findWaiting(root, queue)
  const old = waiting.filter(({ exit }) => !exit.young).sort((a, b) => a.exit.seq - b.exit.seq)
  const young = waiting.filter(({ exit }) => exit.young)
  const isDue = ({ exit }: KnownExit) => exit.exitableAt < now.timestamp
  const due = waiting.filter(isDue).sort(byTurn).slice(0, TURNS_PER_CALL)
  // The next in each stream is shown too, due or not: it proves that nothing older is passed over.
  const oldDue = due.filter(({ exit }) => !exit.young).length
  const youngBlocks = [...new Set(young.map(({ exit }) => blockOf(exit)))].sort((a, b) => a - b)
  const isOver = ({ exit }: KnownExit) =>
    payableAfter(exit.exitableAt, root.parameters.minExitPeriod, lastMove) < now.timestamp
  const evidence = due.flatMap((known) =>
    mayRemove(known.record) && isOver(known) ? [decodePosition(known.record.evidence).block] : [],
  )
  const headers = await findHeaders(root, new Set([...youngBlocks, ...evidence]))
  const headerOf = (block: number) => headers.get(block) ?? []
  return {
    due: due.length,
    turns: {
      old: old.slice(0, oldDue + 1).map(({ exit }) => exit),
      young: due.filter(({ exit }) => exit.young).map(({ exit }) => exit),
      youngBlocks: youngBlocks.slice(0, TURNS_PER_CALL + 1).flatMap(headerOf),
      evidenceBlocks: evidence.flatMap(headerOf),
    },
  }
}

/**
 * While a dispute runs, after one that was not canonical, and before the end that a move of the halt gave, evidence removes nothing at the
 * turn: a header would stand in the way.
 */
function mayRemove({ state, evidence, running, contested }: ExitRecord): boolean {
  return state === 'queued' && evidence !== 0 && running === 0 && !contested
}

/** Exits that had their turn and can be paid now: their block stands, no evidence, no dispute that runs, time is up. `only`: of these outputs. */
export async function findSettleable(root: RootReads, only?: readonly Hash[]): Promise<Exit[]> {
  const [now, head] = [await root.now(), await root.head()]
  const { minExitPeriod } = root.parameters
  const events = await root.events({ types: ['ExitStarted', 'ExitPostponed'] })
  const postponed = new Set(events.flatMap((event) => (event.type === 'ExitPostponed' ? [event.outputId] : [])))
  const exits: Exit[] = []
  for (const event of events) {
    if (event.type !== 'ExitStarted' || !postponed.has(event.exit.outputId)) continue
    const { exit } = event
    if (only && !only.includes(exit.outputId)) continue
    const record = await root.exitRecord(exit.outputId)
    const isVoid = head.voidFrom !== 0 && !isDepositPosition(exit.position) && blockOf(exit) >= head.voidFrom
    const isPayable = now.timestamp > payableAfter(exit.exitableAt, minExitPeriod, head.lastMove)
    const isFree = record.evidence === 0 && !record.hasMore && record.running === 0
    if (record.state !== 'ticket' || !isFree || isVoid || !isPayable || !isConfirmed(exit, record)) continue
    const verdict = exit.disputed === ZERO_HASH ? 'canonical' : (await root.disputeRecord(exit.disputed)).verdict
    if (verdict === 'canonical') exits.push(exit)
  }
  return exits
}

async function settleDue(wallet: WalletContext, key: string): Promise<{ count: number; transactions: Hash[] }> {
  const transactions: Hash[] = []
  let count = 0
  const exits = await findSettleable(wallet.root)
  for (let at = 0; at < exits.length; at += TURNS_PER_CALL) {
    const group = exits.slice(at, at + TURNS_PER_CALL)
    wallet.report(`settling ${group.length} exit${group.length === 1 ? '' : 's'}`)
    const done = await wallet.send({
      key: `settle:${key}:${at}`,
      purpose: `settle ${group.length} exits`,
      call: encodeSettle(group),
      doneErrors: ['NothingToDo'],
      gasLimit: gasFor(group.length),
    })
    if (done.txHash) transactions.push(done.txHash)
    count += done.events.filter(({ type }) => type === 'ExitPaid').length
  }
  return { count, transactions }
}

/** Exits and mass exits whose place in the queue is not past, by the events; each confirmed by the contract's hash. */
async function findWaiting(root: RootReads, queue: QueueHeads): Promise<KnownExit[]> {
  const waiting: KnownExit[] = []
  for (const event of await root.events({ types: ['ExitStarted'] })) {
    // An opened entry has no turn: its mass exit has one for all.
    if (event.type !== 'ExitStarted' || isOpenedEntry(event.exit) || isPast(event.exit, queue)) continue
    const record = await root.exitRecord(event.exit.outputId)
    // Whatever became of it since: L1 asks for the exit until its place is past.
    if (isConfirmed(event.exit, record)) waiting.push({ exit: event.exit, record })
  }
  for (const item of (await findItems(root)).values()) {
    if (isPast(item, queue)) continue
    const record = await root.exitRecord(item.outputId)
    if (record.state === 'queued') waiting.push({ exit: item, record })
  }
  return waiting
}

function isPast(exit: Exit, { oldHead, oldTail, youngFirst, youngCursor }: QueueHeads): boolean {
  if (!exit.young) return oldHead === oldTail || exit.seq < oldHead
  const block = blockOf(exit)
  return youngFirst === 0 || block < youngFirst || (block === youngFirst && exit.seq < youngCursor)
}

function gasFor(turns: number): bigint {
  return GAS_BASE + GAS_PER_TURN * BigInt(turns)
}

function byTurn(a: KnownExit, b: KnownExit): number {
  const place = ({ exit }: KnownExit) => ({ ...exit, block: blockOf(exit) })
  return compareTurns(place(a), place(b))
}

function turnsIn({ events }: L1Done): number {
  return events.filter(({ type }) => type === 'ExitPaid' || type === 'ExitPostponed' || type === 'ExitRemoved').length
}

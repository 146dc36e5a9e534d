/**
 * How the claim to one entry of a mass exit stands (docs/spec.md sections 6.4.7 to 6.4.10): what can be done for it now, or what it waits
 * for. Judged from what L1 keeps and from a proof that L1 confirms, as the contract will judge it, so that no call is sent to be refused.
 */
import type { EntryOutput } from '../l1/massExitContract.ts'
import type { Hash } from '../protocol/bytes.ts'
import { type Exit, payableAfter } from '../protocol/exit.ts'
import { dropDeadline, isEntryOf, isOpenedEntry, type PlacedEntry, shareOf } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { exitOutlook, findExit, findHeaders } from './exits.ts'
import { findEntries, type KnownBatch, namedOf, timesOf } from './massExits.ts'
import type { ExitRecord, Head, Ticket } from './ports.ts'
import { findSettleable } from './process.ts'
import type { ProvenExitData } from './proofs.ts'

/** `until`: L1 seconds, where that is known. */
export type ClaimState =
  | Readonly<{ kind: 'payable' }>
  /** Locked by something older than the mass exit, or struck with what fell too late: paid as an exit of its own, in the entry's place. */
  | Readonly<{ kind: 'open' }>
  /** Opened: gets its place now. */
  | Readonly<{ kind: 'place'; exit: Exit }>
  /** Its own exit pays now. */
  | Readonly<{ kind: 'settle'; exit: Exit }>
  /** An exit of the output that was started otherwise is paid out of the entry's share, or gets it. */
  | Readonly<{ kind: 'adopt'; exit: Exit }>
  | Readonly<{ kind: 'paid' }>
  | Readonly<{ kind: 'waits'; why: string; until?: number }>
  /** Never paid as this entry. */
  | Readonly<{ kind: 'lost'; why: string }>

export type ClaimSubject = Readonly<{ known: KnownBatch; entry: PlacedEntry; proven: ProvenExitData }>

type Needs = Pick<WalletContext, 'root'>

export async function judgeClaim({ root }: Needs, { known, entry, proven }: ClaimSubject): Promise<ClaimState> {
  const { output } = proven
  const { outputId, position } = output
  if (output.token !== known.batch.token || output.amount !== entry.amount) {
    return lost(
      `the entry says ${entry.amount} of ${known.batch.token}, the output is ${output.amount} of ${output.token}: it names nothing`,
    )
  }
  if (known.stage !== 'dissolved' && findEntries([known], namedOf(proven)).length === 0) {
    return lost('it was deposited when the mass exit was locked already: the entry names nothing')
  }
  const [head, record] = [await root.head(), await root.exitRecord(outputId)]
  if (record.state === 'settled') return { kind: 'paid' }
  if (record.state === 'removed') return lost('its exit was removed: it was spent, or what made it never counted')
  const dead = await whyDead(root, proven, head)
  if (dead !== undefined) return lost(dead)
  if (proven.data.kind === 'transaction' && (await root.disputeRecord(proven.data.txHash)).verdict === 'running') {
    return waits(`the verdict about the payment ${proven.data.txHash} that made it`)
  }
  const early = await whyEarly(root, known, head)
  if (early) return early
  if (record.state === 'none' || record.state === 'locked') return judgeUnopened(root, { known, entry, proven }, record)
  const own = await findExit(root, outputId)
  if (!own) return waits('the L1 endpoint to show how its exit started: try again, or name another with --l1-url')
  if (record.state === 'cancelled' || record.state === 'cancelled-ticket') {
    return lost('a verdict passed its value on to the outputs of a payment')
  }
  const { exit } = own
  if (record.state === 'queued' && isEntryOf(exit, known.id, entry.index)) return { kind: 'place', exit }
  if ((await findSettleable(root, [outputId])).length > 0) return judgeTicket(root, { known, entry, proven }, exit)
  // Any other queued exit has its turn first: until then the queue asks for it.
  if (record.state === 'queued' && isOpenedEntry(exit) && !(await isUsed(root, known.id, entry.index))) {
    return { kind: 'adopt', exit }
  }
  const outlook = exitOutlook(own, root.parameters, await root.now(), head)
  return waits(`its exit (output ${position}): ${outlook.words}`, outlook.payableAfter)
}

/** What L1 is shown of the output. */
export function shownOf({ data, output }: ProvenExitData): EntryOutput {
  if (data.kind === 'deposit') {
    const { owner, token, amount } = output
    return { kind: 'deposit', owner, token, amount }
  }
  const { transaction, header, proof } = data
  return { kind: 'output', transaction, header, proof }
}

/** Of a batch without shares on the line. */
async function whyEarly(root: WalletContext['root'], known: KnownBatch, head: Head): Promise<ClaimState | undefined> {
  const { payable, answerUntil } = timesOf(known, root, head)
  switch (known.stage) {
    case 'started':
    case 'demanded':
      return waits('the mass exit to be locked; it holds no place yet and may still be dissolved', answerUntil)
    case 'dissolved':
      return lost('the mass exit was dissolved: it locked nothing; `lifeboat exit` leaves by an exit of its own')
    case 'locked':
      return waits("the mass exit's turn", payable)
    case 'turned':
      return undefined
  }
}

async function judgeUnopened(
  root: WalletContext['root'],
  { known, entry, proven: { output } }: ClaimSubject,
  record: ExitRecord,
): Promise<ClaimState> {
  const { running } = record
  const strike = (await findStrikes(root, known.id)).get(`${entry.position} ${output.owner}`)
  const [{ timestamp }, head] = [await root.now(), await root.head()]
  const { lastMove } = head
  const isStruck = strike !== undefined && (await isBeforeLock(root, strike, record))
  if (isStruck && !(await hasFallen(root, strike, head))) {
    return lost(`a spend of it by its owner, at position ${strike}, stands: it is not paid`)
  }
  const dropUntil = dropDeadline(known.item?.exitableAt ?? 0, root.parameters.minExitPeriod, lastMove)
  if (isStruck && timestamp <= dropUntil) {
    return waits(
      `a watcher to drop the spend at position ${strike}, which fell, or else the time to open it`,
      dropUntil,
    )
  }
  if (running > 0) return waits('the verdict of a dispute about a payment that spends it')
  const after = payableAfter(0, root.parameters.minExitPeriod, lastMove)
  if (timestamp <= after) return waits('a period after the halt moved', after)
  const isOlderLock = record.state === 'locked' && lockOf(record) < (known.item?.lockedAt ?? 0)
  if (record.state === 'locked' && (await isUsed(root, known.id, entry.index))) {
    return lost('its share was used by an exit of it that ended; `lifeboat exit` leaves by an exit of its own')
  }
  const opens = isStruck || isOlderLock || (await isPaidInPart(root, output.outputId, record))
  // A period after an exit fell anybody may open, and choose the place for her.
  if (opens && hasFallenExit(record)) return { kind: 'open' }
  return (await whyUncovered(root, known, entry)) ?? { kind: opens ? 'open' : 'payable' }
}

/** L1 block. Of a locked output the hash holds it in its lowest 40 bits; above it stands when an exit fell. */
function lockOf({ exitHash }: ExitRecord): number {
  return Number(BigInt.asUintN(40, BigInt(exitHash)))
}

function hasFallenExit({ state, exitHash }: ExitRecord): boolean {
  return state === 'locked' && BigInt(exitHash) >> 40n !== 0n
}

/** A spend anchored later than an earlier lock of the output is no evidence. */
async function isBeforeLock(root: WalletContext['root'], spend: number, record: ExitRecord): Promise<boolean> {
  if (record.state !== 'locked') return true
  const { block } = decodePosition(spend)
  const header = (await findHeaders(root, new Set([block]))).get(block)
  return header === undefined || header.anchor < lockOf(record)
}

/** With its block, or proven invalid. */
async function hasFallen(root: WalletContext['root'], spend: number, { voidFrom }: Head): Promise<boolean> {
  const { block } = decodePosition(spend)
  return (voidFrom !== 0 && block >= voidFrom) || (await root.isInvalid(transactionPosition(spend)))
}

/** By an exit whose inclusion did not stand: only the rest is owed. */
async function isPaidInPart(root: WalletContext['root'], outputId: Hash, { state }: ExitRecord): Promise<boolean> {
  if (state !== 'locked') return false
  const events = await root.events({ types: ['ExitPaid'], outputId })
  return events.some((event) => event.type === 'ExitPaid' && event.outputId === outputId)
}

/** Which of the two places comes first: the share, where it is covered and free, pays an exit that its own place would make wait. */
async function judgeTicket(
  root: WalletContext['root'],
  { known, entry }: ClaimSubject,
  exit: Exit,
): Promise<ClaimState> {
  const [own, funded] = [await root.ticket(exit.outputId), await root.funded(exit.token)]
  if (funded >= own.from + own.due) return { kind: 'settle', exit }
  const isFree = !(await isUsed(root, known.id, entry.index))
  if (isFree && (moves({ known, entry }, exit, own) || (await whyUncovered(root, known, entry)) === undefined)) {
    return { kind: 'adopt', exit }
  }
  return waits(`money for its place: the line is covered up to ${funded}, its place ends at ${own.from + own.due}`)
}

/** An exit that nothing was paid of gets the older place also where that is not covered: where the vault is short it is paid a part there. */
function moves({ known, entry }: Pick<ClaimSubject, 'known' | 'entry'>, exit: Exit, own: Ticket): boolean {
  const share = shareOf(known.ticket ?? { from: 0n, due: 0n }, entry)
  const isWhole = own.due === exit.amount && share.due === own.due
  return isWhole && exit.position === entry.position && share.from < own.from
}

async function whyUncovered(
  root: WalletContext['root'],
  { batch, ticket }: KnownBatch,
  entry: PlacedEntry,
): Promise<ClaimState | undefined> {
  const { from, due } = shareOf(ticket ?? { from: 0n, due: 0n }, entry)
  const funded = await root.funded(batch.token)
  if (due === entry.amount && funded >= from + due) return undefined
  return waits(
    `money for its share: the line is covered up to ${funded}, the share is ${from} to ${from + entry.amount}`,
  )
}

/** An output that is void, or that what never counted made. */
async function whyDead(
  root: WalletContext['root'],
  { data, output: { position } }: ProvenExitData,
  { voidFrom }: Head,
): Promise<string | undefined> {
  if (data.kind === 'deposit' || isDepositPosition(position)) return undefined
  const { block } = decodePosition(position)
  if (voidFrom !== 0 && block >= voidFrom)
    return `its block ${block} is void; leave with what you owned before block ${voidFrom}`
  if (await root.isInvalid(transactionPosition(position))) return 'the payment that made it was proven invalid'
  const { verdict } = await root.disputeRecord(data.txHash)
  return verdict === 'not-canonical' ? `the payment ${data.txHash} that made it was judged not canonical` : undefined
}

async function isUsed(root: WalletContext['root'], batchId: Hash, index: number): Promise<boolean> {
  const events = await root.events({ types: ['EntryPlaced', 'EntryReleased'], batchId })
  return events.some(
    (event) => 'index' in event && event.index === index && 'batchId' in event && event.batchId === batchId,
  )
}

/** Spends on file, by position and signer. */
export async function findStrikes(root: WalletContext['root'], batchId: Hash): Promise<ReadonlyMap<string, number>> {
  const strikes = new Map<string, number>()
  for (const event of await root.events({ types: ['EntryStruck', 'StrikeDropped'], batchId })) {
    if (event.type === 'EntryStruck') strikes.set(`${event.position} ${event.signer}`, event.spend)
    else if (event.type === 'StrikeDropped') strikes.delete(`${event.position} ${event.signer}`)
  }
  return strikes
}

function waits(why: string, until?: number): ClaimState {
  return { kind: 'waits', why, ...(until === undefined ? {} : { until }) }
}

function lost(why: string): ClaimState {
  return { kind: 'lost', why }
}

/**
 * Exits as L1 has them (docs/spec.md sections 5 and 6): found by their events, believed by the hash that the root contract keeps, and
 * told in words with the time of their payout.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Header } from '../protocol/block.ts'
import { hashHeader } from '../protocol/block.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { type Exit, evidenceDeadline, hashExit, payableAfter } from '../protocol/exit.ts'
import { isOpenedEntry } from '../protocol/massExit.ts'
import { decodePosition } from '../protocol/position.ts'
import type { EventFilter, ExitRecord, Head, L1Now, RootReads, VerdictState } from './ports.ts'

/** An exit whose every field the root contract's hash confirms. */
export type KnownExit = Readonly<{
  exit: Exit
  record: ExitRecord
  /** Settled without a payment of its own: a verdict passed its value on. */
  isPassedOn?: boolean
  /** Of the dispute that it is bound to, if it is to one. */
  verdict?: VerdictState
}>

export type ExitOutlook = Readonly<{
  /** L1 seconds: the exit pays when time is past this. */
  payableAfter: number
  /** L1 seconds: last moment for evidence against it. */
  evidenceUntil: number
  /** What happens next, in words. */
  words: string
}>

/** Exits by filter, oldest first. Events that the contract's record does not confirm are left out. */
export async function findExits(root: RootReads, filter: Omit<EventFilter, 'types'> = {}): Promise<KnownExit[]> {
  const exits: KnownExit[] = []
  const seen = new Set<Hash>()
  for (const event of await root.events({ ...filter, types: ['ExitStarted'] })) {
    if (event.type !== 'ExitStarted' || seen.has(event.exit.outputId)) continue
    const record = await root.exitRecord(event.exit.outputId)
    if (!isConfirmed(event.exit, record)) continue
    seen.add(event.exit.outputId)
    const { disputed } = event.exit
    const bound = disputed === ZERO_HASH ? {} : { verdict: (await root.disputeRecord(disputed)).verdict }
    exits.push({ exit: event.exit, record, ...bound })
  }
  return markPassedOn(root, exits, filter)
}

async function markPassedOn(
  root: RootReads,
  exits: readonly KnownExit[],
  { outputId }: Omit<EventFilter, 'types'>,
): Promise<KnownExit[]> {
  const isSettled = ({ record }: KnownExit) => record.state === 'settled'
  if (!exits.some(isSettled)) return [...exits]
  const events = await root.events({ types: ['ExitPaid'], ...(outputId === undefined ? {} : { outputId }) })
  const paid = new Set(events.flatMap((event) => (event.type === 'ExitPaid' ? [event.outputId] : [])))
  return exits.map((known) =>
    isSettled(known) && !paid.has(known.exit.outputId) ? { ...known, isPassedOn: true } : known,
  )
}

export async function findExit(root: RootReads, outputId: Hash): Promise<KnownExit | undefined> {
  return (await findExits(root, { outputId }))[0]
}

/**
 * The exit by the position of its output, whoever owns it. An exit through a dispute is in the place of an input and has no position of
 * its own on L1: it is found by its output id.
 */
export async function findExitAt(root: RootReads, position: number, owner?: Address): Promise<KnownExit | undefined> {
  const exits = await findExits(root, owner === undefined ? {} : { owner })
  const throughs = await findThroughDisputes(root, exits)
  return exits.find(({ exit }) => exit.position === position && !throughs.has(exit.outputId))
}

/** Of these exits those that go through a dispute, in the place of its age (spec 6.3.8); not those that merely wait for its verdict. */
export async function findThroughDisputes(root: RootReads, exits: readonly KnownExit[]): Promise<ReadonlySet<Hash>> {
  const bound = exits.filter(({ exit }) => exit.disputed !== ZERO_HASH)
  if (bound.length === 0) return new Set()
  const events = await root.events({ types: ['DisputeStarted'] })
  const ages = new Map(
    events.flatMap((event) =>
      event.type === 'DisputeStarted' ? [[event.dispute.txHash, event.dispute.agePosition] as const] : [],
    ),
  )
  const isThrough = ({ exit }: KnownExit) => ages.get(exit.disputed) === exit.position
  return new Set(bound.filter(isThrough).map(({ exit }) => exit.outputId))
}

/**
 * The newest child block below `block` that has young exits queued, 0 for none: where the contract begins to look for the exit's place.
 * A hidden or invented event costs gas only. Without it, whoever lines up many young blocks makes others pay for the walk past them.
 */
export async function findYoungHint(root: RootReads, block: number): Promise<number> {
  const { youngFirst } = await root.queue()
  if (youngFirst === 0) return 0
  const events = await root.events({ types: ['ExitStarted', 'BatchLocked'] })
  const blocks = events.flatMap((event) => {
    const exit = event.type === 'ExitStarted' ? event.exit : event.type === 'BatchLocked' ? event.item : undefined
    return exit?.young ? [blockOf(exit)] : []
  })
  return Math.max(0, ...blocks.filter((young) => young >= youngFirst && young < block))
}

export function isConfirmed(exit: Exit, record: ExitRecord): boolean {
  return hashExit(exit).slice(0, 52) === record.exitHash
}

export function exitOutlook(
  known: KnownExit,
  { minExitPeriod }: RootReads['parameters'],
  now: L1Now,
  head: Head,
): ExitOutlook {
  const { exit, record } = known
  const payable = payableAfter(exit.exitableAt, minExitPeriod, head.lastMove)
  const evidenceUntil = evidenceDeadline(exit.exitableAt, minExitPeriod, head.lastMove)
  return {
    payableAfter: payable,
    evidenceUntil,
    words: describeBound(known) ?? describe(record, now.timestamp - payable, evidenceUntil - now.timestamp),
  }
}

/** What a dispute about the payment that made the output, or a verdict about one that spends it, has to say. */
function describeBound({ exit, record: { state }, isPassedOn, verdict }: KnownExit): string | undefined {
  if (isPassedOn) return 'not paid: a verdict passed its value on to the outputs of a payment'
  const isOpen = state === 'queued' || state === 'ticket'
  if (state === 'queued' && isOpenedEntry(exit)) {
    return 'an opened entry of a mass exit: it has its place once that had its turn, by `lifeboat claim`'
  }
  if (!isOpen || verdict === undefined || verdict === 'canonical') return undefined
  return verdict === 'running'
    ? `waits for the verdict about payment ${exit.disputed}; reserved in its place at its turn`
    : `the verdict went against payment ${exit.disputed}: not paid, the bond comes back by \`lifeboat process\``
}

function describe({ state, evidence, hasMore, running, contested }: ExitRecord, overdue: number, evidenceLeft: number) {
  const challenged = evidence !== 0 || hasMore
  switch (state) {
    case 'none':
    case 'locked':
      return 'no exit'
    case 'queued':
      if (running > 0) return `waits for the verdict of ${counted(running)}; reserved in its place at its turn`
      if (challenged && contested) return 'challenged: evidence of a spend stands; reserved at its turn'
      if (challenged) return 'challenged: evidence of a spend stands; removed at its turn'
      if (overdue > 0) return 'payable now: anyone may process it'
      return evidenceLeft >= 0
        ? `waiting; may be challenged for ${seconds(evidenceLeft)} more`
        : `waiting for ${seconds(-overdue)}; no longer open to challenges`
    case 'ticket':
      if (running > 0) return `its turn has passed, its money is reserved; waits for the verdict of ${counted(running)}`
      return challenged
        ? 'its turn has passed, evidence stands: not paid'
        : 'its turn has passed: settle it once it is payable'
    case 'settled':
      return 'paid'
    case 'removed':
      return 'removed without payment'
    case 'cancelled':
      return 'a verdict passed its value on to the outputs of a payment; not paid, the bond comes back at its turn'
    case 'cancelled-ticket':
      return 'a verdict passed its value on to the outputs of a payment; the bond comes back by `lifeboat process`'
  }
}

function counted(disputes: number): string {
  return disputes === 1 ? 'a dispute' : `${disputes} disputes`
}

/** Headers of child blocks, as submissions announced them and the root contract's hashes confirm. */
export async function findHeaders(root: RootReads, blocks: ReadonlySet<number>): Promise<ReadonlyMap<number, Header>> {
  const headers = new Map<number, Header>()
  if (blocks.size === 0) return headers
  for (const event of await root.events({ types: ['BlocksSubmitted'] })) {
    for (const [number, header] of headersIn(event)) {
      if (!blocks.has(number)) continue
      if (hashHeader(header).slice(0, 52) === (await root.headerHash(number))) headers.set(number, header)
    }
  }
  return headers
}

function headersIn(event: RootEvent): (readonly [number, Header])[] {
  if (event.type !== 'BlocksSubmitted') return []
  return event.commitments.map((commitment, i) => [event.firstBlock + i, { ...commitment, timestamp: event.timestamp }])
}

/** The child block an exit depends on. */
export function blockOf(exit: Exit): number {
  return decodePosition(exit.position).block
}

function seconds(value: number): string {
  if (value < 120) return `${value} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  return value < 172_800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86_400)} days`
}

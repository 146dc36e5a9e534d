/**
 * Exits as L1 has them (docs/spec.md sections 5 and 6): found by their events, believed by the hash that the root contract keeps, and
 * told in words with the time of their payout.
 */
import type { RootEvent } from '../l1/rootContract.ts'
import type { Header } from '../protocol/block.ts'
import { hashHeader } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { type Exit, evidenceDeadline, hashExit, payableAfter } from '../protocol/exit.ts'
import { decodePosition } from '../protocol/position.ts'
import type { EventFilter, ExitRecord, Head, L1Now, RootReads } from './ports.ts'

/** An exit whose every field the root contract's hash confirms. */
export type KnownExit = Readonly<{ exit: Exit; record: ExitRecord }>

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
    exits.push({ exit: event.exit, record })
  }
  return exits
}

export async function findExit(root: RootReads, outputId: Hash): Promise<KnownExit | undefined> {
  return (await findExits(root, { outputId }))[0]
}

/** The exit by the position of its output, whoever owns it. */
export async function findExitAt(root: RootReads, position: number, owner?: Address): Promise<KnownExit | undefined> {
  const exits = await findExits(root, owner === undefined ? {} : { owner })
  return exits.find(({ exit }) => exit.position === position)
}

/**
 * The newest child block below `block` that has young exits queued, 0 for none: where the contract begins to look for the exit's place.
 * A hidden or invented event costs gas only. Without it, whoever lines up many young blocks makes others pay for the walk past them.
 */
export async function findYoungHint(root: RootReads, block: number): Promise<number> {
  const { youngFirst } = await root.queue()
  if (youngFirst === 0) return 0
  const events = await root.events({ types: ['ExitStarted'] })
  const blocks = events.flatMap((event) =>
    event.type === 'ExitStarted' && event.exit.young ? [blockOf(event.exit)] : [],
  )
  return Math.max(0, ...blocks.filter((young) => young >= youngFirst && young < block))
}

export function isConfirmed(exit: Exit, record: ExitRecord): boolean {
  return hashExit(exit).slice(0, 52) === record.exitHash
}

export function exitOutlook(
  { exit, record }: KnownExit,
  { minExitPeriod }: RootReads['parameters'],
  now: L1Now,
  head: Head,
): ExitOutlook {
  const payable = payableAfter(exit.exitableAt, minExitPeriod, head.lastMove)
  const evidenceUntil = evidenceDeadline(exit.exitableAt, minExitPeriod, head.lastMove)
  return {
    payableAfter: payable,
    evidenceUntil,
    words: describe(record, now.timestamp - payable, evidenceUntil - now.timestamp),
  }
}

function describe({ state, evidence }: ExitRecord, overdue: number, evidenceLeft: number): string {
  const challenged = evidence !== 0
  switch (state) {
    case 'none':
    case 'locked':
      return 'no exit'
    case 'queued':
      if (challenged) return 'challenged: evidence of a spend stands; removed at its turn'
      if (overdue > 0) return 'payable now: anyone may process it'
      return evidenceLeft >= 0
        ? `waiting; may be challenged for ${seconds(evidenceLeft)} more`
        : `waiting for ${seconds(-overdue)}; no longer open to challenges`
    case 'ticket':
      return challenged
        ? 'its turn has passed, evidence stands: not paid'
        : 'its turn has passed: settle it once it is payable'
    case 'settled':
      return 'paid'
    case 'removed':
      return 'removed without payment'
  }
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

/**
 * An exit's life on L1 as a fold over its events (docs/spec.md section 5). The order in which events are learnt, repeats and
 * reorganisations decide nothing: what is folded is the set of events that L1 holds now, in L1's order.
 *
 *     ExitStarted --> queued --ExitPaid--> settled
 *                       |  \--ExitRemoved--> removed (keeps its place in the queue until its turn)
 *                       \--ExitPostponed--> ticket --ExitPaid in full--> settled
 *                                             \--ExitRemoved--> removed
 *
 * EvidenceShown and EvidenceDropped change the evidence, never the state.
 */
import type { Address } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { ExitEvent, ExitRecord } from '../facts.ts'
import type { Ticket } from './types.ts'

export function foldRecord(exit: Exit, learnt: readonly ExitEvent[]): ExitRecord {
  const events = inOrder(learnt)
  const evidence = evidenceOf(events)
  const paid = events.reduce((sum, event) => (event.type === 'ExitPaid' ? sum + event.amount : sum), 0n)
  return { exit, state: stateOf(events), evidence: evidence.all, paid, events }
}

/** What is reserved and not yet paid; undefined before the turn. */
export function ticketOf(events: readonly ExitEvent[]): Ticket | undefined {
  let ticket: Ticket | undefined
  for (const event of events) {
    if (event.type === 'ExitPostponed') ticket = { from: event.from, due: event.due }
    if (event.type === 'ExitPaid' && ticket) {
      ticket = { from: ticket.from + event.amount, due: ticket.due - event.amount }
    }
  }
  return ticket
}

/** The piece that the exit's own slot holds; 0 for none. Only this one is judged at the turn, the others by `release`. */
export function firstEvidenceOf(events: readonly ExitEvent[]): number {
  return evidenceOf(events).first
}

/** True once a challenger was paid from the bond: further evidence earns nothing. */
export function isRewarded(events: readonly ExitEvent[]): boolean {
  return events.some((event) => event.type === 'EvidenceShown')
}

export function wasShownBy(events: readonly ExitEvent[], challenger: Address): boolean {
  return events.some((event) => event.type === 'EvidenceShown' && event.challenger === challenger)
}

function stateOf(events: readonly ExitEvent[]): ExitRecord['state'] {
  if (events.some(({ type }) => type === 'ExitRemoved')) return 'removed'
  const ticket = ticketOf(events)
  if (ticket) return ticket.due > 0n ? 'ticket' : 'settled'
  return events.some(({ type }) => type === 'ExitPaid') ? 'settled' : 'queued'
}

/** As the contract keeps it: a first slot, filled whenever it is empty, and the rest. */
function evidenceOf(events: readonly ExitEvent[]): Readonly<{ first: number; all: readonly number[] }> {
  let first = 0
  let all: readonly number[] = []
  for (const event of events) {
    if (event.type === 'EvidenceShown') {
      if (first === 0) first = event.spend
      all = [...all.filter((spend) => spend !== event.spend), event.spend]
    } else if (event.type === 'EvidenceDropped') {
      if (first === event.spend) first = 0
      all = all.filter((spend) => spend !== event.spend)
    }
  }
  return { first, all }
}

function inOrder(learnt: readonly ExitEvent[]): readonly ExitEvent[] {
  const sorted = [...learnt].sort((a, b) => a.at.l1Block - b.at.l1Block || a.at.logIndex - b.at.logIndex)
  return sorted.filter((event, i) => {
    const previous = sorted[i - 1]?.at
    return previous?.l1Block !== event.at.l1Block || previous.logIndex !== event.at.logIndex
  })
}

/**
 * An exit's life on L1 as a fold over its events (docs/spec.md sections 5 and 6). The order in which events are learnt, repeats and
 * reorganisations decide nothing: what is folded is the set of events that L1 holds now, in L1's order.
 *
 *     ExitStarted --> queued --ExitPaid--> settled
 *                       |  \--ExitRemoved--> removed (keeps its place in the queue until its turn)
 *                       \--ExitPostponed--> ticket --ExitPaid in full--> settled
 *                                             \--ExitRemoved--> removed
 *     a canonical verdict about a spend of its output: queued --> cancelled, ticket --> cancelled-ticket
 *
 * EvidenceShown, EvidenceDropped and ExitInherited change the evidence and what is owed, never the state.
 */
import type { Address } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { ExitEvent, ExitRecord, ExitState } from '../facts.ts'
import { type Docket, isPassedOn } from './docket.ts'
import { inOrder } from './eventOrder.ts'
import type { Ticket } from './types.ts'

/** As the exit's own events tell it: verdicts are not among them. */
export function foldRecord(exit: Exit, learnt: readonly ExitEvent[]): ExitRecord {
  const events = inOrder(learnt)
  const evidence = [...new Set(piecesOf(events).map(({ spend }) => spend))]
  const paid = events.reduce((sum, event) => (event.type === 'ExitPaid' ? sum + event.amount : sum), 0n)
  return { exit, state: stateOf(events), evidence, paid, events }
}

/** With what verdicts did to it. A record that the store got wrong is not believed. */
export function refold<R extends ExitRecord>(record: R, docket: Docket): R {
  const folded = foldRecord(record.exit, record.events)
  return { ...record, ...folded, state: cancelledBy(folded, docket) }
}

function cancelledBy({ exit, state }: ExitRecord, docket: Docket): ExitState {
  if ((state !== 'queued' && state !== 'ticket') || !isPassedOn(exit.outputId, docket)) return state
  return state === 'queued' ? 'cancelled' : 'cancelled-ticket'
}

/** What is reserved and not yet paid; undefined before the turn. */
export function ticketOf(events: readonly ExitEvent[]): Ticket | undefined {
  return foldTicket(events)?.ticket
}

/** A piece of evidence on file. `place`: what the spend names, 0 where the exit itself says it. */
export type Piece = Readonly<{ spend: number; place: number }>

/** All that stand, in the order shown. */
export function piecesOf(events: readonly ExitEvent[]): readonly Piece[] {
  return foldEvidence(events).all
}

/** The piece that the exit's own slot holds; 0 for none. Only this one is judged at the turn, the others by `release`. */
export function firstEvidenceOf(events: readonly ExitEvent[]): number {
  return foldEvidence(events).first
}

/** True once a challenger was paid from the bond: further evidence earns nothing. */
export function isRewarded(events: readonly ExitEvent[]): boolean {
  return events.some((event) => event.type === 'EvidenceShown')
}

export function wasShownBy(events: readonly ExitEvent[], challenger: Address): boolean {
  return events.some((event) => event.type === 'EvidenceShown' && event.challenger === challenger)
}

function stateOf(events: readonly ExitEvent[]): ExitState {
  if (events.some(({ type }) => type === 'ExitRemoved')) return 'removed'
  const folded = foldTicket(events)
  if (folded) return folded.settled ? 'settled' : 'ticket'
  return events.some(({ type }) => type === 'ExitPaid') ? 'settled' : 'queued'
}

/**
 * A payment out of the line moves the interval's begin; one out of an inherited share leaves the interval as it is and lowers what is owed.
 * The contract tells of a share first and of its payment next.
 */
function foldTicket(events: readonly ExitEvent[]): Readonly<{ ticket: Ticket; settled: boolean }> | undefined {
  let ticket: Ticket | undefined
  let settled = false
  let isShare = false
  for (const event of events) {
    if (event.type === 'ExitPostponed') ticket = { from: event.from, due: event.due, inherited: 0n }
    if (event.type === 'ExitInherited') isShare = true
    if (event.type !== 'ExitPaid' || !ticket) continue
    const { from, due, inherited } = ticket
    if (isShare) ticket = { from, due, inherited: inherited + event.amount }
    else {
      settled = event.amount >= due - inherited
      ticket = { from: from + event.amount, due: due - event.amount, inherited }
    }
    isShare = false
  }
  return ticket && { ticket, settled }
}

/** As the contract keeps it: a first slot for ordinary exits, filled whenever it is empty, and the rest. */
function foldEvidence(events: readonly ExitEvent[]): Readonly<{ first: number; all: readonly Piece[] }> {
  let first = 0
  let all: readonly Piece[] = []
  for (const event of events) {
    if (event.type !== 'EvidenceShown' && event.type !== 'EvidenceDropped') continue
    const { spend, place } = event
    const others = all.filter((piece) => piece.spend !== spend || (piece.place !== 0 && piece.place !== place))
    if (event.type === 'EvidenceShown') {
      if (first === 0 && place === 0) first = spend
      all = [...others, { spend, place }]
    } else {
      if (first === spend) first = 0
      all = others
    }
  }
  return { first, all }
}

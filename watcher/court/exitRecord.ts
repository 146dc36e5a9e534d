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
 * An opened entry of a mass exit has no turn: its ticket is the entry's share. A cancelled exit may get such a place before its own turn, which
 * then only passes by.
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
  const evidence = [...new Set(piecesOf({ exit, events }).map(({ spend }) => spend))]
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

/** All that stand, in the order shown. The contract keeps each by its spend and by what that names. */
export function piecesOf({ exit, events }: Pick<ExitRecord, 'exit' | 'events'>): readonly Piece[] {
  let pieces: readonly Piece[] = []
  for (const event of events) {
    if (event.type !== 'EvidenceShown' && event.type !== 'EvidenceDropped') continue
    const { spend, place } = event
    pieces = pieces.filter((piece) => piece.spend !== spend || placeNamed(piece, exit) !== placeNamed(event, exit))
    if (event.type === 'EvidenceShown') pieces = [...pieces, { spend, place }]
  }
  return pieces
}

/** The position that a piece's spend names. */
export function placeNamed({ place }: Pick<Piece, 'place'>, { position }: Exit): number {
  return place === 0 ? position : place
}

/**
 * The piece that the exit's own slot holds, which is filled whenever it is empty; 0 for none. Only this one is judged at the turn, the
 * others by `release`. What names a place of its own never fills it.
 */
export function firstEvidenceOf(events: readonly ExitEvent[]): number {
  let first = 0
  for (const event of events) {
    if (event.type === 'EvidenceShown' && first === 0 && event.place === 0) first = event.spend
    else if (event.type === 'EvidenceDropped' && event.spend === first) first = 0
  }
  return first
}

/** True once a challenger was paid from the bond: further evidence earns nothing. */
export function isRewarded(events: readonly ExitEvent[]): boolean {
  return events.some((event) => event.type === 'EvidenceShown')
}

export function wasShownBy(events: readonly ExitEvent[], challenger: Address): boolean {
  return events.some((event) => event.type === 'EvidenceShown' && event.challenger === challenger)
}

function stateOf(events: readonly ExitEvent[]): ExitState {
  const removed = events.findIndex(({ type }) => type === 'ExitRemoved')
  const placed = events.findIndex(({ type }) => type === 'ExitPostponed')
  // One that a verdict cancelled before its turn is removed there without a place, and may get a share of a mass exit later.
  if (removed !== -1 && (placed < removed || events.slice(placed).some(({ type }) => type === 'ExitRemoved')))
    return 'removed'
  const folded = foldTicket(events)
  if (folded) return folded.settled ? 'settled' : 'ticket'
  return events.some(({ type }) => type === 'ExitPaid') ? 'settled' : 'queued'
}

/**
 * A payment out of the line moves the interval's begin; one out of an inherited share leaves the interval as it is and lowers what is owed.
 * The contract tells of a share first and of its payment next; of a mass exit's entry that becomes the place itself, of that place.
 */
function foldTicket(events: readonly ExitEvent[]): Readonly<{ ticket: Ticket; settled: boolean }> | undefined {
  let ticket: Ticket | undefined
  let settled = false
  let isShare = false
  let paidBefore = 0n
  for (const event of events) {
    if (event.type === 'ExitStarted') paidBefore = event.paidBefore ?? 0n
    if (event.type === 'ExitPostponed') {
      ticket = { from: event.from, due: event.due, inherited: ticket?.inherited ?? paidBefore }
      isShare = false
    }
    if (event.type === 'ExitInherited' || event.type === 'EntryPlaced') isShare = true
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

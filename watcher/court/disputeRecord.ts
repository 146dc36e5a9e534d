/**
 * A dispute's life on L1 as a fold over its events (docs/spec.md section 6.3), as exitRecord.ts does it for exits.
 *
 *     DisputeStarted --> running --DisputeDecided--> canonical | not-canonical, for ever
 *
 * CompetitorShown and DisputeAnswered add pieces; none replaces another.
 */
import { type InputState, judgeDispute, type Verdict } from '../../protocol/dispute.ts'
import type { At, CompetitorFact, DisputeFacts, DisputeRecord, ExitRecord } from '../facts.ts'
import { type Docket, spendingOf } from './docket.ts'
import { compareAt, inOrder } from './eventOrder.ts'
import { isFallen } from './exitTime.ts'
import type { World } from './types.ts'

/** A record that the store got wrong is not believed. */
export function refoldDispute<R extends DisputeRecord>(record: R): R {
  const events = inOrder(record.events)
  const competitors = events.flatMap((event) =>
    event.type === 'CompetitorShown'
      ? [{ txHash: event.competitor, position: event.position, input: event.input }]
      : [],
  )
  const answers = events.flatMap((event) => (event.type === 'DisputeAnswered' ? [event.position] : []))
  const decided = events.find((event) => event.type === 'DisputeDecided')
  return { ...record, events, competitors, answers, state: decided?.verdict ?? 'running' }
}

/** Undefined while it runs. */
export function decidedAt({ events }: DisputeRecord): At | undefined {
  return events.find(({ type }) => type === 'DisputeDecided')?.at
}

/** Once a challenger was paid, showing another competitor earns nothing. */
export function hasFallenBond({ events }: DisputeRecord): boolean {
  return events.some((event) => event.type === 'CompetitorShown' && event.reward > 0n)
}

/** Positions of the included competitors that stand. */
export function standingCompetitors({ competitors }: DisputeRecord, world: World): readonly number[] {
  return competitors.map(({ position }) => position).filter((position) => position !== 0 && !isFallen(position, world))
}

/** Pieces that `decide` wants to be named: L1 keeps the first included competitor and the first answer by itself. */
export function furtherPieces({ competitors, answers }: DisputeRecord): Readonly<{
  competitors: readonly number[]
  answers: readonly number[]
}> {
  const included = [...new Set(competitors.map(({ position }) => position).filter((position) => position !== 0))]
  return { competitors: included.slice(1), answers: [...new Set(answers)].slice(1) }
}

export type KnownSpend = Readonly<{ input: number; evidence: CompetitorFact }>

/** The competitor that we can show: the oldest, since an answer must be older than all. */
export function oldestSpend({ spends }: DisputeFacts): KnownSpend | undefined {
  const known = spends.flatMap((evidence, input) => (evidence ? [{ input, evidence }] : []))
  return known.sort((a, b) => a.evidence.spend - b.evidence.spend)[0]
}

/** What the verified blocks say of the transaction: undefined where they hold neither it nor another spend of its inputs. */
export function truthOf(facts: DisputeFacts): Verdict | undefined {
  if (oldestSpend(facts)) return 'not-canonical'
  return facts.made ? 'canonical' : undefined
}

/** What became of each input before the verdict, or by now: anything but `free` makes the verdict not canonical (6.3.6). */
export function inputStates(facts: DisputeFacts, world: World): readonly InputState[] {
  const until = decidedAt(facts)
  return facts.inputs.map(({ outputId, madeBy, position }, i) => {
    if (world.docket.byTransaction.get(madeBy)?.state === 'not-canonical') return 'made-by-non-canonical'
    if (isFallen(position, world)) return 'void'
    if (isPassedOnByAnother(outputId, facts, world.docket)) return 'passed-on'
    const exit = facts.inputExits[i]
    return exit && wasPaid(exit, until) ? 'paid' : 'free'
  })
}

/** What L1 would say if it were asked now, of the pieces that it has been shown. */
export function verdictByPieces(facts: DisputeFacts, world: World): Verdict {
  const pieceAt = (position: number) => ({ position, stands: !isFallen(position, world) })
  return judgeDispute({
    inputs: inputStates(facts, world),
    competitors: facts.competitors.map(({ position }) => pieceAt(position)),
    answers: facts.answers.map(pieceAt),
  })
}

function isPassedOnByAnother(
  outputId: DisputeRecord['inputs'][number]['outputId'],
  { dispute }: DisputeRecord,
  docket: Docket,
): boolean {
  return spendingOf(outputId, docket).some(
    ({ record }) => record.state === 'canonical' && record.dispute.txHash !== dispute.txHash,
  )
}

function wasPaid({ events }: ExitRecord, until: At | undefined): boolean {
  return events.some(({ type, at }) => type === 'ExitPaid' && (until === undefined || compareAt(at, until) < 0))
}

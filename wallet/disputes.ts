/**
 * Disputes as L1 has them (docs/spec.md section 6.3): found by their events, believed by the hash that the root contract keeps, and told
 * in words with the times of what can still be shown.
 */
import type { RootEvent, StartedDispute } from '../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { answerDeadline, competitorDeadline, hashDispute, hashDisputeInputs, type Piece } from '../protocol/dispute.ts'
import { payableAfter } from '../protocol/exit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { hashTransaction } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import type { DisputeRecord, Head, L1Now, RootReads } from './ports.ts'

type Needs = Pick<WalletContext, 'root' | 'separator'>

/** Another transaction that spends an input of the disputed one. `position` 0: in no block that was shown. */
export type CompetitorSeen = Readonly<{ txHash: Hash; position: number; input: number }>

/** A dispute whose every field the root contract's hash confirms; the pieces as its events tell them. */
export type KnownDispute = StartedDispute &
  Readonly<{
    record: DisputeRecord
    competitors: readonly CompetitorSeen[]
    /** Positions of the answers. */
    answers: readonly number[]
  }>

export type DisputeOutlook = Readonly<{
  /** L1 seconds, each the last one. */
  competitorsUntil: number
  answersUntil: number
  /** L1 seconds: the verdict can be had when time is past this. */
  verdictAfter: number
  /** What the pieces shown so far would give; what may happen next, in words. */
  words: string
}>

/** An account's part in a disputed transaction: indices of inputs and outputs. */
export type Part = Readonly<{ inputs: readonly number[]; outputs: readonly number[]; isStarter: boolean }>

/** Oldest first. Events that the contract's record does not confirm are left out. */
export async function findDisputes({ root, separator }: Needs, disputed?: Hash): Promise<KnownDispute[]> {
  const types = ['DisputeStarted', 'CompetitorShown', 'DisputeAnswered'] as const
  const events = await root.events({ types, ...(disputed === undefined ? {} : { disputed }) })
  const found: KnownDispute[] = []
  for (const event of events) {
    if (event.type !== 'DisputeStarted') continue
    const { dispute, inputs, signed } = event
    const record = await root.disputeRecord(dispute.txHash)
    if (hashDispute(dispute).slice(0, 52) !== record.disputeHash) continue
    if (hashDisputeInputs(inputs) !== dispute.inputsHash) continue
    if (bytesToHex(hashTransaction(signed.transaction, separator)) !== dispute.txHash) continue
    found.push({ dispute, inputs, signed, record, ...piecesOf(events, dispute.txHash) })
  }
  return found
}

export async function findDispute(wallet: Needs, txHash: Hash): Promise<KnownDispute | undefined> {
  return (await findDisputes(wallet, txHash)).find(({ dispute }) => dispute.txHash === txHash)
}

export function partOf({ dispute, inputs, signed }: StartedDispute, account: Address): Part {
  const own = (list: readonly Readonly<{ owner: Address }>[]) =>
    list.flatMap(({ owner }, i) => (owner === account ? [i] : []))
  return {
    inputs: own(inputs),
    outputs: own(signed.transaction.outputs),
    isStarter: dispute.starter === account,
  }
}

export function hasPart({ inputs, outputs, isStarter }: Part): boolean {
  return inputs.length > 0 || outputs.length > 0 || isStarter
}

/** What `decide` wants to be named: L1 keeps the first included competitor and the first answer by itself. */
export function furtherPieces({ competitors, answers }: Pick<KnownDispute, 'competitors' | 'answers'>) {
  const included = [...new Set(competitors.map(({ position }) => position).filter((position) => position !== 0))]
  return { competitors: included.slice(1), answers: [...new Set(answers)].slice(1) }
}

/** The oldest included competitor and the oldest answer that stand; undefined where none does. */
export async function oldestStanding(
  root: Pick<RootReads, 'isInvalid'>,
  { competitors, answers }: Pick<KnownDispute, 'competitors' | 'answers'>,
  { voidFrom }: Pick<Head, 'voidFrom'>,
): Promise<Readonly<{ competitor?: number; answer?: number }>> {
  const stands = async (position: number): Promise<Piece> => ({
    position,
    stands: position !== 0 && !isVoidAt(position, voidFrom) && !(await root.isInvalid(position)),
  })
  const least = async (positions: readonly number[]) => {
    const pieces = await Promise.all(positions.map(stands))
    const standing = pieces.flatMap((piece) => (piece.stands ? [piece.position] : []))
    return standing.length === 0 ? undefined : Math.min(...standing)
  }
  const [competitor, answer] = [await least(competitors.map(({ position }) => position)), await least(answers)]
  return { ...(competitor === undefined ? {} : { competitor }), ...(answer === undefined ? {} : { answer }) }
}

export async function disputeOutlook(root: RootReads, known: KnownDispute): Promise<DisputeOutlook> {
  const [now, head] = [await root.now(), await root.head()]
  const { exitableAt } = known.dispute
  const mep = root.parameters.minExitPeriod
  const times = {
    competitorsUntil: competitorDeadline(exitableAt, mep, head.lastMove),
    answersUntil: answerDeadline(exitableAt, mep, head.lastMove),
    verdictAfter: payableAfter(exitableAt, mep, head.lastMove),
  }
  return { ...times, words: describe(known, { ...times, now, ...(await oldestStanding(root, known, head)) }) }
}

/** Whether the halt took the block of this position; deposits are never void. */
export function isVoidAt(position: number, voidFrom: number): boolean {
  return voidFrom !== 0 && !isDepositPosition(position) && decodePosition(position).block >= voidFrom
}

type Standing = Omit<DisputeOutlook, 'words'> & Readonly<{ now: L1Now; competitor?: number; answer?: number }>

function describe({ record, competitors }: KnownDispute, at: Standing): string {
  switch (record.verdict) {
    case 'none':
      return 'no dispute'
    case 'canonical':
      return 'canonical: its outputs are paid, its inputs are spent'
    case 'not-canonical':
      return 'not canonical: it counts as never included; its inputs may leave, its outputs never'
    case 'running':
  }
  const next = nextStep(at)
  if (competitors.length === 0) return `nobody showed another spend of its inputs: canonical so far; ${next}`
  const isAnswered = at.answer !== undefined && at.answer < (at.competitor ?? Number.POSITIVE_INFINITY)
  if (isAnswered) return `another spend was shown, and answered by an older inclusion: canonical so far; ${next}`
  const want = at.competitor === undefined ? 'an inclusion of it' : `an inclusion older than position ${at.competitor}`
  return `another spend of its inputs was shown: not canonical unless ${want} is shown; ${next}`
}

function nextStep({ now: { timestamp }, competitorsUntil, answersUntil, verdictAfter }: Standing): string {
  if (timestamp <= competitorsUntil) return 'other spends and inclusions can be shown'
  if (timestamp <= answersUntil) return 'inclusions can still be shown'
  return timestamp > verdictAfter ? 'the verdict is due: `lifeboat process`' : 'it waits for its verdict'
}

function piecesOf(events: readonly RootEvent[], disputed: Hash) {
  return {
    competitors: events.flatMap((event) =>
      event.type === 'CompetitorShown' && event.txHash === disputed
        ? [{ txHash: event.competitor, position: event.position, input: event.input }]
        : [],
    ),
    answers: events.flatMap((event) =>
      event.type === 'DisputeAnswered' && event.txHash === disputed ? [event.position] : [],
    ),
  }
}

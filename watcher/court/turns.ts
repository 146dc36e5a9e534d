/**
 * What a processor brings to `processExits` (docs/spec.md section 5.4, S1): the due exits of both streams in the merged order, items of
 * mass exits among them, and beyond them the heads of both streams, because the contract compares the two before each turn and stops where
 * one is not shown.
 */
import type { Header } from '../../protocol/block.ts'
import { compareTurns, type QueuePlace, voidableUntil } from '../../protocol/exit.ts'
import { isOpenedEntry } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { ExitRecord } from '../facts.ts'
import { isContested, isSpendSuspended } from './docket.ts'
import { firstEvidenceOf } from './exitRecord.ts'
import { isPastTurn, maturesAt } from './exitTime.ts'
import type { QueueCursor, Turns, World } from './types.ts'

export type QueueFacts = Readonly<{
  /** Exits whose turn may be ahead, removed ones too, in any order. */
  records: readonly ExitRecord[]
  cursor: QueueCursor
  /** Headers of the child blocks of young exits and of evidence. */
  headers: ReadonlyMap<number, Header>
}>

/** The exits whose turn has come, in the contract's order, up to the first one that we do not know. */
export function dueTurns(queue: QueueFacts, world: World): readonly ExitRecord[] {
  return orderedTurns(queue).filter(({ exit }) => world.now.timestamp > exit.exitableAt)
}

/** The lists for giving the first `count` of the due exits their turn. */
export function buildTurns(queue: QueueFacts, count: number, world: World): Turns {
  const ordered = orderedTurns(queue)
  const taken = ordered.slice(0, count)
  const rest = ordered.slice(count)
  const nextOld = rest.find(({ exit }) => !exit.young)
  const nextYoung = rest.find(({ exit }) => exit.young)
  const old = [...taken.filter(({ exit }) => !exit.young), ...(nextOld ? [nextOld] : [])]
  const young = taken.filter(({ exit }) => exit.young)
  const blocks = [...young, ...(nextYoung ? [nextYoung] : [])].map(({ exit }) => decodePosition(exit.position).block)
  return {
    old: old.map(({ exit }) => exit),
    young: young.map(({ exit }) => exit),
    youngBlocks: [...new Set(blocks)].flatMap((block) => queue.headers.get(block) ?? []),
    evidenceBlocks: taken.flatMap((record) => evidenceHeader(record, queue, world)),
  }
}

/** Both streams merged. A gap ends it: what comes after an exit that we lack can't have its turn in this call. */
function orderedTurns({ records, cursor, headers }: QueueFacts): readonly ExitRecord[] {
  // Opened entries of mass exits have no turn of their own: they would look like a gap.
  const ahead = records.filter(({ exit }) => !isOpenedEntry(exit) && !isPastTurn(exit, cursor))
  ahead.sort((a, b) => compareTurns(placeOf(a), placeOf(b)))
  let oldNext = cursor.oldHead
  const youngNext = new Map([[cursor.youngFirst, cursor.youngCursor]])
  const gap = ahead.findIndex(({ exit }) => {
    if (!exit.young) return exit.seq !== oldNext++
    const { block } = decodePosition(exit.position)
    const expected = youngNext.get(block) ?? 0
    youngNext.set(block, expected + 1)
    return exit.seq !== expected || !headers.has(block)
  })
  return gap < 0 ? ahead : ahead.slice(0, gap)
}

function placeOf({ exit }: ExitRecord): QueuePlace {
  return { exitableAt: exit.exitableAt, young: exit.young, block: decodePosition(exit.position).block, seq: exit.seq }
}

/**
 * One header for each exit whose evidence is final: the contract uses them up in the order of the turns. It looks at no evidence while a
 * dispute holds the exit, nor of a contested output (docs/spec.md section 6.3.11), nor before the end that a move of the halt gave it.
 */
function evidenceHeader({ exit, state, events }: ExitRecord, { headers }: QueueFacts, world: World): readonly Header[] {
  const spend = firstEvidenceOf(events)
  if (isSpendSuspended(exit.outputId, world.docket) || isContested(exit.outputId, world.docket)) return []
  if (world.now.timestamp <= maturesAt(exit, world)) return []
  const header = state === 'queued' && spend !== 0 ? headers.get(decodePosition(spend).block) : undefined
  if (!header) return []
  return world.now.timestamp > voidableUntil(header.timestamp, world.parameters.minExitPeriod) ? [header] : []
}

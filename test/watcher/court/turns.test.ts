/** The queue: what is brought to L1 is what the contract's own loop takes, all of it and in its order. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Header } from '../../../protocol/block.ts'
import type { Hash } from '../../../protocol/bytes.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { decodePosition } from '../../../protocol/position.ts'
import { firstEvidenceOf } from '../../../watcher/court/exitRecord.ts'
import { buildTurns, dueTurns } from '../../../watcher/court/turns.ts'
import type { QueueCursor, Turns } from '../../../watcher/court/types.ts'
import type { ExitRecord } from '../../../watcher/facts.ts'
import { EMPTY, oldExit, SPEND, youngExit } from './queueExits.ts'
import { dropped, headerOf, MEP, positionOf, recordOf, removed, START, shown, worldAt } from './world.ts'

/** What the contract's processExits does with these lists: the exits it gives a turn, and where the queue stands then. */
function processOnL1(
  {
    cursor,
    exits,
    links,
  }: {
    cursor: QueueCursor
    exits: ReadonlyMap<Hash, ExitRecord>
    links: readonly (readonly [block: number, count: number, timestamp: number])[]
  },
  turns: Turns,
  { now, maxCount }: { now: number; maxCount: number },
) {
  const q = { ...cursor }
  const at = { old: 0, young: 0, block: 0, evidence: 0 }
  const given: Hash[] = []
  const finals: Hash[] = []
  const link = () => links.find(([block]) => block === q.youngFirst)
  while (given.length < maxCount) {
    let oldAt = Number.POSITIVE_INFINITY
    let youngAt = Number.POSITIVE_INFINITY
    if (q.oldHead !== q.oldTail) {
      while ((turns.old[at.old]?.seq ?? Number.POSITIVE_INFINITY) < q.oldHead) at.old++
      const head = turns.old[at.old]
      if (!head || head.young || head.seq !== q.oldHead) break
      oldAt = head.exitableAt
    }
    if (q.youngFirst !== 0) {
      const isIt = (header: Header) => header.timestamp === link()?.[2]
      while (at.block < turns.youngBlocks.length && !isIt(turns.youngBlocks[at.block]!)) at.block++
      const header = turns.youngBlocks[at.block]
      if (!header) break
      youngAt = header.timestamp + 2 * MEP
    }
    const young = youngAt < oldAt
    if (now <= Math.min(oldAt, youngAt) || Math.min(oldAt, youngAt) === Number.POSITIVE_INFINITY) break
    if (young) {
      const isPast = (exit: Exit) => {
        const { block } = decodePosition(exit.position)
        return block < q.youngFirst || (block === q.youngFirst && exit.seq < q.youngCursor)
      }
      while (at.young < turns.young.length && isPast(turns.young[at.young]!)) at.young++
    }
    const exit = young ? turns.young[at.young] : turns.old[at.old]
    if (!exit || (young && exit.seq !== q.youngCursor)) break
    if (young) {
      at.young++
      if (++q.youngCursor >= (link()?.[1] ?? 0)) {
        const next = links.findIndex(([block]) => block === q.youngFirst) + 1
        q.youngFirst = links[next]?.[0] ?? 0
        q.youngCursor = 0
      }
    } else {
      at.old++
      q.oldHead++
    }
    given.push(exit.outputId)
    const record = exits.get(exit.outputId)!
    const evidence = firstEvidenceOf(record.events)
    if (
      record.state === 'queued' &&
      evidence !== 0 &&
      turns.evidenceBlocks[at.evidence]?.timestamp === decodePosition(evidence).block
    ) {
      at.evidence++
      finals.push(exit.outputId)
    }
  }
  return { given, finals, cursor: q }
}

const turnsSuite = suite('turns')

const someQueue = fc
  .record({
    old: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
    young: fc.array(fc.tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 3 })), { maxLength: 4 }),
    done: fc.nat({ max: 12 }),
    elapsed: fc.integer({ min: 0, max: 60 }),
    count: fc.integer({ min: 1, max: 20 }),
    evidence: fc.array(fc.constantFrom('none', 'final', 'open', 'removed', 'dropped'), {
      minLength: 20,
      maxLength: 20,
    }),
  })
  .map(({ old, young, done, elapsed, count, evidence }) => {
    const kinds = [...evidence]
    // A header's timestamp names its block here, so that the model can tell headers apart.
    const finalBlocks = new Map<number, Header>()
    const withEvidence = (exit: Exit): ExitRecord => {
      const kind = kinds.shift() ?? 'none'
      const block = kind === 'open' ? START + MEP + 1_000 : 100 + kinds.length
      const spend = positionOf(block)
      finalBlocks.set(block, headerOf({ timestamp: block }))
      if (kind === 'none') return recordOf(exit)
      if (kind === 'removed') return recordOf(exit, shown(spend), removed('spent'))
      if (kind === 'dropped') return recordOf(exit, shown(spend), shown(SPEND), dropped(spend))
      return recordOf(exit, shown(spend))
    }
    const starts = [...old].sort((a, b) => a - b)
    const records = starts.map((start, seq) => withEvidence(oldExit(seq, { exitableAt: START + MEP + start }).exit))
    const blocks = [...new Map(young)].sort(([a], [b]) => a - b)
    const links = blocks.map(([block, size], i) => [block, size, START - MEP + 3 * block + (i % 2)] as const)
    for (const [block, size, timestamp] of links) {
      for (let seq = 0; seq < size; seq++) records.push(withEvidence(youngExit(block, seq, timestamp + 2 * MEP).exit))
    }
    const headers = new Map(finalBlocks)
    for (const [block, , timestamp] of links) headers.set(block, headerOf({ timestamp }))
    const cursor = { oldHead: 0, oldTail: starts.length, youngFirst: links[0]?.[0] ?? 0, youngCursor: 0 }
    const exits = new Map(records.map((record) => [record.exit.outputId, record]))
    return { l1: { cursor, exits, links }, records, headers, done, now: START + MEP + elapsed, count }
  })

turnsSuite('the contract takes all turns that are due and were asked for, in the merged order', () => {
  fc.assert(
    fc.property(someQueue, ({ l1, records, headers, done, now, count }) => {
      const world = { ...worldAt(0), now: { ...worldAt(0).now, timestamp: now } }
      // Somebody gave the first few their turn before us.
      const all = buildTurns({ records, headers, cursor: l1.cursor }, records.length, world)
      const { cursor } = processOnL1(l1, all, { now, maxCount: done })
      const queue = { records, headers, cursor }
      const due = dueTurns(queue, world)
      const turns = buildTurns(queue, count, world)
      const { given, finals } = processOnL1({ ...l1, cursor }, turns, { now, maxCount: count })
      assert.equal(
        given,
        due.slice(0, count).map(({ exit }) => exit.outputId),
      )
      const wantFinal = due.slice(0, count).filter(({ state, events }) => {
        const block = decodePosition(firstEvidenceOf(events)).block
        return state === 'queued' && block !== 0 && block !== 20 && now > block + MEP
      })
      assert.equal(
        finals,
        wantFinal.map(({ exit }) => exit.outputId),
      )
      // The other processor was faster with half of them: what is past is skipped, the rest is taken all the same.
      const ahead = processOnL1({ ...l1, cursor }, turns, { now, maxCount: Math.floor(count / 2) })
      const after = processOnL1({ ...l1, cursor: ahead.cursor }, turns, { now, maxCount: count })
      assert.equal([...ahead.given, ...after.given].slice(0, given.length), given)
    }),
    { numRuns: 400 },
  )
})

turnsSuite('stops before an exit that it does not know, and before a block whose header it lacks', () => {
  const cursor = { ...EMPTY, oldTail: 3, youngFirst: 5 }
  const records = [oldExit(0), oldExit(2), youngExit(5, 0, START + MEP + 1)]
  const world = worldAt(MEP + 100)
  const dueOf = (headers: ReadonlyMap<number, Header>) =>
    dueTurns({ records, cursor, headers }, world).map(({ exit }) => exit.position)
  assert.equal(dueOf(new Map([[5, headerOf()]])), [positionOf(1, 0), positionOf(5, 0)])
  assert.equal(dueOf(new Map()), [positionOf(1, 0)])
})

turnsSuite('takes stream A first on a tie, and young exits by block, then by arrival', () => {
  const at = START + MEP + 1
  const records = [youngExit(6, 0, at), youngExit(5, 1, at), youngExit(5, 0, at), oldExit(1), oldExit(0)]
  const headers = new Map([5, 6].map((block) => [block, headerOf()] as const))
  const due = dueTurns({ records, headers, cursor: { ...EMPTY, oldTail: 2, youngFirst: 5 } }, worldAt(MEP + 2))
  assert.equal(
    due.map(({ exit }) => exit.position),
    [positionOf(1, 0), positionOf(1, 1), positionOf(5, 0), positionOf(5, 1), positionOf(6, 0)],
  )
})

turnsSuite.run()

/** The queue: what is brought to L1 is what the contract's own loop takes, all of it and in its order. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Header } from '../../../protocol/block.ts'
import type { Hash } from '../../../protocol/bytes.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { decodePosition } from '../../../protocol/position.ts'
import { firstEvidenceOf } from '../../../watcher/court/exitRecord.ts'
import { planQueue } from '../../../watcher/court/queueKeeper.ts'
import { buildTurns, dueTurns } from '../../../watcher/court/turns.ts'
import type { L1Readings, ProcessExits, QueueCursor, Turns, World } from '../../../watcher/court/types.ts'
import type { ExitRecord } from '../../../watcher/facts.ts'
import {
  ALICE,
  BOB,
  dropped,
  ETH,
  ETHER,
  exitOf,
  GWEI,
  headerOf,
  MEP,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  recordOf,
  removed,
  START,
  shown,
  TKN,
  worldAt,
} from './world.ts'

const SPEND = positionOf(20)
const EMPTY: QueueCursor = { oldHead: 0, oldTail: 0, youngFirst: 0, youngCursor: 0 }
/** Every turn has passed. */
const PASSED: QueueCursor = { ...EMPTY, oldHead: 9, oldTail: 9 }
const FINAL = headerOf({ timestamp: START - 2 * MEP })

type Body = Parameters<typeof recordOf>[1]

/** The seq-th exit of stream A, exitable at START + MEP + seq. */
function oldExit(seq: number, changes: Partial<Exit> = {}, ...events: Body[]): ExitRecord {
  const position = positionOf(1, seq)
  return recordOf(exitOf({ position, seq, exitableAt: START + MEP + seq, ...changes }), ...events)
}

function youngExit(block: number, seq: number, exitableAt: number, changes: Partial<Exit> = {}): ExitRecord {
  return recordOf(exitOf({ position: positionOf(block, seq), young: true, seq, exitableAt, ...changes }))
}

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

const keeper = suite('queue keeper')

type Keeping = {
  records?: readonly ExitRecord[]
  doubted?: ReadonlySet<Hash>
  readings?: Partial<L1Readings>
  world?: World
  headers?: ReadonlyMap<number, Header>
}

function keep({
  records = [],
  doubted = new Set(),
  readings = {},
  world = worldAt(MEP + 100),
  headers = new Map([[20, FINAL]]),
}: Keeping) {
  const queue = { ...EMPTY, oldTail: records.length }
  return planQueue({
    records,
    openExits: records,
    cancelled: [],
    headers,
    doubted,
    readings: readingsOf({ queue, ...readings }),
    world,
  })
}

const ours = { owner: ALICE }
const service = (world: World): World => ({ ...world, policy: policyOf({ ...world.policy, publicService: true }) })

keeper('gives turns up to the last one of a protected owner, and not to the strangers behind it', () => {
  const [action] = keep({ records: [oldExit(0), oldExit(1, ours), oldExit(2)] })
  assert.is(action?.type, 'process-exits')
  const turn = action as ProcessExits
  assert.is(turn.count, 2)
  assert.equal(
    turn.turns.old.map(({ seq }) => seq),
    [0, 1, 2],
  )
  assert.is(turn.bountyWei, 2n * 60_000n * GWEI)
  assert.is(turn.budgetWei, turn.bountyWei + policyOf().keeperBudgetWei)
  assert.is(turn.notBefore, START + MEP)
})

keeper('leaves strangers alone, unless in public service and the bounties pay', () => {
  const records = [oldExit(0), oldExit(1), oldExit(2), oldExit(3)]
  assert.equal(keep({ records }), [])
  const world = service(worldAt(MEP + 100))
  const [action] = keep({ records, world }) as ProcessExits[]
  assert.is(action?.count, 4)
  assert.is(action?.budgetWei, action?.bountyWei)
  assert.equal(keep({ records, world, readings: { baseFeeWei: 2n * GWEI } }), [])
})

keeper('waits for the turn', () => {
  assert.equal(keep({ records: [oldExit(0, ours)], world: worldAt(MEP) }), [])
  assert.is(keep({ records: [oldExit(0, ours)], world: worldAt(MEP + 1) }).length, 1)
})

keeper('keeps a batch under the gas cap', () => {
  const records = Array.from({ length: 8 }, (_, seq) => oldExit(seq, ours))
  const world = worldAt(MEP + 100, { policy: policyOf({ callGasCap: 400_000n }) })
  assert.is((keep({ records, world })[0] as ProcessExits).count, 4)
  assert.equal(keep({ records, world: worldAt(MEP + 100, { policy: policyOf({ callGasCap: 100_000n }) }) }), [])
})

keeper('does not hasten an exit that it cannot vouch for, nor what stands behind it', () => {
  const records = [oldExit(0, ours), oldExit(1), oldExit(2, ours)]
  const [action] = keep({ records, doubted: new Set([records[1]!.exit.outputId]) }) as ProcessExits[]
  assert.is(action?.count, 1)
  assert.equal(keep({ records, doubted: new Set([records[0]!.exit.outputId]) }), [])
})

keeper('names the same act the same at every tick, and another once the queue has moved', () => {
  const records = [oldExit(0, ours), oldExit(1, ours)]
  const first = keep({ records })[0] as ProcessExits
  assert.is((keep({ records, world: worldAt(MEP + 101) })[0] as ProcessExits).key, first.key)
  const queue = { ...EMPTY, oldHead: 1, oldTail: 2 }
  assert.is.not((keep({ records, readings: { queue } })[0] as ProcessExits).key, first.key)
})

keeper('settles a protected owner’s ticket once it is payable and covered, even in part', () => {
  const records = [oldExit(0, ours, postponed(10n, 5n))]
  const types = (funded: bigint, world = worldAt(MEP + 100)) =>
    keep({ records, world, readings: { queue: PASSED, funded: new Map([[ETH, funded]]) } }).map(({ type }) => type)
  assert.equal(types(10n), [])
  assert.equal(types(11n), ['settle'])
  assert.equal(types(11n, worldAt(MEP)), [])
  assert.equal(types(11n, worldAt(MEP + 100, { lastMove: START + 200 })), [])
  const others = [oldExit(0, { owner: BOB }, postponed(10n, 5n))]
  assert.equal(keep({ records: others, readings: { queue: PASSED, funded: new Map([[ETH, 11n]]) } }), [])
})

keeper('releases what nobody is owed when something of ours waits behind it', () => {
  const thief = oldExit(0, {}, shown(SPEND), postponed(0n, ETHER))
  const types = (records: readonly ExitRecord[], world = worldAt(MEP + 100)) =>
    keep({ records, world, readings: { queue: PASSED, funded: new Map([[ETH, 5n]]) } }).map(({ type }) => type)
  assert.equal(types([thief]), [])
  assert.equal(types([thief], service(worldAt(MEP + 100))), ['release'])
  assert.equal(types([thief, oldExit(1, ours)], worldAt(MEP)), [], 'until E the evidence can be disproved')
  assert.equal(types([thief, oldExit(1, ours)], worldAt(MEP + 1)), ['release'])
  assert.equal(types([thief, oldExit(1, ours, postponed(ETHER, ETHER))]), ['release'])
  assert.equal(types([thief, oldExit(1, { ...ours, token: TKN })]), [])
  const before = oldExit(1, {}, shown(SPEND), postponed(ETHER, ETHER))
  assert.equal(types([before, oldExit(0, ours, postponed(0n, 5n))]), ['settle'])
})

keeper('releases with evidence that is final, verified and not void only', () => {
  const young = positionOf(21)
  const thief = oldExit(0, {}, shown(young), shown(positionOf(22)), shown(SPEND), postponed(0n, ETHER))
  const headers = new Map([
    [20, FINAL],
    [21, headerOf({ timestamp: START + MEP })],
  ])
  const world = service(worldAt(MEP + 100))
  const releaseIn = (changes: Partial<World>) =>
    keep({ records: [thief], headers, world: { ...world, ...changes }, readings: { queue: PASSED } })
  const [action] = releaseIn({})
  assert.ok(action?.type === 'release' && action.spend === SPEND && action.header === FINAL)
  assert.equal(releaseIn({ verifiedBlock: 19 }), [])
  assert.equal(releaseIn({ voidFrom: 20 }), [])
  assert.ok(releaseIn({ voidFrom: 1 }).some((effect) => effect.type === 'release' && effect.spend === 0))
})

keeper('leaves a valid ticket on the line', () => {
  const records = [oldExit(0, {}, postponed(0n, ETHER))]
  assert.equal(keep({ records, world: service(worldAt(MEP + 100)), readings: { queue: PASSED } }), [])
})

keeper('sends protected accounts their credits if asked to', () => {
  const credits = [
    { token: TKN, account: ALICE, amount: 5n },
    { token: TKN, account: BOB, amount: 5n },
  ]
  assert.equal(keep({ readings: { credits } }), [])
  const world = worldAt(10, { policy: policyOf({ withdrawCredits: true }) })
  const [action, ...rest] = keep({ world, readings: { credits } })
  assert.ok(action?.type === 'withdraw' && action.account === ALICE && action.deadline > world.now.timestamp)
  assert.equal(rest, [])
})

turnsSuite.run()
keeper.run()

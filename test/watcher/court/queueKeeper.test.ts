/** The keeper of the queue: what it asks L1 for, what it releases and what it leaves to others. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Header } from '../../../protocol/block.ts'
import type { Hash } from '../../../protocol/bytes.ts'
import { OPENED_SEQ } from '../../../protocol/massExit.ts'
import type { BatchRecord } from '../../../watcher/court/batchTypes.ts'
import { judgedAfter } from '../../../watcher/court/exitTime.ts'
import { planQueue } from '../../../watcher/court/queueKeeper.ts'
import type { L1Readings, ProcessExits, Ticket, World } from '../../../watcher/court/types.ts'
import type { ExitRecord, LeftPlace } from '../../../watcher/facts.ts'
import { EMPTY, FINAL, oldExit, PASSED, SPEND } from './queueExits.ts'
import {
  ALICE,
  BOB,
  ETH,
  ETHER,
  GWEI,
  hashOf,
  headerOf,
  MEP,
  policyOf,
  positionOf,
  postponed,
  RIVAL,
  readingsOf,
  START,
  shown,
  TKN,
  worldAt,
} from './world.ts'

const keeper = suite('queue keeper')

type Keeping = {
  records?: readonly ExitRecord[]
  doubted?: ReadonlySet<Hash>
  readings?: Partial<L1Readings>
  world?: World
  headers?: ReadonlyMap<number, Header>
  ourBatches?: readonly BatchRecord[]
  leftPlaces?: readonly LeftPlace[]
  withOlderShare?: ReadonlySet<Hash>
}

function keep({
  records = [],
  doubted = new Set(),
  readings = {},
  world = worldAt(MEP + 100),
  headers = new Map([[20, FINAL]]),
  ourBatches = [],
  leftPlaces = [],
  withOlderShare,
}: Keeping) {
  const queue = { ...EMPTY, oldTail: records.length }
  return planQueue({
    records,
    openExits: records,
    cancelled: [],
    leftPlaces,
    headers,
    doubted,
    readings: readingsOf({ queue, ...readings }),
    world,
    ourBatches,
    withOlderShare,
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

keeper('gives as many turns as one call may, where more strangers than that stand before a protected owner', () => {
  const strangers = Array.from({ length: 300 }, (_, i) => oldExit(i, { exitableAt: START + MEP }))
  const ordered = [...strangers, oldExit(300, { ...ours, exitableAt: START + MEP })]
  for (const seen of [ordered.length, 200]) {
    const records = ordered.slice(0, seen)
    const [action] = planQueue({
      records,
      openExits: ordered,
      cancelled: [],
      headers: new Map([[20, FINAL]]),
      doubted: new Set(),
      readings: readingsOf({ queue: { ...EMPTY, oldTail: ordered.length } }),
      world: worldAt(MEP + 10),
    })
    assert.is(action?.type, 'process-exits', `${seen} in sight`)
    assert.ok((action as ProcessExits).count > 50)
  }
})

keeper(
  'gives the turn to what it started itself for an owner of a mandate alone, and settles it: the bond is its own',
  () => {
    const started = { owner: BOB, payer: policyOf().sender }
    assert.equal(
      keep({ records: [oldExit(0), oldExit(1, started), oldExit(2)] }).map(
        (effect) => effect.type === 'process-exits' && effect.count,
      ),
      [2],
    )
    const ticket = oldExit(0, started, postponed(0n, ETHER))
    const settled = keep({ records: [ticket], readings: { queue: PASSED, funded: new Map([[ETH, ETHER]]) } })
    assert.equal(
      settled.map(({ type }) => type),
      ['settle'],
    )
  },
)

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

keeper(
  'settles a stranger’s ticket where a place of ours is short: a further share of the same output may be what is missing',
  () => {
    const stranger = oldExit(0, { owner: BOB }, postponed(0n, 5n))
    const types = (records: readonly ExitRecord[]) =>
      keep({ records, readings: { queue: PASSED, funded: new Map([[ETH, 12n]]) } }).map(({ type }) => type)
    assert.equal(types([stranger]), [])
    assert.equal(types([stranger, oldExit(1, ours, postponed(12n, 5n))]), ['settle'])
    assert.equal(types([stranger, oldExit(1, { ...ours, token: TKN }, postponed(12n, 5n))]), [])
  },
)

keeper('frees a place that an exit gave up, once the line is there and something of ours waits behind it', () => {
  const left = { token: ETH, from: 10n, due: 5n }
  const types = (records: readonly ExitRecord[], funded = 10n, world = worldAt(MEP + 100)) =>
    keep({ records, world, leftPlaces: [left], readings: { queue: PASSED, funded: new Map([[ETH, funded]]) } })
      .map(({ type }) => type)
      .filter((type) => type === 'free-place')
  const behind = oldExit(1, ours, postponed(15n, 5n))
  assert.equal(types([behind]), ['free-place'])
  assert.equal(types([behind], 9n), [], 'the line has not come to it')
  assert.equal(types([oldExit(1, ours)]), ['free-place'], 'its turn is ahead, and so is its place')
  assert.equal(types([oldExit(1, ours, postponed(0n, 10n))]), [], 'ours is before it')
  assert.equal(types([oldExit(1, { ...ours, token: TKN }, postponed(15n, 5n))]), [])
  assert.equal(types([]), [])
  assert.equal(types([], 10n, service(worldAt(MEP + 100))), ['free-place'])
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

keeper('leaves a place that the line has not reached, but where the line may wait for it', () => {
  const thief = oldExit(0, {}, shown(SPEND), postponed(6n, ETHER))
  const { outputId } = thief.exit
  const before = oldExit(1, ours, postponed(4n, 2n))
  const behind = oldExit(1, ours, postponed(6n + ETHER, 2n))
  const types = (records: readonly ExitRecord[], withOlderShare: readonly Hash[], world = worldAt(MEP + 100)) =>
    keep({
      records,
      world,
      withOlderShare: new Set(withOlderShare),
      readings: { queue: PASSED, funded: new Map([[ETH, 5n]]) },
    })
      .map(({ type }) => type)
      .filter((type) => type === 'release')
  assert.equal(types([thief, before], []), [])
  assert.equal(types([thief, behind], []), [], 'it can wait, and is one call then')
  assert.equal(types([thief, before], [outputId]), ['release'])
  assert.equal(types([thief, behind], [outputId]), ['release'])
  assert.equal(types([thief], [outputId]), [], 'nobody of ours is short')
  const vain = oldExit(0, { position: positionOf(30) }, postponed(6n, ETHER))
  const halted = worldAt(MEP + 100, { voidFrom: 30 })
  assert.equal(types([vain, before], [], halted), ['release'], 'its output may stand elsewhere')
  assert.equal(types([vain], [], halted), [])
  const hers = oldExit(0, { ...ours, position: positionOf(30) }, postponed(6n, ETHER))
  assert.equal(types([hers], [], halted), ['release'], 'she may leave where it stands')
  assert.equal(types([hers], []), [])
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

/** A mass exit in the queue; `ticket`: after its turn. */
function batchOf(seq: number, ticket?: Pick<Ticket, 'from' | 'due'>) {
  const record = oldExit(seq, { owner: ETH, outputId: hashOf(seq), payer: RIVAL })
  const { exit } = record
  const batch: BatchRecord = {
    batchId: exit.outputId,
    batch: {
      root: hashOf(1),
      count: 3,
      token: exit.token,
      total: exit.amount,
      last: exit.position,
      madeAt: 0,
      startedAt: START,
      coordinator: RIVAL,
      bond: 1n,
    },
    state: 'locked',
    started: record.events[0]!.at,
    demands: new Map(),
    openDemands: 0,
    item: exit,
    ...(ticket && { ticket }),
    strikes: new Map(),
    uses: new Map(),
    strikesPaid: 0n,
  }
  return { record, batch }
}

keeper('a mass exit of strangers is brought with the exits behind it', () => {
  const { record } = batchOf(0)
  const [action] = keep({ records: [record, oldExit(1, ours)] })
  assert.equal((action as ProcessExits).turns.old, [record.exit, oldExit(1, ours).exit])
  assert.equal(keep({ records: [record, oldExit(1)] }), [])
})

keeper('a mass exit that names an output of ours has its turn for us', () => {
  const { record, batch } = batchOf(1)
  const [action] = keep({ records: [oldExit(0), record, oldExit(2)], ourBatches: [batch] })
  assert.is((action as ProcessExits).count, 2)
  assert.is((action as ProcessExits).helpsProtected, true)
})

keeper('an opened entry of a mass exit is neither awaited nor brought', () => {
  const opened = oldExit(0, { seq: OPENED_SEQ, outputId: hashOf(5), bond: 0n })
  const [action] = keep({ records: [opened, oldExit(0), oldExit(1, ours)] })
  assert.equal(
    (action as ProcessExits).turns.old.map(({ seq }) => seq),
    [0, 1],
  )
})

keeper('what nobody is owed is released where shares of a mass exit of ours lie behind it, not before it', () => {
  const fallen = oldExit(0, {}, shown(SPEND), postponed(5n, ETHER))
  const released = (from: bigint) => {
    const ourBatches = [batchOf(1, { from, due: ETHER }).batch]
    const effects = keep({ records: [fallen], readings: { funded: new Map([[ETH, 6n]]), queue: PASSED }, ourBatches })
    return effects.map(({ type }) => type)
  }
  assert.equal(released(5n + ETHER), ['release'])
  assert.equal(released(0n), [])
})

keeper(
  'a strike that an entry was opened with is judged at its own end where another batch’s share became its place',
  () => {
    const batchId = hashOf(77)
    const exit = {
      seq: OPENED_SEQ + 3,
      payer: `0x${batchId.slice(26)}` as const,
      outputId: hashOf(5),
      bond: 0n,
      exitableAt: START + 3 * MEP,
    }
    const strike = { ...shown(SPEND), reward: 0n }
    const at = worldAt(MEP + 100)
    for (const [by, after] of [
      [batchId, 0],
      [hashOf(78), START + 3 * MEP],
    ] as const) {
      const placed = { type: 'EntryPlaced', batchId: by, index: 3, paid: 0n } as const
      const { exit: opened, events } = oldExit(0, exit, strike, placed, postponed(5n, ETHER))
      const [started, ...others] = events
      const inOneCall = [started!, { ...others[0]!, at: started!.at }, ...others.slice(1)]
      assert.is(judgedAfter({ exit: opened, events: inOneCall }, SPEND, at), after)
    }
  },
)

keeper.run()

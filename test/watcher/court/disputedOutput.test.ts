/** Protected owners around disputes: outputs that leave through one, inputs that it puts at risk, places that are inherited. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOutput } from '../../../protocol/transaction.ts'
import { stepDisputedOutput } from '../../../watcher/court/disputedOutput.ts'
import { planInheritance, shareOf } from '../../../watcher/court/inheritance.ts'
import { isEarlierByDispute } from '../../../watcher/court/place.ts'
import { UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import { planProtected, stepProtected, type Ward } from '../../../watcher/court/protectedExit.ts'
import type { Inherit, L1Readings, StartDisputedExits, StartExit, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts, ExitRecord, ProtectedOutput } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  BOB,
  type Dispute0,
  decided,
  depositOf,
  disputedExitOf,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  GWEI,
  hashOf,
  headerOf,
  MADE_AT,
  MEP,
  outputOf,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  recordOf,
  removed,
  rival,
  rivalSpend,
  START,
  T,
  TKN,
  unsafeSince,
  withDisputes,
  worldAt,
} from './world.ts'

type Bodies = Parameters<typeof disputeFactsOf>[1][]
const BOND = 600_000n * GWEI
const COST = 210_000n * GWEI
const outputs = [createOutput(ALICE, ETH, ETHER), createOutput(BOB, ETH, ETHER), createOutput(ALICE, ETH, 2n * ETHER)]
const disputeOf = (setup: Dispute0 = {}, ...bodies: Bodies) => disputeFactsOf({ outputs, ...setup }, ...bodies)
const wardOf = (mine: readonly ProtectedOutput[] = [], changes: Partial<Ward> = {}): Ward => ({
  account: accountOf(),
  revoked: false,
  outputs: mine,
  ...changes,
})
const unsafe = worldAt(60, { safety: unsafeSince(40, START) })

type Plan = {
  wards?: readonly Ward[]
  world?: World
  readings?: L1Readings
  openExits?: readonly ExitRecord[]
}

function plan(
  dispute: DisputeFacts,
  { wards = [wardOf()], world = worldAt(10), readings = readingsOf(), openExits = [] }: Plan = {},
) {
  const effects = planProtected({
    wards,
    disputes: [dispute],
    openExits,
    readings,
    world: withDisputes(world, dispute),
  })
  return {
    through: effects.filter((effect): effect is StartDisputedExits => effect.type === 'start-disputed-exits'),
    plain: effects.filter((effect): effect is StartExit => effect.type === 'start-exit'),
    alerts: effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : [])),
  }
}

const leaving = suite('outputs that leave through a dispute')

leaving('takes all outputs of one owner out in one call, with a bond for each', () => {
  const { through, plain, alerts } = plan(disputeOf())
  assert.is(through.length, 1)
  const [start] = through
  assert.equal(
    start!.outputs.map(({ output }) => output),
    [0, 2],
  )
  assert.is(start!.bondWei, 2n * BOND)
  assert.is(start!.leastBondWei, 800_000n * GWEI)
  assert.is(start!.costWei, 2n * COST)
  assert.is(start!.valueWei, 3n * ETHER)
  assert.is(start!.deadline, START + MEP)
  assert.ok(start!.key.endsWith(`${ALICE}:0,2`))
  assert.equal([plain, alerts], [[], []])
})

leaving('takes each owner’s by its own mandate', () => {
  const { through } = plan(disputeOf(), { wards: [wardOf(), wardOf([], { account: accountOf(BOB) })] })
  assert.equal(
    through.map(({ account, outputs: taken }) => [account.owner, taken.map(({ output }) => output)]),
    [
      [ALICE, [0, 2]],
      [BOB, [1]],
    ],
  )
})

leaving('starts as soon as the dispute runs, and after a canonical verdict, from a safe chain too', () => {
  assert.is(plan(disputeOf(), { world: worldAt(0) }).through.length, 1)
  assert.is(plan(disputeOf({}, decided('canonical')), { world: worldAt(MEP + 50) }).through.length, 1)
  assert.is(plan(disputeOf({}, rival(0))).through.length, 1, 'a competitor in no block proves nothing')
})

leaving('does nothing where the transaction is included and the chain safe, or where it is false or judged', () => {
  for (const dispute of [
    disputeOf({ made: placeAt() }),
    disputeOf({ spends: [rivalSpend()] }),
    disputeOf({}, decided('not-canonical')),
  ]) {
    assert.equal(plan(dispute), { through: [], plain: [], alerts: [] })
  }
  assert.equal(plan(disputeOf(), { world: worldAt(10, { newestBlock: 51 }) }).through, [])
})

leaving('starts nothing twice, whoever started it, whichever way', () => {
  const left = recordOf(disputedExitOf(0, { owner: ALICE, disputed: hashOf(0) }))
  const [start] = plan(disputeOf({ exits: [left] })).through
  assert.equal(
    start?.outputs.map(({ output }) => output),
    [2],
  )
  assert.equal(plan(disputeOf({ exits: [left, undefined, left] })), { through: [], plain: [], alerts: [] })
})

leaving('from an unsafe chain it goes the way that comes earlier, and only that way', () => {
  const shownAt = (timestamp: number) => ({
    transaction: disputeOf().signed.transaction,
    header: headerOf({ timestamp }),
    proof: placeAt().proof,
  })
  const plannedAt = (timestamp: number, account = accountOf()) => {
    const dispute = disputeOf({ made: placeAt(MADE_AT, { timestamp }) })
    const { outputId } = dispute.outputs[0]!
    const mine = [outputOf({ position: MADE_AT, outputId, shown: shownAt(timestamp) })]
    const { through, plain, alerts } = plan(dispute, { wards: [wardOf(mine, { account })], world: unsafe })
    return [through.length, plain.length, alerts.length]
  }
  assert.equal(plannedAt(START), [1, 0, 0])
  assert.equal(plannedAt(START - 2 * MEP), [0, 1, 0], 'equal places: by inclusion, which waits for nobody')
  // Both of the dispute's outputs stay with the inclusion: a mandate for one position covers nothing else.
  assert.equal(plannedAt(START, accountOf(ALICE, { position: MADE_AT })), [0, 1, 0])
})

leaving('knows the earlier place: the dispute’s age against the block', () => {
  const dispute = disputeOf({ dispute: { ageTime: START - 100 } })
  const isEarlier = (number: number, timestamp: number) =>
    isEarlierByDispute(dispute, { number, timestamp }, worldAt(10))
  assert.ok(isEarlier(30, START))
  assert.ok(isEarlier(30, START - 100), 'same time, but the block has the greater number')
  assert.not(isEarlier(10, START - 100))
  const ofDeposits = disputeOf({ inputs: [{ position: depositOf(9) }] })
  assert.is(ofDeposits.dispute.ageTime, 0)
  assert.ok(isEarlierByDispute(ofDeposits, { number: 30, timestamp: START }, worldAt(10)))
  assert.not(isEarlierByDispute(ofDeposits, { number: 30, timestamp: START - 2 * MEP }, worldAt(10)))
})

leaving('says what its owner can do where it cannot: no mandate, no money, not worth it', () => {
  const blocked = (changes: Plan, dispute = disputeOf()) => plan(dispute, changes)
  assert.equal(blocked({ wards: [wardOf([], { revoked: true })] }).alerts, [
    'DISPUTE_EXIT_AVAILABLE',
    'DISPUTE_EXIT_AVAILABLE',
  ])
  const { challengeReserveWei } = policyOf()
  const short = blocked({ readings: readingsOf({ balanceWei: challengeReserveWei + BOND + COST }) })
  assert.equal(
    short.through[0]?.outputs.map(({ output }) => output),
    [2],
    'the more valuable one',
  )
  assert.equal(short.alerts, ['DISPUTE_EXIT_AVAILABLE'])
  const dust = blocked({}, disputeOf({ outputs: [createOutput(ALICE, ETH, COST), createOutput(ALICE, ETH, ETHER)] }))
  assert.equal(
    dust.through[0]?.outputs.map(({ output }) => output),
    [1],
  )
  assert.equal(dust.alerts, ['DISPUTE_EXIT_AVAILABLE'])
  assert.equal(blocked({ readings: readingsOf({ exitBondWei: 400_000n * 17n * GWEI }) }).alerts, [
    'INTERNAL_FAULT',
    'INTERNAL_FAULT',
  ])
})

leaving('shares the key’s ETH with plain exits by value', () => {
  const { challengeReserveWei } = policyOf()
  const readings = readingsOf({ balanceWei: challengeReserveWei + 2n * (BOND + COST) })
  const rich = outputOf({ position: positionOf(3), amount: 5n * ETHER })
  const { through, plain, alerts } = plan(disputeOf(), { wards: [wardOf([rich])], world: unsafe, readings })
  assert.is(plain.length, 1)
  assert.equal(
    through[0]?.outputs.map(({ output }) => output),
    [2],
  )
  assert.equal(alerts, ['DISPUTE_EXIT_AVAILABLE'])
})

leaving('has no value to compare with as soon as one token has no price', () => {
  const dispute = disputeOf({ outputs: [createOutput(ALICE, TKN, 5n), createOutput(ALICE, ETH, ETHER)] })
  assert.is(plan(dispute).through[0]?.valueWei, undefined)
})

leaving('raises its budget by quarters, and knows no limit from the last safe moment on', () => {
  const budget = (world: World) =>
    plan(disputeOf({ outputs: [createOutput(ALICE, TKN, 5n)] }), { world }).through[0]?.budgetWei
  const floor = policyOf().exitFloorWei
  assert.equal(
    [0, 60, 120].map((elapsed) => budget(worldAt(elapsed))),
    [floor, 2n * floor, 4n * floor],
  )
  assert.is(budget(worldAt(200, { safety: unsafeSince(40, START) })), UNLIMITED_WEI)
  assert.is(plan(disputeOf(), { world: worldAt(200) }).through[0]?.budgetWei, 3n * ETHER, 'never above the value')
})

leaving('hints at the young exits below the dispute’s age', () => {
  const openExits = [4, 9, 12].map((block) => recordOf(exitOf({ position: positionOf(block), young: true })))
  assert.is(plan(disputeOf(), { openExits }).through[0]?.youngHint, 9)
  assert.is(plan(disputeOf({ inputs: [{ position: depositOf(10) }] }), { openExits }).through[0]?.youngHint, 0)
})

leaving('tells where each output stands, whatever it was before', () => {
  const record = disputeOf()
  const base = {
    record,
    output: record.outputs[0]!,
    account: accountOf(),
    revoked: false,
    youngHint: 0,
    availableWei: ETHER,
    readings: readingsOf(),
    world: withDisputes(worldAt(10), record),
  }
  for (const before of ['resting', 'leaving', 'available', 'left'] as const) {
    const phase = (changes: Partial<typeof base>) => stepDisputedOutput(before, { ...base, ...changes }).next
    assert.is(phase({}), 'leaving')
    assert.is(phase({ revoked: true }), 'available')
    assert.is(phase({ record: disputeOf({ made: placeAt() }) }), 'resting')
    assert.is(phase({ output: { ...base.output, exit: recordOf(disputedExitOf(0)) } }), 'left')
  }
})

const inputs = suite('inputs of disputes')

const ofAlice = { inputs: [{ owner: ALICE }] }
const input = outputOf({ position: positionOf(10) })
const startsWith = (dispute: DisputeFacts, world = worldAt(10)) =>
  plan(dispute, { wards: [wardOf([input])], world }).plain.length

inputs('leaves an input alone while the chain is safe and nobody shows a competitor', () => {
  assert.is(startsWith(disputeFactsOf(ofAlice)), 0)
  assert.is(startsWith(disputeFactsOf(ofAlice, rival(0))), 1)
  assert.is(startsWith(disputeFactsOf(ofAlice), worldAt(10, { safety: unsafeSince(40, START, 'suspect') })), 1)
  assert.is(startsWith(disputeFactsOf(ofAlice), unsafe), 1)
})

inputs('starts it after a verdict that is not canonical, and never after one that is', () => {
  assert.is(startsWith(disputeFactsOf(ofAlice, decided('not-canonical'))), 1)
  assert.is(startsWith(disputeFactsOf(ofAlice, rival(0), decided('canonical'))), 0)
  assert.is(startsWith(disputeFactsOf(ofAlice, decided('canonical')), unsafe), 0)
})

inputs('does not take out what belongs to the faulty block, nor what the suspicion is about', () => {
  const world = worldAt(10, { safety: unsafeSince(10, START, 'suspect') })
  assert.equal(plan(disputeFactsOf(ofAlice), { wards: [wardOf([input])], world }).alerts, ['PROTECTED_EXIT_BLOCKED'])
})

inputs('has a whole period for it, from the dispute on', () => {
  const { plain } = plan(disputeFactsOf(ofAlice, rival(0)), { wards: [wardOf([input])] })
  assert.is(plain[0]?.deadline, START + MEP)
  assert.is(plain[0]?.notBefore, START)
  assert.is(plain[0]?.budgetWei, policyOf().exitFloorWei)
  const dispute = disputeFactsOf(ofAlice, rival(0))
  const world = withDisputes(worldAt(10), dispute)
  const { next } = stepProtected('left', {
    output: input,
    account: accountOf(),
    revoked: false,
    youngHint: 0,
    availableWei: ETHER,
    readings: readingsOf(),
    world,
  })
  assert.is(next, 'leaving')
})

const heirs = suite('inheritance')

const split = [createOutput(ALICE, ETH, 1n), createOutput(ALICE, TKN, 9n), createOutput(BOB, ETH, 2n)]
const inputTicket = recordOf(exitOf(), postponed(100n, 10n))
const outputTicket = (output: number, owner = ALICE) =>
  recordOf(disputedExitOf(output, { owner }), postponed(1_000n, BigInt(output + 1)))

function inherits(
  setup: Dispute0,
  changes: { world?: Partial<World>; funded?: bigint; openExits?: readonly ExitRecord[] } = {},
) {
  const dispute = disputeFactsOf({ outputs: split, inputExits: [inputTicket], ...setup }, decided('canonical'))
  const effects = planInheritance({
    disputes: [dispute],
    openExits: changes.openExits ?? [],
    readings: readingsOf({ funded: new Map([[ETH, changes.funded ?? 200n]]) }),
    world: withDisputes(worldAt(MEP + 1, changes.world ?? {}), dispute),
  })
  return effects as readonly Inherit[]
}

heirs('cuts the place at cumulative sums per token: the shares are the whole of it', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 9n),
      fc.bigInt(0n, 10n ** 9n),
      fc.array(fc.tuple(fc.boolean(), fc.bigInt(1n, 10n ** 6n)), { minLength: 1, maxLength: 16 }),
      (from, due, list) => {
        const made = list.map(([isEth, amount]) => createOutput(ALICE, isEth ? ETH : TKN, amount))
        for (const token of [ETH, TKN]) {
          let at = from
          made.forEach((output, i) => {
            if (output.token !== token) return
            const share = shareOf({ from, due }, made, i)
            assert.is(share.from, at)
            at += share.due
          })
          if (made.some((output) => output.token === token)) assert.is(at, from + due)
        }
      },
    ),
  )
  assert.equal(shareOf({ from: 100n, due: 10n }, split, 0), { from: 100n, due: 3n })
  assert.equal(shareOf({ from: 100n, due: 10n }, split, 2), { from: 103n, due: 7n })
})

heirs('pays a protected output out of the place of the input’s exit, in its token, once it is covered', () => {
  const exits = [outputTicket(0), outputTicket(1), outputTicket(2, BOB)]
  const [inherit, ...rest] = inherits({ exits })
  assert.equal(rest, [])
  assert.is(inherit?.output.output, 0)
  assert.is(inherit?.input, 0)
  assert.equal(inherit?.share, { from: 100n, due: 3n })
  // Of the share's 3 units it is owed 1: only that much has to be covered.
  assert.is(inherits({ exits }, { funded: 100n }).length, 0)
  assert.is(inherits({ exits }, { funded: 101n }).length, 1)
  assert.is(inherits({ exits }, { world: { policy: policyOf({ publicService: true }) } }).length, 2)
})

heirs('waits for the output’s own exit, and for the verdict’s ticket', () => {
  assert.equal(inherits({}), [])
  assert.equal(inherits({ exits: [recordOf(disputedExitOf(0, { owner: ALICE }))] }), [])
  const exits = [outputTicket(0)]
  assert.equal(inherits({ exits, inputExits: [recordOf(exitOf())] }), [], 'still in the queue')
  assert.equal(inherits({ exits, inputExits: [undefined] }), [])
  assert.equal(
    inherits({ exits, inputExits: [recordOf(exitOf(), removed('spent'))] }),
    [],
    'removed at its turn: no place',
  )
  assert.is(
    inherits({ exits, inputExits: [recordOf(exitOf(), postponed(100n, 10n), removed('spent'))] }).length,
    1,
    'its bond was fetched',
  )
  assert.equal(inherits({ exits, inputExits: [recordOf(exitOf(), postponed(100n, 10n), paid(10n))] }), [])
  assert.equal(
    inherits({ exits: [outputTicket(0)], inputExits: [recordOf(exitOf(), postponed(100n, 0n))] }),
    [],
    'nothing to share',
  )
})

heirs('frees the share of an output that is over when a protected ticket waits behind it', () => {
  const exits = [undefined, undefined, recordOf(disputedExitOf(2), postponed(1_000n, 3n), paid(3n))]
  const waiting = (from: bigint, changes = {}) =>
    recordOf(exitOf({ owner: ALICE, position: positionOf(12), ...changes }), postponed(from, 5n))
  assert.equal(inherits({ exits }), [])
  const [freed] = inherits({ exits }, { openExits: [waiting(110n)] })
  assert.is(freed?.output.output, 2)
  assert.is(freed?.helpsProtected, true)
  assert.equal(inherits({ exits }, { openExits: [waiting(109n)] }), [])
  assert.equal(inherits({ exits }, { openExits: [waiting(110n, { token: TKN })] }), [])
  assert.equal(inherits({ exits }, { openExits: [waiting(110n, { owner: BOB })] }), [])
  assert.equal(inherits({ exits }, { openExits: [waiting(110n)], funded: 102n }), [])
})

heirs(
  'frees what nobody came for a period after the verdict had to be had, where a protected ticket behind it is short',
  () => {
    const waits = recordOf(exitOf({ owner: ALICE, position: positionOf(12) }), postponed(110n, 5n))
    const { dispute } = disputeFactsOf({}, decided('canonical'))
    const at = (timestamp: number, changes: Partial<Dispute0> = {}, funded = 112n) =>
      inherits(changes, { openExits: [waits], funded, world: { now: { ...worldAt(0).now, timestamp } } })
    const last = dispute.exitableAt + 3 * MEP
    assert.equal(at(last), [])
    assert.equal(
      at(last + 1).map(({ output }) => output.output),
      [0, 2],
    )
    assert.equal(at(last + 1, {}, 115n), [], 'who waits behind is covered')
    assert.is(at(last + 1, {}, 102n).length, 1, 'the line has not come to the second share')
    const passedOn = recordOf(disputedExitOf(2), postponed(1_000n, 3n), removed('spent'))
    assert.is(at(last + 1, { exits: [undefined, undefined, passedOn] }).length, 2)
    const comes = recordOf(disputedExitOf(2))
    assert.is(at(last + 1, { exits: [undefined, undefined, comes] }).length, 1, 'its exit is in the queue')
  },
)

heirs('leaves disputes alone that are not judged, or judged otherwise', () => {
  const setup = { outputs: split, inputExits: [inputTicket], exits: [outputTicket(0)] }
  for (const dispute of [disputeFactsOf(setup), disputeFactsOf(setup, decided('not-canonical'))]) {
    const world = withDisputes(worldAt(MEP + 1), dispute)
    assert.equal(planInheritance({ disputes: [dispute], openExits: [], readings: readingsOf(), world }), [])
  }
  assert.ok(inherits({ exits: [outputTicket(0)] })[0]?.key.includes('inherit:'))
  assert.ok(inherits({ exits: [outputTicket(0)] })[0]?.purpose.includes(T))
})

leaving('of an owner with two mandates each output is in the call once, by the one that covers it', () => {
  const renewed = wardOf([], { account: accountOf(ALICE, { validUntil: START + 20 * MEP }) })
  const { through, alerts } = plan(disputeOf(), { wards: [wardOf(), renewed] })
  assert.equal(
    through.map((start) => start.outputs.map(({ output }) => output)),
    [[0, 2]],
  )
  assert.equal(alerts, [])
  const ended = wardOf([], { account: accountOf(ALICE, { validUntil: START }) })
  const other = plan(disputeOf(), { wards: [ended, wardOf()] })
  assert.equal(
    other.through.map((start) => start.outputs.map(({ output }) => output)),
    [[0, 2]],
  )
  assert.equal(other.alerts, [], 'nothing stands in the way')
})

leaving.run()
inputs.run()
heirs.run()

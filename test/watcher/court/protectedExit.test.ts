/** Protected outputs when the chain turns unsafe: who leaves, in which order, with what money. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import { planProtected, stepProtected, type Ward } from '../../../watcher/court/protectedExit.ts'
import type { L1Readings, StartExit, World } from '../../../watcher/court/types.ts'
import type { ExitRecord, ProtectedOutput } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  BOB,
  depositOf,
  ETHER,
  exitOf,
  GWEI,
  MEP,
  outputOf,
  paid,
  policyOf,
  positionOf,
  readingsOf,
  recordOf,
  START,
  TKN,
  unsafeSince,
  worldAt,
} from './world.ts'

const BOND = 600_000n * GWEI
const COST = 210_000n * GWEI
const unsafe = worldAt(60, { safety: unsafeSince(30, START) })

function wardOf(outputs: readonly ProtectedOutput[], changes: Partial<Ward> = {}): Ward {
  return { account: accountOf(), revoked: false, outputs, ...changes }
}

function plan(
  wards: readonly Ward[],
  {
    world = unsafe,
    readings = readingsOf(),
    openExits = [] as readonly ExitRecord[],
  }: { world?: World; readings?: L1Readings; openExits?: readonly ExitRecord[] } = {},
) {
  const effects = planProtected({ wards, disputes: [], openExits, readings, world })
  return {
    starts: effects.filter((effect): effect is StartExit => effect.type === 'start-exit'),
    alerts: effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : [])),
  }
}

const outputs = [positionOf(1), positionOf(2), depositOf(40)].map((position, i) =>
  outputOf({ position, amount: BigInt(i + 1) * ETHER }),
)

const test = suite('protected exits')

test('does nothing while the chain is safe, catching up, or only suspect', () => {
  for (const world of [
    worldAt(60),
    worldAt(60, { safety: { status: 'safe', reason: 'catching-up' } }),
    worldAt(60, { safety: unsafeSince(30, START, 'suspect') }),
  ]) {
    assert.equal(plan([wardOf(outputs)], { world }), { starts: [], alerts: [] })
  }
})

test('takes out every output older than the fault, and deposits of any age, the most valuable first', () => {
  const { starts, alerts } = plan([wardOf(outputs)])
  assert.equal(
    starts.map(({ output }) => output.position),
    [depositOf(40), positionOf(2), positionOf(1)],
  )
  assert.equal(alerts, [])
  assert.equal(
    starts.map(({ bondWei }) => bondWei),
    [BOND, BOND, BOND],
  )
  assert.ok(starts.every(({ deadline }) => deadline === START + MEP))
  assert.is(new Set(starts.map(({ key }) => key)).size, 3)
})

test('says so when an output is not older than the fault, and leaves it to the dispute of its transaction', () => {
  const { starts, alerts } = plan([wardOf([outputOf({ position: positionOf(30) })])])
  assert.equal(starts, [])
  assert.equal(alerts, ['PROTECTED_EXIT_BLOCKED'])
})

test('starts nothing twice, whoever started it', () => {
  for (const exit of ['queued', 'ticket', 'settled', 'removed'] as const) {
    assert.equal(plan([wardOf([outputOf({ exit })])]), { starts: [], alerts: [] })
  }
})

test('orders by value across tokens, then tokens without a price by amount, then by age', () => {
  const wards = [
    wardOf([
      outputOf({ position: positionOf(1), token: TKN, amount: 5n }),
      outputOf({ position: positionOf(2), token: TKN, amount: 6n }),
      outputOf({ position: positionOf(4), token: TKN, amount: 6n }),
      outputOf({ position: positionOf(3), amount: ETHER }),
    ]),
  ]
  const positions = (world: World) => plan(wards, { world }).starts.map(({ output }) => output.position)
  assert.equal(
    positions(unsafe),
    [3, 2, 4, 1].map((block) => positionOf(block)),
  )
  const priceWei = new Map([[TKN, 10n ** 36n]])
  const dear = { ...unsafe, policy: policyOf({ priceWei }) }
  assert.equal(
    positions(dear),
    [2, 4, 1, 3].map((block) => positionOf(block)),
  )
})

test('pays for as many bonds as the key holds beyond the reserve for challenges, and cries for the rest', () => {
  const { challengeReserveWei } = unsafe.policy
  const readings = readingsOf({ balanceWei: challengeReserveWei + 2n * (BOND + COST) })
  const { starts, alerts } = plan([wardOf(outputs)], { readings })
  assert.equal(
    starts.map(({ output }) => output.position),
    [depositOf(40), positionOf(2)],
  )
  assert.equal(alerts, ['BUDGET_EXHAUSTED'])
})

test('does not believe an endpoint that asks for an absurd bond', () => {
  const readings = readingsOf({ exitBondWei: 400_000n * 17n * GWEI })
  const { starts, alerts } = plan([wardOf([outputOf()])], { readings })
  assert.equal(starts, [])
  assert.equal(alerts, ['INTERNAL_FAULT'])
})

test('leaves dust, and says so', () => {
  const { starts, alerts } = plan([wardOf([outputOf({ amount: COST })])])
  assert.equal(starts, [])
  assert.equal(alerts, ['PROTECTED_EXIT_BLOCKED'])
  assert.is(plan([wardOf([outputOf({ amount: COST + 1n })])]).starts.length, 1)
})

test('raises the budget until nothing is too dear from the last safe moment on, but never above the value', () => {
  const floor = unsafe.policy.exitFloorWei
  const budgets = [0, 60, 120, 180, 200, 500].map((elapsed) => {
    const world = worldAt(elapsed, { safety: unsafeSince(30, START) })
    return plan([wardOf([outputOf({ token: TKN })])], { world }).starts[0]?.budgetWei
  })
  assert.equal(budgets, [floor, 2n * floor, 4n * floor, UNLIMITED_WEI, UNLIMITED_WEI, UNLIMITED_WEI])
  const late = worldAt(MEP, { safety: unsafeSince(30, START) })
  assert.is(plan([wardOf([outputOf()])], { world: late }).starts[0]?.budgetWei, ETHER)
  // The last safe moment may come before the last quarter.
  const safety = { ...unsafeSince(30, START), lastSafeMoment: START + 1 } as World['safety']
  assert.is(
    plan([wardOf([outputOf({ token: TKN })])], { world: worldAt(1, { safety }) }).starts[0]?.budgetWei,
    UNLIMITED_WEI,
  )
})

test('goes on when the order is already lost', () => {
  const world = worldAt(MEP + 1, { safety: unsafeSince(30, START) })
  assert.is(plan([wardOf([outputOf()])], { world }).starts[0]?.deadline, START + 2 * MEP)
})

test('blocks without a mandate that covers, and names the owner’s exit by the mandate that does', () => {
  const revoked = wardOf([outputOf()], { revoked: true })
  const covered = wardOf([outputOf({ owner: BOB, position: positionOf(3) })], { account: accountOf(BOB) })
  const { starts, alerts } = plan([revoked, covered])
  assert.equal(
    starts.map(({ account }) => account.owner),
    [BOB],
  )
  assert.equal(alerts, ['PROTECTED_EXIT_BLOCKED'])
})

test('hints at the nearest older block with young exits', () => {
  const young = (block: number, ...events: Parameters<typeof recordOf>[1][]) =>
    recordOf(exitOf({ position: positionOf(block), young: true, owner: ALICE }), ...events)
  const openExits = [young(9), young(4), young(4), young(6, paid(ETHER)), young(7)]
  assert.is(plan([wardOf([outputOf({ position: positionOf(7) })])], { openExits }).starts[0]?.youngHint, 4)
  assert.is(plan([wardOf([outputOf({ position: positionOf(3) })])], { openExits }).starts[0]?.youngHint, 0)
})

test('tells where each output stands, whatever it was before', () => {
  const input = {
    output: outputOf(),
    account: accountOf(),
    revoked: false,
    youngHint: 0,
    availableWei: ETHER,
    readings: readingsOf(),
    world: unsafe,
  }
  for (const before of ['resting', 'leaving', 'blocked', 'left'] as const) {
    assert.is(stepProtected(before, input).next, 'leaving')
    assert.is(stepProtected(before, { ...input, world: worldAt(60) }).next, 'resting')
    assert.is(stepProtected(before, { ...input, revoked: true }).next, 'blocked')
    assert.is(stepProtected(before, { ...input, output: outputOf({ exit: 'queued' }) }).next, 'left')
  }
})

test.run()

/** Protected outputs when the chain turns unsafe: who leaves, in which order, with what money. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Exit } from '../../../protocol/exit.ts'
import { UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import { planProtected, stepProtected, type Ward } from '../../../watcher/court/protectedExit.ts'
import type { L1Readings, StartExit, World } from '../../../watcher/court/types.ts'
import type { ExitRecord, ProtectedEntry, ProtectedOutput } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  BOB,
  depositOf,
  ETH,
  ETHER,
  exitOf,
  GWEI,
  hashOf,
  headerOf,
  MEP,
  outputOf,
  paid,
  policyOf,
  positionOf,
  readingsOf,
  recordOf,
  START,
  spendOf,
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

/** The place of a mass exit that names the output. */
function entryOf(output: ProtectedOutput, item: Partial<Exit>): ProtectedEntry {
  return {
    batchId: hashOf(1),
    entry: { position: output.position, amount: output.amount, index: 0, before: 0n },
    item: exitOf({ position: depositOf(50), owner: ETH, ...item }),
  }
}

test('an output that a locked mass exit names is secured, unless an exit of its own would come earlier', () => {
  const output = outputOf({ position: depositOf(40) })
  const starts = (entry: ProtectedEntry) => plan([wardOf([{ ...output, entries: [entry] }])]).starts.length
  // Started now, its own exit would be payable after START + 60 + MEP.
  assert.is(starts(entryOf(output, { exitableAt: START + 60 + MEP })), 0)
  assert.is(starts(entryOf(output, { exitableAt: START + 61 + MEP })), 1, 'a batch with a later place')
  const { item: _, ...waiting } = entryOf(output, {})
  assert.is(starts(waiting), 1, 'a batch that is not locked yet may still be dissolved')
})

test('beside young exits of the same block the mass exit of the block goes first', () => {
  const header = headerOf({ timestamp: START - 100 })
  const output = outputOf({
    position: positionOf(10),
    shown: { transaction: { inputs: [1], outputs: [], memo: hashOf(0) }, header, proof: spendOf(exitOf()).proof },
  })
  const young = { young: true, exitableAt: header.timestamp + 2 * MEP, seq: 3 }
  const starts = (item: Partial<Exit>) =>
    plan([wardOf([{ ...output, entries: [entryOf(output, item)] }])]).starts.length
  assert.is(starts({ ...young, position: depositOf(10) }), 0)
  assert.is(starts({ ...young, position: depositOf(11) }), 1, 'a batch that is as old as a later block')
})

test('of an owner with two mandates each output starts once, by the one that covers it', () => {
  const wards = [accountOf(ALICE, { validUntil: START }), accountOf(), accountOf(ALICE, { validFrom: 1 })].map(
    (account): Ward => ({ account, revoked: false, outputs }),
  )
  const { starts, alerts } = plan(wards)
  assert.is(starts.length, outputs.length)
  assert.is(new Set(starts.map(({ key }) => key)).size, outputs.length)
  assert.equal(alerts, [], 'nothing stands in the way')
})

test.run()

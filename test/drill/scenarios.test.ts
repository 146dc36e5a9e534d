/** Drills on the embedded L1, from nothing to the verdict; and one that has to fail. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { steal } from '../../drill/faults/theft.ts'
import type { DrillRecord } from '../../drill/record.ts'
import { runScenario } from '../../drill/run.ts'
import { OWNERS, type Scenario } from '../../drill/scenario.ts'
import { findScenario, SCENARIOS } from '../../drill/scenarios.ts'
import { processAll } from '../../wallet/process.ts'
import { ALERT_CODES } from '../../watcher/alerts.ts'
import { assertPassed } from './assertPassed.ts'

const test = suite('drill: scenarios')

async function play(name: string, seed: number): Promise<DrillRecord> {
  const scenario = findScenario(name)
  if (!scenario) throw new Error(`no scenario ${name}`)
  const record = await runScenario(scenario, { seed })
  assertPassed(record)
  return record
}

/** The record says of itself what must be so in every run. */
function assertSound(record: DrillRecord): void {
  const { l1, timeline, alerts, actors, milestones } = record
  const moments = [...timeline, ...alerts].map(({ at }) => at)
  assert.ok(moments.every(({ block }) => block >= l1.start.block - 1 && block <= l1.end.block))
  assert.ok(alerts.every(({ code }) => ALERT_CODES.some((known) => known === code)))
  const names = new Set([...actors.map(({ name }) => name), 'L1', 'everybody', 'drill'])
  assert.equal(
    timeline.filter(({ actor }) => !names.has(actor)),
    [],
  )
  const { fault, detected, acted, secured } = milestones
  assert.ok(fault && detected && acted && secured)
  assert.ok(fault.block <= detected.block && acted.block <= secured.block)
  assert.equal(JSON.parse(JSON.stringify(record)), record, 'it survives as JSON')
}

const sumOf = (record: DrillRecord, key: 'before' | 'owed' | 'after', symbol: string) =>
  record.balances.filter((one) => one.symbol === symbol && one.honest).reduce((sum, one) => sum + BigInt(one[key]), 0n)

test('a block that mints is proven, and every owner leaves with all of it, whoever is offline', async () => {
  const record = await play('mint-from-nothing', 5)
  assertSound(record)
  assert.equal([record.seed, record.owners, record.l1.kind], [5, 3, 'embedded'])
  assert.is(record.reproduce, 'lifeboat drill run mint-from-nothing --seed 5 --owners 3')
  assert.ok(record.milestones.paid)
  for (const symbol of ['ETH', 'DEMO']) {
    assert.is(sumOf(record, 'after', symbol), sumOf(record, 'owed', symbol))
    assert.is(sumOf(record, 'before', symbol), sumOf(record, 'owed', symbol))
  }
  assert.is(sumOf(record, 'owed', 'DEMO'), 3_000n * 10n ** 18n)
  const operator = record.actors.find(({ role }) => role === 'operator')
  assert.is(operator?.honest, false)
  assert.ok(BigInt(operator?.bondsLostWei ?? 0) > 0n, 'the operator paid with its bond')
  for (const { honest, bondsLostWei } of record.actors) if (honest) assert.is(bondsLostWei, '0')
  assert.equal(
    record.balances.filter(({ owner }) => owner === 'bob').map(({ online }) => online),
    [false, false],
  )
})

test('a block that nobody gets ends the chain before it', async () => {
  const record = await play('withhold-block', 6)
  assertSound(record)
  const codes = new Set(record.alerts.map(({ code }) => code))
  for (const code of ['BLOCK_SUSPECT', 'DATA_CHALLENGED', 'DATA_UNANSWERED', 'CHAIN_HALTED', 'PROTECTED_EXIT_PAID'])
    assert.ok(codes.has(code), code)
})

test('a theft costs the thief her bond and nobody else anything, and nobody leaves', async () => {
  const record = await play('thief', 7)
  assertSound(record)
  assert.is(record.milestones.paid, null)
  const of = (name: string) => record.actors.find((one) => one.name === name)
  assert.ok(BigInt(of('mallory')?.bondsLostWei ?? 0) > 0n)
  const watchers = ['watcher-1', 'watcher-2'].map(of)
  assert.is(watchers.filter((one) => BigInt(one?.earnedWei ?? 0) > 0n).length, 1, 'one of the two earned the reward')
})

/** Both watchers are off, and nobody challenges: what the drill exists to find. */
const unwatched: Scenario = {
  name: 'unwatched',
  title: 'Nobody watches',
  story: 'A theft that nobody challenges.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { watchers } = world
    const exit = await steal(world, async () => {
      for (const watcher of watchers) await watcher.stop()
    })
    await world.passTo(exit.exitableAt)
    await processAll(await world.wallet(world.helper), 'theft')
    await watchers[0].start()
    await watchers[0].untilAlert('INVALID_EXIT_PAID')
  },
}

test('a theft that nobody challenges fails the drill: an owner is short, and it says who by how much', async () => {
  const record = await runScenario(unwatched, { seed: 8 })
  assert.is(record.passed, false)
  const broken = record.findings.filter(({ held }) => !held)
  assert.equal(
    new Set(broken.map(({ invariant }) => invariant)),
    new Set(['EXIT-1', 'EXIT-2', 'FUNDS-1']),
    JSON.stringify(broken),
  )
  const missing = sumOf(record, 'owed', 'ETH') - sumOf(record, 'after', 'ETH')
  assert.ok(missing > 0n && missing <= 10n ** 18n, `${missing}`)
  assert.is(sumOf(record, 'owed', 'DEMO'), sumOf(record, 'after', 'DEMO'))
})

/** It throws in the middle. */
const stuck: Scenario = {
  ...unwatched,
  name: 'stuck',
  run: async () => {
    throw new Error('nobody came')
  },
}

test('a scenario that does not come to its end fails the drill, with what it waited for, and leaves a record', async () => {
  const record = await runScenario(stuck, { seed: 9 })
  assert.is(record.passed, false)
  assert.equal(
    record.findings.filter(({ held }) => !held).map(({ invariant, detail }) => [invariant, detail]),
    [['DRILL', 'the scenario did not come to its end: nobody came']],
  )
})

test('scenarios have names of their own, and say what they need', () => {
  assert.is(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length)
  for (const { name, story, owners } of SCENARIOS) {
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    assert.match(story, /\.$/)
    assert.ok(owners.min <= owners.default && owners.default <= owners.max)
  }
  assert.ok(SCENARIOS.length >= 20)
})

test.run()

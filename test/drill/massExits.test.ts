/** Drills of mass exits on the embedded L1, from nothing to the verdict; and one that has to fail. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { uninvited } from '../../drill/faults/coordinator.ts'
import { claimEntry, giveTurnsOf, lockBatch, startBatch } from '../../drill/massExitPlays.ts'
import { prepareGround } from '../../drill/plays.ts'
import type { DrillRecord } from '../../drill/record.ts'
import { runScenario } from '../../drill/run.ts'
import { OWNERS, type Scenario } from '../../drill/scenario.ts'
import { findScenario } from '../../drill/scenarios.ts'
import { batchDeadlines, hashBatch } from '../../protocol/massExit.ts'
import { assertPassed } from './assertPassed.ts'

const test = suite('drill: mass exits')

/** With the fewest owners. An error of ours carries details, which the test runner can't print. */
async function run(scenario: Scenario, seed: number): Promise<DrillRecord> {
  try {
    return await runScenario(scenario, { seed, owners: scenario.owners.min })
  } catch (error) {
    throw new Error(`${scenario.name} came to no verdict: ${error}`)
  }
}

async function play(name: string, seed: number): Promise<DrillRecord> {
  const scenario = findScenario(name)
  if (!scenario) throw new Error(`no scenario ${name}`)
  const record = await run(scenario, seed)
  assertPassed(record)
  for (const invariant of ['MASS-1', 'MASS-2', 'MASS-3', 'MASS-4', 'MASS-5', 'FUNDS-1', 'FUNDS-2'])
    assert.ok(
      record.findings.some((one) => one.invariant === invariant),
      `${name} is judged by ${invariant}`,
    )
  return record
}

const detailsOf = ({ findings }: DrillRecord, invariant: string) =>
  findings.filter((one) => one.invariant === invariant).map(({ detail }) => detail)
const told = ({ timeline }: DrillRecord, text: RegExp) => timeline.filter((one) => text.test(one.text))
const actor = ({ actors }: DrillRecord, name: string) => actors.find((one) => one.name === name)!

/** What the root contract holds of ether, less what it owes of outputs, credits and bonds. */
function surplusOf(record: DrillRecord): bigint {
  const [detail = ''] = detailsOf(record, 'FUNDS-1').filter((one) => one.startsWith('ETH'))
  const [held = 0n, ...owed] = [...detail.matchAll(/\d+/g)].map(([digits]) => BigInt(digits))
  assert.is(owed.length, 3, detail)
  return owed.reduce((left, part) => left - part, held)
}

test('a chain that ends: one watcher takes out owners who never come, with a word from them or without, and its bond comes back', async () => {
  const record = await play('mass-exit', 1)
  const orphaned = await play('dead-coordinator', 1)
  assert.ok(told(record, /^starts a mass exit/).length >= 2, 'ether and tokens')
  assert.is(told(record, /^starts the exit/).length, 0, 'nobody leaves alone')
  assert.is(told(record, /^closes a mass exit/).length, told(record, /^starts a mass exit/).length)
  const [, outputs, entries] =
    /all (\d+) outputs of honest owners are paid, (\d+) entries of mass exits by/.exec(
      detailsOf(record, 'EXIT-2').join(),
    ) ?? []
  assert.ok(Number(entries) >= Number(outputs) && Number(outputs) >= 8, `${entries} entries for ${outputs} outputs`)
  assert.is(record.balances.filter(({ online }) => !online).length, 8)
  assert.ok(record.milestones.paid)
  // All that is left in the vault are bonds that are still open: none, or those of the coordinator that died.
  assert.equal([surplusOf(record), surplusOf(orphaned)], [0n, 0n])
  assert.is(told(orphaned, /^closes a mass exit/).length, 0)
  const [detail = ''] = detailsOf(orphaned, 'FUNDS-1')
  assert.not.match(detail, / 0 of bonds/)
})

test('a stranger’s mass exits are dissolved or struck, and she pays; a poisoned entry is struck, and the crowd is paid', async () => {
  const hostile = await play('hostile-coordinator', 3)
  const poisoned = await play('poisoned-mass-exit', 3)
  assert.is(told(hostile, /^dissolves a mass exit/).length, 4)
  assert.is(told(hostile, /^locks a mass exit/).length, 2)
  assert.match(detailsOf(hostile, 'MASS-2').join(), /none of 2 struck entries was paid/)
  assert.ok(BigInt(actor(hostile, 'mallory').bondsLostWei) > 0n, 'she paid')
  const watchers = ['watcher-1', 'watcher-2'].map((name) => BigInt(actor(hostile, name).earnedWei))
  assert.ok(
    watchers.some((wei) => wei > 0n),
    'a watcher earned by it',
  )

  assert.is(told(poisoned, /^answers for entry 0/).length, 1)
  assert.is(told(poisoned, /^strikes an output that mallory spent/).length, 1)
  assert.match(detailsOf(poisoned, 'MASS-2').join(), /none of 1 struck entries was paid/)
  const mallory = poisoned.balances.find(({ owner, symbol }) => owner === 'mallory' && symbol === 'ETH')
  assert.is(mallory?.after, '0')
  // The strike's reward comes out of the coordinator's bond; the rest of it came back, to the wei.
  assert.ok(BigInt(actor(poisoned, 'watcher-1').bondsLostWei) > 0n)
  // How many there are beside the poisoned one hangs on how fast this machine is: too few of a kind leave alone.
  const started = told(poisoned, /^starts a mass exit/).length
  assert.ok(started > 0)
  assert.is(told(poisoned, /^closes a mass exit/).length, started)
})

/** Mallory takes out an owner who asked for nothing, and what she has spent, while nobody watches. */
const unguarded: Scenario = {
  name: 'unguarded',
  title: 'Nobody watches a mass exit',
  story: 'A hostile mass exit that nobody demands anything of, and nobody strikes.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { thief, watchers, parameters } = world
    const { own, spent } = await prepareGround(world)
    world.fault(thief.name, 'takes out what is not hers')
    // They would demand before they are stopped, on a quick day.
    for (const one of watchers) {
      await one.stop()
      await one.start({ policy: { demandBudgetWei: 0n } })
      await one.untilVerified()
    }
    const batch = await startBatch(world, thief, [own, spent, ...uninvited(world, { own, spent })])
    await Promise.all(watchers.map((one) => one.stop()))
    await world.passTo(batchDeadlines(batch.batch.startedAt, parameters.minExitPeriod).answer)
    const locked = (await lockBatch(world, thief, batch)).find((event) => event.type === 'BatchLocked')
    await world.passTo(locked?.type === 'BatchLocked' ? locked.item.exitableAt : 0)
    await watchers[0].start()
    await watchers[0].untilVerified()
    await giveTurnsOf(world, [{ batchId: hashBatch(batch.batch) }])
    await claimEntry(
      world,
      thief,
      batch,
      batch.placed.findIndex(({ position }) => position === spent.position),
    )
  },
}

test('a hostile mass exit that nobody watches fails the drill, and it says what was broken; a copied one pays once', async () => {
  const record = await run(unguarded, 8)
  const copied = await play('copied-mass-exit', 1)
  const broken = record.findings.filter(({ held }) => !held)
  assert.equal(
    new Set(broken.map(({ invariant }) => invariant)),
    new Set(['EXIT-1', 'EXIT-2', 'FUNDS-1', 'MASS-4']),
    JSON.stringify(broken),
  )
  assert.match(detailsOf(record, 'MASS-4').join(), /took out bob, who had asked for nothing/)
  assert.is(record.passed, false)
  assert.is(told(copied, /mallory$/).filter(({ text }) => text.startsWith('starts a mass exit')).length, 1)
  assert.match(detailsOf(copied, 'EXIT-2').join(), /all \d+ outputs of honest owners are paid/)
})

test.run()

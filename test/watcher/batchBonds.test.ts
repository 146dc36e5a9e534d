/** Bonds of our demands: none is forgotten, whatever comes after it, and what came back is asked for no more. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRow, saveRow } from '../../l1/outboxStore.ts'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { batchDeadlines } from '../../protocol/massExit.ts'
import { openDatabase } from '../../service/database.ts'
import type { CourtContext } from '../../watcher/courtPort.ts'
import { courtOf } from '../../watcher/driver.ts'
import { WATCHER_MIGRATIONS } from '../../watcher/schema.ts'
import { policyOf, readingsOf } from './court/world.ts'
import { type BatchStarted, batchOf } from './support/batches.ts'
import { assertStable, createScene as createBooks, D0, D1 } from './support/batchScene.ts'
import { type Actor, alice, carol, createFakePeer, deposited, depositPosition, mallory } from './support/chain.ts'
import { APPLICATION_ID, createFolder, createTestCore, openStore, PARAMETERS } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: bonds of demands')
const ETHER = 10n ** 18n
const BOND = ETHER / 100n

function demandOf({ batchId, entries }: BatchStarted, index: number, { address }: Actor): RootEventBody {
  const { position } = entries[index]!
  return { type: 'EntryDemanded', batchId, index, position, demander: address, bond: BOND }
}

/** Carol's key is the watcher's. */
async function createScene() {
  const l1 = createFakeL1()
  const entries = [0, 1].map((i) => ({ position: depositPosition(0, i), amount: ETHER }))
  l1.mine(entries.map(({ position }) => deposited(position, alice, ETHER)))
  let massExits: CourtContext['massExits']
  const core = createTestCore({
    l1,
    peers: [createFakePeer('operator').peer],
    overrides: {
      sender: carol.address,
      createCourt: (context) => {
        massExits = context.massExits
        const policy = policyOf({ sender: carol.address, staggerSeconds: 0 })
        return courtOf({ policy, rootContract: `0x${'cc'.repeat(20)}`, readL1: async () => readingsOf() })(context)
      },
    },
  })
  const bound = () => massExits!.boundInDemands(carol.address)
  /** Mallory’s batches, each dissolved over a demand of her own. */
  const dissolveMany = (count: number) => {
    for (let i = 0; i < count; i++) {
      const start = batchOf(l1, entries)
      l1.mine([start, demandOf(start, 0, mallory)])
      l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: 0 }])
    }
  }
  /** One that Carol demanded an entry of; Mallory’s demand of another one dissolves it. */
  const fall = async () => {
    const start = batchOf(l1, entries)
    l1.mine([start, demandOf(start, 0, carol), demandOf(start, 1, mallory)])
    await core.tick()
    l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: 1 }])
    await core.tick()
    return start
  }
  const keyOf = ({ batchId }: BatchStarted) => `reclaim:${batchId}:0`
  return { l1, core, entries, bound, dissolveMany, fall, keyOf }
}

test('the bond of a demand is fetched although a hundred batches were dissolved since', async () => {
  const { l1, core, entries, bound, dissolveMany, keyOf } = await createScene()
  const start = batchOf(l1, entries)
  l1.mine([start, demandOf(start, 0, carol), demandOf(start, 1, mallory)])
  l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: 1 }])
  dissolveMany(100)
  await core.tick()
  assert.is(readRow(core.db, keyOf(start))?.status, 'queued')
  assert.is(bound(), BOND)
  core.log.assertNoErrors()
})

test('batches that strangers let fall are not looked at in every L1 block', async () => {
  const { l1, core, dissolveMany } = await createScene()
  dissolveMany(50)
  await core.tick()
  const asked = new Set<string>()
  const { record } = core.batches
  core.batches.record = (batchId) => {
    asked.add(batchId)
    return record(batchId)
  }
  l1.mine()
  await core.tick()
  assert.is(asked.size, 0)
})

test('a batch that nobody locked in time is not looked through for ever', async () => {
  const { l1, core, entries } = await createScene()
  const start = batchOf(l1, entries)
  l1.mine([start])
  let looks = 0
  const { entries: read } = core.batches
  core.batches.entries = (batchId) => {
    looks++
    return read(batchId)
  }
  const looked = async (seconds: number) => {
    l1.mine([], seconds)
    looks = 0
    await core.tick()
    return looks > 0
  }
  const { lock } = batchDeadlines(start.batch.startedAt, PARAMETERS.minExitPeriod)
  assert.ok(await looked(lock - l1.now()))
  assert.not.ok(await looked(1))
})

test('what came back for good binds nothing, and is not asked for again', async () => {
  const { l1, core, bound, fall, keyOf } = await createScene()
  const start = await fall()
  const { id } = readRow(core.db, keyOf(start))!
  saveRow(core.db, id, { status: 'confirmed', final: false })
  l1.mine()
  await core.tick()
  assert.is(bound(), BOND, 'an L1 reorg may take it back')
  saveRow(core.db, id, { final: true })
  l1.mine()
  await core.tick()
  assert.is(bound(), 0n)
  assert.is(readRow(core.db, `${keyOf(start)}#2`), undefined)
})

test('a fetch that failed is tried again, and the second one counts as well', async () => {
  const { l1, core, bound, fall, keyOf } = await createScene()
  const start = await fall()
  saveRow(core.db, readRow(core.db, keyOf(start))!.id, { status: 'failed', words: 'refused', final: true })
  for (let i = 0; i < 4; i++) {
    l1.mine()
    await core.tick()
  }
  const second = readRow(core.db, `${keyOf(start)}#2`)
  assert.is(second?.status, 'queued')
  assert.is(bound(), BOND)
  saveRow(core.db, second!.id, { status: 'done-by-other', final: true })
  assert.is(bound(), 0n)
})

test('demands that won, by our own dissolution, leave the budget as it was', async () => {
  const { l1, core, entries, bound } = await createScene()
  for (let i = 0; i < 3; i++) {
    const start = batchOf(l1, entries)
    l1.mine([start, demandOf(start, 0, carol)])
    await core.tick()
    assert.is(bound(), BOND)
    l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: 0 }])
    await core.tick()
    assert.is(bound(), 0n)
  }
})

test('open demands follow L1 through answers, dissolutions, reorgs and a rebuild', async () => {
  const scene = createBooks()
  const { l1, core } = scene
  const both = [
    { position: D0, amount: 100n },
    { position: D1, amount: 50n },
  ]
  const start = batchOf(l1, both)
  const left = () => core.batches.demandsLeft(carol.address).map(({ index }) => index)
  l1.mine([start, demandOf(start, 0, carol), demandOf(start, 1, carol)])
  await core.tick()
  assert.equal(left(), [], 'the batch stands')
  l1.mine([{ type: 'DemandAnswered', batchId: start.batchId, index: 1, outputId: `0x${'0b'.repeat(32)}`, reward: 1n }])
  l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: null }])
  await core.tick()
  assert.equal(left(), [0])
  await assertStable(scene)
  l1.reorg(2)
  for (let i = 0; i < 2; i++) l1.mine()
  l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: 0 }])
  await core.tick()
  assert.equal(left(), [1])
  await assertStable(scene)
})

test('a database of the version before knows its open demands when it is opened again', async () => {
  const { file, remove } = createFolder()
  try {
    const scene = createBooks()
    const { l1, core } = scene
    const both = [
      { position: D0, amount: 100n },
      { position: D1, amount: 50n },
    ]
    const [open, answered, fallen] = [
      batchOf(l1, both),
      batchOf(l1, both, { madeAt: 1 }),
      batchOf(l1, both, { madeAt: 2 }),
    ]
    l1.mine([open, answered, fallen])
    l1.mine([open, answered, fallen].flatMap((start) => [demandOf(start, 0, carol), demandOf(start, 1, carol)]))
    l1.mine([
      { type: 'DemandAnswered', batchId: answered.batchId, index: 1, outputId: `0x${'0b'.repeat(32)}`, reward: 1n },
    ])
    l1.mine([{ type: 'BatchDissolved', batchId: fallen.batchId, demanded: 0 }])
    await core.tick()
    const rows = (db: typeof core.db) => db.prepare('SELECT * FROM batch_demands ORDER BY batch, entry').all()
    const want = rows(core.db)
    assert.is(want.length, 4)
    const before = openDatabase({ file, applicationId: APPLICATION_ID, migrations: WATCHER_MIGRATIONS.slice(0, 5) })
    for (const table of ['root_events', 'batches']) {
      const all = core.db.prepare(`SELECT * FROM ${table}`).all() as Record<string, unknown>[]
      for (const row of all)
        before
          .prepare(
            `INSERT INTO ${table} VALUES (${Object.keys(row)
              .map(() => '?')
              .join(', ')})`,
          )
          .run(...Object.values(row))
    }
    before.close()
    const after = openStore(file)
    assert.equal(rows(after), want)
    after.close()
  } finally {
    remove()
  }
})

test.run()

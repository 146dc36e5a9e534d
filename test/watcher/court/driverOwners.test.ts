/** The driver and those whom it protects: it takes them out with a bond that is large enough, and says what failed. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { callOf, createScene } from './driverWorld.ts'
import {
  ALICE,
  accountOf,
  depositOf,
  exitOf,
  factsOf,
  GWEI,
  headerOf,
  MEP,
  outputOf,
  positionOf,
  readingsOf,
  START,
  spendOf,
  spentFact,
  UNSPENT,
  unsafeSince,
  worldAt,
} from './world.ts'

const test = suite('driver and protected owners')

test('takes protected owners out, deposits and outputs, page by page, and not twice', async () => {
  const shownOutput = {
    transaction: spendOf(exitOf()).signed.transaction,
    header: headerOf(),
    proof: spendOf(exitOf()).proof,
  }
  const outputs = [
    outputOf({ shown: shownOutput }),
    outputOf({ position: depositOf(11) }),
    outputOf({ position: positionOf(12), exit: 'queued' }),
  ]
  const { db, start, scene } = createScene({
    accounts: [accountOf()],
    outputs,
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  const court = start()
  await court.tick()
  await court.tick()
  const rows = listRows(db)
  assert.equal(
    rows.map((row) => callOf(row).functionName),
    ['startStandardExitFor', 'startDepositExitFor'],
  )
  assert.ok(rows.every(({ intent }) => intent.valueWei === 600_000n * GWEI && intent.onRevert === 'give-up'))
  scene.world = worldAt(20)
  await court.tick()
  assert.is(listRows(db).length, 2)
})

test('asks for protected outputs again only when L1, the verified blocks or the mandates moved', async () => {
  const outputs = Array.from({ length: 1_001 }, (_, i) => outputOf({ position: depositOf(i) }))
  const { start, scene } = createScene({
    accounts: [accountOf()],
    outputs,
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  const court = start()
  await court.tick()
  assert.is(scene.pages, 4, 'three pages and an empty one')
  await court.tick()
  assert.is(scene.pages, 4)
  const { now, ...world } = scene.world
  scene.world = { ...world, now: { ...now, hash: `0x${'77'.repeat(32)}` } }
  await court.tick()
  assert.is(scene.pages, 8)
  scene.world = { ...scene.world, verifiedBlock: scene.world.verifiedBlock + 1 }
  await court.tick()
  assert.is(scene.pages, 12)
  scene.accounts = []
  await court.tick()
  scene.accounts = [accountOf()]
  await court.tick()
  assert.is(scene.pages, 16)
})

test('brings a larger bond when the base fee rose beyond the headroom, and leaves it alone until then', async () => {
  const { db, start, scene } = createScene({
    accounts: [accountOf()],
    outputs: [outputOf({ position: depositOf(11) })],
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  const court = start()
  await court.tick()
  const bond = () => listRows(db)[0]!.intent.valueWei
  scene.readings = readingsOf({ exitBondWei: 500_000n * GWEI })
  await court.tick()
  assert.is(bond(), 750_000n * GWEI, 'nothing is sent yet: the newest is free')
  scene.readings = readingsOf()
  await court.tick()
  saveRow(db, listRows(db)[0]!.id, { status: 'sent', nonce: 0 })
  scene.readings = readingsOf({ exitBondWei: 600_000n * GWEI })
  await court.tick()
  assert.is(bond(), 600_000n * GWEI)
  scene.readings = readingsOf({ exitBondWei: 600_001n * GWEI })
  await court.tick()
  assert.is(bond(), 900_001n * GWEI + GWEI / 2n)
  assert.is(listRows(db).length, 1)
})

test('opens an expired start again under its next deadline', async () => {
  const { db, start, scene } = createScene({
    accounts: [accountOf()],
    outputs: [outputOf({ position: depositOf(11) })],
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  const court = start()
  await court.tick()
  saveRow(db, listRows(db)[0]!.id, { status: 'expired', words: 'too late' })
  await court.tick()
  assert.is(listRows(db)[0]!.status, 'expired')
  scene.world = worldAt(MEP + 1, { safety: unsafeSince(30, START) })
  await court.tick()
  const rows = listRows(db)
  assert.is(rows[0]!.status, 'queued')
  assert.equal(rows[0]!.intent.deadline, { timestamp: START + 2 * MEP })
})

test('a start that waits for lower fees is not sent any more once the chain is safe again, and is when it is unsafe anew', async () => {
  const { db, start, scene } = createScene({
    accounts: [accountOf()],
    outputs: [outputOf({ position: depositOf(11) }), outputOf({ position: depositOf(12) })],
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  await start().tick()
  const [waiting, sent] = listRows(db)
  saveRow(db, waiting!.id, { status: 'over-budget', words: 'too dear now' })
  saveRow(db, sent!.id, { status: 'sent', nonce: 7, sender: ALICE })
  const deadlines = () => listRows(db).map(({ intent }) => 'timestamp' in intent.deadline && intent.deadline.timestamp)
  assert.equal(deadlines(), [START + MEP, START + MEP])
  const court = start()
  scene.world = worldAt(20)
  scene.readings = new Error('L1 can not be read')
  await court.tick()
  assert.equal(deadlines(), [START + MEP, START + MEP], 'nobody knows')
  scene.readings = readingsOf()
  await court.tick()
  assert.equal(deadlines(), [START + 20, START + MEP])
  saveRow(db, waiting!.id, { status: 'expired', words: 'it is not wanted' })
  scene.world = worldAt(30, { safety: unsafeSince(30, START) })
  await court.tick()
  assert.equal(deadlines(), [START + MEP, START + MEP])
  assert.is(listRows(db)[0]!.status, 'queued')
})

test('cries when the key is empty or the outbox is stuck, and clears it when it is not any more', async () => {
  const { db, start, scene, raised, cleared } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'unfunded', words: '0 ETH' })
  await court.tick()
  await court.tick()
  assert.equal(
    raised.filter((alert) => alert.startsWith('BUDGET')),
    [`BUDGET_EXHAUSTED ${row!.intent.key}`],
  )
  saveRow(db, row!.id, { status: 'sent' })
  scene.world = worldAt(MEP - MEP / 4 - 15)
  await court.tick()
  assert.equal(cleared, [`BUDGET_EXHAUSTED ${row!.intent.key}`])
  assert.ok(raised.includes(`OUTBOX_STUCK ${row!.intent.key}`))
})

test('says why a protected exit failed, and only logs a keeper’s failure', async () => {
  const ours = exitOf({ owner: ALICE, exitableAt: START - 5 })
  const { db, start, raised, memory } = createScene({
    exits: [factsOf(UNSPENT, ours)],
    accounts: [accountOf()],
    outputs: [outputOf({ position: depositOf(11) })],
    world: worldAt(10, { safety: unsafeSince(30, START) }),
  })
  const court = start()
  await court.tick()
  assert.equal(
    listRows(db).map((row) => callOf(row).functionName),
    ['startDepositExitFor', 'processExits'],
  )
  for (const { id } of listRows(db)) saveRow(db, id, { status: 'failed', words: 'refused' })
  await court.tick()
  assert.equal(raised, [`PROTECTED_EXIT_BLOCKED ${listRows(db)[0]!.intent.key}`])
  assert.is(memory.of('court.action_failed').length, 2)
})

test.run()

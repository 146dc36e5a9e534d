/** The driver on a real database and the real outbox rows: facts in, rows and alerts out, through restarts, reorgs and failures. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../../contracts/artifacts.generated.ts'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { retryable } from '../../../protocol/errors.ts'
import { encodeAction } from '../../../watcher/driverIntents.ts'
import { callOf, createScene, ROOT, SPEND } from './driverWorld.ts'
import {
  ALICE,
  accountOf,
  ETH,
  ETHER,
  exitOf,
  factsOf,
  headerOf,
  MEP,
  outputOf,
  paid,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  START,
  shown,
  spentFact,
  TKN,
  UNSPENT,
  unsafeSince,
  WATCHER,
  worldAt,
} from './world.ts'

const test = suite('driver')

test('writes one challenge for an invalid exit, however often it looks and restarts', async () => {
  const { db, start, scene, memory } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  await court.tick()
  await start().tick()
  const rows = listRows(db)
  assert.is(rows.length, 1)
  const { functionName, args } = callOf(rows[0]!)
  assert.is(functionName, 'challengeStandardExit')
  assert.is(args?.[1], BigInt(SPEND))
  assert.is(rows[0]!.intent.to, ROOT)
  assert.is(rows[0]!.intent.onRevert, 'retry')
  assert.equal(rows[0]!.intent.deadline, { timestamp: START + MEP - MEP / 4 })
  assert.equal([...court.senders], [WATCHER])
  assert.is(scene.proofs, 2, 'the proof is built once in each run')
  memory.assertNoErrors()
})

test('raises the budget of the same row as time runs out', async () => {
  const { db, start, scene } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  const before = listRows(db)[0]!.intent
  scene.world = worldAt(150)
  await court.tick()
  const after = listRows(db)
  assert.is(after.length, 1)
  assert.ok(after[0]!.intent.budgetWei > before.budgetWei)
  assert.is(before.urgency, 'normal')
  assert.is(after[0]!.intent.urgency, 'high')
})

test('waits for its random delay', async () => {
  const { db, start, scene, memory } = createScene({
    exits: [factsOf(spentFact(), exitOf({ outputId: `0x0000000a${'0'.repeat(56)}` }))],
  })
  const court = start(policyOf({ staggerSeconds: 15 }))
  scene.world = worldAt(9)
  await court.tick()
  assert.equal(listRows(db), [])
  assert.is(memory.of('court.action_held').length, 1)
  scene.world = worldAt(10)
  await court.tick()
  assert.is(listRows(db).length, 1)
})

test('opens an act again that another was said to have done, once the facts had time to show it', async () => {
  const { db, start, scene, raised } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'done-by-other' })
  await court.tick()
  scene.world = worldAt(11)
  await court.tick()
  assert.is(listRows(db).length, 1, 'the facts may not have seen it yet')
  scene.world = worldAt(12)
  await court.tick()
  assert.equal(
    listRows(db).map(({ intent, status, final }) => [intent.key, status, final]),
    [[row!.intent.key, 'queued', false]],
  )
  assert.equal(
    raised.filter((alert) => !alert.startsWith('INVALID_EXIT')),
    [],
  )
  saveRow(db, row!.id, { status: 'done-by-other' })
  await court.tick()
  assert.is(listRows(db)[0]!.status, 'done-by-other', 'and waits anew')
})

test('tries again under a new key when a challenge failed but the facts still want it, and not at once', async () => {
  const { db, start, scene, raised } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'failed', words: 'ExitMismatch' })
  await court.tick()
  assert.is(raised.at(-1), `CHALLENGE_FAILED ${row!.intent.key}`)
  scene.world = worldAt(11)
  await court.tick()
  assert.is(listRows(db).length, 1)
  scene.world = worldAt(12)
  await court.tick()
  assert.equal(
    listRows(db).map(({ intent }) => intent.key),
    [row!.intent.key, `${row!.intent.key}#2`],
  )
})

test('wakes the outbox after writing an act, and only then', async () => {
  const { scene, start, woken } = createScene()
  const court = start()
  await court.tick()
  assert.is(woken.count, 0)
  scene.exits = [factsOf(spentFact())]
  await court.tick()
  assert.is(woken.count, 1)
})

test('an L1 reorg that moves the exit makes a new act, and the old one stays alone', async () => {
  const { db, start, scene } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  const moved = exitOf({ lockedAt: exitOf().lockedAt + 1 })
  scene.exits = [factsOf(spentFact(moved), moved)]
  await court.tick()
  assert.is(new Set(listRows(db).map(({ intent }) => intent.data)).size, 2)
})

test('builds a proof anew when L1 replaced the block of the spend', async () => {
  const { start, scene } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  await court.tick()
  await court.tick()
  assert.is(scene.proofs, 1)
  scene.header = headerOf({ anchor: 1 })
  await court.tick()
  assert.is(scene.proofs, 2)
  scene.header = headerOf()
  scene.exits = [factsOf(UNSPENT)]
  await court.tick()
  scene.exits = []
  await court.tick()
})

test('challenges while L1 can’t be read, and does nothing else', async () => {
  const { db, start, memory } = createScene({
    exits: [factsOf(spentFact())],
    accounts: [accountOf()],
    outputs: [outputOf()],
    world: worldAt(10, { safety: unsafeSince(30, START) }),
    readings: retryable('ENDPOINT_UNREACHABLE', 'down'),
  })
  await start().tick()
  assert.equal(
    listRows(db).map((row) => callOf(row).functionName),
    ['challengeStandardExit'],
  )
  assert.is(memory.of('court.readings_failed').length, 1)
})

test('encodes every kind of act, and asks L1 for what they need', async () => {
  const header = headerOf({ timestamp: START - 2 * MEP })
  const thief = exitOf({ position: positionOf(9), seq: 0, exitableAt: START - 5 })
  const ours = exitOf({ owner: ALICE, position: positionOf(8), seq: 1, exitableAt: START - 5 })
  const later = exitOf({ owner: ALICE, token: TKN, position: positionOf(7), seq: 3, exitableAt: START - 5 })
  const closed = exitOf({ owner: ALICE, token: TKN, position: positionOf(6), seq: 2 })
  const { db, start, wanted, scene } = createScene({
    exits: [
      factsOf(spentFact(thief, { header }), thief, shown(SPEND), postponed(0n, ETHER)),
      factsOf(UNSPENT, ours, postponed(ETHER, ETHER)),
      factsOf(UNSPENT, later, shown(SPEND)),
      factsOf(UNSPENT, closed, paid(ETHER)),
    ],
    accounts: [accountOf()],
    header,
    readings: readingsOf({
      funded: new Map([[ETH, 2n * ETHER]]),
      credits: [{ token: TKN, account: ALICE, amount: 5n }],
    }),
  })
  await start(policyOf({ withdrawCredits: true })).tick()
  assert.equal(
    listRows(db).map((row) => callOf(row).functionName),
    ['processExits', 'settle', 'release', 'withdraw'],
  )
  // An estimate of the first two would find the gas for doing nothing: they stop early instead of reverting.
  assert.equal(
    listRows(db).map(({ intent }) => intent.gasLimit !== undefined && intent.gasLimit >= 270_000n),
    [true, true, false, false],
  )
  assert.equal(wanted[0]?.tickets, [ETH])
  assert.equal(wanted[0]?.credits, [{ account: ALICE, tokens: [TKN] }])
  assert.is(wanted[0]?.at.hash, scene.world.now.hash)
})

test('has words for dropping evidence too, though nothing can be void yet', () => {
  const terms = { key: 'k', purpose: 'p', notBefore: 0, deadline: 1, budgetWei: 1n }
  const record = factsOf(UNSPENT, exitOf(), shown(SPEND))
  const { data } = encodeAction({ ...terms, type: 'drop-evidence', record, spend: SPEND, place: 0, holdsValid: true })
  assert.is(decodeFunctionData({ abi: iLifeboatAbi, data }).functionName, 'dropEvidence')
})

test('one unreadable exit does not keep the others from being challenged', async () => {
  const broken = exitOf({ position: positionOf(9) })
  const { db, start, raised, memory } = createScene({
    exits: [factsOf(spentFact(broken), broken), factsOf(spentFact())],
    broken: broken.outputId,
  })
  await start().tick()
  assert.is(listRows(db).length, 1)
  assert.ok(raised.includes(`INTERNAL_FAULT ${broken.outputId}`))
  assert.is(memory.of('court.exit_unreadable').length, 1)
})

test('one act that can’t be written does not take the others with it', async () => {
  const odd = exitOf({ position: positionOf(9), bond: -1n })
  const { db, start, raised } = createScene({ exits: [factsOf(spentFact(odd), odd), factsOf(spentFact())] })
  await start().tick()
  assert.is(listRows(db).length, 1)
  assert.is(raised.filter((alert) => alert.startsWith('INTERNAL_FAULT')).length, 1)
})

test('explains an exit, open or long gone', async () => {
  const { start, scene } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  const { exit } = scene.exits[0]!
  const explain = () =>
    court.explain(exit.outputId) as { phase: string; verdict: string; actions: { outbox: string }[] }
  assert.is(explain().actions[0]?.outbox, 'not sent')
  await court.tick()
  assert.is(explain().phase, 'accused')
  assert.is(explain().verdict, 'invalid')
  assert.is(explain().actions[0]?.outbox, 'queued')
  scene.exits = []
  assert.is(court.explain(exit.outputId), undefined)
})

test('does nothing after it was stopped, not even in the tick under way', async () => {
  const { db, start } = createScene({ exits: [factsOf(spentFact())] })
  const court = start()
  const ticking = court.tick()
  await court.stop()
  await ticking
  await court.tick()
  assert.equal(listRows(db), [])
})

test.run()

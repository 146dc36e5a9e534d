/** The driver on a real database and the real outbox rows: facts in, rows and alerts out, through restarts, reorgs and failures. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../../contracts/artifacts.generated.ts'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import type { Address, Hash } from '../../../protocol/bytes.ts'
import { retryable } from '../../../protocol/errors.ts'
import { openDatabase } from '../../../service/database.ts'
import { createMemoryLog } from '../../../service/log.ts'
import type { L1Readings, World } from '../../../watcher/court/types.ts'
import { courtOf } from '../../../watcher/driver.ts'
import { encodeAction } from '../../../watcher/driverIntents.ts'
import type { Wanted } from '../../../watcher/driverReadings.ts'
import type { ExitFacts, Facts, ProtectedAccount, ProtectedOutput } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  depositOf,
  ETH,
  ETHER,
  exitOf,
  factsOf,
  GWEI,
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
  spendOf,
  spentFact,
  TKN,
  UNSPENT,
  unsafeSince,
  WATCHER,
  worldAt,
} from './world.ts'

const ROOT: Address = `0x${'99'.repeat(20)}`
const SPEND = positionOf(20)

type Scene = {
  world: World
  exits: readonly ExitFacts[]
  accounts: readonly ProtectedAccount[]
  outputs: readonly ProtectedOutput[]
  revoked: boolean
  readings: L1Readings | Error
  header: ReturnType<typeof headerOf>
  proofs: number
  pages: number
  broken: Hash | undefined
}

function createScene(changes: Partial<Scene> = {}) {
  const scene: Scene = {
    world: worldAt(10),
    exits: [],
    accounts: [],
    outputs: [],
    revoked: false,
    readings: readingsOf(),
    header: headerOf(),
    proofs: 0,
    pages: 0,
    broken: undefined,
    ...changes,
  }
  const closed = (facts: ExitFacts) => facts.state === 'settled' || facts.state === 'removed'
  const facts: Facts = {
    l1Now: () => scene.world.now,
    safety: () => scene.world.safety,
    verifiedBlock: () => scene.world.verifiedBlock,
    newestBlock: () => scene.world.newestBlock,
    parameters: scene.world.parameters,
    openExits: () => scene.exits.filter((exit) => !closed(exit)),
    closedExits: (since) => scene.exits.filter((exit) => closed(exit) && exit.events.at(-1)!.at.l1Block >= since),
    queueFrom: () => scene.exits,
    exitFacts: (outputId) => {
      if (outputId === scene.broken) throw new Error('no body')
      const found = scene.exits.find(({ exit }) => exit.outputId === outputId)
      if (found?.output.kind === 'spent') scene.proofs++
      return found
    },
    protectedOutputs: (owner, { cursor = -1, limit = 500 } = {}) => {
      scene.pages++
      return scene.outputs.filter((output) => output.owner === owner && output.position > cursor).slice(0, limit)
    },
    protectedAccounts: () => scene.accounts,
    revokedAt: () => (scene.revoked ? START : undefined),
    header: (block) => (block <= scene.world.verifiedBlock ? scene.header : undefined),
    blockState: () => 'verified',
    spentBy: (position) => {
      const found = scene.exits.find(({ exit }) => exit.position === position)
      return found?.output.kind === 'spent' ? found.output.evidence.spend : undefined
    },
  }
  const memory = createMemoryLog()
  const db = openDatabase({ file: ':memory:', applicationId: 7, migrations: [] })
  const raised: string[] = []
  const cleared: string[] = []
  const alarm = {
    raise: (code: string, subject: string) => raised.push(`${code} ${subject}`) > 0,
    clear: (code: string, subject: string) => void cleared.push(`${code} ${subject}`),
    stands: () => false,
  }
  const wanted: Wanted[] = []
  const woken = { count: 0 }
  const start = (policy = policyOf()) =>
    courtOf({
      policy,
      rootContract: ROOT,
      readL1: async (asked) => {
        wanted.push(asked)
        if (scene.readings instanceof Error) throw scene.readings
        return scene.readings
      },
      wake: () => void woken.count++,
    })({ facts, db, alarm, log: memory.log, now: () => 0 })
  return { scene, db, memory, raised, cleared, wanted, woken, start }
}

function callOf(row: ReturnType<typeof listRows>[number]) {
  return decodeFunctionData({ abi: iLifeboatAbi, data: row.intent.data })
}

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
  const { data } = encodeAction({ ...terms, type: 'drop-evidence', record, spend: SPEND, holdsValid: true })
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

/** The driver on a real database and the real outbox rows: facts in, rows and alerts out, through restarts, reorgs and failures. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../../../contracts/artifacts.generated.ts'
import type { OutboxRow } from '../../../l1/outboxIntent.ts'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { type Address, type Hash, ZERO_HASH } from '../../../protocol/bytes.ts'
import { retryable } from '../../../protocol/errors.ts'
import { createOutput } from '../../../protocol/transaction.ts'
import { openDatabase } from '../../../service/database.ts'
import { createMemoryLog } from '../../../service/log.ts'
import type { FaultCase } from '../../../watcher/court/faults.ts'
import type { L1Readings, World } from '../../../watcher/court/types.ts'
import { courtOf } from '../../../watcher/driver.ts'
import { encodeAction } from '../../../watcher/driverIntents.ts'
import type { Wanted } from '../../../watcher/driverReadings.ts'
import type { DisputeFacts, ExitFacts, Facts, ProtectedAccount, ProtectedOutput } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  answered,
  BOB,
  type Dispute0,
  decided,
  depositOf,
  disputedExitOf,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  factsOf,
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
  rival,
  rivalSpend,
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
  disputes: readonly DisputeFacts[]
  disputeProofs: number
  accounts: readonly ProtectedAccount[]
  outputs: readonly ProtectedOutput[]
  revoked: boolean
  readings: L1Readings | Error
  header: ReturnType<typeof headerOf>
  proofs: number
  pages: number
  broken: Hash | undefined
  fault: FaultCase | undefined
  faultProofs: number
}

function createScene(changes: Partial<Scene> = {}) {
  const scene: Scene = {
    world: worldAt(10),
    exits: [],
    disputes: [],
    disputeProofs: 0,
    accounts: [],
    outputs: [],
    revoked: false,
    readings: readingsOf(),
    header: headerOf(),
    proofs: 0,
    pages: 0,
    broken: undefined,
    fault: undefined,
    faultProofs: 0,
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
    disputes: (since) =>
      scene.disputes.filter(({ state, events }) => state === 'running' || events.at(-1)!.at.l1Block >= since),
    disputeFacts: (txHash) => {
      if (txHash === scene.broken) throw new Error('no body')
      scene.disputeProofs++
      return scene.disputes.find(({ dispute }) => dispute.txHash === txHash)
    },
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
    disproved: () => scene.world.disproved,
    fault: () => scene.fault?.fault,
    fraudProof: () => {
      if (!scene.fault?.proof) throw new Error('no body')
      scene.faultProofs++
      return scene.fault.proof
    },
    halt: () => ({ voidFrom: scene.world.voidFrom, lastMove: scene.world.lastMove }),
    revokedAt: () => (scene.revoked ? START : undefined),
    header: (block) => {
      if (block === scene.world.newestBlock) return { ...scene.header, timestamp: scene.world.newestTime }
      return block <= scene.world.verifiedBlock ? scene.header : undefined
    },
    blockState: () => 'verified',
    spentBy: (position) => {
      for (const { output } of scene.exits) {
        if (output.kind !== 'spent') continue
        const { spend, signed, input } = output.evidence
        if (signed.transaction.inputs[input] === position) return spend
      }
      return undefined
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
  const start = (policy = policyOf(), suretyContract?: Address) =>
    courtOf({
      policy,
      rootContract: ROOT,
      suretyContract,
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

const FAULT: FaultCase = {
  fault: {
    block: 51,
    header: headerOf({ timestamp: START }),
    fault: { rule: 'V1', code: 'NO_OUTPUTS', index: 0, got: 0, want: '1 to 16' },
    position: positionOf(51),
    spends: new Set(),
  },
  proof: {
    rule: 'V1',
    offence: {
      position: positionOf(51),
      signed: { transaction: { inputs: [], outputs: [], memo: ZERO_HASH }, witnesses: new Uint8Array() },
      header: headerOf({ timestamp: START }),
      proof: { witnessesHash: ZERO_HASH, path: [] },
    },
  },
}
const SURETY: Address = `0x${'88'.repeat(20)}`

test('writes one proof of an invalid block, to the surety, and builds it once while L1 stands still', async () => {
  const { db, start, scene, memory } = createScene({ fault: FAULT })
  const court = start(policyOf(), SURETY)
  await court.tick()
  await court.tick()
  await start(policyOf(), SURETY).tick()
  assert.is(scene.faultProofs, 2, 'once in each run')
  const rows = listRows(db)
  assert.is(rows.length, 1)
  const [{ intent }] = rows as [OutboxRow]
  assert.is(intent.to, SURETY)
  assert.is(decodeFunctionData({ abi: iSuretyAbi, data: intent.data }).functionName, 'reportFraud')
  assert.is(intent.onRevert, 'retry')
  assert.equal(intent.deadline, { timestamp: START + MEP })
  scene.world = worldAt(20)
  await court.tick()
  assert.is(scene.faultProofs, 3, 'L1 has moved')
  memory.assertNoErrors()
})

test('a proof that was sent is replaced when L1 moved under it, and left alone otherwise', async () => {
  const { db, start, scene } = createScene({ fault: FAULT })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { nonce: 4, status: 'sent' })
  await court.tick()
  assert.is(listRows(db)[0]!.intent.data, row!.intent.data)
  const offence = { ...FAULT.proof!.offence, proof: { witnessesHash: ZERO_HASH, path: [hashOf(3)] } }
  scene.fault = { ...FAULT, proof: { rule: 'V1', offence } }
  scene.world = worldAt(20)
  await court.tick()
  const rows = listRows(db)
  assert.is(rows.length, 1)
  assert.is.not(rows[0]!.intent.data, row!.intent.data)
})

test('tells of a fault without a proof, and judges all else; the telling ends with the fault', async () => {
  const { db, start, scene, raised, cleared } = createScene({
    fault: { fault: FAULT.fault },
    exits: [factsOf(spentFact())],
  })
  const court = start()
  await court.tick()
  assert.equal(
    listRows(db).map((row) => callOf(row).functionName),
    ['challengeStandardExit'],
  )
  assert.ok(raised.includes('FAULT_UNPROVEN 51'))
  assert.ok(raised.includes('INTERNAL_FAULT fault 51'))
  scene.world = worldAt(10, { voidFrom: 51, lastMove: START })
  await court.tick()
  assert.ok(cleared.includes('FAULT_UNPROVEN 51'))
})

test('a proof that L1 refuses is told as such', async () => {
  const { db, start, raised } = createScene({ fault: FAULT })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'failed', words: 'ProofFailed(V1)' })
  await court.tick()
  assert.ok(
    raised.some((alert) => alert.startsWith('FAULT_UNPROVEN prove:51:')),
    raised.join(),
  )
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

const ofDisputes = suite('driver and disputes')

const attacked = disputeFactsOf({ made: placeAt() }, rival(0))
const contradicted = disputeFactsOf({ txHash: hashOf(2), spends: [rivalSpend()] })
const toAlice = [createOutput(ALICE, ETH, ETHER), createOutput(ALICE, ETH, ETHER)]
const namesOf = (db: Parameters<typeof listRows>[0]) => listRows(db).map((row) => callOf(row).functionName)

ofDisputes(
  'shows competitors and answers once, however often it looks and restarts, and with no fees known',
  async () => {
    const { db, start, memory, scene } = createScene({
      disputes: [attacked, contradicted],
      readings: retryable('ENDPOINT_UNREACHABLE', 'down'),
    })
    const court = start()
    await court.tick()
    await court.tick()
    await start().tick()
    assert.equal(namesOf(db), ['showCompetitor', 'answerDispute'])
    const [show, answer] = listRows(db)
    assert.equal(show!.intent.deadline, { timestamp: START + MEP / 2 })
    assert.equal(answer!.intent.deadline, { timestamp: START + MEP - MEP / 4 })
    assert.ok([show, answer].every((row) => row!.intent.onRevert === 'retry'))
    assert.ok(show!.intent.doneErrors.includes('PieceKnown'))
    assert.is(callOf(show!).args?.[6], BigInt(positionOf(20)))
    assert.is(scene.disputeProofs, 4, 'proofs are built once in each run')
    assert.is(memory.of('court.dispute_moved').length, 4)
    memory.assertNoErrors()
  },
)

ofDisputes(
  'looks anew when a block of a proof was replaced, a piece was shown, an exit moved or a spend came',
  async () => {
    const { start, scene } = createScene({ disputes: [attacked] })
    const court = start()
    const looked = async () => {
      const before = scene.disputeProofs
      await court.tick()
      return scene.disputeProofs - before
    }
    assert.is(await looked(), 1)
    assert.is(await looked(), 0)
    scene.header = headerOf({ root: hashOf(1234) })
    assert.is(await looked(), 1)
    scene.disputes = [disputeFactsOf({ made: placeAt() }, rival(0), answered(MADE_AT))]
    assert.is(await looked(), 1)
    scene.exits = [factsOf(UNSPENT)]
    assert.is(await looked(), 1)
    scene.exits = [factsOf(spentFact())]
    assert.is(await looked(), 1)
    assert.is(await looked(), 0)
    scene.disputes = [disputeFactsOf({}, decided('not-canonical'))]
    assert.is(await looked(), 1)
    scene.world = worldAt(10, { verifiedBlock: 51 })
    assert.is(await looked(), 1, 'its block may have come')
  },
)

ofDisputes('asks for the verdict after E, and takes both owners out before', async () => {
  const running = disputeFactsOf({ outputs: toAlice })
  const { db, start, scene, raised, cleared } = createScene({ disputes: [running], accounts: [accountOf()] })
  const court = start()
  await court.tick()
  assert.equal(namesOf(db), ['startDisputedExitsFor'])
  const [row] = listRows(db)
  assert.is(row!.intent.valueWei, 1_200_000n * GWEI)
  assert.equal(callOf(row!).args?.[2], [0n, 1n])
  saveRow(db, row!.id, { status: 'failed', words: 'refused' })
  await court.tick()
  assert.ok(raised.includes(`DISPUTE_EXIT_AVAILABLE ${row!.intent.key}`))
  const exits = [0, 1].map((output) => recordOf(disputedExitOf(output, { owner: ALICE, payer: WATCHER })))
  scene.disputes = [disputeFactsOf({ outputs: toAlice, exits })]
  scene.exits = exits.map((record) => ({ ...record, output: UNSPENT, dispute: { state: 'running' as const } }))
  scene.world = worldAt(MEP + 1)
  await court.tick()
  assert.equal(namesOf(db), ['startDisputedExitsFor', 'decide', 'processExits'])
  assert.ok(cleared.includes(`DISPUTE_EXIT_AVAILABLE ${row!.intent.key}`))
})

ofDisputes('brings a larger bond for outputs through a dispute when the base fee outgrew it', async () => {
  const { db, start, scene } = createScene({
    disputes: [disputeFactsOf({ outputs: toAlice })],
    accounts: [accountOf()],
  })
  const court = start()
  await court.tick()
  saveRow(db, listRows(db)[0]!.id, { status: 'sent', nonce: 0 })
  scene.readings = readingsOf({ exitBondWei: 600_001n * GWEI })
  await court.tick()
  assert.is(listRows(db)[0]!.intent.valueWei, 2n * (900_001n * GWEI + GWEI / 2n))
})

ofDisputes(
  'takes an input out of a safe chain when a competitor is shown, and asks for that output alone',
  async () => {
    const input = outputOf({
      position: positionOf(10),
      shown: { transaction: spendOf(exitOf()).signed.transaction, header: headerOf(), proof: spendOf(exitOf()).proof },
    })
    const { db, start, scene } = createScene({
      disputes: [disputeFactsOf({ inputs: [{ owner: ALICE }] })],
      accounts: [accountOf()],
      outputs: [outputOf({ position: positionOf(9) }), input, outputOf({ position: positionOf(11) })],
    })
    const court = start()
    await court.tick()
    assert.equal([namesOf(db), scene.pages], [[], 0])
    scene.disputes = [disputeFactsOf({ inputs: [{ owner: ALICE }] }, rival(0))]
    await court.tick()
    assert.equal(namesOf(db), ['startStandardExitFor'])
    assert.is(scene.pages, 1)
    scene.outputs = []
    await court.tick()
    assert.is(listRows(db).length, 1)
  },
)

ofDisputes('challenges an exit through a dispute by place, remembers the proof, and follows the verdict', async () => {
  const running = disputeFactsOf({ made: placeAt() })
  const exit = disputedExitOf(0)
  const evidence = spendOf(exitOf({ position: MADE_AT }), { spend: positionOf(40) })
  const facts = (state: 'running' | 'canonical'): ExitFacts => ({
    ...factsOf({ kind: 'spent', asOf: 50, evidence }, exit),
    dispute: { state, made: placeAt() },
  })
  const { db, start, scene, raised } = createScene({ disputes: [running], exits: [facts('running')] })
  const court = start()
  await court.tick()
  await court.tick()
  assert.equal(namesOf(db), ['challengeDisputedExit'])
  assert.is(scene.proofs, 1)
  assert.ok(raised.includes(`DISPUTED_EXIT_INVALID ${exit.outputId}`))
  scene.disputes = [disputeFactsOf({ made: placeAt() }, decided('not-canonical'))]
  const explained = court.explain(exit.outputId) as { phase: string }
  assert.is(explained.phase, 'refuted')
  // The same output exits again, by inclusion: the memory of the dispute must not stick.
  scene.exits = [factsOf({ kind: 'spent', asOf: 50, evidence }, { ...exit, disputed: ZERO_HASH, position: MADE_AT })]
  scene.disputes = []
  await court.tick()
  assert.is(scene.proofs, 3)
})

ofDisputes('drops what a verdict refuted, releases, inherits, each in the contract’s words', async () => {
  const canonical = disputeFactsOf(
    {
      outputs: [createOutput(ALICE, ETH, ETHER)],
      inputExits: [recordOf(exitOf({ payer: WATCHER }), postponed(0n, ETHER))],
      exits: [recordOf(disputedExitOf(0, { owner: ALICE }), postponed(9n * ETHER, ETHER))],
    },
    decided('canonical'),
  )
  const refuted = disputeFactsOf(
    { txHash: hashOf(3), made: placeAt(), inputs: [{ position: positionOf(12), owner: BOB }] },
    decided('not-canonical'),
  )
  const held = exitOf({ position: positionOf(12), owner: BOB })
  const thief = exitOf({ position: positionOf(13) })
  const { db, start, scene } = createScene({
    world: worldAt(MEP + 1),
    header: headerOf({ timestamp: START - 2 * MEP }),
    disputes: [
      canonical,
      refuted,
      disputeFactsOf({ txHash: hashOf(4), inputs: [{ position: positionOf(13) }] }, decided('not-canonical')),
    ],
    accounts: [accountOf()],
    exits: [
      factsOf(UNSPENT, held, shown(MADE_AT)),
      {
        ...factsOf(UNSPENT, disputedExitOf(0, { owner: ALICE }), postponed(9n * ETHER, ETHER)),
        dispute: { state: 'canonical' },
      },
      factsOf(spentFact(thief), thief, shown(SPEND), postponed(0n, ETHER)),
    ],
    readings: readingsOf({
      funded: new Map([[ETH, ETHER]]),
      queue: { oldHead: 9, oldTail: 9, youngFirst: 0, youngCursor: 0 },
    }),
  })
  const court = start()
  await court.tick()
  assert.equal(namesOf(db), ['dropRefuted', 'release', 'release', 'inherit'])
  const [drop, contested, bond, inherit] = listRows(db)
  assert.is((callOf(drop!).args as readonly unknown[])[1], BigInt(MADE_AT))
  const releaseArgs = (row: typeof drop) => callOf(row!).args as readonly unknown[]
  assert.is(releaseArgs(contested)[1], BigInt(SPEND))
  assert.is.not((releaseArgs(contested)[3] as { txHash: string }).txHash, ZERO_HASH)
  assert.is(releaseArgs(bond)[1], 0n)
  // A share is used once, ever: neither our success nor another's is undone by facts that can't show it.
  for (const status of ['confirmed', 'done-by-other'] as const) {
    saveRow(db, inherit!.id, { status })
    scene.world = worldAt(MEP + 40)
    await court.tick()
    scene.world = worldAt(MEP + 80)
    await court.tick()
    assert.is(listRows(db).filter(({ intent }) => intent.key.startsWith('inherit:')).length, 1)
    assert.is(listRows(db).find(({ id }) => id === inherit!.id)?.status, status)
  }
  saveRow(db, inherit!.id, { status: 'failed', words: 'NotCovered' })
  await court.tick()
  scene.world = worldAt(MEP + 100)
  await court.tick()
  assert.is(listRows(db).filter(({ intent }) => intent.key.startsWith('inherit:')).length, 2)
})

ofDisputes('tells of a dispute that it can’t read, and judges the others', async () => {
  const { db, start, raised, memory } = createScene({
    disputes: [attacked, contradicted],
    broken: attacked.dispute.txHash,
  })
  await start().tick()
  assert.equal(namesOf(db), ['showCompetitor'])
  assert.ok(raised.includes(`INTERNAL_FAULT ${attacked.dispute.txHash}`))
  assert.is(memory.of('court.dispute_unreadable').length, 1)
})

ofDisputes('looks closer only at disputes by which something may still happen', async () => {
  const old = (setup: Dispute0, verdict: 'canonical' | 'not-canonical') => disputeFactsOf(setup, decided(verdict))
  const looksAt = async (dispute: DisputeFacts, exits: readonly ExitFacts[] = []) => {
    const { start, scene } = createScene({
      disputes: [dispute],
      exits,
      accounts: [accountOf()],
      world: worldAt(20 * MEP),
    })
    await start().tick()
    return scene.disputeProofs
  }
  assert.is(await looksAt(disputeFactsOf()), 1)
  assert.is(await looksAt(old({}, 'canonical')), 0)
  assert.is(await looksAt(old({}, 'not-canonical')), 0)
  assert.is(await looksAt(old({}, 'not-canonical'), [factsOf(UNSPENT)]), 1)
  assert.is(await looksAt(old({ outputs: toAlice }, 'canonical')), 1)
  assert.is(await looksAt(old({ inputs: [{ owner: ALICE }] }, 'not-canonical')), 1)
  const ticket = exitOf({ owner: ALICE, position: positionOf(3) })
  assert.is(await looksAt(old({}, 'canonical'), [factsOf(UNSPENT, ticket, postponed(0n, 1n))]), 1)
  assert.is(
    await looksAt(old({ inputs: [{ token: TKN }] }, 'canonical'), [factsOf(UNSPENT, ticket, postponed(0n, 1n))]),
    0,
  )
})

ofDisputes('explains a dispute by its transaction, and nothing that it does not know', async () => {
  const { start, scene } = createScene({ disputes: [attacked] })
  const court = start()
  const explain = () => court.explain(attacked.dispute.txHash) as { phase: string; actions: { outbox: string }[] }
  assert.is(explain().phase, 'attacked')
  assert.is(explain().actions[0]?.outbox, 'not sent')
  await court.tick()
  assert.is(explain().actions[0]?.outbox, 'queued')
  scene.disputes = []
  assert.is(court.explain(attacked.dispute.txHash), undefined)
})

ofDisputes('says loudly when a piece of ours fails, and when the key is empty', async () => {
  const { db, start, raised } = createScene({ disputes: [attacked] })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'unfunded', words: '0 ETH' })
  await court.tick()
  assert.ok(raised.includes(`BUDGET_EXHAUSTED ${row!.intent.key}`))
  saveRow(db, row!.id, { status: 'failed', words: 'DisputeMismatch' })
  await court.tick()
  assert.ok(raised.includes(`CHALLENGE_FAILED ${row!.intent.key}`))
})

test.run()
ofDisputes.run()

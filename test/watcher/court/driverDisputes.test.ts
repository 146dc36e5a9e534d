/** The driver and disputes: pieces, verdicts, exits through a dispute and shares, each as a row of the outbox. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { ZERO_HASH } from '../../../protocol/bytes.ts'
import { retryable } from '../../../protocol/errors.ts'
import { createOutput } from '../../../protocol/transaction.ts'
import type { DisputeFacts, ExitFacts } from '../../../watcher/facts.ts'
import { callOf, createScene, SPEND } from './driverWorld.ts'
import {
  ALICE,
  accountOf,
  answered,
  BOB,
  type Dispute0,
  decided,
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
  placeAt,
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
  WATCHER,
  worldAt,
} from './world.ts'

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
    assert.is(callOf(show!).args?.[7], BigInt(positionOf(20)))
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
  assert.equal(namesOf(db), ['challengeByPlace'])
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

ofDisputes.run()

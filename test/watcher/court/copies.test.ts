/** What is done about an exit or a dispute that names an output in a block nobody can read (docs/honest-watcher.md, "Exits of others", "Disputes"). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listRows } from '../../../l1/outboxStore.ts'
import { ZERO_HASH } from '../../../protocol/bytes.ts'
import { outputIdAt } from '../../../protocol/position.ts'
import { NEW_DISPUTE, stepDispute } from '../../../watcher/court/dispute.ts'
import { firstEvidenceOf, foldRecord, piecesOf } from '../../../watcher/court/exitRecord.ts'
import { planQueue } from '../../../watcher/court/queueKeeper.ts'
import { NEW_CASE, stepExit } from '../../../watcher/court/standardExit.ts'
import type { Challenge, DropEvidence, ShowCompetitor, World } from '../../../watcher/court/types.ts'
import { type ExitRootEvent, foldExit } from '../../../watcher/exitBook.ts'
import type { CompetitorFact, MadeFact, OutputFact } from '../../../watcher/facts.ts'
import { callOf, createScene } from './driverWorld.ts'
import { tryPairs } from './rulePairs.ts'
import {
  ALICE,
  disputeFactsOf,
  dropped,
  ETH,
  ETHER,
  eventsOf,
  exitOf,
  factsOf,
  hashOf,
  headerOf,
  MADE_AT,
  MALLORY,
  MEP,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  recordOf,
  rival,
  START,
  shown,
  spendOf,
  T,
  UNSPENT,
  worldAt,
} from './world.ts'

/** Block 60 hides a copy of T, which block 30 holds; its output was spent in block 40. */
const HIDDEN = positionOf(60)
const SPEND = positionOf(40)
const copied = exitOf({ outputId: outputIdAt(HIDDEN, T), position: HIDDEN })
const made: MadeFact = { ...placeAt(), txHash: T }
const evidence = spendOf(exitOf({ position: MADE_AT }), { spend: SPEND })
const spent: OutputFact = { kind: 'spent', asOf: 50, evidence, made }
const input = { position: HIDDEN, madeBy: T, outputId: copied.outputId }
const rivalThere: CompetitorFact = { ...evidence, made: placeAt() }
const contradicted = disputeFactsOf({ inputs: [input], spends: [rivalThere] })
const terms = { key: 'k', purpose: 'p', notBefore: 0, budgetWei: 1n }

const test = suite('hidden copies in court')

const challenge: Challenge = {
  ...terms,
  type: 'challenge',
  deadline: START + MEP - MEP / 4,
  record: recordOf(copied),
  evidence,
  made,
}
const { made: _, ...withoutMade } = challenge
const names = (position: number) => ({ ...challenge, evidence: spendOf(exitOf({ position }), { spend: SPEND }) })
const early: Challenge = { ...challenge, evidence: { ...evidence, spend: positionOf(20) } }
const against = (place: number) => ({ ...challenge, record: recordOf(copied, shown(SPEND, MALLORY, place)) })
const dropOf = (place: number): DropEvidence => ({
  ...terms,
  type: 'drop-evidence',
  deadline: START + MEP,
  record: recordOf(exitOf({ owner: ALICE }), shown(positionOf(20), MALLORY, place)),
  spend: positionOf(20),
  place,
  holdsValid: true,
})
const competitor: ShowCompetitor = {
  ...terms,
  type: 'show-competitor',
  deadline: START + MEP / 2,
  record: contradicted,
  input: 0,
  evidence: rivalThere,
}
const { made: __, ...unmade } = rivalThere
const earlyRival: ShowCompetitor = { ...competitor, evidence: { ...rivalThere, spend: positionOf(20) } }

tryPairs(test, [
  ['SPEND-NAMES-THE-OUTPUT', withoutMade, worldAt(10), challenge],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, made: { ...made, txHash: hashOf(5) } }, worldAt(10), challenge],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, made: { ...made, position: positionOf(31) } }, worldAt(10), challenge],
  ['SPEND-NAMES-THE-OUTPUT', names(MADE_AT + 1), worldAt(10), names(MADE_AT)],
  // The contract takes what names the exit's own position as an ordinary challenge only.
  [
    'SPEND-NAMES-THE-OUTPUT',
    { ...challenge, record: recordOf({ ...copied, position: MADE_AT }) },
    worldAt(10),
    challenge,
  ],
  ['SPEND-IS-VERIFIED', early, worldAt(10, { verifiedBlock: 29 }), early, worldAt(10, { verifiedBlock: 30 })],
  ['SPEND-NOT-VOID', early, worldAt(10, { voidFrom: 30 }), early, worldAt(10, { voidFrom: 31 })],
  ['SPEND-NOT-VOID', challenge, worldAt(10, { disproved: new Set([MADE_AT]) }), challenge, worldAt(10)],
  ['EVIDENCE-IS-NEW', against(MADE_AT), worldAt(10), against(0)],
  ['EVIDENCE-IS-NEW', against(MADE_AT), worldAt(10), against(MADE_AT + 16)],
  ['DROP-ONLY-FALLEN', dropOf(MADE_AT), worldAt(10, { voidFrom: 31 }), dropOf(MADE_AT), worldAt(10, { voidFrom: 30 })],
  ['DROP-ONLY-FALLEN', dropOf(exitOf().position), worldAt(10, { disproved: new Set([exitOf().position]) })],
  ['COMPETITOR-SPENDS-AN-INPUT', { ...competitor, evidence: unmade }, worldAt(10), competitor],
  [
    'COMPETITOR-SPENDS-AN-INPUT',
    { ...competitor, record: disputeFactsOf({ inputs: [{ ...input, madeBy: hashOf(5) }] }) },
    worldAt(10),
    competitor,
  ],
  [
    'COMPETITOR-SPENDS-AN-INPUT',
    { ...competitor, evidence: { ...rivalThere, made: placeAt(positionOf(31)) } },
    worldAt(10),
    competitor,
  ],
  ['COMPETITOR-IS-VERIFIED', earlyRival, worldAt(10, { verifiedBlock: 29 }), earlyRival, worldAt(10)],
  ['COMPETITOR-NOT-VOID', earlyRival, worldAt(10, { voidFrom: 30 }), earlyRival, worldAt(10, { voidFrom: 31 })],
])

test('what was spent where another block holds it is challenged there', () => {
  const { next, effects } = stepExit(NEW_CASE, { facts: factsOf(spent, copied), world: worldAt(10) })
  assert.is(next, 'accused')
  const [action] = effects.filter(({ type }) => type === 'challenge') as Challenge[]
  assert.equal(action?.made, made)
  const answered = factsOf(spent, copied, shown(SPEND, MALLORY, MADE_AT))
  assert.is(stepExit(NEW_CASE, { facts: answered, world: worldAt(10) }).next, 'answered')
})

test('evidence that names another place fills no first slot, and goes by its place alone', () => {
  const events = eventsOf(shown(SPEND, ALICE, MADE_AT), shown(SPEND), dropped(SPEND, MADE_AT))
  assert.equal(piecesOf({ exit: copied, events }), [{ spend: SPEND, place: 0 }])
  assert.is(firstEvidenceOf(eventsOf(shown(SPEND, ALICE, MADE_AT))), 0)
  const others = eventsOf(shown(SPEND, ALICE, MADE_AT), shown(SPEND), dropped(SPEND, HIDDEN))
  assert.equal(piecesOf({ exit: copied, events: others }), [{ spend: SPEND, place: MADE_AT }])
  assert.equal(foldRecord(copied, others).evidence, [SPEND])
})

test('the books keep such evidence until its own place is told', () => {
  const at = { l1Block: 1, l1BlockHash: hashOf(1), l1Timestamp: 1, logIndex: 0, txHash: hashOf(2) }
  const { outputId } = copied
  const piece = (place: number) => ({
    type: 'EvidenceShown',
    outputId,
    spend: SPEND,
    place,
    challenger: ALICE,
    reward: 0n,
  })
  const fold = (...bodies: object[]) => {
    const all = [{ type: 'ExitStarted', exit: copied }, ...bodies]
    return foldExit(all.map((body, i) => ({ ...body, at: { ...at, logIndex: i } }) as ExitRootEvent)).evidence
  }
  const drop = (place: number) => ({ type: 'EvidenceDropped', outputId, spend: SPEND, place })
  assert.equal(fold(piece(MADE_AT), drop(0)), [SPEND])
  assert.equal(fold(piece(MADE_AT), drop(HIDDEN)), [SPEND])
  assert.equal(fold(piece(MADE_AT), drop(MADE_AT)), [])
  assert.equal(fold(piece(0), drop(MADE_AT)), [SPEND])
  assert.equal(fold(piece(0), drop(HIDDEN)), [])
})

test('such a piece against a valid exit is dropped once what it names has fallen, by that place', () => {
  const facts = factsOf(UNSPENT, exitOf({ owner: ALICE }), shown(positionOf(20), MALLORY, MADE_AT))
  const dropsIn = (world: World) =>
    stepExit(NEW_CASE, { facts, world }).effects.flatMap((effect) =>
      effect.type === 'drop-evidence' ? [effect.place] : [],
    )
  assert.equal(dropsIn(worldAt(10, { voidFrom: 31 })), [])
  assert.equal(dropsIn(worldAt(10, { voidFrom: 30 })), [MADE_AT])
})

test('after its turn the exit’s ticket is released with the place that the evidence names', () => {
  const ticket = factsOf(spent, copied, shown(SPEND, MALLORY, MADE_AT), postponed(0n, ETHER))
  const world = worldAt(MEP + 100, { policy: policyOf({ publicService: true }) })
  const effects = planQueue({
    records: [],
    openExits: [ticket],
    cancelled: [],
    headers: new Map([[40, headerOf({ timestamp: START - 2 * MEP })]]),
    doubted: new Set(),
    readings: readingsOf({ funded: new Map([[ETH, ETHER]]) }),
    world,
  })
  const told = effects.flatMap((effect) => (effect.type === 'release' ? [[effect.spend, effect.place]] : []))
  assert.equal(told, [[SPEND, MADE_AT]])
})

test('a dispute whose input was spent where another block holds it is contradicted, and its competitor carries that place', () => {
  const { next, effects } = stepDispute(NEW_DISPUTE, { facts: contradicted, isAtStake: false, world: worldAt(10) })
  assert.is(next, 'contradicted')
  const [action] = effects.filter(({ type }) => type === 'show-competitor') as ShowCompetitor[]
  assert.equal(action?.evidence.made, placeAt())
  const answered = disputeFactsOf({ inputs: [input], spends: [rivalThere] }, rival(SPEND))
  const world = worldAt(3 * MEP, { policy: policyOf({ publicService: true }) })
  const decided = stepDispute(NEW_DISPUTE, { facts: answered, isAtStake: true, world }).effects
  const [decide] = decided.flatMap((effect) => (effect.type === 'decide-dispute' ? [effect] : []))
  assert.equal([decide?.truth, decide?.byPieces], ['not-canonical', 'not-canonical'])
})

test('both are sent in the contract’s words', async () => {
  const { db, start } = createScene({ exits: [factsOf(spent, copied)], disputes: [contradicted] })
  await start().tick()
  const calls = listRows(db).map(callOf)
  const challenged = calls.find(({ functionName }) => functionName === 'challengeByPlace')
  assert.is(challenged?.args?.[1], T)
  assert.is((challenged?.args?.[2] as { position: bigint } | undefined)?.position, BigInt(MADE_AT))
  assert.is(challenged?.args?.[3], BigInt(SPEND))
  const told = calls.find(({ functionName }) => functionName === 'showCompetitor')
  assert.is((told?.args?.[6] as { position: bigint } | undefined)?.position, BigInt(MADE_AT))
  assert.is(told?.args?.[7], BigInt(SPEND))
  assert.is(copied.disputed, ZERO_HASH)
})

test.run()

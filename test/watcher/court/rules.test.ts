/** Each named rule by itself: an action that only this rule forbids, and its nearest neighbour that it allows. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as batchRules from '../../../watcher/court/batchRules.ts'
import {
  BREAK_RECEIPT_RULES,
  CHALLENGE_DATA_RULES,
  END_DATA_RULES,
  REVEAL_DATA_RULES,
} from '../../../watcher/court/dataRules.ts'
import { ANSWER_RULES, COMPETITOR_RULES, DECIDE_RULES, INHERIT_RULES } from '../../../watcher/court/disputeRules.ts'
import { ABANDON_RULES, PROOF_RULES } from '../../../watcher/court/faultRules.ts'
import { findBrokenRule, judge, RULES, renderRuleTable } from '../../../watcher/court/rules.ts'
import { START_DISPUTED_RULES } from '../../../watcher/court/startRules.ts'
import type {
  Challenge,
  DropEvidence,
  FreePlace,
  ProcessExits,
  Release,
  Settle,
  StartExit,
  Withdraw,
  World,
} from '../../../watcher/court/types.ts'
import { type RulePair, triedBy, tryPairs } from './rulePairs.ts'
import {
  ALICE,
  accountOf,
  BOB,
  decided,
  depositOf,
  disputedExitOf,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  GWEI,
  headerOf,
  MADE_AT,
  MALLORY,
  MEP,
  outputOf,
  ownSpend,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  recordOf,
  removed,
  rival,
  START,
  START_BLOCK,
  shown,
  spendOf,
  T,
  unsafeSince,
  withDisputes,
  worldAt,
} from './world.ts'

const SPEND = positionOf(20)
const terms = { key: 'k', purpose: 'p', notBefore: 0, deadline: START + MEP - MEP / 4, budgetWei: 1n }
const unsafe = worldAt(10, { safety: unsafeSince(30, START) })
const mature = worldAt(MEP + 1)
/** The invalid block spends what the tests take out. */
const invalidSince = (block: number, since: number) =>
  ({ ...unsafeSince(block, since), reason: 'invalid' }) as World['safety']
const spentThere = (elapsed: number) =>
  worldAt(elapsed, { safety: invalidSince(30, START), spentInFault: new Set([outputOf().position]) })

const challenge: Challenge = { ...terms, type: 'challenge', record: recordOf(), evidence: spendOf(exitOf()) }
const drop: DropEvidence = {
  ...terms,
  type: 'drop-evidence',
  record: recordOf(exitOf({ owner: ALICE }), shown(SPEND)),
  spend: SPEND,
  place: exitOf().position,
  holdsValid: true,
}
const voided = worldAt(10, { voidFrom: 20 })
const start: StartExit = {
  ...terms,
  type: 'start-exit',
  output: outputOf(),
  account: accountOf(),
  revoked: false,
  bondWei: 600_000n * GWEI,
  leastBondWei: 400_000n * GWEI,
  youngHint: 0,
  valueWei: ETHER,
  costWei: 200_000n * GWEI,
  baseFeeWei: GWEI,
  availableWei: ETHER,
}
const turns: ProcessExits = {
  ...terms,
  type: 'process-exits',
  count: 1,
  turns: { old: [], young: [], youngBlocks: [], evidenceBlocks: [] },
  firstTurnAt: START,
  helpsProtected: true,
  helpsDoubted: false,
  bountyWei: 10n,
  costWei: 10n,
}
const ticket = { from: 5n, due: 10n, inherited: 0n }
const settle: Settle = {
  ...terms,
  type: 'settle',
  record: recordOf(exitOf({ owner: ALICE }), postponed(5n, 10n)),
  ticket,
  fundedTo: 6n,
  helpsProtected: false,
}
const release: Release = {
  ...terms,
  type: 'release',
  record: recordOf(exitOf(), shown(SPEND), postponed(5n, 10n)),
  ticket,
  fundedTo: 5n,
  spend: SPEND,
  place: exitOf().position,
  header: headerOf({ timestamp: START }),
  bars: false,
  helpsProtected: true,
}
const freePlace: FreePlace = {
  ...terms,
  type: 'free-place',
  token: ETH,
  from: 5n,
  due: 10n,
  fundedTo: 5n,
  helpsProtected: true,
}
const withdraw: Withdraw = { ...terms, type: 'withdraw', token: ETH, account: ALICE, amount: 1n }
const withdrawing = worldAt(10, { policy: policyOf({ withdrawCredits: true }) })
const publicService = (world: World): World => ({ ...world, policy: { ...world.policy, publicService: true } })

/** T spends the output that `exitOf()` exits, and is in a verified block. */
const running = disputeFactsOf({ made: placeAt() })
const refuted = disputeFactsOf({ made: placeAt() }, decided('not-canonical'))
const canonical = disputeFactsOf({}, decided('canonical'))
const byT: Challenge = { ...challenge, evidence: ownSpend(running) }
const onTrial = withDisputes(worldAt(10), running)
const notOnTrial = withDisputes(worldAt(10), disputeFactsOf({ made: placeAt(), dispute: { suspends: 0 } }))
const afterRefuted = withDisputes(worldAt(10), refuted)

/** T's output 0 leaves through the dispute; it was spent where T is included. */
const disputedExit = disputedExitOf(0)
const place = MADE_AT
const throughDispute: Challenge = {
  ...challenge,
  record: recordOf(disputedExit),
  evidence: spendOf(exitOf({ position: place }), { spend: positionOf(40) }),
  made: { ...placeAt(), txHash: T },
}
const at = (spend: number, names: number) => spendOf(exitOf({ position: names }), { spend })
const dropRefuted: DropEvidence = {
  ...drop,
  record: recordOf(exitOf({ owner: BOB }), shown(MADE_AT)),
  spend: MADE_AT,
  refuted: { txHash: T, header: headerOf(), proof: placeAt().proof },
}
const heldBy = (world: World, ...bodies: Parameters<typeof disputeFactsOf>[1][]) =>
  withDisputes(world, disputeFactsOf({}, ...bodies))
const refutedTicket: Release = {
  ...release,
  record: recordOf(disputedExit, postponed(5n, 10n)),
  spend: 0,
  place: 0,
}

/** T is in block 29, which was committed then; its inputs are 500 s older than START. */
const madeStart = (timestamp: number): StartExit => ({
  ...start,
  output: outputOf({
    outputId: disputedExit.outputId,
    position: positionOf(29),
    shown: { transaction: running.signed.transaction, header: headerOf({ timestamp }), proof: placeAt().proof },
  }),
})
const earlier = withDisputes(unsafe, running)
const onlyFor = accountOf(ALICE, { position: positionOf(29) })

const ALICE_TX = `0x${'a1'.repeat(32)}` as const
const notSuspending = disputeFactsOf({ dispute: { suspends: 0 } })
const otherShown = { txHash: ALICE_TX, header: headerOf(), proof: placeAt().proof }

const rows: readonly RulePair[] = [
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, evidence: spendOf(exitOf({ position: 1_600 })) }, worldAt(10), challenge],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, evidence: spendOf(exitOf(), { input: 1 }) }, worldAt(10)],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, evidence: spendOf(exitOf(), { spend: SPEND + 1 }) }, worldAt(10)],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, evidence: spendOf(exitOf(), { spend: depositOf(20) }) }, worldAt(10)],
  ['SPEND-IS-VERIFIED', challenge, worldAt(10, { verifiedBlock: 19 }), challenge, worldAt(10, { verifiedBlock: 20 })],
  [
    'SPEND-BEFORE-LOCK',
    { ...challenge, evidence: spendOf(exitOf(), { header: headerOf({ anchor: START_BLOCK }) }) },
    worldAt(10),
    { ...challenge, evidence: spendOf(exitOf(), { header: headerOf({ anchor: START_BLOCK - 1 }) }) },
  ],
  ['SPEND-NOT-VOID', challenge, worldAt(10, { voidFrom: 20 }), challenge, worldAt(10, { voidFrom: 21 })],
  [
    'SPEND-NAMES-THE-OUTPUT',
    { ...throughDispute, evidence: at(positionOf(40), place + 1) },
    onTrial,
    throughDispute,
    onTrial,
  ],
  ['SPEND-NAMES-THE-OUTPUT', { ...throughDispute, evidence: at(positionOf(40), positionOf(31)) }, onTrial],
  ['SPEND-NAMES-THE-OUTPUT', { ...throughDispute, evidence: at(positionOf(40), disputedExit.position) }, onTrial],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, record: recordOf(disputedExit) }, onTrial],
  ['SPEND-NAMES-THE-OUTPUT', { ...challenge, evidence: spendOf(exitOf(), { input: 5 }) }, worldAt(10)],
  ['SPEND-NOT-REFUTED', byT, afterRefuted, challenge, afterRefuted],
  ['SPEND-NOT-REFUTED', throughDispute, afterRefuted, throughDispute, onTrial],
  ['SPEND-NOT-ON-TRIAL', byT, onTrial, byT, notOnTrial],
  ['SPEND-NOT-ON-TRIAL', byT, onTrial, challenge, onTrial],
  ['EXIT-IS-OPEN', { ...challenge, record: recordOf(exitOf(), paid(ETHER)) }, worldAt(10)],
  [
    'EXIT-IS-OPEN',
    { ...challenge, record: recordOf(exitOf(), removed('spent')) },
    worldAt(10),
    { ...challenge, record: recordOf(exitOf(), postponed(0n, ETHER)) },
  ],
  [
    'EVIDENCE-IS-NEW',
    { ...challenge, record: recordOf(exitOf(), shown(SPEND)) },
    worldAt(10),
    { ...challenge, record: recordOf(exitOf(), shown(SPEND + 16)) },
  ],
  [
    'EVIDENCE-IS-NEW',
    { ...throughDispute, record: recordOf(disputedExit, shown(positionOf(40), MALLORY, place)) },
    onTrial,
    { ...throughDispute, record: recordOf(disputedExit, shown(positionOf(40), MALLORY, place + 16)) },
  ],
  ['EVIDENCE-IN-TIME', challenge, worldAt(MEP - MEP / 4 + 1), challenge, worldAt(MEP - MEP / 4)],
  ['EVIDENCE-IN-TIME', { ...challenge, deadline: START + MEP }, worldAt(10)],
  ['DROP-ONLY-FALLEN', drop, worldAt(10), drop, voided],
  ['DROP-ONLY-FALLEN', { ...drop, spend: positionOf(40) }, voided],
  ['DROP-ONLY-FALLEN', dropRefuted, onTrial, dropRefuted, afterRefuted],
  [
    'DROP-ONLY-FALLEN',
    { ...drop, record: recordOf({ ...disputedExit, owner: ALICE }, shown(SPEND, MALLORY, place)), place },
    withDisputes(worldAt(10, { voidFrom: 31 }), running),
    { ...drop, record: recordOf({ ...disputedExit, owner: ALICE }, shown(SPEND, MALLORY, place)), place },
    withDisputes(worldAt(10, { voidFrom: 30 }), running),
  ],
  ['DROP-ONLY-FOR-VALID', { ...drop, holdsValid: false }, voided, drop, voided],
  ['DROP-ONLY-FOR-VALID', { ...drop, record: recordOf(exitOf({ owner: ALICE }), shown(SPEND), paid(ETHER)) }, voided],
  [
    'DROP-WITH-INTEREST',
    { ...drop, record: recordOf(exitOf({ owner: BOB }), shown(SPEND)) },
    voided,
    { ...drop, record: recordOf(exitOf({ owner: BOB }), shown(SPEND)) },
    publicService(voided),
  ],
  ['ONLY-WHEN-UNSAFE', start, worldAt(10), start, unsafe],
  ['ONLY-WHEN-UNSAFE', start, worldAt(10, { safety: unsafeSince(30, START, 'suspect') })],
  ['ONLY-WHEN-UNSAFE', start, worldAt(10, { safety: { status: 'safe', reason: 'catching-up' } })],
  ['ONLY-WHEN-UNSAFE', start, heldBy(worldAt(10)), start, heldBy(worldAt(10), rival(0))],
  ['ONLY-WHEN-UNSAFE', start, heldBy(worldAt(10)), start, heldBy(worldAt(10), decided('not-canonical'))],
  [
    'ONLY-WHEN-UNSAFE',
    start,
    heldBy(worldAt(10)),
    start,
    heldBy(worldAt(10, { safety: unsafeSince(30, START, 'suspect') })),
  ],
  [
    'OLDER-THAN-THE-FAULT',
    { ...start, output: outputOf({ position: positionOf(30) }) },
    unsafe,
    { ...start, output: outputOf({ position: positionOf(29) }) },
    unsafe,
  ],
  ['AFTER-THE-PROOF', start, spentThere(10), start, spentThere(MEP - 40)],
  ['AFTER-THE-PROOF', start, spentThere(10), start, worldAt(10, { safety: invalidSince(30, START) })],
  ['AFTER-THE-PROOF', start, spentThere(10), start, { ...spentThere(10), voidFrom: 30 }],
  ['NOT-EXITING', { ...start, output: outputOf({ exit: 'removed' }) }, unsafe, start, unsafe],
  ['NOT-PASSED-ON', start, withDisputes(unsafe, canonical), start, heldBy(unsafe)],
  [
    'MADE-ON-L1-TOO',
    { ...start, output: outputOf({ outputId: disputedExit.outputId, position: MADE_AT - 32 }) },
    withDisputes(unsafe, refuted),
    { ...start, output: outputOf({ outputId: disputedExit.outputId, position: MADE_AT - 32 }) },
    withDisputes(unsafe, running),
  ],
  ['BY-THE-EARLIER-PLACE', madeStart(START), earlier, madeStart(START - 480), earlier],
  ['BY-THE-EARLIER-PLACE', madeStart(START), earlier, { ...madeStart(START), account: onlyFor }, earlier],
  ['MANDATE-COVERS', { ...start, revoked: true }, unsafe, start, unsafe],
  ['MANDATE-COVERS', { ...start, account: accountOf(ALICE, { validUntil: START + 9 }) }, unsafe],
  ['MANDATE-COVERS', { ...start, account: accountOf(BOB) }, unsafe],
  ['MANDATE-COVERS', { ...start, account: accountOf(ALICE, { delegate: MALLORY }) }, unsafe],
  [
    'BOND-BY-FORMULA',
    { ...start, bondWei: 9_600_001n * GWEI },
    unsafe,
    { ...start, bondWei: 9_600_000n * GWEI },
    unsafe,
  ],
  [
    'BOND-AFFORDABLE',
    { ...start, availableWei: 799_999n * GWEI },
    unsafe,
    { ...start, availableWei: 800_000n * GWEI },
    unsafe,
  ],
  ['WORTH-ITS-COST', { ...start, valueWei: start.costWei }, unsafe, { ...start, valueWei: start.costWei + 1n }, unsafe],
  ['TURN-IS-DUE', turns, worldAt(0), turns, worldAt(1)],
  ['TURN-IS-DUE', { ...turns, count: 0 }, worldAt(1)],
  ['NO-TURN-FOR-A-THIEF', { ...turns, helpsDoubted: true }, worldAt(1), turns, worldAt(1)],
  [
    'WORTH-THE-TURN',
    { ...turns, helpsProtected: false },
    worldAt(1),
    { ...turns, helpsProtected: false },
    publicService(worldAt(1)),
  ],
  ['WORTH-THE-TURN', { ...turns, helpsProtected: false, bountyWei: 9n }, publicService(worldAt(1))],
  ['UNDER-THE-GAS-CAP', { ...turns, count: 98 }, worldAt(1), { ...turns, count: 97 }, worldAt(1)],
  ['SETTLE-ONLY-PAYABLE', settle, worldAt(MEP), settle, mature],
  ['SETTLE-ONLY-PAYABLE', { ...settle, fundedTo: 5n }, mature],
  [
    'SETTLE-ONLY-PAYABLE',
    { ...settle, record: recordOf(exitOf({ owner: ALICE }), shown(SPEND), postponed(5n, 10n)) },
    mature,
  ],
  ['SETTLE-ONLY-PAYABLE', settle, worldAt(MEP + 1, { voidFrom: 10 })],
  ['SETTLE-ONLY-PAYABLE', settle, worldAt(MEP + 1, { lastMove: START + 5 })],
  ['SETTLE-ONLY-PAYABLE', { ...settle, record: recordOf(exitOf({ owner: ALICE })) }, mature],
  ['SETTLE-ONLY-PAYABLE', settle, heldBy(mature), settle, heldBy(mature, decided('not-canonical'))],
  [
    'SETTLE-ONLY-PAYABLE',
    { ...settle, record: recordOf({ ...disputedExit, owner: ALICE }, postponed(5n, 10n)) },
    withDisputes(mature, refuted),
    { ...settle, record: recordOf({ ...disputedExit, owner: ALICE }, postponed(5n, 10n)) },
    withDisputes(mature, canonical),
  ],
  [
    'SETTLE-ONLY-PAYABLE',
    { ...settle, record: recordOf({ ...disputedExit, owner: ALICE }, postponed(5n, 10n)) },
    withDisputes(mature, running),
    { ...settle, fundedTo: 5n, ticket: { ...ticket, inherited: 10n } },
    mature,
  ],
  [
    'SETTLE-WITH-INTEREST',
    { ...settle, record: recordOf(exitOf({ owner: BOB }), postponed(5n, 10n)) },
    mature,
    { ...settle, record: recordOf(exitOf({ owner: BOB }), postponed(5n, 10n)), helpsProtected: true },
    mature,
  ],
  [
    'SETTLE-WITH-INTEREST',
    { ...settle, record: recordOf(exitOf({ owner: BOB }), postponed(5n, 10n)) },
    mature,
    settle,
    mature,
  ],
  ['RELEASE-OWED-TO-NOBODY', release, worldAt(MEP), release, mature],
  ['RELEASE-OWED-TO-NOBODY', { ...release, spend: positionOf(21) }, mature],
  ['RELEASE-OWED-TO-NOBODY', { ...release, record: recordOf(exitOf(), shown(SPEND)) }, mature],
  ['RELEASE-OWED-TO-NOBODY', release, worldAt(MEP + 1, { verifiedBlock: 19 })],
  ['RELEASE-OWED-TO-NOBODY', release, worldAt(MEP + 1, { voidFrom: 20 })],
  [
    'RELEASE-OWED-TO-NOBODY',
    { ...release, spend: 0 },
    mature,
    { ...release, spend: 0 },
    worldAt(MEP + 1, { voidFrom: 10 }),
  ],
  ['RELEASE-OWED-TO-NOBODY', release, heldBy(mature), release, withDisputes(mature, notSuspending)],
  [
    'RELEASE-OWED-TO-NOBODY',
    release,
    withDisputes(mature, refuted),
    { ...release, shown: otherShown },
    withDisputes(mature, refuted),
  ],
  ['RELEASE-OWED-TO-NOBODY', { ...release, shown: { ...otherShown, txHash: T } }, withDisputes(mature, refuted)],
  [
    'RELEASE-OWED-TO-NOBODY',
    refutedTicket,
    withDisputes(mature, canonical),
    refutedTicket,
    withDisputes(mature, refuted),
  ],
  [
    'RELEASE-OWED-TO-NOBODY',
    { ...release, place: positionOf(35) },
    worldAt(MEP + 1, { voidFrom: 34 }),
    { ...release, place: positionOf(35) },
    worldAt(MEP + 1, { voidFrom: 36 }),
  ],
  [
    'RELEASE-COVERED-OR-BARRING',
    { ...release, fundedTo: 4n },
    mature,
    { ...release, fundedTo: 4n, record: { ...release.record, state: 'cancelled-ticket' } },
    mature,
  ],
  ['RELEASE-COVERED-OR-BARRING', { ...release, fundedTo: 4n }, mature, release, mature],
  [
    'RELEASE-COVERED-OR-BARRING',
    { ...release, fundedTo: 4n },
    mature,
    { ...release, fundedTo: 4n, bars: true },
    mature,
  ],
  [
    'RELEASE-WITH-INTEREST',
    { ...release, helpsProtected: false },
    mature,
    { ...release, helpsProtected: false },
    publicService(mature),
  ],
  ['FREE-ONLY-COVERED', { ...freePlace, fundedTo: 4n }, worldAt(10), freePlace],
  ['FREE-WITH-INTEREST', { ...freePlace, helpsProtected: false }, worldAt(10), freePlace],
  ['WITHDRAW-FOR-PROTECTED', withdraw, worldAt(10), withdraw, withdrawing],
  ['WITHDRAW-FOR-PROTECTED', { ...withdraw, account: BOB }, withdrawing],
  ['WITHDRAW-FOR-PROTECTED', { ...withdraw, amount: 0n }, withdrawing],
]

const test = suite('rules')

tryPairs(test, rows)

test('every rule has such a pair', () => {
  const tried = triedBy(rows)
  // Those have their own file.
  const ofDisputes = [COMPETITOR_RULES, ANSWER_RULES, DECIDE_RULES, INHERIT_RULES, START_DISPUTED_RULES]
  for (const { id } of ofDisputes.flat()) tried.add(id)
  for (const { id } of [...PROOF_RULES, ...ABANDON_RULES]) tried.add(id)
  const ofData = [CHALLENGE_DATA_RULES, REVEAL_DATA_RULES, END_DATA_RULES, BREAK_RECEIPT_RULES]
  for (const { id } of ofData.flat()) tried.add(id)
  const ofBatches = Object.values(batchRules).flatMap((value) =>
    Array.isArray(value) ? (value as { id: string }[]) : [],
  )
  for (const { id } of ofBatches) tried.add(id)
  assert.equal(
    RULES.map(({ id }) => id).filter((id) => !tried.has(id)),
    [],
  )
})

test('deposits are never younger than the fault', () => {
  assert.is(findBrokenRule({ ...start, output: outputOf({ position: depositOf(40) }) }, unsafe), undefined)
})

test('the formula of bonds has a floor of one gwei', () => {
  assert.is(findBrokenRule({ ...start, bondWei: 9_600_000n * GWEI, baseFeeWei: 7n }, unsafe), undefined)
})

test('a refusal is silent where waiting is all there is to do, and told where a person can help', () => {
  assert.equal(judge(start, worldAt(10)), [])
  const told = judge({ ...start, revoked: true }, unsafe)
  assert.equal(
    told.map((effect) => effect.type === 'alert' && effect.code),
    ['PROTECTED_EXIT_BLOCKED'],
  )
  assert.equal(judge(start, unsafe), [start])
})

test('rules have one name each and all stand in the table', () => {
  const ids = RULES.map(({ id }) => id)
  assert.is(new Set(ids).size, ids.length)
  const rendered = renderRuleTable()
  for (const id of ids) assert.ok(rendered.includes(`\`${id}\``))
})

test('docs/honest-watcher.md shows the rules as they are', () => {
  const docs = readFileSync(new URL('../../../docs/honest-watcher.md', import.meta.url), 'utf8')
  assert.ok(docs.includes(renderRuleTable()), 'its table of rules must be what renderRuleTable() gives')
})

test.run()

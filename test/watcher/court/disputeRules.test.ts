/** Each rule about disputes by itself: an action that only this rule forbids, and its nearest neighbour that it allows. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOutput } from '../../../protocol/transaction.ts'
import { ANSWER_RULES, COMPETITOR_RULES, DECIDE_RULES, INHERIT_RULES } from '../../../watcher/court/disputeRules.ts'
import { START_DISPUTED_RULES } from '../../../watcher/court/startRules.ts'
import type {
  AnswerDispute,
  DecideDispute,
  Inherit,
  ShowCompetitor,
  StartDisputedExits,
  World,
} from '../../../watcher/court/types.ts'
import { type RulePair, triedBy, tryPairs } from './rulePairs.ts'
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
  GWEI,
  hashOf,
  headerOf,
  MADE_AT,
  MEP,
  ownSpend,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  recordOf,
  removed,
  rival,
  rivalSpend,
  START,
  START_BLOCK,
  shown,
  unsafeSince,
  withDisputes,
  worldAt,
} from './world.ts'

const terms = { key: 'k', purpose: 'p', notBefore: 0, budgetWei: 1n }
const SPEND = positionOf(20)
const service = (world: World): World => ({ ...world, policy: policyOf({ publicService: true }) })
type Bodies = Parameters<typeof disputeFactsOf>[1][]

function competitor(setup: Dispute0 = {}, changes: Partial<ShowCompetitor> = {}, ...bodies: Bodies): ShowCompetitor {
  return {
    ...terms,
    type: 'show-competitor',
    deadline: START + MEP / 2,
    record: disputeFactsOf({ spends: [rivalSpend()], ...setup }, ...bodies),
    input: 0,
    evidence: rivalSpend(),
    ...changes,
  }
}

function answer(changes: Partial<AnswerDispute> = {}, ...bodies: Bodies): AnswerDispute {
  return {
    ...terms,
    type: 'answer-dispute',
    deadline: START + MEP - MEP / 4,
    record: disputeFactsOf({ made: placeAt() }, ...(bodies.length > 0 ? bodies : [rival(0)])),
    place: placeAt(),
    ...changes,
  }
}

function decide(changes: Partial<DecideDispute> = {}, setup: Dispute0 = {}, ...bodies: Bodies): DecideDispute {
  return {
    ...terms,
    type: 'decide-dispute',
    deadline: START + 2 * MEP,
    record: disputeFactsOf(setup, ...bodies),
    competitors: [],
    answers: [],
    truth: undefined,
    byPieces: 'canonical',
    helpsOurs: true,
    ...changes,
  }
}

const toAlice = [createOutput(ALICE, ETH, ETHER)]

function start(setup: Dispute0 = {}, changes: Partial<StartDisputedExits> = {}, ...bodies: Bodies): StartDisputedExits {
  const record = disputeFactsOf({ outputs: toAlice, ...setup }, ...bodies)
  return {
    ...terms,
    type: 'start-disputed-exits',
    deadline: START + MEP,
    record,
    outputs: record.outputs,
    account: accountOf(),
    revoked: false,
    bondWei: 600_000n * GWEI,
    leastBondWei: 400_000n * GWEI,
    youngHint: 0,
    valueWei: ETHER,
    costWei: 200_000n * GWEI,
    baseFeeWei: GWEI,
    availableWei: ETHER,
    ...changes,
  }
}

const inputTicket = recordOf(exitOf(), postponed(0n, ETHER))
const outputTicket = recordOf(disputedExitOf(0, { owner: ALICE }), postponed(5n * ETHER, ETHER))
const canonical = disputeFactsOf(
  { outputs: toAlice, inputExits: [inputTicket], exits: [outputTicket] },
  decided('canonical'),
)

function inherit(changes: Partial<Inherit> = {}): Inherit {
  return {
    ...terms,
    type: 'inherit',
    deadline: START + 2 * MEP,
    record: canonical,
    input: 0,
    output: canonical.outputs[0]!,
    exit: outputTicket,
    share: { from: 0n, due: ETHER },
    fundedTo: ETHER,
    helpsProtected: true,
    ...changes,
  }
}

const mature = withDisputes(worldAt(MEP + 1), canonical)
const unsafe = worldAt(10, { safety: unsafeSince(40, START) })
const anchorAt = (anchor: number) => rivalSpend({ header: headerOf({ anchor }) })
const judged = (verdict: 'canonical' | 'not-canonical') =>
  withDisputes(worldAt(MEP + 1), disputeFactsOf({ txHash: hashOf(0x5000) }, decided(verdict)))
const makerRunsUntil = (elapsed: number, changes: Partial<World> = {}) =>
  withDisputes(worldAt(elapsed, changes), disputeFactsOf({ txHash: hashOf(0x5000) }))
const makerRuns = makerRunsUntil(MEP + 1)

const rows: readonly RulePair[] = [
  ['COMPETITOR-WHILE-IT-RUNS', competitor({}, {}, decided('canonical')), worldAt(10), competitor()],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({}, { evidence: rivalSpend({ input: 1 }) }), worldAt(10), competitor()],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({}, { input: 1 }), worldAt(10)],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({ inputs: [{ position: positionOf(11) }] }), worldAt(10)],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({}, { evidence: rivalSpend({ spend: SPEND + 1 }) }), worldAt(10)],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({}, { evidence: rivalSpend({ spend: depositOf(9) }) }), worldAt(10)],
  ['COMPETITOR-SPENDS-AN-INPUT', competitor({}, { evidence: ownSpend(disputeFactsOf()) }), worldAt(10)],
  [
    'COMPETITOR-IS-VERIFIED',
    competitor(),
    worldAt(10, { verifiedBlock: 19 }),
    competitor(),
    worldAt(10, { verifiedBlock: 20 }),
  ],
  [
    'COMPETITOR-BEFORE-LOCK',
    competitor({}, { evidence: anchorAt(START_BLOCK) }),
    worldAt(10),
    competitor({}, { evidence: anchorAt(START_BLOCK - 1) }),
  ],
  ['COMPETITOR-NOT-VOID', competitor(), worldAt(10, { voidFrom: 20 }), competitor(), worldAt(10, { voidFrom: 21 })],
  ['COMPETITOR-NOT-AGAINST-THE-INCLUDED', competitor({ made: placeAt() }), worldAt(10), competitor()],
  ['COMPETITOR-IS-NEW', competitor({}, {}, rival(SPEND)), worldAt(10), competitor({}, {}, rival(SPEND + 16), rival(0))],
  ['COMPETITOR-IN-TIME', competitor(), worldAt(MEP / 2 + 1), competitor(), worldAt(MEP / 2)],
  ['COMPETITOR-IN-TIME', competitor({}, { deadline: START + MEP / 2 + 1 }), worldAt(10)],

  ['ANSWER-WHILE-IT-RUNS', answer({}, rival(0), decided('not-canonical')), worldAt(10), answer()],
  ['ANSWER-IS-WANTED', answer({ record: disputeFactsOf({ made: placeAt() }) }), worldAt(10), answer()],
  ['ANSWER-IS-VERIFIED', answer(), worldAt(10, { verifiedBlock: 29 }), answer(), worldAt(10, { verifiedBlock: 30 })],
  [
    'ANSWER-BEFORE-LOCK',
    answer({ place: placeAt(MADE_AT, { anchor: START_BLOCK }) }),
    worldAt(10),
    answer({ place: placeAt(MADE_AT, { anchor: START_BLOCK - 1 }) }),
  ],
  ['ANSWER-NOT-VOID', answer(), worldAt(10, { voidFrom: 30 }), answer(), worldAt(10, { voidFrom: 31 })],
  ['ANSWER-IS-NEW', answer({}, rival(0), answered(MADE_AT)), worldAt(10), answer({}, rival(0), answered(MADE_AT - 16))],
  [
    'ANSWER-BEFORE-EVERY-COMPETITOR',
    answer({}, rival(MADE_AT - 16)),
    worldAt(10),
    answer({}, rival(MADE_AT + 16), rival(0)),
  ],
  [
    'ANSWER-BEFORE-EVERY-COMPETITOR',
    answer({ place: placeAt(positionOf(20)) }, rival(positionOf(19))),
    worldAt(10),
    answer({ place: placeAt(positionOf(20)) }, rival(positionOf(25))),
    worldAt(10, { voidFrom: 25 }),
  ],
  ['ANSWER-IN-TIME', answer(), worldAt(MEP - MEP / 4 + 1), answer(), worldAt(MEP - MEP / 4)],
  ['ANSWER-IN-TIME', answer({ deadline: START + MEP }), worldAt(10)],

  ['VERDICT-IS-DUE', decide(), worldAt(MEP), decide(), worldAt(MEP + 1)],
  ['VERDICT-IS-DUE', decide(), worldAt(MEP + 1, { lastMove: START + 5 })],
  ['VERDICT-IS-DUE', decide({}, {}, decided('canonical')), worldAt(MEP + 1)],
  ['MAKERS-ARE-JUDGED', decide(), makerRuns, decide(), judged('canonical')],
  ['MAKERS-ARE-JUDGED', decide(), makerRuns, decide({ byPieces: 'not-canonical' }), makerRuns],
  ['MAKERS-ARE-JUDGED', decide(), makerRunsUntil(3 * MEP), decide(), makerRunsUntil(3 * MEP + 1)],
  [
    'MAKERS-ARE-JUDGED',
    decide(),
    makerRunsUntil(3 * MEP + 1, { lastMove: START + 1 }),
    decide(),
    makerRunsUntil(3 * MEP + 2, { lastMove: START + 1 }),
  ],
  [
    'NO-HASTE-TO-A-FALSE-VERDICT',
    decide({ truth: 'not-canonical' }),
    worldAt(MEP + 1),
    decide({ truth: 'not-canonical', byPieces: 'not-canonical' }),
  ],
  ['NO-HASTE-TO-A-FALSE-VERDICT', decide({ truth: 'canonical', byPieces: 'not-canonical' }), worldAt(MEP + 1)],
  [
    'VERDICT-WITH-INTEREST',
    decide({ helpsOurs: false }),
    worldAt(MEP + 1),
    decide({ helpsOurs: false }),
    service(worldAt(MEP + 1)),
  ],

  ['DISPUTE-MAY-STILL-PAY', start({}, {}, decided('not-canonical')), worldAt(10), start({}, {}, decided('canonical'))],
  ['DISPUTE-MAY-STILL-PAY', start(), worldAt(10, { voidFrom: 10 }), start(), worldAt(10, { voidFrom: 11 })],
  ['DISPUTE-NOT-FALSE', start({ spends: [rivalSpend()] }), worldAt(10), start()],
  [
    'DISPUTE-NOT-FALSE',
    start({ spends: [rivalSpend()] }),
    worldAt(10),
    start({ spends: [rivalSpend()] }, {}, decided('canonical')),
  ],
  ['OUTPUT-NOT-EXITING', start({ exits: [outputTicket] }), worldAt(10), start()],
  ['OUTPUT-NOT-EXITING', start({}, { outputs: [] }), worldAt(10)],
  ['OUTPUT-NOT-SPENT', start({ spentBy: [positionOf(40)] }), worldAt(10), start()],
  [
    'BLOCKS-LOOKED-THROUGH',
    start(),
    worldAt(10, { newestBlock: 51 }),
    start(),
    worldAt(10, { newestBlock: 51, safety: unsafeSince(51, START, 'suspect') }),
  ],
  ['NO-BETTER-WAY-OUT', start({ made: placeAt() }), worldAt(10), start()],
  [
    'NO-BETTER-WAY-OUT',
    start({ made: placeAt() }),
    unsafe,
    start({ made: placeAt(MADE_AT, { timestamp: START }) }),
    unsafe,
  ],
  [
    'NO-BETTER-WAY-OUT',
    start({ made: placeAt(MADE_AT, { timestamp: START }) }, { account: accountOf(ALICE, { position: MADE_AT }) }),
    unsafe,
  ],
  ['DISPUTED-MANDATE-COVERS', start({}, { revoked: true }), worldAt(10), start()],
  ['DISPUTED-MANDATE-COVERS', start({}, { account: accountOf(ALICE, { position: MADE_AT }) }), worldAt(10)],
  ['DISPUTED-MANDATE-COVERS', start({}, { account: accountOf(ALICE, { minAmount: ETHER + 1n }) }), worldAt(10)],
  ['DISPUTED-MANDATE-COVERS', start({}, { account: accountOf(BOB) }), worldAt(10)],
  [
    'DISPUTED-BOND-BY-FORMULA',
    start({}, { bondWei: 9_600_001n * GWEI }),
    worldAt(10),
    start({}, { bondWei: 9_600_000n * GWEI }),
  ],
  [
    'DISPUTED-BOND-BY-FORMULA',
    start({ outputs: [...toAlice, ...toAlice] }, { bondWei: 19_200_001n * GWEI }),
    worldAt(10),
    start({ outputs: [...toAlice, ...toAlice] }, { bondWei: 19_200_000n * GWEI }),
  ],
  [
    'DISPUTED-BOND-AFFORDABLE',
    start({}, { availableWei: 799_999n * GWEI }),
    worldAt(10),
    start({}, { availableWei: 800_000n * GWEI }),
  ],
  [
    'DISPUTED-WORTH-ITS-COST',
    start({}, { valueWei: 200_000n * GWEI }),
    worldAt(10),
    start({}, { valueWei: undefined }),
  ],

  ['INHERIT-AFTER-THE-VERDICT', inherit({ record: disputeFactsOf() }), mature, inherit(), mature],
  ['INHERIT-AFTER-THE-VERDICT', inherit({ input: 1 }), mature],
  ['INHERIT-AFTER-THE-VERDICT', inherit(), worldAt(MEP + 1)],
  ['INHERIT-ONLY-PAYABLE', inherit({ fundedTo: ETHER - 1n }), mature, inherit(), mature],
  ['INHERIT-ONLY-PAYABLE', inherit(), withDisputes(worldAt(MEP), canonical)],
  ['INHERIT-ONLY-PAYABLE', inherit({ exit: recordOf(outputTicket.exit) }), mature],
  ['INHERIT-ONLY-PAYABLE', inherit({ exit: recordOf(outputTicket.exit, shown(SPEND), postponed(0n, ETHER)) }), mature],
  ['INHERIT-ONLY-PAYABLE', inherit(), withDisputes(worldAt(MEP + 1, { voidFrom: 10 }), canonical)],
  [
    'INHERIT-ONLY-PAYABLE',
    inherit(),
    withDisputes(
      worldAt(MEP + 1),
      canonical,
      disputeFactsOf({ txHash: hashOf(2), inputs: [{ outputId: outputTicket.exit.outputId }] }),
    ),
  ],
  [
    'INHERIT-ONLY-PAYABLE',
    inherit({ exit: recordOf(outputTicket.exit, paid(ETHER)), fundedTo: 0n, share: { from: 1n, due: 1n } }),
    mature,
    inherit({ exit: recordOf(outputTicket.exit, paid(ETHER)), fundedTo: 1n, share: { from: 1n, due: 1n } }),
    mature,
  ],
  [
    'INHERIT-ONLY-PAYABLE',
    inherit({ exit: recordOf(outputTicket.exit, removed('void')) }),
    mature,
    inherit({ exit: recordOf(outputTicket.exit, removed('spent')) }),
    mature,
  ],
  [
    'INHERIT-WITH-INTEREST',
    inherit({ helpsProtected: false }),
    mature,
    inherit({ helpsProtected: false }),
    service(mature),
  ],
]

const test = suite('rules about disputes')

tryPairs(test, rows)

test('every rule about disputes has such a pair', () => {
  const tried = triedBy(rows)
  const all = [COMPETITOR_RULES, ANSWER_RULES, DECIDE_RULES, INHERIT_RULES, START_DISPUTED_RULES]
  assert.equal(
    all
      .flat()
      .map(({ id }) => id)
      .filter((id) => !tried.has(id)),
    [],
  )
})

test.run()

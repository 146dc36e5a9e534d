/** What the honest watcher does about a dispute and when: pieces shown, the verdict asked for, inputs that come back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Hash } from '../../../protocol/bytes.ts'
import { createOutput } from '../../../protocol/transaction.ts'
import { furtherPieces } from '../../../watcher/court/disputeRecord.ts'
import { answerWindow, competitorWindow, maturesAt } from '../../../watcher/court/exitTime.ts'
import { PIECES_PER_CALL, UNLIMITED_WEI, urgentFrom } from '../../../watcher/court/policy.ts'
import type { AnswerDispute, DecideDispute, ShowCompetitor, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts } from '../../../watcher/facts.ts'
import { contradicted, due, included, look, OLDER, only, paidInput, SPEND, stakeOf, YOUNGER } from './disputeCases.ts'
import {
  ALICE,
  answered,
  BOB,
  type Dispute0,
  decided,
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
  policyOf,
  positionOf,
  recordOf,
  rival,
  rivalSpend,
  START,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

const service = { policy: policyOf({ publicService: true }) }
const pieces = suite('pieces of a dispute')

pieces('shows the oldest competitor that it knows, by E - MEP/2', () => {
  const inputs = [{}, { position: positionOf(11) }]
  const young = rivalSpend({ spend: YOUNGER })
  const old = rivalSpend({
    signed: { ...young.signed, transaction: { ...young.signed.transaction, inputs: [positionOf(11)] } },
  })
  const show: ShowCompetitor = only(disputeFactsOf({ inputs, spends: [young, old] }), 'show-competitor')
  assert.is(show.input, 1)
  assert.is(show.evidence.spend, SPEND)
  assert.is(show.deadline, START + MEP / 2)
})

pieces('never shows a transaction that is in no verified block', () => {
  for (const verifiedBlock of [0, 19])
    assert.equal(look(disputeFactsOf(contradicted), worldAt(10, { verifiedBlock })).actions, [])
})

pieces('says that something is wrong when verified blocks hold both the transaction and a rival', () => {
  const { actions, alerts } = look(disputeFactsOf({ ...included, ...contradicted }))
  assert.equal(actions, [])
  assert.ok(alerts.includes('INTERNAL_FAULT'))
})

pieces('reckons with the bond only for what was public before the start, and once', () => {
  const bond = 368_000n * 1_000n * GWEI
  const budget = (timestamp: number, ...bodies: Parameters<typeof disputeFactsOf>[1][]) => {
    const evidence = rivalSpend({ header: headerOf({ timestamp }) })
    const facts = disputeFactsOf({ spends: [evidence], dispute: { bond } }, ...bodies)
    return only(facts, 'show-competitor', worldAt(0)).budgetWei
  }
  const floor = policyOf().challengeFloorWei
  assert.is(budget(START - 60), 308_000n * 1_000n * GWEI)
  assert.is(budget(START - 59), floor)
  assert.is(budget(START - 60, rival(OLDER, { reward: GWEI })), floor)
})

pieces('knows no limit in the last quarter, for competitors and for answers', () => {
  const urgent = urgentFrom(competitorWindow(disputeFactsOf().dispute, worldAt(0))) - START
  assert.is(only(disputeFactsOf(contradicted), 'show-competitor', worldAt(urgent)).budgetWei, UNLIMITED_WEI)
  assert.is.not(only(disputeFactsOf(contradicted), 'show-competitor', worldAt(urgent - 1)).budgetWei, UNLIMITED_WEI)
  const attacked = disputeFactsOf(included, rival(0))
  const late = urgentFrom(answerWindow(attacked.dispute, worldAt(0))) - START
  assert.is(only(attacked, 'answer-dispute', worldAt(late)).budgetWei, UNLIMITED_WEI)
  assert.ok(late > MEP / 2 && MEP - MEP / 4 - late >= (3 * MEP) / 16, 'all of it is left after the last competitor')
})

pieces('waits a random time of its own: after the start, and after the competitor', () => {
  const txHash = `0x0000000a${'0'.repeat(56)}` as const
  const policy = policyOf({ staggerSeconds: 15 })
  const show = only(disputeFactsOf({ ...contradicted, txHash }), 'show-competitor', worldAt(10, { policy }))
  assert.is(show.notBefore, START + 10)
  const answer: AnswerDispute = only(
    disputeFactsOf({ ...included, txHash }, rival(0)),
    'answer-dispute',
    worldAt(12, { policy }),
  )
  assert.is(answer.notBefore, START + 1 + 10)
})

pieces('takes a move of the halt as the new clock', () => {
  const world = worldAt(MEP, { voidFrom: 40, lastMove: START + MEP })
  assert.is(only(disputeFactsOf(contradicted), 'show-competitor', world).deadline, START + 2 * MEP - MEP / 2)
  assert.is(only(disputeFactsOf(included, rival(0)), 'answer-dispute', world).deadline, START + 2 * MEP - MEP / 4)
})

pieces('names another act when an L1 reorg moves the dispute to another block', () => {
  const moved = disputeFactsOf({ ...contradicted, dispute: { startedAt: START + 1 } })
  assert.is.not(only(disputeFactsOf(contradicted), 'show-competitor').key, only(moved, 'show-competitor').key)
})

const verdicts = suite('asking for the verdict')
const forAlice = { outputs: [createOutput(ALICE, ETH, ETHER)] }

verdicts('asks after E, for what is ours or protected, and for strangers late and in public service only', () => {
  const decideOf = (setup: Dispute0, world: World, invalid?: ReadonlySet<Hash>) => {
    const facts = disputeFactsOf(setup)
    return look(facts, world, stakeOf(facts, world, invalid)).actions.map(
      (action) => (action as DecideDispute).helpsOurs,
    )
  }
  assert.equal(decideOf(forAlice, worldAt(MEP)), [])
  assert.equal(decideOf(forAlice, due), [true])
  assert.equal(decideOf({}, due), [])
  assert.equal(decideOf({}, worldAt(MEP + 1, service)), [false])
  assert.equal(decideOf({ inputs: [{ owner: ALICE }] }, due), [true])
  assert.equal(decideOf({ dispute: { starter: WATCHER } }, due), [true])
  assert.equal(decideOf({ inputExits: [recordOf(exitOf({ payer: WATCHER }))] }, due), [true])
  assert.equal(decideOf({ exits: [recordOf(disputedExitOf(0, { payer: WATCHER }))] }, due), [true])
  assert.equal(decideOf({ exits: [recordOf(disputedExitOf(0))] }, due, new Set([disputedExitOf(0).outputId])), [true])
  const strangers = only(disputeFactsOf(), 'decide-dispute', worldAt(MEP + 1, service))
  const ours = only(disputeFactsOf(forAlice), 'decide-dispute', due)
  assert.is(ours.notBefore, maturesAt(ours.record.dispute, due))
  assert.is(strangers.notBefore, ours.notBefore + due.parameters.reaction)
  assert.is(
    only(disputeFactsOf({ dispute: { starter: WATCHER, bond: 7n } }), 'decide-dispute', due).budgetWei,
    policyOf().keeperBudgetWei + 7n,
  )
})

verdicts('names the pieces after the first of each, each once, and leaves out what is in no block', () => {
  const facts = disputeFactsOf(
    { ...forAlice, ...included },
    rival(0),
    rival(YOUNGER),
    rival(YOUNGER + 16),
    rival(0),
    rival(YOUNGER + 32),
    answered(MADE_AT),
    answered(MADE_AT - 16),
    answered(MADE_AT - 16),
  )
  const { competitors, answers } = only(facts, 'decide-dispute', due)
  assert.equal(competitors, [YOUNGER + 16, YOUNGER + 32])
  assert.equal(answers, [MADE_AT - 16])
})

verdicts('takes several calls where the pieces do not fit one', () => {
  const many = Array.from({ length: PIECES_PER_CALL + 2 }, (_, i) => rival(positionOf(20, i)))
  const facts = disputeFactsOf(forAlice, ...many)
  const calls = look(facts, due).actions as DecideDispute[]
  assert.equal(
    calls.map(({ competitors }) => competitors.length),
    [PIECES_PER_CALL, 1],
  )
  assert.is(new Set(calls.map(({ key }) => key)).size, 2)
  assert.equal(
    calls.flatMap(({ competitors }) => competitors),
    furtherPieces(facts).competitors,
  )
})

verdicts('does not hasten a verdict that the verified blocks contradict', () => {
  assert.equal(look(disputeFactsOf({ ...forAlice, ...contradicted }), due).actions, [])
  assert.equal(look(disputeFactsOf({ ...forAlice, ...included }, rival(0)), due).actions, [])
  assert.is(look(disputeFactsOf({ ...forAlice, ...contradicted }, rival(SPEND)), due).actions.length, 1)
  assert.is(look(disputeFactsOf({ ...forAlice, ...included, ...paidInput }), due).actions.length, 1)
})

verdicts('waits while what made an input is on trial itself', () => {
  const maker = disputeFactsOf({ txHash: hashOf(0x5000), inputs: [{ position: positionOf(2) }] })
  assert.equal(look(disputeFactsOf(forAlice), withDisputes(due, maker)).actions, [])
})

const stranded = suite('inputs that a verdict gave back')

stranded('tells a protected owner whose input the books hold for spent that it can leave', () => {
  const setup = { ...included, inputs: [{ owner: ALICE }] }
  const told = (facts: DisputeFacts) => look(facts, due).alerts.filter((code) => code === 'DISPUTE_EXIT_AVAILABLE')
  assert.is(told(disputeFactsOf(setup, rival(0), decided('not-canonical'))).length, 1)
  const left = recordOf(exitOf({ owner: ALICE }))
  assert.is(told(disputeFactsOf({ ...setup, inputExits: [left] }, rival(0), decided('not-canonical'))).length, 0)
  assert.is(told(disputeFactsOf({ ...setup, made: undefined }, rival(0), decided('not-canonical'))).length, 0)
  assert.is(
    told(disputeFactsOf({ ...included, inputs: [{ owner: BOB }] }, rival(0), decided('not-canonical'))).length,
    0,
  )
  assert.is(told(disputeFactsOf(setup, decided('canonical'))).length, 0)
})

pieces.run()
verdicts.run()
stranded.run()

/** The case of one dispute, as a table: what a cheater shows, what is true, what is said, what is done (docs/honest-watcher.md). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOutput } from '../../../protocol/transaction.ts'
import { type DisputePhase, NEW_DISPUTE, stepDispute } from '../../../watcher/court/dispute.ts'
import { furtherPieces, refoldDispute, truthOf } from '../../../watcher/court/disputeRecord.ts'
import { answerWindow, competitorWindow, maturesAt } from '../../../watcher/court/exitTime.ts'
import { PIECES_PER_CALL, UNLIMITED_WEI, urgentFrom } from '../../../watcher/court/policy.ts'
import type { AnswerDispute, DecideDispute, Effect, ShowCompetitor, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts } from '../../../watcher/facts.ts'
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
  MALLORY,
  MEP,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  recordOf,
  rival,
  rivalSpend,
  START,
  T,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

const SPEND = positionOf(20)
/** In a block that we do not have: only the cheater knows it. */
const OLDER = positionOf(5)
const YOUNGER = positionOf(45)
const included: Dispute0 = { made: placeAt() }
const contradicted: Dispute0 = { spends: [rivalSpend()] }
const paidInput: Dispute0 = { inputExits: [recordOf(exitOf(), paid(ETHER))] }
const service = { policy: policyOf({ publicService: true }) }
const lateForRivals = worldAt(MEP / 2 + 1)
const lateForAnswers = worldAt(MEP - MEP / 4 + 1)
const due = worldAt(MEP + 1)

function look(facts: DisputeFacts, world: World = worldAt(10), invalidExits = new Set<`0x${string}`>()) {
  const { next, effects } = stepDispute(NEW_DISPUTE, { facts, invalidExits, world })
  const actions = effects.filter((effect) => effect.type !== 'alert')
  return { phase: next, effects, actions, alerts: codesOf(effects) }
}

function codesOf(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : []))
}

type Told = readonly string[]
const NOT_CANONICAL: Told = ['DISPUTE_NOT_CANONICAL']

const table: readonly (readonly [name: string, DisputePhase, DisputeFacts, World, act: string | undefined, Told])[] = [
  ['in no block, unchallenged', 'running', disputeFactsOf(), worldAt(10), undefined, []],
  [
    'an offer that was never included is shown',
    'rivalled',
    disputeFactsOf({}, rival(0)),
    worldAt(10),
    undefined,
    NOT_CANONICAL,
  ],
  [
    'a competitor in a block that we lack is shown',
    'rivalled',
    disputeFactsOf({}, rival(OLDER)),
    worldAt(10),
    undefined,
    NOT_CANONICAL,
  ],
  ['included, unchallenged', 'included', disputeFactsOf(included), worldAt(10), undefined, []],
  [
    'included, an offer is shown',
    'attacked',
    disputeFactsOf(included, rival(0)),
    worldAt(10),
    'answer-dispute',
    ['COMPETITOR_FALSE'],
  ],
  [
    'included, a younger competitor is shown',
    'attacked',
    disputeFactsOf(included, rival(YOUNGER)),
    worldAt(10),
    'answer-dispute',
    ['COMPETITOR_FALSE'],
  ],
  [
    'the same, last second',
    'attacked',
    disputeFactsOf(included, rival(0)),
    worldAt(MEP - MEP / 4),
    'answer-dispute',
    ['COMPETITOR_FALSE', 'COMPETITOR_UNANSWERED'],
  ],
  [
    'the same, one second later',
    'undefended',
    disputeFactsOf(included, rival(0)),
    lateForAnswers,
    undefined,
    ['COMPETITOR_FALSE', 'COMPETITOR_UNANSWERED'],
  ],
  [
    'included, an older competitor is shown',
    'undefended',
    disputeFactsOf(included, rival(OLDER)),
    worldAt(10),
    undefined,
    ['COMPETITOR_FALSE', 'COMPETITOR_UNANSWERED'],
  ],
  [
    'the same, that one falls with its block',
    'attacked',
    disputeFactsOf(
      { made: placeAt(positionOf(4)), dispute: { agePosition: positionOf(2) }, inputs: [{ position: positionOf(2) }] },
      rival(OLDER),
    ),
    worldAt(10, { voidFrom: 5 }),
    'answer-dispute',
    ['COMPETITOR_FALSE'],
  ],
  [
    'included, answered by us or another',
    'defended',
    disputeFactsOf(included, rival(0), answered(MADE_AT)),
    worldAt(10),
    undefined,
    [],
  ],
  [
    'included, answered with a place that may fall',
    'attacked',
    disputeFactsOf(included, rival(0), answered(OLDER)),
    worldAt(10),
    'answer-dispute',
    ['COMPETITOR_FALSE'],
  ],
  [
    'the same, too late for ours',
    'defended',
    disputeFactsOf(included, rival(0), answered(OLDER)),
    lateForAnswers,
    undefined,
    [],
  ],
  [
    'answered, and then an older one is shown',
    'undefended',
    disputeFactsOf(included, rival(0), answered(MADE_AT), rival(OLDER)),
    worldAt(10),
    undefined,
    ['COMPETITOR_FALSE', 'COMPETITOR_UNANSWERED'],
  ],
  [
    'an input was spent otherwise',
    'contradicted',
    disputeFactsOf(contradicted),
    worldAt(10),
    'show-competitor',
    NOT_CANONICAL,
  ],
  [
    'the same, an offer is shown already',
    'contradicted',
    disputeFactsOf(contradicted, rival(0)),
    worldAt(10),
    'show-competitor',
    NOT_CANONICAL,
  ],
  [
    'the same, another included one is shown',
    'contradicted',
    disputeFactsOf(contradicted, rival(OLDER)),
    worldAt(10),
    'show-competitor',
    NOT_CANONICAL,
  ],
  [
    'the same, last second',
    'contradicted',
    disputeFactsOf(contradicted),
    worldAt(MEP / 2),
    'show-competitor',
    ['DISPUTE_NOT_CANONICAL', 'DISPUTE_UNCHALLENGED'],
  ],
  [
    'the same, one second later',
    'missed',
    disputeFactsOf(contradicted),
    lateForRivals,
    undefined,
    ['DISPUTE_NOT_CANONICAL', 'DISPUTE_UNCHALLENGED'],
  ],
  [
    'too late for ours, another stands',
    'overruled',
    disputeFactsOf(contradicted, rival(OLDER)),
    lateForRivals,
    undefined,
    NOT_CANONICAL,
  ],
  [
    'our competitor stands',
    'overruled',
    disputeFactsOf(contradicted, rival(SPEND)),
    worldAt(10),
    undefined,
    NOT_CANONICAL,
  ],
  ['an input was paid', 'spoiled', disputeFactsOf(paidInput), worldAt(10), undefined, NOT_CANONICAL],
  [
    'an input was paid, and spent',
    'spoiled',
    disputeFactsOf({ ...paidInput, ...contradicted }),
    worldAt(10),
    undefined,
    NOT_CANONICAL,
  ],
  [
    'included, an input was paid, and a rival shown',
    'spoiled',
    disputeFactsOf({ ...paidInput, ...included }, rival(0)),
    worldAt(10),
    undefined,
    NOT_CANONICAL,
  ],
  ['an input is void', 'spoiled', disputeFactsOf(), worldAt(10, { voidFrom: 10 }), undefined, NOT_CANONICAL],
  ['judged canonical', 'closed-canonical', disputeFactsOf({}, decided('canonical')), due, undefined, []],
  [
    'included and judged canonical',
    'closed-canonical',
    disputeFactsOf(included, rival(0), answered(MADE_AT), decided('canonical')),
    due,
    undefined,
    [],
  ],
  [
    'judged not canonical',
    'closed-not-canonical',
    disputeFactsOf({}, rival(0), decided('not-canonical')),
    due,
    undefined,
    [],
  ],
  [
    'spent otherwise, judged not canonical',
    'closed-not-canonical',
    disputeFactsOf(contradicted, rival(SPEND), decided('not-canonical')),
    due,
    undefined,
    [],
  ],
  [
    'spent otherwise, judged canonical',
    'closed-unknown',
    disputeFactsOf(contradicted, decided('canonical')),
    due,
    undefined,
    ['DISPUTE_OUTCOME_UNKNOWN'],
  ],
  [
    'included, judged not canonical',
    'closed-unknown',
    disputeFactsOf(included, rival(0), decided('not-canonical')),
    due,
    undefined,
    ['DISPUTE_OUTCOME_UNKNOWN'],
  ],
]

const phases = suite('phase of a dispute')

for (const [name, phase, facts, world, act, told] of table) {
  phases(`${name}: ${phase}`, () => {
    const { phase: got, actions, alerts } = look(facts, world)
    assert.is(got, phase)
    assert.equal(
      actions.map(({ type }) => type),
      act ? [act] : [],
    )
    assert.equal(alerts, told)
  })
}

phases('does not depend on the phase before', () => {
  for (const [, , facts, world] of table) {
    for (const [, before] of table) {
      const input = { facts, invalidExits: new Set<`0x${string}`>(), world }
      assert.equal(stepDispute(before, input), stepDispute(NEW_DISPUTE, input))
    }
  }
  const nonsense = { ...disputeFactsOf(), state: 'nonsense' as 'running' }
  assert.is(look(nonsense).phase, 'running', 'only the events count')
})

phases('an input that was paid after the verdict does not excuse it', () => {
  const before = recordOf(exitOf(), paid(ETHER))
  const events = before.events.map((event) => ({ ...event, at: { ...event.at, l1Block: event.at.l1Block + 50 } }))
  const late = { ...before, events }
  const facts = (inputExits: DisputeFacts['inputExits']) =>
    disputeFactsOf({ ...included, inputExits }, rival(0), decided('not-canonical'))
  assert.is(look(facts([before]), due).phase, 'closed-not-canonical')
  assert.is(look(facts([late]), due).phase, 'closed-unknown')
})

phases('knows the other reasons why nothing can be canonical', () => {
  const other = disputeFactsOf({ txHash: hashOf(2) }, decided('canonical'))
  assert.is(look(disputeFactsOf(included), withDisputes(worldAt(10), other)).phase, 'spoiled')
  const own = disputeFactsOf(included, decided('canonical'))
  assert.is(look(own, withDisputes(due, own)).phase, 'closed-canonical')
  const maker = disputeFactsOf(
    { txHash: hashOf(0x5000), inputs: [{ position: positionOf(2) }] },
    decided('not-canonical'),
  )
  assert.is(look(disputeFactsOf(included), withDisputes(worldAt(10), maker)).phase, 'spoiled')
})

const pieces = suite('pieces of a dispute')

function only<A extends Effect['type']>(facts: DisputeFacts, type: A, world?: World): Extract<Effect, { type: A }> {
  const found = look(facts, world).actions.filter((action) => action.type === type)
  assert.is(found.length, 1)
  return found[0] as Extract<Effect, { type: A }>
}

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
  const decideOf = (setup: Dispute0, world: World, invalid = new Set<`0x${string}`>()) =>
    look(disputeFactsOf(setup), world, invalid).actions.map((action) => (action as DecideDispute).helpsOurs)
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

const promises = suite('promises about disputes')

const someBody = fc.oneof(
  fc.constantFrom(0, OLDER, SPEND, YOUNGER).map((position) => rival(position)),
  fc.constantFrom(OLDER, MADE_AT, YOUNGER).map(answered),
  fc.constantFrom(decided('canonical'), decided('not-canonical')),
)
const someTruth = fc.constantFrom<Dispute0>({}, included, contradicted, { ...included, ...contradicted })
const someSetup = fc
  .record({
    truth: someTruth,
    owner: fc.constantFrom(ALICE, MALLORY),
    isPaid: fc.boolean(),
    exit: fc.boolean(),
  })
  .map(
    ({ truth, owner, isPaid, exit }): Dispute0 => ({
      ...truth,
      inputs: [{ owner }],
      ...(isPaid ? paidInput : exit ? { inputExits: [recordOf(exitOf({ owner }), postponed(0n, ETHER))] } : {}),
    }),
  )
const someWorld = fc
  .record({
    elapsed: fc.integer({ min: 0, max: 2 * MEP }),
    verifiedBlock: fc.constantFrom(19, 30, 50),
    voidFrom: fc.constantFrom(0, 0, 20, 31),
    publicService: fc.boolean(),
  })
  .map(({ elapsed, publicService, ...changes }) =>
    worldAt(elapsed, { ...changes, policy: policyOf({ publicService }) }),
  )

promises('WATCH-1: never acts against a true dispute, never vouches for a false one, in no world', () => {
  fc.assert(
    fc.property(someSetup, fc.array(someBody, { maxLength: 6 }), someWorld, (setup, bodies, world) => {
      const facts = disputeFactsOf(setup, ...bodies)
      const { actions } = look(facts, world)
      for (const action of actions) {
        assert.is(facts.state, 'running')
        if (action.type === 'show-competitor') {
          assert.is(facts.made, undefined)
          assert.ok(setup.spends)
          assert.ok(world.verifiedBlock >= 20 && (world.voidFrom === 0 || world.voidFrom > 20))
          assert.ok(facts.competitors.every(({ position }) => position !== SPEND))
          assert.ok(world.now.timestamp <= competitorWindow(facts.dispute, world).until)
        } else if (action.type === 'answer-dispute') {
          assert.ok(facts.made && facts.competitors.length > 0)
          assert.ok((world.verifiedBlock >= 30 && world.voidFrom === 0) || world.voidFrom > 30)
          assert.ok(world.now.timestamp <= answerWindow(facts.dispute, world).until)
        } else {
          assert.is(action.type, 'decide-dispute')
          const { byPieces, record } = action as DecideDispute
          assert.ok(world.now.timestamp > maturesAt(facts.dispute, world))
          const truth = truthOf(record)
          if (byPieces === 'canonical') assert.is.not(truth, 'not-canonical')
        }
      }
      assert.is(new Set(actions.map(({ key }) => key)).size, actions.length)
    }),
    { numRuns: 3_000 },
  )
})

promises('events in any order, told any number of times, and after a reorg, make the same case', () => {
  fc.assert(
    fc.property(
      someSetup,
      fc.array(someBody, { maxLength: 6 }).chain((bodies) => {
        const { events } = disputeFactsOf({}, ...bodies)
        return fc.tuple(
          fc.constant(bodies),
          fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length }),
        )
      }),
      someWorld,
      (setup, [bodies, told], world) => {
        const facts = disputeFactsOf(setup, ...bodies)
        const heard = { ...facts, events: told, competitors: [], answers: [], state: 'canonical' as const }
        assert.equal(refoldDispute(heard), facts)
        assert.equal(look(heard, world), look(facts, world))
      },
    ),
  )
})

promises('one second online in the last quarter is enough, whatever L1 costs', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (isIncluded, when) => {
      const facts = isIncluded ? disputeFactsOf(included, rival(0)) : disputeFactsOf(contradicted)
      const window = (isIncluded ? answerWindow : competitorWindow)(facts.dispute, worldAt(0))
      const from = urgentFrom(window)
      const second = from + Math.floor(when * (window.until - from))
      const policy = policyOf({ staggerSeconds: 10, seed: `0xffffffff${'0'.repeat(56)}` })
      const [act] = look(facts, worldAt(second - START, { policy })).actions
      assert.ok(act && act.notBefore <= second && act.budgetWei === UNLIMITED_WEI)
    }),
  )
})

promises('keys of the same dispute are its own', () => {
  const one = only(disputeFactsOf(contradicted), 'show-competitor')
  const other = only(disputeFactsOf({ ...contradicted, txHash: hashOf(3) }), 'show-competitor')
  assert.is.not(one.key, other.key)
  assert.ok(one.purpose.includes(T))
})

phases.run()
pieces.run()
verdicts.run()
stranded.run()
promises.run()

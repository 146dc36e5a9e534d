/** The case of one dispute, as a table: what a cheater shows, what is true, what is said, what is done (docs/honest-watcher.md). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DisputePhase, NEW_DISPUTE, stepDispute } from '../../../watcher/court/dispute.ts'
import type { World } from '../../../watcher/court/types.ts'
import type { DisputeFacts } from '../../../watcher/facts.ts'
import { contradicted, due, included, look, OLDER, paidInput, SPEND, YOUNGER } from './disputeCases.ts'
import {
  answered,
  decided,
  disputeFactsOf,
  ETHER,
  exitOf,
  hashOf,
  MADE_AT,
  MEP,
  paid,
  placeAt,
  positionOf,
  recordOf,
  rival,
  withDisputes,
  worldAt,
} from './world.ts'

const lateForRivals = worldAt(MEP / 2 + 1)
const lateForAnswers = worldAt(MEP - MEP / 4 + 1)
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
      const input = { facts, isAtStake: true, world }
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

phases.run()

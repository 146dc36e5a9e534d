/** The case of one exit, as a table: what is known, what is said, what is done (docs/honest-watcher.md). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evidenceWindow } from '../../../watcher/court/exitTime.ts'
import { UNLIMITED_WEI, urgentFrom } from '../../../watcher/court/policy.ts'
import { type ExitPhase, isClosed, NEW_CASE, stepExit, verdictOf } from '../../../watcher/court/standardExit.ts'
import type { Challenge, DropEvidence, Effect, World } from '../../../watcher/court/types.ts'
import type { ExitFacts } from '../../../watcher/facts.ts'
import {
  ALICE,
  BOB,
  dropped,
  ETHER,
  exitOf,
  factsOf,
  GWEI,
  headerOf,
  MEP,
  paid,
  policyOf,
  positionOf,
  postponed,
  removed,
  START,
  START_BLOCK,
  shown,
  spendOf,
  spentFact,
  UNSPENT,
  unsafeSince,
  unverifiedFact,
  WATCHER,
  worldAt,
} from './world.ts'

const SPEND = positionOf(20)
const OTHER_SPEND = positionOf(48)

function look(facts: ExitFacts, world: World = worldAt(10)) {
  const { next, effects } = stepExit(NEW_CASE, { facts, world })
  return { next, effects, phase: next, actions: actionsOf(effects), alerts: alertsOf(effects) }
}

function actionsOf(effects: readonly Effect[]) {
  return effects.filter((effect) => effect.type !== 'alert')
}

function alertsOf(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : []))
}

function onlyChallenge(facts: ExitFacts, world?: World): Challenge {
  const { actions } = look(facts, world)
  assert.is(actions.length, 1)
  assert.is(actions[0]?.type, 'challenge')
  return actions[0] as Challenge
}

const phases = suite('phase of an exit')

const unspentEnd = worldAt(10, { verifiedAnchor: START_BLOCK })
const lateWorld = worldAt(MEP - MEP / 4 + 1)
const ahead = positionOf(60)
const behind = worldAt(10, { newestBlock: 70 })
const stuck = worldAt(10, { newestBlock: 70, safety: unsafeSince(51, START) })
const table: readonly (readonly [name: string, phase: ExitPhase, facts: ExitFacts, world: World])[] = [
  ['unspent, spends still possible', 'watching', factsOf(UNSPENT), worldAt(10)],
  ['unspent, a verified block has an anchor at the lock', 'cleared', factsOf(UNSPENT), unspentEnd],
  ['unspent, no block may be anchored before the lock any more', 'cleared', factsOf(UNSPENT), worldAt(23)],
  ['the same, one L1 block earlier', 'watching', factsOf(UNSPENT), worldAt(22)],
  ['the same, a block is not verified', 'watching', factsOf(UNSPENT), worldAt(23, { newestBlock: 51 })],
  ['unspent, strangers show evidence', 'disputed', factsOf(UNSPENT, exitOf(), shown(SPEND)), worldAt(10)],
  [
    'unspent, that evidence was dropped',
    'watching',
    factsOf(UNSPENT, exitOf(), shown(SPEND), dropped(SPEND)),
    worldAt(10),
  ],
  ['unspent, evidence in a block to come', 'watching', factsOf(UNSPENT, exitOf(), shown(ahead)), behind],
  ['unspent, evidence in a block that never came', 'disputed', factsOf(UNSPENT, exitOf(), shown(ahead)), stuck],
  ['removed by such a block', 'watching', factsOf(UNSPENT, exitOf(), shown(ahead), removed('spent')), behind],
  [
    'removed by one that never came',
    'closed-unknown',
    factsOf(UNSPENT, exitOf(), shown(ahead), removed('spent')),
    stuck,
  ],
  ['spent', 'accused', factsOf(spentFact()), worldAt(10)],
  ['spent, last second for evidence', 'accused', factsOf(spentFact()), worldAt(MEP - MEP / 4)],
  ['spent, one second later', 'missed', factsOf(spentFact()), lateWorld],
  ['spent, our piece stands', 'answered', factsOf(spentFact(), exitOf(), shown(SPEND)), worldAt(10)],
  ['spent, another piece stands', 'accused', factsOf(spentFact(), exitOf(), shown(OTHER_SPEND)), worldAt(10)],
  [
    'spent, our piece was dropped',
    'accused',
    factsOf(spentFact(), exitOf(), shown(SPEND), dropped(SPEND)),
    worldAt(10),
  ],
  ['spent, postponed', 'accused', factsOf(spentFact(), exitOf(), postponed(0n, ETHER)), worldAt(10)],
  ['not verified yet', 'watching', factsOf(unverifiedFact('pending')), worldAt(10)],
  ['its block is missing', 'suspect', factsOf(unverifiedFact('missing')), worldAt(10)],
  ['its block is invalid', 'suspect', factsOf(unverifiedFact('invalid')), worldAt(10)],
  ['its block is void', 'fallen', factsOf(unverifiedFact('void')), worldAt(10, { voidFrom: 10, lastMove: START })],
  [
    'its transaction was proven invalid',
    'fallen',
    factsOf(unverifiedFact('invalid')),
    worldAt(10, { disproved: new Set([exitOf().position]) }),
  ],
  [
    'another was proven invalid',
    'suspect',
    factsOf(unverifiedFact('invalid')),
    worldAt(10, { disproved: new Set([1]) }),
  ],
  ['its block stands on a missing one', 'suspect', factsOf(unverifiedFact('unverifiable')), worldAt(10)],
  ['something else stands there', 'suspect', factsOf({ kind: 'mismatch', asOf: 50, got: 'x', want: 'y' }), worldAt(10)],
  ['valid and paid', 'closed-paid', factsOf(UNSPENT, exitOf(), paid(ETHER)), worldAt(MEP)],
  [
    'valid, paid as a ticket',
    'closed-paid',
    factsOf(UNSPENT, exitOf(), postponed(5n, 9n), paid(4n), paid(5n)),
    worldAt(MEP),
  ],
  ['valid, part of a ticket paid', 'watching', factsOf(UNSPENT, exitOf(), postponed(5n, 9n), paid(4n)), worldAt(10)],
  ['spent and paid', 'closed-unknown', factsOf(spentFact(), exitOf(), paid(ETHER)), worldAt(MEP)],
  ['paid before we could check', 'watching', factsOf(unverifiedFact('pending'), exitOf(), paid(ETHER)), worldAt(MEP)],
  [
    'paid out of a missing block',
    'closed-unknown',
    factsOf(unverifiedFact('missing'), exitOf(), paid(ETHER)),
    worldAt(MEP),
  ],
  ['valid and removed', 'closed-unknown', factsOf(UNSPENT, exitOf(), shown(SPEND), removed('spent')), worldAt(MEP)],
  ['valid and removed as void', 'closed-unknown', factsOf(UNSPENT, exitOf(), removed('void')), worldAt(MEP)],
  ['removed, block void', 'closed-void', factsOf(unverifiedFact('invalid'), exitOf(), removed('void')), worldAt(MEP)],
  [
    'removed, transaction invalid',
    'closed-void',
    factsOf(unverifiedFact('invalid'), exitOf(), removed('invalid')),
    worldAt(MEP),
  ],
  [
    'removed as spent, block missing',
    'closed-by-another',
    factsOf(unverifiedFact('missing'), exitOf(), shown(1), removed('spent')),
    worldAt(MEP),
  ],
  [
    'spent, removed by our evidence',
    'closed-by-us',
    factsOf(spentFact(), exitOf(), shown(SPEND, WATCHER), removed('spent')),
    worldAt(MEP),
  ],
  [
    'spent, removed by another’s',
    'closed-by-another',
    factsOf(spentFact(), exitOf(), shown(SPEND), removed('spent')),
    worldAt(MEP),
  ],
  [
    'a mismatch that was paid',
    'closed-unknown',
    factsOf({ kind: 'mismatch', asOf: 50, got: 'x', want: 'y' }, exitOf(), paid(ETHER)),
    worldAt(MEP),
  ],
]

for (const [name, phase, facts, world] of table)
  phases(`${name}: ${phase}`, () => assert.is(look(facts, world).phase, phase))

phases('gives every phase a verdict, and calls closed what is closed', () => {
  const verdicts = {
    watching: 'valid',
    cleared: 'valid',
    suspect: 'suspect',
    disputed: 'valid',
    waiting: 'valid',
    fallen: 'invalid',
    refuted: 'invalid',
    'on-trial': 'invalid',
    'passed-on': 'invalid',
    'closed-by-verdict': 'invalid',
    accused: 'invalid',
    answered: 'invalid',
    missed: 'invalid',
    'closed-paid': 'valid',
    'closed-void': 'suspect',
    'closed-by-us': 'invalid',
    'closed-by-another': 'invalid',
    'closed-unknown': 'unknown',
  } as const satisfies Record<ExitPhase, string>
  for (const [phase, verdict] of Object.entries(verdicts)) {
    assert.is(verdictOf(phase as ExitPhase), verdict)
    assert.is(isClosed(phase as ExitPhase), phase.startsWith('closed'))
  }
  assert.throws(() => verdictOf('nonsense' as ExitPhase))
})

phases('does not depend on the phase before', () => {
  for (const [, , facts, world] of table) {
    for (const [, before] of table) {
      assert.equal(stepExit(before, { facts, world }), stepExit(NEW_CASE, { facts, world }))
    }
  }
})

const challenges = suite('challenges')

challenges('acts in the accused phase and in no other', () => {
  for (const [name, phase, facts, world] of table) {
    const { actions } = look(facts, world)
    assert.is(actions.length, phase === 'accused' ? 1 : 0, name)
  }
})

challenges('challenges a spent output with its spend, by the deadline of the ladder', () => {
  const challenge = onlyChallenge(factsOf(spentFact()))
  assert.is(challenge.evidence.spend, SPEND)
  assert.is(challenge.deadline, START + MEP - MEP / 4)
  assert.match(challenge.key, /^challenge:0x[0-9a-f]{64}:/)
})

challenges('adds the true spend when another piece stands, because that piece may fall', () => {
  const facts = factsOf(spentFact(), exitOf(), shown(OTHER_SPEND))
  assert.is(onlyChallenge(facts).evidence.spend, SPEND)
})

challenges('does not challenge with a spend anchored at the lock or later, and says that something is wrong', () => {
  for (const anchor of [START_BLOCK, START_BLOCK + 1]) {
    const { actions, alerts } = look(factsOf(spentFact(exitOf(), { header: headerOf({ anchor }) })))
    assert.equal(actions, [])
    assert.ok(alerts.includes('INTERNAL_FAULT'))
  }
  onlyChallenge(factsOf(spentFact(exitOf(), { header: headerOf({ anchor: START_BLOCK - 1 }) })))
})

challenges('does not challenge with a transaction that spends something else', () => {
  const exit = exitOf()
  const { actions, alerts } = look(factsOf(spentFact(exit, { signed: spendOf(exitOf({ position: 1600 })).signed })))
  assert.equal(actions, [])
  assert.ok(alerts.includes('INTERNAL_FAULT'))
})

challenges('does not challenge with a spend beyond the verified blocks, or in a void one', () => {
  assert.equal(look(factsOf(spentFact()), worldAt(10, { verifiedBlock: 19 })).actions, [])
  assert.equal(look(factsOf(spentFact()), worldAt(10, { voidFrom: 20 })).actions, [])
  onlyChallenge(factsOf(spentFact()), worldAt(10, { verifiedBlock: 20, voidFrom: 21 }))
})

challenges('takes a move of the halt as the new clock', () => {
  const world = worldAt(MEP, { voidFrom: 30, lastMove: START + MEP })
  assert.is(onlyChallenge(factsOf(spentFact()), world).deadline, START + 2 * MEP - MEP / 4)
})

challenges('names another act when an L1 reorg moves the exit to another block', () => {
  const before = onlyChallenge(factsOf(spentFact()))
  const moved = exitOf({ lockedAt: START_BLOCK + 1, startedAt: START + 1 })
  assert.is.not(onlyChallenge(factsOf(spentFact(moved), moved)).key, before.key)
})

challenges('starts with what the bond pays, doubles by quarters, and knows no limit in the last', () => {
  const exit = exitOf({ bond: 400_000n * 1_000n * GWEI })
  const budgets = [0, 45, 90, 135, 180].map(
    (elapsed) => onlyChallenge(factsOf(spentFact(exit), exit), worldAt(elapsed)).budgetWei,
  )
  const reward = 280_000n * 1_000n * GWEI
  assert.equal(budgets, [reward, 2n * reward, 4n * reward, UNLIMITED_WEI, UNLIMITED_WEI])
})

challenges('expects no reward once a challenger was paid', () => {
  const exit = exitOf({ bond: 400_000n * 1_000n * GWEI })
  const { budgetWei } = onlyChallenge(factsOf(spentFact(exit), exit, shown(OTHER_SPEND)), worldAt(0))
  assert.is(budgetWei, policyOf().challengeFloorWei)
})

challenges('waits a random time of its own, but never into the last quarter', () => {
  const facts = factsOf(spentFact(), exitOf({ outputId: `0x12345678${'0'.repeat(56)}` }))
  const seeds = Array.from(
    { length: 40 },
    (_, i) => `0x${(i * 2_654_435_761).toString(16).slice(-8).padStart(8, '0')}${'0'.repeat(56)}` as const,
  )
  const waits = seeds.map(
    (seed) => onlyChallenge(facts, worldAt(0, { policy: policyOf({ seed, staggerSeconds: 10 }) })).notBefore - START,
  )
  assert.ok(new Set(waits).size > 5)
  assert.ok(waits.every((wait) => wait >= 0 && wait <= 10))
  assert.ok(START + 10 < urgentFrom(evidenceWindow(facts.exit, worldAt(0))))
})

const drops = suite('dropping evidence')

drops('drops what fell with its void block, for a protected owner’s valid exit, and leaves what stands', () => {
  const exit = exitOf({ owner: ALICE })
  const facts = factsOf(UNSPENT, exit, shown(SPEND), shown(OTHER_SPEND))
  const { actions } = look(facts, worldAt(10, { voidFrom: 40, lastMove: START + 5 }))
  assert.equal(
    actions.map(({ type }) => type),
    ['drop-evidence'],
  )
  assert.is((actions[0] as DropEvidence).spend, OTHER_SPEND)
})

drops('does it for strangers in public service only', () => {
  const facts = factsOf(UNSPENT, exitOf({ owner: BOB }), shown(SPEND))
  assert.equal(look(facts, worldAt(10, { voidFrom: 20 })).actions, [])
  const publicService = worldAt(10, { voidFrom: 20, policy: policyOf({ publicService: true }) })
  assert.is(look(facts, publicService).actions.length, 1)
})

drops('does not clear the way for an exit that it cannot vouch for', () => {
  const facts = factsOf(unverifiedFact('missing'), exitOf({ owner: ALICE }), shown(SPEND))
  assert.equal(look(facts, worldAt(10, { voidFrom: 20 })).actions, [])
})

drops('leaves a closed exit alone', () => {
  const facts = factsOf(UNSPENT, exitOf({ owner: ALICE }), shown(SPEND), removed('spent'))
  assert.equal(look(facts, worldAt(10, { voidFrom: 20 })).actions, [])
})

const alerts = suite('alerts about exits')

alerts('warns of an invalid exit, and cries when it is unchallenged in the last quarter', () => {
  assert.equal(look(factsOf(spentFact())).alerts, ['INVALID_EXIT'])
  assert.equal(look(factsOf(spentFact()), worldAt(135)).alerts, ['INVALID_EXIT', 'EXIT_UNCHALLENGED'])
  assert.equal(look(factsOf(spentFact()), lateWorld).alerts, ['CHALLENGE_FAILED'])
})

alerts('cries when an invalid exit was paid, and about every other end that it can’t explain', () => {
  for (const [name, phase, facts, world] of table) {
    const told = look(facts, world).alerts
    const isTheft = facts.state === 'settled' && facts.output.kind === 'spent'
    assert.is(told.includes('INVALID_EXIT_PAID'), isTheft, name)
    const isOdd = phase === 'closed-unknown' || facts.output.kind === 'mismatch'
    assert.is(told.includes('EXIT_OUTCOME_UNKNOWN'), isOdd && !isTheft, name)
    const isBlind = phase === 'suspect' && facts.output.kind === 'unverified'
    assert.is(told.includes('EXIT_UNVERIFIABLE'), isBlind, name)
  }
})

alerts('is loud about an exit that is still not verified when its evidence is due', () => {
  assert.equal(look(factsOf(unverifiedFact('pending')), worldAt(134)).alerts, [])
  assert.equal(look(factsOf(unverifiedFact('pending')), worldAt(135)).alerts, ['EXIT_UNVERIFIABLE'])
})

alerts('says nothing about ends that are as they should be', () => {
  assert.equal(look(factsOf(spentFact(), exitOf(), shown(SPEND, WATCHER))).alerts, [])
  assert.equal(look(factsOf(spentFact(), exitOf(), shown(SPEND, WATCHER), removed('spent'))).alerts, [])
  assert.equal(look(factsOf(unverifiedFact('invalid'), exitOf(), removed('void'))).alerts, [])
  assert.equal(look(factsOf(UNSPENT, exitOf(), paid(ETHER))).alerts, [])
})

alerts('says when false evidence blocks a protected owner’s valid exit', () => {
  assert.equal(look(factsOf(UNSPENT, exitOf(), shown(SPEND))).alerts, [])
  assert.equal(look(factsOf(UNSPENT, exitOf({ owner: ALICE }), shown(SPEND))).alerts, ['PROTECTED_EXIT_BLOCKED'])
})

phases.run()
challenges.run()
drops.run()
alerts.run()

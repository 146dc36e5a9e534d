/** Margins and patience: arithmetic that is refused at start-up, and the ladder of budgets. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../../protocol/errors.ts'
import { PRESETS } from '../../../protocol/parameters.ts'
import { rollingDeadline } from '../../../watcher/court/exitTime.ts'
import {
  answerSeconds,
  answerWindowSeconds,
  assertMargins,
  delaysOf,
  findMarginProblems,
  type Margins,
  shortestChallengeWindow,
  shortestCompetitorWindow,
  urgentSeconds,
} from '../../../watcher/court/margins.ts'
import {
  budgetAt,
  defaultPolicy,
  staggerOf,
  UNLIMITED_WEI,
  urgentFrom,
  worthOf,
} from '../../../watcher/court/policy.ts'
import { defaultLimits } from '../../../watcher/safety.ts'
import { ETH, ETHER, hashOf, parameters, TKN, WATCHER } from './world.ts'

const margins: Margins = {
  parameters,
  delays: { confirmations: 2, pollSeconds: 2, bumpSeconds: 12 },
  staggerSeconds: 10,
  limits: defaultLimits(parameters),
}

const test = suite('margins')

test('every preset leaves room for an ordinary watcher', () => {
  for (const preset of Object.values(PRESETS)) {
    const { staggerSeconds } = defaultPolicy({ sender: WATCHER, seed: hashOf(1) }, preset)
    const delays = {
      confirmations: Math.min(12, preset.finalityBlocks),
      pollSeconds: preset.slot,
      bumpSeconds: 8 * preset.slot,
    }
    assert.equal(findMarginProblems({ parameters: preset, delays, staggerSeconds, limits: defaultLimits(preset) }), [])
  }
})

test('a watcher with the defaults fits every preset, one that sleeps for minutes fits no devnet', () => {
  for (const preset of Object.values(PRESETS)) {
    const { staggerSeconds } = defaultPolicy({ sender: WATCHER, seed: hashOf(1) }, preset)
    const problemsOf = (pollMs: number) =>
      findMarginProblems({
        parameters: preset,
        delays: delaysOf(preset, { confirmations: 6, pollMs }),
        staggerSeconds,
        limits: defaultLimits(preset),
      })
    assert.equal(problemsOf(2_000), [])
    assert.is(problemsOf(120_000).length > 0, preset === PRESETS.devnet)
  }
})

test('counts what an answer takes and what the shortest window leaves', () => {
  assert.is(answerSeconds(parameters, margins.delays), 6 + 2 + 12)
  assert.is(shortestChallengeWindow(parameters), 180 - 30 - 60)
  assert.is(urgentSeconds(parameters), 45)
  assert.is(shortestCompetitorWindow(parameters), 30)
  assert.is(answerWindowSeconds(parameters), 60)
})

test('refuses delays that do not fit, each by its own rule', () => {
  const rulesOf = (changes: Partial<Margins>) => findMarginProblems({ ...margins, ...changes }).map(({ rule }) => rule)
  const delays = (bumpSeconds: number) => ({ delays: { ...margins.delays, bumpSeconds } })
  assert.equal(rulesOf({}), [])
  const data = ['poll + bump <= time to demand hidden data', 'poll + bump <= time to reveal data']
  assert.equal(rulesOf(delays(13)), data)
  assert.equal(rulesOf(delays(22)), data)
  const competitor = 'finality + poll + bump <= shortest competitor window'
  const answer = 'finality + poll + bump < time for an answer'
  assert.equal(rulesOf(delays(23)), [competitor, ...data, 'finality + poll + bump <= REACTION'])
  assert.equal(rulesOf(delays(38)), [
    'finality + poll + bump <= last quarter of a challenge window',
    competitor,
    ...data,
    'finality + poll + bump <= REACTION',
  ])
  assert.equal(rulesOf({ staggerSeconds: 39 }), [])
  assert.equal(rulesOf({ staggerSeconds: 40 }), [answer])
  assert.equal(rulesOf({ staggerSeconds: 70 }), ['finality + poll + bump < shortest challenge window', answer])
  assert.equal(rulesOf({ staggerSeconds: 1.5 }), ['delays are whole numbers'])
  assert.equal(rulesOf({ delays: { ...margins.delays, pollSeconds: -1 } }), ['delays are whole numbers'])
  const grace = (graceSeconds: number) => ({ limits: { ...margins.limits, graceSeconds } })
  assert.equal(rulesOf(grace(219)), [])
  assert.equal(rulesOf(grace(220)), ['grace + finality + poll + bump < MEP'])
})

test('names all problems at once and in seconds when it refuses to start', () => {
  assertMargins(margins)
  try {
    assertMargins({ ...margins, delays: { ...margins.delays, bumpSeconds: 200 } })
    assert.unreachable()
  } catch (error) {
    assert.ok(isLifeboatError(error) && error.family === 'config' && error.code === 'MARGINS_IMPOSSIBLE')
    assert.match(error.message, 'REACTION')
    assert.match(error.message, '208 s')
    assert.match(error.message, 'shortest challenge window')
  }
})

const patience = suite('patience')

patience('a budget never falls, and has no limit in the last quarter and after it', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(10_000),
      fc.bigInt(1n, ETHER),
      fc.nat(30_000),
      fc.nat(30_000),
      (from, length, floor, a, b) => {
        const window = { from, until: from + length }
        const [early, late] = [Math.min(a, b), Math.max(a, b)]
        assert.ok(budgetAt(floor, window, early) <= budgetAt(floor, window, late))
        assert.ok(budgetAt(floor, window, early) >= floor)
        assert.is(budgetAt(floor, window, late) === UNLIMITED_WEI, late >= urgentFrom(window))
      },
    ),
  )
  assert.is(budgetAt(1n, { from: 10, until: 5 }, 0), 1n)
  assert.is(budgetAt(1n, { from: 10, until: 5 }, 5), UNLIMITED_WEI)
})

patience('a random delay is the watcher’s own, and the same after a restart', () => {
  const policy = { ...defaultPolicy({ sender: WATCHER, seed: `0x1234567${'0'.repeat(57)}` }, PRESETS.mainnet) }
  const subject = `0xfedcba98${'0'.repeat(56)}` as const
  assert.is(policy.staggerSeconds, 600)
  assert.is(staggerOf(policy, subject), staggerOf({ ...policy }, subject))
  assert.ok(staggerOf(policy, subject) <= 600)
  assert.is(staggerOf({ ...policy, staggerSeconds: 0 }, subject), 0)
})

patience('values what has a price, and nothing else', () => {
  const policy = defaultPolicy({ sender: WATCHER, seed: hashOf(1) }, parameters)
  assert.is(worthOf(policy, ETH, 7n), 7n)
  assert.is(worthOf(policy, TKN, 7n), undefined)
})

patience('a rolling deadline is never past, and stays the same for a whole period', () => {
  assert.equal(
    [0, 100, 101, 240, 340, 341].map((now) => rollingDeadline(100, 240, now)),
    [340, 340, 340, 340, 340, 580],
  )
})

test.run()
patience.run()

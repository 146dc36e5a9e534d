/** The arithmetic of silence: when a missing block means leaving, and that nothing else does. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PRESETS } from '../../protocol/parameters.ts'
import {
  defaultLimits,
  findLimitProblems,
  judgeMissing,
  lastSafeMoment,
  observeRound,
  orderDeadline,
  type Round,
  type SafetyLimits,
  type Silence,
  startSilence,
} from '../../watcher/safety.ts'

const test = suite('watcher: safety')
const P = PRESETS.mainnet
const LIMITS = defaultLimits(P)
const T = 1_000_000

function rounds(
  silence: Silence,
  count: number,
  gapSeconds: number,
  over: Partial<Round> = {},
  limits = LIMITS,
): Silence {
  let state = silence
  let at = (state.lastRoundAt ?? 0) || 1_000
  for (let i = 0; i < count; i++) {
    at += gapSeconds * 1_000
    state = observeRound(state, { at, askedEveryone: true, l1Fresh: true, ...over }, limits)
  }
  return state
}

function judge(silence: Silence, l1Seconds: number, limits: SafetyLimits = LIMITS) {
  return judgeMissing({ block: 5, timestamp: T, silence }, l1Seconds, P, limits)
}

test('calls no preset impossible with the default limits', () => {
  for (const preset of Object.values(PRESETS)) assert.equal(findLimitProblems(preset, defaultLimits(preset)), [])
})

test('leaves room to react and to confirm before the order is lost', () => {
  assert.is(orderDeadline(T, P), T + 7 * 86_400)
  assert.is(lastSafeMoment(T, P, LIMITS), T + 7 * 86_400 - 21 * 3_600 - 72 * 12)
})

test('the first round counts nothing: no restart is a silence', () => {
  assert.is(rounds(startSilence(5), 1, 9_999_999).observedSeconds, 0)
})

test('a hiccup is no suspicion', () => {
  assert.equal(judge(rounds(startSilence(5), 5, 10), T + 100), { status: 'safe', reason: 'catching-up' })
})

test('a minute of silence is suspect, the whole grace is unsafe', () => {
  const suspect = judge(rounds(startSilence(5), 8, 10), T + 100)
  assert.is(suspect.status, 'suspect')
  const silent = rounds(startSilence(5), Math.ceil(LIMITS.graceSeconds / 30) + 1, 30)
  assert.is(judge(silent, T + 100).status, 'unsafe')
})

test('silence that nobody attended adds nothing: gaps, stale L1, peers not asked', () => {
  const before = rounds(startSilence(5), 3, 10)
  assert.is(rounds(before, 1, LIMITS.maximumGapSeconds + 1).observedSeconds, 20)
  assert.is(rounds(before, 1, 10, { l1Fresh: false }).observedSeconds, 20)
  assert.is(rounds(before, 1, 10, { askedEveryone: false }).observedSeconds, 20)
})

test('a broken stretch starts anew: the round after it counts nothing', () => {
  const broken = rounds(rounds(startSilence(5), 3, 10), 1, 10, { l1Fresh: false })
  assert.is(rounds(broken, 1, 10).observedSeconds, 20)
})

test('a clock set back or forward adds nothing', () => {
  const before = rounds(startSilence(5), 3, 10)
  assert.is(rounds(before, 1, -3_600).observedSeconds, 20)
  assert.is(rounds(before, 1, 86_400).observedSeconds, 20)
})

test('what earlier runs heard never decides without a round of this run', () => {
  const after = startSilence(5, LIMITS.graceSeconds + 1)
  assert.is(judge(after, T + 100).status, 'suspect')
  assert.is(judge(rounds(after, 1, 10), T + 100).status, 'unsafe')
})

test('close to the last safe moment the least observation is enough', () => {
  const short = rounds(startSilence(5), Math.ceil(LIMITS.minimumObservedSeconds / 30) + 1, 30)
  const last = lastSafeMoment(T, P, LIMITS)
  assert.is(judge(short, last - 1).status, 'suspect')
  assert.is(judge(short, last).status, 'unsafe')
})

test('once the order is lost only the whole grace counts: a restart after weeks triggers nothing', () => {
  const short = rounds(startSilence(5), Math.ceil(LIMITS.minimumObservedSeconds / 30) + 1, 30)
  assert.is(judge(short, orderDeadline(T, P) + 1).status, 'suspect')
})

test('a watcher that listens all the time decides before the order is lost, whatever the preset', () => {
  for (const parameters of Object.values(PRESETS)) {
    const limits = defaultLimits(parameters)
    let silence = startSilence(5)
    const gap = Math.min(10, limits.maximumGapSeconds)
    for (let t = T; ; t += gap) {
      silence = observeRound(silence, { at: t * 1_000, askedEveryone: true, l1Fresh: true }, limits)
      const verdict = judgeMissing({ block: 5, timestamp: T, silence }, t, parameters, limits)
      if (verdict.status === 'unsafe') {
        assert.ok(t < lastSafeMoment(T, parameters, limits), `${t}`)
        break
      }
    }
  }
})

test('refuses a grace beyond the last safe moment, and margins that leave no moment at all', () => {
  const late = { ...LIMITS, graceSeconds: P.minExitPeriod }
  assert.match(findLimitProblems(P, late).join(), /grace: got 604800 s/)
  const none = { ...LIMITS, confirmationMarginSeconds: P.minExitPeriod }
  assert.match(findLimitProblems(P, none).join(), /margins/)
})

test('never counts more silence than time that passed while it listened (random)', () => {
  const round = fc.record({
    gap: fc.integer({ min: -100, max: 100 }),
    askedEveryone: fc.boolean(),
    l1Fresh: fc.boolean(),
    restart: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(round, { maxLength: 60 }), (list) => {
      let silence = startSilence(5)
      let at = 1_000_000
      let listened = 0
      let wasListening = false
      for (const { gap, askedEveryone, l1Fresh, restart } of list) {
        at += gap * 1_000
        if (restart) silence = startSilence(5, silence.observedSeconds)
        const listens = askedEveryone && l1Fresh
        if (listens && wasListening && !restart && gap > 0 && gap <= LIMITS.maximumGapSeconds) listened += gap
        wasListening = listens
        silence = observeRound(silence, { at, askedEveryone, l1Fresh }, LIMITS)
        assert.is(silence.observedSeconds, listened)
      }
    }),
    { verbose: true },
  )
})

test.run()

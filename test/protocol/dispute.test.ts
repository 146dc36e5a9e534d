/** The arithmetic of disputes (spec 6.3): age, ladder, verdict, bond. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerDeadline,
  competitorDeadline,
  disputeAge,
  disputeBond,
  disputeBondGas,
  disputeMaturity,
  type InputState,
  judgeDispute,
  type Piece,
  suspensionDeadline,
  wasPublic,
} from '../../protocol/dispute.ts'
import { maturityOf } from '../../protocol/exit.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import { checkProperty, printSeed } from './random.ts'

const test = suite('disputes')
printSeed('disputes')

const payment = (block: number) => encodePosition({ block, index: 3, output: 1 })
const deposit = (block: number) => encodePosition({ block, index: DEPOSIT_INDEX, output: 0 })

test('the age is that of the youngest payment, even if a deposit is younger (C6)', () => {
  const inputs = [
    { position: payment(2), blockTime: 200 },
    { position: payment(4), blockTime: 400 },
    { position: deposit(9) },
  ]
  assert.equal(disputeAge(inputs), { agePosition: payment(4), ageTime: 400 })
  assert.equal(disputeAge([{ position: deposit(1) }, { position: deposit(9) }]), {
    agePosition: deposit(9),
    ageTime: 0,
  })
})

test('an exit through a dispute never matures before the verdict, and has the whole window of 10.1 for evidence (H-A)', () => {
  const times = fc.record({ ageTime: fc.nat(10 ** 9), startedAt: fc.nat(10 ** 9), wait: fc.nat(10 ** 7) })
  for (const {
    minExitPeriod,
    anchorAgeBlocks,
    slot,
    dataChallengePeriod,
    dataResponsePeriod,
    reaction,
  } of Object.values(PRESETS)) {
    const window = anchorAgeBlocks * slot + dataChallengePeriod + dataResponsePeriod + reaction
    checkProperty(times, ({ ageTime, startedAt, wait }) => {
      const e = disputeMaturity(startedAt, minExitPeriod, ageTime)
      const lockedAt = startedAt + wait
      const { exitableAt } = maturityOf(lockedAt, minExitPeriod, ageTime === 0 ? undefined : ageTime)
      assert.ok(exitableAt >= e)
      assert.ok(answerDeadline(exitableAt, minExitPeriod) - lockedAt >= window)
      assert.ok(competitorDeadline(e, minExitPeriod) - startedAt >= window, 'all that was hidden can be shown (C5)')
    })
  }
})

test('the ladder is counted back from the verdict, and from a move of the halt if that is later', () => {
  assert.is(competitorDeadline(1_000, 240), 880)
  assert.is(answerDeadline(1_000, 240), 940)
  assert.is(suspensionDeadline(1_000, 240), 940)
  assert.is(competitorDeadline(1_000, 240, 900), 1_020)
  assert.is(answerDeadline(1_000, 241, 900), 1_081)
})

const free: readonly InputState[] = ['free']
const at = (position: number, stands = true): Piece => ({ position, stands })

test('a dispute that nobody contests is canonical if its inputs are there', () => {
  assert.is(judgeDispute({ inputs: free, competitors: [], answers: [] }), 'canonical')
  for (const state of ['void', 'invalid', 'paid', 'passed-on'] as const) {
    assert.is(judgeDispute({ inputs: [...free, state], competitors: [], answers: [at(16)] }), 'not-canonical')
  }
})

test('any competitor wants an answer, also one that fell', () => {
  for (const competitor of [at(0), at(32), at(32, false)]) {
    assert.is(judgeDispute({ inputs: free, competitors: [competitor], answers: [] }), 'not-canonical')
    assert.is(judgeDispute({ inputs: free, competitors: [competitor], answers: [at(16, false)] }), 'not-canonical')
    assert.is(judgeDispute({ inputs: free, competitors: [competitor], answers: [at(16)] }), 'canonical')
  }
  assert.is(judgeDispute({ inputs: free, competitors: [at(32)], answers: [at(48)] }), 'not-canonical')
})

test('what fell changes nothing, in whatever order pieces come (H-C, C3)', () => {
  const piece = fc.record({ position: fc.nat(20).map((n) => n * 16), stands: fc.boolean() }, { noNullPrototype: true })
  const pieces = fc.record({ competitors: fc.array(piece), answers: fc.array(piece) }, { noNullPrototype: true })
  checkProperty(pieces, ({ competitors, answers }) => {
    const verdict = judgeDispute({ inputs: free, competitors, answers })
    assert.is(
      judgeDispute({ inputs: free, competitors: competitors.toReversed(), answers: answers.toReversed() }),
      verdict,
    )
    const withoutFallen = answers.filter(({ stands }) => stands)
    assert.is(judgeDispute({ inputs: free, competitors, answers: withoutFallen }), verdict)
    const fallen = competitors.map((one) => (one.stands ? one : at(0)))
    assert.is(judgeDispute({ inputs: free, competitors: fallen, answers }), verdict, 'it counts as not included')
  })
})

test('the bond falls to what the starter could have known, to the second (M1)', () => {
  assert.ok(wasPublic(100, 160, 60))
  assert.not(wasPublic(101, 160, 60))
})

test('the bond follows the fee and the number of inputs', () => {
  const fees = { slowFeeGwei: 0n, elapsedSeconds: 0n, baseFeeWei: 3n * 10n ** 9n }
  assert.is(disputeBond(2, fees), 376_000n * 3n * 10n ** 9n)
  const { challenger, burnt } = disputeBondGas(16)
  assert.is(disputeBond(16, fees), (challenger + burnt) * 3n * 10n ** 9n)
})

test.run()

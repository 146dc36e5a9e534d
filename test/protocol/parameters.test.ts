/** The windows of a deployment (docs/spec.md section 10). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assertParameters, findParameterProblems, type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { refusal } from './faults.ts'

const test = suite('parameters')

const rules = (parameters: Parameters) => findParameterProblems(parameters).map(({ rule }) => rule)
const base = PRESETS.mainnet
const mep = base.minExitPeriod

test('every preset is possible', () => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    assert.equal(findParameterProblems(preset), [], name)
    assertParameters(preset)
  }
})

/** Each breaks one rule by the least amount; its partner is the last value that holds. */
const EDGES: readonly (readonly [rule: string, broken: Partial<Parameters>, holds: Partial<Parameters>])[] = [
  [
    'DC + DR <= MEP / 4',
    { dataChallengePeriod: mep / 8 + 1, dataResponsePeriod: mep / 8 },
    { dataChallengePeriod: mep / 8, dataResponsePeriod: mep / 8 },
  ],
  ['REACTION <= DC, DR', { reaction: mep / 8 + 1 }, { reaction: mep / 8 }],
  ['ANCHOR_AGE * slot * 4/3 <= MEP / 8', { anchorAgeBlocks: 4_726 }, { anchorAgeBlocks: 4_725 }],
  ['ANCHOR_AGE <= 6000', { anchorAgeBlocks: 6_001, slot: 8 }, { anchorAgeBlocks: 6_000, slot: 8 }],
  [
    'ANCHOR_AGE * slot >= finality + block interval + submission margin',
    { submissionMargin: 4_500 * 12 - 64 * 12 - 3_600 + 1 },
    { submissionMargin: 4_500 * 12 - 64 * 12 - 3_600 },
  ],
  ['periods < 2^32', { abandonPeriod: 2 ** 32 }, { abandonPeriod: 2 ** 32 - 1 }],
  ['ABANDON_PERIOD >= MEP', { abandonPeriod: mep - 1 }, { abandonPeriod: mep }],
  ['MAX_BLOCK_TXS <= 2^16', { maxBlockTxs: 2 ** 16 + 1 }, { maxBlockTxs: 2 ** 16 }],
  ['operator bond < 2^48 gwei', { operatorBondGwei: 2 ** 48 }, { operatorBondGwei: 2 ** 48 - 1 }],
]

test('each rule broken alone is reported alone, and holds at its edge', () => {
  for (const [rule, broken, holds] of EDGES) {
    assert.equal(rules({ ...base, ...broken }), [rule])
    assert.equal(rules({ ...base, ...holds }), [], rule)
  }
})

test('every number must be a positive integer', () => {
  for (const key of Object.keys(base)) {
    for (const value of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
      assert.ok(rules({ ...base, [key]: value }).includes('positive'), `${key} = ${value}`)
    }
  }
})

test('all problems are reported at once, with what was got and wanted', () => {
  const worst: Parameters = {
    minExitPeriod: 100,
    dataChallengePeriod: 100,
    dataResponsePeriod: 99,
    reaction: 100,
    anchorAgeBlocks: 7_000,
    slot: 12,
    finalityBlocks: 8_000,
    blockInterval: 1,
    submissionMargin: 0,
    abandonPeriod: 1,
    maxBlockTxs: 2 ** 20,
    operatorBondGwei: 2 ** 48,
  }
  // A period short enough to break all the others cannot be too long as well.
  const broken = EDGES.map(([rule]) => rule).filter((rule) => rule !== 'periods < 2^32')
  assert.equal(rules(worst), ['positive', ...broken])
  const error = refusal(() => assertParameters(worst))
  assert.is(error.code, 'PARAMETERS_IMPOSSIBLE')
  assert.is(error.family, 'config')
  for (const rule of broken) assert.ok(error.message.includes(rule), rule)
})

test.run()

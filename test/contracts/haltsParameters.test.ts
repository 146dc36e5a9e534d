/** A root contract whose windows don't add up can't be deployed: each rule of docs/spec.md 10.1, alone, at its edge, on the real constructor. */
import * as assert from 'uvu/assert'
import { type Abi, decodeErrorResult, encodeDeployData, type Hex, hexToString } from 'viem'
import { iLifeboatAbi, lifeboatAbi, lifeboatBytecode } from '../../contracts/artifacts.generated.ts'
import { findParameterProblems, type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { actors } from '../support/rootChain.ts'
import { callMany, type RawAnswer } from './probe.ts'
import { rootSuite } from './rootSuite.ts'

const { test, world } = rootSuite('halts: windows')
const base = PRESETS.mainnet
const mep = base.minExitPeriod

/** Each breaks one rule by the least amount; its partner is the last value that holds. */
const EDGES: readonly (readonly [rule: string, broken: Partial<Parameters>, holds: Partial<Parameters>])[] = [
  [
    'DC + DR <= MEP / 4',
    { dataChallengePeriod: mep / 8 + 1, dataResponsePeriod: mep / 8 },
    { dataChallengePeriod: mep / 8, dataResponsePeriod: mep / 8 },
  ],
  ['REACTION <= DC, DR', { reaction: mep / 8 + 1 }, { reaction: mep / 8 }],
  ['REACTION <= DC, DR', { dataResponsePeriod: mep / 8 - 1 }, { dataResponsePeriod: mep / 8 }],
  ['REACTION <= DC, DR', { dataChallengePeriod: mep / 8 - 1 }, { dataChallengePeriod: mep / 8 }],
  ['ANCHOR_AGE * 4/3 <= MEP / 8', { anchorAgeBlocks: 4_726 }, { anchorAgeBlocks: 4_725 }],
  ['ANCHOR_AGE <= 6000', { anchorAgeBlocks: 6_001, slot: 9 }, { anchorAgeBlocks: 6_000, slot: 9 }],
  ['ANCHOR_AGE >= finality + ...', { submissionMargin: 54_000 - 4_368 + 1 }, { submissionMargin: 54_000 - 4_368 }],
  ['ABANDON_PERIOD >= MEP', { abandonPeriod: mep - 1 }, { abandonPeriod: mep }],
  ['MAX_BLOCK_TXS <= 2^16', { maxBlockTxs: 2 ** 16 + 1 }, { maxBlockTxs: 2 ** 16 }],
  ['periods < 2^32', { abandonPeriod: 2 ** 32 }, { abandonPeriod: 2 ** 32 - 1 }],
]

/** What a constructor says to each of these; with a module that is none of its own it gets no further than the parameters. */
async function refusals(sets: readonly Partial<Parameters>[]): Promise<string[]> {
  const { chain, url } = world
  const calls = sets.map((set) => {
    const args = [
      { ...base, ...set },
      actors.operator.address,
      chain.evidence,
      chain.disputes,
      chain.massExits,
      chain.entries,
    ]
    return { data: encodeDeployData({ abi: lifeboatAbi as Abi, bytecode: lifeboatBytecode as Hex, args }) }
  })
  return (await callMany(url, calls)).map(wordsOf)
}

function wordsOf({ error }: RawAnswer): string {
  const { errorName, args } = decodeErrorResult({ abi: iLifeboatAbi, data: error?.data ?? '0x' })
  return errorName === 'ParametersImpossible' ? hexToString(args?.[0] as Hex, { size: 32 }) : errorName
}

test('each window rule broken alone by one unit stops the deployment by its name, and its edge does not', async () => {
  const broken = await refusals(EDGES.map(([, set]) => set))
  assert.equal(
    broken,
    EDGES.map(([rule]) => rule),
  )
  const held = await refusals(EDGES.map(([, , set]) => set))
  assert.equal(
    held,
    EDGES.map(() => 'ModuleMismatch'),
  )
  for (const [rule, set, edge] of EDGES) {
    assert.is(findParameterProblems({ ...base, ...set }).length, 1, rule)
    assert.is(findParameterProblems({ ...base, ...edge }).length, 0, rule)
  }
})

test('no parameter may be zero', async () => {
  const keys = Object.keys(base)
  const words = await refusals(keys.map((key) => ({ [key]: 0 })))
  for (const [i, key] of keys.entries()) {
    assert.is(words[i], key === 'abandonPeriod' ? 'ABANDON_PERIOD >= MEP' : 'zero', key)
  }
})

test('modules built for other periods are refused', async () => {
  assert.equal(await refusals([{}]), ['ModuleMismatch'])
})

test.run()

/** Hidden data and receipts as tables: what is on L1, what is held, what is done, by when and for how much (docs/honest-watcher.md). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type DataChallenge,
  dataChallengeBond,
  type LeafRange,
  MAX_CHALLENGE_LEVELS,
} from '../../../protocol/dataChallenge.ts'
import { PRESETS } from '../../../protocol/parameters.ts'
import { createOutput } from '../../../protocol/transaction.ts'
import { allowanceOf, planData, rewardOf, shareOf } from '../../../watcher/court/data.ts'
import {
  BREAK_RECEIPT_RULES,
  CHALLENGE_DATA_RULES,
  END_DATA_RULES,
  REVEAL_DATA_RULES,
} from '../../../watcher/court/dataRules.ts'
import { isTaken } from '../../../watcher/court/dataTime.ts'
import type {
  BreakReceipt,
  BrokenReceipt,
  ChallengeData,
  DataFacts,
  DataRecord,
  EndDataChallenge,
  HeldRange,
  HiddenBlock,
  RevealData,
} from '../../../watcher/court/dataTypes.ts'
import { defaultPolicy, UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import { planReceipts } from '../../../watcher/court/receipts.ts'
import type { Action, World } from '../../../watcher/court/types.ts'
import { type FullPair, triedBy, tryPairs } from './rulePairs.ts'
import {
  BOB,
  ETH,
  GWEI,
  hashOf,
  headerOf,
  MEP,
  parameters,
  policyOf,
  RIVAL,
  readingsOf,
  START,
  START_BLOCK,
  WATCHER,
  worldAt,
} from './world.ts'

const { dataChallengePeriod: DC, dataResponsePeriod: DR } = parameters
/** The first block that is not verified, committed at START. */
const HIDDEN = 51
const header = headerOf({ timestamp: START, txCount: 100, root: hashOf(5) })
const range = (first: number, levels = 5, blockNumber = HIDDEN): LeafRange => ({ blockNumber, first, levels })

function recordOf(changes: Partial<DataChallenge> = {}, rest: Partial<DataRecord> = {}): DataRecord {
  const challenge: DataChallenge = {
    ...range(0),
    halved: false,
    startedAt: START + 10,
    blockTime: START,
    txCount: header.txCount,
    root: header.root,
    challenger: RIVAL,
    bond: 3_000_000n * GWEI,
    ...changes,
  }
  return { challenge, state: 'open', at: { l1Block: START_BLOCK, l1Timestamp: challenge.startedAt }, ...rest }
}

const hiddenOf = (changes: Partial<HiddenBlock> = {}): HiddenBlock => ({
  number: HIDDEN,
  header,
  records: [],
  observedSeconds: 30,
  ...changes,
})

const held: HeldRange = {
  transactions: [
    {
      transaction: { inputs: [16], outputs: [createOutput(BOB, ETH, 1n)], memo: hashOf(0) },
      witnesses: new Uint8Array(64),
    },
  ],
  path: [hashOf(1), hashOf(2)],
}

const factsOf = (changes: Partial<DataFacts> = {}): DataFacts => {
  return { hidden: [], open: [], own: [], hold: () => held, seen: () => undefined, ...changes }
}

const wants = (facts: DataFacts, world: World, readings = readingsOf()) =>
  planData({ facts, readings, world }).map((effect) => ('code' in effect ? effect.code : effect.key))

function only<T extends Action['type']>(type: T, facts: DataFacts, world: World): Extract<Action, { type: T }>[] {
  const effects = planData({ facts, readings: readingsOf(), world })
  return effects.filter((effect) => effect.type === type) as Extract<Action, { type: T }>[]
}

const test = suite('data')

test('a block whose peers had no time is not challenged, then one range, and after half of DC every one', () => {
  const facts = factsOf({ hidden: [hiddenOf()] })
  const count = (elapsed: number) => only('challenge-data', facts, worldAt(elapsed)).length
  assert.is(count(DC / 4 - 1), 0)
  assert.is(count(DC / 4), 1)
  assert.is(count(DC / 2 - 1), 1)
  assert.is(count(DC / 2), 4)
  assert.is(count(DC), 4)
  assert.is(count(DC + 1), 0)
})

test('nothing is challenged that peers have not refused, that others demanded, or that does not come first', () => {
  const late = worldAt(DC / 2)
  const firsts = (hidden: readonly HiddenBlock[], world = late) =>
    only('challenge-data', factsOf({ hidden }), world).map((action) => action.range.first)
  assert.equal(firsts([hiddenOf({ observedSeconds: 0 })]), [])
  assert.equal(firsts([hiddenOf({ number: HIDDEN + 1 })]), [], 'the first one is invalid: this one falls with it')
  const taken = [recordOf(), recordOf({ first: 32 }, { state: 'answered' }), recordOf({ first: 64, levels: 4 })]
  assert.equal(firsts([hiddenOf({ records: taken })]).sort(), [64, 96], 'a part of a range is not the range')
  assert.equal(firsts([hiddenOf({ records: [recordOf()] })], worldAt(DC / 4)), [], 'somebody has tried already')
  assert.equal(firsts([hiddenOf()], worldAt(DC / 2, { voidFrom: HIDDEN })), [])
  assert.ok(isTaken(range(4, 1), [recordOf()]))
  assert.not.ok(isTaken(range(0), [recordOf({ levels: 4 })]))
})

test('a block behind the first hidden one is challenged whole and late: it mostly falls with that one', () => {
  const behind = hiddenOf({ number: HIDDEN + 1, header: { ...header, txCount: 32 }, observedSeconds: 0 })
  const facts = factsOf({ hidden: [hiddenOf({ records: [recordOf()] }), behind] })
  const blocks = (elapsed: number) =>
    only('challenge-data', facts, worldAt(elapsed)).map((action) => action.range.blockNumber)
  assert.equal(blocks(DC / 4), [])
  assert.equal(blocks(DC / 2), [HIDDEN, HIDDEN, HIDDEN, HIDDEN + 1])
})

test('watchers with small budgets cover different ranges, until together they have covered the block', () => {
  const big = hiddenOf({ header: { ...header, txCount: 4_096 } })
  const seeds = Array.from({ length: 8 }, (_, i) => hashOf(i + 1))
  const records: DataRecord[] = []
  for (let round = 0; round < 16; round++) {
    const before = [...records]
    for (const seed of seeds) {
      const world = worldAt(DC / 2, { policy: policyOf({ seed }) })
      for (const part of shareOf({ ...big, records: before }, world).slice(0, 2)) {
        if (!isTaken(part, records)) records.push(recordOf(part))
      }
    }
    if (round === 0) assert.ok(records.length >= 12, `${records.length} of 16 are different`)
  }
  assert.is(new Set(records.map(({ challenge }) => challenge.first)).size, records.length)
  assert.is(records.length, 128, 'sixteen rounds of two for each of eight')
  const order = (seed: number) =>
    shareOf(big, worldAt(DC / 2, { policy: policyOf({ seed: hashOf(seed) }) })).map(({ first }) => first)
  assert.not.equal(order(1), order(2))
  assert.equal(order(1), order(1), 'the same after a restart')
})

test('a bond is by formula, dearer with every group, and never more than half of what is left', () => {
  const facts = factsOf({ hidden: [hiddenOf()] })
  const [first, second] = only('challenge-data', facts, worldAt(DC / 2))
  const least = (groups: number) => dataChallengeBond(5, groups, GWEI)
  assert.is(first!.leastBondWei, least(1))
  assert.is(second!.leastBondWei, least(second!.groups))
  assert.ok(second!.groups <= 2)
  assert.is(first!.bondWei, (least(1) * 5n + 3n) / 4n)
  assert.is(first!.deadline, START + DC)
  const poor = (budget: bigint, own: readonly DataRecord[] = []) => {
    const policy = policyOf({ dataChallengeBudgetWei: budget })
    return wants(factsOf({ hidden: [hiddenOf()], own }), worldAt(DC / 2, { policy }))
  }
  const bonds = [first!.bondWei, first!.bondWei + second!.bondWei]
  assert.is(poor(2n * bonds[1]! - 1n).filter((what) => what.startsWith('challenge-data')).length, 1)
  assert.equal(poor(2n * bonds[1]! - 1n).slice(1), ['DATA_UNCHALLENGED'])
  assert.is(poor(2n * bonds[1]!).filter((what) => what.startsWith('challenge-data')).length, 2)
  assert.equal(poor(2n * bonds[0]! - 1n), ['DATA_UNCHALLENGED'])
})

test('the budget of each preset covers its largest block alone at five gwei', () => {
  for (const preset of Object.values(PRESETS)) {
    const policy = defaultPolicy({ sender: WATCHER, seed: hashOf(1) }, preset)
    const all = Array.from({ length: preset.maxBlockTxs / 32 }, (_, i) => dataChallengeBond(5, (i >> 1) + 1, 5n * GWEI))
    const sent = all.reduce((sum, bond) => sum + (bond * 125n + 99n) / 100n, 0n)
    const left = allowanceOf(hiddenOf(), [], worldAt(0, { policy }))
    assert.ok(left >= sent && left < (sent * 101n) / 100n, `${left} for ${sent}`)
  }
})

test('what was answered counts against the budget, what came back does not', () => {
  const policy = policyOf({ dataChallengeBudgetWei: 100n })
  const own = [
    recordOf({ challenger: WATCHER, bond: 10n }, { state: 'answered' }),
    recordOf({ challenger: WATCHER, bond: 20n, blockNumber: 40 }, { state: 'answered' }),
    recordOf({ challenger: WATCHER, bond: 50n, blockNumber: 41 }, { state: 'ended' }),
  ]
  assert.is(allowanceOf(hiddenOf(), own, worldAt(0, { policy })), (100n - 20n) / 2n - 10n)
})

test('nothing is challenged while L1 can’t be read, and the reserve stays untouched', () => {
  const facts = factsOf({ hidden: [hiddenOf()] })
  assert.equal(planData({ facts, readings: undefined, world: worldAt(DC / 2) }), [])
  const short = readingsOf({ balanceWei: policyOf().challengeReserveWei + GWEI })
  assert.equal(wants(facts, worldAt(DC / 2), short), ['DATA_UNCHALLENGED'])
})

test('answers come after half of DR, with all that is open inside a range in one call', () => {
  const open = [
    recordOf({ blockNumber: 50, levels: 3 }),
    recordOf({ blockNumber: 50, first: 4, levels: 2, startedAt: START + 12 }),
    recordOf({ blockNumber: 50, first: 8, levels: 0 }),
    recordOf({ blockNumber: 49, first: 0, levels: 3 }),
    recordOf({ blockNumber: HIDDEN }),
  ]
  const facts = factsOf({ open })
  const at = (elapsed: number, changes: Partial<World> = {}) => only('reveal-data', facts, worldAt(elapsed, changes))
  assert.equal(at(10 + DR / 2 - 1), [])
  const shape = at(10 + DR / 2).map(({ records }) =>
    records.map(({ challenge }) => `${challenge.blockNumber} ${challenge.first} ${challenge.levels}`),
  )
  assert.equal(shape, [['50 0 3', '50 4 2'], ['50 8 0'], ['49 0 3']])
  assert.is(at(10 + DR / 2)[0]!.deadline, START + 10 + DR)
  assert.is(at(10 + DR).length, 3)
  assert.equal(
    at(10 + DR + 1).map(({ records }) => records.length),
    [1],
    'the later one inside is still in time, alone',
  )
  assert.equal(at(10 + DR / 2, { voidFrom: 49 }), [])
})

test('a range that an older contract let somebody demand, wider than ours, is answered by itself and holds nothing up', () => {
  const wide = recordOf({ blockNumber: 50, levels: MAX_CHALLENGE_LEVELS + 1 })
  const facts = factsOf({ open: [recordOf({ blockNumber: 50, first: 8, levels: 0 }), wide] })
  const shape = only('reveal-data', facts, worldAt(10 + DR / 2)).map(({ records }) =>
    records.map(({ challenge }) => `${challenge.first} ${challenge.levels}`),
  )
  assert.equal(shape.sort(), [['0 6'], ['8 0']])
})

test('watchers wait different times before they answer, none longer than a sixteenth of DR', () => {
  const facts = factsOf({ open: [recordOf({ blockNumber: 50 })] })
  const long = { ...parameters, dataResponsePeriod: 3_200 }
  const answers = (seed: number, elapsed: number) => {
    const policy = policyOf({ seed: hashOf(seed), staggerSeconds: 10 })
    return only('reveal-data', facts, worldAt(elapsed, { policy, parameters: long })).length
  }
  const early = Array.from({ length: 20 }, (_, seed) => answers(seed, 10 + 1_700))
  assert.ok(early.includes(0) && early.includes(1))
  for (let seed = 0; seed < 20; seed++) assert.is(answers(seed, 10 + 1_800), 1)
})

test('an answer is paid as L1 pays it, out of the bonds in their order, and half where it is halved', () => {
  const cost = ((62_000n + 2n * 700n + 5_000n + 3_200n + 3_200n) * GWEI * 11n) / 10n
  assert.is(rewardOf([recordOf({ bond: 10n ** 18n })], held, GWEI), cost)
  assert.is(rewardOf([recordOf({ bond: 10n ** 18n, halved: true })], held, 1n), cost / 2n)
  const two = [recordOf({ bond: 100n }), recordOf({ bond: 10n ** 18n, halved: true })]
  assert.is(rewardOf(two, held, GWEI), 100n + (cost - 100n) / 2n)
  assert.is(rewardOf([recordOf({ bond: 7n })], held, GWEI), 7n)
})

test('the chain is halted at the lowest block that was not revealed, our own range first', () => {
  const own = recordOf({ challenger: WATCHER, first: 64 })
  const open = [recordOf({ blockNumber: HIDDEN + 1 }), recordOf(), own]
  const facts = factsOf({ open, hidden: [hiddenOf({ records: open.slice(1) })] })
  const at = (elapsed: number, changes: Partial<World> = {}) =>
    only('end-data-challenge', facts, worldAt(elapsed, changes)).map(({ aim, record }) => [aim, record.challenge.first])
  assert.equal(at(10 + DR), [])
  assert.equal(at(10 + DR + 1), [['halt', 64]])
  assert.equal(at(MEP), [['halt', 64]])
  assert.equal(at(MEP + 1), [['refund', 64]], 'too late to halt: only our bond is left to fetch')
  assert.equal(at(11, { voidFrom: HIDDEN }), [['refund', 64]])
  const [end] = only('end-data-challenge', facts, worldAt(10 + DR + 1))
  assert.is(end!.deadline, START + MEP)
  assert.is(only('end-data-challenge', facts, worldAt(10 + DR + parameters.reaction))[0]!.budgetWei, UNLIMITED_WEI)
})

test('a block that is verified, or that was not looked for yet, is never halted at', () => {
  const verified = factsOf({ open: [recordOf({ blockNumber: 50 })], hidden: [hiddenOf()] })
  assert.equal(only('end-data-challenge', verified, worldAt(10 + DR + 1)), [])
  const both = factsOf({ open: [recordOf({ blockNumber: 50 }), recordOf()], hidden: [hiddenOf()] })
  const [end] = only('end-data-challenge', both, worldAt(10 + DR + 1))
  assert.is(end?.record.challenge.blockNumber, HIDDEN, 'nor does it shield the hidden one above')
  const behind = factsOf({ open: [recordOf()], hidden: [hiddenOf({ observedSeconds: 0 })] })
  assert.equal(only('end-data-challenge', behind, worldAt(10 + DR + 1)), [])
  const nothing = factsOf({ open: [recordOf()] })
  assert.equal(only('end-data-challenge', nothing, worldAt(10 + DR + 1)), [])
})

test('a body that came after the time for an answer does not call the halt off, one that came in time does', () => {
  const open = [recordOf({ blockNumber: 50 })]
  const ends = (arrivedL1: number, observedSeconds: number) => {
    const facts = factsOf({ open, seen: () => ({ arrivedL1, observedSeconds }) })
    return only('end-data-challenge', facts, worldAt(10 + DR + 5)).map(({ aim }) => aim)
  }
  assert.equal(ends(START + 10 + DR + 1, 30), ['halt'])
  assert.equal(ends(START + 10 + DR, 30), [])
  assert.equal(
    ends(START + 10 + DR + 1, 0),
    [],
    'we were not there while it was missing: it may have been served in time',
  )
})

const receipt = { txHash: hashOf(1), blockNumber: 50, index: 3, anchor: START_BLOCK - 500, anchorHash: hashOf(2) }
const signed = { receipt, root: hashOf(3), count: 1, place: 0, path: [], signature: '0x' as const }
const other = { ...signed, receipt: { ...receipt, txHash: hashOf(9) } }
const brokenOf = (how: BrokenReceipt['how'], changes: Partial<BrokenReceipt> = {}): BrokenReceipt => {
  return { signed, since: START, how, ...changes }
}
const displaced = {
  kind: 'displaced',
  header: headerOf({ anchor: receipt.anchor }),
  txHash: hashOf(8),
  proof: { witnessesHash: hashOf(7), path: [] },
} as const

test('each place is broken once, while L1 knows the anchor', () => {
  const plan = (broken: readonly BrokenReceipt[], world = worldAt(10)) =>
    planReceipts({ broken, world }).map((effect) => (effect.type === 'break-receipt' ? effect.broken.how.kind : effect))
  const contradiction = brokenOf({ kind: 'contradiction', other })
  assert.equal(plan([brokenOf(displaced), contradiction]), ['displaced'])
  assert.equal(plan([brokenOf({ kind: 'header', header })]), ['header'])
  const old = brokenOf(
    { kind: 'header', header },
    { signed: { ...signed, receipt: { ...receipt, anchor: START_BLOCK + 10 - 8_192 } } },
  )
  assert.equal(plan([old]), [])
  assert.equal(plan([contradiction]), ['contradiction'])
  const [action] = planReceipts({ broken: [brokenOf(displaced)], world: worldAt(10) })
  assert.is(action?.type === 'break-receipt' && action.deadline, START + 10 + (8_191 - 510) * parameters.slot)
})

const terms = { key: 'k', purpose: 'p', notBefore: 0, deadline: START + DC, budgetWei: 1n }
const challenge: ChallengeData = {
  ...terms,
  type: 'challenge-data',
  range: range(0),
  header,
  bondWei: 100n,
  leastBondWei: 100n,
  groups: 1,
  allowanceWei: 100n,
  availableWei: 110n,
  costWei: 10n,
  baseFeeWei: GWEI,
  known: [],
  silence: { block: HIDDEN, seconds: 30 },
}
const answerable = recordOf({ blockNumber: 50 })
const reveal: RevealData = {
  ...terms,
  type: 'reveal-data',
  deadline: START + 10 + DR,
  records: [answerable],
  held,
  rewardWei: 0n,
}
const end: EndDataChallenge = {
  ...terms,
  type: 'end-data-challenge',
  deadline: START + MEP,
  record: recordOf(),
  aim: 'halt',
  costWei: 1n,
  silence: challenge.silence,
}
const refund: EndDataChallenge = { ...end, aim: 'refund', record: recordOf({ challenger: WATCHER }) }
const breaking: BreakReceipt = { ...terms, type: 'break-receipt', broken: brokenOf(displaced) }
const [inDC, inDR, over, past] = [worldAt(DC), worldAt(10 + DR), worldAt(10 + DR + 1), worldAt(MEP + 1)]

/** A forbidden action, its world, and its nearest neighbour that is allowed. */
const rows: readonly FullPair[] = [
  ['DATA-IS-WITHHELD', { ...challenge, silence: { block: HIDDEN, seconds: 0 } }, inDC, challenge],
  ['DATA-IS-WITHHELD', { ...challenge, silence: { block: HIDDEN + 1, seconds: 30 } }, inDC, challenge],
  ['DATA-IS-WITHHELD', challenge, worldAt(DC, { verifiedBlock: HIDDEN }), challenge, inDC],
  ['DATA-NOT-VOID', challenge, worldAt(DC, { voidFrom: HIDDEN }), challenge, worldAt(DC, { voidFrom: HIDDEN + 1 })],
  ['DATA-CHALLENGE-IN-TIME', challenge, worldAt(DC + 1), challenge, inDC],
  ['DATA-CHALLENGE-IN-TIME', { ...challenge, deadline: START + DC + 1 }, inDC, challenge],
  [
    'DATA-RANGE-IS-NEW',
    { ...challenge, known: [recordOf()] },
    inDC,
    { ...challenge, known: [recordOf({ first: 64 })] },
  ],
  [
    'DATA-BOND-BY-FORMULA',
    { ...challenge, bondWei: dataChallengeBond(5, 1, 20n * GWEI) + 1n, allowanceWei: 2n ** 90n },
    inDC,
    { ...challenge, bondWei: dataChallengeBond(5, 1, 20n * GWEI), allowanceWei: 2n ** 90n, availableWei: 2n ** 90n },
  ],
  ['DATA-WITHIN-BUDGET', { ...challenge, allowanceWei: 99n }, inDC, challenge],
  ['DATA-BOND-AFFORDABLE', { ...challenge, availableWei: 109n }, inDC, challenge],
  ['REVEAL-IS-WANTED', { ...reveal, records: [] }, inDR, reveal],
  ['REVEAL-IS-WANTED', { ...reveal, records: [answerable, { ...answerable, state: 'answered' }] }, inDR, reveal],
  ['REVEAL-IS-VERIFIED', reveal, worldAt(10 + DR, { verifiedBlock: 49 }), reveal, inDR],
  ['REVEAL-NOT-VOID', reveal, worldAt(10 + DR, { voidFrom: 50 }), reveal, worldAt(10 + DR, { voidFrom: 51 })],
  ['REVEAL-AFTER-THE-OPERATOR', reveal, worldAt(10 + DR / 2 - 1), reveal, worldAt(10 + DR / 2)],
  ['REVEAL-IN-TIME', reveal, over, reveal, inDR],
  ['REVEAL-IN-TIME', { ...reveal, deadline: reveal.deadline + 1 }, inDR, reveal],
  ['END-WHAT-IS-OPEN', { ...end, record: recordOf({}, { state: 'answered' }) }, over, end],
  ['END-AFTER-THE-ANSWERS', end, inDR, end, over],
  ['HALT-ONLY-WHAT-IS-HIDDEN', end, worldAt(10 + DR + 1, { verifiedBlock: HIDDEN }), end, over],
  ['HALT-ONLY-WHAT-IS-HIDDEN', { ...end, silence: { block: 0, seconds: 0 } }, over, end],
  ['HALT-ONLY-WHAT-IS-HIDDEN', refund, over, refund, past],
  ['HALT-IN-TIME', end, past, end, worldAt(MEP)],
  ['HALT-IN-TIME', end, worldAt(10 + DR + 1, { voidFrom: HIDDEN }), end, over],
  ['REFUND-OF-OURS', { ...refund, record: recordOf() }, past, refund],
  ['REFUND-OF-OURS', { ...refund, costWei: 2n ** 90n }, past, refund],
  ['RECEIPT-CONTRADICTED', { ...breaking, broken: brokenOf({ ...displaced, txHash: hashOf(1) }) }, inDC, breaking],
  [
    'RECEIPT-CONTRADICTED',
    { ...breaking, broken: brokenOf({ kind: 'contradiction', other: signed }) },
    inDC,
    { ...breaking, broken: brokenOf({ kind: 'contradiction', other }) },
  ],
  ['RECEIPT-IN-TIME', breaking, worldAt(DC + 1), breaking, inDC],
]

tryPairs(test, rows)

test('every rule about data and receipts has such a pair', () => {
  const tried = triedBy(rows)
  const all = [CHALLENGE_DATA_RULES, REVEAL_DATA_RULES, END_DATA_RULES, BREAK_RECEIPT_RULES].flat()
  assert.equal(
    all.map(({ id }) => id).filter((id) => !tried.has(id)),
    [],
  )
})

test.run()

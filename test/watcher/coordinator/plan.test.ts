/** Which outputs leave together: groups, refusals, money and time (docs/spec.md section 6.4; docs/honest-watcher.md "Mass exits"). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../../protocol/bytes.ts'
import { batchBond, encodeEntries, MAX_ENTRIES_SIZE } from '../../../protocol/massExit.ts'
import {
  type Candidate,
  ENTRIES_PER_BATCH,
  FEWEST_TOGETHER,
  type MassExitPlan,
  type Means,
  planBatches,
} from '../../../watcher/coordinator/plan.ts'
import type { World } from '../../../watcher/court/types.ts'
import {
  depositOf,
  ETH,
  ETHER,
  GWEI,
  hashOf,
  MEP,
  parameters,
  positionOf,
  START,
  TKN,
  unsafeSince,
  worldAt,
} from '../court/world.ts'

const test = suite('watcher: plan of mass exits')

const means: Means = { baseFeeWei: GWEI, feeGwei: 1n, bondWei: 1_000n * ETHER }
const unsafe = worldAt(MEP / 4, { safety: unsafeSince(40, START) })
const halted = worldAt(MEP / 4, {
  safety: { status: 'unsafe', reason: 'halted', block: 40, since: START },
  voidFrom: 40,
})
const OLD = START - 10 * MEP

function ownerOf(n: number): Address {
  return `0x${n.toString(16).padStart(40, '0')}`
}

function candidateOf(n: number, changes: Partial<Candidate> = {}): Candidate {
  return {
    position: positionOf(10, n),
    owner: ownerOf(n + 1),
    token: ETH,
    amount: ETHER + BigInt(n),
    madeAt: OLD,
    isProvable: true,
    isFinal: true,
    isTaken: false,
    mandate: hashOf(n + 1),
    ...changes,
  }
}

const crowd = (count: number, changes: Partial<Candidate> = {}, from = 0) =>
  Array.from({ length: count }, (_, i) => candidateOf(from + i, changes))
const plan = (candidates: readonly Candidate[], world: World = unsafe, own = means): MassExitPlan =>
  planBatches({ candidates, means: own, world })
const reasonsOf = ({ refused }: MassExitPlan) => refused.map(({ reason }) => reason)

test('puts outputs of one token and age into one batch, in the order of their positions', () => {
  const { batches, singles, refused, isDue } = plan([...crowd(20)].reverse())
  assert.equal([batches.length, singles.length, refused.length, isDue], [1, 0, 0, true])
  assert.equal(
    batches[0]!.entries.map(({ position }) => position),
    crowd(20).map(({ position }) => position),
  )
  assert.is(batches[0]!.owners, 20)
  assert.is(batches[0]!.isMandated, true)
  assert.is(batches[0]!.leastBondWei, batchBond(20, 1n))
})

test('plans the same on a safe chain, and says that it is not due', () => {
  const { isDue, batches } = plan(crowd(20), worldAt(0))
  assert.equal([isDue, batches.length], [false, 1])
})

test('one young entry does not delay the rest', () => {
  const young = crowd(10, { madeAt: START }, 100)
  const { batches } = plan([...crowd(10), ...young])
  assert.equal(batches.map(({ kind }) => kind).sort(), ['old', 'young'])
  const [old] = batches.filter(({ kind }) => kind === 'old')
  assert.is(old!.payableAt, unsafe.now.timestamp + MEP / 4 + MEP)
  assert.ok(batches.every(({ entries }) => entries.length === 10))
})

test('young entries wait at most an eighth of a period for each other', () => {
  const ages = [0, 1, 2, 3].map((i) => crowd(10, { madeAt: START - MEP / 2 + (i * MEP) / 8 }, i * 100))
  const { batches } = plan(ages.flat())
  assert.ok(batches.length > 1)
  for (const { entries, payableAt } of batches) {
    const made = ages.flat().filter(({ position }) => entries.some((entry) => entry.position === position))
    const [first, last] = [Math.min, Math.max].map((of) => of(...made.map(({ madeAt }) => madeAt)))
    assert.ok(last! - first! < MEP / 8 || payableAt === unsafe.now.timestamp + MEP / 4 + MEP)
  }
})

test('tokens never share a batch', () => {
  const { batches } = plan([...crowd(10), ...crowd(10, { token: TKN }, 20)])
  assert.equal(batches.map(({ token }) => token).sort(), [ETH, TKN])
})

test('dust is apart, and stays where together it is worth less than its place', () => {
  const price = { ...means, baseFeeWei: 50n * GWEI }
  const dust = crowd(20, { amount: 1_000_000n * GWEI }, 50)
  const { batches } = plan([...crowd(20), ...dust], unsafe, price)
  assert.equal(
    batches.map(({ kind }) => kind),
    ['old', 'dust'],
  )
  const worthless = plan([...crowd(20), ...crowd(20, { amount: 1n }, 50)], unsafe, price)
  assert.equal([worthless.batches.length, new Set(reasonsOf(worthless))], [1, new Set(['not-worth-it'])])
})

test('too few leave one by one, the first that is cheaper together leaves together', () => {
  assert.equal(plan(crowd(FEWEST_TOGETHER - 1)).singles.length, FEWEST_TOGETHER - 1)
  assert.equal(plan(crowd(FEWEST_TOGETHER)).batches.length, 1)
})

test('too few without a mandate still leave together after a halt: alone they could not', () => {
  const { batches, singles } = plan(
    crowd(1).map(({ mandate: _, ...rest }) => rest),
    halted,
  )
  assert.equal([batches.length, singles.length, batches[0]?.isMandated], [1, 0, false])
})

test('what a batch could not secure in time leaves one by one, and after the last safe moment together again', () => {
  const world = (elapsed: number) => worldAt(elapsed, { safety: unsafeSince(40, START) })
  const last = plan(crowd(20)).lastStart! - START
  assert.is(last, MEP - 40 - MEP / 4 - parameters.reaction)
  assert.is(plan(crowd(20), world(last)).batches.length, 1)
  assert.is(plan(crowd(20), world(last + 1)).singles.length, 20)
  assert.is(plan(crowd(20), world(MEP - 39)).batches.length, 1)
})

const refusals: readonly (readonly [string, Partial<Candidate>, World?])[] = [
  ['taken', { isTaken: true }],
  ['not-provable', { isProvable: false }],
  ['not-final', { isFinal: false }],
  ['in-batch', { inBatch: { batchId: hashOf(1), startedAt: START, isOurs: true } }],
  ['in-batch', { inBatch: { batchId: hashOf(1), startedAt: START, isOurs: false } }],
  ['not-older-than-the-fault', { position: positionOf(40) }],
  ['fallen', { position: positionOf(40) }, halted],
]
for (const [reason, changes, world = unsafe] of refusals) {
  test(`refuses an entry that it can't defend: ${reason}`, () => {
    const bad = candidateOf(500, changes)
    const found = plan([...crowd(20), bad], world)
    assert.equal(found.refused, [{ position: bad.position, owner: bad.owner, reason }])
    assert.is(found.batches[0]!.entries.length, 20)
  })
}

test('refuses an output without a mandate on a live chain, and takes it after a halt', () => {
  const { mandate: _, ...silent } = candidateOf(500)
  assert.equal(reasonsOf(plan([...crowd(20), silent])), ['no-mandate'])
  assert.is(plan([...crowd(20), silent], halted).batches[0]!.entries.length, 21)
})

test('does not wait for a stranger’s batch when its failure would leave no time for its own', () => {
  const late = unsafe.now.timestamp + MEP / 2
  const named = candidateOf(500, { inBatch: { batchId: hashOf(1), startedAt: late - MEP / 4, isOurs: false } })
  assert.is(plan([...crowd(20), named]).batches[0]!.entries.length, 21)
})

test('after a halt too it waits for a stranger’s batch only as long as that can be locked', () => {
  const named = candidateOf(500, { inBatch: { batchId: hashOf(1), startedAt: START, isOurs: false } })
  const at = (elapsed: number) => plan([...crowd(20), named], worldAt(elapsed, { voidFrom: 40, safety: halted.safety }))
  assert.equal(reasonsOf(at(MEP / 2)), ['in-batch'])
  assert.is(at(MEP / 2 + 1).batches[0]!.entries.length, 21)
})

test('deposits of any block are older than the fault', () => {
  assert.is(plan([...crowd(20), candidateOf(1, { position: depositOf(45) })]).batches[0]!.entries.length, 21)
})

test('what the invalid block spends waits for the proof, but not past the last safe moment', () => {
  const spends = new Set([positionOf(10, 3)])
  const invalid = { ...unsafeSince(40, START), reason: 'invalid' } as World['safety']
  const world = worldAt(MEP / 4, { safety: invalid, spentInFault: spends })
  assert.equal(reasonsOf(plan(crowd(20), world)), ['spent-in-fault'])
  assert.equal(plan(crowd(20), worldAt(MEP - 39, { safety: invalid, spentInFault: spends })).refused, [])
})

test('within a budget the larger ones go', () => {
  const bondWei = (batchBond(10, 1n) * 125n) / 100n
  const found = plan(crowd(20), unsafe, { ...means, bondWei })
  assert.is(found.batches[0]!.entries.length, 10)
  assert.ok(found.batches[0]!.bondWei <= bondWei)
  assert.ok(found.batches[0]!.entries.every(({ amount }) => amount >= ETHER + 10n))
  assert.equal(reasonsOf(found), Array(10).fill('over-budget'))
  assert.equal(plan(crowd(20), unsafe, { ...means, bondWei: 0n }).batches, [])
})

test('no batch is larger than one call may be', () => {
  const { batches } = plan(crowd(ENTRIES_PER_BATCH + 5))
  assert.equal(
    batches.map(({ entries }) => entries.length),
    [ENTRIES_PER_BATCH, 5],
  )
  assert.ok(batches.every(({ gas }) => gas <= 15_000_000n))
})

test('every candidate is in exactly one place, positions increase, and L1 takes what is planned', () => {
  const candidate = fc
    .record({
      n: fc.nat(300),
      amount: fc.bigInt(1n, 2n * ETHER),
      token: fc.constantFrom(ETH, TKN),
      age: fc.nat(12 * MEP),
      block: fc.integer({ min: 1, max: 45 }),
      isProvable: fc.boolean(),
      isTaken: fc.nat(9).map((n) => n === 0),
      hasMandate: fc.nat(9).map((n) => n !== 0),
    })
    .map(({ n, block, age, hasMandate, ...rest }) => {
      const { mandate, ...base } = candidateOf(n, { ...rest, position: positionOf(block, n), madeAt: START - age })
      return hasMandate ? { ...base, mandate: mandate! } : base
    })
  const worlds = fc.constantFrom(unsafe, halted, worldAt(0), worldAt(MEP - 60, { safety: unsafeSince(40, START) }))
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 80 }), worlds, fc.bigInt(0n, ETHER / 50n), (all, world, bondWei) => {
      const found = plan(all, world, { ...means, bondWei })
      const placed = [
        ...found.batches.flatMap(({ entries }) => entries.map(({ position }) => position)),
        ...found.singles.map(({ position }) => position),
        ...found.refused.map(({ position }) => position),
      ]
      const wanted = [...new Set(all.map(({ position }) => position))]
      assert.equal(
        placed.sort((a, b) => a - b),
        wanted.sort((a, b) => a - b),
      )
      for (const { entries } of found.batches) encodeEntries(entries)
      assert.ok(found.batches.reduce((sum, batch) => sum + batch.bondWei, 0n) <= bondWei)
      const live = world.voidFrom === 0
      assert.ok(!live || found.batches.every(({ isMandated }) => isMandated))
    }),
  )
})

test('no batch is larger than what L1 nodes pass on, however large its amounts and however far apart its positions', () => {
  const far = Array.from({ length: ENTRIES_PER_BATCH }, (_, n) =>
    candidateOf(0, {
      position: positionOf(10 + n * 5_000),
      owner: ownerOf(n + 1),
      token: TKN,
      amount: 10n ** 30n + BigInt(n),
    }),
  )
  const world = { ...unsafe, safety: unsafeSince(2 ** 27, START) }
  const { batches } = plan(far, world)
  assert.ok(batches.length > 1)
  assert.is(
    batches.reduce((sum, { entries }) => sum + entries.length, 0),
    far.length,
  )
  for (const { entries } of batches) assert.ok(encodeEntries(entries).length <= MAX_ENTRIES_SIZE)
})

test('after a halt nobody makes it pay for a mass exit of a few by tokens of their own', () => {
  const tokenOf = (n: number): Address => `0x${(n + 1).toString(16).padStart(4, '0').repeat(10)}`
  const fakes = Array.from({ length: 50 }, (_, n) => {
    const { mandate, ...candidate } = candidateOf(n, { token: tokenOf(n) })
    return candidate
  })
  const found = plan(fakes, halted)
  assert.equal(found.batches, [])
  assert.equal(new Set(reasonsOf(found)), new Set(['not-worth-it']))
  const { mandate, ...poor } = candidateOf(0, { amount: 100_000n * GWEI })
  assert.equal(plan([poor], halted).batches, [], 'worth its claim, not its place')
  const { mandate: other, ...rich } = candidateOf(0)
  assert.is(plan([rich], halted).batches.length, 1)
  const both = plan([fakes[0]!, { ...fakes[0]!, position: positionOf(10, 99), mandate: hashOf(9) }], halted)
  assert.equal(
    [both.batches.length, both.singles.length, both.refused.length],
    [0, 1, 1],
    'who gave a mandate leaves alone',
  )
})

test.run()

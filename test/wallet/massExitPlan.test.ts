/** A plan's arithmetic: who goes together, in how many transactions, for how much, by when. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Address, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { encodeEntries, MAX_ENTRIES_SIZE } from '../../protocol/massExit.ts'
import { encodePosition } from '../../protocol/position.ts'
import { formatMandateFile } from '../../wallet/mandate.ts'
import { parseMassExitFile, wishOfPlan } from '../../wallet/massExitFile.ts'
import {
  costsOf,
  lastSafeStart,
  PLANNED_GAS,
  type PlannedOutput,
  planBatches,
  START_GAS,
  startGas,
  TRANSACTION_GAS_CAP,
} from '../../wallet/massExitPlan.ts'

const test = suite('plan of a mass exit')
const MEP = 1_000
const NOW = 100_000
const GOLD: Address = `0x${'aa'.repeat(20)}`
const terms = { timestamp: NOW, minExitPeriod: MEP }

function output(index: number, changes: Partial<PlannedOutput> = {}): PlannedOutput {
  const owner: Address = `0x${(index % 7).toString(16).padStart(40, '1')}`
  const position = encodePosition({ block: 1 + Math.floor(index / 1000), index: index % 1000, output: 0 })
  return { position, amount: 1n, token: ZERO_ADDRESS, owner, madeAt: 1, ...changes }
}

test('one token and age in one batch, each output once, positions growing', () => {
  const outputs = [output(3), output(1), output(2), output(1)]
  const [batch, ...others] = planBatches(outputs, terms)
  assert.is(others.length, 0)
  assert.equal(
    batch!.entries,
    [output(1), output(2), output(3)].map(({ position, amount }) => ({ position, amount })),
  )
  assert.equal([batch!.total, batch!.owners], [3n, 3])
})

test('a young output does not keep the old ones waiting, and tokens never mix', () => {
  const lock = NOW + MEP / 4 + 1
  const border = lock - MEP
  const outputs = [output(1, { madeAt: border }), output(2, { madeAt: border + 1 }), output(3, { token: GOLD })]
  const batches = planBatches(outputs, terms)
  assert.equal(
    batches.map(({ token, payableAfter }) => [token, payableAfter]),
    [
      [ZERO_ADDRESS, lock + MEP],
      [ZERO_ADDRESS, lock + MEP + 1],
      [GOLD, lock + MEP],
    ],
  )
})

test('splits so that every transaction stays below the gas cap, and loses nobody', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
      fc.bigInt({ min: START_GAS + 1_000n, max: PLANNED_GAS }),
      (count, amount, gasPerTransaction) => {
        const most = Math.min(count, Number((gasPerTransaction * 20n) / 880n))
        const outputs = Array.from({ length: most }, (_, i) => output(i, { amount }))
        const batches = planBatches(outputs, { ...terms, gasPerTransaction })
        assert.is(
          batches.reduce((sum, { entries }) => sum + entries.length, 0),
          most,
        )
        for (const { entries, gas } of batches) {
          assert.ok(gas <= gasPerTransaction && gas < TRANSACTION_GAS_CAP)
          assert.ok(encodeEntries(entries).length <= MAX_ENTRIES_SIZE, 'nodes would not take it')
          assert.ok(BigInt(encodeEntries(entries).length) * 40n < gas, 'the floor price of its calldata is in it')
        }
      },
    ),
    { numRuns: 15, verbose: true },
  )
})

test('10,000 small amounts are one transaction; with amounts of wei the size of a transaction splits them', () => {
  const many = (count: number, amount: bigint) =>
    planBatches(
      Array.from({ length: count }, (_, i) => output(i, { amount })),
      terms,
    ).length
  assert.equal([many(10_000, 1n), many(20_000, 1n), many(10_000, 10n ** 18n), many(12_000, 10n ** 18n)], [1, 2, 1, 2])
})

test('cost is gas at the base fee, and ten times that', () => {
  const batches = planBatches([output(1), output(2, { token: GOLD })], terms)
  const costs = costsOf(batches, 7n)
  const gas = 2n * startGas([{ position: 1, amount: 1n }])
  assert.equal(costs, { transactions: 2, gas, costWei: 7n * gas, costAtTenWei: 70n * gas })
})

test('the last safe moment leaves the lock its time, and each transaction two slots', () => {
  assert.is(lastSafeStart(NOW, 3, { minExitPeriod: MEP, slot: 12 }), NOW + 750 - 72)
  assert.is(lastSafeStart(NOW, 0, { minExitPeriod: 1_001, slot: 12 }), NOW + 750)
})

test('reads a file strictly, and a watcher’s plan without what it keeps to itself', () => {
  const wish = parseMassExitFile('{"lifeboatMassExit":1,"outputs":[{"position":16,"amount":"5"}]}')
  assert.equal(wish, { outputs: [{ position: 16, amount: 5n, token: ZERO_ADDRESS }], mandates: [] })
  for (const text of ['', '{}', '{"lifeboatMassExit":1,"outputs":[{"position":16,"amount":5}]}']) {
    assert.throws(
      () => parseMassExitFile(text),
      (error: { code?: string }) => error.code === 'MASS_EXIT_FILE_INVALID',
    )
  }
  const told = { batches: [{ token: GOLD, count: 3, entries: [{ position: 16, amount: 5n }] }] }
  assert.equal(wishOfPlan(told), {
    wish: { outputs: [{ position: 16, amount: 5n, token: GOLD }], mandates: [] },
    untold: 2,
  })
})

test('takes mandates as their files hold them, and bare', () => {
  const mandate = {
    ...{ owner: GOLD, delegate: ZERO_ADDRESS, validFrom: 1, validUntil: 2 },
    ...{ position: 0, minAmount: 0n, maxFee: 0n, epoch: 0 },
  }
  const signed = { mandate, signature: `0x${'12'.repeat(64)}` as const }
  const file = JSON.parse(formatMandateFile(signed, { chainId: 1, rootContract: GOLD }))
  const bare = { mandate: file.mandate, signature: file.signature }
  const wish = parseMassExitFile(JSON.stringify({ lifeboatMassExit: 1, outputs: [], mandates: [file, bare] }))
  assert.equal(wish.mandates, [signed, signed])
})

test.run()

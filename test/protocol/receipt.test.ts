/** Receipts (spec 8.8): batches, and the judgement that the contract repeats. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Hash } from '../../protocol/bytes.ts'
import {
  batchReceipts,
  isContradiction,
  isInBatch,
  judgeReceipt,
  type Receipt,
  type ReceiptFacts,
} from '../../protocol/receipt.ts'
import { refusal } from './faults.ts'

const test = suite('receipts')
const hashOf = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`
const receipt: Receipt = { txHash: hashOf(1), blockNumber: 7, index: 3, anchor: 100, anchorHash: hashOf(2) }
const facts: ReceiptFacts = {
  canonicalAnchor: hashOf(2),
  l1Block: 110,
  voidFrom: 0,
  newest: 7,
  anchorAgeBlocks: 22,
  header: { anchor: 100, txCount: 4 },
  standing: hashOf(1),
}

test('every receipt of a batch can be shown to be of it, at its own place only', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (count, drawn) => {
      const receipts = Array.from({ length: count }, (_, index) => ({ ...receipt, index }))
      const batch = batchReceipts(receipts)
      const place = drawn % count
      const given = batch.give(place, '0x')
      assert.ok(isInBatch(given))
      if (count > 1) assert.not.ok(isInBatch({ ...given, place: (place + 1) % count }))
      assert.not.ok(isInBatch({ ...given, receipt: { ...given.receipt, anchor: 99 } }))
    }),
  )
  assert.is(refusal(() => batchReceipts([receipt]).give(1, '0x')).code, 'LEAF_MISSING')
})

test('what L1 shows decides about a receipt', () => {
  const cases: readonly (readonly [Partial<ReceiptFacts>, string])[] = [
    [{}, 'kept'],
    [{ standing: hashOf(9) }, 'displaced'],
    [{ standing: undefined }, 'unknown'],
    [{ header: undefined, standing: undefined }, 'unknown'],
    [{ header: { anchor: 101, txCount: 4 } }, 'broken'],
    [{ header: { anchor: 100, txCount: 3 }, standing: undefined }, 'broken'],
    [{ newest: 6, header: undefined, standing: undefined, l1Block: 122 }, 'open'],
    [{ newest: 6, header: undefined, standing: undefined, l1Block: 123 }, 'broken'],
    [{ voidFrom: 7 }, 'broken'],
    [{ voidFrom: 8 }, 'kept'],
    [{ canonicalAnchor: hashOf(3), voidFrom: 7 }, 'void-anchor'],
    [{ canonicalAnchor: undefined }, 'kept'],
    [{ canonicalAnchor: undefined, standing: undefined, voidFrom: 7 }, 'unknown'],
  ]
  for (const [change, want] of cases)
    assert.is(judgeReceipt(receipt, { ...facts, ...change }), want, JSON.stringify(change))
})

test('a place that no block has is never kept', () => {
  for (const blockNumber of [0, 2 ** 28]) assert.is(judgeReceipt({ ...receipt, blockNumber }, facts), 'broken')
})

test('two receipts contradict each other at the same place and anchor, for different transactions', () => {
  const rival = { ...receipt, txHash: hashOf(5) }
  assert.ok(isContradiction(receipt, rival))
  assert.not.ok(isContradiction(receipt, receipt))
  for (const change of [{ blockNumber: 8 }, { index: 4 }, { anchorHash: hashOf(6) }]) {
    assert.not.ok(isContradiction(receipt, { ...rival, ...change }))
  }
})

test.run()

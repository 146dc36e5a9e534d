/** How entries of a mass exit are written (docs/spec.md 6.4), by properties; FUZZ_SEED repeats a run. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { LifeboatError } from '../../protocol/errors.ts'
import {
  batchBond,
  batchDeadlines,
  decodeEntries,
  demandBond,
  type Entry,
  encodeEntries,
  entryTree,
  formatOf,
  hashEntry,
  isBatchItem,
  isEntryOf,
  isOpenedEntry,
  itemBond,
  itemPosition,
  MAX_ENTRIES,
  OPENED_SEQ,
  openedExit,
  placeEntries,
  shareOf,
} from '../../protocol/massExit.ts'
import { isIncluded, proveLeaf } from '../../protocol/merkle.ts'
import { encodePosition, isDepositPosition, POSITION_LIMIT } from '../../protocol/position.ts'
import { address, amount, checkProperty, exit, hash, printSeed } from './random.ts'

const test = suite('mass exits: entries')
printSeed('mass exits')

const position = fc.oneof(fc.integer({ min: 1, max: POSITION_LIMIT - 1 }), fc.constantFrom(1, POSITION_LIMIT - 1))
const entries: fc.Arbitrary<Entry[]> = fc
  .uniqueArray(position, { minLength: 1, maxLength: 40 })
  .chain((positions) =>
    fc
      .array(amount, { minLength: positions.length, maxLength: positions.length })
      .map((amounts) =>
        positions.sort((a, b) => a - b).map((at, i) => ({ position: at, amount: amounts[i] as bigint })),
      ),
  )

function malformed(move: () => unknown): void {
  try {
    move()
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error
    assert.is(error.code, 'ENTRIES_MALFORMED')
    return
  }
  throw new Error('got entries, want a refusal')
}

test('entries come back as they were written, in any format that holds them', () => {
  checkProperty(fc.tuple(entries, fc.nat({ max: 15 }), fc.nat({ max: 6 })), ([list, wider, farther]) => {
    const least = formatOf(list)
    const amountBytes = Math.min(16, least.amountBytes + wider)
    const positionBytes = Math.min(7, least.positionBytes + farther)
    for (const base of [least.base, least.base - (least.base % 2)]) {
      const format = { base, positionBytes: base === least.base ? positionBytes : 7, amountBytes }
      const bytes = encodeEntries(list, format)
      assert.is(bytes.length, list.length * (format.positionBytes + amountBytes))
      assert.equal(decodeEntries(bytes, format), list)
    }
  })
})

test('no narrower format holds them', () => {
  checkProperty(entries, (list) => {
    const format = formatOf(list)
    assert.ok(format.amountBytes >= 1 && format.amountBytes <= 16)
    assert.ok(format.positionBytes >= 1 && format.positionBytes <= 7)
    malformed(() => encodeEntries(list, { ...format, amountBytes: format.amountBytes - 1 }))
    malformed(() => encodeEntries(list, { ...format, positionBytes: format.positionBytes - 1 }))
    malformed(() => encodeEntries(list, { ...format, base: format.base + 1 }))
  })
})

test('refuses what the contract refuses: no entry, too many, equal or falling positions, nothing, too much', () => {
  const one = { position: 16, amount: 1n }
  const wide = { base: 0, positionBytes: 7, amountBytes: 16 }
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ position: i + 1, amount: 1n }))
  malformed(() => encodeEntries([]))
  malformed(() => encodeEntries(many(MAX_ENTRIES + 1)))
  malformed(() => encodeEntries([one, one], wide))
  malformed(() => encodeEntries([{ ...one, position: 32 }, one], wide))
  malformed(() => encodeEntries([{ ...one, position: 0 }], wide))
  malformed(() => encodeEntries([{ ...one, position: POSITION_LIMIT }], wide))
  malformed(() => encodeEntries([{ ...one, amount: 0n }], wide))
  malformed(() => encodeEntries([{ ...one, amount: -1n }], wide))
  malformed(() => encodeEntries([{ ...one, amount: 256n }], { ...wide, amountBytes: 1 }))
  malformed(() => encodeEntries([{ ...one, amount: 2n ** 128n }], wide))
  for (const width of [0, 17, 1.5, Number.NaN]) malformed(() => encodeEntries([one], { ...wide, amountBytes: width }))
  for (const width of [0, 8, 1.5, Number.NaN]) malformed(() => encodeEntries([one], { ...wide, positionBytes: width }))
  encodeEntries(many(MAX_ENTRIES))
})

test('refuses bytes that are cut, padded, empty or not what an encoder writes', () => {
  checkProperty(entries, (list) => {
    const format = formatOf(list)
    const bytes = encodeEntries(list, format)
    malformed(() => decodeEntries(bytes.slice(0, -1), format))
    malformed(() => decodeEntries(Uint8Array.of(...bytes, 0), format))
    malformed(() => decodeEntries(bytes, { ...format, base: POSITION_LIMIT - 1 }))
  })
  const least = { base: 0, positionBytes: 7, amountBytes: 1 }
  malformed(() => decodeEntries(new Uint8Array(0), least))
  malformed(() => decodeEntries(new Uint8Array(8), least))
  malformed(() => decodeEntries(new Uint8Array(7), { ...least, amountBytes: 0 }))
})

test('every entry is in the tree at its index and at no other, with nothing else as sum', () => {
  checkProperty(fc.tuple(entries, fc.nat()), ([list, at]) => {
    const placed = placeEntries(list)
    const tree = entryTree(placed)
    const index = at % list.length
    const entry = placed[index]!
    const proof = { txCount: 2 ** Math.ceil(Math.log2(list.length)), root: tree.root, path: proveLeaf(tree, index) }
    const shows = (leaf: Uint8Array, where: number) => isIncluded(leaf, where, proof)
    assert.ok(shows(hashEntry(entry), index))
    if (index + 1 < list.length) assert.not(shows(hashEntry(entry), index + 1))
    assert.not(shows(hashEntry({ ...entry, before: entry.before + 1n }), index))
    assert.not(shows(hashEntry({ ...entry, amount: entry.amount + 1n }), index))
  })
})

test('shares lie side by side from one end of the ticket to the other', () => {
  checkProperty(fc.tuple(entries, amount, fc.nat({ max: 100 })), ([list, from, percent]) => {
    const placed = placeEntries(list)
    const total = list.reduce((sum, entry) => sum + entry.amount, 0n)
    const due = (total * BigInt(percent)) / 100n
    let next = from
    for (const entry of placed) {
      const share = shareOf({ from, due }, entry)
      assert.ok(share.due >= 0n && share.due <= entry.amount)
      if (share.due > 0n) assert.is(share.from, next)
      next += share.due
    }
    assert.is(next, from + due)
  })
})

test('an opened entry is told from every exit with a turn, and says which entry of which batch it is', () => {
  checkProperty(
    fc.tuple(entries, exit, hash, hash, address, fc.nat()),
    ([list, item, batchId, outputId, owner, at]) => {
      const entry = placeEntries(list)[at % list.length]!
      const opening = { batchId, item, entry, outputId, owner, openedAt: item.startedAt, minExitPeriod: 100 }
      const made = openedExit(opening)
      assert.ok(isOpenedEntry(made) && isEntryOf(made, batchId, entry.index))
      assert.not(isEntryOf(made, batchId, entry.index + 1))
      assert.not(isEntryOf(made, outputId as Hash, entry.index) && batchId !== outputId)
      assert.is(made.seq, OPENED_SEQ + entry.index)
      assert.is(made.bond, 0n)
      const late = openedExit({ ...opening, openedAt: item.exitableAt })
      assert.is(late.exitableAt, item.exitableAt + 100)
      assert.is(openedExit({ ...opening, lockedBefore: 0 }).lockedAt, 0)
      assert.is(openedExit({ ...opening, lockedBefore: 2 ** 40 }).lockedAt, item.lockedAt)
      assert.not(isBatchItem(made))
      assert.ok(isBatchItem({ ...item, owner: `0x${'0'.repeat(40)}` }))
    },
  )
})

test('the item of a batch stands where a deposit would: no halt makes it void', () => {
  checkProperty(position, (last) => assert.ok(isDepositPosition(itemPosition(last))))
  assert.is(
    itemPosition(encodePosition({ block: 7, index: 3, output: 2 })),
    encodePosition({ block: 7, index: 2 ** 20, output: 0 }),
  )
})

test('bonds and deadlines', () => {
  assert.is(batchBond(1, 1n), 460_000n * 10n ** 9n)
  assert.is(batchBond(10_000, 20n), 600_400_000n * 20n * 10n ** 9n)
  assert.is(itemBond(batchBond(77, 3n), 77), 400_000n * 3n * 10n ** 9n)
  assert.is(demandBond(64, 1n), 2n * demandBond(0, 1n))
  assert.equal(batchDeadlines(1_000, 240), { demand: 1_030, answer: 1_060, lock: 1_120 })
  assert.is(bytesToHex(hashEntry({ index: 0, position: 1, amount: 2n, before: 3n })).length, 66)
})

test.run()

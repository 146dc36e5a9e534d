/** Entries that nothing can be done about, or nothing for whom we act, use up no place of those behind them (docs/honest-watcher.md "Mass exits"). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OPENED_SEQ } from '../../../protocol/massExit.ts'
import type { BatchAction, BatchFacts, EntryView } from '../../../watcher/court/batchActions.ts'
import type { ExitRecord } from '../../../watcher/facts.ts'
import { AFTER, COUNT, entryOf, factsOf, locked, plan, readings, turned } from './batchScene.ts'
import { ALICE, BOB, ETH, ETHER, exitOf, positionOf, postponed, RIVAL, recordOf, worldAt } from './world.ts'

const test = suite('watcher: crowded batches')
const LAST = COUNT - 1
const { batchId } = factsOf(RIVAL, []).record

/** Four entries of a stranger, one of a protected owner behind them. */
const crowd = (changes: (index: number) => Partial<EntryView>): EntryView[] =>
  Array.from({ length: COUNT }, (_, i) => entryOf(i, { owner: i < LAST ? RIVAL : ALICE, ...changes(i) }))

const opened = (index: number): ExitRecord =>
  recordOf(exitOf({ position: positionOf(10, index), seq: OPENED_SEQ + index, payer: `0x${batchId.slice(26)}` }))

/** Of the entries that acts of this kind are about. */
function indexesOf(type: BatchAction['type'], ...[facts, world, changes]: Parameters<typeof plan>): number[] {
  return plan(facts, world, changes).flatMap((effect) =>
    effect.type === type && 'fact' in effect && 'entry' in effect.fact ? [effect.fact.entry.index] : [],
  )
}

test('a batch that nothing can be told about is told as a fault, and the others are acted for', () => {
  const silent = () => {
    throw new RangeError('got nothing')
  }
  const healthy = factsOf(
    RIVAL,
    crowd(() => ({ owner: ALICE })),
    [locked, turned],
  )
  const broken = { ...healthy, tree: silent, shown: silent }
  const effects = plan(healthy, worldAt(AFTER), { batches: [broken, healthy] })
  const faults = effects.filter((effect) => effect.type === 'alert' && effect.code === 'INTERNAL_FAULT')
  assert.equal(
    faults.map((fault) => 'details' in fault && fault.details),
    [{ batchId, reason: 'RangeError: got nothing' }],
  )
  assert.is(effects.filter(({ type }) => type === 'claim-entries').length, 1)
})

test('entries that strangers opened and nobody places do not keep a protected owner’s from its place', () => {
  const facts = factsOf(
    RIVAL,
    crowd((i) => ({ exit: opened(i) })),
    [locked, turned],
  )
  assert.equal(indexesOf('place-entry', facts, worldAt(AFTER)), [LAST])
})

test('entries of strangers that could be opened do not keep a protected owner’s from being opened', () => {
  const facts = factsOf(
    RIVAL,
    crowd(() => ({ isLockedBefore: true })),
    [locked, turned],
  )
  assert.equal(indexesOf('open-entry', facts, worldAt(AFTER)), [LAST])
})

test('exits beside a batch whose turn is ahead do not keep one that is short from its share', () => {
  const late = recordOf(exitOf({ position: positionOf(10, LAST) }), postponed(50n * ETHER, ETHER))
  const facts = factsOf(
    RIVAL,
    crowd((i) => ({ owner: ALICE, exit: i < LAST ? recordOf(exitOf({ position: positionOf(10, i) })) : late })),
    [locked, turned],
  )
  assert.equal(indexesOf('adopt-exit', facts, worldAt(AFTER)), [LAST])
})

test('dead shares that L1 refuses to free for a reason that we can’t see give way to the next in time', () => {
  const facts = factsOf(
    RIVAL,
    crowd(() => ({ kind: 'other' })),
    [locked, turned],
  )
  const poor = { ...readings, funded: new Map([[ETH, 10n * ETHER]]) }
  const waiting = [{ token: ETH, from: 10n * ETHER, due: ETHER }]
  const freed = (elapsed: number) =>
    indexesOf('release-entry', facts, worldAt(AFTER + elapsed), { waiting, readings: poor })
  const seen = new Set(freed(0))
  assert.is(seen.size, COUNT - 1)
  for (let elapsed = 0; elapsed <= 32; elapsed++) for (const index of freed(elapsed)) seen.add(index)
  assert.is(seen.size, COUNT)
})

test('entries that are only to be claimed are not compared with those of every other mass exit', () => {
  const looksFor = (concerns: readonly EntryView[]) => {
    let looks = 0
    const here = factsOf(RIVAL, concerns, [locked, turned])
    const other: BatchFacts = {
      ...factsOf(BOB, [], [locked, turned]),
      get concerns() {
        looks++
        return []
      },
    }
    plan(here, worldAt(AFTER), { batches: [here, other] })
    return looks
  }
  assert.is(looksFor(crowd(() => ({}))), looksFor([entryOf(0)]))
})

test.run()

/** What is done about the shares of a mass exit after its turn, as tables: claims, openings, places, releases (docs/honest-watcher.md "Mass exits"). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../../protocol/bytes.ts'
import { OPENED_SEQ } from '../../../protocol/massExit.ts'
import type { BatchFacts, EntryView } from '../../../watcher/court/batchActions.ts'
import type { BatchInput } from '../../../watcher/court/batchInput.ts'
import type { World } from '../../../watcher/court/types.ts'
import {
  AFTER,
  type EventBody,
  entries,
  entryOf,
  factsOf,
  locked,
  only,
  plan,
  readings,
  spend,
  struck,
  turned,
  typesOf,
} from './batchScene.ts'
import {
  ALICE,
  BOB,
  decided,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  hashOf,
  MEP,
  policyOf,
  positionOf,
  postponed,
  RIVAL,
  recordOf,
  START,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

const test = suite('watcher: acts about shares of mass exits')

test('claims after the turn for those who trust it, in one call', () => {
  const all = [entryOf(0), entryOf(1, { owner: BOB }), entryOf(2)]
  const facts = factsOf(RIVAL, all, [locked, turned])
  const claim = only(plan(facts, worldAt(AFTER)), 'claim-entries')!
  assert.equal(
    claim.claims.map(({ fact }) => fact.entry.index),
    [0, 2],
  )
  const everybody = only(plan(facts, worldAt(AFTER), { trusts: () => true }), 'claim-entries')!
  assert.is(everybody.claims.length, 3)
})

const unclaimable: readonly (readonly [string, EntryView, readonly EventBody[], Partial<World>])[] = [
  ['spent in a verified block', entryOf(0, { spend: spend(0) }), [struck(0, ALICE)], {}],
  ['struck', entryOf(0), [struck(0, ALICE)], {}],
  ['that has an exit', entryOf(0, { exit: recordOf(exitOf(), postponed(0n, 1n)) }), [], {}],
  ['that was paid by another batch', entryOf(0, { isClaimed: true }), [], {}],
  ['that was locked before', entryOf(0, { isLockedBefore: true }), [], {}],
  ['that is void', entryOf(0), [], { voidFrom: 10 }],
  ['that names nothing', entryOf(0, { kind: 'other' }), [], {}],
  ['before a moved halt lets it', entryOf(0), [], { lastMove: START + AFTER - 5 }],
]
for (const [name, entry, bodies, world] of unclaimable) {
  test(`claims no entry ${name}`, () => {
    const facts = factsOf(RIVAL, [entry], [locked, turned, ...bodies])
    assert.equal(only(plan(facts, worldAt(AFTER, world)), 'claim-entries'), undefined)
  })
}

test('pays out of its own pocket only what is worth it, but a protected owner at any cost', () => {
  const dust = (owner: Address) => {
    const entry = { ...entries[0]!, amount: 1_000n }
    return factsOf(RIVAL, [entryOf(0, { entry, owner })], [locked, turned])
  }
  assert.equal(typesOf(plan(dust(BOB), worldAt(AFTER), { trusts: () => true })), [])
  assert.equal(typesOf(plan(dust(ALICE), worldAt(AFTER))), ['claim-entries'])
})

test('in a token of unknown worth it pays out protected owners, and everybody of its own mass exit: it took them out', () => {
  const world = worldAt(AFTER, { policy: policyOf({ priceWei: new Map() }) })
  const claims = (coordinator: Address, owner: Address) =>
    typesOf(
      plan(factsOf(coordinator, [entryOf(0, { owner })], [locked, turned]), world, { trusts: () => true }),
    ).includes('claim-entries')
  assert.equal([claims(WATCHER, BOB), claims(RIVAL, BOB)], [true, false])
  assert.equal([claims(WATCHER, ALICE), claims(RIVAL, ALICE)], [true, true])
})

test('claims nothing before the turn, nothing that is not covered, nothing twice', () => {
  const claims = (facts: BatchFacts, changes: Partial<BatchInput> = {}) =>
    only(plan(facts, worldAt(AFTER), changes), 'claim-entries')?.claims.length ?? 0
  assert.is(claims(factsOf(RIVAL, [entryOf(0)], [locked])), 0)
  const poor = { readings: { ...readings, funded: new Map([[ETH, ETHER]]) } }
  assert.is(claims(factsOf(RIVAL, [entryOf(0), entryOf(1)], [locked, turned]), poor), 1)
  const done: EventBody = { type: 'EntriesClaimed', claimed: [{ index: 0, outputId: hashOf(1), owner: ALICE }] }
  assert.is(claims(factsOf(RIVAL, [entryOf(0)], [locked, turned, done])), 0)
})

/** A running dispute about a transaction that spends the output of entry 0. */
const dispute = disputeFactsOf()
const disputedEntry = entryOf(0, { outputId: dispute.inputs[0]!.outputId })

test('opens an entry that a dispute decides about, and claims it again where the verdict gave it back', () => {
  const facts = (bodies: readonly EventBody[]) => factsOf(RIVAL, [disputedEntry], bodies)
  assert.equal(typesOf(plan(facts([locked, turned]), withDisputes(worldAt(AFTER), dispute))), ['open-entry'])
  assert.equal(typesOf(plan(facts([locked]), withDisputes(worldAt(MEP / 2), dispute))), [], 'L1 lets only its owner')
  const back = withDisputes(worldAt(AFTER), disputeFactsOf({}, decided('not-canonical')))
  assert.equal(typesOf(plan(factsOf(RIVAL, [disputedEntry], [locked, turned]), back)), ['claim-entries'])
})

test('opens an entry that L1 locked before the batch did, so that its exit keeps that lock', () => {
  const facts = (bodies: readonly EventBody[]) => factsOf(RIVAL, [entryOf(0, { isLockedBefore: true })], bodies)
  assert.equal(typesOf(plan(facts([locked, turned]), worldAt(AFTER))), ['open-entry'])
  assert.equal(typesOf(plan(facts([locked]), worldAt(MEP / 2))), [], 'L1 lets only its owner')
})

test('leaves an entry to its owner for a period after an exit of the output fell: L1 lets nobody else open it', () => {
  for (const more of [{ isPaidInPart: true }, { isLockedBefore: true }] as const) {
    const after = (fellAt: number) =>
      typesOf(plan(factsOf(RIVAL, [entryOf(0, { fellAt, ...more })], [locked, turned]), worldAt(AFTER)))
    assert.equal(after(START + AFTER - MEP), [])
    assert.equal(after(START + AFTER - MEP - 1), ['open-entry'])
  }
})

test('a share is adopted for the heirs of what was cancelled before its turn, and never freed', () => {
  const passed = withDisputes(worldAt(AFTER), disputeFactsOf({}, decided('canonical')))
  const ended = recordOf(exitOf({ owner: ALICE, outputId: disputedEntry.outputId! }), {
    type: 'ExitRemoved',
    reason: 'spent',
  })
  const facts = factsOf(RIVAL, [{ ...disputedEntry, exit: ended }], [locked, turned])
  assert.equal(typesOf(plan(facts, passed)), ['adopt-exit'])
})

test('opens an entry whose value a verdict passed on only after the turn, for what inherits it', () => {
  const passed = (elapsed: number) => withDisputes(worldAt(elapsed), disputeFactsOf({}, decided('canonical')))
  assert.equal(typesOf(plan(factsOf(RIVAL, [disputedEntry], [locked]), passed(MEP / 2))), [])
  assert.equal(typesOf(plan(factsOf(RIVAL, [disputedEntry], [locked, turned]), passed(AFTER))), ['open-entry'])
})

test('places an opened entry after the turn, and nobody else’s exit', () => {
  const { batchId } = factsOf(RIVAL, []).record
  const opened = recordOf(exitOf({ owner: ALICE, seq: OPENED_SEQ, payer: `0x${batchId.slice(26)}` }))
  const facts = (bodies: readonly EventBody[]) => factsOf(RIVAL, [entryOf(0, { exit: opened })], bodies)
  assert.equal(typesOf(plan(facts([locked]), worldAt(AFTER))), [])
  assert.equal(typesOf(plan(facts([locked, turned]), worldAt(AFTER))), ['place-entry'])
})

test('gives an exit that was started beside the place of its entry, where that is the older one', () => {
  const beside = (...bodies: Parameters<typeof recordOf>[1][]) =>
    factsOf(RIVAL, [entryOf(0, { exit: recordOf(exitOf({ owner: ALICE }), ...bodies) })], [locked, turned])
  const elsewhere = entryOf(0, { exit: recordOf(exitOf({ owner: ALICE, position: positionOf(11) })) })
  assert.equal(typesOf(plan(factsOf(RIVAL, [elsewhere], [locked, turned]), worldAt(AFTER))), [])
  assert.equal(typesOf(plan(beside(), worldAt(AFTER))), [], 'its turn is ahead')
  assert.equal(typesOf(plan(beside(postponed(50n * ETHER, ETHER)), worldAt(AFTER))), ['adopt-exit'])
  assert.equal(typesOf(plan(beside(postponed(0n, ETHER)), worldAt(AFTER))), [])
})

test('an entry that another mass exit opened takes the share only where that of its own does not come first', () => {
  const { record: elsewhere } = factsOf(BOB, [], [locked])
  const exit = exitOf({ owner: ALICE, seq: OPENED_SEQ, payer: `0x${elsewhere.batchId.slice(26)}` })
  const here = factsOf(RIVAL, [entryOf(0, { exit: recordOf(exit) })], [locked, { ...turned, from: 10n * ETHER }])
  const withHome = (...bodies: readonly EventBody[]) =>
    typesOf(plan(here, worldAt(AFTER), { batches: [here, factsOf(BOB, [], bodies)] }))
  const placed: EventBody = { type: 'EntryPlaced', index: 0, outputId: hashOf(1), paid: 0n }
  assert.equal(withHome(locked), ['adopt-exit'], 'its own has no place yet')
  assert.equal(withHome(locked, turned), [], 'its own comes first')
  assert.equal(withHome(locked, { ...turned, from: 20n * ETHER }), ['adopt-exit'])
  assert.equal(withHome(locked, turned, placed), ['adopt-exit'], 'its own is used')
})

test('of two mass exits that name a disputed output it is opened in the one with the older place', () => {
  const dispute = disputeFactsOf()
  const world = withDisputes(worldAt(AFTER), dispute)
  const entry = entryOf(0, { outputId: dispute.inputs[0]!.outputId })
  const here = factsOf(RIVAL, [entry], [locked, { ...turned, from: 10n * ETHER }])
  const beside = (...bodies: readonly EventBody[]) =>
    plan(here, world, { batches: [here, factsOf(BOB, [entry], bodies)], trusts: () => true }).flatMap((effect) =>
      effect.type === 'open-entry' ? [effect.record.batch.coordinator] : [],
    )
  assert.equal(beside(locked, turned), [BOB])
  assert.equal(beside(locked, { ...turned, from: 20n * ETHER }), [RIVAL])
  assert.ok(beside(locked).includes(RIVAL), 'the other is not on the line yet')
})

test('an exit of an output whose payment was disputed is paid out of the share once the verdict is canonical', () => {
  const { txHash } = disputeFactsOf().dispute
  const record = recordOf(exitOf({ owner: ALICE, disputed: txHash }), postponed(50n * ETHER, ETHER))
  const facts = factsOf(RIVAL, [entryOf(0, { exit: record })], [locked, turned])
  const judged = (...verdict: Parameters<typeof decided>) =>
    typesOf(plan(facts, withDisputes(worldAt(AFTER), disputeFactsOf({}, decided(...verdict)))))
  assert.equal(typesOf(plan(facts, withDisputes(worldAt(AFTER), disputeFactsOf()))), [])
  assert.equal(judged('canonical'), ['adopt-exit'])
  assert.equal(judged('not-canonical'), [])
})

test('frees a dead share only where it is in the way of an owner who trusts it', () => {
  const facts = factsOf(RIVAL, [entryOf(0, { kind: 'other' })], [locked, turned])
  const behind = [{ token: ETH, from: 10n * ETHER, due: ETHER }]
  const poor = { ...readings, funded: new Map([[ETH, 10n * ETHER]]) }
  assert.equal(typesOf(plan(facts, worldAt(AFTER))), [])
  assert.equal(typesOf(plan(facts, worldAt(AFTER), { waiting: behind })), [])
  assert.equal(typesOf(plan(facts, worldAt(AFTER), { waiting: behind, readings: poor })), ['release-entry'])
  const live = factsOf(RIVAL, [entryOf(0, { owner: BOB })], [locked, turned])
  assert.equal(typesOf(plan(live, worldAt(AFTER), { waiting: behind, readings: poor })), [])
})

test('opens a struck entry where it keeps the line from somebody who trusts it, places what was opened, and leaves all others alone', () => {
  const struckEntry = entryOf(0, { spend: spend(0) })
  const behind = [{ token: ETH, from: 10n * ETHER, due: ETHER }]
  const unplaced = [{ token: ETH, from: undefined, due: ETHER }]
  const poor = { ...readings, funded: new Map([[ETH, 10n * ETHER]]) }
  const facts = factsOf(RIVAL, [struckEntry], [locked, turned, struck(0, ALICE)])
  const of = (changes: Partial<BatchInput>, given = facts) => typesOf(plan(given, worldAt(AFTER), changes))
  assert.equal(of({ waiting: behind, readings: poor }), ['open-entry'])
  assert.equal(of({ waiting: behind }), [], 'all are covered')
  assert.equal(of({ waiting: unplaced, readings: poor }), [], 'who has no place yet may never miss it')
  assert.equal(of({ waiting: behind, readings: undefined }), [])
  const unstruck = factsOf(RIVAL, [struckEntry], [locked, turned])
  assert.ok(
    !of({ waiting: behind, readings: poor }, unstruck).includes('open-entry'),
    'without a strike it would be paid',
  )
  const early = factsOf(RIVAL, [struckEntry], [locked, struck(0, ALICE)])
  assert.equal(of({ waiting: behind, readings: poor }, early), [])

  const { batchId } = facts.record
  const exit = exitOf({ owner: BOB, seq: OPENED_SEQ, payer: `0x${batchId.slice(26)}` })
  const evidence = spend(0).spend
  const openedBy = (pieces: readonly number[]) => {
    const opened = { ...recordOf(exit), evidence: pieces }
    return factsOf(RIVAL, [entryOf(0, { owner: BOB, spend: spend(0), exit: opened })], [locked, turned])
  }
  assert.equal(of({ waiting: behind, readings: poor }, openedBy([evidence])), ['place-entry'])
  assert.equal(of({ waiting: behind, readings: poor }, openedBy([])), [], 'a thief is not hastened')
  assert.equal(of({ waiting: behind }, openedBy([evidence])), [])
})

test('a share that nobody is owed is freed where entries of the same mass exit wait behind it, whoever waits in the queue', () => {
  const poor = { ...readings, funded: new Map([[ETH, 3n * ETHER]]) }
  const dead = entryOf(1, { owner: BOB, isClaimed: true })
  const waits = entryOf(4, { owner: BOB })
  const facts = factsOf(WATCHER, [dead, waits], [locked, turned])
  const trusts = (owner: Address) => owner === BOB
  assert.equal(typesOf(plan(facts, worldAt(AFTER), { trusts, readings: poor })), ['release-entry'])
  assert.equal(typesOf(plan(facts, worldAt(AFTER), { readings: poor })), [], 'nobody whom it acts for waits')
  assert.equal(typesOf(plan(facts, worldAt(AFTER), { trusts })), ['claim-entries'], 'covered, it is claimed')
})

test.run()

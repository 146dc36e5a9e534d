/** What is done about mass exits, as tables: what is on L1, what the verified blocks say, what is done, by when (docs/honest-watcher.md "Mass exits"). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../../protocol/bytes.ts'
import { OPENED_SEQ } from '../../../protocol/massExit.ts'
import { boundInDemands } from '../../../watcher/court/batch.ts'
import type { BatchAction, BatchFacts, EntryView } from '../../../watcher/court/batchActions.ts'
import { STRIKES_PER_CALL } from '../../../watcher/court/batchRules.ts'
import { isAction } from '../../../watcher/court/court.ts'
import { UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import type { World } from '../../../watcher/court/types.ts'
import { BATCH_DONE_ERRORS, encodeBatchAction } from '../../../watcher/driverBatches.ts'
import {
  AFTER,
  deadlines,
  demanded,
  type EventBody,
  entries,
  entryOf,
  factsOf,
  item,
  LOCK_TIME,
  locked,
  only,
  plan,
  spend,
  struck,
  turned,
  typesOf,
} from './batchScene.ts'
import {
  ALICE,
  accountOf,
  BOB,
  ETHER,
  exitOf,
  hashOf,
  headerOf,
  MALLORY,
  MEP,
  policyOf,
  positionOf,
  RIVAL,
  recordOf,
  START,
  spendOf,
  unsafeSince,
  WATCHER,
  worldAt,
} from './world.ts'

const test = suite('watcher: acts about mass exits')

test('answers a demand of its own batch at once, with the mandate', () => {
  const { mandate, signature } = accountOf()
  const facts = factsOf(WATCHER, [], [demanded(2)], { permission: () => ({ mandate, signature }) })
  const effects = plan(facts, worldAt(5))
  assert.equal(typesOf(effects), ['answer-demand', 'lock-batch'].slice(0, 1))
  const answer = only(effects, 'answer-demand')!
  assert.is(answer.deadline, deadlines.answer)
  assert.ok(answer.notBefore <= START + 5)
  assert.equal(answer.permission, { mandate, signature })
})

test('does not answer without a mandate on a live chain, and answers without one after a halt', () => {
  const facts = factsOf(WATCHER, [], [demanded(2)])
  assert.equal(typesOf(plan(facts, worldAt(5))), [])
  assert.equal(typesOf(plan(facts, worldAt(5, { voidFrom: 40 }))), ['answer-demand'])
})

test('never answers for a stranger, nor after the time for answers', () => {
  const { mandate, signature } = accountOf()
  const word = { permission: () => ({ mandate, signature }) }
  assert.equal(typesOf(plan(factsOf(RIVAL, [], [demanded(2)], word), worldAt(5))), [])
  assert.equal(only(plan(factsOf(WATCHER, [], [demanded(2)], word), worldAt(MEP / 4 + 1)), 'answer-demand'), undefined)
})

test('tells of a demand that stays unanswered while there is still time, and that its batch fell', () => {
  const { mandate, signature } = accountOf()
  const word = { permission: () => ({ mandate, signature }) }
  const late = plan(factsOf(WATCHER, [], [demanded(2)], word), worldAt(MEP / 4 - 5))
  assert.equal(typesOf(late), ['DEMAND_UNANSWERED', 'answer-demand'])
  const fallen = factsOf(WATCHER, [], [demanded(2), { type: 'BatchDissolved', demanded: 2 }])
  assert.equal(typesOf(plan(fallen, worldAt(MEP / 2))), ['BATCH_DISSOLVED'])
  const lapsed = factsOf(WATCHER, [], [{ type: 'BatchDissolved', demanded: null }])
  assert.equal(typesOf(plan(lapsed, worldAt(MEP))), [])
})

const demandRows: readonly (readonly [string, EntryView[], Partial<BatchFacts>, Partial<World>, readonly string[]])[] =
  [
    ['of a protected owner without a mandate', [entryOf(0)], {}, {}, ['BATCH_NAMES_PROTECTED', 'demand-entry']],
    ['of a protected owner with a mandate for it', [entryOf(0)], { permission: () => accountOf() }, {}, []],
    ['of somebody else', [entryOf(0, { owner: BOB })], {}, {}, []],
    ['that names nothing', [entryOf(0, { kind: 'other' })], {}, {}, ['demand-entry']],
    ['of a block that is not verified yet, safe chain', [entryOf(0, { kind: 'unverified' })], {}, {}, []],
    [
      'of a withheld block',
      [entryOf(0, { kind: 'unverified' })],
      {},
      { safety: unsafeSince(9, START) },
      ['demand-entry'],
    ],
    [
      'of a block that L1 does not know',
      [entryOf(0, { kind: 'unverified' })],
      {},
      { newestBlock: 9 },
      ['demand-entry'],
    ],
    ['of a protected owner, after a halt', [entryOf(0)], {}, { voidFrom: 40 }, []],
  ]
for (const [name, concerns, changes, world, want] of demandRows) {
  test(`demands an entry ${name}: ${want.includes('demand-entry')}`, () => {
    assert.equal(typesOf(plan(factsOf(RIVAL, concerns, [], changes), worldAt(1, world))), want)
  })
}

test('demands one entry of a batch, and another where the seed is another', () => {
  const all = entries.map((_, i) => entryOf(i))
  const chosen = new Set<number>()
  for (let seed = 0; seed < 40; seed++) {
    const world = worldAt(1)
    const own = { ...world, policy: { ...world.policy, seed: hashOf(seed) } }
    const found = plan(factsOf(RIVAL, all), own).filter(({ type }) => type === 'demand-entry')
    assert.is(found.length, 1)
    chosen.add(only(found, 'demand-entry')!.at.entry.index)
  }
  assert.ok(chosen.size > 2, `got only ${[...chosen]}`)
})

test('what can’t be answered at all is demanded before what may only be unknown to us', () => {
  const all = [entryOf(0), entryOf(1, { kind: 'other' }), entryOf(2)]
  assert.is(only(plan(factsOf(RIVAL, all), worldAt(1)), 'demand-entry')?.at.entry.index, 1)
})

test('demands once, in time, within its budget', () => {
  const facts = factsOf(RIVAL, [entryOf(0), entryOf(1)])
  const wants = (found: BatchFacts, world: World) => only(plan(found, world), 'demand-entry') !== undefined
  assert.ok(wants(facts, worldAt(MEP / 8)))
  assert.not(wants(facts, worldAt(MEP / 8 + 1)))
  assert.not(wants(factsOf(RIVAL, [entryOf(0), entryOf(1)], [demanded(1, WATCHER)]), worldAt(2)))
  const world = worldAt(1)
  assert.not(wants(facts, { ...world, policy: { ...world.policy, demandBudgetWei: 0n } }))
})

test('dissolves over its own demand, not over another’s; reclaims where another’s dissolved it', () => {
  const late = worldAt(MEP / 4 + 1)
  assert.equal(typesOf(plan(factsOf(RIVAL, [], [demanded(1, WATCHER)]), late)), ['dissolve-batch'])
  assert.equal(typesOf(plan(factsOf(RIVAL, [], [demanded(1, MALLORY)]), late)), [])
  const fallen = factsOf(RIVAL, [], [demanded(1, WATCHER), demanded(2), { type: 'BatchDissolved', demanded: 2 }])
  assert.equal(typesOf(plan(fallen, late)), ['reclaim-demand'])
  const byOurs = factsOf(RIVAL, [], [demanded(1, WATCHER), { type: 'BatchDissolved', demanded: 1 }])
  assert.equal(typesOf(plan(byOurs, late)), [])
})

test('locks its own and those with places of owners who trust it, when it may, with the hint of the young', () => {
  const due = worldAt(MEP / 4 + 1)
  assert.equal(typesOf(plan(factsOf(WATCHER, []), due)), ['lock-batch'])
  assert.equal(typesOf(plan(factsOf(WATCHER, []), worldAt(MEP / 4))), [])
  assert.equal(typesOf(plan(factsOf(WATCHER, []), worldAt(MEP / 2 + 1))), ['dissolve-batch'])
  assert.equal(typesOf(plan(factsOf(RIVAL, [entryOf(0, { owner: BOB })]), due)), [])
  assert.equal(typesOf(plan(factsOf(RIVAL, [entryOf(0, { owner: BOB })]), due, { trusts: () => true })), ['lock-batch'])
  assert.equal(only(plan(factsOf(WATCHER, [], [demanded(1)]), due), 'lock-batch'), undefined)
  assert.is(only(plan(factsOf(WATCHER, []), due, { youngBlocks: [3, 9, 10, 20] }), 'lock-batch')?.youngHint, 9)
})

test('strikes what a verified block spends, once, before the end of evidence', () => {
  const facts = factsOf(RIVAL, [entryOf(0, { spend: spend(0) }), entryOf(1, { spend: spend(1), owner: BOB })], [locked])
  const during = worldAt(MEP / 2)
  const strike = only(plan(facts, during), 'strike-entries')!
  assert.is(strike.struck.length, 2)
  assert.is(strike.deadline, item.exitableAt - MEP / 4)
  assert.equal(typesOf(plan(facts, worldAt(MEP / 4 + 1 + (3 * MEP) / 4 + 1))), [])
  const again = factsOf(RIVAL, [entryOf(0, { spend: spend(0) })], [locked, struck(0, ALICE)])
  assert.equal(typesOf(plan(again, during)), [])
  const byOther = factsOf(RIVAL, [entryOf(0, { spend: spend(0) })], [locked, struck(0, MALLORY)])
  assert.equal(typesOf(plan(byOther, during)), ['strike-entries'])
})

test('strikes with no spend that is void, as young as the lock, unverified or refuted', () => {
  const facts = (changes = {}) => factsOf(RIVAL, [entryOf(0, { spend: { ...spend(0), ...changes } })], [locked])
  const during = worldAt(MEP / 2)
  assert.equal(typesOf(plan(facts(), { ...during, voidFrom: 20, verifiedBlock: 19 })), [])
  assert.equal(typesOf(plan(facts(), { ...during, verifiedBlock: 19 })), [])
  assert.equal(typesOf(plan(facts({ header: headerOf({ anchor: item.lockedAt }) }), during)), [])
  assert.equal(typesOf(plan(facts({ header: headerOf({ anchor: item.lockedAt - 1 }) }), during)), ['strike-entries'])
})

test('a struck entry that was opened is left to challenges', () => {
  const { batchId } = factsOf(RIVAL, []).record
  const exit = recordOf(exitOf({ seq: OPENED_SEQ, payer: `0x${batchId.slice(26)}` }))
  assert.equal(typesOf(plan(factsOf(RIVAL, [entryOf(0, { spend: spend(0), exit })], [locked]), worldAt(MEP / 2))), [])
})

test('many strikes are cut into calls that L1 can hold', () => {
  const many = Array.from({ length: 2 * STRIKES_PER_CALL + 1 }, (_, i) => {
    const position = positionOf(11, i)
    const entry = { position, amount: ETHER, index: i, before: BigInt(i) * ETHER }
    return entryOf(0, { entry, spend: spendOf(exitOf({ position })), outputId: hashOf(1_000 + i) })
  })
  const found = plan(factsOf(RIVAL, many, [locked]), worldAt(MEP / 2))
  assert.equal(
    found.map((effect) => effect.type === 'strike-entries' && effect.struck.length),
    [STRIKES_PER_CALL, STRIKES_PER_CALL, 1],
  )
  assert.is(new Set(found.filter(isAction).map(({ key }) => key)).size, 3)
})

test('drops a strike against an owner who trusts it, once its spend fell', () => {
  const facts = factsOf(RIVAL, [entryOf(0)], [locked, struck(0, ALICE)])
  assert.equal(typesOf(plan(facts, worldAt(MEP / 2))), [])
  assert.equal(typesOf(plan(facts, worldAt(MEP / 2, { voidFrom: 20 }))), ['drop-strike'])
})

test('drops no strike later than MEP/2 before the end, and opens the entry after the turn instead', () => {
  const late = LOCK_TIME - START + MEP / 2 + 1
  const fell = { voidFrom: 20, verifiedBlock: 19 }
  const facts = (changes: Partial<EntryView> = {}) =>
    factsOf(RIVAL, [entryOf(0, changes)], [locked, struck(0, ALICE), turned])
  assert.equal(typesOf(plan(factsOf(RIVAL, [entryOf(0)], [locked, struck(0, ALICE)]), worldAt(late, fell))), [])
  assert.equal(typesOf(plan(facts(), worldAt(AFTER, fell))), ['open-entry'])
  assert.equal(typesOf(plan(facts(), worldAt(AFTER))), [], 'it stands, and what it shows we have not')
  assert.equal(typesOf(plan(facts(), worldAt(AFTER, { ...fell, lastMove: START + AFTER - MEP / 2 }))), ['drop-strike'])
  const other = { ...spend(0), spend: positionOf(15) }
  assert.equal(typesOf(plan(facts({ spend: other }), worldAt(AFTER, fell))), [], 'what is spent is hastened for nobody')
})

test('strikes over a strike that fell where another spend counts, whoever trusts it, and then drops nothing', () => {
  const other = { ...spend(0), spend: positionOf(15) }
  const halted = { voidFrom: 20, verifiedBlock: 19 }
  const planFor = (owner: Address, changes: Partial<EntryView> = {}) =>
    plan(factsOf(RIVAL, [entryOf(0, { owner, ...changes })], [locked, struck(0, owner)]), worldAt(MEP / 2, halted))
  for (const owner of [MALLORY, ALICE]) {
    const effects = planFor(owner, { spend: other })
    assert.equal(typesOf(effects), ['strike-entries'])
    assert.is(only(effects, 'strike-entries')?.struck[0]?.spend.spend, other.spend)
  }
  assert.equal(typesOf(planFor(MALLORY)), [], 'nothing else counts')
  assert.equal(typesOf(planFor(MALLORY, { spend: spend(0) })), [], 'the other fell too')
  const { batchId } = factsOf(RIVAL, []).record
  const exit = recordOf(exitOf({ owner: MALLORY, seq: OPENED_SEQ, payer: `0x${batchId.slice(26)}` }))
  assert.equal(typesOf(planFor(MALLORY, { spend: other, exit })), [], 'what was opened is challenged')
})

test('closes its own batch a period after it became payable', () => {
  const facts = factsOf(WATCHER, [], [locked, turned])
  const elapsed = LOCK_TIME - START + 2 * MEP
  assert.equal(typesOf(plan(facts, worldAt(elapsed))), [])
  assert.equal(typesOf(plan(facts, worldAt(elapsed + 1))), ['close-batch'])
  assert.equal(
    typesOf(plan(factsOf(WATCHER, [], [locked, turned, { type: 'BatchClosed', returned: 0n }]), worldAt(elapsed + 1))),
    [],
  )
})

test('without readings of L1 it still strikes and answers', () => {
  const facts = factsOf(WATCHER, [entryOf(0, { spend: spend(0) })], [locked])
  assert.equal(typesOf(plan(facts, worldAt(MEP / 2), { readings: undefined })), ['strike-entries'])
})

test('every act is a call of the root contract, and no act is unlisted', () => {
  const seen = new Set<string>()
  const { mandate, signature } = accountOf()
  const cases: readonly (readonly [BatchFacts, World])[] = [
    [factsOf(WATCHER, [], [demanded(2)], { permission: () => ({ mandate, signature }) }), worldAt(5)],
    [factsOf(RIVAL, [entryOf(0)]), worldAt(1)],
    [factsOf(WATCHER, []), worldAt(MEP / 4 + 1)],
    [factsOf(RIVAL, [entryOf(0, { spend: spend(0) })], [locked]), worldAt(MEP / 2)],
    [factsOf(RIVAL, [entryOf(0)], [locked, turned]), worldAt(AFTER)],
  ]
  for (const [facts, world] of cases) {
    for (const effect of plan(facts, world)) {
      if (!isAction(effect)) continue
      const action = effect as BatchAction
      assert.ok(encodeBatchAction(action).data.length > 10)
      assert.ok(action.type in BATCH_DONE_ERRORS)
      seen.add(action.type)
    }
  }
  assert.is(seen.size, 5)
})

test('a lock that others stand behind is not too dear once its place is about to come too late', () => {
  const facts = factsOf(WATCHER, [], [])
  const budget = (lastSafeMoment: number) => {
    const safety = { ...unsafeSince(40, START), lastSafeMoment } as World['safety']
    return only(plan(facts, worldAt(MEP / 4 + 2, { safety })), 'lock-batch')?.budgetWei
  }
  assert.is(budget(START + MEP / 4 + 60), policyOf().exitFloorWei)
  assert.is(budget(START + MEP / 4), UNLIMITED_WEI)
})

test('the budget for demands counts bonds that are open, and answered ones while their batch stands', () => {
  const lost = [demanded(0, WATCHER), { type: 'DemandAnswered', index: 0, outputId: hashOf(1) }] as const
  const bound = (...bodies: EventBody[]) => boundInDemands([factsOf(RIVAL, [], [...lost, ...bodies]).record], WATCHER)
  assert.is(bound(), ETHER / 100n)
  assert.is(bound(locked, turned), ETHER / 100n)
  assert.is(bound(locked, turned, { type: 'BatchClosed', returned: 0n }), 0n)
})

test.run()

/** What holds of every dispute, on random pieces, truths and worlds (docs/honest-watcher.md). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { refoldDispute, truthOf } from '../../../watcher/court/disputeRecord.ts'
import { answerWindow, competitorWindow, maturesAt } from '../../../watcher/court/exitTime.ts'
import { UNLIMITED_WEI, urgentFrom } from '../../../watcher/court/policy.ts'
import type { DecideDispute } from '../../../watcher/court/types.ts'
import { contradicted, included, look, OLDER, only, paidInput, SPEND, YOUNGER } from './disputeCases.ts'
import {
  ALICE,
  answered,
  type Dispute0,
  decided,
  disputeFactsOf,
  ETHER,
  exitOf,
  hashOf,
  MADE_AT,
  MALLORY,
  MEP,
  policyOf,
  postponed,
  recordOf,
  rival,
  START,
  T,
  worldAt,
} from './world.ts'

const promises = suite('promises about disputes')

const someBody = fc.oneof(
  fc.constantFrom(0, OLDER, SPEND, YOUNGER).map((position) => rival(position)),
  fc.constantFrom(OLDER, MADE_AT, YOUNGER).map(answered),
  fc.constantFrom(decided('canonical'), decided('not-canonical')),
)
const someTruth = fc.constantFrom<Dispute0>({}, included, contradicted, { ...included, ...contradicted })
const someSetup = fc
  .record({
    truth: someTruth,
    owner: fc.constantFrom(ALICE, MALLORY),
    isPaid: fc.boolean(),
    exit: fc.boolean(),
  })
  .map(
    ({ truth, owner, isPaid, exit }): Dispute0 => ({
      ...truth,
      inputs: [{ owner }],
      ...(isPaid ? paidInput : exit ? { inputExits: [recordOf(exitOf({ owner }), postponed(0n, ETHER))] } : {}),
    }),
  )
const someWorld = fc
  .record({
    elapsed: fc.integer({ min: 0, max: 2 * MEP }),
    verifiedBlock: fc.constantFrom(19, 30, 50),
    voidFrom: fc.constantFrom(0, 0, 20, 31),
    publicService: fc.boolean(),
  })
  .map(({ elapsed, publicService, ...changes }) =>
    worldAt(elapsed, { ...changes, policy: policyOf({ publicService }) }),
  )

promises('WATCH-1: never acts against a true dispute, never vouches for a false one, in no world', () => {
  fc.assert(
    fc.property(someSetup, fc.array(someBody, { maxLength: 6 }), someWorld, (setup, bodies, world) => {
      const facts = disputeFactsOf(setup, ...bodies)
      const { actions } = look(facts, world)
      for (const action of actions) {
        assert.is(facts.state, 'running')
        if (action.type === 'show-competitor') {
          assert.is(facts.made, undefined)
          assert.ok(setup.spends)
          assert.ok(world.verifiedBlock >= 20 && (world.voidFrom === 0 || world.voidFrom > 20))
          assert.ok(facts.competitors.every(({ position }) => position !== SPEND))
          assert.ok(world.now.timestamp <= competitorWindow(facts.dispute, world).until)
        } else if (action.type === 'answer-dispute') {
          assert.ok(facts.made && facts.competitors.length > 0)
          assert.ok((world.verifiedBlock >= 30 && world.voidFrom === 0) || world.voidFrom > 30)
          assert.ok(world.now.timestamp <= answerWindow(facts.dispute, world).until)
        } else {
          assert.is(action.type, 'decide-dispute')
          const { byPieces, record } = action as DecideDispute
          assert.ok(world.now.timestamp > maturesAt(facts.dispute, world))
          const truth = truthOf(record)
          if (byPieces === 'canonical') assert.is.not(truth, 'not-canonical')
        }
      }
      assert.is(new Set(actions.map(({ key }) => key)).size, actions.length)
    }),
    { numRuns: 3_000 },
  )
})

promises('events in any order, told any number of times, and after a reorg, make the same case', () => {
  fc.assert(
    fc.property(
      someSetup,
      fc.array(someBody, { maxLength: 6 }).chain((bodies) => {
        const { events } = disputeFactsOf({}, ...bodies)
        return fc.tuple(
          fc.constant(bodies),
          fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length }),
        )
      }),
      someWorld,
      (setup, [bodies, told], world) => {
        const facts = disputeFactsOf(setup, ...bodies)
        const heard = { ...facts, events: told, competitors: [], answers: [], state: 'canonical' as const }
        assert.equal(refoldDispute(heard), facts)
        assert.equal(look(heard, world), look(facts, world))
      },
    ),
  )
})

promises('one second online in the last quarter is enough, whatever L1 costs', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (isIncluded, when) => {
      const facts = isIncluded ? disputeFactsOf(included, rival(0)) : disputeFactsOf(contradicted)
      const window = (isIncluded ? answerWindow : competitorWindow)(facts.dispute, worldAt(0))
      const from = urgentFrom(window)
      const second = from + Math.floor(when * (window.until - from))
      const policy = policyOf({ staggerSeconds: 10, seed: `0xffffffff${'0'.repeat(56)}` })
      const [act] = look(facts, worldAt(second - START, { policy })).actions
      assert.ok(act && act.notBefore <= second && act.budgetWei === UNLIMITED_WEI)
    }),
  )
})

promises('keys of the same dispute are its own', () => {
  const one = only(disputeFactsOf(contradicted), 'show-competitor')
  const other = only(disputeFactsOf({ ...contradicted, txHash: hashOf(3) }), 'show-competitor')
  assert.is.not(one.key, other.key)
  assert.ok(one.purpose.includes(T))
})

promises.run()

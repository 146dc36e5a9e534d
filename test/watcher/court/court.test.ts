/** The whole decision at once: what holds whatever the order of events, restarts, reorganisations, fees and hours online. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Exit } from '../../../protocol/exit.ts'
import { type CourtInput, isAction, stepCourt } from '../../../watcher/court/court.ts'
import { isSuspended } from '../../../watcher/court/docket.ts'
import { foldRecord } from '../../../watcher/court/exitRecord.ts'
import { evidenceWindow } from '../../../watcher/court/exitTime.ts'
import { urgentFrom } from '../../../watcher/court/policy.ts'
import { NEW_CASE, stepExit } from '../../../watcher/court/standardExit.ts'
import type { Challenge, Effect, World } from '../../../watcher/court/types.ts'
import type { ExitEvent, ExitFacts, OutputFact } from '../../../watcher/facts.ts'
import {
  ALICE,
  accountOf,
  BOB,
  decided,
  disputedExitOf,
  disputeFactsOf,
  dropped,
  ETHER,
  eventsOf,
  exitOf,
  factsOf,
  GWEI,
  headerOf,
  MADE_AT,
  MALLORY,
  MEP,
  outputOf,
  ownSpend,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  recordOf,
  removed,
  rivalSpend,
  START,
  START_BLOCK,
  shown,
  spendOf,
  spentFact,
  UNSPENT,
  unsafeSince,
  unverifiedFact,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

const SPEND = positionOf(20)

function courtInput(changes: Partial<CourtInput> = {}): CourtInput {
  return {
    cases: new Map(),
    disputeCases: new Map(),
    exits: [],
    disputes: [],
    wards: [],
    records: [],
    headers: new Map(),
    readings: readingsOf(),
    world: worldAt(10),
    ...changes,
  }
}

const someBody = fc.oneof(
  fc
    .constantFrom(SPEND, positionOf(48), positionOf(49))
    .chain((spend) => fc.constantFrom(shown(spend), shown(spend, WATCHER), dropped(spend))),
  fc.constantFrom(paid(ETHER), paid(4n), postponed(5n, 9n), removed('spent'), removed('void')),
)
const someEvents = fc.array(someBody, { maxLength: 6 }).map((bodies) => eventsOf(...bodies))
const someExit = fc
  .record({
    owner: fc.constantFrom(ALICE, BOB, MALLORY),
    lockedAt: fc.integer({ min: START_BLOCK - 3, max: START_BLOCK }),
  })
  .map((changes) => exitOf(changes))
const someOutput = fc.oneof(
  fc.constant<OutputFact>(UNSPENT),
  fc.constantFrom('pending', 'missing', 'invalid', 'unverifiable').map((state) => unverifiedFact(state as 'missing')),
  fc
    .integer({ min: START_BLOCK - 6, max: START_BLOCK + 3 })
    .map((anchor) => spentFact(exitOf(), { header: headerOf({ anchor }) })),
  fc.constant<OutputFact>({ kind: 'mismatch', asOf: 50, got: 'x', want: 'y' }),
)
const someWorld = fc
  .record({
    elapsed: fc.integer({ min: 0, max: 2 * MEP }),
    verifiedBlock: fc.constantFrom(19, 20, 50),
    voidFrom: fc.constantFrom(0, 0, 20, 40),
    publicService: fc.boolean(),
    safety: fc.constantFrom(unsafeSince(30, START), unsafeSince(30, START, 'suspect'), worldAt(0).safety),
  })
  .map(({ elapsed, publicService, ...changes }) =>
    worldAt(elapsed, { ...changes, policy: policyOf({ publicService }) }),
  )

function actionsOf(effects: readonly Effect[]) {
  return effects.filter(isAction)
}

const fold = suite('folding')

fold('events in any order, told any number of times, make the same record', () => {
  fc.assert(
    fc.property(
      someExit,
      someEvents.chain((events) =>
        fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length })),
      ),
      (exit, [events, told]) => assert.equal(foldRecord(exit, told), foldRecord(exit, events)),
    ),
  )
})

fold('after a reorg only what L1 holds now decides, not the way there', () => {
  fc.assert(
    fc.property(someExit, someOutput, someWorld, someEvents, someEvents, (exit, output, world, before, after) => {
      const of = (events: readonly ExitEvent[]): ExitFacts => ({ ...foldRecord(exit, events), output })
      let seen = stepExit(NEW_CASE, { facts: of(before), world })
      for (let i = before.length; i > 0; i--) seen = stepExit(seen.next, { facts: of(before.slice(0, i)), world })
      for (let i = 1; i <= after.length; i++) seen = stepExit(seen.next, { facts: of(after.slice(0, i)), world })
      assert.equal(seen, stepExit(NEW_CASE, { facts: of(after), world }))
    }),
  )
})

fold('a record that the store got wrong is not believed', () => {
  const facts: ExitFacts = { ...factsOf(spentFact()), state: 'settled', evidence: [SPEND] }
  assert.is(stepExit(NEW_CASE, { facts, world: worldAt(10) }).next, 'accused')
})

const promises = suite('promises')

promises('never throws, and never acts against an exit that is valid, unverified or closed', () => {
  fc.assert(
    fc.property(someExit, someOutput, someWorld, someEvents, (exit, output, world, events) => {
      const facts: ExitFacts = { ...foldRecord(exit, events), output }
      const actions = actionsOf(stepCourt(courtInput({ exits: [facts], records: [facts], world })).effects)
      const challenges = actions.filter(({ type }) => type === 'challenge') as Challenge[]
      for (const { evidence } of challenges) {
        assert.is(output.kind, 'spent')
        assert.ok(facts.state === 'queued' || facts.state === 'ticket')
        assert.ok(evidence.header.anchor < exit.lockedAt)
        assert.ok(world.verifiedBlock >= 20 && (world.voidFrom === 0 || world.voidFrom > 20))
        assert.ok(!facts.evidence.includes(evidence.spend))
        assert.ok(world.now.timestamp <= evidenceWindow(exit, world).until)
      }
      if (actions.some(({ type }) => type === 'release')) assert.ok(facts.evidence.length > 0)
      if (actions.some(({ type }) => type === 'drop-evidence')) assert.is(output.kind, 'unspent')
      assert.is(new Set(actions.map(({ key }) => key)).size, actions.length)
    }),
    { numRuns: 2_000 },
  )
})

/** An L1 with the given price of a challenge: what the outbox would get mined at this second. */
function isMined(effects: readonly Effect[], world: World, costWei: bigint): boolean {
  const { timestamp } = world.now
  return actionsOf(effects).some(
    ({ type, notBefore, deadline, budgetWei }) =>
      type === 'challenge' && timestamp >= notBefore && timestamp <= deadline && budgetWei >= costWei,
  )
}

const someStart = fc.record({
  started: fc.integer({ min: START, max: START + 1_000 }),
  blockAge: fc.integer({ min: 0, max: 3 * MEP }),
  bondGwei: fc.bigInt(1n, 500n),
  staggerSeconds: fc.integer({ min: 0, max: 10 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  falseEvidence: fc.boolean(),
})

function invalidExit({
  started,
  blockAge,
  bondGwei,
  falseEvidence,
}: {
  started: number
  blockAge: number
  bondGwei: bigint
  falseEvidence: boolean
}): ExitFacts {
  const exitableAt = Math.max(started + MEP, started - blockAge + 2 * MEP)
  const exit: Exit = exitOf({ startedAt: started, exitableAt, bond: 400_000n * bondGwei * GWEI })
  return factsOf(spentFact(exit), exit, ...(falseEvidence ? [shown(positionOf(48))] : []))
}

function worldFor({ staggerSeconds, seed }: { staggerSeconds: number; seed: number }, timestamp: number): World {
  const policy = policyOf({ staggerSeconds, seed: `0x${seed.toString(16).padStart(8, '0')}${'0'.repeat(56)}` })
  return worldAt(timestamp - START, { policy })
}

promises('one second online in the last quarter is enough to challenge, whatever L1 costs', () => {
  fc.assert(
    fc.property(someStart, fc.double({ min: 0, max: 1, noNaN: true }), (start, when) => {
      const facts = invalidExit(start)
      const window = evidenceWindow(facts.exit, worldFor(start, START))
      const from = urgentFrom(window)
      const world = worldFor(start, from + Math.floor(when * (window.until - from)))
      assert.ok(isMined(stepCourt(courtInput({ exits: [facts], world })).effects, world, 1_000n * ETHER))
    }),
  )
})

promises('one second online after the random delay is enough while L1 costs what the bond reckons with', () => {
  fc.assert(
    fc.property(someStart, fc.double({ min: 0, max: 1, noNaN: true }), (start, when) => {
      const facts = invalidExit({ ...start, falseEvidence: false })
      const window = evidenceWindow(facts.exit, worldFor(start, START))
      const from = start.started + start.staggerSeconds
      const world = worldFor(start, from + Math.floor(when * (window.until - from)))
      const rewardWei = 280_000n * start.bondGwei * GWEI
      assert.ok(isMined(stepCourt(courtInput({ exits: [facts], world })).effects, world, rewardWei))
    }),
  )
})

promises('a spike of fees delays a challenge at most into the last quarter, and restarts cost nothing', () => {
  fc.assert(
    fc.property(
      someStart,
      fc.integer({ min: 0, max: 4 * MEP }),
      fc.integer({ min: 1, max: 7 }),
      (start, spikeEnds, pace) => {
        const facts = invalidExit(start)
        const window = evidenceWindow(facts.exit, worldFor(start, START))
        let minedAt: number | undefined
        for (let now = start.started; now <= window.until && minedAt === undefined; now += pace) {
          const world = worldFor(start, now)
          const costWei = now < start.started + spikeEnds ? 1_000n * ETHER : GWEI
          // A new watcher each time: nothing is remembered.
          if (isMined(stepCourt(courtInput({ exits: [facts], world })).effects, world, costWei)) minedAt = now
        }
        assert.ok(minedAt !== undefined)
        assert.ok(minedAt < urgentFrom(window) + pace)
      },
    ),
  )
})

const someDispute = fc
  .record({
    verdict: fc.constantFrom(undefined, 'canonical' as const, 'not-canonical' as const),
    made: fc.boolean(),
    spends: fc.boolean(),
    suspends: fc.constantFrom(0, 1),
  })
  .map(({ verdict, made, spends, suspends }) =>
    disputeFactsOf(
      {
        ...(made ? { made: placeAt() } : spends ? { spends: [rivalSpend()] } : {}),
        dispute: { suspends },
      },
      ...(verdict ? [decided(verdict)] : []),
    ),
  )
/** Of T's input, spent by T or another, or of T's output, spent where T is included; facts as the store tells them. */
const someTouched = fc.record({ isInput: fc.boolean(), spender: fc.constantFrom('none', 'T', 'other') })

promises(
  'WATCH-1 around disputes: never against an exit that a verdict clears, nor one that a verdict will judge',
  () => {
    fc.assert(
      fc.property(someDispute, someTouched, someWorld, someEvents, (dispute, { isInput, spender }, world, events) => {
        const exit = isInput ? exitOf() : disputedExitOf(0)
        const evidence =
          spender === 'T' && isInput
            ? ownSpend(dispute)
            : spendOf(isInput ? exit : exitOf({ position: MADE_AT }), { spend: positionOf(40) })
        const output: OutputFact = spender === 'none' ? UNSPENT : { kind: 'spent', asOf: 50, evidence }
        const facts: ExitFacts = {
          ...foldRecord(exit, events),
          output,
          ...(!isInput && { dispute: { state: dispute.state, ...(dispute.made && { made: dispute.made }) } }),
        }
        const disputed = withDisputes(world, dispute)
        const input = courtInput({ exits: [facts], records: [facts], disputes: [dispute], world: disputed })
        const actions = actionsOf(stepCourt(input).effects)
        const isBound = !isInput && dispute.state === 'not-canonical'
        for (const action of actions) {
          if (action.type === 'challenge') {
            assert.is.not(spender, 'none')
            assert.not(isBound)
            assert.not(isInput && dispute.state === 'canonical')
            if (spender === 'T' && isInput) {
              assert.is(dispute.state, 'running')
              assert.is(dispute.dispute.suspends, 0)
            }
            if (!isInput) assert.ok(action.made)
          }
          if (action.type === 'settle') assert.not(isSuspended(exit, disputed.docket) || isBound)
          if (action.type === 'release' && action.spend !== 0) assert.not(isSuspended(exit, disputed.docket))
          if (action.type === 'show-competitor') assert.not(dispute.made)
          if (action.type === 'answer-dispute') assert.ok(dispute.made)
        }
        assert.is(new Set(actions.map(({ key }) => key)).size, actions.length)
      }),
      { numRuns: 3_000 },
    )
  },
)

const composition = suite('the court')

composition('puts evidence first, the nearest deadline before the others, then our exits, then the queue', () => {
  const later = exitOf({ position: positionOf(11), exitableAt: START + 2 * MEP })
  const exits = [factsOf(spentFact(later), later), factsOf(spentFact(), exitOf())]
  const records = [recordOf(exitOf({ position: positionOf(12), owner: ALICE, exitableAt: START - 5 }))]
  const wards = [{ account: accountOf(), revoked: false, outputs: [outputOf()] }]
  const world = worldAt(10, { safety: unsafeSince(30, START) })
  const { effects } = stepCourt(courtInput({ exits, records, wards, world }))
  const actions = actionsOf(effects)
  assert.equal(
    actions.map(({ type }) => type),
    ['challenge', 'challenge', 'start-exit', 'process-exits'],
  )
  assert.ok(actions[0]!.deadline < actions[1]!.deadline)
})

composition('still shows evidence while L1 can’t be read, and does nothing else', () => {
  const wards = [{ account: accountOf(), revoked: false, outputs: [outputOf()] }]
  const world = worldAt(10, { safety: unsafeSince(30, START) })
  const { effects } = stepCourt(courtInput({ exits: [factsOf(spentFact())], wards, world, readings: undefined }))
  assert.equal(
    actionsOf(effects).map(({ type }) => type),
    ['challenge'],
  )
})

composition(
  'gives no turn to an exit that it holds invalid or can’t vouch for, unless evidence stands against it',
  () => {
    const exit = exitOf({ owner: ALICE, exitableAt: START - 5 })
    const turnsWith = (facts: ExitFacts) =>
      actionsOf(
        stepCourt(
          courtInput({
            exits: [facts],
            records: [facts],
            readings: readingsOf({ queue: { oldHead: 0, oldTail: 1, youngFirst: 0, youngCursor: 0 } }),
          }),
        ).effects,
      )
        .map(({ type }) => type)
        .includes('process-exits')
    assert.ok(turnsWith(factsOf(UNSPENT, exit)))
    assert.not(turnsWith(factsOf(spentFact(exit), exit)))
    assert.not(turnsWith(factsOf(unverifiedFact('missing'), exit)))
    assert.not(turnsWith(factsOf(unverifiedFact('pending'), exit)))
    assert.ok(turnsWith(factsOf(spentFact(exit), exit, shown(SPEND))))
  },
)

composition('keeps the phase of every dispute, and shows pieces though L1 can’t be read', () => {
  const disputes = [disputeFactsOf({ spends: [rivalSpend()] })]
  const { disputeCases, effects } = stepCourt(courtInput({ disputes, readings: undefined }))
  assert.equal([...disputeCases.values()], ['contradicted'])
  assert.equal(
    actionsOf(effects).map(({ type }) => type),
    ['show-competitor'],
  )
  const again = stepCourt(courtInput({ disputeCases, disputes: [disputeFactsOf()] }))
  assert.equal([...again.disputeCases.values()], ['running'])
})

composition('keeps the phase of every exit', () => {
  const { cases } = stepCourt(courtInput({ exits: [factsOf(spentFact())] }))
  assert.equal([...cases.values()], ['accused'])
  const again = stepCourt(courtInput({ cases, exits: [factsOf(UNSPENT)] }))
  assert.equal([...again.cases.values()], ['watching'])
})

fold.run()
promises.run()
composition.run()

/** Exits that disputes touch: through one, of its inputs, bound to its verdict (docs/spec.md section 6.3; docs/honest-watcher.md). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stepCourt } from '../../../watcher/court/court.ts'
import { createDocket, isSameTransaction, isSuspended, makerOf } from '../../../watcher/court/docket.ts'
import { foldRecord, piecesOf, refold, ticketOf } from '../../../watcher/court/exitRecord.ts'
import { type ExitPhase, NEW_CASE, stepExit } from '../../../watcher/court/standardExit.ts'
import type { Challenge, DropEvidence, ProcessExits, Release, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts, ExitFacts, ExitRecord, OutputFact } from '../../../watcher/facts.ts'
import {
  ALICE,
  BOB,
  decided,
  disputedExitOf,
  disputeFactsOf,
  dropped,
  ETH,
  ETHER,
  eventsOf,
  exitOf,
  factsOf,
  hashOf,
  headerOf,
  inherited,
  MADE_AT,
  MALLORY,
  MEP,
  ownSpend,
  paid,
  placeAt,
  policyOf,
  positionOf,
  postponed,
  readingsOf,
  recordOf,
  removed,
  START,
  shown,
  spendOf,
  spentFact,
  T,
  TKN,
  UNSPENT,
  unverifiedFact,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

type Body = Parameters<typeof recordOf>[1]
type Input = Parameters<typeof stepCourt>[0]
const SPEND = positionOf(40)
const running = disputeFactsOf({ made: placeAt() })
const refuted = disputeFactsOf({ made: placeAt() }, decided('not-canonical'))
const canonical = disputeFactsOf({ made: placeAt() }, decided('canonical'))
const notIncluded = disputeFactsOf()

const known = (dispute: DisputeFacts, elapsed = 10, changes: Partial<World> = {}) =>
  withDisputes(worldAt(elapsed, changes), dispute)

/** Bob's exit of T's output 0 through the dispute. */
function through(dispute: DisputeFacts, output: OutputFact = UNSPENT, ...bodies: Body[]): ExitFacts {
  const { state, made } = dispute
  return { ...factsOf(output, disputedExitOf(0), ...bodies), dispute: { state, ...(made && { made }) } }
}

/** Spent where T is included. */
const spentThere: OutputFact = {
  kind: 'spent',
  asOf: 50,
  evidence: spendOf(exitOf({ position: MADE_AT }), { spend: SPEND }),
}
/** Mallory's exit of T's input, which T spends in a verified block. */
const spentByT: OutputFact = { kind: 'spent', asOf: 50, evidence: ownSpend(running) }
const ofInput = (output: OutputFact, ...bodies: Body[]) => factsOf(output, exitOf(), ...bodies)

function look(facts: ExitFacts, world: World) {
  const { next, effects } = stepExit(NEW_CASE, { facts, world })
  return {
    phase: next,
    actions: effects.filter((effect) => effect.type !== 'alert'),
    alerts: effects.flatMap((effect) => (effect.type === 'alert' ? [effect.code] : [])),
  }
}

type Case = readonly [string, ExitPhase, ExitFacts, World, (string | undefined)?, ...string[]]
const late = MEP - MEP / 4 + 1
const table: readonly Case[] = [
  ['through a running dispute, in no block', 'waiting', through(notIncluded), known(notIncluded)],
  ['through a running dispute, included and unspent', 'waiting', through(running), known(running)],
  ['through a dispute that a reorg took from L1', 'waiting', through(running), worldAt(10)],
  [
    'through a running dispute, spent there',
    'accused',
    through(running, spentThere),
    known(running),
    'challenge',
    'DISPUTED_EXIT_INVALID',
  ],
  [
    'the same in the last quarter',
    'accused',
    through(running, spentThere),
    known(running, 150),
    'challenge',
    'DISPUTED_EXIT_INVALID',
    'DISPUTED_EXIT_UNCHALLENGED',
  ],
  ['the same, too late', 'missed', through(running, spentThere), known(running, late), undefined, 'CHALLENGE_FAILED'],
  ['the same, answered', 'answered', through(running, spentThere, shown(SPEND, BOB, MADE_AT)), known(running)],
  [
    'after a canonical verdict, spent there',
    'accused',
    through(canonical, spentThere),
    known(canonical),
    'challenge',
    'DISPUTED_EXIT_INVALID',
  ],
  ['after a canonical verdict, unspent', 'watching', through(canonical), known(canonical)],
  ['after a verdict that is not canonical', 'refuted', through(refuted), known(refuted)],
  ['the same, spent there', 'refuted', through(refuted, spentThere), known(refuted)],
  [
    'as old as an unverified block',
    'suspect',
    through(notIncluded, unverifiedFact('missing')),
    known(notIncluded),
    undefined,
    'EXIT_UNVERIFIABLE',
  ],
  ['as old as a block on its way', 'watching', through(notIncluded, unverifiedFact('pending')), known(notIncluded)],
  [
    'removed with the verdict',
    'closed-by-verdict',
    through(refuted, UNSPENT, removed('not-canonical')),
    known(refuted),
  ],
  [
    'removed by a verdict that there is not',
    'closed-unknown',
    through(canonical, UNSPENT, removed('not-canonical')),
    known(canonical),
    undefined,
    'EXIT_OUTCOME_UNKNOWN',
  ],
  ['paid after a canonical verdict', 'closed-paid', through(canonical, UNSPENT, paid(ETHER)), known(canonical)],
  [
    'paid though judged not canonical',
    'closed-unknown',
    through(refuted, UNSPENT, paid(ETHER)),
    known(refuted),
    undefined,
    'EXIT_OUTCOME_UNKNOWN',
  ],
  ['of an input, unspent', 'watching', ofInput(UNSPENT), known(notIncluded)],
  ['of an input, spent by T on trial', 'on-trial', ofInput(spentByT), known(running)],
  [
    'of an input, spent by T, whose dispute came too late to hold it',
    'accused',
    ofInput(spentByT),
    known(disputeFactsOf({ made: placeAt(), dispute: { suspends: 0 } })),
    'challenge',
    'INVALID_EXIT',
  ],
  [
    'of an input, spent by another',
    'accused',
    ofInput(spentFact()),
    known(running),
    'challenge',
    'DISPUTED_EXIT_INVALID',
  ],
  ['of an input, T was judged not canonical', 'watching', ofInput(spentByT), known(refuted)],
  [
    'of an input, that verdict and T as evidence',
    'disputed',
    ofInput(UNSPENT, shown(MADE_AT)),
    known(refuted),
    'drop-evidence',
  ],
  ['of an input, T was judged canonical', 'passed-on', ofInput(spentByT), known(canonical)],
  ['the same as a ticket', 'passed-on', ofInput(UNSPENT, postponed(0n, ETHER)), known(canonical)],
  ['the same at its turn', 'closed-by-verdict', ofInput(spentByT, removed('spent')), known(canonical)],
  [
    'of an input, removed as spent with no verdict',
    'closed-unknown',
    ofInput(UNSPENT, removed('spent')),
    known(running),
    undefined,
    'EXIT_OUTCOME_UNKNOWN',
  ],
  ['paid before T’s dispute', 'closed-paid', ofInput(UNSPENT, paid(ETHER)), known(refuted)],
]

const phases = suite('exits around disputes')

for (const [name, phase, facts, world, act, ...told] of table) {
  phases(`${name}: ${phase}`, () => {
    const { phase: got, actions, alerts } = look(facts, world)
    assert.is(got, phase)
    assert.equal(
      actions.map(({ type }) => type),
      act ? [act] : [],
    )
    assert.equal(alerts, told)
  })
}

phases('challenges through the dispute with the place of the disputed transaction', () => {
  const { record, made, evidence } = look(through(running, spentThere), known(running)).actions[0] as Challenge
  assert.is(made?.position, MADE_AT)
  assert.is(evidence.signed.transaction.inputs[evidence.input], MADE_AT)
  assert.is(record.exit.disputed, T)
})

phases('does not challenge with a place that it can’t show', () => {
  const { dispute: _, ...facts } = through(running, spentThere)
  const { actions, alerts } = look(facts, known(running))
  assert.equal(actions, [])
  assert.ok(alerts.includes('INTERNAL_FAULT'))
})

phases('drops a refuted spend for every owner, once it has the block that holds it', () => {
  const facts = ofInput(UNSPENT, shown(MADE_AT))
  const drop = look(facts, known(refuted)).actions[0] as DropEvidence
  assert.is(drop.refuted?.txHash, T)
  assert.is(drop.spend, MADE_AT)
  assert.is(drop.place, exitOf().position)
  const blind = known(disputeFactsOf({}, decided('not-canonical')))
  assert.equal(look(facts, blind).actions, [])
  assert.equal(
    look(factsOf(spentFact(), exitOf(), shown(MADE_AT)), known(refuted)).actions.map(({ type }) => type),
    ['challenge'],
  )
})

phases('does not clear the way for an exit that the verdict refuted', () => {
  const facts = through(refuted, UNSPENT, shown(MADE_AT, MALLORY, MADE_AT))
  assert.equal(look({ ...facts, exit: { ...facts.exit, owner: ALICE } }, known(refuted)).actions, [])
})

phases('drops evidence through a dispute that fell with what it names', () => {
  const exit = disputedExitOf(0, { owner: ALICE })
  const facts = { ...factsOf(UNSPENT, exit, shown(SPEND, MALLORY, MADE_AT)), dispute: { state: 'running' as const } }
  const world = known(notIncluded, 10, { voidFrom: 30 })
  const [drop] = look(facts, world).actions as DropEvidence[]
  assert.is(drop?.place, MADE_AT)
  assert.ok(drop?.key.endsWith(`:${MADE_AT}`))
})

const folds = suite('records around disputes')

folds('evidence through a dispute goes by spend and place, and fills no first slot', () => {
  const events = eventsOf(shown(SPEND, BOB, MADE_AT), shown(SPEND, BOB, MADE_AT + 16), dropped(SPEND, MADE_AT))
  assert.equal(piecesOf({ exit: disputedExitOf(0), events }), [{ spend: SPEND, place: MADE_AT + 16 }])
  assert.equal(foldRecord(disputedExitOf(0), events).evidence, [SPEND])
  assert.equal(foldRecord(disputedExitOf(0), eventsOf(shown(SPEND, BOB, 1), shown(SPEND, BOB, 2))).evidence, [SPEND])
})

folds('a further piece of an ordinary exit is dropped by the exit’s own position', () => {
  const events = eventsOf(shown(SPEND), shown(SPEND + 16), dropped(SPEND + 16, exitOf().position))
  assert.equal(foldRecord(exitOf(), events).evidence, [SPEND])
})

folds('what is inherited leaves the place as it is, and ends with the settlement', () => {
  const fold = (...bodies: Body[]) => foldRecord(exitOf(), eventsOf(postponed(10n, 9n), ...bodies))
  const half = fold(inherited(4n), paid(4n))
  assert.is(half.state, 'ticket')
  assert.equal(ticketOf(half.events), { from: 10n, due: 9n, inherited: 4n })
  const more = fold(inherited(4n), paid(4n), paid(2n))
  assert.equal(ticketOf(more.events), { from: 12n, due: 7n, inherited: 4n })
  assert.is(more.state, 'ticket')
  assert.is(fold(inherited(4n), paid(4n), paid(2n), paid(3n)).state, 'settled')
  const moved = fold(inherited(4n), paid(4n), postponed(2n, 9n))
  assert.equal(ticketOf(moved.events), { from: 2n, due: 9n, inherited: 4n }, 'also where it moves to an older place')
  const whole = fold(inherited(9n), paid(9n))
  assert.is(whole.state, 'ticket', 'the bond waits for the line')
  assert.is(fold(inherited(9n), paid(9n), paid(0n)).state, 'settled')
  assert.is(whole.paid, 9n)
})

folds('only an open exit is cancelled by a verdict', () => {
  const { docket } = known(canonical)
  assert.is(refold(recordOf(exitOf()), docket).state, 'cancelled')
  assert.is(refold(recordOf(exitOf(), postponed(0n, ETHER)), docket).state, 'cancelled-ticket')
  assert.is(refold(recordOf(exitOf(), removed('spent')), docket).state, 'removed')
  assert.is(refold(recordOf(exitOf(), paid(ETHER)), docket).state, 'settled')
  const misread = { ...recordOf(exitOf()), state: 'cancelled' as const }
  assert.is(refold(misread, known(running).docket).state, 'queued')
})

folds('an exit waits for what makes its output and for what spends it', () => {
  const docketOf = (changes: Partial<DisputeFacts['dispute']>) => createDocket([disputeFactsOf({ dispute: changes })])
  assert.ok(isSuspended(exitOf(), docketOf({})))
  assert.not(isSuspended(exitOf(), docketOf({ suspends: 2 })))
  assert.not(isSuspended(exitOf(), createDocket([canonical])))
  assert.ok(isSuspended(disputedExitOf(0), docketOf({})))
  assert.ok(isSuspended(disputedExitOf(0), createDocket([])))
  assert.not(isSuspended(disputedExitOf(0), createDocket([canonical])))
  assert.is(makerOf(exitOf(), docketOf({})), undefined)
})

folds('tells transactions apart by every field', () => {
  const { transaction } = running.signed
  const [output] = transaction.outputs
  assert.ok(isSameTransaction(transaction, { ...transaction, outputs: [{ ...output! }] }))
  for (const changes of [
    { memo: hashOf(1) },
    { inputs: [1] },
    { inputs: [...transaction.inputs, 1] },
    { outputs: [] },
    { outputs: [{ ...output!, owner: ALICE }] },
    { outputs: [{ ...output!, token: TKN }] },
    { outputs: [{ ...output!, amount: 1n }] },
    { outputs: [{ ...output!, condition: hashOf(1) }] },
  ]) {
    assert.not(isSameTransaction(transaction, { ...transaction, ...changes }))
  }
})

const queue = suite('the queue around disputes')

const FINAL = headerOf({ timestamp: START - 2 * MEP })
const mature = MEP + 100

function actionsOf(changes: Partial<Input>) {
  const { effects } = stepCourt({
    cases: new Map(),
    disputeCases: new Map(),
    exits: [],
    disputes: [],
    wards: [],
    records: [],
    headers: new Map([20, 30, 40].map((block) => [block, FINAL] as const)),
    readings: readingsOf({
      funded: new Map([[ETH, 5n * ETHER]]),
      queue: { oldHead: 9, oldTail: 9, youngFirst: 0, youngCursor: 0 },
    }),
    world: worldAt(mature),
    ...changes,
  })
  return effects.filter((effect) => effect.type !== 'alert')
}

const typesOf = (changes: Partial<Input>) => actionsOf(changes).map(({ type }) => type)
const service = { policy: policyOf({ publicService: true }) }
const aliceThrough = (...bodies: Body[]): ExitRecord => recordOf(disputedExitOf(0, { owner: ALICE }), ...bodies)

queue('settles an exit through a dispute after the canonical verdict only', () => {
  const facts = (dispute: DisputeFacts): ExitFacts => ({
    ...through(dispute),
    ...aliceThrough(postponed(0n, ETHER)),
  })
  assert.equal(typesOf({ exits: [facts(running)], world: known(running, mature) }), [])
  assert.equal(typesOf({ exits: [facts(canonical)], world: known(canonical, mature) }), ['settle'])
  assert.equal(typesOf({ exits: [facts(refuted)], world: known(refuted, mature, service) }), ['release'])
})

queue(
  'releases an input’s ticket by evidence only where no verdict is due, and of a contested one shows whose it is',
  () => {
    const facts = { ...ofInput(spentFact(), shown(positionOf(20)), postponed(0n, ETHER)) }
    const release = (dispute: DisputeFacts) =>
      actionsOf({ exits: [facts], world: known(dispute, mature, service) }).filter(
        ({ type }) => type === 'release',
      ) as Release[]
    assert.is(release(running).length, 0)
    const [contested] = release(refuted)
    assert.is(contested?.spend, positionOf(20))
    assert.is.not(contested?.shown?.txHash, T)
    assert.match(contested?.shown?.txHash ?? '', /^0x[0-9a-f]{64}$/)
    assert.is(contested?.place, exitOf().position)
  },
)

queue('releases nothing with a spend that a verdict refuted', () => {
  const facts = ofInput(UNSPENT, shown(MADE_AT), postponed(0n, ETHER))
  assert.equal(typesOf({ exits: [facts], world: known(refuted, mature, service) }), ['drop-evidence'])
})

queue('fetches our bond out of a ticket that a verdict passed on, and leaves strangers’ alone', () => {
  const ticket = (payer: `0x${string}`) => recordOf(exitOf({ payer }), postponed(0n, ETHER))
  const types = (payer: `0x${string}`, changes: Partial<World> = {}) =>
    typesOf({
      disputes: [{ ...canonical, inputExits: [ticket(payer)] }],
      world: known(canonical, mature, changes),
    })
  assert.equal(types(WATCHER), ['release'])
  assert.equal(types(ALICE), ['release'])
  assert.equal(types(MALLORY), [])
  assert.equal(types(MALLORY, service), ['release'])
  const [release] = actionsOf({
    disputes: [{ ...canonical, inputExits: [ticket(WATCHER)] }],
    exits: [ofInput(UNSPENT, postponed(0n, ETHER))],
    world: known(canonical, mature),
  }) as Release[]
  assert.is(release?.spend, 0)
})

queue('gives cancelled exits their turn like others, and brings no header of evidence that L1 does not look at', () => {
  const inLine = exitOf({ owner: ALICE, exitableAt: START - 5 })
  const processed = (dispute: DisputeFacts, output: OutputFact, ...bodies: Body[]) => {
    const facts = factsOf(output, inLine, ...bodies)
    const world = known(dispute, mature)
    const readings = readingsOf({ queue: { oldHead: 0, oldTail: 1, youngFirst: 0, youngCursor: 0 } })
    return actionsOf({ exits: [facts], records: [facts], readings, world }).find(
      ({ type }) => type === 'process-exits',
    ) as ProcessExits | undefined
  }
  assert.is(processed(canonical, UNSPENT)?.count, 1)
  const evidence = shown(positionOf(20))
  const headersOf = (dispute: DisputeFacts) => processed(dispute, spentFact(inLine), evidence)?.turns.evidenceBlocks
  assert.equal(headersOf(disputeFactsOf({ dispute: { suspends: 0 } })), [FINAL])
  assert.equal(headersOf(running), [])
  assert.equal(headersOf(refuted), [])
})

queue('an invalid exit that a dispute holds stands in nobody’s way: at its turn it is only reserved', () => {
  const thief = exitOf({ exitableAt: START - 5, seq: 0 })
  const ours = exitOf({ owner: ALICE, position: positionOf(11), exitableAt: START - 5, seq: 1 })
  const exits = [factsOf(spentFact(thief), thief), factsOf(UNSPENT, ours)]
  const readings = readingsOf({ queue: { oldHead: 0, oldTail: 2, youngFirst: 0, youngCursor: 0 } })
  const isProcessed = (world: World) => typesOf({ exits, records: exits, readings, world }).includes('process-exits')
  assert.not(isProcessed(worldAt(10)))
  assert.ok(isProcessed(known(running)))
})

queue('asks for the verdict that an invalid exit waits for', () => {
  const spent = through(running, spentThere)
  const types = (facts: ExitFacts) =>
    typesOf({
      exits: [facts],
      disputes: [{ ...running, outputs: [{ ...running.outputs[0]!, exit: facts }] }],
      world: known(running, mature),
    })
  assert.equal(types(spent), ['decide-dispute'])
  assert.equal(types(through(running)), [])
})

phases.run()
folds.run()
queue.run()

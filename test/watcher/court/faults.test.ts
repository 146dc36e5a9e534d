/** Ending the chain: in which phase a fault is, what the court does about it, by when and for how much; and the end of a chain left alone. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FraudProof } from '../../../protocol/fraud.ts'
import { stepCourt } from '../../../watcher/court/court.ts'
import {
  type FaultCase,
  type FaultPhase,
  faultPhase,
  isFaultSettled,
  planChain,
  restingOn,
} from '../../../watcher/court/faults.ts'
import { UNLIMITED_WEI } from '../../../watcher/court/policy.ts'
import type { Effect, World } from '../../../watcher/court/types.ts'
import type { DisputeFacts, ExitRecord, FaultFact } from '../../../watcher/facts.ts'
import {
  accountOf,
  answered,
  decided,
  disputeFactsOf,
  exitOf,
  GWEI,
  hashOf,
  headerOf,
  MEP,
  outputOf,
  paid,
  policyOf,
  positionOf,
  readingsOf,
  recordOf,
  rival,
  START,
  shown,
  T,
  unsafeSince,
  worldAt,
} from './world.ts'

/** Block 51, committed at START: its third transaction is forged. */
const BAD = positionOf(51, 2)
const fault: FaultFact = {
  block: 51,
  header: headerOf({ timestamp: START }),
  fault: { rule: 'V4', code: 'WITNESS_FORGED', index: 2, input: 0, got: 'no signer', want: 'somebody' },
  position: BAD,
  spends: new Set(),
}
const proof: FraudProof = {
  rule: 'V4',
  input: 0,
  shown: { kind: 'nothing' },
  offence: {
    position: BAD,
    signed: { transaction: { inputs: [positionOf(10)], outputs: [], memo: hashOf(0) }, witnesses: new Uint8Array(64) },
    header: fault.header,
    proof: { witnessesHash: hashOf(8), path: [] },
  },
}
const known: FaultCase = { fault, proof }

type Look = Readonly<{
  known?: FaultCase | undefined
  exits?: readonly ExitRecord[]
  disputes?: readonly DisputeFacts[]
  world?: World
}>

const look = ({ known: it = known, exits = [], disputes = [], world = worldAt(10) }: Look): readonly Effect[] =>
  planChain({ fault: it, exits, disputes, world })

const phaseIn = ({ known: it = known, exits = [], disputes = [], world = worldAt(10) }: Look): FaultPhase =>
  faultPhase(it, restingOn(it.fault, { exits, disputes, world }), world)

const kinds = (effects: readonly Effect[]) =>
  effects.map((effect) => (effect.type === 'alert' ? effect.code : effect.type))

const theft = recordOf(exitOf({ position: BAD + 1, young: true, startedAt: START + 20, exitableAt: START + 2 * MEP }))
const LATE = MEP + 1

const phases = suite('faults: phases')

const table: readonly (readonly [name: string, phase: FaultPhase, what: readonly string[], Look])[] = [
  ['just committed', 'due', ['prove-fault'], {}],
  ['the last second in which a proof halts', 'due', ['prove-fault', 'FAULT_UNPROVEN'], { world: worldAt(MEP) }],
  ['a second later, nothing rests on it', 'idle', [], { world: worldAt(LATE) }],
  ['later, an exit of its output is queued', 'late', ['prove-fault'], { world: worldAt(LATE), exits: [theft] }],
  ['halted at it', 'void', [], { world: worldAt(10, { voidFrom: 51, lastMove: START }) }],
  ['halted below it', 'void', [], { world: worldAt(10, { voidFrom: 40, lastMove: START }), exits: [theft] }],
  ['halted above it: the halt moves down', 'due', ['prove-fault'], { world: worldAt(10, { voidFrom: 52 }) }],
  ['closed by the operator above it', 'due', ['prove-fault'], { world: worldAt(10, { voidFrom: 53, lastMove: 0 }) }],
  [
    'recorded as invalid, the chain goes on',
    'recorded',
    [],
    { world: worldAt(LATE, { disproved: new Set([BAD]) }), exits: [theft] },
  ],
  [
    'another transaction was recorded',
    'due',
    ['prove-fault'],
    { world: worldAt(10, { disproved: new Set([BAD + 16]) }) },
  ],
  ['no proof can be built', 'unprovable', ['FAULT_UNPROVEN'], { known: { fault } }],
  ['no proof, and nothing to gain', 'idle', [], { known: { fault }, world: worldAt(LATE) }],
  ['no proof, halted all the same', 'void', [], { known: { fault }, world: worldAt(10, { voidFrom: 51 }) }],
]

for (const [name, phase, what, scene] of table) {
  phases(`${name}: ${phase}`, () => {
    assert.is(phaseIn(scene), phase)
    assert.equal(kinds(look(scene)), what)
  })
}

phases('needs no proof where L1 knows already', () => {
  for (const [, phase, , { world = worldAt(10) }] of table) {
    if (phase === 'void' || phase === 'recorded') assert.ok(isFaultSettled(fault, world))
    if (phase === 'due' || phase === 'late') assert.not(isFaultSettled(fault, world))
  }
})

const resting = suite('faults: what rests on the transaction')

const running = (bodies: Parameters<typeof disputeFactsOf>[1][] = [], position = positionOf(10)) =>
  disputeFactsOf({ inputs: [{ position }] }, ...(bodies as never[]))
const others = exitOf({ outputId: hashOf(77) })

const rests: readonly (readonly [name: string, count: number, Look])[] = [
  ['an exit of its output', 1, { exits: [theft] }],
  ['an exit as old as its output, through a dispute', 1, { exits: [recordOf(exitOf({ position: BAD, disputed: T }))] }],
  ['evidence that it is', 1, { exits: [recordOf(others, shown(BAD))] }],
  ['evidence that names its output', 1, { exits: [recordOf(others, shown(positionOf(51, 3), undefined, BAD + 1))] }],
  ['a competitor that it is', 1, { disputes: [running([rival(BAD)] as never)] }],
  ['an answer that it is', 1, { disputes: [running([rival(0), answered(BAD)] as never)] }],
  ['an input that it made', 1, { disputes: [running([], BAD + 1)] }],
  ['an exit of a neighbour’s output', 0, { exits: [recordOf(exitOf({ position: positionOf(51, 1) }))] }],
  ['an exit that is over', 0, { exits: [recordOf(theft.exit, paid(1n))] }],
  ['other evidence', 0, { exits: [recordOf(others, shown(positionOf(51, 3)))] }],
  ['a competitor in no block', 0, { disputes: [running([rival(0)] as never)] }],
  ['a dispute that is decided', 0, { disputes: [running([rival(BAD), decided('not-canonical')] as never)] }],
]

for (const [name, count, { exits = [], disputes = [] }] of rests) {
  resting(`${name}: ${count === 0 ? 'nothing' : 'a late proof is worth it'}`, () => {
    const world = worldAt(LATE)
    assert.is(restingOn(fault, { exits, disputes, world }).length, count)
    assert.equal(look({ exits, disputes, world }).filter(({ type }) => type === 'prove-fault').length, count)
  })
}

const terms = suite('faults: terms')

const actIn = (scene: Look) => {
  const act = look(scene).find((effect) => effect.type === 'prove-fault')
  if (act?.type !== 'prove-fault') throw new Error('no proof is wanted')
  return act
}

terms('halts by the block’s time + MEP, the budget doubles by quarters and then has no limit', () => {
  const { proofFloorWei } = policyOf()
  assert.is(actIn({}).deadline, START + MEP)
  assert.is(actIn({}).budgetWei, proofFloorWei)
  assert.is(actIn({ world: worldAt(MEP / 2) }).budgetWei, 4n * proofFloorWei)
  assert.is(actIn({ world: worldAt((MEP * 3) / 4) }).budgetWei, UNLIMITED_WEI)
  assert.ok(proofFloorWei >= 1_000_000n * 100n * GWEI, 'the largest proof at 100 gwei')
})

terms('waits for a tenth of the longest random delay at most', () => {
  const longest = policyOf({ staggerSeconds: 600 })
  for (let seed = 0; seed < 50; seed++) {
    const policy = { ...longest, seed: `0x${seed.toString(16).padStart(8, '0')}${'0'.repeat(56)}` as const }
    const { notBefore } = actIn({ world: worldAt(10, { policy }) })
    assert.ok(notBefore >= START && notBefore <= START + 60)
  }
})

terms('is another act when L1 holds the block at another time', () => {
  const moved = { ...fault, header: headerOf({ timestamp: START + 12 }) }
  assert.is.not(actIn({}).key, actIn({ known: { fault: moved, proof } }).key)
  assert.is(actIn({}).key, actIn({ world: worldAt(30) }).key)
})

terms('comes late until the first thing that rests on it would take effect', () => {
  const world = worldAt(LATE)
  const sooner = recordOf(exitOf({ position: BAD, exitableAt: START + MEP + 50 }))
  assert.is(actIn({ world, exits: [theft] }).deadline, START + 2 * MEP)
  assert.is(actIn({ world, exits: [theft, sooner] }).deadline, START + MEP + 50)
  assert.is(actIn({ world: worldAt(MEP + 45), exits: [sooner] }).budgetWei, UNLIMITED_WEI)
  assert.is(actIn({ world: worldAt(MEP + 60), exits: [sooner] }).deadline, START + 2 * MEP, 'past its turn: a ticket')
})

terms('tells in the last quarter that it is not proven, and that none can be built at once', () => {
  const [, told] = look({ world: worldAt((MEP * 3) / 4) })
  assert.is(told?.type === 'alert' && told.details['deadline'], START + MEP)
  assert.is(told?.type === 'alert' && told.key, '51')
  assert.equal(kinds(look({ world: worldAt((MEP * 3) / 4 - 1) })), ['prove-fault'])
})

terms('comes before everything else, and needs no readings of L1', () => {
  const world = worldAt(10, { safety: unsafeSince(51, START) })
  const input = {
    fault: known,
    cases: new Map(),
    disputeCases: new Map(),
    exits: [],
    disputes: [],
    wards: [{ account: accountOf(), revoked: false, outputs: [outputOf()] }],
    records: [],
    headers: new Map(),
    world,
  }
  assert.equal(kinds(stepCourt({ ...input, readings: readingsOf() }).effects), ['prove-fault', 'start-exit'])
  assert.equal(kinds(stepCourt({ ...input, readings: undefined }).effects), ['prove-fault'])
})

terms('keeps back from bonds what it may cost, but never more than a quarter of the key', () => {
  const { proofFloorWei, challengeReserveWei } = policyOf()
  const startsWith = (balanceWei: bigint, it: FaultCase | undefined) => {
    const { effects } = stepCourt({
      fault: it,
      cases: new Map(),
      disputeCases: new Map(),
      exits: [],
      disputes: [],
      wards: [{ account: accountOf(), revoked: false, outputs: [outputOf()] }],
      records: [],
      headers: new Map(),
      readings: readingsOf({ balanceWei }),
      world: worldAt(10, { safety: unsafeSince(51, START) }),
    })
    return effects.find((effect) => effect.type === 'start-exit')?.availableWei
  }
  assert.is(startsWith(10n ** 18n, undefined), 10n ** 18n - challengeReserveWei)
  assert.is(startsWith(10n ** 18n, known), 10n ** 18n - challengeReserveWei - proofFloorWei)
  assert.is(startsWith(10n ** 17n, known), 75n * 10n ** 15n - challengeReserveWei)
})

const silence = suite('faults: a chain left alone')

const SILENT = worldAt(0).parameters.abandonPeriod
const silentFor = (seconds: number, changes: Partial<World> = {}) =>
  kinds(
    planChain({
      fault: undefined,
      exits: [],
      disputes: [],
      world: worldAt(seconds, { newestTime: START, ...changes }),
    }),
  )

silence('is ended once ABANDON_PERIOD is over, not in its last second', () => {
  assert.equal(silentFor(SILENT), [])
  assert.equal(silentFor(SILENT + 1), ['halt-abandoned'])
})

silence('is left to others by a watcher that protects nobody, unless in public service', () => {
  assert.equal(silentFor(SILENT + 1, { protectedOwners: new Set() }), [])
  const policy = policyOf({ publicService: true })
  assert.equal(silentFor(SILENT + 1, { protectedOwners: new Set(), policy }), ['halt-abandoned'])
})

silence('is ended once', () => {
  assert.equal(silentFor(SILENT + 1, { voidFrom: 51 }), [])
})

silence('says nothing before the first block', () => {
  assert.equal(silentFor(SILENT + 1, { newestBlock: 0, newestTime: 0 }), [])
})

silence('waits for its random delay, on a keeper’s budget', () => {
  const policy = policyOf({ staggerSeconds: 20, seed: `0x0000000f${'0'.repeat(56)}` })
  const world = worldAt(SILENT + 1, { newestTime: START, policy })
  const [act] = planChain({ fault: undefined, exits: [], disputes: [], world })
  assert.is(act?.type === 'halt-abandoned' && act.notBefore, START + SILENT + 15)
  assert.is(act?.type === 'halt-abandoned' && act.budgetWei, policy.keeperBudgetWei)
})

for (const one of [phases, resting, terms, silence]) one.run()

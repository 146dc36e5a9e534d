/** Each rule about mass exits stops what it is there for, and nothing else. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Address, bytesToHex } from '../../../protocol/bytes.ts'
import type { Verdict } from '../../../protocol/dispute.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { type Batch, entryTree, hashBatch, OPENED_SEQ, placeEntries } from '../../../protocol/massExit.ts'
import { outputIdAt } from '../../../protocol/position.ts'
import type {
  AdoptExit,
  AnswerDemand,
  BatchAction,
  ClaimEntries,
  CloseBatch,
  DemandEntry,
  DissolveBatch,
  DropStrike,
  EntryView,
  LockBatch,
  OpenEntry,
  PlaceEntry,
  ReclaimDemand,
  ReleaseEntry,
  StartBatch,
  StrikeEntries,
} from '../../../watcher/court/batchActions.ts'
import * as batchRules from '../../../watcher/court/batchRules.ts'
import { type BatchEvent, type BatchRecord, foldBatch } from '../../../watcher/court/batchTypes.ts'
import type { Rule } from '../../../watcher/court/rule.ts'
import { findBrokenRule } from '../../../watcher/court/rules.ts'
import type { World } from '../../../watcher/court/types.ts'
import {
  ALICE,
  accountOf,
  decided,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  GWEI,
  hashOf,
  MALLORY,
  MEP,
  positionOf,
  postponed,
  RIVAL,
  recordOf,
  removed,
  START,
  START_BLOCK,
  shown,
  spendOf,
  unsafeSince,
  WATCHER,
  withDisputes,
  worldAt,
} from './world.ts'

const test = suite('rules of mass exits')

const entries = placeEntries([0, 1, 2].map((i) => ({ position: positionOf(10, i), amount: ETHER })))
const tree = entryTree(entries)
const LOCK = MEP / 4 + 1
const TURNED = LOCK + MEP + 10

function batchBy(coordinator: Address): Batch {
  const times = { madeAt: START - 5 * MEP, startedAt: START }
  const size = { count: 3, total: 3n * ETHER, last: positionOf(10, 2), bond: ETHER }
  return { root: bytesToHex(tree.root), token: ETH, coordinator, ...size, ...times }
}

const item = exitOf({
  owner: ETH,
  startedAt: START + LOCK,
  exitableAt: START + LOCK + MEP,
  lockedAt: START_BLOCK + LOCK,
})
type EventBody = BatchEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never
const locked: EventBody = { type: 'BatchLocked', item }
const turned: EventBody = { type: 'ExitPostponed', from: 0n, due: 3n * ETHER }
const demandOf = (index: number, demander: Address = MALLORY): EventBody => {
  return { type: 'EntryDemanded', index, position: positionOf(10, index), demander, bond: ETHER }
}
const answered = (index: number): EventBody => ({ type: 'DemandAnswered', index, outputId: hashOf(1) })
const dissolved = (demanded: number | null): EventBody => ({ type: 'BatchDissolved', demanded })
const strikeBy = (signer: Address): EventBody => {
  return { type: 'EntryStruck', position: positionOf(10), spend: positionOf(20), signer, challenger: RIVAL }
}
const used: EventBody = { type: 'EntryReleased', index: 0, amount: ETHER }

function recordBy(coordinator: Address, ...bodies: readonly EventBody[]): BatchRecord {
  const batch = batchBy(coordinator)
  const events = [{ type: 'BatchStarted', batchId: hashBatch(batch), batch } as const, ...bodies]
  const at = { l1Block: START_BLOCK, l1Timestamp: START, logIndex: 0, txHash: hashOf(1) }
  return foldBatch(events.map((body) => ({ ...body, at }) as BatchEvent))!
}

const terms = { key: 'k', purpose: 'p', notBefore: START, budgetWei: 1n }
const at = { entry: entries[0]!, tree }
const fact: EntryView = { entry: entries[0]!, kind: 'named', owner: ALICE, outputId: hashOf(7) }
const deposit = { kind: 'deposit', owner: ALICE, token: ETH, amount: ETHER } as const
const spend = spendOf(exitOf({ position: positionOf(10) }))
const word = accountOf()

const start: StartBatch = {
  ...terms,
  type: 'start-batch',
  root: hashOf(9),
  deadline: START + 30,
  token: ETH,
  entries: entries.map(({ position, amount }) => ({ position, amount })),
  leastBondWei: 580_000n * GWEI,
  bondWei: 725_000n * GWEI,
  costWei: 400_000n * GWEI,
  baseFeeWei: GWEI,
  availableWei: ETHER,
  isMandated: true,
}
const unsafe = worldAt(1, { safety: unsafeSince(40, START) })
const demand: DemandEntry = {
  ...terms,
  type: 'demand-entry',
  deadline: START + MEP / 8,
  record: recordBy(RIVAL),
  at,
  why: 'uninvited',
  leastBondWei: 250_000n * GWEI,
  bondWei: 312_500n * GWEI,
  costWei: 100_000n * GWEI,
  allowanceWei: ETHER,
  availableWei: ETHER,
  baseFeeWei: GWEI,
}
const asked = recordBy(WATCHER, demandOf(0))
const answer: AnswerDemand = {
  ...terms,
  type: 'answer-demand',
  deadline: START + MEP / 4,
  record: asked,
  demand: asked.demands.get(0)!,
  at,
  shown: deposit,
  permission: word,
}
const lock: LockBatch = {
  ...terms,
  type: 'lock-batch',
  deadline: START + MEP / 2,
  record: recordBy(WATCHER),
  youngHint: 0,
  isOurs: true,
  helpsOurs: false,
}
const dissolve: DissolveBatch = {
  ...terms,
  type: 'dissolve-batch',
  deadline: START + MEP,
  record: recordBy(RIVAL, demandOf(0, WATCHER)),
  demanded: 0,
}
const fallen = recordBy(RIVAL, demandOf(0, WATCHER), demandOf(1), dissolved(1))
const reclaim: ReclaimDemand = {
  ...terms,
  type: 'reclaim-demand',
  deadline: START + MEP,
  record: fallen,
  demand: fallen.demands.get(0)!,
  costWei: 1n,
}
const strike: StrikeEntries = {
  ...terms,
  type: 'strike-entries',
  deadline: item.exitableAt - MEP / 4,
  record: recordBy(RIVAL, locked),
  struck: [{ fact, spend }],
}
const struckRecord = recordBy(RIVAL, locked, strikeBy(ALICE))
const drop: DropStrike = {
  ...terms,
  type: 'drop-strike',
  deadline: item.exitableAt - MEP / 2,
  record: struckRecord,
  strike: [...struckRecord.strikes.values()][0]!,
  helpsOurs: true,
}
/** What it was struck with is void. */
const fell = { voidFrom: 20, verifiedBlock: 19 }
const dispute = disputeFactsOf()
const disputed: EntryView = { ...fact, outputId: dispute.inputs[0]!.outputId }
const during = withDisputes(worldAt(3 * MEP), dispute)
const open: OpenEntry = {
  ...terms,
  type: 'open-entry',
  deadline: START + MEP,
  record: recordBy(RIVAL, locked, turned),
  fact: disputed,
  at,
  shown: deposit,
  helpsOurs: true,
}
const onLine = recordBy(RIVAL, locked, turned)
const openedElsewhere = exitOf({ owner: ALICE, seq: OPENED_SEQ, payer: MALLORY })
const openedExit = exitOf({ owner: ALICE, seq: OPENED_SEQ, payer: `0x${onLine.batchId.slice(26)}` })
const place: PlaceEntry = {
  ...terms,
  type: 'place-entry',
  deadline: START + MEP,
  record: onLine,
  fact: { ...fact, exit: recordOf(openedExit) },
  at,
  exit: openedExit,
  helpsOurs: true,
}
const share = { ...terms, deadline: START + 3 * MEP, record: onLine, at, shown: deposit, fundedTo: 10n * ETHER }
const beside = recordOf(exitOf({ owner: ALICE }))
const late = recordOf(exitOf({ owner: ALICE }), postponed(50n * ETHER, ETHER))
const adopt: AdoptExit = {
  ...share,
  type: 'adopt-exit',
  fact: { ...fact, exit: late },
  exit: late,
  helpsOurs: true,
}
const claim: ClaimEntries = {
  ...share,
  type: 'claim-entries',
  claims: [{ fact, at, shown: deposit }],
  helpsOurs: true,
}
const release: ReleaseEntry = { ...share, type: 'release-entry', fact: { ...fact, kind: 'other' }, helpsOurs: true }
const own = recordBy(WATCHER, locked, turned)
const close: CloseBatch = { ...terms, type: 'close-batch', deadline: START + 9 * MEP, record: own }
const closing = worldAt(LOCK + 2 * MEP + 1)
const later = worldAt(TURNED)

type Row = readonly [rule: string, forbidden: BatchAction, world: World, allowed?: BatchAction, allowedWorld?: World]

/** A verdict passed it on after its turn, and somebody fetched its bond since. */
const passedOnAt = (from: bigint) => ({
  ...recordOf(beside.exit, postponed(from, ETHER), removed('spent')),
  passedOn: hashOf(9),
})

const made: EntryView = { ...fact, outputId: outputIdAt(0, dispute.dispute.txHash) }
const judged = (verdict: Verdict) => withDisputes(later, disputeFactsOf({}, decided(verdict)))
const openOfMade: OpenEntry = { ...open, fact: { ...made, isLockedBefore: true } }
const openOfStruck: OpenEntry = { ...open, fact, record: recordBy(RIVAL, locked, turned, strikeBy(ALICE)) }
const adoptOf = (changes: Partial<Exit>, view: EntryView = fact): AdoptExit => {
  const exit = recordOf(exitOf({ owner: ALICE, ...changes }), postponed(50n * ETHER, ETHER))
  return { ...adopt, fact: { ...view, exit }, exit }
}
const adoptOfMade = adoptOf({ outputId: made.outputId! }, made)
const adoptOfCopy = adoptOf({ position: positionOf(11) })
const adoptOfSpent = adoptOf({ outputId: disputed.outputId! }, disputed)

const rows: readonly Row[] = [
  ['BATCH-ONLY-WHEN-UNSAFE', start, worldAt(1), start, unsafe],
  ['BATCH-WELL-FORMED', { ...start, entries: [...start.entries].reverse() }, unsafe, start],
  ['BATCH-WELL-FORMED', { ...start, entries: [start.entries[0]!, start.entries[0]!] }, unsafe],
  ['BATCH-WELL-FORMED', { ...start, entries: [] }, unsafe],
  [
    'BATCH-MANDATED',
    { ...start, isMandated: false },
    unsafe,
    { ...start, isMandated: false },
    { ...unsafe, voidFrom: 40 },
  ],
  ['BATCH-OF-WHAT-STANDS', start, { ...unsafe, voidFrom: 10 }, start, { ...unsafe, voidFrom: 11 }],
  [
    'BATCH-BOND-BY-FORMULA',
    { ...start, bondWei: 580_000n * 16n * 15n * (GWEI / 10n) + 1n },
    unsafe,
    { ...start, bondWei: 580_000n * 16n * 15n * (GWEI / 10n) },
  ],
  [
    'BATCH-BOND-AFFORDABLE',
    { ...start, availableWei: start.bondWei + start.costWei - 1n },
    unsafe,
    { ...start, availableWei: start.bondWei + start.costWei },
  ],
  ['DEMAND-OF-STRANGERS', { ...demand, record: recordBy(WATCHER) }, worldAt(1), demand],
  ['DEMAND-IN-TIME', demand, worldAt(MEP / 8 + 1), demand, worldAt(MEP / 8)],
  ['DEMAND-IN-TIME', { ...demand, deadline: START + MEP / 8 + 1 }, worldAt(1)],
  ['DEMAND-IN-TIME', { ...demand, record: recordBy(RIVAL, dissolved(null)) }, worldAt(1)],
  ['DEMAND-IS-NEW', { ...demand, record: recordBy(RIVAL, demandOf(0)) }, worldAt(1), demand],
  ['DEMAND-IS-NEW', { ...demand, record: recordBy(RIVAL, demandOf(0), answered(0)) }, worldAt(1)],
  [
    'DEMAND-BOND-BY-FORMULA',
    { ...demand, bondWei: 6_000_000n * GWEI + 1n },
    worldAt(1),
    { ...demand, bondWei: 6_000_000n * GWEI },
  ],
  ['DEMAND-WITHIN-BUDGET', { ...demand, allowanceWei: demand.bondWei - 1n }, worldAt(1), demand],
  ['DEMAND-WITHIN-BUDGET', { ...demand, availableWei: demand.bondWei }, worldAt(1)],
  ['DEMAND-IS-OPEN', { ...answer, record: recordBy(WATCHER, demandOf(0), answered(0)) }, worldAt(5), answer],
  ['DEMAND-IS-OPEN', { ...answer, record: recordBy(WATCHER) }, worldAt(5)],
  ['DEMAND-ANSWER-IN-TIME', answer, worldAt(MEP / 4 + 1), answer, worldAt(MEP / 4)],
  ['DEMAND-ANSWER-NAMES', { ...answer, shown: { ...deposit, amount: ETHER - 1n } }, worldAt(5), answer],
  ['DEMAND-ANSWER-NAMES', { ...answer, shown: { kind: 'nothing' } }, worldAt(5)],
  ['DEMAND-ANSWER-MANDATED', withoutWord(), worldAt(5), withoutWord(), worldAt(5, { voidFrom: 40 })],
  ['LOCK-WHAT-STANDS', { ...lock, record: asked }, worldAt(LOCK), lock],
  ['LOCK-IN-TIME', lock, worldAt(MEP / 4), lock, worldAt(MEP / 4 + 1)],
  ['LOCK-IN-TIME', lock, worldAt(MEP / 2 + 1), lock, worldAt(MEP / 2)],
  ['LOCK-WITH-INTEREST', { ...lock, isOurs: false }, worldAt(LOCK), { ...lock, isOurs: false, helpsOurs: true }],
  ['DISSOLVE-WHEN-DUE', dissolve, worldAt(MEP / 4), dissolve, worldAt(MEP / 4 + 1)],
  ['DISSOLVE-WHEN-DUE', { ...dissolve, record: recordBy(RIVAL, demandOf(0)) }, worldAt(MEP / 4 + 1)],
  ['DISSOLVE-WHEN-DUE', { ...dissolve, record: recordBy(RIVAL, demandOf(0, WATCHER), answered(0)) }, worldAt(MEP)],
  ['DISSOLVE-WHEN-DUE', { ...dissolve, demanded: null }, worldAt(MEP)],
  ['RECLAIM-OURS', { ...reclaim, costWei: ETHER }, worldAt(MEP), reclaim],
  ['RECLAIM-OURS', { ...reclaim, demand: fallen.demands.get(1)! }, worldAt(MEP)],
  ['RECLAIM-OURS', { ...reclaim, record: recordBy(RIVAL, demandOf(0, WATCHER)) }, worldAt(MEP)],
  ['STRIKE-WHAT-IS-SPENT', { ...strike, struck: [] }, worldAt(MEP / 2), strike],
  [
    'STRIKE-WHAT-IS-SPENT',
    strike,
    worldAt(MEP / 2, { verifiedBlock: 19 }),
    strike,
    worldAt(MEP / 2, { verifiedBlock: 20 }),
  ],
  ['STRIKE-IN-TIME', strike, worldAt(LOCK + MEP - MEP / 4 + 1), strike, worldAt(LOCK + MEP - MEP / 4)],
  ['STRIKE-IS-NEW', { ...strike, record: struckRecord }, worldAt(MEP / 2)],
  [
    'STRIKE-IS-NEW',
    { ...strike, struck: [{ fact: { ...fact, exit: recordOf(openedExit) }, spend }] },
    worldAt(MEP / 2),
    { ...strike, struck: [{ fact: { ...fact, exit: beside }, spend }] },
  ],
  [
    'STRIKES-UNDER-THE-GAS-CAP',
    { ...strike, struck: Array(batchRules.STRIKES_PER_CALL + 1).fill({ fact, spend }) },
    worldAt(MEP / 2),
    { ...strike, struck: Array(batchRules.STRIKES_PER_CALL).fill({ fact, spend }) },
  ],
  ['STRIKE-HAS-FALLEN', drop, worldAt(MEP / 2, { voidFrom: 21 }), drop, worldAt(MEP / 2, { voidFrom: 20 })],
  ['DROP-STRIKE-IN-TIME', drop, worldAt(LOCK + MEP / 2 + 1, fell), drop, worldAt(LOCK + MEP / 2, fell)],
  [
    'DROP-STRIKE-IN-TIME',
    { ...drop, deadline: drop.deadline + 1 },
    worldAt(MEP / 2, fell),
    { ...drop, deadline: drop.deadline + 1 },
    worldAt(MEP / 2, { ...fell, lastMove: START + MEP / 2 }),
  ],
  [
    'DROP-STRIKE-WITH-INTEREST',
    { ...drop, helpsOurs: false },
    worldAt(MEP / 2, { voidFrom: 20 }),
    drop,
    worldAt(MEP / 2, { voidFrom: 20 }),
  ],
  ['OPEN-WHAT-IS-DISPUTED', open, worldAt(3 * MEP), open, during],
  ['OPEN-WHAT-IS-DISPUTED', { ...open, record: recordBy(RIVAL, locked) }, during, open],
  ['OPEN-UNUSED', { ...open, record: recordBy(RIVAL, locked, turned, used) }, during, open],
  ['OPEN-UNUSED', openOfMade, judged('not-canonical'), openOfMade, judged('canonical')],
  ['OPEN-WHAT-IS-DISPUTED', openOfStruck, later, { ...openOfStruck, fact: { ...openOfStruck.fact, isCleared: true } }],
  [
    'OPEN-WHAT-IS-DISPUTED',
    { ...openOfStruck, fact: { ...openOfStruck.fact, isCleared: true }, record: onLine },
    later,
  ],
  ['OPEN-WHAT-IS-DISPUTED', openOfStruck, later, openOfStruck, { ...later, ...fell }],
  [
    'OPEN-WHAT-IS-DISPUTED',
    openOfStruck,
    { ...later, ...fell, lastMove: START + TURNED - MEP / 2 },
    openOfStruck,
    { ...later, ...fell, lastMove: START + TURNED - MEP / 2 - 1 },
  ],
  ['OPEN-WITH-INTEREST', { ...open, helpsOurs: false }, during, open],
  ['PLACE-AFTER-THE-TURN', { ...place, record: recordBy(RIVAL, locked) }, later, place],
  ['PLACE-AFTER-THE-TURN', { ...place, exit: exitOf({ owner: ALICE }) }, later],
  ['PLACE-NO-THIEF', { ...place, fact: { ...place.fact, spend } }, later, place],
  ['PLACE-WITH-INTEREST', { ...place, helpsOurs: false }, later, place],
  ['ADOPT-THE-OLDER-PLACE', { ...adopt, exit: recordOf(beside.exit, postponed(0n, ETHER)) }, later, adopt],
  ['ADOPT-THE-OLDER-PLACE', { ...adopt, exit: recordOf(openedExit) }, later],
  ['ADOPT-THE-OLDER-PLACE', { ...adopt, exit: beside }, later, { ...adopt, exit: recordOf(openedElsewhere) }],
  ['ADOPT-THE-OLDER-PLACE', { ...adopt, exit: recordOf(exitOf({ owner: ALICE, position: positionOf(11) })) }, later],
  ['ADOPT-THE-OLDER-PLACE', { ...adopt, exit: passedOnAt(0n) }, later, { ...adopt, exit: passedOnAt(1_000n * ETHER) }],
  [
    'ADOPT-THE-OLDER-PLACE',
    { ...adopt, exit: recordOf(openedExit) },
    later,
    { ...adopt, exit: recordOf(openedExit, postponed(50n * ETHER, ETHER)) },
  ],
  ['ADOPT-THE-OLDER-PLACE', { ...adoptOfCopy, fundedTo: 0n }, later, { ...adopt, fundedTo: 0n }],
  [
    'ADOPT-THE-OLDER-PLACE',
    { ...adopt, fundedTo: 0n, exit: recordOf(exitOf({ owner: ALICE }), postponed(50n * ETHER, ETHER - 1n)) },
    later,
  ],
  ['ADOPT-THE-OLDER-PLACE', adoptOfMade, judged('not-canonical'), adoptOfMade, judged('canonical')],
  ['ADOPT-THE-OLDER-PLACE', adoptOfCopy, { ...later, voidFrom: 11 }, adoptOfCopy, { ...later, voidFrom: 12 }],
  ['ADOPT-THE-OLDER-PLACE', adoptOfSpent, withDisputes(later, dispute), adoptOfSpent, later],
  ['ADOPT-NO-THIEF', { ...adopt, fact: { ...adopt.fact, spend } }, later, adopt],
  ['ADOPT-NO-THIEF', { ...adopt, exit: recordOf(openedElsewhere, shown(positionOf(20))) }, later],
  ['ADOPT-WITH-INTEREST', { ...adopt, helpsOurs: false }, later, adopt],
  ['CLAIM-WHAT-IS-DUE', claim, worldAt(LOCK + MEP), claim, worldAt(LOCK + MEP + 1)],
  ['CLAIM-WHAT-IS-DUE', { ...claim, fundedTo: ETHER - 1n }, later, { ...claim, fundedTo: ETHER }],
  ['CLAIM-WHAT-IS-DUE', { ...claim, claims: [] }, later],
  ['CLAIM-NOT-FOR-A-THIEF', { ...claim, claims: [{ fact: { ...fact, spend }, at, shown: deposit }] }, later, claim],
  ['CLAIM-WITH-INTEREST', { ...claim, helpsOurs: false }, later, claim],
  ['RELEASE-DEAD-SHARES', { ...release, fact }, later, release],
  ['RELEASE-DEAD-SHARES', { ...release, fact: { ...fact, kind: 'unverified' } }, later],
  ['RELEASE-DEAD-SHARES', { ...release, record: recordBy(RIVAL, locked, turned, used) }, later],
  [
    'RELEASE-DEAD-SHARES',
    { ...release, fact: { ...fact, exit: beside } },
    later,
    { ...release, fact: { ...fact, isClaimed: true } },
  ],
  [
    'RELEASE-COVERED-SHARES',
    { ...release, fact: { ...release.fact, entry: entries[1]! }, fundedTo: ETHER - 1n },
    later,
    { ...release, fact: { ...release.fact, entry: entries[1]! }, fundedTo: ETHER },
  ],
  ['RELEASE-SHARES-WITH-INTEREST', { ...release, helpsOurs: false }, later, release],
  ['CLOSE-OUR-OWN', close, worldAt(LOCK + 2 * MEP), close, closing],
  ['CLOSE-OUR-OWN', { ...close, record: onLine }, closing],
]

function withoutWord(): AnswerDemand {
  const { permission: _, ...rest } = answer
  return rest
}

rows.forEach(([rule, forbidden, world, allowed, allowedWorld], i) => {
  test(`${rule} stops what it is there for (${i})`, () => {
    assert.is(findBrokenRule(forbidden, world)?.id, rule)
    if (allowed) assert.is(findBrokenRule(allowed, allowedWorld ?? world)?.id, undefined)
  })
})

test('every rule has such a pair', () => {
  const tried = new Set(rows.filter(([, , , allowed]) => allowed).map(([rule]) => rule))
  const all = Object.values(batchRules).flatMap((value) => (Array.isArray(value) ? (value as Rule<never>[]) : []))
  assert.is(all.length, 43)
  assert.equal(
    all.map(({ id }) => id).filter((id) => !tried.has(id)),
    [],
  )
})

test.run()

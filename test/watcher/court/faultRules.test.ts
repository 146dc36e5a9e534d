/** The rules about ending the chain, each by itself: an act that only this rule forbids, and its nearest neighbour that it allows. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ABANDON_RULES, PROOF_RULES } from '../../../watcher/court/faultRules.ts'
import { findBrokenRule } from '../../../watcher/court/rules.ts'
import type { DropEvidence, HaltAbandoned, ProveFault, Release } from '../../../watcher/court/types.ts'
import { type FullPair, triedBy, tryPairs } from './rulePairs.ts'
import {
  ALICE,
  exitOf,
  hashOf,
  headerOf,
  MEP,
  policyOf,
  positionOf,
  postponed,
  recordOf,
  START,
  shown,
  worldAt,
} from './world.ts'

const BAD = positionOf(51, 2)
const terms = { key: 'k', purpose: 'p', notBefore: 0, deadline: START + MEP, budgetWei: 1n }
const header = headerOf({ timestamp: START })
const prove: ProveFault = {
  ...terms,
  type: 'prove-fault',
  fault: {
    block: 51,
    header,
    fault: { rule: 'V1', code: 'NO_OUTPUTS', index: 2, got: 0, want: '1 to 16' },
    position: BAD,
    spends: new Set(),
  },
  proof: {
    rule: 'V1',
    offence: {
      position: BAD,
      signed: { transaction: { inputs: [], outputs: [], memo: hashOf(0) }, witnesses: new Uint8Array() },
      header,
      proof: { witnessesHash: hashOf(1), path: [] },
    },
  },
  restsOn: [],
}
const SILENT = worldAt(0).parameters.abandonPeriod
const abandon: HaltAbandoned = { ...terms, type: 'halt-abandoned', silentSince: START }
const silent = worldAt(SILENT + 1, { newestTime: START })
const offence = { ...prove.proof.offence, position: BAD + 16 }

const rows: readonly FullPair[] = [
  ['FAULT-OF-THE-NEXT-BLOCK', prove, worldAt(10, { verifiedBlock: 49 }), prove, worldAt(10)],
  ['FAULT-OF-THE-NEXT-BLOCK', prove, worldAt(10, { verifiedBlock: 51 }), prove, worldAt(10)],
  ['PROOF-SHOWS-THE-FAULT', { ...prove, proof: { rule: 'V1', offence } }, worldAt(10), prove, worldAt(10)],
  [
    'PROOF-SHOWS-THE-FAULT',
    { ...prove, proof: { rule: 'V5', offence: prove.proof.offence, shown: [] } },
    worldAt(10),
    prove,
    worldAt(10),
  ],
  ['FAULT-NOT-VOID', prove, worldAt(10, { voidFrom: 51 }), prove, worldAt(10, { voidFrom: 52 })],
  [
    'FAULT-NOT-RECORDED',
    prove,
    worldAt(10, { disproved: new Set([BAD]) }),
    prove,
    worldAt(10, { disproved: new Set([BAD + 16]) }),
  ],
  ['PROOF-HALTS-OR-MATTERS', prove, worldAt(MEP + 1), prove, worldAt(MEP)],
  ['PROOF-HALTS-OR-MATTERS', prove, worldAt(MEP + 1), { ...prove, restsOn: ['an exit'] }, worldAt(MEP + 1)],
  ['CHAIN-IS-LIVE', abandon, worldAt(SILENT + 1, { newestTime: START, voidFrom: 51 }), abandon, silent],
  ['SILENCE-IS-OVER', abandon, worldAt(SILENT, { newestTime: START }), abandon, silent],
  ['SILENCE-IS-OVER', abandon, worldAt(SILENT + 1, { newestTime: START + 1 }), abandon, silent],
  [
    'ABANDON-WITH-INTEREST',
    abandon,
    worldAt(SILENT + 1, { newestTime: START, protectedOwners: new Set() }),
    abandon,
    worldAt(SILENT + 1, { newestTime: START, protectedOwners: new Set(), policy: policyOf({ publicService: true }) }),
  ],
]

const test = suite('rules of ending the chain')

tryPairs(test, rows)

test('every rule has such a pair', () => {
  const tried = triedBy(rows)
  assert.equal(
    [...PROOF_RULES, ...ABANDON_RULES].map(({ id }) => id).filter((id) => !tried.has(id)),
    [],
  )
})

test('evidence whose transaction was proven invalid falls like that of a void block', () => {
  const drop: DropEvidence = {
    ...terms,
    type: 'drop-evidence',
    record: recordOf(exitOf({ owner: ALICE }), shown(BAD)),
    spend: BAD,
    place: exitOf().position,
    holdsValid: true,
  }
  assert.is(findBrokenRule(drop, worldAt(10))?.id, 'DROP-ONLY-FALLEN')
  assert.is(findBrokenRule(drop, worldAt(10, { disproved: new Set([BAD]) })), undefined)
})

test('the ticket of an output whose transaction was proven invalid is owed to nobody', () => {
  const release: Release = {
    ...terms,
    type: 'release',
    record: recordOf(exitOf({ position: BAD + 1 }), postponed(5n, 10n)),
    ticket: { from: 5n, due: 10n, inherited: 0n },
    fundedTo: 100n,
    spend: 0,
    place: 0,
    header,
    bars: true,
    helpsProtected: true,
  }
  assert.is(findBrokenRule(release, worldAt(MEP + 1))?.id, 'RELEASE-OWED-TO-NOBODY')
  assert.is(findBrokenRule(release, worldAt(MEP + 1, { disproved: new Set([BAD]) })), undefined)
})

test.run()

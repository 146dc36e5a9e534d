/** The matrix can fail: without watchers, and with one rule of the court switched off, the cells that need it break. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withoutRule } from './brokenRule.ts'
import type { Cell } from './cell.ts'
import { Broken } from './judge.ts'
import { playCell, tell } from './play.ts'
import { type OpenStage, openStage } from './stage.ts'

const test = suite('cheaters: teeth')
let stage: OpenStage
test.before(async () => {
  stage = await openStage()
})
test.after(() => stage.close())

type Bite = readonly [what: string, rule: string, cell: Cell, invariant: RegExp]

const cell = (fault: Cell['fault'], game: Cell['game'], away: Cell['away'] = 'nobody'): Cell => ({
  fault,
  game,
  away,
  seed: 1,
})

const UNWATCHED: readonly (readonly [Cell, RegExp])[] = [
  [cell('theft', 'standard'), /EXIT-1/],
  [cell('theft', 'in-flight'), /EXIT-1/],
  [cell('theft', 'mass'), /EXIT-1/],
  [cell('mint', 'after-halt'), /FUNDS-2/],
  [cell('withhold-block', 'standard'), /FUNDS-2/],
  [cell('equivocate', 'standard'), /ReceiptBroken/],
]

for (const [one, invariant] of UNWATCHED) {
  test(`a world that nobody watches loses to ${one.fault}, ${one.game}`, async () => {
    const { broken } = await playCell(stage, one, { guarded: false })
    assert.instance(broken, Broken)
    assert.match((broken as Broken).invariant, invariant)
  })
}

const BITES: readonly Bite[] = [
  ['evidence against exits', 'SPEND-NAMES-THE-OUTPUT', cell('theft', 'standard'), /EXIT-1/],
  ['evidence against exits through disputes', 'SPEND-NAMES-THE-OUTPUT', cell('theft', 'in-flight'), /EXIT-1/],
  ['strikes', 'STRIKE-WHAT-IS-SPENT', cell('hostile-batch', 'mass'), /EXIT-1/],
  ['competitors', 'COMPETITOR-SPENDS-AN-INPUT', cell('non-canonical', 'after-halt', 'watcher-1'), /FUNDS-1/],
  ['answers', 'ANSWER-IS-WANTED', cell('non-canonical', 'mass'), /EXIT-1/],
  ['exits by mandate', 'ONLY-WHEN-UNSAFE', cell('mint', 'standard', 'one-owner'), /EXIT-2/],
  ['locks of batches', 'LOCK-IN-TIME', cell('mint', 'mass', 'watcher-1'), /EXIT-2/],
  ['proofs of faults', 'FAULT-OF-THE-NEXT-BLOCK', cell('break-value', 'after-halt'), /FUNDS-2|HALT-2/],
  ['demands for data', 'DATA-IS-WITHHELD', cell('wrong-root', 'mass'), /FUNDS-2|HALT-2/],
  ['receipts', 'RECEIPT-CONTRADICTED', cell('equivocate', 'mass'), /ReceiptBroken/],
  ['ends of abandoned chains', 'SILENCE-IS-OVER', cell('stop', 'after-halt'), /HaltMoved/],
]

for (const [what, rule, one, invariant] of BITES) {
  test(`without ${rule} (${what}) the matrix fails at ${one.fault}, ${one.game}`, async () => {
    const { broken } = await withoutRule(rule, () => playCell(stage, one))
    assert.instance(broken, Broken)
    assert.match((broken as Broken).invariant, invariant)
    const again = await playCell(stage, one)
    assert.is(again.broken, undefined, tell(again))
  })
}

test.run()

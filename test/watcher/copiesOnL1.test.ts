/**
 * A whole watcher on the real root contract, against a block that nobody can read and that holds a copy of a known transaction: what was
 * spent where the transaction stands in the open does not leave by the copy (docs/spec.md 5.2, 6.3).
 */
import * as assert from 'uvu/assert'
import type { Exit } from '../../protocol/exit.ts'
import { rootSuite } from '../contracts/rootSuite.ts'
import { madeIn, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import {
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { createSuretyWatcher, type SuretyWatcher } from './support/surety.ts'

const { bob, dave, mallory, watcher: sender } = actors
const { test, world, mep } = rootSuite('watcher: hidden copies on L1')

/** Bob paid Mallory, Mallory paid Dave; the operator hides a copy of the first payment, and only for this has a watcher no body. */
async function createScene() {
  const { chain } = world
  const watcher = await createSuretyWatcher(world, { policy: { publicService: true } })
  const made = await chain.pay(bob, await deposit(chain, bob), [[mallory, ETHER]])
  const first = await submit(chain, [made])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  watcher.serve(first)
  watcher.serve(spend)
  await passTime(chain, mep())
  const copy = await submit(chain, [{ transaction: made.transaction, witnesses: new Uint8Array(64).fill(7) }])
  return { chain, watcher, first, spend, copy }
}

function shownAgainst(watcher: SuretyWatcher, { outputId }: Exit) {
  return watcher.exits.record(outputId)?.events.flatMap((event) => (event.type === 'EvidenceShown' ? [event] : []))
}

test('an exit by the copy is challenged by the place where its output was spent, and leaves unpaid', async () => {
  const { chain, watcher, first, spend, copy } = await createScene()
  const exit = await startExit(chain, mallory, [copy, 0, 0])
  const acted = await watcher.act()
  assert.equal(acted.refused, [])
  assert.ok(acted.done.includes('challenge'))
  const [shown, ...more] = shownAgainst(watcher, exit) ?? []
  assert.equal(more, [])
  assert.is(shown?.spend, place(spend))
  assert.is(shown?.place, place(first))
  assert.is(shown?.challenger, sender.address)
  assert.ok((shown?.reward ?? 0n) > 0n, 'the bond pays for it')
  assert.not((await watcher.actAll()).includes('challenge'), 'once')
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [copy]))
  assert.is(await stateOf(chain, exit), 'ticket', 'the turn does not look at such a piece')
  assert.ok((await watcher.actAll()).includes('release'))
  assert.is(await stateOf(chain, exit), 'removed')
  assert.is(watcher.exits.record(exit.outputId)?.paid, 0n)
  watcher.log.assertNoErrors()
})

test('a dispute about a spend of the copy is not canonical, since the true spend is shown as its competitor', async () => {
  const { chain, watcher, spend, copy } = await createScene()
  const again = await chain.pay(mallory, place(copy), [[mallory, ETHER]])
  const started = await startDispute(chain, again, [madeIn(chain, copy)], { from: mallory })
  const exit = await startDisputedExit(chain, mallory, started)
  const acted = await watcher.act()
  assert.equal(acted.refused, [])
  assert.ok(acted.done.includes('competitor'))
  const { txHash } = started.dispute
  assert.equal(
    watcher.disputes.record(txHash)?.competitors.map(({ position, input }) => [position, input]),
    [[place(spend), 0]],
  )
  await passTo(chain, Math.max(exit.exitableAt, started.dispute.exitableAt) + 1)
  const done = await watcher.actAll()
  assert.not(done.includes('competitor'), 'once')
  assert.is(watcher.disputes.record(txHash)?.state, 'not-canonical')
  assert.is(await stateOf(chain, exit), 'removed')
  watcher.log.assertNoErrors()
})

test.run()

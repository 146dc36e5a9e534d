/** What the heirs of a cancelled exit have of a mass exit that names the output (docs/spec.md sections 6.2 and 6.4.10). */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import {
  adoptExit,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  startBatch,
  type TestBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, inherit, madeIn, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { createBait, forgeryProof, GARBAGE, haltAt, paidFor, release, settle, submitBad } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  nextAt,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, dave, erin, mallory } = actors
const { test, world, mep } = rootSuite('root contract: shares that heirs have')

type Shared = Readonly<{
  batch: TestBatch
  shown: Parameters<typeof releaseEntry>[3]
  own: Exit
  started: Parameters<typeof inherit>[1]
  heir: Exit
  forged: Exit
}>

/** Whatever comes first, what was forged is not paid before the heir. */
async function inheritsOfShare({ batch, shown, own, started, heir, forged }: Shared) {
  const { chain } = world
  await refuses('NothingToDo', () => settle(chain, [forged]))
  await adoptExit(chain, batch, [0, shown, own])
  assert.is(paidFor((await inherit(chain, started, heir)).events, heir), ETHER)
  await release(chain, own)
  await refuses('NothingToDo', () => settle(chain, [forged]))
}

test('an exit that is cancelled before its turn leaves the heirs their share of a mass exit', async () => {
  const { chain } = world
  const hers = await deposit(chain, mallory)
  const forgedBlock = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const payment = await chain.pay(mallory, hers, [[dave, ETHER]])
  const batch = await startBatch(chain, [{ position: hers, amount: ETHER }])
  const item = await lockBatch(chain, batch)
  await passTo(chain, forgedBlock.header.timestamp + mep() + 1)
  const forged = await startExit(chain, mallory, [forgedBlock, 0, 0])
  const started = await startDispute(chain, payment, [deposited(mallory)], { from: dave })
  const heir = await startDisputedExit(chain, dave, started)
  const own = await startDepositExit(chain, mallory, hers)
  await passTo(chain, own.exitableAt + 1)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  // In the L1 block of the verdict.
  await process(chain, turnsOf([item, forged, heir, own], [forgedBlock]))
  assert.is(await stateOf(chain, own), 'cancelled')
  const shown = depositAt(mallory, ETHER)
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, shown))
  await inheritsOfShare({ batch, shown, own, started, heir, forged })
})

test('an exit through a dispute that is cancelled before its turn leaves them to the heirs as well', async () => {
  const { chain } = world
  const hers = await deposit(chain, mallory)
  const maker = await chain.pay(mallory, hers, [[mallory, ETHER]])
  const first = await submit(chain, [maker])
  const forgedBlock = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const toDave = await chain.pay(mallory, place(first), [[dave, ETHER]])
  const batch = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const item = await lockBatch(chain, batch)
  await passTo(chain, forgedBlock.header.timestamp + mep() + 1)
  const forged = await startExit(chain, mallory, [forgedBlock, 0, 0])
  const started = await startDispute(chain, toDave, [madeIn(chain, first)], { from: dave })
  const heir = await startDisputedExit(chain, dave, started)
  await nextAt(chain, started.startedAt + 60)
  const ofMaker = await startDispute(chain, maker, [deposited(mallory)], { from: mallory })
  const own = await startDisputedExit(chain, mallory, ofMaker)
  await passTo(chain, Math.max(item.exitableAt, forged.exitableAt, heir.exitableAt) + 1)
  await process(chain, turnsOf([item, forged, heir, own], [first, forgedBlock]))
  await passTo(chain, own.exitableAt + 1)
  assert.is((await decide(chain, ofMaker)).verdict, 'canonical')
  assert.is((await decide(chain, started)).verdict, 'canonical')
  const shown = outputAt(chain, first)
  assert.is(await stateOf(chain, own), 'cancelled')
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, shown))
  await inheritsOfShare({ batch, shown, own, started, heir, forged })
  await process(chain, turnsOf([own], [first]))
})

for (const how of ['convicted', 'void'] as const)
  test(`a share is adopted for the heirs of an opened entry of a copy that is ${how} before it has a place`, async () => {
    const { chain } = world
    const source = await deposit(chain, bob)
    const ofAlice = await deposit(chain, alice)
    const bait = await createBait(chain)
    const ofErin = bait.position
    const made = await chain.pay(bob, source, [[mallory, ETHER]])
    const first = await submit(chain, [made])
    await passTime(chain, mep() + 10)
    const older = await startBatch(chain, [{ position: place(first), amount: ETHER }], {
      lastBlock: first,
      from: mallory,
    })
    const item = await lockBatch(chain, older)
    const hidden = [{ transaction: made.transaction, witnesses: GARBAGE }]
    const copy = how === 'void' ? await submitBad(chain, bait, hidden) : await submit(chain, hidden)
    const younger = await startBatch(chain, [{ position: place(copy), amount: ETHER }], {
      lastBlock: copy,
      from: mallory,
    })
    const other = await lockBatch(chain, younger)
    const byCopy = outputAt(chain, copy)
    const x = await openEntry(chain, younger, 0, byCopy, mallory)
    let lastMove = 0
    if (how === 'void') lastMove = (await haltAt(chain, copy)).lastMove
    // Dave may be Mallory herself.
    const payment = await chain.pay(mallory, place(first), [[dave, ETHER]])
    const started = await startDispute(chain, payment, [madeIn(chain, first)], { from: dave, exits: [x] })
    const heir = await startDisputedExit(chain, dave, started)
    const alices = await startDepositExit(chain, alice, ofAlice)
    await passTo(chain, copy.header.timestamp + mep() + 1)
    const erins = await startDepositExit(chain, erin, ofErin)
    await passTo(chain, Math.max(other.exitableAt, started.dispute.exitableAt, erins.exitableAt, lastMove + mep()) + 1)
    await process(chain, turnsOf([item, other, heir, alices, erins], [first, copy]))
    // One L1 block of Mallory's.
    assert.is((await decide(chain, started)).verdict, 'canonical')
    assert.is(await stateOf(chain, x), 'cancelled')
    if (how === 'convicted')
      await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
    await attempt(() => settle(chain, [alices]))
    await attempt(() => settle(chain, [heir]))
    await releaseEntry(chain, younger, 0, byCopy)
    await refuses('EntryUsed', () => placeEntry(chain, younger, 0, x))
    const shown = outputAt(chain, first)
    await refuses('EntryStands', () => releaseEntry(chain, older, 0, shown))
    await adoptExit(chain, older, [0, shown, x])
    await inherit(chain, started, heir)
    await settle(chain, [erins])
    assert.equal(await Promise.all([alices, heir, erins].map((exit) => stateOf(chain, exit))), Array(3).fill('settled'))
  })

test.run()

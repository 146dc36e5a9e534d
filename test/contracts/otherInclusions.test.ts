/**
 * A withholder hides one leaf that is a copy of a transaction with witnesses nobody knows: the same output stands at another position, which
 * nobody can disprove before he shows it (docs/adr/0019-one-output-many-places.md). No door leads through it.
 */
import * as assert from 'uvu/assert'
import { encodeFraudProof, encodeRelease } from '../../l1/rootCalls.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { hashTransaction } from '../../protocol/transaction.ts'
import {
  adoptExit,
  claim,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
} from '../support/batchMoves.ts'
import {
  challengeByPlace,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
  createBait,
  forgeryProof,
  freePlaces,
  GARBAGE,
  haltAt,
  paidFor,
  release,
  settle,
  submitBad,
} from '../support/haltMoves.ts'
import {
  challenge,
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
import { actors, attempt, type ChildBlock } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, erin, mallory, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('root contract: other inclusions of a transaction')

function hashIn(block: ChildBlock) {
  return bytesToHex(hashTransaction(block.transactions[0]!.transaction, world.chain.separator))
}

type SceneOptions = Readonly<{ spent: boolean; batches: number; isChallenged?: boolean }>

/** Mallory's output, made in `first` out of Bob's money; the copy of the transaction stands in the hidden block `copy`. */
async function createScene({ spent, batches: count, isChallenged = false }: SceneOptions) {
  const { chain } = world
  const source = await deposit(chain, bob)
  const hers = await deposit(chain, alice)
  const made = await chain.pay(bob, source, [[mallory, ETHER]])
  const first = await submit(chain, [made])
  const spend = spent ? await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])]) : undefined
  await passTime(chain, mep() + 10)
  const batches = []
  for (let i = 0; i < count; i++) {
    const entries = [{ position: place(first), amount: ETHER }]
    batches.push(await startBatch(chain, entries, { lastBlock: first, from: i === 0 ? mallory : carol }))
  }
  const start = batches.at(-1)!.batch.startedAt
  // So late that nobody can challenge its data any more when the batch locks.
  await nextAt(chain, start + mep() / 4 - 40)
  const copy = await submit(chain, [{ transaction: made.transaction, witnesses: GARBAGE }])
  await nextAt(chain, copy.header.timestamp + chain.parameters.dataChallengePeriod + 1)
  const x = await startExit(chain, mallory, [copy, 0, 0])
  const items = []
  for (const [i, batch] of batches.entries()) items.push(await lockBatch(chain, batch, start + mep() / 4 + 1 + i * 2))
  const exits = [await startDepositExit(chain, alice, hers)]
  if (spend) {
    for (const batch of batches) await strike(chain, batch, [spendAt(chain, spend, 0, place(first))])
    exits.push(await startExit(chain, dave, [spend, 0, 0]))
    if (isChallenged)
      await challengeByPlace(chain, x, includedIn(chain, first), [spend, 0, 0], { madeBy: hashIn(first) })
  }
  for (const exit of [...items, ...exits]) assert.ok(exit.startedAt <= copy.header.timestamp + mep(), 'all in time')
  const blocks = [first, ...(spend ? [spend] : []), copy]
  await passTo(chain, Math.max(x.exitableAt, ...exits.map(({ exitableAt }) => exitableAt)) + 1)
  await process(chain, turnsOf([...items, ...exits, x], blocks))
  return { batches, exits, x, copy, first, spend }
}

/** Everything that anybody can do, some times over. */
async function tryAll({ batches, exits, x, first, spend }: Awaited<ReturnType<typeof createScene>>) {
  const { chain } = world
  for (let i = 0; i < 3; i++) {
    for (const batch of batches) {
      const shown = outputAt(chain, first)
      let opened = x
      await attempt(async () => {
        opened = await openEntry(chain, batch, 0, shown, carol)
      })
      await attempt(() => claim(chain, batch, [[0, shown]]))
      await attempt(() => adoptExit(chain, batch, [0, shown, x]))
      await attempt(() => releaseEntry(chain, batch, 0, shown))
      if (spend) await attempt(() => release(chain, opened, spend))
    }
    await attempt(() => release(chain, x))
    await freePlaces(chain)
    await attempt(() => settle(chain, exits))
  }
}

test('a spent output that was struck is not paid through a copy: the spend counts against an exit by any inclusion', async () => {
  const { chain } = world
  const scene = await createScene({ spent: true, batches: 1, isChallenged: true })
  const { batches, x, first, exits } = scene
  assert.is(await stateOf(chain, x), 'ticket')
  await refuses('StateUnexpected', () => adoptExit(chain, batches[0]!, [0, outputAt(chain, first), x]))
  const before = await balanceOf(mallory)
  await release(chain, x, scene.spend, 0, place(first))
  assert.is(await stateOf(chain, x), 'removed')
  await tryAll(scene)
  assert.is((await balanceOf(mallory)) - before, 0n)
  for (const exit of exits) assert.is(await stateOf(chain, exit), 'settled', 'all owners who came in time are paid')
})

for (const [how, spent, batches] of [
  ['a spent output in one mass exit', true, 1],
  ['an unspent output in two mass exits', false, 2],
] as const)
  test(`whoever convicts his own copy after its turn holds nobody up: ${how}`, async () => {
    const { chain } = world
    const scene = await createScene({ spent, batches })
    const { x, copy, first, exits } = scene
    let paid = 0n
    if (!spent) paid = paidFor((await adoptExit(chain, scene.batches[0]!, [0, outputAt(chain, first), x])).events, x)
    await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
    const before = await balanceOf(mallory)
    await tryAll(scene)
    for (const exit of exits) assert.is(await stateOf(chain, exit), 'settled', 'all owners who came in time are paid')
    assert.is((await balanceOf(mallory)) - before, 0n, 'no second time')
    assert.is(paid, spent ? 0n : ETHER)
  })

test('what was paid out of a share is not paid again when others’ deposits reach the place of its convicted copy', async () => {
  const { chain } = world
  const scene = await createScene({ spent: false, batches: 2 })
  const { x, copy, first } = scene
  const { events } = await adoptExit(chain, scene.batches[0]!, [0, outputAt(chain, first), x])
  assert.is(paidFor(events, x), ETHER)
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
  await deposit(chain, watcher, ETHER)
  await release(chain, x)
  assert.is(await stateOf(chain, x), 'removed', 'it does not start again')
  const before = await balanceOf(mallory)
  await tryAll(scene)
  await refuses('AlreadyExiting', () => startExit(chain, mallory, [first, 0, 0]))
  assert.is((await balanceOf(mallory)) - before, 0n)
})

test('an exit by a copy inherits no place of what was spent', async () => {
  const { chain } = world
  const source = await deposit(chain, mallory)
  const payment = await chain.pay(mallory, source, [[mallory, ETHER]])
  const first = await submit(chain, [payment])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  await passTime(chain, mep() + 10)
  const hers = await startDepositExit(chain, mallory, source)
  await challenge(chain, hers, [first, 0])
  const started = await startDispute(chain, payment, [deposited(mallory)], { from: mallory, exits: [hers] })
  await passTo(chain, started.dispute.exitableAt - 60)
  const anchor = Number(await chain.client.getBlockNumber())
  const copy = await submit(chain, [{ transaction: payment.transaction, witnesses: GARBAGE }], anchor)
  const ofDave = await startExit(chain, dave, [spend, 0, 0])
  await passTo(chain, started.dispute.exitableAt + 1)
  await process(chain, turnsOf([hers]))
  assert.is((await decide(chain, started)).verdict, 'canonical')
  const x = await startExit(chain, mallory, [copy, 0, 0])
  await refuses('InputMismatch', () => challenge(chain, x, [spend, 0]))
  const at = includedIn(chain, first)
  const madeBy = hashIn(first)
  await refuses('OutputMissing', () => challengeByPlace(chain, x, at, [spend, 0, 0], { madeBy: hashIn(spend) }))
  await refuses('InputMismatch', () => challengeByPlace(chain, x, includedIn(chain, copy), [spend, 0, 0], { madeBy }))
  await challengeByPlace(chain, x, at, [spend, 0, 0], { madeBy })
  await refuses('EvidenceKnown', () => challengeByPlace(chain, x, at, [spend, 0, 0], { madeBy }))
  await passTo(chain, Math.max(x.exitableAt, ofDave.exitableAt) + 1)
  await process(chain, turnsOf([ofDave, x], [first, spend, copy]))
  await refuses('StateUnexpected', () => inherit(chain, started, x))
  await release(chain, x, spend, 0, place(first))
  await attempt(() => inherit(chain, started, x))
  await attempt(() => settle(chain, [ofDave]))
  assert.is(await stateOf(chain, ofDave), 'settled')
})

test('the usual challenge stays the only one for the place that an exit names', async () => {
  const { chain } = world
  const source = await deposit(chain, bob)
  const first = await submit(chain, [await chain.pay(bob, source, [[mallory, ETHER]])])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  const exit = await startExit(chain, mallory, [first, 0, 0])
  const at = includedIn(chain, first)
  await refuses('InputMismatch', () => challengeByPlace(chain, exit, at, [spend, 0, 0], { madeBy: hashIn(first) }))
  await challenge(chain, exit, [spend, 0])
})

test('a dispute whose input names a copy meets the true spend as a competitor', async () => {
  const { chain } = world
  const source = await deposit(chain, bob)
  const made = await chain.pay(bob, source, [[mallory, ETHER]])
  const first = await submit(chain, [made])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  await passTime(chain, mep() + 10)
  const copy = await submit(chain, [{ transaction: made.transaction, witnesses: GARBAGE }])
  // Her exit of what she spent is challenged at once; it is there for its place.
  const hers = await startExit(chain, mallory, [first, 0, 0])
  await challenge(chain, hers, [spend, 0])
  const ofDave = await startExit(chain, dave, [spend, 0, 0])
  const again = await chain.pay(mallory, place(copy), [[mallory, ETHER]])
  const started = await startDispute(chain, again, [madeIn(chain, copy)], { from: mallory, exits: [hers] })
  const h = await startDisputedExit(chain, mallory, started)
  const rival = spend.transactions[0]!
  const shown = { input: 0, spends: 0, included: includedIn(chain, spend) }
  await refuses('InputMismatch', () => showCompetitor(chain, started, rival, shown))
  await refuses('HeaderMismatch', () =>
    showCompetitor(chain, started, rival, { ...shown, made: { ...includedIn(chain, spend), position: place(first) } }),
  )
  await showCompetitor(chain, started, rival, { ...shown, made: includedIn(chain, first) })
  await passTo(chain, Math.max(h.exitableAt, started.dispute.exitableAt, ofDave.exitableAt) + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  await process(chain, turnsOf([hers, ofDave, h], [first, spend, copy], [spend]))
  await refuses('VerdictUnexpected', () => inherit(chain, started, h))
  const { witnessesHash, path } = includedIn(chain, spend).proof
  const included = { txHash: hashIn(spend), proof: { witnessesHash, path } }
  await chain.send(carol.account, encodeRelease(hers, { spend: place(spend), header: spend.header, included }))
  await settle(chain, [ofDave])
  assert.is(await stateOf(chain, ofDave), 'settled')
})

test('on a halted chain nobody is frozen by the entry of a copy that she opened herself, and that is convicted then', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  const made = await chain.pay(bob, source, [[alice, ETHER]])
  const first = await submit(chain, [made])
  await passTime(chain, mep() + 10)
  const copy = await submit(chain, [{ transaction: made.transaction, witnesses: GARBAGE }])
  await passTime(chain, mep() + 10)
  await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const hers = [{ position: place(first), amount: ETHER }]
  const theirs = [{ position: place(copy), amount: ETHER }]
  const theirBatch = await startBatch(chain, theirs, { lastBlock: copy, from: mallory })
  const honest = await startBatch(chain, hers, { lastBlock: first })
  const at = honest.batch.startedAt + mep() / 4
  const items = [await lockBatch(chain, theirBatch, at + 1, mallory), await lockBatch(chain, honest, at + 3)]
  const blocks = [first, copy]
  const byCopy = outputAt(chain, copy)
  await refuses('NotOwner', () => openEntry(chain, theirBatch, 0, byCopy, mallory))
  // The first second of the turn.
  await passTo(chain, items[1]!.exitableAt + 1)
  await process(chain, turnsOf([ofErin, ...items], blocks))
  await refuses('NotOwner', () => openEntry(chain, theirBatch, 0, byCopy, mallory))
  const x = await openEntry(chain, theirBatch, 0, byCopy, alice)
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
  for (let i = 0; i < 3; i++) {
    await attempt(() => placeEntry(chain, theirBatch, 0, x))
    await attempt(() => release(chain, x))
    await freePlaces(chain)
    await attempt(() => settle(chain, [ofErin]))
  }
  assert.is(await stateOf(chain, x), 'locked')
  // L1 keeps the lock of her other exit, which is older than this batch's.
  const own = await openEntry(chain, honest, 0, outputAt(chain, first), alice)
  await passTo(chain, own.exitableAt + 1)
  const then = await balanceOf(alice)
  await settle(chain, [own])
  assert.is((await balanceOf(alice)) - then, ETHER, 'Alice has her ether')
})

test.run()

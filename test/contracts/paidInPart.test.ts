/** An output that was paid in part out of one place, which turned out bad: the rest is owed out of another, and no more (docs/spec.md section 5.5). */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import {
  claim,
  lockBatch,
  openEntry,
  outputAt,
  releaseEntry,
  startBatch,
  type TestBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, madeIn, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import {
  createBait,
  forgeryProof,
  freePlaces,
  GARBAGE,
  haltAt,
  memoOf,
  release,
  settle,
  submitBad,
} from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt, type ChildBlock, ETH } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, dave, erin, mallory } = actors
const { test, world, mep, balanceOf } = rootSuite('root contract: outputs that were paid in part')

/** Alice's output stands in `first`, and as a copy in the hidden block `copy`, beside a forged output of Mallory's. */
async function createCopied(halts = true) {
  const { chain } = world
  const bait = await createBait(chain)
  const source = await deposit(chain, bob)
  await deposit(chain, mallory, 1n)
  const made = await chain.pay(bob, source, [[alice, ETHER]])
  const first = await submit(chain, [made])
  await passTime(chain, mep() + 10)
  const forged = await chain.pay(mallory, 0, [[mallory, ETHER]])
  const copy = await submit(chain, [{ transaction: made.transaction, witnesses: GARBAGE }, forged])
  if (halts) await haltAt(chain, await submitBad(chain, bait))
  const ofErin = await startDepositExit(chain, erin, bait.position)
  return { first, copy, ofErin }
}

type Paid = Readonly<{ honest: TestBatch; first: ChildBlock; copy: ChildBlock; x: Exit; forged: Exit }>

/** That part of it is paid out of the copy's place, which is convicted then; the older share owes her all but that. */
async function leavesWithTheRest({ honest, first, copy, x, forged }: Paid, part: bigint) {
  const { chain } = world
  const before = await balanceOf(alice)
  await settle(chain, [x])
  assert.is((await balanceOf(alice)) - before, part, 'what lies behind all others')
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
  await release(chain, x)
  assert.is(await stateOf(chain, x), 'locked')
  const shown = outputAt(chain, first)
  await refuses('StateUnexpected', () => claim(chain, honest, [[0, shown]]))
  await refuses('EntryStands', () => releaseEntry(chain, honest, 0, shown))
  // An exit of it fell: nobody else chooses the next place for her.
  await refuses('NotOwner', () => openEntry(chain, honest, 0, shown, dave))
  const own = await openEntry(chain, honest, 0, shown)
  const then = await balanceOf(alice)
  await passTo(chain, own.exitableAt + 1)
  await freePlaces(chain)
  await attempt(() => settle(chain, [forged]))
  await settle(chain, [own])
  assert.is((await balanceOf(alice)) - then, ETHER - part)
  assert.is(await stateOf(chain, own), 'settled')
  await attempt(() => settle(chain, [forged]))
  assert.is(await stateOf(chain, forged), 'ticket', 'what was forged is behind all that she is owed')
}

test('a stranger opens no entry of an owner of which nothing has to be decided, after the turn either', async () => {
  const { chain } = world
  const { copy, ofErin } = await createCopied()
  const theirs = await startBatch(chain, [{ position: place(copy), amount: ETHER }], { lastBlock: copy, from: mallory })
  const item = await lockBatch(chain, theirs, undefined, mallory)
  await passTo(chain, item.exitableAt + 1)
  await process(chain, turnsOf([ofErin, item], [copy]))
  await refuses('NotOwner', () => openEntry(chain, theirs, 0, outputAt(chain, copy), mallory))
})

test('one wei out of the copy’s place, which a mandate for anybody opened, costs no owner the rest of her older share', async () => {
  const { chain } = world
  const { first, copy, ofErin } = await createCopied()
  const honest = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const item = await lockBatch(chain, honest)
  const mandate = await signMandate(chain, alice, { delegate: ZERO_ADDRESS })
  const x = await startExit(chain, alice, [copy, 0, 0], { from: mallory, mandate })
  const forged = await startExit(chain, mallory, [copy, 1, 0])
  await passTo(chain, x.exitableAt + 1)
  await process(chain, turnsOf([ofErin, item, x, forged], [copy]))
  await leavesWithTheRest({ honest, first, copy, x, forged }, 1n)
})

test('nor where a half-signed transaction locked her output, so that anybody may open the copy’s entry', async () => {
  const { chain } = world
  const other = await deposit(chain, mallory, 7n)
  const { first, copy, ofErin } = await createCopied()
  const inputs = [place(first), other].sort((a, b) => a - b)
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER + 7n, condition: memoOf('') }]
  const signers = inputs[0] === other ? [mallory, alice] : [alice, mallory]
  const joint = await chain.sign({ inputs, outputs, memo: memoOf('') }, signers)
  const theirs = await startBatch(chain, [{ position: place(copy), amount: ETHER }], { lastBlock: copy, from: mallory })
  const theirItem = await lockBatch(chain, theirs, undefined, mallory)
  const honest = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
  const item = await lockBatch(chain, honest)
  const forged = await startExit(chain, mallory, [copy, 1, 0])
  const shownInputs = inputs.map((position) => (position === other ? deposited(mallory, 7n) : madeIn(chain, first)))
  const started = await startDispute(chain, joint, shownInputs, { from: mallory })
  await showCompetitor(chain, started, await chain.pay(mallory, other, [[mallory, 7n]]), { from: mallory })
  await passTo(chain, Math.max(theirItem.exitableAt, forged.exitableAt) + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  await process(chain, turnsOf([ofErin, item, theirItem, forged], [copy]))
  const x = await openEntry(chain, theirs, 0, outputAt(chain, copy), mallory)
  await passTo(chain, x.exitableAt + 1)
  await leavesWithTheRest({ honest, first, copy, x, forged }, 8n)
})

test('what was paid in part leaves by an ordinary exit with the rest only', async () => {
  const { chain } = world
  const { first, copy, ofErin } = await createCopied(false)
  const mandate = await signMandate(chain, alice, { delegate: ZERO_ADDRESS })
  const forged = await startExit(chain, mallory, [copy, 1, 0])
  const x = await startExit(chain, alice, [copy, 0, 0], { from: mallory, mandate })
  await passTo(chain, x.exitableAt + 1)
  await process(chain, turnsOf([ofErin, forged, x], [copy]))
  const before = await balanceOf(alice)
  await settle(chain, [x])
  assert.is((await balanceOf(alice)) - before, 1n)
  await deposit(chain, bob, 3n * ETHER)
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, copy, 0, [bob, ETHER, 0])))
  await release(chain, x)
  const own = await startExit(chain, alice, [first, 0, 0])
  const cost = before + 1n - (await balanceOf(alice))
  await passTo(chain, own.exitableAt + mep())
  await process(chain, turnsOf([own], [first]))
  assert.is(await stateOf(chain, own), 'ticket', 'its turn does not pay it whole')
  await settle(chain, [own])
  assert.is(await stateOf(chain, own), 'settled')
  const bond = own.bond - (own.bond * 60_000n) / 400_000n
  assert.is((await balanceOf(alice)) - before, ETHER - cost + bond)
  await refuses('NothingToDo', () => settle(chain, [own]))
})

test.run()

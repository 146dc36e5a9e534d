/** Mass exits and disputes (docs/spec.md 6.3, 6.4.9): an entry waits for a verdict that can concern it, and for no other. */
import * as assert from 'uvu/assert'
import { encodeDropRefuted } from '../../l1/disputeCalls.ts'
import { encodeSettle } from '../../l1/rootCalls.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import {
  answer,
  decide,
  deposited,
  includedIn,
  inherit,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import { memoOf, paidFor, release } from '../support/haltMoves.ts'
import {
  balance,
  deposit,
  ETHER,
  passTo,
  process,
  startDepositExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, ETH, Reverted, type RootChain } from '../support/rootChain.ts'
import { isPaid, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, mallory } = actors
const { test, world } = rootSuite('mass exits: disputes')

/** Alice's deposit in a batch that is locked, and her payment of it to Bob that no block holds. */
async function lockedWithPayment(chain: RootChain, { others = 0n } = {}) {
  const position = await deposit(chain, alice)
  if (others !== 0n) await deposit(chain, dave, others)
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  const item = await lockBatch(chain, batch)
  const payment = await chain.pay(alice, position, [
    [bob, ETHER / 4n],
    [alice, (ETHER * 3n) / 4n],
  ])
  return { batch, item, payment, position, shown: depositAt(alice, ETHER) }
}

async function judged(chain: RootChain, started: Awaited<ReturnType<typeof startDispute>>, verdict: string) {
  await passTo(chain, started.dispute.exitableAt + 1)
  assert.is((await decide(chain, started)).verdict, verdict)
}

test('an entry whose output a dispute is about is not paid before the verdict, and is after one that is not canonical', async () => {
  const { chain } = world
  const { batch, payment, position, shown } = await lockedWithPayment(chain)
  const dispute = await startDispute(chain, payment, [deposited(alice)])
  await showCompetitor(chain, dispute, await chain.pay(alice, position, [[dave, ETHER]]))
  await turnBatch(chain, batch)
  await refuses('StateUnexpected', () => claim(chain, batch, [[0, shown]]))
  await judged(chain, dispute, 'not-canonical')
  await isPaid(chain, alice, () => claim(chain, batch, [[0, shown]]))
})

for (const isOpened of [true, false]) {
  test(`a canonical verdict passes the place of an entry on to the payees, ${isOpened ? 'opened before' : 'unopened'}`, async () => {
    const { chain } = world
    const { batch, payment, shown } = await lockedWithPayment(chain, { others: ETHER })
    const dispute = await startDispute(chain, payment, [deposited(alice)], { from: bob })
    let opened = isOpened ? await openEntry(chain, batch, 0, shown) : undefined
    const ofBob = await startDisputedExit(chain, bob, dispute, 0)
    const ofAlice = await startDisputedExit(chain, alice, dispute, 1)
    await turnBatch(chain, batch)
    await judged(chain, dispute, 'canonical')
    await refuses('NothingToDo', () => claim(chain, batch, [[0, shown]]))
    await refuses('EntryStands', () => releaseEntry(chain, batch, 0, shown))
    if (opened) await placeEntry(chain, batch, 0, opened)
    else opened = await openEntry(chain, batch, 0, shown)
    assert.is(await stateOf(chain, opened), 'cancelled-ticket')
    await refuses('EntryStands', () => releaseEntry(chain, batch, 0, shown))
    await passTo(chain, ofAlice.exitableAt + 1)
    const exits = [ofBob, ofAlice]
    const { events } = await process(chain, turnsOf(exits))
    const all = [...events]
    for (const [output, exit] of exits.entries()) all.push(...(await inherit(chain, dispute, exit, [0, output])).events)
    assert.is(paidFor(all, ofBob), ETHER / 4n)
    assert.is(paidFor(all, ofAlice), (ETHER * 3n) / 4n)
    const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
    assert.is(funded! - line!, ETHER, 'what is left is what Dave deposited')
  })
}

test('an output of a disputed transaction waits for the verdict about it, and leaves for nothing when that is not canonical', async () => {
  const { chain } = world
  const position = await deposit(chain, mallory)
  const paid = await chain.pay(mallory, position, [[bob, ETHER]])
  const block = await submit(chain, [paid])
  const batch = await startBatch(chain, [{ position: block.number * 2 ** 25, amount: ETHER }], { lastBlock: block })
  await lockBatch(chain, batch)
  const judgedLater = await chain.client.snapshot()
  for (const isAnswered of [true, false]) {
    const dispute = await startDispute(chain, paid, [deposited(mallory)])
    await showCompetitor(chain, dispute, await chain.pay(mallory, position, [[mallory, ETHER]], memoOf('mine')))
    if (isAnswered) await answer(chain, dispute, includedIn(chain, block))
    await turnBatch(chain, batch, { blocks: [block] }).catch(() => {})
    if (dispute.dispute.exitableAt > batch.item!.exitableAt) {
      await refuses('VerdictUnexpected', () => claim(chain, batch, [[0, outputAt(chain, block)]]))
    }
    await judged(chain, dispute, isAnswered ? 'canonical' : 'not-canonical')
    await turnBatch(chain, batch, { blocks: [block] }).catch(ifNothing)
    if (isAnswered) await claim(chain, batch, [[0, outputAt(chain, block)]])
    else {
      await refuses('VerdictUnexpected', () => claim(chain, batch, [[0, outputAt(chain, block)]]))
      await releaseEntry(chain, batch, 0, outputAt(chain, block))
    }
    await chain.client.revert({ id: judgedLater })
  }
})

function ifNothing(error: unknown): void {
  if (!(error instanceof Reverted && error.errorName === 'NothingToDo')) throw error
}

test('a swap that its other side completes after the end of evidence takes no entry back that was claimed or opened (P8)', async () => {
  const { chain } = world
  for (const isOpened of [false, true]) {
    const id = await chain.client.snapshot()
    const mine = await deposit(chain, alice)
    const theirs = await deposit(chain, mallory)
    const outputs = [{ owner: mallory.address, token: ETH, amount: 2n * ETHER, condition: ZERO_HASH }]
    const swap = await chain.sign({ inputs: [mine, theirs], outputs, memo: memoOf('swap') }, [alice, mallory])
    const batch = await startBatch(chain, [{ position: mine, amount: ETHER }])
    const item = await lockBatch(chain, batch)
    const shown = depositAt(alice, ETHER)
    const exit = isOpened ? await openEntry(chain, batch, 0, shown) : undefined
    await passTo(chain, item.exitableAt - chain.parameters.minExitPeriod / 4 + 1)
    const completes = () =>
      startDispute(chain, swap, [deposited(alice), deposited(mallory)], { from: mallory, exits: exit ? [exit] : [] })
    if (exit) await completes()
    await turnBatch(chain, batch)
    const before = await balance(chain, alice)
    if (exit) {
      await placeEntry(chain, batch, 0, exit)
      await settleFor(chain, exit)
    } else await claim(chain, batch, [[0, shown]])
    assert.is(await balance(chain, alice), before + ETHER)
    const dispute = exit ? undefined : await completes()
    if (dispute) await judged(chain, dispute, 'not-canonical')
    await chain.client.revert({ id })
  }
})

test('a dispute that starts in the last second of evidence holds an opened entry up, one a second later does not', async () => {
  const { chain } = world
  for (const late of [0, 1]) {
    const id = await chain.client.snapshot()
    const { batch, item, payment, shown } = await lockedWithPayment(chain)
    const exit = await openEntry(chain, batch, 0, shown)
    const last = item.exitableAt - chain.parameters.minExitPeriod / 4
    await chain.client.setNextBlockTimestamp({ timestamp: BigInt(last + late) })
    await startDispute(chain, payment, [deposited(alice)], { exits: [exit] })
    await turnBatch(chain, batch)
    await placeEntry(chain, batch, 0, exit)
    const settle = () => chain.send(carol.account, encodeSettle([exit]))
    if (late) await settle()
    else await refuses('NothingToDo', settle)
    await chain.client.revert({ id })
  }
})

test('what was refuted by a verdict is brought back against an opened entry by nobody', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const paid = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [paid])
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  await lockBatch(chain, batch)
  const shown = depositAt(alice, ETHER)
  const dispute = await startDispute(chain, paid, [deposited(alice)])
  await showCompetitor(chain, dispute, await chain.pay(alice, position, [[dave, ETHER]]))
  await strike(chain, batch, [spendAt(chain, block, 0, position)])
  await turnBatch(chain, batch)
  await judged(chain, dispute, 'not-canonical')
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, shown]]))
  const exit = await openEntry(chain, batch, 0, shown)
  const { proof, header } = outputAt(chain, block) as Extract<ReturnType<typeof outputAt>, { kind: 'output' }>
  const { position: spend } = spendAt(chain, block, 0, position)
  const txHash = dispute.dispute.txHash
  await chain.send(
    carol.account,
    encodeDropRefuted(exit.outputId, { spend, place: 0, header, included: { txHash, proof } }),
  )
  await placeEntry(chain, batch, 0, exit).catch(ifRefused)
  await adoptExit(chain, batch, [0, shown, exit]).catch(ifRefused)
  await passTo(chain, exit.exitableAt + 1)
  await settleFor(chain, exit)
})

function ifRefused(error: unknown): void {
  if (!(error instanceof Reverted)) throw error
}

async function settleFor(chain: RootChain, exit: Exit): Promise<void> {
  const { events } = await chain.send(carol.account, encodeSettle([exit]))
  assert.is(paidFor(events, exit), exit.amount)
}

test('an exit of its own that a verdict cancelled before its turn takes the share of its entry, for the payees', async () => {
  const { chain } = world
  const { batch, payment, shown } = await lockedWithPayment(chain, { others: ETHER })
  const exit = await startDepositExit(chain, alice, batch.placed[0]!.position)
  const dispute = await startDispute(chain, payment, [deposited(alice)], { from: bob, exits: [exit] })
  const ofBob = await startDisputedExit(chain, bob, dispute)
  await turnBatch(chain, batch)
  await judged(chain, dispute, 'canonical')
  assert.is(await stateOf(chain, exit), 'cancelled')
  await adoptExit(chain, batch, [0, shown, exit])
  assert.is(await stateOf(chain, exit), 'cancelled-ticket')
  const { events } = await process(chain, turnsOf([exit]))
  assert.is(paidFor(events, exit), 0n)
  await passTo(chain, ofBob.exitableAt + 1)
  const all = [...(await process(chain, turnsOf([ofBob]))).events, ...(await inherit(chain, dispute, ofBob)).events]
  assert.is(paidFor(all, ofBob), ETHER / 4n)
  await refuses('ShareMissing', () => inherit(chain, dispute, ofBob))
  await release(chain, exit)
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 0, shown))
})

test.run()

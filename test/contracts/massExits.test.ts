/** Mass exits (docs/spec.md section 6.4): the life of a batch, and of entries that nothing happens to. */
import * as assert from 'uvu/assert'
import { encodeRelease, encodeSettle } from '../../l1/rootCalls.ts'
import { hashBatch, openedExit } from '../../protocol/massExit.ts'
import {
  answer,
  at,
  claim,
  closeBatch,
  demand,
  depositAt,
  dissolve,
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
  balance,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  signMandate,
  startDepositExit,
  stateOf,
  submit,
} from '../support/moves.ts'
import { actors, eventOf } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol } = actors
const { test, world } = rootSuite('mass exits')

test('secures deposits of many owners with one item and pays each, whoever claims', async () => {
  const { chain } = world
  const positions = [await deposit(chain, alice), await deposit(chain, bob, 2n * ETHER), await deposit(chain, carol)]
  const amounts = [ETHER, 2n * ETHER, ETHER]
  const batch = await startBatch(
    chain,
    positions.map((position, i) => ({ position, amount: amounts[i]! })),
  )
  assert.is(batch.id, hashBatch(batch.batch))
  const item = await lockBatch(chain, batch)
  assert.is(item.exitableAt, item.startedAt + chain.parameters.minExitPeriod)
  const { events } = await turnBatch(chain, batch)
  assert.equal(eventOf(events, 'ExitPostponed'), {
    ...eventOf(events, 'ExitPostponed'),
    outputId: batch.id,
    from: 0n,
    due: 4n * ETHER,
  })
  const before = await balance(chain, bob)
  const { events: claims } = await claim(chain, batch, [
    [0, depositAt(alice, ETHER)],
    [1, depositAt(bob, 2n * ETHER)],
  ])
  assert.is(eventOf(claims, 'EntriesClaimed').claimed.length, 2)
  assert.is(await balance(chain, bob), before + 2n * ETHER)
  await refuses('NothingToDo', () => claim(chain, batch, [[1, depositAt(bob, 2n * ETHER)]]))
  await refuses('AlreadyExiting', () => startDepositExit(chain, bob, positions[1]!, 2n * ETHER))
})

test('a payment of a block: young, behind nothing older, claimed with its proof; an amount off by one wei names nothing', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const paid = await chain.pay(alice, position, [
    [bob, ETHER / 2n],
    [carol, ETHER / 2n],
  ])
  const block = await submit(chain, [paid])
  const batch = await startBatch(
    chain,
    [
      { position: place(block, 0, 0), amount: ETHER / 2n },
      { position: place(block, 0, 1), amount: ETHER / 2n - 1n },
    ],
    { lastBlock: block },
  )
  const item = await lockBatch(chain, batch)
  assert.is(item.young, true)
  assert.is(item.exitableAt, block.header.timestamp + 2 * chain.parameters.minExitPeriod)
  await turnBatch(chain, batch, { blocks: [block] })
  await claim(chain, batch, [[0, outputAt(chain, block)]])
  await refuses('EntryEmpty', () => claim(chain, batch, [[1, outputAt(chain, block)]]))
  await refuses('EntryStands', () => releaseEntry(chain, batch, 0, outputAt(chain, block)))
  const { events } = await releaseEntry(chain, batch, 1, outputAt(chain, block))
  assert.is(eventOf(events, 'EntryReleased').amount, ETHER / 2n - 1n)
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 1, outputAt(chain, block)))
})

test('a struck entry is not paid, costs the coordinator gas only, and its share is freed', async () => {
  const { chain } = world
  const mine = await deposit(chain, alice)
  const spent = await deposit(chain, bob)
  const paid = await chain.pay(bob, spent, [[carol, ETHER]])
  const block = await submit(chain, [paid])
  const batch = await startBatch(
    chain,
    [mine, spent].map((position) => ({ position, amount: ETHER })),
    {},
  )
  await lockBatch(chain, batch)
  const { events } = await strike(chain, batch, [spendAt(chain, block, 0, spent)], alice)
  assert.is(eventOf(events, 'EntryStruck').signer, bob.address)
  await refuses('NothingToDo', () => strike(chain, batch, [spendAt(chain, block, 0, spent)]))
  await turnBatch(chain, batch)
  await refuses('EntryStruckBy', () => claim(chain, batch, [[1, depositAt(bob, ETHER)]]))
  await claim(chain, batch, [[0, depositAt(alice, ETHER)]])
  const before = await balance(chain, alice)
  const exit = await openEntry(chain, batch, 1, depositAt(bob, ETHER))
  const fee = (await chain.client.getBlock()).baseFeePerGas!
  const paid95 = 95_000n * (fee > 10n ** 9n ? fee : 10n ** 9n)
  assert.is(await balance(chain, alice), before + paid95 - (paid95 % 10n ** 9n))
  const expected = openedExit({
    batchId: batch.id,
    item: batch.item!,
    entry: at(batch, 1).entry,
    outputId: exit.outputId,
    owner: bob.address,
    openedAt: Number((await chain.client.getBlock()).timestamp),
    minExitPeriod: chain.parameters.minExitPeriod,
  })
  assert.equal(exit, expected)
  assert.is(await stateOf(chain, exit), 'ticket')
  await refuses('NothingToDo', () => chain.send(carol.account, encodeSettle([exit])))
  // What it was opened with could be disproved until the turn: it is judged at once.
  const spend = place(block)
  await chain.send(carol.account, encodeRelease(exit, { spend, place: 0, header: block.header }))
  assert.is(await stateOf(chain, exit), 'removed')
})

test('an opened entry that nobody speaks against is placed and settled', async () => {
  const { chain } = world
  const mine = await deposit(chain, alice)
  const batch = await startBatch(chain, [{ position: mine, amount: ETHER }])
  await lockBatch(chain, batch)
  const exit = await openEntry(chain, batch, 0, depositAt(alice, ETHER))
  await turnBatch(chain, batch)
  await placeEntry(chain, batch, 0, exit)
  const before = await balance(chain, alice)
  await passTo(chain, exit.exitableAt + 1)
  await chain.send(carol.account, encodeSettle([exit]))
  assert.is(await balance(chain, alice), before + ETHER)
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 0, depositAt(alice, ETHER)))
})

test('an answered demand is paid for, an unanswered one dissolves the batch', async () => {
  const { chain } = world
  const mine = await deposit(chain, alice)
  const batch = await startBatch(chain, [{ position: mine, amount: ETHER }])
  await demand(chain, batch, 0)
  await refuses('DemandUnexpected', () => demand(chain, batch, 0))
  const mandate = await signMandate(chain, alice, { delegate: actors.watcher.address })
  const foreign = await signMandate(chain, alice, { delegate: bob.address })
  await refuses('MandateRefused', () => answer(chain, batch, [0, depositAt(alice, ETHER), foreign]))
  const { events } = await answer(chain, batch, [0, depositAt(alice, ETHER), mandate])
  assert.ok(eventOf(events, 'DemandAnswered').reward > 0n)
  const second = await startBatch(chain, [{ position: mine, amount: ETHER }], { from: bob })
  await demand(chain, second, 0)
  await passTo(chain, second.batch.startedAt + chain.parameters.minExitPeriod / 4 + 1)
  await refuses('DemandsOpen', () => lockBatch(chain, second))
  const before = await balance(chain, bob)
  await dissolve(chain, second, 0)
  assert.ok((await balance(chain, bob)) > before + second.batch.bond / 2n)
  await refuses('BatchUnexpected', () => lockBatch(chain, second))
  await lockBatch(chain, batch)
})

test('what is left of the bond returns a period after the entries became payable', async () => {
  const { chain } = world
  const mine = await deposit(chain, alice)
  const batch = await startBatch(chain, [{ position: mine, amount: ETHER }])
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  await refuses('TooEarly', () => closeBatch(chain, batch))
  await passTime(chain, chain.parameters.minExitPeriod)
  const { events } = await closeBatch(chain, batch)
  const { returned } = eventOf(events, 'BatchClosed')
  assert.ok(returned > (batch.batch.bond * 85n) / 100n && returned < batch.batch.bond)
  await refuses('BatchUnexpected', () => closeBatch(chain, batch))
})

test.run()

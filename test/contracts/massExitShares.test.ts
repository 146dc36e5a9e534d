/** Shares of a batch (docs/spec.md 6.4.10): each unit of the line is paid, inherited or freed once, whatever ways an output has out. */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import type { FraudProof } from '../../protocol/fraud.ts'
import { encodePosition } from '../../protocol/position.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  startBatch,
  turnBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, startDispute } from '../support/disputeMoves.ts'
import { createBait, forgeryProof, paidFor, release, submitBad } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, Reverted, type RootChain } from '../support/rootChain.ts'
import { fails, isPaid, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, erin, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: shares')

const NOWHERE = encodePosition({ block: 0, index: 2 ** 20 + 500, output: 0 })

async function fundedOf(chain: RootChain): Promise<bigint> {
  return (await chain.read<readonly [bigint, bigint]>('totals', [ETH]))[0]
}

/** Whether a move is refused is the contract's choice here; what comes of it is what the test asks. */
function ifRefused(error: unknown): void {
  if (!(error instanceof Reverted)) throw error
}

/** The theft in the block, found too late to void anything. */
async function convictLate(chain: RootChain, block: ChildBlock, index = 0) {
  await chain.send(watcher.account, encodeFraudProof(forgeryProof(chain, block, index)))
}

test('a forged output that was paid as an entry frees nothing when its transaction is proven invalid afterwards', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  await deposit(chain, alice)
  const block = await submitBad(chain, bait)
  const batch = await startBatch(chain, [{ position: place(block), amount: ETHER }], {
    from: mallory,
    lastBlock: block,
  })
  await lockBatch(chain, batch)
  await turnBatch(chain, batch, { blocks: [block] })
  await claim(chain, batch, [[0, outputAt(chain, block)]])
  await convictLate(chain, block)
  const before = await fundedOf(chain)
  await fails(() => releaseEntry(chain, batch, 0, outputAt(chain, block)))
  assert.is(await fundedOf(chain), before, 'what was paid out of the share is not there a second time')
})

test('an exit that was adopted before its own turn and then turns out invalid does not stop the queue', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const bait = await createBait(chain)
  const mine = await deposit(chain, alice)
  const block = await submitBad(chain, bait)
  const batch = await startBatch(chain, [{ position: place(block), amount: ETHER }], {
    from: mallory,
    lastBlock: block,
  })
  await lockBatch(chain, batch)
  await passTo(chain, block.header.timestamp + mep + 10)
  const forged = await startExit(chain, mallory, [block, 0, 0])
  const honest = await startDepositExit(chain, alice, mine)
  await turnBatch(chain, batch, { exits: [forged], blocks: [block] })
  await adoptExit(chain, batch, [0, outputAt(chain, block), forged]).catch(ifRefused)
  await convictLate(chain, block)
  await release(chain, forged).catch(ifRefused)
  await passTo(chain, honest.exitableAt + 1)
  const { events } = await process(chain, turnsOf([forged, honest], [block]))
  assert.is(paidFor(events, honest), ETHER)
})

test('an output whose exit was paid out of an entry cannot be spent again by a transaction that is disputed later', async () => {
  const { chain } = world
  const position = await deposit(chain, mallory)
  await deposit(chain, bob)
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  const junk = await startBatch(chain, [{ position: NOWHERE, amount: 2n * ETHER }], { from: carol })
  await lockBatch(chain, batch)
  await lockBatch(chain, junk)
  const exit = await startDepositExit(chain, mallory, position)
  await passTo(chain, exit.exitableAt + 1)
  await turnBatch(chain, junk, { exits: [batch.item!, exit] })
  assert.is(await stateOf(chain, exit), 'ticket')
  const { events } = await adoptExit(chain, batch, [0, depositAt(mallory, ETHER), exit])
  assert.is(paidFor(events, exit), ETHER)
  const again = await chain.pay(mallory, position, [[dave, ETHER]])
  const dispute = await startDispute(chain, again, [deposited(mallory)], { exits: [exit] })
  await passTo(chain, dispute.dispute.exitableAt + 1)
  assert.is((await decide(chain, dispute)).verdict, 'not-canonical')
})

test('an entry that names a deposit made after its share was freed is not paid out of that share', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const coming = encodePosition({ block: 0, index: 2 ** 20 + 1, output: 0 })
  const batch = await startBatch(chain, [{ position: coming, amount: ETHER }], { from: mallory })
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  const funded = await fundedOf(chain)
  const freed = await releaseEntry(chain, batch, 0, { kind: 'nothing' }).then(
    () => true,
    () => false,
  )
  assert.is(await deposit(chain, mallory), coming)
  if (freed) await fails(() => claim(chain, batch, [[0, depositAt(mallory, ETHER)]]))
  else assert.is(await fundedOf(chain), funded + ETHER)
})

for (const isDisputed of [false, true]) {
  const when = isDisputed ? ', opened while its transaction was disputed,' : ''
  test(`an entry of a second inclusion${when} that turns out invalid does not take the share of the first one with it`, async () => {
    const { chain } = world
    const position = await deposit(chain, bob)
    await deposit(chain, alice)
    const paid = await chain.pay(bob, position, [[alice, ETHER]])
    const first = await submit(chain, [paid])
    const second = await submit(chain, [paid])
    const honest = await startBatch(chain, [{ position: place(first), amount: ETHER }], { lastBlock: first })
    const copied = { from: mallory, lastBlock: second }
    const copy = await startBatch(chain, [{ position: place(second), amount: ETHER }], copied)
    await lockBatch(chain, honest)
    await lockBatch(chain, copy)
    const dispute = isDisputed ? await startDispute(chain, paid, [deposited(bob)], { from: mallory }) : undefined
    const exit = await openEntry(chain, copy, 0, outputAt(chain, second))
    await turnBatch(chain, honest, { blocks: [first] })
    if (dispute) {
      await passTo(chain, dispute.dispute.exitableAt + 1)
      assert.is((await decide(chain, dispute)).verdict, 'canonical')
    } else await passTo(chain, second.header.timestamp + chain.parameters.minExitPeriod + 1)
    await adoptExit(chain, honest, [0, outputAt(chain, first), exit]).catch(ifRefused)
    await chain.send(watcher.account, encodeFraudProof(doubleSpend(chain, first, second)))
    const funded = await fundedOf(chain)
    await turnBatch(chain, copy, { blocks: [first, second] })
    await placeEntry(chain, copy, 0, exit).catch(ifRefused)
    await release(chain, exit).catch(ifRefused)
    assert.is(await fundedOf(chain), funded, 'what Alice is owed is free for nobody')
    await isPaid(chain, alice, () => claim(chain, honest, [[0, outputAt(chain, first)]]))
  })
}

/** V3: Bob's deposit is spent by the first transaction of both blocks. */
function doubleSpend(chain: RootChain, first: ChildBlock, second: ChildBlock): FraudProof {
  const at = (block: ChildBlock) => {
    const { proof, header } = outputAt(chain, block) as Extract<ReturnType<typeof outputAt>, { kind: 'output' }>
    return { position: place(block), signed: block.transactions[0]!, header, proof }
  }
  const shown = { kind: 'deposit', deposit: { owner: bob.address, token: ETH, amount: ETHER } } as const
  return { rule: 'V3', offence: at(second), input: 0, shown, earlier: at(first), earlierInput: 0 }
}

test('an output is paid once in every order of its own exit and two batches, and every share that is left is freed', async () => {
  const { chain } = world
  const orders = ['exit', 'first', 'second'].flatMap((a, _, all) =>
    all.filter((b) => b !== a).map((b) => [a, b, ...all.filter((c) => c !== a && c !== b)]),
  )
  for (const order of orders) {
    const id = await chain.client.snapshot()
    const position = await deposit(chain, erin)
    await deposit(chain, bob, 5n * ETHER)
    const entries = [{ position, amount: ETHER }]
    const first = await startBatch(chain, entries)
    const second = await startBatch(chain, entries, { from: bob })
    await lockBatch(chain, first)
    await lockBatch(chain, second)
    const exit = await startDepositExit(chain, erin, position)
    const funded = await fundedOf(chain)
    await passTo(chain, exit.exitableAt + 1)
    await turnBatch(chain, second, { exits: order[0] === 'exit' ? [first.item!, exit] : [first.item!] })
    let paid = order[0] === 'exit' ? 1 : 0
    for (const way of order) {
      if (way === 'exit' && paid === 0) {
        const { events } = await process(chain, turnsOf([exit]))
        if (paidFor(events, exit) === ETHER) paid++
      }
      if (way === 'exit') continue
      const batch = way === 'first' ? first : second
      // The exit is in the queue or settled: entries are never paid beside it.
      await refuses('NothingToDo', () => claim(chain, batch, [[0, depositAt(erin, ETHER)]]))
    }
    assert.is(paid, 1, order.join(', '))
    for (const batch of [first, second]) await releaseEntry(chain, batch, 0, depositAt(erin, ETHER))
    assert.is(await fundedOf(chain), funded + 2n * ETHER)
    for (const batch of [first, second]) {
      await refuses('EntryUsed', () => releaseEntry(chain, batch, 0, depositAt(erin, ETHER)))
    }
    await chain.client.revert({ id })
  }
})

test.run()

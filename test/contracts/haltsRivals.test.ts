/** Halts and their rivals in one L1 block, in either order (docs/halt.md; docs/spec.md 8.4). */
import * as assert from 'uvu/assert'
import {
  encodeCloseChain,
  encodeDepositEth,
  encodeFraudProof,
  encodeProcessExits,
  encodeStartStandardExit,
  encodeSubmitBlocks,
  type RootCall,
} from '../../l1/rootCalls.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { createBait, forgeryProof, haltAt, headOf, paidFor, settle, submitBad } from '../support/haltMoves.ts'
import {
  bond,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  startDepositExit,
  startExit,
  stateOf,
  turnsOf,
} from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, proveInBlock } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, carol, dave, operator, watcher } = actors
const { test, world, mep } = rootSuite('halts: rivals in one L1 block')

/** Mines these calls in one L1 block, in this order; whether each went through. */
async function inOneBlock(calls: readonly (readonly [Actor, RootCall])[], at?: number): Promise<boolean[]> {
  const { client, root } = world.chain
  await client.setAutomine(false)
  const hashes: `0x${string}`[] = []
  for (const [i, [from, { data, valueWei }]] of calls.entries()) {
    // The order in the block is by what the transaction pays.
    const fees = { maxPriorityFeePerGas: BigInt(calls.length - i) * 10n ** 9n, maxFeePerGas: 10n ** 12n }
    const account = from.account
    hashes.push(
      await client.sendTransaction({ account, to: root, data, value: valueWei, gas: 5_000_000n, chain: null, ...fees }),
    )
  }
  if (at !== undefined) await nextAt(world.chain, at)
  await client.mine({ blocks: 1 })
  await client.setAutomine(true)
  const receipts = await Promise.all(hashes.map((hash) => client.getTransactionReceipt({ hash })))
  assert.is(new Set(receipts.map(({ blockNumber }) => blockNumber)).size, 1, 'all in one L1 block')
  assert.equal(
    receipts.map(({ transactionIndex }) => transactionIndex),
    calls.map((_, i) => i),
    'in the order of the list',
  )
  return receipts.map(({ status }) => status === 'success')
}

/** Runs both orders of two rivals from the same state. */
async function bothOrders(
  rivals: readonly [readonly [Actor, RootCall], readonly [Actor, RootCall]],
  check: (went: boolean[], order: 'as listed' | 'reversed') => Promise<void>,
  at?: number,
): Promise<void> {
  const id = await world.chain.client.snapshot()
  await check(await inOneBlock(rivals, at), 'as listed')
  await world.chain.client.revert({ id })
  await check((await inOneBlock([rivals[1], rivals[0]], at)).reverse(), 'reversed')
}

const proofCall = (block: ChildBlock): readonly [Actor, RootCall] => [
  watcher,
  encodeFraudProof(forgeryProof(world.chain, block, block.transactions.length - 1)),
]

test('two proofs in one L1 block halt at the lower block in either order, and the same proof twice counts once', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const [lower, upper] = [await submitBad(chain, bait), await submitBad(chain, bait)]
  const [, newest] = await headOf(chain)
  await bothOrders([[dave, proofCall(lower)[1]], proofCall(upper)], async (went, order) => {
    assert.equal(went, [true, order === 'reversed'])
    assert.equal((await headOf(chain)).slice(0, 2), [lower.number, newest])
  })
  await refuses('NothingToDo', () => haltAt(chain, lower))
  await refuses('NothingToDo', () => haltAt(chain, upper))
})

test('a proof and a close in one L1 block leave the block void in either order', async () => {
  const { chain } = world
  const bad = await submitBad(chain, await createBait(chain))
  await bothOrders([proofCall(bad), [operator, encodeCloseChain()]], async (went, order) => {
    assert.equal(went, [true, order === 'reversed'])
    const [voidFrom, , lastMove] = await headOf(chain)
    assert.equal([voidFrom, lastMove], [bad.number, Number((await chain.client.getBlock()).timestamp)])
  })
})

test('a deposit in the L1 block of the halt stands if it comes first, and is sent back if not', async () => {
  const { chain } = world
  const bad = await submitBad(chain, await createBait(chain))
  const rival = [alice, encodeDepositEth(alice.address, ETHER)] as const
  await bothOrders([rival, proofCall(bad)], async (went, order) => {
    assert.equal(went, [order === 'as listed', true])
    const [funded] = await chain.read<readonly [bigint, bigint]>('totals', [ETH])
    assert.is(funded, order === 'as listed' ? 2n * ETHER : ETHER)
  })
})

test('a turn in the L1 block of a move pays if it comes first, and only reserves if not', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const exit = await startDepositExit(chain, alice, await deposit(chain, alice))
  await passTo(chain, exit.exitableAt - 25)
  const bad = await submitBad(chain, bait)
  const turn = [carol, encodeProcessExits(10, turnsOf([exit]))] as const
  const check = async (went: boolean[], order: string) => {
    assert.equal(went, [true, true])
    assert.is(await stateOf(chain, exit), order === 'as listed' ? 'settled' : 'ticket')
  }
  await bothOrders([turn, proofCall(bad)], check, exit.exitableAt + 1)
  const [, , lastMove] = await headOf(chain)
  await passTo(chain, lastMove + mep() + 1)
  assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
})

test('an exit of a bad block that starts in the L1 block of the proof is refused after it, and void before it', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const bad = await submitBad(chain, bait, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const { transaction } = bad.transactions[0] as SignedTransaction
  const shown = { transaction, header: bad.header, proof: proveInBlock(chain, bad, 0) }
  const bondWei = await bond(chain)
  const start = [alice, encodeStartStandardExit({ position: place(bad), shown, bondWei })] as const
  await bothOrders([start, proofCall(bad)], async (went, order) => {
    assert.equal(went, [order === 'as listed', true])
  })
  await refuses('BlockVoid', () => startExit(chain, alice, [bad, 0, 0]))
})

test('a submission and the halt of an older block in one L1 block: what came first is void, what comes later is refused', async () => {
  const { chain } = world
  const bad = await submitBad(chain, await createBait(chain))
  const number = Number(await chain.client.getBlockNumber())
  const { hash } = await chain.client.getBlock({ blockNumber: BigInt(number) })
  const commitment = await chain.commitmentOf([], number)
  const submission = [operator, encodeSubmitBlocks(bad.number + 1, [commitment], hash as Hash)] as const
  await bothOrders([submission, proofCall(bad)], async (went, order) => {
    assert.equal(went, [order === 'as listed', true])
    assert.equal((await headOf(chain)).slice(0, 2), [bad.number, bad.number + (order === 'as listed' ? 1 : 0)])
  })
})

test.run()

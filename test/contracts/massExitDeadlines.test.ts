/** Deadlines and bonds of mass exits (docs/spec.md 6.4.1 to 6.4.5): to the second, to the wei, and twice. */
import * as assert from 'uvu/assert'
import { type Abi, decodeFunctionData, encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import {
  encodeAnswerDemand,
  encodeDemandEntry,
  encodeDissolveBatch,
  encodeLockBatch,
  encodeReclaimDemand,
  encodeStartBatch,
} from '../../l1/massExitContract.ts'
import type { RootCall } from '../../l1/rootCalls.ts'
import { batchDeadlines, itemBond } from '../../protocol/massExit.ts'
import {
  answer,
  at,
  closeBatch,
  demand,
  depositAt,
  dissolve,
  lockBatch,
  openEntry,
  releaseEntry,
  startBatch,
  type TestBatch,
  turnBatch,
} from '../support/batchMoves.ts'
import { balance, deposit, ETHER, nextAt, passTo, place, signMandate, submit } from '../support/moves.ts'
import { type Actor, actors, ETH, eventOf, type RootChain } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: deadlines and bonds')

async function started(chain: RootChain, count = 1): Promise<TestBatch & { ends: ReturnType<typeof batchDeadlines> }> {
  const entries = []
  for (let i = 0; i < count; i++) entries.push({ position: await deposit(chain, alice), amount: ETHER })
  const batch = await startBatch(chain, entries)
  return { ...batch, ends: batchDeadlines(batch.batch.startedAt, chain.parameters.minExitPeriod) }
}

/** What a move is worth to somebody who pays no gas for it. */
async function gainOf(chain: RootChain, who: Actor, move: () => Promise<unknown>): Promise<bigint> {
  const before = await balance(chain, who)
  await move()
  return (await balance(chain, who)) - before
}

/** The first is mined before the second, in one L1 block; whether each went through. */
async function inOneBlock(chain: RootChain, calls: readonly (readonly [Actor, RootCall])[], time: number) {
  const { client, root } = chain
  await client.setAutomine(false)
  const hashes: `0x${string}`[] = []
  for (const [i, [{ account }, { data, valueWei }]] of calls.entries()) {
    const fees = { maxPriorityFeePerGas: BigInt(calls.length - i) * 10n ** 9n, maxFeePerGas: 10n ** 12n }
    const transaction = { account, to: root, data, value: valueWei, gas: 5_000_000n, chain: null, ...fees } as const
    hashes.push(await client.sendTransaction(transaction))
  }
  await nextAt(chain, time)
  await client.mine({ blocks: 1 })
  await client.setAutomine(true)
  const receipts = await Promise.all(hashes.map((hash) => client.getTransactionReceipt({ hash })))
  assert.equal(
    receipts.map(({ transactionIndex }) => transactionIndex),
    calls.map((_, i) => i),
  )
  return receipts.map(({ status }) => status === 'success')
}

test('a demand is taken in its last second and not a second later', async () => {
  const { chain } = world
  const batch = await started(chain, 2)
  await nextAt(chain, batch.ends.demand)
  await demand(chain, batch, 0)
  await nextAt(chain, batch.ends.demand + 1)
  await refuses('TooLate', () => demand(chain, batch, 1))
})

test('an answer is taken in its last second, and a second later the batch is dissolved', async () => {
  const { chain } = world
  const batch = await started(chain, 2)
  await demand(chain, batch, 0)
  await demand(chain, batch, 1)
  const mandate = await signMandate(chain, alice, {})
  await nextAt(chain, batch.ends.answer)
  await answer(chain, batch, [0, depositAt(alice, ETHER), mandate])
  await refuses('TooLate', async () => {
    await nextAt(chain, batch.ends.answer + 1)
    await answer(chain, batch, [1, depositAt(alice, ETHER), mandate])
  })
  await refuses('DemandUnexpected', () => dissolve(chain, batch, 0))
  await dissolve(chain, batch, 1)
  await refuses('BatchUnexpected', () => dissolve(chain, batch, 1))
})

test('nobody dissolves a batch while a demand can still be answered', async () => {
  const { chain } = world
  const batch = await started(chain)
  await demand(chain, batch, 0)
  await nextAt(chain, batch.ends.answer)
  await refuses('TooEarly', () => dissolve(chain, batch, 0))
  await nextAt(chain, batch.ends.answer + 1)
  await dissolve(chain, batch, 0)
})

test('a batch is locked from the second after the answers to its last second, and returns its bond whole a second later', async () => {
  const { chain } = world
  const batch = await started(chain)
  await nextAt(chain, batch.ends.answer)
  await refuses('TooEarly', () => lockBatch(chain, batch, batch.ends.answer))
  const fresh = await chain.client.snapshot()
  await lockBatch(chain, batch, batch.ends.answer + 1)
  await chain.client.revert({ id: fresh })
  const again = await chain.client.snapshot()
  await lockBatch(chain, batch, batch.ends.lock)
  await refuses('BatchUnexpected', () => dissolve(chain, batch, null))
  await chain.client.revert({ id: again })
  await nextAt(chain, batch.ends.lock)
  await refuses('TooEarly', () => dissolve(chain, batch, null))
  await nextAt(chain, batch.ends.lock + 1)
  await refuses('TooLate', () => lockBatch(chain, batch, batch.ends.lock + 1))
  assert.is(await gainOf(chain, watcher, () => dissolve(chain, batch, null)), batch.batch.bond)
  await refuses('BatchUnexpected', () => dissolve(chain, batch, null))
  await refuses('BatchUnexpected', () => lockBatch(chain, batch, batch.ends.lock + 5))
})

test('a demand and its answer, an answer and the dissolution: in one L1 block each, in both orders', async () => {
  const { chain } = world
  const batch = await started(chain)
  const mandate = await signMandate(chain, alice, {})
  const bond = (await chain.read<bigint>('demandBond', [batch.id])) * 2n
  const asks = [bob, encodeDemandEntry(batch.batch, at(batch, 0), bond)] as const
  const says = [watcher, encodeAnswerDemand(batch.batch, at(batch, 0), depositAt(alice, ETHER), mandate)] as const
  const ends = [carol, encodeDissolveBatch(batch.batch, 0)] as const
  const locks = [dave, encodeLockBatch(batch.batch)] as const
  const id = await chain.client.snapshot()
  assert.equal(await inOneBlock(chain, [asks, says], batch.ends.demand), [true, true])
  await chain.client.revert({ id })
  const id2 = await chain.client.snapshot()
  assert.equal(await inOneBlock(chain, [says, asks], batch.ends.demand), [false, true])
  // From the second after the answers on the batch can only end: who locks comes too late, before or after.
  assert.equal(await inOneBlock(chain, [says, ends, locks], batch.ends.answer + 1), [false, true, false])
  await chain.client.revert({ id: id2 })
  const id3 = await chain.client.snapshot()
  const lapses = [carol, encodeDissolveBatch(batch.batch, null)] as const
  assert.equal(await inOneBlock(chain, [locks, lapses], batch.ends.lock), [true, false])
  await chain.client.revert({ id: id3 })
  assert.equal(await inOneBlock(chain, [lapses, locks], batch.ends.lock + 1), [true, false])
})

test('whoever demanded what nobody can show gains half of the bond, the others get theirs back, once', async () => {
  const { chain } = world
  const batch = await started(chain, 3)
  const bonds = []
  for (const [index, from] of [bob, carol, dave].entries()) {
    bonds.push(eventOf((await demand(chain, batch, index, from)).events, 'EntryDemanded').bond)
  }
  const reclaim = (index: number) => chain.send(mallory.account, encodeReclaimDemand(batch.batch, index))
  await refuses('BatchUnexpected', () => reclaim(1))
  await passTo(chain, batch.ends.answer + 1)
  const gain = await gainOf(chain, carol, () => dissolve(chain, batch, 1, mallory))
  assert.is(gain, bonds[1]! + batch.batch.bond / 2n)
  await refuses('DemandUnexpected', () => reclaim(1))
  assert.is(await gainOf(chain, bob, () => reclaim(0)), bonds[0]!)
  await refuses('DemandUnexpected', () => reclaim(0))
  assert.is(await gainOf(chain, dave, () => reclaim(2)), bonds[2]!)
  const left = await chain.client.getBalance({ address: chain.root })
  const surety = BigInt(chain.parameters.operatorBondGwei) * 10n ** 9n
  assert.ok(left === 3n * ETHER + batch.batch.bond / 2n || left === surety + 3n * ETHER + batch.batch.bond / 2n)
})

test('the 64th open demand costs twice as much as the first', async () => {
  const { chain } = world
  const position = await deposit(chain, alice, 100n * ETHER)
  const batch = await startBatch(
    chain,
    Array.from({ length: 3 }, (_, i) => ({ position: position + i * 16, amount: 1n })),
  )
  const first = await chain.read<bigint>('demandBond', [batch.id])
  assert.is(first, 250_000n * 10n ** 9n)
  await demand(chain, batch, 0)
  assert.is(await chain.read<bigint>('demandBond', [batch.id]), (first * 65n) / 64n)
  const call = encodeDemandEntry(batch.batch, at(batch, 1), first)
  await refuses('BondTooSmall', () => chain.send(bob.account, call))
})

test('an answer about a deposit earns no more for what it is padded with', async () => {
  const { chain } = world
  const rewards: bigint[] = []
  for (const padding of [0, 60]) {
    const batch = await started(chain)
    await demand(chain, batch, 0)
    const mandate = await signMandate(chain, alice, {})
    const call = encodeAnswerDemand(batch.batch, at(batch, 0), depositAt(alice, ETHER), mandate)
    const padded = padding === 0 ? call : { ...call, data: withInputs(call.data, padding) }
    try {
      rewards.push(eventOf((await chain.send(watcher.account, padded)).events, 'DemandAnswered').reward)
    } catch {
      // Refusing it is as good.
    }
  }
  assert.ok(
    rewards.every((reward) => reward <= rewards[0]!),
    `got ${rewards.join(', ')}`,
  )
})

/** The same call with so many inputs, all 0, in the transaction that stands for the deposit. */
function withInputs(data: `0x${string}`, count: number): `0x${string}` {
  const { functionName, args } = decodeFunctionData({ abi: iLifeboatAbi, data })
  const [batch, shared, entry, shown, ...rest] = args as unknown as [unknown, unknown, unknown, never, ...unknown[]]
  const { transaction, ...other } = shown as { transaction: object }
  const padded = { ...other, transaction: { ...transaction, inputs: Array(count).fill(0n) } }
  return encodeFunctionData({ abi: iLifeboatAbi as Abi, functionName, args: [batch, shared, entry, padded, ...rest] })
}

test('the fund of a batch pays removals until it is empty and never more; what is left returns once, a period after E', async () => {
  const { chain } = world
  const gone = await deposit(chain, alice, 10n * ETHER)
  const bondWei = await chain.read<bigint>('batchBond', [3n])
  const entries = [gone, gone + 16, gone + 32].map((position) => ({ position, amount: 1n }))
  const batch = await startBatch(chain, entries, { bondWei })
  const item = await lockBatch(chain, batch)
  assert.is(item.bond, itemBond(bondWei, 3))
  await refuses('StateUnexpected', () => closeBatch(chain, batch))
  await turnBatch(chain, batch)
  let fund = bondWei - item.bond
  const fundOf = async () =>
    (await chain.read<readonly [number, boolean, bigint, bigint]>('batchRecord', [batch.id]))[3]
  assert.is(await fundOf(), fund - (fund % 10n ** 9n))
  for (const index of [1, 2]) {
    const gain = await gainOf(chain, carol, () => releaseEntry(chain, batch, index, { kind: 'nothing' }))
    const left = await fundOf()
    assert.ok(left < fund && gain < 30_000n * 10n ** 9n)
    fund = left
  }
  const end = item.exitableAt + chain.parameters.minExitPeriod
  await nextAt(chain, end)
  await refuses('TooEarly', () => closeBatch(chain, batch))
  await nextAt(chain, end + 1)
  const bounty = (item.bond * 60_000n) / 400_000n
  assert.is(await gainOf(chain, watcher, () => closeBatch(chain, batch)), fund + item.bond - bounty)
  assert.is(await fundOf(), 0n)
  await refuses('BatchUnexpected', () => closeBatch(chain, batch))
  await openEntry(chain, batch, 0, depositAt(alice, 10n * ETHER)).catch(() => {})
  assert.is(await fundOf(), 0n)
})

test('a bond below the least is refused, and so is a batch of more than the vault ever took in', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const entries = [{ position, amount: ETHER }]
  const bondWei = await chain.read<bigint>('batchBond', [1n])
  assert.is(bondWei, 460_000n * 10n ** 9n)
  await refuses('BondTooSmall', () => startBatch(chain, entries, { bondWei: bondWei - 1n }))
  await refuses('NotCovered', () => startBatch(chain, [{ position, amount: ETHER + 1n }]))
  await startBatch(chain, entries, { bondWei })
  const token = `0x${'77'.repeat(20)}` as const
  await refuses('NotCovered', () => startBatch(chain, entries, { token }))
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const unknown = encodeStartBatch({
    token: ETH,
    entries: [{ position: place(block) + 2 ** 25, amount: 1n }],
    lastBlock: block.header,
    bondWei,
  })
  await refuses('HeaderMismatch', () => chain.send(bob.account, unknown))
})

test.run()

/** A running operator that answers for what it says, on the real contracts: receipts, data challenges, its bond. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createClient } from '../../api/client.ts'
import { type Hash, hexToBytes } from '../../protocol/bytes.ts'
import { hashReceiptBatch, isInBatch } from '../../protocol/receipt.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { passTo } from '../support/moves.ts'
import { actors, type ChildBlock, ETHER, type Reverted } from '../support/rootChain.ts'
import { bondLeft, breakReceipt, challengeData, readSurety, standingAt } from '../support/suretyMoves.ts'
import { createSuretyWatcher, type SuretyWatcher } from '../watcher/support/surety.ts'
import { type Network, startNetwork } from './chain.ts'

const test = suite<{ network: Network }>('operator: surety on anvil')
const { alice, bob, watcher } = actors

test.before.each(async (context) => {
  context.network = await startNetwork()
})
test.after.each(async ({ network }) => {
  await network.stop()
})

async function payOnce(network: Network) {
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  const signed = await network.chain.pay(alice, input, [[bob, ETHER]])
  const [result] = await network.api().submit([signed])
  if (result?.status !== 'accepted' || !result.receipt) throw new Error(`got ${JSON.stringify(result)}, want a receipt`)
  return { signed, txHash: result.txHash, receipt: result.receipt }
}

async function committed(
  network: Network,
  signed: Parameters<Network['chain']['hashed']>[0][number],
): Promise<ChildBlock> {
  const summary = await network.api().latestBlock()
  if (!summary?.submission) throw new Error('no block on L1')
  const { root, txCount, anchor, number, submission } = summary
  return { number, header: { root, txCount, anchor, timestamp: submission.timestamp }, transactions: [signed] }
}

test('an acknowledged payment comes with a receipt of the operator that L1 finds kept', async ({ network }) => {
  const { chain } = network
  const { signed, txHash, receipt } = await payOnce(network)
  assert.ok(isInBatch(receipt))
  const digest = hashReceiptBatch(receipt.root, receipt.count, chain.separator)
  assert.is(recoverAddress(digest, hexToBytes(receipt.signature)), actors.operator.address)
  await network.cut()
  const block = await committed(network, signed)
  assert.is(block.number, receipt.receipt.blockNumber)
  try {
    await breakReceipt(chain, receipt, { block, standing: standingAt(chain, block, 0) })
    assert.unreachable('a kept receipt was broken')
  } catch (error) {
    assert.is((error as Reverted).errorName, 'ReceiptKept')
  }
  await network.restart()
  assert.equal((await network.api().receipt(txHash))?.receipt, receipt.receipt, 'the same after a restart')
  assert.is(await network.api().receipt(`0x${'77'.repeat(32)}` as Hash), undefined)
  network.memory.assertNoErrors()
})

test('a demanded block is revealed without anybody asking, also after a restart in between', async ({ network }) => {
  const { chain } = network
  const { signed } = await payOnce(network)
  await network.cut()
  const block = await committed(network, signed)
  await challengeData(chain, block, [0, 0], { from: watcher })
  await network.restart()
  for (let i = 0; i < 4; i++) await network.mine(1)
  const [, state] = await readSurety<readonly [string, number]>(chain, 'challengeRecord', [block.number, 0, 0])
  assert.is(state, 2, 'answered')
  assert.is((await network.api().status()).bond?.wei, ETHER)
})

/** An honest operator stops right after a commitment, and a watcher that has not got the block demands it. */
async function vanish(network: Network) {
  const { chain } = network
  const { signed } = await payOnce(network)
  await network.cut()
  const block = await committed(network, signed)
  await network.operator.stop()
  const someone = await createSuretyWatcher(network)
  await someone.look()
  await passTo(chain, block.header.timestamp + Math.floor(chain.parameters.dataChallengePeriod / 4) + 1)
  assert.equal((await someone.act()).done, ['challenge-data'])
  const [record] = someone.data.open()
  return { block, someone, until: (record?.challenge.startedAt ?? 0) + chain.parameters.dataResponsePeriod }
}

async function isAnswered({ chain }: Network, block: ChildBlock): Promise<boolean> {
  const [, state] = await readSurety<readonly [string, number]>(chain, 'challengeRecord', [block.number, 0, 0])
  return state === 2
}

async function assertSafe({ chain }: Network, someone: SuretyWatcher, block: ChildBlock, until: number): Promise<void> {
  await someone.look()
  assert.ok(someone.facts.verifiedBlock() >= block.number, 'the block, and perhaps a heartbeat after it')
  await passTo(chain, until + 1)
  assert.equal(await someone.act(), { done: [], refused: [] })
  assert.equal([someone.facts.halt().voidFrom, someone.facts.safety().status], [0, 'safe'])
  someone.log.assertNoErrors()
}

test('an operator that comes back moments before its time is over answers at once, and the chain goes on', async ({
  network,
}) => {
  const { chain, clock } = network
  const { block, someone, until } = await vanish(network)
  await passTo(chain, until - 8)
  clock.ms = Number((await chain.client.getBlock()).timestamp) * 1_000
  const operator = await network.start()
  try {
    for (let i = 0; i < 2 && !(await isAnswered(network, block)); i++) {
      clock.ms += 1_000
      await operator.tick()
      await chain.client.mine({ blocks: 1 })
    }
    assert.ok(await isAnswered(network, block), 'in its first look at L1')
    await assertSafe(network, someone, block, until)
    assert.ok((await createClient({ url: operator.url }).blockBody(block.number))?.length)
  } finally {
    await operator.stop()
  }
  network.memory.assertNoErrors()
})

test('a watcher that holds the block answers for an operator that never comes back', async ({ network }) => {
  const { chain } = network
  const { block, someone, until } = await vanish(network)
  const holder = await createSuretyWatcher(network, { actor: alice })
  holder.serve(block)
  await passTo(chain, until - Math.floor(chain.parameters.dataResponsePeriod / 2) + 1)
  assert.equal((await holder.act()).done, ['reveal-data'])
  assert.ok(await isAnswered(network, block))
  await assertSafe(network, someone, block, until)
})

test('an operator that was away promises nothing before it has seen where L1 is', async ({ network }) => {
  const { chain, clock } = network
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  await network.operator.stop()
  await chain.client.mine({ blocks: chain.parameters.anchorAgeBlocks + 5 })
  const operator = await network.start()
  const api = createClient({ url: operator.url })
  const signed = await chain.pay(alice, input, [[bob, ETHER]])
  const [early] = await api.submit([signed])
  assert.is(early?.status === 'rejected' && early.error.code, 'L1_STALE')
  clock.ms += 1_000
  await operator.tick()
  const [late] = await api.submit([signed])
  assert.is(late?.status, 'accepted')
  const anchor = late?.status === 'accepted' ? (late.receipt?.receipt.anchor ?? 0) : 0
  assert.ok(anchor + chain.parameters.anchorAgeBlocks > Number(await chain.client.getBlockNumber()) + 10)
  await operator.stop()
})

test('an operator whose machine slept promises nothing before it has seen where L1 is', async ({ network }) => {
  const { chain, clock, settings } = network
  const { txHash } = await payOnce(network)
  await network.cut()
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  await chain.client.mine({ blocks: chain.parameters.anchorAgeBlocks + 5 })
  clock.ms += settings.maxL1LagSeconds * 1_000
  assert.equal((await network.api().status()).problems, [], 'so long it may be silent')
  // Nothing of it ran meanwhile.
  clock.ms += 1_000
  const signed = await chain.pay(alice, input, [[bob, ETHER]])
  const [early] = await network.api().submit([signed])
  assert.is(early?.status === 'rejected' && early.error.code, 'L1_STALE')
  assert.match((await network.api().status()).problems.join(), /L1 was not seen for 9 s/)
  const noReceipt = await network
    .api()
    .receipt(txHash)
    .catch(({ code }: { code: string }) => code)
  assert.is(noReceipt, 'L1_STALE')
  await network.operator.tick()
  const [late] = await network.api().submit([signed])
  const anchor = late?.status === 'accepted' ? (late.receipt?.receipt.anchor ?? 0) : 0
  assert.ok(anchor + chain.parameters.anchorAgeBlocks > Number(await chain.client.getBlockNumber()) + 10)
  network.memory.assertNoErrors()
})

test('an operator whose L1 node stands still promises nothing until it goes on', async ({ network }) => {
  const { chain, clock, settings } = network
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  const { timestamp } = await chain.client.getBlock()
  clock.ms = (Number(timestamp) + settings.maxL1LagSeconds) * 1_000
  await network.operator.tick()
  assert.equal((await network.api().status()).problems, [], 'so old its newest block may be')
  clock.ms += 1_000
  await network.operator.tick()
  const signed = await chain.pay(alice, input, [[bob, ETHER]])
  const [early] = await network.api().submit([signed])
  assert.is(early?.status === 'rejected' && early.error.code, 'L1_STALE')
  await chain.client.setNextBlockTimestamp({ timestamp: timestamp + BigInt(settings.maxL1LagSeconds) })
  await network.mine(1)
  const [late] = await network.api().submit([signed])
  assert.is(late?.status, 'accepted')
})

test('an L1 whose blocks are further apart than its slot does not end acceptance', async ({ network }) => {
  const { chain, clock, settings } = network
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  const pause = BigInt(settings.maxL1LagSeconds + 4)
  const { timestamp } = await chain.client.getBlock()
  await chain.client.setNextBlockTimestamp({ timestamp: timestamp + pause })
  await network.mine(1)
  clock.ms = Number(timestamp + 3n * pause) * 1_000
  await network.operator.tick()
  const signed = await chain.pay(alice, input, [[bob, ETHER]])
  const [result] = await network.api().submit([signed])
  assert.is(result?.status, 'accepted')
  clock.ms += 1_000
  await network.operator.tick()
  assert.match((await network.api().status()).problems.join(), /newest block is \d+ s old/)
})

test('an operator that loses half its bond says so and takes nothing more', async ({ network }) => {
  const { chain } = network
  const { receipt } = await payOnce(network)
  // The block never comes: the anchor gets too old while the operator is away.
  await chain.client.mine({ blocks: chain.parameters.anchorAgeBlocks + 1 })
  await breakReceipt(chain, receipt, { from: watcher })
  assert.is(await bondLeft(chain), ETHER / 2n)
  await network.mine(1)
  const status = await network.api().status()
  assert.equal(status.bond, { wei: ETHER / 2n, leastWei: ETHER, slashedWei: ETHER / 2n })
  assert.match(status.problems.join(), /bond is 500000000000000000 wei/)
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  const [result] = await network.api().submit([await chain.pay(alice, input, [[bob, ETHER]])])
  assert.is(result?.status === 'rejected' && result.error.code, 'NOT_BONDED')
})

test.run()

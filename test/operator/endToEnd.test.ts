import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FeedEvent } from '../../api/feed.ts'
import { encodeStartStandardExit } from '../../l1/rootCalls.ts'
import { blockTree, hashWitnesses } from '../../protocol/block.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { decodeBody } from '../../protocol/codec.ts'
import { hashTransaction } from '../../protocol/transaction.ts'
import { actors, ETHER, exitOf } from '../support/rootChain.ts'
import { type Network, startNetwork } from './chain.ts'

const test = suite<{ network: Network }>('operator end to end on anvil')

test.before(async (context) => {
  context.network = await startNetwork()
})
test.after(async ({ network }) => {
  await network.stop()
  network.memory.assertNoErrors()
})

const { alice, bob } = actors

test('takes a deposit, a payment and its change, commits the block, and the owner leaves with what it serves', async ({
  network,
}) => {
  const { chain } = network
  const api = network.api()
  const input = await network.deposit(alice, 10n * ETHER)
  await network.mine(3)
  assert.equal(
    (await api.outputs(alice.address)).outputs.map(({ position, state }) => [position, state]),
    [[input, 'unspent']],
  )

  const signed = await chain.pay(alice, input, [
    [bob, 4n * ETHER],
    [alice, 6n * ETHER],
  ])
  const [result] = await api.submit([signed])
  assert.is(result?.status, 'accepted')
  if (result?.status !== 'accepted') return
  assert.is((await api.transaction(result.txHash))?.stage, 'accepted')

  await network.cut()
  const block = await api.latestBlock()
  assert.is(block?.stage === 'committed' || block?.stage === 'final', true)
  assert.is((await api.transaction(result.txHash))?.stage, block?.stage)
  const body = decodeBody((await api.blockBody(1))!)
  const hashed = body.transactions.map(({ transaction, witnesses }) => ({
    txHash: hashTransaction(transaction, chain.separator),
    witnessesHash: hashWitnesses(witnesses),
  }))
  assert.is(bytesToHex(blockTree(hashed).root), block?.root)
  assert.is(body.anchor, block?.anchor)

  const data = await api.exitData(result.position)
  assert.is(data?.kind, 'transaction')
  if (data?.kind !== 'transaction') return
  const bondWei = await chain.read<bigint>('exitBond')
  const shown = { transaction: data.transaction, header: data.header, proof: data.proof }
  const { events } = await chain.send(bob.account, encodeStartStandardExit({ position: data.position, shown, bondWei }))
  assert.is(exitOf(events).outputId, data.outputId)

  await network.operator.tick()
  const [refused] = await api.submit([await chain.pay(bob, result.position, [[alice, 4n * ETHER]])])
  assert.is(refused?.status === 'rejected' && refused.error.code, 'INPUT_EXITING')
  const change = (await api.outputs(alice.address)).outputs[0]
  assert.is(change?.position, result.position + 1)
})

test('serves the same deployment file that it runs on', async ({ network }) => {
  const served = await network.api().deployment()
  assert.equal(served, network.deployment)
})

test('keeps everything over a restart: log, blocks, positions, and the place on L1', async ({ network }) => {
  const before = await network.api().status()
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  const signed = await network.chain.pay(alice, input, [[bob, ETHER]])
  const [first] = await network.api().submit([signed])
  await network.restart()
  const [second] = await network.api().submit([signed])
  assert.equal(second, first)
  const after = await network.api().status()
  assert.is(after.committed, before.committed)
  assert.is(after.open?.txCount, 1)
})

test('resumes a feed from a cursor without a gap or a repetition', async ({ network }) => {
  const { chain } = network
  const topic = `account:${bob.address}`
  const pay = async () => {
    const input = await network.deposit(alice, ETHER)
    await network.mine(3)
    const [result] = await network.api().submit([await chain.pay(alice, input, [[bob, ETHER]])])
    assert.is(result?.status, 'accepted')
    await network.cut()
    return result?.status === 'accepted' ? result.position : undefined
  }
  await network.cut()
  const seen: FeedEvent[] = []
  const events = new Map<number, () => void>()
  const untilSeen = (count: number) =>
    new Promise<void>((resolve) => {
      if (seen.length >= count) resolve()
      else events.set(count, resolve)
    })
  const onEvent = (event: FeedEvent) => {
    seen.push(event)
    events.get(seen.length)?.()
  }
  const history = (await network.api().history(bob.address)).entries
  const first = network.api().feed([{ topic, cursor: 0 }], { onEvent })
  await untilSeen(history.length)
  first.close()
  const missed = await pay()
  const second = network.api().feed([{ topic, cursor: seen.at(-1)!.cursor }], { onEvent })
  await untilSeen(history.length + 1)
  const live = await pay()
  await untilSeen(history.length + 2)
  second.close()
  const positions = seen.map((event) => ('activity' in event ? event.activity.position : undefined))
  assert.equal(positions, [...history.map(({ position }) => position).reverse(), missed, live])
})

test('submits again after an L1 reorg took its submission back', async ({ network }) => {
  await network.cut()
  const before = await network.api().status()
  const input = await network.deposit(alice, ETHER)
  await network.mine(3)
  await network.api().submit([await network.chain.pay(alice, input, [[bob, ETHER]])])
  network.clock.ms += network.settings.blockIntervalSeconds * 1000
  // anvil mines in its own time: the operator looks until the submission is there.
  for (let looks = 0; looks < 50 && (await network.api().status()).committed === before.committed; looks++) {
    await network.operator.tick()
  }
  const depth = 1
  assert.is((await network.api().status()).committed, before.committed + 1)
  await network.client.request({ method: 'anvil_rollback' as never, params: [depth] as never })
  assert.is(Number((await network.chain.read<readonly [number, number]>('head'))[1]), before.committed)
  await network.client.mine({ blocks: 2 })
  for (let round = 0; round < 8; round++) {
    network.clock.ms += 2_000
    await network.mine(1)
  }
  assert.is(Number((await network.chain.read<readonly [number, number]>('head'))[1]), before.committed + 1)
  assert.is((await network.api().status()).committed, before.committed + 1)
  assert.equal((await network.api().status()).problems, [])
})

test.run()

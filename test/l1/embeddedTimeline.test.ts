/** The embedded L1's dev powers: time travel, snapshots, reorgs, interval mining. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Hex, parseEther } from 'viem'
import {
  closeNetworks,
  deployProbe,
  GENESIS_SECONDS,
  handTimer,
  network,
  probe,
  rejection,
  transfer,
} from './embeddedFixture.ts'

const test = suite('embedded L1: timeline')
const { abi } = probe()
test.after.each(closeNetworks)

const FUNDED = parseEther('10000')

test('time follows the clock, and every block is at least a second after its parent', async () => {
  const net = await network()
  await net.l1.request('evm_mine')
  await net.l1.request('evm_mine')
  assert.equal(await timestamps(net), [0, 1, 2])
  net.moveClock(100)
  await net.l1.request('evm_mine')
  assert.equal((await timestamps(net)).at(-1), 100)
})

test('time travel: increase, an exact next time, and time goes on from there', async () => {
  const net = await network()
  await net.l1.request('evm_increaseTime', [3600])
  await net.l1.request('evm_mine')
  assert.is((await timestamps(net)).at(-1), 3600)
  await net.l1.request('evm_setNextBlockTimestamp', [GENESIS_SECONDS + 10_000])
  await net.l1.request('evm_mine')
  net.moveClock(5)
  await net.l1.request('evm_mine')
  assert.equal((await timestamps(net)).slice(-2), [10_000, 10_005])
  const past = await rejection(net.l1.request('evm_setNextBlockTimestamp', [GENESIS_SECONDS + 10_005]))
  assert.match(past.message, /not after the latest/)
  await net.l1.request('anvil_mine', ['0x3', '0x3c'])
  assert.equal((await timestamps(net)).slice(-3), [10_006, 10_066, 10_126])
  await net.l1.request('evm_mine', [{ timestamp: GENESIS_SECONDS + 20_000 }])
  assert.is((await timestamps(net)).at(-1), 20_000)
})

test('a snapshot brings back chain, pool and time, once', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.l1.request('evm_setAutomine', [false])
  const waiting = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 1)])) as Hex
  const head = await net.read.getBlock()
  const id = await net.l1.request('evm_snapshot')
  await net.l1.request('evm_increaseTime', [5000])
  await net.l1.request('anvil_mine', ['0x5'])
  assert.is((await net.read.getTransactionReceipt({ hash: waiting })).status, 'success')
  assert.is(await net.l1.request('evm_revert', [id]), true)
  assert.is((await net.read.getBlock()).hash, head.hash)
  assert.is(await net.l1.request('eth_getTransactionReceipt', [waiting]), null)
  assert.is((await net.read.getTransaction({ hash: waiting })).blockNumber, null)
  assert.is(await net.read.getBalance({ address: net.bob.address }), FUNDED)
  assert.is(await net.l1.request('evm_revert', [id]), false)
  await net.l1.request('evm_mine')
  assert.is((await timestamps(net)).at(-1), 2)
  assert.is(await net.read.readContract({ address, abi, functionName: 'values', args: [1n] }), 0n)
})

test('reverting to an earlier snapshot uses up the later ones', async () => {
  const net = await network()
  const first = await net.l1.request('evm_snapshot')
  await net.l1.request('evm_mine')
  const second = await net.l1.request('evm_snapshot')
  assert.is(await net.l1.request('evm_revert', [first]), true)
  assert.is(await net.l1.request('evm_revert', [second]), false)
})

test('a snapshot survives two reorgs that removed its blocks', async () => {
  const net = await network()
  await net.l1.request('anvil_mine', ['0x8'])
  const before = (await net.read.getBlock()).hash
  const id = await net.l1.request('evm_snapshot')
  await net.l1.request('anvil_mine', ['0x2'])
  await net.l1.request('anvil_reorg', [4])
  await net.l1.request('anvil_reorg', [7])
  assert.is.not((await net.read.getBlock({ blockNumber: 8n })).hash, before)
  assert.is(await net.l1.request('evm_revert', [id]), true)
  assert.is((await net.read.getBlock()).hash, before)
  await assertLinked(net)
})

test('a reorg replaces the last blocks: new hashes, same height and times, transactions back in the pool', async () => {
  const net = await network()
  const first = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])) as Hex
  const second = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 1)])) as Hex
  const third = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 2)])) as Hex
  const old = await Promise.all([1n, 2n, 3n].map((blockNumber) => net.read.getBlock({ blockNumber })))
  await net.l1.request('anvil_reorg', [2])
  const fresh = await Promise.all([1n, 2n, 3n].map((blockNumber) => net.read.getBlock({ blockNumber })))
  assert.is(fresh[0]!.hash, old[0]!.hash)
  assert.is.not(fresh[1]!.hash, old[1]!.hash)
  assert.is.not(fresh[2]!.hash, old[2]!.hash)
  assert.equal(
    fresh.map((block) => block.timestamp),
    old.map((block) => block.timestamp),
  )
  assert.equal(
    fresh.map((block) => block.transactions.length),
    [1, 0, 0],
  )
  await assertLinked(net)
  assert.is(await net.read.getBalance({ address: net.bob.address }), FUNDED + 1n)
  assert.is(await net.l1.request('eth_getBlockByHash', [old[2]!.hash, false]), null)
  assert.is((await net.read.getTransactionReceipt({ hash: first })).status, 'success')
  assert.is(await net.l1.request('eth_getTransactionReceipt', [second]), null)
  assert.is(await net.read.getTransactionCount({ address: net.alice.address, blockTag: 'pending' }), 3)
  await net.l1.request('evm_mine')
  assert.equal((await net.read.getBlock()).transactions, [second, third])
})

test('a reorg can drop what it removes, and dictate what replaces it', async () => {
  const net = await network()
  await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0, { value: 5n })])
  const rival = await transfer(net, 0, { value: 9n })
  await net.l1.request('evm_mine')
  await net.l1.request('anvil_reorg', [2, [[rival, 1]], { requeue: false }])
  assert.is(await net.read.getBalance({ address: net.bob.address }), FUNDED + 9n)
  assert.is((await net.read.getBlock({ blockNumber: 1n })).transactions.length, 0)
  assert.is((await net.read.getBlock({ blockNumber: 2n })).transactions.length, 1)
  assert.is(await net.read.getTransactionCount({ address: net.alice.address, blockTag: 'pending' }), 1)
})

test('a reorg that can not be done leaves the chain as it was', async () => {
  const net = await network()
  await net.l1.request('anvil_mine', ['0x3'])
  const head = (await net.read.getBlock()).hash
  const gap = await transfer(net, 5)
  assert.match((await rejection(net.l1.request('anvil_reorg', [2, [[gap, 0]]]))).message, /can't go into this block/)
  assert.match((await rejection(net.l1.request('anvil_reorg', [4]))).message, /out of range/)
  assert.match((await rejection(net.l1.request('anvil_reorg', [0]))).message, /out of range/)
  assert.match((await rejection(net.l1.request('anvil_reorg', [2, [[gap, 2]]]))).message, /block index/)
  assert.is((await net.read.getBlock()).hash, head)
  await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])
  assert.is(await net.read.getBalance({ address: net.bob.address }), FUNDED + 1n)
  await assertLinked(net)
})

test('two reorgs of the same depth give different blocks', async () => {
  const net = await network()
  await net.l1.request('anvil_mine', ['0x3'])
  await net.l1.request('anvil_reorg', [2])
  const once = (await net.read.getBlock()).hash
  await net.l1.request('anvil_reorg', [2])
  assert.is.not((await net.read.getBlock()).hash, once)
})

test('BLOCKHASH and the history contract see the new branch after a reorg', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.l1.request('anvil_mine', ['0x5'])
  await net.l1.request('anvil_reorg', [4])
  const { hash } = await net.read.getBlock({ blockNumber: 4n })
  assert.is(await net.read.readContract({ address, abi, functionName: 'hashAt', args: [4n] }), hash)
  const { data } = await net.read.call({
    to: '0x0000F90827F1C53a10cb7A02335B175320002935',
    data: `0x${'4'.padStart(64, '0')}`,
  })
  assert.is(data, hash)
})

test('a rollback shortens the chain', async () => {
  const net = await network()
  const hash = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])) as Hex
  await net.l1.request('evm_mine')
  await net.l1.request('anvil_rollback', [2, { requeue: true }])
  assert.is(await net.read.getBlockNumber(), 0n)
  assert.is((await net.read.getTransaction({ hash })).blockNumber, null)
  await net.l1.request('anvil_rollback', [1]).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /out of range/),
  )
})

test('a polled log filter hears of removed logs before the new ones', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const id = await net.l1.request('eth_newFilter', [{ address }])
  await net.wallet.writeContract({ address, abi, functionName: 'storeMany', args: [2n], gas: 200_000n })
  await net.l1.request('anvil_reorg', [1])
  const logs = (await net.l1.request('eth_getFilterChanges', [id])) as { removed: boolean; logIndex: Hex }[]
  assert.equal(
    logs.map((log) => [log.removed, log.logIndex]),
    [
      [false, '0x0'],
      [false, '0x1'],
      [true, '0x1'],
      [true, '0x0'],
    ],
  )
})

test('interval mining makes a block per tick, empty or not', async () => {
  const timer = handTimer()
  const net = await network({ mining: { intervalSeconds: 12 }, schedule: timer.schedule })
  assert.is(timer.armedMs(), 12_000)
  const hash = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])) as Hex
  assert.is(await net.l1.request('eth_getTransactionReceipt', [hash]), null)
  net.moveClock(12)
  await timer.fire()
  assert.is((await net.read.getTransactionReceipt({ hash })).status, 'success')
  net.moveClock(12)
  await timer.fire()
  assert.equal(await timestamps(net), [0, 12, 24])
  await net.l1.request('evm_setIntervalMining', [3])
  assert.is(timer.armedMs(), 3000)
  await net.l1.request('evm_setAutomine', [true])
  assert.is(timer.armedMs(), undefined)
})

test('a full block leaves the rest for the next', async () => {
  const net = await network({ blockGasLimit: 100_000 })
  await net.l1.request('evm_setAutomine', [false])
  for (let nonce = 0; nonce < 6; nonce++) await net.l1.request('eth_sendRawTransaction', [await transfer(net, nonce)])
  await net.l1.request('anvil_mine', ['0x2'])
  const sizes = await Promise.all(
    [1n, 2n].map(async (blockNumber) => (await net.read.getBlock({ blockNumber })).transactions.length),
  )
  assert.equal(sizes, [4, 2])
})

test('switching to instant mining mines what is waiting, over as many blocks as it takes', async () => {
  const net = await network({ blockGasLimit: 100_000 })
  await net.l1.request('evm_setAutomine', [false])
  for (let nonce = 0; nonce < 6; nonce++) await net.l1.request('eth_sendRawTransaction', [await transfer(net, nonce)])
  await net.l1.request('evm_setAutomine', [true])
  assert.is(await net.read.getBlockNumber(), 2n)
  assert.is(await net.read.getBalance({ address: net.bob.address }), FUNDED + 6n)
})

test('the next base fee can be dictated, for one block', async () => {
  const net = await network()
  await net.l1.request('anvil_setNextBlockBaseFeePerGas', ['0x77359400'])
  await net.l1.request('evm_mine')
  assert.is((await net.read.getBlock()).baseFeePerGas, 2_000_000_000n)
  await net.l1.request('evm_mine')
  assert.is((await net.read.getBlock()).baseFeePerGas, 1_750_000_000n)
})

type Network = Awaited<ReturnType<typeof network>>

/** Timestamps from genesis to head, seconds after genesis. */
async function timestamps(net: Network): Promise<number[]> {
  const head = await net.read.getBlockNumber()
  const blocks = await Promise.all(
    Array.from({ length: Number(head) + 1 }, (_, number) => net.read.getBlock({ blockNumber: BigInt(number) })),
  )
  return blocks.map((block) => Number(block.timestamp) - GENESIS_SECONDS)
}

async function assertLinked(net: Network): Promise<void> {
  for (let number = await net.read.getBlockNumber(); number > 0n; number--) {
    const block = await net.read.getBlock({ blockNumber: number })
    const parent = await net.read.getBlock({ blockNumber: number - 1n })
    assert.is(block.parentHash, parent.hash)
    assert.is((await net.read.getBlock({ blockHash: block.hash! })).number, number)
  }
}

test.run()

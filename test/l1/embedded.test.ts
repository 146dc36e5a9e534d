/** The embedded L1 as viem, a wallet and an explorer see it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeErrorResult, encodeFunctionData, type Hex, keccak256, parseEther, parseGwei, stringToHex } from 'viem'
import { closeNetworks, deployProbe, network, probe, rejection, transfer } from './embeddedFixture.ts'

const test = suite('embedded L1: JSON-RPC')
const { abi } = probe()
test.after.each(closeNetworks)

test('deploys a contract, calls it, and reads its log back by filter', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const hash = await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 42n], value: 5n })
  const receipt = await net.read.waitForTransactionReceipt({ hash })
  assert.is(receipt.status, 'success')
  assert.is(receipt.type, 'eip1559')
  assert.is(receipt.logs.length, 1)
  assert.is(receipt.logs[0]!.logIndex, 0)
  assert.is(await net.read.readContract({ address, abi, functionName: 'values', args: [1n] }), 42n)
  assert.is(await net.read.getBalance({ address }), 5n)
  assert.is(BigInt((await net.read.getStorageAt({ address, slot: mappingSlot(1n, 0n) }))!), 42n)
  const events = await net.read.getContractEvents({
    address,
    abi,
    eventName: 'Stored',
    args: { key: 1n },
    fromBlock: 0n,
  })
  assert.is(events.length, 1)
  assert.is(events[0]!.transactionHash, hash)
  const none = await net.read.getContractEvents({ address, abi, eventName: 'Stored', args: { key: 2n }, fromBlock: 0n })
  assert.is(none.length, 0)
})

test('topics match by position, with alternatives and gaps', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'storeMany', args: [5n], gas: 200_000n })
  const key = (value: number) => `0x${value.toString(16).padStart(64, '0')}`
  const count = async (topics: unknown) =>
    ((await net.l1.request('eth_getLogs', [{ fromBlock: 'earliest', address: [address], topics }])) as unknown[]).length
  assert.is(await count([]), 5)
  assert.is(await count([null, null, key(3)]), 1)
  assert.is(await count([null, null, [key(3), key(4)]]), 2)
  assert.is(await count([null, null, []]), 5)
  assert.is(await count([null, null, null, null]), 0)
  assert.is(await count([key(3)]), 0)
})

test('a revert carries its data and its reason', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const data = encodeFunctionData({ abi, functionName: 'store', args: [1n, 2000n] })
  const error = await rejection(net.l1.request('eth_call', [{ to: address, data }, 'latest']))
  assert.is(error.code, 3)
  const decoded = decodeErrorResult({ abi, data: error.data as Hex })
  assert.is(decoded.errorName, 'TooBig')
  assert.equal(decoded.args, [2000n, 1000n])
  const estimated = await rejection(net.l1.request('eth_estimateGas', [{ to: address, data }]))
  assert.is(estimated.data, error.data)
  const refuse = encodeFunctionData({ abi, functionName: 'refuse' })
  const worded = await rejection(net.l1.request('eth_call', [{ to: address, data: refuse }]))
  assert.is(worded.message, 'execution reverted: not today')
  const viaViem = await rejection(net.read.simulateContract({ address, abi, functionName: 'store', args: [1n, 2000n] }))
  assert.match(viaViem.message, /TooBig/)
})

test('a transaction that reverts is mined, pays and leaves no log', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const before = await net.read.getBalance({ address: net.alice.address })
  const hash = await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 2000n], gas: 100_000n })
  const receipt = await net.read.getTransactionReceipt({ hash })
  assert.is(receipt.status, 'reverted')
  assert.is(receipt.logs.length, 0)
  const after = await net.read.getBalance({ address: net.alice.address })
  assert.is(before - after, receipt.gasUsed * receipt.effectiveGasPrice)
})

test('calls change nothing, not even a nonce', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const root = (await net.read.getBlock()).stateRoot
  const nonce = await net.read.getTransactionCount({ address: net.alice.address })
  const data = encodeFunctionData({ abi, functionName: 'store', args: [9n, 9n] })
  await net.l1.request('eth_call', [{ from: net.alice.address, to: address, data }])
  await net.l1.request('eth_estimateGas', [{ from: net.alice.address, to: address, data }])
  await net.l1.request('eth_call', [{ from: net.alice.address, data: probe().bytecode }])
  assert.is(await net.read.readContract({ address, abi, functionName: 'values', args: [9n] }), 0n)
  assert.is(await net.read.getTransactionCount({ address: net.alice.address }), nonce)
  await net.l1.request('evm_mine')
  const proof = await net.read.getProof({ address: net.alice.address, storageKeys: [] })
  assert.is(proof.nonce, nonce)
  assert.is.not((await net.read.getBlock()).stateRoot, root, 'the history contract changes with each block')
})

test('an estimate is enough, for nested calls too', async () => {
  const net = await network()
  const address = await deployProbe(net)
  for (const depth of [0n, 5n, 20n]) {
    const gas = await net.read.estimateContractGas({
      address,
      abi,
      functionName: 'nested',
      args: [depth],
      account: net.alice,
    })
    const hash = await net.wallet.writeContract({ address, abi, functionName: 'nested', args: [depth], gas })
    assert.is((await net.read.getTransactionReceipt({ hash })).status, 'success', `depth ${depth}`)
  }
  const plain = await net.read.estimateGas({ account: net.alice, to: net.bob.address, value: 1n })
  assert.is(plain, 21_000n)
})

test('an estimate with a refund covers the peak before the refund', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 1n] })
  const gas = await net.read.estimateContractGas({
    address,
    abi,
    functionName: 'clear',
    args: [1n],
    account: net.alice,
  })
  const hash = await net.wallet.writeContract({ address, abi, functionName: 'clear', args: [1n], gas })
  const receipt = await net.read.getTransactionReceipt({ hash })
  assert.is(receipt.status, 'success')
  assert.ok(receipt.gasUsed < gas)
})

test('an estimate sees the time of the block it is for', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const time = BigInt((await net.read.getBlock()).timestamp) + 1000n
  const request = { address, abi, functionName: 'after_', args: [time], account: net.alice } as const
  assert.match((await rejection(net.read.estimateContractGas(request))).message, /early/)
  await net.l1.request('evm_increaseTime', [2000])
  assert.ok((await net.read.estimateContractGas(request)) > 21_000n)
})

test('EIP-7623: calldata has a price floor', async () => {
  const net = await network()
  const data: Hex = `0x${'ff'.repeat(1000)}`
  // 21000 + 10 per token, 4 tokens per nonzero byte.
  assert.is(await net.read.estimateGas({ account: net.alice, to: net.bob.address, data }), 61_000n)
  const raw = await net.alice.signTransaction({
    type: 'eip1559',
    chainId: net.chain.id,
    to: net.bob.address,
    data,
    gas: 60_999n,
    maxFeePerGas: parseGwei('10'),
  })
  const error = await rejection(net.l1.request('eth_sendRawTransaction', [raw]))
  assert.is(error.message, 'insufficient gas for floor data gas cost: gas 60999, minimum needed 61000')
})

test('EIP-1153: transient storage ends with its transaction', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'onlyTransient', args: [7n] })
  assert.is(await net.read.readContract({ address, abi, functionName: 'readTransient' }), 0n)
})

test('EIP-7702: an account delegates to a contract', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const authorization = await net.bob.signAuthorization({ contractAddress: address, chainId: net.chain.id, nonce: 0 })
  const data = encodeFunctionData({ abi, functionName: 'store', args: [3n, 4n] })
  const hash = await net.wallet.sendTransaction({ to: net.bob.address, data, authorizationList: [authorization] })
  const receipt = await net.read.getTransactionReceipt({ hash })
  assert.is(receipt.type, 'eip7702')
  assert.is(receipt.status, 'success')
  assert.is(await net.read.getCode({ address: net.bob.address }), `0xef0100${address.slice(2)}`)
  assert.is(await net.read.readContract({ address: net.bob.address, abi, functionName: 'values', args: [3n] }), 4n)
  const shown = await net.read.getTransaction({ hash })
  assert.is(shown.authorizationList?.[0]?.address, address)
})

test('every transaction type is mined and shown', async () => {
  const net = await network()
  const base = { chainId: net.chain.id, to: net.bob.address, gas: 30_000n, value: 1n } as const
  const accessList = [{ address: net.bob.address, storageKeys: [keccak256('0x01')] }]
  const raws = [
    await net.alice.signTransaction({ ...base, type: 'legacy', nonce: 0, gasPrice: parseGwei('3') }),
    await net.alice.signTransaction({ ...base, type: 'eip2930', nonce: 1, gasPrice: parseGwei('3'), accessList }),
    await net.alice.signTransaction({ ...base, type: 'eip1559', nonce: 2, maxFeePerGas: parseGwei('3') }),
  ]
  for (const [index, raw] of raws.entries()) {
    const hash = (await net.l1.request('eth_sendRawTransaction', [raw])) as Hex
    assert.is(hash, keccak256(raw))
    const shown = await net.read.getTransaction({ hash })
    assert.is(shown.type, ['legacy', 'eip2930', 'eip1559'][index])
    assert.is(shown.chainId, net.chain.id)
    assert.is(shown.from, net.alice.address.toLowerCase())
    assert.equal((await net.l1.request('eth_getRawTransactionByHash', [hash])) as Hex, raw)
  }
  const blob = await rejection(net.l1.request('eth_sendRawTransaction', [`0x03${'00'.repeat(40)}`]))
  assert.is(blob.message, 'transaction type not supported')
})

test('the base fee follows EIP-1559 up and down, and the sender pays base fee plus tip', async () => {
  const net = await network({ blockGasLimit: 210_000, initialBaseFeeWei: 1_000_000_000n })
  await net.l1.request('evm_setAutomine', [false])
  for (let nonce = 0; nonce < 10; nonce++) await net.l1.request('eth_sendRawTransaction', [await transfer(net, nonce)])
  await net.l1.request('evm_mine')
  const full = await net.read.getBlock()
  assert.is(full.gasUsed, 210_000n)
  assert.is(full.baseFeePerGas, 875_000_000n)
  await net.l1.request('evm_mine')
  const next = await net.read.getBlock()
  assert.is(next.baseFeePerGas, 984_375_000n)
  const receipt = await net.read.getTransactionReceipt({ hash: full.transactions[0]! })
  assert.is(receipt.effectiveGasPrice, 1_875_000_000n)
  assert.is(await net.read.getBalance({ address: full.miner }), 210_000n * 1_000_000_000n)
})

test('feeHistory gives base fees, fullness and tips by percentile', async () => {
  const net = await network({ blockGasLimit: 100_000 })
  await net.l1.request('evm_setAutomine', [false])
  for (const [nonce, tip] of [1n, 2n, 3n].entries()) {
    await net.l1.request('eth_sendRawTransaction', [await transfer(net, nonce, { maxPriorityFeePerGas: tip })])
  }
  await net.l1.request('evm_mine')
  const history = await net.read.getFeeHistory({ blockCount: 2, rewardPercentiles: [0, 50, 100] })
  assert.is(history.oldestBlock, 0n)
  assert.equal(history.gasUsedRatio, [0, 0.63])
  assert.is(history.baseFeePerGas.length, 3)
  assert.equal(history.reward?.[1], [1n, 2n, 3n])
  const block = await net.read.getBlock()
  assert.is(history.baseFeePerGas[1], block.baseFeePerGas)
  await net.l1.request('evm_mine')
  assert.is((await net.read.getBlock()).baseFeePerGas, history.baseFeePerGas[2])
  const bad = await rejection(net.l1.request('eth_feeHistory', ['0x1', 'latest', [50, 20]]))
  assert.is(bad.code, -32602)
})

test('the best tip goes first, each sender in nonce order', async () => {
  const net = await network()
  await net.l1.request('evm_setAutomine', [false])
  const send = async (who: typeof net.alice, nonce: number, tip: bigint) =>
    (await net.l1.request('eth_sendRawTransaction', [
      await who.signTransaction({
        type: 'eip1559',
        chainId: net.chain.id,
        nonce,
        to: net.carol.address,
        gas: 21_000n,
        maxFeePerGas: parseGwei('20'),
        maxPriorityFeePerGas: tip,
      }),
    ])) as Hex
  const a0 = await send(net.alice, 0, 1n)
  const a1 = await send(net.alice, 1, 100n)
  const b0 = await send(net.bob, 0, 50n)
  await net.l1.request('evm_mine')
  assert.equal((await net.read.getBlock()).transactions, [b0, a0, a1])
})

test('a nonce gap waits, and closing it mines both', async () => {
  const net = await network()
  const second = (await net.l1.request('eth_sendRawTransaction', [await transfer(net, 1)])) as Hex
  assert.is(await net.read.getBlockNumber(), 0n)
  assert.is((await net.read.getTransaction({ hash: second })).blockNumber, null)
  assert.is(await net.l1.request('eth_getTransactionReceipt', [second]), null)
  assert.is(await net.read.getTransactionCount({ address: net.alice.address, blockTag: 'pending' }), 0)
  await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])
  assert.is((await net.read.getTransactionReceipt({ hash: second })).status, 'success')
  assert.is(await net.read.getTransactionCount({ address: net.alice.address }), 2)
})

test('admission faults are worded as go-ethereum words them', async () => {
  const net = await network({ accounts: { [`0x${'11'.repeat(20)}`]: 5n }, transactionGasCap: 16_777_216 })
  await net.l1.request('evm_setAutomine', [false])
  const fault = async (raw: Hex) => (await rejection(net.l1.request('eth_sendRawTransaction', [raw]))).message
  const first = await transfer(net, 0)
  await net.l1.request('eth_sendRawTransaction', [first])
  assert.is(await fault(first), 'already known')
  const cheap = await transfer(net, 0, { maxFeePerGas: parseGwei('21'), maxPriorityFeePerGas: parseGwei('1.05') })
  assert.is(await fault(cheap), 'replacement transaction underpriced')
  const dear = await transfer(net, 0, { maxFeePerGas: parseGwei('22'), maxPriorityFeePerGas: parseGwei('1.1') })
  assert.is(await net.l1.request('eth_sendRawTransaction', [dear]), keccak256(dear))
  assert.is(await net.l1.request('eth_getTransactionByHash', [keccak256(first)]), null)
  await net.l1.request('evm_mine')
  assert.is(await fault(await transfer(net, 0, { value: 2n })), 'nonce too low: next nonce 1, tx nonce 0')
  assert.match(
    await fault(await transfer(net, 1, { value: parseEther('20000') })),
    /^insufficient funds for gas \* price \+ value/,
  )
  assert.is(
    await fault(await transfer(net, 1, { gas: 20_000n })),
    'intrinsic gas too low: gas 20000, minimum needed 21000',
  )
  assert.match(await fault(await transfer(net, 1, { gas: 17_000_000n })), /^transaction gas limit too high/)
  assert.is(await fault(await transfer(net, 1, { gas: 70_000_000n })), 'exceeds block gas limit')
  assert.is(await fault(await transfer(net, 1, { chainId: 1 })), 'invalid chain id for signer: have 1 want 31337')
  const legacyElsewhere = await net.alice.signTransaction({
    type: 'legacy',
    chainId: 5,
    gasPrice: parseGwei('2'),
    gas: 21_000n,
    to: net.bob.address,
    nonce: 1,
  })
  assert.match(await fault(legacyElsewhere), /^invalid chain id for signer/)
  assert.match(await fault('0x02c0'), /^transaction could not be decoded/)
  assert.match(await fault('0x'), /^rlp/)
  assert.match(await fault(`0x02${'ff'.repeat(60)}`), /^transaction could not be decoded/)
})

test('waiting transactions together may not cost more than the balance', async () => {
  const net = await network()
  await net.l1.request('evm_setAutomine', [false])
  const half = await transfer(net, 0, { value: parseEther('6000') })
  await net.l1.request('eth_sendRawTransaction', [half])
  const error = await rejection(
    net.l1.request('eth_sendRawTransaction', [await transfer(net, 1, { value: parseEther('6000') })]),
  )
  assert.match(error.message, /queued cost/)
})

test('a transaction below the base fee waits until the base fee falls to it', async () => {
  const net = await network()
  const raw = await transfer(net, 0, { maxFeePerGas: 800_000_000n, maxPriorityFeePerGas: 0n })
  const hash = (await net.l1.request('eth_sendRawTransaction', [raw])) as Hex
  assert.is(await net.read.getBlockNumber(), 0n)
  await net.l1.request('anvil_mine', ['0x3'])
  const receipt = await net.read.getTransactionReceipt({ hash })
  assert.ok(receipt.effectiveGasPrice <= 800_000_000n)
})

test('state of past blocks stays readable by height, tag and hash', async () => {
  const net = await network({ finalityDepth: 2 })
  const address = await deployProbe(net)
  for (const value of [10n, 20n, 30n]) {
    await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, value] })
  }
  const at = (block: object) => net.read.readContract({ address, abi, functionName: 'values', args: [1n], ...block })
  assert.is(await at({ blockNumber: 2n }), 10n)
  assert.is(await at({ blockNumber: 3n }), 20n)
  assert.is(await at({ blockTag: 'finalized' }), 10n)
  const { hash } = await net.read.getBlock({ blockNumber: 3n })
  const data = encodeFunctionData({ abi, functionName: 'values', args: [1n] })
  assert.is(BigInt((await net.l1.request('eth_call', [{ to: address, data }, { blockHash: hash }])) as Hex), 20n)
  assert.is(await net.read.getBalance({ address: net.alice.address, blockNumber: 0n }), parseEther('10000'))
  const unknown = await rejection(net.l1.request('eth_call', [{ to: address, data }, { blockHash: keccak256('0x00') }]))
  assert.is(unknown.message, 'header not found')
  assert.is((await rejection(net.l1.request('eth_call', [{ to: address, data }, '0x999']))).message, 'header not found')
  assert.is(await net.l1.request('eth_getBlockByNumber', ['0x999', false]), null)
})

test('a call runs in the context of the block it names', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.l1.request('anvil_mine', ['0x5', '0xa'])
  const clock = async (block: object) =>
    (await net.read.readContract({ address, abi, functionName: 'clock', ...block })) as bigint[]
  for (const blockNumber of [2n, 4n]) {
    const block = await net.read.getBlock({ blockNumber })
    assert.equal((await clock({ blockNumber })).slice(0, 2), [blockNumber, block.timestamp])
  }
  const pending = await clock({ blockTag: 'pending' })
  assert.is(pending[0], (await net.read.getBlockNumber()) + 1n)
})

test('the node signs for its development accounts only', async () => {
  const net = await network()
  const [alice] = (await net.l1.request('eth_accounts')) as Hex[]
  const hash = (await net.l1.request('eth_sendTransaction', [
    { from: alice, to: net.bob.address, value: '0x5' },
  ])) as Hex
  assert.is((await net.read.getTransactionReceipt({ hash })).status, 'success')
  const stranger = `0x${'22'.repeat(20)}`
  const error = await rejection(net.l1.request('eth_sendTransaction', [{ from: stranger, to: alice }]))
  assert.match(error.message, /unknown account/)
})

test('a log query that is too wide or too rich is refused with the limit named', async () => {
  const net = await network({ maxLogRange: 10, maxLogResults: 4 })
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'storeMany', args: [5n] })
  await net.l1.request('anvil_mine', ['0x14'])
  const wide = await rejection(net.l1.request('eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }]))
  assert.is(wide.code, -32005)
  assert.match(wide.message, /max block range 10/)
  assert.match(
    (await rejection(net.l1.request('eth_getLogs', [{ fromBlock: '0x2', toBlock: '0x2' }]))).message,
    /more than 4/,
  )
  assert.match(
    (await rejection(net.l1.request('eth_getLogs', [{ fromBlock: '0x5', toBlock: '0x2' }]))).message,
    /invalid block range/,
  )
  assert.match(
    (await rejection(net.l1.request('eth_getLogs', [{ blockHash: keccak256('0x') }]))).message,
    /unknown block/,
  )
})

test('polled filters give each block and log once', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const blocks = await net.l1.request('eth_newBlockFilter')
  const logs = await net.l1.request('eth_newFilter', [{ address }])
  const pending = await net.l1.request('eth_newPendingTransactionFilter')
  const hash = await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 1n] })
  const changes = async (id: unknown) =>
    (await net.l1.request('eth_getFilterChanges', [id])) as { transactionHash: Hex }[]
  assert.equal(await changes(blocks), [(await net.read.getBlock()).hash])
  assert.equal(
    (await changes(logs)).map((log) => log.transactionHash),
    [hash],
  )
  assert.equal(await changes(pending), [hash])
  assert.equal(await changes(logs), [])
  assert.is(((await net.l1.request('eth_getFilterLogs', [logs])) as unknown[]).length, 1)
  assert.is(await net.l1.request('eth_uninstallFilter', [logs]), true)
  assert.is(await net.l1.request('eth_uninstallFilter', [logs]), false)
  assert.is((await rejection(net.l1.request('eth_getFilterChanges', [logs]))).message, 'filter not found')
  net.moveClock(600)
  assert.is((await rejection(net.l1.request('eth_getFilterChanges', [blocks]))).message, 'filter not found')
})

test('development methods set balances and code, each with a header for its state', async () => {
  const net = await network()
  await net.l1.request('anvil_setBalance', [net.bob.address, '0x7b'])
  assert.is(await net.read.getBalance({ address: net.bob.address }), 123n)
  await net.l1.request('anvil_setCode', [net.carol.address, '0x60015f5260205ff3'])
  assert.is((await net.read.call({ to: net.carol.address })).data, `0x${'0'.repeat(63)}1`)
  assert.is(await net.read.getBlockNumber(), 2n)
  const sender = await rejection(
    net.l1.request('eth_sendTransaction', [
      { from: net.carol.address.toLowerCase(), to: net.bob.address, gas: '0x5208' },
    ]),
  )
  assert.match(sender.message, /sender not an eoa/)
})

test('dropped transactions are gone', async () => {
  const net = await network()
  await net.l1.request('evm_setAutomine', [false])
  const hash = await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])
  assert.is(await net.l1.request('anvil_dropTransaction', [hash]), hash)
  assert.is(await net.l1.request('anvil_dropTransaction', [hash]), null)
  await net.l1.request('evm_mine')
  assert.is((await net.read.getBlock()).transactions.length, 0)
})

test('many senders at once: each transaction is mined exactly once', async () => {
  const net = await network()
  const raws = await Promise.all(Array.from({ length: 20 }, (_, nonce) => transfer(net, nonce)))
  const hashes = (await Promise.all(
    [...raws].reverse().map((raw) => net.l1.request('eth_sendRawTransaction', [raw])),
  )) as Hex[]
  assert.is(new Set(hashes).size, 20)
  for (const hash of hashes) assert.is((await net.read.getTransactionReceipt({ hash })).status, 'success')
  assert.is(await net.read.getBalance({ address: net.bob.address }), parseEther('10000') + 20n)
})

test('small facts that wallets ask for', async () => {
  const net = await network({ chainId: 4242 })
  assert.is(await net.read.getChainId(), 4242)
  assert.is(await net.l1.request('net_version'), '4242')
  assert.is(await net.l1.request('eth_syncing'), false)
  assert.is(await net.l1.request('web3_sha3', [stringToHex('abc')]), keccak256(stringToHex('abc')))
  assert.ok((await net.read.getGasPrice()) > 0n)
  const fees = await net.read.estimateFeesPerGas()
  assert.is(fees.maxPriorityFeePerGas, 1_000_000_000n)
  assert.is((await rejection(net.l1.request('eth_getCompilers'))).code, -32601)
  assert.is((await rejection(net.l1.request('eth_getBalance', ['0x12']))).code, -32602)
  assert.is((await rejection(net.l1.request('toString'))).code, -32601)
  const pending = (await net.l1.request('eth_getBlockByNumber', ['pending', true])) as { hash: null; number: Hex }
  assert.is(pending.hash, null)
  assert.is(pending.number, '0x1')
})

function mappingSlot(key: bigint, slot: bigint): Hex {
  const word = (value: bigint) => value.toString(16).padStart(64, '0')
  return keccak256(`0x${word(key)}${word(slot)}`)
}

test.run()

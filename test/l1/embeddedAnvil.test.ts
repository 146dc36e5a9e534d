/** The embedded L1 against an independent implementation: the same signed transactions use the same gas, emit the same logs and fail alike. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeFunctionData, type Hex, toHex } from 'viem'
import { closeNetworks, GENESIS_SECONDS, network, probe } from './embeddedFixture.ts'

const test = suite('embedded L1: against anvil')
const { abi, bytecode } = probe()
let anvil: ChildProcess | undefined

test.after.each(async () => {
  anvil?.kill()
  await closeNetworks()
})

test('same transactions, same receipts; same calls, same answers', async () => {
  const net = await network()
  const url = await startAnvil()
  for (const account of [net.alice, net.bob]) {
    await ask(url, 'anvil_setBalance', [account.address, toHex(10n ** 22n)])
  }
  let nonce = 0
  const send = async (name: string, fields: object) => {
    const raw = await net.alice.signTransaction({
      type: 'eip1559',
      chainId: net.chain.id,
      nonce: nonce++,
      gas: 3_000_000n,
      maxFeePerGas: 20_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      ...fields,
    } as never)
    const [ours, theirs] = await Promise.all([net.l1.url, url].map((door) => receiptOf(door, raw)))
    assert.equal(ours, theirs, name)
    return ours
  }
  const to = (await send('deployment', { data: bytecode }))!['contractAddress']
  const call = (functionName: string, ...args: unknown[]) => ({
    to,
    data: encodeFunctionData({ abi, functionName, args } as never),
  })
  const authorization = await net.bob.signAuthorization({ contractAddress: to as Hex, chainId: net.chain.id, nonce: 0 })
  await send('transfer', { to: net.bob.address, value: 1n })
  await send('store', call('store', 1n, 5n))
  await send('overwrite', call('store', 1n, 6n))
  await send('refund', call('clear', 1n))
  await send('revert', call('store', 1n, 5000n))
  await send('panic', call('panic', 0n))
  await send('nested calls', call('nested', 30n))
  await send('many logs', call('storeMany', 10n))
  await send('calldata floor', { to: net.bob.address, data: `0x${'ff'.repeat(5000)}` })
  await send('transient storage', call('onlyTransient', 3n))
  await send('out of gas', call('storeMany', 10_000n))
  await send('new account', { to: `0x${'77'.repeat(20)}`, value: 5n })
  await send('access list', {
    ...call('store', 1n, 5n),
    accessList: [{ address: to, storageKeys: [`0x${'11'.repeat(32)}`] }],
  })
  await send('delegation', {
    type: 'eip7702',
    to: net.bob.address,
    data: call('store', 3n, 4n).data,
    authorizationList: [authorization],
  })
  await send('failing creation', { data: '0xfe', gas: 100_000n })

  for (const [method, params] of [
    ['eth_estimateGas', [{ from: net.alice.address, ...call('store', 50n, 5n) }]],
    ['eth_estimateGas', [{ from: net.alice.address, data: bytecode }]],
    ['eth_call', [call('values', 1n), 'latest']],
    ['eth_call', [{ from: to, ...call('refuse') }, 'latest']],
    ['eth_getCode', [net.bob.address, 'latest']],
    ['eth_getTransactionCount', [net.alice.address, 'latest']],
    ['eth_getBalance', [`0x${'77'.repeat(20)}`, 'latest']],
  ] as const) {
    assert.equal(await ask(net.l1.url, method, params), await ask(url, method, params), method)
  }
})

/** Starts anvil on a free port with our first block's base fee, and waits until it says where it listens. */
async function startAnvil(): Promise<string> {
  const bin = join(dirname(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')), 'bin.mjs')
  // Our first block comes after an empty genesis block of 1 gwei.
  const options = [
    '--port',
    '0',
    '--hardfork',
    'prague',
    '--base-fee',
    '875000000',
    '--gas-limit',
    '60000000',
    '--prune-history',
  ]
  const child = spawn(process.execPath, [bin, ...options, '--timestamp', String(GENESIS_SECONDS)], { stdio: 'pipe' })
  anvil = child
  let output = ''
  return await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += String(chunk)
      const place = /Listening on (\S+)/.exec(output)?.[1]
      if (place !== undefined) resolve(`http://${place}`)
    })
    child.once('exit', () => reject(new Error(`anvil ended: ${output}`)))
    child.once('error', reject)
  })
}

async function receiptOf(url: string, raw: Hex) {
  const hash = await ask(url, 'eth_sendRawTransaction', [raw])
  for (;;) {
    const receipt = (await ask(url, 'eth_getTransactionReceipt', [hash])) as Record<string, unknown> | null
    if (receipt === null) continue
    const { status, gasUsed, contractAddress, effectiveGasPrice, cumulativeGasUsed, type, logsBloom, from, to } =
      receipt
    const logs = (receipt['logs'] as Record<string, unknown>[]).map(({ address, topics, data, logIndex }) => [
      address,
      topics,
      data,
      logIndex,
    ])
    return { status, gasUsed, contractAddress, effectiveGasPrice, cumulativeGasUsed, type, logsBloom, from, to, logs }
  }
}

/** The result, or code and message of the error. */
async function ask(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { code: number; message: string } }
  return error === undefined ? result : [error.code, error.message]
}

test.run()

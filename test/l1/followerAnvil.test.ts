import { type ChildProcess, spawn } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatHex, createPublicClient, createWalletClient, type Hex, http, keccak256, numberToHex, padHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { readHeaders } from '../../l1/blocks.ts'
import { findDeploymentProblems } from '../../l1/deployment.ts'
import { connectEndpoint, type Endpoint } from '../../l1/endpoint.ts'
import { type FollowOptions, followL1 } from '../../l1/follower.ts'
import { getBalance, getCode, readFees } from '../../l1/reads.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { anvilBinary } from '../support/anvil.ts'
import { failureOf, foldChain } from './followerFake.ts'

const anvil = suite('l1 follower on anvil')

/** Anvil's first development account. */
const account = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
/** Logs its calldata: the first word as topic, the rest as data. */
const RUNTIME: Hex = '0x365f5f375f51602036036020a100'
const INIT: Hex = `0x600e8060093d393df3${RUNTIME.slice(2)}`
const TOPIC: Hash = `0x${'7c'.repeat(32)}`

type Node = Awaited<ReturnType<typeof startNode>>
let node: Node
let endpoint: Endpoint

async function startNode() {
  const child: ChildProcess = spawn(
    anvilBinary(),
    ['--port', '0', '--hardfork', 'prague', '--prune-history', '10000'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.once('error', reject)
    child.stdout?.on('data', (part) => {
      output += part
      const port = /Listening on [\d.]+:(\d+)/.exec(output)?.[1]
      if (port) resolve(`http://127.0.0.1:${port}`)
    })
  })
  const client = createPublicClient({ chain: foundry, transport: http(url), pollingInterval: 10 })
  const wallet = createWalletClient({ chain: foundry, account, transport: http(url) })
  const rpc = (method: string, ...params: unknown[]) => client.request({ method, params } as never) as Promise<unknown>
  return { child, url, client, wallet, rpc }
}

async function deploy(): Promise<Address> {
  const hash = await node.wallet.sendTransaction({ data: INIT })
  const { contractAddress } = await node.client.waitForTransactionReceipt({ hash })
  return contractAddress!.toLowerCase() as Address
}

/** A transaction that makes the contract log `value`. */
function send(to: Address, value: number, options: object = {}): Promise<Hash> {
  return node.wallet.sendTransaction({
    to,
    data: concatHex([TOPIC, padHex(numberToHex(value))]),
    gas: 100_000n,
    ...options,
  })
}

/** The same, in a block when it returns. */
async function emit(to: Address, value: number, options: object = {}) {
  return node.client.waitForTransactionReceipt({ hash: await send(to, value, options) })
}

function follow(contract: Address, startBlock: number, options: Partial<FollowOptions> = {}) {
  return followL1({
    endpoint,
    contracts: [{ address: contract }],
    startBlock: { number: startBlock },
    finality: 20,
    ...options,
  })
}

async function pollAll(own: ReturnType<typeof follow>) {
  const events = []
  for (let batch = await own.poll(); batch.length > 0; batch = await own.poll()) events.push(...batch)
  return events
}

const height = async () => Number(await node.client.getBlockNumber({ cacheTime: 0 }))

anvil.before(async () => {
  node = await startNode()
  endpoint = await connectEndpoint({ url: node.url, expectedChainId: foundry.id })
})

anvil.after(() => {
  node.child.kill()
})

anvil('proves the logs of legacy, access list and fee market transactions in one block', async () => {
  const contract = await deploy()
  const start = (await height()) + 1
  await node.rpc('evm_setAutomine', false)
  const nonce = await node.client.getTransactionCount({ address: account.address })
  const kinds = [
    { type: 'legacy', gasPrice: 3_000_000_000n },
    { type: 'eip2930', gasPrice: 3_000_000_000n, accessList: [] },
    { type: 'eip1559', maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 3_000_000_000n },
    { type: 'legacy', gasPrice: 3_000_000_000n, gas: 21_500n, to: contract, data: '0x' as Hex },
  ]
  for (const [i, kind] of kinds.entries()) await send(contract, i, { ...kind, nonce: nonce + i })
  await node.rpc('anvil_mine', '0x1')
  await node.rpc('evm_setAutomine', true)
  const receipts = (await node.rpc('eth_getBlockReceipts', numberToHex(start))) as { type: string; status: string }[]
  assert.equal(receipts.map(({ type }) => type).sort(), ['0x0', '0x0', '0x1', '0x2'])
  assert.ok(receipts.some(({ status }) => status === '0x0'))
  const [event] = await follow(contract, start).poll()
  assert.equal(event?.type === 'block' && event.logs.map(({ data }) => Number(data)).sort(), [0, 1, 2])
})

anvil('catches up over many blocks in batches', async () => {
  const contract = await deploy()
  const start = await height()
  for (let i = 0; i < 3; i++) {
    await node.rpc('anvil_mine', numberToHex(200))
    await emit(contract, i)
  }
  const events = await pollAll(follow(contract, start))
  const chain = foldChain(events)
  assert.is(chain.length, (await height()) - start + 1)
  assert.equal(
    chain.flatMap(({ number, logs }) => (logs.length > 0 ? [[number - start, Number(logs[0])]] : [])),
    [
      [201, 0],
      [402, 1],
      [603, 2],
    ],
  )
  assert.equal(
    events.findLast(({ type }) => type === 'finalised'),
    {
      type: 'finalised',
      block: { number: start + 583, hash: chain[583]!.hash },
    },
  )
})

anvil('follows a reorg that anvil makes', async () => {
  const contract = await deploy()
  const start = await height()
  for (let i = 0; i < 5; i++) await emit(contract, i)
  const own = follow(contract, start)
  const events = await pollAll(own)
  await node.rpc('anvil_reorg', 3, [])
  const after = await pollAll(own)
  assert.is(after[0]?.type, 'reorg')
  events.push(...after)
  await emit(contract, 9)
  events.push(...(await pollAll(own)))
  const chain = foldChain(events)
  const canonical = await readHeaders(endpoint, start, await height())
  assert.equal(
    chain.map(({ hash }) => hash),
    canonical.map(({ hash }) => hash),
  )
  assert.equal(
    chain.flatMap(({ logs }) => logs.map(Number)),
    [0, 1, 9],
  )
})

anvil('takes a rollback for a lagging head until other blocks come', async () => {
  const contract = await deploy()
  const start = await height()
  for (let i = 0; i < 4; i++) await emit(contract, i)
  const own = follow(contract, start)
  const events = await pollAll(own)
  await node.rpc('anvil_rollback', 2)
  assert.equal(await own.poll(), [])
  await emit(contract, 8)
  events.push(...(await pollAll(own)))
  assert.equal(
    foldChain(events).flatMap(({ logs }) => logs.map(Number)),
    [0, 1, 8],
  )
})

anvil('finalises by the tag', async () => {
  const contract = await deploy()
  const start = await height()
  await node.rpc('anvil_mine', numberToHex(100))
  const events = await pollAll(follow(contract, start, { finality: 'finalized', secondEndpoint: endpoint }))
  const last = events.findLast(({ type }) => type === 'finalised')
  assert.is(last?.type === 'finalised' && last.block.number, start + 36)
})

anvil('reads state at a block that is no longer the newest, and none of a block that is gone', async () => {
  const contract = await deploy()
  const [header] = await readHeaders(endpoint, await height(), await height())
  const [before] = await readHeaders(endpoint, header!.number - 1, header!.number - 1)
  await emit(contract, 1)
  assert.is(await getCode(endpoint, contract, header!), RUNTIME)
  assert.is(await getCode(endpoint, contract, before!), '0x')
  assert.ok((await getBalance(endpoint, account.address.toLowerCase() as Address, header!)) > 0n)
  assert.equal([...endpoint.lacks], [])
  const gone = { number: header!.number, hash: TOPIC }
  assert.is((await failureOf(getCode(endpoint, contract, gone))).code, 'BLOCK_UNKNOWN')
})

anvil('suggests fees that a transaction can be sent with', async () => {
  const contract = await deploy()
  const { baseFeePerGas, priorityFeePerGas } = await readFees(endpoint)
  const fees = { maxFeePerGas: baseFeePerGas + priorityFeePerGas, maxPriorityFeePerGas: priorityFeePerGas }
  assert.is((await emit(contract, 1, fees)).status, 'success')
})

anvil('checks a deployment', async () => {
  const contract = await deploy()
  const [start] = await readHeaders(endpoint, await height(), await height())
  const one = { address: contract, transactionHash: TOPIC, codeHash: keccak256(RUNTIME), compilerHash: TOPIC }
  const file = {
    version: 1,
    chainId: foundry.id,
    contracts: { root: one, surety: one },
    parameters: {},
    startBlock: { number: start!.number, hash: start!.hash },
  } as const
  assert.equal(await findDeploymentProblems(endpoint, file), [])
})

anvil.run()

/** An L1 that gives nothing away and moves no time: keys are funded by transfers, and what is left goes back. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Branch, clientOf, type DrillL1, openL1 } from '../../drill/l1.ts'
import { runScenario } from '../../drill/run.ts'
import { findScenario } from '../../drill/scenarios.ts'
import { until } from '../../drill/until.ts'
import { createEmbeddedL1, type EmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'
import { type Hash, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { createAccount } from '../../wallet/account.ts'

const test = suite('drill: L1')
const ETHER = 10n ** 18n
const OPTIONS = { seed: 1, parameters: PRESETS.testnet, blockSeconds: 1 }

/** The embedded L1 without its decrees, as a testnet's node is. */
async function withTestnet(act: (url: string, l1: EmbeddedL1) => Promise<void>): Promise<void> {
  const l1 = await createEmbeddedL1({
    mining: 'instant',
    devAccounts: { seed: 'testnet', count: 1, balanceWei: ETHER },
  })
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += String(part)
    const { id, method } = JSON.parse(text) as { id: number; method: string }
    const isDecree = /^(evm|anvil|hardhat)_/.test(method)
    const body = isDecree
      ? JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: `no ${method}` } })
      : await (
          await fetch(l1.url, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } })
        ).text()
    response.setHeader('content-type', 'application/json')
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, l1)
  } finally {
    server.closeAllConnections()
    server.close()
    await l1.close()
  }
}

test('funds keys by transfers, and sends back what is left', async () =>
  withTestnet(async (url, node) => {
    const funder = createAccount(node.devAccounts[0]!.privateKey)
    const l1 = await openL1({ ...OPTIONS, url, funder })
    assert.is(l1.canTravel, false)
    const keys = ['alice', 'bob'].map(l1.keyOf)
    await l1.fund(new Map(keys.map(({ address }) => [address, ETHER / 10n])))
    assert.equal(await Promise.all(keys.map(({ address }) => l1.etherOf(address))), [ETHER / 10n, ETHER / 10n])
    await l1.sweep(keys)
    for (const { address } of keys) assert.ok((await l1.etherOf(address)) < ETHER / 1000n)
    assert.ok((await l1.etherOf(funder.address)) > (ETHER * 99n) / 100n)
    const other = await openL1({ ...OPTIONS, url, funder: createAccount(new Uint8Array(32).fill(7)) })
    assert.is.not(other.keyOf('alice').address, keys[0]!.address, 'keys are nobody else’s')
  }))

test('a key that holds too little sends nothing at all', async () =>
  withTestnet(async (url, node) => {
    const funder = createAccount(node.devAccounts[0]!.privateKey)
    const l1 = await openL1({ ...OPTIONS, url, funder })
    const keys = ['alice', 'bob'].map(l1.keyOf)
    const held = await l1.etherOf(funder.address)
    await l1.fund(new Map(keys.map(({ address }) => [address, held / 2n]))).then(
      () => assert.unreachable(),
      (error: unknown) => assert.is(isLifeboatError(error) && error.code, 'DRILL_UNFUNDED'),
    )
    assert.is(await l1.etherOf(keys[0]!.address), 0n)
    assert.is(await l1.etherOf(funder.address), held)
  }))

test('without a funded key it says so before anything is deployed', async () =>
  withTestnet(async (url, node) => {
    const scenario = findScenario('double-spend')!
    const before = await node.request('eth_blockNumber')
    await runScenario(scenario, { seed: 1, url }).then(
      () => assert.unreachable(),
      (error: unknown) => assert.is(isLifeboatError(error) && error.code, 'DRILL_UNFUNDED'),
    )
    assert.is(await node.request('eth_blockNumber'), before)
  }))

/** Three transfers, each in its block: two of alice, then one of bob; then their blocks are replaced. */
async function withReplaced(
  branch: Branch,
  act: (l1: DrillL1, hashes: readonly Hash[]) => Promise<void>,
  depth = 3,
): Promise<void> {
  const l1 = await openL1({ ...OPTIONS, blockSeconds: 3600 })
  try {
    const [alice, bob] = [l1.keyOf('alice'), l1.keyOf('bob')]
    await l1.fund(new Map([alice, bob].map(({ address }) => [address, ETHER])))
    const resume = await l1.holdBlocks()
    const hashes: Hash[] = []
    for (const sender of [alice, alice, bob]) {
      hashes.push(await clientOf(l1.url, l1.chainId, sender).sendTransaction({ to: ZERO_ADDRESS, value: 1n }))
      await l1.request('anvil_mine', ['0x1'])
    }
    await l1.replaceBlocks(depth, branch)
    await act(l1, hashes)
    await resume()
  } finally {
    await l1.close()
  }
}

const blocksOf = (l1: DrillL1, hashes: readonly Hash[]) =>
  Promise.all(
    hashes.map(async (hash) => {
      const receipt = (await l1.request('eth_getTransactionReceipt', [hash])) as Record<string, string> | null
      return receipt && Number(receipt['blockNumber'])
    }),
  )

test('a branch that returns transactions has them in its next block, one that forgets them never', async () => {
  await withReplaced('returned', async (l1, hashes) => {
    const { block } = await l1.head()
    assert.equal(await blocksOf(l1, hashes), [null, null, null])
    await l1.request('anvil_mine', ['0x1'])
    assert.equal(await blocksOf(l1, hashes), [block + 1, block + 1, block + 1])
  })
  await withReplaced(
    'forgotten',
    async (l1, hashes) => {
      const { block } = await l1.head()
      await l1.request('anvil_mine', ['0x2'])
      assert.equal(await blocksOf(l1, hashes), [block - 2, null, null], 'what is not replaced stays')
    },
    2,
  )
})

test('a reversed branch holds the last sender first, and each sender in the order of nonces', async () =>
  withReplaced('reversed', async (l1, hashes) => {
    const { block } = await l1.head()
    const first = (await l1.request('eth_getBlockByNumber', [`0x${(block - 2).toString(16)}`, false])) as {
      transactions: Hash[]
    }
    assert.equal(first.transactions, [hashes[2], hashes[0], hashes[1]])
  }))

test('no block comes while blocks are held', async () => {
  const l1 = await openL1({ ...OPTIONS, blockSeconds: 0.01 })
  try {
    const resume = await l1.holdBlocks()
    // Whatever was being mined when blocks were held is done with it.
    await l1.request('anvil_mine', ['0x1'])
    const { block } = await l1.head()
    await sleep(100)
    assert.is((await l1.head()).block, block)
    await resume()
    await until('blocks to come again', async () => (await l1.head()).block > block)
  } finally {
    await l1.close()
  }
})

test('an interrupted run stops everything, and says so', async () => {
  const ending = new AbortController()
  const lines: string[] = []
  const report = (line: string) => {
    lines.push(line)
    if (line.includes('everybody: ')) ending.abort()
  }
  await runScenario(findScenario('thief')!, { seed: 1, report, signal: ending.signal }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.is(isLifeboatError(error) && error.code, 'INTERRUPTED'),
  )
  assert.not.ok(lines.some((line) => line.includes('exits an output')))
})

test.run()

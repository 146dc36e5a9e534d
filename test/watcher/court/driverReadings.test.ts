/** What the driver asks of L1, at one block, and what it makes of the answers. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData, encodeFunctionResult, type Hex } from 'viem'
import { iLifeboatAbi } from '../../../contracts/artifacts.generated.ts'
import type { Endpoint, RpcCall } from '../../../l1/endpoint.ts'
import type { Address } from '../../../protocol/bytes.ts'
import { standardExitBond } from '../../../protocol/exit.ts'
import { createReadL1 } from '../../../watcher/driverReadings.ts'
import { ALICE, ETH, hashOf, TKN, WATCHER } from './world.ts'

const ROOT: Address = `0x${'99'.repeat(20)}`
const SLOW_FEE_GWEI = 30
const at = { number: 5, hash: hashOf(5) }

/** An endpoint that answers views of the root contract, and remembers what it was asked. */
function createEndpoint(credits: ReadonlyMap<string, bigint>) {
  const calls: RpcCall[] = []
  function answer({ method, params }: RpcCall): unknown {
    if (method === 'eth_getBalance') return '0x7'
    if (method === 'eth_feeHistory') return { baseFeePerGas: ['0x9', '0xb'], gasUsedRatio: [0.5], reward: [['0x1']] }
    if (method === 'eth_getBlockByHash') return null
    const { to, data } = params[0] as { to: Address; data: Hex }
    assert.is(to, ROOT)
    const { functionName, args } = decodeFunctionData({ abi: iLifeboatAbi, data })
    if (functionName === 'head')
      return encodeFunctionResult({ abi: iLifeboatAbi, functionName, result: [0, 4, 1_000, 3, 0, SLOW_FEE_GWEI, 0] })
    if (functionName === 'domainSeparator')
      return encodeFunctionResult({ abi: iLifeboatAbi, functionName, result: hashOf(6) })
    if (functionName === 'queue')
      return encodeFunctionResult({ abi: iLifeboatAbi, functionName, result: [1, 2, 3, 4, 5] })
    if (functionName === 'totals') return encodeFunctionResult({ abi: iLifeboatAbi, functionName, result: [21n, 22n] })
    assert.is(functionName, 'credit')
    const result = credits.get(String(args?.[0]).toLowerCase()) ?? 0n
    return encodeFunctionResult({ abi: iLifeboatAbi, functionName: 'credit', result })
  }
  const endpoint: Endpoint = {
    name: 'test',
    chainId: 1,
    read: async (call, schema) => {
      calls.push(call)
      return schema.parse(answer(call))
    },
    readMany: () => Promise.reject(new Error('not asked')),
    lacks: new Set(),
  }
  return { endpoint, calls }
}

const test = suite('readings')

test('reads the queue, the bond, the key and what tokens are covered by, all at the block of the facts', async () => {
  const { endpoint, calls } = createEndpoint(new Map())
  const readings = await createReadL1(endpoint, { rootContract: ROOT, sender: WATCHER })({
    at,
    tickets: [TKN],
    credits: [],
  })
  assert.equal(readings, {
    baseFeeWei: 11n,
    // The view would answer for a base fee of 0.
    exitBondWei: standardExitBond(BigInt(SLOW_FEE_GWEI), 0n, 11n),
    domainSeparator: hashOf(6),
    balanceWei: 7n,
    queue: { oldHead: 1, oldTail: 2, youngFirst: 3, youngCursor: 5 },
    funded: new Map([[TKN, 21n]]),
    credits: [],
  })
  const pinned = calls.filter(({ method }) => method === 'eth_call' || method === 'eth_getBalance')
  assert.ok(pinned.every(({ params }) => (params.at(-1) as { blockHash: string }).blockHash === at.hash))
})

test('looks for credits in ETH and in the account’s tokens, and leaves out empty ones', async () => {
  const { endpoint } = createEndpoint(new Map([[TKN, 5n]]))
  const credits = [{ account: ALICE, tokens: [TKN, TKN, ETH] }]
  const readings = await createReadL1(endpoint, { rootContract: ROOT, sender: WATCHER })({ at, tickets: [], credits })
  assert.equal(readings.credits, [{ token: TKN, account: ALICE, amount: 5n }])
})

test.run()

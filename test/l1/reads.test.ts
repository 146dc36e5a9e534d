import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeErrorResult, encodeFunctionResult, parseAbi } from 'viem'
import { getBalance, getCode, readContract, readFees } from '../../l1/reads.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { createFakeL1, type FakeL1, failureOf, ROOT } from './followerFake.ts'

const reads = suite('l1 pinned reads')

const OWNER: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const MIXED = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const abi = parseAbi([
  'struct Item { address owner; uint256 amount; address[] others; }',
  'function itemOf(uint256 id) view returns (Item)',
  'function pair() view returns (address owner, uint32 count)',
  'function ping() view',
  'function count() view returns (uint64)',
  'function count(address who) view returns (address)',
  'error TooBig(uint256 got, uint256 want)',
])

type Serve = (method: string, params: readonly unknown[]) => unknown

/** Three blocks; the state calls are answered by `serve`, which sees the block parameter last. */
async function build(serve: Serve): Promise<FakeL1> {
  const l1 = createFakeL1()
  await l1.mine([], [], [])
  l1.setLie((method, params, reply) =>
    method.startsWith('eth_getBlock') || method === 'eth_chainId' ? reply() : serve(method, params),
  )
  return l1
}

const pin = (l1: FakeL1, number = 1) => ({ number, hash: l1.chain()[number]!.hash })

reads('asks for balance and code at a block hash', async () => {
  const seen: unknown[] = []
  const l1 = await build((method, params) => {
    seen.push(params)
    return method === 'eth_getBalance' ? '0x10' : '0xABcd'
  })
  const own = await l1.connect()
  assert.is(await getBalance(own, OWNER, pin(l1)), 16n)
  assert.is(await getCode(own, OWNER, pin(l1)), '0xabcd')
  assert.equal(seen, [
    [OWNER, { blockHash: pin(l1).hash }],
    [OWNER, { blockHash: pin(l1).hash }],
  ])
})

reads('reads by number where block hashes are not understood, and only asks once', async () => {
  const seen: unknown[] = []
  const l1 = await build((_method, params) => {
    seen.push(params[1])
    if (typeof params[1] !== 'string') throw { code: -32602, message: 'invalid params' }
    return '0x10'
  })
  const own = await l1.connect()
  assert.is(await getBalance(own, OWNER, pin(l1)), 16n)
  assert.is(await getBalance(own, OWNER, pin(l1)), 16n)
  assert.equal(seen, [{ blockHash: pin(l1).hash }, '0x1', '0x1'])
})

reads('sees a reorg during a read by number', async () => {
  const l1 = await build(async (_method, params) => {
    if (typeof params[1] !== 'string') throw { code: -32602, message: 'invalid params' }
    await l1.reorg(2, [], [])
    return '0x10'
  })
  const [own, at] = [await l1.connect(), pin(l1)]
  const error = await failureOf(getBalance(own, OWNER, at))
  assert.equal([error.code, error.family, error.details['want']], ['BLOCK_UNKNOWN', 'retryable', at.hash])
})

reads('says to come back when the endpoint does not have the block', async () => {
  for (const [code, message] of [
    [-32001, 'Resource not found'],
    [-32000, 'header not found'],
  ] as const) {
    const l1 = await build(() => {
      throw { code, message }
    })
    const error = await failureOf(getBalance(await l1.connect(), OWNER, pin(l1)))
    assert.equal([error.code, error.family], ['BLOCK_UNKNOWN', 'retryable'])
  }
})

reads('passes on other refusals', async () => {
  const l1 = await build(() => {
    throw { code: -32000, message: 'history pruned' }
  })
  assert.is((await failureOf(getBalance(await l1.connect(), OWNER, pin(l1)))).code, 'RPC_REFUSED')
})

async function callOnce(reply: () => unknown, read: object) {
  const l1 = await build(reply)
  return readContract(await l1.connect(), { address: ROOT, abi, ...read } as never, pin(l1)) as Promise<unknown>
}

reads('gives addresses of a contract in lower case, wherever they are', async () => {
  const item = { owner: MIXED, amount: 5n, others: [MIXED] } as const
  const one = encodeFunctionResult({ abi, functionName: 'itemOf', result: item })
  assert.equal(await callOnce(() => one, { functionName: 'itemOf', args: [1n] }), {
    owner: OWNER,
    amount: 5n,
    others: [OWNER],
  })
  const two = encodeFunctionResult({ abi, functionName: 'pair', result: [MIXED, 3] })
  assert.equal(await callOnce(() => two, { functionName: 'pair' }), [OWNER, 3])
})

reads('tells functions of one name apart by their arguments', async () => {
  const word: Hash = `0x${'00'.repeat(12)}${OWNER.slice(2)}`
  assert.is(await callOnce(() => word, { functionName: 'count', args: [OWNER] }), OWNER)
  assert.is(await callOnce(() => `0x${'00'.repeat(31)}07`, { functionName: 'count' }), 7n)
})

reads('is typed by the ABI', async () => {
  const l1 = await build(() => `0x${'00'.repeat(31)}07`)
  const count: bigint = await readContract(
    await l1.connect(),
    { address: ROOT, abi, functionName: 'count', args: [] },
    pin(l1),
  )
  assert.is(count, 7n)
})

reads('says in words why a contract refused', async () => {
  const data = encodeErrorResult({ abi, errorName: 'TooBig', args: [7n, 5n] })
  const act = () => {
    throw { code: 3, message: 'execution reverted', data }
  }
  const error = await failureOf(callOnce(act, { functionName: 'count' }))
  assert.equal([error.code, error.details['got']], ['CALL_REVERTED', 'TooBig(7, 5)'])
})

reads('says so when there is no contract, but allows functions without a result', async () => {
  assert.is((await failureOf(callOnce(() => '0x', { functionName: 'count' }))).code, 'CONTRACT_MISSING')
  assert.is(await callOnce(() => '0x', { functionName: 'ping' }), undefined)
})

reads('refuses a result that is too short or out of range', async () => {
  assert.is((await failureOf(callOnce(() => '0x1234', { functionName: 'count' }))).code, 'RESULT_MALFORMED')
  assert.is(
    (await failureOf(callOnce(() => `0x${'ff'.repeat(31)}`, { functionName: 'pair' }))).code,
    'RESULT_MALFORMED',
  )
})

reads('suggests the next base fee and the median tip of blocks that were used', async () => {
  const history = {
    oldestBlock: '0x0',
    baseFeePerGas: ['0x1', '0x2', '0x3', '0x64'],
    gasUsedRatio: [0.5, 0, 0.1],
    reward: [['0x77359400'], ['0x0'], ['0xb2d05e00']],
  }
  const l1 = await build(() => history)
  assert.equal(await readFees(await l1.connect()), { baseFeePerGas: 100n, priorityFeePerGas: 3_000_000_000n })
})

reads('suggests a plain tip on a chain without transactions', async () => {
  const l1 = await build(() => ({ baseFeePerGas: ['0x1', '0x7'], gasUsedRatio: [0], reward: [['0x0']] }))
  assert.equal(await readFees(await l1.connect()), { baseFeePerGas: 7n, priorityFeePerGas: 1_000_000_000n })
})

reads('suggests fees from the head where there is no fee history', async () => {
  const l1 = await build((method) => {
    throw { code: -32601, message: `no ${method}` }
  })
  const own = await l1.connect()
  const want = { baseFeePerGas: 1_125_000_000n, priorityFeePerGas: 1_000_000_000n }
  assert.equal([await readFees(own), await readFees(own)], [want, want])
  assert.is(l1.calls.filter((method) => method === 'eth_feeHistory').length, 1)
})

reads.run()

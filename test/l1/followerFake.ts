/**
 * A scripted L1 for the follower's tests: real headers, receipts and tries, built with other libraries than the code under test
 * (viem's RLP and keccak, @ethereumjs/mpt), behind a viem transport that a test can make lie.
 */
import { createMPT } from '@ethereumjs/mpt'
import { custom, keccak256, toHex, toRlp } from 'viem'
import type { FollowerEvent } from '../../l1/cursor.ts'
import { connectEndpoint, type Endpoint, type EndpointOptions } from '../../l1/endpoint.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'

export const CHAIN_ID = 1337
export const ROOT: Address = `0x${'a1'.repeat(20)}`
export const STRANGER: Address = `0x${'5e'.repeat(20)}`
export const TOPIC: Hash = `0x${'7c'.repeat(32)}`

export type FakeLog = Readonly<{ address: Address; topics: readonly Hash[]; data: Hex }>
/** One transaction: the logs it left, and its type. */
export type FakeTx = Readonly<{ logs: readonly FakeLog[]; type?: number }>

type Json = Record<string, unknown>
export type FakeBlock = Readonly<{
  number: number
  hash: Hash
  parentHash: Hash
  rpc: Json
  receipts: readonly Json[]
  logs: readonly FakeLog[]
}>

export function log(data: Hex = '0x01', address: Address = ROOT): FakeLog {
  return { address, topics: [TOPIC], data }
}

let salt = 0

/** A block on top of `parent`; with the same arguments twice it is two different blocks. */
export async function buildBlock(parent: FakeBlock | undefined, txs: readonly FakeTx[] = []): Promise<FakeBlock> {
  const number = parent ? parent.number + 1 : 0
  const [receipts, encoded] = [[] as Json[], [] as Hex[]]
  for (const [i, tx] of txs.entries()) {
    const cumulativeGasUsed = toHex(21_000 * (i + 1))
    const logsBloom = bloomOf(tx.logs)
    const transactionHash = keccak256(toHex(`tx ${number} ${i} ${salt}`))
    encoded.push(encodeTx(tx, cumulativeGasUsed, logsBloom))
    const place = { transactionHash, transactionIndex: toHex(i), blockNumber: toHex(number) }
    receipts.push({ ...place, type: toHex(tx.type ?? 2), status: '0x1', cumulativeGasUsed, logsBloom, logs: tx.logs })
  }
  const logs = txs.flatMap((tx) => tx.logs)
  const header = {
    parentHash: parent?.hash ?? ZERO_HASH,
    sha3Uncles: keccak256(toRlp([])),
    miner: `0x${'00'.repeat(20)}`,
    stateRoot: keccak256('0x01'),
    transactionsRoot: keccak256('0x02'),
    receiptsRoot: await trieRoot(encoded),
    logsBloom: bloomOf(logs),
    difficulty: '0x0',
    number: toHex(number),
    gasLimit: '0x1c9c380',
    gasUsed: toHex(21_000 * txs.length),
    timestamp: toHex(1_700_000_000 + number * 12),
    extraData: toHex(salt++, { size: 8 }),
    mixHash: ZERO_HASH,
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x3b9aca00',
    withdrawalsRoot: keccak256('0x80'),
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: keccak256('0x03'),
  } as const
  const hash = hashOf(header)
  return {
    number,
    hash,
    parentHash: header.parentHash,
    rpc: {
      ...header,
      hash,
      size: '0x1',
      uncles: [],
      transactions: receipts.map((receipt) => receipt['transactionHash']),
    },
    receipts: receipts.map((receipt) => ({ ...receipt, blockHash: hash })),
    logs,
  }
}

const INTEGERS = [
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
]

function hashOf(header: Record<string, string>): Hash {
  const fields = Object.entries(header).map(([name, value]) =>
    INTEGERS.includes(name) ? integer(value as Hex) : value,
  )
  return keccak256(toRlp(fields as Hex[]))
}

function integer(value: Hex): Hex {
  return value === '0x0' ? '0x' : toHex(hexToBytes(value.length % 2 ? `0x0${value.slice(2)}` : value))
}

function encodeTx({ logs, type = 2 }: FakeTx, gas: Hex, bloom: Hex): Hex {
  const body = toRlp(['0x01', integer(gas), bloom, logs.map((own) => [own.address, [...own.topics], own.data])])
  return type === 0 ? body : `0x0${type}${body.slice(2)}`
}

async function trieRoot(encoded: readonly Hex[]): Promise<Hash> {
  const trie = await createMPT()
  for (const [i, value] of encoded.entries()) await trie.put(hexToBytes(toRlp(integer(toHex(i)))), hexToBytes(value))
  return bytesToHex(trie.root())
}

function bloomOf(logs: readonly FakeLog[]): Hex {
  let bloom = 0n
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const digest = hexToBytes(keccak256(item))
    for (const i of [0, 2, 4]) bloom |= 1n << BigInt((digest[i]! * 256 + digest[i + 1]!) % 2048)
  }
  return toHex(bloom, { size: 256 })
}

/** Changes or replaces a reply; may throw `{ code, message }` like a node. `reply` computes the honest one. */
export type Lie = (method: string, params: readonly unknown[], reply: () => unknown) => unknown

export type FakeL1 = ReturnType<typeof createFakeL1>

export function createFakeL1() {
  const known = new Map<Hash, FakeBlock>()
  let chain: FakeBlock[] = []
  let lie: Lie | undefined
  const calls: string[] = []

  function byNumber(name: unknown): FakeBlock | undefined {
    if (name === 'latest') return chain.at(-1)
    if (name === 'finalized') return chain[Math.max(0, chain.length - 1 - 64)]
    return chain[Number(name)]
  }
  function honest(method: string, params: readonly unknown[]): unknown {
    switch (method) {
      case 'eth_chainId':
        return toHex(CHAIN_ID)
      case 'eth_getBlockByNumber':
        return byNumber(params[0])?.rpc ?? null
      case 'eth_getBlockByHash':
        return known.get(params[0] as Hash)?.rpc ?? null
      case 'eth_getBlockReceipts':
        return known.get(params[0] as Hash)?.receipts ?? null
      case 'eth_getTransactionReceipt':
        return chain.flatMap(({ receipts }) => receipts).find((own) => own['transactionHash'] === params[0]) ?? null
      default:
        throw { code: -32601, message: `the method ${method} does not exist` }
    }
  }
  async function request({ method, params = [] }: { method: string; params?: readonly unknown[] }): Promise<unknown> {
    calls.push(method)
    return lie ? lie(method, params, () => honest(method, params)) : honest(method, params)
  }
  return {
    /** Appends one block, or one per list of transactions. */
    async mine(...blocks: readonly (readonly FakeTx[])[]): Promise<void> {
      for (const txs of blocks.length > 0 ? blocks : [[]]) {
        const block = await buildBlock(chain.at(-1), txs)
        known.set(block.hash, block)
        chain.push(block)
      }
    },
    /** Drops the newest `depth` blocks and mines others in their place. */
    async reorg(depth: number, ...blocks: readonly (readonly FakeTx[])[]): Promise<void> {
      chain = chain.slice(0, chain.length - depth)
      await this.mine(...blocks)
    },
    rollback(depth: number): FakeBlock[] {
      const dropped = chain.slice(chain.length - depth)
      chain = chain.slice(0, chain.length - depth)
      return dropped
    },
    restore(blocks: readonly FakeBlock[]): void {
      chain = [...chain, ...blocks]
    },
    /** Undefined makes it honest again. */
    setLie(next: Lie | undefined): void {
      lie = next
    },
    chain: (): readonly FakeBlock[] => chain,
    /** Methods asked for, in order. */
    calls,
    connect(options: Partial<EndpointOptions> = {}): Promise<Endpoint> {
      const base = { name: 'fake', expectedChainId: CHAIN_ID, retries: 0, sleep: never }
      return connectEndpoint({ ...base, transport: custom({ request }), ...options })
    },
  }
}

/** A clock that stands still: nothing times out. */
export function never(): Promise<void> {
  return new Promise(() => {})
}

/** The chain that a stream of events describes: hash and log data by block, genesis first. Throws where it does not fit. */
export type Folded = { number: number; hash: Hash; logs: Hex[] }[]

export function foldChain(events: readonly FollowerEvent[], chain: Folded = []): Folded {
  for (const event of events) {
    if (event.type === 'reorg') {
      const dropped = chain.splice(chain.findIndex(({ number }) => number === event.commonAncestor.number) + 1)
      const want = dropped.reverse().map(({ number, hash }) => `${number} ${hash}`)
      const got = event.dropped.map(({ number, hash }) => `${number} ${hash}`)
      if (got.join() !== want.join()) throw new Error(`reorg drops ${got}, want ${want}`)
      if (chain.length > 0 && chain.at(-1)?.hash !== event.commonAncestor.hash) throw new Error('not an ancestor')
    }
    if (event.type === 'block') {
      const { number, hash, parentHash } = event.block
      const tip = chain.at(-1)
      if (tip && (tip.number + 1 !== number || tip.hash !== parentHash))
        throw new Error(`block ${number} does not link`)
      chain.push({ number, hash, logs: event.logs.map(({ data }) => data) })
    }
  }
  return chain
}

/** What `foldChain` should give for the fake's chain. */
export function expectedChain(l1: FakeL1, contracts: readonly Address[] = [ROOT]): Folded {
  return l1.chain().map(({ number, hash, logs }) => {
    return { number, hash, logs: logs.filter(({ address }) => contracts.includes(address)).map(({ data }) => data) }
  })
}

/** The error of a promise that must reject. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ code: string; family: string; details: Json; message: string }> {
  try {
    await promise
  } catch (error) {
    return error as never
  }
  throw new Error('it did not fail')
}

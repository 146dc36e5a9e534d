/**
 * Checked reads of L1 blocks and their logs (docs/spec.md, "Reading L1"). What is returned was verified against its own hash;
 * undefined means that the endpoint has no such block now, which a reorg, a lagging node or a missing node behind a load balancer
 * may all explain.
 */
import { z } from 'zod'
import type { Address, Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import type { Endpoint } from './endpoint.ts'
import { checkHeader, type L1Header, type RpcBlock, rpcBlock } from './header.ts'
import { checkReceipts, type RawLog, type RpcReceipt, rpcReceipt } from './receipts.ts'

export type BlockTag = 'latest' | 'finalized'

/** Throws ENDPOINT_LIED_HEADER, HEADER_FORK_UNKNOWN, and what `Endpoint.read` throws. */
export async function readHeader(endpoint: Endpoint, block: BlockTag | number): Promise<L1Header | undefined> {
  const got = await endpoint.read(byNumber(block), rpcBlock)
  return got === null ? undefined : checkAsked(endpoint, got, typeof block === 'number' ? { number: block } : {})
}

/** Throws like `readHeader`, and ENDPOINT_LIED_HEADER when the block has another hash than asked for. */
export async function readHeaderByHash(endpoint: Endpoint, hash: Hash): Promise<L1Header | undefined> {
  const got = await endpoint.read({ method: 'eth_getBlockByHash', params: [hash, false] }, rpcBlock)
  return got === null ? undefined : checkAsked(endpoint, got, { hash })
}

/**
 * The headers from `first` to `last` (inclusive), read in batches, up to the first that the endpoint does not have. Each has its
 * number; whether they are linked is for the caller to see, since the head may move during the read.
 */
export async function readHeaders(endpoint: Endpoint, first: number, last: number): Promise<L1Header[]> {
  const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
  const blocks = await endpoint.readMany(numbers.map(byNumber), rpcBlock)
  const headers: L1Header[] = []
  for (const [i, block] of blocks.entries()) {
    if (block === null) break
    headers.push(checkAsked(endpoint, block, { number: first + i }))
  }
  return headers
}

/**
 * The logs of these contracts in a block, proven by its receiptsRoot, in log order. The caller has seen by the bloom that there may
 * be some. Throws ENDPOINT_LIED_RECEIPTS, RECEIPT_TYPE_UNKNOWN, and what `Endpoint.read` throws.
 */
export async function readLogs(
  endpoint: Endpoint,
  header: L1Header,
  contracts: ReadonlySet<Address>,
): Promise<RawLog[] | undefined> {
  const receipts = await readReceipts(endpoint, header)
  if (!receipts) return undefined
  const logs = await checkReceipts(header, receipts, endpoint.name)
  return logs.filter(({ address }) => contracts.has(address))
}

function byNumber(block: BlockTag | number) {
  const name = typeof block === 'number' ? `0x${block.toString(16)}` : block
  return { method: 'eth_getBlockByNumber', params: [name, false] }
}

function checkAsked(endpoint: Endpoint, block: RpcBlock, asked: { number?: number; hash?: Hash }): L1Header {
  const header = checkHeader(block, endpoint.name)
  const want = asked.hash ?? asked.number
  const got = asked.hash === undefined ? header.number : header.hash
  if (want === undefined || want === got) return header
  const summary = `L1 endpoint ${endpoint.name} answered with another block than asked for`
  throw invalid('ENDPOINT_LIED_HEADER', summary, { endpoint: endpoint.name, block: header.number, got, want })
}

async function readReceipts(endpoint: Endpoint, header: L1Header): Promise<readonly RpcReceipt[] | undefined> {
  if (!endpoint.lacks.has('blockReceipts')) {
    try {
      const call = { method: 'eth_getBlockReceipts', params: [header.hash] }
      const receipts = await endpoint.read(call, z.array(rpcReceipt).nullable())
      return receipts?.every(({ blockHash }) => blockHash === header.hash) ? receipts : undefined
    } catch (error) {
      if (!isLifeboatError(error) || error.family !== 'invalid' || error.code === 'REPLY_MALFORMED') throw error
      const { rpcCode, rpcMessage } = error.details
      if (rpcCode === -32001 || /not found/i.test(String(rpcMessage))) return undefined
      // It does not know the method, or wants a number, where another block could answer. Receipt by receipt is as good.
      if (error.code === 'RPC_METHOD_MISSING' || rpcCode === -32602) endpoint.lacks.add('blockReceipts')
    }
  }
  const calls = header.transactionHashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] }))
  const receipts = await endpoint.readMany(calls, rpcReceipt.nullable())
  // A receipt that is gone, or by now belongs to another block, is what a reorg leaves.
  const present = receipts.filter((receipt) => receipt?.blockHash === header.hash) as RpcReceipt[]
  return present.length === receipts.length ? present : undefined
}

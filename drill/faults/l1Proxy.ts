/** An L1 endpoint between a watcher and the real one that can lie, fall silent or censor, over a real socket. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectEndpoint, type Endpoint } from '../../l1/endpoint.ts'
import { bytesToHex, type Hex, hexToBytes } from '../../protocol/bytes.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import { assertMayHarm } from '../permission.ts'
import type { Stage } from './operator.ts'

/**
 * `hide-logs`: blocks without their events. `silent`: refuses everything. `censor`: takes transactions and passes none on. `stand-still`: shows
 * no block after the one that was the newest when it was turned.
 */
export type Mischief = 'honest' | 'hide-logs' | 'silent' | 'censor' | 'stand-still'

export type L1Proxy = Readonly<{ endpoint: Endpoint; turn(to: Mischief): void }>

const NEWEST = new Set<unknown>(['latest', 'safe', 'finalized', 'pending'])

type Call = Readonly<{ id: unknown; method: string; params?: readonly unknown[] }>
type Reply<T = unknown> = Readonly<{ result?: T }>

/** Honest until it is turned. Throws what `assertMayHarm` throws. */
export async function createL1Proxy(stage: Omit<Stage, 'operator' | 'operatorAccount'>): Promise<L1Proxy> {
  assertMayHarm(stage.deployment)
  let mischief: Mischief = 'honest'
  /** The block at which it stands still; unknown until it is asked for. */
  let still: string | undefined
  const server = createServer(async (request, response) => {
    if (mischief === 'silent') return void response.writeHead(503).end()
    const asked = JSON.parse(await textOf(request)) as Call | Call[]
    const answers = await Promise.all([asked].flat().map((call) => answer(call, mischief)))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(Array.isArray(asked) ? answers : answers[0]))
  })

  async function answer(call: Call, how: Mischief): Promise<unknown> {
    if (how === 'censor' && call.method === 'eth_sendRawTransaction') {
      const result = bytesToHex(keccak256(hexToBytes(call.params?.[0] as Hex)))
      return { jsonrpc: '2.0', id: call.id, result }
    }
    if (how === 'stand-still') {
      still ??= await pass<string>({ id: 0, method: 'eth_blockNumber', params: [] }).then(({ result }) => result)
      if (call.method === 'eth_blockNumber') return { jsonrpc: '2.0', id: call.id, result: still }
      const params = call.params?.map((one) => (NEWEST.has(one) ? still : one)) ?? []
      if (call.method === 'eth_getBlockByNumber' && Number(params[0]) > Number(still))
        return { jsonrpc: '2.0', id: call.id, result: null }
      return pass({ ...call, params })
    }
    const reply = await pass(call)
    return how === 'hide-logs' ? withoutLogs(call, reply) : reply
  }

  async function pass<T = unknown>(call: Call): Promise<Reply<T>> {
    const honest = await fetch(stage.url, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', ...call }),
      headers: { 'content-type': 'application/json' },
    })
    return (await honest.json()) as Reply<T>
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stage.atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = await connectEndpoint({ url, expectedChainId: stage.deployment.chainId, backoffMs: 20 })
  return {
    endpoint,
    turn: (to) => {
      mischief = to
      still = undefined
    },
  }
}

function withoutLogs({ method }: Call, reply: Reply): Reply {
  const empty = (receipt: unknown) => ({ ...(receipt as object), logs: [], logsBloom: `0x${'00'.repeat(256)}` })
  if (method === 'eth_getBlockReceipts' && Array.isArray(reply.result))
    return { ...reply, result: reply.result.map(empty) }
  if (method === 'eth_getTransactionReceipt' && reply.result) return { ...reply, result: empty(reply.result) }
  return reply
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += String(part)
  return text
}

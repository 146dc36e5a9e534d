/** An L1 endpoint between a watcher and the real one that can lie, fall silent or censor, over a real socket. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectEndpoint, type Endpoint } from '../../l1/endpoint.ts'
import { bytesToHex, type Hex, hexToBytes } from '../../protocol/bytes.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import type { World } from './world.ts'

/** `hide-logs`: blocks without their events. `silent`: refuses everything. `censor`: takes transactions and passes none on. */
export type Mischief = 'honest' | 'hide-logs' | 'silent' | 'censor'

export type L1Proxy = Readonly<{ endpoint: Endpoint; turn(to: Mischief): void }>

type Call = Readonly<{ id: unknown; method: string; params?: readonly unknown[] }>
type Reply = Readonly<{ result?: unknown }>

/** Honest until it is turned. */
export async function createL1Proxy(world: World): Promise<L1Proxy> {
  let mischief: Mischief = 'honest'
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
    const honest = await fetch(world.url, {
      method: 'POST',
      body: JSON.stringify(call),
      headers: { 'content-type': 'application/json' },
    })
    const reply = (await honest.json()) as Reply
    return how === 'hide-logs' ? withoutLogs(call, reply) : reply
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = await connectEndpoint({ url, expectedChainId: world.deployment.chainId, backoffMs: 20 })
  return {
    endpoint,
    turn: (to) => {
      mischief = to
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

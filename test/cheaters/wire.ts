/**
 * JSON-RPC to a test L1 that nobody else moves: a reply stands until one of our own calls changes the chain, so the same question of several watchers is asked once.
 * Over one kept connection: a cell asks some thousand times.
 */
import { Agent, request } from 'node:http'
import { custom, RpcRequestError } from 'viem'

export type Wire = ReturnType<typeof openWire>

type Call = Readonly<{ method: string; params?: unknown }>
type Reply = Readonly<{ result?: unknown; error?: { code: number; message: string; data?: unknown } }>

const CHANGES = /^(evm_|anvil_|hardhat_|eth_send)/

export function openWire(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const known = new Map<string, Promise<Reply>>()
  let id = 0
  let asked = 0

  function ask(body: string): Promise<Reply> {
    asked++
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Reply))
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  async function call({ method, params = [] }: Call): Promise<unknown> {
    const key = `${method} ${JSON.stringify(params)}`
    const isChange = CHANGES.test(method)
    const body = () => JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params })
    let pending = isChange ? undefined : known.get(key)
    if (!pending) {
      pending = ask(body())
      if (!isChange) known.set(key, pending)
    }
    const { result, error } = await pending
    // What is not there yet may come by itself.
    if (isChange || result === null) known.clear()
    if (error) throw new RpcRequestError({ body: { method, params }, error, url })
    return result
  }

  return {
    call,
    asked: () => asked,
    transport: custom({ request: call }, { retryCount: 0 }),
    close: () => agent.destroy(),
  }
}

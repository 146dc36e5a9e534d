import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { readHeaders } from '../../l1/blocks.ts'
import { connectEndpoint, type EndpointOptions } from '../../l1/endpoint.ts'
import { quantity, smallQuantity } from '../../l1/rpcSchemas.ts'
import { CHAIN_ID, createFakeL1, failureOf, never } from './followerFake.ts'

const endpoint = suite('l1 endpoint')

const CALL = { method: 'eth_blockNumber', params: [] }

/** A fake whose eth_blockNumber does what `act` says; the pauses between attempts are recorded. */
async function connectTo(act: (attempt: number) => unknown, options: Partial<EndpointOptions> = {}) {
  const l1 = createFakeL1()
  const pauses: number[] = []
  let attempts = 0
  l1.setLie((method, _params, reply) => (method === 'eth_blockNumber' ? act(attempts++) : reply()))
  const sleep = (ms: number) => {
    if (ms === 5_000) return never()
    pauses.push(ms)
    return Promise.resolve()
  }
  const own = await l1.connect({ retries: 3, backoffMs: 100, timeoutMs: 5_000, sleep, ...options })
  return { read: () => own.read(CALL, smallQuantity), pauses, attempts: () => attempts }
}

const fail =
  (code: number, message = 'no', data?: unknown) =>
  () => {
    throw { code, message, data }
  }

endpoint('refuses another chain', async () => {
  const error = await failureOf(createFakeL1().connect({ expectedChainId: 1 }))
  assert.equal([error.code, error.family], ['WRONG_CHAIN', 'config'])
  assert.equal([error.details['got'], error.details['want']], [CHAIN_ID, 1])
})

endpoint('refuses to have neither or both of URL and transport, or a URL that is not http', async () => {
  for (const options of [{}, { url: 'ftp://host' }, { url: 'nonsense' }]) {
    assert.is((await failureOf(connectEndpoint({ expectedChainId: 1, ...options }))).code, 'ENDPOINT_URL')
  }
  assert.is((await failureOf(createFakeL1().connect({ url: 'http://localhost' }))).code, 'ENDPOINT_URL')
})

endpoint('tries again, with longer pauses, when refused for now', async () => {
  const own = await connectTo((attempt) => (attempt < 3 ? fail(-32005)() : '0x7'))
  assert.is(await own.read(), 7)
  assert.equal(own.pauses, [100, 200, 400])
})

endpoint('gives up after the allowed retries', async () => {
  const own = await connectTo(fail(-32005, 'slow down'))
  const error = await failureOf(own.read())
  assert.equal([error.code, error.family, own.attempts()], ['ENDPOINT_BUSY', 'retryable', 4])
  assert.equal([error.details['endpoint'], error.details['got']], ['fake', 'slow down'])
})

endpoint('does not ask again when the answer would be the same', async () => {
  const cases = [
    [fail(-32601), 'RPC_METHOD_MISSING'],
    [fail(-32602, 'missing value'), 'RPC_REFUSED'],
    [fail(3, 'execution reverted', '0x1234'), 'RPC_REFUSED'],
    [fail(-32603, 'VM Exception: reverted'), 'RPC_REFUSED'],
    [() => 'seven', 'REPLY_MALFORMED'],
    [() => null, 'REPLY_MALFORMED'],
    [() => '0xffffffffffffffffff', 'REPLY_MALFORMED'],
  ] as const
  for (const [act, code] of cases) {
    const own = await connectTo(act)
    const error = await failureOf(own.read())
    assert.equal([error.code, error.family, own.attempts()], [code, 'invalid', 1])
  }
})

endpoint('keeps what the node said about a refusal', async () => {
  const own = await connectTo(fail(3, 'execution reverted', '0x1234'))
  const { details } = await failureOf(own.read())
  assert.equal([details['rpcCode'], details['rpcMessage'], details['rpcData']], [3, 'execution reverted', '0x1234'])
})

endpoint('says what is malformed in a reply, in few words', async () => {
  const own = await createFakeL1().connect()
  const schema = z.object({ a: z.array(quantity) })
  const error = await failureOf(own.read({ method: 'eth_chainId', params: [] }, schema))
  assert.is(error.details['endpoint'], 'fake')
  const long = await connectTo(() => 'x'.repeat(1_000_000))
  assert.ok((await failureOf(long.read())).message.length < 1_000)
})

endpoint('times out an attempt, and tries again', async () => {
  const timeouts: number[] = []
  let attempts = 0
  const l1 = createFakeL1()
  let isUp = true
  const own = await l1.connect({
    retries: 2,
    timeoutMs: 5_000,
    sleep: async (ms) => {
      if (ms !== 5_000 || isUp) return ms === 5_000 ? never() : undefined
      timeouts.push(ms)
    },
  })
  isUp = false
  l1.setLie(() => {
    attempts++
    return never()
  })
  const error = await failureOf(own.read(CALL, quantity))
  assert.equal(
    [error.code, error.family, error.details['want']],
    ['ENDPOINT_TIMEOUT', 'retryable', 'a reply within 5000 ms'],
  )
  assert.equal([attempts, timeouts.length], [3, 3])
})

/** A real HTTP server whose answers a test scripts. */
async function serve(answer: (body: string, request: IncomingMessage) => { status?: number; body: string }) {
  const requests: string[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      requests.push(body)
      const { status = 200, body: text } = answer(body, request)
      response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, close: () => new Promise((resolve) => server.close(resolve)) }
}

type Request = { id: number; method: string; params: unknown[] }

endpoint('explains what an HTTP server answers instead of JSON-RPC', async () => {
  const cases = [
    [{ body: '<html>gateway</html>' }, 'ENDPOINT_GARBAGE'],
    [{ body: 'null' }, 'ENDPOINT_GARBAGE'],
    [{ body: '{"jsonrpc":"2.0","id":1,"resu' }, 'ENDPOINT_GARBAGE'],
    [{ body: '{}' }, 'REPLY_MALFORMED'],
    [{ body: '[]' }, 'REPLY_MALFORMED'],
    [{ status: 401, body: '{}' }, 'ENDPOINT_DENIED'],
    [{ status: 403, body: '{}' }, 'ENDPOINT_DENIED'],
    [{ status: 429, body: '{}' }, 'ENDPOINT_BUSY'],
    [{ status: 502, body: '{}' }, 'ENDPOINT_UNREACHABLE'],
  ] as const
  for (const [answer, code] of cases) {
    const server = await serve(() => answer)
    try {
      const connecting = connectEndpoint({
        url: `${server.url}/v3/SECRET`,
        expectedChainId: 1,
        retries: 0,
        sleep: never,
      })
      const error = await failureOf(connecting)
      assert.is(error.code, code, JSON.stringify(answer))
      assert.not.match(`${error.message}${JSON.stringify(error.details)}`, /SECRET/)
    } finally {
      await server.close()
    }
  }
})

endpoint('explains a server that is not there', async () => {
  const server = await serve(() => ({ body: '' }))
  await server.close()
  const error = await failureOf(connectEndpoint({ url: server.url, expectedChainId: 1, retries: 0, sleep: never }))
  assert.equal([error.code, error.family, error.details['got']], ['ENDPOINT_UNREACHABLE', 'retryable', 'ECONNREFUSED'])
})

async function serveFake(batchSize: number, distort = (replies: unknown[]) => replies) {
  const l1 = createFakeL1()
  await l1.mine(...Array.from({ length: 25 }, () => []))
  const replyTo = ({ id, method, params }: Request) => {
    const result = method === 'eth_chainId' ? '0x1' : (l1.chain()[Number(params[0])]?.rpc ?? null)
    return { jsonrpc: '2.0', id, result }
  }
  const server = await serve((body) => {
    const asked = JSON.parse(body) as Request | Request[]
    const reply = Array.isArray(asked) ? distort(asked.map(replyTo)) : replyTo(asked)
    return { body: JSON.stringify(reply) }
  })
  const own = await connectEndpoint({ url: server.url, expectedChainId: 1, retries: 0, batchSize, sleep: never })
  return { l1, server, own }
}

endpoint('reads many blocks in few HTTP requests', async () => {
  for (const [batchSize, requests] of [
    [10, 3],
    [1, 25],
  ] as const) {
    const { l1, server, own } = await serveFake(batchSize)
    try {
      const headers = await readHeaders(own, 0, 24)
      assert.equal(
        headers.map(({ hash }) => hash),
        l1.chain().map(({ hash }) => hash),
      )
      assert.is(server.requests.length, 1 + requests)
    } finally {
      await server.close()
    }
  }
})

endpoint('puts shuffled batch replies in order, and refuses a batch with one missing', async () => {
  const shuffled = await serveFake(100, (replies) => [...replies].reverse())
  const dropping = await serveFake(100, (replies) => replies.filter((_, i) => i !== 3))
  try {
    const headers = await readHeaders(shuffled.own, 0, 24)
    assert.equal(
      headers.map(({ number }) => number),
      Array.from({ length: 25 }, (_, i) => i),
    )
    assert.is((await failureOf(readHeaders(dropping.own, 0, 24))).code, 'ENDPOINT_GARBAGE')
  } finally {
    await Promise.all([shuffled.server.close(), dropping.server.close()])
  }
})

endpoint('stops at the first block that the endpoint does not have', async () => {
  const { server, own } = await serveFake(100)
  try {
    assert.is((await readHeaders(own, 20, 40)).length, 5)
    assert.equal(await readHeaders(own, 5, 4), [])
  } finally {
    await server.close()
  }
})

endpoint('never shows the path or user of its URL', async () => {
  const { server } = await serveFake(100)
  try {
    const own = await connectEndpoint({ url: `${server.url}/v3/SECRET`, expectedChainId: 1, sleep: never })
    assert.is(own.name, server.url.slice(7))
  } finally {
    await server.close()
  }
})

endpoint.run()

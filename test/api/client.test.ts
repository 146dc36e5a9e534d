/** The API client against servers that lie, stall and talk nonsense. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { joinBodies, splitBodies, splitTransactions } from '../../api/bodies.ts'
import { createClient } from '../../api/client.ts'
import type { FeedEvent } from '../../api/feed.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { alice, bob, pay } from '../operator/fixture.ts'

const test = suite('API client')

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function faultOf(running: Promise<unknown>): Promise<readonly [family: string, code: string]> {
  try {
    await running
  } catch (error) {
    if (isLifeboatError(error)) return [error.family, error.code]
    throw error
  }
  return ['none', 'NONE']
}

test('calls an unreachable server retryable', async () => {
  let url = ''
  await withServer(
    () => undefined,
    async (found) => {
      url = found
    },
  )
  assert.equal(await faultOf(createClient({ url }).status()), ['retryable', 'SERVER_UNREACHABLE'])
})

test('gives up on a server that never answers', async () => {
  await withServer(
    () => undefined,
    async (url) => {
      assert.equal(await faultOf(createClient({ url, timeoutMs: 30 }).status()), ['retryable', 'SERVER_TIMEOUT'])
    },
  )
})

test('stops reading an answer without an end', async () => {
  const endless: RequestListener = (_, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(65_536)));
      response.once('drain', more)
    }
    more()
  }
  await withServer(endless, async (url) => {
    const client = createClient({ url, maxAnswerBytes: 100_000 })
    assert.equal(await faultOf(client.blockBody(1)), ['invalid', 'ANSWER_TOO_LARGE'])
  })
})

test('refuses answers of another shape than promised', async () => {
  const nonsense = ['', 'nope', '[]', '{"results":[]}', '{"results":[{"status":"accepted"}]}']
  for (const body of nonsense) {
    await withServer(
      (_, response) => response.end(body),
      async (url) => {
        const signed = pay({ inputs: [1], outputs: [[bob, 1n]], signers: [alice] })
        assert.equal(await faultOf(createClient({ url }).submit([signed])), ['invalid', 'ANSWER_MALFORMED'], body)
      },
    )
  }
})

test('passes a refusal on with its code, and knows whether to try again', async () => {
  const refuse =
    (status: number, text: string): RequestListener =>
    (_, response) => {
      response.writeHead(status).end(text)
    }
  const error = JSON.stringify({ error: { code: 'QUEUE_FULL', message: 'full', got: 5, want: 4 } })
  await withServer(refuse(503, error), async (url) => {
    assert.equal(await faultOf(createClient({ url }).status()), ['retryable', 'QUEUE_FULL'])
  })
  await withServer(refuse(400, error), async (url) => {
    assert.equal(await faultOf(createClient({ url }).status()), ['invalid', 'QUEUE_FULL'])
  })
  await withServer(refuse(502, '<html>'), async (url) => {
    assert.equal(await faultOf(createClient({ url }).status()), ['retryable', 'SERVER_REFUSED'])
  })
  await withServer(refuse(404, '<html>'), async (url) => {
    assert.equal(await faultOf(createClient({ url }).blockBody(1)), ['invalid', 'SERVER_REFUSED'], 'not our 404')
  })
})

test('does not follow a server to another place', async () => {
  const redirect: RequestListener = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  await withServer(redirect, async (url) => {
    assert.equal(await faultOf(createClient({ url }).status()), ['retryable', 'SERVER_UNREACHABLE'])
  })
})

test('connects again after a lost feed from the last cursor, and leaves out what repeats', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const asked: unknown[] = []
  const event = (cursor: number) =>
    JSON.stringify({
      event: {
        topic: 'blocks',
        cursor,
        data: {
          number: cursor,
          stage: 'sealed',
          root: `0x${'00'.repeat(32)}`,
          txCount: 0,
          anchor: 1,
          anchorHash: `0x${'00'.repeat(32)}`,
        },
      },
    })
  server.on('connection', (socket) => {
    socket.on('message', (message) => {
      asked.push(JSON.parse(String(message)))
      if (asked.length === 1) {
        socket.send(event(1))
        socket.send(event(2))
        socket.send('garbage')
        socket.close()
      } else {
        socket.send(event(2))
        socket.send(event(3))
      }
    })
  })
  const seen: number[] = []
  const errors: string[] = []
  await new Promise<void>((resolve) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const feed = createClient({ url }).feed([{ topic: 'blocks', cursor: 0 }], {
      retryMs: 1,
      onEvent: ({ cursor }: FeedEvent) => {
        seen.push(cursor)
        if (cursor < 3) return
        feed.close()
        resolve()
      },
      onError: ({ code }) => errors.push(code),
    })
  })
  server.close()
  assert.equal(seen, [1, 2, 3])
  assert.equal(errors, ['FEED_MALFORMED'])
  assert.equal(asked, [{ subscribe: { topic: 'blocks', cursor: 0 } }, { subscribe: { topic: 'blocks', cursor: 2 } }])
})

test('cuts transactions that stand back to back exactly where their encodings end', () => {
  const bodies = [
    pay({ inputs: [1], outputs: [[bob, 1n]], signers: [alice] }),
    pay({
      inputs: [1, 2],
      outputs: [
        [bob, 1n],
        [alice, 1n],
      ],
      signers: [alice, bob],
      memo: `0x${'07'.repeat(32)}`,
    }),
  ].map(encodeTransaction)
  const joined = Buffer.concat(bodies)
  assert.equal(
    splitTransactions(joined).map((part) => Buffer.from(part)),
    bodies.map((part) => Buffer.from(part)),
  )
  assert.is(splitTransactions(joined.subarray(0, joined.length - 1)).length, 2)
  assert.equal(splitTransactions(new Uint8Array()), [])
  assert.equal(
    splitBodies(joinBodies(bodies)).map((part) => Buffer.from(part)),
    bodies.map((part) => Buffer.from(part)),
  )
})

test.run()

import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClientOptions, WebSocket } from 'ws'
import { createFeed, type FeedLimits } from '../../service/feed.ts'
import { FEED_CLOSE } from '../../service/feedMessages.ts'
import { createDoor } from '../../service/http.ts'
import { createMemoryLog } from '../../service/log.ts'
import { startServer } from '../../service/server.ts'

type Place = { topic: string; cursor: number }
type Message = {
  subscribed: Place
  unsubscribed: { topic: string }
  event: Place & { data: string }
  error: { code: string }
}

const feed = suite('feed')

/** A store of numbered events per topic, and a feed over it on a real socket. */
async function open(limits: Partial<FeedLimits> = {}) {
  const memory = createMemoryLog()
  const rows = new Map<string, unknown[]>()
  const source = {
    parseTopic: (topic: string) => (/^(blocks|account:0x[0-9a-f]+)$/i.test(topic) ? topic.toLowerCase() : undefined),
    newest: (topic: string) => rows.get(topic)?.length ?? 0,
    readSince: (topic: string, cursor: number, limit: number) =>
      (rows.get(topic) ?? []).slice(cursor, cursor + limit).map((data, i) => ({ cursor: cursor + i + 1, data })),
  }
  const live = createFeed({ source, log: memory.log, limits })
  const door = createDoor({ name: 'operator', version: '1', log: memory.log })
  const running = await startServer({ fetch: door.app.fetch, feeds: { '/v1/feed': live }, port: 0 })
  const append = (topic: string, ...data: unknown[]) => {
    rows.set(topic, [...(rows.get(topic) ?? []), ...data])
    live.notify(topic)
  }
  return {
    ...memory,
    source,
    live,
    append,
    connect: (options = {}) => connectTo(running.url, options),
    close: () => running.close(20),
  }
}

async function connectTo(url: string, options: ClientOptions) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/feed`, options)
  const messages: Message[] = []
  const waiting: (() => void)[] = []
  socket.on('message', (data) => {
    messages.push(JSON.parse(data.toString()))
    for (const wake of waiting.splice(0)) wake()
  })
  const closed = once(socket, 'close') as Promise<[number, Buffer]>
  await once(socket, 'open')
  let read = 0
  return {
    socket,
    closed,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    /** The next message, once it is here. */
    next: async (): Promise<Message> => {
      while (messages.length <= read) await new Promise<void>((resolve) => waiting.push(resolve))
      return messages[read++]!
    },
  }
}

feed('events come in order, live, with amounts to the wei', async () => {
  const { append, connect, close, assertNoErrors } = await open()
  const client = await connect()
  client.send({ subscribe: { topic: 'blocks' } })
  assert.equal(await client.next(), { subscribed: { topic: 'blocks', cursor: 0 } })
  append('blocks', { feeWei: 2n ** 64n }, { n: 2 })
  assert.equal(await client.next(), { event: { topic: 'blocks', cursor: 1, data: { feeWei: '18446744073709551616' } } })
  assert.equal(await client.next(), { event: { topic: 'blocks', cursor: 2, data: { n: 2 } } })
  await close()
  assertNoErrors()
})

feed('a client that resumes from its cursor misses nothing and gets nothing twice', async () => {
  const { append, connect, close } = await open({ page: 3 })
  append('blocks', ...Array.from({ length: 10 }, (_, i) => i))
  const seen: number[] = []
  let cursor = 0
  for (const stopAfter of [1, 4, 2, 5]) {
    const client = await connect()
    client.send({ subscribe: { topic: 'blocks', cursor } })
    assert.equal(await client.next(), { subscribed: { topic: 'blocks', cursor } })
    append('blocks', `while ${cursor}`)
    for (let i = 0; i < stopAfter; i++) {
      const { event } = await client.next()
      seen.push(event.cursor)
      cursor = event.cursor
    }
    client.socket.terminate()
    await client.closed
  }
  assert.equal(
    seen,
    Array.from({ length: 12 }, (_, i) => i + 1),
  )
  await close()
})

feed('many clients at different places all get everything', async () => {
  const { append, connect, close } = await open({ page: 2 })
  append('blocks', 'a', 'b', 'c', 'd', 'e')
  const clients = await Promise.all([0, 1, 2, 5].map(async (cursor) => ({ cursor, ...(await connect()) })))
  for (const { send, cursor } of clients) send({ subscribe: { topic: 'blocks', cursor } })
  for (const { next } of clients) await next()
  append('blocks', 'f')
  for (const { next, cursor } of clients) {
    for (const data of ['a', 'b', 'c', 'd', 'e', 'f'].slice(cursor)) assert.is((await next()).event.data, data)
  }
  await close()
})

feed('topics are told apart, and a topic has one name', async () => {
  const { append, connect, close } = await open()
  const client = await connect()
  client.send({ subscribe: { topic: 'account:0xAB' } })
  assert.is((await client.next()).subscribed.topic, 'account:0xab')
  append('blocks', 'not for me')
  append('account:0xab', 'for me')
  assert.is((await client.next()).event.data, 'for me')
  client.send({ unsubscribe: { topic: 'account:0xAb' } })
  assert.equal(await client.next(), { unsubscribed: { topic: 'account:0xab' } })
  append('account:0xab', 'no longer')
  client.send({ subscribe: { topic: 'account:0xab' } })
  assert.equal(await client.next(), { subscribed: { topic: 'account:0xab', cursor: 2 } })
  await close()
})

feed('what a client gets wrong is answered, and the connection lives on', async () => {
  const { connect, close, assertNoErrors } = await open({ subscriptions: 1 })
  const client = await connect()
  const codeOf = async (message: unknown) => {
    client.send(message)
    return (await client.next()).error.code
  }
  assert.is(await codeOf('hello'), 'FEED_MESSAGE_INVALID')
  assert.is(await codeOf({ subscribe: { topic: 'blocks', cursor: -1 } }), 'FEED_MESSAGE_INVALID')
  assert.is(await codeOf({ subscribe: { topic: 'blocks', from: 1 } }), 'FEED_MESSAGE_INVALID')
  assert.is(await codeOf({ subscribe: { topic: 'weather' } }), 'FEED_TOPIC_UNKNOWN')
  assert.is(await codeOf({ subscribe: { topic: 'blocks', cursor: 5 } }), 'FEED_CURSOR_AHEAD')
  assert.is(await codeOf({ unsubscribe: { topic: 'blocks' } }), 'FEED_NOT_SUBSCRIBED')
  client.send({ subscribe: { topic: 'blocks' } })
  await client.next()
  assert.is(await codeOf({ subscribe: { topic: 'blocks' } }), 'FEED_SUBSCRIBED')
  assert.is(await codeOf({ subscribe: { topic: 'account:0x1' } }), 'FEED_TOPICS_FULL')
  await close()
  assertNoErrors()
})

feed('a message too large, or too many, ends the connection', async () => {
  const { connect, close, assertNoErrors } = await open({ messageBytes: 100, messagesPerSecond: 1 })
  const large = await connect()
  large.send({ subscribe: { topic: 'x'.repeat(200) } })
  assert.is((await large.closed)[0], 1009)
  const many = await connect()
  for (let i = 0; i < 10; i++) many.send({ unsubscribe: { topic: 'blocks' } })
  assert.is((await many.closed)[0], FEED_CLOSE.rules)
  await close()
  assertNoErrors()
})

feed('one address cannot take all places', async () => {
  const { connect, close, live } = await open({ clientsPerAddress: 2 })
  const clients = [await connect(), await connect(), await connect()]
  assert.is((await clients[2]!.closed)[0], FEED_CLOSE.full)
  assert.is(live.clientCount(), 2)
  await close()
})

feed('a slow client is dropped with a code, loses nothing and resumes', async () => {
  const { append, connect, close, live, of } = await open({ backlogBytes: 100_000 })
  const slow = await connect()
  slow.send({ subscribe: { topic: 'blocks' } })
  await slow.next()
  slow.socket.pause()
  append('blocks', ...Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(200_000)}`))
  live.beat()
  live.beat()
  assert.is(of('feed.dropped').length, 1)
  slow.socket.resume()
  let cursor = 0
  const received = (async () => {
    for (;;) cursor = (await slow.next()).event.cursor
  })()
  received.catch(() => undefined)
  assert.is((await slow.closed)[0], FEED_CLOSE.slow)
  assert.ok(cursor < 100, `${cursor} of 100 events were buffered`)
  const again = await connect()
  again.send({ subscribe: { topic: 'blocks', cursor } })
  await again.next()
  for (let i = cursor; i < 100; i++) assert.ok((await again.next()).event.data.startsWith(`${i} `))
  await close()
})

feed('a client that reads again within a heartbeat is not dropped', async () => {
  const { append, connect, close, live, of } = await open({ backlogBytes: 1_000 })
  const client = await connect()
  client.send({ subscribe: { topic: 'blocks' } })
  await client.next()
  for (let i = 1; i <= 5; i++) {
    append('blocks', `${i} ${'x'.repeat(5_000)}`)
    live.beat()
    assert.is((await client.next()).event.cursor, i)
  }
  assert.is(of('feed.dropped').length, 0)
  await close()
})

feed('a client that is gone without a word is forgotten', async () => {
  const { connect, close, live } = await open()
  const gone = await connect({ autoPong: false })
  const here = await connect()
  live.beat()
  await once(here.socket, 'ping')
  here.send({ unsubscribe: { topic: 'blocks' } })
  await here.next()
  live.beat()
  assert.is((await gone.closed)[0], 1006)
  assert.is(live.clientCount(), 1)
  await close()
})

feed('a store that fails ends the connection, and the client resumes later', async () => {
  const { append, connect, close, source, of } = await open()
  const client = await connect()
  client.send({ subscribe: { topic: 'blocks' } })
  await client.next()
  const readSince = source.readSince
  source.readSince = () => {
    throw new Error('disk')
  }
  append('blocks', 'lost?')
  assert.is((await client.closed)[0], 1011)
  assert.is(of('feed.failed').length, 1)
  source.readSince = readSince
  const again = await connect()
  again.send({ subscribe: { topic: 'blocks', cursor: 0 } })
  await again.next()
  assert.is((await again.next()).event.data, 'lost?')
  await close()
})

feed('closing tells clients that the server leaves, and cuts those that do not answer', async () => {
  const { connect, close } = await open()
  const polite = await connect()
  const deaf = await connect()
  deaf.socket.pause()
  await close()
  assert.is((await polite.closed)[0], FEED_CLOSE.leaving)
  deaf.socket.terminate()
})

feed.run()

import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createDoor } from '../../service/http.ts'
import { createMemoryLog } from '../../service/log.ts'
import { startServer } from '../../service/server.ts'
import { createShutdown } from '../../service/shutdown.ts'

const server = suite('server and shutdown')

function openDoor(limits = {}) {
  const memory = createMemoryLog()
  return { ...createDoor({ name: 'operator', version: '1', log: memory.log, limits }), ...memory }
}

server('answers over a real socket, with the limits of the door', async () => {
  const door = openDoor({ bodyBytes: 100 })
  const schema = z.object({ text: z.string() })
  door.route({
    method: 'post',
    path: '/v1/echo',
    summary: 'echo',
    body: schema,
    answer: schema,
    handle: ({ body }) => body,
  })
  const running = await startServer({ fetch: door.app.fetch, port: 0 })
  const post = (text: string) =>
    fetch(`${running.url}/v1/echo`, {
      method: 'POST',
      body: JSON.stringify({ text }),
      headers: { 'content-type': 'application/json' },
    })
  assert.equal(await (await post('hello')).json(), { text: 'hello' })
  assert.is((await post('x'.repeat(1_000))).status, 413)
  assert.is((await fetch(`${running.url}/healthz`)).status, 200)
  await running.close()
  door.assertNoErrors()
})

server('clients are told apart by their address, not by what they claim', async () => {
  const door = openDoor({ rate: { perSecond: 0.001, burst: 1 } })
  const running = await startServer({ fetch: door.app.fetch, port: 0 })
  const ask = (claim: string) => fetch(`${running.url}/healthz`, { headers: { 'x-forwarded-for': claim } })
  assert.is((await ask('1.1.1.1')).status, 200)
  assert.is((await ask('2.2.2.2')).status, 429)
  await running.close()
})

server('a client that leaves within its body is not an error of ours', async () => {
  const door = openDoor()
  const schema = z.object({})
  door.route({ method: 'post', path: '/v1/pay', summary: 'x', body: schema, answer: schema, handle: () => ({}) })
  const running = await startServer({ fetch: door.app.fetch, port: 0 })
  for (const framing of ['content-length: 100\r\n\r\n{', 'transfer-encoding: chunked\r\n\r\n1\r\n{\r\n']) {
    const socket = connect(running.port, '127.0.0.1')
    socket.write(`POST /v1/pay HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${framing}`)
    await fetch(`${running.url}/healthz`)
    socket.destroy()
  }
  while (door.of('http.refused').length < 2) await fetch(`${running.url}/healthz`)
  assert.equal(
    door.of('http.refused').map(({ code }) => code),
    ['BODY_BROKEN', 'BODY_BROKEN'],
  )
  await running.close()
  door.assertNoErrors()
})

server('a busy port is named', async () => {
  const door = openDoor()
  const first = await startServer({ fetch: door.app.fetch, port: 0 })
  try {
    await startServer({ fetch: door.app.fetch, port: first.port })
    assert.unreachable()
  } catch (error) {
    assert.ok(isLifeboatError(error) && error.code === 'PORT_BUSY' && error.family === 'config')
    assert.match(error.message, String(first.port))
  }
  await first.close()
})

server('an address of another machine is refused', async () => {
  try {
    await startServer({ fetch: openDoor().app.fetch, host: '192.0.2.1', port: 0 })
    assert.unreachable()
  } catch (error) {
    assert.ok(isLifeboatError(error) && error.code === 'HOST_UNKNOWN')
  }
})

server('closing lets a running request finish, and closing twice is the same', async () => {
  const door = openDoor()
  const events = new EventEmitter()
  door.route({
    method: 'get',
    path: '/v1/slow',
    summary: 'slow',
    answer: z.object({ done: z.boolean() }),
    handle: async () => {
      events.emit('arrived')
      await once(events, 'go on')
      return { done: true }
    },
  })
  const running = await startServer({ fetch: door.app.fetch, port: 0 })
  const arrived = once(events, 'arrived')
  const answer = fetch(`${running.url}/v1/slow`, { headers: { connection: 'close' } })
  await arrived
  const closed = Promise.all([running.close(), running.close()])
  events.emit('go on')
  assert.equal(await (await answer).json(), { done: true })
  await closed
  const isRefused = await fetch(`${running.url}/healthz`).then(
    () => false,
    () => true,
  )
  assert.ok(isRefused)
})

server('closing cuts a connection that never ends', async () => {
  const running = await startServer({ fetch: openDoor().app.fetch, port: 0 })
  const socket = connect(running.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n')
  const ended = once(socket, 'close')
  socket.resume()
  await running.close(5)
  await ended
})

server('an upgrade where no feed is gets a 404', async () => {
  const running = await startServer({ fetch: openDoor().app.fetch, port: 0 })
  const socket = connect(running.port, '127.0.0.1')
  socket.write('GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  let text = ''
  for await (const part of socket) text += part
  assert.match(text, /^HTTP\/1\.1 404 /)
  assert.match(text, 'ROUTE_UNKNOWN')
  await running.close()
})

function openShutdown(timeoutMs = 1_000) {
  const memory = createMemoryLog()
  const signals = new EventEmitter()
  const exits: number[] = []
  const shutdown = createShutdown({ log: memory.log, signals, timeoutMs, exit: (code) => void exits.push(code) })
  return { ...memory, shutdown, signals, exits }
}

server('what was opened last is closed first, each once', async () => {
  const { shutdown, assertNoErrors } = openShutdown()
  const closed: string[] = []
  for (const name of ['store', 'pool', 'door']) shutdown.onClose(name, () => void closed.push(name))
  assert.equal(await Promise.all([shutdown.end('test'), shutdown.end('again')]), [0, 0])
  assert.equal(closed, ['door', 'pool', 'store'])
  assert.ok(shutdown.signal.aborted)
  assertNoErrors()
})

server('a part that fails or hangs does not keep the others open', async () => {
  const { shutdown, of } = openShutdown(5)
  let isStoreClosed = false
  shutdown.onClose('store', () => {
    isStoreClosed = true
  })
  shutdown.onClose('pool', () => Promise.reject(new Error('no')))
  shutdown.onClose('door', () => new Promise(() => undefined))
  assert.is(await shutdown.end('test'), 1)
  assert.ok(isStoreClosed)
  assert.equal(
    of('part.close_failed').map((line) => line['part']),
    ['door', 'pool'],
  )
})

server('Ctrl-C closes and exits with 0, a second one at once with 130', async () => {
  const { shutdown, signals, exits } = openShutdown()
  const events = new EventEmitter()
  shutdown.onClose('slow', async () => void (await once(events, 'go on')))
  signals.emit('SIGINT')
  signals.emit('SIGINT')
  assert.equal(exits, [130])
  events.emit('go on')
  await shutdown.end('test')
  assert.equal(exits, [130, 0])
})

server('what is opened while the program ends is closed again', async () => {
  const { shutdown } = openShutdown()
  await shutdown.end('test')
  let isClosed = false
  shutdown.onClose('late', () => {
    isClosed = true
  })
  assert.ok(isClosed)
})

server.run()

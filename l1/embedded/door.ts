/**
 * The JSON-RPC door (docs/spec.md, "L1", the embedded L1): HTTP POST and WebSocket on one port, any path. Bodies are bounded, a
 * client that doesn't read its subscriptions is cut off, and a WebSocket's requests are answered in the order they came.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Hex } from '../../protocol/bytes.ts'
import { configError } from '../../protocol/errors.ts'
import type { Dispatcher } from './dispatch.ts'
import { limitExceeded } from './errors.ts'
import type { Feeds } from './feeds.ts'
import type { CallerContext } from './methods.ts'
import { createQueue } from './queue.ts'

export interface DoorOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Web origin that browsers may call from; '*' for any. */
  readonly allowOrigin: string
  readonly maxBodyBytes: number
}

export interface Door {
  readonly url: string
  readonly wsUrl: string
  close(): Promise<void>
}

/** Unread notifications that a client may pile up, bytes. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024
const MAX_SUBSCRIPTIONS = 1000

/** Listens. Throws config errors PORT_BUSY, PORT_FORBIDDEN and HOST_INVALID, each with what to do. */
export async function openDoor(dispatcher: Dispatcher, feeds: Feeds, options: DoorOptions): Promise<Door> {
  const server = createAdaptorServer({ fetch: createApp(dispatcher, options).fetch }) as Server
  const sockets = new WebSocketServer({ noServer: true, maxPayload: options.maxBodyBytes })
  sockets.on('connection', (socket) => serveSocket(socket, dispatcher, feeds))
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy())
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request))
  })
  const port = await listen(server, options)
  const name = urlHost(options.host)
  return {
    url: `http://${name}:${port}`,
    wsUrl: `ws://${name}:${port}`,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function createApp(dispatcher: Dispatcher, options: DoorOptions): Hono {
  const app = new Hono()
  app.use(cors({ origin: options.allowOrigin, allowMethods: ['POST', 'GET', 'OPTIONS'], allowHeaders: ['*'] }))
  app.use(
    bodyLimit({
      maxSize: options.maxBodyBytes,
      onError: (context) => {
        const { code, message } = limitExceeded(`request body is larger than ${options.maxBodyBytes} bytes`)
        return context.json({ jsonrpc: '2.0', id: null, error: { code, message } }, 413)
      },
    }),
  )
  app.get('*', (context) => context.text('Lifeboat embedded L1: JSON-RPC by POST, or by WebSocket on the same port\n'))
  app.post('*', async (context) => {
    const caller: CallerContext = { push: undefined, subscriptions: new Set() }
    const answer = await dispatcher.answer(await context.req.text(), caller)
    if (answer === undefined) return context.body(null, 204)
    return context.body(answer, 200, { 'content-type': 'application/json' })
  })
  return app
}

function serveSocket(socket: WebSocket, dispatcher: Dispatcher, feeds: Feeds): void {
  const inOrder = createQueue()
  const subscriptions = new Set<Hex>()
  const send = (text: string) => {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > MAX_BACKLOG_BYTES) socket.terminate()
    else socket.send(text)
  }
  const push = (subscription: Hex, result: unknown) =>
    send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } }))

  function endSubscriptions(): void {
    for (const id of subscriptions) feeds.unsubscribe(id)
    subscriptions.clear()
  }

  socket.on('message', (data) => {
    void inOrder.run(async () => {
      const answer = await dispatcher.answer(data.toString(), { push, subscriptions })
      if (answer !== undefined) send(answer)
      if (subscriptions.size > MAX_SUBSCRIPTIONS) socket.close(1008, `more than ${MAX_SUBSCRIPTIONS} subscriptions`)
      // A subscription made by a request that was still queued when the connection ended must end with it.
      if (socket.readyState !== socket.OPEN) endSubscriptions()
    })
  })
  socket.on('close', endSubscriptions)
  socket.on('error', () => socket.terminate())
}

function listen(server: Server, { host, port }: DoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(describeListenFailure(error, host, port)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function describeListenFailure(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const details = { got: `${host}:${port}` }
  if (error.code === 'EADDRINUSE') {
    return configError(
      'PORT_BUSY',
      'another program listens there; stop it, or choose another port (0 takes a free one)',
      details,
      error,
    )
  }
  if (error.code === 'EACCES') {
    return configError('PORT_FORBIDDEN', 'this user may not listen there; choose a port above 1023', details, error)
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return configError('HOST_INVALID', 'this machine has no such address; try 127.0.0.1', details, error)
  }
  return error
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** A program's listening socket: a door (http.ts), and beside it a live feed (feed.ts), on one port. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { configError } from '../protocol/errors.ts'

export type RunningServer = Readonly<{
  /** `http://127.0.0.1:4000`, without a slash at its end. */
  url: string
  port: number
  /** Takes no more requests, lets running ones finish for up to `graceMs` (default 5000), then cuts the rest. Once or twice, the same. */
  close(graceMs?: number): Promise<void>
}>

/** What takes over connections at a path, like a live feed: says goodbye to its clients on `close`. */
export type Upgradable = Readonly<{
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}>

export type ServerOptions = Readonly<{
  /** A Hono application's `fetch`: `door.app.fetch`. */
  fetch: (request: Request, env: never) => Response | Promise<Response>
  /** By path: `{ '/v1/feed': feed }`. */
  feeds?: Feeds
  /** Address to listen on; default 127.0.0.1, this machine only. */
  host?: string
  /** 0: any free one. */
  port: number
}>

type Feeds = Readonly<Record<string, Upgradable>>

/** Resolves when it listens. Throws config errors PORT_BUSY, PORT_FORBIDDEN, HOST_UNKNOWN. */
export async function startServer({
  fetch,
  feeds = {},
  host = '127.0.0.1',
  port,
}: ServerOptions): Promise<RunningServer> {
  const server = createServer(getRequestListener(fetch as Parameters<typeof getRequestListener>[0]))
  // A client that dribbles its headers or body holds a connection no longer than this.
  server.headersTimeout = 15_000
  server.requestTimeout = 60_000
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    upgrade(feeds, request, socket, head)
  })
  await listen(server, host, port)
  const bound = (server.address() as AddressInfo).port
  let closing: Promise<void> | undefined
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: (graceMs = 5_000) => {
      closing ??= close(server, feeds, upgraded, graceMs)
      return closing
    },
  }
}

function upgrade(feeds: Feeds, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Until the feed listens for errors itself, a broken connection would end the process.
  socket.on('error', () => socket.destroy())
  const path = request.url?.split('?')[0] ?? ''
  const feed = Object.hasOwn(feeds, path) ? feeds[path] : undefined
  if (feed) {
    feed.upgrade(request, socket, head)
    return
  }
  const want = Object.keys(feeds).join(', ') || 'no live feed here'
  const body = JSON.stringify({ error: { code: 'ROUTE_UNKNOWN', message: 'no such feed', got: path, want } })
  socket.end(
    `HTTP/1.1 404 ${STATUS_CODES[404]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  )
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)))
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

async function close(server: Server, feeds: Feeds, upgraded: ReadonlySet<Duplex>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const feed of Object.values(feeds)) feed.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    for (const socket of upgraded) socket.destroy()
  }, graceMs)
  await closed
  clearTimeout(timer)
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const got = `${host}:${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return configError('PORT_BUSY', 'the port is in use', { got, want: 'a free port, or 0 for any' }, error)
    case 'EACCES':
      return configError('PORT_FORBIDDEN', 'we may not listen on this port', { got, want: 'a port from 1024' }, error)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return configError(
        'HOST_UNKNOWN',
        'not an address of this machine',
        { got, want: '127.0.0.1, 0.0.0.0, ...' },
        error,
      )
    default:
      return error
  }
}

/**
 * The live feed over WebSocket (docs/spec.md section 11; messages in feedMessages.ts). The store is the truth and the feed only reads
 * it: a subscription is a cursor, `notify` says that there may be more, and what is sent is always the next rows after the cursor. So no
 * event is lost or doubled, whatever happens to connections, and a client that reads slowly costs one page of memory: it is not read for
 * until it has drained, and dropped when it does not drain within a heartbeat.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { FEED_CLOSE, parseFeedRequest } from './feedMessages.ts'
import { createPageReader, type FeedSource, type Page } from './feedPages.ts'
import { errorToFault, toJson } from './httpErrors.ts'
import type { Log } from './log.ts'
import { clientOf, createRateLimit } from './rateLimit.ts'

export type FeedLimits = Readonly<{
  clients: number
  clientsPerAddress: number
  subscriptions: number
  /** Largest message of a client. */
  messageBytes: number
  messagesPerSecond: number
  /** Unsent bytes from which a client is not read for. */
  backlogBytes: number
  /** Events read at once. */
  page: number
  heartbeatMs: number
}>

export const DEFAULT_FEED_LIMITS: FeedLimits = {
  clients: 10_000,
  clientsPerAddress: 100,
  subscriptions: 64,
  messageBytes: 4_096,
  messagesPerSecond: 20,
  backlogBytes: 1 << 20,
  page: 100,
  heartbeatMs: 15_000,
}

export type Feed = Readonly<{
  /** Takes over an HTTP upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** To be called after events of the topic were committed. Cheap when nobody listens. */
  notify(topic: string): void
  /** One heartbeat: drops clients that are gone or did not drain. Runs by itself every `heartbeatMs`. */
  beat(): void
  clientCount(): number
  /** Says goodbye to all and takes no more. */
  close(): void
}>

type Client = {
  readonly socket: WebSocket
  readonly address: string
  /** Topic to the cursor of the last event sent. */
  readonly cursors: Map<string, number>
  isAlive: boolean
  /** Waits for its socket to drain; since the last heartbeat. */
  isFull: boolean
  wasFull: boolean
}

export function createFeed(options: {
  source: FeedSource
  log: Log
  limits?: Partial<FeedLimits>
  now?: () => number
}): Feed {
  const { source, log } = options
  const limits = { ...DEFAULT_FEED_LIMITS, ...options.limits }
  const rate = createRateLimit({
    perSecond: limits.messagesPerSecond,
    burst: limits.messagesPerSecond * 5,
    now: options.now ?? Date.now,
  })
  const server = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, perMessageDeflate: false })
  const clients = new Set<Client>()
  const listeners = new Map<string, Set<Client>>()
  const pages = createPageReader(source, { events: limits.page, bytes: limits.backlogBytes })
  let lastId = 0
  let isClosed = false

  function admit(socket: WebSocket, address: string): void {
    const client: Client = { socket, address, cursors: new Map(), isAlive: true, isFull: false, wasFull: false }
    const id = `${++lastId}`
    socket.on('error', (error) => log.debug('feed.failed', { address, error }))
    const refusal = refusalOf(address)
    if (refusal !== undefined) {
      socket.close(refusal)
      return
    }
    clients.add(client)
    socket.on('message', (message) => {
      if (rate.take(id) > 0) socket.close(FEED_CLOSE.rules, 'too many messages')
      else answer(client, message.toString())
    })
    socket.on('pong', () => {
      client.isAlive = true
    })
    socket.on('close', () => {
      clients.delete(client)
      for (const topic of client.cursors.keys()) unlisten(topic, client)
    })
  }

  function refusalOf(address: string): number | undefined {
    if (isClosed) return FEED_CLOSE.leaving
    const sameAddress = [...clients].filter((client) => client.address === address).length
    return clients.size >= limits.clients || sameAddress >= limits.clientsPerAddress ? FEED_CLOSE.full : undefined
  }

  function answer(client: Client, text: string): void {
    try {
      const request = parseFeedRequest(text)
      if ('subscribe' in request) subscribe(client, request.subscribe)
      else unsubscribe(client, request.unsubscribe.topic)
    } catch (error) {
      if (!isLifeboatError(error) || error.family === 'bug') log.error('feed.failed', { error })
      client.socket.send(toJson(errorToFault(error, {}).body))
    }
  }

  function subscribe(client: Client, wanted: { topic: string; cursor?: number | undefined }): void {
    const topic = topicOf(wanted.topic)
    if (client.cursors.has(topic))
      throw invalid('FEED_SUBSCRIBED', 'already subscribed', { got: topic, want: 'each topic once' })
    if (client.cursors.size >= limits.subscriptions) {
      throw invalid('FEED_TOPICS_FULL', 'too many subscriptions', {
        got: client.cursors.size + 1,
        want: `at most ${limits.subscriptions}`,
      })
    }
    const newest = source.newest(topic)
    const cursor = wanted.cursor ?? newest
    if (cursor > newest) {
      // A client that has seen what we have not: its cursor is another server's, or we lost data. Waiting would hide it.
      throw invalid('FEED_CURSOR_AHEAD', 'no event has this cursor yet', { got: cursor, want: `at most ${newest}` })
    }
    client.cursors.set(topic, cursor)
    const others = listeners.get(topic) ?? new Set()
    listeners.set(topic, others.add(client))
    client.socket.send(toJson({ subscribed: { topic, cursor } }))
    pump(client, topic)
  }

  function unsubscribe(client: Client, text: string): void {
    const topic = topicOf(text)
    if (!client.cursors.delete(topic))
      throw invalid('FEED_NOT_SUBSCRIBED', 'not subscribed', { got: topic, want: 'a subscribed topic' })
    unlisten(topic, client)
    client.socket.send(toJson({ unsubscribed: { topic } }))
  }

  function topicOf(text: string): string {
    const topic = source.parseTopic(text)
    if (topic === undefined)
      throw invalid('FEED_TOPIC_UNKNOWN', 'no such topic', { got: text, want: 'a topic of the documentation' })
    return topic
  }

  function unlisten(topic: string, client: Client): void {
    const others = listeners.get(topic)
    others?.delete(client)
    if (others?.size === 0) listeners.delete(topic)
  }

  /** Sends the page after the cursor, then lets others have their turn before the next. Only what is sent moves the cursor. */
  function pump(client: Client, topic: string): void {
    const cursor = client.cursors.get(topic)
    if (cursor === undefined || client.isFull || client.socket.readyState !== client.socket.OPEN) return
    const { messages, isLast } = readSafely(client, topic, cursor)
    for (const { cursor: sent, text } of messages) {
      client.cursors.set(topic, sent)
      if (client.socket.bufferedAmount + text.length > limits.backlogBytes) {
        client.isFull = true
        client.socket.send(text, () => drained(client))
        return
      }
      client.socket.send(text)
    }
    if (!isLast) setImmediate(() => pump(client, topic))
  }

  function readSafely(client: Client, topic: string, cursor: number): Page {
    try {
      return pages.read(topic, cursor)
    } catch (error) {
      log.error('feed.failed', { topic, cursor, error })
      client.socket.close(1011, 'internal error')
      return { messages: [], isLast: true }
    }
  }

  function drained(client: Client): void {
    client.isFull = false
    client.wasFull = false
    for (const topic of client.cursors.keys()) pump(client, topic)
  }

  function beat(): void {
    for (const client of clients) {
      if (client.socket.readyState !== client.socket.OPEN) continue
      if (client.isFull && client.wasFull) {
        log.debug('feed.dropped', { address: client.address, unsentBytes: client.socket.bufferedAmount })
        client.socket.close(FEED_CLOSE.slow, 'too slow; resume from your cursors')
      } else if (!client.isAlive && !client.isFull) {
        client.socket.terminate()
      } else {
        client.isAlive = false
        client.wasFull = client.isFull
        client.socket.ping()
      }
    }
  }

  const timer = setInterval(beat, limits.heartbeatMs)
  timer.unref()

  return {
    upgrade: (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (opened) => admit(opened, clientOf(request.socket.remoteAddress)))
    },
    notify: (topic) => {
      pages.forget(topic)
      for (const client of listeners.get(topic) ?? []) pump(client, topic)
    },
    beat,
    clientCount: () => clients.size,
    close: () => {
      isClosed = true
      clearInterval(timer)
      for (const { socket } of clients) socket.close(FEED_CLOSE.leaving, 'the server stops')
    },
  }
}

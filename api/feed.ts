/**
 * The live feed over a WebSocket (docs/spec.md section 11): messages of both sides, and a client that keeps its place. Every event of
 * a topic has a cursor that grows; subscribing with a cursor gives everything after it, first the stored, then the live, no gap between.
 */
import WebSocket from 'ws'
import { z } from 'zod'
import { invalid, type LifeboatError, retryable } from '../protocol/errors.ts'
import { answerToError, errorBodySchema } from './errors.ts'
import { activitySchema, blockSummarySchema } from './schemas.ts'
import { cursorSchema } from './values.ts'

/** An event of topic `blocks`: a block reached this stage; a fall from committed back to sealed is an L1 reorg. */
export const blockEventSchema = blockSummarySchema

/** What the server says; service/feedMessages.ts has the other side. */
const feedMessageSchema = z.union([
  z.object({ subscribed: z.object({ topic: z.string(), cursor: cursorSchema }) }),
  z.object({ unsubscribed: z.object({ topic: z.string() }) }),
  z.object({ event: z.object({ topic: z.string(), cursor: cursorSchema, data: z.unknown() }) }),
  z.object({ error: errorBodySchema }),
])
type FeedMessage = z.output<typeof feedMessageSchema>

export type FeedTopic = Readonly<{ topic: string; cursor?: number }>

export type FeedEvent = Readonly<{ topic: string; cursor: number }> &
  (Readonly<{ block: z.output<typeof blockEventSchema> }> | Readonly<{ activity: z.output<typeof activitySchema> }>)

export type FeedSubscription = Readonly<{
  onEvent(event: FeedEvent): void
  /** Retryable: it connects again by itself. Invalid: a message was refused and left out. */
  onError?(error: LifeboatError): void
  /** Called whenever a topic is subscribed, the first time and after every reconnection. */
  onSubscribed?(topic: string, cursor: number): void
  /** Pause before connecting again. Default 1,000. */
  retryMs?: number
  signal?: AbortSignal
}>

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

export function openFeed(
  url: string,
  topics: readonly FeedTopic[],
  subscription: FeedSubscription,
): Readonly<{ close(): void }> {
  const cursors = new Map(topics.map(({ topic, cursor }) => [topic, cursor]))
  const address = `${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/feed`
  let socket: WebSocket | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const connect = () => {
    socket = new WebSocket(address, { maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: 10_000 })
    socket.on('open', () => {
      for (const [topic, cursor] of cursors) {
        socket?.send(JSON.stringify({ subscribe: { topic, ...(cursor === undefined ? {} : { cursor }) } }))
      }
    })
    socket.on('message', (data) => receive(String(data), cursors, subscription))
    socket.on('error', (cause) => {
      if (!closed) subscription.onError?.(lost(address, cause))
    })
    socket.on('close', () => {
      if (!closed) timer = setTimeout(connect, subscription.retryMs ?? 1_000)
    })
  }
  const close = () => {
    closed = true
    clearTimeout(timer)
    socket?.terminate()
  }
  if (!subscription.signal?.aborted) connect()
  subscription.signal?.addEventListener('abort', close, { once: true })
  return { close }
}

function receive(text: string, cursors: Map<string, number | undefined>, subscription: FeedSubscription): void {
  const message = parseMessage(text)
  if (!message) {
    subscription.onError?.(malformed(text))
    return
  }
  if ('error' in message) subscription.onError?.(answerToError(400, message.error))
  else if ('subscribed' in message) {
    const { topic, cursor } = message.subscribed
    if (cursors.has(topic) && cursors.get(topic) === undefined) cursors.set(topic, cursor)
    subscription.onSubscribed?.(topic, cursor)
  } else if ('event' in message) receiveEvent(message.event, cursors, subscription)
}

function receiveEvent(
  { topic, cursor, data }: Readonly<{ topic: string; cursor: number; data?: unknown }>,
  cursors: Map<string, number | undefined>,
  subscription: FeedSubscription,
): void {
  // A server that repeats itself after a reconnection must not make its reader count twice.
  if (!cursors.has(topic) || cursor <= (cursors.get(topic) ?? -1)) return
  const event = parseEvent(topic, cursor, data)
  cursors.set(topic, cursor)
  if (event) subscription.onEvent(event)
  else subscription.onError?.(malformed(JSON.stringify(data) ?? 'nothing'))
}

function parseMessage(text: string): FeedMessage | undefined {
  try {
    return feedMessageSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function parseEvent(topic: string, cursor: number, event: unknown): FeedEvent | undefined {
  if (topic === 'blocks') {
    const block = blockEventSchema.safeParse(event).data
    return block && { topic, cursor, block }
  }
  const activity = activitySchema.safeParse(event).data
  return activity && { topic, cursor, activity }
}

function malformed(text: string): LifeboatError {
  return invalid('FEED_MALFORMED', 'the feed sent something we cannot read', {
    got: text.slice(0, 200),
    want: 'an event',
  })
}

function lost(address: string, cause: Error): LifeboatError {
  return retryable(
    'FEED_LOST',
    `the connection to ${address} is lost`,
    { got: cause.message, want: 'a connection' },
    cause,
  )
}

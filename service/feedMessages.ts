/**
 * What a live feed and its clients say to each other (docs/spec.md section 11), one JSON object per WebSocket message.
 *
 *     client   { subscribe: { topic, cursor? } } · { unsubscribe: { topic } }
 *     server   { subscribed: { topic, cursor } } · { event: { topic, cursor, data } } · { unsubscribed: { topic } }
 *              { error: { code, message, got, want } }
 *
 * A cursor is a place in a topic's order. A client that keeps the last cursor it was sent, and subscribes again from it, misses no event
 * and gets none twice. Without a cursor a subscription starts after the newest event.
 */
import { z } from 'zod'
import { invalid } from '../protocol/errors.ts'

export const feedRequestSchema = z.union([
  z.strictObject({ subscribe: z.strictObject({ topic: z.string().max(200), cursor: z.int().min(0).optional() }) }),
  z.strictObject({ unsubscribe: z.strictObject({ topic: z.string().max(200) }) }),
])
export type FeedRequest = z.output<typeof feedRequestSchema>

/** Close codes of the feed; a client connects again after each but the first, and resumes from its cursors. */
export const FEED_CLOSE = {
  /** It broke the rules: too many messages, or too large ones. */
  rules: 1008,
  /** The server stops. */
  leaving: 1001,
  /** There are too many clients; later. */
  full: 1013,
  /** It read more slowly than events came. */
  slow: 4008,
} as const

/** Throws FEED_MESSAGE_INVALID. */
export function parseFeedRequest(text: string): FeedRequest {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    raw = undefined
  }
  const result = feedRequestSchema.safeParse(raw)
  if (result.success) return result.data
  throw invalid('FEED_MESSAGE_INVALID', 'not a message of this feed', {
    got: text.length > 100 ? `${text.slice(0, 100)}...` : text,
    want: '{"subscribe":{"topic","cursor"}} or {"unsubscribe":{"topic"}}',
  })
}

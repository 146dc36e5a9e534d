/** Pages of a live feed's topics: read from the store, and written out once for all clients that stand at the same place. */
import { bug } from '../protocol/errors.ts'
import { toJson } from './httpErrors.ts'

/** One row of a topic. Cursors strictly increase. `data` is JSON, but may hold bigints, which become decimal strings. */
export type FeedEvent = Readonly<{ cursor: number; data: unknown }>

/** Where the events are kept. All calls are synchronous reads of committed rows; `topic` has passed `parseTopic`. */
export type FeedSource = Readonly<{
  /** The canonical name of a topic, or undefined for one that can't exist. */
  parseTopic(topic: string): string | undefined
  /** Cursor of the newest event; 0 when there is none. */
  newest(topic: string): number
  /** Up to `limit` events after `cursor`, oldest first. */
  readSince(topic: string, cursor: number, limit: number): readonly FeedEvent[]
}>

/** The finished messages after a cursor. */
export type Page = Readonly<{ messages: readonly Readonly<{ cursor: number; text: string }>[]; isLast: boolean }>

export type PageReader = Readonly<{
  /** Throws FEED_ORDER (bug) when the source's cursors do not increase, and what the source throws. */
  read(topic: string, cursor: number): Page
  /** To be called when the topic has grown. */
  forget(topic: string): void
}>

/** Only last pages are remembered, and few: nearly all clients stand at the newest event, and no client chooses what we keep. */
const MOST_REMEMBERED = 64

/** A page is up to `events` rows, and ends early with the row that makes it `bytes` long. */
export type PageSize = Readonly<{ events: number; bytes: number }>

export function createPageReader(source: FeedSource, size: PageSize): PageReader {
  const remembered = new Map<string, { topic: string; page: Page }>()
  return {
    read: (topic, cursor) => {
      const key = `${cursor} ${topic}`
      const known = remembered.get(key)
      if (known) return known.page
      const page = writePage(source, topic, cursor, size)
      if (!page.isLast) return page
      if (remembered.size >= MOST_REMEMBERED) remembered.clear()
      remembered.set(key, { topic, page })
      return page
    },
    forget: (topic) => {
      for (const [key, entry] of remembered) if (entry.topic === topic) remembered.delete(key)
    },
  }
}

function writePage(source: FeedSource, topic: string, cursor: number, size: PageSize): Page {
  const events = source.readSince(topic, cursor, size.events)
  const messages: { cursor: number; text: string }[] = []
  let previous = cursor
  let bytes = 0
  for (const event of events) {
    if (!Number.isSafeInteger(event.cursor) || event.cursor <= previous) {
      throw bug('FEED_ORDER', 'events out of order', { topic, got: event.cursor, want: `above ${previous}` })
    }
    previous = event.cursor
    const text = toJson({ event: { topic, cursor: event.cursor, data: event.data } })
    messages.push({ cursor: event.cursor, text })
    bytes += text.length
    if (bytes >= size.bytes) break
  }
  return { messages, isLast: messages.length === events.length && events.length < size.events }
}

/** Live feeds of a watcher (docs/spec.md section 11): topics `alerts`, `blocks`, `exits`, `disputes` and `batches`, all read from rows. */
import type { FeedSource } from '../service/feedPages.ts'
import type { Alarm } from './alarm.ts'
import { JOURNAL_TOPICS, type Journal, type JournalTopic } from './journal.ts'
import { alertBody } from './sinks.ts'

export const FEED_TOPICS = ['alerts', ...JOURNAL_TOPICS] as const

export function createFeedSource(alarm: Alarm, journal: Journal): FeedSource {
  return {
    parseTopic: (topic) => FEED_TOPICS.find((known) => known === topic),
    newest: (topic) => (isJournalTopic(topic) ? journal.newest(topic) : alarm.newestId()),
    readSince: (topic, cursor, limit) => {
      if (isJournalTopic(topic)) return journal.readSince(topic, cursor, limit)
      return alarm.page(cursor, limit).map((alert) => ({ cursor: alert.id, data: alertBody(alert) }))
    },
  }
}

function isJournalTopic(topic: string): topic is JournalTopic {
  return JOURNAL_TOPICS.some((known) => known === topic)
}

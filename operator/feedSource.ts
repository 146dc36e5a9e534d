/** Where the live feed reads (service/feed.ts): the journal's rows, as the events that api/feed.ts promises. */
import { parseAddress } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { FeedSource } from '../service/feedPages.ts'
import type { Journal, JournalEvents } from './journal.ts'
import type { Views } from './views.ts'

const ACCOUNT = 'account:'

export function createFeedSource(journal: Journal, views: Views): FeedSource {
  return {
    parseTopic: (topic) => {
      if (topic === 'blocks') return topic
      if (!topic.startsWith(ACCOUNT)) return undefined
      try {
        return ACCOUNT + parseAddress(topic.slice(ACCOUNT.length))
      } catch (error) {
        if (isLifeboatError(error)) return undefined
        throw error
      }
    },
    newest: (topic) => (topic === 'blocks' ? journal.newestBlockEvent() : journal.newest()),
    readSince: (topic, cursor, limit) => {
      if (topic === 'blocks')
        return views.blockEventsAfter(cursor, limit).map((row) => ({ cursor: row.cursor, data: row.event }))
      const owner = parseAddress(topic.slice(ACCOUNT.length))
      return views.activityAfter(owner, cursor, limit).map((activity) => ({ cursor: activity.cursor, data: activity }))
    },
  }
}

/** The topics that have something new. */
export function topicsOf({ accounts, blocks }: JournalEvents): Set<string> {
  const topics = new Set<string>(accounts.map(({ owner }) => ACCOUNT + owner))
  if (blocks.length > 0) topics.add('blocks')
  return topics
}

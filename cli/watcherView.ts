/** What watchers say of the chain: read for people, believed for warnings only, never for money. */
import { z } from 'zod'
import { decodeAnswer, request } from '../api/http.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { Session } from './walletSession.ts'

const safetySchema = z.looseObject({
  safety: z.looseObject({
    status: z.enum(['safe', 'suspect', 'unsafe']),
    reason: z.string().optional(),
    block: z.int().optional(),
    lastSafeMoment: z.int().optional(),
  }),
})

export type WatcherSafety = Readonly<{ url: string }> &
  Readonly<z.output<typeof safetySchema>['safety'] | { status: 'silent'; reason: string }>

/** Every configured watcher's judgement of the chain; `silent` for one that does not answer. */
export async function readSafety({ config, io }: Pick<Session, 'config' | 'io'>): Promise<WatcherSafety[]> {
  return Promise.all(
    config.watcherUrls.map(async (url) => {
      try {
        const answer = await request(
          { url, timeoutMs: 5_000, signal: io.signal },
          { path: '/v1/status', accept: 'application/json' },
        )
        return { url, ...decodeAnswer(safetySchema, answer, url).safety }
      } catch (error) {
        if (!isLifeboatError(error)) throw error
        return { url, status: 'silent' as const, reason: error.message }
      }
    }),
  )
}

/** The lowest block that any watcher holds for withheld or invalid; undefined when none does. */
export async function findSuspectBlock(session: Pick<Session, 'config' | 'io'>): Promise<number | undefined> {
  const suspects = (await readSafety(session)).flatMap((one) =>
    'block' in one && typeof one.block === 'number' ? [one.block] : [],
  )
  return suspects.length === 0 ? undefined : Math.min(...suspects)
}

const explanationSchema = z.looseObject({ summary: z.array(z.string()) })

export type WatcherAnswer = Readonly<{ url: string; answer: z.output<typeof explanationSchema> }>

/** What a watcher knows of a subject and what follows from it; undefined where no watcher answers. */
export async function askWatchers(
  { config, io }: Pick<Session, 'config' | 'io'>,
  path: string,
): Promise<WatcherAnswer | undefined> {
  for (const url of config.watcherUrls) {
    try {
      const answer = await request({ url, timeoutMs: 10_000, signal: io.signal }, { path, accept: 'application/json' })
      return { url, answer: decodeAnswer(explanationSchema, answer, url) }
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      io.err(`${url}: ${error.message}\n`)
    }
  }
  return undefined
}

/**
 * Feeds the fold from L1 (docs/spec.md, "Reading L1"): pulls the follower's events and folds each in its own transaction. The row is
 * the truth, not the follower: after any failure the follower is made anew from what is stored, so that nothing is skipped or folded
 * twice. An endpoint that lied or fails again and again is put behind the others, and one that shows the past is left for one that shows more.
 */
import type { Cursor, FollowerEvent } from '../l1/cursor.ts'
import type { Follower } from '../l1/follower.ts'
import { decodeRootEvents } from '../l1/rootEvents.ts'
import { isLifeboatError, type LifeboatError } from '../protocol/errors.ts'
import type { Log } from '../service/log.ts'
import type { Alarm } from './alarm.ts'
import { newestOf, readHeads } from './l1Lag.ts'
import type { FoldNotice, RootLog } from './rootLog.ts'

const FAILURES_BEFORE_SWITCH = 5
/** Local clock against the newest L1 block: further in the future than this, one of the two is wrong. Seconds. */
const FUTURE_TOLERANCE_SECONDS = 60
/** Local clock between two looks at an endpoint that was left, to go back to it. Ms. */
const LOOK_BACK_MS = 60_000

export type SeenHead = Readonly<{ number: number; timestamp: number }>

/** One L1 endpoint, seen through the verifying follower. */
export type L1Source = Readonly<{
  name: string
  follow(from: Cursor): Pick<Follower, 'poll' | 'status'>
  /** The newest block that it shows now. Rejects as endpoints do. */
  head(): Promise<SeenHead | undefined>
}>

/** Who did that is not read again by itself. */
const LIES = ['ENDPOINT_LIED', 'ENDPOINTS_DISAGREE', 'FINALITY_BROKEN'] as const

export type L1ReaderOptions = Readonly<{
  /** At least one, best first. */
  sources: readonly L1Source[]
  rootLog: RootLog
  alarm: Alarm
  log: Log
  /** Local clock, ms. */
  now(): number
  /** A head older than this is no fresh one. Undefined: not checked, for chains whose time is moved by hand. Seconds. */
  maxHeadAgeSeconds: number | undefined
  /** A successful poll older than this is no fresh one. Seconds. */
  maxSilenceSeconds: number
  /** Reorgs of at least so many blocks are told. */
  deepReorgBlocks: number
  /** Called after a reorg was folded. */
  onReorg(): void
  /** Called with the place of the source that is read from now on. */
  onSource?(place: number): void
}>

export type L1Pull = Readonly<{ events: number; caughtUp: boolean; error?: unknown }>

export type L1Reader = ReturnType<typeof createL1Reader>

export function createL1Reader(options: L1ReaderOptions) {
  const { sources, rootLog, alarm, log, now, maxHeadAgeSeconds, maxSilenceSeconds, deepReorgBlocks, onReorg } = options
  let current = 0
  /** Places of sources that were left because they were late. */
  const left = new Set<number>()
  let lookedBackAt = Number.NEGATIVE_INFINITY
  let follower: ReturnType<L1Source['follow']> | undefined
  let failures = 0
  let lastGoodPollAt: number | undefined
  let caughtUp = false

  function source(): L1Source {
    return sources[current] as L1Source
  }

  /** What was folded stays: the next follower starts from the rows, and sees by the hashes whether the other chain stands on them. */
  function readFrom(next: number, why: string): void {
    const from = source().name
    current = next % sources.length
    follower = undefined
    caughtUp = false
    log.warn('l1.source.changed', { from, to: source().name, why })
    options.onSource?.(current)
  }

  function fold(event: FollowerEvent): void {
    switch (event.type) {
      case 'block': {
        // In one commit: who dies in between would start from the new rows and never tell.
        rootLog.append(event.block, decodeRootEvents(event.block, event.logs), tell)
        return
      }
      case 'reorg': {
        const { commonAncestor, dropped } = event
        rootLog.rollback(commonAncestor, () => {
          if (dropped.length >= deepReorgBlocks)
            alarm.raise('L1_REORG_DEEP', dropped[0]?.hash ?? '', { blocks: dropped.length, commonAncestor })
        })
        onReorg()
        log.info('l1.reorganised', { commonAncestor, dropped: dropped.length })
        return
      }
      case 'finalised':
        rootLog.finalise(event.block)
    }
  }

  function tell({ block, before, after }: FoldNotice): void {
    alarm.raise('BLOCK_ROOT_CHANGED', `${block} ${after}`, { block, before, after })
  }

  /** Says what an error means; true when the source is to blame. */
  function judge(error: unknown): boolean {
    const code = isLifeboatError(error) ? error.code : ''
    const about = { endpoint: source().name, code, reason: String(error) }
    if (code === 'FINALITY_BROKEN') alarm.raise('L1_FINALITY_BROKEN', source().name, about)
    if (code.startsWith('ENDPOINT_LIED') || code === 'ENDPOINTS_DISAGREE') {
      alarm.raise('L1_ENDPOINT_LIED', source().name, about)
      return true
    }
    log.warn('l1.poll.failed', about)
    return code === 'FINALITY_BROKEN' || failures % FAILURES_BEFORE_SWITCH === 0
  }

  function headAgeSeconds(): number | undefined {
    const head = follower?.status().head
    return head && now() / 1000 - head.timestamp
  }

  function isFresh(): boolean {
    const age = headAgeSeconds()
    if (!caughtUp || age === undefined || lastGoodPollAt === undefined) return false
    if (now() - lastGoodPollAt > maxSilenceSeconds * 1000) return false
    return maxHeadAgeSeconds === undefined || (age <= maxHeadAgeSeconds && age >= -FUTURE_TOLERANCE_SECONDS)
  }

  function isLate({ timestamp }: SeenHead): boolean {
    return maxHeadAgeSeconds !== undefined && now() / 1000 - timestamp > maxHeadAgeSeconds
  }

  /** Tells how old the view is; where it is too old and another source shows more, that one is read from now on. */
  async function heedAge(): Promise<void> {
    const name = source().name
    const silent = lastGoodPollAt !== undefined && now() - lastGoodPollAt > maxSilenceSeconds * 1000
    const head = follower?.status().head
    const age = headAgeSeconds()
    tellClock(age)
    if (!silent && !(head && isLate(head))) {
      alarm.clear('L1_ENDPOINT_LAGS', name)
      return lookBack()
    }
    const other = head && isLate(head) ? await findNewer(head.timestamp) : undefined
    const readsFrom = other === undefined ? name : (sources[other] as L1Source).name
    alarm.raise('L1_ENDPOINT_LAGS', name, { endpoint: name, headAgeSeconds: age, silent, readsFrom })
    if (other === undefined) return
    left.add(current)
    lookedBackAt = now()
    readFrom(other, 'late')
  }

  /** It answers nothing any more; once it shows fresh blocks it is read again. */
  function tellDead(place: number): void {
    const { name } = sources[place] as L1Source
    left.add(place)
    lookedBackAt = now()
    alarm.raise('L1_ENDPOINT_LAGS', name, { endpoint: name, silent: true, readsFrom: source().name })
  }

  function tellClock(age: number | undefined): void {
    if (maxHeadAgeSeconds === undefined || age === undefined) return
    if (age < -FUTURE_TOLERANCE_SECONDS) alarm.raise('CLOCK_WRONG', 'clock', { localBehindSeconds: -age })
    else alarm.clear('CLOCK_WRONG', 'clock')
  }

  /** The place of another source whose head is younger than `timestamp`, seconds. */
  async function findNewer(timestamp: number): Promise<number | undefined> {
    const others = sources.flatMap((_, at) => (at === current ? [] : [at]))
    const newest = newestOf(await readHeads(sources, others), latestCredible())
    return newest && newest.head.timestamp > timestamp ? newest.at : undefined
  }

  function latestCredible(): number {
    return maxHeadAgeSeconds === undefined ? Number.POSITIVE_INFINITY : now() / 1000 + FUTURE_TOLERANCE_SECONDS
  }

  /** Sources that were left and show fresh blocks again are well; the list is best first, so an earlier one is read again. */
  async function lookBack(): Promise<void> {
    if (left.size === 0 || now() - lookedBackAt < LOOK_BACK_MS) return
    lookedBackAt = now()
    const heads = await readHeads(sources, [...left])
    const well = heads.filter(({ head }) => !isLate(head) && head.number >= tip() && head.timestamp <= latestCredible())
    for (const { at } of well) {
      left.delete(at)
      alarm.clear('L1_ENDPOINT_LAGS', (sources[at] as L1Source).name)
    }
    const best = Math.min(...well.map(({ at }) => at))
    if (best < current) readFrom(best, 'it is well again')
  }

  /**
   * Where the next endpoint has not come as far as a block that is to be final, nothing is called final yet, and everything else goes on: an
   * endpoint that stands still must not stop the other.
   */
  async function pollUnconfirmed(from: Pick<Follower, 'poll'>): Promise<readonly FollowerEvent[]> {
    // The first refusal may be of the poll before this one.
    for (let attempt = 1; ; attempt++) {
      try {
        return await from.poll()
      } catch (error) {
        if (!isLifeboatError(error) || error.code !== 'SECOND_ENDPOINT_BEHIND') throw error
        tellUnconfirmed(error)
        if (attempt === 2) return []
      }
    }
  }

  function tellUnconfirmed({ details }: LifeboatError): void {
    const endpoint = String(details['secondEndpoint'])
    const { block } = details
    alarm.raise('L1_ENDPOINT_LAGS', endpoint, { endpoint, lacksFinalBlock: block, readsFrom: source().name })
    const at = sources.findIndex(({ name }) => name === endpoint)
    if (at >= 0 && at !== current) left.add(at)
  }

  function tip(): number {
    return rootLog.now().block
  }

  return {
    /** One poll, folded. Never rejects for the endpoint's faults; rejects for ours (database), after which it starts from the rows. */
    async pull(): Promise<L1Pull> {
      follower ??= source().follow(rootLog.cursor())
      let events: readonly FollowerEvent[]
      try {
        events = await pollUnconfirmed(follower)
      } catch (error) {
        failures++
        caughtUp = false
        const [was, isToBlame] = [current, judge(error)]
        await heedAge()
        follower = undefined
        if (current === was && isToBlame && sources.length > 1) {
          const code = isLifeboatError(error) ? error.code : 'unknown error'
          readFrom(current + 1, code)
          if (!LIES.some((lie) => code.startsWith(lie))) tellDead(was)
        }
        return { events: 0, caughtUp: false, error }
      }
      try {
        for (const event of events) fold(event)
      } catch (error) {
        follower = undefined
        caughtUp = false
        throw error
      }
      failures = 0
      lastGoodPollAt = now()
      const head = follower.status().head
      caughtUp = head !== undefined && head.number <= tip()
      await heedAge()
      return { events: events.length, caughtUp }
    },

    isFresh,

    status() {
      const head = follower?.status().head
      return { source: source().name, caughtUp, fresh: isFresh(), failures, ...(head && { head }) }
    },
  }
}

/**
 * Feeds the fold from L1 (docs/spec.md, "Reading L1"): pulls the follower's events and folds each in its own transaction. The row is
 * the truth, not the follower: after any failure the follower is made anew from what is stored, so that nothing is skipped or folded
 * twice. An endpoint that lied or fails again and again is put behind the others.
 */
import type { Cursor, FollowerEvent } from '../l1/cursor.ts'
import type { Follower } from '../l1/follower.ts'
import { decodeRootEvents } from '../l1/rootContract.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { Log } from '../service/log.ts'
import type { Alarm } from './alarm.ts'
import type { FoldNotice, RootLog } from './rootLog.ts'

const FAILURES_BEFORE_SWITCH = 5
/** Local clock against the newest L1 block: further in the future than this, one of the two is wrong. Seconds. */
const FUTURE_TOLERANCE_SECONDS = 60

/** One L1 endpoint, seen through the verifying follower. */
export type L1Source = Readonly<{ name: string; follow(from: Cursor): Pick<Follower, 'poll' | 'status'> }>

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
}>

export type L1Pull = Readonly<{ events: number; caughtUp: boolean; error?: unknown }>

export type L1Reader = ReturnType<typeof createL1Reader>

export function createL1Reader(options: L1ReaderOptions) {
  const { sources, rootLog, alarm, log, now, maxHeadAgeSeconds, maxSilenceSeconds, deepReorgBlocks, onReorg } = options
  let current = 0
  let follower: ReturnType<L1Source['follow']> | undefined
  let failures = 0
  let lastGoodPollAt: number | undefined
  let caughtUp = false

  function source(): L1Source {
    return sources[current % sources.length] as L1Source
  }

  function fold(event: FollowerEvent): void {
    switch (event.type) {
      case 'block': {
        const notices = rootLog.append(event.block, decodeRootEvents(event.block, event.logs))
        for (const notice of notices) tell(notice)
        return
      }
      case 'reorg': {
        rootLog.rollback(event.commonAncestor)
        onReorg()
        const blocks = event.dropped.length
        log.info('l1.reorganised', { commonAncestor: event.commonAncestor, dropped: blocks })
        if (blocks >= deepReorgBlocks) {
          alarm.raise('L1_REORG_DEEP', event.dropped[0]?.hash ?? '', { blocks, commonAncestor: event.commonAncestor })
        }
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

  function tellAge(): void {
    const name = source().name
    const silent = lastGoodPollAt !== undefined && now() - lastGoodPollAt > maxSilenceSeconds * 1000
    const age = headAgeSeconds()
    const late = age !== undefined && maxHeadAgeSeconds !== undefined && age > maxHeadAgeSeconds
    if (silent || late) alarm.raise('L1_ENDPOINT_LAGS', name, { endpoint: name, headAgeSeconds: age, silent })
    else alarm.clear('L1_ENDPOINT_LAGS', name)
    if (maxHeadAgeSeconds === undefined || age === undefined) return
    if (age < -FUTURE_TOLERANCE_SECONDS) alarm.raise('CLOCK_WRONG', 'clock', { localBehindSeconds: -age })
    else alarm.clear('CLOCK_WRONG', 'clock')
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
        events = await follower.poll()
      } catch (error) {
        failures++
        caughtUp = false
        if (judge(error)) current++
        follower = undefined
        tellAge()
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
      tellAge()
      return { events: events.length, caughtUp }
    },

    isFresh,

    status() {
      const head = follower?.status().head
      return { source: source().name, caughtUp, fresh: isFresh(), failures, ...(head && { head }) }
    },
  }
}

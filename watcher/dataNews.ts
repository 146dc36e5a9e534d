/** What people have to hear about data challenges, with or without a court that acts on them (docs/honest-watcher.md, "Alerts"). */
import type { Alarm } from './alarm.ts'
import type { AlertCode } from './alerts.ts'
import type { DataRecord } from './court/dataTypes.ts'
import { isVoidBlock } from './court/exitTime.ts'
import type { FaultCase } from './court/faults.ts'
import type { DataBook } from './dataBook.ts'
import type { Facts } from './facts.ts'

export type DataNewsParts = Readonly<{
  data: Pick<DataBook, 'open'>
  facts: Pick<Facts, 'l1Now' | 'halt' | 'verifiedBlock' | 'parameters'>
  alarm: Pick<Alarm, 'raise' | 'clear' | 'standing'>
  revealedFault(): FaultCase | undefined
}>

const CODES: ReadonlySet<AlertCode> = new Set(['DATA_CHALLENGED', 'DATA_UNANSWERED'])

type News = Readonly<{ code: AlertCode; key: string; details: Readonly<Record<string, unknown>> }>

/** Level-triggered: told while it lasts, cleared with its cause. One alert for each block. */
export function createDataNews({ data, facts, alarm, revealedFault }: DataNewsParts) {
  let toldFault: string | undefined
  let standing: ReadonlyMap<string, Pick<News, 'code' | 'key'>> = new Map(
    alarm.standing(CODES).map(({ code, subject }) => [`${code} ${subject}`, { code, key: subject }]),
  )

  function newsOf(block: number, records: readonly DataRecord[]): News {
    const { dataResponsePeriod, minExitPeriod } = facts.parameters
    const [oldest] = records as readonly [DataRecord]
    const { startedAt, blockTime, root } = oldest.challenge
    const answerUntil = startedAt + dataResponsePeriod
    const isHeld = block <= facts.verifiedBlock()
    const about = { block, root, ranges: records.length, answerUntil, haltUntil: blockTime + minExitPeriod, isHeld }
    const isOver = facts.l1Now().timestamp > answerUntil
    return { code: isOver ? 'DATA_UNANSWERED' : 'DATA_CHALLENGED', key: String(block), details: about }
  }

  /** A block is known to be invalid before its body is, if an answer on L1 revealed the leaf that makes it so. */
  function tellFault(): void {
    const found = revealedFault()
    if (!found) return
    const { block, fault, header } = found.fault
    if (toldFault !== header.root) alarm.raise('INVALID_BLOCK', String(block), { block, fault })
    toldFault = header.root
  }

  return {
    run(): void {
      tellFault()
      const { voidFrom } = facts.halt()
      const { timestamp } = facts.l1Now()
      const byBlock = new Map<number, DataRecord[]>()
      for (const record of data.open()) {
        const { blockNumber, blockTime } = record.challenge
        const isPast = timestamp > blockTime + facts.parameters.minExitPeriod
        if (isPast || isVoidBlock(blockNumber, voidFrom)) continue
        byBlock.set(blockNumber, [...(byBlock.get(blockNumber) ?? []), record])
      }
      const now = new Map<string, News>()
      for (const [block, records] of byBlock) {
        const news = newsOf(block, records)
        now.set(`${news.code} ${news.key}`, news)
      }
      for (const [id, { code, key, details }] of now) if (!standing.has(id)) alarm.raise(code, key, details)
      for (const [id, { code, key }] of standing) if (!now.has(id)) alarm.clear(code, key)
      standing = now
    },
  }
}

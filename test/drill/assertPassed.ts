import type { DrillRecord } from '../../drill/record.ts'

/** Lines of the timeline that a failure shows. */
const TOLD = 30

/** Throws with the line that plays it again, what did not hold, and what happened last. */
export function assertPassed(record: DrillRecord): void {
  if (record.passed) return
  const fallen = record.findings.filter(({ held }) => !held).map(({ invariant, detail }) => `${invariant}: ${detail}`)
  const last = record.timeline.slice(-TOLD).map(({ at, actor, text }) => `${at.block} ${actor} ${text}`)
  throw new Error([record.reproduce, ...fallen, ...last].join('\n'))
}

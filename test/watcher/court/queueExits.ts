/** Exits in the queue, for tests of its order and of its keeper. */
import type { Exit } from '../../../protocol/exit.ts'
import type { QueueCursor } from '../../../watcher/court/types.ts'
import type { ExitRecord } from '../../../watcher/facts.ts'
import { exitOf, headerOf, MEP, positionOf, recordOf, START } from './world.ts'

export const SPEND = positionOf(20)
export const EMPTY: QueueCursor = { oldHead: 0, oldTail: 0, youngFirst: 0, youngCursor: 0 }
/** Every turn has passed. */
export const PASSED: QueueCursor = { ...EMPTY, oldHead: 9, oldTail: 9 }
export const FINAL = headerOf({ timestamp: START - 2 * MEP })

export type Body = Parameters<typeof recordOf>[1]

/** The seq-th exit of stream A, exitable at START + MEP + seq. */
export function oldExit(seq: number, changes: Partial<Exit> = {}, ...events: Body[]): ExitRecord {
  const position = positionOf(1, seq)
  return recordOf(exitOf({ position, seq, exitableAt: START + MEP + seq, ...changes }), ...events)
}

export function youngExit(block: number, seq: number, exitableAt: number, changes: Partial<Exit> = {}): ExitRecord {
  return recordOf(exitOf({ position: positionOf(block, seq), young: true, seq, exitableAt, ...changes }))
}

/** What the court's decisions about mass exits take (docs/spec.md section 6.4), and the words that they share. */
import type { Address } from '../../protocol/bytes.ts'
import type { BatchFacts, EntryView } from './batchActions.ts'
import type { BatchRecord } from './batchTypes.ts'
import type { L1Readings, World } from './types.ts'

/** Calls of one kind for one batch in one tick. */
export const CALLS_AT_ONCE = 4

export type BatchInput = Readonly<{
  batches: readonly BatchFacts[]
  /** Owners whom we act for beyond the protected ones: who gave us a mandate, and after a halt everybody whom we know. */
  trusts(owner: Address): boolean
  /** Child blocks with young exits in the queue, ascending. */
  youngBlocks: readonly number[]
  /** Open exits of owners whom we act for: what waits on the line behind a share. */
  waiting: readonly Readonly<{ token: Address; from: bigint | undefined; due: bigint }>[]
  /** Absent while L1 can't be read: strikes and answers are still given. */
  readings: L1Readings | undefined
  world: World
}>

/** We are its coordinator. */
export function isOurs({ batch }: BatchRecord, { policy }: World): boolean {
  return batch.coordinator === policy.sender
}

/** The output is of somebody whom we act for. */
export function isHelped({ owner }: EntryView, { trusts, world }: Pick<BatchInput, 'trusts' | 'world'>): boolean {
  return owner !== undefined && (world.protectedOwners.has(owner) || trusts(owner))
}

export function chunksOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

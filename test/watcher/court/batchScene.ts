import type { Address } from '../../../protocol/bytes.ts'
import { bytesToHex } from '../../../protocol/bytes.ts'
import { type Batch, batchDeadlines, entryTree, hashBatch, placeEntries } from '../../../protocol/massExit.ts'
import { planBatchActs } from '../../../watcher/court/batch.ts'
import type { BatchAction, BatchFacts, EntryView } from '../../../watcher/court/batchActions.ts'
import type { BatchInput } from '../../../watcher/court/batchInput.ts'
import { type BatchEvent, foldBatch } from '../../../watcher/court/batchTypes.ts'
import type { Effect, World } from '../../../watcher/court/types.ts'
import {
  ALICE,
  ETH,
  ETHER,
  exitOf,
  hashOf,
  MALLORY,
  MEP,
  positionOf,
  RIVAL,
  readingsOf,
  START,
  START_BLOCK,
  spendOf,
  WATCHER,
} from './world.ts'

export const COUNT = 5
export const entries = placeEntries(
  Array.from({ length: COUNT }, (_, i) => ({ position: positionOf(10, i), amount: ETHER })),
)
export const tree = entryTree(entries)
export const deadlines = batchDeadlines(START, MEP)

export function batchBy(coordinator: Address): Batch {
  return {
    root: bytesToHex(tree.root),
    count: COUNT,
    token: ETH,
    total: BigInt(COUNT) * ETHER,
    last: positionOf(10, COUNT - 1),
    madeAt: START - 5 * MEP,
    startedAt: START,
    coordinator,
    bond: ETHER,
  }
}

export type EventBody = BatchEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never
export const at = (elapsed: number) => ({
  l1Block: START_BLOCK + elapsed,
  l1Timestamp: START + elapsed,
  logIndex: 0,
  txHash: hashOf(elapsed),
})

export const LOCK_TIME = START + MEP / 4 + 1
export const item = exitOf({
  owner: ETH,
  outputId: hashBatch(batchBy(WATCHER)),
  startedAt: LOCK_TIME,
  exitableAt: LOCK_TIME + MEP,
  lockedAt: START_BLOCK + MEP / 4 + 1,
})
export const locked = { type: 'BatchLocked', item } as const satisfies EventBody
export const turned = { type: 'ExitPostponed', from: 0n, due: BigInt(COUNT) * ETHER } as const satisfies EventBody
export const demanded = (index: number, demander: Address = MALLORY): EventBody => {
  return { type: 'EntryDemanded', index, position: positionOf(10, index), demander, bond: ETHER / 100n }
}
export const struck = (index: number, signer: Address): EventBody => {
  return { type: 'EntryStruck', position: positionOf(10, index), spend: positionOf(20), signer, challenger: RIVAL }
}
export const AFTER = LOCK_TIME - START + MEP + 10

export function entryOf(index: number, changes: Partial<EntryView> = {}): EntryView {
  return { entry: entries[index]!, kind: 'named', owner: ALICE, outputId: hashOf(index + 1), ...changes }
}

export function factsOf(
  coordinator: Address,
  concerns: readonly EntryView[],
  bodies: readonly EventBody[] = [],
  changes: Partial<BatchFacts> = {},
): BatchFacts {
  const batch = batchBy(coordinator)
  const events = [{ type: 'BatchStarted', batchId: hashBatch(batch), batch } as const, ...bodies]
  const record = foldBatch(events.map((body, i) => ({ ...body, at: at(i) }) as BatchEvent))!
  return {
    record,
    tree: () => tree,
    entryAt: (index) => entryOf(index),
    shown: () => ({ kind: 'deposit', owner: ALICE, token: ETH, amount: ETHER }),
    permission: () => undefined,
    concerns,
    ...changes,
  }
}

export const readings = { ...readingsOf(), funded: new Map([[ETH, 100n * ETHER]]) }

export function plan(facts: BatchFacts, world: World, changes: Partial<BatchInput> = {}): readonly Effect[] {
  return planBatchActs({
    batches: [facts],
    trusts: () => false,
    youngBlocks: [],
    waiting: [],
    readings,
    world,
    ...changes,
  })
}

export const typesOf = (effects: readonly Effect[]) =>
  effects.map((effect) => (effect.type === 'alert' ? effect.code : effect.type))
export const only = <T extends BatchAction['type']>(effects: readonly Effect[], type: T) =>
  effects.find((effect): effect is Extract<BatchAction, { type: T }> => effect.type === type)

/** The payment of block 20 that spends an entry's output. */
export const spend = (index: number) => spendOf(exitOf({ position: positionOf(10, index) }))

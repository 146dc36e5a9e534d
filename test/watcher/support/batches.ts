/** Mass exits by hand: what the root contract would say about a batch, in the L1 block mined next. */
import type { RootEventBody } from '../../../l1/rootEvents.ts'
import { type Address, bytesToHex, ZERO_ADDRESS, ZERO_HASH } from '../../../protocol/bytes.ts'
import { type Exit, maturityOf } from '../../../protocol/exit.ts'
import {
  type Batch,
  type Entry,
  entryTree,
  hashBatch,
  itemBond,
  itemPosition,
  type PlacedEntry,
  placeEntries,
} from '../../../protocol/massExit.ts'
import { type Actor, ETH, mallory } from './chain.ts'
import { PARAMETERS } from './core.ts'
import type { FakeL1 } from './l1.ts'

const MEP = PARAMETERS.minExitPeriod

export type BatchStarted = Extract<RootEventBody, { type: 'BatchStarted' }>
export type BatchLocked = Extract<RootEventBody, { type: 'BatchLocked' }>

/** `madeAt`: time of the block of the last position; left out for block 0. */
export function batchOf(
  l1: FakeL1,
  entries: readonly Entry[],
  { coordinator = mallory, token = ETH, madeAt = 0 }: { coordinator?: Actor; token?: Address; madeAt?: number } = {},
): BatchStarted {
  const placed = placeEntries(entries)
  const { position, amount, before } = placed.at(-1) as PlacedEntry
  const batch: Batch = {
    root: bytesToHex(entryTree(placed).root),
    count: placed.length,
    token,
    total: before + amount,
    last: position,
    madeAt,
    startedAt: l1.now() + 12,
    coordinator: coordinator.address,
    bond: 10n ** 18n,
  }
  return { type: 'BatchStarted', batchId: hashBatch(batch), batch, entries }
}

/** Locked in the L1 block mined next, `seconds` after the tip; `seq`: its place in its stream. */
export function lockOf(l1: FakeL1, { batchId, batch }: BatchStarted, seq = 0, seconds = 12): BatchLocked {
  const startedAt = l1.now() + seconds
  const item: Exit = {
    outputId: batchId,
    position: itemPosition(batch.last),
    owner: ZERO_ADDRESS,
    token: batch.token,
    amount: batch.total,
    ...maturityOf(startedAt, MEP, batch.madeAt || undefined),
    seq,
    startedAt,
    lockedAt: l1.tip().number + 1,
    payer: batch.coordinator,
    bond: itemBond(batch.bond, batch.count),
    disputed: ZERO_HASH,
  }
  return { type: 'BatchLocked', batchId, item }
}

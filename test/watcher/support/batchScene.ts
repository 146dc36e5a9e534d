/** A watcher's books on two deposits and a mass exit of both, and what keeps books stable: nothing but L1 is in them. */
import * as assert from 'uvu/assert'
import type { Exit } from '../../../protocol/exit.ts'
import { placeEntries } from '../../../protocol/massExit.ts'
import { rebuild } from '../../../watcher/rebuild.ts'
import { batchOf, lockOf } from './batches.ts'
import {
  alice,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  makeBlock,
  pay,
  SEPARATOR,
  submitted,
} from './chain.ts'
import { createTestCore, dump, fresh, openStore } from './core.ts'
import { createFakeL1, type FakeL1 } from './l1.ts'

export const [D0, D1, D2] = [depositPosition(0, 0), depositPosition(0, 1), depositPosition(0, 2)]

/** The two deposits are on L1, which a watcher follows. */
export function createScene() {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const db = openStore()
  const core = createTestCore({ l1, peers: [operator.peer], db })
  l1.mine([deposited(D0, alice, 100n), deposited(D1, bob, 50n)])
  return { l1, operator, core, db }
}

/** A batch of the two deposits, started and locked. */
export function createLocked() {
  const scene = createScene()
  const { l1 } = scene
  const start = batchOf(l1, [
    { position: D0, amount: 100n },
    { position: D1, amount: 50n },
  ])
  l1.mine([start])
  const lock = lockOf(l1, start)
  l1.mine([lock])
  return { ...scene, start, lock, entries: placeEntries(start.entries), batchId: start.batchId, item: lock.item }
}

/** Alice's exit of the deposit that the batch names first, started in the L1 block mined next and queued behind the batch's item. */
export function exitOfD0(l1: FakeL1): Exit {
  const [lockedAt, startedAt] = [l1.tip().number + 1, l1.now() + 12]
  return exitOf({ position: D0, owner: alice, amount: 100n, lockedAt, startedAt, seq: 1 })
}

/** The same from L1 alone: another watcher that starts now, and this one's tables folded again. */
export async function assertStable({ l1, operator, core, db }: ReturnType<typeof createScene>) {
  const before = dump(db)
  assert.equal(before, await fresh({ l1, operator }))
  rebuild(db, SEPARATOR)
  const again = createTestCore({ l1, peers: [operator.peer], db })
  await again.tick()
  await again.tick()
  assert.equal(dump(db), before)
  core.log.assertNoErrors()
}

/** A block, submitted to L1, that spends a deposit of Alice, 100 wei. */
export function spendIn(l1: FakeL1, number: number, anchor: number, from: number) {
  const block = makeBlock(number, anchor, [pay(alice, from, [[carol, 100n]])])
  l1.mine([submitted([block], l1.now() + 12)])
  return block
}

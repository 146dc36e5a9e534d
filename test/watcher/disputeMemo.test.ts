/** Which disputes a watcher still looks at (watcher/driverDisputes.ts): an old verdict matters while something of ours is on the line behind what it passed on. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../protocol/bytes.ts'
import { createMemoryLog } from '../../service/log.ts'
import { createDisputeMemo } from '../../watcher/driverDisputes.ts'
import type { ExitRecord, Facts } from '../../watcher/facts.ts'
import {
  ALICE,
  BOB,
  decided,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  postponed,
  recordOf,
  START_BLOCK,
  TKN,
} from './court/world.ts'

const test = suite('dispute memo')
const old = disputeFactsOf({}, decided('canonical'))
const LONG_AFTER = START_BLOCK + 100_000

type Shared = Readonly<{ token: Address; used: number; isPlaced: boolean }>

function look(exits: readonly ExitRecord[], shared: readonly Shared[] = [], sinceL1Block = LONG_AFTER) {
  const facts = {
    disputes: () => [old],
    disputeFacts: () => old,
    lockedBatches: () =>
      shared.map(({ token, used, isPlaced }) => ({
        batch: { token, count: 2 },
        uses: new Map(Array.from({ length: used }, (_, i) => [i, 'claimed'])),
        ...(isPlaced && { ticket: { from: ETHER, due: ETHER } }),
      })),
    spentBy: () => undefined,
    header: () => undefined,
    verifiedBlock: () => 50,
  } as unknown as Facts
  const memo = createDisputeMemo({ facts, log: createMemoryLog().log })
  return memo.look({ exits, protectedOwners: new Set([ALICE]), sinceL1Block }).found.length
}

test('an old verdict among strangers is looked at no more, a young one is', () => {
  assert.is(look([]), 0)
  assert.is(look([], [], START_BLOCK), 1)
})

test('it is while a ticket of ours is on the line of its inputs', () => {
  const ticket = (owner: Address, token: Address) => recordOf(exitOf({ owner, token }), postponed(0n, ETHER))
  assert.is(look([ticket(ALICE, ETH)]), 1)
  assert.is(look([ticket(BOB, ETH)]), 0)
  assert.is(look([ticket(ALICE, TKN)]), 0)
})

test('it is while a mass exit has shares there that nobody used', () => {
  assert.is(look([], [{ token: ETH, used: 1, isPlaced: true }]), 1)
  assert.is(look([], [{ token: ETH, used: 2, isPlaced: true }]), 0)
  assert.is(look([], [{ token: ETH, used: 0, isPlaced: false }]), 0)
  assert.is(look([], [{ token: TKN, used: 0, isPlaced: true }]), 0)
})

test.run()

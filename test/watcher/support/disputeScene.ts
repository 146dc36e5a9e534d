/** A watcher's books on one payment in flight, and its dispute. */
import type { SignedTransaction } from '../../../protocol/transaction.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  hashOf,
  makeBlock,
  pay,
  submitted,
} from './chain.ts'
import { createTestCore } from './core.ts'
import { type DisputeStarted, disputeOf } from './disputes.ts'
import { createFakeL1 } from './l1.ts'

const D0 = depositPosition(0, 0)

/** Alice's deposit was paid to Bob in block 1; Bob signed `inFlight`, which pays Carol 60 and Bob 40, and nobody knows where it is. */
export async function createScene() {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const core = createTestCore({ l1, peers: [operator.peer] })
  const submit = (number: number, anchor: number, transactions: readonly SignedTransaction[]) => {
    const block = makeBlock(number, anchor, transactions)
    operator.serve(block)
    return l1.mine([submitted([block], l1.now() + 12)])
  }
  l1.mine([deposited(D0, alice, 100n)])
  const payment = pay(alice, D0, [[bob, 100n]])
  const blockTime = submit(1, 1, [payment]).timestamp
  await core.tick()
  const inFlight = pay(bob, at(1, 0), [
    [carol, 60n],
    [bob, 40n],
  ])
  const spent = { owner: bob, amount: 100n, made: payment, blockTime }
  const event = (starter = bob) => disputeOf(l1, inFlight, [spent], starter)
  const start = (): DisputeStarted => {
    const dispute = event()
    l1.mine([dispute])
    return dispute
  }
  const lockOf = (position: number) => core.ledger.find(position)?.lockedAt
  return { l1, operator, core, submit, payment, inFlight, txHash: hashOf(inFlight), event, start, lockOf }
}

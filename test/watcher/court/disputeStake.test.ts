/** Whom a verdict matters to: who stands behind a place that only the verdict frees, and who waits for a dispute that waits for another. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address, Hash } from '../../../protocol/bytes.ts'
import { createOutput } from '../../../protocol/transaction.ts'
import type { BatchRecord } from '../../../watcher/court/batchTypes.ts'
import { disputesAtStake } from '../../../watcher/court/disputeStake.ts'
import type { DisputeFacts, ExitRecord } from '../../../watcher/facts.ts'
import {
  ALICE,
  BOB,
  decided,
  disputedExitOf,
  disputeFactsOf,
  ETH,
  ETHER,
  exitOf,
  hashOf,
  MEP,
  positionOf,
  postponed,
  recordOf,
  T,
  TKN,
  withDisputes,
  worldAt,
} from './world.ts'

const test = suite('disputes at stake')
/** The disputed place is the first ether of the line. */
const held = recordOf(disputedExitOf(0), postponed(0n, ETHER))
const holding = disputeFactsOf({ exits: [held] })

type Setup = { openExits?: readonly ExitRecord[]; ourBatches?: readonly BatchRecord[]; funded?: bigint | null }

function atStake(disputes: readonly DisputeFacts[], { openExits = [], ourBatches, funded = ETHER }: Setup = {}) {
  return [
    ...disputesAtStake({
      disputes,
      invalidExits: new Set(),
      openExits,
      ourBatches,
      funded: funded === null ? undefined : new Map([[ETH, funded]]),
      world: withDisputes(worldAt(MEP + 1), ...disputes),
    }),
  ]
}

function ticketAt(from: bigint, owner: Address = ALICE, token: Address = ETH): ExitRecord {
  return recordOf(exitOf({ position: positionOf(40), owner, token }), postponed(from, ETHER))
}

function batchAt(from: bigint, token: Address = ETH): BatchRecord {
  const batch = { root: hashOf(1), count: 1, token, total: ETHER, last: 0, madeAt: 0, startedAt: 0 }
  const events = {
    uses: new Map(),
    strikes: new Map(),
    demands: new Map(),
    openDemands: 0,
    strikesPaid: 0n,
    events: [],
  }
  const ticket = { from, due: ETHER }
  return {
    ...events,
    batchId: hashOf(2),
    state: 'locked',
    batch: { ...batch, coordinator: BOB, bond: 0n },
    ticket,
  } as unknown as BatchRecord
}

test('strangers dispute, and nothing of ours is behind: not ours to decide', () => {
  assert.equal(atStake([holding]), [])
  assert.equal(atStake([holding], { openExits: [ticketAt(0n)] }), [], 'ours has its place before it')
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER, BOB)] }), [], 'a stranger is behind')
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER, ALICE, TKN)] }), [], 'another line')
  assert.equal(atStake([holding], { openExits: [recordOf(exitOf({ owner: ALICE }))] }), [], 'ours has no place yet')
})

test('a ticket or a mass exit of ours is short behind the place that it holds', () => {
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER)] }), [T])
  assert.equal(atStake([holding], { ourBatches: [batchAt(ETHER)] }), [T])
  assert.equal(atStake([holding], { ourBatches: [batchAt(ETHER, TKN)] }), [])
  const input = recordOf(exitOf(), postponed(0n, ETHER))
  assert.equal(atStake([disputeFactsOf({ inputExits: [input] })], { openExits: [ticketAt(ETHER)] }), [T])
})

test('what is covered, or can’t be told to be short, waits for nobody', () => {
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER)], funded: 2n * ETHER - 1n }), [T])
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER)], funded: 2n * ETHER }), [])
  assert.equal(atStake([holding], { openExits: [ticketAt(ETHER)], funded: null }), [])
})

test('an exit that is queued still, or a dispute that is over, holds nobody up', () => {
  const queued = disputeFactsOf({ exits: [recordOf(disputedExitOf(0))] })
  assert.equal(atStake([queued], { openExits: [ticketAt(ETHER)] }), [])
  const over = disputeFactsOf({ exits: [held] }, decided('canonical'))
  assert.equal(atStake([over], { openExits: [ticketAt(ETHER)] }), [])
})

test('a verdict that waits for those about its inputs’ makers wants all of them', () => {
  const chain = (hash: Hash, madeBy: Hash, owner: Address = BOB) =>
    disputeFactsOf({ txHash: hash, inputs: [{ madeBy }], outputs: [createOutput(owner, ETH, ETHER)] })
  const [first, second, other] = [hashOf(0xa1), hashOf(0xa2), hashOf(0xa3)]
  const disputes = [chain(first, hashOf(0)), chain(second, first), chain(T, second, ALICE), chain(other, second)]
  assert.equal(atStake(disputes).sort(), [T, first, second].sort())
  assert.equal(atStake([chain(T, second, ALICE), chain(second, T)]).sort(), [T, second].sort(), 'a circle ends')
  assert.equal(atStake(disputes.slice(0, 2)), [])
})

test.run()

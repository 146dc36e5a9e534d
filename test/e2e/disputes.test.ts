/**
 * Disputes against a running network: nobody moves a hand but the cheat, and the watcher that has to notice. Each story ends with the
 * verdict that the blocks demand, and with the alert that a person would have read.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createClient } from '../../api/client.ts'
import { createHostile, type Hostile } from '../../drill/faults/operator.ts'
import {
  encodeDecide,
  encodeShowCompetitor,
  encodeStartDispute,
  encodeStartDisputedExits,
  type InputShown,
} from '../../l1/disputeCalls.ts'
import type { StartedDispute } from '../../l1/rootEvents.ts'
import { answerDeadline, competitorDeadline } from '../../protocol/dispute.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { Account } from '../../wallet/account.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import { bondOf, exitOf, send, startPoorWatcher, untilAlert } from './acts.ts'
import { ETH, ETHER, inWorld, type RunningWatcher, until, type World } from './world.ts'

const test = suite('story: disputes')
/** L1 blocks four times a second: nothing here is measured by a clock on the wall. */
const FAST = { l1BlockSeconds: 0.25 }

async function startDispute(
  world: World,
  by: Account,
  [signed, inputs]: readonly [SignedTransaction, readonly InputShown[]],
): Promise<StartedDispute> {
  const events = await send(world, by, encodeStartDispute({ signed, inputs, exits: [], bondWei: bondOf(400_000n) }))
  const found = events.find((event) => event.type === 'DisputeStarted')
  if (found?.type !== 'DisputeStarted') throw new Error('no dispute started')
  return found
}

const depositOf = (owner: Account): InputShown => ({ deposit: { owner: owner.address, token: ETH, amount: ETHER } })

async function verdictOf(world: World, { dispute }: StartedDispute, watcher: RunningWatcher) {
  await world.passTo(dispute.exitableAt)
  return until('the verdict', () => {
    const state = watcher.watcher.core.facts.disputeFacts(dispute.txHash)?.state
    return state !== undefined && state !== 'running' && state
  })
}

/** Alice's deposit, and her payment of it to Bob as the wallet makes it: in a block on L1. */
async function paidToBob(world: World, hostile: Hostile) {
  const alice = world.accountOf('alice')
  const position = await world.fund('alice', ETHER)
  const paid = await world.pay('alice', 'bob', ETHER)
  const status = await createClient({ url: world.operator.url }).transaction(paid.txHash)
  if (!status) throw new Error('the operator does not know the payment')
  const { transaction, witnesses } = status
  const signed = { transaction, witnesses }
  const rival = hostile.sign([alice], [position], [[world.accountOf('mallory'), ETHER]])
  return { alice, position, paid, signed, rival }
}

test(
  'a double spend that nobody included is shown against an included payment: the watcher answers, and the payment stands',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { alice, signed, rival } = await paidToBob(world, hostile)
    const bob = world.accountOf('bob')
    const mandate = await giveMandate(await world.wallet('bob'), { delegate: world.accountOf('first').address })
    const watcher = await world.startWatcher('first', { protectedAccounts: [{ owner: bob.address, ...mandate }] })
    const started = await startDispute(world, alice, [signed, [depositOf(alice)]])
    await untilAlert(watcher, 'DISPUTE_STARTED')
    await send(world, alice, encodeShowCompetitor(started, { signed: rival, input: 0, spends: 0 }))
    await untilAlert(watcher, 'COMPETITOR_FALSE')
    await until(
      'the answer',
      () => watcher.watcher.core.facts.disputeFacts(started.dispute.txHash)?.answers.length === 1,
    )
    assert.is(await verdictOf(world, started, watcher), 'canonical')
    assert.not(watcher.codes().includes('DISPUTE_OUTCOME_UNKNOWN'))
  }),
)

test(
  'a double spend is disputed although its rival is included: the watcher shows the rival, and the double spend falls',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { alice, rival } = await paidToBob(world, hostile)
    const watcher = await world.startWatcher('first')
    await until('the payment is verified', () => watcher.watcher.core.facts.verifiedBlock() > 0)
    const started = await startDispute(world, alice, [rival, [depositOf(alice)]])
    await untilAlert(watcher, 'DISPUTE_NOT_CANONICAL')
    await until(
      'the competitor',
      () => watcher.watcher.core.facts.disputeFacts(started.dispute.txHash)?.competitors.length === 1,
    )
    await world.passTo(started.dispute.exitableAt)
    // Nobody whom the watcher protects waits for this one: its starter asks.
    await send(world, alice, encodeDecide(started))
    assert.is(await verdictOf(world, started, watcher), 'not-canonical')
  }),
)

test(
  'an output that was spent leaves through a dispute: the watcher shows the spend, and the thief is not paid',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { alice, signed } = await paidToBob(world, hostile)
    const bob = world.accountOf('bob')
    await world.pay('bob', 'carol', ETHER)
    const watcher = await world.startWatcher('first')
    const started = await startDispute(world, alice, [signed, [depositOf(alice)]])
    const call = encodeStartDisputedExits({
      dispute: started.dispute,
      transaction: signed.transaction,
      outputs: [0],
      bondWei: bondOf(500_000n),
    })
    const theft = exitOf(await send(world, bob, call))
    await untilAlert(watcher, 'DISPUTED_EXIT_INVALID')
    await until('the evidence', () => watcher.watcher.core.facts.exitFacts(theft.outputId)?.evidence.length === 1)
    const before = await world.etherOf(bob)
    await verdictOf(world, started, watcher)
    await world.passTo(theft.exitableAt)
    await processDue(await world.wallet('carol'), 'theft')
    await until('the turn', () => watcher.watcher.core.facts.exitFacts(theft.outputId)?.state !== 'queued')
    assert.is(await world.etherOf(bob), before)
  }),
)

test(
  'a payment that the operator holds back is disputed: the watcher takes its protected payee out through the dispute',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const [alice, bob] = [world.accountOf('alice'), world.accountOf('bob')]
    const position = await world.fund('alice', ETHER)
    const mandate = await giveMandate(await world.wallet('bob'), { delegate: world.accountOf('first').address })
    const watcher = await world.startWatcher('first', { protectedAccounts: [{ owner: bob.address, ...mandate }] })
    await hostile.takeOver()
    const signed = hostile.sign([alice], [position], [[bob, ETHER]])
    const started = await startDispute(world, alice, [signed, [depositOf(alice)]])
    const exit = await until('the exit through the dispute', () => {
      const outputs = watcher.watcher.core.facts.disputeFacts(started.dispute.txHash)?.outputs
      return outputs?.[0]?.exit
    })
    assert.is(exit.exit.owner, bob.address)
    const before = await world.etherOf(bob)
    assert.is(await verdictOf(world, started, watcher), 'canonical')
    await world.passTo(exit.exit.exitableAt)
    await until('the payment', () => watcher.watcher.core.facts.exitFacts(exit.exit.outputId)?.state === 'settled')
    assert.is((await world.etherOf(bob)) - before, ETHER)
  }),
)

test(
  'a watcher that cannot act tells what nobody does: the rival that is not shown, and the wrong verdict that follows',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { alice, rival } = await paidToBob(world, hostile)
    const watcher = await startPoorWatcher(world)
    const started = await startDispute(world, alice, [rival, [depositOf(alice)]])
    await untilAlert(watcher, 'DISPUTE_NOT_CANONICAL')
    await world.passTo(competitorDeadline(started.dispute.exitableAt, world.parameters.minExitPeriod) - 10)
    await untilAlert(watcher, 'DISPUTE_UNCHALLENGED')
    await world.passTo(started.dispute.exitableAt)
    await send(world, alice, encodeDecide(started))
    await untilAlert(watcher, 'DISPUTE_OUTCOME_UNKNOWN')
  }),
)

test(
  'a watcher that cannot act tells what nobody does: the answer, and the evidence against a theft through a dispute',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const { alice, signed, rival } = await paidToBob(world, hostile)
    await world.pay('bob', 'carol', ETHER)
    const watcher = await startPoorWatcher(world)
    const started = await startDispute(world, alice, [signed, [depositOf(alice)]])
    const { dispute } = started
    const call = encodeStartDisputedExits({
      dispute,
      transaction: signed.transaction,
      outputs: [0],
      bondWei: bondOf(500_000n),
    })
    await send(world, world.accountOf('bob'), call)
    await send(world, alice, encodeShowCompetitor(started, { signed: rival, input: 0, spends: 0 }))
    await untilAlert(watcher, 'COMPETITOR_FALSE')
    await untilAlert(watcher, 'DISPUTED_EXIT_INVALID')
    await world.passTo(answerDeadline(dispute.exitableAt, world.parameters.minExitPeriod) - 10)
    await untilAlert(watcher, 'COMPETITOR_UNANSWERED')
    await untilAlert(watcher, 'DISPUTED_EXIT_UNCHALLENGED')
  }),
)

test(
  'a protected payee whose mandate does not cover an exit through a dispute is told to leave by hand',
  inWorld(FAST, async (world) => {
    const hostile = await createHostile(world)
    const [alice, bob] = [world.accountOf('alice'), world.accountOf('bob')]
    const position = await world.fund('alice', ETHER)
    const delegate = world.accountOf('first').address
    const mandate = await giveMandate(await world.wallet('bob'), { delegate, minAmount: 2n * ETHER })
    const watcher = await world.startWatcher('first', { protectedAccounts: [{ owner: bob.address, ...mandate }] })
    await hostile.takeOver()
    const signed = hostile.sign([alice], [position], [[bob, ETHER]])
    await startDispute(world, alice, [signed, [depositOf(alice)]])
    await untilAlert(watcher, 'DISPUTE_EXIT_AVAILABLE')
  }),
)

test.run()

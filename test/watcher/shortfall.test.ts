/** A block that was hidden until the exit of what it spends can't be challenged any more: the vault is short, and who is protected leaves. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { createTestCore, PARAMETERS } from './support/core.ts'
import { decided, disputeOf } from './support/disputes.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: a vault that is short')
const MEP = PARAMETERS.minExitPeriod
const [D0, D1] = [depositPosition(0, 0), depositPosition(0, 1)]
const LIMITS = { ...defaultLimits(PARAMETERS), graceSeconds: 600, suspectSeconds: 20, minimumObservedSeconds: 60 }

/** Mallory was paid in block 1, spent it in block 2, which stays hidden, and exits it. */
function createScene() {
  const l1 = createFakeL1()
  const peer = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n), deposited(D1, carol, 50n)])
  l1.mine()
  const paid = pay(alice, D0, [[mallory, 100n]])
  const spend = pay(mallory, at(1, 0), [[bob, 100n]])
  const blocks = [makeBlock(1, 1, [paid]), makeBlock(2, 2, [spend])]
  l1.mine([submitted(blocks, l1.now() + 12)])
  peer.serve(blocks[0]!)
  const exit = exitOf({
    position: at(1, 0),
    owner: mallory,
    amount: 100n,
    signed: paid,
    lockedAt: l1.tip().number + 1,
    startedAt: l1.now() + 12,
  })
  l1.mine([{ type: 'ExitStarted', exit }])
  const core = createTestCore({ l1, peers: [peer.peer], overrides: { limits: LIMITS } })
  const until = exit.exitableAt - Math.floor(MEP / 4)
  return {
    l1,
    core,
    exit,
    spend,
    until,
    /** The block comes into the open, in an L1 block of this time. */
    async revealAt(timestamp: number, events: readonly RootEventBody[] = []): Promise<void> {
      await core.tick()
      l1.mine(events, timestamp - l1.now())
      peer.serve(blocks[1]!)
      await core.tick()
    },
    async mineAt(timestamp: number, ...events: RootEventBody[]): Promise<void> {
      l1.mine(events, timestamp - l1.now())
      await core.tick()
    },
  }
}

test('a block that comes in the last second for evidence leaves nothing short', async () => {
  const { core, revealAt, until } = createScene()
  await revealAt(until)
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
  assert.not(core.codes().includes('VAULT_SHORT'))
})

test('a second later the exit can’t be challenged any more: the chain is unsafe, and people are told', async () => {
  const { core, revealAt, until, exit } = createScene()
  await revealAt(until + 1)
  assert.is(core.facts.verifiedBlock(), 2)
  const safety = { status: 'unsafe', reason: 'short', block: 3, since: until, outputId: exit.outputId, missing: 100n }
  assert.equal(core.facts.safety(), safety)
  assert.is(core.codes().filter((code) => code === 'VAULT_SHORT').length, 1)
})

test('it stays short when the exit is paid, and does not become so by one that was removed', async () => {
  const { core, revealAt, mineAt, until, exit } = createScene()
  const { outputId } = exit
  await revealAt(until + 1)
  await mineAt(exit.exitableAt + 12, { type: 'ExitPaid', outputId, amount: 100n })
  assert.is(core.facts.safety().reason, 'short')
  const other = createScene()
  await other.revealAt(other.until + 1)
  await other.mineAt(other.exit.exitableAt, { type: 'ExitRemoved', outputId, reason: 'invalid' })
  assert.equal(other.core.facts.safety(), { status: 'safe', reason: 'verified' })
})

test('evidence that stands, whoever showed it, keeps the vault whole', async () => {
  const { core, revealAt, until, exit } = createScene()
  const shown = { type: 'EvidenceShown', outputId: exit.outputId, spend: at(2, 0), place: 0, challenger: carol.address }
  await revealAt(until + 1, [{ ...shown, reward: 0n } as RootEventBody])
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
})

test('an exit that a dispute holds is not lost before the verdict, nor after the one that cancels it', async () => {
  const { core, l1, revealAt, mineAt, until, spend } = createScene()
  const paid = { owner: mallory, amount: 100n, made: pay(alice, D0, [[mallory, 100n]]), blockTime: l1.now() }
  const dispute = disputeOf(l1, spend, [{ ...paid, lockedAt: l1.tip().number }], bob)
  await mineAt(l1.now() + 12, dispute)
  await revealAt(until + 1)
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
  await mineAt(dispute.dispute.exitableAt + 12, decided(dispute.dispute.txHash, 'canonical'))
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
})

test('after a move of the halt there is time for evidence again', async () => {
  const { core, revealAt, mineAt, until } = createScene()
  await revealAt(until + 1)
  assert.is(core.facts.safety().reason, 'short')
  await mineAt(until + 30, { type: 'HaltMoved', voidFrom: 3, isMove: true })
  assert.equal(core.facts.safety(), { status: 'unsafe', reason: 'halted', block: 3, since: until + 30 })
})

test('a halt takes back what void blocks spent, a reorg of it brings it again, and nobody is asked for void blocks', async () => {
  const { core, l1, revealAt, mineAt, until } = createScene()
  await revealAt(until)
  assert.is(core.facts.spentBy(at(1, 0)), at(2, 0))
  await mineAt(until + 12, { type: 'HaltMoved', voidFrom: 2, isMove: true })
  assert.is(core.facts.verifiedBlock(), 1)
  assert.is(core.facts.blockState(2), 'void')
  assert.is(core.facts.spentBy(at(1, 0)), undefined)
  assert.equal(core.facts.safety(), { status: 'unsafe', reason: 'halted', block: 2, since: until + 12 })
  assert.equal(core.ledger.unspentOf(bob.address, -1, 5), [])
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 2)
  assert.is(core.facts.spentBy(at(1, 0)), at(2, 0))
  assert.is(core.facts.halt().voidFrom, 0)
})

test('a close voids nothing: what is verified stays, and the chain is over without hurry', async () => {
  const { core, revealAt, mineAt, until, l1 } = createScene()
  await revealAt(until - 100)
  const { timestamp } = core.facts.header(2)!
  await mineAt(l1.now() + 12, { type: 'HaltMoved', voidFrom: 3, isMove: false })
  assert.equal(core.facts.safety(), { status: 'unsafe', reason: 'halted', block: 3, since: timestamp })
  assert.is(core.facts.verifiedBlock(), 2)
})

test('a block below the halt that nobody serves is still withheld, with its own deadline', async () => {
  const { core, l1, mineAt } = createScene()
  await mineAt(l1.now() + 12, { type: 'HaltMoved', voidFrom: 3, isMove: false })
  for (let i = 0; i < 70; i++) {
    core.clock.now += 10_000
    await core.tick()
  }
  const safety = core.facts.safety()
  assert.is(safety.reason, 'withheld')
  assert.is('block' in safety && safety.block, 2)
})

test.run()

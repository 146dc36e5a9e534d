/** L1 reorgs and restarts: whatever L1 takes back never was, and a watcher that slept ends where one that watched does. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cursor, type FollowerEvent, foldCursor } from '../../l1/cursor.ts'
import type { L1Block } from '../../l1/header.ts'
import type { Hash } from '../../protocol/bytes.ts'
import { rebuild } from '../../watcher/rebuild.ts'
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
  SEPARATOR,
  submitted,
} from './support/chain.ts'
import { createFolder, createTestCore, dump, fresh, openStore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: L1 reorgs and restarts')
const D0 = depositPosition(0, 0)
const D1 = depositPosition(0, 1)

function createScene() {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const core = createTestCore({ l1, peers: [operator.peer] })
  return { l1, operator, core }
}

test('forgets a deposit that L1 dropped, with everything paid from it', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const block = makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
  l1.reorg(2)
  l1.mine()
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.ledger.find(D0), undefined)
  assert.is(core.ledger.find(at(1, 0)), undefined)
  assert.is(core.facts.newestBlock(), 0)
  assert.equal(dump(core.db), await fresh({ l1, operator }))
})

test('the same submission in another L1 block is verified from the stored body', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const block = makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  await core.tick()
  operator.state.mode = 'refusing'
  l1.reorg(1)
  l1.mine()
  l1.mine([submitted([block], l1.now() + 12)])
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
  assert.is(core.facts.header(1)?.timestamp, l1.now())
  operator.state.mode = 'honest'
  assert.equal(dump(core.db), await fresh({ l1, operator }))
})

test('a block number that comes back with another root is told, and folded anew', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const [one, other] = [
    makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])]),
    makeBlock(1, 1, [pay(alice, D0, [[carol, 100n]])]),
  ]
  operator.serve(one)
  l1.mine([submitted([one], l1.now() + 12)])
  await core.tick()
  l1.reorg(1)
  operator.serve(other)
  l1.mine([submitted([other], l1.now() + 12)])
  l1.mine()
  await core.tick()
  assert.equal(core.ledger.unspentOf(bob.address, -1, 5), [])
  assert.is(core.ledger.unspentOf(carol.address, -1, 5).length, 1)
  assert.equal(core.codes(), ['BLOCK_ROOT_CHANGED'])
  assert.equal(dump(core.db), await fresh({ l1, operator }))
})

test('an exit that L1 dropped locks nothing any more; in another block it locks from there', async () => {
  const { l1, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const exit = exitOf({ position: D0, owner: alice, amount: 100n, lockedAt: 2, startedAt: l1.now() + 12 })
  l1.mine([{ type: 'ExitStarted', exit }])
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, 2)
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, undefined)
  assert.is(core.facts.exitFacts(exit.outputId), undefined)
  l1.mine([{ type: 'ExitStarted', exit: { ...exit, lockedAt: 4 } }])
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, 4)
})

test('a reorg that takes only the evidence leaves the exit queued and unchallenged', async () => {
  const { l1, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const exit = exitOf({ position: D0, owner: alice, amount: 100n, lockedAt: 2, startedAt: l1.now() + 12 })
  l1.mine([{ type: 'ExitStarted', exit }])
  l1.mine([
    { type: 'EvidenceShown', outputId: exit.outputId, spend: at(1, 0), place: 0, challenger: bob.address, reward: 1n },
    { type: 'ExitRemoved', outputId: exit.outputId, reason: 'spent' },
  ])
  await core.tick()
  assert.is(core.facts.exitFacts(exit.outputId)?.state, 'removed')
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.facts.exitFacts(exit.outputId)?.state, 'queued')
  assert.equal(core.facts.exitFacts(exit.outputId)?.evidence, [])
})

test('a reorg that drops an invalid block makes the chain safe again', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const forged = makeBlock(1, 1, [pay(mallory, D0, [[mallory, 100n]])])
  operator.serve(forged)
  l1.mine([submitted([forged], l1.now() + 12)])
  await core.tick()
  assert.is(core.facts.safety().status, 'unsafe')
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
})

test('a deep reorg is told', async () => {
  const { l1, core } = createScene()
  for (let i = 0; i < 20; i++) l1.mine()
  await core.tick()
  l1.reorg(15)
  for (let i = 0; i < 16; i++) l1.mine()
  await core.tick()
  assert.equal(core.codes(), ['L1_REORG_DEEP'])
})

test('a reorg that happened while it slept is folded on waking', async () => {
  const folder = createFolder()
  try {
    const l1 = createFakeL1()
    const operator = createFakePeer('operator')
    l1.mine([deposited(D0, alice, 100n), deposited(D1, bob, 5n)])
    const [one, other] = [
      makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])]),
      makeBlock(1, 1, [pay(bob, D1, [[carol, 5n]])]),
    ]
    operator.serve(one)
    l1.mine([submitted([one], l1.now() + 12)])
    const db = openStore(folder.file)
    await createTestCore({ l1, peers: [operator.peer], db }).tick()
    db.close()
    l1.reorg(1)
    operator.serve(other)
    l1.mine([submitted([other], l1.now() + 12)])
    l1.mine()
    const again = openStore(folder.file)
    const core = createTestCore({ l1, peers: [operator.peer], db: again })
    await core.tick()
    assert.equal(dump(again), await fresh({ l1, operator }))
    again.close()
  } finally {
    folder.remove()
  }
})

test('folded again from events and bodies, nothing differs', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n), deposited(D1, bob, 5n)])
  const first = pay(alice, D0, [[bob, 100n]])
  const blocks = [makeBlock(1, 1, [first]), makeBlock(2, 1, [pay(bob, at(1, 0), [[carol, 100n]])])]
  operator.serve(...blocks)
  l1.mine([submitted(blocks, l1.now() + 12)])
  const exit = exitOf({
    position: at(1, 0),
    owner: bob,
    amount: 100n,
    signed: first,
    lockedAt: 3,
    startedAt: l1.now() + 12,
  })
  l1.mine([{ type: 'ExitStarted', exit }])
  await core.tick()
  const before = dump(core.db)
  rebuild(core.db, SEPARATOR)
  operator.state.mode = 'refusing'
  const again = createTestCore({ l1, peers: [operator.peer], db: core.db })
  await again.tick()
  assert.equal(dump(again.db), before)
})

test('a spent exit is shown with everything a challenge needs', async () => {
  const { l1, operator, core } = createScene()
  l1.mine([deposited(D0, alice, 100n)])
  const spend = pay(alice, D0, [[bob, 100n]])
  const block = makeBlock(1, 1, [spend])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  const exit = exitOf({ position: D0, owner: alice, amount: 100n, lockedAt: 3, startedAt: l1.now() + 12 })
  l1.mine([{ type: 'ExitStarted', exit }])
  await core.tick()
  const facts = core.facts.exitFacts(exit.outputId)
  assert.is(facts?.output.kind, 'spent')
  if (facts?.output.kind !== 'spent') return
  const { evidence } = facts.output
  assert.is(evidence.spend, at(1, 0))
  assert.is(evidence.input, 0)
  assert.equal(evidence.signed, spend)
  assert.equal(evidence.proof.path, [])
  assert.equal(core.codes(), ['INVALID_EXIT'])
})

test('the stored cursor is the follower’s own, floor and all: a reorg of the very first block is no broken finality', () => {
  const { core } = createScene()
  const { rootLog } = core
  const hashOf = (name: string) => `0x${Buffer.from(name).toString('hex').padStart(64, '0')}` as Hash
  const block = (number: number, fork: string, parent: string): L1Block => ({
    number,
    hash: hashOf(`${number}${fork}`),
    parentHash: hashOf(parent),
    timestamp: 1_000 + number,
    baseFeePerGas: 1n,
  })
  const ref = (number: number, fork: string) => ({ number, hash: hashOf(`${number}${fork}`) })
  const steps: FollowerEvent[] = [
    { type: 'block', block: block(5, 'a', '4'), logs: [] },
    { type: 'reorg', commonAncestor: ref(4, ''), dropped: [ref(5, 'a')] },
    { type: 'block', block: block(5, 'b', '4'), logs: [] },
    { type: 'block', block: block(6, 'b', '5b'), logs: [] },
    { type: 'finalised', block: ref(5, 'b') },
    { type: 'reorg', commonAncestor: ref(5, 'b'), dropped: [ref(6, 'b')] },
    { type: 'block', block: block(6, 'c', '5b'), logs: [] },
    { type: 'block', block: block(7, 'c', '6c'), logs: [] },
    { type: 'finalised', block: ref(7, 'c') },
  ]
  let want: Cursor = []
  for (const step of steps) {
    want = foldCursor(want, step)
    if (step.type === 'block') rootLog.append(step.block, [])
    if (step.type === 'reorg') rootLog.rollback(step.commonAncestor)
    if (step.type === 'finalised') rootLog.finalise(step.block)
    assert.equal(
      rootLog.cursor().map(({ number, hash }) => ({ number, hash })),
      want,
    )
  }
})

test.run()

/** Mass exits in the watcher's books: what a lock locks and from when on, what is told of a batch, and what its entries name. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { depositIdOf } from '../../protocol/position.ts'
import { batchOf, lockOf } from './support/batches.ts'
import { assertStable, createLocked, createScene, D0, D1, D2, exitOfD0, spendIn } from './support/batchScene.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { createTestCore, openStore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: mass exits')

test('a spend of a named output is invalid from the lock’s block on', async () => {
  const { l1, operator, core, item } = createLocked()
  l1.mine()
  operator.serve(spendIn(l1, 1, item.lockedAt, D0))
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, item.lockedAt)
  assert.is(core.facts.fault()?.fault.code, 'INPUT_LOCKED')
})

test('a spend that was anchored before the lock is valid', async () => {
  const { l1, operator, core, item } = createLocked()
  operator.serve(spendIn(l1, 1, item.lockedAt - 1, D0))
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
})

test('the fault of such a spend is proven with the entry', async () => {
  const { l1, operator, core, item, start, entries } = createLocked()
  l1.mine()
  operator.serve(spendIn(l1, 1, item.lockedAt, D0))
  await core.tick()
  const proof = core.facts.fraudProof(core.facts.fault()!)
  assert.is(proof.rule, 'V6')
  if (proof.rule !== 'V6') return
  assert.equal(proof.locking?.batch, start.batch)
  assert.equal(proof.locking?.entry, entries[0])
  assert.is(proof.exit, undefined)
})

test('an entry off by one wei, of another token or of no output locks nothing', async () => {
  const { l1, operator, core } = createScene()
  const off = batchOf(l1, [
    { position: D0, amount: 101n },
    { position: D2, amount: 7n },
  ])
  const token = batchOf(l1, [{ position: D1, amount: 50n }], { token: `0x${'77'.repeat(20)}` })
  l1.mine([off, token])
  l1.mine([lockOf(l1, off, 0), lockOf(l1, token, 1)])
  l1.mine()
  operator.serve(spendIn(l1, 1, l1.tip().number - 1, D0))
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
  assert.is(core.ledger.find(D0)?.lockedAt, undefined)
  assert.is(core.ledger.find(D1)?.lockedAt, undefined)
})

/** Alice is protected, by whoever registers her; the watcher sends as `sender`, if at all. */
function protect({ db }: ReturnType<typeof createScene>): void {
  const mandate = { owner: alice.address, validUntil: 10 ** 9 }
  db.prepare(
    "INSERT INTO protected_accounts (digest, owner, mandate, signature, added_at) VALUES ('0x01', ?, ?, '0x', 0)",
  ).run(alice.address, JSON.stringify(mandate))
}

test('a stranger’s batch that takes a protected account along is told once it is locked, and the claim when it is paid', async () => {
  const scene = createScene()
  const { l1, core } = scene
  protect(scene)
  const entries = [
    { position: D0, amount: 100n },
    { position: D1, amount: 50n },
  ]
  const start = batchOf(l1, entries)
  l1.mine([start])
  await core.tick()
  assert.not.ok(core.codes().includes('PROTECTED_IN_BATCH'))
  l1.mine([lockOf(l1, start)])
  await core.tick()
  const told = core.alarm.page(0, 9).find(({ code }) => code === 'PROTECTED_IN_BATCH')
  assert.equal(
    [told?.details['positions'], told?.details['outputs'], told?.details['amount'], told?.details['own']],
    [[D0], 1, '100', false],
  )
  const [outputId, other] = [depositIdOf(D0), `0x${'0b'.repeat(32)}` as const]
  const claimed = [
    { index: 0, outputId, owner: alice.address },
    { index: 1, outputId: other, owner: bob.address },
  ]
  l1.mine([{ type: 'EntriesClaimed', batchId: start.batchId, claimed }])
  for (let i = 0; i < 2; i++) {
    await core.tick()
    l1.mine()
  }
  const paid = core.alarm.page(0, 9).filter(({ code }) => code === 'PROTECTED_EXIT_PAID')
  assert.equal(
    paid.map(({ details }) => [details['outputId'], details['paid'], details['entry']]),
    [[outputId, '100', 0]],
  )
  assert.is(core.codes().filter((code) => code === 'PROTECTED_IN_BATCH').length, 1)
})

test('a batch of ours is told as soon as it starts, also when its outputs are verified later; one of strangers alone never is', async () => {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const db = openStore()
  const core = createTestCore({ l1, peers: [operator.peer], db, overrides: { sender: mallory.address } })
  protect({ l1, operator, core, db })
  l1.mine([deposited(D0, bob, 100n), deposited(D1, bob, 50n)])
  const block = makeBlock(1, 1, [pay(bob, D0, [[alice, 100n]])])
  l1.mine([submitted([block], l1.now() + 12)])
  const ours = batchOf(l1, [{ position: at(1, 0), amount: 100n }], { madeAt: l1.now() })
  const others = batchOf(l1, [{ position: D1, amount: 50n }])
  l1.mine([ours, others])
  await core.tick()
  assert.not.ok(core.codes().includes('PROTECTED_IN_BATCH'))
  operator.serve(block)
  await core.tick()
  const told = core.alarm.page(0, 9).filter(({ code }) => code === 'PROTECTED_IN_BATCH')
  assert.equal(
    told.map(({ details }) => [details['batchId'], details['own'], details['state']]),
    [[ours.batchId, true, 'started']],
  )
})

test('neither a batch that waits nor a dissolved one locks anything', async () => {
  const { l1, operator, core } = createScene()
  const start = batchOf(l1, [{ position: D0, amount: 100n }])
  l1.mine([start])
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, undefined)
  l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: null }])
  operator.serve(spendIn(l1, 1, l1.tip().number, D0))
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
  assert.equal(core.facts.batches(), [])
  assert.is(core.facts.batch(start.batchId)?.state, 'dissolved')
  assert.equal(core.facts.entriesNaming(D0), [])
})

test('a deposit that comes with the lock or later is named by no entry; one that comes before it is', async () => {
  const scene = createScene()
  const { l1, core } = scene
  const [before, beside, after] = [depositPosition(0, 2), depositPosition(0, 3), depositPosition(0, 4)]
  const start = batchOf(
    l1,
    [before, beside, after].map((position) => ({ position, amount: 7n })),
  )
  l1.mine([start])
  l1.mine([deposited(before, carol, 7n)])
  const lock = lockOf(l1, start)
  l1.mine([deposited(beside, carol, 7n), lock])
  l1.mine([deposited(after, carol, 7n)])
  await core.tick()
  assert.equal(
    [before, beside, after].map((position) => core.ledger.find(position)?.lockedAt),
    [lock.item.lockedAt, undefined, undefined],
  )
  const kinds = core.facts.batchEntries(start.batchId).map((entry) => core.facts.entryFact(start.batchId, entry).kind)
  assert.equal(kinds, ['named', 'empty', 'empty'])
  await assertStable(scene)
})

test('an output of a block that is verified after the lock is locked', async () => {
  const { l1, operator, core } = createScene()
  const block = makeBlock(1, 1, [pay(alice, D0, [[bob, 100n]])])
  l1.mine([submitted([block], l1.now() + 12)])
  const start = batchOf(l1, [{ position: at(1, 0), amount: 100n }], { madeAt: l1.now() })
  l1.mine([start])
  const lock = lockOf(l1, start)
  l1.mine([lock])
  await core.tick()
  operator.serve(block)
  await core.tick()
  assert.is(core.ledger.find(at(1, 0))?.lockedAt, lock.item.lockedAt)
})

test('the earliest lock stays, whichever way an output leaves next', async () => {
  const scene = createLocked()
  const { l1, core, item } = scene
  const later = exitOfD0(l1)
  l1.mine([{ type: 'ExitStarted', exit: later }])
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, item.lockedAt)
  await assertStable(scene)
})

test('a reorg of the lock undoes it, and one of the start too', async () => {
  const scene = createLocked()
  const { l1, core, batchId } = scene
  await core.tick()
  assert.is(core.facts.batch(batchId)?.state, 'locked')
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.ledger.find(D0)?.lockedAt, undefined)
  assert.is(core.facts.batch(batchId)?.state, 'started')
  assert.equal(core.facts.queueFrom({ oldHead: 0, youngFirst: 0, limit: 9 }), [])
  l1.reorg(3)
  for (let i = 0; i < 4; i++) l1.mine()
  await core.tick()
  assert.is(core.facts.batch(batchId), undefined)
  assert.equal(core.facts.batchEntries(batchId), [])
  await assertStable(scene)
})

test('the marker of a batch’s item locks no deposit that stands there', async () => {
  const { l1, core } = createScene()
  const start = batchOf(l1, [{ position: D1, amount: 50n }])
  l1.mine([start])
  l1.mine([lockOf(l1, start)])
  await core.tick()
  assert.is(lockOf(l1, start).item.position, D0)
  assert.is(core.ledger.find(D0)?.lockedAt, undefined)
})

test('an entry tells what it names: a deposit, an output, nothing, or what is not verified yet', async () => {
  const { l1, operator, core } = createScene()
  const blocks = [
    makeBlock(1, 1, [
      pay(alice, D0, [
        [bob, 60n],
        [carol, 40n],
      ]),
    ]),
    makeBlock(2, 1, [pay(bob, D1, [[carol, 50n]])]),
  ]
  operator.serve(blocks[0]!)
  l1.mine([submitted(blocks, l1.now() + 12)])
  const entries = [
    { position: D1, amount: 50n },
    { position: D2, amount: 1n },
    { position: at(1, 0, 0), amount: 60n },
    { position: at(1, 0, 1), amount: 41n },
    { position: at(1, 3), amount: 1n },
    { position: at(2, 0), amount: 50n },
  ]
  const start = batchOf(l1, entries, { madeAt: l1.now() })
  l1.mine([start])
  await core.tick()
  const facts = core.facts.batchEntries(start.batchId).map((entry) => core.facts.entryFact(start.batchId, entry))
  assert.equal(
    facts.map((fact) => [fact.kind, 'shown' in fact ? fact.shown.kind : fact.block]),
    [
      ['named', 'deposit'],
      ['empty', 'nothing'],
      ['named', 'output'],
      ['empty', 'output'],
      ['empty', 'beyond'],
      ['unverified', 2],
    ],
  )
  operator.serve(blocks[1]!)
  await core.tick()
  const [first] = core.facts.batchEntries(start.batchId)
  const fact = core.facts.entryFact(start.batchId, first!)
  assert.is(fact.kind === 'named' && fact.spend?.spend, at(2, 0))
  assert.equal(
    core.facts.spentEntries(start.batchId).map(({ index }) => index),
    [0],
  )
})

test.run()

/** What a watcher knows of an output that an exit or a dispute names in a block nobody can read, and a verified block holds too. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Address, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { createMemoryLog } from '../../service/log.ts'
import { EMPTY_DOCKET } from '../../watcher/court/docket.ts'
import { createDisputeMemo } from '../../watcher/driverDisputes.ts'
import { createSpendMemo } from '../../watcher/driverMemos.ts'
import { createTwins } from '../../watcher/twins.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  hashOf,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { decided, disputeOf, started } from './support/disputes.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: hidden copies')
const D0 = depositPosition(0, 0)
const HIDDEN = at(3, 0, 1)

/** Alice paid Bob and herself in block 1; in block 2 Bob's money moves, where told; block 3 hides a copy of Alice's payment. */
async function createScene({ isSpent = true, isServed = false, isLate = false } = {}) {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  const core = createTestCore({ l1, peers: [operator.peer] })
  const submit = (number: number, transactions: readonly SignedTransaction[], anchor = 2) => {
    const block = makeBlock(number, anchor, transactions)
    l1.mine([submitted([block], l1.now() + 12)])
    return block
  }
  l1.mine([deposited(D0, alice, 100n), deposited(depositPosition(0, 1), mallory, 61n)])
  l1.mine()
  const payment = pay(alice, D0, [
    [alice, 40n],
    [bob, 60n],
  ])
  // Holds the same for the same owner, and is another transaction's.
  const alike = pay(mallory, depositPosition(0, 1), [
    [mallory, 1n],
    [bob, 60n],
  ])
  const spend = pay(bob, at(1, 1, 1), [[carol, 60n]])
  operator.serve(submit(1, [alike, payment]))
  const second = submit(2, isSpent ? [spend] : [], 3)
  if (!isLate) operator.serve(second)
  const copy = { transaction: payment.transaction, witnesses: new Uint8Array(64).fill(7) }
  const hidden = submit(3, [copy])
  if (isServed) operator.serve(hidden)
  await core.tick()
  const exit = {
    ...exitOf({ position: HIDDEN, owner: bob, amount: 60n, signed: payment, lockedAt: 6, startedAt: l1.now() + 12 }),
  }
  const start = async () => {
    l1.mine([started(exit)])
    await core.tick()
  }
  const outputOf = () => core.facts.exitFacts(exit.outputId)?.output
  return { l1, operator, core, payment, spend, second, exit, start, submit, outputOf }
}

test('an exit by a hidden copy is judged by where a verified block holds its output', async () => {
  const { core, payment, spend, exit, start, outputOf } = await createScene()
  await start()
  assert.is(core.facts.blockState(3), 'missing')
  const output = outputOf()
  assert.is(output?.kind, 'spent')
  if (output?.kind !== 'spent') return
  assert.is(output.evidence.spend, at(2, 0))
  assert.equal(output.evidence.signed, spend)
  assert.is(output.evidence.input, 0)
  assert.is(output.made?.txHash, hashOf(payment))
  assert.is(output.made?.position, at(1, 1))
  assert.equal(output.made?.header, core.facts.header(1))
  assert.is(output.made?.proof.path.length, 1)
  assert.equal(core.facts.exitFacts(exit.outputId)?.header, core.facts.header(3))
  assert.ok(core.codes().includes('INVALID_EXIT'))
})

test('the same where the block of the copy is here and invalid', async () => {
  const { core, start, outputOf } = await createScene({ isServed: true })
  await start()
  assert.is(core.facts.blockState(3), 'invalid')
  assert.is(outputOf()?.kind, 'spent')
})

test('of an output that nobody spent, and of one that no verified block holds, nothing can be said', async () => {
  const unspent = await createScene({ isSpent: false })
  await unspent.start()
  assert.is(unspent.outputOf()?.kind, 'unverified')
  const { l1, core, exit } = await createScene()
  const other = { ...exit, outputId: `0x${'ab'.repeat(32)}` as const }
  l1.mine([started(other)])
  await core.tick()
  assert.is(core.facts.exitFacts(other.outputId)?.output.kind, 'unverified')
})

test('the search ends for an L1 block where its share is used up, and goes on in the next', async () => {
  const { l1, core, exit, start } = await createScene()
  await start()
  const looked: number[] = []
  const ledger = {
    undone: core.ledger.undone,
    alike: (...args: Parameters<typeof core.ledger.alike>) => {
      looked.push(args[2].from)
      return core.ledger.alike(...args)
    },
  }
  const twins = createTwins({ ledger, blocks: core.blocks, l1Now: core.rootLog.now, rowsPerL1Block: 2 })
  assert.is(twins.find(exit), undefined)
  assert.is(twins.find(exit), undefined)
  assert.equal(looked, [0], 'once for each L1 block')
  for (let more = 0; more < 3; more++) {
    l1.mine()
    await core.tick()
    twins.find(exit)
  }
  assert.is(twins.find(exit), at(1, 1, 1))
  assert.ok(looked.every((from, i) => i === 0 || from > (looked[i - 1] as number)))
})

test('what was found is looked for again where blocks were taken back', async () => {
  const scene = await createScene()
  const { l1, core, operator, payment, spend, start, outputOf } = scene
  await start()
  assert.is(outputOf()?.kind, 'spent')
  l1.reorg(4)
  operator.serve(scene.submit(1, [payment]))
  operator.serve(scene.submit(2, [pay(bob, at(1, 0, 1), [[carol, 60n]])], 2))
  scene.submit(3, [{ transaction: payment.transaction, witnesses: new Uint8Array(64) }])
  await core.tick()
  await start()
  await core.tick()
  const output = outputOf()
  assert.is(output?.kind === 'spent' && output.made?.position, at(1, 0))
  assert.not.equal(output?.kind === 'spent' && output.evidence.signed, spend)
})

test('the court’s memory of the evidence holds while the copy’s block stays unread, and not longer', async () => {
  const { l1, core, exit, start } = await createScene()
  await start()
  let asked = 0
  const facts = {
    ...core.facts,
    exitFacts: (id: typeof exit.outputId) => {
      asked++
      return core.facts.exitFacts(id)
    },
  }
  const memo = createSpendMemo({ facts, log: createMemoryLog().log })
  const look = () => memo.factsOf(core.facts.openExits(), EMPTY_DOCKET).exits[0]?.output
  const first = look()
  assert.equal(look(), first)
  assert.is(first?.kind === 'spent' && first.made?.position, at(1, 1))
  assert.is(asked, 1)
  l1.mine([{ type: 'HaltMoved', voidFrom: 3, isMove: true }])
  await core.tick()
  assert.is(core.facts.blockState(3), 'void')
  assert.is(look()?.kind, 'unverified')
  assert.is(asked, 2)
})

test('while the true spend is disputed itself the exit by the copy waits for that verdict, and nobody calls it invalid', async () => {
  const { l1, core, payment, spend, start, outputOf } = await createScene()
  l1.mine([disputeOf(l1, spend, [{ owner: bob, amount: 60n, made: payment, blockTime: l1.now() }], carol)])
  await start()
  assert.is(outputOf()?.kind, 'spent')
  assert.not(core.codes().includes('INVALID_EXIT'))
  assert.not(core.codes().includes('DISPUTED_EXIT_INVALID'))
})

test('of a dispute whose input names the hidden copy the true spend is a competitor, with where its maker stands', async () => {
  const { l1, core, payment, spend } = await createScene()
  const theft = pay(bob, HIDDEN, [[mallory, 60n]])
  const event = disputeOf(l1, theft, [{ owner: bob, amount: 60n, made: payment, blockTime: l1.now() }], mallory)
  l1.mine([event])
  await core.tick()
  const facts = core.facts.disputeFacts(event.dispute.txHash)
  assert.is(facts?.made, undefined)
  assert.is(facts?.spends[0]?.spend, at(2, 0))
  assert.equal(facts?.spends[0]?.signed, spend)
  assert.is(facts?.spends[0]?.made?.position, at(1, 1))
  assert.equal(facts?.spends[0]?.made?.header, core.facts.header(1))
  l1.mine([decided(event.dispute.txHash, 'canonical')])
  await core.tick()
  assert.ok(core.codes().includes('DISPUTE_OUTCOME_UNKNOWN'))
})

test('the spend comes late, in a block before the copy’s: the court looks at the dispute again', async () => {
  const { operator, l1, core, payment, second } = await createScene({ isLate: true })
  const theft = pay(bob, HIDDEN, [[mallory, 60n]])
  const event = disputeOf(l1, theft, [{ owner: bob, amount: 60n, made: payment, blockTime: l1.now() }], mallory)
  l1.mine([event])
  await core.tick()
  const memo = createDisputeMemo({ facts: core.facts, log: createMemoryLog().log })
  const look = () => memo.look({ exits: [], protectedOwners: new Set(), sinceL1Block: 0 }).found[0]?.spends[0]
  assert.is(look(), undefined)
  operator.serve(second)
  core.clock.now += 60_000
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 2)
  assert.is(look()?.spend, at(2, 0))
  assert.is(look(), look(), 'and remembers')
})

test('a vault from which a hidden copy was paid is short', async () => {
  const { l1, core, exit, start } = await createScene()
  await start()
  assert.is(core.facts.safety().reason === 'short', false)
  l1.mine([{ type: 'ExitPaid', outputId: exit.outputId, amount: 60n }])
  await core.tick()
  assert.is(core.facts.safety().reason, 'short')
  assert.ok(core.codes().includes('INVALID_EXIT_PAID'))
})

test('places that were given up are known until somebody frees them, whatever L1 takes back', async () => {
  const l1 = createFakeL1()
  const core = createTestCore({ l1, peers: [] })
  const [token, other] = [ZERO_ADDRESS, alice.address]
  const place = (from: bigint, of: Address = token) => ({ token: of, from, due: 7n })
  l1.mine([
    { type: 'PlaceLeft', ...place(5n) },
    { type: 'PlaceLeft', ...place(5n, other) },
    { type: 'PlaceLeft', ...place(20n) },
  ])
  await core.tick()
  assert.equal(core.facts.leftPlaces(), [place(5n), place(5n, other), place(20n)])
  l1.mine([{ type: 'PlaceFreed', ...place(5n) }])
  await core.tick()
  assert.equal(core.facts.leftPlaces(), [place(5n, other), place(20n)])
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.equal(core.facts.leftPlaces(), [place(5n), place(5n, other), place(20n)])
})

test.run()

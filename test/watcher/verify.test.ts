/** Blocks as the watcher judges them: valid ones, one fault of each rule, and bodies that are not the block. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockEventSchema } from '../../api/feed.ts'
import { retryable } from '../../protocol/errors.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { BlockFault, Rule } from '../../protocol/validity.ts'
import { createPatientPrepare } from '../../watcher/verify.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  encodeLoosely,
  exitOf,
  hashOf,
  type MadeBlock,
  makeBlock,
  makeRawBlock,
  mallory,
  pay,
  sign,
  submitted,
} from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: verification')
const D0 = depositPosition(0, 0)
const D1 = depositPosition(0, 1)

/** Alice and Bob deposit in L1 block 1; Alice exits her second deposit in block 2; blocks are anchored at 2. */
function createScene() {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n), deposited(D1, bob, 50n), deposited(depositPosition(0, 2), alice, 7n)])
  l1.mine([
    {
      type: 'ExitStarted',
      exit: exitOf({
        position: depositPosition(0, 2),
        owner: alice,
        amount: 7n,
        lockedAt: 2,
        startedAt: l1.now() + 12,
      }),
    },
  ])
  const core = createTestCore({ l1, peers: [operator.peer] })
  const submit = (...blocks: MadeBlock[]) => {
    operator.serve(...blocks)
    l1.mine([submitted(blocks, l1.now() + 12)])
  }
  return { l1, operator, core, submit }
}

function faultOf(core: ReturnType<typeof createScene>['core'], number: number): BlockFault | undefined {
  return core.blocks.find(number)?.fault
}

test('verifies payments inside one block, across blocks and of deposits', async () => {
  const { core, submit } = createScene()
  const first = pay(alice, D0, [
    [bob, 60n],
    [alice, 40n],
  ])
  const swap = pay(
    [alice, bob],
    [at(1, 0, 1), D1].sort((a, b) => a - b),
    [[carol, 90n]],
  )
  const ordered = sign(swap.transaction, swap.transaction.inputs[0] === D1 ? [bob, alice] : [alice, bob])
  submit(makeBlock(1, 2, [first, ordered]), makeBlock(2, 2, [pay(bob, at(1, 0, 0), [[mallory, 60n]])]))
  const { chase } = await core.tick()
  assert.equal(chase?.verified, 2)
  assert.equal(
    core.ledger.unspentOf(mallory.address, -1, 10).map(({ amount }) => amount),
    [60n],
  )
  assert.equal(
    core.ledger.unspentOf(carol.address, -1, 10).map(({ amount }) => amount),
    [90n],
  )
  assert.equal(core.ledger.unspentOf(bob.address, -1, 10), [])
  assert.equal(core.facts.safety(), { status: 'safe', reason: 'verified' })
  core.log.assertNoErrors()
})

test('takes a heartbeat for verified without asking anybody', async () => {
  const { core, l1, operator } = createScene()
  l1.mine([submitted([makeBlock(1, 2, [])], l1.now() + 12)])
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
  assert.is(operator.requests.length, 0)
})

const good = pay(alice, D0, [[bob, 100n]])
const FAULTS: readonly Readonly<{ name: string; rule: Rule; code: string; index: number; block: MadeBlock }>[] = [
  fault('spends an input twice in one list', 'V1', 'INPUT_ORDER', 0, [
    sign({ ...good.transaction, inputs: [D0, D0] }, [alice, alice]),
  ]),
  fault('pays nothing to somebody', 'V1', 'AMOUNT_RANGE', 1, [
    good,
    sign(
      {
        ...good.transaction,
        inputs: [D1],
        outputs: [{ ...(good.transaction.outputs[0] as never as object), amount: 0n } as never],
      },
      [bob],
    ),
  ]),
  fault('spends an output that nobody made', 'V2', 'INPUT_MISSING', 0, [pay(alice, at(1, 5), [[bob, 1n]])]),
  fault('spends its own output', 'V2', 'INPUT_MISSING', 0, [pay(alice, at(1, 0), [[bob, 1n]])]),
  fault('spends what was spent in the same block', 'V3', 'INPUT_SPENT', 1, [good, pay(alice, D0, [[carol, 100n]])]),
  fault('carries the signature of another', 'V4', 'WITNESS_FORGED', 0, [pay(mallory, D0, [[mallory, 100n]])]),
  fault('makes money', 'V5', 'VALUE_UNBALANCED', 0, [pay(alice, D0, [[alice, 101n]])]),
  fault('destroys money', 'V5', 'VALUE_UNBALANCED', 0, [pay(alice, D0, [[alice, 99n]])]),
  fault('spends a locked output', 'V6', 'INPUT_LOCKED', 0, [pay(alice, depositPosition(0, 2), [[bob, 7n]])]),
]

function fault(name: string, rule: Rule, code: string, index: number, transactions: readonly SignedTransaction[]) {
  const encoded = transactions.map((signed) => ({ signed, encoded: encodeLoosely(signed) }))
  return { name, rule, code, index, block: makeRawBlock(1, 2, encoded) }
}

for (const { name, rule, code, index, block } of FAULTS) {
  test(`refuses a block that ${name} (${rule})`, async () => {
    const { core, submit } = createScene()
    submit(block, makeBlock(2, 2, [pay(bob, D1, [[carol, 50n]])]))
    await core.tick()
    const found = faultOf(core, 1)
    assert.is(found?.rule, rule)
    assert.is(found?.code, code)
    assert.is(found?.index, index)
    assert.is(core.facts.verifiedBlock(), 0)
    assert.is(core.facts.safety().status, 'unsafe')
    assert.is(core.facts.blockState(1), 'invalid')
    assert.is(core.facts.blockState(2), 'unverifiable')
    assert.equal(core.codes(), ['INVALID_BLOCK'])
    assert.is(core.ledger.find(D0)?.spentBy, undefined, 'an invalid block has no effects')
  })
}

test('refuses a deposit that is younger than the anchor', async () => {
  const { core, l1, submit } = createScene()
  l1.mine([deposited(depositPosition(0, 3), carol, 5n)])
  submit(makeBlock(1, 2, [pay(carol, depositPosition(0, 3), [[bob, 5n]])]))
  await core.tick()
  assert.is(faultOf(core, 1)?.rule, 'V2')
})

test('accepts the spend of an output that was locked only after the anchor', async () => {
  const { core, submit } = createScene()
  submit(makeBlock(1, 1, [pay(alice, depositPosition(0, 2), [[bob, 7n]])]))
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 1)
})

test('refuses in block 3 the spend of an output of block 1 whose exit began before the anchor', async () => {
  const { core, l1, submit } = createScene()
  submit(makeBlock(1, 2, [good]))
  const exit = exitOf({
    position: at(1, 0),
    owner: bob,
    amount: 100n,
    signed: good,
    lockedAt: 4,
    startedAt: l1.now() + 12,
  })
  l1.mine([{ type: 'ExitStarted', exit }])
  submit(makeBlock(2, 3, []), makeBlock(3, 4, [pay(bob, at(1, 0), [[carol, 100n]])]))
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 2)
  assert.is(faultOf(core, 3)?.rule, 'V6')
})

test('knows the lock of an output whose block it verified only after the exit began', async () => {
  const { core, l1, operator } = createScene()
  const block = makeBlock(1, 2, [good])
  l1.mine([submitted([block], l1.now() + 12)])
  const exit = exitOf({
    position: at(1, 0),
    owner: bob,
    amount: 100n,
    signed: good,
    lockedAt: 4,
    startedAt: l1.now() + 12,
  })
  l1.mine([{ type: 'ExitStarted', exit }])
  await core.tick()
  assert.is(core.facts.verifiedBlock(), 0)
  operator.serve(block)
  await core.tick()
  assert.is(core.ledger.find(at(1, 0))?.lockedAt, 4)
})

const right = makeBlock(1, 2, [good])
const GARBAGE: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['nothing at all', new Uint8Array()],
  ['noise', new Uint8Array(300).fill(7)],
  ['half of the block', right.body.subarray(0, right.body.length / 2)],
  ['a byte too many', new Uint8Array([...right.body, 0])],
  ['another block', makeBlock(2, 2, [good]).body],
  ['a block with another anchor', makeBlock(1, 1, [good]).body],
  ['a block with another payment', makeBlock(1, 2, [pay(alice, D0, [[mallory, 100n]])]).body],
  ['an empty block', makeBlock(1, 2, []).body],
  [
    'the block with another valid signature of nobody',
    makeBlock(1, 2, [{ ...good, witnesses: new Uint8Array(64).fill(1) }]).body,
  ],
]
for (const [name, bytes] of GARBAGE) {
  test(`blames the peer, not the block, for ${name}, and asks the next one`, async () => {
    const l1 = createFakeL1()
    l1.mine([deposited(D0, alice, 100n)])
    const [liar, honest] = [createFakePeer('liar'), createFakePeer('honest')]
    liar.serveBytes(1, bytes)
    honest.serve(right)
    l1.mine()
    l1.mine([submitted([right], l1.now() + 12)])
    const core = createTestCore({ l1, peers: [liar.peer, honest.peer] })
    await core.tick()
    assert.is(core.facts.verifiedBlock(), 1)
    assert.is(core.facts.safety().status, 'safe')
    assert.equal(core.codes(), ['PEER_SERVED_GARBAGE'])
    assert.is(core.peers.inOrder()[0]?.name, 'honest')
    core.log.assertNoErrors()
  })
}

test('a peer that sends a thousand bodies for one costs no more than one', async () => {
  const l1 = createFakeL1()
  l1.mine([deposited(D0, alice, 100n)])
  l1.mine()
  l1.mine([submitted([right], l1.now() + 12)])
  const noisy = { name: 'noisy', fetch: async () => Array.from({ length: 1_000 }, () => new Uint8Array(16)) }
  const core = createTestCore({ l1, peers: [noisy] })
  await core.tick()
  assert.is(core.alarm.page(0, 10)[0]?.repeats, 0)
})

/** Only the number of transactions counts here. */
function batchOf(count: number) {
  return { bytes: new Uint8Array(), ends: new Uint32Array(count), separator: new Uint8Array(32) }
}

test('waits for workers that are full instead of giving up the fetch', async () => {
  let waiting = 0
  const release: (() => void)[] = []
  const patient = createPatientPrepare(async ({ ends: { length } }) => {
    if (waiting + length > 3 && waiting > 0) {
      throw retryable('SIGNATURE_POOL_FULL', 'full', { got: waiting + length, want: 'at most 3' })
    }
    waiting += length
    await new Promise<void>((resolve) => release.push(resolve))
    waiting -= length
    const nothing = new Uint8Array()
    return { txHashes: nothing, leaves: nothing, signers: nothing, counts: new Uint8Array(length), failures: [] }
  })
  const answers = [2, 5, 1].map((count) => patient(batchOf(count)))
  const done = Promise.all(answers)
  let isDone = false
  void done.then(() => {
    isDone = true
  })
  while (!isDone) {
    release.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(
    (await done).map(({ counts }) => counts.length),
    [2, 5, 1],
  )
  assert.is(waiting, 0)
})

test('tells what no waiting can mend', async () => {
  const broken = createPatientPrepare(async () => {
    throw retryable('SIGNATURE_POOL_FULL', 'full of others', { got: 9, want: 'at most 3' })
  })
  const error = await broken(batchOf(0)).catch((thrown: unknown) => thrown)
  assert.is((error as { code?: string }).code, 'SIGNATURE_POOL_FULL')
})

test('a block that cannot be written does not take along those before it that came with it', async () => {
  const { core, submit } = createScene()
  const made = Array.from({ length: 4 }, (_, i) => makeBlock(i + 1, 2, i === 0 ? [pay(alice, D0, [[bob, 100n]])] : []))
  submit(...made)
  core.db.exec(`CREATE TRIGGER spoil BEFORE UPDATE OF verified ON child_blocks WHEN NEW.number = 3
    BEGIN SELECT RAISE(ABORT, 'no'); END`)
  const verified: number[] = []
  for (let i = 0; i < 4; i++) {
    await core.tick().catch(() => undefined)
    verified.push(core.blocks.verifiedBlock())
  }
  assert.equal(verified, [0, 2, 2, 2])
  core.db.exec('DROP TRIGGER spoil')
  await core.tick()
  assert.is(core.blocks.verifiedBlock(), 4)
  assert.is(core.ledger.find(D0)?.spentBy, at(1, 0, 0))
})

test('finds each transaction by its hash, through an L1 reorg that takes its block and brings it back', async () => {
  const { core, l1, submit } = createScene()
  const [payment, next] = [pay(alice, D0, [[bob, 100n]]), pay(bob, D1, [[carol, 50n]])]
  const block = makeBlock(1, 2, [payment, next])
  submit(block)
  await core.tick()
  const look = () => [payment, next].map((signed) => core.blocks.positionOf(hashOf(signed)))
  assert.equal(look(), [at(1, 0, 0), at(1, 1, 0)])
  l1.reorg(1)
  l1.mine()
  await core.tick()
  assert.equal(look(), [undefined, undefined])
  submit(block)
  await core.tick()
  assert.equal(look(), [at(1, 0, 0), at(1, 1, 0)])
})

test('tells blocks on the live feed in the shape that clients of the operator read', async () => {
  const { core, submit, l1 } = createScene()
  submit(makeBlock(1, 2, [pay(alice, D0, [[bob, 100n]])]))
  await core.tick()
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  const events = core.journal.readSince('blocks', 0, 10).map(({ data }) => data)
  for (const event of events) blockEventSchema.parse(event)
  assert.equal(
    events.map(({ number, stage, state, submission }) => [number, stage, state, submission !== undefined]),
    [
      [1, 'committed', 'committed', true],
      [1, 'committed', 'verified', true],
      [1, 'sealed', 'dropped', false],
    ],
  )
})

test.run()

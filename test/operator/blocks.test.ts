import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import { rootFromLog, siblingNodes } from '../../operator/blockLog.ts'
import { hashWitnesses } from '../../protocol/block.ts'
import { bytesToHex, hexToBytes } from '../../protocol/bytes.ts'
import { decodeBody } from '../../protocol/codec.ts'
import { createTree, isIncluded, proveLeaf } from '../../protocol/merkle.ts'
import { decodePosition, encodePosition } from '../../protocol/position.ts'
import { leafOf } from '../../protocol/transaction.ts'
import { alice, bob, carol, codeOf, createWorld, hashOf, logs, operatorActor, pay, type World } from './fixture.ts'

const test = suite<{ world: World }>('operator blocks')

test.before.each((context) => {
  context.world = createWorld()
})
test.after.each(({ world }) => world.close())

/** Accepts `count` payments of alice from deposits of their own. */
function acceptMany(world: World, count: number): number[] {
  const inputs = Array.from({ length: count }, () => world.deposit(alice, 1n))
  return inputs.map((input) => world.accept(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] })))
}

function seal(world: World): void {
  world.clock.ms += 4_000
  world.core.step()
}

/** L1 mines the newest submission. */
function mineSubmission(world: World, first: number, last: number): void {
  world.see(world.l1.mine(1, [logs.submitted(first, world.commitments(first, last))]))
}

test('cuts a block when it is full, inside one batch, and goes on in the next', ({ world }) => {
  const inputs = Array.from({ length: 6 }, () => world.deposit(alice, 1n))
  const outcomes = world.admit(
    ...inputs.map((input) => pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] })),
  )
  const places = outcomes.map((outcome) =>
    outcome.status === 'accepted' ? decodePosition(outcome.position) : undefined,
  )
  assert.equal(
    places.map((place) => [place?.block, place?.index]),
    [
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 0],
      [2, 1],
    ],
  )
  assert.is(world.core.views.block(1)?.txCount, 4)
  assert.is(world.core.views.block(2), undefined, 'the open block is nobody else’s business')
})

test('cuts a block on time counted from its first payment, not from its opening', ({ world }) => {
  world.clock.ms += 50_000
  world.core.step()
  acceptMany(world, 1)
  world.clock.ms += 3_999
  world.core.step()
  assert.is(world.core.blockLog.sealed(), 0)
  world.clock.ms += 1
  world.core.step()
  assert.is(world.core.blockLog.sealed(), 1)
})

test('cuts an empty block after a long silence on L1, and no second one before L1 has the first', ({ world }) => {
  // The root contract is two blocks of a second each old.
  world.see(world.l1.mine(97))
  assert.is(world.core.blockLog.sealed(), 0)
  world.see(world.l1.mine(1))
  assert.equal(world.commitments(1, 1), [{ root: `0x${'00'.repeat(32)}`, txCount: 0, anchor: 101 }])
  world.see(world.l1.mine(5))
  assert.is(world.core.blockLog.sealed(), 1)
  mineSubmission(world, 1, 1)
  world.see(world.l1.mine(99))
  assert.is(world.core.blockLog.sealed(), 1)
  world.see(world.l1.mine(1))
  assert.is(world.core.blockLog.sealed(), 2)
})

test('counts silence on the clock of L1, which judges it, and never on its own', ({ world }) => {
  world.clock.ms += 500_000
  world.core.step()
  assert.is(world.core.blockLog.sealed(), 0)
  world.see(world.l1.mine(50))
  world.restart()
  world.see(world.l1.mine(47))
  assert.is(world.core.blockLog.sealed(), 0, 'a restart neither begins the silence anew nor ends it')
  world.see(world.l1.mine(1))
  assert.is(world.core.blockLog.sealed(), 1)
})

test('after a reorg that took the newest block back, silence counts from the one below it', ({ world }) => {
  world.see(world.l1.mine(98))
  mineSubmission(world, 1, 1)
  const submittedAt = world.l1.tip
  world.see(world.l1.mine(5))
  assert.is(world.core.view.silence(), 5)
  world.see(world.l1.reorg(submittedAt - 1))
  assert.is(world.core.view.silence(), world.l1.tip - 3)
})

test('cuts a block before its anchor grows too old, whatever the clock says', ({ world }) => {
  acceptMany(world, 1)
  const anchor = world.core.blockLog.open()?.anchor.number ?? 0
  while (world.l1.tip - anchor <= 22 - 8) {
    assert.is(world.core.blockLog.sealed(), 0)
    world.see(world.l1.mine())
  }
  assert.is(world.core.blockLog.sealed(), 1)
})

test('builds on nothing until the root contract itself is deep enough on L1', () => {
  const world = createWorld({ finalityDepth: 5 })
  assert.is(world.core.blockLog.open(), undefined)
  const input = world.deposit(alice, 1n)
  assert.is(world.core.blockLog.open()?.anchor.number, 3)
  assert.is(codeOf(world.admit(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))[0]), 'DEPOSIT_PENDING')
  world.close()
})

test('submits one call at a time, and in order', ({ world }) => {
  acceptMany(world, 4)
  world.core.step()
  assert.is(world.sender.sent.at(-1)?.purpose, 'submit block 1')
  acceptMany(world, 4)
  world.core.step()
  assert.is(world.core.blockLog.sealed(), 2)
  assert.is(world.sender.sent.length, 1)
  mineSubmission(world, 1, 1)
  assert.is(world.sender.sent.at(-1)?.purpose, 'submit block 2')
  mineSubmission(world, 2, 2)
  assert.is(world.sender.sent.length, 2)
  assert.is(world.core.views.block(2)?.stage, 'committed')
  world.see(world.l1.mine(2))
  assert.is(world.core.views.block(2)?.stage, 'final')
})

test('puts several sealed blocks into one call with the hash of the last anchor', ({ world }) => {
  const inputs = Array.from({ length: 12 }, () => world.deposit(alice, 1n))
  world.admit(...inputs.map((input) => pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] })))
  world.core.step()
  const sent = world.sender.sent.at(-1)!
  const { args } = decodeFunctionData({ abi: iLifeboatAbi, data: sent.data })
  assert.is(sent.purpose, 'submit blocks 1 to 3')
  assert.equal(args?.[1], world.commitments(1, 3))
  assert.is(args?.[2], world.l1.hashOf(world.commitments(3, 3)[0]!.anchor))
  assert.is(sent.lastL1Block, world.commitments(1, 1)[0]!.anchor + 22)
})

test('submits again after an L1 reorg dropped the submission, and not before L1 has moved on', ({ world }) => {
  acceptMany(world, 1)
  seal(world)
  const ancestor = world.l1.tip
  mineSubmission(world, 1, 1)
  world.sender.states.set(world.sender.sent[0]!.key, { state: 'mined', l1Block: ancestor + 1 })
  world.core.step()
  assert.is(world.core.view.committed(), 1)
  assert.is(world.sender.sent.length, 1)
  world.see(world.l1.reorg(ancestor))
  assert.is(world.core.view.committed(), 0)
  assert.is(world.core.views.block(1)?.stage, 'sealed')
  assert.is(world.sender.sent.length, 2)
  assert.is(world.sender.sent[1]?.data, world.sender.sent[0]?.data)
  world.memory.assertNoErrors()
})

test('waits while the outbox knows that a submission is mined in an L1 block that it has not seen itself', ({
  world,
}) => {
  acceptMany(world, 1)
  seal(world)
  world.sender.states.set(world.sender.sent[0]!.key, { state: 'mined', l1Block: world.l1.tip + 2 })
  world.see(world.l1.mine())
  assert.is(world.sender.sent.length, 1)
})

test('tries a refused submission once per L1 block and says what is wrong', ({ world }) => {
  acceptMany(world, 1)
  seal(world)
  world.sender.states.set(world.sender.sent[0]!.key, { state: 'failed', words: 'NotOperator: got 0x1' })
  world.core.step()
  world.core.step()
  assert.is(world.sender.sent.length, 1)
  assert.match(world.core.problems.all()[0]!.words, 'NotOperator')
  world.see(world.l1.mine())
  assert.is(world.sender.sent.length, 2)
  mineSubmission(world, 1, 1)
  assert.equal(world.core.problems.all(), [])
})

test('says that a submission does not get on once it has been stuck for some L1 blocks', ({ world }) => {
  acceptMany(world, 1)
  seal(world)
  world.sender.states.set(world.sender.sent[0]!.key, { state: 'waiting', words: 'over-budget: 5 gwei' })
  world.see(world.l1.mine(3))
  assert.equal(world.core.problems.all(), [])
  world.see(world.l1.mine(1))
  assert.match(world.core.problems.all()[0]!.words, 'over-budget')
  assert.is(world.core.problems.blocking(), undefined)
  mineSubmission(world, 1, 1)
  assert.equal(world.core.problems.all(), [])
})

test('gives a block whose anchor became too old a younger one, and keeps root and positions', ({ world }) => {
  const [position] = acceptMany(world, 1)
  seal(world)
  const before = world.core.views.block(1)!
  world.see(world.l1.mine(30))
  const after = world.core.views.block(1)!
  assert.is(after.root, before.root)
  assert.is(after.anchor, world.l1.tip - 2)
  assert.is(after.anchorHash, world.l1.hashOf(after.anchor))
  const { args } = decodeFunctionData({ abi: iLifeboatAbi, data: world.sender.sent.at(-1)!.data })
  assert.equal(args?.[1], world.commitments(1, 1))
  assert.is(decodeBody(world.core.views.body(1)!).anchor, after.anchor)
  assert.is(
    world.core.views.transaction(bytesToHex(hashOf(decodeBody(world.core.views.body(1)!).transactions[0]!)))?.position,
    position,
  )
})

test('promises nothing on an anchor that it knows to be too old, also between its look at L1 and its next step', ({
  world,
}) => {
  const input = world.deposit(alice, 1n)
  world.core.applyL1(world.l1.mine(30), world.l1.cursor)
  world.accept(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))
  const { anchor } = world.core.blockLog.open()!
  assert.is(anchor.number, world.l1.tip - 2)
  world.core.step()
  assert.equal(world.core.blockLog.open()!.anchor, anchor, 'what was promised stays')
  world.memory.assertNoErrors()
})

test('re-anchors a block whose anchor an L1 reorg took away', ({ world }) => {
  const input = world.deposit(alice, 1n)
  world.see(world.l1.mine(3))
  world.accept(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))
  seal(world)
  const before = world.core.views.block(1)!
  world.see(world.l1.reorg(before.anchor - 1))
  const after = world.core.views.block(1)!
  assert.is.not(after.anchorHash, before.anchorHash)
  assert.is(after.anchorHash, world.l1.hashOf(after.anchor))
  assert.is(after.root, before.root)
})

test('prefers an older usable anchor when a lock forbids the youngest', ({ world }) => {
  const input = world.deposit(alice, 1n)
  world.accept(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))
  seal(world)
  world.see(world.l1.mine(18))
  const lockedAt = world.l1.tip + 1
  world.see(world.l1.mine(6, [logs.exitStarted(input, alice.address, lockedAt)]))
  const after = world.core.views.block(1)!
  assert.ok(after.anchor < lockedAt, `anchor ${after.anchor}, lock ${lockedAt}`)
  assert.ok(after.anchor + 22 > world.l1.tip)
  // What was promised on the first anchor came too late, and that is told; the block itself goes on.
  assert.equal(
    world.core.problems.all().map(({ code }) => code),
    ['RECEIPTS_BROKEN'],
  )
})

test('stops loudly when no anchor can carry what it promised', ({ world }) => {
  const input = world.deposit(alice, 1n)
  const other = world.deposit(alice, 1n)
  world.accept(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))
  seal(world)
  world.see(world.l1.mine(1, [logs.exitStarted(input, alice.address, world.l1.tip + 1)]))
  world.see(world.l1.mine(40))
  const [problem] = world.core.problems.all()
  assert.is(problem?.code, 'ANCHOR_STUCK')
  assert.match(problem!.words, /was locked in L1 block/)
  assert.is(world.core.problems.blocking()?.code, 'ANCHOR_STUCK')
  assert.is(
    world.core.views.transaction(bytesToHex(hashOf(pay({ inputs: [other], outputs: [[bob, 1n]], signers: [alice] })))),
    undefined,
  )
})

test('adopts the older anchor when a submission that it had given up is the one that was mined', ({ world }) => {
  acceptMany(world, 1)
  seal(world)
  const [old] = world.commitments(1, 1)
  world.see(world.l1.mine(30))
  world.see(world.l1.mine(1, [logs.submitted(1, [old!])]))
  assert.is(world.core.views.block(1)?.anchor, old!.anchor)
  assert.is(world.core.view.committed(), 1)
  assert.is(world.memory.of('block.foreign').length, 0)
  assert.is(world.memory.of('receipts.broken').length, 1, 'when it was moved, nobody could know')
})

test('stops accepting when L1 holds a block that it did not cut', ({ world }) => {
  const commitment = { root: bytesToHex(new Uint8Array(32).fill(1)), txCount: 3, anchor: 3 }
  world.see(world.l1.mine(1, [logs.submitted(1, [commitment])]))
  assert.is(world.core.problems.blocking()?.code, 'FOREIGN_BLOCK')
  assert.is(world.memory.of('block.foreign').length, 1)
  world.restart()
  assert.is(world.core.problems.blocking()?.code, 'FOREIGN_BLOCK')
})

test('stops accepting when another key operates the chain', ({ world }) => {
  world.see(world.l1.mine(1, [logs.rotated(bob.address)]))
  assert.is(world.core.problems.blocking()?.code, 'OPERATOR_ROTATED')
  world.see(world.l1.mine(1, [logs.rotated(operatorActor.address)]))
  assert.is(world.core.problems.blocking(), undefined)
})

test('forgets an unspent deposit that an L1 reorg took back, and credits it again where it returns', ({ world }) => {
  const ancestor = world.l1.tip
  const position = world.deposit(alice, 5n)
  world.see(world.l1.reorg(ancestor))
  assert.equal(world.core.views.outputs(alice.address, {}).outputs, [])
  world.see(world.l1.mine(3, [logs.deposited(position, bob.address, 6n)]))
  assert.equal(
    world.core.views.outputs(bob.address, {}).outputs.map(({ amount }) => amount),
    [6n],
  )
  world.memory.assertNoErrors()
})

test('stops when an L1 reorg below finality took back a deposit that was spent, and goes on when it returns', ({
  world,
}) => {
  const ancestor = world.l1.tip
  const position = world.deposit(alice, 5n)
  world.accept(pay({ inputs: [position], outputs: [[bob, 5n]], signers: [alice] }))
  world.see(world.l1.reorg(ancestor))
  assert.is(world.core.problems.blocking()?.code, 'DEPOSIT_LOST')
  world.restart()
  assert.is(world.core.problems.blocking()?.code, 'DEPOSIT_LOST')
  world.see(world.l1.mine(3, [logs.deposited(position, alice.address, 5n)]))
  assert.is(world.core.problems.blocking(), undefined)
})

test('shows an owner what to show on L1: the path of its transaction in the block that was cut', ({ world }) => {
  const positions = acceptMany(world, 4)
  const position = positions[2]!
  assert.throws(() => world.core.views.exitData(position), /not on L1 yet/)
  mineSubmission(world, 1, 1)
  const data = world.core.views.exitData(position)
  assert.is(data?.kind, 'transaction')
  if (data?.kind !== 'transaction') return
  const signed = world.core.views.transaction(data.txHash)!
  const leaf = leafOf(hashOf(signed), hashWitnesses(signed.witnesses))
  const path = data.proof.path.map(hexToBytes)
  assert.ok(isIncluded(leaf, 2, { root: hexToBytes(data.header.root), txCount: data.header.txCount, path }))
  assert.is(data.header.timestamp, world.l1.timestampOf(world.l1.tip))
  assert.is(world.core.views.exitData(encodePosition({ block: 9, index: 0, output: 0 })), undefined)
})

test('shows a deposit as what it is', ({ world }) => {
  const position = world.deposit(carol, 5n)
  const data = world.core.views.exitData(position)
  assert.equal(data?.kind === 'deposit' && [data.output.owner, data.output.amount], [carol.address, 5n])
})

test('stores trees whose siblings are those of the specification, for every size and leaf', () => {
  for (let count = 1; count <= 33; count++) {
    const tree = createTree(Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i + 1)))
    const nodes = tree.levels.flat()
    for (let index = 0; index < count; index++) {
      assert.equal(
        siblingNodes(count, index).map((node) => nodes[node]),
        proveLeaf(tree, index),
        `${index} of ${count}`,
      )
    }
  }
})

test('opens with the same log, the same open block and the same root after a restart', ({ world }) => {
  acceptMany(world, 6)
  const open = world.core.blockLog.open()
  world.restart()
  assert.equal(world.core.blockLog.open(), open)
  assert.equal(bytesToHex(rootFromLog(world.core.transactions, 1)), world.core.views.block(1)?.root)
  seal(world)
  assert.equal(bytesToHex(rootFromLog(world.core.transactions, 2)), world.core.views.block(2)?.root)
})

test.run()

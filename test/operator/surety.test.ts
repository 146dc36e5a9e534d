/** What the operator answers for (docs/spec.md 8.6 to 8.8): its bond, data challenges, receipts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { findAnswers } from '../../operator/answers.ts'
import { createReceiptDesk, toCompact } from '../../operator/receipts.ts'
import { bytesToHex, type Hash, hexToBytes, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import type { DataChallenge } from '../../protocol/dataChallenge.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import { createTree } from '../../protocol/merkle.ts'
import { decodePosition } from '../../protocol/position.ts'
import { hashReceiptBatch, isInBatch } from '../../protocol/receipt.ts'
import { leafOf } from '../../protocol/transaction.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { signDigest } from '../../signatures/sign.ts'
import { alice, BOND, bob, createWorld, DOMAIN, ETH, hashOf, logs, operatorActor, pay, type World } from './fixture.ts'

const test = suite('operator: surety')
const separator = domainSeparator(DOMAIN)
let world: World
test.before.each(() => {
  world = createWorld()
})
test.after.each(() => world.close())

const payment = (input: number, amount: bigint) => pay({ inputs: [input], outputs: [[bob, amount]], signers: [alice] })
const problems = () => world.core.problems.all().map(({ code }) => code)

/** Three blocks' worth of payments, cut, the first of four transactions. */
function fillBlocks(): void {
  const inputs = Array.from({ length: 6 }, () => world.deposit(alice, 5n))
  for (const input of inputs) world.accept(payment(input, 5n))
  world.clock.ms += 10_000
  world.core.step()
}

function challengeOf(blockNumber: number, first: number, levels: number, startedAt = 0): DataChallenge {
  const { root, txCount } = world.core.views.block(blockNumber) ?? { root: ETH as Hash, txCount: 0 }
  return {
    ...{ blockNumber, first, levels, root, txCount, startedAt, blockTime: 0, halved: false },
    ...{ challenger: ZERO_ADDRESS, bond: 10n ** 18n },
  }
}

const revealed = (data: `0x${string}`) => {
  const { args } = decodeFunctionData({ abi: iSuretyAbi, data })
  const [, , challenges, transactions] = args as unknown as [
    number,
    number,
    readonly DataChallenge[],
    readonly unknown[],
  ]
  return [challenges.map(({ first, levels }) => `${first}/${levels}`), transactions.length] as const
}
const tipTime = () => world.core.view.tip()?.timestamp ?? 0

test('a bond below the least ends admission, with what is missing, until L1 has it again', () => {
  const input = world.deposit(alice, 5n)
  assert.equal(problems(), [])
  world.see(world.l1.mine(1, [logs.bondSlashed(BOND / 2n, BOND / 2n)]))
  assert.equal(problems(), ['NOT_BONDED'])
  assert.match(world.core.problems.blocking()?.words ?? '', /500000000000000000 wei.*1000000000000000000/)
  assert.equal(world.core.surety.bond(), { wei: BOND / 2n, slashedWei: BOND / 2n })
  world.restart()
  assert.equal(problems(), ['NOT_BONDED'], 'after a restart as well')
  world.see(world.l1.mine(1, [logs.bondPosted(BOND)]))
  assert.equal(problems(), [])
  world.accept(payment(input, 5n))
})

test('a slash that an L1 reorg takes back was none', () => {
  world.see(world.l1.mine(1, [logs.bondSlashed(BOND / 2n, BOND / 2n)]))
  world.see(world.l1.reorg(world.l1.tip - 1))
  assert.equal(problems(), [])
  assert.equal(world.core.surety.bond(), { wei: BOND, slashedWei: 0n })
})

test('a demanded range is revealed, with what is demanded inside it in the same call, once', () => {
  fillBlocks()
  const at = tipTime()
  world.see(
    world.l1.mine(1, [
      logs.dataChallenged(challengeOf(1, 0, 2, at)),
      logs.dataChallenged(challengeOf(1, 2, 0, at)),
      logs.dataChallenged(challengeOf(2, 1, 0, at)),
    ]),
  )
  assert.equal(
    world.sender.answers.map(({ call }) => revealed(call.data)),
    [
      [['0/2', '2/0'], 4],
      [['1/0'], 1],
    ],
  )
  assert.is(world.sender.answers[0]?.deadline, at + 30)
  world.see(world.l1.mine(1))
  assert.is(world.sender.answers.length, 2, 'what is under way is not asked for again')
})

test('an answer that ended without being mined is asked for again, one that L1 has is not', () => {
  fillBlocks()
  const challenge = challengeOf(1, 0, 1, tipTime())
  world.see(world.l1.mine(1, [logs.dataChallenged(challenge)]))
  const [first] = world.sender.answers
  world.sender.states.set(first?.key ?? '', { state: 'failed', words: 'expired' })
  world.see(world.l1.mine(1))
  assert.is(world.sender.answers.length, 2)
  world.sender.states.set(first?.key ?? '', { state: 'failed', words: 'expired' })
  world.see(world.l1.mine(1, [logs.dataRevealed(challenge)]))
  assert.is(world.sender.answers.length, 2)
  world.see(world.l1.reorg(world.l1.tip - 1))
  assert.is(world.sender.answers.length, 3, 'the reorg took the answer back')
})

test('a challenge that an L1 reorg takes back, or whose time is over, needs no answer', () => {
  fillBlocks()
  world.see(world.l1.mine(1, [logs.dataChallenged(challengeOf(1, 0, 0, tipTime() - 1_000))]))
  assert.equal(world.sender.answers, [])
  assert.is(world.core.surety.openChallenges().length, 1)
  world.see(world.l1.reorg(world.l1.tip - 1))
  assert.equal(world.core.surety.openChallenges(), [])
})

test('challenges are answered on a halted chain and after a restart too', () => {
  fillBlocks()
  world.see(world.l1.mine(1, [logs.dataChallenged(challengeOf(1, 0, 0, tipTime()))]))
  world.sender.states.clear()
  world.restart()
  world.core.step()
  assert.is(world.sender.answers.length, 2)
})

test('a receipt names the place, the anchor, and is signed for with all that were asked for in the same turn', async () => {
  const signatures: number[] = []
  const desk = createReceiptDesk({
    log: world.memory.log,
    separator,
    anchorOf: (block) => world.core.blockLog.anchorOf(block),
    sign: (digest) => {
      signatures.push(digest.length)
      return signDigest(digest, operatorActor.key)
    },
  })
  const inputs = [1, 2, 3, 4, 5].map(() => world.deposit(alice, 5n))
  const promised = inputs.map((input) => {
    const signed = payment(input, 5n)
    return { txHash: bytesToHex(hashOf(signed)), position: world.accept(signed) }
  })
  const [some, one, none] = await Promise.all([desk.give(promised), desk.give(promised.slice(1, 2)), desk.give([])])
  assert.equal([some.length, one.length, none.length, signatures.length], [5, 1, 0, 1])
  for (const [i, given] of some.entries()) {
    const { block, index } = decodePosition(promised[i]!.position)
    const anchor = world.core.blockLog.anchorOf(block)
    assert.equal(given.receipt, {
      txHash: promised[i]!.txHash,
      blockNumber: block,
      index,
      anchor: anchor.number,
      anchorHash: anchor.hash,
    })
    assert.ok(isInBatch(given))
    const digest = hashReceiptBatch(given.root, given.count, separator)
    assert.is(recoverAddress(digest, hexToBytes(given.signature)), operatorActor.address)
  }
  assert.equal(one[0]?.receipt, some[1]?.receipt)
})

test('a receipt says the same after its block was cut, and after a restart', async () => {
  const desk = () =>
    createReceiptDesk({
      log: world.memory.log,
      separator,
      anchorOf: (block) => world.core.blockLog.anchorOf(block),
      sign: (digest) => signDigest(digest, operatorActor.key),
    })
  const signed = payment(world.deposit(alice, 5n), 5n)
  const promised = { txHash: bytesToHex(hashOf(signed)), position: world.accept(signed) }
  const [before] = await desk().give([promised])
  world.see(world.l1.mine(5))
  const [later] = await desk().give([promised])
  world.clock.ms += 10_000
  world.core.step()
  world.restart()
  const [after] = await desk().give([promised])
  assert.equal(later, before, 'L1 went on')
  assert.equal(after, before, 'cut, and started again')
})

test('what the signer throws reaches everybody who asked, and the next ask is signed', async () => {
  let fails = true
  const desk = createReceiptDesk({
    log: world.memory.log,
    separator,
    anchorOf: () => ({ number: 1, hash: `0x${'11'.repeat(32)}` }),
    sign: (digest) => {
      if (fails) throw new Error('no key')
      return signDigest(digest, operatorActor.key)
    },
  })
  const asks = [desk.give([{ txHash: `0x${'22'.repeat(32)}`, position: 2 ** 25 }])]
  for (const ask of asks) {
    try {
      await ask
      assert.unreachable()
    } catch (error) {
      assert.is((error as Error).message, 'no key')
    }
  }
  fails = false
  assert.is((await desk.give([{ txHash: `0x${'22'.repeat(32)}`, position: 2 ** 25 }])).length, 1)
})

test("a wallet's 65-byte signature becomes the compact one", () => {
  const r = '11'.repeat(32)
  const s = `22${'00'.repeat(31)}`
  assert.is(bytesToHex(toCompact(`0x${r}${s}1b`)), `0x${r}${s}`)
  assert.is(bytesToHex(toCompact(`0x${r}${s}1c`)), `0x${r}a2${'00'.repeat(31)}`)
})

test('however much is demanded inside a range, its answer is one act with a name that the outbox takes', () => {
  const signed = payment(2 ** 26, 5n)
  const body = encodeTransaction(signed)
  const leaves = Array.from({ length: 32 }, () => leafOf(hashOf(signed), keccak256(signed.witnesses)))
  const tree = createTree(leaves)
  const root = bytesToHex(tree.root)
  const whole = { ...challengeOf(1, 0, 5), root, txCount: 32 }
  const open = [whole, ...leaves.map((_, first) => ({ ...whole, first, levels: 0 }))]
  const keys: string[] = []
  const step = findAnswers({
    surety: { ...world.core.surety, openChallenges: () => open },
    transactions: { ...world.core.transactions, bodiesOf: () => leaves.map(() => body) },
    blockLog: { ...world.core.blockLog, rootOf: () => root, treeOf: () => tree },
    view: world.core.view,
    sender: { answer: ({ key }) => void keys.push(key), isUnderWay: () => false },
    dataResponsePeriod: 10 ** 10,
    answerBudgetWei: 1n,
  })
  step?.()
  assert.is(keys.length, 1)
  assert.ok((keys[0] as string).length < 200, keys[0])
})

test('a challenge of a block that is not ours is left alone, and one that cannot be answered stops nothing', () => {
  fillBlocks()
  const foreign = { ...challengeOf(1, 0, 0, tipTime()), root: `0x${'99'.repeat(32)}` as Hash }
  world.see(world.l1.mine(1, [logs.dataChallenged(foreign)]))
  assert.equal(world.sender.answers, [])
  world.sender.answer = () => {
    throw new Error('the outbox refuses')
  }
  world.see(world.l1.mine(1, [logs.dataChallenged(challengeOf(2, 0, 0, tipTime()))]))
  assert.equal(problems(), ['ANSWER_FAILED'])
  world.accept(payment(world.deposit(alice, 5n), 5n))
})

test('nothing more is promised while what is promised may come too late, and broken receipts are told', () => {
  const inputs = [world.deposit(alice, 5n), world.deposit(alice, 5n)]
  world.accept(payment(inputs[0] as number, 5n))
  world.clock.ms += 10_000
  world.core.step()
  const { number } = world.core.blockLog.anchorOf(1)
  const age = () => (world.core.view.tip()?.number ?? 0) - number
  // No submission is mined. 22 L1 blocks are allowed, 4 of them kept for the submission.
  while (age() < 18) world.see(world.l1.mine(1))
  assert.equal(problems(), [])
  world.see(world.l1.mine(1))
  assert.equal(problems(), ['RECEIPTS_AT_RISK'])
  assert.is(world.core.problems.blocking()?.code, 'RECEIPTS_AT_RISK')
  while (age() < 22) world.see(world.l1.mine(1))
  assert.equal(problems(), ['RECEIPTS_BROKEN'], 'the block has a younger anchor now, and goes on')
  assert.is(world.core.problems.blocking(), undefined)
})

test('a later block keeps its good anchor when an earlier one has grown too old', () => {
  world.accept(payment(world.deposit(alice, 5n), 5n))
  world.clock.ms += 10_000
  world.core.step()
  world.see(world.l1.mine(6))
  world.accept(payment(world.deposit(alice, 5n), 5n))
  world.clock.ms += 10_000
  world.core.step()
  const second = world.core.blockLog.anchorOf(2)
  const first = world.core.blockLog.anchorOf(1)
  assert.ok(second.number > first.number)
  // No submission is mined; the first anchor gets too old, the second not yet.
  while ((world.core.view.tip()?.number ?? 0) < first.number + 22) world.see(world.l1.mine(1))
  assert.equal(world.core.blockLog.anchorOf(1), second, 'takes the one that is promised anyway')
  assert.equal(world.core.blockLog.anchorOf(2), second)
})

test.run()

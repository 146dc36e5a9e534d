/** What disputes and a halt on L1 mean for the operator. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AbiEvent, encodeAbiParameters, encodeEventTopics, getAbiItem } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import type { RawLog } from '../../l1/receipts.ts'
import { bytesToHex, type Hash, type Hex, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodePosition, outputIdOf } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { type Actor, alice, bob, carol, codeOf, createWorld, ETH, hashOf, pay, ROOT, type World } from './fixture.ts'

const test = suite<{ world: World }>('operator and disputes')

test.before.each((context) => {
  context.world = createWorld()
})
test.after.each(({ world }) => world.close())

function logOf(eventName: 'DisputeStarted' | 'ExitStarted' | 'HaltMoved', args: Record<string, unknown>): RawLog {
  const event = getAbiItem({ abi: iLifeboatAbi, name: eventName }) as AbiEvent
  const rest = event.inputs.filter(({ indexed }) => !indexed)
  return {
    address: ROOT,
    topics: encodeEventTopics({ abi: [event], eventName, args }) as Hash[],
    data: encodeAbiParameters(rest, rest.map(({ name }) => args[name as string]) as never) as Hex,
    logIndex: 0,
    transactionIndex: 0,
    transactionHash: ZERO_HASH,
  }
}

/** A dispute about a payment with one input of `owner`, in the next L1 block. */
function dispute(world: World, signed: SignedTransaction, owner: Actor): RawLog {
  const lockedAt = world.l1.tip + 1
  const txHash = bytesToHex(hashOf(signed))
  const [input] = signed.transaction.inputs as [number]
  const shown = {
    outputId: ZERO_HASH,
    madeBy: ZERO_HASH,
    position: BigInt(input),
    owner: owner.address,
    token: ETH,
    amount: 5n,
    lockedAt,
  }
  return logOf('DisputeStarted', {
    txHash,
    dispute: {
      txHash,
      agePosition: BigInt(input),
      ageTime: 0,
      startedAt: 1,
      exitableAt: 2,
      lockedAt,
      suspends: 1,
      starter: owner.address,
      bond: 1n,
      inputsHash: ZERO_HASH,
    },
    inputs: [shown],
    outputs: signed.transaction.outputs,
    memo: signed.transaction.memo,
    witnesses: bytesToHex(signed.witnesses),
  })
}

function exitThrough(world: World, signed: SignedTransaction, [owner, output]: readonly [Actor, number]): RawLog {
  const [input] = signed.transaction.inputs as [number]
  return logOf('ExitStarted', {
    outputId: outputIdOf(hashOf(signed), output),
    position: BigInt(input),
    owner: owner.address,
    token: ETH,
    amount: 1n,
    young: false,
    seq: 0,
    startedAt: 1,
    exitableAt: 2,
    lockedAt: world.l1.tip + 1,
    payer: owner.address,
    bond: 1n,
    disputed: bytesToHex(hashOf(signed)),
  })
}

test('includes a disputed payment that it never saw, while its anchor is older than the lock', ({ world }) => {
  const input = world.deposit(alice, 5n)
  const signed = pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] })
  world.see(world.l1.mine(1, [dispute(world, signed, alice)]))
  assert.equal(world.memory.lines.filter(({ event }) => event === 'dispute.included').length, 1)
  assert.is(world.core.views.transaction(bytesToHex(hashOf(signed)))?.stage, 'accepted')
  const again = pay({ inputs: [input], outputs: [[carol, 5n]], signers: [alice] })
  assert.is(codeOf(world.admit(again)[0]), 'INPUT_SPENT')
})

test('does not include a disputed payment whose input it gave to another one, and says so once', ({ world }) => {
  const input = world.deposit(alice, 5n)
  world.accept(pay({ inputs: [input], outputs: [[carol, 5n]], signers: [alice] }))
  const signed = pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] })
  world.see(world.l1.mine(1, [dispute(world, signed, alice)]))
  world.core.step()
  world.core.step()
  assert.is(world.memory.lines.filter(({ event }) => event === 'dispute.not_includable').length, 1)
  assert.is(world.core.views.transaction(bytesToHex(hashOf(signed))), undefined)
})

test('takes no other payment of a disputed input, and no spend of an output that leaves through the dispute', ({
  world,
}) => {
  const input = world.deposit(alice, 5n)
  const signed = pay({
    inputs: [input],
    outputs: [
      [bob, 2n],
      [alice, 3n],
    ],
    signers: [alice],
  })
  const position = world.accept(signed)
  world.see(world.l1.mine(1, [dispute(world, signed, alice)]))
  world.see(world.l1.mine(1, [exitThrough(world, signed, [bob, 0])]))
  const spend = (output: number, owner: Actor, amount: bigint) =>
    codeOf(world.admit(pay({ inputs: [position + output], outputs: [[carol, amount]], signers: [owner] }))[0])
  assert.is(spend(0, bob, 2n), 'INPUT_EXITING')
  assert.is(spend(1, alice, 3n), 'ACCEPTED', 'the other output stays free')
})

test('locks an output that was leaving before the disputed payment got its place', ({ world }) => {
  const input = world.deposit(alice, 5n)
  const signed = pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] })
  world.see(world.l1.mine(1, [exitThrough(world, signed, [bob, 0]), dispute(world, signed, alice)]))
  const position = world.core.views.transaction(bytesToHex(hashOf(signed)))?.position as number
  assert.is(
    codeOf(world.admit(pay({ inputs: [position], outputs: [[carol, 5n]], signers: [bob] }))[0]),
    'INPUT_EXITING',
  )
  world.restart()
  assert.is(
    codeOf(world.admit(pay({ inputs: [position], outputs: [[carol, 5n]], signers: [bob] }))[0]),
    'INPUT_EXITING',
  )
})

test('an L1 reorg takes the dispute and its locks back', ({ world }) => {
  const input = world.deposit(alice, 5n)
  const signed = pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] })
  const position = world.accept(signed)
  const before = world.l1.tip
  world.see(world.l1.mine(1, [dispute(world, signed, alice), exitThrough(world, signed, [bob, 0])]))
  const spend = pay({ inputs: [position], outputs: [[carol, 5n]], signers: [bob] })
  assert.is(codeOf(world.admit(spend)[0]), 'INPUT_EXITING')
  world.see(world.l1.reorg(before))
  assert.is(codeOf(world.admit(spend)[0]), 'ACCEPTED')
})

test('stops at once when the chain is halted, says so, and goes on when L1 takes the halt back', ({ world }) => {
  const input = world.deposit(alice, 5n)
  const before = world.l1.tip
  world.see(world.l1.mine(1, [logOf('HaltMoved', { voidFrom: 1, isMove: true })]))
  assert.match(world.core.problems.blocking()?.words ?? '', /halted/)
  const sent = world.sender.sent.length
  world.clock.ms += 1_000_000
  world.core.step()
  assert.is(world.sender.sent.length, sent)
  world.restart()
  assert.is(world.core.problems.blocking()?.code, 'HALTED')
  world.see(world.l1.reorg(before))
  assert.is(world.core.problems.blocking(), undefined)
  world.accept(pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] }))
})

test('positions of a dispute are those of its own inputs', ({ world }) => {
  const other = world.deposit(bob, 5n)
  const input = world.deposit(alice, 5n)
  world.see(world.l1.mine(1, [dispute(world, pay({ inputs: [input], outputs: [[bob, 5n]], signers: [alice] }), alice)]))
  assert.is(codeOf(world.admit(pay({ inputs: [other], outputs: [[carol, 5n]], signers: [bob] }))[0]), 'ACCEPTED')
  assert.is(encodePosition({ block: 0, index: 2 ** 20, output: 0 }), other)
})

test.run()

/** Standard exits on the real contract, by honest and by hostile hands. */
import * as assert from 'uvu/assert'
import { encodeDropEvidence, encodeRelease, encodeSettle } from '../../l1/rootCalls.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import {
  balance,
  bond,
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type RootChain } from '../support/rootChain.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol } = actors
const { test, world, mep } = rootSuite('standard exits')
let chain: RootChain
test.before(() => {
  chain = world.chain
})

test('an owner takes a payment out and gets amount and bond back, less the bounty', async () => {
  const input = await deposit(chain, alice)
  const block = await submit(chain, [
    await chain.pay(alice, input, [
      [bob, ETHER / 4n],
      [alice, (ETHER * 3n) / 4n],
    ]),
  ])
  const exit = await startExit(chain, bob, [block, 0, 0])
  assert.is(exit.exitableAt, block.header.timestamp + 2 * mep())
  assert.ok(exit.young)
  const before = await balance(chain, bob)
  await passTo(chain, exit.exitableAt + 1)
  const processor = await balance(chain, carol)
  const { receipt } = await process(chain, turnsOf([exit], [block]))
  const bounty = (exit.bond * 60_000n) / 400_000n
  assert.is((await balance(chain, bob)) - before, ETHER / 4n + exit.bond - bounty)
  assert.is((await balance(chain, carol)) - processor, bounty - receipt.gasUsed * receipt.effectiveGasPrice)
  assert.is(await stateOf(chain, exit), 'settled')
})

test('a deposit that was never spent leaves after one period', async () => {
  const input = await deposit(chain, alice)
  const exit = await startDepositExit(chain, alice, input)
  assert.is(exit.exitableAt, exit.startedAt + mep())
  await passTo(chain, exit.exitableAt - 2)
  await nextAt(chain, exit.exitableAt)
  await refuses('NothingToDo', () => process(chain, turnsOf([exit])))
  await nextAt(chain, exit.exitableAt + 1)
  await chain.client.mine({ blocks: 1 })
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('one output exits once, and a second exit of it never starts', async () => {
  const input = await deposit(chain, alice)
  const exit = await startDepositExit(chain, alice, input)
  await refuses('AlreadyExiting', () => startDepositExit(chain, alice, input))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await refuses('AlreadyExiting', () => startDepositExit(chain, alice, input))
  await refuses('NothingToDo', () => process(chain, turnsOf([exit])))
})

test('a thief who exits a spent output is removed, and pays the challenger', async () => {
  const input = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, input, [[bob, ETHER]])])
  const exit = await startDepositExit(chain, mallory, input)
  const before = await balance(chain, watcher)
  const { receipt, events } = await challenge(chain, exit, [block, 0])
  const paid = (await balance(chain, watcher)) - before + receipt.gasUsed * receipt.effectiveGasPrice
  assert.is(paid, events.flatMap((event) => (event.type === 'EvidenceShown' ? [event.reward] : []))[0])
  assert.ok(paid > receipt.gasUsed * 10n ** 9n, 'the reward covers the cost at a base fee of 1 gwei')
  await passTo(chain, exit.exitableAt + 1)
  const thief = await balance(chain, mallory)
  await process(chain, turnsOf([exit], [], [block]))
  assert.is(await balance(chain, mallory), thief)
  assert.is(await stateOf(chain, exit), 'removed')
})

test('the honest heir of a challenged exit is paid in full', async () => {
  const input = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, input, [[bob, ETHER]])])
  const theft = await startDepositExit(chain, mallory, input)
  const honest = await startExit(chain, bob, [block, 0, 0])
  await challenge(chain, theft, [block, 0])
  await passTo(chain, Math.max(theft.exitableAt, honest.exitableAt) + 1)
  const before = await balance(chain, bob)
  await process(chain, turnsOf([theft, honest], [block], [block]))
  assert.ok((await balance(chain, bob)) - before >= ETHER)
  assert.is(await stateOf(chain, honest), 'settled')
})

test('a challenge is accepted at the last second of its window and refused one later', async () => {
  const input = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, input, [[bob, ETHER]])])
  const exit = await startDepositExit(chain, mallory, input)
  const deadline = evidenceDeadline(exit.exitableAt, mep())
  await passTo(chain, deadline - 5)
  const inner = await chain.client.snapshot()
  await nextAt(chain, deadline)
  await challenge(chain, exit, [block, 0])
  await chain.client.revert({ id: inner })
  await nextAt(chain, deadline + 1)
  await chain.client.mine({ blocks: 1 })
  await refuses('EvidenceTooLate', () => challenge(chain, exit, [block, 0]))
})

test('a spend in a block anchored at or after the lock is no evidence (H4)', async () => {
  const input = await deposit(chain, alice)
  const spend = await chain.pay(alice, input, [[bob, ETHER]])
  const exit = await startDepositExit(chain, alice, input)
  const late = await submit(chain, [spend])
  assert.ok(late.header.anchor >= exit.lockedAt)
  await refuses('SpendTooYoung', () => challenge(chain, exit, [late, 0]))
})

test('a block anchored before the lock still counts, however late it comes (C1)', async () => {
  const input = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, input)
  const late = await submit(chain, [await chain.pay(alice, input, [[bob, ETHER]])], anchor)
  await challenge(chain, exit, [late, 0])
  assert.is(await stateOf(chain, exit), 'queued', 'removal waits until nothing can void the block (P4)')
  await passTo(chain, late.header.timestamp + mep() + 1)
  await process(chain, turnsOf([exit], [], [late]))
  assert.is(await stateOf(chain, exit), 'removed')
})

test('pay and spend in one breath: no block can spend the output once the exit can pay (C1)', async () => {
  const input = await deposit(chain, mallory)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, mallory, input)
  await passTo(chain, exit.exitableAt + 1)
  await refuses('AnchorTooOld', async () => submit(chain, [await chain.pay(mallory, input, [[bob, ETHER]])], anchor))
})

test("evidence must be the exit owner's own signature", async () => {
  const input = await deposit(chain, alice)
  const forged = await chain.pay(mallory, input, [[mallory, ETHER]])
  const block = await submit(chain, [forged])
  const exit = await startDepositExit(chain, alice, input)
  await refuses('WitnessForged', () => challenge(chain, exit, [block, 0]))
})

test('evidence must spend this very output', async () => {
  const input = await deposit(chain, alice)
  const other = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, other, [[bob, ETHER]])])
  const exit = await startDepositExit(chain, alice, input)
  await refuses('InputMismatch', () => challenge(chain, exit, [block, 0]))
})

test('the same spend is evidence once', async () => {
  const input = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, input)
  const block = await submit(chain, [await chain.pay(alice, input, [[bob, ETHER]])], anchor)
  await challenge(chain, exit, [block, 0])
  await refuses('EvidenceKnown', () => challenge(chain, exit, [block, 0]))
})

test('evidence adds up: a piece that falls does not shield the exit from another (H-C)', async () => {
  const input = await deposit(chain, mallory)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, mallory, input)
  const first = await submit(chain, [await chain.pay(mallory, input, [[bob, ETHER]])], anchor)
  const second = await submit(chain, [await chain.pay(mallory, input, [[carol, ETHER]])], anchor)
  await challenge(chain, exit, [first, 0], { from: mallory })
  await challenge(chain, exit, [second, 0])
  await setInvalid(place(first))
  await drop(exit.outputId, place(first))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [], [second]))
  assert.is(await stateOf(chain, exit), 'ticket', 'postponed, reserved, not paid')
  await refuses('NothingToDo', () => settle([exit]))
  await release(exit, second)
  assert.is(await stateOf(chain, exit), 'removed')
})

test('an exit whose only evidence fell is paid in its place', async () => {
  const input = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, input)
  const forged = await submit(chain, [await chain.pay(alice, input, [[bob, ETHER]])], anchor)
  await challenge(chain, exit, [forged, 0], { from: mallory })
  await refuses('EvidenceStands', () => drop(exit.outputId, place(forged)))
  await setInvalid(place(forged))
  await drop(exit.outputId, place(forged))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('a spend out of an old, final block removes nothing before the turn, so that it can still be disproved (K6)', async () => {
  const input = await deposit(chain, alice)
  const old = await submit(chain, [await chain.pay(alice, input, [[bob, ETHER]])])
  await passTo(chain, old.header.timestamp + mep() + 1)
  const exit = await startDepositExit(chain, alice, input)
  await challenge(chain, exit, [old, 0], { from: mallory })
  assert.is(await stateOf(chain, exit), 'queued')
  await setInvalid(place(old))
  await drop(exit.outputId, place(old))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [], [old]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('an exit of a void block is never paid, and its bond goes back less the bounty (C2)', async () => {
  const input = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, input, [[mallory, ETHER]])])
  const exit = await startExit(chain, mallory, [block, 0, 0])
  await setHalt(block.number)
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [block]))
  assert.is(await stateOf(chain, exit), 'locked')
  const credit = await chain.read<bigint>('credit', [`0x${'0'.repeat(40)}`, mallory.address])
  assert.is(credit, exit.bond - (exit.bond * 60_000n) / 400_000n)
  await refuses('BlockVoid', () => startExit(chain, mallory, [block, 0, 0]))
})

test('a move of the halt postpones what is not paid, in its place, and pays after a full period (K2)', async () => {
  const input = await deposit(chain, alice)
  const exit = await startDepositExit(chain, alice, input)
  await passTo(chain, exit.exitableAt - 5)
  const { timestamp } = await chain.client.getBlock()
  await setHalt(1_000, Number(timestamp))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'ticket')
  await refuses('NothingToDo', () => settle([exit]))
  await passTo(chain, Number(timestamp) + mep() + 1)
  await settle([exit])
  assert.is(await stateOf(chain, exit), 'settled')
})

test('a watcher exits for an owner who only signed a mandate; the money goes to the owner, the bond to the watcher', async () => {
  const input = await deposit(chain, alice)
  const mandate = await signMandate(chain, alice, {})
  const exit = await startDepositExit(chain, alice, input, ETHER, { from: watcher, mandate })
  assert.is(exit.payer, watcher.address)
  const before = await balance(chain, alice)
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is((await balance(chain, alice)) - before, ETHER)
  assert.ok((await chain.read<bigint>('credit', [`0x${'0'.repeat(40)}`, watcher.address])) > 0n)
})

test('a mandate covers its delegate, period, output, amount and series, and nothing else', async () => {
  const input = await deposit(chain, alice)
  const now = Number((await chain.client.getBlock()).timestamp)
  const start = async (fields: object, from = watcher) => {
    const mandate = await signMandate(chain, alice, fields)
    return startDepositExit(chain, alice, input, ETHER, { from, mandate })
  }
  await refuses('MandateRefused', () => start({}, mallory))
  await refuses('MandateRefused', () => start({ validUntil: now - 1 }))
  await refuses('MandateRefused', () => start({ validFrom: now + 10_000 }))
  await refuses('MandateRefused', () => start({ position: input + 16 }))
  await refuses('MandateRefused', () => start({ minAmount: ETHER + 1n }))
  const forged = await signMandate(chain, mallory, { owner: alice.address })
  await refuses('WitnessForged', () => startDepositExit(chain, alice, input, ETHER, { from: watcher, mandate: forged }))
  await start({ position: input, delegate: `0x${'0'.repeat(40)}` }, mallory)
})

test("a delegate's bond is no prize for a spend that nobody could have known (R12)", async () => {
  const input = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const mandate = await signMandate(chain, alice, {})
  const exit = await startDepositExit(chain, alice, input, ETHER, { from: watcher, mandate })
  const hidden = await submit(chain, [await chain.pay(alice, input, [[mallory, ETHER]])], anchor)
  const before = await balance(chain, mallory)
  const { receipt } = await challenge(chain, exit, [hidden, 0], { from: mallory })
  const reward = (await balance(chain, mallory)) - before + receipt.gasUsed * receipt.effectiveGasPrice
  const rest = await chain.read<bigint>('credit', [`0x${'0'.repeat(40)}`, watcher.address])
  const bounty = (exit.bond * 60_000n) / 400_000n
  assert.is(reward + rest + bounty, exit.bond)
  assert.ok(rest > exit.bond / 2n, 'most of the bond goes back to the delegate')
})

test('nobody but the owner starts an exit without a mandate', async () => {
  const input = await deposit(chain, alice)
  await refuses('DepositUnknown', () => startDepositExit(chain, mallory, input))
  const block = await submit(chain, [await chain.pay(alice, input, [[bob, ETHER]])])
  await refuses('NotOwner', () => startExit(chain, mallory, [block, 0, 0]))
})

test('a deposit exit names the amount that was deposited, to the wei', async () => {
  const input = await deposit(chain, alice)
  await refuses('DepositUnknown', () => startDepositExit(chain, alice, input, ETHER + 1n))
  await refuses('DepositUnknown', () => startDepositExit(chain, alice, input, ETHER - 1n))
  await refuses('DepositUnknown', () => startDepositExit(chain, alice, input + 16))
})

test('a bond below the fee reference is refused', async () => {
  const input = await deposit(chain, alice)
  const want = (await bond(chain)) / 2n
  await refuses('BondTooSmall', () => startDepositExit(chain, alice, input, ETHER, { bondWei: want / 2n }))
})

async function setInvalid(position: number): Promise<void> {
  await setByHand(chain, 'setInvalid', [BigInt(position), true])
}

async function setHalt(voidFrom: number, lastMove = 0): Promise<void> {
  await setByHand(chain, 'setHalt', [voidFrom, lastMove])
}

async function drop(outputId: `0x${string}`, spend: number): Promise<void> {
  await chain.send(carol.account, encodeDropEvidence(outputId, spend))
}

async function settle(exits: Parameters<typeof turnsOf>[0]): Promise<void> {
  await chain.send(carol.account, encodeSettle(exits))
}

async function release(exit: Parameters<typeof stateOf>[1], block: Awaited<ReturnType<typeof submit>>): Promise<void> {
  await chain.send(carol.account, encodeRelease(exit, { spend: place(block), header: block.header }))
}

test.run()

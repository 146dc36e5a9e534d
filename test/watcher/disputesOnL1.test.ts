/** The real root contract's events, folded by the watcher: state, lock and verdict are what the contract keeps, after every act. */
import * as assert from 'uvu/assert'
import { encodeRelease } from '../../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../l1/rootEvents.ts'
import { type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { rootSuite, setByHand } from '../contracts/rootSuite.ts'
import {
  answer,
  decide,
  deposited,
  includedIn,
  inherit,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import { heldState } from '../support/heldState.ts'
import {
  deposit,
  ETHER,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { createFakePeer } from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const { alice, bob, carol, mallory } = actors
const { test, world } = rootSuite('watcher: disputes on L1')

/** A watcher that has folded all that the contract ever said. */
async function fold() {
  const { client, root } = world.chain
  const logs = await client.getLogs({ address: root, fromBlock: 0n })
  const byBlock = new Map<number, RootEvent[]>()
  for (const { blockNumber, blockHash, logIndex, transactionHash, topics, data } of logs) {
    const { timestamp } = await client.getBlock({ blockHash })
    const block = { number: Number(blockNumber), hash: blockHash, timestamp: Number(timestamp) }
    const events = decodeRootEvents(block, [{ topics: topics as Hash[], data, logIndex, transactionHash }])
    byBlock.set(block.number, [...(byBlock.get(block.number) ?? []), ...events])
  }
  const core = createTestCore({ l1: createFakeL1(), peers: [createFakePeer('nobody').peer] })
  const hashAt = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as Hash
  for (let number = 0; number <= Math.max(...byBlock.keys()); number++) {
    const events = byBlock.get(number) ?? []
    const timestamp = events[0]?.at.l1Timestamp ?? 0
    const parentHash = number === 0 ? ZERO_HASH : hashAt(number - 1)
    core.rootLog.append({ number, hash: hashAt(number), parentHash, timestamp, baseFeePerGas: 1n }, events)
  }
  return core
}

async function agrees(...exits: readonly Exit[]): Promise<string[]> {
  const core = await fold()
  const states: string[] = []
  for (const exit of exits) {
    const record = core.exits.record(exit.outputId)
    const want = await stateOf(world.chain, exit)
    const held = record && heldState(record)
    const got = held === 'removed' ? (core.exits.stateOf(exit.outputId) ?? 'locked') : (held ?? 'locked')
    assert.is(got, want)
    if (want !== 'locked') assert.equal(record?.exit, exit)
    const [, , evidence, , , , contested] = await world.chain.read<readonly unknown[]>('exitRecord', [exit.outputId])
    assert.is(record?.contested ?? false, contested)
    if (exit.disputed === ZERO_HASH) assert.is(BigInt(record?.evidence[0] ?? 0), evidence)
    states.push(record?.state ?? 'none')
  }
  return states
}

test('a ticket of an input is cancelled by the verdict and inherited by the output, to the last act', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const input = await startDepositExit(chain, alice, position)
  const signed = await chain.pay(alice, position, [
    [bob, ETHER / 4n],
    [alice, (ETHER * 3n) / 4n],
  ])
  const started = await startDispute(chain, signed, [deposited(alice)], { exits: [input] })
  const output = await startDisputedExit(chain, bob, started, 0)
  assert.equal(await agrees(input, output), ['queued', 'queued'])
  await passTo(chain, output.exitableAt + 1)
  await process(chain, turnsOf([input, output]))
  assert.equal(await agrees(input, output), ['ticket', 'ticket'])
  await decide(chain, started)
  assert.equal(await agrees(input, output), ['cancelled-ticket', 'ticket'])
  await inherit(chain, started, output)
  await agrees(input, output)
  await chain.send(carol.account, encodeRelease(input))
  const [last] = await agrees(input)
  assert.is(last, 'removed')
})

test('an exit of an input that waits in the queue is cancelled, and leaves at its turn', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const started = await startDispute(chain, signed, [deposited(alice)])
  await passTo(chain, started.dispute.startedAt + 1_000)
  const input = await startDepositExit(chain, alice, position)
  assert.is(input.lockedAt, started.dispute.lockedAt)
  await passTo(chain, started.dispute.exitableAt + 1)
  await decide(chain, started)
  assert.equal(await agrees(input), ['cancelled'])
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  assert.equal(await agrees(input), ['removed'])
})

test('a verdict against the transaction contests its inputs and removes its outputs', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, [deposited(alice)])
  const input = await startDepositExit(chain, alice, position)
  const output = await startDisputedExit(chain, bob, started)
  await showCompetitor(chain, started, await chain.pay(alice, position, [[mallory, ETHER]]))
  await passTo(chain, output.exitableAt + 1)
  await decide(chain, started)
  const core = await fold()
  const record = core.disputes.record(started.dispute.txHash)
  assert.is(record?.state, 'not-canonical')
  assert.equal(record?.dispute, started.dispute)
  assert.equal(record?.inputs, started.inputs)
  assert.is(record?.competitors[0]?.position, 0)
  await process(chain, turnsOf([input, output], [block]))
  assert.equal(await agrees(input, output), ['settled', 'removed'])
  assert.is((await fold()).exits.stateOf(output.outputId), 'removed')
})

test('an answer is kept with its place; an exit of an invalid inclusion may start again', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [signed])
  const exit = await startExit(chain, bob, [block, 0, 0])
  await setByHand(chain, 'setInvalid', [BigInt(place(block)), true])
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [block]))
  assert.equal(await agrees(exit), ['removed'])
  assert.is((await fold()).exits.stateOf(exit.outputId), undefined)
  await setByHand(chain, 'setInvalid', [BigInt(place(block)), false])
  const again = await startExit(chain, bob, [block, 0, 0])
  assert.is(again.lockedAt, exit.lockedAt)
  assert.equal(await agrees(again), ['queued'])
  const other = await submit(chain, [await chain.pay(carol, await deposit(chain, carol), [[bob, ETHER]])])
  const disputed = other.transactions[0]!
  const started = await startDispute(chain, disputed, [deposited(carol)])
  await answer(chain, started, includedIn(chain, other))
  assert.equal((await fold()).disputes.record(started.dispute.txHash)?.answers, [place(other)])
})

test.run()

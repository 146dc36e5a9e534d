/** Fraud proofs on the real contract (spec 8.5): complete and sound, and what a proof does to the chain. */
import * as assert from 'uvu/assert'
import { encodeCloseChain, encodeDepositEth, encodeFraudProof, encodeHaltAbandoned } from '../../l1/rootCalls.ts'
import { buildFraudProof, type FraudProof } from '../../protocol/fraud.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { BlockFault } from '../../protocol/validity.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { fuzzFraud } from '../support/fraudFuzz.ts'
import { createFraudWorld, type FraudWorld } from '../support/fraudWorld.ts'
import {
  nextAt,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, eventOf, type RootChain } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, mallory, operator, watcher } = actors
const { test, world, mep } = rootSuite('fraud proofs')
printSeed('fraud proofs')
/** Long runs: `npm run fuzz`. */
const BLOCKS = 60

async function commit(fraud: FraudWorld, transactions: readonly SignedTransaction[]): Promise<ChildBlock> {
  return submit(fraud.chain, transactions, fraud.anchor)
}

function proofOf(fraud: FraudWorld, block: ChildBlock): FraudProof {
  const { fault, state } = fraud.opinion(block.transactions)
  return buildFraudProof(block.number, fault as BlockFault, fraud.sourceOf(block, state))
}

test('a block breaks a rule if and only if a proof succeeds, and three opinions agree on which', async () => {
  const seen = await fuzzFraud(world, { seed, blocks: BLOCKS })
  assert.ok(seen.size >= 6, `too few kinds of faults: ${[...seen.keys()].join(', ')}`)
})

/** A block whose one transaction spends Alice's coin with Mallory's signature. */
async function forgedBlock(): Promise<{ fraud: FraudWorld; block: ChildBlock; proof: FraudProof }> {
  const fraud = await createFraudWorld(world.chain, world.url)
  const [coin] = fraud.coins
  const signed = await world.chain.sign(
    (await world.chain.pay(mallory, coin!.position, [[mallory, coin!.amount]])).transaction,
    [mallory],
  )
  const block = await commit(fraud, [signed])
  return { fraud, block, proof: proofOf(fraud, block) }
}

const prove = (chain: RootChain, proof: FraudProof) => chain.send(watcher.account, encodeFraudProof(proof))

test('a proof halts the chain at its block: no more blocks, no more deposits, and its outputs never leave', async () => {
  const { chain } = world
  const { fraud, block, proof } = await forgedBlock()
  const theft = await startExit(chain, mallory, [block, 0, 0])
  const { events, timestamp } = await prove(chain, proof)
  assert.is(eventOf(events, 'TransactionDisproved').position, place(block))
  assert.is(eventOf(events, 'HaltMoved').voidFrom, block.number)
  const head = await chain.read<readonly number[]>('head')
  assert.equal([head[0], Number(head[6])], [block.number, timestamp])
  await refuses('ChainHalted', () => submit(chain, []))
  await refuses('ChainHalted', () => chain.send(alice.account, encodeDepositEth(alice.address, 1n)))
  await refuses('BlockVoid', () => startExit(chain, mallory, [block, 0, 0]))
  await refuses('NothingToDo', () => prove(chain, proof))
  await passTo(chain, theft.exitableAt + mep())
  await process(chain, turnsOf([...fraud.exits.values(), theft], [...fraud.blocks, block]))
  assert.is(await stateOf(chain, theft), 'locked')
})

test('a proof that comes too late to void the block still takes the transaction away', async () => {
  const { chain } = world
  const { block, proof } = await forgedBlock()
  const id = await chain.client.snapshot()
  await nextAt(chain, block.header.timestamp + mep())
  assert.is(eventOf((await prove(chain, proof)).events, 'HaltMoved').voidFrom, block.number)
  await chain.client.revert({ id })
  await nextAt(chain, block.header.timestamp + mep() + 1)
  const { events } = await prove(chain, proof)
  assert.is(
    events.some((event) => event.type === 'HaltMoved'),
    false,
  )
  assert.ok(await chain.read<boolean>('isInvalid', [BigInt(place(block))]))
  await refuses('NothingToDo', () => prove(chain, proof))
  await refuses('TransactionInvalid', () => startExit(chain, mallory, [block, 0, 0]))
  assert.is((await submit(chain, [])).number, block.number + 1, 'the chain goes on')
})

test('the halt only moves down, and each move restarts the periods', async () => {
  const { chain } = world
  const { fraud, block, proof } = await forgedBlock()
  const second = await commit(fraud, block.transactions)
  const early = buildFraudProof(
    second.number,
    { ...fraud.opinion(block.transactions).fault!, index: 0 },
    {
      ...fraud.sourceOf(block, fraud.opinion(block.transactions).state),
      transactionAt: (position) =>
        position === place(second)
          ? { position, signed: second.transactions[0]!, header: second.header, proof: proof.offence.proof }
          : fraud.sourceOf(block, fraud.opinion(block.transactions).state).transactionAt(position),
    },
  )
  assert.is(eventOf((await prove(chain, early)).events, 'HaltMoved').voidFrom, second.number)
  assert.is(eventOf((await prove(chain, proof)).events, 'HaltMoved').voidFrom, block.number)
  assert.is((await chain.read<readonly number[]>('head'))[0], block.number)
})

test('a chain that nobody continues is closed by anyone after its time, one that its operator closes at once; neither voids anything', async () => {
  const { chain } = world
  const block = await submit(chain, [])
  const id = await chain.client.snapshot()
  await refuses('NotOperator', () => chain.send(carol.account, encodeCloseChain()))
  const closed = await chain.send(operator.account, encodeCloseChain())
  assert.equal(eventOf(closed.events, 'HaltMoved').voidFrom, block.number + 1)
  await refuses('ChainHalted', () => chain.send(operator.account, encodeCloseChain()))
  await chain.client.revert({ id })
  await nextAt(chain, block.header.timestamp + chain.parameters.abandonPeriod)
  await refuses('TooEarly', () => chain.send(carol.account, encodeHaltAbandoned()))
  await chain.client.mine({ blocks: 1 })
  await passTo(chain, block.header.timestamp + chain.parameters.abandonPeriod + 1)
  const { events } = await chain.send(carol.account, encodeHaltAbandoned())
  const { voidFrom, isMove } = eventOf(events, 'HaltMoved')
  assert.equal([voidFrom, isMove], [block.number + 1, false])
  assert.is(Number((await chain.read<readonly number[]>('head'))[6]), 0, 'nothing is restarted')
})

test('after a close an invalid block below it can still be voided', async () => {
  const { chain } = world
  const { block, proof } = await forgedBlock()
  await chain.send(operator.account, encodeCloseChain())
  assert.is(eventOf((await prove(chain, proof)).events, 'HaltMoved').voidFrom, block.number)
})

test('after a halt older outputs and deposits leave as they stand, a whole period after it', async () => {
  const { chain } = world
  const { fraud, proof } = await forgedBlock()
  const { timestamp } = await prove(chain, proof)
  const payment = await startExit(chain, mallory, [fraud.blocks[0]!, 1, 1])
  const owned = await startDepositExit(chain, bob, [...fraud.deposits.keys()][4]!)
  const all = [...fraud.exits.values(), payment, owned]
  await passTo(chain, Math.max(...all.map(({ exitableAt }) => exitableAt), timestamp + mep()) + 1)
  await process(chain, turnsOf(all, fraud.blocks))
  assert.equal(await Promise.all([payment, owned].map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
})

test.run()

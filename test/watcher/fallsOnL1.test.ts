/** A whole watcher on the real root contract: what fell late, and what a fall leaves behind, keeps nobody from their money (ADR 0023). */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import { dropDeadline } from '../../protocol/massExit.ts'
import { refuses, rootSuite } from '../contracts/rootSuite.ts'
import { depositAt, lockBatch, openEntry, spendAt, startBatch, strike } from '../support/batchMoves.ts'
import {
  createBait,
  drop,
  forgeryProof,
  GARBAGE,
  haltAt,
  memoOf,
  release,
  settle,
  submitBad,
} from '../support/haltMoves.ts'
import {
  balance,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, proveInBlock } from '../support/rootChain.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, erin, mallory } = actors
const { test, world, mep } = rootSuite('watcher: what falls, on L1')

test('two shares of an output whose exit fell, and whose owner does nothing, keep nobody behind them waiting for ever', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(alice)
  const bait = await createBait(chain)
  const hers = await deposit(chain, alice)
  const made = await chain.pay(bob, await deposit(chain, bob), [[mallory, ETHER]])
  const block = await submit(chain, [made])
  watcher.serve(block)
  await passTime(chain, mep() + 10)
  const bad = await submitBad(chain, bait, [{ transaction: made.transaction, witnesses: GARBAGE }])
  const fake = await startExit(chain, mallory, [bad, 0, 0])
  await haltAt(chain, bad)
  const ofErin = await startDepositExit(chain, erin, bait.position)
  const entries = [{ position: place(block), amount: ETHER }]
  const batches = [
    await startBatch(chain, entries, { lastBlock: block, from: carol }),
    await startBatch(chain, entries, { lastBlock: block, from: mallory }),
  ]
  for (const batch of batches) await lockBatch(chain, batch, undefined, mallory)
  const own = await startDepositExit(chain, alice, hers)
  const items = batches.map(({ item }) => item!)
  await passTo(chain, Math.max(...[fake, own, ...items].map(({ exitableAt }) => exitableAt)) + 1)
  await process(chain, turnsOf([fake, ofErin, ...items, own], [bad, block]))
  assert.equal([await stateOf(chain, fake), await stateOf(chain, own)], ['locked', 'ticket'])
  for (let period = 0; period < 3; period++) {
    await watcher.actAll()
    await passTime(chain, mep())
  }
  await watcher.actAll()
  assert.is(await stateOf(chain, own), 'settled')
  watcher.log.assertNoErrors()
})

/** Mallory's deposit is spent in a block that the watcher has; a hidden one spends it again, and she strikes her own entry with that. */
async function shielded() {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  const spent = await deposit(chain, mallory)
  const hers = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(mallory, spent, [[carol, ETHER]])])
  watcher.serve(block)
  const hidden = await submit(chain, [await chain.pay(mallory, spent, [[mallory, ETHER]], memoOf('again'))])
  await passTime(chain, mep() + 10)
  const batch = await startBatch(chain, [{ position: spent, amount: ETHER }], { from: mallory })
  const item = await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, hidden, 0, spent)], mallory)
  const at = (of: ChildBlock) => ({
    position: place(of),
    signed: of.transactions[0]!,
    header: of.header,
    proof: proveInBlock(chain, of, 0),
  })
  const shown = { kind: 'deposit', deposit: { owner: mallory.address, token: ETH, amount: ETHER } } as const
  const proof = { rule: 'V3', offence: at(hidden), input: 0, shown, earlier: at(block), earlierInput: 0 } as const
  const proveHidden = () => chain.send(mallory.account, encodeFraudProof(proof))
  return { watcher, spent, hers, block, hidden, batch, item, proveHidden }
}

test('a shield that fell too late is opened where it is in the way, and what it shielded is challenged and removed', async () => {
  const { chain } = world
  const { watcher, block, hers, item, proveHidden } = await shielded()
  const exits = [await startDepositExit(chain, alice, hers), await startExit(chain, carol, [block, 0, 0])]
  await watcher.act()
  await passTo(chain, dropDeadline(item.exitableAt, mep()) + 1)
  await watcher.act()
  await passTo(chain, Math.max(...[item, ...exits].map(({ exitableAt }) => exitableAt)) + 1)
  await proveHidden()
  await process(chain, turnsOf([item, ...exits], [block]))
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'ticket'])
  await watcher.protect(carol)
  for (let period = 0; period < 2; period++) {
    await watcher.actAll()
    await passTime(chain, mep())
  }
  await watcher.actAll()
  assert.is(await stateOf(chain, exits[1]!), 'settled')
  watcher.log.assertNoErrors()
})

test('nor does the thief get through who opens it herself', async () => {
  const { chain } = world
  const { watcher, block, hidden, batch, item, proveHidden } = await shielded()
  await watcher.act()
  await passTo(chain, item.exitableAt + 1)
  await proveHidden()
  await process(chain, turnsOf([item]))
  const opened = await openEntry(chain, batch, 0, depositAt(mallory, ETHER), mallory)
  await drop(chain, opened, hidden)
  assert.ok((await watcher.act()).done.includes('challenge'))
  await passTo(chain, opened.exitableAt + 1)
  await refuses('NothingToDo', () => settle(chain, [opened]))
  await release(chain, opened, block)
  assert.is(await stateOf(chain, opened), 'removed')
  watcher.log.assertNoErrors()
})

test('an entry of a protected owner is opened, cleared and paid where the strike against it fell too late to be dropped', async () => {
  const { chain } = world
  const watcher = await createSuretyWatcher(world)
  await watcher.protect(alice)
  const [hers, other] = [await deposit(chain, alice), await deposit(chain, mallory, 7n)]
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER + 7n, condition: memoOf('') }]
  // Half-signed, as an offer; in the hidden block the other half is garbage.
  const half = await chain.sign({ inputs: [hers, other], outputs, memo: memoOf('') }, [alice, mallory])
  half.witnesses.set(GARBAGE, 64)
  const hidden = await submit(chain, [half])
  await passTime(chain, mep() + 10)
  const batch = await startBatch(chain, [{ position: hers, amount: ETHER }])
  const item = await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, hidden, 0, hers)], mallory)
  await passTo(chain, dropDeadline(item.exitableAt, mep()) + 1)
  await chain.send(mallory.account, encodeFraudProof(forgeryProof(chain, hidden, 0, [mallory, 7n, 1])))
  await passTo(chain, item.exitableAt + 1)
  await process(chain, turnsOf([item]))
  const before = await balance(chain, alice)
  const done = await watcher.actAll()
  assert.ok(done.includes('open'), done.join(' '))
  await passTime(chain, mep())
  await watcher.actAll()
  assert.is(await balance(chain, alice), before + ETHER)
  watcher.log.assertNoErrors()
})

test.run()

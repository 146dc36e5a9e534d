/** V6 and mass exits (docs/spec.md 4.2, 6.4.5): a lock is for ever, and the oldest one counts, whatever becomes of the entry. */
import * as assert from 'uvu/assert'
import { encodeProveLockedInBatch } from '../../l1/massExitContract.ts'
import { encodeFraudProof, encodeSettle } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import {
  at,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  spendAt,
  startBatch,
  strike,
  type TestBatch,
  turnBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { memoOf } from '../support/haltMoves.ts'
import { balance, deposit, ETHER, passTo, place, submit } from '../support/moves.ts'
import { actors, type ChildBlock, ETH, eventOf, proveInBlock, Reverted, type RootChain } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: locks')

function offenceAt(chain: RootChain, block: ChildBlock, index = 0) {
  const signed = block.transactions[index]!
  return { position: place(block, index), signed, header: block.header, proof: proveInBlock(chain, block, index) }
}

const shownOf = (owner: { address: `0x${string}` }) =>
  ({ kind: 'deposit', deposit: { owner: owner.address, token: ETH, amount: ETHER } }) as const

async function proveLocked(chain: RootChain, block: ChildBlock, exit: Exit | undefined) {
  const proof = { rule: 'V6', offence: offenceAt(chain, block), input: 0, shown: shownOf(mallory), exit } as const
  const { events } = await chain.send(watcher.account, encodeFraudProof(proof))
  return eventOf(events, 'TransactionDisproved')
}

/** A dispute locked Mallory's deposit; then a block spent it; only then a batch locked it. */
async function lockTwice(chain: RootChain, { isCanonical = false, isStruck = false }) {
  const position = await deposit(chain, mallory)
  await deposit(chain, alice)
  const dispute = await startDispute(chain, await chain.pay(mallory, position, [[bob, ETHER]]), [deposited(mallory)])
  const batch = await startBatch(chain, [{ position, amount: ETHER }], { from: mallory })
  const late = await submit(chain, [await chain.pay(mallory, position, [[mallory, ETHER]], memoOf('late'))])
  await lockBatch(chain, batch)
  const other = await chain.pay(mallory, position, [[mallory, ETHER]], memoOf('other'))
  if (!isCanonical) await showCompetitor(chain, dispute, other)
  if (isStruck) await strike(chain, batch, [spendAt(chain, late, 0, position)])
  await passTo(chain, dispute.dispute.exitableAt + 1)
  assert.is((await decide(chain, dispute)).verdict, isCanonical ? 'canonical' : 'not-canonical')
  await turnBatch(chain, batch)
  return { batch, late }
}

/** By a claim, or opened and settled: whichever door there is. */
async function takeOut(chain: RootChain, batch: TestBatch): Promise<Exit | undefined> {
  const before = await balance(chain, mallory)
  let exit: Exit | undefined
  try {
    await claim(chain, batch, [[0, depositAt(mallory, ETHER)]])
  } catch (error) {
    if (!(error instanceof Reverted)) throw error
    exit = await openEntry(chain, batch, 0, depositAt(mallory, ETHER), watcher)
    await passTo(chain, exit.exitableAt + 1)
    await chain.send(watcher.account, encodeSettle([exit]))
  }
  assert.is(await balance(chain, mallory), before + ETHER)
  return exit
}

test('a lock older than the batch still bars a spend after the entry was paid', async () => {
  const { chain } = world
  const { batch, late } = await lockTwice(chain, {})
  await proveLocked(chain, late, await takeOut(chain, batch))
})

test('a lock older than the batch still bars a spend after the entry that a verdict passed on was opened', async () => {
  const { chain } = world
  const { batch, late } = await lockTwice(chain, { isCanonical: true })
  const exit = await openEntry(chain, batch, 0, depositAt(mallory, ETHER))
  await proveLocked(chain, late, exit)
})

test('a spend that an older lock forbade holds up no entry', async () => {
  const { chain } = world
  const { batch } = await lockTwice(chain, { isStruck: true })
  await takeOut(chain, batch)
})

test('a batch locks what its entries name from its lock on, not from its start, and nothing that is off by one wei', async () => {
  const { chain } = world
  const positions = [await deposit(chain, mallory), await deposit(chain, mallory)]
  const batch = await startBatch(chain, [
    { position: positions[0]!, amount: ETHER },
    { position: positions[1]!, amount: ETHER - 1n },
  ])
  const early = await submit(chain, [await chain.pay(mallory, positions[0]!, [[bob, ETHER]])])
  await lockBatch(chain, batch)
  const late = await submit(chain, [
    await chain.pay(mallory, positions[0]!, [[alice, ETHER]], memoOf('late')),
    await chain.pay(mallory, positions[1]!, [[alice, ETHER]]),
  ])
  const prove = (block: ChildBlock, index: number, entry: number) =>
    chain.send(
      watcher.account,
      encodeProveLockedInBatch(offenceAt(chain, block, index), 0, shownOf(mallory), batch.batch, at(batch, entry)),
    )
  await refuses('ProofFailed', () => prove(early, 0, 0))
  await refuses('ProofFailed', () => prove(late, 1, 1))
  await refuses('ProofFailed', () => prove(late, 1, 0))
  const { events } = await prove(late, 0, 0)
  assert.is(eventOf(events, 'HaltMoved').voidFrom, late.number)
})

test('a dissolved or unlocked batch locks nothing', async () => {
  const { chain } = world
  const position = await deposit(chain, mallory)
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  const block = await submit(chain, [await chain.pay(mallory, position, [[alice, ETHER]])])
  const call = encodeProveLockedInBatch(offenceAt(chain, block), 0, shownOf(mallory), batch.batch, at(batch, 0))
  await refuses('BatchUnexpected', () => chain.send(watcher.account, call))
})

test.run()

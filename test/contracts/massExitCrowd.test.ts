/**
 * One honest batch of 10,000 entries, 5 % of them poisoned: spent by whoever listed them (docs/spec.md section 6.4, docs/mass-exit.md). Every
 * honest owner is paid, no poisoned entry is, and the coordinator loses no more than is stated there.
 */
import * as assert from 'uvu/assert'
import { type FullBlock, proofAt, submitFull } from '../../bench/gasBlocks.ts'
import type { EntryOutput, EntrySpend } from '../../l1/massExitContract.ts'
import type { Address } from '../../protocol/bytes.ts'
import { encodePosition } from '../../protocol/position.ts'
import { createOutput, type SignedTransaction } from '../../protocol/transaction.ts'
import { claim, closeBatch, lockBatch, openEntry, startBatch, strike, turnBatch } from '../support/batchMoves.ts'
import { balance, deposit, ETHER, NO_MEMO, nextAt, passTime } from '../support/moves.ts'
import { actors, ETH, eventOf } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: a poisoned crowd')

const COUNT = 10_000
/** Every twentieth is Mallory's. */
const EVERY = 20
const EACH = 10n ** 15n
const POISONED = COUNT / EVERY
/** Gas that a struck entry takes from the bond, spec 6.4.8. */
const STRUCK_GAS = 95_000n

const ownerOf = (i: number): Address =>
  i % EVERY === 0 ? mallory.address : `0x${(2n ** 150n + BigInt(i)).toString(16).padStart(40, '0')}`

function signedAt(transactions: readonly SignedTransaction[], index: number): SignedTransaction {
  return transactions[index] as SignedTransaction
}

test('10,000 entries, 500 of them poisoned: every honest owner is paid, and the coordinator loses what is stated', async () => {
  const { chain } = world
  await deposit(chain, alice, 11n * ETHER)
  // Two outputs each; whether their inputs exist is not what L1 asks of a claim.
  const payments = Array.from({ length: COUNT / 2 }, (_, i): SignedTransaction => {
    const outputs = [2 * i, 2 * i + 1].map((owner) => createOutput(ownerOf(owner), ETH, EACH))
    return { transaction: { inputs: [i + 1], outputs, memo: NO_MEMO }, witnesses: new Uint8Array(64) }
  })
  const made = await submitFull(chain, payments, 1, payments.length)
  const positionOf = (i: number) => encodePosition({ block: made.number, index: i >> 1, output: i & 1 })
  const spends: SignedTransaction[] = []
  for (let i = 0; i < COUNT; i += EVERY) spends.push(await chain.pay(mallory, positionOf(i), [[mallory, EACH]]))
  const spent = await submitFull(chain, spends, 1, spends.length)

  const entries = Array.from({ length: COUNT }, (_, i) => ({ position: positionOf(i), amount: EACH }))
  const before = await balance(chain, watcher)
  const lastBlock = { number: made.number, header: made.header, transactions: [] }
  const batch = await startBatch(chain, entries, { lastBlock })
  const paidForStart = before - (await balance(chain, watcher)) - batch.batch.bond
  await lockBatch(chain, batch)

  const strikes = spends.map((signed, i): EntrySpend => {
    const position = encodePosition({ block: spent.number, index: i, output: 0 })
    return { position, signed, input: 0, header: spent.header, proof: proofAt(spent, i, signed) }
  })
  for (let i = 0; i < strikes.length; i += 50) await strike(chain, batch, strikes.slice(i, i + 50), bob)
  await turnBatch(chain, batch, { blocks: [lastBlock] })

  const claims = entries.map((_, i) => [i, shownAt(made, payments, i >> 1)] as const)
  let paid = 0
  for (let i = 0; i < COUNT; i += 100) {
    // The poisoned among them are passed over.
    const { events } = await claim(chain, batch, claims.slice(i, i + 100))
    paid += eventOf(events, 'EntriesClaimed').claimed.length
  }
  assert.is(paid, COUNT - POISONED)
  for (const i of [1, 2, 4_999, 9_999]) {
    assert.is(await chain.client.getBalance({ address: ownerOf(i) }), EACH)
  }

  let taken = 0n
  for (let i = 0; i < 20; i++) {
    await nextAt(chain, Number((await chain.client.getBlock()).timestamp) + 1)
    await openEntry(chain, batch, i * EVERY, shownAt(made, payments, (i * EVERY) >> 1))
    const { baseFeePerGas } = await chain.client.getBlock()
    const fee = baseFeePerGas! > 10n ** 9n ? baseFeePerGas! : 10n ** 9n
    taken += STRUCK_GAS * fee
  }
  const [, , , fund] = await chain.read<readonly [number, boolean, bigint, bigint]>('batchRecord', [batch.id])
  const whole = (batch.batch.bond * 60_000n * BigInt(COUNT)) / (400_000n + 60_000n * BigInt(COUNT))
  assert.ok(whole - fund <= taken + 40n * 10n ** 9n, 'no entry takes more from the bond than is stated')

  await passTime(chain, chain.parameters.minExitPeriod)
  const { events } = await closeBatch(chain, batch)
  const bounty = (batch.batch.bond - whole) / 6n
  const lost = batch.batch.bond - eventOf(events, 'BatchClosed').returned
  assert.ok(lost <= taken + bounty + 40n * 10n ** 9n, `got ${lost}, want at most ${taken + bounty}`)
  assert.ok(paidForStart < batch.batch.bond, 'and its own gas')
})

function shownAt(block: FullBlock, payments: readonly SignedTransaction[], index: number): EntryOutput {
  const signed = signedAt(payments, index)
  return {
    kind: 'output',
    transaction: signed.transaction,
    header: block.header,
    proof: proofAt(block, index, signed),
  }
}

test.run()

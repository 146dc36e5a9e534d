/** Gas of data challenges and receipts (docs/spec.md sections 8.6, 8.8), on full blocks of 65,536 leaves. */

import type { RootCall } from '../l1/rootCalls.ts'
import {
  encodeBreakReceipt,
  encodeChallengeData,
  encodeEndChallenge,
  encodeReportFraud,
  encodeRevealData,
} from '../l1/suretyContract.ts'
import { bytesToHex, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { type DataChallenge, proveRange } from '../protocol/dataChallenge.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import { ETHER, passTo } from '../test/support/moves.ts'
import { actors, ETH, eventOf, type RootChain } from '../test/support/rootChain.ts'
import { challengeBond, signReceipts } from '../test/support/suretyMoves.ts'
import { type FullBlock, type Gas, proofAt, submitFull } from './gasBlocks.ts'

const { alice, bob, watcher } = actors

/** A usual payment: 1 in 2 out. */
async function payments(chain: RootChain, count: number): Promise<SignedTransaction[]> {
  const signed = await chain.pay(alice, 2 ** 26, [
    [bob, ETHER / 3n],
    [alice, ETHER],
  ])
  return Array.from({ length: count }, (_, i) => ({
    witnesses: signed.witnesses,
    transaction: { ...signed.transaction, inputs: [2 ** 26 + i * 16] },
  }))
}

function worst(count: number): SignedTransaction[] {
  const outputs = Array.from({ length: 16 }, (_, i) => createOutput(bob.address, ETH, BigInt(i + 1) * ETHER))
  return Array.from({ length: count }, (_, k) => ({
    transaction: {
      inputs: Array.from({ length: 16 }, (_, i) => 2 ** 40 + 16 * (16 * k + i)),
      outputs,
      memo: ZERO_HASH,
    },
    witnesses: new Uint8Array(16 * 64).fill(0xaa),
  }))
}

const gasOf = async (chain: RootChain, call: RootCall) => {
  const sent = await chain.send(watcher.account, call, chain.surety)
  return { ...sent, gas: Number(sent.receipt.gasUsed) }
}

async function challenge(chain: RootChain, block: FullBlock, levels: number, first = 0) {
  const range = { blockNumber: block.number, first, levels }
  const bond = (await challengeBond(chain, range)) * 2n
  const { gas, events } = await gasOf(chain, encodeChallengeData(range, block.header, bond))
  return { gas, challenge: eventOf(events, 'DataChallenged').challenge }
}

async function reveal(
  chain: RootChain,
  block: FullBlock,
  levels: number,
  open: readonly DataChallenge[],
): Promise<number> {
  const range = { first: 0, levels }
  const shown = block.transactions.slice(0, 2 ** levels)
  return (await gasOf(chain, encodeRevealData(range, open, shown, proveRange(block.tree, range)))).gas
}

export async function measureSurety(chain: RootChain, gas: Gas): Promise<void> {
  const id = await chain.client.snapshot()
  const block = await submitFull(chain, await payments(chain, 64), 1)
  const one = await challenge(chain, block, 0)
  gas['challengeData'] = one.gas
  gas['revealData'] = await reveal(chain, block, 0, [one.challenge])
  const halves = [await challenge(chain, block, 5), await challenge(chain, block, 5, 32)]
  const whole = halves.map((half) => half.challenge)
  gas['revealDataEach'] = Math.ceil((await reveal(chain, block, 6, whole)) / 64)
  const heavy = await submitFull(chain, worst(32), 1)
  gas['revealData_32x16in16out'] = await reveal(chain, heavy, 5, [(await challenge(chain, heavy, 5)).challenge])
  const before = await chain.client.snapshot()
  gas['breakReceipt'] = await measureReceipt(chain)
  await chain.client.revert({ id: before })
  const hidden = await challenge(chain, await submitFull(chain, await payments(chain, 1), 1), 0)
  await passTo(chain, hidden.challenge.startedAt + chain.parameters.dataResponsePeriod + 1)
  gas['endChallenge_halt'] = (await gasOf(chain, encodeEndChallenge(hidden.challenge))).gas
  await chain.client.revert({ id })
}

/** Another transaction stands in the promised place. */
async function measureReceipt(chain: RootChain): Promise<number> {
  const { number, hash } = await chain.client.getBlock()
  const [, newest] = await chain.read<readonly number[]>('head')
  const drafts = Array.from({ length: 256 }, (_, index) => {
    const place = { blockNumber: (newest as number) + 1, index, anchor: Number(number), anchorHash: hash as Hash }
    return { ...place, txHash: `0x${'11'.repeat(32)}` as Hash }
  })
  const [signed] = await signReceipts(chain, drafts)
  const [payment] = await payments(chain, 1)
  const block = await submitFull(chain, [payment as SignedTransaction], 1)
  const txHash = bytesToHex(hashTransaction((payment as SignedTransaction).transaction, chain.separator))
  const standing = { txHash, proof: proofAt(block, 0, payment as SignedTransaction) }
  return (await gasOf(chain, encodeBreakReceipt(signed as NonNullable<typeof signed>, block.header, standing))).gas
}

/** The same proof sent on by the surety, with the slash. */
export async function measureReport(chain: RootChain, proof: RootCall): Promise<number> {
  return (await gasOf(chain, encodeReportFraud(proof))).gas
}

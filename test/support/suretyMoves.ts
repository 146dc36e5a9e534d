/** The moves against an operator's own money on a test root contract: data challenges, receipts, the bond. */

import { iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import {
  encodeBreakReceipt,
  encodeBreakReceipts,
  encodeChallengeData,
  encodeEndChallenge,
  encodePostBond,
  encodeRevealData,
  encodeTakeBond,
  type StandingAt,
} from '../../l1/suretyContract.ts'
import { blockTree } from '../../protocol/block.ts'
import { bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'
import { type DataChallenge, type LeafRange, leavesOf, proveRange } from '../../protocol/dataChallenge.ts'
import { batchReceipts, hashReceiptBatch, type Receipt, type SignedReceipt } from '../../protocol/receipt.ts'
import { type Actor, actors, type ChildBlock, compact, eventOf, proveInBlock, type RootChain } from './rootChain.ts'

export async function readSurety<T>(chain: RootChain, functionName: string, args: readonly unknown[] = []): Promise<T> {
  const read = { address: chain.surety, abi: iSuretyAbi, functionName, args }
  return (await chain.client.readContract(read as never)) as T
}

/** What is left of the operator's bond, in wei. */
export async function bondLeft(chain: RootChain): Promise<bigint> {
  const [bond] = await readSurety<readonly [bigint, bigint, number]>(chain, 'surety')
  return bond
}

export function postBond(chain: RootChain, from: Actor, amountWei: bigint) {
  return chain.send(from.account, encodePostBond(amountWei), chain.surety)
}

export function takeBond(chain: RootChain, from: Actor = actors.operator) {
  return chain.send(from.account, encodeTakeBond(), chain.surety)
}

export async function challengeBond(chain: RootChain, { blockNumber, first, levels }: LeafRange): Promise<bigint> {
  return readSurety<bigint>(chain, 'challengeBond', [blockNumber, first, levels])
}

export async function challengeData(
  chain: RootChain,
  block: ChildBlock,
  [first, levels]: readonly [number, number],
  { from = actors.watcher, bondWei }: { from?: Actor; bondWei?: bigint } = {},
): Promise<DataChallenge> {
  const range = { blockNumber: block.number, first, levels }
  // Twice the least: the base fee of the next block may be higher.
  const bond = bondWei ?? (await challengeBond(chain, range)) * 2n
  const sent = await chain.send(from.account, encodeChallengeData(range, block.header, bond), chain.surety)
  return eventOf(sent.events, 'DataChallenged').challenge
}

export async function reveal(
  chain: RootChain,
  block: ChildBlock,
  challenges: readonly DataChallenge[],
  { from = actors.operator, range }: { from?: Actor; range?: Pick<LeafRange, 'first' | 'levels'> } = {},
) {
  const whole = range ?? (challenges[0] as DataChallenge)
  const transactions = block.transactions.slice(whole.first, whole.first + leavesOf(whole, block.transactions.length))
  const path = proveRange(blockTree(chain.hashed(block.transactions)), whole)
  return chain.send(from.account, encodeRevealData(whole, challenges, transactions, path), chain.surety)
}

export function endChallenge(chain: RootChain, challenge: DataChallenge, from: Actor = actors.carol) {
  return chain.send(from.account, encodeEndChallenge(challenge), chain.surety)
}

/** All of them under one signature. */
export async function signReceipts(
  chain: Pick<RootChain, 'separator'>,
  receipts: readonly Receipt[],
  signer: Actor = actors.operator,
): Promise<SignedReceipt[]> {
  const batch = batchReceipts(receipts)
  const digest = bytesToHex(hashReceiptBatch(batch.root, batch.count, chain.separator))
  const signature = bytesToHex(compact(await signer.account.sign({ hash: digest }))) as Hex
  return receipts.map((_, i) => batch.give(i, signature))
}

/** A true receipt for a place of the next block, with the newest L1 block as its anchor. */
export async function draftReceipt(chain: RootChain, txHash: Hash, index = 0): Promise<Receipt> {
  const { number, hash } = await chain.client.getBlock()
  const [, newest] = await chain.read<readonly number[]>('head')
  return { txHash, blockNumber: (newest as number) + 1, index, anchor: Number(number), anchorHash: hash as Hash }
}

export function standingAt(chain: RootChain, block: ChildBlock, index: number): StandingAt {
  const { txHash } = chain.hashed(block.transactions)[index] as { txHash: Uint8Array }
  return { txHash: bytesToHex(txHash), proof: proveInBlock(chain, block, index) }
}

export function breakReceipt(
  chain: RootChain,
  signed: SignedReceipt,
  shown: { block?: ChildBlock; standing?: StandingAt; from?: Actor } = {},
) {
  const { block, standing, from = actors.watcher } = shown
  return chain.send(from.account, encodeBreakReceipt(signed, block?.header, standing), chain.surety)
}

export function breakReceipts(chain: RootChain, a: SignedReceipt, b: SignedReceipt, from: Actor = actors.watcher) {
  return chain.send(from.account, encodeBreakReceipts(a, b), chain.surety)
}

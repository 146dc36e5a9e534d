/** The moves of mass exits on a test root contract: one line each in a test. */
import {
  type EntryAt,
  type EntryOutput,
  type EntrySpend,
  encodeAdoptExit,
  encodeAnswerDemand,
  encodeClaimEntries,
  encodeCloseBatch,
  encodeDemandEntry,
  encodeDissolveBatch,
  encodeLockBatch,
  encodeOpenEntry,
  encodePlaceEntry,
  encodeReleaseEntry,
  encodeStartBatch,
  encodeStrikeEntries,
} from '../../l1/massExitContract.ts'
import type { SignedMandate } from '../../l1/rootCalls.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { type Batch, type Entry, entryTree, type PlacedEntry, placeEntries } from '../../protocol/massExit.ts'
import type { MerkleTree } from '../../protocol/merkle.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { nextAt, place, process, turnsOf } from './moves.ts'
import { type Actor, actors, type ChildBlock, eventOf, proveInBlock, type RootChain } from './rootChain.ts'

/** A batch with what its moves need. `item` is there once it is locked. */
export type TestBatch = {
  id: Hash
  batch: Batch
  placed: readonly PlacedEntry[]
  tree: MerkleTree
  item?: Exit
}

export type BatchOptions = Readonly<{
  from?: Actor
  token?: Address
  lastBlock?: ChildBlock
  bondWei?: bigint
}>

export async function startBatch(
  chain: RootChain,
  entries: readonly Entry[],
  { from = actors.watcher, token = ZERO_ADDRESS, lastBlock, bondWei }: BatchOptions = {},
): Promise<TestBatch> {
  const bond = bondWei ?? (await chain.read<bigint>('batchBond', [BigInt(entries.length)])) * 2n
  const header = lastBlock ? { lastBlock: lastBlock.header } : {}
  const { events } = await chain.send(from.account, encodeStartBatch({ token, entries, bondWei: bond, ...header }))
  const { batchId, batch } = eventOf(events, 'BatchStarted')
  const placed = placeEntries(entries)
  return { id: batchId, batch, placed, tree: entryTree(placed) }
}

export function at(test: TestBatch, index: number): EntryAt {
  return { entry: test.placed[index] as PlacedEntry, tree: test.tree }
}

/** Locks it as soon as that is allowed, or at `time` exactly. */
export async function lockBatch(chain: RootChain, test: TestBatch, time?: number, from = actors.carol): Promise<Exit> {
  const first = test.batch.startedAt + chain.parameters.minExitPeriod / 4 + 1
  const isLate = Number((await chain.client.getBlock()).timestamp) >= first
  if (time !== undefined || !isLate) await nextAt(chain, time ?? first)
  const { events } = await chain.send(from.account, encodeLockBatch(test.batch))
  test.item = eventOf(events, 'BatchLocked').item
  return test.item
}

/** The batch's turn, at the first second at which it can come; other exits that are due go along. */
export async function turnBatch(
  chain: RootChain,
  test: TestBatch,
  { exits = [], blocks = [] }: Readonly<{ exits?: readonly Exit[]; blocks?: readonly ChildBlock[] }> = {},
) {
  const { item } = test
  if (!item) throw new Error('got a batch that is not locked')
  const now = Number((await chain.client.getBlock()).timestamp)
  if (now <= item.exitableAt) await nextAt(chain, item.exitableAt + 1)
  return process(chain, turnsOf([...exits, item], blocks))
}

export function outputAt(chain: RootChain, block: ChildBlock, index = 0): EntryOutput {
  const { transaction } = block.transactions[index] as SignedTransaction
  return { kind: 'output', transaction, header: block.header, proof: proveInBlock(chain, block, index) }
}

export function depositAt(owner: Actor, amount: bigint, token: Address = ZERO_ADDRESS): EntryOutput {
  return { kind: 'deposit', owner: owner.address, token, amount }
}

export function spendAt(chain: RootChain, block: ChildBlock, index: number, spent: number): EntrySpend {
  const signed = block.transactions[index] as SignedTransaction
  const input = signed.transaction.inputs.indexOf(spent)
  return {
    position: place(block, index),
    signed,
    input: Math.max(input, 0),
    header: block.header,
    proof: proveInBlock(chain, block, index),
  }
}

export async function demand(chain: RootChain, test: TestBatch, index: number, from = actors.bob) {
  const bondWei = (await chain.read<bigint>('demandBond', [test.id])) * 2n
  return chain.send(from.account, encodeDemandEntry(test.batch, at(test, index), bondWei))
}

export async function answer(
  chain: RootChain,
  test: TestBatch,
  [index, shown, mandate]: readonly [number, EntryOutput, SignedMandate?],
  from = actors.watcher,
) {
  return chain.send(from.account, encodeAnswerDemand(test.batch, at(test, index), shown, mandate))
}

export async function dissolve(chain: RootChain, test: TestBatch, demanded: number | null, from = actors.carol) {
  return chain.send(from.account, encodeDissolveBatch(test.batch, demanded))
}

export async function claim(
  chain: RootChain,
  test: TestBatch,
  claims: readonly (readonly [number, EntryOutput])[],
  from = actors.carol,
) {
  const list = claims.map(([index, shown]) => ({ at: at(test, index), shown }))
  return chain.send(from.account, encodeClaimEntries(test.batch, list))
}

/** By the owner, unless said: before the turn she always may. */
export async function openEntry(
  chain: RootChain,
  test: TestBatch,
  index: number,
  shown: EntryOutput,
  from: Actor = ownerOf(test, index, shown),
) {
  const { events } = await chain.send(from.account, encodeOpenEntry(test.batch, at(test, index), shown))
  return eventOf(events, 'ExitStarted').exit
}

function ownerOf(test: TestBatch, index: number, shown: EntryOutput): Actor {
  const output = decodePosition(test.placed[index]?.position ?? 0).output
  const owner =
    shown.kind === 'deposit'
      ? shown.owner
      : shown.kind === 'output'
        ? shown.transaction.outputs[output]?.owner
        : undefined
  return Object.values(actors).find(({ address }) => address === owner) ?? actors.carol
}

export async function strike(chain: RootChain, test: TestBatch, spends: readonly EntrySpend[], from = actors.carol) {
  return chain.send(from.account, encodeStrikeEntries(test.batch, spends))
}

export async function placeEntry(chain: RootChain, test: TestBatch, index: number, exit: Exit) {
  return chain.send(actors.carol.account, encodePlaceEntry(test.batch, at(test, index), exit))
}

export async function adoptExit(
  chain: RootChain,
  test: TestBatch,
  [index, shown, exit]: readonly [number, EntryOutput, Exit],
) {
  return chain.send(actors.carol.account, encodeAdoptExit(test.batch, at(test, index), shown, exit))
}

export async function releaseEntry(chain: RootChain, test: TestBatch, index: number, shown: EntryOutput) {
  return chain.send(actors.carol.account, encodeReleaseEntry(test.batch, at(test, index), shown))
}

export async function closeBatch(chain: RootChain, test: TestBatch) {
  return chain.send(actors.carol.account, encodeCloseBatch(test.batch))
}

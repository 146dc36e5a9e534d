/**
 * Halts on a test root contract, brought about by real proofs (docs/spec.md 8.4, 8.5): one line each in a test. A chain has one bait, a
 * deposit that nobody but a thief ever spends; any block that holds the theft can be voided, whatever else it holds.
 */
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import {
  encodeDropEvidence,
  encodeFraudProof,
  encodeFreePlace,
  encodeRelease,
  encodeSettle,
} from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { FraudProof } from '../../protocol/fraud.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { deposit, ETHER, nextAt, place, submit } from './moves.ts'
import {
  type Actor,
  actors,
  attempt,
  type ChildBlock,
  ETH,
  eventOf,
  proveInBlock,
  type RootChain,
} from './rootChain.ts'

const { carol, erin, mallory, watcher } = actors

/** The witness of one input, signed by nobody: of a copy in a hidden block. */
export const GARBAGE = new Uint8Array(64).fill(7)

/** What the thief of each bad block spends: Erin's deposit. */
export type Bait = Readonly<{ position: number }>

export async function createBait(chain: RootChain): Promise<Bait> {
  return { position: await deposit(chain, erin) }
}

/** Mallory's signature under a spend of Erin's bait, for that block. */
export async function steal(chain: RootChain, bait: Bait, block: number): Promise<SignedTransaction> {
  return chain.pay(mallory, bait.position, [[mallory, ETHER]], memoOf(String(block)))
}

/** A block of these transactions and, last, the theft of the bait. */
export async function submitBad(
  chain: RootChain,
  bait: Bait,
  transactions: readonly SignedTransaction[] = [],
  anchor?: number,
): Promise<ChildBlock> {
  const [, newest] = await headOf(chain)
  return submit(chain, [...transactions, await steal(chain, bait, newest + 1)], anchor)
}

/** The proof that the transaction at `index` spends a deposit of `owner`, its only input, with another's signature (V4). */
export function forgeryProof(
  chain: RootChain,
  block: ChildBlock,
  index: number,
  [owner, amount, input]: readonly [Actor, bigint, number] = [erin, ETHER, 0],
): FraudProof {
  const signed = block.transactions[index] as SignedTransaction
  const offence = {
    position: place(block, index),
    signed,
    header: block.header,
    proof: proveInBlock(chain, block, index),
  }
  const shown = { kind: 'deposit', deposit: { owner: owner.address, token: ETH, amount } } as const
  return { rule: 'V4', offence, input, shown }
}

/** Voids a block made by `submitBad`, and all after it. `at`: the L1 time of the proof. */
export async function haltAt(
  chain: RootChain,
  block: ChildBlock,
  { at, from = watcher }: Readonly<{ at?: number; from?: Actor }> = {},
): Promise<{ lastMove: number; events: readonly RootEvent[] }> {
  if (at !== undefined) await nextAt(chain, at)
  const proof = forgeryProof(chain, block, block.transactions.length - 1)
  const { events, timestamp } = await chain.send(from.account, encodeFraudProof(proof))
  eventOf(events, 'HaltMoved')
  return { lastMove: timestamp, events }
}

/** First void block (0: live), newest block, time of the last move. */
export async function headOf(chain: RootChain): Promise<[voidFrom: number, newest: number, lastMove: number]> {
  const head = await chain.read<readonly (number | bigint)[]>('head')
  return [Number(head[0]), Number(head[1]), Number(head[6])]
}

export async function settle(chain: RootChain, exits: readonly Exit[]) {
  return chain.send(carol.account, encodeSettle(exits))
}

/** With the evidence that removes it, or without where it is void, invalid or judged. */
/** `named`: the position that the spend names, where the exit does not name it. */
export async function release(chain: RootChain, exit: Exit, block?: ChildBlock, index = 0, named?: number) {
  const evidence = block && {
    spend: place(block, index),
    header: block.header,
    ...(named !== undefined && { place: named }),
  }
  return chain.send(carol.account, encodeRelease(exit, evidence))
}

/** Frees all places that were given up and that the line has reached. Resolves with how many. */
export async function freePlaces(chain: RootChain): Promise<number> {
  let count = 0
  const left = { address: chain.root, abi: iLifeboatAbi, eventName: 'PlaceLeft', fromBlock: 0n } as const
  for (const { args } of await chain.client.getContractEvents(left)) {
    const call = encodeFreePlace((args.token ?? ETH).toLowerCase() as Address, args.from ?? 0n)
    if (await attempt(() => chain.send(carol.account, call))) count++
  }
  return count
}

export async function drop(chain: RootChain, exit: Exit, block: ChildBlock, index = 0) {
  return chain.send(carol.account, encodeDropEvidence(exit.outputId, place(block, index)))
}

/** What these events paid for an exit. */
export function paidFor(events: readonly RootEvent[], exit: Exit): bigint {
  return events.reduce(
    (sum, event) => (event.type === 'ExitPaid' && event.outputId === exit.outputId ? sum + event.amount : sum),
    0n,
  )
}

/** Of an exit's bond, what returns where no challenger was paid. */
export function bondLessBounty(exit: Exit): bigint {
  return exit.bond - (exit.bond * 60_000n) / 400_000n
}

/** Tells a transaction from another with the same inputs and outputs. */
export function memoOf(text: string): Hash {
  const bytes = new Uint8Array(32)
  bytes.set(new TextEncoder().encode(text).slice(0, 32))
  return bytesToHex(bytes)
}

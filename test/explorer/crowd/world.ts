/**
 * What really happened in a walk: outputs, payments, blocks, batches, exits, disputes, and what L1 paid. Facts only; who is owed what is told in judge.ts, from
 * `docs/spec.md` alone.
 */
import type { SignedMandate } from '../../../l1/rootCalls.ts'
import type { StartedDispute } from '../../../l1/rootEvents.ts'
import { bytesToHex, type Hash } from '../../../protocol/bytes.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { depositIdOf, outputIdOf } from '../../../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../../../protocol/transaction.ts'
import { depositAt, outputAt, type TestBatch } from '../../support/batchMoves.ts'
import { place } from '../../support/moves.ts'
import type { Actor, ActorName, ChildBlock, RootChain } from '../../support/rootChain.ts'
import type { WalkChain } from './l1.ts'

export type Place = Readonly<{ block: ChildBlock; index: number }>

export type Coin = {
  readonly name: string
  readonly owner: Actor
  readonly amount: bigint
  readonly outputId: Hash
  /** The payment that makes it; a deposit's position otherwise. */
  readonly maker: Payment | null
  readonly output: number
  readonly deposit: number
  /** L1 block of its first lock. */
  lock: number
  paid: bigint
}

export type Payment = {
  readonly name: string
  readonly txHash: Hash
  readonly signed: SignedTransaction
  readonly inputs: readonly Coin[]
  outputs: readonly Coin[]
  readonly places: Place[]
}

/** A piece of evidence on file: the position of the spend, and the place that it names (0 for an ordinary exit). */
export type Piece = Readonly<{ spend: Place; names: number }>

export type OpenExit = {
  readonly exit: Exit
  readonly coin: Coin
  readonly payer: ActorName
  pieces: Piece[]
  isRewarded: boolean
  isRemoved: boolean
}

export type Crowd = {
  readonly test: TestBatch
  readonly name: string
  readonly from: ActorName
  /** Everything in it stood when it started, and its coordinator holds the mandates. */
  readonly honest: boolean
  /** By entry: the output that it names, null for none. */
  readonly names: readonly (Coin | null)[]
  /** Index, and whether it is still open. */
  readonly demands: Map<number, boolean>
  /** By position and signer: the spend that is kept. */
  readonly strikes: Map<string, Place>
  state: 'started' | 'locked' | 'dissolved' | 'closed'
  lockedAt: number
  removals: number
}

export type Dispute = {
  readonly payment: Payment
  readonly started: StartedDispute
  readonly from: ActorName
  readonly competitors: Place[]
  readonly answers: Place[]
  /** A competitor that is in no block was shown. */
  hasOffer: boolean
  verdict: 'running' | 'canonical' | 'not-canonical'
}

export type Facts = {
  readonly l1: WalkChain
  readonly chain: RootChain
  readonly mandates: ReadonlyMap<Actor, SignedMandate>
  readonly coins: Coin[]
  readonly payments: Payment[]
  readonly blocks: ChildBlock[]
  /** Blocks that end in the theft, by number. */
  readonly bad: Set<number>
  /** Bad blocks whose only fault is a spend of what a batch had locked (V6), by number. */
  readonly late: Map<number, Readonly<{ crowd: Crowd; index: number; coin: Coin; position: number }>>
  readonly bait: Coin
  readonly exits: OpenExit[]
  readonly crowds: Crowd[]
  readonly disputes: Dispute[]
  voidFrom: number
  lastMove: number
}

export function positionOf(coin: Coin, made?: Place): number {
  return made ? place(made.block, made.index, coin.output) : coin.deposit
}

/** Every place of the output; a deposit has one, without a block. */
export function placesOf(coin: Coin): { position: number; made?: Place }[] {
  if (coin.maker === null) return [{ position: coin.deposit }]
  return coin.maker.places.map((made) => ({ position: positionOf(coin, made), made }))
}

export function isVoid(facts: Facts, { block }: Place): boolean {
  return block.number >= facts.voidFrom
}

/** What shows the output at a position, by which somebody calls it. */
export function shownAt(facts: Facts, coin: Coin, position: number) {
  const { made } = placesOf(coin).find((one) => one.position === position) ?? {}
  return made ? outputAt(facts.chain, made.block, made.index) : depositAt(coin.owner, coin.amount)
}

/** Where the output at this position is spent, in blocks that are not void. */
export function spendsOf(facts: Facts, position: number): { payment: Payment; at: Place }[] {
  return facts.payments.flatMap((payment) =>
    payment.signed.transaction.inputs.includes(position)
      ? payment.places.filter((at) => !isVoid(facts, at)).map((at) => ({ payment, at }))
      : [],
  )
}

export function coinAt(facts: Facts, position: number): Coin | undefined {
  return facts.coins.find((coin) => placesOf(coin).some((one) => one.position === position))
}

export function createDeposit(owner: Actor, amount: bigint, deposit: number, name: string): Coin {
  const outputId = depositIdOf(deposit)
  return { name, owner, amount, outputId, maker: null, output: 0, deposit, lock: Number.POSITIVE_INFINITY, paid: 0n }
}

export function createPayment(
  facts: Facts,
  signed: SignedTransaction,
  inputs: readonly Coin[],
  owners: readonly Actor[],
): Payment {
  const txHash = bytesToHex(hashTransaction(signed.transaction, facts.chain.separator))
  const name = `T${facts.payments.length}`
  const payment: Payment = { name, txHash, signed, inputs, outputs: [], places: [] }
  payment.outputs = signed.transaction.outputs.map(({ amount }, output) => ({
    name: `${name}.${output}`,
    owner: owners[output] as Actor,
    amount,
    outputId: outputIdOf(hashTransaction(signed.transaction, facts.chain.separator), output),
    maker: payment,
    output,
    deposit: 0,
    lock: Number.POSITIVE_INFINITY,
    paid: 0n,
  }))
  facts.payments.push(payment)
  facts.coins.push(...payment.outputs)
  return payment
}

/** E: an item's time, or what the last move made of it. */
export function dueOf(facts: Facts, exitableAt: number): number {
  const { lastMove, chain } = facts
  return lastMove === 0 ? exitableAt : Math.max(exitableAt, lastMove + chain.parameters.minExitPeriod)
}

export function strikeKey(position: number, owner: string): string {
  return `${position} ${owner}`
}

/**
 * Answering data challenges (docs/spec.md section 8.6): level-triggered. Whatever range of our blocks is demanded on L1 is revealed, by
 * one call for each range and all that is demanded inside it. An answer that did not come costs the chain, so the budget is what the
 * slash would cost; the outbox starts with half of it and simulates first.
 */
import type { RootCall } from '../l1/rootCalls.ts'
import { encodeRevealData } from '../l1/suretyContract.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { coversRange, type DataChallenge, leavesOf, proveRange } from '../protocol/dataChallenge.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import type { MerkleTree } from '../protocol/merkle.ts'
import type { BlockLog } from './blockLog.ts'
import type { L1View } from './l1View.ts'
import type { SuretyBook } from './suretyBook.ts'
import type { TransactionLog } from './transactionLog.ts'

/** What the answers need of the outbox. */
export type AnswerSender = Readonly<{
  /** Durable, inside the caller's store transaction. The same key again replaces what was not mined yet. */
  answer(reveal: Readonly<{ key: string; call: RootCall; purpose: string; deadline: number; budgetWei: bigint }>): void
  /** False until it was asked for, and again when it ended without being mined. */
  isUnderWay(key: string): boolean
}>

export type AnswerOptions = Readonly<{
  surety: SuretyBook
  transactions: TransactionLog
  blockLog: BlockLog
  view: L1View
  sender: AnswerSender
  /** Seconds. */
  dataResponsePeriod: number
  /** Wei. */
  answerBudgetWei: bigint
}>

/** Answers in one step: each is up to some hundred kilobytes. */
const ANSWERS_AT_ONCE = 8

/** What is to be done now; undefined when nothing is. The step runs in the caller's store transaction. */
export function findAnswers(options: AnswerOptions): (() => void) | undefined {
  const { surety, view, blockLog, sender, dataResponsePeriod } = options
  const now = view.tip()?.timestamp ?? 0
  const open = surety
    .openChallenges()
    .filter(({ startedAt }) => now <= startedAt + dataResponsePeriod)
    // A block under our number that we did not cut is not ours to reveal.
    .filter(({ blockNumber, root }) => blockLog.rootOf(blockNumber) === root)
  const batches = open
    .filter((one) => !open.some((whole) => whole !== one && coversRange(whole, one)))
    .map((whole) => [whole, ...open.filter((one) => one !== whole && coversRange(whole, one))])
    .filter((batch) => !sender.isUnderWay(keyOf(batch)))
    .slice(0, ANSWERS_AT_ONCE)
  if (batches.length === 0) return undefined
  return () => {
    let tree: Readonly<{ block: number; tree: MerkleTree }> | undefined
    for (const batch of batches) {
      const { blockNumber } = batch[0] as DataChallenge
      if (tree?.block !== blockNumber) tree = { block: blockNumber, tree: blockLog.treeOf(blockNumber) }
      reveal(batch, tree.tree, options)
    }
  }
}

function reveal(batch: readonly DataChallenge[], tree: MerkleTree, options: AnswerOptions): void {
  const { transactions, sender, dataResponsePeriod, answerBudgetWei } = options
  const whole = batch[0] as DataChallenge
  const { blockNumber, first, txCount } = whole
  const shown = transactions.bodiesOf(blockNumber).slice(first, first + leavesOf(whole, txCount))
  sender.answer({
    key: keyOf(batch),
    call: encodeRevealData(whole, batch, shown.map(decodeTransaction), proveRange(tree, whole)),
    purpose: `reveal ${shown.length} leaves of block ${blockNumber} from ${first} on`,
    deadline: Math.min(...batch.map(({ startedAt }) => startedAt)) + dataResponsePeriod,
    budgetWei: answerBudgetWei,
  })
}

/** A range that is demanded later, inside one that is being revealed, is another call: the first may be on its way. */
function keyOf(batch: readonly DataChallenge[]): string {
  const { blockNumber } = batch[0] as DataChallenge
  const ranges = batch.map(({ first, levels, startedAt }) => `${first}.${levels}.${startedAt}`)
  return `reveal/${blockNumber}/${ranges[0]}/${bytesToHex(keccak256Text(ranges.join()))}`
}

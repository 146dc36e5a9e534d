/**
 * What the wallet needs of the world, as narrow types (docs/guide-wallet.md, "Parts"): the child chain through an operator or
 * watcher, the root contract through an L1 endpoint and the outbox. `connect.ts` joins them to the real parts; tests bring their own.
 */
import type {
  ExitData,
  Fees,
  HistoryPage,
  OutputsPage,
  Status,
  SubmitResult,
  TransactionStatus,
} from '../api/schemas.ts'
import type { RootCall } from '../l1/rootCalls.ts'
import type { L1Place, RootEvent } from '../l1/rootEvents.ts'
import type { Header } from '../protocol/block.ts'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import type { Verdict } from '../protocol/dispute.ts'
import type { Exit } from '../protocol/exit.ts'
import type { BatchState } from '../protocol/massExit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'

export type Page = Readonly<{ cursor?: number; limit?: number }>

/** Answers are the operator's word, no more. All throw retryable errors when it cannot be reached. */
export type ChildChain = Readonly<{
  submit(transactions: readonly SignedTransaction[]): Promise<readonly SubmitResult[]>
  /** Undefined when the operator does not know it. */
  transaction(txHash: Hash): Promise<TransactionStatus | undefined>
  outputs(owner: Address, page?: Page & Readonly<{ token?: Address }>): Promise<OutputsPage>
  history(owner: Address, page?: Page): Promise<HistoryPage>
  fees(): Promise<Fees>
  status(): Promise<Status>
}>

/** Anybody who can show how an output stands on L1: the operator or a watcher. Undefined when it does not know the output. */
export type ExitDataSource = Readonly<{
  name: string
  exitData(position: number): Promise<ExitData | undefined>
  /** A transaction with its signatures; left out where nobody would answer. */
  transaction?(txHash: Hash): Promise<TransactionStatus | undefined>
}>

export type Head = Readonly<{
  /** First void block, 0 while live. */
  voidFrom: number
  newest: number
  newestTime: number
  /** L1 seconds of the last move of the halt, 0 for none. */
  lastMove: number
}>

/** cancelled, cancelled-ticket: a verdict passed the value on to the outputs of a disputed transaction. */
export type ExitState =
  | 'none'
  | 'locked'
  | 'queued'
  | 'ticket'
  | 'settled'
  | 'removed'
  | 'cancelled'
  | 'cancelled-ticket'

export type ExitRecord = Readonly<{
  /** 25 bytes; zero where there is no exit. Of a locked output: the L1 block of its lock, and above 40 bits when an exit of it fell. */
  exitHash: Hex
  state: ExitState
  /** Position of the first standing piece of evidence, 0 for none. */
  evidence: number
  /** Further pieces of evidence stand. */
  hasMore: boolean
  rewarded: boolean
  /** Disputes about transactions that spend the output: its exit waits for their verdicts. */
  running: number
  /** One of them was judged not canonical. */
  contested: boolean
}>

export type VerdictState = 'none' | 'running' | Verdict

export type DisputeRecord = Readonly<{
  /** 25 bytes; zero where there is no dispute. */
  disputeHash: Hex
  verdict: VerdictState
  /** Position of the first answer, 0 for none. */
  answer: number
  hasCompetitor: boolean
  /** The starter's bond was taken by whoever showed a competitor that had been public. */
  bondFell: boolean
  /** Pieces that `decide` still wants to be named. */
  unweighed: number
}>

/** What L1 keeps of a mass exit. `fundWei`: what is left of its bond for the removal of entries. */
export type BatchRecord = Readonly<{ state: BatchState; isClosed: boolean; demands: number; fundWei: bigint }>

/** A place on the token's line: [from, from + due). */
export type Ticket = Readonly<{ from: bigint; due: bigint }>

export type QueueHeads = Readonly<{ oldHead: number; oldTail: number; youngFirst: number; youngCursor: number }>

export type L1Now = Readonly<{ l1Block: number; timestamp: number }>

/** Read-only views of the root contract and of tokens at the newest L1 block, and its events. Retryable errors when L1 cannot be reached. */
export type RootReads = Readonly<{
  address: Address
  chainId: number
  parameters: Parameters
  now(): Promise<L1Now>
  head(): Promise<Head>
  /** The key that may submit blocks. */
  operator(): Promise<Address>
  queue(): Promise<QueueHeads>
  exitBond(): Promise<bigint>
  /** The least bond of a dispute about a transaction with so many inputs. */
  disputeBond(inputs: number): Promise<bigint>
  exitRecord(outputId: Hash): Promise<ExitRecord>
  disputeRecord(txHash: Hash): Promise<DisputeRecord>
  batchRecord(batchId: Hash): Promise<BatchRecord>
  /** The least bond of a mass exit with so many entries. */
  batchBond(count: number): Promise<bigint>
  /** Wei per gas that L1's newest block asks for. */
  baseFee(): Promise<bigint>
  ticket(outputId: Hash): Promise<Ticket>
  /** How far the token's line is covered. */
  funded(token: Address): Promise<bigint>
  /** Whether the transaction at this position was proven invalid. */
  isInvalid(transactionPosition: number): Promise<boolean>
  headerHash(block: number): Promise<Hex>
  depositHash(position: number): Promise<Hex>
  credit(token: Address, account: Address): Promise<bigint>
  revokedAt(owner: Address, epoch: number): Promise<number>
  etherOf(account: Address): Promise<bigint>
  /** Calldata of an L1 transaction; undefined where the endpoint does not have it. */
  callData(txHash: Hash): Promise<Hex | undefined>
  token: TokenReads
  /** Events since deployment, oldest first, of these types only. What matters in them is checked against the records above. */
  events(filter: EventFilter): Promise<readonly RootEvent[]>
}>

export type TokenReads = Readonly<{
  metadata(token: Address): Promise<Readonly<{ symbol: string; decimals: number }>>
  balanceOf(token: Address, account: Address): Promise<bigint>
  allowance(token: Address, owner: Address, spender: Address): Promise<bigint>
  /** What an EIP-2612 permit is signed over; undefined for tokens without permits. */
  permitDomain(token: Address, owner: Address): Promise<Readonly<{ separator: Hash; nonce: bigint }> | undefined>
}>

export type EventFilter = Readonly<{
  types: readonly RootEvent['type'][]
  /** Narrows ExitStarted, Deposited and MandatesRevoked to one owner. */
  owner?: Address
  /** Narrows exit events to one output. */
  outputId?: Hash
  /** Narrows Deposited to one deposit. */
  deposit?: number
  /** Narrows events of mass exits to one. */
  batchId?: Hash
  /** Narrows events of disputes to one disputed transaction. */
  disputed?: Hash
  fromL1Block?: number
}>

/** One act on L1. Sent at most once per key, whatever crashes in between. */
export type L1Act = Readonly<{
  key: string
  /** In words, for the log and the person who waits. */
  purpose: string
  call: RootCall
  /** The root contract unless said otherwise. */
  to?: Address
  /** Errors of the root contract that mean that somebody did it already. */
  doneErrors?: readonly string[]
  /** For calls that stop early when gas runs short: an estimate would find the least that does not revert. */
  gasLimit?: bigint
}>

export type L1Done = Readonly<{ txHash?: Hash; l1Block?: number; events: readonly RootEvent[] }>

/** Sends through the outbox and waits until it is mined. Throws the revert as our own error, in words. */
export type L1Sender = (act: L1Act) => Promise<L1Done>

export type Waiting = Readonly<{
  /** Resolves after `ms`; rejects when the wallet is closed. */
  sleep(ms: number): Promise<void>
  /** Milliseconds of wall-clock time. */
  now(): number
}>

export type { Exit, Header, L1Place }

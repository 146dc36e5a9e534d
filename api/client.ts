/**
 * The client of an operator's or a watcher's API (docs/spec.md section 11). Answers have the promised shape or are refused; that they
 * are true is for the caller to check: a block against its root, exit data against its header.
 */
import type { z } from 'zod'
import { type Address, bytesToHex, concatBytes, type Hash } from '../protocol/bytes.ts'
import { encodeTransaction } from '../protocol/codec.ts'
import { invalid } from '../protocol/errors.ts'
import type { SignedReceipt } from '../protocol/receipt.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import { BINARY_TYPE, splitBodies } from './bodies.ts'
import { type FeedSubscription, type FeedTopic, openFeed } from './feed.ts'
import { type Answer, decodeAnswer, type HttpOptions, type Request, request, requestMaybe } from './http.ts'
import {
  type BlockSummary,
  blockSummarySchema,
  deploymentSchema,
  type ExitData,
  exitDataSchema,
  type Fees,
  feesSchema,
  type HistoryPage,
  historyPageSchema,
  type OutputsPage,
  outputsPageSchema,
  type Status,
  type SubmitResult,
  signedReceiptSchema,
  statusSchema,
  submissionResultSchema,
  type TransactionStatus,
  transactionStatusSchema,
} from './schemas.ts'

export type Page = Readonly<{ cursor?: number; limit?: number }>

export type Client = Readonly<{
  url: string
  /**
   * Hands in transactions; one result each, in order. A batch is no unit: each is judged by itself, in order, so that one may spend
   * what an earlier one makes. Handing the same transaction in again gives the same position. Accepted ones come with their receipt, which
   * is for the caller to check.
   */
  submit(transactions: readonly SignedTransaction[]): Promise<readonly SubmitResult[]>
  /**
   * The same without receipts, for transactions that are already encoded; `count`: how many they are, where several are in one piece.
   */
  submitEncoded(transactions: readonly Uint8Array[], count?: number): Promise<readonly SubmitResult[]>
  /** The operator's signed promise of a transaction's place; undefined when it does not know it. */
  receipt(txHash: Hash): Promise<SignedReceipt | undefined>
  /** Undefined when the server does not know it. */
  transaction(txHash: Hash): Promise<TransactionStatus | undefined>
  /** The canonical bytes of a block body (protocol/codec.ts); undefined when the server does not have it. */
  blockBody(block: number): Promise<Uint8Array | undefined>
  /** Bodies of consecutive blocks from `from`, at most up to `to`: the server may stop early, and gives none when it has no `from`. */
  blockBodies(from: number, to: number): Promise<readonly Uint8Array[]>
  /** The newest block that is cut; undefined before the first. */
  latestBlock(): Promise<BlockSummary | undefined>
  /** Unspent outputs, oldest first. */
  outputs(owner: Address, page?: Page & Readonly<{ token?: Address }>): Promise<OutputsPage>
  /** Newest first. */
  history(owner: Address, page?: Page): Promise<HistoryPage>
  /** Undefined when there is no such output. Throws (retryable) NOT_COMMITTED until its block is on L1. */
  exitData(position: number): Promise<ExitData | undefined>
  fees(): Promise<Fees>
  status(): Promise<Status>
  /** The deployment file's content: give it to `parseDeployment` of l1/deployment.ts as text. */
  deployment(): Promise<z.output<typeof deploymentSchema>>
  /** Live events, resumed from a cursor over lost connections until `signal` or `close` ends it. */
  feed(topics: readonly FeedTopic[], subscription: FeedSubscription): Readonly<{ close(): void }>
}>

const JSON_TYPE = 'application/json'

/** Does not connect yet. All calls throw what `request` and `decodeAnswer` of api/http.ts throw. */
export function createClient(options: HttpOptions): Client {
  const { url } = options
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> =>
    decodeAnswer(schema, await request(options, { path, accept: JSON_TYPE }), url)
  const getMaybe = async <Schema extends z.ZodType>(path: string, schema: Schema, absentCode: string) => {
    const answer = await requestMaybe(options, { path, accept: JSON_TYPE }, [absentCode])
    return answer && decodeAnswer(schema, answer, url)
  }
  const submitBytes = async (transactions: readonly Uint8Array[], count: number, query: string) => {
    const asked = {
      path: `/v1/transactions${query}`,
      body: concatBytes(...transactions),
      type: BINARY_TYPE,
      accept: JSON_TYPE,
    }
    return readResults(await request(options, asked), url, count)
  }
  return {
    url,
    submit: (transactions) => submitBytes(transactions.map(encodeTransaction), transactions.length, '?receipts=yes'),
    submitEncoded: (transactions, count = transactions.length) => submitBytes(transactions, count, ''),
    receipt: (txHash) => getMaybe(`/v1/transactions/${txHash}/receipt`, signedReceiptSchema, 'TRANSACTION_UNKNOWN'),
    transaction: (txHash) => getMaybe(`/v1/transactions/${txHash}`, transactionStatusSchema, 'TRANSACTION_UNKNOWN'),
    blockBody: async (block) => (await requestMaybe(options, binary(`/v1/blocks/${block}`), ['BLOCK_UNKNOWN']))?.bytes,
    blockBodies: async (from, to) =>
      splitBodies((await request(options, binary(`/v1/blocks?from=${from}&to=${to}`))).bytes),
    latestBlock: () => getMaybe('/v1/blocks/latest', blockSummarySchema, 'BLOCK_UNKNOWN'),
    outputs: (owner, page) => get(`/v1/accounts/${owner}/outputs${queryOf(page)}`, outputsPageSchema),
    history: (owner, page) => get(`/v1/accounts/${owner}/history${queryOf(page)}`, historyPageSchema),
    exitData: (position) => getMaybe(`/v1/exit-data/${position}`, exitDataSchema, 'OUTPUT_UNKNOWN'),
    fees: () => get('/v1/fees', feesSchema),
    status: () => get('/v1/status', statusSchema),
    deployment: () => get('/v1/deployment', deploymentSchema),
    feed: (topics, subscription) =>
      openFeed(url, topics, { ...(options.signal && { signal: options.signal }), ...subscription }),
  }
}

/** JSON form of a signed transaction, for those who submit by hand. */
export function transactionToJson({ transaction, witnesses }: SignedTransaction): Record<string, unknown> {
  return {
    inputs: transaction.inputs,
    outputs: transaction.outputs.map((output) => ({ ...output, amount: output.amount.toString() })),
    memo: transaction.memo,
    witnesses: bytesToHex(witnesses),
  }
}

function readResults(answer: Answer, url: string, want: number): readonly SubmitResult[] {
  const { results } = decodeAnswer(submissionResultSchema, answer, url)
  if (results.length === want) return results
  throw invalid('ANSWER_MALFORMED', `${url} did not answer for every transaction`, { url, got: results.length, want })
}

function binary(path: string): Request {
  return { path, accept: BINARY_TYPE }
}

function queryOf(parameters: Readonly<Record<string, string | number | undefined>> = {}): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

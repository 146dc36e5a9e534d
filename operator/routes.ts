/**
 * The operator's HTTP routes (docs/spec.md section 11): each is declared once with the schemas of api/, from which requests are
 * parsed, answers encoded and /openapi.json written.
 */
import { z } from 'zod'
import { joinBodies, splitTransactions } from '../api/bodies.ts'
import { errorToBody } from '../api/errors.ts'
import {
  blockRangeSchema,
  blockSchema,
  blockSummarySchema,
  deploymentSchema,
  exitDataSchema,
  feesSchema,
  historyPageSchema,
  MAX_BLOCK_RANGE,
  MAX_PAGE,
  MAX_SUBMISSION,
  outputsPageSchema,
  type Status,
  type SubmitResult,
  signedReceiptSchema,
  signedTransactionSchema,
  statusSchema,
  submissionResultSchema,
  submissionSchema,
  transactionStatusSchema,
} from '../api/schemas.ts'
import {
  addressSchema,
  blockNumberTextSchema,
  cursorTextSchema,
  hashSchema,
  numberText,
  positionTextSchema,
} from '../api/values.ts'
import { decodeBody, encodeTransaction, MAX_TRANSACTION_SIZE } from '../protocol/codec.ts'
import { bug, invalid, isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'
import type { Door } from '../service/http.ts'
import { type Admission, toSubmitResult } from './admission.ts'
import type { Policy } from './policy.ts'
import type { Problems } from './problems.ts'
import type { ReceiptDesk } from './receipts.ts'
import type { Views } from './views.ts'

/** Most bytes of a range of bodies; the first is always given whole. As JSON they grow fourfold, and cost far more to write. */
const MAX_RANGE_BYTES = 16 * 1024 * 1024
const MAX_JSON_RANGE_BYTES = 1024 * 1024
/** JSON of a transaction is at most so many times its encoding, names and separators included. */
const JSON_FACTOR = 4

/** HTTP statuses of our own codes. */
export const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  BLOCK_UNKNOWN: 404,
  TRANSACTION_UNKNOWN: 404,
  OUTPUT_UNKNOWN: 404,
  NOT_COMMITTED: 409,
}

export type RoutesOptions = Readonly<{
  door: Door
  admission: Admission
  receipts: ReceiptDesk
  problems: Problems
  views: Views
  policy: Policy
  status: () => Status
  /** The deployment file's content. */
  deployment: z.output<typeof deploymentSchema>
}>

const receiptQuery = z.object({
  receipts: z.enum(['yes', 'no']).optional().describe('yes: every accepted transaction with its receipt; default no'),
})
const number = z.object({ number: blockNumberTextSchema })
const page = { cursor: cursorTextSchema.optional(), limit: numberText(MAX_PAGE, 1).optional() }
const owner = z.object({ owner: addressSchema })

export function addRoutes(options: RoutesOptions): void {
  addTransactionRoutes(options)
  addBlockRoutes(options)
  addAccountRoutes(options)
  const { door, policy } = options
  door.route({
    method: 'get',
    path: '/v1/fees',
    summary: 'What a payment has to pay',
    answer: feesSchema,
    handle: () => ({ feeAddress: policy.feeAddress, fees: policy.fees.map((fee) => ({ ...fee })) }),
  })
  door.route({
    method: 'get',
    path: '/v1/status',
    summary: 'How far the chain and the operator are',
    answer: statusSchema,
    handle: options.status,
  })
  door.route({
    method: 'get',
    path: '/v1/deployment',
    summary: 'The deployment file',
    answer: deploymentSchema,
    handle: () => options.deployment,
  })
}

function addTransactionRoutes({ door, admission, receipts, problems, views }: RoutesOptions): void {
  const submit = async (bodies: readonly Uint8Array[]) => ({
    results: (await admission.submit(bodies)).map(toSubmitResult),
  })
  type Wish = z.output<typeof receiptQuery>
  const finish = (answer: { results: SubmitResult[] }, { receipts: wish }: Wish) =>
    wish === 'yes' ? withReceipts(answer, receipts) : answer
  door.route({
    method: 'post',
    path: '/v1/transactions',
    summary: 'Hand in transactions, in order, each judged by itself; binary: encodings back to back',
    body: submissionSchema,
    answer: submissionResultSchema,
    bodyBytes: MAX_SUBMISSION * MAX_TRANSACTION_SIZE * JSON_FACTOR,
    query: receiptQuery,
    handle: async ({ body, query }) => finish(await submitJson(admission, body.transactions), query),
    takeBytes: async ({ body, query }) => {
      const bodies = splitTransactions(body)
      if (bodies.length === 0 || bodies.length > MAX_SUBMISSION) {
        const want = `1 to ${MAX_SUBMISSION} transactions`
        throw invalid('SUBMISSION_SIZE', 'wrong number of transactions', { got: bodies.length, want })
      }
      return finish(await submit(bodies), query)
    },
  })
  door.route({
    method: 'get',
    path: '/v1/transactions/{txHash}',
    summary: 'A transaction, its position and how far its block is',
    params: z.object({ txHash: hashSchema }),
    answer: transactionStatusSchema,
    handle: ({ params }) =>
      views.transaction(params.txHash) ?? fail('TRANSACTION_UNKNOWN', 'transaction', params.txHash),
  })
  door.route({
    method: 'get',
    path: '/v1/transactions/{txHash}/receipt',
    summary: "The operator's signed promise of the transaction's place; it binds while its anchor is canonical on L1",
    params: z.object({ txHash: hashSchema }),
    answer: signedReceiptSchema,
    cost: 20,
    handle: async ({ params }) => {
      const stopped = problems.blocking()
      if (stopped) throw retryable(stopped.code, `no receipts are given now: ${stopped.words}`)
      const found = views.transaction(params.txHash) ?? fail('TRANSACTION_UNKNOWN', 'transaction', params.txHash)
      const [given] = await receipts.give([found])
      return given ?? fail('TRANSACTION_UNKNOWN', 'transaction', params.txHash)
    },
  })
}

/** Every accepted one with its receipt. */
async function withReceipts(
  { results }: { results: SubmitResult[] },
  receipts: ReceiptDesk,
): Promise<{ results: SubmitResult[] }> {
  // The payments are stored: a signer that fails must not make them look refused. The receipt can be asked for again.
  const accepted = results.flatMap((result) => (result.status === 'accepted' ? [result] : []))
  const given = await receipts.give(accepted).catch((error: unknown) => {
    receipts.tell(error)
    return []
  })
  let next = 0
  return {
    results: results.map((result) => {
      const receipt = result.status === 'accepted' ? given[next++] : undefined
      return receipt ? { ...result, receipt } : result
    }),
  }
}

/** A malformed transaction is refused in its place; the others go on. */
async function submitJson(
  admission: Admission,
  transactions: readonly unknown[],
): Promise<{ results: SubmitResult[] }> {
  const encoded = transactions.map(encodeJson)
  const bodies = encoded.flatMap((one) => (one instanceof Uint8Array ? [one] : []))
  const results = (bodies.length === 0 ? [] : await admission.submit(bodies)).map(toSubmitResult)
  let next = 0
  return {
    results: encoded.map((one): SubmitResult => {
      if (one instanceof Uint8Array) return results[next++] as SubmitResult
      return { status: 'rejected', error: errorToBody(one) }
    }),
  }
}

function encodeJson(json: unknown): Uint8Array | LifeboatError {
  const parsed = signedTransactionSchema.safeParse(json)
  if (!parsed.success) {
    const got = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`)
    return invalid('TRANSACTION_MALFORMED', 'malformed transaction', { got, want: 'what /openapi.json says' })
  }
  try {
    const { witnesses, ...transaction } = parsed.data
    return encodeTransaction({ transaction, witnesses })
  } catch (error) {
    return isLifeboatError(error) ? error : bug('ENCODING_FAILED', 'the transaction does not encode', {}, error)
  }
}

function addBlockRoutes({ door, views }: RoutesOptions): void {
  const blockOf = (block: number) => {
    const [summary, body] = [views.block(block), views.body(block)]
    if (!summary || !body) return fail('BLOCK_UNKNOWN', 'block', block)
    const transactions = decodeBody(body).transactions.map(({ transaction, witnesses }) => ({
      ...transaction,
      witnesses,
    }))
    return { ...summary, transactions }
  }
  door.route({
    method: 'get',
    path: '/v1/blocks/latest',
    summary: 'The newest block that is cut',
    answer: blockSummarySchema,
    handle: () => views.latestBlock() ?? fail('BLOCK_UNKNOWN', 'block', 'none yet'),
  })
  door.route({
    method: 'get',
    path: '/v1/blocks/{number}',
    summary: 'A block that is cut; binary: its body, as root and anchor on L1 commit to it',
    params: number,
    answer: blockSchema,
    cost: 5,
    handle: ({ params }) => blockOf(params.number),
    giveBytes: ({ params }) => views.body(params.number) ?? fail('BLOCK_UNKNOWN', 'block', params.number),
  })
  door.route({
    method: 'get',
    path: '/v1/blocks',
    summary: `Consecutive blocks, at most ${MAX_BLOCK_RANGE}, perhaps fewer than asked for; binary: bodies, each after its length (u32)`,
    query: z.object({ from: blockNumberTextSchema, to: blockNumberTextSchema }),
    answer: blockRangeSchema,
    cost: 5,
    handle: ({ query }) => ({
      blocks: readRange(views, query, MAX_JSON_RANGE_BYTES).map(({ number: block }) => blockOf(block)),
    }),
    giveBytes: ({ query }) => joinBodies(readRange(views, query, MAX_RANGE_BYTES).map(({ body }) => body)),
  })
}

function readRange(views: Views, { from, to }: Readonly<{ from: number; to: number }>, maxBytes: number) {
  if (to < from || to - from >= MAX_BLOCK_RANGE) {
    throw invalid('RANGE_INVALID', 'not a range of blocks', {
      got: { from, to },
      want: `1 to ${MAX_BLOCK_RANGE} blocks`,
    })
  }
  const range: { number: number; body: Uint8Array }[] = []
  let size = 0
  for (let block = from; block <= to; block++) {
    const body = views.body(block)
    size += body?.length ?? 0
    if (!body || (range.length > 0 && size > maxBytes)) return range
    range.push({ number: block, body })
  }
  return range
}

function addAccountRoutes({ door, views }: RoutesOptions): void {
  door.route({
    method: 'get',
    path: '/v1/accounts/{owner}/outputs',
    summary: 'Unspent outputs of an account, oldest first',
    params: owner,
    query: z.object({ ...page, token: addressSchema.optional() }),
    answer: outputsPageSchema,
    handle: ({ params, query }) => views.outputs(params.owner, query),
  })
  door.route({
    method: 'get',
    path: '/v1/accounts/{owner}/history',
    summary: 'What happened to an account, newest first',
    params: owner,
    query: z.object(page),
    answer: historyPageSchema,
    handle: ({ params, query }) => views.history(params.owner, query),
  })
  door.route({
    method: 'get',
    path: '/v1/exit-data/{position}',
    summary: 'What an owner shows on L1 to leave with an output',
    params: z.object({ position: positionTextSchema }),
    answer: exitDataSchema,
    handle: ({ params }) => views.exitData(params.position) ?? fail('OUTPUT_UNKNOWN', 'output', params.position),
  })
}

function fail(code: string, what: string, got: unknown): never {
  throw invalid(code, `no such ${what}`, { got, want: `a ${what} that this operator knows` })
}

/**
 * What travels over HTTP between operator, watcher and wallet (docs/spec.md section 11), as zod schemas. The server validates
 * requests and encodes answers with them, the client decodes answers with them, and openapi.json is generated from them.
 */
import { z } from 'zod'
import { MAX_LEAVES } from '../protocol/merkle.ts'
import { errorBodySchema } from './errors.ts'
import {
  addressSchema,
  amountSchema,
  blockNumberSchema,
  bytesSchema,
  changeSchema,
  cursorSchema,
  hashSchema,
  hexSchema,
  l1BlockSchema,
  positionSchema,
  secondsSchema,
} from './values.ts'

/** Most transactions in one submission. */
export const MAX_SUBMISSION = 1_000
/** Most blocks in one range. */
export const MAX_BLOCK_RANGE = 256
/** Most rows in one page. */
export const MAX_PAGE = 500
export const DEFAULT_PAGE = 100

const ZERO_WORD = `0x${'0'.repeat(64)}`

export const outputSchema = z.object({
  owner: addressSchema,
  token: addressSchema,
  amount: amountSchema,
  condition: hashSchema.prefault(ZERO_WORD),
})

export const transactionSchema = z.object({
  inputs: z.array(positionSchema).min(1).max(16).readonly(),
  outputs: z.array(outputSchema).min(1).max(16).readonly(),
  memo: hashSchema.prefault(ZERO_WORD),
})

/** JSON form of a signed transaction: the struct's fields and the witnesses side by side. */
export const signedTransactionSchema = transactionSchema.extend({ witnesses: bytesSchema })

export const submissionSchema = z.object({
  transactions: z.array(z.unknown()).min(1).max(MAX_SUBMISSION).describe('signed transactions, each judged by itself'),
})

const uint32 = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)

/** The operator's signed promise of a place (docs/spec.md section 8.8): one of a batch under one signature. */
export const signedReceiptSchema = z.object({
  receipt: z.object({ txHash: hashSchema, blockNumber: uint32, index: uint32, anchor: uint32, anchorHash: hashSchema }),
  /** Of the batch that was signed, and how many receipts that has. */
  root: hashSchema,
  count: z.int().min(1).max(MAX_LEAVES),
  /** This one's among them. */
  place: z
    .int()
    .min(0)
    .max(MAX_LEAVES - 1),
  path: z.array(hashSchema).max(16).readonly(),
  /** 64 bytes, EIP-2098. */
  signature: hexSchema.refine((hex) => hex.length === 130, 'want 64 bytes'),
})

export const submitResultSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('accepted'),
    txHash: hashSchema,
    /** Position of output 0: exact and final for as long as the operator is honest. */
    position: positionSchema,
    /** Where it was asked for; it can be fetched later by the transaction's hash. */
    receipt: signedReceiptSchema.optional(),
  }),
  z.object({ status: z.literal('rejected'), txHash: hashSchema.optional(), error: errorBodySchema }),
])
export type SubmitResult = z.output<typeof submitResultSchema>

export const submissionResultSchema = z.object({ results: z.array(submitResultSchema) })

/** accepted: in the open block. sealed: its block is cut. committed: its block is on L1. final: and past L1 finality. */
export const stageSchema = z.enum(['accepted', 'sealed', 'committed', 'final'])
export type Stage = z.output<typeof stageSchema>

export const transactionStatusSchema = z.object({
  txHash: hashSchema,
  position: positionSchema,
  stage: stageSchema,
  transaction: transactionSchema,
  witnesses: bytesSchema,
})
export type TransactionStatus = z.output<typeof transactionStatusSchema>

export const headerSchema = z.object({
  root: hashSchema,
  timestamp: secondsSchema,
  txCount: z.int().min(0),
  anchor: l1BlockSchema,
})

export const blockSummarySchema = z.object({
  number: blockNumberSchema,
  stage: stageSchema,
  root: hashSchema,
  txCount: z.int().min(0),
  anchor: l1BlockSchema,
  anchorHash: hashSchema,
  /** L1 block and time of the submission; left out until it is on L1. */
  submission: z.object({ l1Block: l1BlockSchema, l1BlockHash: hashSchema, timestamp: secondsSchema }).optional(),
})
export type BlockSummary = z.output<typeof blockSummarySchema>

export const blockSchema = blockSummarySchema.extend({ transactions: z.array(signedTransactionSchema) })
export const blockRangeSchema = z.object({ blocks: z.array(blockSchema) })

/**
 * pending: a deposit not yet deep enough to be spent. unspent: spendable now. exiting: locked by an exit on L1, or about to be; the
 * operator does not take a spend of it.
 */
export const outputStateSchema = z.enum(['pending', 'unspent', 'exiting'])

export const ownedOutputSchema = z.object({
  position: positionSchema,
  outputId: hashSchema,
  token: addressSchema,
  amount: amountSchema,
  state: outputStateSchema,
})
export type OwnedOutput = z.output<typeof ownedOutputSchema>

export const outputsPageSchema = z.object({
  outputs: z.array(ownedOutputSchema),
  /** To be passed on for the next page; left out on the last. */
  nextCursor: cursorSchema.optional(),
})
export type OutputsPage = z.output<typeof outputsPageSchema>

export const activityKindSchema = z.enum(['payment', 'deposit', 'deposit-dropped', 'exit-started', 'exit-dropped'])

/** One thing that happened to an account. Also the event of the feed topic `account:<address>`. */
export const activitySchema = z.object({
  cursor: cursorSchema,
  kind: activityKindSchema,
  /** Of the payment's output 0, of the deposit, or of the exiting output. */
  position: positionSchema,
  txHash: hashSchema.optional(),
  memo: hashSchema.optional(),
  /** What it did to the account's balance. Exits take the output off the spendable balance. */
  changes: z.array(z.object({ token: addressSchema, change: changeSchema })),
  /** The payment's other parties: owners of its inputs and outputs but the account itself. */
  parties: z.array(addressSchema),
})
export type Activity = z.output<typeof activitySchema>

export const historyPageSchema = z.object({ entries: z.array(activitySchema), nextCursor: cursorSchema.optional() })
export type HistoryPage = z.output<typeof historyPageSchema>

/** What an owner shows on L1 to leave, in the shape that the calls of the root contract take. */
export const exitDataSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('transaction'),
    position: positionSchema,
    outputId: hashSchema,
    output: outputSchema,
    txHash: hashSchema,
    transaction: transactionSchema,
    header: headerSchema,
    proof: z.object({ witnessesHash: hashSchema, path: z.array(hashSchema) }),
  }),
  z.object({
    kind: z.literal('deposit'),
    position: positionSchema,
    outputId: hashSchema,
    output: outputSchema,
    /** L1 block of the deposit. */
    l1Block: l1BlockSchema,
  }),
])
export type ExitData = z.output<typeof exitDataSchema>

/** A payment needs one output to `feeAddress` that reaches the minimum of any one listed token; none listed: no fee. */
export const feesSchema = z.object({
  feeAddress: addressSchema,
  fees: z.array(z.object({ token: addressSchema, minimum: amountSchema })),
})
export type Fees = z.output<typeof feesSchema>

export const statusSchema = z.object({
  role: z.enum(['operator', 'watcher']),
  version: z.string(),
  chainId: z.int().min(1),
  rootContract: addressSchema,
  /** Newest block that is cut, that is on L1, and that is past L1 finality; 0 for none. */
  sealed: blockNumberSchema,
  committed: blockNumberSchema,
  final: blockNumberSchema,
  l1Block: l1BlockSchema,
  /** What an operator has at stake on L1; below the least L1 takes no blocks. Wei. */
  bond: z.object({ wei: amountSchema, leastWei: amountSchema, slashedWei: amountSchema }).optional(),
  /** An operator's block that takes transactions now. */
  open: z.object({ number: blockNumberSchema, txCount: z.int().min(0), anchor: l1BlockSchema }).optional(),
  /** First void block, once the chain is halted. */
  voidFrom: blockNumberSchema.optional(),
  /** What keeps it from working normally, in words; empty when all is well. */
  problems: z.array(z.string()),
})
export type Status = z.output<typeof statusSchema>

/** The deployment file as l1/deployment.ts writes it; only what every client needs is named here. */
export const deploymentSchema = z.looseObject({
  chainId: z.int().min(1),
  /** By name; the root contract is `root`. */
  contracts: z.record(z.string(), z.looseObject({ address: addressSchema })),
})

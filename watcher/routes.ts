/**
 * What a watcher serves to other watchers and to users whose operator vanished (docs/spec.md section 11): blocks, outputs, exit data
 * and transactions, in the same shapes as the operator's API, all from verified or at least committed content.
 */
import { z } from 'zod'
import { joinBodies } from '../api/bodies.ts'
import {
  blockRangeSchema,
  blockSchema,
  blockSummarySchema,
  DEFAULT_PAGE,
  deploymentSchema,
  type ExitData,
  exitDataSchema,
  MAX_BLOCK_RANGE,
  MAX_PAGE,
  type OwnedOutput,
  outputsPageSchema,
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
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { decodeTransaction, splitBody } from '../protocol/codec.ts'
import { invalid, retryable } from '../protocol/errors.ts'
import { decodePosition, isDepositPosition, outputIdAt } from '../protocol/position.ts'
import { createOutput } from '../protocol/transaction.ts'
import type { Door } from '../service/http.ts'
import type { ChildBlock } from './blockStore.ts'
import type { Core } from './core.ts'
import type { StoredOutput } from './ledger.ts'

/** Bytes of bodies after which a range is cut short. */
const RANGE_BYTES = 16 * 1024 * 1024
/** Outputs looked through for a token before a page is handed out with what was found. */
const TOKEN_SCAN = 5_000

export const ROUTE_STATUS = {
  BLOCK_UNKNOWN: 404,
  BODY_MISSING: 404,
  TRANSACTION_UNKNOWN: 404,
  OUTPUT_UNKNOWN: 404,
  ALERT_UNKNOWN: 404,
  EXIT_UNKNOWN: 404,
  DISPUTE_UNKNOWN: 404,
  TOKEN_WRONG: 401,
  TOKEN_UNSET: 403,
} as const

const pageQuery = { cursor: cursorTextSchema.optional(), limit: numberText(MAX_PAGE, 1).optional() }

export function addBlockRoutes(door: Door, core: Core, deployment: unknown): void {
  const { blocks } = core

  const stageOf = ({ l1Block }: ChildBlock) =>
    l1Block <= core.rootLog.now().finalised ? ('final' as const) : ('committed' as const)

  function summaryOf(block: ChildBlock): z.output<typeof blockSummarySchema> {
    const { number, header, l1Block, l1Hash, anchorHash } = block
    const { root, txCount, anchor, timestamp } = header
    const submission = { l1Block, l1BlockHash: l1Hash, timestamp }
    return { number, stage: stageOf(block), root, txCount, anchor, anchorHash: anchorHash ?? ZERO_HASH, submission }
  }

  function known(number: number): ChildBlock {
    const block = blocks.find(number)
    if (!block)
      throw invalid('BLOCK_UNKNOWN', 'L1 knows no such block', { got: number, want: `1 to ${blocks.newestBlock()}` })
    return block
  }

  function bodyOf(number: number): Uint8Array {
    const { header } = known(number)
    const body = blocks.body(number)
    if (!body) throw invalid('BODY_MISSING', 'nobody has served this block', { got: number, want: header.root })
    return body
  }

  function fullBlock(number: number): z.output<typeof blockSchema> {
    const { transactions } = splitBody(bodyOf(number))
    const decoded = transactions.map((encoded) => {
      const { transaction, witnesses } = decodeTransaction(encoded)
      return { ...transaction, inputs: [...transaction.inputs], outputs: [...transaction.outputs], witnesses }
    })
    return { ...summaryOf(known(number)), transactions: decoded }
  }

  /** Consecutive blocks from `from` whose bodies we have, within the limits. */
  function rangeOf({ from, to }: Readonly<{ from: number; to: number }>): number[] {
    const numbers: number[] = []
    let size = 0
    for (let number = from; number <= Math.min(to, from + MAX_BLOCK_RANGE - 1); number++) {
      const block = blocks.find(number)
      if (!block?.hasBody) break
      size += blocks.bodySize(number)
      if (numbers.length > 0 && size > RANGE_BYTES) break
      numbers.push(number)
    }
    return numbers
  }

  door.route({
    method: 'get',
    path: '/v1/blocks/latest',
    summary: 'The newest block that L1 knows',
    answer: blockSummarySchema,
    handle: () => summaryOf(known(blocks.newestBlock())),
  })
  door.route({
    method: 'get',
    path: '/v1/blocks/{number}',
    summary: 'One block as committed, with its transactions',
    params: z.object({ number: blockNumberTextSchema }),
    answer: blockSchema,
    cost: 5,
    handle: ({ params }) => fullBlock(params.number),
    giveBytes: ({ params }) => bodyOf(params.number),
  })
  door.route({
    method: 'get',
    path: '/v1/blocks',
    summary: 'Consecutive blocks, at most 256 and as many as fit; none when the first is not here',
    query: z.object({ from: blockNumberTextSchema, to: blockNumberTextSchema }),
    answer: blockRangeSchema,
    cost: 10,
    handle: ({ query }) => ({ blocks: rangeOf(query).map(fullBlock) }),
    giveBytes: ({ query }) => joinBodies(rangeOf(query).map(bodyOf)),
  })
  door.route({
    method: 'get',
    path: '/v1/transactions/{txHash}',
    summary: 'A transaction of a verified block',
    params: z.object({ txHash: hashSchema }),
    answer: transactionStatusSchema,
    handle: ({ params: { txHash } }) => {
      const position = blocks.positionOf(txHash)
      const signed = position === undefined ? undefined : blocks.signedAt(position)
      if (position === undefined || !signed) {
        throw invalid('TRANSACTION_UNKNOWN', 'no verified block holds it', { got: txHash, want: 'a transaction hash' })
      }
      const { inputs, outputs, memo } = signed.transaction
      const transaction = { inputs: [...inputs], outputs: [...outputs], memo }
      const stage = stageOf(known(decodePosition(position).block))
      return { txHash, position, stage, transaction, witnesses: signed.witnesses }
    },
  })
  door.route({
    method: 'get',
    path: '/v1/deployment',
    summary: 'The deployment file',
    answer: deploymentSchema,
    handle: () => deployment as z.output<typeof deploymentSchema>,
  })
}

export function addAccountRoutes(door: Door, core: Core): void {
  const { blocks, ledger } = core

  function outputIdOf(position: number): Hash | undefined {
    const txHash = isDepositPosition(position) ? ZERO_HASH : blocks.txHashAt(position)
    return txHash && outputIdAt(position, txHash)
  }

  function toOwned({ position, token, amount, lockedAt, depositedAt }: StoredOutput): OwnedOutput[] {
    const outputId = outputIdOf(position)
    if (!outputId) return []
    const isYoung = depositedAt !== undefined && depositedAt > core.rootLog.now().finalised
    return [
      {
        position,
        outputId,
        token,
        amount,
        state: lockedAt !== undefined ? 'exiting' : isYoung ? 'pending' : 'unspent',
      },
    ]
  }

  /** A page may be short of its limit and still not the last: then there is a next cursor. */
  function pageOf(owner: Address, token: Address | undefined, cursor: number, limit: number) {
    const outputs: OwnedOutput[] = []
    let at = cursor
    for (let seen = 0; outputs.length < limit && seen < TOKEN_SCAN; ) {
      const rows = ledger.unspentOf(owner, at, limit)
      for (const row of rows) {
        at = row.position
        if (token === undefined || row.token === token) outputs.push(...toOwned(row))
        if (outputs.length === limit) return { outputs, nextCursor: at }
      }
      if (rows.length < limit) return { outputs }
      seen += rows.length
    }
    return { outputs, nextCursor: at }
  }

  function exitData(position: number): ExitData {
    const output = ledger.find(position)
    const outputId = output && outputIdOf(position)
    if (!output || !outputId) throw unknownOutput(position)
    if (output.spentBy !== undefined) {
      throw invalid('OUTPUT_SPENT', 'this output was spent: its exit would be challenged', {
        got: position,
        want: `unspent; ${output.spentBy} spent it`,
      })
    }
    const { owner, token, amount, depositedAt } = output
    const created = createOutput(owner, token, amount)
    if (depositedAt !== undefined) return { kind: 'deposit', position, outputId, output: created, l1Block: depositedAt }
    const placed = blocks.prove(position)
    const txHash = blocks.txHashAt(position)
    if (!placed || !txHash) throw unknownOutput(position)
    const { inputs, outputs, memo } = placed.signed.transaction
    return {
      kind: 'transaction',
      position,
      outputId,
      output: created,
      txHash,
      transaction: { inputs: [...inputs], outputs: [...outputs], memo },
      header: placed.header,
      proof: { witnessesHash: placed.proof.witnessesHash, path: [...placed.proof.path] },
    }
  }

  function unknownOutput(position: number) {
    const { block } = decodePosition(position)
    if (block > blocks.verifiedBlock() && !isDepositPosition(position)) {
      return retryable('NOT_COMMITTED', 'the block of this output is not verified yet', {
        got: block,
        want: `at most ${blocks.verifiedBlock()}`,
      })
    }
    return invalid('OUTPUT_UNKNOWN', 'there is no such output', { got: position, want: 'the position of an output' })
  }

  door.route({
    method: 'get',
    path: '/v1/accounts/{owner}/outputs',
    summary: 'Unspent outputs in verified blocks, and deposits, oldest first',
    params: z.object({ owner: addressSchema }),
    query: z.object({ ...pageQuery, token: addressSchema.optional() }),
    answer: outputsPageSchema,
    cost: 2,
    handle: ({ params, query }) => pageOf(params.owner, query.token, query.cursor ?? -1, query.limit ?? DEFAULT_PAGE),
  })
  door.route({
    method: 'get',
    path: '/v1/exit-data/{position}',
    summary: 'What an owner shows on L1 to leave with this output',
    params: z.object({ position: positionTextSchema }),
    answer: exitDataSchema,
    cost: 3,
    handle: ({ params }) => exitData(params.position),
  })
}

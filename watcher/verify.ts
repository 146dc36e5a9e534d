/**
 * Is this the body that L1 committed, and is it valid (docs/spec.md sections 3 and 4)? The first question blames the peer that served
 * it, the second the operator; they are never mixed.
 */

import type { Commitment } from '../protocol/block.ts'
import { hashWitnesses } from '../protocol/block.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { decodeTransaction, splitBody } from '../protocol/codec.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { createTree } from '../protocol/merkle.ts'
import { hashTransaction, leafOf, type SignedTransaction } from '../protocol/transaction.ts'
import { applyBlock, type BlockFault, type Context, type State } from '../protocol/validity.ts'
import { isPrepared, type PrepareResult } from '../signatures/jobs.ts'
import { readMalformed } from './malformed.ts'

export type PreparedTransaction = Readonly<{
  signed: SignedTransaction
  txHash: Uint8Array
  leaf: Uint8Array
  /** Per input; undefined where the signature recovers to nobody. */
  signers: Context['signers']
}>

/** Hashing and recovery of encoded transactions, in the order given: signatures/pool.ts, or its job in process. */
export type Prepare = (transactions: readonly Uint8Array[], separator: Uint8Array) => Promise<readonly PrepareResult[]>

export type Garbage = Readonly<{ code: string; got: unknown; want: unknown }>

/** A body that adds up to its commitment. Not yet verified. */
export type CommittedBody = Readonly<{
  bytes: Uint8Array
  transactions: readonly PreparedTransaction[]
}>

export type BodyCheck = Readonly<{ body: CommittedBody }> | Readonly<{ garbage: Garbage }>

export type BodyRules = Readonly<{ prepare: Prepare; separator: Uint8Array }>

/** The committed body of a heartbeat needs no peer: it says nothing. */
export function isHeartbeat(commitment: Commitment): boolean {
  return commitment.txCount === 0
}

/** Waits while the workers have more than they take, as long as something of ours is among it: large blocks are fetched side by side. */
export function createPatientPrepare(prepare: Prepare): Prepare {
  const running = new Set<Promise<unknown>>()
  return async (transactions, separator) => {
    for (;;) {
      const others = [...running]
      const answer = prepare(transactions, separator)
      running.add(answer)
      try {
        return await answer
      } catch (error) {
        const isFull = isLifeboatError(error) && error.code === 'SIGNATURE_POOL_FULL'
        if (!isFull || others.length === 0) throw error
      } finally {
        running.delete(answer)
      }
      await Promise.race(others.map((other) => other.catch(() => undefined)))
    }
  }
}

/** A body counts only if number, anchor, txCount and root are the commitment's. */
export async function checkBody(
  block: number,
  commitment: Commitment,
  bytes: Uint8Array,
  { prepare, separator }: BodyRules,
): Promise<BodyCheck> {
  const split = trySplit(bytes)
  if ('garbage' in split) return split
  const { body } = split
  if (body.block !== block) return garbage('OTHER_BLOCK', body.block, block)
  if (body.anchor !== commitment.anchor) return garbage('OTHER_ANCHOR', body.anchor, commitment.anchor)
  if (body.transactions.length !== commitment.txCount) {
    return garbage('OTHER_TX_COUNT', body.transactions.length, commitment.txCount)
  }
  const results = await prepare(body.transactions, separator)
  const transactions: PreparedTransaction[] = []
  for (let i = 0; i < body.transactions.length; i++) {
    const transaction = place(body.transactions[i] as Uint8Array, results[i], separator)
    if (!transaction) return garbage('TRANSACTION_MALFORMED', `transaction ${i}`, 'the canonical encoding')
    transactions.push(transaction)
  }
  const root = bytesToHex(createTree(transactions.map(({ leaf }) => leaf)).root)
  if (root !== commitment.root) return garbage('OTHER_ROOT', root, commitment.root)
  return { body: { bytes, transactions } }
}

/** V1..V6 over the state, which takes up the block's effects. The first fault, or undefined. */
export function verifyBody(
  block: number,
  commitment: Commitment,
  { transactions }: CommittedBody,
  state: State,
): BlockFault | undefined {
  const placed = transactions.map(({ signed, signers }) => ({ ...signed, signers }))
  return applyBlock(placed, { block, anchor: commitment.anchor }, state)
}

function place(
  bytes: Uint8Array,
  result: PrepareResult | undefined,
  separator: Uint8Array,
): PreparedTransaction | undefined {
  if (result && isPrepared(result)) {
    return { signed: decodeTransaction(bytes), txHash: result.txHash, leaf: result.leaf, signers: result.signers }
  }
  const signed = readMalformed(bytes)
  if (!signed) return undefined
  const txHash = hashTransaction(signed.transaction, separator)
  return { signed, txHash, leaf: leafOf(txHash, hashWitnesses(signed.witnesses)), signers: [] }
}

function trySplit(bytes: Uint8Array) {
  try {
    return { body: splitBody(bytes) }
  } catch (error) {
    if (!isLifeboatError(error) || error.family !== 'invalid') throw error
    return garbage(error.code, error.details.got, error.details.want)
  }
}

function garbage(code: string, got: unknown, want: unknown): Readonly<{ garbage: Garbage }> {
  return { garbage: { code, got, want } }
}

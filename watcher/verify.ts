/**
 * Is this the body that L1 committed, and is it valid (docs/spec.md sections 3 and 4)? The first question blames the peer that served
 * it, the second the operator; they are never mixed.
 */

import type { Commitment } from '../protocol/block.ts'
import { hashWitnesses } from '../protocol/block.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { splitBody } from '../protocol/codec.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { createTree } from '../protocol/merkle.ts'
import { hashTransaction, leafOf, type SignedTransaction } from '../protocol/transaction.ts'
import { applyBlock, type BlockFault, type State } from '../protocol/validity.ts'
import type { TransactionBatch } from '../signatures/jobs.ts'
import { bufferOf, cutHashes, HASH_SIZE, type PackedPrepared, readSigners } from '../signatures/packing.ts'
import { createReader } from '../signatures/wire.ts'
import { readMalformed } from './malformed.ts'

/** Hashing and recovery of encoded transactions: signatures/pool.ts, or its job in process. */
export type Prepare = (batch: TransactionBatch) => Promise<PackedPrepared>

export type Garbage = Readonly<{ code: string; got: unknown; want: unknown }>

/**
 * A body that adds up to its commitment. Not yet verified. Its transactions stay encoded until then: blocks wait for their turn by the
 * ten thousand transactions, and as objects they would be most of what the collector has to move.
 */
export type CommittedBody = Readonly<{
  bytes: Uint8Array
  /** Transaction `i` stands in `bytes` from end `i - 1`, or `start`, to end `i`. */
  start: number
  ends: Uint32Array
  /** 32 bytes each. */
  txHashes: Uint8Array
  leaves: Uint8Array
  /** Per transaction, its number of signers; 20 bytes each. */
  counts: Uint8Array
  signers: Uint8Array
  /** By index: those that break V1. */
  malformed: ReadonlyMap<number, SignedTransaction>
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
  return async (batch) => {
    for (;;) {
      const others = [...running]
      const answer = prepare(batch)
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
  const placed = placeOf(bytes, body.transactions)
  const { txHashes, leaves, counts, signers } = await prepare({ ...batchOf(bytes, placed), separator })
  const malformed = new Map<number, SignedTransaction>()
  for (let i = counts.indexOf(0); i >= 0; i = counts.indexOf(0, i + 1)) {
    const signed = readMalformed(body.transactions[i] as Uint8Array)
    if (!signed) return garbage('TRANSACTION_MALFORMED', `transaction ${i}`, 'the canonical encoding')
    const txHash = hashTransaction(signed.transaction, separator)
    txHashes.set(txHash, i * HASH_SIZE)
    leaves.set(leafOf(txHash, hashWitnesses(signed.witnesses)), i * HASH_SIZE)
    malformed.set(i, signed)
  }
  const root = bytesToHex(createTree(cutHashes(leaves)).root)
  if (root !== commitment.root) return garbage('OTHER_ROOT', root, commitment.root)
  return { body: { bytes, ...placed, txHashes, leaves, counts, signers, malformed } }
}

/** V1..V6 over the state, which takes up the block's effects. The first fault, or undefined. */
export function verifyBody(
  block: number,
  commitment: Commitment,
  body: CommittedBody,
  state: State,
): BlockFault | undefined {
  return applyBlock(readTransactions(body), { block, anchor: commitment.anchor }, state)
}

function readTransactions({ bytes, start, ends, counts, signers, malformed }: CommittedBody) {
  const read = createReader(bytes)
  const addresses = bufferOf(signers)
  let from = start
  let firstSigner = 0
  return Array.from(ends, (end, i) => {
    const count = counts[i] as number
    const { transaction, witnesses } = malformed.get(i) ?? read(from, end)
    const signed = { transaction, witnesses, signers: readSigners(addresses, firstSigner, count) }
    from = end
    firstSigner += count
    return signed
  })
}

/** Where the transactions stand that `splitBody` cut: back to back, up to the end. */
function placeOf(bytes: Uint8Array, transactions: readonly Uint8Array[]): Pick<CommittedBody, 'start' | 'ends'> {
  let end = bytes.length - transactions.reduce((size, { length }) => size + length, 0)
  const start = end
  const ends = Uint32Array.from(transactions, ({ length }) => {
    end += length
    return end
  })
  return { start, ends }
}

function batchOf(bytes: Uint8Array, { start, ends }: Pick<CommittedBody, 'start' | 'ends'>) {
  return { bytes: bytes.subarray(start), ends: ends.map((end) => end - start) }
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

/**
 * Worker threads for signatures. A batch is cut into one part per thread (lane.ts); answers come back in order. What waits is bounded: a
 * pool that is full says so at once, and the caller slows down.
 */
import { availableParallelism } from 'node:os'
import type { Address } from '../protocol/bytes.ts'
import { bug, configError, retryable } from '../protocol/errors.ts'
import type { Job, RecoverBatch, TransactionBatch } from './jobs.ts'
import { createLane } from './lane.ts'
import {
  joinPrepared,
  type Packed,
  type PackedPrepared,
  type PrepareResult,
  unpackPrepared,
  unpackSigners,
} from './packing.ts'

/** Smaller parts are not worth a message: some 15 ms of work. */
const SMALLEST_PART = 256
/** About ten seconds of work for one thread. */
const DEFAULT_BACKLOG = 100_000

export type SignaturePool = Readonly<{
  /**
   * Decodes, hashes and recovers encoded transactions, in order. The bytes are copied before the call returns.
   * Retryable SIGNATURE_POOL_FULL, SIGNATURE_WORKER_DIED; bug SIGNATURE_POOL_CLOSED, SIGNATURE_JOB_FAILED.
   */
  prepare(transactions: readonly Uint8Array[], separator: Uint8Array): Promise<PrepareResult[]>
  /** The same for transactions that stand back to back, and packed as the workers give it: for those who look at few of them. */
  preparePacked(batch: TransactionBatch): Promise<PackedPrepared>
  /** Recovers signers, in order. The same errors. */
  recover(batch: RecoverBatch): Promise<(Address | undefined)[]>
  /** Transactions and digests that were handed in and not yet answered. */
  backlog(): number
  /** Resolves when every worker runs and has answered. The same errors. */
  ready(): Promise<void>
  /** Fails what is unanswered with SIGNATURE_WORKER_DIED. */
  close(): Promise<void>
}>

export type SignaturePoolOptions = Readonly<{
  /** Default: one for each processor. */
  threads?: number
  /** Items from which new batches are refused; a batch that finds the pool empty is always taken. Default 100,000. */
  maxBacklog?: number
  /** Items below which a batch is not cut further. Default 256. */
  smallestPart?: number
  /** The worker's program; another one is for tests. */
  worker?: URL
}>

/** Throws THREADS_INVALID (config) unless `threads` is a positive integer. */
export function createSignaturePool(options: SignaturePoolOptions = {}): SignaturePool {
  const { threads = availableParallelism(), maxBacklog = DEFAULT_BACKLOG, worker = workerUrl() } = options
  const { smallestPart = SMALLEST_PART } = options
  if (!Number.isInteger(threads) || threads < 1) {
    throw configError('THREADS_INVALID', 'impossible number of signature threads', { got: threads, want: '1 or more' })
  }
  const lanes = Array.from({ length: threads }, () => createLane(worker))
  let backlog = 0

  async function spread(count: number, jobOf: (from: number, to: number) => Job): Promise<Packed[]> {
    if (backlog > 0 && backlog + count > maxBacklog) {
      throw retryable('SIGNATURE_POOL_FULL', 'too many signatures wait to be checked', {
        got: backlog + count,
        want: `at most ${maxBacklog}`,
      })
    }
    const parts = Math.max(1, Math.min(lanes.length, Math.floor(count / smallestPart)))
    const idlest = lanes.toSorted((a, b) => a.load() - b.load()).slice(0, parts)
    backlog += count
    try {
      return await Promise.all(
        idlest.map((lane, i) =>
          lane.run(jobOf(Math.floor((count * i) / parts), Math.floor((count * (i + 1)) / parts))),
        ),
      )
    } finally {
      backlog -= count
    }
  }

  async function preparePacked({ bytes, ends, separator }: TransactionBatch): Promise<PackedPrepared> {
    const parts = await spread(ends.length, (from, to) => {
      const start = ends[from - 1] ?? 0
      return {
        kind: 'prepare',
        batch: {
          bytes: copy(bytes, start, ends[to - 1] ?? 0),
          ends: ends.slice(from, to).map((end) => end - start),
          separator,
        },
      }
    })
    return joinPrepared(parts as PackedPrepared[])
  }

  return {
    prepare: async (transactions, separator) =>
      unpackPrepared(await preparePacked({ ...joinTransactions(transactions), separator })),
    preparePacked,
    recover: async ({ digests, signatures }) => {
      const count = digests.length / 32
      if (!Number.isInteger(count) || signatures.length !== count * 64) {
        const got = `${digests.length} and ${signatures.length} bytes`
        throw bug('SIGNATURE_BATCH', 'digests and signatures do not match', { got, want: '32 and 64 bytes for each' })
      }
      const packed = await spread(count, (from, to) => ({
        kind: 'recover',
        batch: { digests: copy(digests, from * 32, to * 32), signatures: copy(signatures, from * 64, to * 64) },
      }))
      return packed.flatMap(unpackSigners)
    },
    backlog: () => backlog,
    ready: async () => {
      const nothing = () => ({ digests: new Uint8Array(0), signatures: new Uint8Array(0) })
      await Promise.all(lanes.map((lane) => lane.run({ kind: 'recover', batch: nothing() })))
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()))
    },
  }
}

/** Not `slice`, which of a Buffer is a view: what is handed to a worker must be nobody else's memory. */
function copy(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to))
}

function joinTransactions(transactions: readonly Uint8Array[]): { bytes: Uint8Array; ends: Uint32Array } {
  const bytes = new Uint8Array(transactions.reduce((size, { length }) => size + length, 0))
  const ends = new Uint32Array(transactions.length)
  let end = 0
  transactions.forEach((transaction, i) => {
    bytes.set(transaction, end)
    end += transaction.length
    ends[i] = end
  })
  return { bytes, ends }
}

/** The compiled program runs .js, development .ts: whichever this file is. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./worker.${extension}`, import.meta.url)
}

/**
 * Worker threads for signatures. A batch is cut into one part per thread; answers come back in order. A worker that dies fails the
 * parts it held with a retryable error and is replaced.
 */
import { Worker } from 'node:worker_threads'
import type { Address } from '../protocol/bytes.ts'
import { bug, configError, retryable } from '../protocol/errors.ts'
import type { Job, JobResult, PrepareResult, RecoverBatch } from './jobs.ts'
import type { Response } from './worker.ts'

/** Below this many items a batch is not worth cutting. */
const SMALLEST_PART = 16

export type SignaturePool = Readonly<{
  /** Decodes, hashes and recovers encoded transactions, in order. Retryable SIGNATURE_WORKER_DIED. */
  prepare(transactions: readonly Uint8Array[], separator: Uint8Array): Promise<PrepareResult[]>
  /** Recovers signers, in order. Retryable SIGNATURE_WORKER_DIED. */
  recover(batch: RecoverBatch): Promise<(Address | undefined)[]>
  close(): Promise<void>
}>

/** Throws THREADS_INVALID unless `threads` is a positive integer. */
export function createSignaturePool({ threads }: Readonly<{ threads: number }>): SignaturePool {
  if (!Number.isInteger(threads) || threads < 1) {
    throw configError('THREADS_INVALID', 'impossible number of signature threads', { got: threads, want: '1 or more' })
  }
  const lanes = Array.from({ length: threads }, createLane)

  async function spread<T>(count: number, jobOf: (from: number, to: number) => Job): Promise<T[]> {
    const parts = Math.max(1, Math.min(lanes.length, Math.floor(count / SMALLEST_PART)))
    const ready = [...lanes].sort((a, b) => a.load() - b.load())
    const results = await Promise.all(
      Array.from({ length: parts }, (_, i) => {
        const job = jobOf(Math.floor((count * i) / parts), Math.floor((count * (i + 1)) / parts))
        return (ready[i] as Lane).run(job) as Promise<T[]>
      }),
    )
    return results.flat()
  }

  return {
    prepare: (transactions, separator) =>
      spread<PrepareResult>(transactions.length, (from, to) => ({
        kind: 'prepare',
        batch: { ...joinTransactions(transactions, from, to), separator },
      })),
    recover: ({ digests, signatures }) =>
      spread<Address | undefined>(digests.length / 32, (from, to) => ({
        kind: 'recover',
        batch: { digests: digests.slice(from * 32, to * 32), signatures: signatures.slice(from * 64, to * 64) },
      })),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()))
    },
  }
}

type Lane = Readonly<{ run<J extends Job>(job: J): Promise<JobResult<J>>; load(): number; close(): Promise<void> }>
type Waiting = Readonly<{ resolve(result: never): void; reject(error: unknown): void }>

/** One worker thread and what waits for it. A dead worker is replaced when the next job comes, so that one that cannot start does not spin. */
function createLane(): Lane {
  const waiting = new Map<number, Waiting>()
  let nextId = 0
  let isClosed = false
  let worker: Worker | undefined

  function start(): Worker {
    const started = startWorker()
    started.on('message', (response: Response) => {
      const entry = waiting.get(response.id)
      waiting.delete(response.id)
      if (waiting.size === 0) started.unref()
      if ('error' in response) entry?.reject(bug('SIGNATURE_JOB_FAILED', response.error))
      else entry?.resolve(response.result as never)
    })
    started.on('error', (error) => lose(started, error))
    started.on('exit', (code) => lose(started, `exit code ${code}`))
    return started
  }

  function lose(dead: Worker, cause: unknown): void {
    if (dead !== worker) return
    worker = undefined
    const lost = [...waiting.values()]
    waiting.clear()
    const error = retryable('SIGNATURE_WORKER_DIED', 'a signature worker died', { got: String(cause) }, cause)
    for (const { reject } of lost) reject(error)
  }

  return {
    load: () => waiting.size,
    run: (job) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(bug('SIGNATURE_POOL_CLOSED', 'the signature pool is closed'))
        const id = nextId++
        waiting.set(id, { resolve, reject })
        worker ??= start()
        worker.ref()
        worker.postMessage({ id, job })
      }),
    close: async () => {
      isClosed = true
      await worker?.terminate()
    },
  }
}

/** Compiled, the worker is plain JavaScript; in development it is TypeScript, and a thread does not inherit tsx. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url))
  const source = new URL('./worker.ts', import.meta.url).href
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(source)}) })`
  return new Worker(boot, { eval: true })
}

function joinTransactions(transactions: readonly Uint8Array[], from: number, to: number) {
  const ends = new Uint32Array(to - from)
  let size = 0
  for (let i = from; i < to; i++) {
    size += (transactions[i] as Uint8Array).length
    ends[i - from] = size
  }
  const bytes = new Uint8Array(size)
  for (let i = from; i < to; i++) {
    const transaction = transactions[i] as Uint8Array
    bytes.set(transaction, (ends[i - from] as number) - transaction.length)
  }
  return { bytes, ends }
}

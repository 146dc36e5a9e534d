/**
 * One signature worker and what waits for it. A worker that dies fails the jobs it held with a retryable error, and is replaced when the
 * next job comes, so that one that can't start does not spin.
 */
import { Worker } from 'node:worker_threads'
import { bug, retryable } from '../protocol/errors.ts'
import type { Job } from './jobs.ts'
import type { Packed } from './packing.ts'
import type { Response } from './worker.ts'

export type Lane = Readonly<{
  /** The job's buffers are handed over. Retryable SIGNATURE_WORKER_DIED; bug SIGNATURE_JOB_FAILED, SIGNATURE_POOL_CLOSED. */
  run(job: Job): Promise<Packed>
  /** Jobs that wait. */
  load(): number
  close(): Promise<void>
}>

type Waiting = Readonly<{ resolve(packed: Packed): void; reject(error: unknown): void }>

/** An idle lane does not keep the process alive. */
export function createLane(program: URL): Lane {
  const waiting = new Map<number, Waiting>()
  let nextId = 0
  let isClosed = false
  // At once: a thread takes a while to load, and the first job should not wait for it.
  let worker: Worker | undefined = start()
  worker.unref()

  function start(): Worker {
    const started = startWorker(program)
    started.on('message', (response: Response) => {
      const entry = waiting.get(response.id)
      waiting.delete(response.id)
      if (waiting.size === 0) started.unref()
      if ('error' in response) entry?.reject(bug('SIGNATURE_JOB_FAILED', response.error))
      else entry?.resolve(response.packed)
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
        worker.postMessage({ id, job }, buffersOf(job))
      }),
    close: async () => {
      isClosed = true
      await worker?.terminate()
    },
  }
}

/** Compiled, the worker is plain JavaScript; in development it is TypeScript, and a thread does not inherit tsx. */
function startWorker(program: URL): Worker {
  if (!program.pathname.endsWith('.ts')) return new Worker(program)
  // What is evaluated has no place of its own: from another directory it would not find tsx.
  const [tsx, main] = [import.meta.resolve('tsx/esm/api'), program.href].map((one) => JSON.stringify(one))
  const boot = `import(${tsx}).then(({ register }) => { register(); return import(${main}) })`
  return new Worker(boot, { eval: true })
}

/** What a job owns; the separator is shared by all parts of a batch and copied. */
function buffersOf({ kind, batch }: Job): ArrayBuffer[] {
  const arrays = kind === 'prepare' ? [batch.bytes, batch.ends] : [batch.digests, batch.signatures]
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}

/** A signature worker: takes a job, posts its result under the same id. Started by pool.ts only. */
import { parentPort } from 'node:worker_threads'
import { assertNever } from '../protocol/errors.ts'
import { type Job, prepareBatch, recoverBatch } from './jobs.ts'

export type Request = Readonly<{ id: number; job: Job }>
export type Response = Readonly<{ id: number; result: unknown } | { id: number; error: string }>

parentPort?.on('message', ({ id, job }: Request) => {
  parentPort?.postMessage(respond(id, job))
})

function respond(id: number, job: Job): Response {
  try {
    return { id, result: run(job) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function run(job: Job): unknown {
  switch (job.kind) {
    case 'prepare':
      return prepareBatch(job.batch)
    case 'recover':
      return recoverBatch(job.batch)
    default:
      return assertNever(job)
  }
}

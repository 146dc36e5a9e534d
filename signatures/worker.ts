/** A signature worker: takes a job, posts its packed result under the same id. Started by pool.ts only. */
import { parentPort } from 'node:worker_threads'
import { assertNever } from '../protocol/errors.ts'
import { type Job, preparePacked, recoverBatch } from './jobs.ts'
import { buffersOf, type Packed, packSigners } from './packing.ts'

export type Request = Readonly<{ id: number; job: Job }>
export type Response = Readonly<{ id: number; packed: Packed } | { id: number; error: string }>

parentPort?.on('message', ({ id, job }: Request) => {
  const response = respond(id, job)
  parentPort?.postMessage(response, 'packed' in response ? buffersOf(response.packed) : [])
})

function respond(id: number, job: Job): Response {
  try {
    return { id, packed: run(job) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function run(job: Job): Packed {
  switch (job.kind) {
    case 'prepare':
      return preparePacked(job.batch)
    case 'recover':
      return packSigners(recoverBatch(job.batch))
    default:
      return assertNever(job)
  }
}

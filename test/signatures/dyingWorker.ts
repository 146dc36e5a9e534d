/** A signature worker that a digest starting with 0xdd kills. */
import { parentPort } from 'node:worker_threads'
import { recoverBatch } from '../../signatures/jobs.ts'
import { packSigners } from '../../signatures/packing.ts'
import type { Request, Response } from '../../signatures/worker.ts'

parentPort?.on('message', ({ id, job }: Request) => {
  if (job.kind !== 'recover' || job.batch.digests[0] === 0xdd) process.exit(7)
  const response: Response = { id, packed: packSigners(recoverBatch(job.batch)) }
  parentPort?.postMessage(response)
})

/**
 * From the door to the disk (docs/architecture.md, "Operator"): transactions in order of arrival go through the signature workers in
 * batches, and are then judged and written in groups, one synced store transaction each. An answer is given after the commit that
 * holds it. Nothing is judged here: admit.ts does.
 */
import { bodyOf, type ErrorBody, errorToBody } from '../api/errors.ts'
import { bug, isLifeboatError, retryable } from '../protocol/errors.ts'
import type { Log } from '../service/log.ts'
import { isPrepared, type PrepareResult } from '../signatures/packing.ts'
import type { SignaturePool } from '../signatures/pool.ts'
import type { Candidate, Outcome } from './admit.ts'
import { toHash } from './columns.ts'
import { blockedError, type Problems } from './problems.ts'
import type { Store } from './store.ts'

/** Enough for a worker to be busy some 20 ms. */
const BATCH_SIZE = 256
/** Batches with the workers at a time, per thread. */
const BATCHES_AHEAD = 2
/** Most transactions in one store transaction: bounds how long the loop is away, and how long the first waits for the last. */
const COMMIT_SIZE = 2_048

export type AdmissionResult = Outcome | Readonly<{ status: 'rejected'; error: ErrorBody }>

export type Admission = Readonly<{
  /**
   * Encoded transactions, each judged by itself, in order. Never rejects: what the operator cannot do now is an error in each result.
   * Throws QUEUE_FULL (retryable) at once when too many are waiting.
   */
  submit(bodies: readonly Uint8Array[]): Promise<AdmissionResult[]>
  /** Transactions waiting. */
  waiting(): number
  /** Resolves when nothing waits any more; later submissions are refused. */
  close(): Promise<void>
}>

export type AdmissionOptions = Readonly<{
  pool: SignaturePool
  threads: number
  separator: Uint8Array
  store: Store
  admit: (batch: readonly Candidate[]) => Outcome[]
  problems: Problems
  log: Log
  /** Most transactions waiting before new ones are refused. */
  queueLimit: number
  /** Called after each commit with what it took. */
  onCommit: (accepted: number, rejected: number, seconds: number) => void
}>

/** What came in one call: its results so far, and how many are to come. */
type Submission = { results: AdmissionResult[]; missing: number; answer: (results: AdmissionResult[]) => void }
type Item = Readonly<{ body: Uint8Array; submission: Submission; place: number }>
/** A batch with the workers; `judged` once it is back. */
type Ahead = { judged: readonly Judged[] | undefined; settled: Promise<void> }
type Judged = Readonly<{ item: Item; prepared: PrepareResult }>

export function createAdmission(options: AdmissionOptions): Admission {
  const { pool, threads, separator, problems } = options
  const queue: Item[] = []
  /** In order of arrival. */
  const ahead: Ahead[] = []
  let running: Promise<void> | undefined
  let count = 0
  let isClosed = false

  function dispatch(): void {
    while (queue.length > 0 && ahead.length < threads * BATCHES_AHEAD) {
      const batch: Ahead = { judged: undefined, settled: Promise.resolve() }
      const items = queue.splice(0, BATCH_SIZE)
      batch.settled = prepare(items).then((judged) => {
        batch.judged = judged
      })
      ahead.push(batch)
    }
  }

  async function prepare(items: readonly Item[]): Promise<Judged[]> {
    try {
      const results = await pool.prepare(
        items.map(({ body }) => body),
        separator,
      )
      return items.map((item, i) => ({ item, prepared: results[i] as PrepareResult }))
    } catch (error) {
      refuseAll(items, error)
      return []
    }
  }

  async function run(): Promise<void> {
    dispatch()
    while (ahead.length > 0) {
      await ahead[0]?.settled
      // All that is ready by now goes into one commit: the disk's price is paid once for them.
      const judged: Judged[] = []
      while (ahead[0]?.judged && judged.length < COMMIT_SIZE) judged.push(...(ahead.shift()?.judged ?? []))
      dispatch()
      if (judged.length > 0) commit(judged)
      // Other work of the loop gets its turn between commits.
      await new Promise((resolve) => setImmediate(resolve))
      dispatch()
    }
    running = undefined
  }

  function commit(judged: readonly Judged[]): void {
    const candidates: Candidate[] = []
    const items: Item[] = []
    for (const { item, prepared } of judged) {
      if (isPrepared(prepared)) {
        candidates.push({ body: item.body, prepared })
        items.push(item)
      } else settle(item, { status: 'rejected', error: bodyOf(prepared.code, prepared.message, prepared.details) })
    }
    const stopped = problems.blocking()
    if (stopped) {
      refuseAll(items, blockedError(stopped))
      return
    }
    const start = performance.now()
    try {
      const outcomes = options.store.append(() => options.admit(candidates))
      problems.clear('DISK')
      outcomes.forEach((outcome, i) => {
        settle(items[i] as Item, outcome)
      })
      const accepted = outcomes.filter(({ status }) => status === 'accepted').length
      options.onCommit(accepted, judged.length - accepted, (performance.now() - start) / 1000)
    } catch (error) {
      if (isLifeboatError(error) && error.family === 'retryable') problems.raise('DISK', error.message)
      refuseAll(items, error)
    }
  }

  function settle({ submission, place }: Item, result: AdmissionResult): void {
    count--
    submission.results[place] = result
    if (--submission.missing === 0) submission.answer(submission.results)
  }

  function refuseAll(items: readonly Item[], error: unknown): void {
    if (!isLifeboatError(error) || error.family === 'bug') options.log.error('admission.failed', { error })
    const known = isLifeboatError(error) ? error : bug('ADMISSION_FAILED', 'the operator failed', {}, error)
    for (const item of items) settle(item, { status: 'rejected', error: errorToBody(known) })
  }

  return {
    waiting: () => count,
    submit: (bodies) => {
      if (isClosed) throw retryable('STOPPING', 'the operator is stopping; try again')
      if (count + bodies.length > options.queueLimit) {
        throw retryable('QUEUE_FULL', 'too many transactions are waiting; try again', {
          got: count,
          want: options.queueLimit,
        })
      }
      count += bodies.length
      const answers = new Promise<AdmissionResult[]>((resolve) => {
        const submission: Submission = { results: new Array(bodies.length), missing: bodies.length, answer: resolve }
        for (const [place, body] of bodies.entries()) queue.push({ body, submission, place })
        if (bodies.length === 0) resolve([])
      })
      // In the next turn, so that what arrives together goes to the workers together.
      running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(run)
      return answers
    },
    close: async () => {
      isClosed = true
      while (running) await running
    },
  }
}

/** The JSON form of a result. */
export function toSubmitResult(result: AdmissionResult) {
  if (result.status === 'accepted')
    return { status: result.status, txHash: toHash(result.txHash), position: result.position }
  const txHash = 'txHash' in result ? { txHash: toHash(result.txHash) } : {}
  return { status: result.status, ...txHash, error: result.error }
}

/** What the parts of the bench tell each other: each runs in a process of its own (bench/bench.ts forks them). */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Deployment } from '../l1/deployment.ts'
import type { Address, Hex } from '../protocol/bytes.ts'

/** Argument of loadOperator.ts. Answers { url }, and { done: true } once it has stopped after `stop`. */
export type OperatorTask = Readonly<{
  deployment: Deployment
  l1Url: string
  dataDir: string
  privateKey: Hex
  threads: number
}>

/** Argument of loadPayments.ts. Answers { ready: payments signed }, and a `StreamResult` after `go`. */
export type StreamTask = Readonly<{
  url: string
  chainId: number
  rootContract: Address
  /** Seeds the keys of the paying accounts. */
  seed: string
  accounts: number
  /** Positions of deposits of the seed's first account, and what each holds. */
  deposits: readonly number[]
  depositWei: string
  /** Depth of the tree of payments with 16 outputs that makes the deposits many. */
  levels: number
  seconds: number
  /** Transactions of one request. */
  batch: number
  /** Requests under way at a time. */
  connections: number
}>

export type StreamResult = Readonly<{
  accepted: number
  rejected: number
  firstRejection?: string
  /** Until the last answer that counts. */
  seconds: number
  ackP50Ms: number
  ackP99Ms: number
  /** True when the signed payments ran out before the time. */
  ranDry: boolean
}>

/** Argument of loadWatcher.ts. Answers { ready: true } once its threads run, a `CatchUpResult` after `go`, and ends after `stop`. */
export type CatchUpTask = Readonly<{
  deployment: Deployment
  l1Url: string
  operatorUrl: string
  file: string
  threads: number
}>
export type CatchUpResult = Readonly<{ blocks: number; seconds: number; problems: readonly string[] }>

/** A forked part and what it says, in order. */
export type Part = Readonly<{ pid: number; say(message: unknown): void; next<T>(): Promise<T>; end(): void }>

export function startPart(file: string, task: unknown): Part {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(task)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const heard: unknown[] = []
  const waiting: { resolve(message: never): void; reject(error: Error): void }[] = []
  child.on('message', (message) => {
    const first = waiting.shift()
    if (first) first.resolve(message as never)
    else heard.push(message)
  })
  child.on('exit', (code) => {
    for (const { reject } of waiting) reject(new Error(`${file} ended with code ${code}`))
  })
  return {
    pid: child.pid ?? 0,
    say: (message) => child.send(message as object),
    next: () =>
      new Promise((resolve, reject) => {
        if (heard.length > 0) resolve(heard.shift() as never)
        else if (child.exitCode !== null) reject(new Error(`${file} ended with code ${child.exitCode}`))
        else waiting.push({ resolve, reject })
      }),
    end: () => endProcess(child),
  }
}

function endProcess(child: ChildProcess): void {
  if (child.exitCode === null) child.kill('SIGTERM')
}

/** The task of a forked part. */
export function readTask<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T
}

export function answer(message: unknown): void {
  process.send?.(message as object)
}

/**
 * The only sender of L1 transactions (docs/spec.md, "The outbox"). Callers enqueue acts as rows of their own database; the outbox
 * signs, sends, raises fees, confirms, and treats "somebody did it already" as success. It is level-triggered: every tick compares the
 * stored rows with L1, so a crash, a restart or a reorg at any point ends the same.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Abi } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../contracts/artifacts.generated.ts'
import { type Hex, parseAddress } from '../protocol/bytes.ts'
import { configError, invalid, type LifeboatError, retryable } from '../protocol/errors.ts'
import type { Database } from '../service/database.ts'
import type { Sleep } from './endpoint.ts'
import { DEFAULT_POLICY, type OutboxContext, type OutboxPolicy, type OutboxSigner } from './outboxContext.ts'
import { type Intent, isClosed, type OutboxChange, type OutboxRow, type StoredIntent } from './outboxIntent.ts'
import { ownKey } from './outboxOwner.ts'
import type { OutboxRpc } from './outboxRpc.ts'
import { hashesOf } from './outboxSend.ts'
import { amend, claimChain, type Enqueued, enqueue, listRows, migrateOutbox, readRow } from './outboxStore.ts'
import { assertChain, type Looks, tickOnce } from './outboxTick.ts'

/** The errors that the root contract and its surety refuse calls with. */
export const DEFAULT_ERRORS: Abi = [...iLifeboatAbi, ...iSuretyAbi].filter(({ type }) => type === 'error')

export type OutboxOptions = Readonly<{
  db: Database
  rpc: OutboxRpc
  signer: OutboxSigner
  chainId: number
  policy?: Partial<OutboxPolicy>
  /** Names the errors in `doneErrors` and puts reverts in words. Default: DEFAULT_ERRORS. */
  errorsAbi?: Abi
  /** Whether the intent's aim is reached, as L1 says now. What it throws delays the row, nothing else. */
  isDone?: (intent: StoredIntent) => Promise<boolean>
  /** Every change, after it is stored; a crash may lose one. Must not throw: what it throws ends the tick. */
  onStatus?: (row: OutboxRow, change: OutboxChange) => void
  /** The endpoint, the disk, the signer or a hook fails; everything is kept and tried again. */
  onTrouble?: (error: LifeboatError) => void
}>

export type Outbox = Readonly<{
  sender: Hex
  enqueue(intent: Intent): Enqueued
  amend(intent: Intent): Enqueued
  status(key: string): OutboxRow | undefined
  /** Every hash the act or its self-transfer was sent under, oldest first. */
  hashes(key: string): Hex[]
  list(which?: 'all' | 'open'): OutboxRow[]
  /** Resolves with the row once it is closed; somebody has to tick. Throws OUTBOX_KEY_UNKNOWN, OUTBOX_CLOSED, the signal's reason. */
  waitFor(key: string, signal?: AbortSignal): Promise<OutboxRow>
  /** One look at L1 and everything that follows from it. `nowMs`: any clock that does not go back. A call during a tick joins it. */
  tick(nowMs: number): Promise<void>
  /** Ticks until the signal is aborted, and returns after the last tick is over. Rejects with what is no trouble but a bug, and OUTBOX_CLOSED. */
  run(signal: AbortSignal, options?: Readonly<{ pollMs?: number; sleep?: Sleep; clock?: () => number }>): Promise<void>
  /** Makes `run` tick at once, after an act was enqueued with the caller's own database call. */
  wake(): void
  /** Gives the key and the database up, once a running tick has ended before its next row. Rows stay as they are. */
  close(): Promise<void>
}>

/**
 * Takes the key over and makes sure of the chain. Throws (config) OUTBOX_KEY_OWNED, OUTBOX_DATABASE_OWNED, WRONG_CHAIN,
 * OUTBOX_CHAIN_CHANGED, OUTBOX_POLICY, and what the endpoint throws.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const context = createContext(options)
  const release = ownKey(options.db, context.chainId, context.sender)
  try {
    migrateOutbox(options.db)
    claimChain(options.db, options.chainId)
    await assertChain(context)
    warnOfOthers(context)
    return createOutbox(context, release)
  } catch (error) {
    release()
    throw error
  }
}

function createContext(options: OutboxOptions): OutboxContext {
  const { db, rpc, signer, chainId, isDone } = options
  const policy = { ...DEFAULT_POLICY, ...options.policy }
  const { confirmations, finalDepth, bumpBlocks, maxInFlight } = policy
  if (confirmations < 1 || bumpBlocks < 1 || maxInFlight < 1) {
    throw configError('OUTBOX_POLICY', 'an outbox setting is impossible', {
      got: { confirmations, bumpBlocks, maxInFlight },
      want: 'each at least 1',
    })
  }
  return {
    db,
    rpc,
    signer,
    sender: parseAddress(signer.address),
    chainId,
    policy: { ...policy, finalDepth: Math.max(finalDepth, confirmations) },
    errorsAbi: options.errorsAbi ?? DEFAULT_ERRORS,
    isDone,
    onStatus: options.onStatus ?? (() => undefined),
    onTrouble: options.onTrouble ?? (() => undefined),
    memory: { retries: new Map(), lostSince: new Map(), raise: new Set(), gap: undefined, isStopping: false },
  }
}

function warnOfOthers({ db, sender, onTrouble }: OutboxContext): void {
  const others = listRows(db, 'open').filter((row) => row.sender !== null && row.sender !== sender)
  if (others.length === 0) return
  const got = others.map((row) => `${row.intent.key} by ${row.sender}`)
  onTrouble(retryable('OUTBOX_OTHER_SENDER', 'sent acts of another key wait in this outbox', { got, want: sender }))
}

function createOutbox(context: OutboxContext, release: () => void): Outbox {
  const { db } = context
  const waiters = new Set<() => void>()
  const looks: Looks = { seenAtMs: 0, backoff: { until: Number.NEGATIVE_INFINITY, failures: 0 } }
  let running: Promise<void> | undefined
  let wakeUp = () => {}
  let isWoken = false

  async function tick(nowMs: number): Promise<void> {
    if (context.memory.isStopping) throw closedError()
    running ??= tickOnce(context, looks, nowMs).finally(() => {
      running = undefined
      for (const check of [...waiters]) check()
    })
    return running
  }

  function waitFor(key: string, signal?: AbortSignal): Promise<OutboxRow> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        waiters.delete(check)
        signal?.removeEventListener('abort', check)
        finish()
      }
      const check = () => {
        if (signal?.aborted) return settle(() => reject(signal.reason))
        if (context.memory.isStopping) return settle(() => reject(closedError()))
        const row = readRow(db, key)
        if (!row) settle(() => reject(unknownKey(key)))
        else if (isClosed(row.status)) settle(() => resolve(row))
      }
      waiters.add(check)
      signal?.addEventListener('abort', check)
      check()
    })
  }

  function wake(): void {
    isWoken = true
    wakeUp()
  }

  function wakeAfter<T>(result: T): T {
    wake()
    return result
  }

  return {
    sender: context.sender,
    enqueue: (intent) => wakeAfter(enqueue(db, intent)),
    amend: (intent) => wakeAfter(amend(db, intent)),
    status: (key) => readRow(db, key),
    hashes: (key) => {
      const row = readRow(db, key)
      return row ? hashesOf(context, row) : []
    },
    list: (which) => listRows(db, which),
    waitFor,
    tick,
    async run(signal, { pollMs = 1_000, sleep = sleepForReal, clock = Date.now } = {}) {
      while (!signal.aborted) {
        isWoken = false
        await tick(clock())
        if (isWoken) continue
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        await sleep(pollMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
      }
    },
    wake,
    async close() {
      context.memory.isStopping = true
      for (const check of [...waiters]) check()
      if (running) await running.catch(() => undefined)
      release()
    },
  }
}

function sleepForReal(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal })
}

function unknownKey(key: string) {
  return invalid('OUTBOX_KEY_UNKNOWN', 'nothing was enqueued under this key', { got: key, want: 'an enqueued key' })
}

function closedError() {
  return retryable('OUTBOX_CLOSED', 'the outbox was closed; its rows are kept', { want: 'an open outbox' })
}

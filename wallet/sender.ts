/**
 * Sends the wallet's acts on L1 through the outbox (docs/spec.md, "The outbox"), which is opened by the first act: looking takes no lock.
 * An act of an earlier run that is still on its way is taken up by the same act asked for again, so that a command that was
 * interrupted and repeated does not do it twice.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { privateKeyToAccount } from 'viem/accounts'
import { readHeader, readHeaderByHash, readLogs } from '../l1/blocks.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { type Outbox, openOutbox } from '../l1/outbox.ts'
import { assertActDone, type OutboxRow } from '../l1/outboxIntent.ts'
import { createOutboxRpc } from '../l1/outboxRpc.ts'
import { decodeRootEvents, type RootEvent } from '../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { type LifeboatError, retryable } from '../protocol/errors.ts'
import { type Database, openDatabase } from '../service/database.ts'
import type { Account } from './account.ts'
import type { L1Act, L1Done, L1Sender } from './ports.ts'

/** Names the wallet's outbox files among SQLite files: "LBwo". */
const OUTBOX_APPLICATION_ID = 0x4c42776f
/** The act stays worth doing for this long after the person stopped waiting. */
const GRACE_SECONDS = 600
const READ_ATTEMPTS = 5

export type SenderOptions = Readonly<{
  endpoint: Endpoint
  account: Account
  rootContract: Address
  /** SQLite file; one per key. */
  file: string
  budgetWei: bigint
  timeoutSeconds: number
  /** L1 blocks, the transaction's own included, that are waited for. */
  confirmations: number
  /** The deployment's finality: what a reorg of so many blocks takes out is sent again, while the wallet is open. */
  finalityBlocks: number
  /** Pause between looks at L1. */
  pollMs: number
  report(progress: string): void
  signal?: AbortSignal
}>

export type Sender = Readonly<{ send: L1Sender; close(): Promise<void> }>

type Running = Readonly<{
  outbox: Outbox
  db: Database
  stop: AbortController
  ended: Promise<void>
  /** Acts of earlier runs that were still open, by purpose: each is taken up once. */
  earlier: Map<string, string>
  trouble: { last?: LifeboatError }
}>

export function openSender(options: SenderOptions): Sender {
  let running: Promise<Running> | undefined
  return {
    async send(act) {
      running ??= start(options)
      return sendAct(options, await running, act)
    },
    async close() {
      const open = await running?.catch(() => undefined)
      if (!open) return
      open.stop.abort()
      await open.ended
      await open.outbox.close()
      open.db.close()
    },
  }
}

async function start(options: SenderOptions): Promise<Running> {
  const { endpoint, account, file, confirmations, finalityBlocks, pollMs, report } = options
  const db = openDatabase({ file, applicationId: OUTBOX_APPLICATION_ID, migrations: [() => undefined] })
  const trouble: Running['trouble'] = {}
  try {
    const outbox = await openOutbox({
      db,
      rpc: createOutboxRpc(endpoint),
      signer: privateKeyToAccount(bytesToHex(account.privateKey)),
      chainId: endpoint.chainId,
      policy: { confirmations, finalDepth: Math.max(confirmations, finalityBlocks + 1), retryMs: pollMs },
      onTrouble: (error) => {
        trouble.last = error
        report(error.message)
      },
    })
    const earlier = new Map(outbox.list('open').map(({ intent }) => [intent.purpose, intent.key]))
    const stop = new AbortController()
    const ended = outbox.run(stop.signal, { pollMs })
    // Awaited when it is closed; until then a failure must not count as unhandled.
    ended.catch(() => undefined)
    return { outbox, db, stop, ended, earlier, trouble }
  } catch (error) {
    db.close()
    throw error
  }
}

async function sendAct(options: SenderOptions, running: Running, act: L1Act): Promise<L1Done> {
  const { outbox, earlier } = running
  const key = earlier.get(act.purpose) ?? act.key
  if (key !== act.key || outbox.status(key)) options.report(`going on with what was sent before: ${act.purpose}`)
  earlier.delete(act.purpose)
  if (key === act.key) await enqueue(options, outbox, act)
  outbox.wake()
  const row = await waitFor(options, running, key)
  assertActDone(row)
  if (!row.settled) return { events: [] }
  const { hash, l1Block, l1BlockHash } = row.settled
  return { txHash: hash, l1Block, events: await readEvents(options, { hash, l1Block, l1BlockHash }) }
}

async function enqueue(options: SenderOptions, outbox: Outbox, act: L1Act): Promise<void> {
  const { endpoint, rootContract, budgetWei, timeoutSeconds } = options
  const head = await readHeader(endpoint, 'latest')
  if (!head) throw retryable('HEAD_MISSING', 'the L1 endpoint has no latest block', { got: null, want: 'a block' })
  outbox.amend({
    key: act.key,
    to: act.to ?? rootContract,
    data: act.call.data,
    valueWei: act.call.valueWei,
    deadline: { timestamp: head.timestamp + timeoutSeconds + GRACE_SECONDS },
    budgetWei,
    purpose: act.purpose,
    doneErrors: act.doneErrors ?? [],
    onRevert: 'give-up',
    ...(act.gasLimit === undefined ? {} : { gasLimit: act.gasLimit }),
  })
}

async function waitFor(
  { timeoutSeconds, signal }: SenderOptions,
  { outbox, ended, trouble }: Running,
  key: string,
): Promise<OutboxRow> {
  const timer = new AbortController()
  const limits = AbortSignal.any([timer.signal, ...(signal ? [signal] : [])])
  const timeout = pause(timeoutSeconds * 1000, undefined, { signal: timer.signal, ref: false }).catch(() => undefined)
  try {
    const row = await Promise.race([outbox.waitFor(key, limits), timeout, ended])
    if (row) return row
  } catch (error) {
    if (!signal?.aborted) throw error
    throw retryable('INTERRUPTED', 'interrupted; what was sent to L1 may still be mined', {
      want: 'the same command again, which goes on with it',
    })
  } finally {
    timer.abort()
  }
  const row = outbox.status(key)
  throw retryable('L1_ACT_OPEN', 'L1 has not settled it yet', {
    got: [row?.status, row?.words, trouble.last?.message].filter((part) => part !== undefined && part !== ''),
    want: 'the same command again later, which goes on with it',
  })
}

/** The root contract's events of the transaction, proven by the block's receipts root. */
async function readEvents(
  { endpoint, rootContract, pollMs }: SenderOptions,
  { hash, l1Block, l1BlockHash }: Readonly<{ hash: Hash; l1Block: number; l1BlockHash: Hash }>,
): Promise<RootEvent[]> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    const header = await readHeaderByHash(endpoint, l1BlockHash)
    const logs = header && (await readLogs(endpoint, header, new Set([rootContract])))
    if (header && logs)
      return decodeRootEvents(
        header,
        logs.filter(({ transactionHash }) => transactionHash === hash),
      )
    await pause(pollMs)
  }
  throw retryable('BLOCK_UNKNOWN', 'L1 replaced the block that held the transaction', {
    got: `block ${l1Block} is gone`,
    want: 'the same command again',
  })
}

/**
 * The watcher without sockets (docs/architecture.md, "Watcher"): store, fold, chase, vigil, audit and court, driven by `tick`. One
 * tick pulls L1, goes after the child chain, judges, speaks and lets the court act; whatever breaks off is done again by the next.
 */
import { setTimeout } from 'node:timers/promises'
import type { Address } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import { type AlertSink, createAlarm } from './alarm.ts'
import { createAudit } from './audit.ts'
import { createBatchAudit } from './auditBatches.ts'
import { createBatchBook } from './batchBook.ts'
import { createBlockStore } from './blockStore.ts'
import { type ChaseReport, createChase } from './chase.ts'
import { createCoordinator } from './coordinator/coordinator.ts'
import { createDrafts } from './coordinator/drafts.ts'
import { createMandateBook } from './coordinator/mandateBook.ts'
import { isVoidBlock } from './court/exitTime.ts'
import type { Court, CreateCourt } from './courtPort.ts'
import { createDataBook } from './dataBook.ts'
import { createDataNews } from './dataNews.ts'
import { createDisputeBook } from './disputeBook.ts'
import { createMassExitFacts } from './driverBatches.ts'
import { createSuretyFacts } from './driverData.ts'
import { createExitBook } from './exitBook.ts'
import { createFacts } from './factBook.ts'
import type { Facts } from './facts.ts'
import { createJournal } from './journal.ts'
import { createL1Reader, type L1Source } from './l1Reader.ts'
import { createLedger } from './ledger.ts'
import { createLocks } from './locks.ts'
import { createPeers, type Peer } from './peers.ts'
import { createProtection } from './protection.ts'
import { createReceiptBook } from './receipts.ts'
import { createRevealedFaults } from './revealedFaults.ts'
import { createRootLog } from './rootLog.ts'
import type { SafetyLimits } from './safety.ts'
import { createShortfall } from './shortfall.ts'
import { createTwins } from './twins.ts'
import type { Prepare } from './verify.ts'
import { createVigil } from './vigil.ts'

/** A round of asking peers never holds up the watch over L1 for longer. */
const LONGEST_ROUND_MS = 10_000

export type CoreOptions = Readonly<{
  db: Database
  /** Of the EIP-712 domain: chain and root contract. */
  separator: Uint8Array
  parameters: Parameters
  limits: SafetyLimits
  sources: readonly L1Source[]
  peers: readonly Peer[]
  prepare: Prepare
  log: Log
  sinks: readonly AlertSink[]
  /** Local clock, ms. */
  now(): number
  /** Undefined: the age of the L1 head is not checked. Seconds. */
  maxHeadAgeSeconds: number | undefined
  /** Seconds without a successful L1 poll after which our view is not fresh. */
  maxL1SilenceSeconds: number
  /** Called with the place of the L1 source that is read from now on, whenever that changes. */
  onL1Source?(place: number): void
  /** Who sends for us; mandates must name it or nobody. */
  sender: Address | undefined
  createCourt?: CreateCourt
  /** Outputs looked at in one plan of mass exits. Default 100,000. */
  mostCandidates?: number
  /** Longest stay in one chase before L1 is looked at again. Ms. */
  chaseBudgetMs: number
  /** Resolves after so many ms, or when the signal aborts. For tests. */
  pause?(ms: number, signal: AbortSignal): Promise<void>
}>

export type Core = ReturnType<typeof createCore>

/** What a tick did. `isBehind`: there is more to do at once. */
export type TickReport = Readonly<{ l1Events: number; chase?: ChaseReport; isBehind: boolean }>

export function createCore(options: CoreOptions) {
  const { db, separator, parameters, limits, log, now, sender } = options
  const journal = createJournal(db)
  const ledger = createLedger(db)
  const blocks = createBlockStore(db, separator, journal)
  const locks = createLocks(db, ledger)
  const disputes = createDisputeBook({ db, ledger, blocks, locks, journal })
  const exits = createExitBook({ db, locks, journal, disputes })
  const data = createDataBook(db, separator)
  const batches = createBatchBook({ db, locks, journal })
  const rootLog = createRootLog({ db, ledger, blocks, exits, disputes, data, batches })
  const alarm = createAlarm({ db, sinks: options.sinks, now })
  const peers = createPeers(options.peers)
  const l1Seconds = () => rootLog.now().timestamp
  const twins = createTwins({ ledger, blocks, l1Now: rootLog.now })
  const shortfall = createShortfall({
    exits,
    batches,
    disputes,
    parameters,
    l1Now: rootLog.now,
    halt: rootLog.halt,
    verifiedBlock: blocks.verifiedBlock,
    spentBy: (position) => facts.spentBy(position),
    ownerOf: (position) => ledger.find(position)?.owner,
    twinOf: twins.find,
  })
  const vigil = createVigil({ blocks, alarm, parameters, limits, l1Seconds, halt: rootLog.halt, shortfall })
  const protection = createProtection({ db, separator, sender, revokedAt: rootLog.revokedAt, l1Seconds })
  const facts: Facts = createFacts({
    ledger,
    blocks,
    exits,
    batches,
    disputes,
    rootLog,
    protection,
    vigil,
    twins,
    parameters,
  })
  const chase = createChase({
    db,
    blocks,
    ledger,
    exits,
    isVoid: (block) => isVoidBlock(block, rootLog.halt().voidFrom),
    alarm,
    peers,
    log,
    prepare: options.prepare,
    separator,
    now,
    l1Seconds,
    lateSeconds: limits.suspectSeconds,
    pause: options.pause ?? pauseForReal,
    revealed: data.revealedBody,
    askLimitMs: Math.min(LONGEST_ROUND_MS, limits.maximumGapSeconds * 250),
  })
  const reader = createL1Reader({
    sources: options.sources,
    rootLog,
    alarm,
    log,
    now,
    maxHeadAgeSeconds: options.maxHeadAgeSeconds,
    maxSilenceSeconds: options.maxL1SilenceSeconds,
    deepReorgBlocks: Math.max(2, Math.floor(parameters.finalityBlocks / 8)),
    onReorg: chase.forgetAhead,
    ...(options.onL1Source && { onSource: options.onL1Source }),
  })
  const receipts = createReceiptBook({ db, blocks, rootLog, separator, parameters, alarm, now })
  const { find: revealedFault } = createRevealedFaults({ data, blocks, ledger, exits, batches, separator })
  const surety = createSuretyFacts({ data, blocks, broken: receipts.broken, revealedFault })
  const dataNews = createDataNews({ data, facts, alarm, revealedFault })
  const mandates = createMandateBook({
    db,
    separator,
    sender,
    revokedAt: rootLog.revokedAt,
    l1Seconds,
    minExitPeriod: parameters.minExitPeriod,
    holds: (owner) => ledger.unspentOf(owner, -1, 1).length > 0,
  })
  const drafts = createDrafts(db)
  const books = { ledger, blocks, batches, facts, mandates, protection }
  const coordinator = createCoordinator({ ...books, disputes, drafts, sender, mostCandidates: options.mostCandidates })
  const massExits = createMassExitFacts({ ...books, db, exits, coordinator, locks })
  const court: Court | undefined = options.createCourt?.({ facts, db, alarm, log, surety, massExits, now })
  const ours = new Set<Address>([...(court?.senders ?? []), ...(sender ? [sender] : [])])
  const audit = createAudit({ db, facts, exits, disputes, protection, alarm, ours })

  const batchAudit = createBatchAudit({ db, facts, batches, journal, protection, alarm, ours })

  async function step(): Promise<TickReport> {
    const pulled = await reader.pull()
    if (!pulled.caughtUp && pulled.events > 0) return { l1Events: pulled.events, isBehind: true }
    const report = await chase.advance(options.chaseBudgetMs)
    vigil.observe(report, now(), reader.isFresh())
    if (report.stop.reason !== 'budget') {
      audit.run()
      batchAudit.run()
    }
    await court?.tick()
    dataNews.run()
    receipts.look()
    return { l1Events: pulled.events, chase: report, isBehind: report.stop.reason === 'budget' }
  }

  /** Alerts of our own failures; the row may fail as well, then the log has to do. */
  function tellFailure(error: unknown): void {
    const code = isLifeboatError(error) ? error.code : 'UNKNOWN'
    const isDisk = code.startsWith('DISK_') || code.startsWith('DATABASE_')
    const isPassing = isLifeboatError(error) && error.family === 'retryable'
    if (isPassing) log.warn('watcher.tick.failed', { error })
    else log.error('watcher.tick.failed', { error })
    if (isPassing && !isDisk) return
    try {
      alarm.raise(isDisk ? 'DATABASE_PROBLEM' : 'INTERNAL_FAULT', code, { code, reason: String(error) })
    } catch (unwritable) {
      log.warn('alert.unwritable', { code, error: unwritable })
    }
  }

  return {
    facts,
    alarm,
    protection,
    exits,
    batches,
    disputes,
    data,
    receipts,
    blocks,
    ledger,
    rootLog,
    journal,
    vigil,
    peers,
    reader,
    court,
    coordinator,

    /** One round. Rejects after telling why; the next tick starts from the rows. */
    async tick(): Promise<TickReport> {
      try {
        return await step()
      } catch (error) {
        tellFailure(error)
        throw error
      } finally {
        await alarm.deliver().catch((error: unknown) => log.warn('alert.delivery.failed', { error }))
      }
    },
  }
}

async function pauseForReal(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined)
}

/**
 * The operator without sockets and without L1's wire (docs/architecture.md, "Operator"): store, ledger, ordered log, what is known of
 * L1, and the three level-triggered steps. Deterministic given the calls and the clock; everything it promises is on disk.
 */
import type { FollowerEvent } from '../l1/cursor.ts'
import type { Address } from '../protocol/bytes.ts'
import type { Domain } from '../protocol/eip712.ts'
import { configError } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import { createRateLimit } from '../service/rateLimit.ts'
import { type Candidate, createAdmit, type Outcome } from './admit.ts'
import { findReanchoring } from './anchors.ts'
import { type Anchor, type BlockLog, createBlockLog } from './blockLog.ts'
import { findBuilderStep } from './builder.ts'
import { createJournal, type Journal, type JournalEvents } from './journal.ts'
import { createL1View, type L1View } from './l1View.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createMeta, type Meta } from './meta.ts'
import type { Policy } from './policy.ts'
import { createProblems, type Problems } from './problems.ts'
import { createStore, type Store } from './store.ts'
import { findSubmitterStep, type Sender } from './submitter.ts'
import { createViews, type Views } from './views.ts'

export type CoreOptions = Readonly<{
  /** Opened with OPERATOR_MIGRATIONS. */
  db: Database
  domain: Domain
  parameters: Parameters
  /** Address of the key that submits. */
  ourAddress: Address
  policy: Policy
  /** L1 blocks on top of a block before deposits in it count and child blocks are built on it. */
  finalityDepth: number
  blockIntervalMs: number
  maxSilenceMs: number
  /** At most parameters.maxBlockTxs. */
  maxBlockTxs: number
  /** Payments per second of one account, and how many at once; 0 per second: no limit. */
  ownerLimit: Readonly<{ perSecond: number; burst: number }>
  sender: Sender
  log: Log
  /** Milliseconds. */
  now: () => number
  /** Called after each commit that had something to tell. */
  publish: (events: JournalEvents) => void
}>

export type Core = Readonly<{
  store: Store
  blockLog: BlockLog
  ledger: Ledger
  view: L1View
  views: Views
  journal: Journal
  meta: Meta
  problems: Problems
  /** Milliseconds; undefined before the first block. */
  lastSealedAt(): number | undefined
  /** To be called in `store.write`. */
  admit: (batch: readonly Candidate[]) => Outcome[]
  /** Folds what the follower saw; `cursor` is the follower's after these events. */
  applyL1(events: readonly FollowerEvent[], cursor: readonly Anchor[]): void
  /** Opens, re-anchors, cuts and submits whatever is due now. */
  step(): void
}>

/** Throws DATABASE_OTHER_CHAIN (config) when the store is another chain's. */
export function createCore(options: CoreOptions): Core {
  const { db, log, now, parameters } = options
  const meta = createMeta(db)
  const problems = createProblems(({ code, words }) => log.warn('operator.hindered', { code, words }))
  const journal = createJournal(db)
  const ledger = createLedger(db)
  const view = createL1View({ ...options, ledger, journal, meta, problems })
  const blockLog = createBlockLog(db, journal, view.bestAnchor)
  const store = createStore({ ...options, journal, restore: () => restoreAll(ledger, journal, view, blockLog) })
  assertSameChain(store, meta, options.domain)
  const startedAt = now()
  const lastSealed = db.prepare<[], { at: number | null }>('SELECT max(sealed_at) AS at FROM blocks')
  const builder = {
    ...options,
    blockLog,
    view,
    maxOpenAnchorAge: maxOpenAnchorAge(parameters, options.finalityDepth),
    lastSealedAt: () => lastSealed.get()?.at ?? startedAt,
  }
  const anchors = { db, blockLog, view, ledger, problems, log, anchorAgeBlocks: parameters.anchorAgeBlocks }
  const submitter = {
    ...{ db, view, meta, problems, log, sender: options.sender, sealed: blockLog.sealed },
    anchorAgeBlocks: parameters.anchorAgeBlocks,
  }
  const runStep = (step: (() => void) | undefined) => step && store.write(step)
  return {
    store,
    blockLog,
    ledger,
    view,
    journal,
    meta,
    problems,
    lastSealedAt: () => lastSealed.get()?.at ?? undefined,
    views: createViews({ db, ledger, view, openAnchor: () => blockLog.open()?.anchor.number ?? -1 }),
    admit: createAdmit({
      ...options,
      ledger,
      log: blockLog,
      journal,
      ownerLimit: options.ownerLimit.perSecond > 0 ? createRateLimit({ ...options.ownerLimit, now }) : undefined,
    }),
    applyL1: (events, cursor) => {
      if (events.length > 0) store.write(() => view.apply(events, cursor))
    },
    step: () => {
      runStep(findReanchoring(anchors))
      // A new anchor first, then perhaps the cut.
      runStep(findBuilderStep(builder))
      runStep(findBuilderStep(builder))
      runStep(findSubmitterStep(submitter))
    },
  }
}

/** Leaves the submission its margin, and is never below the age that the youngest possible anchor already has. */
function maxOpenAnchorAge(parameters: Parameters, finalityDepth: number): number {
  const margin = Math.ceil(parameters.submissionMargin / parameters.slot)
  return Math.max(finalityDepth, parameters.anchorAgeBlocks - margin)
}

function restoreAll(ledger: Ledger, journal: Journal, view: L1View, blockLog: BlockLog): void {
  ledger.forget()
  journal.restore()
  view.restore()
  blockLog.restore()
}

function assertSameChain(store: Store, meta: Meta, { chainId, rootContract }: Domain): void {
  const [knownChain, knownRoot] = [meta.get('chainId'), meta.get('rootContract')]
  if (knownChain === undefined || knownRoot === undefined) {
    store.write(() => {
      meta.set('chainId', String(chainId))
      meta.set('rootContract', rootContract)
    })
    return
  }
  if (knownChain === String(chainId) && knownRoot === rootContract) return
  throw configError('DATABASE_OTHER_CHAIN', "the operator's database belongs to another chain", {
    got: { chainId: Number(knownChain), rootContract: knownRoot },
    want: { chainId, rootContract },
  })
}

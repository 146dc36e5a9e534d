/**
 * The operator without sockets and without L1's wire (docs/architecture.md, "Operator"): store, ledger, ordered log, what is known of
 * L1, and the three level-triggered steps. Deterministic given the calls and the clock; everything it promises is on disk.
 */
import type { FollowerEvent } from '../l1/cursor.ts'
import type { Address } from '../protocol/bytes.ts'
import { type Domain, domainSeparator } from '../protocol/eip712.ts'
import { configError } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import { createRateLimit } from '../service/rateLimit.ts'
import { type Admit, createAdmit } from './admit.ts'
import { findReanchoring, judgeAge } from './anchors.ts'
import { type AnswerSender, findAnswers } from './answers.ts'
import { createBatches } from './batches.ts'
import { type Anchor, type BlockLog, createBlockLog } from './blockLog.ts'
import { findAnchorStep, findBuilderStep } from './builder.ts'
import { createDisputes } from './disputes.ts'
import { findInclusion } from './inclusion.ts'
import { createJournal, type Journal, type JournalEvents } from './journal.ts'
import { createL1View, type L1View } from './l1View.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createMeta, type Meta } from './meta.ts'
import { createPending } from './pending.ts'
import type { Policy } from './policy.ts'
import { createProblems, type Problems } from './problems.ts'
import { createStore, type Store } from './store.ts'
import { findSubmitterStep, type Sender } from './submitter.ts'
import { createSuretyBook, type SuretyBook } from './suretyBook.ts'
import { createTransactionLog, type TransactionLog } from './transactionLog.ts'
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
  maxSilenceSeconds: number
  /** At most parameters.maxBlockTxs. */
  maxBlockTxs: number
  /** Payments per second of one account, and how many at once; 0 per second: no limit. */
  ownerLimit: Readonly<{ perSecond: number; burst: number }>
  /** Accepted transactions that wait for being folded into the tables, at most about. Default 4,096. */
  foldSize?: number
  sender: Sender & AnswerSender
  log: Log
  /** Milliseconds. */
  now: () => number
  /** Called after each commit that had something to tell. */
  publish: (events: JournalEvents) => void
}>

export type Core = Readonly<{
  store: Store
  transactions: TransactionLog
  blockLog: BlockLog
  ledger: Ledger
  view: L1View
  views: Views
  journal: Journal
  meta: Meta
  surety: SuretyBook
  problems: Problems
  /** Milliseconds; undefined before the first block. */
  lastSealedAt(): number | undefined
  /** To be called in `store.append`. */
  admit: Admit
  /** Folds what the follower saw; `cursor` is the follower's after these events. An empty block stands on it at once. */
  applyL1(events: readonly FollowerEvent[], cursor: readonly Anchor[]): void
  /** Opens, re-anchors, cuts and submits whatever is due now. */
  step(): void
}>

/** Some ten times what a commit holds, so that the pages of the tables are written a tenth as often; replayed in a third of a second. */
const DEFAULT_FOLD_SIZE = 4_096
const GWEI = 10n ** 9n

/** Throws DATABASE_OTHER_CHAIN (config) when the store is another chain's. */
export function createCore(options: CoreOptions): Core {
  const { db, log, now, parameters } = options
  const meta = createMeta(db)
  const problems = createProblems(({ code, words }) => log.warn('operator.hindered', { code, words }))
  const journal = createJournal(db)
  const ledger = createLedger(db)
  const transactions = createTransactionLog(db)
  const pending = createPending({ db, log: transactions, ledger, journal, meta })
  const disputes = createDisputes({ db, ledger, journal, positionOf: pending.positionOf })
  const surety = createSuretyBook(options)
  const leastBondWei = BigInt(parameters.operatorBondGwei) * GWEI
  const batches = createBatches({ db, ledger, journal })
  const view = createL1View({ ...options, ledger, journal, disputes, batches, surety, leastBondWei, meta, problems })
  const blockLog = createBlockLog({ db, log: transactions, journal, bestAnchor: view.bestAnchor })
  const restore = () => {
    transactions.forget()
    ledger.reset()
    journal.restore()
    view.restore()
    blockLog.restore()
    // Last: it stands on everything else.
    pending.replay()
    // What is taken again was told when it was accepted, or is found by whoever asks.
    journal.drain()
  }
  restore()
  const { foldSize = DEFAULT_FOLD_SIZE } = options
  const store = createStore({ ...options, log: transactions, pending, journal, foldSize, restore })
  assertSameChain(store, meta, options.domain)
  const lastSealed = db.prepare<[], { at: number | null }>('SELECT max(sealed_at) AS at FROM blocks')
  const builder = {
    ...options,
    blockLog,
    view,
    maxOpenAnchorAge: maxOpenAnchorAge(parameters, options.finalityDepth),
  }
  const anchors = {
    db,
    transactions,
    blockLog,
    view,
    ledger,
    problems,
    log,
    anchorAgeBlocks: parameters.anchorAgeBlocks,
  }
  const submitter = {
    ...{ db, view, meta, problems, log, sender: options.sender, sealed: blockLog.sealed },
    anchorAgeBlocks: parameters.anchorAgeBlocks,
  }
  const admit = createAdmit({
    ...options,
    ledger,
    log: blockLog,
    transactions,
    pending,
    ownerLimit: options.ownerLimit.perSecond > 0 ? createRateLimit({ ...options.ownerLimit, now }) : undefined,
  })
  const answers = {
    ...{ surety, transactions, blockLog, view, sender: options.sender },
    dataResponsePeriod: parameters.dataResponsePeriod,
    // An answer that does not come halves the bond, and ends the chain.
    answerBudgetWei: leastBondWei / 2n,
  }
  const inclusion = { disputes, blockLog, admit, problems, log, separator: domainSeparator(options.domain) }
  const runStep = (step: (() => void) | undefined) => step && store.write(step)
  return {
    store,
    transactions,
    blockLog,
    ledger,
    view,
    journal,
    meta,
    surety,
    problems,
    lastSealedAt: () => lastSealed.get()?.at ?? undefined,
    views: createViews({
      db,
      transactions,
      pending,
      journal,
      ledger,
      view,
      openAnchor: () => blockLog.open()?.anchor.number ?? -1,
    }),
    admit,
    applyL1: (events, cursor) => {
      if (events.length === 0) return
      store.write(() => {
        view.apply(events, cursor)
        findAnchorStep(builder)?.()
      })
    },
    step: () => {
      try {
        runStep(findAnswers(answers))
        problems.clear('ANSWER_FAILED')
      } catch (error) {
        // Whatever somebody demands must not keep blocks from L1.
        log.error('answer.failed', { error })
        problems.raise('ANSWER_FAILED', 'a data challenge could not be answered: see the log')
      }
      // L1 takes no more blocks: there is nothing left to do but to serve what there is.
      if (problems.all().some(({ code }) => code === 'HALTED')) return
      runStep(findReanchoring(anchors))
      judgeAge(anchors, maxPromiseAge(parameters))
      const include = findInclusion(inclusion)
      runStep(include)
      // What is kept in memory of the outputs that it made does not know their locks.
      if (include) ledger.forget()
      // A new anchor first, then perhaps the cut.
      runStep(findBuilderStep(builder))
      runStep(findBuilderStep(builder))
      runStep(findSubmitterStep(submitter))
    },
  }
}

/** Half of the submission's margin is left when nothing more is promised. */
function maxPromiseAge(parameters: Parameters): number {
  return parameters.anchorAgeBlocks - Math.ceil(parameters.submissionMargin / parameters.slot / 2)
}

/** Leaves the submission its margin, and is never below the age that the youngest possible anchor already has. */
function maxOpenAnchorAge(parameters: Parameters, finalityDepth: number): number {
  const margin = Math.ceil(parameters.submissionMargin / parameters.slot)
  return Math.max(finalityDepth, parameters.anchorAgeBlocks - margin)
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

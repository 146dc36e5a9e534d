/**
 * The operator as a running part (docs/architecture.md, "Operator"): one way in (door, admission, log, disk), one way out (builder,
 * submitter, outbox), and one loop that looks at L1. Everything durable is in one SQLite file; a crash at any point loses nothing
 * that was acknowledged, and the next start goes on from there.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../api/schemas.ts'
import type { FollowerEvent } from '../l1/cursor.ts'
import { type Deployment, loggingContracts } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { type Follower, followL1 } from '../l1/follower.ts'
import { type Outbox, openOutbox } from '../l1/outbox.ts'
import type { OutboxSigner } from '../l1/outboxContext.ts'
import { createOutboxRpc } from '../l1/outboxRpc.ts'
import { migrateOutbox } from '../l1/outboxStore.ts'
import { type Address, bytesToHex, type Hex, parseAddress } from '../protocol/bytes.ts'
import { domainSeparator } from '../protocol/eip712.ts'
import { configError, isLifeboatError } from '../protocol/errors.ts'
import { openDatabase } from '../service/database.ts'
import { createFeed, type Feed } from '../service/feed.ts'
import { createDoor } from '../service/http.ts'
import type { Log } from '../service/log.ts'
import { type RunningServer, startServer } from '../service/server.ts'
import { createSignaturePool, type SignaturePool } from '../signatures/pool.ts'
import { assertNativeBackend } from '../signatures/secp256k1.ts'
import { addressOfKey, signDigest } from '../signatures/sign.ts'
import { type Admission, createAdmission } from './admission.ts'
import { checkOperator } from './check.ts'
import { deploymentParameters, deploymentRoot, type OperatorSettings } from './config.ts'
import { type Core, createCore } from './core.ts'
import { createFeedSource, topicsOf } from './feedSource.ts'
import { createL1Sender } from './l1Sender.ts'
import { createOperatorMetrics } from './metrics.ts'
import { createReceiptDesk, type SignDigest, toCompact } from './receipts.ts'
import { addRoutes, STATUS_BY_CODE } from './routes.ts'
import { OPERATOR_APPLICATION_ID, OPERATOR_MIGRATIONS, tuneDatabase } from './schema.ts'

export const OPERATOR_VERSION = '0.1.0'

/** Polls of one tick while catching up; then the other duties get their turn. */
const MAX_POLLS = 50

/** Sends to L1, and signs receipts; a viem LocalAccount is one. */
export type OperatorSigner = OutboxSigner & Readonly<{ sign(digest: Readonly<{ hash: Hex }>): Promise<Hex> }>

export type OperatorOptions = Readonly<{
  deployment: Deployment
  endpoint: Endpoint
  secondEndpoint?: Endpoint
  /** The key of the chain's operator; a viem LocalAccount is one. */
  signer: OperatorSigner
  /** The same key, for receipts: signing natively takes a tenth of the time. Absent: the signer signs them. */
  receiptKey?: Uint8Array
  dataDir: string
  settings: OperatorSettings
  log: Log
  /** Milliseconds; default Date.now. */
  now?: () => number
  /** True: nothing runs by itself, the caller ticks. For tests. */
  manual?: boolean
  /** For crash tests; see service/database.ts. */
  onWrite?: () => void
  /** Signature threads that the caller keeps and closes: for tests with many starts. Default: own ones. */
  pool?: SignaturePool
}>

export type Operator = Readonly<{
  url: string
  /** One look at L1 and whatever is due; a call during a tick joins it. Throws bugs only. */
  tick(): Promise<void>
  status(): Status
  /** Answers what is under way, and closes. Twice is once. */
  stop(): Promise<void>
}>

/** Checks everything, then starts. Throws CONFIG_INVALID with all problems, and what the database, port and outbox throw. */
export async function createOperator(options: OperatorOptions): Promise<Operator> {
  const { settings, deployment, endpoint, dataDir, log } = options
  assertNativeBackend()
  const ourAddress = parseAddress(options.signer.address)
  await checkOperator({ settings, deployment, endpoint, ourAddress, dataDir })
  mkdirSync(dataDir, { recursive: true })
  const db = openDatabase({
    file: join(dataDir, 'operator.db'),
    applicationId: OPERATOR_APPLICATION_ID,
    migrations: [...OPERATOR_MIGRATIONS, migrateOutbox],
    lockProcess: true,
    ...(options.onWrite && { onWrite: options.onWrite }),
  })
  tuneDatabase(db)
  const closers: (() => void | Promise<void>)[] = [() => void db.close()]
  try {
    const parts = await assemble(options, db, closers)
    log.info('operator.started', { url: parts.server.url, chainId: deployment.chainId, operator: ourAddress })
    return run(options, parts, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

type Parts = Readonly<{
  core: Core
  outbox: Outbox
  admission: Admission
  server: RunningServer
  l1: L1Loop
  status: () => Status
}>
type Db = ReturnType<typeof openDatabase>

async function assemble(options: OperatorOptions, db: Db, closers: (() => void | Promise<void>)[]): Promise<Parts> {
  const { settings, deployment, endpoint, signer, log } = options
  const now = options.now ?? Date.now
  const rootContract = deploymentRoot(deployment)
  const domain = { chainId: deployment.chainId, rootContract }
  const outbox = await openOutbox({
    db,
    rpc: createOutboxRpc(endpoint),
    signer,
    chainId: deployment.chainId,
    policy: { confirmations: Math.min(6, settings.finalityDepth), finalDepth: settings.reorgDepth },
    onStatus: (row, { code, words }) => log.info('outbox.changed', { key: row.intent.key, code, words }),
    onTrouble: (error) => log.warn('outbox.troubled', { error }),
  })
  closers.push(() => outbox.close())
  let feed: Feed | undefined
  const policy = {
    feeAddress: settings.feeAddress,
    fees: settings.fees,
    maxInputs: settings.maxInputs,
    maxOutputs: settings.maxOutputs,
  }
  const core = createCore({
    db,
    domain,
    parameters: deploymentParameters(deployment),
    ourAddress: parseAddress(signer.address),
    policy,
    finalityDepth: settings.finalityDepth,
    blockIntervalMs: settings.blockIntervalSeconds * 1000,
    maxSilenceSeconds: settings.maxSilenceSeconds,
    maxBlockTxs: settings.maxBlockTxs,
    ownerLimit: settings.accountLimit,
    sender: createL1Sender({ db, rootContract, surety: suretyOf(deployment), budgetWei: settings.submissionBudgetWei }),
    log,
    now,
    publish: (events) => {
      if (!feed || feed.clientCount() === 0) return
      for (const topic of topicsOf(events)) feed.notify(topic)
    },
  })
  const l1 = createL1Loop(options, core, now)
  const pool = options.pool ?? createSignaturePool({ threads: settings.threads })
  if (!options.pool) closers.push(() => pool.close())
  const status = () => readStatus(options, core)
  const door = createDoor({
    name: 'operator',
    version: OPERATOR_VERSION,
    log,
    health: () => {
      const problems = core.problems.all().map(({ words }) => words)
      return { ok: problems.length === 0, problems }
    },
    limits: { rate: settings.clientLimit.perSecond > 0 ? settings.clientLimit : undefined },
    statusByCode: STATUS_BY_CODE,
    trustProxy: settings.trustProxy,
    now,
  })
  const startedAt = now()
  const metrics = createOperatorMetrics(door.metrics, {
    waiting: () => admission.waiting(),
    sealed: core.blockLog.sealed,
    committed: core.view.committed,
    l1Block: () => core.view.tip()?.number ?? 0,
    l1LagSeconds: () => l1.lagMs() / 1000,
    lastBlockAgeSeconds: () => (now() - (core.lastSealedAt() ?? startedAt)) / 1000,
    problems: () => core.problems.all().length,
    feedClients: () => feed?.clientCount() ?? 0,
  })
  const admission = createAdmission({
    pool,
    threads: settings.threads,
    separator: domainSeparator(domain),
    store: core.store,
    admit: core.admit,
    problems: core.problems,
    log,
    queueLimit: settings.queueLimit,
    onCommit: (accepted, rejected, seconds) => {
      metrics.committed(accepted, rejected)
      metrics.commitSeconds(seconds)
    },
  })
  const receipts = createReceiptDesk({
    separator: domainSeparator(domain),
    sign: receiptSigner(options, ourAddressOf(options)),
    anchorOf: core.blockLog.anchorOf,
    log,
  })
  addRoutes({ door, admission, receipts, problems: core.problems, views: core.views, policy, status, deployment })
  feed = createFeed({ source: createFeedSource(core.journal, core.views), log, now })
  const server = await startServer({
    fetch: door.app.fetch,
    feeds: { '/v1/feed': feed },
    host: settings.host,
    port: settings.port,
  })
  closers.push(() => admission.close())
  closers.push(() => server.close())
  return { core, outbox, admission, server, l1, status }
}

function run(options: OperatorOptions, parts: Parts, closers: (() => void | Promise<void>)[]): Operator {
  const { core, outbox, server, l1, status } = parts
  const now = options.now ?? Date.now
  let ticking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopping: Promise<void> | undefined

  async function tickOnce(): Promise<void> {
    await l1.look(() => stopping !== undefined)
    core.step()
    await outbox.tick(now())
    core.step()
  }

  function tick(): Promise<void> {
    ticking ??= tickOnce().finally(() => {
      ticking = undefined
    })
    return ticking
  }

  function schedule(): void {
    timer = setTimeout(() => {
      void tick()
        .catch((error) => options.log.error('operator.failed', { error }))
        .finally(() => {
          if (!stopping) schedule()
        })
    }, options.settings.pollIntervalMs)
  }

  async function stop(): Promise<void> {
    clearTimeout(timer)
    await ticking?.catch(() => undefined)
    await closeAll(closers)
    options.log.info('operator.stopped')
  }

  if (!options.manual) schedule()
  return {
    url: server.url,
    tick,
    status,
    stop: () => {
      stopping ??= Promise.resolve().then(stop)
      return stopping
    },
  }
}

type L1Loop = Readonly<{
  /** Folds in all that is new on L1; what fails is a problem that stands until a look succeeds. */
  look(isStopping: () => boolean): Promise<void>
  /** Since the last look that found nothing more. */
  lagMs(): number
}>

function createL1Loop(options: OperatorOptions, core: Core, now: () => number): L1Loop {
  const { settings, deployment, endpoint, secondEndpoint, log } = options
  const start = (): Follower =>
    followL1({
      endpoint,
      ...(secondEndpoint && { secondEndpoint }),
      contracts: loggingContracts(deployment),
      startBlock: deployment.startBlock,
      // Deeper than what we build on: a reorg past our anchors is told, and mended where it can be.
      finality: settings.reorgDepth,
      from: core.view.cursor(),
    })
  let follower = start()
  let seenAt = now()
  let pace = 0
  const staleWords = () => {
    const { maxL1LagSeconds: most } = settings
    const unseen = Math.floor((now() - seenAt) / 1000)
    if (unseen > most) return `L1 was not seen for ${unseen} s, want at most ${most} s`
    const tip = core.view.tip()
    const old = tip ? Math.floor(now() / 1000) - tip.timestamp : 0
    // A test chain's blocks may be further apart than that.
    return old > Math.max(most, 2 * pace) ? `L1's newest block is ${old} s old, want at most ${most} s` : undefined
  }
  // Asked at every payment: after a sleep of the machine, payments may come before the next look.
  core.problems.derive('L1_STALE', staleWords)
  // What was known of L1 before the start may be long past: a promise on its anchor would be broken at birth.
  core.problems.begin('L1_STALE', 'L1 was not looked at yet')
  return {
    lagMs: () => now() - seenAt,
    look: async (isStopping) => {
      try {
        let isCaughtUp = false
        let began = now()
        for (let polls = 0; polls < MAX_POLLS && !isStopping() && !isCaughtUp; polls++) {
          began = now()
          const before = core.view.tip()
          const events = await follower.poll()
          isCaughtUp = events.length === 0
          if (!isCaughtUp) core.applyL1(events, follower.cursor())
          pace = paceOf(events, before) ?? pace
        }
        if (!isCaughtUp) return
        seenAt = began
        const words = staleWords()
        if (words === undefined) core.problems.clear('L1_STALE')
        else core.problems.raise('L1_STALE', words)
      } catch (error) {
        // The follower may be ahead of what was stored: start again from the store.
        follower = start()
        if (!isLifeboatError(error) || error.family === 'bug') throw error
        log.warn('l1.troubled', { error })
        const isStale = now() - seenAt > settings.maxL1LagSeconds * 1000
        if (isStale || error.family !== 'retryable')
          core.problems.raise('L1_STALE', `L1 cannot be followed: ${error.message}`)
      }
    },
  }
}

/** Seconds between the two newest blocks; undefined without a new one. */
function paceOf(events: readonly FollowerEvent[], before: Readonly<{ timestamp: number }> | undefined) {
  const times = events.flatMap((event) => (event.type === 'block' ? [event.block.timestamp] : []))
  const [previous, newest] = [times.at(-2) ?? before?.timestamp, times.at(-1)]
  return previous === undefined || newest === undefined ? undefined : newest - previous
}

function ourAddressOf({ signer }: OperatorOptions): Address {
  return parseAddress(signer.address)
}

/** Throws RECEIPT_KEY_OTHER (config): receipts of another key bind nobody. */
function receiptSigner({ signer, receiptKey }: OperatorOptions, ourAddress: Address): SignDigest {
  if (!receiptKey) return async (digest) => toCompact(await signer.sign({ hash: bytesToHex(digest) }))
  const got = addressOfKey(receiptKey)
  if (got === ourAddress) return (digest) => signDigest(digest, receiptKey)
  throw configError('RECEIPT_KEY_OTHER', "the key for receipts is not the operator's", { got, want: ourAddress })
}

/** Throws DEPLOYMENT_MALFORMED. */
function suretyOf(deployment: Deployment): Address {
  const [, surety] = loggingContracts(deployment)
  return (surety as Deployment['contracts'][string]).address
}

function readStatus({ deployment }: OperatorOptions, { view, blockLog, surety, problems, meta }: Core): Status {
  const open = blockLog.open()
  const committed = view.committed()
  return {
    role: 'operator',
    version: OPERATOR_VERSION,
    chainId: deployment.chainId,
    rootContract: deploymentRoot(deployment),
    sealed: blockLog.sealed(),
    committed,
    final: Math.min(committed, Number(meta.get('finalBlock') ?? 0)),
    l1Block: view.tip()?.number ?? 0,
    bond: { wei: surety.bond().wei, leastWei: leastBondOf(deployment), slashedWei: surety.bond().slashedWei },
    ...(open && { open: { number: open.number, txCount: open.txCount, anchor: open.anchor.number } }),
    problems: problems.all().map(({ words }) => words),
  }
}

function leastBondOf(deployment: Deployment): bigint {
  return BigInt(deploymentParameters(deployment).operatorBondGwei) * 10n ** 9n
}

async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) await close()
}

/**
 * A whole watcher (docs/architecture.md, "Watcher"): database, workers, L1 followers, peers, core, court, HTTP door and live feed, and
 * the loop that drives them. For the CLI, the devnet and tests; nothing here decides anything.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { readHeader } from '../l1/blocks.ts'
import { type Deployment, loggingContracts } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { followL1 } from '../l1/follower.ts'
import type { Address } from '../protocol/bytes.ts'
import { domainSeparator } from '../protocol/eip712.ts'
import { configError } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import { type Database, openDatabase } from '../service/database.ts'
import { createFeed } from '../service/feed.ts'
import { createDoor, type DoorLimits, type Health } from '../service/http.ts'
import type { Log } from '../service/log.ts'
import { startServer } from '../service/server.ts'
import { createSignaturePool, type SignaturePool } from '../signatures/pool.ts'
import { assertNativeBackend } from '../signatures/secp256k1.ts'
import type { AlertSink } from './alarm.ts'
import { type Core, createCore, type TickReport } from './core.ts'
import type { CreateCourt } from './courtPort.ts'
import { createFeedSource, FEED_TOPICS } from './feeds.ts'
import { addGauges } from './gauges.ts'
import type { L1Source } from './l1Reader.ts'
import type { Peer } from './peers.ts'
import { isOver, type NewProtection } from './protection.ts'
import { addAccountRoutes, addBlockRoutes, ROUTE_STATUS } from './routes.ts'
import { addMassExitRoutes } from './routesMassExits.ts'
import { addReceiptRoutes } from './routesReceipts.ts'
import { addAdminRoutes, addWatchRoutes, statusOf } from './routesWatch.ts'
import { defaultLimits, findLimitProblems, type SafetyLimits } from './safety.ts'
import { WATCHER_MIGRATIONS } from './schema.ts'
import { createPatientPrepare } from './verify.ts'

/** Names the watcher's database files ("LBW1"). */
export const WATCHER_APPLICATION_ID = 0x4c425731
const CHASE_BUDGET_MS = 2_000
/** Pause after a tick that failed; doubles up to a minute. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export type WatcherOptions = Readonly<{
  deployment: Deployment
  /** As the root contract says. */
  parameters: Parameters
  /** Connected L1 endpoints, best first; the next one is also asked to confirm final blocks. */
  endpoints: readonly Endpoint[]
  /** Default: the deployment's. */
  finalityBlocks?: number
  peers: readonly Peer[]
  /** Database file, or an open database that the caller closes: the outbox may share it. */
  database: string | Database
  log: Log
  version: string
  host?: string
  /** 0: any free one. */
  port: number
  /** Signature threads. Default 2. */
  threads?: number
  /** Threads that the caller keeps and closes: for tests with many starts. Default: own ones. */
  pool?: SignaturePool
  /** Default 2,000. */
  pollMs?: number
  limits?: SafetyLimits
  /** Undefined: the age of the L1 head is not checked, for chains whose time is moved by hand. */
  maxHeadAgeSeconds?: number | undefined
  /** Default 60. */
  maxL1SilenceSeconds?: number
  /** Called with the place in `endpoints` of the one that is read from now on, whenever that changes. */
  onL1Source?: (place: number) => void
  /** Who sends for us: whom mandates name as delegate. */
  sender?: Address
  /** Without one the watcher watches, and does not act. */
  createCourt?: CreateCourt
  sinks?: readonly AlertSink[]
  /** Bearer token of calls that change something; without one they are refused. */
  apiToken?: string
  /** Registered at start; those whose mandate is over are passed by. */
  protectedAccounts?: readonly NewProtection[]
  doorLimits?: Partial<DoorLimits>
  /** Local clock, ms. Default Date.now. */
  now?: () => number
}>

export type Watcher = Readonly<{
  url: string
  core: Core
  /** Resolves when the signature threads run. Nothing waits for it: the first batches do. */
  ready(): Promise<void>
  /** Starts the loop. Without it only `tick` moves the watcher. */
  start(): void
  /** One round, never beside another. Rejects when the round failed; nothing is lost by that. */
  tick(): Promise<TickReport>
  /** Ticks until there is nothing more to do at once. */
  settle(): Promise<void>
  status(): ReturnType<typeof statusOf>
  /** Ends the loop after its round, then closes everything that this watcher opened. Twice is once. */
  stop(): Promise<void>
}>

/** Listens when it resolves. Throws config errors: LIMITS_IMPOSSIBLE, NATIVE_SECP256K1_MISSING, and those of the database and the port. */
export async function createWatcher(options: WatcherOptions): Promise<Watcher> {
  assertNativeBackend()
  const { log, now = Date.now, parameters, deployment, sender, pollMs = 2_000 } = options
  const limits = options.limits ?? defaultLimits(parameters)
  const problems = findLimitProblems(parameters, limits)
  if (problems.length > 0) {
    throw configError('LIMITS_IMPOSSIBLE', 'the margins do not add up', {
      got: problems,
      want: 'a decision before the last safe moment',
    })
  }
  const rootContract = rootOf(deployment)
  const separator = domainSeparator({ chainId: deployment.chainId, rootContract })
  const db = typeof options.database === 'string' ? openStore(options.database) : options.database
  const pool = options.pool ?? createSignaturePool({ threads: options.threads ?? 2 })
  const identity = { version: options.version, chainId: deployment.chainId, rootContract, sender }
  const core = createCore({
    db,
    separator,
    parameters,
    limits,
    sources: sourcesOf(options),
    peers: options.peers,
    prepare: createPatientPrepare(pool.preparePacked),
    log,
    sinks: options.sinks ?? [],
    now,
    maxHeadAgeSeconds: options.maxHeadAgeSeconds,
    maxL1SilenceSeconds: options.maxL1SilenceSeconds ?? 60,
    sender,
    ...(options.createCourt && { createCourt: options.createCourt }),
    ...(options.onL1Source && { onL1Source: options.onL1Source }),
    chaseBudgetMs: CHASE_BUDGET_MS,
  })
  for (const account of options.protectedAccounts ?? []) {
    try {
      core.protection.add(account, now())
    } catch (error) {
      if (!isOver(error)) throw error
      log.warn('protection.passed_by', { owner: account.owner, error })
    }
  }

  const health = (): Health => {
    const { problems: found } = statusOf(core, identity)
    // An unsafe chain is bad news, not a sick watcher: only what hinders watching counts here.
    return { ok: core.reader.isFresh(), problems: found }
  }
  const door = createDoor({
    name: 'watcher',
    version: options.version,
    log,
    health,
    statusByCode: ROUTE_STATUS,
    ...(options.doorLimits && { limits: options.doorLimits }),
  })
  addAdminRoutes(door, core, options.apiToken, sender)
  addBlockRoutes(door, core, deployment)
  addAccountRoutes(door, core)
  addWatchRoutes(door, core, identity)
  addReceiptRoutes(door, core)
  addMassExitRoutes(door, core)
  addGauges(door.metrics.registry, core)
  const feed = createFeed({ source: createFeedSource(core.alarm, core.journal), log })
  const server = await startServer({
    fetch: door.app.fetch,
    feeds: { '/v1/feed': feed },
    port: options.port,
    ...(options.host === undefined ? {} : { host: options.host }),
  })

  const ending = new AbortController()
  let running: Promise<unknown> = Promise.resolve()
  let loop: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  function tick(): Promise<TickReport> {
    const round = running.then(async () => {
      try {
        return await core.tick()
      } finally {
        for (const topic of FEED_TOPICS) feed.notify(topic)
      }
    })
    running = round.catch(() => undefined)
    return round
  }

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    while (!ending.signal.aborted) {
      try {
        const { isBehind } = await tick()
        pause = FIRST_PAUSE_MS
        if (!isBehind) await sleep(pollMs)
      } catch {
        // Told by the core; here it only means patience.
        await sleep(pause)
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2)
      }
    }
  }

  async function sleep(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: ending.signal }).catch(() => undefined)
  }

  async function close(): Promise<void> {
    ending.abort()
    await loop
    await running
    await core.court?.stop()
    await server.close()
    if (!options.pool) await pool.close()
    if (typeof options.database === 'string') db.close()
  }

  return {
    url: server.url,
    core,
    ready: pool.ready,
    start() {
      loop ??= run()
    },
    tick,
    async settle() {
      for (;;) if (!(await tick()).isBehind) return
    },
    status: () => statusOf(core, identity),
    stop() {
      stopped ??= close()
      return stopped
    },
  }
}

/** Opens the watcher's own database file. Throws as service/database.ts does. */
export function openStore(file: string): Database {
  return openDatabase({
    file,
    applicationId: WATCHER_APPLICATION_ID,
    migrations: WATCHER_MIGRATIONS,
    lockProcess: true,
  })
}

/** Throws DEPLOYMENT_MALFORMED for a deployment without a root contract. */
export function rootOf({ contracts }: Deployment): Address {
  const root = contracts['root']
  if (!root)
    throw configError('DEPLOYMENT_MALFORMED', 'the deployment has no root contract', {
      got: Object.keys(contracts),
      want: 'root',
    })
  return root.address
}

function sourcesOf({ endpoints, deployment, finalityBlocks, parameters }: WatcherOptions): L1Source[] {
  return endpoints.map((endpoint, i) => {
    const second = endpoints[(i + 1) % endpoints.length]
    return {
      name: endpoint.name,
      head: () => readHeader(endpoint, 'latest'),
      follow: (from) =>
        followL1({
          endpoint,
          contracts: loggingContracts(deployment),
          startBlock: deployment.startBlock,
          finality: finalityBlocks ?? parameters.finalityBlocks,
          from,
          ...(second && second !== endpoint ? { secondEndpoint: second } : {}),
        }),
    }
  })
}

/** A watcher that acts: its database shared with the outbox, its court, and the loops of both. For the command, the devnet, drills and tests. */

import { privateKeyToAccount } from 'viem/accounts'
import type { Deployment } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { openOutbox } from '../l1/outbox.ts'
import { DEFAULT_POLICY } from '../l1/outboxContext.ts'
import { createOutboxRpc } from '../l1/outboxRpc.ts'
import { type Address, bytesToHex } from '../protocol/bytes.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { Log } from '../service/log.ts'
import { assertMargins, delaysOf } from './court/margins.ts'
import { type CourtPolicy, defaultPolicy } from './court/policy.ts'
import { courtOf } from './driver.ts'
import { createReadL1 } from './driverReadings.ts'
import { joinEndpoints } from './endpoints.ts'
import type { Peer } from './peers.ts'
import { defaultLimits } from './safety.ts'
import { createWatcher, openStore, rootOf, type Watcher, type WatcherOptions } from './watcher.ts'

/** Whose ETH pays. `privateKey`: 32 bytes. */
export type Signer = Readonly<{ address: Address; privateKey: Uint8Array }>

export type WatcherProgramOptions = Omit<
  WatcherOptions,
  'database' | 'sender' | 'createCourt' | 'endpoints' | 'peers' | 'log' | 'deployment' | 'parameters'
> &
  Readonly<{
    deployment: Deployment
    parameters: Parameters
    endpoints: readonly [Endpoint, ...Endpoint[]]
    peers: readonly Peer[]
    log: Log
    /** Database file. */
    file: string
    /** Whose ETH pays for challenges and protected exits. Without one it only watches. */
    account?: Signer
    policy?: Partial<CourtPolicy>
    /** L1 blocks until an act of ours counts. */
    confirmations?: number
    /** True: nothing runs by itself, the caller ticks. For tests. */
    manual?: boolean
  }>

export type WatcherProgram = Readonly<{ watcher: Watcher; stop(): Promise<void> }>

/** `tick`: one round of the watcher, then one of its outbox. Rejects when one failed; nothing is lost by that. */
export type StartedWatcher = WatcherProgram & Readonly<{ tick(): Promise<void> }>

/** Starts both loops. Throws MARGINS_IMPOSSIBLE, and what createWatcher, openOutbox and the database throw. */
export async function startWatcherProgram(options: WatcherProgramOptions): Promise<StartedWatcher> {
  const { file, account, policy, confirmations = DEFAULT_POLICY.confirmations, manual = false, ...rest } = options
  const { deployment, parameters, endpoints, log, pollMs = 2_000, now = Date.now } = options
  if (!account) {
    const watcher = await createWatcher({ ...rest, database: file })
    if (!manual) watcher.start()
    return { watcher, tick: async () => void (await watcher.tick()), stop: () => watcher.stop() }
  }
  const endpoint = joinEndpoints(endpoints)
  const rootContract = rootOf(deployment)
  const own = { sender: account.address, seed: bytesToHex(keccak256Text(account.address)) }
  const courtPolicy = { ...defaultPolicy(own, parameters), ...policy }
  assertMargins({
    parameters,
    delays: delaysOf(parameters, { confirmations, pollMs }),
    staggerSeconds: courtPolicy.staggerSeconds,
    limits: options.limits ?? defaultLimits(parameters),
  })
  const db = openStore(file)
  const stopOutbox = new AbortController()
  try {
    const outbox = await openOutbox({
      db,
      rpc: createOutboxRpc(endpoint),
      signer: privateKeyToAccount(bytesToHex(account.privateKey)),
      chainId: deployment.chainId,
      policy: { confirmations },
      onStatus: (row, { code, words }) => log.info('outbox.changed', { key: row.intent.key, code, words }),
      onTrouble: (error) => log.warn('outbox.troubled', { error }),
    })
    const watcher = await createWatcher({
      ...rest,
      database: db,
      onL1Source: endpoint.prefer,
      sender: account.address,
      createCourt: courtOf({
        policy: courtPolicy,
        rootContract,
        suretyContract: deployment.contracts['surety']?.address,
        readL1: createReadL1(endpoint, { rootContract, sender: account.address }),
        wake: () => outbox.wake(),
      }),
    }).catch(async (error: unknown) => {
      await outbox.close()
      throw error
    })
    if (!manual) watcher.start()
    const running = manual
      ? undefined
      : outbox.run(stopOutbox.signal, { pollMs }).catch((error: unknown) => log.error('outbox.failed', { error }))
    return {
      watcher,
      tick: async () => {
        await watcher.tick()
        await outbox.tick(now())
      },
      stop: async () => {
        await watcher.stop()
        stopOutbox.abort()
        await running
        await outbox.close()
        db.close()
      },
    }
  } catch (error) {
    if (db.open) db.close()
    throw error
  }
}

/**
 * The whole operator and the whole watcher on the embedded L1, without timers: they do something when the story lets them, one round after
 * the other, and the clock of all moves by hand. The L1 is deployed to once; every run starts from its snapshot.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { createTestClient, custom, publicActions, walletActions } from 'viem'
import { anvil } from 'viem/chains'
import { createClient } from '../../api/client.ts'
import type { Deployment } from '../../l1/deployment.ts'
import { createEmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { listRows } from '../../l1/outboxStore.ts'
import { defaultSettings } from '../../operator/config.ts'
import { createOperator } from '../../operator/operator.ts'
import { type Address, type Hash, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodeBody } from '../../protocol/codec.ts'
import { keccak256Hex } from '../../protocol/keccak.ts'
import { type Parameters, PRESETS } from '../../protocol/parameters.ts'
import type { SignedReceipt } from '../../protocol/receipt.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { createMemoryLog, type Log } from '../../service/log.ts'
import { createSignaturePool } from '../../signatures/pool.ts'
import type { CourtPolicy } from '../../watcher/court/policy.ts'
import { createHttpPeer, type Peer } from '../../watcher/peers.ts'
import { startWatcherProgram } from '../../watcher/program.ts'
import { defaultLimits, type SafetyLimits } from '../../watcher/safety.ts'
import { signMandate } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, deployRootChain, type TestClient } from '../support/rootChain.ts'
import { createFuse, type Life, type Point, watchEndpoint } from './fuse.ts'
import { createProgram } from './program.ts'

/** Periods with room: a restart takes no L1 time, but a story jumps to what it waits for. */
const PARAMETERS: Parameters = {
  ...PRESETS.devnet,
  minExitPeriod: 960,
  dataChallengePeriod: 120,
  dataResponsePeriod: 120,
  anchorAgeBlocks: 60,
  abandonPeriod: 3_840,
}
const GWEI = 10n ** 9n
const ETHER = 10n ** 18n
const START_MS = 1_700_000_000_000
/** Rounds of a second each that anything may take which is not waited for by the clock. */
const PATIENCE_ROUNDS = 60

export type Stage = Awaited<ReturnType<typeof createStage>>
export type Run = Awaited<ReturnType<Stage['run']>>

export type RunOptions = Readonly<{
  point?: Point
  /** Whom the watcher takes out when the chain is unsafe. */
  wards?: readonly Actor[]
  policy?: Partial<CourtPolicy>
  limits?: Partial<SafetyLimits>
}>

/** L1 with the contracts, and signature threads: what all runs of a file share. */
export async function createStage(overrides: Partial<Parameters> = {}) {
  const parameters = { ...PARAMETERS, ...overrides }
  const clock = { ms: START_MS }
  const l1 = await createEmbeddedL1({
    accounts: Object.fromEntries(Object.values(actors).map(({ address }) => [address, 10_000n * ETHER])),
    genesisTimestamp: START_MS / 1000,
    clock: () => clock.ms,
    mining: 'instant',
    finalityDepth: parameters.finalityBlocks,
    // One base fee for ever: what a bond is does not depend on when it is paid.
    baseFeeFloorWei: GWEI,
  })
  const request = ({ method, params }: { method: string; params?: unknown }) =>
    l1.request(method, (params ?? []) as readonly unknown[])
  const transport = custom({ request }, { retryCount: 0 })
  const client = createTestClient({ chain: anvil, mode: 'anvil', transport, pollingInterval: 5, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions) as unknown as TestClient
  const chain = await deployRootChain(client, parameters)
  const deployment = await describe(chain)
  const endpoint = await connectEndpoint({ transport, name: 'L1', expectedChainId: chain.chainId, retries: 0 })
  const pool = createSignaturePool({ threads: 1 })
  await pool.ready()
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-crash-'))
  const startedMs = clock.ms
  let snapshot = await client.snapshot()
  let runs = 0

  /** Everybody at the beginning; nothing runs yet. */
  async function run({ point, wards = [], policy = {}, limits = {} }: RunOptions = {}) {
    await client.revert({ id: snapshot })
    snapshot = await client.snapshot()
    clock.ms = startedMs
    const home = join(directory, `run-${++runs}`)
    const fuse = createFuse(point)
    const memory = createMemoryLog()
    const receipts: SignedReceipt[] = []
    /** Numbers of alerts that reached a person. */
    const heard = new Set<number>()
    const served = new Map<number, Uint8Array>()
    let isShut = false
    const isInstant = { now: true }

    const settings = {
      ...defaultSettings(chain.parameters, actors.operator.address),
      port: 0,
      clientLimit: { perSecond: 0, burst: 1 },
      blockIntervalSeconds: 2,
      maxL1LagSeconds: chain.parameters.anchorAgeBlocks,
    }
    const operator = createProgram({
      who: 'operator',
      fuse,
      directory: home,
      start: (life) =>
        createOperator({
          deployment,
          endpoint: watchEndpoint(endpoint, () => life),
          signer: actors.operator.account,
          receiptKey: keyOf(actors.operator),
          dataDir: life.directory,
          settings,
          log: logOf(memory.log.child({ part: 'operator' }), life),
          now: () => clock.ms,
          manual: true,
          pool,
        }),
    })
    const doorOfOperator: Peer = {
      name: 'operator',
      fetch: async (range) => {
        if (isShut) throw new Error('cut off')
        const found: Uint8Array[] = []
        for (let number = range.from; number <= range.to; number++) {
          const body = served.get(number)
          if (!body) break
          found.push(body)
        }
        if (found.length > 0 || operator.isRetired()) return found
        return createHttpPeer({ url: operator.now().url, timeoutMs: 5_000 }).fetch(range)
      },
    }
    const mandates = await Promise.all(
      wards.map(async (ward) => ({ owner: ward.address, ...(await signMandate(chain, ward, {})) })),
    )
    const watcher = createProgram({
      who: 'watcher',
      fuse,
      directory: home,
      start: (life) =>
        startWatcherProgram({
          deployment,
          parameters: chain.parameters,
          endpoints: [watchEndpoint(endpoint, () => life)],
          peers: [doorOfOperator],
          log: logOf(memory.log.child({ part: 'watcher' }), life),
          file: join(life.directory, 'watcher.sqlite'),
          account: { address: actors.watcher.address, privateKey: keyOf(actors.watcher) },
          policy: { staggerSeconds: 0, batchBondBudgetWei: 0n, ...policy },
          limits: { ...defaultLimits(chain.parameters), ...limits },
          protectedAccounts: mandates,
          sinks: [{ name: 'person', deliver: async ({ id }) => void heard.add(id) }],
          confirmations: 1,
          version: 'test',
          port: 0,
          pollMs: 1_000,
          now: () => clock.ms,
          manual: true,
          pool,
        }),
    })

    /** The programs' sends wait in the pool until the next round; what people do by hand is mined at once. */
    async function byHand<T>(move: () => Promise<T>): Promise<T> {
      if (isInstant.now) return move()
      isInstant.now = true
      await client.setAutomine(true)
      try {
        return await move()
      } finally {
        await client.setAutomine(false)
        isInstant.now = false
      }
    }

    /** A second, an L1 block, and everybody's turn. */
    async function round(): Promise<void> {
      clock.ms += 1_000
      await client.mine({ blocks: 1 })
      if (!operator.isRetired()) await operator.act((program) => program.tick())
      if (!watcher.isRetired()) await watcher.act((program) => program.tick())
    }

    async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>) {
      for (let rounds = 0; rounds < PATIENCE_ROUNDS; rounds++) {
        await round()
        const found = await look()
        if (found) return found as T
      }
      throw new Error(
        `got nothing in ${PATIENCE_ROUNDS} rounds, want ${what}; ${pendingWork().join('; ') || 'nobody has work'}`,
      )
    }

    /** What a program still has to do: rows of its outbox that are not final, and blocks on their way. */
    function pendingWork(): string[] {
      const { facts } = watcher.now().watcher.core
      const blocks = facts.verifiedBlock() === facts.newestBlock() || facts.halt().voidFrom > 0 || facts.fault()
      const ofOperator = operator.isRetired() ? undefined : operator.now().status()
      return [
        ...(blocks ? [] : [`watcher: block ${facts.verifiedBlock() + 1} to verify`]),
        ...(ofOperator && ofOperator.committed !== ofOperator.sealed
          ? [`operator: block ${ofOperator.sealed} to commit`]
          : []),
        ...(ofOperator?.open?.txCount ? [`operator: block ${ofOperator.open.number} to seal`] : []),
        ...openRows(operator.isRetired() ? [] : [operator.life()], 'operator.db'),
        ...openRows([watcher.life()], 'watcher.sqlite'),
      ]
    }

    return {
      ...{
        chain,
        client,
        clock,
        fuse,
        memory,
        operator,
        watcher,
        receipts,
        heard,
        byHand,
        round,
        until,
        pendingWork,
        home,
      },
      facts: () => watcher.now().watcher.core.facts,
      alerts: () => watcher.now().watcher.core.alarm.page(0, 1_000),

      /** Both run, and L1 mines when a round says so. */
      async open(): Promise<void> {
        await client.setAutomine(false)
        isInstant.now = false
        await until('the operator takes payments', () => operator.now().status().problems.length === 0)
      },

      /** Rounds until nobody has anything left to do. */
      rest: () => until('everybody at rest', () => pendingWork().length === 0),

      /** Handed in until all is accepted, also by an operator that died meanwhile or has just risen; positions, in order. */
      async pay(...signed: readonly SignedTransaction[]): Promise<number[]> {
        for (let tries = 0; tries < PATIENCE_ROUNDS; tries++) {
          const results = await operator.act(({ url }) => createClient({ url }).submit(signed))
          const positions = results.flatMap((result) => {
            if (result.status === 'accepted') return [result.position]
            if (result.error.retryable) return []
            throw new Error(`got ${JSON.stringify(result)}, want it accepted`)
          })
          const given = results.flatMap((result) => (result.status === 'accepted' && result.receipt) || [])
          receipts.push(...given)
          for (const receipt of given)
            await watcher.act(async ({ watcher: { core } }) => void core.receipts.add(receipt))
          if (positions.length === signed.length) return positions
          await round()
        }
        throw new Error('the operator takes no payments')
      },

      /** Replaces the newest L1 blocks by empty ones: what was in them never happened. */
      async reorg(depth: number): Promise<void> {
        await l1.request('anvil_reorg', [depth, [], { requeue: false }])
      },

      /** Past this L1 second, with more blocks than an anchor may be old. */
      async passTo(timestamp: number): Promise<void> {
        clock.ms = Math.max(clock.ms, (timestamp + 1) * 1_000)
        await client.mine({ blocks: chain.parameters.anchorAgeBlocks + 1 })
        clock.ms = Math.max(clock.ms, Number((await client.getBlock()).timestamp) * 1_000)
        await round()
      },

      /** Blocks that no program made. */
      serve: ({ number, header, transactions }: ChildBlock) => {
        const { anchor } = header
        served.set(number, encodeBody({ block: number, anchor, transactions }))
      },
      shut: (shut: boolean) => {
        isShut = shut
      },

      async close(): Promise<void> {
        await operator.retire()
        await watcher.retire()
        await client.setAutomine(true)
        rmSync(home, { recursive: true, force: true })
      },
    }
  }

  return {
    chain,
    run,
    async close() {
      await pool.close()
      await l1.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The deployment file's content for contracts that were put there by hand. */
async function describe(chain: Awaited<ReturnType<typeof deployRootChain>>): Promise<Deployment> {
  const { client, root, surety, evidence, disputes, massExits, entries, parameters, chainId } = chain
  const contractAt = async (address: Address) => {
    const code = ((await client.getCode({ address })) ?? '0x').toLowerCase()
    return { address, transactionHash: ZERO_HASH, codeHash: keccak256Hex(hexToBytes(code)), compilerHash: ZERO_HASH }
  }
  const { number, hash } = await client.getBlock({ blockNumber: 1n })
  const contracts = { root, surety, evidence, disputes, massExits, entries }
  const described = await Promise.all(
    Object.entries(contracts).map(async ([name, address]) => [name, await contractAt(address)] as const),
  )
  return {
    version: 1,
    chainId,
    contracts: Object.fromEntries(described),
    parameters: { ...parameters },
    startBlock: { number: Number(number), hash: hash as Hash },
  }
}

function keyOf(actor: Actor): Uint8Array {
  return actor.account.getHdKey().privateKey as Uint8Array
}

/** The dead say nothing: what breaks in them after their end is no fault of theirs. */
function logOf(log: Log, life: Life): Log {
  const unlessDead =
    (say: Log['info']): Log['info'] =>
    (event, fields) => {
      if (!life.isDead()) say(event, fields)
    }
  return {
    debug: unlessDead(log.debug),
    info: unlessDead(log.info),
    warn: unlessDead(log.warn),
    error: unlessDead(log.error),
    child: (fields) => logOf(log.child(fields), life),
  }
}

function openRows(lives: readonly Life[], name: string): string[] {
  return lives.flatMap(({ directory }) => {
    const db = new Sqlite(join(directory, name), { readonly: true })
    try {
      return listRows(db, 'open').map(({ intent, status }) => `${name}: ${intent.key} is ${status}`)
    } finally {
      db.close()
    }
  })
}

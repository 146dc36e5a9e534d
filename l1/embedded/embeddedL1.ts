/**
 * The embedded L1 (docs/spec.md, "L1", the embedded L1): an Ethereum development network in this process, Prague rules, behind an
 * ordinary JSON-RPC door. For devnets, tests and drills; it has no peers and no consensus, and whoever reaches its port rules it.
 */
import { RLP } from '@ethereumjs/rlp'
import { type Address, bytesToHex, type Hash, hexToBytes, parseAddress, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { configError, isLifeboatError } from '../../protocol/errors.ts'
import { Chain, type EvmHeader, recordHeader } from './chain.ts'
import { ChainTime } from './chainTime.ts'
import { type DevAccount, deriveDevAccount } from './crypto.ts'
import { devMethods } from './devMethods.ts'
import { createDispatcher } from './dispatch.ts'
import { openDoor } from './door.ts'
import { refused } from './errors.ts'
import { Feeds } from './feeds.ts'
import { Mempool } from './mempool.ts'
import { standardMethods } from './methods.ts'
import { Miner, type MiningMode, type Schedule, type Warn } from './mining.ts'
import { NodeDb } from './nodeDb.ts'
import { checkLinks, corruptFile, openFileStore } from './persistence.ts'
import { type BlockRecord, headerToRpc } from './records.ts'
import { createRules, GENESIS_CONTRACTS } from './rules.ts'
import { createMachine, createStateReader } from './state.ts'
import { type BlockStore, createMemoryStore } from './store.ts'
import { createTimeline } from './timeline.ts'
import { View } from './view.ts'

export interface EmbeddedL1Options {
  /** Default 31337. */
  readonly chainId?: number
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Wei at genesis. */
  readonly accounts?: Readonly<Record<string, bigint>>
  /** Accounts whose keys the node holds, derived from `seed`; `balanceWei` each, default 10,000 ether. */
  readonly devAccounts?: { readonly seed: string; readonly count: number; readonly balanceWei?: bigint }
  /** Default 'instant'. */
  readonly mining?: MiningMode
  /** Seconds; default the clock's time at creation. */
  readonly genesisTimestamp?: number
  /** Milliseconds, default Date.now. */
  readonly clock?: () => number
  /** Timer of interval mining, default setTimeout. */
  readonly schedule?: Schedule
  /** `safe` and `finalized` are this many blocks behind the head; default 64. */
  readonly finalityDepth?: number
  /** SQLite file that the chain survives a restart in; default none. Waiting transactions and snapshots are not kept. */
  readonly dataFile?: string
  /** Gas per block, default 60,000,000. */
  readonly blockGasLimit?: number
  /** EIP-7825's cap on one transaction's gas (16,777,216 from Osaka on); default none. */
  readonly transactionGasCap?: number
  /** Wei per gas in the genesis block, default 1 gwei. */
  readonly initialBaseFeeWei?: bigint
  /** The base fee never falls below this, default 0. Above 0 departs from EIP-1559. */
  readonly baseFeeFloorWei?: bigint
  /** Tip that fee methods suggest, default 1 gwei. */
  readonly suggestedTipWei?: bigint
  /** Receives tips; default the zero address. */
  readonly coinbase?: string
  /** Blocks one log query may span, default 10,000. */
  readonly maxLogRange?: number
  /** Logs one query may return, default 10,000. */
  readonly maxLogResults?: number
  /** Bytes of one request, default 5 MiB. */
  readonly maxBodyBytes?: number
  /** Web origin allowed to call from a browser, default '*'. */
  readonly allowOrigin?: string
  /** Told what an operator should know; default nobody. */
  readonly warn?: Warn
}

export interface EmbeddedL1 {
  readonly url: string
  readonly wsUrl: string
  readonly chainId: number
  readonly devAccounts: readonly DevAccount[]
  /** Any method of the door, in process. Rejects with RpcError (numeric `code`, `data`). No subscriptions. */
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  /** As `mining` at the start; intervals below a second too. */
  setMining(mode: MiningMode): void
  /** Finishes the work in hand, closes every connection and the file. Twice is once. */
  close(): Promise<void>
}

type Settings = ReturnType<typeof parseOptions>

const GWEI = 10n ** 9n
const CLIENT_VERSION = 'lifeboat-embedded-l1/1'
/** Newest blocks whose links are checked when a file is opened; the file's structure is checked whole. */
const LINKS_CHECKED = 1000

/**
 * Starts a network. Throws config errors: L1_OPTIONS_INVALID (all problems at once), PORT_BUSY and its kin, L1_DATA_* where a data
 * file can't be used, L1_DATA_CHAIN_MISMATCH and L1_DATA_GENESIS_MISMATCH where it belongs to other options.
 */
export async function createEmbeddedL1(options: EmbeddedL1Options = {}): Promise<EmbeddedL1> {
  const settings = parseOptions(options)
  const file = settings.dataFile === undefined ? undefined : openFileStore(settings.dataFile)
  const store = file ?? createMemoryStore()
  try {
    return await start(settings, store, new NodeDb(file))
  } catch (error) {
    store.close()
    throw error
  }
}

async function start(settings: Settings, store: BlockStore, nodes: NodeDb): Promise<EmbeddedL1> {
  const { chainId, clock, warn, blockGasLimit } = settings
  const rules = createRules(chainId)
  const chain = await Chain.create({
    rules,
    store,
    nodes,
    createMachine: (hashAt) => createMachine(rules, nodes, hashAt),
  })
  await openChain(chain, settings)

  const reader = createStateReader(() => createMachine(rules, nodes, (number) => chain.hashAt(number)))
  const time = new ChainTime(clock, Number(store.setting('offset_seconds') ?? 0), (offset) => {
    if (store.setting('offset_seconds') !== String(offset)) store.setSetting('offset_seconds', String(offset))
  })
  const gasCap = settings.transactionGasCap ?? blockGasLimit
  const pool = new Mempool({ rules, chainId, blockGasLimit, transactionGasCap: settings.transactionGasCap })
  const miner = new Miner({
    chain,
    pool,
    reader,
    time,
    mode: settings.mining,
    gasLimit: blockGasLimit,
    coinbase: settings.coinbase,
    baseFeeFloor: settings.baseFeeFloorWei,
    schedule: settings.schedule,
    warn,
  })
  const view = new View({ chain, pool, miner, reader, finalityDepth: settings.finalityDepth, limits: settings.limits })
  const feeds = new Feeds(view, clock)
  const timeline = createTimeline({ chain, pool, miner, time })
  const { devAccounts, suggestedTipWei: suggestedTip } = settings
  const dispatcher = createDispatcher(
    {
      ...standardMethods({ view, feeds, chainId, clientVersion: CLIENT_VERSION, devAccounts, gasCap, suggestedTip }),
      ...devMethods({ view, time, timeline }),
    },
    warn,
  )

  try {
    const door = await openDoor(dispatcher, feeds, settings.door)
    let closing: Promise<void> | undefined
    async function close(): Promise<void> {
      miner.stop()
      await door.close()
      await miner.queue.idle()
      await reader.idle()
      store.close()
    }
    return {
      url: door.url,
      wsUrl: door.wsUrl,
      chainId,
      devAccounts,
      async request(method, params = []) {
        if (closing !== undefined) throw refused('the embedded L1 is closed')
        return dispatcher.call(method, params, { push: undefined, subscriptions: new Set() })
      },
      setMining: (mode) => miner.setMode(mode),
      close() {
        closing ??= close()
        return closing
      },
    }
  } catch (error) {
    miner.stop()
    throw error
  }
}

/** Makes the genesis block, or takes up the chain that the file holds, and stands on its head. */
async function openChain(chain: Chain, settings: Settings): Promise<void> {
  const { store } = chain
  const storedChainId = store.setting('chain_id')
  if (storedChainId !== undefined && storedChainId !== String(settings.chainId)) {
    throw configError(
      'L1_DATA_CHAIN_MISMATCH',
      `${settings.dataFile} holds another chain; name another file or chain id`,
      {
        got: settings.chainId,
        want: Number(storedChainId),
      },
    )
  }
  const stateRoot = await chain.genesisState(settings.balances, GENESIS_CONTRACTS)
  if (store.head() < 0) {
    store.setSetting('chain_id', String(settings.chainId))
    await chain.switchTo(-1, [genesisRecord(chain, settings, stateRoot)])
    return
  }
  await takeUp(chain, settings.dataFile ?? '', stateRoot)
}

async function takeUp(chain: Chain, file: string, genesisRoot: Hash): Promise<void> {
  const { store } = chain
  const hashOf = (record: BlockRecord) => bytesToHex(chain.evmBlock(recordHeader(record)).header.hash())
  checkLinks(file, store, hashOf, Math.max(0, store.head() - LINKS_CHECKED))
  const stored = chain.block(0).header.stateRoot
  if (stored !== genesisRoot) {
    throw configError(
      'L1_DATA_GENESIS_MISMATCH',
      `${file} was started with other accounts or balances; use those again, or name another file`,
      { got: genesisRoot, want: stored },
    )
  }
  try {
    await chain.standOn(chain.head())
  } catch (error) {
    if (isLifeboatError(error)) throw error
    throw corruptFile(file, 'the newest state is missing', error)
  }
}

function genesisRecord(chain: Chain, settings: Settings, stateRoot: Hash): BlockRecord {
  const header: EvmHeader = {
    number: 0,
    stateRoot: hexToBytes(stateRoot),
    timestamp: settings.genesisTimestamp,
    gasLimit: settings.blockGasLimit,
    baseFeePerGas: settings.initialBaseFeeWei,
  }
  const sealed = chain.evmBlock(header).header
  const rpc = headerToRpc(sealed, RLP.encode([sealed.raw(), [], [], []]).length)
  return { number: 0, hash: rpc.hash, header: rpc, transactions: [], receipts: [] }
}

function parseOptions(options: EmbeddedL1Options) {
  const problems: string[] = []
  const integer = (name: keyof EmbeddedL1Options, fallback: number, least: number, most: number): number => {
    const value = (options[name] as number | undefined) ?? fallback
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      problems.push(`${name}: got ${value}, want an integer from ${least} to ${most}`)
    }
    return value
  }
  const wei = (name: keyof EmbeddedL1Options, fallback: bigint): bigint => {
    const value = (options[name] as bigint | undefined) ?? fallback
    if (value < 0n || value >= 2n ** 128n) problems.push(`${name}: got ${value}, want 0 to 2^128 - 1 wei`)
    return value
  }
  const clock = options.clock ?? Date.now
  const mining = options.mining ?? 'instant'
  if (typeof mining === 'object' && !(mining.intervalSeconds > 0 && mining.intervalSeconds <= 86_400)) {
    problems.push(`mining.intervalSeconds: got ${mining.intervalSeconds}, want more than 0 and at most 86400`)
  }
  const devAccounts = parseDevAccounts(options.devAccounts, problems)
  const settings = {
    chainId: integer('chainId', 31337, 1, Number.MAX_SAFE_INTEGER),
    devAccounts,
    balances: parseBalances(options, devAccounts, problems),
    mining,
    genesisTimestamp: integer('genesisTimestamp', Math.floor(clock() / 1000), 0, 2 ** 40),
    clock,
    schedule: options.schedule ?? scheduleTimeout,
    finalityDepth: integer('finalityDepth', 64, 0, 1_000_000),
    dataFile: options.dataFile,
    blockGasLimit: BigInt(integer('blockGasLimit', 60_000_000, 100_000, 10_000_000_000)),
    transactionGasCap:
      options.transactionGasCap === undefined
        ? undefined
        : BigInt(integer('transactionGasCap', 0, 21_000, 10_000_000_000)),
    initialBaseFeeWei: wei('initialBaseFeeWei', GWEI),
    baseFeeFloorWei: wei('baseFeeFloorWei', 0n),
    suggestedTipWei: wei('suggestedTipWei', GWEI),
    coinbase: parseCoinbase(options.coinbase ?? ZERO_ADDRESS, problems),
    limits: {
      logRange: integer('maxLogRange', 10_000, 1, 10_000_000),
      logResults: integer('maxLogResults', 10_000, 1, 10_000_000),
    },
    door: {
      host: options.host ?? '127.0.0.1',
      port: integer('port', 0, 0, 65_535),
      allowOrigin: options.allowOrigin ?? '*',
      maxBodyBytes: integer('maxBodyBytes', 5 * 1024 * 1024, 1024, 1024 ** 3),
    },
    warn: options.warn ?? (() => undefined),
  }
  if (problems.length > 0) {
    throw configError('L1_OPTIONS_INVALID', `the embedded L1 can't start with these options: ${problems.join('; ')}`, {
      problems,
    })
  }
  return settings
}

function parseDevAccounts(options: EmbeddedL1Options['devAccounts'], problems: string[]): readonly DevAccount[] {
  if (options === undefined) return []
  if (!Number.isSafeInteger(options.count) || options.count < 0 || options.count > 10_000) {
    problems.push(`devAccounts.count: got ${options.count}, want 0 to 10000`)
    return []
  }
  return Array.from({ length: options.count }, (_, index) => deriveDevAccount(options.seed, index))
}

function parseBalances(
  options: EmbeddedL1Options,
  devAccounts: readonly DevAccount[],
  problems: string[],
): ReadonlyMap<Address, bigint> {
  const each = options.devAccounts?.balanceWei ?? 10_000n * 10n ** 18n
  const balances = new Map<Address, bigint>(devAccounts.map(({ address }) => [address, each]))
  for (const [text, balance] of Object.entries(options.accounts ?? {})) {
    if (balance < 0n || balance >= 2n ** 200n)
      problems.push(`accounts.${text}: got ${balance}, want 0 to 2^200 - 1 wei`)
    try {
      balances.set(parseAddress(text), balance)
    } catch {
      problems.push(`accounts: got ${text}, want an address`)
    }
  }
  return balances
}

function parseCoinbase(text: string, problems: string[]): Address {
  try {
    return parseAddress(text)
  } catch {
    problems.push(`coinbase: got ${text}, want an address`)
    return ZERO_ADDRESS
  }
}

function scheduleTimeout(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs)
  return () => clearTimeout(timer)
}

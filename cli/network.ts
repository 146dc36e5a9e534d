/**
 * A whole network in this process (docs/architecture.md, "Devnet"): embedded L1, deployed contracts, operator, watchers, funded accounts
 * with key files. Everything talks over real sockets. The devnet, the story and the end-to-end tests all start here.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { createClient } from '../api/client.ts'
import { deployRoot } from '../l1/deploy.ts'
import { type Deployment, parseDeployment, printDeployment } from '../l1/deployment.ts'
import { createEmbeddedL1, type EmbeddedL1 } from '../l1/embedded/embeddedL1.ts'
import type { MiningMode } from '../l1/embedded/mining.ts'
import { connectEndpoint, type Endpoint } from '../l1/endpoint.ts'
import { defaultSettings, type OperatorSettings } from '../operator/config.ts'
import { createOperator, type Operator } from '../operator/operator.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import { type Parameters, PRESETS } from '../protocol/parameters.ts'
import { createSilentLog, type Log } from '../service/log.ts'
import { type Account, createAccount } from '../wallet/account.ts'
import { type ConnectedWallet, type ConnectOptions, connectWallet } from '../wallet/connect.ts'
import { importKey, listKeys } from '../wallet/keys.ts'
import { createHttpPeer } from '../watcher/peers.ts'
import { startWatcherProgram, type WatcherProgram, type WatcherProgramOptions } from '../watcher/program.ts'
import type { Watcher } from '../watcher/watcher.ts'

/** The keys of a devnet are the same everywhere and worth nothing. */
const DEV_SEED = 'lifeboat devnet'
export const DEV_PASSWORD = 'devnet'
const DEV_NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'] as const
const ETHER = 10n ** 18n

export type NetworkOptions = Readonly<{
  /** Where everything is kept; a temporary directory, removed at the end, when left out. */
  directory?: string
  /** 0 or left out: any free port. */
  ports?: Readonly<{ l1?: number; operator?: number; watchers?: readonly number[] }>
  /** What the keys are derived from; two networks in one process need two. Default 'lifeboat devnet'. */
  seed?: string
  /** Default 2. */
  watchers?: number
  /** Default 10; named alice, bob, carol, ... and account11, account12, ... */
  accounts?: number
  parameters?: Parameters
  /** Default: a block every slot. */
  mining?: MiningMode
  /** Default 10,000 ether for each account. */
  balanceWei?: bigint
  operator?: Partial<OperatorSettings>
  watcher?: Partial<
    Pick<
      WatcherProgramOptions,
      'policy' | 'limits' | 'pollMs' | 'maxHeadAgeSeconds' | 'protectedAccounts' | 'apiToken' | 'sinks'
    >
  >
  /** Milliseconds between two looks at L1 of all parts; default 500. */
  pollMs?: number
  log?: Log
  report?: (progress: string) => void
}>

export type NetworkAccount = Readonly<{ name: string; account: Account }>

export type Network = Readonly<{
  directory: string
  l1: EmbeddedL1
  /** A connection to the L1 for whoever drives the network. */
  endpoint: Endpoint
  deployment: Deployment
  parameters: Parameters
  operator: Operator
  watchers: readonly Watcher[]
  /** Whose ETH each watcher spends. */
  watcherAccounts: readonly Account[]
  accounts: readonly NetworkAccount[]
  /** The wallet of one account, in the network's own directory unless said otherwise. The caller closes it. */
  connect(account: Account, options?: Partial<ConnectOptions>): Promise<ConnectedWallet>
  /** Moves L1 time, and mines more blocks than an anchor may be old, as whoever jumps in time must. */
  passTime(seconds: number): Promise<void>
  /** Stops everything, last started first. Twice is once. */
  stop(): Promise<void>
}>

/** Ready when it resolves. Throws config errors for busy ports and directories of another network. */
export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  const {
    parameters = PRESETS.devnet,
    watchers = 2,
    pollMs = 500,
    log = createSilentLog(),
    report = () => undefined,
  } = options
  const directory =
    options.directory === undefined ? mkdtempSync(join(tmpdir(), 'lifeboat-net-')) : resolve(options.directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const closers: (() => void | Promise<void>)[] = []
  if (options.directory === undefined) closers.push(() => rmSync(directory, { recursive: true, force: true }))
  try {
    report('starting the embedded L1')
    const count = options.accounts ?? DEV_NAMES.length
    const l1 = await createEmbeddedL1({
      port: options.ports?.l1 ?? 0,
      devAccounts: {
        seed: options.seed ?? DEV_SEED,
        count: 1 + watchers + count,
        balanceWei: options.balanceWei ?? 10_000n * ETHER,
      },
      mining: options.mining ?? { intervalSeconds: parameters.slot },
      finalityDepth: parameters.finalityBlocks,
      ...(options.directory === undefined ? {} : { dataFile: join(directory, 'l1.sqlite') }),
      warn: (message: unknown) => log.warn('l1.warned', { message }),
    })
    closers.push(() => l1.close())
    const endpoint = await connectEndpoint({ url: l1.url, expectedChainId: l1.chainId })
    const keys = l1.devAccounts.map(({ privateKey }) => createAccount(privateKey))
    const [operatorAccount, ...others] = keys as [Account, ...Account[]]
    const watcherAccounts = others.slice(0, watchers)
    const accounts = others.slice(watchers).map((account, i) => ({ name: DEV_NAMES[i] ?? `account${i + 1}`, account }))

    const deployment = await openDeployment({
      directory,
      endpoint,
      operatorAccount,
      parameters,
      pollMs: Math.min(pollMs, 200),
      report,
    })
    report('starting the operator')
    const settings = {
      ...defaultSettings(parameters, operatorAccount.address),
      port: options.ports?.operator ?? 0,
      pollIntervalMs: pollMs,
      clientLimit: { perSecond: 0, burst: 1 },
      ...options.operator,
    }
    const operator = await createOperator({
      deployment,
      endpoint,
      signer: privateKeyToAccount(bytesToHex(operatorAccount.privateKey)),
      receiptKey: operatorAccount.privateKey,
      dataDir: join(directory, 'operator'),
      settings,
      log: log.child({ part: 'operator' }),
    })
    closers.push(() => operator.stop())

    const programs: WatcherProgram[] = []
    for (const [i, account] of watcherAccounts.entries()) {
      report(`starting watcher ${i + 1}`)
      const peers = [operator.url, ...programs.map(({ watcher }) => watcher.url)].map((url) =>
        createHttpPeer({ url, timeoutMs: 10_000 }),
      )
      const program = await startWatcherProgram({
        deployment,
        parameters,
        endpoints: [endpoint],
        peers,
        log: log.child({ part: `watcher${i + 1}` }),
        file: join(directory, `watcher${i + 1}.sqlite`),
        account,
        port: options.ports?.watchers?.[i] ?? 0,
        version: '0.1.0',
        threads: 1,
        pollMs,
        confirmations: 1,
        ...options.watcher,
      })
      programs.push(program)
      closers.push(() => program.stop())
    }
    let stopping: Promise<void> | undefined
    return {
      directory,
      l1,
      endpoint,
      deployment,
      parameters,
      operator,
      watchers: programs.map(({ watcher }) => watcher),
      watcherAccounts,
      accounts,
      connect: (account, more = {}) =>
        connectWallet({
          account,
          deployment,
          endpoint,
          operator: createClient({ url: operator.url }),
          watchers: programs.map(({ watcher }) => createClient({ url: watcher.url })),
          dataDir: join(directory, 'wallets'),
          budgetWei: ETHER,
          pollMs: Math.min(pollMs, 200),
          ...more,
        }),
      passTime: (seconds) => passTime(l1, seconds, parameters.anchorAgeBlocks + 1),
      stop: () => {
        stopping ??= closeAll(closers)
        return stopping
      },
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

/** Key files of the accounts, all with the one password, its file, and the wallet's configuration. Returns the configuration's path. */
export async function writeWalletFiles({ directory, accounts, l1, operator, watchers }: Network): Promise<string> {
  const keystore = join(directory, 'keys')
  const known = new Set((await listKeys(keystore)).map(({ address }) => address))
  for (const { name, account } of accounts) {
    if (!known.has(account.address))
      await importKey(keystore, account.privateKey, DEV_PASSWORD, { strength: 'light', name })
  }
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, `${DEV_PASSWORD}\n`, { mode: 0o600 })
  chmodSync(passwordFile, 0o600)
  const config = {
    dataDir: directory,
    keystore,
    passwordFile,
    deployment: join(directory, 'deployment.json'),
    l1Url: l1.url,
    operatorUrl: operator.url,
    watcherUrls: watchers.map(({ url }) => url),
  }
  const file = join(directory, 'wallet.json')
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`)
  return file
}

/** A burst of blocks may have run ahead of the clock that the L1 adds to: whatever is missing after the jump is added. */
async function passTime(l1: EmbeddedL1, seconds: number, blocks: number): Promise<void> {
  const timestamp = async () => {
    const head = (await l1.request('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
    return Number(head.timestamp)
  }
  const end = (await timestamp()) + seconds
  for (let left = seconds; left > 0; left = end - (await timestamp())) {
    await l1.request('evm_increaseTime', [left])
    await l1.request('anvil_mine', [`0x${blocks.toString(16)}`])
  }
}

type Opening = Readonly<{
  directory: string
  endpoint: Endpoint
  operatorAccount: Account
  parameters: Parameters
  pollMs: number
  report(progress: string): void
}>

/** The directory's deployment, or a new one. */
async function openDeployment({
  directory,
  endpoint,
  operatorAccount,
  parameters,
  pollMs,
  report,
}: Opening): Promise<Deployment> {
  const file = join(directory, 'deployment.json')
  if (existsSync(file)) {
    const found = parseDeployment(readFileSync(file, 'utf8'))
    const differs = Object.entries(parameters).filter(([name, value]) => Number(found.parameters[name]) !== value)
    if (differs.length === 0) return found
    throw configError('NETWORK_OTHER_PARAMETERS', `${directory} holds a network with other periods`, {
      got: Object.fromEntries(differs),
      want: 'the same parameters, or another directory',
    })
  }
  const deployment = await deployRoot({
    endpoint,
    deployerKey: operatorAccount.privateKey,
    operator: operatorAccount.address,
    parameters,
    file: join(directory, 'deployer.sqlite'),
    budgetWei: ETHER,
    timeoutSeconds: 120,
    confirmations: 1,
    pollMs,
    report,
  })
  writeFileSync(file, printDeployment(deployment))
  return deployment
}

async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (let close = closers.pop(); close; close = closers.pop()) await close()
}

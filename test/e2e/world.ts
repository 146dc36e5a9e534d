/**
 * A whole network for one story: L1 (embedded or anvil), contracts, operator, and watchers and wallets as the story asks for them, over
 * real sockets. Everybody is awaited by what they do, with a deadline; L1 time is moved by hand where the periods are long.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import { createClient } from '../../api/client.ts'
import { startNetwork } from '../../cli/network.ts'
import { drawLedger, isBalanced } from '../../cli/storyLedger.ts'
import { markOwnDeployment } from '../../drill/permission.ts'
import { deployRoot } from '../../l1/deploy.ts'
import type { Deployment } from '../../l1/deployment.ts'
import { connectEndpoint, type Endpoint } from '../../l1/endpoint.ts'
import { defaultSettings, type OperatorSettings } from '../../operator/config.ts'
import { createOperator, type Operator } from '../../operator/operator.ts'
import { bytesToHex, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { createMemoryLog, type Log } from '../../service/log.ts'
import { type Account, createAccount } from '../../wallet/account.ts'
import { type ConnectedWallet, connectWallet } from '../../wallet/connect.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { deposit, waitForCredit } from '../../wallet/deposit.ts'
import { keepOwnOutputs, type Paid, pay, waitForStage } from '../../wallet/pay.ts'
import type { AlertCode } from '../../watcher/alerts.ts'
import { createHttpPeer } from '../../watcher/peers.ts'
import { startWatcherProgram, type WatcherProgram, type WatcherProgramOptions } from '../../watcher/program.ts'
import { startAnvil } from '../support/anvil.ts'

export const ETH = ZERO_ADDRESS
export const ETHER = 10n ** 18n
const WAIT_MS = 120_000
const LOOK_MS = 50
const NAMES = ['alice', 'bob', 'carol', 'mallory', 'first', 'second'] as const
type Name = (typeof NAMES)[number]

export type L1Kind = 'embedded' | 'anvil'

/** Both, or what LIFEBOAT_E2E_L1 says. */
export function l1Kinds(): L1Kind[] {
  const wanted = process.env['LIFEBOAT_E2E_L1']
  return wanted === 'embedded' || wanted === 'anvil' ? [wanted] : ['embedded', 'anvil']
}

export type WorldOptions = Readonly<{
  l1?: L1Kind
  parameters?: Parameters
  operator?: Partial<OperatorSettings>
  /** Seconds between two blocks of the embedded L1; below a slot, L1 time runs faster than the clock. */
  l1BlockSeconds?: number
  /** Events that may be logged as errors: stories that break our own state. */
  expectedErrors?: readonly string[]
}>

export type WatcherOptions = Partial<WatcherProgramOptions> & Readonly<{ peers?: WatcherProgramOptions['peers'] }>

export type RunningWatcher = WatcherProgram &
  Readonly<{
    account: Account
    /** Stops it as a crash would look from outside, and starts it again on its file. */
    restart(): Promise<RunningWatcher>
    codes(): AlertCode[]
    alertsOf(code: AlertCode): readonly Readonly<Record<string, unknown>>[]
  }>

export type World = Awaited<ReturnType<typeof createWorld>>

type Base = Readonly<{
  url: string
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  endpoint: Endpoint
  deployment: Deployment
  operator: Operator
  operatorAccount: Account
  accounts: readonly Account[]
}>

export async function createWorld(options: WorldOptions = {}) {
  const { l1: kind = 'embedded', parameters = PRESETS.devnet } = options
  const memory = createMemoryLog()
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-e2e-'))
  const closers: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  const start = kind === 'embedded' ? startEmbedded : startOnAnvil
  const closeAll = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  const settings = options.operator ?? {}
  const blockSeconds = options.l1BlockSeconds ?? parameters.slot
  const base = await start({ directory, parameters, settings, blockSeconds, log: memory.log, closers }).catch(
    async (error: unknown) => {
      await closeAll()
      throw plainError(error)
    },
  )
  const { endpoint, deployment, operator, accounts } = base
  markOwnDeployment(deployment)
  const accountOf = (name: Name) => accounts[NAMES.indexOf(name)] as Account
  const wallets = new Map<Name, ConnectedWallet>()
  const watchers = new Map<Name, RunningWatcher>()
  const ends: (() => unknown)[] = []

  async function wallet(name: Name): Promise<WalletContext> {
    const open = wallets.get(name)
    if (open) return open.wallet
    const connected = await connectWallet({
      account: accountOf(name),
      deployment,
      endpoint,
      operator: createClient({ url: operator.url }),
      watchers: [...watchers.values()].map(({ watcher }) => createClient({ url: watcher.url })),
      dataDir: join(directory, `wallet-${name}`),
      budgetWei: ETHER,
      pollMs: 100,
    })
    wallets.set(name, connected)
    return connected.wallet
  }

  /** A wallet on new terms: it forgets who served it before, and with `emptied` what it had saved. */
  async function reconnect(name: Name): Promise<WalletContext> {
    await wallets.get(name)?.close()
    wallets.delete(name)
    return wallet(name)
  }

  async function startWatcher(name: 'first' | 'second', more: WatcherOptions = {}): Promise<RunningWatcher> {
    const account = accountOf(name)
    const others = [...watchers.entries()].filter(([other]) => other !== name)
    const urls = [operator.url, ...others.map(([, { watcher }]) => watcher.url)]
    const program = await startWatcherProgram({
      deployment,
      parameters,
      endpoints: [endpoint],
      peers: urls.map((url) => createHttpPeer({ url, timeoutMs: 3_000 })),
      log: memory.log.child({ part: name }),
      file: join(directory, `${name}.sqlite`),
      account,
      port: 0,
      version: 'test',
      threads: 1,
      pollMs: 100,
      confirmations: 1,
      ...more,
      // Stories are of single exits unless they give a bond to spend: a watcher with one takes everybody out together.
      policy: { batchBondBudgetWei: 0n, ...more.policy },
    })
    let stopping: Promise<void> | undefined
    const running: RunningWatcher = {
      watcher: program.watcher,
      account,
      stop: () => {
        stopping ??= program.stop()
        return stopping
      },
      restart: async () => {
        await running.stop()
        return startWatcher(name, more)
      },
      codes: () => program.watcher.core.alarm.page(0, 1_000).map(({ code }) => code),
      alertsOf: (code) =>
        program.watcher.core.alarm
          .page(0, 1_000)
          .filter((alert) => alert.code === code)
          .map(({ details }) => details),
    }
    watchers.set(name, running)
    return running
  }

  async function l1Now(): Promise<{ number: number; timestamp: number }> {
    const block = (await base.request('eth_getBlockByNumber', ['latest', false])) as Record<string, string>
    return { number: Number(block['number']), timestamp: Number(block['timestamp']) }
  }

  /** Moves L1 time, and mines more blocks than an anchor may be old. */
  async function jump(seconds: number): Promise<void> {
    await base.request('evm_increaseTime', [seconds])
    await base.request('anvil_mine', [`0x${(parameters.anchorAgeBlocks + 1).toString(16)}`])
    // What the operator takes before it sees the jump it promises on an anchor that is too old. The first look may have begun before.
    for (let looks = 0; looks < 2 && !isOperatorStopped; looks++) await base.operator.tick()
  }

  /** Past this L1 second. L1's head may run ahead of the clock that a jump starts from, and a jump end too early. */
  async function passTo(timestamp: number): Promise<void> {
    for (;;) {
      const left = timestamp + 1 - (await l1Now()).timestamp
      if (left <= 0) return
      await jump(left)
    }
  }

  let isOperatorStopped = false
  const watchedOperator: Operator = {
    ...base.operator,
    stop: () => {
      isOperatorStopped = true
      return base.operator.stop()
    },
  }

  return {
    ...base,
    operator: watchedOperator,
    parameters,
    directory,
    memory,
    accountOf,
    wallet,
    reconnect,
    startWatcher,
    l1Now,
    passTo,
    passTime: async (seconds: number) => passTo((await l1Now()).timestamp + seconds - 1),

    peerOf: (url: string) => createHttpPeer({ url, timeoutMs: 3_000 }),

    etherOf: async (account: Account): Promise<bigint> =>
      BigInt((await base.request('eth_getBalance', [account.address, 'latest'])) as string),

    /** Deposits and waits until it can be spent. */
    async fund(name: Name, amount: bigint): Promise<number> {
      const owner = await wallet(name)
      const made = await deposit(owner, { token: ETH, amount, key: `${name} ${wallets.size} ${await salt()}` })
      await base.request('anvil_mine', [`0x${parameters.finalityBlocks.toString(16)}`])
      await waitForCredit(owner, made.position, WAIT_MS)
      return made.position
    },

    /** Pays and waits until the block is on L1; the payer keeps the proofs of the change. */
    async pay(from: Name, to: Name, amount: bigint): Promise<Paid> {
      const payer = await wallet(from)
      const paid = await pay(payer, { to: accountOf(to).address, token: ETH, amount })
      await waitForStage(payer, paid.txHash, 'committed', WAIT_MS)
      await keepOwnOutputs(payer, paid)
      return paid
    },

    /** Deposits less payouts are the child chain of everyone who keeps it, and L1 holds exactly that and what is aside. */
    async assertBalanced(keepers: readonly string[]): Promise<void> {
      const [ledger] = await drawLedger({
        root: (await wallet('carol')).root,
        endpoint,
        keepers: keepers.map((url) => createClient({ url })),
        owners: accounts.map(({ address }) => address),
        tokens: [{ symbol: 'ETH', address: ETH }],
      })
      if (!ledger || !isBalanced(ledger))
        throw new Error(`the ledger is off: ${JSON.stringify(ledger, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
    },

    /** Runs when the world ends, before its parts are stopped. */
    atEnd: (close: () => unknown): void => void ends.push(close),

    /** The newest lines of all parts, for when a story fails. */
    story: (): string =>
      memory.lines
        .filter(({ level }) => level !== 'debug')
        .slice(-40)
        .map((line) => JSON.stringify(line).slice(0, 400))
        .join('\n'),

    async stop(): Promise<void> {
      for (const end of ends) await end()
      for (const { close } of wallets.values()) await close()
      for (const { stop } of [...watchers.values()].reverse()) await stop()
      await closeAll()
    },
  }

  async function salt(): Promise<number> {
    return (await l1Now()).number
  }
}

/** Waits for what should come to be. Throws with what was last seen. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs: number = WAIT_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end)
      throw new Error(`got nothing for ${timeoutMs / 1000} s, want ${typeof what === 'string' ? what : what()}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** A story in a world of its own. uvu can't print errors with details, so they are told as text. */
export function inWorld(options: WorldOptions, story: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const world = await createWorld(options)
    try {
      await story(world)
      const errors = world.memory.lines.filter(
        ({ level, event }) => level === 'error' && !options.expectedErrors?.includes(String(event)),
      )
      assert.equal(errors, [], 'nobody logs an error: those are our own faults')
    } catch (error) {
      throw plainError(error, `\n\nlast lines of the log:\n${world.story()}`)
    } finally {
      await world.stop()
    }
  }
}

/** As text, with what was compared: uvu can't print errors with details, and would count them as passed. */
export function plainError(error: unknown, more = ''): Error {
  const compared =
    error instanceof assert.Assertion ? `\ngot ${inspect(error.actual)}\nwant ${inspect(error.expects)}` : ''
  return new Error(`${error instanceof Error ? error.stack : String(error)}${compared}${more}`)
}

type Start = Readonly<{
  directory: string
  parameters: Parameters
  settings: Partial<OperatorSettings>
  blockSeconds: number
  log: Log
  closers: (() => unknown)[]
}>

async function startEmbedded({ directory, parameters, settings, blockSeconds, log, closers }: Start): Promise<Base> {
  const network = await startNetwork({
    directory: join(directory, 'net'),
    seed: directory,
    watchers: 0,
    accounts: NAMES.length,
    parameters,
    mining: { intervalSeconds: blockSeconds },
    pollMs: 100,
    operator: { blockIntervalSeconds: 1, ...settings },
    log,
  })
  closers.push(() => network.stop())
  const { l1, endpoint, deployment, operator, accounts } = network
  return {
    url: l1.url,
    request: l1.request,
    endpoint,
    deployment,
    operator,
    operatorAccount: createAccount(privateKeyOf(l1.devAccounts[0])),
    accounts: accounts.map(({ account }) => account),
  }
}

function privateKeyOf(account: Readonly<{ privateKey: Uint8Array }> | undefined): Uint8Array {
  if (!account) throw new Error('no such account')
  return account.privateKey
}

const MNEMONIC = 'test test test test test test test test test test test junk'

async function startOnAnvil({ directory, parameters, settings, blockSeconds, log, closers }: Start): Promise<Base> {
  const anvil = await startAnvil(['--block-time', `${blockSeconds}`])
  closers.push(() => anvil.stop())
  const endpoint = await connectEndpoint({ url: anvil.url, expectedChainId: 31_337 })
  const [operatorAccount, ...accounts] = Array.from({ length: 1 + NAMES.length }, (_, addressIndex) =>
    createAccount(mnemonicToAccount(MNEMONIC, { addressIndex }).getHdKey().privateKey as Uint8Array),
  ) as [Account, ...Account[]]
  const deployment = await deployRoot({
    endpoint,
    deployerKey: operatorAccount.privateKey,
    operator: operatorAccount.address,
    parameters,
    file: join(directory, 'deployer.sqlite'),
    budgetWei: ETHER,
    timeoutSeconds: 60,
    confirmations: 1,
    pollMs: 100,
    report: () => undefined,
  })
  const operator = await createOperator({
    deployment,
    endpoint,
    signer: privateKeyToAccount(bytesToHex(operatorAccount.privateKey)),
    dataDir: join(directory, 'operator'),
    settings: {
      ...defaultSettings(parameters, operatorAccount.address),
      port: 0,
      pollIntervalMs: 100,
      clientLimit: { perSecond: 0, burst: 1 },
      blockIntervalSeconds: 1,
      ...settings,
    },
    log: log.child({ part: 'operator' }),
  })
  closers.push(() => operator.stop())
  return { url: anvil.url, request: requestOf(anvil.url), endpoint, deployment, operator, operatorAccount, accounts }
}

function requestOf(url: string): Base['request'] {
  return async (method, params = []) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } }
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
}

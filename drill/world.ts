/**
 * The world of one drill: an L1, real contracts, operator, two watchers, owners with wallets of whom some are offline, a thief, and somebody
 * who helps. Over real sockets, each part as it always runs. Time is moved where the L1 allows it, and waited for where it does not.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { createClient } from '../api/client.ts'
import { deployRoot } from '../l1/deploy.ts'
import type { Deployment } from '../l1/deployment.ts'
import { defaultSettings } from '../operator/config.ts'
import { createOperator, type Operator } from '../operator/operator.ts'
import { type Address, bytesToHex, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { domainSeparator } from '../protocol/eip712.ts'
import type { Mandate } from '../protocol/mandate.ts'
import { type Parameters, PRESETS } from '../protocol/parameters.ts'
import { createMemoryLog, type MemoryLog } from '../service/log.ts'
import type { Account } from '../wallet/account.ts'
import { type ConnectedWallet, connectWallet } from '../wallet/connect.ts'
import type { WalletContext } from '../wallet/context.ts'
import { createHttpPeer, type Peer } from '../watcher/peers.ts'
import { defaultLimits } from '../watcher/safety.ts'
import { type Actor, type Care, type Owner, type Person, planOwners } from './actors.ts'
import { createChainLog } from './chainLog.ts'
import { deployDemoToken } from './demoToken.ts'
import { createHostile, type Hostile } from './faults/operator.ts'
import { type DrillL1, openL1 } from './l1.ts'
import { markOwnDeployment } from './permission.ts'
import { createRandom, type Random } from './random.ts'
import type { Finding, Moment, Role } from './record.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'
import { createTravel, type Travel } from './travel.ts'
import { WAIT_MS } from './until.ts'
import { type DrillWatcher, startDrillWatcher } from './watchers.ts'

/** Periods with room where time can be moved: drills jump to what they wait for, and a slow machine is late for nothing. */
export const DRILL_PARAMETERS: Parameters = {
  ...PRESETS.devnet,
  minExitPeriod: 960,
  dataChallengePeriod: 120,
  dataResponsePeriod: 120,
  anchorAgeBlocks: 60,
  abandonPeriod: 3_840,
}

const ETHER = 10n ** 18n
/** Where ETH has to be begged for, amounts are small. */
const SMALL_UNIT = 10n ** 14n
const REAL_WAIT_MS = 3_600_000
/** L1 blocks four times a second, one second of L1 time each. */
const BLOCK_SECONDS = 0.25
const STAGGER_SECONDS = 4
/**
 * Where gas is for real: what each person gets, and whoever deploys beside the operator's bond. A watcher keeps 0.03 ETH back for challenges;
 * the gas, at the price of the start, is for calls, bonds of exits, and demands of data. Most of it comes back.
 */
const REAL_PURSE_WEI = 35n * 10n ** 15n
const REAL_PURSE_GAS = 20_000_000n
const REAL_DEPLOY_GAS = 60_000_000n

export type WorldOptions = Readonly<{
  seed: number
  owners: number
  url?: string
  funder?: Account
  parameters?: Partial<Parameters>
  coordinators?: 0 | Scenario['coordinators']
  cares?: readonly Care[]
  /** How many times as fast as the machine's clock the L1's time runs; every program's clock goes along. Default 1. */
  pace?: number
  report(line: string): void
}>

export type World = Travel &
  Readonly<{
    seed: number
    random: Random
    l1: DrillL1
    deployment: Deployment
    parameters: Parameters
    separator: Uint8Array
    /** What every owner began with on L1, wei. */
    purseWei: bigint
    /** Smallest round amount in use: an ether, where ether is free. */
    unit: bigint
    directory: string
    memory: MemoryLog
    recorder: Recorder
    timeoutMs: number
    operator: Operator
    /** Until its program is stopped, or taken over. */
    operatorRuns(): boolean
    operatorAccount: Account
    hostile: Hostile
    /** Where the hostile operator serves each watcher. */
    doors: readonly [Peer, Peer]
    owners: readonly Owner[]
    thief: Person
    helper: Person
    /** That the owners hold beside ether. */
    token: Address
    /** What coordinators take ether and the token for: wei per 10^18 of the smallest units. */
    priceWei: ReadonlyMap<Address, bigint>
    operatorPerson: Person
    watchers: readonly [DrillWatcher, DrillWatcher]
    actors(): readonly Actor[]
    /** Somebody else takes part, with ETH on L1. */
    invite(name: string, role: Role, honest: boolean): Promise<Person>
    /** A role turns: for operators whose deeds are the drill. */
    turnHostile(person: Person): void
    wallet(person: Person): Promise<WalletContext>
    /** A wallet on new terms: it forgets who served it before. */
    reconnect(person: Person): Promise<WalletContext>
    now(): Promise<Moment>
    fault(actor: string, text: string): void
    note(actor: string, text: string): void
    /** Says how an invariant fared, where a scenario knows more than the books. */
    find(invariant: string, held: boolean, detail: string): void
    findings(): readonly Finding[]
    /** Signed by somebody honest, for whoever it names. */
    addMandate(mandate: Mandate): void
    mandates(): readonly Mandate[]
    /** A token whose books are drawn too. */
    addToken(token: Readonly<{ address: Address; symbol: string }>): void
    moreTokens(): readonly Readonly<{ address: Address; symbol: string }>[]
    atEnd(close: () => unknown): void
    stop(): Promise<void>
    stage: Readonly<{ url: string; deployment: Deployment; atEnd(close: () => unknown): void }>
  }>

/** Everybody runs, and nothing has happened yet. Throws what opening the L1, deploying and starting throw. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const closers: (() => unknown)[] = []
  const stop = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  try {
    return await build(options, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(
  { seed, owners: count, url, funder, parameters: more, coordinators = 0, cares, pace = 1, report }: WorldOptions,
  closers: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<World> {
  const memory = createMemoryLog()
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-drill-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  const wanted = { ...DRILL_PARAMETERS, ...more }
  const l1 = await openL1({
    seed,
    parameters: wanted,
    blockSeconds: BLOCK_SECONDS,
    ...(url === undefined ? {} : { url }),
    ...(funder ? { funder } : {}),
  })
  closers.push(() => l1.close())
  const { canTravel } = l1
  const [began, l1Began] = [Date.now(), (await l1.head()).time * 1000]
  const now = pace === 1 ? Date.now : () => l1Began + (Date.now() - began) * pace
  const parameters = canTravel ? wanted : PRESETS.testnet
  const timeoutMs = canTravel ? WAIT_MS : REAL_WAIT_MS
  const pollMs = canTravel ? 100 : Math.ceil(2_000 / Math.min(pace, 10))

  const personOf = (name: string, role: Role, honest: boolean): Person => {
    const account = l1.keyOf(name)
    return { name, role, honest, online: true, account, address: account.address }
  }
  const deployer = personOf('deployer', 'deployer', true)
  let operatorPerson = personOf('operator', 'operator', true)
  const owners = planOwners(count, l1.keyOf, cares)
  const thief = personOf('mallory', 'thief', false)
  const helper = personOf('carol', 'bystander', true)
  const watcherPeople = [personOf('watcher-1', 'watcher', true), personOf('watcher-2', 'watcher', true)] as const
  const others: Person[] = [...owners, thief, helper, ...watcherPeople]
  const actors = (): readonly Person[] => [deployer, operatorPerson, ...others]

  report('funding the keys of the drill')
  closers.push(() => l1.sweep(actors().map(({ account }) => account)))
  const gasPriceWei = canTravel ? 0n : BigInt((await l1.request('eth_gasPrice')) as string)
  const purse = canTravel ? 10_000n * ETHER : REAL_PURSE_WEI + REAL_PURSE_GAS * gasPriceWei
  const bondWei = BigInt(parameters.operatorBondGwei) * 10n ** 9n
  const grants = new Map(actors().map(({ address }) => [address, purse]))
  await l1.fund(grants.set(deployer.address, canTravel ? purse : REAL_DEPLOY_GAS * gasPriceWei + bondWei))

  const contracts: Address[] = []
  const start = await l1.head()
  const log = createChainLog(l1, {
    contracts: () => contracts,
    isActor: (address) => actors().some((one) => one.address === address),
    from: start.block,
  })
  const nameOf = (address: Address) => actors().find((one) => one.address === address)?.name ?? address
  const recorder = createRecorder({ log, start, nameOf, actors, report })
  closers.push(() => recorder.stop())

  report('deploying the contracts')
  const deployment = markOwnDeployment(
    await deployRoot({
      endpoint: l1.endpoint,
      deployerKey: deployer.account.privateKey,
      operator: operatorPerson.address,
      parameters,
      file: join(directory, 'deployer.sqlite'),
      budgetWei: ETHER,
      timeoutSeconds: timeoutMs / 1000,
      confirmations: 1,
      pollMs,
      report: () => undefined,
    }),
  )
  for (const { address } of Object.values(deployment.contracts)) contracts.push(address)
  const token = await deployDemoToken({ l1, by: helper, timeoutMs })

  const operatorAccount = operatorPerson.account
  let operatorRuns = true
  const program = await createOperator({
    deployment,
    endpoint: l1.endpoint,
    signer: privateKeyToAccount(bytesToHex(operatorAccount.privateKey)),
    receiptKey: operatorAccount.privateKey,
    dataDir: join(directory, 'operator'),
    settings: {
      ...defaultSettings(parameters, operatorAccount.address),
      port: 0,
      pollIntervalMs: pollMs,
      clientLimit: { perSecond: 0, burst: 1 },
      // A busy machine is no L1 that went away.
      ...(canTravel ? { blockIntervalSeconds: 1, maxL1LagSeconds: parameters.anchorAgeBlocks * parameters.slot } : {}),
    },
    log: memory.log.child({ part: 'operator' }),
    now,
  })
  const operator: Operator = {
    ...program,
    stop: () => {
      operatorRuns = false
      return program.stop()
    },
  }
  closers.push(() => operator.stop())
  const atEnd = (close: () => unknown) => void closers.push(close)
  const hostile = await createHostile({ url: l1.url, deployment, operator, operatorAccount, atEnd })

  const doors = [hostile.peer, await hostile.openDoor()] as const
  const watchers: DrillWatcher[] = []
  // Most drills are of single exits: with a bond to spend a watcher would take everybody out together.
  // A coordinator knows what the token is worth: few of it, or of one age, are worth a mass exit of their own.
  const priceWei: ReadonlyMap<Address, bigint> = new Map([ZERO_ADDRESS, token].map((of) => [of, ETHER] as const))
  const policyOf = (isCoordinator: boolean) => ({
    ...(isCoordinator ? { priceWei } : { batchBondBudgetWei: 0n }),
    ...(canTravel ? { staggerSeconds: STAGGER_SECONDS } : {}),
  })
  for (const [i, person] of watcherPeople.entries()) {
    const peers: Peer[] = [
      doors[i] ?? hostile.peer,
      ...[operator.url, ...watchers.map(({ watcher }) => watcher().url)].map((at) =>
        createHttpPeer({ url: at, timeoutMs: 3_000 }),
      ),
    ]
    const watcher = await startDrillWatcher({
      person,
      directory,
      log: memory.log,
      timeoutMs,
      hear: (alert) => recorder.hear(person.name, alert),
      settings: {
        deployment,
        parameters,
        endpoints: [l1.endpoint],
        peers,
        log: memory.log,
        file: '',
        port: 0,
        version: 'drill',
        threads: 1,
        pollMs,
        now,
        confirmations: 1,
        limits: defaultLimits(parameters),
        policy: policyOf(i < coordinators),
      },
    })
    watchers.push(watcher)
    closers.push(() => watcher.stop())
  }

  const wallets = new Map<string, ConnectedWallet>()
  closers.push(async () => {
    for (const { close } of wallets.values()) await close()
  })

  async function wallet(person: Person): Promise<WalletContext> {
    const open = wallets.get(person.name)
    if (open) return open.wallet
    const connected = await connectWallet({
      account: person.account,
      deployment,
      endpoint: l1.endpoint,
      operator: createClient({ url: operator.url }),
      watchers: watchers.filter((one) => one.isRunning()).map((one) => createClient({ url: one.watcher().url })),
      dataDir: join(directory, `wallet-${person.name}`),
      budgetWei: canTravel ? 10n * ETHER : ETHER,
      timeoutSeconds: timeoutMs / 1000,
      pollMs,
    })
    wallets.set(person.name, connected)
    return connected.wallet
  }

  const travel = createTravel({ l1, parameters, recorder, operatorRuns: () => operatorRuns, start, report })

  const newestChildBlock = () =>
    Math.max(0, ...watchers.filter((one) => one.isRunning()).map((one) => one.watcher().core.facts.newestBlock()))

  const findings: Finding[] = []
  const mandates: Mandate[] = []
  const tokens: Readonly<{ address: Address; symbol: string }>[] = []
  const world: World = {
    seed,
    random: createRandom(seed),
    l1,
    deployment,
    parameters,
    separator: domainSeparator({
      chainId: deployment.chainId,
      rootContract: deployment.contracts['root']?.address as Address,
    }),
    purseWei: purse,
    unit: canTravel ? ETHER : SMALL_UNIT,
    directory,
    memory,
    recorder,
    timeoutMs,
    operator,
    operatorRuns: () => operatorRuns,
    operatorAccount,
    hostile,
    doors,
    owners,
    thief,
    helper,
    token,
    priceWei,
    get operatorPerson() {
      return operatorPerson
    },
    watchers: watchers as [DrillWatcher, DrillWatcher],
    actors,
    invite: async (name, role, honest) => {
      const person = personOf(name, role, honest)
      others.push(person)
      await l1.fund(new Map([[person.address, purse]]))
      return person
    },
    turnHostile: ({ name }) => {
      if (name === operatorPerson.name) operatorPerson = { ...operatorPerson, honest: false }
    },
    wallet,
    reconnect: async (person) => {
      await wallets.get(person.name)?.close()
      wallets.delete(person.name)
      return wallet(person)
    },
    now: () => l1.head(),
    ...travel,
    fault: (actor, text) => recorder.fault(actor, text, newestChildBlock()),
    note: (actor, text) => recorder.tell(actor, 'note', text),
    find: (invariant, held, detail) => void findings.push({ invariant, held, detail }),
    findings: () => findings,
    addMandate: (mandate) => void mandates.push(mandate),
    mandates: () => mandates,
    addToken: (token) => void tokens.push(token),
    moreTokens: () => tokens,
    atEnd,
    stop,
    stage: { url: l1.url, deployment, atEnd },
  }
  return world
}

/** Plays a scenario from nothing to its verdict, and says everything about it as a record. */
import { encodeFunctionData, erc20Abi } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { retryable } from '../protocol/errors.ts'
import { redactUrl } from '../service/configTypes.ts'
import type { Account } from '../wallet/account.ts'
import { bookBatches } from './batches.ts'
import { baseFees, openBonds } from './bonds.ts'
import { booksInput } from './books.ts'
import { findLostBonds, sumCosts } from './costs.ts'
import { judgeFlows, type Purse } from './flows.ts'
import type { DrillL1 } from './l1.ts'
import { type BooksInput, drawBooks, ownedAt, settleAccounts } from './ledger.ts'
import type { Balance, DrillRecord, Finding } from './record.ts'
import { findMilestones } from './recorder.ts'
import type { Scenario } from './scenario.ts'
import { settle } from './settle.ts'
import { judge, type Vault } from './verdict.ts'
import { createWorld, type World } from './world.ts'

export type RunOptions = Readonly<{
  seed: number
  /** The scenario's own when left out. */
  owners?: number
  /** JSON-RPC endpoint; the embedded L1 when left out. */
  url?: string
  /** Pays on an L1 that gives nothing away. */
  funder?: Account
  /** How many times as fast as the machine's clock the L1's time runs. Default 1. */
  pace?: number
  /** Progress in words. */
  report?: (line: string) => void
  /** Ends the run: everything is stopped, and what is left on the drill's keys goes back. */
  signal?: AbortSignal
}>

type Token = Readonly<{ address: Address; symbol: string }>

/**
 * The record of a run that came to an end, passed or not. Throws where none came about: the L1 could not be reached, a key was not funded,
 * the contracts could not be deployed; and INTERRUPTED (retryable).
 */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<DrillRecord> {
  const { seed, owners = scenario.owners.default, url, report = () => undefined } = options
  const world = await createWorld({
    ...options,
    owners,
    report,
    ...(scenario.parameters ? { parameters: scenario.parameters } : {}),
    ...(scenario.coordinators ? { coordinators: scenario.coordinators } : {}),
    ...(scenario.cares ? { cares: scenario.cares } : {}),
  })
  try {
    const settled = await orInterrupted(settle(world), options.signal)
    const failures: Finding[] = []
    try {
      await orInterrupted(scenario.run(world, settled), options.signal)
    } catch (error) {
      if (options.signal?.aborted) throw error
      const detail = withoutKey(error instanceof Error ? error.message : String(error), url)
      failures.push({ invariant: 'DRILL', held: false, detail: `the scenario did not come to its end: ${detail}` })
      world.note('drill', detail)
    }
    failures.push(...findLoggedErrors(world, scenario.expectedErrors ?? []))
    await world.recorder.stop()
    const tokens = [
      { address: ZERO_ADDRESS, symbol: 'ETH' },
      { address: settled.token, symbol: 'DEMO' },
      ...world.moreTokens(),
    ]
    const findings = [...(await judgeWorld(world, tokens)), await judgePurses(world), ...world.findings(), ...failures]
    return await recordOf({ scenario, world, tokens, findings, seed, owners, url })
  } finally {
    await world.stop()
  }
}

/** The work goes on behind, in a world that is being stopped; nobody waits for it. */
async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const interrupted = new Promise<never>((_, reject) => {
    const end = () => reject(retryable('INTERRUPTED', 'the drill was interrupted'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  return Promise.race([work, interrupted])
}

/** Records are mailed, and an error may name the endpoint with all of its URL. */
function withoutKey(text: string, url: string | undefined): string {
  return url === undefined ? text : text.replaceAll(url, redactUrl(url))
}

/** Our own programs log an error only when they are wrong. */
function findLoggedErrors({ memory }: World, expected: readonly string[]): Finding[] {
  const found = memory.lines.filter(({ level, event }) => level === 'error' && !expected.includes(String(event)))
  if (found.length === 0) return []
  const detail = `a program logged an error: ${JSON.stringify(found[0]).slice(0, 600)}`
  return [{ invariant: 'DRILL', held: false, detail }]
}

async function judgeWorld(world: World, tokens: readonly Token[]): Promise<Finding[]> {
  const { recorder } = world
  const input = booksInput(world)
  const books = drawBooks(input)
  const vaults = await readVaults(world, tokens)
  const actors = world.actors()
  const fees = baseFees(recorder.blocks())
  const senderOf = new Map(
    recorder.blocks().flatMap(({ transactions }) => transactions.map(({ hash, from }) => [hash, from] as const)),
  )
  return judge({
    books,
    accounts: accountsOf(world, input, vaults),
    vaults,
    actors,
    events: input.events,
    senderOf,
    lostBonds: findLostBonds(input.events, world.operatorPerson.address, fees),
    massExits: {
      batches: bookBatches(input.events, fees),
      mandates: world.mandates(),
      blocks: input.blocks,
      minExitPeriod: world.parameters.minExitPeriod,
    },
  })
}

async function judgePurses({ owners, l1, recorder, purseWei, deployment }: World): Promise<Finding> {
  const root = deployment.contracts['root']?.address as Address
  const purses: Purse[] = []
  for (const { name, address } of owners) {
    const data = encodeFunctionData({ abi: iLifeboatAbi, functionName: 'credit', args: [ZERO_ADDRESS, address] })
    const credit = BigInt((await l1.request('eth_call', [{ to: root, data }, 'latest'])) as string)
    purses.push({ name, address, before: purseWei, after: (await l1.etherOf(address)) + credit })
  }
  return judgeFlows(purses, recorder.blocks())
}

function accountsOf(world: World, input: BooksInput, vaults: readonly Vault[]) {
  const free = new Map(vaults.map(({ token, held, credits, bonds }) => [token, held - credits - bonds]))
  return settleAccounts(drawBooks(input), {
    owners: peopleWithMoney(world).map(({ address }) => address),
    tokens: vaults.map(({ token }) => token),
    available: (token) => {
      const left = free.get(token) ?? 0n
      return left > 0n ? left : 0n
    },
  })
}

const peopleWithMoney = (world: World) => world.actors().filter(({ role }) => role === 'owner' || role === 'thief')

async function readVaults({ l1, deployment, recorder }: World, tokens: readonly Token[]): Promise<Vault[]> {
  const root = deployment.contracts['root']?.address as Address
  const events = recorder.events()
  return Promise.all(
    tokens.map(async ({ address: token, symbol }) => ({
      token,
      symbol,
      held: token === ZERO_ADDRESS ? await l1.etherOf(root) : await tokensOf(l1, token, root),
      credits: openCredits(events, token),
      bonds: token === ZERO_ADDRESS ? openBonds(recorder.blocks()) : 0n,
    })),
  )
}

async function tokensOf({ request }: DrillL1, token: Address, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [account] })
  return BigInt((await request('eth_call', [{ to: token, data }, 'latest'])) as string)
}

function openCredits(events: readonly RootEvent[], token: Address): bigint {
  let sum = 0n
  for (const event of events) {
    if (event.type === 'Credited' && event.token === token) sum += event.amount
    if (event.type === 'Withdrawn' && event.token === token) sum -= event.amount
  }
  return sum
}

type Ending = Readonly<{
  scenario: Scenario
  world: World
  tokens: readonly Token[]
  findings: readonly Finding[]
  seed: number
  owners: number
  url: string | undefined
}>

async function recordOf({ scenario, world, tokens, findings, seed, owners, url }: Ending): Promise<DrillRecord> {
  const { recorder, l1 } = world
  const { name, title, story } = scenario
  const blocks = recorder.blocks()
  const actors = world.actors()
  const more = url === undefined ? '' : ` --l1 ${redactUrl(url)}`
  return {
    version: 1,
    scenario: name,
    title,
    story,
    seed,
    owners,
    l1: { kind: l1.kind, chainId: l1.chainId, start: blocks[0]?.at ?? recorder.now(), end: recorder.now() },
    periods: { ...world.parameters },
    passed: findings.every(({ held }) => held),
    findings,
    milestones: findMilestones(blocks, { fault: recorder.faultBegan(), alerts: recorder.alerts(), actors }),
    timeline: recorder.timeline(),
    actors: sumCosts(actors, blocks),
    balances: balancesOf(world, tokens, await readVaults(world, tokens)),
    alerts: recorder.alerts(),
    reproduce: `lifeboat drill run ${name} --seed ${seed} --owners ${owners}${more}`,
  }
}

function balancesOf(world: World, tokens: readonly Token[], vaults: readonly Vault[]): Balance[] {
  const input = booksInput(world)
  const fault = world.recorder.faultBegan()
  const now = world.recorder.now().block
  const before = ownedAt(input, {
    l1Block: fault?.at.block ?? now,
    childBlock: fault?.childBlock ?? Number.MAX_SAFE_INTEGER,
  })
  const people = new Map(peopleWithMoney(world).map((person) => [person.address, person]))
  return accountsOf(world, input, vaults).flatMap(({ owner, token, owed, after }) => {
    const person = people.get(owner)
    if (!person) return []
    const symbol = tokens.find(({ address }) => address === token)?.symbol ?? token
    return [
      {
        owner: person.name,
        honest: person.honest,
        online: person.online,
        token,
        symbol,
        before: before(owner, token).toString(),
        owed: owed.toString(),
        after: after.toString(),
      },
    ]
  })
}

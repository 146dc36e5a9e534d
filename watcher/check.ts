/**
 * `lifeboat watcher check` (docs/architecture.md, "Configuration"): everything that can be known to be wrong before running, all at
 * once. What L1 and the peers say is asked now; a peer that is down is worth a warning, since waiting for one is a watcher's trade.
 */
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { readHeader } from '../l1/blocks.ts'
import { type Deployment, findDeploymentProblems } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { getBalance, readContract } from '../l1/reads.ts'
import type { Address } from '../protocol/bytes.ts'
import { configError, isLifeboatError, retryable } from '../protocol/errors.ts'
import { BOND_GAS, CHALLENGE_GAS } from '../protocol/exit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { ConfigProblem } from '../service/config.ts'
import { protectionSchema } from './apiSchemas.ts'
import { type Delays, delaysOf, findMarginProblems } from './court/margins.ts'
import { defaultStagger } from './court/policy.ts'
import type { Peer } from './peers.ts'
import type { NewProtection } from './protection.ts'
import { findLimitProblems, type SafetyLimits } from './safety.ts'

const LEAST_FREE_BYTES = 2 ** 30
/** What a key should be able to do without being funded again: a few challenges at a high fee. */
const WANTED_GAS = 3n * CHALLENGE_GAS + BOND_GAS
const HIGH_FEE_WEI = 50n * 10n ** 9n

export type CheckOptions = Readonly<{
  deployment: Deployment
  rootContract: Address
  endpoints: readonly Endpoint[]
  peers: readonly Peer[]
  limits: SafetyLimits
  parameters: Parameters
  /** Path of the database file. */
  data: string
  sender: Address | undefined
  /** Default: a pause of 2 s between looks, 6 confirmations. */
  delays?: Delays
  /** Longest random delay of the court's policy, seconds. Default as in court/policy.ts. */
  staggerSeconds?: number
}>

export type CheckReport = Readonly<{ problems: readonly ConfigProblem[]; warnings: readonly ConfigProblem[] }>

/** The root contract's periods, as it says. Throws what reads throw, HEAD_MISSING (retryable). */
export async function readParameters(endpoint: Endpoint, rootContract: Address): Promise<Parameters> {
  const head = await readHeader(endpoint, 'latest')
  if (!head)
    throw retryable('HEAD_MISSING', `L1 endpoint ${endpoint.name} has no latest block`, { got: null, want: 'a block' })
  const read = { address: rootContract, abi: iLifeboatAbi, functionName: 'parameters' } as const
  return { ...(await readContract(endpoint, read, head)) }
}

/** Never throws for what it finds; an endpoint that fails is a problem of its own. */
export async function checkWatcher(options: CheckOptions): Promise<CheckReport> {
  const l1 = await Promise.all(options.endpoints.map((endpoint) => checkEndpoint(endpoint, options)))
  const problems = [...l1.flat(), ...checkMargins(options)]
  const warnings = [
    ...(await checkPeers(options.peers)),
    ...(await checkDisk(options.data)),
    ...(await checkKey(options)),
  ]
  if (options.peers.length === 0) {
    problems.push({ key: 'peers', got: 'none', want: 'at least one: without peers every block is missing' })
  }
  return { problems, warnings }
}

async function checkEndpoint(endpoint: Endpoint, { deployment }: CheckOptions): Promise<ConfigProblem[]> {
  try {
    const found = await findDeploymentProblems(endpoint, deployment)
    return found.map(({ what, got, want }) => ({
      key: 'deployment',
      got: `${what}: ${got}`,
      want: String(want),
      from: endpoint.name,
    }))
  } catch (error) {
    return [{ key: 'l1Url', got: describe(error), want: 'an endpoint that answers', from: endpoint.name }]
  }
}

/** The verdict on a missing block, and from seeing an exit to standing on L1: both have to fit into the windows that there are. */
function checkMargins(options: CheckOptions): ConfigProblem[] {
  const { parameters, limits, delays = delaysOf(parameters, { confirmations: 6, pollMs: 2_000 }) } = options
  const { staggerSeconds = defaultStagger(parameters) } = options
  const ofLimits = findLimitProblems(parameters, limits).map((got) => ({
    key: 'grace',
    got,
    want: 'margins that add up',
  }))
  const ofCourt = findMarginProblems({ parameters, delays, staggerSeconds, limits })
  // What only the grace is to blame for was said already.
  const isSaid = ({ rule }: { rule: string }) => ofLimits.length > 0 && rule.startsWith('grace')
  return [
    ...ofLimits,
    ...ofCourt
      .filter((problem) => !isSaid(problem))
      .map(({ rule, got, want }) => ({ key: 'deployment', got: `${rule}: ${got}`, want })),
  ]
}

async function checkPeers(peers: readonly Peer[]): Promise<ConfigProblem[]> {
  const answers = await Promise.all(
    peers.map(async (peer): Promise<ConfigProblem[]> => {
      try {
        await peer.fetch({ from: 1, to: 1, txCount: 2 ** 16 })
        return []
      } catch (error) {
        return [{ key: 'peers', got: describe(error), want: 'a peer that answers', from: peer.name }]
      }
    }),
  )
  return answers.flat()
}

async function checkDisk(data: string): Promise<ConfigProblem[]> {
  try {
    const { bavail, bsize } = await statfs(dirname(resolve(data)))
    const free = bavail * bsize
    if (free >= LEAST_FREE_BYTES) return []
    return [{ key: 'data', got: `${Math.floor(free / 2 ** 20)} MiB free`, want: 'at least 1024 MiB free', from: data }]
  } catch (error) {
    return [{ key: 'data', got: describe(error), want: 'a directory that exists', from: data }]
  }
}

async function checkKey({ sender, endpoints }: CheckOptions): Promise<ConfigProblem[]> {
  const [endpoint] = endpoints
  if (!sender || !endpoint) return []
  try {
    const head = await readHeader(endpoint, 'latest')
    const balance = head ? await getBalance(endpoint, sender, head) : 0n
    const wanted = WANTED_GAS * HIGH_FEE_WEI
    if (balance >= wanted) return []
    return [{ key: 'key', got: `${balance} wei`, want: `${wanted} wei for a few challenges at 50 gwei`, from: sender }]
  } catch (error) {
    return [{ key: 'key', got: describe(error), want: 'a balance that can be read', from: sender }]
  }
}

/** As `lifeboat mandate give --out` writes a mandate, or as the API takes it. */
const protectedFileSchema = z.array(
  protectionSchema
    .partial({ owner: true })
    .transform(({ owner, ...signed }) => ({ ...signed, owner: owner ?? signed.mandate.owner })),
)

/** The file of protected accounts. Throws PROTECTED_FILE_INVALID with all faults; signatures are checked on registering. */
export function readProtectedFile(path: string): NewProtection[] {
  try {
    const parsed = protectedFileSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    if (parsed.success) return parsed.data
    const faults = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'file'}: ${message}`)
    throw configError('PROTECTED_FILE_INVALID', `${path} does not list protected accounts`, {
      got: faults,
      want: '[{ mandate, signature }], each as `lifeboat mandate give --out` writes it',
    })
  } catch (error) {
    if (isLifeboatError(error)) throw error
    throw configError(
      'PROTECTED_FILE_INVALID',
      `can't read ${path}`,
      { got: describe(error), want: 'a file of JSON' },
      error,
    )
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

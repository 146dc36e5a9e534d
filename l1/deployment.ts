/**
 * The deployment file (docs/spec.md, "Deployment"): what `deploy` writes and every other program starts from. A wrong one means
 * watching the wrong contracts, so it is parsed strictly and checked against L1 before anything runs.
 */
import { z } from 'zod'
import { hexToBytes } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import { keccak256Hex } from '../protocol/keccak.ts'
import { readHeader } from './blocks.ts'
import type { Endpoint } from './endpoint.ts'
import type { BlockRef } from './header.ts'
import { getCode } from './reads.ts'
import { address, hash } from './rpcSchemas.ts'

export const DEPLOYMENT_VERSION = 1

const height = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const deployment = z.strictObject({
  version: z.literal(DEPLOYMENT_VERSION),
  chainId: height.min(1),
  /** By name; the root contract is `root`, what it created `surety`. */
  contracts: z
    .record(
      z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'want a contract name in camelCase'),
      z.strictObject({
        address,
        /** The transaction that created it. */
        transactionHash: hash,
        /** keccak256 of the runtime code on chain. */
        codeHash: hash,
        /** Hash of sources, compiler version and settings, for whoever compiles it again. */
        compilerHash: hash,
      }),
    )
    .refine((contracts) => 'root' in contracts, 'want a contract named root')
    .refine((contracts) => 'surety' in contracts, 'want a contract named surety'),
  /** Constructor parameters, for people and for checks; amounts as decimal strings. */
  parameters: z.record(z.string(), z.union([z.number().finite(), z.string()])),
  /** The L1 block from which on the contracts may have logged something. */
  startBlock: z.strictObject({ number: height, hash }),
})

export type Deployment = Readonly<z.infer<typeof deployment>>

/** Throws DEPLOYMENT_MALFORMED with all problems, DEPLOYMENT_VERSION for a file of another version of this program. */
export function parseDeployment(text: string): Deployment {
  const json = parseJson(text)
  const version = (json as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version !== DEPLOYMENT_VERSION) {
    throw configError('DEPLOYMENT_VERSION', 'the deployment file is of another version', {
      got: version,
      want: DEPLOYMENT_VERSION,
    })
  }
  const parsed = deployment.safeParse(json)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`)
  throw configError('DEPLOYMENT_MALFORMED', 'the deployment file is malformed', {
    got: problems,
    want: 'a file written by deploy',
  })
}

/** The contracts whose events are the chain's facts. Throws DEPLOYMENT_MALFORMED where one is missing. */
export function loggingContracts({ contracts }: Deployment): Deployment['contracts'][string][] {
  return ['root', 'surety'].map((name) => {
    const found = contracts[name]
    if (found) return found
    throw configError('DEPLOYMENT_MALFORMED', `the deployment has no contract named ${name}`, {
      got: Object.keys(contracts),
      want: 'root and surety',
    })
  })
}

/** The file's text. Throws DEPLOYMENT_MALFORMED rather than write what could not be read back. */
export function printDeployment(value: Deployment): string {
  const text = `${JSON.stringify(value, null, 2)}\n`
  parseDeployment(text)
  return text
}

export type DeploymentProblem = Readonly<{ what: string; got: unknown; want: unknown }>

/** Everything about the deployment that the endpoint's newest block contradicts. Throws what pinned reads throw. */
export async function findDeploymentProblems(endpoint: Endpoint, value: Deployment): Promise<DeploymentProblem[]> {
  if (endpoint.chainId !== value.chainId) return [{ what: 'chainId', got: endpoint.chainId, want: value.chainId }]
  const { number, hash: want } = value.startBlock
  const [head, start] = [await readHeader(endpoint, 'latest'), await readHeader(endpoint, number)]
  const problems: DeploymentProblem[] = []
  if (start?.hash !== want) problems.push({ what: `startBlock ${number}`, got: start?.hash ?? 'no block', want })
  if (!head) return [...problems, { what: 'latest block', got: 'no block', want: `block ${number} or later` }]
  for (const [name, contract] of Object.entries(value.contracts)) {
    problems.push(...(await findCodeProblem(endpoint, name, contract, head)))
  }
  return problems
}

/** Throws DEPLOYMENT_MISMATCH (config) with all problems at once. */
export async function checkDeployment(endpoint: Endpoint, value: Deployment): Promise<void> {
  const problems = await findDeploymentProblems(endpoint, value)
  if (problems.length === 0) return
  throw configError(
    'DEPLOYMENT_MISMATCH',
    `the deployment file does not fit the chain of L1 endpoint ${endpoint.name}`,
    {
      endpoint: endpoint.name,
      got: problems.map(({ what, got }) => `${what}: ${got}`),
      want: problems.map(({ what, want }) => `${what}: ${want}`),
      problems,
    },
  )
}

async function findCodeProblem(
  endpoint: Endpoint,
  name: string,
  contract: Deployment['contracts'][string],
  at: BlockRef,
): Promise<DeploymentProblem[]> {
  const code = await getCode(endpoint, contract.address, at)
  const got = code === '0x' ? 'no code' : keccak256Hex(hexToBytes(code))
  return got === contract.codeHash
    ? []
    : [{ what: `code of ${name} at ${contract.address}`, got, want: contract.codeHash }]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : 'no JSON'
    throw configError(
      'DEPLOYMENT_MALFORMED',
      'the deployment file is not JSON',
      { got, want: 'a file written by deploy' },
      cause,
    )
  }
}

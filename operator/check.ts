/**
 * `lifeboat operator --check` and every start: all that would stop this operator, at once. Nothing is changed, but for a probe file in
 * the data directory.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { readHeader } from '../l1/blocks.ts'
import { type Deployment, findDeploymentProblems } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { getBalance, readContract } from '../l1/reads.ts'
import type { Address } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { findParameterProblems, type Parameters } from '../protocol/parameters.ts'
import { type ConfigProblem, invalidConfig } from '../service/config.ts'
import { deploymentParameters, deploymentRoot, findSettingsProblems, type OperatorSettings } from './config.ts'

export type CheckOptions = Readonly<{
  settings: OperatorSettings
  deployment: Deployment
  endpoint: Endpoint
  ourAddress: Address
  dataDir: string
}>

/** Every problem; none means that the operator can start. */
export async function findOperatorProblems(options: CheckOptions): Promise<ConfigProblem[]> {
  const { settings, deployment, dataDir } = options
  const parameters = deploymentParameters(deployment)
  const impossible = findParameterProblems(parameters).map(({ rule, got, want }) => ({
    key: 'deployment',
    got: `${rule}: ${got}`,
    want,
  }))
  const local = [...impossible, ...findSettingsProblems(settings, parameters), ...findDiskProblems(dataDir)]
  try {
    return [...local, ...(await findL1Problems(options, parameters))]
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    return [...local, { key: 'l1Url', got: error.message, want: 'an endpoint that answers' }]
  }
}

/** Throws CONFIG_INVALID (config) with all problems. */
export async function checkOperator(options: CheckOptions): Promise<void> {
  const problems = await findOperatorProblems(options)
  if (problems.length > 0) throw invalidConfig('lifeboat operator', problems)
}

async function findL1Problems(options: CheckOptions, parameters: Parameters): Promise<ConfigProblem[]> {
  const { deployment, endpoint, ourAddress } = options
  const unfit = await findDeploymentProblems(endpoint, deployment)
  if (unfit.length > 0)
    return unfit.map(({ what, got, want }) => ({
      key: 'deployment',
      got: `${what}: ${String(got)}`,
      want: String(want),
    }))
  const head = await readHeader(endpoint, 'latest')
  if (!head) return [{ key: 'l1Url', got: 'no latest block', want: 'a chain' }]
  const address = deploymentRoot(deployment)
  const problems: ConfigProblem[] = []
  const operator = await readContract(endpoint, { address, abi: iLifeboatAbi, functionName: 'operator' }, head)
  if (operator !== ourAddress)
    problems.push({ key: 'keystore', got: ourAddress, want: `the key of the chain's operator, ${operator}` })
  const onChain = await readContract(endpoint, { address, abi: iLifeboatAbi, functionName: 'parameters' }, head)
  for (const [name, want] of Object.entries(onChain)) {
    const got = parameters[name as keyof Parameters]
    if (got !== Number(want)) problems.push({ key: 'deployment', got: `${name} ${got}`, want: `${want}, as deployed` })
  }
  if ((await getBalance(endpoint, ourAddress, head)) === 0n) {
    problems.push({ key: 'keystore', got: `no ETH on ${ourAddress}`, want: 'some, to pay for submissions' })
  }
  return problems
}

function findDiskProblems(dataDir: string): ConfigProblem[] {
  const probe = join(dataDir, '.probe')
  try {
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(probe, 'probe')
    rmSync(probe)
    return []
  } catch (error) {
    return [
      {
        key: 'dataDir',
        got: error instanceof Error ? error.message : String(error),
        want: 'a directory that we can write',
      },
    ]
  }
}

/** Puts the root contract and its modules on L1 through the outbox, and writes down what stands where (docs/spec.md, "Deployment"). */
import { encodeDeployData, getContractAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import {
  disputeModuleAbi,
  disputeModuleBytecode,
  entryModuleAbi,
  entryModuleBytecode,
  evidenceModuleAbi,
  evidenceModuleBytecode,
  lifeboatAbi,
  lifeboatBytecode,
  massExitModuleAbi,
  massExitModuleBytecode,
} from '../contracts/artifacts.generated.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { bug, retryable } from '../protocol/errors.ts'
import { keccak256Hex } from '../protocol/keccak.ts'
import { assertParameters, type Parameters } from '../protocol/parameters.ts'
import { openDatabase } from '../service/database.ts'
import { readHeader } from './blocks.ts'
import type { Deployment } from './deployment.ts'
import type { Endpoint } from './endpoint.ts'
import { type Outbox, openOutbox } from './outbox.ts'
import { assertActDone, type ChangeCode, type OutboxRow, type RowStatus } from './outboxIntent.ts'
import { createOutboxRpc } from './outboxRpc.ts'
import { getCode } from './reads.ts'

/** Names the deployer's outbox file: "LBde". */
const GWEI = 10n ** 9n
/** What holds an act up until a person or time mends it. */
const HELD_UP: ReadonlySet<string> = new Set<ChangeCode & RowStatus>([
  'unfunded',
  'over-budget',
  'refused',
  'reverting',
])
const DEPLOY_APPLICATION_ID = 0x4c426465

export type DeployOptions = Readonly<{
  endpoint: Endpoint
  /** Pays for it; has no right of any kind afterwards. */
  deployerKey: Uint8Array
  /** The chain's first operator. */
  operator: Address
  parameters: Parameters
  /** Outbox file: a deployment that is interrupted goes on from it. */
  file: string
  budgetWei: bigint
  /** The operator's bond that goes along. By default the parameters' least; with less the chain takes no blocks until more is posted. */
  bondWei?: bigint
  timeoutSeconds: number
  confirmations: number
  pollMs: number
  report(progress: string): void
  /** Gives up waiting: what was sent may still be mined, and the same deployment again goes on with it. */
  signal?: AbortSignal
}>

/**
 * Throws PARAMETERS_IMPOSSIBLE, L1_ACT_FAILED, L1_ACT_EXPIRED, retryable L1_ACT_OPEN when the time is over or `signal` was aborted, and
 * what the outbox throws.
 */
export async function deployRoot(options: DeployOptions): Promise<Deployment> {
  const { endpoint, parameters, operator, report, confirmations } = options
  assertParameters(parameters)
  const db = openDatabase({
    file: options.file,
    applicationId: DEPLOY_APPLICATION_ID,
    migrations: [() => undefined],
    lockProcess: true,
  })
  const stop = new AbortController()
  const outbox = await openOutbox({
    db,
    rpc: createOutboxRpc(endpoint),
    signer: privateKeyToAccount(bytesToHex(options.deployerKey)),
    chainId: endpoint.chainId,
    policy: { confirmations, retryMs: options.pollMs },
    onTrouble: (error) => report(error.message),
    onStatus: (_row, { code, words }) => {
      if (HELD_UP.has(code)) report(`waiting: ${words}`)
    },
  }).catch((error: unknown) => {
    db.close()
    throw error
  })
  const running = outbox.run(stop.signal, { pollMs: options.pollMs })
  running.catch(() => undefined)
  try {
    const start = await newest(endpoint)
    const create = async (name: string, data: Hex, valueWei = 0n) => {
      report(`deploying ${name}`)
      const deadline = { timestamp: start.timestamp + options.timeoutSeconds + 3600 }
      outbox.amend({
        key: `deploy:${name}`,
        to: null,
        data,
        valueWei,
        deadline,
        budgetWei: options.budgetWei,
        purpose: `deploy ${name}`,
        onRevert: 'give-up',
      })
      const held = outbox.status(`deploy:${name}`)
      if (held && HELD_UP.has(held.status)) report(`waiting: ${held.words}`)
      const row = await settledRow(outbox, `deploy:${name}`, options)
      assertActDone(row)
      const { contractAddress, hash, l1Block, l1BlockHash } = row.settled ?? {}
      if (!contractAddress || !hash || l1Block === undefined || !l1BlockHash)
        throw bug('DEPLOYMENT_LOST', 'a creation without an address', { got: row })
      const code = await getCode(endpoint, contractAddress, { number: l1Block, hash: l1BlockHash })
      const contract = {
        address: contractAddress,
        transactionHash: hash,
        codeHash: keccak256Hex(hexToBytes(code)),
        compilerHash: keccak256Hex(hexToBytes(data)),
      }
      return { contract, block: { number: l1Block, hash: l1BlockHash } }
    }
    const evidence = await create(
      'EvidenceModule',
      encodeDeployData({ abi: evidenceModuleAbi, bytecode: evidenceModuleBytecode as Hex, args: [parameters] }),
    )
    const disputes = await create(
      'DisputeModule',
      encodeDeployData({ abi: disputeModuleAbi, bytecode: disputeModuleBytecode as Hex, args: [parameters] }),
    )
    const massExits = await create(
      'MassExitModule',
      encodeDeployData({ abi: massExitModuleAbi, bytecode: massExitModuleBytecode as Hex, args: [parameters] }),
    )
    const entries = await create(
      'EntryModule',
      encodeDeployData({ abi: entryModuleAbi, bytecode: entryModuleBytecode as Hex, args: [parameters] }),
    )
    const modules = [evidence, disputes, massExits, entries].map(({ contract }) => contract.address)
    const args = [parameters, operator, ...(modules as [Address, Address, Address, Address])] as const
    const root = await create(
      'Lifeboat',
      encodeDeployData({ abi: lifeboatAbi, bytecode: lifeboatBytecode as Hex, args }),
      options.bondWei ?? BigInt(parameters.operatorBondGwei) * GWEI,
    )
    const surety = getContractAddress({ from: root.contract.address, nonce: 1n }).toLowerCase() as Address
    const suretyCode = await getCode(endpoint, surety, root.block)
    return {
      version: 1,
      chainId: endpoint.chainId,
      contracts: {
        root: root.contract,
        evidence: evidence.contract,
        disputes: disputes.contract,
        massExits: massExits.contract,
        entries: entries.contract,
        surety: { ...root.contract, address: surety, codeHash: keccak256Hex(hexToBytes(suretyCode)) },
      },
      parameters: { ...parameters },
      startBlock: root.block as { number: number; hash: Hash },
    }
  } finally {
    stop.abort()
    await running.catch(() => undefined)
    await outbox.close()
    db.close()
  }
}

/** The row once it is closed, or as it is when the time is over or the person gave up. */
async function settledRow(
  outbox: Outbox,
  key: string,
  { timeoutSeconds, signal }: Pick<DeployOptions, 'timeoutSeconds' | 'signal'>,
): Promise<OutboxRow> {
  const limits = AbortSignal.any([AbortSignal.timeout(timeoutSeconds * 1000), ...(signal ? [signal] : [])])
  try {
    return await outbox.waitFor(key, limits)
  } catch (error) {
    const row = outbox.status(key)
    if (!limits.aborted || !row) throw error
    return row
  }
}

async function newest(endpoint: Endpoint) {
  const head = await readHeader(endpoint, 'latest')
  if (head) return head
  throw retryable('HEAD_MISSING', 'the L1 endpoint has no latest block', { got: null, want: 'a block' })
}

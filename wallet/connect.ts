/** Joins the wallet to the real parts: the operator's and watchers' API, an L1 endpoint, the outbox, files in its directory. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../api/client.ts'
import { checkDeployment, type Deployment } from '../l1/deployment.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import type { Address } from '../protocol/bytes.ts'
import { configError, retryable } from '../protocol/errors.ts'
import { openDatabase } from '../service/database.ts'
import type { Account } from './account.ts'
import { createContext, type WalletContext } from './context.ts'
import { createRootReads } from './rootReads.ts'
import { openSender } from './sender.ts'
import { createWalletStore, WALLET_MIGRATIONS } from './store.ts'
import { openTokenBook, type Token } from './tokens.ts'

/** Names wallet files among SQLite files: "LBwa". */
const WALLET_APPLICATION_ID = 0x4c427761

export type ConnectOptions = Readonly<{
  account: Account
  deployment: Deployment
  endpoint: Endpoint
  operator: Client
  watchers?: readonly Client[]
  /** Where wallets of all deployments live; each gets its own directory in it. */
  dataDir: string
  /** Most wei that one L1 transaction may cost in fees. */
  budgetWei: bigint
  /** How long to wait for an L1 transaction; default 300. */
  timeoutSeconds?: number
  /** L1 blocks, the transaction's own included, that an act waits for; default 1. */
  confirmations?: number
  /** Pause between two looks at L1; default 500. */
  pollMs?: number
  /** Progress in words, for the person who waits. */
  report?: (progress: string) => void
  onFirstUse?: (token: Token) => void
  /** Gives up waiting. */
  signal?: AbortSignal
}>

export type ConnectedWallet = Readonly<{ wallet: WalletContext; close(): Promise<void> }>

/**
 * Opens the wallet of one owner on one deployment. Throws DEPLOYMENT_MISMATCH when L1 does not hold what the deployment file says, the
 * errors of openDatabase, and what L1 reads throw.
 */
export async function connectWallet(options: ConnectOptions): Promise<ConnectedWallet> {
  const { account, deployment, endpoint, operator, watchers = [], signal } = options
  await checkDeployment(endpoint, deployment)
  const rootContract = rootContractOf(deployment)
  const root = await createRootReads({ endpoint, rootContract, startBlock: deployment.startBlock.number })
  const directory = directoryOf(options.dataDir, deployment)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'wallet.sqlite')
  const db = openDatabase({ file, applicationId: WALLET_APPLICATION_ID, migrations: WALLET_MIGRATIONS })
  const report = options.report ?? (() => undefined)
  const sender = openSender({
    endpoint,
    account,
    rootContract,
    file: join(directory, `outbox-${account.address}.sqlite`),
    budgetWei: options.budgetWei,
    timeoutSeconds: options.timeoutSeconds ?? 300,
    confirmations: options.confirmations ?? 1,
    finalityBlocks: root.parameters.finalityBlocks,
    pollMs: options.pollMs ?? 500,
    report,
    ...(signal ? { signal } : {}),
  })
  const wallet = createContext({
    account,
    domain: { chainId: deployment.chainId, rootContract },
    child: operator,
    sources: [operator, ...watchers].map((client, i) => ({
      name: i === 0 ? 'operator' : `watcher ${client.url}`,
      exitData: (position) => client.exitData(position),
      transaction: (txHash) => client.transaction(txHash),
    })),
    root,
    send: sender.send,
    store: createWalletStore(db),
    tokens: openTokenBook({
      path: join(directory, 'tokens.json'),
      chainId: deployment.chainId,
      readMetadata: root.token.metadata,
      ...(options.onFirstUse ? { onFirstUse: options.onFirstUse } : {}),
    }),
    waiting: { sleep: (ms) => pause(ms, signal), now: Date.now },
    report,
  })
  return {
    wallet,
    close: async () => {
      await sender.close()
      db.close()
    },
  }
}

export function directoryOf(dataDir: string, deployment: Deployment): string {
  return join(dataDir, `chain-${deployment.chainId}-${rootContractOf(deployment).slice(2, 14)}`)
}

export function rootContractOf(deployment: Deployment): Address {
  const root = deployment.contracts['root']
  if (!root)
    throw configError('DEPLOYMENT_MALFORMED', 'the deployment file names no root contract', {
      want: 'a contract named root',
    })
  return root.address
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
  } catch (cause) {
    throw retryable('INTERRUPTED', 'interrupted while waiting', {}, cause)
  }
}

/** Opens the wallet that a command's configuration describes, and closes it however the command ends. */
import { join } from 'node:path'
import { createClient } from '../api/client.ts'
import type { Deployment } from '../l1/deployment.ts'
import { connectEndpoint } from '../l1/endpoint.ts'
import { parseAddress, ZERO_ADDRESS } from '../protocol/bytes.ts'
import type { ConfigOf } from '../service/config.ts'
import { type Account, createViewAccount } from '../wallet/account.ts'
import { connectWallet } from '../wallet/connect.ts'
import type { WalletContext } from '../wallet/context.ts'
import { listKeys, type StoredKey, unlockKey } from '../wallet/keys.ts'
import { readDeploymentFile } from './deploymentFile.ts'
import type { CliIo } from './io.ts'
import { findKey, keystoreOf } from './keystore.ts'
import { readPassword } from './password.ts'
import type { walletEntries } from './walletConfig.ts'

export type WalletConfig = ConfigOf<typeof walletEntries>

export type Session = Readonly<{
  wallet: WalletContext
  deployment: Deployment
  keys: readonly StoredKey[]
  io: CliIo
  config: WalletConfig
}>

/**
 * `sign`: the key is unlocked; otherwise nothing can be signed. `isForAll`: where no account is named, and several keys or none are here,
 * nobody's wallet is opened instead of asking for one.
 */
export async function withWallet<T>(
  io: CliIo,
  config: WalletConfig,
  { sign, isForAll }: Readonly<{ sign: boolean; isForAll: boolean }>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const deployment = readDeploymentFile(config.deployment ?? join(config.dataDir, 'deployment.json'))
  const keys = await listKeys(keystoreOf(config))
  const isNobody = isForAll && config.account === undefined && keys.length !== 1
  const account = isNobody ? createViewAccount(ZERO_ADDRESS) : await openAccount(io, config, keys, sign)
  const endpoint = await connectEndpoint({ url: config.l1Url, expectedChainId: deployment.chainId })
  const client = (url: string) => createClient({ url, signal: io.signal })
  const connected = await connectWallet({
    account,
    deployment,
    endpoint,
    operator: client(config.operatorUrl),
    watchers: config.watcherUrls.map(client),
    dataDir: config.dataDir,
    budgetWei: config.budget,
    timeoutSeconds: config.timeout,
    confirmations: config.confirmations,
    report: (progress) => io.err(`${progress}\n`),
    onFirstUse: ({ symbol, address, decimals }) =>
      io.err(`${symbol} is the token at ${address} (${decimals} decimals); remembered under that name\n`),
    signal: io.signal,
  })
  try {
    return await work({ wallet: connected.wallet, deployment, keys, io, config })
  } finally {
    await connected.close()
  }
}

async function openAccount(
  io: CliIo,
  config: WalletConfig,
  keys: readonly StoredKey[],
  sign: boolean,
): Promise<Account> {
  const { account } = config
  const isOurs = keys.some(({ name, address }) => name === account || address === account?.toLowerCase())
  if (!sign && account !== undefined && !isOurs && /^0x[0-9a-fA-F]{40}$/.test(account)) {
    return createViewAccount(parseAddress(account))
  }
  const key = findKey(keys, account, keystoreOf(config))
  if (!sign) return createViewAccount(key.address)
  return unlockKey(key.path, () => readPassword(io, config.passwordFile, `Password of ${key.name}: `))
}

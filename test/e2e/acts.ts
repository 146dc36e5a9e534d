/** What stories do by hand on L1, beside every program, and how they wait for an alert. */
import { createWalletClient, defineChain, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { RootCall } from '../../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../l1/rootEvents.ts'
import type { Address } from '../../protocol/bytes.ts'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { type Account, createAccount } from '../../wallet/account.ts'
import type { AlertCode } from '../../watcher/alerts.ts'
import { type RunningWatcher, until, type WatcherOptions, type World } from './world.ts'

/** Wei of a bond of so much gas, with room above the base fee of the test chains. */
export const bondOf = (gas: bigint): bigint => gas * 10n ** 11n

/** Somebody's call to the root contract, or to the surety; its events. Throws when L1 refuses it. */
export async function send(
  world: World,
  { privateKey }: Account,
  { data, valueWei }: RootCall,
  contract: 'root' | 'surety' = 'root',
): Promise<RootEvent[]> {
  const { deployment } = world
  const chain = defineChain({
    id: deployment.chainId,
    name: 'test',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [world.url] } },
  })
  const account = privateKeyToAccount(bytesToHex(privateKey))
  const client = createWalletClient({ account, chain, transport: http(world.url), pollingInterval: 50 }).extend(
    publicActions,
  )
  const to = deployment.contracts[contract]!.address as Address
  const hash = await client.sendTransaction({ to, data, value: valueWei, gas: 3_000_000n })
  const receipt = await client.waitForTransactionReceipt({ hash, timeout: 20_000 })
  if (receipt.status !== 'success') throw new Error(REFUSED)
  const { timestamp } = await client.getBlock({ blockHash: receipt.blockHash })
  const logs = receipt.logs.map(({ topics, data: words, logIndex }) => ({
    topics: topics as Hash[],
    data: words,
    logIndex,
    transactionHash: hash,
  }))
  return decodeRootEvents(
    { number: Number(receipt.blockNumber), hash: receipt.blockHash, timestamp: Number(timestamp) },
    logs,
  )
}

const REFUSED = 'L1 refused the call'

/** True when L1 refused somebody's call; any other trouble is thrown on. */
export async function isRefused(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent
    return false
  } catch (error) {
    if (error instanceof Error && error.message === REFUSED) return true
    throw error
  }
}

/** The exit that a call started. */
export function exitOf(events: readonly RootEvent[]): Exit {
  const started = events.find((event) => event.type === 'ExitStarted')
  if (started?.type !== 'ExitStarted') throw new Error('no exit started')
  return started.exit
}

export async function untilAlert(watcher: RunningWatcher, code: AlertCode): Promise<void> {
  await until(
    () => `the alert ${code}; told were ${watcher.codes().join(', ')}`,
    () => watcher.codes().includes(code),
  )
}

/** All committed blocks are verified, and there is at least one. */
export async function untilVerified(watcher: RunningWatcher): Promise<void> {
  const { facts } = watcher.watcher.core
  await until('the committed blocks are verified', () => {
    return facts.verifiedBlock() > 0 && facts.verifiedBlock() === facts.newestBlock()
  })
}

/** A watcher whose key holds nothing: it sees everything and can only tell. Resolves when all blocks are verified. */
export async function startPoorWatcher(world: World, more: WatcherOptions = {}): Promise<RunningWatcher> {
  const account = createAccount(keccak256Text('a key without ether'))
  const watcher = await world.startWatcher('first', { account, ...more })
  await untilVerified(watcher)
  return watcher
}

/**
 * The L1 of a drill: embedded in this process, or any JSON-RPC endpoint. What it can do beyond Ethereum (move time, replace blocks) is
 * found out by asking, and decides which scenarios run there. Keys: made for the run, funded from genesis, by decree, or by transfers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Chain,
  type Client,
  createWalletClient,
  defineChain,
  formatEther,
  type HttpTransport,
  http,
  type PublicActions,
  publicActions,
  type WalletActions,
} from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { createEmbeddedL1 } from '../l1/embedded/embeddedL1.ts'
import { connectEndpoint, type Endpoint } from '../l1/endpoint.ts'
import { type Address, bytesToHex, concatBytes, type Hash, type Hex } from '../protocol/bytes.ts'
import { configError, retryable } from '../protocol/errors.ts'
import { keccak256, keccak256Text } from '../protocol/keccak.ts'
import type { Parameters } from '../protocol/parameters.ts'
import { type Account, createAccount } from '../wallet/account.ts'
import { assertNoMainnet } from './permission.ts'
import type { DrillRecord, Moment } from './record.ts'

export type L1Kind = DrillRecord['l1']['kind']

export type DrillL1 = Readonly<{
  kind: L1Kind
  url: string
  chainId: number
  endpoint: Endpoint
  /** Time and blocks can be moved by decree (`evm_`, `anvil_`). */
  canTravel: boolean
  /** Where time can be moved: no block comes by itself until the returned function is called. */
  holdBlocks(): Promise<() => Promise<void>>
  /** Replaces the newest blocks by as many others, where it can. Throws RPC_REFUSED, and nothing has changed. */
  replaceBlocks(depth: number, branch: Branch): Promise<void>
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  head(): Promise<Moment>
  etherOf(address: Address): Promise<bigint>
  /** At least so much wei for each, all of them or none. Throws DRILL_UNFUNDED. */
  fund(grants: ReadonlyMap<Address, bigint>): Promise<void>
  /** A key of this run; the same for the same seed, and nobody else's. */
  keyOf(name: string): Account
  /** What is left on keys of this run goes back to who funded them. */
  sweep(accounts: readonly Account[]): Promise<void>
  close(): Promise<void>
}>

/**
 * What becomes of the transactions of blocks that are replaced. `returned`: the node puts them back into its pool. `forgotten`: whoever
 * sent them has to send them again. `reversed`: the first new block holds them all, the last sender's first.
 */
export type Branch = 'returned' | 'forgotten' | 'reversed'

export type L1Options = Readonly<{
  /** JSON-RPC endpoint; the embedded L1 when left out. */
  url?: string
  /** Pays on an L1 without decrees. */
  funder?: Account
  seed: number
  parameters: Parameters
  /** Seconds between two blocks of the embedded L1; below a slot, L1 time runs faster than the clock. */
  blockSeconds: number
}>

/** Mining interval of a development node that somebody else started, seconds. */
const NODE_BLOCK_SECONDS = 1
const TRANSFER_GAS = 21_000n
/** Longest wait for what goes back at the end. */
const SWEEP_MS = 120_000

/** Throws DRILL_MAINNET, DRILL_UNFUNDED, and what connecting throws. */
export async function openL1(options: L1Options): Promise<DrillL1> {
  return options.url === undefined ? openEmbedded(options) : openRemote(options, options.url)
}

export type Probe = Readonly<{ kind: L1Kind; chainId: number; canTravel: boolean; canReorg: boolean }>

/** The embedded L1, without asking. */
export const EMBEDDED_ABILITY = { canTravel: true, canReorg: true } as const

/** What an endpoint is, and what it does by decree. Throws DRILL_MAINNET. */
export async function probeL1(url: string): Promise<Probe> {
  const request = requestOf(url)
  const chainId = Number(await request('eth_chainId'))
  assertNoMainnet(chainId)
  const canTravel = await request('evm_increaseTime', [0]).then(
    () => true,
    () => false,
  )
  const client = String(await request('web3_clientVersion').catch(() => ''))
  const kind = client.startsWith('anvil') ? 'anvil' : client.startsWith('lifeboat') ? 'embedded' : 'remote'
  // No blocks are replaced to find out: on any other node with decrees it may be missing.
  return { kind, chainId, canTravel, canReorg: canTravel && kind !== 'remote' }
}

async function openEmbedded({ seed, parameters, blockSeconds }: L1Options): Promise<DrillL1> {
  const keyOf = (name: string) => createAccount(keccak256Text(`lifeboat drill ${seed} ${name}`))
  const l1 = await createEmbeddedL1({
    mining: { intervalSeconds: blockSeconds },
    finalityDepth: parameters.finalityBlocks,
  })
  const base = { url: l1.url, chainId: l1.chainId, request: l1.request, canTravel: true, kind: 'embedded' as const }
  return {
    ...base,
    ...readsOf(l1.request),
    ...reorgsOf(l1.request, base.kind),
    holdBlocks: async () => {
      l1.setMining('manual')
      return async () => l1.setMining({ intervalSeconds: blockSeconds })
    },
    endpoint: await connectEndpoint({ url: l1.url, expectedChainId: l1.chainId }),
    keyOf,
    fund: (grants) => decree(l1.request, grants),
    sweep: async () => undefined,
    close: () => l1.close(),
  }
}

async function openRemote({ funder, seed }: L1Options, url: string): Promise<DrillL1> {
  const request = requestOf(url)
  const probe = await probeL1(url)
  const { kind, chainId, canTravel } = probe
  if (canTravel) await request('evm_setIntervalMining', [NODE_BLOCK_SECONDS])
  // With a funder, its key goes in: otherwise anyone who reads this could take what is left on a testnet.
  const secret = funder ? funder.privateKey : keccak256Text('lifeboat drill')
  const run = Date.now()
  const keyOf = (name: string) =>
    createAccount(keccak256(concatBytes(secret, keccak256Text(`lifeboat drill ${seed} ${run} ${name}`))))
  return {
    kind,
    chainId,
    canTravel,
    ...readsOf(request),
    ...reorgsOf(request, kind),
    holdBlocks: async () => {
      await request('evm_setIntervalMining', [0])
      return async () => void (await request('evm_setIntervalMining', [NODE_BLOCK_SECONDS]))
    },
    url,
    request,
    keyOf,
    endpoint: await connectEndpoint({ url, expectedChainId: chainId }),
    fund: (grants) =>
      canTravel ? decree(request, grants) : transfer({ url, chainId, funder: funder ?? unfunded() }, grants),
    sweep: async (accounts) => {
      if (!canTravel && funder) await sendBack({ url, chainId, funder }, accounts)
    },
    close: async () => undefined,
  }
}

function unfunded(): never {
  throw configError('DRILL_UNFUNDED', 'this L1 gives nothing away, and no funded key was named', {
    want: 'a key with ETH: --account with --keystore',
  })
}

async function decree(request: DrillL1['request'], grants: ReadonlyMap<Address, bigint>): Promise<void> {
  for (const [account, wei] of grants) await request('anvil_setBalance', [account, `0x${wei.toString(16)}`])
}

type Purse = Readonly<{ url: string; chainId: number; funder: Account }>

/** One after another, awaited together; nothing is sent where it does not suffice for all. */
async function transfer({ url, chainId, funder }: Purse, grants: ReadonlyMap<Address, bigint>): Promise<void> {
  const client = clientOf(url, chainId, funder)
  const [balance, price] = [await client.getBalance(funder), await client.getGasPrice()]
  const gasWei = BigInt(grants.size) * TRANSFER_GAS * 2n * price
  const want = [...grants.values()].reduce((sum, wei) => sum + wei, gasWei)
  if (balance < want) {
    throw configError('DRILL_UNFUNDED', 'the key that pays does not hold enough; most of it would come back', {
      got: `${formatEther(balance)} ETH on ${funder.address}`,
      want: `${formatEther(want)} ETH`,
    })
  }
  const hashes: Hash[] = []
  let nonce = await client.getTransactionCount({ address: funder.address, blockTag: 'pending' })
  for (const [to, value] of grants) hashes.push(await client.sendTransaction({ to, value, nonce: nonce++ }))
  for (const hash of hashes) await client.waitForTransactionReceipt({ hash })
}

/** Resolves when it is mined: who stops the L1's endpoint next must not lose it. */
async function sendBack({ url, chainId, funder }: Purse, accounts: readonly Account[]): Promise<void> {
  const reader = clientOf(url, chainId, funder)
  const hashes: Hash[] = []
  for (const account of accounts) {
    const client = clientOf(url, chainId, account)
    const [balance, price] = [await client.getBalance(account), await client.getGasPrice()]
    const value = balance - 2n * price * TRANSFER_GAS
    if (value <= 0n) continue
    // Dust stays: a key that can't be emptied must not make a drill fail that is over.
    const hash = await client
      .sendTransaction({ to: funder.address, value, gas: TRANSFER_GAS, gasPrice: 2n * price })
      .catch(() => undefined)
    if (hash) hashes.push(hash)
  }
  for (const hash of hashes) await reader.waitForTransactionReceipt({ hash, timeout: SWEEP_MS }).catch(() => undefined)
}

type Sender = Client<
  HttpTransport,
  Chain,
  PrivateKeyAccount,
  undefined,
  PublicActions<HttpTransport, Chain, PrivateKeyAccount> & WalletActions<Chain, PrivateKeyAccount>
>

/** A plain sender for one key, beside every outbox. */
export function clientOf(url: string, chainId: number, { privateKey }: Pick<Account, 'privateKey'>): Sender {
  const chain = defineChain({
    id: chainId,
    name: 'drill',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  })
  const account = privateKeyToAccount(bytesToHex(privateKey))
  return createWalletClient({ account, chain, transport: http(url), pollingInterval: 50 }).extend(publicActions)
}

function readsOf(request: DrillL1['request']): Pick<DrillL1, 'head' | 'etherOf'> {
  return {
    head: async () => {
      const block = (await request('eth_getBlockByNumber', ['latest', false])) as Record<string, string>
      return { block: Number(block['number']), time: Number(block['timestamp']) }
    },
    etherOf: async (address) => BigInt((await request('eth_getBalance', [address, 'latest'])) as string),
  }
}

type MinedTransaction = Readonly<{ hash: Hash; from: Hex }>
type Raw = Readonly<{ from: Hex; raw: Hex }>

function reorgsOf(request: DrillL1['request'], kind: L1Kind): Pick<DrillL1, 'replaceBlocks'> {
  async function readRaw(depth: number): Promise<Raw[]> {
    const head = Number(await request('eth_blockNumber'))
    const found: Raw[] = []
    for (let number = head - depth + 1; number <= head; number++) {
      const block = await request('eth_getBlockByNumber', [`0x${number.toString(16)}`, true])
      for (const { hash, from } of (block as { transactions: readonly MinedTransaction[] }).transactions)
        found.push({ from, raw: (await request('eth_getRawTransactionByHash', [hash])) as Hex })
    }
    return found
  }

  return {
    replaceBlocks: async (depth, branch) => {
      const dropped = await readRaw(depth)
      const first = branch === 'reversed' ? reverseSenders(dropped) : []
      const pairs = first.map(({ raw }) => [raw, 0])
      if (kind === 'embedded') {
        await request('anvil_reorg', [depth, pairs, { requeue: branch === 'returned' }])
        return
      }
      // Anvil knows nothing of putting back, and refuses a third parameter.
      await request('anvil_reorg', [depth, pairs])
      if (branch === 'returned')
        for (const { raw } of dropped) await request('eth_sendRawTransaction', [raw]).catch(() => undefined)
    },
  }
}

/** The sender of the newest first; those of one sender stay in their order, as their nonces want. */
export function reverseSenders(transactions: readonly Raw[]): Raw[] {
  const senders = [...new Set([...transactions].reverse().map(({ from }) => from))]
  return senders.flatMap((sender) => transactions.filter(({ from }) => from === sender))
}

const ATTEMPTS = 4
const PAUSE_MS = 500

/** JSON-RPC over HTTP. Errors of the node are thrown at once, a node that does not answer is asked again. */
function requestOf(url: string): DrillL1['request'] {
  return async (method, params = []) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    for (let attempt = 1; ; attempt++) {
      const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
        .then(async (response) => (await response.json()) as { result?: unknown; error?: { message: string } })
        .catch((cause: unknown) => {
          if (attempt < ATTEMPTS) return undefined
          throw unreachable(url, method, cause)
        })
      if (answer?.error)
        throw retryable('RPC_REFUSED', 'the L1 endpoint refused a call', { got: answer.error.message, method })
      if (answer) return answer.result
      await sleep(PAUSE_MS * attempt)
    }
  }
}

function unreachable(url: string, method: string, cause: unknown) {
  const { cause: below, message } = cause instanceof Error ? cause : new Error(String(cause))
  const code = (below as { code?: unknown } | undefined)?.code
  const want = 'a JSON-RPC reply of an Ethereum node'
  return retryable(
    'ENDPOINT_UNREACHABLE',
    `the L1 endpoint ${new URL(url).host} gives no answer to ${method}`,
    { got: code ?? message, want },
    cause,
  )
}

/**
 * A root contract for long walks: the moves of test/support work on it, but each costs three short calls, and time stands still unless it is told to go on.
 * One L1 block per second, as in the preset.
 */
import { decodeErrorResult, toFunctionSelector, type Hex as ViemHex } from 'viem'
import { iLifeboatAbi } from '../../../contracts/artifacts.generated.ts'
import type { RootCall } from '../../../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../../l1/rootEvents.ts'
import type { Address, Hash } from '../../../protocol/bytes.ts'
import { startAnvil } from '../../support/anvil.ts'
import { createClient, deployRootChain, Reverted, type RootChain } from '../../support/rootChain.ts'

/** More than every least bond of this preset. */
const BOND_WEI = 10n ** 16n
const BONDS = ['exitBond', 'batchBond', 'disputeBond', 'demandBond']
const RECEIPT_ATTEMPTS = 2_000
/** The same second in every run: what hangs on hashes of times comes out alike. */
const START = 2_000_000_000

type RawReceipt = Readonly<{
  blockNumber: string
  blockHash: Hash
  status: string
  logs: readonly Readonly<{ address: Address; topics: Hash[]; data: Hash; logIndex: string; transactionHash: Hash }>[]
}>

export type Sent = Readonly<{ events: readonly RootEvent[]; timestamp: number; l1Block: number }>

/** A chain whose clock the walk owns. `restart` takes everything back to the fresh contract. */
export type WalkChain = Readonly<{
  chain: RootChain
  now(): number
  /** Lets time go on to that second; earlier ones are now already. */
  passTo(second: number): Promise<void>
  /** Number of the newest L1 block. */
  l1Block(): Promise<number>
  balanceOf(account: Address): Promise<bigint>
  restart(): Promise<void>
  stop(): void
}>

type ErrorItem = Extract<(typeof iLifeboatAbi)[number], { type: 'error' }>

/** By selector: a walk is refused a thousand times, and looking one up in the whole ABI hashes all of it. */
const ERRORS = new Map<string, ErrorItem>(
  iLifeboatAbi.flatMap((item) => (item.type === 'error' ? [[selectorOf(item), item]] : [])),
)

function selectorOf({ name, inputs }: Readonly<{ name: string; inputs: readonly { type: string }[] }>): string {
  return toFunctionSelector(`${name}(${inputs.map(({ type }) => type).join(',')})`)
}

function refusalOf(error: unknown): unknown {
  const { data } = error as { data?: ViemHex }
  const item = ERRORS.get(String(data).slice(0, 10))
  if (!item || !data) return error
  return new Reverted(item.name, decodeErrorResult({ abi: [item], data }).args ?? [])
}

export async function openWalkChain(): Promise<WalkChain> {
  const anvil = await startAnvil()
  let id = 0
  async function rpc<T>(method: string, params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: id++, method, params })
    const response = await fetch(anvil.url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const answer = (await response.json()) as { result: T; error?: { message: string; data?: string } }
    if (answer.error) throw Object.assign(new Error(`${method}: ${answer.error.message}`), { data: answer.error.data })
    return answer.result
  }
  const base = await deployRootChain(createClient(anvil.url))
  await rpc('anvil_setBlockTimestampInterval', [0])
  let now = START
  let snapshot = ''

  async function receiptOf(hash: Hash): Promise<RawReceipt> {
    for (let attempt = 0; attempt < RECEIPT_ATTEMPTS; attempt++) {
      const receipt = await rpc<RawReceipt | null>('eth_getTransactionReceipt', [hash])
      if (receipt) return receipt
    }
    throw new Error(`got no receipt for ${hash}`)
  }

  async function send(from: { address: string }, { data, valueWei }: RootCall, to: Address = base.root): Promise<Sent> {
    const call = { from: from.address, to, data, value: `0x${valueWei.toString(16)}`, gas: '0xf42400' }
    try {
      await rpc('eth_call', [call, 'pending'])
    } catch (error) {
      throw refusalOf(error)
    }
    const receipt = await receiptOf(await rpc<Hash>('eth_sendTransaction', [call]))
    if (receipt.status !== '0x1') throw new Error('the transaction failed on chain although its simulation passed')
    const l1Block = Number(receipt.blockNumber)
    const logs = receipt.logs.map((log) => ({ ...log, logIndex: Number(log.logIndex) }))
    const events = decodeRootEvents({ number: l1Block, hash: receipt.blockHash, timestamp: now }, logs)
    return { events, timestamp: now, l1Block }
  }

  const read: RootChain['read'] = async <T>(name: string, args: readonly unknown[] = []) =>
    BONDS.includes(name) ? (BOND_WEI as T) : base.read<T>(name, args)

  const hashes = new WeakMap<object, ReturnType<RootChain['hashed']>>()
  /** Of a block's list, which never changes: every proof asks for it. */
  const hashed: RootChain['hashed'] = (transactions) => {
    const known = hashes.get(transactions) ?? base.hashed(transactions)
    hashes.set(transactions, known)
    return known
  }

  async function passTo(second: number): Promise<void> {
    if (second <= now) return
    const blocks = Math.min(second - now, base.parameters.anchorAgeBlocks + 1)
    now = second
    await rpc('evm_setNextBlockTimestamp', [second])
    await rpc('anvil_mine', [`0x${blocks.toString(16)}`, '0x0'])
  }

  async function restart(): Promise<void> {
    if (snapshot !== '') await rpc('evm_revert', [snapshot])
    snapshot = await rpc<string>('evm_snapshot', [])
    now = 0
    await passTo(START)
  }

  return {
    chain: { ...base, send: send as unknown as RootChain['send'], read, hashed },
    now: () => now,
    passTo,
    l1Block: async () => Number(await rpc<string>('eth_blockNumber', [])),
    balanceOf: async (account) => BigInt(await rpc<string>('eth_getBalance', [account, 'latest'])),
    restart,
    stop: anvil.stop,
  }
}

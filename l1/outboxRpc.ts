/**
 * What the outbox needs of an L1 node (docs/spec.md, "The outbox"), and the one implementation over an `Endpoint`. Refusals that
 * nodes word differently are told apart here and nowhere else.
 */
import { z } from 'zod'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import { isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'
import type { Endpoint } from './endpoint.ts'
import { type Fees, readFees } from './reads.ts'
import { absent, address, data, hash, quantity, smallQuantity } from './rpcSchemas.ts'

export type OutboxCall = Readonly<{ from: Address; to: Address | null; data: Hex; valueWei: bigint; gas?: bigint }>

export type OutboxBlock = Readonly<{ number: number; hash: Hash; parentHash: Hash; timestamp: number }>

export type OutboxReceipt = Readonly<{
  l1Block: number
  l1BlockHash: Hash
  succeeded: boolean
  feeWei: bigint
  contractAddress: Address | null
}>

/** `data` is what the contract gave back, when the node passes it on; `message` the node's words. */
export type Simulation =
  | Readonly<{ reverted: false; gas?: bigint }>
  | Readonly<{ reverted: true; data?: Hex; message: string }>

/**
 * taken: the pool has it. consumed: its nonce is in a block. underpriced: the pool has another one of that nonce, or wants higher
 * fees. unfunded: the account can't pay for it. refused: anything else, in the node's words.
 */
export type SendAnswer = Readonly<{
  result: 'taken' | 'consumed' | 'underpriced' | 'unfunded' | 'refused'
  words: string
}>

export type StateTag = 'latest' | 'pending'

/** All throw LifeboatErrors: retryable when the node is in trouble. Whether a failed `send` arrived is unknown. */
export type OutboxRpc = Readonly<{
  chainId(): Promise<number>
  /** undefined: no such block now. */
  block(number: number | 'latest'): Promise<OutboxBlock | undefined>
  transactionCount(account: Address, at: number | StateTag): Promise<number>
  /** Wei at the newest block. */
  balance(account: Address): Promise<bigint>
  fees(): Promise<Fees>
  /** eth_call. */
  simulate(call: OutboxCall, tag: StateTag): Promise<Simulation>
  /** eth_estimateGas; `gas` is set unless it reverted. */
  estimateGas(call: OutboxCall, tag: StateTag): Promise<Simulation>
  receipt(txHash: Hash): Promise<OutboxReceipt | undefined>
  send(raw: Hex): Promise<SendAnswer>
}>

const block = z
  .looseObject({ number: smallQuantity, hash, parentHash: hash, timestamp: smallQuantity })
  .nullable()
  .transform((got) => got ?? undefined)

const receipt = z
  .looseObject({
    blockNumber: absent(smallQuantity),
    blockHash: absent(hash),
    status: smallQuantity,
    gasUsed: quantity,
    effectiveGasPrice: absent(quantity),
    contractAddress: absent(address),
  })
  .nullable()
  .transform((got): OutboxReceipt | undefined => {
    // Some nodes answer for transactions that only wait.
    if (got?.blockNumber === undefined || got.blockHash === undefined) return undefined
    return {
      l1Block: got.blockNumber,
      l1BlockHash: got.blockHash,
      succeeded: got.status === 1,
      feeWei: got.gasUsed * (got.effectiveGasPrice ?? 0n),
      contractAddress: got.contractAddress ?? null,
    }
  })

export function createOutboxRpc(endpoint: Endpoint): OutboxRpc {
  const read = <T>(schema: z.ZodType<T>, method: string, ...params: unknown[]) =>
    endpoint.read({ method, params }, schema)
  return {
    chainId: () => read(smallQuantity, 'eth_chainId'),
    block: (number) => read(block, 'eth_getBlockByNumber', blockName(number), false),
    transactionCount: (account, at) => read(smallQuantity, 'eth_getTransactionCount', account, blockName(at)),
    balance: (account) => read(quantity, 'eth_getBalance', account, 'latest'),
    fees: () => readFees(endpoint),
    simulate: (call, tag) =>
      orRevert(endpoint.name, async () => {
        await read(data, 'eth_call', rpcCall(call), tag)
        return { reverted: false }
      }),
    estimateGas: (call, tag) =>
      orRevert(endpoint.name, async () => {
        return { reverted: false, gas: await read(quantity, 'eth_estimateGas', rpcCall(call), tag) }
      }),
    receipt: (txHash) => read(receipt, 'eth_getTransactionReceipt', txHash),
    send: async (raw) => {
      try {
        await read(hash, 'eth_sendRawTransaction', raw)
        return { result: 'taken', words: '' }
      } catch (error) {
        const words = refusalOf(error)
        const result = words === undefined ? undefined : readRefusal(words)
        if (words === undefined || result === undefined) throw error
        return { result, words }
      }
    },
  }
}

/**
 * What a node's refusal of a transaction means, by the words of geth, reth, nethermind, besu, erigon, anvil, hardhat and the embedded
 * L1. undefined: trouble of the node itself, so that it may have taken it.
 */
export function readRefusal(words: string): SendAnswer['result'] | undefined {
  const says = (pattern: RegExp) => pattern.test(words)
  if (says(/already known|already imported|already in (the )?(mem)?pool|known transaction|alreadyknown/i))
    return 'taken'
  if (says(/nonce (is )?too low|nonce.*(already|below|less than).*(used|current|account)/i)) {
    return 'consumed'
  }
  if (
    says(
      /underpriced|fee ?too ?low|less than block base fee|max ?fee.*(below|less|too low)|gas ?price.*(below|too low)/i,
    )
  ) {
    return 'underpriced'
  }
  if (says(/insufficient (funds|balance)|doesn't have enough funds|upfront cost exceeds/i)) return 'unfunded'
  if (says(/internal error|timeout|timed out|try again|temporar|overload|rate limit|too many requests/i))
    return undefined
  return 'refused'
}

async function orRevert(name: string, attempt: () => Promise<Simulation>): Promise<Simulation> {
  try {
    return await attempt()
  } catch (error) {
    const message = refusalOf(error)
    if (message === undefined) throw error
    const { rpcCode, rpcData } = (error as LifeboatError).details
    const returned = revertData(rpcData)
    const failed =
      /revert|out of gas|invalid opcode|stack|gas required exceeds|exceeds allowance|insufficient|intrinsic/i
    if (returned !== undefined || rpcCode === 3 || failed.test(message)) {
      return { reverted: true, message, ...(returned !== undefined && { data: returned }) }
    }
    throw retryable(
      'SIMULATION_REFUSED',
      `L1 endpoint ${name} did not simulate`,
      { got: message, want: 'a result' },
      error,
    )
  }
}

function refusalOf(error: unknown): string | undefined {
  if (!isLifeboatError(error)) return undefined
  const { rpcMessage } = error.details
  return typeof rpcMessage === 'string' ? rpcMessage : undefined
}

/** Nodes put it in `data`, in `data.data`, or behind the word Reverted. */
function revertData(rpcData: unknown): Hex | undefined {
  const inner = typeof rpcData === 'object' && rpcData !== null ? (rpcData as { data?: unknown }).data : rpcData
  if (typeof inner !== 'string') return undefined
  const found = /^(?:Reverted )?(0x(?:[0-9a-fA-F]{2})+)$/.exec(inner)
  return found?.[1]?.toLowerCase() as Hex | undefined
}

function rpcCall({ from, to, data: input, valueWei, gas }: OutboxCall) {
  const value = `0x${valueWei.toString(16)}`
  return {
    from,
    ...(to !== null && { to }),
    data: input,
    value,
    ...(gas !== undefined && { gas: `0x${gas.toString(16)}` }),
  }
}

function blockName(block: number | StateTag): string {
  return typeof block === 'number' ? `0x${block.toString(16)}` : block
}

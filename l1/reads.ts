/**
 * Reads of L1 state pinned to one block by its hash (EIP-1898; docs/spec.md, "Reading L1"), so that several reads see one state and
 * none of them sees another fork, and the fees to offer now. The values are the endpoint's word: nothing here proves them.
 */
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeErrorResult,
  decodeFunctionResult,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
  getAbiItem,
} from 'viem'
import { z } from 'zod'
import type { Address, Hex } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { lowerAddresses } from './abiValues.ts'
import { readHeader } from './blocks.ts'
import type { Endpoint } from './endpoint.ts'
import type { BlockRef } from './header.ts'
import { data, quantity } from './rpcSchemas.ts'

const FEE_BLOCKS = 10
const MIN_PRIORITY_WEI = 1_000_000n
/** Where the endpoint has no fee history, or no recent block held a transaction: 1 gwei. */
const DEFAULT_PRIORITY_WEI = 1_000_000_000n

/** Wei, at the end of the block. Throws (retryable) BLOCK_UNKNOWN, and what `Endpoint.read` throws; so do all pinned reads. */
export function getBalance(endpoint: Endpoint, address: Address, at: BlockRef): Promise<bigint> {
  return readPinned(endpoint, { method: 'eth_getBalance', params: [address] }, at, quantity)
}

/** Runtime code; 0x where there is none. */
export function getCode(endpoint: Endpoint, address: Address, at: BlockRef): Promise<Hex> {
  return readPinned(endpoint, { method: 'eth_getCode', params: [address] }, at, data)
}

type Views = 'pure' | 'view'

export type ContractRead<
  abi extends Abi,
  name extends ContractFunctionName<abi, Views>,
  args extends ContractFunctionArgs<abi, Views, name>,
> = Readonly<{ address: Address; abi: abi; functionName: name; args?: args; from?: Address }>

/**
 * Result of a view function, typed by the ABI, addresses in lower case. Throws CALL_REVERTED with the contract's own error in
 * words, CONTRACT_MISSING where there is no code, RESULT_MALFORMED, and what every pinned read throws.
 */
export async function readContract<
  const abi extends Abi,
  name extends ContractFunctionName<abi, Views>,
  const args extends ContractFunctionArgs<abi, Views, name>,
>(
  endpoint: Endpoint,
  read: ContractRead<abi, name, args>,
  at: BlockRef,
): Promise<ContractFunctionReturnType<abi, Views, name, args>> {
  const { address, functionName, from } = read
  const call = {
    to: address,
    data: encodeFunctionData(read as unknown as EncodeFunctionDataParameters),
    ...(from && { from }),
  }
  const result = await callPinned(endpoint, call, read, at)
  const functions = read.abi.filter((item) => item.type === 'function')
  const item = getAbiItem({
    abi: functions as Abi,
    name: functionName as string,
    args: read.args as readonly unknown[],
  })
  const outputs = item?.type === 'function' ? item.outputs : []
  if (result === '0x' && outputs.length !== 0) {
    throw invalid('CONTRACT_MISSING', `no code answers ${functionName} at ${address}`, {
      endpoint: endpoint.name,
      block: at.number,
      got: result,
      want: 'a contract',
    })
  }
  try {
    const decoded: unknown = decodeFunctionResult({ ...read, data: result } as unknown as Parameters<
      typeof decodeFunctionResult
    >[0])
    const isSingle = outputs.length === 1
    const lowered = lowerAddresses(outputs, isSingle ? [decoded] : decoded)
    return (isSingle ? (lowered as unknown[])[0] : lowered) as ContractFunctionReturnType<abi, Views, name, args>
  } catch (cause) {
    const about = {
      endpoint: endpoint.name,
      block: at.number,
      got: result.slice(0, 100),
      want: `a result of ${functionName}`,
    }
    throw invalid('RESULT_MALFORMED', `L1 endpoint ${endpoint.name} gave no result of ${functionName}`, about, cause)
  }
}

async function callPinned(
  endpoint: Endpoint,
  call: Readonly<{ to: Address; data: Hex }>,
  { abi, functionName }: Readonly<{ abi: Abi; functionName: string }>,
  at: BlockRef,
): Promise<Hex> {
  try {
    return await readPinned(endpoint, { method: 'eth_call', params: [call] }, at, data)
  } catch (error) {
    if (!isLifeboatError(error) || error.code !== 'RPC_REFUSED') throw error
    const { rpcCode, rpcMessage, rpcData } = error.details
    if (rpcCode !== 3 && !/revert/i.test(String(rpcMessage))) throw error
    const about = {
      contract: call.to,
      block: at.number,
      got: revertInWords(abi, rpcData, rpcMessage),
      want: 'a result',
    }
    throw invalid('CALL_REVERTED', `${functionName} reverted`, about, error)
  }
}

function revertInWords(abi: Abi, rpcData: unknown, rpcMessage: unknown): unknown {
  try {
    const { errorName, args } = decodeErrorResult({ abi, data: rpcData as Hex })
    return `${errorName}(${(args as readonly unknown[] | undefined)?.join(', ') ?? ''})`
  } catch {
    return rpcData ?? rpcMessage
  }
}

type PinnedCall = Readonly<{ method: string; params: readonly unknown[] }>

async function readPinned<T>(endpoint: Endpoint, call: PinnedCall, at: BlockRef, schema: z.ZodType<T>): Promise<T> {
  if (endpoint.lacks.has('blockHashPins')) return readBracketed(endpoint, call, at, schema)
  const pinned = { ...call, params: [...call.params, { blockHash: at.hash }] }
  try {
    return await endpoint.read(pinned, schema)
  } catch (error) {
    if (isUnknownBlock(error)) throw unknownBlock(endpoint, at, error)
    if (!isPinRefusal(error)) throw error
  }
  const value = await readBracketed(endpoint, call, at, schema)
  endpoint.lacks.add('blockHashPins')
  return value
}

/** For nodes without EIP-1898: by number, between two looks at the block's hash, so that a reorg in between is seen. */
async function readBracketed<T>(endpoint: Endpoint, call: PinnedCall, at: BlockRef, schema: z.ZodType<T>): Promise<T> {
  await assertCanonical(endpoint, at)
  const value = await endpoint.read({ ...call, params: [...call.params, `0x${at.number.toString(16)}`] }, schema)
  await assertCanonical(endpoint, at)
  return value
}

async function assertCanonical(endpoint: Endpoint, at: BlockRef): Promise<void> {
  const header = await readHeader(endpoint, at.number)
  if (header?.hash !== at.hash) throw unknownBlock(endpoint, at, undefined, header?.hash)
}

function isUnknownBlock(error: unknown): boolean {
  if (!isLifeboatError(error) || error.code !== 'RPC_REFUSED') return false
  const { rpcCode, rpcMessage } = error.details
  return rpcCode === -32001 || /(header|block|resource) not found|unknown block|not canonical/i.test(String(rpcMessage))
}

function isPinRefusal(error: unknown): boolean {
  if (!isLifeboatError(error) || error.code !== 'RPC_REFUSED') return false
  const { rpcCode, rpcMessage } = error.details
  return (
    rpcCode === -32602 || rpcCode === -32600 || /unmarshal|invalid (argument|type)|blockhash/i.test(String(rpcMessage))
  )
}

function unknownBlock(endpoint: Endpoint, at: BlockRef, cause?: unknown, got: unknown = 'no such block') {
  const about = { endpoint: endpoint.name, block: at.number, got, want: at.hash }
  return retryable('BLOCK_UNKNOWN', `L1 endpoint ${endpoint.name} does not have the block to read at`, about, cause)
}

/** Wei per gas. */
export type Fees = Readonly<{ baseFeePerGas: bigint; priorityFeePerGas: bigint }>

const feeHistory = z.object({
  baseFeePerGas: z.array(quantity).min(1),
  gasUsedRatio: z.array(z.number()),
  reward: z.array(z.array(quantity).length(1)).nullish(),
})

/**
 * Base fee of the next block, and the median over recent non-empty blocks of the median tip. Throws (retryable) HEAD_MISSING, and
 * what `Endpoint.read` throws.
 */
export async function readFees(endpoint: Endpoint): Promise<Fees> {
  if (endpoint.lacks.has('feeHistory')) return readPlainFees(endpoint)
  try {
    const call = { method: 'eth_feeHistory', params: [`0x${FEE_BLOCKS.toString(16)}`, 'latest', [50]] }
    const history = await endpoint.read(call, feeHistory)
    const tips = (history.reward ?? []).filter((_, i) => (history.gasUsedRatio[i] ?? 0) > 0).map(([tip]) => tip ?? 0n)
    return { baseFeePerGas: history.baseFeePerGas.at(-1) ?? 0n, priorityFeePerGas: medianTip(tips) }
  } catch (error) {
    if (!isLifeboatError(error) || error.code !== 'RPC_METHOD_MISSING') throw error
    endpoint.lacks.add('feeHistory')
    return readPlainFees(endpoint)
  }
}

function medianTip(tips: readonly bigint[]): bigint {
  const sorted = [...tips].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const median = sorted[sorted.length >> 1] ?? DEFAULT_PRIORITY_WEI
  return median > MIN_PRIORITY_WEI ? median : MIN_PRIORITY_WEI
}

/** The next base fee is at most an eighth above the last one. */
async function readPlainFees(endpoint: Endpoint): Promise<Fees> {
  const head = await readHeader(endpoint, 'latest')
  if (!head) {
    throw retryable('HEAD_MISSING', `L1 endpoint ${endpoint.name} has no latest block`, { got: null, want: 'a block' })
  }
  return { baseFeePerGas: (head.baseFeePerGas * 9n) / 8n, priorityFeePerGas: DEFAULT_PRIORITY_WEI }
}

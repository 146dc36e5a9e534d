/**
 * What is kept of a block: exactly what JSON-RPC answers, and the signed bytes of its transactions (docs/spec.md, "L1", the
 * embedded L1). Records are plain JSON, so that the memory store and the file store keep the same thing.
 */
import type { BlockHeader } from '@ethereumjs/block'
import type { TypedTransaction } from '@ethereumjs/tx'
import { type Address, bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'

export interface RpcLog {
  readonly address: Address
  readonly topics: readonly Hash[]
  readonly data: Hex
  readonly blockNumber: Hex
  readonly blockHash: Hash
  readonly blockTimestamp: Hex
  readonly transactionHash: Hash
  readonly transactionIndex: Hex
  readonly logIndex: Hex
  /** True only in feeds, when a reorg took the block away. */
  readonly removed: boolean
}

export interface RpcReceipt {
  readonly type: Hex
  readonly status: '0x0' | '0x1'
  readonly transactionHash: Hash
  readonly transactionIndex: Hex
  readonly blockHash: Hash
  readonly blockNumber: Hex
  readonly from: Address
  readonly to: Address | null
  readonly contractAddress: Address | null
  readonly cumulativeGasUsed: Hex
  readonly gasUsed: Hex
  readonly effectiveGasPrice: Hex
  readonly logs: readonly RpcLog[]
  readonly logsBloom: Hex
}

export type RpcTransaction = Readonly<Record<string, unknown>> & { readonly hash: Hash; readonly from: Address }

/** Header fields in RPC names, with `size`; the block's transactions and the two empty lists are added when answering. */
export type RpcHeader = Readonly<Record<string, Hex | null>> & {
  readonly number: Hex
  readonly hash: Hash
  readonly parentHash: Hash
  readonly stateRoot: Hash
  readonly logsBloom: Hex
  readonly timestamp: Hex
  readonly baseFeePerGas: Hex
  readonly gasUsed: Hex
  readonly gasLimit: Hex
}

export interface MinedTransaction {
  /** The signed bytes as they came in (EIP-2718 envelope). */
  readonly raw: Hex
  readonly rpc: RpcTransaction
}

export interface BlockRecord {
  readonly number: number
  readonly hash: Hash
  readonly header: RpcHeader
  readonly transactions: readonly MinedTransaction[]
  /** One per transaction, in order. */
  readonly receipts: readonly RpcReceipt[]
}

/** JSON-RPC quantity: no leading zeros. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** Head fields of one block that arithmetic needs. Seconds, wei, gas. */
export function headerNumbers(record: BlockRecord) {
  const { timestamp, baseFeePerGas, gasUsed, gasLimit } = record.header
  return {
    timestamp: Number(timestamp),
    baseFeePerGas: BigInt(baseFeePerGas),
    gasUsed: BigInt(gasUsed),
    gasLimit: BigInt(gasLimit),
  }
}

export function headerToRpc(header: BlockHeader, size: number): RpcHeader {
  const optionalHash = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : bytesToHex(bytes))
  return {
    number: quantity(header.number),
    hash: bytesToHex(header.hash()),
    parentHash: bytesToHex(header.parentHash),
    sha3Uncles: bytesToHex(header.uncleHash),
    miner: bytesToHex(header.coinbase.bytes),
    stateRoot: bytesToHex(header.stateRoot),
    transactionsRoot: bytesToHex(header.transactionsTrie),
    receiptsRoot: bytesToHex(header.receiptTrie),
    logsBloom: bytesToHex(header.logsBloom),
    difficulty: quantity(header.difficulty),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: bytesToHex(header.extraData),
    mixHash: bytesToHex(header.mixHash),
    nonce: bytesToHex(header.nonce),
    baseFeePerGas: quantity(header.baseFeePerGas ?? 0n),
    withdrawalsRoot: optionalHash(header.withdrawalsRoot),
    blobGasUsed: quantity(header.blobGasUsed ?? 0n),
    excessBlobGas: quantity(header.excessBlobGas ?? 0n),
    parentBeaconBlockRoot: optionalHash(header.parentBeaconBlockRoot),
    requestsHash: optionalHash(header.requestsHash),
    size: quantity(size),
  }
}

/** A block as `eth_getBlockBy*` answers it: whole transactions, or their hashes. */
export function blockToRpc(record: BlockRecord, full: boolean) {
  return {
    ...record.header,
    transactions: record.transactions.map((transaction) => (full ? transaction.rpc : transaction.rpc.hash)),
    uncles: [],
    withdrawals: [],
  }
}

/** Where a mined transaction stands; undefined while it is pending. */
export interface TransactionPlace {
  readonly blockHash: Hash
  readonly blockNumber: number
  readonly index: number
  readonly baseFeePerGas: bigint
}

export function transactionToRpc(
  transaction: TypedTransaction,
  from: Address,
  place?: TransactionPlace,
): RpcTransaction {
  const { v, r, s } = transaction
  const common = {
    type: quantity(transaction.type),
    hash: bytesToHex(transaction.hash()),
    from,
    to: transaction.to === undefined ? null : bytesToHex(transaction.to.bytes),
    nonce: quantity(transaction.nonce),
    gas: quantity(transaction.gasLimit),
    value: quantity(transaction.value),
    input: bytesToHex(transaction.data),
    v: quantity(v ?? 0n),
    r: quantity(r ?? 0n),
    s: quantity(s ?? 0n),
    blockHash: place?.blockHash ?? null,
    blockNumber: place === undefined ? null : quantity(place.blockNumber),
    transactionIndex: place === undefined ? null : quantity(place.index),
    gasPrice: quantity(
      place === undefined ? feesOf(transaction).maxFee : effectiveGasPrice(transaction, place.baseFeePerGas),
    ),
  }
  if (transaction.type === 0) {
    return (v ?? 0n) >= 35n ? { ...common, chainId: quantity(((v ?? 0n) - 35n) / 2n) } : common
  }
  return { ...common, ...typedFields(transaction), yParity: quantity(v ?? 0n) }
}

/** What a transaction offers per gas: the most it pays, and the most of that to the block's coinbase. */
export function feesOf(transaction: TypedTransaction): { maxFee: bigint; maxTip: bigint } {
  if ('maxFeePerGas' in transaction) {
    return { maxFee: transaction.maxFeePerGas, maxTip: transaction.maxPriorityFeePerGas }
  }
  return { maxFee: transaction.gasPrice, maxTip: transaction.gasPrice }
}

/** Wei per gas that the sender pays at a base fee which the transaction affords (EIP-1559). */
export function effectiveGasPrice(transaction: TypedTransaction, baseFeePerGas: bigint): bigint {
  const { maxFee, maxTip } = feesOf(transaction)
  return maxFee - baseFeePerGas < maxTip ? maxFee : baseFeePerGas + maxTip
}

function typedFields(transaction: TypedTransaction) {
  const json = transaction.toJSON()
  const authorizations = json.authorizationList?.map((item) => ({
    chainId: trimmed(item.chainId),
    address: item.address,
    nonce: trimmed(item.nonce),
    yParity: trimmed(item.yParity),
    r: trimmed(item.r),
    s: trimmed(item.s),
  }))
  return {
    chainId: json.chainId === undefined ? null : trimmed(json.chainId),
    accessList: json.accessList ?? [],
    ...('maxFeePerGas' in transaction && {
      maxFeePerGas: quantity(transaction.maxFeePerGas),
      maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
    }),
    ...(authorizations !== undefined && { authorizationList: authorizations }),
  }
}

/** A quantity from bytes, where zero may be no bytes at all. */
function trimmed(hex: string): Hex {
  return quantity(hex === '0x' ? 0n : BigInt(hex))
}

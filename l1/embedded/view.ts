/**
 * Reading the chain the way JSON-RPC names it (docs/spec.md, "L1", the embedded L1): tags, heights, hashes; accounts and calls at
 * any of them; logs by range. `finalized` and `safe` lie a fixed number of blocks behind the head; nothing enforces them.
 */
import type { Block } from '@ethereumjs/block'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { callBaseFee } from './calls.ts'
import { type Chain, planHeader, recordHeader } from './chain.ts'
import { invalidParams, limitExceeded, refused } from './errors.ts'
import type { Mempool } from './mempool.ts'
import type { Miner } from './mining.ts'
import type { BlockRef, CallRequest, LogMatcher, LogQuery } from './params.ts'
import { type BlockRecord, headerNumbers, quantity, type RpcLog, transactionToRpc } from './records.ts'
import { type Machine, type StateReader, toEvmAddress } from './state.ts'

export interface ViewLimits {
  /** Blocks that one log query may span. */
  readonly logRange: number
  /** Logs that one query may return. */
  readonly logResults: number
}

export class View {
  readonly chain: Chain
  readonly pool: Mempool
  readonly miner: Miner
  private readonly reader: StateReader
  private readonly finalityDepth: number
  private readonly limits: ViewLimits

  constructor(parts: {
    chain: Chain
    pool: Mempool
    miner: Miner
    reader: StateReader
    finalityDepth: number
    limits: ViewLimits
  }) {
    this.chain = parts.chain
    this.pool = parts.pool
    this.miner = parts.miner
    this.reader = parts.reader
    this.finalityDepth = parts.finalityDepth
    this.limits = parts.limits
  }

  /** The block, or undefined when there is none. `pending` reads as the newest block: its state is what pending calls start from. */
  find(ref: BlockRef): BlockRecord | undefined {
    if (ref.kind === 'number') return this.chain.store.at(ref.number)
    if (ref.kind === 'hash') {
      const number = this.chain.store.numberOf(ref.hash)
      return number === undefined ? undefined : this.chain.store.at(number)
    }
    return this.chain.block(this.heightOf(ref.tag))
  }

  /** The block. Throws RpcError when there is none. */
  require(ref: BlockRef): BlockRecord {
    const record = this.find(ref)
    if (record === undefined) throw refused('header not found')
    return record
  }

  /** Reads the state after a block. */
  at<T>(ref: BlockRef, read: (machine: Machine) => Promise<T>): Promise<T> {
    return this.reader.at(this.require(ref).header.stateRoot, read)
  }

  /** Reads with the block context that a call sees: the named block's own, or the next block's for `pending`. */
  inContext<T>(ref: BlockRef, request: CallRequest, read: (machine: Machine, block: Block) => Promise<T>): Promise<T> {
    const record = this.require(ref)
    const pending = ref.kind === 'tag' && ref.tag === 'pending'
    const header = pending ? planHeader(this.miner.upcomingPlan()) : recordHeader(record)
    const baseFeePerGas = callBaseFee(request, BigInt((header.baseFeePerGas as bigint | undefined) ?? 0n))
    const block = this.chain.evmBlock({ ...header, baseFeePerGas })
    return this.reader.at(record.header.stateRoot, (machine) => read(machine, block))
  }

  /** Nonce at a block; for `pending` after the pool's unbroken run. */
  async nonceOf(address: Address, ref: BlockRef): Promise<bigint> {
    const nonce = await this.at(ref, async ({ state }) => {
      const account = await state.getAccount(toEvmAddress(address))
      return account?.nonce ?? 0n
    })
    return ref.kind === 'tag' && ref.tag === 'pending' ? this.pool.nextNonce(address, nonce) : nonce
  }

  /** The block that would come now, with what the pool holds for it; not executed, so roots and gas used are unknown. */
  pendingBlock(full: boolean) {
    const plan = this.miner.upcomingPlan()
    const entries = this.pool.all().filter((entry) => entry.maxFee >= plan.baseFeePerGas)
    return {
      ...plan.parent.header,
      number: quantity(plan.parent.number + 1),
      parentHash: plan.parent.hash,
      hash: null,
      nonce: null,
      logsBloom: null,
      miner: plan.coinbase,
      timestamp: quantity(plan.timestamp),
      baseFeePerGas: quantity(plan.baseFeePerGas),
      gasLimit: quantity(plan.gasLimit),
      gasUsed: '0x0',
      transactions: entries.map((entry) => (full ? transactionToRpc(entry.transaction, entry.from) : entry.hash)),
      uncles: [],
      withdrawals: [],
    }
  }

  /** Matching logs in chain order. Throws RpcError beyond the limits. */
  logs(query: LogQuery): readonly RpcLog[] {
    if (query.blockHash !== undefined) {
      const number = this.chain.store.numberOf(query.blockHash)
      if (number === undefined) throw refused('unknown block')
      return blockLogs(this.chain.block(number)).filter((log) => matches(log, query))
    }
    const head = this.chain.head().number
    const from = this.boundOf(query.from, head)
    const to = Math.min(this.boundOf(query.to, head), head)
    if (from > this.boundOf(query.to, head)) throw invalidParams('invalid block range params')
    if (to - from >= this.limits.logRange) {
      throw limitExceeded(`query exceeds max block range ${this.limits.logRange}: got ${to - from + 1} blocks`)
    }
    const found: RpcLog[] = []
    for (const number of this.chain.store.withLogs(from, to)) {
      for (const log of blockLogs(this.chain.block(number))) if (matches(log, query)) found.push(log)
      if (found.length > this.limits.logResults) {
        throw limitExceeded(`query returned more than ${this.limits.logResults} results: narrow the range`)
      }
    }
    return found
  }

  /** `eth_feeHistory`. */
  feeHistory(count: number, newest: BlockRef, percentiles: readonly number[]) {
    const last = this.require(newest)
    const size = Math.min(count, 1024, last.number + 1)
    const oldest = last.number - size + 1
    const records = Array.from({ length: size }, (_, index) => this.chain.block(oldest + index))
    const following = this.chain.store.at(last.number + 1)
    const nextFee = following === undefined ? this.miner.upcomingBaseFee() : headerNumbers(following).baseFeePerGas
    const fees = records.map((record) => headerNumbers(record).baseFeePerGas)
    return {
      oldestBlock: quantity(oldest),
      baseFeePerGas: [...fees, nextFee].map(quantity),
      gasUsedRatio: records.map((record) => {
        const { gasUsed, gasLimit } = headerNumbers(record)
        return Number((gasUsed * 1_000_000n) / gasLimit) / 1_000_000
      }),
      baseFeePerBlobGas: Array.from({ length: size + 1 }, () => '0x1'),
      blobGasUsedRatio: Array.from({ length: size }, () => 0),
      ...(percentiles.length > 0 && { reward: records.map((record) => tipsAt(record, percentiles).map(quantity)) }),
    }
  }

  private heightOf(tag: string): number {
    const head = this.chain.head().number
    if (tag === 'earliest') return 0
    if (tag === 'safe' || tag === 'finalized') return Math.max(0, head - this.finalityDepth)
    return head
  }

  private boundOf(ref: BlockRef | undefined, head: number): number {
    if (ref === undefined) return head
    if (ref.kind === 'number') return ref.number
    if (ref.kind === 'tag') return this.heightOf(ref.tag)
    return this.require(ref).number
  }
}

export function blockLogs(record: BlockRecord): readonly RpcLog[] {
  return record.receipts.flatMap((receipt) => receipt.logs)
}

export function matches(log: RpcLog, { addresses, topics }: LogMatcher): boolean {
  if (addresses !== undefined && !addresses.has(log.address)) return false
  if (topics.length > log.topics.length) return false
  return topics.every((options, index) => options === undefined || options.has(log.topics[index] as Hash))
}

/** Tips at percentiles of gas, lowest tip first; zeros for an empty block. */
function tipsAt(record: BlockRecord, percentiles: readonly number[]): bigint[] {
  const { baseFeePerGas, gasUsed } = headerNumbers(record)
  const paid = record.receipts
    .map((receipt) => ({ tip: BigInt(receipt.effectiveGasPrice) - baseFeePerGas, gas: BigInt(receipt.gasUsed) }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  return percentiles.map((percentile) => {
    const threshold = (gasUsed * BigInt(Math.round(percentile * 1000))) / 100_000n
    let sum = 0n
    for (const { tip, gas } of paid) {
      sum += gas
      if (sum >= threshold) return tip
    }
    return 0n
  })
}

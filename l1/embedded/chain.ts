/**
 * The canonical chain and its state (docs/spec.md, "L1", the embedded L1): builds blocks on a parent, switches the head. Every
 * way the head can move (a block, a reorg, a rollback, a revert to a snapshot) is one `switchTo`, told to listeners as what was
 * removed and what was added. Callers queue: one build or switch at a time.
 */
import { createBlock, genTransactionsTrieRoot } from '@ethereumjs/block'
import type { Common } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import type { TypedTransaction } from '@ethereumjs/tx'
import { Account, createContractAddress } from '@ethereumjs/util'
import { Bloom, encodeReceipt, type RunTxResult, runTx } from '@ethereumjs/vm'
import {
  type Address,
  bytesToHex,
  concatBytes,
  type Hash,
  type Hex,
  hexToBytes,
  writeUint,
} from '../../protocol/bytes.ts'
import { bug, isLifeboatError } from '../../protocol/errors.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import type { PooledTransaction } from './mempool.ts'
import type { NodeDb } from './nodeDb.ts'
import {
  type BlockRecord,
  effectiveGasPrice,
  headerNumbers,
  headerToRpc,
  quantity,
  type RpcHeader,
  type RpcReceipt,
  type TransactionPlace,
  transactionToRpc,
} from './records.ts'
import { BEACON_ROOTS_CONTRACT, BEACON_ROOTS_WINDOW, HISTORY_CONTRACT, HISTORY_WINDOW } from './rules.ts'
import { type BlockHashOf, type Machine, rootOf, toEvmAddress } from './state.ts'
import type { BlockStore } from './store.ts'

/** Everything about a block that is decided before its transactions run. Seconds, wei, gas. */
export interface BlockPlan {
  readonly parent: BlockRecord
  readonly timestamp: number
  readonly baseFeePerGas: bigint
  readonly gasLimit: bigint
  readonly coinbase: Address
  readonly extraData: Hex
}

/** Gives transactions one by one; told how each fared. */
export interface TransactionSource {
  best(): PooledTransaction | undefined
  taken(entry: PooledTransaction): void
  /** It does not fit into what is left of the block, or (with a reason) it can't be included at all. */
  skip(entry: PooledTransaction, invalid?: string): void
}

export interface HeadChange {
  /** Newest first. */
  readonly removed: readonly BlockRecord[]
  /** Oldest first. */
  readonly added: readonly BlockRecord[]
}

export const EMPTY_SOURCE: TransactionSource = { best: () => undefined, taken() {}, skip() {} }

interface Execution {
  readonly entry: PooledTransaction
  readonly result: RunTxResult
}

export interface ChainParts {
  readonly rules: Common
  readonly store: BlockStore
  readonly nodes: NodeDb
  readonly createMachine: (hashAt: BlockHashOf) => Promise<Machine>
}

export class Chain {
  readonly rules: Common
  readonly store: BlockStore
  private readonly createMachine: () => Promise<Machine>
  private machine: Machine
  private readonly nodes: NodeDb
  private readonly listeners: ((change: HeadChange) => void)[] = []
  /** Blocks built and not yet canonical, for BLOCKHASH while a replacement branch is under construction. */
  private branch: readonly BlockRecord[] = []

  private constructor(parts: ChainParts, machine: Machine) {
    this.rules = parts.rules
    this.store = parts.store
    this.nodes = parts.nodes
    this.createMachine = () => parts.createMachine((number) => this.hashAt(number))
    this.machine = machine
  }

  /** Stands on nothing yet: `standOn` a block, or make `genesisState`. */
  static async create(parts: ChainParts): Promise<Chain> {
    const chain: Chain = new Chain(parts, await parts.createMachine((number) => chain.hashAt(number)))
    return chain
  }

  /** The newest block. There always is one after genesis. */
  head(): BlockRecord {
    return this.block(this.store.head())
  }

  block(number: number): BlockRecord {
    const record = this.store.at(number)
    if (record === undefined) throw bug('L1_BLOCK_MISSING', 'a canonical block is missing', { got: number })
    return record
  }

  onChange(listener: (change: HeadChange) => void): void {
    this.listeners.push(listener)
  }

  /** BLOCKHASH's view: the branch under construction, else the canonical chain. */
  hashAt(number: number): Hash | undefined {
    return this.branch.find((record) => record.number === number)?.hash ?? this.store.at(number)?.hash
  }

  /** Takes the state of `record` as the one to build on. */
  async standOn(record: BlockRecord): Promise<void> {
    await this.machine.state.setStateRoot(hexToBytes(record.header.stateRoot))
  }

  /** Declares that `records` precede the next block built; empty when a branch is done. */
  continueBranch(records: readonly BlockRecord[]): void {
    this.branch = records
  }

  /**
   * Runs `source` on the parent's state, on which the machine must stand, and leaves the machine on the new block's state.
   * `edit` changes the state by decree before any transaction (development methods). On an error the state is the parent's again.
   */
  async build(
    plan: BlockPlan,
    source: TransactionSource,
    edit?: (machine: Machine) => Promise<void>,
  ): Promise<BlockRecord> {
    const { state } = this.machine
    await state.checkpoint()
    try {
      await this.openBlock(plan)
      if (edit !== undefined) await edit(this.machine)
      const executions = await this.execute(plan, source)
      await state.commit()
      return await this.seal(plan, executions)
    } catch (error) {
      // Whatever failed may have left checkpoints open; a new machine has none.
      this.machine = await this.createMachine()
      this.nodes.takeFresh()
      await this.standOn(plan.parent)
      throw error
    }
  }

  /** Makes `added` the continuation of `ancestor` and tells everybody. The machine must stand on the last of them. */
  async switchTo(ancestor: number, added: readonly BlockRecord[]): Promise<HeadChange> {
    const removed: BlockRecord[] = []
    for (let number = this.store.head(); number > ancestor; number--) removed.push(this.block(number))
    const fresh = this.nodes.takeFresh()
    try {
      this.store.switchTo(ancestor, added, fresh)
    } catch (error) {
      await this.standOn(this.head())
      throw error
    }
    const change = { removed, added }
    for (const listener of this.listeners) listener(change)
    return change
  }

  /** The header that the EVM sees for calls "at" a plan or a sealed block. */
  evmBlock(header: EvmHeader) {
    return createBlock({ header }, { common: this.rules })
  }

  private async openBlock(plan: BlockPlan): Promise<void> {
    const { state } = this.machine
    const parentSlot = slotBytes(BigInt(plan.parent.number % HISTORY_WINDOW))
    await state.putStorage(toEvmAddress(HISTORY_CONTRACT), parentSlot, hexToBytes(plan.parent.hash))
    const ring = BigInt(plan.timestamp % BEACON_ROOTS_WINDOW)
    const beaconRoots = toEvmAddress(BEACON_ROOTS_CONTRACT)
    await state.putStorage(beaconRoots, slotBytes(ring), slotBytes(BigInt(plan.timestamp)))
    await state.putStorage(beaconRoots, slotBytes(ring + BigInt(BEACON_ROOTS_WINDOW)), new Uint8Array(32))
  }

  private async execute(plan: BlockPlan, source: TransactionSource): Promise<Execution[]> {
    const block = this.evmBlock(planHeader(plan))
    const executions: Execution[] = []
    let gasUsed = 0n
    for (let entry = source.best(); entry !== undefined; entry = source.best()) {
      if (entry.transaction.gasLimit > plan.gasLimit - gasUsed) {
        source.skip(entry)
        continue
      }
      const outcome = await this.runOne(entry.transaction, block, gasUsed)
      if (typeof outcome === 'string') {
        source.skip(entry, outcome)
        continue
      }
      gasUsed += outcome.totalGasSpent
      executions.push({ entry, result: outcome })
      source.taken(entry)
    }
    return executions
  }

  /** The result, or why the transaction can't be in a block. */
  private async runOne(
    transaction: TypedTransaction,
    block: ReturnType<Chain['evmBlock']>,
    blockGasUsed: bigint,
  ): Promise<RunTxResult | string> {
    try {
      return await runTx(this.machine.vm, { tx: transaction, block, blockGasUsed })
    } catch (error) {
      // A damaged store is our fault, not the transaction's.
      if (isLifeboatError(error)) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }

  private async seal(plan: BlockPlan, executions: readonly Execution[]): Promise<BlockRecord> {
    const transactions = executions.map(({ entry }) => entry.transaction)
    const bloom = new Bloom(undefined, this.rules)
    for (const { result } of executions) bloom.or(result.bloom)
    const { header } = this.evmBlock({
      ...planHeader(plan),
      stateRoot: hexToBytes(await rootOf(this.machine.state)),
      transactionsTrie: await genTransactionsTrieRoot(transactions, await createMPT({ common: this.rules })),
      receiptTrie: await this.receiptsRoot(executions),
      logsBloom: bloom.bitvector,
      gasUsed: executions.at(-1)?.result.receipt.cumulativeBlockGasUsed ?? 0n,
    })
    const size = RLP.encode([header.raw(), transactions.map(bodyItem), [], []]).length
    const rpcHeader = headerToRpc(header, size)
    return assembleRecord(plan, rpcHeader, executions)
  }

  private async receiptsRoot(executions: readonly Execution[]): Promise<Uint8Array> {
    const trie = await createMPT({ common: this.rules })
    for (const [index, { entry, result }] of executions.entries()) {
      await trie.put(RLP.encode(index), encodeReceipt(result.receipt, entry.transaction.type))
    }
    return trie.root()
  }

  /** Funds the accounts and places the contracts that exist from the start. Gives the state root; the machine stands on it. */
  async genesisState(
    balances: ReadonlyMap<Address, bigint>,
    contracts: readonly { address: Address; code: Hex }[],
  ): Promise<Hash> {
    const { state } = this.machine
    await state.checkpoint()
    for (const [address, balance] of balances) await state.putAccount(toEvmAddress(address), new Account(0n, balance))
    for (const { address, code } of contracts) {
      await state.putAccount(toEvmAddress(address), new Account(1n, balances.get(address) ?? 0n))
      await state.putCode(toEvmAddress(address), hexToBytes(code))
    }
    await state.commit()
    return await rootOf(state)
  }
}

/** The header fields that a block's own context has; unnamed ones are empty. */
export type EvmHeader = NonNullable<NonNullable<Parameters<typeof createBlock>[0]>['header']>

export function planHeader(plan: BlockPlan): EvmHeader {
  return {
    parentHash: hexToBytes(plan.parent.hash),
    number: plan.parent.number + 1,
    timestamp: plan.timestamp,
    gasLimit: plan.gasLimit,
    baseFeePerGas: plan.baseFeePerGas,
    coinbase: hexToBytes(plan.coinbase),
    extraData: hexToBytes(plan.extraData),
    mixHash: randomnessAfter(plan.parent),
  }
}

/** The EVM's header of a sealed block, from its record. */
export function recordHeader({ header }: BlockRecord): EvmHeader {
  const bytes = (field: string) => hexToBytes(header[field] ?? '0x')
  return {
    parentHash: bytes('parentHash'),
    coinbase: bytes('miner'),
    stateRoot: bytes('stateRoot'),
    transactionsTrie: bytes('transactionsRoot'),
    receiptTrie: bytes('receiptsRoot'),
    logsBloom: bytes('logsBloom'),
    number: BigInt(header.number),
    gasLimit: BigInt(header.gasLimit),
    gasUsed: BigInt(header.gasUsed),
    timestamp: BigInt(header.timestamp),
    extraData: bytes('extraData'),
    mixHash: bytes('mixHash'),
    baseFeePerGas: BigInt(header.baseFeePerGas),
  }
}

/** EIP-1559: moves by at most an eighth toward half-full blocks. */
export function nextBaseFee(parent: BlockRecord, floor: bigint): bigint {
  const { baseFeePerGas, gasUsed, gasLimit } = headerNumbers(parent)
  const target = gasLimit / 2n
  let next = baseFeePerGas
  if (gasUsed > target) {
    const rise = (baseFeePerGas * (gasUsed - target)) / target / 8n
    next += rise > 1n ? rise : 1n
  } else {
    next -= (baseFeePerGas * (target - gasUsed)) / target / 8n
  }
  return next < floor ? floor : next
}

/** Not random: a fresh value per block, the same on every run. */
function randomnessAfter(parent: BlockRecord): Uint8Array {
  return keccak256(concatBytes(hexToBytes(parent.hash), new TextEncoder().encode('prevrandao')))
}

function slotBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  writeUint(bytes, 0, value, 32)
  return bytes
}

function assembleRecord(plan: BlockPlan, header: RpcHeader, executions: readonly Execution[]): BlockRecord {
  const blockNumber = plan.parent.number + 1
  let logIndex = 0
  const placed = executions.map(({ entry, result }, index) => {
    const place = { blockHash: header.hash, blockNumber, index, baseFeePerGas: plan.baseFeePerGas }
    const receipt = receiptOf(entry, result, place, { firstLog: logIndex, timestamp: header.timestamp })
    logIndex += receipt.logs.length
    return { raw: entry.raw, rpc: transactionToRpc(entry.transaction, entry.from, place), receipt }
  })
  return {
    number: blockNumber,
    hash: header.hash,
    header,
    transactions: placed.map(({ raw, rpc }) => ({ raw, rpc })),
    receipts: placed.map(({ receipt }) => receipt),
  }
}

function receiptOf(
  entry: PooledTransaction,
  result: RunTxResult,
  place: TransactionPlace,
  block: { firstLog: number; timestamp: Hex },
): RpcReceipt {
  const { transaction, hash, from } = entry
  const position = {
    transactionHash: hash,
    transactionIndex: quantity(place.index),
    blockHash: place.blockHash,
    blockNumber: quantity(place.blockNumber),
  }
  const created =
    transaction.to === undefined ? createContractAddress(toEvmAddress(from), transaction.nonce).bytes : undefined
  return {
    type: quantity(transaction.type),
    status: result.execResult.exceptionError === undefined ? '0x1' : '0x0',
    ...position,
    from,
    to: transaction.to === undefined ? null : bytesToHex(transaction.to.bytes),
    contractAddress: created === undefined ? null : bytesToHex(created),
    cumulativeGasUsed: quantity(result.receipt.cumulativeBlockGasUsed),
    gasUsed: quantity(result.totalGasSpent),
    effectiveGasPrice: quantity(effectiveGasPrice(transaction, place.baseFeePerGas)),
    logs: result.receipt.logs.map(([address, topics, data], index) => ({
      address: bytesToHex(address),
      topics: topics.map((topic) => bytesToHex(topic)),
      data: bytesToHex(data),
      ...position,
      blockTimestamp: block.timestamp,
      logIndex: quantity(block.firstLog + index),
      removed: false,
    })),
    logsBloom: bytesToHex(result.receipt.bitvector),
  }
}

/** In a block body a legacy transaction is a list, a typed one a byte string (EIP-2718). */
function bodyItem(transaction: TypedTransaction) {
  return transaction.type === 0 ? transaction.raw() : transaction.serialize()
}

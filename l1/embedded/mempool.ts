/**
 * Transactions waiting for a block (docs/spec.md, "L1", the embedded L1): admission by go-ethereum's rules and in its words,
 * nonce gaps queue, a replacement pays at least a tenth more. Knows no chain: it asks for accounts through `PoolView`.
 */
import type { Common } from '@ethereumjs/common'
import { createTxFromRLP, getCalldataFloorGas, type TypedTransaction } from '@ethereumjs/tx'
import { type Address, bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'
import { limitExceeded, type RpcError, refused } from './errors.ts'
import { feesOf } from './records.ts'

export interface PooledTransaction {
  readonly transaction: TypedTransaction
  readonly hash: Hash
  readonly raw: Hex
  readonly from: Address
  readonly nonce: bigint
  readonly maxFee: bigint
  readonly maxTip: bigint
  /** Value plus the most it can pay for gas, wei. */
  readonly cost: bigint
  /** Order of arrival, for equal tips. */
  readonly arrival: number
}

/** The sender's account at the head. */
export interface SenderAccount {
  readonly nonce: bigint
  readonly balance: bigint
  /** Code that isn't an EIP-7702 delegation: such an account can't send (EIP-3607). */
  readonly isContract: boolean
}

export interface PoolRules {
  readonly rules: Common
  readonly chainId: number
  readonly blockGasLimit: bigint
  /** EIP-7825's cap for one transaction, where wanted. */
  readonly transactionGasCap: bigint | undefined
}

const MAX_POOLED = 10_000
const MAX_TRANSACTION_BYTES = 128 * 1024
/** EIP-3860. */
const MAX_INITCODE_BYTES = 49_152
const MAX_NONCE = 2n ** 64n - 2n

/** Decodes and checks what needs no account. Throws RpcError in go-ethereum's wording. */
export function decodeTransaction(raw: Uint8Array, pool: PoolRules): TypedTransaction {
  if (raw.length === 0) throw refused('rlp: value size exceeds available input length')
  if (raw.length > MAX_TRANSACTION_BYTES) {
    throw refused(`oversized data: transaction size ${raw.length}, limit ${MAX_TRANSACTION_BYTES}`)
  }
  const type = raw[0] ?? 0
  if (type === 3 || (type < 0xc0 && type > 4) || type === 0) throw refused('transaction type not supported')
  const transaction = parseTransaction(raw, pool)
  const chainId = chainIdOf(transaction)
  if (chainId !== undefined && chainId !== BigInt(pool.chainId)) throw wrongChain(chainId, pool.chainId)
  checkGas(transaction, pool)
  if (transaction.nonce > MAX_NONCE) throw refused('nonce has max value')
  return transaction
}

export class Mempool {
  private readonly bySender = new Map<Address, Map<bigint, PooledTransaction>>()
  private readonly byHash = new Map<Hash, PooledTransaction>()
  private arrivals = 0
  private readonly pool: PoolRules

  constructor(pool: PoolRules) {
    this.pool = pool
  }

  get size(): number {
    return this.byHash.size
  }

  get(hash: Hash): PooledTransaction | undefined {
    return this.byHash.get(hash)
  }

  all(): readonly PooledTransaction[] {
    return [...this.byHash.values()]
  }

  /** Admits signed bytes. `accountOf` reads the head. Throws RpcError; then nothing has changed. */
  async add(raw: Uint8Array, accountOf: (address: Address) => Promise<SenderAccount>): Promise<PooledTransaction> {
    const entry = this.decode(raw)
    if (this.byHash.has(entry.hash)) throw refused('already known')
    const account = await accountOf(entry.from)
    if (account.isContract) throw refused(`sender not an eoa: address ${entry.from}`)
    if (entry.nonce < account.nonce) {
      throw refused(`nonce too low: next nonce ${account.nonce}, tx nonce ${entry.nonce}`)
    }
    const rival = this.bySender.get(entry.from)?.get(entry.nonce)
    if (rival !== undefined && !outbids(entry, rival)) throw refused('replacement transaction underpriced')
    this.checkFunds(entry, account, rival)
    if (rival === undefined && this.byHash.size >= MAX_POOLED) throw limitExceeded('txpool is full')
    this.insert(entry)
    return entry
  }

  /** Takes back a transaction that was in a block which a reorg removed. Keeps what is there when both claim a nonce. */
  restore(raw: Uint8Array): void {
    const entry = this.decode(raw)
    if (this.bySender.get(entry.from)?.has(entry.nonce) !== true) this.insert(entry)
  }

  drop(hash: Hash): PooledTransaction | undefined {
    const entry = this.byHash.get(hash)
    if (entry === undefined) return undefined
    this.byHash.delete(hash)
    const queue = this.bySender.get(entry.from)
    queue?.delete(entry.nonce)
    if (queue?.size === 0) this.bySender.delete(entry.from)
    return entry
  }

  /** Forgets everything of `sender` below its new nonce. */
  prune(sender: Address, nonce: bigint): void {
    for (const entry of [...(this.bySender.get(sender)?.values() ?? [])]) if (entry.nonce < nonce) this.drop(entry.hash)
  }

  clear(): void {
    this.bySender.clear()
    this.byHash.clear()
  }

  senders(): readonly Address[] {
    return [...this.bySender.keys()]
  }

  /** The nonce after the unbroken run that starts at `nonce`. */
  nextNonce(sender: Address, nonce: bigint): bigint {
    const queue = this.bySender.get(sender)
    let next = nonce
    while (queue?.has(next) === true) next++
    return next
  }

  at(sender: Address, nonce: bigint): PooledTransaction | undefined {
    return this.bySender.get(sender)?.get(nonce)
  }

  /** A transaction as the pool would keep it, without admitting it. Throws RpcError. */
  decode(raw: Uint8Array): PooledTransaction {
    const transaction = decodeTransaction(raw, this.pool)
    const { maxFee, maxTip } = feesOf(transaction)
    return {
      transaction,
      hash: bytesToHex(transaction.hash()),
      raw: bytesToHex(raw),
      from: senderOf(transaction),
      nonce: transaction.nonce,
      maxFee,
      maxTip,
      cost: transaction.value + transaction.gasLimit * maxFee,
      arrival: this.arrivals++,
    }
  }

  private insert(entry: PooledTransaction): void {
    const queue = this.bySender.get(entry.from) ?? new Map<bigint, PooledTransaction>()
    const rival = queue.get(entry.nonce)
    if (rival !== undefined) this.byHash.delete(rival.hash)
    queue.set(entry.nonce, entry)
    this.bySender.set(entry.from, queue)
    this.byHash.set(entry.hash, entry)
  }

  private checkFunds(entry: PooledTransaction, account: SenderAccount, rival: PooledTransaction | undefined): void {
    const { balance } = account
    if (balance < entry.cost) {
      throw refused(
        `insufficient funds for gas * price + value: balance ${balance}, tx cost ${entry.cost}, overshot ${entry.cost - balance}`,
      )
    }
    let queued = -(rival?.cost ?? 0n)
    for (const other of this.bySender.get(entry.from)?.values() ?? []) queued += other.cost
    if (balance < queued + entry.cost) {
      throw refused(
        `insufficient funds for gas * price + value: balance ${balance}, queued cost ${queued}, tx cost ${entry.cost}, overshot ${queued + entry.cost - balance}`,
      )
    }
  }
}

/**
 * Hands out what can go into a block, best tip first, each sender in nonce order.
 * `skip` is told when the last one did not fit or was invalid: its sender is passed over for this block.
 */
export function createSelection(pool: Mempool, nonces: ReadonlyMap<Address, bigint>, baseFeePerGas: bigint) {
  const heads = new Map<Address, PooledTransaction>()
  for (const [sender, nonce] of nonces) {
    const entry = pool.at(sender, nonce)
    if (entry !== undefined && entry.maxFee >= baseFeePerGas) heads.set(sender, entry)
  }
  return {
    best(): PooledTransaction | undefined {
      let best: PooledTransaction | undefined
      for (const entry of heads.values())
        if (best === undefined || comesBefore(entry, best, baseFeePerGas)) best = entry
      return best
    },
    taken(entry: PooledTransaction): void {
      const next = pool.at(entry.from, entry.nonce + 1n)
      if (next !== undefined && next.maxFee >= baseFeePerGas) heads.set(entry.from, next)
      else heads.delete(entry.from)
    },
    skip(entry: PooledTransaction): void {
      heads.delete(entry.from)
    },
  }
}

function comesBefore(a: PooledTransaction, b: PooledTransaction, baseFeePerGas: bigint): boolean {
  const tipA = tipAt(a, baseFeePerGas)
  const tipB = tipAt(b, baseFeePerGas)
  return tipA === tipB ? a.arrival < b.arrival : tipA > tipB
}

function tipAt(entry: PooledTransaction, baseFeePerGas: bigint): bigint {
  const room = entry.maxFee - baseFeePerGas
  return room < entry.maxTip ? room : entry.maxTip
}

function outbids(entry: PooledTransaction, rival: PooledTransaction): boolean {
  return (
    entry.maxFee * 10n >= rival.maxFee * 11n && entry.maxTip * 10n >= rival.maxTip * 11n && entry.maxFee > rival.maxFee
  )
}

function parseTransaction(raw: Uint8Array, pool: PoolRules): TypedTransaction {
  try {
    return createTxFromRLP(raw, { common: pool.rules })
  } catch (cause) {
    throw describeDecodeFailure(cause, pool)
  }
}

function describeDecodeFailure(cause: unknown, pool: PoolRules): RpcError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const chain = /chain ?id/i.test(text) ? /(?:got|chain ?id)\D*(\d+)/i.exec(text)?.[1] : undefined
  if (chain !== undefined) return wrongChain(BigInt(chain), pool.chainId)
  if (/EIP155-based V/.test(text)) return refused(`invalid chain id for signer: want ${pool.chainId}`)
  if (/maxFeePerGas cannot be less than maxPriorityFeePerGas/.test(text)) {
    return refused('max priority fee per gas higher than max fee per gas')
  }
  if (/initcode/i.test(text)) return refused(`max initcode size exceeded: limit ${MAX_INITCODE_BYTES}`)
  return refused(`transaction could not be decoded: ${text.split(' (')[0]}`)
}

function wrongChain(have: bigint, want: number): RpcError {
  return refused(`invalid chain id for signer: have ${have} want ${want}`)
}

function chainIdOf(transaction: TypedTransaction): bigint | undefined {
  if ('chainId' in transaction) return transaction.chainId
  const v = transaction.v ?? 0n
  return v >= 35n ? (v - 35n) / 2n : undefined
}

function checkGas(transaction: TypedTransaction, pool: PoolRules): void {
  const { gasLimit } = transaction
  if (transaction.to === undefined && transaction.data.length > MAX_INITCODE_BYTES) {
    throw refused(`max initcode size exceeded: code size ${transaction.data.length}, limit ${MAX_INITCODE_BYTES}`)
  }
  if (gasLimit > pool.blockGasLimit) throw refused('exceeds block gas limit')
  if (pool.transactionGasCap !== undefined && gasLimit > pool.transactionGasCap) {
    throw refused(`transaction gas limit too high (cap: ${pool.transactionGasCap}, tx: ${gasLimit})`)
  }
  const intrinsic = transaction.getIntrinsicGas()
  if (gasLimit < intrinsic) {
    throw refused(`intrinsic gas too low: gas ${gasLimit}, minimum needed ${intrinsic}`)
  }
  const floor = getCalldataFloorGas(transaction)
  if (gasLimit < floor) {
    throw refused(`insufficient gas for floor data gas cost: gas ${gasLimit}, minimum needed ${floor}`)
  }
}

function senderOf(transaction: TypedTransaction): Address {
  try {
    return bytesToHex(transaction.getSenderAddress().bytes)
  } catch {
    throw refused('invalid sender')
  }
}

/**
 * When blocks are made and what goes in (docs/spec.md, "L1", the embedded L1). Three modes: `instant` makes a block for each
 * transaction that can go into one, before its sender gets an answer; an interval makes one every so many seconds, empty or not;
 * `manual` only when asked. Everything that moves the chain goes through one queue.
 */
import { type Address, bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'
import { type BlockPlan, type Chain, EMPTY_SOURCE, nextBaseFee, type TransactionSource } from './chain.ts'
import type { ChainTime } from './chainTime.ts'
import { invalidParams } from './errors.ts'
import { createSelection, type Mempool, type PooledTransaction, type SenderAccount } from './mempool.ts'
import { createQueue, type Queue } from './queue.ts'
import { type BlockRecord, headerNumbers } from './records.ts'
import { accountOf, type Machine, type StateReader, toEvmAddress } from './state.ts'

export type MiningMode = 'instant' | 'manual' | { readonly intervalSeconds: number }

/** Calls back once after a delay in milliseconds; gives what cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void

/** Something an operator of the node should know: an event name and fields. */
export type Warn = (event: string, fields: Readonly<Record<string, unknown>>) => void

export interface MinerOptions {
  readonly chain: Chain
  readonly pool: Mempool
  readonly reader: StateReader
  readonly time: ChainTime
  readonly mode: MiningMode
  readonly gasLimit: bigint
  readonly coinbase: Address
  readonly baseFeeFloor: bigint
  readonly schedule: Schedule
  readonly warn: Warn
}

/** Blocks made in one request. */
const MAX_BLOCKS_AT_ONCE = 100_000
const NORMAL_EXTRA_DATA: Hex = '0x'

export class Miner {
  readonly queue: Queue = createQueue()
  private readonly options: MinerOptions
  private readonly pendingListeners: ((entry: PooledTransaction) => void)[] = []
  private mode: MiningMode = 'manual'
  private cancelTimer: () => void = () => undefined
  private nextBaseFeePerGas: bigint | undefined

  constructor(options: MinerOptions) {
    this.options = options
    this.setMode(options.mode)
  }

  onPending(listener: (entry: PooledTransaction) => void): void {
    this.pendingListeners.push(listener)
  }

  currentMode(): MiningMode {
    return this.mode
  }

  /** Takes effect at once; leaving an interval cancels its timer. */
  setMode(mode: MiningMode): void {
    this.cancelTimer()
    this.cancelTimer = () => undefined
    this.mode = mode
    if (typeof mode === 'object') this.armTimer(mode.intervalSeconds)
  }

  stop(): void {
    this.setMode('manual')
  }

  /** Wei per gas of the next block, if it came now. */
  upcomingBaseFee(): bigint {
    return this.nextBaseFeePerGas ?? nextBaseFee(this.options.chain.head(), this.options.baseFeeFloor)
  }

  setUpcomingBaseFee(wei: bigint | undefined): void {
    this.nextBaseFeePerGas = wei
  }

  /** What the next block would be, if it came now. */
  upcomingPlan(): BlockPlan {
    const parent = this.options.chain.head()
    return this.plan(parent, this.options.time.next(headerNumbers(parent).timestamp))
  }

  /** Admits a signed transaction; in instant mode returns after the blocks that it made possible. Throws RpcError. */
  submit(raw: Uint8Array): Promise<Hash> {
    return this.queue.run(async () => {
      const entry = await this.options.pool.add(raw, (address) => this.senderAccount(address))
      for (const listener of this.pendingListeners) listener(entry)
      if (this.mode === 'instant') await this.mineReady()
      return entry.hash
    })
  }

  /** Makes `count` blocks, the first now or at `timestamp`, the others `intervalSeconds` apart. */
  mine(count: number, options: { intervalSeconds?: number; timestamp?: number } = {}): Promise<void> {
    if (count > MAX_BLOCKS_AT_ONCE)
      throw invalidParams(`too many blocks at once: ${count}, at most ${MAX_BLOCKS_AT_ONCE}`)
    return this.queue.run(async () => {
      const { time, chain } = this.options
      for (let made = 0; made < count; made++) {
        const { timestamp } = headerNumbers(chain.head())
        if (made === 0 && options.timestamp !== undefined) time.setNext(options.timestamp, timestamp)
        if (made > 0 && options.intervalSeconds !== undefined)
          time.setNext(timestamp + options.intervalSeconds, timestamp)
        await this.mineOne()
        // The work awaits nothing but itself; without this a long run would leave every connection unanswered.
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
  }

  /** Changes the state by decree, in an empty block of its own, so that every state still has a header. */
  mineEdit(edit: (machine: Machine) => Promise<void>): Promise<void> {
    return this.queue.run(async () => {
      const plan = this.upcomingPlan()
      await this.append(plan, await this.options.chain.build(plan, EMPTY_SOURCE, edit))
    })
  }

  /** Mines in instant mode what became possible by other means than a submission, such as a switch of mode. */
  mineReadyIfInstant(): Promise<void> {
    return this.queue.run(async () => {
      if (this.mode === 'instant') await this.mineReady()
    })
  }

  /** Builds a block on any parent with the pool's or the given transactions. The chain's machine must stand on the parent. */
  async buildOn(plan: BlockPlan, source?: TransactionSource): Promise<BlockRecord> {
    return this.options.chain.build(plan, source ?? (await this.selectFromPool(plan)))
  }

  plan(parent: BlockRecord, timestamp: number, extraData: Hex = NORMAL_EXTRA_DATA): BlockPlan {
    const { gasLimit, coinbase, baseFeeFloor, chain } = this.options
    const override = parent.hash === chain.head().hash ? this.nextBaseFeePerGas : undefined
    return {
      parent,
      timestamp,
      baseFeePerGas: override ?? nextBaseFee(parent, baseFeeFloor),
      gasLimit,
      coinbase,
      extraData,
    }
  }

  /** The sender as of the head, for admission. */
  async senderAccount(address: Address): Promise<SenderAccount> {
    return this.options.reader.at(this.options.chain.head().header.stateRoot, async ({ state }) => {
      const account = await accountOf(state, address)
      if (!account.isContract()) return { nonce: account.nonce, balance: account.balance, isContract: false }
      const code = await state.getCode(toEvmAddress(address))
      return { nonce: account.nonce, balance: account.balance, isContract: !isDelegation(code) }
    })
  }

  /** After blocks were added: what they contain, and what they made stale, leaves the pool. */
  async prunePool(added: readonly BlockRecord[]): Promise<void> {
    const { pool, reader, chain } = this.options
    for (const record of added) for (const { rpc } of record.transactions) pool.drop(rpc.hash)
    await reader.at(chain.head().header.stateRoot, async ({ state }) => {
      for (const sender of pool.senders()) pool.prune(sender, (await accountOf(state, sender)).nonce)
    })
  }

  private async mineReady(): Promise<void> {
    for (;;) {
      const plan = this.upcomingPlan()
      const source = await this.selectFromPool(plan)
      if (source.best() === undefined) return
      const record = await this.buildOn(plan, source)
      await this.append(plan, record)
      if (record.transactions.length === 0) return
    }
  }

  private async mineOne(): Promise<void> {
    const plan = this.upcomingPlan()
    await this.append(plan, await this.buildOn(plan))
  }

  private async append(plan: BlockPlan, record: BlockRecord): Promise<void> {
    await this.options.chain.switchTo(plan.parent.number, [record])
    this.nextBaseFeePerGas = undefined
    this.options.time.passed(plan.timestamp)
    await this.prunePool([record])
  }

  private async selectFromPool(plan: BlockPlan): Promise<TransactionSource> {
    const { pool, reader, warn } = this.options
    const nonces = new Map<Address, bigint>()
    await reader.at(plan.parent.header.stateRoot, async ({ state }) => {
      for (const sender of pool.senders()) nonces.set(sender, (await accountOf(state, sender)).nonce)
    })
    const selection = createSelection(pool, nonces, plan.baseFeePerGas)
    return {
      best: selection.best,
      taken: selection.taken,
      skip(entry, invalid) {
        selection.skip(entry)
        if (invalid === undefined) return
        pool.drop(entry.hash)
        warn('l1_transaction_dropped', { transactionHash: entry.hash, reason: invalid })
      },
    }
  }

  private armTimer(intervalSeconds: number): void {
    this.cancelTimer = this.options.schedule(() => {
      const tick = this.queue.run(async () => {
        if (typeof this.mode === 'object') await this.mineOne()
      })
      tick
        .catch((error: unknown) => {
          this.options.warn('l1_block_failed', { reason: error instanceof Error ? error.message : String(error) })
        })
        .finally(() => {
          if (typeof this.mode === 'object') this.setMode(this.mode)
        })
    }, intervalSeconds * 1000)
  }
}

/** Signed bytes as a block's source, in order; used where a caller dictates a block's content. */
export function dictatedSource(
  entries: readonly PooledTransaction[],
  refuse: (why: string) => never,
): TransactionSource {
  let next = 0
  return {
    best: () => entries[next],
    taken() {
      next++
    },
    skip(entry, invalid) {
      refuse(`transaction ${entry.hash} can't go into this block: ${invalid ?? 'out of block gas'}`)
    },
  }
}

function isDelegation(code: Uint8Array): boolean {
  return bytesToHex(code.subarray(0, 3)) === '0xef0100'
}

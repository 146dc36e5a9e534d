/**
 * What tells others about new blocks, logs and pending transactions (docs/spec.md, "L1", the embedded L1): filters that are
 * polled, subscriptions that push. Both hear of a reorg as logs with `removed: true`, newest first, before the new ones.
 */
import type { Hash, Hex } from '../../protocol/bytes.ts'
import type { HeadChange } from './chain.ts'
import { invalidParams, limitExceeded, refused } from './errors.ts'
import type { PooledTransaction } from './mempool.ts'
import type { LogMatcher, LogQuery } from './params.ts'
import { type BlockRecord, quantity, type RpcLog, transactionToRpc } from './records.ts'
import { blockLogs, matches, type View } from './view.ts'

/** Pushes one subscription's notification to its client. */
export type Push = (subscription: Hex, result: unknown) => void

type Filter = { lastAsked: number; readonly changes: unknown[] } & (
  | { readonly kind: 'logs'; readonly query: LogQuery }
  | { readonly kind: 'blocks' | 'pending' }
)

type Subscription = { readonly push: Push } & (
  | { readonly kind: 'newHeads' }
  | { readonly kind: 'logs'; readonly matcher: LogMatcher }
  | { readonly kind: 'newPendingTransactions'; readonly full: boolean }
)

export type SubscriptionRequest =
  | { readonly kind: 'newHeads' }
  | { readonly kind: 'logs'; readonly matcher: LogMatcher }
  | { readonly kind: 'newPendingTransactions'; readonly full: boolean }

const MAX_FILTERS = 1000
const MAX_CHANGES = 20_000
/** A filter nobody asks for is forgotten, milliseconds. */
const FILTER_LIFE_MS = 5 * 60_000

export class Feeds {
  private readonly view: View
  private readonly now: () => number
  private readonly filters = new Map<Hex, Filter>()
  private readonly subscriptions = new Map<Hex, Subscription>()
  private lastId = 0

  constructor(view: View, now: () => number) {
    this.view = view
    this.now = now
    view.chain.onChange((change) => this.headChanged(change))
    view.miner.onPending((entry) => this.transactionPending(entry))
  }

  /** Id of a new filter. Throws RpcError beyond the number of filters. */
  install(filter: { kind: 'logs'; query: LogQuery } | { kind: 'blocks' | 'pending' }): Hex {
    this.forgetIdle()
    if (this.filters.size >= MAX_FILTERS) throw limitExceeded(`too many filters, at most ${MAX_FILTERS}`)
    if (filter.kind === 'logs' && filter.query.blockHash !== undefined) {
      throw invalidParams('a filter watches a range of blocks: blockHash is for eth_getLogs')
    }
    const id = this.newId()
    this.filters.set(id, { ...filter, lastAsked: this.now(), changes: [] })
    return id
  }

  uninstall(id: Hex): boolean {
    return this.filters.delete(id)
  }

  /** What happened since the last asking. Throws RpcError when the filter is unknown or was forgotten. */
  changes(id: Hex): readonly unknown[] {
    return this.require(id).changes.splice(0)
  }

  /** All logs of a log filter, as `eth_getLogs` gives them. */
  filterLogs(id: Hex): readonly RpcLog[] {
    const filter = this.require(id)
    if (filter.kind !== 'logs') throw refused('filter not found')
    return this.view.logs(filter.query)
  }

  subscribe(request: SubscriptionRequest, push: Push): Hex {
    const id = this.newId()
    this.subscriptions.set(id, { ...request, push })
    return id
  }

  unsubscribe(id: Hex): boolean {
    return this.subscriptions.delete(id)
  }

  private headChanged({ removed, added }: HeadChange): void {
    const logs = [
      ...removed.flatMap((record) => [...blockLogs(record)].reverse().map((log) => ({ ...log, removed: true }))),
      ...added.flatMap(blockLogs),
    ]
    for (const [id, filter] of this.filters) {
      if (filter.kind === 'blocks') filter.changes.push(...added.map((record) => record.hash))
      if (filter.kind === 'logs') filter.changes.push(...logs.filter((log) => inFilter(log, filter.query)))
      if (filter.changes.length > MAX_CHANGES) this.filters.delete(id)
    }
    for (const [id, subscription] of this.subscriptions) {
      if (subscription.kind === 'newHeads') for (const record of added) subscription.push(id, announced(record))
      if (subscription.kind !== 'logs') continue
      for (const log of logs) if (matches(log, subscription.matcher)) subscription.push(id, log)
    }
  }

  private transactionPending(entry: PooledTransaction): void {
    for (const [id, filter] of this.filters) {
      if (filter.kind === 'pending') filter.changes.push(entry.hash)
      if (filter.changes.length > MAX_CHANGES) this.filters.delete(id)
    }
    for (const [id, subscription] of this.subscriptions) {
      if (subscription.kind !== 'newPendingTransactions') continue
      subscription.push(id, subscription.full ? transactionToRpc(entry.transaction, entry.from) : entry.hash)
    }
  }

  private require(id: Hex): Filter {
    this.forgetIdle()
    const filter = this.filters.get(id)
    if (filter === undefined) throw refused('filter not found')
    filter.lastAsked = this.now()
    return filter
  }

  private forgetIdle(): void {
    const oldest = this.now() - FILTER_LIFE_MS
    for (const [id, filter] of this.filters) if (filter.lastAsked < oldest) this.filters.delete(id)
  }

  private newId(): Hex {
    this.lastId++
    return quantity(this.lastId)
  }
}

/** `newHeads` sends headers only. */
function announced(record: BlockRecord): Readonly<Record<string, Hex | Hash | null>> {
  return record.header
}

function inFilter(log: RpcLog, query: LogQuery): boolean {
  const number = Number(log.blockNumber)
  if (query.from?.kind === 'number' && number < query.from.number) return false
  if (query.to?.kind === 'number' && number > query.to.number) return false
  return matches(log, query)
}

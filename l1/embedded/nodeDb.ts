/**
 * Where trie nodes and code live, by hash (docs/spec.md, "L1", the embedded L1). Nothing is ever deleted: the state of every
 * block stays readable, which is what pinned reads, snapshots and reorgs rest on. Without a backing everything is in memory.
 */
import type { BatchDBOp, DB } from '@ethereumjs/util'

type Value = string | Uint8Array

/** The durable side: reads of nodes that an earlier run wrote. */
export interface NodeSource {
  node(key: string): Uint8Array | undefined
}

/** Entries kept in memory when a backing exists; beyond this the oldest are read again when needed. */
const MEMORY_LIMIT = 200_000

export class NodeDb implements DB<string, Value> {
  private readonly memory = new Map<string, Uint8Array>()
  private fresh = new Map<string, Uint8Array>()
  private readonly source: NodeSource | undefined

  constructor(source?: NodeSource) {
    this.source = source
  }

  /** Nodes put since the last call, which the caller makes durable together with the block that needs them. */
  takeFresh(): ReadonlyMap<string, Uint8Array> {
    const taken = this.fresh
    this.fresh = new Map()
    if (this.source !== undefined) this.evict()
    return taken
  }

  async get(key: string): Promise<Value | undefined> {
    const known = this.memory.get(key) ?? this.fresh.get(key)
    if (known !== undefined) return known
    const stored = this.source?.node(key)
    if (stored !== undefined) this.memory.set(key, stored)
    return stored
  }

  async put(key: string, value: Value): Promise<void> {
    this.memory.set(key, value as Uint8Array)
    if (this.source !== undefined) this.fresh.set(key, value as Uint8Array)
  }

  /** Old states stay readable, so a deletion is no business of this store. */
  async del(): Promise<void> {}

  async batch(operations: BatchDBOp<string, Value>[]): Promise<void> {
    for (const operation of operations) if (operation.type === 'put') await this.put(operation.key, operation.value)
  }

  shallowCopy(): DB<string, Value> {
    return this
  }

  async open(): Promise<void> {}

  private evict(): void {
    for (const key of this.memory.keys()) {
      if (this.memory.size <= MEMORY_LIMIT) return
      this.memory.delete(key)
    }
  }
}

/**
 * The canonical blocks, by height, hash and transaction (docs/spec.md, "L1", the embedded L1). One operation changes them:
 * `switchTo`. The file store in persistence.ts keeps the same interface; this one forgets.
 */
import type { Hash } from '../../protocol/bytes.ts'
import type { BlockRecord } from './records.ts'

export interface TransactionLocation {
  readonly blockNumber: number
  readonly index: number
}

export interface BlockStore {
  /** Height of the newest block; -1 when there is none. */
  head(): number
  at(number: number): BlockRecord | undefined
  /** Height of a canonical block. */
  numberOf(hash: Hash): number | undefined
  locate(transactionHash: Hash): TransactionLocation | undefined
  /** Heights from `from` to `to`, both included, whose blocks emitted logs; ascending. */
  withLogs(from: number, to: number): readonly number[]
  /**
   * Drops every block above `ancestor` and appends `added`, which continue it. All or nothing, and durable (with `nodes`, the
   * new state nodes they need) when it returns. Throws and changes nothing when it can't.
   */
  switchTo(ancestor: number, added: readonly BlockRecord[], nodes: ReadonlyMap<string, Uint8Array>): void
  /** Small settings that survive a restart, such as the chain's clock offset. */
  setting(name: string): string | undefined
  setSetting(name: string, value: string): void
  close(): void
}

export function createMemoryStore(): BlockStore {
  const blocks: BlockRecord[] = []
  const numbers = new Map<Hash, number>()
  const locations = new Map<Hash, TransactionLocation>()
  const settings = new Map<string, string>()
  return {
    head: () => blocks.length - 1,
    at: (number) => blocks[number],
    numberOf: (hash) => numbers.get(hash),
    locate: (hash) => locations.get(hash),
    withLogs(from, to) {
      return blocks
        .slice(from, to + 1)
        .filter(emittedLogs)
        .map((record) => record.number)
    },
    switchTo(ancestor, added) {
      for (const record of blocks.splice(ancestor + 1)) {
        numbers.delete(record.hash)
        for (const { rpc } of record.transactions) locations.delete(rpc.hash)
      }
      for (const record of added) {
        blocks.push(record)
        numbers.set(record.hash, record.number)
        record.transactions.forEach(({ rpc }, index) => {
          locations.set(rpc.hash, { blockNumber: record.number, index })
        })
      }
    },
    setting: (name) => settings.get(name),
    setSetting(name, value) {
      settings.set(name, value)
    },
    close() {},
  }
}

export function emittedLogs(record: BlockRecord): boolean {
  return record.receipts.some((receipt) => receipt.logs.length > 0)
}

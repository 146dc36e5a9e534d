/**
 * The ordered log on disk (docs/architecture.md, "Stores"): accepted transactions in the order of their positions, many to a row, so
 * that a commit writes few pages and each of them once. Rows are only ever added. What a position says here is what was promised.
 */
import { splitTransactions } from '../api/bodies.ts'
import { bug } from '../protocol/errors.ts'
import { INDEX_LIMIT, OUTPUT_LIMIT } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'

/** Bounds what is read for one transaction: some 12 kB of ordinary payments. */
const ROW_LIMIT = 64
const HASH_SIZE = 32
const BLOCK_SIZE = INDEX_LIMIT * OUTPUT_LIMIT

/** `position`: of output 0. */
export type Logged = Readonly<{ position: number; txHash: Uint8Array; body: Uint8Array }>

export type TransactionLog = Readonly<{
  /** Adds the next transaction; on disk once `flush` and the caller's store transaction are done. */
  append(entry: Logged): void
  /** Writes what was appended; in the caller's store transaction. */
  flush(): void
  /** Also what is not flushed. */
  at(position: number): Logged | undefined
  /** From a position on and below another, in order. Nothing may be written while it is read. */
  range(from: number, to: number): Iterable<Logged>
  /** Encoded transactions of a block, in order. */
  bodiesOf(block: number): Uint8Array[]
  /** Drops what is not flushed: after a rollback. */
  forget(): void
}>

type Row = Readonly<{ position: number; hashes: Uint8Array; bodies: Uint8Array }>

export function createTransactionLog(db: Database): TransactionLog {
  const insert = db.prepare('INSERT INTO transactions (position, hashes, bodies) VALUES (?, ?, ?)')
  const selectAt = db.prepare<[number], Row>(
    'SELECT position, hashes, bodies FROM transactions WHERE position <= ? ORDER BY position DESC LIMIT 1',
  )
  const selectRange = db.prepare<[number, number], Row>(
    `SELECT position, hashes, bodies FROM transactions
     WHERE position >= coalesce((SELECT max(position) FROM transactions WHERE position <= ?), 0) AND position < ?
     ORDER BY position`,
  )
  const selectBodies = db.prepare<[number, number], Pick<Row, 'bodies'>>(
    'SELECT bodies FROM transactions WHERE position >= ? AND position < ? ORDER BY position',
  )
  let waiting: Logged[] = []

  function write(entries: readonly Logged[]): void {
    insert.run(
      (entries[0] as Logged).position,
      Buffer.concat(entries.map(({ txHash }) => txHash)),
      Buffer.concat(entries.map(({ body }) => body)),
    )
  }

  function* range(from: number, to: number): Iterable<Logged> {
    for (const row of selectRange.iterate(from, to)) {
      for (const entry of readRow(row)) if (entry.position >= from && entry.position < to) yield entry
    }
  }

  return {
    append: (entry) => {
      waiting.push(entry)
    },
    flush: () => {
      let start = 0
      waiting.forEach(({ position }, i) => {
        // A row's places follow one another, so that its first position says all of them.
        const isLast = waiting[i + 1]?.position !== position + OUTPUT_LIMIT
        if (!isLast && i + 1 - start < ROW_LIMIT) return
        write(waiting.slice(start, i + 1))
        start = i + 1
      })
      waiting = []
    },
    at: (position) => {
      const unflushed = waiting.findLast((entry) => entry.position === position)
      if (unflushed) return unflushed
      const row = selectAt.get(position)
      return row && readRow(row).find((entry) => entry.position === position)
    },
    range,
    bodiesOf: (block) =>
      selectBodies.all(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE).flatMap(({ bodies }) => splitTransactions(bodies)),
    forget: () => {
      waiting = []
    },
  }
}

function readRow({ position, hashes, bodies }: Row): Logged[] {
  const parts = splitTransactions(bodies)
  if (parts.length * HASH_SIZE !== hashes.length) {
    const got = `${parts.length} transactions, ${hashes.length} bytes of hashes`
    throw bug('LOG_ROW', 'a row of the log does not add up', { got, want: 'a hash for each transaction', position })
  }
  return parts.map((body, i) => ({
    position: position + i * OUTPUT_LIMIT,
    txHash: hashes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE),
    body,
  }))
}

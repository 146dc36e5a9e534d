/**
 * All outputs, spent and unspent, as the state that validity asks (docs/spec.md section 4): SQLite rows keyed by position, with the
 * recently touched ones in memory. Writes belong into the caller's store transaction; after a rollback the caller says `forget`.
 */
import type { Address } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { ExistingOutput, State } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import { toAddress, toBlob } from './columns.ts'

/** Outputs kept in memory, about 250 bytes each. */
const CACHE_LIMIT = 200_000

type Row = {
  owner: Uint8Array
  token: Uint8Array
  amount: string
  spent_by: number | null
  deposited_at: number | null
  locked_at: number | null
}

export type Ledger = State &
  Readonly<{
    /** A deposit of L1 block `depositedAt`. Also moves one that an L1 reorg had taken away. Throws DEPOSIT_CONFLICT. */
    deposit(
      position: number,
      output: Readonly<{ owner: Address; token: Address; amount: bigint }>,
      l1Block: number,
    ): void
    /** Drops what is in memory about this output, or about all: the rows have changed under it. */
    forget(position?: number): void
  }>

export function createLedger(db: Database): Ledger {
  const select = db.prepare<[number], Row>(
    `SELECT outputs.owner, token, amount, spent_by, deposited_at, locked_at
     FROM outputs LEFT JOIN locks USING (position) WHERE outputs.position = ?`,
  )
  const insert = db.prepare('INSERT INTO outputs (position, owner, token, amount, deposited_at) VALUES (?, ?, ?, ?, ?)')
  const update = db.prepare('UPDATE outputs SET spent_by = ? WHERE position = ? AND spent_by IS NULL')
  const redeposit = db.prepare('UPDATE outputs SET deposited_at = ? WHERE position = ?')
  const cache = new Map<number, ExistingOutput>()

  function remember(position: number, output: ExistingOutput): void {
    if (cache.size >= CACHE_LIMIT) {
      const oldest = cache.keys().next()
      if (!oldest.done) cache.delete(oldest.value)
    }
    cache.set(position, output)
  }

  function find(position: number): ExistingOutput | undefined {
    const cached = cache.get(position)
    if (cached) return cached
    const row = select.get(position)
    if (!row) return undefined
    const output = rowToOutput(row)
    if (output.spentBy === undefined) remember(position, output)
    return output
  }

  return {
    find,
    spend: (position, by) => {
      if (update.run(by, position).changes !== 1) {
        throw bug('SPEND_MISSED', 'an output to be spent is not there', { got: position, want: 'an unspent output' })
      }
      cache.delete(position)
    },
    create: (position, output) => {
      insert.run(position, toBlob(output.owner), toBlob(output.token), output.amount.toString(), null)
      remember(position, output)
    },
    deposit: (position, output, l1Block) => {
      cache.delete(position)
      const known = find(position)
      if (!known) {
        insert.run(position, toBlob(output.owner), toBlob(output.token), output.amount.toString(), l1Block)
        return
      }
      if (known.owner !== output.owner || known.token !== output.token || known.amount !== output.amount) {
        throw bug('DEPOSIT_CONFLICT', 'L1 has another deposit at the position of one that was spent here', {
          got: { ...output, l1Block },
          want: known,
          position,
        })
      }
      redeposit.run(l1Block, position)
      cache.delete(position)
    },
    forget: (position) => {
      if (position === undefined) cache.clear()
      else cache.delete(position)
    },
  }
}

function rowToOutput(row: Row): ExistingOutput {
  return {
    owner: toAddress(row.owner),
    token: toAddress(row.token),
    amount: BigInt(row.amount),
    ...(row.spent_by === null ? {} : { spentBy: row.spent_by }),
    ...(row.deposited_at === null ? {} : { depositedAt: row.deposited_at }),
    ...(row.locked_at === null ? {} : { lockedAt: row.locked_at }),
  }
}

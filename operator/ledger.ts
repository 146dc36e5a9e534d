/**
 * All outputs, spent and unspent, as the state that validity asks (docs/spec.md section 4): SQLite rows keyed by position, and in
 * memory what changed since the last fold (operator/pending.ts) and what was read lately. Writes belong into the caller's store
 * transaction; after a rollback the caller says `reset`.
 */
import type { Address } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { ExistingOutput, State } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import { createRecentMap } from '../service/recentMap.ts'
import { toAddress, toAmount, toAmountBlob, toBlob } from './columns.ts'

/** Unspent outputs and blobs of addresses kept in memory, at least; about 250 bytes each. */
const CACHED_OUTPUTS = 20_000
const CACHED_BLOBS = 10_000

type Row = {
  owner: Uint8Array
  token: Uint8Array
  amount: Uint8Array
  spent_by: number | null
  deposited_at: number | null
  locked_at: number | null
  batch_locked_at: number | null
}

export type Ledger = State &
  Readonly<{
    /** A deposit of L1 block `depositedAt`. Also moves one that an L1 reorg had taken away. Throws DEPOSIT_CONFLICT. */
    deposit(
      position: number,
      output: Readonly<{ owner: Address; token: Address; amount: bigint }>,
      l1Block: number,
    ): void
    /** Writes what was spent and created since the last fold into the table. */
    fold(): void
    /** True for an output that the table still has as unspent. */
    isSpentSinceFold(position: number): boolean
    /** Unspent outputs of an account that are not in the table yet, oldest first. */
    unfoldedOf(owner: Address): Readonly<{ position: number; token: Address; amount: bigint }>[]
    /** Drops what is remembered of the row of this output, or of all: the rows have changed. What is not folded stays. */
    forget(position?: number): void
    /** Drops what is not folded too: after a rollback, before the log's tail is taken again. */
    reset(): void
  }>

export function createLedger(db: Database): Ledger {
  const select = db.prepare<[number], Row>(
    `SELECT outputs.owner, token, amount, spent_by, deposited_at, locked_at, (
       SELECT min(batch_locks.locked_at) FROM batch_locks WHERE batch_locks.position = outputs.position
         AND batch_locks.token = outputs.token AND batch_locks.amount = outputs.amount
         AND coalesce(outputs.deposited_at < batch_locks.locked_at, TRUE)
     ) AS batch_locked_at FROM outputs LEFT JOIN locks USING (position) WHERE outputs.position = ?`,
  )
  const insert = db.prepare(
    'INSERT INTO outputs (position, owner, token, amount, spent_by, deposited_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const update = db.prepare('UPDATE outputs SET spent_by = ? WHERE position = ? AND spent_by IS NULL')
  const redeposit = db.prepare('UPDATE outputs SET deposited_at = ? WHERE position = ?')
  const cache = createRecentMap<number, ExistingOutput>(CACHED_OUTPUTS)
  /** Everything that the table does not know, or knows as unspent. */
  const fresh = new Map<number, ExistingOutput>()
  let created: number[] = []
  let spent: number[] = []
  const blobs = createRecentMap<Address, Buffer>(CACHED_BLOBS)

  function blobOf(address: Address): Buffer {
    const known = blobs.get(address)
    if (known) return known
    const blob = toBlob(address)
    blobs.set(address, blob)
    return blob
  }

  function find(position: number): ExistingOutput | undefined {
    const known = fresh.get(position) ?? cache.get(position)
    if (known) return known
    const row = select.get(position)
    if (!row) return undefined
    const output = rowToOutput(row)
    if (output.spentBy === undefined) cache.set(position, output)
    return output
  }

  function store(
    position: number,
    { owner, token, amount, spentBy }: ExistingOutput,
    depositedAt: number | null,
  ): void {
    insert.run(position, blobOf(owner), blobOf(token), toAmountBlob(amount), spentBy ?? null, depositedAt)
  }

  function clear(): void {
    fresh.clear()
    created = []
    spent = []
  }

  return {
    find,
    spend: (position, by) => {
      const output = find(position)
      if (!output || output.spentBy !== undefined) throw spendMissed(position)
      if (!fresh.has(position)) spent.push(position)
      fresh.set(position, { ...output, spentBy: by })
      cache.delete(position)
    },
    create: (position, output) => {
      created.push(position)
      fresh.set(position, output)
    },
    deposit: (position, output, l1Block) => {
      cache.delete(position)
      const known = find(position)
      if (!known) {
        store(position, output, l1Block)
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
    fold: () => {
      for (const position of spent.sort((a, b) => a - b)) {
        if (update.run(fresh.get(position)?.spentBy, position).changes !== 1) throw spendMissed(position)
      }
      for (const position of created) {
        const output = fresh.get(position) as ExistingOutput
        // Not remembered: the row may have a lock by now.
        store(position, output, null)
      }
      clear()
    },
    isSpentSinceFold: (position) => fresh.get(position)?.spentBy !== undefined,
    unfoldedOf: (owner) =>
      created.flatMap((position) => {
        const output = fresh.get(position)
        if (output?.owner !== owner || output.spentBy !== undefined) return []
        return [{ position, token: output.token, amount: output.amount }]
      }),
    forget: (position) => {
      if (position === undefined) cache.clear()
      else cache.delete(position)
    },
    reset: () => {
      cache.clear()
      clear()
    },
  }
}

function spendMissed(position: number) {
  return bug('SPEND_MISSED', 'an output to be spent is not there', { got: position, want: 'an unspent output' })
}

function rowToOutput(row: Row): ExistingOutput {
  const lockedAt = earlier(row.locked_at, row.batch_locked_at)
  return {
    owner: toAddress(row.owner),
    token: toAddress(row.token),
    amount: toAmount(row.amount),
    ...(row.spent_by === null ? {} : { spentBy: row.spent_by }),
    ...(row.deposited_at === null ? {} : { depositedAt: row.deposited_at }),
    ...(lockedAt === null ? {} : { lockedAt }),
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

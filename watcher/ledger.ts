/**
 * The outputs table as the state that blocks are folded over (docs/spec.md section 4). Reads go through a cache of unspent outputs;
 * the effects of a block are staged in memory and written in one go, so that an output made and spent in the same block touches the
 * table once and its index not at all. Writers run inside their caller's transaction, and call `forget` when that fails.
 */

import type { Address } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { DEPOSIT_INDEX, encodePosition } from '../protocol/position.ts'
import type { ExistingOutput, State, StateView } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'

const CACHED_OUTPUTS = 300_000
const CACHED_ADDRESSES = 200_000

export type StoredOutput = ExistingOutput & Readonly<{ position: number }>

/** The effects of one block, not yet written. */
export type StagedBlock = State &
  Readonly<{
    created: ReadonlyMap<number, ExistingOutput>
    /** Position of an older output to the position of its spender. */
    spent: ReadonlyMap<number, number>
  }>

export type Ledger = ReturnType<typeof createLedger>

type Row = Readonly<{
  position: number
  owner: number
  token: number
  amount: string
  spent_by: number | null
  deposited_at: number | null
  locked_at: number | null
}>

export function createLedger(db: Database) {
  const cache = new Map<number, ExistingOutput>()
  const idOf = new Map<Address, number>()
  const addressOf = new Map<number, Address>()
  const selectOutput = db.prepare<[number], Row>('SELECT * FROM outputs WHERE position = ?')
  const insertOutput = db.prepare(
    'INSERT INTO outputs (position, owner, token, amount, spent_by, deposited_at, locked_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const spendOutput = db.prepare('UPDATE outputs SET spent_by = ? WHERE position = ? AND spent_by IS NULL')
  const unspendOutput = db.prepare('UPDATE outputs SET spent_by = NULL WHERE position = ? AND spent_by = ?')
  const deleteRange = db.prepare('DELETE FROM outputs WHERE position >= ? AND position < ?')
  const lockOutput = db.prepare('UPDATE outputs SET locked_at = ? WHERE position = ?')
  const selectUnspent = db.prepare<[number, number, number], Row>(
    'SELECT * FROM outputs WHERE owner = ? AND spent_by IS NULL AND position > ? ORDER BY position LIMIT ?',
  )
  const selectId = db.prepare<[string], { id: number }>('SELECT id FROM addresses WHERE address = ?')
  const selectAddress = db.prepare<[number], { address: Address }>('SELECT address FROM addresses WHERE id = ?')
  const insertAddress = db.prepare('INSERT INTO addresses (address) VALUES (?)')

  function findId(address: Address): number | undefined {
    const known = idOf.get(address)
    if (known !== undefined) return known
    const id = selectId.get(address)?.id
    if (id !== undefined) remember(address, id)
    return id
  }

  function internAddress(address: Address): number {
    const known = findId(address)
    if (known !== undefined) return known
    const id = Number(insertAddress.run(address).lastInsertRowid)
    remember(address, id)
    return id
  }

  function remember(address: Address, id: number): void {
    if (idOf.size >= CACHED_ADDRESSES) {
      idOf.clear()
      addressOf.clear()
    }
    idOf.set(address, id)
    addressOf.set(id, address)
  }

  function addressAt(id: number): Address {
    const known = addressOf.get(id)
    if (known) return known
    const address = selectAddress.get(id)?.address
    if (!address) throw bug('ADDRESS_MISSING', 'an output refers to an address that is not stored', { got: id })
    remember(address, id)
    return address
  }

  function fromRow(row: Row): StoredOutput {
    return {
      position: row.position,
      owner: addressAt(row.owner),
      token: addressAt(row.token),
      amount: BigInt(row.amount),
      spentBy: row.spent_by ?? undefined,
      depositedAt: row.deposited_at ?? undefined,
      lockedAt: row.locked_at ?? undefined,
    }
  }

  function find(position: number): ExistingOutput | undefined {
    const cached = cache.get(position)
    if (cached) return cached
    const row = selectOutput.get(position)
    if (!row) return undefined
    const output = fromRow(row)
    if (output.spentBy === undefined) keep(position, output)
    return output
  }

  function keep(position: number, output: ExistingOutput): void {
    // Oldest first out: outputs are mostly spent young.
    if (cache.size >= CACHED_OUTPUTS) cache.delete(cache.keys().next().value as number)
    cache.set(position, output)
  }

  function insert(position: number, output: ExistingOutput): void {
    insertOutput.run(
      position,
      internAddress(output.owner),
      internAddress(output.token),
      output.amount.toString(),
      output.spentBy ?? null,
      output.depositedAt ?? null,
      output.lockedAt ?? null,
    )
  }

  return {
    find,

    /** Throws a bug when a spend misses: the fold and the table disagree. */
    write(staged: StagedBlock): void {
      for (const [position, by] of staged.spent) {
        if (spendOutput.run(by, position).changes !== 1) {
          throw bug('SPEND_MISSED', 'an output to be marked as spent is not there or spent already', { got: position })
        }
        cache.delete(position)
      }
      for (const [position, output] of staged.created) {
        insert(position, output)
        if (output.spentBy === undefined) keep(position, output)
      }
    },

    addDeposit: insert,

    removeDeposit(position: number): void {
      cache.delete(position)
      deleteRange.run(position, position + 1)
    },

    /** Takes back a block: its outputs vanish, what it spent is unspent. `spends`: inputs with their spender's position. */
    undo(block: number, spends: readonly (readonly [input: number, by: number])[]): void {
      deleteRange.run(
        encodePosition({ block, index: 0, output: 0 }),
        encodePosition({ block, index: DEPOSIT_INDEX, output: 0 }),
      )
      for (const [input, by] of spends) unspendOutput.run(input, by)
      cache.clear()
    },

    /** `lockedAt` undefined unlocks: only an L1 reorg does that. */
    lock(position: number, lockedAt: number | undefined): void {
      lockOutput.run(lockedAt ?? null, position)
      cache.delete(position)
    },

    /** Oldest first, after `cursor` (a position; -1 for the start). */
    unspentOf(owner: Address, cursor: number, limit: number): StoredOutput[] {
      const id = findId(owner)
      return id === undefined ? [] : selectUnspent.all(id, cursor, limit).map(fromRow)
    },

    /** After a failed transaction the caches may hold what was never written. */
    forget(): void {
      cache.clear()
      idOf.clear()
      addressOf.clear()
    },
  }
}

/** A state for one block over what is committed. */
export function stageBlock(base: StateView): StagedBlock {
  const created = new Map<number, ExistingOutput>()
  const spent = new Map<number, number>()
  return {
    created,
    spent,
    find(position) {
      const own = created.get(position)
      if (own) return own
      const output = base.find(position)
      const by = spent.get(position)
      return output && by !== undefined ? { ...output, spentBy: by } : output
    },
    spend(position, by) {
      const own = created.get(position)
      if (own) created.set(position, { ...own, spentBy: by })
      else spent.set(position, by)
    },
    create(position, output) {
      created.set(position, output)
    },
  }
}

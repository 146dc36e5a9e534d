/**
 * The outputs table as the state that blocks are folded over (docs/spec.md section 4). The effects of a block are staged in memory and
 * written in one go, so that an output made and spent in the same block touches the table once and its index not at all. Outputs are
 * not kept in memory beyond that: a read costs less than the collector would. Writers run inside their caller's transaction, and call
 * `forget` when that fails.
 */
import type { Address } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { DEPOSIT_INDEX, encodePosition, OUTPUT_LIMIT } from '../protocol/position.ts'
import type { ExistingOutput, State, StateView } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'

const CACHED_ADDRESSES = 200_000

export type StoredOutput = ExistingOutput & Readonly<{ position: number }>

/** The effects of one block, not yet written. */
export type StagedBlock = State &
  Readonly<{
    created: ReadonlyMap<number, ExistingOutput>
    /** Position of an older output to the position of its spender. */
    spent: ReadonlyMap<number, number>
  }>

type Value = Pick<ExistingOutput, 'owner' | 'token' | 'amount'>

export type Ledger = ReturnType<typeof createLedger>

type Row = Readonly<{
  position: number
  owner: number
  token: number
  amount: Uint8Array
  spent_by: number | null
  deposited_at: number | null
  locked_at: number | null
}>

export function createLedger(db: Database) {
  const idOf = new Map<Address, number>()
  const addressOf = new Map<number, Address>()
  const selectOutput = db.prepare<[number], Row>('SELECT * FROM outputs WHERE position = ?')
  const insertOutput = db.prepare(
    'INSERT INTO outputs (position, owner, token, amount, spent_by) VALUES (?, ?, ?, ?, ?)',
  )
  const insertDeposit = db.prepare(
    'INSERT INTO outputs (position, owner, token, amount, deposited_at) VALUES (?, ?, ?, ?, ?)',
  )
  const spendOutput = db.prepare('UPDATE outputs SET spent_by = ? WHERE position = ? AND spent_by IS NULL')
  const unspendOutput = db.prepare('UPDATE outputs SET spent_by = NULL WHERE position = ? AND spent_by = ?')
  const deleteRange = db.prepare('DELETE FROM outputs WHERE position >= ? AND position < ?')
  const lockOutput = db.prepare('UPDATE outputs SET locked_at = ? WHERE position = ?')
  const selectUnspent = db.prepare<[number, number, number], Row>(
    'SELECT * FROM outputs WHERE owner = ? AND spent_by IS NULL AND position > ? ORDER BY position LIMIT ?',
  )
  const selectAllUnspent = db.prepare<[number, number], Row>(
    'SELECT * FROM outputs WHERE spent_by IS NULL AND position > ? ORDER BY position LIMIT ?',
  )
  const selectAlike = db.prepare<[number, number, number, number, number, Uint8Array, number], { position: number }>(`
    SELECT position FROM (SELECT position, owner, token, amount FROM outputs
      WHERE position >= ? AND position < ? ORDER BY position LIMIT ?)
    WHERE owner = ? AND token = ? AND amount = ? AND position % ${OUTPUT_LIMIT} = ?`)
  const selectSkipped = db.prepare<[number, number, number], { position: number }>(
    'SELECT position FROM outputs WHERE position >= ? AND position < ? ORDER BY position LIMIT 1 OFFSET ?',
  )
  let undone = 0
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
      amount: toAmount(row.amount),
      spentBy: row.spent_by ?? undefined,
      depositedAt: row.deposited_at ?? undefined,
      lockedAt: row.locked_at ?? undefined,
    }
  }

  function find(position: number): ExistingOutput | undefined {
    const row = selectOutput.get(position)
    return row && fromRow(row)
  }

  /** For what the statement takes last: the spender of an output, the L1 block of a deposit. */
  function insert(statement: typeof insertOutput, position: number, output: Value, last: number | null): void {
    const { owner, token, amount } = output
    statement.run(position, internAddress(owner), internAddress(token), toAmountBlob(amount), last)
  }

  return {
    find,

    /** Throws a bug when a spend misses: the fold and the table disagree. */
    write(staged: StagedBlock): void {
      for (const [position, by] of staged.spent) {
        if (spendOutput.run(by, position).changes !== 1) {
          throw bug('SPEND_MISSED', 'an output to be marked as spent is not there or spent already', { got: position })
        }
      }
      for (const [position, output] of staged.created) insert(insertOutput, position, output, output.spentBy ?? null)
    },

    addDeposit(position: number, deposit: Value & Readonly<{ depositedAt: number }>): void {
      insert(insertDeposit, position, deposit, deposit.depositedAt)
    },

    removeDeposit(position: number): void {
      deleteRange.run(position, position + 1)
    },

    /** Takes back a block: its outputs vanish, what it spent is unspent. `spends`: inputs with their spender's position. */
    undo(block: number, spends: readonly (readonly [input: number, by: number])[]): void {
      undone++
      deleteRange.run(
        encodePosition({ block, index: 0, output: 0 }),
        encodePosition({ block, index: DEPOSIT_INDEX, output: 0 }),
      )
      for (const [input, by] of spends) unspendOutput.run(input, by)
    },

    /** So many blocks were taken back: what was read of outputs before may not hold any more. */
    undone: () => undone,

    /**
     * Among the `rows` first outputs in [from, to): those which hold the same, and are output `output` of their transaction. `next`: the first
     * position that was not looked at. No index helps here: it reads as many rows as it is told.
     */
    alike(
      { owner, token, amount }: Value,
      output: number,
      { from, to, rows }: Readonly<{ from: number; to: number; rows: number }>,
    ): Readonly<{ positions: readonly number[]; next: number }> {
      const [ownerId, tokenId] = [findId(owner), findId(token)]
      if (ownerId === undefined || tokenId === undefined) return { positions: [], next: to }
      const found = selectAlike.all(from, to, rows, ownerId, tokenId, toAmountBlob(amount), output)
      return {
        positions: found.map(({ position }) => position),
        next: selectSkipped.get(from, to, rows)?.position ?? to,
      }
    },

    /** `lockedAt` undefined unlocks: only an L1 reorg does that. */
    lock(position: number, lockedAt: number | undefined): void {
      lockOutput.run(lockedAt ?? null, position)
    },

    /** Oldest first, after `cursor` (a position; -1 for the start). */
    unspentOf(owner: Address, cursor: number, limit: number): StoredOutput[] {
      const id = findId(owner)
      return id === undefined ? [] : selectUnspent.all(id, cursor, limit).map(fromRow)
    },

    /** Of all owners, oldest first, after `cursor` (a position; -1 for the start). */
    unspent(cursor: number, limit: number): StoredOutput[] {
      return selectAllUnspent.all(cursor, limit).map(fromRow)
    },

    /** After a failed transaction the caches may hold what was never written. */
    forget(): void {
      idOf.clear()
      addressOf.clear()
    },
  }
}

/** For binding, which copies: a new one for every output would be garbage at once. */
const amountBlob = new Uint8Array(16)
const amountView = new DataView(amountBlob.buffer)

/** 16 bytes, big-endian: amounts are below 2^128. Good until the next call. */
export function toAmountBlob(amount: bigint): Uint8Array {
  amountView.setBigUint64(0, amount >> 64n)
  // Takes the lower 64 bits.
  amountView.setBigUint64(8, amount)
  return amountBlob
}

/** The reverse. */
export function toAmount(blob: Uint8Array): bigint {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8)
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

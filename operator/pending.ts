/**
 * What the log says and the other tables do not know yet (docs/architecture.md, "Stores"). An acceptance writes the log only; its
 * effects on outputs, histories and the index of hashes stay in memory and are folded into the tables many at a time, in the order of
 * the log. Before anything else is written they are folded too, so that what is missing after a crash follows from the log's tail and
 * from nothing else: `replay` gives the same outputs, the same numbers and the same positions again.
 */
import { type Address, equalBytes } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { bug } from '../protocol/errors.ts'
import { decodePosition, POSITION_LIMIT } from '../protocol/position.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import { applyTransaction } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'
import type { Meta } from './meta.ts'
import type { TransactionLog } from './transactionLog.ts'

/**
 * Transactions whose hashes share one stretch of the index: keys are random, and an insert must not touch pages all over a large
 * table. A search looks into each stretch.
 */
const STRETCH = 2 ** 16

export type Pending = Readonly<{
  /** Takes the effects of a transaction that has just been appended to the log. The caller has checked that it is valid there. */
  take(signed: SignedTransaction, txHash: Uint8Array, position: number): void
  /** Transactions that are not folded. */
  count(): number
  /** Writes everything into the tables, in the caller's store transaction. */
  fold(): void
  /** Takes the log's tail again: at the start, and after a rollback. The tables and what is kept in memory of them are as on disk. */
  replay(): void
  /** Position of an accepted transaction. */
  positionOf(txHash: Uint8Array): number | undefined
}>

export type PendingOptions = Readonly<{
  db: Database
  log: TransactionLog
  ledger: Ledger
  journal: Journal
  meta: Meta
}>

/** How far the tables are: the last transaction in them, and how many there are in all. */
type Folded = Readonly<{ position: number; count: number }>
type Recent = Readonly<{ txHash: Uint8Array; position: number }>

export function createPending({ db, log, ledger, journal, meta }: PendingOptions): Pending {
  const insertHash = db.prepare('INSERT INTO hashes (stretch, key, position) VALUES (?, ?, ?)')
  const selectHash = db.prepare<[number, number], { position: number }>(
    'SELECT position FROM hashes WHERE stretch = ? AND key = ?',
  )
  let recent: Recent[] = []
  let folded: Folded = readFolded(meta)

  function take({ transaction, witnesses }: SignedTransaction, txHash: Uint8Array, position: number): void {
    const { inputs, outputs } = transaction
    const owners = inputs.map((input) => ownerOf(input, position))
    for (const { owner } of outputs) owners.push(owner)
    applyTransaction({ transaction, witnesses }, decodePosition(position), ledger)
    for (let i = 0; i < owners.length; i++) {
      const owner = owners[i] as Address
      if (owners.indexOf(owner) === i) journal.account(owner, 'payment', position)
    }
    recent.push({ txHash, position })
  }

  function ownerOf(input: number, position: number): Address {
    const output = ledger.find(input)
    if (output) return output.owner
    throw bug('LOG_CONTRADICTED', 'the log spends an output that the tables do not have', {
      got: input,
      want: 'an output',
      position,
    })
  }

  function indexHashes(): void {
    const stretch = Math.floor(folded.count / STRETCH)
    for (const { txHash, position } of recent) insertHash.run(stretch, keyOf(txHash), position)
  }

  return {
    take,
    count: () => recent.length,
    fold: () => {
      ledger.fold()
      journal.fold()
      const last = recent.at(-1)
      if (!last) return
      indexHashes()
      folded = { position: last.position, count: folded.count + recent.length }
      meta.set('folded', JSON.stringify(folded))
      recent = []
    },
    replay: () => {
      recent = []
      folded = readFolded(meta)
      for (const { position, txHash, body } of log.range(folded.position + 1, POSITION_LIMIT)) {
        take(decodeTransaction(body), txHash, position)
      }
    },
    positionOf: (txHash) => {
      const unfolded = recent.find((one) => equalBytes(one.txHash, txHash))
      if (unfolded) return unfolded.position
      const key = keyOf(txHash)
      for (let stretch = Math.floor(folded.count / STRETCH); stretch >= 0; stretch--) {
        for (const { position } of selectHash.all(stretch, key)) {
          const found = log.at(position)
          if (found && equalBytes(found.txHash, txHash)) return position
        }
      }
      return undefined
    },
  }
}

function readFolded(meta: Meta): Folded {
  const text = meta.get('folded')
  return text === undefined ? { position: -1, count: 0 } : (JSON.parse(text) as Folded)
}

/** The first 52 bits of a hash. Not unique: readers compare the rest. */
function keyOf(hash: Uint8Array): number {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength)
  return view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12)
}

/**
 * What a wallet remembers (docs/guide-wallet.md, "What is kept"): above all what leaving needs when nobody serves anything any more,
 * its transactions and the proofs of its outputs. Also what must not be forgotten in a crash: payments whose answer never came,
 * offers that hold coins, exits, mandates. One SQLite file per deployment, for all accounts of it.
 */
import { z } from 'zod'
import { type ExitData, exitDataSchema } from '../api/schemas.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { decodeTransaction, encodeTransaction } from '../protocol/codec.ts'
import type { Mandate } from '../protocol/mandate.ts'
import { decodeEntries, type Entry, type EntryFormat, encodeEntries, formatOf } from '../protocol/massExit.ts'
import type { SignedReceipt } from '../protocol/receipt.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { ProvenOutput } from './exitData.ts'
import type { SwapFile } from './swapFile.ts'
import { formatSwapFile } from './swapFile.ts'

/** Tables by version; the first entry makes an empty database. */
export const WALLET_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE proofs (
    position INTEGER PRIMARY KEY, owner TEXT NOT NULL, output_id TEXT NOT NULL, token TEXT NOT NULL, amount TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX proofs_by_owner ON proofs (owner, position);
  CREATE TABLE payments (
    tx_hash TEXT PRIMARY KEY, owner TEXT NOT NULL, encoded BLOB NOT NULL, state TEXT NOT NULL, position INTEGER,
    created_at INTEGER NOT NULL, reason TEXT
  ) STRICT;
  CREATE INDEX payments_by_owner ON payments (owner, state);
  CREATE TABLE swaps (
    id TEXT NOT NULL, owner TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, file TEXT NOT NULL, inputs TEXT NOT NULL,
    PRIMARY KEY (id, owner)
  ) STRICT;
  CREATE TABLE mandates (
    owner TEXT NOT NULL, signature TEXT NOT NULL, mandate TEXT NOT NULL, PRIMARY KEY (owner, signature)
  ) STRICT;
  CREATE TABLE exits (output_id TEXT PRIMARY KEY, owner TEXT NOT NULL, position INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE flights (
    tx_hash TEXT NOT NULL, owner TEXT NOT NULL, encoded BLOB NOT NULL, position INTEGER,
    PRIMARY KEY (tx_hash, owner)
  ) STRICT;
  CREATE INDEX flights_by_position ON flights (position);
  CREATE INDEX payments_by_position ON payments (position);
  CREATE TABLE history_marks (owner TEXT PRIMARY KEY, cursor INTEGER NOT NULL) STRICT;
  CREATE TABLE disputes (tx_hash TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (tx_hash, owner)) STRICT;
  `,
  `
  CREATE TABLE variants (tx_hash TEXT NOT NULL, encoded BLOB NOT NULL, PRIMARY KEY (tx_hash, encoded)) STRICT;
  CREATE TABLE soft_since (tx_hash TEXT PRIMARY KEY, l1_seconds INTEGER NOT NULL) STRICT;
  CREATE TABLE receipts (tx_hash TEXT PRIMARY KEY, receipt TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE locked_batches (
    batch_id TEXT PRIMARY KEY, l1_block INTEGER NOT NULL, token TEXT NOT NULL, format TEXT NOT NULL, entries BLOB NOT NULL
  ) STRICT;
  CREATE TABLE l1_marks (name TEXT PRIMARY KEY, l1_block INTEGER NOT NULL) STRICT;
  CREATE TABLE mandate_holders (signature TEXT NOT NULL, holder TEXT NOT NULL, PRIMARY KEY (signature, holder)) STRICT;
  `,
]

/** Signatures set aside of one transaction: of inputs that nobody could show when they came, so that true and false look alike. */
const MOST_VARIANTS = 16

/** sent: no answer yet, so it may or may not count. */
export type PaymentState = 'sent' | 'accepted' | 'rejected' | 'replaced'
export type StoredPayment = Readonly<{
  txHash: Hash
  owner: Address
  signed: SignedTransaction
  state: PaymentState
  position?: number
  createdAt: number
  reason?: string
}>

export type SwapRole = 'maker' | 'taker'
/** open: holds its inputs. */
export type SwapState = 'open' | 'done' | 'cancelled'
export type StoredSwap = Readonly<{
  id: Hash
  owner: Address
  role: SwapRole
  state: SwapState
  file: string
  inputs: readonly number[]
}>
export type StoredMandate = Readonly<{ mandate: Mandate; signature: Hash }>
export type StoredProof = Readonly<{ output: ProvenOutput; data: ExitData }>
/** A mass exit that locked what its entries name, checked. */
export type LockedBatch = Readonly<{ batchId: Hash; l1Block: number; token: Address; entries: readonly Entry[] }>
export type StoredExit = Readonly<{ outputId: Hash; owner: Address; position: number }>

/** A completely signed transaction that the owner takes part in, whoever handed it in. `position`: as the operator promised it. */
export type StoredFlight = Readonly<{ txHash: Hash; owner: Address; signed: SignedTransaction; position?: number }>

export type WalletStore = ReturnType<typeof createWalletStore>

/** All writes are durable when the call returns. */
export function createWalletStore(db: Database) {
  const run = (sql: string, values: Record<string, unknown>) => void db.prepare(sql).run(values)
  const all = (sql: string, values: Record<string, unknown>) =>
    db.prepare(sql).all(values) as readonly Record<string, unknown>[]

  return {
    saveProof({ output, data }: StoredProof): void {
      run('INSERT OR REPLACE INTO proofs VALUES (:position, :owner, :outputId, :token, :amount, :data)', {
        position: output.position,
        owner: output.owner,
        outputId: output.outputId,
        token: output.token,
        amount: `${output.amount}`,
        data: JSON.stringify(z.encode(exitDataSchema, data)),
      })
    },

    proof(position: number): ExitData | undefined {
      const [row] = all('SELECT data FROM proofs WHERE position = :position', { position })
      return row && readProof(row['data'] as string)
    },

    /** Every output of the owner that was ever proven, oldest first. */
    provenPositions(owner: Address): number[] {
      return all('SELECT position FROM proofs WHERE owner = :owner ORDER BY position', { owner }).map(
        (row) => row['position'] as number,
      )
    },

    savePayment(payment: StoredPayment): void {
      run(
        'INSERT OR REPLACE INTO payments VALUES (:txHash, :owner, :encoded, :state, :position, :createdAt, :reason)',
        {
          txHash: payment.txHash,
          owner: payment.owner,
          encoded: encodeTransaction(payment.signed),
          state: payment.state,
          position: payment.position ?? null,
          createdAt: payment.createdAt,
          reason: payment.reason ?? null,
        },
      )
    },

    payment(txHash: Hash): StoredPayment | undefined {
      const [row] = all('SELECT * FROM payments WHERE tx_hash = :txHash', { txHash })
      return row && readPayment(row)
    },

    payments(owner: Address, state: PaymentState): StoredPayment[] {
      return all('SELECT * FROM payments WHERE owner = :owner AND state = :state ORDER BY created_at, tx_hash', {
        owner,
        state,
      }).map(readPayment)
    },

    /** A position once known stays known, until another is given. Other signatures than before are kept beside the new ones. */
    saveFlight({ txHash, owner, signed, position }: StoredFlight): void {
      const encoded = encodeTransaction(signed)
      run(
        `INSERT OR IGNORE INTO variants SELECT tx_hash, encoded FROM flights
        WHERE tx_hash = :txHash AND owner = :owner AND encoded <> :encoded
          AND (SELECT count(*) FROM variants WHERE tx_hash = :txHash) < ${MOST_VARIANTS}`,
        { txHash, owner, encoded },
      )
      run(
        `INSERT INTO flights VALUES (:txHash, :owner, :encoded, :position)
        ON CONFLICT DO UPDATE SET encoded = :encoded, position = coalesce(:position, position)`,
        { txHash, owner, encoded, position: position ?? null },
      )
    },

    /** The same transaction with all signatures that ever came with it. */
    flightVariants(txHash: Hash): SignedTransaction[] {
      const rows = all(
        `SELECT encoded FROM (${FLIGHTS}) WHERE tx_hash = :txHash UNION SELECT encoded FROM variants WHERE tx_hash = :txHash`,
        { txHash },
      )
      return rows.flatMap((row) => readEncoded(row) ?? [])
    },

    /** When this wallet first knew of a payment that no block on L1 held: L1 seconds. Saved once. */
    saveSoftSince(txHash: Hash, l1Seconds: number): void {
      run('INSERT OR IGNORE INTO soft_since VALUES (:txHash, :l1Seconds)', { txHash, l1Seconds })
    },

    /** A block on L1 held it: should L1 drop that block again, waiting begins anew. */
    clearSoftSince(txHash: Hash): void {
      run('DELETE FROM soft_since WHERE tx_hash = :txHash', { txHash })
    },

    softSince(txHash: Hash): number | undefined {
      const [row] = all('SELECT l1_seconds FROM soft_since WHERE tx_hash = :txHash', { txHash })
      return row?.['l1_seconds'] as number | undefined
    },

    /** Of the operator, checked. A later one replaces it: an L1 reorg may have taken the anchor of the first. */
    saveReceipt(txHash: Hash, receipt: SignedReceipt): void {
      const values = { txHash, receipt: JSON.stringify(receipt) }
      run('INSERT OR REPLACE INTO receipts (tx_hash, receipt) VALUES (:txHash, :receipt)', values)
    },

    receipt(txHash: Hash): SignedReceipt | undefined {
      const [row] = all('SELECT receipt FROM receipts WHERE tx_hash = :txHash', { txHash })
      return row && (JSON.parse(row['receipt'] as string) as SignedReceipt)
    },

    /** Whoever else was said to stand at this place does not: files say what they like. */
    clearPlace(position: number, txHash: Hash): void {
      run('UPDATE flights SET position = NULL WHERE position = :position AND tx_hash <> :txHash', { position, txHash })
    },

    /** Of whichever owner: a signed transaction says the same to everybody. Payments that were sent from here are among them. */
    flight(txHash: Hash): StoredFlight | undefined {
      return readFlight(
        all(`SELECT * FROM (${FLIGHTS}) WHERE tx_hash = :txHash ORDER BY position IS NULL LIMIT 1`, { txHash })[0],
      )
    },

    /** Whether this owner's copy of it has a place. */
    hasPlaced(txHash: Hash, owner: Address): boolean {
      const rows = `SELECT 1 FROM (${FLIGHTS}) WHERE tx_hash = :txHash AND owner = :owner AND position IS NOT NULL LIMIT 1`
      return all(rows, { txHash, owner }).length > 0
    },

    /** By the position of output 0. */
    flightAt(position: number): StoredFlight | undefined {
      return readFlight(all(`SELECT * FROM (${FLIGHTS}) WHERE position = :position LIMIT 1`, { position })[0])
    },

    /** Newest place first; those without a place before all others. */
    flights(owner: Address): StoredFlight[] {
      const order = 'ORDER BY position IS NOT NULL, position DESC, tx_hash'
      const rows = all(`SELECT * FROM (${FLIGHTS}) WHERE owner = :owner ${order}`, { owner })
      const flights = rows.flatMap((row) => readFlight(row) ?? [])
      return [...new Map(flights.map((flight) => [flight.txHash, flight])).values()]
    },

    /** Up to where the operator's history was read; -1 at first. */
    historyMark(owner: Address): number {
      const [row] = all('SELECT cursor FROM history_marks WHERE owner = :owner', { owner })
      return (row?.['cursor'] as number | undefined) ?? -1
    },

    setHistoryMark(owner: Address, cursor: number): void {
      run('INSERT OR REPLACE INTO history_marks VALUES (:owner, :cursor)', { owner, cursor })
    },

    /** The owner means to leave by this dispute: what follows from its verdict is done for it. */
    saveDispute(txHash: Hash, owner: Address): void {
      run('INSERT OR IGNORE INTO disputes VALUES (:txHash, :owner)', { txHash, owner })
    },

    disputes(owner: Address): Hash[] {
      return all('SELECT tx_hash FROM disputes WHERE owner = :owner ORDER BY tx_hash', { owner }).map(
        (row) => row['tx_hash'] as Hash,
      )
    },

    saveSwap(
      id: Hash,
      owner: Address,
      role: SwapRole,
      { file, state, inputs }: Readonly<{ file: SwapFile; state: SwapState; inputs: readonly number[] }>,
    ): void {
      run('INSERT OR REPLACE INTO swaps VALUES (:id, :owner, :role, :state, :file, :inputs)', {
        id,
        owner,
        role,
        state,
        file: formatSwapFile(file),
        inputs: JSON.stringify(inputs),
      })
    },

    setSwapState(id: Hash, owner: Address, state: SwapState): void {
      run('UPDATE swaps SET state = :state WHERE id = :id AND owner = :owner', { id, owner, state })
    },

    swap(id: Hash, owner: Address): StoredSwap | undefined {
      const [row] = all('SELECT * FROM swaps WHERE id = :id AND owner = :owner', { id, owner })
      return row && readSwap(row)
    },

    openSwaps(owner: Address): StoredSwap[] {
      return all("SELECT * FROM swaps WHERE owner = :owner AND state = 'open' ORDER BY id", { owner }).map(readSwap)
    },

    saveMandate({ mandate, signature }: StoredMandate): void {
      run('INSERT OR REPLACE INTO mandates VALUES (:owner, :signature, :mandate)', {
        owner: mandate.owner,
        signature,
        mandate: JSON.stringify(mandate, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
      })
    },

    mandates(owner: Address): StoredMandate[] {
      return all('SELECT * FROM mandates WHERE owner = :owner', { owner }).map(readMandate)
    },

    /** Who was handed the mandate: a watcher's URL or a file. */
    saveMandateHolder(signature: Hash, holder: string): void {
      run('INSERT OR IGNORE INTO mandate_holders VALUES (:signature, :holder)', { signature, holder })
    },

    mandateHolders(signature: Hash): string[] {
      return all('SELECT holder FROM mandate_holders WHERE signature = :signature ORDER BY holder', { signature }).map(
        (row) => row['holder'] as string,
      )
    },

    /** Up to which L1 block the locks of mass exits were read; undefined before the first time. */
    batchMark(): number | undefined {
      const [row] = all("SELECT l1_block FROM l1_marks WHERE name = 'batches'", {})
      return row?.['l1_block'] as number | undefined
    },

    /** What L1 locked from `from` on takes the place of what was noted of those L1 blocks: a reorg may have taken it back. */
    saveLockedBatches(batches: readonly LockedBatch[], { from, mark }: Readonly<{ from: number; mark: number }>): void {
      inTransaction(db, () => {
        run('DELETE FROM locked_batches WHERE l1_block >= :from', { from })
        for (const { batchId, l1Block, token, entries } of batches) {
          const format = formatOf(entries)
          run('INSERT OR REPLACE INTO locked_batches VALUES (:batchId, :l1Block, :token, :format, :entries)', {
            batchId,
            l1Block,
            token,
            format: JSON.stringify(format),
            entries: Buffer.from(encodeEntries(entries, format)),
          })
        }
        run("INSERT OR REPLACE INTO l1_marks VALUES ('batches', :mark)", { mark })
      })
    },

    lockedBatches(): LockedBatch[] {
      return all('SELECT * FROM locked_batches ORDER BY l1_block, batch_id', {}).map((row) => ({
        batchId: row['batch_id'] as Hash,
        l1Block: row['l1_block'] as number,
        token: row['token'] as Address,
        entries: decodeEntries(
          new Uint8Array(row['entries'] as Buffer),
          JSON.parse(row['format'] as string) as EntryFormat,
        ),
      }))
    },

    saveExit({ outputId, owner, position }: StoredExit): void {
      run('INSERT OR REPLACE INTO exits VALUES (:outputId, :owner, :position)', { outputId, owner, position })
    },

    removeExit(outputId: Hash): void {
      run('DELETE FROM exits WHERE output_id = :outputId', { outputId })
    },

    exits(owner: Address): StoredExit[] {
      return all('SELECT * FROM exits WHERE owner = :owner ORDER BY position', { owner }).map((row) => ({
        outputId: row['output_id'] as Hash,
        owner,
        position: row['position'] as number,
      }))
    },
  }
}

const FLIGHTS = `SELECT tx_hash, owner, encoded, position FROM payments
  UNION ALL SELECT tx_hash, owner, encoded, position FROM flights`

/** What the disk damaged is as if it were not there: somebody else may still show it. */
function readProof(text: string): ExitData | undefined {
  try {
    return exitDataSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function readEncoded(row: Record<string, unknown>): SignedTransaction | undefined {
  try {
    return decodeTransaction(new Uint8Array(row['encoded'] as Buffer))
  } catch {
    return undefined
  }
}

function readFlight(row: Record<string, unknown> | undefined): StoredFlight | undefined {
  const signed = row && readEncoded(row)
  if (!row || !signed) return undefined
  return {
    txHash: row['tx_hash'] as Hash,
    owner: row['owner'] as Address,
    signed,
    ...(row['position'] === null ? {} : { position: row['position'] as number }),
  }
}

function readPayment(row: Record<string, unknown>): StoredPayment {
  return {
    txHash: row['tx_hash'] as Hash,
    owner: row['owner'] as Address,
    signed: decodeTransaction(new Uint8Array(row['encoded'] as Buffer)),
    state: row['state'] as PaymentState,
    createdAt: row['created_at'] as number,
    ...(row['position'] === null ? {} : { position: row['position'] as number }),
    ...(row['reason'] === null ? {} : { reason: row['reason'] as string }),
  }
}

function readSwap(row: Record<string, unknown>): StoredSwap {
  return {
    id: row['id'] as Hash,
    owner: row['owner'] as Address,
    role: row['role'] as SwapRole,
    state: row['state'] as SwapState,
    file: row['file'] as string,
    inputs: JSON.parse(row['inputs'] as string) as number[],
  }
}

function readMandate(row: Record<string, unknown>): StoredMandate {
  const { minAmount, maxFee, ...rest } = JSON.parse(row['mandate'] as string) as Record<string, never>
  return {
    mandate: { ...(rest as unknown as Mandate), minAmount: BigInt(minAmount ?? 0), maxFee: BigInt(maxFee ?? 0) },
    signature: row['signature'] as Hash,
  }
}

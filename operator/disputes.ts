/**
 * Disputes on L1 as they concern the operator (docs/spec.md sections 4.2 and 6.3). A dispute locks the inputs of its transaction; an exit
 * through it locks an output that L1 knows by its id only, and that has a position here only if the transaction is in the log, perhaps
 * later. While V6 still allows it the operator includes the disputed transaction itself: then nobody can say that it was held back.
 */
import type { StartedDispute } from '../l1/rootEvents.ts'
import type { Hash } from '../protocol/bytes.ts'
import { encodeTransaction } from '../protocol/codec.ts'
import type { Exit } from '../protocol/exit.ts'
import { OUTPUT_LIMIT, outputIdOf } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import { toBlob } from './columns.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'

export type Disputes = Readonly<{
  /** Locks the inputs; inside the caller's store transaction, as the next three. */
  started(dispute: StartedDispute, l1Block: number): void
  /** Locks what the exit names, wherever it stands. */
  exitStarted(exit: Exit, l1Block: number): void
  /** The disputed transaction stands here now: its outputs that are leaving are locked. */
  included(txHash: Uint8Array, position: number): void
  /** It is not valid here: a competitor was first. */
  giveUp(txHash: Uint8Array): void
  /** An L1 reorg took back what came after this block. Locks go with the table of locks. */
  takeBack(ancestor: number): void
  /** Transactions that V6 would still allow under this anchor and that the log does not have. */
  includable(anchor: number): Readonly<{ txHash: Uint8Array; body: Uint8Array }>[]
}>

export type DisputesOptions = Readonly<{
  db: Database
  ledger: Ledger
  journal: Journal
  positionOf: (txHash: Uint8Array) => number | undefined
}>

export function createDisputes({ db, ledger, journal, positionOf }: DisputesOptions): Disputes {
  const insertDispute = db.prepare(
    'INSERT OR IGNORE INTO disputes (tx_hash, body, locked_at, l1_block) VALUES (?, ?, ?, ?)',
  )
  const selectIncludable = db.prepare<[number], { tx_hash: Uint8Array; body: Uint8Array }>(
    'SELECT tx_hash, body FROM disputes WHERE locked_at > ? ORDER BY l1_block',
  )
  const insertLeaving = db.prepare(
    'INSERT OR IGNORE INTO leaving_outputs (tx_hash, output, owner, locked_at, l1_block) VALUES (?, ?, ?, ?, ?)',
  )
  const selectLeaving = db.prepare<
    [Uint8Array],
    { output: number; owner: Uint8Array; locked_at: number; l1_block: number }
  >('SELECT output, owner, locked_at, l1_block FROM leaving_outputs WHERE tx_hash = ?')
  const insertLock = db.prepare(
    'INSERT OR IGNORE INTO locks (position, owner, locked_at, l1_block) VALUES (?, ?, ?, ?)',
  )
  const giveUp = db.prepare('UPDATE disputes SET locked_at = 0 WHERE tx_hash = ?')
  const dropDisputes = db.prepare('DELETE FROM disputes WHERE l1_block > ?')
  const dropLeaving = db.prepare('DELETE FROM leaving_outputs WHERE l1_block > ?')

  function lock(position: number, owner: Uint8Array, lockedAt: number, l1Block: number): boolean {
    const isNew = insertLock.run(position, owner, lockedAt, l1Block).changes > 0
    if (isNew) ledger.forget(position)
    return isNew
  }

  function lockLeaving(txHash: Uint8Array, position: number): void {
    for (const { output, owner, locked_at, l1_block } of selectLeaving.all(txHash)) {
      lock(position + output, owner, locked_at, l1_block)
    }
  }

  return {
    started: ({ dispute, inputs, signed }, l1Block) => {
      insertDispute.run(toBlob(dispute.txHash), encodeTransaction(signed), dispute.lockedAt, l1Block)
      for (const { position, owner, lockedAt } of inputs) {
        if (lock(position, toBlob(owner), lockedAt, l1Block)) journal.account(owner, 'exit-started', position)
      }
    },
    exitStarted: (exit, l1Block) => {
      const txHash = toBlob(exit.disputed)
      const output = outputOf(exit.disputed, exit.outputId)
      if (output === undefined) return
      insertLeaving.run(txHash, output, toBlob(exit.owner), exit.lockedAt, l1Block)
      const position = positionOf(txHash)
      if (position === undefined) return
      if (lock(position + output, toBlob(exit.owner), exit.lockedAt, l1Block)) {
        journal.account(exit.owner, 'exit-started', position + output)
      }
    },
    included: lockLeaving,
    giveUp: (txHash) => {
      giveUp.run(txHash)
    },
    takeBack: (ancestor) => {
      dropDisputes.run(ancestor)
      dropLeaving.run(ancestor)
    },
    includable: (anchor) =>
      selectIncludable
        .all(anchor)
        .filter(({ tx_hash }) => positionOf(tx_hash) === undefined)
        .map(({ tx_hash, body }) => ({ txHash: tx_hash, body })),
  }
}

/** Which output of the transaction has this id; undefined for none. */
function outputOf(txHash: Hash, outputId: Hash): number | undefined {
  const bytes = toBlob(txHash)
  for (let output = 0; output < OUTPUT_LIMIT; output++) if (outputIdOf(bytes, output) === outputId) return output
  return undefined
}

/**
 * What the operator knows of L1 (docs/spec.md sections 4 and 11): the follower's events folded into the store. Deposits, locks and
 * submissions are written as soon as they are seen; that a deposit is spendable, and a lock binding, only from the anchor on is
 * validity's own rule. An L1 reorg takes back exactly what the dropped blocks brought.
 */
import { blockAt, type FollowerEvent } from '../l1/cursor.ts'
import { decodeRootEvents, type RootEvent } from '../l1/rootEvents.ts'
import type { Commitment } from '../protocol/block.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import type { Batches } from './batches.ts'
import type { Anchor } from './blockLog.ts'
import { toAddress, toBlob, toHash, toRoot } from './columns.ts'
import type { Disputes } from './disputes.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'
import type { Meta } from './meta.ts'
import type { ProblemCode, Problems } from './problems.ts'
import type { SuretyBook } from './suretyBook.ts'

/** A deposit that was spent here and that no L1 block holds any more: V2 refuses it under every anchor. */
export const NOT_ON_L1 = Number.MAX_SAFE_INTEGER

export type L1View = Readonly<{
  /** The follower's last block. */
  tip(): Readonly<{ number: number; hash: Hash; timestamp: number }> | undefined
  /** The youngest block deep enough to build on, none younger than `finalityDepth`; undefined until there is one. */
  bestAnchor(): Anchor | undefined
  /** True unless the chain that we follow has another block there. */
  isCanonical(anchor: Anchor): boolean
  /** Blocks up to this L1 number count as final. */
  finalNumber(): number
  /** Newest block on L1, 0 for none. */
  committed(): number
  /** Seconds of L1 time since L1 took the newest block, or since the root contract is there; 0 before it is seen. */
  silence(): number
  operator(): Address | undefined
  /** What a follower starts from. */
  cursor(): readonly Anchor[]
  /** Folds events in; inside the caller's store transaction. */
  apply(events: readonly FollowerEvent[], cursor: readonly Anchor[]): void
  restore(): void
}>

export type L1ViewOptions = Readonly<{
  db: Database
  ledger: Ledger
  journal: Journal
  disputes: Disputes
  batches: Batches
  surety: SuretyBook
  /** Wei: below it L1 takes no blocks. */
  leastBondWei: bigint
  meta: Meta
  problems: Problems
  log: Log
  /** Address of the key that we submit with. */
  ourAddress: Address
  /** L1 blocks on top of a block before it is built on. */
  finalityDepth: number
}>

type State = {
  cursor: readonly Anchor[]
  tip: { number: number; hash: Hash; timestamp: number } | undefined
  committed: number
  /** L1 time of the newest block, or of the root contract, seconds. */
  aliveAt: number | undefined
}

export function createL1View(options: L1ViewOptions): L1View {
  const { db, meta, finalityDepth } = options
  const state: State = { cursor: [], tip: undefined, committed: 0, aliveAt: undefined }
  const rows = prepareStatements(db)
  const apply = createApply(options)
  const readBlocks = () => {
    const { number, timestamp } = rows.committed.get() ?? {}
    const rootTime = meta.get('rootTime')
    state.committed = number ?? 0
    state.aliveAt = timestamp ?? (rootTime === undefined ? undefined : Number(rootTime))
  }

  const view: L1View = {
    tip: () => state.tip,
    cursor: () => state.cursor,
    committed: () => state.committed,
    silence: () => (state.tip && state.aliveAt !== undefined ? Math.max(0, state.tip.timestamp - state.aliveAt) : 0),
    operator: () => {
      const row = rows.operator.get()
      return row && toAddress(row.operator)
    },
    finalNumber: () => (state.tip ? state.tip.number - finalityDepth : -1),
    isCanonical: ({ number, hash }) => {
      const known = blockAt(state.cursor, number)
      return known === undefined ? number < (state.cursor[0]?.number ?? 0) : known.hash === hash
    },
    bestAnchor: () => {
      const createdAt = rows.createdAt.get()?.l1_block ?? Number.NaN
      const found = state.tip && blockAt(state.cursor, state.tip.number - finalityDepth)
      return found && found.number >= createdAt ? { number: found.number, hash: found.hash } : undefined
    },
    apply: (events, cursor) => {
      for (const event of events) apply(event)
      rows.clear.run()
      for (const { number, hash } of cursor) rows.insert.run(number, toBlob(hash))
      const last = events.findLast((event) => event.type === 'block')
      const { number, hash, timestamp } = last?.block ?? state.tip ?? {}
      if (number !== undefined && hash && timestamp !== undefined) {
        state.tip = { number, hash, timestamp }
        meta.set('l1Tip', JSON.stringify(state.tip))
      }
      state.cursor = [...cursor]
      readBlocks()
      markFinal(options, view.finalNumber())
      deriveProblems(options, view.operator())
    },
    restore: () => {
      state.cursor = rows.select.all().map(({ number, hash }) => ({ number, hash: toHash(hash) }))
      const tip = meta.get('l1Tip')
      state.tip = tip === undefined ? undefined : (JSON.parse(tip) as State['tip'])
      readBlocks()
      deriveProblems(options, view.operator())
    },
  }
  view.restore()
  return view
}

function prepareStatements(db: Database) {
  return {
    clear: db.prepare('DELETE FROM l1_blocks'),
    insert: db.prepare('INSERT INTO l1_blocks (number, hash) VALUES (?, ?)'),
    select: db.prepare<[], { number: number; hash: Uint8Array }>('SELECT number, hash FROM l1_blocks ORDER BY number'),
    operator: db.prepare<[], { operator: Uint8Array }>('SELECT operator FROM operators ORDER BY l1_block DESC LIMIT 1'),
    createdAt: db.prepare<[], { l1_block: number }>('SELECT l1_block FROM operators ORDER BY l1_block LIMIT 1'),
    committed: db.prepare<[], { number: number; timestamp: number | null }>(
      'SELECT number, timestamp_seconds AS timestamp FROM blocks WHERE l1_block IS NOT NULL ORDER BY number DESC LIMIT 1',
    ),
  }
}

/** Problems that the store shows: found again after every restart, gone when L1 mends them. */
function deriveProblems(
  { db, problems, ourAddress, surety, leastBondWei }: L1ViewOptions,
  operator: Address | undefined,
): void {
  const judge = (code: ProblemCode, words: string | undefined) =>
    words === undefined ? problems.clear(code) : problems.raise(code, words)
  const isRotated = operator !== undefined && operator !== ourAddress
  judge(
    'OPERATOR_ROTATED',
    isRotated ? `the key of the chain's operator is ${operator}, ours is ${ourAddress}` : undefined,
  )
  // Before the contract's own events are seen, nothing is known.
  const { wei } = surety.bond()
  judge('NOT_BONDED', operator !== undefined && wei < leastBondWei ? bondWords(wei, leastBondWei) : undefined)
  const lost = db
    .prepare<[], { position: number }>(`SELECT position FROM outputs WHERE deposited_at = ${NOT_ON_L1} LIMIT 1`)
    .get()
  judge('DEPOSIT_LOST', lost && lostWords(lost.position))
  const foreign = db.prepare<[], { number: number }>('SELECT number FROM foreign_blocks ORDER BY number LIMIT 1').get()
  judge('FOREIGN_BLOCK', foreign && foreignWords(foreign.number))
  const halt = db.prepare<[], { void_from: number | null }>('SELECT min(void_from) AS void_from FROM halts').get()
  judge('HALTED', halt?.void_from ? haltWords(halt.void_from) : undefined)
}

function bondWords(got: bigint, want: bigint): string {
  return `the operator's bond is ${got} wei, L1 takes no blocks below ${want}: post what is missing with \`lifeboat bond post\``
}

function lostWords(position: number): string {
  return `an L1 reorg deeper than finality took deposit ${position} back after it was spent; blocks that spend it cannot be submitted unless it returns`
}

function haltWords(voidFrom: number): string {
  return `the chain is halted: child blocks from ${voidFrom} on are void, and L1 takes no more; owners leave by their exits`
}

function foreignWords(number: number): string {
  return `L1 has a block ${number} that this operator did not cut: another operator runs with its key, or this database was restored from an old copy`
}

function createApply(options: L1ViewOptions): (event: FollowerEvent) => void {
  const applyRootEvent = createApplyRootEvent(options)
  const takeBack = createTakeBack(options)
  return (event) => {
    if (event.type === 'reorg') {
      options.log.warn('l1.reorganised', { commonAncestor: event.commonAncestor.number, dropped: event.dropped.length })
      takeBack(event.commonAncestor.number)
    }
    if (event.type === 'block') for (const one of decodeRootEvents(event.block, event.logs)) applyRootEvent(one)
  }
}

function createApplyRootEvent(options: L1ViewOptions): (event: RootEvent) => void {
  const { db, meta, ledger, journal, disputes, batches, surety, log } = options
  const insertHalt = db.prepare('INSERT OR REPLACE INTO halts (l1_block, void_from) VALUES (?, ?)')
  const insertOperator = db.prepare('INSERT OR REPLACE INTO operators (l1_block, operator) VALUES (?, ?)')
  const hasOperator = db.prepare('SELECT 1 FROM operators LIMIT 1')
  const insertLock = db.prepare(
    'INSERT OR IGNORE INTO locks (position, owner, locked_at, l1_block) VALUES (?, ?, ?, ?)',
  )
  const commit = createCommit(options)
  return (event) => {
    const l1Block = event.at.l1Block
    switch (event.type) {
      case 'BlocksSubmitted':
        event.commitments.forEach((commitment, i) => {
          commit(event.firstBlock + i, commitment, event)
        })
        return
      case 'Deposited':
        ledger.deposit(event.position, event, l1Block)
        journal.account(event.owner, 'deposit', event.position)
        log.info('deposit.seen', { position: event.position, owner: event.owner, l1Block })
        return
      case 'ExitStarted': {
        const { position, owner, lockedAt, disputed } = event.exit
        if (disputed !== ZERO_HASH) {
          disputes.exitStarted(event.exit, l1Block)
          return
        }
        if (insertLock.run(position, toBlob(owner), lockedAt, l1Block).changes > 0) {
          ledger.forget(position)
          journal.account(owner, 'exit-started', position)
          log.info('exit.seen', { position, owner, l1Block })
        }
        return
      }
      case 'DisputeStarted':
        disputes.started(event, l1Block)
        log.info('dispute.seen', { txHash: event.dispute.txHash, l1Block })
        return
      case 'BatchStarted':
        batches.started(event, l1Block)
        return
      case 'BatchLocked': {
        const outputs = batches.locked(event, l1Block)
        log.info('batch.locked', { batchId: event.batchId, outputs, l1Block })
        return
      }
      case 'HaltMoved':
        insertHalt.run(l1Block, event.voidFrom)
        log.warn('chain.halted', { voidFrom: event.voidFrom, l1Block })
        return
      case 'OperatorRotated':
        // The first is the contract's creation; a reorg brings it again, later.
        if (!hasOperator.get()) meta.set('rootTime', String(event.at.l1Timestamp))
        insertOperator.run(l1Block, toBlob(event.operator))
        return
      default:
        surety.apply(event)
        return
    }
  }
}

type BlockRow = { root: Uint8Array | null; tx_count: number | null; anchor: number; sealed_at: number | null }

/** Marks a block as on L1. Anything but our own commitment there means that another program acts with our key, or we lost data. */
function createCommit({ db, journal, log }: L1ViewOptions) {
  const select = db.prepare<[number], BlockRow>('SELECT root, tx_count, anchor, sealed_at FROM blocks WHERE number = ?')
  const insertForeign = db.prepare('INSERT OR REPLACE INTO foreign_blocks (number, l1_block) VALUES (?, ?)')
  const update = db.prepare(
    'UPDATE blocks SET l1_block = ?, l1_hash = ?, timestamp_seconds = ?, anchor = ?, anchor_hash = coalesce((SELECT hash FROM l1_blocks WHERE number = ?), anchor_hash) WHERE number = ?',
  )
  return (
    number: number,
    commitment: Commitment,
    { at, timestamp }: Extract<RootEvent, { type: 'BlocksSubmitted' }>,
  ) => {
    const ours = select.get(number)
    if (
      !ours ||
      ours.sealed_at === null ||
      toRoot(ours.root) !== commitment.root ||
      ours.tx_count !== commitment.txCount
    ) {
      const want = ours && { root: toRoot(ours.root), txCount: ours.tx_count }
      log.error('block.foreign', { number, got: commitment, want: want ?? 'no such block' })
      insertForeign.run(number, at.l1Block)
      return
    }
    // An earlier submission of the same block, on an anchor that we have since given up, may be the one that was mined.
    update.run(at.l1Block, toBlob(at.l1BlockHash), timestamp, commitment.anchor, commitment.anchor, number)
    journal.block(number, 'committed')
    log.info('block.committed', { number, l1Block: at.l1Block })
  }
}

function createTakeBack({
  db,
  ledger,
  journal,
  disputes,
  batches,
  surety,
  log,
}: L1ViewOptions): (ancestor: number) => void {
  const selectDeposits = db.prepare<[number], { position: number; owner: Uint8Array; spent_by: number | null }>(
    `SELECT position, owner, spent_by FROM outputs WHERE deposited_at > ? AND deposited_at < ${NOT_ON_L1}`,
  )
  const deleteDeposit = db.prepare('DELETE FROM outputs WHERE position = ?')
  const orphanDeposit = db.prepare(`UPDATE outputs SET deposited_at = ${NOT_ON_L1} WHERE position = ?`)
  const dropLocks = db.prepare<[number], { position: number; owner: Uint8Array }>(
    'DELETE FROM locks WHERE l1_block > ? RETURNING position, owner',
  )
  const uncommit = db.prepare<[number], { number: number }>(
    'UPDATE blocks SET l1_block = NULL, l1_hash = NULL, timestamp_seconds = NULL WHERE l1_block > ? RETURNING number',
  )
  const dropOperators = db.prepare('DELETE FROM operators WHERE l1_block > ?')
  const dropHalts = db.prepare('DELETE FROM halts WHERE l1_block > ?')
  const dropForeign = db.prepare('DELETE FROM foreign_blocks WHERE l1_block > ?')
  return (ancestor) => {
    dropOperators.run(ancestor)
    dropForeign.run(ancestor)
    dropHalts.run(ancestor)
    disputes.takeBack(ancestor)
    batches.takeBack(ancestor)
    surety.takeBack(ancestor)
    for (const { position, owner, spent_by } of selectDeposits.all(ancestor)) {
      if (spent_by === null) deleteDeposit.run(position)
      else {
        orphanDeposit.run(position)
        log.error('deposit.lost', { position, spentBy: spent_by, got: 'an L1 reorg deeper than finality' })
      }
      journal.account(toAddress(owner), 'deposit-dropped', position)
    }
    for (const { position, owner } of dropLocks.all(ancestor))
      journal.account(toAddress(owner), 'exit-dropped', position)
    for (const { number } of uncommit.all(ancestor).sort((a, b) => a.number - b.number)) journal.block(number, 'sealed')
    ledger.forget()
  }
}

/** Tells readers which blocks are past L1 finality now. `newest final` is kept so that each is told once. */
function markFinal({ db, journal, meta }: L1ViewOptions, finalNumber: number): void {
  const told = Number(meta.get('finalBlock') ?? 0)
  const rows = db
    .prepare<[number, number], { number: number }>(
      'SELECT number FROM blocks WHERE number > ? AND l1_block <= ? ORDER BY number',
    )
    .all(told, finalNumber)
  for (const { number } of rows) journal.block(number, 'final')
  const newest = rows.at(-1)
  if (newest) meta.set('finalBlock', String(newest.number))
}

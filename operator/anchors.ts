/**
 * Re-anchoring (docs/spec.md sections 3 and 4): a block that is not on L1 yet, and whose anchor L1 no longer takes (too old, or
 * reorganised away), gets a younger one. Roots and positions do not contain the anchor, so nothing promised changes; but V2 and V6
 * do, so every transaction is judged again. If one fails under every anchor on offer, nothing is changed and the problem is loud.
 */
import { decodeTransaction } from '../protocol/codec.ts'
import { INDEX_LIMIT, OUTPUT_LIMIT } from '../protocol/position.ts'
import type { ExistingOutput } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import type { Anchor, BlockLog } from './blockLog.ts'
import { toBlob, toHash } from './columns.ts'
import type { L1View } from './l1View.ts'
import type { Ledger } from './ledger.ts'
import type { Problems } from './problems.ts'
import type { TransactionLog } from './transactionLog.ts'

export type AnchorOptions = Readonly<{
  db: Database
  transactions: TransactionLog
  blockLog: BlockLog
  view: L1View
  ledger: Ledger
  problems: Problems
  log: Log
  /** L1 blocks. */
  anchorAgeBlocks: number
}>

type PendingBlock = Readonly<{ number: number; anchor: Anchor }>

/** True when L1 would refuse it in its next block. */
export function isUnusable(anchor: Anchor, view: L1View, anchorAgeBlocks: number): boolean {
  const tip = view.tip()
  if (!tip) return false
  return anchor.number + anchorAgeBlocks < tip.number + 1 || !view.isCanonical(anchor)
}

/**
 * Raises RECEIPTS_AT_RISK while a block with transactions that is not on L1 has an anchor older than so many L1 blocks: further promises on
 * top of it may be broken with it.
 */
export function judgeAge(options: AnchorOptions, maxAge: number): void {
  const { view, problems } = options
  const tip = view.tip()?.number ?? 0
  const oldest = readPromised(options).find(({ anchor }) => tip - anchor.number > maxAge)
  if (!oldest) {
    problems.clear('RECEIPTS_AT_RISK')
    return
  }
  problems.raise(
    'RECEIPTS_AT_RISK',
    `block ${oldest.number} is not on L1, and its anchor is ${tip - oldest.anchor.number} L1 blocks old: from ${options.anchorAgeBlocks} on it can't come any more, and its receipts are broken`,
  )
}

/** What is to be done now, in the caller's store transaction; undefined when all anchors are usable, or none can be mended. */
export function findReanchoring(options: AnchorOptions): (() => void) | undefined {
  const { view, anchorAgeBlocks, problems } = options
  const pending = readPending(options)
  const first = pending.findIndex(({ anchor }) => isUnusable(anchor, view, anchorAgeBlocks))
  if (first < 0) {
    problems.clear('ANCHOR_STUCK')
    return undefined
  }
  const floor = pending[first - 1]?.anchor.number ?? readCommittedAnchor(options)
  // The anchor of a later block that is still good comes first: receipts for that block name it.
  const next = pending.slice(first + 1).find(({ anchor }) => !isUnusable(anchor, view, anchorAgeBlocks))?.anchor
  const candidates = [...(next ? [next] : []), ...candidatesOf(options)].filter(({ number }) => number >= floor)
  if (candidates.length === 0) return undefined
  for (const anchor of candidates) {
    // Anchors never decrease: whatever stands on an older one after the first moves along.
    const moved = pending.slice(first).filter((block) => isMoved(block, anchor, options))
    if (!findUnfit(moved, anchor, options)) return () => move(moved, anchor, options)
  }
  const unfit = findUnfit(pending.slice(first), candidates[0] as Anchor, options)
  problems.raise(
    'ANCHOR_STUCK',
    `block ${unfit?.block} cannot go to L1: its anchor is unusable, and transaction ${unfit?.position} is invalid on a younger one (${unfit?.why})`,
  )
  return undefined
}

function isMoved({ anchor }: PendingBlock, to: Anchor, { view, anchorAgeBlocks }: AnchorOptions): boolean {
  return anchor.number < to.number || isUnusable(anchor, view, anchorAgeBlocks)
}

/** The youngest first; then the oldest that L1 still takes for a while, under which fewer locks bind. */
function candidatesOf({ view, anchorAgeBlocks }: AnchorOptions): Anchor[] {
  const [best, tip] = [view.bestAnchor(), view.tip()]
  if (!best || !tip) return []
  const oldest = tip.number - Math.floor(anchorAgeBlocks / 2)
  const older = view.cursor().find(({ number }) => number >= oldest && number < best.number)
  return older ? [best, older] : [best]
}

/** Blocks that are not on L1 and hold transactions. */
function readPromised(options: AnchorOptions): PendingBlock[] {
  const { db, blockLog } = options
  const open = blockLog.open()
  const size = db.prepare<[number], { tx_count: number | null }>('SELECT tx_count FROM blocks WHERE number = ?')
  return readPending(options).filter(({ number }) =>
    number === open?.number ? open.txCount > 0 : (size.get(number)?.tx_count ?? 0) > 0,
  )
}

/** Blocks that are not on L1: the sealed ones, and the open one once something is in it. */
function readPending({ db, blockLog, view }: AnchorOptions): PendingBlock[] {
  const rows = db
    .prepare<[number], { number: number; anchor: number; anchor_hash: Uint8Array }>(
      'SELECT number, anchor, anchor_hash FROM blocks WHERE number > ? ORDER BY number',
    )
    .all(view.committed())
  const open = blockLog.open()
  return rows
    .filter(({ number }) => number !== open?.number || open.txCount > 0)
    .map((row) => ({ number: row.number, anchor: { number: row.anchor, hash: toHash(row.anchor_hash) } }))
}

function readCommittedAnchor({ db, view }: AnchorOptions): number {
  const row = db
    .prepare<[number], { anchor: number }>('SELECT anchor FROM blocks WHERE number = ?')
    .get(view.committed())
  return row?.anchor ?? 0
}

type Unfit = Readonly<{ block: number; position: number; why: string }>

/** The first transaction of these blocks that V2 or V6 refuse on that anchor. The other rules do not ask for it. */
function findUnfit(
  blocks: readonly PendingBlock[],
  anchor: Anchor,
  { transactions, ledger }: AnchorOptions,
): Unfit | undefined {
  for (const { number } of blocks) {
    const size = INDEX_LIMIT * OUTPUT_LIMIT
    for (const { position, body } of transactions.range(number * size, (number + 1) * size)) {
      for (const input of decodeTransaction(body).transaction.inputs) {
        const why = whyUnfit(ledger.find(input), anchor)
        if (why) return { block: number, position, why: `input ${input} ${why}` }
      }
    }
  }
  return undefined
}

function whyUnfit(output: ExistingOutput | undefined, anchor: Anchor): string | undefined {
  if (!output) return 'is not there'
  if (output.depositedAt !== undefined && output.depositedAt > anchor.number)
    return 'is a deposit that L1 does not have there'
  if (output.lockedAt !== undefined && output.lockedAt <= anchor.number)
    return `was locked in L1 block ${output.lockedAt}`
  return undefined
}

function move(blocks: readonly PendingBlock[], anchor: Anchor, options: AnchorOptions): void {
  const { db, blockLog, view, problems, log } = options
  // Receipts name the anchor. One that an L1 reorg took away binds nobody; one that only grew too old does.
  const promised = new Set(readPromised(options).map(({ number }) => number))
  const broken = blocks.filter((block) => promised.has(block.number) && view.isCanonical(block.anchor))
  if (broken.length > 0) {
    const numbers = broken.map(({ number }) => number)
    log.error('receipts.broken', { blocks: numbers, got: 'an anchor too old for L1', want: 'a submission in time' })
    problems.raise(
      'RECEIPTS_BROKEN',
      `receipts for blocks ${numbers.join(', ')} are broken: they were not submitted in time; anybody who holds one can take half of the bond`,
    )
  }
  const update = db.prepare('UPDATE blocks SET anchor = ?, anchor_hash = ? WHERE number = ?')
  const open = blockLog.open()?.number
  for (const { number } of blocks) {
    if (number === open) blockLog.setAnchor(anchor)
    else update.run(anchor.number, toBlob(anchor.hash), number)
  }
  problems.clear('ANCHOR_STUCK')
  log.warn('blocks.reanchored', { blocks: blocks.map(({ number }) => number), anchor: anchor.number })
}

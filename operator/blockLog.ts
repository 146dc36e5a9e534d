/**
 * The ordered log and the blocks cut from it (docs/spec.md sections 3 and 4). Exactly one block is open at a time; a transaction's
 * place in it is fixed at acceptance. The open block's anchor may still move while it is empty, never after its first acceptance
 * (re-anchoring in anchors.ts is the one exception, and checks every transaction again).
 *
 * All writes belong into the caller's store transaction; after a rollback the caller says `restore`.
 */
import type { Hash } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { bug } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { createTree, type MerkleTree } from '../protocol/merkle.ts'
import { encodePosition, INDEX_LIMIT, OUTPUT_LIMIT } from '../protocol/position.ts'
import { leafOf } from '../protocol/transaction.ts'
import type { Database } from '../service/database.ts'
import { toBlob, toHash, toRoot } from './columns.ts'
import type { Journal } from './journal.ts'
import type { TransactionLog } from './transactionLog.ts'

/** An L1 block that a child block is built on. */
export type Anchor = Readonly<{ number: number; hash: Hash }>

export type OpenBlock = Readonly<{
  number: number
  anchor: Anchor
  txCount: number
  /** Milliseconds; undefined while it is empty. */
  firstAcceptedAt: number | undefined
}>

export type Entry = Readonly<{ txHash: Uint8Array; leaf: Uint8Array; body: Uint8Array }>

export type BlockLog = Readonly<{
  /** Undefined until L1 is deep enough for the first anchor. */
  open(): OpenBlock | undefined
  /** The newest sealed block, 0 for none. */
  sealed(): number
  /** Opens the next block. Throws BLOCK_OPEN when there is one. */
  openNext(anchor: Anchor): OpenBlock
  /** Moves the anchor of the open block. */
  setAnchor(anchor: Anchor): void
  /** Gives the next place in the open block. Returns the position of output 0. */
  append(entry: Entry, now: number): number
  /** The anchor of a sealed or the open block. Throws BLOCK_UNKNOWN (bug). */
  anchorOf(block: number): Anchor
  /** Of a sealed block; undefined for any other. */
  rootOf(block: number): Hash | undefined
  /** Of a block's transactions, from the log. */
  treeOf(block: number): MerkleTree
  /** Cuts the open block, even an empty one, and opens the next on the best anchor there is by then. Returns its number. */
  seal(now: number): number
  restore(): void
}>

type State = {
  number: number
  anchor: Anchor
  firstAcceptedAt: number | undefined
  leaves: Uint8Array[]
}

export type BlockLogOptions = Readonly<{
  db: Database
  log: TransactionLog
  journal: Journal
  /** The youngest L1 block deep enough to build on, if it is known and younger than the last one used. */
  bestAnchor: () => Anchor | undefined
}>

export function createBlockLog({ db, log, journal, bestAnchor }: BlockLogOptions): BlockLog {
  const rows = prepareStatements(db)
  let state: State | undefined
  let newestSealed = 0

  function need(): State {
    if (state) return state
    throw bug('NO_OPEN_BLOCK', 'no block is open', { got: 'none', want: 'an open block' })
  }

  function openNext(anchor: Anchor): OpenBlock {
    if (state) throw bug('BLOCK_OPEN', 'a block is already open', { got: state.number, want: 'none' })
    state = { number: newestSealed + 1, anchor, firstAcceptedAt: undefined, leaves: [] }
    rows.insertBlock.run(state.number, anchor.number, toBlob(anchor.hash))
    return describe(state)
  }

  const blockLog: BlockLog = {
    open: () => state && describe(state),
    sealed: () => newestSealed,
    openNext,
    setAnchor: (anchor) => {
      const { number } = need()
      rows.updateAnchor.run(anchor.number, toBlob(anchor.hash), number)
      need().anchor = anchor
    },
    append: ({ txHash, leaf, body }, now) => {
      const { number, leaves, firstAcceptedAt } = need()
      const position = encodePosition({ block: number, index: leaves.length, output: 0 })
      log.append({ position, txHash, body })
      leaves.push(leaf)
      if (firstAcceptedAt === undefined) {
        rows.updateFirst.run(now, number)
        need().firstAcceptedAt = now
      }
      return position
    },
    anchorOf: (block) => {
      if (state?.number === block) return state.anchor
      const row = rows.selectAnchor.get(block)
      if (row) return { number: row.anchor, hash: toHash(row.anchor_hash) }
      throw bug('BLOCK_UNKNOWN', 'no such block', { got: block, want: `1 to ${newestSealed + 1}` })
    },
    rootOf: (block) => {
      const row = rows.selectRoot.get(block)
      return row && toRoot(row.root)
    },
    treeOf: (block) => createTree(readLeaves(log, block)),
    seal: (now) => {
      const { number, anchor, leaves } = need()
      const tree = createTree(leaves)
      rows.seal.run(now, leaves.length, leaves.length === 0 ? null : tree.root, number)
      if (leaves.length > 0) rows.insertTree.run(number, packTree(tree))
      journal.block(number, 'sealed')
      newestSealed = number
      state = undefined
      const best = bestAnchor()
      openNext(best && best.number > anchor.number ? best : anchor)
      return number
    },
    restore: () => {
      newestSealed = rows.selectSealed.get()?.number ?? 0
      const row = rows.selectOpen.get()
      state = row && {
        number: row.number,
        anchor: { number: row.anchor, hash: toHash(row.anchor_hash) },
        firstAcceptedAt: row.first_accepted_at ?? undefined,
        leaves: readLeaves(log, row.number),
      }
    },
  }
  blockLog.restore()
  return blockLog
}

function describe({ number, anchor, firstAcceptedAt, leaves }: State): OpenBlock {
  return { number, anchor, firstAcceptedAt, txCount: leaves.length }
}

function prepareStatements(db: Database) {
  return {
    insertBlock: db.prepare('INSERT INTO blocks (number, anchor, anchor_hash) VALUES (?, ?, ?)'),
    updateAnchor: db.prepare('UPDATE blocks SET anchor = ?, anchor_hash = ? WHERE number = ?'),
    selectAnchor: db.prepare<[number], { anchor: number; anchor_hash: Uint8Array }>(
      'SELECT anchor, anchor_hash FROM blocks WHERE number = ?',
    ),
    selectRoot: db.prepare<[number], { root: Uint8Array | null }>(
      'SELECT root FROM blocks WHERE number = ? AND sealed_at IS NOT NULL',
    ),
    updateFirst: db.prepare('UPDATE blocks SET first_accepted_at = ? WHERE number = ?'),
    seal: db.prepare('UPDATE blocks SET sealed_at = ?, tx_count = ?, root = ? WHERE number = ?'),
    insertTree: db.prepare('INSERT INTO trees (block, nodes) VALUES (?, ?)'),
    selectSealed: db.prepare<[], { number: number | null }>(
      'SELECT max(number) AS number FROM blocks WHERE sealed_at IS NOT NULL',
    ),
    selectOpen: db.prepare<
      [],
      { number: number; anchor: number; anchor_hash: Uint8Array; first_accepted_at: number | null }
    >('SELECT number, anchor, anchor_hash, first_accepted_at FROM blocks WHERE sealed_at IS NULL'),
  }
}

/** The leaves of a block's transactions, from the log: what the open block is after a restart. */
function readLeaves(log: TransactionLog, block: number): Uint8Array[] {
  const entries = log.range(block * INDEX_LIMIT * OUTPUT_LIMIT, (block + 1) * INDEX_LIMIT * OUTPUT_LIMIT)
  return Array.from(entries, ({ txHash, body }) => leafOf(txHash, keccak256(decodeTransaction(body).witnesses)))
}

const NODE_SIZE = 32

/** All levels one after the other, leaves first, so that a proof reads a few nodes and not the block. */
function packTree({ levels }: MerkleTree): Buffer {
  return Buffer.concat(levels.flat())
}

/**
 * Where in the packed tree the siblings of a leaf stand, from the leaf up, padding left out: node numbers. The same walk as
 * `proveLeaf` of protocol/merkle.ts, without the tree.
 */
export function siblingNodes(txCount: number, index: number): number[] {
  const nodes: number[] = []
  let start = 0
  let size = txCount
  for (let place = index; size > 1; place >>= 1) {
    const sibling = place ^ 1
    if (sibling < size) nodes.push(start + sibling)
    start += size
    size = Math.ceil(size / 2)
  }
  return nodes
}

/** The siblings of a sealed block's leaf, from the leaf up. */
export function readPath(db: Database, block: number, txCount: number, index: number): Uint8Array[] {
  const select = db.prepare<[number, number], { node: Uint8Array }>(
    `SELECT substr(nodes, ? * ${NODE_SIZE} + 1, ${NODE_SIZE}) AS node FROM trees WHERE block = ?`,
  )
  return siblingNodes(txCount, index).map((node) => {
    const row = select.get(node, block)
    if (row?.node.length === NODE_SIZE) return row.node
    throw bug('TREE_MISSING', 'the tree of a sealed block is not stored', { got: 'none', want: { block, node } })
  })
}

/** For checks: the root that the log gives for a block. */
export function rootFromLog(log: TransactionLog, block: number): Uint8Array {
  return createTree(readLeaves(log, block)).root
}

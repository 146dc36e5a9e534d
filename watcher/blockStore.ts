/**
 * Child blocks as L1 commits them and bodies as peers serve them (docs/spec.md section 3). A commitment comes and goes with L1; a
 * body is content that stays: it is kept by (block, root, anchor) and linked again when the same commitment comes back.
 */

import { type Commitment, type Header, hashWitnesses, type InclusionProof } from '../protocol/block.ts'
import { bytesToHex, type Hash, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import { decodeTransaction, splitBody } from '../protocol/codec.ts'
import { bug, isLifeboatError } from '../protocol/errors.ts'
import { createTree, type MerkleTree, proveLeaf } from '../protocol/merkle.ts'
import { decodePosition, encodePosition, OUTPUT_LIMIT } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import type { BlockFault } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import { cutHashes, HASH_SIZE } from '../signatures/packing.ts'
import type { Journal } from './journal.ts'
import { fromJson, toJson } from './json.ts'
import { readMalformed } from './malformed.ts'

/**
 * Transactions whose hashes share one stretch of the index: keys are random, and an insert must not touch pages all over a large
 * table. A search looks into each stretch. A block belongs to one, by the transactions up to it.
 */
const STRETCH = 2 ** 16
const CACHED_BLOCKS = 4

export type ChildBlock = Readonly<{
  number: number
  header: Header
  /** L1 block of the submission. */
  l1Block: number
  l1Hash: Hash
  /** Undefined when the anchor is older than what we followed. */
  anchorHash: Hash | undefined
  /** A body that matches the commitment is stored. */
  hasBody: boolean
  verified: boolean
  fault?: BlockFault
  /** Attended silence so far, seconds; only of interest while there is no body. */
  observedSeconds: number
}>

export type NewBody = Readonly<{
  block: number
  commitment: Commitment
  body: Uint8Array
  /** 32 bytes each. */
  leaves: Uint8Array
  /** Local clock, ms. */
  arrivedAt: number
  /** L1 seconds of the newest block that was known then. */
  arrivedL1: number
}>

/** Where on L1 a commitment stands. */
export type Submission = Readonly<{ l1Block: number; l1BlockHash: Hash }>

export type PlacedTransaction = Readonly<{
  position: number
  signed: SignedTransaction
  header: Header
  proof: InclusionProof
}>

export type BlockStore = ReturnType<typeof createBlockStore>

type Row = Readonly<{
  number: number
  root: Hash
  tx_count: number
  anchor: number
  anchor_hash: Hash | null
  timestamp: number
  l1_block: number
  l1_hash: Hash
  body: number | null
  verified: number
  fault: string | null
  observed_seconds: number
}>

/** `separator`: of the EIP-712 domain, for transaction hashes. */
export function createBlockStore(db: Database, separator: Uint8Array, journal: Journal) {
  const select = db.prepare<[number], Row>('SELECT * FROM child_blocks WHERE number = ?')
  const selectSeen = db.prepare<[number], { arrived_l1: number; observed_seconds: number }>(
    'SELECT arrived_l1, observed_seconds FROM child_blocks JOIN bodies ON bodies.id = child_blocks.body WHERE number = ?',
  )
  const selectNewest = db.prepare<[], { number: number | null }>('SELECT max(number) AS number FROM child_blocks')
  const selectVerified = db.prepare<[], { number: number | null }>(
    'SELECT number FROM child_blocks WHERE verified = 1 ORDER BY number DESC LIMIT 1',
  )
  const selectUpTo = db.prepare<[number], { number: number | null }>(
    'SELECT max(number) AS number FROM child_blocks WHERE l1_block <= ?',
  )
  const selectAbove = db.prepare<[number], Row>('SELECT * FROM child_blocks WHERE l1_block > ? ORDER BY number DESC')
  const insert = db.prepare(
    `INSERT INTO child_blocks (number, root, tx_count, anchor, anchor_hash, timestamp, l1_block, l1_hash, body, tx_total)
     VALUES (?, ?, ?, ?, (SELECT hash FROM l1_blocks WHERE number = ?), ?, ?, ?, (SELECT id FROM bodies WHERE block = ? AND root = ? AND anchor = ?), ?)`,
  )
  const remove = db.prepare('DELETE FROM child_blocks WHERE number = ?')
  const rememberDropped = db.prepare('INSERT OR REPLACE INTO dropped_blocks (number, root) VALUES (?, ?)')
  const takeDropped = db.prepare<[number], { root: Hash }>('DELETE FROM dropped_blocks WHERE number = ? RETURNING root')
  const insertBody = db.prepare(
    'INSERT OR IGNORE INTO bodies (block, root, anchor, tx_count, arrived_at, arrived_l1, body, leaves) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const link = db.prepare(
    `UPDATE child_blocks SET body = (SELECT id FROM bodies WHERE block = number AND bodies.root = child_blocks.root
       AND bodies.anchor = child_blocks.anchor) WHERE number = ?`,
  )
  const setVerified = db.prepare('UPDATE child_blocks SET verified = ?, fault = NULL WHERE number = ?')
  const setFault = db.prepare('UPDATE child_blocks SET fault = ? WHERE number = ?')
  const setObserved = db.prepare('UPDATE child_blocks SET observed_seconds = ? WHERE number = ?')
  const selectBody = db.prepare<[number], { body: Buffer }>(
    'SELECT bodies.body FROM bodies JOIN child_blocks ON child_blocks.body = bodies.id WHERE child_blocks.number = ?',
  )
  const selectSize = db.prepare<[number], { size: number }>(
    'SELECT length(bodies.body) AS size FROM bodies JOIN child_blocks ON child_blocks.body = bodies.id WHERE child_blocks.number = ?',
  )
  const selectLeaves = db.prepare<[number], { leaves: Buffer }>(
    'SELECT bodies.leaves FROM bodies JOIN child_blocks ON child_blocks.body = bodies.id WHERE child_blocks.number = ?',
  )
  const selectBodyless = db.prepare<[number, number], { number: number }>(
    'SELECT number FROM child_blocks WHERE number >= ? AND body IS NULL ORDER BY number LIMIT ?',
  )
  const insertTransaction = db.prepare(
    'INSERT OR IGNORE INTO transactions (stretch, hash_key, position) VALUES (?, ?, ?)',
  )
  const deleteTransaction = db.prepare('DELETE FROM transactions WHERE stretch = ? AND hash_key = ? AND position = ?')
  const selectPlaces = db.prepare<[number, number], { position: number }>(
    'SELECT position FROM transactions WHERE stretch = ? AND hash_key = ? ORDER BY position',
  )
  const selectTotal = db.prepare<[number], { tx_total: number }>('SELECT tx_total FROM child_blocks WHERE number = ?')
  const trees = new Map<Hash, MerkleTree>()
  const cut = new Map<Hash, Readonly<{ number: number; transactions: readonly Uint8Array[] }>>()
  let verified: number | undefined

  function find(number: number): ChildBlock | undefined {
    const row = select.get(number)
    return row && fromRow(row)
  }

  function verifiedBlock(): number {
    verified ??= selectVerified.get()?.number ?? 0
    return verified
  }

  function body(number: number): Uint8Array | undefined {
    const found = selectBody.get(number)?.body
    // A Buffer's slice is a view, a Uint8Array's a copy; decoding relies on the copy.
    return found && new Uint8Array(found.buffer, found.byteOffset, found.byteLength)
  }

  /** Undefined where there is no such transaction, or one that breaks V1 (in an invalid block). */
  function signedAt(position: number): SignedTransaction | undefined {
    const { block, index } = decodePosition(position)
    const encoded = transactionsOf(block)?.[index]
    return encoded && tryDecode(encoded)
  }

  /** Also one that breaks V1. */
  function anySignedAt(position: number): SignedTransaction | undefined {
    const { block, index } = decodePosition(position)
    const encoded = transactionsOf(block)?.[index]
    return encoded && (tryDecode(encoded) ?? readMalformed(encoded))
  }

  function stretchOf(number: number): number {
    return Math.floor((selectTotal.get(number)?.tx_total ?? 0) / STRETCH)
  }

  /** For the live feed: a block event as api/feed.ts has it, and what became of the block here. */
  function tell(number: number, state: 'committed' | 'verified' | 'invalid' | 'dropped'): void {
    const block = find(number)
    if (!block) return
    const { header, l1Block, l1Hash, anchorHash = ZERO_HASH, fault } = block
    const { timestamp, ...commitment } = header
    const isOnL1 = state !== 'dropped'
    journal.append('blocks', {
      number,
      stage: isOnL1 ? 'committed' : 'sealed',
      ...commitment,
      anchorHash,
      ...(isOnL1 && { submission: { l1Block, l1BlockHash: l1Hash, timestamp } }),
      state,
      ...(fault && { fault }),
    })
  }

  /** The last few bodies asked for stay cut up: questions about one block come together. */
  function transactionsOf(number: number): readonly Uint8Array[] | undefined {
    const root = find(number)?.header.root
    const known = root && cut.get(root)
    if (known?.number === number) return known.transactions
    const bytes = body(number)
    if (!root || !bytes) return undefined
    const { transactions } = splitBody(bytes)
    if (cut.size >= CACHED_BLOCKS) cut.delete(cut.keys().next().value as Hash)
    cut.set(root, { number, transactions })
    return transactions
  }

  function treeOf(number: number, root: Hash): MerkleTree {
    const known = trees.get(root)
    if (known) return known
    const packed = selectLeaves.get(number)?.leaves
    if (!packed) throw bug('LEAVES_MISSING', 'a block with a body has no leaves', { got: number })
    const tree = createTree(cutHashes(packed))
    if (trees.size >= CACHED_BLOCKS) trees.delete(trees.keys().next().value as Hash)
    trees.set(root, tree)
    return tree
  }

  /** With the proof that it stands there. */
  function placed(position: number, signed: SignedTransaction): PlacedTransaction | undefined {
    const { block, index } = decodePosition(position)
    const header = find(block)?.header
    if (!header) return undefined
    const proof: InclusionProof = {
      witnessesHash: bytesToHex(hashWitnesses(signed.witnesses)),
      path: proveLeaf(treeOf(block, header.root), index).map(bytesToHex),
    }
    return { position: encodePosition({ block, index, output: 0 }), signed, header, proof }
  }

  return {
    find,
    verifiedBlock,
    body,
    signedAt,

    /** Leaf hashes of a block whose body we have, 32 bytes each. */
    leaves(number: number): Uint8Array[] | undefined {
      const packed = selectLeaves.get(number)?.leaves
      return packed && cutHashes(packed)
    },

    bodySize(number: number): number {
      return selectSize.get(number)?.size ?? 0
    },

    newestBlock(): number {
      return selectNewest.get()?.number ?? 0
    },

    /** Newest block whose submission stands in this L1 block or below; 0 for none. */
    newestUpTo(l1Block: number): number {
      return selectUpTo.get(l1Block)?.number ?? 0
    },

    /** Blocks whose submission stands in an L1 block above this one, newest first. */
    submittedAbove(l1Block: number): ChildBlock[] {
      return selectAbove.all(l1Block).map(fromRow)
    },

    /** Adds what L1 committed. Returns the root that this number carried before an L1 reorg, if it was another. */
    add(number: number, header: Header, submission: Submission): Hash | undefined {
      const { root, txCount, anchor, timestamp } = header
      const { l1Block, l1BlockHash } = submission
      const total = (selectTotal.get(number - 1)?.tx_total ?? 0) + txCount
      insert.run(number, root, txCount, anchor, anchor, timestamp, l1Block, l1BlockHash, number, root, anchor, total)
      tell(number, 'committed')
      const before = takeDropped.get(number)?.root
      return before !== undefined && before !== root ? before : undefined
    },

    /** Takes a commitment back; the caller has undone its effects on the outputs. */
    drop({ number, header }: ChildBlock): void {
      tell(number, 'dropped')
      rememberDropped.run(number, header.root)
      remove.run(number)
      verified = undefined
    },

    /** The caller has checked that the body is the commitment's. Twice is once. */
    addBody({ block, commitment, body: bytes, leaves, arrivedAt, arrivedL1 }: NewBody): void {
      const { root, anchor, txCount } = commitment
      insertBody.run(block, root, anchor, txCount, arrivedAt, arrivedL1, bytes, leaves)
      link.run(block)
    },

    /** `txHashes`: 32 bytes each. */
    markVerified(number: number, txHashes: Uint8Array): void {
      const stretch = stretchOf(number)
      const first = encodePosition({ block: number, index: 0, output: 0 })
      for (let i = 0; i * HASH_SIZE < txHashes.length; i++) {
        insertTransaction.run(stretch, hashKey(txHashes, i * HASH_SIZE), first + i * OUTPUT_LIMIT)
      }
      setVerified.run(1, number)
      verified = undefined
      tell(number, 'verified')
    },

    /** Takes the verdict back; returns the block's spends as pairs of input and spender. */
    unverify(number: number): (readonly [input: number, by: number])[] {
      const bytes = body(number)
      if (!bytes) throw bug('BODY_MISSING', 'a verified block has no body', { got: number })
      const spends: (readonly [number, number])[] = []
      const stretch = stretchOf(number)
      splitBody(bytes).transactions.forEach((encoded, index) => {
        const { transaction } = decodeTransaction(encoded)
        const position = encodePosition({ block: number, index, output: 0 })
        deleteTransaction.run(stretch, hashKey(hashTransaction(transaction, separator), 0), position)
        for (const input of transaction.inputs) spends.push([input, position])
      })
      setVerified.run(0, number)
      verified = undefined
      return spends
    },

    markInvalid(number: number, fault: BlockFault): void {
      setFault.run(toJson(fault), number)
      tell(number, 'invalid')
    },

    setObserved(number: number, seconds: number): void {
      setObserved.run(seconds, number)
    },

    /** Blocks from `from` on that nobody has served yet, lowest first. */
    withoutBody(from: number, limit: number): number[] {
      return selectBodyless.all(from, limit).map(({ number }) => number)
    },

    /** When the block's body came, and after how much attended silence; undefined without a body. */
    seen(number: number): Readonly<{ arrivedL1: number; observedSeconds: number }> | undefined {
      const row = selectSeen.get(number)
      return row && { arrivedL1: row.arrived_l1, observedSeconds: row.observed_seconds }
    },

    /** The transaction at a position in a block whose body we have, with its proof. */
    prove(position: number): PlacedTransaction | undefined {
      const signed = signedAt(position)
      return signed && placed(position, signed)
    },

    /**
     * As `prove`, for any transaction of a block whose body we have: also one that breaks V1. For fraud proofs, which show what a verified
     * block never holds.
     */
    proveAny(position: number): PlacedTransaction | undefined {
      const signed = anySignedAt(position)
      return signed && placed(position, signed)
    },
    anySignedAt,

    /** Position of a transaction in a verified block. */
    positionOf(txHash: Hash): number | undefined {
      const key = hashKey(hexToBytes(txHash), 0)
      for (let stretch = stretchOf(verifiedBlock()); stretch >= 0; stretch--) {
        for (const { position } of selectPlaces.all(stretch, key)) {
          const signed = signedAt(position)
          if (signed && bytesToHex(hashTransaction(signed.transaction, separator)) === txHash) return position
        }
      }
      return undefined
    },

    txHashAt(position: number): Hash | undefined {
      const signed = signedAt(position)
      return signed && bytesToHex(hashTransaction(signed.transaction, separator))
    },

    /** After a failed transaction what was cached may never have been written. */
    forget(): void {
      verified = undefined
    },
  }
}

/** The first 52 bits of a hash: an exact integer key, a third of the size of the hash. Not unique; readers compare the rest. */
function hashKey(hashes: Uint8Array, at: number): number {
  const view = new DataView(hashes.buffer, hashes.byteOffset + at, 8)
  return view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12)
}

function tryDecode(encoded: Uint8Array): SignedTransaction | undefined {
  try {
    return decodeTransaction(encoded)
  } catch (error) {
    if (isLifeboatError(error) && error.family === 'invalid') return undefined
    throw error
  }
}

function fromRow(row: Row): ChildBlock {
  return {
    number: row.number,
    header: { root: row.root, timestamp: row.timestamp, txCount: row.tx_count, anchor: row.anchor },
    l1Block: row.l1_block,
    l1Hash: row.l1_hash,
    anchorHash: row.anchor_hash ?? undefined,
    hasBody: row.body !== null,
    verified: row.verified === 1,
    observedSeconds: row.observed_seconds,
    ...(row.fault === null ? {} : { fault: fromJson<BlockFault>(row.fault) }),
  }
}

/**
 * Receipts that users handed in (docs/spec.md section 8.8): kept with what L1 and the blocks say about each, looked at again and again
 * while L1 knows their anchor, because a block comes late, a reorg moves an anchor, and a halt voids what was kept. They are no facts of
 * L1: a rebuild leaves them alone, and they are few (`MOST_RECEIPTS`).
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash, hexToBytes } from '../protocol/bytes.ts'
import { invalid, retryable } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import { encodePosition } from '../protocol/position.ts'
import {
  hashReceipt,
  hashReceiptBatch,
  isInBatch,
  judgeReceipt,
  type ReceiptVerdict,
  type SignedReceipt,
} from '../protocol/receipt.ts'
import type { Database } from '../service/database.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { Alarm } from './alarm.ts'
import type { BlockStore } from './blockStore.ts'
import { ANCHOR_MEMORY_BLOCKS } from './court/dataRules.ts'
import type { BrokenReceipt } from './court/dataTypes.ts'
import { fromJson, toJson } from './json.ts'
import { type RootLog, receiptSubject } from './rootLog.ts'

/** The store is open to everybody who holds a receipt. */
export const MOST_RECEIPTS = 100_000
/** Receipts judged in one tick. */
const LOOK_PAGE = 100
/** Receipts proven in one tick, those broken longest first. */
const BROKEN_PAGE = 16

/** `contradicted`: another receipt promises the place to another transaction. `slashed`: L1 has slashed for this place. */
export type ReceiptState = ReceiptVerdict | 'contradicted' | 'slashed'

export type KeptReceipt = Readonly<{ signed: SignedReceipt; state: ReceiptState; addedAt: number }>

export type ReceiptBookParts = Readonly<{
  db: Database
  blocks: Pick<BlockStore, 'find' | 'newestBlock' | 'txHashAt' | 'prove'>
  rootLog: Pick<RootLog, 'now' | 'halt'>
  /** Of the EIP-712 domain. */
  separator: Uint8Array
  parameters: Parameters
  alarm: Pick<Alarm, 'raise'>
  /** Local clock, ms. */
  now(): number
}>

export type ReceiptBook = ReturnType<typeof createReceiptBook>

type Row = Readonly<{
  id: number
  signed: string
  canonical: Hash | null
  state: ReceiptState
  broken_since: number | null
  added_at: number
}>

export function createReceiptBook({ db, blocks, rootLog, separator, parameters, alarm, now }: ReceiptBookParts) {
  const insert = db.prepare(`
    INSERT INTO receipts (block, place, anchor, anchor_hash, tx_hash, signed, canonical, state, added_at)
    VALUES (?, ?, ?, ?, ?, ?, NULL, 'open', ?)`)
  const selectSame = db.prepare<[number, number, string, string], Row>(
    'SELECT * FROM receipts WHERE block = ? AND place = ? AND anchor_hash = ? AND tx_hash = ?',
  )
  const selectRival = db.prepare<[number, number, string, string], Row>(
    'SELECT * FROM receipts WHERE block = ? AND place = ? AND anchor_hash = ? AND tx_hash <> ? ORDER BY id LIMIT 1',
  )
  const selectOf = db.prepare<[string], Row>('SELECT * FROM receipts WHERE tx_hash = ? ORDER BY id LIMIT 100')
  const selectPage = db.prepare<[number, number], Row>('SELECT * FROM receipts WHERE id > ? ORDER BY id LIMIT ?')
  const selectBroken = db.prepare<[number], Row>(
    'SELECT * FROM receipts WHERE broken_since IS NOT NULL ORDER BY broken_since, id LIMIT ?',
  )
  const update = db.prepare('UPDATE receipts SET state = ?, canonical = ?, broken_since = ? WHERE id = ?')
  const prune = db.prepare('DELETE FROM receipts WHERE anchor < ?')
  const count = db.prepare<[], { count: number }>('SELECT count(*) AS count FROM receipts')
  const selectL1Hash = db.prepare<[number], { hash: Hash }>('SELECT hash FROM l1_blocks WHERE number = ?')
  const selectEvents = db.prepare<[string], { data: string }>('SELECT data FROM root_events WHERE subject = ?')
  let lastLooked = 0
  /** Told in this run: the alarm would only count them again. */
  const told = new Set<Hash>()

  /** Every key that the chain ever had: L1 takes receipts of each. */
  function wasOperator(signer: Address): boolean {
    const rows = selectEvents.all('operator')
    // The contract names its first key where it is made: a watcher without one has not read so far, and can't judge.
    if (rows.length === 0)
      throw retryable('L1_NOT_READ', 'this watcher has not read the chain’s operator from L1 yet; try again')
    return rows.some(({ data }) => {
      const event = fromJson<RootEvent>(data)
      return event.type === 'OperatorRotated' && event.operator === signer
    })
  }

  function assertSigned(signed: SignedReceipt): void {
    if (!isInBatch(signed)) {
      const details = { got: signed.path, want: 'the path from the receipt to the signed root' }
      throw invalid('RECEIPT_MALFORMED', 'the receipt is not one of its batch', details)
    }
    const digest = hashReceiptBatch(signed.root, signed.count, separator)
    const signer = recoverAddress(digest, hexToBytes(signed.signature))
    if (signer && wasOperator(signer)) return
    const details = { got: signer ?? 'nobody', want: 'a key of this chain’s operator' }
    throw invalid('RECEIPT_MALFORMED', 'the receipt is not signed by an operator of this chain', details)
  }

  /** The hash that L1 has at the receipt's anchor, as far as we know it; ours to forget only when L1 does. */
  function canonicalOf({ receipt }: SignedReceipt, remembered: Hash | null): Hash | undefined {
    const { anchor, blockNumber } = receipt
    if (rootLog.now().block > anchor + ANCHOR_MEMORY_BLOCKS) return undefined
    const block = blocks.find(blockNumber)
    const shown = block?.header.anchor === anchor ? block.anchorHash : undefined
    return selectL1Hash.get(anchor)?.hash ?? shown ?? remembered ?? undefined
  }

  function isSlashed({ receipt }: SignedReceipt): boolean {
    return selectEvents.all(receiptSubject(receipt)).length > 0
  }

  function rivalOf({ receipt }: SignedReceipt): SignedReceipt | undefined {
    const { blockNumber, index, anchorHash, txHash } = receipt
    const rival = selectRival.get(blockNumber, index, anchorHash, txHash)
    return rival && fromJson<SignedReceipt>(rival.signed)
  }

  function judge(signed: SignedReceipt, canonicalAnchor: Hash | undefined): ReceiptState {
    const { receipt } = signed
    const { blockNumber, index } = receipt
    if (isSlashed(signed)) return 'slashed'
    const header = blocks.find(blockNumber)?.header
    const isThere = header !== undefined && index < header.txCount
    const verdict = judgeReceipt(receipt, {
      canonicalAnchor,
      l1Block: rootLog.now().block,
      voidFrom: rootLog.halt().voidFrom,
      newest: blocks.newestBlock(),
      anchorAgeBlocks: parameters.anchorAgeBlocks,
      header,
      standing: isThere ? blocks.txHashAt(encodePosition({ block: blockNumber, index, output: 0 })) : undefined,
    })
    // What L1 contradicts is shown with that: the same money, and no need of the other receipt.
    if (verdict === 'broken' || verdict === 'displaced') return verdict
    return rivalOf(signed) ? 'contradicted' : verdict
  }

  function look(row: Row): ReceiptState {
    const signed = fromJson<SignedReceipt>(row.signed)
    const { finalised, timestamp } = rootLog.now()
    const canonical = canonicalOf(signed, row.canonical)
    const state = judge(signed, canonical)
    const isBroken = state === 'broken' || state === 'displaced' || state === 'contradicted'
    // An anchor that is final is remembered: L1 knows it for longer than our table of L1 blocks.
    const remembered = canonical !== undefined && signed.receipt.anchor <= finalised ? canonical : row.canonical
    const since = isBroken ? (row.broken_since ?? timestamp) : null
    if (state !== row.state || remembered !== row.canonical || since !== row.broken_since) {
      update.run(state, remembered, since, row.id)
    }
    tell(signed, state, finalised)
    return state
  }

  function tell({ receipt }: SignedReceipt, state: ReceiptState, finalised: number): void {
    const key = bytesToHex(hashReceipt(receipt))
    const about = { ...receipt, state }
    if (state === 'broken' || state === 'displaced' || state === 'contradicted') {
      if (!told.has(key)) alarm.raise('RECEIPT_BROKEN', key, about)
      told.add(key)
    }
    // The newest L1 blocks may still be replaced by those that the operator saw.
    if (state === 'void-anchor' && receipt.anchor <= finalised) {
      if (!told.has(key)) alarm.raise('RECEIPT_WORTHLESS', key, about)
      told.add(key)
    }
  }

  function howOf(signed: SignedReceipt, state: ReceiptState): BrokenReceipt['how'] | undefined {
    const { blockNumber, index } = signed.receipt
    if (state === 'broken') {
      const header = blocks.find(blockNumber)?.header
      return { kind: 'header', ...(header && { header }) }
    }
    if (state === 'contradicted') {
      const other = rivalOf(signed)
      return other && { kind: 'contradiction', other }
    }
    if (state !== 'displaced') return undefined
    const position = encodePosition({ block: blockNumber, index, output: 0 })
    const placed = blocks.prove(position)
    const txHash = placed && blocks.txHashAt(position)
    return txHash && { kind: 'displaced', header: placed.header, txHash, proof: placed.proof }
  }

  return {
    /** Takes a receipt in, twice is once, and says what it is worth now. Throws RECEIPT_MALFORMED, RECEIPT_ANCHOR_OLD; (retryable) RECEIPTS_FULL, L1_NOT_READ. */
    add(signed: SignedReceipt): ReceiptState {
      assertSigned(signed)
      const { txHash, blockNumber, index, anchor, anchorHash } = signed.receipt
      const same = () => selectSame.get(blockNumber, index, anchorHash, txHash)
      const known = same()
      if (known) return look(known)
      const oldest = rootLog.now().block - ANCHOR_MEMORY_BLOCKS
      if (anchor < oldest) {
        const details = { got: anchor, want: `an anchor from L1 block ${oldest} on` }
        throw invalid('RECEIPT_ANCHOR_OLD', 'L1 has forgotten the receipt’s anchor: nothing can be made of it', details)
      }
      const held = count.get()?.count ?? 0
      if (held >= MOST_RECEIPTS) {
        const details = { got: held, want: `fewer than ${MOST_RECEIPTS}`, retryAfterSeconds: 3_600 }
        throw retryable('RECEIPTS_FULL', 'this watcher keeps no more receipts', details)
      }
      insert.run(blockNumber, index, anchor, anchorHash, txHash, toJson(signed), now())
      const row = same()
      return row ? look(row) : 'open'
    },

    /** Receipts for this transaction, in the order handed in. */
    ofTransaction(txHash: Hash): KeptReceipt[] {
      return selectOf.all(txHash).map(({ signed, state, added_at }) => {
        return { signed: fromJson<SignedReceipt>(signed), state, addedAt: added_at }
      })
    },

    /** Judges the next ones again; after a while all. Those whose anchor L1 has forgotten go. */
    look(): void {
      prune.run(rootLog.now().block - ANCHOR_MEMORY_BLOCKS)
      const page = selectPage.all(lastLooked, LOOK_PAGE)
      for (const row of page) look(row)
      lastLooked = page.length < LOOK_PAGE ? 0 : (page.at(-1) as Row).id
    },

    /** What can be shown on L1 now. A receipt is judged again before: L1 may have moved since. */
    broken(): BrokenReceipt[] {
      return selectBroken.all(BROKEN_PAGE).flatMap((row): BrokenReceipt[] => {
        const state = look(row)
        const signed = fromJson<SignedReceipt>(row.signed)
        const how = howOf(signed, state)
        return how ? [{ signed, since: row.broken_since as number, how }] : []
      })
    },
  }
}

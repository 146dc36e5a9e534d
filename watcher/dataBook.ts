/**
 * Data challenges as L1 tells them (docs/spec.md section 8.6): a row per challenged range, folded from its events whenever they change, so
 * that an L1 reorg needs no undo of its own; and what answers revealed, which is content like a peer's, only that nobody can hide it.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { hashWitnesses } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { encodeTransaction, joinBody } from '../protocol/codec.ts'
import type { LeafRange } from '../protocol/dataChallenge.ts'
import { bug, isLifeboatError } from '../protocol/errors.ts'
import { createTree, proveLeaf } from '../protocol/merkle.ts'
import { hashTransaction, leafOf, type SignedTransaction } from '../protocol/transaction.ts'
import type { Database } from '../service/database.ts'
import type { ChildBlock } from './blockStore.ts'
import type { DataRecord } from './court/dataTypes.ts'
import { fromJson, toJson } from './json.ts'

export type DataEvent = Extract<RootEvent, { type: 'DataChallenged' | 'DataRevealed' | 'DataChallengeEnded' }>
type LeavesEvent = Extract<RootEvent, { type: 'LeavesRevealed' }>

/** A leaf that an answer revealed, with what proves its place. */
export type RevealedLeaf = Readonly<{
  index: number
  signed: SignedTransaction
  witnessesHash: Hash
  path: readonly Hash[]
}>

export type DataBook = ReturnType<typeof createDataBook>

/** Open challenges looked at in one tick, oldest first: each has cost somebody a bond. */
const OPEN_PAGE = 10_000
/** Blocks whose reveals stay decoded. */
const KEPT_BLOCKS = 8

type Row = Readonly<{ record: string }>

/** `separator`: of the EIP-712 domain, for transaction hashes. */
export function createDataBook(db: Database, separator: Uint8Array) {
  const selectEvents = db.prepare<[string], { data: string }>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block, log_index',
  )
  const selectLast = db.prepare<[string], { data: string }>(
    'SELECT data FROM root_events WHERE subject = ? ORDER BY l1_block DESC, log_index DESC LIMIT 1',
  )
  const upsert = db.prepare(`
    INSERT OR REPLACE INTO data_challenges (block, first, levels, state, challenger, started_at, record)
    VALUES (?, ?, ?, ?, ?, ?, ?)`)
  const remove = db.prepare('DELETE FROM data_challenges WHERE block = ? AND first = ? AND levels = ?')
  const selectOpen = db.prepare<[number], Row>(
    "SELECT record FROM data_challenges WHERE state = 'open' ORDER BY started_at, block, first, levels LIMIT ?",
  )
  const selectOfBlock = db.prepare<[number], Row>(
    'SELECT record FROM data_challenges WHERE block = ? ORDER BY first, levels',
  )
  const selectOwn = db.prepare<[string, number], Row>(
    'SELECT record FROM data_challenges WHERE challenger = ? AND started_at >= ? ORDER BY started_at, block, first, levels',
  )
  /** What the reveals of a block amount to, as long as no other came. */
  const memo = new Map<number, Readonly<{ at: string; leaves: ReadonlyMap<number, RevealedLeaf> }>>()

  function readAll(rows: readonly Row[]): DataRecord[] {
    return rows.map(({ record }) => fromJson<DataRecord>(record))
  }

  function leavesOfEvent({ first, transactions, path }: LeavesEvent): RevealedLeaf[] {
    const hashed = transactions.map(({ transaction, witnesses }) => {
      const witnessesHash = hashWitnesses(witnesses)
      return { witnessesHash, leaf: leafOf(hashTransaction(transaction, separator), witnessesHash) }
    })
    // What lacks to the range's height is padding, which no path holds.
    const tree = createTree(hashed.map(({ leaf }) => leaf))
    return transactions.map((signed, i) => ({
      index: first + i,
      signed,
      witnessesHash: bytesToHex((hashed[i] as (typeof hashed)[number]).witnessesHash),
      path: [...proveLeaf(tree, i).map(bytesToHex), ...path],
    }))
  }

  /** Every leaf of this block that an answer revealed, by index. Of the commitment that L1 holds now: L1 checked each against it. */
  function revealedLeaves(block: number): ReadonlyMap<number, RevealedLeaf> {
    const last = selectLast.get(leavesSubject(block))
    if (!last) {
      memo.delete(block)
      return new Map()
    }
    const { l1BlockHash, logIndex } = fromJson<LeavesEvent>(last.data).at
    const at = `${l1BlockHash} ${logIndex}`
    const known = memo.get(block)
    if (known?.at === at) return known.leaves
    const events = selectEvents.all(leavesSubject(block)).map(({ data }) => fromJson<LeavesEvent>(data))
    const leaves = new Map(events.flatMap(leavesOfEvent).map((leaf) => [leaf.index, leaf]))
    if (memo.size >= KEPT_BLOCKS) memo.delete(memo.keys().next().value as number)
    memo.set(block, { at, leaves })
    return leaves
  }

  return {
    revealedLeaves,

    /** Folds the range again after its events changed; a row without events goes. */
    refresh({ blockNumber, first, levels }: LeafRange): void {
      const rows = selectEvents.all(rangeSubject({ blockNumber, first, levels }))
      const record = rows.length === 0 ? undefined : foldData(rows.map(({ data }) => fromJson<DataEvent>(data)))
      if (!record) {
        remove.run(blockNumber, first, levels)
        return
      }
      const { challenger, startedAt } = record.challenge
      upsert.run(blockNumber, first, levels, record.state, challenger, startedAt, toJson(record))
    },

    /** Oldest first. */
    open: (): DataRecord[] => readAll(selectOpen.all(OPEN_PAGE)),

    ofBlock: (block: number): DataRecord[] => readAll(selectOfBlock.all(block)),

    /** Made by this account from then on, in L1 seconds. */
    ownSince: (challenger: Address, since: number): DataRecord[] => readAll(selectOwn.all(challenger, since)),

    /** The block's body, if answers on L1 have revealed all of it. Its commitment is for the caller to check, as for a peer's. */
    revealedBody({ number, header }: Pick<ChildBlock, 'number' | 'header'>): Uint8Array | undefined {
      const leaves = revealedLeaves(number)
      if (leaves.size < header.txCount) return undefined
      const transactions: Uint8Array[] = []
      for (let index = 0; index < header.txCount; index++) {
        const encoded = tryEncode(leaves.get(index)?.signed)
        if (!encoded) return undefined
        transactions.push(encoded)
      }
      return joinBody({ block: number, anchor: header.anchor, transactions })
    },
  }
}

/** L1 takes only what satisfies V1, which is what the codec takes; if they ever differ, the block stays one that nobody serves. */
function tryEncode(signed: SignedTransaction | undefined): Uint8Array | undefined {
  if (!signed) return undefined
  try {
    return encodeTransaction(signed)
  } catch (error) {
    if (isLifeboatError(error) && error.family === 'invalid') return undefined
    throw error
  }
}

/** The life of one challenge, in the order of L1. The first event is its start. */
export function foldData(events: readonly DataEvent[]): DataRecord {
  const first = events[0]
  if (first?.type !== 'DataChallenged') {
    const details = { got: first?.type, want: 'DataChallenged' }
    throw bug('DATA_CHALLENGE_WITHOUT_START', 'events of a data challenge that never started', details)
  }
  const { challenge, at } = first
  const revealed = events.find((event) => event.type === 'DataRevealed')
  const ended = events.find((event) => event.type === 'DataChallengeEnded')
  return {
    challenge,
    state: revealed ? 'answered' : ended ? 'ended' : 'open',
    at: { l1Block: at.l1Block, l1Timestamp: at.l1Timestamp },
    ...(revealed && { answer: { answerer: revealed.answerer, paid: revealed.paid } }),
    ...(ended?.isHalt && { isHalt: true as const }),
  }
}

/** The range that an event is about; undefined for what is no event of one challenge. */
export function rangeOfEvent(event: RootEvent): LeafRange | undefined {
  switch (event.type) {
    case 'DataChallenged':
      return event.challenge
    case 'DataRevealed':
    case 'DataChallengeEnded':
      return event
    default:
      return undefined
  }
}

/** Under which the events of one challenge are found. */
export function rangeSubject({ blockNumber, first, levels }: LeafRange): string {
  return `data ${blockNumber} ${first} ${levels}`
}

/** Under which what was revealed of a block is found. */
export function leavesSubject(block: number): string {
  return `leaves ${block}`
}

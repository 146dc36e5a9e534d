/**
 * Brings sealed blocks to L1 (docs/spec.md section 3): level-triggered. Each step compares what is sealed with what L1 has, and
 * makes sure that one submission for exactly the next blocks is under way; several blocks go in one call when we are behind. The
 * outbox signs, sends and bumps fees. `firstBlock` in the call is the expected number, so that late or doubled sends do nothing.
 */
import { encodeSubmitBlocks, type RootCall } from '../l1/rootCalls.ts'
import type { Commitment } from '../protocol/block.ts'
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import { toHash, toRoot } from './columns.ts'
import type { L1View } from './l1View.ts'
import type { Meta } from './meta.ts'
import type { Problems } from './problems.ts'

/** At 25,000 gas for each further block: far below one L1 transaction's limit. */
export const MAX_BLOCKS_PER_CALL = 100

/** L1 blocks before a submission that does not get on is a problem. */
const PATIENCE_BLOCKS = 4

export type SubmissionState =
  /** `words`: why it does not get on, if it does not. */
  | Readonly<{ state: 'waiting'; words?: string }>
  | Readonly<{ state: 'mined'; l1Block: number }>
  | Readonly<{ state: 'failed'; words: string }>

/** What the submitter needs of the outbox. */
export type Sender = Readonly<{
  /** Durable, inside the caller's store transaction. The same key again replaces what was not mined yet: only one takes effect. */
  enqueue(submission: Readonly<{ key: string; call: RootCall; purpose: string; lastL1Block: number }>): void
  stateOf(key: string): SubmissionState | undefined
}>

export type SubmitterOptions = Readonly<{
  db: Database
  view: L1View
  meta: Meta
  problems: Problems
  sender: Sender
  log: Log
  sealed: () => number
  /** L1 blocks. */
  anchorAgeBlocks: number
}>

type Active = Readonly<{
  key: string
  firstBlock: number
  lastBlock: number
  attempt: number
  /** What the call says: the same blocks on other anchors are another payload. */
  payload: Hash
  /** L1 block at which we asked. */
  tip: number
}>
type Pending = Commitment & Readonly<{ number: number; anchorHash: Hash }>

/** What is to be done now; undefined when nothing is. The step runs in the caller's store transaction. */
export function findSubmitterStep(options: SubmitterOptions): (() => void) | undefined {
  const { view, sender, problems } = options
  const firstBlock = view.committed() + 1
  if (options.sealed() < firstBlock) {
    problems.clear('SUBMISSION_FAILED')
    return undefined
  }
  const active = readActive(options)
  if (!active || active.firstBlock !== firstBlock) return () => submit(options, { firstBlock, attempt: 0 })
  const tip = view.tip()?.number ?? 0
  const found = sender.stateOf(active.key)
  if (found?.state === 'waiting') {
    // Between being mined and being seen mined, a simulation fails for a moment.
    const isStuck = found.words !== undefined && tip >= active.tip + PATIENCE_BLOCKS
    if (isStuck) problems.raise('SUBMISSION_FAILED', `${blocksOf(active)}: ${found.words}`)
    else problems.clear('SUBMISSION_FAILED')
    const isSame = payloadOf(readPending(options, active)) === active.payload
    return isSame ? undefined : () => submit(options, active)
  }
  if (found?.state === 'failed') problems.raise('SUBMISSION_FAILED', `${blocksOf(active)}: ${found.words}`)
  // The outbox may see L1 further than our follower does.
  if (found?.state === 'mined' && found.l1Block > tip) return undefined
  // Failed, or mined and then gone with an L1 reorg: once per L1 block, so that a failure is not a storm.
  if (tip <= active.tip) return undefined
  return () => submit(options, { firstBlock, attempt: active.attempt + 1 })
}

function blocksOf({ firstBlock, lastBlock }: Active): string {
  return `the submission of blocks ${firstBlock} to ${lastBlock} does not get on`
}

type Wanted = Readonly<{ firstBlock: number; attempt: number }>

function submit(options: SubmitterOptions, { firstBlock, attempt }: Wanted): void {
  const { meta, sender, view, log } = options
  const lastBlock = Math.min(options.sealed(), firstBlock + MAX_BLOCKS_PER_CALL - 1)
  const blocks = readPending(options, { firstBlock, lastBlock })
  const key = `submit/${firstBlock}/${attempt}`
  const commitments = blocks.map(({ root, txCount, anchor }) => ({ root, txCount, anchor }))
  const call = encodeSubmitBlocks(firstBlock, commitments, (blocks.at(-1) as Pending).anchorHash)
  const purpose =
    firstBlock === lastBlock ? `submit block ${firstBlock}` : `submit blocks ${firstBlock} to ${lastBlock}`
  // Only the first anchor's age is judged: the others are younger.
  const lastL1Block = (blocks[0] as Pending).anchor + options.anchorAgeBlocks
  sender.enqueue({ key, call, purpose, lastL1Block })
  const tip = view.tip()?.number ?? 0
  const active: Active = { key, firstBlock, lastBlock, attempt, payload: payloadOf(blocks), tip }
  meta.set('submission', JSON.stringify(active))
  log.info('submission.enqueued', { firstBlock, lastBlock, attempt })
}

function readActive({ meta }: SubmitterOptions): Active | undefined {
  const text = meta.get('submission')
  return text === undefined ? undefined : (JSON.parse(text) as Active)
}

type BlockRow = { number: number; root: Uint8Array | null; tx_count: number; anchor: number; anchor_hash: Uint8Array }

function readPending({ db }: SubmitterOptions, range: Readonly<{ firstBlock: number; lastBlock: number }>): Pending[] {
  return db
    .prepare<[number, number], BlockRow>(
      'SELECT number, root, tx_count, anchor, anchor_hash FROM blocks WHERE number BETWEEN ? AND ? ORDER BY number',
    )
    .all(range.firstBlock, range.lastBlock)
    .map(({ number, root, tx_count: txCount, anchor, anchor_hash: anchorHash }) => ({
      number,
      root: toRoot(root),
      txCount,
      anchor,
      anchorHash: toHash(anchorHash),
    }))
}

function payloadOf(blocks: readonly Pending[]): Hash {
  const text = blocks
    .map(({ root, txCount, anchor, anchorHash }) => `${root}/${txCount}/${anchor}/${anchorHash}`)
    .join()
  return bytesToHex(keccak256Text(text))
}

/**
 * What the outbox is asked to do and what became of it (docs/spec.md, "The outbox"). Pure data and its checks.
 *
 *     queued -> sent -> mined -> confirmed
 *       |        |        '-> queued (reverted on chain, or a reorg: sent)
 *       |        '-> cancelling -> done-by-other | expired | queued
 *       |-> reverting | over-budget | unfunded | refused -> queued, tried again until the deadline
 *       '-> done-by-other | failed | expired
 *
 * Closed: confirmed, done-by-other, failed, expired. A reorg may open the first two again while they are not final.
 */
import { type Address, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { invalid, retryable } from '../protocol/errors.ts'

/** The last L1 second, or the last L1 block, in which being mined is worth anything. Inclusive. */
export type Deadline = Readonly<{ timestamp: number }> | Readonly<{ block: number }>

export type Intent = Readonly<{
  /** One act, one key: whatever crashes, an act takes effect once. */
  key: string
  /** null creates a contract. */
  to: Address | null
  data: Hex
  /** Wei sent along. Default 0. */
  valueWei?: bigint
  /** Default: the node's estimate and a quarter. */
  gasLimit?: bigint
  deadline: Deadline
  /** L1 second before which nothing is sent. Default 0. */
  notBefore?: number
  /** Most to spend on fees over all tries; half of it before the last quarter of the window. */
  budgetWei: bigint
  /** 'high' treats the whole window as its last quarter. Default 'normal'. */
  urgency?: 'normal' | 'high'
  /** For people. */
  purpose: string
  /** Names of custom errors that mean that somebody did it already. */
  doneErrors?: readonly string[]
  /** For the caller's `isDone`: which of its questions to ask, with printable arguments. */
  doneWhen?: Readonly<{ name: string; args: readonly (string | number)[] }>
  /** After a revert in simulation: try again until the deadline, or give up at once. Default 'retry'. */
  onRevert?: 'retry' | 'give-up'
}>

/** An intent with its defaults filled in, as it is stored. */
export type StoredIntent = Required<Omit<Intent, 'gasLimit' | 'doneWhen'>> & Pick<Intent, 'gasLimit' | 'doneWhen'>

export const CLOSED_STATUSES = ['confirmed', 'done-by-other', 'failed', 'expired'] as const
export type ClosedStatus = (typeof CLOSED_STATUSES)[number]
export type RowStatus =
  | 'queued'
  | 'sent'
  | 'mined'
  | 'cancelling'
  | 'reverting'
  | 'over-budget'
  | 'unfunded'
  | 'refused'
  | ClosedStatus

/** What a row becomes when its self-transfer is the one that is mined. 'vacated': queued again, the transfer paid by another row. */
export type Ending = 'queued' | 'vacated' | 'done-by-other' | 'expired'

/** The transaction that settled a row. */
export type Settlement = Readonly<{
  hash: Hash
  l1Block: number
  l1BlockHash: Hash
  feeWei: bigint
  /** Of a creation. */
  contractAddress: Address | null
}>

export type OutboxRow = Readonly<{
  /** Order of enqueueing. */
  id: number
  intent: StoredIntent
  status: RowStatus
  /** Last change, see `ChangeCode`. */
  code: string
  /** The same in words; for `reverting`, `failed` and `expired` why. */
  words: string
  /** Nothing will be looked at or sent any more. */
  final: boolean
  sender: Address | null
  /** Set while a signed transaction of this row may be mined, and once one was. */
  nonce: number | null
  ending: Ending | null
  /** L1 second and L1 block at which the outbox first saw the row. */
  openedAt: Readonly<{ timestamp: number; block: number }> | null
  /** Fees of settled tries that did not end the row, and what clearing its way took at most. */
  spentWei: bigint
  /** Times it reverted on chain. */
  reverts: number
  /** L1 block since which a state that only time settles was seen: a lost nonce, somebody else's success. */
  sinceBlock: number | null
  settled: Settlement | null
}>

export type ChangeCode =
  | 'sent'
  | 'bumped'
  | 'mined'
  | 'confirmed'
  | 'reorged'
  | 'reverted-on-chain'
  | 'reverting'
  | 'over-budget'
  | 'unfunded'
  | 'refused'
  | 'cancelling'
  | 'vacated'
  | 'nonce-taken'
  | 'trouble'
  | 'done-by-other'
  | 'failed'
  | 'expired'
  | 'reopened'

/** Told after it is stored. `details` are printable and hold got and want where there is something to mend. */
export type OutboxChange = Readonly<{
  code: ChangeCode
  from: RowStatus
  to: RowStatus
  words: string
  details: Readonly<Record<string, unknown>>
}>

export function isClosed(status: RowStatus): status is ClosedStatus {
  return (CLOSED_STATUSES as readonly RowStatus[]).includes(status)
}

/**
 * Throws unless the act took effect, by us or by somebody else: L1_ACT_FAILED with the revert in words, L1_ACT_EXPIRED, or
 * L1_ACT_OPEN (retryable) while nobody knows yet.
 */
export function assertActDone({ intent, status, words }: OutboxRow): void {
  if (status === 'confirmed' || status === 'done-by-other') return
  const about = { key: intent.key, got: words, want: intent.purpose }
  if (status === 'failed') throw invalid('L1_ACT_FAILED', 'the root chain refuses it', about)
  if (status === 'expired') throw invalid('L1_ACT_EXPIRED', 'it was not mined before its deadline', about)
  const got = words === '' ? status : `${status}: ${words}`
  throw retryable('L1_ACT_OPEN', 'it is not settled yet', { ...about, got })
}

/** Fills in the defaults. Throws INTENT_INVALID with the first field that is wrong. */
export function parseIntent(intent: Intent): StoredIntent {
  const stored: StoredIntent = {
    valueWei: 0n,
    notBefore: 0,
    urgency: 'normal',
    doneErrors: [],
    onRevert: 'retry',
    ...intent,
  }
  const end = 'timestamp' in stored.deadline ? stored.deadline.timestamp : stored.deadline.block
  requireField(stored, 'key', stored.key.length > 0 && stored.key.length <= 300, '1 to 300 characters')
  requireField(
    stored,
    'to',
    stored.to === null || isHex(stored.to, 20),
    'a lower-case address, or null to create a contract',
  )
  requireField(stored, 'data', isHex(stored.data), 'bytes in lower-case hexadecimal')
  requireField(stored, 'valueWei', stored.valueWei >= 0n && stored.valueWei < 2n ** 256n, 'wei, at least 0')
  requireField(stored, 'budgetWei', stored.budgetWei >= 0n && stored.budgetWei < 2n ** 256n, 'wei, at least 0')
  requireField(stored, 'gasLimit', (stored.gasLimit ?? 21_000n) >= 21_000n, 'at least 21000')
  requireField(
    stored,
    'deadline',
    Number.isSafeInteger(end) && end >= 0,
    'an L1 timestamp in seconds or an L1 block number',
  )
  requireField(stored, 'notBefore', Number.isSafeInteger(stored.notBefore) && stored.notBefore >= 0, 'an L1 timestamp')
  return stored
}

function requireField(intent: StoredIntent, field: keyof StoredIntent, holds: boolean, want: string): void {
  if (holds) return
  throw invalid('INTENT_INVALID', `${field} of an outbox intent is wrong`, {
    key: intent.key.slice(0, 300),
    field,
    got: intent[field] ?? null,
    want,
  })
}

function isHex(text: string, size?: number): boolean {
  try {
    const { length } = hexToBytes(text)
    return size === undefined || length === size
  } catch {
    return false
  }
}

/**
 * A moment for `notBefore`, drawn evenly from the first half of a window, so that several parties that see the same thing do not
 * all pay for the same race. `random` returns a number in [0, 1). L1 seconds.
 */
export function drawNotBefore(window: Readonly<{ from: number; until: number }>, random: () => number): number {
  return window.from + Math.floor((random() * Math.max(0, window.until - window.from)) / 2)
}

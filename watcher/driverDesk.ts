/**
 * Between the court and the outbox (docs/spec.md section 11): one wanted act, one open row. The court asks for the same thing at every
 * tick; here that renews the terms of the row, and becomes a new row only when an earlier one ended and the facts still want the act.
 */
import { type Intent, isClosed, type OutboxRow } from '../l1/outboxIntent.ts'
import { amend, enqueue, migrateOutbox, readRow, reopen, unsentRows } from '../l1/outboxStore.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import type { AlertCode } from './alerts.ts'
import { attemptKey } from './attempts.ts'
import { UNLIMITED_WEI } from './court/policy.ts'
import type { Action, Alert, StartDisputedExits, StartExit, World } from './court/types.ts'
import { isDataAction } from './driverData.ts'
import { addressAction, type Contracts, doneErrorsOf, gasLimitOf, isOnce } from './driverIntents.ts'

const EVIDENCE: ReadonlySet<Action['type']> = new Set([
  'challenge',
  'show-competitor',
  'answer-dispute',
  'prove-fault',
  'strike-entries',
  'answer-demand',
])

/** Keys of what L1 would take although the reason for it is gone: starts of exits and of mass exits. */
const WITHDRAWN = ['start:', 'start-disputed:', 'batch:']

/** L1 blocks to wait before an act that is over, and yet still wanted, is tried again; doubles with every attempt. */
const FIRST_PATIENCE = 2
const LONGEST_PATIENCE = 16

export type Desk = Readonly<{
  /** Inside the caller's transaction. Returns what people are to be told about it. */
  put(action: Action, world: World): readonly Alert[]
  /**
   * Inside the caller's transaction: starts that wait to be sent and are wanted no more come to their end. `wanted`: all that the court
   * wants now, by readings of L1. What was sent is left alone: L1 has it.
   */
  withdraw(wanted: readonly Action[], world: World): void
  /** Of the first attempt, in the outbox's words. */
  statusOf(key: string): string
}>

export type DeskParts = Readonly<{ db: Database; contracts: Contracts; log: Log }>

export function openDesk({ db, contracts, log }: DeskParts): Desk {
  migrateOutbox(db)
  /** Rows found closed, and at which L1 block. */
  const closedAt = new Map<string, number>()

  /** One act that can't be written down must not take the others with it; a full or failing disk does. */
  function put(action: Action, world: World): readonly Alert[] {
    try {
      return inTransaction(db, () => putDown(action, world))
    } catch (error) {
      if (isLifeboatError(error) && error.family === 'retryable') throw error
      log.error('court.action_unwritable', { key: action.key, error })
      return [alertOf('INTERNAL_FAULT', action, String(error))]
    }
  }

  function putDown(action: Action, world: World): readonly Alert[] {
    const { timestamp } = world.now
    if (timestamp < action.notBefore || timestamp > action.deadline) {
      const { key, notBefore, deadline } = action
      log.debug('court.action_held', { key, notBefore, deadline, l1Seconds: timestamp })
      return []
    }
    const { key, row, failure } = findPlace(action, world)
    if (key === undefined) return failure === undefined ? [] : failureOf(action, failure)
    write(action, key, row)
    return [...(failure === undefined ? [] : failureOf(action, failure)), ...troubleOf(action, row, world)]
  }

  type Place = Readonly<{ key?: string; row?: OutboxRow | undefined; failure?: string }>

  /** The row to act under now; none while the facts may not have folded what ended the last one. */
  function findPlace(action: Action, { now }: World): Place {
    let failure: { failure?: string } = {}
    for (let attempt = 1; ; attempt++) {
      const key = attemptKey(action.key, attempt)
      const row = readRow(db, key)
      if (!row || !isOver(row, action)) return { key, row, ...failure }
      if (isOnce(action) && row.status !== 'failed' && row.status !== 'expired') return {}
      if (row.status === 'failed') failure = { failure: row.words }
      const seenAt = closedAt.get(key) ?? now.block
      closedAt.set(key, seenAt)
      if (row.status === 'done-by-other' && now.block >= seenAt + FIRST_PATIENCE) {
        // Our facts have had the time to show somebody else's success, and they show it undone.
        closedAt.delete(key)
        reopen(db, key)
        return { key, row: readRow(db, key), ...failure }
      }
      if (now.block < seenAt + Math.min(LONGEST_PATIENCE, FIRST_PATIENCE ** attempt)) return failure
    }
  }

  function write(action: Action, key: string, row: OutboxRow | undefined): void {
    const intent = { ...intentOf(action, contracts), key }
    if (!row || row.nonce === null || isClosed(row.status) || isStale(action, row, intent)) {
      amend(db, intent)
    } else {
      // New calldata under the nonce of what was sent would have to outbid it at every tick, for nothing.
      const { data, valueWei, gasLimit } = row.intent
      const { gasLimit: _, ...terms } = intent
      enqueue(db, { ...terms, data, valueWei, ...(gasLimit === undefined ? {} : { gasLimit }) })
    }
    if (!row) log.info('court.action_wanted', { key, purpose: action.purpose, deadline: action.deadline })
  }

  function failureOf(action: Action, reason: string): readonly Alert[] {
    log.warn('court.action_failed', { key: action.key, reason })
    if (action.type === 'prove-fault') return [alertOf('FAULT_UNPROVEN', action, reason)]
    if (isEvidence(action)) return [alertOf('CHALLENGE_FAILED', action, reason)]
    if (action.type === 'start-disputed-exits') return [alertOf('DISPUTE_EXIT_AVAILABLE', action, reason)]
    if (action.type === 'start-batch') return [alertOf('PROTECTED_EXIT_BLOCKED', action, reason)]
    return action.type === 'start-exit' ? [alertOf('PROTECTED_EXIT_BLOCKED', action, reason)] : []
  }

  function withdraw(wanted: readonly Action[], { now }: World): void {
    const keys = new Set(wanted.map(({ key }) => key))
    for (const { intent } of WITHDRAWN.flatMap((prefix) => unsentRows(db, prefix))) {
      const { key } = intent
      const isOver = 'timestamp' in intent.deadline && intent.deadline.timestamp <= now.timestamp
      if (isOver || keys.has(key.replace(/#\d+$/, ''))) continue
      amend(db, { ...intent, deadline: { timestamp: now.timestamp } })
      log.info('court.action_withdrawn', { key, purpose: intent.purpose })
    }
  }

  return { put, withdraw, statusOf: (key) => readRow(db, key)?.status ?? 'not sent' }
}

function intentOf(action: Action, contracts: Contracts): Omit<Intent, 'key'> {
  const { deadline, notBefore, budgetWei, purpose } = action
  const gasLimit = gasLimitOf(action)
  return {
    ...addressAction(action, contracts),
    ...(gasLimit === undefined ? {} : { gasLimit }),
    deadline: { timestamp: deadline },
    notBefore,
    budgetWei,
    purpose,
    urgency: budgetWei === UNLIMITED_WEI ? 'high' : 'normal',
    doneErrors: doneErrorsOf(action),
    // Evidence does not go stale; everything else is better decided anew.
    onRevert: isEvidence(action) || isDataAction(action) ? 'retry' : 'give-up',
  }
}

/** An expired row opens again under a later deadline; the other ends are final for this key. */
function isOver({ status, intent }: OutboxRow, { deadline }: Action): boolean {
  if (status !== 'expired') return isClosed(status)
  return 'timestamp' in intent.deadline && deadline <= intent.deadline.timestamp
}

/** The bond in the row no longer suffices, or L1 has moved under what a proof of fraud shows. */
function isStale(action: Action, row: OutboxRow, { data }: Pick<Intent, 'data'>): boolean {
  if (action.type === 'prove-fault') return row.intent.data !== data
  const hasBond =
    isStart(action) ||
    action.type === 'challenge-data' ||
    action.type === 'start-batch' ||
    action.type === 'demand-entry'
  return hasBond && row.intent.valueWei < action.leastBondWei
}

/** What a window on L1 closes on. */
function isEvidence({ type }: Action): boolean {
  return EVIDENCE.has(type)
}

function isStart(action: Action): action is StartExit | StartDisputedExits {
  return action.type === 'start-exit' || action.type === 'start-disputed-exits'
}

/** Evidence and protected exits only: keepers' acts can wait. */
function troubleOf(action: Action, row: OutboxRow | undefined, { now, parameters }: World): readonly Alert[] {
  if (!row || !(isEvidence(action) || isStart(action) || isDataAction(action) || action.type === 'start-batch'))
    return []
  if (row.status === 'unfunded') return [alertOf('BUDGET_EXHAUSTED', action, row.words)]
  // Of a window that is not longer than that, the last quarter: an answer to a demand has half of DR, which is no more than REACTION / 2.
  const room = Math.min(Math.floor(parameters.reaction / 2), Math.floor((action.deadline - action.notBefore) / 4))
  const isLate = now.timestamp >= action.deadline - room
  return isLate ? [alertOf('OUTBOX_STUCK', action, `${row.status}: ${row.words}`)] : []
}

function alertOf(code: AlertCode, { key, purpose, deadline }: Action, reason: string): Alert {
  return { type: 'alert', code, key, details: { action: key, purpose, deadline, reason } }
}

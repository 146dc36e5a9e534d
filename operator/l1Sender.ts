/** The submitter's door to the outbox (l1/outbox.ts): rows in the operator's own store, one key for each submission. */
import type { OutboxRow } from '../l1/outboxIntent.ts'
import { amend, readRow } from '../l1/outboxStore.ts'
import type { Address } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import type { AnswerSender } from './answers.ts'
import type { Sender, SubmissionState } from './submitter.ts'

export type L1SenderOptions = Readonly<{
  db: Database
  rootContract: Address
  surety: Address
  /** Wei: most to spend on fees for one submission. */
  budgetWei: bigint
}>

const IN_TROUBLE: readonly OutboxRow['status'][] = ['reverting', 'over-budget', 'unfunded', 'refused']

/** After these an answer has nothing left to do: it was given, by us or another, or is too late. */
const ANSWERED = ['ChallengeMismatch', 'ChallengeTooLate'] as const

export function createL1Sender({ db, rootContract, surety, budgetWei }: L1SenderOptions): Sender & AnswerSender {
  return {
    enqueue: ({ key, call, purpose, lastL1Block }) => {
      const deadline = { block: lastL1Block }
      amend(db, { key, to: rootContract, data: call.data, valueWei: call.valueWei, deadline, budgetWei, purpose })
    },
    answer: ({ key, call, purpose, deadline, budgetWei: most }) => {
      const { data, valueWei } = call
      const terms = { deadline: { timestamp: deadline }, budgetWei: most, purpose, doneErrors: [...ANSWERED] }
      amend(db, { key, to: surety, data, valueWei, ...terms })
    },
    isUnderWay: (key) => {
      const state = readRow(db, key)
      return state !== undefined && toState(state).state !== 'failed'
    },
    stateOf: (key) => {
      const row = readRow(db, key)
      return row && toState(row)
    },
  }
}

function toState({ status, words, settled }: OutboxRow): SubmissionState {
  switch (status) {
    case 'mined':
    case 'confirmed':
      return settled ? { state: 'mined', l1Block: settled.l1Block } : { state: 'waiting' }
    case 'done-by-other':
    case 'failed':
    case 'expired':
      return { state: 'failed', words: words || status }
    default:
      return IN_TROUBLE.includes(status) ? { state: 'waiting', words: `${status}: ${words}` } : { state: 'waiting' }
  }
}

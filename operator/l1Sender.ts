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

const MOST_ATTEMPTS = 16
/** After these an answer has nothing left to do: it was given, by us or another, or is too late. */
const ANSWERED = ['ChallengeMismatch', 'ChallengeTooLate'] as const

export function createL1Sender({ db, rootContract, surety, budgetWei }: L1SenderOptions): Sender & AnswerSender {
  /** A row that has ended stays as it is: whoever asks again gets another. */
  function newestOf(key: string) {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const row = readRow(db, `${key}/${attempt}`)
      if (!row)
        return { row: attempt === 0 ? undefined : readRow(db, `${key}/${attempt - 1}`), next: `${key}/${attempt}` }
    }
    return { row: undefined, next: undefined }
  }

  return {
    enqueue: ({ key, call, purpose, lastL1Block }) => {
      const deadline = { block: lastL1Block }
      amend(db, { key, to: rootContract, data: call.data, valueWei: call.valueWei, deadline, budgetWei, purpose })
    },
    answer: ({ key, call, purpose, deadline, budgetWei: most }) => {
      const { data, valueWei } = call
      const terms = { deadline: { timestamp: deadline }, budgetWei: most, purpose, doneErrors: [...ANSWERED] }
      const { next } = newestOf(key)
      if (next !== undefined) amend(db, { key: next, to: surety, data, valueWei, ...terms })
    },
    isUnderWay: (key) => {
      const { row, next } = newestOf(key)
      return next === undefined || (row !== undefined && toState(row).state !== 'failed')
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

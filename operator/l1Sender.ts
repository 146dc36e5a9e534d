/** The submitter's door to the outbox (l1/outbox.ts): rows in the operator's own store, one key for each submission. */
import type { OutboxRow } from '../l1/outboxIntent.ts'
import { amend, readRow } from '../l1/outboxStore.ts'
import type { Address } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import type { Sender, SubmissionState } from './submitter.ts'

export type L1SenderOptions = Readonly<{
  db: Database
  rootContract: Address
  /** Wei: most to spend on fees for one submission. */
  budgetWei: bigint
}>

const IN_TROUBLE: readonly OutboxRow['status'][] = ['reverting', 'over-budget', 'unfunded', 'refused']

export function createL1Sender({ db, rootContract, budgetWei }: L1SenderOptions): Sender {
  return {
    enqueue: ({ key, call, purpose, lastL1Block }) => {
      const deadline = { block: lastL1Block }
      amend(db, { key, to: rootContract, data: call.data, valueWei: call.valueWei, deadline, budgetWei, purpose })
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

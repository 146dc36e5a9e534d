/**
 * Which story shows which alert with a real operator, watcher and L1 (docs/honest-watcher.md, "Alerts"). alertStories.test.ts compares this
 * list with the closed list of alerts and with the stories themselves.
 */
import type { AlertCode } from '../../watcher/alerts.ts'

/** `story`: a part of the test's name that no other test in the file has. `through`: the function of a helper file that waits for it. */
export type AlertStory = Readonly<{
  file: string
  story: string
  through?: Readonly<{ file: string; call: string }>
}>

const disputes = (story: string): AlertStory => ({ file: 'disputes.test.ts', story })
const withheld = { file: 'withheld.test.ts', story: 'a withheld block: no exits for a short silence or a restart' }
const forged = { file: 'forged.test.ts', story: 'is named, and protected accounts leave before what it made' }
const thief = {
  file: 'thief.test.ts',
  story: 'a thief is challenged by one of two watchers, at no loss',
  through: { file: 'theft.ts', call: 'assertPunished' },
}
const powerless = { file: 'exitAlerts.test.ts', story: 'a watcher that cannot act tells of a theft' }
const mandates = { file: 'exitAlerts.test.ts', story: 'an exit by another’s mandate is told' }
const endpoints = { file: 'endpointAlerts.test.ts', story: 'a silent endpoint, one that hides a deposit' }
const reorgs = { file: 'reorgAlerts.test.ts', story: 'a deep reorg is told' }
const proven = { file: 'proven.test.ts', story: 'a forged block is proven to L1' }
const revealed = { file: 'proven.test.ts', story: 'a block is withheld until all flee' }
const hidden = {
  file: 'hidden.test.ts',
  story: 'a block that nobody has is demanded by the watcher and ends the chain',
}
const pooled = { file: 'hidden.test.ts', story: 'a forged leaf is hidden in one of three ranges' }
const receipts = { file: 'receipts.test.ts', story: 'payments that were acknowledged and then displaced' }
const massExits = (story: string): AlertStory => ({ file: 'massExits.test.ts', story })
const damaged = { file: 'damaged.test.ts', story: 'a full disk, a rotten row, a spend that was forgotten' }

export const ALERT_STORIES: Readonly<Record<AlertCode, AlertStory>> = {
  INVALID_BLOCK: forged,
  FAULT_PROVEN: proven,
  FAULT_UNPROVEN: powerless,
  VAULT_SHORT: powerless,
  CHAIN_HALTED: proven,
  BLOCK_SUSPECT: withheld,
  BLOCK_WITHHELD: withheld,
  BLOCK_SERVED_LATE: withheld,
  DATA_CHALLENGED: hidden,
  DATA_UNCHALLENGED: pooled,
  DATA_UNANSWERED: hidden,
  RECEIPT_BROKEN: receipts,
  RECEIPT_WORTHLESS: receipts,
  PEER_SERVED_GARBAGE: mandates,
  L1_ENDPOINT_LIED: endpoints,
  L1_ENDPOINT_LAGS: endpoints,
  L1_REORG_DEEP: reorgs,
  L1_FINALITY_BROKEN: reorgs,
  BLOCK_ROOT_CHANGED: reorgs,
  INVALID_EXIT: thief,
  EXIT_UNCHALLENGED: powerless,
  EXIT_CHALLENGED_BY_US: thief,
  EXIT_CHALLENGED_BY_OTHER: thief,
  CHALLENGE_FAILED: powerless,
  EXIT_OUTCOME_UNKNOWN: damaged,
  EXIT_UNVERIFIABLE: revealed,
  INVALID_EXIT_PAID: powerless,
  EVIDENCE_DROPPED: revealed,
  DISPUTE_STARTED: disputes('a double spend that nobody included is shown against an included payment'),
  DISPUTE_EXIT_AVAILABLE: disputes('a protected payee whose mandate does not cover an exit through a dispute'),
  DISPUTE_NOT_CANONICAL: disputes('a double spend is disputed although its rival is included'),
  DISPUTE_UNCHALLENGED: disputes('the rival that is not shown, and the wrong verdict that follows'),
  COMPETITOR_FALSE: disputes('a double spend that nobody included is shown against an included payment'),
  COMPETITOR_UNANSWERED: disputes('the answer, and the evidence against a theft through a dispute'),
  DISPUTED_EXIT_INVALID: disputes('an output that was spent leaves through a dispute'),
  DISPUTED_EXIT_UNCHALLENGED: disputes('the answer, and the evidence against a theft through a dispute'),
  DISPUTE_OUTCOME_UNKNOWN: disputes('the rival that is not shown, and the wrong verdict that follows'),
  BATCH_NAMES_PROTECTED: massExits('a stranger’s batch that names a protected owner'),
  DEMAND_UNANSWERED: massExits('twenty owners who are offline leave in one transaction'),
  BATCH_DISSOLVED: massExits('a watcher that was not there to answer'),
  PROTECTED_EXIT_BY_OTHER: mandates,
  EXIT_AUTHORISED_BY_UNKNOWN: mandates,
  PROTECTED_EXIT_STARTED: withheld,
  PROTECTED_IN_BATCH: massExits('twenty owners who are offline leave in one transaction'),
  PROTECTED_EXIT_PAID: withheld,
  PROTECTED_EXIT_BLOCKED: mandates,
  MANDATE_EXPIRES: mandates,
  BUDGET_EXHAUSTED: powerless,
  OUTBOX_STUCK: endpoints,
  DATABASE_PROBLEM: damaged,
  CLOCK_WRONG: endpoints,
  INTERNAL_FAULT: damaged,
}

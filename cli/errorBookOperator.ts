/** What an operator refuses, and what keeps it from its work (docs/guide-operator.md, "Runbooks"): the codes of its answers and its status. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const REFUSALS: Page = {
  DEPOSIT_PENDING: [
    'The deposit is not deep enough on L1 to be spent.',
    'Wait for more L1 blocks, then send the same again.',
  ],
  FEE_TOO_LOW: [
    'No output pays the operator’s fee.',
    'Pay one of the fees under `want` by an output to the address named; wallets do so by themselves.',
  ],
  INPUT_EXITING: [
    'An exit of the input has started on L1: a spend would be evidence against it.',
    'Spend another output; the exit pays on L1.',
  ],
  NOT_COMMITTED: [
    'The block of this output is not on L1 yet, or not yet verified by the watcher that was asked.',
    'Ask again once it is: see `lifeboat status`.',
  ],
  NOT_READY: [
    'The operator has just begun and has not seen an L1 block that is deep enough.',
    'Send the same again later.',
  ],
  OUTPUT_UNKNOWN: [
    'There is no output at this position, as far as the server knows.',
    'Check the position: `lifeboat balance --outputs`.',
  ],
  QUEUE_FULL: [
    'More transactions wait than the operator holds; this one was not taken.',
    'Send the same again later. Operators: --queue-limit, --threads.',
  ],
  RANGE_INVALID: ['The range of blocks is empty, backwards or too long.', 'Ask for 1 to 256 blocks at once.'],
  STOPPING: ['The operator is being stopped; nothing was taken.', 'Send the same again once it runs.'],
  SUBMISSION_SIZE: [
    'The request holds no transaction, or more than 1,000.',
    'Hand in 1 to 1,000 transactions at once.',
  ],
  TOO_MANY_INPUTS: [
    'This operator takes fewer inputs in one transaction than the protocol allows.',
    'Spend fewer outputs at once, or merge them in steps.',
  ],
  TOO_MANY_OUTPUTS: [
    'This operator takes fewer outputs in one transaction than the protocol allows.',
    'Pay in several transactions.',
  ],
  TRANSACTION_UNKNOWN: [
    'Nobody who was asked knows this transaction.',
    'Check the hash. If it is a payment of yours, run any command: the wallet asks what became of it.',
  ],
  WRONG_CHAIN_ID: [
    'The transaction is signed for another chain; `got` says which.',
    'Set the signing wallet to the chain id under `want` and sign again.',
  ],
}

export const HINDRANCES: Page = {
  ANCHOR_STUCK: [
    'A block that was cut can go to L1 under no anchor: the old one is unusable, and a payment in it is invalid on a younger one.',
    'It mends itself if L1 comes back to a fitting anchor. Else its payments can’t be kept: tell your users, delete nothing.',
  ],
  ANSWER_FAILED: [
    'A data challenge could not be answered; the log has the reason (`answer.failed`).',
    'Mend it at once: a range that is not revealed in time (DR) halts the chain and costs half the bond. It is tried again by itself.',
  ],
  DEPOSIT_LOST: [
    'An L1 reorg deeper than the operator’s finality took back a deposit that was spent already.',
    'Wait: mostly it is mined again. If not, what stands on it can’t reach L1. Use a larger --finality-depth next time.',
  ],
  DISK: ['A write failed; nothing unwritten was acknowledged.', 'Free space or replace the disk, then restart.'],
  FOREIGN_BLOCK: [
    'L1 has a block that this operator did not cut: another one runs with its key, or an old copy of the database was restored.',
    'Stop both, find the newer database, and never let two run.',
  ],
  HALTED: [
    'The chain has ended: nothing is accepted any more.',
    'Owners leave: `lifeboat exit --all`. Operators keep serving blocks and exit data.',
  ],
  L1_STALE: [
    'The operator has not seen L1 for too long, or only an old block of it; it accepts nothing meanwhile.',
    'Users: send the same again later. Operators: look at the L1 endpoint; change it and restart. Nothing is lost.',
  ],
  NOT_BONDED: [
    'The operator’s bond is below the least, so that L1 takes no blocks and the operator no payments.',
    'Operators: find out what was slashed, then `lifeboat bond post`. Users: send the same again later, or exit.',
  ],
  OPERATOR_ROTATED: [
    'The root contract has another operator key than this operator.',
    'Operators: stop it, and run with the new key. Users: name the new operator with --operator-url.',
  ],
  RECEIPTS_AT_RISK: [
    'A block with promised payments is not on L1 and its anchor grows old: its receipts are about to be broken.',
    'Find out why it is not submitted: L1 endpoint, ETH of the key, --submission-budget. Until then nothing is accepted.',
  ],
  RECEIPTS_BROKEN: [
    'Blocks came to L1 too late for the receipts given: anybody who holds one can have half of the bond slashed.',
    'Nothing undoes it. Find the cause, and keep ETH ready for `lifeboat bond post`.',
  ],
  SUBMISSION_FAILED: [
    'L1 does not take the operator’s blocks; the words say why: funds, fees above the budget, or a revert.',
    'Fund the key or raise --submission-budget; it is tried again with every L1 block. If that fails for hours, stop the operator.',
  ],
}

export const RUNNING: Page = {
  RECEIPT_KEY_OTHER: [
    'The key that signs receipts is not the operator’s.',
    'Give the operator one key for both: its --keystore.',
  ],
}

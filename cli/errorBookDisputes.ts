/** What the errors of in-flight exits mean (docs/spec.md section 6.3): the wallet's, and those of the root contract. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const WALLET_DISPUTES: Page = {
  DISPUTE_HIDDEN: [
    'L1 keeps a dispute of which the endpoint does not show the beginning.',
    'Try again, or name another L1 endpoint with --l1-url.',
  ],
  DISPUTE_LOST: [
    'The payment was judged not canonical: it counts as never included, its outputs never leave.',
    'Payers: `lifeboat process` or `lifeboat exit <input>` takes your inputs out. Payees: the payer still owes you.',
  ],
  DISPUTE_UNKNOWN: ['L1 knows no dispute of this payment.', 'See `lifeboat disputes --everyone`.'],
  EXIT_HIDDEN: [
    'An input has an exit on L1 of which the endpoint does not show the beginning.',
    'Try again, or name another L1 endpoint with --l1-url.',
  ],
  EXIT_IMPOSSIBLE: [
    'The output has no way out now; the reason is given.',
    'Do what the error names instead. --standard starts the standard exit all the same, where L1 takes it.',
  ],
  FLIGHT_DOOMED: [
    'An input was paid out, leaves too late to be stopped, or is spent by an older payment: the verdict can only go against this payment.',
    'Payees: ask the payer. Payers: --unsafe-doomed gets the verdict that frees your own inputs.',
  ],
  FLIGHT_NOT_NAMED: ['The payment is named by its hash or by a file.', 'See `lifeboat exit --help`.'],
  FLIGHT_NOT_YOURS: [
    'The account neither pays nor is paid in this transaction.',
    'Use the key of a payer or payee, or let them do it.',
  ],
  FLIGHT_UNBALANCED: ['V5: inputs and outputs of the payment do not add up.', 'No block may hold it; ask the payer.'],
  FLIGHT_UNKNOWN: [
    'Nobody asked shows the payment with its signatures.',
    'Ask the payer for the file of `lifeboat payment save`, and read it with `lifeboat payment keep`.',
  ],
  FLIGHT_UNSIGNED: [
    "An input is not signed by its owner: a half-signed swap, or a forgery. It can't be disputed and can't count.",
    'Get the completely signed transaction, or exit what you own.',
  ],
  FLIGHT_WRONG: [
    'The transaction is not well formed, or not the one that was asked for.',
    'Ask somebody else for it: whoever gave it is wrong.',
  ],
  INPUT_INVALID: ['The transaction that made an input was proven invalid.', 'Exit what you owned before it.'],
  INPUT_REFUTED: [
    'The payment that made an input was judged not canonical, so the input does not exist.',
    'Payers of that payment have their inputs back; ask yours to pay again.',
  ],
  INPUT_SPENT: [
    'Evidence of a spend removed the exit of an input for good.',
    'If that spend is this very payment, it is in a block: leave by its position.',
  ],
  INPUT_UNPROVEN: [
    'Nobody shows how an input stands on L1, and a dispute shows all inputs.',
    'Name more watchers with --watcher-urls; read the file of the payer; or leave with the payment that made the input.',
  ],
  INPUT_VOID: ['The chain was halted at or below the block of an input.', 'Exit what you owned before that block.'],
  NOTHING_LEAVES: [
    'The payment is disputed, and nothing of yours in it is left to take out.',
    'See `lifeboat disputes`; `lifeboat process` does what is due.',
  ],
  OUTPUT_REFUTED: [
    'The payment that made the output was judged not canonical: it counts as never included.',
    'Its inputs belong to their owners again.',
  ],
  PAYMENT_FILE_INVALID: ['The file is no payment file, or contradicts itself.', 'Ask the payer for it again.'],
  PAYMENT_ON_L1: ['The payment is in a block on L1 and nothing in it is yours.', 'Nothing to do.'],
  PAYMENT_OTHER_CHAIN: ['The payment file is of another chain or contract.', 'Use the wallet of that deployment.'],
  SWAP_HALF_SIGNED: [
    'Not both sides have signed the swap as far as anybody shows; it cannot be disputed, and stays live for who has signed.',
    'End it by spending an input (`lifeboat swap cancel`), or exit your inputs; if it is shown complete on L1, dispute it at once.',
  ],
}

export const CONTRACT_DISPUTES: Page = {
  CompetitorRefused: [
    'This is no competitor: it is the disputed payment itself, or one in no block is known already.',
    'Nothing to do.',
  ],
  DisputeKnown: [
    'The payment is or was disputed; there is one dispute of each, ever.',
    'Join it: `lifeboat exit --in-flight <hash>`.',
  ],
  DisputeMismatch: [
    'The dispute shown is not the one on record, or not of this transaction.',
    'Take it from the DisputeStarted event.',
  ],
  DisputeTooLate: [
    'The time for this piece is over: other spends until MEP/2 before the verdict, inclusions until MEP/4.',
    'Nothing: the verdict is given on what was shown.',
  ],
  DisputeUndecidable: ['The verdict is not due yet.', 'Try again after the time given.'],
  DisputedExit: [
    'This call is for exits of the other kind: of a disputed payment, or of none.',
    'Use the challenge that fits the exit.',
  ],
  ExitMissing: [
    'An input has an exit, and the call must show it.',
    'Try again: the wallet reads the exits of the inputs anew.',
  ],
  PieceKnown: ['This piece is on file.', 'Nothing to do.'],
  PiecesMissing: ['`decide` wants all pieces named that were shown.', 'Name those of the events; the wallet does.'],
  ProofFailed: ['The proof does not show that the rule is broken.', 'Check rule, transaction and place.'],
  ShareMissing: [
    'There is no such share: the place was not cancelled, is of another token, or the share is used.',
    'Nothing to do.',
  ],
  TooEarly: ['The time for this has not come.', 'Try again after the time given.'],
  TransactionInvalid: ['The transaction was proven invalid.', 'Exit what you owned before it.'],
  TransactionMalformed: [
    'The transaction breaks V1, or its sums do not add up (V5).',
    'It can be in no valid block; check it.',
  ],
  VerdictUnexpected: [
    'The verdict about this payment does not allow it, or is given already.',
    'See `lifeboat explain dispute <hash>`.',
  ],
}

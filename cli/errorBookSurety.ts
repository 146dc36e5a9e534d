/** What the errors of the surety mean (docs/spec.md sections 8.6 to 8.8), where the root contract has none of that name. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const SURETY: Page = {
  BlockUnknown: ['L1 has no such child block.', 'Check the number; L1 may have been reorganised.'],
  BOND_EMPTY: ['The whole bond was slashed or taken.', 'Nothing to do.'],
  BOND_KEPT: [
    'The operator’s bond stays: the chain is live, its last period is not over, or a slash is due.',
    'Close the chain first; then wait until the time that is named.',
  ],
  BOND_SUFFICES: ['The bond is not below the least.', 'Name an amount to add to it all the same.'],
  BondKept: [
    'The operator’s bond stays: the chain is live, its last period is not over, or a slash is due.',
    'Try again after the time that `lifeboat close` gave.',
  ],
  CallRefused: ['The surety forwards fraud proofs only.', 'Send other calls to the root contract.'],
  ChallengeKnown: ['This range was challenged already.', 'Wait for its answer or its end.'],
  ChallengeMismatch: ['The challenge shown is not the one on record.', 'Take it from its event.'],
  ChallengeTooLate: [
    'A block’s data can be challenged for DC after its submission only.',
    'Leave instead: a block that is withheld voids nothing by itself.',
  ],
  NotRevealed: ['No answer revealed this range.', 'Challenge it, or prove the fault otherwise.'],
  RangeMalformed: [
    'The range is not aligned, too large, or outside the block.',
    'Choose a power of two of leaves, at most 32.',
  ],
  ReceiptKept: ['The receipt is kept, or still open: it is not broken.', 'Nothing to do.'],
  ReceiptKnown: ['The operator was slashed for this place already.', 'Nothing to do.'],
  ReceiptMalformed: ['This is no receipt that the operator signed.', 'Check batch, path and signature.'],
}

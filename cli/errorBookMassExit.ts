/** What the errors of mass exits mean (docs/spec.md section 6.4): the wallet's, and those of the root contract. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const WALLET_MASS_EXITS: Page = {
  BATCH_UNKNOWN: [
    'L1 has no mass exit of that id, or not of this account.',
    'See `lifeboat mass-exit status --everyone`.',
  ],
  DELEGATE_MISSING: [
    'A mandate names who may act, and nobody was named.',
    'Configure a watcher (--watcher-urls), or name an address.',
  ],
  ENTRY_MISSING: [
    'No mass exit that stands names this output.',
    'Leave with it alone: `lifeboat exit <position>`. `lifeboat mass-exit status --everyone` lists mass exits.',
  ],
  ENTRIES_MALFORMED: [
    'These entries can be in no batch: positions must grow, amounts fit, and there are 1 to 32,768.',
    'Correct the file; `lifeboat mass-exit plan` sorts and splits by itself.',
  ],
  MANDATE_MISSING: [
    'A demand wants the owner’s mandate, and none kept here covers the output at the start of the batch.',
    'Get the owner’s mandate file and name it in the outputs’ file; without an answer the batch is dissolved and half of its bond lost.',
  ],
  MANDATE_REFUSED: [
    'The watcher does not take the mandate; the reason is given.',
    'Give it one for its own address: `lifeboat mandate give`. Where it takes none, configure another watcher (--watcher-urls).',
  ],
  MASS_EXIT_EMPTY: [
    'No output of the wish can go into a mass exit.',
    '`lifeboat mass-exit plan` says why, output by output.',
  ],
  MASS_EXIT_FILE_INVALID: ['The file does not list outputs for a mass exit.', 'Correct what the error names.'],
  MASS_EXIT_TOO_LARGE: [
    'One batch of the plan needs more gas than one L1 transaction may use.',
    'Use a lower --gas-per-transaction: the plan splits then.',
  ],
  MASS_EXIT_VANISHED: [
    'The transaction was mined and the L1 endpoint shows no mass exit.',
    'Look again with `lifeboat mass-exit status`; L1 may have been reorganised.',
  ],
  OUTPUTS_UNKNOWN: [
    'Nobody asked says what that owner owns.',
    'Name the positions: `lifeboat claim <position> --for <address>`.',
  ],
  PLACE_HELD: [
    'A mass exit holds a place for the output, paid without a bond, and a second exit would come no earlier.',
    'Wait for the time given, then `lifeboat claim`. --second-place starts an exit all the same.',
  ],
}

export const CONTRACT_MASS_EXITS: Page = {
  BatchMismatch: ['The mass exit shown is not the one on record.', 'Take it from its BatchStarted event.'],
  BatchUnexpected: [
    'The mass exit is in another state: it never started, is locked or dissolved already, or is closed.',
    'See `lifeboat mass-exit status --everyone`.',
  ],
  DemandUnexpected: [
    'This entry has been demanded already, or there is no open demand to answer or to take back.',
    'Nothing to do: somebody was faster.',
  ],
  DemandsOpen: [
    'Demands are open: the mass exit can’t be locked, and its bond not be taken back.',
    'Answer them until a quarter of the period (MEP) after the start: `lifeboat mass-exit defend`.',
  ],
  EntriesMalformed: [
    'Positions must grow, amounts be more than 0 and fit, and there are 1 to 32,768 entries.',
    'Let `lifeboat mass-exit plan` make the batches.',
  ],
  EntryEmpty: [
    'The entry names no output: token or amount are not those of what stands at its position.',
    'Nobody is owed it; its share can be released. Leave with the output by `lifeboat exit`.',
  ],
  EntryMismatch: [
    'The entry shown is not one of this mass exit.',
    'Take entries and order from its BatchStarted event.',
  ],
  EntryStands: ['Somebody is still owed the entry’s share.', 'It can only be claimed.'],
  EntryStruckBy: [
    'A spend of the output, signed by its owner, is on file: the entry is not paid.',
    'If that spend became void or invalid, it can be dropped; otherwise leave with what the spend made.',
  ],
  EntryUsed: ['The entry’s share was paid, placed or released already.', 'Nothing to do.'],
  TooLate: [
    'The time for this is over.',
    'Nothing: the deadline is in the error. `lifeboat mass-exit status` shows all of them.',
  ],
}

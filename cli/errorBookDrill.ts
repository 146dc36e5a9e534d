/** What goes wrong with drills and with the story, for cli/errorBook.ts. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const DRILLS: Page = {
  BLOCK_REFUSED: [
    'L1 refused a block of a drill’s hostile operator, so that the drill could not do its harm.',
    'On a testnet, look whether its key ran out of ETH. Else run the line of the report again: if it comes back, it is a defect.',
  ],
  DRILL_CALL_REFUSED: [
    'L1 refused a call of one of the drill’s people.',
    'On a testnet, look whether its key ran out of ETH. Else run the line of the report again: what it shows is a defect.',
  ],
  DRILL_FAILED: [
    'A drill did not come to its end, or an invariant did not hold, or somebody honest was not paid.',
    'The report names the invariant and the missing amount; `again` is the command that plays it once more.',
  ],
  DRILL_FOREIGN_DEPLOYMENT: [
    'Hostile code was to run against contracts that this run did not deploy.',
    'Nothing: drills only ever harm what they deployed themselves.',
  ],
  DRILL_IMPOSSIBLE_HERE: [
    'The scenario needs an L1 whose time, fees or blocks can be set by decree.',
    'Use the embedded L1 (leave out --l1) or a development node; `lifeboat drill list --l1 ...` says what can be played.',
  ],
  DRILL_MAINNET: ['Drills hold hostile code and never run on mainnet.', 'Name a testnet or a development node.'],
  DRILL_OWNERS: ['The scenario is not made for so many owners.', 'Choose a number within the bounds in the error.'],
  DRILL_TIMEOUT: [
    'Something that must happen did not, for as long as the drill waits.',
    'On a busy machine, run it again alone. If it comes back, it is a defect: the error names what was waited for.',
  ],
  DRILL_UNFUNDED: [
    'On an L1 that gives no ETH away somebody has to pay.',
    'Name a key that holds enough: --account with --keystore; docs/drills.md says how much.',
  ],
  DRILL_UNKNOWN: ['There is no such scenario.', '`lifeboat drill list` names them all.'],
  RECEIPTS_REFUSED: [
    'A watcher took none of the receipts that a drill’s honest payee handed it.',
    'Run the line of the report again: if it comes back, it is a defect.',
  ],
}

export const STORY: Page = {
  STORY_PAYMENT_REFUSED: [
    'The operator of the story refused a payment; `got` says why.',
    'Run it again; if it comes back with the same --seed, it is a defect.',
  ],
  STORY_STUCK: [
    'Something that the story waits for did not happen.',
    'On a busy machine, run it again alone. If it comes back, it is a defect: the error names what was waited for.',
  ],
  STORY_UNRECONCILED: [
    'After the story the books differ, a thief was paid, or payouts came out of order.',
    'It is a defect: report the books above and the --seed.',
  ],
}

/** What a watcher refuses, and what keeps it from starting (docs/guide-watcher.md); its alerts explain themselves in watcher/alerts.ts. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const WATCHER: Page = {
  ALERT_UNKNOWN: ['The watcher has no alert of that id.', 'Take the id from its `/v1/alerts`.'],
  BODY_MISSING: [
    'The block is on L1, and neither the operator nor another peer has given the watcher what is in it.',
    'Ask another watcher. If nobody has it and that stays, the data is withheld: leave.',
  ],
  L1_NOT_READ: [
    'The watcher has not read L1 far enough to know who the operator is.',
    'Hand the receipt in again later.',
  ],
  LIMITS_IMPOSSIBLE: [
    'With these limits the watcher could not decide before the last safe moment, or would suspect without grace.',
    'Leave --grace out, or correct it as `got` says.',
  ],
  MANDATES_FULL: [
    'The watcher holds as many mandates as it takes, and needs them all.',
    'Give the mandate to another watcher.',
  ],
  MANDATES_NOT_TAKEN: [
    'This watcher starts no mass exits: it has no key, or its budget for them is 0. A mandate there would protect nobody.',
    'Give the mandate to another watcher (--watcher-urls). Whoever runs this one can set --mass-exit-budget.',
  ],
  MARGINS_IMPOSSIBLE: [
    'With these periods or settings the watcher could not answer in time; all rules broken are named.',
    'Change what the rules name: --poll or --grace. Periods that are too short for any setting want another deployment (docs/honest-watcher.md).',
  ],
  PEER_EMPTY: [
    'A block peer answered a request for blocks without one.',
    'It is asked again, and others before it; look whether it is up to date.',
  ],
  PEER_URL: ['A block peer is not named by an HTTP URL.', 'Correct --peers: http://host:port or https://host.'],
  PLAN_UNKNOWN: [
    'The watcher can’t say what it would take out together: it has no key, or has not read L1 yet.',
    'Ask one that has a key (--keystore), or later.',
  ],
  PROTECTED_FILE_INVALID: [
    'The file of protected accounts can’t be read, or does not list them.',
    'Write it as a list of what `lifeboat mandate give --out` writes; --protected-file names it.',
  ],
  RECEIPT_ANCHOR_OLD: [
    'L1 has forgotten the anchor of this receipt, so that nobody can be slashed with it.',
    'Nothing to do. Hand receipts in while their anchor is among the last 8,191 L1 blocks.',
  ],
  RECEIPT_MALFORMED: [
    'This is no receipt of this chain: not in its batch, or not signed by a key of its operator.',
    'Check batch, path and signature; ask the operator again with `/v1/transactions/<hash>/receipt`.',
  ],
  RECEIPTS_FULL: ['The watcher keeps as many receipts as it takes.', 'Hand it in again later, or to another watcher.'],
  TOKEN_UNSET: [
    'The watcher has no API token, so that it takes no calls which change something.',
    'Start it with --api-token-file.',
  ],
  TOKEN_WRONG: ['The call does not bear the watcher’s API token.', 'Send it as `Authorization: Bearer <token>`.'],
  WEBHOOK_REFUSED: [
    'What receives the watcher’s alerts answered with an error.',
    'Look there; the status is in `got`. Alerts stay in `/v1/alerts`.',
  ],
}

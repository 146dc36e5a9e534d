/** What errors of reading L1 and of sending to it mean (docs/spec.md section 12): endpoints, the follower, the outbox, deployment files. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

const ANOTHER = 'use another L1 endpoint'

export const ENDPOINTS: Page = {
  CALL_REVERTED: [
    'A contract refused to answer a reading call; `got` says with what.',
    'Look that name up with `lifeboat explain error`. Without one: the address is of another contract, check the deployment file.',
  ],
  CONTRACT_MISSING: [
    'The L1 endpoint shows no contract at the address, at the block that was read.',
    'Check that endpoint and deployment file (or token address) are of one chain; one that lags behind has it later.',
  ],
  CURSOR_MALFORMED: [
    'The L1 blocks that a follower stored have a gap: the database is damaged.',
    'As for DATABASE_CORRUPT.',
  ],
  ENDPOINTS_DISAGREE: [
    'The two L1 endpoints name different blocks at a depth that counts as final: one of them is wrong.',
    'Compare both with a third source and replace the wrong one. Nothing is read from L1 meanwhile.',
  ],
  ENDPOINT_BUSY: [
    'The L1 endpoint refuses for now: too many requests, or trouble of its own.',
    `It is asked again by itself; if that stays, raise its limits or ${ANOTHER}.`,
  ],
  ENDPOINT_DENIED: [
    'The L1 endpoint wants other credentials (401 or 403).',
    'Correct the key in the URL, as the provider gave it.',
  ],
  ENDPOINT_GARBAGE: [
    'What answers is no JSON-RPC: another service, or the error page of a proxy.',
    `Check the URL; if it is right, try again later or ${ANOTHER}.`,
  ],
  ENDPOINT_INCONSISTENT: [
    'The answers of the L1 endpoint do not fit one chain: a reorg came between, or several nodes answer in turn.',
    `It is asked again by itself; if that stays, ${ANOTHER}.`,
  ],
  ENDPOINT_LIED_HEADER: [
    'A block of the L1 endpoint does not have the hash, number or parent that it claims.',
    `Nothing of it was used. ${capital(ANOTHER)}.`,
  ],
  ENDPOINT_LIED_RECEIPTS: [
    'The receipts of an L1 block are not those of its header: events were left out or made up.',
    `Nothing of it was used. ${capital(ANOTHER)}.`,
  ],
  ENDPOINT_TIMEOUT: [
    'The L1 endpoint did not answer in time.',
    `It was asked several times; try again later, or ${ANOTHER}.`,
  ],
  ENDPOINT_UNREACHABLE: [
    'No connection to the L1 endpoint.',
    'Check that it runs and that --l1-url (or --l1-second-url) is right.',
  ],
  ENDPOINT_URL: ['The L1 endpoint is no http: or https: URL.', 'Correct --l1-url; WebSocket addresses are not taken.'],
  FINALITY_BROKEN: [
    'The L1 endpoint serves a chain without a block that was final here: it is on another fork, or L1 replaced final blocks.',
    'Compare with other sources of L1 and start again with an endpoint you trust. Until then trust no recent deposit or exit.',
  ],
  HEADER_FORK_UNKNOWN: [
    'L1 headers have fields that this version does not know, so that their hashes cannot be checked.',
    'Install a newer version; if there is none that knows them, the endpoint is wrong.',
  ],
  HEAD_MISSING: [
    'The L1 endpoint names no latest block.',
    'Wait until its node is in step with the chain, or name another endpoint.',
  ],
  RECEIPT_TYPE_UNKNOWN: [
    'An L1 block has receipts of a type that this version does not know.',
    'Install a newer version; if there is none that knows it, the endpoint is wrong.',
  ],
  REPLY_MALFORMED: [
    'The L1 endpoint answers in another form than Ethereum JSON-RPC has; `got` shows where.',
    `${capital(ANOTHER)}.`,
  ],
  RESULT_MALFORMED: [
    'The contract answers with what this version cannot read.',
    'It is another contract or of another version: check the deployment file, and use the version that belongs to it.',
  ],
  RPC_METHOD_MISSING: [
    'The L1 endpoint does not offer a method that is needed; the error names it.',
    `Allow it there, or ${ANOTHER}.`,
  ],
  RPC_REFUSED: [
    'The L1 endpoint refuses the call, with the words in `got`.',
    `Mend what they name (often a limit of the provider), or ${ANOTHER}.`,
  ],
  SECOND_ENDPOINT_BEHIND: [
    'The second L1 endpoint does not show a block that is final by the first.',
    'Wait; if it stays behind, replace it (--l1-second-url).',
  ],
  START_BLOCK_MISMATCH: [
    'At the block where the deployment starts, L1 has another block.',
    'The endpoint is of another chain with the same id, or the deployment was lost in a reorg: check both, or deploy again.',
  ],
  WRONG_CHAIN: [
    'The L1 endpoint is of another chain than the deployment file (or --l1-chain-id) says.',
    'Name an endpoint of that chain, or the file of this one.',
  ],
}

export const OUTBOX: Page = {
  HOOK_FAILED: [
    'Before it sends, the outbox asks whether an act is done already, and got no answer.',
    'It asks again by itself; the reason is in `got`, mostly the L1 endpoint.',
  ],
  INTENT_INVALID: [
    'An act for L1 cannot be sent as it was handed in; the message names the field.',
    'For who writes programs: correct that field. On the command line only --timeout can do it: use a smaller one.',
  ],
  OUTBOX_CHAIN_CHANGED: [
    'The database holds L1 transactions of another chain.',
    'Name another data directory, or the L1 endpoint of that chain.',
  ],
  OUTBOX_CLOSED: [
    'The program was ended while an L1 transaction waited.',
    'Start it again: what was written down is gone on with.',
  ],
  OUTBOX_DATABASE_OWNED: [
    'Another process sends from this database.',
    'Stop the other one, or wait for it; or use another data directory, with another key.',
  ],
  OUTBOX_KEY_OWNED: [
    'One process opened two outboxes for the same key.',
    'For who writes programs: share one outbox among all who send with the key.',
  ],
  OUTBOX_KEY_REUSED: [
    'An outbox key stands for another act already.',
    'For who writes programs: one key for each act, the same key for the same act.',
  ],
  OUTBOX_KEY_SHARED: [
    'Somebody else sends L1 transactions with this key at the same time: they take each other’s nonces.',
    'One key for one program: stop the other, or give it a key of its own.',
  ],
  OUTBOX_KEY_UNKNOWN: [
    'Nothing was handed to the outbox under this key.',
    'For who writes programs: enqueue first, then wait.',
  ],
  OUTBOX_OTHER_SENDER: [
    'The database holds L1 transactions that were sent with another key and are not over.',
    'Run the program with that key until they are; this key does not take them over.',
  ],
  OUTBOX_POLICY: [
    'Confirmations, blocks between two bids, or transactions at once are below 1.',
    'Set each to 1 or more.',
  ],
  SIGNER_FAILED: [
    'The signer gave no signature for an L1 transaction; `got` says why.',
    'Mend the signer; it is asked again by itself.',
  ],
  SIMULATION_REFUSED: [
    'The L1 endpoint would not try a call out before it is sent.',
    `It is asked again by itself; if that stays, ${ANOTHER}.`,
  ],
}

export const DEPLOYMENTS: Page = {
  DEPLOYMENT_MALFORMED: [
    'The deployment file is no JSON, or lacks what `got` or the message names.',
    'Use the file as `lifeboat deploy` or `lifeboat devnet` wrote it.',
  ],
  DEPLOYMENT_PARAMETERS: [
    'The deployment file lacks periods of the root contract.',
    'Use the file as `lifeboat deploy` wrote it.',
  ],
  DEPLOYMENT_VERSION: [
    'The deployment file is of another version of the format.',
    'Use the version of this program that wrote it.',
  ],
  PARAMETERS_IMPOSSIBLE: [
    'The periods of the root contract break a rule, so that somebody could not answer in time.',
    'Correct what the rules named want (docs/spec.md section 10).',
  ],
}

export const EMBEDDED: Page = {
  HOST_INVALID: ['This machine has no such address to listen on.', 'Use 127.0.0.1.'],
  L1_DATA_CHAIN_MISMATCH: [
    'The file of the embedded L1 holds a chain with another id.',
    'Name another data directory, or the chain id it was started with.',
  ],
  L1_DATA_CORRUPT: [
    'The file of the embedded L1 is damaged.',
    'Restore a copy, or remove it to start a new chain: the child chain on it has to start anew as well.',
  ],
  L1_DATA_FOREIGN: ['The file is not one of the embedded L1.', 'Name another data directory.'],
  L1_DATA_GENESIS_MISMATCH: [
    'The embedded L1 was started with other accounts or balances.',
    'Use the same again (`--accounts` of `lifeboat devnet`), or another data directory.',
  ],
  L1_DATA_NEWER: [
    'A newer version wrote the file of the embedded L1.',
    'Run that version, or name another data directory.',
  ],
  L1_DATA_UNREADABLE: [
    'The file of the embedded L1 cannot be opened.',
    'Look at folder, permissions and free space, and that no other devnet uses it.',
  ],
  L1_DATA_WRITE_FAILED: [
    'The embedded L1 could not write its file; nothing was changed.',
    'Free some space and try again.',
  ],
  L1_OPTIONS_INVALID: ['The embedded L1 cannot start with these options.', 'Correct all that the message lists.'],
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

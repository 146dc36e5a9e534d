/** What errors of the programs' common parts mean (docs/architecture.md, "Errors"): HTTP, feeds, databases, start-up, signatures. */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

const SPEAK_AS_DESCRIBED = 'Write it as the server’s /openapi.json says.'

export const HTTP: Page = {
  ANSWER_MALFORMED: [
    'The server answers in another form than it should.',
    'Check the URL and that its version fits this one. If both are right, it is at fault: ask another server.',
  ],
  ANSWER_TOO_LARGE: [
    'The server’s answer is longer than any that it should give.',
    'Check the URL, or ask another server.',
  ],
  BLOCK_UNKNOWN: [
    'There is no such child block. Or, while L1 was read: the endpoint does not have the L1 block asked for, after a reorg or because it lags.',
    'Check the number. Of an L1 block: run the command again; if that stays, use another L1 endpoint.',
  ],
  BODY_BROKEN: ['The connection ended before the whole request had come.', 'Send it again.'],
  BODY_TOO_LARGE: ['The request is larger than the server takes.', 'Send less at once, as the error says.'],
  INTERNAL: [
    'The server met a fault of its own (HTTP status 500); its log has the details.',
    'Ask another server, or again later. Whoever runs it reports the fault, with the log.',
  ],
  JSON_MALFORMED: ['The request is not JSON in UTF-8.', 'Correct it; `got` is what the parser says.'],
  MEDIA_TYPE_UNKNOWN: [
    'The server does not take this Content-Type here.',
    'Send one that the error names under `want`.',
  ],
  RANGE_MALFORMED: [
    'A range is no range: blocks that end in the middle of one, or leaves outside the block or not aligned.',
    'Blocks: ask again, or another server. Leaves: choose an aligned power of two inside the block.',
  ],
  RATE_LIMITED: [
    'More requests or payments came in a short time than the server takes from one client or account.',
    'Pause as long as `want` or Retry-After says, then try again.',
  ],
  REQUEST_ABORTED: [
    'The asking program gave the request up: it is ending, or needs the answer no more.',
    'Nothing to do.',
  ],
  REQUEST_INVALID: ['Path, query or body are not what the route takes; `got` lists the faults.', SPEAK_AS_DESCRIBED],
  REQUEST_TIMEOUT: ['The server did not get the answer ready in time.', 'Try again later, or ask for less at once.'],
  ROUTE_UNKNOWN: [
    'The server has no such address.',
    'Check the URL: its base is the server’s, without /v1. The routes are in its /openapi.json.',
  ],
  SERVER_REFUSED: [
    'The server refused in no form of ours: mostly a proxy before it, or another service.',
    'Check the URL and what stands between.',
  ],
  SERVER_TIMEOUT: ['The server gave no answer in time.', 'Try again; if that stays, see whether it runs.'],
  SERVER_UNREACHABLE: [
    'No connection to the operator or watcher of that URL.',
    'Check that it runs and that --operator-url or --watcher-urls is right.',
  ],
}

export const FEEDS: Page = {
  FEED_CURSOR_AHEAD: [
    'The feed is asked to go on after an event that the server does not have: the cursor is another server’s, or it lost data.',
    'Subscribe without a cursor, and read anew by HTTP what may have been missed.',
  ],
  FEED_LOST: ['The connection of the feed is lost.', 'Connect again and subscribe with the last cursor.'],
  FEED_MALFORMED: ['The feed sent what this version cannot read.', 'Check the URL, and that both versions fit.'],
  FEED_MESSAGE_INVALID: ['The message is none that the feed takes.', 'Send what the error names under `want`.'],
  FEED_NOT_SUBSCRIBED: ['The topic to leave was not subscribed.', 'Nothing to do.'],
  FEED_SUBSCRIBED: [
    'The topic is subscribed on this connection already.',
    'Nothing to do; to begin elsewhere, unsubscribe first.',
  ],
  FEED_TOPICS_FULL: [
    'One connection has as many topics as the server allows.',
    'Unsubscribe from some, or open another.',
  ],
  FEED_TOPIC_UNKNOWN: [
    'The feed has no such topic.',
    'An operator has `blocks` and `account:<address>`; a watcher `alerts`, `blocks`, `exits`, `disputes` and `batches`.',
  ],
}

export const DATABASES: Page = {
  DATABASE_BUSY: ['Another connection is writing the database.', 'Try again; stop what else works on the file.'],
  DATABASE_CORRUPT: [
    'The database is damaged or no database; it was left as it is.',
    'Restore a copy. A watcher’s can be moved away: it is built again from L1 and peers. An operator’s not: read "The database is damaged" in docs/guide-operator.md.',
  ],
  DATABASE_FOREIGN: ['The file belongs to another program.', 'Name another file or directory.'],
  DATABASE_LOCKED: [
    'Another process uses the database.',
    'Stop the other one, or wait until its command is over, or name another data directory.',
  ],
  DATABASE_NEWER: ['A newer version of this program wrote the database.', 'Install the newer version again.'],
  DATABASE_OTHER_CHAIN: [
    'The operator’s database belongs to another chain or root contract.',
    'Name the deployment file it was made for, or a new data directory.',
  ],
  DATABASE_UNWRITABLE: ['The database cannot be opened for writing.', 'Mend directory and permissions.'],
  DISK_FAILED: ['The disk failed under the database.', 'Replace the disk; look at the system’s log.'],
  DISK_FULL: [
    'There is no room to write the database. Nothing unwritten was acknowledged.',
    'Free disk space, start again.',
  ],
}

export const STARTING: Page = {
  HOST_UNKNOWN: ['The address to listen on is none of this machine.', 'Use 127.0.0.1, or 0.0.0.0 for all (--host).'],
  NATIVE_SECP256K1_MISSING: [
    'The native library for signatures does not load; without it operator and watcher are too slow.',
    'Run `npm rebuild secp256k1` with a C++ toolchain installed.',
  ],
  PORT_BUSY: ['Another program listens on the port.', 'Stop it, or choose another port; 0 takes any free one.'],
  PORT_FORBIDDEN: ['This user may not listen on the port.', 'Choose one from 1024 on.'],
  SECRET_EMPTY: ['The file that should hold a password or token is empty.', 'Write it into the file.'],
  SECRET_UNREADABLE: [
    'The file that should hold a password or token cannot be read.',
    'Correct its path or permissions.',
  ],
}

export const SIGNATURES: Page = {
  PRIVATE_KEY_INVALID: ['The bytes are no private key.', 'Give 32 bytes, not zero, below the order of secp256k1.'],
  SIGNATURE_POOL_FULL: [
    'More signatures wait to be checked than the server holds.',
    'Try again; whoever runs it gives it more --threads.',
  ],
  SIGNATURE_WORKER_DIED: [
    'A thread that checks signatures died with what it was checking.',
    'Try again: the next check starts a new one. If it comes back, look at the machine’s memory.',
  ],
  THREADS_INVALID: ['The number of signature threads is below 1.', 'Set 1 or more.'],
}

export const VALUES: Page = {
  ADDRESS_INVALID: ['The text is no address.', 'Write 0x and 40 hexadecimal digits.'],
  BODY_MALFORMED: [
    'The bytes are not those of a child block’s body.',
    'Fetch them again, from another server: they have to be canonical.',
  ],
  HASH_INVALID: ['The text is no hash.', 'Write 0x and 64 hexadecimal digits.'],
  HEX_INVALID: [
    'The text is not hexadecimal as it is wanted.',
    'Write 0x and an even number of lower-case hexadecimal digits.',
  ],
  POSITION_INVALID: [
    'The number is no position of an output.',
    'Take it from `lifeboat balance --outputs` or `lifeboat history`: an integer from 0 to 2^53 - 1.',
  ],
  TRANSACTION_MALFORMED: [
    'The transaction is not encoded as docs/spec.md section 2 wants it; the fault is named.',
    'Build it with a wallet of this version, or correct what `got` and `want` say.',
  ],
}

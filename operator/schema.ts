/**
 * The operator's tables (docs/architecture.md, "Stores"). `transactions` is the ordered log, many to a row: its key is the first
 * position promised in it, and blocks are cut from it. `outputs`, `activity` and `hashes` follow from it and from L1, and may be behind
 * it by what operator/pending.ts holds. Addresses and hashes are blobs, amounts blobs of 16 bytes, times milliseconds unless named
 * otherwise.
 */
import type { Database } from '../service/database.ts'

/**
 * Group commits touch many pages of few rows each: room for the indices' inner pages, and checkpoints (which sync the main file) far
 * apart. What is acknowledged is in the write-ahead log, synced, either way.
 */
export function tuneDatabase(db: Database): void {
  db.pragma('cache_size = -131072')
  db.pragma('wal_autocheckpoint = 16384')
}

/** "LBop". */
export const OPERATOR_APPLICATION_ID = 0x4c426f70

export const OPERATOR_MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE l1_blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;

CREATE TABLE operators (l1_block INTEGER PRIMARY KEY, operator BLOB NOT NULL) STRICT;

CREATE TABLE foreign_blocks (number INTEGER PRIMARY KEY, l1_block INTEGER NOT NULL) STRICT;

CREATE TABLE blocks (
  number INTEGER PRIMARY KEY,
  anchor INTEGER NOT NULL,
  anchor_hash BLOB NOT NULL,
  first_accepted_at INTEGER,
  sealed_at INTEGER,
  tx_count INTEGER,
  root BLOB,
  l1_block INTEGER,
  l1_hash BLOB,
  timestamp_seconds INTEGER
) STRICT;
CREATE INDEX blocks_by_l1 ON blocks (l1_block) WHERE l1_block IS NOT NULL;

CREATE TABLE trees (block INTEGER PRIMARY KEY, nodes BLOB NOT NULL) STRICT;

CREATE TABLE transactions (position INTEGER PRIMARY KEY, hashes BLOB NOT NULL, bodies BLOB NOT NULL) STRICT;

CREATE TABLE hashes (
  stretch INTEGER NOT NULL,
  key INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (stretch, key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (
  position INTEGER PRIMARY KEY,
  owner BLOB NOT NULL,
  token BLOB NOT NULL,
  amount BLOB NOT NULL,
  spent_by INTEGER,
  deposited_at INTEGER
) STRICT;
CREATE INDEX unspent_by_owner ON outputs (owner, position) WHERE spent_by IS NULL;
CREATE INDEX deposits_by_l1 ON outputs (deposited_at) WHERE deposited_at IS NOT NULL;

CREATE TABLE locks (
  position INTEGER PRIMARY KEY,
  owner BLOB NOT NULL,
  locked_at INTEGER NOT NULL,
  l1_block INTEGER NOT NULL
) STRICT;

CREATE TABLE disputes (
  tx_hash BLOB PRIMARY KEY,
  body BLOB NOT NULL,
  locked_at INTEGER NOT NULL,
  l1_block INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leaving_outputs (
  tx_hash BLOB NOT NULL,
  output INTEGER NOT NULL,
  owner BLOB NOT NULL,
  locked_at INTEGER NOT NULL,
  l1_block INTEGER NOT NULL,
  PRIMARY KEY (tx_hash, output)
) STRICT, WITHOUT ROWID;

CREATE TABLE halts (l1_block INTEGER PRIMARY KEY, void_from INTEGER NOT NULL) STRICT;

CREATE TABLE activity (
  owner BLOB NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (owner, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE block_events (seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, stage TEXT NOT NULL) STRICT;
`,
  // What the operator answers for: its bond after each change (wei, as text), and what was demanded of its blocks.
  `
CREATE TABLE bonds (l1_block INTEGER NOT NULL, log_index INTEGER NOT NULL, wei TEXT NOT NULL, slashed TEXT NOT NULL, PRIMARY KEY (l1_block, log_index)) STRICT;

CREATE TABLE data_challenges (
  block INTEGER NOT NULL,
  first INTEGER NOT NULL,
  levels INTEGER NOT NULL,
  challenge TEXT NOT NULL,
  l1_block INTEGER NOT NULL,
  closed_at INTEGER,
  PRIMARY KEY (block, first, levels)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_data_challenges ON data_challenges (block) WHERE closed_at IS NULL;
`,
  // Mass exits: entries as they were started, and from the lock on what they lock wherever token and amount agree.
  `
CREATE TABLE batches (batch_id BLOB PRIMARY KEY, token BLOB NOT NULL, entries BLOB NOT NULL, l1_block INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE batch_locks (
  position INTEGER NOT NULL,
  batch_id BLOB NOT NULL,
  token BLOB NOT NULL,
  amount BLOB NOT NULL,
  locked_at INTEGER NOT NULL,
  l1_block INTEGER NOT NULL,
  PRIMARY KEY (position, batch_id)
) STRICT, WITHOUT ROWID;
`,
]

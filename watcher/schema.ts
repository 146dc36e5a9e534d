/**
 * The watcher's tables (docs/architecture.md, "Watcher"). Facts are two: what L1 said (`l1_blocks`, `root_events`) and the bodies
 * that match it (`bodies`). Everything else is folded from those and can be folded again (watcher/rebuild.ts), except what people
 * gave us (protected accounts, mandates, receipts), the record of alerts, and mass exits that are on their way to L1. The tables of mandates
 * and of drafts are made where they are kept (watcher/coordinator/).
 */
export const WATCHER_MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE l1_blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, timestamp INTEGER NOT NULL) STRICT;

CREATE TABLE root_events (
  l1_block INTEGER NOT NULL,
  log_index INTEGER NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (l1_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX root_events_by_subject ON root_events (subject);

CREATE TABLE bodies (
  id INTEGER PRIMARY KEY,
  block INTEGER NOT NULL,
  root TEXT NOT NULL,
  anchor INTEGER NOT NULL,
  tx_count INTEGER NOT NULL,
  arrived_at INTEGER NOT NULL,
  body BLOB NOT NULL,
  leaves BLOB NOT NULL,
  UNIQUE (block, root, anchor)
) STRICT;

CREATE TABLE child_blocks (
  number INTEGER PRIMARY KEY,
  root TEXT NOT NULL,
  tx_count INTEGER NOT NULL,
  tx_total INTEGER NOT NULL,
  anchor INTEGER NOT NULL,
  anchor_hash TEXT,
  timestamp INTEGER NOT NULL,
  l1_block INTEGER NOT NULL,
  l1_hash TEXT NOT NULL,
  body INTEGER REFERENCES bodies (id),
  verified INTEGER NOT NULL DEFAULT 0,
  fault TEXT,
  observed_seconds REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX child_blocks_by_l1 ON child_blocks (l1_block);

CREATE TABLE dropped_blocks (number INTEGER PRIMARY KEY, root TEXT NOT NULL) STRICT;

CREATE TABLE addresses (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE outputs (
  position INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,
  token INTEGER NOT NULL,
  amount BLOB NOT NULL,
  spent_by INTEGER,
  deposited_at INTEGER,
  locked_at INTEGER
) STRICT;
CREATE INDEX unspent_by_owner ON outputs (owner) WHERE spent_by IS NULL;

CREATE TABLE transactions (
  stretch INTEGER NOT NULL,
  hash_key INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (stretch, hash_key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE exits (
  output_id TEXT PRIMARY KEY,
  position INTEGER,
  disputed TEXT,
  output INTEGER NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL,
  exitable_at INTEGER NOT NULL,
  young INTEGER NOT NULL,
  block INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  locked_at INTEGER NOT NULL,
  last_l1 INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX exits_by_position ON exits (position);
CREATE INDEX exits_by_dispute ON exits (disputed) WHERE disputed IS NOT NULL;
CREATE INDEX exits_by_owner ON exits (owner);
CREATE INDEX exits_by_turn ON exits (young, block, seq);
CREATE INDEX exits_closed ON exits (last_l1) WHERE state IN ('settled', 'removed');
CREATE INDEX exits_open ON exits (exitable_at) WHERE state IN ('queued', 'ticket');
CREATE INDEX exits_changed ON exits (changed) WHERE changed = 1;

CREATE TABLE disputes (
  tx_hash TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  age_position INTEGER NOT NULL,
  locked_at INTEGER NOT NULL,
  started_l1 INTEGER NOT NULL,
  started_log INTEGER NOT NULL,
  decided_l1 INTEGER,
  made INTEGER,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX disputes_by_state ON disputes (state);
CREATE INDEX disputes_by_verdict ON disputes (decided_l1);
CREATE INDEX disputes_unplaced ON disputes (locked_at) WHERE made IS NULL;
CREATE INDEX disputes_by_place ON disputes (made) WHERE made IS NOT NULL;
CREATE INDEX disputes_changed ON disputes (changed) WHERE changed = 1;

CREATE TABLE dispute_inputs (
  tx_hash TEXT NOT NULL,
  input INTEGER NOT NULL,
  output_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  locked_at INTEGER NOT NULL,
  suspended INTEGER NOT NULL,
  PRIMARY KEY (tx_hash, input)
) STRICT, WITHOUT ROWID;
CREATE INDEX dispute_inputs_by_output ON dispute_inputs (output_id);
CREATE INDEX dispute_inputs_by_position ON dispute_inputs (position);

CREATE TABLE journal (cursor INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data TEXT NOT NULL) STRICT;
CREATE INDEX journal_by_topic ON journal (topic, cursor);

CREATE TABLE protected_accounts (
  digest TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  mandate TEXT NOT NULL,
  signature TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX protected_by_owner ON protected_accounts (owner);

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  code TEXT NOT NULL,
  severity TEXT NOT NULL,
  dedupe TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  details TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0,
  acknowledged_at INTEGER,
  acknowledged_by TEXT,
  cleared_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_standing ON alerts (dedupe) WHERE cleared_at IS NULL;

CREATE TABLE deliveries (
  alert INTEGER NOT NULL,
  sink TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  delivered_at INTEGER,
  last_error TEXT,
  PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE delivered_at IS NULL;
`,
  `
ALTER TABLE bodies ADD COLUMN arrived_l1 INTEGER NOT NULL DEFAULT 0;

CREATE TABLE data_challenges (
  block INTEGER NOT NULL,
  first INTEGER NOT NULL,
  levels INTEGER NOT NULL,
  state TEXT NOT NULL,
  challenger TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (block, first, levels)
) STRICT, WITHOUT ROWID;
CREATE INDEX data_challenges_open ON data_challenges (started_at) WHERE state = 'open';
CREATE INDEX data_challenges_by_challenger ON data_challenges (challenger, started_at);

CREATE TABLE receipts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  block INTEGER NOT NULL,
  place INTEGER NOT NULL,
  anchor INTEGER NOT NULL,
  anchor_hash TEXT NOT NULL,
  tx_hash TEXT NOT NULL,
  signed TEXT NOT NULL,
  canonical TEXT,
  state TEXT NOT NULL,
  broken_since INTEGER,
  added_at INTEGER NOT NULL,
  UNIQUE (block, place, anchor_hash, tx_hash)
) STRICT;
CREATE INDEX receipts_by_transaction ON receipts (tx_hash);
CREATE INDEX receipts_by_anchor ON receipts (anchor);
CREATE INDEX receipts_broken ON receipts (broken_since) WHERE broken_since IS NOT NULL;
`,
  `
CREATE TABLE batches (
  id INTEGER PRIMARY KEY,
  batch_id TEXT NOT NULL UNIQUE,
  token TEXT NOT NULL,
  coordinator TEXT NOT NULL,
  state TEXT NOT NULL,
  locked_at INTEGER,
  started_l1 INTEGER NOT NULL,
  started_log INTEGER NOT NULL
) STRICT;
CREATE INDEX batches_by_state ON batches (state);

CREATE TABLE batch_entries (
  position INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  amount BLOB NOT NULL,
  before BLOB NOT NULL,
  PRIMARY KEY (position, batch)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_entries_by_batch ON batch_entries (batch, entry);

CREATE TABLE batch_outputs (
  output_id TEXT NOT NULL,
  l1_block INTEGER NOT NULL,
  log_index INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (output_id, l1_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_outputs_by_batch ON batch_outputs (batch);
CREATE INDEX batch_outputs_claimed ON batch_outputs (l1_block) WHERE kind = 'claimed';
`,
  `
CREATE INDEX root_events_left ON root_events (subject) WHERE type IN ('PlaceLeft', 'PlaceFreed');
`,
  `
CREATE INDEX root_events_revoked ON root_events (subject, json_extract(data, '$.epoch')) WHERE type = 'MandatesRevoked';
`,
  `
CREATE TABLE batch_demands (
  batch INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  demander TEXT NOT NULL,
  PRIMARY KEY (batch, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_demands_by_demander ON batch_demands (demander);
CREATE INDEX batches_by_coordinator ON batches (coordinator, state);

INSERT INTO batch_demands
  SELECT id, json_extract(data, '$.index'), json_extract(data, '$.demander')
  FROM root_events AS made JOIN batches ON subject = 'batch ' || batch_id
  WHERE type = 'EntryDemanded' AND NOT EXISTS (
    SELECT 1 FROM root_events AS ended WHERE ended.subject = made.subject AND json_extract(made.data, '$.index') = CASE ended.type
      WHEN 'DemandAnswered' THEN json_extract(ended.data, '$.index')
      WHEN 'BatchDissolved' THEN json_extract(ended.data, '$.demanded')
    END);
`,
  `
CREATE INDEX batch_outputs_claimed_entry ON batch_outputs (batch, entry) WHERE kind = 'claimed';
`,
]

/** Tables that hold folded state only: emptied and filled again by a rebuild. */
export const DERIVED_TABLES = [
  'child_blocks',
  'dropped_blocks',
  'outputs',
  'transactions',
  'exits',
  'disputes',
  'dispute_inputs',
  'data_challenges',
  'batches',
  'batch_entries',
  'batch_outputs',
  'batch_demands',
] as const

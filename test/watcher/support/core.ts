/** A watcher's core on fakes: hand-made L1, fake peers, an injected clock, workers in process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex } from '../../../protocol/bytes.ts'
import { type Parameters, PRESETS } from '../../../protocol/parameters.ts'
import { type Database, openDatabase } from '../../../service/database.ts'
import { createMemoryLog } from '../../../service/log.ts'
import { preparePacked } from '../../../signatures/jobs.ts'
import type { AlertSink } from '../../../watcher/alarm.ts'
import { type CoreOptions, createCore } from '../../../watcher/core.ts'
import type { Peer } from '../../../watcher/peers.ts'
import { defaultLimits } from '../../../watcher/safety.ts'
import { WATCHER_MIGRATIONS } from '../../../watcher/schema.ts'
import type { Prepare } from '../../../watcher/verify.ts'
import { SEPARATOR } from './chain.ts'
import type { FakeL1 } from './l1.ts'

export const APPLICATION_ID = 77
export const PARAMETERS: Parameters = PRESETS.mainnet

export const prepareHere: Prepare = async (batch) => preparePacked(batch)

export function openStore(file = ':memory:', onWrite?: () => void): Database {
  return openDatabase({
    file,
    applicationId: APPLICATION_ID,
    migrations: WATCHER_MIGRATIONS,
    ...(onWrite && { onWrite }),
  })
}

export type TestCoreOptions = Readonly<{
  l1: FakeL1
  peers: readonly Peer[]
  db?: Database
  clock?: { now: number }
  sinks?: readonly AlertSink[]
  overrides?: Partial<CoreOptions>
}>

export function createTestCore({
  l1,
  peers,
  db = openStore(),
  clock = { now: 5_000_000 },
  sinks = [],
  overrides = {},
}: TestCoreOptions) {
  const log = createMemoryLog()
  const parameters = overrides.parameters ?? PARAMETERS
  const core = createCore({
    db,
    separator: SEPARATOR,
    parameters,
    limits: defaultLimits(parameters),
    sources: [l1.source()],
    peers,
    prepare: prepareHere,
    log: log.log,
    sinks,
    now: () => clock.now,
    maxHeadAgeSeconds: undefined,
    maxL1SilenceSeconds: 60,
    sender: undefined,
    chaseBudgetMs: Number.MAX_SAFE_INTEGER,
    ...overrides,
  })
  return { ...core, db, clock, log, codes: () => core.alarm.page(0, 1_000).map(({ code }) => code) }
}

/** A directory for database files, and how to be rid of it. */
export function createFolder() {
  const path = mkdtempSync(join(tmpdir(), 'lifeboat-watcher-'))
  return { file: join(path, 'watcher.sqlite'), remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** What a watcher that starts now knows of the same L1. */
export async function fresh({ l1, operator }: Readonly<{ l1: FakeL1; operator: Readonly<{ peer: Peer }> }>) {
  const core = createTestCore({ l1, peers: [operator.peer] })
  await core.tick()
  await core.tick()
  return dump(core.db)
}

/** Everything folded, as plain rows: two watchers that know the same hold the same. */
export function dump(db: Database): Record<string, unknown[]> {
  const all = (sql: string) => db.prepare(sql).all()
  return {
    blocks: all(
      'SELECT number, root, tx_count, anchor, timestamp, l1_block, verified, fault FROM child_blocks ORDER BY number',
    ),
    outputs: all(`SELECT position, o.address AS owner, t.address AS token, amount, spent_by, deposited_at, locked_at
      FROM outputs JOIN addresses o ON o.id = owner JOIN addresses t ON t.id = token ORDER BY position`).map((row) => ({
      ...(row as object),
      amount: BigInt(bytesToHex((row as { amount: Uint8Array }).amount)).toString(),
    })),
    transactions: all('SELECT * FROM transactions ORDER BY position'),
    exits: all('SELECT output_id, position, disputed, output, state, locked_at FROM exits ORDER BY output_id'),
    disputes: all(`SELECT tx_hash, state, age_position, locked_at, started_l1, started_log, decided_l1, made
      FROM disputes ORDER BY tx_hash`),
    disputeInputs: all('SELECT * FROM dispute_inputs ORDER BY tx_hash, input'),
    batches: all(
      'SELECT batch_id, token, coordinator, state, locked_at, started_l1, started_log FROM batches ORDER BY batch_id',
    ),
    entries: all(`SELECT batch_id, position, entry, hex(amount) AS amount, hex(before) AS before
      FROM batch_entries JOIN batches ON id = batch ORDER BY batch_id, entry`),
    batchOutputs: all(`SELECT output_id, l1_block, log_index, batch_id, entry, kind
      FROM batch_outputs JOIN batches ON id = batch ORDER BY output_id, l1_block, log_index`),
    demands: all(
      `SELECT batch_id, entry, demander FROM batch_demands JOIN batches ON id = batch ORDER BY batch_id, entry`,
    ),
    events: all('SELECT * FROM root_events ORDER BY l1_block, log_index'),
  }
}

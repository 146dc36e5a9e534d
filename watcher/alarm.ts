/**
 * Alerts as rows first (docs/honest-watcher.md): raised inside the transaction of what they tell of, told once while they stand,
 * delivered to every sink until it took them, and acknowledged by people. Raising the same alert again while it stands only counts.
 */

import { invalid } from '../protocol/errors.ts'
import { type Database, inTransaction } from '../service/database.ts'
import { ALERTS, type AlertCode, type Severity } from './alerts.ts'
import { fromJson, toJson, toPlain } from './json.ts'

const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 3_600_000
/** With the pauses above: about three days of trying. */
const MAX_ATTEMPTS = 80
const DUE_AT_ONCE = 50

export type Alert = Readonly<{
  id: number
  code: AlertCode
  severity: Severity
  /** One text per cause: code and subject. The receiver's key against doubles, with the id. */
  dedupe: string
  /** Local clock, ms. */
  raisedAt: number
  details: Readonly<Record<string, unknown>>
  /** How often it was raised again while it stood. */
  repeats: number
  meaning: string
  action: string
  acknowledgedAt?: number
  acknowledgedBy?: string
  clearedAt?: number
}>

/** Where alerts go. `deliver` rejects to be tried again later. */
export type AlertSink = Readonly<{ name: string; deliver(alert: Alert): Promise<void> }>

export type AlarmOptions = Readonly<{
  db: Database
  sinks: readonly AlertSink[]
  /** Local clock, ms. */
  now(): number
}>

export type Alarm = ReturnType<typeof createAlarm>

type Row = Readonly<{
  id: number
  code: AlertCode
  severity: Severity
  dedupe: string
  raised_at: number
  details: string
  repeats: number
  acknowledged_at: number | null
  acknowledged_by: string | null
  cleared_at: number | null
}>

export function createAlarm({ db, sinks, now }: AlarmOptions) {
  const insert = db.prepare(
    'INSERT INTO alerts (code, severity, dedupe, raised_at, details) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const repeat = db.prepare('UPDATE alerts SET repeats = repeats + 1 WHERE dedupe = ? AND cleared_at IS NULL')
  const insertDelivery = db.prepare('INSERT INTO deliveries (alert, sink, next_at) VALUES (?, ?, ?)')
  const clearStanding = db.prepare('UPDATE alerts SET cleared_at = ? WHERE dedupe = ? AND cleared_at IS NULL')
  const selectStanding = db.prepare<[string], { id: number }>(
    'SELECT id FROM alerts WHERE dedupe = ? AND cleared_at IS NULL',
  )
  const selectAllStanding = db.prepare<[], { code: AlertCode; dedupe: string }>(
    'SELECT code, dedupe FROM alerts WHERE cleared_at IS NULL',
  )
  const selectOne = db.prepare<[number], Row>('SELECT * FROM alerts WHERE id = ?')
  const selectAfter = db.prepare<[number, number], Row>('SELECT * FROM alerts WHERE id > ? ORDER BY id LIMIT ?')
  const selectNewest = db.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM alerts')
  const acknowledgeRow = db.prepare(
    'UPDATE alerts SET acknowledged_at = ?, acknowledged_by = ? WHERE id = ? AND acknowledged_at IS NULL',
  )
  const selectDue = db.prepare<[number, string, number], { alert: number; attempts: number }>(
    'SELECT alert, attempts FROM deliveries WHERE delivered_at IS NULL AND next_at <= ? AND sink = ? ORDER BY next_at LIMIT ?',
  )
  const markDelivered = db.prepare('UPDATE deliveries SET delivered_at = ? WHERE alert = ? AND sink = ?')
  const markFailed = db.prepare(
    'UPDATE deliveries SET attempts = ?, next_at = ?, last_error = ? WHERE alert = ? AND sink = ?',
  )
  const countOpen = db.prepare<[], { severity: Severity; count: number }>(
    'SELECT severity, count(*) AS count FROM alerts WHERE cleared_at IS NULL AND acknowledged_at IS NULL GROUP BY severity',
  )

  function read(id: number): Alert | undefined {
    const row = selectOne.get(id)
    return row && fromRow(row)
  }

  async function deliverDue(sink: AlertSink): Promise<number> {
    let delivered = 0
    for (const { alert: id, attempts } of selectDue.all(now(), sink.name, DUE_AT_ONCE)) {
      const alert = read(id)
      if (!alert) continue
      try {
        await sink.deliver(alert)
        markDelivered.run(now(), id, sink.name)
        delivered++
      } catch (error) {
        const next = attempts + 1 >= MAX_ATTEMPTS ? Number.MAX_SAFE_INTEGER : now() + retryPause(attempts)
        markFailed.run(attempts + 1, next, String(error), id, sink.name)
        // The sink is down: the rest waits its turn, in order.
        break
      }
    }
    return delivered
  }

  return {
    /**
     * Raises an alert about `subject`, inside the caller's transaction if there is one. False when it stands already.
     * `details` are plain values; bigints become decimal text.
     */
    raise(code: AlertCode, subject: string, details: Readonly<Record<string, unknown>> = {}): boolean {
      const dedupe = `${code} ${subject}`
      const { severity } = ALERTS[code]
      // One transaction: an alert without its deliveries would stand, and be told to nobody.
      return inTransaction(db, () => {
        const { changes, lastInsertRowid } = insert.run(code, severity, dedupe, now(), toJson(toPlain(details)))
        if (changes === 0) {
          repeat.run(dedupe)
          return false
        }
        for (const { name } of sinks) insertDelivery.run(lastInsertRowid, name, now())
        return true
      })
    },

    /** Its cause is gone: raised again, it is a new alert. */
    clear(code: AlertCode, subject: string): void {
      clearStanding.run(now(), `${code} ${subject}`)
    },

    stands(code: AlertCode, subject: string): boolean {
      return selectStanding.get(`${code} ${subject}`) !== undefined
    },

    /** What stands of these codes: whoever tells while something lasts starts from it, and clears what ended while nobody ran. */
    standing(codes: ReadonlySet<AlertCode>): { code: AlertCode; subject: string }[] {
      return selectAllStanding
        .all()
        .flatMap(({ code, dedupe }) => (codes.has(code) ? [{ code, subject: dedupe.slice(code.length + 1) }] : []))
    },

    read,

    /** In the order raised, after `cursor` (an id; 0 for the start). */
    page(cursor: number, limit: number): Alert[] {
      return selectAfter.all(cursor, limit).map(fromRow)
    },

    newestId(): number {
      return selectNewest.get()?.id ?? 0
    },

    /** Twice keeps the first. Throws ALERT_UNKNOWN. */
    acknowledge(id: number, by: string): Alert {
      acknowledgeRow.run(now(), by, id)
      const alert = read(id)
      if (!alert) throw invalid('ALERT_UNKNOWN', 'no such alert', { got: id, want: 'the id of an alert' })
      return alert
    },

    /** Standing alerts that nobody has acknowledged, by severity. */
    openCounts(): Readonly<Record<Severity, number>> {
      const counts = { info: 0, warning: 0, critical: 0 }
      for (const { severity, count } of countOpen.all()) counts[severity] = count
      return counts
    },

    /** Hands every due alert to its sinks; one that fails does not hold up the others. Returns how many were taken. */
    async deliver(): Promise<number> {
      const delivered = await Promise.all(sinks.map(deliverDue))
      return delivered.reduce((sum, count) => sum + count, 0)
    },
  }
}

/** Doubles from 2 s to an hour. */
export function retryPause(attempts: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20))
}

function fromRow(row: Row): Alert {
  const { meaning, action } = ALERTS[row.code]
  return {
    id: row.id,
    code: row.code,
    severity: row.severity,
    dedupe: row.dedupe,
    raisedAt: row.raised_at,
    details: fromJson<Record<string, unknown>>(row.details),
    repeats: row.repeats,
    meaning,
    action,
    ...(row.acknowledged_at === null ? {} : { acknowledgedAt: row.acknowledged_at }),
    ...(row.acknowledged_by === null ? {} : { acknowledgedBy: row.acknowledged_by }),
    ...(row.cleared_at === null ? {} : { clearedAt: row.cleared_at }),
  }
}

/**
 * What people have to hear about mass exits that take protected accounts along (docs/honest-watcher.md): once when such a batch starts or is
 * locked, and once for each of their outputs that is paid as an entry. Level-triggered like watcher/audit.ts: a batch is looked at again whenever
 * its events changed, and those that stand whenever the child chain moved, since what an entry names may become known later.
 */
import type { Address, Hash } from '../protocol/bytes.ts'
import { payableAfter } from '../protocol/exit.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { Alarm } from './alarm.ts'
import type { BatchBook } from './batchBook.ts'
import type { BatchRecord } from './court/batchTypes.ts'
import type { Facts } from './facts.ts'
import type { Journal } from './journal.ts'
import type { Protection } from './protection.ts'

const NOTES_AT_ONCE = 1_000
/** Positions that an alert names. */
const MOST_NAMED = 20

export type BatchAuditOptions = Readonly<{
  db: Database
  facts: Pick<Facts, 'l1Now' | 'parameters' | 'halt' | 'verifiedBlock'>
  batches: Pick<BatchBook, 'record' | 'current' | 'protectedEntries'>
  journal: Journal
  protection: Pick<Protection, 'all'>
  alarm: Alarm
  /** Addresses that act for this watcher. */
  ours: ReadonlySet<Address>
}>

type ProtectedEntry = ReturnType<BatchBook['protectedEntries']>[number]

export function createBatchAudit({ db, facts, batches, journal, protection, alarm, ours }: BatchAuditOptions) {
  let cursor = 0
  let lastLook = ''

  function changed(): Set<Hash> {
    const found = new Set<Hash>()
    for (;;) {
      const notes = journal.readSince('batches', cursor, NOTES_AT_ONCE)
      for (const { data } of notes) found.add(data['batchId'] as Hash)
      cursor = notes.at(-1)?.cursor ?? cursor
      if (notes.length < NOTES_AT_ONCE) return found
    }
  }

  /** Events of long ago are history, not news: a watcher that catches up stays quiet about them. */
  function isNews(l1Timestamp: number): boolean {
    return facts.l1Now().timestamp - l1Timestamp <= facts.parameters.minExitPeriod
  }

  function look(record: BatchRecord): void {
    const entries = batches.protectedEntries(record.batchId)
    if (entries.length === 0) return
    lookAtStart(record, entries)
    lookAtClaims(record, entries)
  }

  /** A stranger's batch takes nobody along before it is locked: until then its entries can be demanded, which is told of elsewhere. */
  function lookAtStart({ batchId, batch, state, item, locked }: BatchRecord, entries: readonly ProtectedEntry[]): void {
    const own = ours.has(batch.coordinator)
    const counts = state === 'locked' || state === 'closed' || (own && state === 'started')
    if (!counts || !isNews(locked?.l1Timestamp ?? batch.startedAt) || alarm.stands('PROTECTED_IN_BATCH', batchId))
      return
    const { coordinator, token, startedAt } = batch
    const { minExitPeriod } = facts.parameters
    alarm.raise('PROTECTED_IN_BATCH', batchId, {
      ...{ batchId, coordinator, own, state, token, startedAt },
      owners: new Set(entries.map(({ owner }) => owner)).size,
      outputs: entries.length,
      positions: entries.slice(0, MOST_NAMED).map(({ position }) => position),
      amount: entries.reduce((sum, { amount }) => sum + amount, 0n),
      ...(item && { payableAfter: payableAfter(item.exitableAt, minExitPeriod, facts.halt().lastMove) }),
    })
  }

  function lookAtClaims({ batchId, batch: { token }, uses }: BatchRecord, entries: readonly ProtectedEntry[]): void {
    for (const { index, position, owner, amount } of entries) {
      const use = uses.get(index)
      if (use?.kind !== 'claimed' || use.owner !== owner || !isNews(use.at.l1Timestamp)) continue
      const { outputId } = use
      if (alarm.stands('PROTECTED_EXIT_PAID', outputId)) continue
      const about = { outputId, position, owner, token, amount, paid: amount, batchId, entry: index }
      alarm.raise('PROTECTED_EXIT_PAID', outputId, about)
    }
  }

  return {
    /** To be called once L1 and the child chain are as near to the head as they get. */
    run(): void {
      const ids = changed()
      const here = `${facts.verifiedBlock()} ${protection.all().length}`
      if (here !== lastLook) for (const { batchId } of batches.current()) ids.add(batchId)
      lastLook = here
      if (ids.size === 0) return
      inTransaction(db, () => {
        for (const id of ids) {
          const record = batches.record(id)
          if (record) look(record)
        }
      })
    },
  }
}

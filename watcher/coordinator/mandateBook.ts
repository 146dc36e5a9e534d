/**
 * Mandates that anyone may hand in (docs/spec.md sections 6.4 and 7): the crowd that this watcher takes out together. Each is checked when it
 * comes, because when it is needed it is too late to ask for another; one that a batch of ours may be asked for is kept until it can't be.
 */

import type { Address } from '../../protocol/bytes.ts'
import { bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'
import { invalid } from '../../protocol/errors.ts'
import { findMandateFault, hashMandate, type Mandate } from '../../protocol/mandate.ts'
import type { Database } from '../../service/database.ts'
import { fromJson, toJson } from '../json.ts'
import { assertUsable, type ProtectionOptions, refused } from '../protection.ts'

/** Of one owner: a few series and periods side by side. */
export const MOST_OF_OWNER = 4
const MOST_MANDATES = 1_000_000
/** Owners who hold nothing. Each costs every plan a question, and anybody can make a million of them. */
const MOST_IDLE = 100_000
/** Rows looked at together for one that protects nobody, when the book is full, and how often for one newcomer. */
const CLEARING = 256
const CLEARING_PAGES = 4
/** Series looked at in one `prune`. */
const PRUNING = 256
const FIRST_SERIES = { owner: '', epoch: -1 }
const FIRST_ROW = { addedAt: -1, digest: '' }

export type SignedMandate = Readonly<{ mandate: Mandate; signature: Hex }>

/** `digest`: what the owner signed. `addedAt`: local clock, ms. */
export type StoredMandate = SignedMandate & Readonly<{ digest: Hash; addedAt: number }>

/** An output that a mandate is wanted for, in a batch that starts in this period (L1 seconds, inclusive). */
export type MandateWanted = Readonly<{ owner: Address; position: number; amount: bigint; from: number; until: number }>

export type MandateBookOptions = ProtectionOptions &
  Readonly<{
    minExitPeriod: number
    /** The owner has something to protect. */
    holds(owner: Address): boolean
    /** Default 1,000,000. */
    most?: number
    /** Owners who hold nothing, beyond whom the first of them are forgotten. Default 100,000. */
    mostIdle?: number
  }>

export type MandateBook = ReturnType<typeof createMandateBook>

type Row = Readonly<{
  digest: Hash
  owner: Address
  mandate: string
  signature: Hex
  added_at: number
  kept_until: number
}>

export function createMandateBook(options: MandateBookOptions) {
  const { db, separator, sender, revokedAt, l1Seconds, minExitPeriod, holds } = options
  const { most = MOST_MANDATES, mostIdle = MOST_IDLE } = options
  migrate(db)
  const insert = db.prepare(
    'INSERT INTO mandates (digest, owner, mandate, signature, valid_until, epoch, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const selectOne = db.prepare<[string], Row>('SELECT * FROM mandates WHERE digest = ?')
  const selectOf = db.prepare<[string], Row>('SELECT * FROM mandates WHERE owner = ? ORDER BY added_at DESC, digest')
  const selectOwners = db.prepare<[string, number], { owner: Address }>(
    'SELECT DISTINCT owner FROM mandates WHERE owner > ? ORDER BY owner LIMIT ?',
  )
  const selectAny = db.prepare<[string], { found: number }>('SELECT 1 AS found FROM mandates WHERE owner = ? LIMIT 1')
  const selectCount = db.prepare<[], { found: number }>('SELECT COUNT(*) AS found FROM mandates')
  const selectSeries = db.prepare<[string, number, number], { owner: Address; epoch: number }>(
    'SELECT DISTINCT owner, epoch FROM mandates WHERE (owner, epoch) > (?, ?) ORDER BY owner, epoch LIMIT ?',
  )
  const selectOldest = db.prepare<[number, string, number], Row>(
    'SELECT * FROM mandates WHERE (added_at, digest) > (?, ?) ORDER BY added_at, digest LIMIT ?',
  )
  const deleteOne = db.prepare('DELETE FROM mandates WHERE digest = ?')
  const deleteOver = db.prepare('DELETE FROM mandates WHERE valid_until < ? AND kept_until < ?')
  const deleteOwner = db.prepare('DELETE FROM mandates WHERE owner = ? AND kept_until < ?')
  const deleteSeries = db.prepare('DELETE FROM mandates WHERE owner = ? AND epoch = ? AND kept_until < ?')
  const selectDispensable = db.prepare<[string, number], { digest: Hash }>(
    'SELECT digest FROM mandates WHERE owner = ? AND kept_until < ? ORDER BY valid_until, added_at, digest LIMIT 1',
  )
  const keepUntil = db.prepare('UPDATE mandates SET kept_until = MAX(kept_until, ?) WHERE digest = ?')

  /** Where the next look goes on: some at a time, so that a book that strangers fill costs no more than another. */
  let seriesSeen: Readonly<{ owner: string; epoch: number }> = FIRST_SERIES
  let idleSeen: Readonly<{ addedAt: number; digest: string }> = FIRST_ROW

  /** Seen to hold nothing, longest ago first. After a restart `prune` finds them again. */
  const idle = new Set<Address>()

  /** Whoever has nothing to lose makes room for others; who has since come to something stays. */
  function noteOwner(owner: Address): void {
    if (holds(owner)) idle.delete(owner)
    else idle.add(owner)
    for (const one of idle) {
      if (idle.size <= mostIdle) return
      idle.delete(one)
      if (!holds(one)) deleteOwner.run(one, l1Seconds())
    }
  }

  /** The next ones that protect nobody, oldest first and then from the start again: those who hold something are passed by. */
  function findIdle(now: number): readonly Hash[] {
    for (let page = 0; page < CLEARING_PAGES; page++) {
      const rows = selectOldest.all(idleSeen.addedAt, idleSeen.digest, CLEARING)
      const last = rows.at(-1)
      idleSeen = last && rows.length === CLEARING ? { addedAt: last.added_at, digest: last.digest } : FIRST_ROW
      const idle = rows.filter(({ owner, kept_until }) => kept_until < now && !holds(owner))
      if (idle.length > 0) return idle.map(({ digest }) => digest)
    }
    return []
  }

  /** One that is not needed any more makes room; none is thrown away that a batch may have to show. */
  function makeRoom(owner: Address): void {
    const now = l1Seconds()
    if (selectOf.all(owner).length >= MOST_OF_OWNER) {
      const found = selectDispensable.get(owner, now)
      if (!found) throw refused('TOO_MANY', MOST_OF_OWNER, `at most ${MOST_OF_OWNER - 1} that batches still need`)
      deleteOne.run(found.digest)
    }
    if (count() < most) return
    const idle = findIdle(now)
    if (idle.length === 0)
      throw invalid('MANDATES_FULL', 'this watcher takes no more mandates', { got: most, want: 'fewer' })
    for (const digest of idle) deleteOne.run(digest)
  }

  function count(): number {
    return selectCount.get()?.found ?? 0
  }

  function of(owner: Address): StoredMandate[] {
    return selectOf.all(owner).map(fromRow)
  }

  return {
    of,
    count,
    has: (owner: Address): boolean => selectAny.get(owner) !== undefined,

    /** Twice is once: false then. Throws MANDATE_REFUSED with the fault, MANDATES_FULL. `addedAt`: local clock, ms. */
    add({ mandate, signature }: SignedMandate, addedAt: number): boolean {
      const { owner } = mandate
      const digest = hashMandate(mandate, separator)
      if (selectOne.get(bytesToHex(digest))) return false
      assertUsable({ owner, mandate, signature }, digest, { sender, revokedAt, l1Seconds })
      makeRoom(owner)
      insert.run(bytesToHex(digest), owner, toJson(mandate), signature, mandate.validUntil, mandate.epoch, addedAt)
      noteOwner(owner)
      return true
    },

    /** Owners in the order of their addresses, after `cursor` (exclusive; empty for the start). */
    owners(cursor: string, limit: number): Address[] {
      return selectOwners.all(cursor, limit).map(({ owner }) => owner)
    },

    /** One that covers the output for a batch that starts at any moment of the period, and is not revoked; the longest lasting first. */
    covering({ owner, position, amount, from, until }: MandateWanted): StoredMandate | undefined {
      return of(owner)
        .sort((a, b) => b.mandate.validUntil - a.mandate.validUntil)
        .find(({ mandate }) => {
          const covers = (now: number) =>
            findMandateFault(mandate, { owner, position, amount, delegate: sender ?? owner, now }) === undefined
          return covers(from) && covers(until) && revokedAt(owner, mandate.epoch) === undefined
        })
    },

    /**
     * What L1 takes as an answer for an entry of a batch that started at `startedAt`: a revocation acts MEP/8 after it was mined
     * (docs/spec.md section 6.4.4).
     */
    answering(
      entry: Pick<MandateWanted, 'owner' | 'position' | 'amount'>,
      startedAt: number,
    ): StoredMandate | undefined {
      return of(entry.owner).find(({ mandate }) => {
        const revoked = revokedAt(entry.owner, mandate.epoch)
        if (revoked !== undefined && startedAt > revoked + Math.floor(minExitPeriod / 8)) return false
        return findMandateFault(mandate, { ...entry, delegate: sender ?? entry.owner, now: startedAt }) === undefined
      })
    },

    /** Not thrown away before, whatever comes. L1 seconds. */
    keep(digests: readonly Hash[], until: number): void {
      for (const digest of digests) keepUntil.run(until, digest)
    },

    /** Forgets what is over: a period that ended, a series whose revocation no reorg takes back and no batch of ours outlives. Of series some at each call. */
    prune(): void {
      const now = l1Seconds()
      deleteOver.run(now - minExitPeriod, now)
      const series = selectSeries.all(seriesSeen.owner, seriesSeen.epoch, PRUNING)
      for (const { owner, epoch } of series) {
        const revoked = revokedAt(owner, epoch)
        if (revoked !== undefined && revoked + minExitPeriod < now) deleteSeries.run(owner, epoch, now)
        noteOwner(owner)
      }
      seriesSeen = (series.length === PRUNING && series.at(-1)) || FIRST_SERIES
    },
  }
}

function fromRow({ digest, mandate, signature, added_at }: Row): StoredMandate {
  return { digest, mandate: fromJson<Mandate>(mandate), signature, addedAt: added_at }
}

function migrate(db: Database): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS mandates (
      digest TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      mandate TEXT NOT NULL,
      signature TEXT NOT NULL,
      valid_until INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      added_at INTEGER NOT NULL,
      kept_until INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS mandates_by_owner ON mandates (owner, epoch);
    CREATE INDEX IF NOT EXISTS mandates_by_age ON mandates (added_at, digest);
    CREATE INDEX IF NOT EXISTS mandates_by_end ON mandates (valid_until);
  `)
}

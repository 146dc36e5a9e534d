/**
 * Mass exits between the books and the pure court (docs/spec.md section 6.4): which entries of which batches something may have to be done
 * about, and the court's acts as calls. A batch may have 32,768 entries: they are looked through once for each L1 block, cheaply, and only
 * those that matter are proven.
 */
import {
  encodeAdoptExit,
  encodeAnswerDemand,
  encodeClaimEntries,
  encodeCloseBatch,
  encodeDemandEntry,
  encodeDissolveBatch,
  encodeDropStrike,
  encodeLockBatch,
  encodeOpenEntry,
  encodePlaceEntry,
  encodeReclaimDemand,
  encodeReleaseEntry,
  encodeStartBatch,
  encodeStrikeEntries,
} from '../l1/massExitContract.ts'
import type { RootCall } from '../l1/rootCalls.ts'
import type { Address } from '../protocol/bytes.ts'
import { findMandateFault } from '../protocol/mandate.ts'
import { batchDeadlines, type PlacedEntry } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import type { Database } from '../service/database.ts'
import { isDoneForGood } from './attempts.ts'
import type { BatchBook } from './batchBook.ts'
import type { BlockStore } from './blockStore.ts'
import type { Coordinator } from './coordinator/coordinator.ts'
import type { MandateBook } from './coordinator/mandateBook.ts'
import { boundInDemands, faultOf, isFault, planBatchActs, reclaimKey } from './court/batch.ts'
import type { BatchAction, BatchFacts, EntryView, Permission } from './court/batchActions.ts'
import { CALLS_AT_ONCE } from './court/batchInput.ts'
import { STRIKES_PER_CALL } from './court/batchRules.ts'
import { CLAIM_ENTRY_GAS, claimsPerCall, LONGEST_TRY } from './court/batchShares.ts'
import { type BatchRecord, type BatchStrike, strikeOf } from './court/batchTypes.ts'
import { ticketOf } from './court/exitRecord.ts'
import { isFallen } from './court/exitTime.ts'
import { CALL_GAS, TURN_RESERVE_GAS } from './court/policy.ts'
import type { Action, Alert, Effect, L1Readings, World } from './court/types.ts'
import type { CourtContext } from './courtPort.ts'
import { type ExitBook, mayStartAgain, paidSoFar } from './exitBook.ts'
import type { ExitRecord, Facts } from './facts.ts'
import type { Ledger } from './ledger.ts'
import type { Locks } from './locks.ts'
import type { Protection } from './protection.ts'

/** Dissolved batches of our own that are looked at once more, newest first: people are told. */
const DISSOLVED_AT_ONCE = 64
/** Struck entries of one batch that are looked at: a few of them are opened, those that are in the way. */
const STRUCK_AT_ONCE = 64
/** Entries of one batch, of strangers whose outputs left otherwise or have other places, that are looked at: a few of each are freed. */
const GONE_AT_ONCE = 64
/** Doubtful entries of one batch that are told apart: one is demanded. */
const DOUBTFUL_AT_ONCE = 64

export type MassExitParts = Readonly<{
  db: Database
  ledger: Pick<Ledger, 'find'>
  blocks: Pick<BlockStore, 'find' | 'verifiedBlock'>
  batches: BatchBook
  exits: Pick<ExitBook, 'record' | 'open' | 'isOpened'>
  facts: Facts
  mandates: MandateBook
  protection: Protection
  coordinator: Coordinator
  locks: Pick<Locks, 'keptAt'>
}>

type Trust = Pick<World, 'protectedOwners' | 'voidFrom'>

export type MassExitFacts = ReturnType<typeof createMassExitFacts>

export function createMassExitFacts(parts: MassExitParts) {
  const { db, ledger, batches, exits, facts, mandates, protection, coordinator, locks } = parts
  /** Keys of acts: bonds that came back. */
  const fetched = new Set<string>()
  let seen: Readonly<{ at: string; found: readonly BatchFacts[]; faults: readonly Alert[] }> | undefined
  let ours: Readonly<{ at: string; found: readonly BatchRecord[] }> | undefined

  /**
   * Whoever starts batches and lets them fall must not add to the dissolved ones: they are our own, and those that hold a bond of ours, however
   * many came after them. What may be bound in demands bounds these.
   */
  function records(): BatchRecord[] {
    const { sender } = coordinator
    const dissolved = sender ? batches.dissolvedOf(sender, DISSOLVED_AT_ONCE) : []
    const all = [...batches.current(), ...batches.locked(), ...dissolved, ...(sender ? withBondsLeft(sender) : [])]
    return [...new Map(all.map((record) => [record.batchId, record])).values()]
  }

  function withBondsLeft(sender: Address): BatchRecord[] {
    const left = batches.demandsLeft(sender).filter(({ batchId, index }) => !isFetched(reclaimKey(batchId, index)))
    return [...new Set(left.map(({ batchId }) => batchId))].flatMap((batchId) => batches.record(batchId) ?? [])
  }

  /** L1 tells it in no event, but the outbox knows what we did. */
  function isFetched(key: string): boolean {
    if (!fetched.has(key) && isDoneForGood(db, key)) fetched.add(key)
    return fetched.has(key)
  }

  /** Proven; of any entry. */
  function view(record: BatchRecord, entry: PlacedEntry): EntryView {
    const { batchId, item } = record
    const found = facts.entryFact(batchId, entry)
    if (found.kind === 'unverified') return { entry, kind: found.shown ? 'void' : 'unverified' }
    if (found.kind === 'empty') return { entry, kind: 'other' }
    const { outputId, owner, spend } = found
    const newest = exits.record(outputId)
    const exit = newest && mayStartAgain(newest) ? undefined : newest
    const strike = strikeOf(record, entry.position, owner)
    const lockedAt = locks.keptAt(outputId)
    return {
      entry,
      kind: 'named',
      owner,
      outputId,
      ...(exit && { exit }),
      ...(newest && !exit && { fellAt: newest.events.at(-1)?.at.l1Timestamp ?? 0 }),
      ...(newest && !exit && paidSoFar(newest) > 0n && { isPaidInPart: true }),
      ...(spend && { spend }),
      ...(strike && isRefuted(strike) && { isCleared: true }),
      ...(isDoubled(record, entry) && { isDoubled: true }),
      ...(batches.claimOf(outputId) && { isClaimed: true }),
      ...(item && lockedAt !== undefined && lockedAt < item.lockedAt && { isLockedBefore: true }),
    }
  }

  /** Another batch has a share for it on the line that nobody used. */
  function isDoubled({ batchId }: BatchRecord, { position }: PlacedEntry): boolean {
    return batches.naming(position).some((other) => {
      const { ticket, uses } = (other.batchId !== batchId && batches.record(other.batchId)) || {}
      return ticket !== undefined && !uses?.has(other.entry.index)
    })
  }

  /** The spend that it shows was judged not canonical since. */
  function isRefuted({ position, spend }: BatchStrike): boolean {
    return ledger.find(position)?.spentBy === spend && facts.spentBy(position) === undefined
  }

  /** Of its token and amount; undefined where nothing agrees. */
  function ownerOf({ batch }: BatchRecord, { position, amount }: PlacedEntry): Address | undefined {
    const made = ledger.find(position)
    return made && made.token === batch.token && made.amount === amount ? made.owner : undefined
  }

  /** What is unknown of a block that we don't have may be anything. */
  function isUnverified({ position }: PlacedEntry): boolean {
    return !isDepositPosition(position) && decodePosition(position).block > facts.verifiedBlock()
  }

  /** What is over, or ours to answer for, costs nothing to look at. */
  function concernsOf(record: BatchRecord, world: World): readonly EntryView[] {
    const { batchId, batch, state, uses } = record
    if (state === 'dissolved' || uses.size === batch.count) return []
    if (state !== 'started') return concernsOfLocked(record, batches.entries(batchId), world)
    // Nobody has to dissolve what was not locked in time, and nothing will ever come of it.
    const isLost = world.now.timestamp > batchDeadlines(batch.startedAt, world.parameters.minExitPeriod).lock
    const isLeft = isLost || batch.coordinator === world.policy.sender
    return isLeft ? [] : concernsOfStarted(record, batches.entries(batchId), world)
  }

  /** Of each kind a few: whoever fills a batch with one must not hide the others. */
  function concernsOfStarted(record: BatchRecord, entries: readonly PlacedEntry[], world: World): readonly EntryView[] {
    const kinds = { odd: [] as PlacedEntry[], protected: [] as PlacedEntry[], trusting: [] as PlacedEntry[] }
    const take = (kind: PlacedEntry[], entry: PlacedEntry) => kind.length < DOUBTFUL_AT_ONCE && kind.push(entry)
    for (const entry of entries) {
      const owner = ownerOf(record, entry)
      if (owner === undefined) isOdd(entry, world) && take(kinds.odd, entry)
      else if (world.protectedOwners.has(owner)) take(kinds.protected, entry)
      else if (isTrusting(owner, world)) take(kinds.trusting, entry)
    }
    const wanted = Object.values(kinds).flat()
    return wanted.sort((a, b) => a.index - b.index).map((entry) => view(record, entry))
  }

  function isOdd(entry: PlacedEntry, { safety, newestBlock }: World): boolean {
    return !isUnverified(entry) || safety.status !== 'safe' || decodePosition(entry.position).block > newestBlock
  }

  function concernsOfLocked(record: BatchRecord, entries: readonly PlacedEntry[], world: World): readonly EntryView[] {
    const { batchId } = record
    const disputed = new Set(facts.disputes(0).flatMap(({ inputs }) => inputs.map(({ position }) => position)))
    const fallen = new Set(
      [...record.strikes.values()].filter(({ spend }) => isFallen(spend, world)).map(({ position }) => position),
    )
    // What no strike is due for must not use the places up: behind it somebody takes what is not theirs.
    const isToBeStruck = ({ position, index }: PlacedEntry) =>
      facts.spentBy(position) !== undefined && !exits.isOpened(position, batchId, index)
    const spent = new Set<number>()
    const struck = new Set<number>()
    const gone = new Set<number>()
    for (const entry of facts.spentEntries(batchId)) {
      const { position, index } = entry
      const owner = ownerOf(record, entry)
      if (owner === undefined || record.uses.has(index)) continue
      const strike = strikeOf(record, position, owner)
      if (!strike) {
        if (spent.size < STRIKES_PER_CALL * CALLS_AT_ONCE && isToBeStruck(entry)) spent.add(position)
      } else if (!isFallen(strike.spend, world) && !isRefuted(strike)) {
        gone.add(position)
        if (record.ticket && struck.size < STRUCK_AT_ONCE) struck.add(position)
      }
    }
    const opened = new Set(facts.openedEntries().map(({ exit }) => exit.position))
    const left = entries.filter(({ index }) => !record.uses.has(index))
    const isSpecial = ({ position }: PlacedEntry) =>
      [spent, struck, disputed, opened, fallen].some((positions) => positions.has(position))
    const concerns = left.filter(isSpecial).map((entry) => view(record, entry))
    if (record.ticket)
      concerns.push(
        ...concernsOfTurned(
          record,
          left.filter((entry) => !isSpecial(entry) && !gone.has(entry.position)),
          world,
        ),
      )
    return concerns.sort((a, b) => a.entry.index - b.entry.index)
  }

  /** Proofs cost time, so of each kind a few: neither dust nor what nobody is owed may keep a protected owner's entries from being looked at. */
  function concernsOfTurned(record: BatchRecord, entries: readonly PlacedEntry[], world: World): readonly EntryView[] {
    const most = claimsPerCall(world) * CALLS_AT_ONCE
    const kinds = {
      protected: [] as PlacedEntry[],
      trusting: [] as PlacedEntry[],
      empty: [] as PlacedEntry[],
    }
    const ofStrangers = { gone: [] as PlacedEntry[], doubled: [] as PlacedEntry[] }
    // After a halt nobody is a stranger.
    const [gone, doubled] = world.voidFrom === 0 ? strangeEntries(record) : [new Set<number>(), new Set<number>()]
    for (const entry of entries) {
      const owner = ownerOf(record, entry)
      if (owner === undefined || isFallen(entry.position, world)) kinds.empty.push(entry)
      else if (world.protectedOwners.has(owner)) kinds.protected.push(entry)
      else if (isTrusting(owner, world)) kinds.trusting.push(entry)
      else if (gone.has(entry.index)) ofStrangers.gone.push(entry)
      else if (doubled.has(entry.index)) ofStrangers.doubled.push(entry)
    }
    kinds.trusting.sort((a, b) => (a.amount < b.amount ? 1 : a.amount > b.amount ? -1 : a.index - b.index))
    return [
      ...Object.values(kinds).flatMap((some) => firstOf(some, most)),
      ...Object.values(ofStrangers).flatMap((some) => inTurns(some, world).map((entry) => view(record, entry))),
    ]

    function firstOf(some: readonly PlacedEntry[], count: number): readonly EntryView[] {
      const found: EntryView[] = []
      let undone = 0
      for (const entry of some) {
        if (undone === count) break
        const fact = view(record, entry)
        if (fact.kind === 'unverified') continue
        found.push(fact)
        if (fact.exit === undefined && !fact.isClaimed) undone++
      }
      return found
    }
  }

  function strangeEntries({
    batchId,
  }: BatchRecord): readonly [gone: ReadonlySet<number>, doubled: ReadonlySet<number>] {
    return [new Set(batches.goneEntries(batchId)), new Set(batches.doubledEntries(batchId))]
  }

  /** What L1 does not let go of must not hide the others. */
  function inTurns(all: readonly PlacedEntry[], { now }: World): readonly PlacedEntry[] {
    const from = all.length > GONE_AT_ONCE ? (Math.floor(now.block / LONGEST_TRY) * GONE_AT_ONCE) % all.length : 0
    return [...all.slice(from), ...all.slice(0, from)].slice(0, GONE_AT_ONCE)
  }

  /** After a halt everybody whom we know. */
  function isTrusting(owner: Address, { protectedOwners, voidFrom }: Trust): boolean {
    return voidFrom !== 0 || protectedOwners.has(owner) || mandates.has(owner)
  }

  /** As L1 would take it as an answer: the coordinator's of the batch, or anyone's. */
  function permission({ batch }: BatchRecord, entry: PlacedEntry): Permission | undefined {
    const { position, amount } = entry
    const owner = ledger.find(position)?.owner
    if (!owner) return undefined
    if (batch.coordinator === coordinator.sender) {
      const kept = mandates.answering({ owner, position, amount }, batch.startedAt)
      if (kept) return kept
    }
    const exit = { owner, position, amount, delegate: batch.coordinator, now: batch.startedAt }
    const known = [...mandates.of(owner), ...protection.of(owner)]
    const grace = Math.floor(facts.parameters.minExitPeriod / 8)
    return known.find(({ mandate }) => {
      const revoked = facts.revokedAt(owner, mandate.epoch)
      return !findMandateFault(mandate, exit) && (revoked === undefined || batch.startedAt <= revoked + grace)
    })
  }

  function factsOf(record: BatchRecord, world: World): BatchFacts {
    const { batchId } = record
    return {
      record,
      tree: () => {
        const tree = batches.tree(batchId)
        if (!tree) throw new RangeError(`got batch ${batchId} without entries, want one that L1 knows`)
        return tree
      },
      entryAt: (index) => {
        const entry = batches.entries(batchId)[index]
        return entry && view(record, entry)
      },
      shown: (entry) => {
        return facts.entryFact(batchId, entry).shown
      },
      permission: (entry) => permission(record, entry),
      concerns: concernsOf(record, world),
    }
  }

  /** Once for each L1 block and verified block. */
  function look(world: World): Omit<NonNullable<typeof seen>, 'at'> {
    const at = `${world.now.hash} ${world.verifiedBlock} ${world.safety.status} ${protection.all().length} ${mandates.count()}`
    if (seen?.at === at) return seen
    const found: BatchFacts[] = []
    const faults: Alert[] = []
    for (const record of records()) {
      try {
        found.push(factsOf(record, world))
      } catch (error) {
        faults.push(faultOf(record, error))
      }
    }
    seen = { at, found, faults }
    return seen
  }

  /** Locked ones: our own, and those that have a share left and name an output of somebody whom we act for. Once for each L1 block and verified block. */
  function lookForOurs(world: Trust & Pick<World, 'now' | 'verifiedBlock' | 'policy'>): readonly BatchRecord[] {
    const at = `${world.now.hash} ${world.verifiedBlock} ${protection.all().length} ${mandates.count()}`
    if (ours?.at === at) return ours.found
    const found = batches.locked().filter(
      (record) =>
        record.batch.coordinator === world.policy.sender ||
        (record.uses.size < record.batch.count &&
          batches.entries(record.batchId).some((entry) => {
            const owner = ownerOf(record, entry)
            return owner !== undefined && isTrusting(owner, world)
          })),
    )
    ours = { at, found }
    return found
  }

  return {
    coordinator,
    lookForOurs,

    /** Bonds of our demands that the budget counts. Wei. */
    boundInDemands: (demander: Address) => boundInDemands(records(), demander),

    plan(world: World, readings: L1Readings | undefined): readonly Effect[] {
      const open = exits.open()
      const { found, faults } = look(world)
      const effects = planBatchActs({
        batches: found,
        trusts: (owner) => isTrusting(owner, world),
        youngBlocks: youngBlocksOf(open),
        waiting: open
          .filter(({ exit }) => isTrusting(exit.owner, world))
          .map((record) => ({ token: record.exit.token, ...placeOf(record) })),
        readings,
        world,
      })
      return [...faults, ...effects]
    },
  }
}

function placeOf(record: ExitRecord): Readonly<{ from: bigint | undefined; due: bigint }> {
  const ticket = ticketOf(record.events)
  return { from: ticket?.from, due: ticket?.due ?? record.exit.amount }
}

function youngBlocksOf(open: readonly ExitRecord[]): readonly number[] {
  const young = open.filter(({ exit, state }) => exit.young && state === 'queued')
  return [...new Set(young.map(({ exit }) => decodePosition(exit.position).block))].sort((a, b) => a - b)
}

/** What is to be done about mass exits now. What can't be told, about one or all, must not keep the court from all else. */
export function decideBatches(
  { massExits, log }: Pick<CourtContext, 'massExits' | 'log'>,
  readings: L1Readings | undefined,
  world: World,
): readonly Effect[] {
  if (!massExits) return []
  try {
    const effects = massExits.plan(world, readings)
    for (const effect of effects) if (isFault(effect)) log.error('court.batch_unreadable', effect.details)
    return effects
  } catch (error) {
    log.error('court.batches_unreadable', { error })
    return [{ type: 'alert', code: 'INTERNAL_FAULT', key: 'mass exits', details: { reason: String(error) } }]
  }
}

/** Errors of the root contract after which nothing is left to do: the act was done, by us or another. */
export const BATCH_DONE_ERRORS: Readonly<Record<BatchAction['type'], readonly string[]>> = {
  'start-batch': [],
  'demand-entry': ['DemandUnexpected', 'BatchUnexpected', 'TooLate'],
  'answer-demand': ['DemandUnexpected', 'BatchUnexpected', 'TooLate'],
  'lock-batch': ['BatchUnexpected', 'TooLate'],
  'dissolve-batch': ['BatchUnexpected', 'DemandUnexpected'],
  'reclaim-demand': ['DemandUnexpected'],
  'strike-entries': ['NothingToDo', 'EvidenceTooLate'],
  'drop-strike': ['EvidenceStands', 'EvidenceTooLate'],
  'open-entry': ['AlreadyExiting'],
  'place-entry': ['EntryUsed', 'StateUnexpected'],
  'adopt-exit': ['EntryUsed', 'StateUnexpected'],
  'claim-entries': ['NothingToDo'],
  'release-entry': ['EntryUsed', 'EntryStands'],
  'close-batch': ['BatchUnexpected'],
}

export function isBatchAction(action: Action): action is BatchAction {
  return action.type in BATCH_DONE_ERRORS
}

/** Claims stop early instead of reverting: an estimate would find the least gas for one of them. */
export function batchGasLimit(action: BatchAction): bigint | undefined {
  if (action.type !== 'claim-entries') return undefined
  return TURN_RESERVE_GAS + CALL_GAS + BigInt(action.claims.length) * CLAIM_ENTRY_GAS
}

export function encodeBatchAction(action: BatchAction): RootCall {
  switch (action.type) {
    case 'start-batch': {
      const { token, entries, lastBlock, bondWei } = action
      return encodeStartBatch({ token, entries, bondWei, ...(lastBlock && { lastBlock }) })
    }
    case 'demand-entry':
      return encodeDemandEntry(action.record.batch, action.at, action.bondWei)
    case 'answer-demand':
      return encodeAnswerDemand(action.record.batch, action.at, action.shown, action.permission)
    case 'lock-batch':
      return encodeLockBatch(action.record.batch, action.youngHint)
    case 'dissolve-batch':
      return encodeDissolveBatch(action.record.batch, action.demanded)
    case 'reclaim-demand':
      return encodeReclaimDemand(action.record.batch, action.demand.index)
    case 'strike-entries': {
      const spends = action.struck.map(({ spend: { spend, ...rest } }) => ({ position: spend, ...rest }))
      return encodeStrikeEntries(action.record.batch, spends)
    }
    case 'drop-strike':
      return encodeDropStrike(action.record.batch, action.strike.position, action.strike.signer)
    case 'open-entry':
      return encodeOpenEntry(action.record.batch, action.at, action.shown)
    case 'place-entry':
      return encodePlaceEntry(action.record.batch, action.at, action.exit)
    case 'adopt-exit':
      return encodeAdoptExit(action.record.batch, action.at, action.shown, action.exit.exit)
    case 'claim-entries':
      return encodeClaimEntries(action.record.batch, action.claims)
    case 'release-entry':
      return encodeReleaseEntry(action.record.batch, action.at, action.shown)
    case 'close-batch':
      return encodeCloseBatch(action.record.batch)
  }
}

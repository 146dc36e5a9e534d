/**
 * The entries of a locked mass exit (docs/spec.md sections 6.4.7 to 6.4.10): claims, and what else becomes of a share of its place on the line.
 * Nothing here is urgent: a place does not go.
 */
import { isEntryOf, OPENED_SEQ, shareOf } from '../../protocol/massExit.ts'
import type { ExitRecord } from '../facts.ts'
import type { BatchAction, BatchFacts, EntryCase, EntryView } from './batchActions.ts'
import {
  isCancelled,
  isClaimable,
  isClearedStrike,
  isDeadEntry,
  isLockedElsewhere,
  isStruckForGood,
} from './batchEntries.ts'
import { type BatchInput, CALLS_AT_ONCE, chunksOf, isHelped, isOurs } from './batchInput.ts'
import type { BatchRecord } from './batchTypes.ts'
import { isPassedOn, spendingOf } from './docket.ts'
import { isFallen, rollingDeadline } from './exitTime.ts'
import { CALL_GAS, staggerOf, TURN_RESERVE_GAS, worthOf } from './policy.ts'
import { judge } from './rules.ts'
import type { L1Readings, World } from './types.ts'

/** L1 blocks: as long as the desk waits before it tries an act again. */
export const LONGEST_TRY = 16
/** Gas of a claim among many. */
export const CLAIM_ENTRY_GAS = 70_000n

/** Entries that a verdict decides about become exits of their own, so that their place can be inherited; struck ones that are in the way, to be removed. */
export function openingsOf(facts: BatchFacts, input: BatchInput): readonly BatchAction[] {
  const { record, concerns } = facts
  const { world } = input
  // Before its turn only the owner may open an entry, or, late, whoever has a strike against it.
  if (!record.ticket) return []
  const due = concerns.filter((fact) => {
    const { outputId, exit, entry } = fact
    if (!outputId || exit || record.uses.has(entry.index) || fact.kind !== 'named') return false
    if (isFallen(entry.position, world)) return false
    const isWanted =
      isLockedElsewhere(fact, world) ||
      (isClearedStrike(fact, record, world) && fact.spend === undefined) ||
      (isStruckForGood(fact, record, world) && isInTheWay(fact, record, input)) ||
      isPassedOn(outputId, world.docket)
    // Last: it looks through all other mass exits.
    return isWanted && !hasOlderShare(fact)
  })
  return someOf(due, input, (fact) => {
    const found = caseOf(fact, facts)
    return (
      found && {
        type: 'open-entry',
        key: `open:${record.batchId}:${fact.entry.index}`,
        purpose: `open entry ${fact.entry.index} of a mass exit: a dispute, an older lock, a payment or a strike decides about output ${fact.entry.position}`,
        ...keeperTerms(record.locked?.l1Timestamp ?? 0, record, input, 1),
        record,
        ...found,
        helpsOurs: isHelped(fact, input) || inherits(fact, input) || isInTheWay(fact, record, input),
      }
    )
  })

  /** On the line: what opens it there has the better place, for whoever is owed or inherits it. */
  function hasOlderShare({ outputId, entry }: EntryView): boolean {
    if (!record.ticket) return false
    const { from } = shareOf(record.ticket, entry)
    return input.batches.some(({ record: { batchId, ticket, uses }, concerns }) => {
      if (!ticket || batchId === record.batchId) return false
      return concerns.some(
        (other) =>
          other.outputId === outputId && !uses.has(other.entry.index) && shareOf(ticket, other.entry).from < from,
      )
    })
  }
}

/** After the turn: places, adoptions, claims and shares that nobody is owed. */
export function sharesOf(facts: BatchFacts, input: BatchInput, readings: L1Readings): readonly BatchAction[] {
  const { record, concerns, tree } = facts
  const { world, waiting } = input
  const { ticket, turned, batchId, batch } = record
  if (!ticket || !turned) return []
  const fundedTo = readings.funded.get(batch.token) ?? 0n
  const since = turned.l1Timestamp
  const placed = someOf(concerns, input, (fact) => {
    const exit = fact.exit?.exit
    if (!exit || !isEntryOf(exit, batchId, fact.entry.index) || record.uses.has(fact.entry.index)) return undefined
    return {
      type: 'place-entry',
      key: `place:${batchId}:${fact.entry.index}`,
      purpose: `give the opened entry ${fact.entry.index} of a mass exit its place`,
      ...keeperTerms(since, record, input, 1),
      record,
      fact,
      at: { entry: fact.entry, tree: tree() },
      exit,
      helpsOurs: isHelped(fact, input) || fact.exit?.state === 'cancelled' || isInTheWay(fact, record, input),
    }
  })
  const isWanted = (fact: EntryView) =>
    isHelped(fact, input) ||
    isInTheWay(fact, record, input) ||
    (fact.exit && isCancelled(fact.exit, world) && inherits(fact, input))
  // Also its own that a stranger gave the share of another mass exit: no place of its own is left to it here, only the money.
  const beside = concerns.filter(
    ({ exit, entry }) => exit && (exit.state === 'ticket' || !isEntryOf(exit.exit, batchId, entry.index)),
  )
  const adopted = someOf(beside, input, (fact) => {
    const { exit, entry } = fact
    if (!isWanted(fact) || !exit || hasOlderHome(exit, shareOf(ticket, entry).from)) return undefined
    const found = caseOf(fact, facts)
    return (
      found && {
        type: 'adopt-exit',
        key: `adopt:${batchId}:${entry.index}`,
        purpose: `give the exit of output ${entry.position} the place of entry ${entry.index} of a mass exit`,
        ...keeperTerms(since, record, input, 2),
        record,
        ...found,
        exit,
        fundedTo,
        helpsOurs: true,
      }
    )
  })
  return [...placed, ...adopted, ...claims(), ...releases()]

  /** It was opened as an entry of another batch, has no place yet, and that of its own share comes first. */
  function hasOlderHome({ exit, state }: ExitRecord, from: bigint): boolean {
    if (state !== 'queued' && state !== 'cancelled') return false
    const index = exit.seq - OPENED_SEQ
    const home = input.batches.find(({ record }) => isEntryOf(exit, record.batchId, index))
    const own = home?.entryAt(index)
    if (!home?.record.ticket || !own || home.record.uses.has(index)) return false
    return shareOf(home.record.ticket, own.entry).from < from
  }

  function claims(): readonly BatchAction[] {
    const due = concerns.filter(
      (fact) =>
        fact.spend === undefined &&
        isClaimable(fact, record, fundedTo, world) &&
        ((isHelped(fact, input) && isWorthClaiming(fact)) || isToBeFreed(fact)),
    )
    const most = claimsPerCall(world)
    return chunksOf(due.slice(0, most * CALLS_AT_ONCE), most).flatMap((chunk): BatchAction[] => {
      const found = chunk.flatMap((fact) => caseOf(fact, facts) ?? [])
      const [first] = found
      if (!first) return []
      return [
        {
          type: 'claim-entries',
          key: `claim:${batchId}:${first.fact.entry.index}`,
          purpose: `pay ${found.length} owners out of a mass exit, from entry ${first.fact.entry.index} on`,
          ...keeperTerms(Math.max(since, world.lastMove), record, input, found.length),
          record,
          claims: found,
          fundedTo,
          helpsOurs: true,
        },
      ]
    })
  }

  /** A stranger's, once: the other shares of the output are freed then. Last it looks through all other mass exits. */
  function isToBeFreed(fact: EntryView): boolean {
    if (!fact.isDoubled || !ticket || !isInTheWay(fact, record, input)) return false
    const { from } = shareOf(ticket, fact.entry)
    return !input.batches.some(({ record: other, concerns: theirs }) => {
      const place = other.batchId === batchId ? undefined : other.ticket
      if (!place) return false
      return theirs.some(
        (twin) =>
          twin.outputId === fact.outputId &&
          shareOf(place, twin.entry).from < from &&
          isClaimable(twin, other, fundedTo, world),
      )
    })
  }

  /** Whoever fills a batch with dust must not empty our key: only a protected owner is paid out at any cost. */
  function isWorthClaiming({ entry, owner }: EntryView): boolean {
    if (owner !== undefined && world.protectedOwners.has(owner)) return true
    const worth = worthOf(world.policy, batch.token, entry.amount)
    return worth === undefined ? isOurs(record, world) : worth > CLAIM_ENTRY_GAS * readings.baseFeeWei
  }

  /** Only where it is in the way: what comes behind the share is not covered yet. */
  function releases(): readonly BatchAction[] {
    const short = waiting.filter(
      ({ token, from, due }) => token === batch.token && (from === undefined || fundedTo < from + due),
    )
    const helpsOurs = (fact: EntryView): boolean => {
      const share = shareOf(ticket ?? { from: 0n, due: 0n }, fact.entry)
      return short.some(({ from }) => from === undefined || from >= share.from + share.due)
    }
    const dead = concerns.filter((fact) => isDeadEntry(fact, record, world))
    const wanted = dead.filter((fact) => world.policy.publicService || helpsOurs(fact))
    return someOf(wanted, input, (fact) => {
      const found = caseOf(fact, facts)
      return (
        found && {
          type: 'release-entry',
          key: `release-entry:${batchId}:${fact.entry.index}`,
          purpose: `free the share of entry ${fact.entry.index} of a mass exit, which nobody is owed`,
          ...keeperTerms(since, record, input, 1),
          record,
          ...found,
          fundedTo,
          helpsOurs: helpsOurs(fact),
        }
      )
    })
  }
}

/** An output of a disputed transaction that spends it is of somebody whom we act for. */
function inherits({ outputId }: EntryView, { trusts, world }: BatchInput): boolean {
  if (!outputId) return false
  return spendingOf(outputId, world.docket).some(({ record: { signed } }) =>
    signed.transaction.outputs.some(({ owner }) => world.protectedOwners.has(owner) || trusts(owner)),
  )
}

/** Somebody whom we act for has a place behind its share that is not covered. Who has no place yet does not count: opening is dear. */
function isInTheWay({ entry }: EntryView, { ticket, batch }: BatchRecord, { waiting, readings }: BatchInput): boolean {
  if (!ticket || !readings) return false
  const share = shareOf(ticket, entry)
  // Of a token whose turn to be looked at it is not nobody knows.
  const fundedTo = readings.funded.get(batch.token)
  if (fundedTo === undefined) return false
  return waiting.some(
    ({ token, from, due }) =>
      token === batch.token && from !== undefined && from >= share.from + share.due && fundedTo < from + due,
  )
}

/** Entries of owners whom we act for, on the line and not paid: what waits there behind shares that nobody is owed. */
export function waitingSharesOf({ record, concerns }: BatchFacts, input: BatchInput): BatchInput['waiting'] {
  const { ticket, uses, batch } = record
  if (!ticket) return []
  return concerns.flatMap((fact) => {
    const { kind, entry, exit, spend, isClaimed } = fact
    if (kind !== 'named' || exit || spend || isClaimed || uses.has(entry.index) || !isHelped(fact, input)) return []
    return [{ token: batch.token, ...shareOf(ticket, entry) }]
  })
}

/** So that a call stays well below what L1 takes. */
export function claimsPerCall({ policy }: Pick<World, 'policy'>): number {
  return Math.max(1, Math.min(100, Number((policy.callGasCap - TURN_RESERVE_GAS - CALL_GAS) / CLAIM_ENTRY_GAS)))
}

function keeperTerms(since: number, { batchId }: BatchRecord, { world }: BatchInput, count: number) {
  const { policy, parameters, now } = world
  return {
    notBefore: since + 1 + staggerOf(policy, batchId),
    deadline: rollingDeadline(since, parameters.minExitPeriod, now.timestamp),
    budgetWei: (policy.keeperBudgetWei * BigInt(count + 3)) / 4n,
  }
}

/** Undefined where the block's body is not here. */
function caseOf(fact: EntryView, { shown, tree }: BatchFacts): EntryCase | undefined {
  const output = shown(fact.entry)
  return output && { fact, at: { entry: fact.entry, tree: tree() }, shown: output }
}

/**
 * A few acts of one kind, of those that every rule allows: entries that nothing can be done about must not use up the places of those behind
 * them. What L1 refuses all the same does so for LONGEST_TRY blocks, and then the look begins further on. Proofs cost time: no more are built.
 */
function someOf(
  concerns: readonly EntryView[],
  { world }: BatchInput,
  toAction: (fact: EntryView) => BatchAction | undefined,
): readonly BatchAction[] {
  const most = concerns.length > CALLS_AT_ONCE ? concerns.length : 1
  const from = (Math.floor(world.now.block / LONGEST_TRY) * CALLS_AT_ONCE) % most
  const actions: BatchAction[] = []
  for (const fact of [...concerns.slice(from), ...concerns.slice(0, from)]) {
    const action = toAction(fact)
    if (action && judge(action, world).includes(action)) actions.push(action)
    if (actions.length === CALLS_AT_ONCE) break
  }
  return actions
}

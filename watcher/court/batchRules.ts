/** The named rules about mass exits (docs/honest-watcher.md, "Rules"). */
import { BOND_GAS } from '../../protocol/exit.ts'
import {
  batchDeadlines,
  DEMAND_GAS,
  ENTRY_GAS,
  isEntryOf,
  MAX_ENTRIES,
  OPENED_SEQ,
  shareOf,
} from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type {
  AdoptExit,
  AnswerDemand,
  ClaimEntries,
  CloseBatch,
  DemandEntry,
  DissolveBatch,
  DropStrike,
  EntryView,
  LockBatch,
  OpenEntry,
  PlaceEntry,
  ReclaimDemand,
  ReleaseEntry,
  StartBatch,
  StrikeEntries,
} from './batchActions.ts'
import {
  isCancelled,
  isClaimable,
  isClearedStrike,
  isCountingSpend,
  isDeadEntry,
  isLockedElsewhere,
  isStruckForGood,
  standingStrike,
} from './batchEntries.ts'
import { type BatchRecord, strikeOf } from './batchTypes.ts'
import { isPassedOn, isSpendSuspended, makerOf } from './docket.ts'
import { ticketOf } from './exitRecord.ts'
import { evidenceWindow, isFallen, lastDrop, maturesAt } from './exitTime.ts'
import type { Rule } from './rule.ts'
import type { World } from './types.ts'

/** Spends in one call: a fifth of what L1 takes. */
export const STRIKES_PER_CALL = 60

export const START_BATCH_RULES: readonly Rule<StartBatch>[] = [
  {
    id: 'BATCH-ONLY-WHEN-UNSAFE',
    rationale: 'As for every exit: a suspicion must not cost a crowd its chain.',
    refusal: 'quiet',
    holds: (_action, { safety }) => safety.status === 'unsafe',
  },
  {
    id: 'BATCH-WELL-FORMED',
    rationale: 'L1 takes positions in their order, each once, at most 32,768; anything else burns gas.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ entries }) =>
      entries.length > 0 &&
      entries.length <= MAX_ENTRIES &&
      entries.every(({ position, amount }, i) => amount > 0n && position > (entries[i - 1]?.position ?? 0)),
  },
  {
    id: 'BATCH-MANDATED',
    rationale:
      'On a live chain every entry may be asked for its owner’s mandate, and one that has none costs half the bond; after a halt nobody is asked.',
    refusal: 'quiet',
    holds: ({ isMandated }, { voidFrom }) => isMandated || voidFrom !== 0,
  },
  {
    id: 'BATCH-OF-WHAT-STANDS',
    rationale: 'What is void, or as young as the fault, would have to be released again, at the cost of those behind.',
    refusal: 'quiet',
    holds: ({ entries }, world) => entries.every(({ position }) => !isFallen(position, world)),
  },
  {
    id: 'BATCH-BOND-BY-FORMULA',
    rationale: 'As for every exit: an endpoint that lies about fees must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ bondWei, entries, baseFeeWei }) =>
      bondWei * 100n <=
      (BOND_GAS + ENTRY_GAS * BigInt(entries.length)) * 16n * gweiUp(baseFeeWei) * BATCH_BOND_HEADROOM,
  },
  {
    id: 'BATCH-BOND-AFFORDABLE',
    rationale: 'The reserve for challenges stays untouched.',
    refusal: 'BUDGET_EXHAUSTED',
    holds: ({ bondWei, costWei, availableWei }) => bondWei + costWei <= availableWei,
  },
]

/** Percent. */
const BATCH_BOND_HEADROOM = 150n

export const DEMAND_RULES: readonly Rule<DemandEntry>[] = [
  {
    id: 'DEMAND-OF-STRANGERS',
    rationale: 'Our own batches we know.',
    refusal: 'quiet',
    holds: ({ record }, { policy }) => record.batch.coordinator !== policy.sender,
  },
  {
    id: 'DEMAND-IN-TIME',
    rationale: 'L1 takes demands until start + MEP/8, of a batch that is neither locked nor dissolved.',
    refusal: 'quiet',
    holds: ({ record, deadline }, { now, parameters }) =>
      record.state === 'started' &&
      now.timestamp <= deadline &&
      deadline <= batchDeadlines(record.batch.startedAt, parameters.minExitPeriod).demand,
  },
  {
    id: 'DEMAND-IS-NEW',
    rationale: 'L1 takes one demand for each entry, answered or not; and one that nobody can answer is enough.',
    refusal: 'quiet',
    holds: ({ record, at }) => !record.demands.has(at.entry.index),
  },
  {
    id: 'DEMAND-BOND-BY-FORMULA',
    rationale: 'As for every exit: an endpoint that lies about fees must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, bondWei, baseFeeWei }) =>
      bondWei * 100n * 64n <=
      DEMAND_GAS * 16n * gweiUp(baseFeeWei) * BigInt(64 + record.openDemands) * BATCH_BOND_HEADROOM,
  },
  {
    id: 'DEMAND-WITHIN-BUDGET',
    rationale: 'An answered demand is lost: no coordinator may empty the key by batches that it can defend.',
    refusal: 'quiet',
    holds: ({ bondWei, costWei, allowanceWei, availableWei }) =>
      bondWei <= allowanceWei && bondWei + costWei <= availableWei,
  },
]

export const ANSWER_DEMAND_RULES: readonly Rule<AnswerDemand>[] = [
  {
    id: 'DEMAND-IS-OPEN',
    rationale: 'What is answered takes no other answer; somebody else’s is as good as ours.',
    refusal: 'quiet',
    holds: ({ record, demand }) =>
      record.state === 'started' &&
      record.demands.has(demand.index) &&
      record.demands.get(demand.index)?.answered === undefined,
  },
  {
    id: 'DEMAND-ANSWER-IN-TIME',
    rationale: 'L1 takes answers until start + MEP/4.',
    refusal: 'quiet',
    holds: ({ record, deadline }, { now, parameters }) =>
      now.timestamp <= deadline && deadline <= batchDeadlines(record.batch.startedAt, parameters.minExitPeriod).answer,
  },
  {
    id: 'DEMAND-ANSWER-NAMES',
    rationale: 'An answer shows an output of the batch’s token and of the entry’s amount.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, at: { entry }, shown }) => {
      const made =
        shown.kind === 'deposit'
          ? shown
          : shown.kind === 'output'
            ? shown.transaction.outputs[decodePosition(entry.position).output]
            : undefined
      return made?.token === record.batch.token && made.amount === entry.amount
    },
  },
  {
    id: 'DEMAND-ANSWER-MANDATED',
    rationale: 'On a live chain an answer without the owner’s mandate is refused.',
    refusal: 'quiet',
    holds: ({ permission }, { voidFrom }) => permission !== undefined || voidFrom !== 0,
  },
]

export const LOCK_RULES: readonly Rule<LockBatch>[] = [
  {
    id: 'LOCK-WHAT-STANDS',
    rationale: 'With a demand open, L1 refuses; a batch that nobody defends is to fall.',
    refusal: 'quiet',
    holds: ({ record }) => record.state === 'started' && record.openDemands === 0,
  },
  {
    id: 'LOCK-IN-TIME',
    rationale: 'L1 locks later than start + MEP/4 and by start + MEP/2.',
    refusal: 'quiet',
    holds: ({ record }, { now, parameters }) => {
      const { answer, lock } = batchDeadlines(record.batch.startedAt, parameters.minExitPeriod)
      return now.timestamp > answer && now.timestamp <= lock
    },
  },
  {
    id: 'LOCK-WITH-INTEREST',
    rationale: 'The coordinator locks its own; we lock another’s where it holds places of owners who trust us.',
    refusal: 'quiet',
    holds: ({ isOurs, helpsOurs }, { policy }) => isOurs || helpsOurs || policy.publicService,
  },
]

export const DISSOLVE_RULES: readonly Rule<DissolveBatch>[] = [
  {
    id: 'DISSOLVE-WHEN-DUE',
    rationale:
      'For our own demand once the time for answers is over; of our own batch, to get its bond back, once the time to lock is over.',
    refusal: 'quiet',
    holds: ({ record, demanded }, { now, parameters, policy }) => {
      const { answer, lock } = batchDeadlines(record.batch.startedAt, parameters.minExitPeriod)
      if (record.state !== 'started') return false
      if (demanded === null) {
        return record.batch.coordinator === policy.sender && record.openDemands === 0 && now.timestamp > lock
      }
      const demand = record.demands.get(demanded)
      return demand?.demander === policy.sender && demand.answered === undefined && now.timestamp > answer
    },
  },
]

export const RECLAIM_RULES: readonly Rule<ReclaimDemand>[] = [
  {
    id: 'RECLAIM-OURS',
    rationale:
      'Another’s demand dissolved the batch: the bond of ours comes back to whoever posted it, where it is worth the gas.',
    refusal: 'quiet',
    holds: ({ record, demand, costWei }, { policy }) =>
      record.state === 'dissolved' &&
      record.dissolved?.demanded !== demand.index &&
      demand.answered === undefined &&
      demand.demander === policy.sender &&
      demand.bond > costWei,
  },
]

export const STRIKE_RULES: readonly Rule<StrikeEntries>[] = [
  {
    id: 'STRIKE-WHAT-IS-SPENT',
    rationale:
      'WATCH-1: as a challenge, a strike shows a spend in a verified block that is not void, anchored before the lock, and that was not judged not canonical.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, struck }, world) =>
      struck.length > 0 && struck.every(({ fact, spend }) => isCountingSpend({ ...fact, spend }, record, world)),
  },
  {
    id: 'STRIKE-IN-TIME',
    rationale: 'S5: L1 takes strikes from the lock to E - MEP/4.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      record.item !== undefined &&
      world.now.timestamp <= deadline &&
      deadline <= evidenceWindow(record.item, world).until,
  },
  {
    id: 'STRIKE-IS-NEW',
    rationale:
      'The first piece for a position and signer is kept while it stands; an entry that was opened is challenged like any exit.',
    refusal: 'quiet',
    holds: ({ record, struck }, world) =>
      struck.every(
        ({ fact: { entry, owner, exit } }) =>
          owner !== undefined &&
          standingStrike(record, { position: entry.position, signer: owner }, world) === undefined &&
          !isOpenedAs(exit, record, entry.index),
      ),
  },
  {
    id: 'STRIKES-UNDER-THE-GAS-CAP',
    rationale: 'A call that L1 cannot hold is never mined.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ struck }) => struck.length <= STRIKES_PER_CALL,
  },
]

export const DROP_STRIKE_RULES: readonly Rule<DropStrike>[] = [
  {
    id: 'STRIKE-HAS-FALLEN',
    rationale:
      'A strike that stands protects everybody; it falls with its block, or with its transaction when that is proven invalid.',
    refusal: 'quiet',
    holds: ({ record, strike }, world) =>
      strikeOf(record, strike.position, strike.signer) !== undefined && isFallen(strike.spend, world),
  },
  {
    id: 'DROP-STRIKE-IN-TIME',
    rationale:
      'L1 drops strikes until E - MEP/2, so that another still finds a quarter of the period; later the entry is opened, and its exit cleared.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      record.item !== undefined && world.now.timestamp <= deadline && deadline <= lastDrop(record.item, world),
  },
  {
    id: 'DROP-STRIKE-WITH-INTEREST',
    rationale: 'Dropping earns nothing: it is done for owners who trust us, and for all in public service.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const OPEN_RULES: readonly Rule<OpenEntry>[] = [
  {
    id: 'OPEN-WHAT-IS-DISPUTED',
    rationale:
      'After the turn an entry becomes an exit of its own only where a verdict decides about it, so that the place is there to be inherited, where an older lock is to be kept, where an exit that fell was paid a part, where what it is struck with was made undone by a verdict or fell too late to be dropped, or where it is struck for good and keeps the line from those behind it: only an exit can be removed. All others are claimed, which costs half. Before the turn L1 lets only the owner open what is not struck, and so for a period after an exit of the output fell.',
    refusal: 'quiet',
    holds: ({ record, fact }, world) => {
      const { outputId, exit } = fact
      if (outputId === undefined || exit !== undefined || record.ticket === undefined) return false
      if (isLockedElsewhere(fact, world) || isClearedStrike(fact, record, world)) return true
      return isPassedOn(outputId, world.docket) || isStruckForGood(fact, record, world)
    },
  },
  {
    id: 'OPEN-UNUSED',
    rationale: 'A share is used once, and L1 opens nothing of what is void, invalid or was judged not canonical.',
    refusal: 'quiet',
    holds: ({ record, fact }, world) =>
      record.item !== undefined &&
      !record.uses.has(fact.entry.index) &&
      !isFallen(fact.entry.position, world) &&
      makerStateOf(fact, world) !== 'not-canonical',
  },
  {
    id: 'OPEN-WITH-INTEREST',
    rationale:
      'For owners who trust us: of the entry, of an output of the disputed transaction, or of what waits behind it.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const PLACE_RULES: readonly Rule<PlaceEntry>[] = [
  {
    id: 'PLACE-AFTER-THE-TURN',
    rationale:
      'An entry that was opened before the batch’s turn gets its place after it; with its place it can be settled or inherited.',
    refusal: 'quiet',
    holds: ({ record, exit, fact }) =>
      record.ticket !== undefined &&
      !record.uses.has(fact.entry.index) &&
      isEntryOf(exit, record.batchId, fact.entry.index) &&
      (fact.exit?.state === 'queued' || fact.exit?.state === 'cancelled'),
  },
  {
    id: 'PLACE-NO-THIEF',
    rationale: 'WATCH-1: what a verified block spends is not hastened, unless evidence stands that removes it.',
    refusal: 'quiet',
    holds: ({ fact: { spend, exit } }, world) =>
      spend === undefined ||
      exit?.state === 'cancelled' ||
      exit?.evidence.some((piece) => piece === spend.spend && !isFallen(piece, world)) === true,
  },
  {
    id: 'PLACE-WITH-INTEREST',
    rationale: 'Placing earns nothing.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const ADOPT_RULES: readonly Rule<AdoptExit>[] = [
  {
    id: 'ADOPT-THE-OLDER-PLACE',
    rationale:
      'An exit of the same output takes the entry’s share only where that comes earlier on the line than its own.',
    refusal: 'quiet',
    holds: ({ record, fact, exit, fundedTo }, world) => {
      const { ticket } = record
      const maker = makerOf(exit.exit, world.docket)
      if (!ticket || record.uses.has(fact.entry.index)) return false
      // Another inclusion of the same transaction may turn out invalid, and would take the share with it; so may the age of a dispute. Such
      // an exit is only paid out of the share, unless a verdict passed its value on.
      const isHeirs = isCancelled(exit, world)
      if (exit.exit.position !== fact.entry.position && exit.state !== 'ticket' && !isHeirs) return false
      if (isFallen(fact.entry.position, world)) return false
      // Its own share is placed, but for what a stranger placed elsewhere: that is only paid out of it.
      if (isEntryOf(exit.exit, record.batchId, fact.entry.index) && exit.state !== 'ticket') return false
      // One that has a turn of its own keeps its record until then.
      if (exit.state === 'queued') return exit.exit.seq >= OPENED_SEQ
      const share = shareOf(ticket, fact.entry)
      const own = ticketOf(exit.events)
      if (makerStateOf(fact, world) === 'not-canonical') return false
      // What a verdict passed on: whoever inherits it has the oldest of its places.
      if (isHeirs) return own === undefined || own.from > share.from
      const owed = own ? own.due - own.inherited : 0n
      const isCovered = fundedTo >= share.from + (share.due < owed ? share.due : owed)
      // Else it moves there: only out of a ticket a part is paid where the vault is short.
      const isWhole = own?.due === exit.exit.amount && share.due === own.due
      const canMove = isWhole && exit.exit.position === fact.entry.position
      return (
        exit.state === 'ticket' &&
        (maker === undefined || maker === 'canonical') &&
        !isSpendSuspended(exit.exit.outputId, world.docket) &&
        !isFallen(exit.exit.position, world) &&
        own !== undefined &&
        own.from > share.from &&
        world.now.timestamp > maturesAt(exit.exit, world) &&
        (isCovered || canMove)
      )
    },
  },
  {
    id: 'ADOPT-NO-THIEF',
    rationale: 'WATCH-1: an exit under evidence, or of what a verified block spends, is not hastened.',
    refusal: 'quiet',
    holds: ({ fact, exit }, world) =>
      isCancelled(exit, world) || (exit.evidence.length === 0 && fact.spend === undefined),
  },
  {
    id: 'ADOPT-WITH-INTEREST',
    rationale: 'For owners who trust us: nobody may spoil their place by starting another exit.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const CLAIM_RULES: readonly Rule<ClaimEntries>[] = [
  {
    id: 'CLAIM-WHAT-IS-DUE',
    rationale:
      'Before the batch’s turn, while struck, suspended, void or not covered an entry can’t be paid, and one such entry spoils the whole call.',
    refusal: 'quiet',
    holds: ({ record, claims, fundedTo }, world) =>
      claims.length > 0 && claims.every(({ fact }) => isClaimable(fact, record, fundedTo, world)),
  },
  {
    id: 'CLAIM-NOT-FOR-A-THIEF',
    rationale: 'WATCH-1: what a verified block spends belongs to somebody else now.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ claims }) => claims.every(({ fact }) => fact.spend === undefined && fact.kind === 'named'),
  },
  {
    id: 'CLAIM-WITH-INTEREST',
    rationale:
      'The money goes to the owners at our cost: to those who trust us, after a halt to everybody whom we know, and to whom two mass exits hold a place before one of those: only paid by one of them the other is freed.',
    refusal: 'quiet',
    holds: ({ helpsOurs }) => helpsOurs,
  },
]

export const RELEASE_ENTRY_RULES: readonly Rule<ReleaseEntry>[] = [
  {
    id: 'RELEASE-DEAD-SHARES',
    rationale:
      'WATCH-1: a share is freed for ever. It needs an entry that names nothing, or an output that is void, judged not canonical, or left by another way.',
    refusal: 'quiet',
    holds: ({ record, fact }, world) => isDeadEntry(fact, record, world),
  },
  {
    id: 'RELEASE-COVERED-SHARES',
    rationale: 'What is not covered yet can’t be freed; L1 refuses it.',
    refusal: 'quiet',
    holds: ({ record, fact, fundedTo }) =>
      record.ticket !== undefined && fundedTo >= shareOf(record.ticket, fact.entry).from,
  },
  {
    id: 'RELEASE-SHARES-WITH-INTEREST',
    rationale:
      'Half of the cost is paid at most: it is done where an owner who trusts us waits behind, or in public service.',
    refusal: 'quiet',
    holds: ({ helpsOurs }, { policy }) => helpsOurs || policy.publicService,
  },
]

export const CLOSE_RULES: readonly Rule<CloseBatch>[] = [
  {
    id: 'CLOSE-OUR-OWN',
    rationale:
      'The rest of the bond goes to the coordinator, whoever asks, a whole MEP after its entries became payable.',
    refusal: 'quiet',
    holds: ({ record }, world) =>
      record.batch.coordinator === world.policy.sender &&
      record.state === 'locked' &&
      record.ticket !== undefined &&
      record.item !== undefined &&
      world.now.timestamp > maturesAt(record.item, world) + world.parameters.minExitPeriod,
  },
]

/** How the dispute about the transaction that made its output stands, if there is one. */
function makerStateOf({ outputId }: EntryView, { docket }: World) {
  return outputId && docket.making.get(outputId)?.state
}

function isOpenedAs(exit: EntryView['exit'], { batchId }: BatchRecord, index: number): boolean {
  return exit !== undefined && isEntryOf(exit.exit, batchId, index)
}

function gweiUp(wei: bigint): bigint {
  const gwei = 10n ** 9n
  return wei < gwei ? gwei : ((wei + gwei - 1n) / gwei) * gwei
}

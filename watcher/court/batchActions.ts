/**
 * What the court does about mass exits (docs/spec.md section 6.4; docs/honest-watcher.md "Mass exits"), and the facts that it does so on.
 * Pure types. Everything about one batch is read anew at every tick; nothing here is a memory.
 */
import type { Header } from '../../protocol/block.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Entry, PlacedEntry } from '../../protocol/massExit.ts'
import type { MerkleTree } from '../../protocol/merkle.ts'
import type { EntryShown, ExitRecord, ProtectedAccount, SpendFact } from '../facts.ts'
import type { BatchDemand, BatchRecord, BatchStrike } from './batchTypes.ts'
import type { ActionBase } from './types.ts'

/**
 * An entry and what the verified blocks say about it. `named`: token and amount are those of the output there, whose owner and id are given.
 * `other`: they are not, or there is no output. `void`: whatever stands there is void, and need not be shown. `unverified`: nobody can say yet.
 */
export type EntryView = Readonly<{
  entry: PlacedEntry
  kind: 'named' | 'other' | 'void' | 'unverified'
  owner?: Address
  outputId?: Hash
  /** The newest exit of the output, whoever started it and however; left out where its inclusion did not stand. */
  exit?: ExitRecord
  /** L1 time at which the last such exit fell, seconds: for a period L1 lets only the owner open the entry. */
  fellAt?: number
  /** By such an exit: the entry is opened, not claimed, and is owed the rest. */
  isPaidInPart?: true
  /** Another batch has a share for the output on the line that nobody used: paid by one of them, the other can be freed. */
  isDoubled?: true
  /** An entry, of this batch or another, that paid the output already. */
  isClaimed?: true
  /** By an exit or a dispute, before the batch: its exit keeps that lock, so the entry is opened, not claimed. */
  isLockedBefore?: true
  /** What it was struck with was judged not canonical since: the entry is opened, and its exit cleared of that. */
  isCleared?: true
  /** The verified transaction that spends it, proven. */
  spend?: SpendFact
}>

/** A mandate as L1 takes it. */
export type Permission = Pick<ProtectedAccount, 'mandate' | 'signature'>

export type BatchFacts = Readonly<{
  record: BatchRecord
  tree(): MerkleTree
  entryAt(index: number): EntryView | undefined
  /** Undefined where the block's body is not here. Builds a proof. */
  shown(entry: PlacedEntry): EntryShown | undefined
  /** The owner's mandate for the batch's coordinator, if we keep one. */
  permission(entry: PlacedEntry): Permission | undefined
  /** Entries that something may be done about, in their order; all others are left alone. */
  concerns: readonly EntryView[]
}>

type OfBatch = ActionBase & Readonly<{ record: BatchRecord }>

/** An entry in the tree of its batch. */
export type PlacedAt = Readonly<{ entry: PlacedEntry; tree: MerkleTree }>

export type StartBatch = ActionBase &
  Readonly<{
    type: 'start-batch'
    /** Of the entries. */
    root: Hash
    token: Address
    entries: readonly Entry[]
    /** Header of the block of the last position; none for block 0. */
    lastBlock?: Header
    leastBondWei: bigint
    bondWei: bigint
    costWei: bigint
    baseFeeWei: bigint
    /** What the key holds beyond the reserve for challenges and the bonds of batches before it. */
    availableWei: bigint
    /** Every entry has a mandate that lasts until the deadline. */
    isMandated: boolean
  }>

export type DemandEntry = OfBatch &
  Readonly<{
    type: 'demand-entry'
    at: PlacedAt
    why: 'uninvited' | 'unverifiable'
    leastBondWei: bigint
    bondWei: bigint
    costWei: bigint
    /** What our budget for demands leaves, and the key beyond its reserve. */
    allowanceWei: bigint
    availableWei: bigint
    baseFeeWei: bigint
  }>

export type AnswerDemand = OfBatch &
  Readonly<{
    type: 'answer-demand'
    demand: BatchDemand
    at: PlacedAt
    shown: EntryShown
    /** None on a halted chain. */
    permission?: Permission
  }>

export type LockBatch = OfBatch &
  Readonly<{ type: 'lock-batch'; youngHint: number; isOurs: boolean; helpsOurs: boolean }>

/** `demanded`: our demand that nobody answered; null when the time to lock is over. */
export type DissolveBatch = OfBatch & Readonly<{ type: 'dissolve-batch'; demanded: number | null }>

export type ReclaimDemand = OfBatch & Readonly<{ type: 'reclaim-demand'; demand: BatchDemand; costWei: bigint }>

export type StrikeEntries = OfBatch & Readonly<{ type: 'strike-entries'; struck: readonly StruckEntry[] }>

export type StruckEntry = Readonly<{ fact: EntryView; spend: SpendFact }>

export type DropStrike = OfBatch & Readonly<{ type: 'drop-strike'; strike: BatchStrike; helpsOurs: boolean }>

/** An entry, what it names, and what L1 is shown of that. */
export type EntryCase = Readonly<{ fact: EntryView; at: PlacedAt; shown: EntryShown }>

export type OpenEntry = OfBatch & EntryCase & Readonly<{ type: 'open-entry'; helpsOurs: boolean }>
export type PlaceEntry = OfBatch &
  Readonly<{ type: 'place-entry'; fact: EntryView; at: PlacedAt; exit: Exit; helpsOurs: boolean }>
export type AdoptExit = OfBatch &
  EntryCase &
  Readonly<{ type: 'adopt-exit'; exit: ExitRecord; fundedTo: bigint; helpsOurs: boolean }>
export type ClaimEntries = OfBatch &
  Readonly<{ type: 'claim-entries'; claims: readonly EntryCase[]; fundedTo: bigint; helpsOurs: boolean }>
export type ReleaseEntry = OfBatch &
  EntryCase &
  Readonly<{ type: 'release-entry'; fundedTo: bigint; helpsOurs: boolean }>
export type CloseBatch = OfBatch & Readonly<{ type: 'close-batch' }>

export type BatchAction =
  | StartBatch
  | DemandEntry
  | AnswerDemand
  | LockBatch
  | DissolveBatch
  | ReclaimDemand
  | StrikeEntries
  | DropStrike
  | OpenEntry
  | PlaceEntry
  | AdoptExit
  | ClaimEntries
  | ReleaseEntry
  | CloseBatch

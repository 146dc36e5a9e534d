/**
 * What the watcher's core knows and the court decides on (docs/spec.md section 11): read-only facts, all folded from L1 events and
 * verified child blocks, so that a missed message costs nothing. Pure types: no I/O, no clock, no database.
 *
 * How the court's driver is joined to the core: `createWatcher` (watcher/watcher.ts) takes a `CreateCourt` (watcher/courtPort.ts),
 * calls `tick()` on what it returns after every change of the facts and at least once per poll, and shows `explain(outputId)` in
 * /v1/exits and /v1/explain. Everything in `Facts` answers from the newest L1 block folded in; an L1 reorg changes the answers, so a decision
 * is taken anew at every tick, never remembered. Use `at.l1Block <= l1Now().finalised` where a decision needs a final event.
 */
import type { Header, InclusionProof } from '../protocol/block.ts'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import type { Dispute, DisputeInput, Verdict } from '../protocol/dispute.ts'
import type { Exit } from '../protocol/exit.ts'
import type { FraudProof } from '../protocol/fraud.ts'
import type { Mandate } from '../protocol/mandate.ts'
import type { PlacedEntry } from '../protocol/massExit.ts'
import type { MerkleTree } from '../protocol/merkle.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { SignedTransaction, Transaction } from '../protocol/transaction.ts'
import type { BlockFault } from '../protocol/validity.ts'
import type { BatchRecord, NamedEntry } from './court/batchTypes.ts'

/** The newest L1 block folded in. `timestamp`: L1 seconds. `finalised`: number of the newest L1 block that is final, 0 for none. */
export type L1Now = Readonly<{ block: number; hash: Hash; timestamp: number; finalised: number }>

/** `voidFrom`: first void child block, 0 while the chain is live. `lastMove`: L1 seconds of when blocks last became void, 0 for never. */
export type Halt = Readonly<{ voidFrom: number; lastMove: number }>

/**
 * `suspect`: a block is withheld, but not for long enough to act. `unsafe`: leave. `block`: the first block that is withheld, invalid or
 * void: outputs of earlier blocks, and deposits, are what can be saved. `halted`: the chain has ended, every block before `block` is
 * verified, and there is no hurry. `short`: an invalid exit is past challenge or paid, so the vault holds less than it owes; all verified outputs may leave, and
 * whoever is earlier is served.
 */
export type ChainSafety =
  | Readonly<{ status: 'safe'; reason: 'verified' | 'catching-up' }>
  | Readonly<{
      status: 'suspect' | 'unsafe'
      reason: 'withheld' | 'invalid'
      block: number
      /** L1 seconds: when the block was committed. */
      since: number
      /** L1 seconds: an exit of an older output started by then, margins included, comes before every output of `block`. */
      lastSafeMoment: number
      /** Seconds of watching without getting the block. 0 for an invalid one. */
      observedSeconds: number
      fault?: BlockFault
    }>
  /** `since`: L1 seconds of the last move, or of the newest block where nothing became void. */
  | Readonly<{ status: 'unsafe'; reason: 'halted'; block: number; since: number }>
  /** `since`: L1 seconds of the end of the time for evidence. */
  | Readonly<{ status: 'unsafe'; reason: 'short'; block: number; since: number; outputId: Hash; missing: bigint }>

/**
 * `pending`: known from L1, body not here yet or not yet checked. `unverifiable`: stands on a missing or invalid block. `void`: the chain
 * was halted at it or below; whether it was valid matters no more.
 */
export type BlockState = 'verified' | 'pending' | 'missing' | 'invalid' | 'unverifiable' | 'void'

/** The first fault of the chain: of the block right after the verified ones. Blocks on top of it stand on sand. */
export type FaultFact = Readonly<{
  block: number
  header: Header
  fault: BlockFault
  /** Of the offending transaction. */
  position: number
  /** What the transactions of that block name as inputs: spends that count as evidence until the block is void. Absent without its body. */
  spends?: ReadonlySet<number>
}>

/** Everything a challenge shows. Only spends in verified blocks are given. */
export type SpendFact = Readonly<{
  /** Position of the spending transaction (output 0). */
  spend: number
  signed: SignedTransaction
  /** Index of the spent output among the transaction's inputs. */
  input: number
  header: Header
  proof: InclusionProof
}>

/**
 * What we know of the output that an exit names. `asOf`: newest verified child block. The output of an exit that hangs on a verdict is
 * looked for where the disputed transaction stands; while that is nowhere, it is unspent. A spend that was judged not canonical is none.
 */
export type OutputFact =
  | Readonly<{ kind: 'unspent'; asOf: number }>
  /**
   * `made`: another inclusion of what made the output, where an ordinary exit names it in a block that is not verified and the evidence in
   * one that is.
   */
  | Readonly<{ kind: 'spent'; asOf: number; evidence: SpendFact; made?: MadeFact }>
  /** Its block is not verified: nothing can be said. Loud once the chain is not safe. */
  | Readonly<{ kind: 'unverified'; asOf: number; block: number; blockState: Exclude<BlockState, 'verified'> }>
  /** The verified block holds something else there. Cannot happen while contract and watcher agree. */
  | Readonly<{ kind: 'mismatch'; asOf: number; got: string; want: string }>

export type At = Readonly<{ l1Block: number; l1Timestamp: number; logIndex: number; txHash: Hash }>

/** The life of an exit on L1, oldest first. */
export type ExitEvent = Readonly<{ at: At }> &
  /** `paidBefore`: to an exit of the same output whose inclusion did not stand; left out for nothing. */
  (
    | Readonly<{ type: 'ExitStarted'; paidBefore?: bigint }>
    | Readonly<{ type: 'EvidenceShown'; spend: number; place: number; challenger: Address; reward: bigint }>
    | Readonly<{ type: 'EvidenceDropped'; spend: number; place: number }>
    | Readonly<{ type: 'ExitPaid'; amount: bigint }>
    | Readonly<{ type: 'ExitInherited'; amount: bigint }>
    | Readonly<{ type: 'ExitPostponed'; from: bigint; due: bigint }>
    /** It has the share of a mass exit's entry: as its place, which `ExitPostponed` tells next, or paid out of it, which `ExitPaid` tells next. */
    | Readonly<{ type: 'EntryPlaced'; batchId: Hash; index: number; paid: bigint }>
    | Readonly<{ type: 'ExitRemoved'; reason: 'void' | 'invalid' | 'spent' | 'not-canonical' }>
  )

/**
 * `ticket`: its turn has passed, it is not wholly paid. Open are `queued` and `ticket`. `cancelled`: a canonical verdict passed its value on
 * while it was queued; it leaves unpaid at its turn, unless a share of a mass exit became its place before. `cancelled-ticket`: it has a place, which is inherited by the outputs.
 * One that was removed in its turn may still get such a place.
 */
export type ExitState = 'queued' | 'ticket' | 'settled' | 'removed' | 'cancelled' | 'cancelled-ticket'

/** A place on the line that an exit gave up before the line got there: it waits until somebody frees it. */
export type LeftPlace = Readonly<{ token: Address; from: bigint; due: bigint }>

export type ExitRecord = Readonly<{
  exit: Exit
  state: ExitState
  /** Positions of the evidence that stands, in the order shown. Empty means unchallenged. */
  evidence: readonly number[]
  paid: bigint
  /** Of the newest start; those of an exit that was removed before it are left out. */
  events: readonly ExitEvent[]
  /** The transaction whose canonical verdict cancelled this exit. */
  passedOn?: Hash
  /** A transaction that spends the output was judged not canonical: it is no evidence, and no evidence removes the exit at its turn. */
  contested?: true
}>

export type ExitFacts = ExitRecord &
  Readonly<{
    output: OutputFact
    /**
     * The header of the exiting output's block; absent for deposits, for blocks that L1 does not know (any more), and for an exit through a
     * dispute while no verified block holds the disputed transaction.
     */
    header?: Header
    /**
     * Where `exit.disputed` is not zero: how the dispute stands, and where the disputed transaction stands in our verified blocks, if it
     * does. Also of an exit by inclusion that started while the dispute ran.
     */
    dispute?: Readonly<{ state: DisputeState; made?: PlaceFact }>
  }>

/** Where a transaction stands in a verified block. */
export type PlaceFact = Readonly<{ position: number; header: Header; proof: InclusionProof }>

/** The same with the transaction's hash. */
export type MadeFact = PlaceFact & Readonly<{ txHash: Hash }>

/** `made`: where what made the input is included, if the competitor names the input there and the dispute elsewhere. */
export type CompetitorFact = SpendFact & Readonly<{ made?: PlaceFact }>

export type DisputeState = 'running' | Verdict

/** The life of a dispute on L1, oldest first. */
export type DisputeEvent = Readonly<{ at: At }> &
  (
    | Readonly<{ type: 'DisputeStarted' }>
    | Readonly<{
        type: 'CompetitorShown'
        competitor: Hash
        /** 0: not included. */
        position: number
        input: number
        challenger: Address
        reward: bigint
      }>
    | Readonly<{ type: 'DisputeAnswered'; position: number }>
    | Readonly<{ type: 'DisputeDecided'; verdict: Verdict }>
  )

export type DisputeRecord = Readonly<{
  dispute: Dispute
  inputs: readonly DisputeInput[]
  signed: SignedTransaction
  state: DisputeState
  /** As shown, in order; `position` 0 for one that is not included. */
  competitors: readonly Readonly<{ txHash: Hash; position: number; input: number }>[]
  /** Positions, as shown, in order. */
  answers: readonly number[]
  events: readonly DisputeEvent[]
}>

export type DisputeFacts = DisputeRecord &
  Readonly<{
    /** Oldest place of the disputed transaction in a verified block anchored before the least lock: an answer. */
    made?: PlaceFact
    /** Per input: the verified transaction that spent it, if it is another one and its block was anchored before that input's lock: a competitor. */
    spends: readonly (CompetitorFact | undefined)[]
    /** Per input: its exit on L1, if it has one. */
    inputExits: readonly (ExitRecord | undefined)[]
    outputs: readonly DisputedOutput[]
  }>

export type DisputedOutput = Readonly<{
  output: number
  outputId: Hash
  owner: Address
  token: Address
  amount: bigint
  /** Its exit, through the dispute or by inclusion. */
  exit?: ExitRecord
  /** Position of the verified transaction that spent it where the disputed transaction is included, if one did. */
  spentBy?: number
}>

/** An owner's word that we may act for them. `signature`: 64 bytes, EIP-2098. */
export type ProtectedAccount = Readonly<{ owner: Address; mandate: Mandate; signature: Hex; addedAt: number }>

/** An unspent output that can be taken out now. `shown` is absent for deposits, which need no proof. */
export type ProtectedOutput = Readonly<{
  position: number
  outputId: Hash
  owner: Address
  token: Address
  amount: bigint
  /** Deposits: the L1 block that holds it. */
  depositedAt?: number
  shown?: Readonly<{ transaction: Transaction; header: Header; proof: InclusionProof }>
  /**
   * Present when an exit of it was started already, by anyone, unless that was removed as void or invalid: then it may start again. Also
   * present where no exit may start: `cancelled` when a canonical verdict passed the value on, `removed` when the transaction that made
   * the output was judged not canonical; and `settled` when it was paid as an entry of a mass exit.
   */
  exit?: ExitState
  /** Entries of mass exits that name it, oldest batch first; of locked batches, and of those that may still be locked. */
  entries?: readonly ProtectedEntry[]
}>

/**
 * `item`: the batch in the queue, once it is locked. `isShut`: an exit of the output fell that had locked it before the batch, or that was paid a
 * part: only the owner can have something of the entry by itself. Another exit can be paid out of its share.
 */
export type ProtectedEntry = Readonly<{ batchId: Hash; entry: PlacedEntry; item?: Exit; isShut?: true }>

/**
 * What an entry of a mass exit names, as far as we know. `named`: what stands at its position agrees with it; `spend`: a verified
 * transaction spent it and was not judged not canonical. `empty`: it names nothing; `shown` shows that it doesn't.
 * `unverified`: its block is not verified, so nothing can be said; `shown` where it is void, and L1 wants to see nothing.
 */
export type EntryFact =
  | Readonly<{
      kind: 'named'
      outputId: Hash
      /** Zero for a deposit. */
      txHash: Hash
      owner: Address
      shown: EntryShown
      spend?: SpendFact
      /** As of `ProtectedOutput`. */
      exit?: ExitState
    }>
  | Readonly<{ kind: 'empty'; shown: EntryShown }>
  | Readonly<{ kind: 'unverified'; block: number; blockState: Exclude<BlockState, 'verified'>; shown?: EntryShown }>

/** What stands at an entry's position, as L1 is shown it (l1/massExitContract.ts takes it). */
export type EntryShown =
  | Readonly<{ kind: 'output'; transaction: Transaction; header: Header; proof: InclusionProof }>
  | Readonly<{ kind: 'beyond'; header: Header }>
  | Readonly<{ kind: 'deposit'; owner: Address; token: Address; amount: bigint }>
  | Readonly<{ kind: 'nothing' }>

export type Facts = Readonly<{
  l1Now(): L1Now
  halt(): Halt
  /** Positions of transactions that were proven invalid on L1, whether or not that halted the chain. */
  disproved(): ReadonlySet<number>
  safety(): ChainSafety
  /** Also of a block that is void by now. Cheap: no proof. */
  fault(): FaultFact | undefined
  /**
   * The smallest proof of that fault (docs/spec.md section 8.5), from the bodies and L1's events. Throws FRAUD_UNPROVABLE (bug) where
   * something that it takes is not there.
   */
  fraudProof(fault: FaultFact): FraudProof
  /** Newest child block that is verified together with all before it. */
  verifiedBlock(): number
  /** Newest child block that L1 knows. */
  newestBlock(): number
  parameters: Parameters
  /** Every exit that is queued or a ticket, oldest turn first. Cheap: events only, no proofs. */
  openExits(): readonly ExitRecord[]
  /** Exits that are settled or removed and whose last event is in this L1 block or a later one. */
  closedExits(sinceL1Block: number): readonly ExitRecord[]
  /**
   * Exits whose turn may be ahead, in whatever state (an exit removed by evidence keeps its place), and items of mass exits: stream A from `oldHead` on, then
   * stream B from child block `youngFirst` on (0: none), each in the order of its turns, at most `limit` of each.
   */
  queueFrom(place: Readonly<{ oldHead: number; youngFirst: number; limit: number }>): readonly ExitRecord[]
  /** Cheap: events only. */
  leftPlaces(): readonly LeftPlace[]
  /** Every running dispute, oldest first, and those decided in this L1 block or a later one. Cheap: events only. */
  disputes(decidedSinceL1Block: number): readonly DisputeRecord[]
  /** Undefined for a dispute that L1 does not know (any more). Builds proofs. */
  disputeFacts(txHash: Hash): DisputeFacts | undefined
  /** Undefined for an exit that L1 does not know (any more), and for a mass exit's item. Builds the proof for a spent output. */
  exitFacts(outputId: Hash): ExitFacts | undefined
  /** Mass exits that are started or locked and not closed, oldest first. Cheap: no entries, no proofs. */
  batches(): readonly BatchRecord[]
  /** Locked ones, closed too: their entries are claimed for ever. */
  lockedBatches(): readonly BatchRecord[]
  /** Undefined for one that L1 does not know (any more). */
  batch(batchId: Hash): BatchRecord | undefined
  /** All entries, in their order; empty for a batch that L1 does not know. */
  batchEntries(batchId: Hash): readonly PlacedEntry[]
  /** For paths of entries; kept. Undefined for a batch that L1 does not know. */
  batchTree(batchId: Hash): MerkleTree | undefined
  /** Builds proofs. */
  entryFact(batchId: Hash, entry: PlacedEntry): EntryFact
  /** Entries whose output verified transactions spent, judged not canonical or not. Cheap: no proofs. */
  spentEntries(batchId: Hash): readonly PlacedEntry[]
  /** Entries of batches that are not dissolved and name the output at this position, oldest batch first. */
  entriesNaming(position: number): readonly NamedEntry[]
  /** Opened entries that have no place yet, of all batches. */
  openedEntries(): readonly ExitRecord[]
  /** Unspent, verified outputs and deposits of one owner, oldest first, from `cursor` (exclusive) on, at most `limit`. */
  protectedOutputs(owner: Address, page?: Readonly<{ cursor?: number; limit?: number }>): readonly ProtectedOutput[]
  protectedAccounts(): readonly ProtectedAccount[]
  /** L1 seconds of the revocation, or undefined while the series stands. */
  revokedAt(owner: Address, epoch: number): number | undefined
  /** The header as L1 holds it; undefined for a number that was never submitted or was reorganised away. */
  header(block: number): Header | undefined
  blockState(block: number): BlockState | undefined
  /**
   * Position of the verified transaction that spent the output, if one did; one that was judged not canonical did not. Cheap: no proof.
   */
  spentBy(position: number): number | undefined
}>

/**
 * What the court's machines take and give (docs/spec.md section 11, docs/honest-watcher.md). The machines are pure: a `World` and
 * facts go in, effects come out as data. Nothing here or beside it knows a clock, a database, a network or randomness.
 */
import type { Header, InclusionProof } from '../../protocol/block.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import type { Verdict } from '../../protocol/dispute.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { FraudProof } from '../../protocol/fraud.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import type { AlertCode } from '../alerts.ts'
import type {
  ChainSafety,
  CompetitorFact,
  DisputedOutput,
  DisputeFacts,
  ExitRecord,
  FaultFact,
  L1Now,
  LeftPlace,
  MadeFact,
  PlaceFact,
  ProtectedAccount,
  ProtectedOutput,
  SpendFact,
} from '../facts.ts'
import type { BatchAction } from './batchActions.ts'
import type { DataAction } from './dataTypes.ts'
import type { Docket } from './docket.ts'
import type { CourtPolicy } from './policy.ts'

/** The state of the chain and of our means that every decision is taken in: one consistent read. */
export type World = Readonly<{
  now: L1Now
  parameters: Parameters
  safety: ChainSafety
  /** Newest child block verified together with all before it. */
  verifiedBlock: number
  /** Its anchor, an L1 block number; 0 before the first. */
  verifiedAnchor: number
  /** Newest child block on L1. */
  newestBlock: number
  /** L1 seconds of its submission; 0 before the first. */
  newestTime: number
  /** First void block; 0 while live. */
  voidFrom: number
  /** L1 seconds of the last move of `voidFrom`; 0 for none. */
  lastMove: number
  /** Positions of transactions that were proven invalid on L1. */
  disproved: ReadonlySet<number>
  /** Positions that the invalid block spends, whatever that is worth; empty where there is none. */
  spentInFault: ReadonlySet<number>
  protectedOwners: ReadonlySet<Address>
  /** Every dispute that L1 knows. */
  docket: Docket
  policy: CourtPolicy
}>

/** What L1 says now beyond events. Unproven: a lie here costs a failed simulation or an early return, never a wrong act. */
export type L1Readings = Readonly<{
  baseFeeWei: bigint
  /** `exitBond()` of the root contract. */
  exitBondWei: bigint
  /** `domainSeparator()` of the root contract: what hashes of transactions begin with. */
  domainSeparator: Hash
  /** What the court's key holds. */
  balanceWei: bigint
  queue: QueueCursor
  /** `totals(token).funded` of the tokens in which something waits. */
  funded: ReadonlyMap<Address, bigint>
  /** Pull balances of protected accounts, none of them 0. */
  credits: readonly Credit[]
}>

/** `queue()` of the root contract: the next turn of either stream. `youngFirst` 0: stream B is empty. */
export type QueueCursor = Readonly<{ oldHead: number; oldTail: number; youngFirst: number; youngCursor: number }>

export type Credit = Readonly<{ token: Address; account: Address; amount: bigint }>

export type ActionBase = Readonly<{
  /** One act, one key: the same key never runs twice at once, and the outbox knows it across restarts. */
  key: string
  /** For people and logs. */
  purpose: string
  /** L1 seconds. */
  notBefore: number
  /** L1 seconds, inclusive: mined by then, or worth nothing. */
  deadline: number
  /** Most to spend on fees. */
  budgetWei: bigint
}>

export type Challenge = ActionBase &
  Readonly<{
    type: 'challenge'
    record: ExitRecord
    evidence: SpendFact
    /**
     * Where what made the output is included, so that the spend can name it there: of an exit that hangs on a dispute the disputed transaction, of
     * any other one what its own block, which nobody can read, holds too.
     */
    made?: MadeFact
  }>

/** What stands at a position, for calls that have to show that it is not the judged transaction, or that it is. */
export type Shown = Readonly<{ txHash: Hash; header: Header; proof: InclusionProof }>

export type DropEvidence = ActionBase &
  Readonly<{
    type: 'drop-evidence'
    record: ExitRecord
    spend: number
    /** The position that the spend names, as L1 has it on file. */
    place: number
    holdsValid: boolean
    /** The spend is of this transaction, which was judged not canonical. */
    refuted?: Shown
  }>

export type ShowCompetitor = ActionBase &
  Readonly<{
    type: 'show-competitor'
    record: DisputeFacts
    /** Index of the shared input in the disputed transaction. */
    input: number
    evidence: CompetitorFact
  }>

export type AnswerDispute = ActionBase & Readonly<{ type: 'answer-dispute'; record: DisputeFacts; place: PlaceFact }>

export type DecideDispute = ActionBase &
  Readonly<{
    type: 'decide-dispute'
    record: DisputeFacts
    /** Further pieces that this call weighs. */
    competitors: readonly number[]
    answers: readonly number[]
    /** What the verified blocks say; undefined where they say nothing. */
    truth: Verdict | undefined
    /** What the pieces on L1 say. */
    byPieces: Verdict
    /** Something of ours or of a protected owner, or an exit that we hold invalid, waits for the verdict. */
    helpsOurs: boolean
  }>

/** An owner's word, and the money that acting on it takes. */
export type StartTerms = Readonly<{
  account: ProtectedAccount
  /** True once the owner's series of mandates is revoked on L1. */
  revoked: boolean
  bondWei: bigint
  /** What L1 asks for now, without headroom. */
  leastBondWei: bigint
  /** Greatest child block with young exits below the exit's, 0 for none: saves gas. */
  youngHint: number
  /** What is taken out is worth in wei; undefined without a price. */
  valueWei: bigint | undefined
  costWei: bigint
  baseFeeWei: bigint
  /** What the key holds beyond the reserve for challenges and the bonds of more valuable outputs. */
  availableWei: bigint
}>

export type StartExit = ActionBase & StartTerms & Readonly<{ type: 'start-exit'; output: ProtectedOutput }>

/** Outputs of one owner that leave through the dispute of their transaction, in one call. */
export type StartDisputedExits = ActionBase &
  StartTerms &
  Readonly<{ type: 'start-disputed-exits'; record: DisputeFacts; outputs: readonly DisputedOutput[] }>

/** What `processExits` takes, in the contract's order (spec section 5.4). */
export type Turns = Readonly<{
  old: readonly Exit[]
  young: readonly Exit[]
  youngBlocks: readonly Header[]
  evidenceBlocks: readonly Header[]
}>

export type ProcessExits = ActionBase &
  Readonly<{
    type: 'process-exits'
    count: number
    turns: Turns
    /** L1 seconds: the first of the turns may be taken when time is greater. */
    firstTurnAt: number
    /** An exit of a protected owner is among them. */
    helpsProtected: boolean
    /** An exit that we hold invalid or cannot vouch for is among them, without standing evidence. */
    helpsDoubted: boolean
    bountyWei: bigint
    costWei: bigint
  }>

export type Settle = ActionBase &
  Readonly<{
    type: 'settle'
    record: ExitRecord
    ticket: Ticket
    fundedTo: bigint
    /** A place of a protected owner is short: a further share of the same output is freed only once this one is paid. */
    helpsProtected: boolean
  }>

export type Release = ActionBase &
  Readonly<{
    type: 'release'
    record: ExitRecord
    ticket: Ticket
    fundedTo: bigint
    /** A standing piece of evidence that is final, and the position that it names; 0 where none is needed. */
    spend: number
    place: number
    header: Header
    /** What stands at `spend`, where the output is contested. */
    shown?: Shown
    /** Until it is gone its output can't leave where else it stands, nor an older share of the same output be freed. */
    bars: boolean
    /** Something of a protected owner waits behind it or for what it bars, or a bond of ours comes back. */
    helpsProtected: boolean
  }>

/** A part of the place that an input's exit took on the line. */
export type Inherit = ActionBase &
  Readonly<{
    type: 'inherit'
    record: DisputeFacts
    input: number
    output: DisputedOutput
    /** The output's exit; none where it never left, as far as exits go. */
    exit?: ExitRecord
    /** Where the share lies on the token's line. */
    share: Readonly<{ from: bigint; due: bigint }>
    fundedTo: bigint
    /** It is a protected owner's, or one waits behind it; behind what nobody came for, one that is not covered. */
    helpsProtected: boolean
  }>

/** Freeing a place that an exit gave up before the line got there. */
export type FreePlace = ActionBase &
  Readonly<{ type: 'free-place'; fundedTo: bigint; helpsProtected: boolean }> &
  LeftPlace

export type Withdraw = ActionBase & Readonly<{ type: 'withdraw' }> & Credit

/** Showing L1 which rule a block breaks (docs/spec.md section 8.5). */
export type ProveFault = ActionBase &
  Readonly<{
    type: 'prove-fault'
    fault: FaultFact
    proof: FraudProof
    /** What on L1 rests on the offending transaction, in words: what a proof is worth that comes too late to halt. */
    restsOn: readonly string[]
  }>

/** Ending a chain that its operator has left (docs/spec.md section 8.4.3). */
export type HaltAbandoned = ActionBase & Readonly<{ type: 'halt-abandoned'; silentSince: number }>

export type Action =
  | Challenge
  | DropEvidence
  | ShowCompetitor
  | AnswerDispute
  | DecideDispute
  | StartExit
  | StartDisputedExits
  | ProcessExits
  | Settle
  | Release
  | Inherit
  | FreePlace
  | Withdraw
  | ProveFault
  | HaltAbandoned
  | DataAction
  | BatchAction

/** Told to people. `key`: what it is about; code and key together are one alert while they stand. */
export type Alert = Readonly<{
  type: 'alert'
  code: AlertCode
  key: string
  details: Readonly<Record<string, unknown>>
}>

export type Effect = Action | Alert

/** Total and deterministic: the same case and input give the same step, and no input throws. */
export type Step<Case> = Readonly<{ next: Case; effects: readonly Effect[] }>

/** A place on a token's line: `due` from `from` on is not paid yet; for `inherited` of it the owner was paid out of an older place. */
export type Ticket = Readonly<{ from: bigint; due: bigint; inherited: bigint }>

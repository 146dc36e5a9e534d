/**
 * What the court's machines take and give (docs/spec.md section 11, docs/honest-watcher.md). The machines are pure: a `World` and
 * facts go in, effects come out as data. Nothing here or beside it knows a clock, a database, a network or randomness.
 */
import type { Header } from '../../protocol/block.ts'
import type { Address } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import type { AlertCode } from '../alerts.ts'
import type { ChainSafety, ExitRecord, L1Now, ProtectedAccount, ProtectedOutput, SpendFact } from '../facts.ts'
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
  /** First void block; 0 while live. */
  voidFrom: number
  /** L1 seconds of the last move of `voidFrom`; 0 for none. */
  lastMove: number
  protectedOwners: ReadonlySet<Address>
  policy: CourtPolicy
}>

/** What L1 says now beyond events. Unproven: a lie here costs a failed simulation or an early return, never a wrong act. */
export type L1Readings = Readonly<{
  baseFeeWei: bigint
  /** `exitBond()` of the root contract. */
  exitBondWei: bigint
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

type ActionBase = Readonly<{
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

export type Challenge = ActionBase & Readonly<{ type: 'challenge'; record: ExitRecord; evidence: SpendFact }>

export type DropEvidence = ActionBase &
  Readonly<{ type: 'drop-evidence'; record: ExitRecord; spend: number; holdsValid: boolean }>

export type StartExit = ActionBase &
  Readonly<{
    type: 'start-exit'
    output: ProtectedOutput
    account: ProtectedAccount
    /** True once the owner's series of mandates is revoked on L1. */
    revoked: boolean
    bondWei: bigint
    /** What L1 asks for now, without headroom. */
    leastBondWei: bigint
    /** Greatest child block with young exits below the output's, 0 for none: saves gas. */
    youngHint: number
    /** What the output is worth in wei; undefined without a price. */
    valueWei: bigint | undefined
    costWei: bigint
    baseFeeWei: bigint
    /** What the key holds beyond the reserve for challenges and the bonds of more valuable outputs. */
    availableWei: bigint
  }>

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

export type Settle = ActionBase & Readonly<{ type: 'settle'; record: ExitRecord; ticket: Ticket; fundedTo: bigint }>

export type Release = ActionBase &
  Readonly<{
    type: 'release'
    record: ExitRecord
    ticket: Ticket
    fundedTo: bigint
    spend: number
    header: Header
    /** Something of a protected owner waits behind it. */
    helpsProtected: boolean
  }>

export type Withdraw = ActionBase & Readonly<{ type: 'withdraw' }> & Credit

export type Action = Challenge | DropEvidence | StartExit | ProcessExits | Settle | Release | Withdraw

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

/** A place on a token's line: `due` from `from` on is not paid yet. */
export type Ticket = Readonly<{ from: bigint; due: bigint }>

/** What the court knows and does about data challenges and receipts (docs/spec.md sections 8.6 and 8.8). Pure types. */
import type { Header, InclusionProof } from '../../protocol/block.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import type { DataChallenge, LeafRange } from '../../protocol/dataChallenge.ts'
import type { SignedReceipt } from '../../protocol/receipt.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { ActionBase } from './types.ts'

/** `ended`: its bond went back to the challenger, whether or not the chain was halted by it. */
export type DataChallengeState = 'open' | 'answered' | 'ended'

export type DataRecord = Readonly<{
  challenge: DataChallenge
  state: DataChallengeState
  /** L1 block and second of the challenge. */
  at: Readonly<{ l1Block: number; l1Timestamp: number }>
  /** Who answered, and for how much. */
  answer?: Readonly<{ answerer: Address; paid: bigint }>
  /** It ended by halting the chain. */
  isHalt?: true
}>

/** A block that L1 has committed and whose body nobody has served. */
export type HiddenBlock = Readonly<{
  number: number
  header: Header
  /** Every challenge of it that L1 knows. */
  records: readonly DataRecord[]
  /** Attended silence, seconds: only the first hidden block is waited for. */
  observedSeconds: number
}>

/** What reveals a range: `path` as `proveRange` gives it. */
export type HeldRange = Readonly<{ transactions: readonly SignedTransaction[]; path: readonly Hash[] }>

export type DataFacts = Readonly<{
  /** Oldest first; void ones are left out. */
  hidden: readonly HiddenBlock[]
  /** Challenges that are neither answered nor ended, oldest first. */
  open: readonly DataRecord[]
  /** Our own of the last MEP, and all that are open. */
  own: readonly DataRecord[]
  /** When a block's body came here (L1 seconds), and after how much attended silence; undefined without one. */
  seen(block: number): Readonly<{ arrivedL1: number; observedSeconds: number }> | undefined
  /** Of a block whose body is here. */
  hold(range: LeafRange): HeldRange | undefined
}>

/** The first hidden block, and for how long every peer was asked for it and refused. `block` 0: nothing is hidden. */
export type Silence = Readonly<{ block: number; seconds: number }>

export type ChallengeData = ActionBase &
  Readonly<{
    type: 'challenge-data'
    range: LeafRange
    header: Header
    bondWei: bigint
    /** What L1 asks for now, without headroom. */
    leastBondWei: bigint
    /** Distinct groups of 64 leaves of the block that are challenged, this one's included. */
    groups: number
    /** What our budget for such bonds still allows on this block. */
    allowanceWei: bigint
    /** What the key holds beyond the reserve for challenges of exits. */
    availableWei: bigint
    costWei: bigint
    baseFeeWei: bigint
    /** Every challenge of the block that L1 knows. */
    known: readonly DataRecord[]
    silence: Silence
  }>

export type RevealData = ActionBase &
  Readonly<{
    type: 'reveal-data'
    /** The range that is revealed, then others inside it. */
    records: readonly DataRecord[]
    held: HeldRange
    /** By formula, at the base fee of the moment; 0 while that is not known. */
    rewardWei: bigint
  }>

export type EndDataChallenge = ActionBase &
  Readonly<{
    type: 'end-data-challenge'
    record: DataRecord
    /** To halt the chain by it, or only to get our bond back. */
    aim: 'halt' | 'refund'
    /** What the call costs at the base fee of the moment; 0 while that is not known. */
    costWei: bigint
    silence: Silence
    /** The block's body came, but after the time for an answer, and after how much attended silence. Seconds. */
    cameLate?: Readonly<{ observedSeconds: number }>
  }>

/** A receipt that L1 contradicts now, or that another receipt contradicts. */
export type BrokenReceipt = Readonly<{
  signed: SignedReceipt
  /** L1 seconds since when we know. */
  since: number
  how:
    | Readonly<{ kind: 'header'; header?: Header }>
    | Readonly<{ kind: 'displaced'; header: Header; txHash: Hash; proof: InclusionProof }>
    | Readonly<{ kind: 'contradiction'; other: SignedReceipt }>
}>

export type BreakReceipt = ActionBase & Readonly<{ type: 'break-receipt'; broken: BrokenReceipt }>

export type DataAction = ChallengeData | RevealData | EndDataChallenge | BreakReceipt

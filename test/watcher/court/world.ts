/** Builders for the court's tests: a world on the devnet's periods, exits, spends and events, with good defaults. */
import type { Header } from '../../../protocol/block.ts'
import { type Address, type Hash, ZERO_HASH } from '../../../protocol/bytes.ts'
import {
  type Dispute,
  type DisputeInput,
  disputeAge,
  disputeMaturity,
  hashDisputeInputs,
} from '../../../protocol/dispute.ts'
import { type Exit, maturityOf } from '../../../protocol/exit.ts'
import { PRESETS } from '../../../protocol/parameters.ts'
import { encodePosition, isDepositPosition, outputIdAt } from '../../../protocol/position.ts'
import { createOutput, type Output, type Transaction } from '../../../protocol/transaction.ts'
import { refoldDispute } from '../../../watcher/court/disputeRecord.ts'
import { createDocket, EMPTY_DOCKET } from '../../../watcher/court/docket.ts'
import { foldRecord } from '../../../watcher/court/exitRecord.ts'
import { type CourtPolicy, defaultPolicy } from '../../../watcher/court/policy.ts'
import type { L1Readings, World } from '../../../watcher/court/types.ts'
import type {
  ChainSafety,
  DisputeEvent,
  DisputeFacts,
  ExitEvent,
  ExitFacts,
  ExitRecord,
  OutputFact,
  PlaceFact,
  ProtectedAccount,
  ProtectedOutput,
  SpendFact,
} from '../../../watcher/facts.ts'

export const ETH: Address = `0x${'0'.repeat(40)}`
export const TKN: Address = `0x${'77'.repeat(20)}`
export const ALICE: Address = `0x${'a1'.repeat(20)}`
export const BOB: Address = `0x${'b0'.repeat(20)}`
export const MALLORY: Address = `0x${'66'.repeat(20)}`
export const WATCHER: Address = `0x${'11'.repeat(20)}`
export const RIVAL: Address = `0x${'22'.repeat(20)}`
export const GWEI = 10n ** 9n
export const ETHER = 10n ** 18n
export const parameters = PRESETS.devnet
export const MEP = parameters.minExitPeriod
/** L1 seconds at which exits of the tests start; L1 block 1,000. */
export const START = 10_000
export const START_BLOCK = 1_000

export function hashOf(n: number): Hash {
  return `0x${n.toString(16).padStart(64, '0')}`
}

export function policyOf(changes: Partial<CourtPolicy> = {}): CourtPolicy {
  return { ...defaultPolicy({ sender: WATCHER, seed: hashOf(0) }, parameters), staggerSeconds: 0, ...changes }
}

/** The world `elapsed` seconds after START, on one-second slots. Everything is verified. */
export function worldAt(elapsed: number, changes: Partial<World> = {}): World {
  return {
    now: {
      block: START_BLOCK + elapsed,
      hash: hashOf(START_BLOCK + elapsed),
      timestamp: START + elapsed,
      finalised: START_BLOCK + elapsed - 2,
    },
    parameters,
    safety: { status: 'safe', reason: 'verified' },
    verifiedBlock: 50,
    verifiedAnchor: START_BLOCK - 3,
    newestBlock: 50,
    newestTime: START + elapsed - 4,
    voidFrom: 0,
    lastMove: 0,
    disproved: new Set(),
    spentInFault: new Set(),
    protectedOwners: new Set([ALICE]),
    docket: EMPTY_DOCKET,
    policy: policyOf(),
    ...changes,
  }
}

export function unsafeSince(block: number, since: number, status: 'unsafe' | 'suspect' = 'unsafe'): ChainSafety {
  return { status, reason: 'withheld', block, since, lastSafeMoment: since + MEP - 40, observedSeconds: 60 }
}

export function positionOf(block: number, index = 0, output = 0): number {
  return encodePosition({ block, index, output })
}

export function depositOf(block: number, count = 0): number {
  return encodePosition({ block, index: 2 ** 20 + count, output: 0 })
}

export function headerOf(changes: Partial<Header> = {}): Header {
  return { root: hashOf(7), timestamp: START - 500, txCount: 1, anchor: START_BLOCK - 510, ...changes }
}

/** An old exit of Mallory's, started at START. */
export function exitOf(changes: Partial<Exit> = {}): Exit {
  const position = changes.position ?? positionOf(10)
  return {
    outputId: hashOf(position),
    position,
    owner: MALLORY,
    token: ETH,
    amount: ETHER,
    ...maturityOf(START, MEP),
    seq: 0,
    startedAt: START,
    lockedAt: START_BLOCK,
    payer: changes.owner ?? MALLORY,
    bond: 400_000n * GWEI,
    disputed: ZERO_HASH,
    ...changes,
  }
}

/** The spend of `exit` by transaction 0 of block 20. */
export function spendOf(exit: Exit, changes: Partial<SpendFact> = {}): SpendFact {
  return {
    spend: positionOf(20),
    signed: {
      transaction: {
        inputs: [exit.position],
        outputs: [createOutput(BOB, exit.token, exit.amount)],
        memo: hashOf(0),
      },
      witnesses: new Uint8Array(64),
    },
    input: 0,
    header: headerOf(),
    proof: { witnessesHash: hashOf(8), path: [] },
    ...changes,
  }
}

type EventBody = ExitEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never

/** Events in consecutive L1 blocks after the start. */
export function eventsOf(...bodies: readonly EventBody[]): ExitEvent[] {
  return [{ type: 'ExitStarted' } as const, ...bodies].map((body, i) => ({
    ...body,
    at: { l1Block: START_BLOCK + i, l1Timestamp: START + i, logIndex: 0, txHash: hashOf(i) },
  }))
}

export const shown = (spend: number, challenger: Address = RIVAL, place = 0) =>
  ({ type: 'EvidenceShown', spend, place, challenger, reward: GWEI }) as const
export const dropped = (spend: number, place = 0) => ({ type: 'EvidenceDropped', spend, place }) as const
export const inherited = (amount: bigint) => ({ type: 'ExitInherited', amount }) as const
export const paid = (amount: bigint) => ({ type: 'ExitPaid', amount }) as const
export const postponed = (from: bigint, due: bigint) => ({ type: 'ExitPostponed', from, due }) as const
export const removed = (reason: 'void' | 'invalid' | 'spent' | 'not-canonical') =>
  ({ type: 'ExitRemoved', reason }) as const

export function recordOf(exit: Exit = exitOf(), ...bodies: readonly EventBody[]): ExitRecord {
  return foldRecord(exit, eventsOf(...bodies))
}

export function factsOf(output: OutputFact, exit: Exit = exitOf(), ...bodies: readonly EventBody[]): ExitFacts {
  return { ...recordOf(exit, ...bodies), output }
}

export const UNSPENT: OutputFact = { kind: 'unspent', asOf: 50 }

export function spentFact(exit: Exit = exitOf(), changes: Partial<SpendFact> = {}): OutputFact {
  return { kind: 'spent', asOf: 50, evidence: spendOf(exit, changes) }
}

export function unverifiedFact(blockState: 'pending' | 'missing' | 'invalid' | 'unverifiable' | 'void'): OutputFact {
  return { kind: 'unverified', asOf: 50, block: 51, blockState }
}

export function readingsOf(changes: Partial<L1Readings> = {}): L1Readings {
  return {
    baseFeeWei: GWEI,
    exitBondWei: 400_000n * GWEI,
    domainSeparator: hashOf(99),
    balanceWei: 10n * ETHER,
    queue: { oldHead: 0, oldTail: 0, youngFirst: 0, youngCursor: 0 },
    funded: new Map(),
    credits: [],
    ...changes,
  }
}

export function accountOf(
  owner: Address = ALICE,
  changes: Partial<ProtectedAccount['mandate']> = {},
): ProtectedAccount {
  const mandate = {
    owner,
    delegate: WATCHER,
    validFrom: 0,
    validUntil: START + 10 * MEP,
    position: 0,
    minAmount: 0n,
    maxFee: 0n,
    epoch: 0,
    ...changes,
  }
  return { owner, mandate, signature: `0x${'00'.repeat(64)}`, addedAt: 0 }
}

export function outputOf(changes: Partial<ProtectedOutput> = {}): ProtectedOutput {
  const position = changes.position ?? positionOf(10)
  return { position, outputId: hashOf(position), owner: ALICE, token: ETH, amount: ETHER, ...changes }
}

/** Hash of the disputed transaction in these tests. */
export const T: Hash = hashOf(0x7777)
/** Where a verified block holds it, if one does. */
export const MADE_AT = positionOf(30)

export type Dispute0 = Readonly<{
  txHash?: Hash
  inputs?: readonly Partial<DisputeInput>[]
  outputs?: readonly Output[]
  dispute?: Partial<Dispute>
  made?: PlaceFact | undefined
  spends?: readonly (SpendFact | undefined)[]
  inputExits?: readonly (ExitRecord | undefined)[]
  exits?: readonly (ExitRecord | undefined)[]
  spentBy?: readonly (number | undefined)[]
}>

type DisputeBody = DisputeEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never

export const rival = (position: number, changes: Partial<Extract<DisputeBody, { type: 'CompetitorShown' }>> = {}) =>
  ({
    type: 'CompetitorShown',
    competitor: hashOf(position + 1),
    position,
    input: 0,
    challenger: RIVAL,
    reward: 0n,
    ...changes,
  }) as const
export const answered = (position: number) => ({ type: 'DisputeAnswered', position }) as const
export const decided = (verdict: 'canonical' | 'not-canonical') => ({ type: 'DisputeDecided', verdict }) as const

/** Mallory disputes T at START: it spends an output of hers in block 10, made 500 s ago, and pays Bob. In no block, unchallenged. */
export function disputeFactsOf(setup: Dispute0 = {}, ...bodies: readonly DisputeBody[]): DisputeFacts {
  const { txHash = T, outputs = [createOutput(BOB, ETH, ETHER)] } = setup
  const inputs = (setup.inputs ?? [{}]).map((changes, i): DisputeInput => {
    const position = changes.position ?? positionOf(10, i)
    return {
      outputId: hashOf(position),
      madeBy: isDepositPosition(position) ? ZERO_HASH : hashOf(0x5000 + i),
      position,
      owner: MALLORY,
      token: ETH,
      amount: ETHER,
      lockedAt: START_BLOCK,
      ...changes,
    }
  })
  const age = disputeAge(inputs.map(({ position }) => ({ position, blockTime: START - 500 })))
  const dispute: Dispute = {
    txHash,
    ...age,
    startedAt: START,
    exitableAt: disputeMaturity(START, MEP, age.ageTime),
    lockedAt: Math.min(...inputs.map(({ lockedAt }) => lockedAt)),
    suspends: 2 ** inputs.length - 1,
    starter: MALLORY,
    bond: 400_000n * GWEI,
    inputsHash: hashDisputeInputs(inputs),
    ...setup.dispute,
  }
  const transaction: Transaction = { inputs: inputs.map(({ position }) => position), outputs, memo: hashOf(0x70) }
  const events = [{ type: 'DisputeStarted' } as const, ...bodies].map((body, i) => ({
    ...body,
    at: { l1Block: START_BLOCK + i, l1Timestamp: START + i, logIndex: 1, txHash: hashOf(i) },
  }))
  return refoldDispute({
    dispute,
    inputs,
    signed: { transaction, witnesses: new Uint8Array(64 * inputs.length) },
    state: 'running',
    competitors: [],
    answers: [],
    events,
    ...(setup.made && { made: setup.made }),
    spends: inputs.map((_input, i) => setup.spends?.[i]),
    inputExits: inputs.map((_input, i) => setup.inputExits?.[i]),
    outputs: outputs.map(({ owner, token, amount }, output) => {
      const exit = setup.exits?.[output]
      const spentBy = setup.spentBy?.[output]
      return {
        output,
        outputId: outputIdAt(output, txHash),
        owner,
        token,
        amount,
        ...(exit && { exit }),
        ...(spentBy !== undefined && { spentBy }),
      }
    }),
  })
}

/** Where T is included: MADE_AT unless told, anchored before every lock. */
export function placeAt(position = MADE_AT, changes: Partial<Header> = {}): PlaceFact {
  return { position, header: headerOf(changes), proof: { witnessesHash: hashOf(8), path: [] } }
}

/** A verified spend of the dispute's first input by another transaction. */
export function rivalSpend(changes: Partial<SpendFact> = {}): SpendFact {
  return spendOf(exitOf({ position: positionOf(10) }), changes)
}

/** A spend by T itself. */
export function ownSpend(facts: DisputeFacts, changes: Partial<SpendFact> = {}): SpendFact {
  return rivalSpend({ spend: MADE_AT, signed: facts.signed, ...changes })
}

/** The exit of T's output, through the dispute. */
export function disputedExitOf(output: number, changes: Partial<Exit> = {}, txHash: Hash = T): Exit {
  return exitOf({
    outputId: outputIdAt(output, txHash),
    position: positionOf(10),
    owner: BOB,
    disputed: txHash,
    ...changes,
  })
}

/** The world in which these disputes are known. */
export function withDisputes(world: World, ...disputes: readonly DisputeFacts[]): World {
  return { ...world, docket: createDocket(disputes, disputes) }
}

/** What the root contract and its surety tell (contracts/ILifeboat.sol), as data. Nothing here does I/O. */
import { decodeEventLog } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Commitment } from '../protocol/block.ts'
import { type Address, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import type { Dispute, DisputeInput, Verdict } from '../protocol/dispute.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import type { Output, SignedTransaction } from '../protocol/transaction.ts'
import { type BatchEventBody, decodeBatchLog, isBatchLog } from './massExitContract.ts'
import { lower } from './rootArguments.ts'
import { decodeSuretyLog, isSuretyLog, type SuretyEventBody } from './suretyContract.ts'

/** Where on L1 an event happened. */
export type L1Place = Readonly<{
  l1Block: number
  l1BlockHash: Hash
  l1Timestamp: number
  logIndex: number
  txHash: Hash
}>

export type RemovalReason = 'void' | 'invalid' | 'spent' | 'not-canonical'

/** A dispute as its event tells it, with the whole disputed transaction. */
export type StartedDispute = Readonly<{ dispute: Dispute; inputs: readonly DisputeInput[]; signed: SignedTransaction }>

export type EvidenceShownEvent = Readonly<{
  type: 'EvidenceShown'
  outputId: Hash
  spend: number
  /** The position that the spend names, where the exit goes through a dispute; 0 for an ordinary exit. */
  place: number
  challenger: Address
  reward: bigint
}>

export type RootEventBody =
  | Readonly<{ type: 'BlocksSubmitted'; firstBlock: number; timestamp: number; commitments: readonly Commitment[] }>
  | Readonly<{ type: 'Deposited'; position: number; owner: Address; token: Address; amount: bigint }>
  | Readonly<{ type: 'ExitStarted'; exit: Exit }>
  | EvidenceShownEvent
  | Readonly<{ type: 'EvidenceDropped'; outputId: Hash; spend: number; place: number }>
  | (Readonly<{ type: 'DisputeStarted' }> & StartedDispute)
  | Readonly<{
      type: 'CompetitorShown'
      txHash: Hash
      competitor: Hash
      /** 0: not included. */
      position: number
      /** Index of the shared input in the disputed transaction. */
      input: number
      challenger: Address
      reward: bigint
    }>
  /** `isMove`: blocks became void by it. */
  | Readonly<{ type: 'HaltMoved'; voidFrom: number; isMove: boolean }>
  | Readonly<{ type: 'TransactionDisproved'; position: number; prover: Address }>
  | Readonly<{ type: 'DisputeAnswered'; txHash: Hash; position: number }>
  | Readonly<{ type: 'DisputeDecided'; txHash: Hash; verdict: Verdict }>
  | Readonly<{ type: 'ExitPaid'; outputId: Hash; amount: bigint }>
  | Readonly<{ type: 'ExitInherited'; outputId: Hash; fromOutputId: Hash; amount: bigint }>
  | Readonly<{ type: 'ShareReleased'; fromOutputId: Hash; toOutputId: Hash; amount: bigint }>
  | Readonly<{ type: 'ExitPostponed'; outputId: Hash; from: bigint; due: bigint }>
  | Readonly<{ type: 'PlaceLeft'; token: Address; from: bigint; due: bigint }>
  | Readonly<{ type: 'PlaceFreed'; token: Address; from: bigint; due: bigint }>
  | Readonly<{ type: 'ExitRemoved'; outputId: Hash; reason: RemovalReason }>
  | Readonly<{ type: 'Credited'; token: Address; account: Address; amount: bigint }>
  | Readonly<{ type: 'Withdrawn'; token: Address; account: Address; amount: bigint }>
  | Readonly<{ type: 'MandatesRevoked'; owner: Address; epoch: number }>
  | Readonly<{ type: 'OperatorNominated'; nominee: Address }>
  | Readonly<{ type: 'OperatorRotated'; operator: Address }>
  | BatchEventBody
  | SuretyEventBody

export type RootEvent = RootEventBody & Readonly<{ at: L1Place }>

/** A log of the root contract or its surety as the follower verified it. */
export type RootLog = Readonly<{ topics: readonly Hex[]; data: Hex; logIndex: number; transactionHash: Hash }>

const REMOVAL_REASONS: readonly RemovalReason[] = ['void', 'invalid', 'spent', 'not-canonical']
/** By number, from the contract's third on. */
const VERDICTS: readonly Verdict[] = ['canonical', 'not-canonical']

/** Throws ROOT_EVENT_UNKNOWN: a log of our own contract that we cannot read means that we are not its software. */
export function decodeRootEvents(
  block: Readonly<{ number: number; hash: Hash; timestamp: number }>,
  logs: readonly RootLog[],
): RootEvent[] {
  return logs.map((log) => ({
    ...decodeLog(log, block.timestamp),
    at: {
      l1Block: block.number,
      l1BlockHash: block.hash,
      l1Timestamp: block.timestamp,
      logIndex: log.logIndex,
      txHash: log.transactionHash,
    },
  }))
}

function decodeLog(log: RootLog, timestamp: number): RootEventBody {
  if (isSuretyLog(log)) return decodeSuretyLog(log)
  return isBatchLog(log) ? decodeBatchLog(log) : decodeRootEvent(log, timestamp)
}

function decodeRootEvent(log: RootLog, timestamp: number): RootEventBody {
  const event = readLog(log)
  switch (event.eventName) {
    case 'BlocksSubmitted':
      return {
        type: 'BlocksSubmitted',
        firstBlock: Number(event.args.firstBlock),
        timestamp,
        commitments: event.args.commitments.map(({ root, txCount, anchor }) => ({ root, txCount, anchor })),
      }
    case 'Deposited': {
      const { position, owner, token, amount } = event.args
      return { type: 'Deposited', position: Number(position), owner: lower(owner), token: lower(token), amount }
    }
    case 'ExitStarted': {
      const { outputId, position, owner, token, payer, ...rest } = event.args
      const addresses = { owner: lower(owner), token: lower(token), payer: lower(payer) }
      return { type: 'ExitStarted', exit: { ...rest, ...addresses, outputId, position: Number(position) } }
    }
    case 'EvidenceShown':
    case 'DisputedEvidenceShown': {
      const { outputId, spend, challenger, reward } = event.args
      const place = event.eventName === 'EvidenceShown' ? 0 : Number(event.args.place)
      return { type: 'EvidenceShown', outputId, spend: Number(spend), place, challenger: lower(challenger), reward }
    }
    case 'EvidenceDropped': {
      const { outputId, spend, place } = event.args
      return { type: 'EvidenceDropped', outputId, spend: Number(spend), place: Number(place) }
    }
    case 'DisputeStarted':
      return { type: 'DisputeStarted', ...readStartedDispute(event.args) }
    case 'CompetitorShown': {
      const { txHash, competitor, position, input, challenger, reward } = event.args
      const numbers = { position: Number(position), input: Number(input) }
      return { type: 'CompetitorShown', txHash, competitor, ...numbers, challenger: lower(challenger), reward }
    }
    case 'HaltMoved':
      return { type: 'HaltMoved', ...event.args }
    case 'TransactionDisproved': {
      const { position, prover } = event.args
      return { type: 'TransactionDisproved', position: Number(position), prover: lower(prover) }
    }
    case 'DisputeAnswered':
      return { type: 'DisputeAnswered', txHash: event.args.txHash, position: Number(event.args.position) }
    case 'DisputeDecided': {
      const verdict = VERDICTS[event.args.verdict - 2]
      if (!verdict) throw unknownEvent(log, `verdict ${event.args.verdict}`)
      return { type: 'DisputeDecided', txHash: event.args.txHash, verdict }
    }
    case 'ExitPaid':
      return { type: 'ExitPaid', ...event.args }
    case 'ExitInherited':
      return { type: 'ExitInherited', ...event.args }
    case 'ShareReleased': {
      const { fromOutputId, outputId, amount } = event.args
      return { type: 'ShareReleased', fromOutputId, toOutputId: outputId, amount }
    }
    case 'ExitPostponed':
      return { type: 'ExitPostponed', ...event.args }
    case 'PlaceLeft':
    case 'PlaceFreed': {
      const { token, from, due } = event.args
      return { type: event.eventName, token: lower(token), from, due }
    }
    case 'ExitRemoved': {
      const reason = REMOVAL_REASONS[event.args.reason]
      if (!reason) throw unknownEvent(log, `removal reason ${event.args.reason}`)
      return { type: 'ExitRemoved', outputId: event.args.outputId, reason }
    }
    case 'Credited':
    case 'Withdrawn': {
      const { token, account, amount } = event.args
      return { type: event.eventName, token: lower(token), account: lower(account), amount }
    }
    case 'MandatesRevoked':
      return { type: 'MandatesRevoked', owner: lower(event.args.owner), epoch: Number(event.args.epoch) }
    case 'OperatorNominated':
      return { type: 'OperatorNominated', nominee: lower(event.args.nominee) }
    case 'OperatorRotated':
      return { type: 'OperatorRotated', operator: lower(event.args.operator) }
    default:
      throw unknownEvent(log, `an event of another reader: ${event.eventName}`)
  }
}

type DisputeStartedArguments = Extract<ReturnType<typeof readLog>, { eventName: 'DisputeStarted' }>['args']

function readStartedDispute({ dispute, inputs, outputs, memo, witnesses }: DisputeStartedArguments): StartedDispute {
  const positions = inputs.map(({ position }) => Number(position))
  return {
    dispute: { ...dispute, agePosition: Number(dispute.agePosition), starter: lower(dispute.starter) },
    inputs: inputs.map((input) => ({
      ...input,
      position: Number(input.position),
      owner: lower(input.owner),
      token: lower(input.token),
    })),
    signed: {
      transaction: { inputs: positions, outputs: outputs.map(readOutput), memo },
      witnesses: hexToBytes(witnesses),
    },
  }
}

function readOutput({
  owner,
  token,
  amount,
  condition,
}: Readonly<{ owner: string; token: string } & Omit<Output, 'owner' | 'token'>>): Output {
  return { owner: lower(owner), token: lower(token), amount, condition }
}

function readLog(log: RootLog) {
  try {
    return decodeEventLog({ abi: iLifeboatAbi, topics: [...log.topics] as [Hex, ...Hex[]], data: log.data })
  } catch (cause) {
    throw unknownEvent(log, cause)
  }
}

function unknownEvent(log: RootLog, cause: unknown) {
  return bug(
    'ROOT_EVENT_UNKNOWN',
    'the root contract logged something we cannot read',
    { got: log.topics[0], want: 'an event of ILifeboat' },
    cause,
  )
}

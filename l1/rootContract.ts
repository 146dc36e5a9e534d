/**
 * The root contract in our own words (contracts/ILifeboat.sol): its events as data, its calls as bytes.
 * Nothing here does I/O.
 */
import { decodeEventLog, encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Commitment, Header, InclusionProof } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import type { Dispute, DisputeInput, Verdict } from '../protocol/dispute.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import type { FraudProof } from '../protocol/fraud.ts'
import type { Mandate } from '../protocol/mandate.ts'
import type { Output, SignedTransaction, Transaction } from '../protocol/transaction.ts'
import {
  call,
  disputeArgument,
  disputeInputArgument,
  exitArgument,
  includedArgument,
  inputProofArgument,
  lower,
  mandateArgument,
  NO_HEADER,
  offenceArgument,
  placeArgument,
  provenInputArgument,
  transactionArgument,
} from './rootArguments.ts'
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
  | Readonly<{ type: 'ExitRemoved'; outputId: Hash; reason: RemovalReason }>
  | Readonly<{ type: 'Credited'; token: Address; account: Address; amount: bigint }>
  | Readonly<{ type: 'Withdrawn'; token: Address; account: Address; amount: bigint }>
  | Readonly<{ type: 'MandatesRevoked'; owner: Address; epoch: number }>
  | Readonly<{ type: 'OperatorNominated'; nominee: Address }>
  | Readonly<{ type: 'OperatorRotated'; operator: Address }>
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
    ...(isSuretyLog(log) ? decodeSuretyLog(log) : decodeRootEvent(log, block.timestamp)),
    at: {
      l1Block: block.number,
      l1BlockHash: block.hash,
      l1Timestamp: block.timestamp,
      logIndex: log.logIndex,
      txHash: log.transactionHash,
    },
  }))
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

/** A call to the root contract, ready for the outbox. */
export type RootCall = Readonly<{ data: Hex; valueWei: bigint }>

/** `anchorHash`: hash of the last commitment's anchor block. */
export function encodeSubmitBlocks(firstBlock: number, commitments: readonly Commitment[], anchorHash: Hash): RootCall {
  return call(
    encodeFunctionData({
      abi: iLifeboatAbi,
      functionName: 'submitBlocks',
      args: [BigInt(firstBlock), commitments, anchorHash],
    }),
  )
}

export function encodeDepositEth(owner: Address, amountWei: bigint): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'depositEth', args: [owner] }), amountWei)
}

export function encodeDepositErc20(token: Address, amount: bigint, owner: Address): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'depositErc20', args: [token, amount, owner] }))
}

/** An EIP-2612 permit as the wallet signed it. */
export type Permit = Readonly<{ deadline: bigint; v: number; r: Hash; s: Hash }>

export function encodeDepositErc20WithPermit(token: Address, amount: bigint, owner: Address, permit: Permit): RootCall {
  const { deadline, v, r, s } = permit
  const args = [token, amount, owner, deadline, v, r, s] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'depositErc20WithPermit', args }))
}

/** What shows that an output exists: its transaction and where it is included. */
export type OutputProof = Readonly<{ transaction: Transaction; header: Header; proof: InclusionProof }>

/** Somebody else's signed leave to act. `signature`: 64 bytes, EIP-2098. */
export type SignedMandate = Readonly<{ mandate: Mandate; signature: Hex }>

export type StartExit = Readonly<{
  position: number
  shown: OutputProof
  bondWei: bigint
  /** A child block with young exits below the exit's; 0 when unknown. */
  youngHint?: number
  /** Left out when the owner itself sends. */
  mandate?: SignedMandate
}>

export function encodeStartStandardExit({ position, shown, bondWei, youngHint = 0, mandate }: StartExit): RootCall {
  const args = [
    BigInt(position),
    transactionArgument(shown.transaction),
    shown.proof.witnessesHash,
    { header: shown.header, path: shown.proof.path },
    youngHint,
  ] as const
  if (!mandate) return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startStandardExit', args }), bondWei)
  const forArgs = [...args, mandateArgument(mandate.mandate), mandate.signature] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startStandardExitFor', args: forArgs }), bondWei)
}

export type StartDepositExit = Readonly<{
  position: number
  token: Address
  amount: bigint
  bondWei: bigint
  mandate?: SignedMandate
}>

export function encodeStartDepositExit({ position, token, amount, bondWei, mandate }: StartDepositExit): RootCall {
  const args = [BigInt(position), token, amount] as const
  if (!mandate) return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startDepositExit', args }), bondWei)
  const forArgs = [...args, mandateArgument(mandate.mandate), mandate.signature] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startDepositExitFor', args: forArgs }), bondWei)
}

export type Challenge = Readonly<{
  exit: Exit
  /** Position of the spending transaction. */
  spend: number
  signed: SignedTransaction
  header: Header
  proof: InclusionProof
  /** Index of the exiting output among the transaction's inputs. */
  input: number
}>

export function encodeChallenge({ exit, spend, signed, header, proof, input }: Challenge): RootCall {
  const args = [
    exitArgument(exit),
    BigInt(spend),
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    { header, path: proof.path },
    BigInt(input),
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'challengeStandardExit', args }))
}

/** `place`: the position that the spend names; not looked at for the first piece against an ordinary exit. */
export function encodeDropEvidence(outputId: Hash, spend: number, place = 0): RootCall {
  const args = [outputId, BigInt(spend), BigInt(place)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'dropEvidence', args }))
}

/** Drops evidence whose transaction, shown here, was judged not canonical. */
export function encodeDropRefuted(
  outputId: Hash,
  evidence: EvidenceShown & Required<Pick<EvidenceShown, 'place' | 'included'>>,
): RootCall {
  const args = [outputId, BigInt(evidence.spend), BigInt(evidence.place), includedArgument(evidence)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'dropRefuted', args }))
}

/** What shows that an input of a disputed transaction exists: its transaction and inclusion, or the deposit itself. */
export type InputShown =
  | OutputProof
  | Readonly<{ deposit: Readonly<{ owner: Address; token: Address; amount: bigint }> }>

export type StartDispute = Readonly<{
  signed: SignedTransaction
  /** One for each input, in order. */
  inputs: readonly InputShown[]
  /** The exits that inputs have, queued or tickets, in the order of the inputs. */
  exits: readonly Exit[]
  /** Of the dispute alone. */
  bondWei: bigint
  /** Outputs of the sender's own that leave through it at once, each with a bond. */
  leaving?: Readonly<{ outputs: readonly number[]; bondWeiEach: bigint; youngHint?: number }>
}>

export function encodeStartDispute({ signed, inputs, exits, bondWei, leaving }: StartDispute): RootCall {
  const { outputs = [], bondWeiEach = 0n, youngHint = 0 } = leaving ?? {}
  const args = [
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    inputs.map(inputProofArgument),
    exits.map(exitArgument),
    outputs.map(BigInt),
    youngHint,
    bondWeiEach,
  ] as const
  const valueWei = bondWei + bondWeiEach * BigInt(outputs.length)
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startDispute', args }), valueWei)
}

/** Another transaction that spends an input of the disputed one. */
export type Competitor = Readonly<{
  signed: SignedTransaction
  /** Index of the shared input in the disputed transaction, and in the competitor. */
  input: number
  spends: number
  /** Where it is included; left out: nowhere known. */
  included?: Readonly<{ position: number; header: Header; proof: InclusionProof }>
}>

export function encodeShowCompetitor({ dispute, inputs }: DisputeShown, competitor: Competitor): RootCall {
  const { signed, input, spends, included } = competitor
  const args = [
    disputeArgument(dispute),
    inputs.map(disputeInputArgument),
    BigInt(input),
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    BigInt(spends),
    BigInt(included?.position ?? 0),
    { header: included?.header ?? NO_HEADER, path: included?.proof.path ?? [] },
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'showCompetitor', args }))
}

/** A dispute with its inputs, as its event told them. */
export type DisputeShown = Readonly<{ dispute: Dispute; inputs: readonly DisputeInput[] }>

/** Where a transaction stands. */
export type IncludedAt = Readonly<{ position: number; header: Header; proof: InclusionProof }>

export function encodeAnswerDispute(dispute: Dispute, place: IncludedAt): RootCall {
  const args = [disputeArgument(dispute), placeArgument(place)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'answerDispute', args }))
}

/** `competitors`, `answers`: positions of the included ones after the first of each. */
export function encodeDecide(
  { dispute, inputs }: DisputeShown,
  competitors: readonly number[] = [],
  answers: readonly number[] = [],
): RootCall {
  const pieces = [competitors.map(BigInt), answers.map(BigInt)] as const
  const args = [disputeArgument(dispute), inputs.map(disputeInputArgument), ...pieces] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'decide', args }))
}

export type StartDisputedExits = Readonly<{
  dispute: Dispute
  transaction: Transaction
  /** Of one owner. */
  outputs: readonly number[]
  /** For all together. */
  bondWei: bigint
  youngHint?: number
  mandate?: SignedMandate
}>

export function encodeStartDisputedExits(start: StartDisputedExits): RootCall {
  const { dispute, transaction, outputs, bondWei, youngHint = 0, mandate } = start
  const args = [disputeArgument(dispute), transactionArgument(transaction), outputs.map(BigInt), youngHint] as const
  if (!mandate)
    return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startDisputedExits', args }), bondWei)
  const forArgs = [...args, mandateArgument(mandate.mandate), mandate.signature] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startDisputedExitsFor', args: forArgs }), bondWei)
}

/** A challenge of an exit through a dispute; `made`: where the disputed transaction is included. */
export function encodeDisputedChallenge(challenge: Challenge, made: IncludedAt): RootCall {
  const { exit, spend, signed, header, proof, input } = challenge
  const args = [
    exitArgument(exit),
    placeArgument(made),
    BigInt(spend),
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    { header, path: proof.path },
    BigInt(input),
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'challengeDisputedExit', args }))
}

/** A proof that a transaction of a block breaks one of V1..V6. */
export function encodeFraudProof(proof: FraudProof): RootCall {
  const offence = offenceArgument(proof.offence)
  const abi = iLifeboatAbi
  switch (proof.rule) {
    case 'V1':
      return call(encodeFunctionData({ abi, functionName: 'proveMalformed', args: [offence] }))
    case 'V2':
    case 'V4': {
      const args = [offence, BigInt(proof.input), provenInputArgument(proof.shown)] as const
      const functionName = proof.rule === 'V2' ? 'proveInputMissing' : 'proveForged'
      return call(encodeFunctionData({ abi, functionName, args }))
    }
    case 'V3': {
      const shown = provenInputArgument(proof.shown)
      const earlier = offenceArgument(proof.earlier)
      const args = [offence, BigInt(proof.input), shown, earlier, BigInt(proof.earlierInput)] as const
      return call(encodeFunctionData({ abi, functionName: 'proveDoubleSpend', args }))
    }
    case 'V5': {
      const args = [offence, proof.shown.map(provenInputArgument)] as const
      return call(encodeFunctionData({ abi, functionName: 'proveUnbalanced', args }))
    }
    case 'V6': {
      const exits = proof.exit ? [exitArgument(proof.exit)] : []
      const args = [offence, BigInt(proof.input), provenInputArgument(proof.shown), exits] as const
      return call(encodeFunctionData({ abi, functionName: 'proveLocked', args }))
    }
  }
}

export function encodeHaltAbandoned(): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'haltAbandoned' }))
}

export function encodeCloseChain(): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'closeChain' }))
}

/** What a processor brings, each list in the order of its stream (spec section 5.4). */
export type Turns = Readonly<{
  old: readonly Exit[]
  young: readonly Exit[]
  youngBlocks: readonly Header[]
  evidenceBlocks: readonly Header[]
}>

export function encodeProcessExits(maxCount: number, turns: Turns): RootCall {
  const { old, young, youngBlocks, evidenceBlocks } = turns
  const lists = { old: old.map(exitArgument), young: young.map(exitArgument), youngBlocks, evidenceBlocks }
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'processExits', args: [BigInt(maxCount), lists] }))
}

export function encodeSettle(exits: readonly Exit[]): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'settle', args: [exits.map(exitArgument)] }))
}

/** A piece of evidence as it is on file: it names `place`, and its block has this header. */
export type EvidenceShown = Readonly<{
  spend: number
  /** Left out: the exit's own position, as for every ordinary exit. */
  place?: number
  header: Header
  /** Wanted where the output is contested: what stands at `spend`. */
  included?: Readonly<{ txHash: Hash; proof: InclusionProof }>
}>

/** Without evidence for an exit that is void, invalid, or that a verdict cancelled or removed. */
export function encodeRelease(exit: Exit, evidence?: EvidenceShown): RootCall {
  const { spend = 0, place = exit.position } = evidence ?? {}
  const args = [exitArgument(exit), BigInt(spend), BigInt(place), includedArgument(evidence)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'release', args }))
}

/** Of a canonical dispute: what the place of input `input`'s cancelled ticket pays to output `output`, whose exit is `exit`. */
export type Inherit = Readonly<{ input: number; output: number; exit: Exit }>

export function encodeInherit(
  shown: DisputeShown,
  transaction: Transaction,
  { input, output, exit }: Inherit,
): RootCall {
  const args = [
    disputeArgument(shown.dispute),
    shown.inputs.map(disputeInputArgument),
    BigInt(input),
    transactionArgument(transaction),
    BigInt(output),
    exitArgument(exit),
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'inherit', args }))
}

export function encodeWithdraw(token: Address, account: Address): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'withdraw', args: [token, account] }))
}

export function encodeRevokeMandates(epoch: number): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'revokeMandates', args: [BigInt(epoch)] }))
}

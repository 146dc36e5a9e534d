/** Calls of the in-flight exit game (contracts/ILifeboat.sol; docs/spec.md section 6.3) as bytes. Nothing here does I/O. */
import { encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Header, InclusionProof } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import type { Dispute, DisputeInput } from '../protocol/dispute.ts'
import type { Exit } from '../protocol/exit.ts'
import type { SignedTransaction, Transaction } from '../protocol/transaction.ts'
import {
  call,
  disputeArgument,
  disputeInputArgument,
  exitArgument,
  includedArgument,
  inputProofArgument,
  mandateArgument,
  NO_HEADER,
  NO_PLACE,
  placeArgument,
  transactionArgument,
} from './rootArguments.ts'
import type { Challenge, EvidenceShown, IncludedAt, OutputProof, RootCall, SignedMandate } from './rootCalls.ts'

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
  /** Where what made the input is included, if the competitor names it there and the dispute elsewhere. */
  made?: IncludedAt
  /** Where it is included; left out: nowhere known. */
  included?: Readonly<{ position: number; header: Header; proof: InclusionProof }>
}>

export function encodeShowCompetitor({ dispute, inputs }: DisputeShown, competitor: Competitor): RootCall {
  const { signed, input, spends, made, included } = competitor
  const args = [
    disputeArgument(dispute),
    inputs.map(disputeInputArgument),
    BigInt(input),
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    BigInt(spends),
    made ? placeArgument(made) : NO_PLACE,
    BigInt(included?.position ?? 0),
    { header: included?.header ?? NO_HEADER, path: included?.proof.path ?? [] },
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'showCompetitor', args }))
}

/** A dispute with its inputs, as its event told them. */
export type DisputeShown = Readonly<{ dispute: Dispute; inputs: readonly DisputeInput[] }>

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

/** A challenge of an exit that does not name the output where the spend does; `made`: where what made it (`madeBy`) is included. */
export function encodeChallengeByPlace(challenge: Challenge, madeBy: Hash, made: IncludedAt): RootCall {
  const { exit, spend, signed, header, proof, input } = challenge
  const args = [
    exitArgument(exit),
    madeBy,
    placeArgument(made),
    BigInt(spend),
    transactionArgument(signed.transaction),
    bytesToHex(signed.witnesses),
    { header, path: proof.path },
    BigInt(input),
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'challengeByPlace', args }))
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

/**
 * The court's actions as calls for the outbox (docs/spec.md section 11): calldata, value, and which refusals of the contract mean that
 * somebody else already did it.
 */
import {
  encodeAnswerDispute,
  encodeChallengeByPlace,
  encodeDecide,
  encodeDropRefuted,
  encodeInherit,
  encodeShowCompetitor,
  encodeStartDisputedExits,
} from '../l1/disputeCalls.ts'
import {
  encodeChallenge,
  encodeDropEvidence,
  encodeFraudProof,
  encodeFreePlace,
  encodeHaltAbandoned,
  encodeProcessExits,
  encodeRelease,
  encodeSettle,
  encodeStartDepositExit,
  encodeStartStandardExit,
  encodeWithdraw,
  type RootCall,
} from '../l1/rootCalls.ts'
import { encodeReportFraud } from '../l1/suretyContract.ts'
import type { Address } from '../protocol/bytes.ts'
import { CALL_GAS, TURN_GAS, TURN_RESERVE_GAS } from './court/policy.ts'
import type {
  Action,
  Challenge,
  DropEvidence,
  Release,
  ShowCompetitor,
  StartDisputedExits,
  StartExit,
} from './court/types.ts'
import { BATCH_DONE_ERRORS, batchGasLimit, encodeBatchAction, isBatchAction } from './driverBatches.ts'
import { DATA_DONE_ERRORS, encodeDataAction, isDataAction } from './driverData.ts'
import type { ExitRecord } from './facts.ts'

/** Errors of the contracts after which nothing is left to do: the act was done, by us or another. */
export const DONE_ERRORS: Readonly<Record<Action['type'], readonly string[]>> = {
  challenge: ['EvidenceKnown', 'StateUnexpected'],
  'drop-evidence': ['EvidenceUnknown'],
  'show-competitor': ['PieceKnown', 'DisputeTooLate', 'VerdictUnexpected'],
  'answer-dispute': ['PieceKnown', 'DisputeTooLate', 'VerdictUnexpected'],
  'decide-dispute': ['VerdictUnexpected'],
  'start-exit': ['AlreadyExiting'],
  'start-disputed-exits': ['AlreadyExiting', 'VerdictUnexpected'],
  'process-exits': ['NothingToDo'],
  settle: ['NothingToDo'],
  release: ['StateUnexpected'],
  'free-place': ['NothingToDo'],
  inherit: ['ShareMissing', 'StateUnexpected'],
  withdraw: ['NothingToDo'],
  'prove-fault': ['NothingToDo'],
  'halt-abandoned': ['ChainHalted'],
  ...DATA_DONE_ERRORS,
  ...BATCH_DONE_ERRORS,
}

export function doneErrorsOf(action: Action): readonly string[] {
  return DONE_ERRORS[action.type]
}

/**
 * Gas of calls that the node can't estimate: processing and settling stop early instead of reverting, so that an estimate finds the least
 * gas for nothing at all. Undefined for the others.
 */
export function gasLimitOf(action: Action): bigint | undefined {
  if (isBatchAction(action)) return batchGasLimit(action)
  if (action.type === 'process-exits') return TURN_RESERVE_GAS + CALL_GAS + BigInt(action.count) * TURN_GAS
  return action.type === 'settle' ? TURN_RESERVE_GAS + CALL_GAS + TURN_GAS : undefined
}

/** Acts that L1 takes once, ever: one that was done is never wanted again, whatever the facts still show. */
export function isOnce(action: Action): boolean {
  return action.type === 'inherit' || action.type === 'start-batch' || action.type === 'reclaim-demand'
}

/** `surety` absent: what goes through it is sent to the root contract itself, where that does the same without the reward. */
export type Contracts = Readonly<{ root: Address; surety?: Address | undefined }>

/** What to send, and where. Calls of the surety have their place here. */
export function addressAction(action: Action, { root, surety }: Contracts): RootCall & Readonly<{ to: Address }> {
  const call = encodeAction(action)
  if (action.type === 'prove-fault' && surety) return { ...encodeReportFraud(call), to: surety }
  return { ...call, to: isDataAction(action) && surety ? surety : root }
}

/** As a call of the root contract. */
export function encodeAction(action: Action): RootCall {
  if (isBatchAction(action)) return encodeBatchAction(action)
  switch (action.type) {
    case 'challenge':
      return encodeEvidence(action)
    case 'drop-evidence':
      return encodeDrop(action)
    case 'show-competitor':
      return encodeCompetitor(action)
    case 'answer-dispute':
      return encodeAnswerDispute(action.record.dispute, action.place)
    case 'decide-dispute':
      return encodeDecide(action.record, action.competitors, action.answers)
    case 'start-exit':
      return encodeStart(action)
    case 'start-disputed-exits':
      return encodeStartDisputed(action)
    case 'process-exits':
      return encodeProcessExits(action.count, action.turns)
    case 'settle':
      return encodeSettle([action.record.exit])
    case 'release':
      return encodeReleaseOf(action)
    case 'inherit': {
      const { record, input, output } = action
      // Where nothing is to be paid L1 does not look at the exit.
      const { exit } = (action.exit ?? record.inputExits[input]) as ExitRecord
      return encodeInherit(record, record.signed.transaction, { input, output: output.output, exit })
    }
    case 'free-place':
      return encodeFreePlace(action.token, action.from)
    case 'withdraw':
      return encodeWithdraw(action.token, action.account)
    case 'prove-fault':
      return encodeFraudProof(action.proof)
    case 'halt-abandoned':
      return encodeHaltAbandoned()
    case 'challenge-data':
    case 'reveal-data':
    case 'end-data-challenge':
    case 'break-receipt':
      return encodeDataAction(action)
  }
}

function encodeEvidence({ record, evidence, made }: Challenge): RootCall {
  const { spend, signed, header, proof, input } = evidence
  const challenge = { exit: record.exit, spend, signed, header, proof, input }
  return made ? encodeChallengeByPlace(challenge, made.txHash, made) : encodeChallenge(challenge)
}

function encodeDrop({ record, spend, place, refuted }: DropEvidence): RootCall {
  const { outputId } = record.exit
  if (!refuted) return encodeDropEvidence(outputId, spend, place)
  const { txHash, header, proof } = refuted
  return encodeDropRefuted(outputId, { spend, place, header, included: { txHash, proof } })
}

function encodeCompetitor({ record, input, evidence }: ShowCompetitor): RootCall {
  const { spend, signed, header, proof, input: spends, made } = evidence
  const included = { position: spend, header, proof }
  return encodeShowCompetitor(record, { signed, input, spends, ...(made && { made }), included })
}

function encodeReleaseOf({ record, spend, place, header, shown }: Release): RootCall {
  if (spend === 0) return encodeRelease(record.exit)
  const included = shown && { txHash: shown.txHash, proof: shown.proof }
  return encodeRelease(record.exit, { spend, place, header, ...(included && { included }) })
}

function encodeStartDisputed({ record, outputs, account, bondWei, youngHint }: StartDisputedExits): RootCall {
  return encodeStartDisputedExits({
    dispute: record.dispute,
    transaction: record.signed.transaction,
    outputs: outputs.map(({ output }) => output),
    bondWei,
    youngHint,
    mandate: { mandate: account.mandate, signature: account.signature },
  })
}

function encodeStart({ output, account, bondWei, youngHint }: StartExit): RootCall {
  const { position, shown, token, amount } = output
  const mandate = { mandate: account.mandate, signature: account.signature }
  if (!shown) return encodeStartDepositExit({ position, token, amount, bondWei, mandate })
  return encodeStartStandardExit({ position, shown, bondWei, youngHint, mandate })
}

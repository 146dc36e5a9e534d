/**
 * The court's actions as calls for the outbox (docs/spec.md section 11): calldata, value, and which refusals of the contract mean that
 * somebody else already did it.
 */
import {
  encodeChallenge,
  encodeDropEvidence,
  encodeProcessExits,
  encodeRelease,
  encodeSettle,
  encodeStartDepositExit,
  encodeStartStandardExit,
  encodeWithdraw,
  type RootCall,
} from '../l1/rootContract.ts'
import { CALL_GAS, TURN_GAS, TURN_RESERVE_GAS } from './court/policy.ts'
import type { Action, StartExit } from './court/types.ts'

/** Errors of the root contract after which nothing is left to do: the act was done, by us or another. */
const DONE_ERRORS: Readonly<Record<Action['type'], readonly string[]>> = {
  challenge: ['EvidenceKnown', 'StateUnexpected'],
  'drop-evidence': ['EvidenceUnknown'],
  'start-exit': ['AlreadyExiting'],
  'process-exits': ['NothingToDo'],
  settle: ['NothingToDo'],
  release: ['StateUnexpected'],
  withdraw: ['NothingToDo'],
}

export function doneErrorsOf(action: Action): readonly string[] {
  return DONE_ERRORS[action.type]
}

/**
 * Gas of calls that the node can't estimate: processing and settling stop early instead of reverting, so that an estimate finds the least
 * gas for nothing at all. Undefined for the others.
 */
export function gasLimitOf(action: Action): bigint | undefined {
  if (action.type === 'process-exits') return TURN_RESERVE_GAS + CALL_GAS + BigInt(action.count) * TURN_GAS
  return action.type === 'settle' ? TURN_RESERVE_GAS + CALL_GAS + TURN_GAS : undefined
}

export function encodeAction(action: Action): RootCall {
  switch (action.type) {
    case 'challenge': {
      const { spend, signed, header, proof, input } = action.evidence
      return encodeChallenge({ exit: action.record.exit, spend, signed, header, proof, input })
    }
    case 'drop-evidence':
      return encodeDropEvidence(action.record.exit.outputId, action.spend)
    case 'start-exit':
      return encodeStart(action)
    case 'process-exits':
      return encodeProcessExits(action.count, action.turns)
    case 'settle':
      return encodeSettle([action.record.exit])
    case 'release':
      return encodeRelease(action.record.exit, action.spend, action.header)
    case 'withdraw':
      return encodeWithdraw(action.token, action.account)
  }
}

function encodeStart({ output, account, bondWei, youngHint }: StartExit): RootCall {
  const { position, shown, token, amount } = output
  const mandate = { mandate: account.mandate, signature: account.signature }
  if (!shown) return encodeStartDepositExit({ position, token, amount, bondWei, mandate })
  return encodeStartStandardExit({ position, shown, bondWei, youngHint, mandate })
}

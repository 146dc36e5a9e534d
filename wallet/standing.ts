/**
 * How a payment stands (docs/guide-wallet.md, "How a payment stands"), from what L1 keeps and from proofs that L1 confirms. The operator is
 * believed in one thing only, and only until its block is there: that it acknowledged the payment. Pure.
 */
import { voidableUntil } from '../protocol/exit.ts'
import { decodePosition } from '../protocol/position.ts'
import type { SignedReceipt } from '../protocol/receipt.ts'
import { isDead } from './exitChoice.ts'
import type { VerdictState } from './ports.ts'
import type { PaymentState } from './store.ts'

/**
 * soft: the operator acknowledged it, and its block may still come. included: proven to stand in a block on L1. final: that block can't be
 * voided any more, or a verdict stands for it. void: no block will carry it. unknown: it should be on L1 and nobody shows it there, or
 * nobody acknowledged it. refused: the operator said no, or another payment took its place.
 */
export type Standing = 'soft' | 'included' | 'final' | 'void' | 'unknown' | 'refused'

export type PaymentFacts = Readonly<{
  txHash: string
  /** Where it stands or was promised to; left out where nobody said. */
  position?: number
  /** What is proven to stand there. `unshown`: nothing is. */
  shown: 'it' | 'another' | 'unshown'
  /** Of that block on L1, L1 seconds; left out where L1 has no such block. */
  blockTime?: number
  /** Recorded on L1 as proven invalid, by that place. */
  isInvalid: boolean
  verdict: VerdictState
  /** Child block of its youngest input that is no deposit. */
  youngestInput?: number
  /** L1 seconds: until then a dispute stops the exits that inputs have on L1; left out where they have none. */
  disputeUntil?: number
  /** What the operator answered to this wallet, where it was asked. */
  answer?: PaymentState
  /** Since when it is known and in no block on L1; L1 seconds. */
  softSince?: number
  /** The operator's signed promise, its signature and anchor checked by whoever gives it. It says exactly when a block is overdue. */
  receipt?: SignedReceipt
  now: Readonly<{ l1Block: number; timestamp: number }>
  head: Readonly<{ newest: number; voidFrom: number }>
  parameters: Readonly<{ minExitPeriod: number; anchorAgeBlocks: number; slot: number; reaction: number }>
}>

export type PaymentStanding = Readonly<{
  txHash: string
  standing: Standing
  position?: number
  /** Child block; of a `soft` payment the promised one. */
  block?: number
  /** L1 seconds: it is final when time is past this. Of `included` and `final` by a block. */
  finalAfter?: number
  why: string
  /** What to do, where something is to be done. */
  todo?: string
  /** L1 seconds: by when. */
  doBy?: number
  receipt?: SignedReceipt
}>

/** Total and deterministic. */
export function judgePayment(facts: PaymentFacts): PaymentStanding {
  const { txHash, position, receipt } = facts
  const block = position === undefined ? undefined : decodePosition(position).block
  return {
    txHash,
    ...(position === undefined ? {} : { position, block: decodePosition(position).block }),
    ...(receipt ? { receipt } : {}),
    ...judge(facts, block),
  }
}

type Judged = Pick<PaymentStanding, 'standing' | 'why' | 'todo' | 'doBy' | 'finalAfter'>

function judge(facts: PaymentFacts, block: number | undefined): Judged {
  const { verdict, isInvalid, shown, head, now, parameters, blockTime, answer } = facts
  if (verdict === 'canonical') return { standing: 'final', why: 'the verdict of its dispute is that it counts' }
  if (verdict === 'not-canonical') {
    return {
      standing: 'void',
      why: 'the verdict of its dispute is that it never counted',
      todo: 'payers: `lifeboat process` takes your inputs out; payees: the payer owes you still',
    }
  }
  if (block === undefined && (answer === 'rejected' || answer === 'replaced')) {
    return {
      standing: 'refused',
      why: answer === 'rejected' ? 'the operator refused it' : 'another payment took its place',
    }
  }
  const isVoid = head.voidFrom !== 0 && (block === undefined || block >= head.voidFrom)
  if (isVoid) return voided(facts, block)
  if (shown !== 'it' || block === undefined || blockTime === undefined) return judgeUnshown(facts, block)
  if (isInvalid) return { standing: 'void', why: `it was proven invalid in block ${block}` }
  const finalAfter = voidableUntil(blockTime, parameters.minExitPeriod)
  return now.timestamp > finalAfter
    ? { standing: 'final', finalAfter, why: `block ${block} can not be voided any more` }
    : { standing: 'included', finalAfter, why: `proven to stand in block ${block}, which could still be voided` }
}

function voided(
  { txHash, verdict, youngestInput, head, disputeUntil }: PaymentFacts,
  block: number | undefined,
): Judged {
  const why = `the chain was halted ${block === undefined ? 'before a block held it' : `at or below block ${block}`}`
  if (isDead({ ...(youngestInput === undefined ? {} : { youngestInput }) }, head.voidFrom)) {
    return {
      standing: 'void',
      why: `${why}, and so at or below the block of what it spent: it can never count`,
      todo: 'leave with what is yours otherwise: `lifeboat exit --all`',
    }
  }
  return {
    standing: 'void',
    why,
    todo:
      verdict === 'running'
        ? 'its dispute runs and decides whether it counts: `lifeboat process`'
        : `it can still be carried out by its dispute: \`lifeboat exit --in-flight ${txHash}\`, before the payer takes out what it spent`,
    ...(verdict === 'running' || disputeUntil === undefined ? {} : { doBy: disputeUntil }),
  }
}

/** On a living chain, or of a block below the halt; nobody shows it. */
function judgeUnshown(facts: PaymentFacts, block: number | undefined): Judged {
  const { txHash, shown, head, now, parameters, verdict, blockTime } = facts
  const leave =
    verdict === 'running' ? '`lifeboat process`: its dispute runs' : `\`lifeboat exit --in-flight ${txHash}\``
  if (block === undefined) {
    return {
      standing: 'unknown',
      why: 'nobody said that a block will hold it',
      todo: `run the command again, it asks the operator; without an answer: ${leave}`,
    }
  }
  if (block > head.newest) {
    const soft = { standing: 'soft', why: `the operator promised it a place in block ${block}` } as const
    if (!isOverdue(facts)) return verdict === 'running' ? { ...soft, todo: leave } : soft
    return {
      standing: 'unknown',
      why: `block ${block} is overdue: L1 does not take it as it was promised`,
      todo: leave,
    }
  }
  const { minExitPeriod, reaction } = parameters
  const ends = [
    ...(blockTime === undefined ? [] : [voidableUntil(blockTime, minExitPeriod) - reaction]),
    ...(facts.disputeUntil === undefined ? [] : [facts.disputeUntil]),
  ]
  const doBy = ends.length === 0 ? undefined : Math.min(...ends)
  const why =
    shown === 'another'
      ? `another transaction stands in block ${block} where the operator promised it`
      : `block ${block} is on L1 and nobody shows that it holds the payment`
  const isLate = doBy !== undefined && now.timestamp > doBy
  const hurry = isLate ? ' (the time for it is nearly or wholly over: do it now)' : ''
  return { standing: 'unknown', why, todo: `${leave}${hurry}`, ...(doBy === undefined ? {} : { doBy }) }
}

/** Every block that could hold it by an honest operator's promise would be on L1 by now. */
function isOverdue({ receipt, softSince, now, parameters }: PaymentFacts): boolean {
  const { anchorAgeBlocks, slot } = parameters
  if (receipt) return now.l1Block > receipt.receipt.anchor + anchorAgeBlocks
  return softSince !== undefined && now.timestamp > softSince + anchorAgeBlocks * slot
}

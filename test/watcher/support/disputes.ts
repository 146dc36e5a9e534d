/** Disputes by hand: what the root contract would say about a transaction in flight, and exits through it. */
import type { RootEventBody } from '../../../l1/rootEvents.ts'
import { type Hash, hexToBytes, ZERO_HASH } from '../../../protocol/bytes.ts'
import { type DisputeInput, disputeAge, disputeMaturity, hashDisputeInputs } from '../../../protocol/dispute.ts'
import { type Exit, maturityOf } from '../../../protocol/exit.ts'
import { depositIdOf, isDepositPosition, OUTPUT_LIMIT, outputIdOf } from '../../../protocol/position.ts'
import type { SignedTransaction } from '../../../protocol/transaction.ts'
import { type Actor, hashOf } from './chain.ts'
import { PARAMETERS } from './core.ts'
import type { FakeL1 } from './l1.ts'

const MEP = PARAMETERS.minExitPeriod

export type DisputeStarted = Extract<RootEventBody, { type: 'DisputeStarted' }>

/** An output that the disputed transaction spends. `made`, `blockTime`: left out for a deposit. */
export type Spent = Readonly<{
  owner: Actor
  amount: bigint
  made?: SignedTransaction
  blockTime?: number
  /** Locked before, in this L1 block. */
  lockedAt?: number
}>

/** The event of a dispute that starts in the L1 block mined next. */
export function disputeOf(
  l1: FakeL1,
  signed: SignedTransaction,
  spent: readonly Spent[],
  starter: Actor,
): DisputeStarted {
  const [l1Block, startedAt] = [l1.tip().number + 1, l1.now() + 12]
  const inputs = spent.map(({ owner, amount, made, lockedAt }, i): DisputeInput => {
    const position = signed.transaction.inputs[i] as number
    const txHash = made ? hashOf(made) : ZERO_HASH
    return {
      outputId: isDepositPosition(position)
        ? depositIdOf(position)
        : outputIdOf(hexToBytes(txHash), position % OUTPUT_LIMIT),
      madeBy: txHash,
      position,
      owner: owner.address,
      token: signed.transaction.outputs[0]?.token ?? owner.address,
      amount,
      lockedAt: lockedAt ?? l1Block,
    }
  })
  const age = disputeAge(inputs.map(({ position }, i) => ({ position, blockTime: spent[i]?.blockTime })))
  const dispute = {
    txHash: hashOf(signed),
    ...age,
    startedAt,
    exitableAt: disputeMaturity(startedAt, MEP, age.ageTime),
    lockedAt: Math.min(...inputs.map((input) => input.lockedAt)),
    suspends: 2 ** inputs.length - 1,
    starter: starter.address,
    bond: 7n,
    inputsHash: hashDisputeInputs(inputs),
  }
  return { type: 'DisputeStarted', dispute, inputs, signed }
}

export type ThroughParts = Readonly<{
  output: number
  seq?: number
  /** Locked before, in this L1 block. */
  lockedAt?: number
  payer?: Actor
}>

/** An exit through the dispute that starts in the L1 block mined next. */
export function exitThrough(l1: FakeL1, { dispute, signed }: DisputeStarted, parts: ThroughParts): Exit {
  const { output, seq = 0, lockedAt = l1.tip().number + 1, payer } = parts
  const made = signed.transaction.outputs[output]
  if (!made) throw new Error(`the disputed transaction has no output ${output}`)
  const startedAt = l1.now() + 12
  return {
    outputId: outputIdOf(hexToBytes(dispute.txHash), output),
    position: dispute.agePosition,
    owner: made.owner,
    token: made.token,
    amount: made.amount,
    ...maturityOf(startedAt, MEP, dispute.ageTime || undefined),
    seq,
    startedAt,
    lockedAt,
    payer: payer?.address ?? made.owner,
    bond: 1n,
    disputed: dispute.txHash,
  }
}

export function started(exit: Exit): RootEventBody {
  return { type: 'ExitStarted', exit }
}

export function decided(txHash: Hash, verdict: 'canonical' | 'not-canonical'): RootEventBody {
  return { type: 'DisputeDecided', txHash, verdict }
}

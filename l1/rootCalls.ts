/** Calls to the root contract (contracts/ILifeboat.sol) as bytes: blocks, deposits, exits, proofs, turns. Nothing here does I/O. */
import { encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Commitment, Header, InclusionProof } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import type { FraudProof } from '../protocol/fraud.ts'
import type { Mandate } from '../protocol/mandate.ts'
import type { SignedTransaction, Transaction } from '../protocol/transaction.ts'
import { encodeProveLockedInBatch } from './massExitContract.ts'
import {
  call,
  exitArgument,
  includedArgument,
  mandateArgument,
  offenceArgument,
  provenInputArgument,
  transactionArgument,
} from './rootArguments.ts'

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

/** Where a transaction stands. */
export type IncludedAt = Readonly<{ position: number; header: Header; proof: InclusionProof }>

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
      if (proof.locking) {
        const { batch, entry, tree } = proof.locking
        return encodeProveLockedInBatch(proof.offence, proof.input, proof.shown, batch, { entry, tree })
      }
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

/** A place that was given up (`PlaceLeft`), once the line has got there. */
export function encodeFreePlace(token: Address, from: bigint): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'freePlace', args: [token, from] }))
}

export function encodeWithdraw(token: Address, account: Address): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'withdraw', args: [token, account] }))
}

export function encodeRevokeMandates(epoch: number): RootCall {
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'revokeMandates', args: [BigInt(epoch)] }))
}

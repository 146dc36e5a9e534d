/** Values of the project as the root contract's and the surety's calls want them. */
import type { Header } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hex, ZERO_HASH } from '../protocol/bytes.ts'
import type { Dispute, DisputeInput } from '../protocol/dispute.ts'
import type { Exit } from '../protocol/exit.ts'
import type { PlacedTransaction, InputShown as ProvenInput } from '../protocol/fraud.ts'
import type { Mandate } from '../protocol/mandate.ts'
import type { Transaction } from '../protocol/transaction.ts'
import type { InputShown } from './disputeCalls.ts'
import type { EvidenceShown, IncludedAt, RootCall } from './rootCalls.ts'

/** Where a call takes a header and does not look at it. */
export const NO_HEADER: Header = { root: ZERO_HASH, timestamp: 0, txCount: 0, anchor: 0 }

export function call(data: Hex, valueWei = 0n): RootCall {
  return { data, valueWei }
}

export function exitArgument(exit: Exit) {
  return { ...exit, position: BigInt(exit.position) }
}

export function transactionArgument({ inputs, outputs, memo }: Transaction) {
  return { inputs: inputs.map(BigInt), outputs, memo }
}

export function disputeArgument(dispute: Dispute) {
  return { ...dispute, agePosition: BigInt(dispute.agePosition) }
}

export function disputeInputArgument(input: DisputeInput) {
  return { ...input, position: BigInt(input.position) }
}

export function includedArgument(evidence: EvidenceShown | undefined) {
  const { header = NO_HEADER, included } = evidence ?? {}
  return {
    txHash: included?.txHash ?? ZERO_HASH,
    witnessesHash: included?.proof.witnessesHash ?? ZERO_HASH,
    proof: { header, path: included?.proof.path ?? [] },
  }
}

export const NO_PLACE = { position: 0n, witnessesHash: ZERO_HASH, proof: { header: NO_HEADER, path: [] } } as const

export function placeArgument({ position, header, proof }: IncludedAt) {
  return {
    position: BigInt(position),
    witnessesHash: proof.witnessesHash,
    proof: { header, path: proof.path },
  }
}

export function inputProofArgument(shown: InputShown) {
  if ('deposit' in shown) {
    const outputs = [{ ...shown.deposit, condition: ZERO_HASH }]
    const proof = { header: NO_HEADER, path: [] }
    return { transaction: { inputs: [], outputs, memo: ZERO_HASH }, witnessesHash: ZERO_HASH, proof }
  }
  const { transaction, header, proof } = shown
  const inclusion = { header, path: proof.path }
  return { transaction: transactionArgument(transaction), witnessesHash: proof.witnessesHash, proof: inclusion }
}

export function offenceArgument({ position, signed, header, proof }: PlacedTransaction) {
  return {
    position: BigInt(position),
    transaction: transactionArgument(signed.transaction),
    witnesses: bytesToHex(signed.witnesses),
    proof: { header, path: proof.path },
  }
}

const NO_TRANSACTION = { inputs: [], outputs: [], memo: ZERO_HASH } as const

export function provenInputArgument(shown: ProvenInput) {
  switch (shown.kind) {
    case 'nothing':
      return { transaction: NO_TRANSACTION, witnessesHash: ZERO_HASH, proof: { header: NO_HEADER, path: [] } }
    case 'beyond':
      return { transaction: NO_TRANSACTION, witnessesHash: ZERO_HASH, proof: { header: shown.header, path: [] } }
    case 'deposit':
      return inputProofArgument(shown)
    case 'transaction': {
      const { signed, header, proof } = shown.at
      return inputProofArgument({ transaction: signed.transaction, header, proof })
    }
  }
}

export function mandateArgument(mandate: Mandate) {
  const { validFrom, validUntil, position, epoch } = mandate
  return {
    ...mandate,
    validFrom: BigInt(validFrom),
    validUntil: BigInt(validUntil),
    position: BigInt(position),
    epoch: BigInt(epoch),
  }
}

export function lower(address: string): Address {
  return address.toLowerCase() as Address
}

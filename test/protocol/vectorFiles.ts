/** The golden vectors' files and their shapes: amounts are decimal text, everything else is as the protocol types it. */
import { readFileSync } from 'node:fs'
import type { Header } from '../../protocol/block.ts'
import type { Address, Hash, Hex } from '../../protocol/bytes.ts'
import type { Dispute, DisputeInput } from '../../protocol/dispute.ts'
import type { Domain } from '../../protocol/eip712.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Mandate } from '../../protocol/mandate.ts'
import type { Output, Transaction } from '../../protocol/transaction.ts'

/** Amounts as JSON has them. */
export type InJson<T> = { [K in keyof T]: T[K] extends bigint ? string : T[K] }
export type TransactionInJson = Omit<Transaction, 'outputs'> & { outputs: InJson<Output>[] }

export type PositionVectors = {
  positions: { block: number; index: number; output: number; position: number; deposit: boolean; depositId?: Hash }[]
  outputIds: { txHash: Hash; output: number; outputId: Hash }[]
  notPositions: string[]
}
export type TransactionVectors = {
  domain: Domain
  separator: Hash
  cases: {
    name: string
    transaction: TransactionInJson
    witnesses: Hex
    signers: Address[]
    structHash: Hash
    txHash: Hash
    witnessesHash: Hash
    leaf: Hash
    encoded: Hex
  }[]
}
export type SignatureVector = { name?: string; digest: Hash; signature: Hex; signer: Address | null }
type Refused = { name: string; encoded: Hex; code: string; fault: string }
export type CodecVectors = {
  transactions: { encoded: Hex; transaction: TransactionInJson; witnesses: Hex }[]
  refusedTransactions: Refused[]
  bodies: { block: number; anchor: number; transactions: Hex[]; encoded: Hex }[]
  refusedBodies: Refused[]
}
export type ProofVector = {
  name: string
  leaf: Hash
  index: number
  txCount: number
  root: Hash
  path: Hash[]
  included: boolean
}
export type TreeVectors = { trees: { txCount: number; root: Hash }[]; proofs: ProofVector[] }
export type HeaderVector = { header: Header; hash: Hash }
export type ExitVector = { exit: InJson<Exit>; hash: Hash }
export type DisputeVector = {
  dispute: InJson<Dispute>
  inputs: InJson<DisputeInput>[]
  inputsHash: Hash
  hash: Hash
}
export type MandateVectors = {
  domain: Domain
  separator: Hash
  mandates: { mandate: InJson<Mandate>; digest: Hash; signature: Hex }[]
  revocations: { owner: Address; epoch: number; digest: Hash; signature: Hex }[]
  coverage: {
    mandate: InJson<Mandate>
    exit: { owner: Address; delegate: Address; position: number; amount: string; now: number }
    fault: string | null
  }[]
}
export type FeeVectors = {
  fees: {
    slowFeeGwei: string
    elapsedSeconds: string
    baseFeeWei: string
    decayedGwei: string
    nextSlowFeeGwei: string
    bondFeeGwei: string
    bondWei: string
  }[]
  splits: { bond: string; challenger: string; bounty: string; burnt: string }[]
}

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T
}

export function parseTransaction({ inputs, outputs, memo }: TransactionInJson): Transaction {
  return { inputs, outputs: outputs.map((output) => ({ ...output, amount: BigInt(output.amount) })), memo }
}

export function parseExit(exit: InJson<Exit>): Exit {
  return { ...exit, amount: BigInt(exit.amount), bond: BigInt(exit.bond) }
}

export function parseDispute(dispute: InJson<Dispute>): Dispute {
  return { ...dispute, bond: BigInt(dispute.bond) }
}

export function parseDisputeInput(input: InJson<DisputeInput>): DisputeInput {
  return { ...input, amount: BigInt(input.amount) }
}

export function parseMandate(mandate: InJson<Mandate>): Mandate {
  return { ...mandate, minAmount: BigInt(mandate.minAmount), maxFee: BigInt(mandate.maxFee) }
}

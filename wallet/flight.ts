/**
 * What an in-flight exit shows (docs/spec.md section 6.3.1), checked before any bond is sent: the whole signed transaction, and for each
 * input what shows that it exists. A transaction of somebody else is believed no more than any other data.
 */
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, type LifeboatError } from '../protocol/errors.ts'
import {
  findFormFault,
  hashTransaction,
  type SignedTransaction,
  WITNESS_SIZE,
  witnessOf,
} from '../protocol/transaction.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { WalletContext } from './context.ts'
import type { ProvenOutput } from './exitData.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

/** A transaction, perhaps in flight. `position`: of output 0, as the operator promised it; undefined where nobody said. */
export type Flight = Readonly<{
  txHash: Hash
  signed: SignedTransaction
  position?: number
  /** Who gave it: "saved", a source's name, "L1", a file. */
  from: string
}>

/** All inputs proven, all signatures their owners', the sums even: the root contract takes it. */
export type ProvenFlight = Flight & Readonly<{ inputs: readonly ProvenExitData[] }>

export type UnprovenInput = Readonly<{ position: number; error: LifeboatError }>

/** The transaction's hash. Throws FLIGHT_WRONG unless it is well formed (V1), with a witness for each input. */
export function checkForm(signed: SignedTransaction, separator: Uint8Array): Hash {
  const fault = findFormFault(signed)
  if (fault) throw invalid('FLIGHT_WRONG', `this is no complete transaction (${fault.code})`, fault)
  return bytesToHex(hashTransaction(signed.transaction, separator))
}

/** Of every input what shows that it exists, from whoever has it, saved as soon as it is proven. */
export async function collectInputs(
  wallet: WalletContext,
  { transaction }: SignedTransaction,
): Promise<Readonly<{ proven: readonly ProvenExitData[]; unproven: readonly UnprovenInput[] }>> {
  const proven: ProvenExitData[] = []
  const unproven: UnprovenInput[] = []
  for (const position of transaction.inputs) {
    try {
      proven.push(await obtainExitData(wallet, position, 'any'))
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      unproven.push({ position, error })
    }
  }
  return { proven, unproven }
}

/**
 * Throws FLIGHT_UNSIGNED when an input's witness is not that of its owner: a swap that only one side signed, or a forgery. Inputs that
 * are not proven yet are not looked at.
 */
export function checkWitnesses(
  { transaction, witnesses }: SignedTransaction,
  txHash: Hash,
  { outputs, separator }: Readonly<{ outputs: readonly ProvenOutput[]; separator: Uint8Array }>,
): void {
  const digest = hashTransaction(transaction, separator)
  for (const { position, owner } of outputs) {
    const got = recoverAddress(digest, witnessOf(witnesses, transaction.inputs.indexOf(position)))
    if (got === owner) continue
    throw invalid(
      'FLIGHT_UNSIGNED',
      "an input is not signed by its owner, so that this can't be disputed and can't count",
      {
        got: got ?? 'no signer',
        want: owner,
        input: position,
        txHash,
      },
    )
  }
}

/** The transaction with, for each input that is proven, the signature of its owner, if it is among these. */
export function mendWitnesses(
  { transaction, witnesses }: SignedTransaction,
  variants: readonly SignedTransaction[],
  { outputs, separator }: Readonly<{ outputs: readonly ProvenOutput[]; separator: Uint8Array }>,
): SignedTransaction {
  const digest = hashTransaction(transaction, separator)
  const mended = Uint8Array.from(witnesses)
  for (const { position, owner } of outputs) {
    const index = transaction.inputs.indexOf(position)
    const isOwners = (witness: Uint8Array) => recoverAddress(digest, witness) === owner
    if (isOwners(witnessOf(mended, index))) continue
    const found = variants.map((one) => witnessOf(one.witnesses, index)).find(isOwners)
    if (found) mended.set(found, index * WITNESS_SIZE)
  }
  return { transaction, witnesses: mended }
}

/** Whether the owner signed the spend of this input: a transaction that says so without that signature says nothing. */
export function isSpentBy(
  { transaction, witnesses }: SignedTransaction,
  input: number,
  { owner, separator }: Readonly<{ owner: Address; separator: Uint8Array }>,
): boolean {
  const index = transaction.inputs.indexOf(input)
  if (index < 0) return false
  return recoverAddress(hashTransaction(transaction, separator), witnessOf(witnesses, index)) === owner
}

/** V5. Throws FLIGHT_UNBALANCED. `outputs`: of all inputs. */
export function checkBalance({ transaction }: SignedTransaction, outputs: readonly ProvenOutput[]): void {
  const rest = new Map<Address, bigint>()
  const add = (token: Address, amount: bigint) => rest.set(token, (rest.get(token) ?? 0n) + amount)
  for (const { token, amount } of outputs) add(token, amount)
  for (const { token, amount } of transaction.outputs) add(token, -amount)
  for (const [token, difference] of rest) {
    if (difference === 0n) continue
    throw invalid('FLIGHT_UNBALANCED', 'inputs and outputs do not add up: no block may hold this', {
      got: `inputs minus outputs: ${difference} of token ${token}`,
      want: '0 for every token',
    })
  }
}

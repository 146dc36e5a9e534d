/**
 * Transactions that somebody showed to L1 as evidence or as a competitor (docs/spec.md sections 5.2 and 6.3.4). Their events name a place
 * only; the call holds the whole transaction with its signatures. For a half-signed swap that is where its other half comes to light.
 */
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { findFormFault, hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import type { Flight } from './flight.ts'

/** The transaction, if it was shown against an exit of one of these outputs, or as a competitor in any dispute. */
export async function findShown(
  { root, separator }: Pick<WalletContext, 'root' | 'separator'>,
  txHash: Hash,
  outputIds: readonly Hash[],
): Promise<Flight | undefined> {
  for (const outputId of outputIds) {
    for (const event of await root.events({ types: ['EvidenceShown'], outputId })) {
      if (event.type !== 'EvidenceShown' || event.outputId !== outputId) continue
      const calldata = await root.callData(event.at.txHash)
      const signed = calldata === undefined ? undefined : readShown(calldata)
      if (!signed || bytesToHex(hashTransaction(signed.transaction, separator)) !== txHash) continue
      return { txHash, signed, position: event.spend, from: 'L1' }
    }
  }
  for (const event of await root.events({ types: ['CompetitorShown'] })) {
    if (event.type !== 'CompetitorShown' || event.competitor !== txHash) continue
    const calldata = await root.callData(event.at.txHash)
    const signed = calldata === undefined ? undefined : readShown(calldata)
    // One that was shown in no block may carry one signature only.
    if (!signed || findFormFault(signed) || bytesToHex(hashTransaction(signed.transaction, separator)) !== txHash)
      continue
    return { txHash, signed, ...(event.position === 0 ? {} : { position: event.position }), from: 'L1' }
  }
  return undefined
}

/** Undefined for any other call, or one that went through another contract. */
function readShown(calldata: Hex): SignedTransaction | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: iLifeboatAbi, data: calldata })
    if (functionName === 'challengeStandardExit') return signedOf(args[2], args[3])
    if (functionName === 'challengeByPlace') return signedOf(args[4], args[5])
    if (functionName === 'showCompetitor') return signedOf(args[3], args[4])
    return undefined
  } catch {
    return undefined
  }
}

type Argument = Readonly<{
  inputs: readonly bigint[]
  outputs: readonly Readonly<{ owner: string; token: string; amount: bigint; condition: Hex }>[]
  memo: Hex
}>

function signedOf({ inputs, outputs, memo }: Argument, witnesses: Hex): SignedTransaction {
  const lower = (address: string) => address.toLowerCase() as Address
  const made = outputs.map((output) => ({ ...output, owner: lower(output.owner), token: lower(output.token) }))
  return { transaction: { inputs: inputs.map(Number), outputs: made, memo }, witnesses: hexToBytes(witnesses) }
}

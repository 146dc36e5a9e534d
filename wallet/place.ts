/**
 * Which transaction stands at a place on L1, proven. The proof of any of its outputs shows it; watchers show none of spent ones, so several
 * are asked for, and those that the wallet keeps first.
 */
import type { Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { outputIdAt } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import type { Flight } from './flight.ts'
import { obtainExitData } from './proofs.ts'

/** Outputs that sources are asked for, beside those whose proofs are kept. */
const MOST_ASKED = 4

export type PlaceShown = Readonly<{
  what: 'it' | 'another' | 'unshown'
  /** Of the block, L1 seconds; where something is shown. */
  blockTime?: number
}>

/** `flight`: the transaction, as far as it is known; without it output 0 is asked for. */
export async function lookAtPlace(
  wallet: WalletContext,
  {
    position,
    txHash,
    flight,
  }: Readonly<{ position: number; txHash: Hash; flight?: Pick<Flight, 'signed'> | undefined }>,
): Promise<PlaceShown> {
  for (const output of outputsToAsk(wallet, position, flight)) {
    try {
      const { output: shown } = await obtainExitData(wallet, position + output, 'any')
      const what = shown.outputId === outputIdAt(position + output, txHash) ? 'it' : 'another'
      return { what, ...(shown.madeAt === undefined ? {} : { blockTime: shown.madeAt }) }
    } catch (error) {
      if (!isLifeboatError(error)) throw error
    }
  }
  return { what: 'unshown' }
}

function outputsToAsk({ store, account }: WalletContext, position: number, flight?: Pick<Flight, 'signed'>): number[] {
  const outputs = flight?.signed.transaction.outputs ?? []
  const all = outputs.length === 0 ? [0] : outputs.map((_, i) => i)
  const kept = all.filter((i) => store.proof(position + i) !== undefined)
  const own = all.filter((i) => outputs[i]?.owner === account.address)
  const asked = [...new Set([...own, ...all])].filter((i) => !kept.includes(i)).slice(0, MOST_ASKED)
  return [...kept, ...asked]
}

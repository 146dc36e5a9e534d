/**
 * Proofs of our outputs (docs/spec.md section 11): fetched from whoever has them, proven against L1, and kept, so that the owner can
 * leave when nobody serves anything any more.
 */
import type { ExitData } from '../api/schemas.ts'
import { hashHeader } from '../protocol/block.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { decodePosition, depositIdOf, isDepositPosition } from '../protocol/position.ts'
import { createOutput } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import { type ProvenOutput, proveExitData } from './exitData.ts'

/** Blocks on L1 for longer than this are there to stay. */
const REORG_SECONDS = 3_600

type Needs = Pick<WalletContext, 'account' | 'root' | 'separator' | 'sources' | 'store'>

export type ProvenExitData = Readonly<{
  data: ExitData
  output: ProvenOutput
  /** Whose data it is: a source's name, or "saved". */
  from: string
}>

/** own: only our outputs' proofs are saved. any: whatever was asked for, since a dispute shows inputs of others too. */
export type KeepProof = 'own' | 'any'

/**
 * Exit data of one position that holds against L1 now: the saved one first, then every source in turn. A source that lies or fails is
 * passed over. Throws EXIT_DATA_MISSING with what each of them said; retryable when one of them could not be reached.
 */
export async function obtainExitData(
  wallet: Needs,
  position: number,
  keep: KeepProof = 'own',
): Promise<ProvenExitData> {
  const said: Record<string, string> = {}
  let retry = false
  const saved = { name: 'saved', exitData: async (of: number) => wallet.store.proof(of) }
  const l1 = { name: 'L1', exitData: (of: number) => readDeposit(wallet, of) }
  for (const source of [saved, ...wallet.sources, ...(isDepositPosition(position) ? [l1] : [])]) {
    try {
      const data = await source.exitData(position)
      if (!data) {
        said[source.name] = 'does not have it'
        continue
      }
      const output = await proveExitData(data, position, { separator: wallet.separator, records: wallet.root })
      const isWanted = keep === 'any' || output.owner === wallet.account.address
      if (isWanted && source !== saved) wallet.store.saveProof({ output, data })
      return { data, output, from: source.name }
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      retry ||= error.family === 'retryable'
      said[source.name] = error.message
    }
  }
  const details = {
    got: said,
    want: 'exit data from the operator, a watcher, or saved earlier; name more watchers with --watcher-urls',
  }
  throw (retry ? retryable : invalid)('EXIT_DATA_MISSING', `nobody shows how output ${position} stands on L1`, details)
}

/** A deposit is shown by L1 itself, when nobody else answers. */
async function readDeposit({ root }: Needs, position: number): Promise<ExitData | undefined> {
  const events = await root.events({ types: ['Deposited'], deposit: position })
  const event = events.find((one) => one.type === 'Deposited' && one.position === position)
  if (event?.type !== 'Deposited') return undefined
  const output = createOutput(event.owner, event.token, event.amount)
  return { kind: 'deposit', position, outputId: depositIdOf(position), output, l1Block: event.at.l1Block }
}

/** Saves the proofs of outputs that are on L1 and not saved yet, or saved before L1 was reorganised. Best effort: returns how many are still missing. */
export async function keepProofs(
  wallet: Needs,
  positions: readonly number[],
  keep: KeepProof = 'own',
): Promise<number> {
  let missing = 0
  for (const position of positions) {
    const saved = wallet.store.proof(position)
    if (saved && !(await isStale(wallet, saved))) continue
    try {
      await obtainExitData(wallet, position, keep)
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      missing++
    }
  }
  return missing
}

/** A block that was submitted again after a reorg of L1 has another time. What is older than a reorg can reach is not asked about. */
async function isStale({ root }: Needs, data: ExitData): Promise<boolean> {
  if (data.kind === 'deposit') return false
  try {
    const { timestamp } = await root.now()
    if (data.header.timestamp < timestamp - REORG_SECONDS) return false
    return hashHeader(data.header).slice(0, 52) !== (await root.headerHash(decodePosition(data.position).block))
  } catch (error) {
    if (isLifeboatError(error)) return false
    throw error
  }
}

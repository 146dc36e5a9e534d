/** The facts of watcher/facts.ts, answered from the store. Read-only. */
import type { Header } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Parameters } from '../protocol/parameters.ts'
import { decodePosition, depositIdOf, isDepositPosition, outputIdAt } from '../protocol/position.ts'
import type { BlockStore } from './blockStore.ts'
import type { ExitBook } from './exitBook.ts'
import type { BlockState, ExitFacts, ExitRecord, Facts, OutputFact, ProtectedOutput, SpendFact } from './facts.ts'
import type { Ledger, StoredOutput } from './ledger.ts'
import type { Protection } from './protection.ts'
import type { RootLog } from './rootLog.ts'
import type { Vigil } from './vigil.ts'

export type FactParts = Readonly<{
  ledger: Ledger
  blocks: BlockStore
  exits: ExitBook
  rootLog: RootLog
  protection: Protection
  vigil: Vigil
  parameters: Parameters
}>

type Shown = Readonly<{ outputId: Hash; shown: NonNullable<ProtectedOutput['shown']> }>

const DEFAULT_PAGE = 500
/** Proofs of protected outputs that are kept, about a kilobyte each. */
const KEPT_PROOFS = 20_000

export function createFacts(parts: FactParts): Facts {
  const { ledger, blocks, exits, rootLog, protection, vigil, parameters } = parts
  const shownAt = new Map<number, Shown>()

  function exitFacts(outputId: Hash): ExitFacts | undefined {
    const record = exits.record(outputId)
    return record && { ...record, output: outputFact(record), ...headerOf(record.exit.position) }
  }

  function headerOf(position: number): Readonly<{ header?: Header }> {
    const header = isDepositPosition(position) ? undefined : blocks.find(decodePosition(position).block)?.header
    return header ? { header } : {}
  }

  function outputFact({ exit }: ExitRecord): OutputFact {
    const asOf = blocks.verifiedBlock()
    const { position } = exit
    const { block } = decodePosition(position)
    if (!isDepositPosition(position) && block > asOf) {
      return { kind: 'unverified', asOf, block, blockState: unverifiedState(block) }
    }
    const output = ledger.find(position)
    const outputId = output && outputIdOf(position)
    if (!output || outputId !== exit.outputId || !isSameOutput(output, exit)) {
      const got = output ? `${outputId} ${output.owner} ${output.token} ${output.amount}` : 'no output'
      return { kind: 'mismatch', asOf, got, want: `${exit.outputId} ${exit.owner} ${exit.token} ${exit.amount}` }
    }
    if (output.spentBy === undefined) return { kind: 'unspent', asOf }
    return { kind: 'spent', asOf, evidence: spendFact(position, output.spentBy) }
  }

  function outputIdOf(position: number): Hash | undefined {
    const txHash = isDepositPosition(position) ? ('0x' as Hash) : blocks.txHashAt(position)
    return txHash && outputIdAt(position, txHash)
  }

  function spendFact(position: number, spend: number): SpendFact {
    const placed = blocks.prove(spend)
    // A spend is only ever recorded by a verified block, whose body stays.
    if (!placed)
      throw bug('BODY_MISSING', 'a recorded spend has no body', { got: spend, want: `the spend of ${position}` })
    const { signed, header, proof } = placed
    return { spend, signed, input: signed.transaction.inputs.indexOf(position), header, proof }
  }

  function blockState(number: number): BlockState | undefined {
    const block = blocks.find(number)
    if (!block) return undefined
    return block.verified ? 'verified' : unverifiedState(number)
  }

  /** The first block after the verified ones is what holds up the rest. */
  function unverifiedState(number: number): Exclude<BlockState, 'verified'> {
    const first = blocks.find(blocks.verifiedBlock() + 1)
    if (!first || first.number > number) return 'pending'
    const isStopped = first.fault !== undefined || vigil.safety().status !== 'safe'
    if (first.number < number) return isStopped ? 'unverifiable' : 'pending'
    if (first.fault) return 'invalid'
    return first.hasBody ? 'pending' : 'missing'
  }

  function toProtected(output: StoredOutput): ProtectedOutput[] {
    const { position, owner, token, amount, depositedAt } = output
    const proven = isDepositPosition(position) ? { outputId: depositIdOf(position) } : showAt(position)
    if (!proven) return []
    const exit = exits.atPosition(position)?.state
    return [
      {
        position,
        owner,
        token,
        amount,
        ...proven,
        ...(depositedAt === undefined ? {} : { depositedAt }),
        ...(exit && { exit }),
      },
    ]
  }

  /** What was proven once stays proven while L1 holds the same block: each proof costs hashing, and an unsafe chain has many. */
  function showAt(position: number): Shown | undefined {
    const now = blocks.find(decodePosition(position).block)?.header
    const known = shownAt.get(position)
    if (known && now && isSameHeader(known.shown.header, now)) return known
    const placed = blocks.prove(position)
    const outputId = placed && outputIdOf(position)
    if (!outputId) return undefined
    const { signed, header, proof } = placed
    const found = { outputId, shown: { transaction: signed.transaction, header, proof } }
    if (shownAt.size >= KEPT_PROOFS) shownAt.delete(shownAt.keys().next().value as number)
    shownAt.set(position, found)
    return found
  }

  return {
    l1Now: rootLog.now,
    safety: vigil.safety,
    verifiedBlock: blocks.verifiedBlock,
    newestBlock: blocks.newestBlock,
    parameters,
    openExits: exits.open,
    closedExits: exits.closedSince,
    queueFrom: exits.queueFrom,
    exitFacts,
    protectedOutputs: (owner: Address, { cursor = -1, limit = DEFAULT_PAGE } = {}) =>
      ledger.unspentOf(owner, cursor, limit).flatMap(toProtected),
    protectedAccounts: protection.all,
    revokedAt: rootLog.revokedAt,
    header: (number) => blocks.find(number)?.header,
    blockState,
    spentBy: (position) => ledger.find(position)?.spentBy,
  }
}

function isSameOutput(output: Readonly<{ owner: Address; token: Address; amount: bigint }>, exit: ExitRecord['exit']) {
  return output.owner === exit.owner && output.token === exit.token && output.amount === exit.amount
}

function isSameHeader(a: Header, b: Header): boolean {
  return a.root === b.root && a.timestamp === b.timestamp && a.anchor === b.anchor && a.txCount === b.txCount
}

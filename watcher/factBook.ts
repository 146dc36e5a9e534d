/** The facts of watcher/facts.ts, answered from the store. Read-only. */
import type { Header } from '../protocol/block.ts'
import { type Address, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { isBatchItem, type PlacedEntry } from '../protocol/massExit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import {
  decodePosition,
  depositIdOf,
  isDepositPosition,
  outputIdAt,
  transactionPosition,
} from '../protocol/position.ts'
import type { BatchBook } from './batchBook.ts'
import type { BlockStore } from './blockStore.ts'
import { isVoidBlock } from './court/exitTime.ts'
import { type DisputeBook, disputedOutputOf } from './disputeBook.ts'
import { createDisputeFacts } from './disputeFacts.ts'
import { type ExitBook, mayStartAgain, paidSoFar } from './exitBook.ts'
import type {
  BlockState,
  EntryFact,
  ExitFacts,
  ExitState,
  Facts,
  OutputFact,
  ProtectedEntry,
  ProtectedOutput,
  SpendFact,
} from './facts.ts'
import { createFaultFacts } from './faultFacts.ts'
import type { Ledger, StoredOutput } from './ledger.ts'
import type { Protection } from './protection.ts'
import type { RootLog } from './rootLog.ts'
import { isLost, type Twins } from './twins.ts'
import type { Vigil } from './vigil.ts'

export type FactParts = Readonly<{
  ledger: Ledger
  blocks: BlockStore
  exits: ExitBook
  batches: BatchBook
  disputes: DisputeBook
  rootLog: RootLog
  protection: Protection
  vigil: Vigil
  twins: Twins
  parameters: Parameters
}>

type Shown = Readonly<{ outputId: Hash; txHash: Hash; shown: NonNullable<ProtectedOutput['shown']> }>

const DEFAULT_PAGE = 500
/** Proofs of protected outputs that are kept, about a kilobyte each. */
const KEPT_PROOFS = 20_000

export function createFacts(parts: FactParts): Facts {
  const { ledger, blocks, exits, batches, disputes, rootLog, protection, vigil, twins, parameters } = parts
  const { disputeFacts, placeFact, isRefuted } = createDisputeFacts({ ledger, blocks, exits, disputes, spendFact })
  const { fault, fraudProof } = createFaultFacts({ ledger, blocks, exits, batches })
  const shownAt = new Map<number, Shown>()

  function exitFacts(outputId: Hash): ExitFacts | undefined {
    const record = exits.record(outputId)
    if (!record || isBatchItem(record.exit)) return undefined
    const { exit } = record
    const dispute = disputeOf(exit)
    const place = dispute?.made ? dispute.made.position + disputedOutputOf(exit) : exits.placeOf(exit)
    const output = place === undefined ? disputedFact(exit) : twinFact(exit, outputFact(exit, place))
    return { ...record, output, ...(place !== undefined && headerOf(place)), ...(dispute && { dispute }) }
  }

  /** Also of an exit by inclusion that waits for the verdict: evidence against it goes by place as well. */
  function disputeOf({ disputed }: Exit): ExitFacts['dispute'] {
    if (disputed === ZERO_HASH) return undefined
    const made = placeFact(disputed)
    return { state: disputes.stateOf(disputed) ?? 'running', ...(made && { made }) }
  }

  function headerOf(position: number): Readonly<{ header?: Header }> {
    const header = isDepositPosition(position) ? undefined : blocks.find(decodePosition(position).block)?.header
    return header ? { header } : {}
  }

  /** Of an exit through a dispute while no verified block holds the disputed transaction. */
  function disputedFact(exit: Exit): OutputFact {
    const asOf = blocks.verifiedBlock()
    const { block } = decodePosition(exit.position)
    if (!isDepositPosition(exit.position) && block > asOf) {
      return { kind: 'unverified', asOf, block, blockState: unverifiedState(block) }
    }
    const claimed = disputes.record(exit.disputed)?.signed.transaction.outputs[disputedOutputOf(exit)]
    return claimed && isSameOutput(claimed, exit)
      ? { kind: 'unspent', asOf }
      : { kind: 'mismatch', asOf, got: describeOutput(claimed), want: describeOutput(exit) }
  }

  function outputFact(exit: Exit, position: number): OutputFact {
    const asOf = blocks.verifiedBlock()
    const { block } = decodePosition(position)
    if (!isDepositPosition(position) && block > asOf) {
      return { kind: 'unverified', asOf, block, blockState: unverifiedState(block) }
    }
    const output = ledger.find(position)
    const outputId = output && outputIdOf(position)
    if (!output || outputId !== exit.outputId || !isSameOutput(output, exit)) {
      const got = output ? `${outputId} ${describeOutput(output)}` : 'no output'
      return { kind: 'mismatch', asOf, got, want: `${exit.outputId} ${describeOutput(exit)}` }
    }
    const spend = spentBy(position)
    return spend === undefined
      ? { kind: 'unspent', asOf }
      : { kind: 'spent', asOf, evidence: spendFact(position, spend) }
  }

  /** What was spent where a verified block holds it was spent, whatever block that we can't read holds it too. */
  function twinFact(exit: Exit, fact: OutputFact): OutputFact {
    const isUnknown = fact.kind === 'mismatch' || (fact.kind === 'unverified' && isLost(fact.blockState))
    if (!isUnknown || exit.disputed !== ZERO_HASH) return fact
    const position = twins.find(exit)
    const spend = position === undefined ? undefined : spentBy(position)
    if (position === undefined || spend === undefined) return fact
    const evidence = spendFact(position, spend)
    const placed = blocks.prove(position)
    const txHash = blocks.txHashAt(position)
    if (evidence.header.anchor >= exit.lockedAt || !placed || !txHash) return fact
    const { header, proof } = placed
    return { kind: 'spent', asOf: fact.asOf, evidence, made: { position: placed.position, txHash, header, proof } }
  }

  function spentBy(position: number): number | undefined {
    const spend = ledger.find(position)?.spentBy
    return spend === undefined || isRefuted(position, spend) ? undefined : spend
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
    if (isVoidBlock(number, rootLog.halt().voidFrom)) return 'void'
    const first = blocks.find(blocks.verifiedBlock() + 1)
    if (!first || first.number > number) return 'pending'
    const isStopped = first.fault !== undefined || vigil.safety().status !== 'safe'
    if (first.number < number) return isStopped ? 'unverifiable' : 'pending'
    if (first.fault) return 'invalid'
    return first.hasBody ? 'pending' : 'missing'
  }

  function toProtected(output: StoredOutput): ProtectedOutput[] {
    const { position, owner, token, amount, depositedAt } = output
    const proven = isDepositPosition(position) ? undefined : showAt(position)
    if (!proven && !isDepositPosition(position)) return []
    const outputId = proven?.outputId ?? depositIdOf(position)
    const exit = exitStateOf(outputId, proven?.txHash)
    return [
      {
        position,
        outputId,
        owner,
        token,
        amount,
        ...(proven && { shown: proven.shown }),
        ...(depositedAt === undefined ? {} : { depositedAt }),
        ...(exit && { exit }),
        ...entriesAt(position, outputId),
      },
    ]
  }

  function entriesAt(position: number, outputId: Hash): Readonly<{ entries?: readonly ProtectedEntry[] }> {
    const newest = exits.record(outputId)
    const fallen = newest && mayStartAgain(newest) ? newest : undefined
    const entries = batches.naming(position).map(({ batchId, entry }): ProtectedEntry => {
      const item = batches.record(batchId)?.item
      const isShut = item && fallen && (fallen.exit.lockedAt < item.lockedAt || paidSoFar(fallen) > 0n)
      return { batchId, entry, ...(item && { item }), ...(isShut && { isShut }) }
    })
    return entries.length === 0 ? {} : { entries }
  }

  function entryFact(batchId: Hash, entry: PlacedEntry): EntryFact {
    const { position, amount } = entry
    const { block, index } = decodePosition(position)
    const token = batches.record(batchId)?.batch.token
    const made = ledger.find(position)
    const lockedAt = batches.record(batchId)?.item?.lockedAt
    // A deposit that came with the lock or later is named by none.
    const isThere = made?.depositedAt === undefined || lockedAt === undefined || made.depositedAt < lockedAt
    const isNamed = made !== undefined && isThere && made.token === token && made.amount === amount
    if (isDepositPosition(position)) {
      if (!made || !isThere) return { kind: 'empty', shown: { kind: 'nothing' } }
      const { owner, token, amount } = made
      const shown = { kind: 'deposit', owner, token, amount } as const
      if (!isNamed) return { kind: 'empty', shown }
      return { kind: 'named', outputId: depositIdOf(position), txHash: ZERO_HASH, owner, shown, ...fateOf(position) }
    }
    if (block === 0) return { kind: 'empty', shown: { kind: 'nothing' } }
    const header = blocks.find(block)?.header
    if (header && index >= header.txCount) return { kind: 'empty', shown: { kind: 'beyond', header } }
    if (block > blocks.verifiedBlock()) {
      const blockState = unverifiedState(block)
      // Nobody can be made to serve it, so L1 wants nothing of it shown.
      return { kind: 'unverified', block, blockState, ...(blockState === 'void' && { shown: { kind: 'nothing' } }) }
    }
    const at = showAt(transactionPosition(position))
    if (!at)
      throw bug('BODY_MISSING', 'a verified block has no body', { got: block, want: `what stands at ${position}` })
    const shown = { kind: 'output', ...at.shown } as const
    if (!isNamed) return { kind: 'empty', shown }
    const outputId = outputIdAt(position, at.txHash)
    return { kind: 'named', outputId, txHash: at.txHash, owner: made.owner, shown, ...fateOf(position, at.txHash) }
  }

  function fateOf(position: number, txHash?: Hash): Readonly<{ spend?: SpendFact; exit?: ExitState }> {
    const spend = spentBy(position)
    const exit = exitStateOf(txHash ? outputIdAt(position, txHash) : depositIdOf(position), txHash)
    return { ...(spend !== undefined && { spend: spendFact(position, spend) }), ...(exit && { exit }) }
  }

  /** An output of a transaction that was judged not canonical never leaves. */
  function exitStateOf(outputId: Hash, txHash: Hash | undefined): ExitState | undefined {
    const state = exits.stateOf(outputId)
    return state === undefined && txHash && disputes.stateOf(txHash) === 'not-canonical' ? 'removed' : state
  }

  /** What was proven once stays proven while L1 holds the same block: each proof costs hashing, and an unsafe chain has many. */
  function showAt(position: number): Shown | undefined {
    const now = blocks.find(decodePosition(position).block)?.header
    const known = shownAt.get(position)
    if (known && now && isSameHeader(known.shown.header, now)) return known
    const placed = blocks.prove(position)
    const txHash = placed && blocks.txHashAt(position)
    if (!txHash) return undefined
    const { signed, header, proof } = placed
    const outputId = outputIdAt(position, txHash)
    const found = { outputId, txHash, shown: { transaction: signed.transaction, header, proof } }
    if (shownAt.size >= KEPT_PROOFS) shownAt.delete(shownAt.keys().next().value as number)
    shownAt.set(position, found)
    return found
  }

  return {
    l1Now: rootLog.now,
    halt: rootLog.halt,
    disproved: rootLog.disproved,
    fault,
    fraudProof,
    safety: vigil.safety,
    verifiedBlock: blocks.verifiedBlock,
    newestBlock: blocks.newestBlock,
    parameters,
    openExits: exits.open,
    closedExits: exits.closedSince,
    queueFrom: exits.queueFrom,
    leftPlaces: exits.leftPlaces,
    exitFacts,
    batches: batches.current,
    lockedBatches: batches.locked,
    batch: batches.record,
    batchEntries: batches.entries,
    batchTree: batches.tree,
    entryFact,
    spentEntries: batches.spentEntries,
    entriesNaming: (position) => batches.naming(position),
    openedEntries: exits.opened,
    disputes: disputes.current,
    disputeFacts,
    protectedOutputs: (owner: Address, { cursor = -1, limit = DEFAULT_PAGE } = {}) =>
      ledger.unspentOf(owner, cursor, limit).flatMap(toProtected),
    protectedAccounts: protection.all,
    revokedAt: rootLog.revokedAt,
    header: (number) => blocks.find(number)?.header,
    blockState,
    spentBy,
  }
}

type Value = Readonly<{ owner: Address; token: Address; amount: bigint }>

function isSameOutput(a: Value, b: Value): boolean {
  return a.owner === b.owner && a.token === b.token && a.amount === b.amount
}

function describeOutput(value: Value | undefined): string {
  return value ? `${value.owner} ${value.token} ${value.amount}` : 'no output'
}

function isSameHeader(a: Header, b: Header): boolean {
  return a.root === b.root && a.timestamp === b.timestamp && a.anchor === b.anchor && a.txCount === b.txCount
}

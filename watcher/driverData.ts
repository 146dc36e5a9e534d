/**
 * Data challenges and receipts between the books and the pure court (docs/spec.md sections 8.6 and 8.8): facts in, calls of the surety out.
 */
import type { RootCall } from '../l1/rootCalls.ts'
import {
  encodeBreakReceipt,
  encodeBreakReceipts,
  encodeChallengeData,
  encodeEndChallenge,
  encodeRevealData,
} from '../l1/suretyContract.ts'
import { decodeTransaction, splitBody } from '../protocol/codec.ts'
import { type LeafRange, leavesOf, proveRange } from '../protocol/dataChallenge.ts'
import { createTree, type MerkleTree } from '../protocol/merkle.ts'
import type { BlockStore } from './blockStore.ts'
import { planData } from './court/data.ts'
import type { BrokenReceipt, DataAction, DataFacts, DataRecord, HeldRange, HiddenBlock } from './court/dataTypes.ts'
import { isVoidBlock } from './court/exitTime.ts'
import type { FaultCase } from './court/faults.ts'
import { planReceipts } from './court/receipts.ts'
import type { Action, Effect, L1Readings, World } from './court/types.ts'
import type { CourtContext } from './courtPort.ts'
import type { DataBook } from './dataBook.ts'

/** Hidden blocks looked at in one tick. */
const HIDDEN_PAGE = 16

/** What the court's driver asks the books for. */
export type SuretyFacts = Readonly<{
  data(world: World): DataFacts
  /** Receipts that can be broken on L1 now. */
  broken(): readonly BrokenReceipt[]
  /** A fault of the first hidden block that a revealed leaf shows. */
  revealedFault(): FaultCase | undefined
}>

export type SuretyParts = Readonly<{
  data: Pick<DataBook, 'open' | 'ofBlock' | 'ownSince'>
  blocks: Pick<BlockStore, 'find' | 'withoutBody' | 'verifiedBlock' | 'body' | 'leaves' | 'seen'>
  broken(): readonly BrokenReceipt[]
  revealedFault(): FaultCase | undefined
}>

export function createSuretyFacts({ data, blocks, broken, revealedFault }: SuretyParts): SuretyFacts {
  let tree: Readonly<{ root: string; tree: MerkleTree }> | undefined

  function hiddenBlocks({ voidFrom }: World): HiddenBlock[] {
    const numbers = blocks.withoutBody(blocks.verifiedBlock() + 1, HIDDEN_PAGE)
    return numbers.flatMap((number): HiddenBlock[] => {
      const block = blocks.find(number)
      if (!block || block.header.txCount === 0 || isVoidBlock(number, voidFrom)) return []
      const { header, observedSeconds } = block
      return [{ number, header, observedSeconds, records: data.ofBlock(number) }]
    })
  }

  /** Hashing a block's tree is the most of a proof: several ranges of one block are answered one after the other. */
  function treeOf(number: number, root: string): MerkleTree | undefined {
    if (tree?.root === root) return tree.tree
    const leaves = blocks.leaves(number)
    if (!leaves) return undefined
    tree = { root, tree: createTree(leaves) }
    return tree.tree
  }

  function hold(range: LeafRange): HeldRange | undefined {
    const { blockNumber, first } = range
    const block = blocks.find(blockNumber)
    const body = block && blocks.body(blockNumber)
    const found = block && body && treeOf(blockNumber, block.header.root)
    if (!found) return undefined
    const encoded = splitBody(body).transactions.slice(first, first + leavesOf(range, block.header.txCount))
    return { transactions: encoded.map(decodeTransaction), path: proveRange(found, range) }
  }

  /** Old ones as well, as long as they are open: their bond is still to be fetched. */
  function ownOf({ policy, now, parameters }: World, open: readonly DataRecord[]): DataRecord[] {
    const since = now.timestamp - parameters.minExitPeriod
    const lately = data.ownSince(policy.sender, since)
    const older = open.filter(({ challenge }) => challenge.challenger === policy.sender && challenge.startedAt < since)
    return [...older, ...lately]
  }

  return {
    data(world) {
      const open = data.open()
      return { hidden: hiddenBlocks(world), open, own: ownOf(world, open), hold, seen: blocks.seen }
    },
    broken,
    revealedFault,
  }
}

type SuretyContext = Pick<CourtContext, 'surety' | 'log'>

/** What is to be done with the surety now, and what is to be told. What can't be told must not keep the court from all else. */
export function decideSurety(
  { surety, log }: SuretyContext,
  readings: L1Readings | undefined,
  world: World,
): readonly Effect[] {
  if (!surety) return []
  const guarded = (what: string, plan: () => readonly Effect[]): readonly Effect[] => {
    try {
      return plan()
    } catch (error) {
      log.error('court.surety_unreadable', { what, error })
      return [{ type: 'alert', code: 'INTERNAL_FAULT', key: what, details: { what, reason: String(error) } }]
    }
  }
  return [
    ...guarded('data challenges', () => planData({ facts: surety.data(world), readings, world })),
    ...guarded('receipts', () => planReceipts({ broken: surety.broken(), world })),
  ]
}

/** The same for a fault that a revealed leaf shows. */
export function findRevealedFault({ surety, log }: SuretyContext): FaultCase | undefined {
  try {
    return surety?.revealedFault()
  } catch (error) {
    log.error('court.surety_unreadable', { what: 'revealed leaves', error })
    return undefined
  }
}

const DATA_TYPES: ReadonlySet<Action['type']> = new Set([
  'challenge-data',
  'reveal-data',
  'end-data-challenge',
  'break-receipt',
] as const)

/** True for calls of the surety instead of the root contract. */
export function isDataAction(action: Action): action is DataAction {
  return DATA_TYPES.has(action.type)
}

export function encodeDataAction(action: DataAction): RootCall {
  switch (action.type) {
    case 'challenge-data':
      return encodeChallengeData(action.range, action.header, action.bondWei)
    case 'reveal-data': {
      const { transactions, path } = action.held
      const [whole] = action.records
      return encodeRevealData(
        (whole as DataRecord).challenge,
        action.records.map(({ challenge }) => challenge),
        transactions,
        path,
      )
    }
    case 'end-data-challenge':
      return encodeEndChallenge(action.record.challenge)
    case 'break-receipt':
      return encodeBreak(action.broken)
  }
}

function encodeBreak({ signed, how }: BrokenReceipt): RootCall {
  switch (how.kind) {
    case 'contradiction':
      return encodeBreakReceipts(signed, how.other)
    case 'header':
      return encodeBreakReceipt(signed, how.header)
    case 'displaced':
      return encodeBreakReceipt(signed, how.header, { txHash: how.txHash, proof: how.proof })
  }
}

/** Errors of the surety after which nothing is left to do: the act was done, by us or another. */
export const DATA_DONE_ERRORS: Readonly<Record<DataAction['type'], readonly string[]>> = {
  'challenge-data': ['ChallengeKnown', 'ChallengeTooLate', 'BlockVoid'],
  'reveal-data': ['ChallengeMismatch', 'ChallengeTooLate', 'BlockVoid'],
  'end-data-challenge': ['ChallengeMismatch'],
  'break-receipt': ['ReceiptKnown'],
}

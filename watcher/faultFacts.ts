/**
 * The chain's first fault, and the proof of it that L1 takes (docs/spec.md section 8.5), from the bodies and from what L1 said. Read-only.
 * Proofs of faults that the malformed bytes can't carry don't exist: such a block has no body here, and is a withheld one (8.5.3).
 */
import type { Header } from '../protocol/block.ts'
import type { Hash } from '../protocol/bytes.ts'
import { buildFraudProof, type FraudProof, type FraudSource } from '../protocol/fraud.ts'
import { depositIdOf, encodePosition, isDepositPosition, outputIdAt } from '../protocol/position.ts'
import type { BatchBook } from './batchBook.ts'
import type { BlockStore } from './blockStore.ts'
import type { ExitBook } from './exitBook.ts'
import type { FaultFact } from './facts.ts'
import type { Ledger } from './ledger.ts'

export type FaultParts = Readonly<{ ledger: Ledger; blocks: BlockStore; exits: ExitBook; batches: BatchBook }>

export function createFaultFacts({ ledger, blocks, exits, batches }: FaultParts) {
  let spent: Readonly<{ root: Hash; positions: ReadonlySet<number> }> | undefined

  function fault(): FaultFact | undefined {
    const next = blocks.find(blocks.verifiedBlock() + 1)
    if (!next?.fault) return undefined
    const { number: block, header, fault: found } = next
    const position = encodePosition({ block, index: found.index, output: 0 })
    return { block, header, fault: found, position, spends: spendsOf(block, header) }
  }

  /** Read once: a body is what its root says. */
  function spendsOf(block: number, { root, txCount }: Header): ReadonlySet<number> {
    if (spent?.root === root) return spent.positions
    const positions = new Set<number>()
    for (let index = 0; index < txCount; index++) {
      const signed = blocks.anySignedAt(encodePosition({ block, index, output: 0 }))
      for (const input of signed?.transaction.inputs ?? []) positions.add(input)
    }
    spent = { root, positions }
    return positions
  }

  /** The ledger knows nothing of the invalid block itself: where an earlier transaction of the same block was first, the fault says so. */
  function sourceOf({ fault: found, block, position }: FaultFact): FraudSource {
    const doubled =
      found.rule === 'V3' && found.input !== undefined
        ? blocks.anySignedAt(position)?.transaction.inputs[found.input]
        : undefined
    return {
      transactionAt: blocks.proveAny,
      header: (number) => (number <= block ? blocks.find(number)?.header : undefined),
      deposit: (at) => ledger.find(at),
      spentBy: (at) => (at === doubled && typeof found.got === 'number' ? found.got : ledger.find(at)?.spentBy),
      exitOf: (at) => {
        const outputId = isDepositPosition(at) ? depositIdOf(at) : outputIdOfPlace(at)
        return outputId && exits.record(outputId)?.exit
      },
      lockingEntry: batches.lockingEntry,
    }
  }

  function outputIdOfPlace(at: number) {
    const txHash = blocks.txHashAt(at)
    return txHash && outputIdAt(at, txHash)
  }

  function fraudProof(known: FaultFact): FraudProof {
    return buildFraudProof(known.block, known.fault, sourceOf(known))
  }

  return { fault, fraudProof }
}

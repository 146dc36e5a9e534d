/**
 * Where else an exiting output stands (docs/spec.md sections 5.2 and 6.3). An output is named by what made it and not by where that stands:
 * a block that nobody can read may hold a copy of a transaction that a verified block holds as well, and an exit names the output there.
 * An exit says nothing of that transaction but what the output holds, and no index leads from there to all outputs: for a case so rare the
 * outputs are looked through, from the oldest on, so many for each L1 block, and going on where the last look ended.
 */
import type { Hash } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import { decodePosition, encodePosition, isDepositPosition, outputIdAt } from '../protocol/position.ts'
import type { BlockStore } from './blockStore.ts'
import type { BlockState, L1Now } from './facts.ts'
import type { Ledger } from './ledger.ts'

/** Outputs looked through for each L1 block, all exits together: a tenth of a second. */
const ROWS_PER_L1_BLOCK = 500_000
const ROWS_AT_ONCE = 100_000
/** Of those that an output which holds the same counts for: its transaction is read and hashed. */
const ROWS_PER_ALIKE = 2_000
const KEPT_SEARCHES = 10_000

export type TwinParts = Readonly<{
  ledger: Pick<Ledger, 'alike' | 'undone'>
  blocks: Pick<BlockStore, 'verifiedBlock' | 'txHashAt'>
  l1Now(): L1Now
  rowsPerL1Block?: number
}>

export type Twins = ReturnType<typeof createTwins>

/** `next`: everything below was looked through, as of so many blocks taken back. */
type Search = Readonly<{ undone: number; next: number; found?: number }>

export function createTwins({ ledger, blocks, l1Now, rowsPerL1Block = ROWS_PER_L1_BLOCK }: TwinParts) {
  const searches = new Map<Hash, Search>()
  let at: Hash | undefined
  let rowsLeft = 0

  function isSame({ outputId }: Exit, position: number): boolean {
    const txHash = blocks.txHashAt(position)
    return txHash !== undefined && outputIdAt(position, txHash) === outputId
  }

  function goOn(exit: Exit, before: Search): Search {
    const end = encodePosition({ block: blocks.verifiedBlock() + 1, index: 0, output: 0 })
    let { next } = before
    while (next < end && rowsLeft > 0) {
      const rows = Math.min(rowsLeft, ROWS_AT_ONCE)
      const page = ledger.alike(exit, decodePosition(exit.position).output, { from: next, to: end, rows })
      rowsLeft -= rows
      for (const position of page.positions) {
        if (isSame(exit, position)) return { ...before, next, found: position }
        next = position + 1
        rowsLeft -= ROWS_PER_ALIKE
        if (rowsLeft <= 0) return { ...before, next }
      }
      next = page.next
    }
    return { ...before, next }
  }

  return {
    /**
     * Position of the output in a verified block, other than the exit's own; spent or not. Undefined where there is none, or none was found
     * yet: ask again when L1 has moved.
     */
    find(exit: Exit): number | undefined {
      if (isDepositPosition(exit.position)) return undefined
      const { hash } = l1Now()
      if (hash !== at) {
        at = hash
        rowsLeft = rowsPerL1Block
      }
      const { outputId } = exit
      const known = searches.get(outputId)
      // Where blocks were taken back, others may hold it now.
      const before = known?.undone === ledger.undone() ? known : { undone: ledger.undone(), next: 0 }
      const search = before.found === undefined ? goOn(exit, before) : before
      if (!known && searches.size >= KEPT_SEARCHES) searches.delete(searches.keys().next().value as Hash)
      searches.set(outputId, search)
      return search.found === exit.position ? undefined : search.found
    },
  }
}

/** It may never be read: what stands there is looked for elsewhere. Not while it is on its way, nor where it is void and counts for nothing. */
export function isLost(state: BlockState | undefined): boolean {
  return state === 'missing' || state === 'invalid' || state === 'unverifiable'
}

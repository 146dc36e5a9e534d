/**
 * How far a follower has come, as its consumer keeps it across restarts (docs/spec.md, "Reading L1"), and the events it is folded
 * from. Pure.
 */
import { assertNever, bug, invalid } from '../protocol/errors.ts'
import type { BlockRef, L1Block } from './header.ts'
import type { RawLog } from './receipts.ts'

export type FollowerEvent =
  /** The next block on top of the last, with all logs of the followed contracts in log order. */
  | Readonly<{ type: 'block'; block: L1Block; logs: readonly RawLog[] }>
  /** Blocks above the common ancestor are no longer of the chain. A `block` always follows. */
  | Readonly<{ type: 'reorg'; commonAncestor: BlockRef; dropped: readonly BlockRef[] }>
  /** This block and everything below it stays. Numbers only grow. */
  | Readonly<{ type: 'finalised'; block: BlockRef }>

/**
 * Blocks of consecutive numbers, oldest first. The first one is the floor: the last finalised block, or while there is none the
 * parent of the first block followed. Empty before the first block.
 */
export type Cursor = readonly BlockRef[]

/** The cursor after an event. Throws CURSOR_MISFIT (bug) when the event does not fit: one was lost or came twice. */
export function foldCursor(cursor: Cursor, event: FollowerEvent): Cursor {
  const next = [...cursor]
  applyEvent(next, event)
  return next
}

/** The same in place, without a copy for each block of a long catch-up. */
export function applyEvent(cursor: BlockRef[], event: FollowerEvent): void {
  switch (event.type) {
    case 'block': {
      const { number, hash, parentHash } = event.block
      const tip = cursor.at(-1)
      if (!tip && number > 0) cursor.push({ number: number - 1, hash: parentHash })
      else if (tip && (tip.number !== number - 1 || tip.hash !== parentHash)) {
        throw misfit(tip, { number: number - 1, hash: parentHash })
      }
      cursor.push({ number, hash })
      return
    }
    case 'reorg':
      cursor.length = indexIn(cursor, event.commonAncestor) + 1
      return
    case 'finalised':
      cursor.splice(0, indexIn(cursor, event.block))
      return
    default:
      assertNever(event)
  }
}

/** Throws CURSOR_MALFORMED unless the numbers are consecutive. */
export function assertCursor(cursor: Cursor): void {
  for (const [i, { number }] of cursor.entries()) {
    const want = (cursor[0] as BlockRef).number + i
    if (number !== want || !Number.isSafeInteger(number) || number < 0) {
      throw invalid('CURSOR_MALFORMED', 'the stored L1 cursor has a gap', { got: number, want })
    }
  }
}

/** The block of that number in the cursor. */
export function blockAt(cursor: Cursor, number: number): BlockRef | undefined {
  const floor = cursor[0]
  return floor && number >= floor.number ? cursor[number - floor.number] : undefined
}

function indexIn(cursor: Cursor, block: BlockRef): number {
  const found = blockAt(cursor, block.number)
  if (found?.hash !== block.hash) throw misfit(found, block)
  return block.number - (cursor[0] as BlockRef).number
}

function misfit(got: BlockRef | undefined, want: BlockRef) {
  return bug('CURSOR_MISFIT', 'an L1 event does not fit onto the blocks before it', { got: got ?? 'no block', want })
}

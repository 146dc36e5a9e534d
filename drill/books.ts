/** What the books of a drill are drawn from: L1's events, and the chain that an honest watcher holds valid. */
import { decodeBody } from '../protocol/codec.ts'
import { runningWatcher } from './leave.ts'
import type { BooksInput, HonestBlock } from './ledger.ts'
import type { World } from './world.ts'

/** As of what the recorder has pulled. Throws WATCHER_MISSING when none runs. */
export function booksInput(world: World): BooksInput {
  const { blocks, facts } = runningWatcher(world).watcher().core
  const { voidFrom } = facts.halt()
  const last = voidFrom === 0 ? blocks.verifiedBlock() : Math.min(blocks.verifiedBlock(), voidFrom - 1)
  const standing: HonestBlock[] = []
  for (let number = 1; number <= last; number++) {
    const bytes = blocks.body(number)
    const body = bytes && decodeBody(bytes)
    standing.push({ number, transactions: body?.transactions ?? [], ...(body && { anchor: body.anchor }) })
  }
  return { separator: world.separator, events: world.recorder.events(), blocks: standing }
}

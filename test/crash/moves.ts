/** What the stories of the crash matrix do beside the moves of test/support. */

import { splitBody } from '../../protocol/codec.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { ChildBlock } from '../support/rootChain.ts'
import type { Run } from './world.ts'

/** The committed block that holds this position, as the watcher verified it. */
export async function blockOf(
  run: Run,
  position: number,
): Promise<ChildBlock & Readonly<{ at(position: number): number }>> {
  const { block: number } = decodePosition(position)
  const { blocks } = run.watcher.now().watcher.core
  const header = run.facts().header(number)
  const body = blocks.body(number)
  if (!header || !body) throw new Error(`got no block ${number}, want a verified one`)
  const count = splitBody(body).transactions.length
  const transactions = Array.from({ length: count }, (_, index) => {
    const signed = blocks.signedAt(position - (position % (2 ** 21 * 16)) + index * 16)
    if (!signed) throw new Error(`no transaction ${index} in block ${number}`)
    return signed
  })
  return { number, header, transactions, at: (place) => decodePosition(place).index }
}

/** Reading the queue's state for a start: hints save gas, and never more than gas depends on them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodePosition } from '../../protocol/position.ts'
import { findYoungHint } from '../../wallet/exits.ts'
import type { RootReads } from '../../wallet/ports.ts'

const test = suite('wallet exits')

function rootWith(youngFirst: number, blocks: readonly Readonly<{ block: number; young: boolean }>[]): RootReads {
  const events = blocks.map(({ block, young }) => ({
    type: 'ExitStarted',
    exit: {
      outputId: ZERO_HASH,
      position: encodePosition({ block, index: 0, output: 0 }),
      owner: ZERO_ADDRESS,
      token: ZERO_ADDRESS,
      amount: 1n,
      young,
      seq: 0,
      startedAt: 1,
      exitableAt: 2,
      lockedAt: 1,
      payer: ZERO_ADDRESS,
      bond: 1n,
    },
  })) as unknown as RootEvent[]
  return {
    queue: async () => ({ oldHead: 0, oldTail: 0, youngFirst, youngCursor: 0 }),
    events: async () => events,
  } as unknown as RootReads
}

test('the hint is the newest queued young block below the exit, so that nobody pays for a walk past many', async () => {
  const blocks = [3, 5, 9, 12].map((block) => ({ block, young: true }))
  assert.is(await findYoungHint(rootWith(3, blocks), 10), 9)
  assert.is(await findYoungHint(rootWith(3, blocks), 9), 5)
})

test('blocks whose turn has passed, and exits of the other stream, are no hint', async () => {
  assert.is(await findYoungHint(rootWith(9, [{ block: 5, young: true }]), 20), 0)
  assert.is(await findYoungHint(rootWith(3, [{ block: 5, young: false }]), 20), 0)
  assert.is(await findYoungHint(rootWith(0, [{ block: 5, young: true }]), 20), 0)
})

test.run()

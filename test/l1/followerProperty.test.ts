import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Cursor, FollowerEvent } from '../../l1/cursor.ts'
import { foldCursor } from '../../l1/cursor.ts'
import { type Follower, followL1 } from '../../l1/follower.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  createFakeL1,
  expectedChain,
  type FakeL1,
  type FakeTx,
  foldChain,
  log,
  ROOT,
  STRANGER,
} from './followerFake.ts'

const property = suite('l1 follower on random chains')

const FINALITY = 8

type Step =
  | { type: 'mine'; blocks: FakeTx[][] }
  | { type: 'reorg'; depth: number; blocks: FakeTx[][] }
  /** A reorg of at most FINALITY / 2 blocks just before the endpoint answers the n-th call of the next polls. */
  | { type: 'reorgLater'; call: number; depth: number; blocks: FakeTx[][] }
  /** The n-th call from now on fails in one of the ways that endpoints fail. */
  | { type: 'failLater'; call: number; how: 'null' | 'garbage' | 'busy' | 'noReceipts' }
  | { type: 'lag'; depth: number }
  | { type: 'poll' }
  | { type: 'restart' }

const tx = fc
  .array(fc.constantFrom(log('0x01'), log('0x02'), log('0x03', STRANGER)), { maxLength: 2 })
  .map((logs): FakeTx => ({ logs }))
const blocks = fc.array(fc.array(tx, { maxLength: 2 }), { minLength: 1, maxLength: 6 })
const call = fc.integer({ min: 0, max: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('mine' as const), blocks }),
  fc.record({ type: fc.constant('reorg' as const), depth: fc.integer({ min: 1, max: FINALITY }), blocks }),
  fc.record({
    type: fc.constant('reorgLater' as const),
    call,
    depth: fc.integer({ min: 1, max: FINALITY / 2 }),
    blocks,
  }),
  fc.record({
    type: fc.constant('failLater' as const),
    call,
    how: fc.constantFrom('null' as const, 'garbage' as const, 'busy' as const, 'noReceipts' as const),
  }),
  fc.record({ type: fc.constant('lag' as const), depth: fc.integer({ min: 1, max: 20 }) }),
  fc.constant({ type: 'poll' as const }),
  fc.constant({ type: 'poll' as const }),
  fc.constant({ type: 'restart' as const }),
)

/** A consumer that keeps what it was told, and may restart from it. */
async function createConsumer(l1: FakeL1, maxBlocksPerPoll: number, start: number) {
  const events: FollowerEvent[] = []
  let cursor: Cursor = []
  const endpoint = await l1.connect()
  const open = (): Follower =>
    followL1({
      endpoint,
      contracts: [{ address: ROOT }],
      startBlock: { number: start },
      finality: FINALITY,
      from: cursor,
      maxBlocksPerPoll,
    })
  let follower = open()
  return {
    events,
    /** Number of the last block that may not be dropped. */
    floor: () => cursor[0]?.number ?? Math.max(0, start - 1),
    restart() {
      follower = open()
    },
    /** Whether there may be more. */
    async poll(): Promise<boolean> {
      let failed = false
      const got = await follower.poll().catch((error: unknown) => {
        // What the steps do to the endpoint is temporary, so nothing else may come of it.
        if (!isLifeboatError(error) || (error.family !== 'retryable' && error.code !== 'REPLY_MALFORMED')) throw error
        failed = true
        return []
      })
      for (const event of got) cursor = foldCursor(cursor, event)
      events.push(...got)
      assert.equal(follower.cursor(), cursor)
      return failed || got.length > 0
    },
  }
}

type Consumer = Awaited<ReturnType<typeof createConsumer>>

/** Never below the consumer's final block, never all of the chain. */
function allowed(l1: FakeL1, consumer: Consumer, depth: number): number {
  return Math.max(0, Math.min(depth, l1.chain().length - 1 - consumer.floor()))
}

async function perform(l1: FakeL1, consumer: Consumer, step: Step): Promise<void> {
  switch (step.type) {
    case 'mine':
      return l1.mine(...step.blocks)
    case 'reorg':
      return l1.reorg(allowed(l1, consumer, step.depth), ...step.blocks)
    case 'reorgLater':
      return interfere(l1, step.call, async (reply) => {
        await l1.reorg(allowed(l1, consumer, step.depth), ...step.blocks)
        return reply()
      })
    case 'failLater':
      return interfere(l1, step.call, (reply, method) => {
        if (step.how === 'busy') throw { code: -32005, message: 'slow down' }
        if (step.how === 'null') return null
        if (step.how === 'garbage') return { not: 'what was asked' }
        return method.endsWith('Receipts') ? null : reply()
      })
    case 'lag': {
      // What is hidden comes back as it was: no reorg meanwhile.
      l1.setLie(undefined)
      const hidden = l1.rollback(Math.min(step.depth, l1.chain().length - 1))
      await consumer.poll()
      return l1.restore(hidden)
    }
    case 'poll':
      return void (await consumer.poll())
    case 'restart':
      return consumer.restart()
  }
}

function interfere(l1: FakeL1, call: number, act: (reply: () => unknown, method: string) => unknown): void {
  let left = call
  l1.setLie((method, _params, reply) => (left-- === 0 ? act(reply, method) : reply()))
}

async function assertStream(steps: readonly Step[], maxBlocksPerPoll: number, start: number): Promise<void> {
  const l1 = createFakeL1()
  await l1.mine()
  const consumer = await createConsumer(l1, maxBlocksPerPoll, start)
  for (const step of steps) await perform(l1, consumer, step)
  l1.setLie(undefined)
  // A chain that is shorter but otherwise the same looks like a lagging endpoint until it has outgrown the old one.
  await l1.mine(...Array.from({ length: 8 + start }, () => []))
  while (await consumer.poll());
  assert.equal(foldChain(consumer.events), expectedChain(l1).slice(start))
  const finals = consumer.events.flatMap((event) => (event.type === 'finalised' ? [event.block.number] : []))
  assert.equal(
    finals,
    [...new Set(finals)].sort((a, b) => a - b),
  )
}

property('folds to the canonical chain whatever happened on the way', async () => {
  printSeed('follower')
  const runs = Number(process.env['RUNS'] ?? 150)
  const cases = fc.asyncProperty(
    fc.array(step, { maxLength: 30 }),
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 0, max: 4 }),
    assertStream,
  )
  await fc.assert(cases, { seed, numRuns: runs })
})

property.run()

/** Mass exits and L1 reorgs at random: a watcher that saw it all, one that starts now, and one that folds again know the same. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { openedExit, placeEntries, shareOf } from '../../protocol/massExit.ts'
import { depositIdOf } from '../../protocol/position.ts'
import { type BatchRecord, foldBatch } from '../../watcher/court/batchTypes.ts'
import { rebuild } from '../../watcher/rebuild.ts'
import { type BatchStarted, batchOf, lockOf } from './support/batches.ts'
import { alice, at, carol, createFakePeer, deposited, depositPosition, SEPARATOR } from './support/chain.ts'
import { createTestCore, dump, openStore, PARAMETERS } from './support/core.ts'
import { createFakeL1, type FakeL1 } from './support/l1.ts'

const test = suite('watcher: mass exits at random')
const MOVES = [
  'start',
  'demand',
  'answer',
  'dissolve',
  'lock',
  'turn',
  'strike',
  'drop',
  'open',
  'place',
  'claim',
  'release',
  'close',
] as const
type Move = (typeof MOVES)[number]
type Step = Readonly<{ move: Move | 'reorg' | 'tick'; pick: number }>

const steps = fc.array(
  fc.record({
    move: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...MOVES) },
      { weight: 1, arbitrary: fc.constant('reorg' as const) },
      { weight: 1, arbitrary: fc.constant('tick' as const) },
    ),
    pick: fc.nat(20),
  }),
  { minLength: 10, maxLength: 60 },
)

type Known = Readonly<{ start: BatchStarted; record: BatchRecord; opened: ReadonlySet<number> }>

/** What the chain as it stands says of its batches, by the pure fold alone. */
function knownOf(l1: FakeL1): Known[] {
  const all: { start: BatchStarted; events: Parameters<typeof foldBatch>[0][number][]; opened: Set<number> }[] = []
  for (let number = 0; number <= l1.tip().number; number++) {
    const { block, events } = l1.block(number)
    events.forEach((event, logIndex) => {
      const placed = { ...event, at: { l1Block: number, l1Timestamp: block.timestamp, logIndex, txHash: block.hash } }
      if (event.type === 'BatchStarted') all.push({ start: event, events: [placed as never], opened: new Set() })
      else if ('batchId' in event)
        all.find(({ start }) => start.batchId === event.batchId)?.events.push(placed as never)
      else if (event.type === 'ExitPostponed')
        all.find(({ start }) => start.batchId === event.outputId)?.events.push(placed as never)
      else if (event.type === 'ExitStarted') {
        for (const { start, opened } of all)
          if (event.exit.payer.endsWith(start.batchId.slice(26))) opened.add(event.exit.seq - 2 ** 39)
      }
    })
  }
  return all.map(({ start, events, opened }) => ({ start, record: foldBatch(events) as BatchRecord, opened }))
}

/** The events of a move that L1 would take now; none where it takes none. */
function eventsOf(l1: FakeL1, { move, pick }: Step): RootEventBody[] {
  if (move === 'start') {
    const entries = [pick % 4, 4 + (pick % 3)].map((n) => ({
      position: depositPosition(0, n),
      amount: pick % 5 === 0 ? 8n : 7n,
    }))
    return [batchOf(l1, entries)]
  }
  const known = knownOf(l1)
  const chosen = known[pick % Math.max(known.length, 1)]
  if (!chosen) return []
  const { start, record, opened } = chosen
  const { batchId } = start
  const index = pick % 2
  const entry = placeEntries(start.entries)[index]!
  const { position } = entry
  const outputId = depositIdOf(position)
  const isUsed =
    record.uses.has(index) ||
    known.some((other) => [...other.record.uses.values()].some((use) => 'outputId' in use && use.outputId === outputId))
  const isOpenElsewhere = known.some((other) =>
    [...other.opened].some((i) => other.start.entries[i]?.position === position),
  )
  const strike = { batchId, position, spend: at(1, 0), signer: alice.address }
  const locked = record.state === 'locked'
  const isFree = record.ticket !== undefined && !isUsed
  switch (move) {
    case 'demand':
      if (record.state !== 'started' || record.demands.has(index)) return []
      return [{ type: 'EntryDemanded', batchId, index, position, demander: carol.address, bond: 1n }]
    case 'answer':
      if (record.state !== 'started' || record.demands.get(index)?.answered !== undefined || !record.demands.has(index))
        return []
      return [{ type: 'DemandAnswered', batchId, index, outputId, reward: 1n }]
    case 'dissolve':
      return record.state === 'started' && pick % 4 === 0 ? [{ type: 'BatchDissolved', batchId, demanded: null }] : []
    case 'lock':
      return record.state === 'started' && record.openDemands === 0
        ? [lockOf(l1, start, known.filter((other) => other.record.item).length)]
        : []
    case 'turn':
      return locked && !record.ticket
        ? [{ type: 'ExitPostponed', outputId: batchId, from: 0n, due: start.batch.total }]
        : []
    case 'strike':
      return locked && record.strikes.size === 0 ? [{ type: 'EntryStruck', ...strike, challenger: carol.address }] : []
    case 'drop':
      return [...record.strikes.values()].map((piece) => ({
        type: 'StrikeDropped' as const,
        ...strike,
        position: piece.position,
      }))
    case 'open': {
      if (!locked || !record.item || record.ticket || isUsed || isOpenElsewhere) return []
      return [
        {
          type: 'ExitStarted',
          exit: openedExit({
            batchId,
            item: record.item,
            entry,
            outputId,
            owner: alice.address,
            openedAt: 0,
            minExitPeriod: 0,
          }),
        },
      ]
    }
    case 'place': {
      if (!isFree || !opened.has(index) || !record.ticket) return []
      const share = shareOf(record.ticket, entry)
      return [
        { type: 'EntryPlaced', batchId, index, outputId, paid: 0n },
        { type: 'ExitPostponed', outputId, ...share },
      ]
    }
    case 'claim':
      if (!isFree || isOpenElsewhere) return []
      return [{ type: 'EntriesClaimed', batchId, claimed: [{ index, outputId, owner: alice.address }] }]
    case 'release':
      return isFree && !opened.has(index)
        ? [{ type: 'EntryReleased', batchId, index, position, amount: entry.amount }]
        : []
    case 'close':
      return locked && record.ticket ? [{ type: 'BatchClosed', batchId, returned: 1n }] : []
    default:
      return []
  }
}

test('whatever L1 says and takes back', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const l1 = createFakeL1({ slot: PARAMETERS.slot })
      const operator = createFakePeer('operator')
      const db = openStore()
      const core = createTestCore({ l1, peers: [operator.peer], db })
      l1.mine(Array.from({ length: 7 }, (_, n) => deposited(depositPosition(0, n), alice, 7n)))
      for (const step of list) {
        if (step.move === 'reorg') {
          // The deposits stay.
          const depth = Math.min(1 + (step.pick % 6), l1.tip().number - 1)
          if (depth <= 0) continue
          l1.reorg(depth)
          for (let i = 0; i <= depth; i++) l1.mine()
        } else if (step.move === 'tick') await core.tick()
        else l1.mine(eventsOf(l1, step))
      }
      await core.tick()
      await core.tick()
      for (const { start, record, opened } of knownOf(l1)) {
        const stored = core.facts.batch(start.batchId)
        const plain = (value: BatchRecord | undefined) =>
          value && [
            value.state,
            value.item,
            value.ticket,
            value.openDemands,
            [...value.strikes.keys()],
            [...value.uses.keys()].sort(),
            [...value.demands.keys()].sort(),
          ]
        assert.equal(plain(stored), plain(record))
        for (const [index, { position, amount }] of start.entries.entries()) {
          const lockedAt = core.ledger.find(position)?.lockedAt
          if (record.item && amount === 7n) assert.ok(lockedAt !== undefined && lockedAt <= record.item.lockedAt)
          if (opened.has(index)) assert.ok(core.exits.record(depositIdOf(position)))
        }
      }
      const other = createTestCore({ l1, peers: [operator.peer] })
      await other.tick()
      await other.tick()
      const seen = dump(db)
      assert.equal(seen, dump(other.db))
      rebuild(db, SEPARATOR)
      assert.equal(dump(db), seen)
      core.log.assertNoErrors()
    }),
    { numRuns: 60 },
  )
})

test.run()

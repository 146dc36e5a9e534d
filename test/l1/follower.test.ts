import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FollowerEvent, foldCursor } from '../../l1/cursor.ts'
import { type FollowOptions, followL1 } from '../../l1/follower.ts'
import { createFakeL1, expectedChain, type FakeL1, failureOf, foldChain, log, ROOT, STRANGER } from './followerFake.ts'

const follower = suite('l1 follower')

async function follow(l1: FakeL1, options: Partial<FollowOptions> = {}) {
  const endpoint = await l1.connect()
  return followL1({ endpoint, contracts: [{ address: ROOT }], startBlock: { number: 0 }, finality: 10, ...options })
}

const typesOf = (events: readonly FollowerEvent[]) => events.map(({ type }) => type)

/** A fake with blocks 0 to `height`, a log of ours in every third. */
async function chainOf(height: number): Promise<FakeL1> {
  const l1 = createFakeL1()
  for (let i = 0; i <= height; i++)
    await l1.mine(i % 3 === 0 ? [{ logs: [log(`0x0${i % 10}`), log('0xee', STRANGER)] }] : [])
  return l1
}

follower('reports every block in order with our logs only', async () => {
  const l1 = await chainOf(7)
  const events = await (await follow(l1)).poll()
  assert.equal(foldChain(events), expectedChain(l1))
  assert.equal(
    foldChain(events).map(({ logs }) => logs.join()),
    ['0x00', '', '', '0x03', '', '', '0x06', ''],
  )
})

follower('counts a log by its place among all logs of the block', async () => {
  const l1 = createFakeL1()
  await l1.mine([
    { logs: [log('0x01', STRANGER)] },
    { logs: [log('0x02', STRANGER), log('0x03')] },
    { logs: [log('0x04')] },
  ])
  const [event] = await (await follow(l1)).poll()
  assert.equal(event?.type === 'block' && event.logs.map((own) => [own.logIndex, own.transactionIndex, own.data]), [
    [2, 1, '0x03'],
    [3, 2, '0x04'],
  ])
})

follower('gives the header fields of a block', async () => {
  const l1 = await chainOf(1)
  const [, event] = await (await follow(l1)).poll()
  const [parent, own] = l1.chain()
  assert.equal(event?.type === 'block' && event.block, {
    number: 1,
    hash: own!.hash,
    parentHash: parent!.hash,
    timestamp: 1_700_000_012,
    baseFeePerGas: 1_000_000_000n,
  })
})

follower('reports nothing twice', async () => {
  const l1 = await chainOf(3)
  const own = await follow(l1)
  await own.poll()
  assert.equal(await own.poll(), [])
  await l1.mine([{ logs: [log('0xaa')] }])
  assert.equal(typesOf(await own.poll()), ['block'])
})

follower('takes no more blocks in one poll than allowed', async () => {
  const l1 = await chainOf(9)
  const own = await follow(l1, { maxBlocksPerPoll: 4, finality: 100 })
  const polls = [await own.poll(), await own.poll(), await own.poll(), await own.poll()]
  assert.equal(
    polls.map(({ length }) => length),
    [4, 4, 2, 0],
  )
  assert.equal(foldChain(polls.flat()), expectedChain(l1))
})

follower('fetches no receipts of a block whose bloom excludes our contracts', async () => {
  const l1 = createFakeL1()
  await l1.mine([{ logs: [log('0x01', STRANGER)] }], [], [{ logs: [log('0x02')] }])
  const own = await follow(l1)
  await own.poll()
  assert.is(l1.calls.filter((method) => method === 'eth_getBlockReceipts').length, 1)
})

follower('starts at the start block and waits while L1 has not reached it', async () => {
  const l1 = await chainOf(3)
  const own = await follow(l1, { startBlock: { number: 5 } })
  assert.equal(await own.poll(), [])
  await l1.mine([], [], [], [])
  assert.equal(
    foldChain(await own.poll()).map(({ number }) => number),
    [5, 6, 7],
  )
  assert.equal(own.status().floor, { number: 4, hash: l1.chain()[4]!.hash })
})

follower('refuses a start block with another hash than the deployment file has', async () => {
  const l1 = await chainOf(3)
  const error = await failureOf((await follow(l1, { startBlock: { number: 2, hash: l1.chain()[1]!.hash } })).poll())
  assert.is(error.code, 'START_BLOCK_MISMATCH')
  assert.is(error.details['want'], l1.chain()[1]!.hash)
})

for (const depth of [1, 2, 5, 9]) {
  follower(`reports a reorg of ${depth} blocks and goes on above the common ancestor`, async () => {
    const l1 = await chainOf(12)
    const own = await follow(l1)
    const before = await own.poll()
    await l1.reorg(depth, ...Array.from({ length: depth + 2 }, (_, i) => (i % 2 ? [] : [{ logs: [log('0xbb')] }])))
    const after = await own.poll()
    assert.is(after[0]?.type, 'reorg')
    assert.is(after[1]?.type, 'block')
    assert.equal(foldChain([...before, ...after]), expectedChain(l1))
  })
}

follower('reports a reorg to a shorter chain', async () => {
  const l1 = await chainOf(8)
  const own = await follow(l1)
  const before = await own.poll()
  await l1.reorg(4, [], [{ logs: [log('0xbb')] }])
  const after = await own.poll()
  assert.equal(typesOf(after), ['reorg', 'block', 'block'])
  assert.equal(foldChain([...before, ...after]), expectedChain(l1))
})

follower('reports a reorg back to the first chain', async () => {
  const l1 = await chainOf(8)
  const own = await follow(l1)
  const events = [...(await own.poll())]
  const dropped = l1.rollback(2)
  await l1.mine([], [], [])
  events.push(...(await own.poll()))
  l1.rollback(3)
  l1.restore(dropped)
  events.push(...(await own.poll()))
  assert.is(typesOf(events).filter((type) => type === 'reorg').length, 2)
  assert.equal(foldChain(events), expectedChain(l1))
})

follower('reports a reorg of all blocks while none is final', async () => {
  const l1 = await chainOf(6)
  const own = await follow(l1, { startBlock: { number: 4 } })
  const before = await own.poll()
  await l1.reorg(3, [], [], [])
  assert.equal(
    foldChain([...before, ...(await own.poll())]).map(({ hash }) => hash),
    l1
      .chain()
      .slice(4)
      .map(({ hash }) => hash),
  )
})

follower('does not take a lagging head for a reorg', async () => {
  const l1 = await chainOf(8)
  const own = await follow(l1)
  await own.poll()
  const hidden = l1.rollback(5)
  assert.equal(await own.poll(), [])
  l1.restore(hidden)
  await l1.mine()
  assert.equal(typesOf(await own.poll()), ['block'])
})

follower('does not take a head below the last final block for a reorg', async () => {
  const l1 = await chainOf(20)
  const own = await follow(l1)
  await own.poll()
  l1.rollback(18)
  assert.equal(await own.poll(), [])
})

follower('alarms when a reorg goes below a final block, and reports none of it', async () => {
  const l1 = await chainOf(20)
  const own = await follow(l1)
  await own.poll()
  const floor = own.status().floor
  assert.is(floor?.number, 10)
  await l1.reorg(11, ...Array.from({ length: 13 }, () => []))
  const error = await failureOf(own.poll())
  assert.is(error.code, 'FINALITY_BROKEN')
  assert.equal(error.details['want'], floor)
  assert.is(own.status().tip?.number, 20)
  assert.is((await failureOf(own.poll())).code, 'FINALITY_BROKEN')
})

follower('allows a reorg right above the final block', async () => {
  const l1 = await chainOf(20)
  const own = await follow(l1)
  const before = await own.poll()
  await l1.reorg(10, ...Array.from({ length: 11 }, () => []))
  assert.equal(foldChain([...before, ...(await own.poll())]), expectedChain(l1))
})

follower('finalises by depth, growing only, once per poll', async () => {
  const l1 = await chainOf(12)
  const own = await follow(l1)
  const finals = (events: readonly FollowerEvent[]) =>
    events.flatMap((own) => (own.type === 'finalised' ? [own.block] : []))
  assert.equal(finals(await own.poll()), [{ number: 2, hash: l1.chain()[2]!.hash }])
  assert.equal(finals(await own.poll()), [])
  await l1.reorg(3, [])
  assert.equal(finals(await own.poll()), [])
  await l1.mine([], [], [])
  assert.equal(finals(await own.poll()), [{ number: 3, hash: l1.chain()[3]!.hash }])
})

follower('finalises by the finalized tag, up to its own tip during a catch-up', async () => {
  const l1 = await chainOf(70)
  const own = await follow(l1, { finality: 'finalized', maxBlocksPerPoll: 4 })
  assert.equal((await own.poll()).at(-1), { type: 'finalised', block: { number: 3, hash: l1.chain()[3]!.hash } })
  assert.equal((await own.poll()).at(-1), { type: 'finalised', block: { number: 6, hash: l1.chain()[6]!.hash } })
  assert.equal((await own.poll()).at(-1)?.type, 'block')
})

follower('finalises nothing while the endpoint has no finalized block', async () => {
  const l1 = await chainOf(3)
  l1.setLie((_, params, reply) => (params[0] === 'finalized' ? null : reply()))
  assert.equal(typesOf(await (await follow(l1, { finality: 'finalized' })).poll()), [
    'block',
    'block',
    'block',
    'block',
  ])
})

follower('goes on after a restart where the stored cursor ended, across a reorg meanwhile', async () => {
  const l1 = await chainOf(12)
  const first = await follow(l1)
  const before = await first.poll()
  await l1.reorg(4, [{ logs: [log('0xbb')] }], [], [], [], [])
  const second = await follow(l1, { from: first.cursor() })
  const after = await second.poll()
  assert.is(after[0]?.type, 'reorg')
  assert.equal(foldChain([...before, ...after]), expectedChain(l1))
})

follower('goes on from a cursor folded event by event, wherever the consumer stopped', async () => {
  const l1 = await chainOf(13)
  const events = [...(await (await follow(l1, { startBlock: { number: 1 } })).poll())]
  for (let taken = 0; taken <= events.length; taken++) {
    const cursor = events.slice(0, taken).reduce(foldCursor, [])
    const rest = await (await follow(l1, { startBlock: { number: 1 }, from: cursor })).poll()
    assert.equal(foldChain([...events.slice(0, taken), ...rest]), expectedChain(l1).slice(1))
  }
})

follower('refuses a cursor with a gap', async () => {
  const l1 = await chainOf(3)
  const [zero, , two] = l1.chain().map(({ number, hash }) => ({ number, hash }))
  assert.is((await failureOf(follow(l1, { from: [zero!, two!] }))).code, 'CURSOR_MALFORMED')
})

follower('refuses to fold an event that does not fit', async () => {
  const l1 = await chainOf(3)
  const events = await (await follow(l1)).poll()
  assert.throws(
    () => [events[0]!, events[2]!].reduce(foldCursor, []),
    (error: { code: string }) => error.code === 'CURSOR_MISFIT',
  )
})

follower('refuses a second poll during a poll', async () => {
  const own = await follow(await chainOf(3))
  const first = own.poll()
  assert.is((await failureOf(own.poll())).code, 'POLL_OVERLAP')
  assert.is((await first).length, 4)
})

follower('follows several contracts, whatever the case of their addresses', async () => {
  const l1 = await chainOf(6)
  const contracts = [{ address: ROOT.toUpperCase().replace('0X', '0x') as typeof ROOT }, { address: STRANGER }]
  assert.equal(foldChain(await (await follow(l1, { contracts })).poll()), expectedChain(l1, [ROOT, STRANGER]))
})

follower.run()

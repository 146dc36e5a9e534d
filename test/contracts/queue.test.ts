/** The one queue of all exits (docs/spec.md section 5.4): its order, and everything that must not stop it. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeDepositEth, encodeProcessExits, encodeStartDepositExit, encodeWithdraw } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { compareTurns, type Exit } from '../../protocol/exit.ts'
import { decodePosition } from '../../protocol/position.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  bond,
  deposit,
  ETHER,
  nextAt,
  passTime,
  passTo,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  submitMany,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, eventOf, exitOf, Reverted } from '../support/rootChain.ts'
import { createReceiver, creditOf, MOODS, type Mood, minedReceipt, refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, carol, mallory, watcher } = actors
const { test, world, mep } = rootSuite('queue')
const ETH = ZERO_ADDRESS

const blockOf = (exit: Exit) => decodePosition(exit.position).block
const turnOf = (exit: Exit) => ({ exitableAt: exit.exitableAt, young: exit.young, block: blockOf(exit), seq: exit.seq })
const inOrder = (exits: readonly Exit[]) => [...exits].sort((a, b) => compareTurns(turnOf(a), turnOf(b)))
const paidIds = (events: readonly RootEvent[]) =>
  events.flatMap((event) => (event.type === 'ExitPaid' ? [event.outputId] : []))
const idsOf = (exits: readonly Exit[]) => exits.map((exit) => exit.outputId)
const lastExitable = (exits: readonly Exit[]) => Math.max(...exits.map((exit) => exit.exitableAt))
const now = async () => Number((await world.chain.client.getBlock()).timestamp)

/** A block whose one transaction pays alice `count` outputs out of nothing: the queue does not ask. */
async function blocksFor(count: number, blocks = 1): Promise<ChildBlock[]> {
  const { chain } = world
  const lists = []
  for (let i = 0; i < blocks; i++) {
    const outputs = Array.from({ length: count }, () => [alice, 1n] as const)
    const memo = `0x${(++memos).toString(16).padStart(64, '0')}` as const
    lists.push([await chain.pay(alice, 0, outputs, memo)])
  }
  return submitMany(chain, lists)
}
let memos = 0

async function depositExits(count: number): Promise<Exit[]> {
  const exits: Exit[] = []
  for (let i = 0; i < count; i++) {
    exits.push(await startDepositExit(world.chain, alice, await deposit(world.chain, alice)))
  }
  return exits
}

type Step = readonly [kind: number, size: number, hint: number]

/** Plays random starts and turns against a plain sorted list; every hint, true or false, must be harmless. */
async function playQueue(steps: readonly Step[]): Promise<number> {
  const { chain } = world
  const blocks: { block: ChildBlock; used: number }[] = []
  let pending: Exit[] = []
  let turns = 0
  const all = () => blocks.map(({ block }) => block)

  async function turn(maxCount: number): Promise<void> {
    const time = (await now()) + 1
    await nextAt(chain, time)
    const ready = inOrder(pending)
    const due = ready.filter((exit) => exit.exitableAt < time)
    const want = due.slice(0, maxCount)
    try {
      const { events } = await process(chain, turnsOf(pending, all()), { maxCount })
      assert.equal(paidIds(events), idsOf(want))
    } catch (error) {
      if (!(error instanceof Reverted)) throw error
      assert.equal([error.errorName, want.length], ['NothingToDo', 0])
      // The timestamp that was set for this turn would otherwise stop the next jump in time.
      await chain.client.mine({ blocks: 1 })
    }
    pending = ready.slice(want.length)
    turns += want.length
  }

  for (const [kind, size, hint] of steps) {
    if (kind <= 1) for (const block of await blocksFor(6, 1 + (size % 3))) blocks.push({ block, used: 0 })
    else if (kind <= 6) {
      const entry = blocks[size % Math.max(blocks.length, 1)]
      if (!entry || entry.used === 6) continue
      const youngHint = hint % (blocks.length + 3)
      pending.push(await startExit(chain, alice, [entry.block, 0, entry.used++], { youngHint }))
    } else if (kind === 7) pending.push(await startDepositExit(chain, alice, await deposit(chain, alice, 1n), 1n))
    else if (kind === 8) await passTime(chain, 1 + (size % mep()))
    else await turn(1 + (size % 3))
  }
  await passTo(chain, pending.length === 0 ? 0 : lastExitable(pending) + 1)
  for (let left = pending.length; left > 0; left = pending.length) {
    await turn(4)
    assert.ok(pending.length < left, 'everything is due, so every call takes turns')
  }
  return turns
}

test('random starts in old and young blocks get their turns in the order of protocol/exit.ts, whatever the hints', async () => {
  printSeed('queue')
  const step: fc.Arbitrary<Step> = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 10_000 }), fc.nat({ max: 1_000 }))
  const runs = fc.sample(fc.array(step, { minLength: 28, maxLength: 28 }), { seed, numRuns: 8 })
  await deposit(world.chain, alice)
  let turns = 0
  for (const steps of runs) {
    const snapshot = await world.chain.client.snapshot()
    turns += await playQueue([[0, 2, 0], ...steps])
    await world.chain.client.revert({ id: snapshot })
  }
  assert.ok(turns > 20, `only ${turns} turns were taken`)
})

test('what was locked in time and names older blocks comes before every output of a younger block', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const [older] = await blocksFor(2)
  await passTime(chain, mep() + 50)
  const [suspect] = await blocksFor(2)
  const theft = await startExit(chain, alice, [suspect!, 0, 0])
  await passTo(chain, suspect!.header.timestamp + mep() - 2)
  await nextAt(chain, suspect!.header.timestamp + mep())
  const lastHonest = await startExit(chain, alice, [older!, 0, 0])
  assert.not.ok(lastHonest.young)
  assert.is(lastHonest.exitableAt, theft.exitableAt, 'the last second at which it helps')
  await passTo(chain, theft.exitableAt + 1)
  const { events } = await process(chain, turnsOf([theft, lastHonest], [suspect!]))
  assert.equal(paidIds(events), idsOf([lastHonest, theft]))
})

test('two blocks of one call have one time: their exits go block by block, the second linked before the first', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const [first, second, third] = await blocksFor(3, 3)
  const exits = [
    await startExit(chain, alice, [third!, 0, 0]),
    await startExit(chain, alice, [first!, 0, 2]),
    await startExit(chain, alice, [second!, 0, 1], { youngHint: first!.number }),
    await startExit(chain, alice, [first!, 0, 0], { youngHint: third!.number }),
    await startExit(chain, alice, [third!, 0, 1], { youngHint: 99 }),
  ]
  assert.is(new Set(exits.map((exit) => exit.exitableAt)).size, 1)
  await passTo(chain, lastExitable(exits) + 1)
  const { events } = await process(chain, turnsOf(exits, [first!, second!, third!]))
  assert.equal(paidIds(events), idsOf([exits[1]!, exits[3]!, exits[2]!, exits[0]!, exits[4]!]))
  assert.equal(paidIds(events), idsOf(inOrder(exits)))
})

test('a hint at a block that has left the queue, or has no young exits, does not lose the new block', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const [gone] = await blocksFor(1)
  const early = await startExit(chain, alice, [gone!, 0, 0])
  await passTo(chain, early.exitableAt + 1)
  const [a, b, c, d] = await blocksFor(2, 4)
  const exits = [await startExit(chain, alice, [a!, 0, 0]), await startExit(chain, alice, [d!, 0, 0])]
  await process(chain, turnsOf([early], [gone!]))
  exits.push(await startExit(chain, alice, [c!, 0, 0], { youngHint: b!.number }))
  exits.push(await startExit(chain, alice, [b!, 0, 0], { youngHint: gone!.number }))
  await passTo(chain, lastExitable(exits) + 1)
  const { events } = await process(chain, turnsOf(exits, [a!, b!, c!, d!]))
  assert.equal(paidIds(events), idsOf(inOrder(exits)))
  assert.is(events.filter((event) => event.type === 'ExitPaid').length, 4)
})

test('an emptied queue starts anew', async () => {
  const { chain } = world
  await deposit(chain, alice)
  for (let round = 0; round < 3; round++) {
    const [block] = await blocksFor(1)
    const exit = await startExit(chain, alice, [block!, 0, 0], { youngHint: round })
    await passTo(chain, exit.exitableAt + 1)
    await process(chain, turnsOf([exit], [block!]))
    const [, , first, newest, cursor] = await chain.read<number[]>('queue')
    assert.equal([first, newest, cursor], [0, 0, 0])
  }
})

test('a second processor with the same list skips what is past instead of reverting', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const [block] = await blocksFor(3)
  const old = await depositExits(4)
  const young = [
    await startExit(chain, alice, [block!, 0, 0]),
    await startExit(chain, alice, [block!, 0, 1]),
    await startExit(chain, alice, [block!, 0, 2]),
  ]
  const all = [...old, ...young]
  await passTo(chain, lastExitable(all) + 1)
  const turns = turnsOf(all, [block!])
  const seen: string[] = []
  for (const maxCount of [2, 3, 100]) seen.push(...paidIds((await process(chain, turns, { maxCount })).events))
  assert.equal(seen, idsOf(inOrder(all)))
  await refuses('NothingToDo', () => process(chain, turns))
})

test('at most maxCount turns are taken, none for zero', async () => {
  const exits = await depositExits(3)
  await passTo(world.chain, lastExitable(exits) + 1)
  await refuses('NothingToDo', () => process(world.chain, turnsOf(exits), { maxCount: 0 }))
  assert.is(paidIds((await process(world.chain, turnsOf(exits), { maxCount: 2 })).events).length, 2)
})

test('a missing exit ends the call, and nothing behind it overtakes', async () => {
  const exits = await depositExits(4)
  await passTo(world.chain, lastExitable(exits) + 1)
  const [first, second, third, fourth] = exits as [Exit, Exit, Exit, Exit]
  await refuses('NothingToDo', () => process(world.chain, turnsOf([second, third, fourth])))
  const { events } = await process(world.chain, turnsOf([first, second, fourth]))
  assert.equal(paidIds(events), idsOf([first, second]))
})

test('a changed exit is a missing one: no field can be bent', async () => {
  const [exit] = (await depositExits(1)) as [Exit]
  await passTo(world.chain, exit.exitableAt + 1)
  const bent: Partial<Exit>[] = [
    { amount: exit.amount + 1n },
    { owner: mallory.address },
    { payer: mallory.address },
    { bond: exit.bond * 2n },
    { token: mallory.address },
    { exitableAt: exit.exitableAt - 1 },
    { startedAt: 0 },
    { lockedAt: 0 },
    { position: exit.position + 16 },
    { young: true },
    { seq: 1 },
  ]
  for (const change of bent) {
    const turns = turnsOf([exit])
    await refuses('NothingToDo', () => process(world.chain, { ...turns, old: [{ ...exit, ...change }] }))
  }
  await process(world.chain, turnsOf([exit]))
})

test('the head of one stream cannot be passed by hiding the head of the other', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const [block] = await blocksFor(1)
  const young = await startExit(chain, alice, [block!, 0, 0])
  await passTo(chain, block!.header.timestamp + mep() + 20)
  const [late] = (await depositExits(1)) as [Exit]
  assert.ok(late.exitableAt > young.exitableAt)
  await passTo(chain, late.exitableAt + 1)
  await refuses('NothingToDo', () => process(chain, turnsOf([late])))
  await refuses('NothingToDo', () => process(chain, turnsOf([young], [block!])))
  const wrongHeader = { ...block!, header: { ...block!.header, timestamp: block!.header.timestamp + 1_000 } }
  await refuses('NothingToDo', () => process(chain, turnsOf([young, late], [wrongHeader])))
  const { events } = await process(chain, turnsOf([late, young], [block!]))
  assert.equal(paidIds(events), idsOf([young, late]))
})

test('a call with little gas stops before a turn that it could not push through', async () => {
  const { chain } = world
  const exits = await depositExits(6)
  await passTo(chain, lastExitable(exits) + 1)
  const { data } = encodeProcessExits(100, turnsOf(exits))
  const taken: number[] = []
  for (const gas of [210_000n, 225_000n, 240_000n, 260_000n, 290_000n, 330_000n, 400_000n, 600_000n]) {
    const snapshot = await chain.client.snapshot()
    const hash = await chain.client.sendTransaction({ account: carol.account, to: chain.root, data, gas, chain: null })
    const { status } = await minedReceipt(chain, hash)
    const [oldHead] = await chain.read<number[]>('queue')
    if (status !== 'success') assert.is(oldHead, 0)
    else assert.ok((oldHead as number) > 0)
    for (const exit of exits.slice(0, oldHead)) assert.is(await stateOf(chain, exit), 'settled')
    assert.is(await creditOf(chain, ETH, alice.address), 0n, `no push failed for want of gas, given ${gas}`)
    taken.push(oldHead as number)
    await chain.client.revert({ id: snapshot })
  }
  assert.equal([...taken].sort(), taken, 'more gas, more turns')
  assert.ok(
    taken.some((count) => count > 0 && count < 6),
    `some calls stop on the way: ${taken}`,
  )
})

test('a queue full of dust costs nobody more: ten turns cost the same with and without sixty behind them', async () => {
  const { chain } = world
  const exits = await depositExits(10)
  const costOfTen = async () => {
    const snapshot = await chain.client.snapshot()
    await passTo(chain, lastExitable(exits) + 1)
    const { receipt } = await process(chain, turnsOf(exits), { maxCount: 10 })
    await chain.client.revert({ id: snapshot })
    return Number(receipt.gasUsed)
  }
  const alone = await costOfTen()
  await depositExits(60)
  const crowded = await costOfTen()
  // The last slot of the queue's record differs in nothing but its count.
  assert.ok(Math.abs(crowded - alone) < 100, `got ${crowded} gas with dust behind, want ${alone}`)
})

async function receiverExit(amount = ETHER) {
  const { chain } = world
  const receiver = await createReceiver(chain)
  const { events } = await chain.send(mallory.account, encodeDepositEth(receiver.address, amount))
  const { position } = eventOf(events, 'Deposited')
  const bondWei = await bond(chain)
  const start = encodeStartDepositExit({ position, token: ETH, amount, bondWei })
  return { receiver, exit: exitOf((await receiver.run(start)).events) }
}

for (const mood of Object.keys(MOODS) as Mood[]) {
  test(`an owner who reacts with "${mood}" gets its money or its credit, and the queue goes on`, async () => {
    const { chain } = world
    const { receiver, exit } = await receiverExit()
    const [honest] = (await depositExits(1)) as [Exit]
    const turns = turnsOf([exit, honest])
    await receiver.setMood(mood, chain.root, encodeProcessExits(9, turns).data)
    await passTo(chain, honest.exitableAt + 1)
    const { events, receipt } = await process(chain, turns)
    assert.equal(paidIds(events), idsOf([exit, honest]))
    assert.equal([await stateOf(chain, exit), await stateOf(chain, honest)], ['settled', 'settled'])
    const due = exit.amount + exit.bond - (exit.bond * 60_000n) / 400_000n
    const got = await chain.client.getBalance({ address: receiver.address })
    const credited = await creditOf(chain, ETH, receiver.address)
    assert.is(got + credited, due)
    if (mood === 'accept') assert.is(got, due)
    if (mood === 'revert' || mood === 'burnGas' || mood === 'returnBomb') assert.is(credited, due)
    assert.ok(receipt.gasUsed < 250_000n, `got ${receipt.gasUsed} gas for two turns`)
    if (credited === 0n) return
    await receiver.setMood('accept')
    await chain.send(watcher.account, encodeWithdraw(ETH, receiver.address))
    assert.is(await chain.client.getBalance({ address: receiver.address }), due)
  })
}

test('an owner that takes its pay inside a withdrawal cannot take it twice', async () => {
  const { chain } = world
  const { receiver, exit } = await receiverExit()
  await receiver.setMood('revert')
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await depositExits(1)
  const due = await creditOf(chain, ETH, receiver.address)
  await receiver.setMood('reenter', chain.root, encodeWithdraw(ETH, receiver.address).data)
  await chain.send(watcher.account, encodeWithdraw(ETH, receiver.address))
  assert.is(await chain.client.getBalance({ address: receiver.address }), due)
})

test('a processor that refuses its bounty is credited, and the exits are paid', async () => {
  const { chain } = world
  const exits = await depositExits(2)
  const receiver = await createReceiver(chain)
  await receiver.setMood('revert')
  await passTo(chain, lastExitable(exits) + 1)
  const { events } = await receiver.run(encodeProcessExits(9, turnsOf(exits)))
  assert.is(paidIds(events).length, 2)
  const bounty = exits.reduce((sum, exit) => sum + (exit.bond * 60_000n) / 400_000n, 0n)
  assert.is(await creditOf(chain, ETH, receiver.address), bounty)
})

test('an exit that leaves unpaid does not hold up the next', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(mallory, 0, [[mallory, 1n]])])
  const theft = await startExit(chain, mallory, [block, 0, 0])
  await passTo(chain, block.header.timestamp + mep() + 10)
  const honest = await startDepositExit(chain, bob, await deposit(chain, bob))
  await setByHand(chain, 'setInvalid', [BigInt(theft.position), true])
  await passTo(chain, honest.exitableAt + 1)
  const { events } = await process(chain, turnsOf([theft, honest], [block]))
  assert.equal(paidIds(events), [honest.outputId])
  assert.is(eventOf(events, 'ExitRemoved').reason, 'invalid')
  assert.is(await stateOf(chain, theft), 'locked')
})

test.run()

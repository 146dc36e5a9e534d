/**
 * Random mass exits (docs/spec.md 6.4): owners, payments, standard exits, overlapping batches, strikes, opened entries, a halt, in any order and at any time. No
 * output is ever paid twice, L1 always holds what it owes, and in the end whoever owns something in a batch has it. FUZZ_SEED repeats a run.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeDropStrike } from '../../l1/massExitContract.ts'
import { encodeSettle } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { depositIdOf, outputIdOf } from '../../protocol/position.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  type TestBatch,
} from '../support/batchMoves.ts'
import { createBait, drop, freePlaces, haltAt, headOf, release, submitBad } from '../support/haltMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, Reverted, type RootChain } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave } = actors
const USERS = [alice, bob, dave] as const
const RUNS = 10
const { test, world } = rootSuite('mass exits: random')
printSeed('mass exits')

type Coin = {
  readonly position: number
  readonly owner: Actor
  readonly amount: bigint
  readonly made?: readonly [ChildBlock, number, number]
  spent?: readonly [ChildBlock, number]
  exits: Exit[]
}

type Listed = Readonly<{ batch: TestBatch; coins: readonly Coin[] }>

async function createRun(chain: RootChain, dice: (below: number) => number) {
  const coins: Coin[] = []
  const blocks: ChildBlock[] = []
  const batches: Listed[] = []
  const items: Exit[] = []
  const own: Exit[] = []
  const paid = new Map<Hash, bigint>()
  const bait = await createBait(chain)
  let voidFrom = Number.POSITIVE_INFINITY
  const pick = <T>(list: readonly T[]): T | undefined => list[dice(Math.max(list.length, 1))]
  const shown = ({ made, owner, amount }: Coin) =>
    made ? { ...outputAt(chain, made[0], made[1]) } : depositAt(owner, amount)
  const isVoid = (block: ChildBlock | undefined) => block !== undefined && block.number >= voidFrom
  const stands = ({ made, spent }: Coin) => !isVoid(made?.[0]) && (!spent || isVoid(spent[0]))

  /** Counts what was paid, as entry or as exit; what is refused changed nothing. */
  async function act(move: () => Promise<{ events: readonly RootEvent[] } | undefined | undefined>): Promise<void> {
    try {
      const sent = await move()
      for (const event of sent?.events ?? []) {
        if (event.type === 'ExitPaid') add(event.outputId, event.amount)
        if (event.type === 'EntriesClaimed') {
          const { batch } = batches.find(({ batch: { id } }) => id === event.batchId) as Listed
          for (const { index, outputId } of event.claimed) add(outputId, batch.placed[index]!.amount)
        }
      }
    } catch (error) {
      if (!(error instanceof Reverted)) throw error
    }
  }
  const add = (outputId: Hash, amount: bigint) => paid.set(outputId, (paid.get(outputId) ?? 0n) + amount)

  async function fund() {
    const owner = pick(USERS)!
    const amount = ETHER + BigInt(dice(1_000))
    coins.push({ position: await deposit(chain, owner, amount), owner, amount, exits: [] })
  }

  async function pay() {
    const coin = pick(coins.filter(({ spent, exits }) => !spent && exits.length === 0))
    if (!coin || batches.some(({ batch, coins: listed }) => batch.item && listed.includes(coin))) return
    const outputs = [
      [pick(USERS)!, coin.amount / 3n],
      [pick(USERS)!, coin.amount - coin.amount / 3n],
    ] as const
    const signed = await chain.pay(coin.owner, coin.position, outputs)
    const block = dice(4) === 0 ? await submitBad(chain, bait, [signed]) : await submit(chain, [signed])
    blocks.push(block)
    coin.spent = [block, 0]
    for (const [i, [owner, amount]] of outputs.entries()) {
      coins.push({ position: place(block, 0, i), owner, amount, made: [block, 0, i], exits: [] })
    }
  }

  async function list() {
    const listed = coins.filter(() => dice(3) !== 0).sort((a, b) => a.position - b.position)
    const last = listed.at(-1)
    if (!last) return
    const number = Math.floor(last.position / 2 ** 25)
    const lastBlock = blocks.find((block) => block.number === number)
    if (number > 0 && !lastBlock) return
    const entries = listed.map(({ position, amount }) => ({ position, amount }))
    try {
      const batch = await startBatch(chain, entries, { from: carol, ...(lastBlock && { lastBlock }) })
      batches.push({ batch, coins: listed })
    } catch (error) {
      if (!(error instanceof Reverted)) throw error
    }
  }

  async function lock() {
    const now = Number((await chain.client.getBlock()).timestamp)
    const isInTime = ({ batch }: TestBatch) => now < batch.startedAt + chain.parameters.minExitPeriod / 2
    const found = batches.find(({ batch }) => !batch.item && isInTime(batch))
    if (!found) return
    const first = found.batch.batch.startedAt + chain.parameters.minExitPeriod / 4 + 1
    await act(async () => {
      items.push(await lockBatch(chain, found.batch, Math.max(now + 1, first)))
    })
  }

  async function leave() {
    const coin = pick(coins.filter(({ exits }) => exits.length === 0))
    if (!coin) return
    await act(async () => {
      const exit = coin.made
        ? await startExit(chain, coin.owner, coin.made)
        : await startDepositExit(chain, coin.owner, coin.position, coin.amount)
      coin.exits.push(exit)
      own.push(exit)
    })
  }

  const locked = () => batches.filter(({ batch }) => batch.item)
  const turn = () => act(() => process(chain, turnsOf([...own, ...items], blocks)))
  async function each(move: (batch: TestBatch, index: number, coin: Coin) => Promise<void>) {
    for (const { batch, coins: listed } of locked()) {
      for (const [index, coin] of listed.entries()) await move(batch, index, coin)
    }
  }
  async function some(move: (batch: TestBatch, index: number, coin: Coin) => Promise<void>) {
    const found = pick(locked())
    if (!found) return
    const index = dice(found.coins.length)
    await move(found.batch, index, found.coins[index]!)
  }

  const open = (batch: TestBatch, index: number, coin: Coin) =>
    act(async () => {
      coin.exits.push(await openEntry(chain, batch, index, shown(coin)))
    })
  const take = (batch: TestBatch, index: number, coin: Coin) => act(() => claim(chain, batch, [[index, shown(coin)]]))
  const free = (batch: TestBatch, index: number, coin: Coin) =>
    act(() => releaseEntry(chain, batch, index, shown(coin)))
  async function finish(batch: TestBatch, index: number, coin: Coin) {
    for (const exit of coin.exits) {
      await act(() => placeEntry(chain, batch, index, exit))
      await act(() => adoptExit(chain, batch, [index, shown(coin), exit]))
      await act(() => chain.send(carol.account, encodeSettle([exit])))
      await act(() => release(chain, exit, coin.spent?.[0]))
    }
  }
  /** The honest watcher: every true spend is shown in time, every fallen one dropped. */
  async function watch() {
    await each(async (batch, _, coin) => {
      if (!coin.spent || isVoid(coin.spent[0])) return
      await act(() => strike(chain, batch, [spendAt(chain, coin.spent![0], 0, coin.position)]))
    })
    for (const coin of coins) {
      if (!coin.spent || isVoid(coin.spent[0])) continue
      for (const exit of coin.exits) await act(() => challenge(chain, exit, coin.spent!))
    }
  }
  async function clean() {
    await each(async (batch, _, { spent, position, owner, exits }) => {
      if (!spent || !isVoid(spent[0])) return
      await act(() => chain.send(carol.account, encodeDropStrike(batch.batch, position, owner.address)))
      for (const exit of exits) await act(() => drop(chain, exit, spent[0]))
    })
  }

  /** Exits of outputs whether or not a batch lists them: paid, or out of the way. */
  async function leaveQueue() {
    for (const { exits, spent } of coins) {
      for (const exit of exits) {
        await act(() => chain.send(carol.account, encodeSettle([exit])))
        await act(() => release(chain, exit))
        await act(() => release(chain, exit, spent?.[0]))
      }
    }
  }

  async function halt() {
    const now = Number((await chain.client.getBlock()).timestamp)
    const isInTime = ({ header }: ChildBlock) => header.timestamp + chain.parameters.minExitPeriod > now + 1
    const found = blocks.find((block) => block.transactions.length === 2 && isInTime(block))
    const bad = found ?? (await submitBad(chain, bait))
    if (!found) blocks.push(bad)
    await act(async () => {
      await haltAt(chain, bad)
    })
    voidFrom = (await headOf(chain))[0] || Number.POSITIVE_INFINITY
  }

  return {
    coins,
    batches,
    paid,
    dice,
    act,
    fund,
    pay,
    list,
    lock,
    leave,
    turn,
    some,
    each,
    open,
    take,
    free,
    finish,
    watch,
    clean,
    halt,
    leaveQueue,
    stands,
    locked,
  }
}

type Run = Awaited<ReturnType<typeof createRun>>

/** Grows with everything that is paid or freed. */
async function progressOf(chain: RootChain): Promise<bigint> {
  const [funded] = await chain.read<readonly [bigint, bigint]>('totals', [ETH])
  return funded * 2n ** 128n - (await chain.client.getBalance({ address: chain.root }))
}

/** L1 never pays more than came in, and holds the rest. */
async function checkStep(chain: RootChain, { paid, coins }: Run): Promise<void> {
  const deposits = coins.filter(({ made }) => !made).reduce((sum, { amount }) => sum + amount, ETHER)
  const total = [...paid.values()].reduce((sum, amount) => sum + amount, 0n)
  assert.ok(total <= deposits, `paid ${total} of ${deposits}`)
  const held = await chain.client.getBalance({ address: chain.root })
  assert.ok(held >= deposits - total, `holds ${held}, owes ${deposits - total}`)
}

test('whoever owns something in a batch that was locked is paid all of it once, whatever else happens', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const seen = { entries: 0, opened: 0, halted: 0, overlapping: 0, spent: 0 }
  const samples = fc.sample(fc.array(fc.nat(), { minLength: 97, maxLength: 97 }), { seed, numRuns: RUNS })
  for (const [n, numbers] of samples.entries()) {
    const id = await chain.client.snapshot()
    let drawn = 0
    const run = await createRun(chain, (below) => (numbers[drawn++ % numbers.length] as number) % below)
    const {
      dice,
      fund,
      pay,
      list,
      lock,
      leave,
      some,
      open,
      take,
      free,
      finish,
      watch,
      clean,
      halt,
      each,
      turn,
      leaveQueue,
    } = run
    for (const move of [fund, fund, fund, pay, list]) await move()
    const moves = [
      fund,
      pay,
      list,
      lock,
      lock,
      leave,
      turn,
      watch,
      () => some(open),
      () => some(take),
      () => some(free),
    ]
    // An exit can be challenged for three quarters of the period; no move takes longer than a half.
    let watchedAt = 0
    const attend = async () => {
      const now = Number((await chain.client.getBlock()).timestamp)
      if (now - watchedAt < mep / 8) return
      watchedAt = now
      await watch()
    }
    for (let i = 0; i < 14; i++) {
      await moves[dice(moves.length)]!()
      if (dice(3) === 0) await passTime(chain, 1 + dice(40))
      await attend()
      await checkStep(chain, run)
    }
    await list()
    for (let i = 0; i < 4; i++) {
      await lock()
      await attend()
    }
    if (n % 2 === 0) await halt()
    await watch()
    await clean()
    const [, , lastMove] = await headOf(chain)
    const now = Number((await chain.client.getBlock()).timestamp)
    await passTo(chain, Math.max(now, lastMove) + 2 * mep + 2)
    await turn()
    // Everything that can be done about any entry, until nothing changes: order is nobody's to choose.
    for (let before = -1n; before !== (await progressOf(chain)); ) {
      before = await progressOf(chain)
      await clean()
      await leaveQueue()
      await freePlaces(chain)
      await each(finish)
      await each(take)
      await each(open)
      await passTime(chain, mep + 1)
      await each(finish)
      await each(free)
      await checkStep(chain, run)
    }
    const { stands, locked, coins, paid } = run
    const inBatch = new Set(locked().flatMap(({ coins: listed }) => listed))
    const ids = await outputIds(chain, coins)
    for (const coin of coins) {
      const got = paid.get(ids.get(coin) as Hash) ?? 0n
      assert.ok(got === 0n || (got === coin.amount && stands(coin)), `${coin.position} got ${got} of ${coin.amount}`)
      if (inBatch.has(coin) && stands(coin)) assert.is(got, coin.amount, `${coin.position} in a batch`)
    }
    seen.entries += inBatch.size
    seen.opened += coins.filter(({ exits }) => exits.some(({ bond }) => bond === 0n)).length
    seen.halted += lastMove ? 1 : 0
    seen.overlapping += locked().length > 1 ? 1 : 0
    seen.spent += [...inBatch].filter((coin) => !stands(coin)).length
    await chain.client.revert({ id })
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `nothing ${what} in any run`)
})

async function outputIds(chain: RootChain, coins: readonly Coin[]): Promise<Map<Coin, Hash>> {
  const ids = new Map<Coin, Hash>()
  for (const coin of coins) {
    const [block, index, output] = coin.made ?? []
    const made = block && chain.hashed(block.transactions)[index as number]
    ids.set(coin, made ? outputIdOf(made.txHash, output as number) : depositIdOf(coin.position))
  }
  return ids
}

test.run()

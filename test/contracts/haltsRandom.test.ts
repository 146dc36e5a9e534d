/**
 * After a halt everybody has what the blocks below it say, to the wei (docs/halt.md; docs/spec.md 8.4): random histories, good and bad blocks, honest
 * exits and thefts, evidence that stands and evidence that falls, one halt or two, turns taken early or late.
 */

import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeCloseChain } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { createBait, drop, haltAt, headOf, paidFor, release, settle, submitBad } from '../support/haltMoves.ts'
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
import { type Actor, actors, type ChildBlock, Reverted, type RootChain } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, erin, operator } = actors
const USERS = [alice, bob, carol, dave] as const
const RUNS = 16
const { test, world } = rootSuite('halts: random histories')
printSeed('halts')

type Place = readonly [block: ChildBlock, index: number, output: number]

type Coin = {
  readonly position: number
  readonly owner: Actor
  readonly amount: bigint
  /** Nothing for a deposit. */
  readonly made?: Place
  spent?: readonly [ChildBlock, number]
  exit?: Exit
  challenged?: boolean
}

/** A history on L1 and the ledger that it should have; `dice(n)` draws a number below n. */
async function createHistory(chain: RootChain, dice: (below: number) => number) {
  const bait = await createBait(chain)
  const coins: Coin[] = [{ position: bait.position, owner: erin, amount: ETHER }]
  const blocks: ChildBlock[] = []
  const bad: ChildBlock[] = []
  const pick = <T>(list: readonly T[]): T | undefined => (list.length === 0 ? undefined : list[dice(list.length)])
  const user = () => pick(USERS) as Actor

  async function fund() {
    const owner = user()
    coins.push({ position: await deposit(chain, owner), owner, amount: ETHER })
  }

  async function pay() {
    const free = coins.filter(({ owner, spent, exit, amount }) => owner !== erin && !spent && !exit && amount > 1_000n)
    const chosen = [...new Set([pick(free), pick(free)].filter((coin) => coin !== undefined))]
    const outputs = chosen.map(({ amount }) => [
      [user(), amount / 3n],
      [user(), amount - amount / 3n],
    ]) as [Actor, bigint][][]
    const signed = await Promise.all(chosen.map((coin, i) => chain.pay(coin.owner, coin.position, outputs[i]!)))
    const isBad = dice(3) === 0
    const block = isBad ? await submitBad(chain, bait, signed) : await submit(chain, signed)
    blocks.push(block)
    if (isBad) bad.push(block)
    for (const [index, coin] of chosen.entries()) {
      coin.spent = [block, index]
      for (const [output, [owner, amount]] of outputs[index]!.entries()) {
        coins.push({ position: place(block, index, output), owner, amount, made: [block, index, output] })
      }
    }
  }

  async function leave(coin: Coin | undefined) {
    if (!coin) return
    const { owner, made, position, amount } = coin
    coin.exit = made ? await startExit(chain, owner, made) : await startDepositExit(chain, owner, position, amount)
  }

  async function accuse(coin: Coin | undefined) {
    if (!coin?.exit || !coin.spent || coin.challenged) return
    await challenge(chain, coin.exit, coin.spent)
    coin.challenged = true
  }

  /** Whoever owns something, or did, takes it out, rightly or not. */
  const leaveAny = () => leave(pick(coins.filter(({ exit, owner }) => !exit && owner !== erin)))
  const stealAny = () => leave(pick(coins.filter(({ exit, spent }) => !exit && spent)))
  const accuseAny = () => accuse(pick(coins.filter(({ exit, spent }) => exit && spent)))
  const wait = () => passTime(chain, 1 + dice(6))

  return { coins, blocks, bad, dice, fund, pay, leave, leaveAny, stealAny, accuse, accuseAny, wait }
}

type History = Awaited<ReturnType<typeof createHistory>>

/** At the oldest bad block in the end, by one move or two; in order where there is none. */
async function haltSomewhere(chain: RootChain, { bad, dice, leaveAny, wait }: History): Promise<number> {
  const [oldest, ...younger] = bad
  if (!oldest) {
    await chain.send(operator.account, encodeCloseChain())
    return (await headOf(chain))[0]
  }
  const first = younger[dice(bad.length)]
  if (first) {
    await haltAt(chain, first)
    await wait()
    await leaveAny().catch(ifVoid)
  }
  await haltAt(chain, oldest)
  return oldest.number
}

/** What is void can't leave any more. */
function ifVoid(error: unknown): void {
  if (!(error instanceof Reverted && error.errorName === 'BlockVoid')) throw error
}

/** A ticket is released once the line is covered up to it: the older one first. */
async function inOrderOfLine(chain: RootChain, coins: readonly Coin[]): Promise<Coin[]> {
  const places = await Promise.all(
    coins.map(async (coin) => {
      const [from] = await chain.read<readonly [bigint, bigint]>('ticket', [coin.exit!.outputId])
      return { coin, from }
    }),
  )
  return places.sort((a, b) => (a.from < b.from ? -1 : 1)).map(({ coin }) => coin)
}

/** Nobody's turn, or nothing to settle: no events. */
function ifNothing(error: unknown) {
  if (error instanceof Reverted && error.errorName === 'NothingToDo') return { events: [] }
  throw error
}

test('after any halt whoever owns something by the blocks below it is paid all of it, in any order, and nobody else anything', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const kinds = { void: 0, fallen: 0, stolen: 0, twice: 0 }
  for (const numbers of fc.sample(fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), { seed, numRuns: RUNS })) {
    const id = await chain.client.snapshot()
    let drawn = 0
    const history = await createHistory(chain, (below) => (numbers[drawn++ % numbers.length] as number) % below)
    const { coins, blocks, bad, dice, fund, pay, leave, leaveAny, stealAny, accuse, accuseAny, wait } = history
    await fund()
    await fund()
    const acts = [fund, pay, pay, pay, leaveAny, stealAny, stealAny, accuseAny, accuseAny, wait]
    for (let i = 0; i < 16; i++) await acts[dice(acts.length)]!()
    await stealAny()
    await stealAny()
    for (const coin of coins) if (dice(3) !== 0) await accuse(coin)
    const voidFrom = await haltSomewhere(chain, history)
    const isVoid = (block: ChildBlock | undefined) => block !== undefined && block.number >= voidFrom
    const stands = ({ made, spent }: Coin) => !isVoid(made?.[0]) && (!spent || isVoid(spent[0]))

    for (const coin of coins.filter((coin) => stands(coin) && !coin.exit)) await leave(coin)
    for (const coin of coins.filter(({ spent }) => spent && !isVoid(spent[0]))) await accuse(coin)
    const fallen = coins.filter(({ challenged, spent, made }) => challenged && isVoid(spent?.[0]) && !isVoid(made?.[0]))
    const exits = coins.flatMap(({ exit }) => exit ?? [])
    const [, , lastMove] = await headOf(chain)
    const due = Math.max(lastMove + mep, ...exits.map(({ exitableAt }) => exitableAt))
    const events = []
    if (dice(2) === 0) {
      await passTo(chain, due - mep / 2)
      events.push(...(await process(chain, turnsOf(exits, blocks)).catch(ifNothing)).events)
    }
    const early = dice(2) === 0
    if (early) for (const { exit, spent } of fallen) await drop(chain, exit!, ...spent!)
    await passTo(chain, due + 1)
    events.push(...(await process(chain, turnsOf(exits, blocks)).catch(ifNothing)).events)
    if (!early) for (const { exit, spent } of fallen) await drop(chain, exit!, ...spent!)
    const thefts = coins.filter((coin) => coin.challenged && !isVoid(coin.spent?.[0]) && !isVoid(coin.made?.[0]))
    for (const coin of await inOrderOfLine(chain, thefts)) await release(chain, coin.exit!, ...coin.spent!)
    events.push(...(await settle(chain, exits).catch(ifNothing)).events)
    for (const coin of coins) {
      const paid = coin.exit ? paidFor(events, coin.exit) : 0n
      assert.is(paid, stands(coin) ? coin.amount : 0n, `coin ${coin.position}, void from ${voidFrom}`)
    }
    const deposits = coins.filter(({ made }) => !made).reduce((sum, { amount }) => sum + amount, 0n)
    assert.is(
      coins.filter(stands).reduce((sum, { amount }) => sum + amount, 0n),
      deposits,
      'the ledger itself',
    )
    kinds.void += coins.filter(({ exit, made }) => exit && isVoid(made?.[0])).length
    kinds.fallen += fallen.length
    kinds.stolen += thefts.length
    kinds.twice += bad.length > 1 ? 1 : 0
    await chain.client.revert({ id })
  }
  for (const [kind, count] of Object.entries(kinds)) assert.ok(count > 0, `no ${kind} in any history`)
})

test.run()

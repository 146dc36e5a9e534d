/**
 * A long random history on one contract: payments, exits, thefts, disputes, batches and hidden blocks of many cheats at once, in any order and at any time, then one fault
 * that ends the chain, and everybody leaves. Judged after every step as a cell is.
 */
import { actors, ETH } from '../support/rootChain.ts'
import { AWAY, type Away, type Fault, GAMES, type Game } from './cell.ts'
import { createDice } from './dice.ts'
import { createPlot, type Plot } from './faults.ts'
import { Broken, createJudge } from './judge.ts'
import { leave, leaveInFlight, leaveTogether, ownCoins } from './owner.ts'
import { retire, type Stage, watch } from './play.ts'
import { nextStop } from './stops.ts'
import { type Coin, furnish, OWNERS, openTheatre, type Theatre } from './theatre.ts'
import { grab } from './thief.ts'
import { attempt, track } from './track.ts'

const { alice, erin, mallory } = actors

/** What can happen on a chain that goes on, more than once. */
const LIVE: readonly Fault[] = ['theft', 'non-canonical', 'hostile-batch', 'copied-batch', 'reveal-late', 'none']
const LAST: readonly Fault[] = [
  'double-spend',
  'mint',
  'forge-signature',
  'spend-exited',
  'break-value',
  'refer-to-future',
  'withhold-block',
  'withhold-transaction',
  'wrong-root',
  'stop',
]
const MOST_STOPS = 120

export type Walk = Readonly<{ seed: number; steps: number; game?: Game; away?: Away; last?: Fault }>
export type Walked = Readonly<{ line: string; steps: number; calls: number; story: readonly string[]; broken?: Error }>

export async function walk(stage: Stage, options: Walk): Promise<Walked> {
  const { seed, steps } = options
  const dice = createDice(seed, 'walk')
  const game = options.game ?? dice.pick(GAMES)
  const away = options.away ?? dice.pick(AWAY)
  const last = options.last ?? dice.pick(LAST)
  const chain = track(stage.base, stage.wire)
  const id = await stage.base.client.snapshot()
  const story: string[] = []
  let broken: Error | undefined
  try {
    const theatre = await openTheatre({ chain, endpoint: stage.endpoint, token: stage.token, dice, game, away })
    await stroll(theatre, { seed, steps, game, away, last }, story)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    broken = error
  } finally {
    await stage.base.client.revert({ id })
  }
  const line = `npm run cheaters -- --walk ${steps} --seed ${seed}${options.game ? ` --game ${game}` : ''}${options.away ? ` --offline ${away}` : ''}${options.last ? ` --fault ${last}` : ''}`
  return { line, steps: story.length, calls: chain.calls(), story, ...(broken && { broken }) }
}

async function stroll(
  theatre: Theatre,
  { seed, steps, game, away, last }: Required<Walk>,
  story: string[],
): Promise<void> {
  const { chain, dice, commit, pay, free, fund } = theatre
  const { minExitPeriod: mep } = chain.parameters
  await furnish(theatre)
  const judge = await createJudge(theatre)
  const plots: Plot[] = []
  const pending = new Set<number>()
  const begun = await chain.now()
  const isGreedy = dice.chance(80)
  const isHalted = () => judge.voidFrom() !== 0
  const spendable = (coin: Coin) => !pending.has(coin.position) && coin.amount > 1_000n

  async function payment(): Promise<string> {
    const payer = dice.pick([...OWNERS, mallory])
    const coin = free(payer).filter(spendable)[0]
    if (!coin || isHidden()) return 'nothing to pay'
    const payee = dice.pick([...OWNERS, mallory])
    const [part, rest] = [coin.amount / 3n, coin.amount - coin.amount / 3n]
    await commit([
      await pay(
        [coin],
        [
          [payee, part, coin.token],
          [payer, rest, coin.token],
        ],
      ),
    ])
    return `payment of ${coin.position}`
  }

  const isHidden = () =>
    theatre.blocks.some(({ served, block }) => !served && !(isHalted() && block.number >= judge.voidFrom()))

  async function scheme(fault: Fault, as: Game): Promise<string> {
    await fund(mallory, 10n ** 18n + BigInt(dice.below(1_000)))
    await fund(mallory, 10n ** 18n + BigInt(dice.below(1_000)))
    if (isHidden()) return 'nothing is built on a hidden block'
    await chain.client.mine({ blocks: 1, interval: 0 })
    const bait = free(mallory, ETH).at(-1) as Coin
    const stolen = await pay(
      [bait],
      [
        [alice, bait.amount / 2n],
        [mallory, bait.amount - bait.amount / 2n],
      ],
    )
    await commit([stolen])
    const plot = await createPlot({ theatre, cell: { fault, game: as, away, seed }, bait, stolen, busy: pending })
    for (const position of plot.pending) pending.add(position)
    plots.push(plot)
    await plot.strike()
    return `${fault}, ${as}`
  }

  async function crowd(): Promise<string> {
    if (!theatre.awake().some(({ actor }) => actor === erin)) return 'nobody coordinates'
    const batch = await attempt(() => leaveTogether(theatre, pending))
    return batch ? `a crowd of ${batch.placed.length}` : 'no crowd'
  }

  async function single(): Promise<string> {
    const coins = (await ownCoins(theatre, pending)).filter(({ position }) =>
      free(alice)
        .concat(...OWNERS.map((one) => free(one)))
        .some((coin) => coin.position === position),
    )
    if (coins.length === 0) return 'nobody leaves'
    const coin = dice.pick(coins)
    await attempt(() => leave(theatre, coin))
    return `exit of ${coin.position}`
  }

  async function inFlight(): Promise<string> {
    const waiting = plots.filter(({ flight }) => flight)
    const plot = waiting[dice.below(Math.max(1, waiting.length))]
    if (!plot?.flight) return 'nothing in flight'
    const { flight } = plot
    const started = await attempt(() => leaveInFlight(theatre, flight, [...judge.exits.values()]))
    return started ? `dispute of a payment in flight` : 'no dispute'
  }

  /** To the next second that decides something, or some way towards it. */
  async function wait(): Promise<string> {
    const now = await chain.now()
    const clock = { now, leaveAt: undefined, begun, timing: 'early' as const }
    const next = nextStop({ theatre, plots, judge, isAbandoned: false, clock, longest: 1_000 }) ?? now + mep / 8
    const to = dice.chance(60) ? next : Math.min(next, now + 1 + dice.below(mep / 8))
    await chain.passTo(to)
    return `${to - now} s pass`
  }

  async function settleDown(what: string): Promise<void> {
    for (const plot of plots) await plot.next()
    if (isGreedy) await grab(theatre, plots, judge)
    await judge.step(false)
    for (const plot of plots)
      for (const { from, call } of plot.thefts.splice(0)) await attempt(() => chain.send(from, call))
    await watch(theatre)
    if (away === 'coordinator') retire(theatre)
    await judge.step(true)
    story.push(`${(await chain.now()) - begun}: ${what}`)
  }

  for (let step = 0; step < steps; step++) {
    const draw = dice.below(100)
    if (draw < 40 || isHalted()) await settleDown(dice.chance(20) ? await single() : await wait())
    else if (draw < 58) await settleDown(await payment())
    else if (draw < 64) await settleDown(`deposit ${(await fund(dice.pick(OWNERS), 10n ** 18n)).position}`)
    else if (draw < 74) await settleDown(await single())
    else if (draw < 78) await settleDown(await crowd())
    else if (draw < 84) await settleDown(await inFlight())
    else await settleDown(await scheme(dice.pick(LIVE), dice.pick(GAMES.slice(0, 3))))
  }
  while (isHidden() && !isHalted()) await settleDown(await wait())
  if (!isHalted()) await settleDown(await scheme(last, game))
  for (let stops = 0, left = false; ; stops++) {
    const now = await chain.now()
    if (isHalted() && !left) {
      left = true
      for (const coin of await ownCoins(theatre, pending)) await attempt(() => leave(theatre, coin))
      await settleDown('everybody leaves')
    }
    const clock = { now, leaveAt: undefined, begun, timing: 'early' as const }
    const next = nextStop({ theatre, plots, judge, isAbandoned: last === 'stop', clock, longest: 1_000 })
    if (next === undefined || stops > MOST_STOPS) break
    await chain.passTo(next)
    await settleDown(`${next - now} s pass`)
  }
  if (!isHalted()) throw new Broken('HALT-2', `the chain goes on after ${last}`)
  await judge.end()
}

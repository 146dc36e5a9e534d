/** Plays one cell of the matrix from its first deposit to its last payout, and judges it after every step. */
import type { Endpoint } from '../../l1/endpoint.ts'
import { encodeCloseChain } from '../../l1/rootCalls.ts'
import type { Address } from '../../protocol/bytes.ts'
import { actors, ETH, type RootChain } from '../support/rootChain.ts'
import { type Cell, lineOf } from './cell.ts'
import { createDice } from './dice.ts'
import { createPlot, isEnding, type Plot } from './faults.ts'
import { Broken, createJudge, type Judge } from './judge.ts'
import { leaveCall, leaveInFlight, leaveTogether, ownCoins } from './owner.ts'
import { nextStop, type Timing } from './stops.ts'
import { furnish, openTheatre, type Theatre } from './theatre.ts'
import { grab } from './thief.ts'
import { attempt, track } from './track.ts'
import type { Wire } from './wire.ts'

const { erin, operator } = actors
const MOST_STOPS = 60

export type Stage = Readonly<{ base: RootChain; wire: Wire; endpoint: Endpoint; token: Address }>
export type Played = Readonly<{
  cell: Cell
  timing: Timing
  calls: number
  stops: number
  broken?: Error
  story: readonly string[]
}>

export async function playCell(stage: Stage, cell: Cell, { guarded = true } = {}): Promise<Played> {
  const { fault, game, away, seed } = cell
  const dice = createDice(seed, fault, game, away)
  const timing = dice.pick(['early', 'last', 'same'] as const)
  const chain = track(stage.base, stage.wire)
  const id = await stage.base.client.snapshot()
  const story: string[] = []
  let stops = 0
  let broken: Error | undefined
  try {
    const theatre = await openTheatre({
      chain,
      endpoint: stage.endpoint,
      token: stage.token,
      dice,
      game,
      away,
      guarded,
    })
    stops = await perform(theatre, cell, timing, story)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    broken = error
  } finally {
    await stage.base.client.revert({ id })
  }
  return { cell, timing, calls: chain.calls(), stops, story, ...(broken && { broken }) }
}

async function perform(theatre: Theatre, cell: Cell, timing: Timing, story: string[]): Promise<number> {
  const { chain, dice, away } = theatre
  const scenes = await furnish(theatre, cell.fault === 'theft' && cell.game === 'in-flight')
  const plot = await createPlot({ theatre, cell, ...scenes })
  const judge = await createJudge(theatre)
  const isGreedy = dice.chance(70) || theatre.guards.length === 0
  const begun = await chain.now()
  const closes =
    cell.game === 'after-halt' && !isEnding(cell.fault) && !['reveal-late', 'equivocate'].includes(cell.fault)
  if (closes) await chain.send(operator.account, encodeCloseChain())
  if (timing === 'early') await watch(theatre)
  await plot.strike()
  story.push(`${timing}: strike`)
  let left = false
  const leaveAt = timing === 'last' ? begun + chain.parameters.minExitPeriod - chain.parameters.reaction - 1 : begun
  for (let stops = 0; ; stops++) {
    const now = await chain.now()
    await plot.next()
    if (isGreedy) await grab(theatre, [plot], judge)
    await judge.step(false)
    const halted = (await chain.read<readonly number[]>('head'))[0] !== 0
    const mayLeave = cell.game === 'after-halt' ? halted : now >= leaveAt
    const leaving = !left && mayLeave
    const rivals = timing === 'same' ? plot.thefts.splice(0) : []
    if (timing !== 'same')
      for (const { from, call } of plot.thefts.splice(0)) await attempt(() => chain.send(from, call))
    if (leaving) {
      left = true
      story.push(`${now - begun}: owners leave`)
      await leaveAll(theatre, { plot, judge, rivals })
    } else if (rivals.length > 0) {
      const drawn = (await Promise.all(theatre.awake().map((guard) => guard.draw()))).flat()
      await chain.together(dice.chance(50) ? [...rivals, ...drawn] : [...drawn, ...rivals])
    }
    const acts = await watch(theatre)
    if (away === 'coordinator') retire(theatre)
    await judge.step(true)
    if (acts > 0)
      story.push(
        `${now - begun}: ${theatre
          .awake()
          .map(({ name, done }) => `${name} ${done.splice(0)}`)
          .join('; ')}`,
      )
    const clock = { now, leaveAt: left || cell.game === 'after-halt' ? undefined : leaveAt, begun, timing }
    const next = nextStop({ theatre, plots: [plot], judge, isAbandoned: cell.fault === 'stop', clock })
    if (next === undefined) {
      await judge.end()
      judgeExpectation(theatre, plot)
      return stops
    }
    if (stops > MOST_STOPS) throw new Broken('EXIT-2', `no end after ${stops} stops`)
    await chain.passTo(next)
  }
}

/** Rounds until nobody wants anything. */
export async function watch(theatre: Theatre): Promise<number> {
  let count = 0
  for (let round = 0; round < 4; round++) {
    let acts = 0
    for (const guard of theatre.awake()) acts += await guard.act()
    count += acts
    if (acts === 0) return count
  }
  for (const guard of theatre.awake()) await guard.look()
  return count
}

/** The coordinator is gone as soon as its batch is on L1. */
export function retire({ chain, guards, asleep }: Theatre): void {
  const gone = guards.find(({ actor }) => actor === erin)
  const started = chain.events.some(
    (event) => event.type === 'BatchStarted' && event.batch.coordinator === erin.address,
  )
  if (gone && started) asleep.add(gone)
}

type Leaving = Readonly<{ plot: Plot; judge: Judge; rivals: Plot['thefts'] }>

/** Present owners leave by the door of the game. `rivals`: calls that share the L1 block of the first exits. */
async function leaveAll(theatre: Theatre, { plot, judge, rivals }: Leaving): Promise<void> {
  const { chain, isCrowd, dice, away } = theatre
  const halted = (await chain.read<readonly number[]>('head'))[0] !== 0
  if (plot.flight) await leaveInFlight(theatre, plot.flight, [...judge.exits.values()])
  const unsafe = halted || theatre.awake().some(({ facts }) => facts.safety().status === 'unsafe')
  const coins = await ownCoins(theatre, plot.pending)
  if (isCrowd) {
    const erinIsThere = theatre.awake().some(({ actor }) => actor === erin) || away === 'coordinator'
    if (!unsafe && !plot.crowd && erinIsThere) await leaveTogether(theatre, plot.pending)
    if (rivals.length > 0) await chain.together(rivals)
    // The crowd is of ether: who has tokens leaves alone.
    for (const coin of coins.filter(({ token }) => token !== ETH))
      await attempt(async () => chain.send(coin.owner.account, (await leaveCall(theatre, coin)).call))
    return
  }
  const calls = await Promise.all(coins.map((coin) => leaveCall(theatre, coin)))
  if (rivals.length === 0) {
    for (const { from, call } of calls) await attempt(() => chain.send(from, call))
    return
  }
  const first = calls.slice(0, 3)
  await chain.together(dice.chance(50) ? [...rivals, ...first] : [...first, ...rivals])
  for (const { from, call } of calls.slice(3)) await attempt(() => chain.send(from, call))
}

function judgeExpectation({ chain, guards }: Theatre, { expects }: Plot): void {
  if (expects && !chain.events.some(({ type }) => type === expects))
    throw new Broken(expects, `it never came, and ${guards.length} watchers knew`)
}

/** A failed cell in a few lines, the last of which plays it again. */
export function tell({ cell, timing, broken, story }: Played): string {
  return [...story, `timing ${timing}: ${broken?.stack ?? 'held'}`, lineOf(cell)].join('\n')
}

/**
 * One walk through all three exit games at once, from a seed: random moves of anybody, an honest watcher that acts in time, and the end. The same seed gives the
 * same walk; `skip` leaves single moves out, which is how a walk that breaks something is made short.
 */

import type { SignedMandate } from '../../../l1/rootCalls.ts'
import type { RootEvent } from '../../../l1/rootEvents.ts'
import { signMandate } from '../../support/moves.ts'
import { type Actor, actors, Reverted } from '../../support/rootChain.ts'
import * as acts from './acts.ts'
import { playOut } from './end.ts'
import { brokenInTheEnd, brokenNow, wantedVerdict } from './judge.ts'
import type { WalkChain } from './l1.ts'
import { ambush, randomMove } from './moves.ts'
import { note } from './note.ts'
import { dutiesOf } from './watcher.ts'
import { createDeposit, type Dispute, type Facts } from './world.ts'

/** A number below the bound, at random. */
export type Dice = (below: number) => number

export type Walk = {
  readonly facts: Facts
  readonly log: string[]
  readonly seed: number
  /** How often a kind of move was accepted. */
  readonly seen: Map<string, number>
  readonly done: Set<string>
  /** Of 8: how many of the watcher's duties are done at once, and not in the last second. */
  readonly hurry: number
  /** At the end every entry is opened. */
  readonly opensAll: boolean
  /** A kind of duty that the watcher never does; none where empty. */
  readonly lazy: string
  refused: number
  judge(dispute: Dispute): Promise<string>
}

/** Something that must hold did not. */
export class Broken extends Error {}

export type Result = Readonly<{ walk: Walk; broken: string | null }>

export const STEPS = 40

/** A generator for each step, so that leaving one out leaves the others as they are. */
export function diceOf(seed: number, step: number): Dice {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b)) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  next()
  return (below) => next() % Math.max(below, 1)
}

let mandates: Map<Actor, SignedMandate> | undefined

async function createFacts(l1: WalkChain, log: string[]): Promise<Facts> {
  await l1.restart()
  const { chain } = l1
  if (!mandates) {
    mandates = new Map()
    for (const owner of [actors.alice, actors.bob, actors.dave, actors.mallory, actors.erin])
      mandates.set(owner, await signMandate(chain, owner, { delegate: `0x${'0'.repeat(40)}` }))
  }
  const nameOf = (address: string) =>
    (Object.keys(actors) as (keyof typeof actors)[]).find((name) => actors[name].account.address === address) ?? 'carol'
  const send: typeof chain.send = async (from, call, to) => {
    const sent = await chain.send(from, call, to)
    note(facts, sent.events, nameOf(from.address), sent.l1Block)
    if (process.env['WALK_EVENTS']) log.push(...sent.events.map((event) => `            ${tell(facts, event)}`))
    return sent
  }
  const facts: Facts = {
    l1,
    chain: { ...chain, send },
    mandates,
    coins: [],
    payments: [],
    blocks: [],
    bad: new Set(),
    late: new Map(),
    bait: createDeposit(actors.erin, 0n, 0, 'none'),
    exits: [],
    crowds: [],
    disputes: [],
    voidFrom: Number.POSITIVE_INFINITY,
    lastMove: 0,
  }
  const bait = await acts.fund(facts, actors.erin, 10n ** 18n)
  log.push(`${bait.name}: the bait, Erin’s`)
  return Object.assign(facts, { bait })
}

/** An event in words, for a story that is looked at closely. */
function tell({ coins }: Facts, { at: _, type, ...fields }: RootEvent): string {
  const text = JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
  return `${type} ${coins.reduce((told, { outputId, name }) => told.replaceAll(outputId, name), text).slice(0, 300)}`
}

export async function createWalk(
  l1: WalkChain,
  seed: number,
  { lazy = '' }: Omit<Options, 'skip'> = {},
): Promise<Walk> {
  const log: string[] = []
  const facts = await createFacts(l1, log)
  const dice = diceOf(seed, -1)
  const walk: Walk = {
    facts,
    log,
    seed,
    seen: new Map(),
    done: new Set(),
    hurry: dice(9),
    opensAll: dice(2) === 0,
    lazy,
    refused: 0,
    judge: async (dispute) => {
      const want = wantedVerdict(facts, dispute)
      const { text, verdict } = await acts.decide(facts, dispute)
      if (verdict === 'running') return text
      dispute.verdict = verdict as Dispute['verdict']
      if (verdict !== want) throw new Broken(`${text}, want ${want}`)
      return text
    },
  }
  return walk
}

/** Does it and tells it; what the contract refuses changes nothing. */
export async function tryTo(walk: Walk, move: () => Promise<string>, kind = 'push'): Promise<boolean> {
  const { facts, log, seen } = walk
  let text: string
  try {
    text = await move()
  } catch (error) {
    if (!(error instanceof Reverted)) throw error
    walk.refused++
    if (kind === 'duty') log.push(`        (refused: ${error.message})`)
    return false
  }
  seen.set(kind, (seen.get(kind) ?? 0) + 1)
  log.push(`${facts.l1.now()} ${kind === 'push' ? '' : `[${kind}] `}${text}`)
  const broken = brokenNow(facts)
  if (broken) throw new Broken(broken)
  return true
}

function isEarly({ seed, hurry }: Walk, key: string): boolean {
  let hash = seed
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return ((hash >>> 8) & 7) < hurry
}

/** Lets time go on; the watcher does its duties on the way, each in time, and others meet it in that second. */
export async function passTo(walk: Walk, second: number, dice: Dice): Promise<void> {
  const { facts, done } = walk
  for (;;) {
    const mine = dutiesOf(facts).filter(({ key }) => walk.lazy === '' || !key.startsWith(walk.lazy))
    const keyed = mine.map((duty) => ({ ...duty, key: `${duty.key} ${facts.lastMove}` }))
    const open = keyed.filter(({ key, at }) => !done.has(key) && at >= facts.l1.now())
    const now = facts.l1.now()
    const due = open.find(({ key, at, from = 0 }) => at === now || (now >= from && isEarly(walk, key)))
    if (due) {
      done.add(due.key)
      if (due.at === facts.l1.now() && dice(2) === 0) await ambush(walk, dice)
      await tryTo(walk, due.run, 'duty')
      if (due.at === facts.l1.now() && dice(3) === 0) await ambush(walk, dice)
      continue
    }
    const next = Math.min(second, ...open.map(({ at }) => at))
    if (next <= facts.l1.now()) return
    await facts.l1.passTo(next)
  }
}

/** `skip`: steps left out. `lazy`: a kind of duty that the watcher never does. */
export type Options = Readonly<{ skip?: ReadonlySet<number>; lazy?: string }>

/** Plays a walk to its end. */
export async function play(
  l1: WalkChain,
  seed: number,
  { skip = new Set(), ...options }: Options = {},
): Promise<Result> {
  const walk = await createWalk(l1, seed, options)
  const { facts } = walk
  try {
    const starting = new Map<Actor, bigint>()
    for (const owner of OWNERS) starting.set(owner, await l1.balanceOf(owner.address))
    for (let step = 0; step < STEPS; step++) {
      if (skip.has(step)) continue
      const dice = diceOf(seed, step)
      walk.log.push(`-- ${step}`)
      await randomMove(walk, step, dice)
      await passTo(walk, facts.l1.now(), dice)
    }
    walk.log.push('-- the end')
    await playOut(walk, diceOf(seed, STEPS))
    return {
      walk,
      broken: brokenInTheEnd(facts) ?? (await brokenBalances(walk, starting)) ?? (await brokenBonds(walk)),
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    return { walk, broken: error.message }
  }
}

/** Owners who never send anything: what their balance grew by is what they were paid. */
const OWNERS = [actors.alice, actors.bob, actors.dave, actors.erin]

async function brokenBalances({ facts }: Walk, starting: ReadonlyMap<Actor, bigint>): Promise<string | null> {
  for (const owner of OWNERS) {
    const grown = (await facts.l1.balanceOf(owner.address)) - (starting.get(owner) as bigint)
    const paid = facts.coins.reduce((sum, coin) => (coin.owner === owner ? sum + coin.paid : sum), 0n)
    if (grown !== paid) return `${owner.address} got ${grown}, and was told ${paid}`
  }
  return null
}

/** Bonds come back to the honest: those of exits and batches at least as much as no rule takes. */
async function brokenBonds(walk: Walk): Promise<string | null> {
  const { facts } = walk
  const less = (bond: bigint) => bond - (bond * 60_000n) / 400_000n
  let want = 0n
  for (const { payer, isRewarded, exit } of facts.exits) {
    if (payer === 'watcher' && !isRewarded && exit.bond > 0n) want += less(exit.bond)
  }
  const credit = await facts.chain.read<bigint>('credit', [`0x${'0'.repeat(40)}`, actors.watcher.address])
  if (credit < want) return `the watcher’s bonds: ${credit} of ${want} came back`
  for (const crowd of facts.crowds) {
    const { honest, state, name, test, removals } = crowd
    if (honest && state === 'dissolved') return `${name}, which is honest, was dissolved`
    if (!test.item || state === 'closed') continue
    const { returned } = await acts.close(facts, crowd)
    const fund = test.batch.bond - test.item.bond
    // The fund is kept in gwei.
    const lost = fund + less(test.item.bond) - returned
    if (lost < 0n || (removals === 0 && lost >= 10n ** 9n)) return `${name} got ${returned} of its bond back`
    if (returned < less(test.item.bond)) return `${name} got ${returned} of its bond back`
  }
  const held = await facts.l1.balanceOf(facts.chain.root)
  const owedStill = await creditsOf(walk)
  return held >= owedStill ? null : `the contract holds ${held} and owes ${owedStill}`
}

async function creditsOf({ facts }: Walk): Promise<bigint> {
  let sum = 0n
  for (const { address } of Object.values(actors))
    sum += await facts.chain.read<bigint>('credit', [`0x${'0'.repeat(40)}`, address])
  return sum
}

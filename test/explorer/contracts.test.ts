/**
 * Sampled games of the explorer on the real root contract: each move is accepted or refused alike, each turn, verdict and payment is the same, and at the end
 * every owner has got the same, to the wei (`docs/explorer.md`). Rules that the contract knowingly does not have are off in the game.
 */
import * as assert from 'uvu/assert'
import type { SignedMandate } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { rootSuite } from '../contracts/rootSuite.ts'
import { seed } from '../protocol/random.ts'
import { Reverted } from '../support/rootChain.ts'
import { breachAt, hasFallen } from './chain.ts'
import { openReplay, REPLAY_PARAMETERS, type Replay, SCALE, UNIT_WEI } from './contracts.ts'
import { fate, headOfQueue } from './exits.ts'
import { playOut, type Step } from './finale.ts'
import { heirs, waysOut } from './hostile.ts'
import { apply, type Move, tell } from './moves.ts'
import { createRules, NOT_IN_CONTRACTS } from './rules.ts'
import { createGame } from './scenario.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { at, type Game, inclusions, leafAt, NONE, positionOf, positions, type World } from './world.ts'

const PATHS = Number(process.env['REPLAY_PATHS'] ?? 1)
const ONLY = process.env['REPLAY_SCENARIO'] ?? ''
const { test, world: l1 } = rootSuite('the explorer on the root contract', REPLAY_PARAMETERS)
const mandates = new Map<string, SignedMandate>()
const tally = { paths: 0, accepted: 0, refused: 0, paid: 0, verdicts: 0, inherited: 0, asked: 0, proofs: 0, halts: 0 }

type Random = () => number

/** A small generator with 32 bits of state (mulberry32). */
function randomOf(start: number): Random {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  return at(list, Math.floor(random() * list.length))
}

/** Whatever anybody could try in this state, sensible or not; far more than the hostile side of the search tries. */
function candidates(game: Game, world: World): Move[] {
  const moves: Move[] = [{ type: 'turn' }]
  const spends = (tx: number, output: number) => at(game.txs, tx).inputs.includes(output)
  const exists = (output: number) => {
    const { madeBy } = at(game.outputs, output)
    return madeBy === NONE || inclusions(world, madeBy).length > 0
  }
  for (const spec of game.blocks.keys()) {
    const previous = world.blocks.at(-1)?.anchor ?? world.now - 1
    const anchors = new Set([world.now - 1, world.now - 2, world.now - 3, previous - 1])
    for (const anchor of anchors) if (anchor < world.now) moves.push({ type: 'submit', spec, anchor })
  }
  for (const [i, block] of world.blocks.entries())
    if (block.shownAt === NONE) moves.push({ type: 'reveal', block: i + 1 })
  for (const [output, exit] of world.exits.entries()) {
    for (const via of waysOut(game, world, output)) moves.push({ type: 'startExit', output, via })
    if (exit === null) continue
    moves.push({ type: 'settle', output }, { type: 'release', output })
    if (exit.state === 'ticket') moves.push(...heirs(game, output))
    for (const piece of positions(world)) {
      if (spends(leafAt(world, piece).tx, output)) moves.push({ type: 'evidence', output, piece })
    }
  }
  for (const [tx, spec] of game.txs.entries()) {
    if (spec.inputs.length > 0 && spec.inputs.every(exists)) moves.push({ type: 'startDispute', tx })
    if (at(world.disputes, tx) === null) continue
    moves.push({ type: 'decide', tx, token: 0 })
    for (const piece of inclusions(world, tx)) moves.push({ type: 'answer', tx, piece })
    for (const [rival, other] of game.txs.entries()) {
      if (rival === tx || !other.inputs.some((output) => spends(tx, output)) || !other.inputs.every(exists)) continue
      for (const piece of [-1 - rival, ...inclusions(world, rival)]) moves.push({ type: 'competitor', tx, piece })
    }
  }
  for (const position of positions(world)) {
    if (!hasFallen(world, position) && breachAt(game, world, position, true) !== null)
      moves.push({ type: 'prove', position, everything: true })
  }
  for (const [i, block] of world.blocks.entries()) {
    for (const index of block.leaves.keys()) {
      const position = positionOf(i + 1, index)
      moves.push({ type: 'ask', position }, { type: 'answerData', position })
    }
    moves.push({ type: 'haltUnanswered', block: i + 1 })
  }
  return [...moves, { type: 'close' }]
}

/** Where the explorer says less than the contract, or nothing: such a move is not tried. A payment that nobody signed exists on no wire. */
function isBeyondModel(game: Game, move: Move): boolean {
  if (move.type === 'startDispute') return at(game.txs, move.tx).fault === 'leaf'
  return move.type === 'competitor' && move.piece < 0 && at(game.txs, -1 - move.piece).fault === 'leaf'
}

/** Refusals of the explorer that the contract does not share, or that are not its own. */
function isRefusalOfModelOnly(world: World, move: Move, why: string, replay: Replay): boolean {
  switch (move.type) {
    case 'submit':
      return why === 'this block does not come again'
    case 'startDispute':
      return why === 'an input was paid' || why === 'an input was passed on'
    case 'competitor':
      return move.piece < 0
    case 'evidence':
      // By a transaction that was judged not canonical: taken, and dropped by anybody.
      return (
        world.disputes[leafAt(world, move.piece).tx]?.verdicts.includes('not') === true ||
        replay.unreleased.has(move.output) ||
        (world.exits[move.output]?.via === 'dispute' && why === 'it has fallen')
      )
    case 'release':
      // The contract gives back the bond of a cancelled ticket; its place stays.
      return replay.unreleased.has(move.output) || why === 'its place is for the outputs'
    case 'inherit':
      return !replay.disputes.has(at(replay.game.outputs, move.output).madeBy) || why === 'it may start again'
    case 'haltUnanswered':
      // The contract ends a challenge then and halts nothing; without one there is nothing to ask of it.
      return why === 'too late, or void already' || !at(world.blocks, move.block - 1).asked.some((tick) => tick >= 0)
    case 'answerData':
      return why === 'nobody asks for it'
    case 'tick':
    case 'reveal':
    case 'prove':
      return true
    default:
      return false
  }
}

/** A scenario with amounts that can be shared out without a rest. */
function scaled(scenario: Scenario): Scenario {
  const outputs = Object.entries(scenario.outputs).map(([name, [owner, amount]]) => [name, [owner, amount * SCALE]])
  return { ...scenario, outputs: Object.fromEntries(outputs) }
}

class Difference extends Error {}

/** Plays one move on both; throws where they differ. Returns the explorer's next world. */
async function both(game: Game, replay: Replay, world: World, move: Move): Promise<World> {
  const after = apply(game, world, move)
  if (move.type === 'tick') {
    await replay.advance(world.now + 1)
    return after as World
  }
  if (['turn', 'settle', 'release', 'inherit'].includes(move.type)) {
    await replay.dropFallen(world)
    await replay.releaseLate(world)
  }
  let events: readonly RootEvent[] = []
  try {
    events = await replay.play(world, move)
  } catch (error) {
    if (!(error instanceof Reverted)) throw error
    if (typeof after !== 'string')
      throw new Difference(`the contract refuses with ${error.message}, the explorer accepts`)
    tally.refused++
    return world
  }
  if (typeof after === 'string') throw new Difference(`the contract accepts, the explorer refuses: ${after}`)
  tally.accepted++
  if (after.voidFrom < world.voidFrom) await halt(replay, world, after, move, events)
  replay.notePaid(events)
  if (move.type === 'turn') compareTurn(game, replay, world, after, events)
  if (move.type === 'ask') tally.asked++
  if (move.type === 'prove' && replay.proofOf(world, move.position) !== null) tally.proofs++
  if (move.type === 'inherit') tally.inherited++
  if (move.type === 'decide') compareVerdict(after, move.tx, events)
  await replay.releaseLate(after)
  for (const [output, spec] of game.outputs.entries()) {
    const got = replay.paid.get(output) ?? 0n
    const want = BigInt(after.exits[output]?.paid ?? 0) * UNIT_WEI
    if (got !== want) throw new Difference(`the contract paid ${got} wei for ${spec.name}, the explorer ${want}`)
    if (want > BigInt(world.exits[output]?.paid ?? 0) * UNIT_WEI) tally.paid++
  }
  return after
}

/** By hand, unless a data challenge that nobody answered, or a proof, has halted the contract already. */
async function halt(
  replay: Replay,
  world: World,
  after: World,
  move: Move,
  events: readonly RootEvent[],
): Promise<void> {
  const asked = move.type === 'haltUnanswered' && at(world.blocks, move.block - 1).asked.some((tick) => tick >= 0)
  const proven = move.type === 'prove' && replay.proofOf(world, move.position) !== null
  if (!asked && !proven) return replay.haltAt(after)
  const moved = events.find((event) => event.type === 'HaltMoved')
  if (moved?.type !== 'HaltMoved' || moved.voidFrom !== after.voidFrom)
    throw new Difference(`the contract did not halt at block ${after.voidFrom}`)
  tally.halts++
}

function compareTurn(game: Game, replay: Replay, world: World, after: World, events: readonly RootEvent[]): void {
  const head = headOfQueue(game, world) as number
  const { outputId } = replay.exits.get(head) ?? { outputId: '' }
  const want = after.exits[head]?.state
  const seen = events.flatMap((event) => {
    if (event.type !== 'ExitPaid' && event.type !== 'ExitPostponed' && event.type !== 'ExitRemoved') return []
    if (event.outputId !== outputId) throw new Difference(`the contract gave ${event.outputId} the turn of ${outputId}`)
    return [event.type]
  })
  const got = { ExitPaid: 'paid', ExitPostponed: 'ticket', ExitRemoved: 'removed' }[seen[0] ?? 'ExitRemoved']
  if (got === 'ticket' && want === 'removed' && fate(game, world, head) === 'spent') {
    replay.unreleased.add(head)
    return
  }
  if (got !== want) throw new Difference(`the contract's turn ends ${got}, the explorer's ${want}`)
}

function compareVerdict(after: World, tx: number, events: readonly RootEvent[]): void {
  const decided = events.find((event) => event.type === 'DisputeDecided')
  const got = decided?.type === 'DisputeDecided' ? decided.verdict : 'running'
  const want = after.disputes[tx]?.verdicts[0] === 'canonical' ? 'canonical' : 'not-canonical'
  if (got !== want) throw new Difference(`the contract's verdict is ${got}, the explorer's ${want}`)
  tally.verdicts++
}

/** One sampled game: some ticks of anybody's moves, then the explorer's fixed end. */
async function playPath(game: Game, replay: Replay, random: Random): Promise<void> {
  const story: string[] = []
  let world = game.start
  const step = async (move: Move, note = '') => {
    const after = apply(game, world, move)
    const text =
      typeof after === 'string' ? `${JSON.stringify(move)} (refused: ${after})` : tell(game, world, move, after)
    if (move.type !== 'tick') story.push(`  ${world.now} ${note}${text}`)
    world = await both(game, replay, world, move)
  }
  try {
    const horizon = Math.floor(game.horizon * (0.5 + random() * 1.5))
    for (let moves = 0; world.now < horizon; ) {
      if (random() < 0.4 || moves > 8) {
        moves = 0
        await step({ type: 'tick' })
        continue
      }
      const all = candidates(game, world).filter((move) => !isBeyondModel(game, move))
      const wanted = random() < 0.3
      const fitting = all.filter((move) => {
        const after = apply(game, world, move)
        if (typeof after === 'string') return wanted && !isRefusalOfModelOnly(world, move, after, replay)
        const rare = move.type === 'close' || move.type === 'prove'
        return !wanted && (!rare || random() < 0.1)
      })
      moves++
      if (fitting.length === 0) continue
      const type = pick(random, [...new Set(fitting.map((move) => move.type))])
      await step(
        pick(
          random,
          fitting.filter((move) => move.type === type),
        ),
      )
    }
    const end: Step[] = []
    playOut(game, world, end)
    for (const { act, world: before } of end) {
      await replay.advance(before.now)
      world = { ...world, now: before.now }
      await step(act.move, 'end: ')
    }
    for (const owner of new Set(game.outputs.map((spec) => spec.owner))) {
      const mine = game.outputs.flatMap((spec, o) => (spec.owner === owner ? [world.exits[o]?.paid ?? 0] : []))
      const want = BigInt(mine.reduce((a, b) => a + b, 0)) * UNIT_WEI
      assert.is(await replay.gotOf(owner), want, `what ${owner} got`)
    }
    tally.paths++
  } catch (error) {
    const told = `${game.name}:\n${story.join('\n')}\n  ${(error as Error).message}`
    throw error instanceof Difference ? new Difference(told) : new Error(told, { cause: error })
  }
}

for (const [index, scenario] of SCENARIOS.entries()) {
  const game = createGame(scaled(scenario), createRules(NOT_IN_CONTRACTS))
  if (!scenario.name.startsWith(ONLY) || Object.values(scenario.outputs).some(([, , token = 0]) => token > 0)) continue
  test(`does on the contract what it does in the explorer: ${scenario.name}`, async () => {
    for (let path = 0; path < PATHS; path++) {
      const id = await l1.chain.client.snapshot()
      const random = randomOf(seed + index * 7_919 + path * 104_729)
      await playPath(game, await openReplay(l1.chain, game, mandates), random)
      await l1.chain.client.revert({ id })
    }
  })
}
test.after(() => console.log(`FUZZ_SEED=${seed}`, tally))
test.run()

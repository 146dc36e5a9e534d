/**
 * Random histories with disputes, exits through them, late and early inclusions, reorgs and restarts: every lock and every verdict on a
 * block is what a naive reading of docs/spec.md section 4.2 by output ids says, and the rows are those of a watcher that starts now.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { type Hash, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { decodeBody } from '../../protocol/codec.ts'
import { outputIdAt, outputIdOf } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  type Actor,
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  hashOf,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { createFolder, createTestCore, dump, openStore } from './support/core.ts'
import { type DisputeStarted, decided, disputeOf, exitThrough, started } from './support/disputes.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: random disputes')
printSeed('watcher disputes')
const ACTORS = [alice, bob, carol, mallory]

/** `since`: the L1 block that shows it. `blockTime`: of its child block, none for a deposit. */
type Coin = Readonly<{
  position: number
  owner: Actor
  amount: bigint
  signed?: SignedTransaction
  blockTime?: number
  since: number
}>
type InFlight = Readonly<{ signed: SignedTransaction; coin: Coin; event: DisputeStarted; verdict: boolean }>
type State = Readonly<{
  coins: readonly Coin[]
  inFlight: readonly InFlight[]
  locks: ReadonlyMap<Hash, number>
  exits: ReadonlySet<Hash>
  newest: number
  deposits: number
  anchor: number
  seq: number
}>

type Move =
  | Readonly<{ kind: 'deposit' | 'exit' | 'dispute' | 'through' | 'verdict' | 'reorg'; pick: number; more: number }>
  | Readonly<{ kind: 'block'; picks: readonly number[]; back: number; careless: boolean }>
type Step = Move | Readonly<{ kind: 'tick' }> | Readonly<{ kind: 'restart' }>

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'deposit',
        'exit',
        'dispute',
        'dispute',
        'through',
        'through',
        'through',
        'verdict',
        'reorg',
      ),
      pick: fc.nat(20),
      more: fc.nat(7),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('block' as const),
      picks: fc.array(fc.nat(20), { maxLength: 3 }),
      back: fc.nat(4),
      careless: fc.nat(3).map((n) => n === 0),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('tick' as const, 'restart' as const) }) },
)

function idOf({ position, signed }: Pick<Coin, 'position' | 'signed'>): Hash {
  return outputIdAt(position, signed ? hashOf(signed) : ZERO_HASH)
}

function createHistory() {
  const l1 = createFakeL1({ finality: 100 })
  const operator = createFakePeer('operator')
  const bodies = new Map<Hash, Uint8Array>()
  const nothing = { newest: 0, deposits: 0, anchor: 0, seq: 0 }
  const states: State[] = [{ coins: [], inFlight: [], locks: new Map(), exits: new Set(), ...nothing }]
  const now = () => states.at(-1)!
  const choose = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)]
  const locking = (id: Hash) => new Map([[id, l1.tip().number + 1], ...now().locks])
  const lockFor = (id: Hash) => now().locks.get(id) ?? l1.tip().number + 1
  function mine(events: readonly RootEventBody[], next: Partial<State> = {}): void {
    l1.mine(events)
    states.push({ ...now(), ...next })
  }

  function exit(pick: number): void {
    const coin = choose(
      now().coins.filter((one) => !now().exits.has(idOf(one))),
      pick,
    )
    if (!coin) return
    const id = idOf(coin)
    const one = exitOf({ ...coin, lockedAt: lockFor(id), startedAt: l1.now() + 12, seq: now().seq })
    mine([started(one)], { locks: locking(id), exits: new Set([...now().exits, id]), seq: now().seq + 1 })
  }

  function dispute(pick: number, to: Actor): void {
    const coin = choose(now().coins, pick)
    if (!coin) return
    const half = coin.amount / 2n
    const signed = pay(coin.owner, coin.position, [
      [to, half],
      [coin.owner, coin.amount - half],
    ])
    if (now().inFlight.some((one) => hashOf(one.signed) === hashOf(signed))) return
    const id = idOf(coin)
    const { owner, amount, signed: made, blockTime } = coin
    const more = { ...(made && { made }), ...(blockTime !== undefined && { blockTime }) }
    const event = disputeOf(l1, signed, [{ owner, amount, lockedAt: lockFor(id), ...more }], owner)
    mine([event], { locks: locking(id), inFlight: [...now().inFlight, { signed, coin, event, verdict: false }] })
  }

  function through(pick: number, output: number): void {
    const one = choose(now().inFlight, pick)
    const id = one && outputIdOf(hexToBytes(hashOf(one.signed)), output)
    if (!id || now().exits.has(id)) return
    const leaving = exitThrough(l1, one.event, { output, seq: now().seq, lockedAt: lockFor(id) })
    mine([started(leaving)], { locks: locking(id), exits: new Set([...now().exits, id]), seq: now().seq + 1 })
  }

  function verdict(pick: number, canonical: boolean): void {
    const running = now().inFlight.filter((one) => !one.verdict)
    const one = choose(running, pick)
    if (!one) return
    const inFlight = now().inFlight.map((other) => (other === one ? { ...one, verdict: true } : other))
    mine([decided(hashOf(one.signed), canonical ? 'canonical' : 'not-canonical')], { inFlight })
  }

  /** Includes disputed transactions and plain payments; a careless operator also those that a lock forbids. */
  function block(picks: readonly number[], back: number, careless: boolean): void {
    const anchor = Math.max(now().anchor, l1.tip().number - back)
    const [number, blockTime] = [now().newest + 1, l1.now() + 12]
    let coins = [...now().coins]
    const made: SignedTransaction[] = []
    const isFree = (coin: Coin) => coin.since <= anchor && (careless || (now().locks.get(idOf(coin)) ?? 1e9) > anchor)
    for (const pick of picks) {
      const disputed = now().inFlight.filter(
        ({ coin }) => coins.some((one) => idOf(one) === idOf(coin)) && isFree(coin),
      )
      const coin = choose(coins.filter(isFree), pick)
      if (!coin) break
      const known = pick % 3 === 0 ? undefined : choose(disputed, pick)
      const signed = known?.signed ?? pay(coin.owner, coin.position, [[choose(ACTORS, pick)!, coin.amount]])
      coins = coins.filter(({ position }) => position !== signed.transaction.inputs[0])
      signed.transaction.outputs.forEach(({ owner, amount }, output) => {
        const actor = ACTORS.find(({ address }) => address === owner)!
        const position = at(number, made.length, output)
        coins.push({ position, owner: actor, amount, signed, blockTime, since: anchor })
      })
      made.push(signed)
    }
    const one = makeBlock(number, anchor, made)
    operator.serve(one)
    bodies.set(one.commitment.root, one.body)
    mine([submitted([one], blockTime)], { coins, newest: number, deposits: 0, anchor })
  }

  function reorg(wanted: number): void {
    const depth = Math.min(wanted + 1, states.length - 1)
    if (depth < 1) return
    l1.reorg(depth)
    states.length -= depth
    for (let i = 0; i <= depth; i++) mine([])
  }

  function deposit(pick: number): void {
    const { newest, deposits, coins } = now()
    const coin = { owner: ACTORS[pick % 4]!, amount: BigInt(10 + pick), since: l1.tip().number + 1 }
    const position = depositPosition(newest, deposits)
    const event = deposited(position, coin.owner, coin.amount)
    mine([event], { coins: [...coins, { ...coin, position }], deposits: deposits + 1 })
  }

  const moves = {
    deposit,
    exit,
    dispute: (pick: number, more: number) => dispute(pick, ACTORS[more % 4]!),
    through: (pick: number, more: number) => through(pick, more % 2),
    verdict: (pick: number, more: number) => verdict(pick, more > 3),
    reorg: (_pick: number, more: number) => reorg(more),
  }

  return {
    l1,
    operator,
    bodies,
    apply(one: Move): void {
      if (one.kind === 'block') block(one.picks, one.back, one.careless)
      else moves[one.kind](one.pick, one.more)
    },
  }
}

/** Locks by output id, and the newest block that breaks no lock, from the events that survive; as plainly as possible. */
function naive({ l1, bodies }: ReturnType<typeof createHistory>) {
  const locks = new Map<Hash, number>()
  const ids = new Map<number, Hash>()
  const blocks: { number: number; anchor: number; root: Hash; txCount: number }[] = []
  for (let l1Block = 0; l1Block <= l1.tip().number; l1Block++) {
    for (const event of l1.block(l1Block).events) {
      const named =
        event.type === 'ExitStarted'
          ? [event.exit.outputId]
          : event.type === 'DisputeStarted'
            ? event.inputs.map(({ outputId }) => outputId)
            : []
      for (const id of named) if (!locks.has(id)) locks.set(id, l1Block)
      if (event.type === 'Deposited') ids.set(event.position, outputIdAt(event.position, ZERO_HASH))
      if (event.type === 'BlocksSubmitted') blocks.push({ number: event.firstBlock, ...event.commitments[0]! })
    }
  }
  let verified = 0
  for (const { number, anchor, root, txCount } of blocks) {
    const transactions = txCount === 0 ? [] : decodeBody(bodies.get(root)!).transactions
    const own = new Map<number, Hash>()
    const isLocked = transactions.some((signed, index) => {
      signed.transaction.outputs.forEach((_, output) => {
        const position = at(number, index, output)
        own.set(position, outputIdAt(position, hashOf(signed)))
      })
      return signed.transaction.inputs.some((input) => {
        const lock = locks.get(own.get(input) ?? ids.get(input)!)
        return lock !== undefined && lock <= anchor
      })
    })
    if (isLocked) break
    for (const [position, id] of own) ids.set(position, id)
    verified = number
  }
  return { locks, ids, verified }
}

const reached = { invalid: 0, placed: 0, disputes: 0 }

async function run(steps: readonly Step[]): Promise<void> {
  const folder = createFolder()
  const history = createHistory()
  const { l1, operator } = history
  let db = openStore(folder.file)
  let core = createTestCore({ l1, peers: [operator.peer], db })
  for (const pick of [0, 1, 2]) history.apply({ kind: 'deposit', pick, more: 0 })
  for (const one of steps) {
    if (one.kind === 'tick') await core.tick()
    else if (one.kind === 'restart') {
      db.close()
      db = openStore(folder.file)
      core = createTestCore({ l1, peers: [operator.peer], db })
    } else history.apply(one)
  }
  await core.tick()
  await core.tick()
  const { locks, ids, verified } = naive(history)
  assert.is(core.facts.verifiedBlock(), verified)
  for (const [position, id] of ids)
    assert.is(core.ledger.find(position)?.lockedAt, locks.get(id), `lock of ${position}`)
  const latest = createTestCore({ l1, peers: [operator.peer] })
  await latest.tick()
  await latest.tick()
  assert.equal(dump(db), dump(latest.db))
  assert.not.ok(core.codes().includes('INTERNAL_FAULT'))
  const rows = dump(db)['exits'] as { disputed: string | null; position: number | null }[]
  if (core.codes().includes('INVALID_BLOCK')) reached.invalid++
  if (rows.some(({ disputed, position }) => disputed !== null && position !== null)) reached.placed++
  if (core.facts.disputes(0).length > 0) reached.disputes++
  db.close()
  folder.remove()
}

test('locks and verdicts on blocks are what the surviving history says, in whatever order it was learnt', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50 }), run)
  await fc.assert(property, { numRuns: 60, seed })
  // Histories that never get there would prove nothing.
  assert.ok(reached.invalid > 3 && reached.placed > 3 && reached.disputes > 20, JSON.stringify(reached))
})

test.run()

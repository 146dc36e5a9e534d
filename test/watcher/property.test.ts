/**
 * Random histories of L1 and the child chain, reorgs and restarts in between: the watcher's state equals that of a naive model that
 * folds the surviving history from nothing, and a crash at any commit changes no outcome.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import type { Hash } from '../../protocol/bytes.ts'
import { decodeBody } from '../../protocol/codec.ts'
import { DEPOSIT_INDEX } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { openDatabase } from '../../service/database.ts'
import { WATCHER_MIGRATIONS } from '../../watcher/schema.ts'
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
  type MadeBlock,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { APPLICATION_ID, createFolder, createTestCore, dump } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: against a naive model')
const ACTORS = [alice, bob, carol, mallory]

type Coin = Readonly<{ position: number; owner: Actor; amount: bigint; signed?: SignedTransaction }>
type Step =
  | Readonly<{ kind: 'deposit'; who: number; amount: number }>
  | Readonly<{ kind: 'block'; picks: readonly number[]; to: number }>
  | Readonly<{ kind: 'exit'; pick: number }>
  | Readonly<{ kind: 'reorg'; depth: number }>
  | Readonly<{ kind: 'restart' }>
  | Readonly<{ kind: 'tick' }>
  | Readonly<{ kind: 'idle' }>

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('deposit' as const),
      who: fc.nat(3),
      amount: fc.integer({ min: 1, max: 99 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('block' as const),
      picks: fc.array(fc.nat(20), { maxLength: 5 }),
      to: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exit' as const), pick: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reorg' as const), depth: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('restart' as const, 'tick' as const, 'idle' as const),
    }) as fc.Arbitrary<Step>,
  },
)

/** An honest operator and its users on a hand-made L1: state is kept per L1 block, so that a reorg takes it back. */
function createHistory() {
  const l1 = createFakeL1({ finality: 8 })
  const operator = createFakePeer('operator')
  const states: Readonly<{
    coins: readonly Coin[]
    newest: number
    deposits: number
    locked: readonly number[]
    seq: number
  }>[] = [{ coins: [], newest: 0, deposits: 0, locked: [], seq: 0 }]
  const state = () => states.at(-1)!
  function mine(events: readonly RootEventBody[], next: Partial<(typeof states)[number]> = {}): void {
    l1.mine(events)
    states.push({ ...state(), ...next })
  }
  const free = () => state().coins.filter(({ position }) => !state().locked.includes(position))

  return {
    l1,
    operator,
    apply(one: Exclude<Step, { kind: 'restart' | 'tick' }>): unknown {
      const { coins, newest, deposits, locked, seq } = state()
      if (one.kind === 'idle') return mine([])
      if (one.kind === 'deposit') {
        const coin = {
          position: depositPosition(newest, deposits),
          owner: ACTORS[one.who]!,
          amount: BigInt(one.amount),
        }
        return mine([deposited(coin.position, coin.owner, coin.amount)], {
          coins: [...coins, coin],
          deposits: deposits + 1,
        })
      }
      if (one.kind === 'exit') {
        const coin = free()[one.pick % Math.max(1, free().length)]
        if (!coin) return undefined
        const exit = exitOf({ ...coin, lockedAt: l1.tip().number + 1, startedAt: l1.now() + 12, seq })
        return mine([{ type: 'ExitStarted', exit }], { locked: [...locked, coin.position], seq: seq + 1 })
      }
      if (one.kind === 'reorg') {
        const depth = Math.min(one.depth, 5, states.length - 1)
        if (depth < 1 || depth >= l1.tip().number) return undefined
        l1.reorg(depth)
        states.length -= depth
        for (let i = 0; i <= depth; i++) mine([])
        return undefined
      }
      let left = [...coins]
      const made: SignedTransaction[] = []
      const number = newest + 1
      for (const pick of one.picks) {
        const usable = left.filter(({ position }) => !locked.includes(position))
        const coin = usable[pick % Math.max(1, usable.length)]
        if (!coin) break
        const to = ACTORS[(one.to + pick) % 4]!
        const half = coin.amount / 2n
        const outputs =
          half > 0n
            ? ([
                [to, half],
                [coin.owner, coin.amount - half],
              ] as const)
            : ([[to, coin.amount]] as const)
        const signed = pay(coin.owner, coin.position, outputs)
        left = left.filter(({ position }) => position !== coin.position)
        outputs.forEach(([owner, amount], output) => {
          left.push({ position: at(number, made.length, output), owner, amount, signed })
        })
        made.push(signed)
      }
      const block: MadeBlock = makeBlock(number, l1.tip().number, made)
      operator.serve(block)
      bodies.set(block.commitment.root, block.body)
      return mine([submitted([block], l1.now() + 12)], { coins: left, newest: number, deposits: 0 })
    },
    bodies: (root: Hash) => bodies.get(root),
  }
}
const bodies = new Map<Hash, Uint8Array>()

/** Unspent outputs by the surviving events alone, in as few words as possible. */
function naive(history: ReturnType<typeof createHistory>): Map<number, string> {
  const unspent = new Map<number, string>()
  for (let l1Block = 0; l1Block <= history.l1.tip().number; l1Block++) {
    for (const event of history.l1.block(l1Block).events) {
      if (event.type === 'Deposited') unspent.set(event.position, `${event.owner} ${event.amount}`)
      if (event.type !== 'BlocksSubmitted') continue
      for (const { root, txCount } of event.commitments) {
        const body = txCount === 0 ? undefined : decodeBody(history.bodies(root)!)
        body?.transactions.forEach(({ transaction }, index) => {
          for (const input of transaction.inputs) assert.ok(unspent.delete(input))
          transaction.outputs.forEach(({ owner, amount }, output) => {
            unspent.set(at(event.firstBlock, index, output), `${owner} ${amount}`)
          })
        })
      }
    }
  }
  return unspent
}

function unspentOf(db: Parameters<typeof dump>[0]): Map<number, string> {
  const rows = dump(db)['outputs'] as { position: number; owner: string; amount: string; spent_by: number | null }[]
  return new Map(
    rows
      .filter(({ spent_by }) => spent_by === null)
      .map(({ position, owner, amount }) => [position, `${owner} ${amount}`]),
  )
}

function sorted(map: Map<number, string>) {
  return [...map].sort(([a], [b]) => a - b)
}

/** Runs a history; `crashAt` makes the n-th commit fail and the program start again, once. */
async function run(steps: readonly Step[], crashAt?: number) {
  const folder = createFolder()
  let commits = 0
  const open = () =>
    openDatabase({
      file: folder.file,
      applicationId: APPLICATION_ID,
      migrations: WATCHER_MIGRATIONS,
      checkPages: false,
      onWrite: () => {
        commits++
        if (commits === crashAt) throw new Error('power cut')
      },
    })
  const history = createHistory()
  let db = open()
  const start = () => createTestCore({ l1: history.l1, peers: [history.operator.peer], db })
  let core = start()
  const restart = () => {
    db.close()
    db = open()
    core = start()
  }
  const tick = async () => {
    try {
      await core.tick()
    } catch (error) {
      if (!String(error).includes('power cut')) throw error
      restart()
    }
  }
  for (const one of steps) {
    if (one.kind === 'restart') restart()
    else if (one.kind === 'tick') await tick()
    else history.apply(one)
  }
  for (let i = 0; i < 3; i++) await tick()
  const end = { rows: dump(db), unspent: unspentOf(db), facts: core.facts, codes: core.codes(), commits }
  db.close()
  folder.remove()
  return { ...end, history }
}

test('ends where a naive fold of the surviving history ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { unspent, history, codes } = await run(steps)
      assert.equal(sorted(unspent), sorted(naive(history)))
      assert.ok(!codes.includes('INVALID_BLOCK') && !codes.includes('INTERNAL_FAULT'), codes.join())
    }),
    { numRuns: 60 },
  )
})

test('a crash at any commit changes no outcome', async () => {
  const steps: Step[] = [
    { kind: 'deposit', who: 0, amount: 50 },
    { kind: 'deposit', who: 1, amount: 20 },
    { kind: 'block', picks: [0, 3], to: 2 },
    { kind: 'tick' },
    { kind: 'exit', pick: 1 },
    { kind: 'block', picks: [2, 4, 1], to: 1 },
    { kind: 'tick' },
    { kind: 'reorg', depth: 2 },
    { kind: 'deposit', who: 2, amount: 9 },
    { kind: 'block', picks: [0, 1, 2], to: 3 },
    { kind: 'tick' },
    { kind: 'reorg', depth: 1 },
    { kind: 'block', picks: [1], to: 0 },
  ]
  const whole = await run(steps)
  assert.ok(whole.commits > 15, `${whole.commits}`)
  // Before the first of these the tables are made.
  for (let crashAt = WATCHER_MIGRATIONS.length + 1; crashAt <= whole.commits; crashAt++) {
    const crashed = await run(steps, crashAt)
    assert.equal(crashed.rows, whole.rows, `crash at commit ${crashAt}`)
  }
})

test('deposits never collide with transactions of a block', () => {
  assert.ok(at(1, 2 ** 20 - 1, 15) < depositPosition(1, 0))
  assert.is(depositPosition(1, 0), at(1, DEPOSIT_INDEX))
})

test.run()

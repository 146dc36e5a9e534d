/** Throws at every store write of a story, before and after its commit, starts again, and wants the same end. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FollowerEvent } from '../../l1/cursor.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { alice, bob, carol, createWorld, logs, pay, type World } from './fixture.ts'

const test = suite('operator crash matrix')

class Crash extends Error {}

type When = 'before commit' | 'after commit'

/** Counts writes, and throws at the chosen one, once. */
function createFuse(when: When, at: number) {
  let count = 0
  let isBurnt = false
  let isArmed = false
  const strike = (now: When) => {
    if (isArmed && now === when && !isBurnt && ++count === at) {
      isBurnt = true
      throw new Crash(`${when} of write ${at}`)
    }
  }
  return {
    before: () => strike('before commit'),
    after: () => strike('after commit'),
    isBurnt: () => isBurnt,
    arm: () => {
      isArmed = true
    },
  }
}

/** Does it again after a crash, in a new process as it were, until it goes through: what clients and the follower do. */
function persist(world: World, act: () => void): void {
  for (;;) {
    try {
      act()
      return
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      world.restart(world.hook)
    }
  }
}

/** Hands over what L1 did unless the store has it already. */
function see(world: World, events: readonly FollowerEvent[]): void {
  const cursor = [...world.l1.cursor]
  persist(world, () => {
    const known = world.core.view.cursor().at(-1)?.hash
    if (known !== cursor.at(-1)?.hash) world.core.applyL1(events, cursor)
    world.core.step()
  })
}

function admit(world: World, transactions: readonly SignedTransaction[]): number[] {
  let positions: number[] = []
  persist(world, () => {
    positions = world.admit(...transactions).map((outcome) => (outcome.status === 'accepted' ? outcome.position : -1))
  })
  return positions
}

function depositAt(number: number): number {
  return encodePosition({ block: 0, index: DEPOSIT_INDEX + number, output: 0 })
}

/** Deposits, a full block and an open one, submission, an exit, an L1 reorg that drops it all, and everything once more. */
function tell(world: World): void {
  const { l1 } = world
  const deposited = Array.from({ length: 6 }, (_, i) => logs.deposited(depositAt(i), alice.address, 10n))
  see(world, l1.mine(3, deposited))
  const payments = Array.from({ length: 5 }, (_, i) =>
    pay({
      inputs: [depositAt(i)],
      outputs: [
        [bob, 4n],
        [alice, 6n],
      ],
      signers: [alice],
    }),
  )
  const positions = admit(world, payments)
  world.clock.ms += 4_000
  persist(world, () => world.core.step())
  const ancestor = l1.tip
  see(world, l1.mine(1, [logs.submitted(1, world.commitments(1, 2))]))
  see(world, l1.mine(1, [logs.exitStarted(positions[4]!, bob.address, l1.tip + 1)]))
  see(world, l1.reorg(ancestor, [logs.deposited(depositAt(7), carol.address, 3n)]))
  see(world, l1.mine(1, [logs.submitted(1, world.commitments(1, 1))]))
  see(world, l1.mine(3, [logs.submitted(2, world.commitments(2, 2))]))
  const chained = pay({ inputs: [positions[0]!], outputs: [[carol, 4n]], signers: [bob] })
  admit(world, [chained, ...payments])
  world.clock.ms += 4_000
  persist(world, () => world.core.step())
  for (const position of positions.slice(1)) {
    admit(world, [pay({ inputs: [position], outputs: [[carol, 4n]], signers: [bob] })])
  }
}

const TABLES = [
  'blocks',
  'transactions',
  'hashes',
  'outputs',
  'locks',
  'activity',
  'block_events',
  'trees',
  'l1_blocks',
  'operators',
  'meta',
]

function dump({ core }: World): readonly unknown[] {
  // What is only in the log so far is folded with any other write.
  core.store.write(() => undefined)
  return TABLES.map((table) => [table, core.store.db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()])
}

function run(when: When, at: number, foldSize: number): { end: readonly unknown[]; isBurnt: boolean } {
  const fuse = createFuse(when, at)
  const world = createWorld({ publish: fuse.after, foldSize })
  world.restart(fuse.before)
  world.hook = fuse.before
  fuse.arm()
  tell(world)
  // The fuse may be left for the fold that the dump asks for: that is a write like the others.
  let end: readonly unknown[] = []
  persist(world, () => {
    end = dump(world)
  })
  world.memory.assertNoErrors()
  world.close()
  return { end, isBurnt: fuse.isBurnt() }
}

const calm = run('before commit', 0, 4_096).end

for (const foldSize of [0, 2, 4_096]) {
  for (const when of ['before commit', 'after commit'] as const) {
    test(`ends the same whichever write it dies at, ${when}, ${foldSize} payments before a fold`, () => {
      let at = 1
      while (true) {
        const { end, isBurnt } = run(when, at, foldSize)
        assert.equal(end, calm, `crash ${when} of write ${at}`)
        if (!isBurnt) break
        at++
      }
      assert.ok(at > 10, `only ${at} writes`)
    })
  }
}

test('keeps nothing in memory that the disk refused', () => {
  let isFull = false
  const world = createWorld({}, () => {
    if (isFull) throw new Crash('disk full')
  })
  see(world, world.l1.mine(3, [logs.deposited(depositAt(0), alice.address, 10n)]))
  const signed = pay({ inputs: [depositAt(0)], outputs: [[bob, 10n]], signers: [alice] })
  isFull = true
  assert.throws(
    () => world.admit(signed),
    (error: unknown) => error instanceof Crash,
  )
  assert.is(world.core.blockLog.open()?.txCount, 0)
  assert.is(world.core.ledger.find(depositAt(0))?.spentBy, undefined)
  assert.is(world.core.views.history(bob.address, {}).entries.length, 0)
  isFull = false
  assert.is(world.accept(signed), encodePosition({ block: 1, index: 0, output: 0 }))
  world.close()
})

test.run()

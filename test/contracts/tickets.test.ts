/** The token's line (docs/spec.md section 5.5): turns, settles and releases in every order against a naive model of it. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeDepositEth, encodeFreePlace, encodeRelease, encodeSettle } from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { paidFor } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  passTo,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, eventOf, Reverted } from '../support/rootChain.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, carol } = actors
const { test, world } = rootSuite('tickets')
const ETH = ZERO_ADDRESS
const PLENTY = 2n ** 127n

/**
 * The line as one would explain it: whoever had its turn first is served first, from what was deposited. A released claim keeps only
 * what it was already paid.
 */
class NaiveLine {
  readonly claims: { amount: bigint; paid: bigint; released: boolean }[] = []
  deposited: bigint
  constructor(deposited: bigint) {
    this.deposited = deposited
  }
  private takenBefore(index: number): bigint {
    return this.claims.slice(0, index).reduce((sum, { amount, paid, released }) => sum + (released ? paid : amount), 0n)
  }
  /** What the claim may have been paid by now. */
  covered(index: number): bigint {
    const left = this.deposited - this.takenBefore(index)
    const { amount } = this.claims[index]!
    return left <= 0n ? 0n : left < amount ? left : amount
  }
  settle(index: number): bigint {
    const claim = this.claims[index]!
    if (claim.released) return 0n
    const amount = this.covered(index) - claim.paid
    claim.paid += amount
    return amount
  }
  isDone(index: number): boolean {
    const { amount, paid, released } = this.claims[index]!
    return released || paid === amount
  }
  /** Allowed once all that is older is covered, so that nothing is served twice. */
  release(index: number): boolean {
    const claim = this.claims[index]!
    if (this.isDone(index) || this.deposited < this.takenBefore(index) + claim.paid) return false
    claim.released = true
    return true
  }
  paidInAll(): bigint {
    return this.claims.reduce((sum, { paid }) => sum + paid, 0n)
  }
}

/** Exits of alice's outputs of these amounts, one transaction each, made out of nothing; all get their turn at once. */
async function takeTurns(amounts: readonly bigint[], deposited: bigint) {
  const { chain } = world
  await chain.send(carol.account, encodeDepositEth(carol.address, deposited))
  const transactions = await Promise.all(amounts.map((amount, i) => chain.pay(alice, i * 16, [[alice, amount]])))
  const block = await submit(chain, transactions)
  await setByHand(chain, 'setFunded', [ETH, PLENTY])
  const exits: Exit[] = []
  for (const i of amounts.keys()) exits.push(await startExit(chain, alice, [block, i, 0]))
  await setByHand(chain, 'setFunded', [ETH, deposited])
  await passTo(chain, exits[0]!.exitableAt + 1)
  const { events } = await process(chain, turnsOf(exits, [block]))
  return { block, exits, events }
}

async function settle(exits: readonly Exit[]): Promise<readonly RootEvent[]> {
  try {
    return (await world.chain.send(carol.account, encodeSettle(exits))).events
  } catch (error) {
    if (error instanceof Reverted && error.errorName === 'NothingToDo') return []
    throw error
  }
}

const release = (exit: Exit, block: ChildBlock) =>
  world.chain.send(carol.account, encodeRelease(exit, { spend: 0, header: block.header }))

const invalidate = (exit: Exit) => setByHand(world.chain, 'setInvalid', [BigInt(exit.position), true])

const freePlace = (from: bigint) => world.chain.send(carol.account, encodeFreePlace(ETH, from))

type Act = readonly [kind: number, who: number, size: number]

async function playLine(amounts: readonly number[], deposited: number, acts: readonly Act[]): Promise<void> {
  const { chain } = world
  const { block, exits, events } = await takeTurns(amounts.map(BigInt), BigInt(deposited))
  const model = new NaiveLine(BigInt(deposited))
  const invalid = new Set<number>()
  const gaveUp = new Map<number, bigint>()
  for (const amount of amounts) model.claims.push({ amount: BigInt(amount), paid: 0n, released: false })
  for (const [i, exit] of exits.entries()) {
    const whole = model.covered(i) === model.claims[i]!.amount
    assert.is(paidFor(events, exit), whole ? model.settle(i) : 0n, `turn ${i}`)
  }
  for (const [kind, who, size] of acts) {
    const i = who % exits.length
    const exit = exits[i]!
    if (kind === 0) {
      await chain.send(carol.account, encodeDepositEth(carol.address, BigInt(size)))
      model.deposited += BigInt(size)
    } else if (kind <= 3) {
      const want = invalid.has(i) ? 0n : model.settle(i)
      assert.is(paidFor(await settle([exit]), exit), want, `settle ${i}`)
    } else if (!model.isDone(i)) {
      if (!invalid.has(i)) await invalidate(exit)
      invalid.add(i)
      const from = gaveUp.get(i)
      const isCovered = model.release(i)
      if (from !== undefined) {
        if (isCovered) await freePlace(from)
        else await refuses('NotCovered', () => freePlace(from))
      } else {
        const { events: released } = await release(exit, block)
        // It leaves either way; a place that the line has not reached waits for it.
        if (!isCovered) gaveUp.set(i, eventOf(released, 'PlaceLeft').from)
      }
    }
    assert.ok(model.paidInAll() <= model.deposited, 'never more than was deposited')
  }
  const funded = (await chain.read<[bigint, bigint]>('totals', [ETH]))[0]
  const left = model.claims.reduce((sum, { amount, paid, released }) => sum + (released ? amount - paid : 0n), 0n)
  assert.is(funded, model.deposited + left, 'funded counts deposits and releases')
}

test('deposits, settles and releases in random orders pay what a naive line pays', async () => {
  printSeed('tickets')
  const act: fc.Arbitrary<Act> = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 100 }), fc.integer({ min: 1, max: 60 }))
  const run = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 6 }),
    fc.integer({ min: 1, max: 250 }),
    fc.array(act, { minLength: 14, maxLength: 14 }),
  )
  for (const [amounts, deposited, acts] of fc.sample(run, { seed, numRuns: 10 })) {
    const snapshot = await world.chain.client.snapshot()
    await playLine(amounts, deposited, acts)
    await world.chain.client.revert({ id: snapshot })
  }
})

test('a younger ticket gets nothing while an older one is short, whoever settles first', async () => {
  const { exits } = await takeTurns([10n, 10n, 10n], 15n)
  assert.equal(await Promise.all(exits.map((exit) => stateOf(world.chain, exit))), ['settled', 'ticket', 'ticket'])
  assert.equal(await settle([exits[2]!]), [])
  assert.is(paidFor(await settle([exits[2]!, exits[1]!]), exits[1]!), 5n)
  assert.is(await stateOf(world.chain, exits[1]!), 'ticket', 'paid in part')
  await world.chain.send(carol.account, encodeDepositEth(carol.address, 8n))
  const events = await settle([exits[2]!, exits[1]!])
  assert.equal([paidFor(events, exits[2]!), paidFor(events, exits[1]!)], [3n, 5n])
})

test('settling twice pays once', async () => {
  const { exits } = await takeTurns([10n, 10n], 15n)
  await settle([exits[1]!])
  assert.equal(await settle([exits[1]!]), [])
  await world.chain.send(carol.account, encodeDepositEth(carol.address, 5n))
  const events = await settle([exits[1]!, exits[1]!, exits[1]!])
  assert.is(paidFor(events, exits[1]!), 5n)
  assert.is(await stateOf(world.chain, exits[1]!), 'settled')
})

test('a huge forged ticket is no dead end: once it is released, those behind it are paid', async () => {
  const huge = 2n ** 126n
  const { exits, block } = await takeTurns([10n, huge, 10n], 30n)
  assert.is(paidFor(await settle([exits[2]!]), exits[2]!), 0n)
  await refuses('EvidenceNotFinal', () => release(exits[1]!, block))
  await invalidate(exits[1]!)
  assert.equal(await settle([exits[1]!]), [], 'an invalid ticket is not paid')
  await release(exits[1]!, block)
  await refuses('ExitMismatch', () => release(exits[1]!, block))
  assert.is(paidFor(await settle([exits[2]!]), exits[2]!), 10n)
})

test('a ticket that is not covered leaves without its place, which is freed once it is: before, it would make money for older ones', async () => {
  const { exits, block } = await takeTurns([10n, 10n, 10n], 5n)
  await invalidate(exits[2]!)
  const { events: released } = await release(exits[2]!, block)
  const { from, due } = eventOf(released, 'PlaceLeft')
  assert.equal([from, due, (await world.chain.read<[bigint, bigint]>('totals', [ETH]))[0]], [20n, 10n, 5n])
  const { args } = await refuses('NotCovered', () => freePlace(from))
  assert.equal(args, [5n, 20n])
  await refuses('NothingToDo', () => freePlace(from + 1n))
  await world.chain.send(carol.account, encodeDepositEth(carol.address, 15n))
  await freePlace(from)
  await refuses('NothingToDo', () => freePlace(from))
  const events = await settle(exits)
  assert.equal(
    exits.map((exit) => paidFor(events, exit)),
    [10n, 10n, 0n],
  )
})

test('what was reserved is not taken by those who come later', async () => {
  const { chain } = world
  const { exits } = await takeTurns([10n, 10n], 15n)
  const input = await deposit(chain, bob, 5n)
  const late = await startDepositExit(chain, bob, input, 5n)
  await passTo(chain, late.exitableAt + 1)
  const { events } = await process(chain, turnsOf([late]))
  assert.is(eventOf(events, 'ExitPostponed').from, 20n)
  assert.is(paidFor(await settle([late, exits[1]!]), exits[1]!), 10n)
  assert.is(await stateOf(chain, late), 'ticket')
  await chain.send(carol.account, encodeDepositEth(carol.address, 5n))
  assert.is(paidFor(await settle([late]), late), 5n)
})

test('a wrong or strange exit in the list is skipped, the others are settled', async () => {
  const { exits, block } = await takeTurns([10n, 10n], 15n)
  const bent = { ...exits[1]!, amount: 1_000n }
  const stranger = { ...exits[1]!, outputId: `0x${'77'.repeat(32)}` as const }
  const events = await settle([bent, stranger, exits[0]!, exits[1]!])
  assert.is(paidFor(events, exits[1]!), 5n)
  await refuses('ExitMismatch', () => release(bent, block))
})

test('an exit of more than ever came in does not start', async () => {
  const { chain } = world
  await deposit(chain, alice, ETHER)
  const block = await submit(chain, [
    await chain.pay(alice, 0, [
      [alice, ETHER + 1n],
      [alice, ETHER],
    ]),
  ])
  const { args } = await refuses('NotCovered', () => startExit(chain, alice, [block, 0, 0]))
  assert.equal(args, [ETHER, ETHER + 1n])
  await startExit(chain, alice, [block, 0, 1])
})

test.run()

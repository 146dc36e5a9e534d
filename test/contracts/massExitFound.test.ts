/** What random walks through the exit games found (docs/explorer.md), made short. */
import * as assert from 'uvu/assert'
import { adoptExit, claim, depositAt, lockBatch, releaseEntry, startBatch } from '../support/batchMoves.ts'
import { decide, deposited, inherit, startDispute } from '../support/disputeMoves.ts'
import { release, settle } from '../support/haltMoves.ts'
import {
  balance,
  challenge,
  deposit,
  ETHER,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, mallory } = actors
const { test, world, mep } = rootSuite('mass exits: found by walking')

test('the cancelled place of a spent output, whose payee spent the money long ago, does not hold up the end of the line', async () => {
  const { chain } = world
  const mine = await deposit(chain, mallory)
  const hers = await deposit(chain, alice)
  const toHerself = await chain.pay(mallory, mine, [[mallory, ETHER]])
  const first = await submit(chain, [toHerself])
  const toBob = await chain.pay(mallory, place(first), [[bob, ETHER]])
  const second = await submit(chain, [toBob])

  // Her exit of what is spent loses its bond to the evidence; the dispute of the payment, which everybody can see, costs nothing.
  const exit = await startDepositExit(chain, mallory, mine)
  const dispute = await startDispute(chain, toHerself, [deposited(mallory)], { from: mallory, exits: [exit] })
  await challenge(chain, exit, [first, 0])
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await passTo(chain, dispute.dispute.exitableAt + 1)
  assert.is((await decide(chain, dispute)).verdict, 'canonical')

  const ofBob = await startExit(chain, bob, [second, 0, 0])
  const ofAlice = await startDepositExit(chain, alice, hers)
  // By then nobody came for it.
  await passTo(chain, Math.max(ofBob.exitableAt, ofAlice.exitableAt, dispute.dispute.exitableAt + 3 * mep()) + 1)
  await process(chain, turnsOf([ofBob, ofAlice], [second]))
  for (let pass = 0; pass < 2; pass++) {
    await attempt(() => release(chain, exit, first))
    await attempt(() => release(chain, exit))
    await attempt(() => inherit(chain, dispute, exit))
    await attempt(() => settle(chain, [ofBob]))
    await attempt(() => settle(chain, [ofAlice]))
  }
  assert.is(await stateOf(chain, ofBob), 'settled')
  assert.is(await stateOf(chain, ofAlice), 'settled', 'Alice’s ether is in the contract, and nobody else is owed it')
})

test('a share of what was paid out of an older share is freed as soon as the line reaches it, for those behind it', async () => {
  const { chain } = world
  const big = await deposit(chain, alice, 2n * ETHER)
  const small = await deposit(chain, bob)
  // Two coordinators list Alice, the younger one Bob too; Alice also leaves by herself, behind both.
  const first = await startBatch(chain, [{ position: big, amount: 2n * ETHER }])
  const both = [
    { position: big, amount: 2n * ETHER },
    { position: small, amount: ETHER },
  ]
  const second = await startBatch(chain, both, { from: mallory })
  const [one, two] = [await lockBatch(chain, first), await lockBatch(chain, second, first.batch.startedAt + 62)]
  const own = await startDepositExit(chain, alice, big, 2n * ETHER)
  await passTo(chain, own.exitableAt + 1)
  await process(chain, turnsOf([one, two, own]))

  // The line: Alice in the first batch [0, 2), in the second [2, 4), Bob [4, 5), Alice's own [5, 7). The contract holds 3.
  const [ofAlice, ofBob] = [depositAt(alice, 2n * ETHER), depositAt(bob, ETHER)]
  const before = await balance(chain, bob)
  await adoptExit(chain, first, [0, ofAlice, own])
  for (let pass = 0; pass < 2; pass++) {
    await attempt(() => settle(chain, [own]))
    await attempt(() => release(chain, own))
    await attempt(() => releaseEntry(chain, second, 0, ofAlice))
    await attempt(() => adoptExit(chain, second, [0, ofAlice, own]))
    await attempt(() => claim(chain, second, [[1, ofBob]]))
  }
  assert.is(await balance(chain, bob), before + ETHER, 'Bob’s ether is in the contract, and nobody else is owed it')
})

test.run()

/** Shares of a ticket that a canonical verdict cancelled (spec 6.2): who has the place of the input, how it is cut, when it is free. */
import * as assert from 'uvu/assert'
import { encodeRelease } from '../../l1/rootCalls.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { createOutput } from '../../protocol/transaction.ts'
import { decide, deposited, inherit, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { createBait, haltAt, submitBad } from '../support/haltMoves.ts'
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
import { actors, ETH } from '../support/rootChain.ts'
import { payoutScenes } from './disputeScenes.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, carol, dave } = actors
const { test, world, mep, balanceOf } = rootSuite('shares of cancelled tickets')
const { dispute, afterE, settle } = payoutScenes(world)

/** Alice's deposit has its turn as a ticket while her payment of it to Bob (0.4) and Carol (0.6) is disputed, then canonical. */
async function cancelledTicket() {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [
    [bob, (ETHER * 4n) / 10n],
    [carol, (ETHER * 6n) / 10n],
  ])
  const input = await startDepositExit(chain, alice, position)
  const started = await startDispute(chain, signed, [deposited(alice)], { exits: [input] })
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  return { started, input }
}

/** An exit of a forged output, as large as all that was ever deposited, has its turn. */
async function forgedTurn(): Promise<Exit> {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const forged = await startExit(chain, mallory, [block, 0, 0])
  await passTo(chain, forged.exitableAt + 1)
  await process(chain, turnsOf([forged], [block]))
  assert.is(await stateOf(chain, forged), 'ticket')
  return forged
}

const fundedOf = async () => (await world.chain.read<readonly bigint[]>('totals', [ETH]))[0]

test('payees who come long after the verdict have the place of the input, before a forged exit in between (6.2)', async () => {
  const { chain } = world
  const { started, input } = await cancelledTicket()
  const forged = await forgedTurn()
  const exits = [await startDisputedExit(chain, bob, started, 0), await startDisputedExit(chain, carol, started, 1)]
  await refuses('StateUnexpected', () => inherit(chain, started, exits[0]!, [0, 0]))
  await passTo(chain, exits[1]!.exitableAt + 1)
  await process(chain, turnsOf(exits))
  await chain.send(dave.account, encodeRelease(input))
  await refuses('NothingToDo', () => settle([forged, ...exits]))
  const before = await balanceOf(bob)
  await inherit(chain, started, exits[0]!, [0, 0])
  await refuses('ShareMissing', () => inherit(chain, started, exits[0]!, [0, 0]))
  await inherit(chain, started, exits[1]!, [0, 1])
  assert.is((await balanceOf(bob)) - before, exits[0]!.amount)
  await refuses('NothingToDo', () => settle([forged]))
  assert.is(await fundedOf(), ETHER, 'no money was made')
})

test('shares of a cancelled ticket are cut pro rata, and together they are the whole of it', async () => {
  const { chain } = world
  const position = await deposit(chain, alice, 1_000n)
  const second = await deposit(chain, alice, 7n)
  const outputs = [1n, 333n, 2n, 671n].map((amount) => createOutput(bob.address, ETH, amount))
  const signed = await chain.sign({ inputs: [position, second], outputs, memo: ZERO_HASH }, [alice, alice])
  const input = await startDepositExit(chain, alice, position, 1_000n)
  const shown = [deposited(alice, 1_000n), deposited(alice, 7n)]
  const started = await startDispute(chain, signed, shown, { from: bob, exits: [input], outputs: [0, 1, 2, 3] })
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  await passTo(chain, started.leaving[3]!.exitableAt + 1)
  await decide(chain, started)
  await process(chain, turnsOf(started.leaving))
  let inherited = 0n
  for (const [output, exit] of started.leaving.entries()) {
    await refuses('ShareMissing', () => inherit(chain, started, exit, [1, output]))
    const { events } = await inherit(chain, started, exit, [0, output])
    for (const event of events)
      if (event.type === 'ExitInherited' || event.type === 'ShareReleased') inherited += event.amount
  }
  assert.is(inherited, 1_000n)
  for (const exit of started.leaving) if ((await stateOf(chain, exit)) === 'ticket') await settle([exit])
  for (const exit of started.leaving) assert.is(await stateOf(chain, exit), 'settled')
  assert.equal(await chain.read('totals', [ETH]), [1_007n + inherited, 2_007n], 'as much of their own places is free')
})

test('the share of an output that was paid out of its own place is freed', async () => {
  const { chain } = world
  const { started } = await cancelledTicket()
  await deposit(chain, carol, ETHER)
  const exit = await startDisputedExit(chain, bob, started, 0)
  await refuses('StateUnexpected', () => inherit(chain, started, exit, [0, 1]))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
  const funded = (await fundedOf()) as bigint
  await inherit(chain, started, exit, [0, 0])
  assert.is(await fundedOf(), funded + exit.amount)
  await refuses('ShareMissing', () => inherit(chain, started, exit, [0, 0]))
})

test('a share that nobody came for is anybody’s to free from 3 MEP after the dispute’s E on, and who comes later has her own place', async () => {
  const { chain } = world
  const { started, input } = await cancelledTicket()
  await deposit(chain, alice)
  await deposit(chain, alice)
  const comes = await startDisputedExit(chain, bob, started, 0)
  const end = started.dispute.exitableAt + 3 * mep()
  await passTo(chain, end)
  await refuses('StateUnexpected', () => inherit(chain, started, input, [0, 1]))
  await passTo(chain, end + 1)
  await refuses('StateUnexpected', () => inherit(chain, started, comes, [0, 0]))
  const funded = (await fundedOf()) as bigint
  await inherit(chain, started, input, [0, 1])
  assert.is(await fundedOf(), funded + (ETHER * 6n) / 10n)
  await refuses('ShareMissing', () => inherit(chain, started, input, [0, 1]))

  const late = await startDisputedExit(chain, carol, started, 1)
  await passTo(chain, late.exitableAt + 1)
  await process(chain, turnsOf([comes, late]))
  assert.is(await stateOf(chain, late), 'settled')
  assert.is(await stateOf(chain, comes), 'settled')
})

test('a move of the halt gives whoever may come for a share a whole period more', async () => {
  const { chain } = world
  const { started, input } = await cancelledTicket()
  await deposit(chain, alice)
  await passTo(chain, started.dispute.exitableAt + mep() - 20)
  const block = await submitBad(chain, await createBait(chain))
  const { lastMove: moved } = await haltAt(chain, block)
  await passTo(chain, moved + 4 * mep())
  await refuses('StateUnexpected', () => inherit(chain, started, input, [0, 1]))
  await passTo(chain, moved + 4 * mep() + 1)
  const funded = (await fundedOf()) as bigint
  await inherit(chain, started, input, [0, 1])
  assert.is(await fundedOf(), funded + (ETHER * 6n) / 10n)
})

test('nothing is inherited before the verdict, nor by another transaction', async () => {
  const { chain } = world
  const [one, other] = [await cancelledTicket(), await dispute()]
  const exit = await startDisputedExit(chain, bob, one.started, 0)
  await refuses('VerdictUnexpected', () => inherit(chain, other, exit))
  await refuses('DisputeMismatch', () => inherit(chain, { ...one.started, signed: other.signed }, exit))
  await refuses('DisputeMismatch', () => inherit(chain, { ...one.started, inputs: other.inputs }, exit))
})

test.run()

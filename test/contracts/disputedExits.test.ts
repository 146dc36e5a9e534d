/** What becomes of exits while a dispute runs and after its verdict (spec 6.3): of the inputs, and of the outputs through the dispute. */
import * as assert from 'uvu/assert'
import { encodeStartDisputedExits } from '../../l1/disputeCalls.ts'
import { encodeRelease } from '../../l1/rootCalls.ts'
import type { StartedDispute } from '../../l1/rootEvents.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import {
  decide,
  deposited,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
  bond,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import { payoutScenes } from './disputeScenes.ts'
import { creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors
const { test, world, mep, balanceOf } = rootSuite('exits and disputes')
const { dispute, afterE, settle } = payoutScenes(world)
const rivalOf = (started: StartedDispute) => world.chain.pay(alice, started.inputs[0]!.position, [[alice, ETHER]])

test('both outputs of a payment that nobody included are paid through its dispute', async () => {
  const { chain } = world
  const started = await dispute()
  const exits = [await startDisputedExit(chain, bob, started, 0), await startDisputedExit(chain, alice, started, 1)]
  for (const exit of exits) {
    assert.is(exit.disputed, started.dispute.txHash)
    assert.is(exit.position, started.dispute.agePosition)
    assert.is(exit.exitableAt, exit.startedAt + mep())
  }
  await passTo(chain, exits[1]!.exitableAt + 1)
  await decide(chain, started)
  const before = await balanceOf(bob)
  await process(chain, turnsOf(exits))
  assert.is((await balanceOf(bob)) - before, (ETHER * 4n) / 10n + exits[0]!.bond - (exits[0]!.bond * 60n) / 400n)
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
})

test('a payee starts a dispute and takes its outputs out in one call; nobody takes out what belongs to others', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [
    [bob, ETHER / 4n],
    [alice, ETHER / 4n],
    [bob, ETHER / 2n],
  ])
  const start = (outputs: readonly number[], bondWei?: bigint) =>
    startDispute(chain, signed, [deposited(alice)], {
      from: bob,
      outputs,
      ...(bondWei === undefined ? {} : { bondWei }),
    })
  await refuses('NotOwner', () => start([0, 1]))
  await refuses('OutputMissing', () => start([3]))
  await refuses('AlreadyExiting', () => start([0, 0]))
  await refuses('BondTooSmall', () => start([0], 1n))
  const { leaving, dispute: told } = await start([0, 2])
  assert.equal(
    leaving.map(({ amount, owner, disputed, position: age }) => [amount, owner, disputed, age]),
    [ETHER / 4n, ETHER / 2n].map((amount) => [amount, bob.address, told.txHash, position]),
  )
})

test('an exit through a dispute has the place of an output as old as the youngest input (P2, H-A)', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const signed = await chain.pay(alice, place(block), [[bob, ETHER]])
  const started = await startDispute(chain, signed, [madeIn(chain, block)])
  const first = await startDisputedExit(chain, bob, started)
  assert.ok(first.young)
  assert.is(first.exitableAt, block.header.timestamp + 2 * mep())
  assert.is(first.exitableAt, started.dispute.exitableAt)
  const late = await submit(chain, [
    await chain.pay(alice, await deposit(chain, alice), [
      [alice, ETHER],
      [alice, 0n],
    ]),
  ])
  const next = await chain.pay(alice, place(late), [
    [bob, ETHER / 2n],
    [alice, ETHER / 2n],
  ])
  const other = await startDispute(chain, next, [madeIn(chain, late)])
  await passTo(chain, late.header.timestamp + mep() + 1)
  const exit = await startDisputedExit(chain, bob, other)
  assert.not(exit.young)
  assert.is(exit.exitableAt, exit.startedAt + mep(), 'a whole period, for a spend that is still hidden')
})

test('an exit through a dispute that is not decided at its turn reserves its due, holds up nobody, and is settled later (P9b)', async () => {
  const { chain } = world
  const started = await dispute()
  const exit = await startDisputedExit(chain, bob, started, 0)
  const other = await startDepositExit(chain, carol, await deposit(chain, carol))
  await passTo(chain, other.exitableAt + 1)
  const { events } = await process(chain, turnsOf([exit, other]))
  assert.is(eventOf(events, 'ExitPostponed').outputId, exit.outputId)
  assert.is(eventOf(events, 'ExitPaid').outputId, other.outputId)
  await refuses('NothingToDo', () => settle([exit]))
  await refuses('EvidenceNotFinal', () => chain.send(carol.account, encodeRelease(exit)))
  await decide(chain, started)
  const before = await balanceOf(bob)
  await settle([exit])
  assert.ok((await balanceOf(bob)) - before > exit.amount)
  assert.is(await stateOf(chain, exit), 'settled')
})

test('without a canonical verdict the outputs get nothing, their payers get the bond, and the input is paid', async () => {
  const { chain } = world
  const started = await dispute()
  const queued = await startDisputedExit(chain, bob, started, 0)
  const ticket = await startDisputedExit(chain, alice, started, 1)
  const input = await startDepositExit(chain, alice, started.position)
  await showCompetitor(chain, started, await rivalOf(started))
  await passTo(chain, input.exitableAt + 1)
  const id = await chain.client.snapshot()
  await process(chain, turnsOf([queued, ticket, input]))
  assert.is(await stateOf(chain, input), 'ticket', 'it waits for the verdict too')
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  await refuses('NothingToDo', () => settle([queued]))
  await chain.send(carol.account, encodeRelease(queued))
  await chain.send(carol.account, encodeRelease(ticket))
  await settle([input])
  const want = ['removed', 'removed', 'settled']
  assert.equal(await Promise.all([queued, ticket, input].map((exit) => stateOf(chain, exit))), want)
  assert.is(await creditOf(chain, ETH, bob.address), queued.bond - (queued.bond * 60n) / 400n)
  await chain.client.revert({ id })
  await decide(chain, started)
  const { events } = await process(chain, turnsOf([queued, ticket, input]))
  const removed = events.flatMap((event) => (event.type === 'ExitRemoved' ? [event.reason] : []))
  assert.equal(removed, ['not-canonical', 'not-canonical'])
  assert.equal(await Promise.all([queued, ticket, input].map((exit) => stateOf(chain, exit))), want)
  await refuses('VerdictUnexpected', () => startDisputedExit(chain, bob, started, 0))
})

test('a canonical verdict cancels the exit of the input, in the queue or as a ticket, and gives its bond back', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const when of ['queued', 'ticket'] as const) {
    const started = await dispute()
    const input = await startDepositExit(chain, alice, started.position)
    await passTo(chain, input.exitableAt + 1)
    if (when === 'ticket') await process(chain, turnsOf([input]))
    assert.is((await decide(chain, started)).verdict, 'canonical')
    assert.is(await stateOf(chain, input), when === 'queued' ? 'cancelled' : 'cancelled-ticket')
    await refuses('NothingToDo', () => settle([input]))
    const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
    if (when === 'queued') {
      const { events } = await process(chain, turnsOf([input]))
      assert.is(eventOf(events, 'ExitRemoved').reason, 'spent')
      assert.equal(await chain.read<readonly bigint[]>('totals', [ETH]), [funded, line], 'nothing was reserved')
    } else {
      await chain.send(carol.account, encodeRelease(input))
      assert.equal(await chain.read<readonly bigint[]>('totals', [ETH]), [funded, line], 'the place is for the outputs')
    }
    // Without a place it may still get a share of a mass exit for its heirs.
    assert.is(await stateOf(chain, input), when === 'queued' ? 'cancelled' : 'settled')
    assert.is(await creditOf(chain, ETH, alice.address), input.bond - (input.bond * 60n) / 400n)
    await chain.client.revert({ id })
  }
})

test('an exit that was there first waits for the verdict, unless the dispute comes after the end of evidence (P8, K3)', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const late of [false, true]) {
    const position = await deposit(chain, alice)
    const signed = await chain.pay(alice, position, [[bob, ETHER]])
    const input = await startDepositExit(chain, alice, position)
    await nextAt(chain, evidenceDeadline(input.exitableAt, mep()) + (late ? 1 : 0))
    const started = await startDispute(chain, signed, [deposited(alice)], { exits: [input] })
    assert.is(started.dispute.suspends, late ? 0 : 1)
    assert.is(started.inputs[0]!.lockedAt, input.lockedAt, 'the first lock stands')
    await passTo(chain, input.exitableAt + 1)
    await process(chain, turnsOf([input]))
    assert.is(await stateOf(chain, input), late ? 'settled' : 'ticket')
    const exit = await startDisputedExit(chain, bob, started)
    await passTo(chain, exit.exitableAt + 1)
    assert.is(
      (await decide(chain, started)).verdict,
      late ? 'not-canonical' : 'canonical',
      'what was paid is not paid again',
    )
    await process(chain, turnsOf([exit]))
    if (!late) {
      assert.is(await stateOf(chain, exit), 'ticket', 'behind what the input reserved')
      await inherit(chain, started, exit)
    }
    assert.is(await stateOf(chain, exit), late ? 'removed' : 'settled')
    await chain.client.revert({ id })
  }
})

test('an output may leave at any time after a canonical verdict (K5)', async () => {
  const { chain } = world
  const started = await dispute()
  await afterE(started, 10 * mep())
  await decide(chain, started)
  const exit = await startDisputedExit(chain, bob, started)
  assert.is(exit.exitableAt, exit.startedAt + mep())
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('only the owner, or who has a mandate for all outputs, takes an output out through a dispute', async () => {
  const { chain } = world
  const started = await dispute()
  await refuses('NotOwner', () => startDisputedExit(chain, bob, started, 0, { from: mallory }))
  await refuses('OutputMissing', () => startDisputedExit(chain, bob, started, 2))
  const narrow = await signMandate(chain, bob, { position: started.dispute.agePosition })
  await refuses('MandateRefused', () => startDisputedExit(chain, bob, started, 0, { from: watcher, mandate: narrow }))
  const mandate = await signMandate(chain, bob, {})
  await refuses('NotOwner', () => startDisputedExit(chain, bob, started, 1, { from: watcher, mandate }))
  const exit = await startDisputedExit(chain, bob, started, 0, { from: watcher, mandate })
  assert.is(exit.owner, bob.address)
  assert.is(exit.payer, watcher.address)
})

test('the dispute that is shown must be the one about this transaction', async () => {
  const { chain } = world
  const [started, other] = [await dispute(), await dispute()]
  const start = (changed: object, transaction = started.signed.transaction) =>
    chain.send(
      bob.account,
      encodeStartDisputedExits({
        dispute: { ...started.dispute, ...changed },
        transaction,
        outputs: [0],
        bondWei: ETHER,
      }),
    )
  await refuses('DisputeMismatch', () => start({ ageTime: 1 }))
  await refuses('DisputeMismatch', () => start({}, other.signed.transaction))
  await refuses('DisputeMismatch', () => start({ txHash: other.dispute.txHash }))
  await refuses('DisputeMismatch', () => start(other.dispute))
  await start({})
})

test('an exit by inclusion that starts while the transaction is disputed has the fate of the verdict', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const verdict of ['canonical', 'not-canonical'] as const) {
    const started = await dispute({ included: true })
    const made = started.block as ChildBlock
    const exit = await startExit(chain, bob, [made, 0, 0])
    assert.is(exit.disputed, started.dispute.txHash)
    assert.is(exit.position, place(made))
    assert.is(exit.exitableAt, made.header.timestamp + 2 * mep(), 'it has the place of its own block')
    if (verdict === 'not-canonical') await showCompetitor(chain, started, await rivalOf(started))
    await passTo(chain, exit.exitableAt + 1)
    assert.is((await decide(chain, started)).verdict, verdict)
    await process(chain, turnsOf([exit], [made]))
    assert.is(await stateOf(chain, exit), verdict === 'canonical' ? 'settled' : 'removed')
    await chain.client.revert({ id })
  }
})

test('a transaction whose input was made by a disputed one waits for that verdict and shares it', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const verdict of ['canonical', 'not-canonical'] as const) {
    const started = await dispute({ included: true })
    const made = started.block as ChildBlock
    const next = await chain.pay(bob, place(made), [[carol, (ETHER * 4n) / 10n]])
    const later = await startDispute(chain, next, [madeIn(chain, made)])
    assert.is(later.inputs[0]!.madeBy, started.dispute.txHash)
    if (verdict === 'not-canonical') await showCompetitor(chain, started, await rivalOf(started))
    await afterE(later)
    await refuses('VerdictUnexpected', () => decide(chain, later))
    assert.is((await decide(chain, started)).verdict, verdict)
    assert.is((await decide(chain, later)).verdict, verdict)
    if (verdict === 'not-canonical') {
      const other = await chain.pay(bob, place(made), [[dave, (ETHER * 4n) / 10n]])
      await refuses('VerdictUnexpected', () => startDispute(chain, other, [madeIn(chain, made)]))
    }
    await chain.client.revert({ id })
  }
})

test('the bond that an exit through a dispute asks for is that of any exit', async () => {
  const { chain } = world
  const started = await dispute()
  await refuses('BondTooSmall', () => startDisputedExit(chain, bob, started, 0, { bondWei: 1n }))
  const exit = await startDisputedExit(chain, bob, started, 0, { bondWei: await bond(chain) })
  assert.is(exit.bond, await bond(chain))
})

test.run()

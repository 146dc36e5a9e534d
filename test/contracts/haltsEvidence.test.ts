/** What a halt does to evidence against standard exits on the real contract (docs/halt.md; docs/spec.md 5.2, 8.4). */
import * as assert from 'uvu/assert'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { createOutput } from '../../protocol/transaction.ts'
import { createBait, drop, forgeryProof, haltAt, paidFor, release, settle, submitBad } from '../support/haltMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTo,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, ETH, eventOf } from '../support/rootChain.ts'
import { creditOf, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, dave } = actors
const { test, world, mep, balanceOf, ticketOf } = rootSuite('halts: evidence')

test('evidence from a block that stands removes the exit after a halt as before', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const theft = await startDepositExit(chain, alice, position)
  const heir = await startExit(chain, bob, [block, 0, 0])
  await challenge(chain, theft, [block, 0])
  const { lastMove } = await haltAt(chain, await submitBad(chain, bait))
  await refuses('EvidenceStands', () => drop(chain, theft, block))
  await passTo(chain, Math.max(heir.exitableAt, lastMove + mep()) + 1)
  const { events } = await process(chain, turnsOf([theft, heir], [block], [block]))
  assert.is(await stateOf(chain, theft), 'removed')
  assert.is(paidFor(events, heir), ETHER)
})

for (const when of ['before its turn', 'after its turn'] as const) {
  test(`evidence from a block that became void is dropped ${when}, and the exit goes on in its place`, async () => {
    const { chain } = world
    const bait = await createBait(chain)
    const position = await deposit(chain, alice)
    const anchor = Number(await chain.client.getBlockNumber())
    const exit = await startDepositExit(chain, alice, position)
    const behind = await startDepositExit(chain, dave, await deposit(chain, dave))
    const bad = await submitBad(chain, bait, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
    await challenge(chain, exit, [bad, 0])
    await refuses('EvidenceStands', () => drop(chain, exit, bad))
    const { lastMove } = await haltAt(chain, bad)
    if (when === 'before its turn') await drop(chain, exit, bad)
    await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) - 10)
    await nextAt(chain, Math.max(exit.exitableAt, lastMove + mep()) + 5)
    const { events } = await process(chain, turnsOf([exit, behind], [], [bad]))
    if (when === 'after its turn') {
      assert.equal(await ticketOf(exit), [0n, ETHER])
      await refuses('EvidenceNotFinal', () => release(chain, exit, bad))
      await refuses('NothingToDo', () => settle(chain, [exit]))
      await drop(chain, exit, bad)
      assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
    } else {
      assert.is(paidFor(events, exit), ETHER)
    }
    assert.is(paidFor(events, behind), ETHER)
    await refuses('EvidenceUnknown', () => drop(chain, exit, bad))
  })
}

test('a bond that a challenger earned by evidence out of a block that became void does not come back', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, position)
  const bad = await submitBad(chain, bait, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
  const shown = await challenge(chain, exit, [bad, 0])
  assert.ok(eventOf(shown.events, 'EvidenceShown').reward > 0n)
  const { lastMove } = await haltAt(chain, bad)
  await drop(chain, exit, bad)
  await passTo(chain, Math.max(exit.exitableAt, lastMove + mep()) + 1)
  const before = await balanceOf(alice)
  await process(chain, turnsOf([exit]))
  assert.is((await balanceOf(alice)) - before, ETHER, 'the amount, and nothing of the bond')
  assert.is(await creditOf(chain, ETH, alice.address), 0n)
})

test('a move gives the time for evidence again, also against an exit that is past its turn', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const theft = await startDepositExit(chain, alice, position)
  await passTo(chain, theft.exitableAt - 25)
  const bad = await submitBad(chain, bait)
  await refuses('EvidenceTooLate', () => challenge(chain, theft, [block, 0]))
  const { lastMove } = await haltAt(chain, bad, { at: theft.exitableAt })
  await passTo(chain, theft.exitableAt + 1)
  await process(chain, turnsOf([theft]))
  assert.is(await stateOf(chain, theft), 'ticket')
  const deadline = evidenceDeadline(theft.exitableAt, mep(), lastMove)
  assert.is(deadline, lastMove + mep() - mep() / 4)
  await passTo(chain, deadline - 10)
  await nextAt(chain, deadline + 1)
  await refuses('EvidenceTooLate', () => challenge(chain, theft, [block, 0]))
  await nextAt(chain, deadline)
  await challenge(chain, theft, [block, 0])
  await passTo(chain, lastMove + mep() + 1)
  await refuses('NothingToDo', () => settle(chain, [theft]))
  await release(chain, theft, block)
  assert.is(await stateOf(chain, theft), 'removed')
})

test('evidence from a block between the old and the new halt falls with the second move, and the exit waits from that', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const position = await deposit(chain, alice)
  const anchor = Number(await chain.client.getBlockNumber())
  const exit = await startDepositExit(chain, alice, position)
  const lower = await submitBad(chain, bait, [], anchor)
  const between = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])], anchor)
  const upper = await submitBad(chain, bait, [], anchor)
  await haltAt(chain, upper)
  await challenge(chain, exit, [between, 0])
  await refuses('EvidenceStands', () => drop(chain, exit, between))
  await passTo(chain, lower.header.timestamp + mep() - 10)
  const { lastMove } = await haltAt(chain, lower, { at: lower.header.timestamp + mep() })
  await drop(chain, exit, between)
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  await passTo(chain, lastMove + mep() + 1)
  assert.is(paidFor((await settle(chain, [exit])).events, exit), ETHER)
})

/** A half-signed swap in an old hidden block, an exit of the signer, and a move of the halt five seconds before that is due. */
async function lieStory() {
  const { chain } = world
  const bait = await createBait(chain)
  const a = await deposit(chain, alice)
  const b = await deposit(chain, bob)
  // Half-signed swap: Alice signed, Bob did not (Mallory's signature stands for his). Hidden by the operator: nobody could prove it in time.
  const lie = await chain.sign(
    { inputs: [a, b], outputs: [createOutput(mallory.address, ETH, 2n * ETHER)], memo: ZERO_HASH },
    [alice, mallory],
  )
  const hidden = await submit(chain, [lie])
  await passTo(chain, hidden.header.timestamp + mep() / 2)
  const exit = await startDepositExit(chain, alice, a)
  await passTo(chain, hidden.header.timestamp + mep() + 5)
  const bad = await submitBad(chain, bait)
  const { lastMove } = await haltAt(chain, bad, { at: exit.exitableAt - 5 })
  const disprove = () => chain.send(bob.account, encodeFraudProof(forgeryProof(chain, hidden, 0, [bob, ETHER, 1])))
  return { hidden, exit, lastMove, disprove }
}

test('evidence shown after a move removes no exit before its new end, so that a lie can still be disproved (K6)', async () => {
  const { chain } = world
  const { hidden, exit, lastMove, disprove } = await lieStory()
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'ticket')
  await challenge(chain, exit, [hidden, 0], { from: mallory })
  await refuses('EvidenceNotFinal', () => release(chain, exit, hidden))
  await disprove()
  await drop(chain, exit, hidden)
  await passTo(chain, lastMove + mep() + 1)
  await settle(chain, [exit])
  assert.is(await stateOf(chain, exit), 'settled')
})

test('evidence shown after a move removes no exit at its turn, if that comes before its new end', async () => {
  const { chain } = world
  const { hidden, exit, lastMove, disprove } = await lieStory()
  await challenge(chain, exit, [hidden, 0], { from: mallory })
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit], [], [hidden]))
  assert.is(await stateOf(chain, exit), 'ticket', 'at its turn')
  await disprove()
  await drop(chain, exit, hidden)
  await passTo(chain, lastMove + mep() + 1)
  await settle(chain, [exit])
  assert.is(await stateOf(chain, exit), 'settled')
})

test.run()

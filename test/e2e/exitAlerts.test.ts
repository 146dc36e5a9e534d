/** Exits of others, as people hear of them: from a watcher that cannot act, and from two that see the same exit with other eyes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile } from '../../drill/faults/operator.ts'
import { encodeStartDepositExit } from '../../l1/rootCalls.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { giveMandate, revokeMandates } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import { bondOf, exitOf, send, startPoorWatcher, untilAlert, untilVerified } from './acts.ts'
import { steal } from './theft.ts'
import { ETH, ETHER, inWorld } from './world.ts'

const test = suite('story: alerts about exits')

test(
  'a watcher that cannot act tells of a theft that nobody challenges and is paid, and of a forged block that nobody proves',
  inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
    const hostile = await createHostile(world)
    const exit = await steal(world)
    const watcher = await startPoorWatcher(world, {
      policy: { staggerSeconds: 0 },
      peers: [hostile.peer, world.peerOf(world.operator.url)],
    })
    await untilAlert(watcher, 'INVALID_EXIT')
    await untilAlert(watcher, 'BUDGET_EXHAUSTED')
    const { minExitPeriod, reaction, anchorAgeBlocks } = world.parameters
    const deadline = evidenceDeadline(exit.exitableAt, minExitPeriod)
    assert.not.ok(watcher.codes().includes('EXIT_UNCHALLENGED'), 'there is time yet')
    // Not past it: a jump ends with a burst of blocks.
    await world.passTo(deadline - reaction - anchorAgeBlocks)
    await untilAlert(watcher, 'EXIT_UNCHALLENGED')
    assert.not.ok(watcher.codes().includes('CHALLENGE_FAILED'), 'it could still be challenged')
    await world.passTo(deadline)
    await untilAlert(watcher, 'CHALLENGE_FAILED')
    await untilAlert(watcher, 'VAULT_SHORT')
    const before = await world.etherOf(world.accountOf('mallory'))
    await world.passTo(exit.exitableAt)
    await processDue(await world.wallet('carol'), 'theft')
    await untilAlert(watcher, 'INVALID_EXIT_PAID')
    const mallory = world.accountOf('mallory')
    assert.ok((await world.etherOf(mallory)) >= before + ETHER, 'the thief has it')

    await hostile.takeOver()
    const forged = await hostile.commit([hostile.sign([mallory], [exit.position], [[mallory, ETHER]])])
    hostile.serve(forged.number)
    await untilAlert(watcher, 'INVALID_BLOCK')
    assert.not.ok(watcher.codes().includes('FAULT_UNPROVEN'), 'there is time yet')
    await world.passTo(forged.timestamp + minExitPeriod - anchorAgeBlocks)
    await untilAlert(watcher, 'FAULT_UNPROVEN')
  }),
)

test(
  'an exit by another’s mandate is told by who protects the owner and by who does not; a mandate that is gone protects nothing',
  inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
    const hostile = await createHostile(world)
    const [alice, carol] = [world.accountOf('alice'), world.accountOf('carol')]
    await world.fund('alice', 2n * ETHER)
    const { position: paid } = await world.pay('alice', 'bob', ETHER)
    const position = await world.fund('alice', ETHER)
    const owner = await world.wallet('alice')
    const given = await giveMandate(owner, { delegate: world.accountOf('first').address })
    const peers = [hostile.peer, world.peerOf(world.operator.url)]
    const first = await world.startWatcher('first', { peers, protectedAccounts: [{ owner: alice.address, ...given }] })
    const second = await world.startWatcher('second', { peers })
    await Promise.all([first, second].map(untilVerified))

    const mandate = await giveMandate(owner, { delegate: carol.address })
    const call = encodeStartDepositExit({ position, token: ETH, amount: ETHER, bondWei: bondOf(500_000n), mandate })
    const exit = exitOf(await send(world, carol, call))
    assert.equal([exit.owner, exit.payer], [alice.address, carol.address])
    await untilAlert(first, 'PROTECTED_EXIT_BY_OTHER')
    await untilAlert(second, 'EXIT_AUTHORISED_BY_UNKNOWN')
    assert.not.ok(first.codes().includes('EXIT_AUTHORISED_BY_UNKNOWN'))
    assert.not.ok(first.codes().includes('MANDATE_EXPIRES'))

    // Alice takes the advice. What she has left is not taken out when the operator forges, and that is told.
    await revokeMandates(owner)
    await untilAlert(first, 'MANDATE_EXPIRES')
    await hostile.takeOver()
    const mallory = world.accountOf('mallory')
    const forged = await hostile.commit([hostile.sign([mallory], [paid], [[mallory, ETHER]])])
    hostile.garble(forged.number)
    await untilAlert(first, 'PEER_SERVED_GARBAGE')
    assert.not.ok(first.codes().includes('INVALID_BLOCK'), 'garbage says nothing about the block')
    hostile.serve(forged.number)
    await untilAlert(first, 'INVALID_BLOCK')
    await untilAlert(first, 'PROTECTED_EXIT_BLOCKED')
    const [blocked] = first.alertsOf('PROTECTED_EXIT_BLOCKED')
    assert.is(blocked?.['rule'], 'MANDATE-COVERS')
    const exits = first.watcher.core.facts.openExits()
    assert.equal(
      exits.map((one) => one.exit.position),
      [position],
    )
  }),
)

test.run()

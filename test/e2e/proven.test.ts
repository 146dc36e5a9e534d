/**
 * An invalid block is proven to L1, and the chain ends before it. Whatever was started out of the block, or shown from it, falls; every
 * honest owner is paid in full, who is offline by the mandate that they left behind.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Committed, createHostile, type Hostile } from '../../drill/faults/operator.ts'
import { encodeChallenge, encodeStartStandardExit } from '../../l1/rootCalls.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import { bondOf, exitOf, send, untilAlert } from './acts.ts'
import { settleOwners } from './owners.ts'
import { proveForged } from './rescue.ts'
import { ETHER, inWorld, until, type World } from './world.ts'

const test = suite('story: proven')

/** Both owners are offline, and the next block is Mallory's. */
async function beforeTheForgery(world: World) {
  const hostile = await createHostile(world)
  const owners = await settleOwners(world, hostile, {
    limits: { ...defaultLimits(world.parameters), graceSeconds: 3 },
  })
  await hostile.takeOver()
  const mallory = world.accountOf('mallory')
  return { hostile, mallory, ...owners, theft: hostile.sign([mallory], [owners.paid], [[mallory, ETHER]]) }
}

/** What Mallory starts to get what the block's first transaction pays her. */
function exitOutOf(hostile: Hostile, forged: Committed) {
  const position = hostile.positionOf(forged)
  return encodeStartStandardExit({ position, shown: hostile.shownOf(forged), bondWei: bondOf(500_000n) })
}

test(
  'a forged block is proven to L1, its outputs are worth nothing, and every honest owner is paid, offline ones too',
  inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
    const { hostile, watcher, theft, mallory, leave, assertPaid } = await beforeTheForgery(world)
    const forged = await hostile.commit([theft])
    const stolen = exitOf(await send(world, mallory, exitOutOf(hostile, forged)))
    hostile.serve(forged.number)
    await untilAlert(watcher, 'INVALID_BLOCK')
    await proveForged(world, world.accountOf('carol'), { hostile, forged, watcher })
    await untilAlert(watcher, 'FAULT_PROVEN')
    await untilAlert(watcher, 'CHAIN_HALTED')
    assert.is(watcher.watcher.core.facts.halt().voidFrom, forged.number)
    await assertPaid(await leave(), stolen)
  }),
)

test(
  'a block is withheld until all flee, shown piece by piece against them, and then seen to be forged: it is proven all the same',
  inWorld({ l1BlockSeconds: 0.25 }, async (world) => {
    const { hostile, watcher, theft, paid, mallory, exitOfAlice, leave, assertPaid } = await beforeTheForgery(world)
    const { facts } = watcher.watcher.core
    const [alice, bob] = [world.accountOf('alice'), world.accountOf('bob')]
    const honest = hostile.sign([alice], [paid + 1], [[bob, 2n * ETHER]])
    const forged = await hostile.commit([theft, honest])
    const stolen = exitOf(await send(world, mallory, exitOutOf(hostile, forged)))
    await untilAlert(watcher, 'EXIT_UNVERIFIABLE')
    await untilAlert(watcher, 'BLOCK_WITHHELD')
    const own = await exitOfAlice()
    // A payment that Alice did sign, out of a block in which nothing ever happened.
    const spend = hostile.positionOf(forged, 1)
    const { header, proof } = hostile.shownOf(forged, 1)
    await send(world, mallory, encodeChallenge({ exit: own, spend, signed: honest, header, proof, input: 0 }))
    await until('the evidence', () => facts.exitFacts(own.outputId)?.evidence.length === 1)

    hostile.serve(forged.number)
    await untilAlert(watcher, 'INVALID_BLOCK')
    await proveForged(world, world.accountOf('carol'), { hostile, forged, watcher })
    await untilAlert(watcher, 'CHAIN_HALTED')
    await untilAlert(watcher, 'EVIDENCE_DROPPED')
    await assertPaid(await leave(), stolen)
  }),
)

test.run()

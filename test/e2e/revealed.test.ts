/**
 * An honest operator whom nobody can reach over HTTP, or whom somebody plagues with demands (docs/spec.md 8.6): it answers on L1 by itself.
 * Who lacks the block puts it together from the answers; nothing halts, nobody leaves in haste, and who wants to leave has all of it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createClient } from '../../api/client.ts'
import { createHostile } from '../../drill/faults/operator.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { decodePosition } from '../../protocol/position.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import { untilAlert } from './acts.ts'
import { takeOut } from './rescue.ts'
import { acknowledge, bondLeft, createShutter, demand, FAST, handIn, ROOMY, untilDemanded } from './surety.ts'
import { ETHER, inWorld, until } from './world.ts'

const test = suite('story: revealed')

test(
  'a block that its operator can only show on L1 is put together from the answers, and demands without need halt nothing',
  inWorld(FAST, async (world) => {
    const { dataChallengePeriod, dataResponsePeriod } = ROOMY
    const [alice, bob, carol, mallory] = (['alice', 'bob', 'carol', 'mallory'] as const).map(world.accountOf)
    const signer = await createHostile(world)
    const line = createShutter(world.peerOf(world.operator.url))
    const deposited = await world.fund('alice', 3n * ETHER)
    const ofAlice = await giveMandate(await world.wallet('alice'), { delegate: ZERO_ADDRESS })
    const ofBob = await giveMandate(await world.wallet('bob'), { delegate: ZERO_ADDRESS })
    const watcher = await world.startWatcher('first', {
      peers: [line],
      protectedAccounts: [{ owner: alice!.address, ...ofAlice }],
      policy: { staggerSeconds: 0 },
    })
    const { facts, data } = watcher.watcher.core
    const bond = await bondLeft(world)

    // The line is cut, and the operator never learns it.
    line.shut()
    const half = [alice!, ETHER / 2n] as const
    const payment = signer.sign([alice!], [deposited], [[bob!, ETHER], half, half, half, half])
    const [inTheDark] = await acknowledge(world, [payment])
    const dark = decodePosition(inTheDark!.position).block
    await untilAlert(watcher, 'BLOCK_SUSPECT')
    const { timestamp } = await until('the commitment is seen', () => watcher.watcher.core.blocks.find(dark)?.header)
    await world.passTo(timestamp + dataChallengePeriod / 4)
    await until('the block is put together', () => facts.verifiedBlock() >= dark)
    const [answered] = await untilDemanded(watcher, dark, 1)
    assert.is(answered?.challenge.challenger, watcher.account.address)
    assert.is(answered?.answer?.answerer, world.operatorAccount.address)
    await untilAlert(watcher, 'BLOCK_SERVED_LATE')

    // The line is back; now a griefer demands what everybody has.
    line.open()
    const payments = [1, 2, 3, 4].map((output) =>
      signer.sign([alice!], [inTheDark!.position + output], [[bob!, ETHER / 2n]]),
    )
    const paid = await acknowledge(world, payments)
    const { block } = decodePosition(paid[0]!.position)
    assert.is(decodePosition(paid[3]!.position).block, block)
    await until('its block is verified', () => facts.verifiedBlock() >= block)
    const { header } = watcher.watcher.core.blocks.find(block)!
    for (const [first, levels] of [
      [0, 0],
      [0, 2],
      [2, 1],
      [3, 0],
    ] as const)
      await demand(world, mallory!, { blockNumber: block, first, levels }, header)
    await until('the operator has answered', async () => {
      const records = await untilDemanded(watcher, block, 4)
      return records.every(({ answer }) => answer?.answerer === world.operatorAccount.address)
    })
    await world.passTo((await world.l1Now()).timestamp + dataResponsePeriod)
    // What it takes before it has looked there, it promises on an anchor that became too old in the jump.
    const { number } = await world.l1Now()
    await until('the operator has seen the jump', () => world.operator.status().l1Block >= number)
    const onward = await world.pay('bob', 'alice', ETHER / 4n)
    await until('the chain goes on', () => facts.verifiedBlock() >= decodePosition(onward.position).block)
    const receipts = [inTheDark!, ...paid].map(({ receipt }) => receipt)
    assert.equal(
      await handIn(watcher, receipts),
      receipts.map(() => 'kept'),
      'every promise was kept',
    )
    assert.equal(data.open(), [])
    assert.is(facts.halt().voidFrom, 0)
    assert.is(facts.safety().status, 'safe')
    assert.is(await bondLeft(world), bond, 'nothing was slashed')
    for (const code of ['BLOCK_WITHHELD', 'DATA_UNANSWERED', 'PROTECTED_EXIT_STARTED'] as const)
      assert.not(watcher.codes().includes(code), code)

    // Owners who are offline leave in full, of the block that was dark and of the one that was plagued.
    const operator = createClient({ url: world.operator.url })
    const exits = []
    for (const [owner, mandate] of [
      [alice!, ofAlice],
      [bob!, ofBob],
    ] as const)
      for (const { position } of (await operator.outputs(owner.address)).outputs)
        exits.push(await takeOut(world, carol!, { position, mandate, watcher }))
    const before = await Promise.all([alice!, bob!].map(world.etherOf))
    await world.passTo(Math.max(...exits.map(({ exitableAt }) => exitableAt)))
    await processDue(await world.wallet('carol'), 'all leave')
    const after = await Promise.all([alice!, bob!].map(world.etherOf))
    assert.equal(
      after.map((wei, i) => wei - before[i]!),
      [ETHER / 4n, 3n * ETHER - ETHER / 4n],
    )
  }),
)

test.run()

/**
 * An operator that acknowledges payments with its signature and does otherwise (docs/spec.md 8.8): the watcher to which its users gave the
 * receipts breaks them on L1, the operator pays with its bond, and the users come to their money by exit.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile } from '../../drill/faults/operator.ts'
import { encodeStartDispute, type InputShown } from '../../l1/disputeCalls.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { Receipt } from '../../protocol/receipt.ts'
import { startExit } from '../../wallet/exit.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import type { ReceiptState } from '../../watcher/receipts.ts'
import { bondOf, send, untilAlert } from './acts.ts'
import { acknowledge, bondLeft, FAST, handIn } from './surety.ts'
import { ETH, ETHER, inWorld, type RunningWatcher, until, type World } from './world.ts'

const test = suite('story: receipts')

async function untilState({ watcher }: RunningWatcher, txHash: Hash, want: ReceiptState): Promise<void> {
  const states = () => watcher.core.receipts.ofTransaction(txHash).map(({ state }) => state)
  await until(
    () => `a receipt that is ${want}, got ${states()}`,
    () => states().includes(want),
  )
}

/** A receipt whose anchor the watcher has not read yet is neither open nor broken for it. */
async function untilRead({ watcher }: RunningWatcher, anchor: number): Promise<void> {
  const read = () => watcher.core.facts.l1Now().block
  await until(
    () => `that the watcher has read the anchor ${anchor}, it is at ${read()}`,
    () => read() >= anchor,
  )
}

/** As an anchor of a receipt. */
async function newestL1Block({ request }: World): Promise<Pick<Receipt, 'anchor' | 'anchorHash'>> {
  const block = (await request('eth_getBlockByNumber', ['latest', false])) as { number: string; hash: Hash }
  return { anchor: Number(block.number), anchorHash: block.hash }
}

test(
  'payments that were acknowledged and then displaced or never committed cost the operator its bond, and their owners are paid',
  // No block is cut before the story takes over.
  inWorld({ ...FAST, operator: { blockIntervalSeconds: 30 } }, async (world) => {
    const hostile = await createHostile(world)
    const [alice, bob, carol, mallory] = (['alice', 'bob', 'carol', 'mallory'] as const).map(world.accountOf)
    const first = await world.fund('alice', ETHER)
    const second = await world.fund('alice', ETHER)
    const own = await world.fund('mallory', ETHER)
    const mandate = await giveMandate(await world.wallet('bob'), { delegate: world.accountOf('first').address })
    const watcher = await world.startWatcher('first', {
      peers: [hostile.peer],
      protectedAccounts: [{ owner: bob!.address, ...mandate }],
      policy: { staggerSeconds: 0 },
    })
    const { facts } = watcher.watcher.core

    const payment = hostile.sign([alice!], [first], [[bob!, ETHER]])
    const [given] = await acknowledge(world, [payment])
    const { receipt } = given!
    const { txHash, anchor, anchorHash, blockNumber, index } = receipt.receipt
    assert.equal([txHash, blockNumber, index], [hostile.hashOf(payment), 1, 0])
    await hostile.takeOver()
    // For a block that never comes, and under an L1 block that never was.
    const toHerself = hostile.sign([alice!], [second], [[alice!, ETHER]])
    const change = hostile.hashOf(toHerself)
    const never = hostile.promise({ txHash: change, blockNumber: 2, index: 0, anchor, anchorHash })
    const nothing: Hash = `0x${'66'.repeat(32)}`
    const worthless = hostile.promise({ txHash: change, blockNumber: 3, index: 0, anchor, anchorHash: nothing })
    await untilRead(watcher, anchor)
    assert.equal(await handIn(watcher, [receipt, never, worthless]), ['open', 'open', 'void-anchor'])

    const [bond, reporter] = [await bondLeft(world), watcher.account]
    const theft = hostile.sign([mallory!], [own], [[mallory!, ETHER]])
    const displacing = await hostile.commit([theft], { anchored: { number: anchor, hash: anchorHash } })
    assert.is(displacing.number, blockNumber)
    await untilAlert(watcher, 'RECEIPT_WORTHLESS')
    await until('the block is suspected', () => watcher.codes().includes('BLOCK_SUSPECT'))
    hostile.serve(displacing.number)
    await untilAlert(watcher, 'RECEIPT_BROKEN')
    const richer = await world.etherOf(reporter)
    await untilState(watcher, txHash, 'slashed')
    assert.is(await bondLeft(world), bond - bond / 2n)
    assert.ok((await world.etherOf(reporter)) > richer, 'the reporter has its share')

    await world.passTime(1)
    await untilState(watcher, change, 'slashed')
    assert.is(await bondLeft(world), bond / 4n, 'halved again')
    assert.is(watcher.alertsOf('RECEIPT_BROKEN').length, 2)

    // One place for two: no block has to show which one was the lie.
    const newest = await newestL1Block(world)
    await untilRead(watcher, newest.anchor)
    const [one, other] = [payment, toHerself].map((signed) =>
      hostile.promise({ txHash: hostile.hashOf(signed), blockNumber: 4, index: 0, ...newest }),
    )
    assert.equal(await handIn(watcher, [one!]), ['open'])
    assert.equal(await handIn(watcher, [other!]), ['contradicted'])
    await until('the third slash', async () => (await bondLeft(world)) === bond / 8n)

    // Bob takes what the operator owed him through the dispute, Alice what she had.
    const inputs: readonly InputShown[] = [{ deposit: { owner: alice!.address, token: ETH, amount: ETHER } }]
    const call = encodeStartDispute({ signed: payment, inputs, exits: [], bondWei: bondOf(400_000n) })
    await send(world, carol!, call)
    const { exit } = await until('the exit through the dispute', () => facts.disputeFacts(txHash)?.outputs[0]?.exit)
    assert.is(exit.owner, bob!.address)
    const { exit: ofAlice, outlook } = await startExit(await world.wallet('alice'), { position: second })
    const before = await Promise.all([alice!, bob!].map(world.etherOf))
    await world.passTo(Math.max(exit.exitableAt, outlook.payableAfter))
    await processDue(await world.wallet('carol'), 'all leave')
    await until('both are paid', () =>
      [exit, ofAlice].every(({ outputId }) => facts.exitFacts(outputId)?.state === 'settled'),
    )
    const after = await Promise.all([alice!, bob!].map(world.etherOf))
    assert.is(after[1]! - before[1]!, ETHER)
    assert.ok(after[0]! - before[0]! >= ETHER, 'and most of her own bond')
  }),
)

test.run()

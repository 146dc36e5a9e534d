/** Strikes (docs/spec.md 6.4.8): a spent output is paid by no door, an unspent one is held up by nothing that does not stand. */
import * as assert from 'uvu/assert'
import { encodeDropStrike } from '../../l1/massExitContract.ts'
import { encodeFraudProof, encodeSettle } from '../../l1/rootCalls.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  placeEntry,
  spendAt,
  startBatch,
  strike,
  type TestBatch,
  turnBatch,
} from '../support/batchMoves.ts'
import { createBait, drop, haltAt, memoOf, release, submitBad } from '../support/haltMoves.ts'
import {
  balance,
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTime,
  passTo,
  place,
  stateOf,
  submit,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, proveInBlock, Reverted, type RootChain } from '../support/rootChain.ts'
import { isPaid, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: strikes')

/** A deposit of Mallory's, spent in a block, and all the same in a batch that is locked. */
async function spentInBatch(chain: RootChain, { bad = false } = {}) {
  const bait = await createBait(chain)
  const position = await deposit(chain, mallory)
  await deposit(chain, alice)
  const spend = await chain.pay(mallory, position, [[bob, ETHER]])
  const block = bad ? await submitBad(chain, bait, [spend]) : await submit(chain, [spend])
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  await lockBatch(chain, batch)
  return { batch, block, position, shown: depositAt(mallory, ETHER) }
}

function ifRefused(error: unknown): void {
  if (!(error instanceof Reverted)) throw error
}

/** Every door once, by anyone: none may pay the entry. */
async function tryAllDoors(chain: RootChain, batch: TestBatch, exit?: Awaited<ReturnType<typeof openEntry>>) {
  const before = await balance(chain, mallory)
  await claim(chain, batch, [[0, depositAt(mallory, ETHER)]]).catch(ifRefused)
  let own = exit
  if (!own) own = await openEntry(chain, batch, 0, depositAt(mallory, ETHER), carol)
  await adoptExit(chain, batch, [0, depositAt(mallory, ETHER), own]).catch(ifRefused)
  await placeEntry(chain, batch, 0, own).catch(ifRefused)
  await chain.send(carol.account, encodeSettle([own])).catch(ifRefused)
  assert.is(await balance(chain, mallory), before)
  assert.is(await stateOf(chain, own), 'ticket')
  return own
}

test('a spent output that was opened before anyone struck it is paid by no door', async () => {
  const { chain } = world
  const { batch, block, position, shown } = await spentInBatch(chain)
  const exit = await openEntry(chain, batch, 0, shown)
  await strike(chain, batch, [spendAt(chain, block, 0, position)])
  await turnBatch(chain, batch)
  await tryAllDoors(chain, batch, exit)
  await passTime(chain, chain.parameters.minExitPeriod)
  await release(chain, exit, block)
})

test('a struck entry that nobody opened is paid by no door', async () => {
  const { chain } = world
  const { batch, block, position } = await spentInBatch(chain)
  await strike(chain, batch, [spendAt(chain, block, 0, position)])
  await turnBatch(chain, batch)
  await tryAllDoors(chain, batch)
})

test('a strike comes in the last second, and in the block of the opening, in either order', async () => {
  const { chain } = world
  const { batch, block, position, shown } = await spentInBatch(chain)
  const last = batch.item!.exitableAt - chain.parameters.minExitPeriod / 4
  const id = await chain.client.snapshot()
  await nextAt(chain, last + 1)
  await refuses('EvidenceTooLate', () => strike(chain, batch, [spendAt(chain, block, 0, position)]))
  await chain.client.revert({ id })
  for (const isFirst of [true, false]) {
    const order = await chain.client.snapshot()
    await nextAt(chain, last - 1)
    let exit = isFirst ? undefined : await openEntry(chain, batch, 0, shown)
    await nextAt(chain, last)
    await strike(chain, batch, [spendAt(chain, block, 0, position)])
    exit ??= await openEntry(chain, batch, 0, shown)
    await turnBatch(chain, batch)
    await tryAllDoors(chain, batch, exit)
    await chain.client.revert({ id: order })
  }
})

test("a spend with another's signature holds nothing up", async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(mallory, position, [[mallory, ETHER]])])
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, block, 0, position)])
  await turnBatch(chain, batch)
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
})

test('a piece that Mallory can disprove does not shield her entry from the true spend', async () => {
  const { chain } = world
  const { batch, block, position, shown } = await spentInBatch(chain)
  const forged = await chain.pay(mallory, position, [[mallory, 2n * ETHER]], memoOf('more than there was'))
  const shield = await submit(chain, [forged], block.header.anchor)
  await strike(chain, batch, [spendAt(chain, shield, 0, position)], mallory)
  await refuses('NothingToDo', () => strike(chain, batch, [spendAt(chain, block, 0, position)]))
  const exit = await openEntry(chain, batch, 0, shown)
  await challenge(chain, exit, [block, 0])
  await turnBatch(chain, batch)
  await convict(chain, shield)
  await drop(chain, exit, shield)
  await chain.send(mallory.account, encodeDropStrike(batch.batch, position, mallory.address)).catch(ifRefused)
  await tryAllDoors(chain, batch, exit)
})

/** V5: the transaction makes more than Mallory's ether. */
async function convict(chain: RootChain, block: ChildBlock) {
  const signed = block.transactions[0]!
  const offence = { position: place(block), signed, header: block.header, proof: proveInBlock(chain, block, 0) }
  const shown = [{ kind: 'deposit', deposit: { owner: mallory.address, token: ETH, amount: ETHER } }] as const
  await chain.send(watcher.account, encodeFraudProof({ rule: 'V5', offence, shown }))
}

test('a strike falls with its block, before and after the entry was opened, and does not come back', async () => {
  const { chain } = world
  for (const isOpened of [true, false]) {
    const id = await chain.client.snapshot()
    const { batch, block, position, shown } = await spentInBatch(chain, { bad: true })
    await strike(chain, batch, [spendAt(chain, block, 0, position)])
    const exit = isOpened ? await openEntry(chain, batch, 0, shown) : undefined
    await refuses('EvidenceStands', () =>
      chain.send(mallory.account, encodeDropStrike(batch.batch, position, mallory.address)),
    )
    const { lastMove } = await haltAt(chain, block)
    const dropsStrike = () => chain.send(mallory.account, encodeDropStrike(batch.batch, position, mallory.address))
    // Once carried it is the exit's evidence, and falls as such.
    if (isOpened) await refuses('EvidenceStands', dropsStrike)
    else await dropsStrike()
    await refuses('BlockVoid', () => strike(chain, batch, [spendAt(chain, block, 0, position)]))
    await turnBatch(chain, batch)
    await passTo(chain, lastMove + chain.parameters.minExitPeriod + 1)
    const before = await balance(chain, mallory)
    if (exit) {
      await drop(chain, exit, block)
      await placeEntry(chain, batch, 0, exit)
      await chain.send(carol.account, encodeSettle([exit]))
    } else await claim(chain, batch, [[0, shown]])
    assert.is(await balance(chain, mallory), before + ETHER)
    await chain.client.revert({ id })
  }
})

test('after a halt restarted the period an entry that has its place already is still struck', async () => {
  const { chain } = world
  const { batch, block, position, shown } = await spentInBatch(chain)
  const bait = await createBait(chain)
  await passTo(chain, batch.item!.exitableAt - 20)
  const bad = await submitBad(chain, bait)
  await turnBatch(chain, batch)
  const exit = await openEntry(chain, batch, 0, shown)
  const { lastMove } = await haltAt(chain, bad)
  await strike(chain, batch, [spendAt(chain, block, 0, position)])
  await placeEntry(chain, batch, 0, exit)
  await passTo(chain, lastMove + chain.parameters.minExitPeriod + 1)
  await tryAllDoors(chain, batch, exit)
})

test('a strike earns its striker less than striking and opening cost, once, and nothing for a stranger to the output', async () => {
  const { chain } = world
  const { batch, block, position } = await spentInBatch(chain)
  const before = await balance(chain, bob)
  const { receipt } = await strike(chain, batch, [spendAt(chain, block, 0, position)], bob)
  const opened = await chain.client.snapshot()
  const exit = await openEntry(chain, batch, 0, depositAt(mallory, ETHER))
  const open = await chain.client.getBlock()
  const gas = receipt.gasUsed + open.gasUsed
  const reward = (await balance(chain, bob)) - before + receipt.gasUsed * receipt.effectiveGasPrice
  assert.ok(reward > 0n)
  const fee = open.baseFeePerGas! > 10n ** 9n ? open.baseFeePerGas! : 10n ** 9n
  assert.ok(reward <= 95_000n * fee && reward / fee < gas, `got ${reward / fee} gas for ${gas}`)
  await refuses('AlreadyExiting', () => openEntry(chain, batch, 0, depositAt(mallory, ETHER)))
  assert.is(exit.bond, 0n)
  await chain.client.revert({ id: opened })
})

test.run()

/** The stories of attacks on mass exits (docs/threat-model.md C1, C2, C4, C5, H1, H3, H-B; docs/spec.md 6.4), told to the contracts. */
import * as assert from 'uvu/assert'
import { encodeClaimForFee } from '../../l1/massExitContract.ts'
import { encodeRevokeMandates, encodeSettle } from '../../l1/rootCalls.ts'
import {
  answer,
  at,
  claim,
  closeBatch,
  demand,
  depositAt,
  dissolve,
  lockBatch,
  openEntry,
  outputAt,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import { createBait, release, submitBad } from '../support/haltMoves.ts'
import {
  balance,
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  signMandate,
  startDepositExit,
  startExit,
  submit,
} from '../support/moves.ts'
import { actors, ETH, eventOf } from '../support/rootChain.ts'
import { isPaid, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, mallory, watcher } = actors
const { test, world } = rootSuite('mass exits: stories')

test('who poisons a batch with entries of her own takes at most its bond, and every honest entry is paid (C1)', async () => {
  const { chain } = world
  const honest = [await deposit(chain, alice), await deposit(chain, bob)]
  const dust: number[] = []
  for (let i = 0; i < 5; i++) dust.push(await deposit(chain, mallory, 1_000n))
  const entries = [
    ...honest.map((position) => ({ position, amount: ETHER })),
    ...dust.map((position) => ({ position, amount: 1_000n })),
  ]
  const batch = await startBatch(chain, entries)
  const spends = []
  for (const position of dust.slice(0, 2)) spends.push(await chain.pay(mallory, position, [[mallory, 1_000n]]))
  const block = await submit(chain, spends)
  // One leaves by herself, one mandate is revoked after the start: no fault of anybody's.
  await chain.send(mallory.account, encodeRevokeMandates(0))
  const own = await startDepositExit(chain, mallory, dust[2]!, 1_000n)
  await lockBatch(chain, batch)
  await strike(
    chain,
    batch,
    spends.map((_, i) => spendAt(chain, block, i, dust[i]!)),
    mallory,
  )
  for (const index of [2, 3]) await openEntry(chain, batch, index, depositAt(mallory, 1_000n))
  await turnBatch(chain, batch, { exits: [own] })
  await isPaid(chain, bob, () =>
    claim(chain, batch, [
      [0, depositAt(alice, ETHER)],
      [1, depositAt(bob, ETHER)],
    ]),
  )
  await passTime(chain, 2 * chain.parameters.minExitPeriod)
  const { events } = await closeBatch(chain, batch)
  const lost = batch.batch.bond - eventOf(events, 'BatchClosed').returned
  const bounty = (batch.item!.bond * 60_000n) / 400_000n
  const strikes = 2n * 95_000n * 10n ** 10n
  assert.ok(lost <= bounty + strikes && lost <= batch.batch.bond, `got ${lost}`)
})

test('a copied batch that lands first takes nothing from the original, abandoned or locked (C2)', async () => {
  const { chain } = world
  for (const isLocked of [false, true]) {
    const id = await chain.client.snapshot()
    const entries = [
      { position: await deposit(chain, alice), amount: ETHER },
      { position: await deposit(chain, bob), amount: ETHER },
    ]
    const copy = await startBatch(chain, entries, { from: mallory })
    const original = await startBatch(chain, entries)
    assert.is.not(copy.id, original.id)
    if (isLocked) await lockBatch(chain, copy)
    await lockBatch(chain, original)
    if (!isLocked) {
      await passTo(chain, copy.batch.startedAt + chain.parameters.minExitPeriod / 2 + 1)
      await dissolve(chain, copy, null)
    }
    await turnBatch(chain, original, isLocked ? { exits: [copy.item!] } : {})
    // Behind the copy's reservation the original waits for it to be freed; whoever cannot wait claims out of the copy.
    if (isLocked) {
      await refuses('NotCovered', () => claim(chain, original, [[0, depositAt(alice, ETHER)]]))
      await isPaid(chain, alice, () => claim(chain, copy, [[0, depositAt(alice, ETHER)]]))
      await releaseEntry(chain, original, 0, depositAt(alice, ETHER))
      await isPaid(chain, bob, () => claim(chain, copy, [[1, depositAt(bob, ETHER)]]))
      await releaseEntry(chain, original, 1, depositAt(bob, ETHER))
    } else {
      await isPaid(chain, alice, () => claim(chain, original, [[0, depositAt(alice, ETHER)]]))
      await isPaid(chain, bob, () => claim(chain, original, [[1, depositAt(bob, ETHER)]]))
    }
    const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
    assert.is(funded, line)
    await chain.client.revert({ id })
  }
})

test('a half-signed swap strikes nothing: every witness that counts stands in a block (C4)', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const swap = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [await chain.pay(bob, await deposit(chain, bob), [[bob, ETHER]])])
  const batch = await startBatch(chain, [{ position, amount: ETHER }])
  await lockBatch(chain, batch)
  const shown = { ...spendAt(chain, block, 0, position), signed: swap, input: 0 }
  await refuses('NotIncluded', () => strike(chain, batch, [shown]))
  await turnBatch(chain, batch)
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
})

test('strangers who gave no mandate are not evicted: the first who asks ends the batch at a profit (C5)', async () => {
  const { chain } = world
  const entries = []
  for (const owner of [alice, bob, dave]) entries.push({ position: await deposit(chain, owner), amount: ETHER })
  const batch = await startBatch(chain, entries, { from: mallory })
  const before = await balance(chain, carol)
  await demand(chain, batch, 1, carol)
  const mine = await signMandate(chain, mallory, { delegate: mallory.address })
  await refuses('NotOwner', () => answer(chain, batch, [1, depositAt(bob, ETHER), mine], mallory))
  const other = await signMandate(chain, bob, { delegate: watcher.address })
  await refuses('MandateRefused', () => answer(chain, batch, [1, depositAt(bob, ETHER), other], mallory))
  const forged = { ...other, mandate: { ...other.mandate, delegate: mallory.address } }
  await refuses('WitnessForged', () => answer(chain, batch, [1, depositAt(bob, ETHER), forged], mallory))
  await passTo(chain, batch.batch.startedAt + chain.parameters.minExitPeriod / 4 + 1)
  await refuses('DemandsOpen', () => lockBatch(chain, batch))
  await dissolve(chain, batch, 1, dave)
  assert.ok((await balance(chain, carol)) > before)
  await refuses('BatchUnexpected', () => openEntry(chain, batch, 1, depositAt(bob, ETHER)))
})

test('a mandate revoked long before the start is none, one revoked as the batch was on its way still is', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const grace = chain.parameters.minExitPeriod / 8
  const mandate = await signMandate(chain, alice, {})
  const { timestamp } = await chain.send(alice.account, encodeRevokeMandates(0))
  for (const [late, isValid] of [
    [0, true],
    [1, false],
  ] as const) {
    await chain.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp + grace + late) })
    const batch = await startBatch(chain, [{ position, amount: ETHER }])
    assert.is(batch.batch.startedAt, timestamp + grace + late)
    await demand(chain, batch, 0)
    const shows = () => answer(chain, batch, [0, depositAt(alice, ETHER), mandate])
    if (isValid) await shows()
    else await refuses('MandateRefused', shows)
  }
})

test('an amount off by one wei, up or down, takes nothing from the owner: she leaves by herself or another batch (H1)', async () => {
  const { chain } = world
  for (const off of [1n, -1n]) {
    const position = await deposit(chain, alice)
    await deposit(chain, bob)
    const wrong = await startBatch(chain, [{ position, amount: ETHER + off }])
    await lockBatch(chain, wrong)
    await refuses('EntryEmpty', () => openEntry(chain, wrong, 0, depositAt(alice, ETHER)))
    const right = await startBatch(chain, [{ position, amount: ETHER }])
    await lockBatch(chain, right)
    await turnBatch(chain, right, { exits: [wrong.item!] })
    await refuses('EntryEmpty', () => claim(chain, wrong, [[0, depositAt(alice, ETHER)]]))
    await refuses('DepositUnknown', () => claim(chain, wrong, [[0, depositAt(alice, ETHER + off)]]))
    await releaseEntry(chain, wrong, 0, depositAt(alice, ETHER))
    await isPaid(chain, alice, () => claim(chain, right, [[0, depositAt(alice, ETHER)]]))
  }
})

test('a batch that the vault is one wei short of keeps its whole place: the forged exit behind it gets nothing (H3)', async () => {
  const { chain } = world
  const bait = await createBait(chain)
  const positions = [await deposit(chain, alice), await deposit(chain, bob)]
  const junk = await startBatch(chain, [{ position: 16, amount: ETHER + 1n }], { from: mallory })
  const batch = await startBatch(
    chain,
    positions.map((position) => ({ position, amount: ETHER })),
  )
  await lockBatch(chain, junk)
  await lockBatch(chain, batch)
  const block = await submitBad(chain, bait)
  const forged = await startExit(chain, mallory, [block, 0, 0])
  await passTo(chain, forged.exitableAt + 1)
  await turnBatch(chain, batch, { exits: [junk.item!, forged], blocks: [block] })
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await refuses('NotCovered', () => claim(chain, batch, [[1, depositAt(bob, ETHER)]]))
  await refuses('NothingToDo', () => chain.send(mallory.account, encodeSettle([forged])))
  await releaseEntry(chain, junk, 0, { kind: 'nothing' })
  await isPaid(chain, bob, () => claim(chain, batch, [[1, depositAt(bob, ETHER)]]))
})

test('an entry waits for its owner for years: what was spent and nobody challenged then takes none of it (H-B)', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const spent = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  const batch = await startBatch(
    chain,
    [
      { position, amount: ETHER },
      { position: place(block), amount: ETHER },
    ].sort((a, b) => a.position - b.position),
    { lastBlock: block },
  )
  await lockBatch(chain, batch)
  await turnBatch(chain, batch, { blocks: [block] })
  await passTime(chain, 5 * 365 * 86_400)
  const theft = await startDepositExit(chain, mallory, spent)
  await passTo(chain, theft.exitableAt)
  await turnBatch(chain, { ...batch, item: theft }, {})
  await refuses('NothingToDo', () => chain.send(mallory.account, encodeSettle([theft])))
  for (const { index, position: where } of batch.placed) {
    const isAlice = where === position
    const shown = isAlice ? depositAt(alice, ETHER) : outputAt(chain, block)
    await isPaid(chain, isAlice ? alice : bob, () => claim(chain, batch, [[index, shown]]))
  }
})

test('a claim with a fee takes no more than the mandate allows, for the coordinator that it names, once', async () => {
  const { chain } = world
  const batch = await startBatch(chain, [{ position: await deposit(chain, alice), amount: ETHER }])
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  const shown = depositAt(alice, ETHER)
  const mandate = await signMandate(chain, alice, { maxFee: 1_000n })
  const take = (fee: bigint, permission = mandate) =>
    chain.send(mallory.account, encodeClaimForFee(batch.batch, at(batch, 0), shown, permission, fee))
  await refuses('MandateRefused', () => take(1_001n))
  const free = await signMandate(chain, alice, {})
  await refuses('MandateRefused', () => take(1n, free))
  const greedy = await signMandate(chain, alice, { maxFee: 2n * ETHER })
  await refuses('MandateRefused', () => take(ETHER + 1n, greedy))
  await isPaid(chain, alice, () => take(1_000n), ETHER - 1_000n)
  assert.is(await chain.read('credit', [ETH, watcher.address]), 1_000n)
  await refuses('NothingToDo', () => take(0n))
})

test('an exit that evidence removed years ago frees its share, whatever is claimed after', async () => {
  const { chain } = world
  const spent = await deposit(chain, mallory)
  const block = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  const batch = await startBatch(chain, [{ position: spent, amount: ETHER }])
  await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, block, 0, spent)])
  await turnBatch(chain, batch)
  const exit = await openEntry(chain, batch, 0, depositAt(mallory, ETHER))
  await passTime(chain, chain.parameters.minExitPeriod)
  await release(chain, exit, block)
  await refuses('EntryUsed', () => releaseEntry(chain, batch, 0, depositAt(mallory, ETHER)))
  const own = await startExit(chain, bob, [block, 0, 0])
  await passTo(chain, own.exitableAt)
  await isPaid(
    chain,
    bob,
    () => turnBatch(chain, { ...batch, item: own }, {}),
    ETHER + (own.bond * 340_000n) / 400_000n,
  )
})

test.run()

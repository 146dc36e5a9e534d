/**
 * In a vault that does not hold everything a part is paid out of a ticket only. Whoever gives an owner's exit the younger of two shares takes
 * nothing from her: it moves to the older one (docs/spec.md 6.4.10, ADR 0023).
 */
import * as assert from 'uvu/assert'
import type { EntryOutput } from '../../l1/massExitContract.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  startBatch,
} from '../support/batchMoves.ts'
import { decide, deposited, inherit, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { memoOf, settle } from '../support/haltMoves.ts'
import {
  deposit,
  ETHER,
  passTime,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  startExit,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt, ETH } from '../support/rootChain.ts'
import { rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('mass exits: the younger of two shares')

/** A forged exit, left alone, takes a part of what Alice is owed. Two mass exits name her output, the older of them an honest one. */
async function createShort(stolen = ETHER / 10n) {
  const { chain } = world
  const hers = await deposit(chain, alice)
  const his = await deposit(chain, bob)
  const other = await deposit(chain, mallory, 7n)
  const m = await submit(chain, [await chain.pay(mallory, 0, [[mallory, stolen]])])
  await passTo(chain, m.header.timestamp + mep() + 1)
  const forged = await startExit(chain, mallory, [m, 0, 0])
  const ofBob = await startDepositExit(chain, bob, his)
  const entries = [{ position: hers, amount: ETHER }]
  const older = await startBatch(chain, entries)
  const items = [await lockBatch(chain, older)]
  const younger = await startBatch(chain, entries, { from: mallory })
  items.push(await lockBatch(chain, younger))
  return { hers, other, m, forged, ofBob, older, younger, items, shown: depositAt(alice, ETHER) }
}

type Short = Pick<Awaited<ReturnType<typeof createShort>>, 'older' | 'younger'> & { shown: EntryOutput }

/** Whatever anybody does for her, for some periods. */
async function isPaidWhatIsThere({ older, younger, shown }: Short, own: Exit, before: bigint) {
  const { chain } = world
  for (let period = 0; period < 4; period++) {
    await passTime(chain, mep() + 10)
    for (const batch of [older, younger]) {
      await attempt(() => placeEntry(chain, batch, 0, own))
      await attempt(() => adoptExit(chain, batch, [0, shown, own]))
      await attempt(() => openEntry(chain, batch, 0, shown, watcher))
      await attempt(() => claim(chain, batch, [[0, shown]]))
    }
    await attempt(() => settle(chain, [own]))
  }
  assert.ok(
    (await balanceOf(alice)) - before >= (ETHER * 9n) / 10n - ETHER / 100n,
    'the covered nine tenths of her older share',
  )
}

test('a stranger who adopts her opened entry into the younger share costs her nothing', async () => {
  const { chain } = world
  const short = await createShort()
  const { m, forged, ofBob, older, younger, items, shown } = short
  // The owner may, from the lock on (6.4.9).
  const own = await openEntry(chain, older, 0, shown, alice)
  await passTo(chain, items[1]!.exitableAt + 1)
  // In one L1 block of Mallory's.
  await process(chain, turnsOf([forged, ofBob, ...items], [m]))
  await adoptExit(chain, younger, [0, shown, own])
  await isPaidWhatIsThere(short, own, await balanceOf(alice))
})

test('a stranger who opens the younger share, because a half-signed transaction locked the output, costs her nothing', async () => {
  const { chain } = world
  const short = await createShort()
  const { hers, other, m, forged, ofBob, younger, items, shown } = short
  const inputs = [hers, other].sort((a, b) => a - b)
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER + 7n, condition: memoOf('') }]
  const signers = inputs[0] === other ? [mallory, alice] : [alice, mallory]
  const joint = await chain.sign({ inputs, outputs, memo: memoOf('') }, signers)
  const shownInputs = inputs.map((position) => (position === other ? deposited(mallory, 7n) : deposited(alice)))
  const started = await startDispute(chain, joint, shownInputs, { from: mallory })
  await showCompetitor(chain, started, await chain.pay(mallory, other, [[mallory, 7n]]), { from: mallory })
  await passTo(chain, Math.max(items[1]!.exitableAt, started.dispute.exitableAt) + 1)
  // In one L1 block of Mallory's.
  await decide(chain, started)
  await process(chain, turnsOf([forged, ofBob, ...items], [m]))
  const own = await openEntry(chain, younger, 0, shown, mallory)
  await isPaidWhatIsThere(short, own, await balanceOf(alice))
})

test('a delegate who starts a second exit of her output costs her nothing of the share', async () => {
  const { chain } = world
  const short = await createShort()
  const { hers, m, forged, ofBob, items } = short
  const mandate = await signMandate(chain, alice, { delegate: mallory.address })
  const own = await startDepositExit(chain, alice, hers, ETHER, { from: mallory, mandate })
  await passTo(chain, own.exitableAt + 1)
  await process(chain, turnsOf([forged, ofBob, ...items, own], [m]))
  await isPaidWhatIsThere(short, own, await balanceOf(alice))
})

test('control: without any of that she has nine tenths', async () => {
  const { chain } = world
  const short = await createShort()
  const { m, forged, ofBob, older, items, shown } = short
  await passTo(chain, items[1]!.exitableAt + 1)
  await process(chain, turnsOf([forged, ofBob, ...items], [m]))
  const before = await balanceOf(alice)
  const own = await openEntry(chain, older, 0, shown, alice)
  await isPaidWhatIsThere(short, own, before)
})

test('where one wei is missing, whoever adopts her entry into the younger share takes no more than that', async () => {
  const { chain } = world
  const short = await createShort(8n)
  const { m, forged, ofBob, older, younger, items, shown } = short
  const own = await openEntry(chain, older, 0, shown, alice)
  await passTo(chain, items[1]!.exitableAt + 1)
  await process(chain, turnsOf([forged, ofBob, ...items], [m]))
  await adoptExit(chain, younger, [0, shown, own])
  await isPaidWhatIsThere(short, own, await balanceOf(alice))
})

/** Mallory pays Alice in the block that also has her forgery, `extra` more beside; two mass exits name what Alice got. */
async function createPaid(extra: bigint) {
  const { chain } = world
  const inputs = [await deposit(chain, mallory)]
  if (extra > 0n) inputs.push(await deposit(chain, mallory, extra))
  const his = await deposit(chain, bob)
  const outputs = [{ owner: alice.address, token: ETH, amount: ETHER, condition: memoOf('') }]
  if (extra > 0n) outputs.push({ owner: mallory.address, token: ETH, amount: extra, condition: memoOf('') })
  const signers = inputs.map(() => mallory)
  const made = await chain.sign({ inputs, outputs, memo: memoOf('') }, signers)
  const m = await submit(chain, [made, await chain.pay(mallory, 0, [[mallory, ETHER / 10n]])])
  await passTo(chain, m.header.timestamp + mep() + 1)
  const exits = [await startExit(chain, mallory, [m, 1, 0]), await startDepositExit(chain, bob, his)]
  const ofExtra = extra > 0n ? [await startDepositExit(chain, mallory, inputs[1]!, extra)] : []
  const entries = [{ position: place(m), amount: ETHER }]
  const older = await startBatch(chain, entries, { lastBlock: m })
  const younger = await startBatch(chain, entries, { lastBlock: m, from: mallory })
  const items = [await lockBatch(chain, older), await lockBatch(chain, younger)]
  const shown = outputAt(chain, m)
  const open = () => openEntry(chain, older, 0, shown, alice)
  const shownInputs = inputs.map((_, i) => (i === 0 ? deposited(mallory) : deposited(mallory, extra)))
  const dispute = () => startDispute(chain, made, shownInputs, { from: mallory, exits: ofExtra })
  const turn = () => process(chain, turnsOf([...exits, ...ofExtra, ...items], [m]))
  return { older, younger, items, shown, open, dispute, turn }
}

test('nor does a payer who disputes her own payment before the owner opens her entry', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const isDisputed of [true, false]) {
    const scene = await createPaid(0n)
    const { open, dispute, turn, shown, younger, items } = scene
    const started = isDisputed ? await dispute() : undefined
    const own = await open()
    assert.is(own.disputed !== ZERO_HASH, isDisputed)
    await passTo(chain, Math.max(items[1]!.exitableAt, started?.dispute.exitableAt ?? 0) + 1)
    await turn()
    await adoptExit(chain, younger, [0, shown, own])
    if (started) await decide(chain, started)
    await isPaidWhatIsThere(scene, own, await balanceOf(alice))
    await chain.client.revert({ id })
  }
})

test('nor does one who lets her inherit a few wei', async () => {
  const { chain } = world
  const scene = await createPaid(7n)
  const { open, dispute, turn, shown, younger, items } = scene
  const own = await open()
  const started = await dispute()
  await passTo(chain, Math.max(items[1]!.exitableAt, started.dispute.exitableAt) + 1)
  await turn()
  await decide(chain, started)
  await adoptExit(chain, younger, [0, shown, own])
  const before = await balanceOf(alice)
  await inherit(chain, started, own, [1, 0])
  assert.ok((await balanceOf(alice)) > before)
  await isPaidWhatIsThere(scene, own, before)
})

test.run()

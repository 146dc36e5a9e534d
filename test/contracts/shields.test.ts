/**
 * A spend that can fall, struck with by the thief herself, keeps the true one out. It is dropped until E - MEP/2, when another strike still
 * comes in time; later the entry has to be opened, and what was opened is challenged (docs/spec.md 6.4.8, ADR 0023).
 */
import * as assert from 'uvu/assert'
import { encodeDropStrike } from '../../l1/massExitContract.ts'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import { dropDeadline } from '../../protocol/massExit.ts'
import {
  adoptExit,
  claim,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  spendAt,
  startBatch,
  strike,
} from '../support/batchMoves.ts'
import { drop, freePlaces, memoOf, release, settle } from '../support/haltMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTime,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, attempt, type ChildBlock, proveInBlock } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, dave, mallory, watcher } = actors
const { test, world, mep, balanceOf } = rootSuite('mass exits: strikes that shield')

/**
 * Mallory's ether, spent in a block that everybody has; she names it in a mass exit, and hides a block that spends it again (V3). `isOld`: that
 * is too old for a halt.
 */
async function createScene({ isOld = false } = {}) {
  const { chain } = world
  const source = await deposit(chain, bob)
  const hers = await deposit(chain, alice)
  const first = await submit(chain, [await chain.pay(bob, source, [[mallory, ETHER]])])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  const again = await chain.pay(mallory, place(first), [[mallory, ETHER]], memoOf('again'))
  const early = isOld ? await submit(chain, [again]) : undefined
  await passTime(chain, mep() + 10)
  const entries = [{ position: place(first), amount: ETHER }]
  const batch = await startBatch(chain, entries, { lastBlock: first, from: mallory })
  await passTo(chain, batch.batch.startedAt + mep() / 4 - 20)
  const hidden = early ?? (await submit(chain, [again]))
  const item = await lockBatch(chain, batch, batch.batch.startedAt + mep() / 4 + 1, mallory)
  await strike(chain, batch, [spendAt(chain, hidden, 0, place(first))], mallory)
  const strikeTruly = () => strike(chain, batch, [spendAt(chain, spend, 0, place(first))], watcher)
  const dropShield = () => chain.send(carol.account, encodeDropStrike(batch.batch, place(first), mallory.address))
  return { hers, first, spend, batch, item, hidden, strikeTruly, dropShield }
}

/** Shows that the hidden block spends what was spent before. It halts the chain there, or only falls where it is too late for that. */
async function proveHidden({ first, spend, hidden }: Awaited<ReturnType<typeof createScene>>): Promise<void> {
  const { chain } = world
  const at = (block: ChildBlock) => ({
    position: place(block),
    signed: block.transactions[0]!,
    header: block.header,
    proof: proveInBlock(chain, block, 0),
  })
  const shown = { kind: 'transaction', at: at(first) } as const
  const proof = { rule: 'V3', offence: at(hidden), input: 0, shown, earlier: at(spend), earlierInput: 0 } as const
  await chain.send(carol.account, encodeFraudProof(proof))
}

test('a shield that falls after the last strike is not dropped: the spent output is paid by no door, and all others are', async () => {
  const { chain } = world
  const scene = await createScene()
  const { hers, first, spend, batch, item, hidden, strikeTruly, dropShield } = scene
  await refuses('NothingToDo', strikeTruly)
  await nextAt(chain, item.exitableAt - mep() / 4)
  await refuses('NothingToDo', strikeTruly)
  // Everybody honest leaves in time.
  await nextAt(chain, hidden.header.timestamp + mep() - 5)
  const exits = [await startDepositExit(chain, alice, hers), await startExit(chain, dave, [spend, 0, 0])]
  for (const exit of exits) assert.ok(exit.startedAt <= hidden.header.timestamp + mep(), 'in time')
  await passTo(chain, item.exitableAt + 1)
  const before = await balanceOf(mallory)
  await process(chain, turnsOf([item], [first, spend]))
  await proveHidden(scene)
  await refuses('EvidenceTooLate', dropShield)
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, outputAt(chain, first)]]))
  const opened = await openEntry(chain, batch, 0, outputAt(chain, first), carol)
  await drop(chain, opened, hidden)
  await challenge(chain, opened, [spend, 0])
  await passTo(chain, Math.max(opened.exitableAt, ...exits.map(({ exitableAt }) => exitableAt)) + 1)
  await process(chain, turnsOf(exits, [first, spend]))
  await release(chain, opened, spend)
  await freePlaces(chain)
  for (const exit of exits) await attempt(() => settle(chain, [exit]))
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
  assert.ok((await balanceOf(mallory)) - before < ETHER / 1_000n, 'no more than what a strike earns')
})

test('a shield is dropped until E - MEP/2, to the second, and then there is time for the true spend', async () => {
  const { chain } = world
  const scene = await createScene({ isOld: true })
  const { first, batch, item, strikeTruly, dropShield } = scene
  await refuses('EvidenceStands', dropShield)
  const last = dropDeadline(item.exitableAt, mep())
  await passTo(chain, last - 20)
  await proveHidden(scene)
  const id = await chain.client.snapshot()
  await nextAt(chain, last + 1)
  await refuses('EvidenceTooLate', dropShield)
  await strikeTruly()
  await chain.client.revert({ id })
  await nextAt(chain, last)
  await dropShield()
  await nextAt(chain, item.exitableAt - mep() / 4)
  await strikeTruly()
  await passTo(chain, item.exitableAt + 1)
  await process(chain, turnsOf([item], [first]))
  await refuses('EntryStruckBy', () => claim(chain, batch, [[0, outputAt(chain, first)]]))
})

test('a halt in between gives the time again', async () => {
  const { chain } = world
  const scene = await createScene()
  const { item, dropShield } = scene
  await passTo(chain, dropDeadline(item.exitableAt, mep()) + 1)
  await proveHidden(scene)
  const [, , , , , , lastMove] = await chain.read<readonly number[]>('head')
  const last = dropDeadline(item.exitableAt, mep(), lastMove)
  assert.ok(last > item.exitableAt - mep() / 2)
  await passTo(chain, last - 20)
  const id = await chain.client.snapshot()
  await nextAt(chain, last + 1)
  await refuses('EvidenceTooLate', dropShield)
  await chain.client.revert({ id })
  await nextAt(chain, last)
  await dropShield()
})

test('an opened entry is removed from the end of its batch on, by whichever door it got its share', async () => {
  const { chain } = world
  const source = await deposit(chain, bob)
  const first = await submit(chain, [await chain.pay(bob, source, [[mallory, ETHER]])])
  const spend = await submit(chain, [await chain.pay(mallory, place(first), [[dave, ETHER]])])
  await passTime(chain, mep() + 10)
  const entries = [{ position: place(first), amount: ETHER }]
  const batch = await startBatch(chain, entries, { lastBlock: first, from: mallory })
  const item = await lockBatch(chain, batch)
  await strike(chain, batch, [spendAt(chain, spend, 0, place(first))], watcher)
  await passTo(chain, item.exitableAt - 30)
  await nextAt(chain, item.exitableAt - 1)
  const shown = outputAt(chain, first)
  const opened = await openEntry(chain, batch, 0, shown, mallory)
  await passTo(chain, item.exitableAt + 1)
  await process(chain, turnsOf([item], [first]))
  const id = await chain.client.snapshot()
  for (const move of [() => placeEntry(chain, batch, 0, opened), () => adoptExit(chain, batch, [0, shown, opened])]) {
    await move()
    await release(chain, opened, spend)
    assert.is(await stateOf(chain, opened), 'removed')
    await chain.client.revert({ id })
  }
})

test.run()

/** Entries of a mass exit on L1 (docs/spec.md 6.4.1): what is refused at the start, and what is a member; the TypeScript twin agrees. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { type Abi, encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import { encodeDemandEntry } from '../../l1/massExitContract.ts'
import { NO_HEADER } from '../../l1/rootArguments.ts'
import { bytesToHex, concatBytes, type Hex, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import {
  batchBond,
  type Entry,
  type EntryFormat,
  encodeEntries,
  formatOf,
  hashBatch,
  hashEntry,
  type PlacedEntry,
  shareOf,
} from '../../protocol/massExit.ts'
import { proveLeaf } from '../../protocol/merkle.ts'
import { encodePosition } from '../../protocol/position.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { at, depositAt, lockBatch, openEntry, startBatch, type TestBatch, turnBatch } from '../support/batchMoves.ts'
import { deposit, ETHER, place, submit } from '../support/moves.ts'
import { actors, asReverted, ETH, Reverted, type RootChain } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol } = actors
const { test, world } = rootSuite('mass exits: entries')
printSeed('mass exits: entries')

const WIDE = { base: 0, positionBytes: 7, amountBytes: 1 }

async function start(chain: RootChain, entries: Hex, format: Partial<EntryFormat> = {}, bondWei = 10n ** 18n) {
  const args = [ETH, { ...WIDE, ...format }, entries, NO_HEADER]
  const data = encodeFunctionData({ abi: iLifeboatAbi as Abi, functionName: 'startBatch', args })
  return chain.send(carol.account, { data, valueWei: bondWei })
}

/** Each position as its distance from the one before, both in so many bytes. */
function raw(entries: readonly (readonly [number, bigint])[], amountBytes = 1, positionBytes = 7): Hex {
  const text = entries.map(
    ([step, amount]) =>
      step.toString(16).padStart(2 * positionBytes, '0') + amount.toString(16).padStart(2 * amountBytes, '0'),
  )
  return `0x${text.join('')}`
}

test('refuses entries that are no list of growing positions with amounts', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const one = raw([[16, 1n]])
  const lists: [Hex, Partial<EntryFormat>?][] = [
    ['0x'],
    [raw([[16, 1n]], 0), { amountBytes: 0 }],
    [raw([[16, 1n]], 17), { amountBytes: 17 }],
    [raw([[16, 1n]], 1, 0), { positionBytes: 0 }],
    [raw([[16, 1n]], 1, 8), { positionBytes: 8 }],
    [raw([[16, 1n]], 2)],
    [`${one}00`],
    [raw([[0, 1n]])],
    [raw([[2 ** 53, 1n]])],
    [raw([[1, 1n]]), { base: 2 ** 53 - 1 }],
    [raw([[16, 0n]])],
    [
      raw([
        [16, 1n],
        [0, 1n],
      ]),
    ],
    [
      raw([
        [16, 1n],
        [16, 0n],
      ]),
    ],
    [
      raw([
        [2 ** 53 - 1, 1n],
        [1, 1n],
      ]),
    ],
  ]
  for (const [entries, format] of lists) {
    await refuses('EntriesMalformed', () => start(chain, entries, format))
  }
  const most = 2n ** 128n - 1n
  const twice = raw(
    [
      [16, most],
      [16, most],
    ],
    16,
  )
  await refuses('NotCovered', () => start(chain, twice, { amountBytes: 16 }))
  await start(chain, raw([[16, 1n]], 16), { amountBytes: 16 })
})

test('refuses more entries than a tree of 15 levels has, before it looks at any', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const entries = Array.from({ length: 2 ** 15 + 1 }, () => [1, 1n] as const)
  const format = { positionBytes: 1 }
  await refuses('EntriesMalformed', () => start(chain, raw(entries, 1, 1), format, 100n * 10n ** 18n))
})

test('refuses a last position whose block L1 does not know, or has another header', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const entries = [{ position: place(block), amount: ETHER }]
  await refuses('HeaderMismatch', () => startBatch(chain, entries))
  const header = { ...block.header, timestamp: block.header.timestamp - 1 }
  await refuses('HeaderMismatch', () => startBatch(chain, entries, { lastBlock: { ...block, header } }))
  const next = [{ position: place(block) + 2 ** 25, amount: ETHER }]
  await refuses('HeaderMismatch', () => startBatch(chain, next, { lastBlock: block }))
  await startBatch(chain, entries, { lastBlock: block })
})

test('a deposit as youngest entry gives no earlier place than its block (C3)', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const youngest = await deposit(chain, carol, 1n)
  const batch = await startBatch(
    chain,
    [
      { position: place(block), amount: ETHER },
      { position: youngest, amount: 1n },
    ],
    { lastBlock: block },
  )
  const item = await lockBatch(chain, batch)
  assert.is(item.exitableAt, block.header.timestamp + 2 * chain.parameters.minExitPeriod)
  assert.ok(item.young)
})

async function answerOf(
  chain: RootChain,
  entry: PlacedEntry,
  batch: TestBatch,
  path: readonly Uint8Array[],
): Promise<string> {
  const picks = `0x${path.map((_, i) => i.toString(16).padStart(4, '0')).join('')}`
  const { index, position, amount, before } = entry
  const shownEntry = { index, position: BigInt(position), amount, before, picks }
  const shared = { headers: [], nodes: path.map(bytesToHex) }
  const args = [{ ...batch.batch, last: BigInt(batch.batch.last) }, shared, shownEntry]
  const data = encodeFunctionData({ abi: iLifeboatAbi as Abi, functionName: 'demandEntry', args })
  try {
    await chain.client.call({ account: carol.account, to: chain.root, data, value: 10n ** 18n, blockTag: 'pending' })
    return 'member'
  } catch (error) {
    const reverted = asReverted(error)
    if (!(reverted instanceof Reverted)) throw error
    return reverted.errorName
  }
}

const entriesOf = (count: number, amounts: readonly bigint[]): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ position: (i + 1) * 16, amount: amounts[i % amounts.length] as bigint }))

test('roots, sums and ids of 1 to 40 entries are those of the twin, and each entry is a member at its index only', async () => {
  const { chain } = world
  await deposit(chain, alice, 2n ** 64n)
  const samples = fc.sample(fc.tuple(fc.array(fc.bigInt(1n, 2n ** 50n), { minLength: 1, maxLength: 9 }), fc.nat()), {
    seed,
    numRuns: 40,
  })
  for (const [n, [amounts, pick]] of samples.entries()) {
    const count = n + 1
    const batch = await startBatch(chain, entriesOf(count, amounts))
    assert.is(batch.batch.root, bytesToHex(batch.tree.root), `${count} entries`)
    assert.is(batch.id, hashBatch(batch.batch))
    assert.is(
      batch.batch.total,
      batch.placed.reduce((sum, { amount }) => sum + amount, 0n),
    )
    const index = pick % count
    const entry = batch.placed[index]!
    const path = proveLeaf(batch.tree, index)
    assert.is(await answerOf(chain, entry, batch, path), 'member', `${index} of ${count}`)
    const others: [string, PlacedEntry, readonly Uint8Array[]][] = [
      ['another index', { ...entry, index: (index + 1) % (count + 1) }, path],
      ['index = count', { ...entry, index: count }, path],
      ['a path one longer', entry, [...path, hexToBytes(ZERO_HASH)]],
      ['another sum before', { ...entry, before: entry.before + 1n }, path],
      ['another amount', { ...entry, amount: entry.amount + 1n }, path],
      ['another position', { ...entry, position: entry.position + 1 }, path],
    ]
    if (path.length > 0) others.push(['a path one shorter', entry, path.slice(0, -1)])
    for (const [name, shown, with_] of others) {
      assert.is(await answerOf(chain, shown, batch, with_), 'EntryMismatch', `${name}, ${index} of ${count}`)
    }
  }
})

test('neither padding nor an inner node is an entry', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const batch = await startBatch(chain, entriesOf(5, [1n]))
  const [a, b] = batch.placed.map(hashEntry)
  const inner = keccak256(concatBytes(a!, b!))
  const padding = { index: 5, position: 0, amount: 0n, before: 0n }
  assert.is(await answerOf(chain, padding, batch, proveLeaf(batch.tree, 4)), 'EntryMismatch')
  for (const path of [[], [inner], proveLeaf(batch.tree, 0).slice(1)]) {
    assert.is(await answerOf(chain, batch.placed[0]!, batch, path), 'EntryMismatch')
  }
  const call = encodeDemandEntry({ ...batch.batch, count: 4 }, at(batch, 0), 10n ** 18n)
  await refuses('BatchUnexpected', () => chain.send(carol.account, call))
})

test('the tickets of opened entries are the shares that the twin reckons, and bonds too', async () => {
  const { chain } = world
  const amounts = fc.sample(fc.bigInt(1n, ETHER), { seed, numRuns: 5 })
  const entries = []
  for (const amount of amounts) entries.push({ position: await deposit(chain, bob, amount), amount })
  const feeGwei = (await chain.read<bigint>('exitBond')) / 400_000n / 10n ** 9n
  for (const count of [1, 2, 100, 32_768]) {
    assert.is(await chain.read<bigint>('batchBond', [BigInt(count)]), batchBond(count, feeGwei))
  }
  const first = await startBatch(chain, entries.slice(0, 1))
  const batch = await startBatch(chain, entries)
  await lockBatch(chain, first)
  await lockBatch(chain, batch)
  await turnBatch(chain, batch, { exits: [first.item!] })
  for (const [index, { amount }] of entries.entries()) {
    const exit = await openEntry(chain, batch, index, depositAt(bob, amount))
    const [from, due] = await chain.read<readonly [bigint, bigint]>('ticket', [exit.outputId])
    const ticket = { from: amounts[0]!, due: batch.batch.total }
    assert.equal({ from, due }, shareOf(ticket, batch.placed[index]!))
  }
})

test('what the wallet encodes is what L1 emits again', async () => {
  const { chain } = world
  await deposit(chain, alice)
  const entries = [{ position: encodePosition({ block: 0, index: 2 ** 20, output: 0 }), amount: 255n }]
  const { events } = await start(chain, bytesToHex(encodeEntries(entries)), formatOf(entries))
  const started = events.find((event) => event.type === 'BatchStarted')
  assert.equal(started?.type === 'BatchStarted' && started.entries, entries)
})

test.run()

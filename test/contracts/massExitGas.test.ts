/**
 * What fits into one L1 transaction (EIP-7825: 16,777,216 gas), on anvil and on the embedded L1 (docs/spec.md 6.4, 11.1). Neither node
 * need enforce the cap: the tests do, by the transaction's own limit.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'
import { encodeStartBatch } from '../../l1/massExitContract.ts'
import type { RootCall } from '../../l1/rootCalls.ts'
import { decodeRootEvents } from '../../l1/rootEvents.ts'
import type { Hash } from '../../protocol/bytes.ts'
import { type Entry, entryTree, MAX_ENTRIES_SIZE, placeEntries } from '../../protocol/massExit.ts'
import { startAnvil } from '../support/anvil.ts'
import { claim, depositAt, lockBatch, turnBatch } from '../support/batchMoves.ts'
import { balance, deposit, ETHER } from '../support/moves.ts'
import { actors, createClient, deployRootChain, ETH, eventOf, type RootChain } from '../support/rootChain.ts'
import { setByHand } from './rootSuite.ts'

const { alice, bob, carol } = actors
const CAP = 16_777_216n
const test = suite('mass exits: gas')

let stop = () => {}
let chain: RootChain
let embedded: RootChain
let close = async () => {}

test.before(async () => {
  const anvil = await startAnvil()
  stop = anvil.stop
  chain = await deployRootChain(createClient(anvil.url))
  const accounts = Object.fromEntries(Object.values(actors).map(({ address }) => [address, 100_000n * ETHER]))
  const l1 = await createEmbeddedL1({
    chainId: await chain.client.getChainId(),
    accounts,
    transactionGasCap: Number(CAP),
  })
  close = () => l1.close()
  embedded = await deployRootChain(createClient(l1.url))
})
test.after(async () => {
  stop()
  await close()
})

/** Sends with the cap as limit. Gas used, and whether it went through. */
async function sendCapped(on: RootChain, { data, valueWei }: RootCall) {
  const { account } = carol
  const hash = await on.client.sendTransaction({ account, to: on.root, data, value: valueWei, gas: CAP, chain: null })
  for (let attempt = 0; attempt < 600; attempt++) {
    const receipt = await on.client.getTransactionReceipt({ hash }).catch(() => undefined)
    if (receipt) return receipt
    await on.client.getBlockNumber()
  }
  throw new Error(`got no receipt for ${hash}`)
}

/** Distances of 3 bytes, amounts of 16 as far as the vault can hold them: the dearest calldata. */
const dear = (count: number, amount: bigint): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ position: 2 ** 24 + i * 0x0411 + (i === 0 ? 0 : 0x010101), amount }))

const bondFor = (on: RootChain, count: number) => on.read<bigint>('batchBond', [BigInt(count)])

for (const [name, amount, most] of [
  ['16 bytes', 2n ** 112n + 2n ** 110n - 1n, MAX_ENTRIES_SIZE],
  ['9 bytes', 0x11_1111_1111_1111_1111n, MAX_ENTRIES_SIZE],
  ['1 byte', 0x11n, 15_000 * 4],
] as const) {
  test(`all that nodes pass on of entries with amounts of ${name} fits into one transaction`, async () => {
    const id = await chain.client.snapshot()
    await setByHand(chain, 'setFunded', [ETH, 2n ** 128n - 1n])
    const width = name === '16 bytes' ? 16 : Number(name[0])
    const entries = dear(Math.floor(most / (3 + width)), amount).map((entry, i) =>
      i === 0 && width === 16 ? { ...entry, amount: 2n ** 120n } : entry,
    )
    const bondWei = (await bondFor(chain, entries.length)) * 2n
    const receipt = await sendCapped(chain, encodeStartBatch({ token: ETH, entries, bondWei }))
    console.log(`${entries.length} entries of ${name}: ${receipt.gasUsed} gas`)
    assert.is(receipt.status, 'success')
    await chain.client.revert({ id })
  })
}

test('a transaction that no public node would take is refused by the embedded L1, which says so', async () => {
  const call = encodeStartBatch({ token: ETH, entries: dear(12_000, ETHER), bondWei: ETHER })
  const refused = await sendCapped(embedded, call).catch((error: Error) => error.message)
  assert.match(String(refused).slice(-400), /oversized data/)
})

for (const [name, on] of [
  ['anvil', () => chain],
  ['the embedded L1', () => embedded],
] as const) {
  test(`10,000 entries are secured in one transaction on ${name}, and 50 of them paid in one`, async () => {
    const root = on()
    const owners = 50
    const first = await deposit(root, bob)
    for (let i = 1; i < owners; i++) await deposit(root, bob)
    await deposit(root, alice, 1_000n * ETHER)
    const entries: Entry[] = Array.from({ length: 10_000 }, (_, i) => ({
      position: first + i * 16,
      amount: i < owners ? ETHER : 10n ** 14n + BigInt(i),
    }))
    const bondWei = (await bondFor(root, entries.length)) * 2n
    const receipt = await sendCapped(root, encodeStartBatch({ token: ETH, entries, bondWei }))
    assert.is(receipt.status, 'success')
    assert.ok(receipt.gasUsed / 10_000n <= 1_000n, `got ${receipt.gasUsed}`)
    const logs = receipt.logs.map((log) => ({
      topics: log.topics as Hash[],
      data: log.data,
      logIndex: log.logIndex,
      transactionHash: receipt.transactionHash,
    }))
    const events = decodeRootEvents({ number: 1, hash: receipt.blockHash, timestamp: 1 }, logs)
    const { batch, batchId } = eventOf(events, 'BatchStarted')
    const test_ = { ...describeBatch(entries), id: batchId, batch }
    await lockBatch(root, test_)
    await turnBatch(root, test_)
    const before = await balance(root, bob)
    const shown = depositAt(bob, ETHER)
    const list = Array.from({ length: owners }, (_, i) => [i, shown] as const)
    const paid = await claim(root, test_, list)
    assert.is(eventOf(paid.events, 'EntriesClaimed').claimed.length, owners)
    assert.is(await balance(root, bob), before + BigInt(owners) * ETHER)
    assert.ok(paid.receipt.gasUsed / BigInt(owners) <= 65_000n, `got ${paid.receipt.gasUsed}`)
    console.log(`${name}: 10,000 entries ${receipt.gasUsed} gas, 50 claims ${paid.receipt.gasUsed}`)
  })
}

function describeBatch(entries: readonly Entry[]) {
  const placed = placeEntries(entries)
  return { placed, tree: entryTree(placed) }
}

test.run()

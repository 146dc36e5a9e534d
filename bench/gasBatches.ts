/**
 * Gas of mass exits (docs/spec.md section 6.4): a batch of 10,000 entries; single entries, and 32 struck or 100 claimed in one call. Blocks
 * have 4,096 leaves, the mainnet preset's most, and where the key says so 65,536. Amounts have 9 bytes without a zero, the dearest calldata.
 */
import {
  type EntryAt,
  type EntryOutput,
  encodeClaimEntries,
  encodeOpenEntry,
  encodeReleaseEntry,
  encodeStartBatch,
  encodeStrikeEntries,
} from '../l1/massExitContract.ts'
import { encodeCloseChain, type RootCall } from '../l1/rootCalls.ts'
import { type Entry, entryTree, type PlacedEntry, placeEntries } from '../protocol/massExit.ts'
import { encodePosition } from '../protocol/position.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import { setByHand } from '../test/contracts/rootSuite.ts'
import { answer, demand, lockBatch, type TestBatch, turnBatch } from '../test/support/batchMoves.ts'
import { deposit, ETHER, signMandate } from '../test/support/moves.ts'
import { type Actor, actors, ETH, eventOf, type RootChain } from '../test/support/rootChain.ts'
import { type FullBlock, type Gas, LEAVES, proofAt, submitFull } from './gasBlocks.ts'

const { alice, bob, carol, watcher } = actors
const USUAL_LEAVES = 4_096
const COUNT = 10_000
/** Outputs that are there: bob's first, of which some are struck; then those of as many owners, each with an account on L1; then one off by a wei. */
const BOBS = 34
const OWNERS = 100
const REAL = BOBS + OWNERS + 1
const WRONG = REAL - 1
const FILLER = 0x0123456789abcdef11n

type Sent = Awaited<ReturnType<RootChain['send']>>
const gasOf = ({ receipt }: Sent): number => Number(receipt.gasUsed)
const each = (sent: Sent, count: number): number => Math.round(gasOf(sent) / count)

export async function measureBatches(chain: RootChain, gas: Gas): Promise<void> {
  const id = await chain.client.snapshot()
  await measureIn(chain, gas, USUAL_LEAVES)
  await chain.client.revert({ id })
  const full: Gas = {}
  await measureIn(chain, full, LEAVES)
  for (const key of ['strike', 'strikeMany_each', 'claim_eth', 'claimMany_each']) {
    gas[`${key}_65536`] = full[key] as number
  }
}

/** Positions of the outputs that are there, and the batch's entries with others spread among them. */
function entriesIn(block: FullBlock, leaves: number, stride: number) {
  const position = (index: number, output: number) => encodePosition({ block: block.number, index, output })
  const real = Array.from({ length: REAL }, (_, i) => position(i * stride, 0))
  const entries: Entry[] = real.map((at, i) => ({ position: at, amount: i === WRONG ? ETHER / 2n - 1n : ETHER / 2n }))
  const others = Array.from({ length: COUNT - REAL }, (_, i) => position(i % leaves, 1 + Math.floor(i / leaves)))
  entries.push(...others.map((at) => ({ position: at, amount: FILLER })))
  entries.sort((a, b) => a.position - b.position)
  const places = new Map(entries.map((entry, index) => [entry.position, index]))
  return { entries, indices: real.map((at) => places.get(at) as number) }
}

function ownerOf(i: number): Pick<Actor, 'address'> {
  if (i < BOBS) return bob
  return { address: `0x${(0xabcdefn * 2n ** 128n + BigInt(i)).toString(16).padStart(40, '7')}` }
}

async function measureIn(chain: RootChain, gas: Gas, leaves: number): Promise<void> {
  const payments: SignedTransaction[] = []
  const stride = Math.floor((leaves - 1) / (REAL - 1))
  for (let i = 0; i < REAL; i++) {
    const owner = ownerOf(i)
    if (owner !== bob) await chain.client.setBalance({ address: owner.address, value: 1n })
    const outputs = [[owner as Actor, ETHER / 2n] as const, [alice, ETHER / 2n] as const]
    payments.push(await chain.pay(alice, await deposit(chain, alice), outputs))
  }
  const made = await submitFull(chain, payments, stride, leaves)
  const place = (block: FullBlock, i: number) => encodePosition({ block: block.number, index: i * stride, output: 0 })
  const spends: SignedTransaction[] = []
  for (let i = 0; i < BOBS; i++) {
    const outputs = [[carol, ETHER / 4n] as const, [bob, ETHER / 4n] as const]
    spends.push(await chain.pay(bob, place(made, i), outputs))
  }
  const spent = await submitFull(chain, spends, stride, leaves)
  await setByHand(chain, 'setFunded', [ETH, 2n ** 120n])
  const { entries, indices } = entriesIn(made, leaves, stride)
  const bondWei = (await chain.read<bigint>('batchBond', [BigInt(COUNT)])) * 2n
  const startOf = (count: number) =>
    encodeStartBatch({ token: ETH, entries: entries.slice(0, count), lastBlock: made.header, bondWei })
  const send = (call: RootCall) => chain.send(watcher.account, call)
  const aside = async (move: () => Promise<Sent>): Promise<Sent> => {
    const id = await chain.client.snapshot()
    const sent = await move()
    await chain.client.revert({ id })
    return sent
  }

  const halted = await aside(async () => {
    await chain.send(actors.operator.account, encodeCloseChain())
    return send(startOf(COUNT))
  })
  gas['massExit_halted_each_10000'] = each(halted, COUNT)
  for (const count of [250, 1_000]) {
    gas[`massExit_live_each_${count}`] = each(await aside(() => send(startOf(count))), count)
  }
  const started = await send(startOf(COUNT))
  gas['massExit_live_each_10000'] = each(started, COUNT)
  const { batchId, batch } = eventOf(started.events, 'BatchStarted')
  const placed = placeEntries(entries)
  const test: TestBatch = { id: batchId, batch, placed, tree: entryTree(placed) }

  const indexOf = (i: number) => indices[i] as number
  const entryAt = (i: number): EntryAt => ({ entry: placed[indexOf(i)] as PlacedEntry, tree: test.tree })
  const shown = (i: number): EntryOutput => {
    const signed = payments[i] as SignedTransaction
    const proof = proofAt(made, i * stride, signed)
    return { kind: 'output', transaction: signed.transaction, header: made.header, proof }
  }
  const claimOf = (i: number) => ({ at: entryAt(i), shown: shown(i) })
  const strikeOf = (i: number) => {
    const signed = spends[i] as SignedTransaction
    const proof = proofAt(spent, i * stride, signed)
    return { position: place(spent, i), signed, input: 0, header: spent.header, proof }
  }

  gas['demandEntry'] = gasOf(await demand(chain, test, indexOf(0)))
  const mandate = await signMandate(chain, bob, {})
  gas['answerDemand'] = gasOf(await answer(chain, test, [indexOf(0), shown(0), mandate]))
  const before = await chain.client.getBlockNumber()
  await lockBatch(chain, test)
  gas['lockBatch'] = Number((await chain.client.getBlock({ blockNumber: before + 1n })).gasUsed)
  gas['strike'] = gasOf(await aside(() => send(encodeStrikeEntries(test.batch, [strikeOf(0)]))))
  const strikes = Array.from({ length: 32 }, (_, i) => strikeOf(i + 1))
  gas['strikeMany_each'] = each(await aside(() => send(encodeStrikeEntries(test.batch, strikes))), strikes.length)

  await turnBatch(chain, test, { blocks: [{ ...made, transactions: [] }] })
  const own = await aside(() => chain.send(bob.account, encodeClaimEntries(test.batch, [claimOf(1)])))
  gas['claim_eth'] = gasOf(own)
  gas['claim_eth_bySomebodyElse'] = gasOf(await send(encodeClaimEntries(test.batch, [claimOf(1)])))
  const claims = Array.from({ length: OWNERS }, (_, i) => claimOf(BOBS + i))
  gas['claimMany_each'] = each(await send(encodeClaimEntries(test.batch, claims)), claims.length)
  gas['openEntry_afterTurn'] = gasOf(await chain.send(bob.account, encodeOpenEntry(test.batch, entryAt(2), shown(2))))
  gas['releaseEntry'] = gasOf(await send(encodeReleaseEntry(test.batch, entryAt(WRONG), shown(WRONG))))
}

/** Mass exits in a drill's books, with batches made up by hand: bonds to the wei, and each invariant broken once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Actor } from '../../drill/actors.ts'
import { bookBatches } from '../../drill/batches.ts'
import { openBonds } from '../../drill/bonds.ts'
import type { LoggedBlock } from '../../drill/chainLog.ts'
import { findLostBonds } from '../../drill/costs.ts'
import { flowOf } from '../../drill/flows.ts'
import { drawBooks, type HonestBlock } from '../../drill/ledger.ts'
import { judgeMassExits } from '../../drill/verdictMassExits.ts'
import { encodeReclaimDemand } from '../../l1/massExitContract.ts'
import type { RootEvent, RootEventBody } from '../../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { type Batch, hashBatch, itemBond } from '../../protocol/massExit.ts'
import { DEPOSIT_INDEX, depositIdOf, encodePosition } from '../../protocol/position.ts'
import { createOutput } from '../../protocol/transaction.ts'

const test = suite('drill: books of mass exits')

const ALICE: Address = `0x${'a1'.repeat(20)}`
const BOB: Address = `0x${'b0'.repeat(20)}`
const CAROL: Address = `0x${'ca'.repeat(20)}`
const GWEI = 10n ** 9n
const MEP = 960
const separator = domainSeparator({ chainId: 31_337, rootContract: `0x${'c0'.repeat(20)}` })
const positionOf = (i: number) => encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 }) + 16 * i
const entries = [0, 1].map((i) => ({ position: positionOf(i), amount: 10n }))
/** One wei more than the fund can keep. */
const BOND = 520_000n * GWEI + 1n
const batch: Batch = {
  root: ZERO_HASH,
  count: 2,
  token: ZERO_ADDRESS,
  total: 20n,
  last: positionOf(1),
  madeAt: 0,
  startedAt: 1_000,
  coordinator: CAROL,
  bond: BOND,
}
const id = hashBatch(batch)
const item = itemBond(BOND, 2)
const fund = ((BOND - item) / GWEI) * GWEI
const bounty = (item * 60_000n) / 400_000n

const at = { l1Block: 7, l1BlockHash: ZERO_HASH, l1Timestamp: 1_241, logIndex: 0, txHash: ZERO_HASH }
const event = (body: RootEventBody): RootEvent => ({ ...body, at })
const started: RootEventBody = { type: 'BatchStarted', batchId: id, batch, entries }
const locked = (exitableAt = at.l1Timestamp + MEP): RootEventBody => {
  return { type: 'BatchLocked', batchId: id, item: { exitableAt } as never }
}
const turned: RootEventBody = { type: 'ExitPostponed', outputId: id, from: 0n, due: 20n }
const claimed = (index: number, owner = ALICE): RootEventBody => {
  return { type: 'EntriesClaimed', batchId: id, claimed: [{ index, outputId: depositIdOf(positionOf(index)), owner }] }
}
const released = (index: number): RootEventBody => {
  return { type: 'EntryReleased', batchId: id, index, position: positionOf(index), amount: 10n }
}
const demanded: RootEventBody = {
  type: 'EntryDemanded',
  batchId: id,
  index: 1,
  position: positionOf(1),
  demander: BOB,
  bond: 77n,
}
const dissolved = (by: number | null): RootEventBody => ({ type: 'BatchDissolved', batchId: id, demanded: by })
const deposited = (i: number, owner: Address): RootEventBody => {
  return { type: 'Deposited', position: positionOf(i), owner, token: ZERO_ADDRESS, amount: 10n }
}

function blockOf(bodies: readonly RootEventBody[], data: `0x${string}` = '0x'): LoggedBlock {
  const sent = { hash: ZERO_HASH, from: BOB, to: undefined, data, valueWei: 0n, gas: 1, costWei: 1n, ok: true }
  const base = { at: { block: 7, time: at.l1Timestamp }, hash: ZERO_HASH, parent: ZERO_HASH }
  return { ...base, baseFeeWei: 2n * GWEI + 1n, transactions: [sent], events: bodies.map(event) }
}
const bonds = (...bodies: RootEventBody[]) => openBonds([blockOf(bodies)])

test('a bond is owed until it is back: through the lock, the turn, removals and the close, to the wei', () => {
  assert.is(bonds(started), BOND)
  assert.is(bonds(started, locked()), item + fund, 'below a gwei the fund keeps nothing')
  const open = [started, locked(), turned]
  assert.is(bonds(...open), item + fund - bounty)
  const strike: RootEventBody = {
    type: 'StrikePaid',
    batchId: id,
    position: positionOf(0),
    challenger: BOB,
    reward: 95_000n * GWEI,
  }
  assert.is(bonds(...open, strike), item + fund - bounty - 95_000n * GWEI)
  // 30,000 gas at 2 gwei and a wei, in whole gwei; after the strike it is more than the fund has left.
  assert.is(bonds(...open, released(0)), item + fund - bounty - 60_000n * GWEI)
  assert.is(bonds(...open, strike, released(0)), item - bounty)
  const close: RootEventBody = { type: 'BatchClosed', batchId: id, returned: item - bounty }
  assert.is(bonds(...open, strike, released(0), close), 0n)
  assert.is(bonds(...open, strike, released(0), close, released(1)), 0n, 'a closed batch pays nothing more')
})

test('a dissolved batch owes nothing but demands that are open beside the one that ended it, until they are fetched', () => {
  const other: RootEventBody = { ...demanded, type: 'EntryDemanded', index: 0, bond: 5n } as RootEventBody
  assert.is(bonds(started, demanded), BOND + 77n)
  assert.is(bonds(started, demanded, dissolved(1)), 0n)
  assert.is(bonds(started, demanded, other, dissolved(1)), 5n)
  const fetched = blockOf([started, demanded, other, dissolved(1)], encodeReclaimDemand(batch, 0).data)
  assert.is(openBonds([fetched]), 0n)
  const answered: RootEventBody = { type: 'DemandAnswered', batchId: id, index: 1, outputId: ZERO_HASH, reward: 70n }
  assert.is(bonds(started, demanded, answered), BOND)
})

test('who lost what: the bond of a batch that fell by a demand, the bond of a demand that was answered', () => {
  const fell = findLostBonds([started, demanded, dissolved(1)].map(event))
  assert.equal(
    fell.map(({ payer, wei, expected }) => [payer, wei, expected]),
    [[CAROL, BOND, false]],
  )
  assert.equal(findLostBonds([started, dissolved(null)].map(event)), [])
  const answered: RootEventBody = { type: 'DemandAnswered', batchId: id, index: 1, outputId: ZERO_HASH, reward: 70n }
  assert.equal(
    findLostBonds([started, demanded, answered].map(event)).map(({ payer, wei, expected }) => [payer, wei, expected]),
    [[BOB, 77n, true]],
  )
})

test('a claim is money of its owner on L1, less the fee', () => {
  const fee: RootEventBody = { type: 'FeeTaken', batchId: id, outputId: depositIdOf(positionOf(0)), fee: 3n }
  assert.is(flowOf(ALICE, [blockOf([started, claimed(0)])]), 10n)
  assert.is(flowOf(ALICE, [blockOf([started, claimed(0), fee])]), 7n)
})

/** Alice and Bob have ten each; a mandate for Carol from both. */
function judged(
  bodies: readonly RootEventBody[],
  { blocks = [], without }: Readonly<{ blocks?: readonly HonestBlock[]; without?: Address }> = {},
): readonly string[] {
  const events = [deposited(0, ALICE), deposited(1, BOB), started, ...bodies].map(event)
  const honest = (name: string, address: Address) => ({ name, address, role: 'owner', honest: true, online: true })
  const owners = [ALICE, BOB].filter((owner) => owner !== without)
  const findings = judgeMassExits({
    books: drawBooks({ separator, events, blocks }),
    actors: [honest('alice', ALICE), honest('bob', BOB), honest('carol', CAROL)] as Actor[],
    massExits: {
      batches: bookBatches(events),
      mandates: owners.map((owner) => ({ owner, delegate: CAROL }) as never),
      blocks,
      minExitPeriod: MEP,
    },
  })
  return findings.filter(({ held }) => !held).map(({ invariant }) => invariant)
}

const spendOf = (i: number, anchor: number): HonestBlock => ({
  number: 1,
  anchor,
  transactions: [
    {
      transaction: {
        inputs: [positionOf(i)],
        outputs: [createOutput(BOB, ZERO_ADDRESS, 10n)],
        memo: ZERO_HASH as Hash,
      },
      witnesses: new Uint8Array(64),
    },
  ],
})
const struck: RootEventBody = {
  type: 'EntryStruck',
  batchId: id,
  position: positionOf(0),
  spend: 1,
  signer: ALICE,
  challenger: BOB,
}

test('a mass exit that pays everybody once breaks nothing', () => {
  assert.equal(judged([locked(), turned, claimed(0), claimed(1, BOB)]), [])
  assert.equal(judged([dissolved(null)]), [])
})

test('each invariant of mass exits is told when it is broken', () => {
  const open = [locked(), turned]
  assert.equal(judged([...open, claimed(0), claimed(0)]), ['MASS-1'])
  assert.equal(judged([...open, claimed(0), { type: 'ExitPaid', outputId: depositIdOf(positionOf(0)), amount: 1n }]), [
    'MASS-1',
  ])
  assert.equal(judged([...open, claimed(0), released(0)]), ['MASS-1'])
  assert.equal(judged([...open, struck, claimed(0)], { blocks: [spendOf(0, 1)] }), ['MASS-2'])
  assert.equal(judged([...open, struck], { blocks: [spendOf(0, 1)] }), [])
  assert.equal(judged([locked(at.l1Timestamp + MEP - 1)]), ['MASS-3'])
  assert.equal(judged([...open, released(1)]), ['MASS-3'], 'the share of somebody who was not paid was freed')
  assert.equal(judged([locked(), { ...turned, due: 19n } as RootEventBody]), ['MASS-3'])
  assert.equal(judged(open, { without: BOB }), ['MASS-4'])
  assert.equal(judged([{ type: 'HaltMoved', voidFrom: 9, isMove: true }, ...open], { without: BOB }), [])
  assert.equal(judged([demanded, dissolved(1)]), ['MASS-4'], 'an honest coordinator lost its bond')
  const back = item + fund - bounty
  for (const [returned, broken] of [
    [back, []],
    [back - 1n, ['MASS-4']],
    [back + 1n, ['MASS-4']],
  ] as const)
    assert.equal(judged([...open, { type: 'BatchClosed', batchId: id, returned }]), broken)
  assert.equal(judged(open, { blocks: [spendOf(0, at.l1Block)] }), ['MASS-5'])
  assert.equal(judged(open, { blocks: [spendOf(0, at.l1Block - 1)] }), [])
})

test.run()

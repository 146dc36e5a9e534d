/** How the claim to an entry stands: each thing that it can wait for, or that ends it, judged without sending anything. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { type Hash, type Hex, ZERO_HASH } from '../../protocol/bytes.ts'
import { type Exit, hashExit } from '../../protocol/exit.ts'
import { type Batch, hashBatch, itemPosition, placeEntries } from '../../protocol/massExit.ts'
import { judgeClaim } from '../../wallet/claimState.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { exitOutlook } from '../../wallet/exits.ts'
import type { KnownBatch } from '../../wallet/massExits.ts'
import { obtainExitData } from '../../wallet/proofs.ts'
import { createFakeWorld, ETH, type FakeWorld, NO_EXIT, TST } from './fakeWorld.ts'

const test = suite('state of a claim')
let world: FakeWorld
let alice: WalletContext
let position: number
const AMOUNT = 100n
const LOCK_BLOCK = 8

test.before.each(() => {
  world = createFakeWorld()
  alice = world.wallet(1)
  position = world.deposit(alice.account.address, ETH, AMOUNT)
})

function batchOf(changes: Partial<KnownBatch> = {}, amount = AMOUNT): KnownBatch {
  const entries = placeEntries([{ position, amount }])
  const batch: Batch = {
    root: ZERO_HASH,
    count: 1,
    token: ETH,
    total: amount,
    last: position,
    madeAt: 0,
    startedAt: world.nowSeconds - 1_000,
    coordinator: `0x${'c0'.repeat(20)}`,
    bond: 0n,
  }
  const id = hashBatch(batch)
  const item: Exit = {
    outputId: id,
    position: itemPosition(position),
    owner: ETH,
    token: ETH,
    amount,
    young: false,
    seq: 0,
    startedAt: world.nowSeconds - 900,
    exitableAt: world.nowSeconds - 660,
    lockedAt: LOCK_BLOCK,
    payer: batch.coordinator,
    bond: 0n,
    disputed: ZERO_HASH,
  }
  const record = { state: 'locked' as const, isClosed: false, demands: 0, fundWei: 0n }
  return { id, batch, entries, record, item, stage: 'turned', ticket: { from: 0n, due: amount }, ...changes }
}

async function judge(known = batchOf()) {
  const proven = await obtainExitData(alice, position)
  const state = await judgeClaim(alice, { known, entry: known.entries[0]!, proven })
  const why = 'why' in state ? state.why : ''
  return { kind: state.kind, why, outputId: proven.output.outputId }
}

async function outputId(): Promise<Hash> {
  return (await obtainExitData(alice, position)).output.outputId
}

const ZERO_25 = `0x${'00'.repeat(25)}` as Hex
const lockedAt = (l1Block: number) => `0x${l1Block.toString(16).padStart(50, '0')}` as Hex
const at = { l1Block: 9, l1BlockHash: ZERO_HASH, l1Timestamp: 0, logIndex: 0, txHash: ZERO_HASH }

test('is payable once its share is on the line and nobody spoke against it', async () => {
  assert.is((await judge()).kind, 'payable')
})

test('waits for the lock, then for the turn; nothing comes of a dissolved one', async () => {
  const { ticket, item, ...started } = batchOf()
  assert.match((await judge({ ...started, stage: 'started' })).why, 'to be locked')
  assert.match((await judge({ ...started, item: item!, stage: 'locked' })).why, 'turn')
  assert.is((await judge({ ...started, stage: 'dissolved' })).kind, 'lost')
})

test('names nothing when amount or token are off, or the deposit came after the lock', async () => {
  assert.match((await judge(batchOf({}, AMOUNT - 1n))).why, 'names nothing')
  const other = batchOf()
  assert.match((await judge({ ...other, batch: { ...other.batch, token: TST } })).why, 'names nothing')
  const early = batchOf({ item: { ...batchOf().item!, lockedAt: 1 } })
  assert.match((await judge(early)).why, 'deposited when')
})

test('is not paid while a spend by the owner is on file, unless that is anchored after an older lock', async () => {
  const known = batchOf()
  const struck: RootEvent = {
    type: 'EntryStruck',
    batchId: known.id,
    position,
    spend: 2 ** 25,
    signer: alice.account.address,
    challenger: TST,
    at,
  }
  world.events.push({ ...struck, signer: TST })
  assert.is((await judge(known)).kind, 'payable', 'a spend that somebody else signed')
  world.events.push(struck)
  assert.match((await judge(known)).why, 'a spend of it by its owner')
  world.events.push({ type: 'StrikeDropped', batchId: known.id, position, spend: 2 ** 25, signer: struck.signer, at })
  assert.is((await judge(known)).kind, 'payable')
})

test('waits for a spend that fell to be dropped, and is opened where it was not', async () => {
  const known = batchOf()
  const spend = 2 ** 25
  world.events.push({
    ...{ type: 'EntryStruck' as const, batchId: known.id, position, spend },
    ...{ signer: alice.account.address, challenger: TST, at },
  })
  assert.is((await judge(known)).kind, 'lost')
  world.voidFrom = 1
  assert.is((await judge(known)).kind, 'open')
  const half = alice.root.parameters.minExitPeriod / 2
  const early = { ...known, item: { ...known.item!, exitableAt: world.nowSeconds + half } }
  assert.match((await judge(early)).why, 'to drop the spend')
  const late = { ...known, item: { ...known.item!, exitableAt: world.nowSeconds + half - 1 } }
  assert.is((await judge(late)).kind, 'open')
})

test('is opened where the output was locked before the mass exit', async () => {
  world.records.set(await outputId(), { ...NO_EXIT, exitHash: lockedAt(LOCK_BLOCK - 1), state: 'locked' })
  assert.is((await judge()).kind, 'open')
  world.records.set(await outputId(), { ...NO_EXIT, exitHash: lockedAt(LOCK_BLOCK + 1), state: 'locked' })
  assert.is((await judge()).kind, 'payable')
  const fellAt = BigInt(world.nowSeconds) << 40n
  const fallen = `0x${(fellAt + BigInt(LOCK_BLOCK - 1)).toString(16).padStart(50, '0')}` as Hex
  world.records.set(await outputId(), { ...NO_EXIT, exitHash: fallen, state: 'locked' })
  assert.is((await judge()).kind, 'open', 'whether an exit fell since or not')
  const far = batchOf({ ticket: { from: 10n ** 30n, due: AMOUNT } })
  assert.is((await judge(far)).kind, 'open', 'before a stranger may, who would choose the place')
  world.records.set(await outputId(), { ...NO_EXIT, exitHash: lockedAt(LOCK_BLOCK - 1), state: 'locked' })
  assert.match((await judge(far)).why, 'money for its share')
  world.records.set(await outputId(), { ...NO_EXIT, exitHash: lockedAt(LOCK_BLOCK + 1), state: 'locked', running: 1 })
  assert.match((await judge()).why, 'verdict')
})

test('is opened where an exit that did not stand was paid a part', async () => {
  const id = await outputId()
  world.records.set(id, { ...NO_EXIT, exitHash: lockedAt(LOCK_BLOCK + 1), state: 'locked' })
  world.events.push({ type: 'ExitPaid', outputId: alice.account.address.padEnd(66, '0') as Hash, amount: 1n, at })
  assert.is((await judge()).kind, 'payable', 'of another output')
  world.events.push({ type: 'ExitPaid', outputId: id, amount: 1n, at })
  assert.is((await judge()).kind, 'open')
})

test('is paid once, and never what was removed, passed on or voided', async () => {
  for (const [state, kind] of [
    ['settled', 'paid'],
    ['removed', 'lost'],
  ] as const) {
    world.records.set(await outputId(), { ...NO_EXIT, exitHash: ZERO_25, state })
    assert.is((await judge()).kind, kind)
  }
})

test('waits for money where older places are not covered, and a period after the halt moved', async () => {
  const far = batchOf({ ticket: { from: 10n ** 30n, due: AMOUNT } })
  assert.match((await judge(far)).why, 'money for its share')
  world.lastMove = world.nowSeconds - 1
  assert.match((await judge()).why, 'halt')
})

test('an exit in a younger place gets the older share, covered or not, unless it was paid a part or stands elsewhere', async () => {
  const known = batchOf({ ticket: { from: 20n, due: AMOUNT } })
  const proven = await obtainExitData(alice, position)
  const { item } = known
  const judgeWith = async (own: Readonly<{ from: bigint; due: bigint }>, changes: Partial<Exit> = {}) => {
    const owner = alice.account.address
    const exit: Exit = { ...item!, outputId: await outputId(), owner, position, seq: 2 ** 39 + 1, ...changes }
    const exitHash = hashExit(exit).slice(0, 52) as Hex
    world.records.set(exit.outputId, { ...NO_EXIT, exitHash, state: 'ticket' })
    world.events.length = 0
    world.events.push({ type: 'ExitStarted', exit, at } as RootEvent)
    world.events.push({ type: 'ExitPostponed', outputId: exit.outputId, ...own, at })
    const root = { ...alice.root, ticket: async () => own, funded: async () => 30n }
    return (await judgeClaim({ root }, { known, entry: known.entries[0]!, proven })).kind
  }
  assert.is(await judgeWith({ from: 200n, due: AMOUNT }), 'adopt')
  assert.is(await judgeWith({ from: 10n, due: AMOUNT }), 'waits', 'its own is the older one')
  assert.is(await judgeWith({ from: 200n, due: AMOUNT - 1n }), 'waits')
  assert.is(await judgeWith({ from: 200n, due: AMOUNT }, { position: position + 16 }), 'waits')
})

test('an opened entry says that it is placed by a claim', async () => {
  const { item } = batchOf()
  const exit: Exit = { ...item!, outputId: await outputId(), owner: alice.account.address, seq: 2 ** 39 }
  const record = { ...NO_EXIT, exitHash: ZERO_25, state: 'queued' as const }
  const now = await alice.root.now()
  assert.match(
    exitOutlook({ exit, record }, alice.root.parameters, now, await alice.root.head()).words,
    'lifeboat claim',
  )
})

test.run()

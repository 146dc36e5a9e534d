/**
 * Mass exits (docs/spec.md section 6.4): the chain turns unsafe, and a watcher takes a crowd out in one transaction, answers for it, and pays
 * everybody. What strangers do with such batches, and what becomes of a watcher that is not there to answer.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHostile, type Hostile } from '../../drill/faults/operator.ts'
import { encodeDemandEntry, encodeDissolveBatch, encodeStartBatch } from '../../l1/massExitContract.ts'
import { encodeCloseChain, type SignedMandate } from '../../l1/rootCalls.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { hashMandate } from '../../protocol/mandate.ts'
import { type Batch, batchDeadlines, type PlacedEntry } from '../../protocol/massExit.ts'
import type { MerkleTree } from '../../protocol/merkle.ts'
import { type Account, createAccount } from '../../wallet/account.ts'
import type { BatchRecord } from '../../watcher/court/batchTypes.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import { send } from './acts.ts'
import { ETH, ETHER, inWorld, type RunningWatcher, until, type World } from './world.ts'

const test = suite('story: mass exits')
const GWEI = 10n ** 9n
const EACH = ETHER / 10n
/** L1 seconds; on the devnet a block is one. */
const ANSWER_SECONDS = 12

type Crowd = Readonly<{ hostile: Hostile; owners: readonly Account[]; watcher: RunningWatcher }>

function mandateOf(world: World, { address, sign }: Account, delegate: Account, now: number): SignedMandate {
  const root = world.deployment.contracts['root']!.address
  const mandate = {
    owner: address,
    delegate: delegate.address,
    validFrom: now - 10,
    validUntil: now + 100_000,
    position: 0,
    minAmount: 0n,
    maxFee: 0n,
    epoch: 0,
  }
  const separator = domainSeparator({ chainId: world.deployment.chainId, rootContract: root })
  return { mandate, signature: bytesToHex(sign(hashMandate(mandate, separator))) }
}

/** Owners with an output each who are offline; they gave the watcher a mandate over HTTP, unless they knew of none. */
async function gather(world: World, count: number, guarded = 0, areCovered = true): Promise<Crowd> {
  const hostile = await createHostile(world)
  const owners = Array.from({ length: count }, (_, i) => createAccount(keccak256Text(`${world.directory} ${i}`)))
  const alice = world.accountOf('alice')
  const funded = await world.fund('alice', BigInt(count) * EACH)
  const { timestamp: now } = await world.l1Now()
  const first = world.accountOf('first')
  const mandates = owners.map((owner) => mandateOf(world, owner, first, now))
  const watcher = await world.startWatcher('first', {
    limits: { ...defaultLimits(world.parameters), graceSeconds: 6 },
    peers: [hostile.peer, world.peerOf(world.operator.url)],
    policy: { staggerSeconds: 0, batchBondBudgetWei: 1_000n * ETHER },
    protectedAccounts: mandates.slice(0, guarded).map((signed) => ({ owner: signed.mandate.owner, ...signed })),
  })
  await hostile.takeOver()
  const halves = [owners.slice(0, count / 2), owners.slice(count / 2)]
  const split = hostile.sign(
    [alice],
    [funded],
    halves.map((half) => [alice, EACH * BigInt(half.length)] as const),
  )
  const paid = await hostile.commit([split])
  const spread = halves.map((half, i) =>
    hostile.sign(
      [alice],
      [hostile.positionOf(paid, 0, i)],
      half.map((owner) => [owner, EACH] as const),
    ),
  )
  const last = await hostile.commit(spread)
  hostile.serve(paid.number)
  hostile.serve(last.number)
  await until('the crowd’s blocks are verified', () => watcher.watcher.core.facts.verifiedBlock() === last.number)
  await world.request('anvil_mine', ['0x4'])
  if (!areCovered) return { hostile, owners, watcher }
  const answer = await post(watcher, '/v1/mandates', {
    mandates: mandates.map(({ mandate, signature }) => ({
      mandate: { ...mandate, minAmount: '0', maxFee: '0' },
      signature,
    })),
  })
  assert.ok(answer.results.every(({ state }) => state === 'added' || state === 'known'))
  return { hostile, owners, watcher }
}

async function post(watcher: RunningWatcher, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${watcher.watcher.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.is(response.status, 200)
  return (await response.json()) as { results: { state?: string }[] }
}

/** As world.passTo, without the blocks that it mines on top. */
async function moveTo(world: World, timestamp: number): Promise<void> {
  for (;;) {
    const left = timestamp - (await world.l1Now()).timestamp
    if (left <= 0) return
    await world.request('evm_increaseTime', [left])
    await world.request('anvil_mine', ['0x1'])
  }
}

/** A block that never comes. */
async function hide(world: World, { hostile, watcher }: Crowd): Promise<void> {
  const [mallory] = [world.accountOf('mallory')]
  await hostile.commit([hostile.sign([mallory], [hostile.positionOf({ number: 1 })], [[mallory, ETHER]])])
  await until('the grace is over', () => watcher.codes().includes('BLOCK_WITHHELD'))
}

function batchesOf({ watcher }: RunningWatcher): readonly BatchRecord[] {
  return watcher.core.batches.page('', 100)
}

async function ownBatch(watcher: RunningWatcher): Promise<BatchRecord> {
  return until('a mass exit starts', () =>
    batchesOf(watcher).find(({ batch }) => batch.coordinator === watcher.account.address),
  )
}

async function metricsOf({ watcher }: RunningWatcher): Promise<string> {
  return (await fetch(`${watcher.url}/metrics`)).text()
}

function gaugeOf(metrics: string, name: string, budget: string): number {
  const line = metrics.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(`budget="${budget}"`))
  return Number(line?.split(' ').at(-1))
}

/** Protected owners whose outputs were paid as entries. */
function paidOf({ watcher }: RunningWatcher): unknown[] {
  const told = watcher.core.alarm.page(0, 1_000).filter(({ code }) => code === 'PROTECTED_EXIT_PAID')
  return told.flatMap(({ details }) => ('batchId' in details ? [details['owner']] : []))
}

/** Of a watcher that may be off by now. */
async function demand(world: World, by: Account, { batch, tree, entries }: Known, index: number) {
  const entry = entries[index] as PlacedEntry
  await send(world, by, encodeDemandEntry(batch, { entry, tree }, 2_000_000n * 100n * GWEI))
}

type Known = Readonly<{ batch: Batch; tree: MerkleTree; entries: readonly PlacedEntry[] }>

function knownTo({ watcher }: RunningWatcher, { batchId, batch }: BatchRecord): Known {
  const { batches } = watcher.core
  return { batch, tree: batches.tree(batchId) as MerkleTree, entries: batches.entries(batchId) }
}

test(
  'twenty owners who are offline leave in one transaction, a demand is answered, and everybody is paid',
  inWorld({}, async (world) => {
    const crowd = await gather(world, 20, 2)
    const { owners, watcher: absent } = crowd
    await hide(world, crowd)
    const started = await ownBatch(absent)
    const { batchId, batch } = started
    assert.equal([batch.count, batch.total], [20, 20n * EACH])
    await until('it is told whom it takes along', () => absent.codes().includes('PROTECTED_IN_BATCH'))
    assert.is(gaugeOf(await metricsOf(absent), 'lifeboat_watcher_bound_wei', 'mass-exits'), Number(batch.bond))
    const { answer } = batchDeadlines(batch.startedAt, world.parameters.minExitPeriod)
    // It is off while the demand comes, and there is little time left.
    const known = knownTo(absent, started)
    await absent.stop()
    await demand(world, world.accountOf('mallory'), known, 7)
    await moveTo(world, answer - ANSWER_SECONDS)
    const watcher = await absent.restart()
    const record = () => watcher.watcher.core.batches.record(batchId)
    await until('the danger is told', () => watcher.codes().includes('DEMAND_UNANSWERED'))
    await until('the demand is answered', () => record()?.demands.get(7)?.answered)
    await world.passTo(answer + 1)
    await until('it is locked', () => record()?.state === 'locked')
    assert.equal(
      watcher.watcher.core.facts.openExits().filter(({ exit }) => exit.owner !== ETH).length,
      0,
      'nobody leaves twice',
    )
    await world.passTo(record()!.item!.exitableAt + 1)
    await until('everybody is paid', () => record()?.uses.size === 20)
    for (const owner of owners) assert.is(await world.etherOf(owner), EACH)
    assert.is(batchesOf(watcher).length, 1)
    await until('it is told who was paid', () => paidOf(watcher).length === 2)
    assert.equal(paidOf(watcher).sort(), [owners[0]!.address, owners[1]!.address].sort())
    const listed = await fetch(`${watcher.watcher.url}/v1/mass-exits`).then(
      (answer) => answer.json() as Promise<{ massExits: { shares: unknown; demands: unknown }[] }>,
    )
    assert.equal(listed.massExits[0]?.shares, { claimed: 20, placed: 0, released: 0, open: 0 })
    assert.equal(listed.massExits[0]?.demands, { open: 0, answered: 1 })
    await world.passTo(record()!.item!.exitableAt + world.parameters.minExitPeriod + 2)
    await until('the bond comes back', () => record()?.state === 'closed')
  }),
)

test(
  'a stranger’s batch that names a protected owner without a word from them is told, demanded of, and dissolved',
  inWorld({}, async (world) => {
    const crowd = await gather(world, 8, 1)
    const { watcher, owners } = crowd
    const { core } = watcher.watcher
    const [output] = core.facts.protectedOutputs(owners[0]!.address)
    const { position, amount, shown } = output!
    const mallory = world.accountOf('mallory')
    const start = { token: ETH, entries: [{ position, amount }], lastBlock: shown!.header, bondWei: ETHER }
    await send(world, mallory, encodeStartBatch(start))
    await until('it is told', () => watcher.codes().includes('BATCH_NAMES_PROTECTED'))
    const foreign = () => batchesOf(watcher).find(({ batch }) => batch.coordinator === mallory.address)
    const found = await until('the watcher demands the mandate', () => {
      const record = foreign()
      return record && record.openDemands === 1 && record
    })
    await world.passTo(batchDeadlines(found.batch.startedAt, world.parameters.minExitPeriod).answer + 1)
    await until('it is dissolved', () => foreign()?.state === 'dissolved')
    assert.is(core.ledger.find(position)?.lockedAt, undefined)
  }),
)

test(
  'a watcher that was not there to answer is told that its batch fell, and takes the crowd out again',
  inWorld({}, async (world) => {
    const crowd = await gather(world, 8)
    await hide(world, crowd)
    const started = await ownBatch(crowd.watcher)
    const { batchId, batch } = started
    const known = knownTo(crowd.watcher, started)
    const mallory = world.accountOf('mallory')
    await crowd.watcher.stop()
    await demand(world, mallory, known, 3)
    await world.passTo(batchDeadlines(batch.startedAt, world.parameters.minExitPeriod).answer + 1)
    await send(world, mallory, encodeDissolveBatch(batch, 3))
    const again = await crowd.watcher.restart()
    await until('its fall is told', () => again.codes().includes('BATCH_DISSOLVED'))
    const other = await until('the crowd leaves again', () =>
      batchesOf(again).find((record) => record.batchId !== batchId && record.state !== 'dissolved'),
    )
    assert.is(other.batch.count, 8)
  }),
)

test(
  'a halted chain whose owners never come and never gave a mandate: all of them are paid',
  inWorld({}, async (world) => {
    const { owners, watcher } = await gather(world, 10, 0, false)
    await send(world, world.operatorAccount, encodeCloseChain())
    const { batchId, batch } = await ownBatch(watcher)
    const record = () => watcher.watcher.core.batches.record(batchId)
    await world.passTo(batchDeadlines(batch.startedAt, world.parameters.minExitPeriod).answer + 1)
    await until('it is locked', () => record()?.state === 'locked')
    await world.passTo(record()!.item!.exitableAt + 1)
    await until('everybody is paid', () => record()?.uses.size === batch.count)
    for (const owner of owners) assert.is(await world.etherOf(owner), EACH)
  }),
)

test.run()

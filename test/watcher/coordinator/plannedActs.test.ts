/** What a watcher means to do about mass exits, as people are told: its plan with all its entries, and `explain` before and after the start. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex } from '../../../protocol/bytes.ts'
import { hashMandate, type Mandate } from '../../../protocol/mandate.ts'
import { createDoor } from '../../../service/http.ts'
import { createSilentLog } from '../../../service/log.ts'
import { signDigest } from '../../../signatures/sign.ts'
import { courtOf } from '../../../watcher/driver.ts'
import { explainExit } from '../../../watcher/explain.ts'
import { ROUTE_STATUS } from '../../../watcher/routes.ts'
import { addMassExitRoutes } from '../../../watcher/routesMassExits.ts'
import { policyOf, readingsOf } from '../court/world.ts'
import { batchOf } from '../support/batches.ts'
import {
  type Actor,
  alice,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  mallory,
  SEPARATOR,
} from '../support/chain.ts'
import { createTestCore, PARAMETERS } from '../support/core.ts'
import { createFakeL1 } from '../support/l1.ts'

const test = suite('watcher: planned acts of the coordinator')
const COUNT = 130
const EACH = 10n ** 18n
const ROOT = `0x${'cc'.repeat(20)}` as const

type PlanAnswer = Readonly<{
  batches: readonly Readonly<{ count: number; entries: readonly unknown[] }>[]
  drafts: readonly Readonly<{ root: `0x${string}`; count: number }>[]
}>

/** A chain with many deposits of Alice; Carol's key is the watcher's. */
async function createScene() {
  const l1 = createFakeL1({ finality: PARAMETERS.finalityBlocks })
  l1.mine(Array.from({ length: COUNT }, (_, i) => deposited(depositPosition(0, i), alice, EACH)))
  const policy = policyOf({ sender: carol.address })
  const core = createTestCore({
    l1,
    peers: [createFakePeer('operator').peer],
    overrides: {
      sender: carol.address,
      createCourt: courtOf({
        policy,
        rootContract: ROOT,
        readL1: async () => readingsOf({ balanceWei: 1_000n * EACH }),
      }),
    },
  })
  for (let i = 0; i < PARAMETERS.finalityBlocks + 2; i++) l1.mine()
  const door = createDoor({ name: 'watcher', version: '1', log: createSilentLog(), statusByCode: ROUTE_STATUS })
  addMassExitRoutes(door, core)
  const plan = async (query = '') => {
    const response = await door.app.request(`/v1/mass-exits/plan${query}`)
    return { status: response.status, body: (await response.json()) as PlanAnswer }
  }
  return { l1, core, plan }
}

test('tells what is on its way to L1, how it was sent, and what is meant to be done once it is there', async () => {
  const { l1, core, plan } = await createScene()
  l1.mine([{ type: 'HaltMoved', voidFrom: 1, isMove: true }])
  await core.tick()
  const [draft] = (await plan()).body.drafts
  assert.is(draft?.count, COUNT)
  const before = explainExit(core, draft!.root)?.summary.join('; ') ?? ''
  assert.match(before, `${COUNT} entries, `)
  assert.match(before, /means to start-batch by \d{4}-[-: \d]+ UTC: take 130 outputs .* \(queued\)/)

  const start = batchOf(l1, core.coordinator.drafts()[0]!.entries, { coordinator: carol })
  assert.is(start.batch.root, draft!.root)
  const demand = { index: 7, position: start.entries[7]!.position, demander: mallory.address, bond: 1n }
  l1.mine([start, { type: 'EntryDemanded', batchId: start.batchId, ...demand }])
  await core.tick()
  assert.is(explainExit(core, draft!.root), undefined, 'it is on L1 under its own id')
  const after = explainExit(core, start.batchId)?.summary.join('; ') ?? ''
  assert.match(after, /means to answer-demand by \d{4}-[-: \d]+ UTC: .* \(queued\)/)
  assert.is(after.match(/means to/g)?.length, 1)
})

test('a start that L1 takes back is sent again as it was, and no second batch of the same outputs is', async () => {
  const { l1, core, plan } = await createScene()
  l1.mine([{ type: 'HaltMoved', voidFrom: 1, isMove: true }])
  await core.tick()
  const [draft] = core.coordinator.drafts()
  l1.mine([batchOf(l1, draft!.entries, { coordinator: carol })])
  await core.tick()
  assert.equal((await plan()).body.drafts, [], 'it is on L1')
  l1.reorg(1)
  for (let i = 0; i < 2; i++) l1.mine()
  await core.tick()
  assert.equal(
    core.coordinator.drafts().map(({ key }) => key),
    [draft!.key],
  )
  const start = batchOf(l1, draft!.entries, { coordinator: carol })
  l1.mine([start])
  for (let i = 0; i < PARAMETERS.finalityBlocks; i++) l1.mine()
  await core.tick()
  // Final, it is over: dissolved, the crowd may be taken out anew.
  l1.mine([{ type: 'BatchDissolved', batchId: start.batchId, demanded: null }])
  await core.tick()
  const anew = core.coordinator.drafts().map(({ key, root }) => [key === draft!.key, root === draft!.root])
  assert.equal(anew, [[false, true]])
})

test('says so where it means to do nothing about a batch', async () => {
  const { l1, core } = await createScene()
  const start = batchOf(l1, [{ position: depositPosition(0, 0), amount: EACH }])
  l1.mine([start])
  await core.tick()
  assert.match(explainExit(core, start.batchId)?.summary.join('; ') ?? '', /means to do nothing about it now/)
})

test('the plan tells the first entries, and all of them to who asks', async () => {
  const { core, plan } = await createScene()
  const { timestamp } = core.facts.l1Now()
  core.coordinator.mandates.add(mandateOf(alice, carol, timestamp), 1)
  await core.tick()
  const counts = async (query: string) =>
    (await plan(query)).body.batches.map(({ count, entries }) => [count, entries.length])
  assert.equal(await counts(''), [[COUNT, 100]])
  assert.equal(await counts('?entries=all'), [[COUNT, COUNT]])
  assert.is((await plan('?entries=some')).status, 400)
})

function mandateOf(owner: Actor, delegate: Actor, now: number) {
  const mandate: Mandate = {
    owner: owner.address,
    delegate: delegate.address,
    validFrom: now - 10,
    validUntil: now + 30 * PARAMETERS.minExitPeriod,
    position: 0,
    minAmount: 0n,
    maxFee: 0n,
    epoch: 0,
  }
  return { mandate, signature: bytesToHex(signDigest(hashMandate(mandate, SEPARATOR), owner.key)) }
}

test.run()

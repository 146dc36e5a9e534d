/** A coordinator beside others: batches of strangers, batches of its own that can't be locked any more, owners with several mandates. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planProtected } from '../../../watcher/court/protectedExit.ts'
import type { World } from '../../../watcher/court/types.ts'
import type { CourtContext } from '../../../watcher/courtPort.ts'
import { courtOf } from '../../../watcher/driver.ts'
import { hashOf, policyOf, readingsOf, worldAt } from '../court/world.ts'
import { batchOf, lockOf } from '../support/batches.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  makeBlock,
  mallory,
  mandateOf,
  pay,
  submitted,
} from '../support/chain.ts'
import { createTestCore, PARAMETERS } from '../support/core.ts'
import { createFakeL1 } from '../support/l1.ts'

const test = suite('watcher: a coordinator and its rivals')
const MEP = PARAMETERS.minExitPeriod
const ROOT = `0x${'cc'.repeat(20)}` as const
const EACH = 10n ** 18n
const COUNT = 10
const readings = readingsOf({ balanceWei: 1_000n * EACH })

/** Alice has ten deposits, all final. Carol's key is the watcher's. `count`: of deposits. */
async function createScene(count = COUNT) {
  const l1 = createFakeL1({ finality: PARAMETERS.finalityBlocks })
  l1.mine(Array.from({ length: count }, (_, i) => deposited(depositPosition(0, i), alice, EACH)))
  const settle = async () => {
    for (let i = 0; i < PARAMETERS.finalityBlocks + 2; i++) l1.mine()
    await core.tick()
  }
  let massExits: CourtContext['massExits']
  const policy = policyOf({ sender: carol.address })
  const core = createTestCore({
    l1,
    peers: [createFakePeer('operator').peer],
    overrides: {
      sender: carol.address,
      createCourt: (context) => {
        massExits = context.massExits
        return courtOf({ policy, rootContract: ROOT, readL1: async () => readings })(context)
      },
    },
  })
  await settle()
  const entries = Array.from({ length: count }, (_, i) => ({ position: depositPosition(0, i), amount: EACH }))
  const world = (changes: Partial<World> = {}): World => ({
    ...worldAt(0, {
      now: core.facts.l1Now(),
      parameters: PARAMETERS,
      verifiedBlock: core.facts.verifiedBlock(),
      newestBlock: core.facts.newestBlock(),
      protectedOwners: new Set(core.facts.protectedAccounts().map(({ owner }) => owner)),
      policy: policyOf({ sender: carol.address }),
      ...changes,
    }),
  })
  const withheld = (lastSafeMoment: number): World['safety'] => {
    return { status: 'unsafe', reason: 'withheld', block: 1, since: 0, lastSafeMoment, observedSeconds: 60 }
  }
  const halted: World['safety'] = { status: 'unsafe', reason: 'halted', block: 1, since: 0 }
  const rest = (seconds: number) => {
    l1.mine([], seconds)
    return core.tick()
  }
  /** What is meant to be done about batches. */
  const acts = (now: World) => massExits?.plan(now, readings).map(({ type }) => type) ?? []
  return { l1, core, entries, world, withheld, halted, settle, rest, acts }
}

test('an output in an older batch of a stranger is not taken out a second time by a batch of its own', async () => {
  const { l1, core, entries, world, withheld, settle } = await createScene()
  core.coordinator.mandates.add(mandateOf(alice), 1)
  l1.mine([batchOf(l1, entries, { coordinator: mallory })])
  await settle()
  // The stranger's batch could fail too late for one of ours.
  const safety = withheld(core.facts.l1Now().timestamp + MEP / 4 + PARAMETERS.reaction + 1_000)
  core.coordinator.propose([], readings, world({ safety }))
  assert.is(core.coordinator.drafts().length, 1)
  const [draft] = core.coordinator.drafts()
  l1.mine([batchOf(l1, draft!.entries, { coordinator: carol })])
  await settle()
  const { effects } = core.coordinator.propose([], readings, world({ safety }))
  assert.equal([effects.length, core.coordinator.drafts().length], [0, 0])
})

test('nor after a halt, when the stranger neither locked nor dissolved its batch', async () => {
  const { l1, core, entries, world, halted, settle, rest } = await createScene()
  l1.mine([batchOf(l1, entries, { coordinator: mallory })])
  await settle()
  await rest(MEP / 2)
  const now = () => world({ safety: halted, voidFrom: 1 })
  core.coordinator.propose([], readings, now())
  const [draft] = core.coordinator.drafts()
  l1.mine([batchOf(l1, draft!.entries, { coordinator: carol })])
  await settle()
  const { effects } = core.coordinator.propose([], readings, now())
  assert.equal([effects.length, core.coordinator.drafts().length], [0, 0])
})

for (const isDemanded of [true, false]) {
  test(`outputs of its own batch that can be locked no more leave anew, ${isDemanded ? 'whoever holds the demand back' : 'dissolved or not'}`, async () => {
    const { l1, core, entries, world, halted, settle, rest } = await createScene()
    core.coordinator.mandates.add(mandateOf(alice), 1)
    const start = batchOf(l1, entries, { coordinator: carol })
    const demand = { index: 7, position: entries[7]!.position, demander: mallory.address, bond: 1n }
    l1.mine(isDemanded ? [start, { type: 'EntryDemanded', batchId: start.batchId, ...demand }] : [start])
    await settle()
    const found = () => {
      const now = world({ safety: halted, voidFrom: 1 })
      const { singles, batches } = core.coordinator.preview(now, readings)
      return singles.length + batches.reduce((sum, { entries: { length } }) => sum + length, 0)
    }
    assert.is(found(), 0)
    await rest(MEP / 4)
    assert.is(found(), isDemanded ? COUNT : 0)
    await rest(MEP / 4)
    assert.is(found(), COUNT)
  })
}

test('a protected owner in a batch of its own that can be locked no more leaves alone, if nothing else', async () => {
  const { l1, core, entries, world, withheld, settle, rest } = await createScene(2)
  core.protection.add({ owner: alice.address, ...mandateOf(alice) }, 0)
  const start = batchOf(l1, entries, { coordinator: carol })
  const demand = { index: 1, position: entries[1]!.position, demander: mallory.address, bond: 1n }
  l1.mine([start, { type: 'EntryDemanded', batchId: start.batchId, ...demand }])
  await settle()
  const account = core.facts.protectedAccounts()[0]!
  const left = () => {
    const safety = withheld(core.facts.l1Now().timestamp + MEP)
    const ward = { account, revoked: false, outputs: core.facts.protectedOutputs(alice.address) }
    const { wards } = core.coordinator.propose([ward], readings, world({ safety }))
    return wards.flatMap(({ outputs }) => outputs).length
  }
  assert.is(left(), 0)
  await rest(MEP / 4)
  assert.is(left(), 2)
})

test('who gave several mandates leaves by the one that covers the output, not by the newest', async () => {
  const { core, entries, world, withheld } = await createScene(3)
  const { timestamp } = core.facts.l1Now()
  core.coordinator.mandates.add(mandateOf(alice), 1)
  core.coordinator.mandates.add(
    mandateOf(alice, { position: entries[1]!.position, validUntil: timestamp + 10 * MEP }),
    2,
  )
  const { wards } = core.coordinator.propose([], readings, world({ safety: withheld(timestamp + MEP) }))
  const covered = wards.flatMap(({ account: { mandate }, outputs }) =>
    outputs.filter(({ position }) => mandate.position === 0 || mandate.position === position),
  )
  assert.equal(
    covered.map(({ position }) => position),
    entries.map(({ position }) => position),
  )
})

test('a protected owner whose mandate is over leaves by another that was handed in', async () => {
  const { core, world, withheld, rest } = await createScene(2)
  const { timestamp } = core.facts.l1Now()
  core.protection.add({ owner: alice.address, ...mandateOf(alice, { validUntil: timestamp + 100 }) }, 0)
  core.coordinator.mandates.add(mandateOf(alice), 1)
  await rest(200)
  const now = world({ safety: withheld(core.facts.l1Now().timestamp + MEP) })
  const account = core.facts.protectedAccounts()[0]!
  const ward = { account, revoked: false, outputs: core.facts.protectedOutputs(alice.address) }
  const { wards } = core.coordinator.propose([ward], readings, now)
  const effects = planProtected({ wards, disputes: [], openExits: [], readings, world: now })
  assert.equal(
    effects.map(({ type }) => type),
    ['start-exit', 'start-exit'],
  )
})

test('entries of owners who trust it, in front, do not hide those that name nothing from being demanded', async () => {
  const { l1, core, entries, world, settle, acts } = await createScene(70)
  core.coordinator.mandates.add(mandateOf(alice), 1)
  const phantom = { position: depositPosition(0, 500), amount: 1_000n * EACH }
  l1.mine([batchOf(l1, [...entries, phantom], { coordinator: mallory })])
  await settle()
  assert.equal(acts(world()), ['demand-entry'])
})

test('nor do entries that name nothing hide those of owners who trust it from being locked', async () => {
  const { l1, core, entries, world, settle, rest, acts } = await createScene(2)
  core.coordinator.mandates.add(mandateOf(alice), 1)
  const last = { position: depositPosition(0, 900), amount: EACH }
  l1.mine([deposited(last.position, alice, last.amount)])
  const phantoms = Array.from({ length: 70 }, (_, i) => ({ position: depositPosition(0, 500 + i), amount: EACH }))
  l1.mine([batchOf(l1, [...phantoms, last], { coordinator: mallory })])
  await settle()
  await rest(MEP / 4)
  assert.equal(acts(world()), ['lock-batch'])
  assert.is(entries.length, 2)
})

for (const isHalted of [true, false]) {
  test(`dust does not keep what is worth something out of the plan ${isHalted ? 'after a halt' : 'of a living chain'}`, async () => {
    const l1 = createFakeL1({ finality: PARAMETERS.finalityBlocks })
    const dust = Array.from({ length: 40 }, (_, i) => deposited(depositPosition(0, i), alice, 1n))
    l1.mine([...dust, ...[40, 41, 42].map((i) => deposited(depositPosition(0, i), bob, EACH))])
    for (let i = 0; i < PARAMETERS.finalityBlocks + 2; i++) l1.mine()
    const overrides = { sender: carol.address, mostCandidates: 20 }
    const core = createTestCore({ l1, peers: [createFakePeer('operator').peer], overrides })
    await core.tick()
    for (const owner of [alice, bob]) core.coordinator.mandates.add(mandateOf(owner), 1)
    assert.ok(alice.address < bob.address, 'hers come first')
    const lastSafeMoment = core.facts.l1Now().timestamp + MEP
    const { batches, singles } = core.coordinator.preview(
      {
        ...worldAt(0, { now: core.facts.l1Now(), parameters: PARAMETERS, verifiedBlock: 0, newestBlock: 0 }),
        protectedOwners: new Set(),
        policy: policyOf({ sender: carol.address }),
        ...(isHalted
          ? { voidFrom: 1, safety: { status: 'unsafe', reason: 'halted', block: 1, since: 0 } }
          : {
              safety: { status: 'unsafe', reason: 'withheld', block: 1, since: 0, lastSafeMoment, observedSeconds: 60 },
            }),
      },
      readings,
    )
    const planned = [...batches.flatMap(({ entries }) => entries), ...singles].map(({ position }) => position)
    for (const i of [40, 41, 42]) assert.ok(planned.includes(depositPosition(0, i)), `${i}`)
  })
}

for (const isHalted of [true, false]) {
  test(`outputs that nobody can pay the bond for do not hide those of all others for ever ${isHalted ? 'after a halt' : 'on a living chain'}`, async () => {
    const l1 = createFakeL1({ finality: PARAMETERS.finalityBlocks })
    const operator = createFakePeer('operator')
    l1.mine(Array.from({ length: 40 }, (_, i) => deposited(depositPosition(0, i), alice, EACH)))
    l1.mine([deposited(depositPosition(0, 40), mallory, EACH)])
    const blocks = Array.from({ length: 6 }, (_, i) => {
      return makeBlock(i + 1, 2, [pay(mallory, i === 0 ? depositPosition(0, 40) : at(i, 0), [[mallory, EACH]])])
    })
    operator.serve(...blocks)
    l1.mine([submitted(blocks, l1.now() + 12)])
    const his = depositPosition(6, 0)
    l1.mine([deposited(his, bob, 2n * EACH)])
    for (let i = 0; i < PARAMETERS.finalityBlocks + 2; i++) l1.mine()
    const overrides = { sender: carol.address, mostCandidates: 20 }
    const core = createTestCore({ l1, peers: [operator.peer], overrides })
    await core.tick()
    for (const owner of [alice, bob]) core.coordinator.mandates.add(mandateOf(owner), 1)
    assert.ok(alice.address < bob.address, 'hers come first')
    const isSeen = () => {
      const { batches, singles, refused } = core.coordinator.preview(
        {
          ...worldAt(0, { now: core.facts.l1Now(), parameters: PARAMETERS, verifiedBlock: 6, newestBlock: 6 }),
          protectedOwners: new Set(),
          policy: policyOf({ sender: carol.address }),
          ...(isHalted
            ? { voidFrom: 7, safety: { status: 'unsafe', reason: 'halted', block: 7, since: 0 } }
            : {
                safety: {
                  status: 'unsafe',
                  reason: 'withheld',
                  block: 7,
                  since: 0,
                  lastSafeMoment: 2 ** 31,
                  observedSeconds: 60,
                },
              }),
        },
        readingsOf({ balanceWei: 0n }),
      )
      return [...batches.flatMap(({ entries }) => entries), ...singles, ...refused].some((one) => one.position === his)
    }
    let looks = 0
    while (!isSeen()) {
      assert.ok(++looks < 30, 'not in thirty L1 blocks')
      l1.mine()
      await core.tick()
    }
  })
}

test('from a vault that is short a protected owner leaves at once and alone: whoever is earlier is served', async () => {
  const { l1, core, world, settle } = await createScene()
  core.protection.add({ owner: alice.address, ...mandateOf(alice) }, 0)
  const safety = {
    status: 'unsafe',
    reason: 'short',
    block: 2 ** 27,
    since: 0,
    outputId: hashOf(1),
    missing: 1n,
  } as World['safety']
  const left = () => {
    const account = core.facts.protectedAccounts()[0]!
    const ward = { account, revoked: false, outputs: core.facts.protectedOutputs(alice.address) }
    return core.coordinator.propose([ward], readings, world({ safety })).wards.flatMap(({ outputs }) => outputs).length
  }
  assert.is(core.coordinator.preview(world({ safety }), readings).singles.length, 0)
  assert.is(left(), COUNT, 'its place would come MEP/4 later in a mass exit')
  const [draft] = core.coordinator.drafts()
  l1.mine([batchOf(l1, draft!.entries, { coordinator: carol })])
  await settle()
  assert.is(left(), COUNT, 'until it is locked')
})

test('a plan that many ask for is made once for each state of things', async () => {
  const { core, world, withheld, rest } = await createScene()
  core.coordinator.mandates.add(mandateOf(alice), 1)
  const preview = () => core.coordinator.preview(world({ safety: withheld(2 ** 31) }), readings)
  const first = preview()
  assert.is(preview(), first)
  await rest(12)
  assert.is.not(preview(), first)
  const next = preview()
  core.coordinator.propose([], readings, world({ safety: withheld(2 ** 31) }))
  assert.is.not(preview(), next, 'what is on its way is planned no more')
  assert.equal(preview().batches, [])
})

test('a mass exit that waits to be sent is given up once a stranger has locked all that it names, and taken up again after a reorg', async () => {
  const { l1, core, entries, world, withheld, settle, rest } = await createScene()
  core.coordinator.mandates.add(mandateOf(alice), 1)
  const rival = batchOf(l1, entries, { coordinator: mallory })
  l1.mine([rival])
  await settle()
  await rest(MEP / 4)
  const safety = withheld(core.facts.l1Now().timestamp + MEP / 4 + PARAMETERS.reaction + 1_000)
  const starts = () => core.coordinator.propose([], readings, world({ safety })).effects.length
  assert.is(starts(), 1)
  l1.mine([lockOf(l1, rival)])
  await core.tick()
  assert.equal([starts(), core.coordinator.drafts().length], [0, 0])
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(starts(), 1)
})

test.run()

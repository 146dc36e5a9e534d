/** What disputes make a watcher say, and how its door shows them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { createDoor } from '../../service/http.ts'
import { createSilentLog } from '../../service/log.ts'
import { ROUTE_STATUS } from '../../watcher/routes.ts'
import { addWatchRoutes } from '../../watcher/routesWatch.ts'
import {
  type Actor,
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  hashOf,
  makeBlock,
  mallory,
  mandateOf,
  pay,
  ROOT_CONTRACT,
  submitted,
} from './support/chain.ts'
import { createTestCore, PARAMETERS } from './support/core.ts'
import { decided, disputeOf, exitThrough, started } from './support/disputes.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: news of disputes')
const D0 = depositPosition(0, 0)
const MEP = PARAMETERS.minExitPeriod

/** Alice signed a payment of her deposit to Bob; nobody knows where it is. Carol is the watcher's key. */
async function createScene(wards: readonly Actor[] = []) {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n)])
  const core = createTestCore({ l1, peers: [operator.peer], overrides: { sender: carol.address } })
  await core.tick()
  for (const ward of wards) {
    core.protection.add({ owner: ward.address, ...mandateOf(ward, { validUntil: l1.now() + 100 * MEP }) }, 0)
  }
  const inFlight = pay(alice, D0, [[bob, 100n]])
  const event = (starter: Actor = mallory) => disputeOf(l1, inFlight, [{ owner: alice, amount: 100n }], starter)
  const submit = (...signed: (typeof inFlight)[]) => {
    const block = makeBlock(core.facts.newestBlock() + 1, 1, signed)
    operator.serve(block)
    l1.mine([submitted([block], l1.now() + 12)])
  }
  return { l1, core, inFlight, txHash: hashOf(inFlight), event, submit }
}

for (const [who, ward] of [
  ['spends', alice],
  ['pays', bob],
] as const) {
  test(`a dispute about a transaction that ${who} a protected account is told, once`, async () => {
    const { l1, core, event, txHash } = await createScene([ward])
    l1.mine([event()])
    await core.tick()
    assert.equal(core.codes(), ['DISPUTE_STARTED'])
    assert.equal(core.alarm.read(1)?.details['owners'], [ward.address])
    l1.mine([{ type: 'DisputeAnswered', txHash, position: at(1, 0) }])
    await core.tick()
    assert.is(core.alarm.read(1)?.dedupe, `DISPUTE_STARTED ${txHash}`)
    assert.is(core.codes().length, 1)
  })
}

for (const [why, wards, starter] of [
  ['nobody in it is protected', [], mallory],
  ['its only protected party started it', [alice], alice],
  ['we started it', [alice, bob], carol],
] as const) {
  test(`a dispute is no news where ${why}`, async () => {
    const { l1, core, event } = await createScene(wards)
    l1.mine([event(starter)])
    await core.tick()
    assert.equal(core.codes(), [])
  })
}

test('a dispute of long ago is history', async () => {
  const { l1, core, event } = await createScene([alice])
  l1.mine([event()])
  l1.mine([], MEP + 60)
  await core.tick()
  assert.equal(core.codes(), [])
})

test('an exit through a dispute of an output that was spent is told, and again when time runs out', async () => {
  const { l1, core, event, inFlight, submit } = await createScene()
  submit(inFlight, pay(bob, at(1, 0), [[mallory, 100n]]))
  const dispute = event()
  l1.mine([dispute, started(exitThrough(l1, dispute, { output: 0 }))])
  await core.tick()
  assert.equal(core.codes(), ['DISPUTED_EXIT_INVALID'])
  l1.mine([], Math.floor(MEP * 0.7))
  await core.tick()
  assert.equal(core.codes(), ['DISPUTED_EXIT_INVALID', 'DISPUTED_EXIT_UNCHALLENGED'])
})

test('an exit through a dispute is quiet while no verified block holds the transaction, and loud once one does', async () => {
  const { l1, core, event, inFlight, submit } = await createScene()
  const dispute = event()
  l1.mine([dispute, started(exitThrough(l1, dispute, { output: 0 }))])
  await core.tick()
  assert.equal(core.codes(), [])
  submit(inFlight)
  await core.tick()
  assert.equal(core.codes(), [])
  submit(pay(bob, at(1, 0), [[mallory, 100n]]))
  await core.tick()
  assert.equal(core.codes(), ['DISPUTED_EXIT_INVALID'])
})

const inputExit = (l1: ReturnType<typeof createFakeL1>) =>
  exitOf({ position: D0, owner: alice, amount: 100n, lockedAt: l1.tip().number + 1, startedAt: l1.now() + 12 })

test('an exit of a disputed input that another transaction spent hangs on the verdict', async () => {
  const { l1, core, event, submit } = await createScene()
  submit(pay(alice, D0, [[mallory, 100n]]))
  l1.mine([event(), started(inputExit(l1))])
  await core.tick()
  assert.ok(core.codes().includes('DISPUTED_EXIT_INVALID'), core.codes().join())
  assert.not.ok(core.codes().includes('INVALID_EXIT'))
})

test('an exit of an input that the disputed transaction itself spent is on trial: nothing is told of it', async () => {
  const { l1, core, event, inFlight, submit } = await createScene()
  submit(inFlight)
  const exit = inputExit(l1)
  l1.mine([event(), started(exit)])
  l1.mine([], Math.floor(MEP * 0.8))
  await core.tick()
  assert.equal(core.codes(), [])
  l1.mine([decided(hashOf(inFlight), 'canonical'), { type: 'ExitRemoved', outputId: exit.outputId, reason: 'spent' }])
  await core.tick()
  assert.equal(core.codes(), [])
})

test('without the dispute the same exit is an invalid one', async () => {
  const { l1, core, inFlight, submit } = await createScene()
  submit(inFlight)
  l1.mine([started(inputExit(l1))])
  await core.tick()
  assert.equal(core.codes(), ['INVALID_EXIT'])
})

for (const [verdict, rivals] of [
  ['canonical', true],
  ['not-canonical', false],
] as const) {
  test(`a ${verdict} verdict that verified blocks contradict is loud`, async () => {
    const { l1, core, event, inFlight, submit, txHash } = await createScene()
    submit(rivals ? pay(alice, D0, [[mallory, 100n]]) : inFlight)
    l1.mine([event()])
    await core.tick()
    assert.equal(core.codes(), [])
    l1.mine([decided(txHash, verdict)])
    await core.tick()
    assert.equal(core.codes(), ['DISPUTE_OUTCOME_UNKNOWN'])
  })

  test(`a ${verdict} verdict that verified blocks bear out is not`, async () => {
    const { l1, core, event, inFlight, submit, txHash } = await createScene()
    submit(rivals ? inFlight : pay(alice, D0, [[mallory, 100n]]))
    l1.mine([event(), decided(txHash, verdict)])
    await core.tick()
    assert.equal(core.codes(), [])
  })
}

async function createShownScene() {
  const scene = await createScene()
  const { l1, core, event, inFlight, submit, txHash } = scene
  submit(inFlight, pay(bob, at(1, 0), [[mallory, 100n]]))
  const dispute = event()
  const exit = exitThrough(l1, dispute, { output: 0 })
  l1.mine([dispute, started(exit)])
  const challenger = carol.address
  l1.mine([{ type: 'CompetitorShown', txHash, competitor: ZERO_HASH, position: 0, input: 0, challenger, reward: 0n }])
  l1.mine([{ type: 'DisputeAnswered', txHash, position: at(1, 0) }])
  await core.tick()
  const door = createDoor({ name: 'watcher', version: '1', log: createSilentLog(), statusByCode: ROUTE_STATUS })
  addWatchRoutes(door, core, { version: '1', chainId: 1, rootContract: ROOT_CONTRACT, sender: undefined })
  const get = async (path: string) => {
    const response = await door.app.request(path)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { ...scene, exit, dispute, get }
}

test('the door shows a dispute with what L1 was shown and what the blocks say', async () => {
  const { get, txHash, exit, dispute } = await createShownScene()
  const { status, body } = await get(`/v1/disputes/${txHash}`)
  assert.is(status, 200)
  assert.equal(body, {
    txHash,
    state: 'running',
    starter: mallory.address,
    bond: '7',
    startedAt: dispute.dispute.startedAt,
    exitableAt: dispute.dispute.exitableAt,
    lockedAt: 3,
    agePosition: D0,
    memo: ZERO_HASH,
    inputs: [
      {
        outputId: dispute.inputs[0]?.outputId,
        position: D0,
        madeBy: ZERO_HASH,
        owner: alice.address,
        token: `0x${'00'.repeat(20)}`,
        amount: '100',
        lockedAt: 3,
        suspended: true,
      },
    ],
    outputs: [
      {
        outputId: exit.outputId,
        owner: bob.address,
        token: `0x${'00'.repeat(20)}`,
        amount: '100',
        exit: 'queued',
        spend: at(1, 1),
      },
    ],
    made: at(1, 0),
    competitors: [{ txHash: ZERO_HASH, position: 0, input: 0 }],
    answers: [at(1, 0)],
  })
  assert.equal((await get('/v1/disputes')).body['disputes'], [body])
  assert.equal((await get('/v1/disputes?running=true')).body['disputes'], [body])
  assert.equal((await get(`/v1/disputes?cursor=${txHash}`)).body['disputes'], [])
})

test('the door shows an exit through a dispute with its own place, not that of its age', async () => {
  const { get, exit, txHash } = await createShownScene()
  const { body } = await get(`/v1/exits/${exit.outputId}`)
  assert.is(body['disputed'], txHash)
  assert.is(body['position'], D0)
  assert.is(body['place'], at(1, 0))
  assert.is(body['spend'], at(1, 1))
  assert.is(body['output'], 'spent')
})

test('the status counts disputes, and exits in all their states', async () => {
  const { get, l1, core, txHash } = await createShownScene()
  l1.mine([decided(txHash, 'canonical')])
  await core.tick()
  const { body } = await get('/v1/status')
  assert.equal(body['disputes'], { running: 0, canonical: 1, 'not-canonical': 0 })
  assert.equal(Object.keys(body['exits'] as object).length, 6)
  assert.equal((await get('/v1/disputes?running=true')).body['disputes'], [])
})

test('a dispute and an exit through it are explained', async () => {
  const { get, txHash, exit } = await createShownScene()
  const dispute = (await get(`/v1/explain/dispute/${txHash}`)).body['summary'] as readonly string[]
  assert.match(dispute.join('\n'), 'stands at block 1')
  assert.match(dispute.join('\n'), 'competitors shown')
  assert.match(dispute.join('\n'), 'output 0 was spent by')
  const leaving = (await get(`/v1/explain/exit/${exit.outputId}`)).body['summary'] as readonly string[]
  assert.match(leaving[0] ?? '', `an output of the disputed transaction ${txHash}`)
  assert.match(leaving.join('\n'), 'hangs on the verdict')
  const none = `0x${'11'.repeat(32)}`
  assert.is((await get(`/v1/explain/dispute/${none}`)).status, 404)
  assert.is((await get(`/v1/disputes/${none}`)).status, 404)
  assert.is((await get(`/v1/exits/${txHash}`)).status, 404)
})

test('a halt is told, with what is void, and no more when L1 takes it back', async () => {
  const { core, l1 } = await createScene()
  l1.mine([{ type: 'HaltMoved', voidFrom: 7, isMove: true }])
  const moved = l1.now()
  await core.tick()
  assert.ok(core.codes().includes('CHAIN_HALTED'))
  assert.equal(core.facts.halt(), { voidFrom: 7, lastMove: moved })
  l1.mine([{ type: 'HaltMoved', voidFrom: 3, isMove: false }])
  await core.tick()
  assert.equal(core.facts.halt(), { voidFrom: 3, lastMove: moved }, 'a close restarts nothing')
  l1.reorg(2)
  for (let i = 0; i < 3; i++) l1.mine([])
  await core.tick()
  assert.equal(core.facts.halt(), { voidFrom: 0, lastMove: 0 })
})

test.run()

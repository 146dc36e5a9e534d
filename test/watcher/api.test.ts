/** The watcher's door without a socket: who may change what, what is refused, what is promised. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Mandate } from '../../protocol/mandate.ts'
import { createDoor } from '../../service/http.ts'
import { createSilentLog } from '../../service/log.ts'
import { addAccountRoutes, addBlockRoutes, ROUTE_STATUS } from '../../watcher/routes.ts'
import { addAdminRoutes, addWatchRoutes } from '../../watcher/routesWatch.ts'
import {
  type Actor,
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  hashOf,
  makeBlock,
  mallory,
  mandateOf,
  pay,
  ROOT_CONTRACT,
  submitted,
} from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { readAnswer } from './support/json.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: API')
const D0 = depositPosition(0, 0)
const ZERO = `0x${'0'.repeat(40)}` as const

async function createScene({ hasToken = true } = {}) {
  const token = hasToken ? 'secret' : undefined
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n), deposited(depositPosition(0, 1), bob, 7n)])
  const payment = pay(alice, D0, [
    [bob, 60n],
    [alice, 40n],
  ])
  const block = makeBlock(1, 1, [payment])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  const core = createTestCore({ l1, peers: [operator.peer], overrides: { sender: carol.address } })
  await core.tick()
  const door = createDoor({ name: 'watcher', version: '1', log: createSilentLog(), statusByCode: ROUTE_STATUS })
  addAdminRoutes(door, core, token, carol.address)
  addBlockRoutes(door, core, { chainId: 1, contracts: { root: { address: ROOT_CONTRACT } } })
  addAccountRoutes(door, core)
  addWatchRoutes(door, core, { version: '1', chainId: 1, rootContract: ROOT_CONTRACT, sender: carol.address })
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await door.app.request(path, { headers })
    return { status: response.status, body: await readAnswer(response) }
  }
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await door.app.request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
    return { status: response.status, body: await readAnswer(response) }
  }
  return { l1, core, door, get, post, payment, block }
}

const BEARER = { authorization: 'Bearer secret' }

/** As it is posted. */
function wardOf(owner: Actor, over: Partial<Mandate> = {}, signer = owner) {
  const { mandate, signature } = mandateOf(owner, { validUntil: 2_000_000_000, ...over }, signer)
  return { owner: owner.address, mandate: { ...mandate, minAmount: '0', maxFee: '0' }, signature }
}

test('every answer is what its own schema says, and every route is in the OpenAPI document', async () => {
  const { get, payment, door } = await createScene()
  const paths = [
    '/v1/status',
    '/v1/blocks/latest',
    '/v1/blocks/1',
    '/v1/blocks?from=1&to=9',
    `/v1/transactions/${hashOf(payment)}`,
    `/v1/accounts/${bob.address}/outputs`,
    `/v1/exit-data/${at(1, 0)}`,
    `/v1/exit-data/${depositPosition(0, 1)}`,
    '/v1/exits',
    '/v1/alerts',
    '/v1/explain/block/1',
    `/v1/explain/tx/${hashOf(payment)}`,
    '/v1/deployment',
  ]
  for (const path of paths) assert.is((await get(path)).status, 200, path)
  const document = await readAnswer(await door.app.request('/openapi.json'))
  assert.ok(Object.keys(document.paths).length >= 15)
})

test('pages outputs by cursor, and filters them by token', async () => {
  const { get } = await createScene()
  const first = await get(`/v1/accounts/${bob.address}/outputs?limit=1`)
  assert.equal(
    first.body.outputs.map(({ amount }) => amount),
    ['7'],
  )
  const second = await get(`/v1/accounts/${bob.address}/outputs?limit=1&cursor=${first.body.nextCursor}`)
  assert.equal(
    second.body.outputs.map(({ amount }) => amount),
    ['60'],
  )
  assert.equal((await get(`/v1/accounts/${bob.address}/outputs?token=0x${'11'.repeat(20)}`)).body.outputs, [])
})

test('says what is not here with 404, and refuses exit data of a spent output', async () => {
  const { get } = await createScene()
  assert.is((await get('/v1/blocks/2')).status, 404)
  assert.is((await get(`/v1/transactions/0x${'11'.repeat(32)}`)).status, 404)
  assert.is((await get(`/v1/exit-data/${at(1, 7)}`)).status, 404)
  assert.is((await get(`/v1/exit-data/${at(2, 0)}`)).status, 503)
  const spent = await get(`/v1/exit-data/${D0}`)
  assert.is(spent.status, 400)
  assert.is(spent.body.error.code, 'OUTPUT_SPENT')
})

test('serves a range that it does not have as nothing, not as an error', async () => {
  const { door } = await createScene()
  const response = await door.app.request('/v1/blocks?from=5&to=9', { headers: { accept: 'application/octet-stream' } })
  assert.is(response.status, 200)
  assert.is((await response.arrayBuffer()).byteLength, 0)
})

test('acknowledging and registering need the token', async () => {
  const { core, post, get } = await createScene()
  core.alarm.raise('OUTBOX_STUCK', 'test')
  assert.is((await post('/v1/alerts/1/acknowledge', { by: 'me' })).status, 401)
  assert.is((await post('/v1/alerts/1/acknowledge', { by: 'me' }, { authorization: 'Bearer wrong' })).status, 401)
  assert.is((await post('/v1/protected-accounts', wardOf(alice))).status, 401)
  assert.is((await get('/v1/protected-accounts')).status, 401)
  assert.is((await post('/v1/alerts/1/acknowledge', { by: 'me' }, BEARER)).body.acknowledgedBy, 'me')
  assert.is((await post('/v1/alerts/1/acknowledge', { by: 'you' }, BEARER)).body.acknowledgedBy, 'me')
  assert.is((await post('/v1/alerts/2/acknowledge', { by: 'me' }, BEARER)).status, 404)
})

test('without a token nobody may change anything, not even with an empty one', async () => {
  const { core, post } = await createScene({ hasToken: false })
  core.alarm.raise('OUTBOX_STUCK', 'test')
  assert.is((await post('/v1/alerts/1/acknowledge', { by: 'me' }, { authorization: 'Bearer ' })).status, 403)
})

test('takes a good mandate, once', async () => {
  const { core, post } = await createScene()
  assert.is((await post('/v1/protected-accounts', wardOf(alice), BEARER)).status, 200)
  assert.is((await post('/v1/protected-accounts', wardOf(alice), BEARER)).status, 200)
  assert.is((await post('/v1/protected-accounts', wardOf(bob, { delegate: ZERO }), BEARER)).status, 200)
  assert.is(core.facts.protectedAccounts().length, 2)
  assert.equal(
    core.facts.protectedOutputs(bob.address).map(({ amount, shown }) => [amount, shown !== undefined]),
    [
      [7n, false],
      [60n, true],
    ],
  )
  assert.is((await post(`/v1/protected-accounts/${bob.address}/remove`, {}, BEARER)).status, 200)
})

const BAD: readonly (readonly [name: string, fault: string, body: ReturnType<typeof wardOf>])[] = [
  ['signed by another', 'WITNESS_FORGED', wardOf(alice, {}, mallory)],
  ['of another owner', 'OTHER_OWNER', { ...wardOf(alice), owner: bob.address }],
  ['for another delegate', 'OTHER_DELEGATE', wardOf(alice, { delegate: bob.address })],
  ['that is over', 'EXPIRED', wardOf(alice, { validUntil: 5 })],
  [
    'of another amount than signed',
    'WITNESS_FORGED',
    { ...wardOf(alice), mandate: { ...wardOf(alice).mandate, minAmount: '1' } },
  ],
]
for (const [name, fault, body] of BAD) {
  test(`refuses a mandate ${name}`, async () => {
    const { core, post } = await createScene()
    const { status, body: answer } = await post('/v1/protected-accounts', body, BEARER)
    assert.is(status, 400)
    assert.match(answer.error.message, fault)
    assert.equal(core.facts.protectedAccounts(), [])
  })
}

test('refuses a mandate whose series was revoked on L1', async () => {
  const { core, l1, post } = await createScene()
  l1.mine([{ type: 'MandatesRevoked', owner: alice.address, epoch: 3 }])
  await core.tick()
  const { body } = await post('/v1/protected-accounts', wardOf(alice, { epoch: 3 }), BEARER)
  assert.match(body.error.message, 'REVOKED')
})

test.run()

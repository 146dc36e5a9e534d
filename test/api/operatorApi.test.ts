/** The operator's API against callers who get everything wrong. */
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import WebSocket from 'ws'
import { splitBodies } from '../../api/bodies.ts'
import { transactionToJson } from '../../api/client.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { decodeBody, encodeTransaction } from '../../protocol/codec.ts'
import { type Network, startNetwork } from '../operator/chain.ts'
import { actors, ETHER } from '../support/rootChain.ts'

const test = suite<{ network: Network; input: number }>('operator API')
const { alice, bob } = actors
const JSON_TYPE = { 'content-type': 'application/json' }
const BYTES_TYPE = { 'content-type': 'application/octet-stream' }

test.before(async (context) => {
  context.network = await startNetwork()
  context.input = await context.network.deposit(alice, 3n * ETHER)
  await context.network.mine(3)
})
test.after(async ({ network }) => {
  await network.stop()
  network.memory.assertNoErrors()
})

type Answer = {
  status: number
  json: { error?: { code: string; got?: unknown; want?: unknown }; [field: string]: unknown }
}

async function call(network: Network, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${network.operator.url}${path}`, init)
  return { status: response.status, json: (await response.json()) as Answer['json'] }
}

function post(network: Network, body: string | Uint8Array, headers: Record<string, string>): Promise<Answer> {
  return call(network, '/v1/transactions', { method: 'POST', body: body as never, headers })
}

test('refuses bodies that are no JSON, no list, empty, or of a type that it does not know', async ({ network }) => {
  const answers = await Promise.all([
    post(network, '{"transactions":[', JSON_TYPE),
    post(network, '', JSON_TYPE),
    post(network, '[]', JSON_TYPE),
    post(network, '{"transactions":[]}', JSON_TYPE),
    post(network, '{"transactions":{}}', JSON_TYPE),
    post(network, '<xml/>', { 'content-type': 'text/xml' }),
    post(network, new Uint8Array(), BYTES_TYPE),
  ])
  assert.equal(
    answers.map(({ status, json }) => [status, json.error?.code]),
    [
      [400, 'JSON_MALFORMED'],
      [400, 'JSON_MALFORMED'],
      [400, 'REQUEST_INVALID'],
      [400, 'REQUEST_INVALID'],
      [400, 'REQUEST_INVALID'],
      [415, 'MEDIA_TYPE_UNKNOWN'],
      [400, 'SUBMISSION_SIZE'],
    ],
  )
})

test('refuses more transactions than one submission holds, and bodies beyond the limit', async ({ network }) => {
  const tooMany = await post(
    network,
    JSON.stringify({ transactions: Array.from({ length: 1_001 }, () => ({})) }),
    JSON_TYPE,
  )
  assert.equal([tooMany.status, tooMany.json.error?.code], [400, 'REQUEST_INVALID'])
  const tooLarge = await post(network, new Uint8Array(17_000_000), BYTES_TYPE)
  assert.equal([tooLarge.status, tooLarge.json.error?.code], [413, 'BODY_TOO_LARGE'])
})

test('judges each transaction of a submission by itself and says what is wrong with which', async ({
  network,
  input,
}) => {
  const good = await network.chain.pay(alice, input, [[bob, 3n * ETHER]])
  const json = transactionToJson(good)
  const wrongs = [
    { ...json, inputs: [] },
    { ...json, inputs: [1.5] },
    { ...json, inputs: [2 ** 53] },
    { ...json, inputs: [input, input] },
    { ...json, outputs: [{ ...(json['outputs'] as object[])[0], amount: '-1' }] },
    { ...json, outputs: [{ ...(json['outputs'] as object[])[0], amount: '01' }] },
    { ...json, outputs: [{ ...(json['outputs'] as object[])[0], amount: 5 }] },
    { ...json, outputs: [{ ...(json['outputs'] as object[])[0], amount: String(2n ** 128n) }] },
    { ...json, outputs: [{ ...(json['outputs'] as object[])[0], owner: '0x12' }] },
    { ...json, witnesses: '0x1234' },
    { ...json, witnesses: 'nonsense' },
    null,
    7,
  ]
  const { status, json: answer } = await post(network, JSON.stringify({ transactions: [...wrongs, json] }), JSON_TYPE)
  const results = answer['results'] as { status: string; error?: { code: string; got: unknown } }[]
  assert.is(status, 200)
  assert.equal(
    results.map((result) => result.error?.code ?? result.status),
    [...wrongs.map(() => 'TRANSACTION_MALFORMED'), 'accepted'],
  )
  const again = await post(network, encodeTransaction(good), BYTES_TYPE)
  assert.equal((again.json['results'] as object[])[0], results.at(-1))
})

test('takes addresses in any casing and answers in lower case', async ({ network }) => {
  const { json } = await call(network, `/v1/accounts/${alice.account.address}/history`)
  assert.ok((json['entries'] as { kind: string }[]).length > 0)
})

test('refuses paths and queries that are no numbers, no hashes, unknown, doubled or out of range', async ({
  network,
}) => {
  const paths = [
    '/v1/blocks/-1',
    '/v1/blocks/1e3',
    '/v1/blocks/99999999999',
    '/v1/blocks?from=1',
    '/v1/blocks?from=5&to=1',
    '/v1/blocks?from=1&to=900',
    '/v1/blocks?from=1&from=2&to=3',
    '/v1/transactions/0x12',
    '/v1/exit-data/9007199254740992',
    '/v1/accounts/bob/outputs',
    `/v1/accounts/${bob.address}/outputs?limit=0`,
    `/v1/accounts/${bob.address}/outputs?limit=501`,
    `/v1/accounts/${bob.address}/outputs?colour=red`,
    `/v1/accounts/${bob.address}/history?cursor=x`,
  ]
  for (const path of paths) assert.is((await call(network, path)).status, 400, path)
})

test('says what it does not know with 404 and a code of its own', async ({ network }) => {
  const unknown = [
    ['/v1/blocks/7', 'BLOCK_UNKNOWN'],
    [`/v1/transactions/0x${'12'.repeat(32)}`, 'TRANSACTION_UNKNOWN'],
    ['/v1/exit-data/0', 'OUTPUT_UNKNOWN'],
    ['/v1/nothing', 'ROUTE_UNKNOWN'],
  ] as const
  for (const [path, code] of unknown) {
    const { status, json } = await call(network, path)
    assert.equal([status, json.error?.code], [404, code])
  }
})

test('does not give exit data of a block that is not on L1, and says that it is a matter of time', async ({
  network,
}) => {
  const { outputs } = await network.api().outputs(bob.address)
  const { status, json } = await call(network, `/v1/exit-data/${outputs[0]?.position}`)
  assert.equal([status, json.error?.code], [409, 'NOT_COMMITTED'])
})

test('serves blocks as JSON and as the bytes that the root commits to, and ranges as far as it has them', async ({
  network,
}) => {
  await network.cut()
  const { json } = await call(network, '/v1/blocks/1')
  const bytes = await network.api().blockBody(1)
  assert.ok(bytes)
  const body = decodeBody(bytes!)
  assert.is(
    (json['transactions'] as { witnesses: string }[])[0]?.witnesses,
    bytesToHex(body.transactions[0]!.witnesses),
  )
  assert.equal(await network.api().blockBodies(1, 50), [bytes])
  assert.equal(await network.api().blockBodies(40, 50), [])
  assert.is(await network.api().blockBody(40), undefined)
  const { json: range } = await call(network, '/v1/blocks?from=1&to=2')
  assert.is((range['blocks'] as unknown[]).length, 1)
})

test('pages through outputs without missing or repeating one', async ({ network }) => {
  const input = await network.deposit(alice, 16n)
  await network.mine(3)
  const signed = await network.chain.pay(
    alice,
    input,
    Array.from({ length: 16 }, () => [actors.dave, 1n] as const),
  )
  await network.api().submit([signed])
  const seen: number[] = []
  let cursor: number | undefined
  do {
    const page = await network
      .api()
      .outputs(actors.dave.address, { limit: 5, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.outputs.length <= 5)
    seen.push(...page.outputs.map(({ position }) => position))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  assert.is(new Set(seen).size, 16)
  assert.equal(
    seen,
    [...seen].sort((a, b) => a - b),
  )
})

test('writes an OpenAPI document in which every reference and path parameter is defined', async ({ network }) => {
  const { json } = await call(network, '/openapi.json')
  assert.match(String(json['openapi']), /^3\.1\./)
  const paths = json['paths'] as Record<
    string,
    Record<string, { parameters: { name: string; in: string }[]; responses: object }>
  >
  assert.ok(Object.keys(paths).length >= 11)
  for (const [path, operations] of Object.entries(paths)) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const operation of Object.values(operations)) {
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      assert.equal(declared, named, path)
      assert.ok(Object.keys(operation.responses).includes('200'))
    }
  }
  const text = JSON.stringify(json)
  for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = reference!
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], json)
    assert.ok(found, reference)
  }
})

test('answers health and metrics with what an operator should watch', async ({ network }) => {
  const health = await call(network, '/healthz')
  assert.equal([health.status, health.json], [200, { ok: true, problems: [] }])
  const metrics = await (await fetch(`${network.operator.url}/metrics`)).text()
  for (const name of ['l1_lag_seconds', 'committed_block', 'last_block_age_seconds', 'transactions_total']) {
    assert.match(metrics, `lifeboat_operator_${name}`)
  }
})

test('refuses feed topics that cannot exist and cursors from the future, and keeps the connection', async ({
  network,
}) => {
  const socket = new WebSocket(`${network.operator.url.replace('http', 'ws')}/v1/feed`)
  await once(socket, 'open')
  const ask = async (message: unknown) => {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    const [data] = (await once(socket, 'message')) as [Buffer]
    return JSON.parse(String(data)) as { error?: { code: string }; subscribed?: { topic: string } }
  }
  assert.is((await ask('nonsense')).error?.code, 'FEED_MESSAGE_INVALID')
  assert.is((await ask({ subscribe: { topic: 'weather' } })).error?.code, 'FEED_TOPIC_UNKNOWN')
  assert.is((await ask({ subscribe: { topic: 'account:0x12' } })).error?.code, 'FEED_TOPIC_UNKNOWN')
  assert.is((await ask({ subscribe: { topic: 'blocks', cursor: 10 ** 9 } })).error?.code, 'FEED_CURSOR_AHEAD')
  const subscribed = await ask({ subscribe: { topic: `account:${alice.account.address}` } })
  assert.is(subscribed.subscribed?.topic, `account:${alice.address}`)
  socket.terminate()
})

test('splits ranges only where their lengths add up', () => {
  assert.throws(() => splitBodies(Uint8Array.of(0, 0, 0, 5, 1, 2)), /ends in the middle/)
  assert.throws(() => splitBodies(Uint8Array.of(0, 0)), /ends in the middle/)
  assert.equal(splitBodies(new Uint8Array()), [])
})

test('slows a client down that asks too much, and tells it for how long', async ({ network }) => {
  await network.operator.stop()
  const strict = await network.start({ clientLimit: { perSecond: 1, burst: 2 } })
  const answers = await Promise.all(Array.from({ length: 3 }, () => fetch(`${strict.url}/v1/status`)))
  assert.equal(answers.map(({ status }) => status).sort(), [200, 200, 429])
  assert.ok(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))
  await strict.stop()
})

test.run()

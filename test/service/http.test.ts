import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { bug, invalid, retryable } from '../../protocol/errors.ts'
import { createDoor, type DoorOptions } from '../../service/http.ts'
import { createMemoryLog } from '../../service/log.ts'

type Content = Record<string, { schema: { properties: Record<string, { type: string }> } }>
type Operation = {
  parameters: { name: string; in: string; required: boolean }[]
  requestBody: { content: Content }
  responses: Record<string, { content: Content }>
}
type OpenApi = { openapi: string; paths: Record<string, { get: Operation; post: Operation }> }

const http = suite('http door')

const amount = z.codec(z.string().regex(/^\d+$/), z.bigint(), { decode: BigInt, encode: String })
const blockNumber = z.codec(z.string().regex(/^\d+$/), z.int(), { decode: Number, encode: String })

function open(options: Partial<DoorOptions> = {}) {
  const memory = createMemoryLog()
  const door = createDoor({ name: 'operator', version: '1.2.3', log: memory.log, ...options })
  door.route({
    method: 'post',
    path: '/v1/pay',
    summary: 'doubles an amount',
    body: z.object({ amount }),
    answer: z.object({ doubled: amount, from: z.string() }),
    bodyBytes: 200,
    handle: ({ body }) => ({ doubled: body.amount * 2n, from: 'json' }),
    takeBytes: ({ body }) => ({ doubled: BigInt(body.length), from: 'bytes' }),
  })
  door.route({
    method: 'get',
    path: '/v1/blocks/{number}',
    summary: 'one block',
    params: z.object({ number: blockNumber }),
    query: z.object({ limit: blockNumber.optional() }),
    answer: z.object({ number: z.int(), limit: z.int() }),
    handle: ({ params, query }) => ({ number: params.number, limit: query.limit ?? 0 }),
    giveBytes: ({ params }) => Uint8Array.of(params.number),
  })
  const failures: Record<string, () => unknown> = {
    unknown: () => invalid('BLOCK_UNKNOWN', 'no such block', { got: 2n ** 70n, want: 'a block' }),
    later: () => retryable('L1_DOWN', 'L1 does not answer', { retryAfterSeconds: 2.2 }),
    bug: () => bug('LEDGER_WRONG', 'the secret ledger is wrong', { got: 'secret' }),
    stranger: () => new TypeError('secret is not a function'),
  }
  door.route({
    method: 'get',
    path: '/v1/fail/{how}',
    summary: 'fails',
    params: z.object({ how: z.string() }),
    answer: z.object({}),
    handle: ({ params }) => {
      throw failures[params.how]?.()
    },
  })
  return { ...door, ...memory }
}

const json = (body: unknown) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})
async function errorOf(response: Response | Promise<Response>) {
  const { status, headers } = await response
  const { error } = (await (await response).json()) as { error: Record<string, unknown> }
  return { status, headers, ...error } as Record<string, unknown> & { status: number; headers: Headers }
}

http('amounts travel as decimal strings, exact beyond 2^53', async () => {
  const response = await open().app.request('/v1/pay', json({ amount: '90071992547409930000001' }))
  assert.is(response.status, 200)
  assert.equal(await response.json(), { doubled: '180143985094819860000002', from: 'json' })
})

http('bytes are taken and given where a route says so', async () => {
  const { app } = open()
  const headers = { 'content-type': 'application/octet-stream' }
  const taken = await app.request('/v1/pay', { method: 'POST', body: new Uint8Array(7), headers })
  assert.equal(await taken.json(), { doubled: '7', from: 'bytes' })
  const given = await app.request('/v1/blocks/9', { headers: { accept: 'application/octet-stream' } })
  assert.is(given.headers.get('content-type'), 'application/octet-stream')
  assert.equal(new Uint8Array(await given.arrayBuffer()), Uint8Array.of(9))
  const either = await app.request('/v1/blocks/9', {
    headers: { accept: 'application/json, application/octet-stream' },
  })
  assert.equal(await either.json(), { number: 9, limit: 0 })
})

http('a request that its schema refuses says where and why', async () => {
  const { app, assertNoErrors } = open()
  const wrongBody = await errorOf(app.request('/v1/pay', json({ amount: 5 })))
  assert.equal([wrongBody.status, wrongBody['code']], [400, 'REQUEST_INVALID'])
  assert.match(String(wrongBody['got']), /^body\.amount: .*expected string/)
  assert.match(String((await errorOf(app.request('/v1/blocks/x')))['got']), /^path\.number: /)
  assert.match(String((await errorOf(app.request('/v1/blocks/1?limt=5')))['got']), /limt/)
  assert.is((await errorOf(app.request('/v1/blocks/1?limit=5&limit=6')))['got'], 'limit')
  assertNoErrors()
})

http('malformed JSON, no body, broken UTF-8 and a wrong Content-Type are told apart', async () => {
  const { app } = open()
  const post = (body: string | Uint8Array, type = 'application/json') =>
    errorOf(app.request('/v1/pay', { method: 'POST', body: body as string, headers: { 'content-type': type } }))
  assert.equal([(await post('{"amount":'))['code'], (await post(''))['got']], ['JSON_MALFORMED', 'an empty body'])
  assert.is((await post(Uint8Array.of(0x22, 0xff, 0x22)))['code'], 'JSON_MALFORMED')
  const form = await post('amount=5', 'application/x-www-form-urlencoded')
  assert.equal([form.status, form['code']], [415, 'MEDIA_TYPE_UNKNOWN'])
})

http('a body beyond the limit is refused whether its length was declared or not', async () => {
  const { app } = open()
  const large = JSON.stringify({ amount: '1'.repeat(300) })
  const counted = await errorOf(app.request('/v1/pay', json({ amount: '1'.repeat(300) })))
  const headers = { 'content-type': 'application/json', 'content-length': String(large.length) }
  const declared = await errorOf(app.request('/v1/pay', { method: 'POST', body: large, headers }))
  assert.equal([counted.status, counted['code'], declared.status], [413, 'BODY_TOO_LARGE', 413])
})

http('an endless body is not read beyond the limit', async () => {
  let pulled = 0
  const pull = (controller: ReadableStreamDefaultController) => {
    pulled++
    controller.enqueue(new Uint8Array(100))
  }
  const body = new ReadableStream({ pull })
  const headers = { 'content-type': 'application/octet-stream' }
  const response = open().app.request('/v1/pay', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  assert.is((await errorOf(response)).status, 413)
  assert.ok(pulled < 10, `${pulled} parts were read`)
})

http('errors keep code, got and want, under the status that says who must act', async () => {
  const { app, assertNoErrors } = open({ statusByCode: { BLOCK_UNKNOWN: 404 } })
  const unknown = await errorOf(app.request('/v1/fail/unknown'))
  assert.equal(
    [unknown.status, unknown['code'], unknown['got'], unknown['want']],
    [404, 'BLOCK_UNKNOWN', String(2n ** 70n), 'a block'],
  )
  const later = await errorOf(app.request('/v1/fail/later'))
  assert.equal([later.status, later.headers.get('retry-after')], [503, '3'])
  assertNoErrors()
})

http('a bug is logged whole and told to strangers without its insides', async () => {
  const { app, of } = open()
  for (const how of ['bug', 'stranger']) {
    const answer = await errorOf(app.request(`/v1/fail/${how}`))
    assert.is(answer.status, 500)
    assert.not.match(JSON.stringify(answer), 'secret')
  }
  assert.equal(
    of('http.failed').map(({ level }) => level),
    ['error', 'error'],
  )
  assert.match(JSON.stringify(of('http.failed')), 'secret is not a function')
})

http('an answer that breaks its own schema is our fault', async () => {
  const { app, route, of } = open()
  route({
    method: 'get',
    path: '/v1/wrong',
    summary: 'lies',
    answer: z.object({ n: z.int() }),
    handle: () => ({ n: 1.5 }),
  })
  assert.equal([(await errorOf(app.request('/v1/wrong')))['code'], of('http.failed').length], ['ANSWER_WRONG', 1])
})

http('a handler that takes too long is given up and told so', async () => {
  const { app, route } = open()
  let told: unknown
  route({
    method: 'get',
    path: '/v1/slow',
    summary: 'never ends',
    answer: z.object({}),
    timeoutMs: 5,
    handle: ({ signal }) => new Promise(() => signal.addEventListener('abort', () => (told = signal.reason.code))),
  })
  const answer = await errorOf(app.request('/v1/slow'))
  assert.equal([answer.status, answer['code'], told], [503, 'REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'])
})

http('a client beyond its rate waits, and other clients do not', async () => {
  let now = 0
  const { app } = open({ now: () => now, trustProxy: true, limits: { rate: { perSecond: 2, burst: 3 } } })
  const ask = (client: string) => app.request('/healthz', { headers: { 'x-forwarded-for': `6.6.6.6, ${client}` } })
  for (let i = 0; i < 3; i++) assert.is((await ask('1.1.1.1')).status, 200)
  const refused = await errorOf(ask('1.1.1.1'))
  assert.equal([refused.status, refused['code'], refused.headers.get('retry-after')], [429, 'RATE_LIMITED', '1'])
  assert.is((await ask('2.2.2.2')).status, 200)
  now = 500
  assert.is((await ask('1.1.1.1')).status, 200)
  assert.is((await ask('1.1.1.1')).status, 429)
})

http('a route that does not exist is a 404 in JSON', async () => {
  const answer = await errorOf(open().app.request('/v1/nowhere'))
  assert.equal([answer.status, answer['code'], answer['got']], [404, 'ROUTE_UNKNOWN', 'GET /v1/nowhere'])
})

http('health is 503 with its problems when the program is not well', async () => {
  const problems: string[] = []
  const { app } = open({ health: () => ({ ok: problems.length === 0, problems }) })
  assert.is((await app.request('/healthz')).status, 200)
  problems.push('L1 is 40 blocks behind')
  const sick = await app.request('/healthz')
  assert.is(sick.status, 503)
  assert.equal(await sick.json(), { ok: false, problems: ['L1 is 40 blocks behind'] })
})

http('metrics count by route pattern, so that strangers cannot add series', async () => {
  const { app } = open()
  for (const path of ['/v1/blocks/1', '/v1/blocks/2', '/v1/a', '/v1/b']) await app.request(path)
  const text = await (await app.request('/metrics')).text()
  assert.match(
    text,
    /lifeboat_http_request_seconds_count\{program="operator",route="\/v1\/blocks\/\{number\}",status="200"\} 2/,
  )
  assert.match(text, /lifeboat_http_request_seconds_count\{program="operator",route="unknown",status="404"\} 2/)
})

http('the OpenAPI document describes the wire form of every route', async () => {
  const document = (await (await open().app.request('/openapi.json')).json()) as OpenApi
  assert.is(document.openapi, '3.1.0')
  assert.equal(Object.keys(document.paths), ['/v1/pay', '/v1/blocks/{number}', '/v1/fail/{how}'])
  const pay = document.paths['/v1/pay']!.post
  assert.is(pay.requestBody.content['application/json']?.schema.properties['amount']?.type, 'string')
  assert.ok(pay.requestBody.content['application/octet-stream'])
  assert.is(pay.responses['200']?.content['application/json']?.schema.properties['doubled']?.type, 'string')
  const block = document.paths['/v1/blocks/{number}']!.get
  assert.equal(
    block.parameters.map(({ name, in: place, required }) => [name, place, required]),
    [
      ['number', 'path', true],
      ['limit', 'query', false],
    ],
  )
})

http('any web page may ask, and reads the refusal', async () => {
  const response = await open().app.request('/v1/nowhere', { headers: { origin: 'https://wallet.example' } })
  assert.is(response.headers.get('access-control-allow-origin'), '*')
})

http.run()

/** Several L1 endpoints as one; the endpoints are made up. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint } from '../../l1/endpoint.ts'
import { invalid, retryable } from '../../protocol/errors.ts'
import { joinEndpoints } from '../../watcher/endpoints.ts'

const test = suite('watcher: endpoints')

function fake(name: string, answer: () => unknown): Endpoint & { asked: string[] } {
  const asked: string[] = []
  const read = async ({ method }: { method: string }) => {
    asked.push(method)
    return answer() as never
  }
  return { name, chainId: 1, lacks: new Set(), asked, read, readMany: async ([call]) => [await read(call!)] }
}

const dead = () => {
  throw retryable('ENDPOINT_UNREACHABLE', 'no answer')
}
const READ = { method: 'eth_gasPrice', params: [] }
const SEND = { method: 'eth_sendRawTransaction', params: ['0x'] }
const schema = undefined as never

test('asks the next when one is dead, and stays with who answers', async () => {
  const [one, two] = [fake('one', dead), fake('two', () => 2)]
  const both = joinEndpoints([one, two])
  assert.is(await both.read(READ, schema), 2)
  assert.equal(await both.readMany([READ], schema), [2])
  assert.equal([one.asked.length, two.asked.length], [1, 2])
})

test('a refusal is an answer: nobody else is asked, and it is told', async () => {
  const refuse = () => {
    throw invalid('RPC_REFUSED', 'no')
  }
  const [one, two] = [fake('one', refuse), fake('two', () => 2)]
  await joinEndpoints([one, two])
    .read(READ, schema)
    .then(
      () => assert.unreachable(),
      ({ code }) => assert.is(code, 'RPC_REFUSED'),
    )
  assert.equal(two.asked, [])
})

test('sends to all, and is content when one takes it', async () => {
  const [swallows, refuses, honest] = [fake('a', () => '0x1'), fake('b', dead), fake('c', () => '0x1')]
  assert.is(await joinEndpoints([refuses, swallows, honest]).read(SEND, schema), '0x1')
  assert.equal(
    [swallows, refuses, honest].map(({ asked }) => asked.length),
    [1, 1, 1],
  )
})

test('gives up when all are dead, after each was asked once', async () => {
  const [one, two] = [fake('one', dead), fake('two', dead)]
  for (const call of [READ, SEND])
    await joinEndpoints([one, two])
      .read(call, schema)
      .then(
        () => assert.unreachable(),
        ({ code }) => assert.is(code, 'ENDPOINT_UNREACHABLE'),
      )
  assert.equal([one.asked.length, two.asked.length], [2, 2])
})

test('asks first who is preferred, and leaves it again when it is dead', async () => {
  let isDead = false
  const [still, ahead] = [fake('still', () => 1), fake('ahead', () => (isDead ? dead() : 2))]
  const both = joinEndpoints([still, ahead])
  assert.is(await both.read(READ, schema), 1)
  both.prefer(1)
  assert.is(await both.read(READ, schema), 2)
  isDead = true
  assert.is(await both.read(READ, schema), 1)
})

test('one endpoint answers as it is', async () => {
  const one = fake('one', () => 1)
  const only = joinEndpoints([one])
  only.prefer(3)
  assert.is(await only.read(SEND, schema), 1)
  assert.equal(one.asked, [SEND.method])
})

test.run()

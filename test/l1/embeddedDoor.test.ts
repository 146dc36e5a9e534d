/** The embedded L1's door: what comes in malformed, twice, too large or over WebSocket. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createPublicClient, type Hex, webSocket } from 'viem'
import { createEmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { closeNetworks, deployProbe, network, openSocket, probe, rejection, transfer } from './embeddedFixture.ts'

const test = suite('embedded L1: door')
const { abi } = probe()
test.after.each(closeNetworks)

test('malformed requests are answered, each by its own code', async () => {
  const net = await network()
  const cases: [string, number][] = [
    ['', -32700],
    ['{', -32700],
    ['nonsense', -32700],
    ['[]', -32600],
    ['7', -32600],
    ['null', -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600],
    ['{"jsonrpc":"2.0","id":1}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"__proto__"}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"address":"0x"}}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xzz"]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0xffffffffffffffffff"]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":[-1]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x1","yes"]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"topics":["0x1"]}]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x0"]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}', -32000],
  ]
  for (const [body, code] of cases) assert.is((await post(net.l1.url, body)).error.code, code, body)
  assert.is((await post(net.l1.url, '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')).result, '0x7a69')
  assert.equal(net.warnings, [])
})

test('a batch is answered in order, and its transactions keep their nonces', async () => {
  const net = await network()
  const requests = [
    { id: 'a', method: 'eth_sendRawTransaction', params: [await transfer(net, 0)] },
    { id: 2, method: 'eth_nothing' },
    { method: 'eth_chainId' },
    { id: null, method: 'eth_sendRawTransaction', params: [await transfer(net, 1)] },
    17,
  ]
  const answers = await post(
    net.l1.url,
    JSON.stringify(requests.map((item) => (typeof item === 'object' ? { jsonrpc: '2.0', ...item } : item))),
  )
  assert.equal(
    answers.map((answer: { id: unknown }) => answer.id),
    ['a', 2, null, null],
  )
  assert.is(answers[1].error.code, -32601)
  assert.is(answers[3].error.code, -32600)
  assert.is(await net.read.getBlockNumber(), 2n)
  const many = `[${Array.from({ length: 1001 }, () => '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}').join()}]`
  assert.is((await post(net.l1.url, many)).error.code, -32005)
})

test('a notification gets no answer', async () => {
  const net = await network()
  const response = await fetch(net.l1.url, { method: 'POST', body: '{"jsonrpc":"2.0","method":"evm_mine"}' })
  assert.is(response.status, 204)
  assert.is(await net.read.getBlockNumber(), 1n)
})

test('a body beyond the limit is refused', async () => {
  const net = await network({ maxBodyBytes: 10_000 })
  const response = await fetch(net.l1.url, { method: 'POST', body: `{"params":["${'a'.repeat(20_000)}"]}` })
  assert.is(response.status, 413)
  const body = (await response.json()) as { error: { code: number } }
  assert.is(body.error.code, -32005)
  assert.is(await net.read.getBlockNumber(), 0n)
})

test('browsers may call it', async () => {
  const net = await network()
  const response = await fetch(net.l1.url, {
    method: 'OPTIONS',
    headers: { origin: 'http://a.example', 'access-control-request-method': 'POST' },
  })
  assert.is(response.headers.get('access-control-allow-origin'), '*')
})

test('a busy port is named, with what to do', async () => {
  const net = await network()
  const port = Number(new URL(net.l1.url).port)
  const error = await rejection(createEmbeddedL1({ port }))
  assert.ok(isLifeboatError(error) && error.family === 'config' && error.code === 'PORT_BUSY')
  assert.match(error.message, new RegExp(`choose another port.*got 127.0.0.1:${port}`))
})

test('impossible options are all listed at once', async () => {
  const error = await rejection(
    createEmbeddedL1({
      chainId: 0,
      port: 70_000,
      mining: { intervalSeconds: 0 },
      accounts: { nobody: 1n },
      coinbase: '0x1',
    }),
  )
  for (const name of ['chainId', 'port', 'mining.intervalSeconds', 'accounts', 'coinbase'])
    assert.match(error.message, name)
})

test('subscriptions: heads, logs with removed ones after a reorg, pending transactions', async () => {
  const net = await network()
  const address = await deployProbe(net)
  const socket = await openSocket(net.l1.wsUrl)
  const heads = (await socket.request('eth_subscribe', ['newHeads'])).result
  const logs = (await socket.request('eth_subscribe', ['logs', { address }])).result
  const pending = (await socket.request('eth_subscribe', ['newPendingTransactions'])).result
  const hash = await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 1n] })
  const block = await net.read.getBlock()
  assert.equal(await notification(socket), [pending, hash])
  const [headId, head] = await notification(socket)
  assert.equal([headId, head.hash, head.number, head.transactions], [heads, block.hash, '0x2', undefined])
  const [logId, log] = await notification(socket)
  assert.equal([logId, log.transactionHash, log.removed], [logs, hash, false])

  await net.l1.request('anvil_reorg', [1])
  const replaced = await notification(socket)
  assert.equal([replaced[0], replaced[1].number, replaced[1].hash === block.hash], [heads, '0x2', false])
  const [, removed] = await notification(socket)
  assert.equal([removed.transactionHash, removed.removed, removed.blockHash], [hash, true, block.hash])

  assert.is((await socket.request('eth_unsubscribe', [heads])).result, true)
  assert.is((await socket.request('eth_unsubscribe', [heads])).result, false)
  await net.l1.request('evm_mine')
  const [again, mined] = await notification(socket)
  assert.equal([again, mined.transactionHash, mined.removed], [logs, hash, false])
  socket.close()
})

test("one connection can't end another's subscription", async () => {
  const net = await network()
  const [a, b] = [await openSocket(net.l1.wsUrl), await openSocket(net.l1.wsUrl)]
  const { result: id } = await a.request('eth_subscribe', ['newHeads'])
  assert.is((await b.request('eth_unsubscribe', [id])).result, false)
  b.close()
  await net.l1.request('evm_mine')
  assert.is((await notification(a))[0], id)
  a.close()
})

test('malformed WebSocket messages are answered and the connection lives on', async () => {
  const net = await network()
  const socket = await openSocket(net.l1.wsUrl)
  socket.send('{')
  assert.is((await socket.next()).error.code, -32700)
  assert.match((await socket.request('eth_subscribe', ['weather'])).error.message, /no "weather" subscription/)
  assert.is((await socket.request('eth_chainId')).result, '0x7a69')
  socket.close()
})

test('viem watches blocks over WebSocket', async () => {
  const net = await network()
  const transport = webSocket(net.l1.wsUrl, { reconnect: false })
  const client = createPublicClient({ chain: net.chain, transport })
  const seen = new Promise<bigint>((resolve, reject) => {
    client.watchBlocks({ onBlock: (block) => resolve(block.number), onError: reject })
  })
  await client.getBlockNumber()
  const mining = await net.l1.request('eth_newBlockFilter')
  assert.ok(mining)
  await net.l1.request('evm_mine')
  assert.is(await seen, 1n)
  ;(await client.transport.getRpcClient()).close()
})

test('closing twice is closing once, with a request still in hand', async () => {
  const net = await network()
  const raw = await transfer(net, 0)
  const inHand = net.l1.request('eth_sendRawTransaction', [raw]) as Promise<Hex>
  await Promise.all([net.l1.close(), net.l1.close()])
  assert.match(await inHand, /^0x/)
  assert.match((await rejection(net.l1.request('eth_chainId'))).message, /is closed/)
  assert.match((await rejection(fetch(net.l1.url, { method: 'POST', body: '{}' }))).message, /fetch failed/)
})

async function post(url: string, body: string) {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  // biome-ignore lint/suspicious/noExplicitAny: test answers are inspected field by field.
  return (await response.json()) as any
}

async function notification(socket: Awaited<ReturnType<typeof openSocket>>) {
  const message = await socket.next()
  assert.is(message.method, 'eth_subscription')
  return [message.params.subscription, message.params.result]
}

test.run()

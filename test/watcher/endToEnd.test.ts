/**
 * Watchers on a real root contract (anvil), over real sockets: the first takes blocks from a peer in process, the second only from the
 * first. An owner leaves with what a watcher gave, a thief is seen, an L1 reorg is followed, a forged block is told.
 */
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import WebSocket from 'ws'
import { createClient as createApiClient } from '../../api/client.ts'
import type { Deployment } from '../../l1/deployment.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { encodeDepositEth, encodeStartDepositExit, encodeStartStandardExit } from '../../l1/rootCalls.ts'
import { type Hash, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { encodeBody } from '../../protocol/codec.ts'
import { createMemoryLog } from '../../service/log.ts'
import { checkWatcher, readParameters } from '../../watcher/check.ts'
import { createHttpPeer, type Peer } from '../../watcher/peers.ts'
import type { NewProtection } from '../../watcher/protection.ts'
import { defaultLimits } from '../../watcher/safety.ts'
import { createWatcher, openStore } from '../../watcher/watcher.ts'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { bond, deposit, ETHER, place, signMandate, submit } from '../support/moves.ts'
import { actors, type ChildBlock, createClient, deployRootChain, exitOf, type RootChain } from '../support/rootChain.ts'
import { createFakePeer } from './support/chain.ts'
import { createFolder } from './support/core.ts'
import { readAnswer } from './support/json.ts'

const test = suite('watcher: end to end on anvil')
let anvil: Anvil
let chain: RootChain
let deployment: Deployment
const ends: (() => unknown)[] = []
const operator = createFakePeer('operator')

test.before(async () => {
  anvil = await startAnvil()
  const client = createClient(anvil.url)
  chain = await deployRootChain(client)
  const start = await client.getBlock()
  const contract = {
    address: chain.root,
    transactionHash: start.hash as Hash,
    codeHash: start.hash as Hash,
    compilerHash: start.hash as Hash,
  }
  deployment = {
    version: 1,
    chainId: chain.chainId,
    contracts: { root: contract, surety: contract },
    parameters: {},
    startBlock: { number: Number(start.number), hash: start.hash as Hash },
  }
})

test.after(async () => {
  for (const end of ends.reverse()) await end()
  anvil.stop()
})

async function startWatcher(
  name: string,
  peers: readonly Peer[],
  database: string | undefined = undefined,
  protectedAccounts: readonly NewProtection[] = [],
) {
  const log = createMemoryLog()
  const endpoint = await connectEndpoint({ url: anvil.url, name, expectedChainId: chain.chainId })
  const watcher = await createWatcher({
    deployment,
    parameters: await readParameters(endpoint, chain.root),
    endpoints: [endpoint],
    peers,
    database: database ?? ':memory:',
    log: log.log,
    version: 'test',
    port: 0,
    apiToken: 'secret',
    threads: 1,
    finalityBlocks: 20,
    protectedAccounts,
  })
  ends.push(() => watcher.stop())
  return { ...watcher, log, endpoint, client: createApiClient({ url: watcher.url }) }
}

async function submitServed(transactions: ChildBlock['transactions']): Promise<ChildBlock> {
  const block = await submit(chain, transactions)
  const body = encodeBody({ block: block.number, anchor: block.header.anchor, transactions })
  operator.serveBytes(block.number, body)
  return block
}

test('follows payments, serves them on, and gives an owner what it takes to leave', async () => {
  const first = await startWatcher('first', [operator.peer])
  const second = await startWatcher('second', [createHttpPeer({ url: first.url, timeoutMs: 5_000 })])
  const { alice, bob, mallory } = actors
  const d0 = await deposit(chain, alice)
  const payment = await chain.pay(alice, d0, [
    [bob, ETHER / 4n],
    [alice, (ETHER * 3n) / 4n],
  ])
  const block = await submitServed([payment])
  await first.settle()
  await second.settle()
  assert.is(second.core.facts.verifiedBlock(), block.number)
  assert.equal(await second.client.blockBody(block.number), await first.client.blockBody(block.number))

  const { outputs } = await second.client.outputs(bob.address)
  assert.equal(
    outputs.map(({ amount, state }) => [amount, state]),
    [[ETHER / 4n, 'unspent']],
  )
  const data = await second.client.exitData(outputs[0]!.position)
  if (data?.kind !== 'transaction') throw new Error('want a transaction')
  const { transaction, header, proof } = data
  const bobLeaves = await chain.send(
    bob.account,
    encodeStartStandardExit({
      position: data.position,
      shown: { transaction, header, proof },
      bondWei: await bond(chain),
    }),
  )
  assert.is(exitOf(bobLeaves.events).outputId, data.outputId)

  // Alice exits the deposit that she spent.
  const thief = await chain.send(
    alice.account,
    encodeStartDepositExit({ position: d0, token: `0x${'0'.repeat(40)}`, amount: ETHER, bondWei: await bond(chain) }),
  )
  await first.settle()
  await second.settle()
  const facts = second.core.facts.exitFacts(exitOf(thief.events).outputId)
  assert.is(facts?.output.kind, 'spent')
  assert.is(facts?.output.kind === 'spent' && facts.output.evidence.spend, place(block))
  assert.is((await second.client.outputs(bob.address)).outputs[0]?.state, 'exiting')
  const alerts = await readAnswer(await fetch(`${second.url}/v1/alerts`))
  assert.equal(
    alerts.alerts.map(({ code }) => code),
    ['INVALID_EXIT'],
  )
  const explained = await readAnswer(await fetch(`${second.url}/v1/explain/exit/${facts?.exit.outputId}`))
  const words = explained.summary.join('; ')
  assert.match(words, /the exit is invalid/)
  assert.match(words, /, 1 ETH, owner 0x.*; started at \d{4}-[-: \d]+ UTC in L1 block \d+ by .*, payable after \d{4}-/)
  const exits = await readAnswer(await fetch(`${second.url}/v1/exits?open=true`))
  assert.equal(exits.exits.map(({ output }) => output).sort(), ['spent', 'unspent'])
  assert.is((await second.client.status()).role, 'watcher')
  assert.is(mallory.address.length, 42)
  first.log.assertNoErrors()
  second.log.assertNoErrors()
})

test('follows a reorg of L1 while it slept, and ends where a fresh watcher ends', async () => {
  const folder = createFolder()
  const snapshot = await chain.client.snapshot()
  const kept = await startWatcher('kept', [operator.peer], folder.file)
  await chain.send(actors.carol.account, encodeDepositEth(actors.carol.address, 5n))
  await chain.client.mine({ blocks: 3 })
  await kept.settle()
  assert.is(kept.core.ledger.unspentOf(actors.carol.address, -1, 5).length, 1)
  await kept.stop()
  await chain.client.revert({ id: snapshot })
  await chain.send(actors.dave.account, encodeDepositEth(actors.dave.address, 6n))
  await chain.client.mine({ blocks: 4 })
  const again = await startWatcher('again', [operator.peer], folder.file)
  await again.settle()
  assert.equal(again.core.ledger.unspentOf(actors.carol.address, -1, 5), [])
  assert.is(again.core.ledger.unspentOf(actors.dave.address, -1, 5).length, 1)
  again.log.assertNoErrors()
  ends.push(folder.remove)
})

test('tells a forged block over the live feed', async () => {
  const watcher = await startWatcher('feed', [operator.peer])
  await watcher.settle()
  const socket = new WebSocket(`${watcher.url.replace('http', 'ws')}/v1/feed`)
  await once(socket, 'open')
  const messages: { event?: { topic: string; data: { code?: string } } }[] = []
  const told = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)))
      if (messages.at(-1)?.event?.topic === 'alerts') resolve()
    })
  })
  socket.send(JSON.stringify({ subscribe: { topic: 'alerts' } }))
  await once(socket, 'message')
  const d = await deposit(chain, actors.alice)
  const forged = await chain.sign(
    {
      inputs: [d],
      outputs: [
        {
          owner: actors.mallory.address,
          token: `0x${'0'.repeat(40)}`,
          amount: ETHER,
          condition: `0x${'0'.repeat(64)}`,
        },
      ],
      memo: `0x${'0'.repeat(64)}`,
    },
    [actors.mallory],
  )
  const block = await submitServed([forged])
  await watcher.settle()
  await told
  assert.is(messages.at(-1)?.event?.data.code, 'INVALID_BLOCK')
  const safety = watcher.core.facts.safety()
  assert.is(safety.status, 'unsafe')
  assert.is('block' in safety && safety.block, block.number)
  socket.terminate()
})

test('the check names every problem at once', async () => {
  const endpoint = await connectEndpoint({ url: anvil.url, name: 'checked', expectedChainId: chain.chainId })
  const parameters = await readParameters(endpoint, chain.root)
  const { problems, warnings } = await checkWatcher({
    deployment,
    rootContract: chain.root,
    endpoints: [endpoint],
    peers: [createHttpPeer({ url: 'http://127.0.0.1:1', timeoutMs: 1_000 })],
    limits: { ...defaultLimits(parameters), graceSeconds: 10_000 },
    parameters,
    data: '/nowhere/at/all/watcher.sqlite',
    sender: `0x${'12'.repeat(20)}`,
  })
  assert.equal(
    problems.map(({ key }) => key),
    ['deployment', 'deployment', 'grace'],
  )
  assert.match(String(problems[0]?.got), /code of root/)
  assert.equal(
    warnings.map(({ key }) => key),
    ['peers', 'data', 'key'],
  )
})

test('starts again though a protected account’s mandate is over, and not with one that was never good', async () => {
  const folder = createFolder()
  const { alice, bob, mallory } = actors
  const first = await startWatcher('before', [operator.peer], folder.file)
  await first.settle()
  const { timestamp } = first.core.facts.l1Now()
  await first.stop()
  const delegate = ZERO_ADDRESS
  const ended = { owner: alice.address, ...(await signMandate(chain, alice, { delegate, validUntil: timestamp - 1 })) }
  const good = { owner: bob.address, ...(await signMandate(chain, bob, { delegate })) }
  const again = await startWatcher('again', [operator.peer], folder.file, [ended, good])
  assert.equal([again.core.protection.has(alice.address), again.core.protection.has(bob.address)], [false, true])
  await again.stop()
  const forged = { ...good, signature: (await signMandate(chain, mallory, { delegate })).signature }
  try {
    await startWatcher('forged', [operator.peer], folder.file, [forged])
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /WITNESS_FORGED/)
  }
})

test('refuses a second watcher on the same database, and margins that cannot hold', async () => {
  const folder = createFolder()
  const held = openStore(folder.file)
  assert.throws(() => openStore(folder.file), /another process is using/)
  held.close()
  folder.remove()
})

test.run()

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FollowOptions, followL1 } from '../../l1/follower.ts'
import { invalid, retryable } from '../../protocol/errors.ts'
import {
  buildBlock,
  createFakeL1,
  expectedChain,
  type FakeL1,
  failureOf,
  foldChain,
  type Lie,
  log,
  never,
  ROOT,
} from './followerFake.ts'

const lies = suite('l1 follower with an endpoint that lies or fails')

async function follow(l1: FakeL1, options: Partial<FollowOptions> = {}) {
  const endpoint = await l1.connect()
  return followL1({ endpoint, contracts: [{ address: ROOT }], startBlock: { number: 0 }, finality: 10, ...options })
}

/** Blocks 0 to 6; block 3 has two transactions with a log of ours each. */
async function build(): Promise<FakeL1> {
  const l1 = createFakeL1()
  await l1.mine([], [], [], [{ logs: [log('0x01')] }, { logs: [log('0x02')] }], [], [], [])
  return l1
}

/** The first poll must give the blocks below `block`, the second must fail with the error. */
async function failureAfter(l1: FakeL1, block: number, lie: Lie) {
  const own = await follow(l1)
  l1.setLie(lie)
  const events = block > 0 ? await own.poll() : []
  assert.equal(foldChain(events), expectedChain(l1).slice(0, block))
  const error = await failureOf(own.poll())
  // Once the endpoint is honest nothing is lost and nothing comes twice.
  l1.setLie(undefined)
  const rest = await own.poll()
  assert.equal(foldChain([...events, ...rest]), expectedChain(l1))
  return error
}

const forReceipts =
  (change: (receipts: unknown[]) => unknown): Lie =>
  (method, _params, reply) =>
    method === 'eth_getBlockReceipts' ? change(reply() as unknown[]) : reply()

lies('names an endpoint that hides an event', async () => {
  const l1 = await build()
  const error = await failureAfter(
    l1,
    3,
    forReceipts((receipts) => receipts.slice(1)),
  )
  assert.is(error.code, 'ENDPOINT_LIED_RECEIPTS')
  assert.is(error.details['endpoint'], 'fake')
  assert.is(error.details['block'], 3)
  assert.is(error.details['want'], l1.chain()[3]!.rpc['receiptsRoot'])
})

lies('names an endpoint that answers with no receipts at all', async () => {
  assert.is(
    (
      await failureAfter(
        await build(),
        3,
        forReceipts(() => []),
      )
    ).code,
    'ENDPOINT_LIED_RECEIPTS',
  )
})

lies('names an endpoint that invents an event', async () => {
  const invent = forReceipts((receipts) => [...receipts, receipts[0]])
  assert.is((await failureAfter(await build(), 3, invent)).code, 'ENDPOINT_LIED_RECEIPTS')
})

lies('names an endpoint that hides an event behind a bloom without it', async () => {
  const bloom = `0x${'00'.repeat(256)}`
  const error = await failureAfter(await build(), 0, (_method, params, reply) => {
    return params[0] === '0x3' ? { ...(reply() as object), logsBloom: bloom } : reply()
  })
  assert.is(error.code, 'ENDPOINT_LIED_HEADER')
  assert.is(error.details['block'], 3)
})

lies('names an endpoint that answers with another block than asked for', async () => {
  const l1 = await build()
  const error = await failureAfter(l1, 0, (_method, params, reply) =>
    params[0] === '0x3' ? l1.chain()[2]!.rpc : reply(),
  )
  assert.is(error.code, 'ENDPOINT_LIED_HEADER')
  assert.equal([error.details['got'], error.details['want']], [2, 3])
})

lies('finds events receipt by receipt where the endpoint has no call for a whole block', async () => {
  for (const code of [-32601, -32602]) {
    const l1 = await build()
    l1.setLie((method, _params, reply) => {
      if (method === 'eth_getBlockReceipts') throw { code, message: 'no' }
      return reply()
    })
    assert.equal(foldChain(await (await follow(l1)).poll()), expectedChain(l1))
    await l1.mine([{ logs: [log('0x03')] }])
    assert.is(l1.calls.filter((method) => method === 'eth_getBlockReceipts').length, 1)
  }
})

lies('names an endpoint that hides an event and has no call for a whole block', async () => {
  const l1 = await build()
  const [first, second] = l1.chain()[3]!.receipts
  const error = await failureAfter(l1, 3, (method, params, reply) => {
    if (method === 'eth_getBlockReceipts') throw { code: -32601, message: 'no' }
    return params[0] === second!['transactionHash'] ? { ...first } : reply()
  })
  assert.is(error.code, 'ENDPOINT_LIED_RECEIPTS')
})

lies('names an endpoint that leaves a transaction out of a block, so that its receipt is not asked for', async () => {
  const l1 = await build()
  const error = await failureAfter(l1, 3, (method, params, reply) => {
    if (method === 'eth_getBlockReceipts') throw { code: -32601, message: 'no' }
    const answer = reply() as { transactions: unknown[] }
    return params[0] === '0x3' ? { ...answer, transactions: answer.transactions.slice(1) } : answer
  })
  assert.is(error.code, 'ENDPOINT_LIED_RECEIPTS')
})

lies('waits loudly for an endpoint that has a block but not its receipts', async () => {
  const error = await failureAfter(
    await build(),
    3,
    forReceipts(() => null),
  )
  assert.is(error.code, 'ENDPOINT_INCONSISTENT')
  assert.is(error.family, 'retryable')
  assert.match(error.message, /receipts of block 3/)
})

lies('waits loudly for an endpoint that lacks a block below its head', async () => {
  const lie: Lie = (_method, params, reply) => (params[0] === '0x4' ? null : reply())
  assert.is((await failureAfter(await build(), 4, lie)).code, 'ENDPOINT_INCONSISTENT')
})

lies('waits loudly for an endpoint without a head', async () => {
  const lie: Lie = (_method, params, reply) => (params[0] === 'latest' ? null : reply())
  assert.is((await failureAfter(await build(), 0, lie)).code, 'ENDPOINT_INCONSISTENT')
})

lies('waits loudly for an endpoint that serves a head whose parents it lacks', async () => {
  const [l1, other] = [await build(), await build()]
  const own = await follow(l1)
  await own.poll()
  l1.setLie((_method, params, reply) => (params[0] === 'latest' ? other.chain()[5]!.rpc : reply()))
  const error = await failureOf(own.poll())
  assert.is(error.code, 'ENDPOINT_INCONSISTENT')
  assert.match(error.message, /parent/)
})

lies('waits loudly for an endpoint with an absurd head', async () => {
  const [l1, other] = [await build(), createFakeL1()]
  await other.mine(...Array.from({ length: 50 }, () => []))
  const error = await failureAfter(l1, 7, (_method, params, reply) =>
    params[0] === 'latest' ? other.chain()[49]!.rpc : reply(),
  )
  assert.is(error.code, 'ENDPOINT_INCONSISTENT')
})

lies('names an endpoint that serves a block whose parent has the wrong number', async () => {
  const [l1, other] = [await build(), createFakeL1()]
  await other.mine(...Array.from({ length: 8 }, () => []))
  const own = await follow(l1)
  await own.poll()
  const head = await buildBlock({ ...other.chain()[7]!, number: 4 })
  l1.setLie((method, params, reply) => {
    if (params[0] === 'latest') return head.rpc
    return method === 'eth_getBlockByHash' ? other.chain()[7]!.rpc : reply()
  })
  const error = await failureOf(own.poll())
  assert.equal([error.code, error.details['got'], error.details['want']], ['ENDPOINT_LIED_HEADER', 7, 4])
})

lies('names an endpoint that answers with another parent than asked for', async () => {
  const l1 = await build()
  const own = await follow(l1)
  await own.poll()
  await l1.reorg(3, [], [], [])
  l1.setLie((method, _params, reply) => (method === 'eth_getBlockByHash' ? l1.chain()[2]!.rpc : reply()))
  assert.is((await failureOf(own.poll())).code, 'ENDPOINT_LIED_HEADER')
})

lies('waits loudly where the receipts of a known block are said not to be found', async () => {
  const error = await failureAfter(await build(), 3, (method, _params, reply) => {
    if (method === 'eth_getBlockReceipts') throw { code: -32000, message: 'block not found' }
    return reply()
  })
  assert.is(error.code, 'ENDPOINT_INCONSISTENT')
})

lies('does not call the receipts of another block a lie', async () => {
  const l1 = await build()
  await l1.mine([{ logs: [log('0x09')] }])
  const error = await failureAfter(l1, 3, (method, _params, reply) => {
    return method === 'eth_getBlockReceipts' ? l1.chain()[7]!.receipts : reply()
  })
  assert.is(error.code, 'ENDPOINT_INCONSISTENT')
})

lies('tells of a disagreement even when every poll brings new blocks', async () => {
  const [l1, second] = [createFakeL1(), createFakeL1()]
  await l1.mine(...Array.from({ length: 15 }, () => []))
  await second.mine(...Array.from({ length: 30 }, () => []))
  const own = await follow(l1, { secondEndpoint: await second.connect({ name: 'second' }) })
  await own.poll()
  await l1.mine()
  assert.is((await failureOf(own.poll())).code, 'ENDPOINTS_DISAGREE')
})

lies('gets over a block that is missing only once', async () => {
  const l1 = await build()
  let missed = 0
  l1.setLie((_method, params, reply) => (params[0] === '0x0' && missed++ === 0 ? null : reply()))
  assert.equal(foldChain(await (await follow(l1)).poll()), expectedChain(l1))
})

lies('gets over a reorg while the blocks are being read', async () => {
  for (const at of ['0x2', '0x5', '0x6', 'latest']) {
    const l1 = await build()
    const own = await follow(l1)
    let done = false
    const lie: Lie = (_method, params, reply) => {
      const answer = reply()
      if (params[0] !== at || done) return answer
      done = true
      const [kept, dropped] = [answer, l1.rollback(5)]
      reorging = l1.mine([{ logs: [log('0xbb')] }], ...dropped.map(() => []))
      return kept
    }
    let reorging: Promise<void> | undefined
    l1.setLie(async (...args) => {
      const answer = lie(...args)
      await reorging
      return answer
    })
    const events = [...(await own.poll())]
    events.push(...(await own.poll()), ...(await own.poll()))
    assert.equal(foldChain(events), expectedChain(l1), at)
  }
})

lies('gets over a reorg before the receipts are read', async () => {
  const l1 = await build()
  const own = await follow(l1)
  let done = false
  l1.setLie(async (method, _params, reply) => {
    if (method !== 'eth_getBlockReceipts' || done) return reply()
    done = true
    await l1.reorg(5, [], [{ logs: [log('0xbb')] }], [], [], [], [])
    return null
  })
  const events = [...(await own.poll())]
  events.push(...(await own.poll()), ...(await own.poll()))
  assert.equal(foldChain(events), expectedChain(l1))
})

lies('finalises nothing that the second endpoint does not confirm, and follows on', async () => {
  const [l1, second] = [createFakeL1(), createFakeL1()]
  await l1.mine(...Array.from({ length: 15 }, () => []))
  await second.mine(...Array.from({ length: 15 }, () => []))
  const own = await follow(l1, { secondEndpoint: await second.connect({ name: 'second' }) })
  const events = await own.poll()
  assert.is(events.length, 15)
  assert.not(events.some(({ type }) => type === 'finalised'))
  const error = await failureOf(own.poll())
  assert.is(error.code, 'ENDPOINTS_DISAGREE')
  assert.equal(
    [error.details['endpoint'], error.details['secondEndpoint'], error.details['block']],
    ['fake', 'second', 4],
  )
  assert.equal([error.details['got'], error.details['want']], [second.chain()[4]!.hash, l1.chain()[4]!.hash])
  await l1.mine()
  assert.equal(
    (await own.poll()).map(({ type }) => type),
    ['block'],
  )
  assert.is((await failureOf(own.poll())).code, 'ENDPOINTS_DISAGREE')
})

lies('waits with finality for a second endpoint that is behind', async () => {
  const [l1, second] = [createFakeL1(), createFakeL1()]
  await l1.mine(...Array.from({ length: 15 }, () => []))
  second.restore(l1.chain().slice(0, 3))
  const own = await follow(l1, { secondEndpoint: await second.connect({ name: 'second' }) })
  await own.poll()
  assert.is((await failureOf(own.poll())).code, 'SECOND_ENDPOINT_BEHIND')
  second.restore(l1.chain().slice(3))
  assert.equal(
    (await own.poll()).map(({ type }) => type),
    ['finalised'],
  )
})

lies('takes a second endpoint that does not answer for one that is behind: what the first shows is seen', async () => {
  const l1 = createFakeL1()
  await l1.mine(...Array.from({ length: 15 }, () => []))
  const second = await l1.connect({ name: 'second' })
  const silent = retryable('ENDPOINT_UNREACHABLE', 'no answer', { endpoint: 'second', got: 'nothing', want: 'a reply' })
  const garbled = invalid('RPC_REPLY_MALFORMED', 'not a block', { endpoint: 'second', got: '{}', want: 'a block' })
  let failure: Error | undefined = silent
  const answer = <T>(reply: () => Promise<T>) => (failure ? Promise.reject(failure) : reply())
  const own = await follow(l1, {
    secondEndpoint: { ...second, read: (...asked) => answer(() => second.read(...asked)) },
  })
  assert.is((await own.poll()).length, 15)
  const error = await failureOf(own.poll())
  assert.equal([error.code, error.details['secondEndpoint']], ['SECOND_ENDPOINT_BEHIND', 'second'])
  failure = garbled
  assert.is((await failureOf(own.poll())).code, 'RPC_REPLY_MALFORMED')
  failure = undefined
  assert.equal(
    (await own.poll()).map(({ type }) => type),
    ['finalised'],
  )
})

lies('names an endpoint whose finalized block contradicts its chain', async () => {
  const [l1, other] = [await build(), await build()]
  const own = await follow(l1, { finality: 'finalized' })
  await own.poll()
  l1.setLie((_method, params, reply) => (params[0] === 'finalized' ? other.chain()[3]!.rpc : reply()))
  assert.is((await failureOf(own.poll())).code, 'ENDPOINT_INCONSISTENT')
})

lies('passes on that an endpoint is silent, and loses nothing', async () => {
  const l1 = await build()
  let isSilent = false
  const endpoint = await l1.connect({ timeoutMs: 5_000, sleep: () => (isSilent ? Promise.resolve() : never()) })
  const own = followL1({ endpoint, contracts: [{ address: ROOT }], startBlock: { number: 0 }, finality: 10 })
  isSilent = true
  l1.setLie(() => never())
  assert.is((await failureOf(own.poll())).code, 'ENDPOINT_TIMEOUT')
  isSilent = false
  l1.setLie(undefined)
  assert.equal(foldChain(await own.poll()), expectedChain(l1))
})

lies('passes on a malformed block, and loses nothing', async () => {
  const l1 = await build()
  const error = await failureAfter(l1, 0, (_method, params, reply) =>
    params[0] === '0x3' ? { ...(reply() as object), number: 'three' } : reply(),
  )
  assert.is(error.code, 'REPLY_MALFORMED')
  assert.equal(error.details['got'], { at: 'number', value: 'three' })
})

lies.run()

/** The outbox against a node, a signer, a database and callers that misbehave. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Intent, parseIntent } from '../../l1/outboxIntent.ts'
import { readRefusal } from '../../l1/outboxRpc.ts'
import { amend, enqueue, reopen } from '../../l1/outboxStore.ts'
import type { Address } from '../../protocol/bytes.ts'
import { retryable } from '../../protocol/errors.ts'
import { createFakeNode, feesOf, nonceOf } from './outboxFake.ts'
import {
  accountAt,
  createFolder,
  ETHER,
  failureOf,
  GWEI,
  openDesk,
  openFileDatabase,
  openMemoryDatabase,
} from './outboxFixture.ts'

const test = suite('outbox faults')
const TARGET: Address = `0x${'11'.repeat(20)}`

function act(key: string, more: Partial<Intent> = {}): Intent {
  const deadline = { timestamp: 2_000_000 }
  return { key, to: TARGET, data: '0x1234', deadline, budgetWei: ETHER / 10n, purpose: `do ${key}`, ...more }
}

test('refuses an endpoint of another chain, and a database of another chain', async () => {
  const node = createFakeNode()
  node.state.chainId = 1
  const error = await failureOf(openDesk({ account: 0, rpc: node.rpc }))
  assert.equal([error.code, error.details.got, error.details.want], ['WRONG_CHAIN', 1, 31337])
  const db = openMemoryDatabase()
  node.state.chainId = 5
  const first = await openDesk({ account: 0, rpc: node.rpc, chainId: 5, db })
  await first.outbox.close()
  node.state.chainId = 31337
  const other = await failureOf(openDesk({ account: 0, rpc: node.rpc, db }))
  assert.equal([other.code, other.details.want], ['OUTBOX_CHAIN_CHANGED', 5])
})

test('sends nothing while the endpoint answers for another chain', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.chainId = 1
  await desk.tick()
  assert.is(desk.troubles[0]!.code, 'WRONG_CHAIN')
  assert.is(node.state.offered.length, 0)
  node.state.chainId = 31337
  await desk.tick(10)
  assert.is(node.state.offered.length, 1)
  await desk.outbox.close()
})

test('keeps everything while the endpoint is down, and asks less and less often', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.down.add('all')
  for (let second = 0; second < 60; second++) await desk.tick()
  assert.ok(node.state.calls < 12, `${node.state.calls} calls in a minute`)
  assert.is(desk.status('a'), 'queued')
  node.state.down.clear()
  await desk.tick(30)
  assert.is(desk.status('a'), 'sent')
  await desk.outbox.close()
})

test('a send whose answer was lost is sent again as the same bytes', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.answers.push('taken, then timed out')
  await desk.tick()
  assert.equal([desk.status('a'), desk.troubles[0]!.code], ['sent', 'ENDPOINT_TIMEOUT'])
  node.pool.clear()
  await desk.tick(10)
  assert.is(node.state.offered.length, 2)
  assert.is(node.state.offered[0], node.state.offered[1])
  node.mine()
  await desk.tick()
  assert.is(desk.status('a'), 'confirmed')
  await desk.outbox.close()
})

test('an act that simulates well and reverts on chain is not paid for with every block', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.reverts = true
  for (let block = 0; block < 60; block++) {
    await desk.tick()
    node.mine()
  }
  const { reverts } = desk.outbox.status('a')!
  assert.ok(reverts >= 3 && reverts < 10, `${reverts} reverts in 60 blocks, a second each`)
  node.state.reverts = false
  await desk.tick(60)
  node.mine()
  await desk.tick()
  assert.is(desk.status('a'), 'confirmed')
  await desk.outbox.close()
})

test('an act whose simulation fails does not hold up the others', async () => {
  const node = createFakeNode()
  const poison = act('poison', { data: '0xdead' })
  const rpc = {
    ...node.rpc,
    simulate: async (call: { data: string }) => {
      if (call.data === '0xdead') throw retryable('ENDPOINT_BUSY', 'internal error', {})
      return { reverted: false } as const
    },
  }
  const desk = await openDesk({ account: 0, rpc })
  desk.outbox.enqueue(poison)
  desk.outbox.enqueue(act('good'))
  await desk.tick()
  assert.equal([desk.status('poison'), desk.status('good')], ['queued', 'sent'])
  await desk.outbox.close()
})

test('reads what nodes say when they refuse', () => {
  const said = {
    taken: [
      'already known',
      'ALREADY_EXISTS: already known',
      'known transaction: 0x12',
      'transaction already imported',
    ],
    consumed: [
      'nonce too low',
      'nonce too low: next nonce 5, tx nonce 4',
      'Nonce too low. Expected nonce to be 1 but got 0.',
    ],
    underpriced: [
      'replacement transaction underpriced',
      'transaction underpriced: gas tip cap 0, minimum needed 1',
      'max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2',
      'FeeTooLow',
    ],
    unfunded: ['insufficient funds for gas * price + value: balance 0', 'Insufficient funds for gas * price + value'],
    refused: ['exceeds block gas limit', 'intrinsic gas too low', 'invalid sender', 'oversized data'],
  } as const
  for (const [result, all] of Object.entries(said)) {
    for (const words of all) assert.is(readRefusal(words), result, words)
  }
  assert.is(readRefusal('Internal error'), undefined)
})

test('"nonce too low" and "already known" change nothing by themselves', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.answers.push({ result: 'consumed', words: 'nonce too low' }, { result: 'taken', words: 'already known' })
  await desk.tick()
  node.state.head++
  await desk.tick()
  assert.equal([desk.status('a'), desk.outbox.hashes('a').length], ['sent', 1])
  await desk.outbox.close()
})

test('raises a refused price at once, by an eighth each time, without waiting for a block', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  const answer = { result: 'underpriced', words: 'replacement transaction underpriced' } as const
  node.state.answers.push(answer, answer)
  for (let i = 0; i < 4; i++) await desk.tick()
  const [first, second, third, ...rest] = node.state.offered.map(feesOf)
  assert.is(rest.length, 0)
  assert.ok(second!.max * 1000n >= first!.max * 1125n && second!.tip * 1000n >= first!.tip * 1125n)
  assert.ok(third!.max * 1000n >= second!.max * 1125n)
  assert.equal(new Set(node.state.offered.map(nonceOf)), new Set([0]))
  await desk.outbox.close()
})

test('tells a refusal in the words of the node and keeps trying', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  node.state.answers.push({ result: 'refused', words: 'exceeds block gas limit' })
  await desk.tick()
  assert.equal(
    [desk.status('a'), desk.outbox.status('a')!.words],
    ['refused', 'the node refused it: exceeds block gas limit'],
  )
  node.state.head++
  await desk.tick()
  assert.is(desk.status('a'), 'sent')
  await desk.outbox.close()
})

test('a receipt that comes late does not cause a second transaction', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  await desk.tick()
  node.state.hidesReceipts = true
  node.mine()
  await desk.tick()
  await desk.tick(10)
  node.state.hidesReceipts = false
  await desk.tick()
  assert.is(desk.status('a'), 'confirmed')
  assert.is(node.state.offered.length, 1)
  await desk.outbox.close()
})

test('a receipt that shows up after its nonce was given up is still the one effect', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  await desk.tick()
  node.state.hidesReceipts = true
  node.mine()
  await desk.tick()
  // The receipt appears between the decision and the next signature.
  const { transactionCount } = node.rpc
  Object.assign(node.rpc, {
    transactionCount: async (account: Address, at: number | 'latest' | 'pending') => {
      if (typeof at === 'number') node.state.hidesReceipts = false
      return transactionCount(account, at)
    },
  })
  await desk.tick(20)
  await desk.tick()
  assert.ok(desk.codes('a').includes('nonce-taken'))
  assert.is(desk.status('a'), 'confirmed')
  assert.is(node.state.offered.length, 1)
  await desk.outbox.close()
})

test('believes only so much of a suggested tip', async () => {
  const node = createFakeNode()
  node.state.tip = 10_000n * GWEI
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a', { budgetWei: 2n ** 96n }))
  await desk.tick()
  assert.is(feesOf(node.state.offered[0]!).tip, 50n * GWEI)
  await desk.outbox.close()
})

test('a budget without limit ends at what the key holds', async () => {
  const node = createFakeNode()
  node.state.baseFee = 100_000n * GWEI
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a', { budgetWei: 2n ** 96n }))
  await desk.tick()
  assert.is(desk.status('a'), 'unfunded')
  node.state.baseFee = 15_000n * GWEI
  await desk.tick(60)
  assert.ok(feesOf(node.state.offered[0]!).max * 50_000n <= ETHER)
  await desk.outbox.close()
})

test('counts what waits before it spends the rest', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a', { valueWei: (ETHER * 6n) / 10n }))
  desk.outbox.enqueue(act('b', { valueWei: (ETHER * 6n) / 10n }))
  await desk.tick()
  assert.equal([desk.status('a'), desk.status('b')], ['sent', 'unfunded'])
  assert.is(node.state.offered.length, 1)
  await desk.outbox.close()
})

test('sends so many at once and no more, urgent ones excepted', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc, policy: { maxInFlight: 2 } })
  for (const key of ['a', 'b', 'c']) desk.outbox.enqueue(act(key))
  desk.outbox.enqueue(act('now', { urgency: 'high' }))
  await desk.tick()
  assert.equal(['a', 'b', 'c', 'now'].map(desk.status), ['sent', 'queued', 'queued', 'sent'])
  assert.is(desk.outbox.status('now')!.nonce, 0, 'the urgent one goes first')
  await desk.outbox.close()
})

test('one outbox for one key and one database', async () => {
  const node = createFakeNode()
  const folder = createFolder()
  const file = folder.file('one.sqlite')
  const desk = await openDesk({ account: 0, rpc: node.rpc, db: openFileDatabase(file) })
  assert.is((await failureOf(openDesk({ account: 0, rpc: node.rpc }))).code, 'OUTBOX_KEY_OWNED')
  assert.is((await failureOf(openDesk({ account: 1, rpc: node.rpc, db: desk.db }))).code, 'OUTBOX_DATABASE_OWNED')
  const second = openFileDatabase(file)
  assert.is((await failureOf(openDesk({ account: 1, rpc: node.rpc, db: second }))).code, 'OUTBOX_DATABASE_OWNED')
  await desk.outbox.close()
  const next = await openDesk({ account: 0, rpc: node.rpc, db: second })
  await next.outbox.close()
  second.close()
  desk.db.close()
  folder.remove()
})

test('a key that stands for another act is refused with both', () => {
  const db = openMemoryDatabase()
  enqueue(db, act('a'))
  try {
    enqueue(db, act('a', { data: '0x9999' }))
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /already stands for another act, got .*0x9999.*, want .*0x1234/)
  }
  amend(db, act('a', { data: '0x9999' }))
  assert.is(enqueue(db, act('a', { data: '0x9999', budgetWei: 7n })).row.intent.budgetWei, 7n)
})

test('an act vanishes with the transaction of its caller', () => {
  const db = openMemoryDatabase()
  const roll = db.transaction(() => {
    enqueue(db, act('a'))
    throw new Error('the caller thought better of it')
  })
  assert.throws(roll, /thought better/)
  assert.is(enqueue(db, act('a')).inserted, true)
})

test('refuses an intent that makes no sense, with the field', () => {
  const wrong: readonly [string, Partial<Intent>][] = [
    ['key', { key: '' }],
    ['to', { to: '0x12' }],
    ['to', { to: TARGET.replace('1', 'A') as Address }],
    ['data', { data: '0x123' }],
    ['valueWei', { valueWei: -1n }],
    ['budgetWei', { budgetWei: -1n }],
    ['gasLimit', { gasLimit: 20_999n }],
    ['deadline', { deadline: { timestamp: 1.5 } }],
    ['notBefore', { notBefore: -1 }],
  ]
  for (const [field, part] of wrong)
    assert.throws(() => parseIntent(act('a', part)), new RegExp(`^${field} of an outbox intent`))
})

test('a signer that fails delays its act and loses nothing', async () => {
  const node = createFakeNode()
  const db = openMemoryDatabase()
  const { openOutbox } = await import('../../l1/outbox.ts')
  const account = accountAt(0)
  let isUp = false
  const troubles: string[] = []
  const outbox = await openOutbox({
    db,
    rpc: node.rpc,
    chainId: 31337,
    onTrouble: ({ code }) => troubles.push(code),
    signer: {
      address: account.address,
      signTransaction: async (transaction) => {
        if (!isUp) throw new Error('the keystore is locked')
        return account.signTransaction(transaction)
      },
    },
  })
  outbox.enqueue(act('a'))
  await outbox.tick(0)
  assert.equal([troubles, outbox.status('a')!.nonce], [['SIGNER_FAILED'], null])
  isUp = true
  await outbox.tick(5_000)
  assert.is(outbox.status('a')!.status, 'sent')
  await outbox.close()
})

test("a caller's question that fails delays the act", async () => {
  const node = createFakeNode()
  let fails = true
  const isDone = async () => {
    if (fails) throw new Error('no answer')
    return false
  }
  const desk = await openDesk({ account: 0, rpc: node.rpc, isDone })
  desk.outbox.enqueue(act('a'))
  await desk.tick()
  assert.equal([desk.status('a'), desk.troubles[0]!.code], ['queued', 'HOOK_FAILED'])
  fails = false
  await desk.tick(60)
  assert.is(desk.status('a'), 'sent')
  await desk.outbox.close()
})

test('after a restart it knows what it sent, and sends it where the node does not', async () => {
  const node = createFakeNode()
  const db = openMemoryDatabase()
  const first = await openDesk({ account: 0, rpc: node.rpc, db })
  first.outbox.enqueue(act('mined'))
  first.outbox.enqueue(act('forgotten'))
  await first.tick()
  await first.outbox.close()
  node.mine()
  node.pool.clear()
  const second = await openDesk({ account: 0, rpc: node.rpc, db })
  await second.tick()
  assert.equal([second.status('mined'), second.status('forgotten')], ['confirmed', 'sent'])
  assert.is(node.state.offered.length, 3)
  assert.is(node.state.offered[2], node.state.offered[1])
  await second.outbox.close()
})

test('rows that another key sent are told of and left alone', async () => {
  const node = createFakeNode()
  const db = openMemoryDatabase()
  const old = await openDesk({ account: 0, rpc: node.rpc, db })
  old.outbox.enqueue(act('a'))
  await old.tick()
  await old.outbox.close()
  const rotated = await openDesk({ account: 1, rpc: createFakeNode().rpc, db })
  assert.is(rotated.troubles[0]!.code, 'OUTBOX_OTHER_SENDER')
  await rotated.tick()
  assert.is(node.state.offered.length, 1)
  await rotated.outbox.close()
})

test('a caller who knows better opens a closed act again', async () => {
  const node = createFakeNode()
  let answer = true
  const desk = await openDesk({ account: 0, rpc: node.rpc, isDone: async () => answer })
  desk.outbox.enqueue(act('a'))
  await desk.tick()
  assert.is(desk.status('a'), 'done-by-other')
  answer = false
  assert.is(reopen(desk.db, 'a'), true)
  await desk.tick()
  node.mine()
  await desk.tick()
  assert.is(desk.status('a'), 'confirmed')
  assert.is(reopen(desk.db, 'a'), false)
  await desk.outbox.close()
})

test('waitFor ends with the row, the signal or the outbox', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  assert.is((await failureOf(desk.outbox.waitFor('none'))).code, 'OUTBOX_KEY_UNKNOWN')
  desk.outbox.enqueue(act('a'))
  const stop = new AbortController()
  const stopped = failureOf(desk.outbox.waitFor('a', stop.signal))
  stop.abort(new Error('enough'))
  assert.is((await stopped).message, 'enough')
  const closed = failureOf(desk.outbox.waitFor('a'))
  await desk.outbox.close()
  assert.is((await closed).code, 'OUTBOX_CLOSED')
  assert.is((await failureOf(desk.outbox.tick(9e9))).code, 'OUTBOX_CLOSED')
})

test('closing waits for the tick that runs, which touches no further row', async () => {
  const node = createFakeNode()
  let arrive = () => {}
  let answer = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const rpc = {
    ...node.rpc,
    send: async (raw: `0x${string}`) => {
      arrive()
      await answered
      return node.rpc.send(raw)
    },
  }
  const desk = await openDesk({ account: 0, rpc })
  desk.outbox.enqueue(act('a'))
  desk.outbox.enqueue(act('b'))
  const ticking = desk.tick()
  await arrived
  const closing = desk.outbox.close()
  assert.is((await failureOf(openDesk({ account: 0, rpc: node.rpc }))).code, 'OUTBOX_KEY_OWNED')
  answer()
  await closing
  await ticking
  assert.equal([desk.status('a'), desk.status('b')], ['sent', 'queued'])
  const next = await openDesk({ account: 0, rpc: node.rpc, db: desk.db })
  await next.outbox.close()
})

test('runs until it is told to stop', async () => {
  const node = createFakeNode()
  const desk = await openDesk({ account: 0, rpc: node.rpc })
  desk.outbox.enqueue(act('a'))
  const stop = new AbortController()
  let nowMs = 0
  const sleep = async () => {
    nowMs += 1_000
    node.mine()
  }
  const running = desk.outbox.run(stop.signal, { sleep, clock: () => nowMs })
  assert.is((await desk.outbox.waitFor('a')).status, 'confirmed')
  stop.abort()
  await running
  await desk.outbox.close()
})

test.run()

/** The outbox on a real node (anvil, mined by hand): what ends on chain, and how often. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assertActDone } from '../../l1/outboxIntent.ts'
import { amend, enqueue } from '../../l1/outboxStore.ts'
import { accountAt, calldata, ETHER, GWEI, intentFor, type Net, openDesk, startNet } from './outboxFixture.ts'

const test = suite('outbox on anvil')
let net: Net
test.before(async () => {
  net = await startNet()
})
test.after(() => net.stop())

const MANY_TIPS = { policy: { confirmations: 2 } }

test('sends an act once and confirms it at the depth asked for', async () => {
  const desk = await openDesk({ account: 0, rpc: net.rpc, ...MANY_TIPS })
  const { outbox } = desk
  assert.is(outbox.enqueue(intentFor(net.contract, 'add', calldata('add', 1n))).inserted, true)
  const done = outbox.waitFor('add')
  await desk.tick()
  assert.is(desk.status('add'), 'sent')
  await desk.tick()
  await net.mine()
  await desk.tick()
  assert.is(desk.status('add'), 'mined')
  await net.mine()
  await desk.tick()
  const row = await done
  assert.is(row.status, 'confirmed')
  assertActDone(row)
  assert.equal(desk.codes('add'), ['sent', 'mined', 'confirmed'])
  assert.equal(outbox.hashes('add'), [row.settled!.hash])
  assert.is(await net.count(1), 1)
  await outbox.close()
})

test('a key enqueued twice is one act', async () => {
  const desk = await openDesk({ account: 1, rpc: net.rpc })
  const intent = intentFor(net.contract, 'twice', calldata('add', 2n))
  desk.outbox.enqueue(intent)
  assert.is(desk.outbox.enqueue(intent).inserted, false)
  await desk.tick()
  desk.outbox.enqueue(intent)
  await net.mine()
  await desk.tick()
  assert.is(desk.outbox.enqueue(intent).row.status, 'confirmed')
  await desk.tick()
  await net.mine()
  assert.is(await net.count(2), 1)
  await desk.outbox.close()
})

test('sends several acts in the order of enqueueing, a later one building on an earlier one that waits', async () => {
  const desk = await openDesk({ account: 2, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'open', calldata('open', 1n)))
  desk.outbox.enqueue(intentFor(net.contract, 'gated', calldata('gated', 3n)))
  await desk.tick()
  assert.is(desk.status('gated'), 'sent')
  await net.mine()
  await desk.tick()
  assert.equal([desk.status('open'), desk.status('gated')], ['confirmed', 'confirmed'])
  assert.is(await net.count(3), 1)
  await net.sendRaw(accountAt(28), calldata('open', 0n))
  await net.mine()
  await desk.outbox.close()
})

test('raises the fees until a dear block takes it, every hash kept', async () => {
  const desk = await openDesk({ account: 3, rpc: net.rpc, policy: { bumpBlocks: 2 } })
  desk.outbox.enqueue(intentFor(net.contract, 'bump', calldata('add', 4n)))
  await desk.tick()
  await net.mineAt(80n * GWEI)
  await desk.tick()
  assert.is(desk.outbox.hashes('bump').length, 1)
  await net.mineAt(80n * GWEI)
  await desk.tick()
  assert.is(desk.outbox.hashes('bump').length, 2)
  assert.is(await net.pool(), 1)
  await net.mineAt(80n * GWEI)
  await desk.tick()
  assert.is(desk.status('bump'), 'confirmed')
  assert.is(desk.outbox.status('bump')!.settled!.hash, desk.outbox.hashes('bump')[1])
  assert.is(await net.count(4), 1)
  await net.mineAt(GWEI)
  await desk.outbox.close()
})

test('never offers more than its budget, says so once, and goes on when fees fall', async () => {
  const desk = await openDesk({ account: 4, rpc: net.rpc })
  await net.mineAt(100n * GWEI)
  const budgetWei = 60_000n * 20n * GWEI
  desk.outbox.enqueue(
    intentFor(net.contract, 'poor', calldata('add', 5n), { budgetWei, gasLimit: 60_000n, urgency: 'high' }),
  )
  await desk.tick()
  await net.mineAt(100n * GWEI)
  await desk.tick(60)
  assert.equal(desk.codes('poor'), ['over-budget'])
  const { details } = desk.told[0]!
  assert.is(details['got'], budgetWei)
  assert.ok((details['want'] as bigint) > 60_000n * 80n * GWEI)
  await net.mineAt(2n * GWEI)
  await net.mineAt(2n * GWEI)
  await desk.tick(60)
  assert.is(desk.status('poor'), 'sent')
  await net.mineAt(2n * GWEI)
  await desk.tick()
  const row = desk.outbox.status('poor')!
  assert.is(row.status, 'confirmed')
  assert.ok(row.settled!.feeWei <= budgetWei)
  await desk.outbox.close()
})

test('keeps half of the budget for the last quarter of the window', async () => {
  const desk = await openDesk({ account: 5, rpc: net.rpc })
  await net.mineAt(10n * GWEI)
  const { timestamp } = await net.head()
  const terms = { budgetWei: 60_000n * 15n * GWEI, gasLimit: 60_000n, deadline: { timestamp: timestamp + 4_000 } }
  desk.outbox.enqueue(intentFor(net.contract, 'half', calldata('add', 6n), terms))
  await desk.tick()
  assert.is(desk.status('half'), 'over-budget')
  await net.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp + 3_100) })
  await net.mineAt(10n * GWEI)
  await desk.tick(100)
  assert.is(desk.status('half'), 'sent')
  await net.mineAt(10n * GWEI)
  await desk.tick()
  assert.is(desk.status('half'), 'confirmed')
  await desk.outbox.close()
})

test('an act that another has done is a success without a transaction', async () => {
  const desk = await openDesk({ account: 6, rpc: net.rpc })
  await net.sendRaw(accountAt(28), calldata('claim', 7n))
  await net.mine()
  desk.outbox.enqueue(intentFor(net.contract, 'late', calldata('claim', 7n)))
  await desk.tick()
  const row = await desk.outbox.waitFor('late')
  assert.is(row.status, 'done-by-other')
  assert.is(row.words, 'AlreadyDone: id 7')
  assertActDone(row)
  assert.is(await net.pool(), 0)
  await desk.outbox.close()
})

test("the caller's own question decides too that an act is done", async () => {
  const asked: unknown[] = []
  const isDone = async ({ doneWhen }: { doneWhen?: unknown }) => {
    asked.push(doneWhen)
    return true
  }
  const desk = await openDesk({ account: 6, rpc: net.rpc, isDone })
  const doneWhen = { name: 'exitChallenged', args: ['0x01'] }
  desk.outbox.enqueue(intentFor(net.contract, 'asked', calldata('add', 70n), { doneWhen }))
  await desk.tick()
  assert.is(desk.status('asked'), 'done-by-other')
  assert.equal(asked, [doneWhen])
  await desk.outbox.close()
})

test("a rival's pending transaction does not count as done, its mined one does, and ours is cancelled", async () => {
  const desk = await openDesk({ account: 7, rpc: net.rpc })
  const rival = await net.sendRaw(accountAt(28), calldata('claim', 8n), {
    maxFeePerGas: 500n * GWEI,
    maxPriorityFeePerGas: 1n,
  })
  desk.outbox.enqueue(intentFor(net.contract, 'race', `${calldata('claim', 8n)}${'ff'.repeat(200)}`))
  await desk.tick()
  assert.is(desk.status('race'), 'sent')
  await net.mineAt(100n * GWEI)
  assert.is((await net.client.getTransactionReceipt({ hash: rival })).status, 'success')
  await desk.tick()
  assert.is(desk.status('race'), 'cancelling')
  await net.mineAt(GWEI)
  await desk.tick()
  const row = desk.outbox.status('race')!
  assert.is(row.status, 'done-by-other')
  assert.is(desk.outbox.hashes('race').length, 2)
  const cancelled = await net.client.getTransactionReceipt({ hash: desk.outbox.hashes('race')[1]! })
  assert.is(cancelled.gasUsed, 21_000n)
  assert.is(row.spentWei, cancelled.gasUsed * cancelled.effectiveGasPrice)
  await desk.outbox.close()
})

test('losing the race inside one block ends as done by another', async () => {
  const desk = await openDesk({ account: 8, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'lost', calldata('claim', 9n)))
  await desk.tick()
  await net.sendRaw(accountAt(28), calldata('claim', 9n), {
    maxFeePerGas: 500n * GWEI,
    maxPriorityFeePerGas: 90n * GWEI,
  })
  await net.mine()
  await desk.tick()
  await desk.tick()
  const row = desk.outbox.status('lost')!
  assert.equal([row.status, row.reverts, row.words], ['done-by-other', 1, 'AlreadyDone: id 9'])
  assert.ok(desk.codes('lost').includes('reverted-on-chain'))
  assert.ok(row.spentWei > 0n)
  await desk.outbox.close()
})

test('a reverting act waits, in words, and is sent when the state allows', async () => {
  const desk = await openDesk({ account: 9, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'wait', calldata('gated', 10n)))
  await desk.tick()
  await desk.tick(60)
  assert.equal(desk.codes('wait'), ['reverting'])
  assert.is(desk.outbox.status('wait')!.words, 'NotYet: got 0, want 1')
  assert.is(await net.pool(), 0)
  await net.sendRaw(accountAt(28), calldata('open', 1n))
  await net.mine()
  await desk.tick(60)
  await net.mine()
  await desk.tick()
  assert.is(desk.status('wait'), 'confirmed')
  assert.is(await net.count(10), 1)
  await net.sendRaw(accountAt(28), calldata('open', 0n))
  await net.mine()
  await desk.outbox.close()
})

test('gives up at once where the caller wants an answer, with the revert in words', async () => {
  const desk = await openDesk({ account: 10, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'ask', calldata('gated', 11n), { onRevert: 'give-up' }))
  await desk.tick()
  const row = await desk.outbox.waitFor('ask')
  assert.equal([row.status, row.words], ['failed', 'NotYet: got 0, want 1'])
  assert.throws(() => assertActDone(row), /NotYet: got 0, want 1/)
  await desk.outbox.close()
})

test('nothing is sent after the deadline, and the reason is told', async () => {
  const desk = await openDesk({ account: 11, rpc: net.rpc })
  const { timestamp } = await net.head()
  const deadline = { timestamp: timestamp + 10 }
  desk.outbox.enqueue(intentFor(net.contract, 'old', calldata('gated', 12n), { deadline }))
  await desk.tick()
  await net.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp + 10) })
  await net.mine()
  await desk.tick(60)
  const row = desk.outbox.status('old')!
  assert.is(row.status, 'expired')
  assert.match(row.words, /deadline passed.*NotYet: got 0, want 1/)
  await desk.tick(60)
  assert.is(await net.pool(), 0)
  assert.throws(() => assertActDone(row), /deadline/)
  // The same act with more time opens it again.
  desk.outbox.enqueue(
    intentFor(net.contract, 'old', calldata('gated', 12n), { deadline: { timestamp: timestamp + 9_000 } }),
  )
  assert.is(desk.status('old'), 'queued')
  await desk.outbox.close()
})

test('a block deadline that passes while it waits in the pool cancels it', async () => {
  const desk = await openDesk({ account: 12, rpc: net.rpc })
  const { number } = await net.head()
  desk.outbox.enqueue(intentFor(net.contract, 'stuck', calldata('add', 13n), { deadline: { block: number + 1 } }))
  await desk.tick()
  assert.is(desk.status('stuck'), 'sent')
  await net.mineAt(200n * GWEI)
  await desk.tick()
  assert.is(desk.status('stuck'), 'cancelling')
  await net.mineAt(GWEI)
  await desk.tick()
  assert.is(desk.status('stuck'), 'expired')
  assert.is(await net.count(13), 0)
  assert.is(await net.pool(), 0)
  await desk.outbox.close()
})

test('resends the same bytes when the node forgot them', async () => {
  const desk = await openDesk({ account: 13, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'forgotten', calldata('add', 14n)))
  await desk.tick()
  await net.client.request({ method: 'anvil_dropAllTransactions' } as never)
  assert.is(await net.pool(), 0)
  await net.mine()
  await desk.tick()
  assert.is(await net.pool(), 1)
  await net.mine()
  await desk.tick()
  assert.is(desk.status('forgotten'), 'confirmed')
  assert.is(desk.outbox.hashes('forgotten').length, 1)
  assert.is(await net.count(14), 1)
  await desk.outbox.close()
})

test('a reorg that drops a confirmed transaction sends it again, for one effect', async () => {
  const desk = await openDesk({ account: 14, rpc: net.rpc })
  desk.outbox.enqueue(intentFor(net.contract, 'reorged', calldata('add', 15n)))
  await desk.tick()
  await net.mine()
  await desk.tick()
  assert.is(desk.status('reorged'), 'confirmed')
  await net.client.request({ method: 'anvil_reorg', params: [1, []] } as never)
  await net.client.request({ method: 'anvil_dropAllTransactions' } as never)
  assert.is(await net.count(15), 0)
  await net.mine()
  await desk.tick()
  assert.is(desk.status('reorged'), 'sent')
  assert.ok(desk.codes('reorged').includes('reorged'))
  await net.mine()
  await desk.tick()
  assert.is(desk.status('reorged'), 'confirmed')
  assert.is(await net.count(15), 1)
  await desk.outbox.close()
})

test("a reorg that undoes somebody else's success opens the act again", async () => {
  const desk = await openDesk({ account: 15, rpc: net.rpc, policy: { confirmations: 3 } })
  await net.sendRaw(accountAt(28), calldata('claim', 16n))
  await net.mine()
  desk.outbox.enqueue(intentFor(net.contract, 'undone', calldata('claim', 16n)))
  await desk.tick()
  assert.is(desk.status('undone'), 'done-by-other')
  await net.client.request({ method: 'anvil_reorg', params: [1, []] } as never)
  await net.client.request({ method: 'anvil_dropAllTransactions' } as never)
  await desk.tick()
  assert.ok(desk.codes('undone').includes('reopened'))
  await desk.tick(60)
  await net.mine(3)
  await desk.tick()
  assert.is(desk.status('undone'), 'confirmed')
  await desk.outbox.close()
})

test('a nonce that someone else used is noticed, and the act gets another', async () => {
  const desk = await openDesk({ account: 16, rpc: net.rpc, policy: { confirmations: 2 } })
  desk.outbox.enqueue(intentFor(net.contract, 'shared', calldata('add', 17n)))
  await desk.tick()
  await net.client.request({ method: 'anvil_dropAllTransactions' } as never)
  await net.sendRaw(accountAt(16), calldata('add', 9_999n), { nonce: 0 })
  await net.mine()
  await desk.tick()
  await desk.tick(20)
  assert.is(desk.status('shared'), 'sent', 'not before the other one is as deep as a confirmation')
  await net.mine()
  await desk.tick(20)
  assert.ok(desk.codes('shared').includes('nonce-taken'))
  assert.is(desk.outbox.status('shared')!.nonce, 1)
  await net.mine(2)
  await desk.tick()
  assert.is(desk.status('shared'), 'confirmed')
  assert.is(await net.count(17), 1)
  await desk.outbox.close()
})

test("leaves a pending transaction alone that was sent by this key's former life", async () => {
  const desk = await openDesk({ account: 17, rpc: net.rpc })
  await net.sendRaw(accountAt(17), calldata('add', 18n))
  desk.outbox.enqueue(intentFor(net.contract, 'second', calldata('add', 18n)))
  await desk.tick()
  assert.is(desk.outbox.status('second')!.nonce, 1)
  assert.is(desk.troubles[0]!.code, 'OUTBOX_KEY_SHARED')
  await net.mine()
  await desk.tick()
  assert.is(await net.count(18), 2)
  await desk.outbox.close()
})

test('fills the nonce that a foreign transaction left behind when it vanished', async () => {
  const desk = await openDesk({ account: 18, rpc: net.rpc, policy: { bumpBlocks: 1 } })
  await net.sendRaw(accountAt(18), calldata('add', 19n))
  desk.outbox.enqueue(intentFor(net.contract, 'behind', calldata('add', 19n)))
  await desk.tick()
  assert.is(desk.outbox.status('behind')!.nonce, 1)
  await net.client.request({ method: 'anvil_dropAllTransactions' } as never)
  for (let i = 0; i < 4; i++) {
    await net.mine()
    await desk.tick(10)
  }
  assert.is(desk.status('behind'), 'confirmed')
  assert.is(await net.count(19), 1)
  const filler = desk.outbox.list().find(({ intent }) => intent.key.startsWith('fill:'))!
  assert.equal([filler.status, filler.intent.purpose], ['confirmed', 'fill nonce 0, which behind waits for'])
  await desk.outbox.close()
})

test('an urgent act pays for clearing a cheap one out of its way, and the cheap one goes later', async () => {
  const desk = await openDesk({ account: 19, rpc: net.rpc })
  const cheap = { budgetWei: 60_000n * 8n * GWEI, gasLimit: 60_000n }
  desk.outbox.enqueue(intentFor(net.contract, 'cheap', calldata('add', 20n), cheap))
  await desk.tick()
  assert.is(desk.status('cheap'), 'sent')
  await net.mineAt(60n * GWEI)
  desk.outbox.enqueue(intentFor(net.contract, 'urgent', calldata('add', 21n), { urgency: 'high' }))
  await desk.tick()
  await net.mineAt(60n * GWEI)
  await desk.tick()
  assert.ok(desk.codes('cheap').includes('vacated'))
  await net.mineAt(60n * GWEI)
  await desk.tick()
  assert.is(desk.status('urgent'), 'confirmed')
  assert.is(await net.count(20), 0)
  await net.mineAt(GWEI)
  await net.mineAt(GWEI)
  await desk.tick(60)
  await net.mineAt(GWEI)
  await desk.tick()
  assert.is(desk.status('cheap'), 'confirmed')
  assert.equal([await net.count(20), await net.count(21)], [1, 1])
  await desk.outbox.close()
})

test('a key without enough funds says what it has and needs, and goes on once it has them', async () => {
  const desk = await openDesk({ account: 20, rpc: net.rpc })
  const address = accountAt(20).address
  await net.client.setBalance({ address, value: ETHER })
  desk.outbox.enqueue(
    intentFor(net.contract, 'broke', calldata('add', 22n), { valueWei: 2n * ETHER, gasLimit: 60_000n }),
  )
  await desk.tick()
  const row = desk.outbox.status('broke')!
  assert.is(row.status, 'unfunded')
  assert.match(row.words, /can spend 1000000000000000000 wei, needs 20000\d+ wei/)
  await net.client.setBalance({ address, value: 3n * ETHER })
  await desk.tick(60)
  await net.mine()
  await desk.tick()
  assert.is(desk.status('broke'), 'confirmed')
  assert.is(await net.count(22), 1)
  await desk.outbox.close()
})

test('an amended act replaces the pending one under the same nonce', async () => {
  const desk = await openDesk({ account: 21, rpc: net.rpc, policy: { bumpBlocks: 1 } })
  const { db } = desk
  enqueue(db, intentFor(net.contract, 'bond', calldata('add', 23n), { valueWei: 1n }))
  await desk.tick()
  await net.mineAt(50n * GWEI)
  amend(db, intentFor(net.contract, 'bond', calldata('add', 23n), { valueWei: 2n }))
  await desk.tick()
  await net.mineAt(50n * GWEI)
  await desk.tick()
  assert.is(desk.status('bond'), 'confirmed')
  assert.is(await net.count(23), 1)
  const { hash } = desk.outbox.status('bond')!.settled!
  assert.is((await net.client.getTransaction({ hash })).value, 2n)
  assert.is(await net.client.getTransactionCount({ address: accountAt(21).address }), 1)
  await net.mineAt(GWEI)
  await net.mineAt(GWEI)
  await desk.outbox.close()
})

test('creates a contract and tells its address', async () => {
  const desk = await openDesk({ account: 22, rpc: net.rpc })
  // PUSH0 PUSH0 RETURN: an empty contract.
  desk.outbox.enqueue({ ...intentFor(net.contract, 'create', '0x5f5ff3'), to: null })
  await desk.tick()
  await net.mine()
  await desk.tick()
  const { contractAddress } = desk.outbox.status('create')!.settled!
  assert.match(String(contractAddress), /^0x[0-9a-f]{40}$/)
  await desk.outbox.close()
})

test('waits for notBefore by L1 time', async () => {
  const desk = await openDesk({ account: 23, rpc: net.rpc })
  await net.mine()
  const { timestamp } = await net.head()
  desk.outbox.enqueue(intentFor(net.contract, 'later', calldata('add', 24n), { notBefore: timestamp + 100 }))
  await desk.tick()
  await desk.tick(98)
  assert.is(desk.status('later'), 'queued')
  await desk.tick(3)
  assert.is(desk.status('later'), 'sent')
  await net.mine()
  await desk.outbox.close()
})

test.run()

/** Data challenges and receipts on a hand-made L1: folded, taken back by a reorg, folded again from the rows; told once, and cleared. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listRows } from '../../l1/outboxStore.ts'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { hashWitnesses } from '../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex } from '../../protocol/bytes.ts'
import { decodeBody } from '../../protocol/codec.ts'
import { type DataChallenge, leavesOf, proveRange } from '../../protocol/dataChallenge.ts'
import type { LifeboatError } from '../../protocol/errors.ts'
import { createTree } from '../../protocol/merkle.ts'
import { batchReceipts, hashReceiptBatch, type Receipt } from '../../protocol/receipt.ts'
import { hashTransaction, leafOf } from '../../protocol/transaction.ts'
import { createDoor } from '../../service/http.ts'
import { createMemoryLog } from '../../service/log.ts'
import { signDigest } from '../../signatures/sign.ts'
import { defaultPolicy } from '../../watcher/court/policy.ts'
import { foldData } from '../../watcher/dataBook.ts'
import { courtOf } from '../../watcher/driver.ts'
import { rebuild } from '../../watcher/rebuild.ts'
import { addReceiptRoutes } from '../../watcher/routesReceipts.ts'
import { readingsOf } from './court/world.ts'
import {
  type Actor,
  alice,
  at,
  bob,
  carol,
  createActor,
  createFakePeer,
  deposited,
  depositPosition,
  type MadeBlock,
  makeBlock,
  mallory,
  pay,
  SEPARATOR,
  submitted,
} from './support/chain.ts'
import { createTestCore, PARAMETERS } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const SURETY: Address = `0x${'55'.repeat(20)}`
const WATCHER: Address = `0x${'11'.repeat(20)}`
const operator = createActor('operator')
const { dataResponsePeriod: DR, dataChallengePeriod: DC } = PARAMETERS
const OTHER: Hash = `0x${'22'.repeat(32)}`

const test = suite('watcher: data')

/** Alice's deposit, her payment in block 1 that everybody has, and block 2 with four payments that nobody has. */
async function createScene({ withCourt = false } = {}) {
  const l1 = createFakeL1()
  const peer = createFakePeer('operator')
  const core = createTestCore({
    l1,
    peers: [peer.peer],
    overrides: withCourt
      ? {
          createCourt: courtOf({
            policy: {
              ...defaultPolicy({ sender: WATCHER, seed: OTHER }, PARAMETERS),
              staggerSeconds: 0,
            },
            rootContract: `0x${'99'.repeat(20)}`,
            suretyContract: SURETY,
            readL1: async () => readingsOf({ balanceWei: 10n ** 20n }),
          }),
        }
      : {},
  })
  const d0 = depositPosition(0, 0)
  l1.mine([{ type: 'OperatorRotated', operator: operator.address }, deposited(d0, alice, 100n)])
  const first = makeBlock(1, 1, [pay(alice, d0, [[bob, 100n]])])
  peer.serve(first)
  l1.mine([submitted([first], l1.now() + 12)])
  const chainOf = (count: number) =>
    Array.from({ length: count }, (_, i) => pay(bob, i === 0 ? at(1, 0) : at(2, i - 1), [[bob, 100n]]))
  const hidden = makeBlock(2, 2, chainOf(4))
  l1.mine([submitted([hidden], l1.now() + 12)])
  const look = async (rounds = 1) => {
    for (let i = 0; i < rounds; i++) {
      core.clock.now += 20_000
      await core.tick()
    }
  }
  return { l1, peer, core, hidden, look }
}

function challengeOf(block: MadeBlock, startedAt: number, changes: Partial<DataChallenge> = {}): DataChallenge {
  const { commitment, number } = block
  return {
    blockNumber: number,
    first: 0,
    levels: 1,
    halved: false,
    startedAt,
    blockTime: startedAt - 12,
    txCount: commitment.txCount,
    root: commitment.root,
    challenger: mallory.address,
    bond: 5n,
    ...changes,
  }
}

/** The two events of an answer to this range. */
function answerOf(block: MadeBlock, range: Pick<DataChallenge, 'first' | 'levels'>): RootEventBody[] {
  const { transactions } = decodeBody(block.body)
  const leaves = transactions.map(({ transaction, witnesses }) =>
    leafOf(hashTransaction(transaction, SEPARATOR), hashWitnesses(witnesses)),
  )
  const { number: blockNumber } = block
  const { first, levels } = range
  const shown = transactions.slice(first, first + leavesOf(range, transactions.length))
  const path = proveRange(createTree(leaves), range)
  return [
    { type: 'DataRevealed', blockNumber, first, levels, answerer: carol.address, paid: 3n },
    { type: 'LeavesRevealed', blockNumber, first, levels, transactions: shown, path },
  ]
}

test('an answer puts the block together, a reorg takes it back, and a rebuild gives the same', async () => {
  const { l1, core, hidden, look } = await createScene()
  await look(2)
  const challenges = [challengeOf(hidden, l1.now() + 12), challengeOf(hidden, l1.now() + 12, { first: 2 })]
  l1.mine(challenges.map((challenge) => ({ type: 'DataChallenged', challenge })))
  l1.mine(answerOf(hidden, { first: 2, levels: 1 }))
  await look()
  assert.equal(
    core.data.ofBlock(2).map(({ state }) => state),
    ['open', 'answered'],
  )
  assert.equal(core.data.ofBlock(2)[1]?.answer, { answerer: carol.address, paid: 3n })
  assert.equal([...core.data.revealedLeaves(2).keys()], [2, 3])
  assert.is(core.facts.verifiedBlock(), 1)
  l1.mine(answerOf(hidden, { first: 0, levels: 1 }))
  await look()
  assert.is(core.facts.verifiedBlock(), 2)
  assert.equal(core.blocks.body(2), hidden.body)
  const before = core.data.ofBlock(2)
  rebuild(core.db, SEPARATOR)
  assert.equal(core.data.ofBlock(2), before)
  l1.reorg(3)
  l1.mine()
  l1.mine()
  l1.mine()
  l1.mine()
  await core.tick()
  assert.equal(core.data.ofBlock(2), [])
  assert.equal([...core.data.revealedLeaves(2)], [])
  core.log.assertNoErrors()
})

test('what answers revealed is checked against the commitment, as a peer’s, and blames no peer', async () => {
  const { l1, core, hidden, look, peer } = await createScene()
  await look(2)
  const ranges = [
    { first: 0, levels: 1 },
    { first: 2, levels: 1 },
    { first: 0, levels: 0 },
  ]
  l1.mine(
    ranges.map((range) => ({ type: 'DataChallenged', challenge: challengeOf(hidden, l1.now() + 12, range) }) as const),
  )
  const other = makeBlock(2, 2, [pay(bob, at(1, 0), [[carol, 100n]])])
  l1.mine([...answerOf(hidden, ranges[0]!), ...answerOf(hidden, ranges[1]!), ...answerOf(other, ranges[2]!)])
  await look(2)
  assert.is(core.data.revealedLeaves(2).size, 4)
  assert.is(core.facts.verifiedBlock(), 1)
  assert.not.ok(core.codes().includes('PEER_SERVED_GARBAGE'))
  peer.serve(hidden)
  await look(2)
  assert.is(core.facts.verifiedBlock(), 2, 'a peer still can')
})

test('a challenge is told once for its block, then that it ran out, and cleared by its end', async () => {
  const { l1, core, hidden, look } = await createScene()
  const challenge = challengeOf(hidden, l1.now() + 12)
  l1.mine([
    { type: 'DataChallenged', challenge },
    { type: 'DataChallenged', challenge: { ...challenge, first: 2 } },
  ])
  await look(2)
  const standing = () =>
    core.alarm
      .page(0, 100)
      .filter(({ code, clearedAt }) => code.startsWith('DATA_') && clearedAt === undefined)
      .map(({ code, details }) => [code, details['block'], details['ranges']])
  assert.equal(standing(), [['DATA_CHALLENGED', 2, 2]])
  l1.mine([], DR + 1)
  await look()
  assert.equal(standing(), [['DATA_UNANSWERED', 2, 2]])
  const ended = (first: number, isHalt: boolean): RootEventBody => {
    return { type: 'DataChallengeEnded', blockNumber: 2, first, levels: 1, isHalt }
  }
  l1.mine([ended(0, true), { type: 'HaltMoved', voidFrom: 2, isMove: true }, ended(2, false)])
  await look()
  assert.equal(standing(), [])
  assert.equal(
    core.data.ofBlock(2).map(({ state, isHalt }) => [state, isHalt]),
    [
      ['ended', true],
      ['ended', undefined],
    ],
  )
})

test('the court demands hidden leaves of the surety, one range until half of DC, with the bond', async () => {
  const { l1, core, look } = await createScene({ withCourt: true })
  await look(12)
  assert.equal(listRows(core.db), [])
  l1.mine([], DC / 4)
  await look()
  await look()
  const rows = listRows(core.db)
  assert.is(rows.length, 1)
  const { to, valueWei, key, onRevert, deadline } = rows[0]!.intent
  assert.is(to, SURETY)
  assert.match(key, /^challenge-data:2:/)
  assert.ok(valueWei > 0n)
  assert.is(onRevert, 'retry')
  assert.equal(deadline, { timestamp: (core.facts.header(2)?.timestamp ?? 0) + DC })
  core.log.assertNoErrors()
})

test('a bond that no longer suffices is written anew, and a budget that is used up is told', async () => {
  const { l1, core, look } = await createScene({ withCourt: true })
  await look(12)
  l1.mine([], DC / 4)
  await look()
  const own = core.data.ownSince(WATCHER, 0)
  assert.equal(own, [])
  const big = challengeOf({ ...makeBlock(1, 1, []), number: 1 }, l1.now() + 12, {
    challenger: WATCHER,
    bond: 10n ** 21n,
    txCount: 1,
    levels: 0,
  })
  l1.mine([{ type: 'DataChallenged', challenge: big }])
  await look()
  assert.ok(core.codes().includes('DATA_UNCHALLENGED'))
  assert.is(core.data.ownSince(WATCHER, 0).length, 1)
  assert.equal(core.data.ownSince(mallory.address, 0), [])
})

test('an event of a challenge that never started is a fault of ours', () => {
  const ended = { type: 'DataChallengeEnded', blockNumber: 1, first: 0, levels: 0, isHalt: true, at: {} as never }
  assert.throws(() => foldData([ended as never]), /never started/)
})

function signReceipts(receipts: readonly Receipt[], signer: Actor = operator) {
  const batch = batchReceipts(receipts)
  const digest = hashReceiptBatch(batch.root, batch.count, SEPARATOR)
  const signature = bytesToHex(signDigest(digest, signer.key)) as Hex
  return receipts.map((_, i) => batch.give(i, signature))
}

test('receipts come over HTTP: taken, judged, refused one by one, and asked for', async () => {
  const { l1, core, peer, hidden, look } = await createScene()
  await look()
  const anchor = l1.block(2).block
  const txHash = bytesToHex(hashTransaction(decodeBody(hidden.body).transactions[1]!.transaction, SEPARATOR))
  const draft: Receipt = { txHash, blockNumber: 2, index: 1, anchor: 2, anchorHash: anchor.hash }
  const [kept, lost] = signReceipts([draft, { ...draft, index: 0 }])
  const [forged] = signReceipts([draft], mallory)
  const door = createDoor({
    name: 'w',
    version: 't',
    log: createMemoryLog().log,
    health: () => ({ ok: true, problems: [] }),
    statusByCode: {},
  })
  addReceiptRoutes(door, core)
  const post = async (receipts: unknown) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ receipts }) }
    const answer = await door.app.request('/v1/receipts', init)
    return { status: answer.status, json: (await answer.json()) as { results: unknown[] } }
  }
  const first = await post([kept, lost, forged])
  assert.is(first.status, 200)
  assert.equal(
    first.json.results.map((result) => {
      const { state, error } = result as { state?: string; error?: { code: string } }
      return state ?? error?.code
    }),
    ['unknown', 'unknown', 'RECEIPT_MALFORMED'],
  )
  assert.is((await post([{ ...kept, signature: '0x00' }])).status, 400)
  peer.serve(hidden)
  await look()
  const answer = await door.app.request(`/v1/receipts/${txHash}`)
  const { receipts } = (await answer.json()) as { receipts: { state: string; signed: { receipt: Receipt } }[] }
  assert.equal(
    receipts.map(({ state, signed }) => [state, signed.receipt.index]),
    [
      ['kept', 1],
      ['displaced', 0],
    ],
  )
  assert.equal(
    core.codes().filter((code) => code.startsWith('RECEIPT_')),
    ['RECEIPT_BROKEN'],
  )
  assert.equal(
    core.receipts.broken().map(({ how }) => how.kind),
    ['displaced'],
  )
})

test('a receipt whose anchor is not on L1 is told once that is final, and one broken by a fork is well again after it', async () => {
  const l1 = createFakeL1({ finality: 3 })
  const core = createTestCore({ l1, peers: [createFakePeer('p').peer] })
  l1.mine([{ type: 'OperatorRotated', operator: operator.address }])
  l1.mine()
  await core.tick()
  const draft: Receipt = { txHash: OTHER, blockNumber: 1, index: 0, anchor: 2, anchorHash: l1.block(2).block.hash }
  const [true_, wrong] = signReceipts([draft, { ...draft, anchorHash: OTHER }])
  assert.is(core.receipts.add(true_!), 'open')
  assert.is(core.receipts.add(wrong!), 'void-anchor')
  assert.equal(core.codes(), [])
  const moved = makeBlock(1, 1, [pay(alice, depositPosition(0, 0), [[bob, 1n]])])
  l1.mine([submitted([moved], l1.now() + 12)])
  await core.tick()
  assert.is(core.receipts.ofTransaction(OTHER)[0]?.state, 'broken', 'its block came with another anchor')
  assert.is(core.receipts.broken().length, 1)
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  assert.is(core.receipts.ofTransaction(OTHER)[0]?.state, 'open')
  assert.equal(core.receipts.broken(), [])
  l1.mine()
  l1.mine()
  await core.tick()
  assert.ok(core.codes().includes('RECEIPT_WORTHLESS'))
})

test('a watcher that has not read L1 yet calls no receipt forged', async () => {
  const l1 = createFakeL1()
  const core = createTestCore({ l1, peers: [createFakePeer('p').peer] })
  l1.mine([{ type: 'OperatorRotated', operator: operator.address }])
  const [given] = signReceipts([
    { txHash: OTHER, blockNumber: 1, index: 0, anchor: 1, anchorHash: l1.block(1).block.hash },
  ])
  try {
    core.receipts.add(given!)
    assert.unreachable('it was taken')
  } catch (error) {
    const { code, family } = error as LifeboatError
    assert.equal([code, family], ['L1_NOT_READ', 'retryable'])
  }
  await core.tick()
  assert.is(core.receipts.add(given!), 'open')
})

test('L1’s word that a receipt is broken stops nothing else from being folded', async () => {
  const { l1, core, look } = await createScene()
  l1.mine([{ type: 'ReceiptBroken', blockNumber: 1, index: 0, txHash: OTHER, reporter: carol.address }])
  await look()
  assert.is(core.facts.l1Now().block, l1.tip().number)
  assert.is(core.disputes.record(OTHER), undefined)
  core.log.assertNoErrors()
})

test.run()

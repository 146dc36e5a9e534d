/** Hidden blocks and broken receipts on the real contracts: what the watcher wants, L1 takes, and what L1 shows, the watcher uses. */
import * as assert from 'uvu/assert'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { rootSuite } from '../contracts/rootSuite.ts'
import { balance, deposit, ETHER, passTo, place, submit } from '../support/moves.ts'
import { actors, type ChildBlock, type RootChain } from '../support/rootChain.ts'
import {
  bondLeft,
  challengeData,
  draftReceipt,
  postBond,
  readSurety,
  reveal,
  signReceipts,
} from '../support/suretyMoves.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, mallory, operator, watcher } = actors
const { test, world } = rootSuite('watcher: data and receipts on L1')
const OTHER: Hash = `0x${'22'.repeat(32)}`

/** Alice pays Bob, who has it all from then on, each transaction with what the one before made. */
async function payments(chain: RootChain, count: number, block: number): Promise<SignedTransaction[]> {
  const signed = [await chain.pay(alice, await deposit(chain, alice), [[bob, ETHER]])]
  while (signed.length < count) {
    const made = { number: block, transactions: signed, header: undefined as never }
    signed.push(await chain.pay(bob, place(made, signed.length - 1), [[bob, ETHER]]))
  }
  return signed
}

const passAfter = (seconds: number) => passTo(world.chain, Math.floor(seconds) + 1)

async function stateAt({ number }: ChildBlock, first: number, levels: number): Promise<string | undefined> {
  const [, state] = await readSurety<readonly [string, number]>(world.chain, 'challengeRecord', [number, first, levels])
  return ['none', 'open', 'answered', 'ended'][state]
}

/** A block that everybody has, and one that nobody has. */
async function withheld(count: number) {
  const { chain } = world
  const someone = await createSuretyWatcher(world)
  const known = await submit(chain, await payments(chain, 1, 1))
  someone.serve(known)
  const hidden = await submit(chain, await payments(chain, count, 2))
  return { someone, known, hidden }
}

test('a hidden block is challenged once its peers had their time, and the chain halted when nobody answers', async () => {
  const { chain } = world
  const { dataChallengePeriod, dataResponsePeriod } = chain.parameters
  const { someone, known, hidden } = await withheld(2)
  assert.equal(await someone.act(), { done: [], refused: [] })
  assert.is(someone.facts.verifiedBlock(), known.number)
  await passAfter(hidden.header.timestamp + dataChallengePeriod / 4)
  assert.equal(await someone.act(), { done: ['challenge-data'], refused: [] })
  assert.is(await stateAt(hidden, 0, 1), 'open')
  const [record] = someone.data.open()
  assert.is(record?.challenge.challenger, watcher.address)
  assert.ok(someone.codes().includes('DATA_CHALLENGED'))
  assert.equal(await someone.act(), { done: [], refused: [] }, 'one range, demanded already')
  await passAfter((record?.challenge.startedAt ?? 0) + dataResponsePeriod)
  const before = await balance(chain, watcher)
  assert.equal(await someone.act(), { done: ['end-data'], refused: [] })
  assert.is(someone.facts.halt().voidFrom, hidden.number)
  assert.ok((await balance(chain, watcher)) > before, 'its bond and its share of the operator’s are back')
  assert.ok(someone.codes().includes('DATA_UNANSWERED'))
  assert.equal(someone.data.open(), [])
  assert.is(someone.data.ofBlock(hidden.number)[0]?.isHalt, true)
  assert.equal(await someone.act(), { done: [], refused: [] })
  someone.log.assertNoErrors()
})

test('a hidden block that is revealed on L1 range by range is put together and verified', async () => {
  const { chain } = world
  const { dataChallengePeriod } = chain.parameters
  const { someone, hidden } = await withheld(66)
  await someone.look()
  await passAfter(hidden.header.timestamp + dataChallengePeriod / 4)
  assert.equal((await someone.act()).done, ['challenge-data'], 'one range first')
  await passTo(chain, hidden.header.timestamp + dataChallengePeriod / 2 + 1)
  assert.equal((await someone.act()).done, ['challenge-data', 'challenge-data'], 'then the rest')
  const open = someone.data.open().map(({ challenge }) => challenge)
  assert.equal(
    open.map(({ first }) => first).sort((a, b) => a - b),
    [0, 32, 64],
  )
  const [last, ...others] = open
  for (const one of others) await reveal(chain, hidden, [one])
  await someone.look()
  assert.is(someone.facts.verifiedBlock(), hidden.number - 1)
  await reveal(chain, hidden, [last!], { from: mallory })
  await someone.look()
  assert.is(someone.facts.verifiedBlock(), hidden.number)
  assert.is(someone.facts.spentBy(place(hidden, 64)), place(hidden, 65))
  assert.ok(someone.codes().includes('BLOCK_SERVED_LATE'))
  assert.equal(await someone.act(), { done: [], refused: [] })
  someone.log.assertNoErrors()
})

test('a revealed leaf that is forged halts the chain, though the rest of its block stays hidden', async () => {
  const { chain } = world
  const { dataChallengePeriod } = chain.parameters
  const someone = await createSuretyWatcher(world)
  const known = await submit(chain, await payments(chain, 1, 1))
  someone.serve(known)
  const transactions = await payments(chain, 65, 2)
  const made = place({ number: 2, transactions, header: known.header }, 64)
  const hidden = await submit(chain, [...transactions, await chain.pay(mallory, made, [[mallory, ETHER]])])
  await someone.look()
  await passTo(chain, hidden.header.timestamp + dataChallengePeriod / 2 + 1)
  assert.equal((await someone.act()).done, ['challenge-data', 'challenge-data', 'challenge-data'])
  const tail = someone.data.open().find(({ challenge }) => challenge.first === 64)?.challenge
  const bond = await bondLeft(chain)
  await reveal(chain, hidden, [tail!], { from: carol })
  const before = await balance(chain, watcher)
  assert.equal((await someone.act()).done, ['prove'])
  assert.is(someone.facts.halt().voidFrom, hidden.number)
  assert.ok((await balance(chain, watcher)) > before + bond / 16n, 'the reporter’s share')
  assert.equal((await someone.act()).done, ['refund-data', 'refund-data'], 'what is void owes no answer')
  assert.ok(someone.codes().includes('INVALID_BLOCK'))
  assert.is(someone.data.open().length, 0)
  someone.log.assertNoErrors()
})

test('a watcher answers for a silent operator, nested ranges in one call, and is paid', async () => {
  const { chain } = world
  const { dataResponsePeriod } = chain.parameters
  const someone = await createSuretyWatcher(world)
  const block = await submit(chain, await payments(chain, 5, 1))
  someone.serve(block)
  const asked = []
  for (const range of [
    [0, 1],
    [0, 0],
    [1, 0],
    [4, 0],
  ] as const) {
    asked.push(await challengeData(chain, block, range, { from: mallory }))
  }
  await passTo(chain, asked[0]!.startedAt + dataResponsePeriod / 2 - 1)
  assert.equal(await someone.act(), { done: [], refused: [] }, 'the first half of DR is the operator’s')
  await passTo(chain, asked[3]!.startedAt + dataResponsePeriod / 2)
  assert.equal(await someone.act(), { done: ['reveal-data', 'reveal-data'], refused: [] })
  for (const { first, levels } of asked) assert.is(await stateAt(block, first, levels), 'answered')
  const answers = someone.data.ofBlock(block.number).map(({ answer }) => answer)
  assert.ok(answers.every((answer) => answer?.answerer === watcher.address))
  assert.ok(answers.reduce((sum, answer) => sum + (answer?.paid ?? 0n), 0n) > 0n)
  assert.is(someone.facts.verifiedBlock(), block.number)
  assert.equal(await someone.act(), { done: [], refused: [] })
  someone.log.assertNoErrors()
})

test('a watcher that has the block neither halts at it nor races the operator', async () => {
  const { chain } = world
  const { dataResponsePeriod } = chain.parameters
  const someone = await createSuretyWatcher(world)
  const block = await submit(chain, await payments(chain, 2, 1))
  someone.serve(block)
  const asked = await challengeData(chain, block, [0, 1], { from: mallory })
  await passAfter(asked.startedAt + dataResponsePeriod)
  assert.equal(await someone.act(), { done: [], refused: [] })
  assert.ok(someone.codes().includes('DATA_UNANSWERED'))
  assert.is(someone.facts.halt().voidFrom, 0)
})

test('a receipt for a place in which another transaction stands costs the operator half its bond', async () => {
  const { chain } = world
  const someone = await createSuretyWatcher(world)
  const transactions = await payments(chain, 1, 1)
  const draft = await draftReceipt(chain, OTHER)
  const [signed] = await signReceipts(chain, [draft])
  await someone.look()
  assert.is(someone.receipts.add(signed!), 'open')
  const block = await submit(chain, transactions, draft.anchor)
  const bond = await bondLeft(chain)
  await someone.look()
  assert.is(someone.receipts.ofTransaction(OTHER)[0]?.state, 'unknown', 'nobody has the block yet')
  someone.serve(block)
  assert.equal(await someone.act(), { done: ['break-receipt'], refused: [] })
  assert.is(await bondLeft(chain), bond - bond / 2n)
  assert.ok(someone.codes().includes('RECEIPT_BROKEN'))
  assert.is(someone.receipts.ofTransaction(OTHER)[0]?.state, 'slashed')
  assert.equal(await someone.act(), { done: [], refused: [] })
  someone.log.assertNoErrors()
})

test('a receipt whose block never came, and two that contradict each other, are broken; a kept one is left alone', async () => {
  const { chain } = world
  const someone = await createSuretyWatcher(world)
  const transactions = await payments(chain, 2, 1)
  const kept = bytesToHex(chain.hashed(transactions)[0]!.txHash)
  const draft = await draftReceipt(chain, kept)
  const [ours, one, other, never] = await signReceipts(chain, [
    draft,
    { ...draft, index: 1, txHash: OTHER },
    { ...draft, index: 1, txHash: `0x${'33'.repeat(32)}` },
    { ...draft, blockNumber: 9, txHash: OTHER },
  ])
  await chain.client.mine({ blocks: 1 })
  await someone.look()
  assert.is(someone.receipts.add(ours!), 'open')
  assert.is(someone.receipts.add(one!), 'open')
  assert.is(someone.receipts.add(never!), 'open')
  assert.is(someone.receipts.add(other!), 'contradicted')
  const bond = await bondLeft(chain)
  assert.equal(await someone.act(), { done: ['break-receipt'], refused: [] })
  assert.is(await readSurety(chain, 'isBroken', [1, 1]), true)
  await postBond(chain, operator, bond / 2n)
  const block = await submit(chain, transactions, draft.anchor)
  someone.serve(block)
  await chain.client.mine({ blocks: chain.parameters.anchorAgeBlocks + 1 })
  assert.equal(await someone.act(), { done: ['break-receipt'], refused: [] })
  assert.is(await readSurety(chain, 'isBroken', [9, 0]), true)
  assert.is(await bondLeft(chain), bond / 2n)
  assert.is(someone.receipts.ofTransaction(kept)[0]?.state, 'kept')
  someone.log.assertNoErrors()
})

test('a receipt that no operator signed, or that is not of its batch, is not kept', async () => {
  const { chain } = world
  const someone = await createSuretyWatcher(world)
  await someone.look()
  const draft = await draftReceipt(chain, OTHER)
  const [forged] = await signReceipts(chain, [draft], carol)
  const [signed] = await signReceipts(chain, [draft], operator)
  assert.throws(() => someone.receipts.add(forged!), /not signed by an operator/)
  assert.throws(
    () => someone.receipts.add({ ...signed!, receipt: { ...draft, txHash: `0x${'33'.repeat(32)}` } }),
    /not one of its batch/,
  )
  assert.equal(someone.receipts.ofTransaction(OTHER), [])
})

test.run()

/** Data challenges on the real contract (spec 8.6): what can be demanded, what answers it, what it costs each side. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeFraudProof, encodeStartStandardExit } from '../../l1/rootCalls.ts'
import { encodeRevealData } from '../../l1/suretyContract.ts'
import { blockTree } from '../../protocol/block.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import {
  answerGas,
  coverBlock,
  dataChallengeBond,
  findRangeProblem,
  HALVED_AFTER,
  leavesOf,
  proveRange,
} from '../../protocol/dataChallenge.ts'
import { createOutput, type SignedTransaction } from '../../protocol/transaction.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  balance,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  process,
  startDepositExit,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, eventOf, proveInBlock, type RootChain } from '../support/rootChain.ts'
import { bondLeft, challengeBond, challengeData, endChallenge, readSurety, reveal } from '../support/suretyMoves.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol } = actors
const { test, world } = rootSuite('data challenges')
printSeed('data challenges')
const GWEI = 10n ** 9n
const periods = () => world.chain.parameters

/** Well-formed transactions of nothing: data challenges ask for no more. */
async function fill(chain: RootChain, count: number): Promise<SignedTransaction[]> {
  const [first] = [await chain.pay(alice, 16, [[bob, 1n]])]
  return Array.from({ length: count }, (_, i) => ({
    transaction: { ...first.transaction, inputs: [16 * (i + 1)] },
    witnesses: first.witnesses,
  }))
}

const stateOf = async (block: ChildBlock, first: number, levels: number) => {
  const [, state] = await readSurety<readonly [string, number]>(world.chain, 'challengeRecord', [
    block.number,
    first,
    levels,
  ])
  return ['none', 'open', 'answered', 'ended'][state]
}

test('a range that nobody reveals halts the chain at its block, and pays the challenger', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 5))
  const later = await submit(chain, [])
  const challenge = await challengeData(chain, block, [4, 2])
  const bond = await bondLeft(chain)
  await nextAt(chain, challenge.startedAt + periods().dataResponsePeriod)
  await refuses('TooEarly', () => endChallenge(chain, challenge))
  await chain.client.mine({ blocks: 1 })
  await passTo(chain, challenge.startedAt + periods().dataResponsePeriod + 1)
  const before = await balance(chain, watcher)
  const { events } = await endChallenge(chain, challenge)
  assert.equal(
    [
      eventOf(events, 'HaltMoved').voidFrom,
      eventOf(events, 'HaltMoved').isMove,
      eventOf(events, 'DataChallengeEnded').isHalt,
    ],
    [block.number, true, true],
  )
  assert.is((await balance(chain, watcher)) - before, challenge.bond + bond / 8n)
  assert.is(later.number, block.number + 1)
  await refuses('ChallengeMismatch', () => endChallenge(chain, challenge))
})

test('an answer in the last second of DR counts, one a second later does not', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 3))
  const [early, late] = [await challengeData(chain, block, [0, 0]), await challengeData(chain, block, [1, 0])]
  await nextAt(chain, early.startedAt + periods().dataResponsePeriod)
  await reveal(chain, block, [early])
  assert.is(await stateOf(block, 0, 0), 'answered')
  await passTo(chain, late.startedAt + periods().dataResponsePeriod + 1)
  await refuses('ChallengeTooLate', () => reveal(chain, block, [late]))
  await refuses('ChallengeMismatch', () => endChallenge(chain, early))
  await endChallenge(chain, late)
})

test('a block can be challenged in the last second of DC, and no later', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 2))
  await nextAt(chain, block.header.timestamp + periods().dataChallengePeriod)
  await challengeData(chain, block, [0, 0])
  await nextAt(chain, block.header.timestamp + periods().dataChallengePeriod + 1)
  await refuses('ChallengeTooLate', () => challengeData(chain, block, [1, 0]))
})

test('what a block has not, or has not at that place, cannot be demanded', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 5))
  for (const [first, levels] of [
    [5, 0],
    [8, 3],
    [1, 1],
    [0, 4],
    [0, 6],
    [0, 255],
  ] as const) {
    assert.ok(findRangeProblem({ first, levels }, 5))
    await refuses('RangeMalformed', () => challengeData(chain, block, [first, levels], { bondWei: ETHER }))
  }
  const heartbeat = await submit(chain, [])
  await refuses('RangeMalformed', () => challengeData(chain, heartbeat, [0, 0], { bondWei: ETHER }))
  const ghost = { ...block, number: 99 }
  await refuses('BlockUnknown', () => challengeData(chain, ghost, [0, 0], { bondWei: ETHER }))
  const lie = { ...block, header: { ...block.header, txCount: 64 } }
  await refuses('HeaderMismatch', () => challengeData(chain, lie, [32, 5], { bondWei: ETHER }))
})

test('each range is challenged once, overlapping ones are free', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 8))
  const one = await challengeData(chain, block, [2, 1])
  await refuses('ChallengeKnown', () => challengeData(chain, block, [2, 1]))
  await challengeData(chain, block, [2, 0])
  await challengeData(chain, block, [0, 3])
  await reveal(chain, block, [one])
  await refuses('ChallengeKnown', () => challengeData(chain, block, [2, 1]))
})

test('one answer serves all ranges inside it, and no range outside', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 70))
  const whole = await challengeData(chain, block, [0, 5])
  const parts = [await challengeData(chain, block, [0, 0]), await challengeData(chain, block, [32, 5])]
  const all = { first: 0, levels: 6 }
  const outside = await challengeData(chain, block, [64, 3])
  await refuses('RangeMalformed', () => reveal(chain, block, [whole, outside], { range: all }))
  await refuses('RangeMalformed', () => reveal(chain, block, [parts[0]!, whole]))
  await refuses('RangeMalformed', () => reveal(chain, block, [whole, parts[1]!]))
  await refuses('ChallengeMismatch', () => reveal(chain, block, [whole, parts[0]!, parts[0]!]))
  await refuses('ChallengeMismatch', () => reveal(chain, block, [{ ...whole, bond: whole.bond + 1n }]))
  const { events } = await reveal(chain, block, [whole, ...parts], { range: all })
  assert.is(events.filter(({ type }) => type === 'DataRevealed').length, 3)
  const leaves = eventOf(events, 'LeavesRevealed')
  assert.equal(
    leaves.transactions.map(({ witnesses, transaction }) => [...witnesses, transaction.inputs[0]]),
    block.transactions.slice(0, 64).map(({ witnesses, transaction }) => [...witnesses, transaction.inputs[0]]),
  )
  await reveal(chain, block, [outside])
})

test('any range of any block can be revealed, and nothing but what stands there', async () => {
  const { chain } = world
  const draws = fc.sample(fc.tuple(fc.integer({ min: 1, max: 140 }), fc.nat(), fc.nat()), { seed, numRuns: 12 })
  for (const [count, a, b] of draws) {
    const id = await chain.client.snapshot()
    const block = await submit(chain, await fill(chain, count))
    const levels = a % (1 + Math.min(5, Math.ceil(Math.log2(count))))
    const first = Math.floor((b % count) / 2 ** levels) * 2 ** levels
    assert.is(findRangeProblem({ first, levels }, count), undefined)
    const challenge = await challengeData(chain, block, [first, levels])
    const swapped = [...block.transactions]
    swapped[first] = { ...swapped[first]!, witnesses: new Uint8Array(64).fill(7) }
    await refuses('NotRevealed', () => reveal(chain, { ...block, transactions: swapped }, [challenge]))
    const path = proveRange(blockTree(chain.hashed(block.transactions)), challenge)
    const own = block.transactions.slice(first, first + leavesOf(challenge, count))
    const send = (shown: readonly SignedTransaction[], siblings: readonly `0x${string}`[]) =>
      chain.send(mallory.account, encodeRevealData(challenge, [challenge], shown, siblings), chain.surety)
    await refuses('NotRevealed', () => send(own.slice(1), path))
    await refuses('NotRevealed', () => send([...own, own[0]!], path))
    await refuses('NotRevealed', () => send(own, [...path, ZERO_HASH]))
    if (path.length > 0) await refuses('NotRevealed', () => send(own, path.slice(1)))
    await reveal(chain, block, [challenge])
    await chain.client.revert({ id })
  }
})

test('a leaf that V1 forbids is no answer', async () => {
  const { chain } = world
  const [good] = await fill(chain, 1)
  const bad: SignedTransaction[] = [
    { ...good!, transaction: { ...good!.transaction, inputs: [32, 16] }, witnesses: new Uint8Array(128) },
    { ...good!, transaction: { ...good!.transaction, outputs: [createOutput(bob.address, ETH, 0n)] } },
  ]
  for (const signed of bad) {
    const block = await submit(chain, [good!, signed])
    const challenge = await challengeData(chain, block, [1, 0])
    await refuses('TransactionMalformed', () => reveal(chain, block, [challenge]))
  }
})

test('the challenger of a block that falls otherwise has its bond back', async () => {
  const { chain } = world
  const coin = await deposit(chain, alice)
  const { transaction } = await chain.pay(alice, coin, [[mallory, ETHER]])
  const block = await submit(chain, [await chain.sign(transaction, [mallory])])
  const challenge = await challengeData(chain, block, [0, 0])
  const offence = {
    position: place(block),
    signed: block.transactions[0]!,
    header: block.header,
    proof: proveInBlock(chain, block, 0),
  }
  const shown = { kind: 'deposit', deposit: { owner: alice.address, token: ETH, amount: ETHER } } as const
  await chain.send(carol.account, encodeFraudProof({ rule: 'V4', input: 0, offence, shown }))
  await refuses('BlockVoid', () => challengeData(chain, block, [0, 0]))
  const before = await balance(chain, watcher)
  const { events } = await endChallenge(chain, challenge)
  assert.is(eventOf(events, 'DataChallengeEnded').isHalt, false)
  assert.is((await balance(chain, watcher)) - before, challenge.bond)
})

test('a challenge that nobody ended before MEP halts nothing, and gives its bond back', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 1))
  const challenge = await challengeData(chain, block, [0, 0])
  await passTo(chain, block.header.timestamp + periods().minExitPeriod + 1)
  const before = await balance(chain, watcher)
  const { events } = await endChallenge(chain, challenge)
  assert.is(eventOf(events, 'DataChallengeEnded').isHalt, false)
  assert.is((await balance(chain, watcher)) - before, challenge.bond)
  const [voidFrom] = await chain.read<readonly number[]>('head')
  assert.is(voidFrom, 0)
})

test('bond and reward are those of protocol/dataChallenge.ts, halved from the 17th group on', async () => {
  const { chain } = world
  const block = await submit(chain, await fill(chain, 64 * (HALVED_AFTER + 2)))
  const fee = (await chain.read<bigint>('exitBond')) / 400_000n
  let groups = 0
  for (const range of coverBlock(block.number, block.header.txCount)) {
    if (range.first % 64 === 0) groups++
    const least = await challengeBond(chain, range)
    assert.is(least, dataChallengeBond(range.levels, groups, fee))
    await refuses('BondTooSmall', () =>
      challengeData(chain, block, [range.first, range.levels], { bondWei: least / 2n }),
    )
    const challenge = await challengeData(chain, block, [range.first, range.levels])
    assert.is(challenge.halved, groups > HALVED_AFTER)
    // A second range of the same group costs no more than the first.
    assert.is(await challengeBond(chain, { ...range, levels: 0 }), dataChallengeBond(0, groups, fee))
    if (range.first !== 0 && range.first !== 64 * HALVED_AFTER) continue
    const { events, receipt } = await reveal(chain, block, [challenge])
    const baseFee = (await chain.client.getBlock({ blockHash: receipt.blockHash })).baseFeePerGas as bigint
    const transactions = block.transactions.slice(range.first, range.first + 32).map(({ transaction }) => transaction)
    const siblings = proveRange(blockTree(chain.hashed(block.transactions)), range).length
    const cost = BigInt(answerGas(transactions, siblings)) * (baseFee > GWEI ? baseFee : GWEI)
    const whole = (cost * 11n) / 10n
    const share = whole < challenge.bond ? whole : challenge.bond
    assert.is(eventOf(events, 'DataRevealed').paid, challenge.halved ? share / 2n : share)
  }
})

test('the worst range fits into one transaction, by its gas and by its size', async () => {
  const { chain } = world
  const outputs = Array.from({ length: 16 }, (_, i) =>
    createOutput(bob.address, mallory.address, BigInt(i + 1) * ETHER),
  )
  const worst = Array.from({ length: 64 }, (_, k) => ({
    transaction: {
      inputs: Array.from({ length: 16 }, (_, i) => 2 ** 40 + 16 * (16 * k + i)),
      outputs,
      memo: ZERO_HASH,
    },
    witnesses: new Uint8Array(16 * 64).fill(0xaa),
  }))
  const block = await submit(chain, worst)
  const [low, high] = [await challengeData(chain, block, [0, 5]), await challengeData(chain, block, [32, 5])]
  const path = proveRange(blockTree(chain.hashed(block.transactions)), low)
  const { data } = encodeRevealData(low, [low], block.transactions.slice(0, 32), path)
  // A block of 65,536 has 5 siblings more, and the envelope some hundred bytes.
  assert.ok(data.length / 2 + 1_000 < 128 * 1024, `got ${data.length / 2} bytes, want less than nodes pass on`)
  const { receipt } = await reveal(chain, block, [low, high], { range: { first: 0, levels: 6 } })
  assert.ok(receipt.gasUsed < 16_777_216n, `got ${receipt.gasUsed} gas, want less than one transaction may use`)
})

test('owners of a chain that was halted for its data are paid in full, from before the void block', async () => {
  const { chain } = world
  const coin = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, coin, [[mallory, ETHER]])])
  const challenge = await challengeData(chain, block, [0, 0])
  await passTo(chain, challenge.startedAt + periods().dataResponsePeriod + 1)
  await endChallenge(chain, challenge)
  const shown = {
    transaction: block.transactions[0]!.transaction,
    header: block.header,
    proof: proveInBlock(chain, block, 0),
  }
  const call = encodeStartStandardExit({ position: place(block), shown, bondWei: ETHER })
  await refuses('BlockVoid', () => chain.send(mallory.account, call))
  const exit = await startDepositExit(chain, alice, coin)
  await passTo(chain, exit.exitableAt + periods().minExitPeriod + 1)
  const { events } = await process(chain, turnsOf([exit]))
  assert.is(eventOf(events, 'ExitPaid').amount, ETHER)
})

test.run()

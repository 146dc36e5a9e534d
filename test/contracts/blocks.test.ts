/** Submission of child blocks on the real contract (docs/spec.md sections 3 and 8.1). */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { numberToHex } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import { encodeDepositEth, encodeSubmitBlocks } from '../../l1/rootCalls.ts'
import { type Commitment, hashHeader } from '../../protocol/block.ts'
import { type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import { nextSlowFee } from '../../protocol/exit.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { deposit, nextAt, submit, submitMany } from '../support/moves.ts'
import { type Actor, actors, deployRootChain, eventOf, type RootChain } from '../support/rootChain.ts'
import { lifeboatHarnessAbi } from './artifacts.generated.ts'
import { callOf, refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, operator } = actors
const { test, world } = rootSuite('blocks on L1', { maxBlockTxs: 1_000 })
const ROOT = `0x${'ab'.repeat(32)}` as const

type Head = readonly [
  voidFrom: number,
  newest: number,
  newestTime: number,
  newestAnchor: number,
  depositCount: number,
  slowFeeGwei: number,
  lastMove: number,
]

const readHead = () => world.chain.read<Head>('head')
const latest = async (chain = world.chain) => Number(await chain.client.getBlockNumber())

async function hashOf(l1Block: number, chain: RootChain = world.chain): Promise<Hash> {
  const { hash } = await chain.client.getBlock({ blockNumber: BigInt(l1Block) })
  return hash as Hash
}

async function commit(
  firstBlock: number,
  commitments: readonly Commitment[],
  options: { anchorHash?: Hash; from?: Actor; chain?: RootChain } = {},
) {
  const chain = options.chain ?? world.chain
  const anchorHash = options.anchorHash ?? (await hashOf(commitments.at(-1)!.anchor, chain))
  return chain.send((options.from ?? operator).account, encodeSubmitBlocks(firstBlock, commitments, anchorHash))
}

test('keeps the header of each block and tells the commitments in one event', async () => {
  await world.chain.client.mine({ blocks: 2 })
  const anchor = await latest()
  const commitments = [
    { root: ROOT, txCount: 5, anchor: anchor - 1 },
    { root: ZERO_HASH, txCount: 0, anchor: anchor - 1 },
    { root: ROOT, txCount: 1_000, anchor },
  ]
  const { events, timestamp } = await commit(1, commitments)
  const event = eventOf(events, 'BlocksSubmitted')
  assert.is(events.length, 1)
  assert.is(event.firstBlock, 1)
  assert.equal(event.commitments, commitments)
  for (const [i, commitment] of commitments.entries()) {
    const [headerHash, youngCount, youngNext] = await world.chain.read<[string, number, number]>('blockRecord', [i + 1])
    assert.is(headerHash, hashHeader({ ...commitment, timestamp }).slice(0, 52))
    assert.equal([youngCount, youngNext], [0, 0])
  }
  const [, newest, newestTime, newestAnchor] = await readHead()
  assert.equal([newest, newestTime, newestAnchor], [3, timestamp, anchor])
})

test('refuses every number but the next', async () => {
  await submitMany(world.chain, [[], []])
  const heartbeat = { root: ZERO_HASH, txCount: 0, anchor: await latest() }
  for (const number of [0, 1, 2, 4, 5]) {
    const { args } = await refuses('BlockUnexpected', () => commit(number, [heartbeat]))
    assert.equal(args, [BigInt(number), 3n])
  }
  await commit(3, [heartbeat])
})

test('refuses a call without blocks', async () => {
  await refuses('NothingToDo', () => commit(1, [], { anchorHash: ROOT }))
})

test('refuses a block that the chain has no number for', async () => {
  const { chain } = world
  const head = BigInt((await chain.client.getStorageAt({ address: chain.root, slot: '0x0' })) as string)
  const last = head | ((2n ** 28n - 2n) << 2n)
  await chain.client.setStorageAt({ address: chain.root, index: 0, value: numberToHex(last, { size: 32 }) })
  const heartbeat = { root: ZERO_HASH, txCount: 0, anchor: await latest() }
  await refuses('CommitmentMalformed', () => commit(2 ** 28 - 1, [heartbeat, heartbeat]))
  await commit(2 ** 28 - 1, [heartbeat])
  await refuses('CommitmentMalformed', () => commit(2 ** 28, [heartbeat]))
})

test('no transactions and a zero root go together', async () => {
  const anchor = await latest()
  await refuses('CommitmentMalformed', () => commit(1, [{ root: ROOT, txCount: 0, anchor }]))
  await refuses('CommitmentMalformed', () => commit(1, [{ root: ZERO_HASH, txCount: 1, anchor }]))
  await commit(1, [{ root: ZERO_HASH, txCount: 0, anchor }])
})

test('refuses a block larger than the deployment allows, naming it, wherever it stands in the call', async () => {
  const anchor = await latest()
  const good = { root: ROOT, txCount: 1_000, anchor }
  const { args } = await refuses('CommitmentMalformed', () => commit(1, [good, { ...good, txCount: 1_001 }]))
  assert.equal(args, [2n])
  assert.is((await readHead())[1], 0, 'nothing of the call counts')
})

test('an anchor is accepted at its greatest age and refused one block older', async () => {
  const { client, parameters } = world.chain
  await client.mine({ blocks: 40 })
  const next = (await latest()) + 1
  const oldest = next - parameters.anchorAgeBlocks
  const { args } = await refuses('AnchorTooOld', () => commit(1, [{ root: ROOT, txCount: 1, anchor: oldest - 1 }]))
  assert.equal(args.map(Number), [oldest - 1, oldest])
  await commit(1, [{ root: ROOT, txCount: 1, anchor: oldest }])
})

test('an old first anchor is refused even when the last one is young', async () => {
  const { client, parameters } = world.chain
  await client.mine({ blocks: 40 })
  const anchor = await latest()
  const old = anchor - parameters.anchorAgeBlocks - 1
  await refuses('AnchorTooOld', () =>
    commit(1, [
      { root: ROOT, txCount: 1, anchor: old },
      { root: ROOT, txCount: 1, anchor },
    ]),
  )
})

test('anchors never go back, neither between calls nor inside one', async () => {
  const anchor = await latest()
  const at = (each: number) => ({ root: ROOT, txCount: 1, anchor: each })
  await refuses('AnchorWentBack', () => commit(1, [at(anchor), at(anchor - 1)]))
  await commit(1, [at(anchor)])
  await refuses('AnchorWentBack', () => commit(2, [at(anchor - 1)]))
  await commit(2, [at(anchor)])
})

test('an anchor must be mined, and of the chain that the submission is on', async () => {
  const anchor = await latest()
  const { args } = await refuses('AnchorNotMined', () =>
    commit(1, [{ root: ROOT, txCount: 1, anchor: anchor + 1 }], { anchorHash: ROOT }),
  )
  assert.equal(args.map(Number), [anchor + 1, anchor])
  await refuses('AnchorNotMined', () =>
    commit(1, [{ root: ROOT, txCount: 1, anchor: 2 ** 32 - 1 }], { anchorHash: ROOT }),
  )
  const other = await hashOf(anchor - 1)
  await refuses('AnchorNotCanonical', () => commit(1, [{ root: ROOT, txCount: 1, anchor }], { anchorHash: other }))
  await refuses('AnchorNotCanonical', () => commit(1, [{ root: ROOT, txCount: 1, anchor }], { anchorHash: ZERO_HASH }))
})

test('an anchor older than 256 blocks is looked up in the history of EIP-2935', async () => {
  const mep = 24_000
  const { client } = world.chain
  const chain = await deployRootChain(client, { minExitPeriod: mep, abandonPeriod: mep, anchorAgeBlocks: 2_000 })
  await client.mine({ blocks: 300 })
  const anchor = (await latest()) - 280
  await setHistory(anchor, await hashOf(anchor))
  const at = { root: ROOT, txCount: 1, anchor }
  await refuses('AnchorNotCanonical', () => commit(1, [at], { chain, anchorHash: ROOT }))
  await commit(1, [at], { chain })
  await refuses('AnchorNotCanonical', () =>
    commit(2, [{ ...at, anchor: anchor + 1 }], { chain, anchorHash: ZERO_HASH }),
  )
})

test('256 blocks back: the last that BLOCKHASH knows and the first that only the history knows', async () => {
  const mep = 24_000
  const { client } = world.chain
  const chain = await deployRootChain(client, { minExitPeriod: mep, abandonPeriod: mep, anchorAgeBlocks: 2_000 })
  await client.mine({ blocks: 300 })
  const next = (await latest()) + 1
  await setHistory(next - 257, await hashOf(next - 257))
  await commit(1, [{ root: ROOT, txCount: 1, anchor: next - 257 }], { chain })
  await commit(2, [{ root: ROOT, txCount: 1, anchor: next + 1 - 256 }], { chain })
})

/** The system contract's storage as L1 fills it at the start of each block: hash of block n at slot n mod 8191. */
async function setHistory(l1Block: number, hash: Hash): Promise<void> {
  const { client } = world.chain
  const history = '0x0000F90827F1C53a10cb7A02335B175320002935'
  assert.ok(((await client.getCode({ address: history })) ?? '0x').length > 2, 'the L1 has no EIP-2935 history')
  await client.setStorageAt({ address: history, index: numberToHex(l1Block % 8_191, { size: 32 }), value: hash })
}

test('only the operator submits', async () => {
  const heartbeat = { root: ZERO_HASH, txCount: 0, anchor: await latest() }
  const { args } = await refuses('NotOperator', () => commit(1, [heartbeat], { from: mallory }))
  assert.equal(
    args.map((each) => String(each).toLowerCase()),
    [mallory.address, operator.address],
  )
})

const nominate = (from: Actor, nominee: Actor) =>
  world.chain.send(from.account, callOf(iLifeboatAbi, 'nominateOperator', [nominee.address]))
const accept = (from: Actor) => world.chain.send(from.account, callOf(iLifeboatAbi, 'acceptOperator', []))

test("the operator's key is rotated by itself only, and only to a key that accepts", async () => {
  const heartbeat = { root: ZERO_HASH, txCount: 0, anchor: await latest() }
  await refuses('NotOperator', () => nominate(mallory, mallory))
  await refuses('NotOperator', () => accept(mallory))
  assert.is(eventOf((await nominate(operator, alice)).events, 'OperatorNominated').nominee, alice.address)
  await commit(1, [heartbeat])
  await refuses('NotOperator', () => commit(2, [heartbeat], { from: alice }))
  assert.is((await world.chain.read<string>('operator')).toLowerCase(), operator.address)

  await nominate(operator, bob)
  await refuses('NotOperator', () => accept(alice))
  assert.is(eventOf((await accept(bob)).events, 'OperatorRotated').operator, bob.address)
  await refuses('NotOperator', () => accept(bob))
  await refuses('NotOperator', () => commit(2, [heartbeat]))
  await refuses('NotOperator', () => nominate(operator, operator))
  await commit(2, [heartbeat], { from: bob })
  assert.is((await world.chain.read<string>('operator')).toLowerCase(), bob.address)
})

test('a halted chain takes no more blocks and no more deposits, and says from where it is void', async () => {
  await submit(world.chain, [])
  await setByHand(world.chain, 'setHalt', [2, 0])
  const { args } = await refuses('ChainHalted', () => submit(world.chain, []))
  assert.equal(args, [2n])
  await refuses('ChainHalted', () => deposit(world.chain, alice))
  assert.is((await readHead())[0], 2)
})

type Move = 'deposit' | 'submit' | 'submitTwo' | 'rotate' | 'time' | 'halt'

test('every field of the head stays right through any mix of moves', async () => {
  printSeed('head')
  const moves = fc.array(
    fc.tuple(
      fc.constantFrom<Move>('deposit', 'deposit', 'submit', 'submitTwo', 'rotate', 'time'),
      fc.nat({ max: 200_000 }),
    ),
    { minLength: 12, maxLength: 12 },
  )
  for (const run of fc.sample(moves, { seed, numRuns: 4 })) await playMoves(run)
})

async function playMoves(moves: readonly (readonly [Move, number])[]): Promise<void> {
  const { client } = world.chain
  const chain = await deployRootChain(client)
  const first = await chain.read<Head>('head')
  let want: number[] = [...first]
  assert.equal([first[0], first[1], first[4], first[5]], [0, 0, 0, 0])
  let key: Actor = operator
  for (const [move, size] of [...moves, ['halt', 7] as const]) {
    if (move === 'time') await nextAt(chain, Number((await client.getBlock()).timestamp) + size)
    if (move === 'deposit') {
      await chain.send(alice.account, encodeDepositEth(alice.address, 1n))
      want[4]!++
    }
    if (move === 'rotate') {
      const next = key === operator ? bob : operator
      await chain.send(key.account, callOf(iLifeboatAbi, 'nominateOperator', [next.address]))
      await chain.send(next.account, callOf(iLifeboatAbi, 'acceptOperator', []))
      key = next
    }
    if (move === 'submit' || move === 'submitTwo') {
      await client.setNextBlockBaseFeePerGas({ baseFeePerGas: BigInt(size) * 1_000_000n })
      const anchor = await latest(chain)
      const list = Array.from({ length: move === 'submit' ? 1 : 2 }, () => ({ root: ROOT, txCount: 9, anchor }))
      const { timestamp, l1Block } = await commit(want[1]! + 1, list, { chain, from: key })
      const { baseFeePerGas } = await client.getBlock({ blockNumber: BigInt(l1Block) })
      const fee = nextSlowFee(BigInt(want[5]!), BigInt(timestamp - want[2]!), baseFeePerGas as bigint)
      want = [0, want[1]! + list.length, timestamp, anchor, 0, Number(fee), 0]
    }
    if (move === 'halt') {
      await chain.send(alice.account, callOf(lifeboatHarnessAbi, 'setHalt', [5, 1_234]))
      want[0] = 5
      want[6] = 1_234
    }
    assert.equal([...(await chain.read<Head>('head'))], want, `after ${move}`)
    assert.is((await chain.read<string>('operator')).toLowerCase(), key.address)
  }
}

test('an L1 reorg takes a submission with it; the number is free again, and the lost anchor is refused', async () => {
  const { chain } = world
  await chain.client.mine({ blocks: 5 })
  const anchor = await latest()
  const lostHash = await hashOf(anchor)
  await commit(1, [{ root: ROOT, txCount: 1, anchor }])
  await chain.client.request({ method: 'anvil_reorg', params: [3, []] } as never)
  assert.is((await readHead())[1], 0, 'the submission is gone')
  await refuses('BlockUnexpected', () => commit(2, [{ root: ROOT, txCount: 1, anchor }]))
  await refuses('AnchorNotCanonical', () => commit(1, [{ root: ROOT, txCount: 1, anchor }], { anchorHash: lostHash }))
  await commit(1, [{ root: ROOT, txCount: 1, anchor: anchor - 3 }])
})

test.run()

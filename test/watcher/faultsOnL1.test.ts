/** Whole watchers on the real root contract: a forged block is committed, they prove it, and the chain ends; also late, after a restart and a reorg. */
import * as assert from 'uvu/assert'
import type { Hex } from 'viem'
import type { Deployment } from '../../l1/deployment.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { listRows } from '../../l1/outboxStore.ts'
import { encodeFraudProof } from '../../l1/rootCalls.ts'
import { encodeChallengeData, encodeEndChallenge } from '../../l1/suretyContract.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { joinBody } from '../../protocol/codec.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { Rule } from '../../protocol/validity.ts'
import type { Database } from '../../service/database.ts'
import { createMemoryLog } from '../../service/log.ts'
import { readParameters } from '../../watcher/check.ts'
import { type CourtPolicy, defaultPolicy } from '../../watcher/court/policy.ts'
import { courtOf } from '../../watcher/driver.ts'
import { createReadL1 } from '../../watcher/driverReadings.ts'
import { createWatcher, openStore } from '../../watcher/watcher.ts'
import { rootSuite } from '../contracts/rootSuite.ts'
import { createFraudWorld, type FraudWorld } from '../support/fraudWorld.ts'
import { ETHER, nextAt, passTo, place, signMandate, startExit, submit } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, eventOf, Reverted } from '../support/rootChain.ts'
import { createFakePeer, encodeLoosely } from './support/chain.ts'

const { alice, bob, carol, mallory, watcher: sender } = actors
const { test, world, mep } = rootSuite('watcher: faults on L1')
const operator = createFakePeer('operator')

const running: (() => Promise<void>)[] = []

test.after.each(async () => {
  for (const stop of running.splice(0)) await stop()
})

type Options = Readonly<{ db?: Database; policy?: Partial<CourtPolicy>; wards?: readonly Actor[]; isDirect?: boolean }>

/** A whole watcher whose rows the test sends itself: what the outbox does is tested with the outbox. */
async function startWatcher({ db = openStore(':memory:'), policy, wards = [], isDirect = false }: Options = {}) {
  const { chain, url } = world
  const log = createMemoryLog()
  const endpoint = await connectEndpoint({ url, name: 'anvil', expectedChainId: chain.chainId })
  const { hash } = await chain.client.getBlock({ blockNumber: 0n })
  const contract = { transactionHash: hash as Hex, codeHash: hash as Hex, compilerHash: hash as Hex }
  const deployment: Deployment = {
    version: 1,
    chainId: chain.chainId,
    contracts: { root: { address: chain.root, ...contract }, surety: { address: chain.surety, ...contract } },
    parameters: {},
    startBlock: { number: 0, hash: hash as Hex },
  }
  const parameters = await readParameters(endpoint, chain.root)
  const own = { sender: sender.address, seed: ZERO_HASH }
  const mandates = await Promise.all(wards.map((ward) => signMandate(chain, ward, {})))
  const watcher = await createWatcher({
    deployment,
    parameters,
    endpoints: [endpoint],
    peers: [operator.peer],
    database: db,
    log: log.log,
    version: 'test',
    port: 0,
    threads: 1,
    finalityBlocks: 200,
    sender: sender.address,
    protectedAccounts: mandates.map(({ mandate, signature }) => ({ owner: mandate.owner, mandate, signature })),
    createCourt: courtOf({
      policy: { ...defaultPolicy(own, parameters), staggerSeconds: 0, ...policy },
      rootContract: chain.root,
      ...(isDirect ? {} : { suretyContract: chain.surety }),
      readL1: createReadL1(endpoint, { rootContract: chain.root, sender: sender.address }),
    }),
  })
  const sent = new Set<string>()
  running.push(() => watcher.stop())
  const { facts, alarm } = watcher.core
  return {
    db,
    facts,
    log,
    codes: () => alarm.page(0, 1_000).map(({ code }) => code),
    stop: () => watcher.stop(),
    settle: () => watcher.settle(),
    wanted: () => listRows(db).map(({ intent }) => intent.key.split(':')[0]),
    rows: () => listRows(db),

    /** Looks, and sends what is wanted and was not sent yet. Returns the kinds of acts, and what L1 refused. */
    async act(): Promise<string[]> {
      await watcher.settle()
      const done: string[] = []
      for (const { intent } of listRows(db)) {
        const { key, to, data, valueWei } = intent
        if (sent.has(key) || !to) continue
        sent.add(key)
        try {
          await chain.send(sender.account, { data, valueWei }, to)
          done.push(key.split(':')[0] as string)
        } catch (error) {
          if (!(error instanceof Reverted)) throw error
          done.push(error.errorName)
        }
      }
      await watcher.settle()
      return done
    },
  }
}

/** Commits a block and serves it, in bytes that may be malformed. */
async function commit(fraud: FraudWorld, transactions: readonly SignedTransaction[]): Promise<ChildBlock> {
  const block = await submit(world.chain, transactions, fraud.anchor)
  serve(block)
  return block
}

function serve({ number, header, transactions }: ChildBlock): void {
  const { anchor } = header
  operator.serveBytes(number, joinBody({ block: number, anchor, transactions: transactions.map(encodeLoosely) }))
}

async function createHistory(): Promise<FraudWorld> {
  const fraud = await createFraudWorld(world.chain, world.url)
  for (const block of fraud.blocks) serve(block)
  return fraud
}

async function haltOf() {
  const [voidFrom] = await world.chain.read<readonly number[]>('head')
  return voidFrom
}

const half = ETHER / 2n
const to = (owner: Actor, amount: bigint) => ({ owner: owner.address, token: ETH, amount, condition: ZERO_HASH })

type Forgery = Readonly<{ name: string; rule: Rule; make(fraud: FraudWorld): readonly SignedTransaction[] }>

const FORGERIES: readonly Forgery[] = [
  {
    name: 'pays nothing to somebody',
    rule: 'V1',
    make: ({ sign, coins }) => [
      sign({ inputs: [coins[0]!.position], outputs: [to(bob, 0n), to(alice, half)], signers: [alice] }),
    ],
  },
  {
    name: 'names an input twice',
    rule: 'V1',
    make: ({ sign, coins }) => [
      sign({
        inputs: [coins[0]!.position, coins[0]!.position],
        outputs: [to(alice, ETHER)],
        signers: [alice, alice],
      }),
    ],
  },
  {
    name: 'spends an output that its transaction does not have',
    rule: 'V2',
    make: ({ sign, at }) => [sign({ inputs: [at(1, 0, 2)], outputs: [to(mallory, half)], signers: [mallory] })],
  },
  {
    name: 'spends beyond the end of a block',
    rule: 'V2',
    make: ({ sign, at }) => [sign({ inputs: [at(1, 9)], outputs: [to(mallory, half)], signers: [mallory] })],
  },
  {
    name: 'spends a deposit after its anchor',
    rule: 'V2',
    make: ({ sign, late }) => [sign({ inputs: [late], outputs: [to(alice, ETHER)], signers: [alice] })],
  },
  {
    name: 'spends what an older block spent',
    rule: 'V3',
    make: ({ sign, at }) => [sign({ inputs: [at(1, 0, 1)], outputs: [to(bob, half)], signers: [bob] })],
  },
  {
    name: 'spends an output twice in one block, behind a valid payment',
    rule: 'V3',
    make: ({ sign, coins }) => [
      sign({ inputs: [coins[4]!.position], outputs: [to(bob, ETHER)], signers: [bob] }),
      sign({ inputs: [coins[0]!.position], outputs: [to(bob, half)], signers: [alice] }),
      sign({ inputs: [coins[0]!.position], outputs: [to(mallory, half)], signers: [alice] }),
    ],
  },
  {
    name: 'carries the signature of another',
    rule: 'V4',
    make: ({ sign, coins }) => [
      sign({ inputs: [coins[3]!.position], outputs: [to(mallory, ETHER)], signers: [mallory] }),
    ],
  },
  {
    name: 'makes money',
    rule: 'V5',
    make: ({ sign, coins }) => [
      sign({
        inputs: [coins[0]!.position, coins[3]!.position].sort((a, b) => a - b),
        outputs: [to(alice, 2n * ETHER)],
        signers: [alice, alice],
      }),
    ],
  },
  {
    name: 'spends a locked payment',
    rule: 'V6',
    make: ({ sign, at }) => [sign({ inputs: [at(1, 1)], outputs: [to(bob, half)], signers: [bob] })],
  },
  {
    name: 'spends a locked deposit',
    rule: 'V6',
    make: ({ sign, exits }) => [
      sign({ inputs: [[...exits.keys()][1]!], outputs: [to(mallory, ETHER)], signers: [mallory] }),
    ],
  },
]

for (const { name, rule, make } of FORGERIES) {
  test(`halts the chain at a block that ${name} (${rule})`, async () => {
    const fraud = await createHistory()
    const watcher = await startWatcher()
    await watcher.settle()
    assert.equal(watcher.wanted(), [])
    const block = await commit(fraud, make(fraud))
    await commit(fraud, [])
    assert.equal(await watcher.act(), ['prove'])
    assert.is(await haltOf(), block.number)
    assert.is(watcher.facts.fault()?.fault.rule, rule)
    assert.is(watcher.facts.halt().voidFrom, block.number)
    assert.equal(await watcher.act(), [], 'nothing is left to do')
    const safety = watcher.facts.safety()
    assert.is(safety.reason, 'halted')
    assert.is('block' in safety && safety.block, block.number)
    assert.equal(
      watcher.codes().filter((code) => code !== 'INVALID_EXIT'),
      ['INVALID_BLOCK', 'CHAIN_HALTED', 'FAULT_PROVEN'],
    )
    watcher.log.assertNoErrors()
    await watcher.stop()
  })
}

async function forge(fraud: FraudWorld, index = 3): Promise<ChildBlock> {
  return commit(fraud, [FORGERIES.find(({ rule }) => rule === 'V4')!.make(fraud)[0]!].slice(0, index))
}

test('the reporter is paid from the operator’s bond, and without the surety’s address the proof goes to the root', async () => {
  const { chain } = world
  const fraud = await createHistory()
  await forge(fraud)
  const direct = await startWatcher({ isDirect: true })
  await direct.settle()
  assert.is(direct.rows()[0]?.intent.to, chain.root)
  await direct.stop()
  const before = await chain.client.getBalance({ address: sender.address })
  const reporter = await startWatcher()
  assert.equal(await reporter.act(), ['prove'])
  assert.is(reporter.rows()[0]?.intent.to, chain.surety)
  assert.ok((await chain.client.getBalance({ address: sender.address })) > before, 'the reward is more than the gas')
  await reporter.stop()
})

test('one who was first makes the proof done, and it is not sent again', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const block = await forge(fraud)
  const watcher = await startWatcher()
  await watcher.settle()
  const [row] = watcher.rows()
  const proof = watcher.facts.fraudProof(watcher.facts.fault()!)
  await chain.send(carol.account, encodeFraudProof(proof))
  assert.is(await haltOf(), block.number)
  assert.equal(row?.intent.doneErrors, ['NothingToDo'])
  assert.equal(await watcher.act(), ['NothingToDo'])
  assert.equal(await watcher.act(), [])
  assert.is(watcher.rows().length, 1)
  await watcher.stop()
})

test('a proof that comes too late to halt is sent when an exit rests on the transaction, and not before', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const block = await forge(fraud)
  await passTo(chain, block.header.timestamp + mep() + 1)
  const watcher = await startWatcher()
  assert.equal(await watcher.act(), [], 'nothing rests on it')
  const theft = await startExit(chain, mallory, [block, 0, 0])
  assert.equal(await watcher.act(), ['prove'])
  assert.is(await haltOf(), 0, 'the chain goes on')
  assert.ok(await chain.read<boolean>('isInvalid', [BigInt(place(block))]))
  const deadline = watcher.rows()[0]?.intent.deadline
  assert.equal(deadline, { timestamp: theft.exitableAt })
  assert.equal(await watcher.act(), [])
  assert.equal([...watcher.facts.disproved()], [place(block)])
  await watcher.stop()
})

test('a restart and a reorg that undoes the proof lead to the proof again', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const block = await forge(fraud)
  const db = openStore(':memory:')
  const first = await startWatcher({ db })
  await first.settle()
  assert.is(first.rows().length, 1)
  await first.stop()
  const second = await startWatcher({ db })
  const id = await chain.client.snapshot()
  assert.equal(await second.act(), ['prove'], 'the same row after a restart')
  assert.is(second.rows().length, 1)
  assert.is(second.facts.halt().voidFrom, block.number)
  await chain.client.revert({ id })
  await chain.client.mine({ blocks: 3 })
  await second.settle()
  assert.is(second.facts.halt().voidFrom, 0)
  const safety = second.facts.safety()
  assert.is(safety.reason, 'invalid')
  const third = await startWatcher()
  assert.equal(await third.act(), ['prove'])
  await second.settle()
  assert.is(second.facts.halt().voidFrom, block.number)
  for (const one of [second, third]) await one.stop()
})

test('a reorg that brings the block again at another time has it proven under that time', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const id = await chain.client.snapshot()
  const before = await forge(fraud)
  const watcher = await startWatcher()
  await watcher.settle()
  await chain.client.revert({ id })
  await nextAt(chain, before.header.timestamp + 7)
  const after = await forge(fraud)
  await chain.client.mine({ blocks: 2 })
  assert.is(after.header.root, before.header.root)
  assert.is.not(after.header.timestamp, before.header.timestamp)
  assert.equal(await watcher.act(), ['HeaderMismatch', 'prove'], 'the old row is L1’s to refuse')
  assert.is(await haltOf(), after.number)
  await watcher.stop()
})

test('takes back what it had verified of a block that became void, and takes out what that had spent', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const { position } = fraud.coins[0]!
  const honest = await commit(fraud, [fraud.sign({ inputs: [position], outputs: [to(bob, half)], signers: [alice] })])
  const watcher = await startWatcher({ wards: [alice, bob] })
  await watcher.settle()
  assert.is(watcher.facts.spentBy(position), place(honest))
  const range = { blockNumber: honest.number, first: 0, levels: 0 }
  const asked = await chain.send(carol.account, encodeChallengeData(range, honest.header, ETHER), chain.surety)
  await passTo(chain, asked.timestamp + chain.parameters.dataResponsePeriod + 1)
  const { challenge } = eventOf(asked.events, 'DataChallenged')
  await chain.send(carol.account, encodeEndChallenge(challenge), chain.surety)
  assert.is(await haltOf(), honest.number)
  await watcher.settle()
  assert.is(watcher.facts.verifiedBlock(), honest.number - 1)
  assert.is(watcher.facts.blockState(honest.number), 'void')
  assert.is(watcher.facts.spentBy(position), undefined)
  const done = await watcher.act()
  assert.ok(done.length > 0 && done.every((kind) => kind === 'start'), done.join())
  const ours = watcher.facts.openExits().map(({ exit }) => exit.position)
  assert.ok(ours.includes(position))
  const row = watcher.rows().find(({ intent }) => intent.key.startsWith('start'))
  assert.is(row?.intent.urgency, 'normal', 'after a halt there is no hurry')
  watcher.log.assertNoErrors()
  await watcher.stop()
})

test('takes out at once what the invalid block leaves alone, and what it spends once it is void', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const [coin, , , rest] = fraud.coins
  const block = await commit(fraud, [
    fraud.sign({ inputs: [coin!.position], outputs: [to(bob, half)], signers: [alice] }),
    fraud.sign({ inputs: [rest!.position], outputs: [to(mallory, ETHER)], signers: [mallory] }),
  ])
  const theft = await startExit(chain, mallory, [block, 1, 0])
  const watcher = await startWatcher({ wards: [alice], policy: { publicService: true } })
  assert.equal(await watcher.act(), ['prove', 'start'])
  const ours = () =>
    watcher.facts.openExits().flatMap(({ exit }) => (exit.owner === alice.address ? exit.position : []))
  assert.equal(ours(), [fraud.late])
  assert.equal(await watcher.act(), ['start', 'start'])
  assert.equal(ours().sort(), [fraud.late, coin!.position, rest!.position].sort())
  await passTo(chain, theft.exitableAt + mep())
  await watcher.act()
  const ends = new Map(watcher.facts.closedExits(0).map(({ exit, state }) => [exit.position, state]))
  assert.equal(
    [fraud.late, coin!.position, rest!.position, theft.position].map((position) => ends.get(position)),
    ['settled', 'settled', 'settled', 'removed'],
  )
  await watcher.stop()
})

test('ends a chain that its operator has left, for the sake of its users only', async () => {
  const { chain } = world
  const fraud = await createHistory()
  const last = fraud.blocks.at(-1)!
  await passTo(chain, last.header.timestamp + chain.parameters.abandonPeriod + 1)
  const stranger = await startWatcher()
  assert.equal(await stranger.act(), [])
  await stranger.stop()
  const guardian = await startWatcher({ wards: [carol] })
  assert.equal(await guardian.act(), ['halt-abandoned'])
  assert.is(await haltOf(), last.number + 1)
  assert.equal(await guardian.act(), [])
  assert.is(guardian.facts.safety().reason, 'halted')
  await guardian.stop()
})

test.run()

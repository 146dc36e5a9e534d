/** What a drill records of L1, and what it makes of it; the chain is made up by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Actor } from '../../drill/actors.ts'
import { createChainLog, type LoggedBlock, type SentTransaction } from '../../drill/chainLog.ts'
import { findLostBonds, sumCosts } from '../../drill/costs.ts'
import { findMilestones } from '../../drill/recorder.ts'
import type { RootEvent, RootEventBody } from '../../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'

const test = suite('drill: recorder')

const addressOf = (digit: string): Address => `0x${digit.repeat(40)}` as Address
const hashOf = (text: string): Hash => `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}` as Hash

const ACTORS: readonly Actor[] = [
  { name: 'operator', role: 'operator', honest: false, online: true, address: addressOf('0') },
  { name: 'watcher-1', role: 'watcher', honest: true, online: true, address: addressOf('1') },
  { name: 'alice', role: 'owner', honest: true, online: true, address: addressOf('a') },
  { name: 'mallory', role: 'thief', honest: false, online: true, address: addressOf('f') },
]
const [OPERATOR, WATCHER, ALICE, MALLORY] = ACTORS.map(({ address }) => address) as [Address, Address, Address, Address]

type Chain = { number: number; hash: string; parent: string; from?: Address }[]

/** A node that shows the list as its chain; each block holds at most one transaction. */
function fakeNode(chain: Chain) {
  const state = { chain }
  const request = async (method: string, params: readonly unknown[] = []): Promise<unknown> => {
    const block = (found: Chain[number] | undefined) =>
      found && {
        number: `0x${found.number.toString(16)}`,
        hash: hashOf(found.hash),
        parentHash: hashOf(found.parent),
        timestamp: `0x${(found.number * 12).toString(16)}`,
        transactions: found.from
          ? [{ hash: hashOf(`tx${found.hash}`), from: found.from, to: null, input: '0x', value: '0x0' }]
          : [],
      }
    switch (method) {
      case 'eth_getBlockByNumber':
        return block(state.chain.find(({ number }) => number === Number(params[0]))) ?? null
      case 'eth_getLogs':
        return []
      case 'eth_getTransactionReceipt':
        return { gasUsed: '0x64', effectiveGasPrice: '0x3', status: '0x1' }
    }
    throw new Error(method)
  }
  return { state, request }
}

const isActor = (address: Address) => ACTORS.some((one) => one.address === address)

test('follows L1 over a reorg: what was taken back is gone, what replaced it counts', async () => {
  const common = [
    { number: 1, hash: 'a1', parent: 'a0' },
    { number: 2, hash: 'a2', parent: 'a1', from: ALICE },
  ]
  const node = fakeNode([...common, { number: 3, hash: 'a3', parent: 'a2', from: MALLORY }])
  const log = createChainLog(node, { contracts: () => [], isActor, from: 0 })
  assert.equal((await log.pull()).added.length, 3)
  node.state.chain = [
    ...common,
    { number: 3, hash: 'b3', parent: 'a2', from: ALICE },
    { number: 4, hash: 'b4', parent: 'b3' },
  ]
  const { added, dropped } = await log.pull()
  assert.is(dropped, 1)
  assert.equal(
    added.map(({ hash }) => hash),
    ['b3', 'b4'].map(hashOf),
  )
  const costs = sumCosts(ACTORS, log.blocks())
  const ofAlice = costs.find(({ name }) => name === 'alice')
  assert.equal([ofAlice?.transactions, ofAlice?.gas, ofAlice?.costWei], [2, 200, '600'])
  assert.is(costs.find(({ name }) => name === 'mallory')?.transactions, 0)
})

test('a shorter chain of the same height takes blocks back too, and a second look reads nothing twice', async () => {
  const node = fakeNode([
    { number: 1, hash: 'a1', parent: 'a0' },
    { number: 2, hash: 'a2', parent: 'a1' },
  ])
  const log = createChainLog(node, { contracts: () => [], isActor, from: 0 })
  await log.pull()
  assert.equal(await log.pull(), { added: [], dropped: 0 })
  node.state.chain = [{ number: 1, hash: 'a1', parent: 'a0' }]
  assert.is((await log.pull()).dropped, 1)
  assert.is(log.blocks().length, 1)
})

const exitOf = (outputId: Hash, owner: Address, payer: Address) =>
  ({ outputId, owner, payer, bond: 400n, position: 16 }) as never

function blockWith(number: number, from: Address, ...bodies: RootEventBody[]): LoggedBlock {
  const hash = hashOf(`tx${number}`)
  const at = { l1Block: number, l1BlockHash: ZERO_HASH, l1Timestamp: number, logIndex: 0, txHash: hash }
  const sent: SentTransaction = { hash, from, to: undefined, data: '0x', valueWei: 0n, gas: 1, costWei: 1n, ok: true }
  return {
    at: { block: number, time: 12 * number },
    hash: hashOf(`${number}`),
    parent: hashOf(`${number - 1}`),
    transactions: [sent],
    events: bodies.map((body): RootEvent => ({ ...body, at })),
  }
}

const stolen = hashOf('stolen')
const own = hashOf('own')
const evidence: RootEventBody = {
  type: 'EvidenceShown',
  outputId: stolen,
  spend: 32,
  place: 0,
  challenger: WATCHER,
  reward: 280n,
}
const BLOCKS = [
  blockWith(3, MALLORY, { type: 'ExitStarted', exit: exitOf(stolen, MALLORY, MALLORY) }),
  blockWith(5, WATCHER, evidence),
  blockWith(6, ALICE, { type: 'ExitStarted', exit: exitOf(own, ALICE, ALICE) }),
  blockWith(9, MALLORY, { type: 'ExitPaid', outputId: own, amount: 1n }),
  blockWith(10, OPERATOR, { type: 'BondSlashed', reporter: WATCHER, taken: 1_000n, bond: 1_000n }),
]

test('milestones: what the thief does is no act, an honest owner’s payment is one whoever sends it', () => {
  const fault = { at: { block: 2, time: 24 }, childBlock: 0 }
  const alert = (severity: string, block: number) => ({
    watcher: 'watcher-1',
    code: 'X',
    severity,
    at: { block, time: 12 * block },
    subject: '',
  })
  const found = findMilestones(BLOCKS, { fault, alerts: [alert('info', 3), alert('warning', 4)], actors: ACTORS })
  assert.equal(
    Object.values(found).map((moment) => moment?.block),
    [2, 4, 5, 6, 9],
  )
})

test('milestones: nothing happened before a fault, and without one nothing at all', () => {
  const fault = { at: { block: 9, time: 108 }, childBlock: 0 }
  const late = findMilestones(BLOCKS, { fault, alerts: [], actors: ACTORS })
  assert.equal([late.detected, late.acted, late.secured, late.paid], [null, null, null, null])
  assert.is(findMilestones(BLOCKS, { fault: undefined, alerts: [], actors: ACTORS }).fault, null)
})

test('bonds are lost by who posted them, rewards earned by who showed the evidence', () => {
  const costs = new Map(sumCosts(ACTORS, BLOCKS).map((one) => [one.name, one]))
  assert.is(costs.get('mallory')?.bondsLostWei, '400')
  assert.is(costs.get('operator')?.bondsLostWei, '1000')
  assert.is(costs.get('watcher-1')?.earnedWei, '530')
  assert.is(costs.get('alice')?.bondsLostWei, '0')
  assert.equal(
    findLostBonds(BLOCKS.flatMap(({ events }) => events)).map(({ payer }) => payer),
    [MALLORY],
  )
})

test.run()
